
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How sessions end.  Under the lock one is taken out of the table, and marked
 * with the pid of who does so; then, with none held, it is told of, and its
 * slot becomes free, under the lock once more.  Whoever dies in between, or
 * stands still for a minute, has another one go on: told of twice at most is
 * who was being told of just then.  Who wakes up leaves alone what is not his.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_session_shm.h"


#define NGX_MEDIA_SESSION_LEAVES  2048        /* at once */
#define NGX_MEDIA_SESSION_HANGS   (60 * 1000 / NGX_MEDIA_SESSION_UNIT)

#define NGX_MEDIA_SESSION_PACE    1000        /* ms */
#define NGX_MEDIA_SESSION_HURRY   100


static uint64_t ngx_media_session_ban_key(uint64_t stream, uint64_t viewer);
static ngx_int_t ngx_media_session_ban_locked(ngx_media_sessions_shm_t *sh,
    const ngx_media_session_shm_t *s, uint32_t now, uint32_t until);
static void ngx_media_session_pardon(ngx_media_sessions_t *sessions,
    uint64_t key);
static ngx_uint_t ngx_media_session_pardonable(
    const ngx_media_sessions_shm_t *sh, uint32_t slot, uint64_t key);
static ngx_uint_t ngx_media_session_sweep(ngx_media_sessions_t *sessions,
    uint32_t slot, uint32_t now);
static ngx_uint_t ngx_media_session_hangs(const ngx_media_sessions_shm_t *sh,
    uint32_t slot, uint32_t now);
static void ngx_media_session_bans_over_locked(ngx_media_sessions_shm_t *sh,
    uint32_t now);


void
ngx_media_session_leave_locked(ngx_media_sessions_t *sessions, uint32_t slot,
    uint32_t now, ngx_media_session_info_t *info)
{
    ngx_media_session_shm_t  *s;

    s = &sessions->sh->slots[slot];

    ngx_media_session_info(sessions, s, info);

    ngx_media_store(&s->pid, (uint32_t) ngx_pid);
    ngx_media_session_unlink_locked(sessions->sh, slot);

    /* from here on it says since when it ends; last it says when it was seen */

    s->first = now;
}


void
ngx_media_session_left(ngx_media_sessions_t *sessions, uint32_t slot,
    const ngx_media_session_info_t *info)
{
    ngx_uint_t                   i;
    ngx_media_session_shm_t     *s;
    ngx_media_session_ended_pt  *handler;

    s = &sessions->sh->slots[slot];

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media session ended, id:%uL slot:%uD watch:%uL", info->id,
                   slot, info->watch);

    if (info->id && sessions->ended) {
        handler = sessions->ended->elts;

        for (i = 0; i < sessions->ended->nelts; i++) {
            handler[i](info);
        }
    }

    ngx_media_sessions_lock(sessions);

    /* another process may have ended it meanwhile, and there is a new one */

    if (sessions->sh->tags[slot] == 0
        && s->pid == (uint32_t) ngx_pid && s->id == info->id)
    {
        /* nothing of it stays; with no id nobody is told once more */

        ngx_media_store(&s->id, 0);
        ngx_media_session_clear_locked(s);
    }

    ngx_media_sessions_unlock(sessions);
}


static uint64_t
ngx_media_session_ban_key(uint64_t stream, uint64_t viewer)
{
    uint64_t  key;

    key = stream + viewer * 0x9e3779b97f4a7c15ull;

    return key ? key : 1;
}


uint32_t
ngx_media_session_banned(const ngx_media_sessions_shm_t *sh, uint32_t now,
    uint64_t stream, uint64_t viewer)
{
    uint32_t    until;
    uint64_t    key;
    ngx_uint_t  i;

    if (ngx_media_peek(&sh->nbans) == 0) {
        return 0;
    }

    key = ngx_media_session_ban_key(stream, viewer);

    for (i = 0; i < NGX_MEDIA_SESSION_BANS; i++) {

        if (ngx_media_load(&sh->ban_keys[i]) != key) {
            continue;
        }

        until = ngx_media_peek(&sh->bans[i].until);

        if (ngx_media_session_age(until, now)) {
            return until;
        }
    }

    return 0;
}


ngx_int_t
ngx_media_session_end(ngx_media_sessions_t *sessions, uint64_t id, time_t ban)
{
    uint32_t                   slot, now, until;
    ngx_int_t                  rc;
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    now = ngx_media_session_now();

    if (id == 0) {
        return NGX_DECLINED;
    }

    for (slot = 0; slot < sh->nslots; slot++) {
        if (ngx_media_peek(&sh->slots[slot].id) == id
            && ngx_media_load(&sh->tags[slot]))
        {
            break;
        }
    }

    if (slot == sh->nslots) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    s = &sh->slots[slot];

    ngx_media_sessions_lock(sessions);

    if (sh->tags[slot] && s->id == id) {
        rc = NGX_OK;

        if ((s->flags & (NGX_MEDIA_SESSION_CONFIRMED
                         |NGX_MEDIA_SESSION_KICKED))
            == NGX_MEDIA_SESSION_CONFIRMED)
        {
            ngx_media_session_viewer_locked(sh, slot, -1);
        }

        s->flags |= NGX_MEDIA_SESSION_KICKED;

        if (ban > 0) {
            ban = ngx_min(ban, 365 * NGX_MEDIA_SESSION_DAY);
            until = now + ban * 1000 / NGX_MEDIA_SESSION_UNIT;

            s->banned = until;
            rc = ngx_media_session_ban_locked(sh, s, now, until);
        }
    }

    ngx_media_sessions_unlock(sessions);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media session kicked, id:%uL ban:%T rc:%i", id, ban, rc);

    return rc;
}


/* those that are over go; one of the same is the same */

static ngx_int_t
ngx_media_session_ban_locked(ngx_media_sessions_shm_t *sh,
    const ngx_media_session_shm_t *s, uint32_t now, uint32_t until)
{
    uint64_t                      key;
    ngx_uint_t                    i, free;
    ngx_media_session_ban_shm_t  *ban;

    ngx_media_session_bans_over_locked(sh, now);

    key = ngx_media_session_ban_key(s->stream, s->viewer);
    free = NGX_MEDIA_SESSION_BANS;

    for (i = 0; i < NGX_MEDIA_SESSION_BANS; i++) {

        if (sh->ban_keys[i] == key) {
            ngx_media_store(&sh->ban_keys[i], 0);
            sh->nbans--;
        }

        if (sh->ban_keys[i] == 0 && free == NGX_MEDIA_SESSION_BANS) {
            free = i;
        }
    }

    if (free == NGX_MEDIA_SESSION_BANS) {
        return NGX_BUSY;
    }

    ban = &sh->bans[free];

    ban->id = s->id;
    ban->shown_viewer = s->shown_viewer;
    ban->until = until;
    ban->app = s->app;
    ban->by = s->by;
    ban->name_len = ngx_min(s->name_len, NGX_MEDIA_SESSION_NAME);
    ngx_memcpy(ban->name, s->name, NGX_MEDIA_SESSION_NAME);

    sh->nbans++;
    ngx_media_store(&sh->ban_keys[free], key);

    return NGX_OK;
}


ngx_int_t
ngx_media_session_bans(ngx_media_sessions_t *sessions, ngx_uint_t *cursor,
    ngx_media_session_ban_t *ban)
{
    uint32_t                      now;
    ngx_uint_t                    i;
    ngx_media_sessions_shm_t     *sh;
    ngx_media_session_ban_shm_t  *b;

    sh = sessions->sh;
    now = ngx_media_session_now();

    ngx_media_sessions_lock(sessions);

    for (i = *cursor; i < NGX_MEDIA_SESSION_BANS; i++) {
        b = &sh->bans[i];

        if (sh->ban_keys[i] && ngx_media_session_age(b->until, now)) {
            break;
        }
    }

    if (i < NGX_MEDIA_SESSION_BANS) {
        b = &sh->bans[i];

        ban->id = b->id;
        ban->app.data = sh->apps[b->app].name;
        ban->app.len = sh->apps[b->app].len;
        ban->viewer = b->shown_viewer;
        ban->by = b->by;
        ban->until = ngx_media_session_wall(sh, b->until);

        ngx_memcpy(ban->text, b->name, b->name_len);
        ban->name.data = ban->text;
        ban->name.len = b->name_len;
    }

    ngx_media_sessions_unlock(sessions);

    *cursor = i + 1;

    return i < NGX_MEDIA_SESSION_BANS ? NGX_OK : NGX_DONE;
}


ngx_int_t
ngx_media_session_unban(ngx_media_sessions_t *sessions, uint64_t id)
{
    uint64_t                   key;
    ngx_uint_t                 i;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    key = 0;

    ngx_media_sessions_lock(sessions);

    for (i = 0; i < NGX_MEDIA_SESSION_BANS; i++) {

        if (sh->ban_keys[i] && sh->bans[i].id == id) {
            key = sh->ban_keys[i];

            ngx_media_store(&sh->ban_keys[i], 0);
            sh->nbans--;
            break;
        }
    }

    ngx_media_sessions_unlock(sessions);

    if (key == 0) {
        return NGX_DECLINED;
    }

    ngx_media_session_pardon(sessions, key);

    return NGX_OK;
}


/*
 * Sessions of it that are there yet may go on.  They are looked for without the
 * lock, as there may be a million, and looked at once more with it.
 */

static void
ngx_media_session_pardon(ngx_media_sessions_t *sessions, uint64_t key)
{
    uint32_t                   slot;
    ngx_media_session_shm_t   *s;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    for (slot = 0; slot < sh->nslots; slot++) {

        if (!ngx_media_session_pardonable(sh, slot, key)) {
            continue;
        }

        ngx_media_sessions_lock(sessions);

        s = &sh->slots[slot];

        /* it may be another one by now, or banned anew */

        if (ngx_media_session_pardonable(sh, slot, key)
            && !ngx_media_session_banned(sh, ngx_media_session_now(),
                                         s->stream, s->viewer))
        {
            s->banned = ngx_media_session_now();
            s->flags &= ~NGX_MEDIA_SESSION_KICKED;

            if (s->flags & NGX_MEDIA_SESSION_CONFIRMED) {
                ngx_media_session_viewer_locked(sh, slot, 1);
            }
        }

        ngx_media_sessions_unlock(sessions);
    }
}


static ngx_uint_t
ngx_media_session_pardonable(const ngx_media_sessions_shm_t *sh,
    uint32_t slot, uint64_t key)
{
    const ngx_media_session_shm_t  *s;

    if (ngx_media_load(&sh->tags[slot]) == 0) {
        return 0;
    }

    s = &sh->slots[slot];

    return (ngx_media_peek(&s->flags) & NGX_MEDIA_SESSION_KICKED)
           && ngx_media_session_ban_key(ngx_media_peek(&s->stream),
                                        ngx_media_peek(&s->viewer))
              == key;
}


ngx_msec_t
ngx_media_sessions_pace(const ngx_media_sessions_t *sessions)
{
    ngx_uint_t  slices;

    slices = (sessions->sh->nslots + NGX_MEDIA_SESSION_SLICE - 1)
             / NGX_MEDIA_SESSION_SLICE;

    return ngx_max(NGX_MEDIA_SESSION_PACE / slices, NGX_MEDIA_SESSION_HURRY);
}


/* who finds the tick behind the clock, and is the first to set it, does it */

ngx_uint_t
ngx_media_sessions_sweep(ngx_media_sessions_t *sessions)
{
    uint32_t                   now, tick, slot, n;
    ngx_uint_t                 left;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    now = ngx_media_session_now();

    ngx_media_session_rotate(sessions);

    tick = ngx_media_peek(&sh->tick);

    if (ngx_media_session_age(now, tick) * NGX_MEDIA_SESSION_UNIT
        < ngx_media_sessions_pace(sessions)
        || !ngx_media_lock_cas(&sh->tick, tick, now))
    {
        return 0;
    }

    if (ngx_media_peek(&sh->nbans)) {
        ngx_media_sessions_lock(sessions);
        ngx_media_session_bans_over_locked(sh, now);
        ngx_media_sessions_unlock(sessions);
    }

    slot = ngx_media_peek(&sh->cursor);
    left = 0;

    for (n = ngx_min(sh->nslots, NGX_MEDIA_SESSION_SLICE); n; n--) {

        slot = (slot < sh->nslots) ? slot : 0;
        left += ngx_media_session_sweep(sessions, slot, now);
        slot++;

        if (left == NGX_MEDIA_SESSION_LEAVES) {
            break;
        }
    }

    ngx_media_store(&sh->cursor, slot);

    if (left < NGX_MEDIA_SESSION_LEAVES) {
        return 0;
    }

    /* a large stream has ended: whoever comes next goes on */

    ngx_media_store(&sh->tick, now - (ngx_media_sessions_pace(sessions)
                                      + NGX_MEDIA_SESSION_UNIT - 1)
                                     / NGX_MEDIA_SESSION_UNIT);

    return 1;
}


/* 1: it has left */

static ngx_uint_t
ngx_media_session_sweep(ngx_media_sessions_t *sessions, uint32_t slot,
    uint32_t now)
{
    ngx_uint_t                 leaves;
    ngx_media_session_shm_t   *s;
    ngx_media_session_info_t   info;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    s = &sh->slots[slot];

    if (!ngx_media_session_hangs(sh, slot, now)
        && (ngx_media_peek(&sh->tags[slot]) == 0
            || !ngx_media_session_over(sessions, now, slot)))
    {
        return 0;
    }

    ngx_media_sessions_lock(sessions);

    leaves = 1;

    if (ngx_media_session_hangs(sh, slot, now)) {
        s->pid = (uint32_t) ngx_pid;
        s->first = now;
        ngx_media_session_info(sessions, s, &info);

    } else if (sh->tags[slot]
               && ngx_media_session_over(sessions, now, slot))
    {
        ngx_media_session_leave_locked(sessions, slot, now, &info);

    } else {
        leaves = 0;
    }

    ngx_media_sessions_unlock(sessions);

    if (leaves) {
        ngx_media_session_left(sessions, slot, &info);
    }

    return leaves;
}


/* it was about to end, and nobody goes on with that */

static ngx_uint_t
ngx_media_session_hangs(const ngx_media_sessions_shm_t *sh, uint32_t slot,
    uint32_t now)
{
    uint32_t                        pid;
    const ngx_media_session_shm_t  *s;

    s = &sh->slots[slot];

    if (ngx_media_peek(&sh->tags[slot])) {
        return 0;
    }

    pid = ngx_media_peek(&s->pid);

    return pid
           && (pid == (uint32_t) ngx_pid
               || ngx_media_process_dead((ngx_pid_t) pid)
               || ngx_media_session_age(now, ngx_media_peek(&s->first))
                  >= NGX_MEDIA_SESSION_HANGS);
}


/* who comes need not look at them; nothing of whom they were of stays */

static void
ngx_media_session_bans_over_locked(ngx_media_sessions_shm_t *sh, uint32_t now)
{
    ngx_uint_t                    i;
    ngx_media_session_ban_shm_t  *ban;

    for (i = 0; sh->nbans && i < NGX_MEDIA_SESSION_BANS; i++) {
        ban = &sh->bans[i];

        if (sh->ban_keys[i] == 0 || ngx_media_session_age(ban->until, now)) {
            continue;
        }

        ngx_media_store(&sh->ban_keys[i], 0);
        sh->nbans--;

        ban->id = 0;
        ban->shown_viewer = 0;
        ban->name_len = 0;
        ngx_memzero(ban->name, NGX_MEDIA_SESSION_NAME);
    }
}
