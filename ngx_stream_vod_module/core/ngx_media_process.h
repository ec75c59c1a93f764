
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Which process is it: a pid alone may be another process's by now.
 */


#ifndef _NGX_MEDIA_PROCESS_H_INCLUDED_
#define _NGX_MEDIA_PROCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* in ticks since the system's start; 0: no such process, or no /proc */
uint64_t ngx_media_process_start(ngx_pid_t pid);


#endif /* _NGX_MEDIA_PROCESS_H_INCLUDED_ */
