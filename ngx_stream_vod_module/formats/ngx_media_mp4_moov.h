
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The moov box, ISO/IEC 14496-12, 8.2: tracks as slices of it.  Tables are
 * located here and read in ngx_media_mp4_stbl.h, sample descriptions in
 * ngx_media_mp4_entry.h, fragments in ngx_media_mp4_moof.h.
 */


#ifndef _NGX_MEDIA_MP4_MOOV_H_INCLUDED_
#define _NGX_MEDIA_MP4_MOOV_H_INCLUDED_


#include "formats/ngx_media_mp4_box.h"


/* defaults of the samples in fragments, 8.8.3 */

typedef struct {
    uint32_t                  description;
    uint32_t                  duration;
    uint32_t                  size;
    uint32_t                  flags;
} ngx_media_mp4_trex_t;


typedef struct {
    uint32_t                  number;         /* in moov, from 1 */
    uint32_t                  id;             /* track_ID, not 0, unique */
    uint32_t                  handler;        /* vide soun text sbtl subt ... */
    uint32_t                  timescale;      /* of its media, not 0 */
    uint64_t                  duration;       /* in timescale; 0: unknown */
    uint32_t                  width;          /* as shown, rotation applied; */
    uint32_t                  height;         /* 0: not said */
    uint32_t                  rotation;       /* degrees, clockwise, of 90 */
    uint32_t                  group;          /* alternate_group, 0: none */
    u_char                    language[4];    /* ISO 639-2/T and a zero; "und"
                                                 where nothing is said */
    ngx_media_span_t          elng;           /* BCP 47, without its zero */
    ngx_media_span_t          name;           /* UTF-8, what udta says */
    ngx_media_span_t          handler_name;   /* often that of a program */
    ngx_media_span_t          kind;           /* scheme, 0, value, 0 */
    ngx_media_span_t          chap;           /* track_IDs of its chapters */
    unsigned                  enabled:1;
    unsigned                  chapters:1;     /* is a list of chapters: some
                                                 track refers to it so */
    unsigned                  fragments:1;    /* has a trex */
    ngx_media_mp4_trex_t      trex;

    /* bodies of boxes, version and flags first; NULL where there is none */
    ngx_media_span_t          dref;
    ngx_media_span_t          elst;
    ngx_media_span_t          stsd;
    ngx_media_span_t          stts;
    ngx_media_span_t          ctts;
    ngx_media_span_t          stsc;
    ngx_media_span_t          stsz;
    ngx_media_span_t          stz2;
    ngx_media_span_t          stco;
    ngx_media_span_t          co64;
    ngx_media_span_t          stss;
    ngx_media_span_t          stps;           /* QuickTime: open GOPs */
    ngx_media_span_t          rap;            /* sbgp of random access points
                                                 that are no sync samples */

    int64_t                   decode_time;    /* of the sample after the last
                                                 one that was read */
} ngx_media_mp4_track_t;


typedef struct {
    /* set by the caller */
    ngx_media_mp4_track_t    *tracks;         /* max of them */
    ngx_uint_t                max;
    ngx_media_mp4_error_t    *error;

    uint32_t                  timescale;      /* of the movie; not 0 */
    uint64_t                  duration;       /* in timescale; 0: unknown */
    ngx_uint_t                ntracks;
    ngx_uint_t                skipped;        /* tracks beyond max */
    unsigned                  fragmented:1;   /* mvex: moof boxes may follow */

    const u_char             *start;          /* of its body in memory */
    uint64_t                  offset;         /* of its body in the file */
} ngx_media_mp4_moov_t;


/* how a track is placed in time: its edit list, 8.6.6, in its timescale */

typedef struct {
    uint64_t                  empty;          /* nothing is shown so long */
    int64_t                   start;          /* media time of what comes
                                                 then */
    uint64_t                  duration;       /* of that; 0: to the end */
    unsigned                  more:1;         /* edits that are not honored:
                                                 there are others, or a rate */
} ngx_media_mp4_edit_t;


/*
 * box: moov, whole in memory.  Everything in *moov points into it.
 * NGX_DECLINED: nothing of ours, or compressed; NGX_ERROR: see error.
 */
ngx_int_t ngx_media_mp4_moov_parse(ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_box_t *box);

/* of the track, "moov/trak[n]/mdia/minf/stbl/TYPE"; returns NGX_ERROR */
ngx_int_t ngx_media_mp4_moov_fail(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, uint32_t type, const u_char *pos,
    const char *text);

ngx_int_t ngx_media_mp4_edit(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, ngx_media_mp4_edit_t *edit);


#endif /* _NGX_MEDIA_MP4_MOOV_H_INCLUDED_ */
