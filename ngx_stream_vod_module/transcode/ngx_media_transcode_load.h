
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Admission: what jobs of all processes are estimated to cost, against the
 * cores there are.  Units are thousandths of a core.
 */


#ifndef _NGX_MEDIA_TRANSCODE_LOAD_H_INCLUDED_
#define _NGX_MEDIA_TRANSCODE_LOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone.h"
#include "transcode/ngx_media_ladder.h"


/* more than so many percent of the cores: no ladder for a new stream */
#define NGX_MEDIA_TRANSCODE_FULL  85


/*
 * In shared memory, of a zone: what each process (row of the zone) has
 * admitted.  Each writes its own only; who sweeps a row clears it.
 */

typedef struct {
    uint64_t                  cost;           /* estimated */
    uint64_t                  used;           /* measured, of the last second */
} ngx_media_transcode_load_row_t;

typedef struct {
    ngx_media_transcode_load_row_t  rows[NGX_MEDIA_ROWS];
} ngx_media_transcode_load_shm_t;


/* what decoding the source and all rungs of it cost; bandwidth: as above */
uint64_t ngx_media_transcode_cost(const ngx_media_ladder_t *ladder,
    const ngx_media_params_t *source, uint64_t bandwidth);

/* of one rung of this shape, scaled and encoded */
uint64_t ngx_media_transcode_rung_cost(const ngx_media_ladder_rung_t *rung,
    const ngx_media_ladder_shape_t *shape);

/* this process's row has more, or less */
void ngx_media_transcode_load_add(ngx_media_transcode_load_shm_t *load,
    ngx_uint_t row, int64_t cost);

/* it measured so much */
void ngx_media_transcode_load_used(ngx_media_transcode_load_shm_t *load,
    ngx_uint_t row, uint64_t used);

/* it has gone */
void ngx_media_transcode_load_clear(ngx_media_transcode_load_shm_t *load,
    ngx_uint_t row);

/* of all rows, added to those of others: zones are several */
void ngx_media_transcode_load_sum(const ngx_media_transcode_load_shm_t *load,
    uint64_t *cost, uint64_t *used);

/*
 * 1: a job of this cost may begin beside those of this sum.  One that is alone
 * always may: a machine that is too small for it sheds its rungs.
 */
ngx_uint_t ngx_media_transcode_admits(uint64_t sum, uint64_t used,
    uint64_t cost, ngx_uint_t cores);


#endif /* _NGX_MEDIA_TRANSCODE_LOAD_H_INCLUDED_ */
