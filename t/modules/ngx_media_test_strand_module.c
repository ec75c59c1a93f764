
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * For tests only, see scripts/build --test: strands without codecs.
 *
 *     test_strands threads=POOL COUNT MS [hang=FILE];
 *
 * COUNT of them are always ready in each worker, a step of each takes so many
 * ms.  The first one of the worker that removes FILE never comes back from its
 * step.  When a worker exits it logs how many steps there were, and how many
 * strands were told of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "transcode/ngx_media_ladder.h"
#include "transcode/ngx_media_strand.h"


/* ms: what takes longer is taken for lost; and between looks */
#define NGX_MEDIA_TEST_STRAND_HANGS  300
#define NGX_MEDIA_TEST_STRAND_LOOK   100


typedef struct {
    ngx_thread_pool_t        *pool;
    ngx_int_t                 count;
    ngx_int_t                 msec;
    ngx_str_t                 hang;
} ngx_media_test_strand_conf_t;


typedef struct {
    ngx_media_strand_t        strand;
    ngx_uint_t                msec;
    ngx_uint_t                steps;
    unsigned                  hangs:1;
} ngx_media_test_strand_t;


static void *ngx_media_test_strand_create(ngx_cycle_t *cycle);
static char *ngx_media_test_strand_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_media_test_strand_init_process(ngx_cycle_t *cycle);
static void ngx_media_test_strand_exit_process(ngx_cycle_t *cycle);
static void ngx_media_test_strand_step(void *data);
static void ngx_media_test_strand_done(void *data);
static void ngx_media_test_strand_exit(void *data);
static void ngx_media_test_strand_stopped(void *data);
static void ngx_media_test_strand_look(ngx_event_t *ev);


static ngx_command_t  ngx_media_test_strand_commands[] = {

    { ngx_string("test_strands"),
      NGX_MAIN_CONF|NGX_DIRECT_CONF|NGX_CONF_TAKE3|NGX_CONF_TAKE4,
      ngx_media_test_strand_set,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_media_test_strand_module_ctx = {
    ngx_string("media_test_strand"),
    ngx_media_test_strand_create,
    NULL
};


ngx_module_t  ngx_media_test_strand_module = {
    NGX_MODULE_V1,
    &ngx_media_test_strand_module_ctx,     /* module context */
    ngx_media_test_strand_commands,        /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_media_test_strand_init_process,    /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_media_test_strand_exit_process,    /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_media_test_strand_t  *ngx_media_test_strands;
static ngx_uint_t                ngx_media_test_strands_told;
static ngx_event_t               ngx_media_test_strand_event;
static ngx_connection_t          ngx_media_test_strand_connection;


static void *
ngx_media_test_strand_create(ngx_cycle_t *cycle)
{
    return ngx_pcalloc(cycle->pool, sizeof(ngx_media_test_strand_conf_t));
}


static char *
ngx_media_test_strand_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_media_test_strand_conf_t *tscf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    tscf->pool = ngx_media_ladder_pool(cf, &value[1]);
    tscf->count = ngx_atoi(value[2].data, value[2].len);
    tscf->msec = ngx_atoi(value[3].data, value[3].len);

    if (cf->args->nelts == 5) {
        tscf->hang.data = value[4].data + sizeof("hang=") - 1;
        tscf->hang.len = value[4].len - (sizeof("hang=") - 1);
    }

    return tscf->pool == NULL || tscf->count < 1 || tscf->msec < 0
           ? NGX_CONF_ERROR : NGX_CONF_OK;
}


static ngx_int_t
ngx_media_test_strand_init_process(ngx_cycle_t *cycle)
{
    ngx_int_t                      i;
    ngx_event_t                   *ev;
    ngx_media_test_strand_t       *strand;
    ngx_media_test_strand_conf_t  *tscf;

    tscf = (ngx_media_test_strand_conf_t *)
               ngx_get_conf(cycle->conf_ctx, ngx_media_test_strand_module);

    if (tscf->count == 0 || ngx_process != NGX_PROCESS_WORKER) {
        return NGX_OK;
    }

    strand = ngx_pcalloc(cycle->pool,
                         tscf->count * sizeof(ngx_media_test_strand_t));
    if (strand == NULL) {
        return NGX_ERROR;
    }

    ngx_media_test_strands = strand;

    for (i = 0; i < tscf->count; i++) {
        strand[i].msec = tscf->msec;
        strand[i].strand.step = ngx_media_test_strand_step;
        strand[i].strand.done = ngx_media_test_strand_done;
        strand[i].strand.exit = ngx_media_test_strand_exit;
        strand[i].strand.data = &strand[i];

        if (i == 0 && tscf->hang.len
            && ngx_delete_file(tscf->hang.data) != NGX_FILE_ERROR)
        {
            strand[i].hangs = 1;
        }

        if (ngx_media_strand_init(&strand[i].strand, tscf->pool) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_media_strand_ready(&strand[i].strand, ngx_current_msec);
    }

    ngx_media_test_strand_connection.fd = (ngx_socket_t) -1;

    ev = &ngx_media_test_strand_event;

    ev->handler = ngx_media_test_strand_look;
    ev->data = &ngx_media_test_strand_connection;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_MEDIA_TEST_STRAND_LOOK);

    return NGX_OK;
}


static void
ngx_media_test_strand_step(void *data)
{
    ngx_media_test_strand_t *strand = data;

    ngx_msleep(strand->msec);

    while (strand->hangs) {
        ngx_msleep(1000);
    }

    strand->steps++;
}


static void
ngx_media_test_strand_done(void *data)
{
    ngx_media_test_strand_t *strand = data;

    ngx_media_strand_ready(&strand->strand, ngx_current_msec);
}


static void
ngx_media_test_strand_look(ngx_event_t *ev)
{
    ngx_media_strand_t  *strand;

    strand = &ngx_media_test_strands->strand;

    if (ngx_media_test_strands->hangs
        && ngx_media_strand_running(strand) > NGX_MEDIA_TEST_STRAND_HANGS)
    {
        ngx_media_strand_hung(strand, ev->log);
        ngx_media_strand_stop(strand, ngx_media_test_strand_stopped, NULL);
        return;
    }

    ngx_add_timer(ev, NGX_MEDIA_TEST_STRAND_LOOK);
}


static void
ngx_media_test_strand_stopped(void *data)
{
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  "test strands: one that hangs came back");
}


static void
ngx_media_test_strand_exit(void *data)
{
    ngx_media_test_strands_told++;
}


static void
ngx_media_test_strand_exit_process(ngx_cycle_t *cycle)
{
    ngx_int_t                      i;
    ngx_uint_t                     steps;
    ngx_media_test_strand_conf_t  *tscf;

    tscf = (ngx_media_test_strand_conf_t *)
               ngx_get_conf(cycle->conf_ctx, ngx_media_test_strand_module);

    if (ngx_media_test_strands == NULL) {
        return;
    }

    steps = 0;

    for (i = 0; i < tscf->count; i++) {
        steps += ngx_media_test_strands[i].steps;
    }

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                  "test strands: %ui steps, told %ui of %i", steps,
                  ngx_media_test_strands_told, tscf->count);
}
