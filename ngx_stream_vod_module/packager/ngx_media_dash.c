
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * DASH of a live stream.  availabilityStartTime is the unix epoch for ever;
 * a Period has the number of its first segment for its id and that segment's
 * wall clock for its start, so restarts and publishers that return only add
 * Periods on one unmoving line.  All that may not change inside a Period
 * comes from its segments, which carry it from the Period's begin.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_mpd.h"
#include "packager/ngx_media_pack.h"


/* suggestedPresentationDelay, in segments */
#define NGX_MEDIA_DASH_DELAY  3

/* ms by which tracks may differ at the end of a stream */
#define NGX_MEDIA_DASH_SLACK  500


typedef struct {
    ngx_pool_t                *pool;
    const ngx_media_stream_view_t
                              *view;
    ngx_media_mpd_t            mpd;
    ngx_media_mpd_period_t    *periods;
    uint64_t                   newest;        /* highest number listed */
    ngx_uint_t                 ntracks;       /* that have listed it */
} ngx_media_dash_t;


static uint64_t ngx_media_dash_next(const ngx_media_stream_view_t *view,
    uint64_t after);
static ngx_uint_t ngx_media_dash_complete(
    const ngx_media_stream_view_t *view, uint64_t period);
static ngx_int_t ngx_media_dash_period(ngx_media_dash_t *ctx,
    uint64_t period);
static ngx_int_t ngx_media_dash_track(ngx_media_dash_t *ctx,
    ngx_uint_t track, ngx_media_mpd_period_t *p,
    ngx_media_mpd_set_t *sets);
static ngx_media_mpd_set_t *ngx_media_dash_set(ngx_media_dash_t *ctx,
    ngx_uint_t track, const ngx_media_init_t *init,
    ngx_media_mpd_period_t *p, ngx_media_mpd_set_t *sets);
static ngx_uint_t ngx_media_dash_alike(const ngx_media_init_t *a,
    const ngx_media_init_t *b);
static ngx_int_t ngx_media_dash_timeline(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, uint64_t period,
    ngx_media_mpd_representation_t *rep, ngx_media_mpd_set_t *set);
static ngx_uint_t ngx_media_dash_run(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, ngx_uint_t first);
static void ngx_media_dash_params(ngx_media_mpd_representation_t *rep,
    const ngx_media_init_t *init);
static void ngx_media_dash_listed(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_segment_t *last,
    uint64_t duration);
static void ngx_media_dash_connect(ngx_media_dash_t *ctx);
static void ngx_media_dash_end(ngx_media_dash_t *ctx);


ngx_int_t
ngx_media_dash_mpd(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_str_t *time_url, ngx_str_t *text)
{
    uint64_t          period;
    ngx_uint_t        n;
    ngx_media_dash_t  ctx;

    if (!view->ready) {
        return NGX_AGAIN;
    }

    ngx_memzero(&ctx, sizeof(ngx_media_dash_t));

    ctx.pool = pool;
    ctx.view = view;

    ctx.mpd.dynamic = 1;
    ctx.mpd.update = view->segment;
    ctx.mpd.min_buffer = view->segment;
    ctx.mpd.depth = view->window;
    ctx.mpd.delay = view->segment * NGX_MEDIA_DASH_DELAY;
    ctx.mpd.max_segment = view->target * 1000;
    ctx.mpd.duration = -1;
    ctx.mpd.now = -1;
    ctx.mpd.time_url = *time_url;

    n = 0;

    for (period = ngx_media_dash_next(view, 0);
         period;
         period = ngx_media_dash_next(view, period))
    {
        n++;
    }

    ctx.periods = ngx_pcalloc(pool, n * sizeof(ngx_media_mpd_period_t) + 1);
    if (ctx.periods == NULL) {
        return NGX_ERROR;
    }

    ctx.mpd.periods = ctx.periods;

    for (period = ngx_media_dash_next(view, 0);
         period;
         period = ngx_media_dash_next(view, period))
    {
        if (!ngx_media_dash_complete(view, period)) {
            continue;
        }

        if (ngx_media_dash_period(&ctx, period) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx.mpd.nperiods == 0) {
        return NGX_AGAIN;
    }

    ngx_media_dash_connect(&ctx);

    if (view->state == NGX_MEDIA_STREAM_ENDED) {
        ngx_media_dash_end(&ctx);
    }

    ctx.mpd.publish_time += ctx.ntracks;

    text->len = ngx_media_mpd_write(NULL, 0, &ctx.mpd);

    text->data = ngx_pnalloc(pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_mpd_write(text->data, text->len, &ctx.mpd);

    return NGX_OK;
}


/* the first period above that has a complete segment; 0: none */

static uint64_t
ngx_media_dash_next(const ngx_media_stream_view_t *view, uint64_t after)
{
    uint64_t                    next;
    ngx_uint_t                  i, n;
    const ngx_media_segment_t  *segments;

    next = 0;

    for (i = 0; i < view->ntracks; i++) {
        segments = view->tracks[i].segments;

        for (n = 0; n < view->tracks[i].nsegments; n++) {

            if (segments[n].open || segments[n].period <= after) {
                continue;
            }

            if (next == 0 || segments[n].period < next) {
                next = segments[n].period;
            }

            break;
        }
    }

    return next;
}


/*
 * An AdaptationSet cannot come later into a Period, or leave it before: it is
 * listed while all tracks that have something in it have a complete segment,
 * or a complete run
 */

static ngx_uint_t
ngx_media_dash_complete(const ngx_media_stream_view_t *view, uint64_t period)
{
    ngx_uint_t                  i;
    const ngx_media_segment_t  *last, *first;

    for (i = 0; i < view->ntracks; i++) {

        if (view->tracks[i].nsegments == 0) {
            continue;
        }

        first = view->tracks[i].segments;
        last = &first[view->tracks[i].nsegments - 1];

        if (last->open && last->period == period
            && (last == first || last[-1].period != period))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_media_dash_period(ngx_media_dash_t *ctx, uint64_t period)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_media_mpd_set_t     *sets;
    ngx_media_mpd_period_t  *p;

    p = &ctx->periods[ctx->mpd.nperiods];

    ngx_memzero(p, sizeof(ngx_media_mpd_period_t));

    sets = ngx_pcalloc(ctx->pool,
                       ctx->view->ntracks * sizeof(ngx_media_mpd_set_t));
    if (sets == NULL) {
        return NGX_ERROR;
    }

    p->id = period;
    p->duration = -1;
    p->sets = sets;

    for (i = 0; i < ctx->view->ntracks; i++) {
        rc = ngx_media_dash_track(ctx, i, p, sets);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (p->nsets) {
        ctx->mpd.nperiods++;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_dash_track(ngx_media_dash_t *ctx, ngx_uint_t track,
    ngx_media_mpd_period_t *p, ngx_media_mpd_set_t *sets)
{
    ngx_uint_t                       i;
    ngx_media_mpd_set_t             *set;
    const ngx_media_init_t          *init;
    const ngx_media_segment_t       *first;
    const ngx_media_track_view_t    *t;
    ngx_media_mpd_representation_t  *rep;

    t = &ctx->view->tracks[track];
    first = NULL;

    for (i = 0; i < t->nsegments; i++) {
        if (t->segments[i].period == p->id && !t->segments[i].open
            && !t->segments[i].gap)
        {
            first = &t->segments[i];
            break;
        }
    }

    if (first == NULL) {
        return NGX_OK;
    }

    init = ngx_media_pack_init_find(t, first->init);
    if (init == NULL) {
        return NGX_OK;
    }

    set = ngx_media_dash_set(ctx, track, init, p, sets);
    if (set == NULL) {
        return NGX_ERROR;
    }

    rep = (ngx_media_mpd_representation_t *) set->representations
          + set->nrepresentations;

    rep->track = t->name;
    rep->timescale = t->timescale;
    rep->offset = first->period_time;
    rep->bandwidth = first->bandwidth ? first->bandwidth : 1;
    rep->by_time = first->runs;

    ngx_media_dash_params(rep, init);

    if (ngx_media_dash_timeline(ctx, t, p->id, rep, set) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rep->nsegments == 0) {

        /* only the begin of a run so far, or the end of one is left */

        return NGX_AGAIN;
    }

    set->nrepresentations++;
    p->start = first->period_wall;

    return NGX_OK;
}


/*
 * The set for a track with these parameters: renditions of one codec can be
 * switched between, audio moreover needs equal channels.  Its id is that of
 * the first such track of the stream, so it stays through all Periods.
 */

static ngx_media_mpd_set_t *
ngx_media_dash_set(ngx_media_dash_t *ctx, ngx_uint_t track,
    const ngx_media_init_t *init, ngx_media_mpd_period_t *p,
    ngx_media_mpd_set_t *sets)
{
    uint32_t                       id;
    ngx_uint_t                     i;
    ngx_media_mpd_set_t           *set;
    const ngx_media_init_t        *other;
    const ngx_media_track_view_t  *tracks;

    tracks = ctx->view->tracks;
    id = track + 1;

    for (i = 0; i < track; i++) {
        other = ngx_media_pack_init(&tracks[i]);

        if (other && ngx_media_dash_alike(other, init)) {
            id = i + 1;
            break;
        }
    }

    for (i = 0; i < p->nsets; i++) {
        if (sets[i].id == id) {
            return &sets[i];
        }
    }

    set = &sets[p->nsets];

    ngx_memzero(set, sizeof(ngx_media_mpd_set_t));

    set->representations = ngx_pcalloc(ctx->pool, ctx->view->ntracks
                                     * sizeof(ngx_media_mpd_representation_t));
    if (set->representations == NULL) {
        return NULL;
    }

    set->id = id;
    set->type = tracks[track].type;
    set->sap = 1;

    ngx_str_set(&set->role, "main");

    for (i = 0; i < p->nsets; i++) {
        if (sets[i].type == set->type) {
            ngx_str_set(&set->role, "alternate");
        }
    }

    p->nsets++;

    return set;
}


static ngx_uint_t
ngx_media_dash_alike(const ngx_media_init_t *a, const ngx_media_init_t *b)
{
    return a->params.type == b->params.type
           && a->params.codec == b->params.codec
           && a->params.channels == b->params.channels;
}


static ngx_int_t
ngx_media_dash_timeline(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, uint64_t period,
    ngx_media_mpd_representation_t *rep, ngx_media_mpd_set_t *set)
{
    uint64_t                    duration;
    ngx_uint_t                  i, j, n;
    ngx_media_mpd_segment_t    *segments, *s;
    const ngx_media_segment_t  *from;

    segments = ngx_palloc(ctx->pool,
                          track->nsegments * sizeof(ngx_media_mpd_segment_t));
    if (segments == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < track->nsegments; i += n) {
        from = &track->segments[i];
        n = 1;

        /* gaps stand at the end of a period: its track has stopped */

        if (from->period != period || from->gap) {
            continue;
        }

        if (rep->by_time) {

            /* what belongs to a key segment that has gone is not listed */

            if (from->forced) {
                continue;
            }

            n = ngx_media_dash_run(ctx, track, i);
            if (n == 0) {
                break;
            }

        } else if (from->open) {
            break;
        }

        duration = 0;

        for (j = i; j < i + n; j++) {
            duration += track->segments[j].duration;
        }

        if (rep->nsegments == 0) {
            rep->number = from->number;
        }

        s = &segments[rep->nsegments++];
        s->time = from->time;
        s->duration = duration;

        if (from->leading) {
            set->sap = 2;
        }

        ngx_media_dash_listed(ctx, track, &track->segments[i + n - 1],
                              duration);
    }

    rep->segments = segments;

    return NGX_OK;
}


/*
 * How many segments are the run that starts with this one; 0: it is not known
 * to be complete before the next one has shown how it starts
 */

static ngx_uint_t
ngx_media_dash_run(ngx_media_dash_t *ctx, const ngx_media_track_view_t *track,
    ngx_uint_t first)
{
    ngx_uint_t                  i;
    const ngx_media_segment_t  *s;

    for (i = first; i < track->nsegments; i++) {
        s = &track->segments[i];

        if (i > first && (!s->forced || s->period != s[-1].period)) {
            return i - first;
        }

        if (s->open) {
            return 0;
        }
    }

    if (track->type != NGX_MEDIA_VIDEO
        || track->ended
        || ctx->view->state != NGX_MEDIA_STREAM_LIVE)
    {
        return i - first;
    }

    return 0;
}


static void
ngx_media_dash_params(ngx_media_mpd_representation_t *rep,
    const ngx_media_init_t *init)
{
    const ngx_media_params_t  *params;

    params = &init->params;

    rep->init = init->name;
    rep->codecs.len = init->codec_len;
    rep->codecs.data = (u_char *) init->codec;

    if (params->type == NGX_MEDIA_VIDEO) {
        rep->width = params->width;
        rep->height = params->height;
        rep->sar_num = params->sar_num;
        rep->sar_den = params->sar_den;

        if (params->fps_den) {
            rep->fps_num = params->fps_num;
            rep->fps_den = params->fps_den;
        }

        return;
    }

    rep->sample_rate = params->sample_rate;
    rep->channels = params->channels;
    rep->channel_config = params->channel_config;
}


/*
 * What the MPD says of its newest content.  publishTime has to grow with each
 * change: it is the end of what is listed, and one ms more for each track
 * that has come so far.
 */

static void
ngx_media_dash_listed(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_segment_t *last,
    uint64_t duration)
{
    int64_t   end;
    uint32_t  msec;

    end = last->wall + ngx_media_pack_rescale(last->duration,
                                              track->timescale, 1000);

    if (end > ctx->mpd.publish_time) {
        ctx->mpd.publish_time = end;
    }

    if (last->number > ctx->newest) {
        ctx->newest = last->number;
        ctx->ntracks = 0;
    }

    if (last->number == ctx->newest) {
        ctx->ntracks++;
    }

    msec = (duration * 1000 + track->timescale - 1) / track->timescale;

    if (msec > ctx->mpd.max_segment) {

        /* a run: what is not there before its end cannot be waited for */

        ctx->mpd.max_segment = msec;
        ctx->mpd.delay = ngx_max(ctx->mpd.delay, msec + ctx->view->segment);
    }
}


/* a set goes on if its representations have the same init segments */

static void
ngx_media_dash_connect(ngx_media_dash_t *ctx)
{
    ngx_uint_t               i, j, k, n;
    ngx_media_mpd_set_t     *set;
    ngx_media_mpd_period_t  *p, *prev;

    const ngx_media_mpd_set_t  *old;

    for (i = 1; i < ctx->mpd.nperiods; i++) {
        p = &ctx->periods[i];
        prev = &ctx->periods[i - 1];

        p->prev_id = prev->id;

        for (j = 0; j < p->nsets; j++) {
            set = (ngx_media_mpd_set_t *) &p->sets[j];

            for (k = 0; k < prev->nsets; k++) {
                old = &prev->sets[k];

                if (old->id != set->id
                    || old->nrepresentations != set->nrepresentations)
                {
                    continue;
                }

                for (n = 0; n < set->nrepresentations; n++) {
                    if (old->representations[n].init
                        != set->representations[n].init)
                    {
                        break;
                    }
                }

                set->connectivity = (n == set->nrepresentations);
            }
        }
    }
}


/*
 * The stream is over.  Periods stay where they are on the line, so whoever is
 * playing finds the end where he expects it.  The end is where the first track
 * ends, if the others go on for some frames only: players wait for data up to
 * the Period's end in all of its sets.
 */

static void
ngx_media_dash_end(ngx_media_dash_t *ctx)
{
    int64_t                  end, shortest, longest;
    ngx_uint_t               i, j;
    ngx_media_mpd_period_t  *p;

    const ngx_media_mpd_segment_t         *last;
    const ngx_media_mpd_representation_t  *rep;

    p = &ctx->periods[ctx->mpd.nperiods - 1];

    shortest = 0;
    longest = 0;

    for (i = 0; i < p->nsets; i++) {
        for (j = 0; j < p->sets[i].nrepresentations; j++) {
            rep = &p->sets[i].representations[j];
            last = &rep->segments[rep->nsegments - 1];

            end = ngx_media_pack_rescale(last->time + last->duration
                                         - rep->offset,
                                         rep->timescale, 1000);

            if (end > longest) {
                longest = end;
            }

            if (shortest == 0 || end < shortest) {
                shortest = end;
            }
        }
    }

    p->duration = (longest - shortest < NGX_MEDIA_DASH_SLACK) ? shortest
                                                              : longest;

    ctx->mpd.duration = p->start + p->duration;
    ctx->mpd.update = 0;
    ctx->mpd.dynamic = 0;
}
