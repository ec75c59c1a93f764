
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which tracks a stream has, and with which parameters.  Each function takes
 * the stream's lock itself; what is written with an epoch that is over is
 * answered NGX_DECLINED.
 */


#ifndef _NGX_MEDIA_TRACK_H_INCLUDED_
#define _NGX_MEDIA_TRACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_store_shm.h"


/*
 * The track for this codec, found or made; what it was before (another codec
 * or timescale) ends, also when this fails.  NGX_OK, NGX_DECLINED, or why not.
 */
#define NGX_MEDIA_TRACK_MANY   (-22)          /* NGX_MEDIA_TRACKS are there */
#define NGX_MEDIA_TRACK_NOMEM  (-23)          /* no pages for its records */
#define NGX_MEDIA_TRACK_LARGE  (-24)          /* its init segment is */

ngx_int_t ngx_media_track_add(const ngx_media_claim_t *claim,
    const ngx_media_params_t *params, uint32_t publisher, ngx_uint_t *track);

/* what its publisher says of it; NGX_DECLINED as well if it has ended */
ngx_int_t ngx_media_track_describe(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_attributes_t *attributes);

/* where it is listed, NGX_MEDIA_IN_*; 0: wherever it can be */
ngx_int_t ngx_media_track_only(const ngx_media_claim_t *claim,
    ngx_uint_t track, ngx_uint_t formats);

/* a version of its parameters; the name is the hash of the bytes; likewise */
ngx_int_t ngx_media_track_set_init(const ngx_media_claim_t *claim,
    ngx_uint_t track, const ngx_media_params_t *params, uint64_t *name);

/* of its newest segment, if it has not ended; NGX_OK or NGX_DECLINED */
ngx_int_t ngx_media_track_params(const ngx_media_claim_t *claim,
    ngx_media_type_e type, uint32_t publisher, ngx_media_params_t *params);

/* of its newest segment, in timescale; NGX_DECLINED: it has none */
ngx_int_t ngx_media_track_end(const ngx_media_claim_t *claim,
    ngx_uint_t track, int64_t *end);

/*
 * Tracks of which nothing was put for longer than limit (ms), counted from
 * since (ms of media time) on, while others went on, are away: who comes now
 * is not told of them, until a part is put.  Returns 1 if the newest period has
 * segments of one that was not before.
 */
ngx_uint_t ngx_media_tracks_away(const ngx_media_claim_t *claim,
    int64_t since, int64_t limit);

/* this one is, now; 1: it was not */
ngx_uint_t ngx_media_track_away(const ngx_media_claim_t *claim,
    ngx_uint_t track);

/* the number of its first segment that is kept; 0: none was ever whole */
uint64_t ngx_media_track_first(const ngx_media_claim_t *claim,
    ngx_uint_t track);

/* what status counts of it, kept over publishers, and its BANDWIDTH */
void ngx_media_track_counts(const ngx_media_claim_t *claim,
    ngx_uint_t track, ngx_media_track_count_t *count, uint64_t *bandwidth);


/* between the files that change streams */

/* NULL: it has ended, or is another one; the claim's stream is locked */
ngx_media_track_shm_t *ngx_media_track_locked(const ngx_media_claim_t *claim,
    ngx_uint_t track);

/* places of ended tracks whose segments have gone become free */
void ngx_media_tracks_retire_locked(ngx_media_zone_t *zone,
    ngx_media_stream_shm_t *s);


#endif /* _NGX_MEDIA_TRACK_H_INCLUDED_ */
