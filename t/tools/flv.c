
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tracks as records in, a file of FLV out; the other half of t/formats_flv.t.
 *
 *     flv FILE OFFSET RECORDS...
 *
 * writes onMetaData at 0, configurations, the frames of all tracks by decode
 * time, ends of sequences.  Time stamps are OFFSET ms later than decode times.
 * RECORDS are those of ts.c.
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_write.c formats/ngx_media_text.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv_write.h"
#include "formats/ngx_media_rtmp_msg.h"

#include <stdio.h>
#include <stdlib.h>


#define TRACKS  2


typedef struct {
    FILE                     *in;
    ngx_media_params_t        params;
    uint32_t                  type;           /* of its messages */
    int64_t                   dts;            /* of the frame that is next */
    int32_t                   cto;
    uint32_t                  key;
    uint32_t                  size;
    int64_t                   last;           /* time stamp */
    int                       done;
} tool_track_t;


static tool_track_t  tracks[TRACKS];
static int64_t       offset;
static FILE         *out;


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
put(const u_char *p, size_t len)
{
    if (fwrite(p, 1, len, out) != len) {
        die("output");
    }
}


/* a body in two places */

static void
tag(uint32_t type, int64_t timestamp, const u_char *head, size_t n,
    const u_char *body, size_t len)
{
    u_char  buf[NGX_MEDIA_FLV_TAG_SIZE];

    if (n + len == 0) {
        return;
    }

    put(buf, ngx_media_flv_write_tag(buf, type, n + len,
                                     (uint32_t) timestamp));
    put(head, n);
    put(body, len);
    put(buf, ngx_media_flv_write_tail(buf, n + len));
}


/* the header of the next frame */

static void
next(tool_track_t *t)
{
    u_char  head[24];

    if (fread(head, 1, 24, t->in) != 24) {
        t->done = 1;
        return;
    }

    t->size = ngx_media_get_be32(head);
    t->cto = (int32_t) ngx_media_get_be32(head + 8);
    t->key = ngx_media_get_be32(head + 12);
    t->dts = (int64_t) ngx_media_get_be64(head + 16);
}


static void
track(tool_track_t *t, const char *name)
{
    u_char                   *p;
    uint32_t                  fourcc, len, rate, timescale;
    const ngx_media_codec_t  *codec;

    t->in = fopen(name, "rb");

    if (t->in == NULL) {
        die("file");
    }

    p = get(t->in, 20);
    fourcc = ngx_media_get_be32(p);
    timescale = ngx_media_get_be32(p + 4);
    rate = ngx_media_get_be32(p + 8);
    len = ngx_media_get_be32(p + 16);
    free(p);

    p = get(t->in, len);
    codec = ngx_media_codec_find(fourcc);

    if (codec == NULL || !ngx_media_flv_carries(fourcc)) {
        die("codec");
    }

    /* ffprobe tells no configuration of AC-3, VP8 and VP9 */

    t->params.codec = fourcc;
    t->params.type = codec->type;
    t->params.sample_rate = rate;

    if (len && codec->config(&t->params, p, p + len) != NGX_OK) {
        die("config");
    }

    free(p);

    t->type = (codec->type == NGX_MEDIA_VIDEO) ? NGX_MEDIA_RTMP_VIDEO
                                               : NGX_MEDIA_RTMP_AUDIO;
    t->params.timescale = timescale;

    next(t);
}


static int64_t
msec(const tool_track_t *t, int64_t time)
{
    return (time * 1000 + t->params.timescale / 2
            + (int64_t) t->params.timescale * 1000000)
           / t->params.timescale - 1000000 + offset;
}


static void
frame(tool_track_t *t)
{
    size_t   n;
    u_char   head[NGX_MEDIA_FLV_HEAD_MAX], *p;

    p = get(t->in, t->size);
    t->last = msec(t, t->dts);

    n = ngx_media_flv_write_head(head, &t->params, t->key,
                                 (int32_t) (msec(t, t->dts + t->cto)
                                            - t->last));
    tag(t->type, t->last, head, n, p, t->size);
    free(p);

    next(t);
}


static void
start(int n)
{
    int                        i;
    size_t                     len;
    u_char                    *p;
    ngx_str_t                  encoder;
    const ngx_media_params_t  *audio, *params, *video;

    audio = NULL;
    video = NULL;

    for (i = 0; i < n; i++) {
        params = &tracks[i].params;

        if (params->type == NGX_MEDIA_VIDEO) {
            video = params;

        } else {
            audio = params;
        }
    }

    p = malloc(4096);

    put(p, ngx_media_flv_write_start(p, video != NULL, audio != NULL));

    encoder.data = (u_char *) "flv.c";
    encoder.len = 5;

    len = ngx_media_flv_write_metadata(p, video, audio, &encoder);
    tag(NGX_MEDIA_RTMP_DATA, 0, p, len, p, 0);

    for (i = 0; i < n; i++) {
        len = ngx_media_flv_write_config(p, &tracks[i].params);
        tag(tracks[i].type, offset, p, len, p, 0);
    }

    free(p);
}


int
main(int argc, char **argv)
{
    int            i, n;
    u_char         end[NGX_MEDIA_FLV_HEAD_MAX];
    tool_track_t  *t;

    if (argc < 4 || argc > 3 + TRACKS) {
        die("usage: flv FILE OFFSET RECORDS...");
    }

    out = fopen(argv[1], "wb");
    offset = atoll(argv[2]);
    n = argc - 3;

    if (out == NULL) {
        die("output");
    }

    for (i = 0; i < n; i++) {
        track(&tracks[i], argv[3 + i]);
    }

    start(n);

    for ( ;; ) {
        t = NULL;

        for (i = 0; i < n; i++) {
            if (!tracks[i].done
                && (t == NULL || msec(&tracks[i], tracks[i].dts)
                                 < msec(t, t->dts)))
            {
                t = &tracks[i];
            }
        }

        if (t == NULL) {
            break;
        }

        frame(t);
    }

    for (i = 0; i < n; i++) {
        t = &tracks[i];
        tag(t->type, t->last, end, ngx_media_flv_write_end(end, &t->params),
            end, 0);
        fclose(t->in);
    }

    if (fclose(out) != 0) {
        die("output");
    }

    return 0;
}
