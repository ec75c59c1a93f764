
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "packager/ngx_media_pack.h"


const ngx_media_init_t *
ngx_media_pack_init(const ngx_media_track_view_t *track)
{
    ngx_uint_t  n;

    n = track->nsegments;

    if (n == 0) {
        return track->ninits ? &track->inits[track->ninits - 1] : NULL;
    }

    return ngx_media_pack_init_find(track, track->segments[n - 1].init);
}


const ngx_media_init_t *
ngx_media_pack_init_find(const ngx_media_track_view_t *track, uint64_t name)
{
    ngx_uint_t  i;

    for (i = track->ninits; i > 0; i--) {
        if (track->inits[i - 1].name == name) {
            return &track->inits[i - 1];
        }
    }

    return NULL;
}


int64_t
ngx_media_pack_rescale(int64_t value, uint32_t from, uint32_t to)
{
    if (from == 0) {
        return 0;
    }

    /* in two steps: the product of unix time and both scales has 72 bits */

    return value / from * to + value % from * to / from;
}
