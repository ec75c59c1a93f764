
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The state of a publisher in MPEG-TS, for the files of that only:
 *
 *   ngx_media_ts_in.c          bytes, and what the demuxer says of them
 *   ngx_media_ts_in_track.c    elementary streams become tracks
 *   ngx_media_ts_in_frame.c    their bytes, their frames and times
 *   ngx_media_ts_in_latm.c     AAC in LOAS
 *   ngx_media_ts_in_data.c     timed data
 */


#ifndef _NGX_MEDIA_TS_IN_STATE_H_INCLUDED_
#define _NGX_MEDIA_TS_IN_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_latm.h"
#include "formats/ngx_media_ts_demux.h"
#include "formats/ngx_media_ts_split.h"
#include "ingest/ngx_media_ts_in.h"


/* sections that came lately */
#define NGX_MEDIA_TS_IN_SECTIONS  8

typedef struct {
    uint64_t                  hash;
    int64_t                   arrival;        /* 0: none */
} ngx_media_ts_in_section_t;


/* an elementary stream that is of use */

typedef struct {
    uint32_t                  serial;         /* of the demuxer's stream */
    ngx_media_ts_as_e         as;
    const ngx_media_codec_t  *codec;          /* NULL: timed data */
    ngx_uint_t                type;           /* of the track, */
    ngx_uint_t                id;             /* and its number in that */
    ngx_uint_t                pid;

    u_char                   *buf;            /* bytes of frames to come; NULL:
                                                 none yet */
    size_t                    size;
    size_t                    used;
    size_t                    peak;           /* the most that was used since */
    int64_t                   since;          /* then, ms */

    int64_t                   arrival;        /* of the last of them, */
    size_t                    mark;           /* and of what was there when the
                                                 last PES packet began */
    int64_t                   mark_arrival;
    int64_t                   stamp;          /* where the next frame of no
                                                 stamp is; NO_TIME */
    int64_t                   dts;            /* of the last frame; NO_TIME */
    ngx_msec_t                lump;           /* the most of one PES
                                                 packet */
    ngx_media_latm_t         *latm;           /* NULL: it is none; */
    uint32_t                  rate;           /* of its sound, Hz, */
    uint32_t                  samples;        /* of a frame of it, 0: unknown,
                                                 */
    int64_t                   base;           /* of the last stamp, and samples
                                                 since; NO_TIME */
    uint64_t                  count;
    ngx_media_ts_split_t      split;
    unsigned                  large:1;        /* said that it does not fit */
    unsigned                  gone:1;         /* the PMT does not list it, */
    unsigned                  back:1;         /* or does so again */
} ngx_media_ts_in_track_t;


struct ngx_media_ts_in_s {
    ngx_media_ts_in_conf_t    conf;
    const char               *why;            /* USELESS: NULL: publish says */
    int64_t                   arrival;        /* of the bytes that are read */
    int64_t                   good;           /* when it last was MPEG-TS with
                                                 a program, ms; 0: no byte has
                                                 come */
    uint64_t                  packets;        /* then */
    uint64_t                  told;           /* continuity errors that are no
                                                 news */
    int64_t                   jump;           /* of the clock, that stamps have
                                                 not followed yet, 90 kHz; 0:
                                                 none */
    int64_t                   jumped;         /* when it did, ms */
    uint64_t                  damaged;        /* frames of tracks that are no
                                                 more */
    ngx_media_ts_in_stat_t    linked;         /* by ngx_media_ts_in_link() */
    size_t                    memory;         /* of all buffers */
    ngx_uint_t                section;        /* where the next one goes */
    ngx_media_ts_in_section_t sections[NGX_MEDIA_TS_IN_SECTIONS];
    ngx_media_ts_in_track_t  *tracks[NGX_MEDIA_TS_STREAMS];
                                              /* as demux.streams; NULL: it is
                                                 of no use */
    ngx_media_ts_demux_t      demux;
};


/* track */

/* demux.streams is another list */
ngx_media_publish_e ngx_media_ts_in_program(ngx_media_ts_in_t *ts);

void ngx_media_ts_in_track_free(ngx_media_ts_in_t *ts, ngx_uint_t i);

/* does another stream, that is listed, go on with its track? */
ngx_uint_t ngx_media_ts_in_taken(const ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t);


/* frame */

/* a PES packet begins, has these bytes, ends */
ngx_media_publish_e ngx_media_ts_in_start(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_ts_event_t *ev);
ngx_media_publish_e ngx_media_ts_in_data(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_ts_event_t *ev);
ngx_media_publish_e ngx_media_ts_in_whole(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_ts_event_t *ev);

/* nothing more comes of it */
ngx_media_publish_e ngx_media_ts_in_rest(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t);


/* latm: an element of LOAS; out has what is common to all frames in it, frame
   is told how long they are */
ngx_media_publish_e ngx_media_ts_in_latm(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, ngx_media_ts_split_frame_t *frame,
    ngx_media_publish_frame_t *out);


/* data: of a PES packet, and a section */
ngx_media_publish_e ngx_media_ts_in_timed(ngx_media_ts_in_t *ts,
    const ngx_media_ts_in_track_t *t, int64_t pts, const u_char *pos,
    const u_char *last);
ngx_media_publish_e ngx_media_ts_in_section(ngx_media_ts_in_t *ts,
    ngx_media_ts_in_track_t *t, const ngx_media_ts_event_t *ev);


#endif /* _NGX_MEDIA_TS_IN_STATE_H_INCLUDED_ */
