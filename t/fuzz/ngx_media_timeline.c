
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: time/ngx_media_timeline.c time/ngx_media_cadence.c */
/* link: time/ngx_media_line_video.c time/ngx_media_line_audio.c */
/* link: time/ngx_media_segmenter.c */


/*
 * A publisher of three lines that stamps as the input says; what is put out
 * must be without holes, whatever comes.
 *
 * Eight bytes are a frame: line, flags; arrival; cts; stamp.
 */


#include <stdlib.h>

#include "time/ngx_media_segmenter.h"
#include "time/ngx_media_timeline.h"


#define LINES  3


#define must(expr)  do { if (!(expr)) { abort(); } } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int64_t
number(const uint8_t *p)
{
    int64_t  n;

    /* small ones mostly, large ones sometimes */

    n = (int8_t) p[1];

    return n * ((int64_t) 1 << (p[0] & 31));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t                    arrival, anchor, dts, end[LINES], stamp;
    uint32_t                   settled[LINES];
    ngx_uint_t                 any[LINES], i, n;
    const uint8_t             *p, *last;
    ngx_media_line_t          *lines[LINES], *line;
    ngx_media_time_t           out;
    ngx_media_stamp_t          in;
    ngx_media_timeline_conf_t  conf;

    static ngx_media_timeline_t   tl;
    static ngx_media_segmenter_t  segmenter;

    if (size < 1) {
        return 0;
    }

    ngx_memzero(&conf, sizeof(ngx_media_timeline_conf_t));
    conf.timebase = (data[0] & 1) ? 90000 : 1000;
    conf.wrap = (data[0] & 2) ? 33 : 32;
    conf.wait = 1000;

    ngx_media_timeline_init(&tl, &conf);
    ngx_media_segmenter_init(&segmenter, NGX_MEDIA_VIDEO, 360000, 2000, 3000);
    ngx_media_segmenter_start(&segmenter, 0, 1);

    lines[0] = ngx_media_timeline_add(&tl, NGX_MEDIA_VIDEO, 360000,
                                      (data[0] & 4) ? 14400 : 0);
    lines[1] = ngx_media_timeline_add(&tl, NGX_MEDIA_AUDIO, 48000, 1024);
    lines[2] = ngx_media_timeline_add(&tl, (data[0] & 8) ? NGX_MEDIA_VIDEO
                                                         : NGX_MEDIA_AUDIO,
                                      (data[0] & 8) ? 360000 : 44100, 1152);

    arrival = 1795000000000LL;
    stamp = 0;

    for (i = 0; i < LINES; i++) {
        any[i] = 0;
        end[i] = 0;
        settled[i] = 0;
    }

    last = data + size;

    for (p = data + 1; last - p >= 8; p += 8) {

        i = p[0] % LINES;
        line = lines[i];

        stamp += 20 + number(&p[4]);
        arrival += 10 + number(&p[2]) % 100000;

        ngx_memzero(&in, sizeof(ngx_media_stamp_t));
        in.stamp = (uint64_t) stamp & 0x1ffffffff;
        in.cts = (p[1] & 2) ? (int32_t) number(&p[6]) : 0;
        in.nsec = (p[1] & 4) ? (uint32_t) p[7] << 24 : 0;
        in.arrival = arrival;
        in.key = p[1] & 1;
        in.limit = (p[1] & 8) ? 76824 : 0;

        ngx_media_timeline_frame(&tl, line, &in, &out);

        if (out.broken || out.period) {
            ngx_memzero(any, sizeof(any));
        }

        must(!(out.drop && out.period));

        if (!out.drop) {
            dts = out.dts - (int64_t) out.silent * line->frame;

            must(out.duration > 0);
            must(ngx_abs(out.pts - out.dts) < 0x7fffffff);
            must(dts >= end[i]);
            must(!any[i] || settled[i] == 0 || dts == end[i]);

            any[i] = 1;
            settled[i] = 0;
            end[i] = out.dts + 1;

            if (out.locked && (p[1] & 16)) {
                ngx_media_timeline_fix(line, out.duration);
                settled[i] = 1;
                end[i] = out.dts + out.duration;
            }

            if (line == ngx_media_timeline_clock(&tl)) {
                (void) ngx_media_segmenter_frame(&segmenter, out.pts,
                                                 out.duration, in.key);
                (void) ngx_media_timeline_anchor(&tl, &anchor);
                (void) ngx_media_timeline_drift(&tl);
            }
        }

        if (p[1] & 32) {
            ngx_media_timeline_break(&tl);
        }

        if ((p[1] & 0xc0) == 0xc0) {
            ngx_media_timeline_change(&tl, lines[1], (p[7] & 1) ? 44100
                                                                : 48000,
                                      p[6] * 16);
            ngx_memzero(any, sizeof(any));
            end[1] = 0;
        }

        for (i = 1; i < LINES; i++) {
            n = ngx_media_timeline_silence(&tl, lines[i], &dts);

            if (n) {
                must(dts >= end[i]);
                must(!any[i] || settled[i] == 0 || dts == end[i]);

                any[i] = 1;
                settled[i] = 1;
                end[i] = dts + (int64_t) n * lines[i]->frame;
            }
        }
    }

    return 0;
}
