
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * DASH manifests (ISO/IEC 23009-1) from plain view structs; nothing in a
 * view is owned by it.
 *
 * availabilityStartTime is the epoch in every dynamic MPD.  Equal segments
 * that follow one another are folded (S@r); S@t stands where the line of the
 * S before is left.  maxWidth, maxHeight, maxFrameRate and par are computed.
 *
 * style: long header, it is one vocabulary and nothing else.
 */


#ifndef _NGX_MEDIA_MPD_H_INCLUDED_
#define _NGX_MEDIA_MPD_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* a set's type is that of its tracks, ngx_media_type_e, or this: thumbnails */
#define NGX_MEDIA_MPD_IMAGE  3


/* one S of a SegmentTimeline */

typedef struct {
    uint64_t                  time;           /* S@t, in timescale */
    uint64_t                  duration;       /* S@d */
    uint64_t                  number;         /* of its name; in lists only */
} ngx_media_mpd_segment_t;


typedef struct {
    ngx_str_t                 track;          /* @id and folder: "v1" */
    ngx_str_t                 codecs;
    uint64_t                  bandwidth;      /* bit/s */
    uint64_t                  init;           /* name of the init segment */
    ngx_str_t                 init_track;     /* and its folder; empty: the
                                                 track's */
    uint32_t                  timescale;      /* > 0 */
    uint64_t                  offset;         /* presentationTimeOffset */
    uint32_t                  width;          /* 0: absent */
    uint32_t                  height;
    uint32_t                  sar_num;        /* 0: unknown, 1:1 */
    uint32_t                  sar_den;
    uint32_t                  fps_num;        /* 0: absent */
    uint32_t                  fps_den;
    uint32_t                  sample_rate;    /* 0: absent */
    uint32_t                  channels;       /* told if the configuration is
                                                 unknown and they are <= 6 */
    uint32_t                  channel_config; /* ISO 23091-3; 0: unknown */
    uint64_t                  number;         /* startNumber; the numbers go
                                                 +1 a segment, S@t or not */
    const ngx_media_mpd_segment_t
                             *segments;
    ngx_uint_t                nsegments;
    unsigned                  by_time:1;      /* t$Time$.m4s, not $Number$ */
    unsigned                  list:1;         /* SegmentList: numbers of names
                                                 do not go +1 a segment */
    ngx_str_t                 tag;            /* of a file: before the numbers
                                                 in names; empty: none */
    ngx_str_t                 supplemental;   /* scte214:supplementalCodecs,
                                                 codecs and */
    ngx_str_t                 profiles;       /* brands; empty: absent */
    ngx_str_t                 file;           /* text: URL of a whole file, no
                                                 segments; empty: none */
    uint32_t                  play_rate;      /* trick: maxPlayoutRate; 0:
                                                 absent */
    uint32_t                  tiles_x;        /* image: of each picture, whose
                                                 width and height are above */
    uint32_t                  tiles_y;
    uint32_t                  duration;       /* image: of each, in timescale;
                                                 <track>/$Number$.jpg */
} ngx_media_mpd_representation_t;


typedef struct {
    uint32_t                  id;
    uint32_t                  type;           /* ngx_media_type_e */
    ngx_str_t                 lang;           /* RFC 5646; empty: absent */
    ngx_str_t                 label;
    ngx_str_t                 role;           /* "main"; empty: absent */
    const ngx_media_mpd_representation_t
                             *representations;
    ngx_uint_t                nrepresentations;
    uint32_t                  sap;            /* startWithSAP: 1 or 2; 0:
                                                 absent */
    unsigned                  connectivity:1; /* continues the set of the
                                                 same id of prev_id */
    unsigned                  unaligned:1;    /* segmentAlignment=false */
    unsigned                  trick:1;        /* trick mode of the set */
    uint32_t                  main;           /* of this id */
    ngx_str_t                 mime;           /* empty: that of the type in
                                                 ISO BMFF */
    ngx_str_t                 switching;      /* ids, "2,3": other sets that
                                                 one may switch to; empty */
    ngx_str_t                 inband;         /* scheme of events that are in
                                                 its segments; empty: of none */
    ngx_str_t                 captions;       /* CEA-608 in the video,
                                                 "CC1=eng;CC3=deu"; empty */
    ngx_str_t                 captions_708;   /* CEA-708, "1=lang:eng" */
    uint8_t                   primaries;      /* ISO 23091-2: told where the
                                                 transfer is not 0 */
    uint8_t                   transfer;
    uint8_t                   matrix;
} ngx_media_mpd_set_t;


typedef struct {
    uint64_t                  id;
    int64_t                   start;          /* ms since MPD@availability-
                                                 StartTime */
    int64_t                   duration;       /* ms; -1: absent */
    const ngx_media_mpd_set_t
                             *sets;
    ngx_uint_t                nsets;
    uint64_t                  prev_id;        /* for period-connectivity */
} ngx_media_mpd_period_t;


typedef struct {
    int64_t                   start;          /* availabilityStartTime, ms
                                                 since the epoch; used if
                                                 dynamic */
    int64_t                   publish_time;   /* ms since the epoch; used
                                                 if dynamic */
    uint32_t                  update;         /* minimumUpdatePeriod, ms; 0:
                                                 absent, the MPD is final and
                                                 the last period has its
                                                 duration */
    uint32_t                  min_buffer;     /* ms */
    uint32_t                  depth;          /* timeShiftBufferDepth, ms;
                                                 0: absent */
    uint32_t                  delay;          /* suggestedPresentation-
                                                 Delay, ms; 0: absent */
    uint32_t                  max_segment;    /* maxSegmentDuration, ms; 0:
                                                 absent */
    int64_t                   duration;       /* mediaPresentationDuration,
                                                 ms; -1: absent */
    int64_t                   now;            /* UTCTiming direct, ms; -1:
                                                 absent */
    ngx_str_t                 time_url;       /* UTCTiming http-iso; empty:
                                                 absent */
    const ngx_media_mpd_period_t
                             *periods;
    ngx_uint_t                nperiods;
    unsigned                  dynamic:1;
} ngx_media_mpd_t;


/*
 * Writes at most size bytes and returns the length of the whole text; p may
 * be NULL if size is 0.  Longer than size: what was written is of no use.
 */
size_t ngx_media_mpd_write(u_char *p, size_t size, const ngx_media_mpd_t *mpd);


#endif /* _NGX_MEDIA_MPD_H_INCLUDED_ */
