
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG-TS of a stream that goes on: frames in as they arrive, packets of 188
 * bytes out, at once.  For whoever sends a transport stream over a connection;
 * segments are ngx_media_ts_mux.h's.
 *
 *     ngx_media_ts_push_init(&push)
 *     ngx_media_ts_push_track(&push, n, &es, head, len, reorder)   each, and
 *                                where its parameters change; 0, then 1...
 *     for ( ;; ) {
 *         ngx_media_ts_push_frame(&push, n, &frame)
 *
 *         do {
 *             rc = ngx_media_ts_push_write(&push, &p, last);
 *
 *             NGX_OK:    p == last, send, go on with another buffer
 *             NGX_DONE:  it is written, the next one
 *         } while (rc == NGX_OK);
 *     }
 *
 * A frame begins with its first packet and ends with one of its own, which is
 * stuffed: nothing waits in here, and p is behind a whole packet at NGX_DONE if
 * buffers are a multiple of 188 bytes (7 * 188 for SRT).
 *
 * PAT and PMT are there before each key frame of video, before the first frame
 * after a track has changed, and before the first one that is 80 ms after the
 * last ones: each 100 ms where frames are frequent.  Counters go on.  Each
 * frame is a PES packet, with its own time stamps.
 *
 * The clock is the decode time of frames, less 500 ms, and at most 100 ms after
 * the one before, in packets of its own where frames are rarer.  What is pushed
 * is all that it knows of time: while nothing is, nothing is written.
 *
 * Frames of one track come in the order of decoding, by times that grow.  Those
 * of different tracks may come in any order, as publishers send them: the clock
 * is at most 200 ms past where the next frame of any track is expected, unless
 * that is behind by more than a second, or has not begun for so long.  So what
 * comes at most a second later than others do is in time for its decoder.  What
 * comes later is sent, too, and counted (late): nobody else can put it right.
 * A pusher that wants a smaller delay in players has to sort frames itself.
 *
 * Live streams have no delay of reordering: a picture may be shown before its
 * decode time (negative offsets).  Here it may not, so decode times of video
 * are earlier by as much as it takes: so many frames as reorder says, or, if
 * that is too few, as has been seen so far; then two may be the same once.
 *
 * Where the times of video, or of all there is, jump by more than 10 s, a new
 * clock begins, which is marked as one (discontinuity_indicator).
 */


#ifndef _NGX_MEDIA_TS_PUSH_H_INCLUDED_
#define _NGX_MEDIA_TS_PUSH_H_INCLUDED_


#include "formats/ngx_media_ts_mux.h"


/* borrowed, bytes too, until write() has said NGX_DONE or another is pushed */

typedef struct {
    int64_t                   dts;            /* in the track's timescale; any
                                                 epoch, the same for all */
    int32_t                   cto;            /* pts - dts */
    uint32_t                  duration;       /* a forecast; 0: unknown */
    ngx_uint_t                key;            /* of video: random access */
    const u_char             *pos;            /* as CMAF has it: lengths before
                                                 NAL units, raw AAC */
    const u_char             *last;
} ngx_media_ts_frame_t;


/* flat, of its owner, but it points into itself: it is not to be copied */

typedef struct {
    uint64_t                  late;           /* frames, so far */
    uint64_t                  breaks;         /* of the clock */

    /* its own */

    ngx_media_ts_mux_t        mux;            /* damaged: of all frames */
    ngx_media_ts_track_t      tracks[NGX_MEDIA_TS_TRACKS];
    ngx_media_ts_es_t         es[NGX_MEDIA_TS_TRACKS];
    ngx_media_sample_t        samples[NGX_MEDIA_TS_TRACKS];
    uint32_t                  nals[NGX_MEDIA_TS_TRACKS];
    uint64_t                  times[NGX_MEDIA_TS_TRACKS];
                                              /* the newest, 90 kHz */
    int64_t                   decodes[NGX_MEDIA_TS_TRACKS];
                                              /* it, and the delay that it has,
                                                 in timescale */
    int64_t                   delays[NGX_MEDIA_TS_TRACKS];
    uint32_t                  reorders[NGX_MEDIA_TS_TRACKS];
    uint64_t                  start;          /* the first of all, 90 kHz */
    uint64_t                  tables;         /* when they were, 90 kHz */
    ngx_media_span_t          in;             /* what is left of the frame */
    ngx_media_span_t          frame;
    uint32_t                  track;          /* whose that is */
    unsigned                  seen:NGX_MEDIA_TS_TRACKS;  /* times[] is one */
    unsigned                  changed:1;      /* the PMT, and is not out yet */
    unsigned                  fresh:1;        /* tables are due */
    unsigned                  broken:1;       /* the clock, which is not out */
    unsigned                  planned:1;      /* the frame is */
} ngx_media_ts_push_t;


/* all times have NGX_MEDIA_TS_OFFSET added, as those of segments */
void ngx_media_ts_push_init(ngx_media_ts_push_t *push);

/*
 * A track, n of at most NGX_MEDIA_TS_TRACKS, or what it is from its next frame
 * on; its PID stays, unless it is of another codec: there are receivers that
 * never ask what a PID is for a second time.  Between frames only.  es is
 * copied, head, that of ngx_media_ts_es_head(), is borrowed until it is
 * replaced.  reorder: pictures that are decoded before one that is shown
 * earlier, or 0: it is not known.
 * NGX_OK, NGX_ERROR: there are too many, or those before it are missing, or
 * the tables have no room for it.
 */
ngx_int_t ngx_media_ts_push_track(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_es_t *es, const u_char *head, size_t head_len,
    uint32_t reorder);

/*
 * NGX_OK; NGX_DECLINED: a frame without bytes, or with more than what carries
 * it can hold: it is left out.  What was not written of the one before is lost,
 * and its PES packet broken.
 */
ngx_int_t ngx_media_ts_push_frame(ngx_media_ts_push_t *push, ngx_uint_t n,
    const ngx_media_ts_frame_t *frame);

/* NGX_OK, NGX_DONE */
ngx_int_t ngx_media_ts_push_write(ngx_media_ts_push_t *push, u_char **p,
    u_char *last);


#endif /* _NGX_MEDIA_TS_PUSH_H_INCLUDED_ */
