
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Segments of text: of a sidecar, or of text samples of a file, as WebVTT
 * (.vtt) or as a chunk of "wvtt" samples (.m4s).  They are cut where the
 * clock of their period is cut; a cue is in all segments in which it shows,
 * in .vtt with its full times.
 *
 * Times of .vtt count from the begin of their period; X-TIMESTAMP-MAP says
 * where that is on the line of media times, which is the one of tfdt, or, in
 * .ts.vtt, on that of MPEG-TS.  Times of .m4s are media times, in ms.
 */


#ifndef _NGX_MEDIA_VOD_TEXT_H_INCLUDED_
#define _NGX_MEDIA_VOD_TEXT_H_INCLUDED_


#include "vod/ngx_media_vod_set.h"


typedef struct {
    /* set by the caller, who keeps all of it until it is done */
    const ngx_media_vod_source_t *source;
    ngx_uint_t                track;
    uint64_t                  number;
    uint32_t                  sequence;       /* of mfhd */
    unsigned                  wvtt:1;         /* .m4s */
    unsigned                  ts:1;           /* .ts.vtt: beside MPEG-TS, whose
                                                 times are later */

    /* the result; data: by malloc(), the caller frees it */
    ngx_uint_t                status;         /* 200; 404: there is no such
                                                 segment; 500: see error */
    u_char                   *data;
    size_t                    len;
    u_char                    error[NGX_MEDIA_VOD_ERROR];
} ngx_media_vod_text_make_t;


/* it reads the file, and touches nothing of nginx: in a thread */
void ngx_media_vod_text_make(ngx_media_vod_text_make_t *make);

/* whether that is needed: .vtt of small sidecars takes no time at all */
ngx_uint_t ngx_media_vod_text_blocks(const ngx_media_vod_text_make_t *make);


#endif /* _NGX_MEDIA_VOD_TEXT_H_INCLUDED_ */
