
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * SRT, draft-sharabayko-srt: the header that each datagram begins with, and
 * the arithmetic of its numbers.  What control packets have behind it:
 * ngx_media_srt_control.h, ngx_media_srt_handshake.h, ngx_media_srt_km.h.
 *
 *     0 | sequence number, 31 bits                           data, 3.1
 *     PP | O | KK | R | message number, 26 bits
 *     time stamp, us since the sender's session began
 *     destination socket id
 *
 *     1 | type, 15 bits | subtype, 16 bits                   control, 3.2
 *     type-specific information
 *     time stamp
 *     destination socket id
 */


#ifndef _NGX_MEDIA_SRT_H_INCLUDED_
#define _NGX_MEDIA_SRT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_SRT_HEADER    16
#define NGX_MEDIA_SRT_MTU       1500          /* with IPv4's and UDP's header */
#define NGX_MEDIA_SRT_DATAGRAM  1472          /* of UDP, at most */
#define NGX_MEDIA_SRT_PAYLOAD   1456          /* of a data packet, at most */

#define NGX_MEDIA_SRT_SEQ_MAX   0x7fffffff
#define NGX_MEDIA_SRT_MSG_MAX   0x03ffffff


/* 3.2, types of control packets */

#define NGX_MEDIA_SRT_HANDSHAKE   0
#define NGX_MEDIA_SRT_KEEPALIVE   1
#define NGX_MEDIA_SRT_ACK         2           /* info: its number, 0 if light */
#define NGX_MEDIA_SRT_NAK         3
#define NGX_MEDIA_SRT_CONGESTION  4
#define NGX_MEDIA_SRT_SHUTDOWN    5
#define NGX_MEDIA_SRT_ACKACK      6           /* info: the ACK's number */
#define NGX_MEDIA_SRT_DROPREQ     7           /* info: message number */
#define NGX_MEDIA_SRT_PEERERROR   8
#define NGX_MEDIA_SRT_EXT         0x7fff      /* the subtype says what */

/* subtypes of the latter, and types of blocks in handshakes, 3.2.1.1 */

#define NGX_MEDIA_SRT_HSREQ       1
#define NGX_MEDIA_SRT_HSRSP       2
#define NGX_MEDIA_SRT_KMREQ       3
#define NGX_MEDIA_SRT_KMRSP       4
#define NGX_MEDIA_SRT_SID         5
#define NGX_MEDIA_SRT_CONGESTION_CONTROL  6   /* handshakes only */
#define NGX_MEDIA_SRT_FILTER      7           /* handshakes only */
#define NGX_MEDIA_SRT_GROUP       8           /* handshakes only */

/* KK: what a data packet is encrypted with */

#define NGX_MEDIA_SRT_KK_CLEAR    0
#define NGX_MEDIA_SRT_KK_EVEN     1
#define NGX_MEDIA_SRT_KK_ODD      2
#define NGX_MEDIA_SRT_KK_BOTH     3           /* in key messages only */

/* PP: where in its message a data packet is */

#define NGX_MEDIA_SRT_PP_SOLO     3


typedef struct {
    uint32_t                  seq;            /* 31 bits */
    uint32_t                  msg;            /* 26 bits */
    uint32_t                  ts;             /* us, 32 bits */
    uint32_t                  dst;            /* the receiver's socket id */
    unsigned                  pp:2;
    unsigned                  kk:2;
    unsigned                  order:1;
    unsigned                  rexmit:1;       /* sent once more */
    const u_char             *pos;            /* the payload, maybe empty */
    const u_char             *last;
} ngx_media_srt_data_t;


typedef struct {
    ngx_uint_t                type;           /* 15 bits */
    ngx_uint_t                subtype;        /* 16 bits */
    uint32_t                  info;
    uint32_t                  ts;
    uint32_t                  dst;            /* 0: a handshake of one who has
                                                 no id of ours yet */
    const u_char             *pos;            /* the body, maybe empty */
    const u_char             *last;
} ngx_media_srt_control_t;


typedef struct {
    ngx_uint_t                control;        /* which of the two it is */

    union {
        ngx_media_srt_data_t     data;
        ngx_media_srt_control_t  control;
    } u;
} ngx_media_srt_packet_t;


/*
 * A datagram; NGX_ERROR: shorter than a header.  All other values are legal:
 * a type that is unknown, a payload that is longer than anybody may send.
 */
ngx_int_t ngx_media_srt_parse(ngx_media_srt_packet_t *packet,
    const u_char *pos, const u_char *last);

/* whom a datagram is for, and 0 of one that is shorter than a header */
uint32_t ngx_media_srt_dst(const u_char *pos, const u_char *last);

/* the headers, 16 bytes; they return where the rest belongs */
u_char *ngx_media_srt_put_header(u_char *p, ngx_uint_t type,
    ngx_uint_t subtype, uint32_t info, uint32_t ts, uint32_t dst);
u_char *ngx_media_srt_put_data_header(u_char *p,
    const ngx_media_srt_data_t *data);


/* sequence numbers of packets; n may be negative */

static ngx_inline uint32_t
ngx_media_srt_seq_add(uint32_t seq, int32_t n)
{
    return (seq + (uint32_t) n) & NGX_MEDIA_SRT_SEQ_MAX;
}


/* how far a is behind b, from -2^30 on; negative: it is before b */

static ngx_inline int32_t
ngx_media_srt_seq_diff(uint32_t a, uint32_t b)
{
    uint32_t  n;

    n = (a - b) & NGX_MEDIA_SRT_SEQ_MAX;

    return (int32_t) (n & 0x3fffffff) - (int32_t) (n & 0x40000000);
}


/* the number of the message after this one; there is no message 0 */

static ngx_inline uint32_t
ngx_media_srt_msg_next(uint32_t msg)
{
    return (msg >= NGX_MEDIA_SRT_MSG_MAX) ? 1 : msg + 1;
}


#endif /* _NGX_MEDIA_SRT_H_INCLUDED_ */
