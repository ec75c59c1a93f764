
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Writers.  Whatever a cue's text is, what is written of it has neither a
 * blank line nor "-->" in it, so it cannot end its cue and begin another; of
 * characters only those that text may have are left.
 */


#include "formats/ngx_media_tx3g.h"
#include "formats/ngx_media_webvtt.h"


/* the longest character reference that is one: "&#x10ffff;" */
#define NGX_MEDIA_WEBVTT_ENTITY  10


typedef struct {
    ngx_media_text_t         *text;
    ngx_uint_t                dashes;         /* written just before */
    ngx_uint_t                breaks;         /* a line end is pending */
    ngx_uint_t                any;            /* something is in this cue */
} ngx_media_webvtt_out_t;


static void ngx_media_webvtt_cue(ngx_media_text_t *text,
    const ngx_media_webvtt_t *view, const ngx_media_cue_t *cue);
static ngx_uint_t ngx_media_webvtt_void(const ngx_media_span_t *line);
static void ngx_media_webvtt_put_time(ngx_media_text_t *text, int64_t msec);
static void ngx_media_webvtt_put_two(ngx_media_text_t *text, uint64_t value);
static void ngx_media_webvtt_put(ngx_media_webvtt_out_t *out, uint32_t ch);
static void ngx_media_webvtt_clean(ngx_media_webvtt_out_t *out,
    const u_char *pos, const u_char *last);
static void ngx_media_webvtt_srt(ngx_media_webvtt_out_t *out,
    const u_char *pos, const u_char *last);
static const u_char *ngx_media_webvtt_srt_tag(ngx_media_webvtt_out_t *out,
    const u_char *pos, const u_char *last);
static ngx_uint_t ngx_media_webvtt_entity(const u_char *pos,
    const u_char *last);
static const u_char *ngx_media_webvtt_find(const u_char *pos,
    const u_char *last, u_char ch);


size_t
ngx_media_webvtt_write(u_char *p, size_t size, const ngx_media_webvtt_t *view)
{
    ngx_uint_t              i;
    ngx_media_text_t        text;
    const ngx_media_cue_t  *cue;

    ngx_media_text_init(&text, p, size);

    ngx_media_text_cstr(&text, "WEBVTT\n");

    /* RFC 8216bis, 3.1.4 */

    if (view->map) {
        ngx_media_text_cstr(&text, "X-TIMESTAMP-MAP=MPEGTS:");
        ngx_media_text_u64(&text, view->mpegts & 0x1ffffffff);
        ngx_media_text_cstr(&text, ",LOCAL:");
        ngx_media_webvtt_put_time(&text, view->local);
        ngx_media_text_cstr(&text, "\n");
    }

    ngx_media_text_cstr(&text, "\n");

    for (i = 0; i < view->ncues; i++) {
        cue = &view->cues[i];

        if (cue->kind == NGX_MEDIA_CUE
            && (cue->start >= view->end || cue->end <= view->start))
        {
            continue;
        }

        ngx_media_webvtt_cue(&text, view, cue);
    }

    return text.total;
}


static void
ngx_media_webvtt_cue(ngx_media_text_t *text, const ngx_media_webvtt_t *view,
    const ngx_media_cue_t *cue)
{
    if (cue->kind == NGX_MEDIA_CUE) {

        if (!ngx_media_webvtt_void(&cue->id)) {
            ngx_media_webvtt_line(text, &cue->id);
            ngx_media_text_cstr(text, "\n");
        }

        ngx_media_webvtt_put_time(text, cue->start + view->shift);
        ngx_media_text_cstr(text, " --> ");
        ngx_media_webvtt_put_time(text, cue->end + view->shift);
        ngx_media_webvtt_settings(text, cue);
        ngx_media_text_cstr(text, "\n");
    }

    ngx_media_webvtt_text(text, cue);
    ngx_media_text_cstr(text, "\n\n");
}


/* W3C WebVTT, 4.1: hours have two digits or more */

static void
ngx_media_webvtt_put_time(ngx_media_text_t *text, int64_t msec)
{
    uint64_t  hours;

    if (msec < 0) {
        msec = 0;
    }

    hours = (uint64_t) msec / 3600000;
    msec %= 3600000;

    ngx_media_webvtt_put_two(text, hours);
    ngx_media_text_cstr(text, ":");
    ngx_media_webvtt_put_two(text, (uint64_t) msec / 60000);
    ngx_media_text_cstr(text, ":");

    msec %= 60000;

    if (msec < 10000) {
        ngx_media_text_cstr(text, "0");
    }

    ngx_media_text_decimal(text, (uint64_t) msec, 1000, 3,
                           NGX_MEDIA_TEXT_DOWN);
}


static void
ngx_media_webvtt_put_two(ngx_media_text_t *text, uint64_t value)
{
    if (value < 10) {
        ngx_media_text_cstr(text, "0");
    }

    ngx_media_text_u64(text, value);
}


void
ngx_media_webvtt_text(ngx_media_text_t *text, const ngx_media_cue_t *cue)
{
    ngx_media_webvtt_out_t  out;

    switch (cue->form) {

    case NGX_MEDIA_CUE_TX3G:
        ngx_media_tx3g_text(text, cue->text.pos, cue->text.last);
        return;

    case NGX_MEDIA_CUE_SRT:
        ngx_memzero(&out, sizeof(ngx_media_webvtt_out_t));
        out.text = text;

        ngx_media_webvtt_srt(&out, cue->text.pos, cue->text.last);
        return;

    default:
        ngx_memzero(&out, sizeof(ngx_media_webvtt_out_t));
        out.text = text;

        ngx_media_webvtt_clean(&out, cue->text.pos, cue->text.last);
    }
}


/*
 * SubRip's "{\an8}", where a cue is to stand on a numeric keypad; 2, the
 * middle of the bottom, needs no words
 */

void
ngx_media_webvtt_settings(ngx_media_text_t *text, const ngx_media_cue_t *cue)
{
    u_char         n;
    const u_char  *p;

    static const u_char  an[] = { '{', '\\', 'a', 'n' };

    if (cue->form == NGX_MEDIA_CUE_VTT) {

        if (!ngx_media_webvtt_void(&cue->settings)) {
            ngx_media_text_cstr(text, " ");
            ngx_media_webvtt_line(text, &cue->settings);
        }

        return;
    }

    p = cue->text.pos;

    if (cue->form != NGX_MEDIA_CUE_SRT
        || ngx_media_span_len(&cue->text) < sizeof(an) + 2
        || ngx_memcmp(p, an, sizeof(an)) != 0)
    {
        return;
    }

    n = p[sizeof(an)];

    if (n < '1' || n > '9' || p[sizeof(an) + 1] != '}') {
        return;
    }

    n -= '1';

    if (n / 3 == 1) {
        ngx_media_text_cstr(text, " line:50%");

    } else if (n / 3 == 2) {
        ngx_media_text_cstr(text, " line:0");
    }

    if (n % 3 == 0) {
        ngx_media_text_cstr(text, " align:start");

    } else if (n % 3 == 2) {
        ngx_media_text_cstr(text, " align:end");
    }
}


/* whether nothing is left of a line */

static ngx_uint_t
ngx_media_webvtt_void(const ngx_media_span_t *line)
{
    ngx_media_text_t  text;

    ngx_media_text_init(&text, NULL, 0);
    ngx_media_webvtt_line(&text, line);

    return text.total == 0;
}


void
ngx_media_webvtt_line(ngx_media_text_t *text, const ngx_media_span_t *line)
{
    uint32_t                 ch;
    const u_char            *p;
    ngx_media_webvtt_out_t   out;

    ngx_memzero(&out, sizeof(ngx_media_webvtt_out_t));
    out.text = text;

    for (p = line->pos; p < line->last; /* void */ ) {
        ch = ngx_media_text_utf8(&p, line->last);
        ngx_media_webvtt_put(&out, (ch == '\n' || ch == '\r') ? ' ' : ch);
    }
}


/* one character of a cue */

static void
ngx_media_webvtt_put(ngx_media_webvtt_out_t *out, uint32_t ch)
{
    if (ch == '\n' || ch == '\r') {
        out->breaks = out->any;
        out->dashes = 0;
        return;
    }

    if ((ch < 0x20 && ch != '\t') || (ch >= 0x7f && ch < 0xa0)) {
        return;
    }

    /* lines are shown without white space at their beginning */

    if ((ch == ' ' || ch == '\t') && (out->breaks || !out->any)) {
        return;
    }

    if (out->breaks) {
        ngx_media_text_cstr(out->text, "\n");
        out->breaks = 0;
    }

    out->any = 1;

    if (ch == '>' && out->dashes >= 2) {
        ngx_media_text_cstr(out->text, "&gt;");
        out->dashes = 0;
        return;
    }

    out->dashes = (ch == '-') ? out->dashes + 1 : 0;

    ngx_media_text_char(out->text, ch);
}


static void
ngx_media_webvtt_clean(ngx_media_webvtt_out_t *out, const u_char *pos,
    const u_char *last)
{
    while (pos < last) {
        ngx_media_webvtt_put(out, ngx_media_text_utf8(&pos, last));
    }
}


/*
 * SubRip's text has <b>, <i>, <u> in common with WebVTT; <font> and what is in
 * braces behind a backslash is dropped, and the rest is text
 */

static void
ngx_media_webvtt_srt(ngx_media_webvtt_out_t *out, const u_char *pos,
    const u_char *last)
{
    const u_char  *end;

    static const u_char  lt[] = "&lt;";
    static const u_char  amp[] = "&amp;";

    while (pos < last) {

        switch (*pos) {

        case '<':
            end = ngx_media_webvtt_srt_tag(out, pos, last);

            if (end == NULL) {
                ngx_media_webvtt_clean(out, lt, lt + sizeof(lt) - 1);
                end = pos + 1;
            }

            pos = end;
            break;

        case '{':
            end = NULL;

            if (last - pos >= 2 && pos[1] == '\\') {
                end = ngx_media_webvtt_find(pos, last, '}');
            }

            if (end == NULL) {
                ngx_media_webvtt_put(out, '{');
                end = pos + 1;
            }

            pos = end;
            break;

        case '&':

            if (ngx_media_webvtt_entity(pos, last)) {
                ngx_media_webvtt_put(out, '&');

            } else {
                ngx_media_webvtt_clean(out, amp, amp + sizeof(amp) - 1);
            }

            pos++;
            break;

        default:
            ngx_media_webvtt_put(out, ngx_media_text_utf8(&pos, last));
        }
    }
}


/* returns where the tag ends; NULL: it is none */

static const u_char *
ngx_media_webvtt_srt_tag(ngx_media_webvtt_out_t *out, const u_char *pos,
    const u_char *last)
{
    u_char         ch;
    size_t         i;
    ngx_uint_t     close;
    const u_char  *p;

    static const u_char  font[] = { 'f', 'o', 'n', 't' };

    p = pos + 1;
    close = (p < last && *p == '/');
    p += close;

    if (last - p < 2) {
        return NULL;
    }

    ch = *p | 0x20;

    if (p[1] == '>' && (ch == 'b' || ch == 'i' || ch == 'u')) {
        ngx_media_webvtt_put(out, '<');

        if (close) {
            ngx_media_webvtt_put(out, '/');
        }

        ngx_media_webvtt_put(out, ch);
        ngx_media_webvtt_put(out, '>');

        return p + 2;
    }

    for (i = 0; i < sizeof(font); i++) {
        if (p + i == last || (p[i] | 0x20) != font[i]) {
            return NULL;
        }
    }

    return ngx_media_webvtt_find(p, last, '>');
}


/* whether a character reference begins here, W3C WebVTT, 6.4 */

static ngx_uint_t
ngx_media_webvtt_entity(const u_char *pos, const u_char *last)
{
    const u_char  *p;

    if (last - pos > NGX_MEDIA_WEBVTT_ENTITY) {
        last = pos + NGX_MEDIA_WEBVTT_ENTITY;
    }

    for (p = pos + 1; p < last; p++) {

        if (*p == ';') {
            return p - pos > 2;
        }

        if (*p == '#' && p == pos + 1) {
            continue;
        }

        if ((*p | 0x20) < 'a' || (*p | 0x20) > 'z') {
            if (*p < '0' || *p > '9') {
                return 0;
            }
        }
    }

    return 0;
}


/* behind the first such character of this line */

static const u_char *
ngx_media_webvtt_find(const u_char *pos, const u_char *last, u_char ch)
{
    while (pos < last && *pos != '\n' && *pos != '\r') {
        if (*pos++ == ch) {
            return pos;
        }
    }

    return NULL;
}
