
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Live ladders: a job is what is made of one publisher's tracks.  It belongs to
 * the worker that has the publisher, and ends with it.
 *
 *     source frame -> coded queue -> decoder -> picture -> each rung's queue
 *         -> scaler, encoder -> packet -> derived track
 *
 * Each arrow into the decoder, an encoder or a converter of audio is a strand's
 * step, in a thread; all else is in the event loop.  The source is written
 * first, and never waits.
 *
 * style: long header, it is one state and what its files share.
 */


#ifndef _NGX_MEDIA_TRANSCODE_JOB_H_INCLUDED_
#define _NGX_MEDIA_TRANSCODE_JOB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "av/ngx_media_av_audio.h"
#include "av/ngx_media_av_decode.h"
#include "av/ngx_media_av_encode.h"
#include "av/ngx_media_av_filter.h"
#include "av/ngx_media_av_scale.h"
#include "core/ngx_media_derive.h"
#include "core/ngx_media_event.h"
#include "transcode/ngx_media_ladder.h"
#include "transcode/ngx_media_strand.h"
#include "transcode/ngx_media_transcode_step.h"
#include "transcode/ngx_media_transcode_table.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

/* frames whose pictures have not come yet, and cuts among them */
#define NGX_MEDIA_JOB_STAMPS     64
#define NGX_MEDIA_JOB_CUTS       8

/* ms that a job may be behind because its encoders are being opened, and bytes
   that wait for it then */
#define NGX_MEDIA_JOB_BEGINS     5000
#define NGX_MEDIA_JOB_BYTES      (16 * 1024 * 1024)

/* errors of a decoder in a row, after which it is opened anew */
#define NGX_MEDIA_JOB_ERRORS     50

/* restarts of a rung within so many ms, after which it is dead */
#define NGX_MEDIA_JOB_RESTARTS   3
#define NGX_MEDIA_JOB_RESTARTED  60000

/* ms between two keys of a rung where only the source asks for them */
#define NGX_MEDIA_JOB_KEYS       500

/* ticks of a second that a step runs, and it is not believed to return */
#define NGX_MEDIA_JOB_STUCK      10

#define NGX_MEDIA_JOB_AUDIOS     NGX_MEDIA_LADDER_AUDIOS


typedef struct ngx_media_job_s        ngx_media_job_t;
typedef struct ngx_media_job_video_s  ngx_media_job_video_t;
typedef struct ngx_media_job_rung_s   ngx_media_job_rung_t;
typedef struct ngx_media_job_audio_s  ngx_media_job_audio_t;


/* a frame of the source, or what is between two; malloc() */

typedef enum {
    NGX_MEDIA_JOB_FRAME = 0,
    NGX_MEDIA_JOB_PERIOD,                     /* what comes is of another one */
    NGX_MEDIA_JOB_PAUSE,                      /* frames behind it are missing */
    NGX_MEDIA_JOB_END                         /* nothing comes */
} ngx_media_job_kind_e;

typedef struct {
    ngx_queue_t               queue;
    ngx_media_job_kind_e      kind;
    ngx_media_params_t       *params;         /* PERIOD: of what comes */
    int64_t                   pts;            /* in the source's timescale */
    int64_t                   arrival;        /* ms of ngx_current_msec */
    uint32_t                  duration;
    uint32_t                  reorder;
    size_t                    len;
    unsigned                  key:1;
    unsigned                  first:1;        /* its segment begins */
    unsigned                  settled:1;
    unsigned                  reset:1;        /* frames before it are missing */
    unsigned                  lost:1;         /* so is it */
    u_char                    data[];
} ngx_media_job_coded_t;

typedef struct {
    ngx_queue_t               queue;          /* ngx_media_job_coded_t */
    size_t                    bytes;          /* with what they are kept in */
    ngx_uint_t                n;
} ngx_media_job_input_t;


/* what is known of a picture beside itself */

typedef struct {
    int64_t                   pts;
    int64_t                   arrival;
    uint32_t                  duration;
    unsigned                  key:1;          /* the source's is a key frame */
    unsigned                  cut:1;          /* a segment begins with it, */
    unsigned                  anew:1;         /* or a period does */
    unsigned                  settled:1;
} ngx_media_job_stamp_t;


/*
 * A picture of the source, for all rungs, counted; each is scaled from the
 * next larger one's, if that is not more than twice as large, and once.
 */

typedef struct {
    ngx_queue_t               queue;          /* until it is handed over */
    ngx_media_job_video_t    *video;
    ngx_atomic_t              refs;
    ngx_uint_t                wanted;         /* bits: rungs that took it */
    ngx_media_job_stamp_t     stamp;
    ngx_uint_t                wide;           /* of PQ, or HLG */
    ngx_media_ladder_shape_t  shapes[NGX_MEDIA_LADDER_RUNGS];
    ngx_media_av_frame_t     *frame;
    ngx_media_av_frame_t     *scaled[NGX_MEDIA_LADDER_RUNGS];
                                              /* video->scale_lock */
} ngx_media_job_picture_t;


/* a frame of a rung, or of converted audio; malloc() */

typedef struct {
    ngx_queue_t               queue;
    ngx_media_params_t       *params;         /* of it and what follows; NULL:
                                                 as before */
    int64_t                   pts;
    int64_t                   dts;
    int64_t                   arrival;
    uint32_t                  duration;
    size_t                    len;
    unsigned                  key:1;
    unsigned                  settled:1;
    u_char                    data[];
} ngx_media_job_packet_t;


struct ngx_media_job_rung_s {
    ngx_media_job_video_t    *video;
    ngx_uint_t                index;          /* of the ladder */
    const ngx_media_ladder_rung_t
                             *conf;
    ngx_media_strand_t        strand;

    /* event loop */
    ngx_media_derived_t      *derived;        /* NULL: it has no track */
    ngx_media_params_t       *params;         /* of the track */
    ngx_media_step_t         *step;
    ngx_msec_t                restarted[NGX_MEDIA_JOB_RESTARTS];
    ngx_uint_t                nrestarted;
    ngx_msec_t                died;
    uint64_t                  cpu;            /* of its steps, as last seen */
    uint64_t                  encoded;        /* pictures */
    uint64_t                  skipped;        /* not given to it, replaced */
    uint64_t                  restarts;
    int64_t                   lag;            /* ms, of the last one */
    int64_t                   lag_max;
    uint64_t                  steps;          /* at the last tick, */
    uint64_t                  wall;           /* and ns of these */
    ngx_uint_t                busy_ticks;     /* in a row: each picture takes
                                                 nearly as long as it lasts */
    ngx_uint_t                stuck;          /* ticks that its step runs */
    const ngx_media_av_kind_t
                             *chosen;         /* its encoder, as last seen */
    ngx_queue_t               out;            /* ngx_media_job_packet_t */
    unsigned                  used:1;         /* this source has it */
    unsigned                  busy:1;         /* it is ready, or runs */
    unsigned                  opening:1;      /* nothing of the period came */
    unsigned                  dead:1;         /* until the next period, */
    unsigned                  retry:1;        /* or for a minute */
    unsigned                  hung:1;         /* its thread is lost */
    unsigned                  done:1;         /* the source has ended, and all
                                                 of it has come */

    /* video->lock */
    ngx_media_step_queue_t    pictures;
    unsigned                  anew:1;         /* one that was is lost */
    unsigned                  shed:1;         /* pictures were left out since
                                                 the last cut */
    unsigned                  end:1;          /* no more will come */
    unsigned                  closing:1;

    /* video->scale_lock */
    ngx_media_av_scaler_t    *scaler;
    ngx_media_ladder_shape_t  scaled;         /* what that makes, */
    ngx_uint_t                depth;          /* and of so many bits */

    /* its strand's */
    ngx_media_av_encoder_t   *encoder;
    const ngx_media_av_kind_t
                             *kind;           /* of it; NULL: none is chosen */
    ngx_media_job_stamp_t     stamps[NGX_MEDIA_JOB_STAMPS];
    ngx_uint_t                nstamps;        /* in the encoder */
    int64_t                   last_key;
    int64_t                   shift;          /* of dts: with B-frames the first
                                                 one is decoded before it is
                                                 shown */
    uint32_t                  ticks;          /* that pictures last, as its
                                                 encoder is told, */
    uint32_t                  lasts;          /* and as it was found; 0 */
    int64_t                   cut;            /* pts of the last cut */
    ngx_uint_t                since;          /* pictures since then */
    unsigned                  described:1;    /* its parameters went out */
    unsigned                  waiting:1;      /* for a cut, after an error */

    /* its strand's while a step runs, else the event loop's */
    ngx_queue_t               packets;        /* ngx_media_job_packet_t */
    unsigned                  failed:1;       /* it begins again at a cut, */
    unsigned                  useless:1;      /* or does not begin at all, */
    unsigned                  unfit:1;        /* because of what comes */
    unsigned                  ended:1;        /* all has come out of it */
    unsigned                  closed:1;
    u_char                    error[NGX_MEDIA_AV_ERROR];
};


struct ngx_media_job_video_s {
    ngx_media_job_t          *job;
    ngx_media_derived_t      *tee;            /* NULL: its source has gone */
    ngx_uint_t                source;         /* of the writer */
    ngx_media_strand_t        strand;
    ngx_thread_mutex_t        lock;
    ngx_thread_mutex_t        scale_lock;

    /* event loop; rungs are those of the ladder */
    ngx_uint_t                nrungs;
    ngx_media_job_rung_t      rungs[NGX_MEDIA_LADDER_RUNGS];
    ngx_media_step_t          steps[NGX_MEDIA_LADDER_RUNGS];
    ngx_media_step_job_t      overload;
    ngx_uint_t                running;        /* strands that are not stopped */
    ngx_msec_t                since;          /* it begins, or a period does */
    unsigned                  busy:1;
    unsigned                  skip:1;         /* it is behind: what no other
                                                 frame needs is not decoded */
    unsigned                  begins:1;       /* encoders are being opened: it
                                                 waits for them */
    unsigned                  dropping:1;     /* frames, until a key frame */
    unsigned                  resumes:1;      /* frames before it are missing */
    unsigned                  unknown:1;      /* there was no memory for what
                                                 the period's frames are */
    unsigned                  ending:1;       /* no frame will come */
    unsigned                  said:1;         /* why it cannot decode */
    unsigned                  told:1;         /* rungs were, of the end */
    unsigned                  warned:1;       /* that it was opened anew */
    uint64_t                  frames;         /* that came */
    uint64_t                  skipped;        /* frames that were dropped */
    uint64_t                  undecoded;      /* errors, as last seen */
    ngx_queue_t               out;            /* ngx_media_job_picture_t */

    /* lock */
    ngx_media_job_input_t     coded;
    unsigned                  closing:1;

    /* its strand's */
    ngx_media_params_t       *params;
    ngx_media_av_decoder_t   *decoder;
    ngx_media_av_filter_t    *filter;         /* NULL: pictures need none */
    ngx_media_job_stamp_t     stamps[NGX_MEDIA_JOB_STAMPS];
    ngx_uint_t                nstamps;
    int64_t                   cuts[NGX_MEDIA_JOB_CUTS];
    ngx_uint_t                ncuts;
    int64_t                   arrival;        /* of the last frame */
    ngx_media_job_stamp_t     last;           /* of the last picture */
    ngx_media_ladder_shape_t  shapes[NGX_MEDIA_LADDER_RUNGS];
    unsigned                  anew:1;         /* the next picture is */

    /* its strand's while a step runs, else the event loop's */
    ngx_queue_t               pictures;       /* ngx_media_job_picture_t */
    ngx_uint_t                errors;         /* frames that were not decoded */
    unsigned                  reopened:1;     /* too many in a row were not */
    unsigned                  failed:1;       /* there is no decoder for it */
    unsigned                  ended:1;        /* all has come out of it */
    unsigned                  closed:1;
    u_char                    error[NGX_MEDIA_AV_ERROR];
};


struct ngx_media_job_audio_s {
    ngx_media_job_t          *job;
    ngx_uint_t                index;          /* of the job's */
    const ngx_media_ladder_audio_t
                             *conf;
    ngx_media_derived_t      *tee;
    ngx_media_derived_t      *derived;
    ngx_uint_t                source;
    uint32_t                  id;             /* the publisher's number */
    ngx_media_strand_t        strand;
    ngx_thread_mutex_t        lock;

    /* event loop */
    unsigned                  busy:1;
    unsigned                  off:1;          /* the source has its codec, or
                                                 nobody asks for it */
    unsigned                  offered:1;      /* it is made when asked for */
    unsigned                  said:1;
    uint64_t                  dropped;        /* frames that were too many */
    uint64_t                  undone;         /* errors, as last seen */

    /* lock */
    ngx_media_job_input_t     coded;
    unsigned                  closing:1;

    /* its strand's */
    ngx_media_params_t       *params;
    ngx_media_av_audio_t     *converter;
    int64_t                   arrival;        /* of what was sent last */
    unsigned                  useless:1;      /* until the next period */
    unsigned                  described:1;

    /* its strand's while a step runs, else the event loop's */
    ngx_queue_t               packets;
    ngx_uint_t                errors;
    unsigned                  failed:1;
    unsigned                  ended:1;
    unsigned                  closed:1;
    u_char                    error[NGX_MEDIA_AV_ERROR];
};


struct ngx_media_job_s {
    ngx_queue_t               queue;          /* of this process */
    ngx_media_app_t          *app;
    ngx_str_t                 name;           /* of the stream; its own */
    ngx_media_writer_t       *writer;         /* good while a tee is there */
    const ngx_media_ladder_t *ladder;
    ngx_thread_pool_t        *pool;
    ngx_log_t                *log;            /* the cycle's */
    ngx_uint_t                refs;           /* its publisher, its parts */
    ngx_media_job_video_t    *video;
    ngx_media_job_audio_t    *audios[NGX_MEDIA_JOB_AUDIOS];
    uint64_t                  bandwidth;      /* as announced, bit/s; 0 */
    uint64_t                  cost;           /* admitted, 1/1000 of a core */
    uint64_t                  cpu;            /* ns, of all its steps so far */
    uint64_t                  used;           /* 1/1000 of a core, of late */
    uint64_t                  machine;        /* likewise, of all jobs */
    uint64_t                  audio_errors;   /* of audios that have gone */
    ngx_media_table_shm_t    *table;
    ngx_media_table_job_t    *record;         /* NULL: there was no room */
    ngx_msec_t                ticked;
    unsigned                  refused:1;      /* the machine has no room */
    unsigned                  banned:1;       /* it killed workers */
};


extern ngx_module_t  ngx_media_transcode_module;


/* "APP/NAME: WHAT", as other lines about streams */
#define ngx_media_job_log(level, job, fmt, ...)                               \
    ngx_log_error(level, (job)->log, 0, "%V/%V: ladder \"%V\" " fmt,          \
                  &(job)->app->name, &(job)->name, &(job)->ladder->name,      \
                  ##__VA_ARGS__)


/* ngx_media_transcode_job.c */

/* of the publisher that ev is about; NULL: no memory */
ngx_media_job_t *ngx_media_job_create(const ngx_media_event_t *ev,
    const ngx_media_ladder_t *ladder, ngx_thread_pool_t *pool);

/* a track of it comes, or has other parameters: what can be made of it is */
void ngx_media_job_track(ngx_media_job_t *job, const ngx_media_event_t *ev);

/* once a second; what it used of a core, in thousandths */
uint64_t ngx_media_job_tick(ngx_media_job_t *job);

/* what all jobs of the machine use, and are estimated to */
void ngx_media_job_load(ngx_cycle_t *cycle, uint64_t *cost, uint64_t *used);

/* one reference less */
void ngx_media_job_release(ngx_media_job_t *job);

/* the i-th of this process, NULL after the last */
ngx_media_job_t *ngx_media_job_entry(ngx_uint_t i);


/* ngx_media_transcode_input.c */

void ngx_media_job_input_init(ngx_media_job_input_t *input);
void ngx_media_job_input_free(ngx_media_job_input_t *input);

/* of a frame, or of a period with these parameters; NULL: no memory */
ngx_media_job_coded_t *ngx_media_job_coded(const ngx_media_source_frame_t *f,
    ngx_media_job_kind_e kind, const ngx_media_params_t *params);
void ngx_media_job_coded_free(ngx_media_job_coded_t *coded);
void ngx_media_job_coded_put(ngx_media_job_input_t *input,
    ngx_media_job_coded_t *coded);
/* the oldest, which stays there; NULL: there is none */
ngx_media_job_coded_t *ngx_media_job_coded_first(
    const ngx_media_job_input_t *input);
ngx_media_job_coded_t *ngx_media_job_coded_take(ngx_media_job_input_t *input);

/*
 * It is too far behind.  Key frames remain that begin a segment, and the newest
 * one; of other frames that begin one only that they do; of these the oldest
 * go, too, while it has more than NGX_MEDIA_STEP_BYTES.  How many were dropped.
 * missing: frames before it are, and, out, behind it, before the next one.
 */
ngx_uint_t ngx_media_job_input_drop(ngx_media_job_input_t *input,
    ngx_uint_t *missing);

/* a copy, malloc(); NULL: no memory */
ngx_media_params_t *ngx_media_job_params(const ngx_media_params_t *params);


/* ngx_media_transcode_job.c */

ngx_media_job_packet_t *ngx_media_job_packet(const u_char *pos,
    const u_char *last);
void ngx_media_job_packet_free(ngx_media_job_packet_t *packet);
void ngx_media_job_packets_free(ngx_queue_t *packets);

ngx_uint_t ngx_media_job_params_same(const ngx_media_params_t *a,
    const ngx_media_params_t *b);


/* ngx_media_transcode_video.c */

/* NGX_OK, NGX_DECLINED: nothing can be made of it (logged), NGX_ERROR */
ngx_int_t ngx_media_job_video_create(ngx_media_job_t *job, ngx_uint_t source,
    const ngx_media_params_t *params);

/* the decoder goes on, if it may */
void ngx_media_job_video_go(ngx_media_job_video_t *v);

/* a rung has ended: with the last one all has */
void ngx_media_job_video_ended(ngx_media_job_video_t *v);

/* it is asked whether rungs have to shed, or may have more */
void ngx_media_job_video_decide(ngx_media_job_video_t *v);

/* ms that the oldest frame has waited for the decoder; 0: none does */
int64_t ngx_media_job_video_behind(ngx_media_job_video_t *v);

/* ns of CPU that its strands took */
uint64_t ngx_media_job_video_cpu(ngx_media_job_video_t *v);

/* how many tracks are to come of it has changed */
void ngx_media_job_video_expect(ngx_media_job_video_t *v);

/* once a second */
void ngx_media_job_video_tick(ngx_media_job_video_t *v);

/* a strand of it has been stopped: with the last one it has gone */
void ngx_media_job_video_stopped(void *data);


/* within a step: it has another picture, which it takes over */
void ngx_media_job_video_picture(ngx_media_job_video_t *v,
    ngx_media_av_frame_t *frame);


/* ngx_media_transcode_filter.c: within a step */

/* a picture of the decoder, taken over */
void ngx_media_job_filter(ngx_media_job_video_t *v,
    ngx_media_av_frame_t *frame);

/* what is held back comes, nothing goes on from here */
void ngx_media_job_filter_drain(ngx_media_job_video_t *v);


/* ngx_media_transcode_picture.c */

/* with one reference; takes the frame over, also if there is no memory */
ngx_media_job_picture_t *ngx_media_job_picture(ngx_media_job_video_t *v,
    ngx_media_av_frame_t *frame);
void ngx_media_job_picture_release(ngx_media_job_picture_t *picture);

/* bits that a rung's pictures have of a source's like this; 0: it has none */
ngx_uint_t ngx_media_job_picture_depth(const ngx_media_job_picture_t *picture,
    const ngx_media_job_rung_t *rung);

/* as the rung has it, a reference; NULL: error says why */
ngx_media_av_frame_t *ngx_media_job_picture_scale(
    ngx_media_job_picture_t *picture, ngx_media_job_rung_t *rung,
    u_char *error);


/* ngx_media_transcode_rung.c */

ngx_int_t ngx_media_job_rung_init(ngx_media_job_video_t *v,
    ngx_uint_t index);

/* it has another picture, of which it takes a reference; NULL: the last was */
void ngx_media_job_rung_put(ngx_media_job_rung_t *rung,
    ngx_media_job_picture_t *picture);

/* does it want this one?  Asked once of each, before the first has it */
ngx_uint_t ngx_media_job_rung_wants(ngx_media_job_rung_t *rung,
    const ngx_media_job_picture_t *picture);

/* its queue is full: one more picture would replace another */
ngx_uint_t ngx_media_job_rung_full(ngx_media_job_rung_t *rung);

/* once a second; what others may know of it */
void ngx_media_job_rung_tick(ngx_media_job_rung_t *rung);
void ngx_media_job_rung_tell(ngx_media_job_rung_t *rung,
    ngx_media_table_rung_t *stat);

/* its source has gone: it closes what it has, and stops */
void ngx_media_job_rung_close(ngx_media_job_rung_t *rung);


/* ngx_media_transcode_audio.c */

/* a track of audio comes: others are made of it, if they are wanted */
void ngx_media_job_audios(ngx_media_job_t *job,
    const ngx_media_event_track_t *what, ngx_uint_t source);

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */


#endif /* _NGX_MEDIA_TRANSCODE_JOB_H_INCLUDED_ */
