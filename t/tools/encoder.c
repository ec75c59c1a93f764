
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which of some encoders is taken, and why others are not:
 *
 *     encoder [-sSIZE] [-oOPTIONS] [-pPRESET] [-bBFRAMES] [-cCRF] [-dDEPTH]
 *             [-f] CODEC NAME...
 *
 * Prints "NAME: WHY" for each that is refused, and "NAME" of the one taken,
 * or "none".  -f: as for a segment of a file.  t/av_encoder.t runs it with
 * encoders of a fake libavcodec; by hand it says what a machine has.
 */

/* link: @av */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_encode.h"
#include "formats/ngx_media_codec.h"


static uint32_t
codec_of(const char *name)
{
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;

    for (i = 0; /* void */ ; i++) {
        codec = ngx_media_codec_entry(i);

        if (codec == NULL) {
            return 0;
        }

        if (strlen(name) == codec->name.len
            && memcmp(name, codec->name.data, codec->name.len) == 0)
        {
            return codec->id;
        }
    }
}


int
main(int argc, char **argv)
{
    int                           i;
    u_char                        error[NGX_MEDIA_AV_ERROR];
    u_char                        errors[NGX_MEDIA_AV_ENCODERS]
                                        [NGX_MEDIA_AV_ERROR];
    uint32_t                      codec;
    ngx_int_t                     rc;
    ngx_uint_t                    k, n;
    const ngx_media_av_kind_t    *kinds[NGX_MEDIA_AV_ENCODERS];
    ngx_media_av_known_t          known;
    ngx_media_av_encoder_conf_t   conf;

    memset(&known, 0, sizeof(known));
    memset(&conf, 0, sizeof(conf));

    conf.width = 320;
    conf.height = 180;
    conf.fps_num = 30;
    conf.fps_den = 1;
    conf.bitrate = 700000;
    conf.bit_depth = 8;

    for (i = 1; i < argc && argv[i][0] == '-'; i++) {

        switch (argv[i][1]) {

        case 's':
            (void) sscanf(argv[i] + 2, "%ux%u", &conf.width, &conf.height);
            break;

        case 'o':
            conf.options = argv[i] + 2;
            break;

        case 'p':
            conf.preset = argv[i] + 2;
            break;

        case 'b':
            conf.bframes = (ngx_uint_t) atoi(argv[i] + 2);
            break;

        case 'c':
            conf.crf = (uint32_t) atoi(argv[i] + 2) * 10;
            break;

        case 'd':
            conf.bit_depth = (ngx_uint_t) atoi(argv[i] + 2);
            break;

        case 'f':
            conf.file = 1;
            break;
        }
    }

    codec = (i < argc) ? codec_of(argv[i++]) : 0;

    for (n = 0; i < argc && n < NGX_MEDIA_AV_ENCODERS; i++) {
        kinds[n] = ngx_media_av_encoder_find(codec, (u_char *) argv[i],
                                             strlen(argv[i]));

        if (kinds[n] == NULL) {
            printf("%s: unknown\n", argv[i]);
            continue;
        }

        n++;
    }

    rc = ngx_media_av_encoder_choose(&conf, kinds, n, &known, error,
                                     errors[0]);

    for (k = 0; k < n; k++) {
        if (errors[k][0]) {
            printf("%s: %s\n", ngx_media_av_encoder_name(kinds[k]),
                   errors[k]);
        }
    }

    printf("%s\n", rc == NGX_OK ? ngx_media_av_encoder_name(conf.kind)
                                : "none");

    return 0;
}

#else

int
main(void)
{
    printf("no libav\n");

    return 0;
}

#endif
