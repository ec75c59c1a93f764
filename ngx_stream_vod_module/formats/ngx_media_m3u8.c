
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Playlists as draft-pantos-hls-rfc8216bis describes them; clauses below are
 * of revision 22.  A line that was published once must not change later
 * (6.2.1), so a segment prints the same whatever stands around it: durations
 * are rounded one by one, and only EXT-X-MAP depends on the segment before.
 */


#include "formats/ngx_media_m3u8.h"
#include "formats/ngx_media_text.h"


static void ngx_media_m3u8_header(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view, ngx_uint_t skip);
static ngx_uint_t ngx_media_m3u8_version(const ngx_media_m3u8_media_t *view,
    ngx_uint_t skip);
static void ngx_media_m3u8_control(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view);
static void ngx_media_m3u8_segment(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view, ngx_uint_t i, ngx_uint_t first);
static void ngx_media_m3u8_name(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view, uint64_t number);
static void ngx_media_m3u8_part(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view,
    const ngx_media_m3u8_segment_t *segment, ngx_uint_t n);
static void ngx_media_m3u8_hint(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view);
static void ngx_media_m3u8_report(ngx_media_text_t *text,
    const ngx_media_m3u8_report_t *report);
static ngx_uint_t ngx_media_m3u8_multi_version(
    const ngx_media_m3u8_multi_t *view);
static void ngx_media_m3u8_rendition(ngx_media_text_t *text,
    const ngx_media_m3u8_multi_t *view,
    const ngx_media_m3u8_rendition_t *rendition);
static void ngx_media_m3u8_variant(ngx_media_text_t *text,
    const ngx_media_m3u8_multi_t *view,
    const ngx_media_m3u8_variant_t *variant);
static void ngx_media_m3u8_picture(ngx_media_text_t *text,
    const ngx_media_m3u8_variant_t *variant);
static void ngx_media_m3u8_iframes(ngx_media_text_t *text,
    const ngx_media_m3u8_multi_t *view,
    const ngx_media_m3u8_variant_t *variant);
static void ngx_media_m3u8_attr(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value);


/* by ngx_media_m3u8_container_e */

static const ngx_str_t  ngx_media_m3u8_exts[] = {
    ngx_string(".m4s"),
    ngx_string(".ts"),
    ngx_string(".vtt"),
    ngx_string(".ts.vtt")
};


/* by ngx_media_m3u8_rendition_e */

static const ngx_str_t  ngx_media_m3u8_types[] = {
    ngx_string("AUDIO"),
    ngx_string("SUBTITLES"),
    ngx_string("CLOSED-CAPTIONS")
};


size_t
ngx_media_m3u8_write_media(u_char *p, size_t size,
    const ngx_media_m3u8_media_t *view)
{
    ngx_uint_t        i, skip;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, p, size);

    /*
     * 6.2.5.1: no delta update without CAN-SKIP-UNTIL or after the end; at
     * least one segment has to remain for a client to join on
     */

    skip = view->skip;

    if (view->can_skip == 0 || view->end || skip >= view->nsegments) {
        skip = 0;
    }

    ngx_media_m3u8_header(&text, view, skip);

    for (i = skip; i < view->nsegments; i++) {
        ngx_media_m3u8_segment(&text, view, i, skip);
    }

    if (view->end) {
        ngx_media_text_cstr(&text, "#EXT-X-ENDLIST\n");
        return text.total;
    }

    /* 4.4.5.3: an ended playlist has no hint */

    if (view->hint && view->part_target && !view->iframes
        && view->container == NGX_MEDIA_M3U8_CMAF)
    {
        ngx_media_m3u8_hint(&text, view);
    }

    for (i = 0; i < view->nreports; i++) {
        ngx_media_m3u8_report(&text, &view->reports[i]);
    }

    return text.total;
}


static void
ngx_media_m3u8_header(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view, ngx_uint_t skip)
{
    uint64_t  number;

    ngx_media_text_cstr(text, "#EXTM3U\n#EXT-X-VERSION:");

    ngx_media_text_u64(text, ngx_media_m3u8_version(view, skip));

    if (view->iframes) {
        ngx_media_text_cstr(text, "\n#EXT-X-I-FRAMES-ONLY");

    } else if (view->independent) {
        ngx_media_text_cstr(text, "\n#EXT-X-INDEPENDENT-SEGMENTS");
    }

    ngx_media_text_cstr(text, "\n#EXT-X-TARGETDURATION:");
    ngx_media_text_u64(text, view->target);
    ngx_media_text_cstr(text, "\n");

    ngx_media_m3u8_control(text, view);

    /* 4.4.2.2 */

    if (view->starts) {
        ngx_media_text_cstr(text, "#EXT-X-START:TIME-OFFSET=");
        ngx_media_text_decimal(text, view->start, 1000, 3,
                               NGX_MEDIA_TEXT_DOWN);
        ngx_media_text_cstr(text, ",PRECISE=YES\n");
    }

    if (view->part_target && !view->iframes
        && view->container == NGX_MEDIA_M3U8_CMAF)
    {
        ngx_media_text_cstr(text, "#EXT-X-PART-INF:PART-TARGET=");
        ngx_media_text_decimal(text, view->part_target, 10000, 4,
                               NGX_MEDIA_TEXT_DOWN);
        ngx_media_text_cstr(text, "\n");
    }

    /* 4.4.5.2: both numbers are those of the full playlist */

    number = view->nsegments ? view->segments[0].number : view->hint_msn;

    ngx_media_text_cstr(text, "#EXT-X-MEDIA-SEQUENCE:");
    ngx_media_text_u64(text, number);
    ngx_media_text_cstr(text, "\n#EXT-X-DISCONTINUITY-SEQUENCE:");
    ngx_media_text_u64(text, view->discontinuity);
    ngx_media_text_cstr(text, "\n");

    if (view->vod) {
        ngx_media_text_cstr(text, "#EXT-X-PLAYLIST-TYPE:VOD\n");

    } else if (view->event) {
        ngx_media_text_cstr(text, "#EXT-X-PLAYLIST-TYPE:EVENT\n");
    }

    if (skip) {
        ngx_media_text_cstr(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS=");
        ngx_media_text_u64(text, skip);
        ngx_media_text_cstr(text, "\n");
    }
}


/*
 * 8: EXT-X-MAP asks for 6, of I-frames 5; BYTERANGE for 4, fractions in
 * EXTINF for 3; EXT-X-SKIP for 9.  EXT-X-GAP is not among them, but Apple's
 * table of versions has it in 8: who does not know it asks for what is not
 * there.
 */

static ngx_uint_t
ngx_media_m3u8_version(const ngx_media_m3u8_media_t *view, ngx_uint_t skip)
{
    ngx_uint_t  i;

    if (skip) {
        return 9;
    }

    for (i = 0; i < view->nsegments; i++) {
        if (view->segments[i].gap) {
            return 8;
        }
    }

    if (view->container == NGX_MEDIA_M3U8_CMAF) {
        return view->iframes ? 5 : 6;
    }

    return view->iframes ? 4 : 3;
}


/* 4.4.3.8: the attributes have to be the same in all renditions (6.2.4) */

static void
ngx_media_m3u8_control(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view)
{
    ngx_uint_t  i, n;

    const struct {
        const char  *name;
        size_t       len;
        uint32_t     msec;
    } attrs[] = {
#define ngx_media_m3u8_msec(name, msec)  { name, sizeof(name) - 1, msec }
        ngx_media_m3u8_msec("CAN-SKIP-UNTIL=", view->can_skip),
        ngx_media_m3u8_msec("HOLD-BACK=", view->hold_back),
        ngx_media_m3u8_msec("PART-HOLD-BACK=",
                            view->part_target ? view->part_hold_back : 0)
    };

    n = 0;

    if (view->block) {
        ngx_media_text_cstr(text,
                            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES");
        n++;
    }

    for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {

        if (attrs[i].msec == 0) {
            continue;
        }

        if (n++ == 0) {
            ngx_media_text_cstr(text, "#EXT-X-SERVER-CONTROL:");

        } else {
            ngx_media_text_cstr(text, ",");
        }

        ngx_media_text_data(text, attrs[i].name, attrs[i].len);
        ngx_media_text_decimal(text, attrs[i].msec, 1000, 3,
                               NGX_MEDIA_TEXT_DOWN);
    }

    if (n) {
        ngx_media_text_cstr(text, "\n");
    }
}


static void
ngx_media_m3u8_segment(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view, ngx_uint_t i, ngx_uint_t first)
{
    ngx_uint_t                       n, nparts;
    const ngx_str_t                 *ext;
    const ngx_media_m3u8_segment_t  *segment;

    segment = &view->segments[i];

    nparts = 0;

    if (view->part_target && !view->iframes
        && view->container == NGX_MEDIA_M3U8_CMAF)
    {
        nparts = segment->nparts;
    }

    if (segment->open && (nparts == 0 || view->end)) {
        return;
    }

    /* 4.4.4.9: DISCONTINUITY, MAP and date-time come before the first part */

    if (segment->discontinuity) {
        ngx_media_text_cstr(text, "#EXT-X-DISCONTINUITY\n");
    }

    if (view->container == NGX_MEDIA_M3U8_CMAF
        && (i == first
            || segment->discontinuity
            || segment->init != view->segments[i - 1].init))
    {
        ngx_media_text_cstr(text, "#EXT-X-MAP:URI=\"");
        ngx_media_text_str(text, view->init_track.len ? &view->init_track
                                                      : &view->track);
        ngx_media_text_cstr(text, "/init-");
        ngx_media_text_hex64(text, segment->init);
        ngx_media_text_cstr(text, ".mp4\"\n");
    }

    if (segment->pdt >= 0) {
        ngx_media_text_cstr(text, "#EXT-X-PROGRAM-DATE-TIME:");
        ngx_media_text_date(text, segment->pdt);
        ngx_media_text_cstr(text, "\n");
    }

    /* 6.2.1: the parts of a gap are gaps; it is told before them */

    if (segment->gap || (view->iframes && segment->key_size == 0)) {
        ngx_media_text_cstr(text, "#EXT-X-GAP\n");
    }

    for (n = 0; n < nparts; n++) {
        ngx_media_m3u8_part(text, view, segment, n);
    }

    if (segment->open) {
        return;
    }

    /* 4.4.4.1: nearest, so that errors do not add up over a window */

    ngx_media_text_cstr(text, "#EXTINF:");
    ngx_media_text_decimal(text, segment->duration, view->timescale, 5,
                           NGX_MEDIA_TEXT_HALF_UP);
    ngx_media_text_cstr(text, ",\n");

    /*
     * 4.4.4.2: the chunk's header and its first sample; of a transport stream
     * without the tables before it, 4.4.3.6
     */

    if (view->iframes && !view->whole && segment->key_size && !segment->gap) {
        ngx_media_text_cstr(text, "#EXT-X-BYTERANGE:");
        ngx_media_text_u64(text, segment->key_size);
        ngx_media_text_cstr(text, "@");
        ngx_media_text_u64(text, segment->key_offset);
        ngx_media_text_cstr(text, "\n");
    }

    ngx_media_m3u8_name(text, view, segment->number);

    ext = &ngx_media_m3u8_exts[ngx_min(view->container,
                                        NGX_MEDIA_M3U8_TS_VTT)];

    ngx_media_text_str(text, ext);
    ngx_media_text_cstr(text, "\n");
}


/* the URI of a segment without its extension */

static void
ngx_media_m3u8_name(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view, uint64_t number)
{
    ngx_media_text_str(text, &view->track);
    ngx_media_text_cstr(text, "/");

    if (view->tag.len) {
        ngx_media_text_str(text, &view->tag);
        ngx_media_text_cstr(text, "-");
    }

    ngx_media_text_u64(text, number);
}


static void
ngx_media_m3u8_part(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view,
    const ngx_media_m3u8_segment_t *segment, ngx_uint_t n)
{
    const ngx_media_m3u8_part_t  *part;

    part = &segment->parts[n];

    /* 4.4.4.9: never above PART-TARGET, not by rounding either */

    ngx_media_text_cstr(text, "#EXT-X-PART:DURATION=");
    ngx_media_text_decimal(text, part->duration, view->timescale, 5,
                           NGX_MEDIA_TEXT_DOWN);
    ngx_media_text_cstr(text, ",URI=\"");
    ngx_media_m3u8_name(text, view, segment->number);
    ngx_media_text_cstr(text, ".");
    ngx_media_text_u64(text, n);
    ngx_media_text_cstr(text, ".m4s\"");

    if (part->gap || segment->gap) {
        ngx_media_text_cstr(text, ",GAP=YES");

    } else if (part->independent) {
        ngx_media_text_cstr(text, ",INDEPENDENT=YES");
    }

    ngx_media_text_cstr(text, "\n");
}


/* 4.4.5.3: the URI is that of the later EXT-X-PART to the letter */

static void
ngx_media_m3u8_hint(ngx_media_text_t *text,
    const ngx_media_m3u8_media_t *view)
{
    ngx_media_text_cstr(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
    ngx_media_m3u8_name(text, view, view->hint_msn);
    ngx_media_text_cstr(text, ".");
    ngx_media_text_u64(text, view->hint_part);
    ngx_media_text_cstr(text, ".m4s\"\n");
}


/* 4.4.5.4 */

static void
ngx_media_m3u8_report(ngx_media_text_t *text,
    const ngx_media_m3u8_report_t *report)
{
    ngx_media_text_cstr(text, "#EXT-X-RENDITION-REPORT:URI=\"");
    ngx_media_text_str(text, &report->track);
    ngx_media_text_cstr(text, ".m3u8\",LAST-MSN=");
    ngx_media_text_u64(text, report->msn);

    if (report->parts) {
        ngx_media_text_cstr(text, ",LAST-PART=");
        ngx_media_text_u64(text, report->part);
    }

    ngx_media_text_cstr(text, "\n");
}


size_t
ngx_media_m3u8_write_multi(u_char *p, size_t size,
    const ngx_media_m3u8_multi_t *view)
{
    ngx_uint_t        i;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, p, size);

    ngx_media_text_cstr(&text, "#EXTM3U\n");

    if (view->nrenditions) {
        ngx_media_text_cstr(&text, "#EXT-X-VERSION:");
        ngx_media_text_u64(&text, ngx_media_m3u8_multi_version(view));
        ngx_media_text_cstr(&text, "\n");
    }

    if (view->independent) {
        ngx_media_text_cstr(&text, "#EXT-X-INDEPENDENT-SEGMENTS\n");
    }

    for (i = 0; i < view->nrenditions; i++) {
        ngx_media_m3u8_rendition(&text, view, &view->renditions[i]);
    }

    for (i = 0; i < view->nvariants; i++) {
        ngx_media_m3u8_variant(&text, view, &view->variants[i]);
    }

    for (i = 0; i < view->niframes; i++) {
        ngx_media_m3u8_iframes(&text, view, &view->iframes[i]);
    }

    return text.total;
}


/*
 * 8: nothing here needs more than 1, and 4 is what it suggests for MEDIA;
 * but for captions of CEA-708, "SERVICE1"
 */

static ngx_uint_t
ngx_media_m3u8_multi_version(const ngx_media_m3u8_multi_t *view)
{
    ngx_uint_t                         i;
    const ngx_media_m3u8_rendition_t  *rendition;

    for (i = 0; i < view->nrenditions; i++) {
        rendition = &view->renditions[i];

        if (rendition->type == NGX_MEDIA_M3U8_CAPTIONS
            && rendition->instream.len && rendition->instream.data[0] == 'S')
        {
            return 7;
        }
    }

    return 4;
}


/* 4.4.6.1 */

static void
ngx_media_m3u8_rendition(ngx_media_text_t *text,
    const ngx_media_m3u8_multi_t *view,
    const ngx_media_m3u8_rendition_t *rendition)
{
    ngx_uint_t  type;

    type = ngx_min(rendition->type, NGX_MEDIA_M3U8_CAPTIONS);

    ngx_media_text_cstr(text, "#EXT-X-MEDIA:TYPE=");
    ngx_media_text_str(text, &ngx_media_m3u8_types[type]);
    ngx_media_m3u8_attr(text, "GROUP-ID", &rendition->group);
    ngx_media_m3u8_attr(text, "NAME",
                        rendition->name.len ? &rendition->name
                                            : &rendition->track);
    ngx_media_text_cstr(text, ",LANGUAGE=\"");

    if (rendition->lang.len) {
        ngx_media_text_quoted(text, &rendition->lang);

    } else {
        ngx_media_text_cstr(text, "und");
    }

    ngx_media_text_cstr(text, "\"");

    if (rendition->is_default) {
        ngx_media_text_cstr(text, ",DEFAULT=YES");
    }

    if (rendition->is_default || !rendition->manual) {
        ngx_media_text_cstr(text, ",AUTOSELECT=YES");
    }

    if (rendition->forced && type == NGX_MEDIA_M3U8_SUBTITLES) {
        ngx_media_text_cstr(text, ",FORCED=YES");
    }

    if (rendition->characteristics.len) {
        ngx_media_m3u8_attr(text, "CHARACTERISTICS",
                            &rendition->characteristics);
    }

    if (rendition->channels) {
        ngx_media_text_cstr(text, ",CHANNELS=\"");
        ngx_media_text_u64(text, rendition->channels);
        ngx_media_text_cstr(text, "\"");
    }

    if (type == NGX_MEDIA_M3U8_CAPTIONS) {
        ngx_media_m3u8_attr(text, "INSTREAM-ID", &rendition->instream);

    } else if (!rendition->muxed) {
        ngx_media_text_cstr(text, ",URI=\"");
        ngx_media_text_str(text, &rendition->track);

        /* text, too: the times that it refers to are other ones */

        if (view->ts) {
            ngx_media_text_cstr(text, ".ts");
        }

        ngx_media_text_cstr(text, ".m3u8\"");
    }

    ngx_media_text_cstr(text, "\n");
}


static void
ngx_media_m3u8_attr(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value)
{
    ngx_media_text_cstr(text, ",");
    ngx_media_text_data(text, name, ngx_strlen(name));
    ngx_media_text_cstr(text, "=\"");
    ngx_media_text_quoted(text, value);
    ngx_media_text_cstr(text, "\"");
}


/* 4.4.6.2 */

static void
ngx_media_m3u8_variant(ngx_media_text_t *text,
    const ngx_media_m3u8_multi_t *view,
    const ngx_media_m3u8_variant_t *variant)
{
    ngx_media_text_cstr(text, "#EXT-X-STREAM-INF:BANDWIDTH=");
    ngx_media_text_u64(text, variant->bandwidth);

    if (variant->average) {
        ngx_media_text_cstr(text, ",AVERAGE-BANDWIDTH=");
        ngx_media_text_u64(text, variant->average);
    }

    ngx_media_m3u8_picture(text, variant);

    if (variant->fps) {
        ngx_media_text_cstr(text, ",FRAME-RATE=");
        ngx_media_text_decimal(text, variant->fps, 1000, 3,
                               NGX_MEDIA_TEXT_DOWN);
    }

    if (variant->audio.len) {
        ngx_media_m3u8_attr(text, "AUDIO", &variant->audio);
    }

    if (variant->subtitles.len) {
        ngx_media_m3u8_attr(text, "SUBTITLES", &variant->subtitles);
    }

    if (variant->captions.len == 4
        && ngx_strncmp(variant->captions.data, "NONE", 4) == 0)
    {
        ngx_media_text_cstr(text, ",CLOSED-CAPTIONS=NONE");

    } else if (variant->captions.len) {
        ngx_media_m3u8_attr(text, "CLOSED-CAPTIONS", &variant->captions);
    }

    ngx_media_text_cstr(text, "\n");
    ngx_media_text_str(text, &variant->track);

    if (view->ts) {
        ngx_media_text_cstr(text, ".ts");
    }

    ngx_media_text_cstr(text, ".m3u8\n");
}


/* what a variant says of its video */

static void
ngx_media_m3u8_picture(ngx_media_text_t *text,
    const ngx_media_m3u8_variant_t *variant)
{
    if (variant->codecs.len) {
        ngx_media_m3u8_attr(text, "CODECS", &variant->codecs);
    }

    if (variant->supplemental.len) {
        ngx_media_m3u8_attr(text, "SUPPLEMENTAL-CODECS",
                            &variant->supplemental);
    }

    if (variant->width && variant->height) {
        ngx_media_text_cstr(text, ",RESOLUTION=");
        ngx_media_text_u64(text, variant->width);
        ngx_media_text_cstr(text, "x");
        ngx_media_text_u64(text, variant->height);
    }

    /* an enumerated-string: not quoted */

    if (variant->range.len) {
        ngx_media_text_cstr(text, ",VIDEO-RANGE=");
        ngx_media_text_str(text, &variant->range);
    }
}


/* 4.4.6.3: no FRAME-RATE, no groups */

static void
ngx_media_m3u8_iframes(ngx_media_text_t *text,
    const ngx_media_m3u8_multi_t *view,
    const ngx_media_m3u8_variant_t *variant)
{
    ngx_media_text_cstr(text, "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=");
    ngx_media_text_u64(text, variant->bandwidth);

    ngx_media_m3u8_picture(text, variant);

    ngx_media_text_cstr(text, ",URI=\"");
    ngx_media_text_str(text, &variant->track);

    if (view->ts) {
        ngx_media_text_cstr(text, ".ts");
    }

    ngx_media_text_cstr(text, ".iframes.m3u8\"\n");
}
