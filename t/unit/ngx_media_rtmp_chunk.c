
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: formats/ngx_media_rtmp_chunk.c formats/ngx_media_rtmp_msg.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"
#include "tap.h"


#define MAX_MESSAGE  70000
#define MESSAGES     64


typedef struct {
    uint32_t    csid;
    uint32_t    timestamp;
    uint32_t    type;
    uint32_t    stream;
    uint32_t    length;
    uint64_t    hash;
} message_t;


typedef struct {
    message_t   messages[MESSAGES];
    int         n;
    int         rc;                           /* the last one */
    const char *reason;
    int         broken;                       /* rules of the API violated */
} result_t;


/* reads in slices of step bytes; chunk sizes and aborts are applied */

static result_t
collect(const u_char *data, size_t len, size_t step)
{
    int                       rc;
    size_t                    n, off;
    u_char                   *copy, *buf;
    result_t                  result;
    message_t                *m;
    const u_char             *p, *last;
    ngx_uint_t                i;
    ngx_media_rtmp_cs_t      *cs;
    ngx_media_rtmp_piece_t    piece;
    ngx_media_rtmp_reader_t   r;
    ngx_media_rtmp_control_t  control;

    memset(&result, 0, sizeof(result));
    ngx_media_rtmp_chunk_init(&r, MAX_MESSAGE);
    rc = NGX_AGAIN;

    for (off = 0; off < len; off += n) {

        n = ngx_min(step, len - off);
        copy = tap_dup(data + off, n);
        p = copy;
        last = p + n;

        for ( ;; ) {
            rc = ngx_media_rtmp_chunk_read(&r, &p, last, &piece);

            if (rc != NGX_OK) {
                break;
            }

            cs = piece.cs;

            if (piece.first) {
                result.broken |= (cs->data != NULL || piece.offset != 0);
                cs->data = malloc(cs->length ? cs->length : 1);
            }

            result.broken |= (cs->data == NULL);
            buf = cs->data;

            memcpy(buf + piece.offset, piece.payload.pos,
                   ngx_media_span_len(&piece.payload));

            if (!piece.complete) {
                result.broken |= (ngx_media_span_len(&piece.payload) == 0);
                continue;
            }

            result.broken |= (piece.offset
                              + ngx_media_span_len(&piece.payload)
                              != cs->length);

            if (result.n < MESSAGES) {
                m = &result.messages[result.n++];
                m->csid = cs->id;
                m->timestamp = cs->timestamp;
                m->type = cs->type;
                m->stream = cs->stream;
                m->length = cs->length;
                m->hash = ngx_media_hash(buf, cs->length);
            }

            cs->data = NULL;

            if (ngx_media_rtmp_control_parse(cs->type, buf, buf + cs->length,
                                             &control)
                == NGX_OK)
            {
                if (cs->type == NGX_MEDIA_RTMP_CHUNK) {
                    rc = ngx_media_rtmp_chunk_set_size(&r, control.value);

                } else if (cs->type == NGX_MEDIA_RTMP_ABORT) {
                    cs = ngx_media_rtmp_chunk_abort(&r, control.value);

                    if (cs) {
                        free(cs->data);
                        cs->data = NULL;
                    }
                }
            }

            free(buf);

            if (rc != NGX_OK) {
                break;
            }
        }

        result.broken |= (rc == NGX_AGAIN && p != last);
        free(copy);

        if (rc == NGX_ERROR) {
            break;
        }
    }

    for (i = 0; i < r.nstreams; i++) {
        result.broken |= ((r.streams[i].data != NULL)
                          != (r.streams[i].active
                              && r.streams[i].received != 0));
        free(r.streams[i].data);
    }

    result.rc = rc;
    result.reason = r.reason;

    return result;
}


/* whole, byte by byte, in slices, and truncated everywhere */

static result_t
check(const u_char *data, size_t len, const char *name)
{
    int       good;
    size_t    i;
    result_t  a, b;

    a = collect(data, len, len);
    good = !a.broken;

    for (i = 1; i < 20; i++) {
        b = collect(data, len, i);

        good = good && !b.broken && b.n == a.n && b.rc == a.rc
               && memcmp(a.messages, b.messages, a.n * sizeof(message_t)) == 0;
    }

    ok(good, "%s, in slices", name);

    good = 1;

    for (i = 0; i < len; i++) {
        b = collect(data, i, i);

        good = good && !b.broken && b.n <= a.n
               && (b.rc == NGX_AGAIN || a.rc == NGX_ERROR)
               && memcmp(a.messages, b.messages, b.n * sizeof(message_t)) == 0;
    }

    ok(good, "%s, truncated", name);

    return a;
}


/* what a sender writes, chunk by chunk */

static u_char  out[1 << 18];
static u_char  *o;
static u_char  body[MAX_MESSAGE + 1];


static void
chunk(int fmt, uint32_t csid, uint32_t time, uint32_t length, uint32_t type,
    uint32_t stream, int ext, const u_char *data, size_t n)
{
    if (csid < 64) {
        *o++ = fmt << 6 | csid;

    } else if (csid < 320) {
        *o++ = fmt << 6;
        *o++ = csid - 64;

    } else {
        *o++ = fmt << 6 | 1;
        o = ngx_media_put_le16(o, csid - 64);
    }

    if (fmt < 3) {
        o = ngx_media_put_be24(o, time >= 0xffffff ? 0xffffff : time);
    }

    if (fmt < 2) {
        o = ngx_media_put_be24(o, length);
        o = ngx_media_put_8(o, type);
    }

    if (fmt == 0) {
        o = ngx_media_put_le32(o, stream);
    }

    if (ext) {
        o = ngx_media_put_be32(o, time);
    }

    memcpy(o, data, n);
    o += n;
}


#define begin()  o = out
#define finish(name)  check(out, o - out, name)


static void
is_message(result_t *r, int i, uint32_t csid, uint32_t timestamp,
    uint32_t type, const u_char *data, size_t len, const char *name)
{
    message_t  *m = &r->messages[i];

    if (!ok(i < r->n && m->csid == csid && m->timestamp == timestamp
            && m->type == type && m->length == len
            && m->hash == ngx_media_hash(data, len), "%s", name))
    {
        diag("n %d rc %d (%s): csid %u time %u type %u length %u", r->n, r->rc,
             r->reason ? r->reason : "", m->csid, m->timestamp, m->type,
             m->length);
    }
}


static void
is_failure(result_t *r, int n, const char *reason, const char *name)
{
    ok(r->rc == NGX_ERROR && r->n == n && r->reason
       && strcmp(r->reason, reason) == 0, "%s: %s", name, reason);
}


/* "RTMP 1.0", 5.3.2.1 and 5.3.2.2: the examples of the specification */

static void
test_examples(void)
{
    result_t  r;

    begin();
    chunk(0, 3, 1000, 32, 8, 12345, 0, body, 32);
    chunk(2, 3, 20, 0, 0, 0, 0, body + 32, 32);
    chunk(3, 3, 0, 0, 0, 0, 0, body + 64, 32);
    chunk(3, 3, 0, 0, 0, 0, 0, body + 96, 32);
    r = finish("example 1");

    is(r.n, 4, "example 1, messages");
    is_message(&r, 0, 3, 1000, 8, body, 32, "example 1, first");
    is_message(&r, 1, 3, 1020, 8, body + 32, 32, "example 1, second");
    is_message(&r, 2, 3, 1040, 8, body + 64, 32, "example 1, third");
    is_message(&r, 3, 3, 1060, 8, body + 96, 32, "example 1, fourth");
    is(r.messages[3].stream, 12345, "example 1, stream id");

    begin();
    chunk(0, 4, 1000, 307, 9, 12346, 0, body, 128);
    chunk(3, 4, 0, 0, 0, 0, 0, body + 128, 128);
    chunk(3, 4, 0, 0, 0, 0, 0, body + 256, 51);
    r = finish("example 2");

    is(r.n, 1, "example 2, messages");
    is_message(&r, 0, 4, 1000, 9, body, 307, "example 2");
}


static void
test_forms(void)
{
    size_t    i;
    result_t  r;

    static const uint32_t  csids[] = { 2, 3, 63, 64, 65, 319, 320, 321,
                                       65599 };

    begin();

    for (i = 0; i < sizeof(csids) / sizeof(csids[0]); i++) {
        chunk(0, csids[i], i, i, 9, 1, 0, body + i, i);
    }

    r = finish("chunk stream ids");
    is(r.n, sizeof(csids) / sizeof(csids[0]), "chunk stream ids, messages");

    for (i = 0; i < sizeof(csids) / sizeof(csids[0]); i++) {
        is_message(&r, i, csids[i], i, 9, body + i, i, "chunk stream id");
    }

    /* small ids in the long forms are the same chunk streams */

    begin();
    chunk(0, 70, 5, 4, 8, 1, 0, body, 4);
    memcpy(o, "\xc1\x06\x00", 3);
    o += 3;
    memcpy(o, body, 4);
    o += 4;
    r = finish("three bytes for a small id");
    is_message(&r, 1, 70, 10, 8, body, 4, "three bytes for a small id");

    /* interleaved */

    begin();
    chunk(0, 6, 40, 300, 9, 1, 0, body, 128);
    chunk(0, 4, 41, 200, 8, 1, 0, body + 1000, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 128);
    chunk(0, 2, 0, 4, 3, 0, 0, body, 4);
    chunk(3, 4, 0, 0, 0, 0, 0, body + 1128, 72);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 256, 44);
    r = finish("interleaved");
    is_message(&r, 0, 2, 0, 3, body, 4, "interleaved, acknowledgement");
    is_message(&r, 1, 4, 41, 8, body + 1000, 200, "interleaved, audio");
    is_message(&r, 2, 6, 40, 9, body, 300, "interleaved, video");

    /* empty messages */

    begin();
    chunk(0, 4, 10, 0, 8, 1, 0, body, 0);
    chunk(2, 4, 5, 0, 0, 0, 0, body, 0);
    chunk(3, 4, 0, 0, 0, 0, 0, body, 0);
    chunk(1, 4, 5, 1, 8, 0, 0, body, 1);
    r = finish("empty");
    is(r.n, 4, "empty, messages");
    is_message(&r, 2, 4, 20, 8, body, 0, "empty, third");
    is_message(&r, 3, 4, 25, 8, body, 1, "empty, and one that is not");

    /* librtmp begins chunk stream 2 with format 1 */

    begin();
    chunk(1, 2, 7, 4, 3, 0, 0, body, 4);
    r = finish("format 1 first");
    is_message(&r, 0, 2, 7, 3, body, 4, "format 1 first");

    /* exactly one chunk, one more byte */

    begin();
    chunk(0, 6, 0, 128, 9, 1, 0, body, 128);
    chunk(1, 6, 40, 129, 9, 1, 0, body, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 1);
    chunk(2, 6, 40, 0, 0, 0, 0, body, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 1);
    r = finish("borders");
    is(r.n, 3, "borders, messages");
    is_message(&r, 0, 6, 0, 9, body, 128, "one chunk");
    is_message(&r, 1, 6, 40, 9, body, 129, "one byte more");
    is_message(&r, 2, 6, 80, 9, body, 129, "the same with format 2");
}


static void
test_times(void)
{
    result_t  r;

    /* format 3 after format 0: the timestamp is the delta */

    begin();
    chunk(0, 4, 40, 2, 8, 1, 0, body, 2);
    chunk(3, 4, 0, 0, 0, 0, 0, body, 2);
    chunk(3, 4, 0, 0, 0, 0, 0, body, 2);
    r = finish("3 after 0");
    is_message(&r, 1, 4, 80, 8, body, 2, "3 after 0");
    is_message(&r, 2, 4, 120, 8, body, 2, "3 after 3 after 0");

    /* ... unless that makes no sense */

    begin();
    chunk(0, 4, 3600000, 2, 8, 1, 0, body, 2);
    chunk(3, 4, 0, 0, 0, 0, 0, body, 2);
    r = finish("3 after a late 0");
    is_message(&r, 1, 4, 3600000, 8, body, 2, "3 after a late 0");

    /* extended, of all formats, repeated as the specification says */

    begin();
    chunk(0, 6, 0x1000000, 300, 9, 1, 1, body, 128);
    chunk(3, 6, 0x1000000, 0, 0, 0, 1, body + 128, 128);
    chunk(3, 6, 0x1000000, 0, 0, 0, 1, body + 256, 44);
    chunk(1, 6, 40, 200, 9, 1, 0, body, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 72);
    chunk(1, 6, 0x1400000, 200, 9, 1, 1, body, 128);
    chunk(3, 6, 0x1400000, 0, 0, 0, 1, body + 128, 72);
    chunk(2, 6, 0xffffff, 0, 0, 0, 1, body, 128);
    chunk(3, 6, 0xffffff, 0, 0, 0, 1, body + 128, 72);
    chunk(3, 6, 0xffffff, 0, 0, 0, 1, body, 128);
    chunk(3, 6, 0xffffff, 0, 0, 0, 1, body + 128, 72);
    r = finish("extended, repeated");
    is(r.n, 5, "extended, repeated, messages");
    is_message(&r, 0, 6, 0x1000000, 9, body, 300, "extended, format 0");
    is_message(&r, 1, 6, 0x1000028, 9, body, 200, "extended no more");
    is_message(&r, 2, 6, 0x2400028, 9, body, 200, "extended, format 1");
    is_message(&r, 3, 6, 0x3400027, 9, body, 200, "extended, format 2");
    is_message(&r, 4, 6, 0x4400026, 9, body, 200, "extended, format 3");

    /* ... and not repeated, as librtmp does */

    begin();
    chunk(0, 6, 0x1000000, 300, 9, 1, 1, body, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 256, 44);
    chunk(1, 6, 40, 200, 9, 1, 0, body, 128);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 72);
    r = finish("extended, not repeated");
    is(r.n, 2, "extended, not repeated, messages");
    is_message(&r, 0, 6, 0x1000000, 9, body, 300, "not repeated");
    is_message(&r, 1, 6, 0x1000028, 9, body, 200, "not repeated, next");

    /* audio and video on one chunk stream: time goes back, 32-bit delta */

    begin();
    chunk(0, 4, 1000, 10, 9, 1, 0, body, 10);
    chunk(1, 4, (uint32_t) -20, 8, 8, 1, 1, body, 8);
    chunk(1, 4, 40, 10, 9, 1, 0, body, 10);
    chunk(1, 4, (uint32_t) -20, 10, 8, 1, 1, body, 10);
    chunk(3, 4, 0, 0, 0, 0, 0, body, 10);
    r = finish("time goes back");
    is(r.n, 5, "time goes back, messages");
    is_message(&r, 1, 4, 980, 8, body, 8, "time goes back, audio");
    is_message(&r, 2, 4, 1020, 9, body, 10, "time goes back, video");
    is_message(&r, 4, 4, 1000, 8, body, 10, "format 3 of librtmp: same time");

    /* an extended timestamp of format 1 that is no delta */

    begin();
    chunk(0, 6, 0xfffff0, 10, 9, 1, 0, body, 10);
    chunk(1, 6, 0x1000018, 10, 9, 1, 1, body, 10);
    chunk(2, 6, 0x1000040, 0, 0, 0, 1, body, 10);
    r = finish("absolute");
    is_message(&r, 1, 6, 0x1000018, 9, body, 10, "absolute, format 1");
    is_message(&r, 2, 6, 0x1000040, 9, body, 10, "absolute, format 2");

    /* wraps are the caller's affair */

    begin();
    chunk(0, 6, 0xffffffec, 10, 9, 1, 1, body, 10);
    chunk(1, 6, 40, 10, 9, 1, 0, body, 10);
    r = finish("wrap");
    is_message(&r, 0, 6, 0xffffffec, 9, body, 10, "before the wrap");
    is_message(&r, 1, 6, 20, 9, body, 10, "after the wrap");
}


/*
 * The four bytes that may be a timestamp or payload: payload that begins
 * like the timestamp for 0 to 3 bytes, remainders shorter than that, another
 * such chunk right behind it.
 */

static void
test_repeated(void)
{
    int       good, repeat;
    size_t    equal, left, size;
    u_char    data[64];
    result_t  r;

    static const u_char  ext[] = { 0x01, 0x02, 0x03, 0x04 };

    good = 1;

    for (size = 1; size <= 8; size++) {
        for (left = 1; left <= 3 * size && left < 12; left++) {
            for (equal = 0; equal < 4; equal++) {
                for (repeat = 0; repeat < 2; repeat++) {

                    memset(data, 0xee, sizeof(data));
                    memcpy(data + size, ext, equal);

                    if (size + equal < size + left && size < left) {
                        memcpy(data + 2 * size, ext, equal);
                    }

                    begin();
                    chunk(0, 2, 0, 4, 1, 0, 0, (u_char *) "\0\0\0\0", 3);
                    *o++ = (u_char) size;

                    chunk(0, 6, 0x01020304, size + left, 9, 1, 1, data, size);
                    chunk(3, 6, 0x01020304, 0, 0, 0, repeat, data + size,
                          ngx_min(size, left));

                    if (left > size) {
                        chunk(3, 6, 0x01020304, 0, 0, 0, repeat,
                              data + 2 * size, ngx_min(size, left - size));
                    }

                    if (left > 2 * size) {
                        chunk(3, 6, 0x01020304, 0, 0, 0, repeat,
                              data + 3 * size, left - 2 * size);
                    }

                    chunk(0, 8, 7, 1, 8, 1, 0, body, 1);

                    r = collect(out, o - out, o - out);

                    good = good && !r.broken && r.n == 3
                           && r.messages[1].timestamp == 0x01020304
                           && r.messages[1].hash
                              == ngx_media_hash(data, size + left)
                           && r.messages[2].csid == 8
                           && r.messages[2].timestamp == 7;

                    r = collect(out, o - out, 1);

                    if (!(r.n == 3 && !r.broken && r.messages[1].hash
                          == ngx_media_hash(data, size + left)))
                    {
                        good = 0;
                        diag("size %d left %d equal %d repeat %d: n %d rc %d",
                             (int) size, (int) left, (int) equal, repeat, r.n,
                             r.rc);
                    }
                }
            }
        }
    }

    ok(good, "timestamp or payload");

    /* an empty message of format 3 where nothing was repeated */

    begin();
    chunk(0, 6, 0x03000000, 0, 9, 1, 1, body, 0);
    chunk(3, 6, 0, 0, 0, 0, 0, body, 0);
    chunk(0, 3, 9, 1, 8, 1, 0, body, 1);
    r = finish("empty, not repeated");
    is(r.n, 3, "empty, not repeated, messages");
    is_message(&r, 2, 3, 9, 8, body, 1, "the message after it");

    /* headers that look like the timestamp, and again like it */

    begin();
    chunk(0, 6, 0xc6c604aa, 0, 9, 1, 1, body, 0);
    chunk(3, 6, 0, 0, 0, 0, 0, body, 0);
    chunk(3, 6, 0, 0, 0, 0, 0, body, 0);
    chunk(3, 6, 0, 0, 0, 0, 0, body, 0);
    chunk(0, 4, 9, 1, 8, 1, 0, body, 1);
    r = finish("empty, like the timestamp");
    is(r.n, 5, "empty, like the timestamp, messages");
    is_message(&r, 3, 6, 0xc6c604aa, 9, body, 0, "the last empty one");
    is_message(&r, 4, 4, 9, 8, body, 1, "the message after them");
}


static void
test_control(void)
{
    result_t  r;

    /* Set Chunk Size counts from the next chunk on, for all chunk streams */

    begin();
    chunk(0, 6, 0, 300, 9, 1, 0, body, 128);
    chunk(0, 2, 0, 4, 1, 0, 0, (u_char *) "\0\0\0\xc8", 4);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 128, 172);
    chunk(0, 2, 0, 4, 1, 0, 0, (u_char *) "\x7f\xff\xff\xff", 4);
    chunk(0, 6, 40, 65000, 9, 1, 0, body, 65000);
    r = collect(out, o - out, 1000);
    is(r.n, 4, "chunk size, messages");
    is_message(&r, 1, 6, 0, 9, body, 300, "chunk size in a message");
    is_message(&r, 3, 6, 40, 9, body, 65000, "largest chunk size");

    begin();
    chunk(0, 2, 0, 4, 1, 0, 0, (u_char *) "\0\0\0\1", 4);
    chunk(0, 6, 40, 3, 9, 1, 0, body, 1);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 1, 1);
    chunk(3, 6, 0, 0, 0, 0, 0, body + 2, 1);
    r = finish("chunk size 1");
    is_message(&r, 1, 6, 40, 9, body, 3, "chunk size 1");

    begin();
    chunk(0, 2, 0, 4, 1, 0, 0, (u_char *) "\0\0\0\0", 4);
    r = finish("chunk size 0");
    is_failure(&r, 1, "invalid chunk size", "zero");

    begin();
    chunk(0, 2, 0, 4, 1, 0, 0, (u_char *) "\x80\0\0\0", 4);
    r = finish("chunk size with the highest bit");
    is_failure(&r, 1, "invalid chunk size", "highest bit");

    /* Abort, of something and of nothing */

    begin();
    chunk(0, 6, 10, 300, 9, 1, 0, body, 128);
    chunk(0, 2, 0, 4, 2, 0, 0, (u_char *) "\0\0\0\6", 4);
    chunk(0, 6, 50, 10, 9, 1, 0, body, 10);
    chunk(0, 2, 0, 4, 2, 0, 0, (u_char *) "\0\0\0\6", 4);
    chunk(0, 2, 0, 4, 2, 0, 0, (u_char *) "\0\0\1\6", 4);
    r = finish("abort");
    is(r.n, 4, "abort, messages");
    is_message(&r, 1, 6, 50, 9, body, 10, "the message after an abort");
}


static void
test_errors(void)
{
    int       i;
    result_t  r;

    begin();
    chunk(2, 4, 0, 0, 0, 0, 0, body, 10);
    r = finish("format 2 first");
    is_failure(&r, 0, "chunk stream begins without a message header",
               "format 2");

    begin();
    chunk(3, 4, 0, 0, 0, 0, 0, body, 10);
    r = finish("format 3 first");
    is_failure(&r, 0, "chunk stream begins without a message header",
               "format 3");

    begin();
    chunk(0, 4, 0, MAX_MESSAGE + 1, 9, 1, 0, body, 10);
    r = finish("large");
    is_failure(&r, 0, "message too large", "one byte more");

    begin();
    chunk(0, 4, 0, 0xffffff, 9, 1, 0, body, 10);
    r = finish("largest");
    is_failure(&r, 0, "message too large", "16 MB");

    begin();
    chunk(0, 4, 0, 200, 9, 1, 0, body, 128);
    chunk(0, 4, 0, 200, 8, 1, 0, body, 128);
    r = finish("another message within one");
    is_failure(&r, 0, "new message within a message", "type");

    begin();
    chunk(0, 4, 0, 200, 9, 1, 0, body, 128);
    chunk(1, 4, 0, 20, 9, 1, 0, body, 20);
    r = finish("another message within one");
    is_failure(&r, 0, "new message within a message", "length");

    /* the same one: a header instead of format 3 */

    begin();
    chunk(0, 4, 70, 400, 9, 1, 0, body, 128);
    chunk(1, 4, 0, 400, 9, 0, 0, body + 128, 128);
    chunk(2, 4, 70, 0, 0, 0, 0, body + 256, 128);
    chunk(0, 4, 70, 400, 9, 5, 0, body + 384, 16);
    r = finish("headers within a message");
    is(r.n, 1, "headers within a message, messages");
    is_message(&r, 0, 4, 70, 9, body, 400, "headers within a message");
    is(r.messages[0].stream, 1, "headers within a message, stream");

    begin();

    for (i = 0; i < NGX_MEDIA_RTMP_CHUNK_STREAMS; i++) {
        chunk(0, 3 + i, i, 1, 8, 1, 0, body, 1);
    }

    r = finish("many chunk streams");
    is(r.n, NGX_MEDIA_RTMP_CHUNK_STREAMS, "as many as there may be");

    chunk(0, 3 + i, i, 1, 8, 1, 0, body, 1);
    r = finish("too many chunk streams");
    is_failure(&r, NGX_MEDIA_RTMP_CHUNK_STREAMS, "too many chunk streams",
               "one more");
}


static void
test_write(void)
{
    int                            good;
    size_t                         i, j, k, len, n;
    u_char                        *p;
    result_t                       r;
    ngx_media_rtmp_chunk_header_t  header;

    static const uint32_t  csids[] = { 2, 63, 64, 319, 320, 65599 };
    static const uint32_t  times[] = { 0, 0xfffffe, 0xffffff, 0xffffffff };
    static const size_t    lens[] = { 0, 1, 127, 128, 129, 256, 257, 5000 };

    good = 1;

    for (i = 0; i < sizeof(csids) / sizeof(csids[0]); i++) {
        for (j = 0; j < sizeof(times) / sizeof(times[0]); j++) {
            for (k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {

                header.csid = csids[i];
                header.timestamp = times[j];
                header.type = NGX_MEDIA_RTMP_COMMAND;
                header.stream = 0x01020304;

                len = ngx_media_rtmp_chunk_write(NULL, &header, body, lens[k],
                                                 128);
                p = malloc(len);
                n = ngx_media_rtmp_chunk_write(p, &header, body, lens[k], 128);

                r = collect(p, n, 13);

                good = good && n == len && r.n == 1 && !r.broken
                       && r.rc == NGX_AGAIN
                       && r.messages[0].csid == csids[i]
                       && r.messages[0].timestamp == times[j]
                       && r.messages[0].type == NGX_MEDIA_RTMP_COMMAND
                       && r.messages[0].stream == 0x01020304
                       && r.messages[0].length == lens[k]
                       && r.messages[0].hash == ngx_media_hash(body, lens[k]);

                free(p);
            }
        }
    }

    ok(good, "written, read again");

    header.csid = 3;
    header.timestamp = 0;
    header.type = NGX_MEDIA_RTMP_COMMAND;
    header.stream = 1;

    p = malloc(200);
    n = ngx_media_rtmp_chunk_write(p, &header, (u_char *) "abcdefg", 7, 3);
    is_mem(p, n, "\x03\0\0\0\0\0\7\x14\1\0\0\0abc\xc3" "def\xc3g", 21,
           "bytes of a message");
    free(p);
}


/*
 * A payload in several places: the same bytes as in one, whatever the places
 * and however long the time stamp
 */

static void
test_spans(void)
{
    int                            good;
    size_t                         i, j, k, len, n;
    u_char                        *a, *b, *p, *q;
    result_t                       r;
    ngx_media_span_t               spans[4];
    ngx_media_rtmp_chunk_header_t  header;

    static const uint32_t  times[] = { 0, 0xfffffe, 0xffffff, 0x1000000,
                                       0xffffffff };
    static const size_t    heads[] = { 0, 1, 5, 8, 127, 128, 129 };
    static const size_t    lens[] = { 0, 1, 119, 120, 121, 123, 128, 129,
                                      1000 };

    good = 1;

    header.csid = 6;
    header.type = NGX_MEDIA_RTMP_VIDEO;
    header.stream = 1;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        for (j = 0; j < sizeof(heads) / sizeof(heads[0]); j++) {
            for (k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {

                header.timestamp = times[i];
                len = heads[j] + lens[k] + 3;

                a = tap_dup(body, heads[j]);
                b = tap_dup(body + heads[j], lens[k]);

                spans[0].pos = a;
                spans[0].last = a + heads[j];
                spans[1].pos = b;
                spans[1].last = b + lens[k];
                spans[2].pos = NULL;
                spans[2].last = NULL;
                spans[3].pos = body + len - 3;
                spans[3].last = body + len;

                n = ngx_media_rtmp_chunk_write(NULL, &header, body, len, 128);
                p = malloc(n);
                q = malloc(n);

                (void) ngx_media_rtmp_chunk_write(p, &header, body, len, 128);

                good = good
                       && ngx_media_rtmp_chunk_write_spans(NULL, &header,
                                                           spans, 4, 128) == n
                       && ngx_media_rtmp_chunk_write_spans(q, &header, spans,
                                                           4, 128) == n
                       && memcmp(p, q, n) == 0;

                r = collect(q, n, 7);

                good = good && r.n == 1 && !r.broken
                       && r.messages[0].timestamp == times[i]
                       && r.messages[0].length == len
                       && r.messages[0].hash == ngx_media_hash(body, len);

                free(a);
                free(b);
                free(p);
                free(q);
            }
        }
    }

    ok(good, "payloads in several places");

    /* extended time stamps are repeated in every chunk, 5.3.1.3 */

    header.timestamp = 0x01020304;

    spans[0].pos = (u_char *) "ab";
    spans[0].last = spans[0].pos + 2;
    spans[1].pos = (u_char *) "cdefg";
    spans[1].last = spans[1].pos + 5;

    p = malloc(33);
    n = ngx_media_rtmp_chunk_write_spans(p, &header, spans, 2, 3);
    is_mem(p, n, "\x06\xff\xff\xff\0\0\7\x09\1\0\0\0\1\2\3\4" "abc"
           "\xc6\1\2\3\4" "def" "\xc6\1\2\3\4" "g", 33,
           "bytes of a late message");

    n = ngx_media_rtmp_chunk_write_spans(p, &header, NULL, 0, 3);
    is_mem(p, n, "\x06\xff\xff\xff\0\0\0\x09\1\0\0\0\1\2\3\4", 16,
           "bytes of an empty one");
    is(ngx_media_rtmp_chunk_write_spans(NULL, &header, NULL, 0, 3), 16,
       "its size");
    free(p);
}


static void
test_messages(void)
{
    int                       good;
    size_t                    i, j, n;
    u_char                   *p;
    ngx_media_rtmp_control_t  c;

    static const struct {
        uint32_t     type;
        uint32_t     value;
        const char  *bytes;
        size_t       len;
    } controls[] = {
        { NGX_MEDIA_RTMP_CHUNK, 4096,
          "\2\0\0\0\0\0\4\1\0\0\0\0\0\0\x10\0", 16 },
        { NGX_MEDIA_RTMP_ABORT, 6,
          "\2\0\0\0\0\0\4\2\0\0\0\0\0\0\0\6", 16 },
        { NGX_MEDIA_RTMP_ACK, 0xfffffffe,
          "\2\0\0\0\0\0\4\3\0\0\0\0\xff\xff\xff\xfe", 16 },
        { NGX_MEDIA_RTMP_WINDOW, 2500000,
          "\2\0\0\0\0\0\4\5\0\0\0\0\0\x26\x25\xa0", 16 },
        { NGX_MEDIA_RTMP_BANDWIDTH, 2500000,
          "\2\0\0\0\0\0\5\6\0\0\0\0\0\x26\x25\xa0\2", 17 }
    };

    for (i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {

        n = ngx_media_rtmp_control_write(NULL, controls[i].type,
                                         controls[i].value);
        ok(n == controls[i].len && n <= NGX_MEDIA_RTMP_CONTROL_MAX,
           "control %d, size", (int) i);

        p = malloc(n);
        n = ngx_media_rtmp_control_write(p, controls[i].type,
                                         controls[i].value);
        is_mem(p, n, controls[i].bytes, controls[i].len, "control %d",
               (int) i);

        ok(ngx_media_rtmp_control_parse(controls[i].type, p + 12, p + n, &c)
           == NGX_OK && c.value == controls[i].value, "control %d, parsed",
           (int) i);

        free(p);

        good = 1;

        for (j = 0; j < controls[i].len - 12; j++) {
            p = tap_dup(controls[i].bytes + 12, j);
            good = good && ngx_media_rtmp_control_parse(controls[i].type, p,
                                                        p + j, &c)
                           == NGX_ERROR;
            free(p);
        }

        ok(good, "control %d, truncated", (int) i);
    }

    n = ngx_media_rtmp_user_write(NULL, NGX_MEDIA_RTMP_PONG, 0x01020304);
    p = malloc(n);
    n = ngx_media_rtmp_user_write(p, NGX_MEDIA_RTMP_PONG, 0x01020304);
    is_mem(p, n, "\2\0\0\0\0\0\6\4\0\0\0\0\0\7\1\2\3\4", 18, "pong");

    ok(ngx_media_rtmp_control_parse(4, p + 12, p + n, &c) == NGX_OK
       && c.event == NGX_MEDIA_RTMP_PONG && c.value == 0x01020304,
       "pong, parsed");
    ok(ngx_media_rtmp_control_parse(4, p + 12, p + 14, &c) == NGX_OK
       && c.event == NGX_MEDIA_RTMP_PONG && c.value == 0,
       "event without an argument");
    is(ngx_media_rtmp_control_parse(4, p + 12, p + 13, &c), NGX_ERROR,
       "half an event");
    is(ngx_media_rtmp_control_parse(8, p + 12, p + 14, &c), NGX_DECLINED,
       "not a control message");

    free(p);
}


int
main(void)
{
    size_t    i;
    uint32_t  n;

    n = 1;

    for (i = 0; i < sizeof(body); i++) {
        n = n * 1103515245 + 12345;
        body[i] = n >> 16;
    }

    test_examples();
    test_forms();
    test_times();
    test_repeated();
    test_control();
    test_errors();
    test_write();
    test_spans();
    test_messages();

    return done();
}
