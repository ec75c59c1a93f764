
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Reading the store: streams, tracks, segments and parts of a zone, from any
 * process, without a lock.  What is returned are copies; bytes stay in the
 * arena and are reached through ranges, which are pinned while they are read
 * or sent.
 *
 * Answers:  NGX_OK;
 *           NGX_DECLINED  there is no such thing and never was (404);
 *           NGX_AGAIN     not yet: it may still come (wait, or 404);
 *           NGX_DONE      it was there and has gone for good (410);
 *           NGX_ERROR     no memory in the caller's pool.
 */


#ifndef _NGX_MEDIA_READ_H_INCLUDED_
#define _NGX_MEDIA_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_view.h"
#include "memory/ngx_media_notify.h"


/*
 * A track as it was found: who asks several things of one finds it once.  It
 * holds nothing and is never given back.  It is good for as long as the zone is
 * there; where its track has gone meanwhile, all that would be read of it and
 * each look are NGX_DONE.  What is asked is as of the last look, which has to
 * come first; who waits looks anew when something has changed.
 */

typedef struct {
    ngx_uint_t                state;          /* NGX_MEDIA_STREAM_* */
    ngx_uint_t                ended;          /* the track, or the stream */
    uint64_t                  tail;           /* segments: the oldest, */
    uint64_t                  closed;         /* the first open one, */
    uint64_t                  head;           /* the next one */
    uint64_t                  edge;           /* the newest part; 0: none */
    uint64_t                  size;           /* of the ring of segments */
} ngx_media_heads_t;


typedef struct {
    ngx_media_stream_t        stream;
    ngx_uint_t                track;          /* its handle, see view.h */
    ngx_media_track_shm_t    *t;              /* of the reading side alone */
    ngx_media_heads_t         heads;          /* as of the last look */
} ngx_media_track_ref_t;


/* of a name, not 0 */
uint32_t ngx_media_stream_hash(ngx_str_t *name);

/* NGX_OK or NGX_DECLINED */
ngx_int_t ngx_media_stream_find(ngx_media_zone_t *zone, ngx_str_t *name,
    ngx_media_stream_t *stream);

/* cheap: 0 when the stream has gone; compare with a view's version */
uint64_t ngx_media_stream_version(const ngx_media_stream_t *stream);

/* NGX_MEDIA_STREAM_*; 0: it has gone */
ngx_uint_t ngx_media_stream_state(const ngx_media_stream_t *stream);

/* 1/10000 s; 0: no parts are listed */
uint32_t ngx_media_stream_part_target(const ngx_media_stream_t *stream);

/*
 * Somebody wants it, for NGX_MEDIA_ASKED ms from now on: cheap enough to be
 * said with each request.  And whether that is still so; whoever can make it of
 * a publisher offers it (ngx_media_claim.h), and looks with each frame.
 */
#define NGX_MEDIA_ASKED  30000

void ngx_media_stream_ask(const ngx_media_stream_t *stream,
    ngx_media_ask_e what);
ngx_uint_t ngx_media_stream_asked(const ngx_media_stream_t *stream,
    ngx_media_ask_e what);

/* what to wait for, for changes of what is listed of it */
ngx_media_notify_shm_t *ngx_media_stream_notify(
    const ngx_media_stream_t *stream);

/*
 * A consistent copy, allocated from pool.  All tracks are there; segments,
 * parts and inits are filled for the one named, for all of them
 * (NGX_MEDIA_ALL_TRACKS) or for none (NGX_MEDIA_NO_TRACK).
 * NGX_OK, NGX_DONE (the stream has gone), NGX_ERROR.
 */
ngx_int_t ngx_media_stream_view(const ngx_media_stream_t *stream,
    ngx_pool_t *pool, ngx_uint_t track, ngx_media_stream_view_t *view);

/* by its name, "v1", or by its handle; not looked at yet.  NGX_OK,
   NGX_DECLINED; by a handle also NGX_DONE */
ngx_int_t ngx_media_track_find(const ngx_media_stream_t *stream,
    ngx_str_t *name, ngx_media_track_ref_t *ref);
ngx_int_t ngx_media_track_ref(const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_media_track_ref_t *ref);

/* how far it is now: NGX_OK, or NGX_DONE, it has gone */
ngx_int_t ngx_media_ref_look(ngx_media_track_ref_t *ref);

/* ticks of a second of it, never 0 */
uint32_t ngx_media_ref_timescale(const ngx_media_track_ref_t *ref);

/* as of the last look, reads nothing */
void ngx_media_ref_edge(const ngx_media_track_ref_t *ref,
    ngx_media_edge_t *edge);

ngx_int_t ngx_media_ref_segment(const ngx_media_track_ref_t *ref,
    uint64_t number, ngx_media_segment_t *segment);
/* the closed segment whose time is exactly this */
ngx_int_t ngx_media_ref_segment_at(const ngx_media_track_ref_t *ref,
    int64_t time, ngx_media_segment_t *segment);
ngx_int_t ngx_media_ref_part(const ngx_media_track_ref_t *ref,
    uint64_t number, ngx_uint_t part, ngx_media_part_t *copy);

/* the bytes of an init segment, copied into pool; the parameters that it says.
   They need no look */
ngx_int_t ngx_media_ref_init(const ngx_media_track_ref_t *ref, uint64_t name,
    ngx_pool_t *pool, ngx_str_t *bytes);
ngx_int_t ngx_media_ref_init_params(const ngx_media_track_ref_t *ref,
    uint64_t name, ngx_media_params_t *params);


/* the same for who asks one thing: finds it and looks */

/* NGX_OK or NGX_DONE */
ngx_int_t ngx_media_track_edge(const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_media_edge_t *edge);
ngx_int_t ngx_media_track_segment(const ngx_media_stream_t *stream,
    ngx_uint_t track, uint64_t number, ngx_media_segment_t *segment);
ngx_int_t ngx_media_track_part(const ngx_media_stream_t *stream,
    ngx_uint_t track, uint64_t number, ngx_uint_t part,
    ngx_media_part_t *copy);
ngx_int_t ngx_media_track_init_params(const ngx_media_stream_t *stream,
    ngx_uint_t track, uint64_t name, ngx_media_params_t *params);


#endif /* _NGX_MEDIA_READ_H_INCLUDED_ */
