
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How nginx's stream module is reached.
 *
 * It may be built in, be an .so of its own, or be missing, and it may come
 * and go with a reload.  So the module has no undefined ngx_stream_* symbol:
 * what it calls is looked up each time a directive of ours is parsed in a
 * stream block, where the stream module is certain to be loaded.  Weak
 * symbols would not do: they are bound once, when our .so is loaded.
 *
 * style: long header, it is what the files of this folder share.
 */


#ifndef _NGX_STREAM_MEDIA_H_INCLUDED_
#define _NGX_STREAM_MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>
#include "core/ngx_media.h"


typedef struct {
    ngx_module_t             *core_module;
    void                    (*finalize_session)(ngx_stream_session_t *s,
                                ngx_uint_t rc);
    ngx_int_t               (*compile_complex_value)(
                                ngx_stream_compile_complex_value_t *ccv);
    ngx_int_t               (*complex_value)(ngx_stream_session_t *s,
                                ngx_stream_complex_value_t *cv,
                                ngx_str_t *value);
} ngx_stream_media_symbols_t;


/*
 * The context of our module in a session of nginx's: whose session it is, and
 * what it is about, for variables: the application; the stream; why it ended;
 * empty is what is not known.
 */

typedef enum {
    NGX_STREAM_MEDIA_APP = 0,
    NGX_STREAM_MEDIA_STREAM,
    NGX_STREAM_MEDIA_REASON,
    NGX_STREAM_MEDIA_SRT                      /* "1": it is one of SRT */
} ngx_stream_media_text_e;

typedef struct {
    void                     *session;
    void                    (*text)(const void *session,
                                ngx_stream_media_text_e what,
                                ngx_str_t *text);
} ngx_stream_media_ctx_t;


extern ngx_module_t  ngx_stream_vod_module;

/* valid from the first directive on, inherited by the workers */
extern ngx_stream_media_symbols_t  ngx_stream_media_symbols;


#define ngx_stream_media_core_srv_conf(cf)                                    \
    ((ngx_stream_core_srv_conf_t *)                                           \
     ((ngx_stream_conf_ctx_t *) (cf)->ctx)                                    \
         ->srv_conf[ngx_stream_media_symbols.core_module->ctx_index])

#define ngx_stream_media_core_main_conf(cf)                                   \
    ((ngx_stream_core_main_conf_t *)                                          \
     ((ngx_stream_conf_ctx_t *) (cf)->ctx)                                    \
         ->main_conf[ngx_stream_media_symbols.core_module->ctx_index])


/* ngx_stream_media_variables.c: when the stream block begins */
ngx_int_t ngx_stream_media_add_variables(ngx_conf_t *cf);


/* ngx_stream_vod_module.c */

/* NGX_CONF_OK, or the error for the directive being parsed */
char *ngx_stream_media_resolve(ngx_conf_t *cf);

/* the server that is merged has a "listen" of this type, SOCK_DGRAM */
ngx_uint_t ngx_stream_media_listens(ngx_conf_t *cf, int type);

/* the least port that it listens to with this type; 0: one has no port */
ngx_uint_t ngx_stream_media_port(ngx_conf_t *cf, int type);

/*
 * The context of a session that begins; NULL: no memory, and it is finalized
 */
ngx_stream_media_ctx_t *ngx_stream_media_ctx(ngx_stream_session_t *s,
    void *session, void (*text)(const void *session,
    ngx_stream_media_text_e what, ngx_str_t *text));

/* ngx_stream_media_conf.c: what media_rtmp, media_srt and media_ts ask of the
   server that one of them stands in, and of its application */

typedef struct {
    const char               *name;           /* of the directive */
    u_char                   *file;           /* NULL: it does not stand here */
    ngx_uint_t                line;
} ngx_stream_media_place_t;

/* the directive that is being parsed stands here, and handles the server's
   sessions; NGX_CONF_OK, or its error */
char *ngx_stream_media_place(ngx_conf_t *cf, ngx_stream_media_place_t *place,
    const char *name, ngx_stream_content_handler_pt handler);

/* when the server is merged: nobody else has taken its sessions */
ngx_int_t ngx_stream_media_place_alone(ngx_conf_t *cf,
    const ngx_stream_media_place_t *place,
    ngx_stream_content_handler_pt handler);

/* the same, and all it listens to is UDP, of ports that workers may bind; port
   is that of the example */
ngx_int_t ngx_stream_media_place_udp(ngx_conf_t *cf,
    const ngx_stream_media_place_t *place,
    ngx_stream_content_handler_pt handler, ngx_uint_t port);

/* NULL: there is no such application, which is said */
ngx_media_app_t *ngx_stream_media_place_app(ngx_conf_t *cf,
    const ngx_stream_media_place_t *place, ngx_str_t *app);


/* limits of sizes and times, in the manner of ngx_conf_num_bounds_t */

typedef struct {
    ngx_conf_post_handler_pt  post_handler;
    ngx_uint_t                low;
    ngx_uint_t                high;
    const char               *text;
} ngx_stream_media_bounds_t;

char *ngx_stream_media_check_bounds(ngx_conf_t *cf, void *post, void *data);


#endif /* _NGX_STREAM_MEDIA_H_INCLUDED_ */
