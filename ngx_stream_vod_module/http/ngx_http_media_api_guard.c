
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Does a location ask who it is, before it lets him in?  What does is modules
 * of nginx whose configurations are their own.  They are found by name, as they
 * may be missing, or loaded; the first fields of these configurations have been
 * the same since long before 1.18 and are what is declared here.  It is looked
 * at when all is merged, so where it was written does not matter.
 *
 * This sees mistakes; who wants to be wrong can.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_api.h"


typedef enum {
    NGX_HTTP_MEDIA_API_SILENT = 0,
    NGX_HTTP_MEDIA_API_GUARDS,
    NGX_HTTP_MEDIA_API_OPENS                  /* it lets everybody in */
} ngx_http_media_api_guard_e;

typedef ngx_http_media_api_guard_e (*ngx_http_media_api_guard_pt)(
    const void *conf);

typedef struct {
    const char                  *module;
    ngx_http_media_api_guard_pt  guards;
} ngx_http_media_api_guard_t;


/*
 * ngx_http_access_module: arrays of rules, NULL: none, of which the first one
 * that fits is what holds.  Those of unix sockets come last, and are not looked
 * at: who may open one is what the mode of its file says.
 */

typedef struct {
    ngx_array_t              *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t              *rules6;
#endif
} ngx_http_media_api_allow_t;


typedef struct {
    in_addr_t                 mask;
    in_addr_t                 addr;
    ngx_uint_t                deny;
} ngx_http_media_api_rule_t;


#if (NGX_HAVE_INET6)

typedef struct {
    struct in6_addr           addr;
    struct in6_addr           mask;
    ngx_uint_t                deny;
} ngx_http_media_api_rule6_t;

#endif


/*
 * ngx_http_auth_basic_module: user_file was a value, which begins with a
 * length, and is a pointer now: a word that is 0 if there is none
 */

typedef struct {
    ngx_http_complex_value_t *realm;
    uintptr_t                 user_file;
} ngx_http_media_api_basic_t;


/* ngx_http_auth_request_module */

typedef struct {
    ngx_str_t                 uri;            /* empty: "off" */
} ngx_http_media_api_request_t;


static ngx_http_media_api_guard_e ngx_http_media_api_guard_access(
    const void *conf);
static ngx_http_media_api_guard_e ngx_http_media_api_guard_rules(
    const ngx_array_t *rules, size_t size, size_t mask, size_t len);
static ngx_http_media_api_guard_e ngx_http_media_api_guard_basic(
    const void *conf);
static ngx_http_media_api_guard_e ngx_http_media_api_guard_request(
    const void *conf);


static const ngx_http_media_api_guard_t  ngx_http_media_api_guards[] = {
    { "ngx_http_access_module", ngx_http_media_api_guard_access },
    { "ngx_http_auth_basic_module", ngx_http_media_api_guard_basic },
    { "ngx_http_auth_request_module", ngx_http_media_api_guard_request }
};


/* with "satisfy any" one that opens does so whatever the others say */

ngx_uint_t
ngx_http_media_api_guarded(ngx_conf_t *cf, void **loc_conf)
{
    void                      *conf;
    ngx_uint_t                 i, k, guards, opens;
    ngx_module_t              *module;
    ngx_http_core_loc_conf_t  *clcf;

    guards = 0;
    opens = 0;

    for (i = 0; cf->cycle->modules[i]; i++) {
        module = cf->cycle->modules[i];

        if (module->type != NGX_HTTP_MODULE || module->name == NULL) {
            continue;
        }

        conf = loc_conf[module->ctx_index];

        for (k = 0;
             conf && k < sizeof(ngx_http_media_api_guards)
                         / sizeof(ngx_http_media_api_guards[0]);
             k++)
        {
            if (ngx_strcmp(module->name, ngx_http_media_api_guards[k].module)
                != 0)
            {
                continue;
            }

            switch (ngx_http_media_api_guards[k].guards(conf)) {

            case NGX_HTTP_MEDIA_API_GUARDS:
                guards = 1;
                break;

            case NGX_HTTP_MEDIA_API_OPENS:
                opens = 1;
                break;

            default: /* NGX_HTTP_MEDIA_API_SILENT */
                break;
            }
        }
    }

    clcf = loc_conf[ngx_http_core_module.ctx_index];

    return guards && !(opens && clcf->satisfy == NGX_HTTP_SATISFY_ANY);
}


/* who is not denied is let in: "allow" alone keeps nobody out */

static ngx_http_media_api_guard_e
ngx_http_media_api_guard_access(const void *conf)
{
    const ngx_http_media_api_allow_t *allow = conf;

    ngx_http_media_api_guard_e  rc;
#if (NGX_HAVE_INET6)
    ngx_http_media_api_guard_e  rc6;
#endif

    rc = ngx_http_media_api_guard_rules(allow->rules,
                              sizeof(ngx_http_media_api_rule_t),
                              offsetof(ngx_http_media_api_rule_t, mask),
                              sizeof(in_addr_t));

#if (NGX_HAVE_INET6)

    rc6 = ngx_http_media_api_guard_rules(allow->rules6,
                              sizeof(ngx_http_media_api_rule6_t),
                              offsetof(ngx_http_media_api_rule6_t, mask),
                              sizeof(struct in6_addr));

    if (rc6 != NGX_HTTP_MEDIA_API_GUARDS && rc != NGX_HTTP_MEDIA_API_OPENS) {
        rc = rc6;
    }

#endif

    return rc;
}


/* the first one that is for everybody; deny is the last field */

static ngx_http_media_api_guard_e
ngx_http_media_api_guard_rules(const ngx_array_t *rules, size_t size,
    size_t mask, size_t len)
{
    ngx_uint_t     i, deny;
    const u_char  *p;

    static const u_char  all[16];

    /* an nginx that somebody has changed may have a flag there */

    if ((uintptr_t) rules < ngx_pagesize
        || (uintptr_t) rules % sizeof(void *)
        || rules->size != size)
    {
        return NGX_HTTP_MEDIA_API_SILENT;
    }

    for (i = 0; i < rules->nelts; i++) {
        p = (u_char *) rules->elts + i * size;

        if (ngx_memcmp(p + mask, all, len) != 0) {
            continue;
        }

        ngx_memcpy(&deny, p + size - sizeof(ngx_uint_t), sizeof(ngx_uint_t));

        return deny ? NGX_HTTP_MEDIA_API_GUARDS : NGX_HTTP_MEDIA_API_OPENS;
    }

    return NGX_HTTP_MEDIA_API_SILENT;
}


/* without a file of users it lets everybody in */

static ngx_http_media_api_guard_e
ngx_http_media_api_guard_basic(const void *conf)
{
    const ngx_http_media_api_basic_t *basic = conf;

    if (basic->realm == NULL
        || basic->realm == NGX_CONF_UNSET_PTR
        || basic->user_file == 0
        || basic->user_file == (uintptr_t) NGX_CONF_UNSET_PTR)
    {
        return NGX_HTTP_MEDIA_API_SILENT;
    }

    if (basic->realm->lengths == NULL
        && basic->realm->value.len == 3
        && ngx_strncmp(basic->realm->value.data, "off", 3) == 0)
    {
        return NGX_HTTP_MEDIA_API_SILENT;
    }

    return NGX_HTTP_MEDIA_API_GUARDS;
}


static ngx_http_media_api_guard_e
ngx_http_media_api_guard_request(const void *conf)
{
    const ngx_http_media_api_request_t *request = conf;

    return request->uri.len ? NGX_HTTP_MEDIA_API_GUARDS
                            : NGX_HTTP_MEDIA_API_SILENT;
}
