
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_stream.h"
#include "core/ngx_media_validate.h"


#if (NGX_DEBUG)


#define ngx_media_must(zone, n, expr, what, value)                            \
    do {                                                                      \
        if (!(expr)) {                                                        \
            (n)++;                                                            \
            ngx_log_error(NGX_LOG_ALERT, (zone)->log, 0,                      \
                          "media books: " what ", at:%uL",                    \
                          (uint64_t) (value));                                \
            ngx_debug_point();                                                \
        }                                                                     \
    } while (0)


/* sums of the table of extents */

typedef struct {
    uint64_t                  reserved;       /* pages */
    uint64_t                  pages;          /* committed */
    uint64_t                  limbo;          /* extents */
} ngx_media_zone_sum_t;


static ngx_uint_t ngx_media_extent_validate(ngx_media_zone_t *zone,
    uint32_t extent, ngx_media_zone_sum_t *sum);
static ngx_uint_t ngx_media_blocks_validate(ngx_media_zone_t *zone);
static ngx_uint_t ngx_media_track_validate(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t);
static ngx_uint_t ngx_media_parts_validate(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
static ngx_uint_t ngx_media_range_validate(ngx_media_zone_t *zone,
    uint32_t stream, const ngx_media_range_t *range);
static ngx_uint_t ngx_media_extent_refs(ngx_media_stream_shm_t *s,
    uint32_t extent);


ngx_uint_t
ngx_media_zone_validate(ngx_media_zone_t *zone)
{
    ngx_uint_t  n;

    ngx_media_zone_lock(zone);

    n = ngx_media_zone_validate_locked(zone);

    ngx_media_zone_unlock(zone);

    return n;
}


ngx_uint_t
ngx_media_zone_validate_locked(ngx_media_zone_t *zone)
{
    uint32_t               i;
    uint64_t               limbo, pages;
    ngx_uint_t             n;
    ngx_media_zone_sum_t   sum;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;
    n = 0;

    ngx_memzero(&sum, sizeof(ngx_media_zone_sum_t));

    for (i = 0; i < sh->nextents; i++) {
        n += ngx_media_extent_validate(zone, i, &sum);
    }

    ngx_media_must(zone, n, sum.pages == sh->pages,
                   "committed pages", sh->pages);
    ngx_media_must(zone, n, sh->pages <= sh->limit,
                   "pages above the limit", sh->pages);
    ngx_media_must(zone, n,
                   sum.reserved + ngx_media_buddy_count(&sh->buddy)
                   == sh->buddy.pages,
                   "reserved pages", sum.reserved);

    pages = sh->orphans;

    for (i = 0; i < sh->nstreams; i++) {
        pages += sh->streams[i].pages;
    }

    ngx_media_must(zone, n, pages == sh->pages, "pages of streams", pages);

    limbo = 0;

    for (i = sh->limbo;
         i < sh->nextents && limbo <= sum.limbo;
         i = sh->extents[i].next)
    {
        ngx_media_must(zone, n,
                       sh->extents[i].state == NGX_MEDIA_EXTENT_LIMBO,
                       "list of limbo", i);
        limbo++;
    }

    ngx_media_must(zone, n, limbo == sum.limbo, "length of limbo", limbo);

    return n + ngx_media_blocks_validate(zone);
}


static ngx_uint_t
ngx_media_extent_validate(ngx_media_zone_t *zone, uint32_t extent,
    ngx_media_zone_sum_t *sum)
{
    ngx_uint_t               n;
    ngx_media_zone_shm_t    *sh;
    ngx_media_extent_shm_t  *e;

    sh = zone->sh;
    e = &sh->extents[extent];
    n = 0;

    ngx_media_must(zone, n,
                   ngx_media_bitmap_test(&sh->free_extents, extent)
                   == (e->state == NGX_MEDIA_EXTENT_FREE),
                   "set of free extents", extent);

    if (e->state == NGX_MEDIA_EXTENT_FREE) {
        ngx_media_must(zone, n, e->id == 0 && e->pages == 0,
                       "a free extent", extent);
        return n;
    }

    ngx_media_must(zone, n, e->state <= NGX_MEDIA_EXTENT_PUNCH,
                   "state of an extent", extent);
    ngx_media_must(zone, n,
                   e->state == NGX_MEDIA_EXTENT_USED
                   || ngx_media_load(&e->id) == 0,
                   "id of an extent in limbo", extent);
    ngx_media_must(zone, n, extent < sh->used_extents,
                   "high-water mark of extents", extent);
    ngx_media_must(zone, n,
                   e->stream < sh->nstreams
                   || (e->stream == NGX_MEDIA_NONE
                       && e->state != NGX_MEDIA_EXTENT_USED),
                   "stream of an extent", extent);
    ngx_media_must(zone, n,
                   e->order <= sh->buddy.top
                   && e->page % ((uint64_t) 1 << e->order) == 0
                   && e->page + ((uint64_t) 1 << e->order)
                      <= sh->buddy.pages,
                   "place of an extent", extent);
    ngx_media_must(zone, n, e->pages <= (uint64_t) 1 << e->order,
                   "size of an extent", extent);

    sum->reserved += (uint64_t) 1 << e->order;
    sum->pages += e->pages;
    sum->limbo += e->state == NGX_MEDIA_EXTENT_LIMBO;

    return n;
}


static ngx_uint_t
ngx_media_blocks_validate(ngx_media_zone_t *zone)
{
    ngx_uint_t             i, n;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;
    n = 0;

    for (i = 0; i < sh->nblocks; i++) {
        ngx_media_must(zone, n,
                       ngx_media_bitmap_test(&sh->free_blocks, i)
                       == (sh->owners[i] == 0),
                       "set of free blocks", i);
        ngx_media_must(zone, n, sh->owners[i] <= sh->nstreams,
                       "owner of a block", i);
    }

    return n;
}


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

    if (n) {
        return n;
    }

    for (e = 0; e < zone->sh->used_extents; e++) {
        extent = &zone->sh->extents[e];

        if (extent->state == NGX_MEDIA_EXTENT_USED
            && extent->stream == index)
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
    uint64_t                  bytes, i;
    uint32_t                  index;
    ngx_uint_t                k, n;
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
        bytes = 0;

        ngx_media_must(zone, n, segment->number == i,
                       "number of a segment", i);
        ngx_media_must(zone, n, segment->nranges <= NGX_MEDIA_RANGES,
                       "ranges of a segment", i);

        for (k = 0; k < segment->nranges && k < NGX_MEDIA_RANGES; k++) {
            n += ngx_media_range_validate(zone, index, &segment->ranges[k]);
            bytes += segment->ranges[k].size;
        }

        ngx_media_must(zone, n, bytes == segment->bytes,
                       "bytes of a segment", i);
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
                   e->state == NGX_MEDIA_EXTENT_USED && e->stream == stream
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
ngx_media_extent_refs(ngx_media_stream_shm_t *s, uint32_t extent)
{
    uint64_t                  i;
    ngx_uint_t                k, refs, track;
    ngx_media_track_shm_t    *t;
    ngx_media_segment_shm_t  *segment;

    refs = 0;

    for (track = 0; track < s->ntracks; track++) {
        t = s->tracks[track];

        if (t == NULL) {
            continue;
        }

        refs += t->extent == extent;

        for (i = t->segment_tail; i < t->segment_head; i++) {
            segment = ngx_media_segment_record(t, i);

            for (k = 0; k < segment->nranges; k++) {
                refs += segment->ranges[k].extent == extent;
            }
        }
    }

    return refs;
}


#endif
