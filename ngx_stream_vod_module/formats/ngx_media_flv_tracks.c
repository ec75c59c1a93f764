
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_flv_tracks.h"


static ngx_int_t ngx_media_flv_track_id(const ngx_media_span_t *key,
    uint32_t *id);
static ngx_int_t ngx_media_flv_track_read(const ngx_media_amf_value_t *value,
    ngx_media_flv_track_t *track);
static void ngx_media_flv_track_string(const ngx_media_span_t *key,
    const char *name, const ngx_media_amf_value_t *value,
    ngx_media_span_t *string);


ngx_int_t
ngx_media_flv_track_next(ngx_media_amf_iterator_t *it,
    ngx_media_flv_track_t *track)
{
    ngx_int_t              rc;
    ngx_media_span_t       key;
    ngx_media_amf_value_t  value;

    ngx_memzero(track, sizeof(ngx_media_flv_track_t));

    for ( ;; ) {
        rc = ngx_media_amf_next(it, &key, &value);

        if (rc != NGX_OK) {
            return rc == NGX_DONE ? NGX_DONE : NGX_ERROR;
        }

        if (it->named && ngx_media_flv_track_id(&key, &track->id) == NGX_OK) {
            return ngx_media_flv_track_read(&value, track);
        }
    }
}


/* one byte in tags; digits only */

static ngx_int_t
ngx_media_flv_track_id(const ngx_media_span_t *key, uint32_t *id)
{
    uint32_t       n;
    const u_char  *p;

    if (key->pos == key->last || ngx_media_span_len(key) > 3) {
        return NGX_DECLINED;
    }

    n = 0;

    for (p = key->pos; p < key->last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_DECLINED;
        }

        n = n * 10 + (*p - '0');
    }

    *id = n;

    return n <= 255 ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_flv_track_read(const ngx_media_amf_value_t *value,
    ngx_media_flv_track_t *track)
{
    ngx_int_t                 rc;
    ngx_media_span_t          key;
    ngx_media_amf_value_t     property;
    ngx_media_amf_iterator_t  it;

    ngx_media_amf_iterate(&it, value);

    for ( ;; ) {
        rc = ngx_media_amf_next(&it, &key, &property);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (!it.named) {
            continue;
        }

        ngx_media_flv_track_string(&key, "language", &property,
                                   &track->language);
        ngx_media_flv_track_string(&key, "title", &property, &track->title);
    }
}


static void
ngx_media_flv_track_string(const ngx_media_span_t *key, const char *name,
    const ngx_media_amf_value_t *value, ngx_media_span_t *string)
{
    if (value->type == NGX_MEDIA_AMF_STRING
        && ngx_media_span_len(key) == ngx_strlen(name)
        && ngx_memcmp(key->pos, name, ngx_media_span_len(key)) == 0)
    {
        *string = value->data;
    }
}
