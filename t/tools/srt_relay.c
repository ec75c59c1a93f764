
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A bad network between an SRT caller and a listener, on the loopback, both
 * ways: delay, jitter, loss, bursts, reordering, duplicates.
 *
 *     srt_relay LISTEN TO [NAME=VALUE]...     ports of 127.0.0.1
 *
 *     seed=1         the same seed is the same network
 *     delay=100      ms, each way
 *     jitter=0       ms more, at most; order is kept
 *     loss=0         % of datagrams, each way
 *     burst=0        bursts a second, in which all is lost, both ways
 *     length=50      ms, of a burst
 *     reorder=0      % of datagrams that come later than those behind them
 *     late=20        ms, those, at most
 *     duplicate=0    % of datagrams that come twice
 *     quiet=1        s after the first datagram during which nothing is wrong
 *     packets=0      after so many data packets no more are let through
 *     seconds=3600   it ends by itself after so long
 *     idle=3600      or after so long without a datagram from a caller
 *
 * Each caller, address and port, has a socket of its own towards the listener.
 *
 * What becomes of a data packet that is sent for the first time depends on the
 * seed and on its place among those of its caller, and bursts on the seed and
 * on the time since the first one: two receivers that are held against each
 * other are to lose the same packets.
 *
 * "listening" is printed when it is, and at the end a line of NAME=VALUE of
 * what went through: each way all, lost, late, twice; data packets, those that
 * were sent once more; ACKs and NAKs of the listener.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define RELAY_CALLERS  1024
#define RELAY_SIZE     2048
#define RELAY_SECOND   1000000000ll           /* all times are ns */
#define RELAY_MS       1000000ll

#define relay_way(name)  (&relay_ways[name])


enum {
    RELAY_FORTH = 0,                          /* from the caller */
    RELAY_BACK
};


typedef struct {
    const char          *name;
    double               value;
} relay_option_t;


enum {
    SEED = 0, DELAY, JITTER, LOSS, BURST, LENGTH, REORDER, LATE, DUPLICATE,
    QUIET, PACKETS, SECONDS, IDLE
};


static relay_option_t  relay_options[] = {
    { "seed", 1 }, { "delay", 100 }, { "jitter", 0 }, { "loss", 0 },
    { "burst", 0 }, { "length", 50 }, { "reorder", 0 }, { "late", 20 },
    { "duplicate", 0 }, { "quiet", 1 }, { "packets", 0 }, { "seconds", 3600 },
    { "idle", 3600 }
};

#define RELAY_OPTIONS  (sizeof(relay_options) / sizeof(relay_options[0]))
#define relay_is(what)  (relay_options[what].value)


typedef struct {
    int                  fd;
    struct sockaddr_in   address;
    uint32_t             first;               /* number of a data packet */
    int                  any;
    uint64_t             others[2];           /* datagrams, each way */
    int64_t              last[2];             /* leave so late at least */
} relay_caller_t;


typedef struct {
    int64_t              at;
    uint64_t             order;
    size_t               len;
    uint16_t             caller;
    uint8_t              way;
    unsigned char        data[];
} relay_datagram_t;


typedef struct {
    uint64_t             all;
    uint64_t             lost;
    uint64_t             late;
    uint64_t             twice;
} relay_way_t;


static relay_caller_t      relay_callers[RELAY_CALLERS];
static unsigned            relay_ncallers;
static struct pollfd       relay_fds[RELAY_CALLERS + 1];

static relay_datagram_t  **relay_heap;
static size_t              relay_nheap, relay_size;
static uint64_t            relay_order;

static relay_way_t         relay_ways[2];
static uint64_t            relay_data, relay_resent, relay_acks, relay_naks;
static int64_t             relay_now, relay_first, relay_heard;

static struct sockaddr_in  relay_to;

static volatile sig_atomic_t  relay_ends;


static void
relay_die(const char *text)
{
    perror(text);
    exit(1);
}


static void
relay_signal(int signo)
{
    relay_ends = 1;
}


static int64_t
relay_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * RELAY_SECOND + ts.tv_nsec;
}


/* of 0 to 1, the same for the same three */

static double
relay_chance(uint64_t what, uint64_t a, uint64_t b)
{
    uint64_t  x;

    x = (uint64_t) relay_is(SEED) * 0x9e3779b97f4a7c15 + what;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 + a;
    x = (x ^ x >> 27) * 0x94d049bb133111eb + b;
    x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 30) * 0x94d049bb133111eb;
    x ^= x >> 31;

    return (double) (x >> 11) / 9007199254740992.0;
}


static int
relay_before(const relay_datagram_t *a, const relay_datagram_t *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}


static void
relay_put(relay_datagram_t *d)
{
    size_t  i;

    if (relay_nheap == relay_size) {
        relay_size = relay_size ? relay_size * 2 : 1024;
        relay_heap = realloc(relay_heap, relay_size * sizeof(*relay_heap));

        if (relay_heap == NULL) {
            relay_die("realloc");
        }
    }

    for (i = relay_nheap++; i && relay_before(d, relay_heap[(i - 1) / 2]);
         i = (i - 1) / 2)
    {
        relay_heap[i] = relay_heap[(i - 1) / 2];
    }

    relay_heap[i] = d;
}


static relay_datagram_t *
relay_take(void)
{
    size_t             child, i;
    relay_datagram_t  *first, *last;

    first = relay_heap[0];
    last = relay_heap[--relay_nheap];

    for (i = 0; /* void */ ; i = child) {
        child = 2 * i + 1;

        if (child + 1 < relay_nheap
            && relay_before(relay_heap[child + 1], relay_heap[child]))
        {
            child++;
        }

        if (child >= relay_nheap || !relay_before(relay_heap[child], last)) {
            break;
        }

        relay_heap[i] = relay_heap[child];
    }

    relay_heap[i] = last;

    return first;
}


static void
relay_queue(unsigned caller, int way, const unsigned char *data, size_t len,
    int64_t at)
{
    relay_datagram_t  *d;

    d = malloc(sizeof(relay_datagram_t) + len);
    if (d == NULL) {
        relay_die("malloc");
    }

    d->at = at;
    d->order = relay_order++;
    d->caller = caller;
    d->way = way;
    d->len = len;

    memcpy(d->data, data, len);
    relay_put(d);
}


/* whether now is in one of the bursts, of which one may begin each 10 ms */

static int
relay_burst(void)
{
    int64_t  slot, n;

    slot = (relay_now - relay_first) / (10 * RELAY_MS);

    for (n = 0; n * 10 < (int64_t) relay_is(LENGTH) && n <= slot; n++) {
        if (relay_chance(1, slot - n, 0) < relay_is(BURST) / 100) {
            return 1;
        }
    }

    return 0;
}


/* what is decided by: the place of a data packet, or how many others came */

static uint64_t
relay_place(relay_caller_t *caller, int way, const unsigned char *p,
    size_t len, uint64_t *kind)
{
    uint32_t  seq;

    *kind = 10 + way;

    if (way == RELAY_BACK) {
        relay_acks += len >= 16 && p[0] == 0x80 && p[1] == 2;
        relay_naks += len >= 16 && p[0] == 0x80 && p[1] == 3;

    } else if (len >= 16 && !(p[0] & 0x80)) {
        relay_data++;

        if (p[4] & 4) {
            relay_resent++;

        } else {
            seq = (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];

            if (!caller->any) {
                caller->any = 1;
                caller->first = seq;
            }

            *kind = 20;

            return (seq - caller->first) & 0x7fffffff;
        }
    }

    return caller->others[way]++;
}


static void
relay_came(unsigned n, int way, const unsigned char *data, size_t len)
{
    int              calm;
    int64_t          at;
    uint64_t         place, kind;
    relay_way_t     *w;
    relay_caller_t  *caller;

    caller = &relay_callers[n];
    w = relay_way(way);

    if (relay_first == 0) {
        relay_first = relay_now;
    }

    if (way == RELAY_FORTH) {
        relay_heard = relay_now;
    }

    w->all++;

    place = relay_place(caller, way, data, len, &kind);
    calm = relay_now - relay_first < relay_is(QUIET) * RELAY_SECOND;

    at = relay_now + (int64_t) (relay_is(DELAY) * RELAY_MS);

    if (calm) {
        relay_queue(n, way, data, len, at);
        return;
    }

    if (relay_burst()
        || relay_chance(kind, place, 1) < relay_is(LOSS) / 100
        || (relay_is(PACKETS) && relay_data > relay_is(PACKETS)
            && way == RELAY_FORTH))
    {
        w->lost++;
        return;
    }

    at += (int64_t) (relay_chance(kind, place, 2) * relay_is(JITTER)
                     * RELAY_MS);

    if (relay_chance(kind, place, 3) < relay_is(REORDER) / 100) {
        w->late++;
        at += (int64_t) (relay_chance(kind, place, 4) * relay_is(LATE)
                         * RELAY_MS);

    } else {
        at = (at < caller->last[way]) ? caller->last[way] : at;
        caller->last[way] = at;
    }

    relay_queue(n, way, data, len, at);

    if (relay_chance(kind, place, 5) < relay_is(DUPLICATE) / 100) {
        w->twice++;
        relay_queue(n, way, data, len,
                    at + (int64_t) (relay_chance(kind, place, 6) * RELAY_MS));
    }
}


static int
relay_socket(const struct sockaddr_in *local, const struct sockaddr_in *peer)
{
    int  fd, size;

    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    size = 4 * 1024 * 1024;

    if (fd == -1
        || (local && bind(fd, (struct sockaddr *) local, sizeof(*local)) == -1)
        || (peer && connect(fd, (struct sockaddr *) peer, sizeof(*peer))
                    == -1))
    {
        relay_die("socket");
    }

    (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

    return fd;
}


static unsigned
relay_caller(const struct sockaddr_in *address)
{
    unsigned         n;
    relay_caller_t  *caller;

    for (n = 0; n < relay_ncallers; n++) {
        if (relay_callers[n].address.sin_port == address->sin_port
            && relay_callers[n].address.sin_addr.s_addr
               == address->sin_addr.s_addr)
        {
            return n;
        }
    }

    if (relay_ncallers == RELAY_CALLERS) {
        fprintf(stderr, "too many callers\n");
        exit(1);
    }

    caller = &relay_callers[relay_ncallers];
    caller->address = *address;
    caller->fd = relay_socket(NULL, &relay_to);

    relay_fds[1 + relay_ncallers].fd = caller->fd;
    relay_fds[1 + relay_ncallers].events = POLLIN;

    return relay_ncallers++;
}


static void
relay_read(unsigned n)
{
    ssize_t             size;
    socklen_t           len;
    unsigned char       data[RELAY_SIZE];
    struct sockaddr_in  from;

    for ( ;; ) {
        len = sizeof(from);

        size = recvfrom(relay_fds[n].fd, data, RELAY_SIZE, 0,
                        (struct sockaddr *) &from, &len);

        if (size == -1) {
            /* nobody listens there, or that was all */
            return;
        }

        if (n == 0) {
            relay_came(relay_caller(&from), RELAY_FORTH, data, size);

        } else {
            relay_came(n - 1, RELAY_BACK, data, size);
        }
    }
}


static void
relay_write(void)
{
    relay_caller_t    *caller;
    relay_datagram_t  *d;

    while (relay_nheap && relay_heap[0]->at <= relay_now) {
        d = relay_take();
        caller = &relay_callers[d->caller];

        if (d->way == RELAY_FORTH) {
            (void) !send(caller->fd, d->data, d->len, 0);

        } else {
            (void) !sendto(relay_fds[0].fd, d->data, d->len, 0,
                           (struct sockaddr *) &caller->address,
                           sizeof(caller->address));
        }

        free(d);
    }
}


static void
relay_run(int64_t end)
{
    int64_t          wait;
    unsigned         n;
    struct timespec  ts;

    for ( ;; ) {
        relay_now = relay_clock();

        if (relay_ends
            || relay_now > end
            || relay_now - relay_heard > relay_is(IDLE) * RELAY_SECOND)
        {
            return;
        }

        relay_write();

        wait = relay_nheap ? relay_heap[0]->at - relay_now
                           : RELAY_SECOND / 10;
        wait = (wait < 0) ? 0 : wait;
        wait = (wait > RELAY_SECOND / 10) ? RELAY_SECOND / 10 : wait;

        ts.tv_sec = 0;
        ts.tv_nsec = wait;

        if (ppoll(relay_fds, 1 + relay_ncallers, &ts, NULL) <= 0) {
            continue;
        }

        relay_now = relay_clock();

        for (n = 0; n < 1 + relay_ncallers; n++) {
            if (relay_fds[n].revents) {
                relay_read(n);
            }
        }
    }
}


static void
relay_option(const char *text)
{
    size_t  i, len;
    char   *end;

    for (i = 0; i < RELAY_OPTIONS; i++) {
        len = strlen(relay_options[i].name);

        if (strncmp(text, relay_options[i].name, len) == 0
            && text[len] == '=')
        {
            relay_options[i].value = strtod(text + len + 1, &end);

            if (*end == '\0') {
                return;
            }
        }
    }

    fprintf(stderr, "invalid option \"%s\"\n", text);
    exit(2);
}


static void
relay_report(void)
{
    int           way;
    relay_way_t  *w;

    static const char *const  names[] = { "forth", "back" };

    for (way = 0; way < 2; way++) {
        w = relay_way(way);

        printf("%s=%llu %s_lost=%llu %s_late=%llu %s_twice=%llu ",
               names[way], (unsigned long long) w->all,
               names[way], (unsigned long long) w->lost,
               names[way], (unsigned long long) w->late,
               names[way], (unsigned long long) w->twice);
    }

    printf("data=%llu resent=%llu acks=%llu naks=%llu\n",
           (unsigned long long) relay_data, (unsigned long long) relay_resent,
           (unsigned long long) relay_acks, (unsigned long long) relay_naks);
}


int
main(int argc, char **argv)
{
    int                 i;
    struct sockaddr_in  local;

    if (argc < 3) {
        fprintf(stderr, "usage: srt_relay LISTEN TO [NAME=VALUE]...\n");
        return 2;
    }

    for (i = 3; i < argc; i++) {
        relay_option(argv[i]);
    }

    memset(&local, 0, sizeof(local));

    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    relay_to = local;
    relay_to.sin_port = htons(atoi(argv[2]));
    local.sin_port = htons(atoi(argv[1]));

    relay_fds[0].fd = relay_socket(&local, NULL);
    relay_fds[0].events = POLLIN;

    signal(SIGTERM, relay_signal);
    signal(SIGINT, relay_signal);

    printf("listening\n");
    fflush(stdout);

    relay_heard = relay_clock();
    relay_run(relay_heard + relay_is(SECONDS) * RELAY_SECOND);

    relay_report();

    return 0;
}
