
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: vod/ngx_media_vod_made.c files/ngx_media_vod_temp.c */


/* what is whole is opened, and nothing else is, be it a byte that differs */


#include "files/ngx_media_vod_temp.h"
#include "tap.h"
#include "vod/ngx_media_vod_made.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>


/* nginx's */
uint32_t  ngx_crc32_table256[256];


static char                directory[] = "/tmp/ngx-media-made-XXXXXX";
static ngx_media_vod_id_t  id = { 1, 2, 3, 4 };
static u_char              path[NGX_MEDIA_VOD_PATH];
static u_char              media[300000];


static void
table(void)
{
    uint32_t  bit, c, n;

    for (n = 0; n < 256; n++) {
        c = n;

        for (bit = 0; bit < 8; bit++) {
            c = (c & 1) ? 0xedb88320u ^ (c >> 1) : c >> 1;
        }

        ngx_crc32_table256[n] = c;
    }
}


/* n samples, the i-th has first + i bytes */

static ngx_int_t
make(ngx_media_vod_made_writer_t *w, uint32_t n, uint32_t first)
{
    uint32_t            i;
    ngx_media_sample_t  sample;

    if (ngx_media_vod_made_create(w, directory, &id) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        ngx_memzero(&sample, sizeof(ngx_media_sample_t));

        sample.duration = 100 + i;
        sample.cto = -(int32_t) i;
        sample.key = (i == 0);

        if (ngx_media_vod_made_add(w, &sample, media, media + first + i)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_media_vod_made_commit(w);
}


static ngx_uint_t
files(void)
{
    DIR            *dir;
    ngx_uint_t      n;
    struct dirent  *e;

    n = 0;
    dir = opendir(directory);

    while (dir && (e = readdir(dir)) != NULL) {
        n += (e->d_name[0] != '.');
    }

    if (dir) {
        closedir(dir);
    }

    return n;
}


static void
test_whole(void)
{
    u_char                       *buf;
    ngx_media_vod_made_t         *made;
    ngx_media_vod_made_writer_t   w;

    ok(ngx_media_vod_made_open(directory, &id) == NULL, "none is there");

    is(make(&w, 3, 150000), NGX_OK, "it is made");
    ngx_media_vod_made_close(&w);
    is(files(), 1, "nothing else is left");

    made = ngx_media_vod_made_open(directory, &id);

    if (made == NULL) {
        ok(0, "it is opened");
        return;
    }

    is(made->nsamples, 3, "samples");
    is(made->bytes, 450003, "their bytes");
    is(made->samples[2].size, 150002, "size");
    is(made->samples[2].duration, 102, "duration");
    is(made->samples[2].cto, -2, "cto");
    is(made->samples[0].key, 1, "key");

    buf = malloc(150002);
    ok(buf && pread(made->fd, buf, 150002, 300001) == 150002
       && ngx_memcmp(buf, media, 150002) == 0, "the bytes");
    free(buf);

    ngx_media_vod_made_unref(made);
    ngx_media_vod_made_unref(NULL);
}


/* all that can become of one */

static void
test_broken(void)
{
    int                           fd;
    off_t                         size;
    u_char                        byte;
    ngx_uint_t                    opened;
    struct stat                   st;
    ngx_media_vod_made_t         *made;
    ngx_media_vod_made_writer_t   w;

    is(make(&w, 2, 20), NGX_OK, "a small one");
    ngx_media_vod_made_close(&w);

    fd = open((char *) path, O_RDWR);
    is(fstat(fd, &st), 0, "is there");

    opened = 0;

    for (size = 0; size < st.st_size; size++) {

        if (pread(fd, &byte, 1, size) != 1) {
            break;
        }

        byte ^= 0x10;
        (void) !pwrite(fd, &byte, 1, size);

        made = ngx_media_vod_made_open(directory, &id);

        /* the head of the box is for others */

        if (made) {
            opened += (size < 41 || size >= 49);
            ngx_media_vod_made_unref(made);
        }

        byte ^= 0x10;
        (void) !pwrite(fd, &byte, 1, size);
    }

    is(opened, 0, "with a byte that differs it is none");

    made = ngx_media_vod_made_open(directory, &id);
    ok(made != NULL, "as it was it is one");
    ngx_media_vod_made_unref(made);

    for (size = st.st_size - 1; size >= 0; size--) {
        (void) !ftruncate(fd, size);

        made = ngx_media_vod_made_open(directory, &id);

        opened += (made != NULL);
        ngx_media_vod_made_unref(made);
    }

    is(opened, 0, "shorter than it was neither");

    close(fd);
}


/* what is said goes into a file, too */

static ngx_int_t
make_limited(ngx_media_vod_made_writer_t *w, uint32_t n, uint32_t first,
    rlim_t bytes)
{
    ngx_int_t      rc;
    struct rlimit  limit, old;

    getrlimit(RLIMIT_FSIZE, &old);

    limit = old;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);

    rc = make(w, n, first);

    setrlimit(RLIMIT_FSIZE, &old);

    return rc;
}


static void
test_disk(void)
{
    ngx_media_vod_made_writer_t   w;

    (void) unlink((char *) path);
    (void) signal(SIGXFSZ, SIG_IGN);

    is(make_limited(&w, 3, 150000, 200000), NGX_ERROR,
       "no room for the bytes");
    is(files(), 1, "it has another name until it is complete");
    ngx_media_vod_made_close(&w);
    ngx_media_vod_made_close(&w);
    is(files(), 0, "and is deleted");

    is(make_limited(&w, 2, 20, 41 + 8 + 20), NGX_ERROR,
       "no room for the table");
    ngx_media_vod_made_close(&w);
    ok(ngx_media_vod_made_open(directory, &id) == NULL, "it is none");

    is(make(&w, 0, 0), NGX_ERROR, "nothing is no segment");
    ngx_media_vod_made_close(&w);
    is(files(), 0, "nothing is left");
}


int
main(void)
{
    size_t  i;

    table();

    for (i = 0; i < sizeof(media); i++) {
        media[i] = (u_char) (i * 7 + i / 251);
    }

    if (mkdtemp(directory) == NULL
        || ngx_media_vod_converted_path(path, sizeof(path), directory, &id)
           != NGX_OK)
    {
        ok(0, "mkdtemp()");
        return done();
    }

    test_whole();
    test_broken();
    test_disk();

    (void) unlink((char *) path);
    (void) rmdir(directory);

    return done();
}
