
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Bans: who may not publish, or play over RTMP and in FLV, for a time.  Each
 * application has a table of them in its zone, which outlives reloads, and
 * processes that die.  One is of a name, of a network, or of both, and each of
 * them has to be the client's.
 */


#ifndef _NGX_MEDIA_BAN_H_INCLUDED_
#define _NGX_MEDIA_BAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"


#define NGX_MEDIA_BANS           1024         /* of an application */

/* actions, bits */
#define NGX_MEDIA_BAN_PUBLISH    (1 << NGX_MEDIA_ACCESS_PUBLISH)
#define NGX_MEDIA_BAN_PLAY       (1 << NGX_MEDIA_ACCESS_PLAY)


typedef struct ngx_media_bans_shm_s  ngx_media_bans_shm_t;


/* IPv4 is ::ffff:0:0/96, RFC 4291, 2.5.5.2 */

typedef struct {
    u_char                    address[16];
    ngx_uint_t                bits;           /* of the prefix; 0: any */
} ngx_media_network_t;


typedef struct {
    uint64_t                  id;             /* of all applications; add: set
                                                 by it */
    ngx_uint_t                actions;        /* NGX_MEDIA_BAN_* */
    ngx_str_t                 name;           /* empty: any; walk: in text */
    ngx_media_network_t       network;
    int64_t                   since;          /* ms since the unix epoch */
    int64_t                   until;
    u_char                    text[NGX_MEDIA_NAME_MAX];
} ngx_media_ban_t;


/*
 * ngx_media_ban.c, the table.  Each function takes its lock, but where nothing
 * is banned.
 */

size_t ngx_media_bans_size(void);

/*
 * From now on for so many ms; what is banned already gets another end.  NGX_OK,
 * NGX_BUSY: there are NGX_MEDIA_BANS.
 */
ngx_int_t ngx_media_bans_add(ngx_media_bans_shm_t *bans, ngx_media_ban_t *ban,
    ngx_msec_t time);

/* NGX_DECLINED: there is none of this id */
ngx_int_t ngx_media_bans_remove(ngx_media_bans_shm_t *bans, uint64_t id);

/* *cursor is 0 at first; NGX_OK, NGX_DONE behind the last */
ngx_int_t ngx_media_bans_walk(ngx_media_bans_shm_t *bans, ngx_uint_t *cursor,
    ngx_media_ban_t *ban);

/*
 * NGX_OK: he is not banned; NGX_DECLINED: he is, *reason is a static sentence.
 * network NULL: his address is none.
 */
ngx_int_t ngx_media_bans_look(ngx_media_bans_shm_t *bans, ngx_uint_t action,
    const ngx_str_t *name, const ngx_media_network_t *network,
    const char **reason);

/* this one by itself; it takes no lock */
ngx_uint_t ngx_media_ban_hits(const ngx_media_ban_t *ban, ngx_uint_t action,
    const ngx_str_t *name, const ngx_media_network_t *network);


/* ngx_media_ban_module.c */

ngx_media_bans_shm_t *ngx_media_bans(const ngx_media_app_t *app);

/* as look(); bans come before all other checks, and once more as somebody
   begins, with the stream's name, which is known for sure by then */
ngx_int_t ngx_media_ban_check(const ngx_media_app_t *app, ngx_uint_t action,
    const ngx_str_t *name, const ngx_str_t *address, const char **reason);

/*
 * Of ADDRESS, or ADDRESS/BITS; the second for bans, which are of an IPv6 /64
 * where it is not said.  NGX_DECLINED: it is none ("unix:").
 */
ngx_int_t ngx_media_network(const ngx_str_t *text,
    ngx_media_network_t *network);
ngx_int_t ngx_media_network_of(const ngx_str_t *address,
    ngx_media_network_t *network);

/* buf of NGX_SOCKADDR_STRLEN; the length */
size_t ngx_media_network_text(const ngx_media_network_t *network, u_char *buf);


#endif /* _NGX_MEDIA_BAN_H_INCLUDED_ */
