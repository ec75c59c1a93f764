
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "core/ngx_media_follow.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv_write.h"
#include "ingest/ngx_media_play.h"
#include "ingest/ngx_media_play_pack.h"


#define NGX_MEDIA_PLAY_NODES     64           /* at first; a power of 2 */
#define NGX_MEDIA_PLAY_POOL      4096

/*
 * Who is so far behind loses what waits.  What all of them hold is shared, so
 * the bytes that slow viewers cost are those of so much time, however many
 * there are.
 */
#define NGX_MEDIA_PLAY_LATE      5000         /* ms that a message waits */
#define NGX_MEDIA_PLAY_BYTES     (16 * 1024 * 1024)

/*
 * Sound goes with the next picture, which saves more than half of the system
 * calls: until that is due and a little late, if it is due soon.  Alone it goes
 * in groups.  All in ms.
 */
#define NGX_MEDIA_PLAY_WAIT      30
#define NGX_MEDIA_PLAY_WAIT_MAX  50
#define NGX_MEDIA_PLAY_SLACK     10
#define NGX_MEDIA_PLAY_GROUP     60

/* ms that the first message waits for a track that is known to be there */
#define NGX_MEDIA_PLAY_PATIENCE  500

/* pictures that tell how they are reordered, at the beginning of a GOP */
#define NGX_MEDIA_PLAY_PICTURES  5

/* s of media after which a track without frames gives way to another one */
#define NGX_MEDIA_PLAY_SILENCE   3

#define NGX_MEDIA_PLAY_TYPES     2            /* video and audio */

/* whose are messages of one viewer alone: frame is NULL, key says which */
#define NGX_MEDIA_PLAY_START     NGX_MEDIA_PLAY_TYPES
#define NGX_MEDIA_PLAY_METADATA  (NGX_MEDIA_PLAY_TYPES + 1)


/* a message that waits; form is NULL until the first one is sent */

typedef struct {
    ngx_media_frame_t        *frame;
    ngx_media_frame_form_t   *form;
    ngx_msec_t                queued;
} ngx_media_play_node_t;


/* the track that is sent of a type */

typedef struct {
    ngx_media_play_params_t  *params;         /* NULL: there is none */
    int64_t                   dts;            /* of its last frame */
    int64_t                   time;           /* the same in s */
    unsigned                  any:1;          /* there was one */
    unsigned                  off:1;          /* it is not wanted */
    unsigned                  wait:1;         /* for a key frame */
    unsigned                  due:1;          /* parameters are to be sent */
    unsigned                  left:1;         /* some are left out: said */
} ngx_media_play_track_t;


struct ngx_media_play_s {
    ngx_media_play_conf_t     conf;
    ngx_media_play_way_t      way;
    ngx_media_play_group_t   *group;
    ngx_media_follow_t       *follow;         /* NULL: paused, or over */
    const char               *over;           /* static; NULL: it is not */
    ngx_event_t               expiry;
    ngx_event_t               touch;          /* of conf.viewer */

    ngx_media_play_track_t    tracks[NGX_MEDIA_PLAY_TYPES];

    ngx_queue_t               waiting;        /* of the group */

    ngx_media_play_node_t    *nodes;          /* a ring, allocated */
    ngx_uint_t                size;           /* of it, a power of 2 */
    ngx_uint_t                head;           /* of it */
    ngx_uint_t                count;
    ngx_uint_t                held;           /* of count */
    size_t                    offset;         /* of the first, sent */
    size_t                    bytes;          /* of frames that wait */

    ngx_msec_t                progress;       /* when bytes left, or began to
                                                 wait */
    ngx_msec_t                first;          /* when the first frame came */
    ngx_media_play_stat_t     stat;

    unsigned                  begun:1;        /* headers are in the queue */
    unsigned                  metadata:1;     /* is to be sent */
    unsigned                  urgent:1;       /* more than sound waits */
    unsigned                  lost:1;         /* until a key frame */
    unsigned                  late:1;         /* was so: said */
    unsigned                  posted:1;       /* in the group's list */
    unsigned                  stopped:1;
    unsigned                  here:1;         /* access was told */
};


static ngx_int_t ngx_media_play_follow(ngx_media_play_t *play);
static void ngx_media_play_params_handler(void *data, ngx_uint_t track,
    const ngx_media_params_t *params);
static ngx_uint_t ngx_media_play_takes(ngx_media_play_t *play,
    ngx_uint_t track, const ngx_media_params_t *params);
static const char *ngx_media_play_refuses(ngx_media_play_t *play,
    uint32_t codec);
static ngx_uint_t ngx_media_play_choose(ngx_media_play_t *play,
    ngx_uint_t type);
static ngx_uint_t ngx_media_play_rank(ngx_media_play_t *play,
    const ngx_media_stream_view_t *view, ngx_uint_t i);
static void ngx_media_play_adopt(ngx_media_play_t *play, ngx_uint_t track,
    const ngx_media_params_t *params);
static void ngx_media_play_frame_handler(void *data, ngx_media_frame_t *frame);
static ngx_media_play_track_t *ngx_media_play_track(ngx_media_play_t *play,
    ngx_media_frame_t *frame);
static ngx_uint_t ngx_media_play_admit(ngx_media_play_t *play,
    ngx_media_play_track_t *track, ngx_media_frame_t *frame);
static void ngx_media_play_fall_behind(ngx_media_play_t *play);
static ngx_int_t ngx_media_play_put(ngx_media_play_t *play,
    ngx_media_play_track_t *track, ngx_media_frame_t *frame);
static ngx_int_t ngx_media_play_renew(ngx_media_play_t *play,
    ngx_media_play_track_t *track, ngx_media_frame_t *frame);
static void ngx_media_play_flush_handler(void *data);
static ngx_int_t ngx_media_play_start(ngx_media_play_t *play);
static ngx_uint_t ngx_media_play_expects(ngx_media_play_t *play);
static ngx_int_t ngx_media_play_headers(ngx_media_play_t *play);
static ngx_int_t ngx_media_play_forms(ngx_media_play_t *play);
static void ngx_media_play_wait(ngx_media_play_t *play);
static void ngx_media_play_wait_done(ngx_media_play_t *play);
static void ngx_media_play_timer_handler(ngx_event_t *ev);
static void ngx_media_play_end_handler(void *data, const char *reason);
static void ngx_media_play_expire(ngx_event_t *ev);
static void ngx_media_play_touch(ngx_event_t *ev);
static void ngx_media_play_close(void *data, const char *reason);
static ngx_int_t ngx_media_play_own(ngx_media_play_t *play, ngx_uint_t front,
    ngx_uint_t whose, ngx_int_t rc, ngx_media_frame_form_t *form);
static ngx_media_play_node_t *ngx_media_play_push(ngx_media_play_t *play,
    ngx_uint_t front);
static void ngx_media_play_forget(ngx_media_play_t *play, ngx_uint_t type);
static void ngx_media_play_drop(ngx_media_play_t *play, ngx_uint_t from);
static void ngx_media_play_release(ngx_media_play_t *play,
    ngx_media_play_node_t *node);


#define ngx_media_play_node(play, i)                                          \
    (&(play)->nodes[((play)->head + (i)) & ((play)->size - 1)])

#define ngx_media_play_video(play)                                            \
    ((play)->tracks[NGX_MEDIA_VIDEO].params != NULL                           \
     && !(play)->tracks[NGX_MEDIA_VIDEO].off)


ngx_int_t
ngx_media_play_begin(const ngx_media_play_conf_t *conf,
    ngx_media_play_t **out)
{
    ngx_int_t           rc;
    ngx_media_play_t   *play;
    ngx_media_viewer_t  viewer;

    play = ngx_calloc(sizeof(ngx_media_play_t), conf->log);
    if (play == NULL) {
        viewer = conf->viewer;
        ngx_media_viewer_end(&viewer);

        return NGX_ERROR;
    }

    play->conf = *conf;
    play->way.chunk_size = conf->chunk_size;
    play->way.stream = conf->message_stream;
    play->size = NGX_MEDIA_PLAY_NODES;

    play->nodes = ngx_alloc(play->size * sizeof(ngx_media_play_node_t),
                            conf->log);
    if (play->nodes == NULL) {
        ngx_media_play_end(play);
        return NGX_ERROR;
    }

    play->group = ngx_media_play_group(&conf->stream,
                                       ngx_media_play_timer_handler,
                                       conf->log);
    if (play->group == NULL) {
        ngx_media_play_end(play);
        return NGX_ERROR;
    }

    rc = ngx_media_play_follow(play);

    if (rc != NGX_OK) {
        ngx_media_play_end(play);
        return rc;
    }

    play->expiry.handler = ngx_media_play_expire;
    play->expiry.data = play;
    play->expiry.log = conf->log;
    play->expiry.cancelable = 1;

    if (conf->expires) {
        ngx_add_timer(&play->expiry, ngx_media_access_left(conf->expires));
    }

    play->touch.handler = ngx_media_play_touch;
    play->touch.data = play;
    play->touch.log = conf->log;
    play->touch.cancelable = 1;

    if (conf->viewer.sessions) {
        ngx_add_timer(&play->touch, ngx_media_viewer_tick(&conf->viewer));
    }

    if (conf->id) {
        play->here = 1;

        ngx_media_access_here(conf->stream.zone->app, conf->id,
                              ngx_media_play_close, play);
    }

    *out = play;

    return NGX_OK;
}


static ngx_int_t
ngx_media_play_follow(ngx_media_play_t *play)
{
    ngx_uint_t               state;
    ngx_media_follow_conf_t  conf;

    /* what has ended stays readable for a while, but nothing passes any more */

    state = ngx_media_stream_state(&play->conf.stream);

    if (state == 0 || state == NGX_MEDIA_STREAM_ENDED) {
        return NGX_DONE;
    }

    ngx_memzero(&conf, sizeof(ngx_media_follow_conf_t));

    conf.stream = play->conf.stream;
    conf.log = play->conf.log;
    conf.params = ngx_media_play_params_handler;
    conf.frame = ngx_media_play_frame_handler;
    conf.flush = ngx_media_play_flush_handler;
    conf.end = ngx_media_play_end_handler;
    conf.data = play;

    play->tracks[NGX_MEDIA_VIDEO].wait = 1;

    return ngx_media_follow_begin(&conf, &play->follow);
}


void
ngx_media_play_end(ngx_media_play_t *play)
{
    ngx_uint_t  i;

    if (play->here) {
        ngx_media_access_ended(play->conf.stream.zone->app, play->conf.id,
                               play->over ? play->over
                                          : "the viewer has left");
    }

    if (play->follow) {
        ngx_media_follow_end(play->follow);
    }

    if (play->expiry.timer_set) {
        ngx_del_timer(&play->expiry);
    }

    if (play->touch.timer_set) {
        ngx_del_timer(&play->touch);
    }

    ngx_media_viewer_end(&play->conf.viewer);

    ngx_media_play_wait_done(play);

    play->held = 0;
    ngx_media_play_drop(play, 0);

    for (i = 0; i < NGX_MEDIA_PLAY_TYPES; i++) {
        if (play->tracks[i].params) {
            ngx_media_play_params_free(play->tracks[i].params);
        }
    }

    if (play->group) {
        ngx_media_play_group_free(play->group);
    }

    if (play->nodes) {
        ngx_free(play->nodes);
    }

    ngx_free(play);
}


void
ngx_media_play_pause(ngx_media_play_t *play)
{
    if (play->follow) {
        ngx_media_follow_end(play->follow);
        play->follow = NULL;
    }

    ngx_media_play_wait_done(play);
    ngx_media_play_drop(play, play->held);
}


ngx_int_t
ngx_media_play_resume(ngx_media_play_t *play)
{
    if (play->follow || play->over) {
        return NGX_OK;
    }

    play->lost = 0;

    return ngx_media_play_follow(play);
}


void
ngx_media_play_receive(ngx_media_play_t *play, ngx_uint_t type, ngx_uint_t on)
{
    ngx_media_play_track_t  *track;

    track = &play->tracks[type];

    if (track->off != on) {
        return;
    }

    track->off = !on;
    track->wait = (type == NGX_MEDIA_VIDEO);
    track->due = (track->params != NULL);
}


/* a track begins, or goes on with other parameters */

static void
ngx_media_play_params_handler(void *data, ngx_uint_t track,
    const ngx_media_params_t *params)
{
    ngx_media_play_t *play = data;

    ngx_uint_t               best;
    ngx_media_play_track_t  *current;

    if (params->type >= NGX_MEDIA_PLAY_TYPES
        || !ngx_media_play_takes(play, track, params))
    {
        return;
    }

    current = &play->tracks[params->type];

    if (current->params == NULL || current->params->track != track) {
        best = ngx_media_play_choose(play, params->type);

        /* without a choice the first is better than none */

        if (best != track && (current->params || best != NGX_MEDIA_NO_TRACK)) {
            ngx_log_debug2(NGX_LOG_DEBUG_CORE, play->conf.log, 0,
                           "media play leaves out track:%ui, rather track:%i",
                           track, (ngx_int_t) best);
            return;
        }
    }

    ngx_media_play_adopt(play, track, params);
}


/* is there a way to send it that the client understands? */

static ngx_uint_t
ngx_media_play_takes(ngx_media_play_t *play, ngx_uint_t track,
    const ngx_media_params_t *params)
{
    const char              *why;
    ngx_media_play_track_t  *current;
    const ngx_media_codec_t *codec;

    why = ngx_media_play_refuses(play, params->codec);

    if (why == NULL) {
        return 1;
    }

    current = &play->tracks[params->type];

    if (!current->left) {
        current->left = 1;

        codec = ngx_media_codec_find(params->codec);

        ngx_log_error(NGX_LOG_INFO, play->conf.log, 0,
                      "media play leaves out track:%ui of codec %s: %s", track,
                      codec ? (char *) codec->name.data : "unknown", why);
    }

    return 0;
}


/* why a codec cannot be sent, static; NULL: it can be */

static const char *
ngx_media_play_refuses(ngx_media_play_t *play, uint32_t codec)
{
    if (!ngx_media_flv_carries(codec)) {
        return "there is no way to send it";
    }

    if (play->conf.takes && !play->conf.takes(play->conf.data, codec)) {
        return "the client did not say that it understands it";
    }

    return NULL;
}


/* the track of this type that is to be sent, as things are now */

static ngx_uint_t
ngx_media_play_choose(ngx_media_play_t *play, ngx_uint_t type)
{
    ngx_uint_t                best, i, rank, track;
    ngx_pool_t               *pool;
    ngx_media_stream_view_t   view;

    pool = ngx_create_pool(NGX_MEDIA_PLAY_POOL, play->conf.log);
    if (pool == NULL) {
        return NGX_MEDIA_NO_TRACK;
    }

    best = 0;
    track = NGX_MEDIA_NO_TRACK;

    if (ngx_media_stream_view(&play->conf.stream, pool, NGX_MEDIA_NO_TRACK,
                              &view)
        != NGX_OK)
    {
        goto done;
    }

    for (i = 0; i < view.ntracks; i++) {

        if (view.tracks[i].type != type) {
            continue;
        }

        rank = ngx_media_play_rank(play, &view, i);

        if (rank > best) {
            best = rank;
            track = view.tracks[i].index;
        }
    }

done:

    ngx_destroy_pool(pool);

    return track;
}


/* how much a track is to be preferred; 0: it cannot be sent now */

static ngx_uint_t
ngx_media_play_rank(ngx_media_play_t *play,
    const ngx_media_stream_view_t *view, ngx_uint_t i)
{
    ngx_uint_t                     rank;
    const ngx_media_track_view_t  *t;

    t = &view->tracks[i];

    if (t->ended || t->away || ngx_media_play_refuses(play, t->codec)) {
        return 0;
    }

    rank = 1;

    if (play->conf.classic && !ngx_media_flv_enhances(t->codec)) {
        rank += 4;
    }

    if (t->is_default) {
        rank += 2;
    }

    if (i == view->clock) {
        rank += 1;
    }

    return rank;
}


static void
ngx_media_play_adopt(ngx_media_play_t *play, ngx_uint_t track,
    const ngx_media_params_t *params)
{
    ngx_media_play_track_t   *current;
    ngx_media_play_params_t  *shared;

    current = &play->tracks[params->type];

    shared = ngx_media_play_params(play->group, track, params,
                                   play->conf.log);

    if (shared == current->params) {

        if (shared) {
            ngx_media_play_params_free(shared);
        }

        return;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, play->conf.log, 0,
                   "media play takes track:%ui type:%uD config:%uD", track,
                   params->type, params->config_len);

    if (current->params && !play->begun) {

        if (current->params->track != track) {
            ngx_media_play_forget(play, params->type);

        } else if (play->count) {

            /* what waits was made with the ones before */

            (void) ngx_media_play_start(play);
        }
    }

    if (current->params == NULL || current->params->track != track) {
        current->any = 0;
        current->wait = (params->type == NGX_MEDIA_VIDEO);
    }

    if (current->params) {
        ngx_media_play_params_free(current->params);
    }

    /* without memory: it is left out until it changes */

    current->params = shared;
    current->due = 1;
    play->metadata = 1;
}


static void
ngx_media_play_frame_handler(void *data, ngx_media_frame_t *frame)
{
    ngx_media_play_t *play = data;

    ngx_media_play_track_t  *track;

    track = ngx_media_play_track(play, frame);

    if (track == NULL || !ngx_media_play_admit(play, track, frame)) {
        return;
    }

    if (ngx_media_play_put(play, track, frame) == NGX_OK) {
        return;
    }

    /* as a viewer who lost it */

    play->stat.dropped++;
    play->lost = ngx_media_play_video(play);
}


/* its frame, or NULL: it is left out */

static ngx_media_play_track_t *
ngx_media_play_track(ngx_media_play_t *play, ngx_media_frame_t *frame)
{
    int64_t                  time;
    ngx_media_params_t       params;
    ngx_media_play_track_t  *track;

    if (frame->type >= NGX_MEDIA_PLAY_TYPES) {
        return NULL;
    }

    track = &play->tracks[frame->type];
    time = frame->dts / (int64_t) frame->timescale;

    if (track->params && track->params->track == frame->track) {

        /* it begins with what was sent before it paused */

        if (track->any && frame->dts <= track->dts) {
            return NULL;
        }

        track->any = 1;
        track->dts = frame->dts;
        track->time = time;

        return track;
    }

    /* the one that is sent, or was waited for, may have ended meanwhile */

    if (time - track->time < NGX_MEDIA_PLAY_SILENCE) {
        return NULL;
    }

    /* once in a while */

    track->time = time;

    if (ngx_media_play_choose(play, frame->type) != frame->track
        || ngx_media_track_init_params(&play->conf.stream, frame->track,
                                       frame->init, &params)
           != NGX_OK
        || !ngx_media_play_takes(play, frame->track, &params))
    {
        return NULL;
    }

    ngx_media_play_adopt(play, frame->track, &params);

    track->time = time;

    return track->params ? track : NULL;
}


/* whether a frame of a track that is sent may be sent now */

static ngx_uint_t
ngx_media_play_admit(ngx_media_play_t *play, ngx_media_play_track_t *track,
    ngx_media_frame_t *frame)
{
    ngx_uint_t  key;

    if (track->off) {
        return 0;
    }

    key = (frame->type == NGX_MEDIA_VIDEO)
          ? frame->flags & NGX_MEDIA_FRAME_KEY
          : !ngx_media_play_video(play)
            || track->time - play->tracks[NGX_MEDIA_VIDEO].time
               > NGX_MEDIA_PLAY_SILENCE;

    if (play->count > play->held
        && (play->bytes > NGX_MEDIA_PLAY_BYTES
            || ngx_current_msec - ngx_media_play_node(play, 0)->queued
               > NGX_MEDIA_PLAY_LATE)
        && play->begun)
    {
        ngx_media_play_fall_behind(play);
    }

    /* so that sound and picture stay together */

    if (play->lost && !key) {
        play->stat.dropped++;
        return 0;
    }

    if (frame->type == NGX_MEDIA_VIDEO) {

        if (frame->flags & NGX_MEDIA_FRAME_LOST) {
            track->wait = 1;
        }

        if (track->wait && !key) {
            return 0;
        }

        track->wait = 0;
    }

    play->lost = 0;

    return 1;
}


static void
ngx_media_play_fall_behind(ngx_media_play_t *play)
{
    ngx_uint_t  i;

    if (!play->late) {
        play->late = 1;

        ngx_log_error(NGX_LOG_INFO, play->conf.log, 0,
                      "media play: the viewer is too slow, %ui messages of "
                      "%uz bytes are dropped", play->count - play->held,
                      play->bytes);
    }

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, play->conf.log, 0,
                   "media play drops:%ui held:%ui bytes:%uz",
                   play->count - play->held, play->held, play->bytes);

    ngx_media_play_drop(play, play->held);

    /* what is on its way has all the time again */

    for (i = 0; i < play->count; i++) {
        ngx_media_play_node(play, i)->queued = ngx_current_msec;
    }

    play->lost = 1;
}


static ngx_int_t
ngx_media_play_put(ngx_media_play_t *play, ngx_media_play_track_t *track,
    ngx_media_frame_t *frame)
{
    ngx_media_frame_form_t  *form;
    ngx_media_play_node_t   *node;

    form = NULL;

    if (play->begun) {

        if (ngx_media_play_renew(play, track, frame) != NGX_OK) {
            return NGX_ERROR;
        }

        form = ngx_media_play_pack(play->group, &play->way,
                                   &track->params->params, frame);
        if (form == NULL) {
            return NGX_ERROR;
        }

    } else if (play->count == 0) {
        play->first = ngx_current_msec;
    }

    node = ngx_media_play_push(play, 0);
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->frame = ngx_media_frame_ref(frame);
    node->form = form;

    play->bytes += frame->len;
    play->stat.frames++;

    if (frame->type == NGX_MEDIA_VIDEO) {
        play->urgent = 1;
        play->group->due = ngx_current_msec
                           + (ngx_msec_t) frame->duration * 1000
                             / frame->timescale;
    }

    return NGX_OK;
}


/* what has to be known before this frame */

static ngx_int_t
ngx_media_play_renew(ngx_media_play_t *play, ngx_media_play_track_t *track,
    ngx_media_frame_t *frame)
{
    ngx_int_t                 rc;
    ngx_media_frame_form_t   *form;
    ngx_media_play_params_t  *audio, *video;

    if (play->metadata) {
        video = play->tracks[NGX_MEDIA_VIDEO].params;
        audio = play->tracks[NGX_MEDIA_AUDIO].params;

        rc = ngx_media_play_pack_metadata(&play->way,
                                          video ? &video->params : NULL,
                                          audio ? &audio->params : NULL,
                                          play->conf.log, &form);

        if (ngx_media_play_own(play, 0, NGX_MEDIA_PLAY_METADATA, rc, form)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        play->metadata = 0;
    }

    if (track->due) {
        rc = ngx_media_play_pack_config(&play->way, &track->params->params,
                                        ngx_media_play_stamp(play->group,
                                                             frame),
                                        play->conf.log, &form);

        if (ngx_media_play_own(play, 0, frame->type, rc, form) != NGX_OK) {
            return NGX_ERROR;
        }

        track->due = 0;
    }

    return NGX_OK;
}


static void
ngx_media_play_flush_handler(void *data)
{
    ngx_media_play_t *play = data;

    if (play->count == 0) {
        return;
    }

    if (!play->begun) {

        if (ngx_media_play_expects(play)) {
            ngx_media_play_wait(play);
            return;
        }

        if (ngx_media_play_start(play) != NGX_OK) {
            return;
        }
    }

    if (!play->urgent) {
        ngx_media_play_wait(play);
        return;
    }

    ngx_media_play_wait_done(play);

    play->conf.ready(play->conf.data);
}


/* what all of it begins with goes before what came meanwhile */

static ngx_int_t
ngx_media_play_start(ngx_media_play_t *play)
{
    ngx_uint_t  i;

    play->begun = 1;

    if (ngx_media_play_forms(play) == NGX_OK
        && ngx_media_play_headers(play) == NGX_OK)
    {
        return NGX_OK;
    }

    /* no memory: with the next key frame */

    ngx_media_play_drop(play, 0);

    play->begun = 0;
    play->tracks[NGX_MEDIA_VIDEO].wait = 1;

    for (i = 0; i < NGX_MEDIA_PLAY_TYPES; i++) {
        play->tracks[i].due = 1;
    }

    return NGX_ERROR;
}


/*
 * Is there a track that will be sent, or in place of another, and whose
 * parameters have not come?  What comes first says which there are, and some
 * players believe it.  And does the first viewer of all know how pictures are
 * reordered?
 */

static ngx_uint_t
ngx_media_play_expects(ngx_media_play_t *play)
{
    ngx_uint_t               best, i, n;
    ngx_media_play_track_t  *track;

    if (ngx_current_msec - play->first >= NGX_MEDIA_PLAY_PATIENCE) {
        return 0;
    }

    if (!play->group->based && ngx_media_play_video(play)) {

        n = 0;

        for (i = 0; i < play->count && n < NGX_MEDIA_PLAY_PICTURES; i++) {
            n += ngx_media_play_node(play, i)->frame->type == NGX_MEDIA_VIDEO;
        }

        if (n < NGX_MEDIA_PLAY_PICTURES) {
            return 1;
        }
    }

    for (i = 0; i < NGX_MEDIA_PLAY_TYPES; i++) {
        track = &play->tracks[i];

        if (track->off) {
            continue;
        }

        best = ngx_media_play_choose(play, i);

        if (best != NGX_MEDIA_NO_TRACK
            && (track->params == NULL || track->params->track != best))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_media_play_forms(ngx_media_play_t *play)
{
    ngx_uint_t              i;
    ngx_media_play_node_t  *node;

    for (i = 0; i < play->count; i++) {
        node = ngx_media_play_node(play, i);

        ngx_media_play_reorder(play->group,
                            &play->tracks[node->frame->type].params->params,
                            node->frame);
    }

    for (i = 0; i < play->count; i++) {
        node = ngx_media_play_node(play, i);

        node->form = ngx_media_play_pack(play->group, &play->way,
                            &play->tracks[node->frame->type].params->params,
                            node->frame);
        if (node->form == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the last comes first: they are put before one another */

static ngx_int_t
ngx_media_play_headers(ngx_media_play_t *play)
{
    uint32_t                  stamp;
    ngx_int_t                 rc;
    ngx_uint_t                i, type;
    ngx_media_frame_form_t   *form;
    ngx_media_play_track_t   *track;
    ngx_media_play_params_t  *audio, *video;

    stamp = 0;

    for (i = 0; i < play->count; i++) {
        if (ngx_media_play_node(play, i)->frame) {
            stamp = ngx_media_play_stamp(play->group,
                                         ngx_media_play_node(play, i)->frame);
            break;
        }
    }

    for (type = NGX_MEDIA_PLAY_TYPES; type-- > 0; /* void */ ) {
        track = &play->tracks[type];

        if (track->params == NULL || track->off) {
            continue;
        }

        rc = ngx_media_play_pack_config(&play->way, &track->params->params,
                                        stamp, play->conf.log, &form);

        if (ngx_media_play_own(play, 1, type, rc, form) != NGX_OK) {
            return NGX_ERROR;
        }

        track->due = 0;
    }

    video = play->tracks[NGX_MEDIA_VIDEO].params;
    audio = play->tracks[NGX_MEDIA_AUDIO].params;

    rc = ngx_media_play_pack_metadata(&play->way,
                                      video ? &video->params : NULL,
                                      audio ? &audio->params : NULL,
                                      play->conf.log, &form);

    if (ngx_media_play_own(play, 1, NGX_MEDIA_PLAY_METADATA, rc, form)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    play->metadata = 0;
    play->urgent = 1;

    rc = ngx_media_play_pack_start(&play->way, video != NULL, audio != NULL,
                                   play->conf.log, &form);

    return ngx_media_play_own(play, 1, NGX_MEDIA_PLAY_START, rc, form);
}


/* of all viewers of a group one timer says that sound has waited enough */

static void
ngx_media_play_wait(ngx_media_play_t *play)
{
    ngx_msec_int_t           wait;
    ngx_media_play_group_t  *group;

    if (play->posted) {
        return;
    }

    group = play->group;

    if (ngx_queue_empty(&group->waiting)) {

        wait = NGX_MEDIA_PLAY_GROUP;

        if (ngx_media_play_video(play)) {
            wait = (ngx_msec_int_t) (group->due - ngx_current_msec)
                   + NGX_MEDIA_PLAY_SLACK;

            if (wait < NGX_MEDIA_PLAY_WAIT || wait > NGX_MEDIA_PLAY_WAIT_MAX) {
                wait = NGX_MEDIA_PLAY_WAIT;
            }
        }

        group->until = ngx_current_msec + wait;

        /* one that is set yet looks at that */

        if (!group->timer.timer_set) {
            ngx_add_timer(&group->timer, wait);
        }
    }

    play->posted = 1;
    ngx_queue_insert_tail(&group->waiting, &play->waiting);
}


static void
ngx_media_play_wait_done(ngx_media_play_t *play)
{
    if (play->posted) {
        play->posted = 0;
        ngx_queue_remove(&play->waiting);
    }
}


static void
ngx_media_play_timer_handler(ngx_event_t *ev)
{
    ngx_queue_t             *q, waiting;
    ngx_msec_int_t           left;
    ngx_media_play_t        *play;
    ngx_media_play_group_t  *group;

    group = ev->data;

    if (ngx_queue_empty(&group->waiting)) {
        return;
    }

    left = (ngx_msec_int_t) (group->until - ngx_current_msec);

    if (left > 0) {
        ngx_add_timer(&group->timer, left);
        return;
    }

    /* some come back at once, for what they begin with */

    ngx_queue_init(&waiting);
    ngx_queue_add(&waiting, &group->waiting);
    ngx_queue_init(&group->waiting);

    while (!ngx_queue_empty(&waiting)) {
        q = ngx_queue_head(&waiting);
        play = ngx_queue_data(q, ngx_media_play_t, waiting);

        ngx_media_play_wait_done(play);

        play->urgent = 1;
        ngx_media_play_flush_handler(play);
    }
}


static void
ngx_media_play_end_handler(void *data, const char *reason)
{
    ngx_media_play_t *play = data;

    ngx_media_follow_end(play->follow);

    play->follow = NULL;
    play->over = reason;

    if (play->count && !play->begun) {
        (void) ngx_media_play_start(play);
    }

    ngx_media_play_wait_done(play);

    play->conf.ready(play->conf.data);
}


static void
ngx_media_play_expire(ngx_event_t *ev)
{
    ngx_media_play_t *play = ev->data;

    ngx_msec_t  left;

    left = ngx_media_access_left(play->conf.expires);

    if (left) {
        ngx_add_timer(&play->expiry, left);
        return;
    }

    ngx_media_play_stop(play, NGX_MEDIA_ACCESS_OVER);
}


static void
ngx_media_play_touch(ngx_event_t *ev)
{
    ngx_media_play_t *play = ev->data;

    if (ngx_media_viewer_touch(&play->conf.viewer) == NGX_ABORT) {
        ngx_media_play_stop(play, NGX_MEDIA_VIEWER_KICKED);
        return;
    }

    if (play->conf.viewer.sessions) {
        ngx_add_timer(&play->touch,
                      ngx_media_viewer_tick(&play->conf.viewer));
    }
}


static void
ngx_media_play_close(void *data, const char *reason)
{
    ngx_media_play_stop(data, reason);
}


void
ngx_media_play_stop(ngx_media_play_t *play, const char *reason)
{
    if (play->over) {
        return;
    }

    ngx_media_play_pause(play);

    play->over = reason;
    play->stopped = 1;

    play->conf.ready(play->conf.data);
}


ngx_uint_t
ngx_media_play_stopped(const ngx_media_play_t *play)
{
    return play->stopped;
}


ngx_uint_t
ngx_media_play_peek(ngx_media_play_t *play, ngx_uint_t skip,
    ngx_media_span_t *spans, ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_media_frame_form_t  *form;

    if (!play->begun) {
        return 0;
    }

    for (i = 0; i < n && skip + i < play->count; i++) {
        form = ngx_media_play_node(play, skip + i)->form;

        spans[i].pos = form->data + (skip + i == 0 ? play->offset : 0);
        spans[i].last = form->data + form->len;
    }

    return i;
}


void
ngx_media_play_hold(ngx_media_play_t *play, ngx_uint_t n)
{
    play->held = ngx_min(n, play->count);
}


ngx_uint_t
ngx_media_play_sent(ngx_media_play_t *play, size_t bytes)
{
    size_t                  left;
    ngx_media_play_node_t  *node;

    if (!play->begun) {

        /* what waits has no forms yet, so nothing of it was handed over */

        return play->held;
    }

    if (bytes) {
        play->progress = ngx_current_msec;
        play->conf.viewer.bytes += bytes;
    }

    while (play->count) {
        node = ngx_media_play_node(play, 0);
        left = node->form->len - play->offset;

        if (bytes < left) {
            play->offset += bytes;

            if (play->offset && play->held == 0) {
                play->held = 1;
            }

            break;
        }

        bytes -= left;

        ngx_media_play_release(play, node);

        play->offset = 0;
        play->head = (play->head + 1) & (play->size - 1);
        play->count--;

        if (play->held) {
            play->held--;
        }
    }

    if (play->count == 0) {
        play->urgent = 0;
        ngx_media_play_wait_done(play);
    }

    return play->held;
}


ngx_msec_t
ngx_media_play_stalled(const ngx_media_play_t *play)
{
    if (play->count == 0 || !play->begun) {
        return 0;
    }

    return ngx_current_msec - play->progress;
}


const char *
ngx_media_play_over(const ngx_media_play_t *play)
{
    return (play->count == 0) ? play->over : NULL;
}


const ngx_media_play_stat_t *
ngx_media_play_stat(const ngx_media_play_t *play)
{
    return &play->stat;
}


/* a message of this viewer alone: rc and form are what packing it returned */

static ngx_int_t
ngx_media_play_own(ngx_media_play_t *play, ngx_uint_t front, ngx_uint_t whose,
    ngx_int_t rc, ngx_media_frame_form_t *form)
{
    ngx_media_play_node_t  *node;

    if (rc != NGX_OK || form == NULL) {
        return rc;
    }

    node = ngx_media_play_push(play, front);

    if (node == NULL) {
        ngx_free(form);
        return NGX_ERROR;
    }

    form->key = whose;

    node->frame = NULL;
    node->form = form;

    return NGX_OK;
}


/* room for one more message, the first or the last one */

static ngx_media_play_node_t *
ngx_media_play_push(ngx_media_play_t *play, ngx_uint_t front)
{
    ngx_uint_t              i;
    ngx_media_play_node_t  *node, *nodes;

    if (play->count == play->size) {

        nodes = ngx_alloc(2 * play->size * sizeof(ngx_media_play_node_t),
                          play->conf.log);
        if (nodes == NULL) {
            return NULL;
        }

        for (i = 0; i < play->count; i++) {
            nodes[i] = *ngx_media_play_node(play, i);
        }

        ngx_free(play->nodes);

        play->nodes = nodes;
        play->head = 0;
        play->size *= 2;
    }

    if (play->count++ == 0) {
        play->progress = ngx_current_msec;
    }

    if (front) {
        play->head = (play->head - 1) & (play->size - 1);
        node = ngx_media_play_node(play, 0);

    } else {
        node = ngx_media_play_node(play, play->count - 1);
    }

    node->queued = ngx_current_msec;

    return node;
}


/* all behind the first ones; what is not sent with them is due again */

static void
ngx_media_play_drop(ngx_media_play_t *play, ngx_uint_t from)
{
    ngx_media_play_node_t  *node;

    while (play->count > from) {
        node = ngx_media_play_node(play, play->count - 1);

        if (node->frame) {
            play->stat.dropped++;
            play->stat.frames--;

        } else if (node->form->key < NGX_MEDIA_PLAY_TYPES) {
            play->tracks[node->form->key].due = 1;

        } else if (node->form->key == NGX_MEDIA_PLAY_METADATA) {
            play->metadata = 1;

        } else {
            play->begun = 0;
        }

        ngx_media_play_release(play, node);

        play->count--;
    }

    if (play->count == 0) {
        play->offset = 0;
        play->urgent = 0;
    }
}


/*
 * Another track takes the place of one of which nothing was sent: what waits of
 * it goes.  Before the beginning there are but frames.
 */

static void
ngx_media_play_forget(ngx_media_play_t *play, ngx_uint_t type)
{
    ngx_uint_t              i, n;
    ngx_media_play_node_t  *node;

    n = 0;

    for (i = 0; i < play->count; i++) {
        node = ngx_media_play_node(play, i);

        if (node->frame->type != type) {
            *ngx_media_play_node(play, n++) = *node;
            continue;
        }

        ngx_media_play_release(play, node);
        play->stat.frames--;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, play->conf.log, 0,
                   "media play forgets:%ui of type:%ui, waiting:%ui",
                   play->count - n, type, n);

    play->count = n;
}


static void
ngx_media_play_release(ngx_media_play_t *play, ngx_media_play_node_t *node)
{
    if (node->frame) {
        play->bytes -= node->frame->len;
        ngx_media_frame_unref(node->frame);
        return;
    }

    ngx_free(node->form);
}
