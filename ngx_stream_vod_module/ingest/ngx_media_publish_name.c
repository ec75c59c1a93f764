
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Names of streams, what answers mean, and why publishers are turned away: said
 * here, once for all protocols.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"
#include "core/ngx_media_name.h"
#include "core/ngx_media_store_shm.h"
#include "formats/ngx_media_text.h"
#include "ingest/ngx_media_publish.h"


/* bytes of a name that are logged, each of which may become four */
#define NGX_MEDIA_PUBLISH_NAME_LOG   128
#define NGX_MEDIA_PUBLISH_NAME_TEXT  (NGX_MEDIA_PUBLISH_NAME_LOG * 4 + 3)

#define NGX_MEDIA_PUBLISH_DATE       sizeof("1970-01-01T00:00:00.000Z")


static ngx_str_t ngx_media_publish_escape(u_char *buf, const u_char *data,
    size_t len);
static void ngx_media_publish_log_conflict(const ngx_media_publish_t *conf);


/* by ngx_media_publish_e */

static const char  *ngx_media_publish_sentences[NGX_MEDIA_PUBLISH_ANSWERS] = {

    "it is published",
    "access checks have not answered yet",

    "the codec is not known",
    "the codec, or its profile, is not supported",
    "it cannot be read",
    "no decoder configuration has come",
    "there is no room for the track",
    "there is nothing in it",
    "it is neither audio nor video",
    "timed data comes faster than parts go out",

    "another publisher has the stream",
    "nothing of use came for 10 s",

    "the server is out of resources",

    "access is denied",
    "the stream is being published already",
    "there are too many streams",
    "this is not a name for a stream",
    "the server is restarting, connect again",
    "the stream is published anew too often, wait a second"
};


ngx_uint_t
ngx_media_publish_name_valid(const ngx_str_t *name)
{
    const u_char  *bad;

    return ngx_media_name_wrong(name, &bad) == NULL;
}


void
ngx_media_publish_refuse_name(ngx_media_app_t *app, const ngx_str_t *protocol,
    const ngx_str_t *name, ngx_log_t *log)
{
    u_char            buf[NGX_MEDIA_PUBLISH_NAME_TEXT], ch[4];
    ngx_str_t         text, byte;
    const char       *wrong;
    const u_char     *bad;
    const ngx_str_t  *shown;

    wrong = ngx_media_name_wrong(name, &bad);
    shown = ngx_media_access_shown(app, name);

    if (shown != name) {
        bad = NULL;
        name = shown;
    }

    text = ngx_media_publish_escape(buf, name->data, name->len);

    byte.len = 0;
    byte.data = ch;

    if (bad) {
        byte = ngx_media_publish_escape(ch, bad, 1);
    }

    ngx_media_publish_refused(app, NGX_MEDIA_REFUSED_NAME);

    ngx_log_error(NGX_LOG_INFO, log, 0,
                  "%V publish refused: \"%V\" is not a name for a stream, "
                  "%s%s%V%s",
                  protocol, &text, wrong ? wrong : "it is too long with what "
                  "stands before it", bad ? " \"" : "", &byte,
                  bad ? "\"" : "");
}


/* fit for a log: what is not printable, and quotes, as \xHH; shortened */

static ngx_str_t
ngx_media_publish_escape(u_char *buf, const u_char *data, size_t len)
{
    size_t      i, n;
    u_char     *p;
    ngx_str_t   text;

    static const u_char  hex[] = "0123456789ABCDEF";

    p = buf;
    n = ngx_min(len, NGX_MEDIA_PUBLISH_NAME_LOG);

    for (i = 0; i < n; i++) {

        if (data[i] >= 0x20 && data[i] < 0x7f && data[i] != '"'
            && data[i] != '\\')
        {
            *p++ = data[i];
            continue;
        }

        *p++ = '\\';
        *p++ = 'x';
        *p++ = hex[data[i] >> 4];
        *p++ = hex[data[i] & 0x0f];
    }

    if (n < len) {
        p = ngx_cpymem(p, "...", 3);
    }

    text.data = buf;
    text.len = p - buf;

    return text;
}


const char *
ngx_media_publish_sentence(ngx_media_publish_e rc)
{
    return ngx_media_publish_sentences[rc];
}


void
ngx_media_publish_log_refusal(const ngx_media_publish_t *conf,
    ngx_media_publish_e rc, const char *reason)
{
    switch (rc) {

    case NGX_MEDIA_PUBLISH_CONFLICT:
        ngx_media_publish_log_conflict(conf);
        break;

    case NGX_MEDIA_PUBLISH_LIMIT:
        ngx_log_error(NGX_LOG_INFO, conf->log, 0,
                      "%V publish refused: %s, name:\"%V\" max_streams:%ui",
                      &conf->protocol, reason, &conf->name,
                      conf->app->max_streams);
        break;

    default:
        ngx_log_error(NGX_LOG_INFO, conf->log, 0,
                      "%V publish refused: %s, name:\"%V\"", &conf->protocol,
                      reason, &conf->name);
    }
}


/* who has it, from where, since when: the one who is in the way is known */

static void
ngx_media_publish_log_conflict(const ngx_media_publish_t *conf)
{
    u_char              buf[NGX_MEDIA_PUBLISH_DATE];
    ngx_str_t           name, protocol, address, since;
    ngx_media_text_t    text;
    ngx_media_holder_t  holder;

    name = conf->name;

    if (ngx_media_stream_holder(conf->app->zone, &name, &holder) != NGX_OK) {
        ngx_memzero(&holder, sizeof(ngx_media_holder_t));
    }

    protocol.len = holder.protocol_len;
    protocol.data = holder.protocol;
    address.len = holder.address_len;
    address.data = holder.address;

    ngx_media_text_init(&text, buf, sizeof(buf));
    ngx_media_text_date(&text, holder.since);

    since.len = text.overflow ? 0 : text.total;
    since.data = buf;

    ngx_log_error(NGX_LOG_INFO, conf->log, 0,
                  "%V publish refused: %s, name:\"%V\" by:%V from:%V since:%V, "
                  "which sent media %M ms ago",
                  &conf->protocol,
                  ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_CONFLICT),
                  &name, &protocol, &address, &since,
                  holder.silent);
}
