
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A stream as this process sees it pass: the one exit for frames.  Whoever
 * follows a stream gets its frames as they arrive, in any worker: from the
 * last key frame at once, then each one milliseconds after its publisher sent
 * it.  There is one reader in a process for each stream, however many follow:
 * it copies a frame once, and all share the copy.
 *
 *     begin -> params, frame..., flush, frame..., flush, ... end
 *
 * It goes on over publishers that leave and come back, reloads and crashes of
 * other workers, until the stream ends.  Media time never goes back; where
 * frames are missing the next one of the track says so, and is a key frame.
 */


#ifndef _NGX_MEDIA_FOLLOW_H_INCLUDED_
#define _NGX_MEDIA_FOLLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"


typedef struct ngx_media_follow_s      ngx_media_follow_t;
typedef struct ngx_media_frame_form_s  ngx_media_frame_form_t;


/*
 * What was made of a frame once for all who follow in this process, an RTMP
 * message for instance: key says by whom and how, and is unique.
 */

struct ngx_media_frame_form_s {
    ngx_media_frame_form_t   *next;
    uintptr_t                 key;
    size_t                    len;
    u_char                    data[];
};


#define NGX_MEDIA_FRAME_KEY      0x01         /* random access point */
#define NGX_MEDIA_FRAME_SILENT   0x02         /* put in for what is missing */
#define NGX_MEDIA_FRAME_PERIOD   0x04         /* the first of a period */
#define NGX_MEDIA_FRAME_LOST     0x08         /* frames before it are missing */


/* a frame as CMAF carries it; nobody changes it but for its forms */

typedef struct {
    ngx_uint_t                refs;
    ngx_uint_t                track;          /* the stream's number of it */
    ngx_uint_t                type;           /* ngx_media_type_e */
    ngx_uint_t                flags;
    uint32_t                  timescale;
    uint32_t                  duration;       /* in timescale, a forecast */
    int64_t                   dts;            /* in timescale, unix epoch */
    int32_t                   cto;            /* pts - dts */
    uint64_t                  number;         /* of its segment; 0: unknown */
    uint64_t                  init;           /* name of its parameters */
    ngx_media_frame_form_t   *forms;
    size_t                    len;
    u_char                    data[];
} ngx_media_frame_t;


typedef struct {
    ngx_media_stream_t        stream;
    ngx_log_t                *log;            /* borrowed until follow_end() */

    /*
     * All of them are called from the event loop, never from inside begin().
     * follow_end() may be called in any of them, begin() in none.
     *
     * params: a track's, before its first frame and where they change;
     * borrowed during the call.  frame: borrowed, see ngx_media_frame_ref().
     * flush: no more frames for now.  end: nothing will come any more, reason
     * is static; only follow_end() is left to do.
     */
    void                    (*params)(void *data, ngx_uint_t track,
                                const ngx_media_params_t *params);
    void                    (*frame)(void *data, ngx_media_frame_t *frame);
    void                    (*flush)(void *data);
    void                    (*end)(void *data, const char *reason);
    void                     *data;
} ngx_media_follow_conf_t;


/* NGX_OK, NGX_DONE (the stream has gone), NGX_ERROR */
ngx_int_t ngx_media_follow_begin(const ngx_media_follow_conf_t *conf,
    ngx_media_follow_t **follow);
void ngx_media_follow_end(ngx_media_follow_t *follow);


/* one reference less, see ngx_media_frame_ref() */
void ngx_media_frame_unref(ngx_media_frame_t *frame);

/* its form of this key; NULL: nobody has made it */
ngx_media_frame_form_t *ngx_media_frame_form(const ngx_media_frame_t *frame,
    uintptr_t key);

/*
 * A new one of so many bytes, to be filled in at once; it lives as long as the
 * frame.  NULL: no memory.
 */
ngx_media_frame_form_t *ngx_media_frame_form_add(ngx_media_frame_t *frame,
    uintptr_t key, size_t len);


/* a reference more */

static ngx_inline ngx_media_frame_t *
ngx_media_frame_ref(ngx_media_frame_t *frame)
{
    frame->refs++;

    return frame;
}


#endif /* _NGX_MEDIA_FOLLOW_H_INCLUDED_ */
