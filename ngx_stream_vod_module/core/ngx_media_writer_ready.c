
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * When the playlists of a stream are given out.  No player comes back to a
 * multivariant playlist, and some give up at a media playlist that has no
 * segment, so both wait; but for nothing longer than it is worth.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"
#include "core/ngx_media_writer_still.h"
#include "time/ngx_media_timeline_still.h"


/*
 * ms of the clock that announced video is waited for, if track_wait is not
 * longer: without it a client never gets any
 */
#define NGX_MEDIA_VIDEO_WAIT    5000


static void ngx_media_writer_overdue(ngx_media_writer_t *w);
static void ngx_media_writer_rest(ngx_media_writer_t *w);
static ngx_msec_t ngx_media_writer_still_limit(ngx_media_writer_t *w);
static ngx_uint_t ngx_media_writer_known(ngx_media_writer_t *w, int64_t now);
static ngx_uint_t ngx_media_writer_complete(ngx_media_writer_t *w,
    int64_t now);
static ngx_uint_t ngx_media_writer_waited(ngx_media_writer_t *w, int64_t now);
static uint64_t ngx_media_writer_first(ngx_media_writer_t *w);
static ngx_msec_t ngx_media_writer_patience(ngx_media_writer_t *w);
static void ngx_media_writer_stand_in(ngx_media_writer_t *w);


void
ngx_media_writer_tick(ngx_media_writer_t *w)
{
    if (w->began && !w->ready) {
        ngx_media_writer_overdue(w);
    }

    /* of one that returns and sends nothing of use, too */

    if (w->began || w->claim.returned) {
        ngx_media_writer_rest(w);
    }
}


/*
 * Until playlists are out: whatever is waited for, what is there is given out
 * at last, though no frame comes that would ask.
 */

static void
ngx_media_writer_overdue(ngx_media_writer_t *w)
{
    ngx_uint_t  i;
    ngx_msec_t  limit;

    for (i = 0; i < w->ntracks && w->clock; i++) {

        if (ngx_media_writer_whole(w, w->tracks[i])) {
            break;
        }
    }

    limit = ngx_media_writer_patience(w);

    if (w->clock && w->clock->params.type == NGX_MEDIA_VIDEO) {

        /* a picture may show for long */

        limit = ngx_max(limit, ngx_media_writer_still_limit(w));
    }

    if (w->clock && i == w->ntracks
        && ngx_current_msec - w->arrived >= limit)
    {
        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media stands still, its first segment ends here");

        ngx_media_writer_break(w);
        ngx_media_timeline_break(&w->timeline);
    }

    ngx_media_writer_ready(w, w->began);
}


/*
 * The clock track stands still and nobody could show what it had: viewers get
 * what is open, and are told that the publisher is gone (timing.md, 13).
 */

static void
ngx_media_writer_rest(ngx_media_writer_t *w)
{
    ngx_msec_t  limit;

    limit = ngx_max(ngx_media_writer_still_limit(w),
                    (ngx_msec_t) ngx_media_timeline_patience(&w->timeline));

    if (w->resting || ngx_current_msec - w->arrived < limit) {
        return;
    }

    w->resting = 1;

    ngx_log_error(NGX_LOG_INFO, w->log, 0,
                  "media stands still for %M ms, its publisher is taken for "
                  "gone until it goes on", ngx_current_msec - w->arrived);

    ngx_media_writer_break(w);
    ngx_media_timeline_break(&w->timeline);
    ngx_media_stream_rest(&w->claim, "media stands still");
}


static ngx_msec_t
ngx_media_writer_still_limit(ngx_media_writer_t *w)
{
    return (ngx_msec_t) w->claim.stream.sh->target * 1000 * NGX_MEDIA_STILL;
}


/*
 * Playlists are given out when the tracks are known and each has a segment
 * that is whole; or when that was waited for long enough.
 */

void
ngx_media_writer_ready(ngx_media_writer_t *w, int64_t now)
{
    ngx_uint_t  i;

    if (!ngx_media_writer_known(w, now)) {
        return;
    }

    if (ngx_media_writer_track_get(w, NGX_MEDIA_AUDIO, 0) == NULL
        && (w->announce.audio || w->claim.returned))
    {
        ngx_media_writer_stand_in(w);
    }

    if (!ngx_media_writer_complete(w, now)) {
        return;
    }

    for (i = 0; i < w->ntracks && w->tracks[i] != w->clock; i++) {
        /* void */
    }

    if (i == w->ntracks) {

        /* between two periods there is no clock track */

        for (i = 0; i + 1 < w->ntracks && w->tracks[i]->refused; i++) {
            /* void */
        }
    }

    if (w->announce.video && !(w->useless & 1 << NGX_MEDIA_VIDEO)
        && ngx_media_writer_track_get(w, NGX_MEDIA_VIDEO, 0) == NULL)
    {
        ngx_log_error(NGX_LOG_WARN, w->log, 0,
                      "media video was announced and has not come, "
                      "playlists are given out without it");
    }

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media ready, tracks:%ui clock:%ui media:%L wall:%M",
                   w->ntracks, w->tracks[i]->packer.index, now - w->began,
                   ngx_current_msec - w->since);

    w->ready = 1;

    ngx_media_stream_ready(&w->claim, w->tracks[i]->packer.index,
                           w->claim.returned ? 0 : ngx_media_writer_first(w));
}


void
ngx_media_writer_useless(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id)
{
    ngx_media_writer_track_t  *t;

    if (id == 0 && !(w->useless & 1 << type)) {

        ngx_log_debug1(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media track of type %d is not waited for", (int) type);

        w->useless |= 1 << type;
        ngx_media_timeline_deny(&w->timeline, type);
    }

    t = ngx_media_writer_track_get(w, type, id);

    if (t && t->line && !t->line->refused) {
        ngx_media_timeline_refuse(t->line, 1);

        if (type == NGX_MEDIA_VIDEO) {
            ngx_media_writer_broken(t);
        }
    }
}


void
ngx_media_writer_useful(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_media_type_e  type;

    if (t->line) {
        ngx_media_timeline_refuse(t->line, 0);
    }

    type = t->params.type;

    if (t->id || !(w->useless & 1 << type)) {
        return;
    }

    w->useless &= ~(1 << type);

    if (type == NGX_MEDIA_VIDEO ? w->announce.video : w->announce.audio) {
        ngx_media_timeline_announce(&w->timeline, type);
    }
}


/*
 * Tracks are known when all that was announced, or else one of each, has its
 * header or is refused; or when track_wait has passed, for video more
 * (timing.md, 2).
 */

static ngx_uint_t
ngx_media_writer_known(ngx_media_writer_t *w, int64_t now)
{
    ngx_uint_t                 no_audio, no_video;
    ngx_media_writer_track_t  *audio, *video;

    video = ngx_media_writer_track_get(w, NGX_MEDIA_VIDEO, 0);
    audio = ngx_media_writer_track_get(w, NGX_MEDIA_AUDIO, 0);

    no_video = w->useless & 1 << NGX_MEDIA_VIDEO;
    no_audio = w->useless & 1 << NGX_MEDIA_AUDIO;

    if (ngx_current_msec - w->since >= ngx_media_writer_patience(w)) {
        return 1;
    }

    if (!no_video
        && (video ? !video->packer.listed && !video->refused
                  : w->announce.video))
    {
        return 0;
    }

    if (ngx_media_writer_waited(w, now)) {
        return 1;
    }

    if (audio || no_audio) {
        return w->announced || video || no_video;
    }

    return w->announced && !w->announce.audio;
}


static ngx_uint_t
ngx_media_writer_complete(ngx_media_writer_t *w, int64_t now)
{
    ngx_msec_t                 limit;
    ngx_uint_t                 i, n, overdue, waited, wanting, whole;
    ngx_media_writer_track_t  *t;

    limit = ngx_media_writer_patience(w)
            + (ngx_msec_t) w->claim.stream.sh->target * 1000;

    overdue = ngx_current_msec - w->since >= limit;
    waited = ngx_media_writer_waited(w, now);
    wanting = ngx_media_derived_wanting(w, waited);
    whole = 0;

    for (i = 0; i < w->ntracks; i++) {
        t = w->tracks[i];

        if (t->refused) {
            continue;
        }

        if (t->packer.bandwidth == 0) {
            ngx_media_writer_bandwidth(w, t);
        }

        n = ngx_media_writer_whole(w, t);
        whole += n;

        if (t->line->refused) {
            continue;
        }

        if (t->packer.listed ? !n || t->packer.bandwidth == 0 : !waited) {
            wanting++;
        }
    }

    return whole && (overdue || !wanting);
}


static ngx_uint_t
ngx_media_writer_waited(ngx_media_writer_t *w, int64_t now)
{
    return now - w->began >= (int64_t) w->app->track_wait
           || ngx_current_msec - w->since >= ngx_media_writer_patience(w);
}


/*
 * Players begin where all tracks do: what was heard before the picture came
 * is not listed
 */

static uint64_t
ngx_media_writer_first(ngx_media_writer_t *w)
{
    uint64_t    first, own;
    ngx_uint_t  i;

    first = ngx_media_derived_first(w);

    for (i = 0; i < w->ntracks; i++) {
        own = w->tracks[i]->refused ? 0
              : ngx_media_track_first(&w->claim, w->tracks[i]->packer.index);
        first = ngx_max(first, own);
    }

    return first;
}


static ngx_msec_t
ngx_media_writer_patience(ngx_media_writer_t *w)
{
    return ngx_max(w->app->track_wait, NGX_MEDIA_VIDEO_WAIT);
}


ngx_uint_t
ngx_media_writer_whole(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    return !t->refused
           && ngx_media_track_first(&w->claim, t->packer.index) != 0;
}


/*
 * Audio was announced, or was there before the publisher returned, and has
 * not come: silence, until it does.  Clients that play the old track have no
 * other way to go on.
 */

static void
ngx_media_writer_stand_in(ngx_media_writer_t *w)
{
    ngx_media_params_t         params;
    ngx_media_silence_t        silence;
    const ngx_media_codec_t   *codec;
    ngx_media_writer_track_t  *t;

    if (ngx_media_track_params(&w->claim, NGX_MEDIA_AUDIO, 0, &params)
        == NGX_OK)
    {
        codec = ngx_media_codec_find(params.codec);

        if (codec == NULL || codec->silence == NULL
            || codec->silence(&params, &silence) != NGX_OK)
        {
            return;
        }

    } else if (!w->announce.audio
               || ngx_media_aac_params(&params,
                                       w->announce.sample_rate
                                       ? w->announce.sample_rate : 44100,
                                       w->announce.channels
                                       ? w->announce.channels : 2)
                  != NGX_OK)
    {
        return;
    }

    if (ngx_media_writer_track_add(w, 0, &params, &t) == NGX_OK) {
        ngx_media_timeline_absent(t->line, 1);

        /* from where the others began, if that is still open to it */

        if (!t->joining) {
            t->line->start = w->timeline.cut;
        }

        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media audio has not come, silence stands in for it");
    }
}
