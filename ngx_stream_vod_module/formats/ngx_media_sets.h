
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Decoder configurations made of what is in the stream: avcC and hvcC of
 * parameter sets, where no header came (ISO/IEC 14496-15, 5.3.3.1 and
 * 8.3.3.1).
 *
 *     ngx_media_sets_init(&sets, NGX_MEDIA_UNITS_AVC);
 *
 *     for each NAL unit of an access unit: ngx_media_sets_add(&sets, &nal);
 *
 *     size = ngx_media_sets_record(buf, &sets);
 */


#ifndef _NGX_MEDIA_SETS_H_INCLUDED_
#define _NGX_MEDIA_SETS_H_INCLUDED_


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_SETS_MAX   32

/* bytes of lengths, by which records of ours count */
#define NGX_MEDIA_SETS_NAL   4

/* of a record: its head, lengths and arrays in front of the sets */
#define NGX_MEDIA_SETS_RECORD_MAX                                             \
    (32 + 2 * NGX_MEDIA_SETS_MAX + NGX_MEDIA_CONFIG_MAX)


typedef struct {
    uint32_t                  key;            /* nal_unit_type << 8 | id */
    uint32_t                  pos;            /* in data */
    uint32_t                  len;
} ngx_media_set_t;


typedef struct {
    ngx_media_units_e         units;          /* NGX_MEDIA_UNITS_AVC, _HEVC */
    uint32_t                  n;
    uint32_t                  size;           /* of data */
    ngx_media_set_t           sets[NGX_MEDIA_SETS_MAX];
    u_char                    data[NGX_MEDIA_CONFIG_MAX];
} ngx_media_sets_t;


void ngx_media_sets_init(ngx_media_sets_t *sets, ngx_media_units_e units);

/*
 * NGX_OK: a set that is new, or takes the place of one of the same id;
 * NGX_DECLINED: no set, or known already; NGX_ERROR: malformed, or no room.
 */
ngx_int_t ngx_media_sets_add(ngx_media_sets_t *sets,
    const ngx_media_span_t *nal);

/* the size; p == NULL: nothing is written; 0: sets are missing */
size_t ngx_media_sets_record(u_char *p, const ngx_media_sets_t *sets);


#endif /* _NGX_MEDIA_SETS_H_INCLUDED_ */
