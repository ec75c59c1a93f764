
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "http/ngx_http_media_reply.h"
#include "http/ngx_http_media_subject.h"
#include "http/ngx_http_media_vod.h"


#define NGX_HTTP_MEDIA_VOD_CACHE    (64 * 1024 * 1024)
#define NGX_HTTP_MEDIA_VOD_FILES    1000
#define NGX_HTTP_MEDIA_VOD_MOOV     (128 * 1024 * 1024)
#define NGX_HTTP_MEDIA_VOD_SEGMENT  6000
#define NGX_HTTP_MEDIA_VOD_VALID    5000


typedef struct {
    size_t                    cache_size;
    ngx_uint_t                open_files;
    ngx_media_cache_t        *cache;
    ngx_media_vod_table_t    *table;
    unsigned                  used:1;
} ngx_http_media_vod_main_conf_t;


typedef struct {
    ngx_flag_t                enable;
    ngx_flag_t                mapping;
    ngx_msec_t                segment;
    ngx_msec_t                valid;
    size_t                    max_moov;
    ngx_path_t               *temp;           /* NULL: off */
    off_t                     temp_max;
    ngx_media_vod_sheet_t     sheet;
    ngx_media_vod_ladder_t   *ladder;         /* NULL: off */
    ngx_media_vod_conf_t      vod;            /* made of these */
} ngx_http_media_vod_loc_conf_t;


static ngx_int_t ngx_http_media_vod_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_media_vod_wait(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_media_vod_path(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);
static void ngx_http_media_vod_loaded(ngx_media_vod_load_t *load);
static ngx_int_t ngx_http_media_vod_done(ngx_http_request_t *r,
    ngx_http_media_vod_ctx_t *ctx);

static void *ngx_http_media_vod_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_media_vod_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_media_vod_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_media_vod_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_media_vod(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_media_vod_temp_path(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_media_vod_check_segment(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_media_vod_check_cache(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_post_t  ngx_http_media_vod_segment_post =
    { ngx_http_media_vod_check_segment };

static ngx_conf_post_t  ngx_http_media_vod_cache_post =
    { ngx_http_media_vod_check_cache };

static ngx_conf_num_bounds_t  ngx_http_media_vod_files_bounds =
    { ngx_conf_check_num_bounds, 1, 1000000 };


static ngx_command_t  ngx_http_media_vod_commands[] = {

    { ngx_string("media_vod"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_media_vod,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, enable),
      NULL },

    { ngx_string("media_vod_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_media_vod_main_conf_t, cache_size),
      &ngx_http_media_vod_cache_post },

    { ngx_string("media_vod_open_files"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_media_vod_main_conf_t, open_files),
      &ngx_http_media_vod_files_bounds },

    { ngx_string("media_vod_mapping"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, mapping),
      NULL },

    { ngx_string("media_vod_segment"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, segment),
      &ngx_http_media_vod_segment_post },

    { ngx_string("media_vod_valid"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, valid),
      NULL },

    { ngx_string("media_vod_max_moov"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, max_moov),
      NULL },

    { ngx_string("media_vod_temp_path"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_media_vod_temp_path,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("media_vod_ladder"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_media_vod_ladder,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, ladder),
      NULL },

    { ngx_string("media_vod_thumbs"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_media_vod_thumbs,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_media_vod_loc_conf_t, sheet),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_media_vod_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_media_vod_create_main_conf,   /* create main configuration */
    ngx_http_media_vod_init_main_conf,     /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_media_vod_create_loc_conf,    /* create location configuration */
    ngx_http_media_vod_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_media_vod_module = {
    NGX_MODULE_V1,
    &ngx_http_media_vod_module_ctx,        /* module context */
    ngx_http_media_vod_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_media_vod_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_media_vod_ctx_t       *ctx;
    ngx_http_media_vod_loc_conf_t  *vlcf;

    rc = ngx_http_media_accept(r);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : rc;
    }

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_media_vod_module);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_media_vod_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->request = r;
    ctx->lifetime = ngx_max(vlcf->vod.valid / 1000, 1);
    ctx->sheet = &vlcf->sheet;

    /* the name of a file is all that stands before what is wanted of it */

    if (r->uri.len < 2
        || ngx_http_media_kinds_parse(r, r->uri.data + 1,
                                      r->uri.data + r->uri.len, &ctx->url)
           != NGX_OK
        || ctx->url.kind->file == NULL)
    {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, ctx->lifetime);
    }

    ctx->load.conf = &vlcf->vod;
    ctx->load.pool = r->pool;
    ctx->load.log = r->connection->log;
    ctx->load.handler = ngx_http_media_vod_loaded;
    ctx->load.data = ctx;
    ctx->load.listed = (ctx->url.kind->flags & NGX_HTTP_MEDIA_KIND_LISTED)
                       ? 1 : 0;

    rc = ngx_http_media_vod_path(r, ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_media_vod_wait(r, ctx, ngx_media_vod_load(&ctx->load));
}


ngx_int_t
ngx_http_media_vod_again(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (!ctx->load.listed) {
        return NGX_DECLINED;
    }

    rc = ngx_media_vod_load_again(&ctx->load);

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    return ngx_http_media_vod_wait(r, ctx, rc);
}


static ngx_int_t
ngx_http_media_vod_wait(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx,
    ngx_int_t rc)
{
    if (rc == NGX_OK) {
        return ngx_http_media_vod_done(r, ctx);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* whose client goes away is freed, and then nobody waits for the load */

    r->main->count++;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


/* where the file is: root or alias, and what is before what is wanted of it */

static ngx_int_t
ngx_http_media_vod_path(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    u_char                    *last;
    size_t                     root, rest;
    ngx_str_t                  path;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_open_file_info_t       of;

    last = ngx_http_map_uri_to_path(r, &path, &root, 0);
    if (last == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    path.len = last - path.data;

    rest = r->uri.data + r->uri.len
           - (ctx->url.name.data + ctx->url.name.len);

    /* "alias" may have taken away more than the name has */

    if (path.len <= rest || path.len - rest <= root) {
        return ngx_http_media_refuse(r, NGX_HTTP_NOT_FOUND, ctx->lifetime);
    }

    path.len -= rest;
    path.data[path.len] = '\0';

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_memzero(&of, sizeof(ngx_open_file_info_t));

    if (ngx_http_set_disable_symlinks(r, clcf, &path, &of) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

#if (NGX_HAVE_OPENAT)
    ctx->load.symlinks_from = of.disable_symlinks_from;
#endif

    ctx->load.path = path;
    ctx->load.root = root;

    return NGX_OK;
}


static void
ngx_http_media_vod_loaded(ngx_media_vod_load_t *load)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_media_vod_ctx_t  *ctx;

    ctx = load->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_media_vod_done(r, ctx));

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_media_vod_done(ngx_http_request_t *r, ngx_http_media_vod_ctx_t *ctx)
{
    if (ctx->load.status != NGX_HTTP_OK) {
        return ngx_http_media_refuse(r, ctx->load.status,
                                     ctx->load.status
                                     == NGX_HTTP_SERVICE_UNAVAILABLE
                                     ? NGX_HTTP_MEDIA_NO_STORE
                                     : ctx->lifetime);
    }

    return ngx_http_media_vod_answer(r, ctx);
}


ngx_media_cache_t *
ngx_http_media_vod_cache_conf(ngx_http_request_t *r)
{
    ngx_http_media_vod_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_media_vod_module);

    return vmcf->cache;
}


static void *
ngx_http_media_vod_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_media_vod_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_vod_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->cache = NULL;
     *     conf->table = NULL;
     *     conf->used = 0;
     */

    conf->cache_size = NGX_CONF_UNSET_SIZE;
    conf->open_files = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_media_vod_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_media_vod_main_conf_t *vmcf = conf;

    ngx_str_t  name;

    ngx_conf_init_size_value(vmcf->cache_size, NGX_HTTP_MEDIA_VOD_CACHE);
    ngx_conf_init_uint_value(vmcf->open_files, NGX_HTTP_MEDIA_VOD_FILES);

    if (!vmcf->used) {
        return NGX_CONF_OK;
    }

    vmcf->table = ngx_media_vod_table_add(cf);

    if (vmcf->table == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&name, "media_vod");

    vmcf->cache = ngx_media_cache_add(cf, &name, vmcf->cache_size);

    return vmcf->cache ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static void *
ngx_http_media_vod_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_media_vod_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_media_vod_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->temp_max = 0;
     *     conf->vod = { NULL };
     */

    conf->enable = NGX_CONF_UNSET;
    conf->mapping = NGX_CONF_UNSET;
    conf->segment = NGX_CONF_UNSET_MSEC;
    conf->valid = NGX_CONF_UNSET_MSEC;
    conf->max_moov = NGX_CONF_UNSET_SIZE;
    conf->temp = NGX_CONF_UNSET_PTR;
    conf->ladder = NGX_CONF_UNSET_PTR;
    conf->sheet.interval = NGX_HTTP_MEDIA_VOD_UNSET;

    return conf;
}


static char *
ngx_http_media_vod_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_media_vod_loc_conf_t *prev = parent;
    ngx_http_media_vod_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_media_vod_main_conf_t  *vmcf;

    ngx_conf_merge_value(conf->mapping, prev->mapping, 0);
    ngx_conf_merge_msec_value(conf->segment, prev->segment,
                              NGX_HTTP_MEDIA_VOD_SEGMENT);
    ngx_conf_merge_msec_value(conf->valid, prev->valid,
                              NGX_HTTP_MEDIA_VOD_VALID);
    ngx_conf_merge_size_value(conf->max_moov, prev->max_moov,
                              NGX_HTTP_MEDIA_VOD_MOOV);

    if (conf->temp == NGX_CONF_UNSET_PTR) {
        conf->temp_max = prev->temp_max;
    }

    ngx_conf_merge_ptr_value(conf->temp, prev->temp, NULL);
    ngx_conf_merge_ptr_value(conf->ladder, prev->ladder, NULL);

    if (conf->sheet.interval == NGX_HTTP_MEDIA_VOD_UNSET) {
        conf->sheet = prev->sheet;
    }

    if (conf->sheet.interval == NGX_HTTP_MEDIA_VOD_UNSET) {
        ngx_http_media_vod_thumbs_default(&conf->sheet);
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" blocks go on with what surrounds them */

    if (conf->enable == NGX_CONF_UNSET && prev->enable == 1
        && (clcf->noname || clcf->lmt_excpt))
    {
        conf->enable = 1;

        if (clcf->handler == NULL) {
            clcf->handler = ngx_http_media_vod_handler;
        }
    }

    ngx_conf_init_value(conf->enable, 0);

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_vod_module);

    conf->vod.table = vmcf->table;
    conf->vod.cache = vmcf->cache;
    conf->vod.target = conf->segment;
    conf->vod.valid = conf->valid;
    conf->vod.max_moov = conf->max_moov;
    conf->vod.max_files = vmcf->open_files;
    conf->vod.mapping = conf->mapping;
    conf->vod.ladder = conf->ladder;

    if (conf->ladder && conf->temp == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"media_vod_ladder\" keeps what it makes of files "
                           "in \"media_vod_temp_path\", which is not there: "
                           "write \"media_vod_temp_path /var/cache/media "
                           "max_size=50g\" for instance");
        return NGX_CONF_ERROR;
    }

    if (conf->temp) {
        conf->vod.temp = (const char *) conf->temp->name.data;
        conf->vod.temp_max = conf->temp_max;
    }

#if (NGX_HAVE_OPENAT)
    conf->vod.symlinks = clcf->disable_symlinks;
#endif

    /* "aio threads=NAME" says which threads read */

    conf->vod.thread_pool = clcf->thread_pool;

    if (conf->vod.thread_pool == NULL) {
        conf->vod.thread_pool = ngx_thread_pool_add(cf, NULL);

        if (conf->vod.thread_pool == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_vod(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_vod_loc_conf_t *vlcf = conf;

    char                            *rv;
    ngx_http_media_vod_main_conf_t  *vmcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !vlcf->enable) {
        return rv;
    }

    if (ngx_http_media_answers(cf, cmd, ngx_http_media_vod_handler) != NGX_OK
        || ngx_http_media_place_add(cf, NULL) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_media_vod_module);
    vmcf->used = 1;

    return NGX_CONF_OK;
}


/*
 * PATH [max_size=SIZE] or "off".  The directory is made and given to the
 * workers' user as all of the cycle's are, also by "nginx -t".
 */

static char *
ngx_http_media_vod_temp_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_media_vod_loc_conf_t *vlcf = conf;

    ngx_str_t   *value, size;
    ngx_path_t  *path;

    if (vlcf->temp != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        vlcf->temp = NULL;
        return NGX_CONF_OK;
    }

    /* all of them, without a limit: what was left unfinished goes anyhow */

    vlcf->temp_max = NGX_MAX_OFF_T_VALUE;

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "max_size=", 9) == 0) {
            size.data = value[2].data + 9;
            size.len = value[2].len - 9;

            vlcf->temp_max = ngx_parse_offset(&size);

        } else {
            vlcf->temp_max = NGX_ERROR;
        }

        if (vlcf->temp_max <= 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", write "
                               "\"max_size=10g\" for instance", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    path->name = value[1];

    while (path->name.len > 1 && path->name.data[path->name.len - 1] == '/') {
        path->name.data[--path->name.len] = '\0';
    }

    if (path->name.len == 0
        || ngx_conf_full_name(cf->cycle, &path->name, 0) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid path \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    vlcf->temp = path;

    if (ngx_add_path(cf, &vlcf->temp) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

#if !(NGX_MEDIA_HAVE_AV)

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"media_vod_temp_path\" is of no use: built without "
                       "libavformat");

#endif

    return NGX_CONF_OK;
}


static char *
ngx_http_media_vod_check_segment(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *sp = data;

    if (*sp < 1000 || *sp > 60000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"media_vod_segment\" must be between 1s and 60s");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_media_vod_check_cache(ngx_conf_t *cf, void *post, void *data)
{
    size_t *sp = data;

    if (*sp < 1024 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"media_vod_cache\" must be at least 1m, an hour "
                           "of film takes about half a megabyte of it");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
