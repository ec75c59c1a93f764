
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Viewers that have a connection of their own, RTMP, SRT and FLV, in the table
 * of sessions: who they are, how many of them there may be, and that they are
 * there as long as the connection is.
 */


#ifndef _NGX_MEDIA_VIEWER_H_INCLUDED_
#define _NGX_MEDIA_VIEWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"
#include "access/ngx_media_session.h"


#define NGX_MEDIA_VIEWER_KICKED  "the viewer's session was ended"


/* in the memory of who has the connection, zeroed */

typedef struct {
    ngx_media_sessions_t     *sessions;       /* NULL: it is not counted */
    ngx_media_session_ref_t   ref;
    ngx_msec_t                since;          /* when it was touched last */
    uint64_t                  bytes;          /* sent, and not told yet */
} ngx_media_viewer_t;


/*
 * Who asks to play, for checks and for begin(), as far as it is known: by the
 * token that conf->verdict has heard of, else by the address.  *who and *limit
 * are filled, and may be changed before begin().
 */
void ngx_media_viewer_who(const ngx_media_access_conf_t *conf,
    ngx_uint_t protocol, ngx_media_session_who_t *who,
    ngx_media_session_limit_t *limit);

/* the lesser of each */
void ngx_media_viewer_narrow(ngx_media_session_limit_t *limit,
    const ngx_media_session_limit_t *other);

/*
 * He plays from now on.  NGX_OK, also where there is no table, or no room in
 * it; NGX_DECLINED: he is one too many, NGX_ABORT: banned; *reason is static.
 */
ngx_int_t ngx_media_viewer_begin(ngx_media_app_t *app,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_viewer_t *viewer,
    const char **reason);

/* ms until the next touch(); 0: there is none */
ngx_msec_t ngx_media_viewer_tick(const ngx_media_viewer_t *viewer);

/* NGX_OK, NGX_ABORT: he was kicked, and is to go */
ngx_int_t ngx_media_viewer_touch(ngx_media_viewer_t *viewer);

/* he does not play any more; nothing, if he did not */
void ngx_media_viewer_end(ngx_media_viewer_t *viewer);


#endif /* _NGX_MEDIA_VIEWER_H_INCLUDED_ */
