
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_adts.c formats/ngx_media_latm.c
         formats/ngx_media_ts_demux.c formats/ngx_media_ts_program.c
         formats/ngx_media_ts_psi.c formats/ngx_media_ts_split.c
         formats/ngx_media_ts_split_audio.c
         formats/ngx_media_ts_split_video.c formats/ngx_media_nal.c */


/*
 * Frames of a hostile stream: behind the demultiplexer, or PES packets of a
 * stream of this type, as they are in the input:
 *
 *     0: early, then a transport stream
 *     else: stream type, registration (4), then of each PES packet
 *         flags: PTS, DTS, a hole, a flush; length (2), PTS, DTS, bytes
 */


#include "media_ts_walk.h"

#include <stdint.h>


#define FUZZ_MOST  16384


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static walk_t    walk;
static uint64_t  given;


static void
fuzz_check(int ok)
{
    if (!ok) {
        abort();
    }
}


static void
fuzz_frame(walk_t *w, ngx_uint_t stream, const ngx_media_ts_split_frame_t *f)
{
    const u_char  *p;

    fuzz_check(f->pos <= f->last);
    fuzz_check((f->pts == NGX_MEDIA_TS_NO_TIME)
               == (f->dts == NGX_MEDIA_TS_NO_TIME));
    fuzz_check(f->samples == 0 || f->rate != 0);

    /* all of them are there */

    for (p = f->pos; p < f->last; p++) {
        given += *p;
    }
}


static void
fuzz_pes(ngx_media_reader_t *r)
{
    size_t                 len;
    uint32_t               flags;
    walk_stream_t         *s;
    const u_char          *p;
    ngx_media_ts_event_t   ev;

    s = &walk.streams[0];

    memset(&ev, 0, sizeof(ev));

    flags = ngx_media_read_8(r);
    len = ngx_media_read_be16(r) % 4096;

    ev.type = NGX_MEDIA_TS_EVENT_START;
    ev.pts = (flags & 1) ? (int64_t) ngx_media_read_be32(r) * 16
                         : NGX_MEDIA_TS_NO_TIME;
    ev.dts = (flags & 2) ? (int64_t) ngx_media_read_be32(r) * 16 : ev.pts;
    ev.pcr = (flags & 4) ? 90000 : NGX_MEDIA_TS_NO_TIME;
    ev.has_dts = (flags & 2) && (flags & 1);
    ev.dts = (flags & 1) ? ev.dts : NGX_MEDIA_TS_NO_TIME;
    ev.damaged = (flags & 8) ? 1 : 0;
    ev.size = (flags & 16) ? len : 0;

    walk_event(&walk, &ev);

    len = ngx_min(len, ngx_media_reader_left(r));
    p = ngx_media_read_bytes(r, len);

    ev.type = NGX_MEDIA_TS_EVENT_DATA;
    ev.data.pos = p;
    ev.data.last = p + len;
    ev.damaged = (flags & 32) ? 1 : 0;

    if (len) {
        walk_event(&walk, &ev);
    }

    ev.type = NGX_MEDIA_TS_EVENT_END;
    ev.damaged = (flags & 64) ? 1 : 0;

    if (flags & 128) {
        ngx_media_ts_split_flush(&s->split);
    }

    walk_event(&walk, &ev);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                      n;
    ngx_uint_t                  type;
    ngx_media_reader_t          r;
    ngx_media_ts_demux_conf_t   conf;

    if (size < 1) {
        return 0;
    }

    memset(&conf, 0, sizeof(conf));
    conf.early = data[0] & 1;

    walk_init(&walk, &conf);

    walk.most = FUZZ_MOST;
    walk.exact = 1;
    walk.frame = fuzz_frame;
    given = 0;

    type = data[0] >> 1;

    ngx_media_reader_init(&r, data + 1, data + size);

    if (type == 0) {

        while (r.pos < r.last) {
            n = ngx_min(1316, ngx_media_reader_left(&r));

            walk_bytes(&walk, r.pos, r.pos + n);
            r.pos += n;
        }

    } else {

        /* one PMT tells what stream it is */

        u_char                   one[5 + 6];
        ngx_media_ts_pmt_t       pmt;
        ngx_media_ts_stream_t   *stream;

        one[0] = (u_char) (type + (type > 0x60 ? 0x20 : 0));
        one[1] = 0xe1;
        one[2] = 0x01;
        one[3] = 0xf0;
        one[4] = 6;
        one[5] = NGX_MEDIA_TS_REGISTRATION;
        one[6] = 4;
        ngx_media_put_be32(one + 7, ngx_media_read_be32(&r));

        memset(&pmt, 0, sizeof(pmt));
        pmt.streams.pos = one;
        pmt.streams.last = one + sizeof(one);

        stream = &walk.demux.streams[0];
        fuzz_check(ngx_media_ts_pmt_next(&pmt, stream) == NGX_OK);

        stream->used = 1;
        stream->serial = 1;

        walk_program(&walk);

        while (r.pos < r.last) {
            fuzz_pes(&r);
        }
    }

    walk_end(&walk);

    return 0;
}
