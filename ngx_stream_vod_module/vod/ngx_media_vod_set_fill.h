
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Silence: players want each track to cover the time of all (timing.md, 17).
 * Audio that begins after the others, or ends before them, by more than a
 * frame, has frames of silence there, and a clip without audio has nothing
 * else, with the parameters that the track has in the clip nearest to it.
 * Where none is known of a codec, or a clip of a channel has none of its own,
 * there is nothing, and HLS has gaps.
 *
 * A file that still grows has no end yet.
 */


#ifndef _NGX_MEDIA_VOD_SET_FILL_H_INCLUDED_
#define _NGX_MEDIA_VOD_SET_FILL_H_INCLUDED_


#include "vod/ngx_media_vod_set_make.h"


/* what the tracks of a clip cover, in NGX_MEDIA_VIDEO_TIMESCALE */

typedef struct {
    int64_t                   begin;
    int64_t                   end;
    ngx_uint_t                any;
    int64_t                   starts[NGX_MEDIA_VOD_SET_TRACKS];
    int64_t                   ends[NGX_MEDIA_VOD_SET_TRACKS];
                                              /* in the track's timescale */
} ngx_media_vod_set_cover_t;


/* a track that has samples, from its first one to its end */
void ngx_media_vod_set_cover(ngx_media_vod_set_cover_t *cover,
    ngx_uint_t track, int64_t start, int64_t end, uint32_t timescale);

/*
 * Silence for what audio does not cover of a clip: before and after its
 * samples (ranges, by track), or all of it, with the parameters that it has in
 * another clip.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_media_vod_set_fill(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_media_plan_range_t *ranges,
    const ngx_media_vod_set_cover_t *cover);

/*
 * The last segment begins at this time of its clip: audio has a frame in it,
 * if need be one of silence that goes on for longer than the clip.  When that
 * ends, ms; 0: none was needed, or there can be none.
 */
int64_t ngx_media_vod_set_fill_last(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track, const ngx_media_plan_range_t *range,
    int64_t cut, uint32_t timescale);


#endif /* _NGX_MEDIA_VOD_SET_FILL_H_INCLUDED_ */
