
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * "video" and "audio" of a ladder.  A rung is checked when its line is read,
 * so that what is said has that line.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_codec.h"
#include "transcode/ngx_media_ladder_conf.h"

#if (NGX_MEDIA_HAVE_AV)
#include "av/ngx_media_av_audio.h"
#include "av/ngx_media_av_encoder.h"
#endif


/* pixels of the shorter side */
#define NGX_MEDIA_RUNG_LEAST     64
#define NGX_MEDIA_RUNG_MOST      4320

/* bit/s */
#define NGX_MEDIA_RUNG_SLOW      10000
#define NGX_MEDIA_RUNG_FAST      500000000
#define NGX_MEDIA_AUDIO_SLOW     8000
#define NGX_MEDIA_AUDIO_FAST     1000000

#define NGX_MEDIA_RUNG_CRF       630          /* tenths: of AV1 */
#define NGX_MEDIA_RUNG_BFRAMES   16
#define NGX_MEDIA_RUNG_AHEAD     250
#define NGX_MEDIA_RUNG_THREADS   64

/* tenths: from the bitrate of one rung to that of the one above */
#define NGX_MEDIA_RUNG_STEP      13
#define NGX_MEDIA_RUNG_STEP_MAX  30

/* thousandths of a bit for each pixel, at 30 pictures a second, 16:9 */
#define NGX_MEDIA_RUNG_BITS      20
#define NGX_MEDIA_RUNG_BITS_MAX  250


#if (NGX_MEDIA_HAVE_AV)

/* NAME=VALUE of a line, by their place in a list of names; not there: empty */

#define NGX_MEDIA_VIDEO_CODEC      0
#define NGX_MEDIA_VIDEO_ENCODER    1
#define NGX_MEDIA_VIDEO_PRESET     2
#define NGX_MEDIA_VIDEO_CRF        3
#define NGX_MEDIA_VIDEO_FPS        4
#define NGX_MEDIA_VIDEO_BFRAMES    5
#define NGX_MEDIA_VIDEO_LOOKAHEAD  6
#define NGX_MEDIA_VIDEO_THREADS    7
#define NGX_MEDIA_VIDEO_OPTIONS    8
#define NGX_MEDIA_VIDEO_MAX        9

#define NGX_MEDIA_AUDIO_CHANNELS   0
#define NGX_MEDIA_AUDIO_RATE       1
#define NGX_MEDIA_AUDIO_WHEN       2

#define NGX_MEDIA_LADDER_PARAMS    10

#define NGX_MEDIA_LADDER_RATES     12


typedef struct {
    ngx_str_t                 name;
    ngx_uint_t                rates[NGX_MEDIA_LADDER_RATES];
} ngx_media_ladder_sound_t;


static char *ngx_media_ladder_auto(ngx_conf_t *cf,
    ngx_media_ladder_t *ladder);
static char *ngx_media_ladder_add(ngx_conf_t *cf, ngx_media_ladder_t *ladder,
    ngx_media_ladder_rung_t *rung);
static char *ngx_media_ladder_name(ngx_conf_t *cf,
    const ngx_media_ladder_t *ladder, ngx_media_ladder_rung_t *rung);
static char *ngx_media_ladder_split(ngx_conf_t *cf, ngx_uint_t from,
    const ngx_str_t *names, ngx_str_t *values);
static char *ngx_media_ladder_params(ngx_conf_t *cf, const ngx_str_t *values,
    ngx_media_ladder_rung_t *rung);
static char *ngx_media_ladder_crf(ngx_conf_t *cf, const ngx_str_t *value,
    uint32_t *crf);
static char *ngx_media_ladder_number(ngx_conf_t *cf, const char *what,
    const ngx_str_t *value, ngx_int_t least, ngx_int_t most,
    ngx_uint_t *number);
static char *ngx_media_ladder_side(ngx_conf_t *cf, const ngx_str_t *value,
    uint32_t *side);
static char *ngx_media_ladder_rate(ngx_conf_t *cf, const ngx_str_t *value,
    uint64_t least, uint64_t most, uint64_t *rate);
static char *ngx_media_ladder_codec(ngx_conf_t *cf, const ngx_str_t *value,
    uint32_t *codec);
static char *ngx_media_ladder_encoders(ngx_conf_t *cf, const ngx_str_t *list,
    ngx_media_ladder_rung_t *rung);
static char *ngx_media_ladder_encoder(ngx_conf_t *cf,
    ngx_media_ladder_rung_t *rung, u_char *name, size_t len);
static u_char *ngx_media_ladder_names(u_char *p, u_char *last,
    uint32_t codec);
static char *ngx_media_ladder_kinds(ngx_conf_t *cf,
    const ngx_media_ladder_rung_t *rung);
static const char *ngx_media_ladder_package(
    const ngx_media_av_kind_t *kind);
static char *ngx_media_ladder_falls(ngx_conf_t *cf,
    const ngx_media_ladder_t *ladder, const ngx_media_ladder_rung_t *rung);
static void ngx_media_ladder_bits(ngx_conf_t *cf,
    const ngx_media_ladder_rung_t *rung);
static char *ngx_media_ladder_sound(ngx_conf_t *cf, const ngx_str_t *name,
    ngx_media_ladder_t *ladder, ngx_media_ladder_audio_t *audio);
static const ngx_media_ladder_sound_t *ngx_media_ladder_sound_find(
    const ngx_str_t *name);
static char *ngx_media_ladder_hz(ngx_conf_t *cf, const ngx_str_t *value,
    ngx_media_ladder_audio_t *audio);
static ngx_uint_t ngx_media_ladder_is(const ngx_str_t *one,
    const ngx_str_t *two);
static char *ngx_media_ladder_when(ngx_conf_t *cf, const ngx_str_t *value,
    ngx_media_ladder_audio_t *audio);


static const ngx_str_t  ngx_media_ladder_video_params[] = {
    ngx_string("codec"),
    ngx_string("encoder"),
    ngx_string("preset"),
    ngx_string("crf"),
    ngx_string("fps"),
    ngx_string("bframes"),
    ngx_string("lookahead"),
    ngx_string("threads"),
    ngx_string("options"),
    ngx_string("max"),
    ngx_null_string
};

static const ngx_str_t  ngx_media_ladder_audio_params[] = {
    ngx_string("channels"),
    ngx_string("rate"),
    ngx_string("when"),
    ngx_null_string
};


/* what is made of audio, and the rates that it has */

static const ngx_media_ladder_sound_t  ngx_media_ladder_sounds[] = {
    { ngx_string("aac"), { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
                           22050, 16000, 12000, 8000 } },
    { ngx_string("opus"), { 48000, 24000, 16000, 12000, 8000 } },
    { ngx_null_string, { 0 } }
};


/* "video auto", larger ones first */

static const struct {
    uint32_t                  side;
    uint64_t                  bitrate;
} ngx_media_ladder_autos[] = {
    { 1080, 5000000 },
    { 720, 2800000 },
    { 480, 1200000 },
    { 360, 700000 },
    { 240, 350000 }
};

#define NGX_MEDIA_LADDER_NAUTOS                                               \
    (sizeof(ngx_media_ladder_autos) / sizeof(ngx_media_ladder_autos[0]))

#endif


char *
ngx_media_ladder_video(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
#if (NGX_MEDIA_HAVE_AV)

    ngx_str_t                *value;
    ngx_str_t                 values[NGX_MEDIA_LADDER_PARAMS];
    ngx_media_ladder_t       *ladder;
    ngx_media_ladder_rung_t   rung;

    ladder = ngx_media_ladder_current(cf);
    value = cf->args->elts;

    if (ladder->automatic) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"video auto\" stands for all rungs, there can be "
                           "no other \"video\" beside it");
        return NGX_CONF_ERROR;
    }

    if (value[1].len == 4 && ngx_strncmp(value[1].data, "auto", 4) == 0) {
        return ngx_media_ladder_auto(cf, ladder);
    }

    ngx_memzero(&rung, sizeof(ngx_media_ladder_rung_t));

    if (ngx_media_ladder_side(cf, &value[1], &rung.side) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts < 3) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"video %V\" has no bitrate, write "
                           "\"video %V 2800k\" for instance",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_media_ladder_rate(cf, &value[2], NGX_MEDIA_RUNG_SLOW,
                              NGX_MEDIA_RUNG_FAST, &rung.bitrate)
        != NGX_CONF_OK
        || ngx_media_ladder_split(cf, 3, ngx_media_ladder_video_params, values)
           != NGX_CONF_OK
        || ngx_media_ladder_params(cf, values, &rung) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (values[NGX_MEDIA_VIDEO_MAX].len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"max=\" is for \"video auto\" only");
        return NGX_CONF_ERROR;
    }

    return ngx_media_ladder_add(cf, ladder, &rung);

#else

    return NGX_CONF_ERROR;

#endif
}


char *
ngx_media_ladder_audio(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
#if (NGX_MEDIA_HAVE_AV)

    uint64_t                   rate;
    ngx_str_t                 *value;
    ngx_uint_t                 channels;
    ngx_str_t                  values[NGX_MEDIA_LADDER_PARAMS];
    ngx_media_ladder_t        *ladder;
    ngx_media_ladder_audio_t   audio;

    ladder = ngx_media_ladder_current(cf);
    value = cf->args->elts;

    ngx_memzero(&audio, sizeof(ngx_media_ladder_audio_t));

    if (ngx_media_ladder_sound(cf, &value[1], ladder, &audio) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts < 3) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"audio %V\" has no bitrate, write "
                           "\"audio %V 128k\" for instance",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    channels = 2;

    if (ngx_media_ladder_rate(cf, &value[2], NGX_MEDIA_AUDIO_SLOW,
                              NGX_MEDIA_AUDIO_FAST, &rate)
        != NGX_CONF_OK
        || ngx_media_ladder_split(cf, 3, ngx_media_ladder_audio_params, values)
           != NGX_CONF_OK
        || ngx_media_ladder_number(cf, "channels",
                                   &values[NGX_MEDIA_AUDIO_CHANNELS], 1, 8,
                                   &channels)
           != NGX_CONF_OK
        || ngx_media_ladder_hz(cf, &values[NGX_MEDIA_AUDIO_RATE], &audio)
           != NGX_CONF_OK
        || ngx_media_ladder_when(cf, &values[NGX_MEDIA_AUDIO_WHEN], &audio)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    audio.bitrate = (uint32_t) rate;
    audio.channels = (uint32_t) channels;

    ladder->audios[ladder->naudios++] = audio;

    return NGX_CONF_OK;

#else

    return NGX_CONF_ERROR;

#endif
}


uint64_t
ngx_media_ladder_bitrate(const ngx_str_t *value)
{
    u_char      c;
    size_t      i;
    uint64_t    n, unit, part;
    ngx_uint_t  dot;

    n = 0;
    part = 1;
    dot = 0;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (c == '.' && !dot && i) {
            dot = 1;
            continue;
        }

        if (c < '0' || c > '9') {
            break;
        }

        if (n > 100000000000 || part > 100000) {
            return 0;
        }

        n = n * 10 + (c - '0');
        part *= dot ? 10 : 1;
    }

    unit = 1;

    if (i + 1 == value->len) {
        c = value->data[i++] | 0x20;
        unit = c == 'k' ? 1000 : c == 'm' ? 1000000 : 0;
    }

    return i == value->len ? n * unit / part : 0;
}


#if (NGX_MEDIA_HAVE_AV)

/* all of them, with the same parameters; which ones is up to the source */

static char *
ngx_media_ladder_auto(ngx_conf_t *cf, ngx_media_ladder_t *ladder)
{
    uint32_t                  max;
    ngx_str_t                 values[NGX_MEDIA_LADDER_PARAMS];
    ngx_uint_t                i;
    ngx_media_ladder_rung_t   rung, one;

    if (ladder->nrungs) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"video auto\" stands for all rungs, there can be "
                           "no other \"video\" beside it");
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&rung, sizeof(ngx_media_ladder_rung_t));

    if (ngx_media_ladder_split(cf, 2, ngx_media_ladder_video_params, values)
        != NGX_CONF_OK
        || ngx_media_ladder_params(cf, values, &rung) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    max = NGX_MEDIA_RUNG_MOST;

    if (values[NGX_MEDIA_VIDEO_MAX].len
        && ngx_media_ladder_side(cf, &values[NGX_MEDIA_VIDEO_MAX], &max)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < NGX_MEDIA_LADDER_NAUTOS; i++) {

        if (ngx_media_ladder_autos[i].side > max) {
            continue;
        }

        one = rung;
        one.side = ngx_media_ladder_autos[i].side;
        one.bitrate = ngx_media_ladder_autos[i].bitrate;

        if (ngx_media_ladder_add(cf, ladder, &one) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ladder->nrungs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"max=%V\" leaves no rung, the smallest one is "
                           "%uDp", &values[NGX_MEDIA_VIDEO_MAX],
                           ngx_media_ladder_autos[NGX_MEDIA_LADDER_NAUTOS - 1]
                           .side);
        return NGX_CONF_ERROR;
    }

    ladder->automatic = 1;

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_add(ngx_conf_t *cf, ngx_media_ladder_t *ladder,
    ngx_media_ladder_rung_t *rung)
{
    if (ladder->nrungs == NGX_MEDIA_LADDER_RUNGS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a ladder has at most %d \"video\"",
                           NGX_MEDIA_LADDER_RUNGS);
        return NGX_CONF_ERROR;
    }

    if (ngx_media_ladder_name(cf, ladder, rung) != NGX_CONF_OK
        || ngx_media_ladder_falls(cf, ladder, rung) != NGX_CONF_OK
        || ngx_media_ladder_kinds(cf, rung) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_media_ladder_bits(cf, rung);

    ladder->rungs[ladder->nrungs++] = *rung;

    return NGX_CONF_OK;
}


/* the codec is in it where there is the same size of another one */

static char *
ngx_media_ladder_name(ngx_conf_t *cf, const ngx_media_ladder_t *ladder,
    ngx_media_ladder_rung_t *rung)
{
    ngx_uint_t                i, same;
    const ngx_media_codec_t  *codec;

    same = 0;

    for (i = 0; i < ladder->nrungs; i++) {
        same += ladder->rungs[i].side == rung->side;
    }

    codec = ngx_media_codec_find(rung->codec);

    rung->name.data = ngx_pnalloc(cf->pool, NGX_INT32_LEN + 2
                                            + codec->name.len);
    if (rung->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    rung->name.len = (same ? ngx_sprintf(rung->name.data, "%uDp-%V",
                                         rung->side, &codec->name)
                           : ngx_sprintf(rung->name.data, "%uDp", rung->side))
                     - rung->name.data;

    return NGX_CONF_OK;
}


/* values has a place for each of the names */

static char *
ngx_media_ladder_split(ngx_conf_t *cf, ngx_uint_t from,
    const ngx_str_t *names, ngx_str_t *values)
{
    ngx_str_t   *value, *arg;
    ngx_uint_t   i, n;

    value = cf->args->elts;

    ngx_memzero(values, NGX_MEDIA_LADDER_PARAMS * sizeof(ngx_str_t));

    for (i = from; i < cf->args->nelts; i++) {
        arg = &value[i];

        for (n = 0; names[n].len; n++) {

            if (arg->len > names[n].len + 1
                && ngx_strncmp(arg->data, names[n].data, names[n].len) == 0
                && arg->data[names[n].len] == '=')
            {
                break;
            }
        }

        if (names[n].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\" of \"%V\"", arg,
                               &value[0]);
            return NGX_CONF_ERROR;
        }

        if (values[n].len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V=\" is there twice", &names[n]);
            return NGX_CONF_ERROR;
        }

        values[n].data = arg->data + names[n].len + 1;
        values[n].len = arg->len - names[n].len - 1;
    }

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_params(ngx_conf_t *cf, const ngx_str_t *values,
    ngx_media_ladder_rung_t *rung)
{
    const ngx_str_t  *fps;

    fps = &values[NGX_MEDIA_VIDEO_FPS];

    if (fps->len && (fps->len != 4 || ngx_strncmp(fps->data, "half", 4) != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"fps=%V\", a rung has the pictures "
                           "of its source, or every other one: write "
                           "\"fps=half\"", fps);
        return NGX_CONF_ERROR;
    }

    rung->half = fps->len ? 1 : 0;
    rung->threads = 1;
    rung->bframes_set = values[NGX_MEDIA_VIDEO_BFRAMES].len ? 1 : 0;
    rung->lookahead_set = values[NGX_MEDIA_VIDEO_LOOKAHEAD].len ? 1 : 0;

    if (values[NGX_MEDIA_VIDEO_PRESET].len) {
        rung->preset = (char *) values[NGX_MEDIA_VIDEO_PRESET].data;
    }

    if (values[NGX_MEDIA_VIDEO_OPTIONS].len) {
        rung->options = (char *) values[NGX_MEDIA_VIDEO_OPTIONS].data;
    }

    if (ngx_media_ladder_codec(cf, &values[NGX_MEDIA_VIDEO_CODEC],
                               &rung->codec)
        != NGX_CONF_OK
        || ngx_media_ladder_encoders(cf, &values[NGX_MEDIA_VIDEO_ENCODER],
                                     rung)
           != NGX_CONF_OK
        || ngx_media_ladder_crf(cf, &values[NGX_MEDIA_VIDEO_CRF], &rung->crf)
           != NGX_CONF_OK
        || ngx_media_ladder_number(cf, "bframes",
                                   &values[NGX_MEDIA_VIDEO_BFRAMES], 0,
                                   NGX_MEDIA_RUNG_BFRAMES, &rung->bframes)
           != NGX_CONF_OK
        || ngx_media_ladder_number(cf, "lookahead",
                                   &values[NGX_MEDIA_VIDEO_LOOKAHEAD], 0,
                                   NGX_MEDIA_RUNG_AHEAD, &rung->lookahead)
           != NGX_CONF_OK
        || ngx_media_ladder_number(cf, "threads",
                                   &values[NGX_MEDIA_VIDEO_THREADS], 1,
                                   NGX_MEDIA_RUNG_THREADS, &rung->threads)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_crf(ngx_conf_t *cf, const ngx_str_t *value, uint32_t *crf)
{
    ngx_int_t  n;

    if (value->len == 0) {
        return NGX_CONF_OK;
    }

    n = ngx_atofp(value->data, value->len, 1);

    if (n < 10 || n > NGX_MEDIA_RUNG_CRF) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"crf=%V\", write \"crf=23\", or "
                           "another number from 1 to 51, of AV1 to 63", value);
        return NGX_CONF_ERROR;
    }

    *crf = (uint32_t) n;

    return NGX_CONF_OK;
}


/* not there: it stays as it is */

static char *
ngx_media_ladder_number(ngx_conf_t *cf, const char *what,
    const ngx_str_t *value, ngx_int_t least, ngx_int_t most,
    ngx_uint_t *number)
{
    ngx_int_t  n;

    if (value->len == 0) {
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value->data, value->len);

    if (n < least || n > most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%s=%V\", it is a number from %i "
                           "to %i", what, value, least, most);
        return NGX_CONF_ERROR;
    }

    *number = n;

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_side(ngx_conf_t *cf, const ngx_str_t *value, uint32_t *side)
{
    ngx_int_t  n;

    n = NGX_ERROR;

    if (value->len > 1 && value->data[value->len - 1] == 'p') {
        n = ngx_atoi(value->data, value->len - 1);
    }

    if (n < NGX_MEDIA_RUNG_LEAST || n > NGX_MEDIA_RUNG_MOST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\", it is the shorter side of "
                           "the picture, from %dp to %dp: write \"720p\", or "
                           "\"video auto\"", value, NGX_MEDIA_RUNG_LEAST,
                           NGX_MEDIA_RUNG_MOST);
        return NGX_CONF_ERROR;
    }

    if (n % 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\", encoders want even sides: "
                           "write \"%ip\" or \"%ip\"", value, n - 1, n + 1);
        return NGX_CONF_ERROR;
    }

    *side = (uint32_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_rate(ngx_conf_t *cf, const ngx_str_t *value, uint64_t least,
    uint64_t most, uint64_t *rate)
{
    *rate = ngx_media_ladder_bitrate(value);

    if (*rate < least || *rate > most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid bitrate \"%V\", it is in bits a second, "
                           "from %uLk to %uLk: write \"128k\" or \"2.8m\" for "
                           "instance", value, least / 1000, most / 1000);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* one that an encoder of the table makes; the first one's is the default */

static char *
ngx_media_ladder_codec(ngx_conf_t *cf, const ngx_str_t *value,
    uint32_t *codec)
{
    u_char                      *p, names[NGX_MEDIA_AV_ERROR];
    uint32_t                     last;
    ngx_uint_t                   i;
    const ngx_media_codec_t     *entry;
    const ngx_media_av_kind_t   *kind;

    p = names;
    last = 0;

    for (i = 0; /* void */ ; i++) {
        kind = ngx_media_av_encoder_entry(i);

        if (kind == NULL) {
            break;
        }

        entry = ngx_media_codec_find(ngx_media_av_encoder_codec(kind));

        if (value->len == 0
            || (value->len == entry->name.len
                && ngx_strncmp(value->data, entry->name.data, value->len)
                   == 0))
        {
            *codec = entry->id;
            return NGX_CONF_OK;
        }

        if (i < 3 && entry->id != last) {
            p = ngx_slprintf(p, names + sizeof(names), "%s\"codec=%V\"",
                             p == names ? "" : ", ", &entry->name);
            last = entry->id;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown codec \"%V\", write one of %*s", value,
                       (size_t) (p - names), names);

    return NGX_CONF_ERROR;
}


static char *
ngx_media_ladder_encoders(ngx_conf_t *cf, const ngx_str_t *list,
    ngx_media_ladder_rung_t *rung)
{
    u_char                     *p, *next, *last;
    ngx_uint_t                  i;
    const ngx_media_av_kind_t  *kind;

    if (list->len == 0) {

        for (i = 0; /* void */ ; i++) {
            kind = ngx_media_av_encoder_entry(i);

            if (kind == NULL) {
                return NGX_CONF_ERROR;
            }

            if (ngx_media_av_encoder_codec(kind) == rung->codec) {
                rung->kinds[rung->nkinds++] = kind;
                return NGX_CONF_OK;
            }
        }
    }

    last = list->data + list->len;

    for (p = list->data; p <= last; p = next + 1) {
        next = ngx_strlchr(p, last, ',');

        if (next == NULL) {
            next = last;
        }

        if (ngx_media_ladder_encoder(cf, rung, p, next - p) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_encoder(ngx_conf_t *cf, ngx_media_ladder_rung_t *rung,
    u_char *name, size_t len)
{
    u_char                     *last, names[NGX_MEDIA_AV_ERROR];
    ngx_uint_t                  i;
    const ngx_media_codec_t    *codec;
    const ngx_media_av_kind_t  *kind;

    kind = ngx_media_av_encoder_find(rung->codec, name, len);

    if (kind == NULL) {
        codec = ngx_media_codec_find(rung->codec);
        last = ngx_media_ladder_names(names, names + sizeof(names),
                                      rung->codec);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown encoder \"%*s\" of %V, known are: %*s",
                           len, name, &codec->name, (size_t) (last - names),
                           names);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < rung->nkinds; i++) {
        if (rung->kinds[i] == kind) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "encoder \"%*s\" is there twice", len, name);
            return NGX_CONF_ERROR;
        }
    }

    if (rung->nkinds == NGX_MEDIA_LADDER_ENCODERS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"encoder=\" has more than %d names",
                           NGX_MEDIA_LADDER_ENCODERS);
        return NGX_CONF_ERROR;
    }

    rung->kinds[rung->nkinds++] = kind;

    return NGX_CONF_OK;
}


/* encoders of a codec */

static u_char *
ngx_media_ladder_names(u_char *p, u_char *last, uint32_t codec)
{
    u_char                     *first;
    ngx_uint_t                  i;
    const ngx_media_av_kind_t  *kind;

    first = p;

    for (i = 0; /* void */ ; i++) {
        kind = ngx_media_av_encoder_entry(i);

        if (kind == NULL) {
            return p;
        }

        if (ngx_media_av_encoder_codec(kind) == codec) {
            p = ngx_slprintf(p, last, "%s%s", p == first ? "" : ", ",
                             ngx_media_av_encoder_brief(kind));
        }
    }
}


/*
 * Which of the encoders there are: what is missing is no mistake as long as
 * another one is there, the same configuration is for several machines.
 */

static char *
ngx_media_ladder_kinds(ngx_conf_t *cf, const ngx_media_ladder_rung_t *rung)
{
    u_char                       error[NGX_MEDIA_AV_ERROR];
    ngx_int_t                    rc;
    ngx_uint_t                   i, level, there;
    ngx_media_av_encoder_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_media_av_encoder_conf_t));

    conf.width = rung->side * 16 / 9 / 2 * 2;
    conf.height = rung->side;
    conf.fps_num = 30;
    conf.fps_den = 1;
    conf.bitrate = (uint32_t) rung->bitrate;
    conf.crf = rung->crf;
    conf.preset = rung->preset;
    conf.options = rung->options;
    conf.bframes = rung->bframes;
    conf.lookahead = rung->lookahead;
    conf.threads = rung->threads;
    conf.bit_depth = 8;

    there = 0;

    for (i = 0; i < rung->nkinds; i++) {
        there += ngx_media_av_encoder_known(rung->kinds[i]);
    }

    level = there ? NGX_LOG_WARN : NGX_LOG_EMERG;

    for (i = 0; i < rung->nkinds; i++) {
        conf.kind = rung->kinds[i];

        rc = ngx_media_av_encoder_check(&conf, error);

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(level, cf, 0,
                               "\"video %V\": %s; of Debian it is in %s",
                               &rung->name, error,
                               ngx_media_ladder_package(conf.kind));

        } else if (rc != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"video %V\": %s",
                               &rung->name, error);
            return NGX_CONF_ERROR;
        }
    }

    return there ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* what brings an encoder that libavcodec lacks */

static const char *
ngx_media_ladder_package(const ngx_media_av_kind_t *kind)
{
    ngx_uint_t   i;
    const char  *name;

    static const struct {
        const char           *encoder;
        const char           *package;
    } packages[] = {
        { "svtav1", "libavcodec61 and newer" },
        { "nvenc", "libavcodec59 and newer, with libnvidia-encode1" },
        { "qsv", "libavcodec59 and newer, with "
          "intel-media-va-driver-non-free" },
        { "vaapi", "libavcodec59 and newer, with mesa-va-drivers or "
          "intel-media-va-driver" },
        { NULL, "libavcodec59 and newer" }
    };

    name = ngx_media_av_encoder_brief(kind);

    for (i = 0; packages[i].encoder; i++) {
        if (ngx_strcmp(packages[i].encoder, name) == 0) {
            break;
        }
    }

    return packages[i].package;
}


/* sizes and rates, those of one codec */

static char *
ngx_media_ladder_falls(ngx_conf_t *cf, const ngx_media_ladder_t *ladder,
    const ngx_media_ladder_rung_t *rung)
{
    uint64_t                        step;
    ngx_uint_t                      i;
    const ngx_media_ladder_rung_t  *above;

    above = NULL;

    for (i = 0; i < ladder->nrungs; i++) {
        if (ladder->rungs[i].codec == rung->codec) {
            above = &ladder->rungs[i];
        }
    }

    if (above == NULL) {
        return NGX_CONF_OK;
    }

    if (rung->side >= above->side) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"video %uDp\" follows \"%uDp\", but sizes have to "
                           "fall: write the larger one first", rung->side,
                           above->side);
        return NGX_CONF_ERROR;
    }

    if (rung->bitrate >= above->bitrate) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "bitrate of \"video %uDp\", %uLk, must be less than "
                           "that of \"%uDp\", %uLk", rung->side,
                           rung->bitrate / 1000, above->side,
                           above->bitrate / 1000);
        return NGX_CONF_ERROR;
    }

    step = above->bitrate * 10 / rung->bitrate;

    if (step < NGX_MEDIA_RUNG_STEP || step > NGX_MEDIA_RUNG_STEP_MAX) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "from \"%uDp\" to \"%uDp\" bitrates fall by %uL.%uL "
                           "times, players do best with 1.3 to 3: write %uLk "
                           "to %uLk", above->side, rung->side, step / 10,
                           step % 10, above->bitrate / 3000 + 1,
                           above->bitrate / 1300);
    }

    return NGX_CONF_OK;
}


static void
ngx_media_ladder_bits(ngx_conf_t *cf, const ngx_media_ladder_rung_t *rung)
{
    uint64_t  bits, pixels;

    pixels = (uint64_t) rung->side * rung->side * 16 / 9
             * (rung->half ? 15 : 30);

    bits = rung->bitrate * 1000 / pixels;

    if (bits < NGX_MEDIA_RUNG_BITS || bits > NGX_MEDIA_RUNG_BITS_MAX) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"video %uDp\" has 0.%03uL bits for each pixel at "
                           "%d pictures a second, it looks bad below 0.02 and "
                           "wastes them above 0.25: write %uLk to %uLk",
                           rung->side, ngx_min(bits, 999), rung->half ? 15 : 30,
                           pixels * NGX_MEDIA_RUNG_BITS / 1000000 + 1,
                           pixels * NGX_MEDIA_RUNG_BITS_MAX / 1000000);
    }
}


/* a codec of audio that there is an encoder of */

static char *
ngx_media_ladder_sound(ngx_conf_t *cf, const ngx_str_t *name,
    ngx_media_ladder_t *ladder, ngx_media_ladder_audio_t *audio)
{
    u_char                    error[NGX_MEDIA_AV_ERROR];
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;

    for (i = 0; /* void */ ; i++) {
        codec = ngx_media_codec_entry(i);

        if (codec == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown codec of audio \"%V\", write "
                               "\"audio aac 128k\" or \"audio opus 96k\"",
                               name);
            return NGX_CONF_ERROR;
        }

        if (ngx_media_ladder_is(name, &codec->name)
            && ngx_media_ladder_sound_find(name))
        {
            break;
        }
    }

    if (ngx_media_av_audio_known(codec->id, error) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"audio %V\": %s", name,
                           error);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < ladder->naudios; i++) {
        if (ladder->audios[i].codec == codec->id) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"audio %V\" is there twice", name);
            return NGX_CONF_ERROR;
        }
    }

    audio->name = codec->name;
    audio->codec = codec->id;

    return NGX_CONF_OK;
}


static const ngx_media_ladder_sound_t *
ngx_media_ladder_sound_find(const ngx_str_t *name)
{
    const ngx_media_ladder_sound_t  *sound;

    for (sound = ngx_media_ladder_sounds; sound->name.len; sound++) {
        if (ngx_media_ladder_is(name, &sound->name)) {
            return sound;
        }
    }

    return NULL;
}


/* not there: 48000, which all have */

static char *
ngx_media_ladder_hz(ngx_conf_t *cf, const ngx_str_t *value,
    ngx_media_ladder_audio_t *audio)
{
    u_char           *p, text[NGX_MEDIA_AV_ERROR];
    ngx_int_t         hz;
    const ngx_uint_t *rate;

    hz = value->len ? ngx_atoi(value->data, value->len) : 48000;

    p = text;

    for (rate = ngx_media_ladder_sound_find(&audio->name)->rates;
         *rate;
         rate++)
    {
        if (hz == (ngx_int_t) *rate) {
            audio->rate = (uint32_t) hz;
            return NGX_CONF_OK;
        }

        p = ngx_slprintf(p, text + sizeof(text), "%s%ui",
                         p == text ? "" : ", ", *rate);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"rate=%V\", %V has these: %*s", value,
                       &audio->name, (size_t) (p - text), text);

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_media_ladder_is(const ngx_str_t *one, const ngx_str_t *two)
{
    return one->len == two->len
           && ngx_memcmp(one->data, two->data, one->len) == 0;
}


static char *
ngx_media_ladder_when(ngx_conf_t *cf, const ngx_str_t *value,
    ngx_media_ladder_audio_t *audio)
{
    ngx_uint_t  i;

    static ngx_conf_enum_t  when[] = {
        { ngx_string("missing"), NGX_MEDIA_LADDER_MISSING },
        { ngx_string("always"), NGX_MEDIA_LADDER_ALWAYS },
        { ngx_string("asked"), NGX_MEDIA_LADDER_ASKED },
        { ngx_null_string, 0 }
    };

    for (i = 0; when[i].name.len; i++) {

        if (value->len == 0
            || (value->len == when[i].name.len
                && ngx_strncmp(value->data, when[i].name.data, value->len)
                   == 0))
        {
            audio->when = when[i].value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"when=%V\", write \"missing\", "
                       "\"always\" or \"asked\"", value);

    return NGX_CONF_ERROR;
}

#endif
