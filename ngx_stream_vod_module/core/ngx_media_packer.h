
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One track's way into the store: frames, whose times and segments are known,
 * become parts.  A packer knows nothing of how that came to be known:
 *
 *     begin (a cut), frame..., flush (a part), frame..., flush, close
 *
 * The open part is kept in this process's memory, and written as it is closed.
 *
 * style: long header, it is one object.
 */


#ifndef _NGX_MEDIA_PACKER_H_INCLUDED_
#define _NGX_MEDIA_PACKER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_cut.h"
#include "core/ngx_media_event.h"
#include "core/ngx_media_part.h"
#include "formats/ngx_media_mp4_write.h"


#define NGX_MEDIA_PART_SAMPLES    256          /* and those that come again */
#define NGX_MEDIA_PART_BYTES      (16 * 1024 * 1024)


typedef struct {
    int64_t                   dts;            /* in timescale, unix epoch */
    int64_t                   pts;
    uint32_t                  duration;       /* until the next one says more */
    const u_char             *pos;            /* copied */
    const u_char             *last;
    unsigned                  key:1;
    unsigned                  leading:1;      /* open GOP starts here */
    unsigned                  silent:1;       /* put in for what is missing */
    unsigned                  again:1;        /* so that a picture is held */
} ngx_media_packer_frame_t;


typedef struct {
    const ngx_media_claim_t  *claim;          /* borrowed, */
    ngx_log_t                *log;            /* as is this */
    uint32_t                  target;         /* of parts, 1/10000 s */
    ngx_media_events_t       *events;         /* borrowed; NULL: nobody is told
                                                 what becomes of it */

    /*
     * What its owner knows of a part that is about to be put: what is expected
     * after it, the drift, whether there are to be no parts.
     */
    void                    (*part)(void *data, ngx_media_part_put_t *put);
    void                     *data;

    /* the stream's track */
    ngx_uint_t                index;          /* or NGX_MEDIA_NO_TRACK */
    ngx_media_type_e          type;
    uint32_t                  timescale;
    uint64_t                  init;
    uint64_t                  bandwidth;      /* of this period */
    uint64_t                  bytes;          /* published */
    uint64_t                  ticks;
    uint64_t                  peak_bytes;     /* of closed segments that are */
    uint64_t                  peak_msec;      /* too short for a peak */
    ngx_media_track_count_t   count;
    ngx_media_track_count_t   base;           /* of them, in "sum" already */
    ngx_media_event_sum_t     sum;
    uint32_t                  fps;

    /* the segment */
    ngx_media_segment_t       segment;
    uint64_t                  segment_bytes;
    uint64_t                  segment_ticks;
    uint64_t                  opened;         /* the newest in the store */
    ngx_uint_t                nparts;
    ngx_uint_t                over;           /* parts over target in a row, */
    ngx_uint_t                held_over;      /* and held pictures that are */
    uint64_t                  fitting;        /* ticks of parts since then */

    /* the open part */
    int64_t                   time;           /* dts of its first sample */
    int64_t                   dts;            /* of its last */
    uint64_t                  duration;       /* of all but the last */
    int64_t                   key_time;       /* pts of the last key frame;
                                                 0: it made none */
    size_t                    size;           /* payload, bytes */
    size_t                    alloc;
    u_char                   *payload;
    ngx_uint_t                nsamples;
    ngx_uint_t                again;          /* of them, shown before */
    ngx_uint_t                max_samples;
    ngx_media_sample_t       *samples;

    unsigned                  open:1;         /* a segment is */
    unsigned                  independent:1;  /* the part has a key frame */
    unsigned                  listed:1;       /* a part was published */
    unsigned                  plain:1;        /* it lists no parts: for good, */
    unsigned                  held_off:1;     /* or while pictures are held */
    unsigned                  holding:1;      /* the part is a held picture */
    unsigned                  mild:1;         /* parts that are too long are
                                                 its own affair: only their
                                                 segment lists none */
    unsigned                  derived:1;      /* of another track: others are
                                                 told */
    unsigned                  torn:1;         /* something was lost: nothing
                                                 more in this period */
} ngx_media_packer_t;


/* target: of parts, 1/10000 s */
void ngx_media_packer_init(ngx_media_packer_t *p,
    const ngx_media_claim_t *claim, uint32_t target, ngx_log_t *log);
void ngx_media_packer_free(ngx_media_packer_t *p);

/*
 * The stream's track for these parameters, and their init segment, from the
 * next segment on; id is its publisher's number.  NGX_OK, NGX_DECLINED (the
 * claim is lost), or NGX_MEDIA_TRACK_*: why not.
 */
ngx_int_t ngx_media_packer_params(ngx_media_packer_t *p,
    const ngx_media_params_t *params, uint32_t id);

/*
 * A segment starts with this frame, which is still to come; its bandwidth is
 * known.  The one before is closed.
 */
void ngx_media_packer_begin(ngx_media_packer_t *p, const ngx_media_cut_t *cut,
    const ngx_media_packer_frame_t *frame);

/* does a frame of so many bytes and ticks go into the open part? */
ngx_uint_t ngx_media_packer_fits(const ngx_media_packer_t *p, size_t len,
    uint32_t duration);

/* does none go in, should it last as long as the last one? */
ngx_uint_t ngx_media_packer_full(const ngx_media_packer_t *p);

/* ticks that the last frame may last and its part still fit */
uint32_t ngx_media_packer_room(const ngx_media_packer_t *p);

/* the last frame lasts until this one */
void ngx_media_packer_settle(ngx_media_packer_t *p, int64_t dts);

/*
 * Here a frame has its segment, its init and its time for good, whoever made
 * it.  NGX_OK, NGX_DECLINED (it is too large), NGX_ERROR (no memory).
 */
ngx_int_t ngx_media_packer_frame(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame);

/*
 * Closes the open part; why is for debugging.  NGX_OK, NGX_DECLINED (the claim
 * is lost), NGX_ABORT: there was no room, nothing goes out any more until its
 * owner takes "torn" away.
 */
ngx_int_t ngx_media_packer_flush(ngx_media_packer_t *p, const char *why);

/*
 * Closes the segment; cut: which started it, NULL if it is not known any more.
 * NGX_OK, NGX_DONE (there was nothing of it), NGX_DECLINED (likewise).
 */
ngx_int_t ngx_media_packer_close(ngx_media_packer_t *p,
    const ngx_media_cut_t *cut);

/* the segment that was closed counts for BANDWIDTH */
void ngx_media_packer_peak(ngx_media_packer_t *p);

/*
 * The bandwidth of a period, from what it is said to be (bit/s), has been so
 * far, or is otherwise taken for.
 */
void ngx_media_packer_bandwidth(ngx_media_packer_t *p, uint64_t said,
    uint64_t otherwise);


#endif /* _NGX_MEDIA_PACKER_H_INCLUDED_ */
