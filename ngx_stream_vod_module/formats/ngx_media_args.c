
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is read is what formats/ has written: lines of RFC 8216bis, 4.1, with
 * attribute lists, 4.2; elements of ISO/IEC 23009-1 whose attributes are in
 * double quotes; cues with a URI each.  Whatever is not as it should be is
 * copied.
 */


#include "formats/ngx_media_args.h"
#include "formats/ngx_media_text.h"


typedef struct {
    ngx_media_text_t          out;
    const ngx_str_t          *args;
    ngx_uint_t                xml;
} ngx_media_args_t;


/* where a manifest has URIs */

typedef struct {
    ngx_str_t                 element;
    ngx_str_t                 attribute;
} ngx_media_args_place_t;


static void ngx_media_args_m3u8(ngx_media_args_t *a, const u_char *pos,
    const u_char *last);
static void ngx_media_args_tag(ngx_media_args_t *a, const u_char *pos,
    const u_char *last);
static void ngx_media_args_mpd(ngx_media_args_t *a, const u_char *pos,
    const u_char *last);
static const u_char *ngx_media_args_element(ngx_media_args_t *a,
    const u_char *pos, const u_char *last);
static ngx_uint_t ngx_media_args_is_place(const u_char *element, size_t len,
    const u_char *attribute, size_t attribute_len);
static void ngx_media_args_vtt(ngx_media_args_t *a, const u_char *pos,
    const u_char *last);
static void ngx_media_args_uri(ngx_media_args_t *a, const u_char *pos,
    const u_char *last);
static ngx_uint_t ngx_media_args_relative(const u_char *pos,
    const u_char *last);
static void ngx_media_args_copy(ngx_media_args_t *a, const u_char *pos,
    const u_char *last);
static const u_char *ngx_media_args_find(const u_char *pos,
    const u_char *last, u_char ch);
static ngx_uint_t ngx_media_args_hex(u_char ch);


static const ngx_media_args_place_t  ngx_media_args_places[] = {
    { ngx_string("SegmentTemplate"), ngx_string("media") },
    { ngx_string("SegmentTemplate"), ngx_string("initialization") },
    { ngx_string("SegmentURL"), ngx_string("media") },
    { ngx_string("Initialization"), ngx_string("sourceURL") },
    { ngx_string("UTCTiming"), ngx_string("value") },
    { ngx_null_string, ngx_null_string }
};


/* RFC 3986, 3.4, without "'" and "$", which are special to somebody */

ngx_uint_t
ngx_media_args_safe(const u_char *pos, const u_char *last)
{
    static const char  others[] = "-._~!()*+,;=:@/?";

    for ( /* void */ ; pos < last; pos++) {

        if ((*pos >= '0' && *pos <= '9')
            || ((*pos | 0x20) >= 'a' && (*pos | 0x20) <= 'z')
            || (*pos && memchr(others, *pos, sizeof(others) - 1)))
        {
            continue;
        }

        if (*pos != '%' || last - pos < 3 || !ngx_media_args_hex(pos[1])
            || !ngx_media_args_hex(pos[2]))
        {
            return 0;
        }

        pos += 2;
    }

    return 1;
}


static ngx_uint_t
ngx_media_args_hex(u_char ch)
{
    return (ch >= '0' && ch <= '9')
           || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f');
}


size_t
ngx_media_args_write(u_char *p, ngx_media_args_e form, const ngx_str_t *text,
    const ngx_str_t *args)
{
    const u_char      *pos, *last;
    ngx_media_args_t   a;

    ngx_media_text_init(&a.out, p, p ? NGX_MEDIA_TEXT_MEASURED : 0);

    a.args = args;
    a.xml = (form == NGX_MEDIA_ARGS_MPD);

    pos = text->data;
    last = text->data + text->len;

    switch (form) {

    case NGX_MEDIA_ARGS_M3U8:
        ngx_media_args_m3u8(&a, pos, last);
        break;

    case NGX_MEDIA_ARGS_MPD:
        ngx_media_args_mpd(&a, pos, last);
        break;

    default: /* NGX_MEDIA_ARGS_VTT */
        ngx_media_args_vtt(&a, pos, last);
    }

    return a.out.total;
}


static void
ngx_media_args_m3u8(ngx_media_args_t *a, const u_char *pos,
    const u_char *last)
{
    const u_char  *end;

    for ( /* void */ ; pos < last; pos = end) {
        end = ngx_media_args_find(pos, last, '\n');

        if (*pos == '#') {
            ngx_media_args_tag(a, pos, end);

        } else {
            ngx_media_args_uri(a, pos, end);
        }

        if (end < last) {
            ngx_media_args_copy(a, end, end + 1);
            end++;
        }
    }
}


/* "#EXT-X-NAME:A=1,URI="uri",B="2"": only #EXTINF has a text instead */

static void
ngx_media_args_tag(ngx_media_args_t *a, const u_char *pos,
    const u_char *last)
{
    const u_char  *p, *name, *value, *end;

    p = ngx_media_args_find(pos, last, ':');

    if ((size_t) (p - pos) < sizeof("#EXT-X-") - 1
        || ngx_memcmp(pos, "#EXT-X-", sizeof("#EXT-X-") - 1) != 0)
    {
        p = last;
    }

    for ( /* void */ ; p < last; p = end) {
        name = p + 1;
        value = ngx_media_args_find(name, last, '=');

        if (last - value < 2) {
            break;
        }

        value++;

        if (*value != '"') {
            end = ngx_media_args_find(value, last, ',');
            continue;
        }

        value++;
        end = ngx_media_args_find(value, last, '"');

        if (value - name == sizeof("URI=\"") - 1
            && ngx_memcmp(name, "URI=\"", sizeof("URI=\"") - 1) == 0)
        {
            ngx_media_args_copy(a, pos, value);
            ngx_media_args_uri(a, value, end);
            pos = end;
        }

        /* the comma that follows */

        end = ngx_media_args_find(end, last, ',');
    }

    ngx_media_args_copy(a, pos, last);
}


static void
ngx_media_args_mpd(ngx_media_args_t *a, const u_char *pos, const u_char *last)
{
    const u_char  *p;

    static const ngx_str_t  base = ngx_string("<BaseURL>");

    while (pos < last) {
        p = ngx_media_args_find(pos, last, '<');

        ngx_media_args_copy(a, pos, p);

        if ((size_t) (last - p) > base.len
            && ngx_memcmp(p, base.data, base.len) == 0)
        {
            p += base.len;
            pos = ngx_media_args_find(p, last, '<');

            ngx_media_args_copy(a, p - base.len, p);
            ngx_media_args_uri(a, p, pos);

        } else {
            pos = ngx_media_args_element(a, p, last);
        }
    }
}


/* <NAME A="1" B="2"...; the end of what is copied */

static const u_char *
ngx_media_args_element(ngx_media_args_t *a, const u_char *pos,
    const u_char *last)
{
    size_t         len;
    const u_char  *p, *name, *value, *end, *element;

    if (pos == last) {
        return last;
    }

    element = pos + 1;

    for (p = element; p < last && *p != ' ' && *p != '>'; p++) { /* void */ }

    len = p - element;

    while (p < last && *p == ' ') {
        name = p + 1;

        for (value = name; value < last && *value != '=' && *value != '>';
             value++)
        {
            /* void */
        }

        if (last - value < 3 || value[0] != '=' || value[1] != '"') {
            break;
        }

        end = ngx_media_args_find(value + 2, last, '"');

        if (end == last) {
            break;
        }

        if (ngx_media_args_is_place(element, len, name, value - name)) {
            ngx_media_args_copy(a, pos, value + 2);
            ngx_media_args_uri(a, value + 2, end);
            pos = end;
        }

        p = end + 1;
    }

    ngx_media_args_copy(a, pos, p);

    return p;
}


static ngx_uint_t
ngx_media_args_is_place(const u_char *element, size_t len,
    const u_char *attribute, size_t attribute_len)
{
    const ngx_media_args_place_t  *place;

    for (place = ngx_media_args_places; place->element.len; place++) {

        if (place->element.len == len
            && place->attribute.len == attribute_len
            && ngx_memcmp(place->element.data, element, len) == 0
            && ngx_memcmp(place->attribute.data, attribute, attribute_len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* the lines behind a line of times, up to an empty one */

static void
ngx_media_args_vtt(ngx_media_args_t *a, const u_char *pos, const u_char *last)
{
    ngx_uint_t     cue;
    const u_char  *p, *end;

    cue = 0;

    for ( /* void */ ; pos < last; pos = end) {
        end = ngx_media_args_find(pos, last, '\n');

        p = ngx_media_args_find(pos, end, '>');

        if (end == pos) {
            cue = 0;

        } else if (end - p > 0 && p - pos >= 2 && p[-1] == '-'
                   && p[-2] == '-')
        {
            cue = 1;
            ngx_media_args_copy(a, pos, end);

        } else if (cue) {
            ngx_media_args_uri(a, pos, end);

        } else {
            ngx_media_args_copy(a, pos, end);
        }

        if (end < last) {
            ngx_media_args_copy(a, end, end + 1);
            end++;
        }
    }
}


/* a fragment stays behind them */

static void
ngx_media_args_uri(ngx_media_args_t *a, const u_char *pos,
    const u_char *last)
{
    ngx_uint_t     i;
    const u_char  *fragment;

    if (!ngx_media_args_relative(pos, last)) {
        ngx_media_args_copy(a, pos, last);
        return;
    }

    fragment = ngx_media_args_find(pos, last, '#');

    ngx_media_args_copy(a, pos, fragment);

    if (ngx_media_args_find(pos, fragment, '?') == fragment) {
        ngx_media_text_cstr(&a->out, "?");

    } else if (a->xml) {
        ngx_media_text_cstr(&a->out, "&amp;");

    } else {
        ngx_media_text_cstr(&a->out, "&");
    }

    for (i = 0; i < a->args->len; i++) {

        if (a->args->data[i] == '&' && a->xml) {
            ngx_media_text_cstr(&a->out, "&amp;");

        } else {
            ngx_media_text_data(&a->out, &a->args->data[i], 1);
        }
    }

    ngx_media_args_copy(a, fragment, last);
}


/* RFC 3986, 4.2: neither a scheme nor an authority */

static ngx_uint_t
ngx_media_args_relative(const u_char *pos, const u_char *last)
{
    const u_char  *p;

    if (pos == last
        || (last - pos >= 2 && pos[0] == '/' && pos[1] == '/'))
    {
        return 0;
    }

    for (p = pos; p < last && *p != '/' && *p != '?' && *p != '#'; p++) {
        if (*p == ':') {
            return 0;
        }
    }

    return 1;
}


static void
ngx_media_args_copy(ngx_media_args_t *a, const u_char *pos,
    const u_char *last)
{
    ngx_media_text_data(&a->out, pos, last - pos);
}


/* the next of these bytes, or last */

static const u_char *
ngx_media_args_find(const u_char *pos, const u_char *last, u_char ch)
{
    const u_char  *p;

    p = (pos < last) ? memchr(pos, ch, last - pos) : NULL;

    return p ? p : last;
}
