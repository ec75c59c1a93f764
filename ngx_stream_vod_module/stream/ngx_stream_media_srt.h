
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Directives of SRT, in stream {} servers.
 */


#ifndef _NGX_STREAM_MEDIA_SRT_H_INCLUDED_
#define _NGX_STREAM_MEDIA_SRT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>
#include "ingest/ngx_media_srt_listen.h"
#include "stream/ngx_stream_media.h"


typedef struct {
    ngx_media_srt_conf_t      srt;
    ngx_str_t                 app;
    ngx_stream_complex_value_t
                             *name;           /* NULL: none */
    ngx_stream_complex_value_t
                             *passphrase;     /* likewise */

    ngx_stream_media_place_t  place;          /* of media_srt */
} ngx_stream_media_srt_conf_t;


extern ngx_conf_enum_t  ngx_stream_media_srt_deliveries[];


/* all is unset; zeroed memory */
void ngx_stream_media_srt_create_conf(ngx_stream_media_srt_conf_t *conf);
char *ngx_stream_media_srt_merge_conf(ngx_conf_t *cf,
    ngx_stream_media_srt_conf_t *prev, ngx_stream_media_srt_conf_t *conf);

/* of the command table; its offset is that of this configuration */
char *ngx_stream_media_srt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_stream_media_srt_passphrase(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_media_srt_latency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_stream_vod_module.c: of the server that a session is of */
const ngx_stream_media_srt_conf_t *ngx_stream_media_srt_conf(
    ngx_stream_session_t *s);


#endif /* _NGX_STREAM_MEDIA_SRT_H_INCLUDED_ */
