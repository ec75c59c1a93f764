
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a publisher says of its tracks beside their configurations.  It may come
 * before a track does, of one that never comes, and holds for all that a track
 * becomes, so it is kept by the publisher's number.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_writer_state.h"


static ngx_media_writer_described_t *ngx_media_writer_described(
    ngx_media_writer_t *w, ngx_uint_t type, ngx_uint_t id);


void
ngx_media_writer_describe(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id, const ngx_media_attributes_t *attributes)
{
    ngx_media_writer_track_t      *t;
    ngx_media_writer_described_t  *d;

    d = ngx_media_writer_described(w, type, id);

    if (d == NULL) {

        if (w->described == NULL) {
            w->described = ngx_alloc(NGX_MEDIA_TRACKS
                                     * sizeof(ngx_media_writer_described_t),
                                     w->log);
        }

        if (w->described == NULL || w->ndescribed == NGX_MEDIA_TRACKS) {
            ngx_log_debug2(NGX_LOG_DEBUG_CORE, w->log, 0,
                           "media description of a track is left out, "
                           "type:%d id:%ui", (int) type, id);
            return;
        }

        d = &w->described[w->ndescribed++];
        d->type = type;
        d->id = id;
    }

    /* nothing behind the strings, so that equal ones are */

    ngx_memzero(&d->attributes, sizeof(ngx_media_attributes_t));
    ngx_memcpy(d->attributes.lang, attributes->lang,
               ngx_strlen(attributes->lang));
    ngx_memcpy(d->attributes.label, attributes->label,
               ngx_strlen(attributes->label));
    d->attributes.role = attributes->role;
    d->attributes.group = attributes->group;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media description, type:%d id:%ui lang:\"%s\" role:%uD",
                   (int) type, id, attributes->lang, attributes->role);

    t = ngx_media_writer_track_get(w, type, id);

    if (t) {
        ngx_media_writer_attributes(w, t);
    }
}


/*
 * The store has what the publisher before has said: also that this one says
 * nothing has to be told.  A track that is refused is told of when it is not.
 */

void
ngx_media_writer_attributes(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t)
{
    ngx_media_attributes_t         none;
    ngx_media_writer_described_t  *d;

    if (t->packer.index == NGX_MEDIA_NO_TRACK) {
        return;
    }

    ngx_memzero(&none, sizeof(ngx_media_attributes_t));

    d = ngx_media_writer_described(w, t->params.type, t->id);

    if (ngx_media_track_describe(&w->claim, t->packer.index,
                                 d ? &d->attributes : &none)
        != NGX_OK)
    {
        ngx_log_debug1(NGX_LOG_DEBUG_CORE, w->log, 0,
                       "media description came too late, track:%ui",
                       t->packer.index);
    }
}


static ngx_media_writer_described_t *
ngx_media_writer_described(ngx_media_writer_t *w, ngx_uint_t type,
    ngx_uint_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < w->ndescribed; i++) {
        if (w->described[i].type == type && w->described[i].id == id) {
            return &w->described[i];
        }
    }

    return NULL;
}
