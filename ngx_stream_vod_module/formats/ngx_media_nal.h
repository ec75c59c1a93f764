
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The NAL units of a frame as ISO BMFF carries them: each behind its length
 * (ISO/IEC 14496-15, 4.3.3).
 */


#ifndef _NGX_MEDIA_NAL_H_INCLUDED_
#define _NGX_MEDIA_NAL_H_INCLUDED_


#include "formats/ngx_media_bytes.h"


/*
 * The next NAL unit of what is left in frame; NGX_DONE after the last one,
 * NGX_ERROR if a length is zero or goes beyond the frame.
 */

static ngx_inline ngx_int_t
ngx_media_nal_next(ngx_media_span_t *frame, ngx_uint_t nal_length,
    ngx_media_span_t *nal)
{
    size_t      len;
    ngx_uint_t  i;

    if (frame->pos == frame->last) {
        return NGX_DONE;
    }

    if (ngx_media_span_len(frame) < nal_length) {
        return NGX_ERROR;
    }

    len = 0;

    for (i = 0; i < nal_length; i++) {
        len = len << 8 | *frame->pos++;
    }

    if (len == 0 || ngx_media_span_len(frame) < len) {
        return NGX_ERROR;
    }

    nal->pos = frame->pos;
    nal->last = frame->pos + len;
    frame->pos = nal->last;

    return NGX_OK;
}


/*
 * The same of what encoders send: units that are empty, shorter than a header
 * or have the forbidden bit are left out, so are zeros that pad a unit, and a
 * rest that is too short for a length; a frame of start codes (annex B of
 * ISO/IEC 14496-10 and 23008-2) instead of lengths is told by its beginning.
 *
 *     ngx_media_nals_init(&nals, pos, last, 4, 0);
 *
 *     while ((rc = ngx_media_nals_next(&nals, &nal)) == NGX_OK) { ... }
 *
 *     NGX_DONE   after the last one
 *     NGX_ERROR  a length goes beyond the frame
 */

#define NGX_MEDIA_NALS_KNOWN  12

typedef struct {
    ngx_media_span_t          rest;
    ngx_uint_t                nal_length;
    ngx_uint_t                header;         /* bytes of a unit's: 1; to be set
                                                 to 2 for HEVC */
    ngx_uint_t                left_out;       /* pieces, so far */
    ngx_uint_t                next;           /* of known, in front of rest */
    ngx_uint_t                nknown;
    const u_char             *known[NGX_MEDIA_NALS_KNOWN];
                                              /* the first start codes: a frame
                                                 is gone over some times, and
                                                 a copy of this knows them */
    unsigned                  codes:1;        /* it has start codes */
} ngx_media_nals_t;

/* the next 00 00 01, or NULL */
const u_char *ngx_media_nal_code(const u_char *pos, const u_char *last);

/* of what is known of a stream: do its frames have start codes? */
#define NGX_MEDIA_NALS_UNKNOWN  0
#define NGX_MEDIA_NALS_SEEN     1             /* they were seen before */
#define NGX_MEDIA_NALS_CODES    2             /* all have, as in MPEG-TS */

/* codes: one of these */
void ngx_media_nals_init(ngx_media_nals_t *nals, const u_char *pos,
    const u_char *last, ngx_uint_t nal_length, ngx_uint_t codes);
ngx_int_t ngx_media_nals_next(ngx_media_nals_t *nals, ngx_media_span_t *nal);

/*
 * All that is left as ISO BMFF carries it, with lengths of so many bytes; p ==
 * NULL: the size.  0: nothing, or it cannot be written so.
 */
size_t ngx_media_nals_write(u_char *p, const ngx_media_nals_t *nals,
    ngx_uint_t nal_length);


#endif /* _NGX_MEDIA_NAL_H_INCLUDED_ */
