
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Segments of MPEG-TS, pulled out of frames: what the frames point to stays as
 * long as this is used.  Flat, of its owner; the pool has what depends on the
 * number of samples.
 */


#ifndef _NGX_MEDIA_PACK_TS_H_INCLUDED_
#define _NGX_MEDIA_PACK_TS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_frames.h"
#include "formats/ngx_media_ts_mux.h"
#include "packager/ngx_media_pull.h"


typedef struct {
    ngx_media_frames_t        frames;
    ngx_media_ts_es_t         es;
    uint32_t                 *nals;           /* NULL: they need no count */
    ngx_media_pull_t          reader;
    uint64_t                  pos;            /* the reader's, in bytes */
    uint32_t                  sample;         /* that the muxer wants, and */
    uint64_t                  base;           /* the bytes before it */
    size_t                    want;           /* for this buffer */
    ngx_uint_t                planned;        /* and not read yet */
} ngx_media_pack_ts_input_t;


typedef struct {
    uint64_t                  size;           /* of the segment, once known */
    ngx_uint_t                blocks;         /* something has to be read */
    ngx_uint_t                nowait;         /* to be set: fill() does not
                                                 wait for the disk */
    ngx_media_pull_fault_t    fault;          /* after NGX_ERROR */
    ngx_str_t                 failed;         /* name of the file */

    /* its own */
    ngx_media_ts_mux_t        mux;
    ngx_uint_t                n;
    ngx_media_ts_track_t      tracks[NGX_MEDIA_TS_TRACKS];
    ngx_media_pack_ts_input_t inputs[NGX_MEDIA_TS_TRACKS];
} ngx_media_pack_ts_t;


/*
 * n tracks, video first, at times that have NGX_MEDIA_TS_OFFSET added.
 * number: of the segment.  NGX_OK: the size is known; NGX_AGAIN: not before
 * prepare(); NGX_DECLINED: a track is of a codec that transport streams do not
 * carry; NGX_ERROR.
 */
ngx_int_t ngx_media_pack_ts_init(ngx_media_pack_ts_t *ts,
    const ngx_media_frames_t *frames, ngx_uint_t n, uint64_t number,
    ngx_pool_t *pool);

/* reads all of it to count NAL units, may block; NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_pack_ts_prepare(ngx_media_pack_ts_t *ts);

/*
 * The next bytes, until *p == last or the end; NGX_OK, NGX_ERROR; NGX_AGAIN:
 * it would have to wait.
 */
ngx_int_t ngx_media_pack_ts_fill(ngx_media_pack_ts_t *ts, u_char **p,
    u_char *last);

/*
 * Before the first fill(): nothing before this byte is wanted.  Returns the
 * byte that fill() makes first, which is not after it.
 */
uint64_t ngx_media_pack_ts_seek(ngx_media_pack_ts_t *ts, uint64_t offset);


#endif /* _NGX_MEDIA_PACK_TS_H_INCLUDED_ */
