
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who publishes a stream: how it is claimed, taken over and given back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_stream_lock.h"
#include "memory/ngx_media_process.h"


/*
 * ms without media after which a publisher may be replaced, by one from the
 * same address and by anybody
 */
#define NGX_MEDIA_SILENT_SAME  1000
#define NGX_MEDIA_SILENT_ANY   2000


static ngx_uint_t ngx_media_stream_replaceable_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_str_t *protocol, ngx_str_t *address,
    ngx_uint_t who);
static ngx_uint_t ngx_media_stream_gone(ngx_media_stream_shm_t *s,
    uint32_t *pid, uint64_t *start);
static ngx_msec_t ngx_media_stream_silent(ngx_media_stream_shm_t *s);
static void ngx_media_stream_claim_locked(ngx_media_stream_shm_t *s,
    uint64_t start, ngx_str_t *protocol, ngx_str_t *address,
    ngx_media_claim_t *claim);
static void ngx_media_stream_holder_locked(ngx_media_stream_shm_t *s,
    ngx_media_holder_t *holder);
static void ngx_media_stream_kick_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_kick_e why);


/* by ngx_media_kick_e */

static const char  *ngx_media_kick_sentences[NGX_MEDIA_KICKS] = {
    "another publisher took the stream over",
    "it was disconnected by an administrator",
    "it is banned"
};


ngx_int_t
ngx_media_stream_acquire(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_str_t *protocol, ngx_str_t *address, ngx_uint_t who,
    ngx_media_claim_t *claim)
{
    uint32_t                 pid;
    uint64_t                 self, start;
    ngx_int_t                rc;
    ngx_uint_t               gone;
    ngx_media_stream_shm_t  *s;

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return NGX_MEDIA_CLAIM_LIMIT;
    }

    self = ngx_media_process_self();

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

        /* the system is asked with no lock held */

        gone = ngx_media_stream_gone(s, &pid, &start);

        ngx_media_stream_lock(zone, s);

        if (s->id != claim->stream.id || s->pid != pid || s->start != start) {
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
            ngx_media_claim_refused(zone, NGX_MEDIA_REFUSED_HURRY);
            ngx_log_error(NGX_LOG_WARN, zone->log, 0,
                          "media stream \"%V\" is published anew too often, "
                          "refused for a moment", name);
            return NGX_MEDIA_CLAIM_HURRIES;
        }

        if (!gone
            && !ngx_media_stream_replaceable_locked(zone, s, protocol, address,
                                                    who))
        {
            ngx_media_stream_unlock(s);
            ngx_media_claim_refused(zone, NGX_MEDIA_REFUSED_CONFLICT);

            ngx_log_debug1(NGX_LOG_DEBUG_CORE, zone->log, 0,
                           "media stream \"%V\" is not given up by who has it",
                           name);

            return NGX_MEDIA_CLAIM_CONFLICT;
        }

        break;
    }

    ngx_media_stream_leave_locked(zone, s, "replaced by another publisher");
    ngx_media_stream_claim_locked(s, self, protocol, address, claim);

    ngx_media_stream_unlock(s);

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%V\" is claimed, epoch:%uL floor:%L "
                   "wall:%L returned:%d from process:%uD",
                   name, claim->epoch, claim->floor, claim->wall,
                   claim->returned, pid);

    ngx_media_count(&zone->store->published, 1);
    ngx_media_notify(&s->notify);

    (void) ngx_media_zone_reclaim(zone);

    return NGX_OK;
}


/*
 * The one rule for taking a name over, whatever is spoken.  Who sends media is
 * never replaced, from wherever: nobody takes a stream away who only knows its
 * name.  Who has gone silent is: an encoder whose connection broke unnoticed
 * comes back within a second or two, from its address or from another one.
 * Whose the name is, because an access check says so, need not wait for that.
 * "reject" waits until the old connection has ended, but for those whose end
 * nobody hears of: they are themselves in the way when they return.
 *
 * A worker that leaves has told its publishers to come back: they need not
 * stop sending first.
 */

static ngx_uint_t
ngx_media_stream_replaceable_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_str_t *protocol, ngx_str_t *address,
    ngx_uint_t who)
{
    size_t      len;
    ngx_msec_t  silent;
    ngx_uint_t  same;

    if (s->trailing) {
        return 1;
    }

    len = ngx_min(address->len, sizeof(s->address));
    same = (len == s->address_len
            && ngx_memcmp(s->address, address->data, len) == 0);

    if (same && s->yields) {
        return 1;
    }

    silent = ngx_media_stream_silent(s);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" is wanted, silent:%M same:%ui "
                   "who:%ui",
                   (size_t) s->name_len, s->name, silent, same, who);

    if (same && (who & NGX_MEDIA_CLAIM_RETURNS)
        && silent >= NGX_MEDIA_SILENT_SAME
        && s->protocol_len == protocol->len
        && ngx_memcmp(s->protocol, protocol->data, protocol->len) == 0)
    {
        return 1;
    }

    if (zone->app->publish_conflict == NGX_MEDIA_CONFLICT_REJECT) {
        return 0;
    }

    if (who & NGX_MEDIA_CLAIM_ADMITTED) {
        return 1;
    }

    return silent >= (same ? NGX_MEDIA_SILENT_SAME : NGX_MEDIA_SILENT_ANY);
}


/* nobody has it, or the process that has died */

static ngx_uint_t
ngx_media_stream_gone(ngx_media_stream_shm_t *s, uint32_t *pid,
    uint64_t *start)
{
    *pid = ngx_media_load(&s->pid);
    *start = ngx_media_peek(&s->start);

    return *pid == 0 || ngx_media_process_gone(*pid, *start);
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


static void
ngx_media_stream_claim_locked(ngx_media_stream_shm_t *s, uint64_t start,
    ngx_str_t *protocol, ngx_str_t *address, ngx_media_claim_t *claim)
{
    claim->epoch = ++s->epoch;
    s->claimed = s->epoch;
    claim->floor = s->end;
    claim->wall = s->wall;
    claim->returned = s->publishers > 0;

    /* a live one always has a pid: by that it is found if this one dies */

    s->trailing = 0;
    s->start = start;
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

    if (s->id == stream.id && s->pid && !s->trailing) {
        ngx_media_stream_holder_locked(s, holder);
        holder->stream = stream;
        rc = NGX_OK;
    }

    ngx_media_stream_unlock(s);

    return rc;
}


static void
ngx_media_stream_holder_locked(ngx_media_stream_shm_t *s,
    ngx_media_holder_t *holder)
{
    holder->epoch = s->epoch;
    holder->protocol_len = s->protocol_len;
    ngx_memcpy(holder->protocol, s->protocol, s->protocol_len);
    holder->address_len = s->address_len;
    ngx_memcpy(holder->address, s->address, s->address_len);
    holder->port = s->link.port;
    holder->since = s->since;
    holder->silent = ngx_media_stream_silent(s);
}


ngx_int_t
ngx_media_stream_kick(const ngx_media_stream_t *stream, uint64_t epoch,
    ngx_media_kick_e why)
{
    ngx_media_stream_shm_t  *s;

    s = stream->sh;

    ngx_media_stream_lock(stream->zone, s);

    if (s->id != stream->id || s->epoch != epoch || s->pid == 0
        || s->trailing)
    {
        ngx_media_stream_unlock(s);
        return NGX_DECLINED;
    }

    ngx_media_stream_kick_locked(stream->zone, s, why);

    return NGX_OK;
}


/*
 * Unlocks.  What is said of the claim comes first: its owner looks without a
 * lock.  Who dies behind that has kicked all the same, a repair sees to it.
 */

static void
ngx_media_stream_kick_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_kick_e why)
{
    ngx_log_debug4(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" loses its publisher, epoch:%uL: %s",
                   (size_t) s->name_len, s->name, s->epoch,
                   ngx_media_kick_sentence(why));

    ngx_media_store(&s->kicked, ngx_media_kicked(s->epoch, why));

    ngx_media_stream_drop_locked(zone, s, ngx_media_kick_sentence(why));
}


const char *
ngx_media_kick_sentence(ngx_media_kick_e why)
{
    return ngx_media_kick_sentences[ngx_min(why, NGX_MEDIA_KICKS - 1)];
}


/* the record may be another stream's by now: its epochs go on */

const char *
ngx_media_claim_lost(const ngx_media_claim_t *claim)
{
    uint64_t  kicked;

    kicked = ngx_media_load(&claim->stream.sh->kicked);

    if (ngx_media_kicked_epoch(kicked) != claim->epoch) {
        kicked = 0;
    }

    return ngx_media_kick_sentence(ngx_media_kicked_why(kicked));
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


void
ngx_media_stream_link(const ngx_media_claim_t *claim,
    const ngx_media_link_t *link)
{
    ngx_uint_t               i;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    s = claim->stream.sh;

    for (i = 0; i < NGX_MEDIA_LINK_COUNTERS; i++) {
        s->link.count[i] += link->count[i];
    }

    s->link.now = link->now;
    s->link.kind = link->kind;
    s->link.port = link->port;
    s->link.npids = link->npids;
    s->link.more = link->more;

    ngx_memcpy(s->link.pids, link->pids, sizeof(link->pids));

    ngx_media_stream_unlock(s);
}


void
ngx_media_stream_link_add(const ngx_media_stream_t *stream,
    ngx_media_link_counter_e counter, uint64_t n)
{
    ngx_media_stream_shm_t  *s;

    s = stream->sh;

    ngx_media_stream_lock(stream->zone, s);

    if (s->id == stream->id) {
        s->link.count[counter] += n;
    }

    ngx_media_stream_unlock(s);
}


void
ngx_media_stream_jumped(const ngx_media_claim_t *claim)
{
    if (ngx_media_claim_valid(claim)) {
        ngx_media_count(&claim->stream.sh->jumps, 1);
    }
}


ngx_uint_t
ngx_media_claim_closed(const ngx_media_zone_t *zone)
{
    return ngx_media_load(&zone->store->retired) != 0;
}


void
ngx_media_claim_refused(ngx_media_zone_t *zone, ngx_media_refused_e why)
{
    ngx_media_count(&zone->store->refused[why], 1);
}


void
ngx_media_stream_offer(const ngx_media_claim_t *claim, ngx_media_ask_e what,
    ngx_uint_t on)
{
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    s = claim->stream.sh;

    ngx_media_store(&s->offered[what], on ? claim->epoch : 0);

    ngx_media_stream_unlock(s);
}


ngx_uint_t
ngx_media_claim_valid(const ngx_media_claim_t *claim)
{
    return ngx_media_load(&claim->stream.sh->id) == claim->stream.id
           && ngx_media_load(&claim->stream.sh->epoch) == claim->epoch;
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

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media stream \"%*s\" rests: %s",
                   (size_t) s->name_len, s->name, reason);

    ngx_media_notify(&s->notify);
}


void
ngx_media_stream_finish(const ngx_media_claim_t *claim, const char *reason)
{
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    ngx_media_stream_reason_locked(s, reason);

    s->left = ngx_current_msec;
    s->trailing = 1;
    ngx_media_store(&s->state, NGX_MEDIA_STREAM_GRACE);
    ngx_media_stream_changed(s);

    ngx_media_stream_unlock(s);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media stream \"%*s\" trails: %s",
                   (size_t) s->name_len, s->name, reason);

    ngx_media_notify(&s->notify);
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
