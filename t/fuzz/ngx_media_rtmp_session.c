
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_rtmp_session.c ingest/ngx_media_rtmp_handshake.c
         ingest/ngx_media_rtmp_cmd.c ingest/ngx_media_rtmp_name.c
         ingest/ngx_media_rtmp_media.c ingest/ngx_media_rtmp_wait.c
         formats/ngx_media_rtmp_chunk.c formats/ngx_media_rtmp_msg.c
         formats/ngx_media_rtmp_hs.c formats/ngx_media_amf.c
         formats/ngx_media_flv.c formats/ngx_media_flv_tracks.c
         formats/ngx_media_lang.c formats/ngx_media_text.c -lcrypto */


/*
 * A whole RTMP session on a connection that is made up here: what it receives
 * is the input, what it sends is thrown away, and publish checks that it is
 * used as its header says.
 *
 *     byte 0    how much of a session precedes the input; rare events
 *     byte 1    bytes of one recv()
 *     byte 2    bytes of one send(), 0: the client does not read
 *
 * Access to a name that begins with "~" has to be waited for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_codec.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_rtmp.h"
#include "ingest/ngx_media_rtmp_session.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define PUBLISHERS  16
#define BLOCKS      256


struct ngx_media_publisher_s {
    ngx_media_publish_t  conf;
    u_char               name[NGX_MEDIA_NAME_MAX];
    size_t               len;
    int                  used;
    int                  waits;
    uint64_t             frames;
};


/* of nginx, as far as a session looks */

volatile ngx_msec_t    ngx_current_msec = 1000;
volatile ngx_cycle_t  *ngx_cycle;
ngx_rbtree_t           ngx_event_timer_rbtree;
ngx_queue_t            ngx_posted_events;
ngx_queue_t            ngx_posted_next_events;
ngx_uint_t             ngx_exiting;
sig_atomic_t           ngx_terminate;

static ngx_rbtree_node_t            sentinel;
static struct ngx_media_publisher_s publishers[PUBLISHERS];
static ngx_media_app_t              app = { .name = ngx_string("live") };
static void                        *blocks[BLOCKS];
static int                          nblocks;
static ngx_media_rtmp_session_t    *session;
static const uint8_t               *input, *input_end;
static size_t                       recv_size, send_size;
static int                          finalized, timers;

static const ngx_media_codec_t  codecs[] = {
    { .id = NGX_MEDIA_CODEC_H264, .type = NGX_MEDIA_VIDEO },
    { .id = NGX_MEDIA_CODEC_AAC, .type = NGX_MEDIA_AUDIO }
};


#define check(x)                                                              \
    if (!(x)) {                                                               \
        fprintf(stderr, "line %d: not %s\n", __LINE__, #x);                   \
        abort();                                                              \
    }


static void *
block(size_t size)
{
    check(nblocks < BLOCKS);

    return blocks[nblocks++] = malloc(size);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    return block(size);
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return block(size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = block(size);
    memset(p, 0, size);

    return p;
}


ngx_int_t
ngx_pfree(ngx_pool_t *pool, void *p)
{
    int  i;

    for (i = 0; i < nblocks; i++) {
        if (blocks[i] == p) {
            free(p);
            blocks[i] = NULL;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return malloc(size ? size : 1);
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    u_char  buf[2048];

    check(level >= NGX_LOG_INFO);

    if (log->handler) {
        (void) log->handler(log, buf, sizeof(buf));
    }
}


u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    while (len--) {
        *dst++ = *src >> 4;
        *dst++ = *src++ & 15;
    }

    return dst;
}


u_char *
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    check(buf <= last);

    return buf;
}


ngx_int_t
ngx_connection_error(ngx_connection_t *c, ngx_err_t err, char *text)
{
    return 0;
}


void
ngx_reusable_connection(ngx_connection_t *c, ngx_uint_t reusable)
{
    c->reusable = reusable;
}


ngx_int_t
ngx_handle_read_event(ngx_event_t *rev, ngx_uint_t flags)
{
    return NGX_OK;
}


ngx_int_t
ngx_handle_write_event(ngx_event_t *wev, size_t lowat)
{
    return NGX_OK;
}


void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    timers++;
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    timers--;
}


/* of the core */

ngx_media_app_t *
ngx_media_app_find(ngx_cycle_t *cycle, ngx_str_t *name)
{
    return (name->len == 4 && memcmp(name->data, "live", 4) == 0) ? &app
                                                                  : NULL;
}


const ngx_media_codec_t *
ngx_media_codec_entry(ngx_uint_t i)
{
    return i < 2 ? &codecs[i] : NULL;
}


ngx_media_publish_e
ngx_media_publish_begin(const ngx_media_publish_t *conf,
    ngx_media_publisher_t **publisher, const char **reason)
{
    int                     i;
    ngx_media_publisher_t  *p;

    check(conf->app == &app);
    check(conf->connection == session->connection);
    check(conf->args.len <= NGX_MEDIA_RTMP_ARGS * 2 + 1);
    check(conf->args.len == 0 || conf->args.data != NULL);

    *reason = "a reason";
    check(conf->name.len > 0 && conf->name.len <= NGX_MEDIA_NAME_MAX);
    check(memchr(conf->name.data, '?', conf->name.len) == NULL);

    for (i = 0; i < PUBLISHERS && publishers[i].used; i++) { /* void */ }

    check(i < PUBLISHERS);

    if (conf->name.data[0] == '!') {
        return NGX_MEDIA_PUBLISH_NOMEM
               + conf->name.len % (NGX_MEDIA_PUBLISH_ANSWERS
                                   - NGX_MEDIA_PUBLISH_NOMEM);
    }

    p = &publishers[i];

    p->conf = *conf;
    p->len = conf->name.len;
    memcpy(p->name, conf->name.data, p->len);
    p->used = 1;
    p->waits = (p->name[0] == '~');
    p->frames = 0;

    *publisher = p;

    return p->waits ? NGX_MEDIA_PUBLISH_WAIT : NGX_MEDIA_PUBLISH_OK;
}


const char *
ngx_media_publish_sentence(ngx_media_publish_e rc)
{
    check(rc < NGX_MEDIA_PUBLISH_ANSWERS);

    return "a sentence";
}


void
ngx_media_publish_refused(ngx_media_app_t *refused)
{
    check(refused == &app);
}


void
ngx_media_publish_refuse_name(ngx_media_app_t *refused,
    const ngx_str_t *protocol, const ngx_str_t *name, ngx_log_t *log)
{
    check(refused == &app);
    check(protocol->len == 4);
    check(name->len == 0
          || memchr(name->data, '?', name->len) == NULL);
}


void
ngx_media_publish_announce(ngx_media_publisher_t *p,
    const ngx_media_announce_t *announce)
{
    check(p->used && !p->waits);
    check(announce->video || announce->audio);
}


void
ngx_media_publish_describe(ngx_media_publisher_t *p, ngx_uint_t type,
    ngx_uint_t id, const ngx_media_attributes_t *attributes)
{
    check(p->used && !p->waits);
    check(type <= NGX_MEDIA_AUDIO && id <= 255);
    check(memchr(attributes->lang, 0, NGX_MEDIA_LANG) != NULL);
    check(memchr(attributes->label, 0, NGX_MEDIA_LABEL) != NULL);
}


static uint8_t
touch(const ngx_media_publish_frame_t *frame)
{
    uint8_t        sum;
    const u_char  *p;

    check(frame->pos <= frame->last);
    check(frame->type == NGX_MEDIA_VIDEO || frame->type == NGX_MEDIA_AUDIO);
    check(frame->nsec < 1000000 && frame->stamp <= 0xffffffff);

    sum = 0;

    for (p = frame->pos; p < frame->last; p++) {
        sum += *p;
    }

    return sum;
}


ngx_media_publish_e
ngx_media_publish_ignore(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored)
{
    check(p->used && !p->waits);
    check(ignored->kind < NGX_MEDIA_IGNORED_KINDS);
    check(ignored->type <= NGX_MEDIA_TEXT);
    check(ignored->pos <= ignored->last);
    check(ignored->name == NULL || strlen(ignored->name) > 0);

    return ignored->last - ignored->pos == 77 ? NGX_MEDIA_PUBLISH_USELESS
                                              : NGX_MEDIA_PUBLISH_DATA;
}


ngx_media_publish_e
ngx_media_publish_track(ngx_media_publisher_t *p,
    const ngx_media_publish_frame_t *config)
{
    check(p->used && !p->waits);

    switch (touch(config) & 15) {

    case 0:
        return NGX_MEDIA_PUBLISH_NOMEM;

    case 1:
        return NGX_MEDIA_PUBLISH_LOST;

    case 2:
        return NGX_MEDIA_PUBLISH_USELESS;

    case 3:
        return NGX_MEDIA_PUBLISH_UNKNOWN;

    default:
        return NGX_MEDIA_PUBLISH_OK;
    }
}


ngx_media_publish_e
ngx_media_publish_frame(ngx_media_publisher_t *p,
    const ngx_media_publish_frame_t *frame)
{
    check(p->used && !p->waits);

    p->frames++;

    switch (touch(frame)) {

    case 0x55:
        return NGX_MEDIA_PUBLISH_NOMEM;

    case 0x66:
        return NGX_MEDIA_PUBLISH_LOST;

    case 0x77:
        return NGX_MEDIA_PUBLISH_MALFORMED;

    default:
        return NGX_MEDIA_PUBLISH_OK;
    }
}


void
ngx_media_publish_end(ngx_media_publisher_t *p, const char *reason)
{
    check(p->used);
    check(reason != NULL && strlen(reason) > 0);

    p->used = 0;
}


/* the connection */

static ssize_t
fake_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n;

    check(!finalized);
    check(session->waiting == NULL);

    if (input == input_end) {
        c->read->ready = 0;
        return NGX_AGAIN;
    }

    n = ngx_min((size_t) (input_end - input), ngx_min(size, recv_size));

    memcpy(buf, input, n);
    input += n;

    return n;
}


static ssize_t
fake_send(ngx_connection_t *c, u_char *buf, size_t size)
{
    check(!finalized);
    check(size <= NGX_MEDIA_RTMP_OUT);

    return send_size ? (ssize_t) ngx_min(size, send_size) : NGX_AGAIN;
}


static void
finalize(void *data, ngx_uint_t status)
{
    int  i;

    check(!finalized);
    check(status == 200 || status == 400 || status == 403 || status == 500);

    finalized = 1;

    check(session->in_flight == 0);
    check(session->publishers == 0);
    check(timers == 0);

    for (i = 0; i < PUBLISHERS; i++) {
        check(!publishers[i].used);
    }
}


static u_char *
log_handler(ngx_log_t *log, u_char *buf, size_t len)
{
    return session ? ngx_media_rtmp_session_log(session, buf, len) : buf;
}


/* who waits is answered, by what came until then */

static void
answer(void)
{
    int                     i, n;
    ngx_media_publish_e     rc;
    ngx_media_publisher_t  *p;

    static const ngx_media_publish_e  answers[] = {
        NGX_MEDIA_PUBLISH_OK, NGX_MEDIA_PUBLISH_DENIED,
        NGX_MEDIA_PUBLISH_OK, NGX_MEDIA_PUBLISH_CLOSING,
        NGX_MEDIA_PUBLISH_NOMEM
    };

    if (finalized || session->waiting == NULL) {
        return;
    }

    rc = answers[session->received % 5];
    p = NULL;
    n = 0;

    for (i = 0; i < PUBLISHERS; i++) {
        if (publishers[i].used && publishers[i].waits) {
            p = &publishers[i];
            n++;
        }
    }

    check(n == 1);

    p->waits = 0;
    p->used = (rc == NGX_MEDIA_PUBLISH_OK);

    p->conf.ready(p->conf.data, rc, "an answer");
}


/* wait: what is waited for is answered when there is more to read */

static void
feed(const uint8_t *data, size_t size, int wait)
{
    ngx_event_t  *rev;

    if (finalized) {
        return;
    }

    rev = session->connection->read;

    input = data;
    input_end = data + size;

    do {
        rev->ready = 1;
        ngx_media_rtmp_session_read(session);

        if (!finalized && session->waiting) {

            if (!wait) {
                break;
            }

            answer();
        }

    } while (!finalized && input < input_end);
}


static size_t
prelude(u_char *buf, int stage)
{
    u_char                         *p;
    size_t                          i;
    ngx_media_rtmp_chunk_header_t   header;

    static const struct {
        uint32_t     stream;
        const char  *body;
        size_t       len;
    } commands[] = {

#define command(stream, literal)  { stream, literal, sizeof(literal) - 1 }

        command(0, "\2\0\7connect\0\x3f\xf0\0\0\0\0\0\0"
                   "\3\0\3app\2\0\4live\0\6capsEx\0\x3f\xf0\0\0\0\0\0\0"
                   "\0\0\11"),
        command(0, "\2\0\14createStream\0\x40\0\0\0\0\0\0\0\5"),
        command(1, "\2\0\7publish\0\x40\x08\0\0\0\0\0\0\5\2\0\1x"),
        command(0, "\2\0\14createStream\0\x40\0\0\0\0\0\0\0\5"),
        command(2, "\2\0\7publish\0\x40\x08\0\0\0\0\0\0\5\2\0\1y")
    };

    p = buf;
    *p++ = 3;
    memset(p, 0, 3072);
    p += 3072;

    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {

        if ((int) i >= stage) {
            break;
        }

        header.csid = 3;
        header.timestamp = 0;
        header.type = NGX_MEDIA_RTMP_COMMAND;
        header.stream = commands[i].stream;

        p += ngx_media_rtmp_chunk_write(p, &header,
                                        (const u_char *) commands[i].body,
                                        commands[i].len, 128);
    }

    return p - buf;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     i, stage, events;
    size_t                  half;
    u_char                  buf[4096];
    ngx_log_t               log;
    ngx_event_t             rev, wev;
    ngx_connection_t        c;

    static ngx_media_rtmp_conf_t  conf = {
        ngx_null_string, 10000, 30000, 65536, 3, 4096, 2500000
    };

    if (size < 3) {
        return 0;
    }

    stage = data[0] & 7;
    events = data[0] >> 3;
    recv_size = 1 + data[1] * 4;
    send_size = data[2] * 16;
    data += 3;
    size -= 3;

    memset(&log, 0, sizeof(log));
    memset(&rev, 0, sizeof(rev));
    memset(&wev, 0, sizeof(wev));
    memset(&c, 0, sizeof(c));
    memset(publishers, 0, sizeof(publishers));

    log.log_level = NGX_LOG_INFO;
    log.handler = log_handler;
    c.log = &log;
    c.read = &rev;
    c.write = &wev;
    c.recv = fake_recv;
    c.send = fake_send;
    c.fd = (ngx_socket_t) -1;
    rev.data = &c;
    wev.data = &c;
    rev.log = &log;
    wev.log = &log;

    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_value);
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);

    finalized = 0;
    timers = 0;
    session = NULL;
    input = input_end = NULL;

    session = ngx_media_rtmp_session_create(&c, &conf, finalize, NULL);

    ngx_media_rtmp_session_start(session, NULL);

    if (stage < 7) {
        feed(buf, prelude(buf, stage), 1);
    }

    half = (events & 1) ? size / 2 : size;
    feed(data, half, !(events & 16));

    if ((events & 2) && !finalized) {
        c.close = 1;
        ngx_media_rtmp_session_read(session);
    }

    if ((events & 4) && !finalized) {
        for (i = 0; i < PUBLISHERS; i++) {
            if (publishers[i].used && !publishers[i].waits) {
                publishers[i].conf.close(publishers[i].conf.data, "lost");
                break;
            }
        }

        if (wev.posted) {
            ngx_delete_posted_event(&wev);
            ngx_media_rtmp_session_write(session);
        }
    }

    answer();
    feed(data + half, size - half, !(events & 16));

    if (!finalized) {
        check(timers == 1);

        if (events & 8) {
            for (i = 0; !finalized; i++) {
                check(i < 3 && timers == 1);

                rev.timedout = 1;
                rev.timer_set = 0;
                timers--;
                ngx_media_rtmp_session_read(session);
            }

        } else {
            ngx_media_rtmp_exit();
        }
    }

    check(finalized);

    for (i = 0; i < nblocks; i++) {
        free(blocks[i]);
    }

    nblocks = 0;

    return 0;
}


void
ngx_rbtree_insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    abort();
}
