
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * on publish | play | publish_done | play_done | update URL of media {}: a back
 * end is asked who may come in, and is told who has gone.
 *
 * Who is asked about has an id, which all that is said of him has.  Where his
 * end, or that he goes on, is of interest, he has an entry in the zone from
 * before the question on: whatever becomes of this process, somebody tells the
 * end.
 *
 * A client that does not wait for the answer does not take the question back
 * then: the back end may have said yes by now, and would never hear of the end.
 */


#include "access/ngx_media_hook_state.h"
#include "core/ngx_media_name.h"

#include <openssl/rand.h>


#define NGX_MEDIA_HOOK_TIMEOUT   2000         /* ms */
#define NGX_MEDIA_HOOK_LONGEST   9000         /* less than all checks have */
#define NGX_MEDIA_HOOK_VALID     60           /* s */
#define NGX_MEDIA_HOOK_INTERVAL  30000        /* ms */


/* a question on its way */

typedef struct {
    ngx_media_access_t             *access;   /* NULL: nobody waits for it */
    const ngx_media_access_conf_t  *conf;     /* likewise */
    ngx_media_app_t                *app;
    ngx_media_hook_event_e          event;
    ngx_media_fetch_t              *fetch;
    uint64_t                        id;
    unsigned                        entry:1;  /* in the table, made for it */
} ngx_media_hook_ask_t;


static ngx_int_t ngx_media_hook_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static void ngx_media_hook_cancel(void *ctx);
static ngx_uint_t ngx_media_hook_hides(const ngx_media_app_t *app);
static ngx_uint_t ngx_media_hook_viewers(const ngx_media_app_t *app);
static void ngx_media_hook_describe(ngx_media_hook_t *hook,
    const ngx_media_access_conf_t *conf);
static ngx_uint_t ngx_media_hook_register(
    const ngx_media_access_conf_t *conf, ngx_media_hook_t *hook);
static void ngx_media_hook_done(void *data, const ngx_media_http_t *answer,
    const char *error);
static void ngx_media_hook_forget(ngx_media_hook_ask_t *ask,
    const ngx_media_hook_verdict_t *verdict);
static ngx_int_t ngx_media_hook_judge(ngx_media_hook_ask_t *ask,
    const ngx_media_http_t *answer, const ngx_media_hook_verdict_t *verdict,
    const char **reason);
static ngx_int_t ngx_media_hook_refuse(ngx_media_hook_ask_t *ask,
    ngx_uint_t status);
static ngx_int_t ngx_media_hook_admit(ngx_media_hook_ask_t *ask,
    const ngx_media_hook_verdict_t *verdict, const char **reason);
static void ngx_media_hook_again(ngx_media_hook_ask_t *ask, time_t valid);
static ngx_int_t ngx_media_hook_silent(ngx_media_hook_ask_t *ask);

static void *ngx_media_hook_create_conf(ngx_conf_t *cf, ngx_media_app_t *app);
static char *ngx_media_hook_init_conf(ngx_conf_t *cf, ngx_media_app_t *app,
    void *conf);
static ngx_int_t ngx_media_hook_postconfiguration(ngx_conf_t *cf);
static void ngx_media_hook_shared_init(ngx_media_zone_t *zone, void *mem);
static void ngx_media_hook_swept(ngx_media_zone_t *zone, void *mem,
    ngx_uint_t row);
static char *ngx_media_hook_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_hook_param(ngx_conf_t *cf, ngx_media_hook_to_t *to,
    ngx_uint_t event, ngx_str_t *value);
static ngx_int_t ngx_media_hook_param_format(ngx_media_hook_to_t *to,
    const ngx_str_t *text);
static ngx_uint_t ngx_media_hook_named(const ngx_str_t *value,
    const char *name, ngx_str_t *text);
static ngx_int_t ngx_media_hook_param_time(ngx_msec_t *msec, ngx_int_t min,
    ngx_int_t max, const ngx_str_t *text);


static ngx_command_t  ngx_media_hook_commands[] = {

    { ngx_string("on"),
      NGX_MEDIA_CONF|NGX_CONF_2MORE,
      ngx_media_hook_set,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_hook_module_ctx = {
    NGX_MEDIA_HOOK_LAYOUT,                 /* layout of its shared memory */
    ngx_media_hook_create_conf,            /* create configuration */
    ngx_media_hook_init_conf,              /* init configuration */
    ngx_media_hook_postconfiguration,      /* postconfiguration */
    ngx_media_hook_table_size,             /* shared memory */
    ngx_media_hook_shared_init,            /* init shared memory */
    ngx_media_hook_swept,                  /* a process has gone */
    ngx_media_hook_tick                    /* once a second */
};


ngx_module_t  ngx_media_hook_module = {
    NGX_MODULE_V1,
    &ngx_media_hook_module_ctx,            /* module context */
    ngx_media_hook_commands,               /* module directives */
    NGX_MEDIA_MODULE,                      /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static const ngx_media_access_check_t  ngx_media_hook_entry = {
    ngx_media_hook_check,
    ngx_media_hook_cancel,
    ngx_media_hook_hides,
    ngx_media_hook_viewers,
    ngx_media_hook_here,
    ngx_media_hook_ended
};

/* while the configuration is read: an application has hooks */
static ngx_uint_t  ngx_media_hook_used;

/* what is shown of a name that may have been meant as a secret */
static const ngx_str_t  ngx_media_hook_hidden = ngx_string("***");


ngx_media_hook_conf_t *
ngx_media_hook_conf(const ngx_media_app_t *app)
{
    return ngx_media_app_conf(app, ngx_media_hook_module);
}


ngx_media_hook_table_shm_t *
ngx_media_hook_table(const ngx_media_app_t *app)
{
    return ngx_media_app_shared(app, ngx_media_hook_module);
}


ngx_uint_t
ngx_media_hook_on(const ngx_media_app_t *app, ngx_media_access_e action)
{
    return ngx_media_hook_conf(app)->to[action].target != NULL;
}


ngx_uint_t
ngx_media_hook_has(const ngx_media_app_t *app, ngx_uint_t event)
{
    return ngx_media_hook_conf(app)->to[event].target != NULL;
}


uint64_t
ngx_media_hook_said(const ngx_media_app_t *app, ngx_uint_t event,
    ngx_uint_t said)
{
    return ngx_media_peek(&ngx_media_hook_table(app)->said[event][said]);
}


ngx_uint_t
ngx_media_hook_row(const ngx_media_app_t *app)
{
    return (ngx_media_zone_attach(app->zone) == NGX_OK)
           ? app->zone->nrow : NGX_MEDIA_HOOK_NOBODY;
}


static ngx_int_t
ngx_media_hook_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason)
{
    ngx_uint_t              entry;
    ngx_media_hook_t        hook;
    ngx_media_hook_to_t    *to;
    ngx_media_hook_ask_t   *ask;
    ngx_media_hook_conf_t  *mhcf;

    mhcf = ngx_media_hook_conf(conf->app);
    to = &mhcf->to[conf->action];

    if (to->target == NULL
        && !ngx_media_hook_follows(mhcf, conf->action))
    {
        return NGX_OK;
    }

    ngx_media_hook_describe(&hook, conf);

    entry = ngx_media_hook_register(conf, &hook);

    if (to->target == NULL) {

        /* nobody is asked, but somebody wants to know of the end */

        if (entry) {
            conf->verdict->id = hook.id;

            ngx_media_hook_table_unasked(ngx_media_hook_table(conf->app),
                                         hook.id);
        }

        return NGX_OK;
    }

    ask = ngx_alloc(sizeof(ngx_media_hook_ask_t), conf->log);

    if (ask) {
        ask->access = access;
        ask->conf = conf;
        ask->app = conf->app;
        ask->event = hook.event;
        ask->id = hook.id;
        ask->entry = entry;

        if (ngx_media_hook_send(conf->app, &hook, ngx_media_hook_done, ask,
                                &ask->fetch)
            == NGX_OK)
        {
            *ctx = ask;
            return NGX_AGAIN;
        }

        ngx_free(ask);
    }

    if (entry) {
        ngx_media_hook_table_drop(ngx_media_hook_table(conf->app), hook.id);
    }

    return NGX_ERROR;
}


static void
ngx_media_hook_describe(ngx_media_hook_t *hook,
    const ngx_media_access_conf_t *conf)
{
    ngx_memzero(hook, sizeof(ngx_media_hook_t));

    hook->event = (conf->action == NGX_MEDIA_ACCESS_PUBLISH)
                  ? NGX_MEDIA_HOOK_PUBLISH : NGX_MEDIA_HOOK_PLAY;
    hook->playing = (conf->action == NGX_MEDIA_ACCESS_PLAY);
    hook->stream = conf->name;
    hook->protocol = conf->protocol;
    hook->address = conf->address;
    hook->args = conf->args;

    if (conf->client) {
        hook->agent = conf->client->agent;
        hook->url = conf->client->url;
        hook->page = conf->client->page;
        hook->swf = conf->client->swf;
    }
}


/* 1: it is in the table, by this call; it has an id in any case */

static ngx_uint_t
ngx_media_hook_register(const ngx_media_access_conf_t *conf,
    ngx_media_hook_t *hook)
{
    ngx_uint_t                   row;
    ngx_media_hook_table_shm_t  *table;

    static ngx_uint_t  full;

    table = ngx_media_hook_table(conf->app);

    if (conf->verdict == NULL
        || !ngx_media_hook_follows(ngx_media_hook_conf(conf->app),
                                   hook->playing))
    {
        hook->id = ngx_media_hook_table_id(table);
        return 0;
    }

    /* he is asked about once more */

    if (conf->verdict->id) {
        hook->id = conf->verdict->id;
        return 0;
    }

    row = ngx_media_hook_row(conf->app);

    hook->id = (row == NGX_MEDIA_HOOK_NOBODY)
               ? 0 : ngx_media_hook_table_add(table, row, hook);

    if (hook->id) {
        return 1;
    }

    hook->id = ngx_media_hook_table_id(table);

    ngx_media_hook_count(table, hook->playing ? NGX_MEDIA_HOOK_PLAY_DONE
                                              : NGX_MEDIA_HOOK_PUBLISH_DONE,
                         NGX_MEDIA_HOOK_LOST);

    full++;

    if ((full & (full - 1)) == 0) {
        ngx_log_error(NGX_LOG_WARN, conf->log, 0,
                      "media \"%V\" has no room for whom hooks want to know "
                      "of, ends that are not told:%ui", &conf->app->name, full);
    }

    return 0;
}


static void
ngx_media_hook_cancel(void *ctx)
{
    ngx_media_hook_ask_t *ask = ctx;

    if (ask->entry) {
        ask->access = NULL;
        ask->conf = NULL;
        return;
    }

    ngx_media_fetch_cancel(ask->fetch);
    ngx_free(ask);
}


static void
ngx_media_hook_done(void *data, const ngx_media_http_t *answer,
    const char *error)
{
    ngx_media_hook_ask_t *ask = data;

    u_char                    *room;
    ngx_int_t                  rc;
    const char                *reason;
    ngx_media_access_t        *access;
    ngx_media_hook_verdict_t   verdict;

    ngx_media_hook_answer(ask->app, ask->event, answer, &room, &verdict);

    access = ask->access;

    if (access) {
        rc = ngx_media_hook_judge(ask, answer, &verdict, &reason);

    } else {
        ngx_media_hook_forget(ask, &verdict);
        rc = NGX_OK;
        reason = NULL;
    }

    if (room) {
        ngx_free(room);
    }

    ngx_free(ask);

    if (access) {
        ngx_media_access_answer(access, rc, reason);
    }
}


/* nobody waited */

static void
ngx_media_hook_forget(ngx_media_hook_ask_t *ask,
    const ngx_media_hook_verdict_t *verdict)
{
    if (verdict->result == NGX_MEDIA_HOOK_YES) {
        ngx_media_hook_ended(ask->app, ask->id,
                             "the client left before it was let in");
        return;
    }

    ngx_media_hook_table_drop(ngx_media_hook_table(ask->app), ask->id);
}


static ngx_int_t
ngx_media_hook_judge(ngx_media_hook_ask_t *ask,
    const ngx_media_http_t *answer, const ngx_media_hook_verdict_t *verdict,
    const char **reason)
{
    ngx_int_t             rc;
    ngx_media_hook_to_t  *to;

    to = &ngx_media_hook_conf(ask->app)->to[ask->event];

    *reason = verdict->reason;

    switch (verdict->result) {

    case NGX_MEDIA_HOOK_YES:
        to->failures = 0;
        rc = ngx_media_hook_admit(ask, verdict, reason);
        break;

    case NGX_MEDIA_HOOK_NO:
        to->failures = 0;

        ngx_log_error(NGX_LOG_INFO, ask->conf->log, 0,
                      "media hook \"%V\" answered %V with %ui: %s",
                      ngx_media_fetch_name(to->target),
                      &ngx_media_hook_events[ask->event], answer->status,
                      verdict->reason);

        rc = ngx_media_hook_refuse(ask, answer->status == 401 ? 401 : 403);
        break;

    default: /* NGX_MEDIA_HOOK_FAILED */
        rc = ngx_media_hook_silent(ask);
    }

    if (ask->entry) {

        if (verdict->result != NGX_MEDIA_HOOK_YES) {
            ngx_media_hook_table_drop(ngx_media_hook_table(ask->app), ask->id);

        } else if (rc != NGX_OK) {
            ngx_media_hook_ended(ask->app, ask->id, "it was not let in");
        }
    }

    return rc;
}


/* the name may be a secret that was mistyped */

static ngx_int_t
ngx_media_hook_refuse(ngx_media_hook_ask_t *ask, ngx_uint_t status)
{
    if (ask->conf->verdict) {
        ask->conf->verdict->status = status;
    }

    if (ask->event == NGX_MEDIA_HOOK_PUBLISH && ngx_media_hook_hides(ask->app)
        && ngx_media_access_rename(ask->access, &ngx_media_hook_hidden)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_media_hook_admit(ngx_media_hook_ask_t *ask,
    const ngx_media_hook_verdict_t *verdict, const char **reason)
{
    ngx_str_t                    name;
    const u_char                *bad;
    ngx_media_hook_to_t         *to;
    ngx_media_access_verdict_t  *v;

    to = &ngx_media_hook_conf(ask->app)->to[ask->event];

    name.data = (u_char *) verdict->stream.pos;
    name.len = ngx_media_span_len(&verdict->stream);

    if (name.len && ngx_media_name_wrong(&name, &bad) != NULL) {
        ngx_log_error(NGX_LOG_ERR, ask->conf->log, 0,
                      "media hook \"%V\" calls a stream what is no name",
                      ngx_media_fetch_name(to->target));

        *reason = "the hook gave it a name that is none";

        return ngx_media_hook_refuse(ask, 403);
    }

    if (name.len && ngx_media_access_rename(ask->access, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    v = ask->conf->verdict;

    if (v == NULL) {
        return NGX_OK;
    }

    ngx_media_hook_again(ask, verdict->expires ? verdict->expires : to->valid);

    if (verdict->sessions
        && (v->sessions == 0 || verdict->sessions < v->sessions))
    {
        v->sessions = verdict->sessions;
    }

    if (verdict->expires && !ask->conf->session) {
        ngx_media_access_expires(ask->conf, ngx_time() + verdict->expires);
    }

    /* one that only listens says yes to whoever knows a name */

    if (ask->event == NGX_MEDIA_HOOK_PUBLISH
        && ngx_media_auth_asks_hook(ask->app))
    {
        ngx_media_access_admit(ask->conf);
    }

    if (ask->entry) {
        v->id = ask->id;

        (void) ngx_media_hook_table_admit(ngx_media_hook_table(ask->app),
                                          ask->id, &ask->conf->name);
    }

    return NGX_OK;
}


/* of all that is known of it the first time that it is over */

static void
ngx_media_hook_again(ngx_media_hook_ask_t *ask, time_t valid)
{
    time_t                       again;
    ngx_media_access_verdict_t  *v;

    v = ask->conf->verdict;
    again = ngx_time() + valid;

    if (v && (v->again == 0 || again < v->again)) {
        v->again = again;
    }
}


/* there was no answer, or none that says anything */

static ngx_int_t
ngx_media_hook_silent(ngx_media_hook_ask_t *ask)
{
    ngx_uint_t            level;
    ngx_media_hook_to_t  *to;

    to = &ngx_media_hook_conf(ask->app)->to[ask->event];
    to->failures++;

    level = NGX_LOG_ERR;

    if (to->allow) {
        level = NGX_LOG_WARN;

        ngx_media_hook_count(ngx_media_hook_table(ask->app), ask->event,
                             NGX_MEDIA_HOOK_ALLOWED);

        ngx_media_hook_again(ask, to->valid);
    }

    if ((to->failures & (to->failures - 1)) == 0) {
        ngx_log_error(level, ask->conf->log, 0,
                      "media hook \"%V\" did not answer %V, it is %s, "
                      "times:%ui",
                      ngx_media_fetch_name(to->target),
                      &ngx_media_hook_events[ask->event],
                      to->allow ? "allowed" : "refused", to->failures);
    }

    return to->allow ? NGX_OK : ngx_media_hook_refuse(ask, 503);
}


static ngx_uint_t
ngx_media_hook_hides(const ngx_media_app_t *app)
{
    ngx_media_hook_to_t  *to;

    to = &ngx_media_hook_conf(app)->to[NGX_MEDIA_HOOK_PUBLISH];

    return to->target && ngx_media_hook_renames(to->format);
}


static ngx_uint_t
ngx_media_hook_viewers(const ngx_media_app_t *app)
{
    ngx_media_hook_to_t  *to;

    to = ngx_media_hook_conf(app)->to;

    return to[NGX_MEDIA_HOOK_PLAY].target
           || to[NGX_MEDIA_HOOK_PLAY_DONE].target;
}


ngx_int_t
ngx_media_hook_send(const ngx_media_app_t *app, const ngx_media_hook_t *hook,
    void (*done)(void *data, const ngx_media_http_t *answer,
        const char *error),
    void *data, ngx_media_fetch_t **fetch)
{
    u_char                  *body;
    size_t                   size;
    ngx_int_t                rc;
    ngx_media_hook_t         full;
    ngx_media_text_t         text;
    ngx_media_hook_to_t     *to;
    ngx_media_fetch_conf_t   conf;

    to = &ngx_media_hook_conf(app)->to[hook->event];

    full = *hook;
    full.app = app->name;
    full.call = to->call;
    full.server = ngx_cycle->hostname;

    ngx_media_text_init(&text, NULL, 0);
    ngx_media_hook_write(&text, to->format, &full);
    size = text.total;

    body = ngx_alloc(size, ngx_cycle->log);
    if (body == NULL) {
        return NGX_ERROR;
    }

    ngx_media_text_init(&text, body, size);
    ngx_media_hook_write(&text, to->format, &full);

    ngx_memzero(&conf, sizeof(ngx_media_fetch_conf_t));

    conf.target = to->target;
    conf.timeout = to->timeout;
    conf.log = ngx_cycle->log;
    conf.done = done;
    conf.data = data;

    if (to->get) {
        ngx_str_set(&conf.method, "GET");
        conf.args.data = body;
        conf.args.len = size;

    } else {
        ngx_str_set(&conf.method, "POST");
        conf.type = *ngx_media_hook_type(to->format);
        conf.body.data = body;
        conf.body.len = size;
    }

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media hook \"%V\" is told %V, id:%xL bytes:%uz",
                   ngx_media_fetch_name(to->target),
                   &ngx_media_hook_events[hook->event], hook->id, size);

    rc = ngx_media_fetch(&conf, fetch);

    ngx_free(body);

    return rc;
}


void
ngx_media_hook_answer(const ngx_media_app_t *app,
    ngx_media_hook_event_e event, const ngx_media_http_t *answer,
    u_char **room, ngx_media_hook_verdict_t *verdict)
{
    ngx_media_hook_to_t       *to;
    ngx_media_hook_answer_t    said;

    static const ngx_media_hook_said_e  counts[] = {
        NGX_MEDIA_HOOK_SAID_YES, NGX_MEDIA_HOOK_SAID_NO,
        NGX_MEDIA_HOOK_SAID_NOTHING
    };

    to = &ngx_media_hook_conf(app)->to[event];

    *room = NULL;

    ngx_memzero(verdict, sizeof(ngx_media_hook_verdict_t));

    verdict->result = NGX_MEDIA_HOOK_FAILED;
    verdict->reason = "the hook did not answer";

    if (answer) {
        *room = ngx_alloc(ngx_media_span_len(&answer->body)
                          + ngx_media_span_len(&answer->location) + 1,
                          ngx_cycle->log);
    }

    if (*room) {
        said.status = answer->status;
        said.location = answer->location;
        said.body = answer->body;

        ngx_media_hook_read(to->format, event, &app->name, &said, *room,
                            verdict);
    }

    ngx_media_hook_count(ngx_media_hook_table(app), event,
                         counts[verdict->result]);

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media hook \"%V\" answered %V, status:%ui result:%ui",
                   ngx_media_fetch_name(to->target),
                   &ngx_media_hook_events[event],
                   answer ? answer->status : 0, (ngx_uint_t) verdict->result);
}


static void
ngx_media_hook_shared_init(ngx_media_zone_t *zone, void *mem)
{
    uint64_t               serial;
    ngx_media_zone_conf_t  conf;

    conf.size = zone->app->zone_size;
    conf.accounts = zone->app->max_streams;

    /* not those of before a start, nor of another application */

    if (RAND_bytes((u_char *) &serial, sizeof(serial)) != 1) {
        serial = (uint64_t) ngx_time() << 8;
    }

    ngx_media_hook_table_init(mem, ngx_media_hook_table_size(&conf), serial);
}


static void
ngx_media_hook_swept(ngx_media_zone_t *zone, void *mem, ngx_uint_t row)
{
    ngx_media_hook_table_swept(mem, row);
}


static void *
ngx_media_hook_create_conf(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_media_hook_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_media_hook_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    ngx_queue_init(&conf->here);
    ngx_queue_init(&conf->again);

    return conf;
}


static char *
ngx_media_hook_init_conf(ngx_conf_t *cf, ngx_media_app_t *app, void *conf)
{
    ngx_media_hook_conf_t *mhcf = conf;

    ngx_uint_t  i;

    for (i = 0; i < NGX_MEDIA_HOOK_EVENTS; i++) {
        ngx_media_hook_used |= (mhcf->to[i].target != NULL);
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_media_hook_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t  used;

    used = ngx_media_hook_used;
    ngx_media_hook_used = 0;

    return used ? ngx_media_access_add(cf, &ngx_media_hook_entry) : NGX_OK;
}


/* on EVENT URL [parameters] */

static char *
ngx_media_hook_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_hook_conf_t *mhcf = conf;

    char                 *rv;
    ngx_str_t            *value;
    ngx_uint_t            i, event;
    ngx_media_hook_to_t  *to;

    value = cf->args->elts;

    for (event = 0; event < NGX_MEDIA_HOOK_EVENTS; event++) {
        if (ngx_strcmp(value[1].data, ngx_media_hook_events[event].data) == 0)
        {
            break;
        }
    }

    if (event == NGX_MEDIA_HOOK_EVENTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid event \"%V\", it must be \"publish\", "
                           "\"play\", \"publish_done\", \"play_done\" or "
                           "\"update\"",
                           ngx_media_access_quoted(&value[1]));
        return NGX_CONF_ERROR;
    }

    to = &mhcf->to[event];

    if (to->target) {
        return "is duplicate";
    }

    to->timeout = NGX_MEDIA_HOOK_TIMEOUT;
    to->valid = NGX_MEDIA_HOOK_VALID;
    to->interval = NGX_MEDIA_HOOK_INTERVAL;
    to->allow = (event == NGX_MEDIA_HOOK_UPDATE);

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_media_hook_param(cf, to, event, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (!ngx_media_hook_known(to->format, event)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"format=%s\" has no \"%V\"",
                           ngx_media_hook_format_name(to->format), &value[1]);
        return NGX_CONF_ERROR;
    }

    if (to->format != NGX_MEDIA_HOOK_FORM && (to->get || to->call.len)) {
        return "has a parameter that is for \"format=form\" alone";
    }

    if (event == NGX_MEDIA_HOOK_PUBLISH && to->allow
        && ngx_media_hook_renames(to->format))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "with \"fail=allow\" and without an answer a "
                           "stream has the name that its encoder gives, for "
                           "all to see, also if that is its key");
    }

    to->target = ngx_media_fetch_target(cf, &value[2]);

    return to->target ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_media_hook_param(ngx_conf_t *cf, ngx_media_hook_to_t *to,
    ngx_uint_t event, ngx_str_t *value)
{
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_msec_t   msec;

    rc = NGX_ERROR;

    if (ngx_media_hook_named(value, "format=", &text)) {
        rc = ngx_media_hook_param_format(to, &text);

    } else if (ngx_media_hook_named(value, "timeout=", &text)) {
        rc = ngx_media_hook_param_time(&to->timeout, 1, NGX_MEDIA_HOOK_LONGEST,
                                       &text);

    } else if (ngx_media_hook_named(value, "fail=", &text)
               && (ngx_media_hook_asks(event)
                   || event == NGX_MEDIA_HOOK_UPDATE))
    {
        to->allow = ngx_strcmp(text.data, "allow") == 0;
        rc = (to->allow || ngx_strcmp(text.data, "deny") == 0) ? NGX_OK
                                                               : NGX_ERROR;

    } else if (ngx_media_hook_named(value, "valid=", &text)
               && event == NGX_MEDIA_HOOK_PLAY)
    {
        rc = ngx_media_hook_param_time(&msec, 1000, NGX_MAX_INT32_VALUE,
                                       &text);
        to->valid = msec / 1000;

    } else if (ngx_media_hook_named(value, "interval=", &text)
               && event == NGX_MEDIA_HOOK_UPDATE)
    {
        rc = ngx_media_hook_param_time(&to->interval, 1000,
                                       NGX_MAX_INT32_VALUE, &text);

    } else if (ngx_media_hook_named(value, "method=", &text)) {
        to->get = ngx_strcmp(text.data, "get") == 0;
        rc = (to->get || ngx_strcmp(text.data, "post") == 0) ? NGX_OK
                                                             : NGX_ERROR;

    } else if (ngx_media_hook_named(value, "call=", &text)) {
        to->call = text;
        rc = text.len ? NGX_OK : NGX_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of a hook for \"%V\"",
                           ngx_media_access_quoted(value),
                           &ngx_media_hook_events[event]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_media_hook_named(const ngx_str_t *value, const char *name,
    ngx_str_t *text)
{
    size_t  len;

    len = ngx_strlen(name);

    if (value->len < len || ngx_strncmp(value->data, name, len) != 0) {
        return 0;
    }

    text->data = value->data + len;
    text->len = value->len - len;

    return 1;
}


static ngx_int_t
ngx_media_hook_param_format(ngx_media_hook_to_t *to, const ngx_str_t *text)
{
    ngx_uint_t  i;

    for (i = 0; ngx_media_hook_format_name(i); i++) {
        if (ngx_strcmp(text->data, ngx_media_hook_format_name(i)) == 0) {
            to->format = i;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_media_hook_param_time(ngx_msec_t *msec, ngx_int_t min, ngx_int_t max,
    const ngx_str_t *text)
{
    ngx_int_t  n;

    n = ngx_parse_time((ngx_str_t *) text, 0);

    *msec = (ngx_msec_t) n;

    return (n >= min && n <= max) ? NGX_OK : NGX_ERROR;
}
