
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* what others are told of a publisher: that it is there, and its periods */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_packer_event.h"
#include "core/ngx_media_writer_state.h"


void
ngx_media_writer_listen(ngx_media_writer_t *w, const ngx_str_t *name,
    const ngx_str_t *protocol, const ngx_str_t *address)
{
    ngx_media_event_publish_t  what;

    ngx_media_events_begin(&w->events, w->app, &w->claim, name, w->log);
    w->events.event.writer = w;

    if (!ngx_media_event_wanted(&w->events, NGX_MEDIA_EVENT_PUBLISH)) {
        return;
    }

    what.protocol = *protocol;
    what.address = *address;

    ngx_media_event_run(&w->events, NGX_MEDIA_EVENT_PUBLISH, 0, &what);
}


void
ngx_media_writer_event_period(ngx_media_writer_t *w,
    ngx_media_writer_track_t *t, int64_t time)
{
    ngx_media_event_period_t  what;

    if (!ngx_media_event_wanted(&w->events, NGX_MEDIA_EVENT_PERIOD)) {
        return;
    }

    what.number = ngx_media_stream_number(&w->claim);
    what.time = time;
    what.timescale = t->params.timescale;

    ngx_media_event_run(&w->events, NGX_MEDIA_EVENT_PERIOD, 0, &what);
}


void
ngx_media_writer_event_end(ngx_media_writer_t *w, const char *reason)
{
    ngx_uint_t              i;
    ngx_media_packer_t     *p;
    ngx_media_event_end_t   what;

    if (ngx_media_event_wanted(&w->events, NGX_MEDIA_EVENT_END)) {

        ngx_memzero(&what, sizeof(ngx_media_event_end_t));

        for (i = 0; i < w->ntracks; i++) {
            p = &w->tracks[i]->packer;

            ngx_media_packer_sum(p);
            ngx_media_event_sum_add(&what.sums[w->tracks[i]->params.type],
                                    &p->sum);
        }

        what.reason = w->left ? w->left : reason;
        what.msec = (w->left ? w->left_msec : ngx_current_msec)
                    - w->events.since;
        what.jumps = w->jumps;

        ngx_media_event_run(&w->events, NGX_MEDIA_EVENT_END, 0, &what);
    }

    ngx_media_events_end(&w->events);
}
