
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs files/ngx_media_vod_blob.c files/ngx_media_vod_index.c
         vod/ngx_media_vod_map.c vod/ngx_media_vod_map_json.c
         ../unit/ngx_stub.c formats/ngx_media_index.c
         formats/ngx_media_index_build.c formats/ngx_media_json.c
         formats/ngx_media_lang.c formats/ngx_media_text.c */


/*
 * Mappings, and names of sets: whatever they are, the map's paths are below
 * the root, and its numbers are those a set can be made of.  The first byte:
 * 0, a mapping; 1, a name.
 */


#include "../unit/ngx_stub.h"
#include "files/ngx_media_vod_index.h"
#include "vod/ngx_media_vod_map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define ROOT  "/srv/media"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


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


static void
check(int expr)
{
    if (!expr) {
        abort();
    }
}


static void
check_clip(const ngx_media_vod_clip_t *clip)
{
    const char  *p;

    p = (char *) clip->path.data;

    check(clip->path.len < NGX_MEDIA_VOD_PATH);
    check(strlen(p) == clip->path.len);
    check(strncmp(p, ROOT "/", sizeof(ROOT)) == 0);
    check(p[clip->path.len - 1] != '/');
    check(strstr(p, "//") == NULL && strstr(p, "/../") == NULL);
    check(strstr(p, "/./") == NULL);
    check(clip->path.len < 3
          || strcmp(p + clip->path.len - 3, "/..") != 0);
    check(clip->from >= 0 && clip->to >= -1);
    check(clip->to == -1 || clip->to > clip->from);
}


static void
check_map(const ngx_media_vod_map_t *map)
{
    ngx_uint_t                       i, k;
    const ngx_media_vod_sequence_t  *s;

    check(map->nsequences > 0 && map->nsequences <= NGX_MEDIA_VOD_SEQUENCES);
    check(map->nclips > 0 && map->nclips <= NGX_MEDIA_VOD_CLIPS);
    check(!map->live || map->first_time >= 0);
    check(map->live || map->first_time == -1);
    check(!map->event || map->live);
    check(map->window >= 0);

    for (i = 0; i < map->nsequences; i++) {
        s = &map->sequences[i];

        check(s->tracks != 0);
        check(s->lang.len < NGX_MEDIA_LANG);
        check(s->label.len < NGX_MEDIA_LABEL);

        for (k = 0; k < map->nclips; k++) {
            check_clip(&s->clips[k]);
        }
    }

    for (i = 0; map->durations && i < map->nclips; i++) {
        check(map->durations[i] > 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                    *path;
    uint64_t                   hash;
    ngx_int_t                  rc, again;
    ngx_uint_t                 name;
    ngx_media_vod_map_make_t   make;

    if (size == 0 || size > 65536) {
        return 0;
    }

    name = data[0] & 1;
    path = malloc(sizeof(ROOT "/a.json") + size);

    memcpy(path, ROOT "/a.json", sizeof(ROOT) + sizeof("/a.json") - 1);

    memset(&make, 0, sizeof(make));

    make.pool = ngx_create_pool(4096, &ngx_stub_log);
    make.root = sizeof(ROOT) - 1;
    make.path.data = path;
    make.path.len = make.root + sizeof("/a.json") - 1;
    make.now = 1800000000000;

    if (name) {
        path[make.root] = '/';
        memcpy(path + make.root + 1, data + 1, size - 1);
        make.path.len = make.root + size;

        rc = ngx_media_vod_map_urlset(&make);

        if (rc == NGX_DECLINED) {
            rc = ngx_media_vod_map_file(&make);
        }

        again = rc;
        hash = make.map.hash;

    } else {
        make.text.data = malloc(size);
        make.text.len = size - 1;
        memcpy(make.text.data, data + 1, size - 1);

        rc = ngx_media_vod_map_json(&make);
        hash = make.map.hash;
        again = ngx_media_vod_map_json(&make);
    }

    check(rc == again);
    check(rc == NGX_OK || (rc == NGX_ERROR && make.status >= 400
                           && make.error[0]));

    if (rc == NGX_OK) {
        check(make.status == 200 && hash == make.map.hash);
        check_map(&make.map);
    }

    ngx_destroy_pool(make.pool);
    free(make.text.data);
    free(path);

    return 0;
}
