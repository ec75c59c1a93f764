
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Movie fragments, ISO/IEC 14496-12, 8.8, of any writer: all rules for the
 * place of the data, with and without tfdt.
 */


#ifndef _NGX_MEDIA_MP4_MOOF_H_INCLUDED_
#define _NGX_MEDIA_MP4_MOOF_H_INCLUDED_


#include "formats/ngx_media_index.h"
#include "formats/ngx_media_mp4_moov.h"


typedef struct {
    const ngx_media_mp4_moov_t  *moov;
    ngx_media_mp4_walk_t         walk;
    ngx_media_mp4_iter_t         trafs;       /* to come */
    ngx_media_mp4_iter_t         truns;       /* of this traf, to come */
    uint32_t                     ntrafs;

    ngx_media_mp4_track_t       *track;       /* NULL: not in moov */
    ngx_media_mp4_trex_t         defaults;
    uint64_t                     moof;        /* its offset */
    uint64_t                     base;        /* of this traf's data offsets */
    uint64_t                     offset;      /* after the last data */
    uint64_t                     end;         /* of all, when counting */
    unsigned                     in_traf:1;
    unsigned                     counting:1;  /* no sample is given out */
    unsigned                     encrypted:1;  /* this traf has what decryption
                                                 of its samples takes */

    const u_char                *entry;       /* of this trun, the next */
    uint32_t                     left;        /* of them */
    uint32_t                     run_flags;
    uint32_t                     first_flags;
    uint32_t                     version;
} ngx_media_mp4_moof_t;


/*
 * box: moof, whole in memory; moov->error is used.  The samples of a track
 * follow those that were read before, track->decode_time says where; a tfdt
 * sets it.
 */
ngx_int_t ngx_media_mp4_moof_open(ngx_media_mp4_moof_t *it,
    const ngx_media_mp4_moov_t *moov, const ngx_media_mp4_box_t *box);

/*
 * The next sample, of *track; those of tracks that are not in moov are passed
 * over.  NGX_DONE: no more; NGX_ERROR: see the error of moov.
 */
ngx_int_t ngx_media_mp4_moof_next(ngx_media_mp4_moof_t *it,
    ngx_media_index_sample_t *sample, ngx_media_mp4_track_t **track);

/*
 * The end of the data of all its samples in the file, without reading them
 * one by one: a fragment is complete when the file is as long
 */
ngx_int_t ngx_media_mp4_moof_end(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_box_t *box, uint64_t *end);


#endif /* _NGX_MEDIA_MP4_MOOF_H_INCLUDED_ */
