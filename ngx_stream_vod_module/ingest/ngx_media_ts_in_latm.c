
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AAC in LOAS (ISO/IEC 14496-3, 1.7): its configuration is in the elements, as
 * often as the encoder likes, and so may be several frames.  How long these
 * last is known with it, so they are counted here.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_ts_in_state.h"


static ngx_media_publish_e ngx_media_ts_in_latm_config(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_publish_frame_t *out);
static ngx_media_publish_e ngx_media_ts_in_latm_ignore(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, ngx_int_t rc,
    const ngx_media_publish_frame_t *out);


ngx_media_publish_e
ngx_media_ts_in_latm(ngx_media_ts_in_t *ts, ngx_media_ts_in_track_t *t,
    ngx_media_ts_split_frame_t *frame, ngx_media_publish_frame_t *out)
{
    int64_t               pts;
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_media_latm_t     *latm;
    ngx_media_publish_e   answer;

    latm = t->latm;

    rc = ngx_media_latm_parse(latm, frame->pos, frame->last);

    if (rc != NGX_OK) {
        return ngx_media_ts_in_latm_ignore(ts, t, rc, out);
    }

    if (latm->changed || t->samples == 0) {
        answer = ngx_media_ts_in_latm_config(ts, t, out);

        if (answer != NGX_MEDIA_PUBLISH_OK) {
            return answer;
        }
    }

    if (!frame->counted || t->base == NGX_MEDIA_TS_NO_TIME) {
        t->base = frame->pts;
        t->count = 0;
    }

    t->count += (uint64_t) frame->lost * latm->nframes * t->samples;

    answer = NGX_MEDIA_PUBLISH_OK;

    for (i = 0; i < latm->nframes; i++) {
        pts = t->base + (int64_t) (t->count * NGX_MEDIA_TS_TIMESCALE
                                   / t->rate);
        t->count += t->samples;

        out->stamp = (uint64_t) pts & NGX_MEDIA_TS_TIME_MASK;
        out->pos = latm->frames[i].pos;
        out->last = latm->frames[i].last;

        answer = ngx_media_publish_frame(ts->conf.publisher, out);

        if (!ngx_media_publish_goes_on(answer)) {
            return answer;
        }
    }

    frame->samples = (uint32_t) latm->nframes * t->samples;
    frame->rate = t->rate;

    return answer;
}


static ngx_media_publish_e
ngx_media_ts_in_latm_config(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_publish_frame_t *out)
{
    ngx_media_params_t         params;
    ngx_media_publish_e        rc;
    ngx_media_publish_frame_t  config;

    config = *out;
    config.pos = t->latm->mux.config;
    config.last = config.pos + t->latm->mux.config_len;

    rc = ngx_media_publish_track(ts->conf.publisher, &config);

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        return rc;
    }

    if (t->codec->config(&params, config.pos, config.last) != NGX_OK
        || params.sample_rate == 0 || params.frame_samples == 0)
    {
        return NGX_MEDIA_PUBLISH_UNSUPPORTED;
    }

    if (t->base != NGX_MEDIA_TS_NO_TIME && t->rate) {
        t->base += (int64_t) (t->count * NGX_MEDIA_TS_TIMESCALE / t->rate);
    }

    t->count = 0;
    t->rate = params.sample_rate;
    t->samples = params.frame_samples;

    return NGX_MEDIA_PUBLISH_OK;
}


static ngx_media_publish_e
ngx_media_ts_in_latm_ignore(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, ngx_int_t rc,
    const ngx_media_publish_frame_t *out)
{
    ngx_media_publish_ignored_t  ignored;

    switch (rc) {

    case NGX_AGAIN:

        /* who comes between two configurations has nothing yet */

        return NGX_MEDIA_PUBLISH_OK;

    case NGX_DECLINED:
        ignored.kind = NGX_MEDIA_IGNORED_CODEC;
        break;

    default: /* NGX_ERROR */
        ignored.kind = NGX_MEDIA_IGNORED_FRAME;
    }

    ignored.type = t->type;
    ignored.id = t->id;
    ignored.codec = t->codec->id;
    ignored.name = NULL;
    ignored.pos = out->pos;
    ignored.last = out->last;

    return ngx_media_publish_ignore(ts->conf.publisher, &ignored);
}
