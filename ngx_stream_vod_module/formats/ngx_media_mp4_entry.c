
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_desc.h"
#include "formats/ngx_media_mp4_entry.h"
#include "formats/ngx_media_record.h"


/* descriptors, ISO/IEC 14496-1, 7.2.2.1 */
#define NGX_MEDIA_MP4_ES_TAG        3
#define NGX_MEDIA_MP4_DECODER_TAG   4
#define NGX_MEDIA_MP4_SPECIFIC_TAG  5


/* what an entry may hold */

typedef struct {
    ngx_media_mp4_entry_t    *entry;
    ngx_media_span_t          record;
    ngx_media_span_t          text;           /* all of it */
    ngx_media_span_t          sinf;
} ngx_media_mp4_parts_t;


#define ngx_media_mp4_part(type, field)                                       \
    { type, 0, NULL, NULL, offsetof(ngx_media_mp4_parts_t, field) }

#define ngx_media_mp4_call(type, handler)                                     \
    { type, 0, handler, NULL, 0 }


static ngx_int_t ngx_media_mp4_entry_find(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, ngx_uint_t n,
    ngx_media_mp4_box_t *box);
static ngx_int_t ngx_media_mp4_entry_type(const ngx_media_mp4_track_t *track,
    uint32_t *type);
static ngx_int_t ngx_media_mp4_entry_visual(ngx_media_reader_t *r,
    ngx_media_mp4_entry_t *entry);
static ngx_int_t ngx_media_mp4_entry_audio(ngx_media_reader_t *r,
    ngx_media_mp4_entry_t *entry, ngx_uint_t version);
static ngx_int_t ngx_media_mp4_entry_boxes(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, const ngx_media_mp4_box_t *box,
    const ngx_media_span_t *boxes, const ngx_media_codec_t *codec,
    ngx_media_mp4_parts_t *parts);
static const ngx_media_codec_t *ngx_media_mp4_entry_format(uint32_t format);
static const ngx_media_codec_t *ngx_media_mp4_entry_object(uint32_t type);
static void ngx_media_mp4_entry_codec(ngx_media_mp4_entry_t *entry,
    ngx_media_mp4_parts_t *parts, const ngx_media_codec_t *codec);
static ngx_int_t ngx_media_mp4_entry_external(
    const ngx_media_mp4_track_t *track, uint32_t index);
static ngx_int_t ngx_media_mp4_entry_wave(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_entry_esds(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_entry_desc(ngx_media_reader_t *r, uint32_t tag,
    ngx_media_reader_t *body);
static ngx_int_t ngx_media_mp4_entry_btrt(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_entry_pasp(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_entry_colr(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_entry_dovi(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_params_sample(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, const ngx_media_codec_t *codec,
    const ngx_media_span_t *sample);
static void ngx_media_mp4_params_visual(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, const ngx_media_mp4_track_t *track);
static ngx_uint_t ngx_media_mp4_params_cropped(uint32_t coded, uint32_t said);


/* beside the record of the codec at hand */

static const ngx_media_mp4_table_t  ngx_media_mp4_parts[] = {
    ngx_media_mp4_part(ngx_media_fourcc('s', 'i', 'n', 'f'), sinf),
    ngx_media_mp4_call(ngx_media_fourcc('w', 'a', 'v', 'e'),
                       ngx_media_mp4_entry_wave),
    ngx_media_mp4_call(ngx_media_fourcc('e', 's', 'd', 's'),
                       ngx_media_mp4_entry_esds),
    ngx_media_mp4_call(ngx_media_fourcc('b', 't', 'r', 't'),
                       ngx_media_mp4_entry_btrt),
    ngx_media_mp4_call(ngx_media_fourcc('p', 'a', 's', 'p'),
                       ngx_media_mp4_entry_pasp),
    ngx_media_mp4_call(ngx_media_fourcc('c', 'o', 'l', 'r'),
                       ngx_media_mp4_entry_colr),
    ngx_media_mp4_call(ngx_media_fourcc('d', 'v', 'c', 'C'),
                       ngx_media_mp4_entry_dovi),
    ngx_media_mp4_call(ngx_media_fourcc('d', 'v', 'v', 'C'),
                       ngx_media_mp4_entry_dovi),
    ngx_media_mp4_call(ngx_media_fourcc('d', 'v', 'w', 'C'),
                       ngx_media_mp4_entry_dovi)
};

#define NGX_MEDIA_MP4_PARTS                                                  \
    (sizeof(ngx_media_mp4_parts) / sizeof(ngx_media_mp4_parts[0]))


/* the same in QuickTime's wave box, which may hold anything beside it */

static const ngx_media_mp4_table_t  ngx_media_mp4_wave[] = {
    ngx_media_mp4_call(ngx_media_fourcc('e', 's', 'd', 's'),
                       ngx_media_mp4_entry_esds),
    { 0, 0, NULL, NULL, 0 }
};


/* what is in files and is no codec of ours: all of it is the record */

static const uint32_t  ngx_media_mp4_texts[] = {
    NGX_MEDIA_CODEC_TX3G, NGX_MEDIA_CODEC_STPP
};


ngx_int_t
ngx_media_mp4_entry(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, ngx_uint_t n,
    ngx_media_mp4_entry_t *entry)
{
    uint32_t                  reference;
    ngx_int_t                 rc;
    ngx_uint_t                version;
    ngx_media_span_t          boxes;
    ngx_media_reader_t        r;
    ngx_media_mp4_box_t       box;
    ngx_media_mp4_parts_t     parts;
    const ngx_media_codec_t  *codec;

    ngx_memzero(entry, sizeof(ngx_media_mp4_entry_t));
    ngx_memzero(&parts, sizeof(ngx_media_mp4_parts_t));

    parts.entry = entry;

    rc = ngx_media_mp4_entry_find(moov, track, n, &box);

    if (rc != NGX_OK) {
        return rc;
    }

    version = track->stsd.pos[0];
    entry->format = box.type;

    if (ngx_media_mp4_entry_type(track, &entry->type) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_media_reader_init(&r, box.body.pos, box.body.last);

    (void) ngx_media_read_bytes(&r, 6);

    reference = ngx_media_read_be16(&r);

    parts.text.pos = r.pos;
    parts.text.last = r.last;

    if (entry->type == NGX_MEDIA_VIDEO) {
        rc = ngx_media_mp4_entry_visual(&r, entry);

    } else if (entry->type == NGX_MEDIA_AUDIO) {
        rc = ngx_media_mp4_entry_audio(&r, entry, version);
    }

    if (rc != NGX_OK || r.err) {
        return ngx_media_mp4_moov_fail(moov, track, box.type, box.body.pos,
                                       "is too short");
    }

    codec = ngx_media_mp4_entry_format(box.type);

    boxes.pos = r.pos;
    boxes.last = r.last;

    if ((entry->type != NGX_MEDIA_TEXT
         || (codec && codec->type == NGX_MEDIA_TEXT))
        && ngx_media_mp4_entry_boxes(moov, track, &box, &boxes, codec, &parts)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_media_mp4_entry_codec(entry, &parts, codec);

    if (ngx_media_mp4_entry_external(track, reference) != NGX_OK) {
        entry->external = 1;
    }

    return (entry->encrypted || entry->external) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_media_mp4_entry_find(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, ngx_uint_t n,
    ngx_media_mp4_box_t *box)
{
    ngx_int_t              rc;
    ngx_media_mp4_iter_t   iter;

    if (track->stsd.pos == NULL) {
        return ngx_media_mp4_moov_fail(moov, track,
                                       ngx_media_fourcc('s', 't', 's', 'd'),
                                       NULL, "is missing");
    }

    if (ngx_media_span_len(&track->stsd) < 8) {
        return ngx_media_mp4_moov_fail(moov, track,
                                       ngx_media_fourcc('s', 't', 's', 'd'),
                                       track->stsd.pos, "is too short");
    }

    if (n == 0 || n > ngx_media_get_be32(track->stsd.pos + 4)) {
        return NGX_DONE;
    }

    iter.pos = track->stsd.pos + 8;
    iter.last = track->stsd.last;
    iter.offset = 0;

    do {
        rc = ngx_media_mp4_box_next(&iter, box);

        if (rc != NGX_OK) {
            return ngx_media_mp4_moov_fail(moov, track,
                                           ngx_media_fourcc('s', 't', 's',
                                                            'd'),
                                           iter.pos, (rc == NGX_DONE)
                                           ? "has fewer entries than it says"
                                           : "a box in it has a wrong size");
        }

    } while (--n);

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_entry_type(const ngx_media_mp4_track_t *track, uint32_t *type)
{
    switch (track->handler) {

    case ngx_media_fourcc('v', 'i', 'd', 'e'):
        *type = NGX_MEDIA_VIDEO;
        return NGX_OK;

    case ngx_media_fourcc('s', 'o', 'u', 'n'):
        *type = NGX_MEDIA_AUDIO;
        return NGX_OK;

    case ngx_media_fourcc('t', 'e', 'x', 't'):
    case ngx_media_fourcc('s', 'b', 't', 'l'):
    case ngx_media_fourcc('s', 'u', 'b', 't'):
        *type = NGX_MEDIA_TEXT;
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


/* 12.1.3 */

static ngx_int_t
ngx_media_mp4_entry_visual(ngx_media_reader_t *r,
    ngx_media_mp4_entry_t *entry)
{
    (void) ngx_media_read_bytes(r, 16);

    entry->width = ngx_media_read_be16(r);
    entry->height = ngx_media_read_be16(r);

    (void) ngx_media_read_bytes(r, 50);

    return r->err ? NGX_ERROR : NGX_OK;
}


/*
 * 12.2.3; QuickTime's sound descriptions of versions 1 and 2 are longer, and
 * only in an stsd of version 0
 */

static ngx_int_t
ngx_media_mp4_entry_audio(ngx_media_reader_t *r, ngx_media_mp4_entry_t *entry,
    ngx_uint_t version)
{
    double        rate;
    uint32_t      form;
    const u_char *p;

    form = ngx_media_read_be16(r);

    (void) ngx_media_read_bytes(r, 6);

    entry->channels = ngx_media_read_be16(r);

    (void) ngx_media_read_bytes(r, 6);

    entry->sample_rate = ngx_media_read_be32(r) >> 16;

    if (version != 0 || form == 0) {
        return r->err ? NGX_ERROR : NGX_OK;
    }

    if (form == 1) {
        (void) ngx_media_read_bytes(r, 16);
        return r->err ? NGX_ERROR : NGX_OK;
    }

    (void) ngx_media_read_be32(r);

    p = ngx_media_read_bytes(r, 8);
    entry->channels = ngx_media_read_be32(r);

    (void) ngx_media_read_bytes(r, 20);

    if (r->err) {
        return NGX_ERROR;
    }

    rate = ngx_media_get_double(p);
    entry->sample_rate = (rate >= 1 && rate < 1e7) ? (uint32_t) rate : 0;

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_entry_boxes(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, const ngx_media_mp4_box_t *box,
    const ngx_media_span_t *boxes, const ngx_media_codec_t *codec,
    ngx_media_mp4_parts_t *parts)
{
    ngx_media_mp4_walk_t    walk;
    ngx_media_mp4_table_t  *record, table[NGX_MEDIA_MP4_PARTS + 2];

    /* as an error of stsd it names the box and all above it */

    (void) ngx_media_mp4_moov_fail(moov, track, box->type, box->body.pos,
                                   NULL);

    walk.start = moov->start;
    walk.offset = moov->offset;
    walk.error = moov->error;
    walk.data = NULL;
    walk.depth = moov->error->depth;
    ngx_memcpy(walk.path, moov->error->path, sizeof(walk.path));

    ngx_memzero(table, sizeof(table));
    ngx_memcpy(table, ngx_media_mp4_parts, sizeof(ngx_media_mp4_parts));

    record = &table[NGX_MEDIA_MP4_PARTS];
    record->type = codec ? codec->mp4.record : 0;
    record->offset = offsetof(ngx_media_mp4_parts_t, record);

    return ngx_media_mp4_walk(&walk, boxes, table, parts);
}


static const ngx_media_codec_t *
ngx_media_mp4_entry_format(uint32_t format)
{
    ngx_uint_t                i, n;
    const ngx_media_codec_t  *codec;

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        for (n = 0; n < NGX_MEDIA_MP4_ENTRIES; n++) {
            if (codec->mp4.entries[n] && codec->mp4.entries[n] == format) {
                return codec;
            }
        }
    }

    return NULL;
}


static const ngx_media_codec_t *
ngx_media_mp4_entry_object(uint32_t type)
{
    ngx_uint_t                i, n;
    const ngx_media_codec_t  *codec;

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        for (n = 0; n < NGX_MEDIA_MP4_ENTRIES; n++) {
            if (codec->mp4.objects[n] && codec->mp4.objects[n] == type) {
                return codec;
            }
        }
    }

    return NULL;
}


static void
ngx_media_mp4_entry_codec(ngx_media_mp4_entry_t *entry,
    ngx_media_mp4_parts_t *parts, const ngx_media_codec_t *codec)
{
    ngx_uint_t  i;

    if (parts->sinf.pos != NULL
        || entry->format == ngx_media_fourcc('e', 'n', 'c', 'v')
        || entry->format == ngx_media_fourcc('e', 'n', 'c', 'a'))
    {
        entry->encrypted = 1;
        return;
    }

    /* its record is in esds */

    if (entry->format == ngx_media_fourcc('m', 'p', '4', 'a')) {
        codec = ngx_media_mp4_entry_object(entry->object_type);
        entry->codec = codec ? codec->id : 0;
        return;
    }

    if (codec) {
        entry->codec = codec->id;
        entry->config = parts->record;
        return;
    }

    for (i = 0; i < sizeof(ngx_media_mp4_texts) / sizeof(uint32_t); i++) {
        if (ngx_media_mp4_texts[i] == entry->format) {
            entry->codec = entry->format;
            entry->config = parts->text;
        }
    }
}


/* 8.7.2; NGX_DECLINED: not in this file */

static ngx_int_t
ngx_media_mp4_entry_external(const ngx_media_mp4_track_t *track,
    uint32_t index)
{
    ngx_media_mp4_box_t   box;
    ngx_media_mp4_iter_t  iter;

    if (ngx_media_span_len(&track->dref) < 8 || index == 0) {
        return NGX_OK;
    }

    iter.pos = track->dref.pos + 8;
    iter.last = track->dref.last;
    iter.offset = 0;

    do {
        if (ngx_media_mp4_box_next(&iter, &box) != NGX_OK) {
            return NGX_OK;
        }

    } while (--index);

    if (ngx_media_span_len(&box.body) < 4) {
        return NGX_OK;
    }

    return (box.body.pos[3] & 1) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_mp4_entry_wave(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    return ngx_media_mp4_walk(walk, &box->body, ngx_media_mp4_wave, dst);
}


/* ISO/IEC 14496-14, 6.7.2; the descriptors: 14496-1, 7.2.6.5 to 7.2.6.7 */

static ngx_int_t
ngx_media_mp4_entry_esds(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_parts_t *parts = dst;

    uint32_t                flags;
    ngx_media_reader_t      decoder, es, r, specific;
    ngx_media_mp4_entry_t  *entry;

    entry = parts->entry;

    if (entry->object_type) {
        return NGX_OK;
    }

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    (void) ngx_media_read_be32(&r);

    if (ngx_media_mp4_entry_desc(&r, NGX_MEDIA_MP4_ES_TAG, &es) != NGX_OK) {
        return ngx_media_mp4_fail(walk, box->body.pos, "has no ES descriptor");
    }

    (void) ngx_media_read_be16(&es);

    flags = ngx_media_read_8(&es);

    if (flags & 0x80) {
        (void) ngx_media_read_be16(&es);
    }

    if (flags & 0x40) {
        (void) ngx_media_read_bytes(&es, ngx_media_read_8(&es));
    }

    if (flags & 0x20) {
        (void) ngx_media_read_be16(&es);
    }

    if (ngx_media_mp4_entry_desc(&es, NGX_MEDIA_MP4_DECODER_TAG, &decoder)
        != NGX_OK)
    {
        return ngx_media_mp4_fail(walk, box->body.pos,
                                  "has no decoder descriptor");
    }

    entry->object_type = ngx_media_read_8(&decoder);

    (void) ngx_media_read_be32(&decoder);

    entry->max_bitrate = ngx_media_read_be32(&decoder);
    entry->avg_bitrate = ngx_media_read_be32(&decoder);

    if (decoder.err) {
        return ngx_media_mp4_fail(walk, box->body.pos,
                                  "has a short decoder descriptor");
    }

    if (ngx_media_mp4_entry_desc(&decoder, NGX_MEDIA_MP4_SPECIFIC_TAG,
                                 &specific)
        == NGX_OK)
    {
        entry->config.pos = specific.pos;
        entry->config.last = specific.last;
    }

    return NGX_OK;
}


/*
 * The first descriptor with this tag, ISO/IEC 14496-1, 8.3.3; one that is
 * longer than what it is in ends with it, as some writers have it
 */

static ngx_int_t
ngx_media_mp4_entry_desc(ngx_media_reader_t *r, uint32_t tag,
    ngx_media_reader_t *body)
{
    uint32_t          byte, got, size;
    ngx_uint_t        i;
    ngx_media_span_t  span;

    while (ngx_media_reader_left(r)) {
        got = ngx_media_read_8(r);
        size = 0;

        for (i = 0; i < 4; i++) {
            byte = ngx_media_read_8(r);
            size = size << 7 | (byte & 0x7f);

            if ((byte & 0x80) == 0) {
                break;
            }
        }

        if (r->err) {
            break;
        }

        ngx_media_read_span(r, ngx_min(size, ngx_media_reader_left(r)),
                            &span);

        if (got == tag) {
            ngx_media_reader_init(body, span.pos, span.last);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* 8.5.2 */

static ngx_int_t
ngx_media_mp4_entry_btrt(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_parts_t *parts = dst;

    if (ngx_media_span_len(&box->body) >= 12) {
        parts->entry->max_bitrate = ngx_media_get_be32(box->body.pos + 4);
        parts->entry->avg_bitrate = ngx_media_get_be32(box->body.pos + 8);
    }

    return NGX_OK;
}


/* 12.1.4 */

static ngx_int_t
ngx_media_mp4_entry_pasp(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_parts_t *parts = dst;

    uint32_t  den, num;

    if (ngx_media_span_len(&box->body) < 8) {
        return NGX_OK;
    }

    num = ngx_media_get_be32(box->body.pos);
    den = ngx_media_get_be32(box->body.pos + 4);

    if (num && den) {
        parts->entry->sar_num = num;
        parts->entry->sar_den = den;
    }

    return NGX_OK;
}


/* 12.1.5; nclc is QuickTime's, without a range */

static ngx_int_t
ngx_media_mp4_entry_colr(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_parts_t *parts = dst;

    uint32_t                type;
    ngx_media_reader_t      r;
    ngx_media_mp4_entry_t  *entry;

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    type = ngx_media_read_be32(&r);
    entry = parts->entry;

    if (entry->color
        || (type != ngx_media_fourcc('n', 'c', 'l', 'x')
            && type != ngx_media_fourcc('n', 'c', 'l', 'c')))
    {
        return NGX_OK;
    }

    entry->primaries = ngx_media_read_be16(&r);
    entry->transfer = ngx_media_read_be16(&r);
    entry->matrix = ngx_media_read_be16(&r);
    entry->color = !r.err;

    if (type == ngx_media_fourcc('n', 'c', 'l', 'x')) {
        entry->full_range = ngx_media_read_8(&r) >> 7;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_entry_dovi(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_parts_t *parts = dst;

    if (parts->entry->dovi.pos == NULL) {
        parts->entry->dovi = box->body;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_params(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, const ngx_media_mp4_entry_t *entry,
    const ngx_media_span_t *sample, ngx_media_params_t *params)
{
    ngx_int_t                 rc;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(entry->codec);

    if (codec == NULL || codec->type != entry->type) {
        return NGX_DECLINED;
    }

    if (codec->assume && codec->mp4.record == 0) {
        rc = codec->assume(params, entry->sample_rate, entry->channels);

    } else if (entry->config.pos == NULL) {
        rc = NGX_ERROR;

    } else if (ngx_media_record_is_partial(codec->units, &entry->config)) {
        rc = ngx_media_mp4_params_sample(params, entry, codec, sample);

    } else {
        rc = codec->config(params, entry->config.pos, entry->config.last);
    }

    if (rc == NGX_ERROR) {
        return ngx_media_mp4_moov_fail(moov, track, entry->format,
                                       entry->config.pos, entry->config.pos
                                       ? "has a wrong decoder configuration"
                                       : "has no decoder configuration");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    params->timescale = track->timescale;

    if (entry->type == NGX_MEDIA_VIDEO) {
        ngx_media_mp4_params_visual(params, entry, track);

        if (params->width == 0 || params->height == 0) {
            return ngx_media_mp4_moov_fail(moov, track, entry->format,
                                           track->stsd.pos, "has no size");
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_params_sample(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, const ngx_media_codec_t *codec,
    const ngx_media_span_t *sample)
{
    size_t  len;
    u_char  record[NGX_MEDIA_CONFIG_MAX];

    if (sample == NULL
        || ngx_media_record_complete(codec->units, &entry->config, sample,
                                     record, &len)
           != NGX_OK
        || codec->config(params, record, record + len) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/*
 * What the container says of the shape wins, 12.1.4; of the size, too, where
 * an encoder left it to the container to crop its last macroblocks.  What it
 * says of color only fills up what the stream does not say.
 */

static void
ngx_media_mp4_params_visual(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, const ngx_media_mp4_track_t *track)
{
    if (params->width == 0 || params->height == 0
        || (track->width && track->height
            && ngx_media_mp4_params_cropped(params->width, entry->width)
            && ngx_media_mp4_params_cropped(params->height, entry->height)))
    {
        params->width = entry->width;
        params->height = entry->height;
    }

    if (entry->sar_num) {
        params->sar_num = entry->sar_num;
        params->sar_den = entry->sar_den;
    }

    if (!entry->color) {
        return;
    }

    /* 2: unspecified */

    if (params->primaries == 0 || params->primaries == 2) {
        params->primaries = entry->primaries;
    }

    if (params->transfer == 0 || params->transfer == 2) {
        params->transfer = entry->transfer;
        params->full_range |= entry->full_range;
    }

    if (params->matrix == 0 || params->matrix == 2) {
        params->matrix = entry->matrix;
    }
}


/* of macroblocks of 16 nothing but a part of the last is cropped */

static ngx_uint_t
ngx_media_mp4_params_cropped(uint32_t coded, uint32_t said)
{
    return said && said <= coded && (said + 15) / 16 == (coded + 15) / 16;
}
