
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Maps: what a name below a location means.  The functions that touch the
 * disk run in a thread and get memory by a pool of their own, which only they
 * use.
 *
 * They return NGX_OK, or NGX_ERROR: status and error say why.
 */


#ifndef _NGX_MEDIA_VOD_MAP_H_INCLUDED_
#define _NGX_MEDIA_VOD_MAP_H_INCLUDED_


#include "vod/ngx_media_vod.h"


/* the largest mapping file that is read */
#define NGX_MEDIA_VOD_MAP_SIZE   (1024 * 1024)


typedef struct {
    /* set by the caller */
    ngx_pool_t               *pool;           /* of all that follows */
    ngx_str_t                 path;           /* absolute: root and name */
    size_t                    root;           /* bytes of it that are the
                                                 location's root; paths in
                                                 mappings are below it */
    ngx_str_t                 text;           /* the file, if it was read */
    int64_t                   now;            /* ms since the epoch */

    /* the result */
    ngx_media_vod_map_t       map;
    ngx_uint_t                status;         /* 200, or why not */
    u_char                    error[NGX_MEDIA_VOD_ERROR];
} ngx_media_vod_map_make_t;


/* one file is a set; pure */
ngx_int_t ngx_media_vod_map_file(ngx_media_vod_map_make_t *make);

/*
 * "/dir/movie_,360,720,1080,.mp4.urlset": the name is taken apart, pure.
 * NGX_DECLINED: it is no such name.
 */
ngx_int_t ngx_media_vod_map_urlset(ngx_media_vod_map_make_t *make);

/* all media files of a directory are one set; reads it: in a thread */
ngx_int_t ngx_media_vod_map_directory(ngx_media_vod_map_make_t *make);

/*
 * make->text is a mapping in JSON; pure.  Its errors are of status 500 and
 * tell the place: "sequences[1].clips[0].path: string expected, offset:123".
 * Paths are below the root; those that begin with it are meant in full.
 */
ngx_int_t ngx_media_vod_map_json(ngx_media_vod_map_make_t *make);


#endif /* _NGX_MEDIA_VOD_MAP_H_INCLUDED_ */
