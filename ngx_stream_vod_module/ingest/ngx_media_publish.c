
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_stream.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_publish.h"


#define NGX_MEDIA_PUBLISH_UNKNOWN  ((ngx_uint_t) -1)
#define NGX_MEDIA_PUBLISH_HEARD    100        /* ms */


typedef struct {
    ngx_uint_t                type;
    ngx_uint_t                id;             /* the publisher's number */
    ngx_uint_t                track;          /* the writer's */
    uint32_t                  refused;        /* codec, logged once */
    const ngx_media_codec_t  *codec;
    ngx_media_params_t        params;
} ngx_media_publish_track_t;


struct ngx_media_publisher_s {
    ngx_media_writer_t       *writer;
    ngx_log_t                *log;
    ngx_msec_t                heard;          /* as the stream knows it */
    ngx_uint_t                ntracks;
    ngx_media_publish_track_t
                             *tracks[NGX_MEDIA_TRACKS];
};


static ngx_int_t ngx_media_publish_refusal(ngx_int_t rc);
static void ngx_media_publish_heard(ngx_media_publisher_t *publisher);
static ngx_media_publish_track_t *ngx_media_publish_track_get(
    ngx_media_publisher_t *publisher, ngx_uint_t type, ngx_uint_t id);
static ngx_media_publish_track_t *ngx_media_publish_track_add(
    ngx_media_publisher_t *publisher, ngx_uint_t type, ngx_uint_t id);
static ngx_int_t ngx_media_publish_refuse(ngx_media_publisher_t *publisher,
    ngx_media_publish_track_t *t, uint32_t codec, const char *why);


ngx_int_t
ngx_media_publish_begin(const ngx_media_publish_t *conf,
    ngx_media_publisher_t **publisher)
{
    ngx_int_t               rc;
    ngx_str_t               name, protocol, address;
    ngx_media_claim_t       claim;
    ngx_media_publisher_t  *p;

    if (!ngx_media_publish_name_valid(&conf->name)) {
        ngx_media_publish_refuse_name(conf->app, &conf->protocol, &conf->name,
                                      conf->log);
        return NGX_MEDIA_PUBLISH_NAME;
    }

    if (ngx_exiting || ngx_terminate
        || ngx_media_load(&conf->app->zone->sh->retired))
    {
        ngx_media_publish_refused(conf->app);
        ngx_media_publish_log_refusal(conf, NGX_MEDIA_PUBLISH_CLOSING);
        return NGX_MEDIA_PUBLISH_CLOSING;
    }

    p = ngx_calloc(sizeof(ngx_media_publisher_t), conf->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name = conf->name;
    protocol = conf->protocol;
    address = conf->address;

    rc = ngx_media_stream_acquire(conf->app->zone, &name, &protocol, &address,
                                  &claim);

    if (rc != NGX_OK) {
        ngx_free(p);

        rc = ngx_media_publish_refusal(rc);
        ngx_media_publish_log_refusal(conf, rc);

        return rc;
    }

    p->log = conf->log;
    p->heard = ngx_current_msec;
    p->writer = ngx_media_writer_create(conf->app, &claim, conf->timebase,
                                        conf->wrap, conf->log);
    if (p->writer == NULL) {
        ngx_media_stream_release(&claim, "no memory");
        ngx_free(p);
        return NGX_ERROR;
    }

    ngx_media_writer_watch(p->writer, conf->close, conf->data);

    *publisher = p;

    return NGX_OK;
}


static ngx_int_t
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
ngx_media_publish_refused(ngx_media_app_t *app)
{
    ngx_media_count(&app->zone->sh->refused, 1);
}


void
ngx_media_publish_announce(ngx_media_publisher_t *publisher,
    const ngx_media_announce_t *announce)
{
    ngx_media_writer_announce(publisher->writer, announce);
}


static ngx_media_publish_track_t *
ngx_media_publish_track_get(ngx_media_publisher_t *publisher,
    ngx_uint_t type, ngx_uint_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < publisher->ntracks; i++) {
        if (publisher->tracks[i]->type == type
            && publisher->tracks[i]->id == id)
        {
            return publisher->tracks[i];
        }
    }

    return NULL;
}


static ngx_media_publish_track_t *
ngx_media_publish_track_add(ngx_media_publisher_t *publisher,
    ngx_uint_t type, ngx_uint_t id)
{
    ngx_media_publish_track_t  *t;

    if (publisher->ntracks == NGX_MEDIA_TRACKS) {
        return NULL;
    }

    t = ngx_calloc(sizeof(ngx_media_publish_track_t), publisher->log);
    if (t == NULL) {
        return NULL;
    }

    t->type = type;
    t->id = id;
    t->track = NGX_MEDIA_PUBLISH_UNKNOWN;

    publisher->tracks[publisher->ntracks++] = t;

    return t;
}


ngx_int_t
ngx_media_publish_track(ngx_media_publisher_t *publisher,
    const ngx_media_publish_frame_t *config)
{
    ngx_int_t                   rc;
    ngx_media_params_t          params;
    const ngx_media_codec_t    *codec;
    ngx_media_publish_track_t  *t;

    t = ngx_media_publish_track_get(publisher, config->type, config->id);

    if (t == NULL) {
        t = ngx_media_publish_track_add(publisher, config->type, config->id);

        if (t == NULL) {
            return NGX_DECLINED;
        }
    }

    codec = ngx_media_codec_find_live(config->codec);

    if (codec == NULL || codec->type != config->type) {
        return ngx_media_publish_refuse(publisher, t, config->codec,
                                        "is not supported");
    }

    rc = codec->config(&params, config->pos, config->last);

    if (rc == NGX_DECLINED) {
        return ngx_media_publish_refuse(publisher, t, config->codec,
                                        "has a configuration that is not "
                                        "supported");
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_writer_track(publisher->writer, config->id, &params,
                                &t->track);

    switch (rc) {

    case NGX_OK:
        t->codec = codec;
        t->params = params;
        return NGX_OK;

    case NGX_ABORT:
        return ngx_media_publish_refuse(publisher, t, config->codec,
                                        "is one track too many");

    default:
        return rc == NGX_DECLINED ? NGX_DECLINED : NGX_ERROR;
    }
}


static ngx_int_t
ngx_media_publish_refuse(ngx_media_publisher_t *publisher,
    ngx_media_publish_track_t *t, uint32_t codec, const char *why)
{
    u_char  name[4];

    t->codec = NULL;

    if (t->refused == codec) {
        return NGX_DECLINED;
    }

    t->refused = codec;

    name[0] = codec >> 24;
    name[1] = codec >> 16;
    name[2] = codec >> 8;
    name[3] = codec;

    ngx_log_error(NGX_LOG_WARN, publisher->log, 0,
                  "media codec \"%*s\" %s, its track is ignored",
                  (size_t) 4, name, why);

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_publish_frame(ngx_media_publisher_t *publisher,
    const ngx_media_publish_frame_t *frame)
{
    ngx_media_frame_info_t      info;
    ngx_media_writer_frame_t    out;
    ngx_media_publish_track_t  *t;

    t = ngx_media_publish_track_get(publisher, frame->type, frame->id);

    if (t == NULL || t->codec == NULL || frame->pos == frame->last) {
        return NGX_OK;
    }

    ngx_memzero(&info, sizeof(ngx_media_frame_info_t));

    if (t->codec->frame(&t->params, frame->pos, frame->last, &info)
        != NGX_OK)
    {
        ngx_media_writer_bad(publisher->writer, t->track);
        return NGX_ERROR;
    }

    if (info.empty) {
        return NGX_OK;
    }

    ngx_media_publish_heard(publisher);

    out.stamp = frame->stamp;
    out.cts = frame->cts;
    out.nsec = frame->nsec;
    out.pos = frame->pos;
    out.last = frame->last;
    out.key = info.key || t->type == NGX_MEDIA_AUDIO;
    out.leading = info.leading;

    return ngx_media_writer_frame(publisher->writer, t->track, &out);
}


/* ten times a second will do: it is a word that other processes look at */

static void
ngx_media_publish_heard(ngx_media_publisher_t *publisher)
{
    if (ngx_current_msec - publisher->heard < NGX_MEDIA_PUBLISH_HEARD) {
        return;
    }

    publisher->heard = ngx_current_msec;

    ngx_media_stream_heard(ngx_media_writer_claim(publisher->writer));
}


void
ngx_media_publish_end(ngx_media_publisher_t *publisher, const char *reason)
{
    ngx_uint_t  i;

    ngx_media_writer_destroy(publisher->writer, reason);

    for (i = 0; i < publisher->ntracks; i++) {
        ngx_free(publisher->tracks[i]);
    }

    ngx_free(publisher);
}
