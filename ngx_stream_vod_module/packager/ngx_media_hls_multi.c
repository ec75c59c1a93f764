
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Multivariant playlists (rfc8216bis), of CMAF and of MPEG-TS:
 *
 *     audio       one group for each codec and number of channels, whose
 *                 members are languages, comments and so on
 *     text        one group
 *     variants    each video with each audio group; without video, each audio
 *
 * Groups of one type have the same members (4.4.6.1.1): of renditions, where
 * one has none of its own, it takes that of another group, and CODECS tells
 * both.
 * In MPEG-TS one member, the default, is in the variants, and has no URI.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_m3u8.h"
#include "formats/ngx_media_text.h"
#include "packager/ngx_media_pack.h"


/* audio groups; what comes after those is not listed */
#define NGX_MEDIA_HLS_GROUPS       16

/* TransferCharacteristics, ISO/IEC 23091-2 */
#define NGX_MEDIA_HLS_PQ           16
#define NGX_MEDIA_HLS_HLG          18

/*
 * Bytes that a transport stream has for each frame: of video the header of its
 * PES packet, an access unit delimiter, a PCR and half a packet of stuffing,
 * or one packet that holds all of it, and some are larger; of audio an ADTS
 * header, and the like of some frames that are in one packet.  Tables are in
 * each segment, and packets that bring each PID to a multiple of 16 of them.
 */
#define NGX_MEDIA_HLS_TS_VIDEO     150
#define NGX_MEDIA_HLS_TS_AUDIO     48
#define NGX_MEDIA_HLS_TS_TABLES    376
#define NGX_MEDIA_HLS_TS_PADDING   (15 * 188)
#define NGX_MEDIA_HLS_TS_KEY       600
#define NGX_MEDIA_HLS_TS_SMALL     150
#define NGX_MEDIA_HLS_TS_PACKET    188

/*
 * That part of the bandwidth for headers of packets, 4 of 184 bytes, and as
 * much again for segments that have more frames than others
 */
#define NGX_MEDIA_HLS_TS_HEADERS   20

/* frames a second, where it is not known */
#define NGX_MEDIA_HLS_RATE         50

/* codec string "-" channels */
#define NGX_MEDIA_HLS_GROUP_LEN    (NGX_MEDIA_CODEC_STRING_MAX               \
                                    + NGX_INT32_LEN + 1)


/* audio tracks that are alternatives of one another */

typedef struct {
    const ngx_media_init_t   *init;           /* of its first member */
    ngx_str_t                 name;
    ngx_str_t                 codecs;         /* of all of its members */
    uint64_t                  bandwidth;      /* of its largest member */
    uint64_t                  average;
    ngx_uint_t                members;
    const ngx_media_track_view_t
                             *joined;         /* the one in the variants: its
                                                 default, or its first */
} ngx_media_hls_group_t;


typedef struct {
    ngx_pool_t               *pool;
    const ngx_media_stream_view_t
                             *view;
    ngx_uint_t                format;         /* ngx_media_pack_format_e */
    ngx_media_m3u8_multi_t    multi;
    ngx_media_m3u8_rendition_t
                             *renditions;     /* audio first, then text */
    const ngx_media_track_view_t
                            **tracks;         /* of renditions */
    ngx_uint_t                nrenditions;
    ngx_media_m3u8_variant_t *variants;
    ngx_media_hls_group_t     groups[NGX_MEDIA_HLS_GROUPS];
    ngx_uint_t                ngroups;
    ngx_uint_t                nvideo;         /* tracks that are listed */
    ngx_uint_t                naudio;
    ngx_uint_t                ntext;
    uint64_t                  text;           /* bandwidth of the largest */
    ngx_uint_t                wide;           /* not all of it is SDR */
} ngx_media_hls_multi_t;


static ngx_int_t ngx_media_hls_multi_render(ngx_media_hls_multi_t *ctx,
    ngx_str_t *text);
static void ngx_media_hls_count(ngx_media_hls_multi_t *ctx);
static ngx_uint_t ngx_media_hls_listed(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track);
static ngx_int_t ngx_media_hls_groups(ngx_media_hls_multi_t *ctx);
static ngx_media_hls_group_t *ngx_media_hls_group(ngx_media_hls_multi_t *ctx,
    const ngx_media_init_t *init);
static ngx_int_t ngx_media_hls_renditions(ngx_media_hls_multi_t *ctx);
static ngx_int_t ngx_media_hls_rendition(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, const ngx_str_t *group,
    ngx_uint_t member);
static ngx_int_t ngx_media_hls_name(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, ngx_uint_t member,
    ngx_media_m3u8_rendition_t *rendition);
static void ngx_media_hls_name_base(ngx_media_text_t *text,
    const ngx_media_track_view_t *track, ngx_uint_t member);
static ngx_uint_t ngx_media_hls_named(const ngx_media_hls_multi_t *ctx,
    const ngx_str_t *group, const ngx_str_t *name);
static ngx_uint_t ngx_media_hls_told(const ngx_media_stream_view_t *view);
static ngx_int_t ngx_media_hls_fill(ngx_media_hls_multi_t *ctx);
static void ngx_media_hls_defaults(ngx_media_hls_multi_t *ctx,
    ngx_uint_t type);
static void ngx_media_hls_manual(ngx_media_hls_multi_t *ctx);
static void ngx_media_hls_muxed(ngx_media_hls_multi_t *ctx);
static ngx_int_t ngx_media_hls_variants(ngx_media_hls_multi_t *ctx);
static ngx_int_t ngx_media_hls_iframe_variants(ngx_media_hls_multi_t *ctx);
static ngx_int_t ngx_media_hls_variant(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_hls_group_t *group);
static ngx_int_t ngx_media_hls_join(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_hls_group_t *group,
    ngx_str_t *name);
static ngx_int_t ngx_media_hls_picture(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, ngx_media_m3u8_variant_t *variant);
static ngx_int_t ngx_media_hls_every(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, ngx_str_t *codecs);
static ngx_int_t ngx_media_hls_codecs(ngx_pool_t *pool, ngx_str_t *codecs,
    const u_char *data, size_t len);
static void ngx_media_hls_range(const ngx_media_params_t *params,
    ngx_str_t *range);
static uint64_t ngx_media_hls_bandwidth(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track);
static uint64_t ngx_media_hls_average(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track);
static uint64_t ngx_media_hls_joined(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, uint64_t bandwidth);
static uint64_t ngx_media_hls_packed(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, uint64_t bandwidth);
static uint64_t ngx_media_hls_ts_packed(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, uint64_t bandwidth, uint64_t rate);


static ngx_inline ngx_uint_t
ngx_media_hls_same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


static const ngx_str_t  ngx_media_hls_subs = ngx_string("subs");


ngx_int_t
ngx_media_hls_multi(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_str_t *text)
{
    ngx_media_hls_multi_t  ctx;

    ngx_memzero(&ctx, sizeof(ngx_media_hls_multi_t));

    ctx.pool = pool;
    ctx.view = view;
    ctx.format = NGX_MEDIA_PACK_HLS;

    return ngx_media_hls_multi_render(&ctx, text);
}


ngx_int_t
ngx_media_hls_ts_multi(ngx_pool_t *pool, const ngx_media_stream_view_t *view,
    ngx_str_t *text)
{
    ngx_media_hls_multi_t  ctx;

    ngx_memzero(&ctx, sizeof(ngx_media_hls_multi_t));

    ctx.pool = pool;
    ctx.view = view;
    ctx.format = NGX_MEDIA_PACK_HLS_TS;
    ctx.multi.ts = 1;

    return ngx_media_hls_multi_render(&ctx, text);
}


static ngx_int_t
ngx_media_hls_multi_render(ngx_media_hls_multi_t *ctx, ngx_str_t *text)
{
    if (!ctx->view->ready || ctx->view->ntracks == 0) {
        return NGX_AGAIN;
    }

    ctx->multi.independent = 1;

    ngx_media_hls_count(ctx);

    if (ctx->nvideo + ctx->naudio == 0) {
        return ctx->view->waits ? NGX_AGAIN : NGX_DECLINED;
    }

    if (ngx_media_hls_groups(ctx) != NGX_OK
        || ngx_media_hls_renditions(ctx) != NGX_OK
        || ngx_media_hls_variants(ctx) != NGX_OK
        || ngx_media_hls_iframe_variants(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    text->len = ngx_media_m3u8_write_multi(NULL, 0, &ctx->multi);

    text->data = ngx_pnalloc(ctx->pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_m3u8_write_multi(text->data, text->len, &ctx->multi);

    return NGX_OK;
}


static void
ngx_media_hls_count(ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t               i;
    const ngx_media_init_t  *init;
    ngx_media_track_view_t  *track;

    for (i = 0; i < ctx->view->ntracks; i++) {
        track = &ctx->view->tracks[i];

        if (!ngx_media_hls_listed(ctx, track)) {
            continue;
        }

        ctx->multi.independent &= ngx_media_pack_independent(ctx->view, track);

        switch (track->type) {

        case NGX_MEDIA_VIDEO:
            ctx->nvideo++;
            init = ngx_media_pack_init(track);

            if (init->params.transfer == NGX_MEDIA_HLS_PQ
                || init->params.transfer == NGX_MEDIA_HLS_HLG)
            {
                ctx->wide = 1;
            }

            break;

        case NGX_MEDIA_AUDIO:
            ctx->naudio++;
            break;

        default:
            ctx->ntext++;
            ctx->text = ngx_max(ctx->text, track->bandwidth);
        }
    }
}


/*
 * Tracks that ended while the stream went on are listed no more, nor those of
 * which nothing comes any more, for as long as that is so.  Of a stream
 * that is over all have ended: listed are those that came to its end.  Where
 * tracks may be sparse that says nothing of them.
 */

static ngx_uint_t
ngx_media_hls_listed(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track)
{
    uint64_t                        newest;
    ngx_uint_t                      i;
    const ngx_media_stream_view_t  *view;

    view = ctx->view;

    if (track->unlisted || !ngx_media_pack_allowed(track, ctx->format)) {
        return 0;
    }

    if (view->sparse) {
        return 1;
    }

    if (view->state != NGX_MEDIA_STREAM_ENDED) {
        return !track->ended && !track->away;
    }

    newest = 0;

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].edge_msn > newest) {
            newest = view->tracks[i].edge_msn;
        }
    }

    return track->edge_msn + 1 >= newest;
}


/*
 * Without video, audio of which nobody says that it is for somebody to choose
 * from, and a single track, are variants of their own
 */

static ngx_int_t
ngx_media_hls_groups(ngx_media_hls_multi_t *ctx)
{
    uint64_t                 bandwidth;
    ngx_uint_t               i;
    ngx_media_hls_group_t   *group;
    ngx_media_track_view_t  *track;

    if (ctx->nvideo == 0 && (!ctx->view->renditions || ctx->naudio < 2)) {
        return NGX_OK;
    }

    for (i = 0; i < ctx->view->ntracks; i++) {
        track = &ctx->view->tracks[i];

        if (track->type != NGX_MEDIA_AUDIO
            || !ngx_media_hls_listed(ctx, track))
        {
            continue;
        }

        group = ngx_media_hls_group(ctx, ngx_media_pack_init(track));
        if (group == NULL
            || ngx_media_hls_every(ctx, track, &group->codecs) != NGX_OK)
        {
            return NGX_ERROR;
        }

        bandwidth = ngx_media_hls_bandwidth(ctx, track);

        if (bandwidth > group->bandwidth) {
            group->bandwidth = bandwidth;
            group->average = ngx_media_hls_average(ctx, track);
        }
    }

    return NGX_OK;
}


/*
 * The codec string is part of the name: what a group holds must be told by
 * CODECS of the variants that use it.  Too many: the last one.
 */

static ngx_media_hls_group_t *
ngx_media_hls_group(ngx_media_hls_multi_t *ctx, const ngx_media_init_t *init)
{
    u_char                 *p;
    ngx_str_t               name;
    ngx_uint_t              i;
    ngx_media_text_t        text;
    ngx_media_hls_group_t  *group;

    p = ngx_pnalloc(ctx->pool, NGX_MEDIA_HLS_GROUP_LEN);
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

    if (ctx->ngroups == NGX_MEDIA_HLS_GROUPS) {
        group = &ctx->groups[ctx->ngroups - 1];

    } else {
        group = &ctx->groups[ctx->ngroups++];

        group->init = init;
        group->name = name;
    }

    if (ngx_media_hls_codecs(ctx->pool, &group->codecs, init->codec,
                             init->codec_len)
        != NGX_OK)
    {
        return NULL;
    }

    return group;
}


static ngx_int_t
ngx_media_hls_renditions(ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t               i, n, told;
    ngx_media_hls_group_t   *group;
    ngx_media_track_view_t  *track;

    if (ctx->ngroups == 0 && ctx->ntext == 0) {
        return NGX_OK;
    }

    /* all members of all groups, see ngx_media_hls_fill() */

    n = ctx->ngroups * ctx->naudio + ctx->ntext;

    ctx->renditions = ngx_pcalloc(ctx->pool,
                                  n * sizeof(ngx_media_m3u8_rendition_t));
    ctx->tracks = ngx_pcalloc(ctx->pool, n * sizeof(void *));

    if (ctx->renditions == NULL || ctx->tracks == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->view->ntracks && ctx->ngroups; i++) {
        track = &ctx->view->tracks[i];

        if (track->type != NGX_MEDIA_AUDIO
            || !ngx_media_hls_listed(ctx, track))
        {
            continue;
        }

        group = ngx_media_hls_group(ctx, ngx_media_pack_init(track));

        if (group == NULL
            || ngx_media_hls_rendition(ctx, track, &group->name,
                                       group->members++)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    told = ngx_media_hls_told(ctx->view);

    if (told && ngx_media_hls_fill(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_media_hls_defaults(ctx, NGX_MEDIA_M3U8_AUDIO);

    if (ctx->format == NGX_MEDIA_PACK_HLS_TS) {
        ngx_media_hls_muxed(ctx);
    }

    n = 0;

    for (i = 0; i < ctx->view->ntracks && ctx->ntext; i++) {
        track = &ctx->view->tracks[i];

        if (track->type != NGX_MEDIA_TEXT
            || !ngx_media_hls_listed(ctx, track))
        {
            continue;
        }

        if (ngx_media_hls_rendition(ctx, track, &ngx_media_hls_subs, n++)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_media_hls_defaults(ctx, NGX_MEDIA_M3U8_SUBTITLES);

    if (told) {
        ngx_media_hls_manual(ctx);
    }

    ctx->multi.renditions = ctx->renditions;
    ctx->multi.nrenditions = ctx->nrenditions;

    return NGX_OK;
}


static ngx_int_t
ngx_media_hls_rendition(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, const ngx_str_t *group,
    ngx_uint_t member)
{
    ngx_media_m3u8_rendition_t  *rendition;

    rendition = &ctx->renditions[ctx->nrenditions];

    /* or it was one that needed not to be listed */

    ngx_memzero(rendition, sizeof(ngx_media_m3u8_rendition_t));

    rendition->track = track->name;
    rendition->group = *group;
    rendition->lang = track->lang;

    if (track->type == NGX_MEDIA_AUDIO) {
        rendition->type = NGX_MEDIA_M3U8_AUDIO;
        rendition->channels = ngx_media_pack_init(track)->params.channels;

        if (track->described) {
            ngx_str_set(&rendition->characteristics,
                        "public.accessibility.describes-video");

        } else if (track->sdh) {
            ngx_str_set(&rendition->characteristics,
                    "public.accessibility.enhances-speech-intelligibility");
        }

    } else {
        rendition->type = NGX_MEDIA_M3U8_SUBTITLES;
        rendition->forced = track->forced;

        if (track->sdh) {
            ngx_str_set(&rendition->characteristics,
                    "public.accessibility.transcribes-spoken-dialog,"
                    "public.accessibility.describes-music-and-sound");
        }
    }

    if (ngx_media_hls_name(ctx, track, member, rendition) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->tracks[ctx->nrenditions++] = track;

    return NGX_OK;
}


/*
 * RFC 8216bis, 4.4.6.1.1: a name is unique in its group, and the same for the
 * same member of other groups.  The second "English" is "English 2".
 */

static ngx_int_t
ngx_media_hls_name(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, ngx_uint_t member,
    ngx_media_m3u8_rendition_t *rendition)
{
    size_t            len;
    u_char           *p;
    ngx_str_t         name;
    ngx_uint_t        n;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, NULL, 0);
    ngx_media_hls_name_base(&text, track, member);

    len = text.total + sizeof(" ") - 1 + NGX_INT_T_LEN;

    p = ngx_pnalloc(ctx->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name.data = p;

    for (n = 0; /* void */; n++) {
        ngx_media_text_init(&text, p, len);
        ngx_media_hls_name_base(&text, track, member);

        if (n) {
            ngx_media_text_cstr(&text, " ");
            ngx_media_text_u64(&text, member + n);
        }

        name.len = text.total;

        if (!ngx_media_hls_named(ctx, &rendition->group, &name)) {
            break;
        }
    }

    rendition->name = name;

    return NGX_OK;
}


/* the label, or the language's name with what is more of its tag */

static void
ngx_media_hls_name_base(ngx_media_text_t *text,
    const ngx_media_track_view_t *track, ngx_uint_t member)
{
    const ngx_str_t  *name;

    if (track->label.len) {
        ngx_media_text_str(text, &track->label);
        return;
    }

    name = ngx_media_pack_language(&track->lang);

    if (name) {
        ngx_media_text_str(text, name);

        if (track->lang.len > 3) {
            ngx_media_text_cstr(text, " (");
            ngx_media_text_data(text, track->lang.data + 3,
                                track->lang.len - 3);
            ngx_media_text_cstr(text, ")");
        }

        return;
    }

    if (track->lang.len) {
        ngx_media_text_str(text, &track->lang);
        return;
    }

    if (track->type == NGX_MEDIA_AUDIO) {
        ngx_media_text_cstr(text, "Audio ");

    } else {
        ngx_media_text_cstr(text, "Subtitles ");
    }

    ngx_media_text_u64(text, member + 1);
}


static ngx_uint_t
ngx_media_hls_named(const ngx_media_hls_multi_t *ctx, const ngx_str_t *group,
    const ngx_str_t *name)
{
    ngx_uint_t                         i;
    const ngx_media_m3u8_rendition_t  *rendition;

    for (i = 0; i < ctx->nrenditions; i++) {
        rendition = &ctx->renditions[i];

        if (ngx_media_hls_same(&rendition->name, name)
            && ngx_media_hls_same(&rendition->group, group))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Whether renditions are what somebody chooses from.  Those of publishers that
 * say nothing of them may as well be the same sound at several rates.
 */

static ngx_uint_t
ngx_media_hls_told(const ngx_media_stream_view_t *view)
{
    ngx_uint_t  i;

    if (view->renditions) {
        return 1;
    }

    for (i = 0; i < view->ntracks; i++) {
        if (view->tracks[i].type == NGX_MEDIA_AUDIO
            && (view->tracks[i].lang.len || view->tracks[i].label.len))
        {
            return 1;
        }
    }

    return 0;
}


/* members that other groups have are members of this one, too */

static ngx_int_t
ngx_media_hls_fill(ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t                   i, j, n;
    const ngx_media_init_t      *init;
    ngx_media_hls_group_t       *group;
    ngx_media_m3u8_rendition_t  *rendition;

    n = ctx->nrenditions;

    for (i = 0; i < ctx->ngroups; i++) {
        group = &ctx->groups[i];

        for (j = 0; j < n; j++) {

            if (ngx_media_hls_named(ctx, &group->name,
                                    &ctx->renditions[j].name))
            {
                continue;
            }

            ctx->tracks[ctx->nrenditions] = ctx->tracks[j];
            rendition = &ctx->renditions[ctx->nrenditions++];

            *rendition = ctx->renditions[j];
            rendition->group = group->name;

            init = ngx_media_pack_init(ctx->tracks[j]);

            if (ngx_media_hls_codecs(ctx->pool, &group->codecs, init->codec,
                                     init->codec_len)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            group->members++;
        }
    }

    return NGX_OK;
}


/*
 * One default for each group, of the same name: the first one of which it is
 * said, or, of audio, the first one.  No text is shown unless it is said.
 */

static void
ngx_media_hls_defaults(ngx_media_hls_multi_t *ctx, ngx_uint_t type)
{
    ngx_uint_t                   i, j, first;
    const ngx_media_init_t      *init;
    ngx_media_hls_group_t       *group;
    ngx_media_m3u8_rendition_t  *rendition;

    first = ctx->nrenditions;

    for (i = 0; i < ctx->nrenditions; i++) {

        if (ctx->renditions[i].type != type) {
            continue;
        }

        if (ctx->tracks[i]->is_default) {
            first = i;
            break;
        }

        if (first == ctx->nrenditions && type == NGX_MEDIA_M3U8_AUDIO) {
            first = i;
        }
    }

    if (first == ctx->nrenditions) {
        return;
    }

    for (i = 0; i < ctx->nrenditions; i++) {
        rendition = &ctx->renditions[i];

        if (rendition->type == type) {
            rendition->is_default
                           = ngx_media_hls_same(&rendition->name,
                                                &ctx->renditions[first].name);
        }
    }

    if (type != NGX_MEDIA_M3U8_AUDIO) {
        return;
    }

    /* of its own codec, so that variants are what their group says */

    for (i = 0; i < ctx->ngroups; i++) {
        group = &ctx->groups[i];

        for (j = 0; j < ctx->nrenditions; j++) {
            rendition = &ctx->renditions[j];

            if (!ngx_media_hls_same(&rendition->group, &group->name)) {
                continue;
            }

            init = ngx_media_pack_init(ctx->tracks[j]);

            if (group->joined == NULL
                || (rendition->is_default
                    && init->params.codec == group->init->params.codec))
            {
                group->joined = ctx->tracks[j];
            }
        }
    }
}


/*
 * RFC 8216bis, 4.4.6.1: a player that selects by itself has to find only one
 * member for a language and its characteristics
 */

static void
ngx_media_hls_manual(ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t                   i, j;
    ngx_media_m3u8_rendition_t  *a, *b;

    for (i = 0; i < ctx->nrenditions; i++) {
        a = &ctx->renditions[i];

        for (j = i + 1; j < ctx->nrenditions && !a->manual; j++) {
            b = &ctx->renditions[j];

            if (!ngx_media_hls_same(&a->group, &b->group)
                || !ngx_media_hls_same(&a->lang, &b->lang)
                || !ngx_media_hls_same(&a->characteristics,
                                       &b->characteristics)
                || a->forced != b->forced)
            {
                continue;
            }

            if (b->is_default) {
                a->manual = 1;

            } else {
                b->manual = 1;
            }
        }
    }
}


/* a group of one is in the variants, and there is nothing to select */

static void
ngx_media_hls_muxed(ngx_media_hls_multi_t *ctx)
{
    uint64_t                     bandwidth, more[NGX_MEDIA_HLS_GROUPS],
                                 average[NGX_MEDIA_HLS_GROUPS];
    ngx_uint_t                   i, j, n;
    ngx_media_hls_group_t       *group;
    ngx_media_m3u8_rendition_t  *rendition;

    n = 0;
    ngx_memzero(more, sizeof(more));
    ngx_memzero(average, sizeof(average));

    for (i = 0; i < ctx->nrenditions; i++) {
        rendition = &ctx->renditions[i];

        for (j = 0; j < ctx->ngroups; j++) {
            if (ngx_media_hls_same(&rendition->group, &ctx->groups[j].name)) {
                break;
            }
        }

        group = &ctx->groups[j];

        if (group->members < 2) {
            continue;
        }

        rendition->muxed = (ctx->tracks[i] == group->joined);

        if (!rendition->muxed) {
            bandwidth = ngx_media_hls_bandwidth(ctx, ctx->tracks[i]);

            if (bandwidth > more[j]) {
                more[j] = bandwidth;
                average[j] = ngx_media_hls_average(ctx, ctx->tracks[i]);
            }
        }

        ctx->tracks[n] = ctx->tracks[i];
        ctx->renditions[n++] = *rendition;
    }

    ctx->nrenditions = n;

    /* 4.4.6.2: with video both the one and the other are played from */

    for (j = 0; j < ctx->ngroups && ctx->nvideo; j++) {
        group = &ctx->groups[j];

        if (group->joined && more[j]) {
            group->bandwidth = ngx_media_hls_bandwidth(ctx, group->joined)
                               + more[j];
            group->average = ngx_media_hls_average(ctx, group->joined)
                             + average[j];
        }
    }
}


static ngx_int_t
ngx_media_hls_variants(ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t               i, j, n, type;
    ngx_media_hls_group_t   *group;
    ngx_media_track_view_t  *track;

    n = ctx->ngroups ? ctx->ngroups : 1;

    ctx->variants = ngx_pcalloc(ctx->pool, ctx->view->ntracks * n
                                           * sizeof(ngx_media_m3u8_variant_t));
    if (ctx->variants == NULL) {
        return NGX_ERROR;
    }

    ctx->multi.variants = ctx->variants;

    if (ctx->nvideo == 0 && ctx->ngroups) {

        for (j = 0; j < n; j++) {
            group = &ctx->groups[j];

            if (ngx_media_hls_variant(ctx, group->joined, group) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    type = ctx->nvideo ? NGX_MEDIA_VIDEO : NGX_MEDIA_AUDIO;

    for (i = 0; i < ctx->view->ntracks; i++) {
        track = &ctx->view->tracks[i];

        if (track->type != type || !ngx_media_hls_listed(ctx, track)) {
            continue;
        }

        for (j = 0; j < n; j++) {
            group = (j < ctx->ngroups) ? &ctx->groups[j] : NULL;

            if (ngx_media_hls_variant(ctx, track, group) != NGX_OK) {
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
ngx_media_hls_iframe_variants(ngx_media_hls_multi_t *ctx)
{
    ngx_uint_t                 i;
    ngx_media_track_view_t    *track;
    ngx_media_m3u8_variant_t  *iframes, *variant;

    if (ctx->view->forced || (ctx->multi.ts && !ctx->view->tricks)) {
        return NGX_OK;
    }

    iframes = ngx_pcalloc(ctx->pool, ctx->view->ntracks
                                     * sizeof(ngx_media_m3u8_variant_t));
    if (iframes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->view->ntracks; i++) {
        track = &ctx->view->tracks[i];

        if (track->type != NGX_MEDIA_VIDEO || track->key_bandwidth == 0
            || !ngx_media_hls_listed(ctx, track))
        {
            continue;
        }

        variant = &iframes[ctx->multi.niframes++];

        variant->track = track->name;
        variant->bandwidth = track->key_bandwidth;

        if (ctx->multi.ts && track->ts_key_bandwidth) {
            variant->bandwidth = track->ts_key_bandwidth;

        } else if (ctx->multi.ts) {
            variant->bandwidth += variant->bandwidth
                                  / NGX_MEDIA_HLS_TS_HEADERS
                                  + NGX_MEDIA_HLS_TS_KEY * 8
                                    / ngx_max(ctx->view->target, 1);
        }

        if (ngx_media_hls_picture(ctx, track, variant) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ctx->multi.iframes = iframes;

    return NGX_OK;
}


static ngx_int_t
ngx_media_hls_variant(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_hls_group_t *group)
{
    const ngx_media_init_t    *init;
    ngx_media_m3u8_variant_t  *variant;

    init = ngx_media_pack_init(track);

    variant = &ctx->variants[ctx->multi.nvariants++];

    if (ngx_media_hls_join(ctx, track, group, &variant->track) != NGX_OK
        || ngx_media_hls_picture(ctx, track, variant) != NGX_OK)
    {
        return NGX_ERROR;
    }

    variant->bandwidth = ngx_media_hls_bandwidth(ctx, track);
    variant->average = ngx_media_hls_average(ctx, track);

    if (group) {
        if (!ctx->multi.ts || group->members > 1) {
            variant->audio = group->name;
        }

        if (track->type == NGX_MEDIA_AUDIO) {
            variant->codecs = group->codecs;
            variant->bandwidth = group->bandwidth;
            variant->average = group->average;

        } else {
            if (ngx_media_hls_codecs(ctx->pool, &variant->codecs,
                                     group->codecs.data, group->codecs.len)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            variant->bandwidth += group->bandwidth;

            if (variant->average) {
                variant->average += group->average;
            }
        }
    }

    if (ctx->ntext) {
        variant->subtitles = ngx_media_hls_subs;
        variant->bandwidth += ctx->text;
    }

    /* RFC 8216bis, 4.4.6.2: the average is not above the peak */

    if (variant->average > variant->bandwidth) {
        variant->average = variant->bandwidth;
    }

    if (track->type == NGX_MEDIA_VIDEO) {
        variant->fps = track->fps;

        if (variant->fps == 0 && init->params.fps_den) {
            variant->fps = (uint64_t) init->params.fps_num * 1000
                           / init->params.fps_den;
        }
    }

    return NGX_OK;
}


/* "v1"; in MPEG-TS "v1-a1", and "a1" where there is no video */

static ngx_int_t
ngx_media_hls_join(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, const ngx_media_hls_group_t *group,
    ngx_str_t *name)
{
    u_char  *p;

    *name = track->name;

    if (!ctx->multi.ts || group == NULL || track->type != NGX_MEDIA_VIDEO) {
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->pool, track->name.len + 1 + group->joined->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name->data = p;

    p = ngx_cpymem(p, track->name.data, track->name.len);
    *p++ = '-';
    p = ngx_cpymem(p, group->joined->name.data, group->joined->name.len);

    name->len = p - name->data;

    return NGX_OK;
}


/* what variants and I-frame playlists say of their video */

static ngx_int_t
ngx_media_hls_picture(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, ngx_media_m3u8_variant_t *variant)
{
    u_char                    *p;
    ngx_uint_t                 i;
    const ngx_media_init_t    *init;
    const ngx_media_params_t  *params;

    init = ngx_media_pack_init(track);

    variant->codecs.data = (u_char *) init->codec;
    variant->codecs.len = init->codec_len;

    if (ngx_media_hls_every(ctx, track, &variant->codecs) != NGX_OK) {
        return NGX_ERROR;
    }

    if (track->type != NGX_MEDIA_VIDEO) {
        return NGX_OK;
    }

    variant->width = init->params.width;
    variant->height = init->params.height;

    /* 4.4.6.2: at which all of it can be shown */

    for (i = 0; i < track->ninits && ctx->view->mixed; i++) {
        params = &track->inits[i].params;

        if ((uint64_t) params->width * params->height
            > (uint64_t) variant->width * variant->height)
        {
            variant->width = params->width;
            variant->height = params->height;
        }
    }

    if (ctx->wide) {
        ngx_media_hls_range(&init->params, &variant->range);
    }

    if (track->supplemental.len == 0 || ctx->multi.ts) {
        return NGX_OK;
    }

    /* 4.4.6.2: "dvh1.08.07/db1p" */

    p = ngx_pnalloc(ctx->pool, track->supplemental.len + 1
                               + track->brands.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    variant->supplemental.data = p;

    p = ngx_cpymem(p, track->supplemental.data, track->supplemental.len);

    if (track->brands.len) {
        *p++ = '/';
        p = ngx_cpymem(p, track->brands.data, track->brands.len);
    }

    variant->supplemental.len = p - variant->supplemental.data;

    return NGX_OK;
}


/* 4.4.6.2: CODECS names those of all that players come by */

static ngx_int_t
ngx_media_hls_every(ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, ngx_str_t *codecs)
{
    ngx_uint_t               i;
    const ngx_media_init_t  *init;

    for (i = 0; i < track->ninits && ctx->view->mixed; i++) {
        init = &track->inits[i];

        if (ngx_media_hls_codecs(ctx->pool, codecs, init->codec,
                                 init->codec_len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* adds a codec, or several of which none is there yet */

static ngx_int_t
ngx_media_hls_codecs(ngx_pool_t *pool, ngx_str_t *codecs, const u_char *data,
    size_t len)
{
    u_char  *p, *start, *last;

    start = codecs->data;
    last = codecs->len ? start + codecs->len : start;

    while (start < last) {
        p = ngx_strlchr(start, last, ',');
        if (p == NULL) {
            p = last;
        }

        if ((size_t) (p - start) == len && ngx_memcmp(start, data, len) == 0) {
            return NGX_OK;
        }

        start = (p < last) ? p + 1 : last;
    }

    start = ngx_pnalloc(pool, codecs->len + 1 + len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = start;

    if (codecs->len) {
        p = ngx_cpymem(p, codecs->data, codecs->len);
        *p++ = ',';
    }

    p = ngx_cpymem(p, data, len);

    codecs->data = start;
    codecs->len = p - start;

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
ngx_media_hls_bandwidth(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track)
{
    uint64_t    bytes, duration;
    ngx_uint_t  i;

    if (ctx->multi.ts && track->ts_bandwidth) {
        return ngx_media_hls_joined(ctx, track, track->ts_bandwidth);
    }

    if (track->bandwidth) {
        return ngx_media_hls_packed(ctx, track, track->bandwidth);
    }

    bytes = 0;
    duration = 0;

    for (i = 0; i < track->nsegments; i++) {
        bytes += track->segments[i].bytes;
        duration += track->segments[i].duration;
    }

    return duration ? bytes * 10 * track->timescale / duration : 1;
}


static uint64_t
ngx_media_hls_average(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track)
{
    if (ctx->multi.ts && track->ts_average) {
        return ngx_media_hls_joined(ctx, track, track->ts_average);
    }

    return ngx_media_hls_packed(ctx, track, track->average);
}


/*
 * What was measured of a track alone.  The tables of audio are not there a
 * second time in segments that it shares with video, which are as long as
 * 4.4.3.1 and 4.4.6.2 allow what counts for the peak to be.
 */

static uint64_t
ngx_media_hls_joined(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, uint64_t bandwidth)
{
    uint64_t  tables;

    if (track->type != NGX_MEDIA_AUDIO || ctx->nvideo == 0) {
        return bandwidth;
    }

    tables = (uint64_t) NGX_MEDIA_HLS_TS_TABLES * 8 * 2
             / (ngx_max(ctx->view->target, 1) * 3);

    return (bandwidth > tables) ? bandwidth - tables : bandwidth;
}


/* tracks tell the bandwidth of their CMAF */

static uint64_t
ngx_media_hls_packed(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, uint64_t bandwidth)
{
    uint64_t                   rate;
    const ngx_media_params_t  *params;

    if (!ctx->multi.ts || bandwidth == 0 || track->type == NGX_MEDIA_TEXT) {
        return bandwidth;
    }

    params = &ngx_media_pack_init(track)->params;
    rate = NGX_MEDIA_HLS_RATE;

    if (track->type == NGX_MEDIA_VIDEO) {

        if (track->fps) {
            rate = (track->fps + 999) / 1000;
        }

    } else if (params->frame_samples && params->timescale) {
        rate = params->timescale / params->frame_samples + 1;
    }

    return ngx_media_hls_ts_packed(ctx, track, bandwidth, rate);
}


/* rate: frames a second, not 0 */

static uint64_t
ngx_media_hls_ts_packed(const ngx_media_hls_multi_t *ctx,
    const ngx_media_track_view_t *track, uint64_t bandwidth, uint64_t rate)
{
    uint64_t  msec, tables;

    msec = (uint64_t) ctx->view->target * 1000;

    if (ctx->view->duration > 0) {
        msec = ngx_min(msec, (uint64_t) ctx->view->duration);
    }

    msec = ngx_max(msec, 100);
    tables = (NGX_MEDIA_HLS_TS_TABLES + NGX_MEDIA_HLS_TS_PADDING) * 8 * 1000
             / msec;

    if (track->type == NGX_MEDIA_AUDIO) {

        /* those of the video are there already */

        if (ctx->nvideo) {
            tables = NGX_MEDIA_HLS_TS_PADDING * 8 * 1000 / msec;
        }

        return bandwidth + bandwidth / NGX_MEDIA_HLS_TS_HEADERS
               + rate * 8 * NGX_MEDIA_HLS_TS_AUDIO + tables;
    }

    if (bandwidth / (rate * 8) < NGX_MEDIA_HLS_TS_SMALL) {
        return rate * 8 * NGX_MEDIA_HLS_TS_PACKET + bandwidth / 8 + tables;
    }

    return bandwidth + bandwidth / NGX_MEDIA_HLS_TS_HEADERS
           + rate * 8 * NGX_MEDIA_HLS_TS_VIDEO + tables;
}
