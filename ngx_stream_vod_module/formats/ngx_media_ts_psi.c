
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_ts_psi.h"


/* before and behind what a section holds: up to last_section_number, CRC_32 */
#define NGX_MEDIA_TS_SECTION_HEAD  8
#define NGX_MEDIA_TS_SECTION_CRC   4

/* no table_id_extension and no more: private sections */
#define NGX_MEDIA_TS_SECTION_BARE  3

#define NGX_MEDIA_TS_ID_ID3        ngx_media_fourcc('I', 'D', '3', ' ')
#define NGX_MEDIA_TS_ID_KLV        ngx_media_fourcc('K', 'L', 'V', 'A')


/* what descriptors say of a stream */

typedef struct {
    const ngx_media_codec_t  *tagged;         /* by a descriptor of DVB */
    uint32_t                  metadata;       /* metadata_format_identifier */
} ngx_media_ts_said_t;


static ngx_int_t ngx_media_ts_section(ngx_media_reader_t *r,
    ngx_uint_t table, const u_char *pos, const u_char *last);
static void ngx_media_ts_descriptors(ngx_media_ts_stream_t *stream,
    ngx_media_ts_said_t *said, const ngx_media_span_t *info);
static void ngx_media_ts_descriptor(ngx_media_ts_stream_t *stream,
    ngx_media_ts_said_t *said, ngx_uint_t tag, ngx_media_reader_t *r);
static void ngx_media_ts_language(ngx_media_ts_stream_t *stream,
    ngx_media_reader_t *r);
static uint32_t ngx_media_ts_metadata(ngx_media_reader_t *r);
static void ngx_media_ts_resolve(ngx_media_ts_stream_t *stream,
    const ngx_media_ts_said_t *said);
static const ngx_media_codec_t *ngx_media_ts_codec_type(ngx_uint_t type);
static const ngx_media_codec_t *ngx_media_ts_codec_tag(ngx_uint_t tag);
static const ngx_media_codec_t *ngx_media_ts_codec_format(uint32_t format);


/* 2.4.4.11: 12 bits, of which private sections may use 4093 */

size_t
ngx_media_ts_section_size(const u_char *pos)
{
    size_t  size;

    size = NGX_MEDIA_TS_SECTION_BARE
           + (ngx_media_get_be16(pos + 1) & 0x0fff);

    return size <= NGX_MEDIA_TS_SECTION_MAX ? size : 0;
}


/* 2.4.4.3, 2.4.4.8: the head that both tables have */

static ngx_int_t
ngx_media_ts_section(ngx_media_reader_t *r, ngx_uint_t table,
    const u_char *pos, const u_char *last)
{
    if (last - pos < NGX_MEDIA_TS_SECTION_HEAD + NGX_MEDIA_TS_SECTION_CRC
        || ngx_media_ts_section_size(pos) != (size_t) (last - pos)
        || ngx_media_crc32_mpeg(pos, last) != 0)
    {
        return NGX_ERROR;
    }

    if (pos[0] != table || !(pos[1] & 0x80) || !(pos[5] & 1)) {
        return NGX_DECLINED;
    }

    ngx_media_reader_init(r, pos + NGX_MEDIA_TS_SECTION_HEAD,
                          last - NGX_MEDIA_TS_SECTION_CRC);

    return NGX_OK;
}


ngx_int_t
ngx_media_ts_pat_parse(ngx_media_span_t *programs, const u_char *pos,
    const u_char *last)
{
    ngx_int_t           rc;
    ngx_media_reader_t  r;

    rc = ngx_media_ts_section(&r, NGX_MEDIA_TS_TABLE_PAT, pos, last);

    if (rc == NGX_OK) {
        programs->pos = r.pos;
        programs->last = r.last;
    }

    return rc;
}


ngx_int_t
ngx_media_ts_pat_next(ngx_media_span_t *programs, ngx_uint_t *number,
    ngx_uint_t *pid)
{
    while (ngx_media_span_len(programs) >= 4) {
        *number = ngx_media_get_be16(programs->pos);
        *pid = ngx_media_get_be16(programs->pos + 2) & 0x1fff;

        programs->pos += 4;

        if (*number != 0) {
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


ngx_int_t
ngx_media_ts_pmt_parse(ngx_media_ts_pmt_t *pmt, const u_char *pos,
    const u_char *last)
{
    ngx_int_t           rc;
    ngx_media_reader_t  r;

    rc = ngx_media_ts_section(&r, NGX_MEDIA_TS_TABLE_PMT, pos, last);

    if (rc != NGX_OK) {
        return rc;
    }

    pmt->number = ngx_media_get_be16(pos + 3);
    pmt->pcr_pid = ngx_media_read_be16(&r) & 0x1fff;

    ngx_media_read_span(&r, ngx_media_read_be16(&r) & 0x0fff, &pmt->info);

    if (r.err) {
        return NGX_ERROR;
    }

    pmt->streams.pos = r.pos;
    pmt->streams.last = r.last;

    return NGX_OK;
}


ngx_int_t
ngx_media_ts_pmt_next(ngx_media_ts_pmt_t *pmt, ngx_media_ts_stream_t *stream)
{
    ngx_media_span_t     info;
    ngx_media_reader_t   r;
    ngx_media_ts_said_t  said;

    if (pmt->streams.pos == pmt->streams.last) {
        return NGX_DONE;
    }

    ngx_memzero(stream, sizeof(ngx_media_ts_stream_t));
    ngx_memzero(&said, sizeof(ngx_media_ts_said_t));

    ngx_media_reader_init(&r, pmt->streams.pos, pmt->streams.last);

    stream->stream_type = (uint8_t) ngx_media_read_8(&r);
    stream->pid = ngx_media_read_be16(&r) & 0x1fff;
    stream->channels = NGX_MEDIA_TS_NO_CHANNELS;

    ngx_media_read_span(&r, ngx_media_read_be16(&r) & 0x0fff, &info);

    if (r.err) {
        pmt->streams.pos = pmt->streams.last;
        return NGX_ERROR;
    }

    pmt->streams.pos = r.pos;

    ngx_media_ts_descriptors(stream, &said, &info);
    ngx_media_ts_resolve(stream, &said);

    return NGX_OK;
}


/* what is cut off, or wrong in itself, says nothing; the others do */

static void
ngx_media_ts_descriptors(ngx_media_ts_stream_t *stream,
    ngx_media_ts_said_t *said, const ngx_media_span_t *info)
{
    ngx_uint_t          tag;
    ngx_media_span_t    body;
    ngx_media_reader_t  r, one;

    ngx_media_reader_init(&r, info->pos, info->last);

    while (r.pos < r.last) {
        tag = ngx_media_read_8(&r);
        ngx_media_read_span(&r, ngx_media_read_8(&r), &body);

        if (r.err) {
            return;
        }

        ngx_media_reader_init(&one, body.pos, body.last);
        ngx_media_ts_descriptor(stream, said, tag, &one);
    }
}


static void
ngx_media_ts_descriptor(ngx_media_ts_stream_t *stream,
    ngx_media_ts_said_t *said, ngx_uint_t tag, ngx_media_reader_t *r)
{
    uint32_t                  n;
    const ngx_media_codec_t  *codec;

    switch (tag) {

    case NGX_MEDIA_TS_REGISTRATION:
        n = ngx_media_read_be32(r);

        if (!r->err && stream->registration == 0) {
            stream->registration = n;
        }

        return;

    case NGX_MEDIA_TS_LANGUAGE:
        ngx_media_ts_language(stream, r);
        return;

    case NGX_MEDIA_TS_METADATA_DESC:
        said->metadata = ngx_media_ts_metadata(r);
        return;

    case NGX_MEDIA_TS_DVB_EXTENSION:

        /* "Opus in MPEG-TS", 4.3: of channels and how they are coupled */

        if (ngx_media_read_8(r) == NGX_MEDIA_TS_DVB_OPUS) {
            n = ngx_media_read_8(r);
            stream->channels = (uint8_t) (r->err ? NGX_MEDIA_TS_NO_CHANNELS
                                                 : n);
        }

        return;

    default:
        codec = ngx_media_ts_codec_tag(tag);

        if (codec != NULL) {
            said->tagged = codec;
        }
    }
}


/* 2.6.18: three letters; of several languages the first */

static void
ngx_media_ts_language(ngx_media_ts_stream_t *stream, ngx_media_reader_t *r)
{
    u_char         ch;
    ngx_uint_t     i;
    const u_char  *p;

    p = ngx_media_read_bytes(r, 4);

    if (p == NULL || stream->language[0] != '\0') {
        return;
    }

    stream->audio_type = p[3];

    for (i = 0; i < 3; i++) {
        ch = ngx_tolower(p[i]);

        if (ch < 'a' || ch > 'z') {
            return;
        }
    }

    for (i = 0; i < 3; i++) {
        stream->language[i] = ngx_tolower(p[i]);
    }
}


/* 2.6.60; 0: none that has four letters */

static uint32_t
ngx_media_ts_metadata(ngx_media_reader_t *r)
{
    uint32_t  id;

    if (ngx_media_read_be16(r) == 0xffff) {
        (void) ngx_media_read_be32(r);
    }

    if (ngx_media_read_8(r) != 0xff) {
        return 0;
    }

    id = ngx_media_read_be32(r);

    return r->err ? 0 : id;
}


static void
ngx_media_ts_resolve(ngx_media_ts_stream_t *stream,
    const ngx_media_ts_said_t *said)
{
    const ngx_media_codec_t  *codec;

    switch (stream->stream_type) {

    case NGX_MEDIA_TS_PRIVATE:

        if (stream->registration == NGX_MEDIA_TS_ID_KLV) {
            stream->as = NGX_MEDIA_TS_AS_KLV;
            return;
        }

        codec = ngx_media_ts_codec_format(stream->registration);

        if (codec == NULL) {
            codec = said->tagged;
        }

        break;

    case NGX_MEDIA_TS_METADATA:

        stream->as = (said->metadata == NGX_MEDIA_TS_ID_KLV
                      || stream->registration == NGX_MEDIA_TS_ID_KLV)
                     ? NGX_MEDIA_TS_AS_KLV : NGX_MEDIA_TS_AS_ID3;
        return;

    case NGX_MEDIA_TS_SCTE35:

        stream->as = NGX_MEDIA_TS_AS_SCTE35;
        return;

    case NGX_MEDIA_TS_LATM:

        stream->codec = ngx_media_ts_codec_type(NGX_MEDIA_TS_ADTS);
        stream->as = NGX_MEDIA_TS_AS_LATM;
        return;

    default:
        codec = ngx_media_ts_codec_type(stream->stream_type);
    }

    if (codec != NULL) {
        stream->codec = codec;
        stream->as = NGX_MEDIA_TS_AS_FRAMES;
    }
}


static const ngx_media_codec_t *
ngx_media_ts_codec_type(ngx_uint_t type)
{
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;

    if (type == 0) {
        return NULL;
    }

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        if (codec->ts.stream_type == type || codec->ts.half_type == type) {
            return codec;
        }
    }

    return NULL;
}


static const ngx_media_codec_t *
ngx_media_ts_codec_tag(ngx_uint_t tag)
{
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        if (tag != 0 && codec->ts.tag == tag) {
            return codec;
        }
    }

    return NULL;
}


static const ngx_media_codec_t *
ngx_media_ts_codec_format(uint32_t format)
{
    ngx_uint_t                i;
    const ngx_media_codec_t  *codec;

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        if (format != 0 && codec->ts.format == format) {
            return codec;
        }
    }

    return NULL;
}
