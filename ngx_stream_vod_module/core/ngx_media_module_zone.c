
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The zones of applications: what modules have in them, and which of them a
 * reload keeps.  nginx keeps one whose name, size and owner (its tag, which is
 * in the .so that was loaded) are the same; so all that decides on the layout
 * is in the name, see ngx_media_zone_fields().
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_module.h"
#include "core/ngx_media_store_shm.h"
#include "core/ngx_media_store_zone.h"


/* fields of a zone's name */

#define NGX_MEDIA_ZONE_APP      0
#define NGX_MEDIA_ZONE_SIZE     1
#define NGX_MEDIA_ZONE_STREAMS  2
#define NGX_MEDIA_ZONE_LAYOUT   3
#define NGX_MEDIA_ZONE_FIELDS   4


/* what a module has in a zone, as it is hashed */

typedef struct {
    uint64_t                  version;
    uint64_t                  size;
} ngx_media_piece_t;


static uint32_t ngx_media_zone_layout(ngx_cycle_t *cycle,
    ngx_media_zone_conf_t *conf);
static ngx_int_t ngx_media_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void ngx_media_zone_share(ngx_media_zone_t *zone, ngx_uint_t fresh);
static void ngx_media_zone_cleanup(void *data);
static void ngx_media_zone_swept(ngx_media_zone_t *zone, ngx_uint_t row);
static ngx_shm_zone_t *ngx_media_zone_next(ngx_cycle_t *cycle,
    ngx_list_part_t **part, ngx_uint_t *i, ngx_str_t *fields);
static ngx_int_t ngx_media_zone_fields(const ngx_str_t *name,
    ngx_str_t *fields);
static ngx_uint_t ngx_media_zone_kept(ngx_cycle_t *cycle,
    ngx_shm_zone_t *old, const ngx_str_t *app, ngx_str_t *fields);
static void ngx_media_zone_why(ngx_str_t *why, const ngx_str_t *old,
    const ngx_str_t *new);


char *
ngx_media_module_zone(ngx_conf_t *cf, ngx_media_app_t *app)
{
    u_char                 *p;
    size_t                  size;
    uint32_t                layout;
    ngx_str_t               name;
    ngx_shm_zone_t         *shm_zone;
    ngx_media_zone_t       *zone;
    ngx_media_zone_conf_t   conf;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_media_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, sizeof("media:::") + app->name.len
                              + 2 * NGX_SIZE_T_LEN + 8);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_media_store_zone_conf(app, &conf);

    layout = ngx_media_zone_layout(cf->cycle, &conf);

    name.data = p;
    name.len = ngx_sprintf(p, "media:%V:%uz:%ui:%08xD", &app->name,
                           app->zone_size, app->max_streams, layout)
               - p;

    size = ngx_media_zone_memory(&conf);

    /* the pool's own records of its pages */
    size += size / ngx_pagesize * sizeof(ngx_slab_page_t) + 32 * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &name, size, &ngx_media_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->app = app;
    zone->log = &cf->cycle->new_log;
    zone->swept = ngx_media_zone_swept;

    shm_zone->init = ngx_media_zone_init;
    shm_zone->data = zone;

    app->zone = zone;

    return NGX_CONF_OK;
}


/*
 * All modules that have something in the zone, one behind the other, the core
 * first, which has the store; conf->head becomes the sum.
 */

static uint32_t
ngx_media_zone_layout(ngx_cycle_t *cycle, ngx_media_zone_conf_t *conf)
{
    size_t                   head;
    uint32_t                 crc;
    ngx_uint_t               i;
    ngx_module_t            *m;
    ngx_media_piece_t        piece;
    ngx_media_module_ctx_t  *module;

    head = 0;
    i = 0;

    ngx_crc32_init(crc);

    for ( ;; ) {
        module = ngx_media_module_next(cycle, &i, &m);

        if (module == NULL) {
            break;
        }

        if (module->shared == NULL) {
            continue;
        }

        piece.version = module->version;
        piece.size = module->shared(conf);

        ngx_crc32_update(&crc, (u_char *) m->name, ngx_strlen(m->name));
        ngx_crc32_update(&crc, (u_char *) &piece, sizeof(ngx_media_piece_t));

        head += ngx_align(piece.size, 64);
    }

    ngx_crc32_final(crc);

    conf->head = head;

    return crc;
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
        zone->arena = old->arena;
        zone->arena->count++;

        ngx_media_zone_share(zone, 0);

    } else {
        shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
        shpool->log_nomem = 0;

        ngx_media_store_zone_conf(zone->app, &conf);
        (void) ngx_media_zone_layout(zone->app->cycle, &conf);

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
        ngx_media_zone_share(zone, 1);

        /* for whoever finds this zone, and knows no more of it */
        shpool->data = zone->store;
    }

    cln->handler = ngx_media_zone_cleanup;
    cln->data = zone;

    return NGX_OK;
}


/* where each module's memory is, as ngx_media_zone_layout() counted it */

static void
ngx_media_zone_share(ngx_media_zone_t *zone, ngx_uint_t fresh)
{
    u_char                  *p;
    ngx_uint_t               i;
    ngx_module_t            *m;
    ngx_media_app_t         *app;
    ngx_media_zone_conf_t    conf;
    ngx_media_module_ctx_t  *module;

    app = zone->app;

    ngx_media_store_zone_conf(app, &conf);

    p = zone->sh->head;
    i = 0;

    for ( ;; ) {
        module = ngx_media_module_next(app->cycle, &i, &m);

        if (module == NULL) {
            break;
        }

        if (module->shared == NULL) {
            continue;
        }

        app->shared[m->ctx_index] = p;

        if (fresh && module->shared_init) {
            module->shared_init(zone, p);
        }

        p += ngx_align(module->shared(&conf), 64);
    }

    zone->store = ngx_media_app_shared(app, ngx_media_core_module);
}


static void
ngx_media_zone_cleanup(void *data)
{
    ngx_media_zone_t *zone = data;

    ngx_media_arena_release(zone->arena);
}


static void
ngx_media_zone_swept(ngx_media_zone_t *zone, ngx_uint_t row)
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

        if (module->swept) {
            module->swept(zone, zone->app->shared[m->ctx_index], row);
        }
    }
}


/*
 * The old cycle may be that of another .so, whose configuration is not ours to
 * read, nor what is in its zones, but for their names and how they are told to
 * end.
 */

void
ngx_media_module_retire(ngx_cycle_t *cycle)
{
    u_char                  text[NGX_MAX_ERROR_STR / 4];
    ngx_str_t               why, old[NGX_MEDIA_ZONE_FIELDS],
                            new[NGX_MEDIA_ZONE_FIELDS];
    ngx_uint_t              i;
    ngx_shm_zone_t         *shm_zone;
    ngx_list_part_t        *part;
    ngx_slab_pool_t        *shpool;
    ngx_media_store_shm_t  *store;

    if (cycle->old_cycle == NULL || ngx_is_init_cycle(cycle->old_cycle)) {
        return;
    }

    part = &cycle->old_cycle->shared_memory.part;
    i = 0;

    for ( ;; ) {
        shm_zone = ngx_media_zone_next(cycle->old_cycle, &part, &i, old);

        if (shm_zone == NULL) {
            return;
        }

        shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
        store = shpool->data;

        if (store == NULL || store->magic != NGX_MEDIA_STORE_MAGIC
            || ngx_media_zone_kept(cycle, shm_zone, old, new))
        {
            continue;
        }

        ngx_media_store(&store->retired, 1);

        why.data = text;
        why.len = sizeof(text);

        ngx_media_zone_why(&why, old, new);

        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "media zone of \"%V\" was replaced, %V: "
                      "its publishers have to reconnect",
                      &old[NGX_MEDIA_ZONE_APP], &why);
    }
}


/* the next media zone of a cycle; NULL after the last */

static ngx_shm_zone_t *
ngx_media_zone_next(ngx_cycle_t *cycle, ngx_list_part_t **part, ngx_uint_t *i,
    ngx_str_t *fields)
{
    ngx_shm_zone_t  *shm_zone;

    while (*part) {
        shm_zone = (*part)->elts;

        while (*i < (*part)->nelts) {
            shm_zone = (ngx_shm_zone_t *) (*part)->elts + (*i)++;

            if (ngx_media_zone_fields(&shm_zone->shm.name, fields) == NGX_OK) {
                return shm_zone;
            }
        }

        *part = (*part)->next;
        *i = 0;
    }

    return NULL;
}


/* media:NAME:SIZE:MAX_STREAMS:LAYOUT, NGX_DECLINED: it is another's */

static ngx_int_t
ngx_media_zone_fields(const ngx_str_t *name, ngx_str_t *fields)
{
    u_char      *p, *last;
    ngx_uint_t   n;

    if (name->len < sizeof("media:") - 1
        || ngx_strncmp(name->data, "media:", sizeof("media:") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    p = name->data + sizeof("media:") - 1;
    last = name->data + name->len;

    for (n = 0; n < NGX_MEDIA_ZONE_FIELDS; n++) {
        fields[n].data = p;

        while (p < last && *p != ':') {
            p++;
        }

        fields[n].len = p - fields[n].data;

        if (p == last) {
            break;
        }

        p++;
    }

    return n == NGX_MEDIA_ZONE_FIELDS - 1 ? NGX_OK : NGX_DECLINED;
}


/*
 * As nginx has decided; if not, fields are those of the application's zone
 * now, or empty.
 */

static ngx_uint_t
ngx_media_zone_kept(ngx_cycle_t *cycle, ngx_shm_zone_t *old,
    const ngx_str_t *app, ngx_str_t *fields)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *shm_zone;
    ngx_list_part_t  *part;

    part = &cycle->shared_memory.part;
    i = 0;

    for ( ;; ) {
        shm_zone = ngx_media_zone_next(cycle, &part, &i, fields);

        if (shm_zone == NULL) {
            ngx_memzero(fields, NGX_MEDIA_ZONE_FIELDS * sizeof(ngx_str_t));
            return 0;
        }

        if (fields->len == app->len
            && ngx_memcmp(fields->data, app->data, app->len) == 0)
        {
            return shm_zone->shm.addr == old->shm.addr;
        }
    }
}


static void
ngx_media_zone_why(ngx_str_t *why, const ngx_str_t *old, const ngx_str_t *new)
{
    u_char             *p;
    ngx_uint_t          i;
    static const char  *what[] = {
        NULL,
        "%V bytes by %V",
        "max_streams %V by %V",
        "layout %V by %V"
    };

    p = why->data;

    if (new->len == 0) {
        p = ngx_slprintf(p, p + why->len, "there is no such application now");

        why->len = p - why->data;
        return;
    }

    for (i = NGX_MEDIA_ZONE_SIZE; i < NGX_MEDIA_ZONE_FIELDS; i++) {

        if (old[i].len != new[i].len
            || ngx_memcmp(old[i].data, new[i].data, old[i].len) != 0)
        {
            p = ngx_slprintf(p, p + why->len, what[i], &old[i], &new[i]);

            why->len = p - why->data;
            return;
        }
    }

    p = ngx_slprintf(p, p + why->len, "the module is that of another file");

    why->len = p - why->data;
}
