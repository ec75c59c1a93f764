
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt.h"
#include "ingest/ngx_media_srt_report.h"


#define NGX_MEDIA_SRT_REPORT_TIME  10000000   /* us that a line is about */
#define NGX_MEDIA_SRT_REPORT_RTTS  4          /* latency that lets packets come
                                                 twice where 5 % are lost */


static void ngx_media_srt_report_count(uint64_t *count,
    const ngx_media_srt_report_now_t *now);
static void ngx_media_srt_report_lines(ngx_media_srt_report_t *report,
    const ngx_media_srt_report_now_t *now, ngx_uint_t seconds,
    ngx_log_t *log);
static ngx_uint_t ngx_media_srt_report_says(ngx_uint_t *times);


void
ngx_media_srt_report(ngx_media_srt_report_t *report,
    const ngx_media_srt_report_now_t *now, int64_t time,
    ngx_media_link_t *link, ngx_log_t *log)
{
    uint64_t                        count[NGX_MEDIA_LINK_COUNTERS];
    ngx_uint_t                      i;
    const ngx_media_srt_rx_stat_t  *rx;

    ngx_memzero(link, sizeof(ngx_media_link_t));
    ngx_media_srt_report_count(count, now);

    for (i = 0; i < NGX_MEDIA_LINK_COUNTERS; i++) {
        link->count[i] = count[i] - report->count[i];
        report->count[i] = count[i];
    }

    rx = &now->rx;

    link->kind = NGX_MEDIA_LINK_SRT;
    link->now.rtt = rx->rtt;
    link->now.rtt_var = rx->rtt_var;
    link->now.rate = rx->bytes * 8;
    link->now.capacity = rx->capacity * NGX_MEDIA_SRT_MTU * 8;
    link->now.latency = now->latency;
    link->now.held = rx->held;
    link->now.buffered = (rx->buffered > 0) ? rx->buffered / 1000 : 0;
    link->now.key = now->keys.len;

    if (report->since == 0) {
        report->since = time;

    } else if (time - report->since >= NGX_MEDIA_SRT_REPORT_TIME) {
        ngx_media_srt_report_lines(report, now,
                                   (time - report->since) / 1000000, log);

        report->since = time;
        report->dropped = rx->drop;
        report->overflows = now->overflows;
    }
}


static void
ngx_media_srt_report_count(uint64_t *count,
    const ngx_media_srt_report_now_t *now)
{
    const ngx_media_srt_rx_stat_t  *rx;

    rx = &now->rx;

    ngx_memzero(count, NGX_MEDIA_LINK_COUNTERS * sizeof(uint64_t));

    count[NGX_MEDIA_LINK_PACKETS] = rx->recv;
    count[NGX_MEDIA_LINK_BYTES] = rx->recv_bytes;
    count[NGX_MEDIA_LINK_LOST] = rx->loss;
    count[NGX_MEDIA_LINK_RETRANSMITTED] = rx->retrans;
    count[NGX_MEDIA_LINK_DROPPED] = rx->drop;
    count[NGX_MEDIA_LINK_BELATED] = rx->belated;
    count[NGX_MEDIA_LINK_UNDECRYPTED] = rx->undecrypt;
    count[NGX_MEDIA_LINK_OVERFLOWS] = now->overflows;
    count[NGX_MEDIA_LINK_ACKS] = rx->ack;
    count[NGX_MEDIA_LINK_NAKS] = rx->nak;
    count[NGX_MEDIA_LINK_KEYS] = now->keys.received;
}


static void
ngx_media_srt_report_lines(ngx_media_srt_report_t *report,
    const ngx_media_srt_report_now_t *now, ngx_uint_t seconds,
    ngx_log_t *log)
{
    uint64_t    n;
    ngx_msec_t  rtt, wanted;

    n = now->overflows - report->overflows;

    if (n && ngx_media_srt_report_says(&report->full)) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "srt: %uL packets dropped by the kernel in %ui s: let "
                      "media_srt_rcvbuf and net.core.rmem_max be larger, or "
                      "the workers more", n, seconds);
    }

    n = now->rx.drop - report->dropped;

    if (n == 0 || !ngx_media_srt_report_says(&report->late)) {
        return;
    }

    rtt = (now->rx.rtt + 500) / 1000;
    wanted = rtt * NGX_MEDIA_SRT_REPORT_RTTS;

    if (wanted > now->latency) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "srt: %uL packets too late in %ui s, RTT %M ms: "
                      "latency %M ms, %M ms wanted",
                      n, seconds, rtt, now->latency, wanted);

    } else {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "srt: %uL packets too late in %ui s, RTT %M ms: "
                      "latency %M ms", n, seconds, rtt, now->latency);
    }
}


static ngx_uint_t
ngx_media_srt_report_says(ngx_uint_t *times)
{
    ngx_uint_t  n;

    n = ++*times;

    return (n & (n - 1)) == 0;
}
