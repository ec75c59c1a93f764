
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The reader of a stream in this process, for ngx_media_follow.c (who follows,
 * what they share) and ngx_media_follow_reader.c (where frames come from) only.
 */


#ifndef _NGX_MEDIA_FOLLOW_STATE_H_INCLUDED_
#define _NGX_MEDIA_FOLLOW_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_follow.h"
#include "core/ngx_media_tail.h"


/* bytes since the last key frame that are read, and kept */
#define NGX_MEDIA_FOLLOW_BYTES  (32 * 1024 * 1024)


typedef struct {
    ngx_uint_t                track;          /* the stream's number of it */
    ngx_uint_t                type;           /* ngx_media_type_e */
    uint32_t                  timescale;
    uint64_t                  init;           /* name of params */
    ngx_media_params_t       *params;         /* NULL: none were seen */
    ngx_uint_t                version;        /* of track and params; 0: no
                                                 track is in this place */
    int64_t                   last;           /* dts of the newest frame, */
    int64_t                   end;            /* and when it is over */
    uint64_t                  number;         /* of the part to be read next */
    ngx_uint_t                part;
    unsigned                  begun:1;        /* last and end are known */
    unsigned                  placed:1;       /* number and part are */
    unsigned                  attached:1;     /* its frames come by the tail */
    unsigned                  torn:1;         /* what is missing is in no part,
                                                 either */
    unsigned                  gone:1;         /* it has ended */
    unsigned                  lost:1;         /* frames are missing: the next
                                                 one is to be a key frame */
} ngx_media_follow_track_t;


typedef struct {
    ngx_queue_t               queue;          /* of this process's readers */
    ngx_queue_t               followers;
    ngx_media_stream_t        stream;
    ngx_media_tail_reader_t   tail;
    ngx_media_waiter_t        arrived;        /* a frame is in the tail */
    ngx_media_waiter_t        changed;        /* a part was put */
    ngx_event_t               event;
    ngx_event_t               timer;
    ngx_log_t                *log;

    ngx_media_follow_track_t  tracks[NGX_MEDIA_TRACKS];  /* by place */
    ngx_uint_t                clock;          /* number of the track that
                                                 decides cuts */
    uint64_t                  first;          /* segment that it begins in,
                                                 others in none before it */
    int64_t                   start;          /* dts of the first frame of the
                                                 clock track, */
    uint32_t                  timescale;      /* of start */
    ngx_uint_t                version;        /* the last of a track */
    ngx_msec_t                since;          /* when it began to start */

    /* all frames since the last key frame of the clock track */
    ngx_media_frame_t       **cache;
    ngx_uint_t                ncached;
    ngx_uint_t                max_cached;
    size_t                    bytes;

    /* frames of parts, of all tracks, until they are in order */
    ngx_media_frame_t       **list;
    ngx_uint_t                nlist;
    ngx_uint_t                max_list;

    ngx_queue_t              *next;           /* of followers, in turn */
    ngx_media_follow_t       *current;        /* is being called; NULL: it has
                                                 gone meanwhile */
    unsigned                  starting:1;     /* parts are read up to where the
                                                 tail begins */
    unsigned                  started:1;      /* it was so once, and is over */
    unsigned                  video:1;        /* the clock track is of video */
    unsigned                  stale:1;        /* look at the tracks again */
    unsigned                  busy:1;
    unsigned                  ended:1;
} ngx_media_follow_reader_t;


/* ngx_media_follow.c */

/* one reference, which is the caller's; NULL: no memory */
ngx_media_frame_t *ngx_media_frame_create(size_t len, ngx_log_t *log);

/* to all who follow, and into the cache */
void ngx_media_follow_give(ngx_media_follow_reader_t *reader,
    ngx_media_frame_t *frame);

/* what is cached begins anew with the next key frame */
void ngx_media_follow_forget(ngx_media_follow_reader_t *reader);


/* ngx_media_follow_reader.c */

/* reads what there is; NGX_DONE: nothing will come any more */
ngx_int_t ngx_media_follow_read(ngx_media_follow_reader_t *reader);


#endif /* _NGX_MEDIA_FOLLOW_STATE_H_INCLUDED_ */
