
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_rtmp_chunk.c formats/ngx_media_rtmp_msg.c */


#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define MAX_MESSAGE  4096


typedef struct {
    uint64_t  hash;                           /* of all messages */
    size_t    n;
    int       rc;
} result_t;


static uint64_t
mix(uint64_t hash, uint64_t n)
{
    return (hash ^ n) * 0x100000001b3ull;
}


/*
 * Reads in slices of step bytes, each in memory of its own, and assembles
 * messages as a session does.
 */

static result_t
collect(const uint8_t *data, size_t size, size_t step)
{
    int                       rc;
    size_t                    len, n;
    u_char                   *buf, *copy;
    result_t                  result;
    const u_char             *last, *p;
    ngx_uint_t                i;
    ngx_media_rtmp_cs_t      *cs;
    ngx_media_rtmp_piece_t    piece;
    ngx_media_rtmp_reader_t   r;
    ngx_media_rtmp_control_t  control;

    memset(&result, 0, sizeof(result));
    ngx_media_rtmp_chunk_init(&r, MAX_MESSAGE);

    rc = NGX_AGAIN;

    while (size && rc != NGX_ERROR) {

        n = ngx_min(size, step);
        copy = malloc(n);
        memcpy(copy, data, n);
        data += n;
        size -= n;

        p = copy;
        last = p + n;

        for ( ;; ) {
            rc = ngx_media_rtmp_chunk_read(&r, &p, last, &piece);

            if (rc != NGX_OK) {
                break;
            }

            cs = piece.cs;
            len = ngx_media_span_len(&piece.payload);

            if (piece.first) {
                if (cs->data || cs->length > MAX_MESSAGE || piece.offset) {
                    abort();
                }

                cs->data = malloc(cs->length ? cs->length : 1);
            }

            buf = cs->data;

            if (buf == NULL || len > cs->length - piece.offset
                || piece.complete != (piece.offset + len == cs->length))
            {
                abort();
            }

            memcpy(buf + piece.offset, piece.payload.pos, len);

            if (!piece.complete) {
                continue;
            }

            result.n++;
            result.hash = mix(result.hash, cs->id);
            result.hash = mix(result.hash, cs->timestamp);
            result.hash = mix(result.hash, cs->type);
            result.hash = mix(result.hash, cs->stream);
            result.hash = mix(result.hash, ngx_media_hash(buf, cs->length));

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

        if (rc == NGX_AGAIN && p != last) {
            abort();
        }

        if (rc == NGX_ERROR && r.reason == NULL) {
            abort();
        }

        free(copy);
    }

    for (i = 0; i < r.nstreams; i++) {
        free(r.streams[i].data);
    }

    result.rc = rc;

    return result;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    result_t  a, b;

    if (size > 65536) {
        return 0;
    }

    a = collect(data, size, size ? size : 1);
    b = collect(data, size, 1);

    if (a.rc != b.rc || a.n != b.n || a.hash != b.hash) {
        abort();
    }

    b = collect(data, size, size ? 2 + data[0] % 7 : 1);

    if (a.rc != b.rc || a.n != b.n || a.hash != b.hash) {
        abort();
    }

    return 0;
}
