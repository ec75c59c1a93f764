
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* Which tracks a viewer is sent: one of video, and one of audio. */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv_write.h"
#include "ingest/ngx_media_play_state.h"


static ngx_uint_t ngx_media_play_takes(ngx_media_play_t *play,
    ngx_uint_t track, const ngx_media_params_t *params);
static const char *ngx_media_play_refuses(ngx_media_play_t *play,
    uint32_t codec);
static ngx_uint_t ngx_media_play_rank(ngx_media_play_t *play,
    const ngx_media_stream_view_t *view, ngx_uint_t i);
static void ngx_media_play_adopt(ngx_media_play_t *play, ngx_uint_t track,
    const ngx_media_params_t *params);


void
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


ngx_uint_t
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


ngx_media_play_track_t *
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
