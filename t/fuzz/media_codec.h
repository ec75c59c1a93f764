
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One codec of the table: the first two bytes of the input are the length of
 * a configuration, then it comes, then a frame.
 */


#ifndef _MEDIA_CODEC_H_INCLUDED_
#define _MEDIA_CODEC_H_INCLUDED_


#include "formats/ngx_media_codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


static inline void
fuzz_check(int ok)
{
    if (!ok) {
        abort();
    }
}


/* what must hold of any parameters that were accepted */

static inline void
fuzz_params(const ngx_media_codec_t *codec, const ngx_media_params_t *params)
{
    u_char               *p, text[NGX_MEDIA_CODEC_STRING_MAX];
    size_t                n;
    ngx_media_silence_t   silence;

    fuzz_check(params->codec == codec->id && params->type == codec->type);
    fuzz_check(params->config_len <= NGX_MEDIA_CONFIG_MAX);
    fuzz_check(params->timescale != 0);

    if (codec->type == NGX_MEDIA_VIDEO) {

        /* their records do not say it */

        fuzz_check((params->width != 0 && params->height != 0)
                   || codec->id == NGX_MEDIA_CODEC_VP8
                   || codec->id == NGX_MEDIA_CODEC_VP9);
        fuzz_check(params->width < 65536 && params->height < 65536);
        fuzz_check((params->sar_num == 0) == (params->sar_den == 0));
        fuzz_check((params->fps_num == 0) == (params->fps_den == 0));

    } else {
        fuzz_check(params->frame_samples != 0 && params->channels != 0);
    }

    n = codec->string(NULL, params);
    fuzz_check(n != 0 && n <= NGX_MEDIA_CODEC_STRING_MAX);
    fuzz_check(codec->string(text, params) == n);

    n = codec->entry(NULL, params);
    p = malloc(n);
    fuzz_check(p != NULL && codec->entry(p, params) == n);
    free(p);

    if (codec->flv.record != NULL) {
        n = codec->flv.record(NULL, params);
        p = malloc(n + 1);
        fuzz_check(p != NULL && codec->flv.record(p, params) == n);
        free(p);
    }

    if (codec->silence != NULL
        && codec->silence(params, &silence) == NGX_OK)
    {
        fuzz_check(silence.frame.pos < silence.frame.last);
        fuzz_check(silence.samples != 0 && silence.rate != 0);
    }
}


/* what frames say of themselves, at exactly their length */

static inline void
fuzz_frame(const ngx_media_codec_t *codec, const u_char *pos,
    const u_char *last)
{
    ngx_media_params_t  params;

    if (codec->learn != NULL && codec->learn(&params, pos, last) == NGX_OK) {
        fuzz_params(codec, &params);
    }

    if (codec->samples != NULL) {
        (void) codec->samples(pos, last);
    }

    if (codec->size != NULL) {
        (void) codec->size(pos, last);
    }
}


static inline int
fuzz_codec(const ngx_media_codec_t *codec, const uint8_t *data, size_t size)
{
    u_char                  *p;
    size_t                   n;
    ngx_media_params_t       params, again;
    ngx_media_frame_info_t   info;

    if (size < 2) {
        return 0;
    }

    n = data[0] << 8 | data[1];
    data += 2;
    size -= 2;

    if (n > size) {
        n = size;
    }

    /* exactly as long as it is said to be */

    p = malloc(n + 1);
    fuzz_check(p != NULL);
    memcpy(p + 1, data, n);

    memset(&params, 0xff, sizeof(params));

    if (codec->config(&params, p + 1, p + 1 + n) == NGX_OK) {
        fuzz_params(codec, &params);

        /* what was kept is a configuration, and stays the same */

        if (codec->id != NGX_MEDIA_CODEC_MP3) {
            fuzz_check(codec->config(&again, params.config,
                                     params.config + params.config_len)
                       == NGX_OK);
            fuzz_check(memcmp(&params, &again, sizeof(params)) == 0);
        }

    } else {
        memset(&params, 0, sizeof(params));
        params.nal_length = 4;
    }

    free(p);

    p = malloc(size - n + 1);
    fuzz_check(p != NULL);
    memcpy(p + 1, data + n, size - n);

    (void) codec->frame(&params, p + 1, p + 1 + size - n, &info);

    fuzz_frame(codec, p + 1, p + 1 + size - n);

    free(p);

    return 0;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#endif /* _MEDIA_CODEC_H_INCLUDED_ */
