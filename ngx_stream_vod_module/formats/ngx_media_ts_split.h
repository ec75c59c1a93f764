
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Frames out of PES packets: access units of H.264 and HEVC, frames of audio,
 * wherever they begin and end.  The bytes of an elementary stream wait in one
 * buffer of its owner; PES packets are marks in it.
 *
 *     ngx_media_ts_split_init(&split, stream)
 *
 *     START:  ngx_media_ts_split_start(&split, used, ev)
 *     DATA:   if (ev->damaged) ngx_media_ts_split_hole(&split, used)
 *             append data, used += n
 *     END:    if (ev->damaged) ngx_media_ts_split_hole(&split, used)
 *
 *             in.pos = buffer; in.last = buffer + used;
 *
 *             while (ngx_media_ts_split(&split, &in, &frame) == NGX_OK) { ... }
 *
 *             what is left in in moves to the beginning of the buffer; used is
 *             its size
 *
 * ngx_media_ts_split_flush() after the last END says that no more comes; then
 * the loop again.  Dropped and counted are frames that bytes are missing of,
 * and bytes of no frame.
 *
 * Stamps are those of PES packets, ISO/IEC 13818-1, 2.4.3.7: of the first unit
 * that begins in one; those behind it are counted.
 *
 * style: long header, it is mostly the state, which its owner embeds.
 */


#ifndef _NGX_MEDIA_TS_SPLIT_H_INCLUDED_
#define _NGX_MEDIA_TS_SPLIT_H_INCLUDED_


#include "formats/ngx_media_ts_demux.h"


/* PES packets that begin in what waits, of which the stamps are kept */
#define NGX_MEDIA_TS_MARKS         16

/* parameter sets of H.264: of sequences and pictures, 7.4.2.1, 7.4.2.2 */
#define NGX_MEDIA_TS_SPS           32
#define NGX_MEDIA_TS_PPS           256


typedef struct {
    const ngx_media_codec_t  *codec;          /* LATM: of what is in it; NULL:
                                                 timed data */
    const u_char             *pos;            /* in in: NAL units behind start
                                                 codes; ADTS frames, elements of
                                                 LOAS, frames of MP2, MP3, AC-3
                                                 with their headers; Opus bare,
                                                 KLV and ID3, too */
    const u_char             *last;
    int64_t                   pts;            /* as the demuxer has them; both
                                                 are NGX_MEDIA_TS_NO_TIME where
                                                 nothing has said one yet */
    int64_t                   dts;
    uint32_t                  samples;        /* audio: that it lasts; 0: that
                                                 is not known (LATM) */
    uint32_t                  rate;           /* Hz: of these */
    uint32_t                  lost;           /* audio: so many frames like it
                                                 are missing before, of which
                                                 pts and dts know; all of this
                                                 PES packet */
    unsigned                  counted:1;      /* it had no stamp of its own */
    unsigned                  damaged:1;      /* a key frame, bytes of it are
                                                 missing */
} ngx_media_ts_split_frame_t;


typedef struct {
    uint64_t                  frames;
    uint64_t                  damaged;        /* frames that were dropped */
    uint64_t                  skipped;        /* bytes of no frame */
    uint64_t                  torn;           /* PES packets that went on with
                                                 a frame that had been given
                                                 out */
} ngx_media_ts_split_stat_t;


/* a PES packet that begins at this byte of what waits */

typedef struct {
    size_t                    at;
    int64_t                   pts;
    int64_t                   dts;
    int64_t                   pcr;
    uint32_t                  size;           /* 0: it did not say */
    uint32_t                  done;           /* bytes of it that have been
                                                 passed */
    unsigned                  has_dts:1;
    unsigned                  used:1;         /* a frame has these stamps */
    unsigned                  seen:1;         /* how it begins was looked at */
} ngx_media_ts_mark_t;


/* of a slice: what tells pictures apart, ISO/IEC 14496-10, 7.4.1.2.4 */

typedef struct {
    uint32_t                  first_mb;
    uint32_t                  pps;
    uint32_t                  frame_num;
    uint32_t                  idr_id;
    uint32_t                  poc;            /* pic_order_cnt_lsb */
    unsigned                  known:1;        /* all of it was read */
    unsigned                  idr:1;
    unsigned                  ref:1;
    unsigned                  field:1;
    unsigned                  bottom:1;
    unsigned                  planes:1;       /* slices of three of them */
} ngx_media_ts_picture_t;


/* of an SPS, to read slice headers by */

typedef struct {
    uint8_t                   frame_num_bits; /* 0: there is none */
    uint8_t                   poc_bits;       /* 0: of another type */
    unsigned                  planes:1;       /* separate_colour_plane */
    unsigned                  fields:1;       /* not frame_mbs_only */
} ngx_media_ts_sps_t;


/* video: what is being put together, and what is known of the stream */

typedef struct {
    size_t                    scan;           /* looked at, so far */
    size_t                    next;           /* where the next unit would
                                                 begin, if vcl; 0: not known */
    ngx_uint_t                aligned;        /* PES packets that begin with a
                                                 unit, in a row */
    int64_t                   pts;            /* of the unit */
    int64_t                   dts;
    int64_t                   stamped;        /* DTS of the last stamp */
    int64_t                   most;           /* PTS so far */
    int64_t                   span;           /* of a unit, 90 kHz: measured; */
    int64_t                   rate;           /* by parameter sets; 0: not
                                                 known */
    uint32_t                  units;          /* since the last stamp */
    uint32_t                  largest;        /* PES packet that said it */
    unsigned                  begun:1;        /* a unit begins at 0, */
    unsigned                  vcl:1;          /* has slices, */
    unsigned                  key:1;          /* of a random access point, */
    unsigned                  sets:1;         /* and parameter sets before; */
    unsigned                  paired:1;       /* both fields; */
    unsigned                  counted:1;      /* no stamp of its own */
    unsigned                  torn:1;         /* PES packets do not begin with
                                                 units */
    unsigned                  told:1;         /* DTS has been said */
    unsigned                  turned:1;       /* PTS goes back without one */
    ngx_media_ts_picture_t    picture;        /* of the last slice */
    ngx_media_ts_sps_t        sps[NGX_MEDIA_TS_SPS];
    uint8_t                   pps[NGX_MEDIA_TS_PPS];
                                              /* their SPS + 1, 0: unknown */
} ngx_media_ts_video_t;


/* audio: what all frames have, and how they are counted */

typedef struct {
    int64_t                   base;           /* of the frame that had a stamp,
                                                 NGX_MEDIA_TS_NO_TIME */
    uint64_t                  count;          /* samples since */
    uint32_t                  lost;           /* bytes since the last frame that
                                                 were of none, or are missing */
    uint32_t                  rate;
    uint32_t                  samples;        /* of a frame */
    uint32_t                  look;           /* of a header: what is the same
                                                 in all of them */
    unsigned                  synced:1;       /* frames follow each other */
    unsigned                  known:1;        /* look, rate, samples */
    unsigned                  hit:1;          /* frames were dropped since the
                                                 last one */
} ngx_media_ts_audio_t;


typedef struct {
    /* to be read by the owner */

    ngx_media_ts_split_stat_t stat;

    /* private */

    const ngx_media_codec_t  *codec;
    ngx_media_ts_as_e         as;
    uint8_t                   stream_type;
    unsigned                  flushed:1;
    unsigned                  holed:1;        /* hole, hole_last are set */
    size_t                    hole;           /* bytes are missing here, */
    size_t                    hole_last;      /* and at places up to this */
    ngx_uint_t                nmarks;
    ngx_media_ts_mark_t       marks[NGX_MEDIA_TS_MARKS];
    ngx_media_ts_audio_t      audio;
    ngx_media_ts_video_t      video;
} ngx_media_ts_split_t;


/* stream is not needed any longer; of sections there is nothing to split */
void ngx_media_ts_split_init(ngx_media_ts_split_t *s,
    const ngx_media_ts_stream_t *stream);

/* at: bytes that wait */
void ngx_media_ts_split_start(ngx_media_ts_split_t *s, size_t at,
    const ngx_media_ts_event_t *ev);
void ngx_media_ts_split_hole(ngx_media_ts_split_t *s, size_t at);

/*
 * NGX_OK: frame, in is shortened; NGX_AGAIN: what is left in in has to wait.
 * Whole PES packets are given: in ends where the last of them does.
 */
ngx_int_t ngx_media_ts_split(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    ngx_media_ts_split_frame_t *frame);

/* no more comes, or what waits is too much: ngx_media_ts_split() leaves
   nothing, and goes on with what may come */
void ngx_media_ts_split_flush(ngx_media_ts_split_t *s);


#endif /* _NGX_MEDIA_TS_SPLIT_H_INCLUDED_ */
