
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a request is of, for log_format, map, limit_req_zone.  In any phase
 * after the location is found: before, and elsewhere, they are not found.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_session.h"
#include "http/ngx_http_media_subject.h"


typedef enum {
    NGX_HTTP_MEDIA_VARIABLE_APP = 0,
    NGX_HTTP_MEDIA_VARIABLE_STREAM,
    NGX_HTTP_MEDIA_VARIABLE_TRACK,
    NGX_HTTP_MEDIA_VARIABLE_KIND,
    NGX_HTTP_MEDIA_VARIABLE_NUMBER,
    NGX_HTTP_MEDIA_VARIABLE_PART,
    NGX_HTTP_MEDIA_VARIABLE_SESSION,
    NGX_HTTP_MEDIA_VARIABLE_VIEWER,
    NGX_HTTP_MEDIA_VARIABLE_PROTOCOL
} ngx_http_media_variable_e;


static ngx_int_t ngx_http_media_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_media_variable_session(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_media_variable_number(ngx_http_request_t *r,
    ngx_http_media_url_t *url, uintptr_t data, ngx_str_t *value);


/* a location is another one after a redirect: they are asked for anew */

static ngx_http_variable_t  ngx_http_media_variables[] = {

    { ngx_string("media_app"), NULL, ngx_http_media_variable,
      NGX_HTTP_MEDIA_VARIABLE_APP, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_stream"), NULL, ngx_http_media_variable,
      NGX_HTTP_MEDIA_VARIABLE_STREAM, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_track"), NULL, ngx_http_media_variable,
      NGX_HTTP_MEDIA_VARIABLE_TRACK, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_kind"), NULL, ngx_http_media_variable,
      NGX_HTTP_MEDIA_VARIABLE_KIND, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_number"), NULL, ngx_http_media_variable,
      NGX_HTTP_MEDIA_VARIABLE_NUMBER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_part"), NULL, ngx_http_media_variable,
      NGX_HTTP_MEDIA_VARIABLE_PART, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_session"), NULL, ngx_http_media_variable_session,
      NGX_HTTP_MEDIA_VARIABLE_SESSION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_viewer"), NULL, ngx_http_media_variable_session,
      NGX_HTTP_MEDIA_VARIABLE_VIEWER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("media_protocol"), NULL, ngx_http_media_variable_session,
      NGX_HTTP_MEDIA_VARIABLE_PROTOCOL, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_media_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_media_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t                  value;
    ngx_http_media_subject_t  *subject;

    ngx_str_null(&value);

    subject = ngx_http_media_subject_parse(r);

    if (subject && data == NGX_HTTP_MEDIA_VARIABLE_APP) {
        value = subject->place->app;

    } else if (subject && subject->rc == NGX_OK) {

        switch (data) {

        case NGX_HTTP_MEDIA_VARIABLE_STREAM:
            value = subject->url.name;
            break;

        case NGX_HTTP_MEDIA_VARIABLE_TRACK:
            value = subject->url.second.len ? subject->url.folder
                                            : subject->url.track;
            break;

        case NGX_HTTP_MEDIA_VARIABLE_KIND:
            value.data = (u_char *) ngx_http_media_count_kinds[
                                       ngx_http_media_subject_kind(subject)];
            value.len = ngx_strlen(value.data);
            break;

        default:
            if (ngx_http_media_variable_number(r, &subject->url, data, &value)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
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


/* of the session, as it was when the request came in */

static ngx_int_t
ngx_http_media_variable_session(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                    value;
    ngx_http_media_session_of_t  of;

    ngx_str_null(&value);

    if (ngx_http_media_session_of(r, &of) != NGX_OK) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (data == NGX_HTTP_MEDIA_VARIABLE_PROTOCOL) {

        if (of.protocol) {
            value = *ngx_media_session_protocol_name(of.protocol);
        }

    } else {
        of.id = (data == NGX_HTTP_MEDIA_VARIABLE_VIEWER) ? of.viewer : of.id;

        if (of.id) {
            value.data = ngx_pnalloc(r->pool, 16);
            if (value.data == NULL) {
                return NGX_ERROR;
            }

            value.len = ngx_sprintf(value.data, "%016xL", of.id) - value.data;
        }
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


/* of what has one: the value stays empty otherwise */

static ngx_int_t
ngx_http_media_variable_number(ngx_http_request_t *r,
    ngx_http_media_url_t *url, uintptr_t data, ngx_str_t *value)
{
    uint64_t  number;

    if (!(url->kind->flags & ((data == NGX_HTTP_MEDIA_VARIABLE_PART)
                              ? NGX_HTTP_MEDIA_KIND_PART
                              : NGX_HTTP_MEDIA_KIND_NUMBER)))
    {
        return NGX_OK;
    }

    number = (data == NGX_HTTP_MEDIA_VARIABLE_PART) ? url->part : url->number;

    value->data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%uL", number) - value->data;

    return NGX_OK;
}
