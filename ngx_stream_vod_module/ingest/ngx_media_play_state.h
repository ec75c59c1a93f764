
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A viewer's state, for ngx_media_play.c (how it begins and ends, what it is
 * sent, and when), ngx_media_play_track.c (of which tracks) and
 * ngx_media_play_queue.c (what waits for it) only.
 */


#ifndef _NGX_MEDIA_PLAY_STATE_H_INCLUDED_
#define _NGX_MEDIA_PLAY_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_follow.h"
#include "ingest/ngx_media_play.h"
#include "ingest/ngx_media_play_pack.h"


#define NGX_MEDIA_PLAY_TYPES     2            /* video and audio */

/* s of media after which a track without frames gives way to another one */
#define NGX_MEDIA_PLAY_SILENCE   3

/* bytes, for views */
#define NGX_MEDIA_PLAY_POOL      4096

/* whose are messages of one viewer alone: frame is NULL, key says which */
#define NGX_MEDIA_PLAY_START     NGX_MEDIA_PLAY_TYPES
#define NGX_MEDIA_PLAY_METADATA  (NGX_MEDIA_PLAY_TYPES + 1)


/* a message that waits; form is NULL until the first one is sent */

typedef struct {
    ngx_media_frame_t        *frame;
    ngx_media_frame_form_t   *form;
    ngx_msec_t                queued;
} ngx_media_play_node_t;


/* the track that is sent of a type */

typedef struct {
    ngx_media_play_params_t  *params;         /* NULL: there is none */
    int64_t                   dts;            /* of its last frame */
    int64_t                   time;           /* the same in s */
    unsigned                  any:1;          /* there was one */
    unsigned                  off:1;          /* it is not wanted */
    unsigned                  wait:1;         /* for a key frame */
    unsigned                  due:1;          /* parameters are to be sent */
    unsigned                  left:1;         /* some are left out: said */
} ngx_media_play_track_t;


struct ngx_media_play_s {
    ngx_media_play_conf_t     conf;
    ngx_media_play_way_t      way;
    ngx_media_play_group_t   *group;
    ngx_media_follow_t       *follow;         /* NULL: paused, or over */
    const char               *over;           /* static; NULL: it is not */
    ngx_event_t               expiry;
    ngx_event_t               touch;          /* of conf.viewer */

    ngx_media_play_track_t    tracks[NGX_MEDIA_PLAY_TYPES];

    ngx_queue_t               waiting;        /* of the group */

    ngx_media_play_node_t    *nodes;          /* a ring, allocated */
    ngx_uint_t                size;           /* of it, a power of 2 */
    ngx_uint_t                head;           /* of it */
    ngx_uint_t                count;
    ngx_uint_t                held;           /* of count */
    size_t                    offset;         /* of the first, sent */
    size_t                    bytes;          /* of frames that wait */

    ngx_msec_t                progress;       /* when bytes left, or began to
                                                 wait */
    ngx_msec_t                first;          /* when the first frame came */
    ngx_media_play_stat_t     stat;

    unsigned                  begun:1;        /* headers are in the queue */
    unsigned                  metadata:1;     /* is to be sent */
    unsigned                  urgent:1;       /* more than sound waits */
    unsigned                  lost:1;         /* until a key frame */
    unsigned                  late:1;         /* was so: said */
    unsigned                  posted:1;       /* in the group's list */
    unsigned                  stopped:1;
    unsigned                  here:1;         /* access was told */
};


#define ngx_media_play_node(play, i)                                          \
    (&(play)->nodes[((play)->head + (i)) & ((play)->size - 1)])

#define ngx_media_play_video(play)                                            \
    ((play)->tracks[NGX_MEDIA_VIDEO].params != NULL                           \
     && !(play)->tracks[NGX_MEDIA_VIDEO].off)


/* ngx_media_play.c */

/* what waits gets its form, behind the headers; NGX_ERROR: no memory */
ngx_int_t ngx_media_play_start(ngx_media_play_t *play);
void ngx_media_play_wait_done(ngx_media_play_t *play);


/* ngx_media_play_track.c */

/* a track begins, or goes on with other parameters: as of who follows */
void ngx_media_play_params_handler(void *data, ngx_uint_t track,
    const ngx_media_params_t *params);

/* the track of this type that is to be sent, as things are now, or NO_TRACK */
ngx_uint_t ngx_media_play_choose(ngx_media_play_t *play, ngx_uint_t type);

/* that of a frame which is to be sent, or NULL: it is left out */
ngx_media_play_track_t *ngx_media_play_track(ngx_media_play_t *play,
    ngx_media_frame_t *frame);


/* ngx_media_play_queue.c */

/* a message of this viewer alone: rc and form are what packing it returned */
ngx_int_t ngx_media_play_own(ngx_media_play_t *play, ngx_uint_t front,
    ngx_uint_t whose, ngx_int_t rc, ngx_media_frame_form_t *form);

/* room for one more message, the first or the last one; NULL: no memory */
ngx_media_play_node_t *ngx_media_play_push(ngx_media_play_t *play,
    ngx_uint_t front);

/* all behind the first ones; what is not sent with them is due again */
void ngx_media_play_drop(ngx_media_play_t *play, ngx_uint_t from);

/* all of a type, before the beginning */
void ngx_media_play_forget(ngx_media_play_t *play, ngx_uint_t type);


#endif /* _NGX_MEDIA_PLAY_STATE_H_INCLUDED_ */
