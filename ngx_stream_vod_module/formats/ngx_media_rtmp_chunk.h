
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * RTMP chunk stream, "RTMP 1.0", 5.3: messages are cut into chunks, and
 * chunks of several chunk streams may alternate.
 *
 * The reader finds chunk boundaries and headers; it keeps no payload.  A
 * session reads like this, and owns the buffers of its messages:
 *
 *     while (pos < last) {
 *         rc = ngx_media_rtmp_chunk_read(&reader, &pos, last, &piece);
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
#define NGX_MEDIA_RTMP_MESSAGE_MAX    0xffffff  /* its length, 5.3.1.2.1 */


/* one chunk stream: the header of its latest message */

typedef struct {
    uint32_t                  id;             /* 2 .. 65599 */
    uint32_t                  timestamp;      /* ms, absolute, modulo 2^32 */
    uint32_t                  length;         /* of the message, in bytes */
    uint32_t                  type;           /* NGX_MEDIA_RTMP_AUDIO, ... */
    uint32_t                  stream;         /* message stream id */

    void                     *data;           /* the caller's, never touched
                                                 here: the message's buffer */

    uint32_t                  received;       /* of length */
    uint32_t                  delta;          /* ms, if type 3 starts one */
    uint32_t                  field;          /* the extended timestamp */
    unsigned                  extended:1;     /* is in use */
    unsigned                  known:1;        /* length and type are */
    unsigned                  active:1;       /* a message is in progress */
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
    const char               *reason;         /* static, after NGX_ERROR */
    uint32_t                  chunk_size;     /* payload of a chunk */
    uint32_t                  max_message;    /* longer ones are errors */

    /* what follows is the reader's */

    ngx_media_rtmp_cs_t      *cs;             /* of the chunk being read */
    ngx_uint_t                state;
    ngx_uint_t                fmt;
    uint32_t                  left;           /* payload of this chunk */
    size_t                    have;           /* bytes in header[] */
    size_t                    need;
    size_t                    again_pos;
    size_t                    again_last;
    u_char                    header[11];
    u_char                    again[4];       /* to be read before input */
} ngx_media_rtmp_reader_t;


void ngx_media_rtmp_chunk_init(ngx_media_rtmp_reader_t *r,
    uint32_t max_message);

ngx_int_t ngx_media_rtmp_chunk_read(ngx_media_rtmp_reader_t *r,
    const u_char **pos, const u_char *last, ngx_media_rtmp_piece_t *piece);

/* NGX_ERROR: not a size, the connection is beyond use */
ngx_int_t ngx_media_rtmp_chunk_set_size(ngx_media_rtmp_reader_t *r,
    uint32_t size);

/*
 * Forgets a message in progress and returns its chunk stream, of which the
 * caller drops the buffer; NULL: there was none.
 */
ngx_media_rtmp_cs_t *ngx_media_rtmp_chunk_abort(ngx_media_rtmp_reader_t *r,
    uint32_t csid);


/* the writer; p == NULL: the size */

typedef struct {
    uint32_t                  csid;           /* 2 .. 65599 */
    uint32_t                  timestamp;      /* ms */
    uint32_t                  type;
    uint32_t                  stream;
} ngx_media_rtmp_chunk_header_t;


/* a whole message as one type 0 and as many type 3 chunks as it takes */
size_t ngx_media_rtmp_chunk_write(u_char *p,
    const ngx_media_rtmp_chunk_header_t *header, const u_char *payload,
    size_t len, uint32_t chunk_size);

/*
 * The same of a payload that is in n places, one after another; some may be
 * empty.  A message has at most NGX_MEDIA_RTMP_MESSAGE_MAX bytes.
 */
size_t ngx_media_rtmp_chunk_write_spans(u_char *p,
    const ngx_media_rtmp_chunk_header_t *header,
    const ngx_media_span_t *spans, ngx_uint_t n, uint32_t chunk_size);


#endif /* _NGX_MEDIA_RTMP_CHUNK_H_INCLUDED_ */
