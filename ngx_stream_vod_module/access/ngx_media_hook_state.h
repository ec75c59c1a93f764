
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Hooks of an application, as the configuration has them, and what is sent to
 * them.  The module asks before somebody comes in; tell says that he has gone,
 * and that he is still here.
 */


#ifndef _NGX_MEDIA_HOOK_STATE_H_INCLUDED_
#define _NGX_MEDIA_HOOK_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "access/ngx_media_hook_on.h"
#include "access/ngx_media_hook_table.h"
#include "core/ngx_media_fetch.h"
#include "core/ngx_media_module.h"
#include "formats/ngx_media_hook.h"


/* on EVENT URL ...; */

typedef struct {
    ngx_media_target_t       *target;         /* NULL: none */
    ngx_uint_t                format;
    ngx_str_t                 call;           /* of forms; empty: by event */
    ngx_msec_t                timeout;
    time_t                    valid;
    ngx_msec_t                interval;       /* of updates */
    ngx_uint_t                failures;       /* of this process, in a row */
    unsigned                  get:1;          /* forms as arguments */
    unsigned                  allow:1;        /* without an answer */
} ngx_media_hook_to_t;


typedef struct {
    ngx_media_hook_to_t       to[NGX_MEDIA_HOOK_EVENTS];
    ngx_queue_t               here;           /* of this process, for updates;
                                                 whose is next first */
    ngx_queue_t               again;          /* ends that are tried again, and
                                                 wait until less are told */
    ngx_uint_t                telling;        /* ends that are on their way */
    ngx_uint_t                updating;       /* updates, likewise */
    ngx_uint_t                owed;           /* ends that this process has left
                                                 due, at most */
} ngx_media_hook_conf_t;


/* does somebody want to know what becomes of who has come in? */
#define ngx_media_hook_follows(mhcf, playing)                                 \
    ((mhcf)->to[(playing) ? NGX_MEDIA_HOOK_PLAY_DONE                          \
                          : NGX_MEDIA_HOOK_PUBLISH_DONE].target               \
     || (mhcf)->to[NGX_MEDIA_HOOK_UPDATE].target)


ngx_media_hook_conf_t *ngx_media_hook_conf(const ngx_media_app_t *app);
ngx_media_hook_table_shm_t *ngx_media_hook_table(const ngx_media_app_t *app);

/* the row of this process in the application's zone; NOBODY: all are taken */
ngx_uint_t ngx_media_hook_row(const ngx_media_app_t *app);

/*
 * A request is on its way; hook says all but what the configuration does.  As
 * ngx_media_fetch().
 */
ngx_int_t ngx_media_hook_send(const ngx_media_app_t *app,
    const ngx_media_hook_t *hook,
    void (*done)(void *data, const ngx_media_http_t *answer,
        const char *error),
    void *data, ngx_media_fetch_t **fetch);

/*
 * What the answer says, and count of it.  room: ngx_alloc(), the caller frees
 * it; NULL with an answer: no memory.
 */
void ngx_media_hook_answer(const ngx_media_app_t *app,
    ngx_media_hook_event_e event, const ngx_media_http_t *answer,
    u_char **room, ngx_media_hook_verdict_t *verdict);


/* tell: who has this id has gone, or did not come in */
void ngx_media_hook_ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason);

/* he stays in this process, whose close may be called; NULL: in a session */
void ngx_media_hook_here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data);

/* once a second */
void ngx_media_hook_tick(ngx_media_zone_t *zone, void *mem);


#endif /* _NGX_MEDIA_HOOK_STATE_H_INCLUDED_ */
