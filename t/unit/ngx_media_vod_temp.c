
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: files/ngx_media_vod_temp.c */


#include "files/ngx_media_vod_temp.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


#define NOW  1800000000


static char  directory[] = "/tmp/ngx-media-temp-XXXXXX";


/* a converted file of "size" bytes and the box, last used at "used" */

static void
make(ngx_uint_t n, size_t size, time_t used)
{
    u_char                name[NGX_MEDIA_VOD_PATH];
    ngx_fd_t              fd;
    struct timespec       times[2];
    ngx_media_vod_temp_t  temp;

    ngx_memzero(&temp, sizeof(ngx_media_vod_temp_t));

    temp.converter = 7;
    temp.id.ino = n;

    fd = ngx_media_vod_temp_create(name, sizeof(name), directory, &temp.id);

    if (fd == NGX_INVALID_FILE || ftruncate(fd, (off_t) size) < 0
        || ngx_media_vod_temp_commit(fd, name, directory, &temp) != NGX_OK)
    {
        ok(0, "a file is made");
        return;
    }

    ngx_memzero(times, sizeof(times));
    times[0].tv_sec = used;
    times[1].tv_sec = used;

    (void) futimens(fd, times);
    close(fd);
}


static ngx_uint_t
there(ngx_uint_t n)
{
    u_char              path[NGX_MEDIA_VOD_PATH];
    ngx_media_vod_id_t  id;

    ngx_memzero(&id, sizeof(ngx_media_vod_id_t));
    id.ino = n;

    return ngx_media_vod_converted_path(path, sizeof(path), directory, &id)
           == NGX_OK && access((char *) path, F_OK) == 0;
}


static void
test_open(void)
{
    ngx_fd_t              fd;
    struct stat           st;
    ngx_media_vod_id_t    id;
    ngx_media_vod_temp_t  temp;

    make(1, 1000, 1);

    ngx_memzero(&id, sizeof(ngx_media_vod_id_t));
    id.ino = 1;

    fd = ngx_media_vod_converted_open(directory, &id, &temp);

    ok(fd != NGX_INVALID_FILE, "it is found");
    ok(temp.converter == 7 && temp.id.ino == 1, "what it was made of");
    ok(fstat(fd, &st) == 0 && st.st_mtime > 1, "it is touched");
    ok(st.st_size == (off_t) (1000 + NGX_MEDIA_VOD_TEMP_BOX), "its size");

    close(fd);

    id.ino = 2;

    ok(ngx_media_vod_converted_open(directory, &id, NULL)
       == NGX_INVALID_FILE, "another is not there");

    ok(ngx_media_vod_converted_open("/nonexistent", &id, NULL)
       == NGX_INVALID_FILE, "no directory");
}


/* a file with the name of another source */

static void
test_wrong(void)
{
    u_char              one[NGX_MEDIA_VOD_PATH], two[NGX_MEDIA_VOD_PATH];
    ngx_media_vod_id_t  id;

    ngx_memzero(&id, sizeof(ngx_media_vod_id_t));
    id.ino = 1;
    (void) ngx_media_vod_converted_path(one, sizeof(one), directory, &id);

    id.ino = 2;
    (void) ngx_media_vod_converted_path(two, sizeof(two), directory, &id);

    ok(rename((char *) one, (char *) two) == 0, "renamed");

    ok(ngx_media_vod_converted_open(directory, &id, NULL)
       == NGX_INVALID_FILE, "of another source: not opened");

    (void) unlink((char *) two);

    ok(ngx_media_vod_converted_path(one, 8, directory, &id) == NGX_ERROR,
       "the path is too long");
}


static void
test_trim(void)
{
    char        other[NGX_MEDIA_VOD_PATH];
    size_t      size;
    u_char      name[NGX_MEDIA_VOD_PATH];
    ngx_fd_t    fd;
    ngx_uint_t  i;

    ngx_media_vod_id_t  id;

    size = 10000 - NGX_MEDIA_VOD_TEMP_BOX;

    /* the higher the number, the longer ago; 1 is in use */

    for (i = 1; i <= 5; i++) {
        make(i, size, NOW - (time_t) (i == 1 ? 10 : i * 100));
    }

    (void) snprintf(other, sizeof(other), "%s/other.mp4", directory);
    close(open(other, O_WRONLY|O_CREAT, 0600));

    ngx_media_vod_temp_trim(directory, 50000, NOW);
    ok(there(1) && there(2) && there(3) && there(4) && there(5),
       "within the limit");

    ngx_media_vod_temp_trim(directory, 30000, NOW);
    ok(there(1) && there(2) && there(3) && !there(4) && !there(5),
       "the least recently used go");

    ngx_media_vod_temp_trim(directory, 0, NOW);
    ok(there(1) && !there(2) && !there(3), "but what is in use");

    ok(access(other, F_OK) == 0, "what is not ours stays");
    (void) unlink(other);

    ngx_memzero(&id, sizeof(ngx_media_vod_id_t));

    fd = ngx_media_vod_temp_create(name, sizeof(name), directory, &id);
    ok(fd != NGX_INVALID_FILE, "a file that is never completed");
    close(fd);

    ngx_media_vod_temp_trim(directory, 0, time(NULL));
    ok(access((char *) name, F_OK) == 0, "may be being written");

    ngx_media_vod_temp_trim(directory, 0, time(NULL) + 7200);
    ok(access((char *) name, F_OK) < 0, "is deleted when it is old");

    ngx_media_vod_temp_trim(directory, 0, NOW + 1000);
    ok(!there(1), "nothing is left");
}


int
main(void)
{
    if (mkdtemp(directory) == NULL) {
        return 1;
    }

    test_open();
    test_wrong();
    test_trim();

    ok(rmdir(directory) == 0, "the directory is empty");

    return done();
}
