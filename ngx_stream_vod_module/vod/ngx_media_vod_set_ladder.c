
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Rungs in a set.  Where there is one track of video, each rung that the
 * ladder has for it is a track of the same samples, cut at the same times; its
 * parameters are had by opening its encoder once, with a picture of the file.
 * A set with several renditions is a ladder already.
 *
 * What cannot be encoded here is left out, and the log says why.
 */


#include "vod/ngx_media_vod_set_make.h"

#if (NGX_MEDIA_HAVE_AV)

#include "vod/ngx_media_vod_crumb.h"
#include "vod/ngx_media_vod_encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


/* key frames that are tried for a picture */
#define NGX_MEDIA_VOD_SET_TRIES    3

/* B-frames, and pictures by which they reorder, at most */
#define NGX_MEDIA_VOD_SET_BFRAMES  2

/* a rate that the stream says is believed if it is that near, % */
#define NGX_MEDIA_VOD_SET_NEAR     1

/* bytes around the media of a segment, and of each picture */
#define NGX_MEDIA_VOD_SET_HEAD     256
#define NGX_MEDIA_VOD_SET_PICTURE  16

/* frames of audio a second, about */
#define NGX_MEDIA_VOD_SET_FRAMES   50


/* of the source in one clip */

typedef struct {
    const ngx_media_vod_open_t   *open;
    const ngx_media_vod_track_t  *track;
    const ngx_media_index_t      *index;
    const ngx_media_params_t     *params;
    ngx_media_av_frame_t         *picture;
    uint64_t                      bandwidth;
    uint64_t                      duration;   /* of all samples, */
    uint64_t                      longest;    /* of one */
    uint64_t                      early;      /* that a picture is shown before
                                                 the frame in its place is
                                                 decoded, at most */
    uint32_t                      pictures;
    u_char                        error[NGX_MEDIA_AV_ERROR];
} ngx_media_vod_set_film_t;


static ngx_int_t ngx_media_vod_set_films(ngx_media_vod_set_ctx_t *ctx,
    ngx_media_vod_set_film_t *films);
static ngx_int_t ngx_media_vod_set_scan(ngx_media_vod_set_film_t *film);
static ngx_int_t ngx_media_vod_set_times(ngx_media_vod_set_film_t *film,
    int64_t *dts, int64_t *pts);
static int ngx_media_vod_set_compare(const void *one, const void *two);
static void ngx_media_vod_set_try(ngx_media_vod_set_ctx_t *ctx,
    ngx_media_vod_set_film_t *film);
static void ngx_media_vod_set_shot(ngx_media_vod_set_film_t *film);
static ngx_media_av_frame_t *ngx_media_vod_set_decode(
    ngx_media_vod_set_film_t *film, const ngx_media_index_sample_t *sample);
static ngx_uint_t ngx_media_vod_set_rung_add(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t rung, ngx_media_vod_set_film_t *films, ngx_uint_t capped);
static ngx_int_t ngx_media_vod_set_rung_open(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t rung, ngx_media_vod_set_film_t *film, ngx_uint_t capped,
    ngx_media_vod_set_own_t *own);
static void ngx_media_vod_set_rung_times(const ngx_media_ladder_rung_t *rung,
    ngx_media_vod_set_film_t *film, ngx_media_vod_set_own_t *own,
    ngx_media_params_t *params);
static ngx_int_t ngx_media_vod_set_rung_params(
    const ngx_media_ladder_rung_t *rung, ngx_media_vod_set_film_t *film,
    ngx_media_vod_set_own_t *own, ngx_media_params_t *params);
static ngx_int_t ngx_media_vod_set_rung_learn(
    const ngx_media_av_encoder_conf_t *conf, const ngx_media_av_frame_t *frame,
    ngx_media_params_t *params, u_char *error);
static ngx_uint_t ngx_media_vod_set_number(const ngx_media_av_kind_t *kind);
static void ngx_media_vod_set_unlist(ngx_media_vod_set_ctx_t *ctx);


/* of the process */
static ngx_media_av_known_t  ngx_media_vod_set_known;


uint64_t
ngx_media_vod_ladder_tag(const ngx_media_vod_ladder_t *ladder)
{
    uint64_t    tag[NGX_MEDIA_LADDER_RUNGS + NGX_MEDIA_LADDER_AUDIOS + 2];
    ngx_uint_t  i, n;

    if (ladder == NULL) {
        return 0;
    }

    n = 0;
    tag[n++] = ngx_media_av_version(NULL);
    tag[n++] = ladder->ladder->source;

    for (i = 0; i < ladder->ladder->nrungs; i++) {
        tag[n++] = ngx_media_ladder_tag(ladder->ladder, i);
    }

    for (i = 0; i < ladder->ladder->naudios; i++) {
        tag[n++] = ngx_media_ladder_audio_tag(ladder->ladder, i);
    }

    return ngx_media_hash((u_char *) tag, n * sizeof(uint64_t));
}


ngx_int_t
ngx_media_vod_set_ladder(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_uint_t                 added, i, nclips;
    const ngx_media_ladder_t  *ladder;
    ngx_media_vod_set_film_t  *films;

    if (ctx->make->ladder == NULL || ctx->ntracks > 1) {
        return NGX_OK;
    }

    /* what no player takes plays by its rungs */

    for (i = 0; ctx->ntracks == 0 && i < ctx->make->map->nsequences; i++) {
        ctx->ntracks += ngx_media_vod_set_foreign(ctx, NGX_MEDIA_VIDEO, i, 0);
    }

    if (ctx->ntracks == 0) {
        return NGX_OK;
    }

    ladder = ctx->make->ladder->ladder;
    nclips = ctx->make->map->nclips;

    films = calloc(nclips, sizeof(ngx_media_vod_set_film_t));

    if (films == NULL) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    rc = ngx_media_vod_set_films(ctx, films);
    added = 0;

    for (i = 0; i < ladder->nrungs && rc == NGX_OK; i++) {
        added += ngx_media_vod_set_rung_add(ctx, i, films, 0);
    }

    /* smaller than all of them: the smallest, of its size */

    if (rc == NGX_OK && added == 0 && ladder->nrungs
        && (ctx->foreign[0] || !ladder->source))
    {
        added += ngx_media_vod_set_rung_add(ctx, ladder->nrungs - 1, films, 1);
    }

    if (ctx->foreign[0] || (added && !ladder->source)) {
        ngx_media_vod_set_unlist(ctx);
    }

    for (i = 0; i < nclips; i++) {
        ngx_media_av_frame_free(films[i].picture);
    }

    free(films);

    return ctx->no_memory ? NGX_ERROR : NGX_OK;
}


/* NGX_DECLINED: there can be no rungs, and it is noted why */

static ngx_int_t
ngx_media_vod_set_films(ngx_media_vod_set_ctx_t *ctx,
    ngx_media_vod_set_film_t *films)
{
    uint32_t                   n;
    ngx_uint_t                 i;
    ngx_media_av_shape_t       shape;
    const ngx_media_vod_map_t  *map;
    ngx_media_vod_set_film_t  *film;

    map = ctx->make->map;

    for (i = 0; i < map->nclips; i++) {
        film = &films[i];
        n = ngx_media_vod_set_find(ctx, 0, i);

        if (n == NGX_MEDIA_VOD_NONE) {
            continue;
        }

        film->open = &ctx->make->files[ctx->tracks[0].sequence * map->nclips
                                       + i];
        film->track = &film->open->file->tracks[n];
        film->index = ngx_media_vod_at(film->open->file, film->track->index);
        film->params = ngx_media_vod_params_any(film->open->file, film->track,
                                                0);

        (void) snprintf((char *) film->error, sizeof(film->error),
                        "index is broken");

        if (ngx_media_vod_set_scan(film) == NGX_OK) {
            ngx_media_vod_set_try(ctx, film);
        }

        if (film->picture == NULL) {
            ngx_media_vod_set_note(ctx, "no rungs are made of clip %u, its "
                                   "video cannot be decoded: %s",
                                   (unsigned) i + 1, film->error);
            return NGX_DECLINED;
        }

        ngx_media_av_frame_shape(film->picture, &shape);

        if (shape.interlaced) {
            ngx_media_vod_set_note(ctx, "no rungs are made of clip %u, its "
                                   "video is interlaced", (unsigned) i + 1);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/*
 * All samples are looked at once.  What is appended to a file may not change
 * what is said of it: of fragments the first GOP tells.
 */

static ngx_int_t
ngx_media_vod_set_scan(ngx_media_vod_set_film_t *film)
{
    int64_t                  *times;
    uint64_t                  bits;
    uint32_t                  n;
    ngx_int_t                 rc;

    if (ngx_media_index_check(film->index, film->index->size) != NGX_OK
        || film->index->timescale == 0
        || film->index->end <= film->index->first)
    {
        return NGX_ERROR;
    }

    n = film->index->end - film->index->first;

    times = malloc((size_t) n * 2 * sizeof(int64_t));
    if (times == NULL) {
        return NGX_ERROR;
    }

    film->pictures = n;

    rc = ngx_media_vod_set_times(film, times, times + n);

    free(times);

    if (rc != NGX_OK || film->duration == 0) {
        return NGX_ERROR;
    }

    if (!film->open->file->fragments) {
        bits = film->index->bytes * 8;

        film->bandwidth = (uint64_t) ((double) bits * film->index->timescale
                                      / (double) film->duration);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_set_times(ngx_media_vod_set_film_t *film, int64_t *dts,
    int64_t *pts)
{
    uint32_t                  i;
    ngx_media_index_reader_t  reader;
    ngx_media_index_sample_t  sample;

    ngx_media_index_open(&reader, film->index);

    if (ngx_media_index_seek(&reader, film->index->first) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < film->pictures; i++) {

        if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
            return NGX_ERROR;
        }

        if (i && sample.key && film->open->file->fragments) {
            film->pictures = i;
            break;
        }

        dts[i] = sample.dts;
        pts[i] = sample.dts + sample.cto;

        film->duration += sample.duration;

        if (i + 1 < film->pictures) {
            film->longest = ngx_max(film->longest, sample.duration);
        }
    }

    qsort(pts, film->pictures, sizeof(int64_t), ngx_media_vod_set_compare);

    for (i = 0; i < film->pictures; i++) {
        if (dts[i] > pts[i]) {
            film->early = ngx_max(film->early, (uint64_t) (dts[i] - pts[i]));
        }
    }

    return NGX_OK;
}


static int
ngx_media_vod_set_compare(const void *one, const void *two)
{
    int64_t  a, b;

    a = *(const int64_t *) one;
    b = *(const int64_t *) two;

    return (a < b) ? -1 : (a > b);
}


/* it is had, unless workers ended twice meanwhile */

static void
ngx_media_vod_set_try(ngx_media_vod_set_ctx_t *ctx,
    ngx_media_vod_set_film_t *film)
{
    ngx_media_vod_id_t     id;
    ngx_media_vod_crumb_t  crumb;

    ngx_memzero(&id, sizeof(ngx_media_vod_id_t));

    id.ino = film->open->file->tag;

    if (ngx_media_vod_crumb_open(&crumb, ctx->make->temp, &id,
                                 ngx_media_hash((u_char *) &id, sizeof(id)),
                                 ctx->make->now)
        != NGX_OK)
    {
        (void) snprintf((char *) film->error, sizeof(film->error),
                        "it ended workers twice, it is left alone for an "
                        "hour");
        return;
    }

    ngx_media_vod_crumb_enter(&crumb);

    ngx_media_vod_set_shot(film);

    ngx_media_vod_crumb_leave(&crumb);
    ngx_media_vod_crumb_close(&crumb);
}


/* a picture of it, from one of its first key frames */

static void
ngx_media_vod_set_shot(ngx_media_vod_set_film_t *film)
{
    uint32_t                  i;
    ngx_media_index_reader_t  reader;
    ngx_media_index_sample_t  sample;

    ngx_media_index_open(&reader, film->index);

    for (i = 0; i < NGX_MEDIA_VOD_SET_TRIES && film->picture == NULL; i++) {

        if (ngx_media_index_seek_key_number(&reader, i) != NGX_OK
            || ngx_media_index_next(&reader, &sample) != NGX_OK)
        {
            return;
        }

        film->picture = ngx_media_vod_set_decode(film, &sample);
    }
}


static ngx_media_av_frame_t *
ngx_media_vod_set_decode(ngx_media_vod_set_film_t *film,
    const ngx_media_index_sample_t *sample)
{
    u_char                    *buf;
    ssize_t                    n;
    ngx_media_av_frame_t      *frame;
    ngx_media_av_decoder_t    *decoder;
    const ngx_media_params_t  *params;

    params = ngx_media_vod_params_any(film->open->file, film->track,
                                      sample->description);

    if (params == NULL || sample->size == 0
        || sample->size > NGX_MEDIA_AV_FRAME)
    {
        return NULL;
    }

    buf = malloc(sample->size);
    if (buf == NULL) {
        return NULL;
    }

    n = pread(film->open->fd, buf, sample->size, (off_t) sample->offset);
    frame = NULL;

    decoder = (n == (ssize_t) sample->size)
              ? ngx_media_av_decoder_open(params, 0, film->error) : NULL;

    if (decoder) {
        (void) snprintf((char *) film->error, sizeof(film->error),
                        "no picture comes of its first key frames");

        (void) ngx_media_av_decoder_send(decoder, buf, sample->size, 0, 1, 0);
        ngx_media_av_decoder_drain(decoder);

        frame = ngx_media_av_decoder_picture(decoder);

        ngx_media_av_decoder_close(decoder);
    }

    free(buf);

    return frame;
}


/* whether it was added; of all clips or of none */

static ngx_uint_t
ngx_media_vod_set_rung_add(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t rung,
    ngx_media_vod_set_film_t *films, ngx_uint_t capped)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_media_vod_set_own_t        *own;
    const ngx_media_ladder_rung_t  *r;

    own = ngx_media_vod_set_own(ctx);
    if (own == NULL) {
        return 0;
    }

    r = &ctx->make->ladder->ladder->rungs[rung];

    for (i = 0; i < ctx->make->map->nclips; i++) {

        if (films[i].open == NULL) {
            continue;
        }

        rc = ngx_media_vod_set_rung_open(ctx, rung, &films[i], capped,
                                         &own[i]);

        if (rc == NGX_ERROR) {
            ngx_media_vod_set_note(ctx, "rung %.*s is left out: %s",
                                   (int) r->name.len, (char *) r->name.data,
                                   films[i].error);
        }

        if (rc != NGX_OK) {
            ngx_media_vod_set_disown(ctx, ctx->ntracks);
            return 0;
        }
    }

    for (i = 0; i < ctx->make->map->nclips; i++) {
        ngx_media_vod_set_mark(ctx, own[i].made);
    }

    ctx->tracks[ctx->ntracks] = ctx->tracks[0];
    ctx->tracks[ctx->ntracks].rung = (uint32_t) rung + 1;
    ctx->ordinal[ctx->ntracks] = ctx->ordinal[0];
    ctx->foreign[ctx->ntracks] = ctx->foreign[0];
    ctx->ntracks++;

    return 1;
}


/* NGX_DECLINED: the ladder has none for this clip */

static ngx_int_t
ngx_media_vod_set_rung_open(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t rung,
    ngx_media_vod_set_film_t *film, ngx_uint_t capped,
    ngx_media_vod_set_own_t *own)
{
    uint64_t                        made[4];
    ngx_int_t                       rc;
    ngx_media_params_t             *params;
    const ngx_media_ladder_t       *ladder;
    ngx_media_ladder_shape_t        shape;
    const ngx_media_ladder_rung_t  *r;

    ladder = ctx->make->ladder->ladder;
    r = &ladder->rungs[rung];

    if (ngx_media_ladder_shape(ladder, rung, film->params, film->bandwidth,
                               &shape)
        != NGX_OK
        || (shape.capped && !capped))
    {
        return NGX_DECLINED;
    }

    params = calloc(1, sizeof(ngx_media_params_t));
    if (params == NULL) {
        ctx->no_memory = 1;
        return NGX_ERROR;
    }

    params->width = shape.width;
    params->height = shape.height;
    params->fps_num = shape.fps_num;
    params->fps_den = shape.fps_den;

    ngx_media_vod_set_rung_times(r, film, own, params);

    rc = ngx_media_vod_set_rung_params(r, film, own, params);

    if (rc != NGX_OK) {
        free(params);
        return rc;
    }

    own->params = params;

    made[0] = ngx_media_ladder_tag(ladder, rung);
    made[1] = ngx_media_av_version(ngx_media_av_encoder_name(
                                  ngx_media_av_encoder_entry(own->encoder)));
    made[2] = ngx_media_hash((u_char *) params,
                             ngx_media_params_size(params));
    made[3] = own->bframes;

    own->made = ngx_media_hash((u_char *) made, sizeof(made));

    return NGX_OK;
}


/*
 * Rate control counts pictures, so the rate is what there are in fact.
 *
 * B-frames delay what is decoded.  Not all players take that away, so a rung
 * has no more of them than the delay of its source has room for, unless they
 * are asked for; and none where pictures are not about as long, where the
 * longest would tell.
 */

static void
ngx_media_vod_set_rung_times(const ngx_media_ladder_rung_t *rung,
    ngx_media_vod_set_film_t *film, ngx_media_vod_set_own_t *own,
    ngx_media_params_t *params)
{
    double    rate, said;
    uint64_t  delay, each, room;

    rate = (double) film->pictures * film->index->timescale
           / (double) film->duration / (rung->half ? 2 : 1);

    said = params->fps_den ? (double) params->fps_num / params->fps_den : 0;

    if (said > rate * (100 + NGX_MEDIA_VOD_SET_NEAR) / 100
        || said < rate * (100 - NGX_MEDIA_VOD_SET_NEAR) / 100)
    {
        params->fps_num = (uint32_t) ngx_min(rate * 1000 + 0.5, 1000000);
        params->fps_num = ngx_max(params->fps_num, 1);
        params->fps_den = 1000;
    }

    room = ngx_media_vod_delay(film->index);
    room = room > film->early ? room - film->early : 0;
    each = ngx_max(film->longest * (rung->half ? 2 : 1), 1);

    own->bframes = (uint32_t) ngx_min(room / each, NGX_MEDIA_VOD_SET_BFRAMES);

    if (rung->bframes_set) {
        own->bframes = (uint32_t) rung->bframes;
    }

    if (film->longest * film->pictures * 2 > film->duration * 3) {
        own->bframes = 0;
    }

    delay = film->early
            + each * ngx_min(own->bframes, NGX_MEDIA_VOD_SET_BFRAMES);

    own->delay = (uint32_t) ngx_min(delay, INT32_MAX / 4);
}


static ngx_int_t
ngx_media_vod_set_rung_params(const ngx_media_ladder_rung_t *rung,
    ngx_media_vod_set_film_t *film, ngx_media_vod_set_own_t *own,
    ngx_media_params_t *params)
{
    ngx_int_t                     rc;
    ngx_media_av_shape_t          shape;
    ngx_media_av_frame_t         *frame;
    ngx_media_av_scaler_t        *scaler;
    ngx_media_av_encoder_conf_t   conf;

    ngx_media_av_frame_shape(film->picture, &shape);

    /* PQ and HLG stay what they are, which not all encoders can do */

    params->bit_depth = shape.wide ? 10 : 8;

    ngx_media_vod_encode_conf(&conf, rung, params, own->bframes, NULL);

    if (ngx_media_av_encoder_choose(&conf, rung->kinds, rung->nkinds,
                                    &ngx_media_vod_set_known, film->error,
                                    NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    own->encoder = (uint32_t) ngx_media_vod_set_number(conf.kind);

    scaler = ngx_media_av_scaler_open(params->width, params->height,
                                      params->bit_depth, film->error);
    if (scaler == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    frame = ngx_media_av_scaler_scale(scaler, film->picture, film->error);

    if (frame) {
        rc = ngx_media_vod_set_rung_learn(&conf, frame, params, film->error);
        ngx_media_av_frame_free(frame);
    }

    ngx_media_av_scaler_close(scaler);

    params->timescale = film->index->timescale;
    params->rotation = film->track->rotation;

    return rc;
}


/* from what the encoder says when it is open, or else with its first frame */

static ngx_int_t
ngx_media_vod_set_rung_learn(const ngx_media_av_encoder_conf_t *conf,
    const ngx_media_av_frame_t *frame, ngx_media_params_t *params,
    u_char *error)
{
    ngx_media_av_packet_t      packet;
    ngx_media_av_encoder_t    *e;
    const ngx_media_params_t  *own;

    e = ngx_media_av_encoder_open(conf, frame, error);
    if (e == NULL) {
        return NGX_ERROR;
    }

    own = ngx_media_av_encoder_params(e);

    if (own == NULL && ngx_media_av_encoder_send(e, frame, 1) == NGX_OK) {
        ngx_media_av_encoder_drain(e);
        (void) ngx_media_av_encoder_packet(e, &packet);

        own = ngx_media_av_encoder_params(e);
    }

    if (own) {
        ngx_memzero(params, sizeof(ngx_media_params_t));
        ngx_media_params_copy(params, own);

    } else {
        ngx_memcpy(error, ngx_media_av_encoder_error(e), NGX_MEDIA_AV_ERROR);
    }

    ngx_media_av_encoder_close(e);

    return own ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
ngx_media_vod_set_number(const ngx_media_av_kind_t *kind)
{
    ngx_uint_t  i;

    for (i = 0; ngx_media_av_encoder_entry(i) != kind; i++) { /* void */ }

    return i;
}


/* those of a channel stay while clips come and go */

void
ngx_media_vod_set_mark(ngx_media_vod_set_ctx_t *ctx, uint64_t made)
{
    uint64_t  tag[2];

    tag[1] = made;

    if (!ctx->make->map->live) {
        tag[0] = ctx->set->tag;
        ctx->set->tag = ngx_media_hash((u_char *) tag, sizeof(tag));
    }

    tag[0] = ctx->set->hash;
    ctx->set->hash = ngx_media_hash((u_char *) tag, sizeof(tag));
}


/* of the next track; NULL: there is no room for one, or no memory */

ngx_media_vod_set_own_t *
ngx_media_vod_set_own(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_media_vod_set_own_t  *own;

    if (ctx->ntracks == NGX_MEDIA_VOD_SET_TRACKS) {
        return NULL;
    }

    own = calloc(ctx->make->map->nclips, sizeof(ngx_media_vod_set_own_t));

    if (own == NULL) {
        ctx->no_memory = 1;
    }

    ctx->own[ctx->ntracks] = own;

    return own;
}


void
ngx_media_vod_set_disown(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track)
{
    ngx_uint_t                i;
    ngx_media_vod_set_own_t  *own;

    own = ctx->own[track];

    if (own == NULL) {
        return;
    }

    for (i = 0; i < ctx->make->map->nclips; i++) {
        free(own[i].params);
        free(own[i].index);
    }

    free(own);
    ctx->own[track] = NULL;
}


/* rungs alone are tracks: "source off", or nobody could play it */

static void
ngx_media_vod_set_unlist(ngx_media_vod_set_ctx_t *ctx)
{
    ctx->ntracks--;

    ngx_memmove(&ctx->tracks[0], &ctx->tracks[1],
                ctx->ntracks * sizeof(ngx_media_vod_set_track_t));
    ngx_memmove(&ctx->ordinal[0], &ctx->ordinal[1],
                ctx->ntracks * sizeof(uint32_t));
    ngx_memmove(&ctx->foreign[0], &ctx->foreign[1], ctx->ntracks);
    ngx_memmove(&ctx->own[0], &ctx->own[1],
                ctx->ntracks * sizeof(ngx_media_vod_set_own_t *));

    ctx->own[ctx->ntracks] = NULL;
}


ngx_int_t
ngx_media_vod_set_rung(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track)
{
    size_t                      size;
    uint32_t                    offset;
    ngx_media_params_t         *params;
    ngx_media_vod_set_own_t    *own;
    ngx_media_vod_set_clip_t   *c;
    ngx_media_vod_set_track_t  *t;

    t = &ctx->tracks[track];
    own = &ctx->own[track][clip];
    params = own->params;

    size = ngx_media_params_size(params);

    if (ngx_media_vod_set_reserve(ctx, size, &offset) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_media_vod_at(ctx->set, offset), params, size);

    c = ngx_media_vod_set_clip(ctx->set, clip, track);

    c->own = offset;
    c->encoder = own->encoder;
    c->bframes = own->bframes;
    c->delay = own->delay;
    c->made = own->made;
    c->origin = own->origin;

    if (params->fps_den) {
        c->fps = (uint32_t) ((uint64_t) params->fps_num * 1000
                             / params->fps_den);
        t->fps = ngx_max(t->fps, c->fps);
    }

    return NGX_OK;
}


/*
 * What its rate control allows: 1.15 times the rate, and half a second of it
 * more in each segment, with what is around its pictures
 */

void
ngx_media_vod_set_rung_rate(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track)
{
    uint64_t                        around, rate;
    ngx_media_vod_set_track_t      *t;
    const ngx_media_ladder_t       *ladder;

    t = &ctx->tracks[track];
    ladder = ctx->make->ladder->ladder;

    if (t->type == NGX_MEDIA_VIDEO) {
        rate = ladder->rungs[t->rung - 1].bitrate;
        around = (uint64_t) t->fps * NGX_MEDIA_VOD_SET_PICTURE * 8 / 1000
                 + NGX_MEDIA_VOD_SET_HEAD * 8;

    } else {
        rate = ladder->audios[t->rung - 1].bitrate;
        around = NGX_MEDIA_VOD_SET_FRAMES * NGX_MEDIA_VOD_SET_PICTURE * 8
                 + NGX_MEDIA_VOD_SET_HEAD * 8;
    }

    t->average = rate + around;
    t->bandwidth = rate * 115 / 100 * (ctx->set->target * 2 + 1)
                   / (ctx->set->target * 2) + around;

    /* packets of 188 bytes, 4 or more of each are not media */

    t->ts_average = t->average + t->average / 12;
    t->ts_bandwidth = t->bandwidth + t->bandwidth / 12;
}


void
ngx_media_vod_set_ladder_free(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_VOD_SET_TRACKS; i++) {
        ngx_media_vod_set_disown(ctx, i);
    }
}

#else

uint64_t
ngx_media_vod_ladder_tag(const ngx_media_vod_ladder_t *ladder)
{
    return 0;
}


ngx_int_t
ngx_media_vod_set_ladder(ngx_media_vod_set_ctx_t *ctx)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_rung(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t clip,
    ngx_uint_t track)
{
    return NGX_ERROR;
}


void
ngx_media_vod_set_rung_rate(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track)
{
}


void
ngx_media_vod_set_ladder_free(ngx_media_vod_set_ctx_t *ctx)
{
}

#endif
