
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A writer's state, for ngx_media_writer.c (time, cuts),
 * ngx_media_writer_track.c (tracks), ngx_media_writer_part.c (their parts),
 * ngx_media_writer_ready.c (when it is given out), ngx_media_writer_still.c
 * (what stands still), ngx_media_writer_leave.c (how it ends),
 * ngx_media_writer_event.c (what others are told), ngx_media_writer_data.c
 * (timed data), and what is derived (ngx_media_derive_state.h) only.
 *
 * style: long header, it is one state and what its files share.
 */


#ifndef _NGX_MEDIA_WRITER_STATE_H_INCLUDED_
#define _NGX_MEDIA_WRITER_STATE_H_INCLUDED_


#include "core/ngx_media_packer.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_track.h"
#include "core/ngx_media_writer.h"
#include "time/ngx_media_segmenter.h"
#include "time/ngx_media_timeline.h"


/* ngx_media_writer_still.h */
typedef struct ngx_media_writer_past_s  ngx_media_writer_past_t;


#define NGX_MEDIA_CUTS            32          /* that a track may lag behind */

/* a track is known to stand still after so many target durations */
#define NGX_MEDIA_STILL           3

typedef struct {
    ngx_media_packer_t        packer;
    ngx_media_writer_t       *writer;
    ngx_uint_t                id;             /* the publisher's number */
    const ngx_media_codec_t  *codec;
    ngx_media_line_t         *line;           /* NULL: it is refused */
    ngx_media_params_t        params;
    ngx_media_params_t        next_params;    /* from the next cut on */
    uint64_t                  number;         /* cut that it belongs to */
    uint64_t                  begun;          /* the last that it had */
    uint64_t                  offered;        /* that was made for it to join */
    ngx_media_start_t        *starts;         /* NULL: nothing is derived */
    const char               *refusal;        /* the last that was told of, */
    uint32_t                  refused_codec;  /* and of what */

    /* video, since the last key frame */
    uint32_t                  since;          /* frames */
    uint64_t                  since_bytes;
    ngx_media_writer_past_t  *past;           /* while a picture is held */

    unsigned                  whole:1;        /* none of them is missing, and
                                                 they may be put out again */
    unsigned                  still:1;        /* the segment has still frames */
    unsigned                  refused:1;      /* the store has none for it */
    unsigned                  silent:1;       /* it is being fed */
    unsigned                  changed:1;      /* next_params are set */
    unsigned                  joining:1;      /* it waits for a cut */
    unsigned                  missed:1;       /* its key frame came too late */
    unsigned                  away:1;         /* nothing came of it for long */
} ngx_media_writer_track_t;


/* of a track, which may not have come */

typedef struct {
    ngx_uint_t                type;
    ngx_uint_t                id;             /* the publisher's number */
    ngx_media_attributes_t    attributes;
} ngx_media_writer_described_t;


struct ngx_media_writer_s {
    ngx_queue_t               queue;          /* of app->publishers */
    void                    (*close)(void *data, const char *reason);
    void                     *data;
    ngx_media_app_t          *app;
    ngx_media_claim_t         claim;
    ngx_log_t                *log;
    ngx_log_t                 own_log;        /* when that has gone */
    size_t                    name_len;       /* of the stream, likewise */
    u_char                    name[NGX_MEDIA_NAME_MAX];
    ngx_event_t               trail;          /* what is late is over */
    const char               *left;           /* why its publisher has gone, */
    ngx_msec_t                left_msec;      /* and when; NULL: it has not */
    ngx_queue_t               derived;        /* ngx_media_derived_t */
    ngx_media_announce_t      announce;
    ngx_media_events_t        events;
    uint32_t                  target;         /* of parts, 1/10000 s */

    ngx_uint_t                ntracks;
    ngx_media_writer_track_t *tracks[NGX_MEDIA_TIMELINE_LINES];
    ngx_media_writer_track_t *clock;

    ngx_uint_t                ndescribed;
    ngx_media_writer_described_t
                             *described;      /* NGX_MEDIA_TRACKS; NULL: none
                                                 ever was */

    ngx_uint_t                ncuts;
    ngx_media_cut_t           cuts[NGX_MEDIA_CUTS];
    ngx_media_cut_t           cut;            /* the newest */

    ngx_msec_t                told_msec;      /* since then so many lines, */
    ngx_uint_t                told;
    ngx_uint_t                untold;         /* and those that were not */

    uint64_t                  jumps;          /* of stamps */
    int64_t                   anchor;
    int64_t                   began;          /* first frame out, ms of media
                                                 time; 0: none yet */
    ngx_msec_t                since;          /* when that came */
    ngx_msec_t                arrived;        /* when the last frame came */
    int64_t                   late_key;       /* pts of the last one before a
                                                 forced cut */
    ngx_media_timeline_t      timeline;
    ngx_media_segmenter_t     segmenter;

    unsigned                  useless:2;      /* bits 1 << type: what comes of
                                                 its track 0 is refused */
    unsigned                  announced:1;
    unsigned                  ready:1;
    unsigned                  lost:1;         /* the claim */
    unsigned                  leaving:1;      /* the publisher has gone */
    unsigned                  resting:1;      /* nothing comes */
    unsigned                  gone:1;         /* a derived track has: others are
                                                 listed without it from the next
                                                 cut on */
    unsigned                  due:1;          /* a key frame after a held
                                                 picture: cut */
    unsigned                  late:1;         /* warned of forced cuts */
    unsigned                  parts_off:1;    /* key frames are too far apart
                                                 for them */
    unsigned                  nomem:1;        /* warned of no memory, */
    unsigned                  data_full:1;    /* of timed data that is lost */
    uint32_t                  data_said;      /* bits of kinds: said that no
                                                 part carries them */
};


/* ngx_media_writer.c */

/* the newest cut, as this track counts */
int64_t ngx_media_writer_start(const ngx_media_writer_t *w,
    const ngx_media_writer_track_t *t);

/*
 * The number of the newest cut that is not after this frame, else of the
 * oldest: where pictures are reordered, as it is shown
 */
uint64_t ngx_media_writer_cut_of(const ngx_media_writer_t *w,
    const ngx_media_writer_track_t *t, const ngx_media_time_t *time);

/* the period ends: all that is open is closed */
void ngx_media_writer_break(ngx_media_writer_t *w);

/* a new segment in all tracks, from this time of this track on */
void ngx_media_writer_cut(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    int64_t time, ngx_uint_t forced, ngx_uint_t discontinuity);


/* for debugging: why a frame that came does not go out */
#define ngx_media_writer_dropped(w, t, why)                                   \
    ngx_log_debug2(NGX_LOG_DEBUG_CORE, (w)->log, 0,                           \
                   "media frame of track %ui is dropped: %s",                 \
                   (t)->packer.index, why)


/* ngx_media_writer_track.c */

/* NULL: it has not come */
ngx_media_writer_track_t *ngx_media_writer_track_get(ngx_media_writer_t *w,
    ngx_media_type_e type, ngx_uint_t id);

ngx_int_t ngx_media_writer_track_add(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_media_writer_track_t **track);

/*
 * The parameters that were announced hold from here on.  Nothing of the track
 * is open.  NGX_ABORT: it is refused, and takes part in nothing any more.
 */
ngx_int_t ngx_media_writer_apply(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);

/* playlists are out: clients cannot take it in before a cut */
void ngx_media_writer_join(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);

/* an audio frame of so many samples, in units of a track's timescale */
uint32_t ngx_media_writer_frame_samples(uint32_t samples,
    uint32_t rate, uint32_t timescale);

/*
 * Whether a line may be written of what its stamps and configurations do: some
 * encoders change them with each frame
 */
ngx_uint_t ngx_media_writer_tells(ngx_media_writer_t *w);


/* ngx_media_writer_describe.c: what was said of it goes into the store */
void ngx_media_writer_attributes(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
/* why the store has no track for it; rc is NGX_MEDIA_TRACK_* */
const char *ngx_media_writer_refusal(ngx_int_t rc);


/* ngx_media_writer_leave.c: at once, with all that is derived */
void ngx_media_writer_destroy(ngx_media_writer_t *w, const char *reason);


/* ngx_media_writer_ready.c */

/*
 * Gives the playlists out, if that can be; asked after each frame until then.
 * now: ms of media time.  tick: once a second, also when nothing comes.
 */
void ngx_media_writer_ready(ngx_media_writer_t *w, int64_t now);
void ngx_media_writer_tick(ngx_media_writer_t *w);

/* what comes of the track is accepted: it is waited for again */
void ngx_media_writer_useful(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);

/* whether a segment of the track is complete, whoever published that */
ngx_uint_t ngx_media_writer_whole(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);


/* ngx_media_writer_part.c */

/* goes over to the segment that this frame belongs to */
void ngx_media_writer_follow(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);

ngx_int_t ngx_media_writer_append(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_time_t *time,
    const ngx_media_writer_frame_t *frame);

/* closes the open part; why is for debugging */
void ngx_media_writer_flush(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const char *why);
void ngx_media_writer_close(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
void ngx_media_writer_bandwidth(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);

/* of a part that is about to be put: what the packer does not know */
void ngx_media_writer_put(void *data, ngx_media_part_put_t *put);

/*
 * Where the next part of a track will probably go, that is in segment number
 * and at this time now: for the hint
 */
void ngx_media_writer_expect(ngx_media_writer_t *w, uint64_t number,
    ngx_uint_t clock, int64_t next, uint32_t timescale,
    ngx_media_part_put_t *put);


/* ngx_media_writer_event.c: of its packers, see ngx_media_packer_event.h */

/* before the parameters of any track change; t is the clock, from time on */
void ngx_media_writer_event_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t time);
/* the last one */
void ngx_media_writer_event_end(ngx_media_writer_t *w, const char *reason);


#endif /* _NGX_MEDIA_WRITER_STATE_H_INCLUDED_ */
