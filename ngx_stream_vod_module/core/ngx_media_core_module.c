
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What media {} has of the core itself: its directives, and what is made of
 * them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_module.h"
#include "core/ngx_media_store_zone.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_track_shm.h"
#include "core/ngx_media_writer.h"
#include "time/ngx_media_segmenter.h"


/* bytes: what a process can map, with room for others */
#define NGX_MEDIA_ZONE_MAX  ((size_t) 1024 * 1024 * 1024 * 1024)


static void *ngx_media_core_create(ngx_conf_t *cf, ngx_media_app_t *app);
static char *ngx_media_core_init(ngx_conf_t *cf, ngx_media_app_t *app,
    void *conf);
static char *ngx_media_core_rings(ngx_conf_t *cf, ngx_media_app_t *app);
static void ngx_media_core_tick(ngx_media_zone_t *zone, void *mem);
static char *ngx_media_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_media_segment(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_part(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_media_zone_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_max_bitrate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


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
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

    { ngx_string("segment"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE12,
      ngx_media_segment,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

    { ngx_string("part"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_part,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

    { ngx_string("window"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, window),
      NULL },

    { ngx_string("grace"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, grace),
      NULL },

    { ngx_string("track_wait"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, track_wait),
      NULL },

    { ngx_string("drain"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, drain),
      NULL },

    { ngx_string("send_limit"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_time,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, send_limit),
      NULL },

    { ngx_string("publish_conflict"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, publish_conflict),
      &ngx_media_conflicts },

    { ngx_string("max_streams"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_MEDIA_APP_CONF,
      offsetof(ngx_media_app_t, max_streams),
      &ngx_media_streams_bounds },

    { ngx_string("max_bitrate"),
      NGX_MEDIA_CONF|NGX_CONF_TAKE1,
      ngx_media_max_bitrate,
      NGX_MEDIA_APP_CONF,
      0,
      NULL },

      ngx_null_command
};


static ngx_media_module_ctx_t  ngx_media_core_module_ctx = {
    NGX_MEDIA_LAYOUT,                      /* layout of its shared memory */
    ngx_media_core_create,                 /* create configuration */
    ngx_media_core_init,                   /* init configuration */
    NULL,                                  /* postconfiguration */
    ngx_media_store_memory,                /* shared memory */
    ngx_media_store_format,                /* init shared memory */
    NULL,                                  /* a process has gone */
    ngx_media_core_tick                    /* once a second */
};


ngx_module_t  ngx_media_core_module = {
    NGX_MODULE_V1,
    &ngx_media_core_module_ctx,            /* module context */
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


/* the block made it: it is the core's configuration, and has its name */

static void *
ngx_media_core_create(ngx_conf_t *cf, ngx_media_app_t *app)
{
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
ngx_media_core_init(ngx_conf_t *cf, ngx_media_app_t *app, void *conf)
{
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

    return ngx_media_core_rings(cf, app);
}


/* what a track's rings hold: as long as the window, and as long again */

static char *
ngx_media_core_rings(ngx_conf_t *cf, ngx_media_app_t *app)
{
    ngx_msec_t  least;

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

    return NGX_CONF_OK;
}


static void
ngx_media_core_tick(ngx_media_zone_t *zone, void *mem)
{
    ngx_media_streams_tick(zone);
    ngx_media_writers_tick(zone);
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
