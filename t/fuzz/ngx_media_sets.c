
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_sets.c formats/ngx_media_nal.c
         formats/ngx_media_h264.c formats/ngx_media_h264_still.c
         formats/ngx_media_h265.c formats/ngx_media_bits.c
         formats/ngx_media_mp4_desc.c formats/ngx_media_video.c */


#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_sets.h"

#include <stdint.h>
#include <stdlib.h>


/*
 * Access units as they come: what is made of them has to be what the codec
 * takes.
 *
 *     byte 0    bit 0 HEVC, bit 1 start codes are known, bits 2 and 3 bytes
 *               of a length; bit 4: in two pieces
 */


static ngx_media_sets_t  sets;


static void
check(int x)
{
    if (!x) {
        abort();
    }
}


static void
unit(const ngx_media_codec_t *codec, const u_char *pos, const u_char *last,
    ngx_uint_t nal_length, ngx_uint_t codes)
{
    u_char                  *p;
    size_t                   size, left;
    ngx_media_nals_t         it, nals;
    ngx_media_span_t         frame, nal;
    ngx_media_params_t       params;
    ngx_media_frame_info_t   info;

    ngx_media_nals_init(&nals, pos, last, nal_length, codes);
    nals.header = codec->id == NGX_MEDIA_CODEC_H265 ? 2 : 1;

    it = nals;
    left = 0;

    while (ngx_media_nals_next(&it, &nal) == NGX_OK) {
        check(nal.pos >= pos && nal.pos < nal.last && nal.last <= last);
        check(nal.last[-1] != 0);
        left++;

        (void) ngx_media_sets_add(&sets, &nal);
        check(sets.n <= NGX_MEDIA_SETS_MAX && sets.size <= sizeof(sets.data));
    }

    size = ngx_media_nals_write(NULL, &nals, 4);
    check(size <= (size_t) (last - pos) * 4);

    if (size) {
        check(left > 0);

        p = malloc(size);
        check(p != NULL);
        check(ngx_media_nals_write(p, &nals, 4) == size);

        ngx_memzero(&params, sizeof(params));
        params.nal_length = 4;

        check(codec->frame(&params, p, p + size, &info) == NGX_OK);

        frame.pos = p;
        frame.last = p + size;

        while (ngx_media_nal_next(&frame, 4, &nal) == NGX_OK) {
            left--;
        }

        check(left == 0 && frame.pos == frame.last);
        free(p);
    }

    size = ngx_media_sets_record(NULL, &sets);
    check(size <= NGX_MEDIA_SETS_RECORD_MAX);

    if (size) {
        p = malloc(size);
        check(p != NULL);
        check(ngx_media_sets_record(p, &sets) == size);
        check(codec->config(&params, p, p + size) != NGX_ERROR);
        free(p);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t                nal_length, codes;
    const u_char             *middle;
    const ngx_media_codec_t  *codec;

    if (size == 0) {
        return 0;
    }

    codec = (data[0] & 1) ? &ngx_media_h265_codec : &ngx_media_h264_codec;
    codes = data[0] >> 1 & 1;
    nal_length = (data[0] >> 2 & 3) + 1;
    middle = data + 1;

    ngx_media_sets_init(&sets, codec->units);

    if (data[0] & 16) {
        middle += (size - 1) / 2;
        unit(codec, data + 1, middle, nal_length, codes);
    }

    unit(codec, middle, data + size, nal_length, codes);

    return 0;
}
