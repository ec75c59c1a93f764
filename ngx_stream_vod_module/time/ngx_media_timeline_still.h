
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The timeline's part in pictures that stand still (timing.md, 1): when that
 * is so, and where the line goes meanwhile.  Pure, as all of it.
 */


#ifndef _NGX_MEDIA_TIMELINE_STILL_H_INCLUDED_
#define _NGX_MEDIA_TIMELINE_STILL_H_INCLUDED_


#include "time/ngx_media_timeline.h"


/*
 * Video of which nothing was lost since a key frame that can be decoded
 * anywhere: all of that may be put out again (ngx_media_writer_still.c).  So
 * a pause neither ends the period nor costs a frame; a period may open with
 * any frame.  Told after each frame that was put out, 0 where one was lost.
 */
void ngx_media_timeline_whole(ngx_media_line_t *line, ngx_uint_t whole);

/*
 * Has the picture of a video line stood still for so long, by the time (u) and
 * the arrival (ms) of a frame of another line, that it is to be held?  parts:
 * what it is held by is awaited within a part or so, whatever the rate is;
 * due: the segment is as long as it may be.
 */
ngx_uint_t ngx_media_timeline_still(const ngx_media_line_t *line,
    int64_t time, int64_t arrival, ngx_uint_t parts, ngx_uint_t due);

/* the last picture lasts until this dts: the next frame comes at it or later */
void ngx_media_timeline_hold(ngx_media_line_t *line, int64_t until);

/*
 * Or the line goes on, by frames that show the same again, at its cadence or a
 * faster one of at most that duration (u): the time of the next one, as if it
 * had come.  0: not yet, by that time (u).
 */
ngx_uint_t ngx_media_timeline_still_frame(ngx_media_line_t *line,
    int64_t time, int64_t duration, ngx_media_time_t *out);

/*
 * The newest frame of the line has another dts than it was given, since frames
 * that are shown again took their time: it and the next one go on from there.
 */
void ngx_media_timeline_moved(ngx_media_line_t *line, ngx_media_time_t *time);


#endif /* _NGX_MEDIA_TIMELINE_STILL_H_INCLUDED_ */
