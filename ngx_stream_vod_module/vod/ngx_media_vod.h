
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Maps and sets.
 *
 * A *map* says which files are presented how: sequences (renditions) of clips.
 * A *set* is what a map and its files make: tracks with their names, and a
 * plan of segments for each track and clip; a blob, as a file is.
 *
 * It is made in a thread, by functions that know nothing of requests, and
 * read in the event loop, where a segment touches only its own samples.
 *
 * style: long header, it is one vocabulary and nothing else.
 */


#ifndef _NGX_MEDIA_VOD_H_INCLUDED_
#define _NGX_MEDIA_VOD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_frames.h"
#include "core/ngx_media_view.h"
#include "files/ngx_media_vod_file.h"
#include "formats/ngx_media_fill.h"
#include "formats/ngx_media_plan.h"


#define NGX_MEDIA_VOD_SEQUENCES  32           /* of a map */
#define NGX_MEDIA_VOD_CLIPS      256          /* of a sequence */


/* 1. a map: in a pool, with pointers; made by ngx_media_vod_map.h */

typedef struct {
    ngx_str_t                 path;           /* absolute, ends with a zero;
                                                 empty: nothing is there */
    int64_t                   from;           /* ms in the file */
    int64_t                   to;             /* the same; -1: to its end */
} ngx_media_vod_clip_t;


typedef struct {
    ngx_media_vod_clip_t     *clips;          /* map->nclips */
    uint64_t                  tracks;         /* bits: 0.. video 1, 2, ...;
                                                 32.. audio 1, 2, ...; all set:
                                                 all, text too */
    ngx_str_t                 lang;           /* empty: what the file says */
    ngx_str_t                 label;
    ngx_str_t                 id;
    uint64_t                  bitrate_video;  /* bit/s; 0: measured */
    uint64_t                  bitrate_audio;
    unsigned                  is_default:1;
    unsigned                  has_default:1;  /* it is said */
} ngx_media_vod_sequence_t;


typedef struct {
    ngx_media_vod_sequence_t *sequences;
    ngx_uint_t                nsequences;
    ngx_uint_t                nclips;         /* of each */
    int64_t                  *durations;      /* ms, of clips; NULL: as long
                                                 as they are */
    int64_t                  *starts;         /* ms after the first one, of the
                                                 clips of a channel: clipTimes;
                                                 NULL: where one ends the next
                                                 one begins */
    int64_t                   segment;        /* ms, segmentDuration; 0: as
                                                 configured */
    uint64_t                  hash;           /* of all that is said here but
                                                 the first three fields of
                                                 what is live, end, end_time,
                                                 time_offset, note, expired */
    /* a linear channel, nginx-vod-module's mapping */
    int64_t                   first_time;     /* firstClipTime, ms since the
                                                 epoch; -1: it is no channel */
    int64_t                   segment_time;   /* segmentBaseTime, ms; -1 */
    int64_t                   first_number;   /* initialSegmentIndex; -1 */
    int64_t                   first_clip;     /* initialClipIndex; -1 */
    int64_t                   window;         /* ms, liveWindowDuration; 0 */
    int64_t                   end_time;       /* presentationEndTime, ms since
                                                 the epoch; -1 */
    int64_t                   time_offset;    /* ms, added to the clock */
    u_char                    note[NGX_MEDIA_VOD_ERROR];  /* what is ignored,
                                                 for the log; "" */
    unsigned                  live:1;         /* playlistType live or event, */
    unsigned                  event:1;        /* event */
    unsigned                  end:1;          /* presentationEndTime has
                                                 passed: ENDLIST */
    unsigned                  expired:1;      /* expirationTime has passed:
                                                 no manifests, 404 */
    unsigned                  loop:1;         /* clips are repeated for ever */
    unsigned                  discontinuity:1;  /* between clips: 1 unless
                                                 said otherwise */
} ngx_media_vod_map_t;


/* 2. a set */

typedef struct {
    u_char                    name[8];        /* "v1", ends with a zero */
    uint32_t                  type;           /* ngx_media_type_e */
    uint32_t                  sequence;       /* of the map */
    uint64_t                  bandwidth;      /* bit/s, peak */
    uint64_t                  average;
    uint64_t                  key_bandwidth;  /* of key frames, peak */
    uint64_t                  ts_bandwidth;   /* the same in MPEG-TS, alone in
                                                 it; 0: unknown */
    uint64_t                  ts_average;
    uint64_t                  ts_key_bandwidth;
    uint32_t                  fps;            /* 1/1000, of the clip that has
                                                 most */
    uint32_t                  apart;          /* ms that its segments are off
                                                 the common times, at most */
    uint32_t                  rung;           /* of the ladder, from 1, or of
                                                 its audio; 0: as the files
                                                 have it */
    u_char                    lang[NGX_MEDIA_LANG];
    u_char                    label[NGX_MEDIA_LABEL];
    unsigned                  is_default:1;
    unsigned                  forced:1;
    unsigned                  sdh:1;
    unsigned                  described:1;
    unsigned                  text:1;         /* served as WebVTT, .vtt */
    unsigned                  ts_off:1;       /* MPEG-TS has no room for its
                                                 frames */
} ngx_media_vod_set_track_t;


/* one track in one clip */

typedef struct {
    uint32_t                  file;           /* sequence * nclips + clip; of
                                                 another clip where all of it
                                                 is silence: its parameters */
    uint32_t                  track;          /* of the file; NONE: nothing is
                                                 here */
    uint32_t                  plan;           /* offset, ngx_media_plan_t */
    uint32_t                  description;    /* the usual one */
    uint32_t                  fps;            /* 1/1000, of video */
    uint32_t                  delay;          /* added to composition offsets,
                                                 see ngx_media_params_t, */
    uint32_t                  edit;           /* in CMAF, with an edit list;
                                                 0: not at all there */
    uint64_t                  init;           /* its init segment's name */
    int64_t                   base;           /* added to the plan's times, in
                                                 timescale: none is negative */
    ngx_media_fill_t          fill;           /* silence, of audio */
    uint32_t                  own;            /* a rung: offset of its params;
                                                 0: the file has them */
    uint32_t                  encoder;        /* its number in the table, */
    uint32_t                  bframes;        /* and how many it may have */
    uint64_t                  made;           /* hash of how it is made */
    int64_t                   origin;         /* of audio: where frame 0 of the
                                                 plan begins, on the line and in
                                                 the timescale of its source */
} ngx_media_vod_set_clip_t;


typedef struct {
    uint32_t                  number;         /* of its first segment */
    uint32_t                  nsegments;
    uint32_t                  clock;          /* the track that decided */
    int64_t                   start;          /* ms from the set's begin */
    int64_t                   duration;       /* ms */
    int64_t                   base;           /* ms: what media times are when
                                                 it begins */
} ngx_media_vod_period_t;


typedef struct {
    uint32_t                  version;
    uint32_t                  size;
    uint64_t                  tag;            /* of names */
    uint64_t                  hash;           /* of all it was made of */
    uint32_t                  status;         /* 200, or why not */
    uint32_t                  target;         /* longest segment, s, up */
    uint32_t                  segment;        /* ms, what was aimed at */
    uint32_t                  ntracks;        /* offset of its tracks: */
    uint32_t                  tracks;         /* ngx_media_vod_set_track_t */
    uint32_t                  nperiods;       /* clips */
    uint32_t                  periods;        /* ngx_media_vod_period_t */
    uint32_t                  clips;          /* ngx_media_vod_set_clip_t,
                                                 [period][track] */
    uint32_t                  nfiles;
    int64_t                   duration;       /* ms */
    int64_t                   born;           /* growing: ms since the epoch,
                                                 its last write was so much
                                                 and the duration later */
    unsigned                  growing:1;      /* an EVENT: the last segment is
                                                 not listed yet */
    u_char                    error[NGX_MEDIA_VOD_ERROR];
    u_char                    note[NGX_MEDIA_VOD_ERROR];  /* what is left out,
                                                 silent or not aligned; ""; it
                                                 is logged */
} ngx_media_vod_set_t;


#endif /* _NGX_MEDIA_VOD_H_INCLUDED_ */
