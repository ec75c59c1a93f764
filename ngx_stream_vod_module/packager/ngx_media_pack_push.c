
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_lang.h"
#include "packager/ngx_media_pack_push.h"


static uint32_t ngx_media_pack_push_reorder(
    const ngx_media_params_t *params);


void
ngx_media_pack_push_init(ngx_media_pack_push_t *push)
{
    ngx_uint_t  i;

    ngx_media_ts_push_init(&push->ts);

    for (i = 0; i < NGX_MEDIA_TS_TRACKS; i++) {
        push->tracks[i] = NGX_MEDIA_NO_TRACK;
        push->heads[i] = NULL;
    }
}


void
ngx_media_pack_push_free(ngx_media_pack_push_t *push)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_TS_TRACKS; i++) {
        free(push->heads[i]);
        push->heads[i] = NULL;
    }
}


ngx_int_t
ngx_media_pack_push_track(ngx_media_pack_push_t *push, ngx_uint_t n,
    ngx_uint_t track, const ngx_media_params_t *params)
{
    size_t              len;
    u_char             *head;
    ngx_media_ts_es_t   es;

    if (ngx_media_ts_es_init(&es, params) != NGX_OK) {
        return NGX_DECLINED;
    }

    head = NULL;
    len = ngx_media_ts_es_head(NULL, params);

    if (len) {
        head = malloc(len);
        if (head == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_media_ts_es_head(head, params);
    }

    if (ngx_media_ts_push_track(&push->ts, n, &es, head, len,
                                ngx_media_pack_push_reorder(params))
        != NGX_OK)
    {
        free(head);
        return NGX_ERROR;
    }

    free(push->heads[n]);

    push->heads[n] = head;
    push->tracks[n] = track;

    return NGX_OK;
}


ngx_int_t
ngx_media_pack_push_describe(ngx_media_pack_push_t *push, ngx_uint_t n,
    const ngx_str_t *lang, ngx_uint_t audio_type)
{
    u_char                 text[NGX_MEDIA_LANG];
    ngx_media_ts_es_t      es;
    ngx_media_ts_track_t  *track;

    track = &push->ts.tracks[n];
    es = push->ts.es[n];

    ngx_memzero(es.lang, sizeof(es.lang));
    es.audio_type = 0;

    if (lang->len && lang->len < NGX_MEDIA_LANG) {
        (void) ngx_cpystrn(text, lang->data, lang->len + 1);
        ngx_media_lang_code(es.lang, text);
    }

    if (audio_type && es.lang[0] == '\0') {
        ngx_media_lang_code(es.lang, (u_char *) "");
    }

    if (es.lang[0]) {
        es.audio_type = (uint8_t) audio_type;
    }

    if (es.audio_type == push->ts.es[n].audio_type
        && ngx_memcmp(es.lang, push->ts.es[n].lang, sizeof(es.lang)) == 0)
    {
        return NGX_OK;
    }

    return ngx_media_ts_push_track(&push->ts, n, &es, track->head,
                                   track->head_len, push->ts.reorders[n]);
}


/* as parameter sets say it; 0: they do not */

static uint32_t
ngx_media_pack_push_reorder(const ngx_media_params_t *params)
{
    const u_char             *pos, *last;
    ngx_media_h264_sps_t      avc;
    ngx_media_h265_sps_t      hevc;
    ngx_media_h264_record_t   avcc;
    ngx_media_h265_record_t   hvcc;
    const ngx_media_codec_t  *codec;

    pos = params->config;
    last = pos + params->config_len;

    codec = ngx_media_codec_find(params->codec);

    switch (codec ? codec->units : NGX_MEDIA_UNITS_NONE) {

    case NGX_MEDIA_UNITS_AVC:

        if (ngx_media_h264_parse_record(&avcc, pos, last) != NGX_OK
            || ngx_media_h264_parse_sps(&avc, avcc.sps.pos, avcc.sps.last)
               != NGX_OK
            || !avc.has_reorder)
        {
            return 0;
        }

        return avc.reorder;

    case NGX_MEDIA_UNITS_HEVC:

        if (ngx_media_h265_parse_record(&hvcc, pos, last) != NGX_OK
            || ngx_media_h265_parse_sps(&hevc, hvcc.sps.pos, hvcc.sps.last)
               != NGX_OK)
        {
            return 0;
        }

        return hevc.reorder;

    default:
        return 0;
    }
}


ngx_int_t
ngx_media_pack_push_frame(ngx_media_pack_push_t *push,
    const ngx_media_frame_t *frame)
{
    ngx_uint_t            n;
    ngx_media_ts_frame_t  f;

    for (n = 0; n < NGX_MEDIA_TS_TRACKS; n++) {
        if (push->tracks[n] == frame->track) {
            break;
        }
    }

    if (n == NGX_MEDIA_TS_TRACKS) {
        return NGX_DECLINED;
    }

    f.dts = frame->dts;
    f.cto = frame->cto;
    f.duration = frame->duration;
    f.key = (frame->flags & NGX_MEDIA_FRAME_KEY) ? 1 : 0;
    f.pos = frame->data;
    f.last = frame->data + frame->len;

    return ngx_media_ts_push_frame(&push->ts, n, &f);
}
