
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A segment of the store is a row of chunks, as ngx_media_mp4_write_chunk()
 * makes them; what they say of their samples is all that is known.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_track_frames.h"
#include "formats/ngx_media_mp4_chunk.h"


static ngx_int_t ngx_media_frames_count(const ngx_media_stream_t *stream,
    const ngx_media_segment_t *segment, ngx_media_frames_t *frames);
static ngx_int_t ngx_media_frames_read(const ngx_media_stream_t *stream,
    const ngx_media_range_t *range, ngx_media_sample_t *samples,
    ngx_media_piece_t *ranges, ngx_media_frames_t *frames);


ngx_int_t
ngx_media_track_frames(const ngx_media_track_ref_t *ref,
    const ngx_media_segment_t *segment, ngx_pool_t *pool,
    ngx_media_frames_t *frames)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    ngx_media_params_t  *params;
    ngx_media_sample_t  *samples;
    ngx_media_piece_t   *ranges;

    ngx_memzero(frames, sizeof(ngx_media_frames_t));

    rc = ngx_media_frames_count(&ref->stream, segment, frames);

    if (rc != NGX_OK) {
        return rc;
    }

    params = ngx_palloc(pool, sizeof(ngx_media_params_t));
    samples = ngx_palloc(pool, frames->nsamples * sizeof(ngx_media_sample_t));
    ranges = ngx_palloc(pool, frames->nranges
                              * sizeof(ngx_media_piece_t));

    if (params == NULL || samples == NULL || ranges == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_ref_init_params(ref, segment->init, params);

    if (rc != NGX_OK) {
        return NGX_DONE;
    }

    frames->params = params;
    frames->samples = samples;
    frames->ranges = ranges;
    frames->nsamples = 0;
    frames->nranges = 0;
    frames->fd = ngx_media_arena_fd(ref->stream.zone);
    ngx_str_set(&frames->name, "media zone");

    for (i = 0; i < segment->nranges; i++) {

        if (ngx_media_frames_read(&ref->stream, &segment->ranges[i],
                                  samples, ranges, frames)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* how many there are, at most; the time of the first */

static ngx_int_t
ngx_media_frames_count(const ngx_media_stream_t *stream,
    const ngx_media_segment_t *segment, ngx_media_frames_t *frames)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    const u_char            *last, *pos;
    ngx_media_mp4_reader_t   reader;

    for (i = 0; i < segment->nranges; i++) {
        pos = ngx_media_arena_bytes(stream->zone, &segment->ranges[i]);
        last = pos + segment->ranges[i].size;

        for ( ;; ) {
            rc = ngx_media_mp4_chunk_open(&reader, pos, last);

            if (rc == NGX_DONE) {
                break;
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }

            if (frames->nsamples == 0) {
                frames->decode_time = reader.decode_time;
            }

            frames->nsamples += reader.left;
            frames->nranges++;

            pos = reader.last;
        }
    }

    return frames->nsamples ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_frames_read(const ngx_media_stream_t *stream,
    const ngx_media_range_t *range, ngx_media_sample_t *samples,
    ngx_media_piece_t *ranges, ngx_media_frames_t *frames)
{
    u_char                 *base, *data;
    ngx_int_t               rc;
    const u_char           *last, *pos;
    ngx_media_mp4_frame_t   frame;
    ngx_media_mp4_reader_t  reader;
    ngx_media_piece_t      *next;

    base = ngx_media_arena_bytes(stream->zone, range);
    pos = base;
    last = pos + range->size;

    for ( ;; ) {
        rc = ngx_media_mp4_chunk_open(&reader, pos, last);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
        }

        data = base + (reader.data - base);

        for ( ;; ) {
            rc = ngx_media_mp4_chunk_next(&reader, &frame);

            if (rc != NGX_OK) {
                break;
            }

            samples[frames->nsamples++] = frame.sample;
        }

        if (rc != NGX_DONE) {
            return NGX_ERROR;
        }

        if (reader.data != data) {
            next = &ranges[frames->nranges++];

            next->memory = data;
            next->offset = (off_t) range->offset + (data - base);
            next->size = reader.data - data;

            frames->bytes += next->size;
        }

        pos = reader.last;
    }
}
