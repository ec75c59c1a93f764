
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @srt_rx formats/ngx_media_siphash.c formats/ngx_media_srt_km.c */
/* link: formats/ngx_media_srt_handshake.c ../unit/ngx_stub.c */


/*
 * The receiver of SRT without a server around it, for one caller: what it
 * hands on is written to a file, as srt-live-transmit does as a listener.
 *
 *     srt_sink PORT FILE LATENCY [early]       of 127.0.0.1; ms
 *
 * "listening" is printed when it is.  It ends with its caller, or 5 s after
 * the last datagram, or after 30 s without a caller, and prints a line of
 * NAME=VALUE: libsrt's names, and
 *
 *     p95=US worst=US    how long after its time a packet was handed on
 *     cpu=US             of this process
 */


#define _GNU_SOURCE

#include "formats/ngx_media_srt_control.h"
#include "formats/ngx_media_srt_handshake.h"
#include "ingest/ngx_media_srt_rx.h"
#include "../unit/ngx_stub.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>


#define SINK_ID       4242                    /* of our socket */
#define SINK_COOKIE   77
#define SINK_TIMER    5000                    /* us: as a worker's */
#define SINK_SECOND   1000000ll
#define SINK_SLOTS    16
#define SINK_LATE     1000


typedef struct {
    int                        fd;
    FILE                      *file;
    int64_t                    start;
    int64_t                    now;           /* us */
    int64_t                    heard;
    int64_t                    said;
    int64_t                    timer;         /* 0: is not armed */
    ngx_msec_t                 latency;
    ngx_uint_t                 early;
    unsigned                   ended:1;

    struct sockaddr_in         peer;
    uint32_t                   id;            /* the peer's */
    u_char                     answer[NGX_MEDIA_SRT_ACCEPT_SIZE];
    size_t                     len;

    ngx_media_srt_slots_t     *slots;
    ngx_media_srt_slot_t      *slot[SINK_SLOTS];
    ngx_media_srt_rx_t        *rx;

    ngx_uint_t                 late[SINK_LATE];   /* packets, by 100 us */
    int64_t                    worst;
} sink_t;


static int64_t
sink_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * SINK_SECOND + ts.tv_nsec / 1000;
}


static void
sink_send(void *data, ngx_uint_t type, uint32_t info, const u_char *body,
    size_t len)
{
    sink_t  *sink = data;

    u_char  *p, packet[NGX_MEDIA_SRT_DATAGRAM];

    p = ngx_media_srt_put_header(packet, type, 0, info,
                                 (uint32_t) (sink->now - sink->start),
                                 sink->id);
    p = ngx_cpymem(p, body, len);

    sink->said = sink->now;

    (void) !sendto(sink->fd, packet, p - packet, 0,
                   (struct sockaddr *) &sink->peer, sizeof(sink->peer));
}


static void
sink_deliver(void *data, const u_char *pos, const u_char *last, int64_t at)
{
    sink_t  *sink = data;

    int64_t  late;

    late = ngx_max(sink->now - at, 0);

    sink->late[ngx_min(late / 100, SINK_LATE - 1)]++;
    sink->worst = ngx_max(sink->worst, late);

    (void) !fwrite(pos, 1, last - pos, sink->file);
}


static void
sink_gap(void *data, ngx_uint_t packets)
{
}


static void
sink_begin(sink_t *sink, const ngx_media_srt_handshake_t *hs)
{
    ngx_media_srt_accept_t   accept;
    ngx_media_srt_rx_conf_t  conf;

    memset(&accept, 0, sizeof(accept));
    memset(&conf, 0, sizeof(conf));

    accept.id = SINK_ID;
    accept.latency = ngx_max(sink->latency, hs->snd_latency);
    accept.peer_latency = hs->rcv_latency;

    sink->id = hs->id;
    sink->len = ngx_media_srt_accept_write(sink->answer, hs, &accept,
                                           (uint32_t) (sink->now
                                                       - sink->start));
    conf.slots = sink->slots;
    conf.log = &ngx_stub_log;
    conf.isn = hs->isn;
    conf.latency = accept.latency;
    conf.room = NGX_MEDIA_SRT_NAK_SIZE;
    conf.early = sink->early;
    conf.rexmit = 1;
    conf.send = sink_send;
    conf.deliver = sink_deliver;
    conf.gap = sink_gap;
    conf.data = sink;

    sink->rx = ngx_media_srt_rx_create(&conf, sink->now);
}


static void
sink_handshake(sink_t *sink, const ngx_media_srt_control_t *packet,
    const struct sockaddr_in *from)
{
    u_char                     answer[NGX_MEDIA_SRT_HANDSHAKE_SIZE];
    ngx_media_srt_handshake_t  hs;

    if (ngx_media_srt_handshake_parse(&hs, packet->pos, packet->last)
        != NGX_OK)
    {
        return;
    }

    if (hs.type == NGX_MEDIA_SRT_INDUCTION) {
        (void) ngx_media_srt_induction_write(answer, &hs, SINK_COOKIE, 0);
        (void) !sendto(sink->fd, answer, sizeof(answer), 0,
                       (struct sockaddr *) from, sizeof(*from));
        return;
    }

    if (sink->rx == NULL) {
        sink->peer = *from;
        sink_begin(sink, &hs);
    }

    (void) !sendto(sink->fd, sink->answer, sink->len, 0,
                   (struct sockaddr *) from, sizeof(*from));
}


static void
sink_control(sink_t *sink, const ngx_media_srt_control_t *packet,
    const struct sockaddr_in *from)
{
    uint32_t  first, last;

    if (packet->type == NGX_MEDIA_SRT_HANDSHAKE) {
        sink_handshake(sink, packet, from);
        return;
    }

    if (sink->rx == NULL) {
        return;
    }

    ngx_media_srt_rx_stamp(sink->rx, packet->ts);

    switch (packet->type) {

    case NGX_MEDIA_SRT_ACKACK:
        ngx_media_srt_rx_ackack(sink->rx, packet->info, sink->now);
        break;

    case NGX_MEDIA_SRT_DROPREQ:

        if (ngx_media_srt_dropreq_parse(packet->pos, packet->last, &first,
                                        &last)
            == NGX_OK)
        {
            ngx_media_srt_rx_dropreq(sink->rx, first, last);
        }

        break;

    case NGX_MEDIA_SRT_SHUTDOWN:
        sink->ended = 1;
        break;
    }
}


static void
sink_packet(sink_t *sink, ngx_uint_t i, size_t len,
    const struct sockaddr_in *from)
{
    u_char                  *p;
    ngx_media_srt_packet_t   packet;

    sink->heard = sink->now;
    p = sink->slot[i]->data;

    if (ngx_media_srt_parse(&packet, p, p + len) != NGX_OK) {
        return;
    }

    if (packet.control) {
        sink_control(sink, &packet.u.control, from);
        return;
    }

    if (sink->rx
        && ngx_media_srt_rx_data(sink->rx, sink->slot[i], &packet.u.data,
                                 sink->now)
           == NGX_OK)
    {
        sink->slot[i] = ngx_media_srt_slots_get(sink->slots);
    }
}


static void
sink_read(sink_t *sink)
{
    int                 i, n;
    struct iovec        iov[SINK_SLOTS];
    struct mmsghdr      msgs[SINK_SLOTS];
    struct sockaddr_in  from[SINK_SLOTS];

    do {
        memset(msgs, 0, sizeof(msgs));

        for (i = 0; i < SINK_SLOTS; i++) {
            iov[i].iov_base = sink->slot[i]->data;
            iov[i].iov_len = NGX_MEDIA_SRT_DATAGRAM;
            msgs[i].msg_hdr.msg_iov = &iov[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
            msgs[i].msg_hdr.msg_name = &from[i];
            msgs[i].msg_hdr.msg_namelen = sizeof(from[i]);
        }

        n = recvmmsg(sink->fd, msgs, SINK_SLOTS, MSG_DONTWAIT, NULL);

        for (i = 0; i < n; i++) {
            sink_packet(sink, i, msgs[i].msg_len, &from[i]);
        }

    } while (n == SINK_SLOTS);
}


/* whether it goes on */

static ngx_uint_t
sink_tick(sink_t *sink)
{
    u_char                   zero[NGX_MEDIA_SRT_EMPTY_SIZE];
    ngx_msec_t               wait;
    ngx_media_srt_rx_stat_t  stat;

    if (sink->rx == NULL) {
        return sink->now - sink->start < 30 * SINK_SECOND;
    }

    if (sink->now >= sink->timer) {
        sink->timer = 0;
    }

    wait = ngx_media_srt_rx_tick(sink->rx, sink->now);

    if (wait != NGX_MEDIA_SRT_RX_NEVER && sink->timer == 0) {
        sink->timer = sink->now + SINK_TIMER;
    }

    if (sink->now - sink->said > SINK_SECOND) {
        (void) ngx_media_srt_empty_write(zero);
        sink_send(sink, NGX_MEDIA_SRT_KEEPALIVE, 0, zero, sizeof(zero));
    }

    if (sink->ended) {
        ngx_media_srt_rx_stat(sink->rx, &stat, sink->now);
        return stat.held != 0;
    }

    return sink->now - sink->heard < 5 * SINK_SECOND;
}


static int64_t
sink_late(const sink_t *sink, ngx_uint_t percent)
{
    ngx_uint_t  all, i, n;

    all = 0;

    for (i = 0; i < SINK_LATE; i++) {
        all += sink->late[i];
    }

    n = 0;

    for (i = 0; i < SINK_LATE - 1; i++) {
        n += sink->late[i];

        if (n * 100 >= all * percent) {
            break;
        }
    }

    return (int64_t) (i + 1) * 100;
}


static void
sink_report(sink_t *sink)
{
    struct rusage            usage;
    ngx_media_srt_rx_stat_t  stat;

    if (sink->rx == NULL) {
        printf("nobody came\n");
        return;
    }

    ngx_media_srt_rx_stat(sink->rx, &stat, sink->now);
    getrusage(RUSAGE_SELF, &usage);

    printf("pktRecv=%llu pktRecvUnique=%llu pktRcvLoss=%llu pktRcvDrop=%llu "
           "pktRcvRetrans=%llu pktRcvBelated=%llu duplicate=%llu "
           "pktSentACK=%llu pktSentNAK=%llu pktReorderDistance=%llu "
           "usRTT=%llu p95=%lld worst=%lld cpu=%lld\n",
           (unsigned long long) stat.recv, (unsigned long long) stat.unique,
           (unsigned long long) stat.loss, (unsigned long long) stat.drop,
           (unsigned long long) stat.retrans,
           (unsigned long long) stat.belated,
           (unsigned long long) stat.duplicate,
           (unsigned long long) stat.ack, (unsigned long long) stat.nak,
           (unsigned long long) stat.reorder, (unsigned long long) stat.rtt,
           (long long) sink_late(sink, 95), (long long) sink->worst,
           (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SINK_SECOND
           + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    fflush(stdout);
}


int
main(int argc, char **argv)
{
    int                 ms, size;
    sink_t              sink;
    ngx_uint_t          i;
    struct pollfd       pfd;
    struct sockaddr_in  local;

    if (argc < 4) {
        fprintf(stderr, "usage: srt_sink PORT FILE LATENCY [early]\n");
        return 2;
    }

    memset(&sink, 0, sizeof(sink));
    memset(&local, 0, sizeof(local));

    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    local.sin_port = htons(atoi(argv[1]));

    sink.file = fopen(argv[2], "wb");
    sink.latency = atoi(argv[3]);
    sink.early = (argc > 4);
    sink.fd = socket(AF_INET, SOCK_DGRAM, 0);
    size = 1024 * 1024;

    if (sink.file == NULL
        || sink.fd == -1
        || setsockopt(sink.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size))
           == -1
        || bind(sink.fd, (struct sockaddr *) &local, sizeof(local)) == -1)
    {
        perror("srt_sink");
        return 1;
    }

    sink.slots = ngx_media_srt_slots_create(0, &ngx_stub_log);

    for (i = 0; i < SINK_SLOTS; i++) {
        sink.slot[i] = ngx_media_srt_slots_get(sink.slots);
    }

    printf("listening\n");
    fflush(stdout);

    sink.start = sink_clock();
    sink.now = sink.start;

    pfd.fd = sink.fd;
    pfd.events = POLLIN;

    while (sink_tick(&sink)) {
        ms = sink.timer ? (int) ((sink.timer - sink.now + 999) / 1000) : 100;

        (void) poll(&pfd, 1, ms);

        sink.now = sink_clock();

        if (pfd.revents) {
            sink_read(&sink);
        }
    }

    sink_report(&sink);

    if (sink.rx) {
        ngx_media_srt_rx_destroy(sink.rx);
    }

    for (i = 0; i < SINK_SLOTS; i++) {
        ngx_media_srt_slots_put(sink.slots, sink.slot[i]);
    }

    ngx_media_srt_slots_destroy(sink.slots);

    return fclose(sink.file) ? 1 : 0;
}
