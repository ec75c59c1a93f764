
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which tracks a stream has: they are made, get their parameters, end as their
 * codec changes, and are given back when the last of their segments has gone.
 * Then their place may be another track's; names are never used again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_evict.h"
#include "core/ngx_media_form.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_track.h"
#include "formats/ngx_media_mp4_write.h"


static int64_t ngx_media_track_end_locked(const ngx_media_stream_shm_t *s,
    ngx_uint_t i, const ngx_media_segment_shm_t **segment);
static ngx_uint_t ngx_media_track_place_locked(ngx_media_stream_shm_t *s);
static ngx_media_track_shm_t *ngx_media_track_make_locked(
    const ngx_media_claim_t *claim, const ngx_media_params_t *params,
    uint32_t publisher);
static void ngx_media_track_name_locked(ngx_media_stream_shm_t *s,
    ngx_media_track_shm_t *t);
static void ngx_media_track_free(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
static ngx_media_init_t *ngx_media_init_build(
    const ngx_media_params_t *params, size_t size, size_t *head,
    ngx_log_t *log);
static ngx_int_t ngx_media_init_add_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_init_t *built, size_t head,
    size_t size);
static ngx_media_init_shm_t *ngx_media_init_make_locked(
    const ngx_media_claim_t *claim, const ngx_media_init_t *built,
    size_t head, size_t size);
static void ngx_media_init_free(ngx_media_zone_t *zone,
    ngx_media_init_shm_t *init);
static void ngx_media_init_unlink_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t, ngx_uint_t i);
static ngx_uint_t ngx_media_init_place_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t, ngx_uint_t pages);
static ngx_uint_t ngx_media_init_count_locked(ngx_media_track_shm_t *t);
static ngx_uint_t ngx_media_init_shed_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
static ngx_uint_t ngx_media_init_used_locked(ngx_media_track_shm_t *t,
    uint64_t name);


ngx_int_t
ngx_media_track_add(const ngx_media_claim_t *claim,
    const ngx_media_params_t *params, uint32_t publisher, ngx_uint_t *track)
{
    ngx_uint_t               i;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    s = claim->stream.sh;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL || t->type != params->type || t->publisher != publisher
            || t->ended)
        {
            continue;
        }

        if (t->codec == params->codec && t->timescale == params->timescale) {
            t->epoch = s->epoch;
            *track = ngx_media_track_handle(i, s->uses[i]);
            ngx_media_stream_unlock(s);
            return NGX_OK;
        }

        /* a client cannot follow it into another codec: this track ends */

        ngx_media_segment_close_locked(claim->stream.zone, s, t);
        ngx_media_track_leave_locked(claim->stream.zone, t);

        ngx_media_store(&t->ended, 1);
        ngx_media_stream_changed(s);
    }

    ngx_media_tracks_retire_locked(claim->stream.zone, s);

    i = ngx_media_track_place_locked(s);

    if (i == NGX_MEDIA_TRACKS
        || s->names[params->type] == NGX_MEDIA_TRACK_NAMES)
    {
        ngx_media_stream_unlock(s);
        return NGX_MEDIA_TRACK_MANY;
    }

    t = ngx_media_track_make_locked(claim, params, publisher);

    if (t == NULL) {
        ngx_media_stream_unlock(s);
        return NGX_MEDIA_TRACK_NOMEM;
    }

    *track = ngx_media_track_handle(i, s->uses[i]);

    ngx_media_store(&s->tracks[i], t);

    if (i == s->ntracks) {
        ngx_media_store(&s->ntracks, s->ntracks + 1);
    }

    ngx_media_stream_changed(s);

    ngx_media_stream_unlock(s);

    ngx_log_debug7(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media stream \"%*s\" has track %ui, id:%uD type:%d "
                   "codec:%uxD timescale:%uD",
                   (size_t) s->name_len, s->name, *track, publisher,
                   (int) params->type, params->codec, params->timescale);

    ngx_media_notify(&s->notify);

    return NGX_OK;
}


static ngx_uint_t
ngx_media_track_place_locked(ngx_media_stream_shm_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i] == NULL) {
            break;
        }
    }

    return i;
}


static ngx_media_track_shm_t *
ngx_media_track_make_locked(const ngx_media_claim_t *claim,
    const ngx_media_params_t *params, uint32_t publisher)
{
    uint32_t                 index;
    ngx_media_zone_t        *zone;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    zone = claim->stream.zone;
    s = claim->stream.sh;
    index = ngx_media_stream_index(zone, s);

    t = ngx_media_block_alloc(zone, index);
    if (t == NULL) {
        return NULL;
    }

    t->segments = ngx_media_block_alloc(zone, index);
    if (t->segments == NULL) {
        ngx_media_block_free(zone, t);
        return NULL;
    }

    t->type = params->type;
    t->codec = params->codec;
    t->timescale = params->timescale;
    t->publisher = publisher;
    t->epoch = s->epoch;
    t->place.extent = NGX_MEDIA_NONE;
    t->segment_size = zone->app->ring_segments;
    t->part_size = zone->app->ring_parts;

    ngx_media_track_name_locked(s, t);

    return t;
}


/*
 * Letter and number, never used again: its publisher's number and one, so that
 * what of it comes first does not say, or else one that is above all.
 */

static void
ngx_media_track_name_locked(ngx_media_stream_shm_t *s,
    ngx_media_track_shm_t *t)
{
    uint32_t  n, unit;

    n = t->publisher;

    if (n >= NGX_MEDIA_TRACK_OWN || (s->named[t->type] >> n & 1)) {
        n = s->names[t->type];
    }

    if (n < NGX_MEDIA_TRACK_OWN) {
        s->named[t->type] |= (uint64_t) 1 << n;
    }

    n++;

    s->names[t->type] = ngx_max(s->names[t->type], n);

    t->name[0] = "vat"[t->type];
    t->name_len = 1;

    for (unit = 1; n / unit >= 10; unit *= 10) { /* void */ }

    for ( /* void */ ; unit; unit /= 10) {
        t->name[t->name_len++] = '0' + n / unit % 10;
    }
}


/*
 * Readers that still look at one find that its place was given away, before
 * any of its pages may be something else.
 */

void
ngx_media_tracks_retire_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL || !t->ended || t->segment_tail < t->segment_head) {
            continue;
        }

        ngx_log_debug5(NGX_LOG_DEBUG_CORE, zone->log, 0,
                       "media stream \"%*s\" gives back place:%ui uses:%uD, "
                       "no segment from:%uL", (size_t) s->name_len, s->name, i,
                       s->uses[i], t->segment_head);

        ngx_media_store(&s->uses[i], s->uses[i] + 1);
        ngx_media_store(&s->tracks[i], NULL);
        ngx_media_stream_changed(s);
        ngx_media_fence();

        ngx_media_track_free(zone, t);
    }
}


/* whoever dies in here leaves pages that the end of the stream gives back */

static void
ngx_media_track_free(ngx_media_zone_t *zone, ngx_media_track_shm_t *t)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_SEGMENT_PAGES; i++) {
        if (t->segments[i]) {
            ngx_media_block_free(zone, t->segments[i]);
        }
    }

    for (i = 0; i < NGX_MEDIA_PART_PAGES; i++) {
        if (t->parts[i]) {
            ngx_media_block_free(zone, t->parts[i]);
        }
    }

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        if (t->inits[i]) {
            ngx_media_init_free(zone, t->inits[i]);
        }
    }

    ngx_media_forms_free(zone, t);

    ngx_media_block_free(zone, t->segments);
    ngx_media_block_free(zone, t);
}


ngx_int_t
ngx_media_track_set_init(const ngx_media_claim_t *claim, ngx_uint_t track,
    const ngx_media_params_t *params, uint64_t *name)
{
    size_t                  head, size;
    ngx_int_t               rc;
    ngx_media_init_t       *built;
    ngx_media_track_shm_t  *t;

    size = ngx_media_mp4_write_init(NULL, params);

    if (size > NGX_MEDIA_INIT_MAX) {
        return NGX_MEDIA_TRACK_LARGE;
    }

    built = ngx_media_init_build(params, size, &head, claim->stream.zone->log);

    if (built == NULL) {
        return NGX_MEDIA_TRACK_NOMEM;
    }

    *name = built->name;
    rc = NGX_DECLINED;

    if (ngx_media_claim_lock(claim) == NGX_OK) {
        t = ngx_media_track_locked(claim, track);

        if (t) {
            rc = ngx_media_init_add_locked(claim, t, built, head, size);
        }

        ngx_media_stream_unlock(claim->stream.sh);
    }

    ngx_log_debug5(NGX_LOG_DEBUG_CORE, claim->stream.zone->log, 0,
                   "media init %016xL of track:%xi size:%uz configuration:%uD "
                   "rc:%i", built->name, track, size, params->config_len, rc);

    ngx_free(built);

    return rc;
}


/* the run of bytes that is kept, see ngx_media_init_shm_t */

static ngx_media_init_t *
ngx_media_init_build(const ngx_media_params_t *params, size_t size,
    size_t *head, ngx_log_t *log)
{
    u_char                   *bytes;
    ngx_media_init_t         *built;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(params->codec);
    if (codec == NULL) {
        return NULL;
    }

    *head = offsetof(ngx_media_init_t, params)
            + ngx_media_params_size(params);

    built = ngx_alloc(*head + size, log);
    if (built == NULL) {
        return NULL;
    }

    bytes = (u_char *) built + *head;

    (void) ngx_media_mp4_write_init(bytes, params);

    ngx_memzero(built, offsetof(ngx_media_init_t, params));

    built->name = ngx_media_hash(bytes, size);
    built->codec_len = codec->string(built->codec, params);
    ngx_media_params_copy(&built->params, params);

    return built;
}


static ngx_int_t
ngx_media_init_add_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, const ngx_media_init_t *built, size_t head,
    size_t size)
{
    ngx_uint_t             i;
    ngx_media_init_shm_t  *init;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        if (t->inits[i] && t->inits[i]->name == built->name) {
            return NGX_OK;
        }
    }

    i = ngx_media_init_place_locked(claim->stream.zone, claim->stream.sh, t,
                                    1 + ngx_media_init_pages(head + size));

    init = ngx_media_init_make_locked(claim, built, head, size);

    if (init == NULL) {
        return NGX_MEDIA_TRACK_NOMEM;
    }

    ngx_media_store(&t->inits[i], init);

    return NGX_OK;
}


static ngx_media_init_shm_t *
ngx_media_init_make_locked(const ngx_media_claim_t *claim,
    const ngx_media_init_t *built, size_t head, size_t size)
{
    size_t                 n, pos;
    u_char                *to;
    uint32_t               index;
    ngx_uint_t             i;
    ngx_media_zone_t      *zone;
    ngx_media_init_shm_t  *init;

    zone = claim->stream.zone;
    index = ngx_media_stream_index(zone, claim->stream.sh);

    init = ngx_media_block_alloc(zone, index);
    if (init == NULL) {
        return NULL;
    }

    init->name = built->name;
    init->head = head;
    init->size = size;

    for (i = 0; i < ngx_media_init_pages(head + size); i++) {
        init->pages[i] = ngx_media_block_alloc(zone, index);

        if (init->pages[i] == NULL) {
            ngx_media_init_free(zone, init);
            return NULL;
        }
    }

    for (pos = 0; pos < head + size; pos += n) {
        to = ngx_media_init_at(zone, init, pos, &n);

        n = ngx_min(n, head + size - pos);
        ngx_memcpy(to, (u_char *) built + pos, n);
    }

    return init;
}


/* it is linked no more */

static void
ngx_media_init_free(ngx_media_zone_t *zone, ngx_media_init_shm_t *init)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_INIT_PAGES; i++) {
        if (init->pages[i]) {
            ngx_media_block_free(zone, init->pages[i]);
        }
    }

    ngx_media_block_free(zone, init);
}


static void
ngx_media_init_unlink_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t, ngx_uint_t i)
{
    ngx_media_init_shm_t  *init;

    init = t->inits[i];

    ngx_media_store(&t->inits[i], NULL);
    ngx_media_fence();
    ngx_media_init_free(zone, init);
}


/*
 * A free place; if all versions are in use, or have all the pages they may
 * have together, the oldest segments go
 */

static ngx_uint_t
ngx_media_init_place_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s, ngx_media_track_shm_t *t, ngx_uint_t pages)
{
    ngx_uint_t  i;

    for ( ;; ) {

        for (i = 0; i < NGX_MEDIA_INITS; i++) {

            if (t->inits[i] == NULL) {
                break;
            }

            if (!ngx_media_init_used_locked(t, t->inits[i]->name)) {
                ngx_media_init_unlink_locked(zone, t, i);
                break;
            }
        }

        if (i < NGX_MEDIA_INITS
            && ngx_media_init_count_locked(t) + pages
               <= NGX_MEDIA_INITS_PAGES)
        {
            return i;
        }

        if (!ngx_media_init_shed_locked(zone, t)) {
            ngx_media_segment_drop_locked(zone, s, t);
        }
    }
}


/* pages of all versions */

static ngx_uint_t
ngx_media_init_count_locked(ngx_media_track_shm_t *t)
{
    ngx_uint_t             i, n;
    ngx_media_init_shm_t  *init;

    n = 0;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        init = t->inits[i];

        if (init) {
            n += 1 + ngx_media_init_pages((size_t) init->head + init->size);
        }
    }

    return n;
}


/* one that no segment names; 0: there is none */

static ngx_uint_t
ngx_media_init_shed_locked(ngx_media_zone_t *zone, ngx_media_track_shm_t *t)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        if (t->inits[i]
            && !ngx_media_init_used_locked(t, t->inits[i]->name))
        {
            ngx_media_init_unlink_locked(zone, t, i);
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_media_init_used_locked(ngx_media_track_shm_t *t, uint64_t name)
{
    uint64_t  n;

    for (n = t->segment_tail; n < t->segment_head; n++) {
        if (ngx_media_segment_record(t, n)->init == name) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_media_track_params(const ngx_media_claim_t *claim, ngx_media_type_e type,
    uint32_t publisher, ngx_media_params_t *params)
{
    uint64_t                 name;
    ngx_int_t                rc;
    ngx_uint_t               i, k;
    ngx_media_init_t         init;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    s = claim->stream.sh;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL || t->type != type || t->publisher != publisher
            || t->ended)
        {
            continue;
        }

        name = 0;

        if (t->segment_head > t->segment_tail) {
            name = ngx_media_segment_record(t, t->segment_head - 1)->init;
        }

        for (k = 0; k < NGX_MEDIA_INITS; k++) {
            if (t->inits[k] && (t->inits[k]->name == name || rc != NGX_OK)
                && ngx_media_init_read_head(claim->stream.zone, t->inits[k],
                                            &init)
                   == NGX_OK)
            {
                ngx_media_params_copy(params, &init.params);
                rc = NGX_OK;
            }
        }
    }

    ngx_media_stream_unlock(s);

    return rc;
}


ngx_int_t
ngx_media_track_describe(const ngx_media_claim_t *claim, ngx_uint_t track,
    const ngx_media_attributes_t *attributes)
{
    ngx_uint_t               changed;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    s = claim->stream.sh;
    t = ngx_media_track_locked(claim, track);

    if (t == NULL) {
        ngx_media_stream_unlock(s);
        return NGX_DECLINED;
    }

    changed = ngx_memcmp(&t->attributes, attributes,
                         sizeof(ngx_media_attributes_t)) != 0;

    if (changed) {
        t->attributes = *attributes;
        ngx_media_stream_changed(s);
    }

    ngx_media_stream_unlock(s);

    if (changed) {
        ngx_media_notify(&s->notify);
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_track_only(const ngx_media_claim_t *claim, ngx_uint_t track,
    ngx_uint_t formats)
{
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    s = claim->stream.sh;
    t = ngx_media_track_locked(claim, track);

    if (t && t->only != formats) {
        t->only = (uint32_t) formats;
        ngx_media_stream_changed(s);
    }

    ngx_media_stream_unlock(s);

    return t ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_media_track_end(const ngx_media_claim_t *claim, ngx_uint_t track,
    int64_t *end)
{
    ngx_int_t               rc;
    ngx_media_track_shm_t  *t;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    t = ngx_media_track_locked(claim, track);

    if (t && t->segment_head) {
        *end = t->end;
        rc = NGX_OK;
    }

    ngx_media_stream_unlock(claim->stream.sh);

    return rc;
}


ngx_uint_t
ngx_media_tracks_away(const ngx_media_claim_t *claim, int64_t since,
    int64_t limit)
{
    int64_t                         end, newest;
    uint64_t                        period;
    ngx_uint_t                      fresh, i, n;
    ngx_media_track_shm_t          *t;
    ngx_media_stream_shm_t         *s;
    const ngx_media_segment_shm_t  *segment;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return 0;
    }

    s = claim->stream.sh;
    newest = 0;
    period = 0;

    for (i = 0; i < s->ntracks; i++) {
        end = ngx_media_track_end_locked(s, i, &segment);

        if (segment && end > newest) {
            newest = end;
            period = segment->period;
        }
    }

    fresh = 0;
    n = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];
        end = ngx_media_track_end_locked(s, i, &segment);

        if (segment == NULL || t->away
            || newest - ngx_max(end, since) <= limit)
        {
            continue;
        }

        t->away = 1;
        n++;

        fresh |= segment->period == period;
    }

    if (n) {
        ngx_media_stream_changed(s);
    }

    ngx_media_stream_unlock(s);

    if (n) {
        ngx_media_notify(&s->notify);
    }

    return fresh;
}


ngx_uint_t
ngx_media_track_away(const ngx_media_claim_t *claim, ngx_uint_t track)
{
    ngx_uint_t                      gone;
    ngx_media_track_shm_t          *t;
    ngx_media_stream_shm_t         *s;
    const ngx_media_segment_shm_t  *segment;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return 0;
    }

    s = claim->stream.sh;
    gone = 0;

    (void) ngx_media_track_end_locked(s, track, &segment);

    t = segment ? s->tracks[track] : NULL;

    if (t && !t->away) {
        t->away = 1;
        gone = 1;
        ngx_media_stream_changed(s);
    }

    ngx_media_stream_unlock(s);

    if (gone) {
        ngx_media_notify(&s->notify);
    }

    return gone;
}


/* ms; its newest segment, NULL if it has ended, or none is kept */

static int64_t
ngx_media_track_end_locked(const ngx_media_stream_shm_t *s, ngx_uint_t i,
    const ngx_media_segment_shm_t **segment)
{
    const ngx_media_track_shm_t  *t;

    t = s->tracks[i];
    *segment = NULL;

    if (t == NULL || t->ended || t->segment_tail == t->segment_head) {
        return 0;
    }

    *segment = ngx_media_segment_record(t, t->segment_head - 1);

    return t->end * 1000 / (int64_t) t->timescale;
}


uint64_t
ngx_media_track_first(const ngx_media_claim_t *claim, ngx_uint_t track)
{
    uint64_t                first;
    ngx_media_track_shm_t  *t;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return 0;
    }

    t = ngx_media_track_locked(claim, track);
    first = t && t->nsegments ? t->segment_tail : 0;

    ngx_media_stream_unlock(claim->stream.sh);

    return first;
}


void
ngx_media_track_counts(const ngx_media_claim_t *claim, ngx_uint_t track,
    ngx_media_track_count_t *count, uint64_t *bandwidth)
{
    ngx_media_track_shm_t  *t;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return;
    }

    t = ngx_media_track_locked(claim, track);

    if (t) {
        *count = t->count;
        *bandwidth = t->bandwidth;
    }

    ngx_media_stream_unlock(claim->stream.sh);
}


/* whoever writes to a track that has ended or gone is mistaken */

ngx_media_track_shm_t *
ngx_media_track_locked(const ngx_media_claim_t *claim, ngx_uint_t track)
{
    ngx_uint_t               place;
    ngx_media_track_shm_t   *t;
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;
    place = ngx_media_track_place(track);

    if (place < s->ntracks && s->uses[place] == ngx_media_track_uses(track)) {
        t = s->tracks[place];

        if (t && !t->ended) {
            return t;
        }
    }

#if (NGX_DEBUG)
    ngx_log_error(NGX_LOG_ALERT, claim->stream.zone->log, 0,
                  "media stream \"%*s\" is written to track %xi, "
                  "which is not there",
                  (size_t) s->name_len, s->name, track);
    ngx_debug_point();
#endif

    return NULL;
}
