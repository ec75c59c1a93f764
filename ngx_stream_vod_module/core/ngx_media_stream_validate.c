
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_form.h"
#include "core/ngx_media_stream_validate.h"


#if (NGX_DEBUG)


static ngx_uint_t ngx_media_track_validate(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t);
static ngx_uint_t ngx_media_forms_validate(ngx_media_zone_t *zone,
    uint32_t stream, ngx_media_track_shm_t *t, uint64_t number);
static ngx_uint_t ngx_media_parts_validate(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
static ngx_uint_t ngx_media_range_validate(ngx_media_zone_t *zone,
    uint32_t stream, const ngx_media_range_t *range);
static ngx_uint_t ngx_media_data_validate(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static ngx_uint_t ngx_media_extent_refs(ngx_media_stream_shm_t *s,
    uint32_t extent);


ngx_uint_t
ngx_media_stream_validate_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    uint32_t                 e, index;
    ngx_uint_t               i, n;
    ngx_media_track_shm_t   *t;
    ngx_media_extent_shm_t  *extent;

    index = ngx_media_stream_index(zone, s);
    n = 0;

    ngx_media_must(zone, n, s->pid == 0 || s->claimed == s->epoch,
                   "epoch of a publisher", s->epoch);

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL) {
            continue;
        }

        ngx_media_must(zone, n, ngx_media_block_valid(zone, t),
                       "track of a stream", i);

        if (ngx_media_block_valid(zone, t)) {
            n += ngx_media_track_validate(zone, s, t);
        }
    }

    if (s->data) {
        n += ngx_media_data_validate(zone, s);
    }

    if (n) {
        return n;
    }

    for (e = 0; e < zone->sh->used_extents; e++) {
        extent = &zone->sh->extents[e];

        if (extent->state == NGX_MEDIA_EXTENT_USED
            && extent->owner == index)
        {
            ngx_media_must(zone, n,
                           extent->refs == ngx_media_extent_refs(s, e),
                           "references to an extent", e);
            ngx_media_must(zone, n, extent->refs > 0,
                           "an extent that nobody needs", e);
        }
    }

    return n;
}


static ngx_uint_t
ngx_media_track_validate(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s,
    ngx_media_track_shm_t *t)
{
    uint64_t                  i;
    uint32_t                  index;
    ngx_uint_t                n;
    ngx_media_segment_shm_t  *segment;

    index = ngx_media_stream_index(zone, s);
    n = 0;

    ngx_media_must(zone, n,
                   t->segment_tail <= t->segment_closed
                   && t->segment_closed <= t->segment_head
                   && t->segment_head <= t->segment_closed + 1
                   && t->segment_head - t->segment_tail <= t->segment_size,
                   "ring of segments", t->segment_head);
    ngx_media_must(zone, n,
                   t->part_tail <= t->part_head
                   && t->part_head - t->part_tail <= t->part_size,
                   "ring of parts", t->part_head);

    if (n) {
        return n;
    }

    for (i = t->segment_tail; i < t->segment_head; i++) {
        segment = ngx_media_segment_record(t, i);

        ngx_media_must(zone, n, segment->number == i,
                       "number of a segment", i);

        n += ngx_media_forms_validate(zone, index, t, i);

        ngx_media_must(zone, n,
                       (segment->nparts == 0)
                       == ((segment->flags & NGX_MEDIA_SEGMENT_GAP) != 0),
                       "parts of a segment", i);
        ngx_media_must(zone, n, i < s->number,
                       "number of the next segment", i);

        if (i > t->segment_tail) {
            ngx_media_must(zone, n,
                           segment->time
                           >= ngx_media_segment_record(t, i - 1)->time,
                           "time of a segment", i);
        }
    }

    return n + ngx_media_parts_validate(zone, t);
}


/* of a segment */

static ngx_uint_t
ngx_media_forms_validate(ngx_media_zone_t *zone, uint32_t stream,
    ngx_media_track_shm_t *t, uint64_t number)
{
    uint64_t              bytes;
    ngx_uint_t            form, k, n;
    ngx_media_form_ref_t  ref;

    n = 0;

    for (form = 0; form < NGX_MEDIA_FORMS; form++) {

        if (ngx_media_form_ref_locked(t, form, number, &ref) != NGX_OK) {
            continue;
        }

        bytes = 0;

        ngx_media_must(zone, n, *ref.nranges <= NGX_MEDIA_RANGES,
                       "ranges of a segment", number);

        for (k = 0; k < *ref.nranges && k < NGX_MEDIA_RANGES; k++) {
            n += ngx_media_range_validate(zone, stream, &ref.ranges[k]);
            bytes += ref.ranges[k].size;
        }

        ngx_media_must(zone, n, bytes == *ref.bytes,
                       "bytes of a segment", number);
    }

    return n;
}


/* those of one segment follow one another, and are what it says */

static ngx_uint_t
ngx_media_parts_validate(ngx_media_zone_t *zone, ngx_media_track_shm_t *t)
{
    uint64_t                  i, k, bytes, duration;
    ngx_uint_t                n;
    ngx_media_part_shm_t     *part;
    ngx_media_segment_shm_t  *segment;

    n = 0;

    for (i = t->segment_tail; i < t->segment_head; i++) {
        segment = ngx_media_segment_record(t, i);

        if (segment->part < t->part_tail) {
            continue;
        }

        ngx_media_must(zone, n,
                       segment->part + segment->nparts <= t->part_head,
                       "parts behind the ring", i);

        bytes = 0;
        duration = 0;

        for (k = 0; k < segment->nparts; k++) {
            part = ngx_media_part_record(t, segment->part + k);
            bytes += part->range.size;
            duration += part->duration;

            ngx_media_must(zone, n, part->number == i && part->part == k,
                           "number of a part", i);
        }

        ngx_media_must(zone, n, bytes == segment->bytes,
                       "bytes of parts", i);
        ngx_media_must(zone, n,
                       duration == segment->duration || segment->nparts == 0,
                       "duration of parts", i);
    }

    if (t->part_head > t->part_tail) {
        part = ngx_media_part_record(t, t->part_head - 1);

        ngx_media_must(zone, n,
                       t->edge == ngx_media_edge(part->number, part->part),
                       "edge", part->number);
    }

    return n;
}


static ngx_uint_t
ngx_media_range_validate(ngx_media_zone_t *zone, uint32_t stream,
    const ngx_media_range_t *range)
{
    ngx_uint_t               n;
    ngx_media_extent_shm_t  *e;

    n = 0;

    if (range->extent >= zone->sh->nextents) {
        ngx_media_must(zone, n, 0, "extent of a range", range->extent);
        return n;
    }

    e = &zone->sh->extents[range->extent];

    ngx_media_must(zone, n,
                   e->state == NGX_MEDIA_EXTENT_USED && e->owner == stream
                   && ngx_media_load(&e->id) == range->id,
                   "extent of a range", range->extent);
    ngx_media_must(zone, n,
                   range->offset >= (uint64_t) e->page * NGX_MEDIA_PAGE
                   && range->offset + range->size
                      <= ((uint64_t) e->page + e->pages) * NGX_MEDIA_PAGE,
                   "place of a range", range->extent);

    return n;
}


static ngx_uint_t
ngx_media_data_validate(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    uint64_t                            head, tail;
    ngx_uint_t                          i, n;
    const ngx_media_data_record_shm_t  *record;

    n = 0;
    head = 0;
    tail = UINT64_MAX;

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &s->data->records[i];

        if (record->seq) {
            head = ngx_max(head, record->offset + record->size);
            tail = ngx_min(tail, record->offset);

            ngx_media_must(zone, n, record->seq <= s->data->seq,
                           "number of timed data", i);
        }
    }

    ngx_media_must(zone, n,
                   tail == UINT64_MAX || head - tail <= NGX_MEDIA_DATA_BYTES,
                   "bytes of timed data", head);

    return n;
}


static ngx_uint_t
ngx_media_extent_refs(ngx_media_stream_shm_t *s, uint32_t extent)
{
    uint64_t                i;
    ngx_uint_t              form, k, n, refs;
    ngx_media_form_ref_t    ref;
    ngx_media_track_shm_t  *t;
    ngx_media_place_shm_t  *place;

    refs = 0;

    for (n = 0; n < s->ntracks * NGX_MEDIA_FORMS; n++) {
        t = s->tracks[n / NGX_MEDIA_FORMS];
        form = n % NGX_MEDIA_FORMS;

        place = t ? ngx_media_form_place_locked(t, form) : NULL;

        if (place == NULL) {
            continue;
        }

        refs += place->extent == extent;

        for (i = t->segment_tail; i < t->segment_head; i++) {

            if (ngx_media_form_ref_locked(t, form, i, &ref) != NGX_OK) {
                continue;
            }

            for (k = 0; k < *ref.nranges; k++) {
                refs += ref.ranges[k].extent == extent;
            }
        }
    }

    if (s->tail) {
        refs += s->tail->extent == extent;
    }

    return refs;
}


#endif
