
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The nouns every parser, muxer and store shares: what a track is (params)
 * and what a frame is (sample).
 */


#ifndef _NGX_MEDIA_FRAME_H_INCLUDED_
#define _NGX_MEDIA_FRAME_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


typedef enum {
    NGX_MEDIA_VIDEO = 0,
    NGX_MEDIA_AUDIO,
    NGX_MEDIA_TEXT
} ngx_media_type_e;


/* every video track has this timescale: it holds ms, 90 kHz and all rates */
#define NGX_MEDIA_VIDEO_TIMESCALE  360000

/*
 * Delays of more than half a second have no edit list: hls.js does not look at
 * it, and moves what is a second off where it expects it
 */
#define ngx_media_edit_delay(delay, timescale)                                \
    ((delay) <= (timescale) / 2 ? (delay) : 0)

/*
 * The largest decoder configuration that is accepted, in bytes: encoders have
 * some tens of them, or kilobytes where they list many parameter sets
 */
#define NGX_MEDIA_CONFIG_MAX       16384


/*
 * Codec parameters of a track.  Flat and without pointers: it is copied into
 * shared memory.  Zero means unknown where not said otherwise.  Where they are
 * kept, only what is in use may be there: they are copied by the function.
 */

typedef struct {
    uint32_t                  codec;          /* fourcc of the sample entry:
                                                 avc1 hvc1 mp4a .mp3 */
    uint32_t                  type;           /* ngx_media_type_e */
    uint32_t                  timescale;      /* video 360000, audio rate */
    uint32_t                  delay;          /* in timescale: composition
                                                 offsets have so much added
                                                 that none is negative; an
                                                 edit list takes it away */

    uint32_t                  width;          /* luma samples, cropped */
    uint32_t                  height;
    uint32_t                  sar_num;        /* 0: unknown, treat as 1:1 */
    uint32_t                  sar_den;
    uint32_t                  fps_num;        /* from the bitstream, a hint */
    uint32_t                  fps_den;
    uint32_t                  rotation;       /* degrees, clockwise, of 90: to
                                                 be turned so when shown */
    uint8_t                   primaries;      /* ISO 23091-2; 2: unspecified */
    uint8_t                   transfer;
    uint8_t                   matrix;
    uint8_t                   full_range;
    uint8_t                   bit_depth;
    uint8_t                   nal_length;     /* bytes of a NAL length, 4 */

    uint8_t                   object_type;    /* mpeg-4 audio object type */
    uint8_t                   channel_config; /* ISO 23091-3 / 23001-8
                                                 ChannelConfiguration, 0: see
                                                 channels */
    uint32_t                  sample_rate;    /* Hz, as played (SBR: doubled) */
    uint32_t                  channels;
    uint32_t                  frame_samples;  /* of one frame, in timescale */

    uint32_t                  config_len;
    u_char                    config[NGX_MEDIA_CONFIG_MAX];
                                              /* avcC, hvcC, AudioSpecific-
                                                 Config: as the codec's
                                                 record in ISO BMFF.  The last
                                                 member */
} ngx_media_params_t;


/* bytes that are in use */

static ngx_inline size_t
ngx_media_params_size(const ngx_media_params_t *params)
{
    return offsetof(ngx_media_params_t, config) + params->config_len;
}


static ngx_inline void
ngx_media_params_copy(ngx_media_params_t *dst, const ngx_media_params_t *src)
{
    ngx_memcpy(dst, src, ngx_media_params_size(src));
}


/* of several that have a place of so many bytes each */

static ngx_inline const ngx_media_params_t *
ngx_media_params_at(const void *params, size_t size, size_t i)
{
    return (const ngx_media_params_t *) ((const u_char *) params + i * size);
}


/* one sample of a chunk; durations and offsets in the track's timescale */

typedef struct {
    uint32_t                  size;           /* bytes */
    uint32_t                  duration;
    int32_t                   cto;            /* pts - dts, signed */
    uint32_t                  key;            /* sync sample */
} ngx_media_sample_t;


#endif /* _NGX_MEDIA_FRAME_H_INCLUDED_ */
