
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A publisher's state, for the files of its entrance only:
 *
 *   ngx_media_publish.c         begin, tracks, frames, end
 *   ngx_media_publish_mend.c    frames and configurations as CMAF wants them
 *   ngx_media_publish_ignore.c  what is of no use: counted, said, the end
 *   ngx_media_publish_name.c    names, and why publishers are refused
 *
 * style: long header, it is one state and what its files share.
 */


#ifndef _NGX_MEDIA_PUBLISH_STATE_H_INCLUDED_
#define _NGX_MEDIA_PUBLISH_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"
#include "core/ngx_media_claim.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_adts.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_sets.h"
#include "ingest/ngx_media_publish.h"


#define NGX_MEDIA_PUBLISH_NO_TRACK  ((ngx_uint_t) -1)


/* ms after which there may be room for a track */
#define NGX_MEDIA_PUBLISH_ROOM     5000

/* codecs of a track that are told of */
#define NGX_MEDIA_PUBLISH_CODECS   4

/* what was said already: bits by kind, and the codecs it was said of */

typedef struct {
    uint32_t                  kinds;
    ngx_uint_t                ncodecs;
    uint32_t                  codecs[NGX_MEDIA_PUBLISH_CODECS];
    const char               *names[NGX_MEDIA_PUBLISH_CODECS];
} ngx_media_publish_said_t;


typedef struct {
    ngx_uint_t                type;
    ngx_uint_t                id;             /* the publisher's number */
    ngx_uint_t                track;          /* the writer's */
    const ngx_media_codec_t  *codec;          /* NULL: no configuration */
    ngx_media_params_t        params;         /* or those that there was no
                                                 room for */
    ngx_media_publish_said_t  said;
    ngx_media_ignored_e       why;            /* refused */
    ngx_msec_t                refused_msec;   /* when */

    ngx_media_sets_t         *sets;           /* in band, while no header has
                                                 come */
    u_char                    adts[NGX_MEDIA_ADTS_CONFIG];
                                              /* the configuration is made of
                                                 ADTS headers: this one */
    ngx_uint_t                doubts;         /* frames in a row that say that
                                                 it is another one */
    unsigned                  codes:1;        /* start codes, or ADTS headers,
                                                 were seen */
    unsigned                  refresh:1;      /* this frame begins an intra
                                                 refresh */
    unsigned                  refreshes:1;    /* said that there are such */
    unsigned                  refused:1;      /* its last configuration was */
    unsigned                  own:1;          /* its configuration is made here,
                                                 no header came */
} ngx_media_publish_track_t;


struct ngx_media_publisher_s {
    ngx_media_publish_t       conf;           /* strings: until it has begun */
    u_char                   *name;           /* allocated; NULL: it has the
                                                 name that it was asked for */
    ngx_media_access_t       *access;         /* NULL: it does not wait */
    ngx_media_access_verdict_t
                              verdict;
    ngx_event_t               expiry;         /* of that */
    ngx_media_writer_t       *writer;         /* NULL: it has not begun */
    ngx_log_t                *log;
    uint32_t                  timebase;
    ngx_msec_t                heard;          /* as the stream knows it */

    /* since when and until when nothing that came was of use */
    ngx_msec_t                useless;
    ngx_msec_t                useless_last;

    ngx_media_publish_e       left;           /* what of this message was left
                                                 out, see answer */
    uint64_t                  taken;          /* frames that came out */
    ngx_msec_t                taken_msec;     /* the last of them */
    ngx_msec_t                frame_msec;     /* the last good one that came */

    ngx_media_publish_said_t  said[NGX_MEDIA_TEXT + 1];
                                              /* of no track of ours */
    ngx_uint_t                ntracks;
    ngx_media_publish_track_t
                             *tracks[NGX_MEDIA_TRACKS];
    unsigned                  is_useless:1;
    unsigned                  barren:1;       /* said that nothing comes out */
};


/* publish */

ngx_media_publish_track_t *ngx_media_publish_track_get(
    ngx_media_publisher_t *p, ngx_uint_t type, ngx_uint_t id);

/*
 * A configuration in its final form; codes as of ngx_media_publish_answer().
 * It counts as a header until its maker sets own.
 */
ngx_int_t ngx_media_publish_configure(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config);

/*
 * What a frame says, which each of them does, params are of rc: what there was
 * no room for is tried again when it is another one, or after a while.
 * NGX_DONE: it is refused, and the frame with it.
 */
ngx_int_t ngx_media_publish_configure_own(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    ngx_media_params_t *params, ngx_int_t rc,
    const ngx_media_publish_frame_t *frame);

/* likewise a frame; how many samples it has: 0: video */
uint32_t ngx_media_publish_samples(const ngx_media_publish_track_t *t,
    const ngx_media_publish_frame_t *frame);
ngx_int_t ngx_media_publish_put(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_publish_frame_t *frame);


/* mend: what came, by its codec; both end in configure and put */

ngx_int_t ngx_media_publish_mend_config(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config);
ngx_int_t ngx_media_publish_mend_frame(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *frame);


/* ignore */

/* what of the frame; NGX_OK, NGX_ABORT: for too long */
ngx_int_t ngx_media_publish_ignore_frame(ngx_media_publisher_t *p,
    ngx_media_ignored_e kind, const ngx_media_publish_frame_t *frame);

/*
 * What is answered.  Inside of these files it is one of nginx's codes: NGX_OK
 * (also what was left out), NGX_DECLINED (the claim is lost), NGX_ABORT, or
 * NGX_ERROR (no memory).
 */
ngx_media_publish_e ngx_media_publish_answer(ngx_media_publisher_t *p,
    ngx_int_t rc);

/* something was of use */
void ngx_media_publish_useful(ngx_media_publisher_t *p);


#endif /* _NGX_MEDIA_PUBLISH_STATE_H_INCLUDED_ */
