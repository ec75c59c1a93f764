
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_fields.h"
#include "formats/ngx_media_mp4_moof.h"


#define NGX_MEDIA_MP4_TRAF      ngx_media_fourcc('t', 'r', 'a', 'f')
#define NGX_MEDIA_MP4_TFHD      ngx_media_fourcc('t', 'f', 'h', 'd')
#define NGX_MEDIA_MP4_TFDT      ngx_media_fourcc('t', 'f', 'd', 't')
#define NGX_MEDIA_MP4_TRUN      ngx_media_fourcc('t', 'r', 'u', 'n')

/* offsets that are larger are not those of a file */
#define NGX_MEDIA_MP4_FILE_MAX  ((uint64_t) 1 << 62)

/* decode times likewise */
#define NGX_MEDIA_MP4_TIME_MAX  ((int64_t) 1 << 60)


static ngx_int_t ngx_media_mp4_moof_traf(ngx_media_mp4_moof_t *it);
static ngx_int_t ngx_media_mp4_moof_tfhd(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_box_t *box);
static ngx_int_t ngx_media_mp4_moof_tfdt(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_box_t *box);
static ngx_int_t ngx_media_mp4_moof_trun(ngx_media_mp4_moof_t *it);
static ngx_int_t ngx_media_mp4_moof_run(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_box_t *box);
static uint64_t ngx_media_mp4_moof_bytes(ngx_media_mp4_moof_t *it);
static size_t ngx_media_mp4_moof_entry(uint32_t flags);
static ngx_int_t ngx_media_mp4_moof_fail(ngx_media_mp4_moof_t *it,
    uint32_t type, const u_char *pos, const char *text);


ngx_int_t
ngx_media_mp4_moof_open(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_moov_t *moov, const ngx_media_mp4_box_t *box)
{
    ngx_memzero(it, sizeof(ngx_media_mp4_moof_t));

    it->moov = moov;
    it->moof = box->offset;
    it->base = box->offset;
    it->offset = box->offset;

    it->walk.start = box->body.pos;
    it->walk.offset = box->offset + box->header;
    it->walk.error = moov->error;
    it->walk.path[0].type = box->type;
    it->walk.depth = 1;

    it->trafs.pos = box->body.pos;
    it->trafs.last = box->body.last;
    it->trafs.offset = it->walk.offset;

    if (box->offset > NGX_MEDIA_MP4_FILE_MAX) {
        return ngx_media_mp4_fail(&it->walk, box->body.pos,
                                  "has an impossible offset");
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_moof_next(ngx_media_mp4_moof_t *it,
    ngx_media_index_sample_t *sample, ngx_media_mp4_track_t **track)
{
    uint32_t       flags;
    ngx_int_t      rc;
    const u_char  *p;

    while (it->left == 0) {
        rc = it->in_traf ? ngx_media_mp4_moof_trun(it)
                         : ngx_media_mp4_moof_traf(it);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    p = it->entry;

    sample->duration = it->defaults.duration;
    sample->size = it->defaults.size;
    sample->cto = 0;
    flags = it->first_flags;

    if (it->run_flags & NGX_MEDIA_MP4_TRUN_DURATION) {
        sample->duration = ngx_media_get_be32(p);
        p += 4;
    }

    if (it->run_flags & NGX_MEDIA_MP4_TRUN_SIZE) {
        sample->size = ngx_media_get_be32(p);
        p += 4;
    }

    if (it->run_flags & NGX_MEDIA_MP4_TRUN_FLAGS) {
        flags = ngx_media_get_be32(p);
        p += 4;
    }

    /* signed in version 0, too: what would be 2^31 is a negative one */

    if (it->run_flags & NGX_MEDIA_MP4_TRUN_CTO) {
        sample->cto = (int32_t) ngx_media_get_be32(p);
        p += 4;
    }

    sample->offset = it->offset;
    sample->dts = it->track->decode_time;
    sample->description = it->defaults.description;
    sample->key = (flags & NGX_MEDIA_MP4_NON_SYNC_FLAG) == 0;

    *track = it->track;

    if (sample->dts > NGX_MEDIA_MP4_TIME_MAX) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TRUN, it->entry,
                                       "has impossible times");
    }

    it->track->decode_time += sample->duration;
    it->offset += sample->size;
    it->first_flags = it->defaults.flags;
    it->entry = p;
    it->left--;

    return NGX_OK;
}


ngx_int_t
ngx_media_mp4_moof_end(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_box_t *box, uint64_t *end)
{
    ngx_int_t              rc;
    ngx_media_mp4_moof_t   it;

    *end = box->offset + box->size;

    rc = ngx_media_mp4_moof_open(&it, moov, box);

    it.counting = 1;

    while (rc == NGX_OK) {
        rc = it.in_traf ? ngx_media_mp4_moof_trun(&it)
                        : ngx_media_mp4_moof_traf(&it);
    }

    *end = ngx_max(*end, it.end);

    return (rc == NGX_DONE) ? NGX_OK : rc;
}


/* 8.8.6 */

static ngx_int_t
ngx_media_mp4_moof_traf(ngx_media_mp4_moof_t *it)
{
    ngx_int_t             rc;
    ngx_media_mp4_box_t   box;
    ngx_media_mp4_iter_t  boxes;

    it->walk.depth = 1;

    do {
        rc = ngx_media_mp4_box_next(&it->trafs, &box);

        if (rc == NGX_DONE) {
            return NGX_DONE;
        }

        if (rc != NGX_OK) {
            return ngx_media_mp4_fail(&it->walk, it->trafs.pos,
                                      "a box in it has a wrong size");
        }

    } while (box.type != NGX_MEDIA_MP4_TRAF);

    it->walk.path[1].type = box.type;
    it->walk.path[1].number = ++it->ntrafs;
    it->walk.depth = 2;

    it->truns.pos = box.body.pos;
    it->truns.last = box.body.last;
    it->truns.offset = box.offset + box.header;

    /* tfhd and tfdt, wherever they stand */

    boxes = it->truns;
    it->encrypted = 0;

    for ( ;; ) {
        rc = ngx_media_mp4_box_next(&boxes, &box);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            return ngx_media_mp4_fail(&it->walk, boxes.pos,
                                      "a box in it has a wrong size");
        }

        /* ISO/IEC 23001-7, 7.2, and 14496-12, 8.7.8 */

        if (box.type == ngx_media_fourcc('s', 'e', 'n', 'c')
            || box.type == ngx_media_fourcc('s', 'a', 'i', 'z'))
        {
            it->encrypted = 1;
        }

        if (box.type == NGX_MEDIA_MP4_TFHD) {

            if (it->in_traf) {
                return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TFHD,
                                               box.body.pos, "is duplicate");
            }

            if (ngx_media_mp4_moof_tfhd(it, &box) != NGX_OK) {
                return NGX_ERROR;
            }

            it->in_traf = 1;

        } else if (box.type == NGX_MEDIA_MP4_TFDT && it->in_traf) {

            if (ngx_media_mp4_moof_tfdt(it, &box) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    if (!it->in_traf) {
        return ngx_media_mp4_fail(&it->walk, it->truns.pos, "has no tfhd");
    }

    return NGX_OK;
}


/*
 * 8.8.7.  Without a base offset and without default-base-is-moof the first
 * track fragment counts from moof, the others from the end of the data of the
 * one before.
 */

static ngx_int_t
ngx_media_mp4_moof_tfhd(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_box_t *box)
{
    uint32_t             flags, id;
    ngx_uint_t           i;
    ngx_media_reader_t   r;

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    flags = ngx_media_read_be32(&r) & 0xffffff;
    id = ngx_media_read_be32(&r);

    it->track = NULL;

    for (i = 0; i < it->moov->ntracks; i++) {
        if (it->moov->tracks[i].id == id) {
            it->track = &it->moov->tracks[i];
        }
    }

    if (it->track) {
        it->defaults = it->track->trex;

    } else {
        ngx_memzero(&it->defaults, sizeof(ngx_media_mp4_trex_t));
    }

    if (it->defaults.description == 0) {
        it->defaults.description = 1;
    }

    if (flags & NGX_MEDIA_MP4_TFHD_OFFSET) {
        it->base = ngx_media_read_be64(&r);

    } else if (flags & NGX_MEDIA_MP4_TFHD_MOOF_BASE) {
        it->base = it->moof;

    } else if (it->ntrafs > 1) {
        it->base = it->offset;
    }

    if (flags & NGX_MEDIA_MP4_TFHD_DESCRIPTION) {
        it->defaults.description = ngx_media_read_be32(&r);
    }

    if (flags & NGX_MEDIA_MP4_TFHD_DURATION) {
        it->defaults.duration = ngx_media_read_be32(&r);
    }

    if (flags & NGX_MEDIA_MP4_TFHD_SIZE) {
        it->defaults.size = ngx_media_read_be32(&r);
    }

    if (flags & NGX_MEDIA_MP4_TFHD_FLAGS) {
        it->defaults.flags = ngx_media_read_be32(&r);
    }

    if (r.err) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TFHD, box->body.pos,
                                       "is too short");
    }

    if (it->base > NGX_MEDIA_MP4_FILE_MAX || it->defaults.description == 0) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TFHD, box->body.pos,
                                       "has an impossible value");
    }

    /* where a run is that does not say it */

    it->offset = it->base;

    return NGX_OK;
}


/* 8.8.12 */

static ngx_int_t
ngx_media_mp4_moof_tfdt(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_box_t *box)
{
    uint64_t             time;
    uint32_t             version;
    ngx_media_reader_t   r;

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    version = ngx_media_read_be32(&r) >> 24;
    time = (version == 1) ? ngx_media_read_be64(&r) : ngx_media_read_be32(&r);

    if (r.err) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TFDT, box->body.pos,
                                       "is too short");
    }

    if (time > (uint64_t) NGX_MEDIA_MP4_TIME_MAX) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TFDT, box->body.pos,
                                       "has an impossible time");
    }

    if (it->track && !it->counting) {
        it->track->decode_time = (int64_t) time;
    }

    return NGX_OK;
}


/* the next run of this traf; the traf is left after the last one */

static ngx_int_t
ngx_media_mp4_moof_trun(ngx_media_mp4_moof_t *it)
{
    ngx_int_t            rc;
    ngx_media_mp4_box_t  box;

    do {
        rc = ngx_media_mp4_box_next(&it->truns, &box);

        if (rc != NGX_OK) {
            it->in_traf = 0;
            return NGX_OK;
        }

    } while (box.type != NGX_MEDIA_MP4_TRUN);

    return ngx_media_mp4_moof_run(it, &box);
}


/* 8.8.8 */

static ngx_int_t
ngx_media_mp4_moof_run(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_box_t *box)
{
    int32_t              offset;
    size_t               size;
    uint32_t             count, flags;
    uint64_t             bytes;
    ngx_media_reader_t   r;

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    flags = ngx_media_read_be32(&r) & 0xffffff;
    count = ngx_media_read_be32(&r);

    it->first_flags = it->defaults.flags;

    if (flags & NGX_MEDIA_MP4_TRUN_OFFSET) {
        offset = (int32_t) ngx_media_read_be32(&r);

        if (offset < 0 && it->base < (uint64_t) -(int64_t) offset) {
            return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TRUN,
                                           box->body.pos,
                                           "has data before the file");
        }

        it->offset = it->base + (uint64_t) (int64_t) offset;
    }

    if (flags & NGX_MEDIA_MP4_TRUN_FIRST) {
        it->first_flags = ngx_media_read_be32(&r);
    }

    if (r.err) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TRUN, box->body.pos,
                                       "is too short");
    }

    size = ngx_media_mp4_moof_entry(flags);

    if (size && ngx_media_reader_left(&r) / size < count) {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TRUN, box->body.pos,
                                       "has fewer entries than it says");
    }

    it->entry = r.pos;
    it->left = count;
    it->run_flags = flags;

    if (it->track && !it->counting) {
        return NGX_OK;
    }

    bytes = ngx_media_mp4_moof_bytes(it);

    if (it->offset > NGX_MEDIA_MP4_FILE_MAX
        || bytes > NGX_MEDIA_MP4_FILE_MAX)
    {
        return ngx_media_mp4_moof_fail(it, NGX_MEDIA_MP4_TRUN, box->body.pos,
                                       "has an impossible size");
    }

    it->offset += bytes;
    it->left = 0;

    if (bytes) {
        it->end = ngx_max(it->end, it->offset);
    }

    return NGX_OK;
}


/* all of a run; at most 2^32 of 2^32 bytes, in fact of the sizes in the box */

static uint64_t
ngx_media_mp4_moof_bytes(ngx_media_mp4_moof_t *it)
{
    size_t         size, skip;
    uint32_t       i;
    uint64_t       bytes;
    const u_char  *p;

    if ((it->run_flags & NGX_MEDIA_MP4_TRUN_SIZE) == 0) {
        return (uint64_t) it->left * it->defaults.size;
    }

    size = ngx_media_mp4_moof_entry(it->run_flags);
    skip = (it->run_flags & NGX_MEDIA_MP4_TRUN_DURATION) ? 4 : 0;

    p = it->entry + skip;
    bytes = 0;

    for (i = 0; i < it->left; i++) {
        bytes += ngx_media_get_be32(p);
        p += size;
    }

    return bytes;
}


static size_t
ngx_media_mp4_moof_entry(uint32_t flags)
{
    size_t  n;

    n = (flags & NGX_MEDIA_MP4_TRUN_DURATION) ? 4 : 0;
    n += (flags & NGX_MEDIA_MP4_TRUN_SIZE) ? 4 : 0;
    n += (flags & NGX_MEDIA_MP4_TRUN_FLAGS) ? 4 : 0;
    n += (flags & NGX_MEDIA_MP4_TRUN_CTO) ? 4 : 0;

    return n;
}


static ngx_int_t
ngx_media_mp4_moof_fail(ngx_media_mp4_moof_t *it, uint32_t type,
    const u_char *pos, const char *text)
{
    it->walk.path[2].type = type;
    it->walk.path[2].number = 0;
    it->walk.depth = 3;

    return ngx_media_mp4_fail(&it->walk, pos, text);
}
