
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Sample descriptions, ISO/IEC 14496-12, 8.5.2 and 12, QuickTime's older
 * forms of them included.
 *
 * An entry names its codec as the codec table does and points to the record
 * that this codec's config() takes.  Two of text are not in that table, tx3g
 * and stpp: for these ngx_media_codec_find() says NULL.
 */


#ifndef _NGX_MEDIA_MP4_ENTRY_H_INCLUDED_
#define _NGX_MEDIA_MP4_ENTRY_H_INCLUDED_


#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_mp4_moov.h"


typedef struct {
    uint32_t                  format;         /* as in the file: hev1, dvh1 */
    uint32_t                  codec;          /* of the codec table: hvc1;
                                                 0: unknown */
    uint32_t                  type;           /* ngx_media_type_e, as the
                                                 handler of the track says */
    ngx_media_span_t          config;         /* the codec's record, mp4a:
                                                 DecoderSpecificInfo; tx3g,
                                                 stpp: what follows the first
                                                 16 bytes; pos NULL: there is
                                                 none */
    uint32_t                  object_type;    /* of esds, 0: none */
    uint32_t                  max_bitrate;    /* bit/s; 0: not said */
    uint32_t                  avg_bitrate;

    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  sar_num;        /* pasp; 0: not said */
    uint32_t                  sar_den;
    uint8_t                   color;          /* the next four are said */
    uint8_t                   primaries;      /* ISO 23091-2 */
    uint8_t                   transfer;
    uint8_t                   matrix;
    uint8_t                   full_range;
    ngx_media_span_t          dovi;           /* dvcC, dvvC or dvwC: Dolby
                                                 Vision */

    uint32_t                  channels;
    uint32_t                  sample_rate;    /* Hz; 0: not said */

    unsigned                  encrypted:1;    /* enca, encv: not for us */
    unsigned                  external:1;     /* samples in another file */
} ngx_media_mp4_entry_t;


/*
 * The n-th description of the track, from 1.  NGX_DONE: there are not so
 * many; NGX_DECLINED: encrypted or external, *entry says which; NGX_ERROR:
 * see the error of moov.
 */
ngx_int_t ngx_media_mp4_entry(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, ngx_uint_t n,
    ngx_media_mp4_entry_t *entry);

/*
 * The parameters of a description; what only the container knows (pasp, colr)
 * is filled in.  timescale is that of the track in the file, not the one that
 * live tracks have.  NGX_DECLINED: a codec or configuration that we do not
 * have; NGX_ERROR: see the error of moov.
 *
 * sample: NULL, or after NGX_AGAIN a sync sample of this description, as much
 * of it as has been read: the configuration leaves parameter sets to it.
 * NGX_AGAIN again: they are not in this one.
 */
ngx_int_t ngx_media_mp4_params(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, const ngx_media_mp4_entry_t *entry,
    const ngx_media_span_t *sample, ngx_media_params_t *params);


#endif /* _NGX_MEDIA_MP4_ENTRY_H_INCLUDED_ */
