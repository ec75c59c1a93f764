
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* what is true of each plan */


#ifndef _MEDIA_PLAN_H_INCLUDED_
#define _MEDIA_PLAN_H_INCLUDED_


#include "formats/ngx_media_plan.h"


/* runs are within it, and are of all segments, each once */

static ngx_uint_t
media_plan_is_whole(const ngx_media_plan_t *plan, size_t size)
{
    uint32_t                     i, n;
    const ngx_media_plan_run_t  *run;

    if (size < sizeof(ngx_media_plan_t) || plan->size != size
        || plan->timescale == 0
        || (size - sizeof(ngx_media_plan_t)) / sizeof(ngx_media_plan_run_t)
           < plan->nruns
        || plan->nsegments > NGX_MEDIA_PLAN_SEGMENTS_MAX)
    {
        return 0;
    }

    run = (const ngx_media_plan_run_t *) (plan + 1);
    n = 0;

    for (i = 0; i < plan->nruns; i++) {

        if (run[i].segment != n || run[i].count == 0
            || run[i].count > plan->nsegments - n)
        {
            return 0;
        }

        n += run[i].count;
    }

    return n == plan->nsegments;
}


#endif /* _MEDIA_PLAN_H_INCLUDED_ */
