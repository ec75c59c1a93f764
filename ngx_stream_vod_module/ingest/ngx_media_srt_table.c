
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A record is what its state says, which is written when all the rest of it is.
 * The list of free ones and the chains by peer are made of that again where a
 * process died as it had the lock.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_siphash.h"
#include "ingest/ngx_media_srt_table.h"
#include "memory/ngx_media_process.h"
#include "memory/ngx_media_sync.h"


#define NGX_MEDIA_SRT_LEAST      1024         /* records */
#define NGX_MEDIA_SRT_MOST       (1 << NGX_MEDIA_SRT_TABLE_INDEX)
#define NGX_MEDIA_SRT_SHARE      65536        /* bytes of payload for one */
#define NGX_MEDIA_SRT_LINGER     5000         /* ms that one outlives its end */
#define NGX_MEDIA_SRT_TELL       1000         /* ms between SHUTDOWNs */


typedef struct {
    uint32_t                  state;          /* ngx_media_srt_state_e */
    uint32_t                  id;
    uint32_t                  peer;
    uint32_t                  isn;
    uint64_t                  start;          /* of the process */
    uint32_t                  pid;
    uint32_t                  row;            /* of the process in the zone */
    uint32_t                  next;           /* FREE: the next one, + 1; else
                                                 of its chain */
    uint64_t                  ended;          /* ngx_current_msec then */
    uint64_t                  told;           /* likewise; 0: never */
    ngx_media_srt_addr_t      remote;
    ngx_media_srt_addr_t      local;
} ngx_media_srt_record_shm_t;


struct ngx_media_srt_table_shm_s {
    ngx_media_lock_t          lock;           /* first; of all but secret */
    uint32_t                  n;              /* records; written once */
    uint32_t                  used;           /* never used are those behind */
    uint32_t                  free;           /* the first free one, + 1 */
    u_char                    secret[NGX_MEDIA_SRT_TABLE_SECRET];
                                              /* written once */
    uint32_t                  chains[NGX_MEDIA_SRT_LEAST];
                                              /* the first record, + 1 */
    ngx_media_srt_record_shm_t
                              records[];
};


static void ngx_media_srt_table_lock(ngx_media_srt_table_shm_t *table);
static void ngx_media_srt_table_repair_locked(
    ngx_media_srt_table_shm_t *table);
static uint32_t *ngx_media_srt_chain(ngx_media_srt_table_shm_t *table,
    const ngx_media_srt_addr_t *remote, uint32_t peer);
static ngx_media_srt_record_shm_t *ngx_media_srt_by_peer_locked(
    ngx_media_srt_table_shm_t *table, const ngx_media_srt_addr_t *remote,
    uint32_t peer);
static ngx_media_srt_record_shm_t *ngx_media_srt_by_id_locked(
    ngx_media_srt_table_shm_t *table, uint32_t id);
static ngx_int_t ngx_media_srt_fill_locked(ngx_media_srt_table_shm_t *table,
    ngx_uint_t row, ngx_media_srt_record_t *record);
static void ngx_media_srt_room_locked(ngx_media_srt_table_shm_t *table);
static void ngx_media_srt_free_locked(ngx_media_srt_table_shm_t *table,
    ngx_media_srt_record_shm_t *r);
static void ngx_media_srt_ended_locked(ngx_media_srt_record_shm_t *r);
static void ngx_media_srt_left_locked(ngx_media_srt_table_shm_t *table,
    ngx_media_srt_record_shm_t *r);
static ngx_uint_t ngx_media_srt_passed(uint64_t since, ngx_msec_t time);
static void ngx_media_srt_copy_locked(const ngx_media_srt_record_shm_t *r,
    ngx_media_srt_record_t *record);


size_t
ngx_media_srt_table_size(const ngx_media_zone_conf_t *conf)
{
    size_t  n;

    n = conf->accounts + conf->size / NGX_MEDIA_SRT_SHARE;
    n = ngx_max(n, NGX_MEDIA_SRT_LEAST);
    n = ngx_min(n, NGX_MEDIA_SRT_MOST);

    return sizeof(ngx_media_srt_table_shm_t)
           + n * sizeof(ngx_media_srt_record_shm_t);
}


void
ngx_media_srt_table_init(ngx_media_srt_table_shm_t *table, size_t size,
    const u_char *secret)
{
    table->n = (size - sizeof(ngx_media_srt_table_shm_t))
               / sizeof(ngx_media_srt_record_shm_t);

    ngx_memcpy(table->secret, secret, NGX_MEDIA_SRT_TABLE_SECRET);
}


const u_char *
ngx_media_srt_table_secret(const ngx_media_srt_table_shm_t *table)
{
    return table->secret;
}


ngx_int_t
ngx_media_srt_addr(ngx_media_srt_addr_t *addr,
    const struct sockaddr *sockaddr)
{
    const struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    const struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(addr, sizeof(ngx_media_srt_addr_t));

    switch (sockaddr->sa_family) {

    case AF_INET:
        sin = (const struct sockaddr_in *) sockaddr;

        addr->ip[10] = 0xff;
        addr->ip[11] = 0xff;
        ngx_memcpy(addr->ip + 12, &sin->sin_addr, 4);
        ngx_memcpy(addr->port, &sin->sin_port, 2);

        return NGX_OK;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (const struct sockaddr_in6 *) sockaddr;

        ngx_memcpy(addr->ip, &sin6->sin6_addr, 16);
        ngx_memcpy(addr->port, &sin6->sin6_port, 2);

        return NGX_OK;
#endif

    default:
        return NGX_ERROR;
    }
}


static void
ngx_media_srt_table_lock(ngx_media_srt_table_shm_t *table)
{
    if (ngx_media_lock(&table->lock) == NGX_DONE) {
        ngx_media_srt_table_repair_locked(table);
    }
}


static void
ngx_media_srt_table_repair_locked(ngx_media_srt_table_shm_t *table)
{
    uint32_t                    *chain;
    ngx_uint_t                   i;
    ngx_media_srt_record_shm_t  *r;

    table->free = 0;
    ngx_memzero(table->chains, sizeof(table->chains));

    for (i = 0; i < table->used; i++) {
        r = &table->records[i];

        chain = (r->state == NGX_MEDIA_SRT_FREE)
                ? &table->free
                : ngx_media_srt_chain(table, &r->remote, r->peer);

        r->next = *chain;
        *chain = i + 1;
    }
}


/* callers choose their ids and ports: not also their chains */

static uint32_t *
ngx_media_srt_chain(ngx_media_srt_table_shm_t *table,
    const ngx_media_srt_addr_t *remote, uint32_t peer)
{
    ngx_media_siphash_t  hash;

    ngx_media_siphash_init(&hash, table->secret);
    ngx_media_siphash_update(&hash, (const u_char *) remote,
                             sizeof(ngx_media_srt_addr_t));
    ngx_media_siphash_update(&hash, (u_char *) &peer, sizeof(uint32_t));

    return &table->chains[ngx_media_siphash_final(&hash)
                          % NGX_MEDIA_SRT_LEAST];
}


static ngx_media_srt_record_shm_t *
ngx_media_srt_by_peer_locked(ngx_media_srt_table_shm_t *table,
    const ngx_media_srt_addr_t *remote, uint32_t peer)
{
    uint32_t                     i;
    ngx_media_srt_record_shm_t  *r;

    for (i = *ngx_media_srt_chain(table, remote, peer); i; i = r->next) {
        r = &table->records[i - 1];

        if (r->peer == peer
            && ngx_memcmp(&r->remote, remote, sizeof(ngx_media_srt_addr_t))
               == 0)
        {
            return r;
        }
    }

    return NULL;
}


static ngx_media_srt_record_shm_t *
ngx_media_srt_by_id_locked(ngx_media_srt_table_shm_t *table, uint32_t id)
{
    uint32_t                     i;
    ngx_media_srt_record_shm_t  *r;

    i = id & (NGX_MEDIA_SRT_MOST - 1);

    if (i >= table->used) {
        return NULL;
    }

    r = &table->records[i];

    return (r->state != NGX_MEDIA_SRT_FREE && r->id == id) ? r : NULL;
}


ngx_int_t
ngx_media_srt_table_add(ngx_media_srt_table_shm_t *table, ngx_uint_t row,
    ngx_media_srt_record_t *record)
{
    uint64_t                     start;
    ngx_int_t                    rc;
    ngx_uint_t                   gone;
    ngx_media_srt_record_t       old;
    ngx_media_srt_record_shm_t  *r;

    gone = 0;
    start = 0;
    old.id = 0;

    (void) ngx_media_process_self();

    for ( ;; ) {
        ngx_media_srt_table_lock(table);

        r = ngx_media_srt_by_peer_locked(table, &record->remote,
                                         record->peer);

        if (r == NULL || (gone && r->id == old.id)) {
            break;
        }

        /* it does not repeat what it said: a caller that always has this id */

        if (r->state == NGX_MEDIA_SRT_ENDED && r->isn != record->isn) {
            break;
        }

        ngx_media_srt_copy_locked(r, &old);
        start = r->start;

        ngx_media_unlock(&table->lock);

        gone = old.state != NGX_MEDIA_SRT_ENDED
               && old.pid != ngx_pid
               && ngx_media_process_gone(old.pid, start);

        if (!gone) {
            *record = old;
            return NGX_DECLINED;
        }
    }

    if (r) {
        ngx_media_srt_free_locked(table, r);
    }

    rc = ngx_media_srt_fill_locked(table, row, record);

    ngx_media_unlock(&table->lock);

    return rc;
}


static ngx_int_t
ngx_media_srt_fill_locked(ngx_media_srt_table_shm_t *table, ngx_uint_t row,
    ngx_media_srt_record_t *record)
{
    uint32_t                     i, *chain;
    ngx_media_srt_record_shm_t  *r;

    if (table->free == 0 && table->used == table->n) {
        ngx_media_srt_room_locked(table);
    }

    if (table->free) {
        i = table->free - 1;
        table->free = table->records[i].next;

    } else if (table->used < table->n) {
        i = table->used++;

    } else {
        return NGX_BUSY;
    }

    r = &table->records[i];

    record->id = ((uint32_t) ngx_random() & 0xffff)
                 << NGX_MEDIA_SRT_TABLE_INDEX | i;

    /* 0 is of who has no id */

    if (record->id == 0) {
        record->id = 1 << NGX_MEDIA_SRT_TABLE_INDEX;
    }

    record->state = NGX_MEDIA_SRT_PENDING;
    record->pid = ngx_pid;

    r->id = record->id;
    r->peer = record->peer;
    r->isn = record->isn;
    r->remote = record->remote;
    r->local = record->local;
    r->pid = (uint32_t) ngx_pid;
    r->start = ngx_media_process_self();
    r->row = (uint32_t) row;
    r->told = 0;

    chain = ngx_media_srt_chain(table, &r->remote, r->peer);

    r->next = *chain;
    *chain = i + 1;

    ngx_media_store(&r->state, NGX_MEDIA_SRT_PENDING);

    return NGX_OK;
}


/* who begins needs a record more than the one who has ended first of all */

static void
ngx_media_srt_room_locked(ngx_media_srt_table_shm_t *table)
{
    ngx_uint_t                   i;
    ngx_media_srt_record_shm_t  *r, *first;

    first = NULL;

    for (i = 0; i < table->used; i++) {
        r = &table->records[i];

        if (r->state == NGX_MEDIA_SRT_ENDED
            && (first == NULL || r->ended < first->ended))
        {
            first = r;
        }
    }

    if (first) {
        ngx_media_srt_free_locked(table, first);
    }
}


void
ngx_media_srt_table_open(ngx_media_srt_table_shm_t *table, uint32_t id)
{
    ngx_media_srt_record_shm_t  *r;

    ngx_media_srt_table_lock(table);

    r = ngx_media_srt_by_id_locked(table, id);

    if (r) {
        ngx_media_store(&r->state, NGX_MEDIA_SRT_OPEN);
    }

    ngx_media_unlock(&table->lock);
}


void
ngx_media_srt_table_end(ngx_media_srt_table_shm_t *table, uint32_t id)
{
    ngx_media_srt_record_shm_t  *r;

    ngx_media_srt_table_lock(table);

    r = ngx_media_srt_by_id_locked(table, id);

    if (r) {
        ngx_media_srt_ended_locked(r);
    }

    ngx_media_unlock(&table->lock);
}


void
ngx_media_srt_table_free(ngx_media_srt_table_shm_t *table, uint32_t id)
{
    ngx_media_srt_record_shm_t  *r;

    ngx_media_srt_table_lock(table);

    r = ngx_media_srt_by_id_locked(table, id);

    if (r) {
        ngx_media_srt_free_locked(table, r);
    }

    ngx_media_unlock(&table->lock);
}


static void
ngx_media_srt_free_locked(ngx_media_srt_table_shm_t *table,
    ngx_media_srt_record_shm_t *r)
{
    uint32_t  i, *link;

    i = (r - table->records) + 1;

    for (link = ngx_media_srt_chain(table, &r->remote, r->peer);
         *link;
         link = &table->records[*link - 1].next)
    {
        if (*link == i) {
            *link = r->next;
            break;
        }
    }

    ngx_media_store(&r->state, NGX_MEDIA_SRT_FREE);

    r->next = table->free;
    table->free = i;
}


static void
ngx_media_srt_ended_locked(ngx_media_srt_record_shm_t *r)
{
    r->ended = ngx_current_msec;

    ngx_media_store(&r->state, NGX_MEDIA_SRT_ENDED);
}


/* another process may know of a later time than this one, which has not looked
   at the clock yet */

static ngx_uint_t
ngx_media_srt_passed(uint64_t since, ngx_msec_t time)
{
    return (ngx_msec_int_t) (ngx_current_msec - (ngx_msec_t) since)
           >= (ngx_msec_int_t) time;
}


static void
ngx_media_srt_copy_locked(const ngx_media_srt_record_shm_t *r,
    ngx_media_srt_record_t *record)
{
    record->id = r->id;
    record->peer = r->peer;
    record->isn = r->isn;
    record->remote = r->remote;
    record->local = r->local;
    record->state = r->state;
    record->pid = (ngx_pid_t) r->pid;
}


ngx_int_t
ngx_media_srt_table_find(ngx_media_srt_table_shm_t *table, uint32_t id,
    const ngx_media_srt_addr_t *remote, ngx_media_srt_record_t *record,
    ngx_uint_t *tell)
{
    uint64_t                     start;
    ngx_uint_t                   gone;
    ngx_media_srt_record_shm_t  *r;

    *tell = 0;

    ngx_media_srt_table_lock(table);

    r = ngx_media_srt_by_id_locked(table, id);

    if (r == NULL
        || ngx_memcmp(&r->remote, remote, sizeof(ngx_media_srt_addr_t)) != 0)
    {
        ngx_media_unlock(&table->lock);
        return NGX_DECLINED;
    }

    ngx_media_srt_copy_locked(r, record);
    start = r->start;

    ngx_media_unlock(&table->lock);

    if (record->state != NGX_MEDIA_SRT_ENDED) {
        gone = record->pid != ngx_pid
               && ngx_media_process_gone(record->pid, start);

        if (!gone) {
            return NGX_OK;
        }
    }

    ngx_media_srt_table_lock(table);

    r = ngx_media_srt_by_id_locked(table, id);

    if (r && r->state != NGX_MEDIA_SRT_ENDED) {
        ngx_media_srt_left_locked(table, r);
    }

    if (r && r->state == NGX_MEDIA_SRT_ENDED
        && (r->told == 0
            || ngx_media_srt_passed(r->told, NGX_MEDIA_SRT_TELL)))
    {
        r->told = ngx_current_msec;
        *tell = 1;
    }

    ngx_media_unlock(&table->lock);

    record->state = NGX_MEDIA_SRT_ENDED;

    return NGX_OK;
}


/*
 * Its process has gone.  A caller who was not answered repeats what he asked,
 * and is a new one then.
 */

static void
ngx_media_srt_left_locked(ngx_media_srt_table_shm_t *table,
    ngx_media_srt_record_shm_t *r)
{
    if (r->state == NGX_MEDIA_SRT_PENDING) {
        ngx_media_srt_free_locked(table, r);

    } else if (r->state == NGX_MEDIA_SRT_OPEN) {
        ngx_media_srt_ended_locked(r);
    }
}


void
ngx_media_srt_table_swept(ngx_media_srt_table_shm_t *table, ngx_uint_t row)
{
    ngx_uint_t                   i;
    ngx_media_srt_record_shm_t  *r;

    ngx_media_srt_table_lock(table);

    for (i = 0; i < table->used; i++) {
        r = &table->records[i];

        if (r->row == row && r->state != NGX_MEDIA_SRT_FREE) {
            ngx_media_srt_left_locked(table, r);
        }
    }

    ngx_media_unlock(&table->lock);
}


void
ngx_media_srt_table_tick(ngx_media_srt_table_shm_t *table)
{
    ngx_uint_t                   i;
    ngx_media_srt_record_shm_t  *r;

    for (i = 0; i < ngx_media_peek(&table->used); i++) {
        r = &table->records[i];

        if (ngx_media_peek(&r->state) != NGX_MEDIA_SRT_ENDED) {
            continue;
        }

        ngx_media_srt_table_lock(table);

        if (r->state == NGX_MEDIA_SRT_ENDED
            && ngx_media_srt_passed(r->ended, NGX_MEDIA_SRT_LINGER))
        {
            ngx_media_srt_free_locked(table, r);
        }

        ngx_media_unlock(&table->lock);
    }
}


ngx_uint_t
ngx_media_srt_table_used(ngx_media_srt_table_shm_t *table)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < ngx_media_peek(&table->used); i++) {
        n += ngx_media_peek(&table->records[i].state) != NGX_MEDIA_SRT_FREE;
    }

    return n;
}
