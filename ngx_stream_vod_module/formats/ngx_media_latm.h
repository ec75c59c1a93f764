
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * AAC in LATM and LOAS: ISO/IEC 14496-3, 1.7, which DVB has instead of ADTS
 * (MPEG-TS stream_type 0x11).  An AudioSyncStream is a sequence of elements
 * that say their length; each holds frames, which begin at any bit, and may
 * hold the configuration that they go by.
 *
 * Of several programs and layers the first layer of the first program is read,
 * the others are passed over.
 */


#ifndef _NGX_MEDIA_LATM_H_INCLUDED_
#define _NGX_MEDIA_LATM_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* bytes of an element, its header of 3 included, at most; frames of it, too */
#define NGX_MEDIA_LATM_MAX      (3 + 0x1fff)

/* numSubFrames */
#define NGX_MEDIA_LATM_FRAMES   64

/* numProgram, numLayer: 16 by 8 */
#define NGX_MEDIA_LATM_LAYERS   128

/* of an AudioSpecificConfig: one with all elements of a layout of its own */
#define NGX_MEDIA_LATM_CONFIG   512


/* how long frames of a layer are, 1.7.3.1 */

typedef struct {
    uint8_t                   length_type;    /* frameLengthType */
    uint32_t                  bits;           /* of each; 0: each says it */
} ngx_media_latm_layer_t;


/* what StreamMuxConfig says; it lasts until there is another one */

typedef struct {
    u_char                    config[NGX_MEDIA_LATM_CONFIG];
                                              /* AudioSpecificConfig */
    uint32_t                  config_len;     /* 0: none that was understood */
    uint32_t                  frames;         /* of an element */
    uint32_t                  other;          /* otherDataLenBits */
    uint32_t                  nlayers;        /* of all programs */
    ngx_media_latm_layer_t    layers[NGX_MEDIA_LATM_LAYERS];
} ngx_media_latm_mux_t;


typedef struct {
    ngx_media_latm_mux_t      mux;

    /* of the last element */
    unsigned                  changed:1;      /* another configuration */
    ngx_uint_t                nframes;
    ngx_media_span_t          frames[NGX_MEDIA_LATM_FRAMES];
                                              /* raw_data_block(), in order */
    u_char                    bytes[NGX_MEDIA_LATM_MAX];  /* theirs */
} ngx_media_latm_t;


/* before the first element; where some were lost nothing has to be done */
void ngx_media_latm_init(ngx_media_latm_t *latm);

/*
 * Bytes of the element that begins at pos, which may be more than there are;
 * 0: none does.  Three bytes are enough to say it.
 */
size_t ngx_media_latm_size(const u_char *pos, const u_char *last);

/*
 * One whole element.  NGX_OK: latm->frames, until the next call.
 * NGX_AGAIN: no configuration has come yet, nothing can be known of it.
 * NGX_DECLINED: it is well-formed, but not AAC that we can take out of it (an
 * own framing of layers, other object types); NGX_ERROR: it is malformed.
 * After these it goes by the configuration of before, if it did not bring one.
 */
ngx_int_t ngx_media_latm_parse(ngx_media_latm_t *latm, const u_char *pos,
    const u_char *last);


#endif /* _NGX_MEDIA_LATM_H_INCLUDED_ */
