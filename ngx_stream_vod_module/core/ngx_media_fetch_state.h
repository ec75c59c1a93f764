
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the files of the client share: servers, which are the configuration's
 * and have the state of this process in them, requests, connections.
 *
 *     request:  waits -> has a slot -> name -> connection -> TLS -> answer
 *
 * A slot is the right to use one connection, kept or new.  Who ends gives it to
 * the one that has waited longest, and keeps its connection for that one.
 */


#ifndef _NGX_MEDIA_FETCH_STATE_H_INCLUDED_
#define _NGX_MEDIA_FETCH_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/ngx_media_fetch.h"


typedef struct {
    ngx_resolver_t           *resolver;       /* NULL: at start */
    ngx_str_t                 trusted;        /* data NULL: the system's */
    ngx_array_t               servers;        /* ngx_media_fetch_server_t * */
#if (NGX_SSL)
    ngx_ssl_t                *ssl;            /* NULL: no URL needs it */
#endif
} ngx_media_fetch_main_conf_t;


typedef struct {
    ngx_media_fetch_main_conf_t  *main;
    ngx_str_t                 host;           /* and a zero behind it */
    in_port_t                 port;
    ngx_str_t                 file;           /* of the configuration, */
    ngx_uint_t                line;           /* where it was named first */

    ngx_addr_t               *addrs;          /* NULL: the resolver is asked */
    ngx_uint_t                naddrs;

    /* of this process */

    ngx_uint_t                addr;           /* the last one that was good */
    ngx_uint_t                active;         /* slots in use */
    ngx_uint_t                nwaiting;
    size_t                    bytes;          /* of these requests */
    ngx_uint_t                nidle;
    ngx_queue_t               waiting;        /* ngx_media_fetch_t.queue */
    ngx_queue_t               idle;           /* ngx_media_fetch_peer_t.queue,
                                                 latest first */
    ngx_uint_t                failures;       /* since the last answer */

    unsigned                  tls:1;
    unsigned                  literal:1;      /* host is an address */
} ngx_media_fetch_server_t;


struct ngx_media_target_s {
    ngx_media_fetch_server_t  *server;
    ngx_str_t                 name;           /* for logs */
    const char               *action;         /* of logs, "asking NAME" */
    ngx_str_t                 path;
    ngx_str_t                 args;           /* empty: none */
    ngx_str_t                 host;           /* as "Host:" has it */
    ngx_str_t                 user;           /* "Basic ..."; empty: none */
};


/* a connection, in a pool of its own; c->data */

typedef struct {
    ngx_queue_t               queue;          /* idle, if there is no fetch */
    ngx_media_fetch_t        *fetch;
    ngx_media_fetch_server_t  *server;
    ngx_connection_t         *c;
    ngx_uint_t                addr;           /* which one of the server's */
    ngx_msec_t                since;          /* ngx_current_msec */
} ngx_media_fetch_peer_t;


struct ngx_media_fetch_s {
    ngx_pool_t               *pool;
    ngx_media_fetch_server_t  *server;
    ngx_media_fetch_peer_t   *peer;           /* NULL: none yet */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_socket_t              ident;

    ngx_event_t               event;          /* it may begin, or is too late */
    ngx_queue_t               queue;          /* of those that wait */
    ngx_media_fetch_conf_t    conf;
    ngx_log_t                 log;
    ngx_msec_t                deadline;       /* ngx_current_msec */

    ngx_resolver_ctx_t       *resolve;        /* NULL: nobody is asked */
    ngx_addr_t               *addrs;
    ngx_uint_t                naddrs;
    ngx_uint_t                tried;

    ngx_str_t                 request;        /* in the pool */
    size_t                    sent;
    u_char                   *answer;         /* of the heap */
    size_t                    len;
    size_t                    size;
    ngx_media_http_state_t    http;           /* of it */

    unsigned                  waiting:1;
    unsigned                  slot:1;
    unsigned                  reused:1;       /* the connection was kept */
};


/* of ngx_media_fetch.c: it has ended; done is called */
void ngx_media_fetch_finish(ngx_media_fetch_t *fetch,
    const ngx_media_http_t *answer, const char *error);

/* of ngx_media_fetch_peer.c: has a slot now; it may end inside */
void ngx_media_fetch_begin(ngx_media_fetch_t *fetch);

/* it does not need its connection any more; keep: others may use it */
void ngx_media_fetch_end(ngx_media_fetch_t *fetch, ngx_uint_t keep);

#if (NGX_SSL)

/* of ngx_media_fetch_tls.c */

/* NGX_ERROR: it has been said why */
ngx_int_t ngx_media_fetch_tls_init(ngx_cycle_t *cycle,
    ngx_media_fetch_main_conf_t *mfcf, const ngx_media_fetch_server_t *server);

/* _secured() follows, maybe inside */
void ngx_media_fetch_tls(ngx_media_fetch_peer_t *peer);

/* of ngx_media_fetch_peer.c: error is static; NULL: all is well */
void ngx_media_fetch_secured(ngx_media_fetch_peer_t *peer, const char *error);

#endif


#endif /* _NGX_MEDIA_FETCH_STATE_H_INCLUDED_ */
