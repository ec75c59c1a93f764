
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Splice information sections: ANSI/SCTE 35, 9.
 */


#ifndef _NGX_MEDIA_SCTE35_H_INCLUDED_
#define _NGX_MEDIA_SCTE35_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/*
 * When what a whole section says is to happen: pts_time and pts_adjustment, 33
 * bits of 90 kHz.  NGX_DECLINED: it says no time, that is at once, or none that
 * can be read, as it is encrypted; NGX_ERROR: it is malformed.
 */
ngx_int_t ngx_media_scte35_time(uint64_t *time, const u_char *pos,
    const u_char *last);

/* is it one that says nothing: splice_null(), bandwidth_reservation()? */
ngx_uint_t ngx_media_scte35_idle(const u_char *pos, const u_char *last);


#endif /* _NGX_MEDIA_SCTE35_H_INCLUDED_ */
