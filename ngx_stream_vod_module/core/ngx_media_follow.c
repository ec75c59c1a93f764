
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who follows a stream in this process.  One reader copies its frames; each is
 * given to all followers in turn, by reference.  Frames since the last key
 * frame are kept, so that whoever comes begins at once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_cut.h"
#include "core/ngx_media_follow_state.h"


/* frames that are kept: more than a key frame interval may have */
#define NGX_MEDIA_FOLLOW_FRAMES  8192

/* ms: a wish to follow is renewed, and who was woken for nothing looks */
#define NGX_MEDIA_FOLLOW_TICK    1000


struct ngx_media_follow_s {
    ngx_queue_t                 queue;        /* of the reader's */
    ngx_media_follow_reader_t  *reader;
    ngx_media_follow_conf_t     conf;
    ngx_uint_t                  told[NGX_MEDIA_TRACKS];  /* versions of them */
    uint32_t                    keyed;        /* bits, by place: a key frame of
                                                 it was given */
    int64_t                     start;        /* dts of the first of them */
    uint32_t                    timescale;    /* of start */
    unsigned                    fresh:1;      /* has not got what is kept */
    unsigned                    given:1;      /* a frame since the last flush */
};


static ngx_media_follow_reader_t *ngx_media_follow_reader_get(
    const ngx_media_stream_t *stream);
static ngx_media_follow_reader_t *ngx_media_follow_reader_create(
    const ngx_media_stream_t *stream);
static void ngx_media_follow_reader_free(ngx_media_follow_reader_t *reader);
static void ngx_media_follow_woken(ngx_media_waiter_t *waiter);
static void ngx_media_follow_timer(ngx_event_t *ev);
static void ngx_media_follow_event(ngx_event_t *ev);
static void ngx_media_follow_wait(ngx_media_follow_reader_t *reader);
static void ngx_media_follow_greet(ngx_media_follow_reader_t *reader);
static void ngx_media_follow_first(ngx_media_follow_reader_t *reader);
static ngx_media_follow_t *ngx_media_follow_next(
    ngx_media_follow_reader_t *reader);
static void ngx_media_follow_frame(ngx_media_follow_reader_t *reader,
    ngx_media_follow_t *follow, ngx_media_frame_t *frame);
static ngx_uint_t ngx_media_follow_wants(ngx_media_follow_reader_t *reader,
    ngx_media_follow_t *follow, const ngx_media_frame_t *frame);
static void ngx_media_follow_keep(ngx_media_follow_reader_t *reader,
    ngx_media_frame_t *frame);
static void ngx_media_follow_flush(ngx_media_follow_reader_t *reader);
static void ngx_media_follow_finish(ngx_media_follow_reader_t *reader,
    const char *reason);


static ngx_queue_t  ngx_media_follow_readers = {
    &ngx_media_follow_readers, &ngx_media_follow_readers
};


ngx_int_t
ngx_media_follow_begin(const ngx_media_follow_conf_t *conf,
    ngx_media_follow_t **follow)
{
    ngx_media_follow_t         *f;
    ngx_media_follow_reader_t  *reader;

    if (ngx_media_stream_version(&conf->stream) == 0) {
        return NGX_DONE;
    }

    f = ngx_calloc(sizeof(ngx_media_follow_t), conf->log);
    if (f == NULL) {
        return NGX_ERROR;
    }

    reader = ngx_media_follow_reader_get(&conf->stream);

    if (reader == NULL) {
        reader = ngx_media_follow_reader_create(&conf->stream);
    }

    if (reader == NULL) {
        ngx_free(f);
        return NGX_ERROR;
    }

    f->reader = reader;
    f->conf = *conf;
    f->fresh = 1;

    ngx_queue_insert_tail(&reader->followers, &f->queue);

    ngx_post_event(&reader->event, &ngx_posted_events);

    *follow = f;

    return NGX_OK;
}


void
ngx_media_follow_end(ngx_media_follow_t *follow)
{
    ngx_media_follow_reader_t  *reader;

    reader = follow->reader;

    if (reader->current == follow) {
        reader->current = NULL;
    }

    if (reader->next == &follow->queue) {
        reader->next = ngx_queue_next(&follow->queue);
    }

    ngx_queue_remove(&follow->queue);
    ngx_free(follow);

    if (!reader->busy && ngx_queue_empty(&reader->followers)) {
        ngx_media_follow_reader_free(reader);
    }
}


static ngx_media_follow_reader_t *
ngx_media_follow_reader_get(const ngx_media_stream_t *stream)
{
    ngx_queue_t                *q;
    ngx_media_follow_reader_t  *reader;

    for (q = ngx_queue_head(&ngx_media_follow_readers);
         q != ngx_queue_sentinel(&ngx_media_follow_readers);
         q = ngx_queue_next(q))
    {
        reader = ngx_queue_data(q, ngx_media_follow_reader_t, queue);

        if (reader->stream.zone == stream->zone
            && reader->stream.sh == stream->sh
            && reader->stream.id == stream->id
            && !reader->ended)
        {
            return reader;
        }
    }

    return NULL;
}


static ngx_media_follow_reader_t *
ngx_media_follow_reader_create(const ngx_media_stream_t *stream)
{
    ngx_log_t                  *log;
    ngx_media_follow_reader_t  *reader;

    log = stream->zone->log;

    reader = ngx_calloc(sizeof(ngx_media_follow_reader_t), log);
    if (reader == NULL) {
        return NULL;
    }

    reader->stream = *stream;
    reader->log = log;
    reader->starting = 1;
    reader->since = ngx_current_msec;
    reader->tail.stream = *stream;

    ngx_queue_init(&reader->followers);

    reader->event.handler = ngx_media_follow_event;
    reader->event.data = reader;
    reader->event.log = log;

    reader->timer.handler = ngx_media_follow_timer;
    reader->timer.data = reader;
    reader->timer.log = log;
    reader->timer.cancelable = 1;

    reader->arrived.notify = ngx_media_tail_notify(stream);
    reader->arrived.log = log;
    reader->arrived.handler = ngx_media_follow_woken;
    reader->arrived.data = reader;

    reader->changed.notify = ngx_media_stream_notify(stream);
    reader->changed.log = log;
    reader->changed.handler = ngx_media_follow_woken;
    reader->changed.data = reader;

    ngx_media_tail_want(stream);

    if (ngx_media_wait(&reader->arrived) != NGX_OK) {
        ngx_free(reader);
        return NULL;
    }

    ngx_add_timer(&reader->timer, NGX_MEDIA_FOLLOW_TICK);

    ngx_queue_insert_tail(&ngx_media_follow_readers, &reader->queue);

    return reader;
}


static void
ngx_media_follow_reader_free(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t  i;

    ngx_media_wait_done(&reader->arrived);
    ngx_media_wait_done(&reader->changed);

    if (reader->timer.timer_set) {
        ngx_del_timer(&reader->timer);
    }

    if (reader->event.posted) {
        ngx_delete_posted_event(&reader->event);
    }

    ngx_media_tail_close(&reader->tail);
    ngx_media_follow_forget(reader);

    for (i = 0; i < reader->nlist; i++) {
        ngx_media_frame_unref(reader->list[i]);
    }

    for (i = 0; i < NGX_MEDIA_TRACKS; i++) {
        if (reader->tracks[i].params) {
            ngx_free(reader->tracks[i].params);
        }
    }

    if (reader->cache) {
        ngx_free(reader->cache);
    }

    if (reader->list) {
        ngx_free(reader->list);
    }

    ngx_queue_remove(&reader->queue);

    ngx_free(reader);
}


static void
ngx_media_follow_woken(ngx_media_waiter_t *waiter)
{
    ngx_media_follow_reader_t *reader = waiter->data;

    if (!reader->event.posted) {
        ngx_post_event(&reader->event, &ngx_posted_events);
    }
}


static void
ngx_media_follow_timer(ngx_event_t *ev)
{
    ngx_media_follow_reader_t *reader = ev->data;

    ngx_media_tail_want(&reader->stream);

    ngx_add_timer(&reader->timer, NGX_MEDIA_FOLLOW_TICK);

    reader->stale = 1;

    ngx_media_follow_event(&reader->event);
}


static void
ngx_media_follow_event(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_media_follow_reader_t  *reader;

    reader = ev->data;

    if (reader->ended) {
        return;
    }

    reader->busy = 1;

    /* who was told nothing yet gets what is kept before what is new */

    ngx_media_follow_greet(reader);

    rc = ngx_media_follow_read(reader);

    ngx_media_follow_flush(reader);

    if (rc == NGX_DONE) {
        ngx_media_follow_finish(reader, "the stream has ended");
    }

    reader->busy = 0;

    if (ngx_queue_empty(&reader->followers)) {
        ngx_media_follow_reader_free(reader);
        return;
    }

    if (!reader->ended) {
        ngx_media_follow_wait(reader);
    }
}


/* parts are of interest only where frames do not come by the tail */

static void
ngx_media_follow_wait(ngx_media_follow_reader_t *reader)
{
    if (!reader->starting && reader->tail.tail) {
        ngx_media_wait_done(&reader->changed);
        return;
    }

    if (reader->changed.active) {
        return;
    }

    if (ngx_media_wait(&reader->changed) == NGX_OK
        && !reader->event.posted)
    {
        /* what came before that */
        ngx_post_event(&reader->event, &ngx_posted_events);
    }
}


static void
ngx_media_follow_greet(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t           i;
    ngx_media_follow_t  *follow;

    ngx_media_follow_first(reader);

    for ( ;; ) {
        follow = ngx_media_follow_next(reader);

        if (follow == NULL) {
            break;
        }

        if (!follow->fresh) {
            continue;
        }

        follow->fresh = 0;

        ngx_log_debug2(NGX_LOG_DEBUG_CORE, follow->conf.log, 0,
                       "media follow begins with %ui frames, starting:%d",
                       reader->ncached, reader->starting);

        for (i = 0; i < reader->ncached && reader->current; i++) {
            ngx_media_follow_frame(reader, follow, reader->cache[i]);
        }
    }
}


/* all that follow, in turn: each may end itself and others */

static void
ngx_media_follow_first(ngx_media_follow_reader_t *reader)
{
    reader->next = ngx_queue_head(&reader->followers);
}


static ngx_media_follow_t *
ngx_media_follow_next(ngx_media_follow_reader_t *reader)
{
    ngx_queue_t  *q;

    q = reader->next;

    if (q == ngx_queue_sentinel(&reader->followers)) {
        reader->current = NULL;
        return NULL;
    }

    reader->next = ngx_queue_next(q);
    reader->current = ngx_queue_data(q, ngx_media_follow_t, queue);

    return reader->current;
}


void
ngx_media_follow_give(ngx_media_follow_reader_t *reader,
    ngx_media_frame_t *frame)
{
    ngx_media_follow_t  *follow;

    ngx_media_follow_keep(reader, frame);

    ngx_media_follow_first(reader);

    for ( ;; ) {
        follow = ngx_media_follow_next(reader);

        if (follow == NULL) {
            break;
        }

        if (!follow->fresh) {
            ngx_media_follow_frame(reader, follow, frame);
        }
    }
}


static void
ngx_media_follow_frame(ngx_media_follow_reader_t *reader,
    ngx_media_follow_t *follow, ngx_media_frame_t *frame)
{
    ngx_uint_t                 place;
    ngx_media_follow_track_t  *t;

    place = ngx_media_track_place(frame->track);
    t = &reader->tracks[place];

    if (t->track != frame->track || t->init != frame->init) {
        /* it was kept, and its track is another one by now */
        return;
    }

    if (!ngx_media_follow_wants(reader, follow, frame)) {
        return;
    }

    if (follow->told[place] != t->version) {
        follow->told[place] = t->version;

        follow->conf.params(follow->conf.data, frame->track, t->params);

        if (reader->current == NULL) {
            return;
        }
    }

    follow->given = 1;

    follow->conf.frame(follow->conf.data, frame);
}


/*
 * Video begins with a key frame, and all else with video, if there is any.
 * What else comes may be behind: it is read from the beginning of a segment or
 * of the tail, or is late where it comes from.
 */

static ngx_uint_t
ngx_media_follow_wants(ngx_media_follow_reader_t *reader,
    ngx_media_follow_t *follow, const ngx_media_frame_t *frame)
{
    uint32_t  bit;

    bit = (uint32_t) 1 << ngx_media_track_place(frame->track);

    if (frame->type != NGX_MEDIA_VIDEO) {

        return !reader->video
               || (follow->keyed
                   && ngx_media_time_reached(frame->dts, frame->timescale,
                                             follow->start,
                                             follow->timescale));
    }

    if (frame->flags & NGX_MEDIA_FRAME_KEY) {

        if (!follow->keyed) {
            follow->start = frame->dts;
            follow->timescale = frame->timescale;
        }

        follow->keyed |= bit;
    }

    return (follow->keyed & bit) != 0;
}


static void
ngx_media_follow_keep(ngx_media_follow_reader_t *reader,
    ngx_media_frame_t *frame)
{
    ngx_uint_t           n;
    ngx_media_frame_t  **cache;

    if (frame->track == reader->clock && frame->type == NGX_MEDIA_VIDEO
        && (frame->flags & NGX_MEDIA_FRAME_KEY))
    {
        ngx_media_follow_forget(reader);

    } else if (reader->ncached == 0) {
        return;
    }

    if (reader->bytes + frame->len > NGX_MEDIA_FOLLOW_BYTES
        || reader->ncached == NGX_MEDIA_FOLLOW_FRAMES)
    {
        ngx_media_follow_forget(reader);
        return;
    }

    if (reader->ncached == reader->max_cached) {
        n = ngx_max(reader->max_cached * 2, 256);

        cache = ngx_alloc(n * sizeof(ngx_media_frame_t *), reader->log);
        if (cache == NULL) {
            ngx_media_follow_forget(reader);
            return;
        }

        if (reader->cache) {
            ngx_memcpy(cache, reader->cache,
                       reader->ncached * sizeof(ngx_media_frame_t *));
            ngx_free(reader->cache);
        }

        reader->cache = cache;
        reader->max_cached = n;
    }

    reader->cache[reader->ncached++] = ngx_media_frame_ref(frame);
    reader->bytes += frame->len;
}


void
ngx_media_follow_forget(ngx_media_follow_reader_t *reader)
{
    ngx_uint_t  i;

    for (i = 0; i < reader->ncached; i++) {
        ngx_media_frame_unref(reader->cache[i]);
    }

    reader->ncached = 0;
    reader->bytes = 0;
}


static void
ngx_media_follow_flush(ngx_media_follow_reader_t *reader)
{
    ngx_media_follow_t  *follow;

    ngx_media_follow_first(reader);

    for ( ;; ) {
        follow = ngx_media_follow_next(reader);

        if (follow == NULL) {
            break;
        }

        if (follow->given) {
            follow->given = 0;
            follow->conf.flush(follow->conf.data);
        }
    }
}


static void
ngx_media_follow_finish(ngx_media_follow_reader_t *reader, const char *reason)
{
    ngx_media_follow_t  *follow;

    reader->ended = 1;

    ngx_media_wait_done(&reader->arrived);
    ngx_media_wait_done(&reader->changed);

    if (reader->timer.timer_set) {
        ngx_del_timer(&reader->timer);
    }

    ngx_media_follow_first(reader);

    for ( ;; ) {
        follow = ngx_media_follow_next(reader);

        if (follow == NULL) {
            break;
        }

        follow->conf.end(follow->conf.data, reason);
    }
}


ngx_media_frame_t *
ngx_media_frame_create(size_t len, ngx_log_t *log)
{
    ngx_media_frame_t  *frame;

    frame = ngx_alloc(sizeof(ngx_media_frame_t) + len, log);
    if (frame == NULL) {
        return NULL;
    }

    ngx_memzero(frame, sizeof(ngx_media_frame_t));

    frame->refs = 1;
    frame->len = len;

    return frame;
}


void
ngx_media_frame_unref(ngx_media_frame_t *frame)
{
    ngx_media_frame_form_t  *form, *next;

    if (--frame->refs) {
        return;
    }

    for (form = frame->forms; form; form = next) {
        next = form->next;
        ngx_free(form);
    }

    ngx_free(frame);
}


ngx_media_frame_form_t *
ngx_media_frame_form(const ngx_media_frame_t *frame, uintptr_t key)
{
    ngx_media_frame_form_t  *form;

    for (form = frame->forms; form; form = form->next) {
        if (form->key == key) {
            return form;
        }
    }

    return NULL;
}


ngx_media_frame_form_t *
ngx_media_frame_form_add(ngx_media_frame_t *frame, uintptr_t key, size_t len)
{
    ngx_media_frame_form_t  *form;

    form = ngx_alloc(sizeof(ngx_media_frame_form_t) + len, ngx_cycle->log);
    if (form == NULL) {
        return NULL;
    }

    form->key = key;
    form->len = len;

    form->next = frame->forms;
    frame->forms = form;

    return form;
}
