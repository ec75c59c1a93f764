
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs ngx_stub.c files/ngx_media_vod_blob.c
         files/ngx_media_vod_index.c vod/ngx_media_vod_map.c
         vod/ngx_media_vod_map_directory.c vod/ngx_media_vod_map_json.c
         formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_json.c formats/ngx_media_lang.c
         formats/ngx_media_text.c */


#include <sys/stat.h>
#include "files/ngx_media_vod_index.h"
#include "vod/ngx_media_vod_map.h"
#include "ngx_stub.h"
#include "tap.h"


#define ROOT  "/srv/media"
#define NOW   1800000000000ll


typedef ngx_int_t (*map_pt)(ngx_media_vod_map_make_t *make);


static ngx_media_vod_map_make_t  make;


/* of files no byte is looked at here */

ngx_media_vod_file_t *
ngx_media_vod_index_mp4(ngx_media_vod_index_t *index)
{
    return NULL;
}


ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    return NULL;
}


ngx_media_vod_file_t *
ngx_media_vod_index_text(ngx_media_vod_index_t *index)
{
    return NULL;
}


static ngx_int_t
map_of(map_pt handler, const char *root, const char *name, size_t len,
    const char *text, size_t size)
{
    ngx_int_t  rc;

    if (make.pool) {
        ngx_destroy_pool(make.pool);
        free(make.path.data);
        free(make.text.data);
    }

    memset(&make, 0xa5, sizeof(make));

    make.pool = ngx_create_pool(4096, &ngx_stub_log);
    make.root = strlen(root);
    make.path.len = make.root + len;
    make.path.data = malloc(make.path.len);
    memcpy(make.path.data, root, make.root);
    memcpy(make.path.data + make.root, name, len);
    make.text.data = tap_dup(text, size);
    make.text.len = size;
    make.now = NOW;

    rc = handler(&make);

    if (rc == NGX_OK ? make.status != 200 || make.error[0]
        : rc == NGX_ERROR && (make.status < 400 || make.error[0] == '\0'))
    {
        ok(0, "status %d and error \"%s\" of %d", (int) make.status,
           make.error, (int) rc);
    }

    return rc;
}


static ngx_int_t
json(const char *text)
{
    return map_of(ngx_media_vod_map_json, ROOT "/", "a.json", 6, text,
                  strlen(text));
}


/* all paths after one another */

static const char *
paths(void)
{
    ngx_uint_t             i;
    static char            text[65536];
    ngx_media_vod_clip_t  *clip;

    text[0] = '\0';

    for (i = 0; i < make.map.nsequences * make.map.nclips; i++) {
        clip = &make.map.sequences[i / make.map.nclips]
                        .clips[i % make.map.nclips];

        if (clip->path.data[clip->path.len] != '\0') {
            return "no zero";
        }

        strcat(text, i ? " " : "");
        strcat(text, (char *) clip->path.data);
    }

    return text;
}


static void
test_names(void)
{
    char        name[8192], *p;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *paths;                   /* NULL: refused */
    } files[] = {
        { "/a.mp4", "/srv/media/a.mp4" },
        { "/a b/c%2f\xc3\xa4.mp4", "/srv/media/a b/c%2f\xc3\xa4.mp4" },
        { "/.a/..b/c...", "/srv/media/.a/..b/c..." },
        { "/..", NULL },
        { "/../a.mp4", NULL },
        { "/a/../b.mp4", NULL },
        { "/a/..", NULL },
        { "/./a", NULL },
        { "/a/.", NULL },
        { "//a", NULL },
        { "/a/", NULL },
        { "/a//b", NULL },
        { "/", NULL },
        { "", NULL },
    };

    static const struct {
        const char  *name;
        const char  *paths;                   /* NULL: refused, "": not one */
    } sets[] = {
        { "/m_,360,720,1080,.mp4.urlset",
          "/srv/media/m_360.mp4 /srv/media/m_720.mp4 /srv/media/m_1080.mp4" },
        { "/,a/b,c/d,.mp4.urlset",
          "/srv/media/a/b.mp4 /srv/media/c/d.mp4" },
        { "/m,,_2,.mp4.urlset", "/srv/media/m.mp4 /srv/media/m_2.mp4" },
        { "/m_,a.mp4,b.m4a,.urlset",
          "/srv/media/m_a.mp4 /srv/media/m_b.m4a" },
        { "/x,y/m,1,2,.mp4.urlset",
          "/srv/media/xy/m.mp4 /srv/media/x1.mp4 /srv/media/x2.mp4" },
        { "/m_,.mp4.urlset", "/srv/media/m_.mp4" },
        { "/m.mp4.urlset", "/srv/media/m.mp4" },
        { "/m_,1,1,.mp4.urlset",
          "/srv/media/m_1.mp4 /srv/media/m_1.mp4" },
        { "/m_,1,2,.mp4", "" },
        { "/m_,1,2,.mp4.urlse", "" },
        { "/m_,1,2,.mp4.urlset/x", "" },
        { "t", "" },
        { "/.urlset", NULL },
        { ".urlset", NULL },
        { "/,.urlset", NULL },
        { "/,,,.urlset", NULL },
        { "/a/,b,,.urlset", NULL },
        { "/m,/../x,y,.mp4.urlset", NULL },
        { "/m/.,./x,y,.mp4.urlset", NULL },
        { "/m,a,b,/...urlset", NULL },
        { "/.,.,b,/x.urlset", NULL },
    };

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        rc = map_of(ngx_media_vod_map_file, ROOT, files[i].name,
                    strlen(files[i].name), "", 0);

        if (files[i].paths == NULL) {
            ok(rc == NGX_ERROR && make.status == 404, "\"%s\" is refused: %s",
               files[i].name, make.error);
            continue;
        }

        ok(rc == NGX_OK && make.map.nsequences == 1 && make.map.nclips == 1,
           "\"%s\"", files[i].name);
        is_text(paths(), strlen(paths()), files[i].paths, "its path");
    }

    is(map_of(ngx_media_vod_map_file, ROOT, "/a\0b", 4, "", 0), NGX_ERROR,
       "a zero byte");

    is(map_of(ngx_media_vod_map_file, ROOT "/", "a.mp4", 5, "", 0), NGX_OK,
       "the root ends with a slash");
    is_text(paths(), strlen(paths()), ROOT "/a.mp4", "its path");

    ok(make.map.sequences[0].tracks == UINT64_MAX
       && make.map.sequences[0].clips[0].from == 0
       && make.map.sequences[0].clips[0].to == -1 && make.map.discontinuity
       && make.map.first_time == -1 && make.map.durations == NULL
       && !make.map.live && !make.map.sequences[0].has_default,
       "what is not said");

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        rc = map_of(ngx_media_vod_map_urlset, ROOT, sets[i].name,
                    strlen(sets[i].name), "", 0);

        if (sets[i].paths == NULL) {
            ok(rc == NGX_ERROR && make.status == 404, "\"%s\" is refused: %s",
               sets[i].name, make.error);
            continue;
        }

        if (sets[i].paths[0] == '\0') {
            is(rc, NGX_DECLINED, "\"%s\"", sets[i].name);
            continue;
        }

        is(rc, NGX_OK, "\"%s\"", sets[i].name);
        is_text(paths(), strlen(paths()), sets[i].paths, "its paths");
    }

    for (i = 32; i <= 33; i++) {
        strcpy(name, "/m");
        for (p = name + 2; p < name + 2 + 2 * i; p += 2) {
            memcpy(p, ",1", 2);
        }
        strcpy(p, ",.mp4.urlset");

        rc = map_of(ngx_media_vod_map_urlset, ROOT, name, strlen(name), "",
                    0);
        is(rc, i == 32 ? NGX_OK : NGX_ERROR, "%d names", (int) i);
    }

    memset(name, 'a', sizeof(name));
    name[0] = '/';

    is(map_of(ngx_media_vod_map_file, ROOT, name,
              NGX_MEDIA_VOD_PATH - 1 - strlen(ROOT), "", 0),
       NGX_OK, "the longest path");
    is(map_of(ngx_media_vod_map_file, ROOT, name,
              NGX_MEDIA_VOD_PATH - strlen(ROOT), "", 0),
       NGX_ERROR, "one too long");
}


static void
touch(const char *dir, const char *name)
{
    char   path[512];
    FILE  *file;

    snprintf(path, sizeof(path), "%s/%s", dir, name);

    file = fopen(path, "w");
    if (file) {
        fclose(file);
    }
}


static void
test_directory(void)
{
    char         dir[] = "/tmp/ngx-media-XXXXXX", path[512], name[64];
    const char  *p;
    ngx_uint_t   i;

    static const char * const  names[] = {
        "m_1080.mp4", "m_360.mp4", "m_720.MP4", "m_0360.mp4", "a.en.vtt",
        "m_360_10.mp4", "m_360_9.mp4", ".hidden.mp4", "notes.txt", "mp4",
        ".mp4", "m_360.mp4.part", "sub.mp4/", "b.mkv"
    };

    if (mkdtemp(dir) == NULL) {
        ok(0, "a directory");
        return;
    }

    p = strrchr(dir, '/');

    is(map_of(ngx_media_vod_map_directory, "/tmp", p, strlen(p), "", 0),
       NGX_ERROR, "an empty directory");
    is(make.status, 404, "its status");

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (strchr(names[i], '/')) {
            snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
            (void) mkdir(path, 0755);
            continue;
        }

        touch(dir, names[i]);
    }

    is(map_of(ngx_media_vod_map_directory, "/tmp", p, strlen(p), "", 0),
       NGX_OK, "a directory");

    snprintf(path, sizeof(path), "%s/a.en.vtt %s/b.mkv %s/m_0360.mp4 "
             "%s/m_360.mp4 %s/m_360_9.mp4 %s/m_360_10.mp4 %s/m_720.MP4 "
             "%s/m_1080.mp4", dir, dir, dir, dir, dir, dir, dir, dir);
    is_text(paths(), strlen(paths()), path, "its media files");

    snprintf(path, sizeof(path), "%s/none", dir);
    is(map_of(ngx_media_vod_map_directory, "/tmp", path + 4,
              strlen(path + 4), "", 0),
       NGX_ERROR, "no directory");
    is(make.status, 404, "its status");

    snprintf(path, sizeof(path), "%s/b.mkv", dir);
    is(map_of(ngx_media_vod_map_directory, "/tmp", path + 4,
              strlen(path + 4), "", 0),
       NGX_ERROR, "a file");
    is(make.status, 404, "its status");

    for (i = 0; i < 25; i++) {
        snprintf(name, sizeof(name), "seg-%d.ts", (int) i);
        touch(dir, name);
    }

    is(map_of(ngx_media_vod_map_directory, "/tmp", p, strlen(p), "", 0),
       NGX_ERROR, "a directory of segments");
    is(make.status, 404, "its status");

    snprintf(path, sizeof(path), "rm -rf '%s'", dir);
    is(system(path), 0, "removed");
}


static const char  whole[] =
    "{ \"id\": \"x\", \"playlistType\": \"live\", \"discontinuity\": false,\n"
    "  \"segmentBaseTime\": 1700000000000, \"firstClipTime\": 1.7e12,\n"
    "  \"durations\": [ 83000, 22000.0 ], \"initialSegmentIndex\": 153,\n"
    "  \"initialClipIndex\": 171, \"presentationEndTime\": 1800000000001,\n"
    "  \"expirationTime\": 1800000000000, \"liveWindowDuration\": -60000,\n"
    "  \"segmentDuration\": 4000, \"repeat\": true,\n"
    "  \"notifications\": [ { \"offset\": 1, \"id\": [ { } ] } ],\n"
    "  \"sequences\": [\n"
    "    { \"id\": \"s\", \"language\": \"ger\", \"label\": \"D\\u00fc \\ud83d"
    "\\ude00\",\n"
    "      \"default\": true, \"bitrate\": { \"v\": 900000, \"a\": 64000 },\n"
    "      \"clips\": [\n"
    "        { \"type\": \"source\", \"path\": \"/a/b.mp4\",\n"
    "          \"tracks\": \"v1-a1-a3\", \"clipFrom\": 1000 },\n"
    "        { \"path\": \"c.mp4\", \"tracks\": \"a1-a3-v1\",\n"
    "          \"clipFrom\": 0, \"clipTo\": 22000 } ] },\n"
    "    { \"label\": null, \"clips\": [\n"
    "        { \"path\": \"/srv/media/d.mp4\" },\n"
    "        { \"path\": \"/srv/mediax/e.mp4\" } ] } ] }\n";


static void
test_json(void)
{
    char                       text[4096];
    size_t                     i, bad;
    uint64_t                   hash;
    ngx_media_vod_map_t       *map;
    ngx_media_vod_sequence_t  *s;

    is(json(whole), NGX_OK, "a mapping of all there is: %s", make.error);

    map = &make.map;
    s = map->sequences;

    ok(map->nsequences == 2 && map->nclips == 2, "its counts");
    is_text(paths(), strlen(paths()), "/srv/media/a/b.mp4 /srv/media/c.mp4 "
            "/srv/media/d.mp4 /srv/media/srv/mediax/e.mp4", "its paths");
    ok(map->durations[0] == 83000 && map->durations[1] == 22000, "durations");
    ok(map->first_time == 1700000000000 && map->segment_time == 1700000000000
       && map->first_number == 153 && map->first_clip == 171
       && map->window == 60000 && map->segment == 4000, "its numbers");
    ok(map->live && !map->event && !map->end && map->expired && map->loop
       && !map->discontinuity, "its flags");
    ok(s[0].tracks == (1 | 5ull << 32) && s[1].tracks == UINT64_MAX,
       "tracks");
    is_str(&s[0].lang, "de", "language");
    is_str(&s[0].label, "D\xc3\xbc \xf0\x9f\x98\x80", "label");
    is_str(&s[0].id, "s", "id");
    ok(s[0].has_default && s[0].is_default && !s[1].has_default, "default");
    ok(s[0].bitrate_video == 900000 && s[0].bitrate_audio == 64000
       && s[1].bitrate_video == 0, "bitrate");
    ok(s[0].clips[0].from == 1000 && s[0].clips[0].to == -1
       && s[0].clips[1].from == 0 && s[0].clips[1].to == 22000, "clips");
    ok(s[1].lang.len == 0 && s[1].label.len == 0 && s[1].id.len == 0,
       "what is not said");

    /* the hash: not of what moves on, of all else */

    hash = map->hash;

    strcpy(text, whole);
    memcpy(strstr(text, "1.7e12"), "1.6e12", 6);
    memcpy(strstr(text, "153"), "154", 3);
    memcpy(strstr(text, "1800000000001"), "1800000000000", 13);

    is(json(text), NGX_OK, "other times");
    ok(make.map.end && !make.map.expired, "its end has come");
    ok(make.map.hash == hash, "its hash is the same");

    bad = 0;

    for (i = 0; i < sizeof(whole) - 1; i++) {

        if (map_of(ngx_media_vod_map_json, ROOT "/", "a.json", 6, whole, i)
            != NGX_ERROR && i < sizeof(whole) - 2)
        {
            bad++;
        }
    }

    is(bad, 0, "cut off anywhere");

    /* every byte changed: another hash, or an error, or one that is not
       looked at */

    for (i = 0; i < sizeof(whole) - 1; i++) {
        strcpy(text, whole);
        text[i] ^= 1;
        (void) map_of(ngx_media_vod_map_json, ROOT "/", "a.json", 6, text,
                      sizeof(whole) - 1);
    }

    ok(1, "each byte changed");
}


#define CLIP   "{\"path\":\"/a\"}"
#define ONE    "\"sequences\":[{\"clips\":[" CLIP "]}]"
#define TWO    "\"sequences\":[{\"clips\":[" CLIP "," CLIP "]}]"


static void
test_json_more(void)
{
    uint64_t    hash[3];
    ngx_uint_t  i, j;

    static const char * const  other[] = {
        "{" ONE "}",
        "{" TWO "}",
        "{\"durations\":[1000,2000]," TWO "}",
        "{\"durations\":[1000,2001]," TWO "}",
        "{\"discontinuity\":false," TWO "}",
        "{\"segmentDuration\":2000," ONE "}",
        "{\"clipFrom\":5," ONE "}",
        "{\"clipTo\":5," ONE "}",
        "{\"firstClipTime\":1,\"playlistType\":\"live\"," ONE "}",
        "{\"firstClipTime\":1,\"playlistType\":\"event\"," ONE "}",
        "{\"firstClipTime\":1,\"repeat\":true," ONE "}",
        "{\"sequences\":[{\"clips\":[{\"path\":\"/b\"}]}]}",
        "{\"sequences\":[{\"clips\":[{\"path\":\"/a\",\"tracks\":\"v1\"}]}]}",
        "{\"sequences\":[{\"clips\":[{\"path\":\"/a\",\"tracks\":\"a1\"}]}]}",
        "{\"sequences\":[{\"language\":\"en\",\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"label\":\"en\",\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"id\":\"en\",\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"default\":false,\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"default\":true,\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"bitrate\":{\"v\":1},\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"bitrate\":{\"a\":1},\"clips\":[" CLIP "]}]}",
        "{\"sequences\":[{\"clips\":[" CLIP "]},{\"clips\":[" CLIP "]}]}",
    };

    uint64_t  hashes[sizeof(other) / sizeof(other[0])];

    for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        is(json(other[i]), NGX_OK, "mapping %d: %s", (int) i, make.error);
        hashes[i] = make.map.hash;

        for (j = 0; j < i && hashes[j] != hashes[i]; j++) { /* void */ }
        is(j, i, "its hash is its own");
    }

    is(json("{\"firstClipTime\":5,\"presentationEndTime\":1," ONE "}"),
       NGX_OK, "no channel");
    ok(!make.map.live && !make.map.end && make.map.first_time == -1,
       "it has no times");
    hash[0] = make.map.hash;
    is_hex(hash[0], hashes[0], "its hash is that of the file alone");

    is(map_of(ngx_media_vod_map_file, ROOT, "/a", 2, "", 0), NGX_OK,
       "the file itself");
    is_hex(make.map.hash, hash[0], "it is the same");

    is(json("{\"playlistType\":\"live\",\"clipTimes\":[7000,8000],"
            "\"durations\":[1000,2000]," TWO "}"), NGX_OK, "clipTimes");
    is(make.map.first_time, 7000, "the first of them");
    ok(make.map.starts[0] == 0 && make.map.starts[1] == 1000, "from it on");
    hash[0] = make.map.hash;

    is(json("{\"playlistType\":\"live\",\"clipTimes\":[7000,9000],"
            "\"durations\":[1000,2000]," TWO "}"), NGX_OK, "with a gap");
    is(make.map.starts[1], 2000, "it is there");
    ok(make.map.hash != hash[0], "and another set");

    is(json("{\"playlistType\":\"live\",\"firstClipTime\":1,"
            "\"timeOffset\":-5,\"presentationEndTime\":1799999999998,"
            "\"expirationTime\":1799999999995," ONE "}"), NGX_OK,
       "timeOffset");
    ok(make.map.time_offset == -5 && !make.map.end && make.map.expired,
       "is added to the clock");
    is(make.map.end_time, 1799999999998ll, "when it ends");

    is(json("{\"clipFrom\":1000,\"clipTo\":5000,\"durations\":[4500],"
            "\"sequences\":[{\"clips\":[{\"path\":\"/a\",\"clipFrom\":100,"
            "\"clipTo\":9000}]},{\"clips\":[{\"path\":\"/a\",\"clipTo\":"
            "2000}]}]}"), NGX_OK, "clipFrom and clipTo of all");
    ok(make.map.sequences[0].clips[0].from == 1100
       && make.map.sequences[0].clips[0].to == 5100
       && make.map.sequences[1].clips[0].from == 1000
       && make.map.sequences[1].clips[0].to == 2000
       && make.map.durations[0] == 3500, "the clips");

    is(json("{\"sequences\":[{\"clips\":[{\"path\":\"/a\",\"tracks\":"
            "\"v0-a32\"}]}]}"), NGX_OK, "tracks, all and the last");
    ok(make.map.sequences[0].tracks == (0xffffffff | 1ull << 63), "they are");

    is(map_of(ngx_media_vod_map_json, ROOT, "/a.json", 7, "{" ONE "}",
              sizeof("{" ONE "}") - 1), NGX_OK, "a root without a slash");
    is_text(paths(), strlen(paths()), "/srv/media/a", "its path");

    is(map_of(ngx_media_vod_map_json, "", "/a.json", 7, "{" ONE "}",
              sizeof("{" ONE "}") - 1), NGX_OK, "no root");
    is_text(paths(), strlen(paths()), "/a", "its path");
}


/* what scripts make of types, and what is left out that has another one */

static void
test_json_types(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *in;
        const char  *note;
    } tests[] = {
        { "{" ONE "}", "" },
        { "{\"discontinuity\":0," ONE "}", "" },
        { "{\"discontinuity\":\"false\",\"segmentDuration\":\"2000\","
          "\"sequences\":[{\"default\":\"1\",\"clips\":[" CLIP "]}]}", "" },
        { "{\"discontinuity\":2," ONE "}", "1 ignored, the first: "
          "discontinuity: true or false expected, offset:17" },
        { "{\"segmentDuration\":{\"a\":[1,{}]},\"discontinuity\":false,"
          ONE "}", "1 ignored, the first: "
          "segmentDuration: integer expected, offset:19" },
        { "{\"sequences\":[{\"label\":[{\"label\":1}],\"language\":5,"
          "\"bitrate\":{\"v\":true,\"a\":7},\"clips\":[" CLIP "]}]}",
          "3 ignored, the first: "
          "sequences[0].label: string expected, offset:23" },
        { "{\"sequences\":[{\"bitrate\":{\"a\":7,\"v\":true},"
          "\"clips\":[" CLIP "]}]}", "1 ignored, the first: "
          "sequences[0].bitrate.v: integer expected, offset:36" },
        { "{\"sequences\":[{\"bitrate\":5,\"clips\":[" CLIP "]}]}",
          "1 ignored, the first: "
          "sequences[0].bitrate: object expected, offset:25" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        is(json(tests[i].in), NGX_OK, "types %d: %s", (int) i, make.error);
        is_text(make.map.note, strlen((char *) make.map.note), tests[i].note,
                "types %d: what is ignored", (int) i);
        is_text(paths(), strlen(paths()), "/srv/media/a", "types %d: the rest",
                (int) i);
    }

    is(make.map.discontinuity, 1, "the default");
    (void) json(tests[5].in);
    is(make.map.sequences[0].bitrate_audio, 7, "what is right beside it");
    (void) json(tests[2].in);
    ok(!make.map.discontinuity && make.map.segment == 2000
       && make.map.sequences[0].is_default, "words and numbers in quotes");

    is(json("{\"durations\":[\"1000\",2000.75]," TWO "}"), NGX_OK, "numbers");
    ok(make.map.durations[0] == 1000 && make.map.durations[1] == 2000,
       "without fractions");

    is(json("{\"playlistType\":\"Event\",\"firstClipTime\":\"5\"," ONE "}"),
       NGX_OK, "in any case");
    ok(make.map.event && make.map.first_time == 5, "an event");

    is(json("{\"sequences\":[{\"clips\":[{\"path\":\"empty\"}]}]}"), NGX_OK,
       "no file");
    is(make.map.sequences[0].clips[0].path.len, 0, "without a path");
    is(json("{\"sequences\":[{\"clips\":[{\"path\":\"/empty\"}]}]}"), NGX_OK,
       "a file of that name");
    is_text(paths(), strlen(paths()), "/srv/media/empty", "its path");
}


static void
test_json_errors(void)
{
    char        *text;
    ngx_uint_t   i;

#define SEQ(s)    "{\"sequences\":[{\"clips\":[" CLIP "]},{" s "}]}"
#define CLIPS(s)  "{\"sequences\":[{\"clips\":[{" s "}]}]}"

    static const struct {
        const char  *in;
        const char  *error;
    } tests[] = {
        { "", "mapping: value expected, offset:0" },
        { "[]", "mapping: object expected, offset:0" },
        { "{}", "mapping: no sequences, offset:0" },
        { "{} x", "mapping: data after the end, offset:3" },
        { "{\"sequences\":{}}", "sequences: array expected, offset:13" },
        { "{\"sequences\":[]}", "sequences: is empty, offset:13" },
        { "{\"sequences\":[1]}", "sequences[0]: object expected, offset:14" },
        { "{\"sequences\":[{}]}", "sequences[0]: no clips, offset:0" },
        { "{\"sequences\":[{},]}", "sequences: value expected, offset:17" },
        { "{\"sequences\":null}", "mapping: no sequences, offset:0" },
        { "{\"a\":1,}", "mapping: name expected, offset:7" },
        { "{\"a\":[[1,]]}", "mapping: value expected, offset:9" },
        { "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}",
          "mapping: nested too deeply, offset:20" },
        { "{" ONE "," ONE "}", "sequences: is duplicate, offset:53" },
        { SEQ("\"clips\":[]"), "sequences[1].clips: is empty, offset:49" },
        { SEQ("\"clips\":[" CLIP "," CLIP "]"),
          "sequences[1]: 2 clips, the first sequence has 1, offset:0" },
        { "{\"repeat\":2," ONE "}",
          "repeat: true or false expected, offset:10" },
        { "{\"firstClipTime\":true," ONE "}",
          "firstClipTime: integer expected, offset:17" },
        { "{\"firstClipTime\":\"1e3\"," ONE "}",
          "firstClipTime: integer expected, offset:18" },
        { "{\"firstClipTime\":\"\"," ONE "}",
          "firstClipTime: integer expected, offset:18" },
        { "{\"firstClipTime\":\"1.\"," ONE "}",
          "firstClipTime: integer expected, offset:18" },
        { "{\"firstClipTime\":\"1.1.1\"," ONE "}",
          "firstClipTime: integer expected, offset:18" },
        { "{\"label\":[1,]," ONE "}",
          "mapping: value expected, offset:12" },
        { CLIPS("\"path\":\"http://a/b\""), "sequences[0].clips[0].path: "
          "\"http://a/b\" is a URL, files are read from below the location's "
          "root, offset:33" },
        { SEQ("\"bitrate\":{\"a\":-1}"),
          "sequences[1].bitrate.a: not from 0 to 1000000000000, offset:56" },
        { CLIPS(""), "sequences[0].clips[0]: path is missing, offset:24" },
        { CLIPS("\"path\":1"),
          "sequences[0].clips[0].path: string expected, offset:32" },
        { CLIPS("\"path\":\"\""), "sequences[0].clips[0].path: "
          "an empty component in it, offset:33" },
        { CLIPS("\"path\":\"/a/../../b\""),
          "sequences[0].clips[0].path: \"..\" in it, offset:33" },
        { CLIPS("\"path\":\"/srv/media/../b\""),
          "sequences[0].clips[0].path: \"..\" in it, offset:33" },
        { CLIPS("\"path\":\"..\""),
          "sequences[0].clips[0].path: \"..\" in it, offset:33" },
        { CLIPS("\"path\":\"\\u002e\\u002e/b\""),
          "sequences[0].clips[0].path: \"..\" in it, offset:33" },
        { CLIPS("\"path\":\"/a\\u0000b\""),
          "sequences[0].clips[0].path: a zero byte in it, offset:33" },
        { CLIPS("\"path\":\"/a//b\""), "sequences[0].clips[0].path: "
          "an empty component in it, offset:33" },
        { CLIPS("\"path\":\"/srv/media/\""), "sequences[0].clips[0].path: "
          "an empty component in it, offset:33" },
        { CLIPS("\"path\":\"a\",\"type\":\"concat\""),
          "sequences[0].clips[0].type: \"concat\" is not supported, "
          "offset:44" },
        { CLIPS("\"type\":\"mixFilter\",\"sources\":[{}]"),
          "sequences[0].clips[0].type: \"mixFilter\" is not supported, "
          "offset:33" },
        { CLIPS("\"path\":\"a\",\"sourceType\":\"http\""),
          "sequences[0].clips[0].sourceType: \"http\" is not supported, "
          "offset:50" },
        { CLIPS("\"path\":\"a\",\"encryptionKey\":\"AA==\""),
          "sequences[0].clips[0].encryptionKey: not supported, offset:53" },
        { CLIPS("\"path\":\"a\",\"tracks\":\"\""),
          "sequences[0].clips[0].tracks: no list of tracks, offset:46" },
        { CLIPS("\"path\":\"a\",\"tracks\":\"v33\""),
          "sequences[0].clips[0].tracks: no list of tracks, offset:46" },
        { CLIPS("\"path\":\"a\",\"tracks\":\"v1-\""),
          "sequences[0].clips[0].tracks: no list of tracks, offset:46" },
        { CLIPS("\"path\":\"a\",\"tracks\":\"v1a1\""),
          "sequences[0].clips[0].tracks: no list of tracks, offset:46" },
        { CLIPS("\"path\":\"a\",\"tracks\":\"t1\""),
          "sequences[0].clips[0].tracks: no list of tracks, offset:46" },
        { CLIPS("\"path\":\"a\",\"tracks\":\"v99999999999999999999\""),
          "sequences[0].clips[0].tracks: no list of tracks, offset:46" },
        { CLIPS("\"path\":\"a\",\"clipFrom\":-1"),
          "sequences[0].clips[0].clipFrom: not from 0 to 100000000000, "
          "offset:47" },
        { CLIPS("\"path\":\"a\",\"clipFrom\":9,\"clipTo\":9"),
          "sequences[0].clips[0]: clipTo is not after clipFrom, offset:24" },
        { "{\"sequences\":[{\"clips\":[{\"path\":\"a\",\"tracks\":\"v1\"},"
          "{\"path\":\"a\"}]}]}", "sequences[0].clips[1]: tracks are not "
          "those of the first clip, offset:51" },
        { "{\"durations\":[1]," TWO "}",
          "durations: 1 values, there are 2 clips, offset:0" },
        { "{\"durations\":[1,\"a\"]," TWO "}",
          "durations[1]: integer expected, offset:17" },
        { "{\"durations\":[1,0]," TWO "}",
          "durations[1]: not from 1 to 100000000000, offset:16" },
        { "{\"durations\":[1,2", "durations: cut off, offset:17" },
        { "{\"playlistType\":\"vid\"," ONE "}",
          "playlistType: \"vod\", \"live\" or \"event\" expected, "
          "offset:17" },
        { "{\"playlistType\":\"live\"," ONE "}",
          "mapping: firstClipTime is missing, offset:0" },
        { "{\"firstClipTime\":1e15," ONE "}",
          "firstClipTime: not from 0 to 100000000000000, offset:17" },
        { "{\"firstClipTime\":1e99," ONE "}",
          "firstClipTime: not from 0 to 100000000000000, offset:17" },
        { "{\"playlistType\":\"live\",\"clipTimes\":[1,2]," ONE "}",
          "clipTimes: 2 values, there are 1 clips, offset:0" },
        { "{\"playlistType\":\"live\",\"clipTimes\":[1,2]," TWO "}",
          "clipTimes[1]: without durations, offset:0" },
        { "{\"playlistType\":\"live\",\"clipTimes\":[1,7],"
          "\"durations\":[7,1]," TWO "}",
          "clipTimes[1]: before the end of the clip before, which is 8, "
          "offset:0" },
        { "{\"clipFrom\":1," TWO "}",
          "clipFrom: not supported of more than one clip, offset:0" },
        { "{\"clipFrom\":2,\"clipTo\":2," ONE "}",
          "clipTo: not after clipFrom, offset:0" },
        { "{\"clipFrom\":2,\"durations\":[2]," ONE "}",
          "clipFrom: nothing is left of the clip, offset:0" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        is(json(tests[i].in), NGX_ERROR, "bad %d", (int) i);
        is_text(make.error, strlen((char *) make.error), tests[i].error,
                "bad %d: error", (int) i);
        is(make.status, 500, "bad %d: status", (int) i);
    }

    for (i = 32; i <= 33; i++) {
        text = calloc(1, 8192);
        strcpy(text, "{\"sequences\":[{\"clips\":[" CLIP "]}");
        while (i-- > 1) {
            strcat(text, ",{\"clips\":[" CLIP "]}");
        }
        strcat(text, "]}");

        i = (json(text) == NGX_OK) ? 32 : 33;
        ok(i == 32 ? make.map.nsequences == 32
                   : strcmp((char *) make.error, "sequences: 33 values, "
                            "there may be 32, offset:13") == 0,
           "%d sequences", (int) i);
        free(text);
    }

    text = malloc(NGX_MEDIA_VOD_MAP_SIZE + 1);
    memset(text, ' ', NGX_MEDIA_VOD_MAP_SIZE + 1);
    is(map_of(ngx_media_vod_map_json, ROOT, "/a", 2, text,
              NGX_MEDIA_VOD_MAP_SIZE + 1), NGX_ERROR, "larger than that");

    memset(text, '[', NGX_MEDIA_VOD_MAP_SIZE);
    memcpy(text, "{\"a\":", 5);
    is(map_of(ngx_media_vod_map_json, ROOT, "/a", 2, text,
              NGX_MEDIA_VOD_MAP_SIZE), NGX_ERROR, "as deep as can be");
    free(text);
}


int
main(void)
{
    test_names();
    test_directory();
    test_json();
    test_json_more();
    test_json_types();
    test_json_errors();

    if (make.pool) {
        ngx_destroy_pool(make.pool);
        free(make.path.data);
        free(make.text.data);
    }

    is(ngx_stub_pools, 0, "all pools are destroyed");

    return done();
}
