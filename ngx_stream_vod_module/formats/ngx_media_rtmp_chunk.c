
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_rtmp_chunk.h"


/*
 * A chunk is a basic header (1 to 3 bytes: format and chunk stream id), a
 * message header (11, 7, 3 or 0 bytes for format 0 to 3), an extended
 * timestamp if the header's timestamp field is 0xffffff, and at most
 * chunk_size bytes of the message.
 *
 * What the specification leaves open or senders do differently:
 *
 *   Extended timestamp with format 3.  The specification, ffmpeg, GStreamer
 *   and Flash repeat the four bytes in each chunk of the message; librtmp,
 *   and so OBS, does not.  They are compared with the ones of the header,
 *   byte by byte, so that nothing waits for input which may never come; what
 *   turns out to be payload is read again from again[].
 *
 *   Format 3 that starts a message repeats the delta; after a format 0 its
 *   timestamp is the delta (5.3.1.2.4).  ffmpeg and GStreamer write it so.
 *   librtmp writes format 3 when the timestamp is the same as before, which
 *   comes to the same where the delta is 0, as it is after the timestamp 0
 *   of a first message; nginx-rtmp takes 0 after any format 0.  A delta of
 *   more than ten seconds is not a spacing of frames: then 0 is meant.  Also
 *   where librtmp shows itself by a missing extended timestamp.
 *
 *   An extended timestamp with format 1 and 2 is a delta; implementations
 *   of the draft of 2009 send the timestamp itself.  As a delta it is at
 *   least 4.6 hours, so a value within ten seconds of the stream's present
 *   timestamp is no delta.  (Small negative deltas, as of librtmp when audio
 *   and video share a chunk stream, are near 2^32 and work as deltas.)
 *
 *   A first chunk of format 1: librtmp starts chunk stream 2 with it.
 *
 *   A header of format 0 to 2 within a message is what some encoders send
 *   instead of format 3: taken as such if it describes the same message.
 */


#define NGX_MEDIA_RTMP_EXTENDED  0xffffff
#define NGX_MEDIA_RTMP_NEAR      10000        /* ms */


static ngx_int_t ngx_media_rtmp_chunk_step(ngx_media_rtmp_reader_t *r,
    const u_char **pos, const u_char *last, ngx_media_rtmp_piece_t *piece);
static ngx_int_t ngx_media_rtmp_chunk_collect(ngx_media_rtmp_reader_t *r,
    const u_char **pos, const u_char *last);
static ngx_int_t ngx_media_rtmp_chunk_stream(ngx_media_rtmp_reader_t *r,
    uint32_t csid);
static ngx_int_t ngx_media_rtmp_chunk_header(ngx_media_rtmp_reader_t *r);
static ngx_int_t ngx_media_rtmp_chunk_repeated(ngx_media_rtmp_reader_t *r,
    const u_char **pos, const u_char *last);
static void ngx_media_rtmp_chunk_start(ngx_media_rtmp_reader_t *r,
    uint32_t time);
static ngx_uint_t ngx_media_rtmp_chunk_near(uint32_t a, uint32_t b);
static void ngx_media_rtmp_chunk_piece(ngx_media_rtmp_reader_t *r,
    const u_char **pos, const u_char *last, ngx_media_rtmp_piece_t *piece);
static u_char *ngx_media_rtmp_chunk_fill(u_char *p, ngx_media_span_t *rest,
    const ngx_media_span_t **spans, size_t size);
static size_t ngx_media_rtmp_chunk_basic(u_char *p, ngx_uint_t fmt,
    uint32_t csid);


enum {
    sw_basic = 0,
    sw_csid,
    sw_header,
    sw_extended,
    sw_repeated,
    sw_payload
};


static const size_t  ngx_media_rtmp_header_size[] = { 11, 7, 3, 0 };


void
ngx_media_rtmp_chunk_init(ngx_media_rtmp_reader_t *r, uint32_t max_message)
{
    ngx_memzero(r, sizeof(ngx_media_rtmp_reader_t));

    r->chunk_size = NGX_MEDIA_RTMP_CHUNK_SIZE;
    r->max_message = max_message;
}


ngx_int_t
ngx_media_rtmp_chunk_read(ngx_media_rtmp_reader_t *r, const u_char **pos,
    const u_char *last, ngx_media_rtmp_piece_t *piece)
{
    ngx_int_t      rc;
    ngx_uint_t     again;
    const u_char  *p;

    for ( ;; ) {
        again = (r->again_pos < r->again_last);

        if (again) {
            p = r->again + r->again_pos;
            rc = ngx_media_rtmp_chunk_step(r, &p, r->again + r->again_last,
                                           piece);

            if (rc == NGX_DECLINED) {
                /* again[] was made anew */
                continue;
            }

            r->again_pos = p - r->again;

        } else {
            rc = ngx_media_rtmp_chunk_step(r, pos, last, piece);
        }

        if (rc == NGX_DECLINED || (rc == NGX_AGAIN && again)) {
            continue;
        }

        return rc;
    }
}


/* NGX_DECLINED: go on with again[] */

static ngx_int_t
ngx_media_rtmp_chunk_step(ngx_media_rtmp_reader_t *r, const u_char **pos,
    const u_char *last, ngx_media_rtmp_piece_t *piece)
{
    u_char     ch;
    ngx_int_t  rc;

    for ( ;; ) {

        switch (r->state) {

        case sw_basic:

            if (*pos == last) {
                return NGX_AGAIN;
            }

            ch = *(*pos)++;

            r->fmt = ch >> 6;
            r->have = 0;
            ch &= 0x3f;

            /* 5.3.1.1: 0 and 1 announce one and two more bytes */

            if (ch < 2) {
                r->need = (size_t) ch + 1;
                r->state = sw_csid;
                rc = NGX_OK;
                break;
            }

            rc = ngx_media_rtmp_chunk_stream(r, ch);
            break;

        case sw_csid:

            rc = ngx_media_rtmp_chunk_collect(r, pos, last);
            if (rc != NGX_OK) {
                break;
            }

            rc = ngx_media_rtmp_chunk_stream(r, 64 + (r->need == 1
                                       ? r->header[0]
                                       : ngx_media_get_le16(r->header)));
            break;

        case sw_header:

            rc = ngx_media_rtmp_chunk_collect(r, pos, last);
            if (rc != NGX_OK) {
                break;
            }

            rc = ngx_media_rtmp_chunk_header(r);
            break;

        case sw_extended:

            rc = ngx_media_rtmp_chunk_collect(r, pos, last);
            if (rc != NGX_OK) {
                break;
            }

            r->cs->field = ngx_media_get_be32(r->header);
            ngx_media_rtmp_chunk_start(r, r->cs->field);
            break;

        case sw_repeated:

            rc = ngx_media_rtmp_chunk_repeated(r, pos, last);
            break;

        default: /* sw_payload */

            if (*pos == last && r->left) {
                return NGX_AGAIN;
            }

            ngx_media_rtmp_chunk_piece(r, pos, last, piece);

            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_media_rtmp_chunk_collect(ngx_media_rtmp_reader_t *r, const u_char **pos,
    const u_char *last)
{
    size_t  n;

    n = ngx_min((size_t) (last - *pos), r->need - r->have);

    if (n) {
        ngx_memcpy(r->header + r->have, *pos, n);
        *pos += n;
        r->have += n;
    }

    if (r->have < r->need) {
        return NGX_AGAIN;
    }

    r->have = 0;

    return NGX_OK;
}


/* the basic header is complete */

static ngx_int_t
ngx_media_rtmp_chunk_stream(ngx_media_rtmp_reader_t *r, uint32_t csid)
{
    ngx_uint_t            i;
    ngx_media_rtmp_cs_t  *cs;

    cs = r->cs;

    if (cs == NULL || cs->id != csid) {

        for (i = 0; i < r->nstreams; i++) {
            if (r->streams[i].id == csid) {
                break;
            }
        }

        if (i == NGX_MEDIA_RTMP_CHUNK_STREAMS) {
            r->reason = "too many chunk streams";
            return NGX_ERROR;
        }

        cs = &r->streams[i];

        if (i == r->nstreams) {
            cs->id = csid;
            r->nstreams++;
        }

        r->cs = cs;
    }

    if (r->fmt >= 2 && !cs->known) {
        r->reason = "chunk stream begins without a message header";
        return NGX_ERROR;
    }

    r->need = ngx_media_rtmp_header_size[r->fmt];
    r->state = sw_header;

    if (r->fmt == 3) {

        if (cs->extended) {
            r->state = sw_repeated;
            return NGX_OK;
        }

        ngx_media_rtmp_chunk_start(r, 0);
    }

    return NGX_OK;
}


/* the message header of format 0, 1 or 2 is complete, 5.3.1.2 */

static ngx_int_t
ngx_media_rtmp_chunk_header(ngx_media_rtmp_reader_t *r)
{
    uint32_t              length, time, type;
    ngx_media_rtmp_cs_t  *cs;

    cs = r->cs;
    time = ngx_media_get_be24(r->header);

    if (r->fmt <= 1) {
        length = ngx_media_get_be24(r->header + 3);
        type = r->header[6];

        if (cs->active && (length != cs->length || type != cs->type)) {
            r->reason = "new message within a message";
            return NGX_ERROR;
        }

        if (length > r->max_message) {
            r->reason = "message too large";
            return NGX_ERROR;
        }

        cs->length = length;
        cs->type = type;
        cs->known = 1;

        if (r->fmt == 0 && !cs->active) {
            cs->stream = ngx_media_get_le32(r->header + 7);
        }
    }

    cs->extended = (time == NGX_MEDIA_RTMP_EXTENDED);

    if (cs->extended) {
        r->need = 4;
        r->state = sw_extended;
        return NGX_OK;
    }

    ngx_media_rtmp_chunk_start(r, time);

    return NGX_OK;
}


/* format 3, where an extended timestamp may or may not be repeated */

static ngx_int_t
ngx_media_rtmp_chunk_repeated(ngx_media_rtmp_reader_t *r, const u_char **pos,
    const u_char *last)
{
    size_t                n, rest;
    u_char                buf[4];
    ngx_media_rtmp_cs_t  *cs;

    cs = r->cs;
    (void) ngx_media_put_be32(buf, cs->field);

    while (r->have < 4) {

        if (*pos == last) {
            return NGX_AGAIN;
        }

        if (**pos != buf[r->have]) {
            break;
        }

        (*pos)++;
        r->have++;
    }

    n = r->have;
    r->have = 0;

    if (n == 4) {
        ngx_media_rtmp_chunk_start(r, 0);
        return NGX_OK;
    }

    if (!cs->active) {
        cs->delta = 0;
    }

    ngx_media_rtmp_chunk_start(r, 0);

    if (n == 0) {
        return NGX_OK;
    }

    /*
     * What was equal so far is payload, and what is left of again[], if it
     * is being read, follows.  All of it was in again[] before, or again[]
     * is used up: 3 bytes at most.
     */

    rest = 0;

    if (r->again_pos < r->again_last) {
        rest = last - *pos;
        ngx_memcpy(buf + n, *pos, rest);
    }

    ngx_memcpy(r->again, buf, n + rest);

    r->again_pos = 0;
    r->again_last = n + rest;

    return NGX_DECLINED;
}


/*
 * Payload follows: the next of a message in progress, or the first of a new
 * one, whose timestamp is known now.
 */

static void
ngx_media_rtmp_chunk_start(ngx_media_rtmp_reader_t *r, uint32_t time)
{
    ngx_media_rtmp_cs_t  *cs;

    cs = r->cs;

    if (!cs->active) {
        cs->active = 1;
        cs->received = 0;

        if (r->fmt == 0) {
            cs->timestamp = time;
            cs->delta = (time <= NGX_MEDIA_RTMP_NEAR) ? time : 0;

        } else {

            if (r->fmt != 3) {

                if (cs->extended
                    && ngx_media_rtmp_chunk_near(time, cs->timestamp)
                    && !ngx_media_rtmp_chunk_near(time, 0))
                {
                    time -= cs->timestamp;
                }

                cs->delta = time;
            }

            cs->timestamp += cs->delta;
        }
    }

    r->left = ngx_min(r->chunk_size, cs->length - cs->received);
    r->state = sw_payload;
}


static ngx_uint_t
ngx_media_rtmp_chunk_near(uint32_t a, uint32_t b)
{
    return a - b <= NGX_MEDIA_RTMP_NEAR || b - a <= NGX_MEDIA_RTMP_NEAR;
}


static void
ngx_media_rtmp_chunk_piece(ngx_media_rtmp_reader_t *r, const u_char **pos,
    const u_char *last, ngx_media_rtmp_piece_t *piece)
{
    size_t                n;
    ngx_media_rtmp_cs_t  *cs;

    cs = r->cs;
    n = ngx_min((size_t) (last - *pos), r->left);

    piece->cs = cs;
    piece->payload.pos = *pos;
    piece->payload.last = *pos + n;
    piece->offset = cs->received;
    piece->first = (cs->received == 0);

    *pos += n;

    r->left -= (uint32_t) n;
    cs->received += (uint32_t) n;

    piece->complete = (cs->received == cs->length);

    if (piece->complete) {
        cs->active = 0;
    }

    if (r->left == 0) {
        r->state = sw_basic;
    }
}


/* 5.4.1: at least 1, and the highest bit is zero */

ngx_int_t
ngx_media_rtmp_chunk_set_size(ngx_media_rtmp_reader_t *r, uint32_t size)
{
    if (size == 0 || size > 0x7fffffff) {
        r->reason = "invalid chunk size";
        return NGX_ERROR;
    }

    r->chunk_size = ngx_min(size, NGX_MEDIA_RTMP_CHUNK_MAX);

    return NGX_OK;
}


/* 5.4.2 */

ngx_media_rtmp_cs_t *
ngx_media_rtmp_chunk_abort(ngx_media_rtmp_reader_t *r, uint32_t csid)
{
    ngx_uint_t            i;
    ngx_media_rtmp_cs_t  *cs;

    for (i = 0; i < r->nstreams; i++) {
        cs = &r->streams[i];

        if (cs->id == csid && cs->active) {
            cs->active = 0;
            cs->received = 0;

            return cs;
        }
    }

    return NULL;
}


size_t
ngx_media_rtmp_chunk_write(u_char *p,
    const ngx_media_rtmp_chunk_header_t *header, const u_char *payload,
    size_t len, uint32_t chunk_size)
{
    ngx_media_span_t  span;

    span.pos = payload;
    span.last = payload + len;

    return ngx_media_rtmp_chunk_write_spans(p, header, &span, 1, chunk_size);
}


size_t
ngx_media_rtmp_chunk_write_spans(u_char *p,
    const ngx_media_rtmp_chunk_header_t *header,
    const ngx_media_span_t *spans, ngx_uint_t n, uint32_t chunk_size)
{
    size_t            chunks, extended, head, len, size;
    u_char           *start;
    ngx_uint_t        fmt, i;
    ngx_media_span_t  rest;

    len = 0;

    for (i = 0; i < n; i++) {
        len += ngx_media_span_len(&spans[i]);
    }

    extended = (header->timestamp >= NGX_MEDIA_RTMP_EXTENDED) ? 4 : 0;

    if (p == NULL) {
        chunks = len ? (len - 1) / chunk_size + 1 : 1;
        head = ngx_media_rtmp_chunk_basic(NULL, 0, header->csid) + extended;

        return chunks * head + 11 + len;
    }

    start = p;
    fmt = 0;
    rest.pos = NULL;
    rest.last = NULL;

    do {
        p += ngx_media_rtmp_chunk_basic(p, fmt, header->csid);

        if (fmt == 0) {
            p = ngx_media_put_be24(p, extended ? NGX_MEDIA_RTMP_EXTENDED
                                               : header->timestamp);
            p = ngx_media_put_be24(p, (uint32_t) len);
            p = ngx_media_put_8(p, header->type);
            p = ngx_media_put_le32(p, header->stream);
        }

        if (extended) {
            p = ngx_media_put_be32(p, header->timestamp);
        }

        size = ngx_min(len, chunk_size);
        len -= size;

        p = ngx_media_rtmp_chunk_fill(p, &rest, &spans, size);
        fmt = 3;

    } while (len);

    return p - start;
}


/* size bytes, of what is left of a span and of those that follow it */

static u_char *
ngx_media_rtmp_chunk_fill(u_char *p, ngx_media_span_t *rest,
    const ngx_media_span_t **spans, size_t size)
{
    size_t  n;

    while (size) {

        if (rest->pos == rest->last) {
            *rest = *(*spans)++;
            continue;
        }

        n = ngx_min(size, ngx_media_span_len(rest));

        p = ngx_cpymem(p, rest->pos, n);
        rest->pos += n;
        size -= n;
    }

    return p;
}


static size_t
ngx_media_rtmp_chunk_basic(u_char *p, ngx_uint_t fmt, uint32_t csid)
{
    size_t      n;
    ngx_uint_t  id;

    if (csid < 64) {
        n = 1;
        id = csid;

    } else if (csid < 64 + 256) {
        n = 2;
        id = 0;

    } else {
        n = 3;
        id = 1;
    }

    if (p == NULL) {
        return n;
    }

    p = ngx_media_put_8(p, (uint32_t) (fmt << 6 | id));

    if (n == 2) {
        (void) ngx_media_put_8(p, csid - 64);

    } else if (n == 3) {
        (void) ngx_media_put_le16(p, csid - 64);
    }

    return n;
}
