
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Files that kill whoever decodes them.  What is made of a file has a crumb in
 * the directory of what was made, locked, that says whether a thread is within
 * a codec.  One of which the owner has gone meanwhile is a mark of the file;
 * with two within ten minutes it is left alone for an hour, in all workers and
 * also after a restart.  Otherwise who waits for it in other workers would
 * take it over and die, one by one.
 *
 * All of this blocks: for threads.
 */


#ifndef _NGX_MEDIA_VOD_CRUMB_H_INCLUDED_
#define _NGX_MEDIA_VOD_CRUMB_H_INCLUDED_


#include "files/ngx_media_vod_file.h"


typedef struct {
    ngx_fd_t                  fd;             /* INVALID: there is none */
    u_char                    name[NGX_MEDIA_VOD_PATH];
} ngx_media_vod_crumb_t;


/*
 * Of what is made (its id), of a file (its tag).  NGX_OK, also if there can be
 * none; NGX_DECLINED: the file is left alone
 */
ngx_int_t ngx_media_vod_crumb_open(ngx_media_vod_crumb_t *crumb,
    const char *directory, const ngx_media_vod_id_t *id, uint64_t tag,
    time_t now);

/* a thread is within a codec, and is no more */
void ngx_media_vod_crumb_enter(ngx_media_vod_crumb_t *crumb);
void ngx_media_vod_crumb_leave(ngx_media_vod_crumb_t *crumb);

/* as often as one likes */
void ngx_media_vod_crumb_close(ngx_media_vod_crumb_t *crumb);


#endif /* _NGX_MEDIA_VOD_CRUMB_H_INCLUDED_ */
