
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A bit reader with a sticky error: past the end it returns zeros and sets
 * err, so a parser reads a whole structure and checks once before it uses a
 * value.  Over a NAL unit it removes emulation prevention as it goes
 * (ISO/IEC 14496-10, 7.4.1; 23008-2, 7.4.2).
 */


#ifndef _NGX_MEDIA_BITS_H_INCLUDED_
#define _NGX_MEDIA_BITS_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


typedef struct {
    const u_char             *pos;            /* the next byte to be read */
    const u_char             *last;
    uint64_t                  read;           /* bits handed out so far */
    uint32_t                  byte;           /* what is being read */
    uint32_t                  left;           /* bits of it not handed out */
    uint32_t                  zeros;          /* zero bytes just before pos */
    unsigned                  nal:1;
    unsigned                  err:1;
} ngx_media_bits_t;


void ngx_media_bits_init(ngx_media_bits_t *br, const u_char *pos,
    const u_char *last);
void ngx_media_bits_init_nal(ngx_media_bits_t *br, const u_char *pos,
    const u_char *last);

/* n bits, 0 to 32, the first of them the most significant */
uint32_t ngx_media_bits_get(ngx_media_bits_t *br, ngx_uint_t n);
void ngx_media_bits_skip(ngx_media_bits_t *br, uint64_t n);

/* to the next byte boundary counted from where the reader was initialized */
void ngx_media_bits_align(ngx_media_bits_t *br);

/* Exp-Golomb codes; more than 32 leading zeros are an error */
uint32_t ngx_media_bits_ue(ngx_media_bits_t *br);
int32_t ngx_media_bits_se(ngx_media_bits_t *br);


/* bits not handed out yet; emulation prevention bytes ahead are counted */

static ngx_inline uint64_t
ngx_media_bits_left(const ngx_media_bits_t *br)
{
    return (uint64_t) (br->last - br->pos) * 8 + br->left;
}


#endif /* _NGX_MEDIA_BITS_H_INCLUDED_ */
