
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the store has at the head of a zone: streams, and what is counted of
 * all of them.  Streams are type-stable, as the zone's own records are, and
 * the i-th of them is the i-th owner of extents and blocks.
 *
 * Guards: as in ngx_media_zone_shm.h; [stream] is the stream's lock.
 */


#ifndef _NGX_MEDIA_STORE_SHM_H_INCLUDED_
#define _NGX_MEDIA_STORE_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_stream_shm.h"
#include "memory/ngx_media_zone.h"


#define NGX_MEDIA_LAYOUT         9            /* of all that is the core's in
                                                 a zone, blocks included */
#define NGX_MEDIA_STORE_MAGIC    0x616964656d78676eull


/*
 * The first two never change: a module that was loaded from another file, and
 * may know nothing else of this zone, sets "retired" on a reload.
 */

struct ngx_media_store_shm_s {
    uint64_t                  magic;          /* [once] */
    uint64_t                  retired;        /* [atomic] replaced: leave */

    uint64_t                  number;         /* [zone] highest that a removed
                                                 stream has used */
    uint64_t                  discontinuity;  /* [zone] likewise */

    uint32_t                  nstreams;
    uint32_t                  used_streams;   /* [zone] high-water mark */
    ngx_media_stream_shm_t   *streams;
    uint32_t                 *hashes;         /* [atomic] of names, by record;
                                                 0: none */

    /*
     * Records by name: lists, each of which is whole at any moment.  A record
     * that has left may be in another one: who finds nothing looks again if
     * there was a change.
     */
    uint64_t                  changes;        /* [zone, atomic] of the lists */
    uint32_t                  nlists;         /* a power of 2 */
    uint32_t                 *lists;          /* [zone, atomic] by hash: the
                                                 first record + 1 */
    uint32_t                 *nexts;          /* [zone, atomic] by record */

    /* counters [atomic] */
    uint64_t                  nomem;
    uint64_t                  evicted;
    uint64_t                  published;      /* publishers that began */
    uint64_t                  refused[NGX_MEDIA_REFUSED_KINDS];  /* that were
                                                 turned away */
    uint64_t                  expired;        /* streams that are gone */
};


#define ngx_media_stream_record(zone, i)  (&(zone)->store->streams[i])
#define ngx_media_stream_index(zone, s)                                       \
    ((uint32_t) ((s) - (zone)->store->streams))

/* pages of the arena that are committed to it */
#define ngx_media_stream_pages(zone, s)                                       \
    ngx_media_peek(&(zone)->sh->accounts[ngx_media_stream_index(zone, s)])


#endif /* _NGX_MEDIA_STORE_SHM_H_INCLUDED_ */
