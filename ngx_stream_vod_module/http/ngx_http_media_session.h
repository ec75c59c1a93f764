
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Viewers by HTTP: which session a request is of, whether it may go on, and
 * what it was sent.  The table is that of access/ngx_media_session.h.
 *
 * A request enters behind the access phase, where it is known who asks, and
 * "satisfy" has had its say; what was sent is told as it ends, and meanwhile
 * where it takes long.
 */


#ifndef _NGX_HTTP_MEDIA_SESSION_H_INCLUDED_
#define _NGX_HTTP_MEDIA_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_access.h"
#include "access/ngx_media_pass.h"
#include "access/ngx_media_session.h"
#include "core/ngx_media_stat.h"
#include "http/ngx_http_media_subject.h"


/* a location's */

typedef struct {
    ngx_http_complex_value_t  *key;           /* NULL: auto */
    ngx_http_complex_value_t  *condition;     /* "if="; NULL: none */
    ngx_media_session_limit_t  limit;
    unsigned                   limited:1;     /* the directive is here */
} ngx_http_media_session_loc_conf_t;


/* a request's; in its pool, found over redirects inside of nginx */

typedef struct {
    ngx_http_request_t        *request;
    ngx_media_sessions_t      *sessions;
    ngx_media_session_who_t    who;
    ngx_media_session_ref_t    ref;           /* tag 0: it has none */
    uint64_t                   id;
    ngx_uint_t                 protocol;      /* of the session */
    ngx_uint_t                 flags;         /* of its kind */

    ngx_queue_t                queue;         /* of requests in progress */
    ngx_msec_t                 since;         /* when it was told what was
                                                 sent: */
    uint64_t                   bytes;
    uint64_t                   watch;         /* ms */

    /* what hooks are asked */
    ngx_media_app_t           *app;
    ngx_str_t                  args;          /* that hooks may look at */
    uint64_t                   key;           /* who asks, and what for */
    uint64_t                   hook;          /* what they call it; 0: new */
    ngx_queue_t                asks;          /* of all that wait */
    ngx_media_access_t        *access;        /* NULL: another one asks */
    ngx_event_t                event;         /* the answer is there: */
    ngx_media_access_verdict_t verdict;
    ngx_media_access_client_t  client;
    ngx_int_t                  rc;

    unsigned                   known:1;       /* who it is */
    unsigned                   queued:1;
    unsigned                   asking:1;      /* it waits for the answer */
    unsigned                   answered:1;    /* which it has not looked at */
    unsigned                   asked:1;       /* and which was yes */
    unsigned                   again:1;       /* of one that has a session */
    unsigned                   made:1;        /* the session, by this one */
    unsigned                   told:1;        /* something was sent */
    unsigned                   refused:1;     /* headers were set for that */
} ngx_http_media_session_ctx_t;


/* ngx_http_media_session_module.c */

/* NULL: there are none */
ngx_media_sessions_t *ngx_http_media_sessions_conf(ngx_http_request_t *r);
ngx_http_media_session_loc_conf_t *ngx_http_media_session_conf(
    ngx_http_request_t *r);
/* NULL: it has not been where there are sessions */
ngx_http_media_session_ctx_t *ngx_http_media_session_find(
    ngx_http_request_t *r);

/* what a handler returns, with the headers for it but those of media_cors:
   401, 403, 429, 503 */
ngx_int_t ngx_http_media_session_refuse(ngx_http_request_t *r,
    ngx_int_t status);

/* the session of this request is there, and has begun with its token */
ngx_uint_t ngx_http_media_session_runs(ngx_http_request_t *r);

/* what is known of a request's viewer, in any phase; 0: not */

typedef struct {
    uint64_t                   id;            /* of the session */
    uint64_t                   viewer;        /* hash of this day */
    ngx_uint_t                 protocol;      /* NGX_MEDIA_SESSION_* */
} ngx_http_media_session_of_t;

/* NGX_OK or NGX_DECLINED: it is no request for media */
ngx_int_t ngx_http_media_session_of(ngx_http_request_t *r,
    ngx_http_media_session_of_t *of);


/* ngx_http_media_metric_session.c: the viewers of a stream of this app; NULL:
   nobody counts them */
void ngx_http_media_session_count(ngx_media_sessions_t *sessions,
    const ngx_str_t *app, ngx_media_stream_stat_t *stat);


/* ngx_http_media_session_who.c: NGX_OK; NGX_DECLINED: it is not to be counted;
   NGX_ERROR.  What who points to is in the request's pool, or the request. */
ngx_int_t ngx_http_media_session_who(ngx_http_request_t *r,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit);


/*
 * ngx_http_media_session_ask.c: of hooks whether this one may.  NGX_AGAIN: the
 * phases are run anew when the answer is there, ctx->rc and ctx->verdict; else
 * the answer: NGX_OK or a status.
 */
ngx_int_t ngx_http_media_session_asked(ngx_http_request_t *r,
    ngx_http_media_session_ctx_t *ctx, ngx_media_app_t *app);
void ngx_http_media_session_forget(ngx_http_media_session_ctx_t *ctx);


/* ngx_http_media_token_module.c: what the token says that has let it in, and a
   hash of it; NULL: none has */
const ngx_media_pass_t *ngx_http_media_token_pass(ngx_http_request_t *r,
    uint32_t *mark);

/* ngx_http_media_module.c: of the location; NULL: it has none */
ngx_media_app_t *ngx_http_media_app_conf(ngx_http_request_t *r);


#endif /* _NGX_HTTP_MEDIA_SESSION_H_INCLUDED_ */
