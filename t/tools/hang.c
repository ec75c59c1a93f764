
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A disk that hangs, for t/vod_hang.t: preloaded into nginx, it lets what is
 * done to files whose path has "/slow" in it wait for as long as the file
 * $HANG_FILE exists, and notes in $HANG_LOG what the main thread of a process
 * waits for, which is what must not be.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>


#define HANG_FDS  65536


static volatile char  hang_fds[HANG_FDS];

static char           hang_file[4096];
static char           hang_log[4096];


/* nginx clears its environment */

static void __attribute__((constructor))
hang_init(void)
{
    const char  *p;

    p = getenv("HANG_FILE");
    snprintf(hang_file, sizeof(hang_file), "%s", p ? p : "");

    p = getenv("HANG_LOG");
    snprintf(hang_log, sizeof(hang_log), "%s", p ? p : "/dev/null");
}


static int
hang_active(void)
{
    return hang_file[0]
           && syscall(SYS_faccessat, AT_FDCWD, hang_file, F_OK) == 0;
}


static void
hang_wait(const char *what)
{
    int      fd;
    char     line[64];
    ssize_t  n;

    if (!hang_active()) {
        return;
    }

    if (syscall(SYS_gettid) == getpid()) {
        fd = syscall(SYS_openat, AT_FDCWD, hang_log,
                     O_WRONLY|O_CREAT|O_APPEND, 0666);
        n = snprintf(line, sizeof(line), "%s\n", what);
        n = write(fd, line, n);
        (void) n;
        syscall(SYS_close, fd);
    }

    while (hang_active()) {
        usleep(5000);
    }
}


static void
hang_path(const char *what, const char *path)
{
    if (path != NULL && strstr(path, "/slow") != NULL) {
        hang_wait(what);
    }
}


static int
hang_is(int fd)
{
    return fd >= 0 && fd < HANG_FDS && hang_fds[fd];
}


static void
hang_fd(const char *what, int fd)
{
    if (hang_is(fd)) {
        hang_wait(what);
    }
}


static int
hang_opened(int fd, const char *path)
{
    if (fd >= 0 && fd < HANG_FDS) {
        hang_fds[fd] = (path != NULL && strstr(path, "/slow") != NULL);
    }

    return fd;
}


static int
hang_openat(int at, const char *path, int flags, mode_t mode)
{
    hang_path("open", path);

    return hang_opened(syscall(SYS_openat, at, path, flags, mode), path);
}


#define hang_mode(flags)                                                      \
    mode = 0;                                                                 \
                                                                              \
    if (flags & (O_CREAT|__O_TMPFILE)) {                                      \
        va_start(args, flags);                                                \
        mode = va_arg(args, int);                                             \
        va_end(args);                                                         \
    }


int
open(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    hang_mode(flags);

    return hang_openat(AT_FDCWD, path, flags, mode);
}


int
open64(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    hang_mode(flags);

    return hang_openat(AT_FDCWD, path, flags, mode);
}


int
openat(int at, const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    hang_mode(flags);

    return hang_openat(at, path, flags, mode);
}


int
openat64(int at, const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    hang_mode(flags);

    return hang_openat(at, path, flags, mode);
}


int
close(int fd)
{
    if (fd >= 0 && fd < HANG_FDS) {
        hang_fds[fd] = 0;
    }

    return syscall(SYS_close, fd);
}


int
stat(const char *path, struct stat *st)
{
    hang_path("stat", path);

    return syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}


int
stat64(const char *path, struct stat64 *st)
{
    hang_path("stat", path);

    return syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}


int
fstat(int fd, struct stat *st)
{
    hang_fd("fstat", fd);

    return syscall(SYS_fstat, fd, st);
}


int
fstat64(int fd, struct stat64 *st)
{
    hang_fd("fstat", fd);

    return syscall(SYS_fstat, fd, st);
}


ssize_t
pread(int fd, void *p, size_t n, off_t offset)
{
    hang_fd("pread", fd);

    return syscall(SYS_pread64, fd, p, n, offset);
}


ssize_t
pread64(int fd, void *p, size_t n, off64_t offset)
{
    hang_fd("pread", fd);

    return syscall(SYS_pread64, fd, p, n, offset);
}


ssize_t
preadv(int fd, const struct iovec *iov, int n, off_t offset)
{
    hang_fd("preadv", fd);

    return syscall(SYS_preadv, fd, iov, (long) n, offset, 0L);
}


ssize_t
preadv64(int fd, const struct iovec *iov, int n, off64_t offset)
{
    hang_fd("preadv", fd);

    return syscall(SYS_preadv, fd, iov, (long) n, offset, 0L);
}


/* what need not wait is not there */

static ssize_t
hang_preadv2(int fd, const struct iovec *iov, int n, off64_t offset, int flags)
{
    if (hang_is(fd) && hang_active() && (flags & RWF_NOWAIT)) {
        errno = EAGAIN;
        return -1;
    }

    hang_fd("preadv2", fd);

    return syscall(SYS_preadv2, fd, iov, (long) n, offset, 0L, flags);
}


ssize_t
preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    return hang_preadv2(fd, iov, n, offset, flags);
}


ssize_t
preadv64v2(int fd, const struct iovec *iov, int n, off64_t offset, int flags)
{
    return hang_preadv2(fd, iov, n, offset, flags);
}


ssize_t
sendfile(int out, int in, off_t *offset, size_t n)
{
    hang_fd("sendfile", in);

    return syscall(SYS_sendfile, out, in, offset, n);
}


ssize_t
sendfile64(int out, int in, off64_t *offset, size_t n)
{
    hang_fd("sendfile", in);

    return syscall(SYS_sendfile, out, in, offset, n);
}
