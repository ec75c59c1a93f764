
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the client has of the configuration: the resolver, whom it trusts, and
 * the servers of all URLs, of which those of one scheme, host and port are one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_fetch_state.h"
#include "formats/ngx_media_uri.h"


static ngx_media_fetch_server_t *ngx_media_fetch_server(ngx_conf_t *cf,
    const ngx_media_uri_t *uri);
static ngx_int_t ngx_media_fetch_literal(ngx_conf_t *cf,
    ngx_media_fetch_server_t *server);
static ngx_int_t ngx_media_fetch_texts(ngx_conf_t *cf,
    ngx_media_target_t *target, const ngx_media_uri_t *uri);
static ngx_int_t ngx_media_fetch_lookup(ngx_cycle_t *cycle,
    ngx_media_fetch_server_t *server);
static void *ngx_media_fetch_create_conf(ngx_cycle_t *cycle);
static char *ngx_media_fetch_init_conf(ngx_cycle_t *cycle, void *conf);
static char *ngx_media_fetch_resolver(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_media_fetch_commands[] = {

    { ngx_string("media_resolver"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_1MORE,
      ngx_media_fetch_resolver,
      0,
      0,
      NULL },

    { ngx_string("media_trusted_certificate"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_media_fetch_main_conf_t, trusted),
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_media_fetch_module_ctx = {
    ngx_string("media_fetch"),
    ngx_media_fetch_create_conf,
    ngx_media_fetch_init_conf
};


ngx_module_t  ngx_media_fetch_module = {
    NGX_MODULE_V1,
    &ngx_media_fetch_module_ctx,           /* module context */
    ngx_media_fetch_commands,              /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_media_target_t *
ngx_media_fetch_target(ngx_conf_t *cf, ngx_str_t *url)
{
    const char          *error;
    ngx_media_uri_t      uri;
    ngx_media_target_t  *target;

    if (ngx_media_uri_parse(url->data, url->data + url->len, &uri, &error)
        != NGX_OK)
    {
        /* it is not shown, there may be a password in it */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the URL is not valid: %s",
                           error);
        return NULL;
    }

#if !(NGX_SSL)

    if (uri.tls) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "this nginx has been built without TLS, which an "
                           "\"https://\" URL needs");
        return NULL;
    }

#endif

    target = ngx_pcalloc(cf->pool, sizeof(ngx_media_target_t));
    if (target == NULL) {
        return NULL;
    }

    target->server = ngx_media_fetch_server(cf, &uri);

    if (target->server == NULL
        || ngx_media_fetch_texts(cf, target, &uri) != NGX_OK)
    {
        return NULL;
    }

    return target;
}


const ngx_str_t *
ngx_media_fetch_name(const ngx_media_target_t *target)
{
    return &target->name;
}


ngx_uint_t
ngx_media_fetch_secure(const ngx_media_target_t *target)
{
    return target->server->tls;
}


/* the one that is there, or another one */

static ngx_media_fetch_server_t *
ngx_media_fetch_server(ngx_conf_t *cf, const ngx_media_uri_t *uri)
{
    size_t                         len;
    ngx_uint_t                     i;
    ngx_media_fetch_server_t      *server, **entry;
    ngx_media_fetch_main_conf_t   *mfcf;

    mfcf = (ngx_media_fetch_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                        ngx_media_fetch_module);
    len = ngx_media_span_len(&uri->host);
    entry = mfcf->servers.elts;

    for (i = 0; i < mfcf->servers.nelts; i++) {
        server = entry[i];

        if (server->tls == uri->tls && server->port == uri->port
            && server->host.len == len
            && ngx_strncasecmp(server->host.data, (u_char *) uri->host.pos, len)
               == 0)
        {
            return server;
        }
    }

    server = ngx_pcalloc(cf->pool, sizeof(ngx_media_fetch_server_t));
    entry = ngx_array_push(&mfcf->servers);

    if (server == NULL || entry == NULL) {
        return NULL;
    }

    *entry = server;

    /*
     * set by ngx_pcalloc():
     *
     *     server->addrs = NULL;
     *     server->addr = 0;
     *     server->active = 0;
     *     server->failures = 0;
     */

    server->main = mfcf;
    server->tls = uri->tls;
    server->port = (in_port_t) uri->port;
    server->host.len = len;
    server->host.data = ngx_pnalloc(cf->pool, len + 1);

    if (server->host.data == NULL) {
        return NULL;
    }

    (void) ngx_cpystrn(server->host.data, (u_char *) uri->host.pos, len + 1);

    if (cf->conf_file) {
        server->file = cf->conf_file->file.name;
        server->line = cf->conf_file->line;
    }

    ngx_queue_init(&server->waiting);
    ngx_queue_init(&server->idle);

    return ngx_media_fetch_literal(cf, server) == NGX_OK ? server : NULL;
}


/* an address, or a name, whose addresses are looked up later */

static ngx_int_t
ngx_media_fetch_literal(ngx_conf_t *cf, ngx_media_fetch_server_t *server)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_addr_t   addr, *copy;

    rc = ngx_parse_addr(cf->pool, &addr, server->host.data, server->host.len);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {

        if (ngx_strlchr(server->host.data,
                        server->host.data + server->host.len, ':'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"[%V]\" in the URL is no address",
                               &server->host);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    copy = ngx_palloc(cf->pool, sizeof(ngx_addr_t));
    p = ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN);

    if (copy == NULL || p == NULL) {
        return NGX_ERROR;
    }

    ngx_inet_set_port(addr.sockaddr, server->port);

    copy->sockaddr = addr.sockaddr;
    copy->socklen = addr.socklen;
    copy->name.data = p;
    copy->name.len = ngx_sock_ntop(addr.sockaddr, addr.socklen, p,
                                   NGX_SOCKADDR_STRLEN, 1);

    server->literal = 1;
    server->addrs = copy;
    server->naddrs = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_media_fetch_texts(ngx_conf_t *cf, ngx_media_target_t *target,
    const ngx_media_uri_t *uri)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *host, *name;

    static const char  action[] = "asking ";

    len = ngx_media_span_len(&uri->path);
    target->path.len = len ? len : 1;
    target->path.data = len ? (u_char *) uri->path.pos : (u_char *) "/";

    target->args.data = (u_char *) uri->args.pos;
    target->args.len = ngx_media_span_len(&uri->args);

    host = &target->host;
    host->data = ngx_pnalloc(cf->pool, ngx_media_span_len(&uri->host)
                                       + sizeof("[]:65535") - 1);
    if (host->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(host->data, uri->ipv6 ? "[%*s]" : "%*s",
                    ngx_media_span_len(&uri->host), uri->host.pos);

    if (uri->port != (uri->tls ? 443 : 80)) {
        p = ngx_sprintf(p, ":%ui", uri->port);
    }

    host->len = p - host->data;

    name = &target->name;
    p = ngx_pnalloc(cf->pool, sizeof(action) + sizeof("https://")
                              + host->len + target->path.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    target->action = (char *) p;

    name->data = p + sizeof(action) - 1;
    p = ngx_sprintf(p, "%s%s://%V%V%Z", action, uri->tls ? "https" : "http",
                    host, &target->path);
    name->len = p - 1 - name->data;

    if (uri->user.pos == NULL) {
        return NGX_OK;
    }

    target->user.len = ngx_media_uri_basic(NULL, &uri->user);
    target->user.data = ngx_pnalloc(cf->pool, target->user.len);

    if (target->user.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_uri_basic(target->user.data, &uri->user);

    return NGX_OK;
}


static ngx_int_t
ngx_media_fetch_lookup(ngx_cycle_t *cycle, ngx_media_fetch_server_t *server)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.host = server->host;
    u.port = server->port;

    if (ngx_inet_resolve_host(cycle->pool, &u) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "host \"%V\" is not found, and there is no "
                      "\"media_resolver\" to look for it later in %V:%ui",
                      &server->host, &server->file, server->line);
        return NGX_ERROR;
    }

    server->addrs = u.addrs;
    server->naddrs = u.naddrs;

    return NGX_OK;
}


static void *
ngx_media_fetch_create_conf(ngx_cycle_t *cycle)
{
    ngx_media_fetch_main_conf_t  *mfcf;

    mfcf = ngx_pcalloc(cycle->pool, sizeof(ngx_media_fetch_main_conf_t));
    if (mfcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mfcf->resolver = NULL;
     *     mfcf->trusted = { 0, NULL };
     *     mfcf->ssl = NULL;
     */

    if (ngx_array_init(&mfcf->servers, cycle->pool, 4,
                       sizeof(ngx_media_fetch_server_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return mfcf;
}


/* all of the configuration has been read, "media_resolver", too */

static char *
ngx_media_fetch_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_media_fetch_main_conf_t *mfcf = conf;

    ngx_uint_t                  i;
    ngx_media_fetch_server_t  **entry;

    entry = mfcf->servers.elts;

    for (i = 0; i < mfcf->servers.nelts; i++) {

        if (entry[i]->addrs == NULL && mfcf->resolver == NULL
            && ngx_media_fetch_lookup(cycle, entry[i]) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

#if (NGX_SSL)

        if (entry[i]->tls && mfcf->ssl == NULL
            && ngx_media_fetch_tls_init(cycle, mfcf, entry[i]) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

#endif
    }

    return NGX_CONF_OK;
}


/* media_resolver ADDRESS ... [valid=TIME] [ipv6=off] */

static char *
ngx_media_fetch_resolver(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_fetch_main_conf_t *mfcf = conf;

    ngx_str_t  *value;

    if (mfcf->resolver) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mfcf->resolver = ngx_resolver_create(cf, &value[1], cf->args->nelts - 1);

    return mfcf->resolver ? NGX_CONF_OK : NGX_CONF_ERROR;
}
