
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A device that does not cut datagrams, for t/srt_uncut.t: preloaded into
 * nginx, sendmmsg() does not send messages that the kernel is to cut
 * (UDP_SEGMENT), but fails, by EIO and EINVAL in turn, as the kernel would: the
 * messages before it have left.  $UNCUT_LOG has a line of each that it refuses.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>


#ifndef SOL_UDP
#define SOL_UDP      17
#endif

#ifndef UDP_SEGMENT
#define UDP_SEGMENT  103
#endif


static char      uncut_log[4096];
static unsigned  uncut_refused;


/* nginx clears its environment */

static void __attribute__((constructor))
uncut_init(void)
{
    const char  *p;

    p = getenv("UNCUT_LOG");
    snprintf(uncut_log, sizeof(uncut_log), "%s", p ? p : "/dev/null");
}


static void
uncut_note(const char *line)
{
    int      fd;
    ssize_t  n;

    fd = open(uncut_log, O_WRONLY|O_CREAT|O_APPEND, 0666);
    n = write(fd, line, strlen(line));
    (void) n;
    close(fd);
}


static int
uncut_is_cut(struct msghdr *msg)
{
    struct cmsghdr  *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

        if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_SEGMENT) {
            return 1;
        }
    }

    return 0;
}


int
sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
    int       err;
    unsigned  i;

    for (i = 0; i < n; i++) {

        if (uncut_is_cut(&msgs[i].msg_hdr)) {
            break;
        }
    }

    if (i || n == 0) {
        return syscall(SYS_sendmmsg, fd, msgs, i, flags);
    }

    err = (uncut_refused++ % 2) ? EINVAL : EIO;

    uncut_note(err == EIO ? "EIO\n" : "EINVAL\n");

    errno = err;

    return -1;
}
