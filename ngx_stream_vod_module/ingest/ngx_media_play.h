
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A viewer of a live stream as RTMP and FLV have it: one video and one audio
 * track, and what waits to be sent of them.  Whoever carries the bytes is
 * called when there are some, and takes them as the client does:
 *
 *     ready()  ->  peek(), send, sent(), peek(), ...
 *
 * A message is made once for all viewers in this process that are sent the
 * same bytes, and never copied for one of them.  Who falls behind loses what
 * has not left yet, up to the next key frame; nobody else notices.
 *
 * Time stamps are ms since about the first frame that anybody in this process
 * was sent of the stream, they never go back.  After 49 days they wrap, as RTMP
 * has it; who comes after 12 days gets ones that begin anew.
 */


#ifndef _NGX_MEDIA_PLAY_H_INCLUDED_
#define _NGX_MEDIA_PLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_viewer.h"
#include "core/ngx_media_read.h"
#include "formats/ngx_media_fmt.h"


typedef struct ngx_media_play_s  ngx_media_play_t;


typedef struct {
    ngx_media_stream_t        stream;
    ngx_log_t                *log;            /* borrowed until end() */
    uint32_t                  chunk_size;     /* of RTMP; 0: it is FLV */
    uint32_t                  message_stream; /* of RTMP */
    time_t                    expires;        /* s since the epoch: then it is
                                                 over; 0: it is not */
    ngx_media_viewer_t        viewer;         /* who it is, moved, also where
                                                 it cannot begin */
    uint64_t                  id;             /* of access, which is told when
                                                 it has begun and when it ends;
                                                 0: it does not ask */

    /* does the client understand this codec?  NULL: all of them */
    ngx_uint_t              (*takes)(void *data, uint32_t codec);

    unsigned                  classic:1;      /* it did not say what that is:
                                                 rather what has a number in
                                                 FLV than what is sent as
                                                 Enhanced RTMP has it */

    /*
     * There is something to be sent, or it is over.  It may send, but ends
     * nothing: that is for an event of its own.  Never called from inside of
     * begin().
     */
    void                    (*ready)(void *data);
    void                     *data;
} ngx_media_play_conf_t;


/* what became of the frames of both tracks, for the log */

typedef struct {
    uint64_t                  frames;         /* handed over */
    uint64_t                  dropped;        /* the viewer was behind */
} ngx_media_play_stat_t;


/* NGX_OK, NGX_DONE (the stream has gone), NGX_ERROR */
ngx_int_t ngx_media_play_begin(const ngx_media_play_conf_t *conf,
    ngx_media_play_t **play);
void ngx_media_play_end(ngx_media_play_t *play);

/* nothing is sent until it goes on, with a key frame; as begin() */
void ngx_media_play_pause(ngx_media_play_t *play);
ngx_int_t ngx_media_play_resume(ngx_media_play_t *play);

/* whether frames of this type are wanted, NGX_MEDIA_VIDEO or _AUDIO */
void ngx_media_play_receive(ngx_media_play_t *play, ngx_uint_t type,
    ngx_uint_t on);

/*
 * At most n messages that are to be sent next, behind the first skip ones;
 * borrowed until they are sent, or dropped: see hold().  Returns their number.
 */
ngx_uint_t ngx_media_play_peek(ngx_media_play_t *play, ngx_uint_t skip,
    ngx_media_span_t *spans, ngx_uint_t n);

/* the first n messages are somebody else's now: they are not dropped */
void ngx_media_play_hold(ngx_media_play_t *play, ngx_uint_t n);

/* so many bytes have left; returns the number of messages that are held yet */
ngx_uint_t ngx_media_play_sent(ngx_media_play_t *play, size_t bytes);

/* ms for which the client has taken nothing of what waits; 0: nothing waits */
ngx_msec_t ngx_media_play_stalled(const ngx_media_play_t *play);

/* why it is over, static, when all is sent; NULL: it is not */
const char *ngx_media_play_over(const ngx_media_play_t *play);

/*
 * It is over for this viewer, for this reason, static, not for the stream: what
 * waits is dropped.  And: was it ended this way, or because it has expired?
 */
void ngx_media_play_stop(ngx_media_play_t *play, const char *reason);
ngx_uint_t ngx_media_play_stopped(const ngx_media_play_t *play);

const ngx_media_play_stat_t *ngx_media_play_stat(
    const ngx_media_play_t *play);


#endif /* _NGX_MEDIA_PLAY_H_INCLUDED_ */
