
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a session is about, for nginx's log_format of stream: found from the
 * time on that it is known.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>
#include "stream/ngx_stream_media.h"

#include <dlfcn.h>


/* they may be added by more than one directive */
#define NGX_STREAM_MEDIA_VAR                                                  \
    (NGX_STREAM_VAR_NOCACHEABLE|NGX_STREAM_VAR_CHANGEABLE)


typedef ngx_stream_variable_t *(*ngx_stream_media_add_variable_pt)(
    ngx_conf_t *cf, ngx_str_t *name, ngx_uint_t flags);


static ngx_int_t ngx_stream_media_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data);


static ngx_stream_variable_t  ngx_stream_media_variables[] = {

    { ngx_string("media_app"), NULL, ngx_stream_media_variable,
      NGX_STREAM_MEDIA_APP, NGX_STREAM_MEDIA_VAR, 0 },

    { ngx_string("media_stream"), NULL, ngx_stream_media_variable,
      NGX_STREAM_MEDIA_STREAM, NGX_STREAM_MEDIA_VAR, 0 },

    { ngx_string("media_reason"), NULL, ngx_stream_media_variable,
      NGX_STREAM_MEDIA_REASON, NGX_STREAM_MEDIA_VAR, 0 },

    { ngx_string("media_srt_session"), NULL, ngx_stream_media_variable,
      NGX_STREAM_MEDIA_SRT, NGX_STREAM_MEDIA_VAR, 0 },

    { ngx_null_string, NULL, NULL, 0, 0, 0 }
};


/*
 * Where nginx's stream module is not visible there are none; media_rtmp says
 * what is wrong then.  Where it was loaded after ours it has not begun with
 * variables yet: they are added by the first media_rtmp, which is soon enough,
 * since nginx looks for what was named when all of stream {} is read.
 */

ngx_int_t
ngx_stream_media_add_variables(ngx_conf_t *cf)
{
    ngx_module_t                      *core;
    ngx_stream_variable_t             *var, *v;
    ngx_stream_core_main_conf_t       *cmcf;
    ngx_stream_media_add_variable_pt   add;

    /* POSIX, dlsym(): a function is reached through an object pointer */

    *(void **) &add = dlsym(RTLD_DEFAULT, "ngx_stream_add_variable");

    core = dlsym(RTLD_DEFAULT, "ngx_stream_core_module");

    if (add == NULL || core == NULL) {
        return NGX_OK;
    }

    cmcf = ((ngx_stream_conf_ctx_t *) cf->ctx)->main_conf[core->ctx_index];

    if (cmcf == NULL || cmcf->variables_keys == NULL) {
        return NGX_OK;
    }

    for (v = ngx_stream_media_variables; v->name.len; v++) {
        var = add(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_media_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                value;
    ngx_stream_media_ctx_t  *ctx;

    ngx_str_null(&value);

    ctx = ngx_stream_get_module_ctx(s, ngx_stream_vod_module);

    if (ctx) {
        ctx->text(ctx->session, data, &value);
    }

    if (value.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = value.data;
    v->len = value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
