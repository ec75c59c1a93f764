
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_ts_demux.c formats/ngx_media_ts_program.c
         formats/ngx_media_ts_psi.c */


/*
 * What is said of a stream is the same, whether it comes at once or in pieces;
 * PES packets begin before they have bytes, and end.
 *
 *     flags: early, how pieces are; program; then the stream
 */


#include "formats/ngx_media_ts_demux.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_media_ts_demux_t  demux;
static uint8_t               begun[NGX_MEDIA_TS_PIDS];
static uint64_t              hash;


static void
fuzz_check(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
fuzz_mix(uint64_t n)
{
    hash = (hash ^ n) * 0x100000001b3ull;
}


/* all that is said, but for how bytes of a PES packet are cut */

static void
fuzz_event(const ngx_media_ts_event_t *ev)
{
    const u_char  *p;

    if (ev->type == NGX_MEDIA_TS_EVENT_DATA) {
        fuzz_check(ev->pid < NGX_MEDIA_TS_PIDS && begun[ev->pid]);
        fuzz_check(ev->stream < NGX_MEDIA_TS_STREAMS);
        fuzz_check(ev->data.pos < ev->data.last);

        for (p = ev->data.pos; p < ev->data.last; p++) {
            fuzz_mix(*p);
        }

        return;
    }

    fuzz_mix(ev->type);
    fuzz_mix(ev->pid);
    fuzz_mix(ev->damaged);

    switch (ev->type) {

    case NGX_MEDIA_TS_EVENT_START:
        fuzz_check(ev->stream < NGX_MEDIA_TS_STREAMS && !begun[ev->pid]);
        fuzz_check(demux.streams[ev->stream].pid == ev->pid);
        begun[ev->pid] = 1;
        fuzz_mix((uint64_t) ev->pts);
        fuzz_mix((uint64_t) ev->dts);
        return;

    case NGX_MEDIA_TS_EVENT_END:
        fuzz_check(begun[ev->pid]);
        begun[ev->pid] = 0;
        return;

    case NGX_MEDIA_TS_EVENT_SECTION:
        fuzz_check(ev->data.pos < ev->data.last);

        for (p = ev->data.pos; p < ev->data.last; p++) {
            fuzz_mix(*p);
        }

        return;

    case NGX_MEDIA_TS_EVENT_NOTE:
        fuzz_check(ev->why != NULL && ev->stream <= NGX_MEDIA_TS_STREAMS);
        return;

    default:
        return;
    }
}


/* step: bytes of a piece; a gap behind each of them of these */

static uint64_t
fuzz_run(const uint8_t *data, size_t size, size_t step, size_t gap,
    const ngx_media_ts_demux_conf_t *conf)
{
    size_t                 n;
    u_char                *copy;
    ngx_media_span_t       in;
    ngx_media_ts_event_t   ev;

    ngx_media_ts_demux_init(&demux, conf);
    memset(begun, 0, sizeof(begun));
    hash = 0;

    while (size) {
        n = ngx_min(step, size);

        copy = malloc(n);
        fuzz_check(copy != NULL);
        memcpy(copy, data, n);

        in.pos = copy;
        in.last = copy + n;

        while (ngx_media_ts_demux(&demux, &in, &ev) == NGX_OK) {
            fuzz_event(&ev);
        }

        fuzz_check(in.pos == in.last);
        free(copy);

        data += n;
        size -= n;

        if (gap) {
            ngx_media_ts_demux_gap(&demux, gap);
            demux.now += 700;
        }
    }

    while (ngx_media_ts_demux_flush(&demux, &ev) == NGX_OK) {
        fuzz_event(&ev);
    }

    return hash;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t                    whole;
    ngx_media_ts_demux_conf_t   conf;

    if (size < 2) {
        return 0;
    }

    conf.early = data[0] & 1;
    conf.program = data[1];

    whole = fuzz_run(data + 2, size - 2, size, 0, &conf);

    fuzz_check(fuzz_run(data + 2, size - 2, 1 + data[0], 0, &conf) == whole);
    (void) fuzz_run(data + 2, size - 2, 1 + data[0] * 8, data[0] * 64 + 1,
                    &conf);

    return 0;
}
