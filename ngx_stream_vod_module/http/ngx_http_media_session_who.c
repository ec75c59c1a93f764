
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who a viewer is: media_session_key, else whose the token is, else what the
 * player calls its session (CMCD), else his address and browser.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "formats/ngx_media_cmcd.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_session.h"


static ngx_int_t ngx_http_media_session_key(ngx_http_request_t *r,
    ngx_media_session_who_t *who);
static ngx_int_t ngx_http_media_session_pass(ngx_http_request_t *r,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit);
static ngx_int_t ngx_http_media_session_device(ngx_http_request_t *r,
    ngx_media_session_who_t *who, u_char kind, const void *data, size_t len);
static ngx_int_t ngx_http_media_session_sid(ngx_http_request_t *r,
    ngx_str_t *sid, ngx_uint_t *protocol);
static ngx_int_t ngx_http_media_session_cmcd(ngx_http_request_t *r,
    ngx_media_cmcd_t *cmcd);


ngx_int_t
ngx_http_media_session_who(ngx_http_request_t *r,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit)
{
    ngx_int_t                           rc;
    ngx_str_t                           sid;
    ngx_http_media_subject_t           *subject;
    ngx_http_media_session_loc_conf_t  *conf;

    conf = ngx_http_media_session_conf(r);
    subject = ngx_http_media_subject_parse(r);

    if (subject == NULL || subject->rc != NGX_OK) {
        return subject ? NGX_DECLINED : NGX_ERROR;
    }

    ngx_memzero(who, sizeof(ngx_media_session_who_t));

    *limit = conf->limit;

    who->app = subject->place->app;
    who->name = subject->url.name;
    who->sockaddr = r->connection->sockaddr;

    if (r->headers_in.user_agent) {
        who->agent = r->headers_in.user_agent->value;
    }

    if (ngx_http_media_session_sid(r, &sid, &who->protocol) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_media_session_key(r, who);

    if (rc == NGX_AGAIN) {
        rc = ngx_http_media_session_pass(r, who, limit);
    }

    if (rc == NGX_AGAIN && sid.len) {
        who->by = NGX_MEDIA_SESSION_BY_SID;
        who->viewer = sid;
    }

    if (rc == NGX_AGAIN) {

        /* one that expires is not to end who has another one */

        return who->mark ? ngx_http_media_session_device(r, who, 't',
                                                         &who->mark,
                                                         sizeof(uint32_t))
                         : NGX_OK;
    }

    if (rc == NGX_OK && limit->viewer) {

        /* who may be there so many times is told apart from himself */

        return sid.len ? ngx_http_media_session_device(r, who, 's', sid.data,
                                                       sid.len)
                       : ngx_http_media_session_device(r, who, 'a',
                                                       who->agent.data,
                                                       who->agent.len);
    }

    return rc;
}


/*
 * NGX_AGAIN: it is to be found out otherwise.  What is not counted says the
 * configuration alone: a value may be of the client, who cannot get around
 * hooks, limits and bans by one that is empty, or "off".
 */

static ngx_int_t
ngx_http_media_session_key(ngx_http_request_t *r,
    ngx_media_session_who_t *who)
{
    ngx_str_t                           text;
    ngx_http_media_session_loc_conf_t  *conf;

    conf = ngx_http_media_session_conf(r);

    if (conf->key == NULL) {
        return NGX_AGAIN;
    }

    if (conf->condition) {

        if (ngx_http_complex_value(r, conf->condition, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (text.len == 0 || (text.len == 1 && text.data[0] == '0')) {
            return NGX_DECLINED;
        }
    }

    if (ngx_http_complex_value(r, conf->key, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 0
        || (text.len == 4 && ngx_memcmp(text.data, "auto", 4) == 0))
    {
        return NGX_AGAIN;
    }

    if (conf->key->lengths == NULL && text.len == 3
        && ngx_memcmp(text.data, "off", 3) == 0)
    {
        return NGX_DECLINED;
    }

    who->viewer = text;

    who->by = NGX_MEDIA_SESSION_BY_KEY;

    return NGX_OK;
}


/* as key() */

static ngx_int_t
ngx_http_media_session_pass(ngx_http_request_t *r,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit)
{
    uint32_t                 mark;
    const ngx_media_pass_t  *pass;

    pass = ngx_http_media_token_pass(r, &mark);

    if (pass == NULL) {
        return NGX_AGAIN;
    }

    who->mark = mark;

    if (pass->max && (limit->viewer == 0 || pass->max < limit->viewer)) {
        limit->viewer = pass->max;
    }

    if (pass->session.len) {
        who->by = NGX_MEDIA_SESSION_BY_TOKEN;
        who->viewer = pass->session;

        return NGX_OK;
    }

    /* nobody's, but for so many: it is the token that these have in common */

    if (pass->max == 0) {
        return NGX_AGAIN;
    }

    who->viewer.data = ngx_pnalloc(r->pool, sizeof(uint32_t));
    if (who->viewer.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(who->viewer.data, &mark, sizeof(uint32_t));

    who->viewer.len = sizeof(uint32_t);
    who->by = NGX_MEDIA_SESSION_BY_TOKEN;

    return NGX_OK;
}


/* the table adds the address */

static ngx_int_t
ngx_http_media_session_device(ngx_http_request_t *r,
    ngx_media_session_who_t *who, u_char kind, const void *data, size_t len)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p = kind;
    ngx_memcpy(p + 1, data, len);

    who->device.data = p;
    who->device.len = len + 1;

    return NGX_OK;
}


/* sid.len 0: the player does not say */

static ngx_int_t
ngx_http_media_session_sid(ngx_http_request_t *r, ngx_str_t *sid,
    ngx_uint_t *protocol)
{
    ngx_int_t         rc;
    ngx_media_cmcd_t  cmcd;

    ngx_memzero(&cmcd, sizeof(ngx_media_cmcd_t));

    rc = ngx_http_media_session_cmcd(r, &cmcd);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    sid->data = (u_char *) cmcd.sid.pos;
    sid->len = ngx_media_span_len(&cmcd.sid);

    if (ngx_media_span_len(&cmcd.sf)) {

        if (*cmcd.sf.pos == 'h') {
            *protocol = NGX_MEDIA_SESSION_HLS;

        } else if (*cmcd.sf.pos == 'd') {
            *protocol = NGX_MEDIA_SESSION_DASH;
        }
    }

    return NGX_OK;
}


/* NGX_OK; NGX_DECLINED: there is none, or it is malformed; NGX_ERROR */

static ngx_int_t
ngx_http_media_session_cmcd(ngx_http_request_t *r, ngx_media_cmcd_t *cmcd)
{
    size_t            len;
    u_char           *buf;
    ngx_str_t         value;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    static const ngx_str_t  names[] = {
        ngx_string("CMCD-Session"),
        ngx_string("CMCD-Request"),
        ngx_string("CMCD-Object"),
        ngx_string("CMCD-Status")
    };

    if (r->args.len
        && ngx_http_arg(r, (u_char *) "CMCD", 4, &value) == NGX_OK)
    {
        buf = ngx_pnalloc(r->pool, ngx_min(value.len + 1,
                                           NGX_MEDIA_CMCD_MAX));
        if (buf == NULL) {
            return NGX_ERROR;
        }

        if (ngx_media_cmcd_decode(buf, &len, value.data,
                                  value.data + value.len)
            != NGX_OK
            || ngx_media_cmcd_read(cmcd, buf, buf + len) != NGX_OK)
        {
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        h = ngx_http_media_request_header(r, (char *) names[i].data,
                                          names[i].len);

        if (h && ngx_media_cmcd_read(cmcd, h->value.data,
                                     h->value.data + h->value.len)
                 != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
