
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tokens of viewers, for any location: those with media, and those that pass
 * requests on to where it is.
 *
 *     /live/~TOKEN/demo/index.m3u8  ->  /live/demo/index.m3u8
 *
 * In the path the token is in all URIs of a playlist, which are relative, and
 * the playlist is the same for everybody.  It is taken out before anything
 * else looks at the URI.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "access/ngx_media_jwks.h"
#include "access/ngx_media_access.h"
#include "access/ngx_media_pass.h"
#include "formats/ngx_media_siphash.h"
#include "http/ngx_http_media_kind.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_session.h"
#include "http/ngx_http_media_subject.h"


#define NGX_HTTP_MEDIA_TOKEN_OFF     0x01
#define NGX_HTTP_MEDIA_TOKEN_ON      0x02
#define NGX_HTTP_MEDIA_TOKEN_PATH    0x04
#define NGX_HTTP_MEDIA_TOKEN_HEADER  0x08

#define NGX_HTTP_MEDIA_TOKEN_LEEWAY  10       /* s */

/* media_token_expire: who has begun goes on, or not */
#define NGX_HTTP_MEDIA_TOKEN_START   0
#define NGX_HTTP_MEDIA_TOKEN_STRICT  1


typedef struct {
    ngx_uint_t                used;           /* some location asks */
} ngx_http_media_token_main_conf_t;


typedef struct {
    ngx_uint_t                ways;           /* 0: unset */
    ngx_str_t                 query;          /* argument; empty: none */
    ngx_str_t                 cookie;         /* empty: none */
    ngx_media_keys_t         *keys;
    ngx_str_t                 audience;
    ngx_str_t                 issuer;
    time_t                    leeway;
    ngx_uint_t                expire;         /* NGX_HTTP_MEDIA_TOKEN_START */
    ngx_str_t                 app;            /* of a location without media,
                                                 as tokens name it */
    size_t                    prefix;         /* bytes of URIs before names */
} ngx_http_media_token_conf_t;


/* a request's, found over redirects inside of nginx by its cleanup */

typedef struct {
    ngx_str_t                 token;          /* of the path, or else of the
                                                 arguments; data NULL: none */
    time_t                    expires;        /* the one that has let in; 0:
                                                 none has */
    ngx_media_keys_wait_t     wait;
    ngx_http_media_token_conf_t
                             *judge;          /* which has let it in; NULL */
    ngx_str_t                 shown;          /* the token that it has read */
    ngx_media_pass_t          pass;
    ngx_uint_t                reason;         /* NGX_HTTP_MEDIA_COUNT_*, why it
                                                 is not let in */
    unsigned                  query:1;        /* it was an argument */
    unsigned                  refused:1;      /* headers were set for that */
    unsigned                  waiting:1;      /* for keys */
    unsigned                  waited:1;
    unsigned                  unknown:1;      /* 503, unless another way of
                                                 "satisfy any" lets it in */
} ngx_http_media_token_ctx_t;


static ngx_int_t ngx_http_media_token_rewrite(ngx_http_request_t *r);
static void ngx_http_media_token_referer(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_token_cut(ngx_http_request_t *r,
    ngx_http_media_token_ctx_t *ctx, u_char *pos, const ngx_str_t *argument);
static ngx_int_t ngx_http_media_token_args(ngx_http_request_t *r,
    const ngx_str_t *argument);
static ngx_int_t ngx_http_media_token_access(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_token_unknown(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_token_wait(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx,
    const ngx_str_t *key);
static void ngx_http_media_token_ready(void *data);
static ngx_int_t ngx_http_media_token_judge(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx,
    const char **reason);
static void ngx_http_media_token_find(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx,
    ngx_str_t *token);
static ngx_int_t ngx_http_media_token_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_media_token_bearer(ngx_http_request_t *r,
    ngx_str_t *value);
static void ngx_http_media_token_name(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, const ngx_http_media_place_t *place,
    ngx_str_t *name);
static ngx_int_t ngx_http_media_token_redirect(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx);
static ngx_int_t ngx_http_media_token_refuse(ngx_http_request_t *r,
    ngx_http_media_token_ctx_t *ctx, ngx_int_t status);
static ngx_http_media_token_ctx_t *ngx_http_media_token_ctx(
    ngx_http_request_t *r);
static void ngx_http_media_token_cleanup(void *data);

static ngx_int_t ngx_http_media_token_init(ngx_conf_t *cf);
static void *ngx_http_media_token_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_media_token_create_conf(ngx_conf_t *cf);
static char *ngx_http_media_token_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void ngx_http_media_token_place(ngx_conf_t *cf,
    const ngx_http_media_token_conf_t *prev,
    ngx_http_media_token_conf_t *conf);
static char *ngx_http_media_token_check(ngx_conf_t *cf,
    ngx_http_media_token_conf_t *conf);
static char *ngx_http_media_token(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_media_token_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_conf_enum_t  ngx_http_media_token_expire_words[] = {
    { ngx_string("start"), NGX_HTTP_MEDIA_TOKEN_START },
    { ngx_string("strict"), NGX_HTTP_MEDIA_TOKEN_STRICT },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_media_token_commands[] = {

    { ngx_string("media_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_media_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_token_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_media_token_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_token_audience"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_token_conf_t, audience),
      NULL },

    { ngx_string("media_token_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_token_conf_t, issuer),
      NULL },

    { ngx_string("media_token_leeway"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_token_conf_t, leeway),
      NULL },

    { ngx_string("media_token_expire"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_token_conf_t, expire),
      &ngx_http_media_token_expire_words },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_token_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_media_token_init,             /* postconfiguration */

    ngx_http_media_token_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_token_create_conf,      /* create location configuration */
    ngx_http_media_token_merge_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_media_token_module = {
    NGX_MODULE_V1,
    &ngx_http_media_token_module_ctx,      /* module context */
    ngx_http_media_token_commands,         /* module directives */
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


/*
 * What is in the URI is taken out of it before anything else looks at that: the
 * component behind the location's prefix, if it begins with "~", and arguments.
 */

static ngx_int_t
ngx_http_media_token_rewrite(ngx_http_request_t *r)
{
    u_char                       *p;
    ngx_str_t                     value;
    ngx_uint_t                    found;
    ngx_http_media_token_ctx_t   *ctx;
    ngx_http_media_token_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_media_token_module);

    if ((conf->ways & NGX_HTTP_MEDIA_TOKEN_OFF) || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_media_token_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_media_token_referer(r);

    found = conf->query.len
            && ngx_http_arg(r, conf->query.data, conf->query.len, &value)
               == NGX_OK;

    if (found && ctx->token.data == NULL) {
        ctx->token = value;
        ctx->query = 1;
    }

    p = r->uri.data + ngx_min(conf->prefix, r->uri.len - 1);

    if ((conf->ways & NGX_HTTP_MEDIA_TOKEN_PATH)
        && *p == '~' && p[-1] == '/'
        && (ctx->token.data == NULL || ctx->query))
    {
        return ngx_http_media_token_cut(r, ctx, p,
                                        found ? &conf->query : NULL);
    }

    /* "/~TOKEN/..", which nginx has resolved, is concealed, too */

    if ((found || ngx_strlchr(r->unparsed_uri.data, r->unparsed_uri.data
                                               + r->unparsed_uri.len, '~'))
        && ngx_http_media_token_conceal(r, found ? &conf->query : NULL)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/* players say which playlist they come from */

static void
ngx_http_media_token_referer(ngx_http_request_t *r)
{
    u_char     *p;
    ngx_str_t  *referer;

    if (r->headers_in.referer == NULL) {
        return;
    }

    referer = &r->headers_in.referer->value;
    p = ngx_strnstr(referer->data, "/~", referer->len);

    if (p) {
        referer->len = p + 1 - referer->data;
        *(p + 1) = '\0';
    }
}


/*
 * The location was found by the URI with the token in it: it is looked for once
 * more, as after "rewrite ... last", but for what this one would rewrite.
 */

static ngx_int_t
ngx_http_media_token_cut(ngx_http_request_t *r,
    ngx_http_media_token_ctx_t *ctx, u_char *pos, const ngx_str_t *argument)
{
    u_char                     *p, *last, *end;
    ngx_str_t                   uri;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    end = r->uri.data + r->uri.len;
    last = memchr(pos, '/', end - pos);

    ctx->query = 0;
    ctx->token.data = pos + 1;
    ctx->token.len = (last ? last : end) - pos - 1;

    /* with the slash behind it */

    last = last ? last + 1 : end;

    uri.len = (pos - r->uri.data) + (end - last);
    uri.data = ngx_pnalloc(r->pool, uri.len + 1);

    if (uri.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(uri.data, r->uri.data, pos - r->uri.data);
    p = ngx_cpymem(p, last, end - last);
    *p = '\0';

    r->uri = uri;

    ngx_http_set_exten(r);

    if (ngx_http_media_token_conceal(r, argument) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media token was in the path of \"%V\"", &r->uri);

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    r->loc_conf = cscf->ctx->loc_conf;

    /* the phase of one handler before those of rewrite; its number is raised */

    r->phase_handler = cmcf->phase_engine.location_rewrite_index - 2;

    return NGX_DECLINED;
}


/*
 * What the client has asked for, as $request, $request_uri and logs have it,
 * and as it is passed on: without the token, or the argument that it is in.
 */

ngx_int_t
ngx_http_media_token_conceal(ngx_http_request_t *r, const ngx_str_t *argument)
{
    u_char     *p;
    size_t      len;
    uintptr_t   escape;

    if (argument && ngx_http_media_token_args(r, argument) != NGX_OK) {
        return NGX_ERROR;
    }

    escape = ngx_escape_uri(NULL, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    len = r->method_name.len + 1 + r->uri.len + 2 * escape + 1 + r->args.len
          + 1 + r->http_protocol.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->request_line.data = p;

    p = ngx_cpymem(p, r->method_name.data, r->method_name.len);
    *p++ = ' ';

    r->unparsed_uri.data = p;

    p = escape ? (u_char *) ngx_escape_uri(p, r->uri.data, r->uri.len,
                                           NGX_ESCAPE_URI)
               : ngx_cpymem(p, r->uri.data, r->uri.len);

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    r->unparsed_uri.len = p - r->unparsed_uri.data;
    r->valid_unparsed_uri = 0;

    *p++ = ' ';
    p = ngx_cpymem(p, r->http_protocol.data, r->http_protocol.len);

    r->request_line.len = p - r->request_line.data;

    return NGX_OK;
}


/* others stay, in their order */

static ngx_int_t
ngx_http_media_token_args(ngx_http_request_t *r, const ngx_str_t *argument)
{
    u_char     *p, *arg, *last, *end;
    ngx_str_t   args;

    args.data = ngx_pnalloc(r->pool, r->args.len + 1);
    if (args.data == NULL) {
        return NGX_ERROR;
    }

    p = args.data;
    last = r->args.data + r->args.len;

    for (arg = r->args.data; arg < last; arg = end + 1) {
        end = ngx_strlchr(arg, last, '&');
        end = end ? end : last;

        /* as ngx_http_arg() finds it */

        if ((size_t) (end - arg) > argument->len
            && arg[argument->len] == '='
            && ngx_strncasecmp(arg, argument->data, argument->len) == 0)
        {
            continue;
        }

        if (p != args.data) {
            *p++ = '&';
        }

        p = ngx_cpymem(p, arg, end - arg);
    }

    args.len = p - args.data;
    r->args = args;

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_token_access(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    const char                   *reason;
    ngx_http_media_token_ctx_t   *ctx;
    ngx_http_media_token_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_media_token_module);

    if (conf->ways & NGX_HTTP_MEDIA_TOKEN_OFF) {
        return NGX_DECLINED;
    }

    /* Fetch, 4.8: a preflight request has no credentials, and gets no media */

    if (ngx_http_media_place(r) && r->method == NGX_HTTP_OPTIONS
        && ngx_http_media_request_header(r, "Access-Control-Request-Method",
                             sizeof("Access-Control-Request-Method") - 1))
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_media_token_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->judge = NULL;
    ctx->expires = 0;
    ctx->unknown = 0;

    ngx_http_media_token_find(r, conf, ctx, &ctx->shown);

    if (ctx->shown.data == NULL) {
        ctx->reason = NGX_HTTP_MEDIA_COUNT_MISSING;
        return ngx_http_media_token_refuse(r, ctx, NGX_HTTP_UNAUTHORIZED);
    }

    rc = ngx_http_media_token_judge(r, conf, ctx, &reason);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_AGAIN || rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "media token refused: %s", reason);

        ctx->reason = ctx->pass.expired ? NGX_HTTP_MEDIA_COUNT_EXPIRED
                                        : NGX_HTTP_MEDIA_COUNT_INVALID;
        return ngx_http_media_token_refuse(r, ctx, NGX_HTTP_FORBIDDEN);
    }

    if (ctx->query && (conf->ways & NGX_HTTP_MEDIA_TOKEN_PATH)) {
        return ngx_http_media_token_redirect(r, conf, ctx);
    }

    return NGX_OK;
}


/* the last one of "satisfy any": the others have not let it in */

static ngx_int_t
ngx_http_media_token_unknown(ngx_http_request_t *r)
{
    ngx_http_media_token_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_token_module);

    if (ctx == NULL || !ctx->unknown) {
        return NGX_DECLINED;
    }

    ctx->unknown = 0;

    return ngx_http_media_token_refuse(r, ctx, NGX_HTTP_SERVICE_UNAVAILABLE);
}


/*
 * NGX_OK, or NGX_DECLINED and why; NGX_AGAIN: keys are waited for, or a status;
 * NGX_ERROR: no memory
 */

static ngx_int_t
ngx_http_media_token_judge(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx,
    const char **reason)
{
    u_char                  *room;
    ngx_int_t                rc;
    ngx_http_media_place_t  *place;
    ngx_media_pass_conf_t    asked;

    room = ngx_pnalloc(r->pool, ctx->shown.len + 1);
    if (room == NULL) {
        return NGX_ERROR;
    }

    place = ngx_http_media_place(r);

    ngx_memzero(&asked, sizeof(ngx_media_pass_conf_t));

    asked.keys = conf->keys;
    asked.audience = conf->audience;
    asked.issuer = conf->issuer;
    asked.leeway = conf->leeway;
    asked.action = NGX_MEDIA_GRANT_PLAY;
    asked.app = place ? place->app : conf->app;
    asked.sockaddr = r->connection->sockaddr;
    asked.now = ngx_time();

    ngx_http_media_token_name(r, conf, place, &asked.name);

    rc = ngx_media_pass_check(&asked, &ctx->shown, room, &ctx->pass, reason);

    if (rc == NGX_AGAIN) {
        rc = ngx_http_media_token_wait(r, conf, ctx, &ctx->pass.key);
    }

    if (rc == NGX_AGAIN || rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ctx->judge = (rc == NGX_OK || ctx->pass.expired) ? conf : NULL;

    if (rc != NGX_OK) {

        /* who began with this token goes on with it */

        if (!ctx->pass.expired
            || conf->expire == NGX_HTTP_MEDIA_TOKEN_STRICT
            || !ngx_http_media_session_runs(r))
        {
            ctx->judge = NULL;
            return NGX_DECLINED;
        }
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media token is valid for \"%V\", %L s are left",
                   &asked.name, ctx->pass.exp - (int64_t) asked.now);

    ctx->expires = ngx_media_pass_expires(&asked, &ctx->pass);

    return NGX_OK;
}


time_t
ngx_http_media_token_expires(ngx_http_request_t *r)
{
    ngx_http_media_token_ctx_t  *ctx;

    ctx = ngx_http_media_token_on(r) ? ngx_http_media_token_ctx(r) : NULL;

    return ctx ? ctx->expires : 0;
}


ngx_int_t
ngx_http_media_token_argument(ngx_http_request_t *r, const ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_http_media_token_ctx_t   *ctx;
    ngx_http_media_token_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_media_token_module);

    if (conf->query.len == 0 || conf->query.len != name->len
        || ngx_strncasecmp(conf->query.data, name->data, name->len) != 0)
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_media_token_ctx(r);

    if (ctx == NULL || !ctx->query) {
        return NGX_DECLINED;
    }

    *value = ctx->token;

    return NGX_OK;
}


const ngx_media_pass_t *
ngx_http_media_token_pass(ngx_http_request_t *r, uint32_t *mark)
{
    ngx_media_siphash_t           hash;
    ngx_http_media_token_ctx_t   *ctx;
    ngx_http_media_token_conf_t  *conf;

    /* nobody can make a token of his own, whatever its hash would be */

    static const u_char  key[NGX_MEDIA_SIPHASH_KEY];

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_token_module);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_media_token_module);

    if (ctx == NULL || ctx->judge != conf) {
        return NULL;
    }

    ngx_media_siphash_init(&hash, key);
    ngx_media_siphash_update(&hash, ctx->shown.data, ctx->shown.len);

    *mark = (uint32_t) ngx_media_siphash_final(&hash);
    *mark += (*mark == 0);

    return &ctx->pass;
}


ngx_uint_t
ngx_http_media_token_on(ngx_http_request_t *r)
{
    ngx_http_media_token_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_media_token_module);

    return !(conf->ways & NGX_HTTP_MEDIA_TOKEN_OFF);
}


/*
 * NGX_AGAIN: the keys that may have signed it are on their way; NGX_DECLINED:
 * it is of no key that there is; or what is answered as nobody knows
 */

static ngx_int_t
ngx_http_media_token_wait(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx,
    const ngx_str_t *key)
{
    ngx_int_t                  rc;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ctx->wait.ready = ngx_http_media_token_ready;
    ctx->wait.data = r;

    rc = ngx_media_keys_wait(conf->keys, key, ctx->waited, &ctx->wait);

    ctx->waited = 1;

    if (rc == NGX_DECLINED) {
        return rc;
    }

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "media token refused: its keys are not there yet");

        if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
            ctx->unknown = 1;
            return NGX_HTTP_FORBIDDEN;
        }

        return ngx_http_media_token_refuse(r, ctx,
                                           NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ctx->waiting = 1;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "http media token waits for keys");

    if (r->connection->read->ready) {
        ngx_post_event(r->connection->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


/* it is looked at once more */

static void
ngx_http_media_token_ready(void *data)
{
    ngx_http_request_t *r = data;

    ngx_connection_t            *c;
    ngx_http_media_token_ctx_t  *ctx;

    c = r->connection;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_token_module);
    ctx->waiting = 0;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "http media token has waited for keys");

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


/* of the first place that has one; data NULL: none has */

static void
ngx_http_media_token_find(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx,
    ngx_str_t *token)
{
    if (ctx->token.data) {
        *token = ctx->token;
        return;
    }

    if (conf->cookie.len
        && ngx_http_media_token_cookie(r, &conf->cookie, token) == NGX_OK)
    {
        return;
    }

    if ((conf->ways & NGX_HTTP_MEDIA_TOKEN_HEADER)
        && ngx_http_media_token_bearer(r, token) == NGX_OK)
    {
        return;
    }

    ngx_str_null(token);
}


/* RFC 6265, 4.2.1; nginx's own function for it has changed its arguments */

static ngx_int_t
ngx_http_media_token_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char           *p, *last, *end;
    ngx_table_elt_t  *h;

    h = ngx_http_media_request_header(r, "Cookie", sizeof("Cookie") - 1);

    if (h == NULL) {
        return NGX_DECLINED;
    }

    last = h->value.data + h->value.len;

    for (p = h->value.data; p < last; p = end + 1) {

        while (p < last && (*p == ' ' || *p == ';')) {
            p++;
        }

        end = ngx_strlchr(p, last, ';');
        end = end ? end : last;

        if ((size_t) (end - p) > name->len && p[name->len] == '='
            && ngx_memcmp(p, name->data, name->len) == 0)
        {
            value->data = p + name->len + 1;
            value->len = end - value->data;

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* RFC 6750, 2.1 */

static ngx_int_t
ngx_http_media_token_bearer(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_str_t  *text;

    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    text = &r->headers_in.authorization->value;

    if (text->len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(text->data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    value->data = text->data + sizeof("Bearer ") - 1;
    value->len = text->len - (sizeof("Bearer ") - 1);

    return NGX_OK;
}


/* of the stream; of what is no URL of media all behind the prefix */

static void
ngx_http_media_token_name(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, const ngx_http_media_place_t *place,
    ngx_str_t *name)
{
    size_t                     prefix;
    ngx_http_media_url_t       url;
    ngx_http_media_subject_t  *subject;

    prefix = ngx_min(conf->prefix, r->uri.len);

    name->data = r->uri.data + prefix;
    name->len = r->uri.len - prefix;

    if (place) {
        subject = ngx_http_media_subject_parse(r);

        if (subject && subject->rc == NGX_OK) {
            *name = subject->url.name;
        }

        return;
    }

    if (ngx_http_media_kinds_parse(r, name->data, name->data + name->len,
                                   &url)
        == NGX_OK)
    {
        *name = url.name;
    }
}


/* the same, with the token in the path */

static ngx_int_t
ngx_http_media_token_redirect(ngx_http_request_t *r,
    ngx_http_media_token_conf_t *conf, ngx_http_media_token_ctx_t *ctx)
{
    u_char           *p;
    size_t            prefix, rest;
    uintptr_t         escape;
    ngx_str_t         location, *token;
    ngx_table_elt_t  *h;

    token = &ctx->token;
    prefix = ngx_min(conf->prefix, r->uri.len);
    rest = r->uri.len - prefix;

    escape = ngx_escape_uri(NULL, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    location.data = ngx_pnalloc(r->pool, r->uri.len + 2 * escape + token->len
                                         + r->args.len + sizeof("~/?") - 1);
    if (location.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = (u_char *) ngx_escape_uri(location.data, r->uri.data, prefix,
                                  NGX_ESCAPE_URI);
    *p++ = '~';
    p = ngx_cpymem(p, token->data, token->len);
    *p++ = '/';
    p = (u_char *) ngx_escape_uri(p, r->uri.data + prefix, rest,
                                  NGX_ESCAPE_URI);

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    location.len = p - location.data;

    ngx_http_clear_location(r);

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Location");
    h->value = location;

    r->headers_out.location = h;

    return ngx_http_media_token_refuse(r, ctx, NGX_HTTP_MOVED_TEMPORARILY);
}


/* nobody may keep it for others, and pages of other origins may see it */

static ngx_int_t
ngx_http_media_token_refuse(ngx_http_request_t *r,
    ngx_http_media_token_ctx_t *ctx, ngx_int_t status)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /*
     * with "satisfy any" it may still be let in; the page of an error may be
     * refused in its turn
     */

    if ((clcf->satisfy == NGX_HTTP_SATISFY_ANY
         && (status == NGX_HTTP_UNAUTHORIZED || status == NGX_HTTP_FORBIDDEN))
        || ctx->refused)
    {
        return status;
    }

    ctx->refused = 1;

    if (status == NGX_HTTP_UNAUTHORIZED || status == NGX_HTTP_FORBIDDEN) {
        ngx_http_media_subject_refused(r, ctx->reason);
    }

    /* RFC 9110, 11.6.1; RFC 6750, 3 */

    if (ngx_http_media_cors_add(r) != NGX_OK
        || (status == NGX_HTTP_UNAUTHORIZED
            && ngx_http_media_header(r, "WWW-Authenticate", "Bearer")
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* that is when keys are asked for again */

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE) {

        return ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_NO_STORE, 0)
               == NGX_OK
               && ngx_http_media_header(r, "Retry-After", "5") == NGX_OK
               ? status : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_media_refuse(r, status, NGX_HTTP_MEDIA_NO_STORE);
}


/* a redirect inside of nginx clears contexts; the cleanup is a mark, too */

static ngx_http_media_token_ctx_t *
ngx_http_media_token_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_media_token_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_media_token_module);

    if (ctx) {
        return ctx;
    }

    ctx = ngx_http_media_kept(r, ngx_http_media_token_cleanup);

    if (ctx) {
        ngx_http_set_ctx(r, ctx, ngx_http_media_token_module);
        return ctx;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_token_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_media_token_cleanup;

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_media_token_ctx_t));

    ngx_http_set_ctx(r, ctx, ngx_http_media_token_module);

    return ctx;
}


static void
ngx_http_media_token_cleanup(void *data)
{
    ngx_http_media_token_ctx_t *ctx = data;

    if (ctx->waiting) {
        ngx_media_keys_unwait(&ctx->wait);
    }
}


static ngx_int_t
ngx_http_media_token_init(ngx_conf_t *cf)
{
    ngx_array_t                       *a;
    ngx_http_handler_pt               *h;
    ngx_http_core_main_conf_t         *cmcf;
    ngx_http_media_token_main_conf_t  *mtmcf;

    mtmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_token_module);

    if (!mtmcf->used) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_media_token_rewrite;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_media_token_access;

    /* they are called from the last one to the first one */

    a = &cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;

    if (ngx_array_push(a) == NULL) {
        return NGX_ERROR;
    }

    h = a->elts;
    ngx_memmove(h + 1, h, (a->nelts - 1) * sizeof(ngx_http_handler_pt));

    *h = ngx_http_media_token_unknown;

    return NGX_OK;
}


static void *
ngx_http_media_token_create_main_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->used = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_media_token_main_conf_t));
}


static void *
ngx_http_media_token_create_conf(ngx_conf_t *cf)
{
    ngx_http_media_token_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_token_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->ways = 0;
     *     conf->query = { 0, NULL };
     *     conf->cookie = { 0, NULL };
     *     conf->audience = { 0, NULL };
     *     conf->issuer = { 0, NULL };
     *     conf->app = { 0, NULL };
     */

    conf->keys = NGX_CONF_UNSET_PTR;
    conf->leeway = NGX_CONF_UNSET;
    conf->expire = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_media_token_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_media_token_conf_t *prev = parent;
    ngx_http_media_token_conf_t *conf = child;

    if (conf->ways == 0) {
        conf->ways = prev->ways ? prev->ways : NGX_HTTP_MEDIA_TOKEN_OFF;
        conf->query = prev->query;
        conf->cookie = prev->cookie;
    }

    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_str_value(conf->audience, prev->audience, "");
    ngx_conf_merge_str_value(conf->issuer, prev->issuer, "");
    ngx_conf_merge_sec_value(conf->leeway, prev->leeway,
                             NGX_HTTP_MEDIA_TOKEN_LEEWAY);
    ngx_conf_merge_uint_value(conf->expire, prev->expire,
                              NGX_HTTP_MEDIA_TOKEN_START);

    ngx_http_media_token_place(cf, prev, conf);

    if (conf->ways & NGX_HTTP_MEDIA_TOKEN_OFF) {
        return NGX_CONF_OK;
    }

    return ngx_http_media_token_check(cf, conf);
}


/* of "if" and "limit_except" blocks: as what surrounds them */

static void
ngx_http_media_token_place(ngx_conf_t *cf,
    const ngx_http_media_token_conf_t *prev, ngx_http_media_token_conf_t *conf)
{
    size_t                     len;
    ngx_str_t                 *app;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname || clcf->lmt_excpt) {
        conf->app = prev->app;
        conf->prefix = prev->prefix;
        return;
    }

    conf->prefix = 1;
    ngx_str_null(&conf->app);

#if (NGX_PCRE)
    if (clcf->regex) {
        return;
    }
#endif

    len = clcf->name.len;

    if (clcf->named || len == 0) {
        return;
    }

    conf->prefix = len + (clcf->name.data[len - 1] != '/');

    app = &conf->app;
    *app = clcf->name;

    while (app->len && app->data[0] == '/') {
        app->data++;
        app->len--;
    }

    while (app->len && app->data[app->len - 1] == '/') {
        app->len--;
    }
}


static char *
ngx_http_media_token_check(ngx_conf_t *cf, ngx_http_media_token_conf_t *conf)
{
    ngx_uint_t                         plain;
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_media_token_main_conf_t  *mtmcf;

    mtmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_token_module);
    mtmcf->used = 1;

    if (conf->keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"media_token\" needs a \"media_token_key\"");
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    plain = !clcf->named && !clcf->exact_match;

#if (NGX_PCRE)
    plain = plain && clcf->regex == NULL;
#endif

    if (!plain && (conf->ways & NGX_HTTP_MEDIA_TOKEN_PATH)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"media_token path\" needs a location that is a "
                           "prefix, \"%V\" is none", &clcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_token_conf_t *mtcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mtcf->ways) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0 && cf->args->nelts == 2) {
            mtcf->ways = NGX_HTTP_MEDIA_TOKEN_OFF;
            return NGX_CONF_OK;
        }

        if (ngx_strcmp(value[i].data, "path") == 0) {
            mtcf->ways |= NGX_HTTP_MEDIA_TOKEN_PATH;
            continue;
        }

        if (ngx_strcmp(value[i].data, "header") == 0) {
            mtcf->ways |= NGX_HTTP_MEDIA_TOKEN_HEADER;
            continue;
        }

        if (ngx_strncmp(value[i].data, "query=", 6) == 0 && value[i].len > 6) {
            mtcf->query.data = value[i].data + 6;
            mtcf->query.len = value[i].len - 6;
            continue;
        }

        if (ngx_strncmp(value[i].data, "cookie=", 7) == 0
            && value[i].len > 7)
        {
            mtcf->cookie.data = value[i].data + 7;
            mtcf->cookie.len = value[i].len - 7;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\", it must be \"off\", or some "
                           "of \"path\", \"query=NAME\", \"cookie=NAME\" and "
                           "\"header\"", ngx_media_access_quoted(&value[i]));
        return NGX_CONF_ERROR;
    }

    /* it is on, if only by query or cookie */

    mtcf->ways |= NGX_HTTP_MEDIA_TOKEN_ON;

    return NGX_CONF_OK;
}


/* media_token_key [ID] FILE | jwks=URL */

static char *
ngx_http_media_token_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_token_conf_t *mtcf = conf;

    return ngx_media_keys_conf(cf, &mtcf->keys);
}
