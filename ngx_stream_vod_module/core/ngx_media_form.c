
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_form.h"


static ngx_int_t ngx_media_form_get(const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_uint_t form, ngx_media_track_shm_t **t,
    ngx_media_form_shm_t *copy);
static ngx_uint_t ngx_media_form_alive(const ngx_media_stream_t *stream,
    ngx_uint_t track);
static ngx_media_form_segment_shm_t *ngx_media_form_segment_record(
    const ngx_media_zone_t *zone, const ngx_media_form_shm_t *f, uint64_t n);
static ngx_media_form_part_shm_t *ngx_media_form_part_record(
    const ngx_media_zone_t *zone, const ngx_media_form_shm_t *f, uint64_t n);
static void *ngx_media_form_page(const ngx_media_claim_t *claim, void **page);


/*
 * Readers: what is copied is judged afterwards, as in ngx_media_read.c.  NULL
 * in place of a zone below: under the lock all pages are its own.
 */


ngx_int_t
ngx_media_form_segment(const ngx_media_stream_t *stream, ngx_uint_t track,
    ngx_uint_t form, uint64_t number, ngx_media_segment_t *segment)
{
    uint64_t                       size;
    ngx_int_t                      rc;
    ngx_media_form_shm_t           f;
    ngx_media_track_shm_t         *t;
    ngx_media_form_segment_shm_t  *record, copy;

    rc = ngx_media_track_segment(stream, track, number, segment);

    if (rc != NGX_OK || form == 0 || segment->gap) {
        return rc;
    }

    rc = ngx_media_form_get(stream, track, form, &t, &f);

    if (rc != NGX_OK) {
        return rc;
    }

    size = ngx_media_load(&t->segment_size);
    record = size ? ngx_media_form_segment_record(stream->zone, &f,
                                                  number % size)
                  : NULL;

    if (record == NULL) {
        return ngx_media_form_alive(stream, track) ? NGX_DECLINED : NGX_DONE;
    }

    copy = *record;

    ngx_media_fence_acquire();

    if (ngx_media_load(&t->segment_tail) > number
        || !ngx_media_form_alive(stream, track))
    {
        return NGX_DONE;
    }

    if (copy.number != number) {
        return NGX_DECLINED;
    }

    segment->init = copy.init;
    segment->key_size = copy.key_size;

    if (!segment->open) {
        segment->bytes = copy.bytes;
        segment->nranges = ngx_min(copy.nranges, NGX_MEDIA_RANGES);
        ngx_memcpy(segment->ranges, copy.ranges, sizeof(copy.ranges));
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_form_part(const ngx_media_stream_t *stream, ngx_uint_t track,
    ngx_uint_t form, uint64_t number, ngx_uint_t part, ngx_media_part_t *copy)
{
    uint64_t                    n, size, tail;
    ngx_int_t                   rc;
    ngx_media_form_shm_t        f;
    ngx_media_track_shm_t      *t;
    ngx_media_form_part_shm_t  *record, entry;

    rc = ngx_media_track_part(stream, track, number, part, copy);

    if (rc != NGX_OK || form == 0) {
        return rc;
    }

    rc = ngx_media_form_get(stream, track, form, &t, &f);

    if (rc != NGX_OK) {
        return rc;
    }

    size = ngx_media_load(&t->part_size);
    tail = ngx_media_load(&t->part_tail);

    /* it is where form 0 has it: among so many, the one that says so */

    for (n = ngx_media_load(&t->part_head); size && n > tail; n--) {
        record = ngx_media_form_part_record(stream->zone, &f, (n - 1) % size);

        if (record == NULL) {
            continue;
        }

        entry = *record;

        ngx_media_fence_acquire();

        if (entry.number != number || entry.part != part) {
            continue;
        }

        if (ngx_media_load(&t->part_tail) > n - 1
            || !ngx_media_form_alive(stream, track))
        {
            return NGX_DONE;
        }

        copy->range = entry.range;

        return NGX_OK;
    }

    return ngx_media_form_alive(stream, track) ? NGX_DECLINED : NGX_DONE;
}


static ngx_int_t
ngx_media_form_get(const ngx_media_stream_t *stream, ngx_uint_t track,
    ngx_uint_t form, ngx_media_track_shm_t **t, ngx_media_form_shm_t *copy)
{
    ngx_media_form_shm_t  *f;

    *t = ngx_media_load(&stream->sh->tracks[ngx_media_track_place(track)]);

    if (!ngx_media_form_alive(stream, track)
        || !ngx_media_block_valid(stream->zone, *t))
    {
        return NGX_DONE;
    }

    f = form < NGX_MEDIA_FORMS ? ngx_media_load(&(*t)->forms[form]) : NULL;

    if (!ngx_media_block_valid(stream->zone, f)) {
        return ngx_media_form_alive(stream, track) ? NGX_DECLINED : NGX_DONE;
    }

    *copy = *f;

    return ngx_media_form_alive(stream, track) ? NGX_OK : NGX_DONE;
}


static ngx_uint_t
ngx_media_form_alive(const ngx_media_stream_t *stream, ngx_uint_t track)
{
    ngx_media_fence_acquire();

    return ngx_media_load(&stream->sh->id) == stream->id
           && ngx_media_load(&stream->sh->uses[ngx_media_track_place(track)])
              == ngx_media_track_uses(track);
}


static ngx_media_form_segment_shm_t *
ngx_media_form_segment_record(const ngx_media_zone_t *zone,
    const ngx_media_form_shm_t *f, uint64_t n)
{
    uint64_t                       page;
    ngx_media_form_segment_shm_t  *records;

    page = n / NGX_MEDIA_FORM_SEGMENT_PER_PAGE;

    if (page >= NGX_MEDIA_SEGMENT_PAGES
        || (zone && !ngx_media_block_valid(zone, f->segments)))
    {
        return NULL;
    }

    records = ngx_media_load(&f->segments[page]);

    if (records == NULL || (zone && !ngx_media_block_valid(zone, records))) {
        return NULL;
    }

    return &records[n % NGX_MEDIA_FORM_SEGMENT_PER_PAGE];
}


static ngx_media_form_part_shm_t *
ngx_media_form_part_record(const ngx_media_zone_t *zone,
    const ngx_media_form_shm_t *f, uint64_t n)
{
    uint64_t                    page;
    ngx_media_form_part_shm_t  *records;

    page = n / NGX_MEDIA_FORM_PART_PER_PAGE;

    if (page >= NGX_MEDIA_SEGMENT_PAGES
        || (zone && !ngx_media_block_valid(zone, f->parts)))
    {
        return NULL;
    }

    records = ngx_media_load(&f->parts[page]);

    if (records == NULL || (zone && !ngx_media_block_valid(zone, records))) {
        return NULL;
    }

    return &records[n % NGX_MEDIA_FORM_PART_PER_PAGE];
}


ngx_media_place_shm_t *
ngx_media_form_place_locked(ngx_media_track_shm_t *t, ngx_uint_t form)
{
    if (form == 0) {
        return &t->place;
    }

    return t->forms[form] ? &t->forms[form]->place : NULL;
}


ngx_int_t
ngx_media_form_ref_locked(ngx_media_track_shm_t *t, ngx_uint_t form,
    uint64_t number, ngx_media_form_ref_t *ref)
{
    ngx_media_segment_shm_t       *segment;
    ngx_media_form_segment_shm_t  *record;

    if (form == 0) {
        segment = ngx_media_segment_record(t, number);

        ref->bytes = &segment->bytes;
        ref->nranges = &segment->nranges;
        ref->ranges = segment->ranges;

        return NGX_OK;
    }

    if (t->forms[form] == NULL) {
        return NGX_DECLINED;
    }

    record = ngx_media_form_segment_record(NULL, t->forms[form],
                                           number % t->segment_size);

    if (record == NULL || record->number != number) {
        return NGX_DECLINED;
    }

    ref->bytes = &record->bytes;
    ref->nranges = &record->nranges;
    ref->ranges = record->ranges;

    return NGX_OK;
}


ngx_media_range_t *
ngx_media_form_range_locked(ngx_media_track_shm_t *t, ngx_uint_t form,
    uint64_t index)
{
    ngx_media_part_shm_t       *part;
    ngx_media_form_part_shm_t  *record;

    part = ngx_media_part_record(t, index);

    if (form == 0) {
        return &part->range;
    }

    if (t->forms[form] == NULL) {
        return NULL;
    }

    record = ngx_media_form_part_record(NULL, t->forms[form],
                                        index % t->part_size);

    return record && record->number == part->number
           && record->part == part->part ? &record->range : NULL;
}


void
ngx_media_form_append_locked(ngx_media_zone_t *zone,
    const ngx_media_form_ref_t *ref, const ngx_media_range_t *range,
    ngx_uint_t count)
{
    uint32_t            n;
    ngx_media_range_t  *last;

    n = *ref->nranges;
    last = n ? &ref->ranges[n - 1] : NULL;

    if (last && last->extent == range->extent) {
        last->size += range->size;

    } else if (n < NGX_MEDIA_RANGES) {

        if (count) {
            zone->sh->extents[range->extent].refs++;
        }

        ref->ranges[n] = *range;
        ngx_media_store(ref->nranges, n + 1);
    }

    *ref->bytes += range->size;
}


ngx_int_t
ngx_media_form_make_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_uint_t form)
{
    uint32_t               index;
    ngx_media_zone_t      *zone;
    ngx_media_form_shm_t  *f;

    if (form == 0 || t->forms[form]) {
        return NGX_OK;
    }

    zone = claim->stream.zone;
    index = ngx_media_stream_index(zone, claim->stream.sh);

    f = ngx_media_block_alloc(zone, index);
    if (f == NULL) {
        return NGX_ABORT;
    }

    f->place.extent = NGX_MEDIA_NONE;
    f->segments = ngx_media_block_alloc(zone, index);
    f->parts = ngx_media_block_alloc(zone, index);

    if (f->segments == NULL || f->parts == NULL) {

        if (f->segments) {
            ngx_media_block_free(zone, f->segments);
        }

        ngx_media_block_free(zone, f);
        return NGX_ABORT;
    }

    ngx_media_store(&t->forms[form], f);

    return NGX_OK;
}


ngx_int_t
ngx_media_form_rings_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_uint_t form, uint64_t number)
{
    void                  **page;
    ngx_media_form_shm_t   *f;

    if (form == 0) {
        return NGX_OK;
    }

    f = t->forms[form];

    page = (void **) &f->parts[t->part_head % t->part_size
                               / NGX_MEDIA_FORM_PART_PER_PAGE];

    if (ngx_media_form_page(claim, page) == NULL) {
        return NGX_ABORT;
    }

    page = (void **) &f->segments[number % t->segment_size
                                  / NGX_MEDIA_FORM_SEGMENT_PER_PAGE];

    return ngx_media_form_page(claim, page) ? NGX_OK : NGX_ABORT;
}


static void *
ngx_media_form_page(const ngx_media_claim_t *claim, void **page)
{
    void              *p;
    ngx_media_zone_t  *zone;

    if (*page) {
        return *page;
    }

    zone = claim->stream.zone;

    p = ngx_media_block_alloc(zone,
                              ngx_media_stream_index(zone, claim->stream.sh));
    if (p) {
        ngx_media_store(page, p);
    }

    return p;
}


void
ngx_media_form_write_locked(ngx_media_zone_t *zone, ngx_media_track_shm_t *t,
    ngx_uint_t form, uint64_t init, const ngx_media_part_shm_t *part,
    uint32_t key_size)
{
    ngx_media_form_shm_t          *f;
    ngx_media_form_ref_t           ref;
    ngx_media_form_part_shm_t     *entry;
    ngx_media_form_segment_shm_t  *record;

    f = t->forms[form];

    entry = ngx_media_form_part_record(NULL, f, t->part_head % t->part_size);

    entry->number = part->number;
    entry->part = part->part;
    entry->range = part->range;

    record = ngx_media_form_segment_record(NULL, f,
                                           part->number % t->segment_size);

    if (record->number != part->number) {
        ngx_memzero(record, sizeof(ngx_media_form_segment_shm_t));
        record->init = init;
        ngx_media_store(&record->number, part->number);
    }

    if (key_size) {
        record->key_size = key_size;
    }

    ref.bytes = &record->bytes;
    ref.nranges = &record->nranges;
    ref.ranges = record->ranges;

    ngx_media_form_append_locked(zone, &ref, &part->range, 1);

    f->place.largest = ngx_max(f->place.largest, record->bytes);
}


void
ngx_media_forms_free(ngx_media_zone_t *zone, ngx_media_track_shm_t *t)
{
    ngx_uint_t             i, k;
    ngx_media_form_shm_t  *f;

    for (i = 1; i < NGX_MEDIA_FORMS; i++) {
        f = t->forms[i];

        if (f == NULL) {
            continue;
        }

        for (k = 0; k < NGX_MEDIA_SEGMENT_PAGES; k++) {

            if (f->segments[k]) {
                ngx_media_block_free(zone, f->segments[k]);
            }

            if (f->parts[k]) {
                ngx_media_block_free(zone, f->parts[k]);
            }
        }

        ngx_media_block_free(zone, f->segments);
        ngx_media_block_free(zone, f->parts);
        ngx_media_block_free(zone, f);
    }
}
