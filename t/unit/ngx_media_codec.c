
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_aac.c formats/ngx_media_ac3.c
         formats/ngx_media_ac3_silence.c
         formats/ngx_media_av1.c formats/ngx_media_bits.c
         formats/ngx_media_crc.c
         formats/ngx_media_codec.c formats/ngx_media_flac.c
         formats/ngx_media_h264.c formats/ngx_media_h264_still.c
         formats/ngx_media_h265.c formats/ngx_media_mp3.c
         formats/ngx_media_mp4_desc.c formats/ngx_media_opus.c
         formats/ngx_media_video.c formats/ngx_media_vpx.c
         formats/ngx_media_wvtt.c */


#include "formats/ngx_media_codec.h"
#include "tap.h"


int
main(void)
{
    ngx_uint_t                i;
    ngx_media_params_t        params;
    const ngx_media_codec_t  *codec;

    static const struct {
        uint32_t     id;
        uint32_t     type;
        const char  *name;
    } codecs[] = {
        { NGX_MEDIA_CODEC_H264, NGX_MEDIA_VIDEO, "h264" },
        { NGX_MEDIA_CODEC_H265, NGX_MEDIA_VIDEO, "hevc" },
        { NGX_MEDIA_CODEC_AAC, NGX_MEDIA_AUDIO, "aac" },
        { NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, "mp3" },
        { NGX_MEDIA_CODEC_WVTT, NGX_MEDIA_TEXT, "webvtt" },
    };

    for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        codec = ngx_media_codec_find(codecs[i].id);

        if (!ok(codec != NULL, "%s", codecs[i].name)) {
            continue;
        }

        ok(codec == ngx_media_codec_entry(i), "entry");
        is(codec->id, codecs[i].id, "id");
        is(codec->type, codecs[i].type, "type");
        is_str(&codec->name, codecs[i].name, "name");
        ok((codec->silence != NULL) == (codec->type == NGX_MEDIA_AUDIO),
           "silence");
        is(codec->config(&params, (u_char *) "", (u_char *) ""), NGX_ERROR,
           "no config");
    }

    ok(ngx_media_codec_entry(i) == NULL, "the end");
    ok(ngx_media_codec_entry(i + 1) == NULL, "beyond");
    ok(ngx_media_codec_entry((ngx_uint_t) -1) == NULL, "far beyond");
    ok(ngx_media_codec_find(0) == NULL, "unknown");

    return done();
}
