
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The media {} blocks, and the life of their zones over cycles and processes.
 * Nothing that can fail happens in init_module: there a failure on reload
 * would end the master.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_event.h"
#include "core/ngx_media_module.h"
#include "core/ngx_media_store_shm.h"
#include "core/ngx_media_writer.h"
#include "memory/ngx_media_notify.h"
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_TICK      1000


/* a directive elsewhere that names an application */

typedef struct {
    ngx_media_check_pt        check;
    void                     *data;
    ngx_str_t                 file;
    ngx_uint_t                line;
} ngx_media_check_t;


typedef struct {
    ngx_array_t               apps;           /* ngx_media_app_t * */
    ngx_array_t               checks;         /* ngx_media_check_t */
    ngx_media_listeners_t     listeners;
} ngx_media_main_conf_t;


static void *ngx_media_create_conf(ngx_cycle_t *cycle);
static char *ngx_media_init_conf(ngx_cycle_t *cycle, void *conf);
static void ngx_media_notify_cleanup(void *data);
static char *ngx_media_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_media_app_parse(ngx_conf_t *cf, ngx_media_app_t *app);
static ngx_uint_t ngx_media_app_named(const ngx_str_t *name);
static ngx_int_t ngx_media_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_media_init_process(ngx_cycle_t *cycle);
static void ngx_media_exit_process(ngx_cycle_t *cycle);
static void ngx_media_tick(ngx_event_t *ev);
static void ngx_media_modules_tick(ngx_media_zone_t *zone);


static ngx_command_t  ngx_media_commands[] = {

    { ngx_string("media"),
      NGX_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_media_block,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_media_module_ctx = {
    ngx_string("media"),
    ngx_media_create_conf,
    ngx_media_init_conf
};


ngx_module_t  ngx_media_module = {
    NGX_MODULE_V1,
    &ngx_media_module_ctx,                 /* module context */
    ngx_media_commands,                    /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_media_init_module,                 /* init module */
    ngx_media_init_process,                /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_media_exit_process,                /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_event_t       ngx_media_tick_event;
static ngx_connection_t  ngx_media_tick_connection;
static ngx_msec_t        ngx_media_exiting_since;


static void *
ngx_media_create_conf(ngx_cycle_t *cycle)
{
    ngx_media_main_conf_t  *mmcf;

    mmcf = ngx_pcalloc(cycle->pool, sizeof(ngx_media_main_conf_t));
    if (mmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mmcf->apps, cycle->pool, 4,
                       sizeof(ngx_media_app_t *))
        != NGX_OK
        || ngx_array_init(&mmcf->checks, cycle->pool, 4,
                          sizeof(ngx_media_check_t))
           != NGX_OK
        || ngx_media_listeners_init(&mmcf->listeners, cycle->pool) != NGX_OK)
    {
        return NULL;
    }

    return mmcf;
}


ngx_media_app_t *
ngx_media_app_entry(ngx_cycle_t *cycle, ngx_uint_t i)
{
    ngx_media_app_t        **app;
    ngx_media_main_conf_t   *mmcf;

    mmcf = (ngx_media_main_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                  ngx_media_module);
    if (i >= mmcf->apps.nelts) {
        return NULL;
    }

    app = mmcf->apps.elts;

    return app[i];
}


ngx_media_app_t *
ngx_media_app_find(ngx_cycle_t *cycle, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_media_app_t  *app;

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry(cycle, i);

        if (app == NULL
            || (app->name.len == name->len
                && ngx_memcmp(app->name.data, name->data, name->len) == 0))
        {
            return app;
        }
    }
}


ngx_int_t
ngx_media_conf_check(ngx_conf_t *cf, ngx_media_check_pt check, void *data)
{
    ngx_media_check_t      *entry;
    ngx_media_main_conf_t  *mmcf;

    mmcf = (ngx_media_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_media_module);

    entry = ngx_array_push(&mmcf->checks);
    if (entry == NULL) {
        return NGX_ERROR;
    }

    entry->check = check;
    entry->data = data;
    entry->file = cf->conf_file->file.name;
    entry->line = cf->conf_file->line;

    return NGX_OK;
}


ngx_int_t
ngx_media_event_add(ngx_conf_t *cf, ngx_media_event_e event,
    ngx_media_event_pt handler)
{
    ngx_media_event_pt     *entry;
    ngx_media_main_conf_t  *mmcf;

    mmcf = (ngx_media_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_media_module);

    entry = ngx_array_push(&mmcf->listeners.handlers[event]);
    if (entry == NULL) {
        return NGX_ERROR;
    }

    *entry = handler;

    return NGX_OK;
}


/* all of the file is known: what names an application can be looked at */

static char *
ngx_media_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_media_main_conf_t *mmcf = conf;

    char                    *rv;
    ngx_conf_t               cf;
    ngx_uint_t               i;
    ngx_conf_file_t          file;
    ngx_media_check_t       *entry;
    ngx_pool_cleanup_t      *cln;
    ngx_media_module_ctx_t  *module;

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_media_notify_cleanup;

    (void) ngx_media_notify_init(cycle->log);

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;
    cf.conf_file = &file;

    /* checks may ask what modules of media {} have set up by then */

    file.file.fd = NGX_INVALID_FILE;

    i = 0;

    while (mmcf->apps.nelts) {
        module = ngx_media_module_next(cycle, &i, NULL);

        if (module == NULL) {
            break;
        }

        if (module->postconfiguration
            && module->postconfiguration(&cf) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    file.file.fd = 0;

    entry = mmcf->checks.elts;

    for (i = 0; i < mmcf->checks.nelts; i++) {
        file.file.name = entry[i].file;
        file.line = entry[i].line;

        rv = entry[i].check(&cf, entry[i].data);

        if (rv != NGX_CONF_OK) {

            if (rv != NGX_CONF_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, &cf, 0, "%s", rv);
            }

            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void
ngx_media_notify_cleanup(void *data)
{
    ngx_media_notify_done();
}


ngx_media_module_ctx_t *
ngx_media_module_next(ngx_cycle_t *cycle, ngx_uint_t *i, ngx_module_t **module)
{
    ngx_module_t  *m;

    while (cycle->modules[*i]) {
        m = cycle->modules[(*i)++];

        if (m->type == NGX_MEDIA_MODULE) {

            if (module) {
                *module = m;
            }

            return m->ctx;
        }
    }

    return NULL;
}


static char *
ngx_media_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                   *rv;
    ngx_str_t              *value;
    ngx_media_app_t        *app, **slot;
    ngx_media_main_conf_t  *mmcf;

    mmcf = (ngx_media_main_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_media_module);
    value = cf->args->elts;

    if (ngx_media_app_find(cf->cycle, &value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate media application \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (!ngx_media_app_named(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid media application name \"%V\", it becomes "
                           "part of URLs: use letters, digits, \"-\", \"_\" "
                           "or \".\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    app = ngx_pcalloc(cf->pool, sizeof(ngx_media_app_t));
    if (app == NULL) {
        return NGX_CONF_ERROR;
    }

    app->name = value[1];
    app->cycle = cf->cycle;
    app->listeners = &mmcf->listeners;

    ngx_queue_init(&app->publishers);

    rv = ngx_media_app_parse(cf, app);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_media_module_zone(cf, app);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    slot = ngx_array_push(&mmcf->apps);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = app;

    return NGX_CONF_OK;
}


/* what all modules make of the block */

static char *
ngx_media_app_parse(ngx_conf_t *cf, ngx_media_app_t *app)
{
    char                    *rv;
    ngx_uint_t               i, n;
    ngx_conf_t               save;
    ngx_module_t            *m;
    ngx_media_conf_ctx_t     ctx;
    ngx_media_module_ctx_t  *module;

    n = ngx_count_modules(cf->cycle, NGX_MEDIA_MODULE);

    app->listeners->nmodules = n;

    app->conf = ngx_pcalloc(cf->pool, n * sizeof(void *));
    app->shared = ngx_pcalloc(cf->pool, n * sizeof(void *));

    if (app->conf == NULL || app->shared == NULL) {
        return NGX_CONF_ERROR;
    }

    i = 0;

    for ( ;; ) {
        module = ngx_media_module_next(cf->cycle, &i, &m);

        if (module == NULL) {
            break;
        }

        if (module->create == NULL) {
            continue;
        }

        app->conf[m->ctx_index] = module->create(cf, app);

        if (app->conf[m->ctx_index] == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    ctx.app_conf = app->conf;

    save = *cf;
    cf->ctx = &ctx;
    cf->module_type = NGX_MEDIA_MODULE;
    cf->cmd_type = NGX_MEDIA_CONF;

    rv = ngx_conf_parse(cf, NULL);

    i = 0;

    while (rv == NGX_CONF_OK) {
        module = ngx_media_module_next(cf->cycle, &i, &m);

        if (module == NULL) {
            break;
        }

        if (module->init) {
            rv = module->init(cf, app, app->conf[m->ctx_index]);
        }
    }

    *cf = save;

    return rv;
}


/* letters, digits, "-", "_", "."; but "." and ".." mean something else */

static ngx_uint_t
ngx_media_app_named(const ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i;

    if (name->len == 0 || name->len > NGX_MEDIA_NAME_MAX
        || ngx_strcmp(name->data, ".") == 0
        || ngx_strcmp(name->data, "..") == 0)
    {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < '0' || c > '9') && ((c | 0x20) < 'a' || (c | 0x20) > 'z')
            && c != '-' && c != '_' && c != '.')
        {
            return 0;
        }
    }

    return 1;
}


/* as ngx_conf_set_size_slot(), but it knows gigabytes */


/* a zone that is used no more strands its publishers in old workers */

static ngx_int_t
ngx_media_init_module(ngx_cycle_t *cycle)
{
    ngx_media_module_retire(cycle);

    return NGX_OK;
}


static ngx_int_t
ngx_media_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_media_app_t  *app;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    if (ngx_media_app_entry(cycle, 0) == NULL) {
        return NGX_OK;
    }

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry(cycle, i);

        if (app == NULL) {
            break;
        }

        app->zone->log = cycle->log;
        app->zone->row = NULL;
    }

    ngx_memzero(&ngx_media_tick_event, sizeof(ngx_event_t));

    ngx_media_tick_connection.fd = (ngx_socket_t) -1;

    ngx_media_tick_event.handler = ngx_media_tick;
    ngx_media_tick_event.log = cycle->log;
    ngx_media_tick_event.data = &ngx_media_tick_connection;
    ngx_media_tick_event.cancelable = 1;

    ngx_add_timer(&ngx_media_tick_event, NGX_MEDIA_TICK);

    return ngx_media_notify_init_process(cycle);
}


static void
ngx_media_tick(ngx_event_t *ev)
{
    ngx_uint_t         i;
    const char        *reason;
    ngx_media_app_t   *app;
    ngx_media_zone_t  *zone;

    if (ngx_exiting && ngx_media_exiting_since == 0) {
        ngx_media_exiting_since = ngx_current_msec;
    }

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i);

        if (app == NULL) {
            break;
        }

        zone = app->zone;
        reason = NULL;

        ngx_media_zone_sweep(zone);
        ngx_media_modules_tick(zone);

        if (ngx_media_load(&zone->store->retired)) {
            reason = "the media zone was replaced";

        } else if (ngx_exiting && app->drain
                   && ngx_current_msec - ngx_media_exiting_since
                      >= app->drain)
        {
            reason = "the drain time is over";
        }

        ngx_media_writers_close(zone, reason);
    }

    ngx_media_notify_look();

    ngx_add_timer(ev, NGX_MEDIA_TICK);
}


static void
ngx_media_modules_tick(ngx_media_zone_t *zone)
{
    ngx_uint_t               i;
    ngx_module_t            *m;
    ngx_media_module_ctx_t  *module;

    i = 0;

    for ( ;; ) {
        module = ngx_media_module_next(zone->app->cycle, &i, &m);

        if (module == NULL) {
            break;
        }

        if (module->tick) {
            module->tick(zone, zone->app->shared[m->ctx_index]);
        }
    }
}


static void
ngx_media_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_media_app_t  *app;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry(cycle, i);

        if (app == NULL) {
            return;
        }

        ngx_media_writers_exit(app->zone);
        ngx_media_zone_detach(app->zone);
    }
}
