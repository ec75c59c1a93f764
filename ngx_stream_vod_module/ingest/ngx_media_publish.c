
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_ban.h"
#include "formats/ngx_media_bytes.h"
#include "ingest/ngx_media_publish_state.h"


#define NGX_MEDIA_PUBLISH_HEARD  100          /* ms */


static ngx_uint_t ngx_media_publish_closing(ngx_media_app_t *app);
static void ngx_media_publish_ready(void *data, ngx_int_t rc,
    const char *reason);
static const ngx_str_t *ngx_media_publish_rename(void *data,
    const ngx_str_t *name);
static ngx_media_publish_e ngx_media_publish_start(ngx_media_publisher_t *p,
    ngx_int_t rc, const char **reason);
static void ngx_media_publish_expire(ngx_event_t *ev);
static void ngx_media_publish_denied(void *data, const char *reason);
static void ngx_media_publish_free(ngx_media_publisher_t *p,
    const char *reason);
static ngx_media_publish_e ngx_media_publish_claim(ngx_media_publisher_t *p,
    const char **reason);
static ngx_uint_t ngx_media_publish_banned(const ngx_media_publish_t *conf,
    const char **reason);
static ngx_media_publish_e ngx_media_publish_turn_away(
    const ngx_media_publish_t *conf, ngx_media_publish_e rc,
    const char **reason);
static ngx_media_publish_e ngx_media_publish_refusal(ngx_int_t rc);
static ngx_int_t ngx_media_publish_find(ngx_media_publisher_t *p,
    const ngx_media_publish_frame_t *frame, const ngx_media_codec_t **codec,
    ngx_media_publish_track_t **track);
static ngx_media_publish_track_t *ngx_media_publish_track_add(
    ngx_media_publisher_t *p, ngx_uint_t type, ngx_uint_t id);
static ngx_int_t ngx_media_publish_set(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    ngx_media_params_t *params, ngx_int_t rc,
    const ngx_media_publish_frame_t *config);
static ngx_int_t ngx_media_publish_refuse(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, ngx_media_ignored_e why,
    const ngx_media_publish_frame_t *config);
static void ngx_media_publish_heard(ngx_media_publisher_t *p);


ngx_media_publish_e
ngx_media_publish_begin(const ngx_media_publish_t *conf,
    ngx_media_publisher_t **publisher, const char **reason)
{
    ngx_int_t                 rc;
    ngx_media_publish_e       answer;
    ngx_media_publish_t       shown;
    ngx_media_access_conf_t   access;
    ngx_media_publisher_t    *p;

    if (!ngx_media_publish_name_valid(&conf->name)) {
        ngx_media_publish_refuse_name(conf->app, &conf->protocol, &conf->name,
                                      conf->log);

        *reason = ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_NAME);
        return NGX_MEDIA_PUBLISH_NAME;
    }

    if (ngx_media_publish_closing(conf->app)) {
        shown = *conf;
        shown.name = *ngx_media_access_shown(conf->app, &conf->name);

        return ngx_media_publish_turn_away(&shown, NGX_MEDIA_PUBLISH_CLOSING,
                                           reason);
    }

    p = ngx_calloc(sizeof(ngx_media_publisher_t), conf->log);
    if (p == NULL) {
        *reason = ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_NOMEM);
        return NGX_MEDIA_PUBLISH_NOMEM;
    }

    p->conf = *conf;

    ngx_memzero(&access, sizeof(ngx_media_access_conf_t));

    access.action = NGX_MEDIA_ACCESS_PUBLISH;
    access.app = conf->app;
    access.name = conf->name;
    access.args = conf->args;
    access.protocol = conf->protocol;
    access.address = conf->address;
    access.client = conf->client;
    access.connection = conf->connection;
    access.log = conf->log;
    access.verdict = &p->verdict;
    access.ready = ngx_media_publish_ready;
    access.rename = ngx_media_publish_rename;
    access.data = p;

    rc = ngx_media_access_ask(&access, &p->access, reason);

    if (rc == NGX_AGAIN) {
        *publisher = p;
        *reason = ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_WAIT);
        return NGX_MEDIA_PUBLISH_WAIT;
    }

    answer = ngx_media_publish_start(p, rc, reason);

    if (answer == NGX_MEDIA_PUBLISH_OK) {
        *publisher = p;
    }

    return answer;
}


static ngx_uint_t
ngx_media_publish_closing(ngx_media_app_t *app)
{
    return ngx_exiting || ngx_terminate || ngx_media_claim_closed(app->zone);
}


static void
ngx_media_publish_ready(void *data, ngx_int_t rc, const char *reason)
{
    ngx_media_publisher_t *p = data;

    void                  *caller;
    ngx_media_publish_e    answer;
    void                 (*ready)(void *data, ngx_media_publish_e rc,
                             const char *reason);

    p->access = NULL;
    ready = p->conf.ready;
    caller = p->conf.data;

    answer = ngx_media_publish_start(p, rc, &reason);

    ready(caller, answer, reason);
}


static const ngx_str_t *
ngx_media_publish_rename(void *data, const ngx_str_t *name)
{
    ngx_media_publisher_t *p = data;

    u_char  *copy;

    copy = ngx_alloc(name->len + 1, p->conf.log);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, name->data, name->len);

    if (p->name) {
        ngx_free(p->name);
    }

    p->name = copy;
    p->conf.name.data = copy;
    p->conf.name.len = name->len;

    return &p->conf.name;
}


void
ngx_media_publish_name(const ngx_media_publisher_t *publisher, ngx_str_t *name)
{
    *name = publisher->conf.name;
}


/* what the checks have said is known; the publisher goes if it is refused */

static ngx_media_publish_e
ngx_media_publish_start(ngx_media_publisher_t *p, ngx_int_t rc,
    const char **reason)
{
    ngx_media_publish_e  answer;

    switch (rc) {

    case NGX_OK:
        answer = ngx_media_publish_claim(p, reason);
        break;

    case NGX_DECLINED:
        answer = ngx_media_publish_turn_away(&p->conf,
                                             NGX_MEDIA_PUBLISH_DENIED, reason);
        break;

    default: /* NGX_ERROR */
        answer = NGX_MEDIA_PUBLISH_NOMEM;
        *reason = ngx_media_publish_sentence(answer);
    }

    if (answer != NGX_MEDIA_PUBLISH_OK) {
        ngx_media_publish_free(p, *reason);
    }

    return answer;
}


static ngx_media_publish_e
ngx_media_publish_claim(ngx_media_publisher_t *p, const char **reason)
{
    ngx_int_t             rc;
    ngx_uint_t            who;
    ngx_media_claim_t     claim;
    ngx_media_publish_t  *conf;

    conf = &p->conf;

    /* it may have waited */

    if (ngx_media_publish_closing(conf->app)) {
        return ngx_media_publish_turn_away(conf, NGX_MEDIA_PUBLISH_CLOSING,
                                           reason);
    }

    if (p->name && !ngx_media_publish_name_valid(&conf->name)) {
        ngx_media_publish_refuse_name(conf->app, &conf->protocol, &conf->name,
                                      conf->log);

        *reason = ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_NAME);
        return NGX_MEDIA_PUBLISH_NAME;
    }

    if (ngx_media_publish_banned(conf, reason)) {
        return ngx_media_publish_turn_away(conf, NGX_MEDIA_PUBLISH_DENIED,
                                           reason);
    }

    who = (p->verdict.admitted ? NGX_MEDIA_CLAIM_ADMITTED : 0)
          | (conf->returns ? NGX_MEDIA_CLAIM_RETURNS : 0);

    rc = ngx_media_stream_acquire(conf->app->zone, &conf->name,
                                  &conf->protocol, &conf->address, who,
                                  &claim);

    if (rc != NGX_OK) {
        return ngx_media_publish_turn_away(conf,
                                           ngx_media_publish_refusal(rc),
                                           reason);
    }

    /* who bans kicks afterwards: one of them finds him */

    if (ngx_media_publish_banned(conf, reason)) {
        ngx_media_stream_release(&claim, *reason);

        return ngx_media_publish_turn_away(conf, NGX_MEDIA_PUBLISH_DENIED,
                                           reason);
    }

    p->log = conf->log;
    p->timebase = conf->timebase;
    p->heard = ngx_current_msec;
    p->writer = ngx_media_writer_create(conf->app, &claim, conf->timebase,
                                        conf->wrap, conf->log);
    if (p->writer == NULL) {
        ngx_media_stream_release(&claim, "no memory");

        *reason = ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_NOMEM);
        return NGX_MEDIA_PUBLISH_NOMEM;
    }

    ngx_media_writer_watch(p->writer, conf->close, conf->data);
    ngx_media_writer_listen(p->writer, &conf->name, &conf->protocol,
                            &conf->address);

    if (p->verdict.expires) {
        p->expiry.handler = ngx_media_publish_expire;
        p->expiry.data = p;
        p->expiry.log = conf->log;
        p->expiry.cancelable = 1;

        ngx_add_timer(&p->expiry, ngx_media_access_left(p->verdict.expires));
    }

    ngx_media_access_here(conf->app, p->verdict.id, ngx_media_publish_denied,
                          p);

    return NGX_MEDIA_PUBLISH_OK;
}


/* it was let in, and may not stay */

static void
ngx_media_publish_denied(void *data, const char *reason)
{
    ngx_media_publisher_t *p = data;

    p->conf.close(p->conf.data, reason);
}


static void
ngx_media_publish_expire(ngx_event_t *ev)
{
    ngx_media_publisher_t *p = ev->data;

    ngx_msec_t  left;

    left = ngx_media_access_left(p->verdict.expires);

    if (left) {
        ngx_add_timer(&p->expiry, left);
        return;
    }

    p->conf.close(p->conf.data, NGX_MEDIA_ACCESS_OVER);
}


/* the name is that of the stream now, which it may not have been before */

static ngx_uint_t
ngx_media_publish_banned(const ngx_media_publish_t *conf, const char **reason)
{
    return ngx_media_ban_check(conf->app, NGX_MEDIA_BAN_PUBLISH, &conf->name,
                               &conf->address, reason)
           != NGX_OK;
}


/* counted, where the store has not done it, and logged */

static ngx_media_publish_e
ngx_media_publish_turn_away(const ngx_media_publish_t *conf,
    ngx_media_publish_e rc, const char **reason)
{
    if (rc == NGX_MEDIA_PUBLISH_CLOSING || rc == NGX_MEDIA_PUBLISH_DENIED) {
        ngx_media_publish_refused(conf->app, rc == NGX_MEDIA_PUBLISH_DENIED
                                             ? NGX_MEDIA_REFUSED_DENIED
                                             : NGX_MEDIA_REFUSED_RESTART);
    }

    if (rc != NGX_MEDIA_PUBLISH_DENIED) {
        *reason = ngx_media_publish_sentence(rc);
    }

    ngx_media_publish_log_refusal(conf, rc, *reason);

    return rc;
}


static ngx_media_publish_e
ngx_media_publish_refusal(ngx_int_t rc)
{
    switch (rc) {

    case NGX_MEDIA_CLAIM_CONFLICT:
        return NGX_MEDIA_PUBLISH_CONFLICT;

    case NGX_MEDIA_CLAIM_HURRIES:
        return NGX_MEDIA_PUBLISH_HURRIES;

    default:
        return NGX_MEDIA_PUBLISH_LIMIT;
    }
}


void
ngx_media_publish_refused(ngx_media_app_t *app, ngx_media_refused_e why)
{
    ngx_media_claim_refused(app->zone, why);
}


const char *
ngx_media_publish_why(const ngx_media_publisher_t *publisher,
    ngx_media_publish_e rc)
{
    if (rc != NGX_MEDIA_PUBLISH_LOST) {
        return ngx_media_publish_sentence(rc);
    }

    return ngx_media_claim_lost(ngx_media_writer_claim(publisher->writer));
}


void
ngx_media_publish_announce(ngx_media_publisher_t *publisher,
    const ngx_media_announce_t *announce)
{
    ngx_media_writer_announce(publisher->writer, announce);
}


void
ngx_media_publish_describe(ngx_media_publisher_t *p, ngx_uint_t type,
    ngx_uint_t id, const ngx_media_attributes_t *attributes)
{
    ngx_media_writer_describe(p->writer, type, id, attributes);
}


ngx_media_publish_e
ngx_media_publish_track(ngx_media_publisher_t *p,
    const ngx_media_publish_frame_t *config)
{
    ngx_int_t                   rc;
    const ngx_media_codec_t    *codec;
    ngx_media_publish_track_t  *t;

    p->left = NGX_MEDIA_PUBLISH_OK;

    rc = ngx_media_publish_find(p, config, &codec, &t);

    if (rc == NGX_OK && t) {
        rc = ngx_media_publish_mend_config(p, t, codec, config);
    }

    return ngx_media_publish_answer(p, rc);
}


ngx_media_publish_e
ngx_media_publish_frame(ngx_media_publisher_t *p,
    const ngx_media_publish_frame_t *frame)
{
    ngx_int_t                   rc;
    const ngx_media_codec_t    *codec;
    ngx_media_publish_track_t  *t;

    p->left = NGX_MEDIA_PUBLISH_OK;

    if (frame->pos == frame->last) {
        rc = ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_EMPTY, frame);

        return ngx_media_publish_answer(p, rc);
    }

    rc = ngx_media_publish_find(p, frame, &codec, &t);

    if (rc == NGX_OK && t) {
        rc = ngx_media_publish_mend_frame(p, t, codec, frame);
    }

    return ngx_media_publish_answer(p, rc);
}


ngx_media_publish_e
ngx_media_publish_data(ngx_media_publisher_t *p, ngx_media_data_kind_e kind,
    uint64_t stamp, const u_char *pos, const u_char *last)
{
    switch (ngx_media_writer_data(p->writer, kind, stamp, pos, last)) {

    case NGX_OK:
        return NGX_MEDIA_PUBLISH_OK;

    case NGX_DECLINED:
        return NGX_MEDIA_PUBLISH_LOST;

    default: /* NGX_ABORT */
        return NGX_MEDIA_PUBLISH_FULL;
    }
}


void
ngx_media_publish_lump(ngx_media_publisher_t *p, ngx_uint_t type,
    ngx_uint_t id, ngx_msec_t lump)
{
    ngx_media_publish_track_t  *t;

    t = ngx_media_publish_track_get(p, type, id);

    if (t && t->track != NGX_MEDIA_PUBLISH_NO_TRACK) {
        ngx_media_writer_lump(p->writer, t->track, lump);
    }
}


void
ngx_media_publish_restart(ngx_media_publisher_t *p)
{
    ngx_media_writer_restart(p->writer);
}


ngx_media_publish_e
ngx_media_publish_answer(ngx_media_publisher_t *p, ngx_int_t rc)
{
    switch (rc) {

    case NGX_OK:
        return p->left;

    case NGX_DECLINED:
        return NGX_MEDIA_PUBLISH_LOST;

    case NGX_ABORT:
        return NGX_MEDIA_PUBLISH_USELESS;

    default: /* NGX_ERROR */
        return NGX_MEDIA_PUBLISH_NOMEM;
    }
}


/* *track is NULL if there is none: then it has been ignored */

static ngx_int_t
ngx_media_publish_find(ngx_media_publisher_t *p,
    const ngx_media_publish_frame_t *frame, const ngx_media_codec_t **codec,
    ngx_media_publish_track_t **track)
{
    ngx_media_publish_track_t  *t;

    *track = NULL;
    *codec = ngx_media_codec_find_live(frame->codec);

    t = ngx_media_publish_track_get(p, frame->type, frame->id);

    if (*codec == NULL || (*codec)->type != frame->type) {
        return ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_CODEC,
                                              frame);
    }

    if (t == NULL && p->ntracks == NGX_MEDIA_TRACKS) {
        return ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_TRACK,
                                              frame);
    }

    if (t == NULL) {
        t = ngx_media_publish_track_add(p, frame->type, frame->id);

        if (t == NULL) {
            return NGX_ERROR;
        }
    }

    *track = t;

    return NGX_OK;
}


ngx_media_publish_track_t *
ngx_media_publish_track_get(ngx_media_publisher_t *p, ngx_uint_t type,
    ngx_uint_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < p->ntracks; i++) {
        if (p->tracks[i]->type == type && p->tracks[i]->id == id) {
            return p->tracks[i];
        }
    }

    return NULL;
}


static ngx_media_publish_track_t *
ngx_media_publish_track_add(ngx_media_publisher_t *p, ngx_uint_t type,
    ngx_uint_t id)
{
    ngx_media_publish_track_t  *t;

    t = ngx_calloc(sizeof(ngx_media_publish_track_t), p->log);
    if (t == NULL) {
        return NULL;
    }

    t->type = type;
    t->id = id;
    t->track = NGX_MEDIA_PUBLISH_NO_TRACK;

    if (id == 0) {
        t->said = p->said[type];
    }

    p->tracks[p->ntracks++] = t;

    return t;
}


ngx_int_t
ngx_media_publish_configure(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    const ngx_media_publish_frame_t *config)
{
    ngx_int_t           rc;
    ngx_media_params_t  params;

    rc = codec->config(&params, config->pos, config->last);

    return ngx_media_publish_set(p, t, codec, &params, rc, config);
}


/* parameters that a configuration, or a frame, has said with this code */

static ngx_int_t
ngx_media_publish_set(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_codec_t *codec, ngx_media_params_t *params, ngx_int_t rc,
    const ngx_media_publish_frame_t *config)
{
    if (rc == NGX_DECLINED) {
        return ngx_media_publish_refuse(p, t, NGX_MEDIA_IGNORED_CODEC,
                                        config);
    }

    if (rc != NGX_OK) {
        return ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_CONFIG,
                                              config);
    }

    /*
     * What players are to skip at a begin, as PreSkip of Opus: stamps are those
     * of all samples, and who joins would lose sound
     */

    if (codec->skip) {
        (void) ngx_media_put_be16(params->config + codec->skip, 0);
    }

    rc = ngx_media_writer_track(p->writer, config->id, params, &t->track);

    switch (rc) {

    case NGX_OK:

        if (codec->formats == 0 && t->codec != codec) {
            ngx_log_error(NGX_LOG_INFO, p->log, 0,
                          "media track is in no playlist, track:audio %ui "
                          "codec:%V", t->id, &codec->name);
        }

        t->codec = codec;
        ngx_media_params_copy(&t->params, params);
        t->own = 0;
        t->refused = 0;
        return NGX_OK;

    case NGX_ABORT:
        ngx_media_params_copy(&t->params, params);
        return ngx_media_publish_refuse(p, t, NGX_MEDIA_IGNORED_TRACK,
                                        config);

    default:
        return rc == NGX_DECLINED ? NGX_DECLINED : NGX_ERROR;
    }
}


ngx_int_t
ngx_media_publish_configure_own(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, const ngx_media_codec_t *codec,
    ngx_media_params_t *params, ngx_int_t rc,
    const ngx_media_publish_frame_t *frame)
{
    if (t->refused && t->why == NGX_MEDIA_IGNORED_TRACK
        && ngx_current_msec - t->refused_msec < NGX_MEDIA_PUBLISH_ROOM
        && rc == NGX_OK
        && params->codec == t->params.codec
        && params->config_len == t->params.config_len
        && ngx_memcmp(params->config, t->params.config, params->config_len)
           == 0)
    {
        rc = ngx_media_publish_ignore_frame(p, t->why, frame);

    } else {
        rc = ngx_media_publish_set(p, t, codec, params, rc, frame);
    }

    return (rc == NGX_OK && t->codec != codec) ? NGX_DONE : rc;
}


static ngx_int_t
ngx_media_publish_refuse(ngx_media_publisher_t *p,
    ngx_media_publish_track_t *t, ngx_media_ignored_e why,
    const ngx_media_publish_frame_t *config)
{
    t->codec = NULL;
    t->refused = 1;
    t->refused_msec = ngx_current_msec;
    t->why = why;

    return ngx_media_publish_ignore_frame(p, why, config);
}


uint32_t
ngx_media_publish_samples(const ngx_media_publish_track_t *t,
    const ngx_media_publish_frame_t *frame)
{
    return t->codec->samples ? t->codec->samples(frame->pos, frame->last)
                             : t->params.frame_samples;
}


ngx_int_t
ngx_media_publish_put(ngx_media_publisher_t *p, ngx_media_publish_track_t *t,
    const ngx_media_publish_frame_t *frame)
{
    ngx_int_t                 rc;
    ngx_media_frame_info_t    info;
    ngx_media_writer_frame_t  out;

    ngx_memzero(&info, sizeof(ngx_media_frame_info_t));

    if (t->codec->frame(&t->params, frame->pos, frame->last, &info)
        != NGX_OK)
    {
        ngx_media_writer_bad(p->writer, t->track);
        return ngx_media_publish_ignore_frame(p, NGX_MEDIA_IGNORED_FRAME,
                                              frame);
    }

    if (info.empty) {

        /* parameter sets have been looked at already */

        return info.config ? NGX_OK
                           : ngx_media_publish_ignore_frame(p,
                                               NGX_MEDIA_IGNORED_EMPTY, frame);
    }

    ngx_media_publish_heard(p);

    out.stamp = frame->stamp;
    out.cts = frame->cts;
    out.nsec = frame->nsec;
    out.arrival = frame->arrival;
    out.samples = ngx_media_publish_samples(t, frame);
    out.pos = frame->pos;
    out.last = frame->last;
    out.key = info.key || t->type == NGX_MEDIA_AUDIO || t->refresh;
    out.leading = info.leading || (t->refresh && !info.key);
    out.repeat = info.repeat;
    out.silent = 0;
    out.again = 0;

    rc = ngx_media_writer_frame(p->writer, t->track, &out);

    if (rc == NGX_OK) {
        ngx_media_publish_useful(p);
    }

    return rc;
}


/* ten times a second will do: it is a word that other processes look at */

static void
ngx_media_publish_heard(ngx_media_publisher_t *p)
{
    if (ngx_current_msec - p->heard < NGX_MEDIA_PUBLISH_HEARD) {
        return;
    }

    p->heard = ngx_current_msec;

    ngx_media_stream_heard(ngx_media_writer_claim(p->writer));
}


void
ngx_media_publish_link(ngx_media_publisher_t *p, const ngx_media_link_t *link)
{
    ngx_media_stream_link(ngx_media_writer_claim(p->writer), link);
}


void
ngx_media_publish_end(ngx_media_publisher_t *p, const char *reason)
{
    ngx_uint_t  i;

    if (p->access) {
        ngx_media_access_cancel(p->access);
    }

    if (p->writer) {
        ngx_media_writer_end(p->writer, reason);
    }

    for (i = 0; i < p->ntracks; i++) {

        if (p->tracks[i]->sets) {
            ngx_free(p->tracks[i]->sets);
        }

        ngx_free(p->tracks[i]);
    }

    ngx_media_publish_free(p, reason);
}


static void
ngx_media_publish_free(ngx_media_publisher_t *p, const char *reason)
{
    ngx_media_access_ended(p->conf.app, p->verdict.id, reason);

    if (p->expiry.timer_set) {
        ngx_del_timer(&p->expiry);
    }

    if (p->name) {
        ngx_free(p->name);
    }

    ngx_free(p);
}
