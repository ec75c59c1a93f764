
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Do the books of a zone agree with themselves: debug builds look after each
 * repair, tests whenever they like.  Each contradiction is an alert; returned
 * is how many there are.
 */


#ifndef _NGX_MEDIA_ZONE_VALIDATE_H_INCLUDED_
#define _NGX_MEDIA_ZONE_VALIDATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "memory/ngx_media_zone.h"


#if (NGX_DEBUG)


#define ngx_media_must(zone, n, expr, what, value)                            \
    do {                                                                      \
        if (!(expr)) {                                                        \
            (n)++;                                                            \
            ngx_log_error(NGX_LOG_ALERT, (zone)->log, 0,                      \
                          "media books: " what ", at:%uL",                    \
                          (uint64_t) (value));                                \
            ngx_debug_point();                                                \
        }                                                                     \
    } while (0)


/* takes the zone's lock */
ngx_uint_t ngx_media_zone_validate(ngx_media_zone_t *zone);

/* it is held by the caller */
ngx_uint_t ngx_media_zone_validate_locked(ngx_media_zone_t *zone);

#else

#define ngx_media_zone_validate(zone)              0
#define ngx_media_zone_validate_locked(zone)       0

#endif


#endif /* _NGX_MEDIA_ZONE_VALIDATE_H_INCLUDED_ */
