
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The directory of converted files: <directory>/<16 hex of the id>.mp4.  Each
 * ends with a box that says what it was made of, and is renamed to its name
 * when it is complete, so any process finds it, also after a restart.  A file
 * that is used is touched; the one longest not used goes first.
 *
 * All of this blocks: for threads.
 */


#ifndef _NGX_MEDIA_VOD_TEMP_H_INCLUDED_
#define _NGX_MEDIA_VOD_TEMP_H_INCLUDED_


#include "files/ngx_media_vod_file.h"


/* bytes of the box at the end */
#define NGX_MEDIA_VOD_TEMP_BOX  (8 + 16 + sizeof(ngx_media_vod_id_t)          \
                                 + NGX_MEDIA_VOD_ERROR)


typedef struct {
    uint64_t                  converter;      /* versions of what made it */
    ngx_media_vod_id_t        id;             /* of the source */
    u_char                    note[NGX_MEDIA_VOD_ERROR];  /* what was left
                                                 out; "" */
} ngx_media_vod_temp_t;


/* of blobs of what was converted: other versions write other bytes */
#define ngx_media_vod_converted_tag(temp)                                     \
    ngx_media_hash((const u_char *) (temp),                                   \
                   offsetof(ngx_media_vod_temp_t, note))


/* the name, with a zero; NGX_ERROR: it is longer than size */
ngx_int_t ngx_media_vod_converted_path(u_char *p, size_t size,
    const char *directory, const ngx_media_vod_id_t *id);

/*
 * The converted file of a source, open and touched; NGX_INVALID_FILE: there is
 * none, or it is not of this source.  temp may be NULL.
 */
ngx_fd_t ngx_media_vod_converted_open(const char *directory,
    const ngx_media_vod_id_t *id, ngx_media_vod_temp_t *temp);

/* a new file to be written, its name is stored; NGX_INVALID_FILE: errno */
ngx_fd_t ngx_media_vod_temp_create(u_char *name, size_t size,
    const char *directory, const ngx_media_vod_id_t *id);

/* all of it was written: the box, and its name; NGX_ERROR: errno */
ngx_int_t ngx_media_vod_temp_commit(ngx_fd_t fd, const u_char *name,
    const char *directory, const ngx_media_vod_temp_t *temp);

/*
 * Deletes what was longest not used until all is at most "max" bytes, but
 * nothing that was used in the last minute; and what was never completed.
 */
void ngx_media_vod_temp_trim(const char *directory, off_t max, time_t now);


#endif /* _NGX_MEDIA_VOD_TEMP_H_INCLUDED_ */
