
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What publish answers, see ngx_media_publish.h.
 */


#ifndef _NGX_MEDIA_PUBLISH_ANSWER_H_INCLUDED_
#define _NGX_MEDIA_PUBLISH_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_MEDIA_PUBLISH_OK = 0,
    NGX_MEDIA_PUBLISH_WAIT,                   /* begin: ready is called later */

    /*
     * Of what was sent this, or some of it, was left out: it is counted and
     * was said, and the publisher goes on.
     */
    NGX_MEDIA_PUBLISH_UNKNOWN,                /* the codec is no codec here */
    NGX_MEDIA_PUBLISH_UNSUPPORTED,            /* this use of the codec */
    NGX_MEDIA_PUBLISH_MALFORMED,
    NGX_MEDIA_PUBLISH_UNCONFIGURED,           /* no configuration has come */
    NGX_MEDIA_PUBLISH_TOO_MANY,               /* no room for the track */
    NGX_MEDIA_PUBLISH_EMPTY,
    NGX_MEDIA_PUBLISH_DATA,                   /* neither audio nor video */
    NGX_MEDIA_PUBLISH_FULL,                   /* no room for timed data */

    /* the caller ends it */
    NGX_MEDIA_PUBLISH_LOST,                   /* another one has the stream */
    NGX_MEDIA_PUBLISH_USELESS,                /* for too long */

    /* of begin, too */
    NGX_MEDIA_PUBLISH_NOMEM,

    /* of begin: refused, counted and said */
    NGX_MEDIA_PUBLISH_DENIED,                 /* by an access check */
    NGX_MEDIA_PUBLISH_CONFLICT,               /* the name is being published */
    NGX_MEDIA_PUBLISH_LIMIT,                  /* max_streams */
    NGX_MEDIA_PUBLISH_NAME,                   /* not a stream name */
    NGX_MEDIA_PUBLISH_CLOSING,                /* this worker is leaving, or the
                                                 zone was replaced: reconnect */
    NGX_MEDIA_PUBLISH_HURRIES,                /* published anew too often */

    NGX_MEDIA_PUBLISH_ANSWERS
} ngx_media_publish_e;

#define ngx_media_publish_goes_on(rc)  ((rc) < NGX_MEDIA_PUBLISH_LOST)


/* what it means; static; see ngx_media_publish_why() */
const char *ngx_media_publish_sentence(ngx_media_publish_e rc);


#endif /* _NGX_MEDIA_PUBLISH_ANSWER_H_INCLUDED_ */
