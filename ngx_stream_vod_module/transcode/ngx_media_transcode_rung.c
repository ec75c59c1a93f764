
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Rungs of a live ladder: pictures are scaled, encoded, and become frames of a
 * derived track.  Key frames are where the source's segments begin, forced ones
 * too, where the source has some, and nowhere else.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

/* of what an encoder makes at most: max 1.15 times, and core adds a tenth */
#define ngx_media_job_bandwidth(bitrate)  ((bitrate) * 23 / 22)

/* ms after which an encoder that could not be opened is tried again */
#define NGX_MEDIA_JOB_RETRY      60000

/* s that each picture takes nearly as long as it lasts */
#define NGX_MEDIA_JOB_BUSY       5

/* pictures of a segment that say how long they last, and a tenth that this may
   be off */
#define NGX_MEDIA_JOB_RATE_PICTURES  8
#define NGX_MEDIA_JOB_RATE_OFF       10

/* times that they may be longer, or shorter, than was told: a source that stood
   still may move at any time */
#define NGX_MEDIA_JOB_RATE_LONG      4
#define NGX_MEDIA_JOB_RATE_SHORT     16

/* fps of a source that does not say */
#define NGX_MEDIA_JOB_FPS        30


static void ngx_media_job_rung_go(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_step(void *data);
static void ngx_media_job_rung_work(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_rate(ngx_media_job_rung_t *rung,
    const ngx_media_job_picture_t *picture, ngx_uint_t shed);
static void ngx_media_job_rung_picture(ngx_media_job_rung_t *rung,
    ngx_media_job_picture_t *picture, ngx_uint_t anew);
static ngx_int_t ngx_media_job_rung_open(ngx_media_job_rung_t *rung,
    const ngx_media_job_picture_t *picture, const ngx_media_av_frame_t *frame);
static uint32_t ngx_media_job_rung_ticks(const ngx_media_job_rung_t *rung,
    const ngx_media_job_stamp_t *stamp, const ngx_media_ladder_shape_t *shape);
static ngx_int_t ngx_media_job_rung_choose(ngx_media_job_rung_t *rung,
    ngx_media_av_encoder_conf_t *conf);
static void ngx_media_job_rung_encode(ngx_media_job_rung_t *rung,
    const ngx_media_job_stamp_t *stamp, const ngx_media_av_frame_t *frame);
static ngx_int_t ngx_media_job_rung_packets(ngx_media_job_rung_t *rung);
static ngx_int_t ngx_media_job_rung_packet(ngx_media_job_rung_t *rung,
    const ngx_media_av_packet_t *out);
static void ngx_media_job_rung_drain(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_fail(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_done(void *data);
static void ngx_media_job_rung_out(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_publish(ngx_media_job_rung_t *rung);
static ngx_uint_t ngx_media_job_rung_turn(const ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_frame(ngx_media_job_rung_t *rung,
    const ngx_media_job_packet_t *packet);
static ngx_int_t ngx_media_job_rung_params(ngx_media_job_rung_t *rung,
    ngx_media_job_packet_t *packet);
static ngx_int_t ngx_media_job_rung_derive(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_restart(ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_die(ngx_media_job_rung_t *rung,
    ngx_uint_t retry);
static void ngx_media_job_rung_watch(ngx_media_job_rung_t *rung);
static ngx_uint_t ngx_media_job_rung_device(const ngx_media_job_rung_t *rung);
static void ngx_media_job_rung_gone(void *data, const char *reason);
static void ngx_media_job_rung_exit(void *data);


/* of this process */
static ngx_media_av_known_t  ngx_media_job_known;


ngx_int_t
ngx_media_job_rung_init(ngx_media_job_video_t *v, ngx_uint_t index)
{
    ngx_media_job_rung_t  *rung;

    rung = &v->rungs[index];

    rung->video = v;
    rung->index = index;
    rung->conf = &v->job->ladder->rungs[index];
    rung->step = &v->steps[index];
    rung->step->half = rung->conf->half;

    ngx_queue_init(&rung->packets);
    ngx_queue_init(&rung->out);

    rung->strand.step = ngx_media_job_rung_step;
    rung->strand.done = ngx_media_job_rung_done;
    rung->strand.exit = ngx_media_job_rung_exit;
    rung->strand.data = rung;

    if (ngx_media_strand_init(&rung->strand, v->job->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    rung->used = 1;
    rung->opening = 1;
    v->running++;

    return NGX_OK;
}


ngx_uint_t
ngx_media_job_rung_wants(ngx_media_job_rung_t *rung,
    const ngx_media_job_picture_t *picture)
{
    const ngx_media_job_stamp_t  *stamp;

    stamp = &picture->stamp;

    if (!rung->used || rung->hung || rung->end) {
        return 0;
    }

    if (stamp->anew) {
        rung->dead = 0;
        rung->opening = 1;
    }

    if (rung->dead
        || !ngx_media_step_takes(rung->step, stamp->pts, stamp->duration,
                                 stamp->cut))
    {
        rung->skipped += !rung->conf->half || rung->dead;
        return 0;
    }

    return 1;
}


void
ngx_media_job_rung_put(ngx_media_job_rung_t *rung,
    ngx_media_job_picture_t *picture)
{
    ngx_media_job_video_t    *v;
    ngx_media_job_picture_t  *old;

    v = rung->video;
    old = NULL;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    if (picture) {
        (void) ngx_atomic_fetch_add(&picture->refs, 1);
        old = ngx_media_step_put(&rung->pictures, picture, picture->stamp.cut);

        rung->shed |= old || rung->step->step != NGX_MEDIA_STEP_ALL;

        if (old) {
            rung->anew |= old->stamp.anew;
        }

    } else {
        rung->end = 1;
    }

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    if (old) {
        rung->skipped++;
        ngx_media_step_replaced(rung->step, ngx_current_msec);
        ngx_media_job_picture_release(old);
    }

    ngx_media_job_rung_go(rung);
}


ngx_uint_t
ngx_media_job_rung_full(ngx_media_job_rung_t *rung)
{
    ngx_uint_t              n;
    ngx_media_job_video_t  *v;

    v = rung->video;

    if (!rung->used || rung->dead) {
        return 0;
    }

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);
    n = rung->pictures.n;
    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    return n >= NGX_MEDIA_STEP_QUEUE;
}


/* one step is asked for at a time: what there is to do is known then */

static void
ngx_media_job_rung_go(ngx_media_job_rung_t *rung)
{
    int64_t                   deadline;
    ngx_uint_t                n;
    ngx_media_job_video_t    *v;
    ngx_media_job_picture_t  *picture;

    v = rung->video;

    if (rung->busy) {
        return;
    }

    deadline = NGX_MEDIA_STRAND_LAST;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    n = rung->pictures.n;

    if (n) {
        picture = rung->pictures.slots[0].picture;
        deadline = picture->stamp.arrival + (int64_t) v->overload.latency;

    } else if (rung->end && !rung->done) {
        deadline = ngx_current_msec;
        n = 1;
    }

    n |= rung->closing;

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    if (n) {
        rung->busy = 1;
        ngx_media_strand_ready(&rung->strand, deadline);
    }
}


/* in a thread */

static void
ngx_media_job_rung_step(void *data)
{
    ngx_media_job_rung_t *rung = data;

    ngx_media_job_t  *job;

    job = rung->video->job;

    ngx_media_table_enter(job->table, job->record);

    ngx_media_job_rung_work(rung);

    ngx_media_table_leave(job->table, job->record);
}


static void
ngx_media_job_rung_work(ngx_media_job_rung_t *rung)
{
    ngx_uint_t                anew, closing, cut, end, shed;
    ngx_media_job_video_t    *v;
    ngx_media_job_picture_t  *picture;

    v = rung->video;
    picture = NULL;

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    closing = rung->closing;

    if (!closing) {
        picture = ngx_media_step_take(&rung->pictures, &cut);
    }

    anew = rung->anew;
    shed = rung->shed;
    end = rung->end;

    if (picture) {
        rung->anew = 0;
        rung->shed = cut ? 0 : shed;
    }

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    if (closing) {
        if (rung->encoder) {
            ngx_media_av_encoder_close(rung->encoder);
            rung->encoder = NULL;
        }

        rung->closed = 1;
        return;
    }

    if (picture) {
        ngx_media_job_rung_rate(rung, picture, shed);
        ngx_media_job_rung_picture(rung, picture, anew | picture->stamp.anew);
        ngx_media_job_picture_release(picture);
        return;
    }

    if (end) {
        ngx_media_job_rung_drain(rung);
        rung->ended = 1;
    }
}


/*
 * Rate control counts pictures: where they last longer or shorter than it was
 * told, it has more bits, or less, from the begin of a segment on.  It is not
 * told otherwise of time, which would be other parameters.
 */

static void
ngx_media_job_rung_rate(ngx_media_job_rung_t *rung,
    const ngx_media_job_picture_t *picture, ngx_uint_t shed)
{
    int64_t                       before, lasts;
    const ngx_media_job_stamp_t  *stamp;

    stamp = &picture->stamp;

    if (!stamp->cut) {
        rung->since++;
        return;
    }

    before = rung->lasts ? rung->lasts : rung->ticks;
    lasts = rung->since >= NGX_MEDIA_JOB_RATE_PICTURES
            ? (stamp->pts - rung->cut) / (int64_t) rung->since : before;

    lasts = ngx_min(lasts, (int64_t) rung->ticks * NGX_MEDIA_JOB_RATE_LONG);
    lasts = ngx_max(lasts, rung->ticks / NGX_MEDIA_JOB_RATE_SHORT + 1);

    if (rung->encoder && !shed && !stamp->anew
        && stamp->pts - rung->cut >= NGX_MEDIA_VIDEO_TIMESCALE
        && ngx_abs(lasts - before) * NGX_MEDIA_JOB_RATE_OFF > before)
    {
        ngx_media_job_rung_drain(rung);
        rung->lasts = (uint32_t) lasts;
    }

    rung->cut = stamp->pts;
    rung->since = 1;
}


static void
ngx_media_job_rung_picture(ngx_media_job_rung_t *rung,
    ngx_media_job_picture_t *picture, ngx_uint_t anew)
{
    ngx_media_av_frame_t         *frame;
    const ngx_media_job_stamp_t  *stamp;

    stamp = &picture->stamp;

    if (anew) {
        ngx_media_job_rung_drain(rung);
        rung->ticks = 0;
        rung->lasts = 0;
        rung->waiting = 0;
        rung->useless = 0;
        rung->unfit = 0;
    }

    if (rung->useless || (rung->waiting && !stamp->cut)) {
        return;
    }

    rung->waiting = 0;

    if (ngx_media_job_picture_depth(picture, rung) == 0) {
        ngx_snprintf(rung->error, NGX_MEDIA_AV_ERROR,
                     "the source is PQ or HLG, which needs 10 bits, or "
                     "\"tonemap on\"%Z");
        rung->useless = 1;
        rung->unfit = 1;
        return;
    }

    frame = ngx_media_job_picture_scale(picture, rung, rung->error);

    if (frame == NULL) {
        ngx_media_job_rung_fail(rung);
        return;
    }

    if (rung->encoder
        || ngx_media_job_rung_open(rung, picture, frame) == NGX_OK)
    {
        ngx_media_job_rung_encode(rung, stamp, frame);
    }

    ngx_media_av_frame_free(frame);
}


static ngx_int_t
ngx_media_job_rung_open(ngx_media_job_rung_t *rung,
    const ngx_media_job_picture_t *picture, const ngx_media_av_frame_t *frame)
{
    const ngx_media_job_stamp_t     *stamp;
    ngx_media_av_encoder_conf_t      conf;
    const ngx_media_ladder_rung_t   *r;
    const ngx_media_ladder_shape_t  *shape;

    r = rung->conf;
    stamp = &picture->stamp;
    shape = &picture->shapes[rung->index];

    ngx_memzero(&conf, sizeof(ngx_media_av_encoder_conf_t));

    conf.kind = rung->kind;
    conf.width = shape->width;
    conf.height = shape->height;
    conf.bitrate = r->bitrate;
    conf.crf = r->crf;
    conf.preset = r->preset;
    conf.options = r->options;
    conf.bframes = r->bframes;
    conf.lookahead = r->lookahead;
    conf.threads = r->threads;
    conf.bit_depth = ngx_media_job_picture_depth(picture, rung);

    if (rung->ticks == 0) {
        rung->ticks = ngx_media_job_rung_ticks(rung, stamp, shape);
    }

    conf.fps_num = NGX_MEDIA_VIDEO_TIMESCALE;
    conf.fps_den = rung->ticks;

    if (rung->lasts) {
        conf.bitrate = (uint32_t) (r->bitrate * rung->lasts / rung->ticks);
    }

    if (rung->kind == NULL
        && ngx_media_job_rung_choose(rung, &conf) != NGX_OK)
    {
        rung->useless = 1;
        return NGX_DECLINED;
    }

    rung->encoder = ngx_media_av_encoder_open(&conf, frame, rung->error);

    if (rung->encoder == NULL) {
        rung->kind = NULL;
        rung->useless = 1;
        return NGX_DECLINED;
    }

    if (rung->video->job->record
        && ngx_media_av_encoder_has_threads(rung->kind))
    {
        rung->video->job->record->threads = 1;
    }

    rung->described = 0;
    rung->nstamps = 0;
    rung->last_key = INT64_MIN / 2;

    return NGX_OK;
}


/* that one of its pictures will last, as far as that is known */

static uint32_t
ngx_media_job_rung_ticks(const ngx_media_job_rung_t *rung,
    const ngx_media_job_stamp_t *stamp, const ngx_media_ladder_shape_t *shape)
{
    uint64_t  ticks;

    if (stamp->duration) {
        return stamp->duration * (rung->conf->half ? 2 : 1);
    }

    if (shape->fps_num && shape->fps_den) {
        ticks = (uint64_t) NGX_MEDIA_VIDEO_TIMESCALE * shape->fps_den
                / shape->fps_num;

        if (ticks > 0 && ticks < NGX_MEDIA_VIDEO_TIMESCALE * 10) {
            return (uint32_t) ticks;
        }
    }

    return NGX_MEDIA_VIDEO_TIMESCALE / NGX_MEDIA_JOB_FPS
           * (rung->conf->half ? 2 : 1);
}


/* the first that is listed and does what is wanted */

static ngx_int_t
ngx_media_job_rung_choose(ngx_media_job_rung_t *rung,
    ngx_media_av_encoder_conf_t *conf)
{
    if (ngx_media_av_encoder_choose(conf, rung->conf->kinds,
                                    rung->conf->nkinds, &ngx_media_job_known,
                                    rung->error, NULL)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rung->kind = conf->kind;

    return NGX_OK;
}


static void
ngx_media_job_rung_encode(ngx_media_job_rung_t *rung,
    const ngx_media_job_stamp_t *stamp, const ngx_media_av_frame_t *frame)
{
    ngx_int_t   rc;
    ngx_uint_t  key;

    key = stamp->cut
          || (stamp->key && stamp->pts - rung->last_key
                            >= (int64_t) NGX_MEDIA_JOB_KEYS
                               * NGX_MEDIA_VIDEO_TIMESCALE / 1000);

    if (rung->nstamps == NGX_MEDIA_JOB_STAMPS) {
        ngx_snprintf(rung->error, NGX_MEDIA_AV_ERROR,
                     "it holds back too many pictures%Z");
        ngx_media_job_rung_fail(rung);
        return;
    }

    rung->stamps[rung->nstamps++] = *stamp;

    if (key) {
        rung->last_key = stamp->pts;
    }

    rc = ngx_media_av_encoder_send(rung->encoder, frame, key);

    if (rc == NGX_AGAIN && ngx_media_job_rung_packets(rung) == NGX_OK) {
        rc = ngx_media_av_encoder_send(rung->encoder, frame, key);
    }

    if (rung->encoder == NULL) {
        return;
    }

    if (rc != NGX_OK) {
        ngx_cpystrn(rung->error,
                    (u_char *) ngx_media_av_encoder_error(rung->encoder),
                    NGX_MEDIA_AV_ERROR);
        ngx_media_job_rung_fail(rung);
        return;
    }

    (void) ngx_media_job_rung_packets(rung);
}


static ngx_int_t
ngx_media_job_rung_packets(ngx_media_job_rung_t *rung)
{
    ngx_int_t              rc;
    ngx_media_av_packet_t  out;

    for ( ;; ) {
        rc = ngx_media_av_encoder_packet(rung->encoder, &out);

        if (rc == NGX_AGAIN || rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            ngx_cpystrn(rung->error,
                        (u_char *) ngx_media_av_encoder_error(rung->encoder),
                        NGX_MEDIA_AV_ERROR);
            break;
        }

        if (ngx_media_job_rung_packet(rung, &out) != NGX_OK) {
            ngx_snprintf(rung->error, NGX_MEDIA_AV_ERROR, "no memory%Z");
            break;
        }
    }

    ngx_media_job_rung_fail(rung);

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_job_rung_packet(ngx_media_job_rung_t *rung,
    const ngx_media_av_packet_t *out)
{
    ngx_uint_t                 i;
    ngx_media_job_stamp_t     *stamp;
    ngx_media_job_packet_t    *packet;
    const ngx_media_params_t  *params;

    packet = ngx_media_job_packet(out->pos, out->last);
    if (packet == NULL) {
        return NGX_ERROR;
    }

    packet->pts = out->pts;
    packet->dts = out->dts;
    packet->key = out->key;

    for (i = 0; i < rung->nstamps; i++) {
        stamp = &rung->stamps[i];

        if (stamp->pts != out->pts) {
            continue;
        }

        packet->arrival = stamp->arrival;
        packet->duration = stamp->duration;
        packet->settled = stamp->settled;

        ngx_memmove(stamp, stamp + 1, (rung->nstamps - i - 1)
                                      * sizeof(ngx_media_job_stamp_t));
        rung->nstamps--;
        break;
    }

    if (!rung->described) {
        params = ngx_media_av_encoder_params(rung->encoder);

        packet->params = params ? ngx_media_job_params(params) : NULL;

        if (packet->params == NULL) {
            ngx_media_job_packet_free(packet);
            return NGX_ERROR;
        }

        rung->described = 1;
        rung->shift = out->pts - out->dts;
    }

    packet->dts += rung->shift;

    ngx_queue_insert_tail(&rung->packets, &packet->queue);

    return NGX_OK;
}


/* what it holds back comes out, and it is closed */

static void
ngx_media_job_rung_drain(ngx_media_job_rung_t *rung)
{
    if (rung->encoder == NULL) {
        return;
    }

    ngx_media_av_encoder_drain(rung->encoder);

    if (ngx_media_job_rung_packets(rung) == NGX_OK) {
        ngx_media_av_encoder_close(rung->encoder);
        rung->encoder = NULL;
    }
}


/* it begins anew at the next cut */

static void
ngx_media_job_rung_fail(ngx_media_job_rung_t *rung)
{
    if (rung->encoder) {
        ngx_media_av_encoder_close(rung->encoder);
        rung->encoder = NULL;
    }

    rung->waiting = 1;
    rung->failed = 1;
}


/* in the event loop */

static void
ngx_media_job_rung_done(void *data)
{
    ngx_media_job_rung_t *rung = data;

    ngx_uint_t              i;
    ngx_media_job_video_t  *v;

    v = rung->video;
    rung->busy = 0;
    rung->chosen = rung->kind;

    if (rung->closed) {
        ngx_media_job_packets_free(&rung->packets);
        ngx_media_job_packets_free(&rung->out);
        ngx_media_strand_stop(&rung->strand, ngx_media_job_video_stopped, v);
        return;
    }

    ngx_media_job_rung_out(rung);

    if (rung->failed) {
        rung->failed = 0;
        ngx_media_job_rung_restart(rung);
    }

    if (rung->useless && !rung->dead) {
        ngx_media_job_log(NGX_LOG_ERR, v->job, "has no \"%V\"%s: %s",
                          &rung->conf->name,
                          rung->unfit ? "" : " for a minute", rung->error);
        ngx_media_job_rung_die(rung, !rung->unfit);
    }

    for (i = rung->index; i < v->nrungs; i++) {
        ngx_media_job_rung_publish(&v->rungs[i]);
    }

    ngx_media_job_video_decide(v);

    if (rung->ended && !rung->done) {
        rung->done = 1;
        ngx_media_job_rung_die(rung, 0);
        ngx_media_job_video_ended(v);
        return;
    }

    ngx_media_job_rung_go(rung);
    ngx_media_job_video_go(v);
}


/* what a step has made, and what that took */

static void
ngx_media_job_rung_out(ngx_media_job_rung_t *rung)
{
    int64_t                   lag;
    uint64_t                  cpu;
    ngx_queue_t              *q;
    ngx_media_job_video_t    *v;
    ngx_media_job_packet_t   *packet;
    ngx_media_strand_stat_t   stat;

    v = rung->video;

    ngx_media_strand_stat(&rung->strand, &stat);

    cpu = stat.cpu - rung->cpu;
    rung->cpu = stat.cpu;

    while (!ngx_queue_empty(&rung->packets)) {
        q = ngx_queue_head(&rung->packets);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&rung->out, q);

        packet = ngx_queue_data(q, ngx_media_job_packet_t, queue);
        lag = (int64_t) ngx_current_msec - packet->arrival;

        rung->encoded++;
        rung->lag = lag;

        if (!v->begins) {
            rung->lag_max = ngx_max(rung->lag_max, lag);

            ngx_media_step_out(&v->overload, rung->index, lag, cpu,
                               stat.last);
        }
    }
}


static void
ngx_media_job_rung_publish(ngx_media_job_rung_t *rung)
{
    ngx_queue_t             *q;
    ngx_media_job_packet_t  *packet;

    if (!rung->used || !ngx_media_job_rung_turn(rung)) {
        return;
    }

    while (!ngx_queue_empty(&rung->out)) {
        q = ngx_queue_head(&rung->out);
        ngx_queue_remove(q);

        packet = ngx_queue_data(q, ngx_media_job_packet_t, queue);

        rung->opening = 0;

        if (rung->video->tee && !rung->dead
            && ngx_media_job_rung_params(rung, packet) == NGX_OK)
        {
            ngx_media_job_rung_frame(rung, packet);
        }

        ngx_media_job_packet_free(packet);
    }
}


/* tracks are derived in the ladder's order, so that their names are */

static ngx_uint_t
ngx_media_job_rung_turn(const ngx_media_job_rung_t *rung)
{
    ngx_uint_t                   i;
    const ngx_media_job_rung_t  *larger;

    if (rung->derived || !rung->video->begins) {
        return 1;
    }

    for (i = 0; i < rung->index; i++) {
        larger = &rung->video->rungs[i];

        if (larger->used && larger->opening && larger->derived == NULL) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_media_job_rung_frame(ngx_media_job_rung_t *rung,
    const ngx_media_job_packet_t *packet)
{
    int64_t                   lag;
    ngx_uint_t                settled;
    ngx_media_packer_frame_t  frame;

    lag = (int64_t) ngx_current_msec - packet->arrival;

    ngx_memzero(&frame, sizeof(ngx_media_packer_frame_t));

    frame.pts = packet->pts;
    frame.dts = packet->dts;
    frame.duration = packet->duration;
    frame.pos = packet->data;
    frame.last = packet->data + packet->len;
    frame.key = packet->key;

    /*
     * Pictures are missing only where it is late.  A part that was closed
     * before a hole would have the whole next segment be a gap.
     */

    settled = packet->settled
              && lag < (int64_t) rung->video->overload.latency / 2;

    if (rung->conf->half || rung->step->step != NGX_MEDIA_STEP_ALL) {

        /* until the next one, which may be sooner if that is a cut */

        frame.duration *= rung->conf->half ? 2 : 1;
        settled = 0;
    }

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, rung->video->job->log, 0,
                   "media rung %ui has a frame, pts:%L dts:%L size:%uz "
                   "key:%d lag:%L", rung->index, frame.pts, frame.dts,
                   packet->len, packet->key, lag);

    (void) ngx_media_derived_frame(rung->derived, &frame, settled);
}


/* there is a track for it, of these parameters */

static ngx_int_t
ngx_media_job_rung_params(ngx_media_job_rung_t *rung,
    ngx_media_job_packet_t *packet)
{
    if (packet->params == NULL
        || (rung->params && rung->derived
            && ngx_media_job_params_same(rung->params, packet->params)))
    {
        return rung->derived ? NGX_OK : NGX_DECLINED;
    }

    if (rung->params) {
        free(rung->params);
    }

    rung->params = packet->params;
    packet->params = NULL;

    if (rung->derived == NULL) {
        return ngx_media_job_rung_derive(rung);
    }

    return ngx_media_derived_params(rung->derived, rung->params);
}


static ngx_int_t
ngx_media_job_rung_derive(ngx_media_job_rung_t *rung)
{
    ngx_int_t               rc;
    ngx_media_derive_t      conf;
    ngx_media_job_video_t  *v;

    v = rung->video;

    ngx_memzero(&conf, sizeof(ngx_media_derive_t));

    conf.id = rung->index;
    conf.bandwidth = ngx_media_job_bandwidth(rung->conf->bitrate);
    conf.close = ngx_media_job_rung_gone;
    conf.data = rung;

    rc = ngx_media_writer_derive(v->job->writer, v->source, rung->params,
                                 &conf, &rung->derived);

    if (rc == NGX_ABORT) {
        ngx_media_job_rung_die(rung, 0);
    }

    ngx_media_job_video_expect(v);

    return rc;
}


static void
ngx_media_job_rung_restart(ngx_media_job_rung_t *rung)
{
    ngx_uint_t  n;

    ngx_media_job_log(NGX_LOG_WARN, rung->video->job,
                      "begins its \"%V\" anew at the next segment: %s",
                      &rung->conf->name, rung->error);

    rung->restarts++;

    n = rung->nrestarted++;
    rung->restarted[n % NGX_MEDIA_JOB_RESTARTS] = ngx_current_msec;

    /* the next one of the ring is the oldest */

    n = rung->nrestarted % NGX_MEDIA_JOB_RESTARTS;

    if (rung->nrestarted >= NGX_MEDIA_JOB_RESTARTS
        && ngx_current_msec - rung->restarted[n] < NGX_MEDIA_JOB_RESTARTED)
    {
        ngx_media_job_log(NGX_LOG_ERR, rung->video->job,
                          "goes on without \"%V\", which failed %ui times",
                          &rung->conf->name,
                          (ngx_uint_t) NGX_MEDIA_JOB_RESTARTS);

        rung->nrestarted = 0;
        ngx_media_job_rung_die(rung, 0);
    }
}


/* its track ends; pictures that it has yet are looked at by nobody */

static void
ngx_media_job_rung_die(ngx_media_job_rung_t *rung, ngx_uint_t retry)
{
    ngx_media_derived_t  *d;

    rung->dead = 1;
    rung->retry = retry;
    rung->died = ngx_current_msec;
    rung->opening = 0;

    d = rung->derived;
    rung->derived = NULL;

    if (d) {
        ngx_media_derived_done(d);
    }

    ngx_media_job_video_expect(rung->video);
}


void
ngx_media_job_rung_tick(ngx_media_job_rung_t *rung)
{
    if (!rung->used || rung->hung) {
        return;
    }

    ngx_media_job_rung_watch(rung);

    if (!rung->dead || !rung->retry || rung->busy
        || ngx_current_msec - rung->died < NGX_MEDIA_JOB_RETRY)
    {
        return;
    }

    /* no step runs: what is the strand's is ours */

    rung->dead = 0;
    rung->useless = 0;
    rung->waiting = 1;
}


/*
 * Does its step return?  A device may never answer, while what computes goes on
 * however busy the machine is; and a process that stood still as a whole has
 * had no ticks.  And are pictures too large for one thread?
 */

static void
ngx_media_job_rung_watch(ngx_media_job_rung_t *rung)
{
    uint64_t                  lasts, steps;
    ngx_media_job_video_t    *v;
    ngx_media_strand_stat_t   stat;

    v = rung->video;

    rung->stuck = ngx_media_strand_running(&rung->strand) >= 1000
                  ? rung->stuck + 1 : 0;

    if (rung->stuck == NGX_MEDIA_JOB_STUCK
        && ngx_media_job_rung_device(rung))
    {
        rung->hung = 1;
        rung->done = 1;

        if (rung->chosen) {
            (void) __atomic_or_fetch(&ngx_media_job_known.off,
                      ngx_media_av_encoder_bit(rung->chosen),
                      __ATOMIC_RELAXED);
        }

        ngx_media_job_log(NGX_LOG_CRIT, v->job,
                          "goes on without \"%V\": its encoder does not "
                          "return", &rung->conf->name);

        ngx_media_strand_hung(&rung->strand, v->job->log);
        ngx_media_strand_stop(&rung->strand, ngx_media_job_video_stopped, v);
        ngx_media_job_rung_die(rung, 0);
        return;
    }

    ngx_media_strand_stat(&rung->strand, &stat);

    steps = stat.steps - rung->steps;
    lasts = v->overload.fps ? 1000000000000 / v->overload.fps : 0;

    if (rung->conf->half) {
        lasts *= 2;
    }

    rung->busy_ticks = steps
                       && (stat.wall - rung->wall) / steps > lasts * 7 / 10
                       ? rung->busy_ticks + 1 : 0;
    rung->steps = stat.steps;
    rung->wall = stat.wall;
}


/* libavcodec's names of what computes begin so; others are a device's */

static ngx_uint_t
ngx_media_job_rung_device(const ngx_media_job_rung_t *rung)
{
    ngx_uint_t   i;
    const char  *name;

    for (i = 0; i < rung->conf->nkinds; i++) {
        name = ngx_media_av_encoder_name(rung->conf->kinds[i]);

        if (ngx_strncmp(name, "lib", 3) != 0
            && (rung->chosen == NULL || rung->chosen == rung->conf->kinds[i]))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_media_job_rung_tell(ngx_media_job_rung_t *rung,
    ngx_media_table_rung_t *stat)
{
    const char               *encoder;
    ngx_media_strand_stat_t   strand;

    stat->used = rung->used;

    if (!rung->used) {
        return;
    }

    ngx_media_strand_stat(&rung->strand, &strand);

    stat->pictures = rung->encoded;
    stat->skipped = rung->skipped;
    stat->restarts = rung->restarts;
    stat->cpu = strand.cpu / 1000000;
    stat->lag = (uint32_t) rung->lag;
    stat->lag_max = (uint32_t) rung->lag_max;
    stat->step_max = (uint32_t) (strand.longest / 1000000);
    stat->step = rung->step->step;
    stat->dead = rung->dead;
    stat->needs_threads = rung->busy_ticks >= NGX_MEDIA_JOB_BUSY;

    if (rung->params) {
        stat->width = rung->params->width;
        stat->height = rung->params->height;
    }

    ngx_cpystrn(stat->name, rung->conf->name.data,
                ngx_min(sizeof(stat->name), rung->conf->name.len + 1));

    if (rung->chosen) {
        encoder = ngx_media_av_encoder_name(rung->chosen);
        ngx_cpystrn(stat->encoder, (u_char *) encoder,
                    sizeof(stat->encoder));
    }
}


static void
ngx_media_job_rung_gone(void *data, const char *reason)
{
    ngx_media_job_rung_t *rung = data;

    rung->derived = NULL;
}


void
ngx_media_job_rung_close(ngx_media_job_rung_t *rung)
{
    ngx_uint_t               i;
    ngx_media_job_video_t   *v;
    ngx_media_step_queue_t   queue;

    v = rung->video;

    if (!rung->used) {
        return;
    }

    (void) ngx_thread_mutex_lock(&v->lock, v->job->log);

    queue = rung->pictures;
    rung->pictures.n = 0;
    rung->closing = 1;

    (void) ngx_thread_mutex_unlock(&v->lock, v->job->log);

    for (i = 0; i < queue.n; i++) {
        ngx_media_job_picture_release(queue.slots[i].picture);
    }

    ngx_media_job_rung_go(rung);
}


/* threads have gone, and the process goes: so do those of its encoder */

static void
ngx_media_job_rung_exit(void *data)
{
    ngx_media_job_rung_t *rung = data;

    if (rung->encoder && ngx_media_av_encoder_has_threads(rung->kind)) {
        ngx_media_av_encoder_close(rung->encoder);
        rung->encoder = NULL;
    }
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
