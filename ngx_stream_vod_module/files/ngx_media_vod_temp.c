
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_temp.h"
#include "formats/ngx_media_bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


/* of the box: changes with what is in it, and with how files are made */
#define NGX_MEDIA_VOD_TEMP_MAGIC    0x6e6d763100000002ull

#define NGX_MEDIA_VOD_TEMP_USED     60        /* s, nothing of it is deleted */
#define NGX_MEDIA_VOD_TEMP_BROKEN   3600      /* s, not written any more */
#define NGX_MEDIA_VOD_TEMP_NAME     20        /* "<16 hex>.mp4" */


typedef struct {
    char                      name[NGX_MEDIA_VOD_TEMP_NAME + 1];
    off_t                     size;
    time_t                    used;
} ngx_media_vod_temp_file_t;


static ngx_int_t ngx_media_vod_temp_check(ngx_fd_t fd,
    const ngx_media_vod_id_t *id, ngx_media_vod_temp_t *temp);
static ngx_uint_t ngx_media_vod_temp_name(const char *name);
static ngx_int_t ngx_media_vod_temp_list(DIR *dir, time_t now,
    ngx_media_vod_temp_file_t **files, ngx_uint_t *nfiles);
static int ngx_media_vod_temp_compare(const void *one, const void *two);


ngx_int_t
ngx_media_vod_converted_path(u_char *p, size_t size, const char *directory,
    const ngx_media_vod_id_t *id)
{
    int       n;
    uint64_t  hash;

    hash = ngx_media_hash((const u_char *) id, sizeof(ngx_media_vod_id_t));

    n = snprintf((char *) p, size, "%s/%016llx.mp4", directory,
                 (unsigned long long) hash);

    return (n < 0 || (size_t) n >= size) ? NGX_ERROR : NGX_OK;
}


ngx_fd_t
ngx_media_vod_converted_open(const char *directory,
    const ngx_media_vod_id_t *id, ngx_media_vod_temp_t *temp)
{
    u_char                path[NGX_MEDIA_VOD_PATH];
    ngx_fd_t              fd;
    ngx_media_vod_temp_t  buffer;

    if (ngx_media_vod_converted_path(path, sizeof(path), directory, id)
        != NGX_OK)
    {
        return NGX_INVALID_FILE;
    }

    fd = open((char *) path, O_RDONLY|O_CLOEXEC|O_NOFOLLOW);

    if (fd == NGX_INVALID_FILE) {
        return fd;
    }

    if (ngx_media_vod_temp_check(fd, id, temp ? temp : &buffer) != NGX_OK) {
        close(fd);
        return NGX_INVALID_FILE;
    }

    /* its time is when it was used last; it may be somebody else's */

    (void) futimens(fd, NULL);

    return fd;
}


static ngx_int_t
ngx_media_vod_temp_check(ngx_fd_t fd, const ngx_media_vod_id_t *id,
    ngx_media_vod_temp_t *temp)
{
    u_char       box[NGX_MEDIA_VOD_TEMP_BOX], *p;
    struct stat  st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)
        || st.st_size < (off_t) sizeof(box)
        || pread(fd, box, sizeof(box), st.st_size - (off_t) sizeof(box))
           != (ssize_t) sizeof(box))
    {
        return NGX_ERROR;
    }

    p = box;

    if (ngx_media_get_be32(p) != sizeof(box)
        || ngx_media_get_be32(p + 4) != ngx_media_fourcc('f', 'r', 'e', 'e')
        || ngx_media_get_be64(p + 8) != NGX_MEDIA_VOD_TEMP_MAGIC)
    {
        return NGX_ERROR;
    }

    temp->converter = ngx_media_get_be64(p + 16);

    p += 24;

    ngx_memcpy(&temp->id, p, sizeof(ngx_media_vod_id_t));
    ngx_memcpy(temp->note, p + sizeof(ngx_media_vod_id_t),
               NGX_MEDIA_VOD_ERROR);

    temp->note[NGX_MEDIA_VOD_ERROR - 1] = '\0';

    return ngx_memcmp(&temp->id, id, sizeof(ngx_media_vod_id_t)) ? NGX_ERROR
                                                                  : NGX_OK;
}


ngx_fd_t
ngx_media_vod_temp_create(u_char *name, size_t size, const char *directory,
    const ngx_media_vod_id_t *id)
{
    int       n;
    uint64_t  hash;

    hash = ngx_media_hash((const u_char *) id, sizeof(ngx_media_vod_id_t));

    n = snprintf((char *) name, size, "%s/%016llx.tmp.%ld.%lx", directory,
                 (unsigned long long) hash, (long) getpid(),
                 (unsigned long) pthread_self());

    if (n < 0 || (size_t) n >= size) {
        errno = ENAMETOOLONG;
        return NGX_INVALID_FILE;
    }

    /* one of a process that has ended had the same name */

    (void) unlink((char *) name);

    return open((char *) name, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);
}


ngx_int_t
ngx_media_vod_temp_commit(ngx_fd_t fd, const u_char *name,
    const char *directory, const ngx_media_vod_temp_t *temp)
{
    off_t    end;
    u_char   box[NGX_MEDIA_VOD_TEMP_BOX], path[NGX_MEDIA_VOD_PATH], *p;
    ssize_t  n;

    p = ngx_media_put_be32(box, sizeof(box));
    p = ngx_media_put_be32(p, ngx_media_fourcc('f', 'r', 'e', 'e'));
    p = ngx_media_put_be64(p, NGX_MEDIA_VOD_TEMP_MAGIC);
    p = ngx_media_put_be64(p, temp->converter);
    p = ngx_cpymem(p, &temp->id, sizeof(ngx_media_vod_id_t));
    ngx_memcpy(p, temp->note, NGX_MEDIA_VOD_ERROR);

    end = lseek(fd, 0, SEEK_END);

    if (end < 0) {
        return NGX_ERROR;
    }

    n = pwrite(fd, box, sizeof(box), end);

    if (n != (ssize_t) sizeof(box)) {
        errno = (n < 0) ? errno : ENOSPC;
        return NGX_ERROR;
    }

    if (ngx_media_vod_converted_path(path, sizeof(path), directory,
                                     &temp->id)
        != NGX_OK)
    {
        errno = ENAMETOOLONG;
        return NGX_ERROR;
    }

    return rename((char *) name, (char *) path) < 0 ? NGX_ERROR : NGX_OK;
}


void
ngx_media_vod_temp_trim(const char *directory, off_t max, time_t now)
{
    DIR                        *dir;
    off_t                       sum;
    ngx_uint_t                  i, nfiles;
    ngx_media_vod_temp_file_t  *files;

    dir = opendir(directory);

    if (dir == NULL) {
        return;
    }

    files = NULL;
    nfiles = 0;

    if (ngx_media_vod_temp_list(dir, now, &files, &nfiles) == NGX_OK
        && nfiles)
    {
        qsort(files, nfiles, sizeof(ngx_media_vod_temp_file_t),
              ngx_media_vod_temp_compare);

        sum = 0;

        for (i = 0; i < nfiles; i++) {
            sum += files[i].size;
        }

        for (i = 0; i < nfiles && sum > max; i++) {

            if (files[i].used + NGX_MEDIA_VOD_TEMP_USED > now) {
                break;
            }

            (void) unlinkat(dirfd(dir), files[i].name, 0);

            sum -= files[i].size;
        }
    }

    free(files);
    closedir(dir);
}


/* all that are complete; what is not and is old is deleted */

static ngx_int_t
ngx_media_vod_temp_list(DIR *dir, time_t now,
    ngx_media_vod_temp_file_t **files, ngx_uint_t *nfiles)
{
    struct stat                 st;
    ngx_uint_t                  kind, room;
    struct dirent              *entry;
    ngx_media_vod_temp_file_t  *file;

    room = 0;

    for ( ;; ) {
        entry = readdir(dir);

        if (entry == NULL) {
            return NGX_OK;
        }

        kind = ngx_media_vod_temp_name(entry->d_name);

        if (kind == 0
            || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)
               < 0
            || !S_ISREG(st.st_mode))
        {
            continue;
        }

        if (kind == 2) {

            if (st.st_mtime + NGX_MEDIA_VOD_TEMP_BROKEN < now) {
                (void) unlinkat(dirfd(dir), entry->d_name, 0);
            }

            continue;
        }

        if (*nfiles == room) {
            room = room ? room * 2 : 64;

            file = realloc(*files, room * sizeof(ngx_media_vod_temp_file_t));

            if (file == NULL) {
                return NGX_ERROR;
            }

            *files = file;
        }

        file = &(*files)[(*nfiles)++];

        ngx_memcpy(file->name, entry->d_name, NGX_MEDIA_VOD_TEMP_NAME + 1);
        file->size = st.st_size;
        file->used = st.st_mtime;
    }
}


/* 1: a converted file; 2: one that is not complete; 0: not ours */

static ngx_uint_t
ngx_media_vod_temp_name(const char *name)
{
    ngx_uint_t  i;

    for (i = 0; i < 16; i++) {
        if ((name[i] < '0' || name[i] > '9')
            && (name[i] < 'a' || name[i] > 'f'))
        {
            return 0;
        }
    }

    if (ngx_strcmp(name + i, ".mp4") == 0) {
        return 1;
    }

    return (ngx_strncmp(name + i, ".tmp.", 5) == 0) ? 2 : 0;
}


static int
ngx_media_vod_temp_compare(const void *one, const void *two)
{
    const ngx_media_vod_temp_file_t  *a = one;
    const ngx_media_vod_temp_file_t  *b = two;

    return (a->used < b->used) ? -1 : (a->used > b->used);
}
