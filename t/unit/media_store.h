
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* what the tests of the store have in common */


#ifndef _MEDIA_STORE_H_INCLUDED_
#define _MEDIA_STORE_H_INCLUDED_


#include <sys/wait.h>
#include "core/ngx_media_stream_validate.h"
#include "formats/ngx_media_mp4_write.h"
#include "media_zone.h"
#include "memory/ngx_media_process.h"
#include "tap.h"


#define MB  (1024 * 1024)

/* publishers write a part of 200 ms, ten to a segment */
#define PARTS  10
#define MSEC   200


static ngx_media_app_t    app;
static ngx_media_zone_t  *zone;
static ngx_pool_t        *pool;
static int64_t            now = 1800000000000;


static inline void
start(size_t size)
{
    now += 3600 * 1000;
    ngx_stub_clock(now);

    media_app_init(&app, size, 8);

    zone = media_zone_create(&app);
    pool = ngx_create_pool(4096, &ngx_stub_log);
}


static inline void
wait_msec(int64_t msec)
{
    now += msec;
    ngx_stub_clock(now);

    ngx_media_zone_sweep(zone);
    ngx_media_streams_tick(zone);
}


static inline ngx_uint_t
validate(void)
{
    ngx_uint_t               i, n;
    ngx_media_stream_shm_t  *s;

    n = ngx_media_zone_validate(zone);

    for (i = 0; i < zone->store->used_streams; i++) {
        s = ngx_media_stream_record(zone, i);

        if (s->id) {
            ngx_media_stream_lock(zone, s);
            n += ngx_media_stream_validate_locked(zone, s);
            ngx_media_stream_unlock(s);
        }
    }

    return n;
}


/* all of the zone is given back, whatever was in it */

static inline void
finish(const char *name)
{
    ngx_uint_t  i, n, used;

    is(validate(), 0, "%s: the books agree", name);

    wait_msec(0);
    wait_msec(app.grace + 1);
    wait_msec(app.window + 1);

    used = 0;

    for (i = 0; i < zone->sh->nextents; i++) {
        used += zone->sh->extents[i].state != NGX_MEDIA_EXTENT_FREE;
    }

    n = 0;

    for (i = 0; i < zone->sh->nblocks; i++) {
        n += zone->sh->owners[i] != 0;
    }

    ok(used == 0 && n == 0 && zone->sh->pages == 0
       && ngx_media_buddy_count(&zone->sh->buddy) == zone->sh->buddy.pages
       && media_zone_bytes(zone) == 0 && validate() == 0,
       "%s: all is free in the end", name);

    ngx_destroy_pool(pool);
    media_zone_destroy(zone);
}


static inline ngx_media_stream_t
find(const char *name)
{
    ngx_str_t           text;
    ngx_media_stream_t  stream;

    text.data = (u_char *) name;
    text.len = strlen(name);

    ngx_memzero(&stream, sizeof(ngx_media_stream_t));

    if (ngx_media_stream_find(zone, &text, &stream) != NGX_OK) {
        stream.id = 0;
    }

    return stream;
}


static inline ngx_uint_t
state(const char *name)
{
    ngx_media_stream_t       stream;
    ngx_media_stream_view_t  view;

    stream = find(name);

    if (stream.id == 0
        || ngx_media_stream_view(&stream, pool, NGX_MEDIA_NO_TRACK, &view)
           != NGX_OK)
    {
        return 0;
    }

    return view.state;
}


static inline ngx_media_stream_view_t
look(const char *name)
{
    ngx_media_stream_t       stream;
    ngx_media_stream_view_t  view;

    ngx_memzero(&view, sizeof(ngx_media_stream_view_t));

    stream = find(name);

    if (stream.id) {
        (void) ngx_media_stream_view(&stream, pool, NGX_MEDIA_ALL_TRACKS,
                                     &view);
    }

    return view;
}


/* one segment of a track; the clock goes with media time */

static inline ngx_int_t
segment(media_pub_t *pub, size_t size)
{
    now += PARTS * MSEC;
    ngx_stub_clock(now);

    return media_pub_segment(pub, PARTS, size, MSEC);
}


/* every byte of a pinned range that consists of parts */

static inline const char *
verify(const ngx_media_range_t *ranges, ngx_uint_t n, media_pub_t *pub,
    uint64_t number, ngx_uint_t *parts)
{
    ngx_uint_t   i, k;
    const char  *wrong;

    *parts = 0;

    if (ngx_media_pin(zone, ranges, n) != NGX_OK) {
        return "gone";
    }

    wrong = NULL;

    for (i = 0; i < n && wrong == NULL; i++) {
        wrong = media_parts_check(ngx_media_arena_bytes(zone, &ranges[i]),
                                  ranges[i].size, pub->name, pub->track,
                                  number, *parts, &k);
        *parts += k;
    }

    ngx_media_unpin(zone, ranges, n);

    return wrong;
}


#endif /* _MEDIA_STORE_H_INCLUDED_ */
