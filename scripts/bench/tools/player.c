
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Viewers of live streams by RTMP, or by FLV over HTTP/1.1, from one process,
 * at so little cost of their own that a server can be measured beside them:
 * messages are parsed, and their bytes are not kept.
 *
 *     player [-p PORT] [-c VIEWERS] [-n STREAMS] [-f FIRST] [-r RAMP]
 *            [-d SECONDS] [-w PATH] [-s] [-l LOG] rtmp APP/NAME
 *     player ... flv PATH
 *
 * Viewer i plays stream FIRST + i % STREAMS, whose number stands for "%d" in
 * NAME or PATH.  RAMP is the time in ms from one viewer to the next one.  -w
 * asks for a path without a body first, so that the server has accepted the
 * connection; RTMP does so by its handshake.  When all are connected "ready"
 * is printed, and with -s SIGUSR1 is waited for before they ask to play.
 * "playing" is printed when each has had a key frame.  SECONDS after that, or
 * on SIGTERM, or when no connection is left, it ends, and prints:
 *
 *     viewers N playing N closed N
 *     video N min N max N keys N audio N headers N data N bytes N
 *     lost N broken N again N unkeyed N back N
 *     late_us n N p50 T p95 T p99 T max T
 *     first_us n N p50 T p95 T p99 T max T
 *     cpu_ms T
 *
 * min and max are frames of video of one viewer.  lost: frames that are missing
 * between others, by the numbers that publish -m gives them; broken: such gaps
 * that a frame follows which is no key frame; again: numbers that do not grow;
 * unkeyed: frames before the first key frame; back: messages with a stamp below
 * that of the one before of the same type.  late: from the publisher's write to
 * the last byte here, of frames that were sent after the viewer had asked;
 * first: from asking to the first key frame.  After SIGUSR2 the second line and
 * late are counted anew.  The exit status is 0 if all were playing in the end.
 *
 * LOG gets a line for each video frame: viewer, number, stamp in ms, 1 for a
 * key frame, and CLOCK_MONOTONIC times in ns of its sending and arrival; number
 * and sending are 0 where the frame has no mark.
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
#include <time.h>
#include <unistd.h>

#include "mark.h"
#include "tool.h"


#define PLAYER_IN      65536
#define PLAYER_HEAD    1024             /* kept of a message */
#define PLAYER_ANSWER  4096             /* of HTTP, and RTMP's S0, S1, S2 */
#define PLAYER_CHUNKS  8                /* chunk streams of a connection */

#define RTMP_CHUNK_SIZE   1
#define RTMP_ABORT        2
#define RTMP_USER         4
#define RTMP_WINDOW       5
#define RTMP_AUDIO        8
#define RTMP_VIDEO        9
#define RTMP_DATA         18
#define RTMP_COMMAND      20


typedef enum {
    st_idle = 0,
    st_handshake,                       /* RTMP */
    st_connect,
    st_create,
    st_warm,                            /* HTTP: the first path's answer */
    st_head,
    st_ready,
    st_play,                            /* asked, RTMP or body of FLV */
    st_closed
} state_e;


/* a message on its way: of a chunk stream, or a tag of FLV */

typedef struct {
    uint32_t     csid;
    uint32_t     stamp;                 /* ms */
    uint32_t     delta;
    uint32_t     len;
    uint32_t     got;
    int          type;
    int          extended;
    uint8_t      head[PLAYER_HEAD];
} message_t;


typedef struct {
    int          fd;
    state_e      state;
    int          index;

    uint8_t     *answer;                /* PLAYER_ANSWER while connecting */
    size_t       nanswer;

    message_t   *messages;              /* PLAYER_CHUNKS, FLV: 1 */
    size_t       nmessages;
    message_t   *message;               /* whose payload is being read */
    size_t       left;                  /* of the payload in this chunk */
    uint8_t      hdr[20];               /* of a chunk or a tag */
    size_t       nhdr;

    uint32_t     id;                    /* of RTMP's message stream */
    uint32_t     chunk;
    uint32_t     window;
    uint64_t     received, acked;

    int          chunked;               /* HTTP's transfer encoding */
    int          size_state;
    int64_t      rest;                  /* of a chunk, or -1: to the end */
    int          started;               /* FLV's header has been seen */

    uint64_t     asked;                 /* ns */
    uint64_t     first;                 /* ns: to the first key frame */
    uint64_t     video, audio, keys, headers, data, bytes;
    uint64_t     lost, broken, again, unkeyed, back;
    uint32_t     stamps[2];             /* of audio, of video */
    int          stamped[2];
    uint32_t     number;
    int          numbered;
} player_t;


static player_t    *players;
static size_t       nplayers = 1, nstreams = 1, nready, nasked, nfirst, nclosed;
static int          port = 1935, first, held, flv, ep;
static double       ramp = 1, seconds = -1;
static const char  *app, *name, *warm;
static FILE        *logfile;
static uint32_t    *late;               /* us */
static size_t       nlate, late_size;
static uint8_t      in[PLAYER_IN];
static volatile sig_atomic_t  stop, go, anew;


static void
player_close(player_t *v, const char *why)
{
    fprintf(stderr, "player: viewer %d: %s\n", v->index, why);

    close(v->fd);
    v->fd = -1;
    v->state = st_closed;
    nclosed++;
}


static void
player_write(player_t *v, const void *p, size_t len)
{
    if (write(v->fd, p, len) != (ssize_t) len) {
        player_close(v, "cannot write");
    }
}


/* what has come */

static void
late_add(uint64_t ns)
{
    if (nlate == late_size) {
        late_size = late_size ? late_size * 2 : 65536;
        late = realloc(late, late_size * sizeof(uint32_t));

        if (late == NULL) {
            die("realloc");
        }
    }

    late[nlate++] = ns / 1000 < UINT32_MAX ? ns / 1000 : UINT32_MAX;
}


/* 1: the frame carries a number, and a time */

static int
mark_read(message_t *m, uint32_t *number, uint64_t *sent)
{
    char     text[MARK_DIGITS + 1], *p;
    size_t   n;

    n = m->len < PLAYER_HEAD ? m->len : PLAYER_HEAD;
    n = n < MARK_PREFIX + 3 ? n : MARK_PREFIX + 3;

    p = memmem(m->head, n, MARK_HEAD, MARK_HEAD_LEN);

    if (p == NULL
        || (char *) m->head + n - p < MARK_HEAD_LEN + MARK_DIGITS)
    {
        return 0;
    }

    memcpy(text, p + MARK_HEAD_LEN, MARK_DIGITS);
    text[MARK_DIGITS] = '\0';

    *sent = strtoull(text + 8, NULL, 16);
    text[8] = '\0';
    *number = strtoul(text, NULL, 16);

    return 1;
}


static void
player_frame(player_t *v, message_t *m, int key, uint64_t now)
{
    uint32_t  number = 0;
    uint64_t  sent = 0;

    v->video++;
    v->keys += key;

    if (key && v->first == 0) {
        v->first = now - v->asked;
        nfirst++;
    }

    if (v->first == 0) {
        v->unkeyed++;
    }

    if (mark_read(m, &number, &sent)) {

        if (v->numbered && number > v->number + 1) {
            v->lost += number - v->number - 1;
            v->broken += !key;

        } else if (v->numbered && number <= v->number) {
            v->again++;
        }

        v->number = number;
        v->numbered = 1;

        if (sent >= v->asked && now >= sent) {
            late_add(now - sent);
        }
    }

    if (logfile) {
        fprintf(logfile, "%d %u %u %d %llu %llu\n", v->index, number, m->stamp,
                key, (unsigned long long) sent, (unsigned long long) now);
    }
}


static void
player_media(player_t *v, message_t *m, uint64_t now)
{
    int       video, packet;
    uint8_t  *p;

    video = m->type == RTMP_VIDEO;
    p = m->head;

    if (m->len < 2) {
        return;
    }

    v->bytes += m->len;

    if (v->stamped[video] && (int32_t) (m->stamp - v->stamps[video]) < 0) {
        v->back++;

        fprintf(stderr, "player: viewer %d: %s %llu: stamp %u after %u\n",
                v->index, video ? "video" : "audio",
                (unsigned long long) (video ? v->video : v->audio),
                m->stamp, v->stamps[video]);
    }

    v->stamps[video] = m->stamp;
    v->stamped[video] = 1;

    if (!video) {

        /* AAC, or a sequence of Enhanced RTMP */

        if ((p[0] >> 4 == 10 && p[1] == 0) || p[0] == 0x90) {
            v->headers++;

        } else {
            v->audio++;
        }

        return;
    }

    /* Enhanced RTMP v1: 0 starts a sequence, 1 and 3 are frames */

    packet = p[0] & 0x80 ? p[0] & 0x0f
             : (p[0] & 0x0f) == 7 ? p[1] : 1;

    if (packet == 0) {
        v->headers++;

    } else if (packet == 1 || (p[0] & 0x80 && packet == 3)) {
        player_frame(v, m, (p[0] >> 4 & 7) == 1, now);
    }
}


/* RTMP: what is said */

static uint8_t *
amf_string(uint8_t *p, const char *text)
{
    size_t  n;

    n = strlen(text);

    p[0] = 2;
    p[1] = n >> 8;
    p[2] = n;
    memcpy(p + 3, text, n);

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
    size_t  n;

    n = strlen(key);

    *p++ = n >> 8;
    *p++ = n;
    memcpy(p, key, n);

    return amf_string(p + n, value);
}


static void
rtmp_send(player_t *v, int csid, int type, uint32_t id, uint8_t *buf,
    size_t len)
{
    memset(buf, 0, 12);
    buf[0] = csid;
    put_be24(buf + 4, len);
    buf[7] = type;
    buf[8] = id;

    player_write(v, buf, 12 + len);
}


static void
rtmp_number(player_t *v, int type, uint32_t value)
{
    uint8_t  buf[16];

    buf[12] = value >> 24;
    put_be24(buf + 13, value);

    rtmp_send(v, 2, type, 0, buf, 4);
}


static void
rtmp_connect(player_t *v)
{
    char     url[512];
    uint8_t  buf[2048], *p;

    rtmp_number(v, RTMP_CHUNK_SIZE, 4096);

    snprintf(url, sizeof(url), "rtmp://127.0.0.1:%d/%s", port, app);

    p = amf_string(buf + 12, "connect");
    p = amf_number(p, 1);
    *p++ = 3;
    p = amf_property(p, "app", app);
    p = amf_property(p, "flashVer", "LNX 9,0,124,2");
    p = amf_property(p, "tcUrl", url);
    *p++ = 0;
    *p++ = 0;
    *p++ = 9;

    rtmp_send(v, 3, RTMP_COMMAND, 0, buf, p - buf - 12);
    v->state = st_connect;
}


static void
rtmp_create(player_t *v)
{
    uint8_t  buf[128], *p;

    p = amf_string(buf + 12, "createStream");
    p = amf_number(p, 2);
    *p++ = 5;

    rtmp_send(v, 3, RTMP_COMMAND, 0, buf, p - buf - 12);
    v->state = st_create;
}


static void
rtmp_play(player_t *v, const char *stream)
{
    uint8_t  buf[1024], *p;

    p = amf_string(buf + 12, "play");
    p = amf_number(p, 3);
    *p++ = 5;
    p = amf_string(p, stream);
    p = amf_number(p, -2000);

    rtmp_send(v, 8, RTMP_COMMAND, v->id, buf, p - buf - 12);

    /* the length of a buffer, as all of them say */

    p = buf + 12;
    memset(p, 0, 10);
    p[1] = 3;
    p[5] = v->id;
    p[8] = 3000 >> 8;
    p[9] = 3000 & 0xff;

    if (v->fd != -1) {
        rtmp_send(v, 2, RTMP_USER, 0, buf, 10);
    }
}


static void
player_ready(player_t *v)
{
    v->state = st_ready;
    nready++;
}


static void
rtmp_command(player_t *v, message_t *m)
{
    char      why[PLAYER_HEAD + 64];
    size_t    i, n;
    double    id;
    uint8_t  *p;
    uint64_t  bits;

    n = m->len < PLAYER_HEAD ? m->len : PLAYER_HEAD;

    if (memmem(m->head, n, "\x02\0\x05" "error", 8)
        || memmem(m->head, n, "\x02\0\x06_error", 9))
    {
        for (i = 0; i < n; i++) {
            why[i] = m->head[i] < ' ' || m->head[i] > '~' ? '.' : m->head[i];
        }

        why[n] = '\0';
        player_close(v, why);
        return;
    }

    if (v->state == st_connect
        && memmem(m->head, n, "NetConnection.Connect.Success", 29))
    {
        rtmp_create(v);
        return;
    }

    if (v->state == st_create) {
        p = memmem(m->head, n, "_result\0\x40\0\0\0\0\0\0\0\x05\0", 18);

        if (p == NULL || m->head + n - p < 26) {
            return;
        }

        for (bits = 0, i = 18; i < 26; i++) {
            bits = bits << 8 | p[i];
        }

        memcpy(&id, &bits, 8);
        v->id = (uint32_t) id;
        player_ready(v);
    }
}


static void
rtmp_message(player_t *v, message_t *m, uint64_t now)
{
    size_t   i;
    uint8_t  pong[18];

    switch (m->type) {

    case RTMP_AUDIO:
    case RTMP_VIDEO:
        player_media(v, m, now);
        return;

    case RTMP_DATA:
        v->data++;
        return;

    case RTMP_COMMAND:
        rtmp_command(v, m);
        return;

    case RTMP_CHUNK_SIZE:
        v->chunk = get_be32(m->head) & 0x7fffffff;

        if (v->chunk == 0) {
            player_close(v, "a chunk size of 0");
        }

        return;

    case RTMP_WINDOW:
        v->window = get_be32(m->head);
        return;

    case RTMP_ABORT:
        for (i = 0; i < v->nmessages; i++) {
            if (v->messages[i].csid == get_be32(m->head)) {
                v->messages[i].got = 0;
            }
        }
        return;

    case RTMP_USER:
        if (m->len == 6 && m->head[0] == 0 && m->head[1] == 6) {
            memcpy(pong + 12, m->head, 6);
            pong[13] = 7;
            rtmp_send(v, 2, RTMP_USER, 0, pong, 6);
        }
        return;

    default:
        return;
    }
}


/* RTMP: chunks */

static message_t *
rtmp_chunk_stream(player_t *v, uint32_t csid)
{
    size_t      i;
    message_t  *m;

    for (i = 0; i < v->nmessages; i++) {
        if (v->messages[i].csid == csid) {
            return &v->messages[i];
        }
    }

    if (v->nmessages == PLAYER_CHUNKS) {
        return NULL;
    }

    m = &v->messages[v->nmessages++];
    memset(m, 0, sizeof(message_t));
    m->csid = csid;

    return m;
}


/* bytes of a header that begins with these, as far as they tell */

static size_t
rtmp_header_size(player_t *v)
{
    int               form;
    size_t            n, basic;
    message_t        *m;
    static const int  size[] = { 11, 7, 3, 0 };

    if (v->nhdr == 0) {
        return 1;
    }

    form = v->hdr[0] >> 6;
    n = v->hdr[0] & 0x3f;
    basic = n == 0 ? 2 : n == 1 ? 3 : 1;

    if (v->nhdr < basic) {
        return basic;
    }

    if (n < 2) {
        n = 64 + v->hdr[1] + (n == 1 ? v->hdr[2] << 8 : 0);
    }

    m = rtmp_chunk_stream(v, n);

    if (m == NULL) {
        player_close(v, "too many chunk streams");
        return 0;
    }

    v->message = m;
    n = basic + size[form];

    if (v->nhdr < n) {
        return n;
    }

    /* 5.3.1.3: of a type 3 chunk, where the last header had one */

    if (form < 3) {
        m->extended = get_be24(v->hdr + basic) == 0xffffff;
    }

    return n + (m->extended ? 4 : 0);
}


static void
rtmp_header(player_t *v)
{
    int         form;
    size_t      basic;
    uint32_t    stamp;
    message_t  *m;

    m = v->message;
    form = v->hdr[0] >> 6;
    basic = (v->hdr[0] & 0x3f) == 0 ? 2 : (v->hdr[0] & 0x3f) == 1 ? 3 : 1;

    stamp = m->extended ? get_be32(v->hdr + v->nhdr - 4)
            : form < 3 ? get_be24(v->hdr + basic) : m->delta;

    if (m->got && form < 3) {
        player_close(v, "a header in the middle of a message");
        return;
    }

    if (form < 2) {
        m->len = get_be24(v->hdr + basic + 3);
        m->type = v->hdr[basic + 6];
    }

    /* 5.3.1.2.4: a message that begins with type 3 repeats the delta */

    if (m->got == 0) {
        m->stamp = form == 0 ? stamp : m->stamp + stamp;
        m->delta = stamp;
    }

    v->left = m->len - m->got < v->chunk ? m->len - m->got : v->chunk;
    v->nhdr = 0;
}


/* a piece of a payload; returns how much of it was the message's */

static size_t
message_take(player_t *v, const uint8_t *p, size_t n)
{
    size_t      keep, most;
    message_t  *m;

    m = v->message;
    n = n < v->left ? n : v->left;

    most = m->type == RTMP_VIDEO ? MARK_PREFIX + 3
           : m->type == RTMP_AUDIO ? 2 : PLAYER_HEAD;

    if (m->got < most) {
        keep = n < most - m->got ? n : most - m->got;
        memcpy(m->head + m->got, p, keep);
    }

    m->got += n;
    v->left -= n;

    return n;
}


/* 1: a header is complete */

static int
rtmp_header_read(player_t *v, const uint8_t **p, size_t *n)
{
    size_t  size, take;

    for ( ;; ) {
        size = rtmp_header_size(v);

        if (v->fd == -1) {
            return 0;
        }

        if (v->nhdr == size) {
            rtmp_header(v);
            return v->fd != -1;
        }

        if (*n == 0) {
            return 0;
        }

        take = size - v->nhdr < *n ? size - v->nhdr : *n;
        memcpy(v->hdr + v->nhdr, *p, take);

        v->nhdr += take;
        *p += take;
        *n -= take;
    }
}


static void
rtmp_parse(player_t *v, const uint8_t *p, size_t n, uint64_t now)
{
    size_t      size;
    message_t  *m;

    while (n && v->fd != -1) {

        if (v->left == 0 && !rtmp_header_read(v, &p, &n)) {
            return;
        }

        size = message_take(v, p, n);
        p += size;
        n -= size;
        m = v->message;

        if (v->left == 0 && m->got == m->len) {
            m->got = 0;
            rtmp_message(v, m, now);
        }
    }
}


static void
rtmp_read(player_t *v, const uint8_t *p, size_t n, uint64_t now)
{
    size_t  take;

    v->received += n;

    if (v->state == st_handshake) {
        take = 3073 - v->nanswer < n ? 3073 - v->nanswer : n;
        memcpy(v->answer + v->nanswer, p, take);
        v->nanswer += take;

        if (v->nanswer < 3073) {
            return;
        }

        player_write(v, v->answer + 1, 1536);

        if (v->fd != -1) {
            rtmp_connect(v);
        }

        p += take;
        n -= take;
    }

    rtmp_parse(v, p, n, now);

    if (v->fd != -1 && v->window
        && v->received - v->acked >= v->window / 2)
    {
        v->acked = v->received;
        rtmp_number(v, 3, v->received);
    }
}


/* FLV over HTTP */

static void
http_get(player_t *v, const char *path)
{
    int   n;
    char  buf[1024];

    n = snprintf(buf, sizeof(buf),
                 "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

    v->nanswer = 0;
    player_write(v, buf, n);
}


static void
flv_header(player_t *v)
{
    message_t  *m;

    m = v->message = v->messages;

    if (!v->started) {

        if (memcmp(v->hdr, "FLV\x01", 4) != 0) {
            player_close(v, "no FLV");
            return;
        }

        v->started = 1;

    } else if (get_be32(v->hdr) != (m->len ? m->len + 11 : 0)) {
        player_close(v, "a wrong size of the tag before");
        return;

    } else {
        m->type = v->hdr[4] & 0x1f;
        m->len = get_be24(v->hdr + 5);
        m->stamp = get_be24(v->hdr + 8) | (uint32_t) v->hdr[11] << 24;
        m->got = 0;
        v->left = m->len;
    }

    v->nhdr = 0;
}


/* the size of the tag before is read with the header of a tag */

static void
flv_parse(player_t *v, const uint8_t *p, size_t n, uint64_t now)
{
    size_t      size, need;
    message_t  *m;

    while (n && v->fd != -1) {

        if (v->left == 0) {
            need = v->started ? 15 : 9;
            size = need - v->nhdr < n ? need - v->nhdr : n;
            memcpy(v->hdr + v->nhdr, p, size);
            v->nhdr += size;
            p += size;
            n -= size;

            if (v->nhdr == need) {
                flv_header(v);
            }

            continue;
        }

        size = message_take(v, p, n);
        p += size;
        n -= size;
        m = v->message;

        if (v->left == 0) {

            if (m->type == RTMP_AUDIO || m->type == RTMP_VIDEO) {
                player_media(v, m, now);

            } else {
                v->data++;
            }
        }
    }
}


/* size_state: 0 digits, 1 the rest of their line, 2 the CRLF behind the data */

static void
http_body(player_t *v, const uint8_t *p, size_t n, uint64_t now)
{
    int     c;
    size_t  size;

    while (n && v->fd != -1) {

        if (v->rest) {
            size = v->rest > 0 && (uint64_t) v->rest < n ? (size_t) v->rest : n;
            flv_parse(v, p, size, now);
            p += size;
            n -= size;

            if (v->rest > 0) {
                v->rest -= size;
                v->size_state = 2;
                v->nanswer = 0;
            }

            if (v->rest == 0 && !v->chunked && v->fd != -1) {
                player_close(v, "the end of the body");
            }

            continue;
        }

        c = *p++;
        n--;

        if (v->size_state == 2) {
            v->size_state = c == '\n' ? 0 : 2;

        } else if (c == '\n') {
            v->answer[v->nanswer] = '\0';
            v->rest = strtoll((char *) v->answer, NULL, 16);

            if (v->rest <= 0) {
                player_close(v, "the end of the body");
            }

        } else if (v->nanswer < 16) {
            v->answer[v->nanswer++] = c;
        }
    }
}


static void
http_answer(player_t *v)
{
    char  *head, *p;

    head = (char *) v->answer;

    if (v->state == st_warm) {
        player_ready(v);
        return;
    }

    if (atoi(head + 9) != 200) {
        head[strcspn(head, "\r")] = '\0';
        player_close(v, head);
        return;
    }

    p = strcasestr(head, "\r\nContent-Length:");

    v->chunked = strcasestr(head, "\r\nTransfer-Encoding: chunked") != NULL;
    v->rest = v->chunked ? 0 : p ? atoll(p + 17) : -1;
    v->size_state = 0;
    v->nanswer = 0;
    v->state = st_play;
}


static void
http_read(player_t *v, const uint8_t *p, size_t n, uint64_t now)
{
    char    *end;
    size_t   take;

    if (v->state == st_warm || v->state == st_head) {
        take = PLAYER_ANSWER - 1 - v->nanswer;
        take = take < n ? take : n;

        memcpy(v->answer + v->nanswer, p, take);
        v->answer[v->nanswer + take] = '\0';

        end = strstr((char *) v->answer, "\r\n\r\n");

        if (end == NULL) {
            v->nanswer += take;

            if (v->nanswer == PLAYER_ANSWER - 1) {
                player_close(v, "a long head");
            }

            return;
        }

        end[2] = '\0';
        take = end + 4 - (char *) v->answer - v->nanswer;
        p += take;
        n -= take;

        http_answer(v);
    }

    if (v->state == st_play) {
        http_body(v, p, n, now);
    }
}


/* connections */

static void
player_open(player_t *v)
{
    int                 one = 1;
    uint8_t             c0c1[1537];
    struct sockaddr_in  sin;
    struct epoll_event  ee;

    v->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (v->fd == -1) {
        die("socket");
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (connect(v->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
        die("connect");
    }

    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    v->answer = malloc(PLAYER_ANSWER);
    v->messages = calloc(flv ? 1 : PLAYER_CHUNKS, sizeof(message_t));
    v->chunk = 128;

    if (v->answer == NULL || v->messages == NULL
        || fcntl(v->fd, F_SETFL, O_NONBLOCK) != 0)
    {
        die("a viewer");
    }

    ee.events = EPOLLIN;
    ee.data.ptr = v;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, v->fd, &ee) != 0) {
        die("epoll_ctl");
    }

    if (!flv) {
        memset(c0c1, 0, sizeof(c0c1));
        c0c1[0] = 3;
        v->state = st_handshake;
        player_write(v, c0c1, sizeof(c0c1));

    } else if (warm) {
        v->state = st_warm;
        http_get(v, warm);

    } else {
        player_ready(v);
    }
}


static void
player_ask(player_t *v)
{
    char        text[512];
    int         stream;
    const char *p;

    stream = first + v->index % nstreams;
    p = strstr(name, "%d");

    if (p) {
        snprintf(text, sizeof(text), "%.*s%d%s", (int) (p - name), name, stream,
                 p + 2);

    } else {
        snprintf(text, sizeof(text), "%s", name);
    }

    v->asked = now_ns();
    nasked++;

    if (flv) {
        v->state = st_head;
        http_get(v, text);

    } else {
        v->state = st_play;
        rtmp_play(v, text);
    }
}


static void
player_read(player_t *v)
{
    ssize_t   n;
    uint64_t  now;

    n = read(v->fd, in, PLAYER_IN);

    if (n < 0 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        player_close(v, n ? strerror(errno) : "closed by the server");
        return;
    }

    now = now_ns();

    if (flv) {
        http_read(v, in, n, now);

    } else {
        rtmp_read(v, in, n, now);
    }
}


static void
count_anew(void)
{
    size_t     i;
    player_t  *v;

    nlate = 0;

    for (i = 0; i < nplayers; i++) {
        v = &players[i];

        v->video = 0;
        v->keys = 0;
        v->audio = 0;
        v->headers = 0;
        v->data = 0;
        v->bytes = 0;
    }
}


/* connects one and asks for one each RAMP; returns the ms until the next */

static int
players_start(void)
{
    uint64_t         now;
    static int       said;
    static size_t    opened;
    static uint64_t  next_open, next_ask;

    now = now_ns();

    if (opened < nplayers && now >= next_open) {
        player_open(&players[opened++]);
        next_open = now + (uint64_t) (ramp * 1e6);
    }

    if (!said && nready + nclosed >= nplayers) {
        said = 1;
        printf("ready\n");
    }

    /* the next one in turn, when it is there */

    while (nasked < nplayers && nasked < opened && now >= next_ask
           && (!held || (said && go)))
    {
        if (players[nasked].state == st_closed) {
            nasked++;
            continue;
        }

        if (players[nasked].state != st_ready) {
            break;
        }

        player_ask(&players[nasked]);
        next_ask = now + (uint64_t) (ramp * 1e6);
    }

    return nasked < nplayers ? 1 : 50;
}


static int
run(void)
{
    int                 i, n, timeout, playing = 0;
    size_t              before;
    player_t           *v;
    uint64_t            end = UINT64_MAX;
    struct epoll_event  events[512];

    while (!stop && now_ns() < end) {
        timeout = players_start();

        if (anew) {
            anew = 0;
            count_anew();
        }

        n = epoll_wait(ep, events, 512, timeout);
        before = nclosed;

        for (i = 0; i < n; i++) {
            v = events[i].data.ptr;

            if (v->fd != -1) {
                player_read(v);
            }
        }

        if (!playing && nfirst >= nplayers) {
            playing = 1;
            printf("playing\n");

            if (seconds >= 0) {
                end = now_ns() + (uint64_t) (seconds * 1e9);
            }
        }

        if (nclosed != before && nclosed == nplayers) {
            break;
        }
    }

    return nclosed || nfirst < nplayers;
}


/* what was seen */

static int
u32_cmp(const void *one, const void *two)
{
    uint32_t  a = *(const uint32_t *) one, b = *(const uint32_t *) two;

    return a < b ? -1 : a > b;
}


static void
say_times(const char *what, uint32_t *times, size_t n)
{
    size_t               i;
    static const double  q[] = { .5, .95, .99, 1 };
    static const char   *names[] = { "p50", "p95", "p99", "max" };

    printf("%s n %zu", what, n);

    if (n) {
        qsort(times, n, sizeof(uint32_t), u32_cmp);
    }

    for (i = 0; n && i < 4; i++) {
        size_t  rank = (size_t) (q[i] * n + .999999);

        printf(" %s %u", names[i], times[(rank ? rank : 1) - 1]);
    }

    printf("\n");
}


static void
say(void)
{
    size_t         i, n = 0;
    uint32_t      *firsts;
    player_t      *v, sum;
    uint64_t       low = UINT64_MAX, high = 0;
    struct rusage  ru;

    firsts = malloc(nplayers * sizeof(uint32_t));

    if (firsts == NULL) {
        die("malloc");
    }

    memset(&sum, 0, sizeof(player_t));

    for (i = 0; i < nplayers; i++) {
        v = &players[i];

        sum.video += v->video;
        sum.keys += v->keys;
        sum.audio += v->audio;
        sum.headers += v->headers;
        sum.data += v->data;
        sum.bytes += v->bytes;
        sum.lost += v->lost;
        sum.broken += v->broken;
        sum.again += v->again;
        sum.unkeyed += v->unkeyed;
        sum.back += v->back;

        low = v->video < low ? v->video : low;
        high = v->video > high ? v->video : high;

        if (v->first) {
            firsts[n++] = v->first / 1000;
        }
    }

#define N(x)  (unsigned long long) (x)

    printf("viewers %zu playing %zu closed %zu\n", nplayers, nfirst, nclosed);
    printf("video %llu min %llu max %llu keys %llu audio %llu headers %llu"
           " data %llu bytes %llu\n", N(sum.video), N(low), N(high),
           N(sum.keys), N(sum.audio), N(sum.headers), N(sum.data),
           N(sum.bytes));
    printf("lost %llu broken %llu again %llu unkeyed %llu back %llu\n",
           N(sum.lost), N(sum.broken), N(sum.again), N(sum.unkeyed),
           N(sum.back));

    say_times("late_us", late, nlate);
    say_times("first_us", firsts, n);
    free(firsts);

    getrusage(RUSAGE_SELF, &ru);

    printf("cpu_ms %ld\n",
           ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000
           + ru.ru_stime.tv_sec * 1000 + ru.ru_stime.tv_usec / 1000);
}


static void
on_signal(int signo)
{
    if (signo == SIGUSR1) {
        go = 1;

    } else if (signo == SIGUSR2) {
        anew = 1;

    } else {
        stop = 1;
    }
}


static int
usage(void)
{
    fprintf(stderr, "usage: player [options] rtmp APP/NAME | flv PATH\n");
    return 2;
}


int
main(int argc, char **argv)
{
    int            c, rc;
    char          *slash;
    size_t         i;
    struct rlimit  limit;

    while ((c = getopt(argc, argv, "p:c:n:f:r:d:w:sl:")) != -1) {
        switch (c) {
        case 'p': port = atoi(optarg); break;
        case 'c': nplayers = atoi(optarg); break;
        case 'n': nstreams = atoi(optarg); break;
        case 'f': first = atoi(optarg); break;
        case 'r': ramp = atof(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'w': warm = optarg; break;
        case 's': held = 1; break;
        case 'l': logfile = fopen(optarg, "w"); break;
        default: return usage();
        }
    }

    if (optind + 2 != argc || nplayers < 1 || nplayers > 100000
        || nstreams < 1)
    {
        return usage();
    }

    flv = strcmp(argv[optind], "flv") == 0;
    name = argv[optind + 1];

    if (!flv) {
        slash = strchr(argv[optind + 1], '/');

        if (slash == NULL || strcmp(argv[optind], "rtmp") != 0) {
            return usage();
        }

        *slash = '\0';
        app = name;
        name = slash + 1;
    }

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }

    players = calloc(nplayers, sizeof(player_t));
    ep = epoll_create1(0);

    if (players == NULL || ep == -1) {
        die("start");
    }

    for (i = 0; i < nplayers; i++) {
        players[i].index = i;
        players[i].fd = -1;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);

    rc = run();

    say();

    if (logfile) {
        fclose(logfile);
    }

    return rc;
}
