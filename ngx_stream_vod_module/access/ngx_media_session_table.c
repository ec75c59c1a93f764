
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The table: a tag may be in two buckets, of eight slots each.  The tags of a
 * bucket are a line of a cache, so who looks for one reads two.
 *
 * Counts are an open table of keys, of streams, viewers and addresses alike:
 * keys of different kinds are different hashes.  There are 28 entries for eight
 * sessions, which have 24 keys at most, so it is never full.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session_shm.h"

#include <openssl/rand.h>


static void ngx_media_session_keep_locked(ngx_media_sessions_shm_t *sh,
    uint64_t key, ngx_int_t sessions, ngx_int_t viewers);
static uint32_t ngx_media_session_entry_locked(
    const ngx_media_sessions_shm_t *sh, uint64_t key);
static void ngx_media_session_drop_locked(ngx_media_sessions_shm_t *sh,
    uint32_t n);
static void ngx_media_session_settle_locked(ngx_media_sessions_shm_t *sh,
    uint32_t slot);


/* 32 random bits to a number below n */

#define ngx_media_session_scale(bits, n)                                      \
    ((uint32_t) ((uint64_t) (uint32_t) (bits) * (n) >> 32))


ngx_int_t
ngx_media_sessions_format(ngx_media_sessions_shm_t **out, void *mem,
    size_t size)
{
    size_t                     head, bucket;
    u_char                    *p;
    ngx_media_sessions_shm_t  *sh;

    head = ngx_align(sizeof(ngx_media_sessions_shm_t), 64)
           + NGX_MEDIA_SESSION_APPS * NGX_MEDIA_SESSION_LANES
             * sizeof(ngx_media_session_lane_shm_t)
           + 64;

    bucket = NGX_MEDIA_SESSION_BUCKET
             * (sizeof(uint64_t) + sizeof(ngx_media_session_shm_t))
             + NGX_MEDIA_SESSION_ENTRIES
               * sizeof(ngx_media_session_count_shm_t);

    if (size < head + 2 * bucket) {
        return NGX_ERROR;
    }

    p = ngx_align_ptr((u_char *) mem, 64);
    sh = (ngx_media_sessions_shm_t *) p;

    sh->layout = NGX_MEDIA_SESSION_LAYOUT;
    sh->nbuckets = ngx_min((size - head) / bucket,
                           NGX_MEDIA_SESSION_NONE / NGX_MEDIA_SESSION_ENTRIES);
    sh->ncounts = sh->nbuckets * NGX_MEDIA_SESSION_ENTRIES;
    sh->nslots = sh->nbuckets * NGX_MEDIA_SESSION_BUCKET;
    sh->day = ngx_time() / NGX_MEDIA_SESSION_DAY;
    sh->napps = 1;

    if (RAND_bytes(sh->secret, NGX_MEDIA_SIPHASH_KEY) != 1
        || RAND_bytes(sh->secrets[0], 2 * NGX_MEDIA_SIPHASH_KEY) != 1
        || RAND_bytes((u_char *) &sh->serial, sizeof(uint64_t)) != 1)
    {
        return NGX_ERROR;
    }

    p += ngx_align(sizeof(ngx_media_sessions_shm_t), 64);
    sh->lanes = (ngx_media_session_lane_shm_t *) p;

    p += NGX_MEDIA_SESSION_APPS * NGX_MEDIA_SESSION_LANES
         * sizeof(ngx_media_session_lane_shm_t);
    sh->tags = (uint64_t *) p;

    p += sh->nslots * sizeof(uint64_t);
    sh->slots = (ngx_media_session_shm_t *) p;

    p += sh->nslots * sizeof(ngx_media_session_shm_t);
    sh->counts = (ngx_media_session_count_shm_t *) p;

    *out = sh;

    return NGX_OK;
}


void
ngx_media_sessions_lock(ngx_media_sessions_t *sessions)
{
    if (ngx_media_lock(&sessions->sh->lock) == NGX_DONE) {
        ngx_media_session_repair_locked(sessions->sh);
    }
}


/* the first slot of a tag's bucket, of both */

uint32_t
ngx_media_session_bucket(const ngx_media_sessions_shm_t *sh, uint64_t tag,
    ngx_uint_t i)
{
    uint32_t  first, second;

    first = ngx_media_session_scale(tag, sh->nbuckets);

    if (i == 0) {
        return first * NGX_MEDIA_SESSION_BUCKET;
    }

    second = ngx_media_session_scale(tag >> 32, sh->nbuckets);

    if (second == first) {
        second = (first + 1) % sh->nbuckets;
    }

    return second * NGX_MEDIA_SESSION_BUCKET;
}


uint32_t
ngx_media_session_slot(const ngx_media_sessions_shm_t *sh, uint64_t tag)
{
    uint32_t         slot;
    ngx_uint_t       i, n;
    const uint64_t  *tags;

    __builtin_prefetch(&sh->tags[ngx_media_session_bucket(sh, tag, 1)]);

    for (n = 0; n < 2; n++) {
        slot = ngx_media_session_bucket(sh, tag, n);
        tags = &sh->tags[slot];

        for (i = 0; i < NGX_MEDIA_SESSION_BUCKET; i++) {
            if (ngx_media_load(&tags[i]) == tag) {
                return slot + i;
            }
        }
    }

    return NGX_MEDIA_SESSION_NONE;
}


/* all of it has been written: from now on it is found */

void
ngx_media_session_link_locked(ngx_media_sessions_shm_t *sh, uint32_t slot,
    uint64_t tag)
{
    ngx_media_session_settle_locked(sh, slot);

    ngx_media_store(&sh->tags[slot], tag);
}


static void
ngx_media_session_settle_locked(ngx_media_sessions_shm_t *sh, uint32_t slot)
{
    ngx_int_t                 viewer;
    ngx_media_session_shm_t  *s;

    s = &sh->slots[slot];

    viewer = (s->flags & (NGX_MEDIA_SESSION_CONFIRMED
                          |NGX_MEDIA_SESSION_KICKED))
             == NGX_MEDIA_SESSION_CONFIRMED;

    sh->used++;
    sh->viewers[s->app][s->protocol] += viewer;

    ngx_media_session_keep_locked(sh, s->stream, 1, viewer);
    ngx_media_session_keep_locked(sh, s->viewer, 1, viewer);
    ngx_media_session_keep_locked(sh, s->address, 1, viewer);
}


/* nobody finds it any more */

void
ngx_media_session_unlink_locked(ngx_media_sessions_shm_t *sh, uint32_t slot)
{
    ngx_int_t                 viewer;
    ngx_media_session_shm_t  *s;

    s = &sh->slots[slot];

    ngx_media_store(&sh->tags[slot], 0);

    viewer = (s->flags & (NGX_MEDIA_SESSION_CONFIRMED
                          |NGX_MEDIA_SESSION_KICKED))
             == NGX_MEDIA_SESSION_CONFIRMED;

    sh->used--;
    sh->viewers[s->app][s->protocol] -= viewer;

    ngx_media_session_keep_locked(sh, s->stream, -1, -viewer);
    ngx_media_session_keep_locked(sh, s->viewer, -1, -viewer);
    ngx_media_session_keep_locked(sh, s->address, -1, -viewer);
}


/* it has become a viewer (1), or is none any more (-1) */

void
ngx_media_session_viewer_locked(ngx_media_sessions_shm_t *sh, uint32_t slot,
    ngx_int_t n)
{
    ngx_media_session_shm_t  *s;

    s = &sh->slots[slot];

    sh->viewers[s->app][s->protocol] += n;

    ngx_media_session_keep_locked(sh, s->stream, 0, n);
    ngx_media_session_keep_locked(sh, s->viewer, 0, n);
    ngx_media_session_keep_locked(sh, s->address, 0, n);
}


void
ngx_media_session_count_locked(const ngx_media_sessions_shm_t *sh,
    uint64_t key, ngx_media_session_count_t *count)
{
    const ngx_media_session_count_shm_t  *entry;

    entry = &sh->counts[ngx_media_session_entry_locked(sh, key)];

    count->sessions = entry->sessions;
    count->viewers = entry->viewers;
}


static void
ngx_media_session_keep_locked(ngx_media_sessions_shm_t *sh, uint64_t key,
    ngx_int_t sessions, ngx_int_t viewers)
{
    uint32_t                        n;
    ngx_media_session_count_shm_t  *entry;

    if (key == 0) {
        return;
    }

    n = ngx_media_session_entry_locked(sh, key);
    entry = &sh->counts[n];

    entry->key = key;
    entry->sessions += sessions;
    entry->viewers += viewers;

    if (entry->sessions == 0) {
        ngx_media_session_drop_locked(sh, n);
    }
}


/* the key's entry, or the free one where it would be */

static uint32_t
ngx_media_session_entry_locked(const ngx_media_sessions_shm_t *sh,
    uint64_t key)
{
    uint32_t  n;

    n = ngx_media_session_scale(key >> 32, sh->ncounts);

    while (sh->counts[n].key && sh->counts[n].key != key) {
        n = (n + 1 < sh->ncounts) ? n + 1 : 0;
    }

    return n;
}


/*
 * What follows moves up, unless that would be before its place: so there is
 * never a hole between a place and its entry.
 */

static void
ngx_media_session_drop_locked(ngx_media_sessions_shm_t *sh, uint32_t n)
{
    uint32_t  i, place;

    i = n;

    for ( ;; ) {
        i = (i + 1 < sh->ncounts) ? i + 1 : 0;

        if (sh->counts[i].key == 0) {
            break;
        }

        place = ngx_media_session_scale(sh->counts[i].key >> 32, sh->ncounts);

        /* does the hole lie between its place and where it is? */

        if (n <= i ? (place <= n || place > i) : (place <= n && place > i)) {
            sh->counts[n] = sh->counts[i];
            n = i;
        }
    }

    ngx_memzero(&sh->counts[n], sizeof(ngx_media_session_count_shm_t));
}


ngx_uint_t
ngx_media_session_app_locked(ngx_media_sessions_shm_t *sh,
    const ngx_str_t *name)
{
    size_t                         len;
    ngx_uint_t                     i;
    ngx_media_session_name_shm_t  *entry;

    len = ngx_min(name->len, NGX_MEDIA_SESSION_APP);

    for (i = 1; i < sh->napps; i++) {
        if (sh->apps[i].len == len
            && ngx_memcmp(sh->apps[i].name, name->data, len) == 0)
        {
            return i;
        }
    }

    if (i == NGX_MEDIA_SESSION_APPS) {
        return 0;
    }

    entry = &sh->apps[i];

    entry->len = len;
    ngx_memcpy(entry->name, name->data, len);

    ngx_media_store(&sh->napps, (uint32_t) i + 1);

    return i;
}


/* by its id, or its pid if it has one, it is known until all else has gone */

void
ngx_media_session_clear_locked(ngx_media_session_shm_t *s)
{
    u_char  *p;

    p = (u_char *) &s->moved;

    ngx_memzero(s, offsetof(ngx_media_session_shm_t, id));
    ngx_memzero(p, (u_char *) (s + 1) - p);

    ngx_media_store(&s->id, 0);
    ngx_media_store(&s->pid, 0);
}


/*
 * Who had the lock died.  A session that was being moved is where its tag of
 * this day is, if that was reached; one that was about to end, ends.  What was
 * being written, or left, and is no session has an id yet: it is cleared.
 */

void
ngx_media_session_repair_locked(ngx_media_sessions_shm_t *sh)
{
    uint32_t                  i, to;
    ngx_media_session_shm_t  *s;

    for (i = 0; i < sh->nslots; i++) {
        s = &sh->slots[i];

        to = s->moved - 1;

        if (sh->tags[i] && s->moved && sh->tags[to]
            && sh->slots[to].id == s->id)
        {
            ngx_media_store(&sh->tags[i], 0);
        }

        if (sh->tags[i] == 0) {

            if (s->id && ngx_media_peek(&s->pid) == 0) {
                ngx_media_session_clear_locked(s);
            }

            continue;
        }

        s->moved = 0;

        if (ngx_media_peek(&s->pid)) {
            ngx_media_store(&sh->tags[i], 0);
        }
    }

    sh->used = 0;
    ngx_memzero(sh->viewers, sizeof(sh->viewers));
    ngx_memzero(sh->counts,
                sh->ncounts * sizeof(ngx_media_session_count_shm_t));

    for (i = 0; i < sh->nslots; i++) {
        if (sh->tags[i]) {
            ngx_media_session_settle_locked(sh, i);
        }
    }

    sh->nbans = 0;

    for (i = 0; i < NGX_MEDIA_SESSION_BANS; i++) {
        sh->nbans += sh->ban_keys[i] != 0;
    }
}


#if (NGX_DEBUG)

#define ngx_media_session_must(n, expr, what, value)                          \
    do {                                                                      \
        if (!(expr)) {                                                        \
            (n)++;                                                            \
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,                   \
                          "media sessions: " what ", at:%uL",                 \
                          (uint64_t) (value));                                \
        }                                                                     \
    } while (0)


ngx_uint_t
ngx_media_sessions_validate(ngx_media_sessions_t *sessions)
{
    uint32_t                    i, j, used, viewers, shown;
    uint64_t                    sum;
    ngx_uint_t                  n;
    ngx_media_session_shm_t    *s;
    ngx_media_session_count_t   count;
    ngx_media_sessions_shm_t   *sh;

    sh = sessions->sh;
    used = 0;
    viewers = 0;
    shown = 0;
    sum = 0;
    n = 0;

    ngx_media_sessions_lock(sessions);

    for (i = 0; i < sh->nslots; i++) {
        s = &sh->slots[i];

        if (sh->tags[i] == 0) {
            continue;
        }

        used++;
        sum += (s->stream != 0) + (s->viewer != 0) + (s->address != 0);
        viewers += (s->flags & (NGX_MEDIA_SESSION_CONFIRMED
                                |NGX_MEDIA_SESSION_KICKED))
                   == NGX_MEDIA_SESSION_CONFIRMED;

        ngx_media_session_must(n, ngx_media_session_slot(sh, sh->tags[i]) == i,
                               "a tag is not found, or is there twice", i);
        ngx_media_session_must(n, s->pid == 0, "a session ends", i);
        ngx_media_session_must(n, s->app < sh->napps, "no such app", i);

        ngx_media_session_count_locked(sh, s->stream, &count);
        ngx_media_session_must(n, s->stream == 0 || count.sessions,
                               "its stream is not counted", i);

        ngx_media_session_count_locked(sh, s->viewer, &count);
        ngx_media_session_must(n, s->viewer == 0 || count.sessions,
                               "its viewer is not counted", i);
    }

    for (i = 0; i < sh->ncounts; i++) {
        sum -= sh->counts[i].sessions;
        ngx_media_session_must(n, !sh->counts[i].key
                                  == !sh->counts[i].sessions,
                               "a count of nothing", i);
        ngx_media_session_must(n, sh->counts[i].viewers
                                  <= sh->counts[i].sessions,
                               "more viewers than sessions", i);
    }

    for (i = 0; i < NGX_MEDIA_SESSION_APPS; i++) {
        for (j = 0; j < NGX_MEDIA_SESSION_PROTOCOLS; j++) {
            shown += sh->viewers[i][j];
        }
    }

    ngx_media_session_must(n, sh->used == used, "used", used);
    ngx_media_session_must(n, shown == viewers, "viewers", viewers);
    ngx_media_session_must(n, sum == 0, "counts", sum);

    ngx_media_sessions_unlock(sessions);

    return n;
}

#endif
