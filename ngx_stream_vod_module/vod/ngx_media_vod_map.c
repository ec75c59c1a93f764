
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stdio.h>
#include "formats/ngx_media_fmt.h"
#include "vod/ngx_media_vod_map_make.h"


#define NGX_MEDIA_VOD_URLSET      ".urlset"
#define NGX_MEDIA_VOD_URLSET_LEN  (sizeof(NGX_MEDIA_VOD_URLSET) - 1)


/* what is hashed, as it grows */

typedef struct {
    u_char                   *pos;            /* NULL: size pass */
    size_t                    len;
} ngx_media_vod_map_hash_t;


static void ngx_media_vod_map_hash_map(ngx_media_vod_map_hash_t *hash,
    const ngx_media_vod_map_t *map);
static void ngx_media_vod_map_hash_sequence(ngx_media_vod_map_hash_t *hash,
    const ngx_media_vod_map_t *map,
    const ngx_media_vod_sequence_t *sequence);
static void ngx_media_vod_map_hash_str(ngx_media_vod_map_hash_t *hash,
    const ngx_str_t *str);
static void ngx_media_vod_map_hash_u64(ngx_media_vod_map_hash_t *hash,
    uint64_t n);


ngx_int_t
ngx_media_vod_map_file(ngx_media_vod_map_make_t *make)
{
    ngx_str_t  name;

    name.data = make->path.data + make->root;
    name.len = make->path.len - make->root;

    if (ngx_media_vod_map_init(make, 1, 1) != NGX_OK
        || ngx_media_vod_map_name(make, &name, 1,
                                  &make->map.sequences[0].clips[0].path)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_media_vod_map_done(make);
}


/*
 * nginx-vod-module's "multi URL": what is before the first comma and after
 * the last one is common to all names, what is between any two of them is one
 * name's own, and may be nothing.  Without a comma, or with one, it is one
 * name.
 */

ngx_int_t
ngx_media_vod_map_urlset(ngx_media_vod_map_make_t *make)
{
    u_char      *p, *last, *own, *comma, *after;
    ngx_str_t    parts[3];
    ngx_uint_t   i, n;

    p = make->path.data + make->root;
    last = make->path.data + make->path.len;

    if ((size_t) (last - p) < NGX_MEDIA_VOD_URLSET_LEN
        || ngx_memcmp(last - NGX_MEDIA_VOD_URLSET_LEN, NGX_MEDIA_VOD_URLSET,
                      NGX_MEDIA_VOD_URLSET_LEN)
           != 0)
    {
        return NGX_DECLINED;
    }

    last -= NGX_MEDIA_VOD_URLSET_LEN;

    n = 0;
    own = last;
    after = p;

    for (comma = p; comma < last; comma++) {

        if (*comma == ',') {
            n++;
            own = (n == 1) ? comma : own;
            after = comma + 1;
        }
    }

    n = (n > 1) ? n - 1 : 1;

    if (n > NGX_MEDIA_VOD_SEQUENCES) {
        return ngx_media_vod_map_fail(make, 404, "%u names in the name, there "
                                      "may be %u", (unsigned) n,
                                      NGX_MEDIA_VOD_SEQUENCES);
    }

    if (ngx_media_vod_map_init(make, n, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    parts[0].data = p;
    parts[0].len = own - p;
    parts[2].data = after;
    parts[2].len = (own < last) ? last - after : 0;

    for (i = 0; i < n; i++) {

        parts[1].data = own + 1;
        parts[1].len = 0;

        for (comma = own + 1; comma < after && *comma != ','; comma++) {
            parts[1].len++;
        }

        own = comma;

        if (ngx_media_vod_map_name(make, parts, 3,
                                   &make->map.sequences[i].clips[0].path)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_media_vod_map_done(make);
}


ngx_int_t
ngx_media_vod_map_name(ngx_media_vod_map_make_t *make, const ngx_str_t *parts,
    ngx_uint_t n, ngx_str_t *path)
{
    size_t       len;
    u_char      *p;
    ngx_uint_t   i;
    const char  *error;

    len = make->root;

    for (i = 0; i < n; i++) {
        len += parts[i].len;
    }

    if (len >= NGX_MEDIA_VOD_PATH) {
        return ngx_media_vod_map_fail(make, 404, "the name is too long");
    }

    p = ngx_pnalloc(make->pool, len + 1);
    if (p == NULL) {
        return ngx_media_vod_map_nomem(make);
    }

    path->data = p;
    path->len = len;

    p = ngx_cpymem(p, make->path.data, make->root);

    for (i = 0; i < n; i++) {

        if (parts[i].len) {
            p = ngx_cpymem(p, parts[i].data, parts[i].len);
        }
    }

    *p = '\0';

    error = ngx_media_vod_map_check(path->data + make->root, p);
    if (error) {
        return ngx_media_vod_map_fail(make, 404, "%s in the name", error);
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_map_fail(ngx_media_vod_map_make_t *make, ngx_uint_t status,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf((char *) make->error, NGX_MEDIA_VOD_ERROR, fmt, args);
    va_end(args);

    make->status = status;

    return NGX_ERROR;
}


ngx_int_t
ngx_media_vod_map_nomem(ngx_media_vod_map_make_t *make)
{
    return ngx_media_vod_map_fail(make, 500, "no memory");
}


ngx_int_t
ngx_media_vod_map_init(ngx_media_vod_map_make_t *make, ngx_uint_t nsequences,
    ngx_uint_t nclips)
{
    ngx_uint_t                 i;
    ngx_media_vod_map_t       *map;
    ngx_media_vod_clip_t      *clips;
    ngx_media_vod_sequence_t  *sequence;

    map = &make->map;

    ngx_memzero(map, sizeof(ngx_media_vod_map_t));

    map->nsequences = nsequences;
    map->nclips = nclips;

    map->first_time = -1;
    map->segment_time = -1;
    map->first_number = -1;
    map->first_clip = -1;
    map->end_time = -1;
    map->discontinuity = 1;

    map->sequences = ngx_pcalloc(make->pool,
                                 nsequences * sizeof(ngx_media_vod_sequence_t));
    clips = ngx_pcalloc(make->pool,
                        nsequences * nclips * sizeof(ngx_media_vod_clip_t));

    if (map->sequences == NULL || clips == NULL) {
        return ngx_media_vod_map_nomem(make);
    }

    for (i = 0; i < nsequences; i++) {
        sequence = &map->sequences[i];
        sequence->clips = clips + i * nclips;
        sequence->tracks = ~(uint64_t) 0;
    }

    for (i = 0; i < nsequences * nclips; i++) {
        clips[i].to = -1;
    }

    return NGX_OK;
}


const char *
ngx_media_vod_map_check(const u_char *pos, const u_char *last)
{
    size_t         len;
    const u_char  *p;

    if (pos < last && *pos == '/') {
        pos++;
    }

    for ( ;; ) {

        for (p = pos; p < last && *p != '/'; p++) {

            if (*p == '\0') {
                return "a zero byte";
            }
        }

        len = p - pos;

        if (len == 0) {
            return "an empty component";
        }

        if (pos[0] == '.' && (len == 1 || (len == 2 && pos[1] == '.'))) {
            return (len == 1) ? "\".\"" : "\"..\"";
        }

        if (p == last) {
            return NULL;
        }

        pos = p + 1;
    }
}


ngx_int_t
ngx_media_vod_map_done(ngx_media_vod_map_make_t *make)
{
    u_char                    *p;
    ngx_media_vod_map_hash_t   hash;

    hash.pos = NULL;
    hash.len = 0;

    ngx_media_vod_map_hash_map(&hash, &make->map);

    p = ngx_pnalloc(make->pool, hash.len);
    if (p == NULL) {
        return ngx_media_vod_map_nomem(make);
    }

    hash.pos = p;
    hash.len = 0;

    ngx_media_vod_map_hash_map(&hash, &make->map);

    make->map.hash = ngx_media_hash(p, hash.len);
    make->status = 200;
    make->error[0] = '\0';

    return NGX_OK;
}


/* what moves on with the clock is left out: a set is not made of it */

static void
ngx_media_vod_map_hash_map(ngx_media_vod_map_hash_t *hash,
    const ngx_media_vod_map_t *map)
{
    ngx_uint_t  i;

    ngx_media_vod_map_hash_u64(hash, NGX_MEDIA_VOD_VERSION);
    ngx_media_vod_map_hash_u64(hash, map->nsequences);
    ngx_media_vod_map_hash_u64(hash, map->nclips);

    for (i = 0; i < map->nsequences; i++) {
        ngx_media_vod_map_hash_sequence(hash, map, &map->sequences[i]);
    }

    ngx_media_vod_map_hash_u64(hash, map->durations != NULL);

    for (i = 0; map->durations && i < map->nclips; i++) {
        ngx_media_vod_map_hash_u64(hash, map->durations[i]);
    }

    ngx_media_vod_map_hash_u64(hash, map->starts != NULL);

    for (i = 0; map->starts && i < map->nclips; i++) {
        ngx_media_vod_map_hash_u64(hash, map->starts[i]);
    }

    ngx_media_vod_map_hash_u64(hash, map->segment);
    ngx_media_vod_map_hash_u64(hash, map->first_clip);
    ngx_media_vod_map_hash_u64(hash, map->window);
    ngx_media_vod_map_hash_u64(hash, map->live | map->event << 1
                                     | map->loop << 2
                                     | map->discontinuity << 3);
}


static void
ngx_media_vod_map_hash_sequence(ngx_media_vod_map_hash_t *hash,
    const ngx_media_vod_map_t *map, const ngx_media_vod_sequence_t *sequence)
{
    ngx_uint_t                   i;
    const ngx_media_vod_clip_t  *clip;

    for (i = 0; i < map->nclips; i++) {
        clip = &sequence->clips[i];

        ngx_media_vod_map_hash_str(hash, &clip->path);
        ngx_media_vod_map_hash_u64(hash, clip->from);
        ngx_media_vod_map_hash_u64(hash, clip->to);
    }

    ngx_media_vod_map_hash_u64(hash, sequence->tracks);
    ngx_media_vod_map_hash_str(hash, &sequence->lang);
    ngx_media_vod_map_hash_str(hash, &sequence->label);
    ngx_media_vod_map_hash_str(hash, &sequence->id);
    ngx_media_vod_map_hash_u64(hash, sequence->bitrate_video);
    ngx_media_vod_map_hash_u64(hash, sequence->bitrate_audio);
    ngx_media_vod_map_hash_u64(hash, sequence->is_default
                                     | sequence->has_default << 1);
}


static void
ngx_media_vod_map_hash_str(ngx_media_vod_map_hash_t *hash,
    const ngx_str_t *str)
{
    ngx_media_vod_map_hash_u64(hash, str->len);

    if (hash->pos && str->len) {
        ngx_memcpy(hash->pos + hash->len, str->data, str->len);
    }

    hash->len += str->len;
}


static void
ngx_media_vod_map_hash_u64(ngx_media_vod_map_hash_t *hash, uint64_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < 8; i++) {

        if (hash->pos) {
            hash->pos[hash->len] = (u_char) (n >> i * 8);
        }

        hash->len++;
    }
}
