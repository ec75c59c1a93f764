
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * WebVTT in ISO BMFF, ISO/IEC 14496-30: samples of a track "wvtt".  All that
 * shows at one time is one sample, and where nothing does there is an empty
 * one, so samples follow one another without a gap.
 *
 * The work is the number of cues times that of samples: give it the cues of
 * one segment, and of a file that anybody wrote no more than some thousands,
 * see ngx_media_webvtt_collect().
 */


#ifndef _NGX_MEDIA_WVTT_H_INCLUDED_
#define _NGX_MEDIA_WVTT_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_webvtt.h"


/* boxes of a sample */
#define NGX_MEDIA_WVTT_VTTC  ngx_media_fourcc('v', 't', 't', 'c')
#define NGX_MEDIA_WVTT_VTTE  ngx_media_fourcc('v', 't', 't', 'e')
#define NGX_MEDIA_WVTT_VSID  ngx_media_fourcc('v', 's', 'i', 'd')
#define NGX_MEDIA_WVTT_IDEN  ngx_media_fourcc('i', 'd', 'e', 'n')
#define NGX_MEDIA_WVTT_STTG  ngx_media_fourcc('s', 't', 't', 'g')
#define NGX_MEDIA_WVTT_PAYL  ngx_media_fourcc('p', 'a', 'y', 'l')

/* a sample in which nothing shows */
#define NGX_MEDIA_WVTT_EMPTY_SIZE  8

/* of the tracks that we make: times of cues are in ms */
#define NGX_MEDIA_WVTT_TIMESCALE   1000


/* where the sample that begins at time ends, at the latest at end */
int64_t ngx_media_wvtt_next(const ngx_media_cue_t *cues, ngx_uint_t n,
    int64_t time, int64_t end);

/*
 * The sample of [time, end), in which the same cues show from its beginning
 * to its end; p may be NULL for the size
 */
size_t ngx_media_wvtt_write(u_char *p, const ngx_media_cue_t *cues,
    ngx_uint_t n, int64_t time, int64_t end);

/*
 * The next cue of what is left of a sample, without its times; NGX_DONE;
 * NGX_ERROR: boxes that do not fit in it.  Cues without text are skipped.
 */
ngx_int_t ngx_media_wvtt_read(ngx_media_span_t *sample, ngx_media_cue_t *cue);

/* the next box of what is left, likewise */
ngx_int_t ngx_media_wvtt_next_box(ngx_media_span_t *in, uint32_t *type,
    ngx_media_span_t *body);


/*
 * Of the codec table.  The configuration is the body of vttC: the head of a
 * WebVTT file, "WEBVTT", and styles and regions after a blank line each.
 */
extern const ngx_media_codec_t  ngx_media_wvtt_codec;

/* writes one for these cues' styles and regions, or returns its size */
size_t ngx_media_wvtt_config(u_char *p, size_t size,
    const ngx_media_cue_t *cues, ngx_uint_t n);


#endif /* _NGX_MEDIA_WVTT_H_INCLUDED_ */
