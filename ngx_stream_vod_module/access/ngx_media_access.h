
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Who may publish and who may play: one list of checks that every protocol
 * asks, before a name is claimed and before a client hears that it may begin.
 * Each check says yes, no, or "later"; the first no is the answer, and so are
 * a check that fails and one that does not answer in time.
 *
 * The list is the configuration's: a reload makes another one, and who is asked
 * in an old worker asks the old one.  Without checks all is allowed, and
 * nothing is allocated.
 *
 * style: long header, it is one list and who asks it.
 */


#ifndef _NGX_MEDIA_ACCESS_H_INCLUDED_
#define _NGX_MEDIA_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"


#define NGX_MEDIA_ACCESS_TIMEOUT  10000       /* ms for all checks together */
#define NGX_MEDIA_ACCESS_LOOK     60          /* s between looks at the clock */

/* bytes of what is kept of who it is */
#define NGX_MEDIA_ACCESS_VIEWER   128

/* why somebody has to go then */
#define NGX_MEDIA_ACCESS_OVER     "the time that access was given for is over"


typedef enum {
    NGX_MEDIA_ACCESS_PUBLISH = 0,
    NGX_MEDIA_ACCESS_PLAY
} ngx_media_access_e;


typedef struct ngx_media_access_s  ngx_media_access_t;


/*
 * What comes with a yes, or a no.  In the memory of who asks, zeroed by him and
 * valid until the answer; each check narrows it.
 */

typedef struct {
    time_t                    expires;        /* s since the epoch: until then
                                                 it holds; 0: for ever */
    time_t                    again;          /* s since the epoch: then it is
                                                 asked once more, of who comes
                                                 and goes; 0: it is not */
    ngx_uint_t                sessions;       /* of his, at a time; 0: any */
    uint64_t                  id;             /* of his end a check wants to
                                                 know, see ended; 0: none, or
                                                 the answer was no.  Of one who
                                                 is asked about once more: as it
                                                 was, set by who asks, who tells
                                                 of the end then */
    ngx_uint_t                status;         /* of a no: what it is called by
                                                 HTTP, 401, 403, or 503, nobody
                                                 said so; 0: 403 */
    size_t                    viewer_len;     /* 0: it is not known */
    u_char                    viewer[NGX_MEDIA_ACCESS_VIEWER];   /* whose token
                                                 it is */
    unsigned                  admitted:1;     /* he has shown that it is his:
                                                 others who did not may not be
                                                 preferred to him */
} ngx_media_access_verdict_t;


/* what clients say of themselves; each may be empty */

typedef struct {
    ngx_str_t                 agent;          /* flashVer, User-Agent */
    ngx_str_t                 url;            /* tcUrl, of an application */
    ngx_str_t                 page;           /* pageUrl, Referer */
    ngx_str_t                 swf;            /* swfUrl */
} ngx_media_access_client_t;


/*
 * What is asked for.  The struct is copied; what it points to is borrowed until
 * the answer.
 */

typedef struct {
    ngx_media_access_e        action;
    ngx_media_app_t          *app;
    ngx_str_t                 name;           /* of the stream */
    ngx_str_t                 args;           /* "key=1&b=2"; empty: none */
    ngx_str_t                 protocol;       /* "rtmp", static */
    ngx_str_t                 address;        /* of the peer */
    ngx_connection_t         *connection;
    ngx_log_t                *log;
    const ngx_media_access_client_t
                             *client;         /* NULL: it is not known */
    ngx_media_access_verdict_t
                             *verdict;        /* NULL: of no interest */
    unsigned                  admitted:1;     /* by a token of its own, which
                                                 its protocol has looked at */
    unsigned                  session:1;      /* of a viewer who comes and
                                                 goes, whichever process has
                                                 him: it keeps verdict->id, and
                                                 is told of by here() */

    /*
     * The answer, after NGX_AGAIN: NGX_OK, or NGX_DECLINED with a reason, a
     * static sentence that says why, for the log and the client.  Called once,
     * from the event loop, never from inside ask() or cancel(); the access has
     * gone by then.
     */
    void                    (*ready)(void *data, ngx_int_t rc,
                                const char *reason);

    /*
     * The stream has another name than the one that was asked for, which may
     * have been a secret: from now on it is called this way, in logs and in
     * everything else.  Copies it, and returns the copy, borrowed; NULL: no
     * memory.  May be called inside ask().  NULL: it stays as it was asked for.
     */
    const ngx_str_t        *(*rename)(void *data, const ngx_str_t *name);
    void                     *data;
} ngx_media_access_conf_t;


/*
 * A check.  It answers NGX_OK, NGX_DECLINED (*reason is static) or NGX_AGAIN:
 * then it calls ngx_media_access_answer() once, which it may have done already.
 * Anything else is a failure of its own, and refused.
 *
 * *ctx is its memory of this request, NULL at first; it frees it itself as it
 * answers.  cancel is called with what is not NULL there when a check that has
 * said NGX_AGAIN need not answer any more, and must not.
 */

typedef struct {
    ngx_int_t               (*check)(ngx_media_access_t *access,
                                const ngx_media_access_conf_t *conf,
                                void **ctx, const char **reason);
    void                    (*cancel)(void *ctx);

    /* may names that are asked for be secrets?  NULL: no */
    ngx_uint_t              (*hides)(const ngx_media_app_t *app);

    /* has it something to say of viewers by HTTP, too?  NULL: no */
    ngx_uint_t              (*asks)(const ngx_media_app_t *app);

    /* see ngx_media_access_here() and ended(); NULL: it sets no id */
    void                    (*here)(const ngx_media_app_t *app, uint64_t id,
                                void (*close)(void *data, const char *reason),
                                void *data);
    void                    (*ended)(const ngx_media_app_t *app, uint64_t id,
                                const char *reason);
} ngx_media_access_check_t;


/*
 * While the configuration is read, with a static check; those that are there
 * already are not added again.  They are asked in the order of adding.
 */
ngx_int_t ngx_media_access_add(ngx_conf_t *cf,
    const ngx_media_access_check_t *check);


/*
 * What may be shown of a name that is asked for, before checks have spoken: it,
 * or "***" where it may be a secret
 */
const ngx_str_t *ngx_media_access_shown(const ngx_media_app_t *app,
    const ngx_str_t *name);

/*
 * Have viewers by HTTP to be asked about, to NGX_MEDIA_ACCESS_PLAY?  Their
 * tokens have been looked at where they came in: conf.admitted is set then.
 */
ngx_uint_t ngx_media_access_asks(const ngx_media_app_t *app);

/* NGX_OK, NGX_DECLINED (*reason), NGX_AGAIN (*access), NGX_ERROR: no memory */
ngx_int_t ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason);

/* after NGX_AGAIN and before ready: nobody waits for the answer any more */
void ngx_media_access_cancel(ngx_media_access_t *access);

/*
 * Who was told yes, with an id in the verdict, is here now, in this process,
 * until ended().  A check that finds out that he must not stay calls close from
 * the event loop, once, reason is static.  close NULL: a session has the id
 * now, in shared memory, and this process may go.
 */
void ngx_media_access_here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data);

/*
 * Who was told yes, with an id in the verdict, has gone, or did not come in
 * after all; reason is static.  Once, in whichever process; of one that dies
 * the checks find out themselves.
 */
void ngx_media_access_ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason);

/* of a check, before it answers; NGX_OK, NGX_ERROR: no memory */
ngx_int_t ngx_media_access_rename(ngx_media_access_t *access,
    const ngx_str_t *name);

/*
 * Of a check that says yes, or is about to: the answer holds until then, s
 * since the epoch, and after it who asked has to go; the earliest counts.  And:
 * it is known who asks, not only that nothing speaks against him.
 */
void ngx_media_access_expires(const ngx_media_access_conf_t *conf,
    time_t expires);
void ngx_media_access_admit(const ngx_media_access_conf_t *conf);

/* likewise: whose token it is, and how many he may be at a time; 0: any */
void ngx_media_access_viewer(const ngx_media_access_conf_t *conf,
    const ngx_str_t *viewer, ngx_uint_t sessions);

/*
 * Of a check that says NGX_AGAIN: NGX_OK, or NGX_DECLINED and a reason.  ready
 * is called later, or the next check asked.
 */
void ngx_media_access_answer(ngx_media_access_t *access, ngx_int_t rc,
    const char *reason);


/*
 * A value of the configuration that is none, for messages: URLs, which may have
 * been meant for another place, hold passwords
 */

static ngx_inline const ngx_str_t *
ngx_media_access_quoted(const ngx_str_t *value)
{
    static const ngx_str_t  hidden = ngx_string("***");

    return ngx_strstr(value->data, "://") ? &hidden : value;
}


/*
 * ms until this end of a yes, or a part of them, as clocks may be set; 0: it
 * has come
 */

static ngx_inline ngx_msec_t
ngx_media_access_left(time_t expires)
{
    time_t  left;

    left = expires - ngx_time();

    return left > 0 ? (ngx_msec_t) ngx_min(left, NGX_MEDIA_ACCESS_LOOK) * 1000
                    : 0;
}


#endif /* _NGX_MEDIA_ACCESS_H_INCLUDED_ */
