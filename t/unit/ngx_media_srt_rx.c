
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @srt_rx ngx_stub.c */


/*
 * The rules of the receiver, one by one; ngx_media_srt_net.c has whole
 * streams over bad networks.
 */


#include "ingest/ngx_media_srt_rx.h"
#include "media_srt.h"
#include "tap.h"


#define MS        1000
#define START     (1000000 * (int64_t) MS)   /* our clock */
#define STAMP     5000000                    /* the peer's, at START */
#define LATENCY   120


static srt_t       srt;
static ngx_msec_t  latency = LATENCY;
static size_t      room;


static void
begin_at(uint32_t isn, ngx_uint_t early)
{
    ngx_media_srt_rx_conf_t  conf;

    memset(&conf, 0, sizeof(conf));

    conf.isn = isn;
    conf.latency = latency;
    conf.room = room;
    conf.early = early;
    conf.rexmit = 1;

    srt.now = START;
    srt_begin(&srt, &conf);
}


static void
begin(ngx_uint_t early)
{
    memset(&srt, 0, sizeof(srt));
    begin_at(100, early);
}


static void
end(const char *name)
{
    srt_check(&srt);
    srt_end(&srt);
    ok(srt.wrong == NULL, "%s: %s", name, srt.wrong ? srt.wrong : "sound");
}


/* packet n, of which there is one each millisecond, comes at msec */

static ngx_int_t
comes_late(uint64_t n, int64_t msec, ngx_uint_t rexmit)
{
    srt.now = START + msec * MS;

    return srt_data(&srt, n, STAMP + n * MS, rexmit);
}


/* it was sent for the first time at msec */

static ngx_int_t
comes_as(uint64_t n, int64_t msec, ngx_uint_t rexmit)
{
    if (rexmit) {
        return comes_late(n, msec, 1);
    }

    srt.now = START + msec * MS;

    return srt_data(&srt, n, STAMP + msec * MS, 0);
}


static ngx_int_t
comes(uint64_t n)
{
    ngx_int_t  rc;

    rc = comes_late(n, n, 0);
    (void) srt_tick(&srt, srt.now);

    return rc;
}


static ngx_msec_t
tick(int64_t msec)
{
    return srt_tick(&srt, START + msec * MS);
}


static void
run(uint64_t from, uint64_t to)
{
    while (from < to) {
        (void) comes(from++);
    }
}


/* an ACKACK rtt ms after the last ACK */

static void
ackack(int64_t rtt)
{
    ngx_media_srt_rx_ackack(srt.rx, srt.ack_number, srt.ack_time + rtt * MS);
}


static ngx_uint_t
naks(void)
{
    srt_stat(&srt);

    return srt.stat.nak;
}


static void
test_paced(void)
{
    ngx_uint_t  i, wrong;

    begin(0);

    is(tick(0), NGX_MEDIA_SRT_RX_NEVER, "nothing came: it wants nothing");

    (void) comes(0);
    is(srt.handed, 0, "a packet waits");
    is(tick(119), 1, "until 120 ms after it came");
    is(srt.handed, 0, "not yet");
    (void) tick(120);
    is(srt.handed, 1, "now it is handed on");
    is(srt.at, START + LATENCY * MS, "with its time");

    /* all at once: they go in the rhythm that they were stamped in */

    for (i = 1; i < 50; i++) {
        (void) comes_late(i, 130, 0);
    }

    wrong = 0;

    for (i = 1; i < 50; i++) {
        (void) tick(LATENCY + i - 1);
        wrong += i >= 11 && srt.handed != i;
    }

    is(wrong, 0, "what came at once is handed on as it was sent");
    is(naks(), 0, "nothing was missing");
    end("paced");
}


static void
test_early(void)
{
    begin(1);

    (void) comes(0);
    is(srt.handed, 1, "early: at once");
    is(srt.at, START + LATENCY * MS, "its time is as if it was paced");

    (void) comes(3);
    is(srt.handed, 1, "a gap: what is behind it waits");
    (void) tick(122);
    is(srt.handed, 1, "as long as that is not due");
    is(tick(122), 1, "it wants to be called then");
    (void) tick(123);
    is(srt.handed, 2, "the gap is given up");
    is(srt.gap, 2, "and told of");

    (void) comes(5);
    (void) comes_as(4, 130, 1);
    (void) tick(130);
    is(srt.handed, 4, "a gap that is filled lets all pass");

    end("early");
}


static void
test_gap(void)
{
    begin(0);

    (void) comes(0);
    (void) comes(4);
    is(naks(), 1, "a new gap is asked for at once");
    is(srt.nak_from, 101, "from its first");
    is(srt.nak_to, 103, "to its last");

    is(comes_as(2, 50, 1), NGX_OK, "one of it comes");
    (void) tick(123);
    is(srt.handed, 2, "the gap before it is given up when it is due");
    is(srt.gaps, 1, "one gap");
    is(srt.gap, 1, "of one");

    is(comes_as(1, 123, 1), NGX_DECLINED, "now it is too late");
    is(comes_as(3, 123, 1), NGX_OK, "for this it is not");
    (void) tick(124);
    is(srt.handed, 4, "all others are handed on");

    srt_stat(&srt);
    is(srt.stat.loss, 3, "three were missing");
    is(srt.stat.drop, 1, "one was dropped");
    is(srt.stat.belated, 1, "and came too late");
    is(srt.stat.belated_time, 2 * MS, "by 2 ms");
    is(srt.stat.retrans, 3, "three were sent once more");
    is(srt.stat.recv, 5, "five came");
    is(srt.stat.unique, 4, "four of use");

    end("gap");
}


static void
test_first_lost(void)
{
    begin(0);

    (void) comes(2);
    is(srt.nak_from, 100, "the very first ones are asked for");
    is(srt.nak_to, 101, "too");

    (void) comes_as(0, 40, 1);
    (void) comes_as(1, 40, 1);
    (void) tick(122);
    is(srt.handed, 3, "and wait for nobody");
    is(srt.gap, 0, "no gap");

    end("first lost");
}


/* 40 packets in 800 ms, with an RTT that does not change */

static void
steady(int64_t rtt)
{
    ngx_uint_t  i;

    for (i = 0; i < 40; i++) {
        (void) comes_as(i, i * 20, 0);
        (void) tick(i * 20);
        ackack(rtt);
    }

    srt_stat(&srt);
    is(srt.stat.rtt, rtt * MS, "RTT %d ms", (int) rtt);
    ok(srt.stat.rtt_var < 300, "and steady");
}


static void
test_nak_times(void)
{
    ngx_uint_t  i, n, last, nasked, asked[16];

    static const ngx_uint_t  times[] = { 800, 820, 840, 1005, 1025, 1045, 1210,
                                         1230, 1250 };

    nasked = 0;

    begin(0);

    /* RTT 10 ms, variance 4: an answer is there after 20 ms */

    (void) comes(0);
    ackack(10);
    ackack(10);

    (void) comes(1);
    (void) comes(3);
    (void) comes(8);
    is(naks(), 2, "two gaps, each at once");
    is(srt.nak_ranges, 1, "alone");

    n = srt.nak_packets;
    (void) tick(22);
    is(naks(), 2, "not sooner than 20 ms after");
    (void) tick(23);
    is(naks(), 3, "the first again");
    is(srt.nak_packets, n + 1, "alone: each range has a time of its own");
    (void) tick(28);
    is(naks(), 4, "the second");
    is(srt.nak_packets, n + 5, "alone");

    /* nothing called it for long: both */

    (void) tick(60);
    is(srt.nak_ranges, 2, "both, the oldest first");
    end("NAK at 10 ms");

    /* RTT 200 ms, variance 0: three times, and when no answer has come */

    latency = 1000;
    begin(0);
    latency = LATENCY;

    steady(200);

    (void) comes_as(41, 800, 0);

    for (i = 800, n = naks(); i < 1300; i++) {
        (void) tick(i);
        last = n;
        n = naks();

        if (n > last) {
            asked[nasked++] = i;
        }
    }

    is(nasked, 9, "in 500 ms so many NAKs");

    for (i = 0; i < nasked; i++) {
        ok(asked[i] >= times[i] && asked[i] <= times[i] + 1, "NAK %d at %d",
           (int) i, (int) asked[i]);
    }

    end("NAK at 200 ms");
}


/* the sender waits for as long as it is told: not longer than a quarter */

static void
test_said_var(void)
{
    begin(0);
    (void) comes(0);
    is(srt.ack.rttvar, 50 * MS, "nothing is known: the pair that says so");
    end("a pair that is not measured");

    begin(0);
    steady(200);
    is(srt.ack.rtt, 200 * MS, "RTT is what it is");
    is(srt.ack.rttvar, (200 - 60) * MS / 4, "RTT - 4 var: 60 ms, of 200");
    end("the variance at 200 ms");

    begin(0);
    steady(400);
    is(srt.ack.rttvar, (400 - 100) * MS / 4, "a quarter, of 400 ms");
    end("the variance at 400 ms");

    begin(0);
    steady(10);
    ok(srt.ack.rttvar < 100, "nothing is said of 10 ms that is not so");
    end("the variance at 10 ms");
}


static void
test_nak_last(void)
{
    ngx_uint_t  n;

    latency = 450;
    begin(0);
    latency = LATENCY;

    steady(200);

    /* due at 1250: an answer to what is asked at 1042 comes just before it */

    (void) comes_as(41, 800, 0);
    (void) tick(800);
    (void) tick(820);
    (void) tick(840);
    n = naks();
    (void) tick(1004);
    is(naks(), n, "it may still come");
    (void) tick(1006);
    is(naks(), n + 1, "it should have");
    (void) tick(1021);
    is(naks(), n + 1, "not yet");
    (void) tick(1026);
    is(naks(), n + 2, "while it can still come in time, once more");
    (void) tick(1041);
    is(naks(), n + 2, "not yet");
    (void) tick(1046);
    is(naks(), n + 3, "and again, if that was lost");
    (void) tick(1249);
    is(naks(), n + 3, "that was the last chance");

    end("NAK, the last chance");
}


static void
test_nak_words(void)
{
    ngx_uint_t  i;

    begin(0);

    /* every second one is lost, 400 of them, and one call for them all */

    for (i = 0; i <= 800; i += 2) {
        (void) comes_as(i, 0, 0);
    }

    (void) tick(0);
    is(srt.nak_ranges, 364, "364 words, the oldest first");
    is(srt.nak_to, 100 + 1 + 2 * 363, "up to there");
    is(tick(1), 119, "the rest a moment later");
    is(srt.nak_ranges, 36, "all of it");
    is(srt.nak_packets, 400, "each once");

    end("364 words");
}


/* a network with a small MTU: lists are shorter, and all of it is asked for */

static void
test_nak_room(void)
{
    ngx_uint_t  i, lost;

    static const struct {
        size_t      room;
        ngx_uint_t  first;                    /* ranges of the first NAK */
        ngx_uint_t  naks;
    } rooms[] = {
        { 556, 139, 3 },                      /* an MTU of 600 */
        { 559, 139, 3 },
        { 28, 7, 58 },
        { 1, 7, 58 },                         /* no less than an ACK */
        { 100000, 364, 2 }
    };

    for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        room = rooms[i].room;
        begin(0);
        room = 0;

        for (lost = 0; lost <= 800; lost += 2) {
            (void) comes_as(lost, 0, 0);
        }

        (void) tick(0);
        is(srt.nak_ranges, rooms[i].first, "room for %d bytes",
           (int) rooms[i].room);

        for (lost = 1; lost < 70 && srt.nak_packets < 400; lost++) {
            (void) tick(lost);
        }

        is(srt.nak_packets, 400, "each is asked for once");
        is(naks(), rooms[i].naks, "in so many NAKs");

        end("room");
    }

    /* ranges are two words, which are not torn */

    room = 36;
    begin(0);
    room = 0;

    for (i = 0; i <= 90; i += 3) {
        (void) comes_as(i, 0, 0);
    }

    (void) tick(0);
    is(srt.nak_ranges, 4, "four ranges, and not a half");

    end("ranges");
}


static void
test_reordered(void)
{
    ngx_uint_t  n;

    begin(0);

    (void) comes(0);
    ackack(200);
    ackack(200);

    (void) comes_as(2, 2, 0);
    (void) tick(2);
    is(naks(), 1, "nothing is known of reordering: it is asked for");
    (void) comes_as(1, 8, 0);

    srt_stat(&srt);
    is(srt.stat.tolerance, 7 * MS, "it was reordered, by 6 ms");
    is(srt.stat.reorder, 1, "by one place");

    (void) comes_as(4, 10, 0);
    (void) tick(10);
    (void) tick(16);
    is(naks(), 1, "the next gap has so much time");
    (void) comes_as(3, 16, 0);
    (void) tick(30);
    is(naks(), 1, "nothing is asked for that was only late");

    (void) comes_as(6, 40, 0);
    (void) tick(46);
    is(naks(), 1, "what is lost");
    (void) tick(47);
    is(naks(), 2, "is asked for after it");
    (void) comes_as(5, 60, 1);
    srt_stat(&srt);
    is(srt.stat.tolerance, 7 * MS, "what was sent once more is no reordering");

    (void) comes_as(8, 70, 0);
    (void) comes_as(7, 110, 0);
    srt_stat(&srt);
    is(srt.stat.tolerance, 20 * MS, "it is never more than 20 ms");

    /* ten seconds without any */

    (void) comes_as(9, 10200, 0);
    (void) comes_as(11, 10201, 0);
    n = naks();
    (void) tick(10221);
    is(naks(), n + 1, "still that");
    srt_stat(&srt);
    is(srt.stat.tolerance, 10 * MS, "then it is half as much");

    end("reordered");

    /* on a short way it is a quarter of that */

    begin(0);
    (void) comes(0);
    ackack(8);
    (void) comes_as(2, 2, 0);
    (void) comes_as(1, 18, 0);
    srt_stat(&srt);
    is(srt.stat.tolerance, 2 * MS, "at most a quarter of RTT");
    end("reordered nearby");
}


static void
test_ack(void)
{
    ngx_uint_t  i, n;

    begin(0);

    (void) comes(0);
    is(srt.ack_number, 1, "the first ACK, at once, is number 1");
    is(srt.ack.seq, 101, "of what came");
    is(srt.ack.rtt, 100000, "with the pair that says nothing");
    is(srt.ack.rttvar, 50000, "of RTT");
    is(srt.ack.buffer, 8191, "with the room that is left");
    is(srt.ack.capacity, 1000, "and a capacity not yet known");

    (void) comes(1);
    is(tick(19), 1, "20 ms lie between two");
    is(srt.ack_number, 1, "not yet");
    (void) tick(20);
    is(srt.ack_number, 2, "now");

    (void) tick(319);
    is(srt.ack_number, 2, "unanswered, it is said again");
    (void) tick(320);
    is(srt.ack_number, 3, "after RTT and four times its variance");
    is(srt.ack.seq, 102, "the same");

    ackack(10);
    is(tick(400), NGX_MEDIA_SRT_RX_NEVER, "answered, it is not");
    is(tick(4000), NGX_MEDIA_SRT_RX_NEVER, "ever");

    srt_stat(&srt);
    is(srt.stat.rtt, 10 * MS, "the first RTT is taken as it is");
    is(srt.stat.rtt_var, 5 * MS, "its variance is half of it");
    is(srt.stat.ackack, 1, "one was answered");

    ackack(10);
    srt_stat(&srt);
    is(srt.stat.ackack, 1, "twice is once");

    ngx_media_srt_rx_ackack(srt.rx, 4, srt.now);
    ngx_media_srt_rx_ackack(srt.rx, 0, srt.now);
    srt_stat(&srt);
    is(srt.stat.ackack, 1, "answers to what was not said are none");

    (void) comes_as(2, 4000, 0);
    (void) tick(4000);
    ackack(20);
    srt_stat(&srt);
    is(srt.stat.rtt, 11250, "then an eighth");
    is(srt.stat.rtt_var, 6250, "and a quarter");

    /* a gap holds it */

    (void) comes_as(4, 4030, 0);
    (void) tick(4030);
    is(srt.ack.seq, 103, "an ACK stops before a gap");
    is(srt.ack_number, 4, "and is not said again");

    (void) tick(4152);
    is(srt.ack.seq, 105, "which is given up: it goes on behind it");

    n = srt.ack_number;

    for (i = 0; i < 1000; i++) {
        (void) comes_as(5 + i, 5000 + i, 0);
        (void) tick(5000 + i);
    }

    is(srt.ack_number, n + 50, "50 a second, not one for each packet");
    ok(srt.ack.rate > 900 && srt.ack.rate < 1100, "with packets a second");
    ok(srt.ack.bytes > 900 * SRT_SIZE && srt.ack.bytes < 1100 * SRT_SIZE,
       "and bytes");

    end("ACK");
}


static void
test_room(void)
{
    ngx_uint_t  i;

    latency = 20000;
    begin(0);
    latency = LATENCY;

    for (i = 0; i < 8192; i++) {
        (void) comes_as(i, i, 0);
    }

    (void) tick(8192);
    srt_stat(&srt);
    is(srt.stat.held, 8192, "8192 are held");
    is(srt.stat.size, 8192, "in the largest ring");
    is(srt.ack.buffer, 512, "there is always room for 512");
    is(srt.stat.buffered, 8191 * MS, "from first to last");

    for (i = 8192; i < 8200; i++) {
        (void) comes_as(i, i, 0);
    }

    is(srt.handed, 8, "more of them press out the first ones");
    srt_stat(&srt);
    is(srt.stat.early, 8, "before their time");

    (void) tick(28200);
    is(srt.handed, 8200, "all are handed on");
    is(srt.gap, 0, "without a gap");
    end("room");

    /* the same with nothing but a gap in front */

    begin(0);
    (void) comes_as(0, 0, 0);
    (void) comes_as(8191, 0, 0);
    (void) comes_as(8300, 0, 0);
    is(srt.handed, 1, "the ring moves over a gap");
    is(srt.gap, 108, "and tells of what it moved over");
    (void) tick(20000);
    is(srt.handed, 3, "the others are handed on in time");
    is(srt.gap, 8190 + 108, "behind all gaps");
    end("room for a gap");
}


static void
test_jump(void)
{
    begin(0);
    srt.jumps = 1;

    run(0, 10);
    is(comes_as(10 + 8192, 10, 0), NGX_OK, "8192 lie between");
    is(srt.handed, 10, "what was held is handed on");
    is(srt.gaps, 1, "one gap");
    is(srt.gap, 8192, "of all of them");
    is(naks(), 0, "none is asked for");

    (void) tick(20);
    is(srt.ack.seq, 100 + 10 + 8193, "it is acknowledged");
    srt_stat(&srt);
    is(srt.stat.jumps, 1, "a jump");

    /* back, far: one is a late one, 64 in a row are not */

    (void) comes_as(20000, 20, 0);
    run(0, 63);
    srt_stat(&srt);
    is(srt.stat.belated, 63, "packets of long ago are late ones");
    is(comes(63), NGX_OK, "64 of them in a row are a jump back");
    (void) tick(300);
    is(srt.ack.seq, 164, "acknowledged where it is now");
    srt_stat(&srt);
    is(srt.stat.jumps, 3, "a jump");

    /* repeated ones never are */

    (void) comes_as(20000, 300, 0);

    for (srt.next = 0; srt.next < 200; srt.next++) {
        (void) comes_as(srt.next, 300, 1);
    }

    srt_stat(&srt);
    is(srt.stat.jumps, 4, "unless they were sent once more");

    end("jump");
}


static void
test_dropreq(void)
{
    ngx_uint_t  n;

    begin(1);

    (void) comes(0);
    (void) comes(5);
    (void) comes(9);
    n = naks();

    ngx_media_srt_rx_dropreq(srt.rx, 101, 104);
    (void) tick(10);
    is(srt.handed, 2, "what the peer has no more is not waited for");
    is(srt.gap, 4, "but told of");
    (void) tick(200);
    is(srt.ack.seq, 110, "it is acknowledged");
    (void) comes_as(11, 250, 0);
    (void) tick(250);
    is(srt.nak_from, 110, "and is not asked for");
    is(naks(), n + 1, "as what else is missing is");

    /* what was not yet seen to be missing, and what is over */

    ngx_media_srt_rx_dropreq(srt.rx, 0, 111);
    ngx_media_srt_rx_dropreq(srt.rx, 112, 5000);
    ngx_media_srt_rx_dropreq(srt.rx, 5000, 112);
    ngx_media_srt_rx_dropreq(srt.rx, 0x60000000, 0x20000000);
    (void) tick(280);
    is(srt.ack.seq, 112, "nothing is acknowledged that did not come");
    is(srt.handed, 4, "the rest is handed on");
    srt_check(&srt);

    /* it comes after all */

    (void) comes_as(14, 300, 0);
    ngx_media_srt_rx_dropreq(srt.rx, 112, 113);
    is(comes_as(13, 300, 0), NGX_OK, "one that comes after all is taken");
    (void) tick(301);
    is(srt.handed, 6, "and handed on");

    end("DROPREQ");
}


static ngx_int_t
decrypt(srt_t *s, uint32_t seq, ngx_uint_t kk)
{
    return (seq % 2) ? NGX_OK : NGX_DECLINED;
}


static void
test_decrypt(void)
{
    ngx_media_srt_data_t  packet;

    memset(&srt, 0, sizeof(srt));
    srt.decrypt = decrypt;
    begin_at(101, 0);

    is(comes(0), NGX_OK, "one that was decrypted");
    is(comes(1), NGX_DECLINED, "one that was not");
    is(comes(2), NGX_OK, "another one");
    is(comes_as(2, 2, 0), NGX_DECLINED, "which is not decrypted twice");
    (void) tick(20);
    is(srt.ack.seq, 104, "it came, and is acknowledged");
    is(naks(), 0, "and not asked for");
    (void) tick(200);
    is(srt.handed, 2, "the others are handed on");
    is(srt.gap, 1, "around a gap");
    srt_stat(&srt);
    is(srt.stat.undecrypt, 1, "it is counted");
    is(srt.stat.duplicate, 1, "as the other one is");
    end("decrypt");

    begin(0);
    memset(&packet, 0, sizeof(packet));
    packet.seq = 100;
    packet.kk = NGX_MEDIA_SRT_KK_EVEN;
    is(srt_packet(&srt, &packet, 0, SRT_SIZE), NGX_DECLINED,
       "what is encrypted in a session that is not");
    end("no key");
}


static void
test_duplicates(void)
{
    ngx_uint_t  i, n;

    begin(0);

    for (i = 0; i < 100; i++) {
        is(comes(i), NGX_OK, "packet %d", (int) i);

        for (n = 0; n < i; n += 7) {
            (void) comes_as(n, i, n % 2);
        }
    }

    (void) tick(400);
    is(srt.handed, 100, "each is handed on once");
    srt_stat(&srt);
    is(srt.stat.unique, 100, "and counted once");
    is(srt.stat.recv, 100 + srt.stat.duplicate, "the others are duplicates");
    end("duplicates");
}


static void
test_wrap(void)
{
    ngx_uint_t  early, i;

    for (early = 0; early < 2; early++) {
        memset(&srt, 0, sizeof(srt));
        begin_at(0x7fffffff - 600, early);

        /* stamps wrap, too: 2^32 us is 600 packets ahead */

        for (i = 0; i < 3200; i++) {
            srt.now = START + i * MS;

            if (i >= 3000) {
                (void) tick(i);
                continue;
            }

            if (i % 10 != 5) {
                (void) srt_data(&srt, i, ((int64_t) 1 << 32) - 600 * MS
                                         + i * MS, 0);
            }

            if (i % 10 == 9) {
                (void) srt_data(&srt, i - 4, ((int64_t) 1 << 32) - 600 * MS
                                             + (i - 4) * MS, 1);
            }

            (void) srt_tick(&srt, srt.now);
            srt_check(&srt);
        }

        is(srt.late, 0, "none too late");
        is(srt.handed, 3000, "over the wraps of numbers and stamps");
        is(srt.gap, 0, "without a gap");
        is(srt.ack.seq, 3000 - 601, "acknowledged");
        end(early ? "wrap, early" : "wrap");
    }
}


static void
test_odd(void)
{
    ngx_media_srt_data_t  packet;

    begin(1);

    /* a message of several packets, 2.1 of the draft: bytes are bytes */

    memset(&packet, 0, sizeof(packet));

    packet.seq = 100;
    packet.pp = 2;
    is(srt_packet(&srt, &packet, 0, 1456), NGX_OK, "a first one");
    packet.seq = 101;
    packet.pp = 0;
    is(srt_packet(&srt, &packet, 1, 1), NGX_OK, "one of one byte");
    packet.seq = 102;
    packet.pp = 1;
    is(srt_packet(&srt, &packet, 2, 0), NGX_OK, "a last one of nothing");
    (void) srt_tick(&srt, srt.now);
    is(srt.handed, 3, "all are handed on");
    is(srt.ack.seq, 103, "and acknowledged");
    end("odd packets");

    /* repeated, with a stamp of what is to come: it is not waited for */

    begin(0);
    (void) comes(0);
    srt.now += MS;
    (void) srt_data(&srt, 1, STAMP + 100000 * MS, 1);
    (void) comes(2);
    (void) tick(122);
    is(srt.handed, 3, "a stamp of the future holds nobody");
    end("odd stamp");
}


static void
test_memory(void)
{
    srt_t                    other;
    ngx_uint_t               i, most;
    ngx_media_srt_rx_conf_t  conf;

    begin(0);

    /* two share 400 places, one comes with much more */

    ngx_media_srt_slots_limit(srt.slots, 400 * sizeof(ngx_media_srt_slot_t));

    memset(&other, 0, sizeof(other));
    memset(&conf, 0, sizeof(conf));

    other.slots = srt.slots;
    other.now = START;
    conf.latency = LATENCY;
    srt_begin(&other, &conf);

    most = 0;

    for (i = 0; i < 4000; i++) {
        (void) comes_as(i, i / 20, 0);

        if (i % 20 == 0) {
            other.now = srt.now;
            (void) srt_data(&other, i / 20, STAMP + i / 20 * MS, 0);
            (void) srt_tick(&other, other.now);
        }

        (void) tick(i / 20);
        most = ngx_max(most, srt.rx->held + other.rx->held);
    }

    srt_stat(&srt);
    srt_stat(&other);

    ok(srt.stat.early > 0, "there is no room: one hands on before its time");
    is(other.stat.early, 0, "the other has less than its share");
    ok(most <= 401, "the limit is kept");
    is(srt.gap, 0, "nothing is lost");

    /* nobody else: the same one may have it all */

    srt_end(&other);
    ok(other.wrong == NULL, "the other: %s",
       other.wrong ? other.wrong : "sound");

    (void) tick(10000);
    is(srt.handed, 4000, "all is handed on");
    end("memory");
}


static void
test_nomem(void)
{
    uint64_t    nomem;
    ngx_uint_t  i;

    begin(0);

    for (i = 0; i < 512; i++) {
        (void) comes_as(i, 0, 0);
    }

    ngx_stub_fail = 1;

    for (i = 512; i < 520; i++) {
        (void) comes_as(i, 0, 0);
    }

    ngx_stub_fail = 0;

    srt_stat(&srt);
    nomem = srt.stat.nomem;
    ok(nomem > 0, "the ring cannot grow");
    is(srt.stat.early, 8, "so some are handed on before their time");

    (void) comes_as(1100, 0, 0);
    srt_stat(&srt);
    is(srt.stat.nomem, nomem, "then it can");
    (void) tick(20000);
    is(srt.handed, 521, "all are handed on");
    end("no memory");
}


/* the kernel says when it came, which may be before the last tick */

static void
test_before_tick(void)
{
    begin(0);

    run(0, 5);
    (void) tick(30);
    is(srt.ack_number, 2, "an ACK");
    (void) comes_late(5, 29, 0);
    (void) comes_late(7, 29, 0);
    ackack(-1);

    srt_stat(&srt);
    is(srt.stat.rtt, 1, "a round trip is not less than nothing");

    (void) tick(31);
    is(srt.nak_from, 106, "what is missing is asked for");
    (void) comes_late(6, 30, 1);
    (void) tick(200);
    is(srt.handed, 8, "all are handed on");
    end("before a tick");
}


static void
test_flush(void)
{
    begin(0);

    run(0, 5);
    (void) comes(7);
    ngx_media_srt_rx_flush(srt.rx);
    is(srt.handed, 6, "the peer has ended: all is handed on");
    is(srt.gap, 2, "over gaps");
    is(srt.early, LATENCY * MS, "at once");
    end("flush");
}


int
main(void)
{
    test_paced();
    test_early();
    test_gap();
    test_first_lost();
    test_nak_times();
    test_nak_last();
    test_said_var();
    test_nak_words();
    test_nak_room();
    test_reordered();
    test_ack();
    test_room();
    test_jump();
    test_dropreq();
    test_decrypt();
    test_duplicates();
    test_wrap();
    test_odd();
    test_memory();
    test_nomem();
    test_before_tick();
    test_flush();

    return done();
}
