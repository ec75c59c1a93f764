
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The life of a stream:
 *
 *     acquire -> LIVE -> release -> GRACE -> ENDED -> its record is free
 *                 ^                   |
 *                 '----- acquire -----'
 *
 * A publisher that is connected and silent has the stream in GRACE, too, which
 * then lasts until it is not: a part makes it LIVE again.
 *
 * One that has gone, but of whose media something is still being made (derived
 * tracks), trails: the stream is in GRACE since it went, and still its own,
 * until that has come or somebody acquires it.
 *
 * One that never had a part is removed as its publisher leaves.
 * A publisher whose process died is released by whoever notices.  A name that
 * is published again after its stream has ended gets a new record: its
 * numbers go on above the old ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_data.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_tail.h"
#include "core/ngx_media_track.h"
#include "memory/ngx_media_process.h"


/*
 * A birth's first number are the quarters of a second since
 * 2026-01-01T00:00:00Z, so 32 bits last until 2060; its DISCONTINUITY-SEQUENCE
 * are the hours.  A segment lasts a second or more, but for the first two of a
 * period, each of which may last about a quarter of one.
 */
#define NGX_MEDIA_BIRTH_EPOCH  1767225600
#define NGX_MEDIA_BIRTH_RATE   4
#define NGX_MEDIA_BIRTH_SLACK  4


static void ngx_media_stream_link_locked(ngx_media_store_shm_t *store,
    uint32_t index);
static void ngx_media_stream_unlink_locked(ngx_media_store_shm_t *store,
    uint32_t index);
static ngx_uint_t ngx_media_stream_unborn(ngx_media_stream_shm_t *s);
static ngx_uint_t ngx_media_stream_lost(uint32_t pid, uint64_t start,
    ngx_uint_t closely);
static void ngx_media_stream_drop_lost_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static void ngx_media_stream_tick(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_uint_t closely);


/* links a record that nobody publishes yet; NGX_AGAIN: somebody was faster */

ngx_int_t
ngx_media_stream_born(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_claim_t *claim)
{
    uint32_t                 i;
    uint64_t                 hours, now;
    ngx_media_app_t         *app;
    ngx_media_store_shm_t   *store;
    ngx_media_stream_shm_t  *s;

    store = zone->store;
    app = zone->app;
    s = NULL;

    ngx_media_zone_lock(zone);

    if (ngx_media_stream_find(zone, name, &claim->stream) == NGX_OK) {
        ngx_media_zone_unlock(zone);
        return NGX_AGAIN;
    }

    for (i = 0; i < store->nstreams; i++) {

        if (store->hashes[i]) {
            continue;
        }

        s = &store->streams[i];

        if (s->state == NGX_MEDIA_STREAM_FREE) {
            break;
        }
    }

    if (i == store->nstreams) {
        store->refused[NGX_MEDIA_REFUSED_STREAMS]++;
        ngx_media_zone_unlock(zone);

        ngx_log_debug2(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media stream \"%V\" finds no record of %uD", name,
                       store->nstreams);

        return NGX_MEDIA_CLAIM_LIMIT;
    }

    now = ngx_media_wall_msec() / 1000;
    now = now > NGX_MEDIA_BIRTH_EPOCH ? now - NGX_MEDIA_BIRTH_EPOCH : 0;

    /* epoch and version go on: late readers must not take them for theirs */

    ngx_memzero((u_char *) s + offsetof(ngx_media_stream_shm_t, hash),
                sizeof(ngx_media_stream_shm_t)
                - offsetof(ngx_media_stream_shm_t, hash));

    s->hash = ngx_media_stream_hash(name);
    s->name_len = name->len;
    ngx_memcpy(s->name, name->data, name->len);

    s->target = app->target;
    s->part_target = app->part_target;
    s->segment = app->segment;
    s->segment_max = app->segment_max;
    s->window = app->window;
    s->grace = app->grace;
    s->latency = app->latency;
    s->left = ngx_current_msec;

    /*
     * Numbers grow slower than the clock that the next birth starts from,
     * also that of the next start of nginx; a clock that was set back is
     * outrun by what the zone remembers.
     */

    s->number = ngx_media_wall_msec() % 1000 * NGX_MEDIA_BIRTH_RATE / 1000
                + now * NGX_MEDIA_BIRTH_RATE;
    s->number = ngx_max(s->number, store->number + 1);
    s->born_number = s->number;
    s->born_msec = ngx_current_msec;

    hours = now / 3600;
    s->first = ngx_media_first(s->number,
                               ngx_max(hours, store->discontinuity + 1));

    s->ntracks = 0;
    s->born = ngx_media_wall_msec();

    if (i >= store->used_streams) {
        ngx_media_store(&store->used_streams, i + 1);
    }

    /* it is no free record any more: if this process dies, it ends */

    ngx_media_store(&s->state, NGX_MEDIA_STREAM_GRACE);

    claim->stream.zone = zone;
    claim->stream.sh = s;
    claim->stream.id = zone->sh->next_id++;

    ngx_media_store(&s->notify.version, s->notify.version + 1);
    ngx_media_store(&store->hashes[i], s->hash);
    ngx_media_stream_link_locked(store, i);
    ngx_media_store(&s->id, claim->stream.id);

    ngx_media_zone_unlock(zone);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%V\" is born, record:%uD id:%uL number:%uL "
                   "first:%uL", name, i, claim->stream.id, s->born_number,
                   s->first);

    return NGX_OK;
}


/*
 * Each is one store that changes a list, so who dies in between leaves one that
 * is whole; what it has not done is done again by who takes the record down.
 */

static void
ngx_media_stream_link_locked(ngx_media_store_shm_t *store, uint32_t index)
{
    uint32_t  *first;

    first = &store->lists[store->hashes[index] & (store->nlists - 1)];

    ngx_media_store(&store->nexts[index], *first);
    ngx_media_store(first, index + 1);
    ngx_media_store(&store->changes, store->changes + 1);
}


static void
ngx_media_stream_unlink_locked(ngx_media_store_shm_t *store, uint32_t index)
{
    uint32_t  *link;

    for (link = &store->lists[store->streams[index].hash
                              & (store->nlists - 1)];
         *link;
         link = &store->nexts[*link - 1])
    {
        if (*link == index + 1) {
            ngx_media_store(link, store->nexts[index]);
            break;
        }
    }

    /* also if it was not there: who died in here has not said so */

    ngx_media_store(&store->changes, store->changes + 1);
    ngx_media_store(&store->hashes[index], 0);
}


/* each return takes a number: they must not get ahead of the clock */

ngx_uint_t
ngx_media_stream_hurries(ngx_media_stream_shm_t *s)
{
    uint64_t  allowed;

    allowed = (ngx_current_msec - (ngx_msec_t) s->born_msec)
              * NGX_MEDIA_BIRTH_RATE / 1000 + NGX_MEDIA_BIRTH_SLACK;

    return s->number - s->born_number > allowed;
}


void
ngx_media_stream_ready(const ngx_media_claim_t *claim, ngx_uint_t clock,
    uint64_t first)
{
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    s = claim->stream.sh;

    while (ngx_media_first_number(s->first) < first) {
        ngx_media_stream_unlist_locked(s);
    }

    s->clock = ngx_media_track_place(clock);
    ngx_media_store(&s->ready, 1);
    ngx_media_stream_changed(s);

    ngx_media_stream_unlock(s);

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media stream \"%*s\" is ready, clock:%ui listed from:%uL",
                   (size_t) s->name_len, s->name, clock,
                   ngx_media_first_number(s->first));

    ngx_media_notify(&s->notify);
}


uint64_t
ngx_media_stream_number(const ngx_media_claim_t *claim)
{
    return ngx_media_load(&claim->stream.sh->number);
}


/*
 * Its publisher has gone; unlocks.  A stream that never had a part has nothing
 * to wait for: a name costs its record only while somebody publishes it.
 */

void
ngx_media_stream_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason)
{
    if (ngx_media_stream_unborn(s)) {
        ngx_media_stream_remove_locked(zone, s);
        return;
    }

    ngx_media_stream_leave_locked(zone, s, reason);
    ngx_media_stream_unlock(s);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" is left, epoch:%uL next:%uL: %s",
                   (size_t) s->name_len, s->name, s->epoch, s->number,
                   reason);

    ngx_media_notify(&s->notify);

    (void) ngx_media_zone_reclaim(zone);
}


/* the first part of a segment takes its number */

static ngx_uint_t
ngx_media_stream_unborn(ngx_media_stream_shm_t *s)
{
    return s->number == s->born_number;
}


/* what the publisher left open is closed with the parts that were published */

void
ngx_media_stream_leave_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason)
{
    ngx_uint_t  i;

    if (s->pid == 0) {
        return;
    }

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i]) {
            ngx_media_segment_close_locked(zone, s, s->tracks[i]);
        }

        /* the last one of the window may have been its last */

        if (s->tracks[i]) {
            ngx_media_track_leave_locked(zone, s->tracks[i]);
        }
    }

    /* whoever trails has left already, and said why */

    if (!s->trailing) {
        ngx_media_stream_reason_locked(s, reason);
        s->left = ngx_current_msec;
    }

    s->epoch++;
    ngx_media_stream_left_locked(s);
    ngx_media_stream_changed(s);
}


/* why its publisher is gone, or taken for gone */

void
ngx_media_stream_reason_locked(ngx_media_stream_shm_t *s, const char *reason)
{
    ngx_str_t  text;

    text.data = (u_char *) reason;
    text.len = ngx_strlen(reason);

    ngx_media_stream_set(s->reason, &s->reason_len, sizeof(s->reason), &text);
}


void
ngx_media_stream_set(u_char *dst, uint32_t *len, size_t size, ngx_str_t *src)
{
    *len = ngx_min(src->len, size);
    ngx_memcpy(dst, src->data, *len);
}


/* unlocks */

void
ngx_media_stream_remove_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    uint32_t                index;
    ngx_uint_t              i;
    ngx_media_store_shm_t  *store;
    ngx_media_track_shm_t  *t;

    store = zone->store;
    index = ngx_media_stream_index(zone, s);

    ngx_media_stream_leave_locked(zone, s, "its stream was removed");

    ngx_media_store(&s->state, NGX_MEDIA_STREAM_LEAVING);

    /*
     * known before the name is free: whoever takes it goes on above what was
     * listed
     */

    if (!ngx_media_stream_unborn(s)) {

        ngx_media_zone_lock(zone);

        store->number = ngx_max(store->number, s->number - 1);
        store->discontinuity = ngx_max(store->discontinuity,
                                       ngx_media_first_discontinuity(s->first)
                                       + s->discontinuities);

        ngx_media_zone_unlock(zone);
    }

    ngx_media_zone_lock(zone);
    ngx_media_stream_unlink_locked(store, index);
    ngx_media_zone_unlock(zone);

    ngx_media_store(&s->id, 0);
    ngx_media_stream_changed(s);
    ngx_media_fence();

    ngx_media_tail_drop_locked(zone, s);

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL) {
            continue;
        }

        ngx_media_track_leave_locked(zone, t);

        while (t->segment_tail < t->segment_head) {
            ngx_media_segment_drop_locked(zone, s, t);
        }
    }

    /* before its pages may become somebody else's */

    ngx_media_store(&s->ntracks, 0);
    s->data = NULL;

    ngx_media_block_free_all(zone, index);

    ngx_media_zone_lock(zone);

    ngx_media_extents_orphan_locked(zone, index);

    store->expired++;
    s->pid = 0;
    ngx_media_store(&s->state, NGX_MEDIA_STREAM_FREE);

    ngx_media_zone_unlock(zone);

    ngx_media_stream_unlock(s);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream of record:%uD is removed, known number:%uL "
                   "discontinuity:%uL", index, store->number,
                   store->discontinuity);

    ngx_media_notify(&s->notify);

    (void) ngx_media_zone_reclaim(zone);
}


void
ngx_media_streams_tick(ngx_media_zone_t *zone)
{
    uint32_t                 i, n;
    ngx_media_stream_shm_t  *s;

    n = ngx_media_load(&zone->store->used_streams);

    for (i = 0; i < n; i++) {
        s = ngx_media_stream_record(zone, i);

        /* a lock that is left behind must go before its pid is used anew */

        if (ngx_media_peek(&s->state) != NGX_MEDIA_STREAM_FREE
            || ngx_media_peek(&s->lock))
        {
            ngx_media_stream_tick(zone, s, zone->app->look == i);
        }
    }

    zone->app->look = zone->app->look + 1 < n ? zone->app->look + 1 : 0;
}


/* closely: may its pid be another process's by now; a read of /proc */

static ngx_uint_t
ngx_media_stream_lost(uint32_t pid, uint64_t start, ngx_uint_t closely)
{
    if (pid == 0) {
        return 0;
    }

    if (pid == (uint32_t) ngx_pid) {
        return start != ngx_media_process_self();
    }

    return closely ? ngx_media_process_gone(pid, start)
                   : ngx_media_process_dead(pid);
}


static void
ngx_media_stream_tick(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s,
    ngx_uint_t closely)
{
    uint32_t    pid;
    uint64_t    start;
    ngx_msec_t  gone;
    ngx_uint_t  lost;

    /* the system is asked with no lock held */

    pid = ngx_media_load(&s->pid);
    start = ngx_media_peek(&s->start);

    lost = ngx_media_stream_lost(pid, start, closely);

    if (ngx_media_stream_trylock(zone, s) != NGX_OK) {
        return;
    }

    /* it leaves under one lock: who took it down has died there */

    if (s->state == NGX_MEDIA_STREAM_LEAVING) {
        ngx_media_stream_remove_locked(zone, s);
        return;
    }

    if (lost && s->pid == pid && s->start == start) {
        ngx_media_stream_drop_lost_locked(zone, s);
        return;
    }

    ngx_media_tail_tick_locked(zone, s);

    gone = ngx_current_msec - (ngx_msec_t) s->left;

    if (s->state == NGX_MEDIA_STREAM_GRACE && s->pid == 0
        && (ngx_msec_int_t) gone > (ngx_msec_int_t) s->grace)
    {
        ngx_media_data_end_locked(s);

        ngx_media_store(&s->state, NGX_MEDIA_STREAM_ENDED);
        ngx_media_stream_changed(s);

        ngx_media_stream_unlock(s);

        ngx_log_debug3(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media stream \"%*s\" has ended, left before ms:%M",
                       (size_t) s->name_len, s->name, gone);

        ngx_media_notify(&s->notify);
        return;
    }

    if (s->state == NGX_MEDIA_STREAM_ENDED
        && (ngx_msec_int_t) gone > (ngx_msec_int_t) (s->grace + s->window))
    {
        ngx_media_stream_remove_locked(zone, s);
        return;
    }

    ngx_media_stream_unlock(s);
}


/* unlocks */

static void
ngx_media_stream_drop_lost_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    u_char    name[NGX_MEDIA_NAME_MAX];
    size_t    len;
    uint32_t  pid;

    pid = s->pid;
    len = s->name_len;
    ngx_memcpy(name, s->name, len);

    ngx_media_stream_drop_locked(zone, s, "its process died");

    ngx_log_error(NGX_LOG_WARN, zone->log, 0,
                  "media stream \"%*s\" lost its publisher: "
                  "process %uD died", len, name, pid);
}
