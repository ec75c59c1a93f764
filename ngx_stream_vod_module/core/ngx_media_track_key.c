
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A part says whether it has a key frame, so parts are looked at from the
 * newest one back.  Those of a complete segment may have gone before it does:
 * of these its first part, which is at its start, is what is left.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_track_key.h"
#include "formats/ngx_media_mp4_chunk.h"


static ngx_int_t ngx_media_track_key_segment(const ngx_media_track_ref_t *ref,
    const ngx_media_segment_t *segment, ngx_media_track_key_t *key);


ngx_int_t
ngx_media_track_key(const ngx_media_track_ref_t *ref,
    ngx_media_track_key_t *key)
{
    uint64_t             n;
    ngx_int_t            rc;
    ngx_media_segment_t  segment;

    for (n = ref->heads.head; n > ref->heads.tail; n--) {

        rc = ngx_media_ref_segment(ref, n - 1, &segment);

        /* the tail has come as far meanwhile, or all of it has gone */

        if (rc != NGX_OK) {
            return (n == ref->heads.head) ? rc : NGX_AGAIN;
        }

        if (ngx_media_track_key_segment(ref, &segment, key) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_media_track_key_segment(const ngx_media_track_ref_t *ref,
    const ngx_media_segment_t *segment, ngx_media_track_key_t *key)
{
    ngx_uint_t        i;
    ngx_media_part_t  part;

    key->number = segment->number;
    key->init = segment->init;

    for (i = segment->nparts; i > 0; i--) {

        if (ngx_media_ref_part(ref, segment->number, i - 1, &part)
            != NGX_OK)
        {
            break;
        }

        if (part.independent) {
            key->part = part.part;
            key->range = part.range;

            return NGX_OK;
        }
    }

    if (i == 0 || segment->key_size == 0 || segment->nranges == 0) {
        return NGX_DECLINED;
    }

    key->part = 0;
    key->range = segment->ranges[0];

    return NGX_OK;
}


ngx_int_t
ngx_media_track_key_bytes(const ngx_media_stream_t *stream,
    const ngx_media_track_key_t *key, uint64_t *offset, uint32_t *size)
{
    ngx_int_t                rc;
    const u_char            *base;
    ngx_media_mp4_frame_t    frame;
    ngx_media_mp4_reader_t   reader;

    base = ngx_media_arena_bytes(stream->zone, &key->range);

    if (ngx_media_mp4_chunk_open(&reader, base, base + key->range.size)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    *size = 0;

    for ( ;; ) {
        rc = ngx_media_mp4_chunk_next(&reader, &frame);

        if (rc != NGX_OK) {
            break;
        }

        if (frame.sample.key) {
            *offset = key->range.offset + (frame.data - base);
            *size = frame.sample.size;
        }
    }

    return (rc == NGX_DONE && *size) ? NGX_OK : NGX_ERROR;
}
