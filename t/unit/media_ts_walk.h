
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A transport stream read to its frames, as a publisher does it: each
 * elementary stream has a buffer.
 *
 *     walk_init(&walk, &conf, on_frame, data);
 *     walk_bytes(&walk, pos, last);
 *     walk_end(&walk);
 */


#ifndef _MEDIA_TS_WALK_H_INCLUDED_
#define _MEDIA_TS_WALK_H_INCLUDED_


#include "formats/ngx_media_ts_demux.h"
#include "formats/ngx_media_ts_split.h"

#include <stdlib.h>
#include <string.h>


typedef struct {
    uint32_t               serial;            /* 0: none */
    u_char                *buf;
    size_t                 size;
    size_t                 used;
    ngx_media_ts_split_t   split;
} walk_stream_t;


typedef struct walk_s  walk_t;

struct walk_s {
    ngx_media_ts_demux_t   demux;
    walk_stream_t          streams[NGX_MEDIA_TS_STREAMS];
    size_t                 most;              /* bytes of a buffer */
    void                 (*frame)(walk_t *w, ngx_uint_t stream,
                                  const ngx_media_ts_split_frame_t *frame);
    void                 (*event)(walk_t *w, const ngx_media_ts_event_t *ev);
    void                  *data;
    unsigned               exact;             /* buffers are as long as what
                                                 is in them, for ASan */
};


static inline void
walk_init(walk_t *w, const ngx_media_ts_demux_conf_t *conf)
{
    memset(w, 0, sizeof(walk_t));
    ngx_media_ts_demux_init(&w->demux, conf);
    w->most = 8 * 1024 * 1024;
}


static inline void
walk_frames(walk_t *w, ngx_uint_t i)
{
    u_char                      *copy;
    walk_stream_t               *s;
    ngx_media_span_t             in;
    ngx_media_ts_split_frame_t   frame;

    static const u_char  none[1];

    s = &w->streams[i];
    copy = NULL;

    in.pos = s->buf ? s->buf : none;
    in.last = in.pos + s->used;

    if (w->exact) {
        copy = malloc(s->used ? s->used : 1);
        memcpy(copy, in.pos, s->used);
        in.pos = copy;
        in.last = copy + s->used;
    }

    while (ngx_media_ts_split(&s->split, &in, &frame) == NGX_OK) {
        if (w->frame) {
            w->frame(w, i, &frame);
        }
    }

    s->used = ngx_media_span_len(&in);

    if (s->used) {
        memmove(s->buf, in.pos, s->used);
    }

    free(copy);
}


static inline void
walk_close(walk_t *w, ngx_uint_t i)
{
    if (w->streams[i].serial) {
        ngx_media_ts_split_flush(&w->streams[i].split);
        walk_frames(w, i);
    }

    w->streams[i].serial = 0;
    w->streams[i].used = 0;
}


static inline void
walk_program(walk_t *w)
{
    ngx_uint_t              i;
    walk_stream_t          *s;
    ngx_media_ts_stream_t  *stream;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        s = &w->streams[i];
        stream = &w->demux.streams[i];

        if (s->serial && (!stream->used || stream->serial != s->serial)) {
            walk_close(w, i);
        }

        if (stream->used && !s->serial) {
            s->serial = stream->serial;
            ngx_media_ts_split_init(&s->split, stream);
        }
    }
}


static inline void
walk_data(walk_t *w, const ngx_media_ts_event_t *ev)
{
    size_t          n;
    walk_stream_t  *s;

    s = &w->streams[ev->stream];
    n = ngx_media_span_len(&ev->data);

    if (ev->damaged) {
        ngx_media_ts_split_hole(&s->split, s->used);
    }

    if (s->used + n > w->most) {
        ngx_media_ts_split_flush(&s->split);
        walk_frames(w, ev->stream);
        ngx_media_ts_split_hole(&s->split, s->used);
    }

    if (s->used + n > s->size) {
        s->size = (s->used + n) * 2;
        s->buf = realloc(s->buf, s->size);

        if (s->buf == NULL) {
            abort();
        }
    }

    memcpy(s->buf + s->used, ev->data.pos, n);
    s->used += n;
}


static inline void
walk_event(walk_t *w, const ngx_media_ts_event_t *ev)
{
    walk_stream_t  *s;

    if (w->event) {
        w->event(w, ev);
    }

    switch (ev->type) {

    case NGX_MEDIA_TS_EVENT_PROGRAM:
        walk_program(w);
        return;

    case NGX_MEDIA_TS_EVENT_START:
        s = &w->streams[ev->stream];
        ngx_media_ts_split_start(&s->split, s->used, ev);
        return;

    case NGX_MEDIA_TS_EVENT_DATA:
        walk_data(w, ev);
        return;

    case NGX_MEDIA_TS_EVENT_END:
        s = &w->streams[ev->stream];

        if (ev->damaged) {
            ngx_media_ts_split_hole(&s->split, s->used);
        }

        walk_frames(w, ev->stream);
        return;

    default:
        return;
    }
}


static inline void
walk_bytes(walk_t *w, const u_char *pos, const u_char *last)
{
    ngx_media_span_t      in;
    ngx_media_ts_event_t  ev;

    in.pos = pos;
    in.last = last;

    while (ngx_media_ts_demux(&w->demux, &in, &ev) == NGX_OK) {
        walk_event(w, &ev);
    }
}


static inline void
walk_end(walk_t *w)
{
    ngx_uint_t            i;
    ngx_media_ts_event_t  ev;

    while (ngx_media_ts_demux_flush(&w->demux, &ev) == NGX_OK) {
        walk_event(w, &ev);
    }

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        walk_close(w, i);
        free(w->streams[i].buf);
        w->streams[i].buf = NULL;
        w->streams[i].size = 0;
    }
}


#endif /* _MEDIA_TS_WALK_H_INCLUDED_ */
