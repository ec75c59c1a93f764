
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* sets and loads without ladders */


#include "files/ngx_media_vod_index.h"
#include "vod/ngx_media_vod_set_make.h"
#include "vod/ngx_media_vod_want.h"


uint64_t
ngx_media_vod_ladder_tag(const ngx_media_vod_ladder_t *ladder)
{
    return 0;
}


ngx_int_t
ngx_media_vod_index_foreign(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, uint32_t timescale)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_media_vod_set_ladder(ngx_media_vod_set_ctx_t *ctx)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_rung(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track)
{
    return NGX_ERROR;
}


void
ngx_media_vod_set_rung_rate(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track)
{
}


void
ngx_media_vod_set_ladder_free(ngx_media_vod_set_ctx_t *ctx)
{
}


ngx_int_t
ngx_media_vod_set_sounds(ngx_media_vod_set_ctx_t *ctx)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_sound_frames(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track, int64_t begin, int64_t end,
    ngx_media_plan_range_t *range)
{
    return NGX_ERROR;
}


void
ngx_media_vod_makings_init(ngx_media_vod_makings_t *makings)
{
    ngx_queue_init(&makings->makings);
    ngx_queue_init(&makings->made);
}


void
ngx_media_vod_makings_orphan(ngx_media_vod_makings_t *makings)
{
}
