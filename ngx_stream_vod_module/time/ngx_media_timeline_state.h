
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The state behind ngx_media_timeline.h, which includes this file: flat and
 * without pointers but to itself.  Fields are private to the timeline.
 *
 * Units: "u" is 1/360000 s, the timescale of video, which holds ms and 90 kHz
 * exactly; everything that is common to lines of different timescales is
 * kept in it.
 *
 * style: long header, it is one state.
 */


#ifndef _NGX_MEDIA_TIMELINE_STATE_H_INCLUDED_
#define _NGX_MEDIA_TIMELINE_STATE_H_INCLUDED_


#include "time/ngx_media_timeline.h"


#define NGX_MEDIA_CADENCE_WINDOW  300
#define NGX_MEDIA_LINE_RECENT     32
#define NGX_MEDIA_ANCHOR_BUCKETS  6              /* of 10 s */


/* video: frame duration and the smoothed decode stamps */

typedef struct {
    int64_t                   num;            /* D = num / den, in u */
    int64_t                   den;
    int64_t                   out;            /* smoothed stamp: out + */
    int64_t                   frac;           /* frac / den, in u */
    int64_t                   error;          /* of it, low-passed, 1/16 u */
    int64_t                   correction;     /* in its next step, u */
    uint32_t                  hint;           /* D as announced, 0: unknown */
    uint32_t                  count;          /* intervals in the window */
    uint32_t                  head;           /* next place in it */
    uint32_t                  due;            /* intervals until D is made
                                                 again */
    uint32_t                  run;            /* of about D, in a row */
    uint32_t                  odd;            /* not of about D, in a row */
    uint32_t                  slow;           /* above 1.5 D, in a row */
    uint32_t                  window[NGX_MEDIA_CADENCE_WINDOW];
} ngx_media_cadence_t;


struct ngx_media_line_s {
    uint32_t                  type;           /* ngx_media_type_e */
    uint32_t                  timescale;
    uint32_t                  frame;          /* audio: samples of one */

    /* stamps in */
    int64_t                   stamp;          /* the last, in timebase */
    int64_t                   u;              /* the last, in u */
    int64_t                   rebase;         /* different bases, in u */
    int64_t                   arrival;        /* of the last, ms */
    int64_t                   pending;        /* arrival of the first frame
                                                 that does not fit, ms */
    int64_t                   media;          /* the last accepted, in u */
    int64_t                   real;           /* that was no still frame */
    int64_t                   start;          /* the line is owed frames
                                                 since, in u */

    /* frames out, in timescale */
    int64_t                   dts;            /* of the last */
    int64_t                   next;           /* its end, as expected */

    /* video */
    int64_t                   reorder;        /* r */
    int64_t                   early;          /* smallest pts of this GOP */
    int64_t                   key;            /* where its dts should be */
    int64_t                   lump;           /* pictures of so long come at
                                                 once, ms */
    uint32_t                  recent_n;
    int64_t                   recent[NGX_MEDIA_LINE_RECENT];  /* pts */
    ngx_media_cadence_t       cadence;

    /* audio */
    int64_t                   error;          /* low-passed, in 1/64 tick */
    int64_t                   lag;            /* how far behind the others it
                                                 may be unfed, ms */
    int64_t                   lag_least;      /* at first, and of what comes in
                                                 lumps */
    int64_t                   off_least;      /* of these errors */
    int32_t                   off;            /* errors > 40 ms in a row, < 0:
                                                 as many < -40 ms */
    int64_t                   shift;          /* error of the last frame */
    uint32_t                  steady;         /* within 3 ms of that, in a
                                                 row */

    unsigned                  used:1;         /* it was added */
    unsigned                  seen:1;         /* stamp, u are valid */
    unsigned                  synced:1;       /* fits the common clock */
    unsigned                  jumped:1;       /* expect others to jump too */
    unsigned                  started:1;      /* dts, next belong to this
                                                 period */
    unsigned                  fixed:1;        /* next is settled */
    unsigned                  ever:1;         /* next is valid */
    unsigned                  reopen:1;       /* video was silent: its key
                                                 frame opens a period */
    unsigned                  silent:1;       /* fed last with silence */
    unsigned                  correcting:1;   /* an error is worked off */
    unsigned                  whole:1;        /* see timeline_still.h */
    unsigned                  held:1;         /* the last picture is */
    unsigned                  stills:1;       /* it is, by still frames */
    unsigned                  stuck:1;        /* its stamps stand still */
    unsigned                  refused:1;      /* what comes is of no use */
};


struct ngx_media_timeline_s {
    ngx_media_timeline_conf_t conf;

    int64_t                   base;           /* media = u + base + rebase */
    int64_t                   cut;            /* start of the period, in u */
    int64_t                   head;           /* media time now, in u: the
                                                 last accepted frame */
    int64_t                   head_arrival;   /* ms */
    int64_t                   wait;           /* u since when audio waits for
                                                 video */

    int64_t                   jumped;         /* when the last jump was told
                                                 of, ms */

    /* the wall clock, in ms: wall = media + anchor */
    int64_t                   anchor;
    int64_t                   bucket;         /* end of this one, media u */
    int64_t                   least;          /* in this bucket */
    int64_t                   leasts[NGX_MEDIA_ANCHOR_BUCKETS];
    uint32_t                  nbuckets;
    uint32_t                  high;           /* buckets in a row that are
                                                 500 ms late */
    uint32_t                  low;            /* early */

    /* media time against arrival over 30 s */
    int64_t                   rate_media;
    int64_t                   rate_arrival;
    int32_t                   rate_sign;

    ngx_uint_t                nlines;
    ngx_media_line_t         *clock;
    ngx_media_line_t          lines[NGX_MEDIA_TIMELINE_LINES];

    unsigned                  announced:3;    /* bits 1 << type */
    unsigned                  open:1;         /* a period is */
    unsigned                  opened:1;       /* was ever */
    unsigned                  keep:1;         /* base goes on being right */
    unsigned                  restart:1;      /* at the next key frame */
    unsigned                  breaking:1;     /* at the next frame */
    unsigned                  waiting:1;      /* wait is valid */
    unsigned                  rate:1;         /* rate_* are valid */
    unsigned                  rate_said:1;
};


#endif /* _NGX_MEDIA_TIMELINE_STATE_H_INCLUDED_ */
