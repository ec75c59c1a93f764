
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What happens to a stream, for features that hang themselves on.  A module of
 * media {} asks for events in its postconfiguration; its handlers are called
 * in the worker that has the publisher, after the store has what they are told
 * of, never under a lock.
 *
 *     PUBLISH -> TRACK..., PERIOD, FRAME..., PART, SEGMENT, ... -> END
 *
 * Who takes a stream over may begin, on another worker, before the END of the
 * one that lost it; and of a worker that dies there is none.
 *
 * A handler cannot fail the publisher: it returns nothing, may neither block
 * nor end it, and what goes wrong is its module's own affair.
 *
 * style: long header, it is one list of what is told.
 */


#ifndef _NGX_MEDIA_EVENT_H_INCLUDED_
#define _NGX_MEDIA_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_claim.h"
#include "core/ngx_media_data.h"
#include "core/ngx_media_track_shm.h"


typedef enum {
    NGX_MEDIA_EVENT_PUBLISH = 0,              /* what: _event_publish_t */
    NGX_MEDIA_EVENT_TRACK,                    /* _event_track_t */
    NGX_MEDIA_EVENT_PERIOD,                   /* _event_period_t */
    NGX_MEDIA_EVENT_FRAME,                    /* _event_frame_t */
    NGX_MEDIA_EVENT_PART,                     /* _event_part_t */
    NGX_MEDIA_EVENT_SEGMENT,                  /* _event_part_t, of all of it */
    NGX_MEDIA_EVENT_DATA,                     /* _event_data_t */
    NGX_MEDIA_EVENT_LOST,                     /* _event_lost_t */
    NGX_MEDIA_EVENT_END,                      /* _event_end_t */
    NGX_MEDIA_EVENTS
} ngx_media_event_e;


/* all of it is borrowed during the call */

typedef struct {
    ngx_media_app_t          *app;
    const ngx_str_t          *name;           /* of the stream */
    const ngx_media_claim_t  *claim;
    struct ngx_media_writer_s
                             *writer;         /* for who derives tracks; NULL
                                                 after the last of them */
    ngx_uint_t                track;          /* the stream's number of it; 0
                                                 in PUBLISH, PERIOD, DATA,
                                                 END */
    const void               *what;           /* by event, see below */

    /*
     * By ctx_index, of this publisher; each module looks at its own, which is
     * NULL until it sets it.  Memory from the pool lives until after END, for
     * days: what grows does not belong there.
     */
    void                    **ctx;
    ngx_pool_t               *pool;
    ngx_log_t                *log;
} ngx_media_event_t;

typedef void (*ngx_media_event_pt)(ngx_media_event_t *ev);


/* a publisher has the stream now */

typedef struct {
    ngx_str_t                 protocol;       /* "rtmp" */
    ngx_str_t                 address;
} ngx_media_event_publish_t;


/* what comes of it from now on is this: it is new, or has changed */

typedef struct {
    const ngx_media_params_t *params;
    ngx_uint_t                id;             /* the publisher's number of it */
    uint64_t                  init;           /* name of its init segment */
    unsigned                  derived:1;      /* a feature makes it, its
                                                 publisher does not send it */
} ngx_media_event_track_t;


/* nothing goes on from before: what was open is closed, tracks may change */

typedef struct {
    uint64_t                  number;         /* of the next segment */
    int64_t                   time;           /* in timescale, unix epoch */
    uint32_t                  timescale;
} ngx_media_event_period_t;


/* in its place in time; it is in no part yet that readers see */

typedef struct {
    const u_char             *pos;            /* as CMAF carries it */
    const u_char             *last;
    int64_t                   dts;            /* in timescale, unix epoch */
    int64_t                   pts;
    uint32_t                  duration;       /* a forecast */
    uint32_t                  timescale;
    uint64_t                  number;         /* of its segment */
    unsigned                  key:1;
    unsigned                  first:1;        /* its segment begins */
    unsigned                  silent:1;       /* put in for what is missing */
    unsigned                  again:1;        /* so that a picture is held */
} ngx_media_event_frame_t;


/* readers may have it */

typedef struct {
    const ngx_media_segment_t
                             *segment;        /* number, time, period, init */
    const ngx_media_track_count_t
                             *count;          /* of the track, in its life */
    uint32_t                  part;           /* index; SEGMENT: how many */
    uint32_t                  timescale;
    uint64_t                  duration;       /* in timescale */
    uint64_t                  bytes;
    uint32_t                  fps;            /* 1/1000, as they come */
} ngx_media_event_part_t;


/* it waits for the parts of its time, and will be in these */

typedef struct {
    const ngx_media_data_t   *data;           /* its time is final, unless a
                                                 period begins after it */
    uint32_t                  timescale;
} ngx_media_event_data_t;


/* the zone had no room for a part: the period is over */

typedef struct {
    uint64_t                  number;         /* of its segment */
    uint64_t                  frames;
} ngx_media_event_lost_t;


/* what came, silence not counted, and what was dropped: see docs/status.md */

typedef struct {
    uint64_t                  frames;
    uint64_t                  bytes;
    uint64_t                  late;
    uint64_t                  key;
    uint64_t                  nomem;
    uint64_t                  bad;
} ngx_media_event_sum_t;


/*
 * The publisher has gone, and the stream may have, too.  Where tracks that were
 * derived of it went on, these have ended; reason and msec are those of then.
 */

typedef struct {
    const char               *reason;         /* static */
    ngx_msec_t                msec;           /* since PUBLISH */
    ngx_media_event_sum_t     sums[NGX_MEDIA_TEXT + 1];
                                              /* of this publisher, by type of
                                                 track */
    uint64_t                  jumps;          /* of its stamps */
} ngx_media_event_end_t;


/* of a cycle: who wants to know what */

struct ngx_media_listeners_s {
    ngx_uint_t                nmodules;       /* contexts of a publisher */
    ngx_array_t               handlers[NGX_MEDIA_EVENTS];
};


/* of a publisher; zeroed, nobody is told anything */

typedef struct {
    uint32_t                  wanted;         /* bits: 1 << event */
    ngx_media_listeners_t    *listeners;
    ngx_media_event_t         event;
    ngx_str_t                 name;
    ngx_msec_t                since;
} ngx_media_events_t;


/* for modules, in postconfiguration */
ngx_int_t ngx_media_event_add(ngx_conf_t *cf, ngx_media_event_e event,
    ngx_media_event_pt handler);


/* for the core */

ngx_int_t ngx_media_listeners_init(ngx_media_listeners_t *listeners,
    ngx_pool_t *pool);

/* of this claim, log is borrowed; without memory nobody is told anything */
void ngx_media_events_begin(ngx_media_events_t *events, ngx_media_app_t *app,
    const ngx_media_claim_t *claim, const ngx_str_t *name, ngx_log_t *log);
void ngx_media_events_log(ngx_media_events_t *events, ngx_log_t *log);
void ngx_media_events_end(ngx_media_events_t *events);

void ngx_media_event_sum_add(ngx_media_event_sum_t *sum,
    const ngx_media_event_sum_t *more);

void ngx_media_event_run(ngx_media_events_t *events, ngx_media_event_e event,
    ngx_uint_t track, const void *what);


static ngx_inline ngx_uint_t
ngx_media_event_wanted(const ngx_media_events_t *events,
    ngx_media_event_e event)
{
    return (events->wanted & (uint32_t) 1 << event) != 0;
}


#endif /* _NGX_MEDIA_EVENT_H_INCLUDED_ */
