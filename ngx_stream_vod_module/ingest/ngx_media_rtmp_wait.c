
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A stream whose publish waits for an answer.  Clients do not wait for ours:
 * their media comes behind the command, often in the same segment.  So all of
 * the connection stops where that message ends.  What had been received is
 * copied out of the worker's buffer, what follows stays in the kernel's, and
 * the client stops when that is full; its other streams stop with it.
 *
 * A client that goes away meanwhile is noticed where the kernel tells so
 * without being read (EPOLLRDHUP); what it had sent is not looked at then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ingest/ngx_media_rtmp_session.h"


void
ngx_media_rtmp_wait(ngx_media_rtmp_stream_t *stream,
    ngx_media_publisher_t *publisher)
{
    ngx_connection_t  *c;

    c = stream->session->connection;

    stream->waiting = publisher;
    stream->session->waiting = stream;

    c->log->action = "waiting for access checks";

    ngx_log_debug2(NGX_LOG_DEBUG_STREAM, c->log, 0,
                   "rtmp publish waits, message stream:%d name:\"%V\"",
                   (int) (stream - stream->session->streams + 1),
                   ngx_media_access_shown(stream->session->app,
                                          &stream->asked));
}


void
ngx_media_rtmp_unwait(ngx_media_rtmp_stream_t *stream, const char *reason)
{
    ngx_media_publisher_t  *publisher;

    publisher = stream->waiting;

    if (publisher == NULL) {
        return;
    }

    stream->waiting = NULL;
    stream->session->waiting = NULL;

    ngx_media_publish_end(publisher, reason);

    ngx_log_error(NGX_LOG_INFO, &stream->log, 0,
                  "rtmp publish ended before access checks answered: %s, "
                  "name:\"%V\"", reason,
                  ngx_media_access_shown(stream->session->app,
                                         &stream->asked));

    ngx_media_rtmp_free_args(stream);
}


void
ngx_media_rtmp_ready(void *data, ngx_media_publish_e answer,
    const char *reason)
{
    ngx_media_rtmp_stream_t *stream = data;

    ngx_int_t                  rc;
    ngx_media_publisher_t     *publisher;
    ngx_media_rtmp_session_t  *session;

    session = stream->session;
    publisher = stream->waiting;

    stream->waiting = NULL;
    session->waiting = NULL;

    if (answer == NGX_MEDIA_PUBLISH_OK) {
        stream->publisher = publisher;
    }

    session->current = stream;

    rc = ngx_media_rtmp_begun(stream, answer, reason);

    session->current = NULL;

    ngx_media_rtmp_resume(session, rc);
}


ngx_int_t
ngx_media_rtmp_hold(ngx_media_rtmp_session_t *session, const u_char *pos,
    const u_char *last)
{
    session->held = ngx_alloc(last - pos, session->connection->log);
    if (session->held == NULL) {
        return NGX_ERROR;
    }

    session->held_len = last - pos;

    ngx_memcpy(session->held, pos, session->held_len);

    ngx_log_debug1(NGX_LOG_DEBUG_STREAM, session->connection->log, 0,
                   "rtmp input held:%uz", session->held_len);

    return NGX_OK;
}


void
ngx_media_rtmp_free_args(ngx_media_rtmp_stream_t *stream)
{
    if (stream->args.len) {
        ngx_free(stream->args.data);
    }

    ngx_str_null(&stream->args);
}
