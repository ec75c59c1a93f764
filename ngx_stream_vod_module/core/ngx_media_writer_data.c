
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* what a publisher says beside frames, at a time of its own (timing.md, 19) */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_data.h"
#include "core/ngx_media_writer_state.h"


static void ngx_media_writer_event_data(ngx_media_writer_t *w,
    const ngx_media_data_t *data);


ngx_int_t
ngx_media_writer_data(ngx_media_writer_t *w, ngx_media_data_kind_e kind,
    uint64_t stamp, const u_char *pos, const u_char *last)
{
    int64_t           time;
    ngx_int_t         rc;
    ngx_media_data_t  data;

    time = ngx_media_timeline_when(&w->timeline, stamp, ngx_media_wall_msec(),
                                   ngx_media_data_far(kind));

    data.kind = kind;
    data.time = time;
    data.id = 0;
    data.pos = pos;
    data.last = last;

    rc = ngx_media_data_put(&w->claim, &data);

    ngx_log_debug7(NGX_LOG_DEBUG_CORE, w->log, 0,
                   "media data %uL, kind:%V stamp:%uL time:%L late:%L len:%uz "
                   "rc:%i", data.id, ngx_media_data_name(kind), stamp, time,
                   data.time - time, (size_t) (last - pos), rc);

    if (!ngx_media_data_carried(kind)
        && !(w->data_said & (uint32_t) 1 << kind))
    {
        w->data_said |= (uint32_t) 1 << kind;

        ngx_log_error(NGX_LOG_INFO, w->log, 0,
                      "media timed data is kept, but carried to no player, "
                      "kind:%V", ngx_media_data_name(kind));
    }

    switch (rc) {

    case NGX_OK:
        ngx_media_writer_event_data(w, &data);
        break;

    case NGX_DECLINED:
        w->lost = 1;
        break;

    default: /* NGX_ABORT */

        if (!w->data_full) {
            w->data_full = 1;

            ngx_log_error(NGX_LOG_WARN, w->log, 0,
                          "media timed data comes faster than parts go out, "
                          "some of it is lost");
        }
    }

    return rc;
}


static void
ngx_media_writer_event_data(ngx_media_writer_t *w,
    const ngx_media_data_t *data)
{
    ngx_media_event_data_t  what;

    if (!ngx_media_event_wanted(&w->events, NGX_MEDIA_EVENT_DATA)) {
        return;
    }

    what.data = data;
    what.timescale = NGX_MEDIA_DATA_TIMESCALE;

    ngx_media_event_run(&w->events, NGX_MEDIA_EVENT_DATA, 0, &what);
}
