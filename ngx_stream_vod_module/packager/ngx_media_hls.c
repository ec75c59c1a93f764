
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * HLS and LL-HLS (rfc8216bis): media playlists.  What is the same in all
 * playlists of a stream follows from its configuration at birth: the target
 * duration, PART-TARGET and the line of EXT-X-SERVER-CONTROL.
 *
 * Where nothing is waited for there are no hints, no reports, and nothing of
 * blocking in EXT-X-SERVER-CONTROL.  So it is with MPEG-TS, of live streams
 * too, which has no parts either: its playlists have a multivariant one of
 * their own, in which only those lines have to be the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_m3u8.h"
#include "packager/ngx_media_pack.h"


/* PART-HOLD-BACK: three parts, the slowest usual frame, ms, and the latency of
   what is derived: who changes to a rung finds the part there that it needs */
#define NGX_MEDIA_HLS_FRAME        40

/* in target durations */
#define NGX_MEDIA_HLS_HOLD_BACK    3
#define NGX_MEDIA_HLS_PARTS        3
#define NGX_MEDIA_HLS_SKIP         6

/* segments that what is made when it is asked for may be behind */
#define NGX_MEDIA_HLS_BEHIND       1

/* complete segments of a stream whose playlists list parts */
#define NGX_MEDIA_HLS_YOUNG        3


static ngx_int_t ngx_media_hls_playlist(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_uint_t track, ngx_uint_t second,
    ngx_uint_t skip, ngx_media_m3u8_media_t *media, ngx_str_t *text);
static ngx_uint_t ngx_media_hls_barred(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, ngx_uint_t format);
static ngx_int_t ngx_media_hls_whole(ngx_pool_t *pool,
    const ngx_media_track_view_t *track, ngx_media_m3u8_media_t *media);
static ngx_int_t ngx_media_hls_wait(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_uint_t track, ngx_uint_t skip,
    ngx_media_m3u8_media_t *media);
static ngx_uint_t ngx_media_hls_young(const ngx_media_stream_view_t *view);
static void ngx_media_hls_start(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, ngx_media_m3u8_media_t *media);
static ngx_int_t ngx_media_hls_segments(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, const ngx_media_track_view_t *track,
    ngx_media_m3u8_media_t *media);
static void ngx_media_hls_late(const ngx_media_track_view_t *second,
    ngx_media_m3u8_media_t *media);
static ngx_int_t ngx_media_hls_join(ngx_pool_t *pool,
    const ngx_media_track_view_t *second, ngx_media_m3u8_media_t *media);
static ngx_uint_t ngx_media_hls_parts(const ngx_media_track_view_t *track,
    const ngx_media_segment_t *segment, ngx_media_m3u8_part_t *parts,
    ngx_uint_t *next);
static uint64_t ngx_media_hls_discontinuity(
    const ngx_media_stream_view_t *view, const ngx_media_track_view_t *track);
static ngx_uint_t ngx_media_hls_skip(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track);
static ngx_int_t ngx_media_hls_reports(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_uint_t self,
    ngx_media_m3u8_media_t *media);


ngx_int_t
ngx_media_hls_media(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t skip, ngx_str_t *text)
{
    ngx_media_m3u8_media_t  media;

    ngx_memzero(&media, sizeof(ngx_media_m3u8_media_t));

    if (track < view->ntracks && view->tracks[track].type == NGX_MEDIA_TEXT) {
        media.container = NGX_MEDIA_M3U8_VTT;
    }

    return ngx_media_hls_playlist(pool, view, track, NGX_MEDIA_NO_TRACK, skip,
                                  &media, text);
}


ngx_int_t
ngx_media_hls_iframes(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t skip, ngx_str_t *text)
{
    ngx_media_m3u8_media_t  media;

    ngx_memzero(&media, sizeof(ngx_media_m3u8_media_t));

    media.iframes = 1;

    return ngx_media_hls_playlist(pool, view, track, NGX_MEDIA_NO_TRACK, skip,
                                  &media, text);
}


ngx_int_t
ngx_media_hls_ts_media(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    const ngx_str_t *name, ngx_uint_t track, ngx_uint_t second,
    ngx_uint_t iframes, ngx_str_t *text)
{
    ngx_media_m3u8_media_t  media;

    /* the size of a key frame in a transport stream is not kept */

    if (iframes && !view->tricks) {
        return NGX_DECLINED;
    }

    ngx_memzero(&media, sizeof(ngx_media_m3u8_media_t));

    media.track = *name;
    media.iframes = iframes;
    media.container = NGX_MEDIA_M3U8_TS;

    if (track < view->ntracks && view->tracks[track].type == NGX_MEDIA_TEXT) {
        media.container = NGX_MEDIA_M3U8_TS_VTT;
    }

    return ngx_media_hls_playlist(pool, view, track, second, 0, &media, text);
}


static ngx_int_t
ngx_media_hls_playlist(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t second, ngx_uint_t skip,
    ngx_media_m3u8_media_t *media, ngx_str_t *text)
{
    ngx_uint_t               format;
    ngx_media_track_view_t  *t;

    if (track >= view->ntracks) {
        return NGX_AGAIN;
    }

    t = &view->tracks[track];

    format = (media->container == NGX_MEDIA_M3U8_TS)
             ? NGX_MEDIA_PACK_HLS_TS : NGX_MEDIA_PACK_HLS;

    if ((media->iframes && view->tricks && t->type != NGX_MEDIA_VIDEO)
        || ngx_media_hls_barred(view, t, format)
        || (second < view->ntracks
            && ngx_media_hls_barred(view, &view->tracks[second], format)))
    {
        return NGX_DECLINED;
    }

    if (t->nsegments == 0) {
        return NGX_AGAIN;
    }

    if (media->track.len == 0) {
        media->track = t->name;
    }

    media->tag = view->tag;
    media->timescale = t->timescale;
    media->target = view->target;
    media->discontinuity = ngx_media_hls_discontinuity(view, t);
    media->independent = ngx_media_pack_independent(view, t);
    media->end = t->ended || view->state == NGX_MEDIA_STREAM_ENDED;

    /* what has ended changes no more; Apple's authoring rules want it said */

    media->vod = media->end;
    media->event = view->event;

    if (media->iframes && view->tricks
        && ngx_media_hls_whole(pool, t, media) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (media->container != NGX_MEDIA_M3U8_TS
        && media->container != NGX_MEDIA_M3U8_TS_VTT)
    {
        if (view->part_target) {
            media->part_target = view->part_target;
            media->part_hold_back = (view->part_target * 3 + 9) / 10
                                    + NGX_MEDIA_HLS_FRAME + view->latency;
        }

        if (view->waits
            && ngx_media_hls_wait(pool, view, track, skip, media) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_media_hls_segments(pool, view, t, media) != NGX_OK) {
        return NGX_ERROR;
    }

    if (view->waits && second < view->ntracks) {
        ngx_media_hls_late(&view->tracks[second], media);
    }

    if (view->sparse && second < view->ntracks
        && ngx_media_hls_join(pool, &view->tracks[second], media) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /*
     * 6.2.2: parts without a segment are no playlist; players that see such a
     * one give up
     */

    if (media->nsegments == 0 || media->segments[0].open) {
        return NGX_AGAIN;
    }

    text->len = ngx_media_m3u8_write_media(NULL, 0, media);

    text->data = ngx_pnalloc(pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_m3u8_write_media(text->data, text->len, media);

    return NGX_OK;
}


/* what has no parameters yet may get such as are allowed */

static ngx_uint_t
ngx_media_hls_barred(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, ngx_uint_t format)
{
    if (view->waits && ngx_media_pack_init(track) == NULL) {
        return 0;
    }

    return !ngx_media_pack_allowed(track, format);
}


/* key frames are of a track "k1", that has the init segments of "v1" */

static ngx_int_t
ngx_media_hls_whole(ngx_pool_t *pool, const ngx_media_track_view_t *track,
    ngx_media_m3u8_media_t *media)
{
    media->whole = 1;
    media->init_track = track->name;

    return ngx_media_pack_trick(pool, track, &media->track);
}


/* what a playlist has whose reader may wait for more */

static ngx_int_t
ngx_media_hls_wait(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t skip, ngx_media_m3u8_media_t *media)
{
    ngx_media_track_view_t  *t;

    t = &view->tracks[track];

    media->block = 1;
    media->hold_back = view->target * NGX_MEDIA_HLS_HOLD_BACK * 1000;
    media->can_skip = view->target * NGX_MEDIA_HLS_SKIP * 1000;

    if (media->end) {
        return NGX_OK;
    }

    if (skip) {
        media->skip = ngx_media_hls_skip(view, t);
    }

    if (ngx_media_hls_young(view)) {
        return NGX_OK;
    }

    if (t->expect && !t->parts_off && view->state == NGX_MEDIA_STREAM_LIVE) {
        media->hint = 1;
        media->hint_msn = t->expect_msn;
        media->hint_part = t->expect_part;
    }

    if (media->iframes) {
        return NGX_OK;
    }

    ngx_media_hls_start(view, t, media);

    return ngx_media_hls_reports(pool, view, track, media);
}


/*
 * shaka-player looks for captions in a segment beside the middle of the
 * playlist, and fails when it comes to that in progress, which has no URI
 */

static ngx_uint_t
ngx_media_hls_young(const ngx_media_stream_view_t *view)
{
    ngx_uint_t                     i, n;
    const ngx_media_track_view_t  *clock;

    if (view->clock >= view->ntracks) {
        return 0;
    }

    clock = &view->tracks[view->clock];
    n = 0;

    for (i = 0; i < clock->nsegments; i++) {
        n += !clock->segments[i].open;
    }

    return n < NGX_MEDIA_HLS_YOUNG;
}


/*
 * Where key frames are too far apart, HOLD-BACK leads to anywhere between two
 * of them, and what is in front of the next one cannot be shown: players that
 * come are sent to the last key frame that is as far from the end, or else to
 * the first one (timing.md, 4).
 */

static void
ngx_media_hls_start(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, ngx_media_m3u8_media_t *media)
{
    uint64_t                       left, ticks;
    ngx_uint_t                     i, n;
    const ngx_media_segment_t     *key, *s;
    const ngx_media_track_view_t  *video;

    if (!view->forced || view->part_target || view->clock >= view->ntracks) {
        return;
    }

    video = &view->tracks[view->clock];

    if (video->type != NGX_MEDIA_VIDEO || track->nsegments == 0) {
        return;
    }

    left = 0;
    key = NULL;
    n = 0;

    for (i = video->nsegments; i > 0; i--) {
        s = &video->segments[i - 1];

        if (s->open || s->gap) {
            continue;
        }

        left += s->duration * 1000 / video->timescale;
        n += s->forced;

        if (!s->forced) {
            key = s;

            if (left >= media->hold_back) {
                break;
            }
        }
    }

    /* where none is forced any more, each is as good */

    if (key == NULL || n == 0) {
        return;
    }

    ticks = 0;

    for (i = 0; i < track->nsegments; i++) {

        if (track->segments[i].number >= key->number) {
            break;
        }

        ticks += track->segments[i].duration;
    }

    media->starts = 1;
    media->start = (ticks * 1000 + track->timescale - 1) / track->timescale;
}


static ngx_int_t
ngx_media_hls_segments(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, ngx_media_m3u8_media_t *media)
{
    uint64_t                   left, recent;
    ngx_uint_t                 i, n, next, listed;
    ngx_media_m3u8_part_t     *parts;
    ngx_media_m3u8_segment_t  *segments, *s;
    const ngx_media_segment_t *from;

    n = track->nsegments;

    segments = ngx_pcalloc(pool, n * sizeof(ngx_media_m3u8_segment_t));
    if (segments == NULL) {
        return NGX_ERROR;
    }

    parts = NULL;

    listed = media->part_target && !media->end && !ngx_media_hls_young(view);

    if (track->nparts && listed) {
        parts = ngx_pcalloc(pool,
                            track->nparts * sizeof(ngx_media_m3u8_part_t));
        if (parts == NULL) {
            return NGX_ERROR;
        }
    }

    /*
     * RFC 8216bis, 4.4.4.9: parts are listed within three target durations of
     * the end, those of a segment all or none
     */

    left = (uint64_t) view->target * NGX_MEDIA_HLS_PARTS * track->timescale;
    recent = n;

    for (i = n; i > 0 && listed; i--) {
        recent = i - 1;

        if (track->segments[i - 1].duration >= left) {
            break;
        }

        left -= track->segments[i - 1].duration;
    }

    next = 0;

    for (i = 0; i < n; i++) {
        from = &track->segments[i];
        s = &segments[media->nsegments];

        s->number = from->number;
        s->duration = from->duration;
        s->init = from->init;
        s->pdt = from->wall;
        s->key_size = media->whole ? !from->forced : from->key_size;
        s->discontinuity = from->discontinuity;
        s->gap = from->gap;
        s->open = from->open;

        if (i >= recent) {
            s->parts = &parts[next];
            s->nparts = ngx_media_hls_parts(track, from, parts, &next);
        }

        if (s->open && (s->nparts == 0 || media->iframes)) {
            break;
        }

        media->nsegments++;
    }

    media->segments = segments;

    return NGX_OK;
}


/*
 * Of a stream, the second track began later than the first: what is in front
 * of it has one track only, and players that begin there never play the other.
 * One that is made when it is asked for begins again and again; while it is
 * not there, nothing is.
 */

static void
ngx_media_hls_late(const ngx_media_track_view_t *second,
    ngx_media_m3u8_media_t *media)
{
    uint64_t    from;
    ngx_uint_t  i, n;

    n = second->nsegments;

    if (n == 0) {
        return;
    }

    from = second->segments[0].number;

    for (i = 0; i < n && second->only; i++) {
        if (second->segments[i].gap) {
            from = second->segments[i].number + 1;
        }
    }

    if (second->only && media->nsegments && !media->end
        && media->segments[media->nsegments - 1].number
           > second->segments[n - 1].number + NGX_MEDIA_HLS_BEHIND)
    {
        from = UINT64_MAX;
    }

    while (media->nsegments && media->segments[0].number < from) {
        media->discontinuity += media->segments[0].discontinuity;
        media->segments++;
        media->nsegments--;
    }
}


/*
 * One of two sparse tracks may have nothing at a number: it is shorter, or its
 * key frames are too far apart.  What any of them has is listed.  Where
 * only the second goes on with the next number, it says how long this one is:
 * the first goes on beneath the next.
 */

static ngx_int_t
ngx_media_hls_join(ngx_pool_t *pool, const ngx_media_track_view_t *second,
    ngx_media_m3u8_media_t *media)
{
    ngx_uint_t                       i, j, n, own, only;
    const ngx_media_segment_t       *other;
    ngx_media_m3u8_segment_t        *segments, *s;
    const ngx_media_m3u8_segment_t  *from;

    segments = ngx_pcalloc(pool, (media->nsegments + second->nsegments)
                                 * sizeof(ngx_media_m3u8_segment_t));
    if (segments == NULL) {
        return NGX_ERROR;
    }

    i = 0;
    j = 0;
    n = 0;

    while (i < media->nsegments || j < second->nsegments) {
        from = &media->segments[i];
        other = &second->segments[j];
        s = &segments[n++];

        own = (i < media->nsegments
               && (j == second->nsegments || from->number <= other->number));
        only = (j == second->nsegments
                || (own && from->number < other->number));

        if (own) {
            *s = *from;
            i++;

            if (only) {
                continue;
            }

            /* it began at a number before, of the other */
            s->discontinuity = from->discontinuity && other->discontinuity;
        }

        j++;

        if (own && (j == second->nsegments
                    || (i < media->nsegments
                        && media->segments[i].number
                           <= second->segments[j].number)))
        {
            continue;
        }

        s->duration = ngx_media_pack_rescale(other->duration,
                                             second->timescale,
                                             media->timescale);

        if (!own) {
            s->number = other->number;
            s->pdt = other->wall;
            s->discontinuity = other->discontinuity;
            s->gap = other->gap;
        }
    }

    media->segments = segments;
    media->nsegments = n;

    return NGX_OK;
}


/* the segment's parts, copied to parts + *next; 0: not all of them are kept */

static ngx_uint_t
ngx_media_hls_parts(const ngx_media_track_view_t *track,
    const ngx_media_segment_t *segment, ngx_media_m3u8_part_t *parts,
    ngx_uint_t *next)
{
    ngx_uint_t               i, n;
    const ngx_media_part_t  *part;

    if (segment->coarse) {
        return 0;
    }

    n = 0;

    for (i = 0; i < track->nparts; i++) {
        part = &track->parts[i];

        if (part->number != segment->number) {
            continue;
        }

        if (part->part != n) {
            return 0;
        }

        parts[*next + n].duration = part->duration;
        parts[*next + n].independent = part->independent;
        parts[*next + n].gap = segment->gap;
        n++;
    }

    if (n != segment->nparts) {
        return 0;
    }

    *next += n;

    return n;
}


/*
 * EXT-X-DISCONTINUITY-SEQUENCE.  All tracks have their discontinuities at the
 * same numbers, so one that started later, and lists no segment of the first
 * numbers, has those in its past that the clock track still lists.
 */

static uint64_t
ngx_media_hls_discontinuity(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track)
{
    uint64_t                       n;
    ngx_uint_t                     i;
    const ngx_media_track_view_t  *clock;

    n = view->discontinuity;

    if (view->clock >= view->ntracks) {
        return n;
    }

    clock = &view->tracks[view->clock];

    for (i = 0; i < clock->nsegments; i++) {

        if (clock->segments[i].number >= track->segments[0].number) {
            break;
        }

        n += clock->segments[i].discontinuity;
    }

    return n;
}


/*
 * RFC 8216bis, 6.2.5.1: so many segments lie beyond the skip boundary, counted
 * from the end of the last complete one; what is kept is at least as long
 */

static ngx_uint_t
ngx_media_hls_skip(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track)
{
    uint64_t    until, after;
    ngx_uint_t  i;

    until = (uint64_t) view->target * NGX_MEDIA_HLS_SKIP * track->timescale;
    after = 0;

    for (i = track->nsegments; i > 0; i--) {

        if (after >= until) {
            return i;
        }

        if (!track->segments[i - 1].open) {
            after += track->segments[i - 1].duration;
        }
    }

    return 0;
}


/* RFC 8216bis, 4.4.5.4: all other playlists, as they are at this moment */

static ngx_int_t
ngx_media_hls_reports(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t self, ngx_media_m3u8_media_t *media)
{
    ngx_uint_t                i;
    ngx_media_track_view_t   *track;
    ngx_media_m3u8_report_t  *reports, *report;

    if (view->part_target == 0 || view->ntracks < 2) {
        return NGX_OK;
    }

    reports = ngx_pcalloc(pool,
                          view->ntracks * sizeof(ngx_media_m3u8_report_t));
    if (reports == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        if (i == self || !track->edge_any || track->ended || track->away) {
            continue;
        }

        report = &reports[media->nreports++];
        report->track = track->name;
        report->msn = track->edge_msn;
        report->part = track->edge_part;
        report->parts = !track->parts_off;
    }

    media->reports = reports;

    return NGX_OK;
}
