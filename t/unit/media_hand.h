
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Publishers of the walk, by hand: include it after media_walk.h and tap.h.
 */


#ifndef _MEDIA_HAND_H_INCLUDED_
#define _MEDIA_HAND_H_INCLUDED_


/* one publisher of many tracks, by hand: seconds of all of them */

static inline void
seconds(walk_t *w, walk_pub_t *p, ngx_uint_t n)
{
    int64_t       end;
    ngx_uint_t    i;
    walk_track_t  *t;

    for (end = w->now + n * 1000; w->now < end; w->now += 10) {
        ngx_stub_clock(w->now);

        for (i = 0; i < p->ntracks; i++) {
            t = &p->tracks[i];

            while (p->start + t->time / 1000 <= w->now) {
                walk_send(w, p, t);
            }
        }
    }

    walk_tick(w);
}


/* a publisher that waited was told */

static ngx_media_publish_e  told = NGX_MEDIA_PUBLISH_WAIT;
static const char          *told_reason;


static inline void
ready(void *data, ngx_media_publish_e rc, const char *reason)
{
    told = rc;
    told_reason = reason;
}


static inline ngx_media_publish_e
begin(walk_t *w, walk_pub_t *p, const char **reason)
{
    ngx_media_publish_t  conf;

    memset(p, 0, sizeof(walk_pub_t));
    memset(&conf, 0, sizeof(ngx_media_publish_t));

    conf.app = &w->app;
    ngx_str_set(&conf.name, "a");
    ngx_str_set(&conf.args, "key=1");
    ngx_str_set(&conf.protocol, "rtmp");
    ngx_str_set(&conf.address, "127.0.0.1");
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;
    conf.ready = ready;
    conf.close = walk_close;
    conf.data = p;

    p->start = w->now;

    return ngx_media_publish_begin(&conf, &p->publisher, reason);
}


static inline void
publisher(walk_t *w, walk_pub_t *p)
{
    const char  *reason;

    is(begin(w, p, &reason), NGX_MEDIA_PUBLISH_OK, "begin");
}


static inline walk_track_t *
track(walk_pub_t *p, ngx_uint_t codec, ngx_uint_t id)
{
    walk_track_t  *t;

    t = &p->tracks[p->ntracks++];

    memset(t, 0, sizeof(walk_track_t));

    t->type = codec < WALK_AAC ? NGX_MEDIA_VIDEO : NGX_MEDIA_AUDIO;
    t->id = id;
    t->codec = codec;
    t->next_codec = codec;
    t->step = 40000;
    t->gop = 25;
    t->size = 4000;
    t->due = 1;

    return t;
}


#endif /* _MEDIA_HAND_H_INCLUDED_ */
