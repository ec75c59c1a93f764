
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Messages of RTMP and tags of FLV, made of frames once for all viewers of a
 * stream in this process, and what these have in common: where their time
 * stamps begin, and the parameters of tracks.
 */


#ifndef _NGX_MEDIA_PLAY_PACK_H_INCLUDED_
#define _NGX_MEDIA_PLAY_PACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_follow.h"
#include "core/ngx_media_read.h"


/* viewers of a stream whose time stamps begin together; counted */

typedef struct {
    ngx_queue_t               queue;          /* of this process */
    ngx_media_stream_t        stream;
    ngx_uint_t                refs;
    uint32_t                  number;         /* of this group, for keys */
    uint32_t                  last;           /* the largest time stamp */
    int64_t                   base;           /* ms, unix epoch */
    int64_t                   reorder;        /* ms, video is decoded earlier */
    unsigned                  based:1;        /* it is set */

    ngx_queue_t               params;         /* ngx_media_play_params_t */

    /* those that have sound to be sent, which waits for video */
    ngx_queue_t               waiting;
    ngx_msec_t                until;          /* at most */
    ngx_msec_t                due;            /* when video is expected */
    ngx_event_t               timer;
} ngx_media_play_group_t;


/* parameters of a track; counted, of a group */

typedef struct {
    ngx_queue_t               queue;
    ngx_uint_t                refs;
    ngx_uint_t                track;
    ngx_media_params_t        params;
} ngx_media_play_params_t;


/* to whom: see ngx_media_play_conf_t */

typedef struct {
    uint32_t                  chunk_size;     /* 0: FLV */
    uint32_t                  stream;
} ngx_media_play_way_t;


/* a reference, or NULL; timer is called with the group */
ngx_media_play_group_t *ngx_media_play_group(const ngx_media_stream_t *stream,
    ngx_event_handler_pt timer, ngx_log_t *log);
void ngx_media_play_group_free(ngx_media_play_group_t *group);

/* a reference, or NULL; they are copied if nobody has them */
ngx_media_play_params_t *ngx_media_play_params(ngx_media_play_group_t *group,
    ngx_uint_t track, const ngx_media_params_t *params, ngx_log_t *log);
void ngx_media_play_params_free(ngx_media_play_params_t *params);

/*
 * Media time has the first picture of a group of pictures decoded when it is
 * shown (docs/timing.md, 10), so that others are decoded behind their times,
 * which players of FLV are not used to.  Theirs are earlier by as much as the
 * frames need that the first viewer begins with, which are told one by one
 * before any is packed.
 */
void ngx_media_play_reorder(ngx_media_play_group_t *group,
    const ngx_media_params_t *params, const ngx_media_frame_t *frame);

/* in ms since the group's base, which the first call sets */
uint32_t ngx_media_play_stamp(ngx_media_play_group_t *group,
    const ngx_media_frame_t *frame);

/* the frame's, made if nobody has; NULL: no memory, or it is too large */
ngx_media_frame_form_t *ngx_media_play_pack(ngx_media_play_group_t *group,
    const ngx_media_play_way_t *way, const ngx_media_params_t *params,
    ngx_media_frame_t *frame);

/*
 * Messages of one viewer alone, to be freed by ngx_free(); *form is NULL where
 * there is nothing to be said.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_media_play_pack_config(const ngx_media_play_way_t *way,
    const ngx_media_params_t *params, uint32_t stamp, ngx_log_t *log,
    ngx_media_frame_form_t **form);
ngx_int_t ngx_media_play_pack_metadata(const ngx_media_play_way_t *way,
    const ngx_media_params_t *video, const ngx_media_params_t *audio,
    ngx_log_t *log, ngx_media_frame_form_t **form);
ngx_int_t ngx_media_play_pack_start(const ngx_media_play_way_t *way,
    ngx_uint_t video, ngx_uint_t audio, ngx_log_t *log,
    ngx_media_frame_form_t **form);


#endif /* _NGX_MEDIA_PLAY_PACK_H_INCLUDED_ */
