
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the parts of the timeline share; for ngx_media_timeline.c,
 * ngx_media_cadence.c and ngx_media_line_*.c only.
 */


#ifndef _NGX_MEDIA_LINE_H_INCLUDED_
#define _NGX_MEDIA_LINE_H_INCLUDED_


#include "time/ngx_media_timeline.h"


#define NGX_MEDIA_U        360000                   /* u in a second */
#define NGX_MEDIA_U_MSEC   360
#define NGX_MEDIA_U_STEP   NGX_MEDIA_U_MSEC         /* least video step */
#define NGX_MEDIA_U_BOUND  (3 * NGX_MEDIA_U_MSEC / 2)  /* 1.5 ms */

/* the most that pts and dts of a frame may differ as received: 10 s */
#define NGX_MEDIA_CTS_MAX  (10 * NGX_MEDIA_U)

/* a gap of so much breaks a period even where it could be filled: 10 s */
#define NGX_MEDIA_GAP_MAX  (10 * NGX_MEDIA_U)


/* what an audio line may be behind the others before it is fed, at first */
#define NGX_MEDIA_AUDIO_LAG  500


/* floor(v * num / den), den > 0, num >= 0; exact where the result fits */

static ngx_inline int64_t
ngx_media_muldiv(int64_t v, int64_t num, int64_t den)
{
    int64_t  q, r;

    q = v / den;
    r = v % den;

    if (r < 0) {
        r += den;
        q--;
    }

    return q * num + r * num / den;
}


static ngx_inline int64_t
ngx_media_clamp(int64_t v, int64_t low, int64_t high)
{
    if (v < low) {
        return low;
    }

    return (v > high) ? high : v;
}


/*
 * A decision is handed out for the log, this layer has none: text names its
 * values, "by:%L of:%L", 0 for those that it has not.  Nothing of it is left
 * in a build without debugging.
 */

#if (NGX_DEBUG)

#define ngx_media_time_trace(out, text, a, b, c, d)                           \
    ngx_media_time_trace_add(out, "media time of track %ui: " text,           \
                             a, b, c, d)

static ngx_inline void
ngx_media_time_trace_add(ngx_media_time_t *out, const char *text, int64_t a,
    int64_t b, int64_t c, int64_t d)
{
    ngx_media_time_trace_t  *trace;

    if (out->ntraces == NGX_MEDIA_TIME_TRACES) {
        return;
    }

    trace = &out->traces[out->ntraces++];

    trace->text = text;
    trace->values[0] = a;
    trace->values[1] = b;
    trace->values[2] = c;
    trace->values[3] = d;
}

#else

#define ngx_media_time_trace(out, text, a, b, c, d)

#endif


/* ngx_media_cadence.c */

void ngx_media_cadence_init(ngx_media_cadence_t *c, uint32_t hint);

/* the smoothed stamp starts anew here; what is known of D is kept */
void ngx_media_cadence_start(ngx_media_cadence_t *c, int64_t stamp);

/* learns from the interval of two stamps, then moves on to the later one */
void ngx_media_cadence_frame(ngx_media_cadence_t *c, int64_t stamp,
    int64_t interval);

/* the two parts of it */
void ngx_media_cadence_learn(ngx_media_cadence_t *c, int64_t interval);
void ngx_media_cadence_move(ngx_media_cadence_t *c, int64_t stamp);

/* the smoothed stamp + cts, by counts of D within the bound of stamp + cts */
int64_t ngx_media_cadence_place(const ngx_media_cadence_t *c, int64_t stamp,
    int64_t cts);

/* from where that is to where it will be one D later */
int64_t ngx_media_cadence_step(const ngx_media_cadence_t *c, int64_t cts);

/* D, rounded down; a guess as long as nothing is known */
int64_t ngx_media_cadence_duration(const ngx_media_cadence_t *c);

ngx_uint_t ngx_media_cadence_known(const ngx_media_cadence_t *c);
ngx_uint_t ngx_media_cadence_locked(const ngx_media_cadence_t *c);


/*
 * ngx_media_line_video.c and ngx_media_line_audio.c; media: the stamp as media
 * time, in u.  NGX_DECLINED: the period is over because of a silence; the
 * frame may open the next one.
 */

ngx_int_t ngx_media_line_video(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in, int64_t media,
    int64_t cts, ngx_media_time_t *out);

/*
 * A frame opens a period or joins one; its pts is media + cts.  It is a key
 * frame, or the line is whole.
 */
void ngx_media_line_video_start(ngx_media_line_t *line, int64_t media,
    int64_t cts, ngx_uint_t key, ngx_media_time_t *out);

/* the longest interval that is not yet a silence, in u */
int64_t ngx_media_line_video_silence(const ngx_media_line_t *line);

ngx_int_t ngx_media_line_audio(ngx_media_timeline_t *tl,
    ngx_media_line_t *line, const ngx_media_stamp_t *in, int64_t media,
    ngx_media_time_t *out);


#endif /* _NGX_MEDIA_LINE_H_INCLUDED_ */
