
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <dirent.h>
#include "vod/ngx_media_vod_map_make.h"


/* names of a directory that are looked at: one of a library is no set */
#define NGX_MEDIA_VOD_ENTRIES  16384


static ngx_int_t ngx_media_vod_map_directory_read(
    ngx_media_vod_map_make_t *make, DIR *dir, ngx_str_t *names,
    ngx_uint_t *n);
static ngx_uint_t ngx_media_vod_map_media(const u_char *name, size_t len);
static int ngx_media_vod_map_compare(const void *one, const void *two);
static size_t ngx_media_vod_map_number(const u_char **p, const u_char *last);
static ngx_int_t ngx_media_vod_map_errno(ngx_media_vod_map_make_t *make,
    const char *call, int err);


static const char * const  ngx_media_vod_extensions[] = {
    "mp4", "m4v", "m4a", "mov", "3gp", "mkv", "mka", "webm", "ts", "m2ts",
    "mts", "mpg", "mpeg", "flv", "f4v", "avi", "mp3", "aac", "ac3", "eac3",
    "flac", "opus", "ogg", "ogv", "oga", "vtt", "srt"
};


ngx_int_t
ngx_media_vod_map_directory(ngx_media_vod_map_make_t *make)
{
    DIR        *dir;
    ngx_int_t   rc;
    ngx_str_t   names[NGX_MEDIA_VOD_SEQUENCES], parts[3];
    ngx_uint_t  i, n;

    parts[0].data = make->path.data + make->root;
    parts[0].len = make->path.len - make->root;

    if (ngx_media_vod_map_name(make, parts, 1, &names[0]) != NGX_OK) {
        return NGX_ERROR;
    }

    dir = opendir((char *) names[0].data);
    if (dir == NULL) {
        return ngx_media_vod_map_errno(make, "opendir()", ngx_errno);
    }

    rc = ngx_media_vod_map_directory_read(make, dir, names, &n);

    (void) closedir(dir);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (n == 0) {
        return ngx_media_vod_map_fail(make, 404,
                                      "no media file in the directory");
    }

    qsort(names, n, sizeof(ngx_str_t), ngx_media_vod_map_compare);

    if (ngx_media_vod_map_init(make, n, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&parts[1], "/");

    for (i = 0; i < n; i++) {
        parts[2] = names[i];

        if (ngx_media_vod_map_name(make, parts, 3,
                                   &make->map.sequences[i].clips[0].path)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_media_vod_map_done(make);
}


static ngx_int_t
ngx_media_vod_map_directory_read(ngx_media_vod_map_make_t *make, DIR *dir,
    ngx_str_t *names, ngx_uint_t *n)
{
    size_t          len;
    ngx_uint_t      i;
    struct stat     st;
    struct dirent  *entry;

    *n = 0;

    for (i = 0; i < NGX_MEDIA_VOD_ENTRIES; i++) {

        ngx_set_errno(0);

        entry = readdir(dir);

        if (entry == NULL) {

            if (ngx_errno) {
                return ngx_media_vod_map_errno(make, "readdir()", ngx_errno);
            }

            return NGX_OK;
        }

        len = ngx_strlen(entry->d_name);

        if (!ngx_media_vod_map_media((u_char *) entry->d_name, len)
            || fstatat(dirfd(dir), entry->d_name, &st, 0) == -1
            || !S_ISREG(st.st_mode))
        {
            continue;
        }

        if (*n == NGX_MEDIA_VOD_SEQUENCES) {
            return ngx_media_vod_map_fail(make, 404, "more than %u media files "
                                          "in the directory",
                                          NGX_MEDIA_VOD_SEQUENCES);
        }

        names[*n].data = ngx_pnalloc(make->pool, len);
        if (names[*n].data == NULL) {
            return ngx_media_vod_map_nomem(make);
        }

        ngx_memcpy(names[*n].data, entry->d_name, len);
        names[*n].len = len;

        (*n)++;
    }

    return ngx_media_vod_map_fail(make, 404, "more than %u names in the "
                                  "directory", NGX_MEDIA_VOD_ENTRIES);
}


/* hidden files are none, whatever they are */

static ngx_uint_t
ngx_media_vod_map_media(const u_char *name, size_t len)
{
    size_t       n;
    ngx_uint_t   i;
    const char  *extension;

    if (len == 0 || name[0] == '.') {
        return 0;
    }

    for (i = 0; i < sizeof(ngx_media_vod_extensions) / sizeof(char *); i++) {
        extension = ngx_media_vod_extensions[i];
        n = ngx_strlen(extension);

        if (len > n + 1 && name[len - n - 1] == '.'
            && strncasecmp((char *) name + len - n, extension, n) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* numbers by their value, "a_360.mp4" before "a_1080.mp4" */

static int
ngx_media_vod_map_compare(const void *one, const void *two)
{
    int               rc;
    size_t            n1, n2;
    const u_char     *p1, *p2, *last1, *last2;
    const ngx_str_t  *s1, *s2;

    s1 = one;
    s2 = two;

    p1 = s1->data;
    p2 = s2->data;

    last1 = p1 + s1->len;
    last2 = p2 + s2->len;

    while (p1 < last1 && p2 < last2) {

        if (*p1 >= '0' && *p1 <= '9' && *p2 >= '0' && *p2 <= '9') {
            n1 = ngx_media_vod_map_number(&p1, last1);
            n2 = ngx_media_vod_map_number(&p2, last2);

            rc = (n1 == n2) ? ngx_memcmp(p1, p2, n1) : (n1 < n2) ? -1 : 1;

            if (rc != 0) {
                return rc;
            }

            p1 += n1;
            p2 += n2;
            continue;
        }

        if (*p1 != *p2) {
            return (*p1 < *p2) ? -1 : 1;
        }

        p1++;
        p2++;
    }

    if (p1 < last1 || p2 < last2) {
        return (p1 < last1) ? 1 : -1;
    }

    /* "a1" and "a01": names of a directory are never the same */

    rc = ngx_memcmp(s1->data, s2->data, ngx_min(s1->len, s2->len));

    return (rc != 0) ? rc : (s1->len < s2->len) ? -1 : 1;
}


/* past its zeros; returns how many digits are left */

static size_t
ngx_media_vod_map_number(const u_char **p, const u_char *last)
{
    const u_char  *end;

    while (*p < last && **p == '0') {
        (*p)++;
    }

    for (end = *p; end < last && *end >= '0' && *end <= '9'; end++) {
        /* void */
    }

    return end - *p;
}


static ngx_int_t
ngx_media_vod_map_errno(ngx_media_vod_map_make_t *make, const char *call,
    int err)
{
    ngx_uint_t  status;

    switch (err) {

    case NGX_ENOENT:
    case NGX_ENOTDIR:
    case NGX_ENAMETOOLONG:
        status = 404;
        break;

    case NGX_EACCES:
    case NGX_ELOOP:
        status = 403;
        break;

    default:
        status = 500;
    }

    return ngx_media_vod_map_fail(make, status, "%s failed, error:%d", call,
                                  err);
}
