
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who may publish and who may play: one list of checks that every protocol
 * asks, before a name is claimed and before a client hears that it may begin.
 * Each check says yes, no, or "later"; the first no is the answer.
 */


#ifndef _NGX_MEDIA_ACCESS_H_INCLUDED_
#define _NGX_MEDIA_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"


typedef enum {
    NGX_MEDIA_ACCESS_PUBLISH = 0,
    NGX_MEDIA_ACCESS_PLAY
} ngx_media_access_e;


typedef struct ngx_media_access_s  ngx_media_access_t;


/* what is asked for; strings are borrowed until the answer */

typedef struct {
    ngx_media_access_e        action;
    ngx_media_app_t          *app;
    ngx_str_t                 name;           /* of the stream */
    ngx_str_t                 args;           /* "key=1&b=2"; empty: none */
    ngx_str_t                 protocol;       /* "rtmp", static */
    ngx_str_t                 address;        /* of the peer */
    ngx_connection_t         *connection;
    ngx_log_t                *log;

    /*
     * The answer, after NGX_AGAIN: NGX_OK, or NGX_DECLINED with a reason, a
     * static sentence that says why, for the log and the client.  Never called
     * from inside ask() or cancel().
     */
    void                    (*ready)(void *data, ngx_int_t rc,
                                const char *reason);
    void                     *data;
} ngx_media_access_conf_t;


/*
 * A check.  It answers NGX_OK, NGX_DECLINED (*reason is static), NGX_AGAIN: it
 * will call ngx_media_access_answer().  check is its own memory of the request:
 * NULL at first; where it is not, cancel() is called if nobody waits any more.
 */

typedef struct {
    ngx_int_t               (*check)(ngx_media_access_t *access,
                                const ngx_media_access_conf_t *conf,
                                void **ctx, const char **reason);
    void                    (*cancel)(void *ctx);
} ngx_media_access_check_t;

/* while the configuration is read; checks are asked in the order of adding */
ngx_int_t ngx_media_access_add(ngx_conf_t *cf,
    const ngx_media_access_check_t *check);


/* NGX_OK, NGX_DECLINED (*reason), NGX_AGAIN (*access), NGX_ERROR */
ngx_int_t ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason);

/* nobody waits for the answer any more */
void ngx_media_access_cancel(ngx_media_access_t *access);

/* of a check that said NGX_AGAIN: NGX_OK, or NGX_DECLINED and reason */
void ngx_media_access_answer(ngx_media_access_t *access, ngx_int_t rc,
    const char *reason);


#endif /* _NGX_MEDIA_ACCESS_H_INCLUDED_ */
