
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is known of one file after it was read once: a blob with its tracks,
 * their parameters and indexes.  Blobs have no pointers: they lie in shared
 * memory, and "offset" means bytes from the blob's begin.
 *
 * They are made in threads, by functions that know nothing of requests.
 */


#ifndef _NGX_MEDIA_VOD_FILE_H_INCLUDED_
#define _NGX_MEDIA_VOD_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_index.h"
#include "formats/ngx_media_lang.h"


#define NGX_MEDIA_VOD_VERSION    4            /* of the blobs */

#define NGX_MEDIA_VOD_TRACKS     32           /* of a file */
#define NGX_MEDIA_VOD_ERROR      256
#define NGX_MEDIA_VOD_PATH       4096         /* bytes of one, with a zero */


/* what a file is, all bytes set: it may be hashed and compared */

typedef struct {
    uint64_t                  dev;
    uint64_t                  ino;
    uint64_t                  size;
    int64_t                   mtime;          /* ns since the epoch */
} ngx_media_vod_id_t;


typedef struct {
    uint32_t                  type;           /* ngx_media_type_e */
    uint32_t                  timescale;      /* of index and params */
    uint32_t                  params;         /* offset of ngx_media_params_t
                                                 [nparams], by description - 1;
                                                 codec 0: it is not served */
    uint32_t                  params_size;    /* bytes of each */
    uint32_t                  nparams;        /* 0: none of it is served */
    uint32_t                  index;          /* offset, ngx_media_index_t,
                                                 its edit applied */
    uint32_t                  rotation;       /* degrees, clockwise */
    u_char                    lang[NGX_MEDIA_LANG];  /* RFC 5646; "" */
    u_char                    label[NGX_MEDIA_LABEL];  /* UTF-8; "" */
    u_char                    supplemental[NGX_MEDIA_CODEC_STRING_MAX];
                                              /* SUPPLEMENTAL-CODECS without
                                                 brands, "dvh1.08.07"; "" */
    u_char                    brands[16];     /* of it: "db1p"; "" */
    unsigned                  is_default:1;
    unsigned                  forced:1;       /* subtitles */
    unsigned                  sdh:1;          /* for the hard of hearing */
    unsigned                  described:1;    /* audio description */
    unsigned                  sidecar:1;      /* a text file: no index, its
                                                 text at "params", nparams
                                                 bytes, UTF-8 WebVTT or SRT */
} ngx_media_vod_track_t;


typedef struct {
    uint32_t                  version;
    uint32_t                  size;           /* of the blob */
    ngx_media_vod_id_t        id;
    uint64_t                  tag;            /* of names of its media: a hash
                                                 of id, but for a file that
                                                 only grows at its end one of
                                                 what stays as it is */
    uint64_t                  offset;         /* growing: what is indexed */
    uint32_t                  status;         /* 200, or why not: 404 415 500;
                                                 then there are no tracks */
    uint32_t                  ntracks;
    unsigned                  fragmented:1;   /* it may grow */
    unsigned                  fragments:1;    /* it is made of them, even if
                                                 it grows no more */
    unsigned                  converted:1;    /* its media is in another file,
                                                 see ngx_media_vod_temp.h */
    u_char                    error[NGX_MEDIA_VOD_ERROR];  /* "moov/trak[1]:
                                                 text, offset:N"; "".  With 200
                                                 what is left out, and why:
                                                 for the log */
    ngx_media_vod_track_t     tracks[];
} ngx_media_vod_file_t;


/* where a thread finds it */

typedef struct {
    ngx_fd_t                  fd;
    ngx_str_t                 path;
    ngx_media_vod_id_t        id;
    const ngx_media_vod_file_t
                             *file;           /* pinned */
} ngx_media_vod_open_t;


#define NGX_MEDIA_VOD_NONE       0xffffffff

#define ngx_media_vod_at(blob, offset)                                        \
    ((void *) ((u_char *) (blob) + (offset)))


#endif /* _NGX_MEDIA_VOD_FILE_H_INCLUDED_ */
