
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * RTMP chunk stream, "RTMP 1.0" specification, 5.3 and 5.4: messages are cut
 * into chunks, and chunks of several chunk streams may alternate.
 *
 * The reader finds chunk boundaries and headers; it keeps no payload.  A
 * session reads like this, and owns the buffers of its messages:
 *
 *     while (pos < last) {
 *         rc = ngx_media_rtmp_read(&reader, &pos, last, &piece);
 *
 *         NGX_OK     a piece: cs->length bytes are needed if piece.first
 *                    (no buffer is pending then); payload goes to the buffer
 *                    at piece.offset; the message is whole if piece.complete
 *         NGX_AGAIN  all input was consumed
 *         NGX_ERROR  reader.reason says why; the connection is beyond use
 *     }
 *
 * A complete Set Chunk Size or Abort is to be applied by its function below
 * before the next call.
 */


#ifndef _NGX_MEDIA_RTMP_CHUNK_H_INCLUDED_
#define _NGX_MEDIA_RTMP_CHUNK_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_RTMP_CHUNK_STREAMS  32      /* of one connection; OBS has
                                                 3, ffmpeg 5 */
#define NGX_MEDIA_RTMP_CHUNK_SIZE     128     /* until Set Chunk Size */
#define NGX_MEDIA_RTMP_CHUNK_MAX      0xffffff
#define NGX_MEDIA_RTMP_CONTROL_MAX    32      /* any control message written
                                                 by us, header included */

/* message types, 5.4 and 7.1 */

#define NGX_MEDIA_RTMP_CHUNK          1       /* Set Chunk Size */
#define NGX_MEDIA_RTMP_ABORT          2
#define NGX_MEDIA_RTMP_ACK            3
#define NGX_MEDIA_RTMP_USER           4
#define NGX_MEDIA_RTMP_WINDOW         5       /* Window Acknowledgement Size */
#define NGX_MEDIA_RTMP_BANDWIDTH      6       /* Set Peer Bandwidth */
#define NGX_MEDIA_RTMP_AUDIO          8
#define NGX_MEDIA_RTMP_VIDEO          9
#define NGX_MEDIA_RTMP_DATA3          15      /* AMF3: a zero byte, then AMF0 */
#define NGX_MEDIA_RTMP_COMMAND3       17
#define NGX_MEDIA_RTMP_DATA           18
#define NGX_MEDIA_RTMP_COMMAND        20
#define NGX_MEDIA_RTMP_AGGREGATE      22

/* user control events, 7.1.7 */

#define NGX_MEDIA_RTMP_STREAM_BEGIN   0
#define NGX_MEDIA_RTMP_STREAM_EOF     1
#define NGX_MEDIA_RTMP_PING           6
#define NGX_MEDIA_RTMP_PONG           7

/* limit types of Set Peer Bandwidth, 5.4.5 */

#define NGX_MEDIA_RTMP_LIMIT_DYNAMIC  2


/* one chunk stream: the header of its latest message */

typedef struct {
    uint32_t                  id;             /* 2 .. 65599 */
    uint32_t                  timestamp;      /* ms, absolute, modulo 2^32 */
    uint32_t                  length;         /* of the message, in bytes */
    uint32_t                  type;           /* NGX_MEDIA_RTMP_* */
    uint32_t                  stream;         /* message stream id */

    uint32_t                  received;       /* of length; the reader's */
    uint32_t                  delta;
    uint32_t                  field;          /* extended timestamp's value */
    unsigned                  extended:1;
    unsigned                  active:1;       /* a message is in progress */

    void                     *data;           /* the caller's, never touched
                                                 here: the message's buffer */
} ngx_media_rtmp_cs_t;


typedef struct {
    ngx_media_rtmp_cs_t      *cs;             /* valid as long as the reader */
    ngx_media_span_t          payload;        /* borrowed until the next call;
                                                 empty for a message of
                                                 length 0 */
    uint32_t                  offset;         /* of payload in the message */
    unsigned                  first:1;
    unsigned                  complete:1;
} ngx_media_rtmp_piece_t;


typedef struct {
    ngx_media_rtmp_cs_t       streams[NGX_MEDIA_RTMP_CHUNK_STREAMS];
    ngx_uint_t                nstreams;
    ngx_media_rtmp_cs_t      *cs;             /* of the chunk being read */
    const char               *reason;         /* static, after NGX_ERROR */
    uint32_t                  chunk_size;
    uint32_t                  max_message;    /* longer ones are errors */
    uint32_t                  left;           /* payload of this chunk */

    /* what follows belongs to the reader */

    ngx_uint_t                state;
    ngx_uint_t                fmt;
    ngx_uint_t                have;           /* bytes in header[] */
    ngx_uint_t                need;
    ngx_uint_t                back;           /* unread bytes of again[] */
    ngx_uint_t                nback;
    u_char                    header[11];
    u_char                    again[4];
} ngx_media_rtmp_reader_t;


void ngx_media_rtmp_reader_init(ngx_media_rtmp_reader_t *r,
    uint32_t max_message);
ngx_int_t ngx_media_rtmp_read(ngx_media_rtmp_reader_t *r, const u_char **pos,
    const u_char *last, ngx_media_rtmp_piece_t *piece);

/* NGX_ERROR: not a size, the connection is beyond use */
ngx_int_t ngx_media_rtmp_set_chunk_size(ngx_media_rtmp_reader_t *r,
    uint32_t size);

/* forgets a message in progress; the caller drops the buffer; may be NULL */
ngx_media_rtmp_cs_t *ngx_media_rtmp_abort(ngx_media_rtmp_reader_t *r,
    uint32_t csid);


/*
 * The body of a control message: types 1 to 6.  NGX_DECLINED: another type,
 * NGX_ERROR: too short.
 */

typedef struct {
    uint32_t                  value;          /* size, csid, sequence number;
                                                 USER: the event's first
                                                 argument, 0 if absent */
    uint32_t                  event;          /* USER: NGX_MEDIA_RTMP_PING */
    uint32_t                  limit;          /* BANDWIDTH */
} ngx_media_rtmp_control_t;

ngx_int_t ngx_media_rtmp_parse_control(uint32_t type, const u_char *pos,
    const u_char *last, ngx_media_rtmp_control_t *control);


/* the writers; p == NULL: the size */

typedef struct {
    uint32_t                  csid;
    uint32_t                  timestamp;      /* ms */
    uint32_t                  type;
    uint32_t                  stream;
} ngx_media_rtmp_header_t;

/* a whole message as one type 0 and as many type 3 chunks as it takes */
size_t ngx_media_rtmp_write_message(u_char *p,
    const ngx_media_rtmp_header_t *header, const u_char *payload, size_t len,
    uint32_t chunk_size);

/* CHUNK, ABORT, ACK, WINDOW, BANDWIDTH: on chunk stream 2, time stamp 0 */
size_t ngx_media_rtmp_write_control(u_char *p, uint32_t type, uint32_t value);
size_t ngx_media_rtmp_write_user(u_char *p, uint32_t event, uint32_t value);


#endif /* _NGX_MEDIA_RTMP_CHUNK_H_INCLUDED_ */
