
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What control groups of version 2 leave of the CPUs that they show: in a
 * container with "--cpus 2" all of the host's are there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_strand.h"


#define NGX_MEDIA_QUOTA_FILE  "/cpu.max"
#define NGX_MEDIA_QUOTA_TEXT  4096
#define NGX_MEDIA_QUOTA_LINE  64


static ngx_uint_t ngx_media_strand_group(const char *groups,
    const u_char *group, size_t len);
static size_t ngx_media_strand_read(const char *name, u_char *text,
    size_t size);


/* self: its line "0::/PATH"; of that group and those above it the least */

ngx_uint_t
ngx_media_strand_quota(const char *self, const char *groups)
{
    u_char      *group, *end, *last;
    u_char       text[NGX_MEDIA_QUOTA_TEXT];
    ngx_uint_t   cores, least;

    last = text + ngx_media_strand_read(self, text, sizeof(text));

    for (group = text; group < last; group = end + 1) {
        end = ngx_strlchr(group, last, LF);

        if (end == NULL) {
            return 0;
        }

        if (end - group >= 4 && ngx_strncmp(group, "0::/", 4) == 0) {
            break;
        }
    }

    if (group >= last) {
        return 0;
    }

    group += 3;
    least = 0;

    for ( ;; ) {
        cores = ngx_media_strand_group(groups, group, end - group);

        if (cores && (least == 0 || cores < least)) {
            least = cores;
        }

        if (end == group) {
            return least;
        }

        do {
            end--;
        } while (end > group && *end != '/');
    }
}


/* "QUOTA PERIOD" in us, or "max PERIOD"; whole cores, 0: no limit */

static ngx_uint_t
ngx_media_strand_group(const char *groups, const u_char *group, size_t len)
{
    long     period, quota;
    u_char  *p;
    u_char   path[NGX_MEDIA_QUOTA_TEXT], text[NGX_MEDIA_QUOTA_LINE];
    size_t   size;

    size = ngx_strlen(groups);

    if (size + len + sizeof(NGX_MEDIA_QUOTA_FILE) > sizeof(path)) {
        return 0;
    }

    p = ngx_cpymem(path, groups, size);
    p = ngx_cpymem(p, group, len);

    ngx_memcpy(p, NGX_MEDIA_QUOTA_FILE, sizeof(NGX_MEDIA_QUOTA_FILE));

    text[ngx_media_strand_read((char *) path, text, sizeof(text) - 1)] = '\0';

    if (sscanf((char *) text, "%18ld %18ld", &quota, &period) != 2) {
        return 0;
    }

    if (quota <= 0 || period <= 0) {
        return 0;
    }

    return quota > period ? quota / period : 1;
}


static size_t
ngx_media_strand_read(const char *name, u_char *text, size_t size)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    n = read(fd, text, size);

    (void) close(fd);

    return n > 0 ? (size_t) n : 0;
}
