
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tracks of a writer: what they are, and what becomes of them as what their
 * publisher says of them changes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"
#include "core/ngx_media_writer_still.h"
#include "time/ngx_media_timeline_still.h"


/* lines that may be written in so many ms */
#define NGX_MEDIA_WRITER_LINES   10
#define NGX_MEDIA_WRITER_TELL    10000


static void ngx_media_writer_timescale(ngx_media_writer_t *w, ngx_uint_t id,
    ngx_media_params_t *params);
static ngx_int_t ngx_media_writer_track_change(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_params_t *params);
static ngx_int_t ngx_media_writer_line(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static ngx_int_t ngx_media_writer_store(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_go_on(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t);
static void ngx_media_writer_refuse(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, ngx_int_t rc);
static uint32_t ngx_media_writer_frame_duration(ngx_media_writer_t *w,
    const ngx_media_params_t *params);


ngx_media_writer_track_t *
ngx_media_writer_track_get(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i]->params.type == type && w->tracks[i]->id == id) {
            return w->tracks[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_media_writer_track(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_uint_t *track)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_media_params_t         own;
    ngx_media_writer_track_t  *t;

    t = ngx_media_writer_track_get(w, params->type, id);

    ngx_media_params_copy(&own, params);
    ngx_media_writer_timescale(w, id, &own);

    if (t == NULL) {
        rc = ngx_media_writer_track_add(w, id, &own, &t);

    } else {
        rc = ngx_media_writer_track_change(w, t, &own);
    }

    for (i = 0; i < w->ntracks; i++) {
        if (w->tracks[i] == t) {
            *track = i;
        }
    }

    if (rc == NGX_OK) {
        ngx_media_writer_useful(w, t);
    }

    return rc;
}


/*
 * Audio keeps the timescale of its track when its sampling rate changes: what
 * is listed counts in it, and clients cannot follow into another track.
 */

static void
ngx_media_writer_timescale(ngx_media_writer_t *w, ngx_uint_t id,
    ngx_media_params_t *params)
{
    ngx_media_params_t  old;

    if (params->type != NGX_MEDIA_AUDIO
        || ngx_media_track_params(&w->claim, params->type, id, &old)
           != NGX_OK
        || old.codec != params->codec
        || old.timescale == params->timescale)
    {
        return;
    }

    params->frame_samples = ngx_media_writer_frame_samples(
                                 params->frame_samples, params->timescale,
                                 old.timescale);
    params->timescale = old.timescale;
}


uint32_t
ngx_media_writer_frame_samples(uint32_t samples, uint32_t rate,
    uint32_t timescale)
{
    return ((uint64_t) samples * timescale + rate / 2) / rate;
}


ngx_int_t
ngx_media_writer_track_add(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_media_writer_track_t **track)
{
    ngx_media_writer_track_t  *t;

    if (w->ntracks == NGX_MEDIA_TIMELINE_LINES) {
        return NGX_ABORT;
    }

    t = ngx_calloc(sizeof(ngx_media_writer_track_t), w->log);
    if (t == NULL) {
        return NGX_ERROR;
    }

    ngx_media_packer_init(&t->packer, &w->claim, w->target, w->log);
    t->packer.events = &w->events;

    t->packer.part = ngx_media_writer_put;
    t->packer.data = t;
    t->writer = w;
    t->id = id;
    ngx_media_params_copy(&t->params, params);
    ngx_media_params_copy(&t->next_params, params);

    w->tracks[w->ntracks++] = t;
    *track = t;

    return ngx_media_writer_line(w, t);
}


/* it begins, or begins again after it was refused */

static ngx_int_t
ngx_media_writer_line(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_int_t            rc;
    ngx_media_params_t  *params;

    params = &t->next_params;

    t->refused = 0;
    t->line = ngx_media_timeline_add(&w->timeline, params->type,
                                     params->timescale,
                                     ngx_media_writer_frame_duration(w,
                                                                   params));
    if (t->line == NULL) {
        ngx_media_writer_refuse(w, t, NGX_MEDIA_TRACK_MANY);
        return NGX_ABORT;
    }

    rc = ngx_media_writer_apply(w, t);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_media_writer_go_on(w, t);

    ngx_log_debug7(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media line of track %ui, id:%ui type:%d timescale:%uD "
                   "frame:%uD since:%L end:%L",
                   t->packer.index, t->id, (int) params->type,
                   params->timescale,
                   ngx_media_writer_frame_duration(w, params),
                   t->line->start, t->line->next);

    if (w->ready && w->clock) {
        ngx_media_writer_join(w, t);
    }

    return NGX_OK;
}


void
ngx_media_writer_join(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_log_debug3(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media track %ui waits for a cut to join at, newest:%uL "
                   "missed:%d", t->packer.index, w->cut.number, t->missed);

    t->joining = 1;
    t->number = w->cut.number;

    ngx_media_segmenter_hurry(&w->segmenter, 0);
}


/* what was published of it before ends there: nothing comes earlier */

static void
ngx_media_writer_go_on(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    int64_t  end;

    if (ngx_media_track_end(&w->claim, t->packer.index, &end) == NGX_OK) {
        ngx_media_timeline_resume(t->line, end);
    }
}


/* of video, what metadata or the bitstream says; audio: exact */

static uint32_t
ngx_media_writer_frame_duration(ngx_media_writer_t *w,
    const ngx_media_params_t *params)
{
    if (params->type == NGX_MEDIA_AUDIO) {
        return params->frame_samples;
    }

    if (w->announce.frame_rate >= 1000) {
        return (uint64_t) params->timescale * 1000 / w->announce.frame_rate;
    }

    if (params->fps_num && params->fps_den) {
        return (uint64_t) params->timescale * params->fps_den
               / params->fps_num;
    }

    return 0;
}


/* repeated headers are usual and change nothing */

static ngx_int_t
ngx_media_writer_track_change(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, const ngx_media_params_t *params)
{
    uint32_t  old;

    if (!t->refused
        && t->next_params.codec == params->codec
        && t->next_params.config_len == params->config_len
        && ngx_memcmp(t->next_params.config, params->config,
                      params->config_len)
           == 0)
    {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media track %ui has its parameters again, lag ms:%L",
                       t->packer.index, t->line->lag);

        ngx_media_timeline_absent(t->line, 0);
        return NGX_OK;
    }

    if (!t->refused && params->timescale != t->params.timescale) {

        /* nothing of the old line goes on: a new period starts */

        if (ngx_media_writer_tells(w)) {
            ngx_log_error(NGX_LOG_INFO, w->log, 0,
                          "media parameters changed, new period, track:%ui",
                          t->packer.index);
        }

        ngx_media_writer_break(w);
    }

    if (t->refused) {
        ngx_media_params_copy(&t->next_params, params);
        return ngx_media_writer_line(w, t);
    }

    old = t->params.timescale;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media parameters of track %ui change, codec:%uxD by:%uxD "
                   "open:%d", t->packer.index, t->params.codec, params->codec,
                   t->packer.open);

    ngx_media_params_copy(&t->next_params, params);
    t->changed = 1;

    ngx_media_timeline_absent(t->line, 0);

    if (params->timescale != old) {
        ngx_media_timeline_change(&w->timeline, t->line, params->timescale,
                                  ngx_media_writer_frame_duration(w, params));

        return ngx_media_writer_apply(w, t);
    }

    /* of a picture that is held nothing is open, and it goes on */

    return (t->packer.open || t == w->clock) ? NGX_OK
                                             : ngx_media_writer_apply(w, t);
}


ngx_int_t
ngx_media_writer_apply(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_int_t  rc;

    t->changed = 0;

    ngx_media_derived_period(w, t, &t->next_params);

    if (t->next_params.frame_samples != t->params.frame_samples
        || t->next_params.codec != t->params.codec)
    {
        ngx_media_timeline_change(&w->timeline, t->line,
                                  t->next_params.timescale,
                                  ngx_media_writer_frame_duration(w,
                                                           &t->next_params));
    }

    ngx_media_params_copy(&t->params, &t->next_params);
    t->codec = ngx_media_codec_find(t->params.codec);

    rc = ngx_media_writer_store(w, t);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        w->lost = 1;
        return NGX_DECLINED;
    }

    ngx_media_writer_refuse(w, t, rc);

    return NGX_ABORT;
}


/* the stream's track for these parameters, and their init segment */

static ngx_int_t
ngx_media_writer_store(ngx_media_writer_t *w, ngx_media_writer_track_t *t)
{
    ngx_int_t   rc;
    ngx_uint_t  index;

    index = t->packer.index;

    rc = ngx_media_packer_params(&t->packer, &t->params, t->id);

    if (rc == NGX_OK && t->packer.index != index) {
        ngx_media_writer_attributes(w, t);

        if (t == w->clock && w->ready) {
            ngx_media_stream_ready(&w->claim, t->packer.index, 0);
        }
    }

    return rc;
}


/*
 * Without a track in the store it has no line and gets no silence; its frames
 * are counted and thrown away, until another configuration comes.  Where it
 * was the clock, a new period has to find another one.
 */

static void
ngx_media_writer_refuse(ngx_media_writer_t *w, ngx_media_writer_track_t *t,
    ngx_int_t rc)
{
    const char  *why;

    if (t == w->clock) {
        ngx_media_writer_break(w);
    }

    ngx_media_writer_broken(t);

    if (t->line) {
        ngx_media_timeline_remove(&w->timeline, t->line);
    }

    t->line = NULL;
    t->packer.index = NGX_MEDIA_NO_TRACK;
    t->refused = 1;
    t->changed = 0;
    t->joining = 0;

    why = ngx_media_writer_refusal(rc);

    if (t->refusal == why && t->refused_codec == t->next_params.codec) {
        return;
    }

    if (t->refusal && !ngx_media_writer_tells(w)) {
        return;
    }

    t->refusal = why;
    t->refused_codec = t->next_params.codec;

    ngx_log_error(NGX_LOG_WARN, w->log, 0,
                  "media %s track %ui, codec \"%V\", is ignored: %s",
                  t->next_params.type == NGX_MEDIA_VIDEO ? "video" : "audio",
                  t->id,
                  &ngx_media_codec_find(t->next_params.codec)->name, why);
}


const char *
ngx_media_writer_refusal(ngx_int_t rc)
{
    switch (rc) {

    case NGX_MEDIA_TRACK_MANY:
        return "there are too many tracks";

    case NGX_MEDIA_TRACK_LARGE:
        return "its configuration is too large";

    default: /* NGX_MEDIA_TRACK_NOMEM */
        return "the zone has no pages left for it, make \"zone\" larger";
    }
}


ngx_uint_t
ngx_media_writer_tells(ngx_media_writer_t *w)
{
    if (ngx_current_msec - w->told_msec >= NGX_MEDIA_WRITER_TELL) {

        if (w->untold) {
            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "media timestamps or parameters change all the time, "
                          "%ui lines were not written", w->untold);
        }

        w->told_msec = ngx_current_msec;
        w->told = 0;
        w->untold = 0;
    }

    if (w->told == NGX_MEDIA_WRITER_LINES) {
        w->untold++;
        return 0;
    }

    w->told++;

    return 1;
}
