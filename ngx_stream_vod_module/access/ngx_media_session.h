
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Viewers' sessions, in shared memory of their own: one viewer of one stream,
 * or file, whichever worker has the requests.
 *
 *     look()  ->  make()  ->  touch(), touch(), ...  ->  (time-out), close()
 *
 * A session is found without a lock, made under one, and over when it was not
 * touched for the time-out.  A viewer counts (is confirmed) after two media
 * objects a second apart, or ten seconds of media.
 *
 * Native ones (RTMP, FLV, SRT) belong to a connection: its owner touches them
 * each ngx_media_session_tick(), closes them, and ends the connection when
 * touch() says NGX_ABORT.
 *
 * Only in the event loop.  docs/sessions.md says how the table works.
 *
 * style: long header, it is one table.
 */


#ifndef _NGX_MEDIA_SESSION_H_INCLUDED_
#define _NGX_MEDIA_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_agent.h"


#define NGX_MEDIA_SESSION_NAME   56           /* bytes of a name, cut */
#define NGX_MEDIA_SESSION_APP    120
#define NGX_MEDIA_SESSION_APPS   64           /* apps; the first is of those
                                                 that there is no room for */
#define NGX_MEDIA_SESSION_BANS   1024
#define NGX_MEDIA_SESSION_LEAST  (256 * 1024) /* bytes of a zone */


typedef struct ngx_media_sessions_s  ngx_media_sessions_t;


/* "address=" of media_sessions: what is shown of it */

typedef enum {
    NGX_MEDIA_SESSION_ADDRESS_OFF = 0,
    NGX_MEDIA_SESSION_ADDRESS_HASH,           /* another one each day */
    NGX_MEDIA_SESSION_ADDRESS_PLAIN
} ngx_media_session_address_e;


/* how a viewer is known */

typedef enum {
    NGX_MEDIA_SESSION_BY_ADDRESS = 0,         /* and User-Agent */
    NGX_MEDIA_SESSION_BY_KEY,                 /* media_session_key */
    NGX_MEDIA_SESSION_BY_TOKEN,               /* "s", "jti" or "sub" of it */
    NGX_MEDIA_SESSION_BY_SID,                 /* of CMCD */
    NGX_MEDIA_SESSION_BYS
} ngx_media_session_by_e;


/* of the session's last playlist, or of its connection */

typedef enum {
    NGX_MEDIA_SESSION_UNKNOWN = 0,
    NGX_MEDIA_SESSION_HLS,
    NGX_MEDIA_SESSION_DASH,
    NGX_MEDIA_SESSION_FILE,                   /* in one piece: mp4, ts, clip */
    NGX_MEDIA_SESSION_FLV,
    NGX_MEDIA_SESSION_RTMP,
    NGX_MEDIA_SESSION_SRT,
    NGX_MEDIA_SESSION_PROTOCOLS
} ngx_media_session_protocol_e;


/* who it is, and what of; all is borrowed during the call */

typedef struct {
    ngx_str_t                 app;            /* "live"; a location of files */
    ngx_str_t                 name;           /* of the stream, or file */
    ngx_uint_t                by;             /* NGX_MEDIA_SESSION_BY_* */
    ngx_str_t                 viewer;         /* empty with BY_ADDRESS */
    ngx_str_t                 agent;          /* User-Agent; empty: none */
    struct sockaddr          *sockaddr;       /* NULL: it has none */
    ngx_str_t                 device;         /* which of the viewer's at the
                                                 address, where these are told
                                                 apart; empty: they are not */
    uint32_t                  mark;           /* of what let him in; 0: none */
    ngx_uint_t                protocol;       /* when it is made */
    uint64_t                  connection;     /* native: which, unlike any
                                                 other; 0: it is not */
} ngx_media_session_who_t;


/* sessions that there may be with the new one; 0: any number */

typedef struct {
    ngx_uint_t                viewer;         /* of this viewer, of anything */
    ngx_uint_t                address;        /* IPv6: of this /64 */
    ngx_uint_t                stream;
} ngx_media_session_limit_t;


/* a session that was found; it may have gone the next moment */

typedef struct {
    uint64_t                  tag;            /* 0: none */
    uint32_t                  slot;
} ngx_media_session_ref_t;


typedef struct {
    ngx_media_session_ref_t   ref;
    uint64_t                  id;             /* see end(); never again */
    time_t                    admitted;       /* s that hooks need not be asked
                                                 for; 0: they are to be */
    time_t                    banned;         /* s yet; 0: it is not */
    uint64_t                  hook;           /* see admit(); 0: none */
    uint32_t                  mark;
    ngx_uint_t                protocol;
    unsigned                  confirmed:1;
    unsigned                  kicked:1;       /* to be refused as one that is
                                                 banned */
    unsigned                  made:1;         /* by this call of make() */
} ngx_media_session_state_t;


/* what was sent */

typedef struct {
    uint64_t                  bytes;
    uint64_t                  watch;          /* ms of media */
    ngx_uint_t                requests;       /* 0: of a response that goes on,
                                                 or of a connection */
    ngx_uint_t                protocol;       /* of a playlist; UNKNOWN: as it
                                                 was */
    ngx_msec_t                alive;          /* that it goes on at least; 0:
                                                 the time-out */
    unsigned                  media:1;        /* (a piece of) a media object */
} ngx_media_session_sent_t;


/* all of one; times are ms since the unix epoch */

typedef struct {
    uint64_t                  id;
    uint64_t                  viewer;         /* hash of this day */
    uint64_t                  address;        /* likewise; 0: off */
    ngx_str_t                 app;            /* in the zone, stays */
    ngx_str_t                 name;           /* in text */
    ngx_str_t                 plain;          /* address, in text; empty */
    ngx_uint_t                by;
    ngx_uint_t                protocol;
    ngx_media_agent_e         agent;
    int64_t                   started;
    int64_t                   seen;
    int64_t                   banned;         /* until; 0: it is not */
    uint64_t                  bytes;
    uint64_t                  watch;          /* ms */
    uint64_t                  requests;
    uint64_t                  hook;           /* see admit(); 0: none */
    unsigned                  cut:1;          /* name is the beginning of it */
    unsigned                  confirmed:1;
    unsigned                  native:1;
    unsigned                  kicked:1;
    u_char                    text[NGX_MEDIA_SESSION_NAME
                                   + NGX_SOCKADDR_STRLEN];
} ngx_media_session_info_t;


typedef struct {
    uint64_t                  id;             /* of the session; see unban() */
    ngx_str_t                 app;            /* in the zone */
    ngx_str_t                 name;           /* in text */
    uint64_t                  viewer;
    ngx_uint_t                by;
    int64_t                   until;          /* ms since the unix epoch */
    u_char                    text[NGX_MEDIA_SESSION_NAME];
} ngx_media_session_ban_t;


/* sessions, and viewers of them: confirmed, and not kicked */

typedef struct {
    ngx_uint_t                sessions;
    ngx_uint_t                viewers;
} ngx_media_session_count_t;


typedef struct {
    ngx_str_t                 name;           /* in the zone; empty: of those
                                                 that there was no room for */
    uint64_t                  viewers[NGX_MEDIA_SESSION_PROTOCOLS];
    uint64_t                  made;           /* those below never go down */
    uint64_t                  refused;        /* no slot was free */
    uint64_t                  limited;        /* by a limit */
    uint64_t                  banned;         /* kicked, or banned: times */
    uint64_t                  watch;          /* ms, by all */
} ngx_media_session_app_t;


typedef struct {
    ngx_uint_t                slots;
    ngx_uint_t                used;
    ngx_uint_t                viewers;
    ngx_uint_t                bans;
    uint64_t                  made;
    uint64_t                  refused;
} ngx_media_session_stat_t;


/*
 * Called once for each session, in the process that ends it, never under a
 * lock.  One that dies in it has another one call it again: the id tells.
 */
typedef void (*ngx_media_session_ended_pt)(
    const ngx_media_session_info_t *info);


/*
 * While the configuration is read: the table, kept over reloads if name and
 * size stay.  There is one in a configuration; NULL: said why.  timeout in ms.
 */
ngx_media_sessions_t *ngx_media_sessions_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, ngx_msec_t timeout, ngx_uint_t address);

/* parameters of a directive: off | [session=N] [ip=N] [stream=N] */
char *ngx_media_session_limits(ngx_conf_t *cf,
    ngx_media_session_limit_t *limit);

ngx_int_t ngx_media_session_ended_add(ngx_conf_t *cf,
    ngx_media_session_ended_pt handler);

/* that of this configuration, when it is read; NULL: there is none */
ngx_media_sessions_t *ngx_media_sessions_get(ngx_cycle_t *cycle);


/*
 * NGX_OK: *state is its; NGX_DECLINED: there is none, but the viewer may be
 * banned.
 */
ngx_int_t ngx_media_session_look(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, ngx_media_session_state_t *state);

/*
 * As look(), or makes it; limit NULL: none.  NGX_DECLINED: a limit is reached,
 * or the viewer is banned: *reason is a static sentence.  NGX_BUSY: no slot is
 * free, the viewer is not counted.  All is counted.
 */
ngx_int_t ngx_media_session_make(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_session_state_t *state,
    const char **reason);

/*
 * Who is known by what his player says alone, from an address that has many
 * sessions: 1, *who is less now.  From 64 on a sid is nothing, but for address
 * and agent; from 256 on an agent is nothing: he is somebody of that address.
 * To be called again until the one that he is then has a session, or for 0.
 */
ngx_uint_t ngx_media_session_folds(ngx_media_sessions_t *sessions,
    ngx_media_session_who_t *who);

/* would make() be refused now?  As it, but nothing is made */
ngx_int_t ngx_media_session_ask(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, const char **reason);

/*
 * It goes on, until the time-out from now.  NGX_OK; NGX_DECLINED: it has gone,
 * or, once a day, is elsewhere: who is not native looks again; NGX_ABORT: it
 * was kicked, nothing is counted and it does not go on.
 */
ngx_int_t ngx_media_session_touch(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, const ngx_media_session_sent_t *sent);

/*
 * Hooks need not be asked for so many s; hook is what they call it, 0: as it
 * was.  NGX_DECLINED: it has gone; NGX_DONE: they call it otherwise, another
 * one has asked at the same time.
 */
ngx_int_t ngx_media_session_admit(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, time_t valid, uint64_t hook);

/* what lets it in from now on; NGX_DECLINED: it has gone */
ngx_int_t ngx_media_session_mark(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, uint32_t mark);

/* ms between two of a native one's */
ngx_msec_t ngx_media_session_tick(const ngx_media_sessions_t *sessions);

/* at once; one that has gone may be closed */
void ngx_media_session_close(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref);

/* as close(), of what its maker has sent nothing of: unless others have, or it
   was kicked */
void ngx_media_session_drop(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref);

/* a viewer that was refused by what this table says (kicked, banned) */
void ngx_media_session_refused(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who);

/* the viewer as it is shown, in this day; what $media_viewer is */
uint64_t ngx_media_session_viewer(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who);


/*
 * Those of a stream, by its key, or (0) of all; *cursor is 0 at first.  NGX_OK,
 * NGX_DONE.  Who comes meanwhile may be missed.
 */
uint64_t ngx_media_session_stream(ngx_media_sessions_t *sessions,
    const ngx_str_t *app, const ngx_str_t *name);
ngx_int_t ngx_media_session_walk(ngx_media_sessions_t *sessions,
    uint64_t stream, ngx_uint_t *cursor, ngx_media_session_info_t *info);
ngx_int_t ngx_media_session_find(ngx_media_sessions_t *sessions, uint64_t id,
    ngx_media_session_info_t *info);

/*
 * Kicks: a native one's connection ends within a tick, others are refused for
 * the time-out; and for ban s, in any case, the same viewer of the same stream.
 * NGX_OK, NGX_DECLINED: there is no such session, NGX_BUSY: kicked, but there
 * are 1024 bans.
 */
ngx_int_t ngx_media_session_end(ngx_media_sessions_t *sessions, uint64_t id,
    time_t ban);

ngx_int_t ngx_media_session_bans(ngx_media_sessions_t *sessions,
    ngx_uint_t *cursor, ngx_media_session_ban_t *ban);
ngx_int_t ngx_media_session_unban(ngx_media_sessions_t *sessions,
    uint64_t id);


/* of a stream, exact */
void ngx_media_session_count(ngx_media_sessions_t *sessions, uint64_t stream,
    ngx_media_session_count_t *count);

/* the i-th app that ever had a session; NGX_OK, NGX_DONE behind the last */
ngx_int_t ngx_media_session_app(ngx_media_sessions_t *sessions, ngx_uint_t i,
    ngx_media_session_app_t *app);
void ngx_media_session_stat(ngx_media_sessions_t *sessions,
    ngx_media_session_stat_t *stat);

const ngx_str_t *ngx_media_session_by_name(ngx_uint_t by);
const ngx_str_t *ngx_media_session_protocol_name(ngx_uint_t protocol);


#endif /* _NGX_MEDIA_SESSION_H_INCLUDED_ */
