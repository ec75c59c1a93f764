
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c */


#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_ts_mux.h"
#include "media_hex.h"
#include "media_ts.h"


#define FRAMES  2000
#define TRACKS  4

#define OFFSET  900000

/* what the writer puts the clock before decode times */
#define LEAD    45000


/* avcC with 01 02 as SPS and two PPS; hvcC with its arrays out of order */

#define AVCC    "0164001fffe1000467640102" "02" "000268ee" "0003680102"
#define AVCC_2  "0164001ffde1000467640102" "01" "000268ee"
#define AVCC_1  "0164001ffce1000467640102" "01" "000268ee"
#define HVCC    "01016000000000000000000078f000fcfdf8f800000f"               \
                "04" "a2000100034401c1" "a0000100024001"                      \
                "a7000100034e0105" "a100010003420101"

#define HEAD_264    "0000000109f0" "0000000167640102" "0000000168ee"          \
                    "00000001680102"
#define HEAD_264_2  "0000000109f0" "0000000167640102" "0000000168ee"
#define HEAD_265    "00000001460150" "000000014001" "00000001420101"          \
                    "000000014401c1" "000000014e0105"


typedef struct {
    uint32_t        codec;
    const char     *config;
    unsigned        nal_length;
    uint32_t        timescale;
    uint32_t        sample_rate;
    uint32_t        duration;
    uint32_t        vary;                     /* of duration, every third */
    unsigned        frames;
    unsigned        min;                      /* sizes */
    unsigned        max;
    unsigned        gop;                      /* key frame each; 0: never */
    int             reorder;                  /* frames */
    int64_t         time;                     /* of the first frame */
    unsigned        delimiters;               /* in the frames; 2: and NAL
                                                 units of other layers */
    unsigned        empty;                    /* each so many are empty */
} track_conf_t;


typedef struct {
    const char     *name;
    unsigned        ntracks;
    track_conf_t    tracks[TRACKS];
    unsigned        interval;                 /* of PCR at most; 0: 100 ms */
    uint32_t        audio_frames;
    uint32_t        audio_span;
} test_conf_t;


typedef struct {
    ngx_media_params_t    params;
    ngx_media_ts_es_t     es;
    ngx_media_ts_track_t  track;
    ngx_media_sample_t    samples[FRAMES];
    uint32_t              nals[FRAMES];
    u_char               *media[FRAMES];
    u_char               *expected[FRAMES];   /* in the stream */
    size_t                nexpected[FRAMES];
    int64_t               time[FRAMES];       /* decode time */
    u_char               *head;
} test_track_t;


static uint32_t      seed;
static test_track_t  tracks[TRACKS];
static ts_reader_t   reader, again;


static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return n ? (seed >> 8) % n : 0;
}


/* a frame of NAL units, and the same behind start codes */

static void
make_nals(test_track_t *t, const track_conf_t *conf, unsigned n)
{
    size_t   at, i, left, len, max;
    u_char  *p, *q, *start;

    /* of SVC, MVC and 3D-AVC */

    static const u_char  others[] = { 0x0e, 0x6f, 0x74, 0x75 };

    left = t->samples[n].size;
    t->media[n] = malloc(left ? left : 1);
    t->expected[n] = malloc(t->track.head_len + 16 + left * 4);

    p = t->media[n];
    q = t->expected[n];

    if (conf->gop && t->samples[n].key) {
        memcpy(q, t->track.head, t->track.head_len);
        q += t->track.head_len;

    } else {
        memcpy(q, t->es.prefix, t->es.prefix_len);
        q += t->es.prefix_len;
    }

    max = conf->nal_length == 1 ? 255 : conf->nal_length == 2 ? 65535 : left;
    start = p;

    while (left) {
        len = left > conf->nal_length ? left - conf->nal_length : 0;

        if (len == 0) {
            abort();
        }

        if (p == start && conf->delimiters && len > 20) {
            len = 2;

        } else if (len > max || (len > 40 && rnd(3))) {
            len = 1 + rnd(len < max ? len - 20 : max - 20);
        }

        left -= conf->nal_length + len;

        if (left && left < conf->nal_length + 1u) {
            len -= conf->nal_length + 1;
            left += conf->nal_length + 1;
        }

        for (i = conf->nal_length; i > 0; i--) {
            *p++ = (u_char) (len >> (i - 1) * 8);
        }

        t->nals[n]++;

        memset(p, rnd(255) + 1, len);
        p[0] = (conf->codec == NGX_MEDIA_CODEC_H265) ? 0x26 : 0x65;

        if (conf->codec == NGX_MEDIA_CODEC_H265 && len > 1) {
            p[1] = 1;
        }

        if (conf->delimiters > 1 && len > 1 && rnd(2)) {

            if (conf->codec != NGX_MEDIA_CODEC_H265) {
                p[0] = others[rnd(4)];

            } else if (rnd(2)) {
                p[0] |= 1;                    /* layer 32 */

            } else {
                p[1] |= 8;                    /* layer 1 */
            }

            memset(q, 0, 4 + len);

            if (len > 40 && rnd(2)) {

                /* another one in it, behind a start code */

                at = 2 + rnd(30);
                memcpy(p + at, "\0\0\1\x65", 4);
                memcpy(q + 4 + at, p + at, len - at);
            }

        } else if (p == start + conf->nal_length && conf->delimiters
                   && len == 2)
        {
            p[0] = (conf->codec == NGX_MEDIA_CODEC_H265) ? 35 << 1 : 9;
            memset(q, 0, 4 + len);

        } else {
            memcpy(q, "\0\0\0\1", 4);
            memcpy(q + 4, p, len);
        }

        p += len;
        q += 4 + len;
    }

    t->nexpected[n] = q - t->expected[n];
}


static void
make_plain(test_track_t *t, const track_conf_t *conf, unsigned n)
{
    size_t   i, size;
    u_char  *q;

    size = t->samples[n].size;

    t->media[n] = malloc(size ? size : 1);
    t->expected[n] = malloc(size + 7);

    for (i = 0; i < size; i++) {
        t->media[n][i] = (u_char) rnd(256);
    }

    q = t->expected[n];

    if (conf->codec == NGX_MEDIA_CODEC_AAC && size) {
        q[0] = 0xff;
        q[1] = 0xf1;
        q[2] = 0x4c;                          /* LC, 48 kHz, */
        q[3] = 0x80 | (size + 7) >> 11;       /* stereo */
        q[4] = (size + 7) >> 3;
        q[5] = 0x1f | (size + 7) << 5;
        q[6] = 0xfc;
        q += 7;
    }

    memcpy(q, t->media[n], size);
    t->nexpected[n] = q + size - t->expected[n];
}


static void
make_track(test_track_t *t, const track_conf_t *conf)
{
    u_char    *config;
    size_t     len;
    unsigned   n, k;

    memset(t, 0, sizeof(test_track_t));

    config = media_hex(conf->config, &len);
    memcpy(t->params.config, config, len);
    t->params.config_len = len;
    free(config);

    t->params.codec = conf->codec;
    t->params.timescale = conf->timescale;
    t->params.sample_rate = conf->sample_rate;
    t->params.nal_length = conf->nal_length;
    t->params.type = conf->nal_length ? NGX_MEDIA_VIDEO
                     : conf->codec == NGX_MEDIA_TS_CODEC_ID3 ? NGX_MEDIA_TEXT
                     : NGX_MEDIA_AUDIO;

    is(ngx_media_ts_es_init(&t->es, &t->params), NGX_OK, "es");

    len = ngx_media_ts_es_head(NULL, &t->params);
    t->head = malloc(len ? len : 1);
    is(ngx_media_ts_es_head(t->head, &t->params), len, "head");

    t->track.es = &t->es;
    t->track.head = t->head;
    t->track.head_len = len;
    t->track.samples = t->samples;
    t->track.nsamples = conf->frames;
    t->track.nals = conf->nal_length && conf->nal_length < 4 ? t->nals : NULL;
    t->track.decode_time = conf->time;
    t->track.delay = conf->reorder * conf->duration;

    for (n = 0; n < conf->frames; n++) {
        t->samples[n].size = conf->min + rnd(conf->max - conf->min + 1);
        t->samples[n].duration = conf->duration;
        t->samples[n].key = conf->nal_length ? conf->gop && n % conf->gop == 0
                                             : 1;
        t->time[n] = conf->time;

        for (k = 0; k < n; k++) {
            t->time[n] += t->samples[k].duration;
        }

        if (conf->vary && n % 3 == 2) {
            t->samples[n].duration = conf->vary;
        }

        if (conf->empty && n % conf->empty == conf->empty - 1) {
            t->samples[n].size = 0;
        }

        t->samples[n].cto = (int) t->track.delay;

        if (conf->reorder && !t->samples[n].key) {
            t->samples[n].cto += (n % 2 ? 1 : -1) * conf->reorder
                                 * (int) conf->duration;
        }

        if (conf->nal_length && t->samples[n].size) {
            make_nals(t, conf, n);

        } else {
            make_plain(t, conf, n);
        }
    }
}


static void
free_tracks(unsigned ntracks)
{
    unsigned  i, n;

    for (i = 0; i < ntracks; i++) {
        for (n = 0; n < tracks[i].track.nsamples; n++) {
            free(tracks[i].media[n]);
            free(tracks[i].expected[n]);
        }

        free(tracks[i].head);
    }
}


static void
setup(ngx_media_ts_mux_t *mux, const test_conf_t *conf,
    ngx_media_ts_track_t *list)
{
    unsigned  i;

    memset(mux, 0, sizeof(ngx_media_ts_mux_t));

    for (i = 0; i < conf->ntracks; i++) {
        list[i] = tracks[i].track;
    }

    mux->tracks = list;
    mux->ntracks = conf->ntracks;
    mux->audio_frames = conf->audio_frames;
    mux->audio_span = conf->audio_span;
    mux->offset = OFFSET;
    mux->number = 21;
}


/* the segment, through buffers of these sizes; 0: of random ones */

static u_char *
write_all(ngx_media_ts_mux_t *mux, size_t nout, size_t nin, size_t *len)
{
    u_char            *buf, *exact, *out, *p;
    size_t             n, used;
    ngx_int_t          rc;
    ngx_media_span_t   in;

    used = 0;
    out = malloc(mux->size + 188);
    in.pos = in.last = NULL;
    exact = NULL;

    for ( ;; ) {
        n = nout ? nout : 1 + rnd(700);
        buf = malloc(n);
        p = buf;

        do {
            rc = ngx_media_ts_mux_write(mux, &in, &p, buf + n);

            if (rc == NGX_AGAIN) {
                size_t  want = nin ? nin : 1 + rnd(300);

                if (in.pos != in.last || mux->want == 0) {
                    rc = NGX_ERROR;
                    break;
                }

                if (want > mux->want) {
                    want = mux->want;
                }

                free(exact);
                exact = tap_dup(tracks[mux->track].media[mux->sample]
                                + mux->sample_offset, want);
                in.pos = exact;
                in.last = exact + want;
            }

        } while (rc == NGX_AGAIN);

        if (used + (p - buf) > mux->size || rc == NGX_ERROR
            || (rc == NGX_OK && p != buf + n))
        {
            free(buf);
            break;
        }

        memcpy(out + used, buf, p - buf);
        used += p - buf;
        free(buf);

        if (rc == NGX_DONE) {
            break;
        }
    }

    free(exact);

    *len = used;

    return out;
}


/* that of video is the first, also where there is none */

static unsigned
pid_of(unsigned i)
{
    return 0x100 + (tracks[0].es.type != NGX_MEDIA_VIDEO) + i;
}


/* one PID: the bytes, and the times of each unit */

static void
check_track(ts_reader_t *ts, const test_conf_t *conf, unsigned i)
{
    size_t         at, in, len;
    u_char        *all;
    int64_t        dts, pts;
    unsigned       bad, first, k, n, units;
    ts_unit_t     *unit;
    test_track_t  *t;

    t = &tracks[i];
    len = 0;

    for (n = 0; n < t->track.nsamples; n++) {
        len += t->nexpected[n];
    }

    all = malloc(len ? len : 1);

    for (n = 0, len = 0; n < t->track.nsamples; n++) {
        memcpy(all + len, t->expected[n], t->nexpected[n]);
        len += t->nexpected[n];
    }

    at = 0;
    n = 0;
    in = 0;
    bad = 0;
    units = 0;

    for (k = 0; k < ts->nunits; k++) {
        unit = &ts->units[k];

        if (unit->pid != pid_of(i)) {
            continue;
        }

        units++;

        if (at + unit->len > len || memcmp(all + at, unit->data, unit->len)) {
            bad |= 1;
            break;
        }

        at += unit->len;

        while (t->samples[n].size == 0) {
            n++;
        }

        first = n;
        dts = ngx_media_ts_time(t->time[n] - t->track.delay,
                                t->es.timescale);
        pts = ngx_media_ts_time(t->time[n] - t->track.delay
                                + t->samples[n].cto, t->es.timescale);

        if (unit->pts != ((pts + OFFSET) & 0x1ffffffff)
            || unit->dts != ((dts + OFFSET) & 0x1ffffffff))
        {
            bad |= 2;
        }

        if (!!unit->random != (conf->tracks[i].gop && t->samples[n].key)) {
            bad |= 4;
        }

        /* whole frames */

        for (in = 0; n < t->track.nsamples && in < unit->len; n++) {
            in += t->nexpected[n];
        }

        if (in != unit->len) {
            bad |= 8;
        }

        if (conf->tracks[i].nal_length && n != first + 1) {
            bad |= 16;
        }
    }

    is(bad, 0, "%s: track %u", conf->name, i);
    is(at, len, "%s: track %u, all of it", conf->name, i);

    if (units && conf->tracks[i].frames > 1) {
        is(ts->count[pid_of(i)] % 16, 0, "%s: track %u, packets", conf->name,
           i);
    }

    free(all);
}


static void
check(const test_conf_t *conf)
{
    size_t                 at, len, n;
    u_char                *other, *out;
    unsigned               i, k;
    ngx_media_ts_mux_t     mux;
    ngx_media_ts_track_t   list[TRACKS];

    static const size_t  sizes[][2] = {
        { 1, 1 }, { 188, 184 }, { 187, 3 }, { 32768, 70000 }, { 0, 0 },
        { 4000, 1 }, { 7, 5000 }, { 0, 0 }
    };

    for (i = 0; i < conf->ntracks; i++) {
        make_track(&tracks[i], &conf->tracks[i]);
    }

    setup(&mux, conf, list);

    is(ngx_media_ts_mux_init(&mux), NGX_OK, "%s: init", conf->name);

    out = write_all(&mux, 1 << 20, 1 << 20, &len);

    is(len, mux.size, "%s: size", conf->name);
    is(mux.damaged, 0, "%s: nothing damaged", conf->name);

    ts_init(&reader);
    ts_read(&reader, out, len);

    ok(reader.error[0] == '\0', "%s: structure %s", conf->name, reader.error);

    for (i = 0; i < conf->ntracks; i++) {
        check_track(&reader, conf, i);
    }

    /* in the order of decode times, but for the first */

    for (n = 0, i = 2; i < reader.nunits; i++) {
        n += ((reader.units[i].dts - reader.units[i - 1].dts) & 0x1ffffffff)
             > 0xffffffff;
    }

    is(n, 0, "%s: order", conf->name);

    is(reader.breaks, 0, "%s: no break", conf->name);
    is(reader.count[0], 1, "%s: PAT", conf->name);
    is(reader.cc[0], 21 % 16, "%s: counter of PAT", conf->name);
    is(reader.cc[0x1000], 21 % 16, "%s: counter of PMT", conf->name);
    ok(reader.pcr_step <= (conf->interval ? conf->interval : 9000),
       "%s: PCR every %d", conf->name, (int) reader.pcr_step);

    if (mux.key_size) {
        is(reader.first_pes, NGX_MEDIA_TS_PSI_SIZE, "%s: key frame",
           conf->name);
        is(mux.key_size, reader.units[0].packets * 188, "%s: key_size",
           conf->name);
        is(reader.units[0].end, 376 + mux.key_size, "%s: nothing in it",
           conf->name);
        ok(reader.units[0].random, "%s: random access", conf->name);
    }

    /* the same through any buffers */

    for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        setup(&mux, conf, list);
        (void) ngx_media_ts_mux_init(&mux);

        other = write_all(&mux, sizes[k][0], sizes[k][1], &n);

        ok(n == len && memcmp(out, other, len) == 0, "%s: buffers of %d, %d",
           conf->name, (int) sizes[k][0], (int) sizes[k][1]);
        free(other);
    }

    /* from the middle on */

    for (k = 0; k < 12; k++) {
        size_t  from = k == 0 ? 0 : k == 1 ? len - 1 : k == 2 ? len
                       : k == 3 ? 376 : rnd(len);

        setup(&mux, conf, list);
        (void) ngx_media_ts_mux_init(&mux);

        at = ngx_media_ts_mux_seek(&mux, from);
        other = write_all(&mux, 0, 0, &n);

        ok(at <= from && at + n == len && memcmp(out + at, other, n) == 0,
           "%s: from %d", conf->name, (int) from);
        free(other);
    }

    /* two segments in a row; of the second only the tables differ */

    setup(&mux, conf, list);
    mux.number = 22;
    (void) ngx_media_ts_mux_init(&mux);

    other = write_all(&mux, 5000, 5000, &n);
    out = realloc(out, len + n);
    memcpy(out + len, other, n);

    ts_init(&again);
    again.pcr_step = 0;
    ts_read(&again, out, len);
    again.pcr = -1;
    ts_read(&again, out + len, n);

    if (conf->tracks[0].frames != 1 || conf->tracks[0].min > 1) {
        ok(again.error[0] == '\0', "%s: twice, %s", conf->name, again.error);
    }

    ok(n == len && memcmp(out + 376, other + 376, n - 376) == 0,
       "%s: the number is in the tables", conf->name);

    ts_free(&again);
    ts_free(&reader);
    free(other);
    free(out);
    free_tracks(conf->ntracks);
}


static const test_conf_t  confs[] = {
    { "h264 and aac", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 360000, 0, 14400, 0, 75, 40, 5000,
          25, 0, 1767225600ll * 360000, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 140, 100,
          500, 0, 0, 1767225600ll * 48000 + 300, 0, 0 } }, 0, 0, 0 },
    { "audio starts first", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3003, 0, 60, 2000, 30000,
          60, 0, 90000, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 90, 100, 900,
          0, 0, 48000 - 900, 0, 0 } }, 0, 0, 0 },
    { "audio ends last", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 25, 10, 300, 25,
          0, 0, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 200, 2, 90,
          0, 0, 0, 0, 0 } }, 0, 0, 0 },
    { "b-frames, delay, delimiters", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 360000, 0, 6006, 0, 120, 30, 900, 30,
          2, 1000000, 1, 0 } }, 0, 0, 0 },
    { "hevc", 1, {
        { NGX_MEDIA_CODEC_H265, HVCC, 4, 24000, 0, 1001, 0, 48, 30, 9000, 24,
          3, 77777, 1, 0 } }, 0, 0, 0 },
    { "hevc, layers", 1, {
        { NGX_MEDIA_CODEC_H265, HVCC, 4, 24000, 0, 1001, 0, 48, 30, 9000, 24,
          3, 77777, 2, 0 } }, 0, 0, 0 },
    { "avc, layers", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 60, 30, 3000, 12,
          0, 0, 2, 0 } }, 0, 0, 0 },
    { "lengths of two bytes", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC_2, 2, 600, 0, 20, 0, 60, 5, 3000, 12, 0,
          0, 0, 0 } }, 0, 0, 0 },
    { "lengths of one byte, delimiters", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC_1, 1, 1000, 0, 33, 34, 60, 30, 2000, 12,
          0, -500, 1, 0 } }, 0, 0, 0 },
    { "no key frame", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 360000, 0, 14400, 0, 10, 5, 200, 0,
          0, 0, 0, 0 } }, 0, 0, 0 },
    { "a frame each 3 s", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 1, 0, 3, 0, 4, 100, 20000, 1, 0,
          100000, 0, 0 },
        { NGX_MEDIA_CODEC_MP3, "fffb9064", 0, 44100, 44100, 1152, 0, 460, 417,
          418, 0, 0, 100000ll * 44100, 0, 0 } }, 0, 0, 0 },
    { "variable frame rate, empty frames", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 8000, 13000, 60, 8, 600,
          30, 0, 0, 0, 7 } }, 0, 0, 0 },
    { "a gap of 20 s", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 1000, 0, 40, 20000, 5, 8, 600, 30, 0,
          0, 0, 0 } }, 20 * 90000, 0, 0 },
    { "wrap of 33 bits", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 50, 8, 2000, 25,
          2, 8589934592ll - OFFSET - 90000, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 94, 9, 300,
          0, 0, (8589934592ll - OFFSET) * 8 / 15 - 48000, 0, 0 } }, 0, 0, 0 },
    { "before zero", 1, {
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 94, 9, 300,
          0, 0, -3000000, 0, 0 } }, 0, 0, 0 },
    { "aac alone, one frame each", 1, {
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 94, 1, 800,
          0, 0, 0, 0, 0 } }, 0, 1, 0 },
    { "aac, empty frames and uneven ones", 1, {
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 1030, 94, 1,
          8184, 0, 0, 0, 0, 5 } }, 0, 7, 90000 },
    { "ac-3", 1, {
        { NGX_MEDIA_CODEC_AC3, "", 0, 48000, 48000, 1536, 0, 62, 768, 768,
          0, 0, 4800, 0, 0 } }, 0, 0, 0 },
    { "e-ac-3, large", 1, {
        { NGX_MEDIA_CODEC_EAC3, "", 0, 48000, 48000, 256, 0, 300, 1,
          65000, 0, 0, 4800, 0, 0 } }, 0, 100, 90000 },
    { "all four", 4, {
        { NGX_MEDIA_CODEC_H265, HVCC, 4, 90000, 0, 1500, 0, 120, 30, 4000, 60,
          0, 0, 0, 0 },
        { NGX_MEDIA_CODEC_MP3, "fff38044", 0, 22050, 22050, 576, 0, 76, 208,
          209, 0, 0, 0, 0, 0 },
        { NGX_MEDIA_TS_CODEC_ID3, "", 0, 1000, 0, 350, 0, 6, 20, 4000, 0, 0,
          0, 0, 0 },
        { NGX_MEDIA_CODEC_EAC3, "", 0, 48000, 48000, 1536, 0, 62, 100, 900,
          0, 0, 0, 0, 0 } }, 0, 0, 0 },
    { "clock track without a frame", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 0, 1, 2, 25, 0,
          0, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 94, 9, 300,
          0, 0, 5000, 0, 0 } }, 0, 0, 0 },
    { "nothing", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 0, 1, 2, 25, 0,
          0, 0, 0 } }, 0, 0, 0 },
    { "one frame", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 1, 70000, 70000,
          1, 0, 0, 0, 0 } }, 0, 0, 0 },
    { "one small frame", 1, {
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 90000, 48000, 3600, 0, 1, 1, 1,
          0, 0, 0, 0, 0 } }, 0, 0, 0 },
    { "small frames behind others", 1, {
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 1024, 50, 1, 30,
          0, 0, 0, 0, 0 } }, 0, 1, 0 },
};


/* every size of one frame around the borders of packets */

static void
test_sizes(void)
{
    size_t                 len;
    u_char                *out;
    unsigned               bad, i, n;
    ngx_media_ts_mux_t     mux;
    ngx_media_ts_track_t   list[TRACKS];

    static test_conf_t  conf = { "size", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 2, 0, 0, 0, 1, 0,
          0, 0 } }, 0, 0, 0 };

    bad = 0;

    for (i = 0; i < 2; i++) {

        for (n = 8; n < 700; n++) {
            conf.tracks[0].min = n;
            conf.tracks[0].max = n;
            conf.tracks[0].gop = i;

            make_track(&tracks[0], &conf.tracks[0]);
            setup(&mux, &conf, list);
            (void) ngx_media_ts_mux_init(&mux);

            out = write_all(&mux, 0, 0, &len);

            ts_init(&reader);
            ts_read(&reader, out, len);

            if (len != mux.size || reader.error[0]
                || reader.count[pid_of(0)] % 16
                || reader.units[1].len != tracks[0].nexpected[1]
                || memcmp(reader.units[1].data, tracks[0].expected[1],
                          reader.units[1].len))
            {
                diag("size %u: %s", n, reader.error);
                bad++;
            }

            ts_free(&reader);
            free(out);
            free_tracks(1);
        }
    }

    is(bad, 0, "all sizes");
}


static void
test_es(void)
{
    size_t               len;
    u_char               head[4096], *p;
    unsigned             i;
    ngx_media_ts_es_t    es;
    ngx_media_params_t   params;

    static const struct {
        const char  *name;
        uint32_t     codec;
        const char  *config;
        unsigned     nal_length;
        unsigned     rate;
        ngx_int_t    rc;
        unsigned     type;
        unsigned     id;
        const char  *prefix;
        const char  *head;
    } tests[] = {
        { "h264", NGX_MEDIA_CODEC_H264, AVCC, 4, 0, NGX_OK, 0x1b, 0xe0,
          "0000000109f0", HEAD_264 },
        { "h264, 2", NGX_MEDIA_CODEC_H264, AVCC_2, 2, 0, NGX_OK, 0x1b, 0xe0,
          "0000000109f0", HEAD_264_2 },
        { "h264, 3", NGX_MEDIA_CODEC_H264, AVCC_2, 3, 0, NGX_DECLINED, 0, 0,
          NULL, NULL },
        { "hevc", NGX_MEDIA_CODEC_H265, HVCC, 4, 0, NGX_OK, 0x24, 0xe0,
          "00000001460150", HEAD_265 },
        { "aac, 48 kHz, stereo", NGX_MEDIA_CODEC_AAC, "1190", 0, 48000,
          NGX_OK, 0x0f, 0xc0, "fff14c80001ffc", "" },
        { "aac, 44.1 kHz, 5.1", NGX_MEDIA_CODEC_AAC, "1230", 0, 44100,
          NGX_OK, 0x0f, 0xc0, "fff15180001ffc", "" },
        { "aac main, mono", NGX_MEDIA_CODEC_AAC, "0988", 0, 48000, NGX_OK,
          0x0f, 0xc0, "fff10c40001ffc", "" },
        { "he-aac: the core", NGX_MEDIA_CODEC_AAC, "2b920800", 0, 44100,
          NGX_OK, 0x0f, 0xc0, "fff15c80001ffc", "" },
        { "he-aac v2", NGX_MEDIA_CODEC_AAC, "eb098800", 0, 48000, NGX_OK,
          0x0f, 0xc0, "fff15840001ffc", "" },
        { "he-aac, backward compatible", NGX_MEDIA_CODEC_AAC, "139056e5a0", 0,
          44100, NGX_OK, 0x0f, 0xc0, "fff15c80001ffc", "" },
        { "aac, 960 samples", NGX_MEDIA_CODEC_AAC, "1194", 0, 48000,
          NGX_DECLINED, 0, 0, NULL, NULL },
        { "aac, 7.1 of 12", NGX_MEDIA_CODEC_AAC, "11e0", 0, 48000,
          NGX_DECLINED, 0, 0, NULL, NULL },
        { "aac, 2.1 by an element", NGX_MEDIA_CODEC_AAC,
          "118004c4010020000d4c61766335392e33372e31303056e500", 0, 48000,
          NGX_OK, 0x0f, 0xc0, "fff14c00001ffca0988020040000", "" },
        { "aac, 8 channels by an element", NGX_MEDIA_CODEC_AAC,
          "118004c848002008c8200d4c61766335392e33372e31303056e500", 0, 48000,
          NGX_OK, 0x0f, 0xc0, "fff14c00001ffca09909000401190400", "" },
        { "aac eld", NGX_MEDIA_CODEC_AAC, "f8e85000", 0, 48000, NGX_DECLINED,
          0, 0, NULL, NULL },
        { "aac, no configuration", NGX_MEDIA_CODEC_AAC, "", 0, 48000,
          NGX_DECLINED, 0, 0, NULL, NULL },
        { "mp3", NGX_MEDIA_CODEC_MP3, "fffb9064", 0, 44100, NGX_OK, 0x03,
          0xc0, "", "" },
        { "mp3, half", NGX_MEDIA_CODEC_MP3, "fff38044", 0, 22050, NGX_OK,
          0x04, 0xc0, "", "" },
        { "ac-3", NGX_MEDIA_CODEC_AC3, "", 0, 48000, NGX_OK, 0x81, 0xbd,
          "", "" },
        { "e-ac-3", NGX_MEDIA_CODEC_EAC3, "", 0, 48000, NGX_OK, 0x87, 0xbd,
          "", "" },
        { "id3", NGX_MEDIA_TS_CODEC_ID3, "", 0, 0, NGX_OK, 0x15, 0xbd, "",
          "" },
        { "vp9", ngx_media_fourcc('v', 'p', '0', '9'), "", 4, 0, NGX_DECLINED,
          0, 0, NULL, NULL },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        memset(&params, 0, sizeof(params));

        p = media_hex(tests[i].config, &len);
        memcpy(params.config, p, len);
        params.config_len = len;
        free(p);

        params.codec = tests[i].codec;
        params.nal_length = tests[i].nal_length;
        params.timescale = tests[i].rate ? tests[i].rate : 90000;
        params.sample_rate = tests[i].rate;

        is(ngx_media_ts_es_init(&es, &params), tests[i].rc, "%s",
           tests[i].name);

        if (tests[i].rc != NGX_OK) {
            continue;
        }

        is(es.stream_type, tests[i].type, "%s: type", tests[i].name);
        is(es.stream_id, tests[i].id, "%s: id", tests[i].name);

        if (tests[i].prefix) {
            p = media_hex(tests[i].prefix, &len);
            is_mem(es.prefix, es.prefix_len, p, len, "%s: prefix",
                   tests[i].name);
            free(p);
        }

        p = media_hex(tests[i].head, &len);
        is(ngx_media_ts_es_head(NULL, &params), len, "%s: head's size",
           tests[i].name);
        is(ngx_media_ts_es_head(head, &params), len, "%s: head",
           tests[i].name);
        is_mem(head, len, p, len, "%s: head's bytes", tests[i].name);
        free(p);

        /* cut short: no more than there is */

        for (len = 0; len < params.config_len; len++) {
            params.config_len = len;
            memset(params.config + len, 0xff, sizeof(params.config) - len);

            if (ngx_media_ts_es_head(NULL, &params) > 2 * len + 8) {
                ok(0, "%s: head of %u bytes", tests[i].name, (unsigned) len);
            }

            (void) ngx_media_ts_es_init(&es, &params);
        }

        params.config_len = NGX_MEDIA_CONFIG_MAX + 1;
        is(ngx_media_ts_es_init(&es, &params), NGX_DECLINED,
           "%s: configuration too long", tests[i].name);
        is(ngx_media_ts_es_head(NULL, &params), 0, "%s: no head of it",
           tests[i].name);
    }
}


/* the tables, to the byte */

static void
test_psi(void)
{
    size_t                 len, n;
    u_char                *out, *p;
    unsigned               i;
    ngx_media_ts_mux_t     mux;
    ngx_media_ts_track_t   list[TRACKS];

    static test_conf_t  conf = { "psi", 4, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
          0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 90000, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
          0 },
        { NGX_MEDIA_CODEC_AC3, "", 0, 90000, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
          0 },
        { NGX_MEDIA_TS_CODEC_ID3, "", 0, 90000, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
          0 } }, 0, 0, 0 };

    for (i = 0; i < 4; i++) {
        make_track(&tracks[i], &conf.tracks[i]);
    }

    setup(&mux, &conf, list);
    (void) ngx_media_ts_mux_init(&mux);
    out = write_all(&mux, 0, 0, &len);

    is(len, 376, "PAT and PMT");

    p = media_hex("474000150000b00d0001c100000001f0002ab104b2", &n);
    is_mem(out, n, p, n, "PAT");
    free(p);

    p = media_hex("475000150002b0470001cf0000e100f011"
                  "250fffff49443320ff49443320001f0001"
                  "1be100f0000fe101f00081e102f006050441432d33"
                  "15e103f00f260dffff49443320ff49443320000f", &n);
    is_mem(out + 188, n, p, n, "PMT");
    free(p);

    free(out);
    free_tracks(4);
}


/* nothing of what has no length goes out, whatever it looks like */

static void
test_rest(void)
{
    size_t                 len, n, nexpected;
    u_char                *expected, *media, *out;
    unsigned               i, k;
    test_track_t          *t;
    ngx_media_ts_mux_t     mux;
    ngx_media_ts_track_t   list[TRACKS];

    static test_conf_t  conf = { "rest", 1, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 1, 40, 40, 0, 0,
          0, 0, 0 } }, 0, 0, 0 };

    static const struct {
        const char  *name;
        const char  *media;
        const char  *expected;
        unsigned     damaged;
    } tests[] = {
        { "too short for a length",
          "0000000565aaaaaaaa" "000001", "0000000165aaaaaaaa" "000000", 1 },
        { "a layer beyond the frame",
          "0000000265aa" "000000ff6fbbbb0000016501aa",
          "0000000165aa" "00000000000000000000000000", 1 },
        { "a delimiter beyond the frame",
          "0000013009f0" "0000016501aa", "000000000000" "000000000000", 1 },
        { "a layer with another unit behind it",
          "0000000265aa" "000000086fbbbb0000016501",
          "0000000165aa" "000000000000000000016501", 0 },
        { "the same, and a layer beyond the frame",
          "000000086fbbbb0000016501" "000000ff6f0000016501",
          "000000000000000000016501" "00000000000000000000", 1 },
    };

    t = &tracks[0];

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        media = media_hex(tests[i].media, &n);
        expected = media_hex(tests[i].expected, &nexpected);

        for (k = 1; k < 3; k++) {
            make_track(t, &conf.tracks[0]);
            memcpy(t->media[0], media, n);
            t->samples[0].size = n;

            setup(&mux, &conf, list);
            (void) ngx_media_ts_mux_init(&mux);

            out = write_all(&mux, k == 1 ? 1 : 4000, k == 1 ? 1 : 4000, &len);

            is(mux.damaged, tests[i].damaged, "rest %u, %u: damaged", i, k);

            ts_init(&reader);
            ts_read(&reader, out, len);

            is_mem(reader.units[0].data + t->es.prefix_len,
                   reader.units[0].len - t->es.prefix_len,
                   expected, nexpected, "rest: %s", tests[i].name);

            ts_free(&reader);
            free(out);
            free_tracks(1);
        }

        free(media);
        free(expected);
    }
}


/* media that is not what the tables say: the size is kept */

static void
test_damaged(void)
{
    size_t                 len;
    u_char                *out;
    unsigned               i, k, n;
    ngx_media_ts_mux_t     mux;
    ngx_media_ts_track_t   list[TRACKS];

    static test_conf_t  conf = { "damaged", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 90000, 0, 3600, 0, 25, 5, 900, 12, 0,
          0, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 40, 9, 300,
          0, 0, 0, 0, 0 } }, 0, 0, 0 };

    static const unsigned  lengths[] = { 4, 2, 1 };

    for (k = 0; k < 3; k++) {
        conf.tracks[0].nal_length = lengths[k];

        for (i = 0; i < 3; i++) {
            make_track(&tracks[0], &conf.tracks[0]);
            make_track(&tracks[1], &conf.tracks[1]);

            for (n = 0; n < tracks[0].track.nsamples; n++) {

                switch (i) {

                case 0:
                    memset(tracks[0].media[n], 0, tracks[0].samples[n].size);
                    break;

                case 1:
                    memset(tracks[0].media[n], 0xff,
                           tracks[0].samples[n].size);
                    break;

                default:
                    tracks[0].nals[n] = rnd(5);
                }
            }

            setup(&mux, &conf, list);
            (void) ngx_media_ts_mux_init(&mux);

            out = write_all(&mux, 0, 0, &len);

            is(len, mux.size, "damaged %u, %u: size", k, i);
            ok(mux.damaged || (k == 0 && i == 2), "damaged %u, %u: %u", k, i,
               mux.damaged);

            ts_init(&reader);
            ts_read(&reader, out, len);
            ok(reader.error[0] == '\0', "damaged %u, %u: structure %s", k, i,
               reader.error);

            ts_free(&reader);
            free(out);
            free_tracks(2);
        }
    }
}


static void
test_refused(void)
{
    ngx_media_ts_mux_t    mux;
    ngx_media_ts_track_t  list[TRACKS];

    static test_conf_t  conf = { "refused", 1, {
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 48000, 48000, 1024, 0, 3, 9, 300, 0,
          0, 0, 0, 0 } }, 0, 0, 0 };

    make_track(&tracks[0], &conf.tracks[0]);

    setup(&mux, &conf, list);
    mux.ntracks = 0;
    is(ngx_media_ts_mux_init(&mux), NGX_ERROR, "no track");

    setup(&mux, &conf, list);
    mux.ntracks = NGX_MEDIA_TS_TRACKS + 1;
    is(ngx_media_ts_mux_init(&mux), NGX_ERROR, "too many tracks");

    setup(&mux, &conf, list);
    tracks[0].es.timescale = 0;
    is(ngx_media_ts_mux_init(&mux), NGX_ERROR, "no timescale");
    tracks[0].es.timescale = 48000;

    tracks[0].samples[1].size = 8184;
    is(ngx_media_ts_mux_init(&mux), NGX_OK, "the largest frame");
    tracks[0].samples[1].size = 8185;
    is(ngx_media_ts_mux_init(&mux), NGX_ERROR, "a frame too large");

    tracks[0].es.form = NGX_MEDIA_TS_RAW;
    tracks[0].es.prefix_len = 0;
    tracks[0].samples[1].size = 65522;
    is(ngx_media_ts_mux_init(&mux), NGX_OK, "the largest packet");
    tracks[0].samples[1].size = 65523;
    is(ngx_media_ts_mux_init(&mux), NGX_ERROR, "a packet too large");

    tracks[0].es.form = NGX_MEDIA_TS_NAL;
    tracks[0].es.nal_length = 2;
    is(ngx_media_ts_mux_init(&mux), NGX_DECLINED, "no counts");

    free_tracks(1);
}


/* times at the ends of what 64 bits hold: sizes stay sane */

static void
test_extremes(void)
{
    size_t                 len;
    u_char                *out;
    unsigned               i, k;
    ngx_media_ts_mux_t     mux;
    ngx_media_ts_track_t   list[TRACKS];

    static const int64_t  times[] = {
        0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX / 2, 8589934591ll
    };

    static test_conf_t  conf = { "extreme", 2, {
        { NGX_MEDIA_CODEC_H264, AVCC, 4, 1, 0, 0xffffffff, 0, 25, 5, 900, 12,
          0, 0, 0, 0 },
        { NGX_MEDIA_CODEC_AAC, "1190", 0, 0xffffffff, 48000, 0xffffffff, 0,
          40, 9, 300, 0, 0, 0, 0, 0 } }, 0, 0, 0 };

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        make_track(&tracks[0], &conf.tracks[0]);
        make_track(&tracks[1], &conf.tracks[1]);

        tracks[0].track.decode_time = times[i];
        tracks[1].track.decode_time = times[i];
        tracks[0].track.delay = 0xffffffff;

        for (k = 0; k < 25; k++) {
            tracks[0].samples[k].cto = k % 2 ? INT32_MIN : INT32_MAX;
        }

        setup(&mux, &conf, list);
        mux.offset = UINT64_MAX;
        is(ngx_media_ts_mux_init(&mux), NGX_OK, "extreme %u", i);
        ok(mux.size < 25 * 50000, "extreme %u: %d bytes", i, (int) mux.size);

        out = write_all(&mux, 0, 0, &len);
        is(len, mux.size, "extreme %u: size", i);

        free(out);
        free_tracks(2);
    }
}


static void
test_nals(void)
{
    size_t               i, k, n;
    unsigned             bad;
    ngx_media_ts_nals_t  nals;

    static const u_char  data[] =
        "\0\2ab\0\0\0\5abcde\0\1x\0\377yyy";

    n = sizeof(data) - 1;
    bad = 0;

    for (k = 1; k < n; k++) {
        ngx_media_ts_nals_init(&nals, n, 2);

        for (i = 0; i < n; i += k) {
            ngx_media_ts_nals_feed(&nals, data + i,
                                   data + (i + k < n ? i + k : n));
        }

        bad += nals.count != 5 || nals.left != 0;
    }

    is(bad, 0, "NAL units counted, in pieces");

    ngx_media_ts_nals_init(&nals, 5, 2);
    ngx_media_ts_nals_feed(&nals, data, data + n);
    is(nals.count, 1, "a byte too few for a length");
}


static void
test_crc(void)
{
    is_hex(ngx_media_crc32_mpeg((u_char *) "123456789",
                                (u_char *) "123456789" + 9),
           0x0376e6e7, "check value of CRC-32/MPEG-2");
    is_hex(ngx_media_crc32_mpeg(NULL, NULL), 0xffffffff, "of nothing");
}


static void
test_time(void)
{
    u_char    p[6];
    unsigned  bad, i;
    uint64_t  t;

    is(ngx_media_ts_time(360000, 360000), 90000, "1 s");
    is(ngx_media_ts_time(-1, 360000), -1, "rounded down");
    is(ngx_media_ts_time(-360000, 360000), -90000, "-1 s");
    is(ngx_media_ts_time(1767225600ll * 360000, 360000),
       1767225600ll * 90000, "unix time");

    bad = 0;

    for (i = 0; i < 34; i++) {
        t = ((1ull << i) - 1) & NGX_MEDIA_TS_TIME_MASK;
        (void) ngx_media_ts_put_time(p, 2, t);
        bad += ngx_media_ts_get_time(p) != t;
    }

    is(bad, 0, "time stamps");

    (void) ngx_media_ts_put_pcr(p, 0x1ffffffff);
    is_mem(p, 6, "\xff\xff\xff\xff\xfe\x00", 6, "PCR");
}


int
main(void)
{
    size_t  i;

    test_crc();
    test_time();
    test_nals();
    test_es();
    test_psi();

    for (i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
        seed = i;
        check(&confs[i]);
    }

    test_sizes();
    test_rest();
    test_damaged();
    test_refused();
    test_extremes();

    return done();
}
