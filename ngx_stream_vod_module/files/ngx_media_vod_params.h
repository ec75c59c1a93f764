
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What of a file can be served, and its parameters.
 */


#ifndef _NGX_MEDIA_VOD_PARAMS_H_INCLUDED_
#define _NGX_MEDIA_VOD_PARAMS_H_INCLUDED_


#include "files/ngx_media_vod_file.h"


ngx_uint_t ngx_media_vod_served(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track);

/* of a description of stsd, 0: of the first that is served; NULL: none */
const ngx_media_params_t *ngx_media_vod_params(
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *track,
    uint32_t description);

/* the same of what may only be decoded, ngx_media_av.h, too */
ngx_uint_t ngx_media_vod_is_foreign(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track);
const ngx_media_params_t *ngx_media_vod_params_any(
    const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *track,
    uint32_t description);

/* of all text tracks: WebVTT, in ms */
void ngx_media_vod_text_params(ngx_media_params_t *params);

/* the largest -cto of a track */
uint32_t ngx_media_vod_delay(const ngx_media_index_t *index);


#endif /* _NGX_MEDIA_VOD_PARAMS_H_INCLUDED_ */
