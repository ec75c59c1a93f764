
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The bounded writer of manifests and JSON.  Nothing is ever written at or
 * after last; what does not fit is counted in total and sets overflow, which
 * the caller checks once, at the end.  With a NULL buffer it only counts:
 *
 *     ngx_media_text_init(&text, p, p ? NGX_MEDIA_TEXT_MEASURED : 0);
 *     ngx_media_text_cstr(&text, "#EXTM3U\n");
 *     return text.total;
 *
 * Escaping is done here, by the function that knows the context.
 */


#ifndef _NGX_MEDIA_TEXT_H_INCLUDED_
#define _NGX_MEDIA_TEXT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/*
 * the size of a buffer that the size pass of the same writer has measured:
 * for the write(p, view) functions, which are not told the size again
 */
#define NGX_MEDIA_TEXT_MEASURED  NGX_MAX_SIZE_T_VALUE

/* the most fraction digits of ngx_media_text_decimal() */
#define NGX_MEDIA_TEXT_DIGITS    9


typedef enum {
    NGX_MEDIA_TEXT_DOWN = 0,                  /* towards zero */
    NGX_MEDIA_TEXT_HALF_UP
} ngx_media_text_round_e;


typedef struct {
    u_char                   *pos;            /* NULL: size pass */
    size_t                    left;           /* room at pos */
    size_t                    total;          /* bytes asked for so far */
    ngx_uint_t                overflow;       /* did not fit: truncated */
} ngx_media_text_t;


static ngx_inline void
ngx_media_text_init(ngx_media_text_t *text, u_char *p, size_t size)
{
    text->pos = p;
    text->left = (p == NULL) ? 0 : size;
    text->total = 0;
    text->overflow = 0;
}


/* bytes as they are */

static ngx_inline void
ngx_media_text_data(ngx_media_text_t *text, const void *data, size_t len)
{
    text->total += len;

    if (text->pos == NULL || text->overflow || len == 0) {
        return;
    }

    if (len > text->left) {
        text->overflow = 1;
        return;
    }

    ngx_memcpy(text->pos, data, len);

    text->pos += len;
    text->left -= len;
}


#define ngx_media_text_cstr(text, literal)                                    \
    ngx_media_text_data(text, "" literal, sizeof(literal) - 1)

#define ngx_media_text_str(text, str)                                         \
    ngx_media_text_data(text, (str)->data, (str)->len)


/* numbers */

void ngx_media_text_u64(ngx_media_text_t *text, uint64_t value);
void ngx_media_text_i64(ngx_media_text_t *text, int64_t value);

/*
 * As JSON has it, RFC 8259, 6, and JavaScript prints it, to 15 digits;
 * integers below 2^53 exactly; what is not finite is "null"
 */
void ngx_media_text_number(ngx_media_text_t *text, double value);

/* 16 digits, lower case */
void ngx_media_text_hex64(ngx_media_text_t *text, uint64_t value);

/*
 * value / timescale with exactly this many fraction digits (0: no point);
 * exact for all values; a zero timescale prints as zero
 */
void ngx_media_text_decimal(ngx_media_text_t *text, uint64_t value,
    uint32_t timescale, ngx_uint_t digits, ngx_media_text_round_e mode);


/* times in ms: "2026-01-02T03:04:05.678Z", "PT12.345S", "PT2S" */

void ngx_media_text_date(ngx_media_text_t *text, int64_t msec);
void ngx_media_text_duration(ngx_media_text_t *text, int64_t msec);


/* one character, in UTF-8; what is none becomes U+FFFD */
void ngx_media_text_char(ngx_media_text_t *text, uint32_t ch);

/*
 * The next character of a string that is not at its end.  A malformed
 * sequence yields U+FFFD, and *pos is left at the first byte that does not
 * fit, Unicode, 3.9, table 3-7.
 */
uint32_t ngx_media_text_utf8(const u_char **pos, const u_char *last);

/*
 * Strings of any origin, without the quotes around them.  What is not UTF-8
 * becomes U+FFFD, one for each maximal part of a malformed sequence.
 */

/* XML 1.0 text and attribute values; controls it cannot hold are removed */
void ngx_media_text_xml(ngx_media_text_t *text, const ngx_str_t *str);

/* RFC 8259, 7 */
void ngx_media_text_json(ngx_media_text_t *text, const ngx_str_t *str);

/* RFC 8216bis, 4.2, quoted-string: `"` and all controls are removed */
void ngx_media_text_quoted(ngx_media_text_t *text, const ngx_str_t *str);


#endif /* _NGX_MEDIA_TEXT_H_INCLUDED_ */
