
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_nal.h"


static ngx_uint_t ngx_media_nals_fit(const u_char *pos, const u_char *last,
    ngx_uint_t nal_length);
static ngx_int_t ngx_media_nals_by_length(ngx_media_nals_t *nals,
    ngx_media_span_t *nal);
static ngx_int_t ngx_media_nals_by_code(ngx_media_nals_t *nals,
    ngx_media_span_t *nal);
static void ngx_media_nals_know(ngx_media_nals_t *nals, const u_char *pos);


/*
 * A start code can be a length: 00 00 01 xx is one of 256 and more, in two
 * bytes 00 00 is that of nothing.  So what fits as lengths is taken as such,
 * but for 00 00 00 01 where that would be lengths of 0 and 1.  Three bytes
 * count if more codes follow, or were seen before: an access unit begins with
 * four, annex B.1.2.  Where all frames have start codes none is a length: an
 * access unit delimiter behind three bytes fits as that of a frame of about 270
 * bytes of H.264, 330 of HEVC.
 */

void
ngx_media_nals_init(ngx_media_nals_t *nals, const u_char *pos,
    const u_char *last, ngx_uint_t nal_length, ngx_uint_t codes)
{
    ngx_uint_t     n;
    const u_char  *p;

    nals->rest.pos = pos;
    nals->rest.last = last;
    nals->nal_length = nal_length;
    nals->header = 1;
    nals->left_out = 0;
    nals->next = 0;
    nals->nknown = 0;
    nals->codes = 0;

    for (p = pos; p < last && *p == 0; p++) { /* void */ }

    n = p - pos;

    if (n < 2 || p == last || *p != 1) {
        return;
    }

    if (codes == NGX_MEDIA_NALS_CODES) {
        nals->codes = 1;
        return;
    }

    if (!(n >= 3 && nal_length <= 2)
        && ngx_media_nals_fit(pos, last, nal_length))
    {
        return;
    }

    if (!codes && n == 2 && ngx_media_nal_code(p + 1, last) == NULL) {
        return;
    }

    nals->codes = 1;

    ngx_media_nals_know(nals, p - 2);
}


/* the code at pos, those behind it, and the end if these are all */

static void
ngx_media_nals_know(ngx_media_nals_t *nals, const u_char *pos)
{
    while (nals->nknown < NGX_MEDIA_NALS_KNOWN) {

        if (pos == NULL) {
            nals->known[nals->nknown++] = nals->rest.last;
            return;
        }

        nals->known[nals->nknown++] = pos;
        pos = ngx_media_nal_code(pos + 3, nals->rest.last);
    }
}


/* are all lengths within the frame? */

static ngx_uint_t
ngx_media_nals_fit(const u_char *pos, const u_char *last,
    ngx_uint_t nal_length)
{
    ngx_int_t         rc;
    ngx_media_nals_t  nals;
    ngx_media_span_t  nal;

    nals.rest.pos = pos;
    nals.rest.last = last;
    nals.nal_length = nal_length;
    nals.left_out = 0;
    nals.codes = 0;

    do {
        rc = ngx_media_nals_by_length(&nals, &nal);
    } while (rc == NGX_OK);

    return rc == NGX_DONE;
}


ngx_int_t
ngx_media_nals_next(ngx_media_nals_t *nals, ngx_media_span_t *nal)
{
    ngx_int_t      rc;
    const u_char  *last;

    for ( ;; ) {

        rc = nals->codes ? ngx_media_nals_by_code(nals, nal)
                         : ngx_media_nals_by_length(nals, nal);

        if (rc != NGX_OK) {
            return rc;
        }

        /* 7.4.1: a unit does not end in a zero byte, nor begin with a one */

        last = nal->last;

        while (nal->pos < nal->last && nal->last[-1] == 0) {
            nal->last--;
        }

        if (ngx_media_span_len(nal) < nals->header || (nal->pos[0] & 0x80)) {
            nals->left_out++;
            continue;
        }

        /* between start codes they are the codes' own */

        if (nal->last < last && !nals->codes) {
            nals->left_out++;
        }

        return NGX_OK;
    }
}


static ngx_int_t
ngx_media_nals_by_length(ngx_media_nals_t *nals, ngx_media_span_t *nal)
{
    size_t      len;
    ngx_uint_t  i;

    if (nals->rest.pos == nals->rest.last) {
        return NGX_DONE;
    }

    if (ngx_media_span_len(&nals->rest) < nals->nal_length) {
        nals->rest.pos = nals->rest.last;
        nals->left_out++;
        return NGX_DONE;
    }

    len = 0;

    for (i = 0; i < nals->nal_length; i++) {
        len = len << 8 | *nals->rest.pos++;
    }

    if (ngx_media_span_len(&nals->rest) < len) {
        return NGX_ERROR;
    }

    nal->pos = nals->rest.pos;
    nal->last = nals->rest.pos + len;
    nals->rest.pos = nal->last;

    return NGX_OK;
}


static ngx_int_t
ngx_media_nals_by_code(ngx_media_nals_t *nals, ngx_media_span_t *nal)
{
    const u_char  *p;

    if (nals->next + 1 < nals->nknown) {
        nal->pos = nals->known[nals->next++] + 3;
        nal->last = nals->known[nals->next];
        nals->rest.pos = nal->last;

        return NGX_OK;
    }

    /* at a code, if it is not at the end */

    p = ngx_media_nal_code(nals->rest.pos, nals->rest.last);

    if (p == NULL) {
        return NGX_DONE;
    }

    nal->pos = p + 3;

    p = ngx_media_nal_code(nal->pos, nals->rest.last);

    nal->last = (p == NULL) ? nals->rest.last : p;
    nals->rest.pos = nal->last;

    return NGX_OK;
}


const u_char *
ngx_media_nal_code(const u_char *pos, const u_char *last)
{
    const u_char  *p;

    while (last - pos >= 3) {

        p = memchr(pos + 2, 1, last - pos - 2);

        if (p == NULL) {
            return NULL;
        }

        if (p[-1] == 0 && p[-2] == 0) {
            return p - 2;
        }

        pos = p - 1;
    }

    return NULL;
}


size_t
ngx_media_nals_write(u_char *p, const ngx_media_nals_t *nals,
    ngx_uint_t nal_length)
{
    size_t             len, size;
    ngx_int_t          rc;
    ngx_uint_t         i;
    ngx_media_nals_t   it;
    ngx_media_span_t   nal;

    it = *nals;
    size = 0;

    for ( ;; ) {
        rc = ngx_media_nals_next(&it, &nal);

        if (rc == NGX_DONE) {
            return size;
        }

        len = ngx_media_span_len(&nal);

        if (rc != NGX_OK || (nal_length < 4 && len >> (8 * nal_length))) {
            return 0;
        }

        size += nal_length + len;

        if (p == NULL) {
            continue;
        }

        for (i = nal_length; i > 0; i--) {
            *p++ = (u_char) (len >> (8 * (i - 1)));
        }

        p = ngx_cpymem(p, nal.pos, len);
    }
}
