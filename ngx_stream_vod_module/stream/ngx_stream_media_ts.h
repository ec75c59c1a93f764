
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Directives of MPEG-TS publishers, in stream {} servers.
 */


#ifndef _NGX_STREAM_MEDIA_TS_H_INCLUDED_
#define _NGX_STREAM_MEDIA_TS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ingest/ngx_media_ts_udp.h"
#include "stream/ngx_stream_media.h"


/* of a server; program and early are for whoever takes MPEG-TS there */

typedef struct {
    ngx_media_ts_udp_conf_t   udp;            /* of media_ts */
    ngx_int_t                 program;        /* program_number; 0: the first */
    ngx_flag_t                early;

    ngx_str_t                 app;
    ngx_str_t                 name;

    ngx_stream_media_place_t  place;          /* of media_ts */
} ngx_stream_media_ts_conf_t;


/* all is unset; zeroed memory */
void ngx_stream_media_ts_create_conf(ngx_stream_media_ts_conf_t *conf);
char *ngx_stream_media_ts_merge_conf(ngx_conf_t *cf,
    ngx_stream_media_ts_conf_t *prev, ngx_stream_media_ts_conf_t *conf);

/* of the command table; its offset is that of this configuration */
char *ngx_stream_media_ts(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_stream_media_ts_program(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the worker ends */
void ngx_stream_media_ts_exit(void);

/* ngx_stream_vod_module.c: of the server that a session is of */
const ngx_stream_media_ts_conf_t *ngx_stream_media_ts_conf(
    ngx_stream_session_t *s);


#endif /* _NGX_STREAM_MEDIA_TS_H_INCLUDED_ */
