
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A transport stream in, a line for each frame of it out; the other half of
 * t/ts_demux.t.
 *
 *     ts_demux [-early] [-program N] [-step BYTES] [-flip SEED] FILE
 *
 *     PID CODEC PTS DTS SIZE ADLER32 [counted] [damaged]
 *
 * and at last what was counted.  -flip: one bit in 10^5 is another one.
 */

/* link: @codecs formats/ngx_media_adts.c formats/ngx_media_latm.c
         formats/ngx_media_nal.c formats/ngx_media_ts_demux.c
         formats/ngx_media_ts_program.c
         formats/ngx_media_ts_psi.c formats/ngx_media_ts_split.c
         formats/ngx_media_ts_split_audio.c
         formats/ngx_media_ts_split_video.c */


#include "../unit/media_ts_walk.h"

#include <stdio.h>


static walk_t  walk;


static void
die(const char *message)
{
    fprintf(stderr, "%s\n", message);
    exit(1);
}


/* RFC 1950, as "ffprobe -show_data_hash adler32" says it */

static uint32_t
adler32(const u_char *p, size_t len)
{
    uint32_t  a, b;

    a = 1;
    b = 0;

    while (len--) {
        a = (a + *p++) % 65521;
        b = (b + a) % 65521;
    }

    return b << 16 | a;
}


static void
frame(walk_t *w, ngx_uint_t stream, const ngx_media_ts_split_frame_t *f)
{
    if (f->last < f->pos) {
        die("frame");
    }

    printf("%u %.*s %lld %lld %lu %08x%s%s\n", w->demux.streams[stream].pid,
           f->codec ? (int) f->codec->name.len : 4,
           f->codec ? (char *) f->codec->name.data : "data",
           (long long) (f->pts == NGX_MEDIA_TS_NO_TIME ? -1 : f->pts),
           (long long) (f->dts == NGX_MEDIA_TS_NO_TIME ? -1 : f->dts),
           (unsigned long) (f->last - f->pos),
           adler32(f->pos, f->last - f->pos), f->counted ? " counted" : "",
           f->damaged ? " damaged" : "");
}


static void
event(walk_t *w, const ngx_media_ts_event_t *ev)
{
    if (ev->type == NGX_MEDIA_TS_EVENT_SECTION) {
        printf("%u section %lu %08x\n", (unsigned) ev->pid,
               (unsigned long) ngx_media_span_len(&ev->data),
               adler32(ev->data.pos, ngx_media_span_len(&ev->data)));
    }

    if (ev->type == NGX_MEDIA_TS_EVENT_NOTE) {
        printf("%u note %s\n", (unsigned) ev->pid, ev->why);
    }

    if (ev->type == NGX_MEDIA_TS_EVENT_CLOCK) {
        printf("clock %lld from %lld\n", (long long) ev->pcr,
               (long long) ev->from);
    }
}


static void
said(void)
{
    ngx_uint_t                  i;
    ngx_media_ts_demux_stat_t  *d;
    ngx_media_ts_split_stat_t   s;

    d = &walk.demux.stat;
    memset(&s, 0, sizeof(s));

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        s.frames += walk.streams[i].split.stat.frames;
        s.damaged += walk.streams[i].split.stat.damaged;
        s.skipped += walk.streams[i].split.stat.skipped;
        s.torn += walk.streams[i].split.stat.torn;
    }

    printf("stat packets %llu skipped %llu resyncs %llu tei %llu"
           " scrambled %llu malformed %llu duplicates %llu cc %llu"
           " sections %llu late %llu\n",
           (unsigned long long) d->packets, (unsigned long long) d->skipped,
           (unsigned long long) d->resyncs, (unsigned long long) d->tei,
           (unsigned long long) d->scrambled,
           (unsigned long long) d->malformed,
           (unsigned long long) d->duplicates,
           (unsigned long long) d->cc_errors,
           (unsigned long long) d->sections, (unsigned long long) d->late);
    printf("split frames %llu damaged %llu skipped %llu torn %llu\n",
           (unsigned long long) s.frames, (unsigned long long) s.damaged,
           (unsigned long long) s.skipped, (unsigned long long) s.torn);
}


static void
flip(u_char *p, size_t len, unsigned long seed)
{
    size_t    i, n;
    uint64_t  r;

    r = seed * 2862933555777941757ull + 3037000493ull;

    for (i = 0, n = len * 8 / 100000; i < n; i++) {
        r = r * 6364136223846793005ull + 1442695040888963407ull;
        p[(r >> 16) % len] ^= 1 << (r >> 8 & 7);
    }
}


int
main(int argc, char **argv)
{
    int                         i;
    long                        len;
    FILE                       *in;
    size_t                      at, n, step;
    u_char                     *bytes, *copy;
    unsigned long               seed;
    ngx_media_ts_demux_conf_t   conf;

    step = 1316;
    seed = 0;
    memset(&conf, 0, sizeof(conf));

    for (i = 1; i + 1 < argc; i++) {

        if (strcmp(argv[i], "-early") == 0) {
            conf.early = 1;

        } else if (strcmp(argv[i], "-program") == 0) {
            conf.program = atoi(argv[++i]);

        } else if (strcmp(argv[i], "-step") == 0) {
            step = atoi(argv[++i]);

        } else if (strcmp(argv[i], "-flip") == 0) {
            seed = strtoul(argv[++i], NULL, 10);
        }
    }

    in = (i < argc) ? fopen(argv[i], "rb") : NULL;

    if (in == NULL || step == 0 || fseek(in, 0, SEEK_END) != 0) {
        die("usage: ts_demux [-early] [-program N] [-step BYTES] FILE");
    }

    len = ftell(in);
    rewind(in);

    bytes = malloc(len + 1);

    if (bytes == NULL || fread(bytes, 1, len, in) != (size_t) len) {
        die("read");
    }

    fclose(in);

    if (seed) {
        flip(bytes, len, seed);
    }

    walk_init(&walk, &conf);

    walk.frame = frame;
    walk.event = event;
    walk.exact = 1;

    for (at = 0; at < (size_t) len; at += n) {
        n = ngx_min(step, (size_t) len - at);

        copy = malloc(n);
        memcpy(copy, bytes + at, n);

        walk_bytes(&walk, copy, copy + n);

        free(copy);
    }

    walk_end(&walk);
    said();
    free(bytes);

    return 0;
}
