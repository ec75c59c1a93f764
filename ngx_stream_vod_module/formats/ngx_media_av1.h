
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_AV1_H_INCLUDED_
#define _NGX_MEDIA_AV1_H_INCLUDED_


#include "formats/ngx_media_codec.h"


/* the sequence header in OBUs, its payload; body may be NULL; NGX_DECLINED:
   none is there; NGX_ERROR: they are malformed before one is found */
ngx_int_t ngx_media_av1_find(const u_char *pos, const u_char *last,
    ngx_media_span_t *body);

/* bytes of av1C in front of its OBUs */
#define NGX_MEDIA_AV1_RECORD  4

/* these, as the sequence header among OBUs says; the same codes as find() */
ngx_int_t ngx_media_av1_record(u_char *p, const u_char *pos,
    const u_char *last);

/*
 * A temporal unit as ISO BMFF carries it: without delimiters and padding; p ==
 * NULL: the size.  0: nothing is left, or it is malformed.
 */
size_t ngx_media_av1_sample(u_char *p, const u_char *pos, const u_char *last);


extern const ngx_media_codec_t  ngx_media_av1_codec;


#endif /* _NGX_MEDIA_AV1_H_INCLUDED_ */
