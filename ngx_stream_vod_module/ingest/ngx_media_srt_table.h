
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * SRT sessions of an application, in the memory of its zone: a record comes
 * before a session's socket, and outlives it for a while.
 *
 *     add              open              end                  5 s
 *     FREE -> PENDING ------> OPEN -----------> ENDED ------------> FREE
 *                `-> FREE                        ^
 *                     free        its owner died '
 *
 * Each worker has a socket of the same port, and of one caller's datagrams any
 * of them may get some: those that repeat what another one has answered, those
 * that come late, and those of a session whose worker has died.  What they are
 * is found here, by the peer's address and id, and by our id, which is the
 * record's index and a random number.
 *
 * All functions take the table's lock, but ask the system whether a process is
 * there with no lock held.
 */


#ifndef _NGX_MEDIA_SRT_TABLE_H_INCLUDED_
#define _NGX_MEDIA_SRT_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_SRT_TABLE_LAYOUT  1

/* bits of an id that are the index of its record, and the bit that is of none
   but groups */
#define NGX_MEDIA_SRT_TABLE_INDEX   14
#define NGX_MEDIA_SRT_TABLE_GROUP   0x40000000

/* bytes of a secret of the zone's */
#define NGX_MEDIA_SRT_TABLE_SECRET  16


typedef struct ngx_media_srt_table_shm_s  ngx_media_srt_table_shm_t;


/* IPv6, or ::ffff:IPv4; port in network byte order */

typedef struct {
    u_char                    ip[16];
    u_char                    port[2];
} ngx_media_srt_addr_t;


typedef enum {
    NGX_MEDIA_SRT_FREE = 0,
    NGX_MEDIA_SRT_PENDING,                    /* it has no socket yet */
    NGX_MEDIA_SRT_OPEN,
    NGX_MEDIA_SRT_ENDED
} ngx_media_srt_state_e;


typedef struct {
    uint32_t                  id;             /* ours, set by add */
    uint32_t                  peer;           /* the caller's */
    uint32_t                  isn;
    ngx_media_srt_addr_t      remote;
    ngx_media_srt_addr_t      local;
    ngx_media_srt_state_e     state;          /* set by add and find */
    ngx_pid_t                 pid;            /* whose; likewise */
} ngx_media_srt_record_t;


/* bytes of it; init: fresh and zeroed memory of so many */
size_t ngx_media_srt_table_size(const ngx_media_zone_conf_t *conf);
void ngx_media_srt_table_init(ngx_media_srt_table_shm_t *table, size_t size,
    const u_char *secret);

/* NGX_MEDIA_SRT_TABLE_SECRET bytes, written once */
const u_char *ngx_media_srt_table_secret(
    const ngx_media_srt_table_shm_t *table);

/* NGX_ERROR: it is no address of the internet */
ngx_int_t ngx_media_srt_addr(ngx_media_srt_addr_t *addr,
    const struct sockaddr *sockaddr);

/*
 * A new session of this process, whose row in the zone this is, pending.
 * NGX_DECLINED: there is one of this peer already, in whichever process, or it
 * has ended a moment ago, and this is its handshake, by its ISN, which comes
 * late: record is that one's.  One whose process has died is
 * forgotten, and where there is no room so is the one that has ended first.
 * NGX_BUSY: none has.
 */
ngx_int_t ngx_media_srt_table_add(ngx_media_srt_table_shm_t *table,
    ngx_uint_t row, ngx_media_srt_record_t *record);

/* of this process */
void ngx_media_srt_table_open(ngx_media_srt_table_shm_t *table, uint32_t id);
void ngx_media_srt_table_end(ngx_media_srt_table_shm_t *table, uint32_t id);
void ngx_media_srt_table_free(ngx_media_srt_table_shm_t *table, uint32_t id);

/*
 * Whom this id and address belong to; NGX_DECLINED: nobody, or one who has not
 * been told anything yet.  *tell: the session has ended, or its process died,
 * and the peer, who does not know, is to be told, which this caller is alone to
 * do for the next second.
 */
ngx_int_t ngx_media_srt_table_find(ngx_media_srt_table_shm_t *table,
    uint32_t id, const ngx_media_srt_addr_t *remote,
    ngx_media_srt_record_t *record, ngx_uint_t *tell);

/* the process of this row has gone: its sessions have ended */
void ngx_media_srt_table_swept(ngx_media_srt_table_shm_t *table,
    ngx_uint_t row);

/* once a second: those that have ended for long enough are freed */
void ngx_media_srt_table_tick(ngx_media_srt_table_shm_t *table);

/* records that are not free */
ngx_uint_t ngx_media_srt_table_used(ngx_media_srt_table_shm_t *table);


#endif /* _NGX_MEDIA_SRT_TABLE_H_INCLUDED_ */
