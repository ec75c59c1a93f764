
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The first frames wait for one another: tables that name all tracks are what
 * receivers should begin with, and these say so when their frames come.  What
 * is read at once then, from the last key frame on, has times as if it had come
 * when it was to be shown.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_follow.h"
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_srt_feed.h"
#include "ingest/ngx_media_srt_session.h"
#include "packager/ngx_media_pack_push.h"


/* ms that a payload waits for the rest of its bytes */
#define NGX_MEDIA_SRT_FEED_WAIT      20

/* ms that the first frames wait for a track that is known to be there */
#define NGX_MEDIA_SRT_FEED_PATIENCE  500
#define NGX_MEDIA_SRT_FEED_LOOK      50

/* us that payloads are kept for, longer than anybody's latency, and at least:
   who begins is sent 2 s that were before */
#define NGX_MEDIA_SRT_FEED_KEEP      1000000
#define NGX_MEDIA_SRT_FEED_LEAST     2500000

/* us without a key frame, after which nobody waits for one to begin with */
#define NGX_MEDIA_SRT_FEED_KEYLESS   10000000

#define NGX_MEDIA_SRT_FEED_POOL      4096
#define NGX_MEDIA_SRT_FEED_HELD      256      /* frames, at first */


struct ngx_media_srt_feed_s {
    ngx_queue_t                   queue;      /* of this process */
    ngx_queue_t                   members;
    ngx_queue_t                  *next;       /* of them, is told next */
    ngx_media_stream_t            stream;
    ngx_log_t                    *log;
    ngx_media_follow_t           *follow;     /* NULL: it is over */
    const char                   *over;       /* why; static */
    ngx_media_pack_push_t         push;
    ngx_media_srt_ring_t          ring;
    ngx_media_srt_payload_t      *payload;    /* being filled; NULL: none */
    ngx_event_t                   timer;

    ngx_media_frame_t           **held;       /* until all tracks are known */
    ngx_uint_t                    nheld;
    ngx_uint_t                    max_held;
    ngx_msec_t                    since;      /* they began to wait */

    int64_t                       now;        /* us: of what is written */
    int64_t                       key_time;   /* us: of the last key frame */
    uint64_t                      version;    /* of the stream: what is said of
                                                 tracks is as of that */
    uint32_t                      left;       /* by place of a track: it is
                                                 left out */
    unsigned                      begun:1;    /* frames are held no more */
    unsigned                      fresh:1;    /* payloads were put */
    unsigned                      key:1;      /* frames were */
    unsigned                      busy:1;     /* members are being told */
};


static ngx_media_srt_feed_t *ngx_media_srt_feed_get(
    const ngx_media_stream_t *stream);
static ngx_int_t ngx_media_srt_feed_create(const ngx_media_stream_t *stream,
    ngx_media_srt_slots_t *slots, ngx_media_srt_feed_t **out);
static void ngx_media_srt_feed_free(ngx_media_srt_feed_t *feed);
static void ngx_media_srt_feed_keep(ngx_media_srt_feed_t *feed);
static void ngx_media_srt_feed_params(void *data, ngx_uint_t track,
    const ngx_media_params_t *params);
static ngx_uint_t ngx_media_srt_feed_place(ngx_media_srt_feed_t *feed,
    ngx_uint_t track, ngx_uint_t type);
static ngx_pool_t *ngx_media_srt_feed_view(ngx_media_srt_feed_t *feed,
    ngx_media_stream_view_t *view);
static const ngx_media_track_view_t *ngx_media_srt_feed_track(
    const ngx_media_stream_view_t *view, ngx_uint_t track);
static ngx_uint_t ngx_media_srt_feed_video(
    const ngx_media_stream_view_t *view);
static void ngx_media_srt_feed_describe(ngx_media_srt_feed_t *feed);
static ngx_uint_t ngx_media_srt_feed_expects(ngx_media_srt_feed_t *feed);
static void ngx_media_srt_feed_frame(void *data, ngx_media_frame_t *frame);
static void ngx_media_srt_feed_retry(ngx_media_srt_feed_t *feed,
    ngx_media_frame_t *frame);
static ngx_int_t ngx_media_srt_feed_hold(ngx_media_srt_feed_t *feed,
    ngx_media_frame_t *frame);
static void ngx_media_srt_feed_begin(ngx_media_srt_feed_t *feed);
static void ngx_media_srt_feed_order(ngx_media_srt_feed_t *feed);
static ngx_media_frame_t *ngx_media_srt_feed_first(ngx_media_srt_feed_t *feed,
    ngx_uint_t track);
static int64_t ngx_media_srt_feed_time(const ngx_media_frame_t *frame);
static ngx_uint_t ngx_media_srt_feed_key(ngx_media_srt_feed_t *feed,
    const ngx_media_frame_t *frame);
static void ngx_media_srt_feed_write(ngx_media_srt_feed_t *feed,
    ngx_media_frame_t *frame);
static void ngx_media_srt_feed_put(ngx_media_srt_feed_t *feed);
static void ngx_media_srt_feed_flush(void *data);
static void ngx_media_srt_feed_timer(ngx_event_t *ev);
static void ngx_media_srt_feed_over(void *data, const char *reason);
static void ngx_media_srt_feed_tell(ngx_media_srt_feed_t *feed);


static ngx_queue_t  ngx_media_srt_feeds = {
    &ngx_media_srt_feeds, &ngx_media_srt_feeds
};


ngx_int_t
ngx_media_srt_feed_join(const ngx_media_stream_t *stream,
    ngx_media_srt_feed_member_t *member)
{
    ngx_int_t              rc;
    ngx_uint_t             state;
    ngx_media_srt_feed_t  *feed;

    /* what has ended stays readable for a while, but nothing passes any more */

    state = ngx_media_stream_state(stream);

    if (state == 0 || state == NGX_MEDIA_STREAM_ENDED) {
        return NGX_DONE;
    }

    feed = ngx_media_srt_feed_get(stream);

    if (feed == NULL) {
        rc = ngx_media_srt_feed_create(stream, member->slots, &feed);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    member->feed = feed;
    ngx_queue_insert_tail(&feed->members, &member->queue);

    ngx_media_srt_feed_keep(feed);

    return NGX_OK;
}


void
ngx_media_srt_feed_leave(ngx_media_srt_feed_member_t *member)
{
    ngx_media_srt_feed_t  *feed;

    feed = member->feed;

    if (feed == NULL) {
        return;
    }

    if (feed->next == &member->queue) {
        feed->next = ngx_queue_next(&member->queue);
    }

    ngx_queue_remove(&member->queue);
    member->feed = NULL;

    if (ngx_queue_empty(&feed->members)) {

        if (!feed->busy) {
            ngx_media_srt_feed_free(feed);
        }

        return;
    }

    ngx_media_srt_feed_keep(feed);
}


const ngx_media_srt_ring_t *
ngx_media_srt_feed_ring(const ngx_media_srt_feed_t *feed)
{
    return &feed->ring;
}


static ngx_media_srt_feed_t *
ngx_media_srt_feed_get(const ngx_media_stream_t *stream)
{
    ngx_queue_t           *q;
    ngx_media_srt_feed_t  *feed;

    for (q = ngx_queue_head(&ngx_media_srt_feeds);
         q != ngx_queue_sentinel(&ngx_media_srt_feeds);
         q = ngx_queue_next(q))
    {
        feed = ngx_queue_data(q, ngx_media_srt_feed_t, queue);

        if (feed->stream.zone == stream->zone
            && feed->stream.sh == stream->sh
            && feed->stream.id == stream->id
            && feed->over == NULL)
        {
            return feed;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_media_srt_feed_create(const ngx_media_stream_t *stream,
    ngx_media_srt_slots_t *slots, ngx_media_srt_feed_t **out)
{
    ngx_int_t                rc;
    ngx_media_srt_feed_t    *feed;
    ngx_media_follow_conf_t  conf;

    feed = ngx_calloc(sizeof(ngx_media_srt_feed_t), stream->zone->log);
    if (feed == NULL) {
        return NGX_ERROR;
    }

    feed->stream = *stream;
    feed->log = stream->zone->log;
    feed->since = ngx_current_msec;
    feed->ring.slots = slots;

    ngx_queue_init(&feed->members);
    ngx_media_pack_push_init(&feed->push);

    feed->timer.handler = ngx_media_srt_feed_timer;
    feed->timer.data = feed;
    feed->timer.log = feed->log;
    feed->timer.cancelable = 1;

    ngx_memzero(&conf, sizeof(ngx_media_follow_conf_t));

    conf.stream = *stream;
    conf.log = feed->log;
    conf.params = ngx_media_srt_feed_params;
    conf.frame = ngx_media_srt_feed_frame;
    conf.flush = ngx_media_srt_feed_flush;
    conf.end = ngx_media_srt_feed_over;
    conf.data = feed;

    rc = ngx_media_follow_begin(&conf, &feed->follow);

    if (rc != NGX_OK) {
        ngx_free(feed);
        return rc;
    }

    ngx_queue_insert_tail(&ngx_media_srt_feeds, &feed->queue);

    *out = feed;

    return NGX_OK;
}


static void
ngx_media_srt_feed_free(ngx_media_srt_feed_t *feed)
{
    ngx_uint_t  i;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, feed->log, 0,
                   "media srt feed ends, payloads:%uL late:%uL breaks:%uL "
                   "damaged:%uD", feed->ring.head, feed->push.ts.late,
                   feed->push.ts.breaks, feed->push.ts.mux.damaged);

    if (feed->follow) {
        ngx_media_follow_end(feed->follow);
    }

    if (feed->timer.timer_set) {
        ngx_del_timer(&feed->timer);
    }

    for (i = 0; i < feed->nheld; i++) {
        ngx_media_frame_unref(feed->held[i]);
    }

    if (feed->held) {
        ngx_free(feed->held);
    }

    ngx_media_pack_push_free(&feed->push);
    ngx_media_srt_ring_free(&feed->ring);

    ngx_queue_remove(&feed->queue);

    ngx_free(feed);
}


static void
ngx_media_srt_feed_keep(ngx_media_srt_feed_t *feed)
{
    int64_t                       keep;
    ngx_queue_t                  *q;
    ngx_media_srt_feed_member_t  *member;

    feed->ring.keep = NGX_MEDIA_SRT_FEED_LEAST;

    for (q = ngx_queue_head(&feed->members);
         q != ngx_queue_sentinel(&feed->members);
         q = ngx_queue_next(q))
    {
        member = ngx_queue_data(q, ngx_media_srt_feed_member_t, queue);

        keep = (int64_t) member->latency * 1000 + NGX_MEDIA_SRT_FEED_KEEP;

        feed->ring.keep = ngx_max(feed->ring.keep, keep);
    }
}


/* a track begins, or goes on with other parameters */

static void
ngx_media_srt_feed_params(void *data, ngx_uint_t track,
    const ngx_media_params_t *params)
{
    ngx_media_srt_feed_t *feed = data;

    uint32_t                  bit;
    ngx_int_t                 rc;
    ngx_uint_t                n;
    const ngx_media_codec_t  *codec;

    /* of frames that are held they are looked up when it begins */

    if (!feed->begun || params->type == NGX_MEDIA_TEXT) {
        return;
    }

    bit = (uint32_t) 1 << ngx_media_track_place(track);

    n = ngx_media_srt_feed_place(feed, track, params->type);

    rc = (n == NGX_MEDIA_TS_TRACKS)
         ? NGX_ERROR
         : ngx_media_pack_push_track(&feed->push, n, track, params);

    if (rc == NGX_OK) {
        feed->left &= ~bit;
        feed->version = 0;

        ngx_log_debug3(NGX_LOG_DEBUG_CORE, feed->log, 0,
                       "media srt feed has track:%ui at:%ui of:%uD", track, n,
                       feed->push.ts.mux.ntracks);
        return;
    }

    if (feed->left & bit) {
        return;
    }

    feed->left |= bit;

    codec = ngx_media_codec_find(params->codec);

    ngx_log_error(NGX_LOG_INFO, feed->log, 0,
                  "srt: track:%ui of codec %s is left out for viewers: %s",
                  track, codec ? (char *) codec->name.data : "unknown",
                  rc == NGX_DECLINED ? "MPEG-TS does not carry it"
                                     : "there is no place for it");
}


/*
 * One track of video is sent, that of the clock, and all of audio.  Who comes
 * instead of one that is over has its place.  NGX_MEDIA_TS_TRACKS: none.
 */

static ngx_uint_t
ngx_media_srt_feed_place(ngx_media_srt_feed_t *feed, ngx_uint_t track,
    ngx_uint_t type)
{
    ngx_uint_t                     i, n;
    ngx_pool_t                    *pool;
    ngx_media_pack_push_t         *push;
    ngx_media_stream_view_t        view;
    const ngx_media_track_view_t  *t;

    push = &feed->push;

    for (i = 0; i < push->ts.mux.ntracks; i++) {
        if (push->tracks[i] == track) {
            return i;
        }
    }

    pool = ngx_media_srt_feed_view(feed, &view);

    if (pool == NULL) {
        return NGX_MEDIA_TS_TRACKS;
    }

    n = push->ts.mux.ntracks;

    if (type == NGX_MEDIA_VIDEO
        && ngx_media_srt_feed_video(&view) != track)
    {
        n = NGX_MEDIA_TS_TRACKS;
        goto done;
    }

    for (i = 0; i < push->ts.mux.ntracks; i++) {

        if (push->ts.es[i].type != type) {
            continue;
        }

        t = ngx_media_srt_feed_track(&view, push->tracks[i]);

        if (type == NGX_MEDIA_VIDEO || t == NULL || t->ended || t->away) {
            n = i;
            break;
        }
    }

done:

    ngx_destroy_pool(pool);

    return n;
}


/* NULL: no memory, or it has gone; to be destroyed by the caller */

static ngx_pool_t *
ngx_media_srt_feed_view(ngx_media_srt_feed_t *feed,
    ngx_media_stream_view_t *view)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(NGX_MEDIA_SRT_FEED_POOL, feed->log);
    if (pool == NULL) {
        return NULL;
    }

    if (ngx_media_stream_view(&feed->stream, pool, NGX_MEDIA_NO_TRACK, view)
        != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return pool;
}


static const ngx_media_track_view_t *
ngx_media_srt_feed_track(const ngx_media_stream_view_t *view,
    ngx_uint_t track)
{
    ngx_uint_t  i;

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].index == track) {
            return &view->tracks[i];
        }
    }

    return NULL;
}


/* the one that is sent, as things are now */

static ngx_uint_t
ngx_media_srt_feed_video(const ngx_media_stream_view_t *view)
{
    ngx_uint_t                     i, track;
    const ngx_media_track_view_t  *t;

    track = NGX_MEDIA_NO_TRACK;

    for (i = 0; i < view->ntracks; i++) {
        t = &view->tracks[i];

        if (t->type != NGX_MEDIA_VIDEO || t->ended || t->away) {
            continue;
        }

        if (track == NGX_MEDIA_NO_TRACK || i == view->clock) {
            track = t->index;
        }
    }

    return track;
}


/* languages, which publishers may say later, or change */

static void
ngx_media_srt_feed_describe(ngx_media_srt_feed_t *feed)
{
    uint64_t                       version;
    ngx_uint_t                     i;
    ngx_pool_t                    *pool;
    ngx_media_stream_view_t        view;
    const ngx_media_track_view_t  *t;

    version = ngx_media_stream_version(&feed->stream);

    if (version == feed->version) {
        return;
    }

    feed->version = version;

    pool = ngx_media_srt_feed_view(feed, &view);

    if (pool == NULL) {
        return;
    }

    for (i = 0; i < feed->push.ts.mux.ntracks; i++) {

        t = ngx_media_srt_feed_track(&view, feed->push.tracks[i]);

        if (t == NULL || t->type != NGX_MEDIA_AUDIO) {
            continue;
        }

        /* without room it is not said */

        (void) ngx_media_pack_push_describe(&feed->push, i, &t->lang,
                                t->described ? NGX_MEDIA_TS_AUDIO_DESCRIPTION
                                : t->sdh ? NGX_MEDIA_TS_AUDIO_CLEAR : 0);
    }

    ngx_destroy_pool(pool);
}


/* is there a track that will be sent and of which nothing has come? */

static ngx_uint_t
ngx_media_srt_feed_expects(ngx_media_srt_feed_t *feed)
{
    ngx_uint_t                     expects, i, video;
    ngx_pool_t                    *pool;
    ngx_media_stream_view_t        view;
    const ngx_media_track_view_t  *t;

    if (ngx_current_msec - feed->since >= NGX_MEDIA_SRT_FEED_PATIENCE) {
        return 0;
    }

    pool = ngx_media_srt_feed_view(feed, &view);

    if (pool == NULL) {
        return 0;
    }

    expects = 0;
    video = ngx_media_srt_feed_video(&view);

    for (i = 0; i < view.ntracks && !expects; i++) {
        t = &view.tracks[i];

        if (t->type == NGX_MEDIA_TEXT || t->ended || t->away
            || (t->type == NGX_MEDIA_VIDEO && t->index != video))
        {
            continue;
        }

        expects = (ngx_media_srt_feed_first(feed, t->index) == NULL);
    }

    ngx_destroy_pool(pool);

    return expects;
}


static void
ngx_media_srt_feed_frame(void *data, ngx_media_frame_t *frame)
{
    ngx_media_srt_feed_t *feed = data;

    if (frame->type == NGX_MEDIA_VIDEO
        && (frame->flags & NGX_MEDIA_FRAME_KEY))
    {
        feed->key = 1;

        if (feed->left >> ngx_media_track_place(frame->track) & 1) {
            ngx_media_srt_feed_retry(feed, frame);
        }
    }

    if (feed->begun) {
        ngx_media_srt_feed_write(feed, frame);
        return;
    }

    if (ngx_media_srt_feed_hold(feed, frame) != NGX_OK) {
        ngx_media_srt_feed_begin(feed);
    }
}


/*
 * Its track with the parameters that it has: it was held, or left out, and what
 * was sent may have ended after it began
 */

static void
ngx_media_srt_feed_retry(ngx_media_srt_feed_t *feed, ngx_media_frame_t *frame)
{
    ngx_media_params_t  params;

    if (ngx_media_track_init_params(&feed->stream, frame->track, frame->init,
                                    &params)
        == NGX_OK)
    {
        ngx_media_srt_feed_params(feed, frame->track, &params);
    }
}


static ngx_int_t
ngx_media_srt_feed_hold(ngx_media_srt_feed_t *feed, ngx_media_frame_t *frame)
{
    ngx_uint_t           n;
    ngx_media_frame_t  **held;

    if (feed->nheld == 0) {
        feed->since = ngx_current_msec;
    }

    if (feed->nheld == feed->max_held) {
        n = ngx_max(feed->max_held * 2, NGX_MEDIA_SRT_FEED_HELD);

        held = ngx_alloc(n * sizeof(ngx_media_frame_t *), feed->log);
        if (held == NULL) {
            return NGX_ERROR;
        }

        if (feed->held) {
            ngx_memcpy(held, feed->held,
                       feed->nheld * sizeof(ngx_media_frame_t *));
            ngx_free(feed->held);
        }

        feed->held = held;
        feed->max_held = n;
    }

    feed->held[feed->nheld++] = ngx_media_frame_ref(frame);

    return NGX_OK;
}


static void
ngx_media_srt_feed_begin(ngx_media_srt_feed_t *feed)
{
    int64_t             last, now, time;
    uint64_t            inits[NGX_MEDIA_TRACKS];
    ngx_uint_t          i, place;
    ngx_media_frame_t  *frame;

    now = ngx_media_srt_now();
    last = 0;

    for (i = 0; i < feed->nheld; i++) {
        time = ngx_media_srt_feed_time(feed->held[i]);
        last = i ? ngx_max(last, time) : time;
    }

    feed->begun = 1;
    feed->now = 0;

    ngx_media_srt_feed_order(feed);
    ngx_media_srt_feed_describe(feed);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, feed->log, 0,
                   "media srt feed begins, tracks:%uD frames:%ui span:%L us",
                   feed->push.ts.mux.ntracks, feed->nheld,
                   feed->nheld ? last - ngx_media_srt_feed_time(feed->held[0])
                               : 0);

    ngx_memzero(inits, sizeof(inits));

    for (i = 0; i < feed->nheld; i++) {
        frame = feed->held[i];
        place = ngx_media_track_place(frame->track);

        if (inits[place] && inits[place] != frame->init) {
            ngx_media_srt_feed_retry(feed, frame);
        }

        inits[place] = frame->init;

        /* times of a ring do not go back */

        time = now - (last - ngx_media_srt_feed_time(frame));
        feed->now = feed->now ? ngx_max(feed->now, time) : time;

        ngx_media_srt_feed_write(feed, frame);
        ngx_media_frame_unref(frame);
    }

    if (feed->held) {
        ngx_free(feed->held);
    }

    feed->held = NULL;
    feed->nheld = 0;
    feed->max_held = 0;
    feed->now = 0;
}


/* the video, then sound, in the order in which playlists have it */

static void
ngx_media_srt_feed_order(ngx_media_srt_feed_t *feed)
{
    ngx_uint_t                i, type;
    ngx_pool_t               *pool;
    ngx_media_frame_t        *frame;
    ngx_media_stream_view_t   view;

    pool = ngx_media_srt_feed_view(feed, &view);

    if (pool == NULL) {
        return;
    }

    for (type = NGX_MEDIA_VIDEO; type <= NGX_MEDIA_AUDIO; type++) {
        for (i = 0; i < view.ntracks; i++) {

            if (view.tracks[i].type != type) {
                continue;
            }

            frame = ngx_media_srt_feed_first(feed, view.tracks[i].index);

            if (frame) {
                ngx_media_srt_feed_retry(feed, frame);
            }
        }
    }

    ngx_destroy_pool(pool);
}


/* that is held of a track, or NULL */

static ngx_media_frame_t *
ngx_media_srt_feed_first(ngx_media_srt_feed_t *feed, ngx_uint_t track)
{
    ngx_uint_t  i;

    for (i = 0; i < feed->nheld; i++) {
        if (feed->held[i]->track == track) {
            return feed->held[i];
        }
    }

    return NULL;
}


/* us, since the unix epoch */

static int64_t
ngx_media_srt_feed_time(const ngx_media_frame_t *frame)
{
    int64_t  scale;

    scale = frame->timescale;

    return frame->dts / scale * 1000000 + frame->dts % scale * 1000000 / scale;
}


/*
 * Who begins does so with tables, and video with a key frame behind them.  A
 * camera that was switched off has none any more, but there is sound.
 */

static ngx_uint_t
ngx_media_srt_feed_key(ngx_media_srt_feed_t *feed,
    const ngx_media_frame_t *frame)
{
    int64_t                     time;
    const ngx_media_ts_push_t  *ts;

    ts = &feed->push.ts;
    time = ngx_media_srt_feed_time(frame);

    if (ts->es[ts->mux.pcr_track].type != NGX_MEDIA_VIDEO) {
        return !ts->mux.psi;
    }

    if (frame->type == NGX_MEDIA_VIDEO
        && (frame->flags & NGX_MEDIA_FRAME_KEY))
    {
        feed->key_time = time;
        return 1;
    }

    return !ts->mux.psi
           && time - feed->key_time > NGX_MEDIA_SRT_FEED_KEYLESS;
}


static void
ngx_media_srt_feed_write(ngx_media_srt_feed_t *feed, ngx_media_frame_t *frame)
{
    u_char               *p;
    ngx_int_t             rc;
    ngx_uint_t            key;
    ngx_media_ts_push_t  *ts;

    if (ngx_media_pack_push_frame(&feed->push, frame) != NGX_OK) {
        return;
    }

    if (feed->now == 0) {
        feed->now = ngx_media_srt_now();
    }

    ts = &feed->push.ts;
    key = ngx_media_srt_feed_key(feed, frame);

    if (key && feed->payload) {
        ngx_media_srt_feed_put(feed);
    }

    do {
        if (feed->payload == NULL) {
            feed->payload = ngx_media_srt_ring_next(&feed->ring, feed->log);

            if (feed->payload == NULL) {
                return;
            }

            feed->payload->key = key ? 1 : 0;
            key = 0;
        }

        p = feed->payload->data + feed->payload->len;

        rc = ngx_media_ts_push_write(ts, &p, feed->payload->data
                                             + NGX_MEDIA_SRT_RING_PAYLOAD);

        feed->payload->len = (uint32_t) (p - feed->payload->data);

        if (feed->payload->len == NGX_MEDIA_SRT_RING_PAYLOAD) {
            ngx_media_srt_feed_put(feed);
        }

    } while (rc == NGX_OK);
}


static void
ngx_media_srt_feed_put(ngx_media_srt_feed_t *feed)
{
    feed->payload->time = feed->now;
    feed->payload = NULL;

    ngx_media_srt_ring_put(&feed->ring);

    feed->fresh = 1;
}


static void
ngx_media_srt_feed_flush(void *data)
{
    ngx_media_srt_feed_t *feed = data;

    if (!feed->begun) {

        if (ngx_media_srt_feed_expects(feed)) {

            if (!feed->timer.timer_set) {
                ngx_add_timer(&feed->timer, NGX_MEDIA_SRT_FEED_LOOK);
            }

            return;
        }

        ngx_media_srt_feed_begin(feed);
    }

    if (feed->key || feed->version == 0) {
        feed->key = 0;
        ngx_media_srt_feed_describe(feed);
    }

    feed->now = 0;

    if (feed->payload && !feed->timer.timer_set) {
        ngx_add_timer(&feed->timer, NGX_MEDIA_SRT_FEED_WAIT);
    }

    ngx_media_srt_feed_tell(feed);

    if (ngx_queue_empty(&feed->members)) {
        ngx_media_srt_feed_free(feed);
    }
}


/* what waits has waited long enough */

static void
ngx_media_srt_feed_timer(ngx_event_t *ev)
{
    ngx_media_srt_feed_t *feed = ev->data;

    if (!feed->begun) {
        ngx_media_srt_feed_flush(feed);
        return;
    }

    if (feed->payload) {
        feed->now = ngx_media_srt_now();

        ngx_media_srt_feed_put(feed);

        feed->now = 0;
    }

    ngx_media_srt_feed_tell(feed);

    if (ngx_queue_empty(&feed->members)) {
        ngx_media_srt_feed_free(feed);
    }
}


static void
ngx_media_srt_feed_over(void *data, const char *reason)
{
    ngx_media_srt_feed_t *feed = data;

    ngx_media_srt_feed_member_t  *member;

    ngx_media_follow_end(feed->follow);

    feed->follow = NULL;
    feed->over = reason;

    if (feed->payload) {
        feed->now = ngx_media_srt_now();
        ngx_media_srt_feed_put(feed);
    }

    ngx_media_srt_feed_tell(feed);

    if (feed->timer.timer_set) {
        ngx_del_timer(&feed->timer);
    }

    feed->busy = 1;
    feed->next = ngx_queue_head(&feed->members);

    while (feed->next != ngx_queue_sentinel(&feed->members)) {
        member = ngx_queue_data(feed->next, ngx_media_srt_feed_member_t,
                                queue);

        feed->next = ngx_queue_next(feed->next);

        member->end(member->data, reason);
    }

    feed->next = NULL;
    feed->busy = 0;

    if (ngx_queue_empty(&feed->members)) {
        ngx_media_srt_feed_free(feed);
    }
}


/* each may leave, and have others leave */

static void
ngx_media_srt_feed_tell(ngx_media_srt_feed_t *feed)
{
    ngx_media_srt_feed_member_t  *member;

    if (!feed->fresh) {
        return;
    }

    feed->fresh = 0;
    feed->busy = 1;
    feed->next = ngx_queue_head(&feed->members);

    while (feed->next != ngx_queue_sentinel(&feed->members)) {
        member = ngx_queue_data(feed->next, ngx_media_srt_feed_member_t,
                                queue);

        feed->next = ngx_queue_next(feed->next);

        member->ready(member->data);
    }

    feed->next = NULL;
    feed->busy = 0;
}
