
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Hooks: what a back end is told of publishers and viewers, and what its
 * answer means.
 *
 *     JSON      ours, see docs/access.md
 *     FORM      what on_publish of nginx-rtmp sends: fields of a form, then the
 *               client's own arguments, as they are
 *     SRS       objects of SRS 4 to 6, answered by 0 or { "code": 0 }
 *     MEDIAMTX  those of MediaMTX' "authMethod: http"
 *
 * Arguments of the client that are called like a field of the form are left
 * out of it: most back ends would take the last one.
 */


#ifndef _NGX_MEDIA_HOOK_H_INCLUDED_
#define _NGX_MEDIA_HOOK_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_text.h"


typedef enum {
    NGX_MEDIA_HOOK_PUBLISH = 0,
    NGX_MEDIA_HOOK_PLAY,
    NGX_MEDIA_HOOK_PUBLISH_DONE,
    NGX_MEDIA_HOOK_PLAY_DONE,
    NGX_MEDIA_HOOK_UPDATE,
    NGX_MEDIA_HOOK_EVENTS
} ngx_media_hook_event_e;

/* of these something is asked, the others only tell it */
#define ngx_media_hook_asks(event)  ((event) <= NGX_MEDIA_HOOK_PLAY)


typedef enum {
    NGX_MEDIA_HOOK_JSON = 0,
    NGX_MEDIA_HOOK_FORM,
    NGX_MEDIA_HOOK_SRS,
    NGX_MEDIA_HOOK_MEDIAMTX,
    NGX_MEDIA_HOOK_FORMATS
} ngx_media_hook_format_e;


/* what is told; what is not known is empty */

typedef struct {
    ngx_media_hook_event_e    event;
    ngx_uint_t                playing;        /* UPDATE, of whom: a viewer */
    uint64_t                  id;             /* below 2^53: numbers of JSON are
                                                 exact up to there */
    ngx_str_t                 call;           /* FORM; empty: by event */
    ngx_str_t                 server;         /* SRS: which one we are */
    ngx_str_t                 app;
    ngx_str_t                 stream;
    ngx_str_t                 protocol;
    ngx_str_t                 address;
    ngx_str_t                 args;           /* "a=1&b=2", as they came */
    ngx_str_t                 agent;
    ngx_str_t                 url;            /* tcUrl */
    ngx_str_t                 page;
    ngx_str_t                 swf;
    const char               *reason;         /* of the end; NULL */
    int64_t                   time;           /* UPDATE: s since it began, */
    uint32_t                  timestamp;      /* and ms of its media */
} ngx_media_hook_t;


typedef enum {
    NGX_MEDIA_HOOK_YES = 0,
    NGX_MEDIA_HOOK_NO,
    NGX_MEDIA_HOOK_FAILED                     /* it could not say */
} ngx_media_hook_result_e;


/* what came, as HTTP has it */

typedef struct {
    ngx_uint_t                status;         /* 200..599 */
    ngx_media_span_t          location;
    ngx_media_span_t          body;
} ngx_media_hook_answer_t;


/* what it means */

typedef struct {
    ngx_media_hook_result_e   result;
    const char               *reason;         /* static; of YES: NULL */
    ngx_media_span_t          stream;         /* another name, in room, not
                                                 looked at; empty: none */
    ngx_uint_t                sessions;       /* at a time; 0: not said */
    int64_t                   expires;        /* s from now; 0: not said */
} ngx_media_hook_verdict_t;


extern const ngx_str_t  ngx_media_hook_events[NGX_MEDIA_HOOK_EVENTS];


/* does the format know such events?  names of formats, NULL after the last */
ngx_uint_t ngx_media_hook_known(ngx_media_hook_format_e format,
    ngx_media_hook_event_e event);
const char *ngx_media_hook_format_name(ngx_uint_t format);

/* may its answers give a stream another name? */
#define ngx_media_hook_renames(format)  ((format) <= NGX_MEDIA_HOOK_FORM)

/* the body, and what it is */
void ngx_media_hook_write(ngx_media_text_t *text,
    ngx_media_hook_format_e format, const ngx_media_hook_t *hook);
const ngx_str_t *ngx_media_hook_type(ngx_media_hook_format_e format);

/* the id as texts have it: lower case, no leading zeros */
void ngx_media_hook_id(ngx_media_text_t *text, uint64_t id);

/*
 * room has as many bytes as body and location together.  app is that of the
 * request: a Location may be a URL of it.
 */
void ngx_media_hook_read(ngx_media_hook_format_e format,
    ngx_media_hook_event_e event, const ngx_str_t *app,
    const ngx_media_hook_answer_t *answer, u_char *room,
    ngx_media_hook_verdict_t *verdict);


#endif /* _NGX_MEDIA_HOOK_H_INCLUDED_ */
