
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * publish_auth and play_auth of media {}: who publishes shows a key of a file,
 * or a token; who plays by a protocol that is not HTTP, a token.
 *
 *     # SECRET NAME
 *     5f2c7a... demo
 *
 * An encoder is given the secret as its stream key, and its stream is called
 * NAME; or it publishes NAME, with "?key=SECRET".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "access/ngx_media_hook_on.h"
#include "access/ngx_media_jwks.h"
#include "access/ngx_media_once.h"
#include "access/ngx_media_pass.h"
#include "core/ngx_media_module.h"
#include "core/ngx_media_name.h"
#include "core/ngx_media_store_zone.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>


#define NGX_MEDIA_AUTH_OFF     0
#define NGX_MEDIA_AUTH_KEYS    1
#define NGX_MEDIA_AUTH_TOKEN   2
#define NGX_MEDIA_AUTH_HOOK    3              /* which is a check of its own */

#define NGX_MEDIA_AUTH_DIGEST  32
#define NGX_MEDIA_AUTH_FILE    (4 * 1024 * 1024)
#define NGX_MEDIA_AUTH_SECRET  8              /* bytes, at least */
#define NGX_MEDIA_AUTH_LEEWAY  10             /* s */
#define NGX_MEDIA_AUTH_NO_KEYS 503            /* of a verdict */

/* tokens that are for one publisher, in a zone: of each stream, and at least */
#define NGX_MEDIA_AUTH_ONCE      4
#define NGX_MEDIA_AUTH_ONCE_MIN  256


/* secrets are compared by what they hash to */

typedef struct {
    u_char                    digest[NGX_MEDIA_AUTH_DIGEST];
    ngx_str_t                 name;
} ngx_media_auth_key_t;


typedef struct {
    ngx_uint_t                publish;        /* NGX_MEDIA_AUTH_* */
    ngx_uint_t                play;
    ngx_array_t              *stream_keys;    /* ngx_media_auth_key_t */
    ngx_media_keys_t         *keys;
    ngx_str_t                 audience;
    ngx_str_t                 issuer;
    time_t                    leeway;
    unsigned                  strict:1;       /* publishers go with their
                                                 tokens */
    unsigned                  many:1;         /* a "jti" is for any of them */
} ngx_media_auth_conf_t;


/* who waits for keys of tokens */

typedef struct {
    ngx_media_access_t       *access;
    const ngx_media_access_conf_t  *conf;
    ngx_media_keys_wait_t     wait;
    unsigned                  again:1;
} ngx_media_auth_wait_t;


static ngx_int_t ngx_media_auth_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static void ngx_media_auth_cancel(void *ctx);
static ngx_uint_t ngx_media_auth_hides(const ngx_media_app_t *app);
static ngx_int_t ngx_media_auth_by_key(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, const ngx_array_t *keys,
    const char **reason);
static const ngx_media_auth_key_t *ngx_media_auth_find(const ngx_array_t *keys,
    const ngx_str_t *secret, const ngx_str_t *name);
static ngx_int_t ngx_media_auth_by_token(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, ngx_media_auth_conf_t *macf,
    void **ctx, const char **reason);
static ngx_int_t ngx_media_auth_token(const ngx_media_access_conf_t *conf,
    ngx_media_auth_conf_t *macf, ngx_media_auth_wait_t *wait,
    const char **reason);
static void ngx_media_auth_ready(void *data);
static ngx_int_t ngx_media_auth_once(const ngx_media_access_conf_t *conf,
    const ngx_media_pass_t *pass, time_t expires, const char **reason);
static void ngx_media_auth_holder(const ngx_media_access_conf_t *conf,
    const ngx_str_t *token, const ngx_media_pass_t *pass);
static ngx_int_t ngx_media_auth_arg(const ngx_str_t *args, const char *name,
    u_char *buf, size_t size, ngx_str_t *value);

static size_t ngx_media_auth_shared(const ngx_media_zone_conf_t *conf);
static void ngx_media_auth_shared_init(ngx_media_zone_t *zone, void *mem);
static ngx_uint_t ngx_media_auth_once_max(const ngx_media_zone_conf_t *conf);
static void *ngx_media_auth_create_conf(ngx_conf_t *cf, ngx_media_app_t *app);
static char *ngx_media_auth_init_conf(ngx_conf_t *cf, ngx_media_app_t *app,
    void *conf);
static ngx_int_t ngx_media_auth_postconfiguration(ngx_conf_t *cf);
static char *ngx_media_auth_publish(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_auth_token_params(ngx_conf_t *cf,
    ngx_media_auth_conf_t *macf);
static char *ngx_media_auth_play(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_auth_token_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_auth_file(ngx_conf_t *cf, ngx_media_auth_conf_t *macf,
    ngx_str_t *path);
static char *ngx_media_auth_lines(ngx_conf_t *cf, ngx_media_auth_conf_t *macf,
    ngx_str_t *path, u_char *pos, u_char *last);
static const char *ngx_media_auth_line(ngx_conf_t *cf, ngx_array_t *keys,
    u_char *pos, u_char *last);
static ngx_uint_t ngx_media_auth_nameable(const u_char *pos,
    const u_char *last);


static ngx_command_t  ngx_media_auth_commands[] = {

    { ngx_string("publish_auth"),
      NGX_MEDIA_CONF|NGX_CONF_1MORE,
      ngx_media_auth_publish,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

    { ngx_string("play_auth"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_auth_play,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

    { ngx_string("token_key"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE12,
      ngx_media_auth_token_key,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

    { ngx_string("token_audience"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_auth_conf_t, audience),
      NULL },

    { ngx_string("token_issuer"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_auth_conf_t, issuer),
      NULL },

    { ngx_string("token_leeway"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_auth_conf_t, leeway),
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_auth_module_ctx = {
    1,                                     /* layout of its shared memory */
    ngx_media_auth_create_conf,            /* create configuration */
    ngx_media_auth_init_conf,              /* init configuration */
    ngx_media_auth_postconfiguration,      /* postconfiguration */
    ngx_media_auth_shared,                 /* shared memory */
    ngx_media_auth_shared_init,            /* init shared memory */
    NULL,                                  /* a process has gone */
    NULL                                   /* once a second */
};


ngx_module_t  ngx_media_auth_module = {
    NGX_MODULE_V1,
    &ngx_media_auth_module_ctx,            /* module context */
    ngx_media_auth_commands,               /* module directives */
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


static const ngx_media_access_check_t  ngx_media_auth_entry = {
    ngx_media_auth_check,
    ngx_media_auth_cancel,
    ngx_media_auth_hides,
    NULL,
    NULL,
    NULL
};

/* while the configuration is read: an application asks */
static ngx_uint_t  ngx_media_auth_used;

/* what is shown of a name that may have been meant as a secret */
static const ngx_str_t  ngx_media_auth_hidden = ngx_string("***");


static ngx_int_t
ngx_media_auth_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason)
{
    ngx_uint_t              how;
    ngx_media_auth_conf_t  *macf;

    macf = ngx_media_app_conf(conf->app, ngx_media_auth_module);

    how = (conf->action == NGX_MEDIA_ACCESS_PUBLISH) ? macf->publish
                                                     : macf->play;

    switch (how) {

    case NGX_MEDIA_AUTH_KEYS:
        return ngx_media_auth_by_key(access, conf, macf->stream_keys, reason);

    case NGX_MEDIA_AUTH_TOKEN:
        return conf->admitted ? NGX_OK
                              : ngx_media_auth_by_token(access, conf, macf,
                                                        ctx, reason);

    default: /* NGX_MEDIA_AUTH_OFF, NGX_MEDIA_AUTH_HOOK */
        return NGX_OK;
    }
}


static void
ngx_media_auth_cancel(void *ctx)
{
    ngx_media_auth_wait_t *wait = ctx;

    ngx_media_keys_unwait(&wait->wait);
    ngx_free(wait);
}


static ngx_uint_t
ngx_media_auth_hides(const ngx_media_app_t *app)
{
    ngx_media_auth_conf_t  *macf;

    macf = ngx_media_app_conf(app, ngx_media_auth_module);

    return macf->publish == NGX_MEDIA_AUTH_KEYS;
}


ngx_uint_t
ngx_media_auth_asks_hook(const ngx_media_app_t *app)
{
    ngx_media_auth_conf_t  *macf;

    macf = ngx_media_app_conf(app, ngx_media_auth_module);

    return macf->publish == NGX_MEDIA_AUTH_HOOK;
}


static ngx_int_t
ngx_media_auth_by_key(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, const ngx_array_t *keys,
    const char **reason)
{
    u_char                       buf[NGX_MEDIA_NAME_MAX];
    ngx_str_t                    secret;
    const ngx_media_auth_key_t  *key;

    key = ngx_media_auth_find(keys, &conf->name, NULL);

    if (key) {
        ngx_media_access_admit(conf);

        return ngx_media_access_rename(access, &key->name);
    }

    /* "s" is what stream ids of SRT have: a password behind a name, too */

    if ((ngx_media_auth_arg(&conf->args, "key", buf, NGX_MEDIA_NAME_MAX,
                            &secret)
         == NGX_OK
         || ngx_media_auth_arg(&conf->args, "s", buf, NGX_MEDIA_NAME_MAX,
                               &secret)
            == NGX_OK)
        && ngx_media_auth_find(keys, &secret, &conf->name))
    {
        ngx_media_access_admit(conf);

        return NGX_OK;
    }

    /* the name may be a key that was mistyped */

    if (ngx_media_access_rename(access, &ngx_media_auth_hidden) != NGX_OK) {
        return NGX_ERROR;
    }

    *reason = "the stream key is not valid";

    return NGX_DECLINED;
}


/* the key of this secret, for any name or for this one; NULL: there is none */

static const ngx_media_auth_key_t *
ngx_media_auth_find(const ngx_array_t *keys, const ngx_str_t *secret,
    const ngx_str_t *name)
{
    u_char                 digest[NGX_MEDIA_AUTH_DIGEST];
    ngx_uint_t             i;
    ngx_media_auth_key_t  *key;

    if (EVP_Digest(secret->data, secret->len, digest, NULL, EVP_sha256(), NULL)
        != 1)
    {
        return NULL;
    }

    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {

        if (CRYPTO_memcmp(key[i].digest, digest, NGX_MEDIA_AUTH_DIGEST) != 0) {
            continue;
        }

        if (name == NULL
            || (name->len == key[i].name.len
                && ngx_memcmp(name->data, key[i].name.data, name->len) == 0))
        {
            return &key[i];
        }
    }

    return NULL;
}


/* keys that may have signed it may be on their way */

static ngx_int_t
ngx_media_auth_by_token(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, ngx_media_auth_conf_t *macf,
    void **ctx, const char **reason)
{
    ngx_int_t               rc;
    ngx_media_auth_wait_t  *wait;

    wait = ngx_calloc(sizeof(ngx_media_auth_wait_t), conf->log);
    if (wait == NULL) {
        return NGX_ERROR;
    }

    wait->access = access;
    wait->conf = conf;
    wait->wait.ready = ngx_media_auth_ready;
    wait->wait.data = wait;

    rc = ngx_media_auth_token(conf, macf, wait, reason);

    if (rc == NGX_AGAIN) {
        *ctx = wait;
        return NGX_AGAIN;
    }

    ngx_free(wait);

    return rc;
}


static void
ngx_media_auth_ready(void *data)
{
    ngx_media_auth_wait_t *wait = data;

    ngx_int_t            rc;
    const char          *reason;
    ngx_media_access_t  *access;

    wait->again = 1;

    rc = ngx_media_auth_token(wait->conf,
                              ngx_media_app_conf(wait->conf->app,
                                                 ngx_media_auth_module),
                              wait, &reason);

    if (rc == NGX_AGAIN) {
        return;
    }

    access = wait->access;

    ngx_free(wait);

    ngx_media_access_answer(access, rc, reason);
}


/* NGX_AGAIN: wait is waiting */

static ngx_int_t
ngx_media_auth_token(const ngx_media_access_conf_t *conf,
    ngx_media_auth_conf_t *macf, ngx_media_auth_wait_t *wait,
    const char **reason)
{
    u_char                *buf, *room;
    time_t                 expires;
    ngx_int_t              rc;
    ngx_str_t              token;
    ngx_media_pass_t       pass;
    ngx_media_pass_conf_t  asked;

    buf = ngx_alloc(2 * NGX_MEDIA_PASS_MAX, conf->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    room = buf + NGX_MEDIA_PASS_MAX;

    if (ngx_media_auth_arg(&conf->args, "token", buf, NGX_MEDIA_PASS_MAX,
                           &token)
        != NGX_OK)
    {
        ngx_free(buf);
        *reason = "there is no token";

        return NGX_DECLINED;
    }

    ngx_memzero(&asked, sizeof(ngx_media_pass_conf_t));

    asked.keys = macf->keys;
    asked.audience = macf->audience;
    asked.issuer = macf->issuer;
    asked.leeway = macf->leeway;
    asked.action = (conf->action == NGX_MEDIA_ACCESS_PUBLISH)
                   ? NGX_MEDIA_GRANT_PUBLISH : NGX_MEDIA_GRANT_PLAY;
    asked.app = conf->app->name;
    asked.name = conf->name;
    asked.sockaddr = conf->connection ? conf->connection->sockaddr : NULL;
    asked.now = ngx_time();

    rc = ngx_media_pass_check(&asked, &token, room, &pass, reason);

    if (rc == NGX_AGAIN) {
        rc = ngx_media_keys_wait(macf->keys, &pass.key, wait->again,
                                 &wait->wait);

        if (rc == NGX_ERROR) {
            rc = NGX_DECLINED;
            *reason = "the keys of tokens are not there yet, try again";

            if (conf->verdict) {
                conf->verdict->status = NGX_MEDIA_AUTH_NO_KEYS;
            }
        }
    }

    if (rc == NGX_OK) {
        expires = ngx_media_pass_expires(&asked, &pass);

        if (conf->action == NGX_MEDIA_ACCESS_PUBLISH && pass.jti.len
            && !macf->many)
        {
            rc = ngx_media_auth_once(conf, &pass, expires, reason);
        }
    }

    if (rc == NGX_OK) {
        ngx_media_access_admit(conf);

        if (pass.session.len || pass.max) {
            ngx_media_auth_holder(conf, &token, &pass);
        }

        /* to publish it is a permission to begin, if nothing else is said */

        if (conf->action == NGX_MEDIA_ACCESS_PLAY || macf->strict) {
            ngx_media_access_expires(conf, expires);
        }
    }

    ngx_free(buf);

    return rc;
}


/* is it the first to use the token, or the one who was that? */

static ngx_int_t
ngx_media_auth_once(const ngx_media_access_conf_t *conf,
    const ngx_media_pass_t *pass, time_t expires, const char **reason)
{
    uint64_t          full;
    ngx_int_t         rc;
    ngx_media_once_t  once;

    once.issuer = pass->issuer;
    once.jti = pass->jti;
    once.address = conf->address;
    once.name = conf->name;
    once.expires = expires;

    rc = ngx_media_once_use(ngx_media_app_shared(conf->app,
                                                 ngx_media_auth_module),
                            &once, &full);

    if (rc == NGX_DECLINED) {
        *reason = "the token was used from another address, or for another "
                  "stream";
    }

    if (rc != NGX_BUSY) {
        return rc;
    }

    if ((full & (full - 1)) == 0) {
        ngx_log_error(NGX_LOG_ERR, conf->log, 0,
                      "there is no room for the \"jti\" of one more token, "
                      "publishers refused:%uL", full);
    }

    *reason = "there is no room to remember the token";

    return NGX_DECLINED;
}


/* a token that is nobody's, but for so many, is what these have in common */

static void
ngx_media_auth_holder(const ngx_media_access_conf_t *conf,
    const ngx_str_t *token, const ngx_media_pass_t *pass)
{
    u_char     buf[16];
    ngx_str_t  viewer;

    viewer = pass->session;

    if (viewer.len == 0) {
        viewer.data = buf;
        viewer.len = ngx_sprintf(buf, "%016xL",
                                 ngx_media_hash(token->data, token->len))
                     - buf;
    }

    ngx_media_access_viewer(conf, &viewer, pass->max);
}


/* of "a=1&b=2", percent-decoded into buf; NGX_DECLINED: it is not there */

static ngx_int_t
ngx_media_auth_arg(const ngx_str_t *args, const char *name, u_char *buf,
    size_t size, ngx_str_t *value)
{
    size_t   len;
    u_char  *p, *last, *end, *src, *dst;

    len = ngx_strlen(name);
    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, '&');
        end = end ? end : last;

        if ((size_t) (end - p) <= len || p[len] != '='
            || ngx_memcmp(p, name, len) != 0)
        {
            continue;
        }

        src = p + len + 1;

        if ((size_t) (end - src) > size) {
            return NGX_DECLINED;
        }

        dst = buf;
        ngx_unescape_uri(&dst, &src, end - src, 0);

        value->data = buf;
        value->len = dst - buf;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* whether tokens are asked for or not: see ngx_media_module.h */

static size_t
ngx_media_auth_shared(const ngx_media_zone_conf_t *conf)
{
    return ngx_media_once_size(ngx_media_auth_once_max(conf));
}


static void
ngx_media_auth_shared_init(ngx_media_zone_t *zone, void *mem)
{
    ngx_media_zone_conf_t  conf;

    ngx_media_store_zone_conf(zone->app, &conf);

    ngx_media_once_init(mem, ngx_media_auth_once_max(&conf));
}


static ngx_uint_t
ngx_media_auth_once_max(const ngx_media_zone_conf_t *conf)
{
    return ngx_max(conf->accounts * NGX_MEDIA_AUTH_ONCE,
                   NGX_MEDIA_AUTH_ONCE_MIN);
}


static void *
ngx_media_auth_create_conf(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_media_auth_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_media_auth_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->stream_keys = NULL;
     *     conf->keys = NULL;
     *     conf->audience = { 0, NULL };
     *     conf->issuer = { 0, NULL };
     *     conf->strict = 0;
     *     conf->many = 0;
     */

    conf->publish = NGX_CONF_UNSET_UINT;
    conf->play = NGX_CONF_UNSET_UINT;
    conf->leeway = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_media_auth_init_conf(ngx_conf_t *cf, ngx_media_app_t *app, void *conf)
{
    ngx_media_auth_conf_t *macf = conf;

    ngx_conf_init_uint_value(macf->publish, NGX_MEDIA_AUTH_OFF);
    ngx_conf_init_uint_value(macf->play, NGX_MEDIA_AUTH_OFF);
    ngx_conf_init_value(macf->leeway, NGX_MEDIA_AUTH_LEEWAY);

    ngx_media_auth_used |= macf->publish || macf->play;

    if (macf->keys == NULL
        && (macf->publish == NGX_MEDIA_AUTH_TOKEN
            || macf->play == NGX_MEDIA_AUTH_TOKEN))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media \"%V\" asks for tokens and has no "
                           "\"token_key\"", &app->name);
        return NGX_CONF_ERROR;
    }

    if ((macf->publish == NGX_MEDIA_AUTH_HOOK
         && !ngx_media_hook_on(app, NGX_MEDIA_ACCESS_PUBLISH))
        || (macf->play == NGX_MEDIA_AUTH_HOOK
            && !ngx_media_hook_on(app, NGX_MEDIA_ACCESS_PLAY)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media \"%V\" asks a hook and has no \"on %s\"",
                           &app->name,
                           ngx_media_hook_on(app, NGX_MEDIA_ACCESS_PUBLISH)
                           || macf->publish != NGX_MEDIA_AUTH_HOOK
                           ? "play" : "publish");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_media_auth_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t  used;

    used = ngx_media_auth_used;
    ngx_media_auth_used = 0;

    return used ? ngx_media_access_add(cf, &ngx_media_auth_entry) : NGX_OK;
}


static char *
ngx_media_auth_publish(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_auth_conf_t *macf = conf;

    ngx_str_t  *value, path;

    if (macf->publish != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "token") == 0) {
        macf->publish = NGX_MEDIA_AUTH_TOKEN;
        return ngx_media_auth_token_params(cf, macf);
    }

    if (cf->args->nelts > 2) {
        return "is invalid: \"token\" alone has parameters";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        macf->publish = NGX_MEDIA_AUTH_OFF;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "hook") == 0) {
        macf->publish = NGX_MEDIA_AUTH_HOOK;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "keys=", 5) == 0 && value[1].len > 5) {
        macf->publish = NGX_MEDIA_AUTH_KEYS;

        path.data = value[1].data + 5;
        path.len = value[1].len - 5;

        return ngx_media_auth_file(cf, macf, &path);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\", it must be \"off\", "
                       "\"keys=FILE\", \"token\" or \"hook\"",
                       ngx_media_access_quoted(&value[1]));
    return NGX_CONF_ERROR;
}


/* token [expire=start | strict] [jti=once | any] */

static char *
ngx_media_auth_token_params(ngx_conf_t *cf, ngx_media_auth_conf_t *macf)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "expire=strict") == 0) {
            macf->strict = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "jti=any") == 0) {
            macf->many = 1;
            continue;
        }

        if (ngx_strcmp(value[i].data, "expire=start") == 0
            || ngx_strcmp(value[i].data, "jti=once") == 0)
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", it must be "
                           "\"expire=start\", \"expire=strict\", "
                           "\"jti=once\" or \"jti=any\"",
                           ngx_media_access_quoted(&value[i]));
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_media_auth_play(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_auth_conf_t *macf = conf;

    ngx_str_t  *value;

    if (macf->play != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        macf->play = NGX_MEDIA_AUTH_OFF;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "token") == 0) {
        macf->play = NGX_MEDIA_AUTH_TOKEN;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "hook") == 0) {
        macf->play = NGX_MEDIA_AUTH_HOOK;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\", it must be \"off\", \"token\" or "
                       "\"hook\"", ngx_media_access_quoted(&value[1]));
    return NGX_CONF_ERROR;
}


/* token_key [ID] FILE | jwks=URL */

static char *
ngx_media_auth_token_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_auth_conf_t *macf = conf;

    return ngx_media_keys_conf(cf, &macf->keys);
}


static char *
ngx_media_auth_file(ngx_conf_t *cf, ngx_media_auth_conf_t *macf,
    ngx_str_t *path)
{
    char        *rc;
    ngx_str_t    text;
    ngx_uint_t   shared;

    macf->stream_keys = ngx_array_create(cf->pool, 16,
                                         sizeof(ngx_media_auth_key_t));

    if (macf->stream_keys == NULL
        || ngx_media_secret_read(cf, path, NGX_MEDIA_AUTH_FILE, &text, &shared)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (text.len > NGX_MEDIA_AUTH_FILE || shared) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "file \"%V\" cannot be used: %s", path,
                           shared
                           ? "it holds secrets and everybody may read it, "
                             "\"chmod o= FILE\""
                           : "it is larger than 4 MB");
        rc = NGX_CONF_ERROR;

    } else {
        rc = ngx_media_auth_lines(cf, macf, path, text.data,
                                  text.data + text.len);
    }

    ngx_media_secret_free(&text);

    return rc;
}


static char *
ngx_media_auth_lines(ngx_conf_t *cf, ngx_media_auth_conf_t *macf,
    ngx_str_t *path, u_char *pos, u_char *last)
{
    u_char      *end;
    ngx_uint_t   line;
    const char  *error;

    line = 1;

    for ( /* void */ ; pos < last; pos = end + 1, line++) {
        end = ngx_strlchr(pos, last, LF);
        end = end ? end : last;

        error = ngx_media_auth_line(cf, macf->stream_keys, pos, end);

        if (error) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "line %ui of \"%V\": %s", line, path, error);
            return NGX_CONF_ERROR;
        }
    }

    if (macf->stream_keys->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" has no keys, nobody may publish", path);
    }

    return NGX_CONF_OK;
}


/* SECRET NAME; NULL: it is one, or a comment, or nothing */

static const char *
ngx_media_auth_line(ngx_conf_t *cf, ngx_array_t *keys, u_char *pos,
    u_char *last)
{
    u_char                *p, *name;
    ngx_media_auth_key_t  *key;

    while (last > pos && (last[-1] == CR || last[-1] == ' '
                          || last[-1] == '\t'))
    {
        last--;
    }

    while (pos < last && (*pos == ' ' || *pos == '\t')) {
        pos++;
    }

    if (pos == last || *pos == '#') {
        return NULL;
    }

    for (p = pos; p < last && *p != ' ' && *p != '\t'; p++) { /* void */ }

    for (name = p; name < last && (*name == ' ' || *name == '\t'); name++) {
        /* void */
    }

    if (name == last) {
        return "it must be a secret and a name";
    }

    if (p - pos < NGX_MEDIA_AUTH_SECRET) {
        return "a secret must have at least 8 bytes";
    }

    if (p - pos > NGX_MEDIA_NAME_MAX || last - name > NGX_MEDIA_NAME_MAX) {
        return "a secret and a name have at most 255 bytes";
    }

    /* who sends the secret sends it as a name */

    if (!ngx_media_auth_nameable(pos, p) || memchr(pos, '/', p - pos)) {
        return "a secret must be of letters, digits and signs other than "
               "/ ? # % and a backslash";
    }

    if (!ngx_media_auth_nameable(name, last)) {
        return "the name must be without blanks, ? # % and a backslash, empty "
               "components and dots alone";
    }

    key = ngx_array_push(keys);
    if (key == NULL) {
        return "there is no memory for it";
    }

    key->name.len = last - name;
    key->name.data = ngx_pnalloc(cf->pool, key->name.len);

    if (key->name.data == NULL
        || EVP_Digest(pos, p - pos, key->digest, NULL, EVP_sha256(), NULL)
           != 1)
    {
        return "there is no memory for it";
    }

    ngx_memcpy(key->name.data, name, key->name.len);

    return NULL;
}


/* as the names of streams, without blanks */

static ngx_uint_t
ngx_media_auth_nameable(const u_char *pos, const u_char *last)
{
    ngx_str_t      name;
    const u_char  *bad;

    name.data = (u_char *) pos;
    name.len = last - pos;

    return ngx_media_name_wrong(&name, &bad) == NULL
           && memchr(pos, ' ', name.len) == NULL;
}
