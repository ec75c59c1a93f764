
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


typedef ngx_uint_t (*ngx_http_media_api_guard_pt)(const void *conf);

typedef struct {
    const char                  *module;
    ngx_http_media_api_guard_pt  guards;
} ngx_http_media_api_guard_t;


/*
 * ngx_http_access_module: up to three arrays of rules, NULL: none; the last
 * field of a rule is whether it denies
 */

typedef struct {
    ngx_array_t              *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t              *rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_array_t              *rules_un;
#endif
} ngx_http_media_api_allow_t;


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


static ngx_uint_t ngx_http_media_api_guard_access(const void *conf);
static ngx_uint_t ngx_http_media_api_guard_denies(const ngx_array_t *rules);
static ngx_uint_t ngx_http_media_api_guard_basic(const void *conf);
static ngx_uint_t ngx_http_media_api_guard_request(const void *conf);
static ngx_uint_t ngx_http_media_api_guard_satisfy(const void *conf);


static const ngx_http_media_api_guard_t  ngx_http_media_api_guards[] = {
    { "ngx_http_access_module", ngx_http_media_api_guard_access },
    { "ngx_http_auth_basic_module", ngx_http_media_api_guard_basic },
    { "ngx_http_auth_request_module", ngx_http_media_api_guard_request },
    { "ngx_http_core_module", ngx_http_media_api_guard_satisfy }
};


ngx_uint_t
ngx_http_media_api_guarded(ngx_conf_t *cf, void **loc_conf)
{
    ngx_uint_t     i, k;
    ngx_module_t  *module;

    for (i = 0; cf->cycle->modules[i]; i++) {
        module = cf->cycle->modules[i];

        if (module->type != NGX_HTTP_MODULE || module->name == NULL) {
            continue;
        }

        for (k = 0;
             k < sizeof(ngx_http_media_api_guards)
                 / sizeof(ngx_http_media_api_guards[0]);
             k++)
        {
            if (ngx_strcmp(module->name, ngx_http_media_api_guards[k].module)
                != 0)
            {
                continue;
            }

            if (loc_conf[module->ctx_index]
                && ngx_http_media_api_guards[k].guards(
                                                loc_conf[module->ctx_index]))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* who is not denied is let in: "allow" alone keeps nobody out */

static ngx_uint_t
ngx_http_media_api_guard_access(const void *conf)
{
    const ngx_http_media_api_allow_t *allow = conf;

    return ngx_http_media_api_guard_denies(allow->rules)
#if (NGX_HAVE_INET6)
           || ngx_http_media_api_guard_denies(allow->rules6)
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
           || ngx_http_media_api_guard_denies(allow->rules_un)
#endif
           ;
}


static ngx_uint_t
ngx_http_media_api_guard_denies(const ngx_array_t *rules)
{
    ngx_uint_t     i, deny;
    const u_char  *p;

    /* an nginx that somebody has changed may have a flag there */

    if ((uintptr_t) rules < ngx_pagesize
        || (uintptr_t) rules % sizeof(void *)
        || rules->size < sizeof(ngx_uint_t))
    {
        return 0;
    }

    for (i = 0; i < rules->nelts; i++) {
        p = (u_char *) rules->elts + (i + 1) * rules->size;

        ngx_memcpy(&deny, p - sizeof(ngx_uint_t), sizeof(ngx_uint_t));

        if (deny) {
            return 1;
        }
    }

    return 0;
}


/* without a file of users it lets everybody in */

static ngx_uint_t
ngx_http_media_api_guard_basic(const void *conf)
{
    const ngx_http_media_api_basic_t *basic = conf;

    if (basic->realm == NULL
        || basic->realm == NGX_CONF_UNSET_PTR
        || basic->user_file == 0
        || basic->user_file == (uintptr_t) NGX_CONF_UNSET_PTR)
    {
        return 0;
    }

    return basic->realm->lengths
           || basic->realm->value.len != 3
           || ngx_strncmp(basic->realm->value.data, "off", 3) != 0;
}


static ngx_uint_t
ngx_http_media_api_guard_request(const void *conf)
{
    const ngx_http_media_api_request_t *request = conf;

    return request->uri.len != 0;
}


/* said by who has several that ask, some of which are not known here */

static ngx_uint_t
ngx_http_media_api_guard_satisfy(const void *conf)
{
    const ngx_http_core_loc_conf_t *clcf = conf;

    return clcf->satisfy == NGX_HTTP_SATISFY_ANY;
}
