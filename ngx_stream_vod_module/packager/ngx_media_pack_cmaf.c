
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_mp4_write.h"
#include "packager/ngx_media_pack_cmaf.h"


ngx_int_t
ngx_media_pack_cmaf_head(const ngx_media_frames_t *frames, uint32_t sequence,
    ngx_pool_t *pool, ngx_str_t *head)
{
    ngx_media_mp4_chunk_t  chunk;

    if (frames->bytes > NGX_MEDIA_PACK_CMAF_MAX
                        - ngx_media_mp4_chunk_max(frames->nsamples))
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&chunk, sizeof(ngx_media_mp4_chunk_t));

    chunk.samples = frames->samples;
    chunk.nsamples = frames->nsamples;
    chunk.decode_time = frames->decode_time;
    chunk.delay = frames->delay - frames->edit;
    chunk.sequence = sequence;
    chunk.type = frames->params->type;
    chunk.styp = 1;

    head->data = ngx_pnalloc(pool, ngx_media_mp4_write_chunk(NULL, &chunk));
    if (head->data == NULL) {
        return NGX_ERROR;
    }

    head->len = ngx_media_mp4_write_chunk(head->data, &chunk);

    return NGX_OK;
}


void
ngx_media_pack_cmaf_init(ngx_media_pack_cmaf_t *cmaf,
    const ngx_media_frames_t *frames, const ngx_str_t *head)
{
    ngx_memzero(cmaf, sizeof(ngx_media_pack_cmaf_t));

    cmaf->head = *head;

    cmaf->reader.ranges = frames->ranges;
    cmaf->reader.nranges = frames->nranges;
    cmaf->reader.fd = frames->fd;
}


ngx_int_t
ngx_media_pack_cmaf_fill(ngx_media_pack_cmaf_t *cmaf, u_char **p, u_char *last,
    ngx_uint_t nowait)
{
    size_t             n;
    u_char            *from, *to;
    ngx_int_t          rc;
    ngx_media_pull_t  *reader;

    reader = &cmaf->reader;

    n = ngx_min(cmaf->head.len - cmaf->head_pos, (size_t) (last - *p));
    *p = ngx_cpymem(*p, cmaf->head.data + cmaf->head_pos, n);
    cmaf->head_pos += n;

    while (*p < last) {

        switch (ngx_media_pull_next(reader, &from, &to)) {

        case NGX_OK:
            break;

        case NGX_AGAIN:
            reader->start = *p;
            reader->size = last - *p;
            reader->nowait = nowait;

            rc = ngx_media_pull_fill(reader);

            if (rc == NGX_AGAIN) {
                return NGX_AGAIN;
            }

            if (rc != NGX_OK) {
                return ngx_media_pull_failed(reader, &cmaf->fault);
            }

            continue;

        default: /* NGX_DONE */
            return NGX_OK;
        }

        n = ngx_min((size_t) (to - from), (size_t) (last - *p));

        if (from != *p) {
            ngx_memcpy(*p, from, n);
        }

        *p += n;

        ngx_media_pull_use(reader, n);
    }

    return NGX_OK;
}


void
ngx_media_pack_cmaf_seek(ngx_media_pack_cmaf_t *cmaf, uint64_t offset)
{
    cmaf->head_pos = (size_t) ngx_min(offset, cmaf->head.len);

    ngx_media_pull_skip(&cmaf->reader, offset - cmaf->head_pos);
}
