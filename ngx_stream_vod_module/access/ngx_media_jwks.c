
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A source is a URL.  Its timer says when it is asked again: as the answer's
 * Cache-Control says, within bounds; sooner after one that could not be used.
 * Who shows a key that is not there makes it be asked at once, but whoever
 * invents names does so no more than twice a minute.
 *
 * What was good last is in memory that processes share, too: who starts while
 * nobody answers, after a reload for instance, begins with that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_jwks.h"
#include "access/ngx_media_jwks_shm.h"
#include "core/ngx_media_fetch.h"
#include "formats/ngx_media_jwk.h"

#include <openssl/evp.h>


#define NGX_MEDIA_JWKS_DIGEST   32
#define NGX_MEDIA_JWKS_POOL     1024

#define NGX_MEDIA_JWKS_TIMEOUT  5000          /* ms */
#define NGX_MEDIA_JWKS_AGE      600           /* s, if the answer is silent */
#define NGX_MEDIA_JWKS_YOUNG    60            /* s, at least */
#define NGX_MEDIA_JWKS_OLD      86400         /* s, at most */
#define NGX_MEDIA_JWKS_RETRY    30000         /* ms, after a failure */
#define NGX_MEDIA_JWKS_FIRST    5000          /* ms, while there is none */
#define NGX_MEDIA_JWKS_UNKNOWN  30000         /* ms between two for a name */


typedef struct {
    ngx_array_t               sources;        /* ngx_media_jwks_t * */
} ngx_media_jwks_conf_t;


typedef struct {
    ngx_media_target_t       *target;
    ngx_media_fetch_t        *fetch;          /* NULL: none is under way */
    ngx_msec_t                begun;          /* the fetch, or the last one */
    ngx_pool_t               *pool;           /* of the set */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_socket_t              ident;

    ngx_event_t               event;          /* it is to be asked */
    ngx_str_t                 url;
    ngx_str_t                 id;             /* of keys without a name */
    ngx_array_t               owners;         /* ngx_media_keys_t * */
    ngx_slab_pool_t          *shpool;
    ngx_media_jwks_shm_t     *shm;

    ngx_media_keys_t         *set;            /* NULL: never had one */
    u_char                    digest[NGX_MEDIA_JWKS_DIGEST];
    const char               *error;          /* the last one; NULL: none */
    ngx_msec_t                asked;          /* for a name, the last time */
    ngx_queue_t               waiting;        /* ngx_media_keys_wait_t */
    unsigned                  named:1;        /* it has been asked for one */
} ngx_media_jwks_t;


static ngx_media_jwks_t *ngx_media_jwks_source(ngx_conf_t *cf,
    const ngx_str_t *id, ngx_str_t *url);
static ngx_int_t ngx_media_jwks_zone(ngx_conf_t *cf,
    ngx_media_jwks_t *source);
static ngx_int_t ngx_media_jwks_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_uint_t ngx_media_jwks_owned(const ngx_media_jwks_t *source,
    const ngx_media_keys_t *keys);
static ngx_int_t ngx_media_jwks_ask(ngx_media_jwks_t *source);
static void ngx_media_jwks_event(ngx_event_t *ev);
static void ngx_media_jwks_done(void *data, const ngx_media_http_t *answer,
    const char *error);
static const char *ngx_media_jwks_take(ngx_media_jwks_t *source,
    const ngx_media_span_t *text);
static void ngx_media_jwks_put(ngx_media_jwks_t *source,
    const ngx_media_span_t *text);
static void ngx_media_jwks_get(ngx_media_jwks_t *source);
static const char *ngx_media_jwks_make(ngx_media_jwks_t *source,
    ngx_pool_t *pool, const ngx_media_span_t *text, ngx_media_keys_t **set);
static void ngx_media_jwks_judge(ngx_media_jwks_t *source, const char *error);
static ngx_msec_t ngx_media_jwks_next(const ngx_media_jwks_t *source,
    const ngx_media_http_t *answer, const char *error);
static void ngx_media_jwks_wake(ngx_media_jwks_t *source);
static void *ngx_media_jwks_create_conf(ngx_cycle_t *cycle);
static ngx_int_t ngx_media_jwks_init_process(ngx_cycle_t *cycle);
static void ngx_media_jwks_exit_process(ngx_cycle_t *cycle);


static ngx_core_module_t  ngx_media_jwks_module_ctx = {
    ngx_string("media_jwks"),
    ngx_media_jwks_create_conf,
    NULL
};


ngx_module_t  ngx_media_jwks_module = {
    NGX_MODULE_V1,
    &ngx_media_jwks_module_ctx,            /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_media_jwks_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_media_jwks_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


ngx_int_t
ngx_media_jwks_add(ngx_conf_t *cf, ngx_media_keys_t *keys,
    const ngx_str_t *id, ngx_str_t *url)
{
    ngx_media_jwks_t   *source;
    ngx_media_keys_t  **owner;

    source = ngx_media_jwks_source(cf, id, url);
    if (source == NULL) {
        return NGX_ERROR;
    }

    if (ngx_media_jwks_owned(source, keys)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "keys of \"%V\" are there already",
                           ngx_media_fetch_name(source->target));
        return NGX_ERROR;
    }

    owner = ngx_array_push(&source->owners);
    if (owner == NULL) {
        return NGX_ERROR;
    }

    *owner = keys;

    return ngx_media_keys_remote(keys, &source->set);
}


/* the one that is there, or another one */

static ngx_media_jwks_t *
ngx_media_jwks_source(ngx_conf_t *cf, const ngx_str_t *id, ngx_str_t *url)
{
    ngx_uint_t              i;
    ngx_media_jwks_t       *source, **entry;
    ngx_media_jwks_conf_t  *mjcf;

    mjcf = (ngx_media_jwks_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                                  ngx_media_jwks_module);
    entry = mjcf->sources.elts;

    for (i = 0; i < mjcf->sources.nelts; i++) {
        source = entry[i];

        if (source->url.len == url->len && source->id.len == id->len
            && ngx_memcmp(source->url.data, url->data, url->len) == 0
            && (id->len == 0
                || ngx_memcmp(source->id.data, id->data, id->len) == 0))
        {
            return source;
        }
    }

    source = ngx_pcalloc(cf->pool, sizeof(ngx_media_jwks_t));
    if (source == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     source->fetch = NULL;
     *     source->set = NULL;
     *     source->error = NULL;
     *     source->named = 0;
     */

    source->url = *url;
    source->id = *id;
    source->ident = (ngx_socket_t) -1;
    source->target = ngx_media_fetch_target(cf, url);

    ngx_queue_init(&source->waiting);

    entry = source->target ? ngx_array_push(&mjcf->sources) : NULL;

    if (entry == NULL
        || ngx_array_init(&source->owners, cf->pool, 1,
                          sizeof(ngx_media_keys_t *))
           != NGX_OK
        || ngx_media_jwks_zone(cf, source) != NGX_OK)
    {
        return NULL;
    }

    *entry = source;

    return source;
}


/* which is called by what the URL hashes to: there may be a password in it */

static ngx_int_t
ngx_media_jwks_zone(ngx_conf_t *cf, ngx_media_jwks_t *source)
{
    u_char           digest[NGX_MEDIA_JWKS_DIGEST], *p;
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    name.len = sizeof("media_jwks_") - 1 + 2 * NGX_MEDIA_JWKS_DIGEST
               + source->id.len;
    name.data = ngx_pnalloc(cf->pool, name.len);

    if (name.data == NULL
        || EVP_Digest(source->url.data, source->url.len, digest, NULL,
                      EVP_sha256(), NULL)
           != 1)
    {
        return NGX_ERROR;
    }

    p = ngx_cpymem(name.data, "media_jwks_", sizeof("media_jwks_") - 1);
    p = ngx_hex_dump(p, digest, NGX_MEDIA_JWKS_DIGEST);
    (void) ngx_sprintf(p, "%V", &source->id);

    zone = ngx_shared_memory_add(cf, &name, sizeof(ngx_media_jwks_shm_t)
                                            + 8 * ngx_pagesize,
                                 &ngx_media_jwks_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_media_jwks_zone_init;
    zone->data = source;

    return NGX_OK;
}


static ngx_int_t
ngx_media_jwks_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_media_jwks_t *old = data;

    ngx_media_jwks_t  *source;

    source = shm_zone->data;
    source->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (old) {
        source->shm = old->shm;
        return NGX_OK;
    }

    if (shm_zone->shm.exists) {
        source->shm = source->shpool->data;
        return NGX_OK;
    }

    source->shm = ngx_slab_calloc(source->shpool,
                                  sizeof(ngx_media_jwks_shm_t));
    if (source->shm == NULL) {
        return NGX_ERROR;
    }

    source->shpool->data = source->shm;

    return NGX_OK;
}


static ngx_uint_t
ngx_media_jwks_owned(const ngx_media_jwks_t *source,
    const ngx_media_keys_t *keys)
{
    ngx_uint_t          i;
    ngx_media_keys_t  **owner;

    owner = source->owners.elts;

    for (i = 0; i < source->owners.nelts; i++) {
        if (owner[i] == keys) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_media_keys_wait(const ngx_media_keys_t *keys, const ngx_str_t *name,
    ngx_uint_t again, ngx_media_keys_wait_t *wait)
{
    ngx_uint_t              i, never;
    ngx_media_jwks_t       *source, **entry, *asked;
    ngx_media_jwks_conf_t  *mjcf;

    mjcf = (ngx_media_jwks_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                                  ngx_media_jwks_module);
    entry = mjcf->sources.elts;
    asked = NULL;
    never = 0;

    if (!again) {
        wait->since = ngx_current_msec;
    }

    for (i = 0; i < mjcf->sources.nelts; i++) {
        source = entry[i];

        if (!ngx_media_jwks_owned(source, keys)) {
            continue;
        }

        if (source->set == NULL) {
            never = 1;

        } else if (source->fetch == NULL && !again && name->len
                   && (!source->named || ngx_current_msec - source->asked
                                         >= NGX_MEDIA_JWKS_UNKNOWN))
        {
            source->named = 1;
            source->asked = ngx_current_msec;

            (void) ngx_media_jwks_ask(source);
        }

        /* those begun later would make it longer than one takes */

        if (source->fetch
            && (ngx_msec_int_t) (source->begun - wait->since) <= 0)
        {
            asked = source;
        }
    }

    if (asked) {
        ngx_queue_insert_tail(&asked->waiting, &wait->queue);
        return NGX_AGAIN;
    }

    return never ? NGX_ERROR : NGX_DECLINED;
}


void
ngx_media_keys_unwait(ngx_media_keys_wait_t *wait)
{
    ngx_queue_remove(&wait->queue);
}


static ngx_int_t
ngx_media_jwks_ask(ngx_media_jwks_t *source)
{
    ngx_media_fetch_conf_t  conf;

    if (source->event.timer_set) {
        ngx_del_timer(&source->event);
    }

    source->begun = ngx_current_msec;

    ngx_memzero(&conf, sizeof(ngx_media_fetch_conf_t));

    conf.target = source->target;
    conf.timeout = NGX_MEDIA_JWKS_TIMEOUT;
    conf.log = ngx_cycle->log;
    conf.done = ngx_media_jwks_done;
    conf.data = source;

    ngx_str_set(&conf.method, "GET");

    if (ngx_media_fetch(&conf, &source->fetch) != NGX_OK) {
        source->fetch = NULL;
        ngx_add_timer(&source->event,
                      ngx_media_jwks_next(source, NULL, "no memory"));
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_media_jwks_event(ngx_event_t *ev)
{
    if (!ngx_exiting) {
        (void) ngx_media_jwks_ask(ev->data);
    }
}


static void
ngx_media_jwks_done(void *data, const ngx_media_http_t *answer,
    const char *error)
{
    ngx_media_jwks_t *source = data;

    source->fetch = NULL;

    if (answer && answer->status != 200) {
        error = "the answer is not 200";

    } else if (answer) {
        error = ngx_media_jwks_take(source, &answer->body);

        if (error == NULL) {
            ngx_media_jwks_put(source, &answer->body);
        }
    }

    ngx_media_jwks_judge(source, error);

    ngx_add_timer(&source->event, ngx_media_jwks_next(source, answer, error));

    ngx_media_jwks_wake(source);
}


/* NULL: it is the set from now on */

static const char *
ngx_media_jwks_take(ngx_media_jwks_t *source, const ngx_media_span_t *text)
{
    u_char              digest[NGX_MEDIA_JWKS_DIGEST];
    ngx_uint_t          i;
    ngx_pool_t         *pool;
    const char         *error;
    ngx_media_keys_t   *set, **owner;

    if (EVP_Digest(text->pos, ngx_media_span_len(text), digest, NULL,
                   EVP_sha256(), NULL)
        != 1)
    {
        return "there is no memory for it";
    }

    /* what its keys have verified stays so */

    if (source->set
        && ngx_memcmp(digest, source->digest, NGX_MEDIA_JWKS_DIGEST) == 0)
    {
        return NULL;
    }

    pool = ngx_create_pool(NGX_MEDIA_JWKS_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return "there is no memory for it";
    }

    error = ngx_media_jwks_make(source, pool, text, &set);

    if (error) {
        ngx_destroy_pool(pool);
        return error;
    }

    if (source->pool) {
        ngx_destroy_pool(source->pool);
    }

    source->pool = pool;
    source->set = set;
    ngx_memcpy(source->digest, digest, NGX_MEDIA_JWKS_DIGEST);

    owner = source->owners.elts;

    for (i = 0; i < source->owners.nelts; i++) {
        ngx_media_keys_changed(owner[i]);
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "media keys of %V, keys:%ui",
                  ngx_media_fetch_name(source->target),
                  ngx_media_keys_count(set));

    return NULL;
}


static const char *
ngx_media_jwks_make(ngx_media_jwks_t *source, ngx_pool_t *pool,
    const ngx_media_span_t *text, ngx_media_keys_t **set)
{
    ngx_int_t    rc;
    ngx_uint_t   secret;
    const char  *error;

    *set = ngx_media_keys_create(pool);
    if (*set == NULL) {
        return "there is no memory for it";
    }

    rc = ngx_media_keys_set(*set, &source->id, text->pos, text->last, &secret,
                            &error);

    if (rc == NGX_ERROR) {
        return "there is no memory for it";
    }

    if (rc != NGX_OK) {
        return error;
    }

    /* who is on the way has read it */

    if (secret && !ngx_media_fetch_secure(source->target)) {
        return "it has a secret (\"kty\":\"oct\"), which needs \"https://\"";
    }

    return NULL;
}


/*
 * For those that start later.  Who is killed inside leaves none, and who asked
 * before another one does not take the place of what that was told.
 */

static void
ngx_media_jwks_put(ngx_media_jwks_t *source, const ngx_media_span_t *text)
{
    ngx_media_jwks_shm_t  *shm;

    shm = source->shm;

    ngx_shmtx_lock(&source->shpool->mutex);

    /* a slower worker's is older */

    if (shm->len == 0 || (ngx_msec_int_t) (source->begun - shm->begun) >= 0) {
        ngx_media_jwks_put_locked(shm, text->pos, ngx_media_span_len(text));
        shm->begun = source->begun;
    }

    ngx_shmtx_unlock(&source->shpool->mutex);
}


static void
ngx_media_jwks_get(ngx_media_jwks_t *source)
{
    u_char            *copy;
    ngx_media_span_t   text;

    copy = ngx_alloc(NGX_MEDIA_JWK_MAX, ngx_cycle->log);
    if (copy == NULL) {
        return;
    }

    ngx_shmtx_lock(&source->shpool->mutex);

    text.pos = copy;
    text.last = ngx_cpymem(copy, source->shm->text, source->shm->len);

    ngx_shmtx_unlock(&source->shpool->mutex);

    if (text.last > text.pos && ngx_media_jwks_take(source, &text) == NULL) {
        ngx_log_debug1(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                       "media keys of %V are those of another process",
                       ngx_media_fetch_name(source->target));
    }

    ngx_explicit_memzero(copy, NGX_MEDIA_JWK_MAX);
    ngx_free(copy);
}


/* each change is logged; what is wrong with a server says the client, too */

static void
ngx_media_jwks_judge(ngx_media_jwks_t *source, const char *error)
{
    if (error && (source->error == NULL
                  || ngx_strcmp(error, source->error) != 0))
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "media keys of %V cannot be used: %s; a JSON Web Key "
                      "set is needed, %s",
                      ngx_media_fetch_name(source->target), error,
                      source->set ? "those from before stay"
                                  : "tokens are answered 503 until then");
    }

    if (error == NULL && source->error) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "media keys of %V can be used again",
                      ngx_media_fetch_name(source->target));
    }

    source->error = error;
}


/* ms until it is asked again */

static ngx_msec_t
ngx_media_jwks_next(const ngx_media_jwks_t *source,
    const ngx_media_http_t *answer, const char *error)
{
    int64_t  age;

    if (source->set == NULL) {
        return NGX_MEDIA_JWKS_FIRST;
    }

    if (error) {
        return NGX_MEDIA_JWKS_RETRY;
    }

    age = answer->max_age == -1 ? NGX_MEDIA_JWKS_AGE : answer->max_age;
    age = ngx_max(age, NGX_MEDIA_JWKS_YOUNG);
    age = ngx_min(age, NGX_MEDIA_JWKS_OLD);

    ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "media keys of %V are asked for again in %L s",
                   ngx_media_fetch_name(source->target), age);

    return (ngx_msec_t) age * 1000;
}


/* one that is woken may be the end of others, who go of themselves then */

static void
ngx_media_jwks_wake(ngx_media_jwks_t *source)
{
    ngx_queue_t             queue, *q;
    ngx_media_keys_wait_t  *wait;

    if (ngx_queue_empty(&source->waiting)) {
        return;
    }

    ngx_queue_init(&queue);
    ngx_queue_add(&queue, &source->waiting);
    ngx_queue_init(&source->waiting);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);
        ngx_queue_remove(q);

        wait = ngx_queue_data(q, ngx_media_keys_wait_t, queue);
        wait->ready(wait->data);
    }
}


static void *
ngx_media_jwks_create_conf(ngx_cycle_t *cycle)
{
    ngx_media_jwks_conf_t  *mjcf;

    mjcf = ngx_pcalloc(cycle->pool, sizeof(ngx_media_jwks_conf_t));

    if (mjcf == NULL
        || ngx_array_init(&mjcf->sources, cycle->pool, 1,
                          sizeof(ngx_media_jwks_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return mjcf;
}


static ngx_int_t
ngx_media_jwks_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t              i;
    ngx_media_jwks_t      **entry;
    ngx_media_jwks_conf_t  *mjcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mjcf = (ngx_media_jwks_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                  ngx_media_jwks_module);
    entry = mjcf->sources.elts;

    for (i = 0; i < mjcf->sources.nelts; i++) {
        entry[i]->event.handler = ngx_media_jwks_event;
        entry[i]->event.data = entry[i];
        entry[i]->event.log = cycle->log;
        entry[i]->event.cancelable = 1;

        ngx_media_jwks_get(entry[i]);
        (void) ngx_media_jwks_ask(entry[i]);
    }

    return NGX_OK;
}


static void
ngx_media_jwks_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t              i;
    ngx_media_jwks_t      **entry;
    ngx_media_jwks_conf_t  *mjcf;

    mjcf = (ngx_media_jwks_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                  ngx_media_jwks_module);
    entry = mjcf->sources.elts;

    for (i = 0; i < mjcf->sources.nelts; i++) {

        if (entry[i]->pool) {
            ngx_destroy_pool(entry[i]->pool);
        }
    }
}
