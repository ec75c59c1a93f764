
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_blob.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_text.h"

#include <stdio.h>
#include <stdlib.h>


#define NGX_MEDIA_VOD_PIECE      65536        /* of an index */
#define NGX_MEDIA_VOD_SAMPLES    (32 * 1024 * 1024)


static ngx_int_t ngx_media_vod_blob_piece(ngx_media_vod_blob_track_t *t);
static ngx_int_t ngx_media_vod_blob_ready(ngx_media_vod_blob_track_t *t);
static ngx_int_t ngx_media_vod_blob_pack(ngx_media_vod_blob_track_t *t);
static uint64_t ngx_media_vod_blob_size(const ngx_media_vod_blob_t *blob);
static size_t ngx_media_vod_blob_stride(const ngx_media_vod_blob_track_t *t);
static ngx_media_vod_file_t *ngx_media_vod_blob_make(
    const ngx_media_vod_blob_t *blob, size_t size);
static void ngx_media_vod_blob_skip(const ngx_media_vod_blob_track_t *t);
static void ngx_media_vod_blob_pieces(ngx_media_vod_blob_track_t *t);


void
ngx_media_vod_blob_init(ngx_media_vod_blob_t *blob,
    ngx_media_vod_index_t *index)
{
    ngx_memzero(blob, sizeof(ngx_media_vod_blob_t));

    blob->index = index;
    blob->tag = ngx_media_hash((u_char *) &index->id, sizeof(index->id));
}


ngx_media_vod_blob_track_t *
ngx_media_vod_blob_track(ngx_media_vod_blob_t *blob, ngx_media_type_e type,
    uint32_t timescale)
{
    uint32_t                     max;
    ngx_media_vod_blob_track_t  *t;

    if (blob->ntracks == NGX_MEDIA_VOD_TRACKS) {
        ngx_media_vod_blob_note(blob, "more than %d tracks",
                                NGX_MEDIA_VOD_TRACKS);
        return NULL;
    }

    t = calloc(1, sizeof(ngx_media_vod_blob_track_t));

    if (t == NULL) {
        blob->nomem = 1;
        return NULL;
    }

    blob->tracks[blob->ntracks++] = t;

    t->blob = blob;
    t->track.type = type;
    t->track.timescale = timescale;

    (void) snprintf((char *) t->name, sizeof(t->name), "track[%u]",
                    (unsigned) blob->ntracks);

    max = blob->index->max_samples ? blob->index->max_samples
                                   : NGX_MEDIA_VOD_SAMPLES;

    ngx_media_index_build_init(&t->build, timescale, blob->index->id.size,
                               max);

    return t;
}


ngx_media_params_t *
ngx_media_vod_blob_params(ngx_media_vod_blob_track_t *t)
{
    ngx_media_params_t  *p;

    if (t->nparams == NGX_MEDIA_VOD_PARAMS) {
        ngx_media_vod_blob_note(t->blob, "%s: more than %d descriptions",
                                t->name, NGX_MEDIA_VOD_PARAMS);
        return NULL;
    }

    p = realloc(t->params, (t->nparams + 1) * sizeof(ngx_media_params_t));

    if (p == NULL) {
        t->blob->nomem = 1;
        return NULL;
    }

    t->params = p;

    p += t->nparams++;

    ngx_memzero(p, sizeof(ngx_media_params_t));

    return p;
}


ngx_int_t
ngx_media_vod_blob_add(ngx_media_vod_blob_track_t *t,
    const ngx_media_index_sample_t *sample)
{
    ngx_int_t  rc;

    if (sample->description == 0 || sample->description > t->nparams) {
        t->error = "a sample has no description";
        goto failed;
    }

    for ( ;; ) {
        rc = ngx_media_index_add(&t->build, sample);

        if (rc == NGX_OK || rc == NGX_DONE) {
            return rc;
        }

        if (rc == NGX_ERROR) {
            t->error = t->build.error;
            goto failed;
        }

        if (ngx_media_vod_blob_piece(t) != NGX_OK) {
            return NGX_ERROR;
        }
    }

failed:

    if (!t->drop) {
        ngx_media_vod_blob_note(t->blob, "%s: %s", t->name, t->error);
        t->drop = 1;
    }

    ngx_media_vod_blob_pieces(t);

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_vod_blob_piece(ngx_media_vod_blob_track_t *t)
{
    void  *p;

    p = malloc(NGX_MEDIA_VOD_PIECE);

    if (p == NULL) {
        t->error = "no memory";
        t->blob->nomem = 1;
        return NGX_ERROR;
    }

    ngx_media_index_piece(&t->build, p, NGX_MEDIA_VOD_PIECE);

    return NGX_OK;
}


void
ngx_media_vod_blob_text(ngx_media_vod_blob_track_t *t, u_char *text,
    size_t len)
{
    t->text = text;
    t->text_len = len;
    t->track.sidecar = 1;
}


void
ngx_media_vod_blob_note(ngx_media_vod_blob_t *blob, const char *fmt, ...)
{
    size_t   n;
    va_list  args;

    n = ngx_strlen(blob->note);

    if (n) {

        if (sizeof(blob->note) - n < 3) {
            return;
        }

        blob->note[n++] = ';';
        blob->note[n++] = ' ';
    }

    va_start(args, fmt);
    (void) vsnprintf((char *) blob->note + n, sizeof(blob->note) - n, fmt,
                     args);
    va_end(args);
}


ngx_media_vod_file_t *
ngx_media_vod_blob_finish(ngx_media_vod_blob_t *blob)
{
    uint64_t               size;
    ngx_uint_t             i, n;
    ngx_media_vod_file_t  *file;

    n = 0;

    for (i = 0; i < blob->ntracks && !blob->nomem; i++) {

        if (ngx_media_vod_blob_ready(blob->tracks[i]) == NGX_OK) {
            n++;

        } else {
            blob->tracks[i]->drop = 1;
        }
    }

    size = ngx_media_vod_blob_size(blob);

    if (blob->nomem) {
        file = NULL;

    } else if (n == 0) {
        file = ngx_media_vod_index_fail(blob->index, 415, "%s", blob->note[0]
                               ? (char *) blob->note
                               : "no track of video, audio or text in it");

    } else if (size > 0xffffffff) {
        file = ngx_media_vod_index_fail(blob->index, 415,
                                        "too many samples in all");

    } else {
        file = ngx_media_vod_blob_make(blob, (size_t) size);
    }

    ngx_media_vod_blob_free(blob);

    return file;
}


static ngx_int_t
ngx_media_vod_blob_ready(ngx_media_vod_blob_track_t *t)
{
    uint32_t  i;

    if (t->drop) {
        return NGX_DECLINED;
    }

    if (t->text) {
        return NGX_OK;
    }

    for (i = 0; i < t->nparams; i++) {
        if (t->params[i].codec) {
            break;
        }
    }

    if (i == t->nparams) {
        return NGX_DECLINED;
    }

    if (t->build.index.truncated) {
        ngx_media_vod_blob_note(t->blob, "%s: ends after the file", t->name);
    }

    if (t->build.index.nsamples == 0) {
        ngx_media_vod_blob_note(t->blob, "%s: no samples", t->name);
        return NGX_DECLINED;
    }

    if (ngx_media_vod_blob_pack(t) != NGX_OK) {

        if (!t->blob->nomem) {
            ngx_media_vod_blob_note(t->blob, "%s: %s", t->name, t->error);
        }

        return NGX_DECLINED;
    }

    if (t->index->first >= t->index->end) {
        ngx_media_vod_blob_note(t->blob, "%s: nothing of it is presented",
                                t->name);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_blob_pack(ngx_media_vod_blob_track_t *t)
{
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ngx_media_index_finish(&t->build);

        if (rc != NGX_AGAIN) {
            break;
        }

        if (ngx_media_vod_blob_piece(t) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (rc != NGX_OK) {
        t->error = t->build.error;
        return NGX_ERROR;
    }

    t->index = malloc(t->build.size);

    if (t->index == NULL) {
        t->blob->nomem = 1;
        return NGX_ERROR;
    }

    ngx_media_index_pack(&t->build, t->index);
    ngx_media_vod_blob_pieces(t);

    if (t->edit
        && ngx_media_index_edit(t->index, t->empty, t->start, t->duration)
           != NGX_OK)
    {
        t->error = "broken index";
        return NGX_ERROR;
    }

    return NGX_OK;
}


static uint64_t
ngx_media_vod_blob_size(const ngx_media_vod_blob_t *blob)
{
    uint64_t                           size;
    ngx_uint_t                         i;
    const ngx_media_vod_blob_track_t  *t;

    size = sizeof(ngx_media_vod_file_t)
           + blob->ntracks * sizeof(ngx_media_vod_track_t) + 16;

    for (i = 0; i < blob->ntracks; i++) {
        t = blob->tracks[i];

        if (t->drop) {
            continue;
        }

        size += t->nparams * ngx_media_vod_blob_stride(t) + 16;
        size += t->text_len + 16;
        size += t->index ? t->index->size + 16 : 0;
    }

    return size;
}


/* of each of its descriptions: what the largest of them needs */

static size_t
ngx_media_vod_blob_stride(const ngx_media_vod_blob_track_t *t)
{
    size_t    size;
    uint32_t  i;

    size = 0;

    for (i = 0; i < t->nparams; i++) {
        size = ngx_max(size, ngx_media_params_size(&t->params[i]));
    }

    return ngx_align(size, 16);
}


/* parts of it are 16 bytes aligned, as it is itself */

static ngx_media_vod_file_t *
ngx_media_vod_blob_make(const ngx_media_vod_blob_t *blob, size_t size)
{
    u_char                            *p;
    ngx_uint_t                         i, k;
    ngx_media_vod_file_t              *file;
    ngx_media_vod_track_t             *track;
    const ngx_media_vod_blob_track_t  *t;

    p = calloc(1, size);

    if (p == NULL) {
        return NULL;
    }

    file = (ngx_media_vod_file_t *) p;

    file->version = NGX_MEDIA_VOD_VERSION;
    file->id = blob->index->id;
    file->tag = blob->tag;
    file->offset = blob->offset;
    file->status = 200;
    file->fragmented = blob->fragmented;
    file->fragments = blob->fragments;

    ngx_memcpy(file->error, blob->note, sizeof(file->error));

    p += sizeof(ngx_media_vod_file_t)
         + blob->ntracks * sizeof(ngx_media_vod_track_t);

    for (i = 0; i < blob->ntracks; i++) {
        t = blob->tracks[i];

        if (t->drop) {
            continue;
        }

        track = &file->tracks[file->ntracks++];
        *track = t->track;

        p = ngx_align_ptr(p, 16);
        track->params = (uint32_t) (p - (u_char *) file);

        if (t->text) {
            track->nparams = (uint32_t) t->text_len;
            p = ngx_cpymem(p, t->text, t->text_len);
            continue;
        }

        track->nparams = t->nparams;
        track->params_size = (uint32_t) ngx_media_vod_blob_stride(t);
        ngx_media_vod_blob_skip(t);

        for (k = 0; k < t->nparams; k++) {
            ngx_media_params_copy((ngx_media_params_t *) (void *) p,
                                  &t->params[k]);
            p += track->params_size;
        }

        p = ngx_align_ptr(p, 16);
        track->index = (uint32_t) (p - (u_char *) file);
        p = ngx_cpymem(p, t->index, t->index->size);
    }

    file->size = (uint32_t) (p - (u_char *) file);

    return file;
}


/*
 * What players are to skip, as PreSkip of Opus: it has been left out, or has
 * negative times.  Players that drop as much again, wherever they begin, would
 * lose sound.
 */

static void
ngx_media_vod_blob_skip(const ngx_media_vod_blob_track_t *t)
{
    uint32_t                  i;
    const ngx_media_codec_t  *codec;

    for (i = 0; i < t->nparams; i++) {
        codec = ngx_media_codec_find(t->params[i].codec);

        if (codec && codec->skip) {
            (void) ngx_media_put_be16(t->params[i].config + codec->skip, 0);
        }
    }
}


void
ngx_media_vod_blob_free(ngx_media_vod_blob_t *blob)
{
    ngx_uint_t                   i;
    ngx_media_vod_blob_track_t  *t;

    for (i = 0; i < blob->ntracks; i++) {
        t = blob->tracks[i];

        ngx_media_vod_blob_pieces(t);
        free(t->index);
        free(t->params);
        free(t->text);
        free(t);
    }

    blob->ntracks = 0;
}


static void
ngx_media_vod_blob_pieces(ngx_media_vod_blob_track_t *t)
{
    ngx_media_index_piece_t  *next;

    while (t->build.first) {
        next = t->build.first->next;
        free(t->build.first);
        t->build.first = next;
    }

    t->build.last = NULL;
}
