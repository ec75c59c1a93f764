
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_h264.c formats/ngx_media_h264_still.c
         formats/ngx_media_bits.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_video.c */


#include "formats/ngx_media_h264.h"
#include "media_codec.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_codec(&ngx_media_h264_codec, data, size);
}
