
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_charset.h"
#include "formats/ngx_media_text.h"


static ngx_uint_t ngx_media_charset_valid(const u_char *pos,
    const u_char *last);
static void ngx_media_charset_utf16(ngx_media_text_t *text,
    const u_char *pos, const u_char *last, ngx_uint_t little);
static void ngx_media_charset_latin1(ngx_media_text_t *text,
    const u_char *pos, const u_char *last);


/* 80 to 9f of Windows-1252; 0: the control character of that number */

static const uint16_t  ngx_media_charset_1252[] = {
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
    0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178
};


ngx_media_charset_e
ngx_media_charset_detect(const u_char *pos, const u_char *last)
{
    if (last - pos >= 2) {

        if (pos[0] == 0xff && pos[1] == 0xfe) {
            return NGX_MEDIA_CHARSET_UTF16LE;
        }

        if (pos[0] == 0xfe && pos[1] == 0xff) {
            return NGX_MEDIA_CHARSET_UTF16BE;
        }

        if (last - pos >= 3 && pos[0] == 0xef && pos[1] == 0xbb
            && pos[2] == 0xbf)
        {
            return NGX_MEDIA_CHARSET_UTF8;
        }
    }

    return ngx_media_charset_valid(pos, last) ? NGX_MEDIA_CHARSET_UTF8
                                              : NGX_MEDIA_CHARSET_LATIN1;
}


/* U+FFFD itself is told from a malformed sequence by its bytes */

static ngx_uint_t
ngx_media_charset_valid(const u_char *pos, const u_char *last)
{
    const u_char  *start;

    while (pos < last) {

        if (*pos < 0x80) {
            pos++;
            continue;
        }

        start = pos;

        if (ngx_media_text_utf8(&pos, last) == 0xfffd
            && (pos - start != 3 || *start != 0xef))
        {
            return 0;
        }
    }

    return 1;
}


size_t
ngx_media_charset_utf8(u_char *p, const u_char *pos, const u_char *last)
{
    const u_char      *start;
    ngx_media_text_t   text;

    ngx_media_text_init(&text, p, p ? NGX_MEDIA_TEXT_MEASURED : 0);

    switch (ngx_media_charset_detect(pos, last)) {

    case NGX_MEDIA_CHARSET_UTF16LE:
        ngx_media_charset_utf16(&text, pos + 2, last, 1);
        break;

    case NGX_MEDIA_CHARSET_UTF16BE:
        ngx_media_charset_utf16(&text, pos + 2, last, 0);
        break;

    case NGX_MEDIA_CHARSET_LATIN1:
        ngx_media_charset_latin1(&text, pos, last);
        break;

    default:

        if (last - pos >= 3 && pos[0] == 0xef && pos[1] == 0xbb
            && pos[2] == 0xbf)
        {
            pos += 3;
        }

        /* behind a mark it may be malformed */

        while (pos < last) {
            start = pos;

            while (pos < last && *pos < 0x80) {
                pos++;
            }

            ngx_media_text_data(&text, start, pos - start);

            if (pos < last) {
                ngx_media_text_char(&text, ngx_media_text_utf8(&pos, last));
            }
        }
    }

    return text.total;
}


/* a surrogate alone becomes U+FFFD, and so does half a unit at the end */

static void
ngx_media_charset_utf16(ngx_media_text_t *text, const u_char *pos,
    const u_char *last, ngx_uint_t little)
{
    uint32_t  ch, low;

    while (last - pos >= 2) {
        ch = little ? ngx_media_get_le16(pos) : ngx_media_get_be16(pos);
        pos += 2;

        if (ch >= 0xd800 && ch <= 0xdbff && last - pos >= 2) {
            low = little ? ngx_media_get_le16(pos) : ngx_media_get_be16(pos);

            if (low >= 0xdc00 && low <= 0xdfff) {
                ch = 0x10000 + ((ch - 0xd800) << 10) + (low - 0xdc00);
                pos += 2;
            }
        }

        ngx_media_text_char(text, ch);
    }

    if (pos < last) {
        ngx_media_text_char(text, 0xfffd);
    }
}


static void
ngx_media_charset_latin1(ngx_media_text_t *text, const u_char *pos,
    const u_char *last)
{
    uint32_t  ch;

    for ( /* void */ ; pos < last; pos++) {
        ch = *pos;

        if (ch >= 0x80 && ch < 0xa0 && ngx_media_charset_1252[ch - 0x80]) {
            ch = ngx_media_charset_1252[ch - 0x80];
        }

        ngx_media_text_char(text, ch);
    }
}
