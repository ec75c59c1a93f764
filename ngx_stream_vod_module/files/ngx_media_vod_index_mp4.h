
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What one track of an MP4 file is: the part of its reader,
 * ngx_media_vod_index_mp4.c, that does not read.
 */


#ifndef _NGX_MEDIA_VOD_INDEX_MP4_H_INCLUDED_
#define _NGX_MEDIA_VOD_INDEX_MP4_H_INCLUDED_


#include "files/ngx_media_vod_blob.h"
#include "formats/ngx_media_mp4_moov.h"


/* NULL: it is not served; there is a note of it if it is of our types */
ngx_media_vod_blob_track_t *ngx_media_vod_mp4_track(
    ngx_media_vod_blob_t *blob, ngx_media_mp4_moov_t *moov,
    ngx_media_mp4_track_t *track);

/* a sync sample, or its begin, of a description that is pending; it is not any
   more unless NGX_AGAIN is returned: not in this one */
ngx_int_t ngx_media_vod_mp4_complete(ngx_media_vod_blob_track_t *t,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track,
    uint32_t description, const ngx_media_span_t *sample);

/* is_default is that a track is enabled: one of each type */
void ngx_media_vod_mp4_defaults(ngx_media_vod_blob_t *blob);

/* "moov/trak[1]/...: text, offset:N" */
void ngx_media_vod_mp4_note(ngx_media_vod_blob_t *blob,
    const ngx_media_mp4_error_t *error);


#endif /* _NGX_MEDIA_VOD_INDEX_MP4_H_INCLUDED_ */
