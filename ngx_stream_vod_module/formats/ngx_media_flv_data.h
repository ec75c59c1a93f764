
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Data messages of RTMP and FLV, types 15 and 18, as timed metadata: a tag
 * with one frame, since hls.js makes a cue of each and a message is one.
 *
 *     send("onTextData", { text: "hello", language: "eng" })
 *     TXXX, description "onTextData", value {"text":"hello","language":"eng"}
 *
 * The value is JSON, always: of the argument, of an array of them if there are
 * several, or null.  Dates are as JSON.stringify() has them, what JSON cannot
 * hold is null.  So strings keep their quotes, control characters are escaped
 * and malformed UTF-8 is replaced, see ngx_media_text.h.  Players read it as
 * JSON.parse(cue.value.data).
 *
 * A frame for each property would be as many cues; a bare text would lose its
 * language, and would look like something else as soon as there is more.
 */


#ifndef _NGX_MEDIA_FLV_DATA_H_INCLUDED_
#define _NGX_MEDIA_FLV_DATA_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/* bytes of a tag, and of a name, which is printable ASCII */
#define NGX_MEDIA_FLV_DATA_MAX       2048
#define NGX_MEDIA_FLV_DATA_NAME_MAX  64

/* of the arguments of a message: longer ones do not fit in a tag */
#define NGX_MEDIA_FLV_DATA_BODY_MAX  16384


typedef enum {
    NGX_MEDIA_FLV_DATA_OK = 0,
    NGX_MEDIA_FLV_DATA_OTHER,                 /* not for players: onMetaData,
                                                 captions, what begins with
                                                 @ or |: for the server */
    NGX_MEDIA_FLV_DATA_MALFORMED,
    NGX_MEDIA_FLV_DATA_UNREADABLE,            /* AMF3 objects or arrays */
    NGX_MEDIA_FLV_DATA_NAME,                  /* longer, or not ASCII */
    NGX_MEDIA_FLV_DATA_LONG                   /* than the above */
} ngx_media_flv_data_e;


typedef struct {
    ngx_media_span_t          name;           /* set unless MALFORMED */
    ngx_media_span_t          args;           /* AMF0, whole values */
    ngx_uint_t                nargs;
    size_t                    size;           /* of the tag */
} ngx_media_flv_data_t;


/* the body of a message; spans point into it; all is set if it is OK */
ngx_media_flv_data_e ngx_media_flv_data_open(ngx_media_flv_data_t *data,
    const u_char *pos, const u_char *last);

/* the tag of one that is OK: data->size bytes */
void ngx_media_flv_data_write(u_char *p, const ngx_media_flv_data_t *data);


#endif /* _NGX_MEDIA_FLV_DATA_H_INCLUDED_ */
