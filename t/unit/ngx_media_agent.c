
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_agent.c */


#include "formats/ngx_media_agent.h"
#include "tap.h"


typedef struct {
    const char  *name;
    const char  *agent;
} agent_t;


/* as these players send them */

static const agent_t agents[] = {
    { "other", "" },
    { "other", "curl/7.88.1" },
    { "chrome", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
                "like Gecko) Chrome/120.0.0.0 Safari/537.36" },
    { "chrome", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
                "(KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 "
                "Edg/120.0.0.0" },
    { "safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
                "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
                "Safari/605.1.15" },
    { "safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) "
                "AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.50 "
                "Mobile/15E148 Safari/604.1" },
    { "firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 "
                 "Firefox/115.0" },
    { "ios", "AppleCoreMedia/1.0.0.21B80 (iPhone; U; CPU OS 17_1 like Mac OS "
             "X; en_us)" },
    { "android", "Demo/2.18 (Linux;Android 13) ExoPlayerLib/2.18.1" },
    { "android", "Demo/1.2 (Linux;Android 14) AndroidXMedia3/1.2.0" },
    { "vlc", "VLC/3.0.20 LibVLC/3.0.20" },
    { "ffmpeg", "Lavf/59.27.100" },
    { "ffmpeg", "LNX 9,0,124,2" },
    { "gstreamer", "GStreamer souphttpsrc 1.22.0 libsoup/3.2.2" },
    { "obs", "Mozilla/5.0 (compatible; OBS-Studio/29.0.2)" },
    { "roku", "Roku/DVP-12.5 (12.5.0.4178-CD)" },
    { "tizen", "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 "
               "(KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36" },
    { "webos", "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, "
               "like Gecko) Chrome/87.0.4280.88 Safari/537.36 WebAppManager" },
    { NULL, NULL }
};


static const char *
family(const char *text, size_t len)
{
    u_char             *copy;
    ngx_media_agent_e   agent;

    copy = tap_dup(text, len);
    agent = ngx_media_agent(copy, len);
    free(copy);

    return ngx_media_agent_name(agent);
}


static void
check(const char *got, const char *expected, const char *what)
{
    is_text(got, strlen(got), expected, "%s: %.40s", expected, what);
}


int
main(void)
{
    char            text[1024];
    size_t          len;
    const agent_t  *a;

    for (a = agents; a->name; a++) {
        check(family(a->agent, strlen(a->agent)), a->name, a->agent);

        for (len = 0; len < strlen(a->agent); len++) {
            (void) family(a->agent, len);
        }
    }

    memset(text, 'V', sizeof(text));
    memcpy(text + 509, "VLC", 3);
    check(family(text, sizeof(text)), "vlc", "at the end of what is read");

    memcpy(text + 509, "VVLC", 4);
    check(family(text, sizeof(text)), "other", "behind it");

    check(ngx_media_agent_name(NGX_MEDIA_AGENTS), "other", "no family");

    return done();
}
