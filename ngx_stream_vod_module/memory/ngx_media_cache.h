
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Blobs in shared memory that are expensive to make: found by a key, made by
 * one request of one process while the others wait, pinned while they are
 * read, the least recently used dropped when there is no room.
 *
 * A blob is bytes without pointers and is never changed.  It is 16 bytes
 * aligned.  A process that dies leaves nothing behind: its pins and what it
 * was making are given up by whoever meets them next.
 *
 * Only in the event loop; a thread may read what was pinned for it.
 */


#ifndef _NGX_MEDIA_CACHE_H_INCLUDED_
#define _NGX_MEDIA_CACHE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MEDIA_CACHE_KEY      40           /* bytes; all are compared */
#define NGX_MEDIA_CACHE_COUNTS   8            /* what its user counts */

typedef struct ngx_media_cache_s  ngx_media_cache_t;


/* a pinned blob, or (data NULL) nothing */

typedef struct {
    const void               *data;
    size_t                    size;
    uint32_t                  entry;
} ngx_media_cache_ref_t;


typedef struct {
    uint64_t                  hits;
    uint64_t                  misses;         /* were made */
    uint64_t                  evicted;
    uint64_t                  nomem;          /* too large for what there is */
    size_t                    size;           /* bytes of the zone */
    size_t                    used;           /* of blobs */
    ngx_uint_t                entries;
    ngx_uint_t                pins;           /* of all processes */
    uint64_t                  counts[NGX_MEDIA_CACHE_COUNTS];
} ngx_media_cache_stat_t;


/*
 * While the configuration is read: a zone of this name and size, kept over
 * reloads if both stay.  It may be had only once in a configuration.
 */
ngx_media_cache_t *ngx_media_cache_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);

/*
 * NGX_OK: *ref is pinned; NGX_DECLINED: there is no such blob and it is the
 * caller who makes it now, ending in put() or abandon(); NGX_AGAIN: somebody
 * else is making it, be it in this process, ask again a moment later.
 *
 * Where all entries are pinned or being made, or too many processes use the
 * cache, each who asks gets NGX_DECLINED, and put() probably too.
 */
ngx_int_t ngx_media_cache_get(ngx_media_cache_t *cache, const u_char *key,
    ngx_media_cache_ref_t *ref);

/*
 * What was made is copied, and pinned; if others were faster, what they made
 * is.  NGX_DECLINED: there would be no room even if all that is not pinned
 * was dropped; then nothing is, and it is abandoned.
 */
ngx_int_t ngx_media_cache_put(ngx_media_cache_t *cache, const u_char *key,
    const void *data, size_t size, ngx_media_cache_ref_t *ref);
void ngx_media_cache_abandon(ngx_media_cache_t *cache, const u_char *key);

/* *ref becomes nothing; nothing may be unpinned */
void ngx_media_cache_unpin(ngx_media_cache_t *cache,
    ngx_media_cache_ref_t *ref);

/* counters that its user gives their meaning, 0 to COUNTS - 1 */
void ngx_media_cache_count(ngx_media_cache_t *cache, ngx_uint_t counter,
    uint64_t n);

void ngx_media_cache_stat(ngx_media_cache_t *cache,
    ngx_media_cache_stat_t *stat);


#endif /* _NGX_MEDIA_CACHE_H_INCLUDED_ */
