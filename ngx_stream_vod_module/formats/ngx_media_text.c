
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_text.h"


#define NGX_MEDIA_TEXT_REPLACEMENT  0xfffd


static void ngx_media_text_padded(ngx_media_text_t *text, uint64_t value,
    ngx_uint_t digits);
static void ngx_media_text_point(ngx_media_text_t *text,
    const u_char *digits, int64_t n, int64_t point);
static uint64_t ngx_media_text_digits(double value, int64_t *exponent);
static void ngx_media_text_rune(ngx_media_text_t *text, uint32_t ch,
    const u_char *pos, size_t len);


static const u_char  ngx_media_text_hex[] = "0123456789abcdef";

/* 10 to the powers of two, the greatest first */
static const double  ngx_media_text_powers[] = {
    1e256, 1e128, 1e64, 1e32, 1e16, 1e8, 1e4, 1e2, 1e1
};


void
ngx_media_text_u64(ngx_media_text_t *text, uint64_t value)
{
    ngx_media_text_padded(text, value, 1);
}


void
ngx_media_text_i64(ngx_media_text_t *text, int64_t value)
{
    if (value < 0) {
        ngx_media_text_cstr(text, "-");
        ngx_media_text_padded(text, 0 - (uint64_t) value, 1);
        return;
    }

    ngx_media_text_padded(text, value, 1);
}


void
ngx_media_text_number(ngx_media_text_t *text, double value)
{
    u_char     buf[20];
    int64_t    exponent, n;
    uint64_t   digits;

    /* NaN is in no range */

    if (value > -9007199254740992.0 && value < 9007199254740992.0
        && (double) (int64_t) value == value)
    {
        ngx_media_text_i64(text, (int64_t) value);
        return;
    }

    if (!(value >= -1.7976931348623157e308
          && value <= 1.7976931348623157e308))
    {
        ngx_media_text_cstr(text, "null");
        return;
    }

    if (value < 0) {
        ngx_media_text_cstr(text, "-");
        value = -value;
    }

    digits = ngx_media_text_digits(value, &exponent);

    for (n = 0; digits; n++) {
        buf[sizeof(buf) - 1 - n] = (u_char) ('0' + digits % 10);
        digits /= 10;
    }

    ngx_media_text_point(text, buf + sizeof(buf) - n, n, n + exponent);
}


/*
 * n digits, point of them in front of the decimal point, as
 * ECMA-262, Number::toString, puts it
 */

static void
ngx_media_text_point(ngx_media_text_t *text, const u_char *digits, int64_t n,
    int64_t point)
{
    int64_t  i;

    if (point > 21 || point < -5) {
        ngx_media_text_data(text, digits, 1);

        if (n > 1) {
            ngx_media_text_cstr(text, ".");
            ngx_media_text_data(text, digits + 1, n - 1);
        }

        ngx_media_text_data(text, "e+", point > 0 ? 2 : 1);
        ngx_media_text_i64(text, point - 1);
        return;
    }

    if (point <= 0) {
        ngx_media_text_cstr(text, "0.");
    }

    for (i = point; i < 0; i++) {
        ngx_media_text_cstr(text, "0");
    }

    i = ngx_max(0, ngx_min(point, n));

    ngx_media_text_data(text, digits, i);

    if (i > 0 && i < n) {
        ngx_media_text_cstr(text, ".");
    }

    ngx_media_text_data(text, digits + i, n - i);

    for (i = n; i < point; i++) {
        ngx_media_text_cstr(text, "0");
    }
}


/* value > 0 is what is returned times 10^exponent; at most 15 digits */

static uint64_t
ngx_media_text_digits(double value, int64_t *exponent)
{
    double      power;
    int64_t     e;
    uint64_t    digits;
    ngx_uint_t  i, n;

    e = 0;
    n = sizeof(ngx_media_text_powers) / sizeof(ngx_media_text_powers[0]);

    for (i = 0; i < n; i++) {
        power = ngx_media_text_powers[i];

        if (value / power >= 1e14) {
            value /= power;
            e += (int64_t) 256 >> i;

        } else if (value * power < 1e15) {
            value *= power;
            e -= (int64_t) 256 >> i;
        }
    }

    digits = (uint64_t) (value + 0.5);

    while (digits && digits % 10 == 0) {
        digits /= 10;
        e++;
    }

    *exponent = e;

    return digits;
}


void
ngx_media_text_hex64(ngx_media_text_t *text, uint64_t value)
{
    u_char      buf[16];
    ngx_uint_t  i;

    for (i = sizeof(buf); i > 0; i--) {
        buf[i - 1] = ngx_media_text_hex[value & 0xf];
        value >>= 4;
    }

    ngx_media_text_data(text, buf, sizeof(buf));
}


/* at least so many digits, zeros in front; digits <= 20 */

static void
ngx_media_text_padded(ngx_media_text_t *text, uint64_t value,
    ngx_uint_t digits)
{
    u_char   buf[20];
    u_char  *p, *last;

    last = buf + sizeof(buf);
    p = last;

    do {
        *--p = (u_char) ('0' + value % 10);
        value /= 10;
    } while (value);

    while ((size_t) (last - p) < digits) {
        *--p = '0';
    }

    ngx_media_text_data(text, p, last - p);
}


void
ngx_media_text_decimal(ngx_media_text_t *text, uint64_t value,
    uint32_t timescale, ngx_uint_t digits, ngx_media_text_round_e mode)
{
    uint64_t    frac, rest, scale, whole;
    ngx_uint_t  i;

    if (timescale == 0) {
        timescale = 1;
        value = 0;
    }

    digits = ngx_min(digits, NGX_MEDIA_TEXT_DIGITS);
    scale = 1;

    for (i = 0; i < digits; i++) {
        scale *= 10;
    }

    /* the remainder is below 2^32 and scale at most 10^9: below 2^62 */

    whole = value / timescale;
    rest = (value % timescale) * scale;
    frac = rest / timescale;
    rest = rest % timescale;

    if (mode == NGX_MEDIA_TEXT_HALF_UP && rest >= timescale - rest) {
        frac++;
    }

    if (frac == scale) {
        frac = 0;
        whole++;
    }

    ngx_media_text_padded(text, whole, 1);

    if (digits) {
        ngx_media_text_cstr(text, ".");
        ngx_media_text_padded(text, frac, digits);
    }
}


/*
 * Days since the epoch to a date of the proleptic Gregorian calendar: eras
 * of 400 years (146097 days) counted from 0000-03-01, so that the leap day
 * is the last of its year.
 */

void
ngx_media_text_date(ngx_media_text_t *text, int64_t msec)
{
    int64_t   days, era, year;
    uint64_t  day, doe, doy, month, rest, yoe;

    days = msec / 86400000;
    rest = msec % 86400000 + 86400000;

    if (rest < 86400000) {
        days--;

    } else {
        rest -= 86400000;
    }

    days += 719468;                           /* 0000-03-01 */
    era = (days >= 0 ? days : days - 146096) / 146097;

    doe = (uint64_t) (days - era * 146097);   /* day of era */
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    month = (5 * doy + 2) / 153;              /* 0: March */
    day = doy - (153 * month + 2) / 5 + 1;

    month = (month < 10) ? month + 3 : month - 9;
    year = era * 400 + (int64_t) yoe + (month <= 2);

    if (year < 0) {
        ngx_media_text_cstr(text, "-");
        year = -year;
    }

    ngx_media_text_padded(text, year, 4);
    ngx_media_text_cstr(text, "-");
    ngx_media_text_padded(text, month, 2);
    ngx_media_text_cstr(text, "-");
    ngx_media_text_padded(text, day, 2);
    ngx_media_text_cstr(text, "T");
    ngx_media_text_padded(text, rest / 3600000, 2);
    ngx_media_text_cstr(text, ":");
    ngx_media_text_padded(text, rest / 60000 % 60, 2);
    ngx_media_text_cstr(text, ":");
    ngx_media_text_padded(text, rest / 1000 % 60, 2);
    ngx_media_text_cstr(text, ".");
    ngx_media_text_padded(text, rest % 1000, 3);
    ngx_media_text_cstr(text, "Z");
}


/* XML Schema part 2, 3.2.6 */

void
ngx_media_text_duration(ngx_media_text_t *text, int64_t msec)
{
    uint64_t    frac, value;
    ngx_uint_t  digits;

    value = msec;

    if (msec < 0) {
        ngx_media_text_cstr(text, "-");
        value = 0 - value;
    }

    ngx_media_text_cstr(text, "PT");
    ngx_media_text_padded(text, value / 1000, 1);

    frac = value % 1000;

    if (frac) {
        digits = 3;

        while (frac % 10 == 0) {
            frac /= 10;
            digits--;
        }

        ngx_media_text_cstr(text, ".");
        ngx_media_text_padded(text, frac, digits);
    }

    ngx_media_text_cstr(text, "S");
}


void
ngx_media_text_xml(ngx_media_text_t *text, const ngx_str_t *str)
{
    uint32_t       ch;
    const u_char  *last, *p, *start;

    if (str->len == 0) {
        return;
    }

    p = str->data;
    last = p + str->len;

    while (p < last) {
        start = p;
        ch = ngx_media_text_utf8(&p, last);

        switch (ch) {

        case '&':
            ngx_media_text_cstr(text, "&amp;");
            break;

        case '<':
            ngx_media_text_cstr(text, "&lt;");
            break;

        case '>':
            ngx_media_text_cstr(text, "&gt;");
            break;

        case '"':
            ngx_media_text_cstr(text, "&quot;");
            break;

        case '\'':
            ngx_media_text_cstr(text, "&#39;");
            break;

        /* literal ones become spaces in attributes, XML 1.0, 3.3.3 */

        case '\t':
        case '\n':
        case '\r':
            ngx_media_text_cstr(text, "&#");
            ngx_media_text_u64(text, ch);
            ngx_media_text_cstr(text, ";");
            break;

        /* XML 1.0, 2.2: not a Char */

        case 0xfffe:
        case 0xffff:
            break;

        default:
            if (ch >= 0x20) {
                ngx_media_text_rune(text, ch, start, p - start);
            }
        }
    }
}


void
ngx_media_text_json(ngx_media_text_t *text, const ngx_str_t *str)
{
    u_char         buf[2];
    uint32_t       ch;
    const u_char  *last, *p, *start;

    if (str->len == 0) {
        return;
    }

    p = str->data;
    last = p + str->len;

    while (p < last) {
        start = p;
        ch = ngx_media_text_utf8(&p, last);

        switch (ch) {

        case '"':
            ngx_media_text_cstr(text, "\\\"");
            break;

        case '\\':
            ngx_media_text_cstr(text, "\\\\");
            break;

        case '\n':
            ngx_media_text_cstr(text, "\\n");
            break;

        case '\r':
            ngx_media_text_cstr(text, "\\r");
            break;

        case '\t':
            ngx_media_text_cstr(text, "\\t");
            break;

        default:
            if (ch < 0x20 || ch == 0x7f) {
                buf[0] = ngx_media_text_hex[ch >> 4];
                buf[1] = ngx_media_text_hex[ch & 0xf];

                ngx_media_text_cstr(text, "\\u00");
                ngx_media_text_data(text, buf, 2);
                break;
            }

            ngx_media_text_rune(text, ch, start, p - start);
        }
    }
}


void
ngx_media_text_quoted(ngx_media_text_t *text, const ngx_str_t *str)
{
    uint32_t       ch;
    const u_char  *last, *p, *start;

    if (str->len == 0) {
        return;
    }

    p = str->data;
    last = p + str->len;

    while (p < last) {
        start = p;
        ch = ngx_media_text_utf8(&p, last);

        /* C0, DEL, C1, and line separators some parsers break lines at */

        if (ch == '"' || ch < 0x20 || (ch >= 0x7f && ch < 0xa0)
            || ch == 0x2028 || ch == 0x2029)
        {
            continue;
        }

        ngx_media_text_rune(text, ch, start, p - start);
    }
}


/* a character that needs no escape: its own bytes unless they are malformed */

static void
ngx_media_text_rune(ngx_media_text_t *text, uint32_t ch, const u_char *pos,
    size_t len)
{
    if (ch == NGX_MEDIA_TEXT_REPLACEMENT) {
        ngx_media_text_cstr(text, "\xef\xbf\xbd");
        return;
    }

    ngx_media_text_data(text, pos, len);
}


/* Unicode, 3.9, table 3-6 */

void
ngx_media_text_char(ngx_media_text_t *text, uint32_t ch)
{
    u_char      buf[4], *p;
    ngx_uint_t  shift;

    if (ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)) {
        ch = NGX_MEDIA_TEXT_REPLACEMENT;
    }

    p = buf;
    shift = 0;

    if (ch < 0x80) {
        *p++ = (u_char) ch;

    } else if (ch < 0x800) {
        *p++ = (u_char) (0xc0 | ch >> 6);
        shift = 6;

    } else if (ch < 0x10000) {
        *p++ = (u_char) (0xe0 | ch >> 12);
        shift = 12;

    } else {
        *p++ = (u_char) (0xf0 | ch >> 18);
        shift = 18;
    }

    while (shift) {
        shift -= 6;
        *p++ = (u_char) (0x80 | (ch >> shift & 0x3f));
    }

    ngx_media_text_data(text, buf, p - buf);
}


uint32_t
ngx_media_text_utf8(const u_char **pos, const u_char *last)
{
    u_char         high, low;
    uint32_t       ch;
    ngx_uint_t     n;
    const u_char  *p;

    p = *pos;
    ch = *p++;
    *pos = p;

    if (ch < 0x80) {
        return ch;
    }

    /* only the second byte has bounds of its own */

    low = 0x80;
    high = 0xbf;

    if (ch >= 0xc2 && ch <= 0xdf) {
        n = 1;
        ch &= 0x1f;

    } else if (ch >= 0xe0 && ch <= 0xef) {
        n = 2;
        low = (ch == 0xe0) ? 0xa0 : low;
        high = (ch == 0xed) ? 0x9f : high;
        ch &= 0x0f;

    } else if (ch >= 0xf0 && ch <= 0xf4) {
        n = 3;
        low = (ch == 0xf0) ? 0x90 : low;
        high = (ch == 0xf4) ? 0x8f : high;
        ch &= 0x07;

    } else {
        return NGX_MEDIA_TEXT_REPLACEMENT;
    }

    while (n--) {
        if (p == last || *p < low || *p > high) {
            *pos = p;
            return NGX_MEDIA_TEXT_REPLACEMENT;
        }

        ch = ch << 6 | (*p++ & 0x3f);

        low = 0x80;
        high = 0xbf;
    }

    *pos = p;

    return ch;
}
