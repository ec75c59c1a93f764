
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * HLS playlists (rfc8216bis) from plain view structs.  Who fills them is not
 * this layer's affair; nothing in a view is owned by it.
 *
 * The version is computed, and so is where EXT-X-MAP stands: before the first
 * listed segment (after EXT-X-SKIP too), after a discontinuity, and where the
 * init segment changes.
 *
 * style: long header, it is the vocabulary of two kinds of playlists.
 */


#ifndef _NGX_MEDIA_M3U8_H_INCLUDED_
#define _NGX_MEDIA_M3U8_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* of segments; only those of CMAF have an init segment and parts */

typedef enum {
    NGX_MEDIA_M3U8_CMAF = 0,                  /* .m4s */
    NGX_MEDIA_M3U8_TS,                        /* .ts */
    NGX_MEDIA_M3U8_VTT,                       /* .vtt */
    NGX_MEDIA_M3U8_TS_VTT                     /* .ts.vtt */
} ngx_media_m3u8_container_e;


typedef struct {
    uint32_t                  duration;       /* in the view's timescale */
    unsigned                  independent:1;
    unsigned                  gap:1;
} ngx_media_m3u8_part_t;


/* a segment, or (the view's last one, with open set) the one in progress */

typedef struct {
    uint64_t                  number;         /* media sequence number */
    uint64_t                  duration;       /* in the view's timescale;
                                                 unused if open */
    uint64_t                  init;           /* name of its init segment */
    int64_t                   pdt;            /* ms since the epoch; < 0: no
                                                 date-time */
    const ngx_media_m3u8_part_t
                             *parts;
    ngx_uint_t                nparts;         /* 0: none listed any more */
    unsigned                  discontinuity:1;
    unsigned                  gap:1;
    unsigned                  open:1;         /* no EXTINF, no URI yet; not
                                                 listed before its first part,
                                                 without a part_target, or
                                                 after the end */
    uint32_t                  key_size;       /* bytes; 0: no key frame */
    uint32_t                  key_offset;     /* where it begins in it */
} ngx_media_m3u8_segment_t;


/* EXT-X-RENDITION-REPORT */

typedef struct {
    ngx_str_t                 track;          /* "a1" */
    uint64_t                  msn;
    ngx_uint_t                part;
    unsigned                  parts:1;        /* print LAST-PART */
} ngx_media_m3u8_report_t;


typedef struct {
    ngx_str_t                 track;          /* "v1": the folder of URIs */
    uint32_t                  timescale;      /* > 0 */
    uint32_t                  target;         /* TARGETDURATION, s */
    uint32_t                  part_target;    /* 1/10000 s; 0: no parts */
    uint32_t                  part_hold_back; /* ms */
    uint32_t                  hold_back;      /* ms */
    uint64_t                  start;          /* EXT-X-START, ms from the
                                                 first segment's begin */
    uint32_t                  can_skip;       /* CAN-SKIP-UNTIL, ms; 0: no */
    uint64_t                  discontinuity;  /* DISCONTINUITY-SEQUENCE: of
                                                 those that were removed; one
                                                 at the first listed segment
                                                 still counts up from it */
    const ngx_media_m3u8_segment_t
                             *segments;
    ngx_uint_t                nsegments;
    ngx_uint_t                skip;           /* delta update: so many of the
                                                 first segments are replaced
                                                 by EXT-X-SKIP; 0: full.
                                                 Ignored at the end */
    uint64_t                  hint_msn;       /* PRELOAD-HINT TYPE=PART; also
                                                 MEDIA-SEQUENCE while there
                                                 is no segment at all */
    ngx_uint_t                hint_part;
    const ngx_media_m3u8_report_t
                             *reports;
    ngx_uint_t                nreports;
    unsigned                  starts:1;       /* print start */
    unsigned                  hint:1;         /* ignored at the end */
    unsigned                  independent:1;  /* INDEPENDENT-SEGMENTS */
    unsigned                  block:1;        /* CAN-BLOCK-RELOAD */
    unsigned                  end:1;          /* ENDLIST */
    unsigned                  vod:1;          /* PLAYLIST-TYPE:VOD */
    unsigned                  iframes:1;      /* I-FRAMES-ONLY: no parts, the
                                                 key_size bytes of each */
    unsigned                  whole:1;        /* I-frames: all of each resource
                                                 is one, key_size only says
                                                 that there is one */
    unsigned                  event:1;        /* PLAYLIST-TYPE:EVENT */
    ngx_uint_t                container;      /* ngx_media_m3u8_container_e */
    ngx_str_t                 tag;            /* of a file: before the numbers
                                                 in names; empty: none */
    ngx_str_t                 init_track;     /* the folder of init segments;
                                                 empty: the track's */
} ngx_media_m3u8_media_t;


typedef enum {
    NGX_MEDIA_M3U8_AUDIO = 0,
    NGX_MEDIA_M3U8_SUBTITLES,
    NGX_MEDIA_M3U8_CAPTIONS                   /* in the video: no URI */
} ngx_media_m3u8_rendition_e;


/* a rendition in a group */

typedef struct {
    ngx_str_t                 track;          /* "a1"; URI is <track>.m3u8 */
    ngx_str_t                 group;          /* "aac-2" */
    ngx_str_t                 name;           /* empty: the track's */
    ngx_str_t                 lang;           /* RFC 5646; empty: und */
    ngx_uint_t                channels;       /* 0: absent */
    unsigned                  is_default:1;
    unsigned                  forced:1;       /* of subtitles */
    unsigned                  muxed:1;        /* it is in the variants: no
                                                 URI */
    unsigned                  manual:1;       /* no AUTOSELECT: another one
                                                 stands for its language */
    ngx_uint_t                type;           /* ngx_media_m3u8_rendition_e */
    ngx_str_t                 instream;       /* captions: "CC1" */
    ngx_str_t                 characteristics;  /* empty: absent */
} ngx_media_m3u8_rendition_t;


/* a variant; of an I-frame playlist, what is said of the video alone */

typedef struct {
    ngx_str_t                 track;
    ngx_str_t                 codecs;         /* all of the combination */
    ngx_str_t                 audio;          /* group; empty: none */
    uint64_t                  bandwidth;      /* bit/s */
    uint64_t                  average;        /* 0: absent */
    uint32_t                  width;          /* 0: no RESOLUTION */
    uint32_t                  height;
    uint32_t                  fps;            /* 1/1000; 0: absent */
    ngx_str_t                 range;          /* VIDEO-RANGE; empty: absent */
    ngx_str_t                 supplemental;   /* SUPPLEMENTAL-CODECS; empty:
                                                 absent */
    ngx_str_t                 subtitles;      /* group; empty: none */
    ngx_str_t                 captions;       /* group, "NONE"; empty: nothing
                                                 is said */
} ngx_media_m3u8_variant_t;


typedef struct {
    const ngx_media_m3u8_rendition_t
                             *renditions;
    ngx_uint_t                nrenditions;
    const ngx_media_m3u8_variant_t
                             *variants;
    ngx_uint_t                nvariants;
    const ngx_media_m3u8_variant_t
                             *iframes;
    ngx_uint_t                niframes;
    unsigned                  independent:1;
    unsigned                  ts:1;           /* <track>.ts.m3u8 for all,
                                                 <track>.ts.iframes.m3u8 */
} ngx_media_m3u8_multi_t;


/*
 * Both write at most size bytes and return the length of the whole text;
 * p may be NULL if size is 0.  Longer than size: what was written is of no
 * use.  URIs follow the URL grammar of docs/urls.md.
 */
size_t ngx_media_m3u8_write_media(u_char *p, size_t size,
    const ngx_media_m3u8_media_t *view);
size_t ngx_media_m3u8_write_multi(u_char *p, size_t size,
    const ngx_media_m3u8_multi_t *view);


#endif /* _NGX_MEDIA_M3U8_H_INCLUDED_ */
