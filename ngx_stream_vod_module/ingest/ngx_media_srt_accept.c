
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A conclusion becomes a session: its record, so that no other worker takes the
 * same caller, then whether it may, then its keys, its socket, and the answer.
 * A caller gives up after 3 s, so what is not known by then is a no.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_siphash.h"
#include "formats/ngx_media_srt_handshake.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_srt_session.h"


#define NGX_MEDIA_SRT_PENDING_TIME  2500      /* ms */


static ngx_int_t ngx_media_srt_keep(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_srt_register(ngx_media_srt_session_t *session);
static ngx_int_t ngx_media_srt_unlock(ngx_media_srt_session_t *session);
static void ngx_media_srt_refuse(ngx_media_srt_session_t *session,
    ngx_uint_t code, const char *reason);
static ngx_int_t ngx_media_srt_open(ngx_media_srt_session_t *session);


void
ngx_media_srt_session_start(ngx_media_srt_session_t *session,
    const u_char *pos, const u_char *last)
{
    ngx_int_t          rc;
    const char        *reason;
    ngx_connection_t  *c;

    c = session->connection;

    ngx_media_srt_session_join(session);

    /* it is told when this worker leaves: then another one may answer */

    c->idle = 1;
    c->log->action = "waiting for access checks";

    ngx_add_timer(&session->timer, NGX_MEDIA_SRT_PENDING_TIME);

    if (ngx_media_srt_keep(session, pos, last) != NGX_OK) {
        session->status = 500;
        ngx_media_srt_session_end(session, "no memory");
        return;
    }

    rc = ngx_media_srt_register(session);

    if (rc == NGX_DECLINED) {
        session->repeated = 1;
        ngx_media_srt_session_end(session, "it is a repeated handshake");
        return;
    }

    reason = (rc != NGX_OK) ? "there are too many sessions"
                            : ngx_media_srt_hurries(&session->record.remote);

    if (reason) {
        ngx_media_srt_refuse(session, NGX_MEDIA_SRT_REFUSE_OVERLOAD, reason);
        return;
    }

    rc = ngx_media_srt_name(session);

    if (rc == NGX_OK) {
        rc = ngx_media_srt_unlock(session);
    }

    if (rc == NGX_OK) {
        session->asked = 1;
        rc = session->role->ask(session);
    }

    if (rc != NGX_AGAIN) {
        ngx_media_srt_answered(session, rc);
    }
}


/* what of the conclusion is needed later, with what belongs to its datagram */

static ngx_int_t
ngx_media_srt_keep(ngx_media_srt_session_t *session, const u_char *pos,
    const u_char *last)
{
    size_t                      len;
    u_char                     *km;
    ngx_pool_t                 *pool;
    ngx_media_srt_packet_t      packet;
    ngx_media_srt_handshake_t  *hs;

    pool = session->connection->pool;

    hs = ngx_palloc(pool, sizeof(ngx_media_srt_handshake_t));
    if (hs == NULL
        || ngx_media_srt_parse(&packet, pos, last) != NGX_OK
        || ngx_media_srt_handshake_parse(hs, packet.u.control.pos,
                                         packet.u.control.last) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (hs->km.pos) {
        len = hs->km.last - hs->km.pos;

        km = ngx_pnalloc(pool, len);
        if (km == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(km, hs->km.pos, len);

        hs->km.pos = km;
        hs->km.last = km + len;
    }

    session->hs = hs;
    session->sid = ngx_media_srt_sid_hash(session->conf, hs);
    session->received = last - pos;

    session->mtu = ngx_min(hs->mtu, NGX_MEDIA_SRT_MTU);
    session->latency = ngx_max(session->conf->latency, hs->snd_latency);
    session->latency = ngx_min(session->latency, session->conf->latency_max);
    session->peer_latency = ngx_max(session->conf->latency, hs->rcv_latency);

    return NGX_OK;
}


uint64_t
ngx_media_srt_sid_hash(const ngx_media_srt_conf_t *conf,
    const ngx_media_srt_handshake_t *hs)
{
    uint32_t             words[4];
    ngx_media_siphash_t  hash;

    static u_char        key[NGX_MEDIA_SIPHASH_KEY];

    /* of this worker only; who makes two of them equal is refused, that is
       all */

    ngx_media_siphash_init(&hash, key);
    ngx_media_siphash_update(&hash, (u_char *) &conf, sizeof(conf));

    /* many viewers may be behind one address, who ask for the same stream,
       and one of them cannot have it: encrypts, has small packets, ... */

    words[0] = (uint32_t) hs->seen;
    words[1] = hs->srt;
    words[2] = hs->flags;
    words[3] = hs->mtu;

    ngx_media_siphash_update(&hash, (u_char *) words, sizeof(words));
    ngx_media_siphash_update(&hash, hs->sid, hs->sid_len);

    return ngx_media_siphash_final(&hash);
}


/* NGX_OK; NGX_DECLINED: another one has it, or had; NGX_BUSY */

static ngx_int_t
ngx_media_srt_register(ngx_media_srt_session_t *session)
{
    ngx_int_t                rc;
    ngx_connection_t        *c;
    ngx_media_zone_t        *zone;
    ngx_media_srt_record_t   record;

    c = session->connection;
    zone = session->conf->app->zone;

    ngx_memzero(&record, sizeof(ngx_media_srt_record_t));

    record.peer = session->hs->id;
    record.isn = session->hs->isn;

    if (ngx_media_srt_addr(&record.remote, c->sockaddr) != NGX_OK
        || ngx_media_srt_addr(&record.local, c->local_sockaddr) != NGX_OK)
    {
        return NGX_BUSY;
    }

    /* who is refused because there is no room is known by that, too */

    session->record.remote = record.remote;

    if (ngx_media_zone_attach(zone) != NGX_OK) {
        return NGX_BUSY;
    }

    rc = ngx_media_srt_table_add(session->table, zone->nrow, &record);

    ngx_log_debug5(NGX_LOG_DEBUG_STREAM, c->log, 0,
                   "srt record of peer:%xD rc:%i id:%xD state:%d pid:%P",
                   session->hs->id, rc, record.id, (int) record.state,
                   record.pid);

    if (rc == NGX_OK) {
        session->record = record;
    }

    return rc;
}


/*
 * Before a name is claimed: nobody takes one, or is told of to hooks, who does
 * not know the passphrase, which may depend on the stream that is asked for.
 */

static ngx_int_t
ngx_media_srt_unlock(ngx_media_srt_session_t *session)
{
    ngx_int_t             ok;
    ngx_str_t             passphrase;
    ngx_connection_t     *c;
    ngx_media_span_t     *km;
    ngx_media_srt_keys_e  rc;

    c = session->connection;
    km = &session->hs->km;

    /* it is called so for this moment only, since it may be a secret */

    session->name = session->asked_for;

    ok = session->user.value(session->user.data,
                             NGX_MEDIA_SRT_VALUE_PASSPHRASE, &passphrase);

    ngx_str_null(&session->name);

    if (ok != NGX_OK) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    if (passphrase.len
        && (passphrase.len < NGX_MEDIA_SRT_PASSPHRASE_MIN
            || passphrase.len > NGX_MEDIA_SRT_PASSPHRASE_MAX))
    {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "media_srt_passphrase has %uz bytes, not %d to %d",
                      passphrase.len, NGX_MEDIA_SRT_PASSPHRASE_MIN,
                      NGX_MEDIA_SRT_PASSPHRASE_MAX);

        return ngx_media_srt_decline(session,
                                     NGX_MEDIA_SRT_REFUSE_PASSPHRASE,
                                     "no passphrase is right");
    }

    rc = ngx_media_srt_keys_open(&session->keys, km->pos, km->last,
                                 &passphrase, c->log);

    if (rc != NGX_MEDIA_SRT_KEYS_OK) {

        if (session->role->data) {
            ngx_media_publish_refused(session->conf->app,
                                      NGX_MEDIA_REFUSED_DENIED);
        }

        return ngx_media_srt_decline(session, rc,
                                     ngx_media_srt_refuse_text(
                                            (ngx_media_srt_refuse_e) rc));
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_srt_named(ngx_media_srt_session_t *session, const ngx_str_t *name)
{
    u_char  *p;

    p = ngx_pnalloc(session->connection->pool, name->len);
    if (p == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    ngx_memcpy(p, name->data, name->len);

    session->name.data = p;
    session->name.len = name->len;

    return NGX_OK;
}


ngx_int_t
ngx_media_srt_decline(ngx_media_srt_session_t *session, ngx_uint_t code,
    const char *reason)
{
    session->code = code;
    session->why = reason;

    return NGX_DECLINED;
}


void
ngx_media_srt_answered(ngx_media_srt_session_t *session, ngx_int_t rc)
{
    if (rc == NGX_OK) {
        rc = ngx_media_srt_open(session);
    }

    if (rc != NGX_OK) {
        ngx_media_srt_refuse(session, session->code, session->why);
        return;
    }

    ngx_media_srt_session_finish(session);
}


static ngx_int_t
ngx_media_srt_open(ngx_media_srt_session_t *session)
{
    int64_t                  now;
    ngx_media_srt_accept_t   accept;

    if (ngx_media_srt_session_connect(session) != NGX_OK) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no socket");
    }

    now = ngx_media_srt_now();

    if (session->role->open(session, now) != NGX_OK) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    ngx_memzero(&accept, sizeof(ngx_media_srt_accept_t));

    accept.id = session->record.id;
    accept.latency = session->latency;
    accept.peer_latency = session->peer_latency;
    accept.km = session->hs->km;

    session->reply_len = ngx_media_srt_accept_write(session->reply,
                                          session->hs, &accept,
                                          ngx_media_srt_session_stamp(session,
                                                                      now));

    ngx_media_srt_table_open(session->table, session->record.id);

    ngx_log_debug6(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "srt session id:%xD peer:%xD isn:%uD latency:%M of the "
                   "peer:%M flags:%xD",
                   session->record.id, session->record.peer, session->hs->isn,
                   session->latency, session->peer_latency,
                   session->hs->flags);

    ngx_media_srt_session_repeat(session);

    if (session->timer.timer_set) {
        ngx_del_timer(&session->timer);
    }

    return NGX_OK;
}


static void
ngx_media_srt_refuse(ngx_media_srt_session_t *session, ngx_uint_t code,
    const char *reason)
{
    u_char            *p, buf[NGX_MEDIA_SRT_HANDSHAKE_SIZE];
    ngx_connection_t  *c;

    c = session->connection;

    p = ngx_media_srt_refuse_write(buf, session->hs, code,
                                   ngx_media_srt_session_stamp(session,
                                                       ngx_media_srt_now()));

    if (session->socket) {
        (void) ngx_media_srt_session_write(session, buf, p - buf);
        session->closed = 1;

    } else {
        ngx_media_srt_send_listener(c, buf, p - buf);
    }

    if (ngx_media_srt_refused_keep(&session->record.remote, session->sid,
                                   code))
    {
        ngx_log_error(NGX_LOG_INFO, c->log, 0, "srt: refused %ui: %s", code,
                      reason);
    }

    session->status = (code == NGX_MEDIA_SRT_REFUSE_OVERLOAD
                       || code == NGX_MEDIA_SRT_REFUSE_UNAVAILABLE)
                      ? 503 : (code == NGX_MEDIA_SRT_REFUSE_RESOURCE)
                              ? 500 : 403;

    ngx_media_srt_session_end(session, reason);
}


void
ngx_media_srt_late(ngx_media_srt_session_t *session)
{
    if (session->role->data) {
        ngx_media_publish_refused(session->conf->app, NGX_MEDIA_REFUSED_LATE);
    }

    ngx_media_srt_refuse(session, NGX_MEDIA_SRT_REFUSE_UNAVAILABLE,
                         "the access check did not answer in time");
}
