
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Between the files that read ladders.
 */


#ifndef _NGX_MEDIA_LADDER_CONF_H_INCLUDED_
#define _NGX_MEDIA_LADDER_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_ladder.h"


/* the ladder whose block is being read */
ngx_media_ladder_t *ngx_media_ladder_current(ngx_conf_t *cf);

/* "video" and "audio" */
char *ngx_media_ladder_video(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_media_ladder_audio(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* "k" and "m" are thousands, as encoders have it; 0: it is none */
uint64_t ngx_media_ladder_bitrate(const ngx_str_t *value);


#endif /* _NGX_MEDIA_LADDER_CONF_H_INCLUDED_ */
