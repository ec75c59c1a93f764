
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The vocabulary of MPEG transport streams, ISO/IEC 13818-1 (H.222.0), for
 * those who write and for those who read them.
 */


#ifndef _NGX_MEDIA_TS_H_INCLUDED_
#define _NGX_MEDIA_TS_H_INCLUDED_


#include "formats/ngx_media_bytes.h"


#define NGX_MEDIA_TS_PACKET          188
#define NGX_MEDIA_TS_PAYLOAD         184      /* without adaptation field */
#define NGX_MEDIA_TS_SYNC            0x47

#define NGX_MEDIA_TS_TIMESCALE       90000
#define NGX_MEDIA_TS_TIME_MASK       0x1ffffffffull  /* 33 bits */

/*
 * What all times of our streams have added: 10 s.  Decode times and clocks
 * that precede a presentation time of 0 would be those of the end of a cycle,
 * and there are players that never start then.
 */
#define NGX_MEDIA_TS_OFFSET          900000

/* PIDs, 2.4.3.3 */
#define NGX_MEDIA_TS_PID_PAT         0x0000
#define NGX_MEDIA_TS_PID_NULL        0x1fff

/* table_id, 2.4.4.4 */
#define NGX_MEDIA_TS_TABLE_PAT       0x00
#define NGX_MEDIA_TS_TABLE_PMT       0x02

/* second byte of the header: payload_unit_start_indicator, 2.4.3.2 */
#define NGX_MEDIA_TS_START           0x40

/* fourth byte: adaptation_field_control */
#define NGX_MEDIA_TS_ADAPTATION      0x20
#define NGX_MEDIA_TS_HAS_PAYLOAD     0x10

/* flags of the adaptation field, 2.4.3.4 */
#define NGX_MEDIA_TS_DISCONTINUITY   0x80
#define NGX_MEDIA_TS_RANDOM_ACCESS   0x40
#define NGX_MEDIA_TS_PCR             0x10

/* stream_type, table 2-34; AC-3 and E-AC-3: ATSC A/52, annex A and G */
#define NGX_MEDIA_TS_MPEG1_AUDIO     0x03
#define NGX_MEDIA_TS_MPEG2_AUDIO     0x04
#define NGX_MEDIA_TS_PRIVATE         0x06
#define NGX_MEDIA_TS_ADTS            0x0f
#define NGX_MEDIA_TS_LATM            0x11
#define NGX_MEDIA_TS_METADATA        0x15
#define NGX_MEDIA_TS_H264            0x1b
#define NGX_MEDIA_TS_H265            0x24
#define NGX_MEDIA_TS_AC3             0x81
#define NGX_MEDIA_TS_EAC3            0x87

/* the same, SCTE 35, 8.1 */
#define NGX_MEDIA_TS_SCTE35          0x86

/* stream_id, table 2-22 */
#define NGX_MEDIA_TS_ID_PRIVATE1     0xbd
#define NGX_MEDIA_TS_ID_AUDIO        0xc0
#define NGX_MEDIA_TS_ID_VIDEO        0xe0

/* descriptor_tag, table 2-45 */
#define NGX_MEDIA_TS_REGISTRATION    0x05
#define NGX_MEDIA_TS_METADATA_PTR    0x25
#define NGX_MEDIA_TS_LANGUAGE        0x0a
#define NGX_MEDIA_TS_METADATA_DESC   0x26

/* of DVB, ETSI EN 300 468, table 12: AC-3, enhanced AC-3; extension */
#define NGX_MEDIA_TS_DVB_AC3         0x6a
#define NGX_MEDIA_TS_DVB_EAC3        0x7a
#define NGX_MEDIA_TS_DVB_EXTENSION   0x7f

/* descriptor_tag_extension there, of Opus */
#define NGX_MEDIA_TS_DVB_OPUS        0x80

/* an ADTS header without a CRC, ISO/IEC 14496-3, 1.A.2.2 */
#define NGX_MEDIA_TS_ADTS_HEADER     7
#define NGX_MEDIA_TS_ADTS_MAX        8191     /* of a frame, with header */

/* PES: a header with PTS and DTS, 2.4.3.6; the longest packet that says its
   length */
#define NGX_MEDIA_TS_PES_DTS         19
#define NGX_MEDIA_TS_PES_MAX         (65535 + 6)


/* what has to be done to frames */

typedef enum {
    NGX_MEDIA_TS_RAW = 0,                     /* as it is */
    NGX_MEDIA_TS_NAL,                         /* Annex B for lengths */
    NGX_MEDIA_TS_AAC,                         /* ADTS headers */
    NGX_MEDIA_TS_CONTROL                      /* control headers, of Opus */
} ngx_media_ts_form_e;


/*
 * ticks of a timescale in units of 90 kHz, rounded down, modulo 2^64; the 33
 * bits that are written are those of NGX_MEDIA_TS_TIME_MASK
 */

static ngx_inline uint64_t
ngx_media_ts_time(int64_t ticks, uint32_t timescale)
{
    int64_t  s, rest;

    s = ticks / timescale;
    rest = ticks % timescale;

    if (rest < 0) {
        rest += timescale;
        s--;
    }

    return (uint64_t) s * NGX_MEDIA_TS_TIMESCALE
           + (uint64_t) rest * NGX_MEDIA_TS_TIMESCALE / timescale;
}


/* marker bits and 33 bits of PTS or DTS behind four bits of prefix, 2.4.3.6 */

static ngx_inline u_char *
ngx_media_ts_put_time(u_char *p, uint32_t prefix, uint64_t time)
{
    p[0] = (u_char) (prefix << 4 | (time >> 29 & 0x0e) | 1);
    p[1] = (u_char) (time >> 22);
    p[2] = (u_char) (time >> 14 | 1);
    p[3] = (u_char) (time >> 7);
    p[4] = (u_char) (time << 1 | 1);

    return p + 5;
}


static ngx_inline uint64_t
ngx_media_ts_get_time(const u_char *p)
{
    return (uint64_t) (p[0] & 0x0e) << 29 | (uint64_t) p[1] << 22
           | (uint64_t) (p[2] & 0xfe) << 14 | (uint64_t) p[3] << 7
           | p[4] >> 1;
}


/* program_clock_reference of whole 90 kHz units, 2.4.3.5 */

static ngx_inline u_char *
ngx_media_ts_put_pcr(u_char *p, uint64_t time)
{
    p = ngx_media_put_be32(p, (uint32_t) (time >> 1));

    return ngx_media_put_be16(p, (uint32_t) (time & 1) << 15 | 0x7e00);
}


#endif /* _NGX_MEDIA_TS_H_INCLUDED_ */
