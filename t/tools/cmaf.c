
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A track as text and bytes in, a CMAF file and what is known of it out; the
 * other half of t/formats_cmaf.t.
 *
 *     cmaf FOURCC RECORDS OUTPUT FRAMES_IN_A_CHUNK [SILENCE]
 *
 * With SILENCE, so many frames of the codec's own silence follow.
 *
 * RECORDS is one configuration and then frames: u32 length, u32 0, u32 0,
 * u64 0, bytes; u32 length, u32 duration, u32 composition offset, u64 decode
 * time, bytes.  All big endian, in the track's timescale.
 */

/* link: @codecs formats/ngx_media_mp4_chunk.c
         formats/ngx_media_mp4_write.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_chunk.h"
#include "formats/ngx_media_mp4_write.h"

#include <stdio.h>
#include <stdlib.h>


#define CMAF_FRAMES  64
#define CMAF_BUFFER  (16 * 1024 * 1024)


static FILE                     *in, *out;
static ngx_media_params_t        params;
static const ngx_media_codec_t  *codec;

static u_char                    data[CMAF_BUFFER];
static size_t                    ndata;
static ngx_media_sample_t        samples[CMAF_FRAMES];
static ngx_media_mp4_chunk_t     chunk = { samples, 0, 0, 0, 0, 1, 0 };


static void
die(const char *text)
{
    printf("error %s\n", text);
    exit(1);
}


static u_char *
record(u_char head[20], size_t *len)
{
    u_char  *p;

    if (fread(head, 1, 20, in) != 20) {
        return NULL;
    }

    *len = ngx_media_get_be32(head);
    p = malloc(*len ? *len : 1);

    if (p == NULL || fread(p, 1, *len, in) != *len) {
        die("records");
    }

    return p;
}


/* what was written is read again, whole and cut short */

static void
again(u_char *p, size_t n)
{
    size_t                  i, len;
    ngx_uint_t              j;
    ngx_media_mp4_frame_t   frame;
    ngx_media_mp4_reader_t  reader;

    len = n + ndata;
    p = realloc(p, len);

    if (p == NULL) {
        die("memory");
    }

    memcpy(p + n, data, ndata);

    if (ngx_media_mp4_chunk_open(&reader, p, p + len) != NGX_OK
        || reader.last != p + len || reader.sequence != chunk.sequence
        || reader.decode_time != chunk.decode_time)
    {
        die("chunk is not read");
    }

    for (j = 0; j < chunk.nsamples; j++) {

        if (ngx_media_mp4_chunk_next(&reader, &frame) != NGX_OK
            || memcmp(&frame.sample, &samples[j],
                      sizeof(ngx_media_sample_t))
               != 0
            || frame.data + frame.sample.size > p + len)
        {
            die("frame is not read");
        }
    }

    if (ngx_media_mp4_chunk_next(&reader, &frame) != NGX_DONE
        || frame.data + frame.sample.size != p + len)
    {
        die("frames do not end");
    }

    for (i = 0; i < len; i = (i < n) ? i + 1 : i + 97) {
        if (ngx_media_mp4_chunk_open(&reader, p, p + i) == NGX_OK) {
            die("short chunk is read");
        }
    }

    free(p);
}


static void
flush(void)
{
    size_t   n;
    u_char  *p;

    if (chunk.nsamples == 0) {
        return;
    }

    if (ngx_media_mp4_write_chunk(NULL, &chunk)
        > ngx_media_mp4_chunk_max(chunk.nsamples)
        || ngx_media_mp4_write_chunk(NULL, &chunk) % 4)
    {
        die("bound");
    }

    n = ngx_media_mp4_write_chunk(NULL, &chunk);
    p = malloc(n);

    if (p == NULL || ngx_media_mp4_write_chunk(p, &chunk) != n) {
        die("chunk size");
    }

    fwrite(p, 1, n, out);
    fwrite(data, 1, ndata, out);

    again(p, n);

    chunk.nsamples = 0;
    chunk.sequence++;
    chunk.styp = 0;
    ndata = 0;
}


/* the next record or, when there is none, a frame of silence */

static u_char *
next(u_char head[20], size_t *len, unsigned *silent)
{
    u_char               *p;
    ngx_media_silence_t   silence;

    static uint64_t  decode_time;

    p = record(head, len);

    if (p == NULL && *silent) {
        (*silent)--;

        if (codec->silence(&params, &silence) != NGX_OK) {
            die("silence");
        }

        *len = ngx_media_span_len(&silence.frame);
        p = malloc(*len);

        if (p == NULL) {
            die("memory");
        }

        memcpy(p, silence.frame.pos, *len);

        ngx_memzero(head, 20);
        ngx_media_put_be32(head + 4, silence.samples);
        ngx_media_put_be64(head + 12, decode_time);
    }

    decode_time = ngx_media_get_be64(head + 12)
                  + ngx_media_get_be32(head + 4);

    return p;
}


int
main(int argc, char **argv)
{
    u_char                  *p, head[20], text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t                   len;
    unsigned                 configs, each, frames, keys, leading, silent;
    ngx_media_sample_t      *sample;
    ngx_media_frame_info_t   info;

    if (argc != 5 && argc != 6) {
        return 2;
    }

    silent = (argc == 6) ? atoi(argv[5]) : 0;

    codec = ngx_media_codec_find(ngx_media_get_be32((u_char *) argv[1]));
    in = fopen(argv[2], "rb");
    out = fopen(argv[3], "wb");
    each = atoi(argv[4]);

    if (codec == NULL || in == NULL || out == NULL || each > CMAF_FRAMES) {
        die("arguments");
    }

    p = record(head, &len);

    if (p == NULL || codec->config(&params, p, p + len) != NGX_OK) {
        die("config");
    }

    free(p);

    if (codec->string(NULL, &params) > NGX_MEDIA_CODEC_STRING_MAX) {
        die("string");
    }

    len = codec->string(text, &params);

    printf("codecs %.*s\n", (int) len, text);
    printf("size %ux%u sar %u:%u fps %u/%u\n", params.width, params.height,
           params.sar_num, params.sar_den, params.fps_num, params.fps_den);
    printf("color %u,%u,%u,%u depth %u\n", params.primaries, params.transfer,
           params.matrix, params.full_range, params.bit_depth);
    printf("audio %u rate %u channels %u frame %u\n", params.object_type,
           params.sample_rate, params.channels, params.frame_samples);

    len = ngx_media_mp4_write_init(NULL, &params);
    p = malloc(len);

    if (p == NULL || len == 0 || ngx_media_mp4_write_init(p, &params) != len) {
        die("init size");
    }

    fwrite(p, 1, len, out);
    free(p);

    chunk.type = codec->type;
    configs = frames = keys = leading = 0;

    for ( ;; ) {
        p = next(head, &len, &silent);

        if (p == NULL) {
            break;
        }

        if (codec->frame(&params, p, p + len, &info) != NGX_OK) {
            die("frame");
        }

        frames++;
        keys += info.key;
        leading += info.leading;
        configs += info.config;

        if (chunk.nsamples == each
            || (codec->type == NGX_MEDIA_VIDEO && info.key))
        {
            flush();
            chunk.styp = info.key;
        }

        if (ndata + len > CMAF_BUFFER) {
            die("buffer");
        }

        sample = &samples[chunk.nsamples];
        sample->size = len;
        sample->duration = ngx_media_get_be32(head + 4);
        sample->cto = (int32_t) ngx_media_get_be32(head + 8);
        sample->key = info.key;

        if (chunk.nsamples++ == 0) {
            chunk.decode_time = ngx_media_get_be64(head + 12);
        }

        memcpy(data + ndata, p, len);
        ndata += len;
        free(p);
    }

    flush();

    printf("frames %u keys %u leading %u configs %u\n", frames, keys, leading,
           configs);

    return fclose(out) ? 1 : 0;
}
