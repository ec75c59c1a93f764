
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_heavy.h"
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_vod.h"


#define NGX_HTTP_MEDIA_VOD_THUMBS_INTERVAL  10000
#define NGX_HTTP_MEDIA_VOD_THUMBS_WIDTH     160
#define NGX_HTTP_MEDIA_VOD_THUMBS_TILES     5

/* in a row or a column */
#define NGX_HTTP_MEDIA_VOD_THUMBS_MAX       20


typedef struct {
    ngx_http_media_vod_ctx_t   *ctx;
    ngx_media_vod_thumb_make_t  make;
} ngx_http_media_vod_thumb_t;


static ngx_int_t ngx_http_media_vod_thumb_start(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t sheet);
static void ngx_http_media_vod_thumb_run(void *data);
static ngx_int_t ngx_http_media_vod_thumb_done(ngx_http_request_t *r,
    void *data);
static void ngx_http_media_vod_thumb_cleanup(void *data);
static ngx_int_t ngx_http_media_vod_thumbs_tiles(ngx_str_t *value,
    ngx_media_vod_sheet_t *sheet);


ngx_int_t
ngx_http_media_vod_thumb(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_thumb_start(r, ctx, 0);
}


ngx_int_t
ngx_http_media_vod_sheet(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    return ngx_http_media_vod_thumb_start(r, ctx, 1);
}


static ngx_int_t
ngx_http_media_vod_thumb_start(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t sheet)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_media_vod_thumb_t  *thumb;

    if (ctx->sheet->interval == 0) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, ctx->lifetime);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_media_vod_thumb_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    thumb = cln->data;

    ngx_memzero(thumb, sizeof(ngx_http_media_vod_thumb_t));

    cln->handler = ngx_http_media_vod_thumb_cleanup;

    thumb->ctx = ctx;
    thumb->make.source = &ctx->load.source;

    if (sheet) {
        thumb->make.sheet = ctx->sheet;
        thumb->make.time = (int64_t) ctx->url.number;

    } else {
        thumb->make.time = ctx->url.time;
        thumb->make.width = ctx->url.width;
    }

    return ngx_http_media_heavy(r, ctx->load.conf->thread_pool,
                                ngx_http_media_vod_thumb_run,
                                ngx_http_media_vod_thumb_done, thumb);
}


static void
ngx_http_media_vod_thumb_run(void *data)
{
    ngx_http_media_vod_thumb_t *thumb = data;

    ngx_media_vod_thumb_make(&thumb->make);
}


static ngx_int_t
ngx_http_media_vod_thumb_done(ngx_http_request_t *r, void *data)
{
    ngx_http_media_vod_thumb_t *thumb = data;

    ngx_int_t                    rc;
    ngx_http_media_vod_ctx_t    *ctx;
    ngx_media_vod_thumb_make_t  *make;

    ctx = thumb->ctx;
    make = &thumb->make;

    if (make->error[0]) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "media vod picture: %s", make->error);
    }

    if (make->status != NGX_HTTP_OK) {
        return ngx_http_media_refuse(r, make->status, ctx->lifetime);
    }

    if (make->sheet) {
        rc = ngx_http_media_cache_control(r, NGX_HTTP_MEDIA_VOD_LIFETIME, 1);

    } else {
        rc = ngx_http_media_cache_control(r, ctx->lifetime, 0);
    }

    if (rc != NGX_OK
        || ngx_http_media_etag(r, "%016xL",
                               ngx_media_hash(make->data, make->len))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->allow_ranges = 1;
    r->single_range = 1;

    return ngx_http_media_bytes_send(r, make->data, make->len);
}


static void
ngx_http_media_vod_thumb_cleanup(void *data)
{
    ngx_http_media_vod_thumb_t *thumb = data;

    if (thumb->make.data) {
        free(thumb->make.data);
    }
}


char *
ngx_http_media_vod_thumbs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t               n;
    ngx_str_t              *value, s;
    ngx_uint_t              i;
    ngx_media_vod_sheet_t  *sheet;

    sheet = (ngx_media_vod_sheet_t *) ((u_char *) conf + cmd->offset);

    if (sheet->interval != NGX_HTTP_MEDIA_VOD_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        sheet->interval = 0;
        return NGX_CONF_OK;
    }

    ngx_http_media_vod_thumbs_default(sheet);

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "interval=", 9) == 0) {
            s.data = value[i].data + 9;
            s.len = value[i].len - 9;

            n = ngx_parse_time(&s, 0);

            if (n == NGX_ERROR || n < 1000 || n > 3600000) {
                goto invalid;
            }

            sheet->interval = (uint32_t) n;
            continue;
        }

        if (ngx_strncmp(value[i].data, "width=", 6) == 0) {
            n = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (n < NGX_MEDIA_VOD_THUMB_MIN || n > NGX_MEDIA_VOD_THUMB_MAX) {
                goto invalid;
            }

            sheet->width = (uint32_t) n & ~1u;
            continue;
        }

        if (ngx_strncmp(value[i].data, "tiles=", 6) == 0) {
            s.data = value[i].data + 6;
            s.len = value[i].len - 6;

            if (ngx_http_media_vod_thumbs_tiles(&s, sheet) != NGX_OK) {
                goto invalid;
            }

            continue;
        }

        goto invalid;
    }

    if (sheet->width * sheet->tiles_x > NGX_MEDIA_VOD_SHEET_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%uD pictures of %uD pixels are more than a sheet "
                           "can be wide, %ui pixels", sheet->tiles_x,
                           sheet->width, (ngx_uint_t) NGX_MEDIA_VOD_SHEET_MAX);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[i]);

    return NGX_CONF_ERROR;
}


void
ngx_http_media_vod_thumbs_default(ngx_media_vod_sheet_t *sheet)
{
    sheet->interval = NGX_HTTP_MEDIA_VOD_THUMBS_INTERVAL;
    sheet->width = NGX_HTTP_MEDIA_VOD_THUMBS_WIDTH;
    sheet->tiles_x = NGX_HTTP_MEDIA_VOD_THUMBS_TILES;
    sheet->tiles_y = NGX_HTTP_MEDIA_VOD_THUMBS_TILES;
}


/* "5x5" */

static ngx_int_t
ngx_http_media_vod_thumbs_tiles(ngx_str_t *value,
    ngx_media_vod_sheet_t *sheet)
{
    u_char     *last, *p;
    ngx_int_t   x, y;

    last = value->data + value->len;
    p = ngx_strlchr(value->data, last, 'x');

    if (p == NULL) {
        return NGX_ERROR;
    }

    x = ngx_atoi(value->data, p - value->data);
    y = ngx_atoi(p + 1, last - p - 1);

    if (x < 1 || x > NGX_HTTP_MEDIA_VOD_THUMBS_MAX
        || y < 1 || y > NGX_HTTP_MEDIA_VOD_THUMBS_MAX)
    {
        return NGX_ERROR;
    }

    sheet->tiles_x = (uint32_t) x;
    sheet->tiles_y = (uint32_t) y;

    return NGX_OK;
}
