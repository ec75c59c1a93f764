
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which video tracks of a file are renditions of one film.
 *
 * A container holds tracks of video that are none: the still picture of a
 * motion photo, the depth of a cinematic recording, a cover.  Nothing in it
 * tells them apart, their tkhd is that of any other track; and as they have
 * less to send a player would choose them.  So of a file the first track that
 * is enabled is its film, and another one a rendition of it only if it is
 * shown at the same time, moves, and has the same shape.  Of what grows one
 * track may be ahead of another: there only begin and shape tell.
 */


#include "vod/ngx_media_vod_set_make.h"

#include <stdlib.h>


#define NGX_MEDIA_VOD_SET_MOVES  10           /* pictures a second */
#define NGX_MEDIA_VOD_SET_SHAPE  0.02         /* of an aspect ratio */


/* what of a track is compared */

typedef struct {
    double                    start;          /* s */
    double                    end;
    double                    aspect;         /* as it is shown */
    uint32_t                  pictures;
} ngx_media_vod_set_video_t;


static void ngx_media_vod_set_video_file(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t n);
static uint32_t ngx_media_vod_set_film(const ngx_media_vod_file_t *file);
static ngx_int_t ngx_media_vod_set_video(const ngx_media_vod_file_t *file,
    uint32_t track, ngx_media_vod_set_video_t *video);
static const char *ngx_media_vod_set_video_other(
    const ngx_media_vod_set_ctx_t *ctx, const ngx_media_vod_set_video_t *film,
    const ngx_media_vod_set_video_t *video);


ngx_int_t
ngx_media_vod_set_videos(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_uint_t                  i;
    const ngx_media_vod_map_t  *map;

    map = ctx->make->map;

    ctx->left_out = calloc(ctx->set->nfiles, sizeof(uint32_t));

    if (ctx->left_out == NULL) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->set->nfiles; i++) {

        /* what a map names is wanted */

        if (map->sequences[i / map->nclips].tracks
            == NGX_MEDIA_VOD_SET_ALL)
        {
            ngx_media_vod_set_video_file(ctx, i);
        }
    }

    return NGX_OK;
}


static void
ngx_media_vod_set_video_file(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t n)
{
    uint32_t                     first, i, number;
    const char                  *why;
    const ngx_media_vod_file_t  *file;
    ngx_media_vod_set_video_t    film, video;

    file = ctx->make->files[n].file;
    first = ngx_media_vod_set_film(file);

    if (first == NGX_MEDIA_VOD_NONE
        || ngx_media_vod_set_video(file, first, &film) != NGX_OK)
    {
        return;
    }

    number = 0;

    for (i = 0; i < file->ntracks; i++) {

        if (file->tracks[i].type != NGX_MEDIA_VIDEO
            || !ngx_media_vod_served(file, &file->tracks[i]))
        {
            continue;
        }

        number++;

        if (i == first
            || ngx_media_vod_set_video(file, i, &video) != NGX_OK)
        {
            continue;
        }

        why = ngx_media_vod_set_video_other(ctx, &film, &video);

        if (why == NULL) {
            continue;
        }

        ctx->left_out[n] |= (uint32_t) 1 << i;

        ngx_media_vod_set_note(ctx, "video %u of file %u is left out, it is"
                               " no rendition of the first: %s, %u pictures"
                               " in %.3f s", (unsigned) number,
                               (unsigned) n + 1, why,
                               (unsigned) video.pictures,
                               video.end - video.start);
    }
}


/* the first that is enabled, else the first; NONE: there are not two */

static uint32_t
ngx_media_vod_set_film(const ngx_media_vod_file_t *file)
{
    uint32_t  film, i, n;

    film = NGX_MEDIA_VOD_NONE;
    n = 0;

    for (i = 0; i < file->ntracks; i++) {

        if (file->tracks[i].type != NGX_MEDIA_VIDEO
            || !ngx_media_vod_served(file, &file->tracks[i]))
        {
            continue;
        }

        n++;

        if (film == NGX_MEDIA_VOD_NONE
            || (file->tracks[i].is_default && !file->tracks[film].is_default))
        {
            film = i;
        }
    }

    return (n > 1) ? film : NGX_MEDIA_VOD_NONE;
}


/* an index that is broken is found out where it is used */

static ngx_int_t
ngx_media_vod_set_video(const ngx_media_vod_file_t *file, uint32_t track,
    ngx_media_vod_set_video_t *video)
{
    int64_t                       end;
    double                        sar;
    ngx_media_plan_range_t        range;
    ngx_media_index_sample_t      sample;
    const ngx_media_index_t      *index;
    const ngx_media_params_t     *params;
    const ngx_media_vod_track_t  *t;

    t = &file->tracks[track];
    index = ngx_media_vod_at(file, t->index);
    params = ngx_media_vod_params(file, t, 0);

    if (ngx_media_index_check(index, index->size) != NGX_OK
        || index->timescale == 0)
    {
        return NGX_ERROR;
    }

    range.first = index->first;
    range.end = index->end;
    range.origin = 0;

    if (ngx_media_plan_end(index, &range, &end) != NGX_OK
        || ngx_media_index_sample(index, index->first, &sample) != NGX_OK)
    {
        return NGX_ERROR;
    }

    video->start = (double) (sample.dts + sample.cto) / index->timescale;
    video->end = (double) end / index->timescale;
    video->pictures = index->end - index->first;

    sar = (params->sar_num && params->sar_den)
          ? (double) params->sar_num / params->sar_den : 1;

    video->aspect = (params->height)
                    ? sar * params->width / params->height : 0;

    if (t->rotation % 180 && video->aspect > 0) {
        video->aspect = 1 / video->aspect;
    }

    return NGX_OK;
}


/* what tells them apart; NULL: nothing does */

static const char *
ngx_media_vod_set_video_other(const ngx_media_vod_set_ctx_t *ctx,
    const ngx_media_vod_set_video_t *film,
    const ngx_media_vod_set_video_t *video)
{
    double      segment, seconds, shape;
    ngx_uint_t  growing;

    segment = (double) ctx->set->segment / 1000;
    seconds = video->end - video->start;
    growing = ctx->set->growing;

    if (film->start - video->start > segment
        || video->start - film->start > segment
        || (!growing && (film->end - video->end > segment
                         || video->end - film->end > segment)))
    {
        return "another time";
    }

    /* slides are slow in each of their renditions */

    if (!growing
        && video->pictures < seconds * NGX_MEDIA_VOD_SET_MOVES
        && video->pictures < film->pictures / 2)
    {
        return "too few pictures";
    }

    shape = film->aspect * NGX_MEDIA_VOD_SET_SHAPE;

    if (film->aspect - video->aspect > shape
        || video->aspect - film->aspect > shape)
    {
        return "another aspect ratio";
    }

    return NULL;
}
