
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The newest key frame of a track of the store, for whoever makes a picture
 * of it.
 */


#ifndef _NGX_MEDIA_TRACK_KEY_H_INCLUDED_
#define _NGX_MEDIA_TRACK_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"


typedef struct {
    uint64_t                  number;         /* of the segment, */
    uint32_t                  part;           /* and of the part that has it:
                                                 the last key frame of that is
                                                 meant, so the two are a name
                                                 of it for ever */
    uint64_t                  init;           /* that it needs */
    ngx_media_range_t         range;          /* a chunk, and more behind it
                                                 maybe; to be pinned */
} ngx_media_track_key_t;


/*
 * As of a look.  NGX_OK; NGX_AGAIN: there is none in what is kept, yet or any
 * more; NGX_DONE: the track has gone.
 */
ngx_int_t ngx_media_track_key(const ngx_media_track_ref_t *ref,
    ngx_media_track_key_t *key);

/*
 * The range is pinned: where the frame's bytes are in the arena, size of them.
 * NGX_OK; NGX_ERROR: the chunk is broken, or has none.
 */
ngx_int_t ngx_media_track_key_bytes(const ngx_media_stream_t *stream,
    const ngx_media_track_key_t *key, uint64_t *offset, uint32_t *size);


#endif /* _NGX_MEDIA_TRACK_KEY_H_INCLUDED_ */
