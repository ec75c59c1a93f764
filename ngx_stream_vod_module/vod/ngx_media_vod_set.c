
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The set that a map and its files make.  It runs in a thread: memory comes
 * from malloc().
 *
 * Tracks are numbered by type: those of the first sequence, then those of the
 * second.  What the k-th audio track of a sequence is in its first clip, the
 * k-th of each other clip goes on with.  The muxed files of a ladder usually
 * have the same audio: of equal tracks (codec, language, label) of several
 * sequences that have video the first one is kept.
 */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_ts_es.h"
#include "vod/ngx_media_vod_set_make.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>


/* s: a file that was written to so lately may still grow */
#define NGX_MEDIA_VOD_SET_GROWS  60

/* ms by which a file may be written sooner or later than it goes on */
#define NGX_MEDIA_VOD_SET_DRIFT  30000


static ngx_int_t ngx_media_vod_set_run(ngx_media_vod_set_ctx_t *ctx);
static ngx_int_t ngx_media_vod_set_files(ngx_media_vod_set_ctx_t *ctx);
static void ngx_media_vod_set_born(ngx_media_vod_set_ctx_t *ctx);
static int64_t ngx_media_vod_set_birth(ngx_fd_t fd);
static ngx_int_t ngx_media_vod_set_rates(ngx_media_vod_set_ctx_t *ctx);
static void ngx_media_vod_set_fits(ngx_media_vod_set_ctx_t *ctx,
    ngx_media_vod_set_track_t *track, const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *t);
static const ngx_media_plan_t *ngx_media_vod_set_joint(
    ngx_media_vod_set_ctx_t *ctx, ngx_uint_t period, ngx_uint_t track);
static void ngx_media_vod_set_said(ngx_media_vod_set_track_t *track,
    const ngx_media_vod_sequence_t *sequence);
static void ngx_media_vod_set_tag(ngx_media_vod_set_ctx_t *ctx);


void
ngx_media_vod_set_make(ngx_media_vod_set_make_t *make)
{
    ngx_int_t                 rc;
    ngx_media_vod_set_ctx_t  *ctx;

    make->set = NULL;

    ctx = calloc(1, sizeof(ngx_media_vod_set_ctx_t));
    if (ctx == NULL) {
        return;
    }

    ctx->make = make;
    ctx->allocated = 65536;
    ctx->set = calloc(1, ctx->allocated);

    if (ctx->set != NULL) {
        ctx->set->version = NGX_MEDIA_VOD_VERSION;
        ctx->set->size = sizeof(ngx_media_vod_set_t);
        ctx->set->status = 200;

        rc = ngx_media_vod_set_run(ctx);

        if (rc != NGX_OK && ctx->no_memory) {
            free(ctx->set);
            ctx->set = NULL;
        }
    }

    if (ctx->set != NULL && ctx->set->status != 200) {
        ctx->set->size = sizeof(ngx_media_vod_set_t);
        ctx->set->ntracks = 0;
        ctx->set->nperiods = 0;
    }

    make->set = ctx->set;
    ngx_media_vod_set_ladder_free(ctx);
    free(ctx->left_out);
    free(ctx);
}


static ngx_int_t
ngx_media_vod_set_run(ngx_media_vod_set_ctx_t *ctx)
{
    size_t                      n;
    uint32_t                    clips, periods, tracks;
    ngx_uint_t                  i;
    const ngx_media_vod_map_t  *map;

    map = ctx->make->map;

    ctx->set->nfiles = map->nsequences * map->nclips;
    ctx->set->segment = ctx->make->target;

    if (map->segment > 0 && map->segment < INT32_MAX) {
        ctx->set->segment = (uint32_t) map->segment;
    }

    ngx_media_vod_set_tag(ctx);

    if (ngx_media_vod_set_files(ctx) != NGX_OK
        || ngx_media_vod_set_tracks(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ctx->ntracks * sizeof(ngx_media_vod_set_track_t);

    if (ngx_media_vod_set_reserve(ctx, n, &tracks) != NGX_OK
        || ngx_media_vod_set_reserve(ctx,
                         map->nclips * sizeof(ngx_media_vod_period_t),
                         &periods) != NGX_OK
        || ngx_media_vod_set_reserve(ctx, map->nclips * ctx->ntracks
                         * sizeof(ngx_media_vod_set_clip_t), &clips)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->set->ntracks = ctx->ntracks;
    ctx->set->tracks = tracks;
    ctx->set->nperiods = map->nclips;
    ctx->set->periods = periods;
    ctx->set->clips = clips;

    for (i = 0; i < map->nclips; i++) {
        if (ngx_media_vod_set_period(ctx, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (map->note[0]) {
        ngx_media_vod_set_note(ctx, "%s", map->note);
    }

    if (ctx->set->growing) {
        ngx_media_vod_set_born(ctx);
    }

    ctx->set->target = (uint32_t) ((ctx->longest + 999) / 1000);

    if (ctx->set->target == 0) {
        ctx->set->target = 1;
    }

    if (ngx_media_vod_set_rates(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_media_vod_set_track(ctx->set, 0), ctx->tracks, n);

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_set_files(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_uint_t                   i;
    const ngx_media_vod_map_t   *map;
    const ngx_media_vod_open_t  *open;

    map = ctx->make->map;

    if (ctx->set->nfiles == 0 || map->nclips > NGX_MEDIA_VOD_CLIPS
        || map->nsequences > NGX_MEDIA_VOD_SEQUENCES)
    {
        return ngx_media_vod_set_fail(ctx, 500, "%u files in a set",
                                      ctx->set->nfiles);
    }

    for (i = 0; i < ctx->set->nfiles; i++) {
        open = &ctx->make->files[i];

        if (open->file == NULL) {
            return ngx_media_vod_set_fail(ctx, 500, "file %u is missing",
                                          (unsigned) i);
        }

        if (open->file->status != 200) {
            return ngx_media_vod_set_fail(ctx, open->file->status, "%s",
                                          open->file->error);
        }

        /* what is written to right now, and shown as a whole */

        if (open->file->fragmented && map->nclips == 1 && !map->live
            && map->sequences[i].clips[0].to < 0
            && open->id.mtime / 1000000000 + NGX_MEDIA_VOD_SET_GROWS
               > (int64_t) ctx->make->now)
        {
            ctx->set->growing = 1;
        }
    }

    if (ctx->set->growing) {
        ctx->set->hash ^= 1;
    }

    return NGX_OK;
}


/*
 * When a file that grows began: its last write was that of its end, or of some
 * of what follows.  But availabilityStartTime may not move (ISO/IEC 23009-1,
 * 5.4), so it is when the file was made, or else what was said before, unless
 * that is far off: it was copied, or its recording was interrupted.
 */

static void
ngx_media_vod_set_born(ngx_media_vod_set_ctx_t *ctx)
{
    int64_t     birth, born, last;
    ngx_uint_t  i;

    last = 0;

    for (i = 0; i < ctx->set->nfiles; i++) {
        last = ngx_max(last, ctx->make->files[i].id.mtime / 1000000);
    }

    born = ngx_max(last - ctx->set->duration, 1);

    birth = ngx_media_vod_set_birth(ctx->make->files[0].fd);

    if (birth && ngx_abs(born - birth) <= NGX_MEDIA_VOD_SET_DRIFT) {
        born = birth;

    } else if (ctx->make->born
               && ngx_abs(born - ctx->make->born) <= NGX_MEDIA_VOD_SET_DRIFT)
    {
        born = ctx->make->born;
    }

    ctx->set->born = born;
}


/* ms since the epoch; 0: nobody knows */

static int64_t
ngx_media_vod_set_birth(ngx_fd_t fd)
{
#if defined(STATX_BTIME) && defined(AT_EMPTY_PATH)

    struct statx  st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) == 0
        && (st.stx_mask & STATX_BTIME))
    {
        return (int64_t) st.stx_btime.tv_sec * 1000
               + st.stx_btime.tv_nsec / 1000000;
    }

#endif

    return 0;
}


/* bandwidths, and what has to be known of all clips for them */

static ngx_int_t
ngx_media_vod_set_rates(ngx_media_vod_set_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_uint_t                       i, n;
    const ngx_media_vod_file_t      *file;
    ngx_media_vod_set_track_t       *track;
    const ngx_media_vod_track_t     *t;
    ngx_media_vod_set_clip_t        *clip;

    for (n = 0; n < ctx->ntracks; n++) {
        track = &ctx->tracks[n];

        for (i = 0; i < ctx->set->nperiods; i++) {
            clip = ngx_media_vod_set_clip(ctx->set, i, n);

            if (clip->track == NGX_MEDIA_VOD_NONE || track->rung) {
                continue;
            }

            file = ctx->make->files[clip->file].file;
            t = &file->tracks[clip->track];

            if (track->text) {
                ctx->rates[n].cmaf.bytes += t->sidecar ? t->nparams
                    : ((ngx_media_index_t *)
                       ngx_media_vod_at(file, t->index))->bytes;
                ctx->rates[n].cmaf.seconds += (double)
                    ngx_media_vod_set_period_at(ctx->set, i)->duration / 1000;
                continue;
            }

            rc = ngx_media_vod_rate_add(&ctx->rates[n], file, clip,
                                        ngx_media_vod_set_plan(ctx->set, clip),
                                        ngx_media_vod_set_joint(ctx, i, n),
                                        ctx->set->target);

            if (rc == NGX_DECLINED) {
                ctx->no_memory = 1;
                return NGX_ERROR;
            }

            if (rc != NGX_OK) {
                return ngx_media_vod_set_fail(ctx, 500, "index is broken");
            }

            if (track->type == NGX_MEDIA_VIDEO) {
                track->fps = ngx_max(track->fps, clip->fps);
            }

            ngx_media_vod_set_fits(ctx, track, file, t);
        }

        if (track->rung) {
            ngx_media_vod_set_rung_rate(ctx, n);
            continue;
        }

        track->average = ngx_media_vod_rate_average(&ctx->rates[n].cmaf);
        track->bandwidth = ngx_max(ctx->rates[n].cmaf.peak, track->average);
        track->ts_average = ngx_media_vod_rate_average(&ctx->rates[n].ts);
        track->ts_bandwidth = ngx_max(ctx->rates[n].ts.peak,
                                      track->ts_average);

        ngx_media_vod_set_said(track, &ctx->make->map->sequences
                                                  [track->sequence]);

        if (track->type == NGX_MEDIA_VIDEO) {
            track->key_bandwidth = ctx->rates[n].cmaf.key_peak;
            track->ts_key_bandwidth = ctx->rates[n].ts.key_peak;
        }
    }

    return NGX_OK;
}


/* whether all of its frames have room in MPEG-TS */

static void
ngx_media_vod_set_fits(ngx_media_vod_set_ctx_t *ctx,
    ngx_media_vod_set_track_t *track, const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *t)
{
    ngx_media_ts_es_t          es;
    const ngx_media_index_t   *index;
    const ngx_media_params_t  *params;

    index = ngx_media_vod_at(file, t->index);
    params = ngx_media_vod_params(file, t, 0);

    if (track->ts_off || params == NULL
        || ngx_media_ts_es_init(&es, params) != NGX_OK
        || index->max_size <= ngx_media_ts_es_max(&es))
    {
        return;
    }

    track->ts_off = 1;

    ngx_media_vod_set_note(ctx, "%s is not served in MPEG-TS, it has frames"
                           " of up to %u bytes", track->name,
                           (unsigned) index->max_size);
}


/* the video that audio shares its segments of MPEG-TS with; NULL: none */

static const ngx_media_plan_t *
ngx_media_vod_set_joint(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t period,
    ngx_uint_t track)
{
    ngx_uint_t                       i;
    const ngx_media_vod_set_clip_t  *clip;

    if (ctx->tracks[track].type != NGX_MEDIA_AUDIO) {
        return NULL;
    }

    for (i = 0; i < ctx->ntracks; i++) {
        clip = ngx_media_vod_set_clip(ctx->set, period, i);

        if (ctx->tracks[i].type == NGX_MEDIA_VIDEO
            && clip->track != NGX_MEDIA_VOD_NONE)
        {
            return ngx_media_vod_set_plan(ctx->set, clip);
        }
    }

    return NULL;
}


/* a bit rate that the map gives is believed */

static void
ngx_media_vod_set_said(ngx_media_vod_set_track_t *track,
    const ngx_media_vod_sequence_t *sequence)
{
    uint64_t  rate;

    rate = (track->type == NGX_MEDIA_VIDEO) ? sequence->bitrate_video
           : (track->type == NGX_MEDIA_AUDIO) ? sequence->bitrate_audio : 0;

    if (rate) {
        track->bandwidth = rate;
        track->average = ngx_min(track->average, rate);
        track->ts_bandwidth = 0;
        track->ts_average = 0;
    }
}


static void
ngx_media_vod_set_tag(ngx_media_vod_set_ctx_t *ctx)
{
    uint64_t                     channel, hash[5], tag[4];
    ngx_uint_t                   i;
    const ngx_media_vod_open_t  *open;

    tag[0] = NGX_MEDIA_VOD_VERSION;
    tag[1] = 0;
    tag[2] = ctx->set->segment;
    tag[3] = ngx_media_vod_ladder_tag(ctx->make->ladder);

    /*
     * Of a channel clips come and go, and its segments keep their names: by
     * their numbers they are told apart
     */

    channel = ngx_media_hash((u_char *) tag, sizeof(tag));

    tag[1] = ctx->make->map->hash;

    ctx->set->tag = ngx_media_hash((u_char *) tag, sizeof(tag));
    ctx->set->hash = ctx->set->tag;

    for (i = 0; i < ctx->set->nfiles; i++) {
        open = &ctx->make->files[i];

        if (open->file == NULL) {
            continue;
        }

        tag[0] = ctx->set->tag;
        tag[1] = open->file->tag;
        tag[2] = i;

        ctx->set->tag = ngx_media_hash((u_char *) tag, sizeof(tag));

        hash[0] = ctx->set->hash;
        hash[1] = open->id.dev;
        hash[2] = open->id.ino;
        hash[3] = open->id.size;
        hash[4] = (uint64_t) open->id.mtime;

        ctx->set->hash = ngx_media_hash((u_char *) hash, sizeof(hash));
    }

    if (ctx->make->map->live) {
        ctx->set->tag = channel;
    }
}


ngx_int_t
ngx_media_vod_set_reserve(ngx_media_vod_set_ctx_t *ctx, size_t size,
    uint32_t *offset)
{
    size_t                allocated;
    ngx_media_vod_set_t  *set;

    size = ngx_align(size, 8);
    *offset = (uint32_t) ngx_align(ctx->set->size, 8);

    if (size > NGX_MEDIA_VOD_SET_MAX
        || *offset > NGX_MEDIA_VOD_SET_MAX - size)
    {
        return ngx_media_vod_set_fail(ctx, 500, "set is too large");
    }

    if (*offset + size > ctx->allocated) {
        allocated = (*offset + size) * 2;

        set = realloc(ctx->set, allocated);
        if (set == NULL) {
            ctx->no_memory = 1;
            return NGX_ERROR;
        }

        ctx->set = set;
        ctx->allocated = allocated;
    }

    ngx_memzero((u_char *) ctx->set + ctx->set->size,
                *offset + size - ctx->set->size);

    ctx->set->size = (uint32_t) (*offset + size);

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_set_fail(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t status,
    const char *fmt, ...)
{
    va_list  args;

    ctx->set->status = (uint32_t) status;

    va_start(args, fmt);
    (void) vsnprintf((char *) ctx->set->error, NGX_MEDIA_VOD_ERROR, fmt,
                     args);
    va_end(args);

    return NGX_ERROR;
}


void
ngx_media_vod_set_note(ngx_media_vod_set_ctx_t *ctx, const char *fmt, ...)
{
    size_t   n;
    u_char  *note;
    va_list  args;

    note = ctx->set->note;
    n = ngx_strlen(note);

    if (n) {

        if (NGX_MEDIA_VOD_ERROR - n < 3) {
            return;
        }

        note[n++] = ';';
        note[n++] = ' ';
    }

    va_start(args, fmt);
    (void) vsnprintf((char *) note + n, NGX_MEDIA_VOD_ERROR - n, fmt, args);
    va_end(args);
}
