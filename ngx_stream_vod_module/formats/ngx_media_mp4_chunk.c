
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_chunk.h"
#include "formats/ngx_media_mp4_fields.h"


/* no part has so many; a count without bytes behind it costs only time */
#define NGX_MEDIA_MP4_SAMPLES_MAX  65536


static ngx_int_t ngx_media_mp4_chunk_box(ngx_media_reader_t *r,
    uint32_t *type, ngx_media_reader_t *box);
static ngx_int_t ngx_media_mp4_chunk_child(ngx_media_reader_t *r,
    uint32_t type, ngx_media_reader_t *box);
static ngx_int_t ngx_media_mp4_chunk_moof(ngx_media_mp4_reader_t *reader,
    ngx_media_reader_t *moof, uint32_t *offset);
static ngx_int_t ngx_media_mp4_chunk_tfhd(ngx_media_mp4_reader_t *reader,
    ngx_media_reader_t *tfhd);
static ngx_int_t ngx_media_mp4_chunk_trun(ngx_media_mp4_reader_t *reader,
    ngx_media_reader_t *trun, uint32_t *offset);


ngx_int_t
ngx_media_mp4_chunk_open(ngx_media_mp4_reader_t *reader, const u_char *pos,
    const u_char *last)
{
    uint32_t             offset, type;
    ngx_int_t            rc;
    const u_char        *start;
    ngx_media_reader_t   box, r;

    ngx_memzero(reader, sizeof(ngx_media_mp4_reader_t));
    ngx_media_reader_init(&r, pos, last);

    do {
        start = r.pos;
        rc = ngx_media_mp4_chunk_box(&r, &type, &box);

        if (rc != NGX_OK) {
            return rc;
        }

    } while (type != ngx_media_fourcc('m', 'o', 'o', 'f'));

    if (ngx_media_mp4_chunk_moof(reader, &box, &offset) != NGX_OK
        || ngx_media_mp4_chunk_child(&r, ngx_media_fourcc('m', 'd', 'a', 't'),
                                     &box)
           != NGX_OK
        || offset != (size_t) (box.pos - start))
    {
        return NGX_ERROR;
    }

    reader->data = box.pos;
    reader->last = box.last;

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_chunk_next(ngx_media_mp4_reader_t *reader,
    ngx_media_mp4_frame_t *frame)
{
    uint32_t             flags;
    const u_char        *p;
    ngx_media_sample_t  *sample;

    if (reader->left == 0) {
        return NGX_DONE;
    }

    p = reader->entry;
    sample = &frame->sample;

    sample->duration = reader->duration;
    sample->size = reader->size;
    sample->cto = 0;
    flags = reader->first;

    if (reader->trun & NGX_MEDIA_MP4_TRUN_DURATION) {
        sample->duration = ngx_media_get_be32(p);
        p += 4;
    }

    if (reader->trun & NGX_MEDIA_MP4_TRUN_SIZE) {
        sample->size = ngx_media_get_be32(p);
        p += 4;
    }

    if (reader->trun & NGX_MEDIA_MP4_TRUN_FLAGS) {
        flags = ngx_media_get_be32(p);
        p += 4;
    }

    if (reader->trun & NGX_MEDIA_MP4_TRUN_CTO) {
        sample->cto = (int32_t) ngx_media_get_be32(p);
        p += 4;
    }

    if ((size_t) (reader->last - reader->data) < sample->size) {
        return NGX_ERROR;
    }

    sample->key = (flags & NGX_MEDIA_MP4_NON_SYNC_FLAG) == 0;
    frame->decode_time = reader->decode_time;
    frame->data = reader->data;

    reader->entry = p;
    reader->data += sample->size;
    reader->decode_time += sample->duration;
    reader->first = reader->flags;
    reader->left--;

    return NGX_OK;
}


/* NGX_DONE: nothing left; sizes of 64 bits or up to the end are not ours */

static ngx_int_t
ngx_media_mp4_chunk_box(ngx_media_reader_t *r, uint32_t *type,
    ngx_media_reader_t *box)
{
    uint32_t          size;
    ngx_media_span_t  body;

    if (r->pos == r->last) {
        return NGX_DONE;
    }

    size = ngx_media_read_be32(r);
    *type = ngx_media_read_be32(r);

    if (size < 8) {
        return NGX_ERROR;
    }

    ngx_media_read_span(r, size - 8, &body);
    ngx_media_reader_init(box, body.pos, body.last);

    return r->err ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_media_mp4_chunk_child(ngx_media_reader_t *r, uint32_t type,
    ngx_media_reader_t *box)
{
    uint32_t  got;

    if (ngx_media_mp4_chunk_box(r, &got, box) != NGX_OK || got != type) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_chunk_moof(ngx_media_mp4_reader_t *reader,
    ngx_media_reader_t *moof, uint32_t *offset)
{
    ngx_media_reader_t  mfhd, tfdt, tfhd, traf, trun;

    if (ngx_media_mp4_chunk_child(moof, ngx_media_fourcc('m', 'f', 'h', 'd'),
                                  &mfhd)
        != NGX_OK
        || ngx_media_mp4_chunk_child(moof,
                                     ngx_media_fourcc('t', 'r', 'a', 'f'),
                                     &traf)
           != NGX_OK
        || ngx_media_mp4_chunk_child(&traf,
                                     ngx_media_fourcc('t', 'f', 'h', 'd'),
                                     &tfhd)
           != NGX_OK
        || ngx_media_mp4_chunk_child(&traf,
                                     ngx_media_fourcc('t', 'f', 'd', 't'),
                                     &tfdt)
           != NGX_OK
        || ngx_media_mp4_chunk_child(&traf,
                                     ngx_media_fourcc('t', 'r', 'u', 'n'),
                                     &trun)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_media_read_be32(&mfhd);
    reader->sequence = ngx_media_read_be32(&mfhd);

    if (ngx_media_read_8(&tfdt) != 1) {
        return NGX_ERROR;
    }

    (void) ngx_media_read_be24(&tfdt);
    reader->decode_time = ngx_media_read_be64(&tfdt);

    if (mfhd.err || tfdt.err
        || ngx_media_mp4_chunk_tfhd(reader, &tfhd) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_mp4_chunk_trun(reader, &trun, offset);
}


static ngx_int_t
ngx_media_mp4_chunk_tfhd(ngx_media_mp4_reader_t *reader,
    ngx_media_reader_t *tfhd)
{
    reader->tfhd = ngx_media_read_be32(tfhd) & 0xffffff;

    (void) ngx_media_read_be32(tfhd);         /* track_ID */

    if ((reader->tfhd & NGX_MEDIA_MP4_TFHD_MOOF_BASE) == 0
        || (reader->tfhd & NGX_MEDIA_MP4_TFHD_OFFSET))
    {
        return NGX_ERROR;
    }

    if (reader->tfhd & NGX_MEDIA_MP4_TFHD_DESCRIPTION) {
        (void) ngx_media_read_be32(tfhd);
    }

    if (reader->tfhd & NGX_MEDIA_MP4_TFHD_DURATION) {
        reader->duration = ngx_media_read_be32(tfhd);
    }

    if (reader->tfhd & NGX_MEDIA_MP4_TFHD_SIZE) {
        reader->size = ngx_media_read_be32(tfhd);
    }

    if (reader->tfhd & NGX_MEDIA_MP4_TFHD_FLAGS) {
        reader->flags = ngx_media_read_be32(tfhd);
    }

    return tfhd->err ? NGX_ERROR : NGX_OK;
}


/* each value has its default or its column, never neither: no trex is here */

static ngx_int_t
ngx_media_mp4_chunk_trun(ngx_media_mp4_reader_t *reader,
    ngx_media_reader_t *trun, uint32_t *offset)
{
    uint32_t          version;
    uint64_t          entry;
    ngx_media_span_t  entries;

    version = ngx_media_read_8(trun);
    reader->trun = ngx_media_read_be24(trun);
    reader->left = ngx_media_read_be32(trun);
    *offset = ngx_media_read_be32(trun);
    reader->first = reader->flags;

    if (version != 1 || (reader->trun & NGX_MEDIA_MP4_TRUN_OFFSET) == 0) {
        return NGX_ERROR;
    }

    if (reader->trun & NGX_MEDIA_MP4_TRUN_FIRST) {
        reader->first = ngx_media_read_be32(trun);
    }

    if (((reader->tfhd & NGX_MEDIA_MP4_TFHD_DURATION) == 0
         && (reader->trun & NGX_MEDIA_MP4_TRUN_DURATION) == 0)
        || ((reader->tfhd & NGX_MEDIA_MP4_TFHD_SIZE) == 0
            && (reader->trun & NGX_MEDIA_MP4_TRUN_SIZE) == 0)
        || ((reader->tfhd & NGX_MEDIA_MP4_TFHD_FLAGS) == 0
            && (reader->trun & NGX_MEDIA_MP4_TRUN_FLAGS) == 0))
    {
        return NGX_ERROR;
    }

    entry = (reader->trun & NGX_MEDIA_MP4_TRUN_DURATION) ? 4 : 0;
    entry += (reader->trun & NGX_MEDIA_MP4_TRUN_SIZE) ? 4 : 0;
    entry += (reader->trun & NGX_MEDIA_MP4_TRUN_FLAGS) ? 4 : 0;
    entry += (reader->trun & NGX_MEDIA_MP4_TRUN_CTO) ? 4 : 0;

    if (reader->left > NGX_MEDIA_MP4_SAMPLES_MAX
        || entry * reader->left > ngx_media_reader_left(trun))
    {
        return NGX_ERROR;
    }

    ngx_media_read_span(trun, entry * reader->left, &entries);
    reader->entry = entries.pos;

    return trun->err ? NGX_ERROR : NGX_OK;
}
