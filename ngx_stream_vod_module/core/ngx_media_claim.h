
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who may write a stream.  Each function takes the stream's lock itself, but
 * for valid, lost, heard, ignored and jumped, which need none.
 */


#ifndef _NGX_MEDIA_CLAIM_H_INCLUDED_
#define _NGX_MEDIA_CLAIM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_link.h"
#include "core/ngx_media_read.h"
#include "memory/ngx_media_zone.h"


/* who publishes */

typedef struct {
    ngx_media_stream_t        stream;
    uint64_t                  epoch;
    int64_t                   floor;          /* ms: media time goes on here */
    int64_t                   wall;           /* ms: the wall clock there */
    ngx_uint_t                returned;       /* the stream was there */
} ngx_media_claim_t;


/* answers of acquire besides NGX_OK */
#define NGX_MEDIA_CLAIM_CONFLICT  (-20)       /* see holder */
#define NGX_MEDIA_CLAIM_LIMIT     (-21)
#define NGX_MEDIA_CLAIM_HURRIES   (-25)       /* published anew too often */

/* who acquires, see publish_conflict: the name is known to be his; and, he has
   no connection of which one would hear that it has broken */
#define NGX_MEDIA_CLAIM_ADMITTED  0x01
#define NGX_MEDIA_CLAIM_RETURNS   0x02

/* who: bits of the above */
ngx_int_t ngx_media_stream_acquire(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_str_t *protocol, ngx_str_t *address, ngx_uint_t who,
    ngx_media_claim_t *claim);

/* nobody may acquire: another zone took the place of this one */
ngx_uint_t ngx_media_claim_closed(const ngx_media_zone_t *zone);

/* somebody was turned away who did not come to acquire: counted */
void ngx_media_claim_refused(ngx_media_zone_t *zone,
    ngx_media_refused_e why);

/* who publishes a name that acquire refused; NGX_OK, NGX_DECLINED: nobody */

typedef struct {
    ngx_media_stream_t        stream;
    uint64_t                  epoch;          /* of its claim */
    size_t                    protocol_len;
    u_char                    protocol[16];
    size_t                    address_len;
    u_char                    address[64];
    ngx_uint_t                port;           /* as its link says */
    int64_t                   since;          /* ms since the epoch */
    ngx_msec_t                silent;         /* since its last frame */
} ngx_media_holder_t;

ngx_int_t ngx_media_stream_holder(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_holder_t *holder);

/*
 * A publisher is made to leave, in whichever process it is: its claim is lost
 * and the stream in its grace time at once; it is declined as it puts its next
 * part, and else finds out within a second.  It may come back.
 */

typedef enum {
    NGX_MEDIA_KICK_ASKED = 1,                 /* somebody has asked for it */
    NGX_MEDIA_KICK_BANNED,                    /* it must not publish */
    NGX_MEDIA_KICKS
} ngx_media_kick_e;

/*
 * The publisher of this epoch, as its holder or a brief has it, and no other
 * one; NGX_DECLINED: it has left, or lost the stream to somebody else.
 */
ngx_int_t ngx_media_stream_kick(const ngx_media_stream_t *stream,
    uint64_t epoch, ngx_media_kick_e why);

/* as the log, the status and the publisher itself are told; static */
const char *ngx_media_kick_sentence(ngx_media_kick_e why);


/* its publisher has sent media now: to be said ten times a second */
void ngx_media_stream_heard(const ngx_media_claim_t *claim);

/* it has sent something of no use; counted for the status */
void ngx_media_stream_ignored(const ngx_media_claim_t *claim,
    ngx_media_ignored_e kind);

/* what came by its transport since the last time, and how that is now */
void ngx_media_stream_link(const ngx_media_claim_t *claim,
    const ngx_media_link_t *link);

/* the same by others than who has claimed it: adds n to a counter */
void ngx_media_stream_link_add(const ngx_media_stream_t *stream,
    ngx_media_link_counter_e counter, uint64_t n);

/* whether this can be made of its tracks, when viewers ask for it */
void ngx_media_stream_offer(const ngx_media_claim_t *claim,
    ngx_media_ask_e what, ngx_uint_t on);

/* its stamps have jumped; counted likewise */
void ngx_media_stream_jumped(const ngx_media_claim_t *claim);

/* 1 while nobody else took the stream, and nobody kicked this one */
ngx_uint_t ngx_media_claim_valid(const ngx_media_claim_t *claim);

/* why not, once it is not valid; static */
const char *ngx_media_claim_lost(const ngx_media_claim_t *claim);


/* from its own address it is replaced at once, publish_conflict or not */
void ngx_media_stream_yield(const ngx_media_claim_t *claim);

/*
 * Of a publisher that is connected nothing comes any more: to readers the
 * stream waits for one, until a part is put.  It does not end meanwhile: that
 * is its connection's affair.  reason is static.
 */
void ngx_media_stream_rest(const ngx_media_claim_t *claim,
    const char *reason);

/*
 * The publisher has gone, for this reason, but tracks that are made of its
 * media are late: its grace time begins, parts may still be put, anybody may
 * acquire the stream.  Release is to follow.
 */
void ngx_media_stream_finish(const ngx_media_claim_t *claim,
    const char *reason);

/* the publisher has gone, for this reason; all it published is closed */
void ngx_media_stream_release(const ngx_media_claim_t *claim,
    const char *reason);


#endif /* _NGX_MEDIA_CLAIM_H_INCLUDED_ */
