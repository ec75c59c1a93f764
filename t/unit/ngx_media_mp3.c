
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs */


#include "formats/ngx_media_mp2.h"
#include "formats/ngx_media_mp3.h"
#include "media_hex.h"


static void
test_headers(void)
{
    size_t            i, len, n;
    u_char           *p;
    ngx_media_mp3_t   mp3;

    static const struct {
        const char  *name;
        const char  *header;
        ngx_int_t    rc;
        unsigned     size;
        unsigned     samples;
        unsigned     rate;
        unsigned     channels;
        unsigned     bitrate;
    } tests[] = {
        { "MPEG-1, 128k", "fffb9064", NGX_OK, 417, 1152, 44100, 2, 128000 },
        { "MPEG-1, padded", "fffb92c4", NGX_OK, 418, 1152, 44100, 1,
          128000 },
        { "MPEG-1, 320k, 48 kHz", "fffbe464", NGX_OK, 960, 1152, 48000, 2,
          320000 },
        { "MPEG-1, 32k, 32 kHz, CRC", "fffa18c0", NGX_OK, 144, 1152, 32000, 1,
          32000 },
        { "MPEG-1, 32 kHz, the largest", "fffbe804", NGX_OK, 1440, 1152,
          32000, 2, 320000 },
        { "MPEG-2, 64k", "fff38044", NGX_OK, 208, 576, 22050, 2, 64000 },
        { "MPEG-2, 8k", "fff31440", NGX_OK, 24, 576, 24000, 2, 8000 },
        { "MPEG-2, 160k, 16 kHz", "fff3e8c0", NGX_OK, 720, 576, 16000, 1,
          160000 },
        { "MPEG-2.5, 16k", "ffe328c4", NGX_OK, 144, 576, 8000, 1, 16000 },
        { "MPEG-2.5, 11025", "ffe31000", NGX_OK, 52, 576, 11025, 2, 8000 },
        { "free format", "fffb00c4", NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "Layer II", "fffd90c4", NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "Layer I", "ffff90c4", NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "reserved layer: ADTS", "fff15080", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "reserved version", "ffeb90c4", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "bad bit rate", "fffbf0c4", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "reserved rate", "fffb9cc4", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "no sync", "fedb90c4", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "short", "fffb90", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "empty", "", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "zeros", "00000000", NGX_ERROR, 0, 0, 0, 0, 0 },
        { "ones", "ffffffff", NGX_ERROR, 0, 0, 0, 0, 0 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].header, &len);

        is(ngx_media_mp3_parse(&mp3, p, p + len), tests[i].rc, "%s",
           tests[i].name);

        if (tests[i].rc == NGX_OK) {
            is(mp3.size, tests[i].size, "size");
            is(mp3.samples, tests[i].samples, "samples");
            is(mp3.sample_rate, tests[i].rate, "sample_rate");
            is(mp3.channels, tests[i].channels, "channels");
            is(mp3.bitrate, tests[i].bitrate, "bitrate");
            is(mp3.half, tests[i].rate < 32000, "half");
        }

        free(p);
    }

    /* no header makes a frame that is shorter than itself */

    for (n = 0, i = 0; i <= 0x1fffff; i++) {
        u_char  header[4] = { 0xff, 0xe0 | i >> 16, i >> 8, i };

        if (ngx_media_mp3_parse(&mp3, header, header + 4) == NGX_OK
            && (mp3.size < 24 || mp3.size > 1441 || mp3.samples == 0
                || mp3.sample_rate < 8000))
        {
            n++;
        }
    }

    is(n, 0, "all headers");
}


static void
test_config(void)
{
    u_char               p[4], q[4], text[NGX_MEDIA_CODEC_STRING_MAX], *entry;
    size_t               n;
    ngx_media_params_t   a, b;

    static const u_char  esds[] =
        "\0\0\0\043esds\0\0\0\0"
        "\003\025\0\0\0\004\015\153\025\0\0\0\0\0\0\0\0\0\0\0\006\001\002";

    memcpy(p, "\xff\xfb\x90\x64", 4);
    memcpy(q, "\xff\xfa\xe2\x2f", 4);

    is(ngx_media_mp3_codec.config(&a, p, p + 4), NGX_OK, "config");
    is(ngx_media_mp3_codec.config(&b, q, q + 4), NGX_OK, "another frame");
    is_mem(&a, sizeof(a), &b, sizeof(b), "the same parameters");

    is(a.codec, NGX_MEDIA_CODEC_MP3, "codec");
    is(a.type, NGX_MEDIA_AUDIO, "type");
    is(a.timescale, 44100, "timescale");
    is(a.frame_samples, 1152, "frame_samples");
    is(a.channels, 2, "channels");
    is(a.channel_config, 2, "channel_config");

    q[3] |= 0xc0;
    is(ngx_media_mp3_codec.config(&b, q, q + 4), NGX_OK, "mono");
    ok(memcmp(a.config, b.config, a.config_len) != 0, "is something else");

    n = ngx_media_mp3_codec.string(NULL, &a);
    is(ngx_media_mp3_codec.string(text, &a), n, "string size");
    is_text(text, n, "mp4a.6B", "string");

    n = ngx_media_mp3_codec.entry(NULL, &a);
    entry = malloc(n);
    is(ngx_media_mp3_codec.entry(entry, &a), n, "entry size");
    is_mem(entry + 4, 4, "mp4a", 4, "entry");
    is_mem(entry + 36, n - 36, esds, sizeof(esds) - 1, "esds");
    free(entry);

    memcpy(p, "\xff\xf3\x80\x44", 4);
    is(ngx_media_mp3_codec.config(&a, p, p + 4), NGX_OK, "half rate");
    n = ngx_media_mp3_codec.string(text, &a);
    is_text(text, n, "mp4a.69", "string");

    is(ngx_media_mp3_codec.config(&a, p, p + 3), NGX_ERROR, "short");
    p[1] = 0xfd;
    is(ngx_media_mp3_codec.config(&a, p, p + 4), NGX_DECLINED, "Layer II");
}


static void
test_next(void)
{
    u_char                  *p, *q;
    size_t                   n;
    ngx_int_t                rc;
    ngx_uint_t               frames;
    ngx_media_span_t         data, frame;
    ngx_media_params_t       params;
    ngx_media_frame_info_t   info;

    p = calloc(1, 417 + 418 + 24);
    memcpy(p, "\xff\xfb\x90\x64", 4);
    memcpy(p + 417, "\xff\xfb\x92\x64", 4);
    memcpy(p + 417 + 418, "\xff\xf3\x14\x40", 4);

    for (n = 0; n <= 417 + 418 + 24; n++) {
        q = tap_dup(p, n);
        data.pos = q;
        data.last = q + n;
        frames = 0;

        do {
            rc = ngx_media_codec_next(&ngx_media_mp3_codec, &data, &frame);
            frames += (rc == NGX_OK);
        } while (rc == NGX_OK);

        if (frames != (n >= 417) + (n >= 835) + (ngx_uint_t) (n >= 859)
            || rc != (n == 0 || n == 417 || n == 835 || n == 859 ? NGX_DONE
                                                                 : NGX_ERROR))
        {
            ok(0, "%u bytes: %u frames", (unsigned) n, (unsigned) frames);
        }

        free(q);
    }

    is(frames, 3, "three frames");

    (void) ngx_media_mp3_codec.config(&params, p, p + 417);

    is(ngx_media_mp3_codec.frame(&params, p, p + 417, &info), NGX_OK,
       "frame");
    ok(info.key && !info.empty, "is a key frame");
    is(ngx_media_mp3_codec.frame(&params, p + 417, p + 835, &info), NGX_OK,
       "padded frame");
    is(ngx_media_mp3_codec.frame(&params, p, p + 416, &info), NGX_ERROR,
       "cut frame");
    is(ngx_media_mp3_codec.frame(&params, p, p + 835, &info), NGX_ERROR,
       "two frames");
    is(ngx_media_mp3_codec.frame(&params, p + 835, p + 859, &info), NGX_ERROR,
       "another rate");
    is(ngx_media_mp3_codec.frame(&params, p, p, &info), NGX_OK, "nothing");
    ok(info.empty, "is empty");

    free(p);
}


/* that these decode to nothing but zeros is tested by t/formats_cmaf.t */

static void
test_silence(void)
{
    size_t                   i, j, n;
    ngx_media_silence_t      silence;
    ngx_media_params_t       params;
    ngx_media_frame_info_t   info;

    static const struct {
        const char  *header;
        unsigned     size;
    } tests[] = {
        { "\xff\xfb\x90", 104 }, { "\xff\xfb\x94", 96 },
        { "\xff\xfb\x98", 144 },
        { "\xff\xf3\x90", 26 }, { "\xff\xf3\x94", 24 },
        { "\xff\xf3\x98", 36 },
        { "\xff\xe3\x90", 52 }, { "\xff\xe3\x94", 48 },
        { "\xff\xe3\x98", 72 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {

        for (n = 0; n < 2; n++) {
            u_char  header[4] = { tests[i].header[0], tests[i].header[1],
                                  tests[i].header[2], n ? 0xc0 : 0x40 };

            (void) ngx_media_mp3_codec.config(&params, header, header + 4);

            is(ngx_media_mp3_codec.silence(&params, &silence), NGX_OK,
               "silence, %u Hz, %u channels", params.sample_rate,
               params.channels);
            is(ngx_media_span_len(&silence.frame), tests[i].size, "size");
            is(ngx_media_mp3_codec.frame(&params, silence.frame.pos,
                                         silence.frame.last, &info),
               NGX_OK, "a frame of this stream");

            for (j = 4; j < tests[i].size && silence.frame.pos[j] == 0;
                 j++)
            {
                /* void */
            }

            is(j, tests[i].size, "of zeros");
        }
    }

    params.config_len = 0;
    is(ngx_media_mp3_codec.silence(&params, &silence), NGX_DECLINED,
       "silence of nothing");
}


/* Layer II: that its silence decodes to zeros was tried with libavcodec */

static void
test_layer2(void)
{
    size_t                   i, n;
    u_char                  *p;
    ngx_uint_t               wrong;
    ngx_media_params_t       params;
    ngx_media_silence_t      silence;
    ngx_media_frame_info_t   info;

    static const struct {
        const char  *header;
        const char  *silence;
    } tests[] = {
        { "fffd8404", "fffd4400" },
        { "fffca4c4", "fffd44c0" },
        { "fff584c0", "fff544c0" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].header, &n);
        is(ngx_media_mp2_codec.learn(&params, p, p + n), NGX_OK, "Layer II");
        free(p);

        is(ngx_media_mp2_codec.silence(&params, &silence), NGX_OK, "silence");
        is(silence.samples, params.frame_samples, "as long as a frame");
        is(ngx_media_mp2_codec.frame(&params, silence.frame.pos,
                                     silence.frame.last, &info),
           NGX_OK, "is one");

        p = media_hex(tests[i].silence, &n);
        is_mem(silence.frame.pos, n, p, n, "its header");
        free(p);

        wrong = 0;

        for (n = 4; n < ngx_media_span_len(&silence.frame); n++) {
            wrong += silence.frame.pos[n] != 0;
        }

        is(wrong, 0, "and zeros");
    }
}


int
main(void)
{
    test_layer2();
    test_headers();
    test_config();
    test_next();
    test_silence();

    return done();
}
