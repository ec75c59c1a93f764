
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Viewers at little cost of their own: keep-alive connections from one
 * process, bodies discarded in the kernel.
 *
 *     viewer [-p PORT] [-c CONNECTIONS] [-w PATH] [-b RCVBUF] MODE ...
 *
 *     wait PLAYLIST PARTS ROUNDS LOG
 *         All connections ask for the part that PLAYLIST hints at, again and
 *         again, ROUNDS times; a segment has PARTS parts.  LOG gets a line for
 *         each answer: number, part, status, bytes, and the CLOCK_MONOTONIC
 *         times in ns of the request, the answer's head and its end.
 *     reload PLAYLIST PARTS ROUNDS LOG
 *         The same with blocking reloads of the playlist.
 *     burst PATH ROUNDS LOG
 *         The same with a path that is there, 10 times a second.
 *     ask MS ROUNDS LOG PATH...
 *         Asks for the paths in turn, one of them each MS milliseconds, or as
 *         soon as the one before it has been answered, if MS is 0.  LOG gets a
 *         line for each answer: number of the path, status, bytes, and times.
 *     poll RATE SECONDS PATH...
 *         Asks for the paths in turn, RATE requests a second in all.
 *     stall PATH [BYTES]
 *         Each connection asks for PATH and reads a first piece, or so many
 *         bytes, not more.
 *     until PATH TEXT
 *         Polls PATH each ms until its body has TEXT; prints the time of the
 *         request and of the answer.
 *
 * With -w, each connection asks for that path first, so that the server has
 * accepted it.  Then "ready" is printed, and with -s SIGUSR1 is waited for.
 * Goes on SIGTERM.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"


#define VIEWER_HEAD  4096


typedef struct {
    int          fd;
    int          busy;
    int          status;
    int          in_body;
    int64_t      left;                  /* of the body */
    int64_t      length;
    uint64_t     sent, head, end;       /* ns */
    uint64_t     number, part;
    size_t       n;
    char         buf[VIEWER_HEAD];
} viewer_t;


static viewer_t   *viewers;
static size_t      nviewers = 1;
static int         port = 8080, rcvbuf, ep, held;
static const char *warm;
static char       *keep;                /* the body of the first one */
static size_t      nkeep, keep_size = 4 * 1024 * 1024;
static volatile sig_atomic_t  stop, go;


static void
viewer_open(viewer_t *v)
{
    int                 one = 1;
    struct sockaddr_in  sin;
    struct epoll_event  ee;

    v->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (v->fd == -1) {
        die("socket");
    }

    if (rcvbuf) {
        setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (connect(v->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
        die("connect");
    }

    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    ee.events = EPOLLIN;
    ee.data.ptr = v;

    if (fcntl(v->fd, F_SETFL, O_NONBLOCK) != 0
        || epoll_ctl(ep, EPOLL_CTL_ADD, v->fd, &ee) != 0)
    {
        die("a connection");
    }
}


static void
viewer_get(viewer_t *v, const char *path)
{
    int   n;
    char  buf[2048];

    n = snprintf(buf, sizeof(buf), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 path);

    v->busy = 1;
    v->in_body = 0;
    v->n = 0;
    v->sent = now_ns();

    if (write(v->fd, buf, n) != n) {
        die("a request");
    }
}


static void
viewer_head(viewer_t *v, char *end)
{
    char    *p;
    size_t   rest;

    *end = '\0';

    v->head = now_ns();
    v->status = atoi(v->buf + 9);
    v->left = 0;

    p = strcasestr(v->buf, "\r\nContent-Length:");

    if (p) {
        v->left = atoll(p + 17);

    } else if (strcasestr(v->buf, "\r\nTransfer-Encoding:")) {
        fprintf(stderr, "viewer: an answer without a length\n");
        exit(1);
    }

    v->length = v->left;
    v->in_body = 1;

    end += 4;
    rest = v->buf + v->n - end;

    if (v == viewers) {
        nkeep = 0;

        if (rest < keep_size) {
            memcpy(keep, end, rest);
            nkeep = rest;
        }
    }

    v->left -= rest;
}


/* 1: the answer is complete */

static int
viewer_read(viewer_t *v)
{
    char     *end;
    ssize_t   n;

    for ( ;; ) {

        if (v->in_body && v->left <= 0) {
            v->end = now_ns();
            v->busy = 0;
            return 1;
        }

        if (!v->in_body) {
            n = read(v->fd, v->buf + v->n, VIEWER_HEAD - 1 - v->n);

        } else if (v == viewers && nkeep + v->left < keep_size) {
            n = read(v->fd, keep + nkeep, v->left);

        } else {
            n = recv(v->fd, NULL, v->left, MSG_TRUNC);
        }

        if (n < 0 && errno == EAGAIN) {
            return 0;
        }

        if (n <= 0) {
            fprintf(stderr, "viewer: closed by the server\n");
            exit(1);
        }

        if (v->in_body) {
            nkeep += v == viewers ? n : 0;
            v->left -= n;
            continue;
        }

        v->n += n;
        v->buf[v->n] = '\0';
        end = strstr(v->buf, "\r\n\r\n");

        if (end) {
            viewer_head(v, end);

        } else if (v->n == VIEWER_HEAD - 1) {
            fprintf(stderr, "viewer: a long head\n");
            exit(1);
        }
    }
}


/* lets answers come, until one is complete or the time is up */

static viewer_t *
viewer_any(int timeout)
{
    int                        n;
    viewer_t                  *v;
    static int                 i, have;
    static struct epoll_event  events[512];

    for ( ;; ) {

        while (i < have) {
            v = events[i++].data.ptr;

            if (v->busy && viewer_read(v)) {
                return v;
            }
        }

        i = 0;
        have = 0;

        n = epoll_wait(ep, events, 512, timeout);

        if (n <= 0) {
            return NULL;
        }

        have = n;
    }
}


static viewer_t *
viewer_ask(const char *path)
{
    viewer_t  *v;

    viewer_get(viewers, path);

    while (viewers->busy) {
        v = viewer_any(10000);

        if (v == NULL) {
            fprintf(stderr, "viewer: no answer to %s\n", path);
            exit(1);
        }
    }

    viewers->n = 0;
    keep[nkeep] = '\0';

    return viewers;
}


/* waiting for parts; paths of parts are relative to the playlist's */

static int
mode_wait(int reload, const char *list, int parts, int rounds, FILE *out)
{
    char       path[1024], *p, *name;
    size_t     i, left;
    viewer_t  *v;
    unsigned long long  number, part;

    if (viewer_ask(list)->status != 200) {
        fprintf(stderr, "viewer: %s: %d\n", list, viewers->status);
        return 1;
    }

    p = strstr(keep, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
    name = p ? strchr(p + 35, '/') : NULL;

    if (name == NULL || sscanf(name, "/%llu.%llu.", &number, &part) != 2) {
        fprintf(stderr, "viewer: no hint in %s\n", list);
        return 1;
    }

    *name = '\0';
    name = strdup(p + 35);

    while (rounds-- && !stop) {

        if (reload) {
            snprintf(path, sizeof(path), "%s?_HLS_msn=%llu&_HLS_part=%llu",
                     list, number, part);

        } else {
            p = strrchr(list, '/');
            snprintf(path, sizeof(path), "%.*s/%s/%llu.%llu.m4s",
                     (int) (p - list), list, name, number, part);
        }

        for (i = 0; i < nviewers; i++) {
            viewer_get(&viewers[i], path);
        }

        for (left = nviewers; left; left--) {
            v = viewer_any(10000);

            if (v == NULL) {
                fprintf(stderr, "viewer: no answer to %s\n", path);
                return 1;
            }

            fprintf(out, "%llu %llu %d %lld %llu %llu %llu\n", number, part,
                    v->status, (long long) v->length,
                    (unsigned long long) v->sent, (unsigned long long) v->head,
                    (unsigned long long) v->end);
        }

        if (++part == (unsigned long long) parts) {
            part = 0;
            number++;
        }
    }

    fclose(out);

    return 0;
}


static int
mode_burst(const char *path, int rounds, FILE *out)
{
    size_t     i;
    uint64_t   start;
    viewer_t  *v;

    while (rounds-- && !stop) {
        start = now_ns();

        for (i = 0; i < nviewers; i++) {
            viewer_get(&viewers[i], path);
        }

        for (i = 0; i < nviewers; i++) {
            v = viewer_any(10000);

            if (v == NULL) {
                fprintf(stderr, "viewer: no answer to %s\n", path);
                return 1;
            }

            fprintf(out, "0 0 %d %lld %llu %llu %llu\n", v->status,
                    (long long) v->length, (unsigned long long) start,
                    (unsigned long long) v->head, (unsigned long long) v->end);
        }

        while (now_ns() - start < 100000000) {
            usleep(1000);
        }
    }

    fclose(out);

    return 0;
}


static int
mode_poll(double rate, double seconds, char **paths, int npaths)
{
    int        turn = 0, timeout;
    size_t     i, idle;
    uint64_t   start, now, due, bad = 0, ok = 0, bytes = 0;
    viewer_t  *v;

    start = now_ns();
    due = start;

    while (!stop) {
        now = now_ns();

        if (now - start > seconds * 1e9) {
            break;
        }

        for (idle = nviewers, i = 0; i < nviewers; i++) {
            if (!viewers[i].busy) {
                idle = i;
                break;
            }
        }

        if (now >= due && idle < nviewers) {
            viewer_get(&viewers[idle], paths[turn]);
            turn = (turn + 1) % npaths;
            due += (uint64_t) (1e9 / rate);
        }

        timeout = due > now ? (due - now + 999999) / 1000000 : 0;
        v = viewer_any(idle < nviewers ? timeout : 100);

        if (v && v->status == 200) {
            ok++;
            bytes += v->length;

        } else if (v) {
            bad++;
        }
    }

    printf("ok %llu bad %llu bytes %llu\n", (unsigned long long) ok,
           (unsigned long long) bad, (unsigned long long) bytes);

    return 0;
}


static int
mode_ask(int interval, int rounds, FILE *out, char **paths, int npaths)
{
    int        turn = 0, left = rounds, timeout;
    size_t     i;
    uint64_t   now, due = 0;
    viewer_t  *v;

    while (left && !stop) {
        now = now_ns();

        for (i = 0; i < nviewers && viewers[i].busy; i++) { /* void */ }

        timeout = 10000;

        if (rounds && i < nviewers && (interval || i == 0)) {

            if (now >= due) {
                viewers[i].number = turn;
                viewer_get(&viewers[i], paths[turn]);
                turn = (turn + 1) % npaths;
                due = (due ? due : now) + (uint64_t) interval * 1000000;
                rounds--;
            }

            timeout = due > now ? (due - now + 999999) / 1000000 : 0;
        }

        v = viewer_any(timeout);

        if (v) {
            fprintf(out, "%llu %d %lld %llu %llu %llu\n",
                    (unsigned long long) v->number, v->status,
                    (long long) v->length, (unsigned long long) v->sent,
                    (unsigned long long) v->head, (unsigned long long) v->end);
            left--;

        } else if (timeout == 10000) {
            fprintf(stderr, "viewer: no answer\n");
            return 1;
        }
    }

    fclose(out);

    return 0;
}


static int
mode_stall(const char *path, long bytes)
{
    char     buf[512];
    long     left;
    size_t   i;
    ssize_t  n;

    for (i = 0; i < nviewers; i++) {
        viewer_get(&viewers[i], path);
    }

    for (i = 0; i < nviewers; i++) {

        fcntl(viewers[i].fd, F_SETFL, 0);

        if (read(viewers[i].fd, buf, sizeof(buf)) < 12) {
            die("an answer");
        }

        if (memcmp(buf + 9, "200", 3) != 0) {
            fprintf(stderr, "viewer: %.12s\n", buf);
            return 1;
        }

        for (left = bytes; left > 0; left -= n) {
            n = recv(viewers[i].fd, NULL, left, MSG_TRUNC);

            if (n <= 0) {
                die("more of an answer");
            }
        }
    }

    printf("stalled\n");

    while (!stop) {
        usleep(10000);
    }

    return 0;
}


static int
mode_until(const char *path, const char *text)
{
    int  status = 0;

    while (!stop) {
        status = viewer_ask(path)->status;

        if (status == 200 && strstr(keep, text)) {
            break;
        }

        usleep(1000);
    }

    printf("%llu %llu\n", (unsigned long long) viewers->sent,
           (unsigned long long) viewers->end);

    return stop ? 1 : 0;
}


static void
on_signal(int signo)
{
    if (signo == SIGUSR1) {
        go = 1;

    } else {
        stop = 1;
    }
}


static int
usage(void)
{
    fprintf(stderr, "usage: viewer [options] wait|reload|ask|poll|stall|"
                    "until ...\n");
    return 2;
}


int
main(int argc, char **argv)
{
    int          c;
    FILE        *out;
    size_t       i;
    const char  *mode;

    while ((c = getopt(argc, argv, "+p:c:w:b:s")) != -1) {
        switch (c) {
        case 'p': port = atoi(optarg); break;
        case 'c': nviewers = atoi(optarg); break;
        case 'w': warm = optarg; break;
        case 'b': rcvbuf = atoi(optarg); break;
        case 's': held = 1; break;
        default: return usage();
        }
    }

    if (optind == argc || nviewers < 1 || nviewers > 10000) {
        return usage();
    }

    mode = argv[optind++];
    argc -= optind;
    argv += optind;

    viewers = calloc(nviewers, sizeof(viewer_t));
    keep = malloc(keep_size + 1);
    ep = epoll_create1(0);

    if (viewers == NULL || keep == NULL || ep == -1) {
        die("start");
    }

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGUSR1, on_signal);

    for (i = 0; i < nviewers; i++) {
        viewer_open(&viewers[i]);

        if (warm) {
            viewer_get(&viewers[i], warm);

            while (viewers[i].busy && viewer_any(10000)) { /* void */ }
        }
    }

    printf("ready\n");

    while (held && !go && !stop) {
        usleep(1000);
    }

    if ((strcmp(mode, "wait") == 0 || strcmp(mode, "reload") == 0)
        && argc == 4)
    {
        out = fopen(argv[3], "w");

        if (out == NULL) {
            die(argv[3]);
        }

        return mode_wait(mode[0] == 'r', argv[0], atoi(argv[1]),
                         atoi(argv[2]), out);
    }

    if (strcmp(mode, "burst") == 0 && argc == 3) {
        out = fopen(argv[2], "w");

        if (out == NULL) {
            die(argv[2]);
        }

        return mode_burst(argv[0], atoi(argv[1]), out);
    }

    if (strcmp(mode, "ask") == 0 && argc > 3) {
        out = fopen(argv[2], "w");

        if (out == NULL) {
            die(argv[2]);
        }

        return mode_ask(atoi(argv[0]), atoi(argv[1]), out, argv + 3,
                        argc - 3);
    }

    if (strcmp(mode, "poll") == 0 && argc > 2) {
        return mode_poll(atof(argv[0]), atof(argv[1]), argv + 2, argc - 2);
    }

    if (strcmp(mode, "stall") == 0 && (argc == 1 || argc == 2)) {
        return mode_stall(argv[0], argc == 2 ? atol(argv[1]) : 0);
    }

    if (strcmp(mode, "until") == 0 && argc == 2) {
        return mode_until(argv[0], argv[1]);
    }

    return usage();
}
