
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_index_mp4.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_entry.h"
#include "formats/ngx_media_text.h"

#include <stdio.h>
#include <strings.h>


/* displayFlags of tx3g: all samples are forced, QuickTime, "Subtitle" */
#define NGX_MEDIA_VOD_TX3G_FORCED  0x80000000


typedef struct {
    const char               *value;
    uint32_t                  type;           /* ngx_media_type_e */
    unsigned                  forced:1;
    unsigned                  sdh:1;
    unsigned                  described:1;
} ngx_media_vod_role_t;


static ngx_uint_t ngx_media_vod_mp4_entries(ngx_media_vod_blob_track_t *t,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track);
static ngx_int_t ngx_media_vod_mp4_params(ngx_media_vod_blob_track_t *t,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track,
    const ngx_media_mp4_entry_t *entry, const ngx_media_span_t *sample,
    ngx_media_params_t *params);
static void ngx_media_vod_mp4_codec(ngx_media_vod_blob_track_t *t,
    const ngx_media_mp4_entry_t *entry, const char *what);
static void ngx_media_vod_mp4_dovi(ngx_media_vod_blob_track_t *t,
    const ngx_media_mp4_entry_t *entry);
static void ngx_media_vod_mp4_names(ngx_media_vod_track_t *dst,
    const ngx_media_mp4_track_t *track);
static ngx_uint_t ngx_media_vod_mp4_is_name(const ngx_media_span_t *span);
static void ngx_media_vod_mp4_role(ngx_media_vod_track_t *dst,
    const ngx_media_span_t *kind);


/* ISO/IEC 23009-1, 5.8.5.5; what "main" and others say is not of use */

static const ngx_media_vod_role_t  ngx_media_vod_roles[] = {
    { "forced-subtitle", NGX_MEDIA_TEXT, 1, 0, 0 },
    { "forced_subtitle", NGX_MEDIA_TEXT, 1, 0, 0 },
    { "caption", NGX_MEDIA_TEXT, 0, 1, 0 },
    { "description", NGX_MEDIA_AUDIO, 0, 0, 1 },
    { "enhanced-audio-intelligibility", NGX_MEDIA_AUDIO, 0, 1, 0 },
    { NULL, 0, 0, 0, 0 }
};


/* what programs write where the name of a track could be, anywhere in it */

static const char  *const ngx_media_vod_programs[] = {
    "handle", "media", "gpac", "l-smash", "bento4", "lavf", "isom", "mp4",
    "mpeg", "concept", "google", "youtube", "apple", "encoder", "muxer",
    "packager", "shaka", "usp ", "video track", "sound track", "audio track",
    "avc", "hevc", "aac", "copyright", "(c)", NULL
};


ngx_media_vod_blob_track_t *
ngx_media_vod_mp4_track(ngx_media_vod_blob_t *blob,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track)
{
    ngx_media_type_e             type;
    ngx_media_vod_blob_track_t  *t;

    switch (track->handler) {

    case ngx_media_fourcc('v', 'i', 'd', 'e'):
        type = NGX_MEDIA_VIDEO;
        break;

    case ngx_media_fourcc('s', 'o', 'u', 'n'):
        type = NGX_MEDIA_AUDIO;
        break;

    case ngx_media_fourcc('t', 'e', 'x', 't'):
    case ngx_media_fourcc('s', 'b', 't', 'l'):
    case ngx_media_fourcc('s', 'u', 'b', 't'):
        type = NGX_MEDIA_TEXT;
        break;

    default:
        return NULL;
    }

    if (track->chapters) {
        return NULL;
    }

    t = ngx_media_vod_blob_track(blob, type, track->timescale);

    if (t == NULL) {
        return NULL;
    }

    (void) snprintf((char *) t->name, sizeof(t->name), "moov/trak[%u]",
                    (unsigned) track->number);

    t->track.rotation = (type == NGX_MEDIA_VIDEO) ? track->rotation : 0;
    t->track.is_default = track->enabled;

    ngx_media_vod_mp4_names(&t->track, track);
    ngx_media_vod_mp4_role(&t->track, &track->kind);

    if (!ngx_media_vod_mp4_entries(t, moov, track)) {
        t->drop = 1;
        return NULL;
    }

    return t;
}


/* how many of its descriptions are served, as far as is known here */

static ngx_uint_t
ngx_media_vod_mp4_entries(ngx_media_vod_blob_track_t *t,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track)
{
    ngx_int_t               rc;
    ngx_uint_t              n, served;
    ngx_media_params_t     *params;
    ngx_media_mp4_entry_t   entry;

    served = 0;

    for (n = 1; /* void */ ; n++) {
        rc = ngx_media_mp4_entry(moov, track, n, &entry);

        if (rc == NGX_DONE) {
            break;
        }

        params = ngx_media_vod_blob_params(t);

        if (params == NULL) {
            break;
        }

        if (rc == NGX_ERROR) {
            ngx_media_vod_mp4_note(t->blob, moov->error);

            if (entry.format == 0) {
                break;                        /* no entry at all */
            }

            continue;
        }

        if (rc == NGX_DECLINED) {
            ngx_media_vod_mp4_codec(t, &entry, entry.encrypted
                                    ? "is encrypted" : "is in another file");
            continue;
        }

        rc = ngx_media_vod_mp4_params(t, moov, track, &entry, NULL, params);

        if (rc == NGX_OK) {
            served++;
            continue;
        }

        ngx_memzero(params, sizeof(ngx_media_params_t));

        if (rc == NGX_AGAIN) {
            t->pending |= (uint32_t) 1 << (n - 1);
            served++;

        } else if (rc == NGX_ERROR) {
            ngx_media_vod_mp4_note(t->blob, moov->error);

        } else if (t->blob->index->foreign
                   && t->blob->index->foreign(params, &entry,
                                              track->timescale)
                      == NGX_OK)
        {
            params->rotation = t->track.rotation;
            served++;

        } else {
            ngx_memzero(params, sizeof(ngx_media_params_t));
            ngx_media_vod_mp4_codec(t, &entry, "is not supported");
        }
    }

    return served;
}


ngx_int_t
ngx_media_vod_mp4_complete(ngx_media_vod_blob_track_t *t,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track,
    uint32_t description, const ngx_media_span_t *sample)
{
    ngx_int_t               rc;
    ngx_media_params_t     *params;
    ngx_media_mp4_entry_t   entry;

    params = &t->params[description - 1];

    if (ngx_media_mp4_entry(moov, track, description, &entry) != NGX_OK) {
        return NGX_DECLINED;                  /* it was there */
    }

    rc = ngx_media_vod_mp4_params(t, moov, track, &entry, sample, params);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    t->pending &= ~((uint32_t) 1 << (description - 1));

    if (rc == NGX_ERROR) {
        ngx_memzero(params, sizeof(ngx_media_params_t));
        ngx_media_vod_mp4_note(t->blob, moov->error);
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_mp4_params(ngx_media_vod_blob_track_t *t,
    ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track,
    const ngx_media_mp4_entry_t *entry, const ngx_media_span_t *sample,
    ngx_media_params_t *params)
{
    ngx_int_t  rc;

    /* not in the codec table: it is never sent, but made into WebVTT */

    if (entry->codec == NGX_MEDIA_CODEC_TX3G
        && entry->type == NGX_MEDIA_TEXT)
    {
        params->codec = NGX_MEDIA_CODEC_TX3G;
        params->type = NGX_MEDIA_TEXT;
        params->timescale = track->timescale;

        if (ngx_media_span_len(&entry->config) >= 4
            && (ngx_media_get_be32(entry->config.pos)
                & NGX_MEDIA_VOD_TX3G_FORCED))
        {
            t->track.forced = 1;
        }

        return NGX_OK;
    }

    rc = ngx_media_mp4_params(moov, track, entry, sample, params);

    if (rc != NGX_OK) {
        return rc;
    }

    params->rotation = t->track.rotation;

    if (params->sample_rate && params->sample_rate != params->timescale) {
        params->frame_samples = (uint32_t)
                                ((uint64_t) params->frame_samples
                                 * params->timescale / params->sample_rate);
    }

    if (entry->dovi.pos && t->track.supplemental[0] == '\0') {
        ngx_media_vod_mp4_dovi(t, entry);
    }

    return NGX_OK;
}


static void
ngx_media_vod_mp4_codec(ngx_media_vod_blob_track_t *t,
    const ngx_media_mp4_entry_t *entry, const char *what)
{
    u_char    name[5];
    uint32_t  ch;
    size_t    i;

    for (i = 0; i < 4; i++) {
        ch = entry->format >> (24 - 8 * i) & 0xff;
        name[i] = (ch < 0x20 || ch > 0x7e) ? '.' : ch;
    }

    name[4] = '\0';

    ngx_media_vod_blob_note(t->blob, "%s: codec \"%s\" %s", t->name, name,
                            what);
}


/*
 * DOVIDecoderConfigurationRecord, Dolby Vision Streams Within the ISO Base
 * Media File Format, 3.2.  A base layer that plays without it is named in
 * CODECS, Dolby Vision in SUPPLEMENTAL-CODECS, RFC 8216bis, 4.4.6.2; what the
 * base layer is, is told by a brand.
 */

static void
ngx_media_vod_mp4_dovi(ngx_media_vod_blob_track_t *t,
    const ngx_media_mp4_entry_t *entry)
{
    uint32_t                  level, n, profile;
    const char               *brand;
    const ngx_media_codec_t  *codec;

    if (ngx_media_span_len(&entry->dovi) < 5) {
        return;
    }

    n = ngx_media_get_be16(entry->dovi.pos + 2);
    profile = n >> 9;
    level = n >> 3 & 0x3f;

    codec = ngx_media_codec_find(entry->codec);

    if (codec == NULL || codec->mp4.dovi == NULL) {
        return;
    }

    switch (entry->dovi.pos[4] >> 4) {

    case 0:
        ngx_media_vod_blob_note(t->blob, "%s: Dolby Vision, profile %u, no"
                                " other player will show its colors",
                                t->name, (unsigned) profile);
        return;

    case 1:                                   /* HDR10 */
        brand = "db1p";
        break;

    case 2:                                   /* SDR, BT.709 */
        brand = "db2g";
        break;

    case 4:                                   /* HLG */
        brand = "db4h";
        break;

    default:
        return;
    }

    (void) snprintf((char *) t->track.supplemental,
                    sizeof(t->track.supplemental), "%s.%02u.%02u",
                    codec->mp4.dovi, (unsigned) profile, (unsigned) level);

    (void) snprintf((char *) t->track.brands, sizeof(t->track.brands), "%s",
                    brand);
}


static void
ngx_media_vod_mp4_names(ngx_media_vod_track_t *dst,
    const ngx_media_mp4_track_t *track)
{
    if (track->elng.pos) {
        ngx_media_lang(dst->lang, track->elng.pos,
                                ngx_media_span_len(&track->elng));
    }

    if (dst->lang[0] == '\0') {
        ngx_media_lang(dst->lang, track->language, 3);
    }

    if (track->name.pos) {
        ngx_media_label(dst->label, track->name.pos,
                                 ngx_media_span_len(&track->name));
    }

    if (dst->label[0] == '\0' && track->handler_name.pos
        && ngx_media_vod_mp4_is_name(&track->handler_name))
    {
        ngx_media_label(dst->label, track->handler_name.pos,
                                 ngx_media_span_len(&track->handler_name));
    }
}


static ngx_uint_t
ngx_media_vod_mp4_is_name(const ngx_media_span_t *span)
{
    size_t         len;
    ngx_uint_t     i;
    const u_char  *p;

    for (i = 0; ngx_media_vod_programs[i]; i++) {
        len = ngx_strlen(ngx_media_vod_programs[i]);

        for (p = span->pos; (size_t) (span->last - p) >= len; p++) {

            if (strncasecmp((char *) p, ngx_media_vod_programs[i], len)
                == 0)
            {
                return 0;
            }
        }
    }

    return 1;
}


static void
ngx_media_vod_mp4_role(ngx_media_vod_track_t *dst,
    const ngx_media_span_t *kind)
{
    size_t                       len;
    const u_char                *p;
    const ngx_media_vod_role_t  *role;

    static const u_char  scheme[] = "urn:mpeg:dash:role:2011";

    if (ngx_media_span_len(kind) <= sizeof(scheme)
        || ngx_memcmp(kind->pos, scheme, sizeof(scheme)) != 0)
    {
        return;
    }

    p = kind->pos + sizeof(scheme);
    len = kind->last - p;

    if (p[len - 1] == '\0') {
        len--;
    }

    for (role = ngx_media_vod_roles; role->value; role++) {

        if (role->type == dst->type && ngx_strlen(role->value) == len
            && ngx_memcmp(role->value, p, len) == 0)
        {
            dst->forced |= role->forced;
            dst->sdh |= role->sdh;
            dst->described |= role->described;
        }
    }
}


void
ngx_media_vod_mp4_defaults(ngx_media_vod_blob_t *blob)
{
    ngx_uint_t                   found, i;
    ngx_media_vod_blob_track_t  *t;

    found = 0;

    for (i = 0; i < blob->ntracks; i++) {
        t = blob->tracks[i];

        if (t->drop || !t->track.is_default) {
            continue;
        }

        t->track.is_default = !(found >> t->track.type & 1);
        found |= (ngx_uint_t) 1 << t->track.type;
    }
}


void
ngx_media_vod_mp4_note(ngx_media_vod_blob_t *blob,
    const ngx_media_mp4_error_t *error)
{
    u_char            line[NGX_MEDIA_VOD_ERROR];
    ngx_media_text_t  text;

    ngx_media_text_init(&text, line, sizeof(line) - 1);
    ngx_media_mp4_error_text(&text, error);
    *text.pos = '\0';

    ngx_media_vod_blob_note(blob, "%s", line);
}
