
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_transcode_step.h"


/* pictures a second, thousandths, of a source that does not say */
#define NGX_MEDIA_STEP_FPS     30000

/* a mean of about so many */
#define NGX_MEDIA_STEP_MEAN    8

/* times at which jobs go up that went down together: what one uses then is
   seen before the next one looks */
#define NGX_MEDIA_STEP_TURNS   8


static ngx_uint_t ngx_media_step_every(const ngx_media_step_t *rung,
    ngx_uint_t step);
static void ngx_media_step_mean(uint64_t *mean, uint64_t value);
static ngx_uint_t ngx_media_step_suffers(const ngx_media_step_job_t *job);
static ngx_uint_t ngx_media_step_down(ngx_media_step_job_t *job,
    ngx_uint_t suffers, int64_t now);
static ngx_uint_t ngx_media_step_up(ngx_media_step_job_t *job, int64_t now,
    uint64_t used, uint64_t cores);
static uint64_t ngx_media_step_use(const ngx_media_step_job_t *job,
    const ngx_media_step_t *rung, ngx_uint_t step, uint64_t ns);
static void ngx_media_step_changed(ngx_media_step_job_t *job, int64_t now);


ngx_uint_t
ngx_media_step_takes(ngx_media_step_t *rung, int64_t pts, int64_t duration,
    ngx_uint_t cut)
{
    int64_t     next;
    ngx_uint_t  every;

    every = ngx_media_step_every(rung, rung->step);
    next = rung->last + (int64_t) (2 * every - 1) * duration / 2;

    if (rung->begun && !cut && (every == 0 || (every > 1 && pts < next))) {
        return 0;
    }

    rung->begun = 1;
    rung->last = pts;

    return 1;
}


/* one in so many pictures of the source; 0: only those that are cuts */

static ngx_uint_t
ngx_media_step_every(const ngx_media_step_t *rung, ngx_uint_t step)
{
    if (step >= NGX_MEDIA_STEP_ONLY_CUTS) {
        return 0;
    }

    return (ngx_uint_t) 1 << (step + rung->half);
}


/* the newest one that is no cut gives way, also if it is the one that comes */

void *
ngx_media_step_put(ngx_media_step_queue_t *queue, void *picture,
    ngx_uint_t cut)
{
    void        *gone;
    ngx_uint_t   i;

    gone = NULL;

    if (queue->n >= NGX_MEDIA_STEP_QUEUE) {

        for (i = queue->n; i; i--) {
            if (!queue->slots[i - 1].cut) {
                break;
            }
        }

        if (i == 0 && !cut) {
            return picture;
        }

        if (i == 0 && queue->n == NGX_MEDIA_STEP_CUTS) {
            i = 1;
        }

        if (i) {
            gone = queue->slots[i - 1].picture;
            queue->n--;

            ngx_memmove(&queue->slots[i - 1], &queue->slots[i],
                        (queue->n - (i - 1)) * sizeof(ngx_media_step_slot_t));
        }
    }

    queue->slots[queue->n].picture = picture;
    queue->slots[queue->n].cut = cut ? 1 : 0;
    queue->n++;

    return gone;
}


void *
ngx_media_step_take(ngx_media_step_queue_t *queue, ngx_uint_t *cut)
{
    void  *picture;

    if (queue->n == 0) {
        return NULL;
    }

    picture = queue->slots[0].picture;
    *cut = queue->slots[0].cut;

    queue->n--;

    ngx_memmove(&queue->slots[0], &queue->slots[1],
                queue->n * sizeof(ngx_media_step_slot_t));

    return picture;
}


void
ngx_media_step_replaced(ngx_media_step_t *rung, int64_t now)
{
    if (rung->replaced && now - rung->replaced <= NGX_MEDIA_STEP_HURRY) {
        rung->overload = 1;
    }

    rung->replaced = now;
}


void
ngx_media_step_out(ngx_media_step_job_t *job, ngx_uint_t rung, int64_t lag,
    uint64_t cpu, uint64_t wall)
{
    int64_t            sum;
    ngx_uint_t         i;
    ngx_media_step_t  *r;

    r = &job->rungs[rung];

    ngx_media_step_mean(&r->cost, cpu);
    ngx_media_step_mean(&r->wall, wall);

    r->lags[r->nlags++ % NGX_MEDIA_STEP_LAGS] = lag;

    if (r->nlags < NGX_MEDIA_STEP_LAGS) {
        return;
    }

    sum = 0;

    for (i = 0; i < NGX_MEDIA_STEP_LAGS; i++) {
        sum += r->lags[i];
    }

    if (sum > (int64_t) job->latency * NGX_MEDIA_STEP_LAGS) {
        r->overload = 1;
    }
}


static void
ngx_media_step_mean(uint64_t *mean, uint64_t value)
{
    if (*mean == 0) {
        *mean = value;
        return;
    }

    *mean = (*mean * (NGX_MEDIA_STEP_MEAN - 1) + value) / NGX_MEDIA_STEP_MEAN;
}


ngx_uint_t
ngx_media_step_decide(ngx_media_step_job_t *job, int64_t now, uint64_t used,
    uint64_t cores)
{
    ngx_uint_t  suffers;

    suffers = ngx_media_step_suffers(job);

    if (suffers < job->nrungs) {
        return ngx_media_step_down(job, suffers, now);
    }

    return ngx_media_step_up(job, now, used, cores);
}


static ngx_uint_t
ngx_media_step_suffers(const ngx_media_step_job_t *job)
{
    ngx_uint_t  i;

    for (i = 0; i < job->nrungs; i++) {
        if (job->rungs[i].overload) {
            break;
        }
    }

    return i;
}


/*
 * The dearest rung gets less to do, whichever is late: it is what the others
 * wait for.  But one whose pictures take longer than they last is late by
 * itself.
 */

static ngx_uint_t
ngx_media_step_down(ngx_media_step_job_t *job, ngx_uint_t suffers, int64_t now)
{
    uint64_t           use, most;
    ngx_uint_t         i, down;
    ngx_media_step_t  *rung;

    down = job->nrungs;
    most = 0;

    for (i = 0; i < job->nrungs; i++) {
        rung = &job->rungs[i];

        if (rung->step == NGX_MEDIA_STEP_ONLY_CUTS) {
            continue;
        }

        use = ngx_media_step_use(job, rung, rung->step, rung->cost);

        if (down == job->nrungs || use > most) {
            down = i;
            most = use;
        }
    }

    rung = &job->rungs[suffers];

    if (rung->step < NGX_MEDIA_STEP_ONLY_CUTS
        && ngx_media_step_use(job, rung, rung->step, rung->wall) > 1000)
    {
        down = suffers;
    }

    if (down == job->nrungs) {

        /* there is nothing left to shed */

        ngx_media_step_changed(job, now);
        return down;
    }

    if (job->raised && now - job->raised < NGX_MEDIA_STEP_UP) {
        job->patience = ngx_max(job->patience, NGX_MEDIA_STEP_UP) * 2;
        job->patience = ngx_min(job->patience, NGX_MEDIA_STEP_UP_MAX);

    } else if (job->raised == 0) {
        job->patience = NGX_MEDIA_STEP_UP;
    }

    job->rungs[down].step++;

    ngx_media_step_changed(job, now);

    return down;
}


/* one that costs least, if there is room for what it does more then */

static ngx_uint_t
ngx_media_step_up(ngx_media_step_job_t *job, int64_t now, uint64_t used,
    uint64_t cores)
{
    uint64_t           use, least, more;
    ngx_uint_t         i, up;
    ngx_msec_t         wait;
    ngx_media_step_t  *rung;

    up = job->nrungs;
    least = 0;
    more = 0;

    wait = job->patience + job->patience / NGX_MEDIA_STEP_TURNS
                           * (job->salt % NGX_MEDIA_STEP_TURNS);

    if (now - job->changed < (int64_t) wait) {
        return up;
    }

    for (i = 0; i < job->nrungs; i++) {
        rung = &job->rungs[i];

        if (rung->step == NGX_MEDIA_STEP_ALL) {
            continue;
        }

        use = ngx_media_step_use(job, rung, rung->step - 1, rung->cost);

        if ((up == job->nrungs || use < least)
            && ngx_media_step_use(job, rung, rung->step - 1, rung->wall)
               < 10 * NGX_MEDIA_STEP_ROOM)
        {
            up = i;
            least = use;
            more = use - ngx_media_step_use(job, rung, rung->step,
                                            rung->cost);
        }
    }

    if (up == job->nrungs
        || (used + more) * 100 >= cores * NGX_MEDIA_STEP_ROOM)
    {
        return job->nrungs;
    }

    /* the last one up was not in vain */

    if (job->raised && now - job->raised >= 2 * NGX_MEDIA_STEP_UP) {
        job->patience = NGX_MEDIA_STEP_UP;
    }

    job->rungs[up].step--;
    job->raised = now;

    ngx_media_step_changed(job, now);

    return up;
}


/* thousandths of a second, each second, if a picture takes so many ns */

static uint64_t
ngx_media_step_use(const ngx_media_step_job_t *job,
    const ngx_media_step_t *rung, ngx_uint_t step, uint64_t ns)
{
    uint64_t    fps;
    ngx_uint_t  every;

    every = ngx_media_step_every(rung, step);

    if (every == 0) {
        return 0;
    }

    fps = job->fps ? job->fps : NGX_MEDIA_STEP_FPS;

    return ns / 1000 * fps / 1000 / 1000 / every;
}


/* what is seen from now on is of what is done now */

static void
ngx_media_step_changed(ngx_media_step_job_t *job, int64_t now)
{
    ngx_uint_t         i;
    ngx_media_step_t  *rung;

    job->changed = now;

    for (i = 0; i < job->nrungs; i++) {
        rung = &job->rungs[i];

        rung->nlags = 0;
        rung->replaced = 0;
        rung->overload = 0;
    }
}


ngx_uint_t
ngx_media_step_input(ngx_msec_t latency, int64_t behind, size_t bytes)
{
    int64_t  limit;

    limit = ngx_max((int64_t) latency * 2, NGX_MEDIA_STEP_BEHIND);

    if (behind > limit || bytes > NGX_MEDIA_STEP_BYTES) {
        return NGX_MEDIA_STEP_DROP;
    }

    return behind > (int64_t) latency ? NGX_MEDIA_STEP_SKIP
                                      : NGX_MEDIA_STEP_DECODE;
}


const char *
ngx_media_step_name(ngx_uint_t step)
{
    static const char  *names[] = { "all", "1/2", "1/4", "cuts" };

    return names[ngx_min(step, NGX_MEDIA_STEP_ONLY_CUTS)];
}
