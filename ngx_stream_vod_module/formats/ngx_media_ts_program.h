
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a demultiplexer does with sections: which program is read, and which of
 * its streams.  Between the files of ngx_media_ts_demux.h.
 */


#ifndef _NGX_MEDIA_TS_PROGRAM_H_INCLUDED_
#define _NGX_MEDIA_TS_PROGRAM_H_INCLUDED_


#include "formats/ngx_media_ts_demux.h"


/* of map: no slot, and that was said */
#define NGX_MEDIA_TS_MAP_NOTED  0xff


/* states of a slot of PES packets */

typedef enum {
    NGX_MEDIA_TS_PES_IDLE = 0,                /* until one begins */
    NGX_MEDIA_TS_PES_HEADER,
    NGX_MEDIA_TS_PES_REST,                    /* of the header */
    NGX_MEDIA_TS_PES_BODY,
    NGX_MEDIA_TS_PES_ENDED                    /* before the next one begins */
} ngx_media_ts_pes_e;


/* the slot of a PID, or NULL */

static ngx_inline ngx_media_ts_slot_t *
ngx_media_ts_slot(ngx_media_ts_demux_t *d, ngx_uint_t pid)
{
    ngx_uint_t  i;

    i = d->map[pid];

    return (i != 0 && i != NGX_MEDIA_TS_MAP_NOTED) ? &d->slots[i - 1] : NULL;
}


/* one of the PID of the packet, that says nothing yet */

static ngx_inline void
ngx_media_ts_event(const ngx_media_ts_demux_t *d, ngx_media_ts_event_t *ev)
{
    ngx_memzero(ev, sizeof(ngx_media_ts_event_t));

    ev->pid = d->slot ? d->slot->pid : NGX_MEDIA_TS_PID_NULL;
    ev->stream = d->slot ? d->slot->stream : NGX_MEDIA_TS_STREAMS;
    ev->pts = NGX_MEDIA_TS_NO_TIME;
    ev->dts = NGX_MEDIA_TS_NO_TIME;
    ev->pcr = d->pcr;
    ev->from = NGX_MEDIA_TS_NO_TIME;
}


/* NULL: there is none left; the PID may have one already */
ngx_media_ts_slot_t *ngx_media_ts_slot_open(ngx_media_ts_demux_t *d,
    ngx_uint_t pid, ngx_media_ts_slot_e kind);

/* all sections that are in the payload; NGX_OK: ev, NGX_DONE */
ngx_int_t ngx_media_ts_sections(ngx_media_ts_demux_t *d,
    ngx_media_ts_event_t *ev);


#endif /* _NGX_MEDIA_TS_PROGRAM_H_INCLUDED_ */
