
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Publishes one FLV file under many names in real time, from one process, at
 * so little cost of its own that a server can be measured beside it.
 *
 *     publish [-p PORT] [-n STREAMS] [-f FIRST] [-r RAMP] [-d SECONDS]
 *             [-c CHUNK] [-g FRAMES] [-l LOG] [-k] [-m] APP/NAME FILE
 *
 * Stream i of n is called NAMEi, i counted from FIRST; RAMP is the time in ms
 * from one publisher's connection to the next one's.  SECONDS after the last
 * of them has begun, all end by deleteStream, or with -k by closing; without
 * -d they go on until SIGTERM.  "ready" is printed when all are publishing.
 *
 * The file is looped: video frames at 30 fps and audio frames of 1024 samples
 * at 48 kHz are counted and get stamps by their number, so the file has to be
 * 16 seconds of both, 480 and 750 frames, to loop without a seam.  -g ends the
 * loop after so many video frames instead; the audio then has a seam.
 *
 * The file is cut into RTMP chunks once; a frame costs one writev().
 *
 * LOG gets a line for each video frame of the first stream, its number and the
 * CLOCK_MONOTONIC time in ns just before it was written.  With -m each frame,
 * which has to be AVC, carries both (mark.h): player tells how late it is.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"
#include "tool.h"


#define PUBLISH_FPS      30
#define PUBLISH_HERTZ    48000
#define PUBLISH_SAMPLES  1024
#define PUBLISH_IN       8192
#define PUBLISH_OUT      4096

#define PUBLISH_AUDIO    8
#define PUBLISH_VIDEO    9
#define PUBLISH_DATA     18
#define PUBLISH_COMMAND  20


/* a message of the file, already in chunks but for its first header */

typedef struct {
    int         type;
    uint32_t    stamp;
    uint32_t    len;                    /* of the payload */
    uint8_t    *body;
    size_t      size;                   /* of the body with its headers */
    size_t      mark;                   /* payload before its digits, or 0 */
    size_t      prefix;                 /* body up to the end of the mark */
} message_t;


typedef enum {
    st_idle = 0,
    st_handshake,
    st_connect,
    st_create,
    st_publish,
    st_live,
    st_closed
} state_e;


typedef struct {
    int         fd;
    state_e     state;
    int         index;
    uint32_t    id;                     /* of the message stream */
    uint64_t    start;                  /* ns: when the first frame was due */
    uint64_t    due;                    /* ns: when the next one is */
    uint64_t    frames;                 /* of video */
    size_t      next;                   /* message */
    uint32_t    base;                   /* ms: of this turn of the loop */
    uint8_t    *in;
    size_t      nin;
    uint8_t     head[12 + MARK_PREFIX + 1];
    struct iovec  iov[2];               /* what could not be written yet */
    int         polled;                 /* for writing */
} stream_t;


static message_t       *messages;
static size_t           nmessages, nheaders;
static uint32_t         loop_ms = 16000;
static unsigned         max_frames;

static stream_t        *streams;
static size_t           nstreams = 1;
static stream_t       **heap;           /* by due */
static size_t           nheap;

static const char      *app, *name;
static int              port = 1935, first, chunk = 4096, abrupt, marked;
static double           seconds = -1;
static unsigned         ramp = 20;
static FILE            *logfile;
static int              ep;
static uint64_t         bytes, late_max;
static volatile sig_atomic_t  stop;


/* a payload with the one-byte headers that stand between its chunks */

static void
message_add(int type, uint32_t stamp, const uint8_t *p, uint32_t len)
{
    int         csid;
    size_t      n;
    uint8_t    *q;
    message_t  *m;

    messages = realloc(messages, (nmessages + 1) * sizeof(message_t));
    m = &messages[nmessages++];

    csid = type == PUBLISH_VIDEO ? 6 : type == PUBLISH_AUDIO ? 4 : 5;

    m->type = type;
    m->stamp = stamp;
    m->len = len;
    m->size = 0;
    m->mark = 0;
    m->prefix = 0;
    m->body = malloc(len + len / chunk + 1);

    if (m->body == NULL) {
        die("malloc");
    }

    q = m->body;

    while (len) {
        n = len < (uint32_t) chunk ? len : (uint32_t) chunk;

        memcpy(q, p, n);
        p += n;
        q += n;
        len -= n;

        if (len) {
            *q++ = 0xc0 | csid;
        }
    }

    m->size = q - m->body;
}


static uint8_t *
file_read(const char *path, size_t *size)
{
    FILE     *f;
    uint8_t  *p;

    f = fopen(path, "rb");

    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        die(path);
    }

    *size = ftell(f);
    rewind(f);

    p = malloc(*size);

    if (p == NULL || fread(p, 1, *size, f) != *size) {
        die(path);
    }

    fclose(f);

    return p;
}


static int
message_cmp(const void *one, const void *two)
{
    const message_t *a = one, *b = two;

    if (a->stamp != b->stamp) {
        return a->stamp < b->stamp ? -1 : 1;
    }

    return b->type - a->type;
}


/* a frame with room for a mark in front of its NAL units, behind a delimiter */

static void
message_add_marked(uint32_t stamp, const uint8_t *p, uint32_t len)
{
    size_t      at, digits;
    uint8_t    *q;
    message_t  *m;

    if ((p[0] & 0x8f) != 7 || len < 5) {
        fprintf(stderr, "publish: only frames of AVC can be marked\n");
        exit(1);
    }

    at = len >= 11 && memcmp(p + 5, "\0\0\0\x02\x09", 5) == 0 ? 11 : 5;

    q = malloc(len + MARK_LEN);

    if (q == NULL) {
        die("malloc");
    }

    memcpy(q, p, at);
    memcpy(q + at, MARK_HEAD, MARK_HEAD_LEN);
    memset(q + at + MARK_HEAD_LEN, '0', MARK_DIGITS);
    q[at + MARK_LEN - 1] = 0x80;
    memcpy(q + at + MARK_LEN, p + at, len - at);

    message_add(PUBLISH_VIDEO, stamp, q, len + MARK_LEN);
    free(q);

    m = &messages[nmessages - 1];
    digits = at + MARK_HEAD_LEN;

    m->mark = digits;
    m->prefix = digits + MARK_DIGITS + (digits + MARK_DIGITS - 1) / chunk;
}


/* headers first; frames are numbered, and stamped by their number */

static void
file_load(const char *path)
{
    int             type;
    size_t          size, pass;
    uint8_t        *p, *last, *file;
    uint32_t        len, nvideo, naudio, stamp;
    static uint8_t  data[65536] = "\x02\x00\x0d@setDataFrame";

    file = file_read(path, &size);
    last = file + size;

    if (max_frames) {
        loop_ms = (uint64_t) max_frames * 1000 / PUBLISH_FPS;
    }

    for (pass = 0; pass < 2; pass++) {
        nvideo = 0;
        naudio = 0;

        for (p = file + 13; last - p >= 15; p += 11 + len + 4) {
            type = p[0] & 0x1f;
            len = p[1] << 16 | p[2] << 8 | p[3];

            if ((size_t) (last - p) < 15 + (size_t) len) {
                break;
            }

            if (type == PUBLISH_DATA) {
                if (pass == 0 && len < sizeof(data) - 16) {
                    memcpy(data + 16, p + 11, len);
                    message_add(type, 0, data, len + 16);
                }

            } else if (len > 1 && p[12] == 0) {
                if (pass == 0) {
                    message_add(type, 0, p + 11, len);
                }

            } else if (len > 1 && pass == 1) {
                stamp = type == PUBLISH_VIDEO
                        ? (nvideo++ * 1000 + PUBLISH_FPS / 2) / PUBLISH_FPS
                        : (uint64_t) naudio++ * 1000 * PUBLISH_SAMPLES
                          / PUBLISH_HERTZ;

                /* the end of a sequence is no frame */
                if (type == PUBLISH_VIDEO && p[12] != 1) {
                    nvideo--;
                    continue;
                }

                if (stamp >= loop_ms) {
                    continue;
                }

                if (marked && type == PUBLISH_VIDEO) {
                    message_add_marked(stamp, p + 11, len);

                } else {
                    message_add(type, stamp, p + 11, len);
                }
            }
        }

        if (pass == 0) {
            nheaders = nmessages;
        }
    }

    free(file);

    if (nmessages == nheaders) {
        fprintf(stderr, "publish: no frames in %s\n", path);
        exit(1);
    }

    qsort(messages + nheaders, nmessages - nheaders, sizeof(message_t),
          message_cmp);
}


/* the heap of streams by the time of their next frame */

static void
heap_down(size_t i)
{
    size_t     j;
    stream_t  *s;

    s = heap[i];

    for ( ;; ) {
        j = 2 * i + 1;

        if (j >= nheap) {
            break;
        }

        if (j + 1 < nheap && heap[j + 1]->due < heap[j]->due) {
            j++;
        }

        if (heap[j]->due >= s->due) {
            break;
        }

        heap[i] = heap[j];
        i = j;
    }

    heap[i] = s;
}


static void
heap_add(stream_t *s)
{
    size_t  i, j;

    for (i = nheap++; i; i = j) {
        j = (i - 1) / 2;

        if (heap[j]->due <= s->due) {
            break;
        }

        heap[i] = heap[j];
    }

    heap[i] = s;
}


static void
heap_remove_first(void)
{
    heap[0] = heap[--nheap];

    if (nheap) {
        heap_down(0);
    }
}


/* sockets */

static void
stream_close(stream_t *s, const char *why)
{
    if (why) {
        fprintf(stderr, "publish: %s%d: %s\n", name, s->index, why);
    }

    close(s->fd);
    s->fd = -1;
    s->state = st_closed;
}


static void
stream_poll(stream_t *s, int out)
{
    struct epoll_event  ee;

    ee.events = EPOLLIN | (out ? EPOLLOUT : 0);
    ee.data.ptr = s;

    if (epoll_ctl(ep, EPOLL_CTL_MOD, s->fd, &ee) != 0) {
        die("epoll_ctl");
    }

    s->polled = out;
}


/* 1: all of iov is written */

static int
stream_flush(stream_t *s)
{
    ssize_t  n;

    while (s->iov[0].iov_len || s->iov[1].iov_len) {
        n = writev(s->fd, s->iov, 2);

        if (n < 0) {
            if (errno == EAGAIN) {
                if (!s->polled) {
                    stream_poll(s, 1);
                }
                return 0;
            }

            stream_close(s, strerror(errno));
            return 0;
        }

        bytes += n;

        if ((size_t) n < s->iov[0].iov_len) {
            s->iov[0].iov_base = (char *) s->iov[0].iov_base + n;
            s->iov[0].iov_len -= n;
            continue;
        }

        n -= s->iov[0].iov_len;
        s->iov[0].iov_len = 0;
        s->iov[1].iov_base = (char *) s->iov[1].iov_base + n;
        s->iov[1].iov_len -= n;
    }

    if (s->polled) {
        stream_poll(s, 0);
    }

    return 1;
}


static void
stream_write(stream_t *s, const void *p, size_t len)
{
    if (write(s->fd, p, len) != (ssize_t) len) {
        stream_close(s, "cannot write a command");
    }
}


/* a command in one chunk of its own; the server is told a larger size first */

static uint8_t *
amf_string(uint8_t *p, const char *text, int i)
{
    int  n;

    n = i < 0 ? sprintf((char *) p + 3, "%s", text)
              : sprintf((char *) p + 3, "%s%d", text, i);

    p[0] = 2;
    p[1] = n >> 8;
    p[2] = n;

    return p + 3 + n;
}


static uint8_t *
amf_number(uint8_t *p, double value)
{
    int       i;
    uint64_t  n;

    memcpy(&n, &value, 8);

    *p++ = 0;

    for (i = 56; i >= 0; i -= 8) {
        *p++ = n >> i;
    }

    return p;
}


static uint8_t *
amf_property(uint8_t *p, const char *key, const char *value)
{
    uint8_t  *q;

    q = amf_string(p, key, -1);
    memmove(p, p + 1, q - p - 1);

    return amf_string(q - 1, value, -1);
}


static void
stream_command(stream_t *s, const char *command, double txn, const char *arg,
    const char *kind)
{
    char     url[512];
    uint8_t  buf[PUBLISH_OUT], *p;

    p = amf_string(buf + 12, command, -1);
    p = amf_number(p, txn);

    if (txn == 1) {
        snprintf(url, sizeof(url), "rtmp://127.0.0.1:%d/%s", port, app);

        *p++ = 3;
        p = amf_property(p, "app", app);
        p = amf_property(p, "type", "nonprivate");
        p = amf_property(p, "flashVer", "FMLE/3.0 (compatible; bench)");
        p = amf_property(p, "tcUrl", url);
        p[0] = 0; p[1] = 0; p[2] = 9;
        p += 3;

    } else {
        *p++ = 5;
    }

    if (arg) {
        p = amf_string(p, arg, s->index);
    }

    if (kind) {
        p = amf_string(p, kind, -1);
    }

    if (strcmp(command, "deleteStream") == 0) {
        p = amf_number(p, s->id);
    }

    memset(buf, 0, 12);
    buf[0] = kind ? 8 : 3;
    put_be24(buf + 4, p - buf - 12);
    buf[7] = PUBLISH_COMMAND;
    buf[8] = kind ? s->id : 0;

    stream_write(s, buf, p - buf);
}


static void
stream_open(stream_t *s)
{
    int                 one = 1;
    uint8_t             c0c1[1537];
    struct sockaddr_in  sin;
    struct epoll_event  ee;

    s->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (s->fd == -1) {
        die("socket");
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (connect(s->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
        die("connect");
    }

    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    memset(c0c1, 0, sizeof(c0c1));
    c0c1[0] = 3;
    c0c1[100] = s->index;

    stream_write(s, c0c1, sizeof(c0c1));

    s->state = st_handshake;
    s->in = malloc(PUBLISH_IN);
    s->nin = 0;

    if (s->in == NULL || fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0) {
        die("a stream");
    }

    ee.events = EPOLLIN;
    ee.data.ptr = s;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &ee) != 0) {
        die("epoll_ctl");
    }
}


/* answers are not parsed: what matters is found by its text */

static void
stream_answer(stream_t *s)
{
    double    id;
    uint8_t  *p, set[16];
    uint64_t  n;
    size_t    i;

    switch (s->state) {

    case st_handshake:

        if (s->nin < 3073) {
            return;
        }

        stream_write(s, s->in + 1, 1536);

        memset(set, 0, sizeof(set));
        set[0] = 2;
        set[6] = 4;
        set[7] = 1;
        set[12] = chunk >> 24;
        put_be24(set + 13, chunk & 0xffffff);

        stream_write(s, set, 16);
        stream_command(s, "connect", 1, NULL, NULL);
        s->state = st_connect;
        break;

    case st_connect:

        if (memmem(s->in, s->nin, "NetConnection.Connect.Success", 29)
            == NULL)
        {
            return;
        }

        stream_command(s, "releaseStream", 2, name, NULL);
        stream_command(s, "FCPublish", 3, name, NULL);
        stream_command(s, "createStream", 4, NULL, NULL);
        s->state = st_create;
        break;

    case st_create:

        p = memmem(s->in, s->nin, "_result\0\x40\x10\0\0\0\0\0\0\x05\0", 18);

        if (p == NULL || s->in + s->nin - p < 26) {
            return;
        }

        for (n = 0, i = 18; i < 26; i++) {
            n = n << 8 | p[i];
        }

        memcpy(&id, &n, 8);
        s->id = (uint32_t) id;

        stream_command(s, "publish", 5, name, "live");
        s->state = st_publish;
        break;

    case st_publish:

        if (memmem(s->in, s->nin, "NetStream.Publish.Start", 23) == NULL) {
            return;
        }

        s->start = now_ns();
        s->due = s->start;
        s->state = st_live;
        heap_add(s);
        break;

    default:
        return;
    }

    s->nin = 0;
}


static void
stream_read(stream_t *s)
{
    ssize_t  n;

    if (s->state == st_live) {
        n = recv(s->fd, NULL, 65536, MSG_TRUNC);

    } else {

        if (s->nin == PUBLISH_IN) {
            stream_close(s, "the answer is too long");
            return;
        }

        n = read(s->fd, s->in + s->nin, PUBLISH_IN - s->nin);
    }

    if (n < 0 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        stream_close(s, n ? strerror(errno) : "closed by the server");
        return;
    }

    if (s->state != st_live) {
        s->nin += n;
        stream_answer(s);
    }
}


/* the start of the body, which is the stream's own, with the mark in it */

static void
stream_mark(stream_t *s, message_t *m)
{
    int       i;
    char      text[MARK_DIGITS + 1];
    size_t    at;
    uint8_t  *p;

    p = s->head + 12;
    memcpy(p, m->body, m->prefix);

    snprintf(text, sizeof(text), "%08x%016llx", (unsigned) s->frames,
             (unsigned long long) now_ns());

    for (i = 0; i < MARK_DIGITS; i++) {
        at = m->mark + i;
        p[at + at / chunk] = text[i];
    }
}


/* the next message of a stream, and when the one after it is due */

static void
stream_send(stream_t *s, uint64_t now)
{
    uint8_t    *p;
    uint32_t    stamp;
    message_t  *m;

    if (s->iov[0].iov_len || s->iov[1].iov_len) {

        /* the server does not keep up: try again soon */

        s->due = now + 1000000;
        stream_flush(s);
        return;
    }

    if (now - s->due > late_max) {
        late_max = now - s->due;
    }

    m = &messages[s->next++];
    stamp = m->stamp + s->base;

    p = s->head;
    p[0] = m->type == PUBLISH_VIDEO ? 6 : m->type == PUBLISH_AUDIO ? 4 : 5;
    put_be24(p + 1, stamp);
    put_be24(p + 4, m->len);
    p[7] = m->type;
    p[8] = s->id;
    p[9] = s->id >> 8;
    p[10] = 0;
    p[11] = 0;

    s->iov[0].iov_base = p;
    s->iov[0].iov_len = 12 + m->prefix;
    s->iov[1].iov_base = m->body + m->prefix;
    s->iov[1].iov_len = m->size - m->prefix;

    if (m->mark) {
        stream_mark(s, m);
    }

    if (m->type == PUBLISH_VIDEO && s->next > nheaders) {

        if (logfile && s == streams) {
            fprintf(logfile, "%llu %llu\n", (unsigned long long) s->frames,
                    (unsigned long long) now_ns());
        }

        s->frames++;
    }

    stream_flush(s);

    if (s->next == nmessages) {
        s->next = nheaders;
        s->base += loop_ms;
    }

    if (s->next >= nheaders) {
        s->due = s->start
                 + ((uint64_t) messages[s->next].stamp + s->base) * 1000000;
    }
}


static void
on_signal(int signo)
{
    (void) signo;
    stop = 1;
}


static void
finish(void)
{
    size_t         i;
    stream_t      *s;
    struct rusage  ru;

    for (i = 0; i < nstreams; i++) {
        s = &streams[i];

        if (s->fd == -1) {
            continue;
        }

        /* not in the middle of a message */

        if (s->state == st_live && !abrupt
            && s->iov[0].iov_len == 0 && s->iov[1].iov_len == 0)
        {
            stream_command(s, "deleteStream", 6, NULL, NULL);
        }

        close(s->fd);
    }

    getrusage(RUSAGE_SELF, &ru);

    printf("bytes %llu late_ms %llu cpu_ms %ld\n",
           (unsigned long long) bytes,
           (unsigned long long) late_max / 1000000,
           ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000
           + ru.ru_stime.tv_sec * 1000 + ru.ru_stime.tv_usec / 1000);
}


static int
run(void)
{
    int                 i, n, timeout, ready = 0;
    size_t              opened = 0, live;
    int64_t             wait;
    uint64_t            now, next_open, end = UINT64_MAX;
    struct epoll_event  events[256];

    next_open = now_ns();

    while (!stop) {
        now = now_ns();

        if (now >= end) {
            break;
        }

        if (opened < nstreams && now >= next_open) {
            stream_open(&streams[opened++]);
            next_open += (uint64_t) ramp * 1000000;
        }

        while (nheap && heap[0]->due <= now) {

            if (heap[0]->state == st_live) {
                stream_send(heap[0], now);
            }

            if (heap[0]->state != st_live) {
                heap_remove_first();

            } else {
                heap_down(0);
            }
        }

        if (!ready && opened == nstreams) {

            for (live = 0; live < nstreams; live++) {
                if (streams[live].state < st_live) {
                    break;
                }
            }

            if (live == nstreams) {
                ready = 1;
                printf("ready %llu\n", (unsigned long long) streams[0].start);

                if (seconds >= 0) {
                    end = now + (uint64_t) (seconds * 1e9);
                }
            }
        }

        if (ready && nheap == 0) {
            fprintf(stderr, "publish: no connection is left\n");
            return 1;
        }

        wait = 50000000;
        now = now_ns();

        if (nheap && (int64_t) (heap[0]->due - now) < wait) {
            wait = heap[0]->due - now;
        }

        if (opened < nstreams && (int64_t) (next_open - now) < wait) {
            wait = next_open - now;
        }

        timeout = wait <= 0 ? 0 : (wait + 999999) / 1000000;

        n = epoll_wait(ep, events, 256, timeout);

        for (i = 0; i < n; i++) {
            stream_t  *s = events[i].data.ptr;

            if (s->fd != -1 && events[i].events & (EPOLLIN | EPOLLHUP)) {
                stream_read(s);
            }

            if (s->fd != -1 && events[i].events & EPOLLOUT) {
                stream_flush(s);
            }
        }
    }

    return 0;
}


int
main(int argc, char **argv)
{
    int     c, rc;
    char   *slash;
    size_t  i;

    while ((c = getopt(argc, argv, "p:n:f:r:d:c:g:l:km")) != -1) {
        switch (c) {
        case 'p': port = atoi(optarg); break;
        case 'n': nstreams = atoi(optarg); break;
        case 'f': first = atoi(optarg); break;
        case 'r': ramp = atoi(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'c': chunk = atoi(optarg); break;
        case 'g': max_frames = atoi(optarg); break;
        case 'l': logfile = fopen(optarg, "w"); break;
        case 'k': abrupt = 1; break;
        case 'm': marked = 1; break;
        default: return 2;
        }
    }

    slash = optind + 2 == argc ? strchr(argv[optind], '/') : NULL;

    if (slash == NULL || nstreams < 1 || nstreams > 10000 || chunk < 128) {
        fprintf(stderr, "usage: publish [options] APP/NAME FILE\n");
        return 2;
    }

    *slash = '\0';
    app = argv[optind];
    name = slash + 1;

    file_load(argv[optind + 1]);

    streams = calloc(nstreams, sizeof(stream_t));
    heap = calloc(nstreams, sizeof(stream_t *));
    ep = epoll_create1(0);

    if (streams == NULL || heap == NULL || ep == -1) {
        die("start");
    }

    for (i = 0; i < nstreams; i++) {
        streams[i].fd = -1;
        streams[i].index = first + i;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);

    rc = run();

    finish();

    if (logfile) {
        fclose(logfile);
    }

    return rc;
}
