
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Stream ids of SRT callers, of all forms that encoders can be told:
 *
 *     #!::r=live/demo,m=publish,u=me,s=secret,token=1    access control of SRT
 *     #!::u=KEY,bmd_uuid=1                               Blackmagic's
 *     publish:live/demo[:user:password][:a=1&b=2]        or "read:"
 *     live/demo,mode:publish,token:1
 *     [srt://]host[:port]/live/demo?a=1&b=2
 *     live/demo[?a=1]
 *
 * each of which may be percent-encoded as a whole, as VLC does it.
 */


#ifndef _NGX_MEDIA_SRT_SID_H_INCLUDED_
#define _NGX_MEDIA_SRT_SID_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_srt_handshake.h"


/* bytes of all arguments, at most */
#define NGX_MEDIA_SRT_SID_ARGS  (3 * NGX_MEDIA_SRT_SID_MAX + 16)


typedef enum {
    NGX_MEDIA_SRT_MODE_UNSET = 0,             /* it does not say */
    NGX_MEDIA_SRT_MODE_PUBLISH,
    NGX_MEDIA_SRT_MODE_READ
} ngx_media_srt_mode_e;


/* it is its own memory: a copy's name is in the original */

typedef struct {
    ngx_media_srt_mode_e      mode;
    ngx_media_span_t          name;           /* in text, without slashes at
                                                 its ends; empty: it has none */

    size_t                    args_len;       /* of args, "a=1&b=2" */

    u_char                    text[NGX_MEDIA_SRT_SID_MAX];
    u_char                    args[NGX_MEDIA_SRT_SID_ARGS];
} ngx_media_srt_sid_t;


/*
 * pos..last: at most NGX_MEDIA_SRT_SID_MAX bytes, as they came, maybe none.
 * All keys but "r", "m" and "mode" become arguments, percent-encoded, for the
 * checks: "u", "s", "token" and those that nobody knows; user and password of
 * the third form are "u" and "s".  The name may be a secret, arguments are.
 *
 * NGX_OK; NGX_DECLINED: it is none, reason is static and names nothing of it
 */
ngx_int_t ngx_media_srt_sid_parse(ngx_media_srt_sid_t *sid,
    const u_char *pos, const u_char *last, const char **reason);

/*
 * "live/" goes from "live/demo", where the application is "live", as long as
 * something is left
 */
void ngx_media_srt_sid_trim(ngx_media_span_t *name, const ngx_str_t *app);


#endif /* _NGX_MEDIA_SRT_SID_H_INCLUDED_ */
