
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
#include "core/ngx_media.h"
#include "core/ngx_media_stat.h"
#include "core/ngx_media_store_zone.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_writer.h"
#include "memory/ngx_media_notify.h"
#include "memory/ngx_media_zone.h"
#include "time/ngx_media_segmenter.h"


#define NGX_MEDIA_TICK      1000

/* bytes: what a process can map, with room for others */
#define NGX_MEDIA_ZONE_MAX  ((size_t) 1024 * 1024 * 1024 * 1024)


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
} ngx_media_main_conf_t;


/* what ngx_conf_parse() finds the configuration of directives by */

typedef struct {
    void                    **app_conf;
} ngx_media_conf_ctx_t;


static void *ngx_media_create_conf(ngx_cycle_t *cycle);
static char *ngx_media_init_conf(ngx_cycle_t *cycle, void *conf);
static char *ngx_media_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_media_app_t *ngx_media_app_create(ngx_conf_t *cf,
    ngx_str_t *name);
static char *ngx_media_app_init(ngx_conf_t *cf, ngx_media_app_t *app);
static char *ngx_media_app_zone(ngx_conf_t *cf, ngx_media_app_t *app);
static ngx_uint_t ngx_media_app_named(const ngx_str_t *name);
static char *ngx_media_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_media_segment(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_part(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_media_zone_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_max_bitrate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_media_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void ngx_media_zone_cleanup(void *data);
static ngx_int_t ngx_media_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_media_init_process(ngx_cycle_t *cycle);
static void ngx_media_exit_process(ngx_cycle_t *cycle);
static void ngx_media_tick(ngx_event_t *ev);


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


static ngx_conf_enum_t  ngx_media_conflicts[] = {
    { ngx_string("reject"), NGX_MEDIA_CONFLICT_REJECT },
    { ngx_string("drop"), NGX_MEDIA_CONFLICT_DROP },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_media_streams_bounds = {
    ngx_conf_check_num_bounds, 1, 100000
};


static ngx_command_t  ngx_media_core_commands[] = {

    { ngx_string("zone"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_zone_limit,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      0,
      NULL },

    { ngx_string("segment"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE12,
      ngx_media_segment,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      0,
      NULL },

    { ngx_string("part"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_part,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      0,
      NULL },

    { ngx_string("window"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, window),
      NULL },

    { ngx_string("grace"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, grace),
      NULL },

    { ngx_string("track_wait"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, track_wait),
      NULL },

    { ngx_string("drain"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, drain),
      NULL },

    { ngx_string("send_limit"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, send_limit),
      NULL },

    { ngx_string("publish_conflict"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, publish_conflict),
      &ngx_media_conflicts },

    { ngx_string("max_streams"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      offsetof(ngx_media_app_t, max_streams),
      &ngx_media_streams_bounds },

    { ngx_string("max_bitrate"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_max_bitrate,
      offsetof(ngx_media_conf_ctx_t, app_conf),
      0,
      NULL },

      ngx_null_command
};


/* the directives inside of media {} are of a module type of their own */

ngx_module_t  ngx_media_core_module = {
    NGX_MODULE_V1,
    NULL,                                  /* module context */
    ngx_media_core_commands,               /* module directives */
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
           != NGX_OK)
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


/* all of the file is known: what names an application can be looked at */

static char *
ngx_media_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_media_main_conf_t *mmcf = conf;

    char               *rv;
    ngx_conf_t          cf;
    ngx_uint_t          i;
    ngx_conf_file_t     file;
    ngx_media_check_t  *entry;

    if (ngx_media_notify_init(cycle->log) == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&file, sizeof(ngx_conf_file_t));

    cf.cycle = cycle;
    cf.pool = cycle->pool;
    cf.log = cycle->log;
    cf.conf_file = &file;

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


static char *
ngx_media_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                   *rv;
    ngx_str_t              *value;
    ngx_uint_t              n;
    ngx_conf_t              save;
    ngx_media_app_t        *app, **slot;
    ngx_media_conf_ctx_t    ctx;
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

    app = ngx_media_app_create(cf, &value[1]);
    if (app == NULL) {
        return NGX_CONF_ERROR;
    }

    n = ngx_count_modules(cf->cycle, NGX_MEDIA_MODULE);

    ctx.app_conf = ngx_pcalloc(cf->pool, n * sizeof(void *));
    if (ctx.app_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    ctx.app_conf[ngx_media_core_module.ctx_index] = app;

    save = *cf;
    cf->ctx = &ctx;
    cf->module_type = NGX_MEDIA_MODULE;
    cf->cmd_type = NGX_MEDIA_CONF;

    rv = ngx_conf_parse(cf, NULL);

    if (rv == NGX_CONF_OK) {
        rv = ngx_media_app_init(cf, app);
    }

    *cf = save;

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


static ngx_media_app_t *
ngx_media_app_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_media_app_t  *app;

    app = ngx_pcalloc(cf->pool, sizeof(ngx_media_app_t));
    if (app == NULL) {
        return NULL;
    }

    app->name = *name;
    app->zone_size = NGX_CONF_UNSET_SIZE;
    app->segment = NGX_CONF_UNSET_MSEC;
    app->segment_max = NGX_CONF_UNSET_MSEC;
    app->part = NGX_CONF_UNSET_MSEC;
    app->window = NGX_CONF_UNSET_MSEC;
    app->grace = NGX_CONF_UNSET_MSEC;
    app->track_wait = NGX_CONF_UNSET_MSEC;
    app->drain = NGX_CONF_UNSET_MSEC;
    app->send_limit = NGX_CONF_UNSET_MSEC;
    app->publish_conflict = NGX_CONF_UNSET_UINT;
    app->max_streams = NGX_CONF_UNSET_UINT;
    app->max_bitrate = NGX_CONF_UNSET_UINT;

    return app;
}


static char *
ngx_media_app_init(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_msec_t  least;
    ngx_uint_t  misfits;

    ngx_conf_init_size_value(app->zone_size, 256 * 1024 * 1024);
    ngx_conf_init_msec_value(app->segment, 2000);
    ngx_conf_init_msec_value(app->segment_max, app->segment * 3 / 2);
    ngx_conf_init_msec_value(app->part, 200);
    ngx_conf_init_msec_value(app->window, 60000);
    ngx_conf_init_msec_value(app->grace, 15000);
    ngx_conf_init_msec_value(app->track_wait, 1000);
    ngx_conf_init_msec_value(app->drain, 0);
    ngx_conf_init_msec_value(app->send_limit, 60000);
    ngx_conf_init_uint_value(app->publish_conflict, NGX_MEDIA_CONFLICT_DROP);
    ngx_conf_init_uint_value(app->max_streams, 1000);
    ngx_conf_init_uint_value(app->max_bitrate, 0);

    app->target = (app->segment_max + 999) / 1000;

    if (app->zone_size < 8 * 1024 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"zone\" of media \"%V\" is too small, "
                           "it must be at least 8m", &app->name);
        return NGX_CONF_ERROR;
    }

    if (app->zone_size > NGX_MEDIA_ZONE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"zone\" of media \"%V\" is too large, "
                           "it may be at most 1024g", &app->name);
        return NGX_CONF_ERROR;
    }

    if (app->part && app->part * 2 > app->segment) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"part\" of media \"%V\" must be at most half of "
                           "\"segment\", which is %Mms; or write "
                           "\"part off\"", &app->name, app->segment);
        return NGX_CONF_ERROR;
    }

    if (app->part) {
        app->part_target = ngx_media_part_target(app->part);
        misfits = ngx_media_part_misfits(app->part_target);

        if (misfits > ngx_media_part_misfits(ngx_media_part_target(200))) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "\"part %Mms\" of media \"%V\" does not fit "
                               "%ui of the usual frame rates, players may "
                               "complain of short parts: try 200ms",
                               app->part, &app->name, misfits);
        }
    }

    least = 3 * app->segment_max + app->segment;

    if (app->window < least) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"window\" of media \"%V\" is too short for its "
                           "segments, it must be at least %Mms",
                           &app->name, least);
        return NGX_CONF_ERROR;
    }

    app->ring_segments = app->window * 2 / app->segment + 16;

    if (app->ring_segments
        > NGX_MEDIA_SEGMENT_PAGES * NGX_MEDIA_SEGMENT_PER_PAGE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"window\" of media \"%V\" is too long for its "
                           "segments, with \"segment %Mms\" it must be at "
                           "most %Ms", &app->name, app->segment,
                           (NGX_MEDIA_SEGMENT_PAGES
                            * NGX_MEDIA_SEGMENT_PER_PAGE - 16)
                           / 2 * app->segment / 1000);
        return NGX_CONF_ERROR;
    }

    /* what is listed of parts, 3 target durations, and as long again */

    app->ring_parts = app->target * 8 * 10000
                      / (app->part_target ? app->part_target : 10000)
                      * 5 / 4 + 64;

    app->ring_parts = ngx_min(app->ring_parts,
                              NGX_MEDIA_PART_PAGES * NGX_MEDIA_PART_PER_PAGE);

    return ngx_media_app_zone(cf, app);
}


static char *
ngx_media_app_zone(ngx_conf_t *cf, ngx_media_app_t *app)
{
    u_char                 *p;
    size_t                  size;
    ngx_str_t               name;
    ngx_shm_zone_t         *shm_zone;
    ngx_media_zone_t       *zone;
    ngx_media_zone_conf_t   conf;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_media_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, sizeof("media:::") + app->name.len
                              + 3 * NGX_SIZE_T_LEN);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    /* nginx compares only sizes: all that decides on the layout is a name */

    name.data = p;
    name.len = ngx_sprintf(p, "media:%V:%uz:%ui:%d", &app->name,
                           app->zone_size, app->max_streams,
                           NGX_MEDIA_LAYOUT)
               - p;

    ngx_media_store_zone_conf(app, &conf);

    size = ngx_media_zone_memory(&conf);

    /* the pool's own records of its pages */
    size += size / ngx_pagesize * sizeof(ngx_slab_page_t) + 32 * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &name, size, &ngx_media_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->app = app;
    zone->log = &cf->cycle->new_log;

    shm_zone->init = ngx_media_zone_init;
    shm_zone->data = zone;

    ngx_queue_init(&app->publishers);

    app->zone = zone;
    app->cycle = cf->cycle;

    return NGX_CONF_OK;
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


static char *
ngx_media_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char       *rv;
    ngx_str_t  *value;

    rv = ngx_conf_set_msec_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR
        || ngx_strcmp(rv, "invalid value") != 0)
    {
        return rv;
    }

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid time \"%V\", write \"%V 15s\" for instance",
                       &value[1], &cmd->name);

    return NGX_CONF_ERROR;
}


static char *
ngx_media_segment(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_app_t *app = conf;

    ngx_int_t   n;
    ngx_str_t  *value, s;

    value = cf->args->elts;

    if (app->segment != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    n = ngx_parse_time(&value[1], 0);

    if (n < 1000 || n > 60000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid segment duration \"%V\", "
                           "it must be from 1s to 60s", &value[1]);
        return NGX_CONF_ERROR;
    }

    app->segment = n;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "max=", 4) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", "
                           "write \"segment 2s max=3s\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    s.data = value[2].data + 4;
    s.len = value[2].len - 4;

    n = ngx_parse_time(&s, 0);

    if (n == NGX_ERROR || (ngx_msec_t) n < app->segment || n > 120000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid longest segment \"%V\", it must be from "
                           "the segment duration to 120s", &s);
        return NGX_CONF_ERROR;
    }

    app->segment_max = n;

    return NGX_CONF_OK;
}


static char *
ngx_media_part(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_app_t *app = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (app->part != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        app->part = 0;
        return NGX_CONF_OK;
    }

    n = ngx_parse_time(&value[1], 0);

    if (n < 100 || n > 2000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid part duration \"%V\", it must be \"off\" "
                           "or from 100ms to 2s", &value[1]);
        return NGX_CONF_ERROR;
    }

    app->part = n;

    return NGX_CONF_OK;
}


/* as ngx_conf_set_size_slot(), but it knows gigabytes */

static char *
ngx_media_zone_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_app_t *app = conf;

    off_t       n;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (app->zone_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    n = ngx_parse_offset(&value[1]);

    if (n == NGX_ERROR || (off_t) (size_t) n != n) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\", write \"zone 512m\" for "
                           "instance", &value[1]);
        return NGX_CONF_ERROR;
    }

    app->zone_size = n;

    return NGX_CONF_OK;
}


static char *
ngx_media_max_bitrate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_app_t *app = conf;

    off_t       n;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (app->max_bitrate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    n = ngx_parse_offset(&value[1]);

    if (n <= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid bitrate \"%V\", it is in bits a second: "
                           "write \"max_bitrate 8m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    app->max_bitrate = n;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_media_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_media_zone_t *old = data;

    void                   *mem;
    ngx_slab_pool_t        *shpool;
    ngx_media_zone_t       *zone;
    ngx_pool_cleanup_t     *cln;
    ngx_media_zone_conf_t   conf;

    zone = shm_zone->data;

    cln = ngx_pool_cleanup_add(zone->app->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    if (old) {
        zone->sh = old->sh;
        zone->store = old->store;
        zone->arena = old->arena;
        zone->arena->count++;

    } else {
        shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
        shpool->log_nomem = 0;

        ngx_media_store_zone_conf(zone->app, &conf);

        mem = ngx_slab_alloc(shpool, ngx_media_zone_memory(&conf));
        if (mem == NULL) {
            return NGX_ERROR;
        }

        zone->arena = ngx_media_arena_create(zone->app->zone_size,
                                             shm_zone->shm.log);
        if (zone->arena == NULL) {
            return NGX_ERROR;
        }

        zone->sh = mem;

        ngx_media_zone_format(zone->sh, mem, &conf);
        ngx_media_store_format(zone, zone->app);
    }

    cln->handler = ngx_media_zone_cleanup;
    cln->data = zone;

    return NGX_OK;
}


static void
ngx_media_zone_cleanup(void *data)
{
    ngx_media_zone_t *zone = data;

    ngx_media_arena_release(zone->arena);
}


/*
 * A zone that the new cycle does not use any more strands its publishers in
 * old workers: they are asked to come back into the new one.
 */

static ngx_int_t
ngx_media_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t        i, k;
    ngx_cycle_t      *old;
    ngx_media_app_t  *app, *new;

    old = cycle->old_cycle;

    if (old == NULL || ngx_is_init_cycle(old)
        || ngx_get_conf(old->conf_ctx, ngx_media_module) == NULL)
    {
        return NGX_OK;
    }

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry(old, i);

        if (app == NULL) {
            return NGX_OK;
        }

        for (k = 0; /* void */ ; k++) {
            new = ngx_media_app_entry(cycle, k);

            if (new == NULL || new->zone->sh == app->zone->sh) {
                break;
            }
        }

        if (new) {
            continue;
        }

        ngx_media_store(&app->zone->store->retired, 1);

        new = ngx_media_app_find(cycle, &app->name);

        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "media zone of \"%V\" was replaced, %uz bytes by %uz: "
                      "its publishers have to reconnect",
                      &app->name, app->zone_size, new ? new->zone_size : 0);
    }
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
        ngx_media_streams_tick(zone);
        ngx_media_writers_tick(zone);

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
