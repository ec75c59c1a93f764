
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Two lines of the log for each publisher: what comes, as soon as that is
 * known, and what it came to.  All of it is made of events; see
 * docs/developing.md, which goes through this file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_event.h"
#include "core/ngx_media_module.h"
#include "formats/ngx_media_codec.h"


#define NGX_MEDIA_LOG_TRACKS    8             /* that are named */
#define NGX_MEDIA_LOG_SEGMENTS  2             /* without a second key frame */
#define NGX_MEDIA_LOG_LINE      1024


typedef struct {
    ngx_flag_t                on;
} ngx_media_log_conf_t;


typedef struct {
    ngx_uint_t                type;
    ngx_uint_t                id;             /* the publisher's number */
    ngx_uint_t                index;          /* the stream's */
    ngx_str_t                 codec;          /* static */
    size_t                    string_len;
    u_char                    string[NGX_MEDIA_CODEC_STRING_MAX];
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  sample_rate;
    uint32_t                  channels;

    uint32_t                  fps;            /* 1/1000 */
    uint64_t                  keys;           /* at its first part; 0: none */
    uint64_t                  key_msec;       /* between two; 0: unknown */
    ngx_uint_t                segments;
    uint64_t                  segments_msec;
} ngx_media_log_track_t;


/* of a publisher */

typedef struct {
    ngx_str_t                 protocol;
    ngx_str_t                 address;
    ngx_uint_t                ntracks;
    ngx_uint_t                more;           /* tracks that are not named */
    ngx_media_log_track_t     tracks[NGX_MEDIA_LOG_TRACKS];
    unsigned                  said:1;         /* the first line was written */
} ngx_media_log_ctx_t;


static void *ngx_media_log_create_conf(ngx_conf_t *cf, ngx_media_app_t *app);
static char *ngx_media_log_init_conf(ngx_conf_t *cf, ngx_media_app_t *app,
    void *conf);
static ngx_int_t ngx_media_log_postconfiguration(ngx_conf_t *cf);
static void ngx_media_log_publish(ngx_media_event_t *ev);
static void ngx_media_log_track(ngx_media_event_t *ev);
static void ngx_media_log_part(ngx_media_event_t *ev);
static void ngx_media_log_segment(ngx_media_event_t *ev);
static void ngx_media_log_end(ngx_media_event_t *ev);
static ngx_media_log_track_t *ngx_media_log_find(ngx_media_log_ctx_t *ctx,
    ngx_uint_t index);
static ngx_media_log_track_t *ngx_media_log_lead(ngx_media_log_ctx_t *ctx);
static void ngx_media_log_begins(ngx_media_event_t *ev,
    ngx_media_log_ctx_t *ctx);
static u_char *ngx_media_log_text(u_char *p, u_char *last,
    const ngx_media_log_track_t *t);
static u_char *ngx_media_log_tenths(u_char *p, u_char *last, uint64_t n,
    const char *unit);
static void ngx_media_log_line(ngx_media_event_t *ev, const u_char *line,
    size_t len);


static ngx_command_t  ngx_media_log_commands[] = {

    { ngx_string("stream_log"),
      NGX_MEDIA_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_log_conf_t, on),
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_log_module_ctx = {
    0,                                     /* layout of its shared memory */
    ngx_media_log_create_conf,             /* create configuration */
    ngx_media_log_init_conf,               /* init configuration */
    ngx_media_log_postconfiguration,       /* postconfiguration */
    NULL,                                  /* shared memory */
    NULL,                                  /* init shared memory */
    NULL,                                  /* a process has gone */
    NULL                                   /* once a second */
};


ngx_module_t  ngx_media_log_module = {
    NGX_MODULE_V1,
    &ngx_media_log_module_ctx,             /* module context */
    ngx_media_log_commands,                /* module directives */
    NGX_MEDIA_MODULE,                      /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_media_log_create_conf(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_media_log_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_media_log_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->on = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_media_log_init_conf(ngx_conf_t *cf, ngx_media_app_t *app, void *conf)
{
    ngx_media_log_conf_t *mlcf = conf;

    ngx_conf_init_value(mlcf->on, 1);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_media_log_postconfiguration(ngx_conf_t *cf)
{
    if (ngx_media_event_add(cf, NGX_MEDIA_EVENT_PUBLISH,
                            ngx_media_log_publish)
        != NGX_OK
        || ngx_media_event_add(cf, NGX_MEDIA_EVENT_TRACK, ngx_media_log_track)
           != NGX_OK
        || ngx_media_event_add(cf, NGX_MEDIA_EVENT_PART, ngx_media_log_part)
           != NGX_OK
        || ngx_media_event_add(cf, NGX_MEDIA_EVENT_SEGMENT,
                               ngx_media_log_segment)
           != NGX_OK
        || ngx_media_event_add(cf, NGX_MEDIA_EVENT_END, ngx_media_log_end)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* no memory, or switched off: there is no context, and nothing is said */

static void
ngx_media_log_publish(ngx_media_event_t *ev)
{
    ngx_media_log_ctx_t              *ctx;
    ngx_media_log_conf_t             *mlcf;
    const ngx_media_event_publish_t  *what = ev->what;

    mlcf = ngx_media_app_conf(ev->app, ngx_media_log_module);

    if (!mlcf->on) {
        return;
    }

    ctx = ngx_pcalloc(ev->pool, sizeof(ngx_media_log_ctx_t));
    if (ctx == NULL) {
        return;
    }

    ctx->address.data = ngx_pnalloc(ev->pool, what->address.len);
    if (ctx->address.data == NULL) {
        return;
    }

    ctx->address.len = what->address.len;
    ngx_memcpy(ctx->address.data, what->address.data, what->address.len);

    ctx->protocol = what->protocol;

    ev->ctx[ngx_media_log_module.ctx_index] = ctx;
}


static void
ngx_media_log_track(ngx_media_event_t *ev)
{
    ngx_uint_t                      i;
    ngx_media_log_ctx_t            *ctx;
    ngx_media_log_track_t          *t;
    const ngx_media_codec_t        *codec;
    const ngx_media_event_track_t  *what = ev->what;

    ctx = ev->ctx[ngx_media_log_module.ctx_index];

    if (ctx == NULL || ctx->said || what->derived) {
        return;
    }

    for (i = 0; i < ctx->ntracks; i++) {
        if (ctx->tracks[i].type == what->params->type
            && ctx->tracks[i].id == what->id)
        {
            break;
        }
    }

    if (i == NGX_MEDIA_LOG_TRACKS) {
        ctx->more++;
        return;
    }

    t = &ctx->tracks[i];

    if (i == ctx->ntracks) {
        ctx->ntracks++;

    } else {
        ngx_memzero(t, sizeof(ngx_media_log_track_t));
    }

    codec = ngx_media_codec_find(what->params->codec);

    t->type = what->params->type;
    t->id = what->id;
    t->index = ev->track;
    t->codec = codec->name;
    t->string_len = codec->string(t->string, what->params);
    t->width = what->params->width;
    t->height = what->params->height;
    t->sample_rate = what->params->sample_rate;
    t->channels = what->params->channels;
}


static void
ngx_media_log_part(ngx_media_event_t *ev)
{
    ngx_media_log_ctx_t           *ctx;
    ngx_media_log_track_t         *t;
    const ngx_media_event_part_t  *what = ev->what;

    ctx = ev->ctx[ngx_media_log_module.ctx_index];

    if (ctx == NULL || ctx->said) {
        return;
    }

    t = ngx_media_log_find(ctx, ev->track);

    if (t == NULL) {
        return;
    }

    t->fps = what->fps;

    if (t->keys == 0) {
        t->keys = what->count->keys;

    } else if (what->count->keys > t->keys) {
        t->key_msec = what->count->key_msec;
    }

    if (t->type == NGX_MEDIA_VIDEO && t == ngx_media_log_lead(ctx)
        && t->segments && t->key_msec)
    {
        ngx_media_log_begins(ev, ctx);
    }
}


static void
ngx_media_log_segment(ngx_media_event_t *ev)
{
    ngx_media_log_ctx_t           *ctx;
    ngx_media_log_track_t         *t;
    const ngx_media_event_part_t  *what = ev->what;

    ctx = ev->ctx[ngx_media_log_module.ctx_index];

    if (ctx == NULL || ctx->said) {
        return;
    }

    t = ngx_media_log_find(ctx, ev->track);

    if (t == NULL) {
        return;
    }

    t->segments++;
    t->segments_msec += what->duration * 1000 / what->timescale;

    if (t == ngx_media_log_lead(ctx) && t->segments >= NGX_MEDIA_LOG_SEGMENTS)
    {
        ngx_media_log_begins(ev, ctx);
    }
}


static void
ngx_media_log_end(ngx_media_event_t *ev)
{
    u_char                        *p, *last, line[NGX_MEDIA_LOG_LINE];
    uint64_t                       frames, bytes, late, nomem, bad;
    ngx_uint_t                     i;
    ngx_media_log_ctx_t           *ctx;
    const ngx_media_event_end_t   *what = ev->what;

    ctx = ev->ctx[ngx_media_log_module.ctx_index];

    if (ctx == NULL) {
        return;
    }

    if (!ctx->said) {
        ngx_media_log_begins(ev, ctx);
    }

    bytes = 0;
    late = 0;
    nomem = 0;
    bad = 0;

    for (i = 0; i <= NGX_MEDIA_TEXT; i++) {
        bytes += what->sums[i].bytes;
        late += what->sums[i].late;
        nomem += what->sums[i].nomem;
        bad += what->sums[i].bad;
    }

    frames = what->sums[NGX_MEDIA_VIDEO].frames;

    if (frames == 0) {
        frames = what->sums[NGX_MEDIA_AUDIO].frames;
    }

    p = line;
    last = line + NGX_MEDIA_LOG_LINE;

    p = ngx_slprintf(p, last, "ended after ");
    p = ngx_media_log_tenths(p, last, what->msec / 100, "s");
    p = ngx_slprintf(p, last, ", %s; %uL frames, ", what->reason, frames);

    if (bytes < 1000000) {
        p = ngx_slprintf(p, last, "%uL kB", bytes / 1000);

    } else {
        p = ngx_media_log_tenths(p, last, bytes / 100000, "MB");
    }

    p = ngx_slprintf(p, last, ", %uL late, %uL jumps", late, what->jumps);

    if (nomem) {
        p = ngx_slprintf(p, last, ", %uL without room", nomem);
    }

    if (bad) {
        p = ngx_slprintf(p, last, ", %uL malformed", bad);
    }

    ngx_media_log_line(ev, line, p - line);
}


static ngx_media_log_track_t *
ngx_media_log_find(ngx_media_log_ctx_t *ctx, ngx_uint_t index)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->ntracks; i++) {
        if (ctx->tracks[i].index == index) {
            return &ctx->tracks[i];
        }
    }

    return NULL;
}


/* the first picture, where there is none the first sound */

static ngx_media_log_track_t *
ngx_media_log_lead(ngx_media_log_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->ntracks; i++) {
        if (ctx->tracks[i].type == NGX_MEDIA_VIDEO) {
            return &ctx->tracks[i];
        }
    }

    return ctx->ntracks ? &ctx->tracks[0] : NULL;
}


/* what comes is known */

static void
ngx_media_log_begins(ngx_media_event_t *ev, ngx_media_log_ctx_t *ctx)
{
    u_char                 *p, *last, line[NGX_MEDIA_LOG_LINE];
    ngx_uint_t              i;
    ngx_media_log_track_t  *lead;

    ctx->said = 1;

    p = line;
    last = line + NGX_MEDIA_LOG_LINE;

    p = ngx_slprintf(p, last, "%V %V", &ctx->protocol, &ctx->address);

    for (i = 0; i < ctx->ntracks; i++) {
        p = ngx_media_log_text(p, last, &ctx->tracks[i]);
    }

    if (ctx->more) {
        p = ngx_slprintf(p, last, ", and %ui more", ctx->more);
    }

    lead = ngx_media_log_lead(ctx);

    if (lead == NULL) {
        p = ngx_slprintf(p, last, ", no track");

    } else if (lead->type == NGX_MEDIA_VIDEO && lead->key_msec) {
        p = ngx_slprintf(p, last, ", key frames %uL.%uL s",
                         lead->key_msec / 1000, lead->key_msec % 1000 / 100);

    } else if (lead->type == NGX_MEDIA_VIDEO && lead->segments) {
        p = ngx_slprintf(p, last, ", one key frame in %uL.%uL s",
                         lead->segments_msec / 1000,
                         lead->segments_msec % 1000 / 100);
    }

    ngx_media_log_line(ev, line, p - line);
}


static u_char *
ngx_media_log_text(u_char *p, u_char *last, const ngx_media_log_track_t *t)
{
    uint32_t  fps;

    if (t->type != NGX_MEDIA_VIDEO) {
        return ngx_slprintf(p, last, ", %V %uD x%uD", &t->codec,
                            t->sample_rate, t->channels);
    }

    p = ngx_slprintf(p, last, ", %V %uDx%uD", &t->codec, t->width, t->height);

    /* in 1/100, and no zeros at the end */

    fps = (t->fps + 5) / 10;

    if (fps == 0) {
        /* void */

    } else if (fps % 100 == 0) {
        p = ngx_slprintf(p, last, " %uD fps", fps / 100);

    } else if (fps % 10 == 0) {
        p = ngx_slprintf(p, last, " %uD.%uD fps", fps / 100, fps % 100 / 10);

    } else {
        p = ngx_slprintf(p, last, " %uD.%02uD fps", fps / 100, fps % 100);
    }

    return ngx_slprintf(p, last, " %*s", t->string_len, t->string);
}


/* with a decimal while that says anything */

static u_char *
ngx_media_log_tenths(u_char *p, u_char *last, uint64_t n, const char *unit)
{
    if (n < 100) {
        return ngx_slprintf(p, last, "%uL.%uL %s", n / 10, n % 10, unit);
    }

    return ngx_slprintf(p, last, "%uL %s", n / 10, unit);
}


/* as its connection's log says, but without what that knows of it */

static void
ngx_media_log_line(ngx_media_event_t *ev, const u_char *line, size_t len)
{
    ngx_log_t  log;

    log = *ev->log;
    log.handler = NULL;

    ngx_log_error(NGX_LOG_INFO, &log, 0, "%V/%V: %*s", &ev->app->name,
                  ev->name, len, line);
}
