
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_charset.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c formats/ngx_media_wvtt.c
         formats/ngx_media_wvtt_sample.c */


/*
 * A file of any kind becomes cues, they become a segment and samples, and the
 * segment read again is the same.  The first byte: 0, a subtitle file; 1, a
 * tx3g sample; 2, a wvtt sample.
 */


#include "formats/ngx_media_charset.h"
#include "formats/ngx_media_tx3g.h"
#include "formats/ngx_media_wvtt.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define CUES  256


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_media_cue_t  cues[CUES], other[CUES];


static u_char *
segment(const ngx_media_cue_t *list, ngx_uint_t n, size_t *len)
{
    u_char              *p;
    ngx_media_webvtt_t   view;

    memset(&view, 0, sizeof(view));

    view.cues = list;
    view.ncues = n;
    view.end = INT64_MAX;

    *len = ngx_media_webvtt_write(NULL, 0, &view);
    p = malloc(*len);

    if (ngx_media_webvtt_write(p, *len, &view) != *len) {
        abort();
    }

    return p;
}


static void
samples(ngx_uint_t n)
{
    u_char            *p;
    size_t             len;
    int64_t            end, time;
    ngx_int_t          rc;
    ngx_media_cue_t    cue;
    ngx_media_span_t   in;

    for (time = 0; time < 20000; time = end) {
        end = ngx_media_wvtt_next(cues, n, time, 20000);

        if (end <= time) {
            abort();
        }

        len = ngx_media_wvtt_write(NULL, cues, n, time, end);
        p = malloc(len);

        if (ngx_media_wvtt_write(p, cues, n, time, end) != len) {
            abort();
        }

        in.pos = p;
        in.last = p + len;

        do {
            rc = ngx_media_wvtt_read(&in, &cue);
        } while (rc == NGX_OK);

        if (rc != NGX_DONE) {
            abort();
        }

        free(p);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                     *again, *file, *p, *text;
    size_t                      len, more;
    ngx_uint_t                  k, n;
    ngx_media_span_t            in;
    ngx_media_webvtt_reader_t   reader;

    if (size == 0) {
        return 0;
    }

    p = malloc(size);
    memcpy(p, data + 1, size - 1);
    file = NULL;
    n = 0;

    memset(cues, 0, sizeof(cues));

    switch (data[0] % 3) {

    case 0:
        len = ngx_media_charset_utf8(NULL, p, p + size - 1);
        file = malloc(len ? len : 1);

        if (ngx_media_charset_utf8(file, p, p + size - 1) != len) {
            abort();
        }

        ngx_media_webvtt_open(&reader, file, file + len);
        n = ngx_media_webvtt_collect(&reader, 0, INT64_MAX, cues, CUES);
        n = ngx_min(n, CUES);
        break;

    case 1:
        cues[0].text.pos = p;
        cues[0].text.last = p + size - 1;
        cues[0].form = NGX_MEDIA_CUE_TX3G;
        cues[0].end = 1000;
        n = 1;
        break;

    default:
        in.pos = p;
        in.last = p + size - 1;

        while (n < CUES && ngx_media_wvtt_read(&in, &cues[n]) == NGX_OK) {
            cues[n++].end = 1000;
        }
    }

    text = segment(cues, n, &len);

    /* a cue whose text was nothing but what is dropped is not read again */

    ngx_media_webvtt_open(&reader, text, text + len);
    k = ngx_media_webvtt_collect(&reader, 0, INT64_MAX, other, CUES);

    if (k > n) {
        abort();
    }

    again = segment(other, k, &more);

    if (more > len || (k == n && (more != len || memcmp(text, again, len)))) {
        abort();
    }

    samples(n);

    free(again);
    free(text);
    free(file);
    free(p);

    return 0;
}
