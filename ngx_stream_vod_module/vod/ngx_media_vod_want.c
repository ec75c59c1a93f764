
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What requests want is looked for on the disk first, by a thread of those
 * that read.  What is not there is a making's: it takes the right to make it
 * (an entry of the cache, which is never filled: the disk is), waits for its
 * turn, and is a strand from then on.
 *
 *     open -> lock (-> open) -> queue -> make
 *
 * Where another worker makes it, its right is asked for again and again, and
 * the disk is looked at when that is had.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "files/ngx_media_vod_temp.h"
#include "vod/ngx_media_vod_making.h"
#include "vod/ngx_media_vod_set_make.h"


/* made ones that a process holds open, and for how long, ms */
#define NGX_MEDIA_VOD_MADE_KEPT  32
#define NGX_MEDIA_VOD_MADE_IDLE  10000

/* segments that may wait for each that is made */
#define NGX_MEDIA_VOD_QUEUE      4

/* ms between questions whether another worker is done, at first and later */
#define NGX_MEDIA_VOD_POLL       5
#define NGX_MEDIA_VOD_POLL_MAX   50

/* ms: a worker that leaves does not while there is a timer */
#define NGX_MEDIA_VOD_HOLD       5000
/* a step that takes so long is not believed to end */
#define NGX_MEDIA_VOD_HANGS      10000
/* who waits for so long is not told to wait on: another worker that makes it
   hangs, or all threads do */
#define NGX_MEDIA_VOD_PATIENCE   60000


static ngx_uint_t ngx_media_vod_want_next(ngx_media_vod_want_t *want);
static void ngx_media_vod_want_cleanup(void *data);
static ngx_media_vod_making_t *ngx_media_vod_making_find(
    ngx_media_vod_makings_t *makings, const ngx_media_vod_id_t *id);
static ngx_media_vod_making_t *ngx_media_vod_making_create(
    ngx_media_vod_conf_t *conf, ngx_media_vod_result_t *result,
    const ngx_media_vod_spot_t *spot);
static ngx_int_t ngx_media_vod_making_look(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_look_thread(void *data, ngx_log_t *log);
static void ngx_media_vod_making_looked(ngx_event_t *ev);
static void ngx_media_vod_making_lock(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_turn(ngx_media_vod_making_t *m);
static ngx_uint_t ngx_media_vod_making_full(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_run(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_done(void *data);
static void ngx_media_vod_making_exit(void *data);
static void ngx_media_vod_making_timer(ngx_event_t *ev);
static ngx_uint_t ngx_media_vod_making_late(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_lost(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_hold(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_end(ngx_media_vod_making_t *m,
    ngx_uint_t status, const char *why);
static void ngx_media_vod_making_tell(ngx_media_vod_making_t *m,
    ngx_uint_t status, const char *why);
static void ngx_media_vod_making_cancel(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_drop(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_stopped(void *data);
static void ngx_media_vod_making_free(ngx_media_vod_making_t *m);
static void ngx_media_vod_makings_next(ngx_media_vod_makings_t *makings);
static void ngx_media_vod_making_ahead(ngx_media_vod_conf_t *conf,
    ngx_media_vod_result_t *result, ngx_uint_t track, uint64_t number);
static ngx_media_vod_made_t *ngx_media_vod_kept_find(
    ngx_media_vod_makings_t *makings, const ngx_media_vod_id_t *id);
static void ngx_media_vod_kept_add(ngx_media_vod_makings_t *makings,
    ngx_media_vod_made_t *made);
static void ngx_media_vod_kept_drop(ngx_media_vod_makings_t *makings,
    ngx_media_vod_kept_t *kept);
static void ngx_media_vod_kept_sweep(ngx_event_t *ev);


#define ngx_media_vod_want_count(conf, what, n)                               \
    ngx_media_cache_count((conf)->cache, NGX_MEDIA_VOD_COUNT_##what, n)


ngx_uint_t
ngx_media_vod_is_rung(const ngx_media_vod_set_t *set, ngx_uint_t track)
{
    return track < set->ntracks && ngx_media_vod_set_track(set, track)->rung;
}


ngx_int_t
ngx_media_vod_want(ngx_media_vod_want_t *want)
{
    ngx_pool_cleanup_t       *cln;
    ngx_media_vod_spot_t      spot;
    ngx_media_vod_wait_t     *wait;
    ngx_media_vod_conf_t     *conf;
    ngx_media_vod_making_t   *m;
    ngx_media_vod_makings_t  *makings;

    want->status = 0;
    want->made = NULL;
    want->making = NULL;
    want->waiting = 0;

    if (ngx_media_vod_spot(&want->load->source, want->track, want->number,
                           &spot)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    conf = want->load->conf;
    wait = want->load->state;
    makings = &conf->table->makings;

    cln = ngx_pool_cleanup_add(want->load->pool, 0);
    if (cln == NULL) {
        want->status = 500;
        return NGX_OK;
    }

    cln->handler = ngx_media_vod_want_cleanup;
    cln->data = want;

    want->made = ngx_media_vod_kept_find(makings, &spot.id);

    if (want->made) {
        want->made->refs++;
        want->status = 200;
        ngx_media_vod_want_count(conf, HITS, 1);

        return NGX_OK;
    }

    m = ngx_media_vod_making_find(makings, &spot.id);

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, want->load->log, 0,
                   "media vod: \"%V\" track:%ui segment:%uL is wanted, new:%d "
                   "running:%ui", &want->load->path, want->track,
                   want->number, m == NULL, makings->running);

    if (m == NULL) {
        m = ngx_media_vod_making_create(conf, wait->result, &spot);

        if (m == NULL) {
            want->status = 500;
            return NGX_OK;
        }

        if (ngx_media_vod_making_look(m) != NGX_OK) {
            ngx_media_vod_making_drop(m);
            want->status = 503;
            return NGX_OK;
        }

    } else if (m->state == NGX_MEDIA_VOD_MAKING_MAKE && m->ahead) {
        m->deadline = (int64_t) ngx_current_msec + spot.duration;
        ngx_media_strand_ready(&m->strand, m->deadline);
    }

    if (m->ahead) {
        m->ahead = 0;
        m->since = ngx_current_msec;
    }

    m->follow |= ngx_media_vod_want_next(want);

    want->making = m;
    want->waiting = 1;
    ngx_queue_insert_tail(&m->waiters, &want->queue);
    ngx_media_vod_making_hold(m);
    ngx_media_vod_want_count(conf, WAITED, 1);

    return NGX_AGAIN;
}


/* it was asked for by who was sent the one before */

static ngx_uint_t
ngx_media_vod_want_next(ngx_media_vod_want_t *want)
{
    uint64_t                  this[3], hash, last;
    ngx_uint_t                follows, i;
    ngx_media_vod_makings_t  *makings;

    makings = &want->load->conf->table->makings;

    this[0] = want->load->source.set->hash;
    this[1] = want->track;
    this[2] = want->number;

    hash = ngx_media_hash((u_char *) this, sizeof(this));

    this[2]--;
    last = ngx_media_hash((u_char *) this, sizeof(this));
    follows = 0;

    for (i = 0; i < NGX_MEDIA_VOD_ASKED; i++) {

        if (makings->asked[i] == hash) {
            return 0;
        }

        follows |= (makings->asked[i] == last);
    }

    makings->asked[makings->nasked++ % NGX_MEDIA_VOD_ASKED] = hash;

    return want->number > 0 && follows;
}


static void
ngx_media_vod_want_cleanup(void *data)
{
    ngx_media_vod_want_t *want = data;

    ngx_media_vod_made_unref(want->made);
    want->made = NULL;

    ngx_media_vod_want_stop(want);
}


void
ngx_media_vod_want_stop(ngx_media_vod_want_t *want)
{
    ngx_media_vod_making_t  *m;

    if (!want->waiting) {
        return;
    }

    ngx_queue_remove(&want->queue);
    want->waiting = 0;

    m = want->making;
    want->making = NULL;

    if (m && ngx_queue_empty(&m->waiters)) {
        ngx_media_vod_making_cancel(m);
    }
}


static ngx_media_vod_making_t *
ngx_media_vod_making_find(ngx_media_vod_makings_t *makings,
    const ngx_media_vod_id_t *id)
{
    ngx_queue_t             *q;
    ngx_media_vod_making_t  *m;

    for (q = ngx_queue_head(&makings->makings);
         q != ngx_queue_sentinel(&makings->makings);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, ngx_media_vod_making_t, queue);

        if (m->state != NGX_MEDIA_VOD_MAKING_STOP
            && ngx_memcmp(&m->spot.id, id, sizeof(ngx_media_vod_id_t)) == 0)
        {
            return m;
        }
    }

    return NULL;
}


static ngx_media_vod_making_t *
ngx_media_vod_making_create(ngx_media_vod_conf_t *conf,
    ngx_media_vod_result_t *result, const ngx_media_vod_spot_t *spot)
{
    size_t                   len;
    u_char                  *p;
    ngx_pool_t              *pool;
    ngx_media_vod_making_t  *m;

    pool = ngx_create_pool(2048, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    len = ngx_strlen(conf->temp) + 1;

    m = ngx_pcalloc(pool, sizeof(ngx_media_vod_making_t));
    p = ngx_pnalloc(pool, len);

    if (m == NULL || p == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    m->task = ngx_thread_task_alloc(pool, 0);
    if (m->task == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    /* threads may be at work when the cycle is gone */

    ngx_memcpy(p, conf->temp, len);

    m->temp = (char *) p;
    m->temp_max = conf->temp_max;

    m->makings = &conf->table->makings;
    m->conf = conf;
    m->pool = pool;
    m->spot = *spot;
    m->result = result;
    m->result->refs++;
    m->delay = NGX_MEDIA_VOD_POLL;
    m->since = ngx_current_msec;
    m->deadline = (int64_t) ngx_current_msec + spot->duration;
    m->writer.fd = NGX_INVALID_FILE;
    m->crumb.fd = NGX_INVALID_FILE;

    ngx_memcpy(m->key, "MAKE", 4);
    m->key[4] = NGX_MEDIA_VOD_VERSION;
    ngx_memcpy(m->key + 8, &spot->id, sizeof(ngx_media_vod_id_t));

    m->timer.handler = ngx_media_vod_making_timer;
    m->timer.data = m;
    m->timer.log = ngx_cycle->log;

    ngx_queue_init(&m->waiters);
    ngx_queue_insert_tail(&m->makings->makings, &m->queue);

    return m;
}


/* NGX_ERROR: no thread takes it */

static ngx_int_t
ngx_media_vod_making_look(ngx_media_vod_making_t *m)
{
    ngx_thread_task_t  *task;

    task = m->task;

    m->state = NGX_MEDIA_VOD_MAKING_OPEN;

    task->ctx = m;
    task->handler = ngx_media_vod_making_look_thread;
    task->event.complete = 0;
    task->event.handler = ngx_media_vod_making_looked;
    task->event.data = m;
    task->event.log = ngx_cycle->log;

    if (ngx_thread_task_post(m->conf->thread_pool, task) != NGX_OK) {
        return NGX_ERROR;
    }

    m->looking = 1;

    return NGX_OK;
}


static void
ngx_media_vod_making_look_thread(void *data, ngx_log_t *log)
{
    ngx_media_vod_making_t *m = data;

    m->made = ngx_media_vod_made_open(m->temp, &m->spot.id);
}


static void
ngx_media_vod_making_looked(ngx_event_t *ev)
{
    ngx_media_vod_making_t *m = ev->data;

    m->looking = 0;

    if (m->makings == NULL
        || (ngx_queue_empty(&m->waiters) && !m->ahead))
    {
        ngx_media_vod_making_drop(m);
        return;
    }

    if (m->made) {
        ngx_media_vod_want_count(m->conf, HITS, 1);
        ngx_media_vod_making_end(m, 200, NULL);
        return;
    }

    if (m->locked) {
        ngx_media_vod_making_turn(m);
        return;
    }

    ngx_media_vod_making_lock(m);
}


static void
ngx_media_vod_making_lock(ngx_media_vod_making_t *m)
{
    ngx_int_t              rc;
    ngx_media_cache_ref_t  ref;

    m->state = NGX_MEDIA_VOD_MAKING_LOCK;

    rc = ngx_media_cache_get(m->conf->cache, m->key, &ref);

    if (rc == NGX_AGAIN) {

        /* who reads ahead does not wait for others who do */

        if (m->ahead) {
            ngx_media_vod_making_drop(m);
            return;
        }

        m->polled = 1;

        if (m->timer.timer_set) {
            ngx_del_timer(&m->timer);
        }

        ngx_add_timer(&m->timer, m->delay);
        m->delay = ngx_min(m->delay * 2, NGX_MEDIA_VOD_POLL_MAX);
        return;
    }

    if (rc == NGX_OK) {
        ngx_media_cache_unpin(m->conf->cache, &ref);
    }

    m->locked = 1;
    ngx_media_vod_making_hold(m);

    if (m->polled) {

        if (ngx_media_vod_making_look(m) != NGX_OK) {
            ngx_media_vod_making_end(m, 503, "no thread takes it");
        }

        return;
    }

    ngx_media_vod_making_turn(m);
}


static void
ngx_media_vod_making_turn(ngx_media_vod_making_t *m)
{
    ngx_media_vod_makings_t  *makings;

    makings = m->makings;

    if (m->ahead && (makings->running || makings->queued)) {
        ngx_media_vod_making_drop(m);
        return;
    }

    if (makings->running < m->conf->ladder->max) {
        ngx_media_vod_making_run(m);
        return;
    }

    if (ngx_media_vod_making_full(m)) {
        ngx_media_vod_want_count(m->conf, REJECTED, 1);
        ngx_media_vod_making_end(m, 503, "too many segments wait to be made");
        return;
    }

    m->state = NGX_MEDIA_VOD_MAKING_QUEUE;
    makings->queued++;
}


/* as many as may wait do, or it would be for longer than two segments */

static ngx_uint_t
ngx_media_vod_making_full(ngx_media_vod_making_t *m)
{
    uint64_t    wait;
    ngx_uint_t  max;

    max = m->conf->ladder->max;

    if (m->makings->queued >= max * NGX_MEDIA_VOD_QUEUE) {
        return 1;
    }

    wait = (uint64_t) m->makings->took * (m->makings->queued + 1) / max;

    return wait > (uint64_t) m->spot.duration * 2;
}


static void
ngx_media_vod_making_run(ngx_media_vod_making_t *m)
{
    m->state = NGX_MEDIA_VOD_MAKING_MAKE;
    m->begun = ngx_current_msec;
    m->rc = NGX_AGAIN;

    m->makings->running++;

    m->strand.step = ngx_media_vod_making_step;
    m->strand.done = ngx_media_vod_making_done;
    m->strand.exit = ngx_media_vod_making_exit;
    m->strand.data = m;

    if (ngx_media_vod_making_init(m) != NGX_OK
        || ngx_media_strand_init(&m->strand, m->conf->ladder->pool) != NGX_OK)
    {
        ngx_media_vod_making_end(m, 500, "no memory");
        return;
    }

    m->stranded = 1;

    ngx_media_strand_ready(&m->strand, m->ahead ? NGX_MEDIA_STRAND_LAST
                                                : m->deadline);
}


static void
ngx_media_vod_making_done(void *data)
{
    ngx_media_vod_making_t *m = data;

    ngx_msec_t               ms;
    ngx_media_strand_stat_t  stat;

    if (m->rc == NGX_AGAIN) {
        ngx_media_strand_ready(&m->strand, m->ahead ? NGX_MEDIA_STRAND_LAST
                                                    : m->deadline);
        return;
    }

    if (m->rc != NGX_OK || m->made == NULL) {
        ngx_media_vod_want_count(m->conf, FAILED, 1);
        ngx_media_vod_making_end(m, 500, (char *) m->error);
        return;
    }

    if (m->found) {
        ngx_media_vod_want_count(m->conf, HITS, 1);
        ngx_media_vod_making_end(m, 200, NULL);
        return;
    }

    ms = ngx_current_msec - m->begun;

    m->makings->took = m->makings->took ? (m->makings->took * 3 + ms) / 4 : ms;

    ngx_media_strand_stat(&m->strand, &stat);

    ngx_media_vod_want_count(m->conf, MADE, 1);
    ngx_media_vod_want_count(m->conf, MEDIA, m->spot.duration);
    ngx_media_vod_want_count(m->conf, CPU, stat.cpu / 1000000);

    ngx_log_debug6(NGX_LOG_DEBUG_HTTP, ngx_cycle->log, 0,
                   "media vod: \"%V\" is made, pictures:%uD bytes:%uL ms:%M "
                   "steps:%uL longest:%uL us", &m->made->path,
                   m->made->nsamples, m->made->bytes, ms, stat.steps,
                   stat.longest / 1000);

    if (m->missing) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "media vod: \"%V\": %uD %s of segment %uL are missing"
                      " in what is made of it, they cannot be decoded",
                      &m->result->make.path, m->missing,
                      m->is_sound ? "packets of audio" : "pictures",
                      m->spot.number);
    }

    ngx_media_vod_making_end(m, 200, NULL);
}


/* threads have gone: what has some of its own goes now */

static void
ngx_media_vod_making_exit(void *data)
{
    ngx_media_vod_making_close(data);
}


static void
ngx_media_vod_making_timer(ngx_event_t *ev)
{
    ngx_media_vod_making_t *m = ev->data;

    if (ngx_media_vod_making_late(m)) {
        ngx_media_vod_want_count(m->conf, REJECTED, 1);
        ngx_media_vod_making_end(m, 503, "its turn does not come");
        return;
    }

    if (m->state == NGX_MEDIA_VOD_MAKING_LOCK) {
        ngx_media_vod_making_lock(m);
        return;
    }

    if (m->state == NGX_MEDIA_VOD_MAKING_MAKE
        && ngx_media_strand_running(&m->strand) > NGX_MEDIA_VOD_HANGS)
    {
        ngx_media_vod_making_lost(m);
        return;
    }

    ngx_media_vod_making_hold(m);
}


/* no step of it has begun, here or, as far as one can know, elsewhere */

static ngx_uint_t
ngx_media_vod_making_late(ngx_media_vod_making_t *m)
{
    ngx_media_strand_stat_t  stat;

    if (ngx_current_msec - m->since < NGX_MEDIA_VOD_PATIENCE) {
        return 0;
    }

    if (m->state != NGX_MEDIA_VOD_MAKING_MAKE) {
        return m->state == NGX_MEDIA_VOD_MAKING_LOCK
               || m->state == NGX_MEDIA_VOD_MAKING_QUEUE;
    }

    ngx_media_strand_stat(&m->strand, &stat);

    return stat.steps == 0 && ngx_media_strand_running(&m->strand) == 0;
}


/*
 * The right to make it stays ours, or another worker would hang in it next;
 * its place is free, or those in the queue would never have theirs.
 */

static void
ngx_media_vod_making_lost(ngx_media_vod_making_t *m)
{
    ngx_media_vod_makings_t  *makings;

    makings = m->makings;

    m->lost = 1;
    makings->running--;

    ngx_media_strand_hung(&m->strand, ngx_cycle->log);
    ngx_media_vod_want_count(m->conf, FAILED, 1);
    ngx_media_vod_making_end(m, 500, "encoder hangs");

    ngx_media_vod_makings_next(makings);
}


/* for whom somebody waits the worker stays */

static void
ngx_media_vod_making_hold(ngx_media_vod_making_t *m)
{
    if (!m->timer.timer_set && !ngx_queue_empty(&m->waiters)) {
        ngx_add_timer(&m->timer, NGX_MEDIA_VOD_HOLD);
    }
}


/* all who wait are told; m may be gone then */

static void
ngx_media_vod_making_end(ngx_media_vod_making_t *m, ngx_uint_t status,
    const char *why)
{
    ngx_uint_t               follow;
    ngx_media_vod_conf_t    *conf;
    ngx_media_vod_result_t  *result;
    ngx_media_vod_spot_t     spot;

    conf = m->conf;
    spot = m->spot;
    result = m->result;
    result->refs++;
    follow = m->follow && status == 200;

    if (status == 200) {
        ngx_media_vod_kept_add(m->makings, m->made);
    }

    ngx_media_vod_making_tell(m, status, why);

    if (follow && !ngx_exiting && !ngx_terminate) {
        ngx_media_vod_making_ahead(conf, result, spot.track, spot.number + 1);
    }

    ngx_media_vod_result_unref(result);
}


/*
 * Handlers may do anything: destroy their pools, cancel others that wait, want
 * more.  m is not found any more when they are called, and is dropped before.
 */

static void
ngx_media_vod_making_tell(ngx_media_vod_making_t *m, ngx_uint_t status,
    const char *why)
{
    u_char                 text[NGX_MEDIA_VOD_ERROR];
    ngx_queue_t           *q, queue;
    ngx_media_vod_made_t  *made;
    ngx_media_vod_want_t  *want;

    made = m->made;
    m->made = NULL;

    (void) ngx_cpystrn(text, (u_char *) (why ? why : ""), sizeof(text));

    ngx_queue_init(&queue);

    while (!ngx_queue_empty(&m->waiters)) {
        q = ngx_queue_head(&m->waiters);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&queue, q);

        want = ngx_queue_data(q, ngx_media_vod_want_t, queue);
        want->making = NULL;
    }

    ngx_media_vod_making_drop(m);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);
        ngx_queue_remove(q);

        want = ngx_queue_data(q, ngx_media_vod_want_t, queue);
        want->waiting = 0;
        want->status = status;

        if (status == 200) {
            want->made = made;
            made->refs++;

        } else {
            ngx_log_error(NGX_LOG_ERR, want->load->log, 0,
                          "media vod: \"%V\": segment %uL: %s",
                          &want->load->path, want->number, text);
        }

        want->handler(want);
    }

    ngx_media_vod_made_unref(made);
}


/* nobody waits for it any more */

static void
ngx_media_vod_making_cancel(ngx_media_vod_making_t *m)
{
    if (m->makings == NULL || m->looking) {
        return;
    }

    if (m->state == NGX_MEDIA_VOD_MAKING_MAKE
        || m->state == NGX_MEDIA_VOD_MAKING_QUEUE)
    {
        ngx_media_vod_want_count(m->conf, CANCELLED, 1);
    }

    ngx_media_vod_making_drop(m);
}


/* in whatever state; it is not found any more */

static void
ngx_media_vod_making_drop(ngx_media_vod_making_t *m)
{
    if (m->timer.timer_set) {
        ngx_del_timer(&m->timer);
    }

    if (m->makings && m->state == NGX_MEDIA_VOD_MAKING_QUEUE) {
        m->makings->queued--;
    }

    m->stopping = (m->state == NGX_MEDIA_VOD_MAKING_MAKE && !m->lost);
    m->state = NGX_MEDIA_VOD_MAKING_STOP;

    if (m->stranded) {
        ngx_media_strand_stop(&m->strand, ngx_media_vod_making_stopped, m);
        return;
    }

    ngx_media_vod_making_stopped(m);
}


static void
ngx_media_vod_making_stopped(void *data)
{
    ngx_media_vod_making_t *m = data;

    ngx_uint_t                running;
    ngx_media_vod_makings_t  *makings;

    makings = m->makings;
    running = m->stopping && !m->lost;

    ngx_media_vod_making_close(m);
    ngx_media_vod_making_free(m);

    if (makings && running) {
        makings->running--;
        ngx_media_vod_makings_next(makings);
    }
}


static void
ngx_media_vod_making_free(ngx_media_vod_making_t *m)
{
    if (m->makings) {
        ngx_queue_remove(&m->queue);

        if (m->locked) {
            ngx_media_cache_abandon(m->conf->cache, m->key);
        }
    }

    ngx_media_vod_made_unref(m->made);
    ngx_media_vod_result_unref(m->result);

    ngx_destroy_pool(m->pool);
}


/* who has waited longest has its turn */

static void
ngx_media_vod_makings_next(ngx_media_vod_makings_t *makings)
{
    ngx_queue_t             *q;
    ngx_media_vod_making_t  *m;

    for (q = ngx_queue_head(&makings->makings);
         q != ngx_queue_sentinel(&makings->makings);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, ngx_media_vod_making_t, queue);

        if (m->state == NGX_MEDIA_VOD_MAKING_QUEUE) {

            if (makings->running < m->conf->ladder->max) {
                makings->queued--;
                ngx_media_vod_making_run(m);
            }

            return;
        }
    }
}


/* what will be asked for next, where nothing else is to be done */

static void
ngx_media_vod_making_ahead(ngx_media_vod_conf_t *conf,
    ngx_media_vod_result_t *result, ngx_uint_t track, uint64_t number)
{
    ngx_media_vod_spot_t      spot;
    ngx_media_vod_making_t   *m;
    ngx_media_vod_source_t    source;
    ngx_media_vod_makings_t  *makings;

    makings = &conf->table->makings;

    ngx_memzero(&source, sizeof(ngx_media_vod_source_t));

    source.set = result->set.data;
    source.files = result->files;
    source.map = &result->make.map;

    if (makings->running || makings->queued
        || ngx_media_vod_spot(&source, track, number, &spot) != NGX_OK
        || ngx_media_vod_making_find(makings, &spot.id)
        || ngx_media_vod_kept_find(makings, &spot.id))
    {
        return;
    }

    m = ngx_media_vod_making_create(conf, result, &spot);

    if (m == NULL) {
        return;
    }

    m->ahead = 1;

    if (ngx_media_vod_making_look(m) != NGX_OK) {
        ngx_media_vod_making_drop(m);
    }
}


static ngx_media_vod_made_t *
ngx_media_vod_kept_find(ngx_media_vod_makings_t *makings,
    const ngx_media_vod_id_t *id)
{
    ngx_queue_t           *q;
    ngx_media_vod_kept_t  *kept;

    for (q = ngx_queue_head(&makings->made);
         q != ngx_queue_sentinel(&makings->made);
         q = ngx_queue_next(q))
    {
        kept = ngx_queue_data(q, ngx_media_vod_kept_t, queue);

        if (ngx_memcmp(&kept->made->id, id, sizeof(ngx_media_vod_id_t)) == 0)
        {
            kept->used = ngx_current_msec;

            ngx_queue_remove(q);
            ngx_queue_insert_head(&makings->made, q);

            return kept->made;
        }
    }

    return NULL;
}


static void
ngx_media_vod_kept_add(ngx_media_vod_makings_t *makings,
    ngx_media_vod_made_t *made)
{
    ngx_queue_t           *q;
    ngx_media_vod_kept_t  *kept;

    if (ngx_media_vod_kept_find(makings, &made->id)) {
        return;
    }

    if (makings->nmade == NGX_MEDIA_VOD_MADE_KEPT) {
        q = ngx_queue_last(&makings->made);
        kept = ngx_queue_data(q, ngx_media_vod_kept_t, queue);
        ngx_media_vod_kept_drop(makings, kept);
    }

    kept = ngx_alloc(sizeof(ngx_media_vod_kept_t), ngx_cycle->log);
    if (kept == NULL) {
        return;
    }

    kept->made = made;
    kept->used = ngx_current_msec;
    made->refs++;

    ngx_queue_insert_head(&makings->made, &kept->queue);
    makings->nmade++;

    if (!makings->sweep.timer_set) {
        makings->sweep.handler = ngx_media_vod_kept_sweep;
        makings->sweep.data = makings;
        makings->sweep.log = ngx_cycle->log;
        makings->sweep.cancelable = 1;

        ngx_add_timer(&makings->sweep, NGX_MEDIA_VOD_MADE_IDLE);
    }
}


static void
ngx_media_vod_kept_drop(ngx_media_vod_makings_t *makings,
    ngx_media_vod_kept_t *kept)
{
    ngx_queue_remove(&kept->queue);
    makings->nmade--;

    ngx_media_vod_made_unref(kept->made);
    ngx_free(kept);
}


static void
ngx_media_vod_kept_sweep(ngx_event_t *ev)
{
    ngx_media_vod_makings_t *makings = ev->data;

    ngx_queue_t           *q;
    ngx_media_vod_kept_t  *kept;

    while (!ngx_queue_empty(&makings->made)) {
        q = ngx_queue_last(&makings->made);
        kept = ngx_queue_data(q, ngx_media_vod_kept_t, queue);

        if (ngx_current_msec - kept->used < NGX_MEDIA_VOD_MADE_IDLE) {
            ngx_add_timer(&makings->sweep, NGX_MEDIA_VOD_MADE_IDLE);
            return;
        }

        ngx_media_vod_kept_drop(makings, kept);
    }
}


void
ngx_media_vod_makings_init(ngx_media_vod_makings_t *makings)
{
    ngx_queue_init(&makings->makings);
    ngx_queue_init(&makings->made);
}


void
ngx_media_vod_makings_orphan(ngx_media_vod_makings_t *makings)
{
    ngx_queue_t             *q;
    ngx_media_vod_want_t    *want;
    ngx_media_vod_kept_t    *kept;
    ngx_media_vod_making_t  *m;

    if (makings->sweep.timer_set) {
        ngx_del_timer(&makings->sweep);
    }

    while (!ngx_queue_empty(&makings->made)) {
        q = ngx_queue_last(&makings->made);
        kept = ngx_queue_data(q, ngx_media_vod_kept_t, queue);
        ngx_media_vod_kept_drop(makings, kept);
    }

    while (!ngx_queue_empty(&makings->makings)) {
        q = ngx_queue_head(&makings->makings);
        m = ngx_queue_data(q, ngx_media_vod_making_t, queue);

        while (!ngx_queue_empty(&m->waiters)) {
            q = ngx_queue_head(&m->waiters);
            ngx_queue_remove(q);

            want = ngx_queue_data(q, ngx_media_vod_want_t, queue);
            want->making = NULL;
            want->waiting = 0;
        }

        if (m->locked && ngx_process != NGX_PROCESS_WORKER) {
            ngx_media_cache_abandon(m->conf->cache, m->key);
        }

        /* a worker's pins go with it, they may be gone already; what threads
           read stays pinned */

        m->result->cache = NULL;

        ngx_queue_remove(&m->queue);
        m->makings = NULL;
        m->conf = NULL;

        if (!m->looking && m->state != NGX_MEDIA_VOD_MAKING_STOP) {
            ngx_media_vod_making_drop(m);
        }
    }
}
