
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Readers.  WebVTT as its own parsing algorithm has it (W3C, WebVTT, 6.1):
 * blocks between blank lines, a line with "-->" always begins a cue.
 *
 * SubRip has no standard: a cue begins with its line of times, behind a line
 * with its number, and ends where the next one begins, so that blank lines in
 * a cue, or none between two, do no harm.
 */


#include "formats/ngx_media_webvtt.h"


/* hours that keep milliseconds far from the end of 64 bits */
#define NGX_MEDIA_WEBVTT_DIGITS  9


static ngx_int_t ngx_media_webvtt_next_srt(ngx_media_webvtt_reader_t *reader,
    ngx_media_cue_t *cue);
static ngx_int_t ngx_media_webvtt_block(ngx_media_webvtt_reader_t *reader,
    ngx_media_cue_t *cue);
static void ngx_media_webvtt_rest(ngx_media_webvtt_reader_t *reader,
    ngx_media_span_t *text);
static const u_char *ngx_media_webvtt_get_line(const u_char *pos,
    const u_char *last, ngx_media_span_t *line);
static ngx_uint_t ngx_media_webvtt_blank(const ngx_media_span_t *line);
static ngx_uint_t ngx_media_webvtt_word(const ngx_media_span_t *line,
    const char *word);
static ngx_uint_t ngx_media_webvtt_digits(const ngx_media_span_t *line);
static const u_char *ngx_media_webvtt_arrow(const ngx_media_span_t *line);
static ngx_int_t ngx_media_webvtt_times(const ngx_media_span_t *line,
    ngx_media_cue_t *cue);
static const u_char *ngx_media_webvtt_time(const u_char *pos,
    const u_char *last, int64_t *msec);
static const u_char *ngx_media_webvtt_space(const u_char *pos,
    const u_char *last);
static ngx_uint_t ngx_media_webvtt_equal(const ngx_media_span_t *a,
    const ngx_media_span_t *b);


void
ngx_media_webvtt_open(ngx_media_webvtt_reader_t *reader, const u_char *pos,
    const u_char *last)
{
    ngx_media_span_t  line;

    reader->pos = pos;
    reader->last = last;
    reader->cues = 0;
    reader->srt = 1;

    (void) ngx_media_webvtt_get_line(pos, last, &line);

    if (!ngx_media_webvtt_word(&line, "WEBVTT")) {
        return;
    }

    reader->srt = 0;

    /* the header: up to a blank line, or a cue that is not behind one */

    while (reader->pos < last) {
        pos = ngx_media_webvtt_get_line(reader->pos, last, &line);

        if (line.pos == line.last || ngx_media_webvtt_arrow(&line) != NULL) {
            return;
        }

        reader->pos = pos;
    }
}


ngx_int_t
ngx_media_webvtt_next(ngx_media_webvtt_reader_t *reader, ngx_media_cue_t *cue)
{
    ngx_int_t  rc;

    do {
        ngx_memzero(cue, sizeof(ngx_media_cue_t));

        rc = reader->srt ? ngx_media_webvtt_next_srt(reader, cue)
                         : ngx_media_webvtt_block(reader, cue);

    } while (rc == NGX_DECLINED);

    return rc;
}


/* one block; NGX_DECLINED: it was not for us */

static ngx_int_t
ngx_media_webvtt_block(ngx_media_webvtt_reader_t *reader,
    ngx_media_cue_t *cue)
{
    const u_char      *next, *start;
    ngx_media_span_t   line, second;

    do {
        start = reader->pos;

        if (start == reader->last) {
            return NGX_DONE;
        }

        next = ngx_media_webvtt_get_line(start, reader->last, &line);
        reader->pos = next;

    } while (line.pos == line.last);

    if (ngx_media_webvtt_arrow(&line) == NULL) {
        next = ngx_media_webvtt_get_line(next, reader->last, &second);

        if (ngx_media_webvtt_arrow(&second) == NULL) {

            if (!reader->cues && ngx_media_webvtt_word(&line, "STYLE")) {
                cue->kind = NGX_MEDIA_CUE_STYLE;

            } else if (!reader->cues
                       && ngx_media_webvtt_word(&line, "REGION"))
            {
                cue->kind = NGX_MEDIA_CUE_REGION;
            }

            ngx_media_webvtt_rest(reader, &cue->text);
            cue->text.pos = line.pos;

            return cue->kind ? NGX_OK : NGX_DECLINED;
        }

        cue->id = line;
        line = second;
        reader->pos = next;
    }

    reader->cues = 1;

    if (ngx_media_webvtt_times(&line, cue) != NGX_OK) {
        ngx_media_webvtt_rest(reader, &cue->text);
        return NGX_DECLINED;
    }

    ngx_media_webvtt_rest(reader, &cue->text);

    return (cue->text.pos < cue->text.last) ? NGX_OK : NGX_DECLINED;
}


/* the lines up to a blank one or to the next cue */

static void
ngx_media_webvtt_rest(ngx_media_webvtt_reader_t *reader,
    ngx_media_span_t *text)
{
    const u_char      *next;
    ngx_media_span_t   line;

    text->pos = reader->pos;
    text->last = reader->pos;

    while (reader->pos < reader->last) {
        next = ngx_media_webvtt_get_line(reader->pos, reader->last, &line);

        if (line.pos == line.last || ngx_media_webvtt_arrow(&line) != NULL) {
            return;
        }

        text->last = line.last;
        reader->pos = next;
    }
}


static ngx_int_t
ngx_media_webvtt_next_srt(ngx_media_webvtt_reader_t *reader,
    ngx_media_cue_t *cue)
{
    const u_char      *before, *next, *start;
    ngx_uint_t         found, number;
    ngx_media_cue_t    other;
    ngx_media_span_t   line;

    cue->form = NGX_MEDIA_CUE_SRT;

    /* to its times, which an earlier call may have stopped at */

    for ( ;; ) {

        if (reader->pos == reader->last) {
            return NGX_DONE;
        }

        reader->pos = ngx_media_webvtt_get_line(reader->pos, reader->last,
                                                &line);

        if (ngx_media_webvtt_times(&line, cue) == NGX_OK) {
            break;
        }
    }

    /* to the times of the next, leaving out the number before them */

    found = 0;
    number = 0;
    before = reader->pos;

    cue->text.pos = reader->pos;
    cue->text.last = reader->pos;

    while (reader->pos < reader->last) {
        start = reader->pos;
        next = ngx_media_webvtt_get_line(start, reader->last, &line);

        if (ngx_media_webvtt_times(&line, &other) == NGX_OK) {

            if (number) {
                cue->text.last = before;
            }

            break;
        }

        reader->pos = next;

        if (ngx_media_webvtt_blank(&line)) {
            number = 0;
            continue;
        }

        number = ngx_media_webvtt_digits(&line);
        before = cue->text.last;

        if (!found) {
            cue->text.pos = line.pos;
            before = line.pos;
            found = 1;
        }

        cue->text.last = line.last;
    }

    return (cue->text.pos < cue->text.last) ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_media_webvtt_collect(ngx_media_webvtt_reader_t *reader, int64_t start,
    int64_t end, ngx_media_cue_t *cues, ngx_uint_t max)
{
    ngx_uint_t       n;
    ngx_media_cue_t  cue;

    n = 0;

    while (ngx_media_webvtt_next(reader, &cue) == NGX_OK) {

        if (cue.kind == NGX_MEDIA_CUE
            && (cue.start >= end || cue.end <= start))
        {
            continue;
        }

        if (n < max) {
            cues[n] = cue;
        }

        n++;
    }

    return n;
}


ngx_int_t
ngx_media_webvtt_add(ngx_media_cue_t *cues, ngx_uint_t *n, ngx_uint_t max,
    const ngx_media_cue_t *cue)
{
    ngx_uint_t        i;
    ngx_media_cue_t  *c;

    /* those that can go on are among the last ones */

    for (i = *n; i > 0 && *n - i < NGX_MEDIA_WEBVTT_SHOWN; i--) {
        c = &cues[i - 1];

        if (c->end == cue->start
            && c->form == cue->form
            && ngx_media_webvtt_equal(&c->text, &cue->text)
            && ngx_media_webvtt_equal(&c->id, &cue->id)
            && ngx_media_webvtt_equal(&c->settings, &cue->settings))
        {
            c->end = cue->end;
            return NGX_OK;
        }
    }

    if (*n == max) {
        return NGX_DECLINED;
    }

    cues[(*n)++] = *cue;

    return NGX_OK;
}


static ngx_uint_t
ngx_media_webvtt_equal(const ngx_media_span_t *a, const ngx_media_span_t *b)
{
    size_t  len;

    len = ngx_media_span_len(a);

    return len == ngx_media_span_len(b)
           && (len == 0 || ngx_memcmp(a->pos, b->pos, len) == 0);
}


/* without its end, which is CR LF, LF, or CR; returns where the next begins */

static const u_char *
ngx_media_webvtt_get_line(const u_char *pos, const u_char *last,
    ngx_media_span_t *line)
{
    line->pos = pos;

    while (pos < last && *pos != '\n' && *pos != '\r') {
        pos++;
    }

    line->last = pos;

    if (pos < last && *pos++ == '\r' && pos < last && *pos == '\n') {
        pos++;
    }

    return pos;
}


/* SubRip files often have spaces in their empty lines */

static ngx_uint_t
ngx_media_webvtt_blank(const ngx_media_span_t *line)
{
    return ngx_media_webvtt_space(line->pos, line->last) == line->last;
}


/* a line that is this word, or begins with it and white space */

static ngx_uint_t
ngx_media_webvtt_word(const ngx_media_span_t *line, const char *word)
{
    size_t         len;
    const u_char  *p;

    len = ngx_strlen(word);

    if (ngx_media_span_len(line) < len
        || ngx_memcmp(line->pos, word, len) != 0)
    {
        return 0;
    }

    p = line->pos + len;

    return p == line->last || *p == ' ' || *p == '\t';
}


static ngx_uint_t
ngx_media_webvtt_digits(const ngx_media_span_t *line)
{
    const u_char  *p;

    p = ngx_media_webvtt_space(line->pos, line->last);

    while (p < line->last && *p >= '0' && *p <= '9') {
        p++;
    }

    return ngx_media_webvtt_space(p, line->last) == line->last;
}


static const u_char *
ngx_media_webvtt_arrow(const ngx_media_span_t *line)
{
    const u_char  *p;

    for (p = line->pos; line->last - p >= 3; p++) {
        if (p[0] == '-' && p[1] == '-' && p[2] == '>') {
            return p;
        }
    }

    return NULL;
}


/* start, "-->", end, settings */

static ngx_int_t
ngx_media_webvtt_times(const ngx_media_span_t *line, ngx_media_cue_t *cue)
{
    const u_char  *last, *p;

    last = line->last;

    p = ngx_media_webvtt_time(line->pos, last, &cue->start);

    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_media_webvtt_space(p, last);

    if (last - p < 3 || p[0] != '-' || p[1] != '-' || p[2] != '>') {
        return NGX_ERROR;
    }

    p = ngx_media_webvtt_time(p + 3, last, &cue->end);

    if (p == NULL || cue->end <= cue->start) {
        return NGX_ERROR;
    }

    cue->settings.pos = ngx_media_webvtt_space(p, last);
    cue->settings.last = last;

    return NGX_OK;
}


/*
 * [hours ":"] minutes ":" seconds ["." fraction]; a comma is SubRip's point.
 * Returns where it ends, NULL if it is no time.
 */

static const u_char *
ngx_media_webvtt_time(const u_char *pos, const u_char *last, int64_t *msec)
{
    int64_t     fields[3], scale, value;
    ngx_uint_t  digits, i, n;

    pos = ngx_media_webvtt_space(pos, last);

    for (n = 0; n < 3; /* void */ ) {
        value = 0;

        for (digits = 0; pos < last && *pos >= '0' && *pos <= '9'; pos++) {

            if (++digits > NGX_MEDIA_WEBVTT_DIGITS) {
                return NULL;
            }

            value = value * 10 + (*pos - '0');
        }

        if (digits == 0) {
            return NULL;
        }

        fields[n++] = value;

        if (pos == last || *pos != ':') {
            break;
        }

        pos++;
    }

    if (n < 2 || fields[n - 1] > 59 || fields[n - 2] > 59) {
        return NULL;
    }

    value = 0;

    for (i = 0; i < n; i++) {
        value = value * 60 + fields[i];
    }

    value *= 1000;

    if (pos < last && (*pos == '.' || *pos == ',')) {
        scale = 100;

        for (pos++; pos < last && *pos >= '0' && *pos <= '9'; pos++) {
            value += (*pos - '0') * scale;
            scale /= 10;
        }
    }

    *msec = value;

    return pos;
}


static const u_char *
ngx_media_webvtt_space(const u_char *pos, const u_char *last)
{
    while (pos < last && (*pos == ' ' || *pos == '\t' || *pos == '\f')) {
        pos++;
    }

    return pos;
}
