
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Modules of media {}: what a feature is to the core, which names none.  One
 * has directives inside media {}, memory that all processes share, and is told
 * what happens to streams (ngx_media_event.h).
 *
 *     ngx_module_t  ngx_media_foo_module = {
 *         NGX_MODULE_V1,
 *         &ngx_media_foo_module_ctx,
 *         ngx_media_foo_commands,
 *         NGX_MEDIA_MODULE,
 *         ...
 */


#ifndef _NGX_MEDIA_MODULE_H_INCLUDED_
#define _NGX_MEDIA_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"


/* each of the functions may be NULL */

typedef struct {

    /*
     * Of what it has in shared memory: raised with each change of that, also
     * where the size stays.  Reloads keep a zone only if all are the same.
     */
    uint32_t                  version;

    /* its configuration of an application; NULL: no memory */
    void                   *(*create)(ngx_conf_t *cf, ngx_media_app_t *app);

    /* its block has been read, and the core's part of it is complete */
    char                   *(*init)(ngx_conf_t *cf, ngx_media_app_t *app,
                                void *conf);

    /* all applications have been read: here events are asked for */
    ngx_int_t               (*postconfiguration)(ngx_conf_t *cf);

    /*
     * Bytes that it wants in each zone.  It is told what the zone's name says,
     * size and owners (max_streams), and nothing else: a reload that switches
     * a feature on, or sets it anew, throws no stream away.
     */
    size_t                  (*shared)(const ngx_media_zone_conf_t *conf);

    /* these are fresh, zeroed, aligned to 64 bytes; no pointers to code */
    void                    (*shared_init)(ngx_media_zone_t *zone, void *mem);

    /*
     * The process of this row has gone, or left: what mem has of it is to be
     * cleared.  The zone's lock is held; if this process dies in it, another
     * one calls it again.
     */
    void                    (*swept)(ngx_media_zone_t *zone, void *mem,
                                ngx_uint_t row);

    /* once a second, in every worker; mem is NULL if it has none */
    void                    (*tick)(ngx_media_zone_t *zone, void *mem);
} ngx_media_module_ctx_t;


/* what ngx_conf_parse() finds the configuration of directives by */

typedef struct {
    void                    **app_conf;
} ngx_media_conf_ctx_t;

/* "conf" of its directives; their offsets are those in what create returns */
#define NGX_MEDIA_APP_CONF  offsetof(ngx_media_conf_ctx_t, app_conf)


/* a module's configuration of an application, and its memory in the zone */

#define ngx_media_app_conf(app, module)   (app)->conf[(module).ctx_index]
#define ngx_media_app_shared(app, module)                                     \
    (app)->shared[(module).ctx_index]


extern ngx_module_t  ngx_media_module;
extern ngx_module_t  ngx_media_core_module;


/* between the files of the core */

/* the next module's, *i is 0 at first, and the module; NULL after the last */
ngx_media_module_ctx_t *ngx_media_module_next(ngx_cycle_t *cycle,
    ngx_uint_t *i, ngx_module_t **module);

/* the application's zone, as its name says it is laid out */
char *ngx_media_module_zone(ngx_conf_t *cf, ngx_media_app_t *app);

/* zones that the new cycle does not use any more: their publishers leave */
void ngx_media_module_retire(ngx_cycle_t *cycle);


#endif /* _NGX_MEDIA_MODULE_H_INCLUDED_ */
