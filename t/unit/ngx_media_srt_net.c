
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @srt_rx ngx_stub.c */


/*
 * Streams over bad networks: a sender that does as libsrt's does, two ways
 * with delay, loss, bursts, reordering and duplicates, and a timer of 5 ms as
 * a worker has one.  All of it is simulated, nothing takes its time.
 *
 * What the sender does: its window is what the last full ACK left of it; what
 * is asked for is sent once more, but not within RTT - 4 var after it was, by
 * what the last ACK said of them; what is older than a second and more than the
 * latency is dropped and refused; each ACK is answered.
 */


#include "ingest/ngx_media_srt_rx.h"
#include "media_srt.h"
#include "tap.h"


#define MS        1000
#define SECOND    (1000 * MS)
#define PACKETS   6000                        /* of a stream, 500 a second */
#define INTERVAL  (2 * MS)
#define BODY      (364 * 4)


typedef enum {
    NET_ORIGIN = 0,                           /* a packet is made */
    NET_DATA,                                 /* arrives at the receiver */
    NET_DROPREQ,
    NET_ACKACK,
    NET_CONTROL,                              /* arrives at the sender */
    NET_TIMER
} net_e;


typedef struct {
    int64_t                   at;
    uint64_t                  order;
    net_e                     what;
    uint64_t                  from;           /* packets */
    uint64_t                  to;
    unsigned                  rexmit:1;
    ngx_uint_t                type;
    uint32_t                  info;
    size_t                    len;
    u_char                   *body;           /* freed by who takes it */
} net_event_t;


typedef struct {
    const char               *name;
    int64_t                   rtt;            /* ms */
    ngx_uint_t                latency;        /* ms */
    ngx_uint_t                loss;           /* of 1000, both ways */
    ngx_uint_t                burst;          /* of 10000 packets that are
                                                 made, then both ways lose all
                                                 for 10 .. 80 ms */
    ngx_uint_t                reorder;        /* of 1000 */
    int64_t                   late;           /* ms, those, at most */
    ngx_uint_t                duplicate;      /* of 1000 */
    ngx_uint_t                jitter;         /* us, at most; order is kept */
    ngx_uint_t                early;
    ngx_uint_t                most;           /* packets too late, at most */
    uint32_t                  isn;
    uint32_t                  stamp;          /* of the first packet */
} net_conf_t;


typedef struct {
    srt_t                     srt;
    const net_conf_t         *conf;
    uint64_t                  random;
    net_event_t              *heap;
    ngx_uint_t                nheap;
    ngx_uint_t                size;
    uint64_t                  order;
    int64_t                   now;
    int64_t                   bad;            /* a burst lasts until then */
    int64_t                   timer;          /* is armed for, or 0 */

    /* the sender */
    uint64_t                  made;
    uint64_t                  sent;
    uint64_t                  acked;
    uint64_t                  window;
    int64_t                   rtt;
    int64_t                   rtt_var;
    int64_t                   last[PACKETS];  /* was sent once more, or 0 */
    int64_t                   order_at[2];    /* of each way, the last one */
    ngx_uint_t                resent;
    ngx_uint_t                refused;
} net_t;


static const net_conf_t  nets[] = {

    { .name = "nothing is wrong", .rtt = 200, .latency = 400 },
    { .name = "nearby", .rtt = 1, .latency = 20 },
    { .name = "early", .rtt = 20, .latency = 120, .early = 1 },

    { .name = "1 % loss, 4 RTT", .rtt = 200, .latency = 800, .loss = 10 },
    { .name = "5 % loss, 4 RTT", .rtt = 200, .latency = 800, .loss = 50 },
    { .name = "10 % loss, 4 RTT", .rtt = 200, .latency = 800, .loss = 100,
      .most = 3 },
    { .name = "10 % loss, 4 RTT, early", .rtt = 200, .latency = 800,
      .loss = 100, .most = 3, .early = 1 },
    { .name = "5 % loss, 2.5 RTT", .rtt = 200, .latency = 500, .loss = 50,
      .most = 6 },

    /* libsrt's receiver has 13, 59, 14 and 60 late of these, on average */

    { .name = "5 % loss, 2 RTT", .rtt = 200, .latency = 400, .loss = 50,
      .jitter = 1000, .most = 5 },
    { .name = "10 % loss, 2 RTT", .rtt = 200, .latency = 400, .loss = 100,
      .jitter = 1000, .most = 20 },
    { .name = "10 % loss, 2.5 RTT", .rtt = 200, .latency = 500, .loss = 100,
      .jitter = 1000, .most = 6 },
    { .name = "10 % loss, 2 RTT of 40 ms", .rtt = 40, .latency = 80,
      .loss = 100, .jitter = 1000, .most = 40 },

    { .name = "bursts, 4 RTT", .rtt = 200, .latency = 800, .burst = 40 },
    { .name = "bursts and 5 % loss, 4 RTT", .rtt = 200, .latency = 800,
      .burst = 40, .loss = 50, .most = 15 },

    { .name = "reordered", .rtt = 200, .latency = 400, .reorder = 50,
      .late = 10 },
    { .name = "reordered nearby", .rtt = 4, .latency = 40, .reorder = 50,
      .late = 10 },
    { .name = "each twice", .rtt = 200, .latency = 400, .duplicate = 1000 },
    { .name = "all of it", .rtt = 200, .latency = 1000, .loss = 50,
      .burst = 20, .reorder = 50, .late = 30, .duplicate = 50, .most = 2 },

    { .name = "all of it, over the wraps", .rtt = 200, .latency = 1000,
      .loss = 50, .burst = 20, .reorder = 50, .late = 30, .duplicate = 50,
      .isn = 0x7fffffff - 3000, .stamp = 0xffffffff - 3000 * INTERVAL,
      .most = 2 },
    { .name = "all of it, early, over the wraps", .rtt = 200,
      .latency = 1000, .loss = 50, .burst = 20, .reorder = 50, .late = 30,
      .duplicate = 50, .isn = 0x7fffffff - 3000, .early = 1,
      .stamp = 0xffffffff - 3000 * INTERVAL, .most = 2 }
};


static void net_control(srt_t *srt, ngx_uint_t type, uint32_t info,
    const u_char *body, size_t len);


static uint64_t
net_random(net_t *net, uint64_t n)
{
    net->random ^= net->random << 13;
    net->random ^= net->random >> 7;
    net->random ^= net->random << 17;

    return (net->random >> 16) % n;
}


static ngx_uint_t
net_before(const net_event_t *a, const net_event_t *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}


static void
net_post(net_t *net, net_event_t *event, int64_t at)
{
    ngx_uint_t    i;
    net_event_t  *heap;

    if (net->nheap == net->size) {
        net->size = net->size ? net->size * 2 : 1024;
        net->heap = realloc(net->heap, net->size * sizeof(net_event_t));
    }

    heap = net->heap;

    event->at = at;
    event->order = net->order++;

    for (i = net->nheap++; i && net_before(event, &heap[(i - 1) / 2]);
         i = (i - 1) / 2)
    {
        heap[i] = heap[(i - 1) / 2];
    }

    heap[i] = *event;
}


static net_event_t
net_take(net_t *net)
{
    ngx_uint_t    child, i;
    net_event_t   event, last, *heap;

    heap = net->heap;
    event = heap[0];
    last = heap[--net->nheap];

    for (i = 0; /* void */ ; i = child) {
        child = 2 * i + 1;

        if (child + 1 < net->nheap
            && net_before(&heap[child + 1], &heap[child]))
        {
            child++;
        }

        if (child >= net->nheap || !net_before(&heap[child], &last)) {
            break;
        }

        heap[i] = heap[child];
    }

    heap[i] = last;

    return event;
}


/* one way: loses it, or lets it arrive, once or twice */

static void
net_way(net_t *net, net_event_t *event)
{
    int64_t            delay, *last;
    u_char            *body;
    ngx_uint_t         copies;
    const net_conf_t  *conf;

    conf = net->conf;
    body = event->body;
    copies = (net_random(net, 1000) < conf->duplicate) ? 2 : 1;

    if (net->now < net->bad || net_random(net, 1000) < conf->loss) {
        copies = 0;
    }

    while (copies--) {
        delay = conf->rtt * MS / 2;

        if (net_random(net, 1000) < conf->reorder) {
            delay += (int64_t) net_random(net, conf->late * MS);

        } else if (conf->jitter) {
            delay += (int64_t) net_random(net, conf->jitter);

            last = &net->order_at[event->what == NET_CONTROL];
            delay = ngx_max(delay, *last - net->now);
            *last = net->now + delay;
        }

        if (body) {
            event->body = malloc(event->len);
            memcpy(event->body, body, event->len);
        }

        net_post(net, event, net->now + delay);
    }

    event->body = body;
}


static void
net_send(net_t *net, uint64_t n, ngx_uint_t rexmit)
{
    net_event_t  event;

    memset(&event, 0, sizeof(event));

    event.what = NET_DATA;
    event.from = n;
    event.rexmit = rexmit;

    if (rexmit) {
        net->last[n] = net->now;
        net->resent++;
    }

    net_way(net, &event);
}


static void
net_refuse(net_t *net, uint64_t from, uint64_t to)
{
    net_event_t  event;

    memset(&event, 0, sizeof(event));

    event.what = NET_DROPREQ;
    event.from = from;
    event.to = to;

    net->refused++;
    net_way(net, &event);
}


static void
net_fill(net_t *net)
{
    while (net->sent < net->made && net->sent - net->acked < net->window) {
        net_send(net, net->sent++, 0);
    }
}


static uint64_t
net_number(net_t *net, uint32_t seq)
{
    return net->acked
           + ngx_media_srt_seq_diff(seq,
                                    (net->conf->isn + net->acked)
                                    & NGX_MEDIA_SRT_SEQ_MAX);
}


static void
net_asked(net_t *net, net_event_t *event)
{
    int64_t           age, most;
    uint32_t          seq[2];
    uint64_t          n, to;
    ngx_media_span_t  list;

    list.pos = event->body;
    list.last = event->body + event->len;

    most = ngx_max((int64_t) net->conf->latency * MS, SECOND) + 20 * MS;

    while (ngx_media_srt_nak_next(&list, &seq[0], &seq[1]) == NGX_OK) {

        n = net_number(net, seq[0]);
        to = net_number(net, seq[1]);

        if ((int64_t) (to - net->sent) >= 0) {
            srt_wrong(&net->srt, "the sender is asked for what it never sent");
            return;
        }

        for ( /* void */ ; (int64_t) (to - n) >= 0; n++) {

            if ((int64_t) (n - net->acked) < 0) {
                continue;
            }

            age = net->now - (int64_t) n * INTERVAL;

            if (age > most) {
                net_refuse(net, n, n);

            } else if (net->last[n] == 0
                       || net->now - net->last[n]
                          > net->rtt - 4 * net->rtt_var)
            {
                net_send(net, n, 1);
            }
        }
    }
}


static void
net_told(net_t *net, net_event_t *event)
{
    uint64_t             n;
    net_event_t          answer;
    ngx_media_srt_ack_t  ack;

    if (event->type == NGX_MEDIA_SRT_NAK) {
        net_asked(net, event);
        return;
    }

    (void) ngx_media_srt_ack_parse(&ack, event->body,
                                   event->body + event->len);

    n = net_number(net, ack.seq);

    if ((int64_t) (n - net->sent) > 0) {
        srt_wrong(&net->srt, "an ACK of what was never sent");
        return;
    }

    if ((int64_t) (n - net->acked) >= 0) {
        net->acked = n;
        net->window = ack.buffer;
    }

    if (ack.rtt != 100000 || ack.rttvar != 50000) {
        net->rtt = ack.rtt;
        net->rtt_var = ack.rttvar;
    }

    memset(&answer, 0, sizeof(answer));

    answer.what = NET_ACKACK;
    answer.info = event->info;

    net_way(net, &answer);

    net_fill(net);
}


/* the receiver says something */

static void
net_control(srt_t *srt, ngx_uint_t type, uint32_t info, const u_char *body,
    size_t len)
{
    net_t        *net = srt->data;
    net_event_t   event;

    memset(&event, 0, sizeof(event));

    event.what = NET_CONTROL;
    event.type = type;
    event.info = info;
    event.body = (u_char *) body;
    event.len = len;

    net_way(net, &event);
}


/* one timer of 5 ms, which is armed while the receiver wants to be called */

static void
net_tick(net_t *net)
{
    ngx_msec_t   wait;
    net_event_t  event;

    wait = srt_tick(&net->srt, net->now);

    if (wait == NGX_MEDIA_SRT_RX_NEVER || net->timer) {
        return;
    }

    memset(&event, 0, sizeof(event));

    event.what = NET_TIMER;
    net->timer = net->now + 5 * MS;

    net_post(net, &event, net->timer);
}


static void
net_event(net_t *net, net_event_t *event)
{
    uint32_t  isn;
    srt_t    *srt;

    srt = &net->srt;
    isn = net->conf->isn;

    switch (event->what) {

    case NET_ORIGIN:

        if (net_random(net, 10000) < net->conf->burst) {
            net->bad = net->now + (10 + net_random(net, 71)) * MS;
        }

        net->made++;
        net_fill(net);

        if (net->made < PACKETS) {
            net_post(net, event, (int64_t) net->made * INTERVAL);
        }

        return;

    case NET_DATA:
        (void) srt_data(srt, event->from,
                        (int64_t) net->conf->stamp
                        + (int64_t) event->from * INTERVAL, event->rexmit);
        break;

    case NET_DROPREQ:
        ngx_media_srt_rx_dropreq(srt->rx,
                                 (isn + event->from) & NGX_MEDIA_SRT_SEQ_MAX,
                                 (isn + event->to) & NGX_MEDIA_SRT_SEQ_MAX);
        break;

    case NET_ACKACK:
        ngx_media_srt_rx_ackack(srt->rx, event->info, net->now);
        break;

    case NET_CONTROL:
        net_told(net, event);
        return;

    case NET_TIMER:
        net->timer = 0;
        break;
    }

    net_tick(net);
}


static void
run(const net_conf_t *conf, uint64_t seed)
{
    uint64_t                 tail;
    net_event_t              event;
    ngx_media_srt_rx_conf_t  rx;

    static net_t  net;

    memset(&net, 0, sizeof(net));
    memset(&rx, 0, sizeof(rx));

    net.conf = conf;
    net.random = seed * 0x9e3779b97f4a7c15;
    net.window = 8192;
    net.rtt = 100 * MS;
    net.rtt_var = 50 * MS;

    net.srt.data = &net;
    net.srt.send = net_control;

    rx.isn = conf->isn;
    rx.latency = conf->latency;
    rx.early = conf->early;
    rx.rexmit = 1;

    srt_begin(&net.srt, &rx);

    memset(&event, 0, sizeof(event));
    net_post(&net, &event, 0);

    /* until the sender has forgotten all of it */

    while (net.nheap) {
        event = net_take(&net);

        if (event.at > (int64_t) PACKETS * INTERVAL + 5 * SECOND) {
            free(event.body);
            continue;
        }

        net.now = event.at;
        net.srt.now = event.at;

        net_event(&net, &event);

        free(event.body);

        if (net.now % 97 == 0) {
            srt_check(&net.srt);
        }
    }

    srt_stat(&net.srt);
    srt_check(&net.srt);

    /*
     * Nobody knows of the very last ones, if they are lost.  One that comes
     * after its time is handed on at once, as long as what came behind it is
     * not due: a gap is as long as a burst.
     */

    tail = PACKETS - net.srt.next;

    ok(net.srt.stat.drop <= conf->most && tail <= 50
       && net.srt.handed + net.srt.gap == net.srt.next
       && net.srt.waited <= 10 * MS,
       "%s, seed %d: %d of %d too late", conf->name, (int) seed,
       (int) net.srt.stat.drop, (int) net.srt.next);

    diag("%s: loss:%d retrans:%d duplicate:%d belated:%d nak:%d for:%d "
         "ack:%d refused:%d late:%d us waited:%d us", conf->name,
         (int) net.srt.stat.loss, (int) net.srt.stat.retrans,
         (int) net.srt.stat.duplicate, (int) net.srt.stat.belated,
         (int) net.srt.stat.nak, (int) net.srt.nak_packets,
         (int) net.srt.stat.ack, (int) net.refused, (int) net.srt.late,
         (int) net.srt.waited);

    srt_end(&net.srt);

    ok(net.srt.wrong == NULL, "%s: %s", conf->name,
       net.srt.wrong ? net.srt.wrong : "sound");

    free(net.heap);
}


int
main(int argc, char **argv)
{
    ngx_uint_t  i, seed, seeds;

    /* more seeds: on the command line */

    seeds = (argc > 1) ? (ngx_uint_t) atoi(argv[1]) : 2;

    for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {

        for (seed = 1; seed <= seeds; seed++) {
            run(&nets[i], seed);
        }
    }

    return done();
}
