
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @store core/ngx_media_stat.c ingest/ngx_media_srt_report.c
         ngx_stub.c */


/* what an SRT session tells of itself: numbers that go on over publishers, and
   lines of the log */


#include "media_store.h"
#include "core/ngx_media_stat.h"
#include "ingest/ngx_media_srt_report.h"


#define S  1000000                            /* us */


static ngx_media_stream_stat_t
stat_of(const char *name)
{
    ngx_media_stream_t       stream;
    ngx_media_stream_stat_t  stat;

    stream = find(name);
    is(ngx_media_stream_stat(&stream, pool, &stat), NGX_OK, "snapshot");

    return stat;
}


static void
test_numbers(void)
{
    uint64_t                    *count;
    ngx_uint_t                   i;
    media_pub_t                  pub;
    ngx_media_link_t             link;
    ngx_media_stream_t           other;
    ngx_media_srt_report_t       report;
    ngx_media_stream_stat_t      stat;
    ngx_media_srt_report_now_t   is_now;

    start(64 * MB);

    (void) media_pub_begin(&pub, zone, "a");
    (void) media_pub_track(&pub, NGX_MEDIA_VIDEO, 0, 48000);

    ok(!stat_of("a").linked, "a publisher without such a transport");

    for (i = 0; i < 2; i++) {
        ngx_memzero(&report, sizeof(ngx_media_srt_report_t));
        ngx_memzero(&is_now, sizeof(ngx_media_srt_report_now_t));

        is_now.rx.recv = 100;
        is_now.rx.recv_bytes = 131600;
        is_now.rx.loss = 7;
        is_now.rx.retrans = 6;
        is_now.rx.drop = 5;
        is_now.rx.belated = 4;
        is_now.rx.undecrypt = 3;
        is_now.overflows = 2;
        is_now.rx.ack = 50;
        is_now.rx.nak = 9;
        is_now.keys.received = 1;

        ngx_media_srt_report(&report, &is_now, S, &link, &ngx_stub_log);
        ngx_media_stream_link(&pub.claim, &link);

        is_now.rx.recv = 110;
        is_now.rx.rtt = 12345;
        is_now.rx.rtt_var = 678;
        is_now.rx.bytes = 250000;
        is_now.rx.capacity = 1000;
        is_now.rx.held = 11;
        is_now.rx.buffered = 99999;
        is_now.latency = 120;
        is_now.keys.len = 24;

        ngx_media_srt_report(&report, &is_now, 2 * S, &link, &ngx_stub_log);
        ngx_media_stream_link(&pub.claim, &link);
    }

    stat = stat_of("a");
    count = stat.link.count;

    ok(stat.linked, "linked");
    is(stat.link.kind, NGX_MEDIA_LINK_SRT, "by SRT");
    is(count[NGX_MEDIA_LINK_PACKETS], 220, "packets of both");
    is(count[NGX_MEDIA_LINK_BYTES], 263200, "bytes");
    is(count[NGX_MEDIA_LINK_LOST], 14, "lost");
    is(count[NGX_MEDIA_LINK_RETRANSMITTED], 12, "retransmitted");
    is(count[NGX_MEDIA_LINK_DROPPED], 10, "dropped");
    is(count[NGX_MEDIA_LINK_BELATED], 8, "belated");
    is(count[NGX_MEDIA_LINK_UNDECRYPTED], 6, "undecrypted");
    is(count[NGX_MEDIA_LINK_OVERFLOWS], 4, "by the kernel");
    is(count[NGX_MEDIA_LINK_ACKS], 100, "ACKs");
    is(count[NGX_MEDIA_LINK_NAKS], 18, "NAKs");
    is(count[NGX_MEDIA_LINK_KEYS], 2, "keys");
    is(count[NGX_MEDIA_LINK_TS_PACKETS], 0, "nothing of MPEG-TS");

    is(stat.link.now.rtt, 12345, "RTT");
    is(stat.link.now.rtt_var, 678, "its variance");
    is(stat.link.now.rate, 2000000, "bit/s");
    is(stat.link.now.capacity, 12000000, "bit/s that could come");
    is(stat.link.now.latency, 120, "latency");
    is(stat.link.now.held, 11, "held");
    is(stat.link.now.buffered, 99, "ms of them");
    is(stat.link.now.key, 24, "key");

    /* others count for it, too, as long as it is that one */

    ngx_media_stream_link_add(&pub.claim.stream, NGX_MEDIA_LINK_FOREIGN, 3);
    is(stat_of("a").link.count[NGX_MEDIA_LINK_FOREIGN], 3, "of others");

    other = pub.claim.stream;
    other.id++;
    ngx_media_stream_link_add(&other, NGX_MEDIA_LINK_FOREIGN, 3);
    is(stat_of("a").link.count[NGX_MEDIA_LINK_FOREIGN], 3, "another stream's");

    /* who has lost the stream counts no more */

    (void) ngx_media_stream_kick(&pub.claim.stream, pub.claim.epoch,
                                 NGX_MEDIA_KICK_ASKED);
    ngx_media_stream_link(&pub.claim, &link);
    is(state("a"), 0, "it is gone, and nothing is written");

    finish("numbers");
}


static void
test_lines(void)
{
    int64_t                      time;
    ngx_uint_t                   i, said, *warned;
    ngx_media_link_t             link;
    ngx_media_srt_report_t       report;
    ngx_media_srt_report_now_t   is_now;

    ngx_memzero(&report, sizeof(ngx_media_srt_report_t));
    ngx_memzero(&is_now, sizeof(ngx_media_srt_report_now_t));

    warned = &ngx_stub_logged[NGX_LOG_WARN];
    said = *warned;
    time = 100 * S;
    is_now.latency = 120;
    is_now.rx.rtt = 180000;

    for (i = 0; i < 20; i++, time += S) {
        ngx_media_srt_report(&report, &is_now, time, &link, &ngx_stub_log);
    }

    is(*warned - said, 0, "nothing is late");

    /* packets that were late before a line are not told of again */

    for (i = 0; i < 161; i++, time += S) {
        is_now.rx.drop++;
        ngx_media_srt_report(&report, &is_now, time, &link, &ngx_stub_log);
    }

    is(*warned - said, 5, "of 16 times: 1, 2, 4, 8, 16");

    for (i = 0; i < 20; i++, time += S) {
        is_now.overflows += (i == 3);
        ngx_media_srt_report(&report, &is_now, time, &link, &ngx_stub_log);
    }

    is(*warned - said, 6, "what the kernel drops, once");
}


int
main(void)
{
    test_numbers();
    test_lines();

    return done();
}
