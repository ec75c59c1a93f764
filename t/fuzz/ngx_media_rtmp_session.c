
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs ingest/ngx_media_rtmp_session.c
         ingest/ngx_media_rtmp_handshake.c ingest/ngx_media_rtmp_cmd.c
         ingest/ngx_media_rtmp_name.c ingest/ngx_media_rtmp_media.c
         ingest/ngx_media_rtmp_wait.c ingest/ngx_media_rtmp_play.c
         ingest/ngx_media_play.c ingest/ngx_media_play_pack.c
         ingest/ngx_media_play_queue.c ingest/ngx_media_play_track.c
         formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_data.c formats/ngx_media_flv_tracks.c
         formats/ngx_media_flv_write.c formats/ngx_media_id3.c
         formats/ngx_media_lang.c formats/ngx_media_rtmp_chunk.c
         formats/ngx_media_rtmp_hs.c formats/ngx_media_rtmp_msg.c
         formats/ngx_media_text.c -lcrypto */


/*
 * A whole RTMP session on a connection that is made up here: what it receives
 * is the input, what it sends is read as chunks, and publish checks that it is
 * used as its header says.  Whoever plays follows a stream whose frames are
 * those of this file: a byte of the input says what comes of it after each
 * piece of it.
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
#include "core/ngx_media_follow.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_rtmp.h"
#include "ingest/ngx_media_rtmp_session.h"
#include "../unit/media_shown.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define PUBLISHERS  16
#define BLOCKS      256
#define FOLLOWERS   16
#define TIMERS      24


struct ngx_media_publisher_s {
    ngx_media_publish_t  conf;
    u_char               name[NGX_MEDIA_NAME_MAX];
    size_t               len;
    int                  used;
    int                  waits;
    uint64_t             frames;
};


struct ngx_media_follow_s {
    ngx_media_follow_conf_t  conf;
    int                      used;
    int                      told;
    int                      keyed;
};


struct ngx_media_access_s {
    ngx_media_access_conf_t  conf;
    int                      used;
};


/* of nginx, as far as a session looks */

volatile ngx_msec_t    ngx_current_msec = 1000;
static ngx_time_t      wall = { 1, 0, 0 };
volatile ngx_time_t   *ngx_cached_time = &wall;
volatile ngx_cycle_t  *ngx_cycle;
ngx_rbtree_t           ngx_event_timer_rbtree;
ngx_queue_t            ngx_posted_events;
ngx_queue_t            ngx_posted_next_events;
ngx_uint_t             ngx_exiting;
sig_atomic_t           ngx_terminate;

static ngx_rbtree_node_t            sentinel;
static struct ngx_media_publisher_s publishers[PUBLISHERS];
static struct ngx_media_follow_s    followers[FOLLOWERS];
static struct ngx_media_access_s    asked[FOLLOWERS];
static ngx_media_params_t           params[2];
static ngx_media_rtmp_reader_t      reader;
static int64_t                      media_time;
static int                          frames;
static int                          viewers;
static size_t                       written;
static u_char                       control[4];
static ngx_media_app_t              app = {
    .name = ngx_string("live"), .drain = 5000
};
static void                        *blocks[BLOCKS];
static int                          nblocks;
static ngx_media_rtmp_session_t    *session;
static const uint8_t               *input, *input_end;
static size_t                       recv_size, send_size, send_left;
static int                          finalized, timers;
static ngx_rbtree_node_t           *set[TIMERS];
static ngx_event_t                  rev, wev;


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


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return calloc(1, size ? size : 1);
}


/* pools of their own: of what is looked up in a view */

ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    return calloc(1, sizeof(ngx_pool_t));
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    free(pool);
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
    int  i;

    for (i = 0; i < TIMERS && set[i]; i++) { /* void */ }

    check(i < TIMERS);

    set[i] = node;
    timers++;
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    int  i;

    for (i = 0; i < TIMERS && set[i] != node; i++) { /* void */ }

    check(i < TIMERS);

    set[i] = NULL;
    timers--;
}


/* of the core */

ngx_media_app_t *
ngx_media_app_find(ngx_cycle_t *cycle, ngx_str_t *name)
{
    return (name->len == 4 && memcmp(name->data, "live", 4) == 0) ? &app
                                                                  : NULL;
}


/* a name of its own, which a rename may have made */

void
ngx_media_publish_name(const ngx_media_publisher_t *publisher, ngx_str_t *name)
{
    check(publisher->used);

    name->data = (u_char *) publisher->name;
    name->len = publisher->len;
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


const char *
ngx_media_publish_why(const ngx_media_publisher_t *p, ngx_media_publish_e rc)
{
    check(p->used && !p->waits);

    return ngx_media_publish_sentence(rc);
}


void
ngx_media_publish_refused(ngx_media_app_t *refused, ngx_media_refused_e why)
{
    check(refused == &app);
    check(why < NGX_MEDIA_REFUSED_KINDS);
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


ngx_media_publish_e
ngx_media_publish_data(ngx_media_publisher_t *p, ngx_media_data_kind_e kind,
    uint64_t stamp, const u_char *pos, const u_char *last)
{
    check(p->used && !p->waits);
    check(kind == NGX_MEDIA_DATA_ID3 && stamp <= 0xffffffff);
    check(last - pos > 20 && last - pos <= NGX_MEDIA_DATA_MAX);
    check(memcmp(pos, "ID3", 3) == 0);

    switch (last[-1] & 15) {

    case 1:
        return NGX_MEDIA_PUBLISH_LOST;

    case 2:
        return NGX_MEDIA_PUBLISH_FULL;

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


ngx_uint_t
ngx_media_publish_name_valid(const ngx_str_t *name)
{
    return name->len != 0;
}


ngx_int_t
ngx_media_stream_find(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_stream_t *stream)
{
    check(name->len > 0 && name->len <= NGX_MEDIA_NAME_MAX);

    stream->zone = zone;
    stream->sh = NULL;
    stream->id = name->data[0] & 1;

    return name->data[0] == '!' ? NGX_DECLINED : NGX_OK;
}


ngx_uint_t
ngx_media_stream_state(const ngx_media_stream_t *stream)
{
    return NGX_MEDIA_STREAM_LIVE;
}


ngx_int_t
ngx_media_stream_view(const ngx_media_stream_t *stream, ngx_pool_t *pool,
    ngx_uint_t track, ngx_media_stream_view_t *view)
{
    static ngx_media_track_view_t  tracks[2];

    memset(view, 0, sizeof(ngx_media_stream_view_t));

    tracks[0].type = NGX_MEDIA_VIDEO;
    tracks[1].type = NGX_MEDIA_AUDIO;
    tracks[1].index = 1;

    view->state = NGX_MEDIA_STREAM_LIVE;
    view->tracks = tracks;
    view->ntracks = 2;

    return NGX_OK;
}


ngx_int_t
ngx_media_track_init_params(const ngx_media_stream_t *stream,
    ngx_uint_t track, uint64_t name, ngx_media_params_t *copy)
{
    *copy = params[track & 1];

    return NGX_OK;
}


/*
 * whether somebody may play: "w..." waits until something happens, "e..." may
 * for some seconds
 */

ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason)
{
    int  i;

    check(conf->action == NGX_MEDIA_ACCESS_PLAY && conf->app == &app);
    check(conf->name.len > 0 && conf->name.len <= NGX_MEDIA_NAME_MAX);

    *reason = "no";

    check(conf->verdict->expires == 0);

    if (conf->name.data[0] == 'e') {
        conf->verdict->expires = wall.sec + 2;
    }

    if (conf->name.data[0] != 'w') {
        return conf->name.data[0] == 'n' ? NGX_DECLINED : NGX_OK;
    }

    for (i = 0; i < FOLLOWERS && asked[i].used; i++) { /* void */ }

    check(i < FOLLOWERS);

    asked[i].conf = *conf;
    asked[i].used = 1;

    *access = &asked[i];

    return NGX_AGAIN;
}


void
ngx_media_access_cancel(ngx_media_access_t *access)
{
    check(access->used);

    access->used = 0;
}


/*
 * the table of sessions: "f..." is one viewer too many, "k..." is kicked as
 * soon as he says that he is there
 */

void
ngx_media_viewer_who(const ngx_media_access_conf_t *conf, ngx_uint_t protocol,
    ngx_media_session_who_t *who, ngx_media_session_limit_t *limit)
{
    check(protocol == NGX_MEDIA_SESSION_RTMP && conf->app == &app);

    memset(who, 0, sizeof(*who));
    memset(limit, 0, sizeof(*limit));

    who->name = conf->name;
}


ngx_int_t
ngx_media_viewer_begin(ngx_media_app_t *of,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_viewer_t *viewer,
    const char **reason)
{
    check(of == &app && who->name.len);

    memset(viewer, 0, sizeof(*viewer));

    if (who->name.data[0] == 'f') {
        *reason = "one too many";
        return NGX_DECLINED;
    }

    viewer->sessions = (ngx_media_sessions_t *) &viewers;
    viewer->ref.slot = (who->name.data[0] == 'k');
    viewers++;

    return NGX_OK;
}


ngx_msec_t
ngx_media_viewer_tick(const ngx_media_viewer_t *viewer)
{
    check(viewer->sessions != NULL);

    return 5000;
}


ngx_int_t
ngx_media_viewer_touch(ngx_media_viewer_t *viewer)
{
    check(viewer->sessions != NULL);

    return viewer->ref.slot ? NGX_ABORT : NGX_OK;
}


void
ngx_media_viewer_end(ngx_media_viewer_t *viewer)
{
    if (viewer->sessions) {
        viewer->sessions = NULL;
        viewers--;
    }
}


ngx_int_t
ngx_media_follow_begin(const ngx_media_follow_conf_t *conf,
    ngx_media_follow_t **follow)
{
    int  i;

    for (i = 0; i < FOLLOWERS && followers[i].used; i++) { /* void */ }

    check(i < FOLLOWERS);

    memset(&followers[i], 0, sizeof(followers[i]));

    followers[i].conf = *conf;
    followers[i].used = 1;

    *follow = &followers[i];

    return NGX_OK;
}


void
ngx_media_follow_end(ngx_media_follow_t *follow)
{
    check(follow->used);

    follow->used = 0;
}


void
ngx_media_frame_unref(ngx_media_frame_t *frame)
{
    ngx_media_frame_form_t  *form;

    check(frame->refs > 0);

    if (--frame->refs) {
        return;
    }

    while (frame->forms) {
        form = frame->forms;
        frame->forms = form->next;
        free(form);
    }

    free(frame);
    frames--;
}


ngx_media_frame_form_t *
ngx_media_frame_form(const ngx_media_frame_t *frame, uintptr_t key)
{
    ngx_media_frame_form_t  *form;

    for (form = frame->forms; form && form->key != key; form = form->next) {
        /* void */
    }

    return form;
}


ngx_media_frame_form_t *
ngx_media_frame_form_add(ngx_media_frame_t *frame, uintptr_t key, size_t len)
{
    ngx_media_frame_form_t  *form;

    form = malloc(sizeof(ngx_media_frame_form_t) + len);

    form->next = frame->forms;
    form->key = key;
    form->len = len;
    frame->forms = form;

    return form;
}


/* what the stream does now, as the byte says */

static void
happen(uint8_t byte)
{
    int                  i, type;
    ngx_event_t         *ev;
    ngx_media_frame_t   *frame;
    ngx_media_follow_t  *f;

    type = byte & 1;
    ngx_current_msec += (byte & 2) ? 10 : 3000;
    media_time += (byte & 2) ? 10 : 3000;
    wall.sec = ngx_current_msec / 1000;

    if (byte & 4) {
        params[type].config_len = 5 + (byte >> 4);
    }

    frame = calloc(1, sizeof(ngx_media_frame_t) + 300 * (byte >> 3));
    frames++;

    frame->refs = 1;
    frame->track = type;
    frame->type = type;
    frame->flags = (byte & 8) ? NGX_MEDIA_FRAME_KEY : 0;
    frame->flags |= (byte & 16) ? NGX_MEDIA_FRAME_LOST : 0;
    frame->timescale = params[type].timescale;
    frame->dts = media_time * frame->timescale / 1000;
    frame->cto = (byte - 128) * 1000;
    frame->len = 300 * (byte >> 3);

    for (i = 0; i < FOLLOWERS; i++) {
        f = &followers[i];

        if (f->used && (!(f->told & (1 << type)) || (byte & 4))) {
            f->told |= 1 << type;
            f->conf.params(f->conf.data, type, &params[type]);
        }

        if (f->used) {
            f->conf.frame(f->conf.data, frame);
        }

        if (f->used) {
            f->conf.flush(f->conf.data);
        }

        if (f->used && byte == 0xff) {
            f->conf.end(f->conf.data, "ended");
        }
    }

    ngx_media_frame_unref(frame);

    for (i = 0; i < TIMERS; i++) {

        if (set[i] == NULL) {
            continue;
        }

        ev = ngx_rbtree_data(set[i], ngx_event_t, timer);

        if (ev != &rev && ev != &wev && (byte & 32)) {
            ngx_del_timer(ev);
            ev->handler(ev);
        }
    }

    if (wev.posted) {
        ngx_delete_posted_event(&wev);
        ngx_media_rtmp_session_write(session);
    }

    for (i = 0; i < FOLLOWERS && !finalized; i++) {

        if (asked[i].used && (byte & 64)) {
            asked[i].used = 0;
            asked[i].conf.ready(asked[i].conf.data,
                                (byte & 1) ? NGX_OK : NGX_DECLINED, "no");
        }
    }
}


/* what is sent has to be chunks, whatever alternates */

static void
sent(const u_char *pos, size_t n)
{
    size_t                   skip;
    ngx_int_t                rc;
    const u_char            *last;
    ngx_media_rtmp_piece_t   piece;

    skip = written < 3073 ? ngx_min(n, 3073 - written) : 0;
    written += n;

    last = pos + n;
    pos += skip;

    while (pos < last) {
        rc = ngx_media_rtmp_chunk_read(&reader, &pos, last, &piece);

        check(rc != NGX_ERROR);

        if (rc == NGX_AGAIN) {
            break;
        }

        check(piece.cs->type != NGX_MEDIA_RTMP_VIDEO
              || (piece.cs->stream >= 1 && piece.cs->stream <= 3));

        if (piece.cs->type != NGX_MEDIA_RTMP_CHUNK) {
            continue;
        }

        check(piece.cs->length == 4);

        memcpy(control + piece.offset, piece.payload.pos,
               piece.payload.last - piece.payload.pos);

        if (piece.complete) {
            check(ngx_media_rtmp_chunk_set_size(&reader,
                      (uint32_t) control[0] << 24 | control[1] << 16
                      | control[2] << 8 | control[3])
                  == NGX_OK);
        }
    }
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

    if (send_left == 0) {
        wev.ready = 0;
        return NGX_AGAIN;
    }

    size = ngx_min(size, send_left);
    send_left -= size;

    sent(buf, size);

    return size;
}


static ngx_chain_t *
fake_send_chain(ngx_connection_t *c, ngx_chain_t *in, off_t limit)
{
    ssize_t  n;

    while (in) {
        check(in->buf->pos < in->buf->last);

        n = ngx_min(in->buf->last - in->buf->pos, NGX_MEDIA_RTMP_OUT);
        n = fake_send(c, in->buf->pos, n);

        if (n == NGX_AGAIN) {
            break;
        }

        in->buf->pos += n;

        if (in->buf->pos == in->buf->last) {
            in = in->next;
        }
    }

    return in;
}


static void
finalize(void *data, ngx_uint_t status)
{
    int  i;

    check(!finalized);
    check(status == 200 || status == 400 || status == 403 || status == 500);

    finalized = 1;

    check(session->in_flight == 0);
    check(session->publishers == 0 && session->players == 0);
    check(timers == 0);
    check(frames == 0);
    check(viewers == 0);

    for (i = 0; i < PUBLISHERS; i++) {
        check(!publishers[i].used);
    }

    for (i = 0; i < FOLLOWERS; i++) {
        check(!followers[i].used && !asked[i].used);
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
    if (finalized) {
        return;
    }

    input = data;
    input_end = data + size;

    do {
        rev.ready = 1;
        wev.ready = send_size > 0;
        send_left = send_size;
        ngx_media_rtmp_session_read(session);

        if (!finalized) {
            happen(input < input_end ? *input : size);
        }

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
        command(2, "\2\0\4play\0\x40\x08\0\0\0\0\0\0\5\2\0\1y")
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
    ngx_cycle_t             cycle;
    ngx_connection_t        c;

    static ngx_media_rtmp_conf_t  conf = {
        ngx_null_string, 10000, 30000, 65536, 3, 4096, 2500000, 1
    };

    if (size < 3) {
        return 0;
    }

    stage = data[0] & 7;
    events = data[0] >> 3;
    recv_size = 1 + data[1] * 4;
    send_size = data[2] * 16;
    send_left = send_size;
    data += 3;
    size -= 3;

    memset(&log, 0, sizeof(log));
    memset(&rev, 0, sizeof(rev));
    memset(&wev, 0, sizeof(wev));
    memset(&c, 0, sizeof(c));
    memset(publishers, 0, sizeof(publishers));
    memset(params, 0, sizeof(params));

    params[0].codec = NGX_MEDIA_CODEC_H264;
    params[0].timescale = NGX_MEDIA_VIDEO_TIMESCALE;
    params[0].config_len = 20;
    params[1].codec = NGX_MEDIA_CODEC_AAC;
    params[1].type = NGX_MEDIA_AUDIO;
    params[1].timescale = 48000;
    params[1].config_len = 2;

    ngx_media_rtmp_chunk_init(&reader, NGX_MEDIA_RTMP_MESSAGE_MAX);
    written = 0;
    media_time = 1000000;

    memset(&cycle, 0, sizeof(cycle));

    cycle.log = &log;
    ngx_cycle = &cycle;
    log.log_level = NGX_LOG_INFO;
    log.handler = log_handler;
    c.log = &log;
    c.read = &rev;
    c.write = &wev;
    c.recv = fake_recv;
    c.send = fake_send;
    c.send_chain = fake_send_chain;
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
        check(rev.timer_set);

        if (wev.timer_set && (events & 16)) {
            ngx_del_timer(&wev);
            wev.timedout = 1;
            ngx_media_rtmp_session_write(session);
        }
    }

    if (!finalized) {

        if (events & 8) {
            for (i = 0; !finalized && i < 3; i++) {
                ngx_del_timer(&rev);
                rev.timedout = 1;
                ngx_current_msec += 40000;
                wall.sec = ngx_current_msec / 1000;
                ngx_media_rtmp_session_read(session);
            }
        }

        /* a viewer for whom nothing waits stays */

        if (!finalized) {
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
