
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_temp.h"
#include "formats/ngx_media_bytes.h"
#include "vod/ngx_media_vod_made.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


/* of the end: changes with what is in the file, and how that is made */
#define NGX_MEDIA_VOD_MADE_MAGIC   0x6e6d736700000001ull

/* a sample of the table: size, duration, cto, key */
#define NGX_MEDIA_VOD_MADE_SAMPLE  16

/* what a file ends with: magic, id, bytes, samples, both checksums */
#define NGX_MEDIA_VOD_MADE_END     (8 + sizeof(ngx_media_vod_id_t) + 8 + 4    \
                                    + 4 + 4)

#define NGX_MEDIA_VOD_MADE_BUF     (256 * 1024)


static ngx_int_t ngx_media_vod_made_read(ngx_media_vod_made_t *made);
static ngx_int_t ngx_media_vod_made_table(ngx_media_vod_made_t *made,
    const u_char *p, uint32_t crc);
static uint32_t ngx_media_vod_made_crc(const u_char *p, size_t len);
static ngx_int_t ngx_media_vod_made_sum(ngx_media_vod_made_t *made,
    uint32_t crc);
static ngx_int_t ngx_media_vod_made_pread(ngx_fd_t fd, u_char *p, size_t len,
    off_t offset);
static ngx_int_t ngx_media_vod_made_write(ngx_fd_t fd, const u_char *p,
    size_t len);
static ngx_int_t ngx_media_vod_made_flush(ngx_media_vod_made_writer_t *w);
static ngx_int_t ngx_media_vod_made_box(ngx_media_vod_made_writer_t *w);


ngx_media_vod_made_t *
ngx_media_vod_made_open(const char *directory, const ngx_media_vod_id_t *id)
{
    u_char                 path[NGX_MEDIA_VOD_PATH];
    size_t                 len;
    ngx_media_vod_made_t  *made;

    if (ngx_media_vod_converted_path(path, sizeof(path), directory, id)
        != NGX_OK)
    {
        return NULL;
    }

    len = ngx_strlen(path);

    made = calloc(1, sizeof(ngx_media_vod_made_t) + len + 1);
    if (made == NULL) {
        return NULL;
    }

    made->refs = 1;
    made->id = *id;
    made->path.len = len;
    made->path.data = (u_char *) (made + 1);
    ngx_memcpy(made->path.data, path, len + 1);

    made->fd = open((char *) path, O_RDONLY|O_CLOEXEC|O_NOFOLLOW);

    if (made->fd == NGX_INVALID_FILE || ngx_media_vod_made_read(made) != NGX_OK)
    {
        ngx_media_vod_made_unref(made);
        return NULL;
    }

    /* its time is when it was used last; it may be somebody else's */

    (void) futimens(made->fd, NULL);

    return made;
}


/* a power cut may have left a name without the bytes: all are looked at */

static ngx_int_t
ngx_media_vod_made_read(ngx_media_vod_made_t *made)
{
    u_char       end[NGX_MEDIA_VOD_MADE_END], *p, *table;
    size_t       len;
    off_t        size;
    ngx_int_t    rc;
    struct stat  st;

    size = (off_t) sizeof(end);

    if (fstat(made->fd, &st) < 0 || !S_ISREG(st.st_mode)
        || st.st_size < 8 + size
        || ngx_media_vod_made_pread(made->fd, end, sizeof(end),
                                    st.st_size - size)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = end + 8 + sizeof(ngx_media_vod_id_t);

    made->bytes = ngx_media_get_be64(p);
    made->nsamples = ngx_media_get_be32(p + 8);

    len = (size_t) made->nsamples * NGX_MEDIA_VOD_MADE_SAMPLE;

    if (ngx_media_get_be64(end) != NGX_MEDIA_VOD_MADE_MAGIC
        || ngx_memcmp(end + 8, &made->id, sizeof(ngx_media_vod_id_t)) != 0
        || made->nsamples == 0
        || made->nsamples > NGX_MEDIA_VOD_MADE_SAMPLES
        || made->bytes > NGX_MEDIA_VOD_MADE_BYTES
        || st.st_size != (off_t) (made->bytes + 8 + len) + size)
    {
        return NGX_ERROR;
    }

    table = malloc(len);
    if (table == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_vod_made_pread(made->fd, table, len,
                                  (off_t) made->bytes + 8);

    if (rc == NGX_OK) {
        rc = ngx_media_vod_made_table(made, table,
                                      ngx_media_get_be32(p + 16));
    }

    free(table);

    return rc == NGX_OK
           ? ngx_media_vod_made_sum(made, ngx_media_get_be32(p + 12)) : rc;
}


static ngx_int_t
ngx_media_vod_made_table(ngx_media_vod_made_t *made, const u_char *p,
    uint32_t crc)
{
    uint32_t             i;
    uint64_t             bytes;
    ngx_media_sample_t  *s;

    if (ngx_media_vod_made_crc(p, (size_t) made->nsamples
                                  * NGX_MEDIA_VOD_MADE_SAMPLE)
        != crc)
    {
        return NGX_ERROR;
    }

    made->samples = malloc(made->nsamples * sizeof(ngx_media_sample_t));
    if (made->samples == NULL) {
        return NGX_ERROR;
    }

    bytes = 0;

    for (i = 0; i < made->nsamples; i++) {
        s = &made->samples[i];

        s->size = ngx_media_get_be32(p);
        s->duration = ngx_media_get_be32(p + 4);
        s->cto = (int32_t) ngx_media_get_be32(p + 8);
        s->key = ngx_media_get_be32(p + 12);

        bytes += s->size;
        p += NGX_MEDIA_VOD_MADE_SAMPLE;
    }

    return bytes == made->bytes ? NGX_OK : NGX_ERROR;
}


static uint32_t
ngx_media_vod_made_crc(const u_char *p, size_t len)
{
    uint32_t  crc;

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, (u_char *) p, len);
    ngx_crc32_final(crc);

    return crc;
}


static ngx_int_t
ngx_media_vod_made_sum(ngx_media_vod_made_t *made, uint32_t crc)
{
    u_char    *buf;
    size_t     n;
    off_t      offset;
    uint32_t   sum;

    buf = malloc(NGX_MEDIA_VOD_MADE_BUF);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    ngx_crc32_init(sum);

    for (offset = 0; offset < (off_t) made->bytes; offset += n) {
        n = (size_t) ngx_min((off_t) made->bytes - offset,
                             NGX_MEDIA_VOD_MADE_BUF);

        if (ngx_media_vod_made_pread(made->fd, buf, n, offset) != NGX_OK) {
            break;
        }

        ngx_crc32_update(&sum, buf, n);
    }

    ngx_crc32_final(sum);

    free(buf);

    return (offset == (off_t) made->bytes && sum == crc) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_media_vod_made_pread(ngx_fd_t fd, u_char *p, size_t len, off_t offset)
{
    ssize_t  n;

    while (len) {
        n = pread(fd, p, len, offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        p += n;
        len -= n;
        offset += n;
    }

    return NGX_OK;
}


void
ngx_media_vod_made_unref(ngx_media_vod_made_t *made)
{
    if (made == NULL || --made->refs) {
        return;
    }

    if (made->fd != NGX_INVALID_FILE) {
        (void) close(made->fd);
    }

    free(made->samples);
    free(made);
}


ngx_int_t
ngx_media_vod_made_create(ngx_media_vod_made_writer_t *w,
    const char *directory, const ngx_media_vod_id_t *id)
{
    ngx_memzero(w, offsetof(ngx_media_vod_made_writer_t, name));

    w->fd = NGX_INVALID_FILE;
    w->id = *id;
    w->directory = directory;

    ngx_crc32_init(w->crc);

    w->buf = malloc(NGX_MEDIA_VOD_MADE_BUF);
    if (w->buf == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }

    w->fd = ngx_media_vod_temp_create(w->name, sizeof(w->name), directory, id);

    return w->fd == NGX_INVALID_FILE ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_media_vod_made_add(ngx_media_vod_made_writer_t *w,
    const ngx_media_sample_t *sample, const u_char *pos, const u_char *last)
{
    size_t               n, size;
    uint32_t             room;
    ngx_media_sample_t  *samples;

    size = last - pos;

    if (w->nsamples == NGX_MEDIA_VOD_MADE_SAMPLES
        || size > NGX_MEDIA_VOD_MADE_BYTES - w->bytes)
    {
        errno = EFBIG;
        return NGX_ERROR;
    }

    if (w->nsamples == w->room) {
        room = w->room ? w->room * 2 : 256;

        samples = realloc(w->samples, room * sizeof(ngx_media_sample_t));
        if (samples == NULL) {
            errno = ENOMEM;
            return NGX_ERROR;
        }

        w->samples = samples;
        w->room = room;
    }

    w->samples[w->nsamples] = *sample;
    w->samples[w->nsamples++].size = (uint32_t) size;
    w->bytes += size;

    ngx_crc32_update(&w->crc, (u_char *) pos, size);

    while (pos < last) {

        if (w->len == NGX_MEDIA_VOD_MADE_BUF
            && ngx_media_vod_made_flush(w) != NGX_OK)
        {
            return NGX_ERROR;
        }

        n = ngx_min((size_t) (last - pos), NGX_MEDIA_VOD_MADE_BUF - w->len);

        ngx_memcpy(w->buf + w->len, pos, n);

        w->len += n;
        pos += n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_made_flush(ngx_media_vod_made_writer_t *w)
{
    size_t  len;

    len = w->len;
    w->len = 0;

    return ngx_media_vod_made_write(w->fd, w->buf, len);
}


static ngx_int_t
ngx_media_vod_made_write(ngx_fd_t fd, const u_char *p, size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, p, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            errno = n ? errno : ENOSPC;
            return NGX_ERROR;
        }

        p += n;
        len -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_made_commit(ngx_media_vod_made_writer_t *w)
{
    u_char  path[NGX_MEDIA_VOD_PATH];

    if (w->nsamples == 0) {
        errno = EINVAL;
        return NGX_ERROR;
    }

    if (ngx_media_vod_made_flush(w) != NGX_OK
        || ngx_media_vod_made_box(w) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_media_vod_converted_path(path, sizeof(path), w->directory, &w->id)
        != NGX_OK)
    {
        errno = ENAMETOOLONG;
        return NGX_ERROR;
    }

    if (rename((char *) w->name, (char *) path) < 0) {
        return NGX_ERROR;
    }

    w->name[0] = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_made_box(ngx_media_vod_made_writer_t *w)
{
    u_char     *box, *p, *table;
    size_t      len;
    uint32_t    crc, i;
    ngx_int_t   rc;

    len = (size_t) w->nsamples * NGX_MEDIA_VOD_MADE_SAMPLE;

    box = malloc(8 + len + NGX_MEDIA_VOD_MADE_END);
    if (box == NULL) {
        errno = ENOMEM;
        return NGX_ERROR;
    }

    p = ngx_media_put_be32(box, 8 + (uint32_t) (len + NGX_MEDIA_VOD_MADE_END));
    p = ngx_media_put_be32(p, ngx_media_fourcc('f', 'r', 'e', 'e'));
    table = p;

    for (i = 0; i < w->nsamples; i++) {
        p = ngx_media_put_be32(p, w->samples[i].size);
        p = ngx_media_put_be32(p, w->samples[i].duration);
        p = ngx_media_put_be32(p, (uint32_t) w->samples[i].cto);
        p = ngx_media_put_be32(p, w->samples[i].key);
    }

    crc = w->crc;
    ngx_crc32_final(crc);

    p = ngx_media_put_be64(p, NGX_MEDIA_VOD_MADE_MAGIC);
    p = ngx_cpymem(p, &w->id, sizeof(ngx_media_vod_id_t));
    p = ngx_media_put_be64(p, w->bytes);
    p = ngx_media_put_be32(p, w->nsamples);
    p = ngx_media_put_be32(p, crc);
    p = ngx_media_put_be32(p, ngx_media_vod_made_crc(table, len));

    rc = ngx_media_vod_made_write(w->fd, box, p - box);

    free(box);

    return rc;
}


void
ngx_media_vod_made_close(ngx_media_vod_made_writer_t *w)
{
    if (w->fd != NGX_INVALID_FILE) {
        (void) close(w->fd);
        w->fd = NGX_INVALID_FILE;

        if (w->name[0]) {
            (void) unlink((char *) w->name);
        }
    }

    free(w->buf);
    free(w->samples);

    w->buf = NULL;
    w->samples = NULL;
}
