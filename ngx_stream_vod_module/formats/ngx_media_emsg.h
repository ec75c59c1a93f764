
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The event message box, ISO/IEC 23009-1, 5.10.3.3: an event of a stream in
 * front of the moof of the chunk that holds its time, behind styp and prft.
 *
 * hls.js makes a cue of each box that it meets, equal ids or not: so an event
 * is in one chunk of a track and in tracks of one type.  dash.js and Shaka
 * ignore a scheme that no InbandEventStream names, and an id that they know.
 */


#ifndef _NGX_MEDIA_EMSG_H_INCLUDED_
#define _NGX_MEDIA_EMSG_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_MP4_EMSG      ngx_media_fourcc('e', 'm', 's', 'g')

/*
 * "Carriage of ID3 Timed Metadata in CMAF": version 1, an empty value, the
 * data is one tag, see ngx_media_id3.h
 */
#define NGX_MEDIA_EMSG_ID3      "https://aomedia.org/emsg/ID3"

/* of a duration */
#define NGX_MEDIA_EMSG_UNKNOWN  0xffffffff


typedef struct {
    uint32_t                  version;        /* 0 or 1 */
    uint32_t                  timescale;      /* not 0; that of the track */
    uint64_t                  time;           /* in timescale; version 1: on
                                                 the timeline of tfdt; 0: from
                                                 the earliest presentation time
                                                 of its segment, 32 bits */
    uint32_t                  duration;       /* in timescale; or UNKNOWN */
    uint32_t                  id;             /* of scheme and value, once */
    ngx_media_span_t          scheme;         /* UTF-8, no zero in it */
    ngx_media_span_t          value;          /* likewise */
    ngx_media_span_t          data;
} ngx_media_emsg_t;


/* the whole box, less than 2^32 bytes; p == NULL: its size */
size_t ngx_media_emsg_write(u_char *p, const ngx_media_emsg_t *emsg);

/*
 * The body of a box; spans point into it.  NGX_DECLINED: another version;
 * NGX_ERROR: truncated, or a timescale of 0.
 */
ngx_int_t ngx_media_emsg_read(ngx_media_emsg_t *emsg, const u_char *pos,
    const u_char *last);


#endif /* _NGX_MEDIA_EMSG_H_INCLUDED_ */
