
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Derived tracks: what is made of a publisher's track in its own worker, as a
 * rung of a ladder, converted audio, text.  They have no line and no cuts of
 * their own: times are those of the source, which they are some hundred
 * milliseconds behind, and segments have its numbers, periods and starts.
 *
 *     derive, [params], frame..., done
 *
 * Who makes several tracks of one source, whose parameters are known when the
 * first frame of each comes out of an encoder, derives one without a track
 * first, which is told of the source, and the others as they are known.
 *
 * Their owner says what goes into them.  A derived track is no reason for
 * anything: nothing waits for it but the first playlist, and what it loses is a
 * gap in it alone.  One that is late for a period joins at a cut.
 */


#ifndef _NGX_MEDIA_DERIVE_H_INCLUDED_
#define _NGX_MEDIA_DERIVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_packer.h"
#include "core/ngx_media_writer.h"


typedef struct ngx_media_derived_s  ngx_media_derived_t;


/* a frame of the source, which is in the store or about to be */

typedef struct {
    ngx_media_packer_frame_t  frame;          /* borrowed during the call */
    uint64_t                  number;         /* of its segment */
    uint32_t                  reorder;        /* ticks by which its publisher's
                                                 pictures are shown later than
                                                 the first is decoded */
    unsigned                  first:1;        /* it begins that */
    unsigned                  silent:1;       /* put in for what is missing */
    unsigned                  settled:1;      /* the next one is believed to
                                                 come exactly duration later */
} ngx_media_source_frame_t;


/*
 * What the owner is told.  In each of these but the last it may feed the
 * derived track, and end it (done), but no other one.
 */

typedef struct {
    uint32_t                  id;             /* its owner's number of it within
                                                 its type: the same one goes on
                                                 when a publisher returns */
    uint64_t                  bandwidth;      /* bit/s, as its owner makes it;
                                                 0: it is measured */
    ngx_uint_t                only;           /* NGX_MEDIA_IN_*: it is listed
                                                 there alone; 0: in all */

    /* a frame of the source went out */
    void                    (*frame)(void *data,
                                const ngx_media_source_frame_t *frame);

    /*
     * The next frame of the source begins a period, or has other parameters:
     * what was made of the frames before it is drained, and whatever decodes
     * is opened anew, for these.  May be told twice.
     */
    void                    (*period)(void *data,
                                const ngx_media_params_t *params);

    /*
     * The publisher has gone, no frame of the source will come.  What is still
     * on its way may come for some seconds, as long as nobody else publishes
     * the stream; then done.
     */
    void                    (*end)(void *data);

    /* it is over: the derived track has gone when this returns */
    void                    (*close)(void *data, const char *reason);

    void                     *data;
} ngx_media_derive_t;


/*
 * source: a track of the writer, as ngx_media_writer_track() has it.  params:
 * its type is any, its timescale may be another one than the source's; NULL: it
 * has no track, is told of the source, and takes neither frames nor parameters.
 * conf is copied.  NGX_OK, NGX_DECLINED (the claim is lost, the publisher has
 * gone), NGX_ABORT (there are too many tracks, or they do not fit the zone:
 * logged), NGX_ERROR.
 */
ngx_int_t ngx_media_writer_derive(ngx_media_writer_t *w, ngx_uint_t source,
    const ngx_media_params_t *params, const ngx_media_derive_t *conf,
    ngx_media_derived_t **derived);

/*
 * For who is told of events (ngx_media_event.h): the source that TRACK is
 * about, or NGX_MEDIA_NO_TRACK
 */
ngx_uint_t ngx_media_writer_source(const ngx_media_writer_t *w,
    ngx_media_type_e type, ngx_uint_t id);

/* what the publisher announced; zeroed, if it did not */
const ngx_media_announce_t *ngx_media_writer_announced(
    const ngx_media_writer_t *w);

/*
 * So many tracks are still to be derived beside this one: the first playlist
 * waits for them as for tracks that were announced and have not come.
 */
void ngx_media_derived_expect(ngx_media_derived_t *d, ngx_uint_t n);

/*
 * Other parameters of the same codec and timescale, from the next segment on
 * that it begins.  NGX_DECLINED: it would have to be another track.
 */
ngx_int_t ngx_media_derived_params(ngx_media_derived_t *d,
    const ngx_media_params_t *params);

/*
 * A frame.  Which segment it belongs to is a matter of its pts: video begins
 * one with a key frame that is shown when the source's first frame is, as does
 * text, and gets the very start of the source's; audio begins with the first
 * frame that is not before the cut, and its dts is counted.  settled: the
 * next frame comes exactly duration later, so that a part may close with this
 * one.  NGX_OK, also if it was dropped; NGX_DECLINED: the claim is lost.
 */
ngx_int_t ngx_media_derived_frame(ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame, ngx_uint_t settled);

/*
 * Nothing more of it comes: what it has open is closed, and it has gone, and
 * with the last one its writer, if the publisher has left that.  While others
 * go on it is listed no more, and the next cut begins a period without it.
 */
void ngx_media_derived_done(ngx_media_derived_t *d);


#endif /* _NGX_MEDIA_DERIVE_H_INCLUDED_ */
