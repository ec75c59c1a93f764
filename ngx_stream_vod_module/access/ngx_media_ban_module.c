
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Bans as the first of all checks, and the memory of each application's.  The
 * name that somebody asks for may be a key or a ticket, and others may take
 * their time to answer: so who begins is looked at once more, by the name that
 * the stream has.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_ban.h"
#include "core/ngx_media_module.h"


#define NGX_MEDIA_NETWORK_BITS    128
#define NGX_MEDIA_NETWORK_MAPPED  96          /* before those of IPv4 */


static ngx_int_t ngx_media_ban_access(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static void ngx_media_ban_cancel(void *ctx);
static ngx_int_t ngx_media_network_mask(ngx_media_network_t *network,
    const u_char *pos, const u_char *last, ngx_uint_t skip);
static ngx_uint_t ngx_media_network_is_inet(
    const ngx_media_network_t *network);

static ngx_int_t ngx_media_ban_postconfiguration(ngx_conf_t *cf);
static size_t ngx_media_ban_shared(const ngx_media_zone_conf_t *conf);


static ngx_media_module_ctx_t  ngx_media_ban_module_ctx = {
    2,                                     /* layout of its shared memory */
    NULL,                                  /* create configuration */
    NULL,                                  /* init configuration */
    ngx_media_ban_postconfiguration,       /* postconfiguration */
    ngx_media_ban_shared,                  /* shared memory */
    NULL,                                  /* init shared memory */
    NULL,                                  /* a process has gone */
    NULL                                   /* once a second */
};


ngx_module_t  ngx_media_ban_module = {
    NGX_MODULE_V1,
    &ngx_media_ban_module_ctx,             /* module context */
    NULL,                                  /* module directives */
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


static const u_char  ngx_media_network_mapped[12] =
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };


static const ngx_media_access_check_t  ngx_media_ban_entry = {
    ngx_media_ban_access,
    ngx_media_ban_cancel,
    NULL,
    NULL,
    NULL,
    NULL
};


static ngx_int_t
ngx_media_ban_access(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason)
{
    ngx_int_t         rc;
    const ngx_str_t  *shown;

    /* viewers by HTTP have sessions, which are banned each by itself */

    if (conf->session) {
        return NGX_OK;
    }

    rc = ngx_media_ban_check(conf->app, 1 << conf->action, &conf->name,
                             &conf->address, reason);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    /* what he has asked for may be a secret, and is logged */

    shown = ngx_media_access_shown(conf->app, &conf->name);

    if (conf->action == NGX_MEDIA_ACCESS_PUBLISH && shown != &conf->name
        && ngx_media_access_rename(access, shown) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


static void
ngx_media_ban_cancel(void *ctx)
{
    /* it never waits */
}


ngx_media_bans_shm_t *
ngx_media_bans(const ngx_media_app_t *app)
{
    return ngx_media_app_shared(app, ngx_media_ban_module);
}


ngx_int_t
ngx_media_ban_check(const ngx_media_app_t *app, ngx_uint_t action,
    const ngx_str_t *name, const ngx_str_t *address, const char **reason)
{
    ngx_int_t            rc;
    ngx_media_network_t  network;

    rc = ngx_media_network(address, &network);

    return ngx_media_bans_look(ngx_media_bans(app), action, name,
                               rc == NGX_OK ? &network : NULL, reason);
}


ngx_int_t
ngx_media_network(const ngx_str_t *text, ngx_media_network_t *network)
{
    u_char      *slash, *last;
    in_addr_t    inet;
    ngx_uint_t   skip;

    last = text->data + text->len;
    slash = ngx_strlchr(text->data, last, '/');
    slash = slash ? slash : last;

    inet = ngx_inet_addr(text->data, slash - text->data);

    if (inet != INADDR_NONE) {
        skip = NGX_MEDIA_NETWORK_MAPPED;

        ngx_memcpy(network->address, ngx_media_network_mapped, 12);
        ngx_memcpy(network->address + 12, &inet, 4);

#if (NGX_HAVE_INET6)

    } else if (ngx_inet6_addr(text->data, slash - text->data,
                              network->address)
               == NGX_OK)
    {
        skip = 0;
#endif

    } else {
        return NGX_DECLINED;
    }

    return ngx_media_network_mask(network, slash, last, skip);
}


/* "/24", or nothing; "/0" would be everybody, which is no address */

static ngx_int_t
ngx_media_network_mask(ngx_media_network_t *network, const u_char *pos,
    const u_char *last, ngx_uint_t skip)
{
    ngx_int_t   n;
    ngx_uint_t  i;

    n = (pos < last) ? ngx_atoi((u_char *) pos + 1, last - pos - 1)
                     : NGX_MEDIA_NETWORK_BITS - (ngx_int_t) skip;

    if (n < 1 || n > NGX_MEDIA_NETWORK_BITS - (ngx_int_t) skip) {
        return NGX_DECLINED;
    }

    network->bits = n + skip;

    for (i = network->bits; i < NGX_MEDIA_NETWORK_BITS; i++) {
        network->address[i / 8] &= (u_char) ~(0x80 >> i % 8);
    }

    return NGX_OK;
}


/* a host has all of a /64, RFC 4291, 2.5.4, and changes its address in it */

ngx_int_t
ngx_media_network_of(const ngx_str_t *address, ngx_media_network_t *network)
{
    if (ngx_media_network(address, network) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!ngx_media_network_is_inet(network)
        && ngx_strlchr(address->data, address->data + address->len, '/')
           == NULL)
    {
        network->bits = 64;
        ngx_memzero(network->address + 8, 8);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_media_network_is_inet(const ngx_media_network_t *network)
{
    return network->bits >= NGX_MEDIA_NETWORK_MAPPED
           && ngx_memcmp(network->address, ngx_media_network_mapped, 12) == 0;
}


size_t
ngx_media_network_text(const ngx_media_network_t *network, u_char *buf)
{
    u_char        *p, *last;
    ngx_uint_t     skip;
    const u_char  *a;

    a = network->address;
    p = buf;
    last = buf + NGX_SOCKADDR_STRLEN;
    skip = 0;

    if (ngx_media_network_is_inet(network)) {
        skip = NGX_MEDIA_NETWORK_MAPPED;
        p = ngx_slprintf(p, last, "%ud.%ud.%ud.%ud", (unsigned) a[12],
                         (unsigned) a[13], (unsigned) a[14],
                         (unsigned) a[15]);

#if (NGX_HAVE_INET6)

    } else {
        p += ngx_inet6_ntop((u_char *) a, p, last - p);
#endif
    }

    if (network->bits < NGX_MEDIA_NETWORK_BITS) {
        p = ngx_slprintf(p, last, "/%ui", network->bits - skip);
    }

    return p - buf;
}


static ngx_int_t
ngx_media_ban_postconfiguration(ngx_conf_t *cf)
{
    return ngx_media_access_add(cf, &ngx_media_ban_entry);
}


static size_t
ngx_media_ban_shared(const ngx_media_zone_conf_t *conf)
{
    return ngx_media_bans_size();
}
