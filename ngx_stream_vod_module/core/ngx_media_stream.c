
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
 * One that never had a part is removed as its publisher leaves.
 * A publisher whose process died is released by whoever notices.  A name that
 * is published again after its stream has ended gets a new record: its
 * numbers go on above the old ones.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_process.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_stream_validate.h"


/*
 * A birth's first number are the quarters of a second since
 * 2026-01-01T00:00:00Z, so 32 bits last until 2060; its DISCONTINUITY-SEQUENCE
 * are the hours.  A segment lasts a second or more, but for the first two of a
 * period, each of which may last about a quarter of one.
 */
#define NGX_MEDIA_BIRTH_EPOCH  1767225600
#define NGX_MEDIA_BIRTH_RATE   4
#define NGX_MEDIA_BIRTH_SLACK  4


/*
 * ms without media after which a publisher may be replaced, by one from the
 * same address and by anybody
 */
#define NGX_MEDIA_SILENT_SAME  1000
#define NGX_MEDIA_SILENT_ANY   2000


static uint32_t ngx_media_name_hash(ngx_str_t *name);
static ngx_uint_t ngx_media_stream_hurries(ngx_media_stream_shm_t *s);
static ngx_uint_t ngx_media_stream_replaceable_locked(
    ngx_media_zone_t *zone, ngx_media_stream_shm_t *s, ngx_str_t *address);
static ngx_msec_t ngx_media_stream_silent(ngx_media_stream_shm_t *s);
static ngx_int_t ngx_media_stream_born(ngx_media_zone_t *zone,
    ngx_str_t *name, ngx_media_claim_t *claim);
static void ngx_media_stream_claim_locked(ngx_media_stream_shm_t *s,
    ngx_str_t *protocol, ngx_str_t *address, ngx_media_claim_t *claim);
static void ngx_media_stream_reason_locked(ngx_media_stream_shm_t *s,
    const char *reason);
static void ngx_media_stream_leave_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason);
static void ngx_media_stream_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason);
static ngx_uint_t ngx_media_stream_unborn(ngx_media_stream_shm_t *s);
static void ngx_media_stream_remove_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static ngx_uint_t ngx_media_stream_lost(const ngx_media_stream_shm_t *s,
    ngx_uint_t closely);
static void ngx_media_stream_tick(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_uint_t closely);
static void ngx_media_stream_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static void ngx_media_track_repair_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
static void ngx_media_extents_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static void ngx_media_stream_set(u_char *dst, uint32_t *len, size_t size,
    ngx_str_t *src);


static uint32_t
ngx_media_name_hash(ngx_str_t *name)
{
    uint32_t  hash;

    hash = (uint32_t) ngx_media_hash(name->data, name->len);

    return hash ? hash : 1;
}


ngx_int_t
ngx_media_stream_find(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_stream_t *stream)
{
    uint32_t                 hash, i, n;
    uint64_t                 id;
    ngx_media_stream_shm_t  *s;

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return NGX_DECLINED;
    }

    hash = ngx_media_name_hash(name);
    n = ngx_media_load(&zone->store->used_streams);

    for (i = 0; i < n; i++) {

        if (ngx_media_peek(&zone->store->hashes[i]) != hash) {
            continue;
        }

        s = ngx_media_stream_record(zone, i);
        id = ngx_media_load(&s->id);

        if (id == 0
            || s->name_len != name->len
            || ngx_memcmp(s->name, name->data, name->len) != 0)
        {
            continue;
        }

        ngx_media_fence_acquire();

        if (ngx_media_load(&s->id) != id) {
            continue;
        }

        stream->zone = zone;
        stream->sh = s;
        stream->id = id;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_stream_acquire(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_str_t *protocol, ngx_str_t *address, ngx_media_claim_t *claim)
{
    ngx_int_t                rc;
    ngx_media_stream_shm_t  *s;

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return NGX_MEDIA_CLAIM_LIMIT;
    }

    for ( ;; ) {

        if (ngx_media_stream_find(zone, name, &claim->stream) != NGX_OK) {
            rc = ngx_media_stream_born(zone, name, claim);

            if (rc == NGX_AGAIN) {
                continue;
            }

            if (rc != NGX_OK) {
                return rc;
            }
        }

        s = claim->stream.sh;

        ngx_media_stream_lock(zone, s);

        if (s->id != claim->stream.id) {
            ngx_media_stream_unlock(s);
            continue;
        }

        if (s->state == NGX_MEDIA_STREAM_ENDED
            || s->state == NGX_MEDIA_STREAM_LEAVING)
        {
            ngx_media_stream_remove_locked(zone, s);
            continue;
        }

        if (ngx_media_stream_hurries(s)) {
            ngx_media_stream_unlock(s);
            ngx_media_count(&zone->store->refused, 1);
            ngx_log_error(NGX_LOG_WARN, zone->log, 0,
                          "media stream \"%V\" is published anew too often, "
                          "refused for a moment", name);
            return NGX_MEDIA_CLAIM_HURRIES;
        }

        if (!ngx_media_stream_replaceable_locked(zone, s, address)) {
            ngx_media_stream_unlock(s);
            ngx_media_count(&zone->store->refused, 1);
            return NGX_MEDIA_CLAIM_CONFLICT;
        }

        break;
    }

    ngx_media_stream_leave_locked(zone, s, "replaced by another publisher");
    ngx_media_stream_claim_locked(s, protocol, address, claim);

    ngx_media_stream_unlock(s);

    ngx_media_count(&zone->store->published, 1);
    ngx_media_notify(&s->notify);

    return NGX_OK;
}


/* each return takes a number: they must not get ahead of the clock */

static ngx_uint_t
ngx_media_stream_hurries(ngx_media_stream_shm_t *s)
{
    uint64_t  allowed;

    allowed = (ngx_current_msec - (ngx_msec_t) s->born_msec)
              * NGX_MEDIA_BIRTH_RATE / 1000 + NGX_MEDIA_BIRTH_SLACK;

    return s->number - s->born_number > allowed;
}


/*
 * The one rule for taking a name over, whatever is spoken.  Who sends media is
 * never replaced, from wherever: nobody takes a stream away who only knows its
 * name.  Who has gone silent is: an encoder whose connection broke unnoticed
 * comes back within a second or two, from its address or from another one.
 * "reject" waits until the old connection has ended.
 *
 * A worker that leaves has told its publishers to come back: they need not
 * stop sending first.
 */

static ngx_uint_t
ngx_media_stream_replaceable_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_str_t *address)
{
    size_t      len;
    ngx_msec_t  silent;
    ngx_uint_t  same;

    if (s->pid == 0 || ngx_media_process_gone(s->pid, s->start)) {
        return 1;
    }

    len = ngx_min(address->len, sizeof(s->address));
    same = (len == s->address_len
            && ngx_memcmp(s->address, address->data, len) == 0);

    if (same && s->yields) {
        return 1;
    }

    if (zone->app->publish_conflict == NGX_MEDIA_CONFLICT_REJECT) {
        return 0;
    }

    silent = ngx_media_stream_silent(s);

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" is wanted, silent:%M same:%ui",
                   (size_t) s->name_len, s->name, silent, same);

    return silent >= (same ? NGX_MEDIA_SILENT_SAME : NGX_MEDIA_SILENT_ANY);
}


/* clocks of processes are read at different moments */

static ngx_msec_t
ngx_media_stream_silent(ngx_media_stream_shm_t *s)
{
    ngx_msec_int_t  msec;

    msec = (ngx_msec_int_t) (ngx_current_msec
                             - (ngx_msec_t) ngx_media_load(&s->heard));

    return msec > 0 ? (ngx_msec_t) msec : 0;
}


void
ngx_media_stream_heard(const ngx_media_claim_t *claim)
{
    if (ngx_media_claim_valid(claim)) {
        ngx_media_store(&claim->stream.sh->heard, ngx_current_msec);
    }
}


void
ngx_media_stream_ignored(const ngx_media_claim_t *claim,
    ngx_media_ignored_e kind)
{
    if (ngx_media_claim_valid(claim)) {
        ngx_media_count(&claim->stream.sh->ignored[kind], 1);
    }
}


ngx_int_t
ngx_media_stream_holder(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_holder_t *holder)
{
    ngx_int_t                rc;
    ngx_media_stream_t       stream;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_stream_find(zone, name, &stream) != NGX_OK) {
        return NGX_DECLINED;
    }

    s = stream.sh;
    rc = NGX_DECLINED;

    ngx_media_stream_lock(zone, s);

    if (s->id == stream.id && s->pid) {
        holder->protocol_len = s->protocol_len;
        ngx_memcpy(holder->protocol, s->protocol, s->protocol_len);
        holder->address_len = s->address_len;
        ngx_memcpy(holder->address, s->address, s->address_len);
        holder->since = s->since;
        holder->silent = ngx_media_stream_silent(s);
        rc = NGX_OK;
    }

    ngx_media_stream_unlock(s);

    return rc;
}


/* links a record that nobody publishes yet; NGX_AGAIN: somebody was faster */

static ngx_int_t
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
        s = &store->streams[i];

        if (s->state == NGX_MEDIA_STREAM_FREE) {
            break;
        }
    }

    if (i == store->nstreams) {
        store->refused++;
        ngx_media_zone_unlock(zone);
        return NGX_MEDIA_CLAIM_LIMIT;
    }

    now = ngx_media_wall_msec() / 1000;
    now = now > NGX_MEDIA_BIRTH_EPOCH ? now - NGX_MEDIA_BIRTH_EPOCH : 0;

    /* epoch and version go on: late readers must not take them for theirs */

    ngx_memzero((u_char *) s + offsetof(ngx_media_stream_shm_t, hash),
                sizeof(ngx_media_stream_shm_t)
                - offsetof(ngx_media_stream_shm_t, hash));

    s->hash = ngx_media_name_hash(name);
    s->name_len = name->len;
    ngx_memcpy(s->name, name->data, name->len);

    s->target = app->target;
    s->part_target = app->part_target;
    s->segment = app->segment;
    s->segment_max = app->segment_max;
    s->window = app->window;
    s->grace = app->grace;
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
    ngx_media_store(&s->id, claim->stream.id);

    ngx_media_zone_unlock(zone);

    return NGX_OK;
}


static void
ngx_media_stream_claim_locked(ngx_media_stream_shm_t *s,
    ngx_str_t *protocol, ngx_str_t *address, ngx_media_claim_t *claim)
{
    claim->epoch = ++s->epoch;
    claim->floor = s->end;
    claim->wall = s->wall;
    claim->returned = s->publishers > 0;

    /* a live one always has a pid: by that it is found if this one dies */

    s->start = ngx_media_process_self();
    ngx_media_store(&s->pid, (uint32_t) ngx_pid);
    s->yields = 0;
    ngx_media_store(&s->state, NGX_MEDIA_STREAM_LIVE);
    s->since = ngx_media_wall_msec();
    ngx_media_store(&s->heard, ngx_current_msec);
    s->publishers++;

    ngx_media_stream_set(s->protocol, &s->protocol_len,
                         sizeof(s->protocol), protocol);
    ngx_media_stream_set(s->address, &s->address_len, sizeof(s->address),
                         address);

    ngx_media_stream_changed(s);
}


static void
ngx_media_stream_set(u_char *dst, uint32_t *len, size_t size, ngx_str_t *src)
{
    *len = ngx_min(src->len, size);
    ngx_memcpy(dst, src->data, *len);
}


ngx_uint_t
ngx_media_claim_valid(const ngx_media_claim_t *claim)
{
    return ngx_media_load(&claim->stream.sh->id) == claim->stream.id
           && ngx_media_load(&claim->stream.sh->epoch) == claim->epoch;
}


ngx_int_t
ngx_media_claim_lock(const ngx_media_claim_t *claim)
{
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;

    ngx_media_stream_lock(claim->stream.zone, s);

    if (s->id != claim->stream.id || s->epoch != claim->epoch) {
        ngx_media_stream_unlock(s);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_media_stream_yield(const ngx_media_claim_t *claim)
{
    if (ngx_media_claim_lock(claim) == NGX_OK) {
        claim->stream.sh->yields = 1;
        ngx_media_stream_unlock(claim->stream.sh);
    }
}


void
ngx_media_stream_release(const ngx_media_claim_t *claim, const char *reason)
{
    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    ngx_media_stream_drop_locked(claim->stream.zone, claim->stream.sh,
                                 reason);
}


/* why its publisher is gone, or taken for gone */

static void
ngx_media_stream_reason_locked(ngx_media_stream_shm_t *s, const char *reason)
{
    ngx_str_t  text;

    text.data = (u_char *) reason;
    text.len = ngx_strlen(reason);

    ngx_media_stream_set(s->reason, &s->reason_len, sizeof(s->reason), &text);
}


void
ngx_media_stream_rest(const ngx_media_claim_t *claim, const char *reason)
{
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    ngx_media_stream_reason_locked(s, reason);

    ngx_media_store(&s->state, NGX_MEDIA_STREAM_GRACE);
    ngx_media_stream_changed(s);

    ngx_media_stream_unlock(s);

    ngx_media_notify(&s->notify);
}


/*
 * Its publisher has gone; unlocks.  A stream that never had a part has nothing
 * to wait for: a name costs its record only while somebody publishes it.
 */

static void
ngx_media_stream_drop_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, const char *reason)
{
    if (ngx_media_stream_unborn(s)) {
        ngx_media_stream_remove_locked(zone, s);
        return;
    }

    ngx_media_stream_leave_locked(zone, s, reason);
    ngx_media_stream_unlock(s);

    ngx_media_notify(&s->notify);
}


/* the first part of a segment takes its number */

static ngx_uint_t
ngx_media_stream_unborn(ngx_media_stream_shm_t *s)
{
    return s->number == s->born_number;
}


/* what the publisher left open is closed with the parts that were published */

static void
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

    ngx_media_stream_reason_locked(s, reason);

    s->epoch++;
    s->left = ngx_current_msec;
    ngx_media_store(&s->state, NGX_MEDIA_STREAM_GRACE);
    ngx_media_store(&s->pid, 0);
    ngx_media_stream_changed(s);
}


/* unlocks */

static void
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

    ngx_media_store(&store->hashes[index], 0);
    ngx_media_store(&s->id, 0);
    ngx_media_stream_changed(s);
    ngx_media_fence();

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

    ngx_media_block_free_all(zone, index);

    ngx_media_zone_lock(zone);

    ngx_media_extents_orphan_locked(zone, index);

    store->expired++;
    s->pid = 0;
    ngx_media_store(&s->state, NGX_MEDIA_STREAM_FREE);

    ngx_media_zone_unlock(zone);

    ngx_media_stream_unlock(s);

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
ngx_media_stream_lost(const ngx_media_stream_shm_t *s, ngx_uint_t closely)
{
    if (s->pid == (uint32_t) ngx_pid) {
        return s->start != ngx_media_process_self();
    }

    return closely ? ngx_media_process_gone(s->pid, s->start)
                   : ngx_media_process_dead(s->pid);
}


static void
ngx_media_stream_tick(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s,
    ngx_uint_t closely)
{
    ngx_msec_t  gone;

    if (ngx_media_stream_trylock(zone, s) != NGX_OK) {
        return;
    }

    /* it leaves under one lock: who took it down has died there */

    if (s->state == NGX_MEDIA_STREAM_LEAVING) {
        ngx_media_stream_remove_locked(zone, s);
        return;
    }

    if (s->pid && ngx_media_stream_lost(s, closely)) {
        ngx_log_error(NGX_LOG_WARN, zone->log, 0,
                      "media stream \"%*s\" lost its publisher: "
                      "process %uD died",
                      (size_t) s->name_len, s->name, s->pid);

        ngx_media_stream_drop_locked(zone, s, "its process died");
        return;
    }

    gone = ngx_current_msec - (ngx_msec_t) s->left;

    if (s->state == NGX_MEDIA_STREAM_GRACE && s->pid == 0
        && (ngx_msec_int_t) gone > (ngx_msec_int_t) s->grace)
    {
        ngx_media_store(&s->state, NGX_MEDIA_STREAM_ENDED);
        ngx_media_stream_changed(s);

        ngx_media_stream_unlock(s);
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


void
ngx_media_stream_lock(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    if (ngx_media_lock(&s->lock) == NGX_DONE) {
        ngx_media_stream_repair_locked(zone, s);
    }
}


ngx_int_t
ngx_media_stream_trylock(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    ngx_int_t  rc;

    rc = ngx_media_trylock(&s->lock);

    if (rc == NGX_DONE) {
        ngx_media_stream_repair_locked(zone, s);
        rc = NGX_OK;
    }

    return rc;
}


void
ngx_media_stream_unlock(ngx_media_stream_shm_t *s)
{
    ngx_media_unlock(&s->lock);
}


/*
 * Each change leaves the tables such that what is in them is whole; what is
 * not consistent at every moment is made anew from them: where rings begin
 * and end, the sums of the open segment, and the reference counts of extents.
 */

static void
ngx_media_stream_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i]) {
            ngx_media_track_repair_locked(zone, s->tracks[i]);
        }
    }

    ngx_media_extents_repair_locked(zone, s);

    /* what was committed to writers may have been punched already */

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i]) {
            ngx_media_track_leave_locked(zone, s->tracks[i]);
        }
    }

    /* who died may have owed a wake-up for what it had changed */

    ngx_media_stream_changed(s);
    ngx_media_notify(&s->notify);

    (void) ngx_media_stream_validate_locked(zone, s);

    ngx_log_error(NGX_LOG_NOTICE, zone->log, 0,
                  "media stream \"%*s\" repaired after a process died in it",
                  (size_t) s->name_len, s->name);
}


static void
ngx_media_track_repair_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t)
{
    uint64_t                  n;
    ngx_media_range_t        *range;
    ngx_media_part_shm_t     *part;
    ngx_media_segment_shm_t  *segment;

    if (t->segment_closed < t->segment_tail) {
        ngx_media_store(&t->segment_closed, t->segment_tail);
    }

    if (t->segment_head < t->segment_closed) {
        ngx_media_store(&t->segment_head, t->segment_closed);
    }

    if (t->segment_head == t->segment_closed) {
        return;
    }

    segment = ngx_media_segment_record(t, t->segment_closed);

    if (segment->part < t->part_tail) {
        /* its parts are not all there: it stays as it is */
        return;
    }

    segment->nparts = 0;
    segment->nranges = 0;
    segment->bytes = 0;
    segment->duration = 0;
    range = NULL;

    for (n = segment->part; n < t->part_head; n++) {
        part = ngx_media_part_record(t, n);

        if (range && range->extent == part->range.extent) {
            range->size += part->range.size;

        } else if (segment->nranges < NGX_MEDIA_RANGES) {
            range = &segment->ranges[segment->nranges++];
            *range = part->range;
        }

        segment->nparts++;
        segment->bytes += part->range.size;
        segment->duration += part->duration;

        ngx_media_store(&t->edge, ngx_media_edge(part->number, part->part));
    }

    t->end = segment->time + (int64_t) segment->duration;

    if (segment->nparts == 0) {

        /* who opened it died before it had a part: a gap takes its place */

        ngx_media_store(&t->segment_head, t->segment_closed);
    }
}


static void
ngx_media_extents_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    uint32_t                  e, index;
    uint64_t                  n;
    ngx_uint_t                i, k;
    ngx_media_zone_shm_t     *sh;
    ngx_media_track_shm_t    *t;
    ngx_media_segment_shm_t  *segment;

    sh = zone->sh;
    index = ngx_media_stream_index(zone, s);

#define ngx_media_extent_of(e, index)                                         \
    (sh->extents[e].state == NGX_MEDIA_EXTENT_USED                            \
     && sh->extents[e].owner == (index))

    for (e = 0; e < sh->used_extents; e++) {
        if (ngx_media_extent_of(e, index)) {
            sh->extents[e].refs = 0;
        }
    }

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL) {
            continue;
        }

        if (t->extent != NGX_MEDIA_NONE) {
            sh->extents[t->extent].refs++;
        }

        for (n = t->segment_tail; n < t->segment_head; n++) {
            segment = ngx_media_segment_record(t, n);

            for (k = 0; k < segment->nranges; k++) {
                sh->extents[segment->ranges[k].extent].refs++;
            }
        }
    }

    for (e = 0; e < sh->used_extents; e++) {
        if (ngx_media_extent_of(e, index) && sh->extents[e].refs == 0) {
            ngx_media_extent_evict(zone, e);
        }
    }

#undef ngx_media_extent_of
}
