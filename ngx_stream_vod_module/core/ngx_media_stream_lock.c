
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The lock of a stream, and what is done when its holder has died: each change
 * leaves the tables such that what is in them is whole; what is not consistent
 * at every moment is made anew from them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_form.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_stream_validate.h"


static void ngx_media_stream_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static void ngx_media_stream_repaired(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);
static void ngx_media_track_repair_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t);
static void ngx_media_forms_repair_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t, uint64_t number);
static void ngx_media_extents_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);


void
ngx_media_stream_lock(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    while (ngx_media_lock(&s->lock) == NGX_DONE) {
        ngx_media_stream_repair_locked(zone, s);
        ngx_media_stream_unlock(s);

        ngx_media_stream_repaired(zone, s);
    }
}


ngx_int_t
ngx_media_stream_trylock(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ngx_media_trylock(&s->lock);

        if (rc != NGX_DONE) {
            return rc;
        }

        ngx_media_stream_repair_locked(zone, s);
        ngx_media_stream_unlock(s);

        ngx_media_stream_repaired(zone, s);
    }
}


void
ngx_media_stream_unlock(ngx_media_stream_shm_t *s)
{
    ngx_media_unlock(&s->lock);
}


ngx_int_t
ngx_media_claim_lock(const ngx_media_claim_t *claim)
{
    ngx_media_stream_shm_t  *s;

    s = claim->stream.sh;

    ngx_media_stream_lock(claim->stream.zone, s);

    if (s->id != claim->stream.id || s->epoch != claim->epoch) {
        ngx_media_stream_unlock(s);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * Each change leaves the tables such that what is in them is whole; what is
 * not consistent at every moment is made anew from them: where rings begin
 * and end, the sums of the open segment, and the reference counts of extents.
 */

static void
ngx_media_stream_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    ngx_uint_t  i, why;

    /* its publisher was being replaced: nothing it says counts any more */

    if (s->pid && s->claimed != s->epoch) {
        ngx_media_stream_left_locked(s);
    }

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i]) {
            ngx_media_track_repair_locked(zone, s->tracks[i]);
        }
    }

    ngx_media_extents_repair_locked(zone, s);

    /* writers go on in extents of their own */

    for (i = 0; i < s->ntracks; i++) {
        if (s->tracks[i]) {
            ngx_media_track_leave_locked(zone, s->tracks[i]);
        }
    }

    /* its publisher was being kicked, and has what it left open yet */

    if (s->pid && ngx_media_kicked_epoch(s->kicked) == s->epoch) {
        why = ngx_media_kicked_why(s->kicked);
        ngx_media_stream_leave_locked(zone, s, ngx_media_kick_sentence(why));
    }

    ngx_media_stream_changed(s);

    (void) ngx_media_stream_validate_locked(zone, s);
}


/* it is locked no more */

static void
ngx_media_stream_repaired(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    /* who died may have owed a wake-up for what it had changed */

    ngx_media_notify(&s->notify);

    ngx_log_error(NGX_LOG_NOTICE, zone->log, 0,
                  "media stream \"%*s\" repaired after a process died in it",
                  (size_t) s->name_len, s->name);

    ngx_log_debug6(NGX_LOG_DEBUG_CORE, zone->log, 0,
                   "media stream \"%*s\" is as it is now, epoch:%uL state:%uD "
                   "tracks:%uD next:%uL", (size_t) s->name_len, s->name,
                   s->epoch, (uint32_t) s->state, (uint32_t) s->ntracks,
                   s->number);
}


void
ngx_media_stream_left_locked(ngx_media_stream_shm_t *s)
{
    ngx_media_store(&s->state, NGX_MEDIA_STREAM_GRACE);
    ngx_media_store(&s->pid, 0);
}


static void
ngx_media_track_repair_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t)
{
    uint64_t                  n;
    ngx_media_part_shm_t     *part;
    ngx_media_segment_shm_t  *segment;

    if (t->segment_closed < t->segment_tail) {
        ngx_media_store(&t->segment_closed, t->segment_tail);
    }

    if (t->segment_head < t->segment_closed) {
        ngx_media_store(&t->segment_head, t->segment_closed);
    }

    if (t->segment_head == t->segment_closed) {
        return;
    }

    segment = ngx_media_segment_record(t, t->segment_closed);

    if (segment->part < t->part_tail) {
        /* its parts are not all there: it stays as it is */
        return;
    }

    segment->nparts = 0;
    segment->duration = 0;

    ngx_media_forms_repair_locked(zone, t, t->segment_closed);

    for (n = segment->part; n < t->part_head; n++) {
        part = ngx_media_part_record(t, n);

        segment->nparts++;
        segment->duration += part->duration;

        ngx_media_store(&t->edge, ngx_media_edge(part->number, part->part));
    }

    t->end = segment->time + (int64_t) segment->duration;

    if (segment->nparts == 0) {

        /* who opened it died before it had a part: a gap takes its place */

        ngx_media_store(&t->segment_head, t->segment_closed);
    }
}


/* the ranges of the open segment are those of its parts, in each form */

static void
ngx_media_forms_repair_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t, uint64_t number)
{
    uint64_t               n;
    ngx_uint_t             form;
    ngx_media_range_t     *range;
    ngx_media_form_ref_t   ref;

    for (form = 0; form < NGX_MEDIA_FORMS; form++) {

        if (ngx_media_form_ref_locked(t, form, number, &ref) != NGX_OK) {
            continue;
        }

        *ref.nranges = 0;
        *ref.bytes = 0;

        for (n = ngx_media_segment_record(t, number)->part;
             n < t->part_head;
             n++)
        {
            range = ngx_media_form_range_locked(t, form, n);

            if (range) {
                ngx_media_form_append_locked(zone, &ref, range, 0);
            }
        }
    }
}


static void
ngx_media_extents_repair_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s)
{
    uint32_t                e, index;
    uint64_t                n;
    ngx_uint_t              form, i, k;
    ngx_media_zone_shm_t   *sh;
    ngx_media_form_ref_t    ref;
    ngx_media_track_shm_t  *t;
    ngx_media_place_shm_t  *place;

    sh = zone->sh;
    index = ngx_media_stream_index(zone, s);

#define ngx_media_extent_of(e, index)                                         \
    (sh->extents[e].state == NGX_MEDIA_EXTENT_USED                            \
     && sh->extents[e].owner == (index))

    for (e = 0; e < sh->used_extents; e++) {
        if (ngx_media_extent_of(e, index)) {
            sh->extents[e].refs = 0;
        }
    }

    for (i = 0; i < s->ntracks * NGX_MEDIA_FORMS; i++) {
        t = s->tracks[i / NGX_MEDIA_FORMS];
        form = i % NGX_MEDIA_FORMS;

        place = t ? ngx_media_form_place_locked(t, form) : NULL;

        if (place == NULL) {
            continue;
        }

        if (place->extent != NGX_MEDIA_NONE) {
            sh->extents[place->extent].refs++;
        }

        for (n = t->segment_tail; n < t->segment_head; n++) {

            if (ngx_media_form_ref_locked(t, form, n, &ref) != NGX_OK) {
                continue;
            }

            for (k = 0; k < *ref.nranges; k++) {
                sh->extents[ref.ranges[k].extent].refs++;
            }
        }
    }

    if (s->tail) {
        sh->extents[s->tail->extent].refs++;
    }

    for (e = 0; e < sh->used_extents; e++) {
        if (ngx_media_extent_of(e, index) && sh->extents[e].refs == 0) {
            ngx_media_extent_evict(zone, e);
        }
    }

#undef ngx_media_extent_of
}
