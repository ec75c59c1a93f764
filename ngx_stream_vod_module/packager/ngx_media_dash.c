
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * DASH of a live stream.  availabilityStartTime is the unix epoch for ever;
 * a Period has the number of its first segment for its id and that segment's
 * wall clock for its start, so restarts and publishers that return only add
 * Periods on one unmoving line.  All that may not change inside a Period
 * comes from its segments, which carry it from the Period's begin.
 *
 * A channel of files is the same, until it has been over for a while.  What
 * has no wall clock is static, and its Periods follow one another from zero.
 * While a file grows they do, too, and availabilityStartTime is when it began:
 * so nothing moves when it has come to its end and becomes static.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_emsg.h"
#include "formats/ngx_media_mpd.h"
#include "formats/ngx_media_text.h"
#include "packager/ngx_media_dash_joint.h"
#include "packager/ngx_media_pack.h"


/* suggestedPresentationDelay, in segments */
#define NGX_MEDIA_DASH_DELAY  3

/*
 * ms from a Period's begin to its first sample.  Where both are the same to
 * the last bit of a double, dash.js has a playhead that is neither before the
 * buffer nor in it, and waits for ever.  Not for what starts at zero.
 */
#define NGX_MEDIA_DASH_LEAD   1

/* ms until the next MPD of a stream that has just begun */
#define NGX_MEDIA_DASH_SOON   500

/* ms, of a file that grows: from what is written, in pieces, to the next look
   at it, and the last segment is not listed */
#define NGX_MEDIA_DASH_GROWS  10000

/* ms by which tracks may differ at the end of a stream */
#define NGX_MEDIA_DASH_SLACK  500

/* ms, of audio and of video whose rate is not known */
#define NGX_MEDIA_DASH_FRAME  42
#define NGX_MEDIA_DASH_FPS    24


typedef struct {
    ngx_pool_t                *pool;
    const ngx_media_stream_view_t
                              *view;
    ngx_media_mpd_t            mpd;
    ngx_media_mpd_period_t    *periods;
    ngx_uint_t                *first;         /* of each track: its first
                                                 segment of the period at
                                                 hand, or of a later one */
    ngx_uint_t                 is_static;     /* no wall clock */
    ngx_uint_t                 nperiods;      /* that may be listed */
    uint64_t                   newest;        /* highest number listed */
    ngx_uint_t                 ntracks;       /* that have listed it */
} ngx_media_dash_t;


static ngx_int_t ngx_media_dash_begin(ngx_media_dash_t *ctx,
    const ngx_str_t *time_url);
static ngx_uint_t ngx_media_dash_next(ngx_media_dash_t *ctx, ngx_uint_t any,
    uint64_t *period);
static ngx_uint_t ngx_media_dash_complete(
    const ngx_media_stream_view_t *view, uint64_t period);
static ngx_int_t ngx_media_dash_period(ngx_media_dash_t *ctx,
    uint64_t period);
static void ngx_media_dash_inband(ngx_media_mpd_set_t *sets, ngx_uint_t n);
static ngx_int_t ngx_media_dash_track(ngx_media_dash_t *ctx,
    ngx_uint_t track, ngx_media_mpd_period_t *p,
    ngx_media_mpd_set_t *sets);
static ngx_media_mpd_set_t *ngx_media_dash_set(ngx_media_dash_t *ctx,
    ngx_uint_t track, const ngx_media_init_t *init,
    ngx_media_mpd_period_t *p, ngx_media_mpd_set_t *sets);
static void ngx_media_dash_role(const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_media_mpd_set_t *set);
static void ngx_media_dash_details(const ngx_media_track_view_t *track,
    const ngx_media_init_t *init, uint32_t fps,
    ngx_media_mpd_representation_t *rep, ngx_media_mpd_set_t *set);
static void ngx_media_dash_rate(uint32_t fps,
    ngx_media_mpd_representation_t *rep);
static ngx_int_t ngx_media_dash_extra(ngx_media_dash_t *ctx,
    ngx_media_mpd_period_t *p, ngx_media_mpd_set_t *sets);
static ngx_int_t ngx_media_dash_switching(ngx_media_dash_t *ctx,
    ngx_media_mpd_set_t *sets, ngx_uint_t nsets, ngx_uint_t self);
static ngx_int_t ngx_media_dash_trick(ngx_media_dash_t *ctx,
    ngx_media_mpd_set_t *set);
static ngx_int_t ngx_media_dash_thumbs(ngx_media_dash_t *ctx,
    ngx_media_mpd_period_t *p, ngx_media_mpd_set_t *set);
static ngx_int_t ngx_media_dash_timeline(ngx_media_dash_t *ctx,
    ngx_uint_t index, uint64_t period, ngx_media_mpd_representation_t *rep,
    ngx_media_mpd_set_t *set);
static ngx_uint_t ngx_media_dash_run(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, ngx_uint_t first);
static void ngx_media_dash_params(ngx_media_mpd_representation_t *rep,
    const ngx_media_init_t *init);
static void ngx_media_dash_listed(ngx_media_dash_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_segment_t *last,
    uint64_t duration);
static void ngx_media_dash_connect(ngx_media_dash_t *ctx);
static void ngx_media_dash_holes(ngx_media_dash_t *ctx);
static void ngx_media_dash_end(ngx_media_dash_t *ctx);
static void ngx_media_dash_file(ngx_media_dash_t *ctx);
static void ngx_media_dash_grows(ngx_media_dash_t *ctx,
    const ngx_str_t *time_url);
static void ngx_media_dash_settle(ngx_media_dash_t *ctx);
static void ngx_media_dash_ends(const ngx_media_mpd_period_t *p,
    ngx_uint_t up, int64_t *shortest, int64_t *longest);


ngx_int_t
ngx_media_dash_mpd(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    const ngx_str_t *time_url, ngx_str_t *text)
{
    uint64_t          period;
    ngx_uint_t        any;
    ngx_media_dash_t  ctx;

    if (!view->ready) {
        return NGX_AGAIN;
    }

    ngx_memzero(&ctx, sizeof(ngx_media_dash_t));

    ctx.pool = pool;
    ctx.view = view;

    if (ngx_media_dash_begin(&ctx, time_url) != NGX_OK) {
        return NGX_ERROR;
    }

    period = 0;

    for (any = 0; ngx_media_dash_next(&ctx, any, &period); any = 1) {

        if (!ngx_media_dash_complete(view, period)) {
            continue;
        }

        if (ngx_media_dash_period(&ctx, period) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx.mpd.nperiods == 0) {
        return (any && !view->waits) ? NGX_DECLINED : NGX_AGAIN;
    }

    ngx_media_dash_connect(&ctx);
    ngx_media_dash_holes(&ctx);

    if (ctx.is_static) {
        ngx_media_dash_file(&ctx);

        if (view->born) {
            ngx_media_dash_grows(&ctx, time_url);
        }

    } else if (view->settled) {
        ngx_media_dash_settle(&ctx);
        ngx_media_dash_file(&ctx);

    } else if (view->state == NGX_MEDIA_STREAM_ENDED) {
        ngx_media_dash_end(&ctx);
    }

    /* there is less than players stay behind: they have to come soon */

    if (ctx.mpd.update && view->waits
        && ctx.mpd.publish_time - ctx.periods[0].start
           < (int64_t) ctx.mpd.delay)
    {
        ctx.mpd.update = ngx_min(ctx.mpd.update, NGX_MEDIA_DASH_SOON);
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


static ngx_int_t
ngx_media_dash_begin(ngx_media_dash_t *ctx, const ngx_str_t *time_url)
{
    uint64_t                        period;
    ngx_uint_t                      n;
    const ngx_media_stream_view_t  *view;

    view = ctx->view;

    ctx->first = ngx_pcalloc(ctx->pool,
                             view->ntracks * sizeof(ngx_uint_t) + 1);
    if (ctx->first == NULL) {
        return NGX_ERROR;
    }

    period = 0;

    for (n = 0; ngx_media_dash_next(ctx, n, &period); n++) { /* void */ }

    ngx_memzero(ctx->first, view->ntracks * sizeof(ngx_uint_t));

    ctx->periods = ngx_pcalloc(ctx->pool,
                               n * sizeof(ngx_media_mpd_period_t) + 1);
    if (ctx->periods == NULL) {
        return NGX_ERROR;
    }

    ctx->nperiods = n;
    ctx->mpd.periods = ctx->periods;
    ctx->mpd.duration = -1;
    ctx->mpd.now = -1;
    ctx->mpd.min_buffer = view->segment ? view->segment : view->target * 1000;
    ctx->mpd.max_segment = view->target * 1000;

    ctx->is_static = !view->walls;

    if (ctx->is_static) {
        return NGX_OK;
    }

    ctx->mpd.dynamic = 1;
    ctx->mpd.update = ctx->mpd.min_buffer;
    ctx->mpd.depth = view->window;
    ctx->mpd.delay = ctx->mpd.min_buffer * NGX_MEDIA_DASH_DELAY;
    ctx->mpd.time_url = *time_url;

    return NGX_OK;
}


/*
 * The first period that has a complete segment, or (any) the first above
 * *period; 0: there is none
 */

static ngx_uint_t
ngx_media_dash_next(ngx_media_dash_t *ctx, ngx_uint_t any, uint64_t *period)
{
    uint64_t                       next;
    ngx_uint_t                     i, n, found;
    const ngx_media_segment_t     *segments;
    const ngx_media_track_view_t  *track;

    found = 0;
    next = 0;

    for (i = 0; i < ctx->view->ntracks; i++) {
        track = &ctx->view->tracks[i];
        segments = track->segments;

        for (n = ctx->first[i]; n < track->nsegments; n++) {

            if (segments[n].open || (any && segments[n].period <= *period)) {
                continue;
            }

            if (!found || segments[n].period < next) {
                found = 1;
                next = segments[n].period;
            }

            break;
        }

        ctx->first[i] = n;
    }

    *period = next;

    return found;
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
    ngx_uint_t               i, n;
    ngx_media_mpd_set_t     *sets;
    ngx_media_mpd_period_t  *p;

    p = &ctx->periods[ctx->mpd.nperiods];

    ngx_memzero(p, sizeof(ngx_media_mpd_period_t));

    /* trick modes for each, and thumbnails */

    n = 2 * ctx->view->ntracks + 1;

    sets = ngx_pcalloc(ctx->pool, n * sizeof(ngx_media_mpd_set_t));
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

    if (p->nsets == 0) {
        return NGX_OK;
    }

    if (ctx->view->inband) {
        ngx_media_dash_inband(sets, p->nsets);
    }

    ctx->mpd.nperiods++;

    return ngx_media_dash_extra(ctx, p, sets);
}


/*
 * Players pass over events of what is not announced here, and who has the MPD
 * already may not read it again before the first of them: so it is always.
 */

static void
ngx_media_dash_inband(ngx_media_mpd_set_t *sets, ngx_uint_t n)
{
    ngx_uint_t  i, type;

    type = NGX_MEDIA_AUDIO;

    for (i = 0; i < n; i++) {
        if (sets[i].type == NGX_MEDIA_VIDEO) {
            type = NGX_MEDIA_VIDEO;
        }
    }

    for (i = 0; i < n; i++) {
        if (sets[i].type == type) {
            ngx_str_set(&sets[i].inband, NGX_MEDIA_EMSG_ID3);
        }
    }
}


static ngx_int_t
ngx_media_dash_track(ngx_media_dash_t *ctx, ngx_uint_t track,
    ngx_media_mpd_period_t *p, ngx_media_mpd_set_t *sets)
{
    int64_t                          ticks;
    ngx_uint_t                       i, lead;
    ngx_media_mpd_set_t             *set;
    const ngx_media_init_t          *init;
    const ngx_media_segment_t       *first;
    const ngx_media_track_view_t    *t;
    ngx_media_mpd_representation_t  *rep;

    t = &ctx->view->tracks[track];
    first = NULL;

    for (i = ctx->first[track]; i < t->nsegments; i++) {

        if (t->segments[i].period != p->id || t->segments[i].open) {
            break;
        }

        if (!t->segments[i].gap) {
            first = &t->segments[i];
            break;
        }
    }

    if (first == NULL || t->unlisted
        || !ngx_media_pack_allowed(t, NGX_MEDIA_PACK_DASH))
    {
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

    lead = NGX_MEDIA_DASH_LEAD;
    ticks = ((int64_t) lead * t->timescale + 999) / 1000;

    if (ctx->is_static || first->period_wall < (int64_t) lead
        || first->period_time < ticks)
    {
        lead = 0;
        ticks = 0;
    }

    rep->track = t->name;
    rep->tag = ctx->view->tag;
    rep->timescale = t->timescale;
    rep->offset = first->period_time - ticks;
    rep->bandwidth = first->bandwidth;
    rep->by_time = first->runs;

    /* it was not known before the first segment was whole */

    for ( /* void */ ; rep->bandwidth == 0 && i < t->nsegments; i++) {
        if (t->segments[i].period == p->id) {
            rep->bandwidth = t->segments[i].bandwidth;
        }
    }

    if (rep->bandwidth == 0) {
        rep->bandwidth = t->bandwidth;
    }

    if (rep->bandwidth == 0) {
        rep->bandwidth = 1;
    }

    ngx_media_dash_params(rep, init);

    if (ctx->view->measured) {
        ngx_media_dash_details(t, init, first->fps, rep, set);
    }

    if (ngx_media_dash_timeline(ctx, track, p->id, rep, set) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rep->nsegments == 0) {

        /* only the begin of a run so far, or the end of one is left */

        return NGX_AGAIN;
    }

    set->nrepresentations++;
    p->start = first->period_wall - (int64_t) lead;

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
    const ngx_media_track_view_t  *tracks;

    tracks = ctx->view->tracks;
    id = track + 1;

    for (i = 0; i < track; i++) {

        if (ctx->view->renditions && tracks[i].type != NGX_MEDIA_VIDEO) {
            continue;
        }

        if (ngx_media_dash_joint(ctx->view, i, track, init)) {
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
    set->lang = tracks[track].lang;
    set->label = tracks[track].label;

    if (ctx->view->renditions || set->type == NGX_MEDIA_TEXT) {
        ngx_media_dash_role(ctx->view, track, set);

    } else {
        ngx_str_set(&set->role, "main");

        for (i = 0; i < p->nsets; i++) {
            if (sets[i].type == set->type) {
                ngx_str_set(&set->role, "alternate");
            }
        }

        if (tracks[track].described || tracks[track].sdh) {
            ngx_media_dash_role(ctx->view, track, set);
        }
    }

    p->nsets++;

    return set;
}


/* ISO/IEC 23009-1, 5.8.5.5: urn:mpeg:dash:role:2011 */

static void
ngx_media_dash_role(const ngx_media_stream_view_t *view, ngx_uint_t track,
    ngx_media_mpd_set_t *set)
{
    ngx_uint_t                     i, main;
    const ngx_media_track_view_t  *t;

    t = &view->tracks[track];

    if (t->type == NGX_MEDIA_TEXT) {

        if (t->forced) {
            ngx_str_set(&set->role, "forced-subtitle");

        } else if (t->sdh) {
            ngx_str_set(&set->role, "caption");

        } else {
            ngx_str_set(&set->role, "subtitle");
        }

        return;
    }

    /* all video is the same in other sizes and codecs */

    if (t->type == NGX_MEDIA_VIDEO) {
        ngx_str_set(&set->role, "main");
        return;
    }

    if (t->described) {
        ngx_str_set(&set->role, "description");
        return;
    }

    if (t->sdh) {
        ngx_str_set(&set->role, "enhanced-audio-intelligibility");
        return;
    }

    /* the first one, or that of which it is said that it is the default */

    main = view->ntracks;

    for (i = 0; i < view->ntracks; i++) {

        if (view->tracks[i].type != t->type || view->tracks[i].unlisted
            || !ngx_media_pack_allowed(&view->tracks[i], NGX_MEDIA_PACK_DASH))
        {
            continue;
        }

        if (view->tracks[i].is_default) {
            main = i;
            break;
        }

        if (main == view->ntracks) {
            main = i;
        }
    }

    if (main == track) {
        ngx_str_set(&set->role, "main");

    } else {
        ngx_str_set(&set->role, "alternate");
    }
}


/* what was measured of tracks, and stays */

static void
ngx_media_dash_details(const ngx_media_track_view_t *track,
    const ngx_media_init_t *init, uint32_t fps,
    ngx_media_mpd_representation_t *rep, ngx_media_mpd_set_t *set)
{
    uint32_t                   frame;
    const ngx_media_params_t  *params;

    params = &init->params;
    fps = fps ? fps : track->fps;

    rep->supplemental = track->supplemental;
    rep->profiles = track->brands;

    /* segments of renditions that begin more than a frame apart */

    frame = NGX_MEDIA_DASH_FRAME;

    if (track->type == NGX_MEDIA_VIDEO && fps) {
        frame = (1000000 + fps - 1) / fps;
    }

    if (track->apart > frame && set->type == NGX_MEDIA_VIDEO) {
        set->unaligned = 1;
    }

    if (track->type != NGX_MEDIA_VIDEO) {
        return;
    }

    if (fps) {
        ngx_media_dash_rate(fps, rep);
    }

    if (ngx_media_dash_wide(params)) {
        set->primaries = params->primaries;
        set->transfer = params->transfer;
        set->matrix = params->matrix;
    }
}


/* from a measured rate, in 1/1000, to the one that is meant */

static void
ngx_media_dash_rate(uint32_t fps, ngx_media_mpd_representation_t *rep)
{
    uint32_t  n;

    /* 24000/1001 is 23976 */

    n = (fps + 500) / 1000;

    if (fps % 1000 == 0) {
        rep->fps_num = n;
        rep->fps_den = 1;

    } else if (fps == (uint64_t) n * 1000000 / 1001
               || fps == (uint64_t) n * 1000000 / 1001 + 1)
    {
        rep->fps_num = n * 1000;
        rep->fps_den = 1001;

    } else {
        rep->fps_num = fps;
        rep->fps_den = 1000;
    }
}


/*
 * Trick modes: the key frames that segments start with, as representations
 * that last as long; their init segments are those of the video.  Thumbnails
 * are numbered through the whole presentation: told where it is one Period, and
 * not while it grows, for which sheets are there is not told by the clock.
 */

static ngx_int_t
ngx_media_dash_extra(ngx_media_dash_t *ctx, ngx_media_mpd_period_t *p,
    ngx_media_mpd_set_t *sets)
{
    ngx_uint_t            i, n;
    ngx_media_mpd_set_t  *set;

    n = p->nsets;

    for (i = 0; i < n; i++) {

        if (sets[i].type != NGX_MEDIA_VIDEO) {
            continue;
        }

        /* one alone is aligned */

        if (sets[i].nrepresentations < 2) {
            sets[i].unaligned = 0;
        }

        if (ctx->view->measured
            && ngx_media_dash_switching(ctx, sets, n, i) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!ctx->view->tricks) {
            continue;
        }

        set = &sets[p->nsets];

        *set = sets[i];

        set->id = ctx->view->ntracks + sets[i].id;
        set->trick = 1;
        set->main = sets[i].id;
        set->sap = 1;

        ngx_str_null(&set->label);
        ngx_str_null(&set->role);
        ngx_str_null(&set->switching);
        ngx_str_null(&set->inband);

        if (ngx_media_dash_trick(ctx, set) != NGX_OK) {
            return NGX_ERROR;
        }

        p->nsets++;
    }

    if (ctx->view->thumbs.interval == 0 || !ctx->is_static
        || ctx->view->born || ctx->nperiods > 1)
    {
        return NGX_OK;
    }

    return ngx_media_dash_thumbs(ctx, p, &sets[p->nsets]);
}


/*
 * ISO/IEC 23009-1, 5.3.3.5: the sets of other codecs, of which a player may go
 * to and fro; pictures of another range would be seen to change
 */

static ngx_int_t
ngx_media_dash_switching(ngx_media_dash_t *ctx, ngx_media_mpd_set_t *sets,
    ngx_uint_t nsets, ngx_uint_t self)
{
    size_t                size;
    ngx_uint_t            i;
    ngx_media_text_t      text;
    ngx_media_mpd_set_t  *set;

    ngx_media_text_init(&text, NULL, 0);

    set = &sets[self];
    size = nsets * (NGX_INT32_LEN + 1);

    for (i = 0; i < nsets; i++) {

        if (i == self || sets[i].type != NGX_MEDIA_VIDEO
            || sets[i].transfer != set->transfer)
        {
            continue;
        }

        if (set->switching.len == 0) {
            set->switching.data = ngx_pnalloc(ctx->pool, size);
            if (set->switching.data == NULL) {
                return NGX_ERROR;
            }

            ngx_media_text_init(&text, set->switching.data, size);

        } else {
            ngx_media_text_cstr(&text, ",");
        }

        ngx_media_text_u64(&text, sets[i].id);

        set->switching.len = text.total;
    }

    return NGX_OK;
}


/* the set has been copied from that of the video */

static ngx_int_t
ngx_media_dash_trick(ngx_media_dash_t *ctx, ngx_media_mpd_set_t *set)
{
    uint64_t                         rate;
    ngx_uint_t                       i, k;
    ngx_media_mpd_representation_t  *reps, *rep;

    reps = ngx_palloc(ctx->pool, set->nrepresentations
                                 * sizeof(ngx_media_mpd_representation_t));
    if (reps == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(reps, set->representations, set->nrepresentations
                                     * sizeof(ngx_media_mpd_representation_t));

    set->representations = reps;

    for (i = 0; i < set->nrepresentations; i++) {
        rep = &reps[i];

        for (k = 0; k < ctx->view->ntracks; k++) {
            if (ctx->view->tracks[k].name.data == rep->track.data) {
                break;
            }
        }

        rep->init_track = rep->track;

        if (ngx_media_pack_trick(ctx->pool, &ctx->view->tracks[k],
                                 &rep->track)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ctx->view->tracks[k].key_bandwidth) {
            rep->bandwidth = ctx->view->tracks[k].key_bandwidth;
        }

        /* one picture a segment: so much faster, and no more is decoded */

        rate = rep->fps_den ? (uint64_t) rep->fps_num / rep->fps_den : 0;
        rate = (rate ? rate : NGX_MEDIA_DASH_FPS) * ctx->mpd.min_buffer / 1000;

        rep->play_rate = ngx_max(rate, 1);
        rep->fps_num = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_dash_thumbs(ngx_media_dash_t *ctx, ngx_media_mpd_period_t *p,
    ngx_media_mpd_set_t *set)
{
    const ngx_media_thumbs_view_t   *thumbs;
    ngx_media_mpd_representation_t  *rep;

    rep = ngx_pcalloc(ctx->pool, sizeof(ngx_media_mpd_representation_t));
    if (rep == NULL) {
        return NGX_ERROR;
    }

    thumbs = &ctx->view->thumbs;

    ngx_str_set(&rep->track, "i1");

    rep->tag = thumbs->tag;
    rep->bandwidth = ngx_max(thumbs->bandwidth, 1);
    rep->timescale = 1000;
    rep->width = thumbs->width * thumbs->tiles_x;
    rep->height = thumbs->height * thumbs->tiles_y;
    rep->tiles_x = thumbs->tiles_x;
    rep->tiles_y = thumbs->tiles_y;
    rep->duration = thumbs->interval * thumbs->tiles_x * thumbs->tiles_y;

    set->id = 2 * ctx->view->ntracks + 1;
    set->type = NGX_MEDIA_MPD_IMAGE;
    set->representations = rep;
    set->nrepresentations = 1;

    p->nsets++;

    return NGX_OK;
}


static ngx_int_t
ngx_media_dash_timeline(ngx_media_dash_t *ctx, ngx_uint_t index,
    uint64_t period, ngx_media_mpd_representation_t *rep,
    ngx_media_mpd_set_t *set)
{
    uint64_t                       duration, limit;
    ngx_uint_t                     i, j, n, last, steady;
    ngx_media_mpd_segment_t       *segments, *s;
    const ngx_media_segment_t     *from;
    const ngx_media_track_view_t  *track;

    track = &ctx->view->tracks[index];

    for (last = ctx->first[index]; last < track->nsegments; last++) {
        if (track->segments[last].period != period) {
            break;
        }
    }

    segments = ngx_palloc(ctx->pool, (last - ctx->first[index])
                                     * sizeof(ngx_media_mpd_segment_t));
    if (segments == NULL) {
        return NGX_ERROR;
    }

    steady = (set->sap != 0);
    limit = ngx_media_dash_limit(ctx->view, index, period);

    for (i = ctx->first[index]; i < last; i += n) {
        from = &track->segments[i];
        n = 1;

        /* gaps stand at the end of a period: its track has stopped */

        if (from->gap) {
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

        } else if (from->open || from->number >= limit) {
            break;
        }

        duration = 0;

        for (j = i; j < i + n; j++) {
            duration += track->segments[j].duration;
        }

        if (rep->nsegments == 0) {
            rep->number = from->number;
        }

        /* numbers that are left out: the segment before goes on, or a gap */

        if (ctx->view->sparse && !rep->by_time
            && from->number != rep->number + rep->nsegments)
        {
            rep->list = 1;
        }

        s = &segments[rep->nsegments++];
        s->time = from->time;
        s->duration = duration;
        s->number = from->number;

        if (from->leading) {
            set->sap = 2;
        }

        if (from->forced) {
            steady = 0;
        }

        ngx_media_dash_listed(ctx, track, &track->segments[i + n - 1],
                              duration);
    }

    rep->segments = segments;

    if (!steady) {
        set->sap = 0;
    }

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
 * What is sparse may have gaps, as a channel's schedule has: its Period ends
 * with its media, and does not go on to the next one
 */

static void
ngx_media_dash_holes(ngx_media_dash_t *ctx)
{
    int64_t                  shortest, longest;
    ngx_uint_t               i;
    ngx_media_mpd_period_t  *p;

    if (!ctx->view->sparse || ctx->is_static) {
        return;
    }

    for (i = 0; i + 1 < ctx->mpd.nperiods; i++) {
        p = &ctx->periods[i];

        ngx_media_dash_ends(p, 1, &shortest, &longest);

        if (p[1].start - p->start - longest > NGX_MEDIA_DASH_SLACK) {
            p->duration = longest;
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
    int64_t                  shortest, longest;
    ngx_media_mpd_period_t  *p;

    p = &ctx->periods[ctx->mpd.nperiods - 1];

    ngx_media_dash_ends(p, 0, &shortest, &longest);

    p->duration = (longest - shortest < NGX_MEDIA_DASH_SLACK) ? shortest
                                                              : longest;

    ctx->mpd.duration = p->start + p->duration;
    ctx->mpd.update = 0;
    ctx->mpd.dynamic = 0;
}


/*
 * Periods of files follow one another.  The last one is as long as the longest
 * of what is seen and heard in it, rounded up: a player drops a frame that is
 * cut.
 */

static void
ngx_media_dash_file(ngx_media_dash_t *ctx)
{
    int64_t                  start, shortest, longest;
    ngx_uint_t               i;
    ngx_media_mpd_period_t  *p;

    start = 0;

    for (i = 0; i < ctx->mpd.nperiods; i++) {
        p = &ctx->periods[i];

        ngx_media_dash_ends(p, 1, &shortest, &longest);

        if (p->start < 0) {
            p->start = start;
        }

        if (i) {
            p[-1].duration = p->start - p[-1].start;
        }

        p->duration = longest;
        start = p->start + longest;
    }

    ctx->mpd.duration = start;
    ctx->mpd.publish_time = 0;
}


/*
 * A file that grows: all of it stays, and nobody knows yet where it ends.  What
 * is listed is available by the clock, too: that was so when it was written.
 */

static void
ngx_media_dash_grows(ngx_media_dash_t *ctx, const ngx_str_t *time_url)
{
    ngx_media_mpd_t  *mpd;

    mpd = &ctx->mpd;

    mpd->dynamic = 1;
    mpd->start = ctx->view->born;
    mpd->publish_time = mpd->start + mpd->duration;
    mpd->duration = -1;
    mpd->update = mpd->min_buffer;
    mpd->delay = ctx->view->target * 1000 * NGX_MEDIA_DASH_DELAY
                 + NGX_MEDIA_DASH_GROWS;
    mpd->time_url = *time_url;

    ctx->periods[mpd->nperiods - 1].duration = -1;
}


/*
 * A channel that is over is a film, which begins at zero with the first moment
 * that is still there: that of the track which begins first
 */

static void
ngx_media_dash_settle(ngx_media_dash_t *ctx)
{
    int64_t                          begin, first;
    ngx_uint_t                       i, j;
    ngx_media_mpd_period_t          *p;
    const ngx_media_mpd_set_t       *set;
    ngx_media_mpd_representation_t  *rep;

    p = &ctx->periods[0];
    first = INT64_MAX;

    for (i = 0; i < p->nsets; i++) {
        set = &p->sets[i];

        for (j = 0; j < set->nrepresentations; j++) {
            rep = (ngx_media_mpd_representation_t *) &set->representations[j];

            begin = ngx_media_pack_rescale(rep->segments[0].time - rep->offset,
                                           rep->timescale, 1000);
            first = ngx_min(first, begin);
        }
    }

    for (i = 0; i < p->nsets && first > 0; i++) {
        set = &p->sets[i];

        for (j = 0; j < set->nrepresentations; j++) {
            rep = (ngx_media_mpd_representation_t *) &set->representations[j];

            rep->offset += ngx_media_pack_rescale(first, 1000, rep->timescale);
        }
    }

    for (i = 0; i < ctx->mpd.nperiods; i++) {
        ctx->periods[i].start = -1;
    }

    ctx->mpd.dynamic = 0;
    ctx->mpd.update = 0;
}


/* when its tracks end, in ms from its start; text only if there is no other */

static void
ngx_media_dash_ends(const ngx_media_mpd_period_t *p, ngx_uint_t up,
    int64_t *shortest, int64_t *longest)
{
    int64_t                     end, ticks;
    ngx_uint_t                  i, j, text;
    const ngx_media_mpd_set_t  *set;

    const ngx_media_mpd_segment_t         *last;
    const ngx_media_mpd_representation_t  *rep;

    *shortest = 0;
    *longest = 0;
    text = 1;

    for (i = 0; i < p->nsets; i++) {
        text &= (p->sets[i].type >= NGX_MEDIA_TEXT);
    }

    for (i = 0; i < p->nsets; i++) {
        set = &p->sets[i];

        if (set->type == NGX_MEDIA_MPD_IMAGE
            || (set->type == NGX_MEDIA_TEXT && !text))
        {
            continue;
        }

        for (j = 0; j < set->nrepresentations; j++) {
            rep = &set->representations[j];
            last = &rep->segments[rep->nsegments - 1];

            ticks = last->time + last->duration - rep->offset;
            end = ngx_media_pack_rescale(ticks, rep->timescale, 1000);

            if (up
                && ngx_media_pack_rescale(end, 1000, rep->timescale) < ticks)
            {
                end++;
            }

            if (end > *longest) {
                *longest = end;
            }

            if (*shortest == 0 || end < *shortest) {
                *shortest = end;
            }
        }
    }
}
