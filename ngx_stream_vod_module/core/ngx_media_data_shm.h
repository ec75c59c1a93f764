
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Timed data of a stream in a zone: see ngx_media_store_shm.h for what holds
 * for all records.  All of it is [stream].
 */


#ifndef _NGX_MEDIA_DATA_SHM_H_INCLUDED_
#define _NGX_MEDIA_DATA_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone.h"


/* the block has room for records of 64 bytes */
#define NGX_MEDIA_DATA_RECORDS   63
#define NGX_MEDIA_DATA_PAGES     4


typedef struct {
    uint64_t                  seq;            /* [atomic] 0: it is free */
    int64_t                   time;           /* it is in parts that hold this:
                                                 media time, 1/360000 s; */
    uint32_t                  back;           /* so much before it is meant */
    uint64_t                  offset;         /* of its bytes, in all that came
                                                 since there were none */
    uint32_t                  size;
    uint32_t                  kind;           /* ngx_media_data_kind_e */
    uint32_t                  late;           /* it was counted as that */
} ngx_media_data_record_shm_t;


/*
 * One block, and some for the bytes.  What is free of these follows from the
 * records, so that each store leaves it whole.
 */

typedef struct {
    uint64_t                  seq;            /* the last that was given */
    u_char                   *bytes[NGX_MEDIA_DATA_PAGES];  /* a ring */
    ngx_media_data_record_shm_t
                              records[NGX_MEDIA_DATA_RECORDS];
} ngx_media_data_shm_t;

#define NGX_MEDIA_DATA_BYTES     (NGX_MEDIA_DATA_PAGES * NGX_MEDIA_PAGE)


#endif /* _NGX_MEDIA_DATA_SHM_H_INCLUDED_ */
