
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A derived track whose maker is no encoder: half of the source's pictures, or
 * its sound as it is, or text now and then, so many ms later.  Each source
 * frame with which a segment begins is a key frame of it.
 */


#ifndef _MEDIA_FAKE_H_INCLUDED_
#define _MEDIA_FAKE_H_INCLUDED_


#include <stdlib.h>
#include <string.h>

#include "core/ngx_media_derive_state.h"
#include "formats/ngx_media_codec.h"


#define FAKE_TEXT  4000                      /* ms from one text to the next */


typedef struct media_fake_frame_s  media_fake_frame_t;

struct media_fake_frame_s {
    media_fake_frame_t        *next;
    int64_t                    due;          /* ms of the clock */
    ngx_uint_t                 params;       /* no frame: others come */
    ngx_uint_t                 settled;
    ngx_media_packer_frame_t   frame;
    u_char                     data[64];
};


typedef struct {
    ngx_media_derived_t       *derived;      /* NULL: it is over */
    ngx_media_params_t         params;
    uint32_t                   timescale;    /* of the source */
    int64_t                    lag;          /* ms */
    int64_t                    last;         /* dts of what was kept */
    int64_t                    now;          /* ms of the clock: its user's */
    ngx_uint_t                 every;        /* how many pictures are one */
    unsigned                   exact:1;      /* durations are known, */
    unsigned                   sure:1;       /* or believed to be */
    unsigned                   plain:1;      /* decoded as it is shown */
    ngx_uint_t                 loses;        /* one frame in so many; 0 */
    unsigned                   deaf:1;       /* it is never done */
    unsigned                   ended:1;      /* the publisher has gone */
    unsigned                   lost:1;       /* and so has the claim */
    ngx_uint_t                 frames;       /* told of */
    ngx_uint_t                 settled;      /* of them, with a duration that
                                                is believed in */
    uint32_t                   reorder;      /* of the last one, ticks */
    ngx_uint_t                 fed;
    ngx_uint_t                 periods;
    ngx_uint_t                 ends;
    const char                *closed;
    media_fake_frame_t        *held;         /* exact: until the next one */
    media_fake_frame_t        *first;
    media_fake_frame_t       **last_next;
} media_fake_t;


static inline void
media_fake_push(media_fake_t *f, media_fake_frame_t *frame)
{
    frame->due = f->now + f->lag;

    *f->last_next = frame;
    f->last_next = &frame->next;
}


static inline void
media_fake_release(media_fake_t *f, int64_t next)
{
    media_fake_frame_t  *frame;

    frame = f->held;
    f->held = NULL;

    if (frame == NULL) {
        return;
    }

    if (next > frame->frame.dts) {
        frame->frame.duration = next - frame->frame.dts;
        frame->settled = 1;
    }

    media_fake_push(f, frame);
}


static inline media_fake_frame_t *
media_fake_make(void)
{
    media_fake_frame_t  *frame;

    frame = calloc(1, sizeof(media_fake_frame_t));
    if (frame == NULL) {
        abort();
    }

    return frame;
}


static inline void
media_fake_source(void *data, const ngx_media_source_frame_t *source)
{
    media_fake_t *f = data;

    int64_t              dts, pts;
    uint32_t             duration, from, to;
    media_fake_frame_t  *frame;

    f->frames++;
    f->settled += source->settled;
    f->reorder = source->reorder;

    from = f->timescale;
    to = f->params.timescale;
    dts = source->frame.dts;
    pts = source->frame.pts;
    duration = source->frame.duration;

    if (f->params.type == NGX_MEDIA_VIDEO && !source->first
        && (dts < f->last + (int64_t) duration * (int64_t) f->every
                  - duration / 2
            || ngx_abs(pts - dts) > (int64_t) duration))
    {
        return;
    }

    if (f->params.type == NGX_MEDIA_TEXT
        && dts - f->last < (int64_t) from * FAKE_TEXT / 1000)
    {
        return;
    }

    f->last = dts;

    frame = media_fake_make();

    frame->settled = f->sure;
    frame->frame.pts = ngx_media_rescale(pts, from, to);
    frame->frame.dts = f->plain ? frame->frame.pts
                                : ngx_media_rescale(dts, from, to);
    frame->frame.duration = ngx_media_rescale((int64_t) duration
                                  * (f->params.type == NGX_MEDIA_VIDEO
                                     ? f->every : 1), from, to);
    frame->frame.key = source->first || f->params.type != NGX_MEDIA_VIDEO;

    memset(frame->data, 'A', sizeof(frame->data));

    switch (f->params.type) {

    case NGX_MEDIA_AUDIO:
        frame->data[0] = 0x21;
        break;

    case NGX_MEDIA_TEXT:
        memcpy(frame->data, "\0\0\0\x40vttc\0\0\0\x38payl", 16);
        frame->frame.duration = to * (1 + f->frames % 3);
        break;

    default:
        memcpy(frame->data, "\0\0\0\x3c\x65", 5);
        frame->data[4] = frame->frame.key ? 0x65 : 0x41;
    }

    frame->frame.pos = frame->data;
    frame->frame.last = frame->data + sizeof(frame->data);

    if (!f->exact) {
        media_fake_push(f, frame);
        return;
    }

    /* a segment begins where the source's does, however it is shown */

    media_fake_release(f, source->first ? ngx_media_rescale(dts, from, to)
                                        : frame->frame.dts);
    f->held = frame;
}


static inline void
media_fake_period(void *data, const ngx_media_params_t *params)
{
    media_fake_t *f = data;

    media_fake_frame_t  *frame;

    f->periods++;
    f->timescale = params->timescale;
    f->last = INT64_MIN / 2;

    media_fake_release(f, 0);

    frame = media_fake_make();
    frame->params = f->periods;

    media_fake_push(f, frame);
}


static inline void
media_fake_end(void *data)
{
    media_fake_t *f = data;

    f->ends++;
    f->ended = 1;

    media_fake_release(f, 0);
}


static inline void
media_fake_free(media_fake_t *f)
{
    media_fake_frame_t  *frame;

    media_fake_release(f, 0);

    while (f->first) {
        frame = f->first;
        f->first = frame->next;
        free(frame);
    }

    f->last_next = &f->first;
}


static inline void
media_fake_close(void *data, const char *reason)
{
    media_fake_t *f = data;

    f->closed = reason;
    f->derived = NULL;

    media_fake_free(f);
}


/* no B-frames, no CABAC; kind says which of two */

static inline void
media_fake_avc(ngx_media_params_t *params, ngx_uint_t kind,
    uint32_t timescale)
{
    static u_char  avcc[] = {
        0x01, 0x42, 0xc0, 0x28, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x42, 0xc0,
        0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00,
        0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x2a,
        0x01, 0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8
    };

    avcc[sizeof(avcc) - 1] = 0xc8 + kind % 2;

    if (ngx_media_codec_find(NGX_MEDIA_CODEC_H264)->config(params, avcc,
                                                    avcc + sizeof(avcc))
        != NGX_OK)
    {
        abort();
    }

    params->timescale = timescale;
}


static inline void
media_fake_wvtt(ngx_media_params_t *params)
{
    static const char  head[] = "WEBVTT";

    if (ngx_media_codec_find(NGX_MEDIA_CODEC_WVTT)
            ->config(params, (const u_char *) head,
                     (const u_char *) head + sizeof(head) - 1)
        != NGX_OK)
    {
        abort();
    }
}


/* what is due is fed; 1: it has gone */

static inline ngx_uint_t
media_fake_run(media_fake_t *f, int64_t now)
{
    ngx_media_params_t    params;
    media_fake_frame_t   *frame;
    ngx_media_derived_t  *d;

    f->now = now;

    while (f->derived && f->first && f->first->due <= now) {
        frame = f->first;
        f->first = frame->next;

        if (f->first == NULL) {
            f->last_next = &f->first;
        }

        if (frame->params) {

            if (f->params.type == NGX_MEDIA_VIDEO) {
                media_fake_avc(&params, frame->params,
                               f->params.timescale);
                (void) ngx_media_derived_params(f->derived, &params);
            }

        } else if (!f->lost && (f->loses == 0
                                || (f->fed + f->frames) % f->loses))
        {
            f->fed++;
            f->lost = ngx_media_derived_frame(f->derived, &frame->frame,
                                              frame->settled)
                      == NGX_DECLINED;
        }

        free(frame);
    }

    if (f->derived && f->ended && f->first == NULL && !f->deaf) {
        d = f->derived;
        f->derived = NULL;
        ngx_media_derived_done(d);
        return 1;
    }

    return f->derived == NULL;
}


/* params and lag are set */

static inline ngx_int_t
media_fake_derive(media_fake_t *f, ngx_media_writer_t *w, ngx_uint_t source,
    uint32_t id)
{
    ngx_media_derive_t  conf;

    ngx_memzero(&conf, sizeof(ngx_media_derive_t));

    conf.id = id;
    conf.frame = media_fake_source;
    conf.period = media_fake_period;
    conf.end = media_fake_end;
    conf.close = media_fake_close;
    conf.data = f;

    f->every = 2;
    f->last = INT64_MIN / 2;
    f->last_next = &f->first;
    f->timescale = w->tracks[source]->params.timescale;

    return ngx_media_writer_derive(w, source, &f->params, &conf, &f->derived);
}


/*
 * What is derived in a view against what it is derived of: NULL, or what is
 * wrong.  Segments with a number have one time, to the tick of the coarser
 * timescale, and one period.
 */

static inline const char *
media_fake_segment(const ngx_media_track_view_t *t,
    const ngx_media_segment_t *s, const ngx_media_track_view_t *source)
{
    ngx_uint_t                  i;
    const ngx_media_segment_t  *of;

    for (i = 0; i < source->nsegments; i++) {
        of = &source->segments[i];

        if (of->number != s->number) {
            continue;
        }

        if (of->gap || of->open) {
            return NULL;
        }

        if (s->time != ngx_media_rescale(of->time, source->timescale,
                                         t->timescale))
        {
            return "starts otherwise";
        }

        if (s->period != of->period
            || s->period_wall != of->period_wall
            || s->period_time != ngx_media_rescale(of->period_time,
                                                   source->timescale,
                                                   t->timescale))
        {
            return "is in another period";
        }

        if (s->duration * 1000 / t->timescale
            > of->duration * 1000 / source->timescale + 1000)
        {
            return "is longer";
        }

        if (s->discontinuity != of->discontinuity) {
            return "has another discontinuity";
        }

        return NULL;
    }

    return NULL;
}


#endif /* _MEDIA_FAKE_H_INCLUDED_ */
