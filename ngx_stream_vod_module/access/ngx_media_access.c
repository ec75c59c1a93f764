
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * One request goes down the list of checks; the one that has said NGX_AGAIN is
 * the one it stands at.  An answer only posts an event, since what follows may
 * end the connection that the check has in its hands.  The same event is the
 * deadline's timer.  It is not cancelable: a worker that leaves stays for the
 * answer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_ACCESS_UNKNOWN  503         /* of a verdict */


struct ngx_media_access_s {
    void                     *ctx;            /* of the check */
    ngx_array_t              *checks;
    ngx_uint_t                n;              /* the check */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_socket_t              ident;

    ngx_event_t               event;          /* answered, or too late */
    ngx_media_access_conf_t   conf;

    uint64_t                  id;             /* of the verdict, at first */

    ngx_int_t                 rc;             /* answered: what */
    const char               *reason;

    unsigned                  asking:1;       /* the check has not returned */
    unsigned                  answered:1;
};


static ngx_int_t ngx_media_access_run(ngx_media_access_t *access,
    const char **reason);
static ngx_int_t ngx_media_access_judge(const ngx_media_access_t *access,
    ngx_int_t rc, const char **reason);
static void ngx_media_access_unknown(const ngx_media_access_t *access);
static void ngx_media_access_event(ngx_event_t *ev);
static void ngx_media_access_revoke(ngx_media_access_t *access,
    const char *reason);
static void ngx_media_access_free(ngx_media_access_t *access);
static void *ngx_media_access_create_conf(ngx_cycle_t *cycle);


static ngx_core_module_t  ngx_media_access_module_ctx = {
    ngx_string("media_access"),
    ngx_media_access_create_conf,
    NULL
};


ngx_module_t  ngx_media_access_module = {
    NGX_MODULE_V1,
    &ngx_media_access_module_ctx,          /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static const char  *ngx_media_access_actions[] = { "publish", "play" };


static void *
ngx_media_access_create_conf(ngx_cycle_t *cycle)
{
    return ngx_array_create(cycle->pool, 4,
                            sizeof(const ngx_media_access_check_t *));
}


ngx_int_t
ngx_media_access_add(ngx_conf_t *cf, const ngx_media_access_check_t *check)
{
    ngx_uint_t                        i;
    ngx_array_t                      *checks;
    const ngx_media_access_check_t  **entry;

    checks = (ngx_array_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                          ngx_media_access_module);
    entry = checks->elts;

    for (i = 0; i < checks->nelts; i++) {
        if (entry[i] == check) {
            return NGX_OK;
        }
    }

    entry = ngx_array_push(checks);
    if (entry == NULL) {
        return NGX_ERROR;
    }

    *entry = check;

    return NGX_OK;
}


const ngx_str_t *
ngx_media_access_shown(const ngx_media_app_t *app, const ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_array_t                      *checks;
    const ngx_media_access_check_t  **entry;

    static const ngx_str_t  hidden = ngx_string("***");

    checks = (ngx_array_t *) ngx_get_conf(app->cycle->conf_ctx,
                                          ngx_media_access_module);
    entry = checks->elts;

    for (i = 0; i < checks->nelts; i++) {
        if (entry[i]->hides && entry[i]->hides(app)) {
            return &hidden;
        }
    }

    return name;
}


ngx_uint_t
ngx_media_access_asks(const ngx_media_app_t *app)
{
    ngx_uint_t                        i;
    ngx_array_t                      *checks;
    const ngx_media_access_check_t  **entry;

    checks = (ngx_array_t *) ngx_get_conf(app->cycle->conf_ctx,
                                          ngx_media_access_module);
    entry = checks->elts;

    for (i = 0; i < checks->nelts; i++) {
        if (entry[i]->asks && entry[i]->asks(app)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_media_access_here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data)
{
    ngx_uint_t                        i;
    ngx_array_t                      *checks;
    const ngx_media_access_check_t  **entry;

    if (id == 0) {
        return;
    }

    checks = (ngx_array_t *) ngx_get_conf(app->cycle->conf_ctx,
                                          ngx_media_access_module);
    entry = checks->elts;

    for (i = 0; i < checks->nelts; i++) {
        if (entry[i]->here) {
            entry[i]->here(app, id, close, data);
        }
    }
}


void
ngx_media_access_ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason)
{
    ngx_uint_t                        i;
    ngx_array_t                      *checks;
    const ngx_media_access_check_t  **entry;

    if (id == 0) {
        return;
    }

    checks = (ngx_array_t *) ngx_get_conf(app->cycle->conf_ctx,
                                          ngx_media_access_module);
    entry = checks->elts;

    for (i = 0; i < checks->nelts; i++) {
        if (entry[i]->ended) {
            entry[i]->ended(app, id, reason);
        }
    }
}


ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason)
{
    ngx_int_t            rc;
    ngx_array_t         *checks;
    ngx_media_access_t  *a;

    checks = (ngx_array_t *) ngx_get_conf(conf->app->cycle->conf_ctx,
                                          ngx_media_access_module);
    if (checks->nelts == 0) {
        return NGX_OK;
    }

    a = ngx_calloc(sizeof(ngx_media_access_t), conf->log);
    if (a == NULL) {
        return NGX_ERROR;
    }

    /*
     * set by ngx_calloc():
     *
     *     a->ctx = NULL;
     *     a->n = 0;
     */

    a->checks = checks;
    a->ident = (ngx_socket_t) -1;
    a->conf = *conf;
    a->id = conf->verdict ? conf->verdict->id : 0;

    a->event.handler = ngx_media_access_event;
    a->event.data = a;
    a->event.log = conf->log;

    rc = ngx_media_access_run(a, reason);

    if (rc != NGX_AGAIN) {

        if (rc != NGX_OK) {
            ngx_media_access_revoke(a, *reason);
        }

        ngx_free(a);
        return rc;
    }

    ngx_add_timer(&a->event, NGX_MEDIA_ACCESS_TIMEOUT);

    *access = a;

    return NGX_AGAIN;
}


/* from the check that is next on: NGX_OK, NGX_DECLINED, NGX_AGAIN */

static ngx_int_t
ngx_media_access_run(ngx_media_access_t *access, const char **reason)
{
    ngx_int_t                         rc;
    const ngx_media_access_check_t  **check;

    check = access->checks->elts;

    for ( /* void */ ; access->n < access->checks->nelts; access->n++) {

        access->ctx = NULL;
        access->answered = 0;
        access->asking = 1;
        *reason = NULL;

        rc = check[access->n]->check(access, &access->conf, &access->ctx,
                                     reason);

        access->asking = 0;

        if (rc == NGX_AGAIN && !access->answered) {
            ngx_log_debug2(NGX_LOG_DEBUG_CORE, access->conf.log, 0,
                           "media %s waits for access check:%ui",
                           ngx_media_access_actions[access->conf.action],
                           access->n);
            return NGX_AGAIN;
        }

        if (rc == NGX_AGAIN) {
            rc = access->rc;
            *reason = access->reason;
        }

        access->ctx = NULL;

        rc = ngx_media_access_judge(access, rc, reason);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* a check's answer: NGX_OK, or NGX_DECLINED with a reason */

static ngx_int_t
ngx_media_access_judge(const ngx_media_access_t *access, ngx_int_t rc,
    const char **reason)
{
    ngx_log_debug3(NGX_LOG_DEBUG_CORE, access->conf.log, 0,
                   "media %s access check:%ui rc:%i",
                   ngx_media_access_actions[access->conf.action], access->n,
                   rc);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc != NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, access->conf.log, 0,
                      "media access check failed, the %s is refused",
                      ngx_media_access_actions[access->conf.action]);

        *reason = "the access check failed";
        ngx_media_access_unknown(access);

    } else if (*reason == NULL) {
        *reason = "access is denied";
    }

    return NGX_DECLINED;
}


/* nobody has said no, but nobody yes either */

static void
ngx_media_access_unknown(const ngx_media_access_t *access)
{
    if (access->conf.verdict) {
        access->conf.verdict->status = NGX_MEDIA_ACCESS_UNKNOWN;
    }
}


ngx_int_t
ngx_media_access_rename(ngx_media_access_t *access, const ngx_str_t *name)
{
    const ngx_str_t  *copy;

    if (access->conf.rename == NULL) {
        return NGX_OK;
    }

    copy = access->conf.rename(access->conf.data, name);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    access->conf.name = *copy;

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, access->conf.log, 0,
                   "media access calls the stream \"%V\"", copy);

    return NGX_OK;
}


void
ngx_media_access_expires(const ngx_media_access_conf_t *conf, time_t expires)
{
    ngx_media_access_verdict_t  *verdict;

    verdict = conf->verdict;

    if (verdict && (verdict->expires == 0 || expires < verdict->expires)) {
        verdict->expires = expires;

        ngx_log_debug2(NGX_LOG_DEBUG_CORE, conf->log, 0,
                       "media %s is allowed for %T s",
                       ngx_media_access_actions[conf->action],
                       expires - ngx_time());
    }
}


void
ngx_media_access_admit(const ngx_media_access_conf_t *conf)
{
    if (conf->verdict) {
        conf->verdict->admitted = 1;
    }
}


void
ngx_media_access_viewer(const ngx_media_access_conf_t *conf,
    const ngx_str_t *viewer, ngx_uint_t sessions)
{
    u_char                      *p;
    size_t                       len;
    uint64_t                     rest;
    ngx_media_access_verdict_t  *verdict;

    verdict = conf->verdict;

    if (verdict == NULL) {
        return;
    }

    if (sessions && (verdict->sessions == 0 || sessions < verdict->sessions)) {
        verdict->sessions = sessions;
    }

    /* of what is too long a hash stands for the rest */

    len = viewer->len;
    p = verdict->viewer;

    if (len <= NGX_MEDIA_ACCESS_VIEWER) {
        ngx_memcpy(p, viewer->data, len);
        verdict->viewer_len = len;

    } else {
        len = NGX_MEDIA_ACCESS_VIEWER - 2 * sizeof(uint64_t);

        rest = ngx_media_hash(viewer->data + len, viewer->len - len);

        (void) ngx_hex_dump(ngx_cpymem(p, viewer->data, len),
                            (u_char *) &rest, sizeof(uint64_t));
        verdict->viewer_len = NGX_MEDIA_ACCESS_VIEWER;
    }
}


void
ngx_media_access_answer(ngx_media_access_t *access, ngx_int_t rc,
    const char *reason)
{
    access->answered = 1;
    access->rc = rc;
    access->reason = reason;
    access->ctx = NULL;

    /* or its caller looks as it returns */

    if (!access->asking) {
        ngx_post_event(&access->event, &ngx_posted_events);
    }
}


static void
ngx_media_access_event(ngx_event_t *ev)
{
    ngx_media_access_t *access = ev->data;

    void         *data;
    ngx_int_t     rc;
    const char   *reason;
    void        (*ready)(void *data, ngx_int_t rc, const char *reason);

    if (access->answered) {
        reason = access->reason;
        rc = ngx_media_access_judge(access, access->rc, &reason);

        if (rc == NGX_OK) {
            access->n++;
            rc = ngx_media_access_run(access, &reason);
        }

        if (rc == NGX_AGAIN && !ev->timedout) {
            return;
        }

    } else {
        rc = NGX_AGAIN;
    }

    if (rc == NGX_AGAIN) {
        rc = NGX_DECLINED;
        reason = "the access check did not answer in time";
        ngx_media_access_unknown(access);
    }

    if (rc != NGX_OK) {
        ngx_media_access_revoke(access, reason);
    }

    ready = access->conf.ready;
    data = access->conf.data;

    ngx_media_access_free(access);

    ready(data, rc, reason);
}


void
ngx_media_access_cancel(ngx_media_access_t *access)
{
    ngx_log_debug1(NGX_LOG_DEBUG_CORE, access->conf.log, 0,
                   "media %s access check is of no interest any more",
                   ngx_media_access_actions[access->conf.action]);

    ngx_media_access_revoke(access, "the client has left");
    ngx_media_access_free(access);
}


/* one check has said yes, and it came to nothing */

static void
ngx_media_access_revoke(ngx_media_access_t *access, const char *reason)
{
    uint64_t                     id;
    ngx_media_access_verdict_t  *verdict;

    verdict = access->conf.verdict;

    /* who is asked about once more is told of by who knows him */

    if (verdict && verdict->id != access->id) {
        id = verdict->id;
        verdict->id = access->id;

        ngx_media_access_ended(access->conf.app, id, reason);
    }
}


static void
ngx_media_access_free(ngx_media_access_t *access)
{
    const ngx_media_access_check_t  **check;

    if (access->event.timer_set) {
        ngx_del_timer(&access->event);
    }

    if (access->event.posted) {
        ngx_delete_posted_event(&access->event);
    }

    if (access->ctx) {
        check = access->checks->elts;
        check[access->n]->cancel(access->ctx);
    }

    ngx_free(access);
}
