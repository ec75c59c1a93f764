
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who follows the streams of a walk, see media_walk.h: they come and go, and
 * the process may hang.  Frames must be of the codec that was told, in order,
 * and begin with a key frame, also after some were lost.
 */


#ifndef _MEDIA_FOLLOW_H_INCLUDED_
#define _MEDIA_FOLLOW_H_INCLUDED_


#include "core/ngx_media_follow.h"
#include "core/ngx_media_tail.h"


#define WALK_FOLLOWERS  4


typedef struct {
    void                  *walk;
    ngx_media_follow_t    *follow;
    ngx_uint_t             frames;
    ngx_uint_t             tracks[NGX_MEDIA_TRACKS];  /* numbers, by place */
    ngx_media_params_t     params[NGX_MEDIA_TRACKS];
    int64_t                dts[NGX_MEDIA_TRACKS];
    unsigned               told[NGX_MEDIA_TRACKS];
    unsigned               begun[NGX_MEDIA_TRACKS];
    unsigned               pending:1;
} walk_follow_t;


static walk_follow_t  walk_follows[WALK_FOLLOWERS];
static ngx_uint_t     walk_followed;             /* frames of all */


static inline void
walk_follow_params(void *data, ngx_uint_t track,
    const ngx_media_params_t *params)
{
    walk_follow_t  *f = data;

    ngx_uint_t  place;

    place = ngx_media_track_place(track);

    if (f->tracks[place] != track) {
        f->tracks[place] = track;
        f->begun[place] = 0;
    }

    f->params[place] = *params;
    f->told[place] = 1;
}


static inline void
walk_follow_frame(void *data, ngx_media_frame_t *frame)
{
    walk_follow_t  *f = data;

    walk_t      *w;
    ngx_uint_t   key, place;
    const char  *wrong;

    w = f->walk;
    place = ngx_media_track_place(frame->track);
    key = (frame->flags & NGX_MEDIA_FRAME_KEY) != 0;

    f->frames++;
    walk_followed++;
    f->pending = 1;

    if (!f->told[place] || f->tracks[place] != frame->track) {
        walk_wrong(w, "follow: a frame of a track that was not told of");
        return;
    }

    if (frame->timescale != f->params[place].timescale
        || frame->type != f->params[place].type)
    {
        walk_wrong(w, "follow: timescale or type of a frame");
    }

    if (f->begun[place] && frame->dts <= f->dts[place]) {
        walk_wrong(w, "follow: track %d goes back from %lld to %lld",
                   (int) place, (long long) f->dts[place],
                   (long long) frame->dts);
    }

    if (frame->type == NGX_MEDIA_VIDEO && !key
        && (!f->begun[place] || (frame->flags & NGX_MEDIA_FRAME_LOST)))
    {
        walk_wrong(w, "follow: no key frame to begin with");
    }

    f->begun[place] = 1;
    f->dts[place] = frame->dts;

    /* where no silence is known, it is of no bytes */

    if (frame->flags & NGX_MEDIA_FRAME_SILENT) {
        return;
    }

    wrong = frame->len ? walk_sample(f->params[place].codec, frame->data,
                                     frame->len) : NULL;

    if (wrong && frame->type == NGX_MEDIA_VIDEO) {
        walk_wrong(w, "follow: a frame is %s", wrong);
    }
}


static inline void
walk_follow_flush(void *data)
{
    walk_follow_t  *f = data;

    f->pending = 0;
}


static inline void
walk_follow_end(void *data, const char *reason)
{
    walk_follow_t  *f = data;

    ngx_media_follow_end(f->follow);

    f->follow = NULL;
}


static inline void
walk_follow_begin(walk_t *w, walk_follow_t *f)
{
    ngx_media_stream_shm_t   *s;
    ngx_media_follow_conf_t   conf;

    s = ngx_media_stream_record(w->zone, walk_random(w, WALK_STREAMS));

    if (s->id == 0) {
        return;
    }

    ngx_memzero(f, sizeof(walk_follow_t));
    ngx_memzero(&conf, sizeof(ngx_media_follow_conf_t));

    f->walk = w;

    conf.stream.zone = w->zone;
    conf.stream.sh = s;
    conf.stream.id = s->id;
    conf.log = &ngx_stub_log;
    conf.params = walk_follow_params;
    conf.frame = walk_follow_frame;
    conf.flush = walk_follow_flush;
    conf.end = walk_follow_end;
    conf.data = f;

    if (ngx_media_follow_begin(&conf, &f->follow) != NGX_OK) {
        f->follow = NULL;
    }
}


static inline void
walk_follow_events(void)
{
    ngx_stub_timers();
    ngx_media_notify_look();
    ngx_stub_events();
}


static inline void
walk_follow_step(walk_t *w)
{
    ngx_uint_t      i;
    walk_follow_t  *f;

    static ngx_uint_t  hangs;

    if (walk_chance(w, 300)) {
        f = &walk_follows[walk_random(w, WALK_FOLLOWERS)];

        if (f->follow == NULL) {
            walk_follow_begin(w, f);

        } else if (walk_chance(w, 3)) {
            ngx_media_follow_end(f->follow);
            f->follow = NULL;
        }
    }

    if (walk_chance(w, 2000)) {
        hangs = walk_random(w, 1000);
    }

    if (hangs) {
        hangs--;
        return;
    }

    walk_follow_events();

    for (i = 0; i < WALK_FOLLOWERS; i++) {
        if (walk_follows[i].pending) {
            walk_wrong(w, "follow: frames were not flushed");
        }
    }
}


static inline void
walk_follow_init(void)
{
    static ngx_cycle_t  cycle;

    cycle.log = &ngx_stub_log;

    (void) ngx_media_notify_init_process(&cycle);
}


static inline void
walk_follow_finish(void)
{
    ngx_uint_t  i;

    for (i = 0; i < WALK_FOLLOWERS; i++) {
        if (walk_follows[i].follow) {
            ngx_media_follow_end(walk_follows[i].follow);
            walk_follows[i].follow = NULL;
        }

        walk_follows[i].pending = 0;
    }

    walk_follow_events();
}


#endif /* _MEDIA_FOLLOW_H_INCLUDED_ */
