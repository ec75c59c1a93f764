
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * H.264 with access unit delimiters in, the same with pictures that stand
 * still out; the other half of t/formats_still.t.
 *
 *     still IN OUT NUMBER N...
 *
 * writes NUMBER of them behind the access units N, counted from 0.
 */

/* link: formats/ngx_media_bits.c formats/ngx_media_h264.c
         formats/ngx_media_h264_still.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_video.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_h264.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define TOOL_FRAMES  10000
#define TOOL_STILL   4096

#define tool_start   (const u_char *) "\0\0\0\1"


static ngx_media_params_t  params;
static ngx_media_span_t    frames[TOOL_FRAMES];
static ngx_uint_t          nframes;
static FILE               *out;


static void
die(const char *text)
{
    printf("error %s\n", text);
    exit(1);
}


static u_char *
next(u_char *p, u_char *last)
{
    for ( /* void */ ; last - p >= 3; p++) {
        if (p[0] == 0 && p[1] == 0 && p[2] == 1) {
            return p;
        }
    }

    return last;
}


static void
config(ngx_media_span_t *sps, ngx_media_span_t *pps)
{
    u_char   record[4096], *p;
    size_t   len;

    if (sps->pos == NULL || pps->pos == NULL) {
        die("parameter sets");
    }

    p = record;
    *p++ = 1;
    p = (u_char *) mempcpy(p, sps->pos + 1, 3);
    *p++ = 0xff;
    *p++ = 0xe1;

    len = ngx_media_span_len(sps);
    *p++ = len >> 8;
    *p++ = (u_char) len;
    p = (u_char *) mempcpy(p, sps->pos, len);

    len = ngx_media_span_len(pps);
    *p++ = 1;
    *p++ = len >> 8;
    *p++ = (u_char) len;
    p = (u_char *) mempcpy(p, pps->pos, len);

    if (ngx_media_h264_codec.config(&params, record, p) != NGX_OK) {
        die("config");
    }
}


static void
still(ngx_uint_t number)
{
    size_t      len;
    u_char      buf[TOOL_STILL];
    ngx_int_t   rc;
    ngx_uint_t  i;

    len = sizeof(buf);
    rc = ngx_media_h264_codec.still(&params, frames, nframes, buf, &len);

    if (rc != NGX_OK) {
        die(rc == NGX_DECLINED ? "declined" : "malformed");
    }

    printf("still %u bytes\n", (unsigned) len);

    for (i = 0; i < number; i++) {
        fwrite(tool_start, 1, 4, out);
        fwrite("\x09\xf0", 1, 2, out);
        fwrite(tool_start, 1, 4, out);
        fwrite(buf + 4, 1, len - 4, out);
    }
}


int
main(int argc, char **argv)
{
    int                i;
    long               size;
    FILE              *in;
    u_char            *buf, *data, *last, *p, *end;
    ngx_int_t          n;
    ngx_uint_t         type;
    ngx_media_span_t   pps, sps;

    in = argc < 4 ? NULL : fopen(argv[1], "rb");
    out = in ? fopen(argv[2], "wb") : NULL;

    if (out == NULL) {
        die("usage");
    }

    fseek(in, 0, SEEK_END);
    size = ftell(in);
    rewind(in);

    buf = malloc(size);
    data = malloc(2 * size + 16);

    if (buf == NULL || data == NULL
        || fread(buf, 1, size, in) != (size_t) size)
    {
        die("input");
    }

    fclose(in);

    ngx_memzero(&sps, sizeof(sps));
    ngx_memzero(&pps, sizeof(pps));
    n = -1;
    last = buf + size;

    for (p = next(buf, last); p < last; p = end) {
        p += 3;
        end = next(p, last);
        type = p[0] & 0x1f;

        if (type == NGX_MEDIA_H264_AUD) {

            for (i = 4; i < argc && n >= 0; i++) {
                if (atoi(argv[i]) == n) {
                    still(atoi(argv[3]));
                }
            }

            n++;

            if (nframes == TOOL_FRAMES) {
                die("too many frames");
            }

            frames[nframes].pos = data;
            frames[nframes].last = data;
            nframes++;
        }

        fwrite(tool_start, 1, 4, out);

        /* a zero byte before the next start code is no part of this */

        while (end > p && end[-1] == 0) {
            end--;
        }

        fwrite(p, 1, end - p, out);

        switch (type) {

        case NGX_MEDIA_H264_SPS:
            sps.pos = p;
            sps.last = end;
            break;

        case NGX_MEDIA_H264_PPS:
            pps.pos = p;
            pps.last = end;
            config(&sps, &pps);
            break;

        case NGX_MEDIA_H264_IDR:
            frames[0].pos = frames[nframes - 1].pos;
            frames[0].last = frames[nframes - 1].last;
            nframes = 1;

            /* fall through */

        default:
            ngx_media_put_be32(data, (uint32_t) (end - p));
            memcpy(data + 4, p, end - p);
            data += 4 + (end - p);
            frames[nframes - 1].last = data;
        }

        end = next(end, last);
    }

    fclose(out);

    return 0;
}
