
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * ID3 tags, versions 2.2 to 2.4: the one in front of packed audio, and those
 * of timed metadata.
 */


#ifndef _NGX_MEDIA_ID3_H_INCLUDED_
#define _NGX_MEDIA_ID3_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_ID3_HEADER_SIZE     10
#define NGX_MEDIA_ID3_TIMESTAMP_SIZE  73

#define NGX_MEDIA_ID3_PRIV            ngx_media_fourcc('P', 'R', 'I', 'V')
#define NGX_MEDIA_ID3_TXXX            ngx_media_fourcc('T', 'X', 'X', 'X')


typedef struct {
    const u_char             *pos;            /* the next frame */
    const u_char             *last;           /* behind the frames */
    uint32_t                  version;        /* 2, 3, 4 */
    unsigned                  unsync:1;       /* all of it, 2.2 and 2.3 */
} ngx_media_id3_t;


typedef struct {
    uint32_t                  id;             /* of 2.2: three letters, 0 */
    ngx_media_span_t          data;
    unsigned                  unsync:1;       /* 0 after each ff is not data */
    unsigned                  opaque:1;       /* compressed or encrypted */
} ngx_media_id3_frame_t;


/*
 * The whole tag in front of packed audio, RFC 8216bis, 3.1.3, with one PRIV
 * frame that tells the time of its first sample: 90 kHz, of which 33 bits are
 * taken.
 */
size_t ngx_media_id3_write_timestamp(u_char *p, uint64_t time);

/*
 * The bytes of the tag that begins at pos, its header and footer included;
 * it may go on behind last.  NGX_AGAIN: last is too near to say; NGX_DECLINED:
 * there is no tag.
 */
ngx_int_t ngx_media_id3_size(const u_char *pos, const u_char *last,
    size_t *size);

/*
 * The frames of one tag, which is whole: NGX_ERROR if it is not, NGX_DECLINED
 * if there is none or its version is unknown.
 */
ngx_int_t ngx_media_id3_open(ngx_media_id3_t *id3, const u_char *pos,
    const u_char *last);

/* NGX_DONE after the last one, NGX_ERROR: it goes beyond the tag */
ngx_int_t ngx_media_id3_next(ngx_media_id3_t *id3,
    ngx_media_id3_frame_t *frame);

/* the owner and the data of a PRIV frame; NGX_DECLINED: it is none */
ngx_int_t ngx_media_id3_priv(const ngx_media_id3_frame_t *frame,
    ngx_media_span_t *owner, ngx_media_span_t *data);

/* the time that a tag of packed audio tells; NGX_DECLINED: none */
ngx_int_t ngx_media_id3_timestamp(const u_char *pos, const u_char *last,
    uint64_t *time);


#endif /* _NGX_MEDIA_ID3_H_INCLUDED_ */
