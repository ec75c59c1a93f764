
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MP4 and QuickTime files, also those of fragments.
 *
 * What is wrong with one track takes only this track away, with a note of
 * what it was; what is wrong with a fragment ends the file before it.  moov
 * is read in one go; where fragments are small many of them are.
 */


#include "files/ngx_media_vod_index_mp4.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_file.h"
#include "formats/ngx_media_mp4_moof.h"
#include "formats/ngx_media_mp4_stbl.h"

#include <stdlib.h>


#define NGX_MEDIA_VOD_WINDOW     65536        /* bytes that are read at once */
#define NGX_MEDIA_VOD_BROKEN     8            /* traks that are passed over */
#define NGX_MEDIA_VOD_SETS       4            /* key frames that are read for
                                                 parameter sets */
#define NGX_MEDIA_VOD_SAMPLES    ((uint64_t) 64 * 1024 * 1024)
#define NGX_MEDIA_VOD_EPOCH      ((int64_t) 365 * 86400)  /* s: where no file
                                                 begins */


typedef struct {
    ngx_media_vod_index_t    *index;
    ngx_media_vod_blob_t      blob;
    ngx_media_mp4_file_t      file;
    ngx_media_mp4_error_t     error;
    ngx_media_mp4_moov_t      moov;
    ngx_media_mp4_track_t     tracks[NGX_MEDIA_VOD_TRACKS];
    ngx_media_vod_blob_track_t
                             *served[NGX_MEDIA_VOD_TRACKS];  /* by tracks; NULL:
                                                 it is not */
    uint64_t                  samples;        /* of all tracks, may come */
    uint32_t                  keys[NGX_MEDIA_VOD_TRACKS];  /* read, by tracks */
    u_char                    noted[NGX_MEDIA_VOD_TRACKS];  /* the same: a
                                                 description is not served */

    u_char                   *head;           /* what moov points into */
    u_char                   *window;         /* bytes of the file */
    size_t                    room;
    uint64_t                  start;          /* where they are, */
    size_t                    len;            /* and how many */

    ngx_media_vod_file_t     *result;         /* if reading fails */
    uint64_t                  moof;           /* hash of the first one; 0 */
    int64_t                   epoch;          /* s, taken from all times */
    unsigned                  complete:1;     /* nothing will be appended */
    unsigned                  timed:1;        /* epoch is known */
} ngx_media_vod_mp4_t;


static ngx_int_t ngx_media_vod_mp4_read(ngx_media_vod_mp4_t *m);
static ngx_int_t ngx_media_vod_mp4_fill(ngx_media_vod_mp4_t *m,
    const u_char **p, size_t *n);
static ngx_int_t ngx_media_vod_mp4_movie(ngx_media_vod_mp4_t *m);
static ngx_int_t ngx_media_vod_mp4_again(ngx_media_vod_mp4_t *m);
static ngx_int_t ngx_media_vod_mp4_parse(ngx_media_vod_mp4_t *m);
static ngx_int_t ngx_media_vod_mp4_mask(ngx_media_vod_mp4_t *m);
static void ngx_media_vod_mp4_samples(ngx_media_vod_mp4_t *m, ngx_uint_t n);
static void ngx_media_vod_mp4_edit(ngx_media_vod_mp4_t *m, ngx_uint_t n);
static ngx_int_t ngx_media_vod_mp4_fragment(ngx_media_vod_mp4_t *m);
static ngx_int_t ngx_media_vod_mp4_data(ngx_media_vod_mp4_t *m, uint64_t end);
static ngx_uint_t ngx_media_vod_mp4_is_clear(ngx_media_vod_mp4_t *m,
    ngx_uint_t n, const ngx_media_index_sample_t *sample);
static void ngx_media_vod_mp4_time(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    ngx_media_index_sample_t *sample);
static ngx_int_t ngx_media_vod_mp4_add(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    const ngx_media_index_sample_t *sample);
static ngx_uint_t ngx_media_vod_mp4_is_served(ngx_media_vod_mp4_t *m,
    ngx_uint_t n, const ngx_media_index_sample_t *sample);
static void ngx_media_vod_mp4_sets(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    const ngx_media_index_sample_t *sample);
static void ngx_media_vod_mp4_pending(ngx_media_vod_mp4_t *m);
static void ngx_media_vod_mp4_tag(ngx_media_vod_mp4_t *m);


ngx_media_vod_file_t *
ngx_media_vod_index_mp4(ngx_media_vod_index_t *index)
{
    ngx_int_t              rc;
    ngx_media_vod_mp4_t   *m;
    ngx_media_vod_file_t  *file;

    m = calloc(1, sizeof(ngx_media_vod_mp4_t));

    if (m == NULL) {
        return NULL;
    }

    m->index = index;
    m->samples = index->max_samples ? (uint64_t) index->max_samples * 2
                                    : NGX_MEDIA_VOD_SAMPLES;

    m->moov.tracks = m->tracks;
    m->moov.max = NGX_MEDIA_VOD_TRACKS;
    m->moov.error = &m->error;

    ngx_media_vod_blob_init(&m->blob, index);

    ngx_media_mp4_file_init(&m->file, index->id.size);

    m->file.again = 1;

    if (index->max_moov) {
        m->file.max = index->max_moov;
    }

    rc = ngx_media_vod_mp4_read(m);

    if (rc == NGX_OK) {
        ngx_media_vod_mp4_pending(m);

        if (m->moov.fragmented) {
            ngx_media_vod_mp4_tag(m);

        } else {
            m->blob.offset = 0;
        }

        file = ngx_media_vod_blob_finish(&m->blob);

    } else {
        file = m->result;
        ngx_media_vod_blob_free(&m->blob);
    }

    free(m->head);
    free(m->window);
    free(m);

    return file;
}


/* NGX_ERROR: the result is there */

static ngx_int_t
ngx_media_vod_mp4_read(ngx_media_vod_mp4_t *m)
{
    size_t         n;
    ngx_int_t      rc;
    const u_char  *p;

    p = NULL;
    n = 0;

    for ( ;; ) {
        rc = ngx_media_mp4_file_next(&m->file, p, p ? p + n : p);

        if (rc == NGX_AGAIN) {

            if (ngx_media_vod_mp4_fill(m, &p, &n) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        m->blob.offset = m->file.resume;

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            ngx_media_vod_mp4_note(&m->blob, &m->file.error);
            return NGX_OK;
        }

        p = NULL;
        n = 0;

        switch (m->file.box.type) {

        case ngx_media_fourcc('m', 'o', 'o', 'v'):
            rc = m->head ? ngx_media_vod_mp4_again(m)
                         : ngx_media_vod_mp4_movie(m);
            break;

        case ngx_media_fourcc('m', 'o', 'o', 'f'):
            rc = ngx_media_vod_mp4_fragment(m);
            break;

        case ngx_media_fourcc('m', 'f', 'r', 'a'):

            /* written when all fragments are, ISO/IEC 14496-12, 8.8.9 */

            m->complete = 1;
            break;
        }

        if (m->result != NULL) {
            return NGX_ERROR;
        }

        if (rc == NGX_DONE) {
            return NGX_OK;
        }
    }
}


/*
 * What is at file.offset, at least file.want bytes of it.  What is near to
 * what was read before is read together with what follows.
 */

static ngx_int_t
ngx_media_vod_mp4_fill(ngx_media_vod_mp4_t *m, const u_char **p, size_t *n)
{
    size_t    size;
    uint64_t  end, left, offset;

    offset = m->file.offset;
    end = m->start + m->len;

    if (m->window && offset >= m->start && offset <= end
        && end - offset >= m->file.want)
    {
        *p = m->window + (size_t) (offset - m->start);
        *n = (size_t) (end - offset);
        return NGX_OK;
    }

    /* moof, and then the header of its mdat at the same time */

    size = m->file.want + NGX_MEDIA_MP4_FILE_READ;
    left = m->index->id.size - offset;

    if (offset >= m->start && offset <= end + NGX_MEDIA_VOD_WINDOW) {
        size = ngx_max(size, NGX_MEDIA_VOD_WINDOW);
    }

    size = (size_t) ngx_min(size, left);

    if (m->room < size) {
        free(m->window);

        m->room = 0;
        m->len = 0;
        m->window = malloc(ngx_max(size, NGX_MEDIA_VOD_WINDOW));

        if (m->window == NULL) {
            return NGX_ERROR;
        }

        m->room = ngx_max(size, NGX_MEDIA_VOD_WINDOW);
    }

    if (ngx_media_vod_index_read(m->index, m->window, size, offset,
                                 &m->result)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    m->start = offset;
    m->len = size;

    *p = m->window;
    *n = size;

    return NGX_OK;
}


/* NGX_DONE: there is no more to read */

static ngx_int_t
ngx_media_vod_mp4_movie(ngx_media_vod_mp4_t *m)
{
    uint64_t    hash;
    ngx_uint_t  n;

    /* before anything in it is masked */

    hash = ngx_media_hash(m->file.box.body.pos,
                          ngx_media_span_len(&m->file.box.body));

    if (ngx_media_vod_mp4_parse(m) != NGX_OK) {
        ngx_media_vod_mp4_note(&m->blob, &m->error);
        return NGX_DONE;
    }

    if (m->moov.skipped) {
        ngx_media_vod_blob_note(&m->blob, "moov: %u tracks too many",
                                (unsigned) m->moov.skipped);
    }

    for (n = 0; n < m->moov.ntracks; n++) {
        m->served[n] = ngx_media_vod_mp4_track(&m->blob, &m->moov,
                                               &m->tracks[n]);
        ngx_media_vod_mp4_edit(m, n);
        ngx_media_vod_mp4_samples(m, n);
    }

    ngx_media_vod_mp4_defaults(&m->blob);

    if (!m->moov.fragmented) {
        return NGX_DONE;
    }

    m->blob.tag = hash;

    /* tracks point into it */

    m->head = m->window;
    m->window = NULL;
    m->room = 0;
    m->len = 0;

    return NGX_OK;
}


/*
 * Pieces of a stream that were put together may each have the same moov; what
 * follows another one is another file, with codecs and keys of its own
 */

static ngx_int_t
ngx_media_vod_mp4_again(ngx_media_vod_mp4_t *m)
{
    if (ngx_media_hash(m->file.box.body.pos,
                       ngx_media_span_len(&m->file.box.body))
        == m->blob.tag)
    {
        return NGX_OK;
    }

    ngx_media_vod_blob_note(&m->blob, "moov: another one, offset:%llu; what"
                            " follows is not served", (unsigned long long)
                            m->file.box.offset);
    m->complete = 1;

    return NGX_DONE;
}


/*
 * A track that is broken is made a free box and all is parsed again: so it
 * does not count in the names of those after it
 */

static ngx_int_t
ngx_media_vod_mp4_parse(ngx_media_vod_mp4_t *m)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_VOD_BROKEN; i++) {
        rc = ngx_media_mp4_moov_parse(&m->moov, &m->file.box);

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (rc != NGX_ERROR || m->error.depth < 2
            || m->error.path[1].type != ngx_media_fourcc('t', 'r', 'a', 'k')
            || ngx_media_vod_mp4_mask(m) != NGX_OK)
        {
            break;
        }

        ngx_media_vod_mp4_note(&m->blob, &m->error);
    }

    m->moov.ntracks = 0;
    m->moov.fragmented = 0;

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_vod_mp4_mask(ngx_media_vod_mp4_t *m)
{
    ngx_media_mp4_box_t   box;
    ngx_media_mp4_iter_t  boxes;

    boxes.pos = m->file.box.body.pos;
    boxes.last = m->file.box.body.last;
    boxes.offset = m->file.box.offset + m->file.box.header;

    while (ngx_media_mp4_box_next(&boxes, &box) == NGX_OK) {

        if (box.type == ngx_media_fourcc('t', 'r', 'a', 'k')
            && m->error.offset >= box.offset
            && m->error.offset - box.offset <= box.size)
        {
            (void) ngx_media_put_be32(m->window
                                      + (size_t) (box.offset - m->start) + 4,
                                      ngx_media_fourcc('f', 'r', 'e', 'e'));
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static void
ngx_media_vod_mp4_edit(ngx_media_vod_mp4_t *m, ngx_uint_t n)
{
    ngx_media_mp4_edit_t         edit;
    ngx_media_vod_blob_track_t  *t;

    t = m->served[n];

    if (t == NULL) {
        return;
    }

    if (ngx_media_mp4_edit(&m->moov, &m->tracks[n], &edit) != NGX_OK) {

        /* shown as a whole is better than not at all */

        ngx_media_vod_mp4_note(&m->blob, &m->error);
        return;
    }

    if (edit.more) {
        ngx_media_vod_blob_note(&m->blob, "%s: has more edits than one",
                                t->name);
    }

    t->edit = 1;
    t->empty = edit.empty;
    t->start = edit.start;
    t->duration = edit.duration;
}


/* those that the tables of the track tell */

static void
ngx_media_vod_mp4_samples(ngx_media_vod_mp4_t *m, ngx_uint_t n)
{
    ngx_int_t                    rc;
    ngx_media_mp4_samples_t      it;
    ngx_media_index_sample_t     sample;
    ngx_media_vod_blob_track_t  *t;

    t = m->served[n];

    if (t == NULL) {
        return;
    }

    rc = ngx_media_mp4_samples_init(&it, &m->moov, &m->tracks[n]);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_samples_next(&it, &sample);

        if (rc == NGX_OK && ngx_media_vod_mp4_add(m, n, &sample) != NGX_OK) {
            rc = NGX_DONE;
        }
    }

    if (rc != NGX_DONE) {
        ngx_media_vod_mp4_note(&m->blob, &m->error);
        t->drop = 1;

    } else if (it.notes) {
        ngx_media_vod_blob_note(&m->blob, "%s: tables that disagree, 0x%02x",
                                t->name, (unsigned) it.notes);
    }
}


/* NGX_DONE: it is not complete, or broken; it is not read then */

static ngx_int_t
ngx_media_vod_mp4_fragment(ngx_media_vod_mp4_t *m)
{
    uint64_t                   end;
    ngx_int_t                  rc;
    ngx_uint_t                 n;
    ngx_media_mp4_moof_t       it;
    ngx_media_mp4_track_t     *track;
    ngx_media_index_sample_t   sample;

    m->blob.offset = m->file.box.offset;

    if (ngx_media_mp4_moof_end(&m->moov, &m->file.box, &end) != NGX_OK) {
        ngx_media_vod_mp4_note(&m->blob, &m->error);
        return NGX_DONE;
    }

    if (end > m->index->id.size) {
        return NGX_DONE;
    }

    rc = ngx_media_vod_mp4_data(m, end);

    if (rc != NGX_OK) {
        return rc;
    }

    if (m->moof == 0) {
        m->moof = ngx_media_hash(m->file.box.body.pos,
                                 ngx_media_span_len(&m->file.box.body));
    }

    rc = ngx_media_mp4_moof_open(&it, &m->moov, &m->file.box);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_moof_next(&it, &sample, &track);

        if (rc != NGX_OK) {
            break;
        }

        n = track - m->tracks;

        if (it.encrypted && ngx_media_vod_mp4_is_clear(m, n, &sample)) {
            ngx_media_vod_blob_note(&m->blob, "%s: a fragment is encrypted,"
                                    " its description is not, offset:%llu",
                                    m->served[n]->name, (unsigned long long)
                                    m->file.box.offset);
            m->complete = 1;
            return NGX_DONE;
        }

        ngx_media_vod_mp4_time(m, n, &sample);

        if (m->served[n]) {
            rc = ngx_media_vod_mp4_add(m, n, &sample);

            if (rc == NGX_DECLINED) {
                m->complete = 1;
                return NGX_DONE;
            }

            rc = NGX_OK;

        } else if (m->samples) {
            m->samples--;
        }

        /* a run may say that it has 2^32 of them, of no bytes */

        if (m->samples == 0) {
            ngx_media_vod_blob_note(&m->blob, "moof: too many samples in all,"
                                    " offset:%llu", (unsigned long long)
                                    m->file.box.offset);
            return NGX_DONE;
        }
    }

    if (rc != NGX_DONE) {
        ngx_media_vod_mp4_note(&m->blob, &m->error);
        return NGX_DONE;
    }

    m->blob.offset = m->file.resume;

    return m->blob.nomem ? NGX_DONE : NGX_OK;
}


/* what a fragment says lies behind it: NGX_DONE: there is nothing */

static ngx_int_t
ngx_media_vod_mp4_data(ngx_media_vod_mp4_t *m, uint64_t end)
{
    u_char    head[8];
    uint64_t  next;

    next = m->file.box.offset + m->file.box.size;

    if (end <= next || m->index->id.size - next < sizeof(head)) {
        return NGX_OK;
    }

    if (next >= m->start && next - m->start < m->len
        && m->len - (size_t) (next - m->start) >= sizeof(head))
    {
        ngx_memcpy(head, m->window + (size_t) (next - m->start),
                   sizeof(head));

    } else if (ngx_media_vod_index_read(m->index, head, sizeof(head), next,
                                        &m->result)
               != NGX_OK)
    {
        m->blob.nomem = (m->result == NULL);
        return NGX_DONE;
    }

    if (ngx_media_get_be32(head) != sizeof(head)
        || ngx_media_get_be32(head + 4)
           != ngx_media_fourcc('m', 'd', 'a', 't'))
    {
        return NGX_OK;
    }

    ngx_media_vod_blob_note(&m->blob, "moof: its mdat is empty, offset:%llu",
                            (unsigned long long) m->file.box.offset);

    return NGX_DONE;
}


/* that of an encrypted entry has no parameters, it is left out anyway */

static ngx_uint_t
ngx_media_vod_mp4_is_clear(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    const ngx_media_index_sample_t *sample)
{
    ngx_media_vod_blob_track_t  *t;

    t = m->served[n];

    return t && sample->description && sample->description <= t->nparams
           && t->params[sample->description - 1].codec != 0;
}


/*
 * Segments of a live stream count from 1970.  Whole seconds are taken away,
 * the same of all tracks, so they stay in step to the tick; the first sample
 * may not be the earliest, so one more is left.
 */

static void
ngx_media_vod_mp4_time(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    ngx_media_index_sample_t *sample)
{
    int64_t                      seconds;
    ngx_media_vod_blob_track_t  *t;

    if (!m->timed) {
        m->timed = 1;

        t = m->served[n];
        seconds = sample->dts / m->tracks[n].timescale;

        if (seconds > NGX_MEDIA_VOD_EPOCH && seconds <= INT32_MAX
            && (t == NULL || t->start / m->tracks[n].timescale
                             < NGX_MEDIA_VOD_EPOCH))
        {
            m->epoch = seconds - 1;
        }
    }

    sample->dts -= m->epoch * m->tracks[n].timescale;
}


/* NGX_DECLINED: the track ends before it */

static ngx_int_t
ngx_media_vod_mp4_add(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    const ngx_media_index_sample_t *sample)
{
    ngx_media_vod_blob_track_t  *t;

    t = m->served[n];

    if (m->samples == 0) {

        if (!t->drop) {
            ngx_media_vod_blob_note(&m->blob, "%s: too many samples in all",
                                    t->name);
            t->drop = 1;
        }

        return NGX_ERROR;
    }

    m->samples--;

    if (t->drop) {
        return NGX_ERROR;
    }

    if (!ngx_media_vod_mp4_is_served(m, n, sample)) {
        return t->build.n + t->build.index.nblocks ? NGX_DECLINED : NGX_OK;
    }

    if (t->pending && sample->key && sample->description
        && (t->pending >> (sample->description - 1) & 1))
    {
        ngx_media_vod_mp4_sets(m, n, sample);
    }

    return ngx_media_vod_blob_add(t, sample);
}


/*
 * Whether its description is.  Where it is not a track begins later, or ends:
 * a film with a clear lead, whose rest is encrypted
 */

static ngx_uint_t
ngx_media_vod_mp4_is_served(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    const ngx_media_index_sample_t *sample)
{
    uint32_t                     i;
    ngx_media_vod_blob_track_t  *t;

    t = m->served[n];
    i = sample->description - 1;

    if (sample->description == 0 || i >= t->nparams || t->params[i].codec
        || ((t->pending >> i & 1) && m->keys[n] < NGX_MEDIA_VOD_SETS))
    {
        return 1;
    }

    if (!m->noted[n]) {
        m->noted[n] = 1;

        ngx_media_vod_blob_note(&m->blob, "%s: samples of description %u are"
                                " not served, offset:%llu", t->name,
                                (unsigned) i + 1,
                                (unsigned long long) sample->offset);
    }

    return 0;
}


/* a configuration leaves its parameter sets to the first key frame */

static void
ngx_media_vod_mp4_sets(ngx_media_vod_mp4_t *m, ngx_uint_t n,
    const ngx_media_index_sample_t *sample)
{
    size_t             size;
    u_char            *p;
    ngx_media_span_t   span;

    if (m->keys[n] == NGX_MEDIA_VOD_SETS || m->result != NULL
        || sample->offset > m->index->id.size
        || m->index->id.size - sample->offset < sample->size)
    {
        return;
    }

    m->keys[n]++;

    size = ngx_min(sample->size, NGX_MEDIA_VOD_WINDOW);

    p = malloc(size ? size : 1);

    if (p == NULL) {
        m->blob.nomem = 1;
        return;
    }

    if (ngx_media_vod_index_read(m->index, p, size, sample->offset,
                                 &m->result)
        == NGX_OK)
    {
        span.pos = p;
        span.last = p + size;

        (void) ngx_media_vod_mp4_complete(m->served[n], &m->moov,
                                          &m->tracks[n], sample->description,
                                          &span);

    } else if (m->result == NULL) {
        m->blob.nomem = 1;
    }

    free(p);
}


static void
ngx_media_vod_mp4_pending(ngx_media_vod_mp4_t *m)
{
    ngx_uint_t                   n;
    ngx_media_vod_blob_track_t  *t;

    for (n = 0; n < m->moov.ntracks; n++) {
        t = m->served[n];

        if (t && t->pending && !t->drop) {
            ngx_media_vod_blob_note(&m->blob, "%s: no parameter sets, neither"
                                    " in its description nor in key frames",
                                    t->name);
        }
    }
}


/* what stays as it is while fragments are appended */

static void
ngx_media_vod_mp4_tag(ngx_media_vod_mp4_t *m)
{
    uint64_t  parts[4];

    parts[0] = m->index->id.dev;
    parts[1] = m->index->id.ino;
    parts[2] = m->blob.tag;                   /* of moov */
    parts[3] = m->moof;

    m->blob.tag = ngx_media_hash((u_char *) parts, sizeof(parts));
    m->blob.fragmented = !m->complete;
    m->blob.fragments = 1;
}
