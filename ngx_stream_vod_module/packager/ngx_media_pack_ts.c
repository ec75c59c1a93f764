
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Transport streams.  What the muxer will want for a buffer of output is
 * known before it is filled: so much of each track is read, into memory that
 * lives no longer than that, and copied once, between the headers of packets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "packager/ngx_media_pack_ts.h"


/* for counting NAL units */
#define NGX_MEDIA_PACK_TS_WINDOW  65536


static ngx_int_t ngx_media_pack_ts_add(ngx_media_pack_ts_t *ts,
    const ngx_media_frames_t *frames, ngx_pool_t *pool, ngx_uint_t *count);
static ngx_int_t ngx_media_pack_ts_measure(ngx_media_pack_ts_t *ts);
static ngx_int_t ngx_media_pack_ts_count(ngx_media_pack_ts_t *ts,
    ngx_media_pack_ts_input_t *input, u_char *window);
static u_char *ngx_media_pack_ts_plan(ngx_media_pack_ts_t *ts, size_t room);
static void ngx_media_pack_ts_move(ngx_media_pack_ts_input_t *input,
    uint32_t sample, uint64_t offset);
static ngx_int_t ngx_media_pack_ts_next(ngx_media_pack_ts_t *ts,
    ngx_media_pack_ts_input_t *input, ngx_media_span_t *in);
static ngx_int_t ngx_media_pack_ts_read(ngx_media_pack_ts_t *ts,
    ngx_media_pack_ts_input_t *input);


ngx_int_t
ngx_media_pack_ts_init(ngx_media_pack_ts_t *ts,
    const ngx_media_frames_t *frames, ngx_uint_t n, uint64_t number,
    ngx_pool_t *pool)
{
    ngx_int_t   rc;
    ngx_uint_t  i, count;

    ngx_memzero(ts, sizeof(ngx_media_pack_ts_t));

    if (n == 0 || n > NGX_MEDIA_TS_TRACKS) {
        return NGX_ERROR;
    }

    ts->failed = frames->name;
    count = 0;

    for (i = 0; i < n; i++) {
        rc = ngx_media_pack_ts_add(ts, &frames[i], pool, &count);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    ts->mux.tracks = ts->tracks;
    ts->mux.ntracks = (uint32_t) n;
    ts->mux.number = number;
    ts->mux.offset = NGX_MEDIA_TS_OFFSET;

    return count ? NGX_AGAIN : ngx_media_pack_ts_measure(ts);
}


static ngx_int_t
ngx_media_pack_ts_add(ngx_media_pack_ts_t *ts,
    const ngx_media_frames_t *frames, ngx_pool_t *pool, ngx_uint_t *count)
{
    size_t                      len;
    u_char                     *head;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_media_ts_track_t       *track;
    ngx_media_pack_ts_input_t  *input;

    track = &ts->tracks[ts->n];
    input = &ts->inputs[ts->n++];

    rc = ngx_media_ts_es_init(&input->es, frames->params);

    if (rc != NGX_OK) {
        return rc;
    }

    len = ngx_media_ts_es_head(NULL, frames->params);

    if (len) {
        head = ngx_pnalloc(pool, len);
        if (head == NULL) {
            return NGX_ERROR;
        }

        track->head = head;
        track->head_len = ngx_media_ts_es_head(head, frames->params);
    }

    if (input->es.nal_length && input->es.nal_length != 4) {
        input->nals = ngx_palloc(pool, frames->nsamples * sizeof(uint32_t));
        if (input->nals == NULL) {
            return NGX_ERROR;
        }

        *count = 1;
    }

    track->es = &input->es;
    track->samples = frames->samples;
    track->nsamples = frames->nsamples;
    track->nals = input->nals;
    track->decode_time = (int64_t) frames->decode_time;
    track->delay = frames->delay;

    input->frames = *frames;
    input->reader.ranges = frames->ranges;
    input->reader.nranges = frames->nranges;
    input->reader.fd = frames->fd;

    for (i = 0; i < frames->nranges; i++) {
        if (frames->ranges[i].memory == NULL) {
            ts->blocks = 1;
            break;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_pack_ts_measure(ngx_media_pack_ts_t *ts)
{
    if (ngx_media_ts_mux_init(&ts->mux) != NGX_OK) {
        ts->fault.error = "samples are too large for a transport stream";
        return NGX_ERROR;
    }

    ts->size = ts->mux.size;

    return NGX_OK;
}


ngx_int_t
ngx_media_pack_ts_prepare(ngx_media_pack_ts_t *ts)
{
    u_char      *window;
    ngx_int_t    rc;
    ngx_uint_t   i;

    rc = NGX_OK;

    window = malloc(NGX_MEDIA_PACK_TS_WINDOW);
    if (window == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ts->n && rc == NGX_OK; i++) {
        if (ts->inputs[i].nals) {
            rc = ngx_media_pack_ts_count(ts, &ts->inputs[i], window);
        }
    }

    free(window);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_media_pack_ts_measure(ts);
}


static ngx_int_t
ngx_media_pack_ts_count(ngx_media_pack_ts_t *ts,
    ngx_media_pack_ts_input_t *input, u_char *window)
{
    uint32_t              i;
    ngx_media_span_t      in;
    ngx_media_ts_nals_t   nals;

    in.pos = NULL;
    in.last = NULL;

    for (i = 0; i < input->frames.nsamples; i++) {
        ngx_media_ts_nals_init(&nals, input->frames.samples[i].size,
                               input->es.nal_length);

        while (nals.left) {
            input->reader.start = window;
            input->want = NGX_MEDIA_PACK_TS_WINDOW;

            if (ngx_media_pack_ts_next(ts, input, &in) != NGX_OK) {
                return NGX_ERROR;
            }

            in.last = in.pos + ngx_min(ngx_media_span_len(&in), nals.left);

            ngx_media_ts_nals_feed(&nals, in.pos, in.last);
            ngx_media_pull_use(&input->reader, ngx_media_span_len(&in));
        }

        input->nals[i] = nals.count;
    }

    /* from the start again */

    input->reader.range = 0;
    input->reader.done = 0;

    return NGX_OK;
}


ngx_int_t
ngx_media_pack_ts_fill(ngx_media_pack_ts_t *ts, u_char **p, u_char *last)
{
    u_char                     *memory;
    ngx_int_t                   rc;
    ngx_media_span_t            in;
    ngx_media_ts_mux_t         *mux;
    ngx_media_pack_ts_input_t  *input;

    mux = &ts->mux;
    memory = NULL;

    if (ts->blocks) {
        memory = ngx_media_pack_ts_plan(ts, last - *p);
        if (memory == NULL) {
            return NGX_ERROR;
        }
    }

    in.pos = NULL;
    in.last = NULL;

    for ( ;; ) {
        rc = ngx_media_ts_mux_write(mux, &in, p, last);

        if (rc != NGX_AGAIN) {
            rc = NGX_OK;
            break;
        }

        /* the muxer may have passed by something */

        input = &ts->inputs[mux->track];

        ngx_media_pack_ts_move(input, mux->sample, mux->sample_offset);

        rc = ngx_media_pack_ts_next(ts, input, &in);

        if (rc != NGX_OK) {
            break;
        }
    }

    free(memory);

    return rc;
}


/*
 * How much of each track this much output takes, and memory for it; what the
 * readers still had is given up
 */

static u_char *
ngx_media_pack_ts_plan(ngx_media_pack_ts_t *ts, size_t room)
{
    u_char                     *memory, *p;
    size_t                      size, total;
    uint64_t                    bytes;
    ngx_uint_t                  i;
    ngx_media_ts_mux_t          mux;
    ngx_media_pack_ts_input_t  *input;

    for (i = 0; i < ts->n; i++) {
        ts->inputs[i].want = 0;
    }

    mux = ts->mux;

    /* what is left of the unit it is in, then those that follow */

    size = (size_t) ngx_min(mux.payload, room);
    bytes = (uint64_t) mux.packets * NGX_MEDIA_TS_PACKET + mux.room;

    for ( ;; ) {

        if (mux.unit.kind == NGX_MEDIA_TS_UNIT_PES) {
            ts->inputs[mux.unit.track].want += size;
        }

        room -= (size_t) ngx_min(bytes, room);

        if (room == 0 || ngx_media_ts_mux_next(&mux) != NGX_OK) {
            break;
        }

        size = (size_t) ngx_min(mux.unit.size, room);
        bytes = (uint64_t) mux.unit.packets * NGX_MEDIA_TS_PACKET;
    }

    total = 0;

    for (i = 0; i < ts->n; i++) {
        input = &ts->inputs[i];
        input->want = ngx_max(input->want, NGX_MEDIA_TS_PACKET);
        total += input->want;
    }

    memory = malloc(total);
    if (memory == NULL) {
        return NULL;
    }

    p = memory;

    for (i = 0; i < ts->n; i++) {
        input = &ts->inputs[i];

        input->planned = 1;

        input->reader.start = p;
        input->reader.pos = 0;
        input->reader.len = 0;

        p += input->want;
    }

    return memory;
}


static void
ngx_media_pack_ts_move(ngx_media_pack_ts_input_t *input, uint32_t sample,
    uint64_t offset)
{
    uint64_t  pos;

    while (input->sample < sample) {
        input->base += input->frames.samples[input->sample++].size;
    }

    pos = input->base + offset;

    ngx_media_pull_skip(&input->reader, pos - input->pos);
    input->pos = pos;
}


static ngx_int_t
ngx_media_pack_ts_next(ngx_media_pack_ts_t *ts,
    ngx_media_pack_ts_input_t *input, ngx_media_span_t *in)
{
    u_char            *pos, *last;
    ngx_int_t          rc;
    ngx_media_pull_t  *reader;

    reader = &input->reader;

    rc = ngx_media_pull_next(reader, &pos, &last);

    if (rc == NGX_AGAIN) {
        rc = ngx_media_pack_ts_read(ts, input);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc != NGX_OK) {
            ts->failed = input->frames.name;

            return ngx_media_pull_failed(reader, &ts->fault);
        }

        rc = ngx_media_pull_next(reader, &pos, &last);
    }

    if (rc != NGX_OK) {
        ts->fault.error = "media is shorter than its samples";
        return NGX_ERROR;
    }

    in->pos = pos;
    in->last = last;

    return NGX_OK;
}


/*
 * In interleaved files the bytes of the other tracks are between those of this
 * one, and wanted for the same buffer.  The muxer is in a unit of this one, so
 * it has used all samples of the others that are in a unit.
 */

static ngx_int_t
ngx_media_pack_ts_read(ngx_media_pack_ts_t *ts,
    ngx_media_pack_ts_input_t *input)
{
    ngx_uint_t                  i, n;
    ngx_media_pull_t           *readers[NGX_MEDIA_TS_TRACKS];
    ngx_media_pack_ts_input_t  *other;

    input->reader.size = input->want;
    input->reader.nowait = ts->nowait;
    input->planned = 0;

    readers[0] = &input->reader;
    n = 1;

    for (i = 0; i < ts->n; i++) {
        other = &ts->inputs[i];

        if (!other->planned || other->reader.fd != input->reader.fd) {
            continue;
        }

        ngx_media_pack_ts_move(other, ts->mux.cursors[i].sample, 0);

        other->reader.size = other->want;
        other->planned = 0;

        readers[n++] = &other->reader;
    }

    return ngx_media_pull_fill_all(readers, n);
}


uint64_t
ngx_media_pack_ts_seek(ngx_media_pack_ts_t *ts, uint64_t offset)
{
    return ngx_media_ts_mux_seek(&ts->mux, offset);
}
