
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is told of an SRT session that receives: numbers for the status and the
 * metrics, and lines of the log where packets are missing and the operator, or
 * the encoder's, can do something about it.
 */


#ifndef _NGX_MEDIA_SRT_REPORT_H_INCLUDED_
#define _NGX_MEDIA_SRT_REPORT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_link.h"
#include "ingest/ngx_media_srt_keys.h"
#include "ingest/ngx_media_srt_rx_stat.h"


/* all that was counted since the session began */

typedef struct {
    ngx_media_srt_rx_stat_t    rx;
    ngx_media_srt_keys_stat_t  keys;
    uint64_t                   overflows;     /* SO_RXQ_OVFL */
    ngx_msec_t                 latency;       /* as agreed upon */
} ngx_media_srt_report_now_t;


/* of one session; begins with zeros */

typedef struct {
    uint64_t                   count[NGX_MEDIA_LINK_COUNTERS];  /* told */
    int64_t                    since;         /* of these, us; 0: not yet */
    uint64_t                   dropped;
    uint64_t                   overflows;
    ngx_uint_t                 late;          /* times that there was a line */
    ngx_uint_t                 full;
} ngx_media_srt_report_t;


/*
 * To be called once a second, and at the end: *link is what has come since the
 * last call, for ngx_media_publish_link(), with nothing of MPEG-TS.  now in us.
 * Each 10 s that packets were too late, or were dropped by the kernel, it says
 * so; of those the first, second, fourth, eighth and so on.
 */
void ngx_media_srt_report(ngx_media_srt_report_t *report,
    const ngx_media_srt_report_now_t *now, int64_t time,
    ngx_media_link_t *link, ngx_log_t *log);


#endif /* _NGX_MEDIA_SRT_REPORT_H_INCLUDED_ */
