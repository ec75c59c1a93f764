
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG-TS segments for HLS, RFC 8216bis, 3.1.1: from sample tables to the
 * bytes of a segment, pulled as the client takes them.  Frames as they arrive:
 * ngx_media_ts_push.h, which plans units of its own and writes them with this.
 *
 *     ngx_media_ts_mux_init(&mux)          checks, measures: mux.size
 *
 *     for ( ;; ) {
 *         rc = ngx_media_ts_mux_write(&mux, &in, &p, last);
 *
 *         NGX_OK:     p == last, send, go on with another buffer
 *         NGX_AGAIN:  in is used up; next come mux.want bytes of mux.track,
 *                     mux.sample at mux.sample_offset, or a part of them; more
 *                     may follow if it is the next sample of the same unit
 *         NGX_DONE:   mux.size bytes were written
 *     }
 *
 * What is written depends on the sample tables, the parameters, the number
 * and the media alone, never on the sizes of buffers.  A mux is flat: a copy
 * may run ahead with ngx_media_ts_mux_next() to see what will be read.
 *
 * style: long header, it is mostly the state, which its owner embeds.
 */


#ifndef _NGX_MEDIA_TS_MUX_H_INCLUDED_
#define _NGX_MEDIA_TS_MUX_H_INCLUDED_


#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_ts_es.h"


#define NGX_MEDIA_TS_TRACKS        8          /* in a segment, at most */
#define NGX_MEDIA_TS_PSI_SIZE      (2 * NGX_MEDIA_TS_PACKET)

/* one PES packet of audio: frames, and 90 kHz units of them */
#define NGX_MEDIA_TS_AUDIO_FRAMES  7
#define NGX_MEDIA_TS_AUDIO_SPAN    9000


/* a track in this segment; all of it is borrowed and may be constant */

typedef struct {
    const ngx_media_ts_es_t  *es;
    const u_char             *head;           /* of ngx_media_ts_es_head() */
    size_t                    head_len;
    const ngx_media_sample_t *samples;        /* of this segment */
    uint32_t                  nsamples;
    const uint32_t           *nals;           /* of each sample, counted as
                                                 below; only needed where NAL
                                                 lengths have not 4 bytes */
    int64_t                   decode_time;    /* of the first, in timescale */
    uint32_t                  delay;          /* in timescale: all times are
                                                 so much earlier, as by the
                                                 edit list of CMAF; offsets of
                                                 composition have it added */
} ngx_media_ts_track_t;


/* what is planned: the tables, a PCR of its own, or one PES packet */

typedef enum {
    NGX_MEDIA_TS_UNIT_PSI = 0,
    NGX_MEDIA_TS_UNIT_PCR,
    NGX_MEDIA_TS_UNIT_PES
} ngx_media_ts_unit_e;


typedef struct {
    uint64_t                  pts;            /* 90 kHz, not yet 33 bits */
    uint64_t                  dts;
    uint64_t                  pcr;
    uint64_t                  size;           /* of the PES packet, bytes */
    uint32_t                  packets;        /* transport packets */
    uint32_t                  track;
    uint32_t                  sample;         /* the first of its samples */
    uint32_t                  nsamples;
    uint8_t                   kind;           /* ngx_media_ts_unit_e */
    uint8_t                   header;         /* PES header, bytes */
    uint8_t                   adaptation;     /* of the first packet, bytes */
    unsigned                  has_pcr:1;
    unsigned                  broken:1;       /* the clock starts anew */
    unsigned                  key:1;
} ngx_media_ts_unit_t;


/* where a track is */

typedef struct {
    uint64_t                  ticks;          /* decode time, next sample */
    uint64_t                  time;           /* the same, written, 90 kHz */
    uint32_t                  sample;
    uint32_t                  packets;        /* on its PID so far */
    uint32_t                  pad;            /* so many more for the unit */
    uint32_t                  pad_sample;     /* that begins here */
    uint32_t                  spare;          /* what it could be spread to */
} ngx_media_ts_cursor_t;


/* the NAL units of a sample whose bytes come in pieces */

typedef struct {
    uint64_t                  left;           /* bytes of the sample */
    uint64_t                  run;            /* of its current NAL unit */
    uint32_t                  len;            /* a length, being read */
    uint32_t                  count;
    uint8_t                   got;            /* bytes of it so far */
    uint8_t                   nal_length;
} ngx_media_ts_nals_t;


typedef struct {
    /* to be set, the rest zero */

    const ngx_media_ts_track_t  *tracks;      /* the first video track, or
                                                 else the first, has the PCR */
    uint32_t                  ntracks;
    uint32_t                  audio_frames;   /* 0: the defaults above */
    uint32_t                  audio_span;
    uint64_t                  offset;         /* added to all times, 90 kHz */
    uint64_t                  number;         /* of the segment: the counters
                                                 of the tables go on by it */

    /* known after init */

    uint64_t                  size;           /* of the segment, bytes */
    uint64_t                  key_size;       /* of the key frame that stands
                                                 behind the tables; 0: none */

    /* while NGX_AGAIN: the input that comes next */

    uint32_t                  track;
    uint32_t                  sample;
    uint64_t                  sample_offset;
    uint64_t                  want;           /* to the end of the sample */

    uint32_t                  damaged;        /* NAL lengths that were wrong,
                                                 and cut to fit */

    /* its own */

    ngx_media_ts_unit_t       unit;
    ngx_media_ts_cursor_t     cursors[NGX_MEDIA_TS_TRACKS];
    ngx_media_ts_nals_t       nals;
    uint64_t                  pcr;            /* the last one */
    uint64_t                  payload;        /* of the unit, left */
    uint64_t                  zeros;          /* to be written */
    const u_char             *blob;           /* to be written */
    size_t                    blob_len;
    uint32_t                  pcr_track;
    uint32_t                  pid;            /* of the first track, */
    uint32_t                  shifts[NGX_MEDIA_TS_TRACKS];
                                              /* and how far others of a place
                                                 are behind it */
    uint32_t                  packets;        /* of the unit, left */
    uint32_t                  room;           /* of the packet, left */
    uint32_t                  nsamples;       /* of the unit, begun */
    uint8_t                   version;        /* pushed: of the PMT */
    uint8_t                   header_pos;
    uint8_t                   header_len;
    uint8_t                   piece_pos;
    uint8_t                   piece_len;
    uint8_t                   nal_len;        /* of a header, kept in piece */
    uint8_t                   code;           /* blank: zeros before in->pos,
                                                 of a start code, 2 at most */
    u_char                    header[NGX_MEDIA_TS_PACKET];
    u_char                    piece[NGX_MEDIA_TS_PREFIX_MAX];
    uint8_t                   cc[NGX_MEDIA_TS_TRACKS];
    unsigned                  measured:1;
    unsigned                  pushed:1;       /* units come from elsewhere */
    unsigned                  psi:1;          /* planned */
    unsigned                  has_pcr:1;
    unsigned                  start:1;        /* behind a NAL length */
    unsigned                  blank:1;        /* the run becomes zeros */
    unsigned                  whole:1;        /* the run is a NAL unit of the
                                                 length that it has */
} ngx_media_ts_mux_t;


/*
 * NGX_DECLINED: nals are missing; NGX_ERROR: too many tracks, or more than a
 * PMT of one packet can say of them, or a sample is too large for what carries
 * it
 */
ngx_int_t ngx_media_ts_mux_init(ngx_media_ts_mux_t *mux);

ngx_int_t ngx_media_ts_mux_write(ngx_media_ts_mux_t *mux,
    ngx_media_span_t *in, u_char **p, u_char *last);

/* plans the next unit into mux->unit; NGX_DONE after the last one */
ngx_int_t ngx_media_ts_mux_next(ngx_media_ts_mux_t *mux);

/*
 * Before the first byte is written: to the unit that this byte is in, without
 * reading what is before it, for requests of a range.  Returns the byte of
 * the segment that is written next, which is not after offset.
 */
uint64_t ngx_media_ts_mux_seek(ngx_media_ts_mux_t *mux, uint64_t offset);

/* counts the NAL units of one sample, whose bytes may come in pieces */
void ngx_media_ts_nals_init(ngx_media_ts_nals_t *nals, uint64_t size,
    ngx_uint_t nal_length);
void ngx_media_ts_nals_feed(ngx_media_ts_nals_t *nals, const u_char *pos,
    const u_char *last);


#endif /* _NGX_MEDIA_TS_MUX_H_INCLUDED_ */
