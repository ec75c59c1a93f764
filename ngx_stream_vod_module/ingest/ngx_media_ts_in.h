
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A publisher that sends MPEG-TS (ISO/IEC 13818-1), by whatever transport: its
 * bytes, as they come, become tracks, frames and timed data of
 * ngx_media_publish.h.  They are a byte stream: where a call begins and ends
 * means nothing.
 *
 * What is malformed or of no use is left out, counted, and said once.
 */


#ifndef _NGX_MEDIA_TS_IN_H_INCLUDED_
#define _NGX_MEDIA_TS_IN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_link.h"
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_publish.h"


/* of the publisher: stamps a second, and bits of them */
#define NGX_MEDIA_TS_IN_TIMEBASE  90000
#define NGX_MEDIA_TS_IN_WRAP      33


typedef struct ngx_media_ts_in_s  ngx_media_ts_in_t;


typedef struct {
    ngx_media_publisher_t    *publisher;      /* has begun; it is not ended
                                                 here */
    ngx_uint_t                program;        /* program_number; 0: the first
                                                 of the PAT */
    ngx_log_t                *log;            /* borrowed until destroy */
    unsigned                  early:1;        /* a frame ends at the packet with
                                                 stuffing, not at the next */
} ngx_media_ts_in_conf_t;


typedef struct {
    uint64_t                  bytes;
    uint64_t                  packets;
    uint64_t                  resyncs;        /* the sync byte was lost */
    uint64_t                  skipped;        /* bytes that are no packets */
    uint64_t                  tei;            /* transport_error_indicator */
    uint64_t                  scrambled;
    uint64_t                  malformed;      /* packets, and sections */
    uint64_t                  duplicates;
    uint64_t                  cc_errors;
    uint64_t                  damaged;        /* frames that were dropped */
    uint64_t                  ignored;        /* packets of PIDs of no use */
    uint64_t                  jumps;          /* of the clock */
} ngx_media_ts_in_stat_t;


/* of one PID */

typedef struct {
    ngx_uint_t                pid;
    ngx_uint_t                stream_type;
    const ngx_media_codec_t  *codec;          /* NULL: of no codec */
    uint64_t                  packets;
    uint64_t                  cc_errors;
    uint64_t                  scrambled;
} ngx_media_ts_in_pid_t;


/* NULL: no memory; conf is copied */
ngx_media_ts_in_t *ngx_media_ts_in_create(const ngx_media_ts_in_conf_t *conf);

/*
 * arrival: when the last of these bytes came, ms since the epoch.  Answers as
 * publish does: where it does not go on the caller ends the publisher, for the
 * reason that ngx_media_ts_in_why() gives.  NGX_MEDIA_PUBLISH_USELESS is also
 * said where this has been no MPEG-TS for 5 s.
 */
ngx_media_publish_e ngx_media_ts_in_bytes(ngx_media_ts_in_t *ts,
    const u_char *pos, const u_char *last, int64_t arrival);

/* so many bytes, at most, are missing here; 0: nobody knows */
void ngx_media_ts_in_gap(ngx_media_ts_in_t *ts, size_t bytes);

/* nothing more comes: what is whole is published; before publish_end */
ngx_media_publish_e ngx_media_ts_in_flush(ngx_media_ts_in_t *ts);

/* the publisher is not touched: in whatever order */
void ngx_media_ts_in_destroy(ngx_media_ts_in_t *ts);

/* static */
const char *ngx_media_ts_in_why(const ngx_media_ts_in_t *ts,
    ngx_media_publish_e rc);

void ngx_media_ts_in_stat(const ngx_media_ts_in_t *ts,
    ngx_media_ts_in_stat_t *stat);

/* the i-th of those that are looked at; NGX_DONE: there are no more */
ngx_int_t ngx_media_ts_in_pid(const ngx_media_ts_in_t *ts, ngx_uint_t i,
    ngx_media_ts_in_pid_t *pid);

/* for ngx_media_publish_link(), what is of MPEG-TS in that: since the last
   call, but PIDs since create; the rest of *link is left alone */
void ngx_media_ts_in_link(ngx_media_ts_in_t *ts, ngx_media_link_t *link);


#endif /* _NGX_MEDIA_TS_IN_H_INCLUDED_ */
