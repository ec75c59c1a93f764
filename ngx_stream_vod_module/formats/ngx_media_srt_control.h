
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What SRT's control packets have behind their headers (ngx_media_srt.h), but
 * handshakes and keys.  Bodies begin at pos; writers return the end of what
 * they wrote.
 */


#ifndef _NGX_MEDIA_SRT_CONTROL_H_INCLUDED_
#define _NGX_MEDIA_SRT_CONTROL_H_INCLUDED_


#include "formats/ngx_media_srt.h"


#define NGX_MEDIA_SRT_ACK_SIZE      28        /* a full one, 7 words */
#define NGX_MEDIA_SRT_DROPREQ_SIZE  8
#define NGX_MEDIA_SRT_EMPTY_SIZE    4         /* of those that have no body */
#define NGX_MEDIA_SRT_NAK_SIZE      NGX_MEDIA_SRT_PAYLOAD   /* at most */


/* draft-sharabayko-srt, 3.2.4 */

typedef struct {
    uint32_t                  seq;            /* all before it have come */
    uint32_t                  rtt;            /* us */
    uint32_t                  rttvar;         /* us */
    uint32_t                  buffer;         /* packets that fit in */
    uint32_t                  rate;           /* packets a second */
    uint32_t                  capacity;       /* of the link, the same */
    uint32_t                  bytes;          /* a second */
    ngx_uint_t                words;          /* read: how many there were, 1:
                                                 a light one; what is beyond
                                                 them is 0 */
} ngx_media_srt_ack_t;


/* the first word, or the first four, or all; NGX_ERROR: not even one, or it is
   no sequence number */
ngx_int_t ngx_media_srt_ack_parse(ngx_media_srt_ack_t *ack,
    const u_char *pos, const u_char *last);
u_char *ngx_media_srt_ack_write(u_char *p, const ngx_media_srt_ack_t *ack);


/*
 * 3.2.5, ranges of packets, both ends included: from is not behind to.
 *
 * add: NGX_OK, *p is moved; NGX_DECLINED: there is no room for it before last.
 * next: NGX_OK, list is moved; NGX_DONE: that was all; NGX_ERROR: it goes on
 * with what is none.
 */
ngx_int_t ngx_media_srt_nak_add(u_char **p, u_char *last, uint32_t from,
    uint32_t to);
ngx_int_t ngx_media_srt_nak_next(ngx_media_span_t *list, uint32_t *from,
    uint32_t *to);


/* 3.2.9, packets that are not sent any more; both ends included, as above */
ngx_int_t ngx_media_srt_dropreq_parse(const u_char *pos, const u_char *last,
    uint32_t *from, uint32_t *to);
u_char *ngx_media_srt_dropreq_write(u_char *p, uint32_t from, uint32_t to);


/*
 * KEEPALIVE, SHUTDOWN and ACKACK have nothing to say: four bytes of zeros, as
 * libsrt sends them
 */
u_char *ngx_media_srt_empty_write(u_char *p);


#endif /* _NGX_MEDIA_SRT_CONTROL_H_INCLUDED_ */
