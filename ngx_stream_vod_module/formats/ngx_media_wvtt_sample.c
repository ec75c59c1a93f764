
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Samples and back.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_wvtt.h"


typedef void (*ngx_media_wvtt_pt)(ngx_media_text_t *text,
    const ngx_media_cue_t *cue);


static size_t ngx_media_wvtt_cue(u_char *p, const ngx_media_cue_t *cue,
    ngx_uint_t source);
static size_t ngx_media_wvtt_box(u_char *p, uint32_t type,
    ngx_media_wvtt_pt put, const ngx_media_cue_t *cue);
static void ngx_media_wvtt_id(ngx_media_text_t *text,
    const ngx_media_cue_t *cue);


int64_t
ngx_media_wvtt_next(const ngx_media_cue_t *cues, ngx_uint_t n, int64_t time,
    int64_t end)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (cues[i].kind != NGX_MEDIA_CUE) {
            continue;
        }

        if (cues[i].start > time && cues[i].start < end) {
            end = cues[i].start;
        }

        if (cues[i].end > time && cues[i].end < end) {
            end = cues[i].end;
        }
    }

    return end;
}


size_t
ngx_media_wvtt_write(u_char *p, const ngx_media_cue_t *cues, ngx_uint_t n,
    int64_t time, int64_t end)
{
    size_t                  size;
    ngx_uint_t              i;
    const ngx_media_cue_t  *cue;

    size = 0;

    for (i = 0; i < n; i++) {
        cue = &cues[i];

        if (cue->kind == NGX_MEDIA_CUE && cue->start <= time
            && cue->end > time)
        {
            size += ngx_media_wvtt_cue(ngx_media_mp4_at(p, size), cue,
                                       cue->start < time || cue->end > end);
        }
    }

    if (size) {
        return size;
    }

    if (p != NULL) {
        p = ngx_media_put_be32(p, NGX_MEDIA_WVTT_EMPTY_SIZE);
        (void) ngx_media_put_be32(p, NGX_MEDIA_WVTT_VTTE);
    }

    return NGX_MEDIA_WVTT_EMPTY_SIZE;
}


static size_t
ngx_media_wvtt_cue(u_char *p, const ngx_media_cue_t *cue, ngx_uint_t source)
{
    size_t    n;
    uint64_t  hash;

    n = 8;

    if (source) {

        /* one value for all samples of the cue, and another for others */

        if (p != NULL) {
            hash = ngx_media_hash(cue->text.pos,
                                  ngx_media_span_len(&cue->text));
            hash ^= (uint64_t) cue->start * 31 + (uint64_t) cue->end;

            (void) ngx_media_put_be32(p + n, 12);
            (void) ngx_media_put_be32(p + n + 4, NGX_MEDIA_WVTT_VSID);
            (void) ngx_media_put_be32(p + n + 8, (uint32_t) (hash >> 33));
        }

        n += 12;
    }

    n += ngx_media_wvtt_box(ngx_media_mp4_at(p, n), NGX_MEDIA_WVTT_IDEN,
                            ngx_media_wvtt_id, cue);
    n += ngx_media_wvtt_box(ngx_media_mp4_at(p, n), NGX_MEDIA_WVTT_STTG,
                            ngx_media_webvtt_settings, cue);
    n += ngx_media_wvtt_box(ngx_media_mp4_at(p, n), NGX_MEDIA_WVTT_PAYL,
                            ngx_media_webvtt_text, cue);

    if (p != NULL) {
        p = ngx_media_put_be32(p, (uint32_t) n);
        (void) ngx_media_put_be32(p, NGX_MEDIA_WVTT_VTTC);
    }

    return n;
}


/* a box of text, left out if there is none; settings have a space in front */

static size_t
ngx_media_wvtt_box(u_char *p, uint32_t type, ngx_media_wvtt_pt put,
    const ngx_media_cue_t *cue)
{
    size_t            n, skip;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, NULL, 0);
    (*put)(&text, cue);

    n = text.total;
    skip = (type == NGX_MEDIA_WVTT_STTG);

    if (n == 0 && type != NGX_MEDIA_WVTT_PAYL) {
        return 0;
    }

    n -= skip;

    if (p != NULL) {

        /* the space in front is where the box header's last byte will be */

        ngx_media_text_init(&text, p + 8 - skip, n + skip);
        (*put)(&text, cue);

        p = ngx_media_put_be32(p, (uint32_t) (8 + n));
        (void) ngx_media_put_be32(p, type);
    }

    return 8 + n;
}


static void
ngx_media_wvtt_id(ngx_media_text_t *text, const ngx_media_cue_t *cue)
{
    ngx_media_webvtt_line(text, &cue->id);
}


ngx_int_t
ngx_media_wvtt_read(ngx_media_span_t *sample, ngx_media_cue_t *cue)
{
    uint32_t          type;
    ngx_int_t         rc;
    ngx_media_span_t  body, in;

    for ( ;; ) {
        rc = ngx_media_wvtt_next_box(sample, &type, &in);

        if (rc != NGX_OK) {
            return rc;
        }

        if (type != NGX_MEDIA_WVTT_VTTC) {
            continue;
        }

        ngx_memzero(cue, sizeof(ngx_media_cue_t));

        for ( ;; ) {
            rc = ngx_media_wvtt_next_box(&in, &type, &body);

            if (rc == NGX_DONE) {
                break;
            }

            if (rc != NGX_OK) {
                return rc;
            }

            switch (type) {

            case NGX_MEDIA_WVTT_IDEN:
                cue->id = body;
                break;

            case NGX_MEDIA_WVTT_STTG:
                cue->settings = body;
                break;

            case NGX_MEDIA_WVTT_PAYL:
                cue->text = body;
            }
        }

        if (cue->text.pos < cue->text.last) {
            return NGX_OK;
        }
    }
}


size_t
ngx_media_wvtt_config(u_char *p, size_t size, const ngx_media_cue_t *cues,
    ngx_uint_t n)
{
    ngx_uint_t        i;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, p, size);
    ngx_media_text_cstr(&text, "WEBVTT");

    for (i = 0; i < n; i++) {
        if (cues[i].kind != NGX_MEDIA_CUE) {
            ngx_media_text_cstr(&text, "\n\n");
            ngx_media_webvtt_text(&text, &cues[i]);
        }
    }

    return text.total;
}
