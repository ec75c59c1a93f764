
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A sample is a length, the text, in UTF-8 or in UTF-16 behind a byte order
 * mark, and boxes, of which "styl" has the styles of runs of characters.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_tx3g.h"


#define NGX_MEDIA_TX3G_STYLE_SIZE  12

/* face-style-flags, 5.17.1.1 */
#define NGX_MEDIA_TX3G_BOLD        1
#define NGX_MEDIA_TX3G_ITALIC      2
#define NGX_MEDIA_TX3G_UNDERLINE   4


typedef struct {
    ngx_media_text_t         *text;
    ngx_media_span_t          styles;         /* entries not yet passed */
    ngx_uint_t                face;           /* tags that are open */
    ngx_uint_t                dashes;
    ngx_uint_t                breaks;
    ngx_uint_t                any;
} ngx_media_tx3g_out_t;


static void ngx_media_tx3g_styles(ngx_media_span_t *styles,
    const u_char *pos, const u_char *last);
static uint32_t ngx_media_tx3g_char(const u_char **pos, const u_char *last,
    ngx_uint_t utf16);
static ngx_uint_t ngx_media_tx3g_face(ngx_media_tx3g_out_t *out, uint32_t n);
static void ngx_media_tx3g_tags(ngx_media_tx3g_out_t *out, ngx_uint_t face);
static void ngx_media_tx3g_put(ngx_media_tx3g_out_t *out, uint32_t ch,
    ngx_uint_t face);


static const struct {
    ngx_uint_t   flag;
    u_char       letter;
} ngx_media_tx3g_faces[] = {
    { NGX_MEDIA_TX3G_BOLD, 'b' },
    { NGX_MEDIA_TX3G_ITALIC, 'i' },
    { NGX_MEDIA_TX3G_UNDERLINE, 'u' }
};

#define NGX_MEDIA_TX3G_FACES                                                  \
    (sizeof(ngx_media_tx3g_faces) / sizeof(ngx_media_tx3g_faces[0]))


ngx_uint_t
ngx_media_tx3g_empty(const u_char *pos, const u_char *last)
{
    return last - pos < 3 || ngx_media_get_be16(pos) == 0;
}


void
ngx_media_tx3g_text(ngx_media_text_t *text, const u_char *pos,
    const u_char *last)
{
    size_t                 len;
    uint32_t               ch, n;
    ngx_uint_t             utf16;
    const u_char          *end;
    ngx_media_tx3g_out_t   out;

    if (ngx_media_tx3g_empty(pos, last)) {
        return;
    }

    len = ngx_media_get_be16(pos);
    pos += 2;

    len = ngx_min(len, (size_t) (last - pos));
    end = pos + len;

    ngx_memzero(&out, sizeof(ngx_media_tx3g_out_t));

    out.text = text;
    ngx_media_tx3g_styles(&out.styles, end, last);

    utf16 = 0;

    if (len >= 2 && ngx_media_get_be16(pos) == 0xfeff) {
        utf16 = 1;
        pos += 2;
    }

    for (n = 0; pos < end; n++) {
        ch = ngx_media_tx3g_char(&pos, end, utf16);
        ngx_media_tx3g_put(&out, ch, ngx_media_tx3g_face(&out, n));
    }

    ngx_media_tx3g_tags(&out, 0);
}


/* the entries of the first StyleBox, 5.17.1.1 */

static void
ngx_media_tx3g_styles(ngx_media_span_t *styles, const u_char *pos,
    const u_char *last)
{
    size_t  count, size;

    styles->pos = last;
    styles->last = last;

    while (last - pos >= 8) {
        size = ngx_media_get_be32(pos);

        if (size < 8 || (size_t) (last - pos) < size) {
            return;
        }

        if (ngx_media_get_be32(pos + 4) == ngx_media_fourcc('s', 't', 'y',
                                                            'l')
            && size >= 10)
        {
            count = ngx_media_get_be16(pos + 8);
            count = ngx_min(count, (size - 10) / NGX_MEDIA_TX3G_STYLE_SIZE);

            styles->pos = pos + 10;
            styles->last = styles->pos + count * NGX_MEDIA_TX3G_STYLE_SIZE;
            return;
        }

        pos += size;
    }
}


/* big endian, as the mark said */

static uint32_t
ngx_media_tx3g_char(const u_char **pos, const u_char *last, ngx_uint_t utf16)
{
    uint32_t       ch, low;
    const u_char  *p;

    if (!utf16) {
        return ngx_media_text_utf8(pos, last);
    }

    p = *pos;

    if (last - p < 2) {
        *pos = last;
        return 0xfffd;
    }

    ch = ngx_media_get_be16(p);
    p += 2;

    if (ch >= 0xd800 && ch <= 0xdbff && last - p >= 2) {
        low = ngx_media_get_be16(p);

        if (low >= 0xdc00 && low <= 0xdfff) {
            ch = 0x10000 + ((ch - 0xd800) << 10) + (low - 0xdc00);
            p += 2;
        }
    }

    *pos = p;

    return ch;
}


/* the style of character n; entries are in order and do not overlap */

static ngx_uint_t
ngx_media_tx3g_face(ngx_media_tx3g_out_t *out, uint32_t n)
{
    const u_char  *p;

    for (p = out->styles.pos;
         p < out->styles.last && ngx_media_get_be16(p + 2) <= n;
         p += NGX_MEDIA_TX3G_STYLE_SIZE)
    {
        /* void */
    }

    out->styles.pos = p;

    if (p == out->styles.last || ngx_media_get_be16(p) > n) {
        return 0;
    }

    return p[6] & (NGX_MEDIA_TX3G_BOLD | NGX_MEDIA_TX3G_ITALIC
                   | NGX_MEDIA_TX3G_UNDERLINE);
}


/* closes what is open in reverse order, and opens these */

static void
ngx_media_tx3g_tags(ngx_media_tx3g_out_t *out, ngx_uint_t face)
{
    ngx_uint_t  i;

    if (face == out->face) {
        return;
    }

    for (i = NGX_MEDIA_TX3G_FACES; i > 0; i--) {
        if (out->face & ngx_media_tx3g_faces[i - 1].flag) {
            ngx_media_text_cstr(out->text, "</");
            ngx_media_text_char(out->text,
                                ngx_media_tx3g_faces[i - 1].letter);
            ngx_media_text_cstr(out->text, ">");
        }
    }

    for (i = 0; i < NGX_MEDIA_TX3G_FACES; i++) {
        if (face & ngx_media_tx3g_faces[i].flag) {
            ngx_media_text_cstr(out->text, "<");
            ngx_media_text_char(out->text, ngx_media_tx3g_faces[i].letter);
            ngx_media_text_cstr(out->text, ">");
        }
    }

    out->face = face;
    out->dashes = 0;
}


/*
 * A character, escaped.  Blank lines are left out, they would end the cue,
 * and white space at the beginning of lines, which is not shown.
 */

static void
ngx_media_tx3g_put(ngx_media_tx3g_out_t *out, uint32_t ch, ngx_uint_t face)
{
    /* U+2028, U+2029: line and paragraph separators */

    if (ch == '\n' || ch == '\r' || ch == 0x2028 || ch == 0x2029) {
        out->breaks = out->any;
        return;
    }

    if ((ch < 0x20 && ch != '\t') || (ch >= 0x7f && ch < 0xa0)
        || ch == 0xfeff
        || ((ch == ' ' || ch == '\t') && (out->breaks || !out->any)))
    {
        return;
    }

    if (out->breaks) {
        ngx_media_text_cstr(out->text, "\n");
        out->breaks = 0;
        out->dashes = 0;
    }

    ngx_media_tx3g_tags(out, face);
    out->any = 1;

    switch (ch) {

    case '&':
        ngx_media_text_cstr(out->text, "&amp;");
        break;

    case '<':
        ngx_media_text_cstr(out->text, "&lt;");
        break;

    case '>':

        if (out->dashes >= 2) {
            ngx_media_text_cstr(out->text, "&gt;");
            break;
        }

        /* fall through */

    default:
        ngx_media_text_char(out->text, ch);
    }

    out->dashes = (ch == '-') ? out->dashes + 1 : 0;
}
