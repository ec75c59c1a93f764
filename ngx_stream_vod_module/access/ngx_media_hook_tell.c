
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What hooks are told after they have let somebody in: that he has gone, once,
 * and each interval that he is still here.
 *
 * An end that cannot be told is tried again three times, by the same process:
 * its timers keep it from leaving.  If it dies, another one finds the end in
 * the zone.
 *
 * So many at a time are told as a back end can be expected to answer in time,
 * and as leave connections to those who are asked about: an end that comes then
 * is due, and the next one begins as one is done.
 */


#include "access/ngx_media_hook_state.h"


#define NGX_MEDIA_HOOK_TRIES  4
#define NGX_MEDIA_HOOK_TELLS  32              /* of an application, at a time;
                                                 and as many updates */


/* an end that is being told */

typedef struct {
    ngx_media_app_t          *app;
    ngx_media_fetch_t        *fetch;
    ngx_uint_t                tries;
    ngx_queue_t               queue;          /* in again */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_socket_t              ident;

    ngx_event_t               event;          /* when it is tried again */
    ngx_media_hook_copy_t     copy;
} ngx_media_hook_end_t;


/* who is here, and of whom that is told */

typedef struct {
    ngx_queue_t               queue;
    const ngx_media_app_t    *app;
    uint64_t                  id;
    ngx_msec_t                told;           /* when it was, last */
    ngx_media_fetch_t        *fetch;          /* NULL: nothing is under way */
    void                    (*close)(void *data, const char *reason);
    void                     *data;
} ngx_media_hook_here_t;


static void ngx_media_hook_ends(ngx_media_app_t *app);
static ngx_media_hook_end_t *ngx_media_hook_end_next(ngx_media_app_t *app);
static void ngx_media_hook_end_tell(ngx_media_hook_end_t *end);
static void ngx_media_hook_end_done(void *data,
    const ngx_media_http_t *answer, const char *error);
static void ngx_media_hook_end_again(ngx_media_hook_end_t *end,
    const char *error);
static void ngx_media_hook_end_timer(ngx_event_t *ev);
static void ngx_media_hook_end_free(ngx_media_hook_end_t *end);
static ngx_media_hook_here_t *ngx_media_hook_here_find(
    const ngx_media_app_t *app, uint64_t id);
static void ngx_media_hook_here_free(ngx_media_hook_here_t *here);
static void ngx_media_hook_updates(const ngx_media_app_t *app);
static void ngx_media_hook_update(ngx_media_hook_here_t *here);
static void ngx_media_hook_update_done(void *data,
    const ngx_media_http_t *answer, const char *error);


void
ngx_media_hook_ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason)
{
    ngx_int_t               rc;
    ngx_uint_t              row;
    ngx_media_hook_end_t   *end;
    ngx_media_hook_here_t  *here;

    here = ngx_media_hook_here_find(app, id);

    if (here) {
        ngx_media_hook_here_free(here);
    }

    row = NGX_MEDIA_HOOK_NOBODY;
    end = NULL;

    if (ngx_media_hook_conf(app)->telling < NGX_MEDIA_HOOK_TELLS) {
        row = ngx_media_hook_row(app);
        end = ngx_calloc(sizeof(ngx_media_hook_end_t), ngx_cycle->log);
    }

    /* without memory somebody else has it in a second */

    rc = ngx_media_hook_table_end(ngx_media_hook_table(app), id,
                                  end ? row : NGX_MEDIA_HOOK_NOBODY, reason,
                                  end ? &end->copy : NULL);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media hook id:%xL has ended, rc:%i: %s", id, rc, reason);

    if (rc == NGX_OK) {
        end->app = (ngx_media_app_t *) app;
        ngx_media_hook_end_tell(end);
        return;
    }

    if (end) {
        ngx_free(end);

    } else {
        ngx_media_hook_conf(app)->owed++;
    }
}


/*
 * As many as there is room for; a worker that leaves tells no more than it has
 * left due itself, or it would not leave while others have more to tell
 */

static void
ngx_media_hook_ends(ngx_media_app_t *app)
{
    ngx_media_hook_end_t   *end;
    ngx_media_hook_conf_t  *mhcf;

    mhcf = ngx_media_hook_conf(app);

    while (mhcf->telling < NGX_MEDIA_HOOK_TELLS) {
        end = ngx_media_hook_end_next(app);

        if (end == NULL) {
            return;
        }

        ngx_media_hook_end_tell(end);
    }

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media hooks of \"%V\" tell ends:%ui", &app->name,
                   mhcf->telling);
}


static ngx_media_hook_end_t *
ngx_media_hook_end_next(ngx_media_app_t *app)
{
    ngx_uint_t                   row;
    ngx_queue_t                 *q, *again;
    ngx_media_hook_end_t        *end;
    ngx_media_hook_conf_t       *mhcf;
    ngx_media_hook_table_shm_t  *table;

    mhcf = ngx_media_hook_conf(app);
    again = &mhcf->again;

    if (!ngx_queue_empty(again)) {
        q = ngx_queue_head(again);
        ngx_queue_remove(q);

        return ngx_queue_data(q, ngx_media_hook_end_t, queue);
    }

    table = ngx_media_hook_table(app);

    if (ngx_media_hook_table_idle(table)) {
        mhcf->owed = 0;
        return NULL;
    }

    if (ngx_exiting && mhcf->owed == 0) {
        return NULL;
    }

    row = ngx_media_hook_row(app);

    if (row == NGX_MEDIA_HOOK_NOBODY) {
        return NULL;
    }

    end = ngx_calloc(sizeof(ngx_media_hook_end_t), ngx_cycle->log);

    if (end == NULL) {
        return NULL;
    }

    if (ngx_media_hook_table_take(table, row, &end->copy) != NGX_OK) {
        ngx_free(end);
        return NULL;
    }

    if (mhcf->owed) {
        mhcf->owed--;
    }

    end->app = app;

    return end;
}


static void
ngx_media_hook_end_tell(ngx_media_hook_end_t *end)
{
    ngx_media_hook_t  *hook;

    hook = &end->copy.hook;

    hook->event = hook->playing ? NGX_MEDIA_HOOK_PLAY_DONE
                                : NGX_MEDIA_HOOK_PUBLISH_DONE;

    if (ngx_media_hook_conf(end->app)->to[hook->event].target == NULL) {
        ngx_media_hook_end_free(end);
        return;
    }

    if (ngx_media_hook_send(end->app, hook, ngx_media_hook_end_done, end,
                            &end->fetch)
        != NGX_OK)
    {
        ngx_media_hook_end_again(end, "no memory");
        return;
    }

    ngx_media_hook_conf(end->app)->telling++;
}


static void
ngx_media_hook_end_done(void *data, const ngx_media_http_t *answer,
    const char *error)
{
    ngx_media_hook_end_t *end = data;

    u_char                    *room;
    ngx_media_app_t           *app;
    ngx_media_hook_to_t       *to;
    ngx_media_hook_event_e     event;
    ngx_media_hook_verdict_t   verdict;

    app = end->app;
    event = end->copy.hook.event;
    to = &ngx_media_hook_conf(app)->to[event];

    ngx_media_hook_conf(app)->telling--;

    ngx_media_hook_answer(app, event, answer, &room, &verdict);

    if (room) {
        ngx_free(room);
    }

    if (verdict.result == NGX_MEDIA_HOOK_FAILED) {
        ngx_media_hook_end_again(end, verdict.reason);

    } else {

        if (verdict.result == NGX_MEDIA_HOOK_NO) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "media hook \"%V\" answered %V with %ui",
                          ngx_media_fetch_name(to->target),
                          &ngx_media_hook_events[event], answer->status);
        }

        ngx_media_hook_end_free(end);
    }

    ngx_media_hook_ends(app);
}


/* after 1, 2 and 4 seconds */

static void
ngx_media_hook_end_again(ngx_media_hook_end_t *end, const char *error)
{
    ngx_media_hook_to_t     *to;
    ngx_media_hook_event_e   event;

    event = end->copy.hook.event;
    to = &ngx_media_hook_conf(end->app)->to[event];

    if (++end->tries == NGX_MEDIA_HOOK_TRIES) {
        ngx_media_hook_count(ngx_media_hook_table(end->app), event,
                             NGX_MEDIA_HOOK_LOST);

        /* of one who was asked about when his worker died it may be a secret */

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "media hook \"%V\" was not told %V of stream \"%V\", "
                      "id:%xL, after %d tries: %s",
                      ngx_media_fetch_name(to->target),
                      &ngx_media_hook_events[event],
                      ngx_media_access_shown(end->app, &end->copy.hook.stream),
                      end->copy.hook.id, NGX_MEDIA_HOOK_TRIES, error);

        ngx_media_hook_end_free(end);
        return;
    }

    end->ident = (ngx_socket_t) -1;
    end->event.handler = ngx_media_hook_end_timer;
    end->event.data = end;
    end->event.log = ngx_cycle->log;

    ngx_add_timer(&end->event, (ngx_msec_t) 1000 << (end->tries - 1));
}


static void
ngx_media_hook_end_timer(ngx_event_t *ev)
{
    ngx_media_hook_end_t *end = ev->data;

    ngx_queue_insert_tail(&ngx_media_hook_conf(end->app)->again, &end->queue);

    ngx_media_hook_ends(end->app);
}


static void
ngx_media_hook_end_free(ngx_media_hook_end_t *end)
{
    ngx_media_hook_table_drop(ngx_media_hook_table(end->app),
                              end->copy.hook.id);
    ngx_free(end);
}


void
ngx_media_hook_here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data)
{
    ngx_media_hook_conf_t  *mhcf;
    ngx_media_hook_here_t  *here;

    ngx_media_hook_table_here(ngx_media_hook_table(app), id);

    if (close == NULL) {
        ngx_media_hook_table_keep(ngx_media_hook_table(app), id);
        return;
    }

    mhcf = ngx_media_hook_conf(app);

    if (mhcf->to[NGX_MEDIA_HOOK_UPDATE].target == NULL) {
        return;
    }

    here = ngx_calloc(sizeof(ngx_media_hook_here_t), ngx_cycle->log);
    if (here == NULL) {
        return;
    }

    here->app = app;
    here->id = id;
    here->told = ngx_current_msec;
    here->close = close;
    here->data = data;

    ngx_queue_insert_tail(&mhcf->here, &here->queue);
}


static ngx_media_hook_here_t *
ngx_media_hook_here_find(const ngx_media_app_t *app, uint64_t id)
{
    ngx_queue_t            *q, *all;
    ngx_media_hook_here_t  *here;

    all = &ngx_media_hook_conf(app)->here;

    for (q = ngx_queue_head(all); q != ngx_queue_sentinel(all);
         q = ngx_queue_next(q))
    {
        here = ngx_queue_data(q, ngx_media_hook_here_t, queue);

        if (here->id == id) {
            return here;
        }
    }

    return NULL;
}


static void
ngx_media_hook_here_free(ngx_media_hook_here_t *here)
{
    if (here->fetch) {
        ngx_media_fetch_cancel(here->fetch);
        ngx_media_hook_conf(here->app)->updating--;
    }

    ngx_queue_remove(&here->queue);
    ngx_free(here);
}


/* what the dead have left is not for a worker that is leaving */

void
ngx_media_hook_tick(ngx_media_zone_t *zone, void *mem)
{
    if (!ngx_exiting) {
        ngx_media_hook_ends(zone->app);
    }

    ngx_media_hook_updates(zone->app);
}


/* they are in the order in which they were told, last */

static void
ngx_media_hook_updates(const ngx_media_app_t *app)
{
    ngx_queue_t            *q, *next;
    ngx_media_hook_conf_t  *mhcf;
    ngx_media_hook_here_t  *here;

    mhcf = ngx_media_hook_conf(app);

    for (q = ngx_queue_head(&mhcf->here);
         q != ngx_queue_sentinel(&mhcf->here)
         && mhcf->updating < NGX_MEDIA_HOOK_TELLS;
         q = next)
    {
        next = ngx_queue_next(q);
        here = ngx_queue_data(q, ngx_media_hook_here_t, queue);

        if (ngx_current_msec - here->told
            < mhcf->to[NGX_MEDIA_HOOK_UPDATE].interval)
        {
            break;
        }

        if (here->fetch == NULL) {
            ngx_media_hook_update(here);
        }
    }
}


static void
ngx_media_hook_update(ngx_media_hook_here_t *here)
{
    int64_t                 msec;
    ngx_media_hook_copy_t   copy;
    ngx_media_hook_conf_t  *mhcf;

    mhcf = ngx_media_hook_conf(here->app);

    here->told = ngx_current_msec;

    ngx_queue_remove(&here->queue);
    ngx_queue_insert_tail(&mhcf->here, &here->queue);

    if (ngx_media_hook_table_get(ngx_media_hook_table(here->app), here->id,
                                 &copy)
        != NGX_OK)
    {
        return;
    }

    msec = ngx_media_wall_msec() - copy.since;
    msec = ngx_max(msec, 0);

    copy.hook.event = NGX_MEDIA_HOOK_UPDATE;
    copy.hook.time = msec / 1000;
    copy.hook.timestamp = (uint32_t) msec;

    if (ngx_media_hook_send(here->app, &copy.hook, ngx_media_hook_update_done,
                            here, &here->fetch)
        != NGX_OK)
    {
        here->fetch = NULL;
        return;
    }

    mhcf->updating++;
}


static void
ngx_media_hook_update_done(void *data, const ngx_media_http_t *answer,
    const char *error)
{
    ngx_media_hook_here_t *here = data;

    u_char                    *room;
    void                      *owner;
    const ngx_media_app_t     *app;
    ngx_media_hook_to_t       *to;
    ngx_media_hook_verdict_t   verdict;
    void                     (*close)(void *data, const char *reason);

    app = here->app;
    here->fetch = NULL;
    ngx_media_hook_conf(app)->updating--;

    to = &ngx_media_hook_conf(app)->to[NGX_MEDIA_HOOK_UPDATE];

    ngx_media_hook_answer(app, NGX_MEDIA_HOOK_UPDATE, answer, &room, &verdict);

    if (room) {
        ngx_free(room);
    }

    if (verdict.result == NGX_MEDIA_HOOK_FAILED && to->allow) {
        ngx_media_hook_count(ngx_media_hook_table(app), NGX_MEDIA_HOOK_UPDATE,
                             NGX_MEDIA_HOOK_ALLOWED);

    } else if (verdict.result != NGX_MEDIA_HOOK_YES) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "media hook \"%V\" ends id:%xL: %s",
                      ngx_media_fetch_name(to->target), here->id,
                      verdict.reason);

        close = here->close;
        owner = here->data;

        ngx_media_hook_here_free(here);

        close(owner, "the hook does not let it go on");
    }

    ngx_media_hook_updates(app);
}
