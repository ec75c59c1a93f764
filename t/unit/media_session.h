
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A table of viewers' sessions for its tests, a clock that stands, and what
 * those are told who want to know of ends.
 */


#ifndef _MEDIA_SESSION_H_INCLUDED_
#define _MEDIA_SESSION_H_INCLUDED_


#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "access/ngx_media_session_shm.h"
#include "ngx_stub.h"
#include "tap.h"


#define KB       1024
#define TIMEOUT  30000                       /* ms */


ngx_uint_t  ngx_worker;


static ngx_media_sessions_t      sessions;
static ngx_array_t               handlers;
static ngx_media_session_ended_pt
                                 handler[2];
static int64_t                   clock_msec = 1800000000000;

/* what handlers were told; shared with children */

typedef struct {
    ngx_uint_t                   n;
    ngx_uint_t                   die;
    void                       (*meanwhile)(void);
    ngx_media_session_info_t     last;
} told_t;

static told_t                   *told;


static inline void
ended(const ngx_media_session_info_t *info)
{
    void  (*meanwhile)(void) = told->meanwhile;

    told->n++;
    told->last = *info;

    if (meanwhile) {
        told->meanwhile = NULL;
        meanwhile();
    }

    if (told->die) {
        _exit(0);
    }
}


static inline void
table(size_t size)
{
    void  *mem;

    if (sessions.sh) {
        is(ngx_media_sessions_validate(&sessions), 0, "the books agree");
    }

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);

    if (ngx_media_sessions_format(&sessions.sh, mem, size) != NGX_OK) {
        abort();
    }

    sessions.timeout = TIMEOUT / NGX_MEDIA_SESSION_UNIT;
    sessions.address = NGX_MEDIA_SESSION_ADDRESS_OFF;
    sessions.ended = &handlers;

    handler[0] = ended;
    handlers.elts = handler;
    handlers.nelts = 1;

    memset(told, 0, sizeof(told_t));
}


static inline void
pass(int64_t msec)
{
    clock_msec += msec;
    ngx_stub_clock(clock_msec);
}


/* all of the table, however long it takes */

static inline void
sweep(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 40; i++) {
        pass(1000);
        ngx_media_sessions_sweep(&sessions);
    }
}


static inline ngx_media_session_who_t
who_is(const char *app, const char *name, ngx_uint_t by, const char *viewer)
{
    ngx_media_session_who_t  who;

    memset(&who, 0, sizeof(who));

    who.app.data = (u_char *) app;
    who.app.len = strlen(app);
    who.name.data = (u_char *) name;
    who.name.len = strlen(name);
    who.by = by;
    who.viewer.data = (u_char *) viewer;
    who.viewer.len = strlen(viewer);

    return who;
}


static inline ngx_media_session_who_t
viewer(const char *name, ngx_uint_t n)
{
    static char              buf[4][32];
    static ngx_uint_t        next;

    char                    *text;
    ngx_media_session_who_t  who;

    text = buf[next++ % 4];
    (void) snprintf(text, sizeof(buf[0]), "viewer-%u", (unsigned) n);

    who = who_is("live", name, NGX_MEDIA_SESSION_BY_TOKEN, text);
    who.protocol = NGX_MEDIA_SESSION_HLS;

    return who;
}


static inline struct sockaddr *
address(const char *text)
{
    static union {
        struct sockaddr      sa;
        struct sockaddr_in   sin;
        struct sockaddr_in6  sin6;
    } u;

    memset(&u, 0, sizeof(u));

    if (inet_pton(AF_INET, text, &u.sin.sin_addr) == 1) {
        u.sa.sa_family = AF_INET;

    } else if (inet_pton(AF_INET6, text, &u.sin6.sin6_addr) == 1) {
        u.sa.sa_family = AF_INET6;
    }

    return &u.sa;
}


static inline ngx_int_t
make(const ngx_media_session_who_t *who, ngx_media_session_state_t *state)
{
    const char  *reason;

    return ngx_media_session_make(&sessions, who, NULL, state, &reason);
}


static inline ngx_int_t
limited(const ngx_media_session_who_t *who, ngx_uint_t v, ngx_uint_t a,
    ngx_uint_t s)
{
    ngx_int_t                   rc;
    const char                 *reason;
    ngx_media_session_limit_t   limit;
    ngx_media_session_state_t   state;

    limit.viewer = v;
    limit.address = a;
    limit.stream = s;

    rc = ngx_media_session_ask(&sessions, who, &limit, &reason);

    /* what is refused is counted once: by who asks, or by who makes */

    if (rc == NGX_OK
        && ngx_media_session_make(&sessions, who, &limit, &state, &reason)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


static inline ngx_int_t
touch(const ngx_media_session_state_t *state, uint64_t bytes, uint64_t watch)
{
    ngx_media_session_sent_t  sent;

    memset(&sent, 0, sizeof(sent));

    sent.bytes = bytes;
    sent.watch = watch;
    sent.requests = 1;
    sent.media = bytes != 0;

    return ngx_media_session_touch(&sessions, &state->ref, &sent);
}


static inline ngx_uint_t
confirmed(const ngx_media_session_who_t *who)
{
    ngx_media_session_state_t  state;

    return ngx_media_session_look(&sessions, who, &state) == NGX_OK
           && state.confirmed;
}


static inline uint64_t
viewers(ngx_uint_t protocol)
{
    uint64_t                  n;
    ngx_uint_t                i;
    ngx_media_session_app_t   app;

    n = 0;

    for (i = 0; ngx_media_session_app(&sessions, i, &app) == NGX_OK; i++) {
        n += app.viewers[protocol];
    }

    return n;
}


static inline ngx_media_session_count_t
count(const char *name)
{
    ngx_str_t                  app, stream;
    ngx_media_session_count_t  c;

    ngx_str_set(&app, "live");
    stream.data = (u_char *) name;
    stream.len = strlen(name);

    ngx_media_session_count(&sessions,
                            ngx_media_session_stream(&sessions, &app, &stream),
                            &c);

    return c;
}


static inline void
media_session_begin(void)
{
    ngx_pid = getpid();

    told = mmap(NULL, sizeof(told_t), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    ngx_stub_clock(clock_msec);
}


#endif /* _MEDIA_SESSION_H_INCLUDED_ */
