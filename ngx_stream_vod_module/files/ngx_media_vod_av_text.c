
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_av.h"


/* of a track: bytes of text, and cues */
#define NGX_MEDIA_VOD_AV_TEXT  (16 * 1024 * 1024)
#define NGX_MEDIA_VOD_AV_CUES  (256 * 1024)

#define NGX_MEDIA_VOD_AV_MSEC  1000000        /* ns */


static ngx_int_t ngx_media_vod_av_bytes(ngx_media_vod_av_track_t *t,
    const ngx_media_span_t *span, size_t *offset);


ngx_int_t
ngx_media_vod_av_cue(ngx_media_vod_av_t *av, ngx_media_vod_av_track_t *t,
    const ngx_media_cue_t *cue)
{
    ngx_uint_t               room;
    ngx_media_vod_av_cue_t  *c;

    /* what is beyond all reason is left out */

    if (t->ncues == NGX_MEDIA_VOD_AV_CUES
        || ngx_media_span_len(&cue->text) > NGX_MEDIA_VOD_AV_TEXT - t->len
        || ngx_media_span_len(&cue->settings)
           > NGX_MEDIA_VOD_AV_TEXT - t->len - ngx_media_span_len(&cue->text))
    {
        return NGX_OK;
    }

    if (t->ncues == t->cues_room) {
        room = t->cues_room ? t->cues_room * 2 : 256;

        c = realloc(t->cues, room * sizeof(ngx_media_vod_av_cue_t));

        if (c == NULL) {
            av->nomem = 1;
            return NGX_ERROR;
        }

        t->cues = c;
        t->cues_room = room;
    }

    c = &t->cues[t->ncues];

    c->start = cue->start;
    c->end = cue->end;
    c->form = cue->form;
    c->text_len = ngx_media_span_len(&cue->text);
    c->settings_len = ngx_media_span_len(&cue->settings);

    if (ngx_media_vod_av_bytes(t, &cue->text, &c->text) != NGX_OK
        || ngx_media_vod_av_bytes(t, &cue->settings, &c->settings) != NGX_OK)
    {
        av->nomem = 1;
        return NGX_ERROR;
    }

    t->ncues++;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_av_bytes(ngx_media_vod_av_track_t *t,
    const ngx_media_span_t *span, size_t *offset)
{
    size_t   len, room;
    u_char  *p;

    len = ngx_media_span_len(span);

    if (t->bytes == NULL || len > t->bytes_room - t->len) {
        room = ngx_max(t->bytes_room * 2, t->len + len + 4096);

        p = realloc(t->bytes, room);

        if (p == NULL) {
            return NGX_ERROR;
        }

        t->bytes = p;
        t->bytes_room = room;
    }

    *offset = t->len;

    if (len) {
        ngx_memcpy(t->bytes + t->len, span->pos, len);
    }

    t->len += len;

    return NGX_OK;
}


u_char *
ngx_media_vod_av_text(const ngx_media_vod_av_track_t *t, int64_t origin,
    size_t *len)
{
    u_char                        *p;
    ngx_uint_t                     i, n;
    ngx_media_cue_t               *cues;
    ngx_media_webvtt_t             view;
    const ngx_media_vod_av_cue_t  *cue;

    cues = calloc(t->ncues, sizeof(ngx_media_cue_t));

    if (cues == NULL) {
        return NULL;
    }

    ngx_memzero(&view, sizeof(ngx_media_webvtt_t));

    n = 0;

    for (i = 0; i < t->ncues; i++) {
        cue = &t->cues[i];

        cues[n].start = (cue->start - origin) / NGX_MEDIA_VOD_AV_MSEC;
        cues[n].start = ngx_max(cues[n].start, 0);
        cues[n].end = (cue->end - origin) / NGX_MEDIA_VOD_AV_MSEC;

        if (cues[n].end <= cues[n].start) {
            continue;
        }

        cues[n].text.pos = t->bytes + cue->text;
        cues[n].text.last = cues[n].text.pos + cue->text_len;
        cues[n].settings.pos = t->bytes + cue->settings;
        cues[n].settings.last = cues[n].settings.pos + cue->settings_len;
        cues[n].form = cue->form;

        view.end = ngx_max(view.end, cues[n].end);
        n++;
    }

    view.cues = cues;
    view.ncues = n;

    *len = ngx_media_webvtt_write(NULL, 0, &view);

    p = malloc(*len + 1);

    if (p != NULL) {
        (void) ngx_media_webvtt_write(p, *len, &view);
    }

    free(cues);

    return p;
}
