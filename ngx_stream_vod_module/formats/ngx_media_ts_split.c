
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_ts_split_state.h"


/* Metadata_AU_cell, ISO/IEC 13818-1, 2.12.4: before its bytes */
#define NGX_MEDIA_TS_CELL  5


static ngx_int_t ngx_media_ts_split_whole(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, ngx_media_ts_split_frame_t *frame);
static size_t ngx_media_ts_split_cell(const ngx_media_ts_split_t *s,
    const u_char *pos, size_t len);


void
ngx_media_ts_split_init(ngx_media_ts_split_t *s,
    const ngx_media_ts_stream_t *stream)
{
    ngx_memzero(s, sizeof(ngx_media_ts_split_t));

    s->codec = stream->codec;
    s->as = stream->as;
    s->stream_type = stream->stream_type;

    s->audio.base = NGX_MEDIA_TS_NO_TIME;
    s->video.pts = NGX_MEDIA_TS_NO_TIME;
    s->video.dts = NGX_MEDIA_TS_NO_TIME;
    s->video.stamped = NGX_MEDIA_TS_NO_TIME;
    s->video.most = NGX_MEDIA_TS_NO_TIME;
}


void
ngx_media_ts_split_start(ngx_media_ts_split_t *s, size_t at,
    const ngx_media_ts_event_t *ev)
{
    ngx_media_ts_mark_t  *mark;

    if (ev->damaged) {
        ngx_media_ts_split_hole(s, at);
    }

    /* of one without bytes nothing waits; the last one has to do for many */

    if (s->nmarks == NGX_MEDIA_TS_MARKS
        || (s->nmarks && s->marks[s->nmarks - 1].at == at))
    {
        s->nmarks--;
    }

    mark = &s->marks[s->nmarks++];

    mark->at = at;
    mark->pts = ev->pts;
    mark->dts = ev->dts;
    mark->pcr = ev->pcr;
    mark->size = ev->size;
    mark->done = 0;
    mark->has_dts = ev->has_dts;
    mark->used = 0;
    mark->seen = 0;

    s->video.largest = ngx_max(s->video.largest, ev->size);
}


void
ngx_media_ts_split_hole(ngx_media_ts_split_t *s, size_t at)
{
    if (!s->holed) {
        s->holed = 1;
        s->hole = at;
    }

    s->hole_last = at;
}


void
ngx_media_ts_split_flush(ngx_media_ts_split_t *s)
{
    s->flushed = 1;
}


ngx_int_t
ngx_media_ts_split(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    ngx_media_ts_split_frame_t *frame)
{
    ngx_int_t  rc;

    ngx_memzero(frame, sizeof(ngx_media_ts_split_frame_t));

    frame->codec = s->codec;

    if (s->codec == NULL) {
        rc = ngx_media_ts_split_whole(s, in, frame);

    } else if (s->codec->units == NGX_MEDIA_UNITS_AVC
               || s->codec->units == NGX_MEDIA_UNITS_HEVC)
    {
        rc = ngx_media_ts_split_video(s, in, frame);

    } else if (s->codec->type == NGX_MEDIA_AUDIO) {
        rc = ngx_media_ts_split_audio(s, in, frame);

    } else {
        rc = ngx_media_ts_split_whole(s, in, frame);
    }

    if (rc == NGX_OK) {
        s->stat.frames++;

    } else if (s->flushed) {
        s->flushed = 0;
        s->stat.skipped += ngx_media_span_len(in);
        ngx_media_ts_split_pass(s, in, ngx_media_span_len(in));
    }

    return rc;
}


/* what begins with a PES packet and ends with it */

static ngx_int_t
ngx_media_ts_split_whole(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    ngx_media_ts_split_frame_t *frame)
{
    size_t                cell, len, n;
    ngx_media_ts_mark_t  *mark;

    for ( ;; ) {
        len = ngx_media_span_len(in);

        if (len == 0) {
            return NGX_AGAIN;
        }

        mark = ngx_media_ts_split_mark(s, 0);

        n = (s->nmarks > 1 && s->marks[1].at < len) ? s->marks[1].at : len;
        cell = ngx_media_ts_split_cell(s, in->pos, n);

        if (cell != 0) {
            n = cell;
        }

        if (mark == NULL || ngx_media_ts_split_holed(s, 0, n + 1)) {
            s->stat.damaged++;
            ngx_media_ts_split_pass(s, in, n);
            continue;
        }

        frame->pos = in->pos + (cell ? NGX_MEDIA_TS_CELL : 0);
        frame->last = in->pos + n;
        frame->pts = mark->pts;
        frame->dts = mark->dts;
        frame->counted = mark->used;

        if (frame->pts == NGX_MEDIA_TS_NO_TIME
            && mark->pcr != NGX_MEDIA_TS_NO_TIME)
        {
            frame->pts = mark->pcr;
            frame->dts = mark->pcr;
            frame->counted = 1;
        }

        mark->used = 1;

        ngx_media_ts_split_pass(s, in, n);

        return NGX_OK;
    }
}


/*
 * Metadata may have cells around it; ID3 as Apple's players want it has none.
 * 0: there is none here.
 */

static size_t
ngx_media_ts_split_cell(const ngx_media_ts_split_t *s, const u_char *pos,
    size_t len)
{
    size_t  n;

    if (s->stream_type != NGX_MEDIA_TS_METADATA || len <= NGX_MEDIA_TS_CELL
        || ngx_memcmp(pos, "ID3", 3) == 0)
    {
        return 0;
    }

    n = NGX_MEDIA_TS_CELL + ngx_media_get_be16(pos + 3);

    return n <= len ? n : 0;
}


/* marks and holes are where they were, of those that are not done with */

void
ngx_media_ts_split_pass(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    size_t n)
{
    ngx_uint_t            i, k;
    ngx_media_ts_mark_t  *mark;

    in->pos += n;

    for (i = 0, k = 0; i < s->nmarks; i++) {
        mark = &s->marks[i];

        /* the last of those before goes on */

        if (mark->at <= n && i + 1 < s->nmarks && mark[1].at <= n) {
            continue;
        }

        s->marks[k] = *mark;
        s->marks[k].at = mark->at > n ? mark->at - n : 0;
        s->marks[k].done += mark->at < n ? n - mark->at : 0;
        k++;
    }

    s->nmarks = k;

    if (s->holed) {

        if (s->hole_last < n) {
            s->holed = 0;

        } else {
            s->hole = s->hole > n ? s->hole - n : 0;
            s->hole_last -= n;
        }
    }

    s->video.scan = s->video.scan > n ? s->video.scan - n : 0;
}


ngx_media_ts_mark_t *
ngx_media_ts_split_mark(ngx_media_ts_split_t *s, size_t at)
{
    ngx_uint_t  i;

    for (i = s->nmarks; i > 0; i--) {
        if (s->marks[i - 1].at <= at) {
            return &s->marks[i - 1];
        }
    }

    return NULL;
}
