
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A zone outside of nginx, and a publisher that writes parts whose every
 * word says what it is: for the tests of the store.
 */


#ifndef _MEDIA_ZONE_H_INCLUDED_
#define _MEDIA_ZONE_H_INCLUDED_


#include <sys/mman.h>
#include <sys/stat.h>
#include "memory/ngx_media_notify.h"
#include "core/ngx_media_store_zone.h"
#include "core/ngx_media_evict.h"
#include "core/ngx_media_form.h"
#include "core/ngx_media_part.h"
#include "core/ngx_media_stream.h"
#include "core/ngx_media_stream_lock.h"
#include "core/ngx_media_track.h"
#include "memory/ngx_media_zone.h"
#include "ngx_stub.h"


#define MEDIA_MAGIC  0x6d65646961706172ull

/* who follows a publisher does not want to follow it making payload */
#ifndef media_pub_watch
#define media_pub_watch(on)
#endif

/* the beginning of each part; data[0] of what is put */

typedef struct {
    uint64_t              magic;
    uint64_t              seed;
    uint64_t              name;              /* hash of the stream's name */
    uint64_t              number;
    uint32_t              part;
    uint32_t              track;
    uint64_t              size;              /* of all, a multiple of 8 */
} media_head_t;


typedef struct {
    ngx_media_claim_t     claim;
    uint64_t              name;
    ngx_uint_t            track;             /* in the stream */
    ngx_media_params_t    params;
    ngx_media_segment_t   segment;
    ngx_media_track_count_t
                          count;
    ngx_uint_t            nparts;            /* of the open segment */
    int64_t               time;              /* of the next part */
} media_pub_t;


static inline void
media_app_init(ngx_media_app_t *app, size_t size, ngx_uint_t streams)
{
    ngx_memzero(app, sizeof(ngx_media_app_t));

    ngx_str_set(&app->name, "live");

    app->zone_size = size;
    app->segment = 2000;
    app->segment_max = 3000;
    app->part = 200;
    app->window = 60000;
    app->grace = 15000;
    app->publish_conflict = NGX_MEDIA_CONFLICT_DROP;
    app->max_streams = streams;
    app->target = 3;
    app->part_target = 2134;
    app->ring_segments = 76;
    app->ring_parts = 200;
}


static inline size_t
media_zone_size(const ngx_media_app_t *app)
{
    ngx_media_zone_conf_t  conf;

    ngx_media_store_zone_conf(app, &conf);

    return ngx_media_zone_memory(&conf);
}


static inline ngx_media_zone_t *
media_zone_create(ngx_media_app_t *app)
{
    void                   *mem;
    size_t                  size;
    ngx_media_zone_t       *zone;
    ngx_media_zone_conf_t   conf;

    ngx_media_store_zone_conf(app, &conf);

    zone = calloc(1, sizeof(ngx_media_zone_t));
    size = media_zone_size(app);

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);

    if (zone == NULL || mem == MAP_FAILED) {
        abort();
    }

    zone->sh = mem;
    zone->app = app;
    zone->log = &ngx_stub_log;
    zone->arena = ngx_media_arena_create(app->zone_size, zone->log);

    if (zone->arena == NULL) {
        abort();
    }

    ngx_media_zone_format(zone->sh, mem, &conf);
    ngx_media_store_format(zone, zone->sh->head);

    ngx_queue_init(&app->publishers);

    app->zone = zone;

    return zone;
}


static inline void
media_zone_destroy(ngx_media_zone_t *zone)
{
    ngx_media_arena_release(zone->arena);
    (void) munmap(zone->sh, media_zone_size(zone->app));
    free(zone);
}


/* bytes that the arena's file really has */

static inline uint64_t
media_zone_bytes(ngx_media_zone_t *zone)
{
    struct stat  st;

    if (fstat(zone->arena->fd, &st) == -1) {
        abort();
    }

    return (uint64_t) st.st_blocks * 512;
}


static inline uint64_t
media_word(uint64_t seed, uint64_t i)
{
    seed += i * 0x9e3779b97f4a7c15ull;
    seed = (seed ^ seed >> 31) * 0xbf58476d1ce4e5b9ull;

    return seed ^ seed >> 29;
}


/* NULL: the part is whole; else what is wrong */

static inline const char *
media_part_check(const u_char *p, size_t size, media_head_t *head)
{
    uint64_t      word;
    size_t        i;

    if (size < sizeof(media_head_t)) {
        return "too short for its head";
    }

    memcpy(head, p, sizeof(media_head_t));

    if (head->magic != MEDIA_MAGIC) {
        return "no head";
    }

    if (head->size > size || head->size % 8 != 0
        || head->size < sizeof(media_head_t))
    {
        return "size";
    }

    for (i = sizeof(media_head_t) / 8; i < head->size / 8; i++) {
        memcpy(&word, p + i * 8, 8);

        if (word != media_word(head->seed, i)) {
            return "a byte";
        }
    }

    return NULL;
}


/* n parts of a segment, from this one on; NULL or what is wrong */

static inline const char *
media_parts_check(const u_char *p, size_t size, uint64_t name,
    ngx_uint_t track, uint64_t number, ngx_uint_t part, ngx_uint_t *n)
{
    const char    *wrong;
    media_head_t   head;

    for (*n = 0; size; (*n)++) {
        wrong = media_part_check(p, size, &head);

        if (wrong) {
            return wrong;
        }

        if (head.name != name || head.track != track
            || head.number != number || head.part != part + *n)
        {
            return "another part";
        }

        p += head.size;
        size -= head.size;
    }

    return NULL;
}


/* what is listed has no holes, and grows */

static inline const char *
media_view_check(const ngx_media_track_view_t *t)
{
    ngx_uint_t                  i;
    const ngx_media_part_t     *part;
    const ngx_media_segment_t  *s;

    for (i = 0; i < t->nsegments; i++) {
        s = &t->segments[i];

        if (s->open && i != t->nsegments - 1) {
            return "an open segment in the middle";
        }

        if (i && s->number != s[-1].number + 1) {
            return "numbers of segments";
        }

        if (i && s->time < s[-1].time) {
            return "times of segments";
        }

        if (!s->open && !s->gap && (s->nranges == 0 || s->nparts == 0)) {
            return "an empty segment";
        }
    }

    for (i = 1; i < t->nparts; i++) {
        part = &t->parts[i];

        if (part->number < part[-1].number
            || (part->number == part[-1].number
                && part->part != part[-1].part + 1)
            || (part->number > part[-1].number && part->part != 0))
        {
            return "numbers of parts";
        }
    }

    return NULL;
}


static inline ngx_int_t
media_pub_begin(media_pub_t *pub, ngx_media_zone_t *zone, const char *name)
{
    ngx_int_t  rc;
    ngx_str_t  text, protocol, address;

    ngx_memzero(pub, sizeof(media_pub_t));

    text.data = (u_char *) name;
    text.len = strlen(name);
    ngx_str_set(&protocol, "rtmp");
    ngx_str_set(&address, "127.0.0.1");

    pub->name = ngx_media_hash(text.data, text.len);

    rc = ngx_media_stream_acquire(zone, &text, &protocol, &address, 0,
                                  &pub->claim);

    if (rc == NGX_OK) {
        pub->time = ngx_media_wall_msec();

        if (pub->time < pub->claim.floor) {
            pub->time = pub->claim.floor;
        }
    }

    return rc;
}


/* an AAC track; of type video too: the store does not look into frames */

static inline ngx_int_t
media_pub_track(media_pub_t *pub, ngx_media_type_e type, uint32_t publisher,
    uint32_t rate)
{
    ngx_int_t  rc;

    if (ngx_media_aac_params(&pub->params, rate, 2) != NGX_OK) {
        abort();
    }

    pub->params.type = type;

    rc = ngx_media_track_add(&pub->claim, &pub->params, publisher,
                             &pub->track);

    if (rc == NGX_OK) {
        rc = ngx_media_track_set_init(&pub->claim, pub->track, &pub->params,
                                      &pub->segment.init);
    }

    return rc;
}


/* what comes next belongs to a new segment */

static inline void
media_pub_cut(media_pub_t *pub, uint64_t number)
{
    pub->segment.number = number;
    pub->segment.time = pub->time * (int64_t) pub->params.timescale / 1000;
    pub->segment.wall = pub->time;
    pub->segment.period = number;
    pub->segment.discontinuity = 0;
    pub->nparts = 0;
}


/* a part of msec and of size bytes, rounded up to what it must have */

static inline ngx_int_t
media_pub_part(media_pub_t *pub, size_t size, ngx_uint_t msec, uint64_t seed)
{
    size_t                 i;
    u_char                *body;
    uint64_t               word;
    ngx_int_t              rc;
    media_head_t           head;
    ngx_media_part_put_t   put;

    size = ngx_max(size, sizeof(media_head_t));
    size = (size + 7) / 8 * 8;

    ngx_memzero(&head, sizeof(media_head_t));

    head.magic = MEDIA_MAGIC;
    head.seed = seed;
    head.name = pub->name;
    head.number = pub->segment.number;
    head.part = pub->nparts;
    head.track = pub->track;
    head.size = size;

    body = malloc(size);
    if (body == NULL) {
        abort();
    }

    for (i = sizeof(media_head_t) / 8; i < size / 8; i++) {
        word = media_word(seed, i);
        memcpy(body + i * 8 - sizeof(media_head_t), &word, 8);
    }

    ngx_memzero(&put, sizeof(ngx_media_part_put_t));

    put.segment = &pub->segment;
    put.part = pub->nparts;
    put.time = pub->time * (int64_t) pub->params.timescale / 1000;
    put.duration = msec * pub->params.timescale / 1000;
    put.independent = pub->nparts == 0;
    put.data[0].data = (u_char *) &head;
    put.data[0].len = sizeof(media_head_t);
    put.data[1].data = body;
    put.data[1].len = size - sizeof(media_head_t);
    put.expect_number = pub->segment.number;
    put.expect_part = pub->nparts + 1;
    put.count = &pub->count;
    put.fps = 25000;

    media_pub_watch(1);

    rc = ngx_media_part_put(&pub->claim, pub->track, &put, 1);

    media_pub_watch(0);

    free(body);

    if (rc == NGX_OK) {
        pub->nparts++;
        pub->time += msec;
    }

    return rc;
}


/*
 * A part in n forms, of which each has other bytes, and as many more of them:
 * all are its number, part and form, added up
 */

#define media_form_byte(number, part, form)                                   \
    ((u_char) ((number) * 16 + (part) * 4 + (form)))
#define media_form_size(size, form)  ((size) + (form) * 1000)

static inline ngx_int_t
media_pub_forms(media_pub_t *pub, size_t size, ngx_uint_t msec, ngx_uint_t n)
{
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_media_segment_t    segments[NGX_MEDIA_FORMS];
    ngx_media_part_put_t   puts[NGX_MEDIA_FORMS];

    ngx_memzero(puts, sizeof(puts));

    for (i = 0; i < n; i++) {
        segments[i] = pub->segment;
        segments[i].init += i;

        puts[i].segment = &segments[i];
        puts[i].part = pub->nparts;
        puts[i].time = pub->time * (int64_t) pub->params.timescale / 1000;
        puts[i].duration = msec * pub->params.timescale / 1000;
        puts[i].independent = pub->nparts == 0;
        puts[i].data[0].len = media_form_size(size, i);
        puts[i].data[0].data = malloc(puts[i].data[0].len);
        puts[i].expect_number = pub->segment.number;
        puts[i].expect_part = pub->nparts + 1;
        puts[i].count = &pub->count;
        puts[i].fps = 25000;

        memset(puts[i].data[0].data,
               media_form_byte(pub->segment.number, pub->nparts, i),
               puts[i].data[0].len);
    }

    media_pub_watch(1);

    rc = ngx_media_part_put(&pub->claim, pub->track, puts, n);

    media_pub_watch(0);

    for (i = 0; i < n; i++) {
        free(puts[i].data[0].data);
    }

    if (rc == NGX_OK) {
        pub->nparts++;
        pub->time += msec;
    }

    return rc;
}


/* a segment of such parts that is whole, and each part of it, in a form */

static inline const char *
media_forms_check(ngx_media_zone_t *zone, const ngx_media_stream_t *stream,
    ngx_uint_t track, ngx_uint_t form, uint64_t number, size_t size)
{
    u_char               *p;
    ngx_int_t             rc;
    ngx_uint_t            i, k;
    const char           *wrong;
    ngx_media_part_t      part;
    ngx_media_segment_t   segment;

    if (ngx_media_form_segment(stream, track, form, number, &segment)
        != NGX_OK)
    {
        return "no such form of a segment";
    }

    if (segment.bytes != segment.nparts * media_form_size(size, form)) {
        return "bytes of a form";
    }

    if (ngx_media_pin(zone, segment.ranges, segment.nranges) != NGX_OK) {
        return "a form cannot be pinned";
    }

    wrong = NULL;

    for (i = 0; i < segment.nparts && wrong == NULL; i++) {

        rc = ngx_media_form_part(stream, track, form, number, i, &part);

        if (rc == NGX_DONE) {
            /* the ring of parts is shorter */
            continue;
        }

        if (rc != NGX_OK) {
            wrong = "no such form of a part";
            break;
        }

        if (part.range.size != media_form_size(size, form)) {
            wrong = "size of a form";
            break;
        }

        p = ngx_media_arena_bytes(zone, &part.range);

        for (k = 0; k < part.range.size; k++) {
            if (p[k] != media_form_byte(number, i, form)) {
                wrong = "a byte of a form";
                break;
            }
        }
    }

    ngx_media_unpin(zone, segment.ranges, segment.nranges);

    return wrong;
}


static inline ngx_int_t
media_pub_close(media_pub_t *pub)
{
    return ngx_media_segment_close(&pub->claim, pub->track);
}


/* a whole segment of n parts with the stream's next number */

static inline ngx_int_t
media_pub_segment(media_pub_t *pub, ngx_uint_t n, size_t size,
    ngx_uint_t msec)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    media_pub_cut(pub, ngx_media_stream_number(&pub->claim));

    for (i = 0; i < n; i++) {
        rc = media_pub_part(pub, size, msec, pub->segment.number * 1000 + i);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return media_pub_close(pub);
}


#endif /* _MEDIA_ZONE_H_INCLUDED_ */
