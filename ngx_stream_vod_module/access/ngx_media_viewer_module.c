
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * play_limit of media {}, and the check for it: who would be one too many by
 * RTMP or SRT, or is banned, is told so before others are asked.  How many
 * there are is looked at once more as he begins, under the lock of the table.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_viewer.h"
#include "core/ngx_media_module.h"


typedef struct {
    ngx_media_session_limit_t  limit;
    ngx_uint_t                 set;           /* the directive is there */
} ngx_media_viewer_conf_t;


static ngx_int_t ngx_media_viewer_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static ngx_uint_t ngx_media_viewer_protocol(const ngx_str_t *name);
static void ngx_media_viewer_cancel(void *ctx);
static void ngx_media_viewer_least(ngx_uint_t *limit, ngx_uint_t other);

static void *ngx_media_viewer_create_conf(ngx_conf_t *cf,
    ngx_media_app_t *app);
static char *ngx_media_viewer_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_viewer_needs(ngx_conf_t *cf, void *data);
static ngx_int_t ngx_media_viewer_postconfiguration(ngx_conf_t *cf);


static ngx_command_t  ngx_media_viewer_commands[] = {

    { ngx_string("play_limit"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE123,
      ngx_media_viewer_limit,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_viewer_module_ctx = {
    0,                                     /* layout of its shared memory */
    ngx_media_viewer_create_conf,          /* create configuration */
    NULL,                                  /* init configuration */
    ngx_media_viewer_postconfiguration,    /* postconfiguration */
    NULL,                                  /* shared memory */
    NULL,                                  /* init shared memory */
    NULL,                                  /* a process has gone */
    NULL                                   /* once a second */
};


ngx_module_t  ngx_media_viewer_module = {
    NGX_MODULE_V1,
    &ngx_media_viewer_module_ctx,          /* module context */
    ngx_media_viewer_commands,             /* module directives */
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


static const ngx_media_access_check_t  ngx_media_viewer_entry = {
    ngx_media_viewer_check,
    ngx_media_viewer_cancel,
    NULL,
    NULL,
    NULL,
    NULL
};


/* connections of this process that had a session */
static uint32_t  ngx_media_viewer_number;


static ngx_int_t
ngx_media_viewer_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason)
{
    ngx_uint_t                  protocol;
    ngx_media_sessions_t       *sessions;
    ngx_media_session_who_t     who;
    ngx_media_session_limit_t   limit;

    sessions = ngx_media_sessions_get(conf->app->cycle);
    protocol = ngx_media_viewer_protocol(&conf->protocol);

    if (sessions == NULL || conf->action != NGX_MEDIA_ACCESS_PLAY
        || protocol == NGX_MEDIA_SESSION_UNKNOWN)
    {
        return NGX_OK;
    }

    ngx_media_viewer_who(conf, protocol, &who, &limit);

    return ngx_media_session_ask(sessions, &who, &limit, reason);
}


/* who comes by HTTP is known better where he comes in: UNKNOWN */

static ngx_uint_t
ngx_media_viewer_protocol(const ngx_str_t *name)
{
    ngx_uint_t        i;
    const ngx_str_t  *known;

    static const ngx_uint_t  protocols[] = {
        NGX_MEDIA_SESSION_RTMP, NGX_MEDIA_SESSION_SRT
    };

    for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        known = ngx_media_session_protocol_name(protocols[i]);

        if (name->len == known->len
            && ngx_memcmp(name->data, known->data, known->len) == 0)
        {
            return protocols[i];
        }
    }

    return NGX_MEDIA_SESSION_UNKNOWN;
}


static void
ngx_media_viewer_cancel(void *ctx)
{
    /* it never waits */
}


void
ngx_media_viewer_who(const ngx_media_access_conf_t *conf, ngx_uint_t protocol,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit)
{
    ngx_media_viewer_conf_t           *mvcf;
    const ngx_media_access_verdict_t  *verdict;

    mvcf = ngx_media_app_conf(conf->app, ngx_media_viewer_module);
    verdict = conf->verdict;

    ngx_memzero(who, sizeof(ngx_media_session_who_t));

    who->app = conf->app->name;
    who->name = conf->name;
    who->protocol = protocol;
    who->by = NGX_MEDIA_SESSION_BY_ADDRESS;

    if (conf->connection) {
        who->sockaddr = conf->connection->sockaddr;
    }

    if (conf->client) {
        who->agent = conf->client->agent;
    }

    *limit = mvcf->limit;

    if (verdict && verdict->viewer_len) {
        who->by = NGX_MEDIA_SESSION_BY_TOKEN;
        who->viewer.data = (u_char *) verdict->viewer;
        who->viewer.len = verdict->viewer_len;

        ngx_media_viewer_least(&limit->viewer, verdict->sessions);

    } else {

        /* those of one address are many, and cannot be told apart */

        limit->viewer = 0;
    }
}


void
ngx_media_viewer_narrow(ngx_media_session_limit_t *limit,
    const ngx_media_session_limit_t *other)
{
    ngx_media_viewer_least(&limit->viewer, other->viewer);
    ngx_media_viewer_least(&limit->address, other->address);
    ngx_media_viewer_least(&limit->stream, other->stream);
}


static void
ngx_media_viewer_least(ngx_uint_t *limit, ngx_uint_t other)
{
    if (other && (*limit == 0 || other < *limit)) {
        *limit = other;
    }
}


ngx_int_t
ngx_media_viewer_begin(ngx_media_app_t *app,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_viewer_t *viewer,
    const char **reason)
{
    ngx_int_t                   rc;
    ngx_media_sessions_t       *sessions;
    ngx_media_session_who_t     native;
    ngx_media_session_state_t   state;

    *reason = NULL;

    ngx_memzero(viewer, sizeof(ngx_media_viewer_t));

    sessions = ngx_media_sessions_get(app->cycle);

    if (sessions == NULL) {
        return NGX_OK;
    }

    native = *who;
    native.connection = (uint64_t) ngx_pid << 32 | ++ngx_media_viewer_number;

    rc = ngx_media_session_make(sessions, &native, limit, &state, reason);

    if (rc == NGX_DECLINED && state.banned) {
        return NGX_ABORT;
    }

    if (rc != NGX_OK) {
        return (rc == NGX_BUSY) ? NGX_OK : rc;
    }

    viewer->sessions = sessions;
    viewer->ref = state.ref;
    viewer->since = ngx_current_msec;

    return NGX_OK;
}


ngx_msec_t
ngx_media_viewer_tick(const ngx_media_viewer_t *viewer)
{
    return viewer->sessions ? ngx_media_session_tick(viewer->sessions) : 0;
}


/* what is live takes as long as it takes: who was sent nothing saw nothing */

ngx_int_t
ngx_media_viewer_touch(ngx_media_viewer_t *viewer)
{
    ngx_int_t                 rc;
    ngx_media_session_sent_t  sent;

    if (viewer->sessions == NULL) {
        return NGX_OK;
    }

    ngx_memzero(&sent, sizeof(ngx_media_session_sent_t));

    if (viewer->bytes) {
        sent.bytes = viewer->bytes;
        sent.watch = ngx_current_msec - viewer->since;
        sent.media = 1;
    }

    viewer->since = ngx_current_msec;
    viewer->bytes = 0;

    rc = ngx_media_session_touch(viewer->sessions, &viewer->ref, &sent);

    if (rc == NGX_DECLINED) {

        /* this process stood still for longer than the time-out */

        viewer->sessions = NULL;
        rc = NGX_OK;
    }

    return rc;
}


void
ngx_media_viewer_end(ngx_media_viewer_t *viewer)
{
    (void) ngx_media_viewer_touch(viewer);

    if (viewer->sessions) {
        ngx_media_session_close(viewer->sessions, &viewer->ref);
        viewer->sessions = NULL;
    }
}


static void *
ngx_media_viewer_create_conf(ngx_conf_t *cf, ngx_media_app_t *app)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_media_viewer_conf_t));
}


static char *
ngx_media_viewer_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_viewer_conf_t *mvcf = conf;

    if (mvcf->set) {
        return "is duplicate";
    }

    mvcf->set = 1;

    if (ngx_media_session_limits(cf, &mvcf->limit) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    /* off */

    if (!mvcf->limit.viewer && !mvcf->limit.address && !mvcf->limit.stream) {
        return NGX_CONF_OK;
    }

    if (ngx_media_conf_check(cf, ngx_media_viewer_needs, mvcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_media_viewer_needs(ngx_conf_t *cf, void *data)
{
    if (ngx_media_sessions_get(cf->cycle) == NULL) {
        return "\"play_limit\" needs \"media_sessions\"";
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_media_viewer_postconfiguration(ngx_conf_t *cf)
{
    if (ngx_media_sessions_get(cf->cycle) == NULL) {
        return NGX_OK;
    }

    return ngx_media_access_add(cf, &ngx_media_viewer_entry);
}
