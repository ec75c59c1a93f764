
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_hook.h"


#define NGX_MEDIA_HOOK_KEY  16                /* bytes of a field's name */


static void ngx_media_hook_json(ngx_media_text_t *text,
    const ngx_media_hook_t *hook);
static void ngx_media_hook_form(ngx_media_text_t *text,
    const ngx_media_hook_t *hook);
static void ngx_media_hook_form_args(ngx_media_text_t *text,
    const ngx_str_t *args);
static ngx_uint_t ngx_media_hook_own(const u_char *pos, const u_char *last);
static ngx_uint_t ngx_media_hook_own_name(const u_char *pos,
    const u_char *last);
static void ngx_media_hook_srs(ngx_media_text_t *text,
    const ngx_media_hook_t *hook);
static void ngx_media_hook_mediamtx(ngx_media_text_t *text,
    const ngx_media_hook_t *hook);
static void ngx_media_hook_member(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value);
static void ngx_media_hook_field(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value);
static void ngx_media_hook_byte(ngx_media_text_t *text, u_char c,
    ngx_uint_t plain);
static void ngx_media_hook_argument(ngx_media_text_t *text, const char *name,
    const ngx_str_t *args, const char *arg);
static const u_char *ngx_media_hook_decode(const u_char *pos,
    const u_char *last, u_char *c);
static ngx_int_t ngx_media_hook_digit(u_char c);


const ngx_str_t  ngx_media_hook_events[NGX_MEDIA_HOOK_EVENTS] = {
    ngx_string("publish"),
    ngx_string("play"),
    ngx_string("publish_done"),
    ngx_string("play_done"),
    ngx_string("update")
};


static const char  *ngx_media_hook_formats[NGX_MEDIA_HOOK_FORMATS + 1] = {
    "json", "form", "srs", "mediamtx", NULL
};


/* SRS calls them so; it has no updates */

static const char  *ngx_media_hook_actions[NGX_MEDIA_HOOK_UPDATE] = {
    "on_publish", "on_play", "on_unpublish", "on_stop"
};


/* what is no argument of the client's, in lower case */

static const char  *ngx_media_hook_fields[] = {
    "app", "flashver", "swfurl", "tcurl", "pageurl", "addr", "clientid",
    "call", "name", "type", "start", "duration", "reset", "time", "timestamp",
    NULL
};


typedef void (*ngx_media_hook_writer_pt)(ngx_media_text_t *text,
    const ngx_media_hook_t *hook);

static const ngx_media_hook_writer_pt
    ngx_media_hook_writers[NGX_MEDIA_HOOK_FORMATS] =
{
    ngx_media_hook_json,
    ngx_media_hook_form,
    ngx_media_hook_srs,
    ngx_media_hook_mediamtx
};


static const char  ngx_media_hook_hex[] = "0123456789abcdef";


ngx_uint_t
ngx_media_hook_known(ngx_media_hook_format_e format,
    ngx_media_hook_event_e event)
{
    switch (format) {

    case NGX_MEDIA_HOOK_SRS:
        return event != NGX_MEDIA_HOOK_UPDATE;

    case NGX_MEDIA_HOOK_MEDIAMTX:
        return ngx_media_hook_asks(event);

    default:
        return 1;
    }
}


const char *
ngx_media_hook_format_name(ngx_uint_t format)
{
    return ngx_media_hook_formats[format];
}


const ngx_str_t *
ngx_media_hook_type(ngx_media_hook_format_e format)
{
    static const ngx_str_t  json = ngx_string("application/json");
    static const ngx_str_t  form =
                              ngx_string("application/x-www-form-urlencoded");

    return (format == NGX_MEDIA_HOOK_FORM) ? &form : &json;
}


void
ngx_media_hook_write(ngx_media_text_t *text, ngx_media_hook_format_e format,
    const ngx_media_hook_t *hook)
{
    ngx_media_hook_writers[format](text, hook);
}


void
ngx_media_hook_id(ngx_media_text_t *text, uint64_t id)
{
    ngx_uint_t  shift;

    for (shift = 60; shift && (id >> shift) == 0; shift -= 4) { /* void */ }

    for ( ;; ) {
        ngx_media_text_data(text, &ngx_media_hook_hex[id >> shift & 15], 1);

        if (shift == 0) {
            return;
        }

        shift -= 4;
    }
}


static void
ngx_media_hook_json(ngx_media_text_t *text, const ngx_media_hook_t *hook)
{
    ngx_str_t  reason;

    ngx_media_text_cstr(text, "{\"event\":\"");
    ngx_media_text_str(text, &ngx_media_hook_events[hook->event]);

    if (hook->event == NGX_MEDIA_HOOK_UPDATE) {
        ngx_media_text_cstr(text, "\",\"action\":\"");
        ngx_media_text_str(text, &ngx_media_hook_events[hook->playing
                                                 ? NGX_MEDIA_HOOK_PLAY
                                                 : NGX_MEDIA_HOOK_PUBLISH]);
        ngx_media_text_cstr(text, "\",\"time\":");
        ngx_media_text_i64(text, hook->time);

    } else {
        ngx_media_text_cstr(text, "\"");
    }

    ngx_media_text_cstr(text, ",\"id\":\"");
    ngx_media_hook_id(text, hook->id);
    ngx_media_text_cstr(text, "\"");

    ngx_media_hook_member(text, "app", &hook->app);
    ngx_media_hook_member(text, "stream", &hook->stream);
    ngx_media_hook_member(text, "protocol", &hook->protocol);
    ngx_media_hook_member(text, "ip", &hook->address);
    ngx_media_hook_member(text, "args", &hook->args);
    ngx_media_hook_member(text, "agent", &hook->agent);

    if (hook->reason) {
        reason.data = (u_char *) hook->reason;
        reason.len = ngx_strlen(hook->reason);

        ngx_media_hook_member(text, "reason", &reason);

    } else {
        ngx_media_text_cstr(text, ",\"reason\":null");
    }

    ngx_media_text_cstr(text, "}");
}


static void
ngx_media_hook_form(ngx_media_text_t *text, const ngx_media_hook_t *hook)
{
    ngx_media_hook_field(text, "app=", &hook->app);
    ngx_media_hook_field(text, "&flashver=", &hook->agent);
    ngx_media_hook_field(text, "&swfurl=", &hook->swf);
    ngx_media_hook_field(text, "&tcurl=", &hook->url);
    ngx_media_hook_field(text, "&pageurl=", &hook->page);
    ngx_media_hook_field(text, "&addr=", &hook->address);

    ngx_media_text_cstr(text, "&clientid=");
    ngx_media_text_u64(text, hook->id);

    ngx_media_hook_field(text, "&call=", hook->call.len
                         ? &hook->call : &ngx_media_hook_events[hook->event]);

    if (hook->event == NGX_MEDIA_HOOK_UPDATE) {

        if (hook->call.len == 0) {
            ngx_media_text_cstr(text, "_");
            ngx_media_text_str(text, &ngx_media_hook_events[hook->playing
                                                     ? NGX_MEDIA_HOOK_PLAY
                                                     : NGX_MEDIA_HOOK_PUBLISH]);
        }

        ngx_media_text_cstr(text, "&time=");
        ngx_media_text_i64(text, hook->time);
        ngx_media_text_cstr(text, "&timestamp=");
        ngx_media_text_u64(text, hook->timestamp);
    }

    ngx_media_hook_field(text, "&name=", &hook->stream);

    if (hook->event == NGX_MEDIA_HOOK_PUBLISH) {
        ngx_media_text_cstr(text, "&type=live");

    } else if (hook->event == NGX_MEDIA_HOOK_PLAY) {
        ngx_media_text_cstr(text, "&start=0&duration=0&reset=0");
    }

    ngx_media_hook_form_args(text, &hook->args);
}


/* a form may also stand in a request line, where some bytes must not */

static void
ngx_media_hook_form_args(ngx_media_text_t *text, const ngx_str_t *args)
{
    const u_char  *p, *end, *last;

    p = args->data;
    last = p + args->len;

    for ( /* void */ ; p < last; p = end + 1) {
        end = memchr(p, '&', last - p);
        end = end ? end : last;

        if (end == p || ngx_media_hook_own(p, end)) {
            continue;
        }

        ngx_media_text_cstr(text, "&");

        for ( /* void */ ; p < end; p++) {
            ngx_media_hook_byte(text, *p, *p > ' ' && *p < 0x7f && *p != '#');
        }
    }
}


/*
 * Is it called like a field, to any who reads forms?  PHP drops blanks before a
 * name, and takes what stands before "[" or a zero; others do not look at case,
 * or take ";" for "&".
 */

static ngx_uint_t
ngx_media_hook_own(const u_char *pos, const u_char *last)
{
    const u_char  *end;

    for ( /* void */ ; pos < last; pos = end + 1) {
        end = memchr(pos, ';', last - pos);
        end = end ? end : last;

        if (ngx_media_hook_own_name(pos, end)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_media_hook_own_name(const u_char *pos, const u_char *last)
{
    u_char       c, key[NGX_MEDIA_HOOK_KEY];
    size_t       len;
    ngx_uint_t   i;

    len = 0;

    while (pos < last && *pos != '=') {
        pos = ngx_media_hook_decode(pos, last, &c);

        if (c == '\0' || c == '[') {
            break;
        }

        if (c <= ' ' && len == 0) {
            continue;
        }

        if (len == NGX_MEDIA_HOOK_KEY) {
            return 0;
        }

        key[len++] = ngx_tolower(c);
    }

    while (len && key[len - 1] <= ' ') {
        len--;
    }

    for (i = 0; ngx_media_hook_fields[i]; i++) {
        if (ngx_strlen(ngx_media_hook_fields[i]) == len
            && ngx_memcmp(ngx_media_hook_fields[i], key, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_media_hook_srs(ngx_media_text_t *text, const ngx_media_hook_t *hook)
{
    ngx_str_t  action;

    action.data = (u_char *) ngx_media_hook_actions[hook->event];
    action.len = ngx_strlen(ngx_media_hook_actions[hook->event]);

    ngx_media_text_cstr(text, "{\"server_id\":\"");
    ngx_media_text_json(text, &hook->server);
    ngx_media_text_cstr(text, "\",\"service_id\":\"");
    ngx_media_text_json(text, &hook->server);
    ngx_media_text_cstr(text, "\"");

    ngx_media_hook_member(text, "action", &action);

    ngx_media_text_cstr(text, ",\"client_id\":\"");
    ngx_media_hook_id(text, hook->id);
    ngx_media_text_cstr(text, "\"");

    ngx_media_hook_member(text, "ip", &hook->address);
    ngx_media_text_cstr(text, ",\"vhost\":\"__defaultVhost__\"");
    ngx_media_hook_member(text, "app", &hook->app);
    ngx_media_hook_member(text, "tcUrl", &hook->url);

    if (hook->event == NGX_MEDIA_HOOK_PLAY) {
        ngx_media_hook_member(text, "pageUrl", &hook->page);
    }

    ngx_media_hook_member(text, "stream", &hook->stream);

    ngx_media_text_cstr(text, ",\"param\":\"");

    if (hook->args.len) {
        ngx_media_text_cstr(text, "?");
        ngx_media_text_json(text, &hook->args);
    }

    ngx_media_text_cstr(text, "\",\"stream_url\":\"/");
    ngx_media_text_json(text, &hook->app);
    ngx_media_text_cstr(text, "/");
    ngx_media_text_json(text, &hook->stream);
    ngx_media_text_cstr(text, "\",\"stream_id\":\"");
    ngx_media_text_json(text, &hook->app);
    ngx_media_text_cstr(text, "/");
    ngx_media_text_json(text, &hook->stream);
    ngx_media_text_cstr(text, "\"}");
}


static void
ngx_media_hook_mediamtx(ngx_media_text_t *text, const ngx_media_hook_t *hook)
{
    ngx_uint_t  i;
    ngx_str_t   action;
    uint64_t    id;

    if (hook->event == NGX_MEDIA_HOOK_PUBLISH) {
        ngx_str_set(&action, "publish");

    } else {
        ngx_str_set(&action, "read");
    }

    ngx_media_text_cstr(text, "{\"ip\":\"");
    ngx_media_text_json(text, &hook->address);
    ngx_media_text_cstr(text, "\"");

    ngx_media_hook_argument(text, ",\"user\":\"", &hook->args, "user");
    ngx_media_hook_argument(text, ",\"password\":\"", &hook->args, "pass");

    ngx_media_text_cstr(text, ",\"token\":\"\"");
    ngx_media_hook_member(text, "action", &action);

    ngx_media_text_cstr(text, ",\"path\":\"");
    ngx_media_text_json(text, &hook->app);
    ngx_media_text_cstr(text, "/");
    ngx_media_text_json(text, &hook->stream);
    ngx_media_text_cstr(text, "\"");

    ngx_media_hook_member(text, "protocol", &hook->protocol);

    /* RFC 9562, 5.4, whose random bits are not: 12 of the id, and 48 */

    id = hook->id;

    ngx_media_text_cstr(text, ",\"id\":\"00000000-0000-4");

    for (i = 0; i < 15; i++) {

        if (i == 3) {
            ngx_media_text_cstr(text, "-8000-");
        }

        ngx_media_text_data(text, &ngx_media_hook_hex[id >> (56 - 4 * i) & 15],
                            1);
    }

    ngx_media_text_cstr(text, "\"");
    ngx_media_hook_member(text, "query", &hook->args);
    ngx_media_text_cstr(text, "}");
}


static void
ngx_media_hook_member(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value)
{
    ngx_media_text_cstr(text, ",\"");
    ngx_media_text_data(text, name, ngx_strlen(name));
    ngx_media_text_cstr(text, "\":\"");
    ngx_media_text_json(text, value);
    ngx_media_text_cstr(text, "\"");
}


/* all but what RFC 3986, 2.3, calls unreserved is encoded */

static void
ngx_media_hook_field(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value)
{
    u_char  c;
    size_t  i;

    ngx_media_text_data(text, name, ngx_strlen(name));

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        ngx_media_hook_byte(text, c, (c >= '0' && c <= '9')
                                     || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
                                     || c == '-' || c == '.' || c == '_'
                                     || c == '~');
    }
}


static void
ngx_media_hook_byte(ngx_media_text_t *text, u_char c, ngx_uint_t plain)
{
    u_char  code[3];

    if (plain) {
        ngx_media_text_data(text, &c, 1);
        return;
    }

    code[0] = '%';
    code[1] = ngx_toupper(ngx_media_hook_hex[c >> 4]);
    code[2] = ngx_toupper(ngx_media_hook_hex[c & 15]);

    ngx_media_text_data(text, code, 3);
}


/* a JSON string of an argument, decoded; closes its quotes */

static void
ngx_media_hook_argument(ngx_media_text_t *text, const char *name,
    const ngx_str_t *args, const char *arg)
{
    u_char         buf[256];
    size_t         len;
    ngx_str_t      value;
    const u_char  *p, *end, *last;

    ngx_media_text_data(text, name, ngx_strlen(name));

    len = ngx_strlen(arg);
    value.len = 0;
    value.data = buf;

    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {
        end = memchr(p, '&', last - p);
        end = end ? end : last;

        if ((size_t) (end - p) <= len || p[len] != '='
            || ngx_memcmp(p, arg, len) != 0)
        {
            continue;
        }

        for (p += len + 1; p < end && value.len < sizeof(buf); /* void */ ) {
            p = ngx_media_hook_decode(p, end, &buf[value.len++]);
        }

        /* half of a password is another one */

        if (p < end) {
            value.len = 0;
        }

        break;
    }

    ngx_media_text_json(text, &value);
    ngx_media_text_cstr(text, "\"");
}


/* one character of "a+b%20c"; what is no code stands for itself */

static const u_char *
ngx_media_hook_decode(const u_char *pos, const u_char *last, u_char *c)
{
    ngx_int_t  high, low;

    if (*pos == '%' && last - pos > 2) {
        high = ngx_media_hook_digit(pos[1]);
        low = ngx_media_hook_digit(pos[2]);

        if (high >= 0 && low >= 0) {
            *c = (u_char) (high << 4 | low);
            return pos + 3;
        }
    }

    *c = (*pos == '+') ? ' ' : *pos;

    return pos + 1;
}


static ngx_int_t
ngx_media_hook_digit(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}
