
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Requests of ours: one HTTP/1.1 client on the event loop, for hooks, sets of
 * keys and whatever else has to be asked for.  It keeps connections, verifies
 * certificates, follows no redirects, and has an answer, or a reason why there
 * is none, when its time is over at the latest.
 *
 *     media_resolver 127.0.0.53;                     in main
 *     media_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
 *
 * Without a resolver names are looked up when the configuration is read.
 *
 * A process has at most NGX_MEDIA_FETCH_CONNECTIONS to a server (scheme, host
 * and port); who comes then waits for one of them, in the same time, unless
 * there are too many, or they have too much to say.  A worker that leaves stays
 * for what it has asked.
 */


#ifndef _NGX_MEDIA_FETCH_H_INCLUDED_
#define _NGX_MEDIA_FETCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_http.h"


#define NGX_MEDIA_FETCH_ANSWER       73728    /* bytes of an answer with its
                                                 head, at most */
#define NGX_MEDIA_FETCH_CONNECTIONS  128      /* to a server, in use */
#define NGX_MEDIA_FETCH_WAITING      4096     /* for one of them */
#define NGX_MEDIA_FETCH_BYTES        8388608  /* of these requests */


typedef struct ngx_media_fetch_s   ngx_media_fetch_t;
typedef struct ngx_media_target_s  ngx_media_target_t;


/*
 * The struct is copied, and so are its texts: they are put on the wire as they
 * are, so what comes from others has to be escaped.
 */

typedef struct {
    ngx_media_target_t       *target;
    ngx_str_t                 method;         /* "GET", "POST" */
    ngx_str_t                 args;           /* behind those of the URL,
                                                 "a=1&b=2"; empty: none */
    ngx_str_t                 headers;        /* lines with CRLF; empty: none */
    ngx_str_t                 type;           /* of the body; empty: it has
                                                 none to tell */
    ngx_str_t                 body;
    ngx_msec_t                timeout;        /* ms for all of it: waiting,
                                                 name, connection, TLS, answer;
                                                 not 0 */
    ngx_log_t                *log;            /* borrowed until done or
                                                 cancel() */

    /*
     * Called once, from the event loop, never inside fetch() or cancel(); the
     * fetch has gone by then.  answer, of whatever status, is borrowed during
     * the call; NULL: there is none, and error, static, says why.  It has been
     * logged: the first time, and each 2^n-th until the server answers again.
     */
    void                    (*done)(void *data,
                                const ngx_media_http_t *answer,
                                const char *error);
    void                     *data;
} ngx_media_fetch_conf_t;


/*
 * What a URL of the configuration says, "http://" or "https://"; what is wrong
 * with it is told.  It lives as long as the configuration.  NULL: an error.
 */
ngx_media_target_t *ngx_media_fetch_target(ngx_conf_t *cf, ngx_str_t *url);

/* for logs: without what stands between "//" and "@", and without arguments */
const ngx_str_t *ngx_media_fetch_name(const ngx_media_target_t *target);

/* nobody on the way can read or change what is asked and answered */
ngx_uint_t ngx_media_fetch_secure(const ngx_media_target_t *target);

/* NGX_OK: done will be called; NGX_ERROR: no memory */
ngx_int_t ngx_media_fetch(const ngx_media_fetch_conf_t *conf,
    ngx_media_fetch_t **fetch);

/* nobody waits for it any more */
void ngx_media_fetch_cancel(ngx_media_fetch_t *fetch);


#endif /* _NGX_MEDIA_FETCH_H_INCLUDED_ */
