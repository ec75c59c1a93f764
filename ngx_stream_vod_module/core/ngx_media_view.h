
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What reading the store yields: copies by value, see ngx_media_read.h.
 *
 * style: long header, it is one vocabulary and nothing else.
 */


#ifndef _NGX_MEDIA_VIEW_H_INCLUDED_
#define _NGX_MEDIA_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_frame.h"
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_RANGES         4            /* of a segment */
#define NGX_MEDIA_ALL_TRACKS     ((ngx_uint_t) -1)
#define NGX_MEDIA_NO_TRACK       ((ngx_uint_t) -2)

/* states of a stream */
#define NGX_MEDIA_STREAM_LIVE    1            /* has a publisher */
#define NGX_MEDIA_STREAM_GRACE   2            /* may get one again */
#define NGX_MEDIA_STREAM_ENDED   3            /* ENDLIST */


/* what viewers may want of a stream, that has to be made for them then */

typedef enum {
    NGX_MEDIA_ASK_TS = 0,                     /* audio that is in HLS of
                                                 MPEG-TS */
    NGX_MEDIA_ASKS
} ngx_media_ask_e;


typedef struct ngx_media_stream_shm_s  ngx_media_stream_shm_t;
typedef struct ngx_media_track_shm_s  ngx_media_track_shm_t;


/* a reference by value: valid as long as the cycle, it may just miss */

typedef struct {
    ngx_media_zone_t         *zone;
    ngx_media_stream_shm_t   *sh;
    uint64_t                  id;
} ngx_media_stream_t;


/*
 * What is called the number of a stream's track: its place, and how often that
 * was another one's before.  So whoever waits for a track that has ended and
 * gone never meets the one that came after it.
 */
#define ngx_media_track_handle(place, uses)                                   \
    ((ngx_uint_t) (uses) << 8 | (place))
#define ngx_media_track_place(track)      ((track) & 0xff)
#define ngx_media_track_uses(track)       ((uint32_t) ((track) >> 8))


typedef struct {
    uint64_t                  number;         /* media sequence number */
    int64_t                   time;           /* of its first sample, in
                                                 timescale, unix epoch */
    uint64_t                  duration;       /* in timescale; open: so far */
    int64_t                   wall;           /* ms since the epoch; -1: none,
                                                 of files */
    uint64_t                  init;           /* name of its init segment */
    uint64_t                  bytes;
    uint32_t                  key_size;       /* bytes from its start to the
                                                 end of its first sample, if
                                                 that is a key frame, else 0 */
    uint32_t                  nparts;         /* open: so far */
    uint32_t                  fps;            /* 1/1000, of files */
    uint64_t                  bandwidth;      /* bit/s, announced: the same in
                                                 all of its period; 0 */
    uint64_t                  period;         /* DASH period: the number of
                                                 its first segment, */
    int64_t                   period_time;    /* its start in this track's
                                                 timescale, */
    int64_t                   period_wall;    /* and in ms since the epoch */
    unsigned                  discontinuity:1;  /* starts a period */
    unsigned                  anchored:1;     /* its wall clock was set anew:
                                                 a period for DASH only */
    unsigned                  forced:1;       /* no random access point */
    unsigned                  leading:1;      /* SAP type 2 */
    unsigned                  gap:1;
    unsigned                  coarse:1;       /* a part of it is longer than
                                                 PART-TARGET: none is listed */
    unsigned                  open:1;         /* in progress */
    unsigned                  runs:1;         /* its DASH period has forced
                                                 cuts: addressed by time, in
                                                 runs (timing.md, 4) */
    ngx_uint_t                nranges;        /* open: 0 */
    ngx_media_range_t         ranges[NGX_MEDIA_RANGES];
} ngx_media_segment_t;


typedef struct {
    uint64_t                  number;         /* of its segment */
    uint32_t                  part;           /* index in it, from 0 */
    uint32_t                  duration;       /* in timescale */
    unsigned                  independent:1;
    ngx_media_range_t         range;
} ngx_media_part_t;


/* how far a track is: what a waiting request looks at */

typedef struct {
    ngx_uint_t                state;          /* NGX_MEDIA_STREAM_* */
    uint64_t                  msn;            /* of the newest part */
    ngx_uint_t                part;
    uint64_t                  closed;         /* segments below are complete */
    ngx_uint_t                whole;          /* of a view: no gaps */
    unsigned                  any:1;          /* 0: nothing is published */
    unsigned                  ended:1;        /* ENDLIST: nothing will come */
} ngx_media_edge_t;


/* one version of a track's parameters */

typedef struct {
    uint64_t                  name;           /* hash of the init segment */
    size_t                    codec_len;
    u_char                    codec[NGX_MEDIA_CODEC_STRING_MAX];
    ngx_media_params_t        params;         /* the last member */
} ngx_media_init_t;


typedef struct {
    ngx_uint_t                index;          /* its number in the store; of
                                                 files, its index */
    ngx_str_t                 name;           /* "v1" */
    ngx_uint_t                type;           /* ngx_media_type_e */
    uint32_t                  publisher;      /* its number of the track: they
                                                 are listed by it; of files 0 */
    uint32_t                  only;           /* NGX_MEDIA_IN_*; 0: in all */
    uint32_t                  codec;          /* NGX_MEDIA_CODEC_*; of files,
                                                 0: that of their inits */
    uint32_t                  timescale;
    uint64_t                  bandwidth;      /* bit/s, peak; 0: unknown */
    uint64_t                  average;        /* bit/s; 0: unknown */
    uint64_t                  key_bandwidth;  /* bit/s, of the key frames that
                                                 segments start with */
    uint64_t                  ts_bandwidth;   /* the same in MPEG-TS, each */
    uint64_t                  ts_average;     /* track alone, of files; 0: it
                                                 has to be estimated */
    uint64_t                  ts_key_bandwidth;
    uint32_t                  fps;            /* 1/1000, measured; 0 */
    uint64_t                  edge_msn;       /* the newest part: segment */
    ngx_uint_t                edge_part;      /* and index; if nothing is
                                                 published, edge_any is 0 */
    unsigned                  edge_any:1;
    unsigned                  ended:1;        /* this track got ENDLIST */
    unsigned                  away:1;         /* nothing comes of it while
                                                 others go on */
    unsigned                  derived:1;      /* made here of another one */
    unsigned                  unlisted:1;     /* it is there, but no variant: by
                                                 whoever renders the view */
    unsigned                  parts_off:1;    /* publishes no parts */
    unsigned                  ts_off:1;       /* of files: has frames that
                                                 MPEG-TS has no room for */
    unsigned                  is_default:1;
    unsigned                  forced:1;       /* text: forced subtitles */
    unsigned                  sdh:1;          /* text: for the hard of hearing;
                                                 audio: enhanced speech */
    unsigned                  described:1;    /* audio description */
    uint32_t                  apart;          /* ms: its segments begin so far
                                                 from the common times */
    ngx_str_t                 lang;           /* RFC 5646; empty: unknown */
    ngx_str_t                 label;          /* empty: none */
    ngx_str_t                 supplemental;   /* SUPPLEMENTAL-CODECS: codecs */
    ngx_str_t                 brands;         /* and brands; empty: none */
    uint64_t                  expect_msn;     /* where the next part goes: a */
    ngx_uint_t                expect_part;    /* forecast for the hint */
    unsigned                  expect:1;

    ngx_media_segment_t      *segments;       /* listed ones, oldest first;
                                                 the last may be open */
    ngx_uint_t                nsegments;
    ngx_media_part_t         *parts;          /* of the newest segments, as
                                                 far as they are kept, in
                                                 order */
    ngx_uint_t                nparts;
    ngx_media_init_t         *inits;          /* those the segments name */
    ngx_uint_t                ninits;
} ngx_media_track_view_t;


/* sheets of thumbnails, "i1" */

typedef struct {
    uint32_t                  interval;       /* ms between pictures; 0: there
                                                 are none */
    uint32_t                  width;          /* of a picture, pixels */
    uint32_t                  height;
    uint32_t                  tiles_x;        /* pictures of a sheet */
    uint32_t                  tiles_y;
    uint32_t                  bandwidth;      /* bit/s, estimated */
    ngx_str_t                 tag;            /* of their names */
} ngx_media_thumbs_view_t;


typedef struct {
    uint64_t                  version;        /* changes whenever anything
                                                 that is listed changes */
    ngx_uint_t                state;          /* NGX_MEDIA_STREAM_* */
    uint32_t                  target;         /* TARGETDURATION, s */
    uint32_t                  part_target;    /* 1/10000 s; 0: no parts, or
                                                 one of its tracks has none */
    ngx_msec_t                segment;
    ngx_msec_t                window;
    ngx_msec_t                latency;        /* by which some of its tracks
                                                 may be behind others */
    uint64_t                  discontinuity;  /* those that were removed */
    unsigned                  ready:1;        /* tracks are known: the
                                                 multivariant playlist and
                                                 the MPD may be given out */
    unsigned                  forced:1;       /* there was a forced cut:
                                                 no INDEPENDENT-SEGMENTS */

    /*
     * What may be expected of it: each bit stands for itself, and whoever
     * makes a view sets those that are true.  Two more need none: names carry
     * tags where tag is not empty, parts are listed where part_target is not
     * 0.
     */
    unsigned                  waits:1;        /* more may come at any moment,
                                                 tracks too: requests wait */
    unsigned                  walls:1;        /* segments have wall clocks; 0:
                                                 none has, wall is -1 */
    unsigned                  tricks:1;       /* key frames are resources of
                                                 their own: "k1" of "v1" */
    unsigned                  sparse:1;       /* tracks have no segment at some
                                                 numbers, or end before others:
                                                 they stay listed */
    unsigned                  mixed:1;        /* players come by all inits of a
                                                 track, not by its newest
                                                 alone */
    unsigned                  renditions:1;   /* tracks of a type are that,
                                                 also where nothing tells them
                                                 apart */
    unsigned                  measured:1;     /* what tracks say of rates,
                                                 range and alignment is of all
                                                 of them, and stays */

    unsigned                  inband:1;       /* its parts carry timed data */

    unsigned                  offers:NGX_MEDIA_ASKS;  /* 1 << ngx_media_ask_e:
                                                 made of it when asked for */

    unsigned                  event:1;        /* only ever appended, as to a
                                                 file that grows */
    unsigned                  settled:1;      /* of a channel: it ended so long
                                                 ago that nobody is in it who
                                                 saw that */
    int64_t                   born;           /* ms since the epoch, of a file
                                                 that grows: what is seen at a
                                                 time was written at born and
                                                 that time; 0: other ones */
    ngx_str_t                 tag;            /* before numbers in names,
                                                 "1a2b3c4d"; empty: none */
    int64_t                   duration;       /* ms, of files; -1 */
    ngx_media_thumbs_view_t   thumbs;         /* of files */
    ngx_uint_t                clock;          /* index of the clock track */
    ngx_media_track_view_t   *tracks;
    ngx_uint_t                ntracks;
} ngx_media_stream_view_t;


#endif /* _NGX_MEDIA_VIEW_H_INCLUDED_ */
