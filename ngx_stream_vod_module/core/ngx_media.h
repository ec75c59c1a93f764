
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Forward types, limits and the configuration of an application.  The
 * glossary is in docs/architecture.md; its words are the identifiers.
 */


#ifndef _NGX_MEDIA_H_INCLUDED_
#define _NGX_MEDIA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_lang.h"
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_MODULE         0x4149444d   /* "MDIA" */
#define NGX_MEDIA_CONF           0x08000000

#define NGX_MEDIA_NAME_MAX       255          /* bytes of a stream name */
#define NGX_MEDIA_TRACKS         32           /* of a stream at a time */

/* why a publisher is turned away; see docs/metrics.md */

typedef enum {
    NGX_MEDIA_REFUSED_DENIED = 0,             /* by an access check */
    NGX_MEDIA_REFUSED_LATE,                   /* one that did not answer */
    NGX_MEDIA_REFUSED_CONFLICT,               /* another one has the name */
    NGX_MEDIA_REFUSED_STREAMS,                /* there are too many */
    NGX_MEDIA_REFUSED_NAME,                   /* it is none */
    NGX_MEDIA_REFUSED_HURRY,                  /* too often */
    NGX_MEDIA_REFUSED_RESTART,                /* of the server */
    NGX_MEDIA_REFUSED_NOMEM,
    NGX_MEDIA_REFUSED_PROTOCOL,               /* it may not say so here */
    NGX_MEDIA_REFUSED_KINDS
} ngx_media_refused_e;


/* what a publisher sends and is of no use, by kind; see docs/status.md */

typedef enum {
    NGX_MEDIA_IGNORED_MESSAGE = 0,            /* cannot be read */
    NGX_MEDIA_IGNORED_FRAME,                  /* its bytes are no frame */
    NGX_MEDIA_IGNORED_UNIT,                   /* of a frame that is good */
    NGX_MEDIA_IGNORED_CONFIG,                 /* of a decoder */
    NGX_MEDIA_IGNORED_UNCONFIGURED,           /* frame before one */
    NGX_MEDIA_IGNORED_CODEC,                  /* not supported */
    NGX_MEDIA_IGNORED_TRACK,                  /* no room for it */
    NGX_MEDIA_IGNORED_EMPTY,                  /* nothing in it */
    NGX_MEDIA_IGNORED_DATA,                   /* neither audio nor video */
    NGX_MEDIA_IGNORED_KINDS
} ngx_media_ignored_e;


/* what a publisher says of a track beside its configuration */

typedef enum {
    NGX_MEDIA_ROLE_NONE = 0,                  /* it did not say */
    NGX_MEDIA_ROLE_MAIN,                      /* shown unless another is asked
                                                 for */
    NGX_MEDIA_ROLE_ALTERNATE,
    NGX_MEDIA_ROLE_DESCRIPTION,               /* audio: of the picture */
    NGX_MEDIA_ROLE_CLEAR                      /* audio: enhanced speech */
} ngx_media_role_e;

typedef struct {
    u_char                    lang[NGX_MEDIA_LANG];    /* RFC 5646; "" */
    u_char                    label[NGX_MEDIA_LABEL];  /* UTF-8; "" */
    uint32_t                  role;           /* ngx_media_role_e */
    uint32_t                  group;          /* tracks of one are the same
                                                 thing; 0: of none */
} ngx_media_attributes_t;


/* publish_conflict */
#define NGX_MEDIA_CONFLICT_REJECT  0
#define NGX_MEDIA_CONFLICT_DROP    1


typedef struct ngx_media_listeners_s  ngx_media_listeners_t;


/* one media NAME {} block; lives in the cycle's pool */

struct ngx_media_app_s {
    ngx_str_t                 name;
    ngx_cycle_t              *cycle;
    ngx_media_zone_t         *zone;

    size_t                    zone_size;
    ngx_msec_t                segment;
    ngx_msec_t                segment_max;
    ngx_msec_t                part;           /* 0: no parts */
    ngx_msec_t                window;
    ngx_msec_t                grace;
    ngx_msec_t                track_wait;
    ngx_msec_t                drain;
    ngx_msec_t                send_limit;
    ngx_uint_t                publish_conflict;
    ngx_uint_t                max_streams;
    ngx_uint_t                max_bitrate;    /* bit/s, of a stream; 0: no */
    ngx_msec_t                latency;        /* modules': of derived tracks */

    /* made of the above */
    uint32_t                  target;         /* TARGETDURATION, s */
    uint32_t                  part_target;    /* 1/10000 s; 0: no parts */
    ngx_uint_t                ring_segments;  /* entries of a track's rings */
    ngx_uint_t                ring_parts;

    ngx_queue_t               publishers;     /* of this process */
    ngx_uint_t                look;           /* stream to look at closely */

    /* of modules of media {}, by ctx_index: see ngx_media_module.h */
    void                    **conf;
    void                    **shared;         /* in the zone; NULL: nothing */
    ngx_media_listeners_t    *listeners;      /* of events; NULL: none */
};


/* the unix time of this event in ms */

static ngx_inline int64_t
ngx_media_wall_msec(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + tp->msec;
}


/* the i-th application of this cycle, NULL after the last */
ngx_media_app_t *ngx_media_app_entry(ngx_cycle_t *cycle, ngx_uint_t i);

/* the application of this name in this cycle, or NULL */
ngx_media_app_t *ngx_media_app_find(ngx_cycle_t *cycle, ngx_str_t *name);

/*
 * The same while the configuration is read: media blocks may stand below
 * their users, so directives only note the name, and init_conf of the CORE
 * module calls what is registered here when all of the file is known.
 */
typedef char *(*ngx_media_check_pt)(ngx_conf_t *cf, void *data);

ngx_int_t ngx_media_conf_check(ngx_conf_t *cf, ngx_media_check_pt check,
    void *data);


#endif /* _NGX_MEDIA_H_INCLUDED_ */
