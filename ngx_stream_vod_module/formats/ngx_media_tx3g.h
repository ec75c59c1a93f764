
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_TX3G_H_INCLUDED_
#define _NGX_MEDIA_TX3G_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_text.h"


/*
 * A sample of 3GPP timed text, TS 26.245, 5.17, as the text of a WebVTT cue:
 * bold, italic and underlined; positions and colors are not told.  Of a
 * sample that is malformed what can be read is written.
 */
void ngx_media_tx3g_text(ngx_media_text_t *text, const u_char *pos,
    const u_char *last);

/* whether it shows anything: most are there to end another */
ngx_uint_t ngx_media_tx3g_empty(const u_char *pos, const u_char *last);


#endif /* _NGX_MEDIA_TX3G_H_INCLUDED_ */
