
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_vod.h"


#define NGX_HTTP_MEDIA_VOD_LADDER      4
#define NGX_HTTP_MEDIA_VOD_LADDER_MAX  256


static ngx_uint_t ngx_http_media_vod_track(ngx_http_media_vod_ctx_t *ctx,
    ngx_uint_t second);
static void ngx_http_media_vod_made(ngx_media_vod_want_t *want);


ngx_int_t
ngx_http_media_vod_make(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_uint_t             i, track;
    ngx_media_vod_want_t  *want;

    for (i = 0; i < 2; i++) {
        want = &ctx->wants[i];
        track = ngx_http_media_vod_track(ctx, i);

        if (!ngx_media_vod_is_rung(ctx->load.source.set, track)) {
            continue;
        }

        if (want->status == 0) {
            want->load = &ctx->load;
            want->track = track;
            want->number = ctx->url.number;
            want->handler = ngx_http_media_vod_made;
            want->data = ctx;

            rc = ngx_media_vod_want(want);

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc == NGX_AGAIN) {
                ctx->pending++;
                continue;
            }
        }

        if (want->status != NGX_HTTP_OK) {
            ngx_media_vod_want_stop(&ctx->wants[0]);
            ctx->pending = 0;

            return ngx_http_media_refuse(r, want->status,
                                         NGX_HTTP_MEDIA_NO_STORE);
        }
    }

    if (ctx->pending == 0) {
        return NGX_OK;
    }

    /* whose client goes away is freed, and then nobody waits for it */

    r->main->count++;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_media_vod_track(ngx_http_media_vod_ctx_t *ctx, ngx_uint_t second)
{
    return second ? ctx->second : ctx->track;
}


static void
ngx_http_media_vod_made(ngx_media_vod_want_t *want)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_media_vod_ctx_t  *ctx;

    ctx = want->data;
    r = ctx->request;
    c = r->connection;

    if (--ctx->pending) {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_media_vod_answer(r, ctx));

    ngx_http_run_posted_requests(c);
}


ngx_int_t
ngx_http_media_vod_frames(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_uint_t second, ngx_uint_t key,
    ngx_media_frames_t *frames)
{
    ngx_uint_t             track;
    ngx_media_vod_want_t  *want;

    track = ngx_http_media_vod_track(ctx, second);
    want = &ctx->wants[second];

    if (!ngx_media_vod_is_rung(ctx->load.source.set, track)) {
        return ngx_media_vod_frames(&ctx->load.source, track, ctx->url.number,
                                    key, r->pool, frames);
    }

    if (want->status != NGX_HTTP_OK) {
        return NGX_DECLINED;
    }

    return ngx_media_vod_want_frames(want, key, r->pool, frames);
}


/* NAME threads=POOL [max=N], or "off" */

char *
ngx_http_media_vod_ladder(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t                n;
    ngx_str_t               *value;
    ngx_media_vod_ladder_t  *ladder, **lp;

    lp = (ngx_media_vod_ladder_t **) (p + cmd->offset);

    if (*lp != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        *lp = NULL;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"media_vod_ladder %V\" has no threads, write "
                           "\"media_vod_ladder %V threads=encode\", and "
                           "\"thread_pool encode threads=8\" at the top, as "
                           "many as there are cores", &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    ladder = ngx_pcalloc(cf->pool, sizeof(ngx_media_vod_ladder_t));
    if (ladder == NULL) {
        return NGX_CONF_ERROR;
    }

    ladder->max = NGX_HTTP_MEDIA_VOD_LADDER;
    ladder->pool = ngx_media_ladder_pool(cf, &value[2]);

    if (ladder->pool == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 4) {
        n = (ngx_strncmp(value[3].data, "max=", 4) == 0)
            ? ngx_atoi(value[3].data + 4, value[3].len - 4) : NGX_ERROR;

        if (n < 1 || n > NGX_HTTP_MEDIA_VOD_LADDER_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", write \"max=4\" for "
                               "instance: so many segments, 1 to 256, are made"
                               " by a worker at the same time", &value[3]);
            return NGX_CONF_ERROR;
        }

        ladder->max = n;
    }

    if (ngx_media_ladder_later(cf, &value[1], &ladder->ladder) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *lp = ladder;

    return NGX_CONF_OK;
}
