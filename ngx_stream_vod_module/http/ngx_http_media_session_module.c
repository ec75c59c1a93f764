
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * media_sessions, media_session_key, media_limit.  Phases have handlers of
 * ours only where there are sessions.
 *
 * Who is banned, and newcomers beyond a limit, are refused in the precontent
 * phase: behind the access phase, so that neither "satisfy any" nor another
 * module's word lets them in, and the token has been verified.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/ngx_media_read.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_session.h"


/* s that an answer of hooks holds where they do not say */
#define NGX_HTTP_MEDIA_SESSION_VALID  (30 * 24 * 3600)

/* in target durations: a player of a live playlist may be silent for so long */
#define NGX_HTTP_MEDIA_SESSION_TARGETS  3

/* timeout=, s */
#define NGX_HTTP_MEDIA_SESSION_TIMEOUT   30
#define NGX_HTTP_MEDIA_SESSION_SHORTEST  2
#define NGX_HTTP_MEDIA_SESSION_LONGEST   3600


/* what a request of a kind is to a session */

#define NGX_HTTP_MEDIA_SESSION_LOOK   0x01    /* who is banned has none of it */
#define NGX_HTTP_MEDIA_SESSION_MAKE   0x02    /* a session begins with it, and
                                                 goes on */
#define NGX_HTTP_MEDIA_SESSION_MEDIA  0x04    /* it is watched */
#define NGX_HTTP_MEDIA_SESSION_LIST   0x08    /* it says the protocol */


typedef struct {
    ngx_media_sessions_t      *sessions;      /* NULL: off */
    time_t                     timeout;
    unsigned                   set:1;         /* the directive was there */
    u_char                    *limit_file;    /* of the first media_limit; */
    ngx_uint_t                 limit_line;    /* NULL: there is none */
} ngx_http_media_session_main_conf_t;


static ngx_int_t ngx_http_media_session_enter(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_session_begin(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx);
static ngx_int_t ngx_http_media_session_seek(ngx_media_sessions_t *sessions,
    ngx_media_session_who_t *who, ngx_media_session_state_t *state);
static ngx_int_t ngx_http_media_session_first(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_session_limit_t *limit,
    ngx_media_session_state_t *state);
static ngx_int_t ngx_http_media_session_next(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_session_state_t *state);
static ngx_int_t ngx_http_media_session_answer(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_app_t *app);
static void ngx_http_media_session_admitted(ngx_http_media_session_ctx_t *ctx);
static time_t ngx_http_media_session_slack(ngx_http_media_session_ctx_t *ctx,
    ngx_media_app_t *app);
static void ngx_http_media_session_protocol(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, const ngx_media_session_state_t *state);
static ngx_uint_t ngx_http_media_session_kind(
    const ngx_http_media_subject_t *subject);
static ngx_int_t ngx_http_media_session_limited(ngx_http_request_t *r,
    const char *reason);
static void ngx_http_media_session_follow(ngx_http_media_session_ctx_t *ctx);
static void ngx_http_media_session_tick(ngx_event_t *ev);
static ngx_uint_t ngx_http_media_session_kicked(
    ngx_http_media_session_ctx_t *ctx);
static ngx_int_t ngx_http_media_session_tell(ngx_http_media_session_ctx_t *ctx,
    ngx_uint_t last);
static uint64_t ngx_http_media_session_watch(ngx_http_request_t *r,
    uint64_t body);
static off_t ngx_http_media_session_size(ngx_http_request_t *r,
    const ngx_http_media_subject_t *subject);
static ngx_int_t ngx_http_media_session_log(ngx_http_request_t *r);
static ngx_http_media_session_ctx_t *ngx_http_media_session_ctx(
    ngx_http_request_t *r);
static void ngx_http_media_session_leave(ngx_http_media_session_ctx_t *ctx);
static void ngx_http_media_session_cleanup(void *data);
static void ngx_http_media_session_ended(const ngx_media_session_info_t *info);

static ngx_int_t ngx_http_media_session_init(ngx_conf_t *cf);
static void *ngx_http_media_session_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_media_session_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_media_session_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_media_sessions(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_media_session_key_set(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_media_limit_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_http_media_session_commands[] = {

    { ngx_string("media_sessions"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_media_sessions,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_session_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_media_session_key_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_media_limit_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_session_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_media_session_init,           /* postconfiguration */

    ngx_http_media_session_create_main_conf,  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_session_create_loc_conf,  /* create location configuration */
    ngx_http_media_session_merge_loc_conf  /* merge location configuration */
};


ngx_module_t  ngx_http_media_session_module = {
    NGX_MODULE_V1,
    &ngx_http_media_session_module_ctx,    /* module context */
    ngx_http_media_session_commands,       /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* FLV and RTMP have sessions of their own: those of their connections */

static const ngx_uint_t
    ngx_http_media_session_flags[NGX_HTTP_MEDIA_COUNT_KINDS] =
{
    [NGX_HTTP_MEDIA_COUNT_PLAYLIST] = NGX_HTTP_MEDIA_SESSION_LOOK
                                      |NGX_HTTP_MEDIA_SESSION_MAKE
                                      |NGX_HTTP_MEDIA_SESSION_LIST,
    [NGX_HTTP_MEDIA_COUNT_MANIFEST] = NGX_HTTP_MEDIA_SESSION_LOOK
                                      |NGX_HTTP_MEDIA_SESSION_MAKE
                                      |NGX_HTTP_MEDIA_SESSION_LIST,
    [NGX_HTTP_MEDIA_COUNT_INIT] = NGX_HTTP_MEDIA_SESSION_LOOK
                                  |NGX_HTTP_MEDIA_SESSION_MAKE,
    [NGX_HTTP_MEDIA_COUNT_SEGMENT] = NGX_HTTP_MEDIA_SESSION_LOOK
                                     |NGX_HTTP_MEDIA_SESSION_MAKE
                                     |NGX_HTTP_MEDIA_SESSION_MEDIA,
    [NGX_HTTP_MEDIA_COUNT_PART] = NGX_HTTP_MEDIA_SESSION_LOOK
                                  |NGX_HTTP_MEDIA_SESSION_MAKE
                                  |NGX_HTTP_MEDIA_SESSION_MEDIA,
    [NGX_HTTP_MEDIA_COUNT_TS] = NGX_HTTP_MEDIA_SESSION_LOOK
                                |NGX_HTTP_MEDIA_SESSION_MAKE
                                |NGX_HTTP_MEDIA_SESSION_MEDIA,
    [NGX_HTTP_MEDIA_COUNT_TEXT] = NGX_HTTP_MEDIA_SESSION_LOOK
                                  |NGX_HTTP_MEDIA_SESSION_MAKE,
    [NGX_HTTP_MEDIA_COUNT_PICTURE] = NGX_HTTP_MEDIA_SESSION_LOOK,
    [NGX_HTTP_MEDIA_COUNT_CLIP] = NGX_HTTP_MEDIA_SESSION_LOOK
                                  |NGX_HTTP_MEDIA_SESSION_MAKE
                                  |NGX_HTTP_MEDIA_SESSION_MEDIA
};


/* requests in progress that have a session, the one told longest ago first */

static ngx_queue_t  ngx_http_media_session_queue = {
    &ngx_http_media_session_queue, &ngx_http_media_session_queue
};

static ngx_connection_t  ngx_http_media_session_dumb;
static ngx_event_t       ngx_http_media_session_timer;


static ngx_int_t
ngx_http_media_session_enter(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_uint_t                     flags;
    ngx_http_media_subject_t      *subject;
    ngx_http_media_session_ctx_t  *ctx;

    if (ngx_http_media_place(r) == NULL || r != r->main
        || !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)))
    {
        return NGX_DECLINED;
    }

    subject = ngx_http_media_subject_parse(r);

    if (subject == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (subject->rc != NGX_OK) {
        return NGX_DECLINED;
    }

    flags = ngx_http_media_session_flags[subject->url.kind->count];

    if (flags == 0) {
        return NGX_DECLINED;
    }

    if (r->method == NGX_HTTP_HEAD) {
        flags = NGX_HTTP_MEDIA_SESSION_LOOK;
    }

    ctx = ngx_http_media_session_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ctx->answered) {
        ngx_http_media_session_leave(ctx);

        ctx->known = 0;
        ctx->id = 0;
        ctx->protocol = 0;
    }

    ctx->flags = flags;

    rc = ngx_http_media_session_begin(r, ctx);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc != NGX_OK) {

        /* pages of other origins may see it */

        if (!ctx->refused && ngx_http_media_cors_add(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_media_session_refuse(r, rc);
    }

    if (ctx->ref.tag && (flags & NGX_HTTP_MEDIA_SESSION_MAKE)) {
        subject->watched = (flags & NGX_HTTP_MEDIA_SESSION_MEDIA) ? 1 : 0;
        ngx_http_media_session_follow(ctx);
    }

    return NGX_DECLINED;
}


/* NGX_OK; NGX_AGAIN: hooks are asked; else what it is refused with */

static ngx_int_t
ngx_http_media_session_begin(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_media_session_limit_t  limit;
    ngx_media_session_state_t  state;

    rc = ngx_http_media_session_who(r, &ctx->who, &limit);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->known = 1;

    rc = ngx_http_media_session_seek(ctx->sessions, &ctx->who, &state);

    if (state.banned || (rc == NGX_OK && state.kicked)) {
        ngx_media_session_refused(ctx->sessions, &ctx->who);

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "media viewer refused: banned");

        return NGX_HTTP_FORBIDDEN;
    }

    if (rc != NGX_OK && !(ctx->flags & NGX_HTTP_MEDIA_SESSION_MAKE)) {
        return NGX_OK;
    }

    ngx_http_media_session_protocol(r, ctx, rc == NGX_OK ? &state : NULL);

    if (rc != NGX_OK) {
        rc = ngx_http_media_session_first(r, ctx, &limit, &state);

    } else {
        rc = ngx_http_media_session_next(r, ctx, &state);
    }

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : rc;
    }

    ctx->ref = state.ref;
    ctx->id = state.id;
    ctx->made = state.made;

    if (ctx->asked) {
        ngx_http_media_session_admitted(ctx);
    }

    /* the token may have been renewed */

    if (ctx->who.mark && state.mark != ctx->who.mark) {
        (void) ngx_media_session_mark(ctx->sessions, &ctx->ref,
                                      ctx->who.mark);
    }

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media session:%xL, by:%V made:%d confirmed:%d",
                   ctx->id, ngx_media_session_by_name(ctx->who.by),
                   (int) state.made, (int) state.confirmed);

    return NGX_OK;
}


/* as look(), and who it is taken for where its address has many */

static ngx_int_t
ngx_http_media_session_seek(ngx_media_sessions_t *sessions,
    ngx_media_session_who_t *who, ngx_media_session_state_t *state)
{
    ngx_int_t  rc;

    rc = ngx_media_session_look(sessions, who, state);

    while (rc != NGX_OK && !state->banned
           && ngx_media_session_folds(sessions, who))
    {
        rc = ngx_media_session_look(sessions, who, state);
    }

    return rc;
}


/*
 * A viewer who has no session: NGX_OK, *state is that of the new one;
 * NGX_DECLINED: he is let in without; NGX_AGAIN, or what he is refused with
 */

static ngx_int_t
ngx_http_media_session_first(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_session_limit_t *limit,
    ngx_media_session_state_t *state)
{
    ngx_int_t            rc;
    const char          *reason;
    ngx_media_app_t     *app;
    ngx_media_stream_t   stream;

    app = ngx_http_media_app_conf(r);

    /* of what is not there nobody is a viewer: it will be answered so */

    if (app && ngx_media_stream_find(app->zone, &ctx->who.name, &stream)
               != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rc = NGX_OK;

    if (!ctx->answered) {
        ctx->again = 0;
        ctx->hook = 0;
    }

    if (app && ngx_media_access_asks(app)) {

        if (!ctx->answered
            && ngx_media_session_ask(ctx->sessions, &ctx->who, limit, &reason)
               == NGX_DECLINED)
        {
            return ngx_http_media_session_limited(r, reason);
        }

        rc = ngx_http_media_session_answer(r, ctx, app);

        if (rc != NGX_OK) {
            return rc;
        }

        /* one that was asked about once more, and whose end has been told */

        if (ctx->hook) {
            ctx->verdict.id = 0;
            ctx->hook = 0;
        }

        if (ctx->verdict.sessions
            && (limit->viewer == 0 || ctx->verdict.sessions < limit->viewer))
        {
            limit->viewer = ctx->verdict.sessions;
        }
    }

    rc = ngx_media_session_make(ctx->sessions, &ctx->who, limit, state,
                                &reason);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (ctx->asked) {
        ngx_media_access_ended(app, ctx->verdict.id,
                               "there is no room for the session");
    }

    if (rc == NGX_DECLINED && (state->banned || state->kicked)) {
        return NGX_HTTP_FORBIDDEN;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_media_session_limited(r, reason);
    }

    /* where hooks have the word nobody is let in whom they could not ask for */

    return ctx->asked ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_DECLINED;
}


/* one who has one; as first() */

static ngx_int_t
ngx_http_media_session_next(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_session_state_t *state)
{
    time_t            slack;
    ngx_int_t         rc;
    ngx_uint_t        same;
    ngx_media_app_t  *app;

    app = ngx_http_media_app_conf(r);

    if (app == NULL || !ngx_media_access_asks(app)) {
        return NGX_OK;
    }

    /*
     * By a playlist they are asked once more as soon as their answer is over,
     * by media only where no playlist has come for long
     */

    slack = (ctx->flags & NGX_HTTP_MEDIA_SESSION_LIST)
            ? ngx_http_media_session_slack(ctx, app) : 0;

    if (!ctx->answered
        && (state->admitted > slack
            || !(ctx->flags & NGX_HTTP_MEDIA_SESSION_MAKE)))
    {
        return NGX_OK;
    }

    if (!ctx->answered) {
        ctx->again = 1;
    }

    /* it may have ended meanwhile, and this be another one */

    same = !ctx->answered || ctx->hook == state->hook;

    if (!same && ctx->again) {
        ctx->verdict.id = 0;
    }

    ctx->hook = state->hook;

    rc = ngx_http_media_session_answer(r, ctx, app);

    /* a no to a newcomer is not about the session of another one */

    if (ctx->again && same
        && (rc == NGX_HTTP_UNAUTHORIZED || rc == NGX_HTTP_FORBIDDEN))
    {
        ngx_media_session_close(ctx->sessions, &state->ref);
    }

    return rc;
}


/* NGX_OK, NGX_AGAIN or what it is refused with */

static ngx_int_t
ngx_http_media_session_answer(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_app_t *app)
{
    ngx_int_t  rc;

    if (ctx->answered) {
        ctx->answered = 0;
        rc = ctx->rc;

    } else {
        rc = ngx_http_media_session_asked(r, ctx, app);
    }

    ctx->asked = (rc == NGX_OK);

    return rc;
}


/* hooks have said yes: for how long */

static void
ngx_http_media_session_admitted(ngx_http_media_session_ctx_t *ctx)
{
    time_t                       now, until, valid;
    ngx_int_t                    rc;
    ngx_media_access_verdict_t  *verdict;

    verdict = &ctx->verdict;

    now = ngx_time();
    until = verdict->again;

    if (verdict->expires && (until == 0 || verdict->expires < until)) {
        until = verdict->expires;
    }

    valid = NGX_HTTP_MEDIA_SESSION_VALID;

    if (until) {
        valid = ngx_min(ngx_max(until - now, 0), valid);
    }

    valid += ngx_http_media_session_slack(ctx, ctx->app);

    ctx->asked = 0;

    rc = ngx_media_session_admit(ctx->sessions, &ctx->ref, valid, verdict->id);

    if (verdict->id == 0 || verdict->id == ctx->hook) {
        return;
    }

    if (rc == NGX_OK) {
        ngx_media_access_here(ctx->app, verdict->id, NULL, NULL);
        return;
    }

    /* of two who ask at the same time one has the session */

    ngx_media_access_ended(ctx->app, verdict->id,
                           "the viewer has been asked about already");
}


/* s without a playlist after which media has to ask itself */

static time_t
ngx_http_media_session_slack(ngx_http_media_session_ctx_t *ctx,
    ngx_media_app_t *app)
{
    ngx_http_media_session_main_conf_t  *mscf;

    mscf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_media_session_module);

    return ngx_max(mscf->timeout,
                   (time_t) app->target * NGX_HTTP_MEDIA_SESSION_TARGETS);
}


/* HLS and DASH have the same segments: what was listed last counts */

static void
ngx_http_media_session_protocol(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, const ngx_media_session_state_t *state)
{
    ngx_uint_t                 protocol;
    ngx_http_media_subject_t  *subject;

    subject = ngx_http_media_subject_parse(r);
    protocol = ngx_http_media_session_kind(subject);

    if (!(ctx->flags & NGX_HTTP_MEDIA_SESSION_LIST)) {

        if (state && state->protocol) {
            protocol = state->protocol;

        } else if (ctx->who.protocol) {
            protocol = ctx->who.protocol;
        }
    }

    ctx->protocol = protocol;
    ctx->who.protocol = protocol;
}


/*
 * A request that has come in, or been refused, is of the viewer that it was
 * then.  Before, it is not known yet whose its token is.
 */

ngx_int_t
ngx_http_media_session_of(ngx_http_request_t *r,
    ngx_http_media_session_of_t *of)
{
    ngx_media_sessions_t          *sessions;
    ngx_media_session_who_t        who;
    ngx_http_media_subject_t      *subject;
    ngx_media_session_limit_t      limit;
    ngx_media_session_state_t      state;
    ngx_http_media_session_ctx_t  *ctx;

    ngx_memzero(of, sizeof(ngx_http_media_session_of_t));

    subject = ngx_http_media_subject_parse(r);

    if (subject == NULL || subject->rc != NGX_OK) {
        return NGX_DECLINED;
    }

    sessions = ngx_http_media_sessions_conf(r);
    ctx = ngx_http_media_session_find(r);

    if (ctx && ctx->known) {
        of->id = ctx->id;
        of->viewer = ngx_media_session_viewer(sessions, &ctx->who);
        of->protocol = ctx->protocol;

    } else if (sessions
               && ngx_http_media_place(r)
               && ngx_http_media_session_who(r, &who, &limit) == NGX_OK)
    {
        of->viewer = ngx_media_session_viewer(sessions, &who);
        of->protocol = who.protocol;

        if (ngx_media_session_look(sessions, &who, &state) == NGX_OK) {
            of->id = state.id;
            of->protocol = state.protocol;
        }
    }

    if (ngx_http_media_session_kind(subject)) {
        of->protocol = ngx_http_media_session_kind(subject);
    }

    return NGX_OK;
}


/* what a kind says of it, if it says anything */

static ngx_uint_t
ngx_http_media_session_kind(const ngx_http_media_subject_t *subject)
{
    switch (subject->url.kind->count) {

    case NGX_HTTP_MEDIA_COUNT_MANIFEST:
        return NGX_MEDIA_SESSION_DASH;

    case NGX_HTTP_MEDIA_COUNT_PLAYLIST:
    case NGX_HTTP_MEDIA_COUNT_TS:
        return NGX_MEDIA_SESSION_HLS;

    case NGX_HTTP_MEDIA_COUNT_CLIP:
        return NGX_MEDIA_SESSION_FILE;

    case NGX_HTTP_MEDIA_COUNT_FLV:
        return NGX_MEDIA_SESSION_FLV;

    default:
        return NGX_MEDIA_SESSION_UNKNOWN;
    }
}


static ngx_int_t
ngx_http_media_session_limited(ngx_http_request_t *r, const char *reason)
{
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "media viewer refused: %s", reason);

    return NGX_HTTP_TOO_MANY_REQUESTS;
}


ngx_int_t
ngx_http_media_session_refuse(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_http_media_session_ctx_t        *ctx;
    ngx_http_media_session_main_conf_t  *mscf;

    ctx = ngx_http_media_session_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the page of an error may be refused in its turn */

    if (ctx->refused || status == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return status;
    }

    ctx->refused = 1;

    mscf = ngx_http_get_module_main_conf(r, ngx_http_media_session_module);

    if (status == NGX_HTTP_TOO_MANY_REQUESTS
        && ngx_http_media_header(r, "Retry-After", "%T", mscf->timeout)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_refuse(r, status, NGX_HTTP_MEDIA_NO_STORE);
}


ngx_uint_t
ngx_http_media_session_runs(ngx_http_request_t *r)
{
    ngx_media_sessions_t       *sessions;
    ngx_media_session_who_t     who;
    ngx_media_session_limit_t   limit;
    ngx_media_session_state_t   state;

    sessions = ngx_http_media_sessions_conf(r);

    return sessions
           && ngx_http_media_place(r)
           && ngx_http_media_session_who(r, &who, &limit) == NGX_OK
           && ngx_http_media_session_seek(sessions, &who, &state) == NGX_OK
           && !state.kicked && !state.banned
           && who.mark && state.mark == who.mark;
}


static void
ngx_http_media_session_follow(ngx_http_media_session_ctx_t *ctx)
{
    ctx->since = ngx_current_msec;

    ngx_queue_insert_tail(&ngx_http_media_session_queue, &ctx->queue);
    ctx->queued = 1;

    if (!ngx_http_media_session_timer.timer_set) {
        ngx_http_media_session_dumb.fd = (ngx_socket_t) -1;

        ngx_http_media_session_timer.handler = ngx_http_media_session_tick;
        ngx_http_media_session_timer.data = &ngx_http_media_session_dumb;
        ngx_http_media_session_timer.log = ngx_cycle->log;
        ngx_http_media_session_timer.cancelable = 1;

        ngx_add_timer(&ngx_http_media_session_timer,
                      ngx_media_session_tick(ctx->sessions));
    }
}


/* responses that take long keep their sessions, and end with them */

static void
ngx_http_media_session_tick(ngx_event_t *ev)
{
    ngx_msec_t                     tick;
    ngx_queue_t                   *q;
    ngx_msec_int_t                 left;
    ngx_connection_t              *c;
    ngx_http_media_session_ctx_t  *ctx;

    while (!ngx_queue_empty(&ngx_http_media_session_queue)) {
        q = ngx_queue_head(&ngx_http_media_session_queue);
        ctx = ngx_queue_data(q, ngx_http_media_session_ctx_t, queue);

        tick = ngx_media_session_tick(ctx->sessions);
        left = (ngx_msec_int_t) (ctx->since + tick - ngx_current_msec);

        if (left > 0) {
            ngx_add_timer(ev, (ngx_msec_t) left);
            return;
        }

        ngx_queue_remove(q);
        ctx->since = ngx_current_msec;
        ngx_queue_insert_tail(&ngx_http_media_session_queue, q);

        if (!ngx_http_media_session_kicked(ctx)
            && ngx_http_media_session_tell(ctx, 0) != NGX_ABORT)
        {
            continue;
        }

        c = ctx->request->connection;

        ngx_http_set_log_request(c->log, ctx->request);

        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "media viewer was kicked, response ended");

        c->timedout = 1;

        ngx_http_finalize_request(ctx->request, NGX_HTTP_REQUEST_TIME_OUT);
        ngx_http_run_posted_requests(c);
    }
}


/* also who is sent nothing yet, or nothing more: what is held, what stalls */

static ngx_uint_t
ngx_http_media_session_kicked(ngx_http_media_session_ctx_t *ctx)
{
    ngx_media_session_state_t  state;

    (void) ngx_media_session_look(ctx->sessions, &ctx->who, &state);

    return state.kicked || state.banned;
}


/*
 * What was sent since it was told last; NGX_ABORT: it is not to go on.  Errors
 * are not told; who has what he asks for goes on, and was sent nothing.
 */

static ngx_int_t
ngx_http_media_session_tell(ngx_http_media_session_ctx_t *ctx,
    ngx_uint_t last)
{
    off_t                       body;
    uint64_t                    bytes, watch;
    ngx_int_t                   rc;
    ngx_uint_t                  status;
    ngx_media_app_t            *app;
    ngx_http_request_t         *r;
    ngx_media_session_sent_t    sent;
    ngx_media_session_state_t   state;

    r = ctx->request;

    status = r->err_status ? r->err_status : r->headers_out.status;
    body = r->connection->sent - (off_t) r->header_size;

    if (r->header_sent && status == NGX_HTTP_NOT_MODIFIED) {
        bytes = ctx->bytes;
        watch = ctx->watch;

    } else if (r->header_sent && body > 0
               && (status == NGX_HTTP_OK
                   || status == NGX_HTTP_PARTIAL_CONTENT))
    {
        bytes = (uint64_t) r->connection->sent;
        watch = ngx_http_media_session_watch(r, (uint64_t) body);

    } else {
        return NGX_DECLINED;
    }

    if (!last && bytes == ctx->bytes) {
        return NGX_OK;
    }

    ngx_memzero(&sent, sizeof(ngx_media_session_sent_t));

    sent.bytes = bytes - ctx->bytes;
    sent.watch = (watch > ctx->watch) ? watch - ctx->watch : 0;
    sent.requests = last ? 1 : 0;
    sent.media = (sent.bytes
                  && (ctx->flags & NGX_HTTP_MEDIA_SESSION_MEDIA)) ? 1 : 0;

    if (ctx->flags & NGX_HTTP_MEDIA_SESSION_LIST) {
        sent.protocol = ctx->protocol;

        /* who waits for the next segment may be that far behind */

        app = ngx_http_media_app_conf(r);

        if (app) {
            sent.alive = (ngx_msec_t) app->target * 1000
                         * NGX_HTTP_MEDIA_SESSION_TARGETS;
        }
    }

    rc = ngx_media_session_touch(ctx->sessions, &ctx->ref, &sent);

    if (rc == NGX_DECLINED
        && ngx_media_session_look(ctx->sessions, &ctx->who, &state) == NGX_OK)
    {
        ctx->ref = state.ref;
        rc = ngx_media_session_touch(ctx->sessions, &ctx->ref, &sent);
    }

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media session:%xL is told bytes:%uL watch:%uL "
                   "last:%ui rc:%i", ctx->id, sent.bytes, sent.watch, last,
                   rc);

    ctx->told = 1;
    ctx->bytes = bytes;
    ctx->watch = ngx_max(watch, ctx->watch);

    return rc;
}


/* ms: what has been sent of a body is as much of its time */

static uint64_t
ngx_http_media_session_watch(ngx_http_request_t *r, uint64_t body)
{
    off_t                      size;
    ngx_http_media_subject_t  *subject;

    subject = ngx_http_media_subject(r);

    if (subject == NULL || subject->media == 0) {
        return 0;
    }

    size = ngx_http_media_session_size(r, subject);

    if (size <= 0 || body >= (uint64_t) size) {
        return subject->media / 1000;
    }

    return (uint64_t) ((double) subject->media * body / size / 1000);
}


/* of all of what a part may have been asked of; 0: it is not known */

static off_t
ngx_http_media_session_size(ngx_http_request_t *r,
    const ngx_http_media_subject_t *subject)
{
    u_char           *p, *last;
    ngx_table_elt_t  *range;

    if (subject->size) {
        return subject->size;
    }

    range = r->headers_out.content_range;

    if (r->headers_out.status != NGX_HTTP_PARTIAL_CONTENT || range == NULL) {
        return r->headers_out.content_length_n;
    }

    /* RFC 9110, 14.4 */

    last = range->value.data + range->value.len;
    p = ngx_strlchr(range->value.data, last, '/');

    return p ? ngx_atoof(p + 1, last - p - 1) : 0;
}


static ngx_int_t
ngx_http_media_session_log(ngx_http_request_t *r)
{
    ngx_http_media_session_ctx_t  *ctx;

    ctx = (r == r->main) ? ngx_http_media_session_find(r) : NULL;

    if (ctx && ctx->queued) {
        (void) ngx_http_media_session_tell(ctx, 1);
        ngx_http_media_session_leave(ctx);
    }

    return NGX_OK;
}


ngx_http_media_session_ctx_t *
ngx_http_media_session_find(ngx_http_request_t *r)
{
    ngx_http_media_session_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_session_module);

    if (ctx) {
        return ctx;
    }

    /* a redirect inside of nginx clears contexts */

    ctx = ngx_http_media_kept(r, ngx_http_media_session_cleanup);

    if (ctx) {
        ngx_http_set_ctx(r, ctx, ngx_http_media_session_module);
    }

    return ctx;
}


static ngx_http_media_session_ctx_t *
ngx_http_media_session_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_media_session_ctx_t  *ctx;

    ctx = ngx_http_media_session_find(r);

    if (ctx) {
        return ctx;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_session_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_media_session_cleanup;

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_media_session_ctx_t));

    ctx->request = r;
    ctx->sessions = ngx_http_media_sessions_conf(r);

    ngx_http_set_ctx(r, ctx, ngx_http_media_session_module);

    return ctx;
}


/* the request ends, or begins anew elsewhere */

static void
ngx_http_media_session_leave(ngx_http_media_session_ctx_t *ctx)
{
    ngx_http_media_session_forget(ctx);

    if (ctx->queued) {
        ngx_queue_remove(&ctx->queue);
        ctx->queued = 0;
    }

    /* what it began with was not sent: nobody may have seen anything */

    if (ctx->made && !ctx->told) {
        ngx_media_session_drop(ctx->sessions, &ctx->ref);
    }

    ctx->made = 0;
    ctx->told = 0;
    ctx->asked = 0;
    ctx->again = 0;
    ctx->ref.tag = 0;
    ctx->hook = 0;
    ctx->bytes = 0;
    ctx->watch = 0;
}


static void
ngx_http_media_session_cleanup(void *data)
{
    ngx_http_media_session_leave(data);
}


ngx_media_sessions_t *
ngx_http_media_sessions_conf(ngx_http_request_t *r)
{
    ngx_http_media_session_main_conf_t  *mscf;

    mscf = ngx_http_get_module_main_conf(r, ngx_http_media_session_module);

    return mscf->sessions;
}


ngx_http_media_session_loc_conf_t *
ngx_http_media_session_conf(ngx_http_request_t *r)
{
    return ngx_http_get_module_loc_conf(r, ngx_http_media_session_module);
}


/* those of connections are told of where these end */

static void
ngx_http_media_session_ended(const ngx_media_session_info_t *info)
{
    ngx_str_t         name;
    ngx_media_app_t  *app;

    if (info->native || info->hook == 0) {
        return;
    }

    name = info->app;
    app = ngx_media_app_find((ngx_cycle_t *) ngx_cycle, &name);

    if (app) {
        ngx_media_access_ended(app, info->hook, info->kicked ? "kicked"
                                                : "the viewer has gone");
    }
}


static ngx_int_t
ngx_http_media_session_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt                 *h;
    ngx_http_core_main_conf_t           *cmcf;
    ngx_http_media_session_main_conf_t  *mscf;

    mscf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_media_session_module);

    if (mscf->sessions == NULL) {

        if (mscf->limit_file) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"media_limit\" needs \"media_sessions\" in "
                          "%s:%ui", mscf->limit_file, mscf->limit_line);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_media_session_ended_add(cf, ngx_http_media_session_ended)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_media_session_enter;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_media_session_log;

    return NGX_OK;
}


static void *
ngx_http_media_session_create_main_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->sessions = NULL;
     *     conf->timeout = 0;
     *     conf->set = 0;
     *     conf->limit_file = NULL;
     *     conf->limit_line = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_media_session_main_conf_t));
}


static void *
ngx_http_media_session_create_loc_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->key = NULL;
     *     conf->condition = NULL;
     *     conf->limit = { 0, 0, 0 };
     *     conf->limited = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_media_session_loc_conf_t));
}


static char *
ngx_http_media_session_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_media_session_loc_conf_t *prev = parent;
    ngx_http_media_session_loc_conf_t *conf = child;

    if (conf->key == NULL) {
        conf->key = prev->key;
        conf->condition = prev->condition;
    }

    if (!conf->limited) {
        conf->limit = prev->limit;
        conf->limited = prev->limited;
    }

    return NGX_CONF_OK;
}


/* media_sessions SIZE [timeout=30s] [address=off|hash|plain] | off */

static char *
ngx_http_media_sessions(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_session_main_conf_t *mscf = conf;

    ssize_t      size;
    ngx_str_t   *value, text, name;
    ngx_uint_t   address, i;

    if (mscf->set) {
        return "is duplicate";
    }

    mscf->set = 1;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "is invalid: \"off\" has no parameters";
    }

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size < NGX_MEDIA_SESSION_LEAST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\", it must be at least %uzk",
                           &value[1],
                           (size_t) NGX_MEDIA_SESSION_LEAST / 1024);
        return NGX_CONF_ERROR;
    }

    mscf->timeout = NGX_HTTP_MEDIA_SESSION_TIMEOUT;
    address = NGX_MEDIA_SESSION_ADDRESS_OFF;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {
            text.data = value[i].data + 8;
            text.len = value[i].len - 8;

            mscf->timeout = ngx_parse_time(&text, 1);

            if (mscf->timeout >= NGX_HTTP_MEDIA_SESSION_SHORTEST
                && mscf->timeout <= NGX_HTTP_MEDIA_SESSION_LONGEST)
            {
                continue;
            }

        } else if (ngx_strcmp(value[i].data, "address=off") == 0) {
            address = NGX_MEDIA_SESSION_ADDRESS_OFF;
            continue;

        } else if (ngx_strcmp(value[i].data, "address=hash") == 0) {
            address = NGX_MEDIA_SESSION_ADDRESS_HASH;
            continue;

        } else if (ngx_strcmp(value[i].data, "address=plain") == 0) {
            address = NGX_MEDIA_SESSION_ADDRESS_PLAIN;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", write \"timeout=\", "
                           "from 2s to 1h, or \"address=off\", \"hash\" or "
                           "\"plain\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&name, "viewers");

    mscf->sessions = ngx_media_sessions_add(cf, &name, (size_t) size,
                                            (ngx_msec_t) mscf->timeout * 1000,
                                            address);

    return mscf->sessions ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* media_session_key VALUE [if=CONDITION] */

static char *
ngx_http_media_session_key_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_session_loc_conf_t *mslcf = conf;

    ngx_str_t                         *value, text;
    ngx_http_compile_complex_value_t   ccv;

    if (mslcf->key) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mslcf->key = ngx_pcalloc(cf->pool, 2 * sizeof(ngx_http_complex_value_t));
    if (mslcf->key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = mslcf->key;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    /* with nothing behind it nobody would be asked for anything */

    if (ngx_strncmp(value[2].data, "if=", 3) != 0 || value[2].len == 3) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", write \"if=CONDITION\"",
                           ngx_media_access_quoted(&value[2]));
        return NGX_CONF_ERROR;
    }

    text.data = value[2].data + 3;
    text.len = value[2].len - 3;

    mslcf->condition = mslcf->key + 1;

    ccv.value = &text;
    ccv.complex_value = mslcf->condition;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


/* media_limit [session=N] [ip=N] [stream=N] | off */

static char *
ngx_http_media_limit_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_session_loc_conf_t *mslcf = conf;

    ngx_http_media_session_main_conf_t  *mscf;

    if (mslcf->limited) {
        return "is duplicate";
    }

    mslcf->limited = 1;

    if (ngx_media_session_limits(cf, &mslcf->limit) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    /* off */

    if (!mslcf->limit.viewer && !mslcf->limit.address
        && !mslcf->limit.stream)
    {
        return NGX_CONF_OK;
    }

    mscf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_media_session_module);

    if (mscf->limit_file == NULL) {
        mscf->limit_file = cf->conf_file->file.name.data;
        mscf->limit_line = cf->conf_file->line;
    }

    return NGX_CONF_OK;
}
