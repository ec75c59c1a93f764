
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * HLS and LL-HLS (rfc8216bis) of a live stream.  What is the same in all
 * playlists of a stream follows from its configuration at birth: the target
 * duration, PART-TARGET and the line of EXT-X-SERVER-CONTROL.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_m3u8.h"
#include "formats/ngx_media_text.h"
#include "packager/ngx_media_pack.h"


/* PART-HOLD-BACK: three parts and the slowest usual frame, ms */
#define NGX_MEDIA_HLS_FRAME        40

/* in target durations */
#define NGX_MEDIA_HLS_HOLD_BACK    3
#define NGX_MEDIA_HLS_PARTS        3
#define NGX_MEDIA_HLS_SKIP         6

/* TransferCharacteristics, ISO/IEC 23091-2 */
#define NGX_MEDIA_HLS_PQ           16
#define NGX_MEDIA_HLS_HLG          18

/* codec string "-" channels */
#define NGX_MEDIA_HLS_GROUP_LEN    (NGX_MEDIA_CODEC_STRING_MAX               \
                                    + NGX_INT32_LEN + 1)
#define NGX_MEDIA_HLS_NAME_LEN     (sizeof("Audio ") + NGX_INT_T_LEN)
#define NGX_MEDIA_HLS_CODECS_LEN   (2 * NGX_MEDIA_CODEC_STRING_MAX + 1)


/* audio tracks that are alternatives of one another */

typedef struct {
    const ngx_media_init_t   *init;           /* of its first member */
    ngx_str_t                 name;
    uint64_t                  bandwidth;      /* of its largest member */
    uint64_t                  average;
    ngx_uint_t                members;
} ngx_media_hls_group_t;


typedef struct {
    ngx_media_m3u8_multi_t    multi;
    ngx_media_m3u8_rendition_t
                             *renditions;
    ngx_media_m3u8_variant_t *variants;
    ngx_media_hls_group_t    *groups;
    ngx_uint_t                ngroups;
    ngx_uint_t                wide;           /* not all of it is SDR */
} ngx_media_hls_multi_t;


static ngx_int_t ngx_media_hls_playlist(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_uint_t track, ngx_uint_t skip,
    ngx_uint_t iframes, ngx_str_t *text);
static ngx_int_t ngx_media_hls_segments(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, const ngx_media_track_view_t *track,
    ngx_media_m3u8_media_t *media);
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
static ngx_uint_t ngx_media_hls_listed(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track);
static ngx_int_t ngx_media_hls_groups(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_media_hls_multi_t *ctx);
static ngx_media_hls_group_t *ngx_media_hls_group(ngx_pool_t *pool,
    ngx_media_hls_multi_t *ctx, const ngx_media_init_t *init);
static ngx_int_t ngx_media_hls_variants(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_media_hls_multi_t *ctx);
static ngx_int_t ngx_media_hls_iframe_variants(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_media_hls_multi_t *ctx);
static ngx_int_t ngx_media_hls_variant(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, const ngx_media_track_view_t *track,
    const ngx_media_hls_group_t *group, ngx_media_hls_multi_t *ctx);
static void ngx_media_hls_range(const ngx_media_params_t *params,
    ngx_str_t *range);
static uint64_t ngx_media_hls_bandwidth(const ngx_media_track_view_t *track);


ngx_int_t
ngx_media_hls_media(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t skip, ngx_str_t *text)
{
    return ngx_media_hls_playlist(pool, view, track, skip, 0, text);
}


ngx_int_t
ngx_media_hls_iframes(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t skip, ngx_str_t *text)
{
    return ngx_media_hls_playlist(pool, view, track, skip, 1, text);
}


static ngx_int_t
ngx_media_hls_playlist(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_uint_t track, ngx_uint_t skip, ngx_uint_t iframes, ngx_str_t *text)
{
    ngx_media_m3u8_media_t   media;
    ngx_media_track_view_t  *t;

    if (track >= view->ntracks) {
        return NGX_AGAIN;
    }

    t = &view->tracks[track];

    if (t->nsegments == 0) {
        return NGX_AGAIN;
    }

    ngx_memzero(&media, sizeof(ngx_media_m3u8_media_t));

    media.track = t->name;
    media.timescale = t->timescale;
    media.target = view->target;
    media.hold_back = view->target * NGX_MEDIA_HLS_HOLD_BACK * 1000;
    media.can_skip = view->target * NGX_MEDIA_HLS_SKIP * 1000;
    media.discontinuity = ngx_media_hls_discontinuity(view, t);
    media.independent = !view->forced;
    media.block = 1;
    media.iframes = iframes;
    media.end = t->ended || view->state == NGX_MEDIA_STREAM_ENDED;

    /* what has ended changes no more; Apple's authoring rules want it said */

    media.vod = media.end;

    if (view->part_target) {
        media.part_target = view->part_target;
        media.part_hold_back = (view->part_target * 3 + 9) / 10
                               + NGX_MEDIA_HLS_FRAME;
    }

    if (ngx_media_hls_segments(pool, view, t, &media) != NGX_OK) {
        return NGX_ERROR;
    }

    if (media.nsegments == 0) {
        return NGX_AGAIN;
    }

    if (!media.end) {

        if (skip) {
            media.skip = ngx_media_hls_skip(view, t);
        }

        if (t->expect && !t->parts_off
            && view->state == NGX_MEDIA_STREAM_LIVE)
        {
            media.hint = 1;
            media.hint_msn = t->expect_msn;
            media.hint_part = t->expect_part;
        }

        if (!iframes
            && ngx_media_hls_reports(pool, view, track, &media) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    text->len = ngx_media_m3u8_write_media(NULL, 0, &media);

    text->data = ngx_pnalloc(pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_m3u8_write_media(text->data, text->len, &media);

    return NGX_OK;
}


static ngx_int_t
ngx_media_hls_segments(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, ngx_media_m3u8_media_t *media)
{
    uint64_t                   left, recent;
    ngx_uint_t                 i, n, next;
    ngx_media_m3u8_part_t     *parts;
    ngx_media_m3u8_segment_t  *segments, *s;
    const ngx_media_segment_t *from;

    n = track->nsegments;

    segments = ngx_pcalloc(pool, n * sizeof(ngx_media_m3u8_segment_t));
    if (segments == NULL) {
        return NGX_ERROR;
    }

    parts = NULL;

    if (track->nparts) {
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

    for (i = n; i > 0 && view->part_target && !media->end; i--) {
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
        s->key_size = from->key_size;
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


/* the segment's parts, copied to parts + *next; 0: not all of them are kept */

static ngx_uint_t
ngx_media_hls_parts(const ngx_media_track_view_t *track,
    const ngx_media_segment_t *segment, ngx_media_m3u8_part_t *parts,
    ngx_uint_t *next)
{
    ngx_uint_t               i, n;
    const ngx_media_part_t  *part;

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

        if (i == self || !track->edge_any || track->ended) {
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


ngx_int_t
ngx_media_hls_multi(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_str_t *text)
{
    ngx_media_hls_multi_t  ctx;

    if (!view->ready || view->ntracks == 0) {
        return NGX_AGAIN;
    }

    ngx_memzero(&ctx, sizeof(ngx_media_hls_multi_t));

    if (ngx_media_hls_groups(pool, view, &ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_media_hls_variants(pool, view, &ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx.multi.nvariants == 0) {
        return NGX_AGAIN;
    }

    if (ngx_media_hls_iframe_variants(pool, view, &ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx.multi.independent = !view->forced;

    text->len = ngx_media_m3u8_write_multi(NULL, 0, &ctx.multi);

    text->data = ngx_pnalloc(pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_m3u8_write_multi(text->data, text->len, &ctx.multi);

    return NGX_OK;
}


/*
 * Tracks that ended while the stream went on are listed no more.  Of a stream
 * that is over all have ended: listed are those that came to its end.
 */

static ngx_uint_t
ngx_media_hls_listed(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track)
{
    uint64_t    newest;
    ngx_uint_t  i;

    if (ngx_media_pack_init(track) == NULL) {
        return 0;
    }

    if (view->state != NGX_MEDIA_STREAM_ENDED) {
        return !track->ended;
    }

    newest = 0;

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].edge_msn > newest) {
            newest = view->tracks[i].edge_msn;
        }
    }

    return track->edge_msn + 1 >= newest;
}


/* one group for each codec and number of channels */

static ngx_int_t
ngx_media_hls_groups(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_media_hls_multi_t *ctx)
{
    u_char                      *p;
    uint64_t                     bandwidth;
    ngx_uint_t                   i, video;
    ngx_media_text_t             text;
    ngx_media_hls_group_t       *group;
    ngx_media_track_view_t      *track;
    ngx_media_m3u8_rendition_t  *rendition;

    ctx->groups = ngx_pcalloc(pool,
                              view->ntracks * sizeof(ngx_media_hls_group_t));
    ctx->renditions = ngx_pcalloc(pool, view->ntracks
                                        * sizeof(ngx_media_m3u8_rendition_t));

    if (ctx->groups == NULL || ctx->renditions == NULL) {
        return NGX_ERROR;
    }

    video = 0;

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].type == NGX_MEDIA_VIDEO) {
            video |= ngx_media_hls_listed(view, &view->tracks[i]);
        }
    }

    if (!video) {
        return NGX_OK;
    }

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        if (track->type != NGX_MEDIA_AUDIO
            || !ngx_media_hls_listed(view, track))
        {
            continue;
        }

        group = ngx_media_hls_group(pool, ctx, ngx_media_pack_init(track));
        if (group == NULL) {
            return NGX_ERROR;
        }

        bandwidth = ngx_media_hls_bandwidth(track);

        if (bandwidth > group->bandwidth) {
            group->bandwidth = bandwidth;
            group->average = track->average;
        }

        p = ngx_pnalloc(pool, NGX_MEDIA_HLS_NAME_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        rendition = &ctx->renditions[ctx->multi.nrenditions++];

        /* RFC 8216bis, 4.4.6.2.1: the names are those of other groups too */

        rendition->track = track->name;
        rendition->group = group->name;
        rendition->channels = group->init->params.channels;
        rendition->is_default = (group->members == 0);
        rendition->name.data = p;

        ngx_media_text_init(&text, p, NGX_MEDIA_HLS_NAME_LEN);
        ngx_media_text_cstr(&text, "Audio ");
        ngx_media_text_u64(&text, ++group->members);

        rendition->name.len = text.total;
    }

    ctx->multi.renditions = ctx->renditions;

    return NGX_OK;
}


/*
 * The codec string is part of the name: what a group holds must be told by
 * CODECS of the variants that use it
 */

static ngx_media_hls_group_t *
ngx_media_hls_group(ngx_pool_t *pool, ngx_media_hls_multi_t *ctx,
    const ngx_media_init_t *init)
{
    u_char                 *p;
    ngx_str_t               name;
    ngx_uint_t              i;
    ngx_media_text_t        text;
    ngx_media_hls_group_t  *group;

    p = ngx_pnalloc(pool, NGX_MEDIA_HLS_GROUP_LEN);
    if (p == NULL) {
        return NULL;
    }

    ngx_media_text_init(&text, p, NGX_MEDIA_HLS_GROUP_LEN);
    ngx_media_text_data(&text, init->codec, init->codec_len);
    ngx_media_text_cstr(&text, "-");
    ngx_media_text_u64(&text, init->params.channels);

    name.data = p;
    name.len = text.total;

    for (i = 0; i < ctx->ngroups; i++) {
        group = &ctx->groups[i];

        if (group->name.len == name.len
            && ngx_memcmp(group->name.data, name.data, name.len) == 0)
        {
            return group;
        }
    }

    group = &ctx->groups[ctx->ngroups++];

    group->init = init;
    group->name = name;

    return group;
}


static ngx_int_t
ngx_media_hls_variants(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t               i, j, n, type;
    const ngx_media_init_t  *init;
    ngx_media_track_view_t  *track;

    n = ctx->ngroups ? ctx->ngroups : 1;

    ctx->variants = ngx_pcalloc(pool, view->ntracks * n
                                      * sizeof(ngx_media_m3u8_variant_t));
    if (ctx->variants == NULL) {
        return NGX_ERROR;
    }

    ctx->multi.variants = ctx->variants;

    type = NGX_MEDIA_AUDIO;

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        if (track->type != NGX_MEDIA_VIDEO
            || !ngx_media_hls_listed(view, track))
        {
            continue;
        }

        type = NGX_MEDIA_VIDEO;

        init = ngx_media_pack_init(track);

        if (init->params.transfer == NGX_MEDIA_HLS_PQ
            || init->params.transfer == NGX_MEDIA_HLS_HLG)
        {
            ctx->wide = 1;
        }
    }

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        if (track->type != type || !ngx_media_hls_listed(view, track)) {
            continue;
        }

        for (j = 0; j < n; j++) {
            if (ngx_media_hls_variant(pool, view, track,
                                      j < ctx->ngroups ? &ctx->groups[j]
                                                       : NULL,
                                      ctx)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/*
 * A stream with forced cuts has segments without a key frame: its I-frame
 * playlists are all gaps there, and are not offered.
 */

static ngx_int_t
ngx_media_hls_iframe_variants(ngx_pool_t *pool,
    const ngx_media_stream_view_t *view, ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t                 i;
    const ngx_media_init_t    *init;
    ngx_media_track_view_t    *track;
    ngx_media_m3u8_variant_t  *iframes, *variant;

    if (view->forced) {
        return NGX_OK;
    }

    iframes = ngx_pcalloc(pool, view->ntracks
                                * sizeof(ngx_media_m3u8_variant_t));
    if (iframes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < view->ntracks; i++) {
        track = &view->tracks[i];

        if (track->type != NGX_MEDIA_VIDEO || track->key_bandwidth == 0
            || !ngx_media_hls_listed(view, track))
        {
            continue;
        }

        init = ngx_media_pack_init(track);
        variant = &iframes[ctx->multi.niframes++];

        variant->track = track->name;
        variant->bandwidth = track->key_bandwidth;
        variant->codecs.data = (u_char *) init->codec;
        variant->codecs.len = init->codec_len;
        variant->width = init->params.width;
        variant->height = init->params.height;

        if (ctx->wide) {
            ngx_media_hls_range(&init->params, &variant->range);
        }
    }

    ctx->multi.iframes = iframes;

    return NGX_OK;
}


static ngx_int_t
ngx_media_hls_variant(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track, const ngx_media_hls_group_t *group,
    ngx_media_hls_multi_t *ctx)
{
    u_char                    *p;
    const ngx_media_init_t    *init;
    ngx_media_m3u8_variant_t  *variant;

    init = ngx_media_pack_init(track);

    variant = &ctx->variants[ctx->multi.nvariants++];

    variant->track = track->name;
    variant->bandwidth = ngx_media_hls_bandwidth(track);
    variant->average = track->average;

    p = ngx_pnalloc(pool, NGX_MEDIA_HLS_CODECS_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    variant->codecs.data = p;
    p = ngx_cpymem(p, init->codec, init->codec_len);

    if (group) {
        *p++ = ',';
        p = ngx_cpymem(p, group->init->codec, group->init->codec_len);

        variant->audio = group->name;
        variant->bandwidth += group->bandwidth;

        if (variant->average) {
            variant->average += group->average;
        }
    }

    variant->codecs.len = p - variant->codecs.data;

    /* RFC 8216bis, 4.4.6.2: the average is not above the peak */

    if (variant->average > variant->bandwidth) {
        variant->average = variant->bandwidth;
    }

    if (track->type == NGX_MEDIA_VIDEO) {
        variant->width = init->params.width;
        variant->height = init->params.height;
        variant->fps = track->fps;

        if (variant->fps == 0 && init->params.fps_den) {
            variant->fps = (uint64_t) init->params.fps_num * 1000
                           / init->params.fps_den;
        }

        if (ctx->wide) {
            ngx_media_hls_range(&init->params, &variant->range);
        }
    }

    return NGX_OK;
}


/* VIDEO-RANGE */

static void
ngx_media_hls_range(const ngx_media_params_t *params, ngx_str_t *range)
{
    switch (params->transfer) {

    case NGX_MEDIA_HLS_PQ:
        ngx_str_set(range, "PQ");
        break;

    case NGX_MEDIA_HLS_HLG:
        ngx_str_set(range, "HLG");
        break;

    default:
        ngx_str_set(range, "SDR");
    }
}


/*
 * BANDWIDTH of a track.  The store announces one as soon as it can; before
 * that, a quarter more than what there is to be measured.
 */

static uint64_t
ngx_media_hls_bandwidth(const ngx_media_track_view_t *track)
{
    uint64_t    bytes, duration;
    ngx_uint_t  i;

    if (track->bandwidth) {
        return track->bandwidth;
    }

    bytes = 0;
    duration = 0;

    for (i = 0; i < track->nsegments; i++) {
        bytes += track->segments[i].bytes;
        duration += track->segments[i].duration;
    }

    return duration ? bytes * 10 * track->timescale / duration : 1;
}
