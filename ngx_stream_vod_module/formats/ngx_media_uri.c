
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_uri.h"


static const char *ngx_media_uri_authority(ngx_media_uri_t *uri,
    const u_char *pos, const u_char *last);
static const char *ngx_media_uri_host(ngx_media_uri_t *uri);
static const char *ngx_media_uri_port(ngx_media_uri_t *uri, const u_char *pos,
    const u_char *last);
static const char *ngx_media_uri_text(const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_uri_hex(u_char c);
static u_char ngx_media_uri_byte(const u_char **pos);


ngx_int_t
ngx_media_uri_parse(const u_char *pos, const u_char *last,
    ngx_media_uri_t *uri, const char **error)
{
    size_t         n;
    ngx_uint_t     i;
    const u_char  *p, *end;

    static const char  *schemes[] = { "http://", "https://" };

    ngx_memzero(uri, sizeof(ngx_media_uri_t));

    if (last - pos > NGX_MEDIA_URI_MAX) {
        *error = "it is too long";
        return NGX_ERROR;
    }

    for (i = 0; i < 2; i++) {
        n = ngx_strlen(schemes[i]);

        if ((size_t) (last - pos) >= n
            && ngx_memcmp(pos, schemes[i], n) == 0)
        {
            break;
        }
    }

    if (i == 2) {
        *error = "it must begin with \"http://\" or \"https://\"";
        return NGX_ERROR;
    }

    uri->tls = i;
    uri->port = i ? 443 : 80;

    *error = ngx_media_uri_text(pos, last);

    if (*error) {
        return NGX_ERROR;
    }

    pos += n;

    for (end = pos; end < last && *end != '/' && *end != '?'; end++) {
        /* void */
    }

    *error = ngx_media_uri_authority(uri, pos, end);

    if (*error) {
        return NGX_ERROR;
    }

    p = memchr(end, '?', last - end);

    uri->path.pos = end;
    uri->path.last = p ? p : last;
    uri->args.pos = p ? p + 1 : last;
    uri->args.last = last;

    return NGX_OK;
}


/* user:password@host:port */

static const char *
ngx_media_uri_authority(ngx_media_uri_t *uri, const u_char *pos,
    const u_char *last)
{
    const u_char  *p, *port;

    p = memchr(pos, '@', last - pos);

    if (p) {
        uri->user.pos = pos;
        uri->user.last = p;
        pos = p + 1;

        if (memchr(pos, '@', last - pos)) {
            return "an \"@\" in a password must be written \"%40\"";
        }
    }

    if (pos < last && *pos == '[') {
        p = memchr(pos, ']', last - pos);

        if (p == NULL) {
            return "the \"[\" of its address is not closed";
        }

        uri->ipv6 = 1;
        uri->host.pos = pos + 1;
        uri->host.last = p;
        port = p + 1;

    } else {
        p = memchr(pos, ':', last - pos);

        uri->host.pos = pos;
        uri->host.last = p ? p : last;
        port = uri->host.last;
    }

    if (port < last) {

        if (*port != ':') {
            return "there is something behind its host";
        }

        return ngx_media_uri_port(uri, port + 1, last);
    }

    return ngx_media_uri_host(uri);
}


static const char *
ngx_media_uri_port(ngx_media_uri_t *uri, const u_char *pos, const u_char *last)
{
    const u_char  *p;

    uri->port = 0;

    for (p = pos; p < last; p++) {

        if (*p < '0' || *p > '9' || p - pos == 5) {
            return "its port is not valid";
        }

        uri->port = uri->port * 10 + (*p - '0');
    }

    if (uri->port < 1 || uri->port > 65535) {
        return "its port is not valid";
    }

    return ngx_media_uri_host(uri);
}


/* a name, an address, or one of IPv6; what it is, its user finds out */

static const char *
ngx_media_uri_host(ngx_media_uri_t *uri)
{
    u_char         c;
    const u_char  *p;

    if (uri->host.pos == uri->host.last) {
        return "it has no host";
    }

    if (ngx_media_span_len(&uri->host) > NGX_MEDIA_URI_HOST) {
        return "its host is too long";
    }

    for (p = uri->host.pos; p < uri->host.last; p++) {
        c = *p | 0x20;

        if (uri->ipv6) {

            if (ngx_media_uri_hex(*p) < 0 && *p != ':' && *p != '.') {
                return "its host is no address of IPv6";
            }

            continue;
        }

        if ((c < 'a' || c > 'z') && (*p < '0' || *p > '9') && *p != '-'
            && *p != '.' && *p != '_')
        {
            return "its host must be of letters, digits, \"-\", \".\" and "
                   "\"_\"";
        }
    }

    return NULL;
}


/* what stands in a request as it is, or hides nothing from who reads it */

static const char *
ngx_media_uri_text(const u_char *pos, const u_char *last)
{
    const u_char  *p;

    for (p = pos; p < last; p++) {

        if (*p == '#') {
            return "what follows a \"#\" is never sent";
        }

        if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '<' || *p == '>'
            || *p == '\\')
        {
            return "blanks, quotes, \"<\", \">\", \"\\\" and what is not ASCII "
                   "must be percent-encoded";
        }

        if (*p == '%' && (last - p < 3 || ngx_media_uri_hex(p[1]) < 0
                          || ngx_media_uri_hex(p[2]) < 0))
        {
            return "there must be two hexadecimal digits behind a \"%\"";
        }
    }

    return NULL;
}


size_t
ngx_media_uri_basic(u_char *p, const ngx_media_span_t *user)
{
    size_t         len;
    uint32_t       bits;
    ngx_uint_t     i, n;
    const u_char  *s;

    static const u_char  digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    len = sizeof("Basic ") - 1;

    if (p) {
        p = ngx_cpymem(p, "Basic ", len);
    }

    for (s = user->pos; s < user->last; len += 4) {
        bits = 0;

        for (n = 0; n < 3 && s < user->last; n++) {
            bits |= (uint32_t) ngx_media_uri_byte(&s) << (16 - 8 * n);
        }

        for (i = 0; p && i < 4; i++) {
            *p++ = i <= n ? digits[(bits >> (18 - 6 * i)) & 0x3f] : '=';
        }
    }

    return len;
}


/* the next one of a text, decoded */

static u_char
ngx_media_uri_byte(const u_char **pos)
{
    u_char  c;

    c = *(*pos)++;

    if (c == '%') {
        c = (u_char) (ngx_media_uri_hex((*pos)[0]) << 4
                      | ngx_media_uri_hex((*pos)[1]));
        *pos += 2;
    }

    return c;
}


static ngx_int_t
ngx_media_uri_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
