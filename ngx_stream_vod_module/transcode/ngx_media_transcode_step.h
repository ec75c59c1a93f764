
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Overload of a live ladder: which pictures rungs are given, and how many of
 * them.  Rungs suffer first, the dearest first; the source never, and no rung
 * loses a picture that begins a segment.  Decides, and does nothing: no clock,
 * no memory, no log.
 *
 * Times are ms of one clock, pts and durations in whatever timescale.
 */


#ifndef _NGX_MEDIA_TRANSCODE_STEP_H_INCLUDED_
#define _NGX_MEDIA_TRANSCODE_STEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* pictures that wait for a rung; more only of those that are cuts */
#define NGX_MEDIA_STEP_QUEUE    2
#define NGX_MEDIA_STEP_CUTS     4

#define NGX_MEDIA_STEP_LAGS     8             /* whose mean counts */
#define NGX_MEDIA_STEP_HURRY    500           /* ms: two replacements within */
#define NGX_MEDIA_STEP_UP       10000         /* ms between one and the next */
#define NGX_MEDIA_STEP_UP_MAX   160000        /* the same, after ups in vain */
#define NGX_MEDIA_STEP_ROOM     80            /* %: of what there is */

/* coded input of a job that is behind */
#define NGX_MEDIA_STEP_BEHIND   1000          /* ms */
#define NGX_MEDIA_STEP_BYTES    (4 * 1024 * 1024)


/* of all pictures, one in so many; status says these words */

typedef enum {
    NGX_MEDIA_STEP_ALL = 0,
    NGX_MEDIA_STEP_HALF,
    NGX_MEDIA_STEP_QUARTER,
    NGX_MEDIA_STEP_ONLY_CUTS
} ngx_media_step_e;


/* what is done with a frame of the source before it is decoded */

typedef enum {
    NGX_MEDIA_STEP_DECODE = 0,
    NGX_MEDIA_STEP_SKIP,                      /* unless others refer to it */
    NGX_MEDIA_STEP_DROP                       /* until the next key frame */
} ngx_media_step_input_e;


/* pictures of one rung that wait; whoever takes one out frees it */

typedef struct {
    void                     *picture;
    unsigned                  cut:1;
} ngx_media_step_slot_t;

typedef struct {
    ngx_media_step_slot_t     slots[NGX_MEDIA_STEP_CUTS];
    ngx_uint_t                n;              /* the oldest is slots[0] */
} ngx_media_step_queue_t;


/* a rung; zeroed at first */

typedef struct {
    ngx_uint_t                step;           /* ngx_media_step_e */
    unsigned                  half:1;         /* its owner's: fps=half */
    unsigned                  begun:1;        /* last is one */

    int64_t                   last;           /* pts of the last one taken */
    int64_t                   lags[NGX_MEDIA_STEP_LAGS];
    ngx_uint_t                nlags;          /* since the last change */
    int64_t                   replaced;       /* when; 0: not of late */
    unsigned                  overload:1;

    uint64_t                  cost;           /* ns of CPU, of one picture */
    uint64_t                  wall;           /* ns of one step */
} ngx_media_step_t;


/* a job, of which these are the rungs; zeroed at first */

typedef struct {
    ngx_media_step_t         *rungs;
    ngx_uint_t                nrungs;
    ngx_msec_t                latency;        /* L */
    uint64_t                  fps;            /* of the source, thousandths */
    ngx_uint_t                salt;           /* any number: jobs of several
                                                 wait a little longer */

    int64_t                   changed;        /* when a rung last was */
    int64_t                   raised;         /* the last one up; 0: none */
    ngx_msec_t                patience;       /* until the next one up */
} ngx_media_step_job_t;


/*
 * Is a rung given this picture?  duration: of one picture of the source.  Cuts
 * always; of others those half a picture before the time of the next one, or
 * later.  Asked once of each, in order.
 */
ngx_uint_t ngx_media_step_takes(ngx_media_step_t *rung, int64_t pts,
    int64_t duration, ngx_uint_t cut);

/*
 * A picture waits for its rung; what has to go for it, which may be itself, or
 * NULL: there is room.
 */
void *ngx_media_step_put(ngx_media_step_queue_t *queue, void *picture,
    ngx_uint_t cut);

/* the oldest one, NULL: none */
void *ngx_media_step_take(ngx_media_step_queue_t *queue, ngx_uint_t *cut);

/* a picture of the queue was replaced */
void ngx_media_step_replaced(ngx_media_step_t *rung, int64_t now);

/*
 * A picture came out of the encoder, lag ms after its frame had come; cpu and
 * wall ns of scaling and encoding it.
 */
void ngx_media_step_out(ngx_media_step_job_t *job, ngx_uint_t rung,
    int64_t lag, uint64_t cpu, uint64_t wall);

/*
 * The rung that changes its step now, and does so by this; nrungs: none.
 * used and cores: of the machine, in thousandths of a core, as measured.
 * Called after each of the two above, or often enough.
 */
ngx_uint_t ngx_media_step_decide(ngx_media_step_job_t *job, int64_t now,
    uint64_t used, uint64_t cores);

/* ngx_media_step_input_e: the oldest frame that waits came behind ms ago */
ngx_uint_t ngx_media_step_input(ngx_msec_t latency, int64_t behind,
    size_t bytes);

/* "all", "1/2", "1/4", "cuts" */
const char *ngx_media_step_name(ngx_uint_t step);


#endif /* _NGX_MEDIA_TRANSCODE_STEP_H_INCLUDED_ */
