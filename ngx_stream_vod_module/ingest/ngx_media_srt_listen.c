
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What comes to a listener.  Nothing is kept of anybody who has not shown, by a
 * cookie, that he is where he says, and he is not sent more than he has sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_srt_control.h"
#include "formats/ngx_media_srt_handshake.h"
#include "ingest/ngx_media_srt_session.h"


/* the peer of a datagram, and how it is answered */

typedef struct {
    const ngx_media_srt_conf_t  *conf;
    const struct sockaddr       *peer;
    const struct sockaddr       *local;
    ngx_log_t                   *log;
    size_t                       len;         /* of the answer; 0: there is
                                                 none */
    u_char                       answer[NGX_MEDIA_SRT_HANDSHAKE_SIZE
                                        + NGX_MEDIA_SRT_HEADER
                                        + NGX_MEDIA_SRT_EMPTY_SIZE];
    size_t                       first;       /* of its two datagrams; 0: it is
                                                 one */
} ngx_media_srt_from_t;


static void ngx_media_srt_from(ngx_media_srt_from_t *from,
    const ngx_media_srt_conf_t *conf, ngx_connection_t *c);
static ngx_int_t ngx_media_srt_look(ngx_media_srt_from_t *from,
    ngx_media_srt_handshake_t *hs, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_srt_conclusion(ngx_media_srt_from_t *from,
    ngx_media_srt_handshake_t *hs, ngx_int_t rc);
static void ngx_media_srt_turn_away(ngx_media_srt_from_t *from,
    const ngx_media_srt_handshake_t *hs, ngx_uint_t code, ngx_uint_t known);
static void ngx_media_srt_straggler(ngx_media_srt_from_t *from, uint32_t id,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_shutdown(ngx_media_srt_from_t *from,
    uint32_t peer);
static void ngx_media_srt_feed(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_reply(ngx_connection_t *c,
    const ngx_media_srt_from_t *from);


ngx_int_t
ngx_media_srt_listen(ngx_connection_t *c, const ngx_media_srt_conf_t *conf,
    const u_char *pos, const u_char *last)
{
    ngx_int_t                   rc;
    ngx_media_srt_from_t        from;
    ngx_media_srt_handshake_t   hs;

    ngx_media_srt_from(&from, conf, c);

    rc = ngx_media_srt_look(&from, &hs, pos, last);

    ngx_media_srt_reply(c, &from);

    return rc;
}


static void
ngx_media_srt_from(ngx_media_srt_from_t *from,
    const ngx_media_srt_conf_t *conf, ngx_connection_t *c)
{
    from->conf = conf;
    from->peer = c->sockaddr;
    from->local = c->local_sockaddr;
    from->log = c->log;
    from->len = 0;
    from->first = 0;
}


/* NGX_DONE; NGX_OK: it is a conclusion that is good so far, hs is that */

static ngx_int_t
ngx_media_srt_look(ngx_media_srt_from_t *from, ngx_media_srt_handshake_t *hs,
    const u_char *pos, const u_char *last)
{
    u_char                     *p;
    uint32_t                    cookie;
    ngx_int_t                   rc;
    const u_char               *secret;
    ngx_media_srt_packet_t      packet;

    if (ngx_media_srt_parse(&packet, pos, last) != NGX_OK) {
        return NGX_DONE;
    }

    if (ngx_media_srt_dst(pos, last) != 0) {
        ngx_media_srt_straggler(from, ngx_media_srt_dst(pos, last), pos, last);
        return NGX_DONE;
    }

    if (!packet.control
        || packet.u.control.type != NGX_MEDIA_SRT_HANDSHAKE)
    {
        return NGX_DONE;
    }

    rc = ngx_media_srt_handshake_parse(hs, packet.u.control.pos,
                                       packet.u.control.last);
    if (rc == NGX_DECLINED) {
        return NGX_DONE;
    }

    ngx_log_debug5(NGX_LOG_DEBUG_STREAM, from->log, 0,
                   "srt handshake type:%xD version:%uD peer:%xD cookie:%xD "
                   "rc:%i", hs->type, hs->version, hs->id, hs->cookie, rc);

    if (hs->type == NGX_MEDIA_SRT_CONCLUSION) {
        return ngx_media_srt_conclusion(from, hs, rc);
    }

    if (hs->type != NGX_MEDIA_SRT_INDUCTION || rc != NGX_OK) {
        return NGX_DONE;
    }

    secret = ngx_media_srt_table_secret(
                                ngx_media_srt_app_table(from->conf->app));

    cookie = ngx_media_srt_cookie(secret, from->peer, from->local,
                                  ngx_time() / 60);

    p = ngx_media_srt_induction_write(from->answer, hs, cookie, 0);
    from->len = p - from->answer;

    return NGX_DONE;
}


static ngx_int_t
ngx_media_srt_conclusion(ngx_media_srt_from_t *from,
    ngx_media_srt_handshake_t *hs, ngx_int_t rc)
{
    uint64_t              sid;
    ngx_uint_t            code, known;
    const u_char         *secret;
    ngx_media_srt_addr_t  remote;

    secret = ngx_media_srt_table_secret(
                                ngx_media_srt_app_table(from->conf->app));

    if (!ngx_media_srt_cookie_valid(secret, from->peer, from->local,
                                    ngx_time() / 60, hs->cookie)
        || ngx_media_srt_addr(&remote, from->peer) != NGX_OK)
    {
        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, from->log, 0,
                       "srt cookie is not ours");
        return NGX_DONE;
    }

    known = 0;

    if (rc != NGX_OK) {
        code = NGX_MEDIA_SRT_REFUSE_MALFORMED;

    } else {
        code = ngx_media_srt_handshake_check(hs);

        if (code == NGX_MEDIA_SRT_ACCEPTED) {
            sid = ngx_media_srt_sid_hash(from->conf, hs);
            code = ngx_media_srt_refused(&remote, sid);
            known = 1;
        }
    }

    if (code == NGX_MEDIA_SRT_ACCEPTED) {
        return NGX_OK;
    }

    ngx_media_srt_turn_away(from, hs, code, known);

    return NGX_DONE;
}


static void
ngx_media_srt_turn_away(ngx_media_srt_from_t *from,
    const ngx_media_srt_handshake_t *hs, ngx_uint_t code, ngx_uint_t known)
{
    u_char                *p;
    uint64_t               sid;
    ngx_media_srt_addr_t   remote;

    p = ngx_media_srt_refuse_write(from->answer, hs, code, 0);
    from->len = p - from->answer;

    if (code == NGX_MEDIA_SRT_REFUSE_VERSION) {

        /* HSv4 does not know refusals */

        from->first = from->len;
        ngx_media_srt_shutdown(from, hs->id);
    }

    if (!known && ngx_media_srt_addr(&remote, from->peer) == NGX_OK) {
        sid = ngx_media_srt_sid_hash(from->conf, hs);
        known = !ngx_media_srt_refused_keep(&remote, sid, code);
    }

    if (known) {
        ngx_log_debug1(NGX_LOG_DEBUG_STREAM, from->log, 0,
                       "srt refused again:%ui", code);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, from->log, 0, "srt: refused %ui: %s", code,
                  ngx_media_srt_refuse_text(code));
}


/*
 * It has an id of ours, and has not come to a socket of its own: it came before
 * that was connected, or after it was closed, or its worker has died.  The peer
 * of the latter would go on for 5 s.
 */

static void
ngx_media_srt_straggler(ngx_media_srt_from_t *from, uint32_t id,
    const u_char *pos, const u_char *last)
{
    ngx_uint_t                  tell;
    ngx_media_srt_addr_t        remote;
    ngx_media_srt_record_t      record;
    ngx_media_srt_session_t    *session;
    ngx_media_srt_table_shm_t  *table;

    table = ngx_media_srt_app_table(from->conf->app);

    if (ngx_media_srt_addr(&remote, from->peer) != NGX_OK
        || ngx_media_srt_table_find(table, id, &remote, &record, &tell)
           != NGX_OK)
    {
        return;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_STREAM, from->log, 0,
                   "srt straggler of id:%xD state:%d pid:%P tell:%ui",
                   id, (int) record.state, record.pid, tell);

    if (tell) {
        ngx_media_srt_shutdown(from, record.peer);
        return;
    }

    if (record.state == NGX_MEDIA_SRT_OPEN && record.pid == ngx_pid) {
        session = ngx_media_srt_session_find(id, table);

        if (session) {
            ngx_media_srt_feed(session, pos, last);
        }
    }
}


/* behind what is there */

static void
ngx_media_srt_shutdown(ngx_media_srt_from_t *from, uint32_t peer)
{
    u_char  *p;

    p = ngx_media_srt_put_header(from->answer + from->len,
                                 NGX_MEDIA_SRT_SHUTDOWN, 0, 0, 0, peer);
    p = ngx_media_srt_empty_write(p);

    from->len = p - from->answer;
}


/* the session may have gone when it returns */

static void
ngx_media_srt_feed(ngx_media_srt_session_t *session, const u_char *pos,
    const u_char *last)
{
    int64_t                 now;
    ngx_media_srt_slot_t   *slot;
    ngx_media_srt_slots_t  *slots;

    slots = ngx_media_srt_worker_slots(session->conf);

    if (session->socket == NULL || slots == NULL
        || last - pos > NGX_MEDIA_SRT_DATAGRAM)
    {
        return;
    }

    slot = ngx_media_srt_slots_get(slots);
    if (slot == NULL) {
        return;
    }

    ngx_memcpy(slot->data, pos, last - pos);

    now = ngx_media_srt_now();

    if (ngx_media_srt_session_input(session, slot, slot->data,
                                    slot->data + (last - pos), now)
        != NGX_OK)
    {
        ngx_media_srt_slots_put(slots, slot);
    }

    ngx_media_srt_session_finish(session);
}


/*
 * By the chain: that is what says which address it comes from.  The listeners
 * of a worker that leaves are closed, and their descriptors may be anybody's.
 */

static void
ngx_media_srt_reply(ngx_connection_t *c, const ngx_media_srt_from_t *from)
{
    size_t  first;

    if (from->len == 0) {
        return;
    }

    first = from->first ? from->first : from->len;

    ngx_media_srt_send_listener(c, from->answer, first);

    if (from->len > first) {
        ngx_media_srt_send_listener(c, from->answer + first,
                                    from->len - first);
    }
}


void
ngx_media_srt_send_listener(ngx_connection_t *c, const u_char *pos,
    size_t len)
{
    ngx_buf_t    b;
    ngx_chain_t  cl;

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    ngx_memzero(&b, sizeof(ngx_buf_t));

    b.pos = (u_char *) pos;
    b.last = b.pos + len;
    b.memory = 1;
    b.flush = 1;

    cl.buf = &b;
    cl.next = NULL;

    if (c->send_chain(c, &cl, 0) == NGX_CHAIN_ERROR) {
        c->error = 0;
        c->write->error = 0;
    }
}


void
ngx_media_srt_stray(void *data, ngx_socket_t s, const struct sockaddr *peer,
    socklen_t len, const u_char *pos, const u_char *last)
{
    ngx_media_srt_session_t *session = data;

    ngx_connection_t           *c;
    ngx_media_srt_from_t        from;
    ngx_media_srt_handshake_t   hs;

    c = session->connection;

    ngx_media_srt_from(&from, session->conf, c);

    from.peer = peer;

    /* a conclusion is repeated, and comes to the listener then */

    (void) ngx_media_srt_look(&from, &hs, pos, last);

    if (from.len && from.first == 0
        && sendto(s, from.answer, from.len, MSG_DONTWAIT, peer, len) == -1)
    {
        ngx_log_debug0(NGX_LOG_DEBUG_STREAM, c->log, ngx_socket_errno,
                       "srt stray was not answered");
    }
}


void
ngx_media_srt_session_listener(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last)
{
    uint32_t  dst;

    dst = ngx_media_srt_dst(pos, last);

    if (dst == session->record.id) {
        ngx_media_srt_feed(session, pos, last);
        return;
    }

    ngx_media_srt_handshake(session, pos, last);

    if (session->reason) {
        ngx_media_srt_session_end(session, session->reason);
    }
}


/*
 * A caller repeats what was not answered, also because the answer is under way.
 * Another one from the same port, which has shown that it is there, has come
 * instead of the one that we know: it will repeat, too.
 */

void
ngx_media_srt_handshake(ngx_media_srt_session_t *session, const u_char *pos,
    const u_char *last)
{
    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ngx_media_srt_from_t        from;
    ngx_media_srt_handshake_t   hs;

    c = session->connection;

    ngx_media_srt_from(&from, session->conf, c);

    rc = ngx_media_srt_look(&from, &hs, pos, last);

    if (session->socket == NULL) {
        ngx_media_srt_reply(c, &from);

    } else if (from.len && from.first == 0) {
        (void) ngx_media_srt_session_write(session, from.answer, from.len);
    }

    if (rc != NGX_OK) {
        return;
    }

    if (hs.id == session->record.peer && hs.isn == session->record.isn) {
        ngx_media_srt_session_repeat(session);
        return;
    }

    session->closed = 1;

    ngx_media_srt_session_fail(session, "its port is another caller's now");
}
