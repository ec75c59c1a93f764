
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Reading without a lock.  A reader may be overtaken at any moment: by the
 * writer (an entry is given up: its tail has moved), or by the end of the
 * stream (its id has gone, and its pages may already be somebody else's).  So
 * every entry is copied first and judged afterwards, and a pointer that was
 * read from a page is followed only if it points to a page.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"
#include "core/ngx_media_store_shm.h"


/* how often a view is begun anew because the window moved on under it */
#define NGX_MEDIA_VIEW_TRIES  8


static ngx_int_t ngx_media_stream_lookup(ngx_media_zone_t *zone,
    ngx_str_t *name, uint32_t hash, ngx_media_stream_t *stream);
static ngx_uint_t ngx_media_stream_alive(const ngx_media_stream_t *stream);
static ngx_uint_t ngx_media_track_alive(const ngx_media_track_ref_t *ref);
static ngx_int_t ngx_media_track_open(const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_media_track_ref_t *ref);
static ngx_uint_t ngx_media_init_alive(const ngx_media_track_ref_t *ref,
    ngx_uint_t i, const ngx_media_init_shm_t *init, uint64_t name);
static ngx_int_t ngx_media_segment_copy(const ngx_media_track_ref_t *ref,
    uint64_t number, ngx_media_segment_shm_t *copy);
static ngx_int_t ngx_media_part_copy(const ngx_media_track_ref_t *ref,
    uint64_t index, ngx_media_part_shm_t *copy);
static void ngx_media_segment_export(const ngx_media_segment_shm_t *entry,
    ngx_uint_t open, const ngx_media_heads_t *heads,
    ngx_media_segment_t *segment);
static void ngx_media_part_export(const ngx_media_part_shm_t *entry,
    ngx_media_part_t *part);
static ngx_uint_t ngx_media_stream_offers(const ngx_media_stream_shm_t *s);
static ngx_int_t ngx_media_stream_look(const ngx_media_stream_t *stream,
    ngx_pool_t *pool, ngx_uint_t track, ngx_media_stream_view_t *view);
static void ngx_media_stream_order(ngx_media_stream_view_t *view);
static ngx_int_t ngx_media_track_view_attributes(
    const ngx_media_track_shm_t *t, ngx_pool_t *pool,
    ngx_media_track_view_t *view);
static ngx_int_t ngx_media_track_view(const ngx_media_stream_t *stream,
    ngx_pool_t *pool, ngx_uint_t track, ngx_uint_t fill, uint64_t listed,
    ngx_media_track_view_t *view);
static ngx_int_t ngx_media_track_view_segments(
    const ngx_media_track_ref_t *ref, ngx_pool_t *pool, uint64_t listed,
    ngx_media_track_view_t *view);
static ngx_int_t ngx_media_track_view_parts(const ngx_media_track_ref_t *ref,
    ngx_pool_t *pool, ngx_media_track_view_t *view);
static ngx_int_t ngx_media_track_view_inits(const ngx_media_track_ref_t *ref,
    ngx_pool_t *pool, ngx_media_track_view_t *view);
static ngx_media_init_shm_t *ngx_media_track_view_init(
    const ngx_media_track_ref_t *ref, ngx_uint_t i,
    const ngx_media_track_view_t *view, uint64_t *name);


uint32_t
ngx_media_stream_hash(ngx_str_t *name)
{
    uint32_t  hash;

    hash = (uint32_t) ngx_media_hash(name->data, name->len);

    return hash ? hash : 1;
}


ngx_int_t
ngx_media_stream_find(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_stream_t *stream)
{
    uint32_t                hash;
    uint64_t                changes;
    ngx_media_store_shm_t  *store;

    if (name->len > NGX_MEDIA_NAME_MAX) {
        return NGX_DECLINED;
    }

    store = zone->store;
    hash = ngx_media_stream_hash(name);

    do {
        changes = ngx_media_load(&store->changes);

        if (ngx_media_stream_lookup(zone, name, hash, stream) == NGX_OK) {
            return NGX_OK;
        }

        ngx_media_fence_acquire();

    } while (ngx_media_load(&store->changes) != changes);

    return NGX_DECLINED;
}


static ngx_int_t
ngx_media_stream_lookup(ngx_media_zone_t *zone, ngx_str_t *name,
    uint32_t hash, ngx_media_stream_t *stream)
{
    uint32_t                 i, n;
    uint64_t                 id;
    ngx_media_store_shm_t   *store;
    ngx_media_stream_shm_t  *s;

    store = zone->store;

    /* a list that changes under the reader may lead it in a circle */

    n = 0;

    for (i = ngx_media_load(&store->lists[hash & (store->nlists - 1)]);
         i && n++ < store->nstreams;
         i = ngx_media_load(&store->nexts[i - 1]))
    {
        if (ngx_media_peek(&store->hashes[i - 1]) != hash) {
            continue;
        }

        s = ngx_media_stream_record(zone, i - 1);
        id = ngx_media_load(&s->id);

        if (id == 0
            || s->name_len != name->len
            || ngx_memcmp(s->name, name->data, name->len) != 0)
        {
            continue;
        }

        ngx_media_fence_acquire();

        if (ngx_media_load(&s->id) != id) {
            continue;
        }

        stream->zone = zone;
        stream->sh = s;
        stream->id = id;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


uint64_t
ngx_media_stream_version(const ngx_media_stream_t *stream)
{
    uint64_t  version;

    version = ngx_media_load(&stream->sh->notify.version);

    return ngx_media_stream_alive(stream) ? version : 0;
}


ngx_uint_t
ngx_media_stream_state(const ngx_media_stream_t *stream)
{
    ngx_uint_t  state;

    state = ngx_media_load(&stream->sh->state);

    return ngx_media_stream_alive(stream) ? state : 0;
}


uint32_t
ngx_media_stream_part_target(const ngx_media_stream_t *stream)
{
    return stream->sh->part_target;
}


/* others have the line, too: it is written once a second */

void
ngx_media_stream_ask(const ngx_media_stream_t *stream, ngx_media_ask_e what)
{
    ngx_msec_t      until;
    ngx_msec_int_t  more;

    until = ngx_current_msec + NGX_MEDIA_ASKED;
    more = (ngx_msec_int_t)
           (until - (ngx_msec_t) ngx_media_peek(&stream->sh->asked[what]));

    if (more >= 1000 && ngx_media_stream_alive(stream)) {
        ngx_media_store(&stream->sh->asked[what], (uint64_t) until);
    }
}


ngx_uint_t
ngx_media_stream_asked(const ngx_media_stream_t *stream,
    ngx_media_ask_e what)
{
    ngx_msec_t  until;

    until = (ngx_msec_t) ngx_media_peek(&stream->sh->asked[what]);

    return until && (ngx_msec_int_t) (until - ngx_current_msec) > 0;
}


/* of the publisher of now, bits */

static ngx_uint_t
ngx_media_stream_offers(const ngx_media_stream_shm_t *s)
{
    ngx_uint_t  bits, i;

    bits = 0;

    for (i = 0; i < NGX_MEDIA_ASKS; i++) {
        if (ngx_media_peek(&s->offered[i])
            && ngx_media_peek(&s->offered[i]) == ngx_media_peek(&s->epoch))
        {
            bits |= (ngx_uint_t) 1 << i;
        }
    }

    return bits;
}


ngx_media_notify_shm_t *
ngx_media_stream_notify(const ngx_media_stream_t *stream)
{
    return &stream->sh->notify;
}


static ngx_uint_t
ngx_media_stream_alive(const ngx_media_stream_t *stream)
{
    ngx_media_fence_acquire();

    return ngx_media_load(&stream->sh->id) == stream->id;
}


ngx_int_t
ngx_media_track_ref(const ngx_media_stream_t *stream, ngx_uint_t track,
    ngx_media_track_ref_t *ref)
{
    uint32_t    uses;
    ngx_uint_t  place;

    ref->stream = *stream;
    ref->track = track;

    place = ngx_media_track_place(track);

    if (place >= NGX_MEDIA_TRACKS
        || place >= ngx_media_load(&stream->sh->ntracks))
    {
        return ngx_media_stream_alive(stream) ? NGX_DECLINED : NGX_DONE;
    }

    uses = ngx_media_load(&stream->sh->uses[place]);

    ref->t = ngx_media_load(&stream->sh->tracks[place]);

    if (uses != ngx_media_track_uses(track) || !ngx_media_track_alive(ref)) {
        return uses < ngx_media_track_uses(track)
               && ngx_media_stream_alive(stream)
               ? NGX_DECLINED : NGX_DONE;
    }

    return ngx_media_block_valid(stream->zone, ref->t) ? NGX_OK
                                                       : NGX_DECLINED;
}


/*
 * What was read from it before is its own.  Where its stream has an id and its
 * place a count of uses is written before any of its pages is given away, and
 * neither is ever what it was again: so this holds for a track that was found
 * long ago, too.
 */

static ngx_uint_t
ngx_media_track_alive(const ngx_media_track_ref_t *ref)
{
    return ngx_media_stream_alive(&ref->stream)
           && ngx_media_load(
                  &ref->stream.sh->uses[ngx_media_track_place(ref->track)])
              == ngx_media_track_uses(ref->track);
}


ngx_int_t
ngx_media_track_find(const ngx_media_stream_t *stream, ngx_str_t *name,
    ngx_media_track_ref_t *ref)
{
    ngx_uint_t                    i, n, track;
    const ngx_media_track_shm_t  *t;

    n = ngx_min(ngx_media_load(&stream->sh->ntracks), NGX_MEDIA_TRACKS);

    for (i = 0; i < n; i++) {
        track = ngx_media_track_handle(i,
                                     ngx_media_load(&stream->sh->uses[i]));

        if (ngx_media_track_ref(stream, track, ref) != NGX_OK) {
            continue;
        }

        t = ref->t;

        if (t->name_len == name->len && name->len <= sizeof(t->name)
            && ngx_memcmp(t->name, name->data, name->len) == 0
            && ngx_media_track_alive(ref))
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * In this order each of them is at most what comes after it, and what has
 * ended is complete
 */

ngx_int_t
ngx_media_ref_look(ngx_media_track_ref_t *ref)
{
    ngx_media_heads_t            *heads;
    const ngx_media_track_shm_t  *t;

    t = ref->t;
    heads = &ref->heads;

    heads->state = ngx_media_load(&ref->stream.sh->state);
    heads->ended = ngx_media_load(&t->ended) != 0
                   || heads->state == NGX_MEDIA_STREAM_ENDED;
    heads->tail = ngx_media_load(&t->segment_tail);
    heads->closed = ngx_media_load(&t->segment_closed);
    heads->head = ngx_media_load(&t->segment_head);
    heads->edge = ngx_media_load(&t->edge);
    heads->size = ngx_media_load(&t->segment_size);

    return ngx_media_track_alive(ref) ? NGX_OK : NGX_DONE;
}


/* both; answers of the first, or of the second */

static ngx_int_t
ngx_media_track_open(const ngx_media_stream_t *stream, ngx_uint_t track,
    ngx_media_track_ref_t *ref)
{
    ngx_int_t  rc;

    rc = ngx_media_track_ref(stream, track, ref);

    return (rc == NGX_OK) ? ngx_media_ref_look(ref) : rc;
}


static ngx_int_t
ngx_media_segment_copy(const ngx_media_track_ref_t *ref, uint64_t number,
    ngx_media_segment_shm_t *copy)
{
    uint64_t                   n;
    ngx_media_zone_t          *zone;
    const ngx_media_heads_t   *heads;
    ngx_media_segment_shm_t  **pages, *page;

    heads = &ref->heads;

    if (heads->head == 0 || number >= heads->head) {
        return NGX_AGAIN;
    }

    if (number < heads->tail) {
        return NGX_DONE;
    }

    zone = ref->stream.zone;
    pages = ngx_media_load(&ref->t->segments);

    if (heads->size == 0 || !ngx_media_block_valid(zone, pages)) {
        return NGX_DONE;
    }

    n = number % heads->size;

    if (n / NGX_MEDIA_SEGMENT_PER_PAGE >= NGX_MEDIA_SEGMENT_PAGES) {
        return NGX_DONE;
    }

    page = ngx_media_load(&pages[n / NGX_MEDIA_SEGMENT_PER_PAGE]);

    if (!ngx_media_block_valid(zone, page)) {
        return NGX_DONE;
    }

    *copy = page[n % NGX_MEDIA_SEGMENT_PER_PAGE];

    ngx_media_fence_acquire();

    if (ngx_media_load(&ref->t->segment_tail) > number
        || !ngx_media_track_alive(ref)
        || copy->number != number)
    {
        return NGX_DONE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_part_copy(const ngx_media_track_ref_t *ref, uint64_t index,
    ngx_media_part_shm_t *copy)
{
    uint64_t                      n, size;
    ngx_media_part_shm_t         *page;
    const ngx_media_track_shm_t  *t;

    t = ref->t;

    if (index < ngx_media_load(&t->part_tail)) {
        return NGX_DONE;
    }

    if (index >= ngx_media_load(&t->part_head)) {
        return NGX_AGAIN;
    }

    size = ngx_media_load(&t->part_size);

    if (size == 0) {
        return NGX_DONE;
    }

    n = index % size;

    if (n / NGX_MEDIA_PART_PER_PAGE >= NGX_MEDIA_PART_PAGES) {
        return NGX_DONE;
    }

    page = ngx_media_load(&t->parts[n / NGX_MEDIA_PART_PER_PAGE]);

    if (!ngx_media_block_valid(ref->stream.zone, page)) {
        return NGX_DONE;
    }

    *copy = page[n % NGX_MEDIA_PART_PER_PAGE];

    ngx_media_fence_acquire();

    if (ngx_media_load(&t->part_tail) > index
        || !ngx_media_track_alive(ref))
    {
        return NGX_DONE;
    }

    return NGX_OK;
}


static void
ngx_media_segment_export(const ngx_media_segment_shm_t *entry,
    ngx_uint_t open, const ngx_media_heads_t *heads,
    ngx_media_segment_t *segment)
{
    ngx_memzero(segment, sizeof(ngx_media_segment_t));

    segment->number = entry->number;
    segment->time = entry->time;
    segment->wall = entry->wall;
    segment->init = entry->init;
    segment->key_size = entry->key_size;
    segment->bandwidth = entry->bandwidth;
    segment->period = entry->period;
    segment->period_time = entry->period_time;
    segment->period_wall = entry->period_wall;

    segment->discontinuity =
                 (entry->flags & NGX_MEDIA_SEGMENT_DISCONTINUITY) ? 1 : 0;
    segment->anchored = (entry->flags & NGX_MEDIA_SEGMENT_ANCHORED) ? 1 : 0;
    segment->forced = (entry->flags & NGX_MEDIA_SEGMENT_FORCED) ? 1 : 0;
    segment->leading = (entry->flags & NGX_MEDIA_SEGMENT_LEADING) ? 1 : 0;
    segment->gap = (entry->flags & NGX_MEDIA_SEGMENT_GAP) ? 1 : 0;
    segment->coarse = (entry->flags & NGX_MEDIA_SEGMENT_COARSE) ? 1 : 0;
    segment->runs = (entry->flags & NGX_MEDIA_SEGMENT_RUNS) ? 1 : 0;

    if (open) {
        segment->open = 1;

        if (ngx_media_edge_number(heads->edge) == entry->number) {
            segment->nparts = ngx_media_edge_part(heads->edge) + 1;
        }

        return;
    }

    segment->duration = entry->duration;
    segment->bytes = entry->bytes;
    segment->nparts = entry->nparts;
    segment->nranges = ngx_min(entry->nranges, NGX_MEDIA_RANGES);

    ngx_memcpy(segment->ranges, entry->ranges, sizeof(entry->ranges));
}


static void
ngx_media_part_export(const ngx_media_part_shm_t *entry,
    ngx_media_part_t *part)
{
    part->number = entry->number;
    part->part = entry->part;
    part->duration = entry->duration;
    part->independent = entry->independent;
    part->range = entry->range;
}


uint32_t
ngx_media_ref_timescale(const ngx_media_track_ref_t *ref)
{
    return ngx_max(ref->t->timescale, 1);
}


void
ngx_media_ref_edge(const ngx_media_track_ref_t *ref, ngx_media_edge_t *edge)
{
    ngx_memzero(edge, sizeof(ngx_media_edge_t));

    edge->state = ref->heads.state;
    edge->msn = ngx_media_edge_number(ref->heads.edge);
    edge->part = ngx_media_edge_part(ref->heads.edge);
    edge->any = ref->heads.edge != 0;
    edge->closed = ref->heads.closed;
    edge->ended = ref->heads.ended;
}


ngx_int_t
ngx_media_track_edge(const ngx_media_stream_t *stream, ngx_uint_t track,
    ngx_media_edge_t *edge)
{
    ngx_media_track_ref_t  ref;

    if (ngx_media_track_open(stream, track, &ref) != NGX_OK) {
        return NGX_DONE;
    }

    ngx_media_ref_edge(&ref, edge);

    return NGX_OK;
}


ngx_int_t
ngx_media_ref_segment(const ngx_media_track_ref_t *ref, uint64_t number,
    ngx_media_segment_t *segment)
{
    ngx_int_t                rc;
    ngx_media_segment_shm_t  copy;

    rc = ngx_media_segment_copy(ref, number, &copy);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_media_segment_export(&copy, number >= ref->heads.closed, &ref->heads,
                             segment);

    return NGX_OK;
}


ngx_int_t
ngx_media_track_segment(const ngx_media_stream_t *stream, ngx_uint_t track,
    uint64_t number, ngx_media_segment_t *segment)
{
    ngx_int_t              rc;
    ngx_media_track_ref_t  ref;

    rc = ngx_media_track_open(stream, track, &ref);

    return (rc == NGX_OK) ? ngx_media_ref_segment(&ref, number, segment) : rc;
}


ngx_int_t
ngx_media_ref_segment_at(const ngx_media_track_ref_t *ref, int64_t time,
    ngx_media_segment_t *segment)
{
    uint64_t                  n, low, high, first;
    const ngx_media_heads_t  *heads;
    ngx_media_segment_shm_t   copy;

    heads = &ref->heads;

    /* media time grows with the number */

    first = heads->tail;
    low = first;
    high = heads->head;

    while (low < high) {
        n = low + (high - low) / 2;

        if (ngx_media_segment_copy(ref, n, &copy) != NGX_OK) {
            /* overtaken: the answer can only be further up */
            first = n + 1;
            low = first;
            continue;
        }

        if (copy.time == time && !(copy.flags & NGX_MEDIA_SEGMENT_GAP)) {

            if (n >= heads->closed) {
                return NGX_AGAIN;
            }

            ngx_media_segment_export(&copy, 0, heads, segment);

            return NGX_OK;
        }

        if (copy.time <= time) {
            low = n + 1;

        } else {
            high = n;
        }
    }

    if (low == heads->head) {
        return ngx_media_track_alive(ref) ? NGX_AGAIN : NGX_DONE;
    }

    return low == first ? NGX_DONE : NGX_DECLINED;
}


ngx_int_t
ngx_media_ref_part(const ngx_media_track_ref_t *ref, uint64_t number,
    ngx_uint_t part, ngx_media_part_t *copy)
{
    ngx_int_t                rc;
    ngx_media_part_shm_t     entry;
    ngx_media_segment_shm_t  segment;

    rc = ngx_media_segment_copy(ref, number, &segment);

    if (rc != NGX_OK) {
        return rc;
    }

    if (number < ref->heads.closed && part >= segment.nparts) {
        return NGX_DECLINED;
    }

    rc = ngx_media_part_copy(ref, segment.part + part, &entry);

    if (rc != NGX_OK) {
        return rc;
    }

    if (entry.number != number || entry.part != part) {

        /* the open segment was closed meanwhile: this part never came */

        return NGX_DECLINED;
    }

    ngx_media_part_export(&entry, copy);

    return NGX_OK;
}


ngx_int_t
ngx_media_track_part(const ngx_media_stream_t *stream, ngx_uint_t track,
    uint64_t number, ngx_uint_t part, ngx_media_part_t *copy)
{
    ngx_int_t              rc;
    ngx_media_track_ref_t  ref;

    rc = ngx_media_track_open(stream, track, &ref);

    return (rc == NGX_OK) ? ngx_media_ref_part(&ref, number, part, copy) : rc;
}


ngx_int_t
ngx_media_ref_init(const ngx_media_track_ref_t *ref, uint64_t name,
    ngx_pool_t *pool, ngx_str_t *bytes)
{
    ngx_uint_t             i;
    ngx_media_init_shm_t  *init;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        init = ngx_media_load(&ref->t->inits[i]);

        if (!ngx_media_block_valid(ref->stream.zone, init)
            || init->name != name)
        {
            continue;
        }

        bytes->len = ngx_min(ngx_media_load(&init->size), NGX_MEDIA_INIT_MAX);

        bytes->data = ngx_pnalloc(pool, bytes->len);
        if (bytes->data == NULL) {
            return NGX_ERROR;
        }

        if (ngx_media_init_read(ref->stream.zone, init,
                                ngx_media_load(&init->head), bytes->data,
                                bytes->len)
            == NGX_OK
            && ngx_media_init_alive(ref, i, init, name))
        {
            return NGX_OK;
        }
    }

    return ngx_media_track_alive(ref) ? NGX_DECLINED : NGX_DONE;
}


/* what was read of it before is its own */

static ngx_uint_t
ngx_media_init_alive(const ngx_media_track_ref_t *ref, ngx_uint_t i,
    const ngx_media_init_shm_t *init, uint64_t name)
{
    ngx_media_fence_acquire();

    return ngx_media_load(&ref->t->inits[i]) == init
           && init->name == name
           && ngx_media_track_alive(ref);
}


ngx_int_t
ngx_media_ref_init_params(const ngx_media_track_ref_t *ref, uint64_t name,
    ngx_media_params_t *params)
{
    ngx_uint_t             i;
    ngx_media_init_t       copy;
    ngx_media_init_shm_t  *init;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        init = ngx_media_load(&ref->t->inits[i]);

        if (!ngx_media_block_valid(ref->stream.zone, init)
            || init->name != name)
        {
            continue;
        }

        if (ngx_media_init_read_head(ref->stream.zone, init, &copy) == NGX_OK
            && ngx_media_init_alive(ref, i, init, name))
        {
            ngx_media_params_copy(params, &copy.params);
            return NGX_OK;
        }
    }

    return ngx_media_track_alive(ref) ? NGX_DECLINED : NGX_DONE;
}


ngx_int_t
ngx_media_track_init_params(const ngx_media_stream_t *stream,
    ngx_uint_t track, uint64_t name, ngx_media_params_t *params)
{
    ngx_int_t              rc;
    ngx_media_track_ref_t  ref;

    rc = ngx_media_track_ref(stream, track, &ref);

    return (rc == NGX_OK) ? ngx_media_ref_init_params(&ref, name, params) : rc;
}


/* the window may move on under it, which happens once in a segment */

ngx_int_t
ngx_media_stream_view(const ngx_media_stream_t *stream, ngx_pool_t *pool,
    ngx_uint_t track, ngx_media_stream_view_t *view)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = NGX_ERROR;

    for (i = 0; i < NGX_MEDIA_VIEW_TRIES; i++) {
        rc = ngx_media_stream_look(stream, pool, track, view);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_stream_look(const ngx_media_stream_t *stream, ngx_pool_t *pool,
    ngx_uint_t track, ngx_media_stream_view_t *view)
{
    uint64_t                       first;
    ngx_int_t                      rc;
    ngx_uint_t                     clock, handle, i, n;
    const ngx_media_stream_shm_t  *s;

    s = stream->sh;

    ngx_memzero(view, sizeof(ngx_media_stream_view_t));

    /* first: what is read afterwards is at least as new */

    view->version = ngx_media_load(&s->notify.version);

    first = ngx_media_load(&s->first);

    view->discontinuity = ngx_media_first_discontinuity(first);
    view->state = ngx_media_load(&s->state);
    view->target = s->target;
    view->part_target = s->part_target;
    view->segment = s->segment;
    view->window = s->window;
    view->latency = s->latency;
    view->ready = ngx_media_load(&s->ready);
    view->forced = s->forced;
    view->waits = 1;
    view->walls = 1;
    view->inband = 1;
    view->offers = ngx_media_stream_offers(s);

    clock = ngx_media_peek(&s->clock);
    n = ngx_min(ngx_media_load(&s->ntracks), NGX_MEDIA_TRACKS);

    view->tracks = ngx_pcalloc(pool, (n + 1)
                                     * sizeof(ngx_media_track_view_t));
    if (view->tracks == NULL) {
        return NGX_ERROR;
    }

    view->clock = n;

    for (i = 0; i < n; i++) {
        handle = ngx_media_track_handle(i, ngx_media_load(&s->uses[i]));

        rc = ngx_media_track_view(stream, pool, handle,
                                  track == NGX_MEDIA_ALL_TRACKS
                                  || track == handle,
                                  ngx_media_first_number(first),
                                  &view->tracks[view->ntracks]);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            /* nothing is in its place, or not any more */
            ngx_memzero(&view->tracks[view->ntracks],
                        sizeof(ngx_media_track_view_t));
            continue;
        }

        /*
         * Players go by what all playlists say, and cannot be near the edge
         * of one track alone
         */

        if (view->tracks[view->ntracks].parts_off
            && !view->tracks[view->ntracks].ended
            && !view->tracks[view->ntracks].away)
        {
            view->part_target = 0;
        }

        if (i == clock) {
            view->clock = view->ntracks;
        }

        view->ntracks++;
    }

    ngx_media_stream_order(view);

    if (!ngx_media_stream_alive(stream)) {
        return NGX_DONE;
    }

    return first == ngx_media_load(&s->first) ? NGX_OK : NGX_AGAIN;
}


/*
 * As the publisher numbers them, then what is made here: the first sound is
 * what players begin with, and places say only which of them came first
 */

static void
ngx_media_stream_order(ngx_media_stream_view_t *view)
{
    ngx_uint_t              i, n;
    ngx_media_track_view_t  moved, *tracks;

    tracks = view->tracks;

    for (i = 1; i < view->ntracks; i++) {

        for (n = i; n && tracks[n - 1].publisher > tracks[i].publisher; n--) {
            /* void */
        }

        if (n == i) {
            continue;
        }

        moved = tracks[i];
        ngx_memmove(&tracks[n + 1], &tracks[n],
                    (i - n) * sizeof(ngx_media_track_view_t));
        tracks[n] = moved;

        if (view->clock == i) {
            view->clock = n;

        } else if (view->clock >= n && view->clock < i) {
            view->clock++;
        }
    }
}


/* what its publisher says of it; strings end where the record does, at last */

static ngx_int_t
ngx_media_track_view_attributes(const ngx_media_track_shm_t *t,
    ngx_pool_t *pool, ngx_media_track_view_t *view)
{
    ngx_media_attributes_t  *attributes;

    view->is_default = (t->attributes.role == NGX_MEDIA_ROLE_MAIN);
    view->described = (t->attributes.role == NGX_MEDIA_ROLE_DESCRIPTION);
    view->sdh = (t->attributes.role == NGX_MEDIA_ROLE_CLEAR);

    if (t->attributes.lang[0] == '\0' && t->attributes.label[0] == '\0') {
        return NGX_OK;
    }

    attributes = ngx_palloc(pool, sizeof(ngx_media_attributes_t));
    if (attributes == NULL) {
        return NGX_ERROR;
    }

    *attributes = t->attributes;

    attributes->lang[NGX_MEDIA_LANG - 1] = '\0';
    attributes->label[NGX_MEDIA_LABEL - 1] = '\0';

    view->lang.data = attributes->lang;
    view->lang.len = ngx_strlen(attributes->lang);
    view->label.data = attributes->label;
    view->label.len = ngx_strlen(attributes->label);

    return NGX_OK;
}


/* NGX_DECLINED and NGX_DONE: there is none */

static ngx_int_t
ngx_media_track_view(const ngx_media_stream_t *stream, ngx_pool_t *pool,
    ngx_uint_t track, ngx_uint_t fill, uint64_t listed,
    ngx_media_track_view_t *view)
{
    u_char                       *name;
    uint64_t                      expect;
    ngx_int_t                     rc;
    ngx_media_track_ref_t         ref;
    const ngx_media_track_shm_t  *t;

    rc = ngx_media_track_open(stream, track, &ref);

    if (rc != NGX_OK) {
        return rc;
    }

    t = ref.t;

    name = ngx_pnalloc(pool, sizeof(t->name));
    if (name == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name, t->name, sizeof(t->name));

    view->index = track;
    view->name.data = name;
    view->name.len = ngx_min(t->name_len, sizeof(t->name));
    view->type = t->type;
    view->publisher = t->publisher;
    view->derived = t->publisher >= NGX_MEDIA_DERIVED_ID;
    view->codec = t->codec;
    view->only = t->only;
    view->timescale = ngx_max(t->timescale, 1);
    view->bandwidth = ngx_media_peek(&t->bandwidth);
    view->average = ngx_media_track_average(ngx_media_peek(&t->bits),
                                            ngx_media_peek(&t->ticks),
                                            view->timescale);
    view->key_bandwidth = ngx_media_peek(&t->key_bandwidth);
    view->fps = t->fps;
    view->edge_any = ref.heads.edge != 0;
    view->edge_msn = ngx_media_edge_number(ref.heads.edge);
    view->edge_part = ngx_media_edge_part(ref.heads.edge);
    view->ended = ref.heads.ended;
    view->away = t->away;
    view->parts_off = t->parts_off || t->parts_held;

    if (ngx_media_track_view_attributes(t, pool, view) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_media_load(&stream->sh->state) == NGX_MEDIA_STREAM_LIVE
        && !view->ended)
    {
        expect = ngx_media_load(&t->expect);

        view->expect_msn = ngx_media_edge_number(expect);
        view->expect_part = ngx_media_edge_part(expect);
        view->expect = expect != 0;
    }

    if (fill && ref.heads.head) {
        rc = ngx_media_track_view_segments(&ref, pool, listed, view);

        if (rc == NGX_OK) {
            rc = ngx_media_track_view_parts(&ref, pool, view);
        }

        if (rc == NGX_OK) {
            rc = ngx_media_track_view_inits(&ref, pool, view);
        }
    }

    if (rc == NGX_OK && !ngx_media_track_alive(&ref)) {
        return NGX_DONE;
    }

    return rc;
}


static ngx_int_t
ngx_media_track_view_segments(const ngx_media_track_ref_t *ref,
    ngx_pool_t *pool, uint64_t listed, ngx_media_track_view_t *view)
{
    uint64_t                  n, first;
    ngx_media_segment_t      *segment;
    ngx_media_segment_shm_t   copy;
    const ngx_media_heads_t  *heads;

    heads = &ref->heads;

    first = ngx_max(heads->tail, listed);

    if (first >= heads->head || heads->head - first > heads->size) {
        return NGX_OK;
    }

    view->segments = ngx_palloc(pool, (heads->head - first)
                                      * sizeof(ngx_media_segment_t));
    if (view->segments == NULL) {
        return NGX_ERROR;
    }

    for (n = first; n < heads->head; n++) {

        if (ngx_media_segment_copy(ref, n, &copy) != NGX_OK) {

            /* memory was short, the oldest have gone: start after them */

            view->nsegments = 0;
            continue;
        }

        segment = &view->segments[view->nsegments++];

        ngx_media_segment_export(&copy, n >= heads->closed, heads, segment);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_track_view_parts(const ngx_media_track_ref_t *ref,
    ngx_pool_t *pool, ngx_media_track_view_t *view)
{
    uint64_t                      n, tail, head, size;
    ngx_media_part_t             *part;
    ngx_media_segment_t          *last;
    ngx_media_part_shm_t          copy;
    const ngx_media_track_shm_t  *t;

    t = ref->t;

    tail = ngx_media_load(&t->part_tail);
    head = ngx_media_load(&t->part_head);
    size = ngx_media_load(&t->part_size);

    if (!ngx_media_track_alive(ref)) {
        return NGX_DONE;
    }

    /* read one after the other, they may be farther apart than the ring */

    if (head - tail > size) {
        tail = head - size;
    }

    if (head == tail) {
        return NGX_OK;
    }

    view->parts = ngx_palloc(pool, (head - tail) * sizeof(ngx_media_part_t));
    if (view->parts == NULL) {
        return NGX_ERROR;
    }

    for (n = tail; n < head; n++) {

        if (ngx_media_part_copy(ref, n, &copy) != NGX_OK) {
            view->nparts = 0;
            continue;
        }

        if (ngx_media_edge(copy.number, copy.part) > ref->heads.edge) {
            break;
        }

        part = &view->parts[view->nparts++];

        ngx_media_part_export(&copy, part);
    }

    /* how long the open segment is so far */

    if (view->nsegments == 0) {
        return NGX_OK;
    }

    last = &view->segments[view->nsegments - 1];

    if (last->open) {
        for (n = view->nparts; n > 0; n--) {
            part = &view->parts[n - 1];

            if (part->number != last->number) {
                break;
            }

            last->duration += part->duration;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_track_view_inits(const ngx_media_track_ref_t *ref,
    ngx_pool_t *pool, ngx_media_track_view_t *view)
{
    uint64_t               name;
    ngx_uint_t             i, n;
    ngx_media_init_t      *copy;
    ngx_media_init_shm_t  *init;

    n = 0;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        n += ngx_media_track_view_init(ref, i, view, &name) != NULL;
    }

    view->inits = ngx_palloc(pool, (n + 1) * sizeof(ngx_media_init_t));
    if (view->inits == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_MEDIA_INITS && view->ninits < n; i++) {
        init = ngx_media_track_view_init(ref, i, view, &name);

        if (init == NULL) {
            continue;
        }

        copy = &view->inits[view->ninits];

        if (ngx_media_init_read_head(ref->stream.zone, init, copy) == NGX_OK
            && ngx_media_init_alive(ref, i, init, name))
        {
            view->ninits++;
        }
    }

    return NGX_OK;
}


/* a version that is there, and named by segments; NULL: it is not */

static ngx_media_init_shm_t *
ngx_media_track_view_init(const ngx_media_track_ref_t *ref, ngx_uint_t i,
    const ngx_media_track_view_t *view, uint64_t *name)
{
    ngx_uint_t             k;
    ngx_media_init_shm_t  *init;

    init = ngx_media_load(&ref->t->inits[i]);

    if (!ngx_media_block_valid(ref->stream.zone, init)) {
        return NULL;
    }

    *name = ngx_media_load(&init->name);

    for (k = view->nsegments; k > 0; k--) {
        if (view->segments[k - 1].init == *name) {
            return init;
        }
    }

    return NULL;
}
