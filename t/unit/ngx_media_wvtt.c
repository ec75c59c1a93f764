
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_text.c formats/ngx_media_tx3g.c
         formats/ngx_media_webvtt.c formats/ngx_media_webvtt_write.c
         formats/ngx_media_wvtt.c formats/ngx_media_wvtt_sample.c */


#include "formats/ngx_media_wvtt.h"
#include "media_hex.h"


#define span(s)  { (u_char *) s, (u_char *) s + sizeof(s) - 1 }


static const ngx_media_cue_t  cues[] = {
    { 0, 0, { NULL, NULL }, { NULL, NULL }, span("STYLE\nx"),
      NGX_MEDIA_CUE_VTT, NGX_MEDIA_CUE_STYLE },
    { 1000, 3000, span("one"), span("line:0"), span("first"),
      NGX_MEDIA_CUE_VTT, NGX_MEDIA_CUE },
    { 2000, 4000, { NULL, NULL }, { NULL, NULL }, span("{\\an8}a<b"),
      NGX_MEDIA_CUE_SRT, NGX_MEDIA_CUE },
    { 5000, 6000, { NULL, NULL }, { NULL, NULL }, span("\0\1x"),
      NGX_MEDIA_CUE_TX3G, NGX_MEDIA_CUE }
};

#define NCUES  (sizeof(cues) / sizeof(cues[0]))


static void
test_samples(void)
{
    size_t             len, n, size;
    u_char            *kept[8], *p, *q;
    int64_t            end, time;
    unsigned           i;
    ngx_int_t          rc;
    ngx_uint_t         count;
    ngx_media_cue_t    again[8], cue;
    ngx_media_span_t   in;

    static const struct {
        int64_t      start;
        int64_t      end;
        const char  *bytes;                   /* vsid is not compared */
    } samples[] = {
        { 500, 1000, "0000000876747465" },
        { 1000, 2000, "0000003a" "76747463" "0000000c" "76736964" "00000000"
          "0000000b" "6964656e" "6f6e65" "0000000e" "73747467" "6c696e653a30"
          "0000000d" "7061796c" "6669727374" },
        { 2000, 3000, NULL },
        { 3000, 4000, "00000030" "76747463" "0000000c" "76736964" "00000000"
          "0000000e" "73747467" "6c696e653a30"
          "0000000e" "7061796c" "61266c743b62" },
        { 4000, 5000, "0000000876747465" },
        { 5000, 5500, "0000001d" "76747463" "0000000c" "76736964" "00000000"
          "00000009" "7061796c" "78" },
    };

    time = 500;
    count = 0;

    for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        end = ngx_media_wvtt_next(cues, NCUES, time, 5500);

        is(time, samples[i].start, "sample %u: start", i);
        is(end, samples[i].end, "sample %u: end", i);

        size = ngx_media_wvtt_write(NULL, cues, NCUES, time, end);
        p = malloc(size);
        is(ngx_media_wvtt_write(p, cues, NCUES, time, end), size,
           "sample %u: size", i);

        /* read again */

        in.pos = p;
        in.last = p + size;

        while ((rc = ngx_media_wvtt_read(&in, &cue)) == NGX_OK) {
            cue.start = time;
            cue.end = end;

            if (ngx_media_webvtt_add(again, &count, 8, &cue) != NGX_OK) {
                break;
            }
        }

        is(rc, NGX_DONE, "sample %u: read", i);

        if (samples[i].bytes) {
            q = media_hex(samples[i].bytes, &len);

            if (size > 20) {
                ok(memcmp(p + 16, "\0\0\0\0", 4) != 0, "sample %u: vsid", i);
                memset(p + 16, 0, 4);
            }

            is_mem(p, size, q, len, "sample %u", i);
            free(q);
        }

        /* cut short: a whole number of boxes is read, else an error */

        for (n = 0; n < size; n++) {
            q = tap_dup(p, n);
            in.pos = q;
            in.last = q + n;

            while (ngx_media_wvtt_read(&in, &cue) == NGX_OK) { /* void */ }

            free(q);
        }

        for (n = 0; n < size * 256; n++) {
            q = tap_dup(p, size);
            q[n / 256] = (u_char) n;
            in.pos = q;
            in.last = q + size;

            while (ngx_media_wvtt_read(&in, &cue) == NGX_OK) { /* void */ }

            free(q);
        }

        kept[i] = p;
        time = end;
    }

    is(count, 3, "three cues again");
    is(again[0].start, 1000, "the first, start");
    is(again[0].end, 3000, "the first, end");
    is(again[1].start, 2000, "the second, start");
    is(again[1].end, 4000, "the second, end");

    while (i) {
        free(kept[--i]);
    }
}


static void
test_codec(void)
{
    u_char                   buf[256], *p;
    size_t                   len, n;
    ngx_media_params_t       params;
    ngx_media_frame_info_t   info;

    len = ngx_media_wvtt_config(buf, sizeof(buf), cues, NCUES);
    is_text(buf, len, "WEBVTT\n\nSTYLE\nx", "configuration");
    is(ngx_media_wvtt_config(NULL, 0, cues, NCUES), len, "its size");

    is(ngx_media_wvtt_codec.config(&params, buf, buf + len), NGX_OK,
       "config");
    is(params.codec, NGX_MEDIA_CODEC_WVTT, "codec");
    is(params.type, NGX_MEDIA_TEXT, "type");
    is(params.timescale, 1000, "timescale");

    for (n = 0; n < 6; n++) {
        p = tap_dup(buf, n);
        is(ngx_media_wvtt_codec.config(&params, p, p + n), NGX_ERROR,
           "config of %u bytes", (unsigned) n);
        free(p);
    }

    (void) ngx_media_wvtt_codec.config(&params, buf, buf + len);

    is(ngx_media_wvtt_codec.string(buf, &params), 4, "string");
    is_text(buf, 4, "wvtt", "string's text");

    n = ngx_media_wvtt_codec.entry(NULL, &params);
    p = malloc(n);
    is(ngx_media_wvtt_codec.entry(p, &params), n, "entry");
    is_mem(p, n, "\0\0\0\x27wvtt\0\0\0\0\0\0\0\1\0\0\0\x17vttCWEBVTT\n\n"
           "STYLE\nx", 39, "entry's bytes");
    free(p);

    p = malloc(NGX_MEDIA_CONFIG_MAX + 1);
    memset(p, 'x', NGX_MEDIA_CONFIG_MAX + 1);
    memcpy(p, "WEBVTT", 6);
    is(ngx_media_wvtt_codec.config(&params, p, p + NGX_MEDIA_CONFIG_MAX),
       NGX_OK, "the longest");
    is(ngx_media_wvtt_codec.config(&params, p, p + NGX_MEDIA_CONFIG_MAX + 1),
       NGX_DECLINED, "too long");
    free(p);

    is(ngx_media_wvtt_codec.frame(&params, (u_char *) "\0\0\0\10vtte",
                                  (u_char *) "\0\0\0\10vtte" + 8, &info),
       NGX_OK, "frame");
    ok(info.key && info.empty, "empty");
    is(ngx_media_wvtt_codec.frame(&params, (u_char *) "\0\0\0\10vttc",
                                  (u_char *) "\0\0\0\10vttc" + 8, &info),
       NGX_OK, "frame");
    ok(info.key && !info.empty, "not empty");
    is(ngx_media_wvtt_codec.frame(&params, (u_char *) "\0\0\0\11vttc",
                                  (u_char *) "\0\0\0\11vttc" + 8, &info),
       NGX_ERROR, "malformed");
}


int
main(void)
{
    test_samples();
    test_codec();

    return done();
}
