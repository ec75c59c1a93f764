
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Families of players, from what they say of themselves in User-Agent, or in
 * flashVer of RTMP.
 */


#ifndef _NGX_MEDIA_AGENT_H_INCLUDED_
#define _NGX_MEDIA_AGENT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


typedef enum {
    NGX_MEDIA_AGENT_OTHER = 0,
    NGX_MEDIA_AGENT_CHROME,                   /* and what is made of it */
    NGX_MEDIA_AGENT_SAFARI,
    NGX_MEDIA_AGENT_FIREFOX,
    NGX_MEDIA_AGENT_IOS,                      /* AppleCoreMedia: also of tvOS
                                                 and macOS */
    NGX_MEDIA_AGENT_ANDROID,                  /* ExoPlayer, media3 */
    NGX_MEDIA_AGENT_VLC,
    NGX_MEDIA_AGENT_FFMPEG,
    NGX_MEDIA_AGENT_GSTREAMER,
    NGX_MEDIA_AGENT_OBS,
    NGX_MEDIA_AGENT_ROKU,
    NGX_MEDIA_AGENT_TIZEN,
    NGX_MEDIA_AGENT_WEBOS,
    NGX_MEDIA_AGENTS
} ngx_media_agent_e;


/* len 0: OTHER; of long ones the first 512 bytes are looked at */
ngx_media_agent_e ngx_media_agent(const u_char *data, size_t len);

/* "chrome", static; "other" of what is none */
const char *ngx_media_agent_name(ngx_uint_t agent);


#endif /* _NGX_MEDIA_AGENT_H_INCLUDED_ */
