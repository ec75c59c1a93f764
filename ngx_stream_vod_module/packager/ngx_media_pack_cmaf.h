
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * CMAF chunks, pulled out of frames: what the frames point to stays as long as
 * this is used.
 */


#ifndef _NGX_MEDIA_PACK_CMAF_H_INCLUDED_
#define _NGX_MEDIA_PACK_CMAF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_frames.h"
#include "packager/ngx_media_pull.h"


/* sizes in the boxes are of 32 bits */
#define NGX_MEDIA_PACK_CMAF_MAX  0x7fffffff


/*
 * All of a chunk but its media, in pool.  sequence: of its mfhd.  NGX_DECLINED:
 * it would be larger than MAX; NGX_ERROR: no memory.
 */
ngx_int_t ngx_media_pack_cmaf_head(const ngx_media_frames_t *frames,
    uint32_t sequence, ngx_pool_t *pool, ngx_str_t *head);


/* a head, and the media behind it; flat, of its owner */

typedef struct {
    ngx_str_t                 head;
    size_t                    head_pos;
    ngx_media_pull_t          reader;
    ngx_media_pull_fault_t    fault;          /* after NGX_ERROR */
} ngx_media_pack_cmaf_t;


/* params and samples are not looked at, the head stays */
void ngx_media_pack_cmaf_init(ngx_media_pack_cmaf_t *cmaf,
    const ngx_media_frames_t *frames, const ngx_str_t *head);

/*
 * The next bytes, until *p == last or the end; what is read is not copied.
 * nowait: NGX_AGAIN, it would have to.  NGX_OK, NGX_ERROR.
 */
ngx_int_t ngx_media_pack_cmaf_fill(ngx_media_pack_cmaf_t *cmaf, u_char **p,
    u_char *last, ngx_uint_t nowait);

/* before the first fill(): nothing before this byte is wanted */
void ngx_media_pack_cmaf_seek(ngx_media_pack_cmaf_t *cmaf, uint64_t offset);


#endif /* _NGX_MEDIA_PACK_CMAF_H_INCLUDED_ */
