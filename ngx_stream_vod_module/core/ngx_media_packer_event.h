
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a packer tells others of: each function is called when the store has
 * it, and costs next to nothing while nobody wants to know.
 */


#ifndef _NGX_MEDIA_PACKER_EVENT_H_INCLUDED_
#define _NGX_MEDIA_PACKER_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_event.h"
#include "core/ngx_media_packer.h"


void ngx_media_packer_event_track(ngx_media_packer_t *p,
    const ngx_media_params_t *params, uint32_t id);
/* it was taken, and somebody wants it */
void ngx_media_packer_event_frame(ngx_media_packer_t *p,
    const ngx_media_packer_frame_t *frame);
void ngx_media_packer_event_part(ngx_media_packer_t *p,
    const ngx_media_part_put_t *put);
void ngx_media_packer_event_segment(ngx_media_packer_t *p);
void ngx_media_packer_event_lost(ngx_media_packer_t *p, ngx_uint_t frames);

/* its counters, before they become another track's, or nobody's */
void ngx_media_packer_sum(ngx_media_packer_t *p);


static ngx_inline ngx_uint_t
ngx_media_packer_tells(const ngx_media_packer_t *p, ngx_media_event_e event)
{
    return p->events && ngx_media_event_wanted(p->events, event);
}


#endif /* _NGX_MEDIA_PACKER_EVENT_H_INCLUDED_ */
