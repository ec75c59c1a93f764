
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Whom hooks were told of, in the memory of a zone, so that of each of them
 * the end is told, too, whoever is left to do so:
 *
 *     add            admit          end            drop
 *     FREE -> ASKED ------> HERE ---------> SENDING ------> FREE
 *               `------------`---> DUE ---> take -^
 *                    swept          ^------------'  swept
 *
 * One who is asked about, or is here, belongs to a process; when that goes or
 * dies his end is due, and some other worker tells it, as it is when a process
 * tells of enough others.  Who dies as he sends has another one send it again,
 * with the same id.  The first that is due is the first that is taken.
 *
 * Where nobody is asked he is COMING until he is HERE, and nobody hears of him
 * if he does not come so far.
 *
 * All functions take the table's lock; nobody is called under it.
 *
 * style: long header, it is one table and what it holds.
 */


#ifndef _NGX_MEDIA_HOOK_TABLE_H_INCLUDED_
#define _NGX_MEDIA_HOOK_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_hook.h"
#include "memory/ngx_media_sync.h"
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_HOOK_LAYOUT    2
#define NGX_MEDIA_HOOK_TEXT      928          /* bytes of all texts of one */
#define NGX_MEDIA_HOOK_NOBODY    0xffffffff   /* row: of no process */


/* how often what came of it, see docs/metrics.md */

typedef enum {
    NGX_MEDIA_HOOK_SAID_YES = 0,              /* or was told */
    NGX_MEDIA_HOOK_SAID_NO,
    NGX_MEDIA_HOOK_SAID_NOTHING,              /* refused, or tried again */
    NGX_MEDIA_HOOK_ALLOWED,                   /* nothing, and let in */
    NGX_MEDIA_HOOK_LOST,                      /* given up, not told */
    NGX_MEDIA_HOOK_SAID
} ngx_media_hook_said_e;


typedef enum {
    NGX_MEDIA_HOOK_FREE = 0,
    NGX_MEDIA_HOOK_ASKED,
    NGX_MEDIA_HOOK_COMING,                    /* nobody is asked about him */
    NGX_MEDIA_HOOK_HERE,
    NGX_MEDIA_HOOK_DUE,
    NGX_MEDIA_HOOK_SENDING
} ngx_media_hook_state_e;


/* texts; of the first three all fit, another one may have no room */

typedef enum {
    NGX_MEDIA_HOOK_T_STREAM = 0,
    NGX_MEDIA_HOOK_T_PROTOCOL,
    NGX_MEDIA_HOOK_T_ADDRESS,
    NGX_MEDIA_HOOK_T_ARGS,
    NGX_MEDIA_HOOK_T_AGENT,
    NGX_MEDIA_HOOK_T_URL,
    NGX_MEDIA_HOOK_T_PAGE,
    NGX_MEDIA_HOOK_T_SWF,
    NGX_MEDIA_HOOK_T_REASON,
    NGX_MEDIA_HOOK_TS
} ngx_media_hook_text_e;


typedef struct {
    uint64_t                  id;
    uint32_t                  state;          /* ngx_media_hook_state_e */
    uint32_t                  row;            /* whose */
    uint32_t                  next;           /* FREE, DUE: the next, + 1 */
    uint32_t                  playing;
    int64_t                   since;          /* ms since the unix epoch */
    uint16_t                  len[NGX_MEDIA_HOOK_TS];
    u_char                    text[NGX_MEDIA_HOOK_TEXT];
} ngx_media_hook_entry_shm_t;


typedef struct {
    ngx_media_lock_t          lock;           /* of all but said */
    uint32_t                  nentries;
    uint32_t                  used;           /* never used are those behind */
    uint32_t                  free;           /* the first free one, + 1 */
    uint32_t                  nfree;          /* of those that were used */
    uint32_t                  due;            /* the first that is due, + 1 */
    uint32_t                  last;           /* due: the last one, + 1 */
    uint64_t                  serial;
    uint64_t                  said[NGX_MEDIA_HOOK_EVENTS][NGX_MEDIA_HOOK_SAID];
                                              /* [atomic] */
    ngx_media_hook_entry_shm_t
                              entries[];
} ngx_media_hook_table_shm_t;


/* a copy: strings of hook are in text */

typedef struct {
    ngx_media_hook_t          hook;           /* its event is not set */
    int64_t                   since;          /* ms since the unix epoch */
    u_char                    text[NGX_MEDIA_HOOK_TEXT + 1];
} ngx_media_hook_copy_t;


size_t ngx_media_hook_table_size(const ngx_media_zone_conf_t *conf);

/* in fresh zeroed memory of this many bytes; serial: any number */
void ngx_media_hook_table_init(ngx_media_hook_table_shm_t *table, size_t size,
    uint64_t serial);

/* an id of nobody in the table */
uint64_t ngx_media_hook_table_id(ngx_media_hook_table_shm_t *table);

/* somebody is being asked about; his id, or 0: there is no room */
uint64_t ngx_media_hook_table_add(ngx_media_hook_table_shm_t *table,
    ngx_uint_t row, const ngx_media_hook_t *hook);

/*
 * He is here, and called so; NGX_DECLINED: he is not in the table, or has been
 * ended
 */
ngx_int_t ngx_media_hook_table_admit(ngx_media_hook_table_shm_t *table,
    uint64_t id, const ngx_str_t *stream);

/* nobody is asked about him; he has come in */
void ngx_media_hook_table_unasked(ngx_media_hook_table_shm_t *table,
    uint64_t id);
void ngx_media_hook_table_here(ngx_media_hook_table_shm_t *table,
    uint64_t id);

/* who is here is no process' any more, but a session's */
void ngx_media_hook_table_keep(ngx_media_hook_table_shm_t *table,
    uint64_t id);

/*
 * He has gone.  NGX_OK: it is the caller's to tell of it, whose row is given;
 * NGX_DECLINED: it is somebody else's, or nobody's any more.  NOBODY: it is
 * due.
 */
ngx_int_t ngx_media_hook_table_end(ngx_media_hook_table_shm_t *table,
    uint64_t id, ngx_uint_t row, const char *reason,
    ngx_media_hook_copy_t *copy);

/* an end that is due, likewise */
ngx_int_t ngx_media_hook_table_take(ngx_media_hook_table_shm_t *table,
    ngx_uint_t row, ngx_media_hook_copy_t *copy);

/* who is here; NGX_DECLINED: he is not */
ngx_int_t ngx_media_hook_table_get(ngx_media_hook_table_shm_t *table,
    uint64_t id, ngx_media_hook_copy_t *copy);

/* his end was told, or there is none to be told */
void ngx_media_hook_table_drop(ngx_media_hook_table_shm_t *table,
    uint64_t id);

/* the process of this row has gone */
void ngx_media_hook_table_swept(ngx_media_hook_table_shm_t *table,
    ngx_uint_t row);

/* is no end due?  without the lock */
#define ngx_media_hook_table_idle(table)                                      \
    (ngx_media_peek(&((ngx_media_hook_table_shm_t *) (table))->due) == 0)

#define ngx_media_hook_count(table, event, what)                              \
    ngx_media_count(&(table)->said[event][what], 1)


#endif /* _NGX_MEDIA_HOOK_TABLE_H_INCLUDED_ */
