
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_stbl.h"


#define NGX_MEDIA_MP4_STTS  ngx_media_fourcc('s', 't', 't', 's')
#define NGX_MEDIA_MP4_CTTS  ngx_media_fourcc('c', 't', 't', 's')
#define NGX_MEDIA_MP4_STSC  ngx_media_fourcc('s', 't', 's', 'c')
#define NGX_MEDIA_MP4_STSZ  ngx_media_fourcc('s', 't', 's', 'z')
#define NGX_MEDIA_MP4_STZ2  ngx_media_fourcc('s', 't', 'z', '2')
#define NGX_MEDIA_MP4_STCO  ngx_media_fourcc('s', 't', 'c', 'o')
#define NGX_MEDIA_MP4_CO64  ngx_media_fourcc('c', 'o', '6', '4')
#define NGX_MEDIA_MP4_STSS  ngx_media_fourcc('s', 't', 's', 's')
#define NGX_MEDIA_MP4_STPS  ngx_media_fourcc('s', 't', 'p', 's')
#define NGX_MEDIA_MP4_SBGP  ngx_media_fourcc('s', 'b', 'g', 'p')

/* no sum of durations gets there */
#define NGX_MEDIA_MP4_TIME_MAX  ((int64_t) 1 << 60)


static ngx_int_t ngx_media_mp4_samples_table(ngx_media_mp4_samples_t *it,
    ngx_media_mp4_run_t *run, const ngx_media_span_t *box, uint32_t type,
    size_t head, size_t entry);
static ngx_int_t ngx_media_mp4_samples_sizes(ngx_media_mp4_samples_t *it);
static ngx_int_t ngx_media_mp4_samples_chunks(ngx_media_mp4_samples_t *it);
static ngx_int_t ngx_media_mp4_samples_stsc(ngx_media_mp4_samples_t *it);
static ngx_int_t ngx_media_mp4_samples_chunk(ngx_media_mp4_samples_t *it);
static uint32_t ngx_media_mp4_samples_size(ngx_media_mp4_samples_t *it);
static ngx_int_t ngx_media_mp4_samples_sync(ngx_media_mp4_samples_t *it,
    ngx_media_mp4_run_t *run, uint32_t type, ngx_uint_t *sync);
static ngx_uint_t ngx_media_mp4_samples_rap(ngx_media_mp4_samples_t *it);


ngx_int_t
ngx_media_mp4_samples_init(ngx_media_mp4_samples_t *it,
    const ngx_media_mp4_moov_t *moov, ngx_media_mp4_track_t *track)
{
    size_t  head;

    ngx_memzero(it, sizeof(ngx_media_mp4_samples_t));

    it->moov = moov;
    it->track = track;

    track->decode_time = 0;

    if (ngx_media_mp4_samples_sizes(it) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a track without samples needs no tables */

    if (it->nsamples == 0) {
        return NGX_OK;
    }

    if (ngx_media_mp4_samples_table(it, &it->stts, &track->stts,
                                    NGX_MEDIA_MP4_STTS, 0, 8)
        != NGX_OK
        || ngx_media_mp4_samples_table(it, &it->ctts, &track->ctts,
                                       NGX_MEDIA_MP4_CTTS, 0, 8)
           != NGX_OK
        || ngx_media_mp4_samples_table(it, &it->stss, &track->stss,
                                       NGX_MEDIA_MP4_STSS, 0, 4)
           != NGX_OK
        || ngx_media_mp4_samples_table(it, &it->stps, &track->stps,
                                       NGX_MEDIA_MP4_STPS, 0, 4)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (track->stts.pos == NULL) {
        return ngx_media_mp4_moov_fail(moov, track, NGX_MEDIA_MP4_STTS, NULL,
                                       "is missing");
    }

    /* 8.9.2: after grouping_type, and in version 1 its parameter */

    if (track->rap.pos != NULL) {
        head = (track->rap.pos[0] == 1) ? 8 : 4;

        if (ngx_media_mp4_samples_table(it, &it->rap, &track->rap,
                                        NGX_MEDIA_MP4_SBGP, head, 8)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* 8.6.2: without this table every sample is a sync sample */

    it->all_keys = (track->stss.pos == NULL);

    return ngx_media_mp4_samples_chunks(it);
}


ngx_int_t
ngx_media_mp4_samples_next(ngx_media_mp4_samples_t *it,
    ngx_media_index_sample_t *sample)
{
    ngx_int_t             rc;
    ngx_uint_t            key, partial;
    ngx_media_mp4_run_t  *stts, *ctts;

    if (it->number == it->nsamples) {

        if (it->chunk_left || it->chunks) {
            it->notes |= NGX_MEDIA_MP4_NOTE_SAMPLES;
        }

        return NGX_DONE;
    }

    while (it->chunk_left == 0) {
        rc = ngx_media_mp4_samples_chunk(it);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* 8.6.1.2 */

    stts = &it->stts;

    while (stts->run == 0 && stts->left) {
        stts->run = ngx_media_get_be32(stts->pos);
        stts->value = ngx_media_get_be32(stts->pos + 4);
        stts->pos += 8;
        stts->left--;

        if (stts->value >> 31) {
            stts->value = 0;
            it->notes |= NGX_MEDIA_MP4_NOTE_DELTA;
        }
    }

    if (stts->run) {
        stts->run--;

    } else {
        it->notes |= NGX_MEDIA_MP4_NOTE_STTS;
    }

    /* 8.6.1.3; signed in version 0, too, as QuickTime has always had it */

    ctts = &it->ctts;

    while (ctts->run == 0 && ctts->left) {
        ctts->run = ngx_media_get_be32(ctts->pos);
        ctts->value = ngx_media_get_be32(ctts->pos + 4);
        ctts->pos += 8;
        ctts->left--;
    }

    if (ctts->run) {
        ctts->run--;

    } else {
        ctts->value = 0;

        if (it->track->ctts.pos) {
            it->notes |= NGX_MEDIA_MP4_NOTE_CTTS;
        }
    }

    /* 8.6.2 */

    key = it->all_keys;
    partial = 0;

    if (!key) {

        if (ngx_media_mp4_samples_sync(it, &it->stss, NGX_MEDIA_MP4_STSS,
                                       &key)
            != NGX_OK
            || ngx_media_mp4_samples_sync(it, &it->stps, NGX_MEDIA_MP4_STPS,
                                          &partial)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        key |= partial | ngx_media_mp4_samples_rap(it);
    }

    sample->offset = it->offset;
    sample->dts = it->dts;
    sample->cto = (int32_t) ctts->value;
    sample->duration = stts->value;
    sample->size = ngx_media_mp4_samples_size(it);
    sample->description = it->description;
    sample->key = key;

    if (it->dts > NGX_MEDIA_MP4_TIME_MAX) {
        return ngx_media_mp4_moov_fail(it->moov, it->track,
                                       NGX_MEDIA_MP4_STTS, it->stts.pos,
                                       "has impossible times");
    }

    it->dts += stts->value;
    it->offset += sample->size;
    it->chunk_left--;
    it->number++;

    it->track->decode_time = it->dts;

    return NGX_OK;
}


/* version, flags, head bytes, a count, and as many entries */

static ngx_int_t
ngx_media_mp4_samples_table(ngx_media_mp4_samples_t *it,
    ngx_media_mp4_run_t *run, const ngx_media_span_t *box, uint32_t type,
    size_t head, size_t entry)
{
    ngx_media_reader_t  r;

    if (box->pos == NULL) {
        return NGX_OK;
    }

    ngx_media_reader_init(&r, box->pos, box->last);

    (void) ngx_media_read_bytes(&r, 4 + head);

    run->left = ngx_media_read_be32(&r);
    run->pos = r.pos;

    if (r.err) {
        return ngx_media_mp4_moov_fail(it->moov, it->track, type, box->pos,
                                       "is too short");
    }

    if (ngx_media_reader_left(&r) / entry < run->left) {
        return ngx_media_mp4_moov_fail(it->moov, it->track, type, box->pos,
                                       "has fewer entries than it says");
    }

    return NGX_OK;
}


/* 8.7.3; neither box: there is no sample */

static ngx_int_t
ngx_media_mp4_samples_sizes(ngx_media_mp4_samples_t *it)
{
    uint32_t                 type;
    uint64_t                 bytes;
    ngx_media_reader_t       r;
    const ngx_media_span_t  *box;

    if (it->track->stsz.pos) {
        box = &it->track->stsz;
        type = NGX_MEDIA_MP4_STSZ;

    } else if (it->track->stz2.pos) {
        box = &it->track->stz2;
        type = NGX_MEDIA_MP4_STZ2;

    } else {
        return NGX_OK;
    }

    ngx_media_reader_init(&r, box->pos, box->last);

    (void) ngx_media_read_be32(&r);

    it->sample_size = ngx_media_read_be32(&r);
    it->size_bits = 32;

    if (type == NGX_MEDIA_MP4_STZ2) {
        it->size_bits = it->sample_size & 0xff;
        it->sample_size = 0;
    }

    it->nsamples = ngx_media_read_be32(&r);
    it->sizes = r.pos;

    if (r.err) {
        return ngx_media_mp4_moov_fail(it->moov, it->track, type, box->pos,
                                       "is too short");
    }

    if (it->size_bits != 4 && it->size_bits != 8 && it->size_bits != 16
        && it->size_bits != 32)
    {
        return ngx_media_mp4_moov_fail(it->moov, it->track, type, box->pos,
                                       "has a wrong field size");
    }

    bytes = ((uint64_t) it->nsamples * it->size_bits + 7) / 8;

    if (it->sample_size == 0 && ngx_media_reader_left(&r) < bytes) {
        return ngx_media_mp4_moov_fail(it->moov, it->track, type, box->pos,
                                       "has fewer entries than it says");
    }

    return NGX_OK;
}


/* 8.7.4, 8.7.5 */

static ngx_int_t
ngx_media_mp4_samples_chunks(ngx_media_mp4_samples_t *it)
{
    uint32_t              type;
    ngx_media_mp4_run_t   run;
    ngx_media_span_t     *box;

    if (ngx_media_mp4_samples_table(it, &it->stsc, &it->track->stsc,
                                    NGX_MEDIA_MP4_STSC, 0, 12)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (it->stsc.left == 0) {
        return ngx_media_mp4_moov_fail(it->moov, it->track,
                                       NGX_MEDIA_MP4_STSC,
                                       it->track->stsc.pos, "has no entry");
    }

    ngx_memzero(&run, sizeof(ngx_media_mp4_run_t));

    box = &it->track->stco;
    type = NGX_MEDIA_MP4_STCO;

    if (box->pos == NULL) {
        box = &it->track->co64;
        type = NGX_MEDIA_MP4_CO64;
        it->wide = 1;
    }

    if (ngx_media_mp4_samples_table(it, &run, box, type, 0, it->wide ? 8 : 4)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (box->pos == NULL) {
        return ngx_media_mp4_moov_fail(it->moov, it->track,
                                       NGX_MEDIA_MP4_STCO, NULL,
                                       "is missing");
    }

    it->chunk = run.pos;
    it->chunks = run.left;
    it->chunk_number = 1;

    if (ngx_media_get_be32(it->stsc.pos) != 1) {
        return ngx_media_mp4_moov_fail(it->moov, it->track,
                                       NGX_MEDIA_MP4_STSC, it->stsc.pos,
                                       "does not begin with the first chunk");
    }

    return NGX_OK;
}


/* the entry of the chunks from chunk_number on */

static ngx_int_t
ngx_media_mp4_samples_stsc(ngx_media_mp4_samples_t *it)
{
    uint32_t              next;
    ngx_media_mp4_run_t  *stsc;

    stsc = &it->stsc;

    it->chunk_samples = ngx_media_get_be32(stsc->pos + 4);
    it->description = ngx_media_get_be32(stsc->pos + 8);

    if (it->description == 0) {
        return ngx_media_mp4_moov_fail(it->moov, it->track,
                                       NGX_MEDIA_MP4_STSC, stsc->pos,
                                       "has an entry without a description");
    }

    stsc->pos += 12;
    stsc->left--;

    /* the last one goes on to the end */

    stsc->value = (uint32_t) -1;

    if (stsc->left) {
        next = ngx_media_get_be32(stsc->pos);

        if (next <= it->chunk_number) {
            return ngx_media_mp4_moov_fail(it->moov, it->track,
                                           NGX_MEDIA_MP4_STSC, stsc->pos,
                                           "has chunks out of order");
        }

        stsc->value = next - it->chunk_number;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_samples_chunk(ngx_media_mp4_samples_t *it)
{
    if (it->chunks == 0) {
        it->notes |= NGX_MEDIA_MP4_NOTE_CHUNKS;
        return NGX_DONE;
    }

    if (it->stsc.value == 0 && ngx_media_mp4_samples_stsc(it) != NGX_OK) {
        return NGX_ERROR;
    }

    if (it->wide) {
        it->offset = ngx_media_get_be64(it->chunk);
        it->chunk += 8;

    } else {
        it->offset = ngx_media_get_be32(it->chunk);
        it->chunk += 4;
    }

    /* room for 2^32 samples of any size */

    if (it->offset >> 62) {
        return ngx_media_mp4_moov_fail(it->moov, it->track,
                                       NGX_MEDIA_MP4_CO64, it->chunk - 8,
                                       "has an impossible offset");
    }

    it->chunk_left = it->chunk_samples;
    it->chunk_number++;
    it->chunks--;

    if (it->stsc.value != (uint32_t) -1) {
        it->stsc.value--;
    }

    return NGX_OK;
}


static uint32_t
ngx_media_mp4_samples_size(ngx_media_mp4_samples_t *it)
{
    uint32_t       n;
    const u_char  *p;

    if (it->sample_size) {
        return it->sample_size;
    }

    n = it->number;
    p = it->sizes;

    switch (it->size_bits) {

    case 4:
        return (n & 1) ? p[n / 2] & 0x0f : p[n / 2] >> 4;

    case 8:
        return p[n];

    case 16:
        return ngx_media_get_be16(p + (size_t) n * 2);

    default: /* 32 */
        return ngx_media_get_be32(p + (size_t) n * 4);
    }
}


/* a table of sample numbers, from 1, in order */

static ngx_int_t
ngx_media_mp4_samples_sync(ngx_media_mp4_samples_t *it,
    ngx_media_mp4_run_t *run, uint32_t type, ngx_uint_t *sync)
{
    uint32_t  number;

    while (run->value <= it->number && run->left) {
        number = ngx_media_get_be32(run->pos);

        /* numbers from 0 are written by some; the same twice, too */

        if (number < run->value) {
            return ngx_media_mp4_moov_fail(it->moov, it->track, type,
                                           run->pos,
                                           "has samples out of order");
        }

        run->value = number;
        run->pos += 4;
        run->left--;
    }

    *sync = (run->value == it->number + 1);

    return NGX_OK;
}


/* 8.9.2; groups are numbered from 1 */

static ngx_uint_t
ngx_media_mp4_samples_rap(ngx_media_mp4_samples_t *it)
{
    ngx_media_mp4_run_t  *rap;

    rap = &it->rap;

    while (rap->run == 0 && rap->left) {
        rap->run = ngx_media_get_be32(rap->pos);
        rap->value = ngx_media_get_be32(rap->pos + 4);
        rap->pos += 8;
        rap->left--;
    }

    if (rap->run == 0) {
        return 0;
    }

    rap->run--;

    return rap->value != 0;
}
