
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

/* of this one, read once */
uint64_t ngx_media_process_self(void);

/* has it died, or is its pid another one's; start 0: that is not known */
ngx_uint_t ngx_media_process_gone(ngx_pid_t pid, uint64_t start);


#endif /* _NGX_MEDIA_PROCESS_H_INCLUDED_ */
