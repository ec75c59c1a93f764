
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * RTMP messages: their types, and the protocol and user control messages,
 * "RTMP 1.0", 5.4 and 7.1.
 */


#ifndef _NGX_MEDIA_RTMP_MSG_H_INCLUDED_
#define _NGX_MEDIA_RTMP_MSG_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* message types; what the AMF3 ones hold is a zero byte, then AMF0 */

#define NGX_MEDIA_RTMP_CHUNK          1       /* Set Chunk Size */
#define NGX_MEDIA_RTMP_ABORT          2
#define NGX_MEDIA_RTMP_ACK            3
#define NGX_MEDIA_RTMP_USER           4
#define NGX_MEDIA_RTMP_WINDOW         5       /* Window Acknowledgement Size */
#define NGX_MEDIA_RTMP_BANDWIDTH      6       /* Set Peer Bandwidth */
#define NGX_MEDIA_RTMP_AUDIO          8
#define NGX_MEDIA_RTMP_VIDEO          9
#define NGX_MEDIA_RTMP_DATA3          15      /* AMF3 */
#define NGX_MEDIA_RTMP_COMMAND3       17      /* AMF3 */
#define NGX_MEDIA_RTMP_DATA           18
#define NGX_MEDIA_RTMP_COMMAND        20
#define NGX_MEDIA_RTMP_AGGREGATE      22

/* user control events, 7.1.7 */

#define NGX_MEDIA_RTMP_STREAM_BEGIN   0
#define NGX_MEDIA_RTMP_STREAM_EOF     1
#define NGX_MEDIA_RTMP_PING           6
#define NGX_MEDIA_RTMP_PONG           7

/* limit types of Set Peer Bandwidth, 5.4.5 */

#define NGX_MEDIA_RTMP_DYNAMIC        2

/* any message that is written here, header included */
#define NGX_MEDIA_RTMP_CONTROL_MAX    32


/* the body of a message of type 1 to 6 */

typedef struct {
    uint32_t                  value;          /* size, csid, sequence number;
                                                 USER: the event's first
                                                 argument, 0 if absent */
    uint32_t                  event;          /* USER: NGX_MEDIA_RTMP_PING */
    uint32_t                  limit;          /* BANDWIDTH */
} ngx_media_rtmp_control_t;


/* NGX_DECLINED: another type, NGX_ERROR: too short */
ngx_int_t ngx_media_rtmp_control_parse(uint32_t type, const u_char *pos,
    const u_char *last, ngx_media_rtmp_control_t *control);


/*
 * The whole message on chunk stream 2, message stream 0, time stamp 0;
 * p == NULL: the size.  One chunk: for any chunk size of at least 6.
 */

/* CHUNK, ABORT, ACK, WINDOW, BANDWIDTH (dynamic) */
size_t ngx_media_rtmp_control_write(u_char *p, uint32_t type, uint32_t value);

size_t ngx_media_rtmp_user_write(u_char *p, uint32_t event, uint32_t value);


#endif /* _NGX_MEDIA_RTMP_MSG_H_INCLUDED_ */
