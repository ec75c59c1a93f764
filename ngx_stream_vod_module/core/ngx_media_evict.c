
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_evict.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_track.h"


/* the last depth of what streams give up for want of memory */
#define NGX_MEDIA_SHRINK_SHARE   2


static ngx_uint_t ngx_media_stream_is_held(ngx_media_stream_shm_t *s);
static ngx_uint_t ngx_media_zone_live(ngx_media_zone_t *zone);
static ngx_uint_t ngx_media_stream_shrinks(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_uint_t depth);
static ngx_int_t ngx_media_stream_shrink(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_uint_t depth);


ngx_uint_t
ngx_media_zone_make_room(ngx_media_zone_t *zone)
{
    uint32_t                 i, n;
    uint64_t                 most, pages;
    ngx_uint_t               depth;
    ngx_media_stream_shm_t  *s, *victim;

    if (ngx_media_zone_reclaim(zone)) {
        ngx_log_debug1(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media zone \"%V\" has room, what nobody sends any "
                       "more", &zone->app->name);
        return 1;
    }

    n = ngx_media_load(&zone->store->used_streams);

    for (depth = 0; depth <= NGX_MEDIA_SHRINK_SHARE; depth++) {

        most = 0;
        victim = NULL;

        for (i = 0; i < n; i++) {
            s = ngx_media_stream_record(zone, i);
            pages = ngx_media_stream_pages(zone, s);

            if (pages > most && ngx_media_stream_shrinks(zone, s, depth)) {
                most = pages;
                victim = s;
            }
        }

        if (victim == NULL) {
            continue;
        }

        ngx_log_debug4(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media zone makes room, of stream \"%*s\" pages:%uL "
                       "depth:%ui", (size_t) victim->name_len, victim->name,
                       most, depth);

        switch (ngx_media_stream_shrink(zone, victim, depth)) {

        case NGX_OK:
            return 1;

        case NGX_BUSY:

            /* it changes right now, maybe it has given up something itself */

            ngx_sched_yield();

            return 1;
        }
    }

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media zone \"%V\" has no room to make", &zone->app->name);

    return 0;
}


/* it has a publisher, be it one that is connected and silent */

static ngx_uint_t
ngx_media_stream_is_held(ngx_media_stream_shm_t *s)
{
    ngx_uint_t  state;

    state = ngx_media_peek(&s->state);

    return state == NGX_MEDIA_STREAM_LIVE
           || (state == NGX_MEDIA_STREAM_GRACE && ngx_media_peek(&s->pid));
}


static ngx_uint_t
ngx_media_zone_live(ngx_media_zone_t *zone)
{
    uint32_t    i, n;
    ngx_uint_t  live;

    live = 0;
    n = ngx_media_load(&zone->store->used_streams);

    for (i = 0; i < n; i++) {
        live += ngx_media_stream_is_held(&zone->store->streams[i]);
    }

    return ngx_max(live, 1);
}


/*
 * Has it segments to give: such as are listed no more; then listed ones, more
 * than a playlist must show, 3 target durations; then, of a stream that holds
 * more than its share, all but the newest.  A guess without the lock.
 */

static ngx_uint_t
ngx_media_stream_shrinks(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s,
    ngx_uint_t depth)
{
    uint64_t                closed, least, listed, tail;
    ngx_uint_t              i, n;
    ngx_media_track_shm_t  *t;

    if (ngx_media_load(&s->id) == 0) {
        return 0;
    }

    if (!ngx_media_stream_is_held(s)) {
        least = 0;

    } else if (depth < NGX_MEDIA_SHRINK_SHARE) {
        least = 3 * (uint64_t) s->target * 1000 / ngx_max(s->segment, 1) + 2;

    } else if (ngx_media_stream_pages(zone, s)
               > zone->sh->limit / ngx_media_zone_live(zone))
    {
        least = 1;

    } else {
        return 0;
    }

    n = ngx_min(ngx_media_load(&s->ntracks), NGX_MEDIA_TRACKS);
    listed = ngx_media_first_number(ngx_media_peek(&s->first));

    for (i = 0; i < n; i++) {
        t = ngx_media_load(&s->tracks[i]);

        if (!ngx_media_block_valid(zone, t)) {
            continue;
        }

        tail = ngx_media_peek(&t->segment_tail);
        closed = ngx_media_peek(&t->segment_closed);

        if (tail < closed
            && (tail < listed
                || (depth && closed - listed > least)))
        {
            return 1;
        }
    }

    return 0;
}


/* drops the oldest segment of all tracks */

static ngx_int_t
ngx_media_stream_shrink(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s,
    ngx_uint_t depth)
{
    uint64_t                oldest;
    ngx_uint_t              i, listed, told;
    ngx_media_track_shm_t  *t;

    if (ngx_media_stream_trylock(zone, s) != NGX_OK) {
        return NGX_BUSY;
    }

    if (!ngx_media_stream_shrinks(zone, s, depth)) {
        ngx_media_stream_unlock(s);
        return NGX_BUSY;
    }

    oldest = (uint64_t) -1;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t && t->segment_tail < t->segment_closed) {
            oldest = ngx_min(oldest, t->segment_tail);
        }
    }

    /* not when it is over, nobody is promised anything then */
    listed = oldest >= ngx_media_first_number(s->first)
             && s->state == NGX_MEDIA_STREAM_LIVE;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t && t->segment_tail == oldest
            && t->segment_tail < t->segment_closed)
        {
            ngx_media_segment_drop_locked(zone, s, t);
        }
    }

    ngx_media_tracks_retire_locked(zone, s);

    ngx_media_count(&s->evicted, 1);
    ngx_media_count(&zone->store->evicted, 1);

    told = s->squeezed || !listed;
    s->squeezed |= listed;

    ngx_media_stream_unlock(s);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" gives up segment:%uL listed:%ui "
                   "depth:%ui", (size_t) s->name_len, s->name, oldest, listed,
                   depth);

    if (!told) {
        ngx_log_error(NGX_LOG_WARN, zone->log, 0,
                      "media zone \"%V\" is too small, the oldest segments "
                      "of stream \"%*s\" go early: make \"zone\" larger or "
                      "\"window\" shorter",
                      &zone->app->name, (size_t) s->name_len, s->name);
    }

    ngx_media_notify(&s->notify);

    (void) ngx_media_zone_reclaim(zone);

    return NGX_OK;
}
