
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* Tracks of one AdaptationSet: which they are, and what they list together */


#ifndef _NGX_MEDIA_DASH_JOINT_H_INCLUDED_
#define _NGX_MEDIA_DASH_JOINT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "packager/ngx_media_pack.h"


/* whether the one may be in the set of the other, which has this init */
ngx_uint_t ngx_media_dash_joint(const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t other, const ngx_media_init_t *init);

/* HDR: its transfer characteristics; 0: SDR */
ngx_uint_t ngx_media_dash_wide(const ngx_media_params_t *params);

/*
 * Of a live stream: segments of a track in a period are listed below this
 * number; those from it on wait for other tracks of the set.  UINT64_MAX: none
 * is waited for.
 */
uint64_t ngx_media_dash_limit(const ngx_media_stream_view_t *view,
    ngx_uint_t track, uint64_t period);


#endif /* _NGX_MEDIA_DASH_JOINT_H_INCLUDED_ */
