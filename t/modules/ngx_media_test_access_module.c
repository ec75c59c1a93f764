
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: an access check that does what the
 * arguments of the URL say.
 *
 *     media_test_access [http];       in main; without it nobody is asked;
 *                                     http: for viewers by HTTP, too
 *
 *     wait=MS      the answer comes so much later; wait=0: at once, but as if
 *                  it came later; wait=never; wait=exit: when the worker is to
 *                  leave
 *     say=yes, say=no, say=fail       the answer, yes
 *     status=N                        of a no
 *     again=S, sessions=N, id=N       what comes with a yes; its end is told
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"


#define NGX_MEDIA_TEST_ACCESS_LOOK  10        /* ms */


typedef struct {
    ngx_media_access_t       *access;
    ngx_int_t                 rc;
    ngx_log_t                *log;

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_socket_t              ident;

    ngx_event_t               event;
    unsigned                  exit:1;         /* it waits for that */
} ngx_media_test_access_t;


static ngx_int_t ngx_media_test_access_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static ngx_int_t ngx_media_test_access_arg(const ngx_str_t *args,
    const char *name, ngx_str_t *value);
static void ngx_media_test_access_event(ngx_event_t *ev);
static void ngx_media_test_access_cancel(void *ctx);
static ngx_uint_t ngx_media_test_access_asks(const ngx_media_app_t *app);
static void ngx_media_test_access_ended(const ngx_media_app_t *app,
    uint64_t id, const char *reason);
static void ngx_media_test_access_verdict(const ngx_media_access_conf_t *conf);
static char *ngx_media_test_access(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_command_t  ngx_media_test_access_commands[] = {

    { ngx_string("media_test_access"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_media_test_access,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_media_test_access_module_ctx = {
    ngx_string("media_test_access"),
    NULL,
    NULL
};


ngx_module_t  ngx_media_test_access_module = {
    NGX_MODULE_V1,
    &ngx_media_test_access_module_ctx,     /* module context */
    ngx_media_test_access_commands,        /* module directives */
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


static const ngx_media_access_check_t  ngx_media_test_access_entry = {
    ngx_media_test_access_check,
    ngx_media_test_access_cancel,
    NULL,
    NULL,
    NULL,
    ngx_media_test_access_ended
};

static const ngx_media_access_check_t  ngx_media_test_access_http_entry = {
    ngx_media_test_access_check,
    ngx_media_test_access_cancel,
    NULL,
    ngx_media_test_access_asks,
    NULL,
    ngx_media_test_access_ended
};


static ngx_int_t
ngx_media_test_access_check(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason)
{
    ngx_int_t                 rc, wait;
    ngx_str_t                 say, value;
    ngx_media_test_access_t  *test;

    ngx_log_error(NGX_LOG_NOTICE, conf->log, 0,
                  "test access asked, %s name:\"%V\" args:\"%V\" by:%V from:%V",
                  conf->action == NGX_MEDIA_ACCESS_PLAY ? "play" : "publish",
                  &conf->name, &conf->args, &conf->protocol, &conf->address);

    rc = NGX_OK;

    if (ngx_media_test_access_arg(&conf->args, "say=", &say) == NGX_OK) {
        rc = say.data[0] == 'n' ? NGX_DECLINED
                                : say.data[0] == 'f' ? NGX_ERROR : NGX_OK;
    }

    *reason = "the test says no";

    if (conf->verdict) {
        ngx_media_test_access_verdict(conf);
    }

    if (ngx_media_test_access_arg(&conf->args, "wait=", &value) != NGX_OK) {
        return rc;
    }

    switch (value.data[0]) {

    case 'n':
        wait = 3600000;
        break;

    case 'e':
        wait = NGX_MEDIA_TEST_ACCESS_LOOK;
        break;

    default:
        wait = ngx_atoi(value.data, value.len);
    }

    if (wait == 0) {
        ngx_media_access_answer(access, rc, *reason);
        return NGX_AGAIN;
    }

    test = ngx_calloc(sizeof(ngx_media_test_access_t), conf->log);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->access = access;
    test->rc = rc;
    test->exit = (value.data[0] == 'e');
    test->log = conf->log;
    test->ident = (ngx_socket_t) -1;
    test->event.data = test;
    test->event.handler = ngx_media_test_access_event;
    test->event.log = conf->log;
    test->event.cancelable = 1;

    ngx_add_timer(&test->event, (ngx_msec_t) wait);

    *ctx = test;

    return NGX_AGAIN;
}


static void
ngx_media_test_access_verdict(const ngx_media_access_conf_t *conf)
{
    ngx_str_t                    value;
    ngx_media_access_verdict_t  *verdict;

    verdict = conf->verdict;

    if (verdict->id) {
        ngx_log_error(NGX_LOG_NOTICE, conf->log, 0,
                      "test access asked once more, id:%uL", verdict->id);
    }

    if (ngx_media_test_access_arg(&conf->args, "again=", &value) == NGX_OK) {
        verdict->again = ngx_time() + ngx_atoi(value.data, value.len);
    }

    if (ngx_media_test_access_arg(&conf->args, "sessions=", &value)
        == NGX_OK)
    {
        verdict->sessions = ngx_atoi(value.data, value.len);
    }

    if (ngx_media_test_access_arg(&conf->args, "id=", &value) == NGX_OK) {
        verdict->id = ngx_atoi(value.data, value.len);
    }

    if (ngx_media_test_access_arg(&conf->args, "status=", &value) == NGX_OK) {
        verdict->status = ngx_atoi(value.data, value.len);
    }
}


/* "name=value&..." */

static ngx_int_t
ngx_media_test_access_arg(const ngx_str_t *args, const char *name,
    ngx_str_t *value)
{
    u_char  *p, *last;
    size_t   len;

    p = args->data;
    last = p + args->len;
    len = ngx_strlen(name);

    for ( /* void */ ; (size_t) (last - p) > len; p++) {

        if ((p == args->data || p[-1] == '&')
            && ngx_strncmp(p, name, len) == 0)
        {
            value->data = p + len;

            for (p = value->data; p < last && *p != '&'; p++) { /* void */ }

            value->len = p - value->data;

            return value->len ? NGX_OK : NGX_DECLINED;
        }
    }

    return NGX_DECLINED;
}


static void
ngx_media_test_access_event(ngx_event_t *ev)
{
    ngx_media_test_access_t *test = ev->data;

    if (test->exit && !ngx_exiting) {
        ngx_add_timer(ev, NGX_MEDIA_TEST_ACCESS_LOOK);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, test->log, 0, "test access answers:%i",
                  test->rc);

    ngx_media_access_answer(test->access, test->rc, "the test says no");

    ngx_free(test);
}


static void
ngx_media_test_access_cancel(void *ctx)
{
    ngx_media_test_access_t *test = ctx;

    ngx_log_error(NGX_LOG_NOTICE, test->log, 0, "test access cancelled");

    ngx_del_timer(&test->event);
    ngx_free(test);
}


static ngx_uint_t
ngx_media_test_access_asks(const ngx_media_app_t *app)
{
    return 1;
}


static void
ngx_media_test_access_ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason)
{
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "test access is told of the end, app:\"%V\" id:%uL: %s",
                  &app->name, id, reason);
}


static char *
ngx_media_test_access(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    if (ngx_media_access_add(cf, cf->args->nelts == 2
                                 ? &ngx_media_test_access_http_entry
                                 : &ngx_media_test_access_entry)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
