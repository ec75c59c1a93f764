
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * media_ladder NAME { }, and what a process has of strands.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "transcode/ngx_media_ladder_conf.h"
#include "transcode/ngx_media_strand.h"
#include "transcode/ngx_media_transcode_load.h"

#if (NGX_MEDIA_HAVE_AV)
#include "av/ngx_media_av.h"
#include "av/ngx_media_av_filter.h"
#endif


/* of directives inside of the block */
#define NGX_MEDIA_LADDER_CONF      0x04000000

/* ms */
#define NGX_MEDIA_LADDER_LATENCY   300
#define NGX_MEDIA_LADDER_LEAST     50
#define NGX_MEDIA_LADDER_MOST      10000


/* a directive that names a ladder, which may be read later */

typedef struct {
    ngx_str_t                 name;
    const ngx_media_ladder_t **ladder;
    u_char                   *file;
    ngx_uint_t                line;
} ngx_media_ladder_use_t;


typedef struct {
    ngx_array_t               ladders;        /* ngx_media_ladder_t * */
    ngx_array_t               uses;           /* ngx_media_ladder_use_t */
    ngx_media_ladder_t       *current;        /* its block is being read */
} ngx_media_ladder_main_conf_t;


static void *ngx_media_ladder_create_conf(ngx_cycle_t *cycle);
static char *ngx_media_ladder_init_conf(ngx_cycle_t *cycle, void *conf);
static char *ngx_media_ladder_uses(ngx_cycle_t *cycle,
    ngx_media_ladder_main_conf_t *mlcf);
static char *ngx_media_ladder_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_uint_t ngx_media_ladder_named(const ngx_str_t *name);
static char *ngx_media_ladder_complete(ngx_conf_t *cf,
    ngx_media_ladder_t *ladder);
#if (NGX_MEDIA_HAVE_AV)
static char *ngx_media_ladder_filters(ngx_conf_t *cf,
    ngx_media_ladder_t *ladder);
#endif
static void ngx_media_ladder_sort(ngx_media_ladder_t *ladder);
static char *ngx_media_ladder_latency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_ladder_flag(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_ladder_deinterlace(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_media_ladder_filter(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_media_ladder_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_media_ladder_init_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_media_ladder_commands[] = {

    { ngx_string("media_ladder"),
      NGX_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_media_ladder_block,
      0,
      0,
      NULL },

    { ngx_string("video"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_1MORE,
      ngx_media_ladder_video,
      0,
      0,
      NULL },

    { ngx_string("audio"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_1MORE,
      ngx_media_ladder_audio,
      0,
      0,
      NULL },

    { ngx_string("latency"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_TAKE1,
      ngx_media_ladder_latency,
      0,
      0,
      NULL },

    { ngx_string("source"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_FLAG,
      ngx_media_ladder_flag,
      0,
      offsetof(ngx_media_ladder_t, source),
      NULL },

    { ngx_string("deinterlace"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_TAKE1,
      ngx_media_ladder_deinterlace,
      0,
      0,
      NULL },

    { ngx_string("tonemap"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_FLAG,
      ngx_media_ladder_flag,
      0,
      offsetof(ngx_media_ladder_t, tonemap),
      NULL },

    { ngx_string("filter"),
      NGX_MEDIA_LADDER_CONF|NGX_CONF_TAKE1,
      ngx_media_ladder_filter,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_media_ladder_module_ctx = {
    ngx_string("media_ladder"),
    ngx_media_ladder_create_conf,
    ngx_media_ladder_init_conf
};


ngx_module_t  ngx_media_ladder_module = {
    NGX_MODULE_V1,
    &ngx_media_ladder_module_ctx,          /* module context */
    ngx_media_ladder_commands,             /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_media_ladder_init_module,          /* init module */
    ngx_media_ladder_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_media_strand_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_media_ladder_init_module(ngx_cycle_t *cycle)
{
    ngx_media_strand_init_module(cycle);

    return NGX_OK;
}


/*
 * nginx gives a worker an environment of its own, without what was set when the
 * configuration was read; and pools have no thread of ours yet
 */

static ngx_int_t
ngx_media_ladder_init_process(ngx_cycle_t *cycle)
{
#if (NGX_MEDIA_HAVE_AV)

    ngx_media_ladder_main_conf_t  *mlcf;

    mlcf = (ngx_media_ladder_main_conf_t *)
               ngx_get_conf(cycle->conf_ctx, ngx_media_ladder_module);

    if (mlcf->ladders.nelts) {
        ngx_media_av_environment();
    }

#endif

    return NGX_OK;
}


static void *
ngx_media_ladder_create_conf(ngx_cycle_t *cycle)
{
    ngx_media_ladder_main_conf_t  *mlcf;

    mlcf = ngx_pcalloc(cycle->pool, sizeof(ngx_media_ladder_main_conf_t));
    if (mlcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mlcf->ladders, cycle->pool, 2,
                       sizeof(ngx_media_ladder_t *))
        != NGX_OK
        || ngx_array_init(&mlcf->uses, cycle->pool, 2,
                          sizeof(ngx_media_ladder_use_t))
           != NGX_OK)
    {
        return NULL;
    }

    return mlcf;
}


/* "nginx -t" says what each of them costs */

static char *
ngx_media_ladder_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_media_ladder_main_conf_t *mlcf = conf;

    uint64_t             cost;
    ngx_uint_t           i;
    ngx_media_params_t   source;
    ngx_media_ladder_t **ladder;

    if (ngx_media_ladder_uses(cycle, mlcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (!ngx_test_config || ngx_quiet_mode) {
        return NGX_CONF_OK;
    }

    ngx_memzero(&source, sizeof(ngx_media_params_t));

    source.width = 1920;
    source.height = 1080;
    source.fps_num = 30;
    source.fps_den = 1;

    ladder = mlcf->ladders.elts;

    for (i = 0; i < mlcf->ladders.nelts; i++) {

        if (ladder[i]->nrungs == 0) {
            continue;
        }

        cost = ngx_media_transcode_cost(ladder[i], &source, 0);

        ngx_log_stderr(0, "media_ladder \"%V\" takes about %uL.%uL cores of a "
                       "1080p30 source", &ladder[i]->name, cost / 1000,
                       cost % 1000 / 100);
    }

    return NGX_CONF_OK;
}


const ngx_media_ladder_t *
ngx_media_ladder_find(ngx_cycle_t *cycle, const ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_media_ladder_t            **ladder;
    ngx_media_ladder_main_conf_t   *mlcf;

    mlcf = (ngx_media_ladder_main_conf_t *)
               ngx_get_conf(cycle->conf_ctx, ngx_media_ladder_module);

    ladder = mlcf->ladders.elts;

    for (i = 0; i < mlcf->ladders.nelts; i++) {

        if (ladder[i]->name.len == name->len
            && ngx_memcmp(ladder[i]->name.data, name->data, name->len) == 0)
        {
            return ladder[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_media_ladder_later(ngx_conf_t *cf, const ngx_str_t *name,
    const ngx_media_ladder_t **ladder)
{
    ngx_media_ladder_use_t        *use;
    ngx_media_ladder_main_conf_t  *mlcf;

    mlcf = (ngx_media_ladder_main_conf_t *)
               ngx_get_conf(cf->cycle->conf_ctx, ngx_media_ladder_module);

    use = ngx_array_push(&mlcf->uses);
    if (use == NULL) {
        return NGX_ERROR;
    }

    use->name = *name;
    use->ladder = ladder;
    use->file = cf->conf_file->file.name.data;
    use->line = cf->conf_file->line;

    return NGX_OK;
}


static char *
ngx_media_ladder_uses(ngx_cycle_t *cycle, ngx_media_ladder_main_conf_t *mlcf)
{
    ngx_uint_t               i;
    ngx_media_ladder_use_t  *use;

    use = mlcf->uses.elts;

    for (i = 0; i < mlcf->uses.nelts; i++) {
        *use[i].ladder = ngx_media_ladder_find(cycle, &use[i].name);

        if (*use[i].ladder == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "there is no media_ladder \"%V\", write "
                          "\"media_ladder %V { video auto; }\" beside "
                          "\"media\" and \"http\" in %s:%ui",
                          &use[i].name, &use[i].name, use[i].file,
                          use[i].line);

            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


const ngx_media_ladder_t *
ngx_media_ladder_use(ngx_conf_t *cf, const ngx_str_t *name,
    ngx_msec_t segment)
{
    const ngx_media_ladder_t  *ladder;

    ladder = ngx_media_ladder_find(cf->cycle, name);

    if (ladder == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no media_ladder \"%V\", write "
                           "\"media_ladder %V { video auto; }\" beside "
                           "\"media\" and \"http\"", name, name);
        return NULL;
    }

    if (segment && ladder->latency * 2 >= segment) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"latency\" of media_ladder \"%V\" is %Mms, it "
                           "must be less than half of \"segment\", which is "
                           "%Mms", name, ladder->latency, segment);
        return NULL;
    }

    return ladder;
}


ngx_thread_pool_t *
ngx_media_ladder_pool(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_str_t           name;
    ngx_thread_pool_t  *pool;

    name = *value;

    if (name.len < sizeof("threads=") - 1
        || ngx_strncmp(name.data, "threads=", sizeof("threads=") - 1) != 0)
    {
        name.len = 0;

    } else {
        name.data += sizeof("threads=") - 1;
        name.len -= sizeof("threads=") - 1;
    }

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\", write \"threads=POOL\", "
                           "and \"thread_pool POOL threads=%ui;\" at the top",
                           value, ngx_media_strand_cores());
        return NULL;
    }

    if (name.len == sizeof("default") - 1
        && ngx_strncmp(name.data, "default", name.len) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "thread pool \"default\" is for files, what "
                           "encodes would hold them up: write "
                           "\"threads=encode\", and \"thread_pool encode "
                           "threads=%ui;\" at the top",
                           ngx_media_strand_cores());
        return NULL;
    }

    pool = ngx_thread_pool_add(cf, &name);

    return pool;
}


ngx_media_ladder_t *
ngx_media_ladder_current(ngx_conf_t *cf)
{
    ngx_media_ladder_main_conf_t  *mlcf;

    mlcf = (ngx_media_ladder_main_conf_t *)
               ngx_get_conf(cf->cycle->conf_ctx, ngx_media_ladder_module);

    return mlcf->current;
}


static char *
ngx_media_ladder_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                           *rv;
    ngx_str_t                      *value;
    ngx_conf_t                      save;
    ngx_media_ladder_t             *ladder, **slot;
    const ngx_media_ladder_t       *other;
    ngx_media_ladder_main_conf_t   *mlcf;

    mlcf = (ngx_media_ladder_main_conf_t *)
               ngx_get_conf(cf->cycle->conf_ctx, ngx_media_ladder_module);
    value = cf->args->elts;

#if !(NGX_MEDIA_HAVE_AV)

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"media_ladder\" needs libavcodec, without which this "
                       "module was built: install libavformat-dev, "
                       "libavcodec-dev, libswscale-dev and libswresample-dev, "
                       "and build it again");
    return NGX_CONF_ERROR;

#endif

    if (!ngx_media_ladder_named(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of a ladder \"%V\": use letters, "
                           "digits, \"-\", \"_\" or \".\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    other = ngx_media_ladder_find(cf->cycle, &value[1]);

    if (other) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate media_ladder \"%V\", the other one is "
                           "in %s:%ui", &value[1], other->file, other->line);
        return NGX_CONF_ERROR;
    }

    ladder = ngx_pcalloc(cf->pool, sizeof(ngx_media_ladder_t));
    slot = ngx_array_push(&mlcf->ladders);

    if (ladder == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = ladder;

    ladder->name = value[1];
    ladder->file = cf->conf_file->file.name.data;
    ladder->line = cf->conf_file->line;
    ladder->latency = NGX_CONF_UNSET_MSEC;
    ladder->fields = NGX_CONF_UNSET_UINT;
    ladder->tonemap = NGX_CONF_UNSET;
    ladder->source = NGX_CONF_UNSET;

    save = *cf;

    cf->ctx = NULL;
    cf->cmd_type = NGX_MEDIA_LADDER_CONF;

    mlcf->current = ladder;

    rv = ngx_conf_parse(cf, NULL);

    if (rv == NGX_CONF_OK) {
        rv = ngx_media_ladder_complete(cf, ladder);
    }

    mlcf->current = NULL;

    *cf = save;

    return rv;
}


static ngx_uint_t
ngx_media_ladder_named(const ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i;

    if (name->len == 0 || name->len > 64) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.')
        {
            return 0;
        }
    }

    return 1;
}


/* all of its block was read */

static char *
ngx_media_ladder_complete(ngx_conf_t *cf, ngx_media_ladder_t *ladder)
{
    if (ladder->nrungs == 0 && ladder->naudios == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media_ladder \"%V\" has neither \"video\" nor "
                           "\"audio\", write \"video auto;\" for instance",
                           &ladder->name);
        return NGX_CONF_ERROR;
    }

    if (ladder->latency == NGX_CONF_UNSET_MSEC) {
        ladder->latency = NGX_MEDIA_LADDER_LATENCY;
    }

    if (ladder->source == NGX_CONF_UNSET) {
        ladder->source = 1;
    }

    if (ladder->tonemap == NGX_CONF_UNSET) {
        ladder->tonemap = 0;
    }

    ngx_media_ladder_sort(ladder);

#if (NGX_MEDIA_HAVE_AV)

    return ngx_media_ladder_filters(cf, ladder);

#else

    return NGX_CONF_OK;

#endif
}


/* of several codecs: all by falling size, those of one size as written */

static void
ngx_media_ladder_sort(ngx_media_ladder_t *ladder)
{
    ngx_uint_t               i, n;
    ngx_media_ladder_rung_t  rung;

    for (n = 1; n < ladder->nrungs; n++) {
        rung = ladder->rungs[n];

        for (i = n; i && ladder->rungs[i - 1].side < rung.side; i--) {
            ladder->rungs[i] = ladder->rungs[i - 1];
        }

        ladder->rungs[i] = rung;
    }
}


#if (NGX_MEDIA_HAVE_AV)

/* libavfilter and what it needs is opened for those who ask for it */

static char *
ngx_media_ladder_filters(ngx_conf_t *cf, ngx_media_ladder_t *ladder)
{
    u_char                      error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_filter_conf_t  filter;

    ngx_memzero(&filter, sizeof(ngx_media_av_filter_conf_t));

    filter.timescale = NGX_MEDIA_VIDEO_TIMESCALE;
    filter.tonemap = ladder->tonemap;

    if (ladder->fields != NGX_CONF_UNSET_UINT) {
        filter.fields = ladder->fields;
    }

    if (ladder->filter.len) {
        filter.text = (char *) ladder->filter.data;
    }

    if (filter.fields == NGX_MEDIA_AV_FIELDS_NONE && !filter.tonemap
        && filter.text == NULL)
    {
        return NGX_CONF_OK;
    }

    if (ngx_media_av_filter_load(error) != NGX_OK
        || ngx_media_av_filter_check(&filter, error) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "media_ladder \"%V\" cannot have \"%s%s\": %s",
                           &ladder->name,
                           filter.text ? "filter "
                           : filter.tonemap ? "tonemap" : "deinterlace",
                           filter.text ? filter.text : "", error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}

#endif


static char *
ngx_media_ladder_latency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t            msec;
    ngx_str_t           *value;
    ngx_media_ladder_t  *ladder;

    ladder = ngx_media_ladder_current(cf);
    value = cf->args->elts;

    if (ladder->latency != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    msec = ngx_parse_time(&value[1], 0);

    if (msec == NGX_ERROR || msec < NGX_MEDIA_LADDER_LEAST
        || msec > NGX_MEDIA_LADDER_MOST)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\", it must be from %dms to %ds: "
                           "write \"latency 300ms\"", &value[1],
                           NGX_MEDIA_LADDER_LEAST,
                           NGX_MEDIA_LADDER_MOST / 1000);
        return NGX_CONF_ERROR;
    }

    ladder->latency = msec;

    return NGX_CONF_OK;
}


static char *
ngx_media_ladder_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_conf_set_flag_slot(cf, cmd, ngx_media_ladder_current(cf));
}


static char *
ngx_media_ladder_deinterlace(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
#if (NGX_MEDIA_HAVE_AV)

    ngx_uint_t           i;
    ngx_str_t           *value;
    ngx_media_ladder_t  *ladder;

    static ngx_conf_enum_t  fields[] = {
        { ngx_string("off"), NGX_MEDIA_AV_FIELDS_NONE },
        { ngx_string("auto"), NGX_MEDIA_AV_FIELDS_AUTO },
        { ngx_string("all"), NGX_MEDIA_AV_FIELDS_FRAME },
        { ngx_string("fields"), NGX_MEDIA_AV_FIELDS_TWO },
        { ngx_null_string, 0 }
    };

    ladder = ngx_media_ladder_current(cf);
    value = cf->args->elts;

    if (ladder->fields != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    for (i = 0; fields[i].name.len; i++) {

        if (fields[i].name.len == value[1].len
            && ngx_strcmp(fields[i].name.data, value[1].data) == 0)
        {
            ladder->fields = fields[i].value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\", write \"deinterlace auto\", "
                       "\"all\", \"fields\" or \"off\"", &value[1]);

#endif

    return NGX_CONF_ERROR;
}


static char *
ngx_media_ladder_filter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t           *value;
    ngx_media_ladder_t  *ladder;

    ladder = ngx_media_ladder_current(cf);
    value = cf->args->elts;

    if (ladder->filter.data) {
        return "is duplicate";
    }

    if (value[1].len == 0) {
        return "is empty, leave it out";
    }

    ladder->filter = value[1];

    return NGX_CONF_OK;
}
