
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AAC with a header before each frame: ADTS, ISO/IEC 14496-3, 1.A.2.2.
 */


#ifndef _NGX_MEDIA_ADTS_H_INCLUDED_
#define _NGX_MEDIA_ADTS_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* of the AudioSpecificConfig that says the same */
#define NGX_MEDIA_ADTS_CONFIG  2


typedef struct {
    uint32_t                  object_type;    /* 1 to 4 */
    uint32_t                  rate;           /* samplingFrequencyIndex */
    uint32_t                  layout;         /* channelConfiguration */
    uint32_t                  header;         /* bytes of it, with its CRC */
    uint32_t                  size;           /* bytes of the frame, header
                                                 included */
    uint32_t                  blocks;         /* raw_data_blocks in it */
} ngx_media_adts_t;


/* does it begin as a header does? */
#define ngx_media_adts_is(pos, last)                                          \
    ((last) - (pos) >= 2 && (pos)[0] == 0xff && ((pos)[1] & 0xf6) == 0xf0)

/* a header; NGX_ERROR: there is none, or its values are reserved */
ngx_int_t ngx_media_adts_parse(ngx_media_adts_t *adts, const u_char *pos,
    const u_char *last);

/*
 * The next frame of a message that may hold several, without its header; data
 * is shortened by it.  NGX_DONE: nothing left; NGX_ERROR: no whole frame of
 * one block starts there.
 */
ngx_int_t ngx_media_adts_next(ngx_media_span_t *data, ngx_media_adts_t *adts,
    ngx_media_span_t *frame);

/*
 * Its AudioSpecificConfig, of NGX_MEDIA_ADTS_CONFIG bytes; NGX_DECLINED: the
 * layout of its channels is in the frames
 */
ngx_int_t ngx_media_adts_config(u_char *p, const ngx_media_adts_t *adts);


#endif /* _NGX_MEDIA_ADTS_H_INCLUDED_ */
