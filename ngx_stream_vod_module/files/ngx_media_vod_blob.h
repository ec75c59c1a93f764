
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The blob of a file, put together by those who read files, in a thread:
 *
 *     ngx_media_vod_blob_init(&blob, index);
 *
 *     for each track that may be served {
 *         t = ngx_media_vod_blob_track(&blob, type, timescale);
 *         *ngx_media_vod_blob_params(t) = ...;   once for each description
 *         t->track.lang = ...;                   whatever is known
 *     }
 *
 *     for each sample, in decode order of its track
 *         rc = ngx_media_vod_blob_add(t, &sample);
 *
 *     t->start = ...;                            the edit, if there is one
 *
 *     return ngx_media_vod_blob_finish(&blob);
 *
 * All that is allocated belongs to the blob: finish() or free() end it.
 */


#ifndef _NGX_MEDIA_VOD_BLOB_H_INCLUDED_
#define _NGX_MEDIA_VOD_BLOB_H_INCLUDED_


#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_index_build.h"
#include "formats/ngx_media_lang.h"


#define NGX_MEDIA_VOD_PARAMS     16           /* descriptions of a track */


typedef struct ngx_media_vod_blob_s  ngx_media_vod_blob_t;


typedef struct {
    ngx_media_vod_blob_t     *blob;

    /* set by the reader, but for params, nparams, index and sidecar */
    ngx_media_vod_track_t     track;

    /* the edit, in the track's timescale: of ngx_media_index_edit() */
    uint64_t                  empty;
    int64_t                   start;
    uint64_t                  duration;
    u_char                    name[32];       /* in notes; "track[1]" */
    unsigned                  edit:1;         /* the three are said */
    unsigned                  drop:1;         /* leave it out */
    uint32_t                  pending;        /* bits, by description - 1: its
                                                 parameters are in samples */

    /* its own */
    const char               *error;          /* static, after NGX_ERROR of
                                                 add() */
    ngx_media_params_t       *params;
    uint32_t                  nparams;
    u_char                   *text;           /* of a sidecar */
    size_t                    text_len;
    ngx_media_index_t        *index;          /* packed */
    ngx_media_index_build_t   build;
} ngx_media_vod_blob_track_t;


struct ngx_media_vod_blob_s {
    /* set by the reader, if they are not what init() says */
    uint64_t                  tag;            /* a hash of id */
    uint64_t                  offset;         /* 0 */
    unsigned                  fragmented:1;   /* 0 */
    unsigned                  fragments:1;    /* 0 */

    /* its own */
    unsigned                  nomem:1;
    ngx_media_vod_index_t    *index;
    ngx_media_vod_blob_track_t
                             *tracks[NGX_MEDIA_VOD_TRACKS];
    ngx_uint_t                ntracks;
    u_char                    note[NGX_MEDIA_VOD_ERROR];
};


void ngx_media_vod_blob_init(ngx_media_vod_blob_t *blob,
    ngx_media_vod_index_t *index);

/* a track, zeroed; NULL: too many (noted) or no memory; both may be ignored,
   finish() knows of it */
ngx_media_vod_blob_track_t *ngx_media_vod_blob_track(
    ngx_media_vod_blob_t *blob, ngx_media_type_e type, uint32_t timescale);

/* parameters of the next description, zeroed: a codec of 0 stays if it is
   not served; valid until the next call; NULL: as above */
ngx_media_params_t *ngx_media_vod_blob_params(ngx_media_vod_blob_track_t *t);

/*
 * NGX_DONE: it ends after the file, it and all later ones are left out;
 * NGX_ERROR: see error; the track is dropped then, with a note, unless there
 * was no memory.
 */
ngx_int_t ngx_media_vod_blob_add(ngx_media_vod_blob_track_t *t,
    const ngx_media_index_sample_t *sample);

/* makes it a sidecar; text: by malloc(), moved; not empty */
void ngx_media_vod_blob_text(ngx_media_vod_blob_track_t *t, u_char *text,
    size_t len);

/* adds "fmt", of printf(), to what could not be served; notes are what
   "error" says, also of a file that is served */
void ngx_media_vod_blob_note(ngx_media_vod_blob_t *blob, const char *fmt,
    ...);

/*
 * The blob, by malloc(), without tracks that have no samples or nothing to
 * serve; status 415 if none is left; NULL: no memory.  Ends blob.
 */
ngx_media_vod_file_t *ngx_media_vod_blob_finish(ngx_media_vod_blob_t *blob);
void ngx_media_vod_blob_free(ngx_media_vod_blob_t *blob);


#endif /* _NGX_MEDIA_VOD_BLOB_H_INCLUDED_ */
