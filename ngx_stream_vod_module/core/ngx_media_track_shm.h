
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tracks in a zone: see ngx_media_store_shm.h for what holds for all records.
 *
 * style: long header, it is one layout.
 */


#ifndef _NGX_MEDIA_TRACK_SHM_H_INCLUDED_
#define _NGX_MEDIA_TRACK_SHM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_read.h"


#define NGX_MEDIA_INITS          16           /* versions of a track */
#define NGX_MEDIA_TRACK_NAMES    9999999      /* of a type, in 8 bytes */
#define NGX_MEDIA_TRACK_OWN      64           /* of these, its publisher's
                                                 number says which */


typedef struct {
    uint64_t                  number;
    int64_t                   time;
    uint64_t                  duration;
    int64_t                   wall;
    uint64_t                  init;
    uint64_t                  bytes;
    uint64_t                  part;           /* ring index of its first */
    uint64_t                  bandwidth;
    uint64_t                  period;
    int64_t                   period_time;
    int64_t                   period_wall;
    uint32_t                  key_size;
    uint32_t                  nparts;
    uint32_t                  nranges;
    uint32_t                  flags;          /* NGX_MEDIA_SEGMENT_* */
    ngx_media_range_t         ranges[NGX_MEDIA_RANGES];
} ngx_media_segment_shm_t;

#define NGX_MEDIA_SEGMENT_DISCONTINUITY  0x01
#define NGX_MEDIA_SEGMENT_ANCHORED       0x02
#define NGX_MEDIA_SEGMENT_FORCED         0x04
#define NGX_MEDIA_SEGMENT_LEADING        0x08
#define NGX_MEDIA_SEGMENT_GAP            0x10
#define NGX_MEDIA_SEGMENT_RUNS           0x20
#define NGX_MEDIA_SEGMENT_COARSE         0x40

#define NGX_MEDIA_SEGMENT_PER_PAGE                                            \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_segment_shm_t))
#define NGX_MEDIA_SEGMENT_PAGES  (NGX_MEDIA_PAGE / sizeof(void *))


typedef struct {
    uint64_t                  number;
    uint32_t                  part;
    uint32_t                  duration;
    uint32_t                  independent;
    ngx_media_range_t         range;
} ngx_media_part_shm_t;

#define NGX_MEDIA_PART_PER_PAGE                                               \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_part_shm_t))
#define NGX_MEDIA_PART_PAGES     64


/*
 * The forms of a track: the same frames, packed or encrypted otherwise.  What
 * is said of a segment or a part holds for all of them, and so do the places
 * in the rings; a form has its own bytes.  Form 0 is in the records above, the
 * others have records beside them, in the same places, which are there if
 * their number is the one.
 */

#define NGX_MEDIA_FORMS          4

typedef struct {
    uint64_t                  number;
    uint64_t                  init;
    uint64_t                  bytes;
    uint32_t                  key_size;
    uint32_t                  nranges;
    ngx_media_range_t         ranges[NGX_MEDIA_RANGES];
} ngx_media_form_segment_shm_t;

#define NGX_MEDIA_FORM_SEGMENT_PER_PAGE                                       \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_form_segment_shm_t))

typedef struct {
    uint64_t                  number;
    uint32_t                  part;
    ngx_media_range_t         range;
} ngx_media_form_part_shm_t;

#define NGX_MEDIA_FORM_PART_PER_PAGE                                          \
    (NGX_MEDIA_PAGE / sizeof(ngx_media_form_part_shm_t))

/* where a writer is */

typedef struct {
    uint32_t                  extent;         /* [stream] written to */
    uint64_t                  used;           /* [stream] bytes of it */
    uint64_t                  largest;        /* [stream] segment, bytes */
} ngx_media_place_shm_t;

/* one page, and two of pages */

typedef struct {
    ngx_media_place_shm_t     place;
    ngx_media_form_segment_shm_t
                            **segments;       /* [once] a page of pages */
    ngx_media_form_part_shm_t
                            **parts;          /* [once] likewise */
} ngx_media_form_shm_t;


/*
 * One page, and as many more as it takes; [once].  What is in them is one run
 * of bytes: ngx_media_init_t, as far as it is in use, and the init segment.
 */

#define NGX_MEDIA_INIT_MAX       65536        /* bytes of an init segment */
#define NGX_MEDIA_INIT_PAGES                                                  \
    ((NGX_MEDIA_INIT_MAX + sizeof(ngx_media_init_t)) / NGX_MEDIA_PAGE + 1)
#define NGX_MEDIA_INIT_ROOM                                                   \
    (NGX_MEDIA_PAGE - offsetof(ngx_media_init_shm_t, bytes))

typedef struct {
    uint64_t                  name;
    uint32_t                  head;           /* bytes of ngx_media_init_t */
    uint32_t                  size;           /* of the init segment */
    u_char                   *pages[NGX_MEDIA_INIT_PAGES];
    u_char                    bytes[];
} ngx_media_init_shm_t;

/* pages that all versions of a track may have, which are then fewer */
#define NGX_MEDIA_INITS_PAGES    64


/* what a track's writer counts; it hands them over with each part */

typedef struct {
    uint64_t                  frames;
    uint64_t                  keys;
    uint64_t                  bytes;
    uint64_t                  parts_late;     /* closed by the next frame */
    uint64_t                  parts_over;     /* longer than PART-TARGET */
    uint64_t                  forced_cuts;
    uint64_t                  silent;         /* frames fed */
    uint64_t                  again;          /* frames put out once more */
    uint64_t                  dropped_late;   /* frames */
    uint64_t                  dropped_key;    /* waiting for a key frame */
    uint64_t                  dropped_nomem;
    uint64_t                  dropped_bad;    /* malformed or too large */
    uint64_t                  key_msec;       /* the last key frame interval */
    uint64_t                  key_msec_max;
} ngx_media_track_count_t;


/* numbers of derived tracks begin with this, and none of a publisher's does */
#define NGX_MEDIA_DERIVED_ID     0x10000


/* one page */

struct ngx_media_track_shm_s {
    u_char                    name[8];        /* [once] "v1" */
    uint32_t                  name_len;       /* [once] */
    uint32_t                  type;           /* [once] */
    uint32_t                  timescale;      /* [once] */
    uint32_t                  publisher;      /* [once] its publisher's
                                                 number of the track */
    uint32_t                  codec;          /* [once] */
    uint32_t                  only;           /* [stream] NGX_MEDIA_IN_*, where
                                                 it is listed; 0: in all */
    uint64_t                  epoch;          /* [stream] of the last publisher
                                                 that had it */
    ngx_media_attributes_t    attributes;     /* [stream] readers may see one
                                                 half changed, until the next
                                                 version */
    uint32_t                  ended;          /* [stream] */
    uint32_t                  away;           /* [stream] others go on */
    uint32_t                  parts_off;      /* [stream] for good */
    uint32_t                  parts_held;     /* [stream] for now */
    ngx_media_place_shm_t     place;          /* of form 0 */
    ngx_media_form_shm_t     *forms[NGX_MEDIA_FORMS];  /* [stream] but form 0;
                                                 NULL: it never was */

    /*
     * Rings.  Entries from tail up to (not including) head are valid; of
     * segments, those below closed are complete and one more may be open.
     */
    uint64_t                  segment_tail;   /* [stream, atomic] */
    uint64_t                  segment_closed; /* they are segment numbers: a */
    uint64_t                  segment_head;   /* track's have no holes */
    uint64_t                  segment_size;   /* [once] */
    ngx_media_segment_shm_t **segments;       /* [once] a page of pages */

    uint64_t                  part_tail;
    uint64_t                  part_head;
    uint64_t                  part_size;      /* [once] */
    int64_t                   told[2];        /* [stream] timed data before this
                                                 is in its parts, in timescale:
                                                 by part_head's last bit */
    ngx_media_part_shm_t     *parts[NGX_MEDIA_PART_PAGES];

    ngx_media_init_shm_t     *inits[NGX_MEDIA_INITS];  /* [stream] */

    uint64_t                  edge;           /* [atomic] see below */
    uint64_t                  expect;         /* [atomic] the next part */
    uint64_t                  bandwidth;      /* [atomic] bit/s, ratchet */
    uint64_t                  key_bandwidth;  /* [atomic] of key frames alone,
                                                 likewise */
    uint64_t                  bits;           /* [stream] of all closed */
    uint64_t                  ticks;          /* [stream] their duration */
    uint32_t                  fps;            /* [atomic] 1/1000 */

    int64_t                   end;            /* [stream] of its newest
                                                 segment, also if that has
                                                 gone */
    uint64_t                  rate;           /* bit/s, the last segment */
    uint64_t                  nparts;         /* since birth */
    uint64_t                  nsegments;
    ngx_media_track_count_t   count;
};

/* newest part: segment number and index; 0: nothing is published */
#define ngx_media_edge(n, p)       ((uint64_t) (n) << 20 | (p))
#define ngx_media_edge_number(e)   ((e) >> 20)
#define ngx_media_edge_part(e)     ((e) & 0xfffff)


/* in ms: the bits of some days at a high rate, in ticks, are too many */

static ngx_inline uint64_t
ngx_media_track_average(uint64_t bits, uint64_t ticks, uint32_t timescale)
{
    uint64_t  msec;

    msec = ticks * 1000 / timescale;

    return msec ? bits * 1000 / msec : 0;
}


/* pages of a version besides its first */

static ngx_inline ngx_uint_t
ngx_media_init_pages(size_t len)
{
    return len > NGX_MEDIA_INIT_ROOM
           ? (len - NGX_MEDIA_INIT_ROOM + NGX_MEDIA_PAGE - 1) / NGX_MEDIA_PAGE
           : 0;
}


/* where the run goes on in a page, and how long; NULL: it is gone */

static ngx_inline u_char *
ngx_media_init_at(const ngx_media_zone_t *zone, ngx_media_init_shm_t *init,
    size_t pos, size_t *len)
{
    size_t   n;
    u_char  *page;

    if (pos < NGX_MEDIA_INIT_ROOM) {
        *len = NGX_MEDIA_INIT_ROOM - pos;
        return init->bytes + pos;
    }

    pos -= NGX_MEDIA_INIT_ROOM;
    n = pos / NGX_MEDIA_PAGE;

    if (n >= NGX_MEDIA_INIT_PAGES) {
        return NULL;
    }

    page = ngx_media_load(&init->pages[n]);

    *len = NGX_MEDIA_PAGE - pos % NGX_MEDIA_PAGE;

    return ngx_media_block_valid(zone, page) ? page + pos % NGX_MEDIA_PAGE
                                             : NULL;
}


/* a piece of the run; judged afterwards, by who has no lock */

static ngx_inline ngx_int_t
ngx_media_init_read(const ngx_media_zone_t *zone, ngx_media_init_shm_t *init,
    size_t pos, void *dst, size_t size)
{
    size_t   n;
    u_char  *from, *to;

    for (to = dst; size; to += n, pos += n, size -= n) {
        from = ngx_media_init_at(zone, init, pos, &n);

        if (from == NULL) {
            return NGX_DECLINED;
        }

        n = ngx_min(n, size);
        ngx_memcpy(to, from, n);
    }

    return NGX_OK;
}


/* its first part; what is not in use of *copy stays as it is */

static ngx_inline ngx_int_t
ngx_media_init_read_head(const ngx_media_zone_t *zone,
    ngx_media_init_shm_t *init, ngx_media_init_t *copy)
{
    uint32_t  head;

    head = ngx_media_load(&init->head);

    return (head > sizeof(ngx_media_init_t))
           ? NGX_DECLINED
           : ngx_media_init_read(zone, init, 0, copy, head);
}


static ngx_inline ngx_media_segment_shm_t *
ngx_media_segment_record(const ngx_media_track_shm_t *t, uint64_t number)
{
    uint64_t  n;

    n = number % t->segment_size;

    return &t->segments[n / NGX_MEDIA_SEGMENT_PER_PAGE]
                       [n % NGX_MEDIA_SEGMENT_PER_PAGE];
}


static ngx_inline ngx_media_part_shm_t *
ngx_media_part_record(const ngx_media_track_shm_t *t, uint64_t index)
{
    uint64_t  n;

    n = index % t->part_size;

    return &t->parts[n / NGX_MEDIA_PART_PER_PAGE]
                    [n % NGX_MEDIA_PART_PER_PAGE];
}


#endif /* _NGX_MEDIA_TRACK_SHM_H_INCLUDED_ */
