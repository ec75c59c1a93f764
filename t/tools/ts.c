
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tracks as records in, MPEG-TS segments out; the other half of
 * t/formats_ts.t.
 *
 *     ts PREFIX RECORDS...
 *
 * writes PREFIX0.ts, PREFIX1.ts...: a segment from each key frame of the
 * first track to the next, and of the other tracks what is presented in it.
 * Says for each: segment N size S key K start T end T damaged N.
 *
 *     ts -push FILE LAGS RECORDS...
 *
 * writes FILE, one stream: the frames in the order in which they would arrive,
 * each track so many milliseconds late, "0,150" for instance; 7 packets at
 * once.  Says: pushed N late N breaks N damaged N.
 *
 * RECORDS, all big endian: fourcc, timescale, sample rate, delay, length of
 * the configuration, it; and for each frame size, duration, composition
 * offset, key (32 bits each), decode time (64 bits), bytes.
 */

/* link: @codecs formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c
         formats/ngx_media_ts_push.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_ts_mux.h"
#include "formats/ngx_media_ts_push.h"

#include <stdio.h>
#include <stdlib.h>


#define TS_FRAMES  100000
#define TS_OUT     32768
#define TS_IN      16384
#define TS_OFFSET  900000
#define TS_PUSH    (7 * 188)


typedef struct {
    ngx_media_params_t        params;
    ngx_media_ts_es_t         es;
    u_char                   *head;
    size_t                    head_len;
    uint32_t                  delay;
    uint32_t                  nframes;
    uint32_t                  next;
    ngx_media_sample_t       *samples;
    int64_t                  *times;
    u_char                  **data;
    uint32_t                 *nals;
} tool_track_t;


static tool_track_t          tracks[NGX_MEDIA_TS_TRACKS];
static ngx_media_ts_track_t  list[NGX_MEDIA_TS_TRACKS];
static ngx_uint_t            ntracks;


static void
die(const char *text)
{
    printf("error %s\n", text);
    exit(1);
}


static u_char *
get(FILE *in, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);

    if (p == NULL || fread(p, 1, len, in) != len) {
        die("records");
    }

    return p;
}


static void
frames(tool_track_t *t, FILE *in)
{
    u_char               head[24];
    ngx_media_sample_t  *sample;
    ngx_media_ts_nals_t  nals;

    t->samples = calloc(TS_FRAMES, sizeof(ngx_media_sample_t));
    t->times = calloc(TS_FRAMES, sizeof(int64_t));
    t->data = calloc(TS_FRAMES, sizeof(u_char *));
    t->nals = calloc(TS_FRAMES, sizeof(uint32_t));

    while (fread(head, 1, 24, in) == 24 && t->nframes < TS_FRAMES) {
        sample = &t->samples[t->nframes];

        sample->size = ngx_media_get_be32(head);
        sample->duration = ngx_media_get_be32(head + 4);
        sample->cto = (int32_t) ngx_media_get_be32(head + 8);
        sample->key = ngx_media_get_be32(head + 12);

        t->times[t->nframes] = (int64_t) ngx_media_get_be64(head + 16);
        t->data[t->nframes] = get(in, sample->size);

        if (t->es.nal_length) {
            ngx_media_ts_nals_init(&nals, sample->size, t->es.nal_length);
            ngx_media_ts_nals_feed(&nals, t->data[t->nframes],
                                   t->data[t->nframes] + sample->size);
            t->nals[t->nframes] = nals.count;
        }

        t->nframes++;
    }
}


static void
track(tool_track_t *t, const char *name)
{
    FILE                     *in;
    u_char                   *p;
    uint32_t                  fourcc, len, timescale;
    const ngx_media_codec_t  *codec;

    in = fopen(name, "rb");

    if (in == NULL) {
        die("file");
    }

    p = get(in, 20);
    fourcc = ngx_media_get_be32(p);
    timescale = ngx_media_get_be32(p + 4);
    t->params.sample_rate = ngx_media_get_be32(p + 8);
    t->delay = ngx_media_get_be32(p + 12);
    len = ngx_media_get_be32(p + 16);
    free(p);

    p = get(in, len);
    codec = ngx_media_codec_find(fourcc);

    /* ffprobe tells no configuration of AC-3, and none is needed */

    if (codec != NULL && len) {

        if (codec->config(&t->params, p, p + len) != NGX_OK) {
            die("config");
        }

    } else {
        t->params.codec = fourcc;
        t->params.type = (fourcc == NGX_MEDIA_TS_CODEC_ID3)
                         ? NGX_MEDIA_TEXT : NGX_MEDIA_AUDIO;
    }

    free(p);

    t->params.timescale = timescale;

    if (ngx_media_ts_es_init(&t->es, &t->params) != NGX_OK) {
        die("no such stream in TS");
    }

    t->head_len = ngx_media_ts_es_head(NULL, &t->params);
    t->head = malloc(t->head_len + 1);
    (void) ngx_media_ts_es_head(t->head, &t->params);

    frames(t, in);
    fclose(in);
}


/* the frames of this track before a cut, given in frame and track of it */

static void
cut(ngx_uint_t n, uint32_t end)
{
    uint32_t       i;
    int64_t        at, pts;
    tool_track_t  *t;

    t = &tracks[n];

    list[n].es = &t->es;
    list[n].head = t->head;
    list[n].head_len = t->head_len;
    list[n].delay = t->delay;
    list[n].samples = t->samples + t->next;
    list[n].nals = t->nals + t->next;
    list[n].decode_time = t->times[t->next];

    for (i = t->next; i < t->nframes; i++) {

        if (n == 0) {
            if (i == end) {
                break;
            }

            continue;
        }

        if (end == tracks[0].nframes) {
            continue;
        }

        at = tracks[0].times[end] + tracks[0].samples[end].cto;
        pts = t->times[i] + t->samples[i].cto;

        if (pts * (double) tracks[0].es.timescale
            >= at * (double) t->es.timescale)
        {
            break;
        }
    }

    list[n].nsamples = i - t->next;
}


static void
segment(const char *prefix, unsigned number)
{
    FILE                *out;
    char                 name[1024];
    u_char               buf[TS_OUT], *p;
    uint64_t             total;
    ngx_int_t            rc;
    tool_track_t        *t;
    ngx_media_span_t     in;
    ngx_media_ts_mux_t   mux;

    memset(&mux, 0, sizeof(ngx_media_ts_mux_t));

    mux.tracks = list;
    mux.ntracks = ntracks;
    mux.offset = TS_OFFSET;
    mux.number = number;

    if (ngx_media_ts_mux_init(&mux) != NGX_OK) {
        die("init");
    }

    (void) snprintf(name, sizeof(name), "%s%u.ts", prefix, number);
    out = fopen(name, "wb");

    if (out == NULL) {
        die("output");
    }

    in.pos = in.last = NULL;
    total = 0;

    do {
        p = buf;
        rc = ngx_media_ts_mux_write(&mux, &in, &p, buf + TS_OUT);

        fwrite(buf, 1, p - buf, out);
        total += p - buf;

        if (rc == NGX_AGAIN) {
            t = &tracks[mux.track];
            in.pos = t->data[t->next + mux.sample] + mux.sample_offset;
            in.last = in.pos + ngx_min(mux.want, TS_IN);
        }

    } while (rc != NGX_DONE);

    if (total != mux.size || fclose(out) != 0) {
        die("size");
    }

    printf("segment %u size %llu key %llu damaged %u\n", number,
           (unsigned long long) mux.size, (unsigned long long) mux.key_size,
           mux.damaged);
}


/* the track whose next frame arrives first; ntracks: there is none */

static ngx_uint_t
arrival(const long *lags)
{
    double         at, first;
    ngx_uint_t     i, n;
    tool_track_t  *t;

    first = 0;
    n = ntracks;

    for (i = 0; i < ntracks; i++) {
        t = &tracks[i];

        if (t->next == t->nframes) {
            continue;
        }

        at = t->times[t->next] / (double) t->es.timescale + lags[i] / 1000.0;

        if (n == ntracks || at < first) {
            first = at;
            n = i;
        }
    }

    return n;
}


static unsigned
push_all(ngx_media_ts_push_t *push, const long *lags, FILE *out)
{
    u_char                buf[TS_PUSH], *p;
    unsigned              pushed;
    ngx_int_t             rc;
    ngx_uint_t            n;
    tool_track_t         *t;
    ngx_media_ts_frame_t  frame;

    p = buf;
    pushed = 0;

    for (n = arrival(lags); n < ntracks; n = arrival(lags)) {
        t = &tracks[n];

        frame.dts = t->times[t->next];
        frame.cto = t->samples[t->next].cto;
        frame.duration = t->samples[t->next].duration;
        frame.key = t->samples[t->next].key;
        frame.pos = t->data[t->next];
        frame.last = frame.pos + t->samples[t->next].size;

        t->next++;

        if (ngx_media_ts_push_frame(push, n, &frame) != NGX_OK) {
            die("frame");
        }

        do {
            rc = ngx_media_ts_push_write(push, &p, buf + TS_PUSH);

            if (rc == NGX_OK) {
                fwrite(buf, 1, TS_PUSH, out);
                p = buf;
            }

        } while (rc == NGX_OK);

        if ((p - buf) % 188) {
            die("packets");
        }

        pushed++;
    }

    fwrite(buf, 1, p - buf, out);

    return pushed;
}


static int
push_main(int argc, char **argv)
{
    FILE                *out;
    long                 lags[NGX_MEDIA_TS_TRACKS];
    char                *p;
    unsigned             pushed;
    ngx_uint_t           n;
    ngx_media_ts_push_t  push;

    if (argc < 5 || argc > 4 + NGX_MEDIA_TS_TRACKS) {
        die("usage: ts -push FILE LAGS RECORDS...");
    }

    ntracks = argc - 4;
    p = argv[3];

    ngx_media_ts_push_init(&push);

    for (n = 0; n < ntracks; n++) {
        lags[n] = strtol(p, &p, 10);
        p += (*p == ',');

        track(&tracks[n], argv[4 + n]);

        if (ngx_media_ts_push_track(&push, n, &tracks[n].es, tracks[n].head,
                                    tracks[n].head_len, 0)
            != NGX_OK)
        {
            die("track");
        }
    }

    out = fopen(argv[2], "wb");

    if (out == NULL) {
        die("output");
    }

    pushed = push_all(&push, lags, out);

    if (fclose(out) != 0) {
        die("output");
    }

    printf("pushed %u late %llu breaks %llu damaged %u\n", pushed,
           (unsigned long long) push.late, (unsigned long long) push.breaks,
           push.mux.damaged);

    return 0;
}


int
main(int argc, char **argv)
{
    uint32_t    i;
    unsigned    number;
    ngx_uint_t  n;

    if (argc > 1 && strcmp(argv[1], "-push") == 0) {
        return push_main(argc, argv);
    }

    if (argc < 3 || argc > 2 + NGX_MEDIA_TS_TRACKS) {
        die("usage: ts PREFIX RECORDS...");
    }

    ntracks = argc - 2;

    for (n = 0; n < ntracks; n++) {
        track(&tracks[n], argv[2 + n]);
    }

    number = 0;

    for (i = 1; i <= tracks[0].nframes; i++) {

        /* audio: every 100 frames */

        if (i < tracks[0].nframes
            && (tracks[0].es.nal_length ? !tracks[0].samples[i].key : i % 100))
        {
            continue;
        }

        for (n = 0; n < ntracks; n++) {
            cut(n, i);
        }

        segment(argv[1], number++);

        for (n = 0; n < ntracks; n++) {
            tracks[n].next += list[n].nsamples;
        }
    }

    return 0;
}
