
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How writers end.  A publisher that goes takes its writer along, unless tracks
 * are derived of what it sent: these are late, and go on under its claim until
 * they are done, for some seconds at most, and not when somebody else publishes
 * the stream.  The writer lives longer than its connection then, and has a log
 * of its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_derive_state.h"
#include "core/ngx_media_writer_still.h"


/* ms that derived tracks may go on without a publisher */
#define NGX_MEDIA_WRITER_TRAIL  5000


static void ngx_media_writer_set_log(ngx_media_writer_t *w, ngx_log_t *log);
static void ngx_media_writer_trail(ngx_media_writer_t *w, const char *reason);
static void ngx_media_writer_trail_handler(ngx_event_t *ev);
static u_char *ngx_media_writer_log(ngx_log_t *log, u_char *buf, size_t len);


void
ngx_media_writer_watch(ngx_media_writer_t *w,
    void (*close)(void *data, const char *reason), void *data)
{
    w->close = close;
    w->data = data;
}


void
ngx_media_writers_tick(ngx_media_zone_t *zone)
{
    ngx_queue_t         *q;
    ngx_media_writer_t  *w;

    for (q = ngx_queue_head(&zone->app->publishers);
         q != ngx_queue_sentinel(&zone->app->publishers);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_media_writer_t, queue);

        if (!w->leaving && ngx_media_claim_valid(&w->claim)) {
            ngx_media_writer_tick(w);
        }
    }
}


void
ngx_media_writers_close(ngx_media_zone_t *zone, const char *reason)
{
    const char          *why;
    ngx_queue_t         *q, *next;
    ngx_media_writer_t  *w;

    for (q = ngx_queue_head(&zone->app->publishers);
         q != ngx_queue_sentinel(&zone->app->publishers);
         q = next)
    {
        next = ngx_queue_next(q);
        w = ngx_queue_data(q, ngx_media_writer_t, queue);
        why = reason;

        if (ngx_exiting) {
            ngx_media_stream_yield(&w->claim);
        }

        if (why == NULL && !ngx_media_claim_valid(&w->claim)) {
            why = ngx_media_claim_lost(&w->claim);
        }

        if (why == NULL) {
            continue;
        }

        if (w->leaving) {
            ngx_media_writer_destroy(w, why);

        } else if (w->close) {
            w->close(w->data, why);
        }
    }
}


/* the worker exits: their connections are gone with it */

void
ngx_media_writers_exit(ngx_media_zone_t *zone)
{
    ngx_queue_t         *q;
    ngx_media_writer_t  *w;

    for (q = ngx_queue_head(&zone->app->publishers);
         q != ngx_queue_sentinel(&zone->app->publishers);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_media_writer_t, queue);

        ngx_media_writer_set_log(w, zone->log);
        ngx_media_writer_break(w);
        ngx_media_derived_close(w, "its worker exited");
        ngx_media_stream_release(&w->claim, "its worker exited");
        ngx_media_writer_event_end(w, "its worker exited");
    }
}


/* the one that was borrowed has gone */

static void
ngx_media_writer_set_log(ngx_media_writer_t *w, ngx_log_t *log)
{
    ngx_uint_t            i;
    ngx_queue_t          *q;
    ngx_media_derived_t  *d;

    w->log = log;

    for (i = 0; i < w->ntracks; i++) {
        w->tracks[i]->packer.log = log;
    }

    for (q = ngx_queue_head(&w->derived);
         q != ngx_queue_sentinel(&w->derived);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_media_derived_t, queue);
        d->packer.log = log;
    }

    ngx_media_events_log(&w->events, log);
}


void
ngx_media_writer_end(ngx_media_writer_t *w, const char *reason)
{
    ngx_log_debug4(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media writer ends, cut:%uL tracks:%ui lost:%d: %s",
                   w->cut.number, w->ntracks, w->lost, reason);

    if (ngx_queue_empty(&w->derived)
        || w->lost || !ngx_media_claim_valid(&w->claim))
    {
        ngx_media_writer_destroy(w, reason);
        return;
    }

    ngx_media_writer_break(w);
    ngx_media_stream_finish(&w->claim, reason);

    w->close = NULL;

    if (!ngx_media_derived_end(w)) {
        ngx_media_writer_destroy(w, reason);
        return;
    }

    ngx_media_writer_trail(w, reason);
}


/*
 * The timer keeps a worker that is to leave.  A stream ends when its grace time
 * is over, so nothing may come later than that.
 */

static void
ngx_media_writer_trail(ngx_media_writer_t *w, const char *reason)
{
    ngx_msec_t         limit;
    ngx_media_zone_t  *zone;

    zone = w->claim.stream.zone;
    limit = ngx_min(NGX_MEDIA_WRITER_TRAIL,
                    (ngx_msec_t) w->claim.stream.sh->grace);

    w->leaving = 1;

    /* whatever ends its tracks: this is what others are told */

    w->left = reason;
    w->left_msec = ngx_current_msec;

    /* the record may become another stream's */

    w->name_len = w->claim.stream.sh->name_len;
    ngx_memcpy(w->name, w->claim.stream.sh->name, w->name_len);

    w->own_log = *zone->log;
    w->own_log.handler = ngx_media_writer_log;
    w->own_log.data = w;
    w->own_log.action = NULL;

    ngx_media_writer_set_log(w, &w->own_log);

    w->trail.handler = ngx_media_writer_trail_handler;
    w->trail.data = w;
    w->trail.log = zone->log;

    ngx_add_timer(&w->trail, limit);

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media publisher has gone, derived tracks may be late, "
                   "by ms:%M", limit);
}


static void
ngx_media_writer_trail_handler(ngx_event_t *ev)
{
    ngx_media_writer_t *w = ev->data;

    ngx_log_error(NGX_LOG_INFO, w->log, 0,
                  "media derived tracks were not done in time");

    ngx_media_writer_destroy(w, "derived tracks were not done in time");
}


/* as connections have it */

static u_char *
ngx_media_writer_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_media_writer_t *w = log->data;

    return ngx_slprintf(buf, buf + len, ", app: %V, stream: %*s",
                        &w->app->name, w->name_len, w->name);
}


void
ngx_media_writer_destroy(ngx_media_writer_t *w, const char *reason)
{
    ngx_uint_t  i;

    ngx_queue_remove(&w->queue);

    if (w->trail.timer_set) {
        ngx_del_timer(&w->trail);
    }

    ngx_media_writer_break(w);
    ngx_media_derived_close(w, reason);
    ngx_media_stream_release(&w->claim, reason);
    ngx_media_writer_event_end(w, reason);

    for (i = 0; i < w->ntracks; i++) {
        ngx_media_writer_forget(w->tracks[i]);
        ngx_media_packer_free(&w->tracks[i]->packer);

        if (w->tracks[i]->starts) {
            ngx_free(w->tracks[i]->starts);
        }

        ngx_free(w->tracks[i]);
    }

    if (w->described) {
        ngx_free(w->described);
    }

    ngx_free(w);
}
