
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_hook.c formats/ngx_media_hook_write.c
         formats/ngx_media_json.c formats/ngx_media_text.c */


#include "formats/ngx_media_hook.h"
#include "tap.h"


static ngx_media_hook_t  hook;


static void
set(ngx_str_t *str, const char *text)
{
    str->data = (u_char *) text;
    str->len = strlen(text);
}


static void
start(void)
{
    memset(&hook, 0, sizeof(hook));

    hook.id = 0x7f3a;
    set(&hook.server, "host");
    set(&hook.app, "live");
    set(&hook.stream, "a/b c");
    set(&hook.protocol, "rtmp");
    set(&hook.address, "2001:db8::1");
    set(&hook.args, "token=x%20y&q=\"1\"");
    set(&hook.agent, "obs/30 (a&b)");
    set(&hook.url, "rtmp://h/live");
    set(&hook.page, "p");
    set(&hook.swf, "s");
}


static void
written(ngx_media_hook_format_e format, const char *expected,
    const char *name)
{
    size_t            size;
    u_char           *p;
    ngx_media_text_t  text;

    ngx_media_text_init(&text, NULL, 0);
    ngx_media_hook_write(&text, format, &hook);
    size = text.total;

    p = malloc(size ? size : 1);

    ngx_media_text_init(&text, p, size);
    ngx_media_hook_write(&text, format, &hook);

    is(text.total, size, "%s: its size", name);
    ok(!text.overflow, "%s: it fits", name);
    is_text(p, size, expected, "%s", name);

    free(p);
}


static void
test_json(void)
{
    start();

    written(NGX_MEDIA_HOOK_JSON,
            "{\"event\":\"publish\",\"id\":\"7f3a\",\"app\":\"live\","
            "\"stream\":\"a/b c\",\"protocol\":\"rtmp\","
            "\"ip\":\"2001:db8::1\",\"args\":\"token=x%20y&q=\\\"1\\\"\","
            "\"agent\":\"obs/30 (a&b)\",\"reason\":null}", "json: publish");

    hook.event = NGX_MEDIA_HOOK_PLAY_DONE;
    hook.reason = "it \"left\"";
    hook.id = 0;
    set(&hook.args, "");

    written(NGX_MEDIA_HOOK_JSON,
            "{\"event\":\"play_done\",\"id\":\"0\",\"app\":\"live\","
            "\"stream\":\"a/b c\",\"protocol\":\"rtmp\","
            "\"ip\":\"2001:db8::1\",\"args\":\"\","
            "\"agent\":\"obs/30 (a&b)\",\"reason\":\"it \\\"left\\\"\"}",
            "json: play_done");

    hook.event = NGX_MEDIA_HOOK_UPDATE;
    hook.playing = 1;
    hook.time = 65;
    hook.id = 0x1fffffffffffffull;
    hook.reason = NULL;

    written(NGX_MEDIA_HOOK_JSON,
            "{\"event\":\"update\",\"action\":\"play\",\"time\":65,"
            "\"id\":\"1fffffffffffff\",\"app\":\"live\","
            "\"stream\":\"a/b c\",\"protocol\":\"rtmp\","
            "\"ip\":\"2001:db8::1\",\"args\":\"\","
            "\"agent\":\"obs/30 (a&b)\",\"reason\":null}", "json: update");
}


#define FIELDS  "app=live&flashver=obs%2F30%20%28a%26b%29&swfurl=s"          \
                "&tcurl=rtmp%3A%2F%2Fh%2Flive&pageurl=p"                      \
                "&addr=2001%3Adb8%3A%3A1&clientid=32570"

static void
test_form(void)
{
    ngx_uint_t  i;
    char        expected[256];

    /* what the client says, and what is left of it */

    static const struct {
        const char  *args;
        const char  *left;
    } all[] = {
        { "a=1&b=%zz&c", "&a=1&b=%zz&c" },
        { "a=1&&b=2&", "&a=1&b=2" },
        { "name=x", "" }, { "name", "" }, { "a=1&name=x&b", "&a=1&b" },
        { "n%61me=x", "" }, { "NAME=x", "" }, { "+name=x", "" },
        { "%20name=x", "" }, { "name%20=x", "" }, { "name[]=x", "" },
        { "name%5b0%5d=x", "" }, { "name%00y=x", "" }, { "%09name=x", "" },
        { "a=1;addr=x", "" }, { "a;call=x", "" },
        { "names=x", "&names=x" }, { "xname=x", "&xname=x" },
        { "=name", "&=name" }, { "a=name", "&a=name" },
        { "timestamp=1", "" }, { "clientid=1", "" },
        { "a-name-that-is-long=1", "&a-name-that-is-long=1" },
        { "sixteen-bytes-xy=1", "&sixteen-bytes-xy=1" },
        { "token=a+b%2B", "&token=a+b%2B" },
        { "a=\r\nHost: x#\xff \x7f", "&a=%0D%0AHost:%20x%23%FF%20%7F" }
    };

    start();
    set(&hook.args, "k=1");

    written(NGX_MEDIA_HOOK_FORM, FIELDS
            "&call=publish&name=a%2Fb%20c&type=live&k=1", "form: publish");

    hook.event = NGX_MEDIA_HOOK_PLAY;

    written(NGX_MEDIA_HOOK_FORM, FIELDS
            "&call=play&name=a%2Fb%20c&start=0&duration=0&reset=0&k=1",
            "form: play");

    hook.event = NGX_MEDIA_HOOK_UPDATE;
    hook.time = 60;
    hook.timestamp = 4294967295u;

    written(NGX_MEDIA_HOOK_FORM, FIELDS
            "&call=update_publish&time=60&timestamp=4294967295"
            "&name=a%2Fb%20c&k=1", "form: update");

    hook.playing = 1;

    written(NGX_MEDIA_HOOK_FORM, FIELDS
            "&call=update_play&time=60&timestamp=4294967295"
            "&name=a%2Fb%20c&k=1", "form: update of a viewer");

    hook.event = NGX_MEDIA_HOOK_PLAY_DONE;
    set(&hook.call, "done");

    written(NGX_MEDIA_HOOK_FORM, FIELDS "&call=done&name=a%2Fb%20c&k=1",
            "form: done");

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        set(&hook.args, all[i].args);
        snprintf(expected, sizeof(expected), "%s%s",
                 FIELDS "&call=done&name=a%2Fb%20c", all[i].left);

        written(NGX_MEDIA_HOOK_FORM, expected, all[i].args);
    }
}


static void
test_srs(void)
{
    start();

    written(NGX_MEDIA_HOOK_SRS,
            "{\"server_id\":\"host\",\"service_id\":\"host\","
            "\"action\":\"on_publish\",\"client_id\":\"7f3a\","
            "\"ip\":\"2001:db8::1\",\"vhost\":\"__defaultVhost__\","
            "\"app\":\"live\",\"tcUrl\":\"rtmp://h/live\","
            "\"stream\":\"a/b c\","
            "\"param\":\"?token=x%20y&q=\\\"1\\\"\","
            "\"stream_url\":\"/live/a/b c\","
            "\"stream_id\":\"live/a/b c\"}", "srs: publish");

    hook.event = NGX_MEDIA_HOOK_PLAY;
    set(&hook.args, "");

    written(NGX_MEDIA_HOOK_SRS,
            "{\"server_id\":\"host\",\"service_id\":\"host\","
            "\"action\":\"on_play\",\"client_id\":\"7f3a\","
            "\"ip\":\"2001:db8::1\",\"vhost\":\"__defaultVhost__\","
            "\"app\":\"live\",\"tcUrl\":\"rtmp://h/live\",\"pageUrl\":\"p\","
            "\"stream\":\"a/b c\",\"param\":\"\","
            "\"stream_url\":\"/live/a/b c\","
            "\"stream_id\":\"live/a/b c\"}", "srs: play");

    hook.event = NGX_MEDIA_HOOK_PUBLISH_DONE;
    set(&hook.stream, "x");

    written(NGX_MEDIA_HOOK_SRS,
            "{\"server_id\":\"host\",\"service_id\":\"host\","
            "\"action\":\"on_unpublish\",\"client_id\":\"7f3a\","
            "\"ip\":\"2001:db8::1\",\"vhost\":\"__defaultVhost__\","
            "\"app\":\"live\",\"tcUrl\":\"rtmp://h/live\","
            "\"stream\":\"x\",\"param\":\"\","
            "\"stream_url\":\"/live/x\",\"stream_id\":\"live/x\"}",
            "srs: unpublish");
}


static void
test_mediamtx(void)
{
    char  args[400];

    start();
    hook.id = 0x123456789abcdefull;
    set(&hook.args, "user=%61nna&pass=a+b%26&x=1&user=2");

    written(NGX_MEDIA_HOOK_MEDIAMTX,
            "{\"ip\":\"2001:db8::1\",\"user\":\"anna\",\"password\":\"a b&\","
            "\"token\":\"\",\"action\":\"publish\",\"path\":\"live/a/b c\","
            "\"protocol\":\"rtmp\","
            "\"id\":\"00000000-0000-4123-8000-456789abcdef\","
            "\"query\":\"user=%61nna&pass=a+b%26&x=1&user=2\"}",
            "mediamtx: publish");

    hook.event = NGX_MEDIA_HOOK_PLAY;
    hook.id = 1;
    set(&hook.args, "xuser=1&use=2&user=");

    written(NGX_MEDIA_HOOK_MEDIAMTX,
            "{\"ip\":\"2001:db8::1\",\"user\":\"\",\"password\":\"\","
            "\"token\":\"\",\"action\":\"read\",\"path\":\"live/a/b c\","
            "\"protocol\":\"rtmp\","
            "\"id\":\"00000000-0000-4000-8000-000000000001\","
            "\"query\":\"xuser=1&use=2&user=\"}", "mediamtx: read");

    memset(args, 'a', sizeof(args));
    memcpy(args, "user=", 5);
    args[5 + 257] = '\0';
    set(&hook.args, args);
    hook.args.len = 5 + 257;

    {
        u_char            buf[1024];
        ngx_media_text_t  text;

        ngx_media_text_init(&text, buf, sizeof(buf));
        ngx_media_hook_write(&text, NGX_MEDIA_HOOK_MEDIAMTX, &hook);
        buf[text.total] = '\0';
        ok(strstr((char *) buf, "\"user\":\"\"") != NULL,
           "mediamtx: a user that is too long is none");
    }
}


static void
answered(ngx_media_hook_format_e format, ngx_media_hook_event_e event,
    ngx_uint_t status, const char *location, const char *body,
    const char *expected)
{
    char                      got[512];
    size_t                    len;
    u_char                   *room;
    ngx_str_t                 app;
    ngx_media_hook_answer_t   answer;
    ngx_media_hook_verdict_t  v;

    set(&app, "live");

    answer.status = status;
    answer.location.pos = tap_dup(location, strlen(location));
    answer.location.last = answer.location.pos + strlen(location);
    answer.body.pos = tap_dup(body, strlen(body));
    answer.body.last = answer.body.pos + strlen(body);

    len = strlen(location) + strlen(body);
    room = malloc(len ? len : 1);

    memset(&v, 0xff, sizeof(v));
    ngx_media_hook_read(format, event, &app, &answer, room, &v);

    if (v.result == NGX_MEDIA_HOOK_YES) {
        snprintf(got, sizeof(got), "yes %.*s %d %d",
                 (int) ngx_media_span_len(&v.stream), v.stream.pos,
                 (int) v.sessions, (int) v.expires);

        ok(v.reason == NULL, "no reason");

    } else {
        snprintf(got, sizeof(got), "%s %s",
                 v.result == NGX_MEDIA_HOOK_NO ? "no" : "failed", v.reason);
    }

    is_text((u_char *) got, strlen(got), expected, "%s %d %s%s",
            ngx_media_hook_format_name(format), (int) status, location, body);

    free(room);
    free((void *) answer.location.pos);
    free((void *) answer.body.pos);
}


#define NO_JSON   "no the hook's answer is no object of JSON"
#define UNKNOWN   "no the hook's answer has a member that is not known"
#define RANGE     "no the hook's answer has a number that is out of range"
#define NO_NAME   "no the hook's answer has a stream that is no name"
#define NEITHER   "no the hook's answer is neither 0 nor an object with a code"
#define REFUSED   "no the hook refused it"
#define ELSEWHERE "no the hook redirects to another server or application"
#define WHAT      "no the hook redirects to what is neither a name nor a URL " \
                  "of this application"


static void
test_answers(void)
{
    ngx_uint_t  i, f;

    static const struct {
        const char  *body;
        const char  *expected;
    } json[] = {
        { "", "yes  0 0" }, { " \r\n", "yes  0 0" }, { "{}", "yes  0 0" },
        { "{\"stream\":\"news\",\"sessions\":2,\"expires\":3600}",
          "yes news 2 3600" },
        { " { \"stream\" : \"a\\u00e9\\n\" } ", "yes a\xc3\xa9\n 0 0" },
        { "{\"stream\":null,\"sessions\":null}", "yes  0 0" },
        { "<html>no</html>", NO_JSON }, { "0", NO_JSON }, { "[]", NO_JSON },
        { "null", NO_JSON }, { "\"\"", NO_JSON }, { "true", NO_JSON },
        { "{", NO_JSON }, { "{} x", NO_JSON }, { "{\"stream\":\"a\"", NO_JSON },
        { "{\"ok\":false}", UNKNOWN }, { "{\"code\":1}", UNKNOWN },
        { "{\"Stream\":\"a\"}", UNKNOWN }, { "{\"\":1}", UNKNOWN },
        { "{\"stream\":{\"stream\":\"a\"}}", NO_NAME },
        { "{\"stream\":\"\"}", NO_NAME }, { "{\"stream\":1}", NO_NAME },
        { "{\"stream\":\"a\",\"stream\":\"b\"}",
          "no the hook's answer says something twice" },
        { "{\"sessions\":0}", RANGE }, { "{\"sessions\":-1}", RANGE },
        { "{\"sessions\":1.5}", RANGE }, { "{\"sessions\":\"1\"}", RANGE },
        { "{\"sessions\":1000001}", RANGE }, { "{\"sessions\":1e99}", RANGE },
        { "{\"sessions\":[1]}", RANGE }, { "{\"expires\":0}", RANGE },
        { "{\"expires\":1e3}", "yes  0 1000" },
        { "{\"expires\":999999999999}", RANGE }
    };

    static const struct {
        const char  *body;
        const char  *expected;
    } srs[] = {
        { "0", "yes  0 0" }, { "0\n", "yes  0 0" }, { "\"0\"", "yes  0 0" },
        { "{\"code\":0}", "yes  0 0" }, { "{\"code\":\"0\"}", "yes  0 0" },
        { "{\"code\": 0, \"msg\": \"OK\", \"data\":{\"code\":1}}",
          "yes  0 0" },
        { "{\"data\":[{\"code\":1}],\"code\":0}", "yes  0 0" },
        { "1", REFUSED }, { "-1", REFUSED }, { "00", NEITHER },
        { "\"\"", REFUSED }, { "{\"code\":1}", REFUSED },
        { "{\"code\":null}", REFUSED }, { "{\"code\":{\"code\":0}}", REFUSED },
        { "{\"code\":false}", REFUSED }, { "{\"code\":0.0}", REFUSED },
        { "", NEITHER }, { "{}", NEITHER }, { "{\"data\":{\"code\":0}}",
                                              NEITHER },
        { "{\"code\":1,\"code\":0}", NEITHER }, { "{\"code\":0", NEITHER },
        { "{\"code\":0} x", NEITHER }, { "0 x", NEITHER }, { "[0]", NEITHER },
        { "<html></html>", NEITHER }, { "null", NEITHER }, { "OK", NEITHER }
    };

    static const struct {
        const char  *location;
        const char  *expected;
    } form[] = {
        { "", "yes  0 0" }, { "news", "yes news 0 0" },
        { "a/b", "yes a/b 0 0" }, { "/a?b", "yes /a?b 0 0" },
        { "rtmp://h/live/news", "yes news 0 0" },
        { "RTMPS://h:1935/live/a/b", "yes a/b 0 0" },
        { "rtmp://h/live2/news", ELSEWHERE }, { "rtmp://h/live/", ELSEWHERE },
        { "rtmp://h/live", ELSEWHERE }, { "rtmp://h/x/news", ELSEWHERE },
        { "rtmp://h", WHAT }, { "rtmp://", WHAT }, { "rtmp:", WHAT },
        { "http://h/live/news", WHAT }, { "https://h/", WHAT },
        { "rtm", "yes rtm 0 0" }, { "a:b", WHAT }, { ":", WHAT }
    };

    static const ngx_uint_t  refused[] = { 400, 401, 403, 404, 429, 499 };

    for (f = 0; f < NGX_MEDIA_HOOK_FORMATS; f++) {

        for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
            answered(f, NGX_MEDIA_HOOK_PUBLISH, refused[i], "", "0", REFUSED);
        }

        answered(f, NGX_MEDIA_HOOK_PLAY, 500, "", "{\"code\":0}",
                 "failed the hook has failed");
        answered(f, NGX_MEDIA_HOOK_PLAY, 599, "news", "",
                 "failed the hook has failed");
        answered(f, NGX_MEDIA_HOOK_PUBLISH_DONE, 200, "", "<html>",
                 "yes  0 0");
        answered(f, NGX_MEDIA_HOOK_UPDATE, 204, "", "", "yes  0 0");
        answered(f, NGX_MEDIA_HOOK_UPDATE, 403, "", "", REFUSED);

        if (f != NGX_MEDIA_HOOK_FORM) {
            answered(f, NGX_MEDIA_HOOK_PUBLISH, 302, "news", "",
                     "no the hook redirects, which is not followed");
        }
    }

    for (i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
        answered(NGX_MEDIA_HOOK_JSON, NGX_MEDIA_HOOK_PUBLISH, 200, "",
                 json[i].body, json[i].expected);
    }

    for (i = 0; i < sizeof(srs) / sizeof(srs[0]); i++) {
        answered(NGX_MEDIA_HOOK_SRS, NGX_MEDIA_HOOK_PLAY, 200, "",
                 srs[i].body, srs[i].expected);
    }

    for (i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
        answered(NGX_MEDIA_HOOK_FORM, NGX_MEDIA_HOOK_PLAY, 302,
                 form[i].location, "", form[i].expected);
    }

    answered(NGX_MEDIA_HOOK_FORM, NGX_MEDIA_HOOK_PUBLISH, 200, "x", "<html>",
             "yes  0 0");
    answered(NGX_MEDIA_HOOK_MEDIAMTX, NGX_MEDIA_HOOK_PUBLISH, 200, "",
             "anything", "yes  0 0");
}


static void
test_known(void)
{
    ngx_uint_t  n, f, e;

    n = 0;

    for (f = 0; ngx_media_hook_format_name(f); f++) {
        for (e = 0; e < NGX_MEDIA_HOOK_EVENTS; e++) {
            n += ngx_media_hook_known(f, e) << (f * 8 + e);
        }

        ok(ngx_media_hook_type(f)->len, "a type");
    }

    is(f, NGX_MEDIA_HOOK_FORMATS, "formats have names");
    is_hex(n, 0x030f1f1f, "and what they know");
}


int
main(void)
{
    test_json();
    test_form();
    test_srs();
    test_mediamtx();
    test_answers();
    test_known();

    return done();
}
