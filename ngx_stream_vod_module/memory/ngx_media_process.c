
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_process.h"
#include "memory/ngx_media_sync.h"


#if (NGX_DEBUG)
ngx_uint_t  ngx_media_locks_held;
#endif


/* field 22 of /proc/PID/stat, see proc(5) */

uint64_t
ngx_media_process_start(ngx_pid_t pid)
{
    char         *p;
    char          path[sizeof("/proc//stat") + NGX_INT64_LEN], buf[1024];
    ssize_t       n;
    ngx_fd_t      fd;
    ngx_uint_t    field;

    ngx_media_must_be_free(ngx_cycle->log, "/proc is read");

    (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    n = read(fd, buf, sizeof(buf) - 1);

    (void) close(fd);

    if (n <= 0) {
        return 0;
    }

    buf[n] = '\0';

    /* the name, field 2, stands in parentheses and may hold anything */

    p = strrchr(buf, ')');

    for (field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
    }

    return p ? strtoull(p + 1, NULL, 10) : 0;
}


uint64_t
ngx_media_process_self(void)
{
    static uint64_t   start;
    static ngx_pid_t  pid;

    if (pid != ngx_pid) {
        pid = ngx_pid;
        start = ngx_media_process_start(pid);
    }

    return start;
}


ngx_uint_t
ngx_media_process_gone(ngx_pid_t pid, uint64_t start)
{
    uint64_t  now;

    if (ngx_media_process_dead(pid)) {
        return 1;
    }

    now = ngx_media_process_start(pid);

    return now && start && now != start;
}
