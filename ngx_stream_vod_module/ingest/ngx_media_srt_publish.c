
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The role of an SRT session that publishes:
 *
 *     datagrams -> ngx_media_srt_rx.h -> MPEG-TS -> ngx_media_publish.h
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_srt_control.h"
#include "ingest/ngx_media_publish.h"
#include "ingest/ngx_media_srt_report.h"
#include "ingest/ngx_media_srt_rx.h"
#include "ingest/ngx_media_srt_session.h"
#include "ingest/ngx_media_ts_in.h"


#define NGX_MEDIA_SRT_PUBLISH_REPORT  1000000     /* us */
#define NGX_MEDIA_SRT_PUBLISH_WALL    100000      /* us */


typedef struct {
    ngx_media_publisher_t    *publisher;      /* waiting, or begun; NULL */
    ngx_media_srt_rx_t       *rx;
    ngx_media_ts_in_t        *ts;
    int64_t                   wall;           /* us: of the epoch's clock, ahead
                                                 of the other one, */
    int64_t                   walled;         /* us: as it was then */
    int64_t                   reported;       /* us: what has come was told */
    ngx_media_srt_report_t    report;
} ngx_media_srt_publish_t;


static ngx_int_t ngx_media_srt_publish_ask(ngx_media_srt_session_t *session);
static void ngx_media_srt_publish_ready(void *data, ngx_media_publish_e rc,
    const char *reason);
static ngx_int_t ngx_media_srt_publish_begun(
    ngx_media_srt_session_t *session, ngx_media_publish_e rc,
    const char *reason);
static void ngx_media_srt_publish_close(void *data, const char *reason);
static ngx_int_t ngx_media_srt_publish_open(ngx_media_srt_session_t *session,
    int64_t now);
static ngx_int_t ngx_media_srt_publish_data(ngx_media_srt_session_t *session,
    ngx_media_srt_slot_t *slot, const ngx_media_srt_data_t *packet,
    int64_t now);
static void ngx_media_srt_publish_control(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now);
static ngx_msec_t ngx_media_srt_publish_tick(ngx_media_srt_session_t *session,
    int64_t now);
static ngx_int_t ngx_media_srt_publish_drain(
    ngx_media_srt_session_t *session);
static void ngx_media_srt_publish_end(ngx_media_srt_session_t *session,
    const char *reason);
static void ngx_media_srt_publish_wall(ngx_media_srt_publish_t *publish,
    int64_t now);
static void ngx_media_srt_publish_report(ngx_media_srt_session_t *session,
    int64_t now);
static ngx_int_t ngx_media_srt_publish_decrypt(void *data, uint32_t seq,
    ngx_uint_t kk, u_char *pos, u_char *last);
static void ngx_media_srt_publish_deliver(void *data, const u_char *pos,
    const u_char *last, int64_t at);
static void ngx_media_srt_publish_gap(void *data, ngx_uint_t packets);


const ngx_media_srt_role_t  ngx_media_srt_publish_role = {
    "publish",
    ngx_media_srt_publish_ask,
    ngx_media_srt_publish_open,
    ngx_media_srt_publish_data,
    ngx_media_srt_publish_control,
    ngx_media_srt_publish_tick,
    ngx_media_srt_publish_drain,
    ngx_media_srt_publish_end
};


static ngx_str_t  ngx_media_srt_protocol = ngx_string("srt");


static ngx_int_t
ngx_media_srt_publish_ask(ngx_media_srt_session_t *session)
{
    const char               *reason;
    ngx_connection_t         *c;
    ngx_media_publish_t       conf;
    ngx_media_publish_e       rc;
    ngx_media_publisher_t    *publisher;
    ngx_media_srt_publish_t  *publish;

    c = session->connection;

    publish = ngx_pcalloc(c->pool, sizeof(ngx_media_srt_publish_t));
    if (publish == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    session->ctx = publish;

    ngx_memzero(&conf, sizeof(ngx_media_publish_t));

    conf.app = session->conf->app;
    conf.name = session->asked_for;
    conf.args = session->args;
    conf.protocol = ngx_media_srt_protocol;
    conf.address = c->addr_text;
    conf.connection = c;
    conf.timebase = NGX_MEDIA_TS_IN_TIMEBASE;
    conf.wrap = NGX_MEDIA_TS_IN_WRAP;
    conf.bare = 1;
    conf.log = c->log;
    conf.returns = 1;
    conf.ready = ngx_media_srt_publish_ready;
    conf.close = ngx_media_srt_publish_close;
    conf.data = session;

    rc = ngx_media_publish_begin(&conf, &publisher, &reason);

    if (rc == NGX_MEDIA_PUBLISH_OK || rc == NGX_MEDIA_PUBLISH_WAIT) {
        publish->publisher = publisher;
    }

    if (rc == NGX_MEDIA_PUBLISH_WAIT) {
        return NGX_AGAIN;
    }

    return ngx_media_srt_publish_begun(session, rc, reason);
}


static void
ngx_media_srt_publish_ready(void *data, ngx_media_publish_e rc,
    const char *reason)
{
    ngx_media_srt_session_t *session = data;

    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        publish->publisher = NULL;
    }

    ngx_media_srt_answered(session,
                           ngx_media_srt_publish_begun(session, rc, reason));
}


static ngx_int_t
ngx_media_srt_publish_begun(ngx_media_srt_session_t *session,
    ngx_media_publish_e rc, const char *reason)
{
    ngx_str_t                 name;
    ngx_uint_t                code;
    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    switch (rc) {

    case NGX_MEDIA_PUBLISH_OK:
        ngx_media_publish_name(publish->publisher, &name);

        return ngx_media_srt_named(session, &name);

    case NGX_MEDIA_PUBLISH_DENIED:
        code = NGX_MEDIA_SRT_REFUSE_UNAUTHORIZED;
        break;

    case NGX_MEDIA_PUBLISH_CONFLICT:
        code = NGX_MEDIA_SRT_REFUSE_CONFLICT;
        break;

    case NGX_MEDIA_PUBLISH_NAME:
        code = NGX_MEDIA_SRT_REFUSE_SID;
        break;

    case NGX_MEDIA_PUBLISH_CLOSING:
        code = NGX_MEDIA_SRT_REFUSE_UNAVAILABLE;
        break;

    case NGX_MEDIA_PUBLISH_LIMIT:
    case NGX_MEDIA_PUBLISH_HURRIES:
        code = NGX_MEDIA_SRT_REFUSE_OVERLOAD;
        break;

    default: /* NGX_MEDIA_PUBLISH_NOMEM */
        code = NGX_MEDIA_SRT_REFUSE_RESOURCE;
    }

    return ngx_media_srt_decline(session, code, reason);
}


static void
ngx_media_srt_publish_close(void *data, const char *reason)
{
    ngx_media_srt_session_t *session = data;

    ngx_media_srt_session_end(session, reason);
}


static ngx_int_t
ngx_media_srt_publish_open(ngx_media_srt_session_t *session, int64_t now)
{
    ngx_connection_t         *c;
    ngx_media_ts_in_conf_t    ts;
    ngx_media_srt_rx_conf_t   rx;
    ngx_media_srt_publish_t  *publish;

    c = session->connection;
    publish = session->ctx;

    ngx_memzero(&rx, sizeof(ngx_media_srt_rx_conf_t));

    rx.slots = ngx_media_srt_worker_slots(session->conf);
    rx.log = c->log;
    rx.isn = session->hs->isn;
    rx.latency = session->latency;
    rx.room = ngx_media_srt_session_room(session);
    rx.early = session->conf->early;
    rx.rexmit = (session->hs->flags & NGX_MEDIA_SRT_FLAG_REXMIT) != 0;
    rx.send = ngx_media_srt_session_reply;
    rx.decrypt = ngx_media_srt_publish_decrypt;
    rx.deliver = ngx_media_srt_publish_deliver;
    rx.gap = ngx_media_srt_publish_gap;
    rx.data = session;

    publish->rx = ngx_media_srt_rx_create(&rx, now);
    if (publish->rx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ts, sizeof(ngx_media_ts_in_conf_t));

    ts.publisher = publish->publisher;
    ts.program = session->conf->program;
    ts.log = c->log;
    ts.early = session->conf->ts_early;

    publish->ts = ngx_media_ts_in_create(&ts);
    if (publish->ts == NULL) {
        return NGX_ERROR;
    }

    ngx_media_srt_publish_wall(publish, now);

    c->log->action = "receiving SRT media";

    ngx_log_error(NGX_LOG_INFO, c->log, 0, "srt publish started");

    return NGX_OK;
}


static ngx_int_t
ngx_media_srt_publish_data(ngx_media_srt_session_t *session,
    ngx_media_srt_slot_t *slot, const ngx_media_srt_data_t *packet,
    int64_t now)
{
    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    return ngx_media_srt_rx_data(publish->rx, slot, packet, now);
}


static void
ngx_media_srt_publish_control(ngx_media_srt_session_t *session,
    const ngx_media_srt_control_t *packet, int64_t now)
{
    uint32_t                  from, to;
    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    ngx_media_srt_rx_stamp(publish->rx, packet->ts);

    switch (packet->type) {

    case NGX_MEDIA_SRT_ACKACK:
        ngx_media_srt_rx_ackack(publish->rx, packet->info, now);
        break;

    case NGX_MEDIA_SRT_DROPREQ:

        if (ngx_media_srt_dropreq_parse(packet->pos, packet->last, &from, &to)
            == NGX_OK)
        {
            ngx_media_srt_rx_dropreq(publish->rx, from, to);
        }

        break;
    }
}


static ngx_msec_t
ngx_media_srt_publish_tick(ngx_media_srt_session_t *session, int64_t now)
{
    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    if (now - publish->walled >= NGX_MEDIA_SRT_PUBLISH_WALL) {
        ngx_media_srt_publish_wall(publish, now);
    }

    if (now - publish->reported >= NGX_MEDIA_SRT_PUBLISH_REPORT) {
        publish->reported = now;
        ngx_media_srt_publish_report(session, now);
    }

    return ngx_media_srt_rx_tick(publish->rx, now);
}


/* it stays: publish bounds for how long, see "drain" */

static ngx_int_t
ngx_media_srt_publish_drain(ngx_media_srt_session_t *session)
{
    return NGX_OK;
}


static void
ngx_media_srt_publish_end(ngx_media_srt_session_t *session, const char *reason)
{
    ngx_uint_t                begun;
    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    if (publish == NULL) {
        return;
    }

    begun = publish->ts != NULL;

    if (publish->rx) {

        /* what the peer has sent before it said goodbye, as a whole */

        if (begun && session->closed) {
            session->reason = NULL;

            ngx_media_srt_rx_flush(publish->rx);

            if (session->reason == NULL) {
                (void) ngx_media_ts_in_flush(publish->ts);
            }

            session->reason = reason;
        }

        if (begun) {
            ngx_media_srt_publish_report(session, ngx_media_srt_now());
        }

        ngx_media_srt_rx_destroy(publish->rx);
        publish->rx = NULL;
    }

    if (publish->ts) {
        ngx_media_ts_in_destroy(publish->ts);
        publish->ts = NULL;
    }

    if (publish->publisher) {
        ngx_media_publish_end(publish->publisher, reason);
        publish->publisher = NULL;
    }

    if (begun) {
        ngx_log_error(NGX_LOG_INFO, session->connection->log, 0,
                      "srt publish ended: %s", reason);
    }
}


/* arrivals are of the epoch's clock, which may be set: not during one event */

static void
ngx_media_srt_publish_wall(ngx_media_srt_publish_t *publish, int64_t now)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    publish->walled = now;
    publish->wall = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000
                    - ngx_media_srt_now();
}


static void
ngx_media_srt_publish_report(ngx_media_srt_session_t *session, int64_t now)
{
    ngx_media_link_t             link;
    ngx_media_srt_publish_t     *publish;
    ngx_media_srt_report_now_t   is_now;

    publish = session->ctx;

    ngx_media_srt_rx_stat(publish->rx, &is_now.rx, now);
    ngx_media_srt_keys_stat(session->keys, &is_now.keys);

    is_now.overflows = session->overflows;
    is_now.latency = session->latency;

    ngx_media_srt_report(&publish->report, &is_now, now, &link,
                         session->connection->log);
    ngx_media_ts_in_link(publish->ts, &link);

    ngx_media_publish_link(publish->publisher, &link);
}


/* also where nothing is: then what is encrypted is dropped */

static ngx_int_t
ngx_media_srt_publish_decrypt(void *data, uint32_t seq, ngx_uint_t kk,
    u_char *pos, u_char *last)
{
    ngx_media_srt_session_t *session = data;

    return ngx_media_srt_keys_decrypt(session->keys, seq, kk, pos, last);
}


static void
ngx_media_srt_publish_deliver(void *data, const u_char *pos,
    const u_char *last, int64_t at)
{
    ngx_media_srt_session_t *session = data;

    ngx_media_publish_e       rc;
    ngx_media_srt_publish_t  *publish;

    if (session->reason) {
        return;
    }

    publish = session->ctx;

    rc = ngx_media_ts_in_bytes(publish->ts, pos, last,
                               (at + publish->wall) / 1000);

    if (!ngx_media_publish_goes_on(rc)) {
        ngx_media_srt_session_fail(session,
                                   ngx_media_ts_in_why(publish->ts, rc));
    }
}


static void
ngx_media_srt_publish_gap(void *data, ngx_uint_t packets)
{
    ngx_media_srt_session_t *session = data;

    ngx_media_srt_publish_t  *publish;

    publish = session->ctx;

    ngx_media_ts_in_gap(publish->ts, packets * NGX_MEDIA_SRT_PAYLOAD);
}
