
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @av */


#include <ngx_config.h>
#include <ngx_core.h>
#include "tap.h"

#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_kind.h"
#include "formats/ngx_media_codec.h"


#define H264  NGX_MEDIA_CODEC_H264
#define H265  NGX_MEDIA_CODEC_H265
#define AV1   NGX_MEDIA_CODEC_AV1


static const struct {
    uint32_t                  codec;
    const char               *name;
    const char               *kind;           /* NULL: none */
} names[] = {
    { H264, "x264", "libx264" },
    { H264, "libx264", "libx264" },
    { H264, "nvenc", "h264_nvenc" },
    { H265, "nvenc", "hevc_nvenc" },
    { AV1, "nvenc", "av1_nvenc" },
    { H264, "qsv", "h264_qsv" },
    { H265, "hevc_vaapi", "hevc_vaapi" },
    { AV1, "svtav1", "libsvtav1" },
    { H265, "x264", NULL },
    { H264, "x26", NULL },
    { H264, "x2644", NULL },
    { H264, "", NULL },
    { H264, "hevc_nvenc", NULL },
    { NGX_MEDIA_CODEC_VP9, "x264", NULL },
};


/* what is said, and a part of what is answered; NULL: it is fine */

static const struct {
    const char               *kind;
    const char               *preset;
    const char               *options;
    ngx_uint_t                bframes;
    ngx_uint_t                lookahead;
    uint32_t                  crf;
    ngx_uint_t                depth;
    const char               *error;
} checks[] = {
    { "libx264", NULL, NULL, 0, 0, 0, 8, NULL },
    { "libx264", "slower", NULL, 3, 40, 235, 8, NULL },
    { "libx264", "quick", NULL, 0, 0, 0, 8, "no preset \"quick\"" },
    { "libx264", NULL, NULL, 0, 0, 0, 10, "no 10 bits" },
    { "libx264", NULL, "tune=film:aq-mode=2", 0, 0, 0, 8, NULL },
    { "libx264", NULL, "x264-params=deblock=1,1\\:me=umh", 0, 0, 0, 8, NULL },
    { "libx264", NULL, "aq-mode=many", 0, 0, 0, 8, "not take aq-mode=many" },
    { "libx264", NULL, "no-such=1", 0, 0, 0, 8, "no option \"no-such\"" },
    { "libx264", NULL, "tune", 0, 0, 0, 8, "NAME=VALUE" },
    { "libx264", NULL, "tune=film:g=50", 0, 0, 0, 8, "no option \"g\"" },
    { "libx264", NULL, "b=1000", 0, 0, 0, 8, "no option \"b\"" },
    { "libx264", NULL, "bf=2", 0, 0, 0, 8, "no option \"bf\"" },
    { "libx264", NULL, "flags=-cgop", 0, 0, 0, 8, "no option \"flags\"" },
    { "libx264", NULL, "threads=8", 0, 0, 0, 8, "no option \"threads\"" },
    { "libx264", NULL, "forced-idr=0", 0, 0, 0, 8, "\"forced-idr\"" },
    { "libx264", NULL, "sc_threshold=40", 0, 0, 0, 8, "\"sc_threshold\"" },
    { "libx264", NULL, "keyint_min=10", 0, 0, 0, 8, "\"keyint_min\"" },
    { "libx264", NULL, "intra-refresh=1", 0, 0, 0, 8, "\"intra-refresh\"" },
    { "libx264", NULL, "x264opts=keyint=50", 0, 0, 0, 8, "\"x264opts\"" },
    { "libx264", NULL, "x264-params=keyint=50", 0, 0, 0, 8, "\"keyint\"" },
    { "libx264", NULL, "x264-params=me=umh\\:min_keyint=50", 0, 0, 0, 8,
      "\"min-keyint\"" },
    { "libx264", NULL, "x264-params=sliced-threads=1", 0, 0, 0, 8,
      "\"sliced-threads\"" },
    { "libx264", NULL, "x264-params=intra-refresh=1", 0, 0, 0, 8,
      "\"intra-refresh\"" },
    { "libx264", NULL, "x264-params=fps=25", 0, 0, 0, 8, "\"fps\"" },
    { "libx264", NULL, "x264-params=mbtree=1", 0, 0, 0, 8, "\"mbtree\"" },
    { "libx264", NULL, "x264-params=sync_lookahead=9", 0, 0, 0, 8,
      "\"sync-lookahead\"" },
    { "libx264", NULL, "x264-params=no-scenecut=0", 0, 0, 0, 8,
      "\"no-scenecut\"" },
    { "libx264", NULL, "x264-params=bluray_compat=1", 0, 0, 0, 8,
      "\"bluray-compat\"" },
    { "libx264", NULL, "x264-params=no-deblock=1", 0, 0, 0, 8, NULL },
    { "libx264", NULL, "x264-params=me", 0, 0, 0, 8, "no such" },
    { "libx264", NULL, "preset=slow", 0, 0, 0, 8, "\"preset\"" },
    { "libx264", NULL, "crf=20", 0, 0, 0, 8, "\"crf\"" },
    { "libx265", "ultrafast", NULL, 0, 0, 280, 10, NULL },
    { "libx265", NULL, "x265-params=pools=8", 0, 0, 0, 8, "\"pools\"" },
    { "libx265", NULL, "x265-params=scenecut=40", 0, 0, 0, 8,
      "\"scenecut\"" },
    { "libx265", NULL, "x265-params=aq-mode=3", 0, 0, 0, 8, NULL },
    { "libsvtav1", "veryfast", NULL, 0, 0, 300, 10, NULL },
    { "libsvtav1", "9", NULL, 0, 0, 0, 8, NULL },
    { "libsvtav1", "quick", NULL, 0, 0, 0, 8, "not take preset=quick" },
    { "libsvtav1", NULL, NULL, 0, 10, 0, 8, "no lookahead" },
    { "libsvtav1", NULL, "svtav1-params=lp=8", 0, 0, 0, 8, "\"lp\"" },
    { "h264_nvenc", "veryfast", NULL, 0, 0, 0, 8, NULL },
    { "h264_nvenc", "p3", NULL, 0, 16, 0, 8, NULL },
    { "h264_nvenc", NULL, "delay=3", 0, 0, 0, 8, "\"delay\"" },
    { "h264_nvenc", NULL, "no-scenecut=0", 0, 0, 0, 8, "\"no-scenecut\"" },
    { "hevc_nvenc", "slow", NULL, 0, 0, 250, 10, NULL },
    { "h264_qsv", "superfast", NULL, 0, 0, 0, 8, NULL },
    { "h264_qsv", "veryfast", NULL, 0, 0, 230, 8, "no crf" },
    { "h264_qsv", NULL, "async_depth=4", 0, 0, 0, 8, "\"async_depth\"" },
    { "hevc_qsv", "veryfast", NULL, 0, 0, 0, 10, NULL },
    { "h264_vaapi", "veryfast", NULL, 0, 0, 0, 8, NULL },
    { "hevc_vaapi", NULL, "low_power=1", 0, 0, 0, 10, NULL },
    { "h264_vaapi", NULL, NULL, 0, 10, 0, 8, "no lookahead" },
};


static const ngx_media_av_kind_t *
kind_of(const char *name)
{
    ngx_uint_t                  i;
    const ngx_media_av_kind_t  *kind;

    for (i = 0; /* void */ ; i++) {
        kind = ngx_media_av_encoder_entry(i);

        if (kind == NULL
            || strcmp(ngx_media_av_encoder_name(kind), name) == 0)
        {
            return kind;
        }
    }
}


static void
test_names(void)
{
    uint64_t                    seen, version;
    ngx_uint_t                  i;
    const char                 *name;
    const ngx_media_av_kind_t  *kind;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        kind = ngx_media_av_encoder_find(names[i].codec,
                                         (u_char *) names[i].name,
                                         strlen(names[i].name));
        name = kind ? ngx_media_av_encoder_name(kind) : "none";

        is_text(name, strlen(name), names[i].kind ? names[i].kind : "none",
                "\"%s\"", names[i].name);
    }

    seen = 0;
    version = ngx_media_av_version(NULL);

    for (i = 0; /* void */ ; i++) {
        kind = ngx_media_av_encoder_entry(i);

        if (kind == NULL) {
            break;
        }

        name = ngx_media_av_encoder_name(kind);

        ok(!(seen & ngx_media_av_encoder_bit(kind)), "%s: a bit", name);
        seen |= ngx_media_av_encoder_bit(kind);

        ok(ngx_media_codec_find(ngx_media_av_encoder_codec(kind)) != NULL,
           "%s: a codec", name);
        ok(ngx_media_av_version(name) != version, "%s: a version", name);
        ok(strlen(ngx_media_av_encoder_needs(kind)) > 10, "%s: needs", name);
    }

    ok(i >= 12, "kinds");
}


static void
test_check(ngx_uint_t i)
{
    u_char                        error[NGX_MEDIA_AV_ERROR];
    const char                   *name;
    ngx_int_t                     rc;
    ngx_media_av_encoder_conf_t   conf;

    name = checks[i].kind;

    memset(&conf, 0, sizeof(conf));

    conf.kind = kind_of(name);
    conf.width = 320;
    conf.height = 180;
    conf.fps_num = 25;
    conf.fps_den = 1;
    conf.bitrate = 500000;
    conf.preset = checks[i].preset;
    conf.options = checks[i].options;
    conf.bframes = checks[i].bframes;
    conf.lookahead = checks[i].lookahead;
    conf.crf = checks[i].crf;
    conf.bit_depth = checks[i].depth;

    error[0] = '\0';
    rc = ngx_media_av_encoder_check(&conf, error);

    if (!ngx_media_av_encoder_known(conf.kind)) {
        ok(rc == NGX_DECLINED
           && strstr((char *) error, ngx_media_av_encoder_needs(conf.kind)),
           "%s: it is not here, %s", name, error);
        return;
    }

    if (checks[i].error == NULL) {
        ok(rc == NGX_OK, "%s: %s, %s: %s", name,
           conf.preset ? conf.preset : "default",
           conf.options ? conf.options : "no options", error);
        return;
    }

    ok(rc == NGX_ERROR && strstr((char *) error, checks[i].error),
       "%s, %s: %s", name, conf.options ? conf.options : "no options", error);
}


/* what is ours is said last, so it counts */

static void
test_params(void)
{
    u_char                        error[NGX_MEDIA_AV_ERROR];
    char                          longs[1200];
    AVDictionary                 *options;
    AVDictionaryEntry            *entry;
    ngx_media_av_encoder_conf_t   conf;

    memset(&conf, 0, sizeof(conf));

    conf.kind = kind_of("libx264");
    conf.options = "x264-params=me=umh\\:deblock=1,1";
    conf.lookahead = 12;

    options = NULL;

    is(ngx_media_av_encoder_options(&conf, &options, error), NGX_OK,
       "options");

    entry = av_dict_get(options, "x264-params", NULL, 0);

    ok(entry != NULL
       && strncmp(entry->value, "me=umh:deblock=1,1:rc-lookahead=12:scenecut",
                  43) == 0
       && strstr(entry->value, "mbtree") == NULL,
       "options: %s", entry ? entry->value : "none");

    av_dict_free(&options);

    memset(longs, 'a', sizeof(longs) - 1);
    longs[sizeof(longs) - 1] = '\0';
    memcpy(longs, "x264-params=me=", 15);

    conf.options = longs;

    is(ngx_media_av_encoder_options(&conf, &options, error), NGX_ERROR,
       "options that are too long");

    av_dict_free(&options);
}


int
main(void)
{
    ngx_uint_t  i;

    test_names();

    for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        test_check(i);
    }

    test_params();

    return done();
}

#else

int
main(void)
{
    ok(1, "table of encoders # SKIP there is no libav");

    return done();
}

#endif
