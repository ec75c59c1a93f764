
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What onMetaData says of several tracks, Enhanced RTMP v2, "Enhancing
 * onMetaData": audioTrackIdInfoMap and videoTrackIdInfoMap are objects of
 * objects, by track id.  Languages are asked for ("Track Ordering"), their
 * property is not named there: encoders write "language", and "title" beside.
 *
 *     audioTrackIdInfoMap: { 1: { language: "spa", title: "Comentario" } }
 */


#ifndef _NGX_MEDIA_FLV_TRACKS_H_INCLUDED_
#define _NGX_MEDIA_FLV_TRACKS_H_INCLUDED_


#include "formats/ngx_media_amf.h"


typedef struct {
    uint32_t                  id;             /* up to 255 */
    ngx_media_span_t          language;       /* empty: not said */
    ngx_media_span_t          title;
} ngx_media_flv_track_t;


/*
 * The next one of a map that ngx_media_amf_iterate() has opened; what is none,
 * or has an id that no track can have, is skipped.  NGX_OK, NGX_DONE, or
 * NGX_ERROR: malformed from here on.
 */
ngx_int_t ngx_media_flv_track_next(ngx_media_amf_iterator_t *it,
    ngx_media_flv_track_t *track);


#endif /* _NGX_MEDIA_FLV_TRACKS_H_INCLUDED_ */
