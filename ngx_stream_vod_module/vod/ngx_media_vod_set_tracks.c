
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "vod/ngx_media_vod_set_make.h"

#include <stdio.h>


/* of the bits of sequence->tracks */
#define NGX_MEDIA_VOD_SET_AUDIO  32


static ngx_uint_t ngx_media_vod_set_wanted(
    const ngx_media_vod_sequence_t *sequence, uint32_t type,
    uint32_t ordinal);
static ngx_uint_t ngx_media_vod_set_same(ngx_media_vod_set_ctx_t *ctx,
    const ngx_media_params_t *params);
static ngx_uint_t ngx_media_vod_set_has_video(ngx_media_vod_set_ctx_t *ctx,
    uint32_t sequence);
static const ngx_media_vod_track_t *ngx_media_vod_set_first(
    ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track,
    const ngx_media_vod_file_t **file);
static void ngx_media_vod_set_describe(ngx_media_vod_set_ctx_t *ctx,
    const ngx_media_vod_sequence_t *sequence, const ngx_media_vod_track_t *t);
static void ngx_media_vod_set_text(u_char *dst, size_t size,
    const ngx_str_t *said, const u_char *file);
static void ngx_media_vod_set_names(ngx_media_vod_set_ctx_t *ctx);


ngx_int_t
ngx_media_vod_set_tracks(ngx_media_vod_set_ctx_t *ctx)
{
    uint32_t                         k, type;
    ngx_uint_t                       s, hidden;
    const ngx_media_vod_map_t       *map;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_track_t     *t;
    ngx_media_vod_set_track_t       *track;
    const ngx_media_vod_sequence_t  *sequence;

    map = ctx->make->map;
    hidden = 0;

    if (ngx_media_vod_set_videos(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    for (type = NGX_MEDIA_VIDEO; type <= NGX_MEDIA_TEXT; type++) {
        for (s = 0; s < map->nsequences; s++) {
            sequence = &map->sequences[s];

            for (k = 0; k < NGX_MEDIA_VOD_TRACKS; k++) {

                if (!ngx_media_vod_set_wanted(sequence, type, k)) {
                    continue;
                }

                if (ctx->ntracks == NGX_MEDIA_VOD_SET_TRACKS) {
                    return ngx_media_vod_set_fail(ctx, 500,
                                                  "too many tracks");
                }

                track = &ctx->tracks[ctx->ntracks];
                ctx->ordinal[ctx->ntracks] = k;
                ctx->foreign[ctx->ntracks] = 0;

                ngx_memzero(track, sizeof(ngx_media_vod_set_track_t));

                track->type = type;
                track->sequence = (uint32_t) s;
                track->text = (type == NGX_MEDIA_TEXT);

                t = ngx_media_vod_set_first(ctx, ctx->ntracks, &file);

                if (t == NULL) {
                    break;
                }

                /* of another clip than these, there is no playlist of it */

                if (!track->text
                    && !ngx_media_vod_set_shown(ctx, ctx->ntracks))
                {
                    hidden = 1;
                    continue;
                }

                ngx_media_vod_set_describe(ctx, sequence, t);

                if (type != NGX_MEDIA_AUDIO
                    || !ngx_media_vod_set_same(ctx,
                                        ngx_media_vod_params(file, t, 0)))
                {
                    ctx->ntracks++;
                }
            }
        }

        if (type == NGX_MEDIA_VIDEO
            && ngx_media_vod_set_ladder(ctx) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (type == NGX_MEDIA_AUDIO
            && ngx_media_vod_set_sounds(ctx) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ctx->ntracks == 0 || ctx->tracks[0].type == NGX_MEDIA_TEXT) {

        if (hidden) {
            return ngx_media_vod_set_nothing(ctx, 0);
        }

        return ngx_media_vod_set_fail(ctx, 415,
                                      "neither video nor audio is served");
    }

    ngx_media_vod_set_names(ctx);

    return NGX_OK;
}


static ngx_uint_t
ngx_media_vod_set_wanted(const ngx_media_vod_sequence_t *sequence,
    uint32_t type, uint32_t ordinal)
{
    uint32_t  bit;

    if (sequence->tracks == NGX_MEDIA_VOD_SET_ALL) {
        return 1;
    }

    if (type == NGX_MEDIA_TEXT) {
        return 0;
    }

    bit = ordinal + (type == NGX_MEDIA_AUDIO ? NGX_MEDIA_VOD_SET_AUDIO : 0);

    return ordinal < 32 && (sequence->tracks >> bit & 1);
}


uint32_t
ngx_media_vod_set_find(const ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track,
    ngx_uint_t clip)
{
    uint32_t                         i, k;
    ngx_uint_t                       n;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_set_track_t *t;

    t = &ctx->tracks[track];
    n = t->sequence * ctx->make->map->nclips + clip;
    file = ctx->make->files[n].file;

    k = 0;

    for (i = 0; i < file->ntracks; i++) {

        if (file->tracks[i].type != t->type
            || (ctx->left_out[n] >> i & 1)
            || !(ctx->foreign[track]
                 ? ngx_media_vod_is_foreign(file, &file->tracks[i])
                 : ngx_media_vod_served(file, &file->tracks[i])))
        {
            continue;
        }

        if (k++ == ctx->ordinal[track]) {
            return i;
        }
    }

    return NGX_MEDIA_VOD_NONE;
}


/* the last track, of audio, is as one that a sequence before has */

static ngx_uint_t
ngx_media_vod_set_same(ngx_media_vod_set_ctx_t *ctx,
    const ngx_media_params_t *params)
{
    ngx_uint_t                        i;
    const ngx_media_params_t         *other;
    const ngx_media_vod_file_t       *file;
    const ngx_media_vod_track_t      *first;
    const ngx_media_vod_set_track_t  *t, *track;

    track = &ctx->tracks[ctx->ntracks];

    if (!ngx_media_vod_set_has_video(ctx, track->sequence)) {
        return 0;
    }

    for (i = 0; i < ctx->ntracks; i++) {
        t = &ctx->tracks[i];

        if (t->type != NGX_MEDIA_AUDIO || t->sequence == track->sequence
            || ngx_strcmp(t->lang, track->lang) != 0
            || ngx_strcmp(t->label, track->label) != 0
            || !ngx_media_vod_set_has_video(ctx, t->sequence))
        {
            continue;
        }

        first = ngx_media_vod_set_first(ctx, i, &file);
        other = first ? ngx_media_vod_params(file, first, 0) : NULL;

        if (params && other && params->codec == other->codec
            && params->object_type == other->object_type
            && params->channels == other->channels)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_media_vod_set_has_video(ngx_media_vod_set_ctx_t *ctx, uint32_t sequence)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->ntracks; i++) {
        if (ctx->tracks[i].type == NGX_MEDIA_VIDEO
            && ctx->tracks[i].sequence == sequence)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_media_vod_set_foreign(ngx_media_vod_set_ctx_t *ctx, uint32_t type,
    ngx_uint_t sequence, uint32_t ordinal)
{
    ngx_media_vod_set_track_t       *track;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_track_t     *t;
    const ngx_media_vod_sequence_t  *s;

    s = &ctx->make->map->sequences[sequence];

    if (ctx->ntracks == NGX_MEDIA_VOD_SET_TRACKS
        || (s->tracks != NGX_MEDIA_VOD_SET_ALL
            && !ngx_media_vod_set_wanted(s, type, ordinal)))
    {
        return 0;
    }

    track = &ctx->tracks[ctx->ntracks];

    ngx_memzero(track, sizeof(ngx_media_vod_set_track_t));

    track->type = type;
    track->sequence = (uint32_t) sequence;

    ctx->ordinal[ctx->ntracks] = ordinal;
    ctx->foreign[ctx->ntracks] = 1;

    t = ngx_media_vod_set_first(ctx, ctx->ntracks, &file);

    if (t == NULL || !ngx_media_vod_set_shown(ctx, ctx->ntracks)) {
        ctx->foreign[ctx->ntracks] = 0;
        return 0;
    }

    ngx_media_vod_set_describe(ctx, s, t);

    return 1;
}


/* what a track is in the first clip that has it; NULL: none has */

static const ngx_media_vod_track_t *
ngx_media_vod_set_first(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track,
    const ngx_media_vod_file_t **file)
{
    uint32_t                    n;
    ngx_uint_t                  i;
    const ngx_media_vod_map_t  *map;

    map = ctx->make->map;

    for (i = 0; i < map->nclips; i++) {
        n = ngx_media_vod_set_find(ctx, track, i);

        if (n != NGX_MEDIA_VOD_NONE) {
            *file = ctx->make->files[ctx->tracks[track].sequence * map->nclips
                                     + i].file;

            return &(*file)->tracks[n];
        }
    }

    return NULL;
}


/* what the map says of the last track, or else its file */

static void
ngx_media_vod_set_describe(ngx_media_vod_set_ctx_t *ctx,
    const ngx_media_vod_sequence_t *sequence, const ngx_media_vod_track_t *t)
{
    ngx_media_vod_set_track_t  *track;

    track = &ctx->tracks[ctx->ntracks];

    ngx_media_vod_set_text(track->lang, NGX_MEDIA_LANG, &sequence->lang,
                           t->lang);
    ngx_media_vod_set_text(track->label, NGX_MEDIA_LABEL,
                           &sequence->label, t->label);

    track->is_default = sequence->has_default ? sequence->is_default
                                              : t->is_default;
    track->forced = t->forced;
    track->sdh = t->sdh;
    track->described = t->described;
}


static void
ngx_media_vod_set_text(u_char *dst, size_t size, const ngx_str_t *said,
    const u_char *file)
{
    size_t         len;
    const u_char  *p;

    p = said->len ? said->data : file;
    len = said->len ? said->len : ngx_strlen(file);

    if (len > size - 1) {
        len = size - 1;

        /* not in the middle of a character */

        while (len && (p[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    ngx_memcpy(dst, p, len);
    dst[len] = '\0';
}


/*
 * One default of a type: the first of which the map says it, or else a file;
 * and audio has one in any case
 */

static void
ngx_media_vod_set_names(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_uint_t                  i, first;
    ngx_uint_t                  number[NGX_MEDIA_TEXT + 1];
    ngx_uint_t                  defaults[NGX_MEDIA_TEXT + 1];
    ngx_uint_t                  said[NGX_MEDIA_TEXT + 1];
    ngx_media_vod_set_track_t  *track;

    ngx_memzero(number, sizeof(number));
    ngx_memzero(defaults, sizeof(defaults));
    ngx_memzero(said, sizeof(said));

    for (i = 0; i < ctx->ntracks; i++) {
        track = &ctx->tracks[i];
        said[track->type] |= track->is_default
            && ctx->make->map->sequences[track->sequence].has_default;
    }

    first = NGX_MEDIA_VOD_SET_TRACKS;

    for (i = 0; i < ctx->ntracks; i++) {
        track = &ctx->tracks[i];

        (void) snprintf((char *) track->name, sizeof(track->name), "%c%u",
                        "vat"[track->type], (unsigned) ++number[track->type]);

        if (track->type == NGX_MEDIA_AUDIO
            && first == NGX_MEDIA_VOD_SET_TRACKS)
        {
            first = i;
        }

        if (said[track->type]
            && !ctx->make->map->sequences[track->sequence].has_default)
        {
            track->is_default = 0;
        }

        if (track->is_default && track->type != NGX_MEDIA_VIDEO) {
            track->is_default = (defaults[track->type]++ == 0);
        }
    }

    if (first != NGX_MEDIA_VOD_SET_TRACKS
        && defaults[NGX_MEDIA_AUDIO] == 0)
    {
        ctx->tracks[first].is_default = 1;
    }
}
