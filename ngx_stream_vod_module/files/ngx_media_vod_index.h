
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The index of a file, made in a thread: nothing here touches nginx's pools,
 * logs or shared memory.
 */


#ifndef _NGX_MEDIA_VOD_INDEX_H_INCLUDED_
#define _NGX_MEDIA_VOD_INDEX_H_INCLUDED_


#include "files/ngx_media_vod_file.h"
#include "formats/ngx_media_mp4_entry.h"


/* parameters, for decoders alone, of an entry that our table has no codec of;
   NGX_DECLINED: libavcodec cannot decode it either */
typedef ngx_int_t (*ngx_media_vod_foreign_pt)(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, uint32_t timescale);


typedef struct {
    /* set by the caller */
    ngx_fd_t                  fd;
    ngx_media_vod_id_t        id;
    const char               *path;           /* for its extension only */
    size_t                    max_moov;       /* bytes; 0: the default */
    uint32_t                  max_samples;    /* of a track; 0: the default */
    time_t                    now;            /* unix time */
    const char               *temp;           /* directory of converted files;
                                                 NULL: there are none */
    off_t                     temp_max;       /* of all of them, bytes; 0: no
                                                 limit */
    ngx_media_vod_foreign_pt  foreign;        /* tracks that cannot be served
                                                 but decoded are kept; NULL:
                                                 they are not */

    /*
     * The result, by malloc(), the caller frees it; NULL: no memory.  A file
     * that cannot be served is a result, too: 415 with what is wrong with it,
     * be it of another kind or broken; 500 if it could not be read.
     */
    ngx_media_vod_file_t     *file;
} ngx_media_vod_index_t;


/* looks at the first bytes and decides who reads it */
void ngx_media_vod_index(ngx_media_vod_index_t *index);


/* those who read: what they found is put together by ngx_media_vod_blob.h */

ngx_media_vod_file_t *ngx_media_vod_index_mp4(ngx_media_vod_index_t *index);
/* all else: MKV, WebM, FLV, ... by libavformat; sidecars of text */
ngx_media_vod_file_t *ngx_media_vod_index_av(ngx_media_vod_index_t *index);
ngx_media_vod_file_t *ngx_media_vod_index_text(ngx_media_vod_index_t *index);

/*
 * Reads so many bytes; NGX_ERROR: *file is what to return, NULL if there is
 * no memory for it
 */
ngx_int_t ngx_media_vod_index_read(ngx_media_vod_index_t *index, u_char *p,
    size_t size, uint64_t offset, ngx_media_vod_file_t **file);

/* ngx_media_vod_lav_params.c, with libav: that function */
ngx_int_t ngx_media_vod_index_foreign(ngx_media_params_t *params,
    const ngx_media_mp4_entry_t *entry, uint32_t timescale);

/* a blob of no tracks: status and "fmt", of printf() */
ngx_media_vod_file_t *ngx_media_vod_index_fail(ngx_media_vod_index_t *index,
    ngx_uint_t status, const char *fmt, ...);


#endif /* _NGX_MEDIA_VOD_INDEX_H_INCLUDED_ */
