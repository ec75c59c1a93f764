
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What lies in the memory of sessions.  Internal to them, and to their tests.
 *
 * The truth is the tags and slots.  What is marked [made] follows from them,
 * changes with them under the lock, and is made anew by who takes that from a
 * dead process.
 *
 *     tag == 0, pid == 0: free     tag != 0: a session (or, pid != 0, one
 *     tag == 0, pid != 0: ending             that is about to end)
 *
 * [lock]: changed under the lock, read anywhere; [atomic]; [once]: written
 * before the tag is, which is last; [ender]: of the process that ends it.  In
 * a free slot nothing is left of who was there.
 * Times are units of NGX_MEDIA_SESSION_UNIT of the system's monotonic clock.
 *
 * style: long header, it is one table.
 */


#ifndef _NGX_MEDIA_SESSION_SHM_H_INCLUDED_
#define _NGX_MEDIA_SESSION_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_session.h"
#include "formats/ngx_media_siphash.h"
#include "memory/ngx_media_sync.h"


#define NGX_MEDIA_SESSION_LAYOUT     3        /* of all that follows */

#define NGX_MEDIA_SESSION_BUCKET     8        /* sessions of one */
#define NGX_MEDIA_SESSION_ENTRIES    28       /* counts for a bucket: each
                                                 session has up to three */
#define NGX_MEDIA_SESSION_LANES      8
#define NGX_MEDIA_SESSION_UNIT       100      /* ms */
#define NGX_MEDIA_SESSION_DAY        86400
#define NGX_MEDIA_SESSION_SLICE      65536    /* slots swept at once */
#define NGX_MEDIA_SESSION_NONE       0xffffffff


/* flags of a slot */
#define NGX_MEDIA_SESSION_CONFIRMED  0x01
#define NGX_MEDIA_SESSION_NATIVE     0x02
#define NGX_MEDIA_SESSION_KICKED     0x04


/* three lines of a cache: what a hit changes, who it is, what of */

typedef struct {
    uint32_t                  seen;           /* [atomic] last */
    uint32_t                  first;          /* [atomic] media object; 0 */
    uint32_t                  banned;         /* [lock] until; 0: it is not */
    uint32_t                  admitted;       /* [atomic] until */
    uint64_t                  bytes;          /* [atomic] */
    uint64_t                  watch;          /* [atomic] ms */
    uint32_t                  requests;       /* [atomic] */
    uint32_t                  flags;          /* [lock] */
    uint64_t                  id;             /* [once], [ender] 0: all have
                                                 been told of its end */
    uint32_t                  pid;            /* [lock] who ends it; 0 */
    uint32_t                  moved;          /* [lock] slot + 1 that it is
                                                 being moved to */
    uint32_t                  started;        /* [once] */
    uint16_t                  app;            /* [once] index */
    uint8_t                   by;             /* [once] */
    uint8_t                   protocol;       /* [lock] */

    uint64_t                  stream;         /* [once] keys of counts; 0: it
                                                 has none */
    uint64_t                  viewer;
    uint64_t                  address;
    uint64_t                  shown_viewer;   /* [once] of the day */
    uint64_t                  shown_address;
    u_char                    plain[16];      /* [once] address */
    uint8_t                   plain_len;      /* [once] 0: it is not kept */
    uint8_t                   agent;
    uint16_t                  name_len;       /* [once] also of what is cut */
    uint32_t                  mark;           /* [atomic] */

    u_char                    name[NGX_MEDIA_SESSION_NAME];   /* [once] */
    uint64_t                  hook;           /* [atomic] */
} ngx_media_session_shm_t;


/* [made] sessions and viewers that have a key; 0: none has it */

typedef struct {
    uint64_t                  key;
    uint32_t                  sessions;
    uint32_t                  viewers;
} ngx_media_session_count_shm_t;


/* [atomic] an application's counters, a line of a cache for each lane */

typedef struct {
    uint64_t                  made;
    uint64_t                  refused;
    uint64_t                  limited;
    uint64_t                  banned;
    uint64_t                  watch;
    uint64_t                  unused[3];
} ngx_media_session_lane_shm_t;


/* [lock] the key of a ban is last, and first to go */

typedef struct {
    uint64_t                  id;
    uint64_t                  shown_viewer;
    uint32_t                  until;
    uint16_t                  app;
    uint8_t                   by;
    uint8_t                   name_len;
    u_char                    name[NGX_MEDIA_SESSION_NAME];
} ngx_media_session_ban_shm_t;


typedef struct {
    uint32_t                  len;
    u_char                    name[NGX_MEDIA_SESSION_APP];
} ngx_media_session_name_shm_t;


typedef struct {
    uint32_t                  layout;
    uint32_t                  nbuckets;
    uint32_t                  ncounts;
    uint32_t                  nslots;

    ngx_media_lock_t          lock;
    uint32_t                  tick;           /* [atomic] when swept last */
    uint32_t                  cursor;         /* [atomic] slot to sweep next */
    uint32_t                  rotated;        /* [lock] when the day began */
    int64_t                   wall;           /* [atomic] ms since the unix
                                                 epoch, at 0 of our clock */
    int64_t                   day;            /* [lock] of the secret */
    uint64_t                  serial;         /* [lock] of ids */

    /*
     * What tags and what is shown are made with, by the day's last bit; and
     * what never leaves the table.  Never on any disk.
     */
    u_char                    secrets[2][NGX_MEDIA_SIPHASH_KEY];
    u_char                    secret[NGX_MEDIA_SIPHASH_KEY];

    uint32_t                  used;           /* [made] */
    uint32_t                  nbans;          /* [made] */
    uint32_t                  napps;          /* [lock] */
    uint32_t                  viewers[NGX_MEDIA_SESSION_APPS]
                                     [NGX_MEDIA_SESSION_PROTOCOLS]; /* [made] */
    ngx_media_session_name_shm_t
                              apps[NGX_MEDIA_SESSION_APPS];   /* [once] */

    uint64_t                  ban_keys[NGX_MEDIA_SESSION_BANS];
    ngx_media_session_ban_shm_t
                              bans[NGX_MEDIA_SESSION_BANS];

    ngx_media_session_lane_shm_t
                             *lanes;          /* LANES of each of APPS */
    uint64_t                 *tags;           /* [lock] of slots */
    ngx_media_session_shm_t  *slots;
    ngx_media_session_count_shm_t
                             *counts;         /* [made] */
} ngx_media_sessions_shm_t;


/* as this process sees them; in the cycle's pool */

struct ngx_media_sessions_s {
    ngx_media_sessions_shm_t *sh;
    ngx_shm_zone_t           *shm_zone;
    uint32_t                  timeout;        /* units */
    ngx_uint_t                address;        /* _ADDRESS_* */
    ngx_array_t              *ended;          /* ngx_media_session_ended_pt */
    ngx_event_t               event;          /* sweeps */
};


/* what is counted together, by who it is; 0: that is not known */

typedef struct {
    uint64_t                  stream;
    uint64_t                  viewer;
    uint64_t                  address;
} ngx_media_session_keys_t;


/* lays out zeroed memory; NGX_ERROR: too small, or no random numbers */
ngx_int_t ngx_media_sessions_format(ngx_media_sessions_shm_t **sh, void *mem,
    size_t size);

void ngx_media_sessions_lock(ngx_media_sessions_t *sessions);
#define ngx_media_sessions_unlock(s)  ngx_media_unlock(&(s)->sh->lock)

/*
 * A slice of the table: who is over ends; now and then, by any process.  1:
 * there are so many that it is to go on in a moment.
 */
ngx_uint_t ngx_media_sessions_sweep(ngx_media_sessions_t *sessions);

/* ms between two of them */
ngx_msec_t ngx_media_sessions_pace(const ngx_media_sessions_t *sessions);


static ngx_inline uint32_t
ngx_media_session_now(void)
{
    return (uint32_t) (ngx_current_msec / NGX_MEDIA_SESSION_UNIT) + 1;
}


/* ms since the unix epoch: of one moment always the same, in all processes */
int64_t ngx_media_session_wall(ngx_media_sessions_shm_t *sh, uint32_t then);


/* clocks of processes differ by the age of their events */

static ngx_inline uint32_t
ngx_media_session_age(uint32_t now, uint32_t then)
{
    return (int32_t) (now - then) > 0 ? now - then : 0;
}


static ngx_inline ngx_uint_t
ngx_media_session_over(const ngx_media_sessions_t *sessions, uint32_t now,
    uint32_t slot)
{
    return ngx_media_session_age(now,
                               ngx_media_peek(&sessions->sh->slots[slot].seen))
           > sessions->timeout;
}


/* hashes of who it is: _hash.c */

void ngx_media_session_rotate(ngx_media_sessions_t *sessions);
uint64_t ngx_media_session_tag(const ngx_media_sessions_shm_t *sh,
    const ngx_media_session_who_t *who, ngx_uint_t old);
void ngx_media_session_keys(const ngx_media_sessions_shm_t *sh,
    const ngx_media_session_who_t *who, ngx_media_session_keys_t *keys);
void ngx_media_session_show(const ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, ngx_media_session_shm_t *slot);

/* may tags of the day before be met yet? */
ngx_uint_t ngx_media_session_overlaps(const ngx_media_sessions_shm_t *sh);


/* slots and counts: _table.c; all but find() under the lock */

uint32_t ngx_media_session_slot(const ngx_media_sessions_shm_t *sh,
    uint64_t tag);
uint32_t ngx_media_session_bucket(const ngx_media_sessions_shm_t *sh,
    uint64_t tag, ngx_uint_t i);
void ngx_media_session_link_locked(ngx_media_sessions_shm_t *sh,
    uint32_t slot, uint64_t tag);
void ngx_media_session_unlink_locked(ngx_media_sessions_shm_t *sh,
    uint32_t slot);
void ngx_media_session_viewer_locked(ngx_media_sessions_shm_t *sh,
    uint32_t slot, ngx_int_t n);
void ngx_media_session_count_locked(const ngx_media_sessions_shm_t *sh,
    uint64_t key, ngx_media_session_count_t *count);
ngx_uint_t ngx_media_session_app_locked(ngx_media_sessions_shm_t *sh,
    const ngx_str_t *name);

/* one that is free, or about to be: nothing of it stays */
void ngx_media_session_clear_locked(ngx_media_session_shm_t *s);

void ngx_media_session_repair_locked(ngx_media_sessions_shm_t *sh);


/* ends, and bans: _end.c */

/* from under the lock, then, with none held, the rest of it */
void ngx_media_session_leave_locked(ngx_media_sessions_t *sessions,
    uint32_t slot, uint32_t now, ngx_media_session_info_t *info);
void ngx_media_session_left(ngx_media_sessions_t *sessions, uint32_t slot,
    const ngx_media_session_info_t *info);

/* until when; 0: it is not banned */
uint32_t ngx_media_session_banned(const ngx_media_sessions_shm_t *sh,
    uint32_t now, uint64_t stream, uint64_t viewer);


void ngx_media_session_info(const ngx_media_sessions_t *sessions,
    const ngx_media_session_shm_t *slot, ngx_media_session_info_t *info);


/* this worker's counters of an application */

static ngx_inline ngx_media_session_lane_shm_t *
ngx_media_session_lane(const ngx_media_sessions_shm_t *sh, ngx_uint_t app)
{
    return &sh->lanes[app * NGX_MEDIA_SESSION_LANES
                      + ngx_worker % NGX_MEDIA_SESSION_LANES];
}


#if (NGX_DEBUG)

/* do the books agree: each contradiction is an alert; how many there are */
ngx_uint_t ngx_media_sessions_validate(ngx_media_sessions_t *sessions);

#endif


#endif /* _NGX_MEDIA_SESSION_SHM_H_INCLUDED_ */
