
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What waits for the decoder of a ladder, or a converter of audio.  It is
 * bounded whatever the source is: who puts something in looks first.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>
#include "transcode/ngx_media_transcode_job.h"


#if (NGX_MEDIA_HAVE_AV && NGX_THREADS)

static size_t ngx_media_job_coded_size(const ngx_media_job_coded_t *coded);
static void ngx_media_job_coded_remove(ngx_media_job_input_t *input,
    ngx_media_job_coded_t *coded);
static void ngx_media_job_coded_lose(ngx_media_job_input_t *input,
    ngx_media_job_coded_t *coded);
static ngx_media_job_coded_t *ngx_media_job_input_key(
    const ngx_media_job_input_t *input);
static ngx_uint_t ngx_media_job_input_shrink(ngx_media_job_input_t *input,
    const ngx_media_job_coded_t *newest);


void
ngx_media_job_input_init(ngx_media_job_input_t *input)
{
    ngx_queue_init(&input->queue);

    input->bytes = 0;
    input->n = 0;
}


void
ngx_media_job_input_free(ngx_media_job_input_t *input)
{
    ngx_media_job_coded_t  *coded;

    for ( ;; ) {
        coded = ngx_media_job_coded_take(input);

        if (coded == NULL) {
            return;
        }

        ngx_media_job_coded_free(coded);
    }
}


ngx_media_job_coded_t *
ngx_media_job_coded(const ngx_media_source_frame_t *f,
    ngx_media_job_kind_e kind, const ngx_media_params_t *params)
{
    size_t                  len;
    ngx_media_job_coded_t  *coded;

    len = f ? f->frame.last - f->frame.pos : 0;

    coded = malloc(sizeof(ngx_media_job_coded_t) + len);
    if (coded == NULL) {
        return NULL;
    }

    ngx_memzero(coded, sizeof(ngx_media_job_coded_t));

    coded->kind = kind;
    coded->arrival = (int64_t) ngx_current_msec;

    if (f) {
        coded->pts = f->frame.pts;
        coded->duration = f->frame.duration;
        coded->reorder = f->reorder;
        coded->key = f->frame.key;
        coded->first = f->first;
        coded->settled = f->settled;
        coded->len = len;

        if (len) {
            ngx_memcpy(coded->data, f->frame.pos, len);
        }
    }

    if (params) {
        coded->params = ngx_media_job_params(params);

        if (coded->params == NULL) {
            free(coded);
            return NULL;
        }
    }

    return coded;
}


void
ngx_media_job_coded_free(ngx_media_job_coded_t *coded)
{
    if (coded->params) {
        free(coded->params);
    }

    free(coded);
}


/* periods that nothing is between are one */

void
ngx_media_job_coded_put(ngx_media_job_input_t *input,
    ngx_media_job_coded_t *coded)
{
    ngx_queue_t            *q;
    ngx_media_job_coded_t  *last;

    if (coded->kind == NGX_MEDIA_JOB_PERIOD
        && !ngx_queue_empty(&input->queue))
    {
        q = ngx_queue_last(&input->queue);
        last = ngx_queue_data(q, ngx_media_job_coded_t, queue);

        if (last->kind == NGX_MEDIA_JOB_PERIOD) {
            ngx_media_job_coded_remove(input, last);
        }
    }

    ngx_queue_insert_tail(&input->queue, &coded->queue);

    input->bytes += ngx_media_job_coded_size(coded);
    input->n++;
}


ngx_media_job_coded_t *
ngx_media_job_coded_first(const ngx_media_job_input_t *input)
{
    ngx_queue_t  *q;

    if (ngx_queue_empty(&input->queue)) {
        return NULL;
    }

    q = ngx_queue_head(&input->queue);

    return ngx_queue_data(q, ngx_media_job_coded_t, queue);
}


ngx_media_job_coded_t *
ngx_media_job_coded_take(ngx_media_job_input_t *input)
{
    ngx_media_job_coded_t  *coded;

    coded = ngx_media_job_coded_first(input);

    if (coded == NULL) {
        return NULL;
    }

    ngx_queue_remove(&coded->queue);

    input->bytes -= ngx_media_job_coded_size(coded);
    input->n--;

    return coded;
}


/* of small ones most is what they are kept in */

static size_t
ngx_media_job_coded_size(const ngx_media_job_coded_t *coded)
{
    return sizeof(ngx_media_job_coded_t) + coded->len
           + (coded->params ? sizeof(ngx_media_params_t) : 0);
}


static void
ngx_media_job_coded_remove(ngx_media_job_input_t *input,
    ngx_media_job_coded_t *coded)
{
    ngx_queue_remove(&coded->queue);

    input->bytes -= ngx_media_job_coded_size(coded);
    input->n--;

    ngx_media_job_coded_free(coded);
}


/* its segment begins all the same, which needs none of its bytes */

static void
ngx_media_job_coded_lose(ngx_media_job_input_t *input,
    ngx_media_job_coded_t *coded)
{
    ngx_queue_t            *prev;
    ngx_media_job_coded_t  *less;

    prev = ngx_queue_prev(&coded->queue);

    ngx_queue_remove(&coded->queue);

    input->bytes -= coded->len;

    coded->lost = 1;
    coded->len = 0;

    less = realloc(coded, sizeof(ngx_media_job_coded_t));

    if (less == NULL) {
        less = coded;
    }

    ngx_queue_insert_after(prev, &less->queue);
}


ngx_uint_t
ngx_media_job_input_drop(ngx_media_job_input_t *input, ngx_uint_t *missing)
{
    ngx_uint_t              dropped;
    ngx_queue_t            *q, *next;
    ngx_media_job_coded_t  *coded, *newest;

    dropped = 0;
    newest = ngx_media_job_input_key(input);

    for (q = ngx_queue_head(&input->queue);
         q != ngx_queue_sentinel(&input->queue);
         q = next)
    {
        next = ngx_queue_next(q);
        coded = ngx_queue_data(q, ngx_media_job_coded_t, queue);

        if (coded->kind != NGX_MEDIA_JOB_FRAME || coded->lost) {
            continue;
        }

        if (coded->key && (coded->first || coded == newest)) {
            coded->reset |= *missing;
            *missing = 0;
            continue;
        }

        dropped++;
        *missing = 1;

        if (coded->first) {
            ngx_media_job_coded_lose(input, coded);

        } else {
            ngx_media_job_coded_remove(input, coded);
        }
    }

    return dropped + ngx_media_job_input_shrink(input, newest);
}


static ngx_media_job_coded_t *
ngx_media_job_input_key(const ngx_media_job_input_t *input)
{
    ngx_queue_t            *q;
    ngx_media_job_coded_t  *coded;

    for (q = ngx_queue_last(&input->queue);
         q != ngx_queue_sentinel(&input->queue);
         q = ngx_queue_prev(q))
    {
        coded = ngx_queue_data(q, ngx_media_job_coded_t, queue);

        if (coded->kind == NGX_MEDIA_JOB_FRAME && coded->key && !coded->lost) {
            return coded;
        }
    }

    return NULL;
}


/*
 * There are too many segments, or periods, too: the oldest go, up to the newest
 * key frame.  Without one, no frame is left but those that are lost.
 */

static ngx_uint_t
ngx_media_job_input_shrink(ngx_media_job_input_t *input,
    const ngx_media_job_coded_t *newest)
{
    ngx_uint_t              dropped;
    ngx_queue_t            *q, *next;
    ngx_media_job_coded_t  *coded, *period;

    dropped = 0;
    period = NULL;

    for (q = ngx_queue_head(&input->queue);
         q != ngx_queue_sentinel(&input->queue)
         && input->bytes > NGX_MEDIA_STEP_BYTES;
         q = next)
    {
        next = ngx_queue_next(q);
        coded = ngx_queue_data(q, ngx_media_job_coded_t, queue);

        if (coded == newest || coded->kind == NGX_MEDIA_JOB_END) {
            break;
        }

        if (coded->kind == NGX_MEDIA_JOB_FRAME) {
            dropped += !coded->lost;
            ngx_media_job_coded_remove(input, coded);
            continue;
        }

        /* what comes is of the last one of them */

        if (period) {
            ngx_media_job_coded_remove(input, period);
        }

        period = coded;
    }

    if (dropped == 0) {
        return 0;
    }

    for ( /* void */ ; q != ngx_queue_sentinel(&input->queue);
         q = ngx_queue_next(q))
    {
        coded = ngx_queue_data(q, ngx_media_job_coded_t, queue);

        if (coded->key && !coded->lost) {
            coded->reset = 1;
            break;
        }
    }

    return dropped;
}


ngx_media_params_t *
ngx_media_job_params(const ngx_media_params_t *params)
{
    ngx_media_params_t  *copy;

    copy = malloc(sizeof(ngx_media_params_t));

    if (copy) {
        ngx_media_params_copy(copy, params);
    }

    return copy;
}

#endif /* NGX_MEDIA_HAVE_AV && NGX_THREADS */
