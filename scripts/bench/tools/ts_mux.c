
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How fast the MPEG-TS muxer is, in CPU time of this process:
 *
 *     ts_mux KBIT UNITS BUFFER SECONDS
 *
 * muxes segments of 6 s, 30 frames a second of so many NAL units each with
 * KBIT of video and 128 kbit/s of AAC, through a buffer, for SECONDS; and the
 * same bytes by memcpy().  Says "name value", in MB/s, microseconds, percent.
 */

/* link: formats/ngx_media_aac.c formats/ngx_media_bits.c
         formats/ngx_media_crc.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c */


#include "formats/ngx_media_ts_mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define VIDEO   180
#define AUDIO   282
#define MEDIA   (64 * 1024 * 1024)


static ngx_media_params_t    params[2];
static ngx_media_ts_es_t     es[2];
static ngx_media_ts_track_t  tracks[2];
static ngx_media_sample_t    video[VIDEO], audio[AUDIO];
static u_char                head[40] = { 0, 0, 0, 1, 9, 0xf0 };
static u_char               *media[2], *out;


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


/* key frames each 2 s, six times as large as others */

static size_t
make(size_t kbit, size_t units)
{
    u_char   *p;
    size_t    i, left, len, total;

    p = media[0];
    total = 0;

    for (i = 0; i < VIDEO; i++) {
        left = kbit * 125 / 30 * (i % 60 ? 55 : 360) / 60;

        video[i].size = left;
        video[i].duration = 12000;
        video[i].key = i % 60 == 0;
        total += left;

        while (left) {
            len = left < 2 * (video[i].size / units) ? left
                                                     : video[i].size / units;
            (void) ngx_media_put_be32(p, len - 4);
            p[4] = 0x41;
            p += len;
            left -= len;
        }
    }

    for (i = 0; i < AUDIO; i++) {
        audio[i].size = 341;
        audio[i].duration = 1024;
        audio[i].key = 1;
        total += 341;
    }

    return total;
}


static void
setup(ngx_media_ts_mux_t *mux)
{
    memset(mux, 0, sizeof(ngx_media_ts_mux_t));

    mux->tracks = tracks;
    mux->ntracks = 2;

    if (ngx_media_ts_mux_init(mux) != NGX_OK) {
        abort();
    }
}


static size_t
segment(size_t room)
{
    u_char              *p;
    size_t               at[2], total;
    ngx_int_t            rc;
    ngx_media_span_t     in;
    ngx_media_ts_mux_t   mux;

    setup(&mux);

    at[0] = at[1] = total = 0;
    in.pos = in.last = NULL;
    p = out;

    for ( ;; ) {
        rc = ngx_media_ts_mux_write(&mux, &in, &p, out + room);

        if (rc == NGX_AGAIN) {
            in.pos = media[mux.track] + at[mux.track];
            in.last = in.pos + mux.want;
            at[mux.track] += mux.want;
            continue;
        }

        total += p - out;
        p = out;

        if (rc == NGX_DONE) {
            return total;
        }
    }
}


int
main(int argc, char **argv)
{
    size_t               bytes, i, n, room, size;
    double               seconds, start, took;
    ngx_media_ts_mux_t   mux;

    if (argc != 5) {
        fprintf(stderr, "usage: ts_mux KBIT UNITS BUFFER SECONDS\n");
        return 2;
    }

    room = atoi(argv[3]);
    seconds = atof(argv[4]);

    media[0] = calloc(1, MEDIA);
    media[1] = calloc(1, MEDIA);
    out = malloc(room);

    params[0].codec = NGX_MEDIA_CODEC_H264;
    params[0].type = NGX_MEDIA_VIDEO;
    params[0].timescale = 360000;
    params[0].nal_length = 4;
    params[1].codec = NGX_MEDIA_CODEC_AAC;
    params[1].type = NGX_MEDIA_AUDIO;
    params[1].timescale = 48000;
    params[1].config_len = 2;
    memcpy(params[1].config, "\x11\x90", 2);

    for (i = 0; i < 2; i++) {
        if (ngx_media_ts_es_init(&es[i], &params[i]) != NGX_OK) {
            abort();
        }

        tracks[i].es = &es[i];
    }

    tracks[0].head = head;
    tracks[0].head_len = sizeof(head);
    tracks[0].samples = video;
    tracks[0].nsamples = VIDEO;
    tracks[1].samples = audio;
    tracks[1].nsamples = AUDIO;

    bytes = make(atoi(argv[1]), atoi(argv[2]));

    setup(&mux);
    size = mux.size;

    for (n = 0, start = now(); now() - start < seconds / 4; n++) {
        setup(&mux);
    }

    printf("plan %.2f\n", (now() - start) / n * 1e6);

    for (n = 0, start = now(); now() - start < seconds; n++) {
        if (segment(room) != size) {
            abort();
        }
    }

    took = (now() - start) / n;

    printf("segment %.1f\nspeed %.0f\nsize %lu\noverhead %.2f\n", took * 1e6,
           size / took / 1e6, (unsigned long) size,
           ((double) size / bytes - 1) * 100);

    for (n = 0, start = now(); now() - start < seconds / 4; n++) {
        for (i = 0; i < size; i += room) {
            memcpy(out, media[0] + i, room);
            __asm__ volatile ("" ::: "memory");
        }
    }

    printf("memcpy %.0f\n", size / ((now() - start) / n) / 1e6);

    return 0;
}
