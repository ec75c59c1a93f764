
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_ac3.c formats/ngx_media_av1.c
         formats/ngx_media_ac3_silence.c
         formats/ngx_media_crc.c
         formats/ngx_media_bits.c formats/ngx_media_flac.c
         formats/ngx_media_mp4_desc.c formats/ngx_media_opus.c
         formats/ngx_media_vpx.c */


/* the first byte chooses the codec, the rest is as in media_codec.h */


#include "formats/ngx_media_ac3.h"
#include "formats/ngx_media_av1.h"
#include "formats/ngx_media_flac.h"
#include "formats/ngx_media_opus.h"
#include "formats/ngx_media_vpx.h"
#include "media_codec.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ngx_media_codec_t  *const codecs[] = {
        &ngx_media_ac3_codec, &ngx_media_eac3_codec, &ngx_media_av1_codec,
        &ngx_media_flac_codec, &ngx_media_opus_codec, &ngx_media_vp8_codec,
        &ngx_media_vp9_codec
    };

    return size ? fuzz_codec(codecs[data[0] % 7], data + 1, size - 1) : 0;
}
