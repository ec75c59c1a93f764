
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "vod/ngx_media_vod_crumb.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


/* two marks within so many s, and a file is left alone for so many; then
   ngx_media_vod_temp_trim() deletes them */
#define NGX_MEDIA_VOD_CRUMB_TWICE   600
#define NGX_MEDIA_VOD_CRUMB_BANNED  3600

/* as names of what is not complete: ngx_media_vod_temp.c */
#define NGX_MEDIA_VOD_CRUMB_NAME    "%s/%016llx.tmp.crumb"
#define NGX_MEDIA_VOD_CRUMB_MARK    "%s/%016llx.tmp.marks"


static ngx_int_t ngx_media_vod_crumb_name(u_char *p, const char *format,
    const char *directory, uint64_t hash);
static ngx_uint_t ngx_media_vod_crumb_marks(const u_char *name, time_t now,
    time_t *age);
static void ngx_media_vod_crumb_mark(const u_char *name, ngx_uint_t marks);
static void ngx_media_vod_crumb_put(ngx_fd_t fd, u_char value);


ngx_int_t
ngx_media_vod_crumb_open(ngx_media_vod_crumb_t *crumb, const char *directory,
    const ngx_media_vod_id_t *id, uint64_t tag, time_t now)
{
    u_char      inside, mark[NGX_MEDIA_VOD_PATH];
    time_t      age;
    ngx_uint_t  marks;

    crumb->fd = NGX_INVALID_FILE;

    if (ngx_media_vod_crumb_name(mark, NGX_MEDIA_VOD_CRUMB_MARK, directory,
                                 tag)
        != NGX_OK
        || ngx_media_vod_crumb_name(crumb->name, NGX_MEDIA_VOD_CRUMB_NAME,
                                    directory,
                                    ngx_media_hash((const u_char *) id,
                                                   sizeof(ngx_media_vod_id_t)))
           != NGX_OK)
    {
        return NGX_OK;
    }

    marks = ngx_media_vod_crumb_marks(mark, now, &age);

    if (marks > 1) {
        return NGX_DECLINED;
    }

    crumb->fd = open((char *) crumb->name,
                     O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (crumb->fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    /* others who are at it live: with a full cache, or of another nginx */

    if (flock(crumb->fd, LOCK_EX|LOCK_NB) < 0) {
        (void) close(crumb->fd);
        crumb->fd = NGX_INVALID_FILE;
        return NGX_OK;
    }

    if (pread(crumb->fd, &inside, 1, 0) == 1 && inside) {
        marks = (marks && age < NGX_MEDIA_VOD_CRUMB_TWICE) ? marks + 1 : 1;

        ngx_media_vod_crumb_mark(mark, marks);
        ngx_media_vod_crumb_leave(crumb);

        if (marks > 1) {
            ngx_media_vod_crumb_close(crumb);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_crumb_name(u_char *p, const char *format, const char *directory,
    uint64_t hash)
{
    int  n;

    n = snprintf((char *) p, NGX_MEDIA_VOD_PATH, format, directory,
                 (unsigned long long) hash);

    return (n < 0 || n >= NGX_MEDIA_VOD_PATH) ? NGX_ERROR : NGX_OK;
}


/* s since the last one */

static ngx_uint_t
ngx_media_vod_crumb_marks(const u_char *name, time_t now, time_t *age)
{
    u_char       marks;
    ngx_fd_t     fd;
    struct stat  st;

    *age = 0;

    fd = open((char *) name, O_RDONLY|O_CLOEXEC|O_NOFOLLOW);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    if (fstat(fd, &st) < 0 || pread(fd, &marks, 1, 0) != 1) {
        marks = 0;

    } else {
        *age = now - st.st_mtime;

        if (*age >= NGX_MEDIA_VOD_CRUMB_BANNED) {
            marks = 0;
        }
    }

    (void) close(fd);

    return marks;
}


static void
ngx_media_vod_crumb_mark(const u_char *name, ngx_uint_t marks)
{
    ngx_fd_t  fd;

    fd = open((char *) name, O_WRONLY|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (fd != NGX_INVALID_FILE) {
        ngx_media_vod_crumb_put(fd, (u_char) marks);
        (void) close(fd);
    }
}


void
ngx_media_vod_crumb_enter(ngx_media_vod_crumb_t *crumb)
{
    ngx_media_vod_crumb_put(crumb->fd, 1);
}


void
ngx_media_vod_crumb_leave(ngx_media_vod_crumb_t *crumb)
{
    ngx_media_vod_crumb_put(crumb->fd, 0);
}


/* where it fails (a full disk) nothing is made either, and that is said */

static void
ngx_media_vod_crumb_put(ngx_fd_t fd, u_char value)
{
    ssize_t  n;

    if (fd != NGX_INVALID_FILE) {
        n = pwrite(fd, &value, 1, 0);
        (void) n;
    }
}


void
ngx_media_vod_crumb_close(ngx_media_vod_crumb_t *crumb)
{
    if (crumb->fd == NGX_INVALID_FILE) {
        return;
    }

    (void) unlink((char *) crumb->name);
    (void) close(crumb->fd);

    crumb->fd = NGX_INVALID_FILE;
}
