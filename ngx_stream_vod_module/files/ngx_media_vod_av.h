
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Files that are not MP4: whoever reads one (FLV: our own reader, all else:
 * libavformat) says of each packet where it lies in the file and when it is
 * shown.  What a file lacks is made here, when all packets are known: decode
 * times, from the order of the times of presentation; and steady times, from
 * stamps that were rounded to milliseconds.
 *
 * Time stamps are nanoseconds, offsets are those of the file.
 */


#ifndef _NGX_MEDIA_VOD_AV_H_INCLUDED_
#define _NGX_MEDIA_VOD_AV_H_INCLUDED_


#include "files/ngx_media_vod_blob.h"
#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_webvtt.h"


#define NGX_MEDIA_VOD_AV_NONE    INT64_MIN    /* no time stamp */


typedef struct {
    int64_t                   pts;
    uint64_t                  offset;
    uint32_t                  size;
    uint32_t                  duration;       /* audio: in samples; 0 */
    uint8_t                   key;
    uint8_t                   description;    /* from 1 */
} ngx_media_vod_av_packet_t;


typedef struct {
    int64_t                   start;          /* ns */
    int64_t                   end;
    size_t                    text;           /* offset in bytes */
    size_t                    text_len;
    size_t                    settings;
    size_t                    settings_len;
    uint8_t                   form;           /* ngx_media_cue_form_e */
} ngx_media_vod_av_cue_t;


typedef struct {
    ngx_media_vod_track_t     track;          /* what the blob is told */

    ngx_media_params_t       *params;         /* by description - 1 */
    ngx_uint_t                nparams;
    uint32_t                  codec;          /* what params will be of */

    ngx_media_vod_av_packet_t
                             *packets;        /* in decode order */
    ngx_uint_t                npackets;
    ngx_uint_t                room;

    ngx_uint_t                order;          /* tracks of the blob are in it */
    uint32_t                  fps_num;        /* what the file says; 0 */
    uint32_t                  fps_den;

    ngx_media_vod_av_cue_t   *cues;           /* of text */
    ngx_uint_t                ncues;
    ngx_uint_t                cues_room;
    u_char                   *bytes;          /* their text */
    size_t                    len;
    size_t                    bytes_room;
} ngx_media_vod_av_track_t;


typedef struct {
    ngx_media_vod_index_t    *index;
    ngx_media_vod_blob_t      blob;           /* notes go there at once */
    ngx_media_vod_av_track_t *tracks[NGX_MEDIA_VOD_TRACKS];
    ngx_uint_t                ntracks;
    ngx_uint_t                npackets;       /* of all */
    unsigned                  nomem:1;
} ngx_media_vod_av_t;


/* ngx_media_vod_av.c */

void ngx_media_vod_av_init(ngx_media_vod_av_t *av,
    ngx_media_vod_index_t *index);

/* zeroed; NULL: too many, which is noted, or no memory */
ngx_media_vod_av_track_t *ngx_media_vod_av_track(ngx_media_vod_av_t *av,
    ngx_media_type_e type, uint32_t codec);

/* the next description; params are copied; NGX_ERROR: too many, no memory */
ngx_int_t ngx_media_vod_av_describe(ngx_media_vod_av_t *av,
    ngx_media_vod_av_track_t *t, const ngx_media_params_t *params);

/* NGX_ERROR: too many packets, or no memory */
ngx_int_t ngx_media_vod_av_packet(ngx_media_vod_av_t *av,
    ngx_media_vod_av_track_t *t, const ngx_media_vod_av_packet_t *packet);

/* the blob; NULL: no memory; both end av */
ngx_media_vod_file_t *ngx_media_vod_av_finish(ngx_media_vod_av_t *av);
void ngx_media_vod_av_free(ngx_media_vod_av_t *av);


/* ngx_media_vod_av_frame.c: what frames say where containers do not */

/* parameters; NGX_DECLINED: such a frame does not say them */
ngx_int_t ngx_media_vod_av_frame_params(ngx_media_params_t *params,
    uint32_t codec, const u_char *pos, const u_char *last);

/* samples of a packet of audio; 0: not known */
uint32_t ngx_media_vod_av_frame_samples(const ngx_media_params_t *params,
    const u_char *pos, const u_char *last);

/*
 * Bytes of the whole frames at the begin of a packet of a codec whose frames
 * say how long they are: what is behind is no media.  All of it for others.
 */
size_t ngx_media_vod_av_frame_size(uint32_t codec, const u_char *pos,
    const u_char *last);


/* ngx_media_vod_av_text.c */

/* text and settings are copied; NGX_ERROR: no memory */
ngx_int_t ngx_media_vod_av_cue(ngx_media_vod_av_t *av,
    ngx_media_vod_av_track_t *t, const ngx_media_cue_t *cue);

/* all cues, less "origin", as WebVTT, by malloc(); NULL: no memory */
u_char *ngx_media_vod_av_text(const ngx_media_vod_av_track_t *t,
    int64_t origin, size_t *len);


/* ngx_media_vod_flv.c; NULL: no memory */
ngx_media_vod_file_t *ngx_media_vod_index_flv(ngx_media_vod_index_t *index);


#endif /* _NGX_MEDIA_VOD_AV_H_INCLUDED_ */
