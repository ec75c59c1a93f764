
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "ingest/ngx_media_play_state.h"


#define NGX_MEDIA_PLAY_NODES     64           /* at first; a power of 2 */

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


static ngx_int_t ngx_media_play_follow(ngx_media_play_t *play);
static void ngx_media_play_frame_handler(void *data, ngx_media_frame_t *frame);
static ngx_uint_t ngx_media_play_admit(ngx_media_play_t *play,
    ngx_media_play_track_t *track, ngx_media_frame_t *frame);
static void ngx_media_play_fall_behind(ngx_media_play_t *play);
static ngx_int_t ngx_media_play_put(ngx_media_play_t *play,
    ngx_media_play_track_t *track, ngx_media_frame_t *frame);
static ngx_int_t ngx_media_play_renew(ngx_media_play_t *play,
    ngx_media_play_track_t *track, ngx_media_frame_t *frame);
static void ngx_media_play_flush_handler(void *data);
static ngx_uint_t ngx_media_play_expects(ngx_media_play_t *play);
static ngx_int_t ngx_media_play_headers(ngx_media_play_t *play);
static ngx_int_t ngx_media_play_forms(ngx_media_play_t *play);
static void ngx_media_play_wait(ngx_media_play_t *play);
static void ngx_media_play_timer_handler(ngx_event_t *ev);
static void ngx_media_play_end_handler(void *data, const char *reason);
static void ngx_media_play_expire(ngx_event_t *ev);
static void ngx_media_play_touch(ngx_event_t *ev);
static void ngx_media_play_close(void *data, const char *reason);


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

ngx_int_t
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


void
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
