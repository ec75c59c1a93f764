
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c */


/*
 * Sample tables, parameters and media are all hostile: what is written has
 * the size that was said, and is a transport stream.
 *
 *     flags, output bytes at once, input bytes at once, tracks
 *     for each track: codec, NAL length, timescale (2), samples,
 *         decode time (8), length of configuration, configuration
 *     for each sample: size (2), duration (2), offset (2), key, NAL units
 *     the rest, again and again: media
 */


#include "formats/ngx_media_ts_mux.h"
#include "media_hex.h"
#include "media_ts.h"


#define SAMPLES   64

#define EXTREME   1


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ts_reader_t  reader;


static const uint32_t  codecs[] = {
    NGX_MEDIA_CODEC_H264, NGX_MEDIA_CODEC_H265, NGX_MEDIA_CODEC_AAC,
    NGX_MEDIA_CODEC_MP3, NGX_MEDIA_CODEC_AC3, NGX_MEDIA_CODEC_EAC3,
    NGX_MEDIA_TS_CODEC_ID3
};


typedef struct {
    ngx_media_params_t    params;
    ngx_media_ts_es_t     es;
    ngx_media_sample_t    samples[SAMPLES];
    uint32_t              nals[SAMPLES];
} fuzz_track_t;


static fuzz_track_t          tracks[NGX_MEDIA_TS_TRACKS];
static ngx_media_ts_track_t  list[NGX_MEDIA_TS_TRACKS];


static ngx_int_t
fuzz_track(ngx_media_reader_t *r, fuzz_track_t *t, ngx_media_ts_track_t *track,
    ngx_uint_t flags)
{
    size_t               len;
    uint32_t             i, n;
    const u_char        *p;
    ngx_media_sample_t  *sample;

    memset(t, 0, sizeof(fuzz_track_t));
    memset(track, 0, sizeof(ngx_media_ts_track_t));

    n = ngx_media_read_8(r) % (sizeof(codecs) / sizeof(codecs[0]));

    t->params.codec = codecs[n];
    t->params.type = n < 2 ? NGX_MEDIA_VIDEO : n < 6 ? NGX_MEDIA_AUDIO
                                                     : NGX_MEDIA_TEXT;
    t->params.nal_length = ngx_media_read_8(r);
    t->params.timescale = ngx_media_read_be16(r);

    if (flags & EXTREME) {
        t->params.timescale *= 65537;

    } else {
        t->params.timescale += 1000;
    }

    track->nsamples = ngx_media_read_8(r) % (SAMPLES + 1);
    track->decode_time = (int64_t) ngx_media_read_be64(r);

    if (!(flags & EXTREME)) {
        track->decode_time %= 90000ll * t->params.timescale;
    }

    len = ngx_media_read_8(r);
    p = ngx_media_read_bytes(r, len);

    if (p != NULL) {
        memcpy(t->params.config, p, len);
        t->params.config_len = len;
    }

    if (ngx_media_ts_es_init(&t->es, &t->params) != NGX_OK) {
        return NGX_DECLINED;
    }

    track->es = &t->es;
    track->head_len = ngx_media_ts_es_head(NULL, &t->params);

    if (track->head_len) {
        track->head = malloc(track->head_len);

        if (ngx_media_ts_es_head((u_char *) track->head, &t->params)
            != track->head_len)
        {
            abort();
        }
    }

    track->samples = t->samples;
    track->nals = t->nals;

    for (i = 0; i < track->nsamples; i++) {
        sample = &t->samples[i];

        sample->size = ngx_media_read_be16(r);
        sample->duration = ngx_media_read_be16(r);
        sample->cto = (int16_t) ngx_media_read_be16(r);
        sample->key = ngx_media_read_8(r);
        t->nals[i] = ngx_media_read_8(r);

        if (flags & EXTREME) {
            sample->duration *= 65537;
            sample->cto *= 65536;
            t->nals[i] *= 7;

        } else {
            sample->size %= 2048;
            sample->duration %= t->params.timescale / 2;
            sample->cto = abs(sample->cto);
        }
    }

    return NGX_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char              *buf, *in, *out, *p;
    size_t               i, ni, nin, nout, used;
    ngx_int_t            rc;
    ngx_uint_t           flags;
    ngx_media_span_t     span;
    ngx_media_reader_t   r;
    ngx_media_ts_mux_t   mux;

    ngx_media_reader_init(&r, data, data + size);

    memset(&mux, 0, sizeof(ngx_media_ts_mux_t));

    flags = ngx_media_read_8(&r);
    nout = 1 + ngx_media_read_8(&r) * 3;
    nin = 1 + ngx_media_read_8(&r);

    mux.tracks = list;
    mux.ntracks = ngx_media_read_8(&r) % (NGX_MEDIA_TS_TRACKS + 1);
    mux.number = flags;
    mux.audio_frames = flags >> 4;
    mux.offset = 900000;

    memset(list, 0, sizeof(list));

    for (i = 0; i < mux.ntracks; i++) {
        if (fuzz_track(&r, &tracks[i], &list[i], flags) != NGX_OK) {
            goto done;
        }
    }

    if (ngx_media_ts_mux_init(&mux) != NGX_OK) {
        goto done;
    }

    if (mux.size % 188 || mux.size < 376) {
        abort();
    }

    out = malloc(mux.size);
    buf = malloc(nout);
    in = NULL;
    used = 0;
    span.pos = span.last = NULL;

    do {
        p = buf;
        rc = ngx_media_ts_mux_write(&mux, &span, &p, buf + nout);

        if (used + (p - buf) > mux.size) {
            abort();
        }

        memcpy(out + used, buf, p - buf);
        used += p - buf;

        if (rc == NGX_AGAIN) {
            ni = ngx_min(nin, mux.want);

            if (ni == 0 || span.pos != span.last
                || mux.sample >= list[mux.track].nsamples
                || mux.sample_offset + mux.want
                   != list[mux.track].samples[mux.sample].size)
            {
                abort();
            }

            free(in);
            in = malloc(ni);

            for (i = 0; i < ni; i++) {
                in[i] = (r.pos < r.last) ? *r.pos++ : 0;
            }

            span.pos = in;
            span.last = in + ni;
        }

    } while (rc != NGX_DONE);

    if (used != mux.size) {
        abort();
    }

    if (!(flags & EXTREME)) {
        ts_init(&reader);
        ts_read(&reader, out, used);

        if (reader.error[0] || reader.breaks) {
            fprintf(stderr, "%s, %u breaks\n", reader.error, reader.breaks);
            abort();
        }

        ts_free(&reader);
    }

    free(in);
    free(buf);
    free(out);

done:

    for (i = 0; i < NGX_MEDIA_TS_TRACKS; i++) {
        free((u_char *) list[i].head);
    }

    return 0;
}
