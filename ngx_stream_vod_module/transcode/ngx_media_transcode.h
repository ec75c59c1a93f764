
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What others ask of live ladders.
 */


#ifndef _NGX_MEDIA_TRANSCODE_H_INCLUDED_
#define _NGX_MEDIA_TRANSCODE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"


/* 0: by the ladder of a stream of this name its rungs stand for its video */
ngx_uint_t ngx_media_transcode_source(ngx_media_app_t *app,
    const ngx_str_t *name);


#endif /* _NGX_MEDIA_TRANSCODE_H_INCLUDED_ */
