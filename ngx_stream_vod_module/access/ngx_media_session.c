
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A session is found by its tag alone, with no lock: who is replaced in this
 * moment by another one has a request counted for that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session_shm.h"


/* both in units */
#define NGX_MEDIA_SESSION_APART    (1000 / NGX_MEDIA_SESSION_UNIT)
#define NGX_MEDIA_SESSION_PATIENT  (2000 / NGX_MEDIA_SESSION_UNIT)

#define NGX_MEDIA_SESSION_WATCHED  10000      /* ms */

#define NGX_MEDIA_SESSION_TICK     5000       /* ms */
#define NGX_MEDIA_SESSION_TRIES    4

/* of units, never 0; a ban may be longer than 2^32 ms */
#define ngx_media_session_seconds(n)                                          \
    ((time_t) ((n) / (1000 / NGX_MEDIA_SESSION_UNIT)) + 1)

/* sessions of an address up to which players are told apart by what they say */
#define NGX_MEDIA_SESSION_SIDS     64
#define NGX_MEDIA_SESSION_AGENTS   256


static uint32_t ngx_media_session_lookup(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, uint64_t *tag);
static uint32_t ngx_media_session_move(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, uint64_t old, uint64_t tag);
static void ngx_media_session_state(ngx_media_sessions_t *sessions,
    uint32_t slot, uint64_t tag, ngx_media_session_state_t *state);
static uint32_t ngx_media_session_place_locked(ngx_media_sessions_t *sessions,
    uint64_t tag, uint32_t now);
static uint32_t ngx_media_session_better_locked(
    ngx_media_sessions_t *sessions, uint32_t now, uint32_t slot,
    uint32_t best);
static const char *ngx_media_session_limit_locked(
    ngx_media_sessions_shm_t *sh, const ngx_media_session_keys_t *keys,
    const ngx_media_session_limit_t *limit);
static void ngx_media_session_fill_locked(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, const ngx_media_session_keys_t *keys,
    uint32_t slot, uint32_t now);
static void ngx_media_session_protocol(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, ngx_uint_t protocol);
static void ngx_media_session_confirm(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref);
static void ngx_media_session_away(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, ngx_uint_t unused);
static ngx_uint_t ngx_media_session_unused_locked(
    const ngx_media_session_shm_t *s);
static ngx_uint_t ngx_media_session_app_find(
    const ngx_media_sessions_shm_t *sh, const ngx_str_t *name);


static const char  ngx_media_session_is_banned[] = "the viewer is banned";
static const char  ngx_media_session_was_kicked[] =
    "the viewer's session was ended";


ngx_int_t
ngx_media_session_look(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, ngx_media_session_state_t *state)
{
    uint32_t                   slot, now, until;
    uint64_t                   tag;
    ngx_media_session_keys_t   keys;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    now = ngx_media_session_now();

    ngx_memzero(state, sizeof(ngx_media_session_state_t));

    slot = ngx_media_session_lookup(sessions, who, &tag);

    if (slot != NGX_MEDIA_SESSION_NONE
        && !ngx_media_session_over(sessions, now, slot))
    {
        ngx_media_session_state(sessions, slot, tag, state);
        return NGX_OK;
    }

    if (ngx_media_peek(&sh->nbans)) {
        ngx_media_session_keys(sh, who, &keys);

        until = ngx_media_session_banned(sh, now, keys.stream, keys.viewer);

        if (until) {
            state->banned = ngx_media_session_seconds(until - now);
        }
    }

    return NGX_DECLINED;
}


static uint32_t
ngx_media_session_lookup(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, uint64_t *tag)
{
    uint32_t                   slot;
    uint64_t                   old;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    ngx_media_session_rotate(sessions);

    *tag = ngx_media_session_tag(sh, who, 0);
    slot = ngx_media_session_slot(sh, *tag);

    if (slot != NGX_MEDIA_SESSION_NONE || who->connection
        || !ngx_media_session_overlaps(sh))
    {
        return slot;
    }

    old = ngx_media_session_tag(sh, who, 1);

    if (ngx_media_session_slot(sh, old) == NGX_MEDIA_SESSION_NONE) {
        return NGX_MEDIA_SESSION_NONE;
    }

    slot = ngx_media_session_move(sessions, who, old, *tag);

    if (slot == NGX_MEDIA_SESSION_NONE) {

        /* there is no place for it: until there is it stays where it was */

        *tag = old;
        slot = ngx_media_session_slot(sh, old);
    }

    return slot;
}


/*
 * It has another tag today, and so another place.  The new one is written, and
 * then the old one let go: who dies in between leaves both, see repair().
 */

static uint32_t
ngx_media_session_move(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, uint64_t old, uint64_t tag)
{
    uint32_t                   from, to, now;
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    now = ngx_media_session_now();

    ngx_media_sessions_lock(sessions);

    to = ngx_media_session_slot(sh, tag);
    from = ngx_media_session_slot(sh, old);

    if (to == NGX_MEDIA_SESSION_NONE && from != NGX_MEDIA_SESSION_NONE) {

        to = ngx_media_session_place_locked(sessions, tag, now);

        if (to != NGX_MEDIA_SESSION_NONE && sh->tags[to]) {

            /* no session ends for one that has a place */

            to = NGX_MEDIA_SESSION_NONE;
        }

        if (to != NGX_MEDIA_SESSION_NONE) {
            s = &sh->slots[to];

            *s = sh->slots[from];
            ngx_media_session_show(sessions, who, s);

            ngx_media_store(&sh->slots[from].moved, to + 1);
            ngx_media_store(&sh->tags[to], tag);
            ngx_media_store(&sh->tags[from], 0);

            ngx_media_session_clear_locked(&sh->slots[from]);
        }
    }

    ngx_media_sessions_unlock(sessions);

    return to;
}


static void
ngx_media_session_state(ngx_media_sessions_t *sessions, uint32_t slot,
    uint64_t tag, ngx_media_session_state_t *state)
{
    uint32_t                  now, until, flags;
    ngx_media_session_shm_t  *s;

    s = &sessions->sh->slots[slot];
    now = ngx_media_session_now();
    flags = ngx_media_peek(&s->flags);

    state->ref.tag = tag;
    state->ref.slot = slot;
    state->id = s->id;
    state->hook = ngx_media_peek(&s->hook);
    state->mark = ngx_media_peek(&s->mark);
    state->protocol = ngx_media_peek(&s->protocol);
    state->confirmed = (flags & NGX_MEDIA_SESSION_CONFIRMED) != 0;
    state->kicked = (flags & NGX_MEDIA_SESSION_KICKED) != 0;

    until = ngx_media_session_age(ngx_media_peek(&s->admitted), now);
    state->admitted = until / (1000 / NGX_MEDIA_SESSION_UNIT);

    until = ngx_media_session_age(ngx_media_peek(&s->banned), now);

    if (until) {
        state->banned = ngx_media_session_seconds(until);
    }
}


ngx_int_t
ngx_media_session_make(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_session_state_t *state,
    const char **reason)
{
    uint32_t                       slot, now, until;
    uint64_t                       tag;
    ngx_int_t                      rc;
    ngx_uint_t                     app, tries;
    ngx_media_session_keys_t       keys;
    ngx_media_session_info_t       info;
    ngx_media_sessions_shm_t      *sh;
    ngx_media_session_lane_shm_t  *lane;

    sh = sessions->sh;
    *reason = NULL;

    ngx_memzero(state, sizeof(ngx_media_session_state_t));

    (void) ngx_media_session_lookup(sessions, who, &tag);

    ngx_media_session_keys(sh, who, &keys);

    for (tries = 0; /* void */ ; tries++) {

        now = ngx_media_session_now();
        rc = NGX_OK;

        ngx_media_sessions_lock(sessions);

        app = ngx_media_session_app_locked(sh, &who->app);
        lane = ngx_media_session_lane(sh, app);

        slot = ngx_media_session_slot(sh, tag);

        if (slot != NGX_MEDIA_SESSION_NONE
            && !ngx_media_session_over(sessions, now, slot))
        {
            break;
        }

        if (slot == NGX_MEDIA_SESSION_NONE) {

            until = ngx_media_session_banned(sh, now, keys.stream,
                                             keys.viewer);
            if (until) {
                state->banned = ngx_media_session_seconds(until - now);
                *reason = ngx_media_session_is_banned;
                (void) ngx_media_count(&lane->banned, 1);
                rc = NGX_DECLINED;
                break;
            }

            *reason = ngx_media_session_limit_locked(sh, &keys, limit);

            if (*reason) {
                (void) ngx_media_count(&lane->limited, 1);
                rc = NGX_DECLINED;
                break;
            }

            slot = ngx_media_session_place_locked(sessions, tag, now);
        }

        if (slot == NGX_MEDIA_SESSION_NONE
            || (sh->tags[slot] && tries == NGX_MEDIA_SESSION_TRIES))
        {
            (void) ngx_media_count(&lane->refused, 1);
            rc = NGX_BUSY;
            break;
        }

        if (sh->tags[slot] == 0) {
            ngx_media_session_fill_locked(sessions, who, &keys, slot, now);
            sh->slots[slot].app = app;

            ngx_media_session_link_locked(sh, slot, tag);
            (void) ngx_media_count(&lane->made, 1);

            state->made = 1;
            break;
        }

        /* who has been there is told of first, with no lock held */

        ngx_media_session_leave_locked(sessions, slot, now, &info);
        ngx_media_sessions_unlock(sessions);

        ngx_media_session_left(sessions, slot, &info);
    }

    if (rc == NGX_OK) {
        ngx_media_session_state(sessions, slot, tag, state);

        if (state->kicked || state->banned) {
            *reason = state->banned ? ngx_media_session_is_banned
                                    : ngx_media_session_was_kicked;
            (void) ngx_media_count(&lane->banned, 1);
            rc = NGX_DECLINED;
        }
    }

    ngx_media_sessions_unlock(sessions);

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media session rc:%i id:%uL made:%ui used:%uD of:%uD", rc,
                   state->id, (ngx_uint_t) state->made, sh->used, sh->nslots);

    return rc;
}


/*
 * Where a session of this tag would be: a free slot of the emptier bucket, or
 * one whose session has to end for it, or NONE
 */

static uint32_t
ngx_media_session_place_locked(ngx_media_sessions_t *sessions, uint64_t tag,
    uint32_t now)
{
    uint32_t                   slot, free[2], victim;
    ngx_uint_t                 i, n, room[2];
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    victim = NGX_MEDIA_SESSION_NONE;

    for (n = 0; n < 2; n++) {
        slot = ngx_media_session_bucket(sh, tag, n);
        room[n] = 0;
        free[n] = NGX_MEDIA_SESSION_NONE;

        for (i = 0; i < NGX_MEDIA_SESSION_BUCKET; i++, slot++) {

            if (sh->tags[slot]) {
                victim = ngx_media_session_better_locked(sessions, now, slot,
                                                         victim);

            } else if (ngx_media_load(&sh->slots[slot].pid) == 0) {
                room[n]++;
                free[n] = slot;
            }
        }
    }

    if (room[0] || room[1]) {
        return room[1] > room[0] ? free[1] : free[0];
    }

    return victim;
}


/* who may have to go: it is over, or did not become a viewer; the oldest */

static uint32_t
ngx_media_session_better_locked(ngx_media_sessions_t *sessions, uint32_t now,
    uint32_t slot, uint32_t best)
{
    uint32_t                  seen;
    ngx_media_session_shm_t  *s, *b;

    s = &sessions->sh->slots[slot];

    if (!ngx_media_session_over(sessions, now, slot)
        && ((ngx_media_peek(&s->flags) & (NGX_MEDIA_SESSION_CONFIRMED
                                          |NGX_MEDIA_SESSION_NATIVE
                                          |NGX_MEDIA_SESSION_KICKED))
            || ngx_media_session_age(now, s->started)
               < NGX_MEDIA_SESSION_PATIENT))
    {
        return best;
    }

    if (best == NGX_MEDIA_SESSION_NONE) {
        return slot;
    }

    b = &sessions->sh->slots[best];
    seen = ngx_media_peek(&s->seen);

    return (int32_t) (seen - ngx_media_peek(&b->seen)) < 0 ? slot : best;
}


static const char *
ngx_media_session_limit_locked(ngx_media_sessions_shm_t *sh,
    const ngx_media_session_keys_t *keys,
    const ngx_media_session_limit_t *limit)
{
    ngx_media_session_count_t  count;

    if (limit == NULL) {
        return NULL;
    }

    if (limit->viewer) {
        ngx_media_session_count_locked(sh, keys->viewer, &count);

        if (count.sessions >= limit->viewer) {
            return "the viewer has too many sessions";
        }
    }

    if (limit->address && keys->address) {
        ngx_media_session_count_locked(sh, keys->address, &count);

        if (count.sessions >= limit->address) {
            return "the address has too many sessions";
        }
    }

    if (limit->stream) {
        ngx_media_session_count_locked(sh, keys->stream, &count);

        if (count.sessions >= limit->stream) {
            return "the stream has too many viewers";
        }
    }

    return NULL;
}


static void
ngx_media_session_fill_locked(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, const ngx_media_session_keys_t *keys,
    uint32_t slot, uint32_t now)
{
    size_t                    len;
    ngx_media_session_shm_t  *s;

    s = &sessions->sh->slots[slot];

    ngx_memzero(s, sizeof(ngx_media_session_shm_t));

    s->seen = now;
    s->started = now;
    s->admitted = now;
    s->banned = now;
    s->by = who->by;
    s->protocol = who->protocol;
    s->mark = who->mark;
    s->flags = who->connection ? NGX_MEDIA_SESSION_NATIVE : 0;
    s->agent = ngx_media_agent(who->agent.data, who->agent.len);

    /* never 0, and no two alike */

    sessions->sh->serial += 2;
    s->id = sessions->sh->serial | 1;

    s->stream = keys->stream;
    s->viewer = keys->viewer;
    s->address = keys->address;

    s->name_len = ngx_min(who->name.len, 0xffff);
    len = ngx_min(who->name.len, NGX_MEDIA_SESSION_NAME);
    ngx_memcpy(s->name, who->name.data, len);

    ngx_media_session_show(sessions, who, s);
}


ngx_uint_t
ngx_media_session_folds(ngx_media_sessions_t *sessions,
    ngx_media_session_who_t *who)
{
    ngx_uint_t                 most;
    ngx_media_session_keys_t   keys;
    ngx_media_session_count_t  count;

    switch (who->by) {

    case NGX_MEDIA_SESSION_BY_SID:
        most = NGX_MEDIA_SESSION_SIDS;
        break;

    case NGX_MEDIA_SESSION_BY_ADDRESS:
        most = NGX_MEDIA_SESSION_AGENTS;

        if (who->agent.len) {
            break;
        }

        /* fall through */

    default:
        return 0;
    }

    ngx_media_session_keys(sessions->sh, who, &keys);

    if (keys.address == 0) {
        return 0;
    }

    ngx_media_sessions_lock(sessions);
    ngx_media_session_count_locked(sessions->sh, keys.address, &count);
    ngx_media_sessions_unlock(sessions);

    if (count.sessions < most) {
        return 0;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media session of an address that has %ui, of %ui",
                   count.sessions, most);

    if (who->by == NGX_MEDIA_SESSION_BY_ADDRESS) {
        ngx_str_null(&who->agent);
        return 1;
    }

    who->by = NGX_MEDIA_SESSION_BY_ADDRESS;
    ngx_str_null(&who->viewer);

    return 1;
}


ngx_int_t
ngx_media_session_ask(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, const char **reason)
{
    uint32_t                       now;
    ngx_media_session_keys_t       keys;
    ngx_media_sessions_shm_t      *sh;
    ngx_media_session_lane_shm_t  *lane;

    sh = sessions->sh;
    now = ngx_media_session_now();
    *reason = NULL;

    ngx_media_session_keys(sh, who, &keys);

    ngx_media_sessions_lock(sessions);

    lane = ngx_media_session_lane(sh,
                                  ngx_media_session_app_locked(sh, &who->app));

    if (ngx_media_session_banned(sh, now, keys.stream, keys.viewer)) {
        *reason = ngx_media_session_is_banned;
        (void) ngx_media_count(&lane->banned, 1);

    } else {
        *reason = ngx_media_session_limit_locked(sh, &keys, limit);
        (void) ngx_media_count(&lane->limited, *reason != NULL);
    }

    ngx_media_sessions_unlock(sessions);

    return *reason ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_media_session_touch(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, const ngx_media_session_sent_t *sent)
{
    uint32_t                       now, seen, first, flags;
    uint64_t                       watch;
    ngx_media_session_shm_t       *s;
    ngx_media_sessions_shm_t      *sh;
    ngx_media_session_lane_shm_t  *lane;

    sh = sessions->sh;

    if (ref->tag == 0 || ngx_media_load(&sh->tags[ref->slot]) != ref->tag) {
        return NGX_DECLINED;
    }

    s = &sh->slots[ref->slot];
    flags = ngx_media_peek(&s->flags);

    if (flags & NGX_MEDIA_SESSION_KICKED) {
        return NGX_ABORT;
    }

    now = ngx_media_session_now();

    seen = now;

    if (sent->alive / NGX_MEDIA_SESSION_UNIT > sessions->timeout) {

        /* as if it had been so much later */

        seen += sent->alive / NGX_MEDIA_SESSION_UNIT - sessions->timeout;
    }

    if ((int32_t) (seen - ngx_media_peek(&s->seen)) > 0) {
        ngx_media_store(&s->seen, seen);
    }

    if (sent->bytes) {
        (void) ngx_media_count(&s->bytes, sent->bytes);
    }

    if (sent->requests) {
        (void) ngx_media_count(&s->requests, (uint32_t) sent->requests);
    }

    watch = ngx_media_peek(&s->watch);

    if (sent->watch) {
        watch = ngx_media_count(&s->watch, sent->watch) + sent->watch;

        lane = ngx_media_session_lane(sh, s->app % NGX_MEDIA_SESSION_APPS);
        (void) ngx_media_count(&lane->watch, sent->watch);
    }

    if (sent->protocol && sent->protocol != ngx_media_peek(&s->protocol)) {
        ngx_media_session_protocol(sessions, ref, sent->protocol);
    }

    if (flags & NGX_MEDIA_SESSION_CONFIRMED) {
        return NGX_OK;
    }

    first = ngx_media_peek(&s->first);

    if (watch >= NGX_MEDIA_SESSION_WATCHED
        || (sent->media && first
            && ngx_media_session_age(now, first) >= NGX_MEDIA_SESSION_APART))
    {
        ngx_media_session_confirm(sessions, ref);

    } else if (sent->media && first == 0) {
        (void) ngx_media_lock_cas(&s->first, 0, now);
    }

    return NGX_OK;
}


/* what is counted by it moves with it */

static void
ngx_media_session_protocol(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, ngx_uint_t protocol)
{
    ngx_int_t                  viewer;
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    s = &sh->slots[ref->slot];

    ngx_media_sessions_lock(sessions);

    if (sh->tags[ref->slot] == ref->tag) {
        viewer = (s->flags & (NGX_MEDIA_SESSION_CONFIRMED
                              |NGX_MEDIA_SESSION_KICKED))
                 == NGX_MEDIA_SESSION_CONFIRMED;

        sh->viewers[s->app][s->protocol] -= viewer;
        s->protocol = protocol;
        sh->viewers[s->app][s->protocol] += viewer;
    }

    ngx_media_sessions_unlock(sessions);
}


static void
ngx_media_session_confirm(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref)
{
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    s = &sh->slots[ref->slot];

    ngx_media_sessions_lock(sessions);

    if (sh->tags[ref->slot] == ref->tag
        && !(s->flags & (NGX_MEDIA_SESSION_CONFIRMED
                         |NGX_MEDIA_SESSION_KICKED)))
    {
        s->flags |= NGX_MEDIA_SESSION_CONFIRMED;
        ngx_media_session_viewer_locked(sh, ref->slot, 1);
    }

    ngx_media_sessions_unlock(sessions);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media session is a viewer, id:%uL watch:%uL", s->id,
                   s->watch);
}


ngx_int_t
ngx_media_session_admit(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, time_t valid, uint64_t hook)
{
    uint32_t                   until;
    uint64_t                   none;
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    if (ref->tag == 0 || ngx_media_load(&sh->tags[ref->slot]) != ref->tag) {
        return NGX_DECLINED;
    }

    s = &sh->slots[ref->slot];

    /* until is compared with now, modulo: at most a year */

    valid = ngx_min(valid, 365 * NGX_MEDIA_SESSION_DAY);
    until = ngx_media_session_now() + valid * 1000 / NGX_MEDIA_SESSION_UNIT;

    ngx_media_store(&s->admitted, until);

    if (hook == 0) {
        return NGX_OK;
    }

    none = 0;

    if (__atomic_compare_exchange_n(&s->hook, &none, hook, 0, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED))
    {
        return NGX_OK;
    }

    return (none == hook) ? NGX_OK : NGX_DONE;
}


ngx_int_t
ngx_media_session_mark(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, uint32_t mark)
{
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    if (ref->tag == 0 || ngx_media_load(&sh->tags[ref->slot]) != ref->tag) {
        return NGX_DECLINED;
    }

    ngx_media_store(&sh->slots[ref->slot].mark, mark);

    return NGX_OK;
}


/* so that one that is missed does no harm */

ngx_msec_t
ngx_media_session_tick(const ngx_media_sessions_t *sessions)
{
    ngx_msec_t  third;

    third = (ngx_msec_t) sessions->timeout * NGX_MEDIA_SESSION_UNIT / 3;

    return ngx_min(third, NGX_MEDIA_SESSION_TICK);
}


void
ngx_media_session_close(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref)
{
    ngx_media_session_away(sessions, ref, 0);
}


void
ngx_media_session_drop(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref)
{
    ngx_media_session_away(sessions, ref, 1);
}


/* unused 1: only if it is */

static void
ngx_media_session_away(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, ngx_uint_t unused)
{
    ngx_uint_t                 mine;
    ngx_media_session_info_t   info;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    if (ref->tag == 0) {
        return;
    }

    ngx_media_sessions_lock(sessions);

    mine = (sh->tags[ref->slot] == ref->tag)
           && (!unused
               || ngx_media_session_unused_locked(&sh->slots[ref->slot]));

    if (mine) {
        ngx_media_session_leave_locked(sessions, ref->slot,
                                       ngx_media_session_now(), &info);
    }

    ngx_media_sessions_unlock(sessions);

    if (mine) {
        ngx_media_session_left(sessions, ref->slot, &info);
    }
}


static ngx_uint_t
ngx_media_session_unused_locked(const ngx_media_session_shm_t *s)
{
    return ngx_media_peek(&s->requests) == 0
           && ngx_media_peek(&s->bytes) == 0
           && ngx_media_peek(&s->first) == 0
           && !(s->flags & NGX_MEDIA_SESSION_KICKED);
}


void
ngx_media_session_refused(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who)
{
    ngx_media_session_lane_shm_t  *lane;

    lane = ngx_media_session_lane(sessions->sh,
                                  ngx_media_session_app_find(sessions->sh,
                                                             &who->app));

    (void) ngx_media_count(&lane->banned, 1);
}


static ngx_uint_t
ngx_media_session_app_find(const ngx_media_sessions_shm_t *sh,
    const ngx_str_t *name)
{
    size_t      len;
    ngx_uint_t  i, n;

    n = ngx_media_load(&sh->napps);
    len = ngx_min(name->len, NGX_MEDIA_SESSION_APP);

    for (i = 1; i < n; i++) {
        if (sh->apps[i].len == len
            && ngx_memcmp(sh->apps[i].name, name->data, len) == 0)
        {
            return i;
        }
    }

    return 0;
}
