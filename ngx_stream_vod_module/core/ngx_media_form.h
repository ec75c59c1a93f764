
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The forms of a track, see ngx_media_track_shm.h.  Form 0 is what all that
 * knows no forms reads and writes; here is what is the same for each.
 */


#ifndef _NGX_MEDIA_FORM_H_INCLUDED_
#define _NGX_MEDIA_FORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_store_shm.h"


/*
 * As ngx_media_track_segment() and ngx_media_track_part(), but init, bytes,
 * key_size and ranges are the form's; NGX_DECLINED as well: it has none.
 */
ngx_int_t ngx_media_form_segment(const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_uint_t form, uint64_t number,
    ngx_media_segment_t *segment);
ngx_int_t ngx_media_form_part(const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_uint_t form, uint64_t number, ngx_uint_t part,
    ngx_media_part_t *copy);


/* between the files that change streams: the stream is locked */

/* what a form has of a segment; borrowed until the stream is unlocked */

typedef struct {
    uint64_t                 *bytes;
    uint32_t                 *nranges;
    ngx_media_range_t        *ranges;         /* NGX_MEDIA_RANGES */
} ngx_media_form_ref_t;

/* NULL: the track never had this form */
ngx_media_place_shm_t *ngx_media_form_place_locked(ngx_media_track_shm_t *t,
    ngx_uint_t form);

/* NGX_OK, NGX_DECLINED: the segment does not have this form */
ngx_int_t ngx_media_form_ref_locked(ngx_media_track_shm_t *t, ngx_uint_t form,
    uint64_t number, ngx_media_form_ref_t *ref);

/* likewise, NULL; index is that of the part in its ring */
ngx_media_range_t *ngx_media_form_range_locked(ngx_media_track_shm_t *t,
    ngx_uint_t form, uint64_t index);

/* the range is the next of the segment; a reference is counted if it is new */
void ngx_media_form_append_locked(ngx_media_zone_t *zone,
    const ngx_media_form_ref_t *ref, const ngx_media_range_t *range,
    ngx_uint_t count);

/* its records; NGX_OK, NGX_ABORT: no pages */
ngx_int_t ngx_media_form_make_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_uint_t form);

/* pages for the part that comes next, in this segment; likewise */
ngx_int_t ngx_media_form_rings_locked(const ngx_media_claim_t *claim,
    ngx_media_track_shm_t *t, ngx_uint_t form, uint64_t number);

/* of a form that is not 0: the part that comes next, before it is listed */
void ngx_media_form_write_locked(ngx_media_zone_t *zone,
    ngx_media_track_shm_t *t, ngx_uint_t form, uint64_t init,
    const ngx_media_part_shm_t *part, uint32_t key_size);

/* pages of all of them; the track is linked no more */
void ngx_media_forms_free(ngx_media_zone_t *zone, ngx_media_track_shm_t *t);


#endif /* _NGX_MEDIA_FORM_H_INCLUDED_ */
