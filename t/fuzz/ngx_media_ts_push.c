
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c
         formats/ngx_media_ts_push.c */


/*
 * Parameters, times and media are all hostile: what is written is a transport
 * stream, whose clock goes forward in steps of 100 ms, unless it is said that
 * it does not.
 *
 *     flags, output bytes at once
 *     then again and again: what (3 bits), track (2 bits), and
 *         0: a track: codec, NAL length, timescale (2), configuration: length,
 *            bytes; reorder
 *         else a frame: time since the last one (2) or, of 1, any (8), offset
 *            of composition (2), duration (2), key, size (2), bytes
 */


#include "formats/ngx_media_ts_push.h"
#include "media_hex.h"
#include "media_ts.h"


#define FRAMES  1000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    ngx_media_params_t    params;
    u_char               *head;
    int64_t               dts;
} fuzz_track_t;


static ts_reader_t          reader;
static fuzz_track_t         tracks[NGX_MEDIA_TS_TRACKS];
static ngx_media_ts_push_t  push;

static const uint32_t  codecs[] = {
    NGX_MEDIA_CODEC_H264, NGX_MEDIA_CODEC_H265, NGX_MEDIA_CODEC_AAC,
    NGX_MEDIA_CODEC_MP3, NGX_MEDIA_CODEC_AC3, NGX_MEDIA_CODEC_EAC3,
    NGX_MEDIA_TS_CODEC_ID3
};


static void
fuzz_track(ngx_media_reader_t *r, ngx_uint_t n)
{
    size_t               len;
    u_char              *head;
    ngx_uint_t           i;
    const u_char        *p;
    fuzz_track_t        *t;
    ngx_media_ts_es_t    es;
    ngx_media_params_t   params;

    t = &tracks[n];

    memset(&params, 0, sizeof(ngx_media_params_t));

    i = ngx_media_read_8(r) % (sizeof(codecs) / sizeof(codecs[0]));

    params.codec = codecs[i];
    params.type = i < 2 ? NGX_MEDIA_VIDEO : i < 6 ? NGX_MEDIA_AUDIO
                                                  : NGX_MEDIA_TEXT;
    params.nal_length = ngx_media_read_8(r);
    params.timescale = ngx_media_read_be16(r);

    len = ngx_media_read_8(r);
    p = ngx_media_read_bytes(r, len);

    if (p != NULL) {
        memcpy(params.config, p, len);
        params.config_len = len;
    }

    if (ngx_media_ts_es_init(&es, &params) != NGX_OK) {
        return;
    }

    len = ngx_media_ts_es_head(NULL, &params);
    head = len ? malloc(len) : NULL;
    (void) ngx_media_ts_es_head(head, &params);

    if (ngx_media_ts_push_track(&push, n, &es, head, len,
                                ngx_media_read_8(r) & 3) != NGX_OK) {
        free(head);
        return;
    }

    free(t->head);

    t->head = head;
    t->params = params;
}


static ngx_int_t
fuzz_frame(ngx_media_reader_t *r, ngx_uint_t n, ngx_uint_t any)
{
    size_t                 i, size;
    u_char                *bytes;
    ngx_int_t              rc;
    fuzz_track_t          *t;
    ngx_media_ts_frame_t   frame;

    t = &tracks[n];

    t->dts = any ? (int64_t) ngx_media_read_be64(r)
                 : (int64_t) ((uint64_t) t->dts + ngx_media_read_be16(r));

    frame.dts = t->dts;
    frame.cto = (int16_t) ngx_media_read_be16(r);
    frame.duration = ngx_media_read_be16(r);
    frame.key = ngx_media_read_8(r) & 1;

    size = ngx_media_read_be16(r) % 4096;
    bytes = malloc(size ? size : 1);

    for (i = 0; i < size; i++) {
        bytes[i] = (r->pos < r->last) ? *r->pos++ : (u_char) i;
    }

    frame.pos = bytes;
    frame.last = bytes + size;

    rc = ngx_media_ts_push_frame(&push, n, &frame);

    if (rc != NGX_OK) {
        free(bytes);
    }

    return rc;
}


static void
fuzz_write(size_t nout)
{
    size_t      at, used;
    u_char     *buf, *out, *p;
    ngx_int_t   rc;

    used = 0;
    out = malloc(188 * 1024);
    buf = malloc(nout);

    do {
        p = buf;
        rc = ngx_media_ts_push_write(&push, &p, buf + nout);

        if (used + (p - buf) > 188 * 1024
            || (rc == NGX_OK && p != buf + nout)
            || (rc != NGX_OK && rc != NGX_DONE))
        {
            abort();
        }

        memcpy(out + used, buf, p - buf);
        used += p - buf;

    } while (rc == NGX_OK);

    free(buf);
    free((u_char *) push.frame.pos);

    if (used == 0 || used % 188 || push.in.pos != push.in.last) {
        abort();
    }

    for (at = 0; at < used; at += 188) {
        ts_packet(&reader, out + at, at);
    }

    free(out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              nout;
    unsigned            what;
    ngx_uint_t          i, n;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, data, data + size);

    memset(tracks, 0, sizeof(tracks));
    ts_init(&reader);
    ngx_media_ts_push_init(&push);

    (void) ngx_media_read_8(&r);
    nout = 1 + ngx_media_read_8(&r) * 8;

    for (i = 0; i < FRAMES && r.pos < r.last; i++) {
        what = ngx_media_read_8(&r);
        n = what >> 3 & 3;

        if ((what & 7) == 0) {
            fuzz_track(&r, n);

        } else if (fuzz_frame(&r, n, (what & 7) == 1) == NGX_OK) {
            fuzz_write(nout);
        }
    }

    if (reader.pcr_step > 9000) {
        ts_fail(&reader, "PCR after %d", (int) reader.pcr_step);
    }

    if (reader.breaks > push.breaks) {
        ts_fail(&reader, "%u breaks", reader.breaks);
    }

    for (i = 0; i < TS_PIDS; i++) {
        ts_close(&reader, i);
    }

    if (reader.error[0]) {
        fprintf(stderr, "%s\n", reader.error);
        abort();
    }

    ts_free(&reader);

    for (n = 0; n < NGX_MEDIA_TS_TRACKS; n++) {
        free(tracks[n].head);
    }

    return 0;
}
