
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * ISO/IEC 23009-1, profile isoff-live: one SegmentTemplate with a
 * SegmentTimeline in each Representation; or a SegmentList, isoff-main.
 *
 *     MPD
 *         Period                          id, start
 *             AdaptationSet               id, contentType, mimeType ...
 *                 Representation          id, codecs, bandwidth ...
 *                     SegmentTemplate     timescale, media, startNumber ...
 *                         SegmentTimeline
 *                             S           t, d, r
 *         UTCTiming
 *
 * Children stand in the order of the schema, which is a sequence.
 */


#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_mpd.h"
#include "formats/ngx_media_text.h"


typedef struct {
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  fps_num;
    uint32_t                  fps_den;
} ngx_media_mpd_max_t;


static void ngx_media_mpd_root(ngx_media_text_t *text,
    const ngx_media_mpd_t *mpd);
static ngx_uint_t ngx_media_mpd_supplemental(const ngx_media_mpd_t *mpd);
static ngx_uint_t ngx_media_mpd_lists(const ngx_media_mpd_t *mpd);
static void ngx_media_mpd_msec(ngx_media_text_t *text, const char *name,
    int64_t msec);
static void ngx_media_mpd_number(ngx_media_text_t *text, const char *name,
    uint64_t value);
static void ngx_media_mpd_string(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value);
static void ngx_media_mpd_rate(ngx_media_text_t *text, const char *name,
    uint32_t num, uint32_t den);
static void ngx_media_mpd_ratio(ngx_media_text_t *text, const char *name,
    uint64_t num, uint64_t den);
static void ngx_media_mpd_timing(ngx_media_text_t *text,
    const ngx_media_mpd_t *mpd);
static void ngx_media_mpd_period(ngx_media_text_t *text,
    const ngx_media_mpd_period_t *period);
static void ngx_media_mpd_set(ngx_media_text_t *text,
    const ngx_media_mpd_period_t *period, const ngx_media_mpd_set_t *set);
static ngx_uint_t ngx_media_mpd_plain(const ngx_media_mpd_set_t *set);
static void ngx_media_mpd_set_properties(ngx_media_text_t *text,
    const ngx_media_mpd_set_t *set);
static void ngx_media_mpd_captions(ngx_media_text_t *text, const char *scheme,
    const ngx_str_t *value);
static void ngx_media_mpd_set_video(ngx_media_text_t *text,
    const ngx_media_mpd_set_t *set);
static void ngx_media_mpd_representation(ngx_media_text_t *text,
    const ngx_media_mpd_set_t *set,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_tiles(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_channels(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_template(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_list(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_init(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_name(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static void ngx_media_mpd_timeline(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep);
static uint64_t ngx_media_mpd_gcd(uint64_t a, uint64_t b);


/* by ngx_media_type_e */

static const struct {
    const char  *content;
    const char  *mime;
} ngx_media_mpd_types[] = {
    { "video", "video/mp4" },
    { "audio", "audio/mp4" },
    { "text", "application/mp4" },
    { "image", "image/jpeg" }
};


#define ngx_media_mpd_ascii(text, s)                                          \
    ngx_media_text_data(text, s, ngx_strlen(s))


size_t
ngx_media_mpd_write(u_char *p, size_t size, const ngx_media_mpd_t *mpd)
{
    ngx_uint_t        i;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, p, size);

    ngx_media_mpd_root(&text, mpd);

    for (i = 0; i < mpd->nperiods; i++) {
        ngx_media_mpd_period(&text, &mpd->periods[i]);
    }

    ngx_media_mpd_timing(&text, mpd);

    ngx_media_text_cstr(&text, "</MPD>\n");

    return text.total;
}


/* ISO/IEC 23009-1, 5.3.1.2 */

static void
ngx_media_mpd_root(ngx_media_text_t *text, const ngx_media_mpd_t *mpd)
{
    ngx_media_text_cstr(text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"");

    if (ngx_media_mpd_supplemental(mpd)) {
        ngx_media_text_cstr(text, " xmlns:scte214=\"urn:scte:dash:scte214-"
                                  "extensions\"");
    }

    /* 8.4.3: the live profile knows templates only */

    if (ngx_media_mpd_lists(mpd)) {
        ngx_media_text_cstr(text,
            " profiles=\"urn:mpeg:dash:profile:isoff-main:2011\"");

    } else {
        ngx_media_text_cstr(text,
            " profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"");
    }

    if (mpd->dynamic) {

        /* one line for all periods, restarts and servers: the epoch; but a
           presentation that becomes a static one begins at its begin */

        ngx_media_text_cstr(text, " type=\"dynamic\""
                            " availabilityStartTime=\"");

        if (mpd->start) {
            ngx_media_text_date(text, mpd->start);

        } else {
            ngx_media_text_cstr(text, "1970-01-01T00:00:00Z");
        }

        ngx_media_text_cstr(text, "\" publishTime=\"");
        ngx_media_text_date(text, mpd->publish_time);
        ngx_media_text_cstr(text, "\"");

        if (mpd->update) {
            ngx_media_mpd_msec(text, "minimumUpdatePeriod", mpd->update);
        }

        if (mpd->depth) {
            ngx_media_mpd_msec(text, "timeShiftBufferDepth", mpd->depth);
        }

        if (mpd->delay) {
            ngx_media_mpd_msec(text, "suggestedPresentationDelay",
                               mpd->delay);
        }

    } else {
        ngx_media_text_cstr(text, " type=\"static\"");
    }

    if (mpd->duration >= 0) {
        ngx_media_mpd_msec(text, "mediaPresentationDuration", mpd->duration);
    }

    if (mpd->max_segment) {
        ngx_media_mpd_msec(text, "maxSegmentDuration", mpd->max_segment);
    }

    ngx_media_mpd_msec(text, "minBufferTime", mpd->min_buffer);
    ngx_media_text_cstr(text, ">\n");
}


/* whether attributes of another name space are used */

static ngx_uint_t
ngx_media_mpd_supplemental(const ngx_media_mpd_t *mpd)
{
    ngx_uint_t                    i, j, k;
    const ngx_media_mpd_set_t    *set;
    const ngx_media_mpd_period_t *period;

    for (i = 0; i < mpd->nperiods; i++) {
        period = &mpd->periods[i];

        for (j = 0; j < period->nsets; j++) {
            set = &period->sets[j];

            for (k = 0; k < set->nrepresentations; k++) {
                if (set->representations[k].supplemental.len
                    || set->representations[k].profiles.len)
                {
                    return 1;
                }
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_media_mpd_lists(const ngx_media_mpd_t *mpd)
{
    ngx_uint_t                  i, j, k;
    const ngx_media_mpd_set_t  *set;

    for (i = 0; i < mpd->nperiods; i++) {
        for (j = 0; j < mpd->periods[i].nsets; j++) {
            set = &mpd->periods[i].sets[j];

            for (k = 0; k < set->nrepresentations; k++) {
                if (set->representations[k].list) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


static void
ngx_media_mpd_msec(ngx_media_text_t *text, const char *name, int64_t msec)
{
    ngx_media_text_cstr(text, " ");
    ngx_media_mpd_ascii(text, name);
    ngx_media_text_cstr(text, "=\"");
    ngx_media_text_duration(text, msec);
    ngx_media_text_cstr(text, "\"");
}


static void
ngx_media_mpd_number(ngx_media_text_t *text, const char *name, uint64_t value)
{
    ngx_media_text_cstr(text, " ");
    ngx_media_mpd_ascii(text, name);
    ngx_media_text_cstr(text, "=\"");
    ngx_media_text_u64(text, value);
    ngx_media_text_cstr(text, "\"");
}


static void
ngx_media_mpd_string(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value)
{
    ngx_media_text_cstr(text, " ");
    ngx_media_mpd_ascii(text, name);
    ngx_media_text_cstr(text, "=\"");
    ngx_media_text_xml(text, value);
    ngx_media_text_cstr(text, "\"");
}


/* FrameRateType: "25" or "30000/1001" */

static void
ngx_media_mpd_rate(ngx_media_text_t *text, const char *name, uint32_t num,
    uint32_t den)
{
    uint64_t  gcd;

    gcd = ngx_media_mpd_gcd(num, den);

    ngx_media_text_cstr(text, " ");
    ngx_media_mpd_ascii(text, name);
    ngx_media_text_cstr(text, "=\"");
    ngx_media_text_u64(text, num / gcd);

    if (den / gcd != 1) {
        ngx_media_text_cstr(text, "/");
        ngx_media_text_u64(text, den / gcd);
    }

    ngx_media_text_cstr(text, "\"");
}


/* RatioType: "16:9" */

static void
ngx_media_mpd_ratio(ngx_media_text_t *text, const char *name, uint64_t num,
    uint64_t den)
{
    uint64_t  gcd;

    gcd = ngx_media_mpd_gcd(num, den);

    ngx_media_text_cstr(text, " ");
    ngx_media_mpd_ascii(text, name);
    ngx_media_text_cstr(text, "=\"");
    ngx_media_text_u64(text, num / gcd);
    ngx_media_text_cstr(text, ":");
    ngx_media_text_u64(text, den / gcd);
    ngx_media_text_cstr(text, "\"");
}


/* 5.8.4.11: a static MPD has no clock to agree on */

static void
ngx_media_mpd_timing(ngx_media_text_t *text, const ngx_media_mpd_t *mpd)
{
    if (!mpd->dynamic) {
        return;
    }

    if (mpd->time_url.len) {
        ngx_media_text_cstr(text, "  <UTCTiming schemeIdUri=\""
                            "urn:mpeg:dash:utc:http-iso:2014\"");
        ngx_media_mpd_string(text, "value", &mpd->time_url);
        ngx_media_text_cstr(text, "/>\n");
    }

    if (mpd->now >= 0) {
        ngx_media_text_cstr(text, "  <UTCTiming schemeIdUri=\""
                            "urn:mpeg:dash:utc:direct:2014\" value=\"");
        ngx_media_text_date(text, mpd->now);
        ngx_media_text_cstr(text, "\"/>\n");
    }
}


/* 5.3.2.2 */

static void
ngx_media_mpd_period(ngx_media_text_t *text,
    const ngx_media_mpd_period_t *period)
{
    ngx_uint_t  i;

    ngx_media_text_cstr(text, "  <Period");
    ngx_media_mpd_number(text, "id", period->id);
    ngx_media_mpd_msec(text, "start", period->start);

    if (period->duration >= 0) {
        ngx_media_mpd_msec(text, "duration", period->duration);
    }

    ngx_media_text_cstr(text, ">\n");

    for (i = 0; i < period->nsets; i++) {
        ngx_media_mpd_set(text, period, &period->sets[i]);
    }

    ngx_media_text_cstr(text, "  </Period>\n");
}


/* 5.3.3.2 */

static void
ngx_media_mpd_set(ngx_media_text_t *text,
    const ngx_media_mpd_period_t *period, const ngx_media_mpd_set_t *set)
{
    ngx_uint_t  i, type;

    type = (set->type <= NGX_MEDIA_MPD_IMAGE) ? set->type : NGX_MEDIA_TEXT;

    ngx_media_text_cstr(text, "    <AdaptationSet");
    ngx_media_mpd_number(text, "id", set->id);
    ngx_media_text_cstr(text, " contentType=\"");
    ngx_media_mpd_ascii(text, ngx_media_mpd_types[type].content);
    ngx_media_text_cstr(text, "\"");

    if (set->mime.len) {
        ngx_media_mpd_string(text, "mimeType", &set->mime);

    } else {
        ngx_media_text_cstr(text, " mimeType=\"");
        ngx_media_mpd_ascii(text, ngx_media_mpd_types[type].mime);
        ngx_media_text_cstr(text, "\"");
    }

    if (set->lang.len) {
        ngx_media_mpd_string(text, "lang", &set->lang);
    }

    if (ngx_media_mpd_plain(set)) {

        /* no segments, or only pictures: nothing is aligned */

    } else if (set->unaligned) {
        ngx_media_text_cstr(text, " segmentAlignment=\"false\"");

    } else {
        ngx_media_text_cstr(text, " segmentAlignment=\"true\"");
    }

    if (set->sap) {
        ngx_media_mpd_number(text, "startWithSAP", set->sap);
    }

    if (type == NGX_MEDIA_VIDEO) {
        ngx_media_mpd_set_video(text, set);
    }

    ngx_media_text_cstr(text, ">\n");

    ngx_media_mpd_set_properties(text, set);

    /* 5.3.2.4: same init segment, other time line */

    if (set->connectivity) {
        ngx_media_text_cstr(text, "      <SupplementalProperty schemeIdUri=\""
                            "urn:mpeg:dash:period-connectivity:2015\"");
        ngx_media_mpd_number(text, "value", period->prev_id);
        ngx_media_text_cstr(text, "/>\n");
    }

    if (set->inband.len) {
        ngx_media_text_cstr(text, "      <InbandEventStream");
        ngx_media_mpd_string(text, "schemeIdUri", &set->inband);
        ngx_media_text_cstr(text, "/>\n");
    }

    if (set->label.len) {
        ngx_media_text_cstr(text, "      <Label>");
        ngx_media_text_xml(text, &set->label);
        ngx_media_text_cstr(text, "</Label>\n");
    }

    ngx_media_mpd_captions(text, "urn:scte:dash:cc:cea-608:2015",
                           &set->captions);
    ngx_media_mpd_captions(text, "urn:scte:dash:cc:cea-708:2015",
                           &set->captions_708);

    if (set->role.len) {
        ngx_media_text_cstr(text, "      <Role schemeIdUri=\""
                            "urn:mpeg:dash:role:2011\"");
        ngx_media_mpd_string(text, "value", &set->role);
        ngx_media_text_cstr(text, "/>\n");
    }

    for (i = 0; i < set->nrepresentations; i++) {
        ngx_media_mpd_representation(text, set, &set->representations[i]);
    }

    ngx_media_text_cstr(text, "    </AdaptationSet>\n");
}


/* whether all of it is files or pictures, which are not aligned */

static ngx_uint_t
ngx_media_mpd_plain(const ngx_media_mpd_set_t *set)
{
    return set->type == NGX_MEDIA_MPD_IMAGE
           || (set->nrepresentations && set->representations[0].file.len);
}


/*
 * DASH-IF IOP: trick modes, 3.2.9; color, sets of other codecs to switch to.
 * What a player does not know as essential makes it ignore the whole set: so
 * is only what would be of no use to it.
 */

static void
ngx_media_mpd_set_properties(ngx_media_text_t *text,
    const ngx_media_mpd_set_t *set)
{
    ngx_uint_t  i;

    const struct {
        const char  *scheme;
        uint8_t      value;
    } colors[] = {
        { "ColourPrimaries", set->primaries },
        { "TransferCharacteristics", set->transfer },
        { "MatrixCoefficients", set->matrix }
    };

    if (set->trick) {
        ngx_media_text_cstr(text, "      <EssentialProperty schemeIdUri=\""
                            "http://dashif.org/guidelines/trickmode\"");
        ngx_media_mpd_number(text, "value", set->main);
        ngx_media_text_cstr(text, "/>\n");
    }

    if (set->transfer) {
        for (i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
            ngx_media_text_cstr(text, "      <SupplementalProperty"
                                " schemeIdUri=\"urn:mpeg:mpegB:cicp:");
            ngx_media_mpd_ascii(text, colors[i].scheme);
            ngx_media_text_cstr(text, "\"");
            ngx_media_mpd_number(text, "value", colors[i].value);
            ngx_media_text_cstr(text, "/>\n");
        }
    }

    if (set->switching.len) {
        ngx_media_text_cstr(text, "      <SupplementalProperty schemeIdUri=\""
                            "urn:mpeg:dash:adaptation-set-switching:2016\"");
        ngx_media_mpd_string(text, "value", &set->switching);
        ngx_media_text_cstr(text, "/>\n");
    }
}


/* SCTE 214-1, 7.2: captions in the video */

static void
ngx_media_mpd_captions(ngx_media_text_t *text, const char *scheme,
    const ngx_str_t *value)
{
    if (value->len == 0) {
        return;
    }

    ngx_media_text_cstr(text, "      <Accessibility schemeIdUri=\"");
    ngx_media_mpd_ascii(text, scheme);
    ngx_media_text_cstr(text, "\"");
    ngx_media_mpd_string(text, "value", value);
    ngx_media_text_cstr(text, "/>\n");
}


/* the largest of what is known; par only if it is that of all */

static void
ngx_media_mpd_set_video(ngx_media_text_t *text,
    const ngx_media_mpd_set_t *set)
{
    uint64_t                               den, gcd, num, par_den, par_num;
    ngx_uint_t                             i, same;
    ngx_media_mpd_max_t                    max;
    const ngx_media_mpd_representation_t  *rep;

    ngx_memzero(&max, sizeof(ngx_media_mpd_max_t));

    same = 1;
    par_num = 0;
    par_den = 0;

    for (i = 0; i < set->nrepresentations; i++) {
        rep = &set->representations[i];

        max.width = ngx_max(max.width, rep->width);
        max.height = ngx_max(max.height, rep->height);

        if (rep->fps_num && rep->fps_den
            && (max.fps_num == 0
                || (uint64_t) rep->fps_num * max.fps_den
                   > (uint64_t) max.fps_num * rep->fps_den))
        {
            max.fps_num = rep->fps_num;
            max.fps_den = rep->fps_den;
        }

        num = rep->width;
        den = rep->height;

        if (rep->sar_num && rep->sar_den) {
            num *= rep->sar_num;
            den *= rep->sar_den;
        }

        if (num == 0 || den == 0) {
            same = 0;
            continue;
        }

        gcd = ngx_media_mpd_gcd(num, den);
        num /= gcd;
        den /= gcd;

        if (par_num && (num != par_num || den != par_den)) {
            same = 0;
        }

        par_num = num;
        par_den = den;
    }

    if (max.width && max.height) {
        ngx_media_mpd_number(text, "maxWidth", max.width);
        ngx_media_mpd_number(text, "maxHeight", max.height);
    }

    if (max.fps_num) {
        ngx_media_mpd_rate(text, "maxFrameRate", max.fps_num, max.fps_den);
    }

    if (same && par_num) {
        ngx_media_mpd_ratio(text, "par", par_num, par_den);
    }
}


/* 5.3.5.2 */

static void
ngx_media_mpd_representation(ngx_media_text_t *text,
    const ngx_media_mpd_set_t *set,
    const ngx_media_mpd_representation_t *rep)
{
    ngx_media_text_cstr(text, "      <Representation");
    ngx_media_mpd_string(text, "id", &rep->track);
    ngx_media_mpd_number(text, "bandwidth", rep->bandwidth);

    if (rep->codecs.len) {
        ngx_media_mpd_string(text, "codecs", &rep->codecs);
    }

    if (rep->supplemental.len) {
        ngx_media_mpd_string(text, "scte214:supplementalCodecs",
                             &rep->supplemental);
    }

    if (rep->profiles.len) {
        ngx_media_mpd_string(text, "scte214:supplementalProfiles",
                             &rep->profiles);
    }

    if (set->type == NGX_MEDIA_VIDEO) {

        if (rep->width && rep->height) {
            ngx_media_mpd_number(text, "width", rep->width);
            ngx_media_mpd_number(text, "height", rep->height);

            if (rep->sar_num && rep->sar_den) {
                ngx_media_mpd_ratio(text, "sar", rep->sar_num, rep->sar_den);

            } else {
                ngx_media_text_cstr(text, " sar=\"1:1\"");
            }
        }

        if (rep->fps_num && rep->fps_den) {
            ngx_media_mpd_rate(text, "frameRate", rep->fps_num, rep->fps_den);
        }

    } else if (set->type == NGX_MEDIA_AUDIO && rep->sample_rate) {
        ngx_media_mpd_number(text, "audioSamplingRate", rep->sample_rate);

    } else if (set->type == NGX_MEDIA_MPD_IMAGE) {
        ngx_media_mpd_number(text, "width", rep->width);
        ngx_media_mpd_number(text, "height", rep->height);
    }

    if (set->trick) {

        if (rep->play_rate) {
            ngx_media_mpd_number(text, "maxPlayoutRate", rep->play_rate);
        }

        ngx_media_text_cstr(text, " codingDependency=\"false\"");
    }

    ngx_media_text_cstr(text, ">\n");

    if (set->type == NGX_MEDIA_AUDIO) {
        ngx_media_mpd_channels(text, rep);
    }

    if (set->type == NGX_MEDIA_MPD_IMAGE) {
        ngx_media_mpd_tiles(text, rep);

    } else if (rep->file.len) {
        ngx_media_text_cstr(text, "        <BaseURL>");
        ngx_media_text_xml(text, &rep->file);
        ngx_media_text_cstr(text, "</BaseURL>\n");

    } else if (rep->list) {
        ngx_media_mpd_list(text, rep);

    } else {
        ngx_media_mpd_template(text, rep);
    }

    ngx_media_text_cstr(text, "      </Representation>\n");
}


/* DASH-IF IOP, 6.2.6: pictures of many thumbnails, one each so long a time */

static void
ngx_media_mpd_tiles(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    ngx_media_text_cstr(text, "        <EssentialProperty schemeIdUri=\""
                        "http://dashif.org/guidelines/thumbnail_tile\""
                        " value=\"");
    ngx_media_text_u64(text, rep->tiles_x);
    ngx_media_text_cstr(text, "x");
    ngx_media_text_u64(text, rep->tiles_y);
    ngx_media_text_cstr(text, "\"/>\n        <SegmentTemplate");
    ngx_media_mpd_number(text, "timescale", rep->timescale);

    if (rep->offset) {
        ngx_media_mpd_number(text, "presentationTimeOffset", rep->offset);
    }

    ngx_media_mpd_number(text, "duration", rep->duration);
    ngx_media_text_cstr(text, " media=\"");
    ngx_media_mpd_name(text, rep);
    ngx_media_text_cstr(text, "$Number$.jpg\"");
    ngx_media_mpd_number(text, "startNumber", rep->number);
    ngx_media_text_cstr(text, "/>\n");
}


/*
 * 5.8.5.4.  The older scheme names the configurations of ISO/IEC 23003-3,
 * whose first six are as many channels; it is for tracks that tell only
 * their number.
 */

static void
ngx_media_mpd_channels(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    uint32_t  value;

    if (rep->channel_config) {
        ngx_media_text_cstr(text,
            "        <AudioChannelConfiguration schemeIdUri=\""
            "urn:mpeg:mpegB:cicp:ChannelConfiguration\"");
        value = rep->channel_config;

    } else if (rep->channels && rep->channels <= 6) {
        ngx_media_text_cstr(text,
            "        <AudioChannelConfiguration schemeIdUri=\""
            "urn:mpeg:dash:23003:3:audio_channel_configuration:2011\"");
        value = rep->channels;

    } else {
        return;
    }

    ngx_media_mpd_number(text, "value", value);
    ngx_media_text_cstr(text, "/>\n");
}


/* 5.3.9.4.2: $Number$ and $Time$ never in one template */

static void
ngx_media_mpd_template(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    ngx_media_text_cstr(text, "        <SegmentTemplate");
    ngx_media_mpd_number(text, "timescale", rep->timescale);

    if (rep->offset) {
        ngx_media_mpd_number(text, "presentationTimeOffset", rep->offset);
    }

    ngx_media_text_cstr(text, " initialization=\"");
    ngx_media_mpd_init(text, rep);
    ngx_media_text_cstr(text, "\" media=\"");
    ngx_media_mpd_name(text, rep);

    if (rep->by_time) {
        ngx_media_text_cstr(text, "t$Time$.m4s\"");

    } else {
        ngx_media_text_cstr(text, "$Number$.m4s\"");
        ngx_media_mpd_number(text, "startNumber", rep->number);
    }

    ngx_media_text_cstr(text, ">\n");

    ngx_media_mpd_timeline(text, rep);

    ngx_media_text_cstr(text, "        </SegmentTemplate>\n");
}


/* 5.3.9.3: all names, one by one */

static void
ngx_media_mpd_list(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    ngx_uint_t  i;

    ngx_media_text_cstr(text, "        <SegmentList");
    ngx_media_mpd_number(text, "timescale", rep->timescale);

    if (rep->offset) {
        ngx_media_mpd_number(text, "presentationTimeOffset", rep->offset);
    }

    ngx_media_text_cstr(text, ">\n          <Initialization sourceURL=\"");
    ngx_media_mpd_init(text, rep);
    ngx_media_text_cstr(text, "\"/>\n");

    ngx_media_mpd_timeline(text, rep);

    for (i = 0; i < rep->nsegments; i++) {
        ngx_media_text_cstr(text, "          <SegmentURL media=\"");
        ngx_media_mpd_name(text, rep);
        ngx_media_text_u64(text, rep->segments[i].number);
        ngx_media_text_cstr(text, ".m4s\"/>\n");
    }

    ngx_media_text_cstr(text, "        </SegmentList>\n");
}


static void
ngx_media_mpd_init(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    ngx_media_text_xml(text, rep->init_track.len ? &rep->init_track
                                                 : &rep->track);
    ngx_media_text_cstr(text, "/init-");
    ngx_media_text_hex64(text, rep->init);
    ngx_media_text_cstr(text, ".mp4");
}


/* of a segment, as far as it is the same for all */

static void
ngx_media_mpd_name(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    ngx_media_text_xml(text, &rep->track);
    ngx_media_text_cstr(text, "/");

    if (rep->tag.len) {
        ngx_media_text_xml(text, &rep->tag);
        ngx_media_text_cstr(text, "-");
    }
}


/* 5.3.9.6: S@r is the number of repeats, S@t is needed after a gap only */

static void
ngx_media_mpd_timeline(ngx_media_text_t *text,
    const ngx_media_mpd_representation_t *rep)
{
    uint64_t                        next;
    ngx_uint_t                      i, n;
    const ngx_media_mpd_segment_t  *segment;

    ngx_media_text_cstr(text, "          <SegmentTimeline>\n");

    next = 0;

    for (i = 0; i < rep->nsegments; i += n) {
        segment = &rep->segments[i];

        ngx_media_text_cstr(text, "            <S");

        if (i == 0 || segment->time != next) {
            ngx_media_mpd_number(text, "t", segment->time);
        }

        ngx_media_mpd_number(text, "d", segment->duration);

        next = segment->time + segment->duration;

        for (n = 1; i + n < rep->nsegments; n++) {

            if (segment[n].time != next
                || segment[n].duration != segment->duration)
            {
                break;
            }

            next += segment->duration;
        }

        if (n > 1) {
            ngx_media_mpd_number(text, "r", n - 1);
        }

        ngx_media_text_cstr(text, "/>\n");
    }

    ngx_media_text_cstr(text, "          </SegmentTimeline>\n");
}


/* at least 1 */

static uint64_t
ngx_media_mpd_gcd(uint64_t a, uint64_t b)
{
    uint64_t  rest;

    while (b) {
        rest = a % b;
        a = b;
        b = rest;
    }

    return a ? a : 1;
}
