
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_agent.h"


#define NGX_MEDIA_AGENT_LOOK  512             /* bytes */


typedef struct {
    const char               *word;
    ngx_media_agent_e         agent;
} ngx_media_agent_word_t;


/*
 * The first that is found: apps name the player beside their own name, and
 * browsers those that they would like to be taken for.  Televisions' browsers
 * say Chrome and Safari, too, Chrome says Safari, and that nobody else.
 * Firefox and Chrome on iOS are Safari's engine by other names.
 */

static const ngx_media_agent_word_t  ngx_media_agent_words[] = {
    { "Roku", NGX_MEDIA_AGENT_ROKU },
    { "Tizen", NGX_MEDIA_AGENT_TIZEN },
    { "Web0S", NGX_MEDIA_AGENT_WEBOS },
    { "webOS", NGX_MEDIA_AGENT_WEBOS },
    { "AppleCoreMedia", NGX_MEDIA_AGENT_IOS },
    { "ExoPlayer", NGX_MEDIA_AGENT_ANDROID },
    { "AndroidXMedia3", NGX_MEDIA_AGENT_ANDROID },
    { "stagefright", NGX_MEDIA_AGENT_ANDROID },
    { "LibVLC", NGX_MEDIA_AGENT_VLC },
    { "VLC", NGX_MEDIA_AGENT_VLC },
    { "GStreamer", NGX_MEDIA_AGENT_GSTREAMER },
    { "OBS", NGX_MEDIA_AGENT_OBS },
    { "Lavf", NGX_MEDIA_AGENT_FFMPEG },
    { "FFmpeg", NGX_MEDIA_AGENT_FFMPEG },
    { "LNX 9,0,124,2", NGX_MEDIA_AGENT_FFMPEG },   /* flashVer of libav */
    { "CriOS", NGX_MEDIA_AGENT_SAFARI },
    { "FxiOS", NGX_MEDIA_AGENT_SAFARI },
    { "Firefox", NGX_MEDIA_AGENT_FIREFOX },
    { "Chrome", NGX_MEDIA_AGENT_CHROME },
    { "Chromium", NGX_MEDIA_AGENT_CHROME },
    { "Safari", NGX_MEDIA_AGENT_SAFARI },
    { NULL, NGX_MEDIA_AGENT_OTHER }
};


static const char *const  ngx_media_agent_names[] = {
    "other", "chrome", "safari", "firefox", "ios", "android", "vlc", "ffmpeg",
    "gstreamer", "obs", "roku", "tizen", "webos"
};


static ngx_uint_t
ngx_media_agent_has(const u_char *data, size_t len, const char *word)
{
    size_t         n;
    const u_char  *p, *last;

    n = ngx_strlen(word);

    if (len < n) {
        return 0;
    }

    last = data + len - n;

    for (p = data; p <= last; p++) {
        if (*p == (u_char) word[0] && ngx_memcmp(p, word, n) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_media_agent_e
ngx_media_agent(const u_char *data, size_t len)
{
    const ngx_media_agent_word_t  *entry;

    len = ngx_min(len, NGX_MEDIA_AGENT_LOOK);

    for (entry = ngx_media_agent_words; entry->word; entry++) {
        if (ngx_media_agent_has(data, len, entry->word)) {
            return entry->agent;
        }
    }

    return NGX_MEDIA_AGENT_OTHER;
}


const char *
ngx_media_agent_name(ngx_uint_t agent)
{
    return ngx_media_agent_names[agent < NGX_MEDIA_AGENTS
                                 ? agent : NGX_MEDIA_AGENT_OTHER];
}
