
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Mappings of nginx-vod-module.  What of them is not served is refused with
 * its place in the mapping; names that are not known are skipped, as its users
 * have things in their mappings that are for others.  It takes what scripts
 * make of types, too: numbers in quotes or with a fraction, 0 and 1 for false
 * and true; and what does not matter much is left out if it is of another type.
 *
 * "repeat" is ours: the clips are a channel that begins again and again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stdio.h>
#include "files/ngx_media_vod_blob.h"
#include "formats/ngx_media_json.h"
#include "vod/ngx_media_vod_map_make.h"


/* times and durations in ms: the year 5138, three years */
#define NGX_MEDIA_VOD_TIME_MAX      100000000000000ll
#define NGX_MEDIA_VOD_DURATION_MAX  100000000000ll

#define NGX_MEDIA_VOD_TRACKS_ALL    (~(uint64_t) 0)


typedef struct {
    ngx_media_vod_map_make_t *make;
    ngx_media_json_t          json;
    ngx_media_json_token_t    token;          /* the value that is read */

    /* where that is, NGX_MEDIA_VOD_NONE: not in one */
    uint32_t                  sequence;
    uint32_t                  clip;
    const char               *outer;          /* of the object it is in */
    const char               *name;
    uint32_t                  item;           /* of an array */

    ngx_uint_t                ignored;        /* members */
    u_char                    first[NGX_MEDIA_VOD_ERROR];  /* of them */
    unsigned                  mistyped:1;     /* that was the last error */
} ngx_media_vod_map_json_t;


typedef struct ngx_media_vod_map_field_s  ngx_media_vod_map_field_t;

typedef ngx_int_t (*ngx_media_vod_map_field_pt)(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);

struct ngx_media_vod_map_field_s {
    const char                 *name;
    ngx_media_vod_map_field_pt  read;
    size_t                      offset;       /* of the value in its struct */
    int64_t                     min;          /* of integers */
    int64_t                     max;
    unsigned                    optional:1;   /* ignored if it is of another
                                                 type */
};


typedef struct {
    int64_t                  *data;
    ngx_uint_t                n;
} ngx_media_vod_map_ints_t;


/* the mapping, as it is said; -1 is nothing */

typedef struct {
    struct ngx_media_vod_map_sequence_s
                             *sequences;
    ngx_uint_t                nsequences;
    ngx_uint_t                live;           /* 2: event */
    ngx_uint_t                discontinuity;
    ngx_uint_t                repeat;
    ngx_media_vod_map_ints_t  durations;
    ngx_media_vod_map_ints_t  times;
    int64_t                   first_time;
    int64_t                   segment_time;
    int64_t                   first_number;
    int64_t                   first_clip;
    int64_t                   end;
    int64_t                   expiration;
    int64_t                   offset;         /* of the clock */
    int64_t                   window;
    int64_t                   segment;
    int64_t                   from;
    int64_t                   to;
} ngx_media_vod_map_set_t;


typedef struct ngx_media_vod_map_sequence_s {
    ngx_str_t                 lang;
    ngx_str_t                 label;
    ngx_str_t                 id;
    uint64_t                  tracks;
    ngx_uint_t                is_default;     /* 2: it is not said */
    int64_t                   bitrate_video;
    int64_t                   bitrate_audio;
    ngx_media_vod_clip_t     *clips;
    ngx_uint_t                nclips;
} ngx_media_vod_map_sequence_t;


typedef struct {
    ngx_media_vod_clip_t      clip;
    uint64_t                  tracks;
} ngx_media_vod_map_clip_t;


static ngx_int_t ngx_media_vod_map_json_check(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set);
static ngx_int_t ngx_media_vod_map_json_live(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set);
static ngx_int_t ngx_media_vod_map_json_cut(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set);
static ngx_int_t ngx_media_vod_map_json_done(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set);

static ngx_int_t ngx_media_vod_map_sequences(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_clips(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_clip(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_sequence_t *sequence);
static ngx_int_t ngx_media_vod_map_bitrate(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_playlist(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_type(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_refuse(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_path(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_tracks(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_lang(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_label(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_text(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_bool(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_ints(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);
static ngx_int_t ngx_media_vod_map_int(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value);

static ngx_uint_t ngx_media_vod_map_digits(
    const ngx_media_json_token_t *token);
static ngx_int_t ngx_media_vod_map_object(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *fields, void *base);
static ngx_int_t ngx_media_vod_map_next(ngx_media_vod_map_json_t *ctx);
static ngx_int_t ngx_media_vod_map_array(ngx_media_vod_map_json_t *ctx,
    ngx_uint_t max, ngx_uint_t *n);
static ngx_int_t ngx_media_vod_map_string(ngx_media_vod_map_json_t *ctx,
    ngx_str_t *str);
static ngx_int_t ngx_media_vod_map_expect(ngx_media_vod_map_json_t *ctx,
    ngx_media_json_type_e type, const char *what);
static ngx_int_t ngx_media_vod_map_mistyped(ngx_media_vod_map_json_t *ctx,
    const char *what);
static ngx_int_t ngx_media_vod_map_ignore(ngx_media_vod_map_json_t *ctx,
    const ngx_media_json_token_t *value);
static ngx_uint_t ngx_media_vod_map_is(ngx_media_vod_map_json_t *ctx,
    const char *word);
static ngx_int_t ngx_media_vod_map_wrong(ngx_media_vod_map_json_t *ctx,
    const char *fmt, ...) __attribute__((format(printf, 2, 3)));


#define NGX_MEDIA_VOD_TIME  0, NGX_MEDIA_VOD_TIME_MAX
#define NGX_MEDIA_VOD_SPAN  0, NGX_MEDIA_VOD_DURATION_MAX


static const ngx_media_vod_map_field_t  ngx_media_vod_map_set_fields[] = {

    { "sequences", ngx_media_vod_map_sequences,
      offsetof(ngx_media_vod_map_set_t, sequences), 0, 0, 0 },

    { "playlistType", ngx_media_vod_map_playlist,
      offsetof(ngx_media_vod_map_set_t, live), 0, 0, 0 },

    { "discontinuity", ngx_media_vod_map_bool,
      offsetof(ngx_media_vod_map_set_t, discontinuity), 0, 0, 1 },

    { "repeat", ngx_media_vod_map_bool,
      offsetof(ngx_media_vod_map_set_t, repeat), 0, 0, 0 },

    { "durations", ngx_media_vod_map_ints,
      offsetof(ngx_media_vod_map_set_t, durations),
      1, NGX_MEDIA_VOD_DURATION_MAX, 0 },

    { "clipTimes", ngx_media_vod_map_ints,
      offsetof(ngx_media_vod_map_set_t, times), NGX_MEDIA_VOD_TIME, 0 },

    { "firstClipTime", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, first_time), NGX_MEDIA_VOD_TIME, 0 },

    { "segmentBaseTime", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, segment_time), NGX_MEDIA_VOD_TIME, 0 },

    { "initialSegmentIndex", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, first_number),
      0, 0xffffffff, 0 },

    { "initialClipIndex", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, first_clip),
      0, 0xffffffff, 0 },

    { "presentationEndTime", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, end), NGX_MEDIA_VOD_TIME, 0 },

    { "expirationTime", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, expiration), NGX_MEDIA_VOD_TIME, 0 },

    { "timeOffset", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, offset),
      -NGX_MEDIA_VOD_TIME_MAX, NGX_MEDIA_VOD_TIME_MAX, 0 },

    /* negative ones mean the same there, but for what the window begins at */

    { "liveWindowDuration", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, window),
      -NGX_MEDIA_VOD_DURATION_MAX, NGX_MEDIA_VOD_DURATION_MAX, 1 },

    { "segmentDuration", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, segment), 100, 3600000, 1 },

    { "clipFrom", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, from), NGX_MEDIA_VOD_SPAN, 0 },

    { "clipTo", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_set_t, to), NGX_MEDIA_VOD_SPAN, 0 },

    { NULL, NULL, 0, 0, 0, 0 }
};


static const ngx_media_vod_map_field_t  ngx_media_vod_map_sequence_fields[] = {

    { "clips", ngx_media_vod_map_clips, 0, 0, 0, 0 },

    { "language", ngx_media_vod_map_lang,
      offsetof(ngx_media_vod_map_sequence_t, lang), 0, 0, 1 },

    { "label", ngx_media_vod_map_label,
      offsetof(ngx_media_vod_map_sequence_t, label), 0, 0, 1 },

    { "id", ngx_media_vod_map_text,
      offsetof(ngx_media_vod_map_sequence_t, id), 0, 0, 1 },

    { "default", ngx_media_vod_map_bool,
      offsetof(ngx_media_vod_map_sequence_t, is_default), 0, 0, 1 },

    { "bitrate", ngx_media_vod_map_bitrate, 0, 0, 0, 1 },

    { NULL, NULL, 0, 0, 0, 0 }
};


static const ngx_media_vod_map_field_t  ngx_media_vod_map_bitrate_fields[] = {

    { "v", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_sequence_t, bitrate_video),
      0, 1000000000000ll, 1 },

    { "a", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_sequence_t, bitrate_audio),
      0, 1000000000000ll, 1 },

    { NULL, NULL, 0, 0, 0, 0 }
};


static const ngx_media_vod_map_field_t  ngx_media_vod_map_clip_fields[] = {

    { "type", ngx_media_vod_map_type, 0, 0, 0, 0 },

    { "sourceType", ngx_media_vod_map_type, 0, 0, 1, 0 },

    { "encryptionKey", ngx_media_vod_map_refuse, 0, 0, 0, 0 },

    { "path", ngx_media_vod_map_path,
      offsetof(ngx_media_vod_map_clip_t, clip.path), 0, 0, 0 },

    { "tracks", ngx_media_vod_map_tracks,
      offsetof(ngx_media_vod_map_clip_t, tracks), 0, 0, 0 },

    { "clipFrom", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_clip_t, clip.from), NGX_MEDIA_VOD_SPAN, 0 },

    { "clipTo", ngx_media_vod_map_int,
      offsetof(ngx_media_vod_map_clip_t, clip.to), NGX_MEDIA_VOD_SPAN, 0 },

    { NULL, NULL, 0, 0, 0, 0 }
};


ngx_int_t
ngx_media_vod_map_json(ngx_media_vod_map_make_t *make)
{
    ngx_media_vod_map_set_t   set;
    ngx_media_vod_map_json_t  ctx;

    if (make->text.len > NGX_MEDIA_VOD_MAP_SIZE) {
        return ngx_media_vod_map_fail(make, 500, "the mapping is larger than "
                                      "%u bytes", NGX_MEDIA_VOD_MAP_SIZE);
    }

    ngx_memzero(&ctx, sizeof(ngx_media_vod_map_json_t));

    ctx.make = make;
    ctx.sequence = NGX_MEDIA_VOD_NONE;
    ctx.clip = NGX_MEDIA_VOD_NONE;
    ctx.item = NGX_MEDIA_VOD_NONE;

    ngx_media_json_init(&ctx.json, make->text.data,
                        make->text.data + make->text.len);

    ngx_memzero(&set, sizeof(ngx_media_vod_map_set_t));

    set.discontinuity = 1;
    set.first_time = -1;
    set.segment_time = -1;
    set.first_number = -1;
    set.first_clip = -1;
    set.end = -1;
    set.expiration = -1;
    set.to = -1;

    if (ngx_media_vod_map_next(&ctx) != NGX_OK
        || ngx_media_vod_map_object(&ctx, ngx_media_vod_map_set_fields, &set)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* what follows the object is wrong */

    if (ngx_media_vod_map_next(&ctx) != NGX_DONE) {
        return NGX_ERROR;
    }

    /* what does not fit together is told of the whole */

    ctx.token.text.pos = ctx.json.start;

    if (ngx_media_vod_map_json_check(&ctx, &set) != NGX_OK
        || ngx_media_vod_map_json_live(&ctx, &set) != NGX_OK
        || ngx_media_vod_map_json_cut(&ctx, &set) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_vod_map_json_done(&ctx, &set);
}


static ngx_int_t
ngx_media_vod_map_json_check(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set)
{
    ngx_uint_t  i, n;

    if (set->nsequences == 0) {
        return ngx_media_vod_map_wrong(ctx, "no sequences");
    }

    n = set->sequences[0].nclips;

    for (i = 0; i < set->nsequences; i++) {
        ctx->sequence = i;

        if (set->sequences[i].nclips == 0) {
            return ngx_media_vod_map_wrong(ctx, "no clips");
        }

        if (set->sequences[i].nclips != n) {
            return ngx_media_vod_map_wrong(ctx, "%u clips, the first sequence "
                                       "has %u",
                                       (unsigned) set->sequences[i].nclips,
                                       (unsigned) n);
        }
    }

    ctx->sequence = NGX_MEDIA_VOD_NONE;

    if (set->durations.data && set->durations.n != n) {
        ctx->name = "durations";
        return ngx_media_vod_map_wrong(ctx, "%u values, there are %u clips",
                                       (unsigned) set->durations.n,
                                       (unsigned) n);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_json_live(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set)
{
    int64_t     *times;
    ngx_uint_t   i, n;

    if (!set->live && !set->repeat) {
        set->first_time = -1;
        return NGX_OK;
    }

    n = set->sequences[0].nclips;
    times = set->times.data;

    if (times == NULL) {

        if (set->first_time == -1) {
            return ngx_media_vod_map_wrong(ctx, "firstClipTime is missing");
        }

        return NGX_OK;
    }

    ctx->name = "clipTimes";

    if (set->times.n != n) {
        return ngx_media_vod_map_wrong(ctx, "%u values, there are %u clips",
                                       (unsigned) set->times.n, (unsigned) n);
    }

    for (i = 1; i < n; i++) {
        ctx->item = i;

        if (set->durations.data == NULL) {
            return ngx_media_vod_map_wrong(ctx, "without durations");
        }

        if (times[i] < times[i - 1] + set->durations.data[i - 1]) {
            return ngx_media_vod_map_wrong(ctx, "before the end of the clip "
                                           "before, which is %lld",
                                           (long long) (times[i - 1]
                                            + set->durations.data[i - 1]));
        }
    }

    ctx->item = NGX_MEDIA_VOD_NONE;
    ctx->name = NULL;

    set->first_time = times[0];

    for (i = n; i; i--) {
        times[i - 1] -= times[0];
    }

    return NGX_OK;
}


/* clipFrom and clipTo of the mapping are those of its only clip */

static ngx_int_t
ngx_media_vod_map_json_cut(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set)
{
    int64_t                duration;
    ngx_uint_t             i;
    ngx_media_vod_clip_t  *clip;

    if (set->from == 0 && set->to == -1) {
        return NGX_OK;
    }

    ctx->name = (set->to == -1) ? "clipFrom" : "clipTo";

    if (set->sequences[0].nclips > 1) {
        return ngx_media_vod_map_wrong(ctx, "not supported of more than one "
                                       "clip");
    }

    if (set->to != -1 && set->to <= set->from) {
        return ngx_media_vod_map_wrong(ctx, "not after clipFrom");
    }

    for (i = 0; i < set->nsequences; i++) {
        clip = set->sequences[i].clips;

        if (set->to != -1 && (clip->to == -1
                              || clip->to - clip->from > set->to))
        {
            clip->to = clip->from + set->to;
        }

        clip->from += set->from;

        if (clip->to != -1 && clip->to <= clip->from) {
            return ngx_media_vod_map_wrong(ctx, "nothing is left of the clip");
        }
    }

    if (set->durations.data) {
        duration = set->durations.data[0];

        if (set->to != -1) {
            duration = ngx_min(duration, set->to);
        }

        duration -= set->from;

        if (duration <= 0) {
            return ngx_media_vod_map_wrong(ctx, "nothing is left of the clip");
        }

        set->durations.data[0] = duration;
    }

    ctx->name = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_json_done(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_set_t *set)
{
    int64_t                        now;
    ngx_uint_t                     i;
    ngx_media_vod_map_t           *map;
    ngx_media_vod_sequence_t      *sequence;
    ngx_media_vod_map_sequence_t  *from;

    if (ngx_media_vod_map_init(ctx->make, set->nsequences,
                               set->sequences[0].nclips)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    map = &ctx->make->map;
    now = ctx->make->now + set->offset;

    for (i = 0; i < set->nsequences; i++) {
        from = &set->sequences[i];
        sequence = &map->sequences[i];

        ngx_memcpy(sequence->clips, from->clips,
                   from->nclips * sizeof(ngx_media_vod_clip_t));

        sequence->tracks = from->tracks;
        sequence->lang = from->lang;
        sequence->label = from->label;
        sequence->id = from->id;
        sequence->bitrate_video = from->bitrate_video;
        sequence->bitrate_audio = from->bitrate_audio;
        sequence->is_default = (from->is_default == 1);
        sequence->has_default = (from->is_default != 2);
    }

    map->durations = set->durations.data;
    map->segment = set->segment;
    map->discontinuity = set->discontinuity;

    if (set->live || set->repeat) {
        map->live = 1;
        map->event = (set->live == 2);
        map->loop = set->repeat;
        map->first_time = set->first_time;
        map->segment_time = set->segment_time;
        map->first_number = set->first_number;
        map->first_clip = set->first_clip;
        map->window = ngx_abs(set->window);
        map->starts = set->times.data;
        map->time_offset = set->offset;
        map->end_time = set->end;
        map->end = (set->end != -1 && set->end <= now);
        map->expired = (set->expiration != -1 && set->expiration <= now
                        && !map->end);
    }

    if (ctx->ignored) {
        (void) snprintf((char *) map->note, NGX_MEDIA_VOD_ERROR,
                        "%u ignored, the first: %.200s",
                        (unsigned) ctx->ignored, (char *) ctx->first);
    }

    return ngx_media_vod_map_done(ctx->make);
}


/* "sequences": [ {...}, ... ] */

static ngx_int_t
ngx_media_vod_map_sequences(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    ngx_uint_t                      i, n;
    ngx_media_vod_map_set_t        *set;
    ngx_media_vod_map_sequence_t   *sequence;

    set = (ngx_media_vod_map_set_t *) ((u_char *) value - field->offset);

    if (ngx_media_vod_map_array(ctx, NGX_MEDIA_VOD_SEQUENCES, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    sequence = ngx_pcalloc(ctx->make->pool,
                           n * sizeof(ngx_media_vod_map_sequence_t));
    if (sequence == NULL) {
        return ngx_media_vod_map_nomem(ctx->make);
    }

    set->sequences = sequence;
    set->nsequences = n;

    ctx->name = NULL;

    for (i = 0; i < n; i++) {
        ctx->sequence = i;

        sequence[i].is_default = 2;

        if (ngx_media_vod_map_next(ctx) != NGX_OK
            || ngx_media_vod_map_object(ctx, ngx_media_vod_map_sequence_fields,
                                        &sequence[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ctx->sequence = NGX_MEDIA_VOD_NONE;

    return ngx_media_vod_map_next(ctx);
}


/* "clips": [ {...}, ... ] */

static ngx_int_t
ngx_media_vod_map_clips(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    ngx_uint_t                      i, n;
    ngx_media_vod_map_sequence_t   *sequence;

    sequence = value;

    if (ngx_media_vod_map_array(ctx, NGX_MEDIA_VOD_CLIPS, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    sequence->clips = ngx_pcalloc(ctx->make->pool,
                                  n * sizeof(ngx_media_vod_clip_t));
    if (sequence->clips == NULL) {
        return ngx_media_vod_map_nomem(ctx->make);
    }

    ctx->name = NULL;

    for (i = 0; i < n; i++) {
        ctx->clip = i;

        if (ngx_media_vod_map_next(ctx) != NGX_OK
            || ngx_media_vod_map_clip(ctx, sequence) != NGX_OK)
        {
            return NGX_ERROR;
        }

        sequence->nclips++;
    }

    ctx->clip = NGX_MEDIA_VOD_NONE;

    return ngx_media_vod_map_next(ctx);
}


static ngx_int_t
ngx_media_vod_map_clip(ngx_media_vod_map_json_t *ctx,
    ngx_media_vod_map_sequence_t *sequence)
{
    ngx_media_json_token_t     begin;
    ngx_media_vod_map_clip_t   clip;

    begin = ctx->token;

    ngx_memzero(&clip, sizeof(ngx_media_vod_map_clip_t));

    clip.clip.to = -1;
    clip.tracks = NGX_MEDIA_VOD_TRACKS_ALL;

    if (ngx_media_vod_map_object(ctx, ngx_media_vod_map_clip_fields, &clip)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->token = begin;

    if (clip.clip.path.data == NULL) {
        return ngx_media_vod_map_wrong(ctx, "path is missing");
    }

    if (clip.clip.to != -1 && clip.clip.to <= clip.clip.from) {
        return ngx_media_vod_map_wrong(ctx, "clipTo is not after clipFrom");
    }

    if (sequence->nclips && clip.tracks != sequence->tracks) {
        return ngx_media_vod_map_wrong(ctx, "tracks are not those of the "
                                       "first clip");
    }

    sequence->tracks = clip.tracks;
    sequence->clips[sequence->nclips] = clip.clip;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_bitrate(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    ngx_int_t  rc;

    ctx->outer = field->name;
    ctx->name = NULL;

    rc = ngx_media_vod_map_object(ctx, ngx_media_vod_map_bitrate_fields,
                                  value);

    if (rc == NGX_OK) {
        ctx->outer = NULL;
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_map_playlist(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    ngx_uint_t  *live;

    live = value;

    if (ngx_media_vod_map_expect(ctx, NGX_MEDIA_JSON_STRING, "string")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_vod_map_is(ctx, "vod")) {
        *live = 0;

    } else if (ngx_media_vod_map_is(ctx, "live")) {
        *live = 1;

    } else if (ngx_media_vod_map_is(ctx, "event")) {
        *live = 2;

    } else {
        return ngx_media_vod_map_wrong(ctx, "\"vod\", \"live\" or \"event\" "
                                       "expected");
    }

    return NGX_OK;
}


/* of clips, and of what they are a clip of */

static ngx_int_t
ngx_media_vod_map_type(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    size_t  len;

    if (ngx_media_vod_map_expect(ctx, NGX_MEDIA_JSON_STRING, "string")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_json_equal(&ctx->token.text, field->max ? "file" : "source"))
    {
        return NGX_OK;
    }

    len = ngx_min(ngx_media_span_len(&ctx->token.text), 32);

    return ngx_media_vod_map_wrong(ctx, "\"%.*s\" is not supported", (int) len,
                                   (char *) ctx->token.text.pos);
}


static ngx_int_t
ngx_media_vod_map_refuse(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    return ngx_media_vod_map_wrong(ctx, "not supported");
}


/*
 * Below the root of the location, or in full, if that is where it leads to:
 * the mappings of nginx-vod-module are with and without.  "empty" is no file:
 * of clips that have no captions, where others have.
 */

static ngx_int_t
ngx_media_vod_map_path(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    size_t                     root;
    ngx_str_t                  name, parts[2];
    const char                *error;
    ngx_media_vod_map_make_t  *make;

    make = ctx->make;

    if (ngx_media_vod_map_string(ctx, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (name.len == 5 && ngx_memcmp(name.data, "empty", 5) == 0) {
        ngx_str_set((ngx_str_t *) value, "");
        return NGX_OK;
    }

    if (ngx_strstr(name.data, "://")) {
        return ngx_media_vod_map_wrong(ctx, "\"%.32s\" is a URL, files are "
                                       "read from below the location's root",
                                       (char *) name.data);
    }

    root = make->root;

    if (root && make->path.data[root - 1] == '/') {
        root--;
    }

    if (root && name.len > root && name.data[root] == '/'
        && ngx_memcmp(name.data, make->path.data, root) == 0)
    {
        name.data += root;
        name.len -= root;
    }

    error = ngx_media_vod_map_check(name.data, name.data + name.len);
    if (error) {
        return ngx_media_vod_map_wrong(ctx, "%s in it", error);
    }

    if (*name.data == '/') {
        name.data++;
        name.len--;
    }

    if (name.len >= NGX_MEDIA_VOD_PATH - 1 - make->root) {
        return ngx_media_vod_map_wrong(ctx, "too long");
    }

    ngx_str_set(&parts[0], "/");
    parts[0].len -= (root != make->root);
    parts[1] = name;

    return ngx_media_vod_map_name(make, parts, 2, value);
}


/* "v1-a2", numbers from 1, 0 is all of them */

static ngx_int_t
ngx_media_vod_map_tracks(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    u_char     *p, *last;
    uint64_t   *tracks;
    ngx_str_t   text;
    ngx_uint_t  n, shift;

    tracks = value;
    *tracks = 0;

    if (ngx_media_vod_map_string(ctx, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    p = text.data;
    last = p + text.len;

    for ( ;; ) {

        if (last - p < 2 || (*p != 'v' && *p != 'a')) {
            break;
        }

        shift = (*p == 'v') ? 0 : 32;
        p++;

        if (*p < '0' || *p > '9') {
            break;
        }

        for (n = 0; p < last && *p >= '0' && *p <= '9' && n <= 32; p++) {
            n = n * 10 + (*p - '0');
        }

        if (n > 32) {
            break;
        }

        *tracks |= n ? (uint64_t) 1 << (shift + n - 1)
                     : (uint64_t) 0xffffffff << shift;

        if (p == last) {
            return NGX_OK;
        }

        if (*p++ != '-') {
            break;
        }
    }

    return ngx_media_vod_map_wrong(ctx, "no list of tracks");
}


static ngx_int_t
ngx_media_vod_map_lang(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    u_char     *lang;
    ngx_str_t   text, *str;

    str = value;

    if (ngx_media_vod_map_string(ctx, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    lang = ngx_pcalloc(ctx->make->pool, NGX_MEDIA_LANG);
    if (lang == NULL) {
        return ngx_media_vod_map_nomem(ctx->make);
    }

    ngx_media_lang(lang, text.data, text.len);

    str->data = lang;
    str->len = ngx_strlen(lang);

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_label(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    u_char     *label;
    ngx_str_t   text, *str;

    str = value;

    if (ngx_media_vod_map_string(ctx, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    label = ngx_pcalloc(ctx->make->pool, NGX_MEDIA_LABEL);
    if (label == NULL) {
        return ngx_media_vod_map_nomem(ctx->make);
    }

    ngx_media_label(label, text.data, text.len);

    str->data = label;
    str->len = ngx_strlen(label);

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_text(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    return ngx_media_vod_map_string(ctx, value);
}


static ngx_int_t
ngx_media_vod_map_bool(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    ngx_uint_t  *n;

    n = value;

    if (ctx->token.type == NGX_MEDIA_JSON_TRUE
        || ngx_media_vod_map_is(ctx, "true") || ngx_media_vod_map_is(ctx, "1"))
    {
        *n = 1;
        return NGX_OK;
    }

    if (ctx->token.type == NGX_MEDIA_JSON_FALSE
        || ngx_media_vod_map_is(ctx, "false")
        || ngx_media_vod_map_is(ctx, "0"))
    {
        *n = 0;
        return NGX_OK;
    }

    return ngx_media_vod_map_mistyped(ctx, "true or false");
}


static ngx_int_t
ngx_media_vod_map_ints(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    ngx_uint_t                 i, n;
    ngx_media_vod_map_ints_t  *ints;

    ints = value;

    if (ngx_media_vod_map_array(ctx, NGX_MEDIA_VOD_CLIPS, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    ints->data = ngx_palloc(ctx->make->pool, n * sizeof(int64_t));
    if (ints->data == NULL) {
        return ngx_media_vod_map_nomem(ctx->make);
    }

    ints->n = n;

    for (i = 0; i < n; i++) {
        ctx->item = i;

        if (ngx_media_vod_map_next(ctx) != NGX_OK
            || ngx_media_vod_map_int(ctx, field, &ints->data[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ctx->item = NGX_MEDIA_VOD_NONE;

    return ngx_media_vod_map_next(ctx);
}


static ngx_int_t
ngx_media_vod_map_int(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *field, void *value)
{
    int64_t    *n;
    ngx_int_t   rc;

    n = value;

    if (ctx->token.type != NGX_MEDIA_JSON_NUMBER
        && !ngx_media_vod_map_digits(&ctx->token))
    {
        return ngx_media_vod_map_mistyped(ctx, "integer");
    }

    /* NGX_DECLINED: without what is less than one ms */

    rc = ngx_media_json_number(&ctx->token.text, 0, n);

    if (rc == NGX_ERROR || *n < field->min || *n > field->max) {
        return ngx_media_vod_map_wrong(ctx, "not from %lld to %lld",
                                       (long long) field->min,
                                       (long long) field->max);
    }

    return NGX_OK;
}


/* a number in quotes */

static ngx_uint_t
ngx_media_vod_map_digits(const ngx_media_json_token_t *token)
{
    ngx_uint_t     points;
    const u_char  *p, *last;

    p = token->text.pos;
    last = token->text.last;

    if (token->type != NGX_MEDIA_JSON_STRING) {
        return 0;
    }

    if (p < last && *p == '-') {
        p++;
    }

    if (p == last || *p == '.' || last[-1] == '.') {
        return 0;
    }

    for (points = 0; p < last; p++) {

        if (*p == '.') {
            points++;

        } else if (*p < '0' || *p > '9') {
            return 0;
        }
    }

    return points <= 1;
}


/* the object that was just entered, by a table of what it may have */

static ngx_int_t
ngx_media_vod_map_object(ngx_media_vod_map_json_t *ctx,
    const ngx_media_vod_map_field_t *fields, void *base)
{
    uint32_t                          seen, bit;
    ngx_int_t                         rc;
    const char                       *outer;
    ngx_media_json_token_t            begin;
    const ngx_media_vod_map_field_t  *field;

    if (ngx_media_vod_map_expect(ctx, NGX_MEDIA_JSON_OBJECT, "object")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    seen = 0;

    for ( ;; ) {

        if (ngx_media_vod_map_next(ctx) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ctx->token.type == NGX_MEDIA_JSON_END) {
            return NGX_OK;
        }

        for (field = fields; field->name; field++) {
            if (ngx_media_json_equal(&ctx->token.key, field->name)) {
                break;
            }
        }

        if (field->name == NULL || ctx->token.type == NGX_MEDIA_JSON_NULL) {

            rc = ngx_media_json_skip(&ctx->json, &ctx->token);

            if (rc != NGX_OK) {
                return ngx_media_vod_map_next(ctx);
            }

            continue;
        }

        ctx->name = field->name;
        bit = (uint32_t) 1 << (field - fields);

        if (seen & bit) {
            return ngx_media_vod_map_wrong(ctx, "is duplicate");
        }

        seen |= bit;
        begin = ctx->token;
        outer = ctx->outer;
        ctx->mistyped = 0;

        if (field->read(ctx, field, (u_char *) base + field->offset) != NGX_OK
            && (!field->optional || !ctx->mistyped
                || ngx_media_vod_map_ignore(ctx, &begin) != NGX_OK))
        {
            return NGX_ERROR;
        }

        ctx->outer = outer;
        ctx->name = NULL;
    }
}


/* NGX_OK, NGX_DONE, or NGX_ERROR, which is told */

static ngx_int_t
ngx_media_vod_map_next(ngx_media_vod_map_json_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_media_json_next(&ctx->json, &ctx->token);

    if (rc == NGX_ERROR) {
        ctx->token.text.pos = ctx->json.pos;
        return ngx_media_vod_map_wrong(ctx, "%s", ctx->json.error);
    }

    return rc;
}


/* an array was entered; errors in it are met when it is read */

static ngx_int_t
ngx_media_vod_map_array(ngx_media_vod_map_json_t *ctx, ngx_uint_t max,
    ngx_uint_t *n)
{
    if (ngx_media_vod_map_expect(ctx, NGX_MEDIA_JSON_ARRAY, "array")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_json_count(&ctx->json, n) != NGX_OK) {

        while (ngx_media_vod_map_next(ctx) == NGX_OK) { /* void */ }

        return NGX_ERROR;
    }

    if (*n == 0) {
        return ngx_media_vod_map_wrong(ctx, "is empty");
    }

    if (*n > max) {
        return ngx_media_vod_map_wrong(ctx, "%u values, there may be %u",
                                       (unsigned) *n, (unsigned) max);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_string(ngx_media_vod_map_json_t *ctx, ngx_str_t *str)
{
    u_char  *p;

    if (ngx_media_vod_map_expect(ctx, NGX_MEDIA_JSON_STRING, "string")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    str->len = ngx_media_json_string(NULL, &ctx->token.text);

    p = ngx_pnalloc(ctx->make->pool, str->len + 1);
    if (p == NULL) {
        return ngx_media_vod_map_nomem(ctx->make);
    }

    (void) ngx_media_json_string(p, &ctx->token.text);
    p[str->len] = '\0';

    str->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_expect(ngx_media_vod_map_json_t *ctx,
    ngx_media_json_type_e type, const char *what)
{
    if (ctx->token.type != type) {
        return ngx_media_vod_map_mistyped(ctx, what);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_map_mistyped(ngx_media_vod_map_json_t *ctx, const char *what)
{
    ctx->mistyped = 1;

    return ngx_media_vod_map_wrong(ctx, "%s expected", what);
}


/* a member of another type than it should have: the first one is told */

static ngx_int_t
ngx_media_vod_map_ignore(ngx_media_vod_map_json_t *ctx,
    const ngx_media_json_token_t *value)
{
    ngx_media_vod_map_make_t  *make;

    make = ctx->make;

    if (ctx->ignored++ == 0) {
        ngx_memcpy(ctx->first, make->error, NGX_MEDIA_VOD_ERROR);
    }

    make->status = 0;
    make->error[0] = '\0';

    if (ngx_media_json_skip(&ctx->json, value) != NGX_OK) {
        return ngx_media_vod_map_next(ctx);
    }

    return NGX_OK;
}


/* a word or a number, in any case, as it is written */

static ngx_uint_t
ngx_media_vod_map_is(ngx_media_vod_map_json_t *ctx, const char *word)
{
    const u_char  *p;

    if (ctx->token.type != NGX_MEDIA_JSON_STRING
        && ctx->token.type != NGX_MEDIA_JSON_NUMBER)
    {
        return 0;
    }

    for (p = ctx->token.text.pos; p < ctx->token.text.last; p++) {

        if (ngx_tolower(*p) != (u_char) *word || *word++ == '\0') {
            return 0;
        }
    }

    return *word == '\0';
}


/* "sequences[1].clips[0].path: string expected, offset:123" */

static ngx_int_t
ngx_media_vod_map_wrong(ngx_media_vod_map_json_t *ctx, const char *fmt, ...)
{
    char        place[128], text[128];
    size_t      n;
    va_list     args;

    n = 0;
    place[0] = '\0';

    if (ctx->sequence != NGX_MEDIA_VOD_NONE) {
        n += snprintf(place + n, sizeof(place) - n, ".sequences[%u]",
                      (unsigned) ctx->sequence);
    }

    if (ctx->clip != NGX_MEDIA_VOD_NONE) {
        n += snprintf(place + n, sizeof(place) - n, ".clips[%u]",
                      (unsigned) ctx->clip);
    }

    /* names are those of the tables, and short */

    if (ctx->outer) {
        n += snprintf(place + n, sizeof(place) - n, ".%s", ctx->outer);
    }

    if (ctx->name) {
        n += snprintf(place + n, sizeof(place) - n, ".%s", ctx->name);
    }

    if (ctx->item != NGX_MEDIA_VOD_NONE) {
        n += snprintf(place + n, sizeof(place) - n, "[%u]",
                      (unsigned) ctx->item);
    }

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    return ngx_media_vod_map_fail(ctx->make, 500, "%s: %s, offset:%lu",
                                  n ? place + 1 : "mapping", text,
                                  (unsigned long) (ctx->token.text.pos
                                                   - ctx->json.start));
}
