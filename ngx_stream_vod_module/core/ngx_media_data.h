
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Timed data: what a publisher says at a time of its stream, beside audio and
 * video.  It waits in the zone until the parts that hold its time are put, and
 * is in these from then on, as boxes (ngx_media_emsg.h) with one id for all
 * tracks.  So it outlives the process that took it.
 *
 * It is carried by all tracks of video, by the first one of audio where there
 * is none: players that read both would have it twice.  Each of them has it
 * once, whoever dies: what is in a track's parts is what is before the time
 * that counts with its newest one.
 *
 * Of kinds without a scheme no part has anything: features are told of them
 * (ngx_media_event.h), and the newest ones are there until their time is over.
 */


#ifndef _NGX_MEDIA_DATA_H_INCLUDED_
#define _NGX_MEDIA_DATA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_claim.h"
#include "core/ngx_media_store_shm.h"
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_DATA_TIMESCALE  NGX_MEDIA_VIDEO_TIMESCALE
#define NGX_MEDIA_DATA_MAX        2048        /* bytes of one */


typedef enum {
    NGX_MEDIA_DATA_ID3 = 0,                   /* a tag, ngx_media_id3.h */
    NGX_MEDIA_DATA_SCTE35,                    /* a splice_info_section(), whole,
                                                 with its CRC */
    NGX_MEDIA_DATA_KLV,                       /* a unit of SMPTE ST 336 */
    NGX_MEDIA_DATA_KINDS
} ngx_media_data_kind_e;


typedef struct {
    ngx_media_data_kind_e     kind;
    int64_t                   time;           /* media time, 1/360000 s; put
                                                 sets it to what it will say */
    uint64_t                  id;             /* put sets it: never again in
                                                 the stream's life, nor for
                                                 weeks, in its low 32 bits */
    const u_char             *pos;            /* copied */
    const u_char             *last;
} ngx_media_data_t;


/*
 * NGX_OK; NGX_DECLINED: the claim is lost; NGX_ABORT: there is no room for it,
 * or no memory: counted.  What is earlier than the open parts is in these;
 * where it is so much earlier that players have shown that, it begins with
 * them, which is counted, too.  What no part carries keeps its time.
 */
ngx_int_t ngx_media_data_put(const ngx_media_claim_t *claim,
    ngx_media_data_t *data);

/*
 * "id3", for logs; how far its stamps may be from those of frames, u; whether
 * parts carry it
 */
const ngx_str_t *ngx_media_data_name(ngx_media_data_kind_e kind);
int64_t ngx_media_data_far(ngx_media_data_kind_e kind);
ngx_uint_t ngx_media_data_carried(ngx_media_data_kind_e kind);


/* between the files that change streams: the stream is locked */

/* of a part that is about to be put: dts in the track's timescale */

typedef struct {
    ngx_uint_t                place;          /* of the track */
    int64_t                   from;
    int64_t                   to;
    uint64_t                  records;        /* bits: those that it carries */
    size_t                    size;           /* of their boxes */
} ngx_media_data_part_t;

void ngx_media_data_pick_locked(ngx_media_stream_shm_t *s, ngx_uint_t place,
    int64_t from, int64_t to, ngx_media_data_part_t *part);

/* the boxes; what was not put for it or for one before begins with it */
u_char *ngx_media_data_write_locked(ngx_media_stream_shm_t *s,
    const ngx_media_data_part_t *part, u_char *p);

/* before its index counts: what it carries will count with that */
void ngx_media_data_told_locked(ngx_media_stream_shm_t *s,
    const ngx_media_data_part_t *part);

/* after that: what all have told is forgotten */
void ngx_media_data_forget_locked(ngx_media_stream_shm_t *s);

/* the stream has ended: what waits is lost, and counted */
void ngx_media_data_end_locked(ngx_media_stream_shm_t *s);


#endif /* _NGX_MEDIA_DATA_H_INCLUDED_ */
