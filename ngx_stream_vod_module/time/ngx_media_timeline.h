
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a publisher's stamps become: media time.  Pure: no clock, no memory.
 *
 * One timeline for each publisher connection, one line for each track of it.
 * Media time zero is the unix epoch.  Presentation time is the publisher's,
 * smoothed within 1.5 ms (video) or by counted samples (audio); decode time
 * is a line of our own without a hole inside a period:
 *
 *     dts(n + 1) = dts(n) + duration(n), always.
 *
 * style: long header, it is one object.
 */


#ifndef _NGX_MEDIA_TIMELINE_H_INCLUDED_
#define _NGX_MEDIA_TIMELINE_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_TIMELINE_LINES  32


typedef struct {
    uint32_t                  timebase;       /* stamps a second: 1000 RTMP,
                                                 90000 MPEG-TS */
    uint32_t                  wrap;           /* bits of a stamp: 32, 33 */
    int64_t                   floor;          /* no period starts earlier */
    int64_t                   wait;           /* ms: track_wait */
    int64_t                   wall;           /* ms: the clock at floor */
} ngx_media_timeline_conf_t;


/* in: one frame as it was received */

typedef struct {
    uint64_t                  stamp;          /* dts, in timebase, wrapped */
    int32_t                   cts;            /* pts - dts, in timebase */
    uint32_t                  nsec;           /* to be added to the stamp */
    int64_t                   arrival;        /* ms since the epoch */
    uint32_t                  duration;       /* of audio, in its timescale,
                                                 where frames are not all as
                                                 long; 0: that of its line */
    uint32_t                  limit;          /* the most ticks that the
                                                 previous frame may last:
                                                 what its part has left */
    unsigned                  key:1;
} ngx_media_stamp_t;


#if (NGX_DEBUG)

/* what was decided on the way, with the numbers that decided it */

#define NGX_MEDIA_TIME_TRACES     4

typedef struct {
    const char               *text;           /* a format for a %ui, the track,
                                                 and values, %L */
    int64_t                   values[4];
} ngx_media_time_trace_t;

#endif


/* out: what to do with it */

typedef struct {
    int64_t                   dts;            /* in the line's timescale */
    int64_t                   pts;
    uint32_t                  duration;       /* expected, until the next
                                                 frame or a fix says more */
    uint32_t                  silent;         /* audio: so many silent frames
                                                 come before this one, the
                                                 last ends at dts */
    unsigned                  drop:1;         /* no output for this frame */
    unsigned                  period:1;       /* a new one, on all tracks */
    unsigned                  broken:1;       /* the period ended; what is
                                                 open must be closed now.
                                                 Frames are dropped until one
                                                 with period set, which may
                                                 be this one */
    unsigned                  jump:1;         /* once for all lines */
    unsigned                  anew:1;         /* nothing came of this video for
                                                 long, another goes on: what
                                                 was of it has ended, and it
                                                 begins with a key frame, which
                                                 may be this one */
    unsigned                  locked:1;       /* the cadence is locked: the
                                                 duration may be fixed now */
    unsigned                  resume:1;       /* video: the picture was still
                                                 until here.  It is held from
                                                 held on; what was since the
                                                 last key frame comes again
                                                 before this frame if it is
                                                 none itself */
    int64_t                   held;           /* resume: a dts */
    const char               *note;           /* for the log, once for each
                                                 event; NULL: nothing to
                                                 say */
#if (NGX_DEBUG)
    ngx_uint_t                ntraces;
    ngx_media_time_trace_t    traces[NGX_MEDIA_TIME_TRACES];
#endif
} ngx_media_time_t;


typedef struct ngx_media_line_s      ngx_media_line_t;
typedef struct ngx_media_timeline_s  ngx_media_timeline_t;


#include "time/ngx_media_timeline_state.h"


void ngx_media_timeline_init(ngx_media_timeline_t *tl,
    const ngx_media_timeline_conf_t *conf);

/*
 * Says that a track of this type was announced (metadata) though its header
 * has not come.  A period that audio would open waits for announced video,
 * at most conf.wait; a key frame of video opens a period at once.
 */
void ngx_media_timeline_announce(ngx_media_timeline_t *tl,
    ngx_media_type_e type);

/*
 * What was announced will not come; what comes of a line is of no use, or is
 * again: nothing waits for such video.
 */
void ngx_media_timeline_deny(ngx_media_timeline_t *tl, ngx_media_type_e type);
void ngx_media_timeline_refuse(ngx_media_line_t *line, ngx_uint_t refused);

/*
 * A new line; NULL: too many.  frame: audio, samples of one frame; video,
 * the duration of one frame where the bitstream or metadata says it, else 0.
 */
ngx_media_line_t *ngx_media_timeline_add(ngx_media_timeline_t *tl,
    ngx_media_type_e type, uint32_t timescale, uint32_t frame);

/*
 * What went out of this track before the line was made ended here: nothing of
 * it comes earlier.
 */
void ngx_media_timeline_resume(ngx_media_line_t *line, int64_t end);

/*
 * The line is no more; its place may be another's.  Where it was the clock,
 * the period has ended, and what is open must be closed now.
 */
void ngx_media_timeline_remove(ngx_media_timeline_t *tl,
    ngx_media_line_t *line);

/* if the timescale changes, the next frame of any line has broken set */
void ngx_media_timeline_change(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, uint32_t timescale, uint32_t frame);

void ngx_media_timeline_frame(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in,
    ngx_media_time_t *out);

/*
 * The duration of the line's last frame is settled as this many ticks: the
 * next frame's dts (its first silent frame's, if any) will be exactly that
 * much later, unless that one opens a period.
 */
void ngx_media_timeline_fix(ngx_media_line_t *line, uint32_t duration);

/*
 * Silent frames that an audio line needs now because others are ahead of it;
 * asked after each frame of another line.  dts: of the first of them.
 * Counted as fed when this returns.
 */
ngx_uint_t ngx_media_timeline_silence(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, int64_t *dts);

/* likewise, where a period ends at this time, u */
ngx_uint_t ngx_media_timeline_owed(ngx_media_line_t *line, int64_t end,
    int64_t *dts);

/* an audio line that has nothing but silence need not wait for anything else */
void ngx_media_timeline_absent(ngx_media_line_t *line, ngx_uint_t absent);

/* so many ms of a track come at once, again and again: it is given more time */
void ngx_media_timeline_lump(ngx_media_line_t *line, int64_t msec);

/*
 * Wall clock = media time + anchor (ms).  Called at each segment cut; returns
 * 1 when the anchor moved (timing.md, 6).  drift: what it is off by, ms.
 */
ngx_uint_t ngx_media_timeline_anchor(ngx_media_timeline_t *tl,
    int64_t *anchor);
int64_t ngx_media_timeline_drift(const ngx_media_timeline_t *tl);

/*
 * The media time, u, of what came now, with this stamp, and is in no line: as
 * that of a picture which is shown then.  Where the stamp is not of the base
 * of the lines, which is what so far from them is, u, or these have none, it is
 * that of the clock.
 */
int64_t ngx_media_timeline_when(const ngx_media_timeline_t *tl,
    uint64_t stamp, int64_t arrival, int64_t far);

/*
 * The line that decides the cuts.  It changes when video joins a period that
 * audio opened, and to audio when video has stopped (until a new period when
 * it returns).  NULL: no period is open.  Ask after each frame.
 */
ngx_media_line_t *ngx_media_timeline_clock(ngx_media_timeline_t *tl);

/*
 * ms between frames of the line that decides the cuts, at most: it stands still
 * where nothing came for longer
 */
int64_t ngx_media_timeline_patience(const ngx_media_timeline_t *tl);

/* what came out could not be kept: the next frame has broken set */
void ngx_media_timeline_break(ngx_media_timeline_t *tl);

/*
 * The clock that stamps are of begins anew: so does the period, with the next
 * frame, and stamps say nothing of the time between
 */
void ngx_media_timeline_restart(ngx_media_timeline_t *tl);

/* its track ended without the others: it begins anew, with a key frame */
void ngx_media_timeline_leave(ngx_media_line_t *line);

/* where the next frame is expected, in the line's timescale */
int64_t ngx_media_timeline_next(const ngx_media_line_t *line);


#endif /* _NGX_MEDIA_TIMELINE_H_INCLUDED_ */
