
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "packager/ngx_media_dash_joint.h"


/* TransferCharacteristics, ISO/IEC 23091-2 */
#define NGX_MEDIA_DASH_PQ     16
#define NGX_MEDIA_DASH_HLG    18

/* segments that a track may be behind and still be waited for */
#define NGX_MEDIA_DASH_BEHIND  1


static ngx_uint_t ngx_media_dash_same(const ngx_media_track_view_t *a,
    const ngx_media_track_view_t *b);
static ngx_uint_t ngx_media_dash_alike(const ngx_media_stream_view_t *view,
    const ngx_media_init_t *a, const ngx_media_init_t *b);
static uint64_t ngx_media_dash_closed(const ngx_media_track_view_t *track,
    uint64_t period);


ngx_uint_t
ngx_media_dash_joint(const ngx_media_stream_view_t *view, ngx_uint_t track,
    ngx_uint_t other, const ngx_media_init_t *init)
{
    const ngx_media_init_t        *own;
    const ngx_media_track_view_t  *tracks;

    tracks = view->tracks;
    own = ngx_media_pack_init(&tracks[track]);

    return own
           && ngx_media_dash_alike(view, own, init)
           && (view->renditions
               || ngx_media_dash_same(&tracks[track], &tracks[other]));
}


/* as far as their publisher has said what they are */

static ngx_uint_t
ngx_media_dash_same(const ngx_media_track_view_t *a,
    const ngx_media_track_view_t *b)
{
    return a->described == b->described
           && a->sdh == b->sdh
           && a->lang.len == b->lang.len
           && a->label.len == b->label.len
           && (a->lang.len == 0
               || ngx_memcmp(a->lang.data, b->lang.data, a->lang.len) == 0)
           && (a->label.len == 0
               || ngx_memcmp(a->label.data, b->label.data, a->label.len)
                  == 0);
}


/*
 * Audio and text that are renditions a listener chooses from have each a set
 * of its own, and so have pictures of another range.
 */

static ngx_uint_t
ngx_media_dash_alike(const ngx_media_stream_view_t *view,
    const ngx_media_init_t *a, const ngx_media_init_t *b)
{
    if (a->params.type != b->params.type
        || a->params.codec != b->params.codec
        || a->params.channels != b->params.channels)
    {
        return 0;
    }

    if (!view->renditions) {
        return 1;
    }

    return ngx_media_dash_wide(&a->params) == ngx_media_dash_wide(&b->params);
}


ngx_uint_t
ngx_media_dash_wide(const ngx_media_params_t *params)
{
    return (params->transfer == NGX_MEDIA_DASH_PQ
            || params->transfer == NGX_MEDIA_DASH_HLG) ? params->transfer : 0;
}


/*
 * Rungs are behind their source by what encoding takes.  Who changes to one
 * wants the next number of it, and a player that is refused gives up on the
 * rung, or stalls: so a number is listed when all have it.  One that is behind
 * by more has stopped, or its machine has not the time: it holds up nobody.
 */

uint64_t
ngx_media_dash_limit(const ngx_media_stream_view_t *view, ngx_uint_t track,
    uint64_t period)
{
    uint64_t                       closed, limit, newest;
    ngx_uint_t                     i;
    const ngx_media_init_t        *init;
    const ngx_media_track_view_t  *t;

    t = &view->tracks[track];
    init = ngx_media_pack_init(t);
    newest = ngx_media_dash_closed(t, period);
    limit = UINT64_MAX;

    if (!view->waits || view->state != NGX_MEDIA_STREAM_LIVE
        || init == NULL || newest == 0)
    {
        return limit;
    }

    for (i = 0; i < view->ntracks; i++) {
        if (ngx_media_dash_joint(view, i, track, init)) {
            closed = ngx_media_dash_closed(&view->tracks[i], period);
            newest = ngx_max(newest, closed);
        }
    }

    for (i = 0; i < view->ntracks; i++) {
        if (!ngx_media_dash_joint(view, i, track, init)) {
            continue;
        }

        closed = ngx_media_dash_closed(&view->tracks[i], period);

        if (closed && closed + NGX_MEDIA_DASH_BEHIND >= newest) {
            limit = ngx_min(limit, closed + 1);
        }
    }

    return limit;
}


/*
 * The newest whole segment of a track that is in this period; 0: it has none,
 * has ended or gone on to another one, or its segments are joined to runs
 */

static uint64_t
ngx_media_dash_closed(const ngx_media_track_view_t *track, uint64_t period)
{
    ngx_uint_t                  n;
    const ngx_media_segment_t  *last;

    n = track->nsegments;

    if (n == 0 || track->ended || track->away) {
        return 0;
    }

    last = &track->segments[n - 1];

    if (last->period != period || last->runs) {
        return 0;
    }

    if (!last->open) {
        return last->number;
    }

    return (n > 1 && last[-1].period == period) ? last[-1].number : 0;
}
