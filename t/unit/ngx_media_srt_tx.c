
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs ingest/ngx_media_srt_tx.c ingest/ngx_media_srt_ring.c
         ingest/ngx_media_srt_slots.c
         formats/ngx_media_srt.c formats/ngx_media_srt_control.c ngx_stub.c */


/*
 * What a receiver of SRT is sent, and when: the clock, the ring, the link and
 * the receiver are the test's.
 */


#include "ngx_stub.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_srt_tx.h"
#include "tap.h"


#define MS       ((int64_t) 1000)
#define BEGIN    (5000 * MS)
#define ISN      0x7ffffff0u             /* it wraps behind 16 packets */
#define seq(n)   ngx_media_srt_seq_add(ISN, (n))
#define LATENCY  120

/* of the simulated link */
#define SLOTS    16384


static ngx_media_srt_ring_t       ring;
static ngx_media_srt_tx_t        *tx;
static int64_t                    now;

/* control packets */
static ngx_uint_t                 sent_type;
static uint32_t                   sent_info;
static u_char                     sent_body[64];
static size_t                     sent_len;
static ngx_uint_t                 nsent;


static void
send_control(void *data, ngx_uint_t type, uint32_t info, const u_char *body,
    size_t len)
{
    sent_type = type;
    sent_info = info;
    sent_len = len;
    nsent++;

    ngx_memcpy(sent_body, body, ngx_min(len, sizeof(sent_body)));
}


static void
create(ngx_uint_t latency, ngx_uint_t window)
{
    ngx_media_srt_tx_conf_t  conf;

    ngx_memzero(&conf, sizeof(conf));

    conf.ring = &ring;
    conf.log = &ngx_stub_log;
    conf.isn = ISN;
    conf.id = 0x1234;
    conf.window = window;
    conf.latency = latency;
    conf.base = BEGIN - 100 * MS;
    conf.send = send_control;

    tx = ngx_media_srt_tx_create(&conf);
    nsent = 0;
}


static void
finish(void)
{
    ngx_media_srt_tx_destroy(tx);
    ngx_media_srt_ring_free(&ring);
}


static void
put(int64_t time, ngx_uint_t n, ngx_uint_t key)
{
    ngx_media_srt_payload_t  *payload;

    ring.keep = 3000 * MS;

    while (n--) {
        payload = ngx_media_srt_ring_next(&ring, &ngx_stub_log);

        payload->time = time;
        payload->len = NGX_MEDIA_SRT_RING_PAYLOAD;
        payload->key = key;

        (void) ngx_media_put_be32(payload->data, (uint32_t) ring.head);
        ngx_media_srt_ring_put(&ring);

        key = 0;
    }
}


/* a GOP of a second, 25 pictures of 8 payloads, the first of 40: 232 a second,
   305 KB/s */

static void
put_second(int64_t time)
{
    ngx_uint_t  i;

    for (i = 0; i < 25; i++) {
        put(time + (int64_t) i * 40 * MS, i ? 8 : 40, i == 0);
    }
}


/* all that may leave; returns how many did */

static ngx_media_srt_tx_packet_t  out[1024];

static ngx_uint_t
drain(void)
{
    ngx_uint_t  n, total;

    total = 0;

    do {
        n = ngx_media_srt_tx_peek(tx, out + total, 32, now);
        ngx_media_srt_tx_sent(tx, out + total, n, now);
        total += n;

    } while (n && total <= 1024 - 32);

    return total;
}


/* the same for so many ms */

static ngx_uint_t
drain_for(ngx_uint_t ms)
{
    ngx_uint_t  i, n, total;

    total = 0;

    for (i = 0; i <= ms; i += 5) {
        n = ngx_media_srt_tx_peek(tx, out + total, 32, now);
        ngx_media_srt_tx_sent(tx, out + total, n, now);
        total += n;

        now += (i < ms) ? 5 * MS : 0;
    }

    return total;
}


static void
ack_full(uint32_t seq, uint32_t number, uint32_t buffer, uint32_t rtt)
{
    u_char               body[NGX_MEDIA_SRT_ACK_SIZE], *p;
    ngx_media_srt_ack_t  ack;

    ngx_memzero(&ack, sizeof(ack));

    ack.seq = seq;
    ack.rtt = rtt;
    ack.rttvar = rtt / 16;
    ack.buffer = buffer;

    p = ngx_media_srt_ack_write(body, &ack);
    ngx_media_srt_tx_ack(tx, number, body, p, now);
}


static void
nak(uint32_t from, uint32_t to)
{
    u_char  body[8], *p;

    p = body;
    (void) ngx_media_srt_nak_add(&p, body + sizeof(body), from, to);

    ngx_media_srt_tx_nak(tx, body, p, now);
}


static ngx_media_srt_tx_stat_t
stat_now(void)
{
    ngx_media_srt_tx_stat_t  stat;

    ngx_media_srt_tx_stat(tx, &stat);

    return stat;
}


static ngx_media_srt_data_t
header(const ngx_media_srt_tx_packet_t *packet)
{
    ngx_media_srt_packet_t  parsed;

    ngx_memzero(&parsed, sizeof(parsed));
    (void) ngx_media_srt_parse(&parsed, packet->header,
                               packet->header + NGX_MEDIA_SRT_TX_HEADER);

    return parsed.u.data;
}


static void
test_begin(void)
{
    int64_t               began;
    ngx_media_srt_data_t  first;

    now = BEGIN;
    create(LATENCY, 8192);

    is(drain(), 0, "begin: an empty ring");
    is(ngx_media_srt_tx_wait(tx, now), NGX_MEDIA_SRT_TX_NEVER,
       "begin: until something comes");

    put(now - 10 * MS, 3, 0);
    is(drain(), 0, "begin: no key payload");

    put(now - 2001 * MS + 1000 * MS, 3, 1);
    now += 1001 * MS;
    is(drain(), 0, "begin: the key payload is 2 s old");

    put(now, 4, 1);
    began = now;
    is(drain_for(10), 4, "begin: with one that comes");

    first = header(&out[0]);

    is_hex(first.seq, ISN, "begin: seq");
    is(first.msg, 1, "begin: message");
    is_hex(first.dst, 0x1234, "begin: id");
    is(first.pp, NGX_MEDIA_SRT_PP_SOLO, "begin: a message of its own");
    is(first.rexmit, 0, "begin: not repeated");
    is(first.kk, NGX_MEDIA_SRT_KK_CLEAR, "begin: clear");
    is(first.ts, (uint32_t) (began - (BEGIN - 100 * MS)),
       "begin: time stamp");
    is_hex(header(&out[3]).seq, seq(3), "begin: the fourth");
    is(header(&out[3]).msg, 4, "begin: its message");

    put(now, 20, 0);
    is(drain_for(200), 20, "begin: over the end of sequence numbers");
    is_hex(header(&out[12]).seq, 0, "begin: which begin anew");

    finish();
}


/* what waits is sent at 4 times its rate, with time stamps to match */

static void
test_catch(void)
{
    int64_t     live;
    uint32_t    last, ts;
    ngx_uint_t  back, i, k, n, total;

    now = BEGIN;
    put_second(now - 1000 * MS);
    create(LATENCY, 8192);

    total = 0;
    back = 0;
    last = 0;
    live = 0;

    for (i = 0; i < 200 && live == 0; i++) {
        n = drain();

        for (k = 0; k < n; k++) {
            ts = header(&out[k]).ts;
            back += (ts < last || ts > now - (BEGIN - 100 * MS));
            last = ts;
        }

        total += n;

        if (total == 232) {
            live = now - BEGIN;
        }

        now += 5 * MS;
    }

    ok(live >= 200 * MS && live <= 300 * MS, "catch: 1 s takes %d ms",
       (int) (live / MS));
    is(total, 232, "catch: all of it");
    is(back, 0, "catch: in order");

    /* then as it comes */

    now += 100 * MS;
    put(now, 8, 0);
    is(drain(), 8, "catch: a picture leaves at once");
    is(header(&out[7]).ts, (uint32_t) (now - BEGIN + 100 * MS),
       "catch: with the time stamp of that");

    finish();
}


/* a key frame of a size */

static void
test_pace(void)
{
    int64_t     began;
    ngx_uint_t  n, total;

    now = BEGIN;
    put_second(now - 1000 * MS);
    create(LATENCY, 8192);

    while (stat_now().unique < 232) {
        (void) drain();
        now += 5 * MS;
    }

    now += 400 * MS;
    put(now, 64, 1);
    began = now;

    n = drain();
    ok(n >= 16 && n < 32, "pace: %d of 64 leave at once", (int) n);

    for (total = n; total < 64 && now < began + 500 * MS; /* void */ ) {
        n = ngx_media_srt_tx_wait(tx, now);
        ok(n >= 5 && n < 50, "pace: waits %d ms", (int) n);
        now += (int64_t) n * MS;
        total += drain();
    }

    is(total, 64, "pace: then the others");
    ok(now - began <= 60 * MS, "pace: after %d ms",
       (int) ((now - began) / MS));
    is(ngx_media_srt_tx_wait(tx, now), NGX_MEDIA_SRT_TX_NEVER,
       "pace: there is nothing more");
    is(header(&out[0]).ts, (uint32_t) (began - BEGIN + 100 * MS),
       "pace: time stamps are when it came");

    finish();

    /* with a second of latency there is time, not more than 1.25 times */

    now = BEGIN;
    put_second(now - 1000 * MS);
    create(4000, 8192);

    while (stat_now().unique < 232) {
        (void) drain();
        now += 5 * MS;
    }

    now += 400 * MS;
    put(now, 64, 1);
    began = now;

    for (total = 0; total < 64; now += 5 * MS) {
        total += drain();
    }

    ok(now - began >= 100 * MS && now - began <= 300 * MS,
       "pace: with more latency in %d ms", (int) ((now - began) / MS));

    finish();
}


static void
test_ack(void)
{
    u_char  light[4];

    now = BEGIN;
    create(LATENCY, 8192);
    put(now, 10, 1);
    (void) drain_for(50);

    is(stat_now().flight, 10, "ack: none");

    ack_full(seq(5), 1, 100, 30000);
    is(stat_now().flight, 5, "ack: the first five");
    is(sent_type, NGX_MEDIA_SRT_ACKACK, "ack: is answered");
    is(sent_info, 1, "ack: by its number");
    is(sent_len, 4, "ack: with 4 bytes");
    is(stat_now().rtt, 30000, "ack: round trip");
    is(stat_now().room, 100, "ack: room");

    (void) ngx_media_put_be32(light, seq(7));
    ngx_media_srt_tx_ack(tx, 0, light, light + 4, now);
    is(stat_now().flight, 3, "ack: a light one");
    is(nsent, 1, "ack: which is not answered");
    is(stat_now().room, 100, "ack: room stays");

    ack_full(seq(6), 2, 50, 100000);
    is(stat_now().flight, 3, "ack: late ones are nothing");
    is(nsent, 2, "ack: but answered");
    is(stat_now().room, 100, "ack: room stays, too");

    ack_full(seq(11), 3, 50, 100000);
    is(stat_now().flight, 3, "ack: of what was not sent");
    is(stat_now().wrong, 1, "ack: wrong");
    ngx_media_srt_tx_ack(tx, 0, light, light + 3, now);
    is(stat_now().wrong, 2, "ack: too short");

    ack_full(seq(10), 4, 3, 100000);
    is(stat_now().flight, 0, "ack: all");

    /* a window */

    put(now, 10, 0);
    is(drain_for(50), 3, "room: three");
    is(ngx_media_srt_tx_wait(tx, now), 20, "room: for an ACK");
    ack_full(seq(12), 5, 3, 30000);
    is(drain(), 2, "room: two more");
    ack_full(seq(15), 6, 0, 30000);
    is(drain(), 2, "room: none is two");
    now += 20 * MS;
    is(drain(), 0, "room: only");

    put(now, 5, 0);
    now += 990 * MS;
    is(drain(), 2, "room: what is too late is on its way no more");
    is(stat_now().dropped, 3, "room: and not sent");
    is_hex(header(&out[0]).seq, 4, "room: it goes on behind it");

    finish();
}


static void
test_nak(void)
{
    uint32_t  from, to, ts;

    now = BEGIN;
    create(LATENCY, 8192);
    put(now, 10, 1);
    (void) drain_for(50);
    ts = header(&out[3]).ts;

    ack_full(seq(2), 1, 8192, 32000);

    now += 40 * MS;
    put(now, 2, 0);
    now += 5 * MS;
    nak(seq(3), seq(4));
    nak(seq(9), seq(9));

    is(drain(), 5, "nak: three once more, and two");
    is_hex(header(&out[0]).seq, seq(3), "nak: the oldest first");
    is_hex(header(&out[1]).seq, seq(4), "nak: then the next one");
    is_hex(header(&out[2]).seq, seq(9), "nak: and the last one");
    is(header(&out[0]).rexmit, 1, "nak: they say so");
    is(header(&out[0]).ts, ts, "nak: with the time stamp of the first time");
    is(header(&out[0]).msg, 4, "nak: and its message");
    is(header(&out[3]).rexmit, 0, "nak: the new ones do not");
    is(stat_now().repeats, 3, "nak: counted");
    is(stat_now().lost, 3, "nak: lost");

    /* again: what is on its way is not asked for */

    now += 10 * MS;
    nak(seq(3), seq(4));
    is(drain(), 0, "nak: they are on their way");
    now += 32 * MS;
    nak(seq(3), seq(4));
    nak(seq(3), seq(4));
    is(drain(), 2, "nak: a round trip later they are not");

    /* asked for, and then there */

    now += 50 * MS;
    nak(seq(3), seq(4));
    ack_full(seq(10), 2, 8192, 32000);
    is(drain(), 0, "nak: they came meanwhile");

    nak(seq(20), seq(20));
    is(stat_now().wrong, 1, "nak: of what was not sent");
    nak(seq(-1), seq(3));
    is(stat_now().wrong, 2, "nak: of what was before");

    sent_type = 0;
    nak(seq(8), seq(11));
    is(sent_type, NGX_MEDIA_SRT_DROPREQ, "nak: of what is done with");
    is(sent_info, 0, "nak: whichever message");
    is(ngx_media_srt_dropreq_parse(sent_body, sent_body + sent_len, &from,
                                   &to), NGX_OK, "nak: a range");
    is_hex(from, seq(8), "nak: from");
    is_hex(to, seq(9), "nak: to");
    is(drain(), 2, "nak: the rest of it is sent");

    /* too late */

    now += 1100 * MS;
    sent_type = 0;
    nak(seq(10), seq(11));
    is(sent_type, NGX_MEDIA_SRT_DROPREQ, "nak: too late");
    is(drain(), 0, "nak: not sent");

    finish();
}


/* who asks for everything, again and again, of what is long gone too */

static void
test_flood(void)
{
    u_char       list[364 * 4], *p;
    ngx_uint_t   i, n;

    now = BEGIN;
    create(LATENCY, 8192);
    put(now, 100, 1);
    (void) drain_for(400);

    /* no round trip at all, and each millisecond */

    for (i = 0, n = 0; i < 100; i++) {
        ack_full(ISN, i + 1, 8192, 0);
        nak(ISN, seq(99));
        n += drain();
        now += MS;
    }

    ok(n <= 60, "flood: repeats have the pace of all packets");

    ack_full(seq(100), 101, 8192, 32000);

    nsent = 0;

    for (p = list; p < list + sizeof(list); /* void */ ) {
        p = ngx_media_put_be32(p, ISN);
    }

    ngx_media_srt_tx_nak(tx, list, list + sizeof(list), now);

    is(nsent, 16, "flood: one packet has few answers");

    finish();
}


/* more than the ring has: it is gone however fresh */

static void
test_gone(void)
{
    now = BEGIN;
    create(LATENCY, 8192);
    put(now, 10, 1);
    (void) drain_for(50);

    ring.tail = 4;
    nak(ISN, seq(5));
    is(sent_type, NGX_MEDIA_SRT_DROPREQ, "gone: it says so");
    is(drain(), 2, "gone: and sends what is there");

    ring.tail = 10;
    put(now, 1, 0);
    now += 50 * MS;
    is(drain(), 1, "gone: it goes on");
    is_hex(header(&out[0]).seq, seq(10), "gone: with what is there");

    finish();
}


/*
 * A link that loses and delays, and a receiver that says at once what is
 * missing, and all of it each 50 ms; ACKs each 10 ms.
 */

static uint32_t  seed;
static int64_t   arrives[SLOTS];           /* by seq - ISN; 0: never */
static int64_t   stamps[SLOTS];


static ngx_uint_t
chance(ngx_uint_t permille)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % 1000 < permille;
}


static void
simulate(ngx_uint_t loss, ngx_uint_t rtt, ngx_uint_t latency,
    ngx_uint_t *packets, ngx_uint_t *late)
{
    int64_t               arrival, end, next_ack, next_nak, half, said;
    ngx_uint_t            asked, first, highest, i, k, n, place;
    ngx_media_srt_data_t  data;

    ngx_memzero(arrives, sizeof(arrives));
    ngx_memzero(stamps, sizeof(stamps));

    seed = 1;
    now = BEGIN;
    half = (int64_t) rtt * MS / 2;
    first = 0;
    asked = 0;
    highest = 0;
    next_ack = now;
    next_nak = now;
    said = now;
    end = now + 20000 * MS;
    *packets = 0;
    *late = 0;

    create(latency, 8192);

    for ( /* void */ ; now < end + 3000 * MS; now += 5 * MS) {

        if (now >= said && now < end) {
            put_second(now);               /* all at once: worse than life */
            said += 1000 * MS;
        }

        n = drain();

        for (i = 0; i < n; i++) {
            data = header(&out[i]);
            place = ngx_media_srt_seq_diff(data.seq, ISN) & (SLOTS - 1);

            if (stamps[place] == 0) {
                stamps[place] = BEGIN - 100 * MS + data.ts;
                (*packets)++;
            }

            if (!chance(loss) && arrives[place] == 0) {
                arrives[place] = now + half;
                highest = ngx_max(highest, place);
            }
        }

        /* what the receiver knew half a trip ago */

        while (first < SLOTS && arrives[first]
               && arrives[first] <= now - half)
        {
            first++;
        }

        /* and gives up */

        while (first < highest && stamps[first]
               && now - half > stamps[first] + half + (int64_t) latency * MS
               && (arrives[first] == 0 || arrives[first] > now - half))
        {
            first++;
        }

        if (now >= next_nak) {
            next_nak += 50 * MS;
            asked = first;
        }

        for (i = asked; i < highest; i++) {
            if (arrives[i] == 0 || arrives[i] > now - half) {

                for (k = i; k + 1 < highest
                            && (arrives[k + 1] == 0
                                || arrives[k + 1] > now - half); k++)
                {
                    /* void */
                }

                if (arrives[k + 1] && arrives[k + 1] <= now - half) {
                    nak(seq(i),
                        seq(k));
                }

                i = k;
            }

            asked = i;
        }

        if (now >= next_ack) {
            next_ack += 10 * MS;
            ack_full(seq(first), 1, 8192, rtt * 1000);
        }
    }

    for (i = 0; i < *packets; i++) {
        arrival = arrives[i];

        if (arrival == 0
            || arrival > stamps[i] + half + (int64_t) latency * MS)
        {
            (*late)++;
        }
    }
}


static void
test_loss(void)
{
    ngx_uint_t               late, packets;
    ngx_media_srt_tx_stat_t  stat;

    simulate(0, 100, 400, &packets, &late);
    stat = stat_now();

    is(packets, 20 * 232, "loss: none, all are sent");
    is(late, 0, "loss: none, none is late");
    is(stat.repeats, 0, "loss: none, none is repeated");
    is(stat.flight, 0, "loss: none, all are acknowledged");
    finish();

    simulate(50, 100, 400, &packets, &late);
    stat = stat_now();

    is(packets, 20 * 232, "loss: 5 %%, all are sent");
    ok(late <= 1, "loss: 5 %%, late %d", (int) late);
    ok(stat.repeats >= 200 && stat.repeats < 500,
       "loss: 5 %%, repeated %d", (int) stat.repeats);
    is(stat.dropped, 0, "loss: 5 %%, none is dropped");
    finish();

    simulate(300, 20, 400, &packets, &late);
    stat = stat_now();

    ok(late <= 5, "loss: 30 %%, late %d", (int) late);
    is(stat.wrong, 0, "loss: 30 %%, nothing is wrong");
    finish();
}


static void
test_memory(void)
{
    ngx_uint_t  i, n;

    now = BEGIN;

    for (i = 2; i < 6; i++) {
        ngx_stub_fail = i;
        n = 0;

        while (n < 300) {
            if (ngx_media_srt_ring_next(&ring, &ngx_stub_log)) {
                ngx_media_srt_ring_next(&ring, &ngx_stub_log)->time = now;
                ngx_media_srt_ring_put(&ring);
            }

            n++;
        }

        ngx_stub_fail = 0;
        ngx_media_srt_ring_free(&ring);
    }

    ok(1, "memory: the ring does without");

    /* bounded, whatever comes */

    ring.keep = 3600 * 1000 * MS;

    for (n = 0; n < 3; n++) {
        put(now, NGX_MEDIA_SRT_RING_MAX / 2, n == 0);
    }

    is(ring.head - ring.tail, NGX_MEDIA_SRT_RING_MAX, "memory: the most");
    is(ngx_media_srt_ring_key(&ring, &ring.key), NGX_DECLINED,
       "memory: the key payload has gone");

    ngx_media_srt_ring_free(&ring);
}


static size_t
kept_of(const ngx_media_srt_slots_t *slots)
{
    ngx_media_srt_slots_stat_t  stat;

    ngx_media_srt_slots_stat(slots, &stat);

    return stat.kept;
}


/* of the worker's limit, of which another one has all but so many payloads */

static void
test_limit(void)
{
    size_t                  size;
    uint64_t                i, wrong;
    ngx_media_srt_slots_t  *slots;

    size = sizeof(ngx_media_srt_payload_t);
    now = BEGIN;

    slots = ngx_media_srt_slots_create(2000 * size, &ngx_stub_log);

    ring.slots = slots;
    ring.keep = 3600 * 1000 * MS;

    put(now, 700, 1);
    is(kept_of(slots), 700 * size, "limit: what is kept counts");

    put(now, 2000, 0);
    is(kept_of(slots), 1000 * size, "limit: half of it");
    is(ring.head, 2700, "limit: nothing is refused");
    is(ring.head - ring.tail, 1000, "limit: the oldest has gone");

    wrong = 0;

    for (i = ring.tail; i < ring.head; i++) {
        wrong += ngx_media_get_be32(ngx_media_srt_ring_at(&ring, i)->data)
                 != (uint32_t) i;
    }

    is(wrong, 0, "limit: each is in its place");
    is(ngx_media_srt_ring_key(&ring, &i), NGX_DECLINED, "limit: no key");

    ngx_media_srt_ring_free(&ring);
    is(kept_of(slots), 0, "limit: all is given back");

    /* one that comes when there is nothing left has what it needs */

    (void) ngx_media_srt_slots_keep(slots, 1000 * size, 0);

    ring.slots = slots;
    ring.keep = 3600 * 1000 * MS;

    put(now, 2000, 1);
    is(ring.head - ring.tail, 256, "limit: a few it has in any case");

    ngx_media_srt_ring_free(&ring);
    ngx_media_srt_slots_forget(slots, 1000 * size);

    is(kept_of(slots), 0, "limit: likewise");
    ngx_media_srt_slots_destroy(slots);
}


int
main(void)
{
    test_begin();
    test_catch();
    test_pace();
    test_ack();
    test_nak();
    test_gone();
    test_flood();
    test_loss();
    test_memory();
    test_limit();

    return done();
}
