
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Timed data of a walk, see media_walk.h: publishers send it at times that are
 * right, late, early or nonsense.  Each part is looked at as it is put: what is
 * in front of it was sent, has not been in its track before, and is of its
 * time; and of what was sent for its time nothing is missing.
 */


#ifndef _MEDIA_DATA_H_INCLUDED_
#define _MEDIA_DATA_H_INCLUDED_


#include "core/ngx_media_cut.h"
#include "core/ngx_media_data.h"
#include "formats/ngx_media_emsg.h"
#include "formats/ngx_media_mp4_chunk.h"


#define WALK_DATA_MAX    16384
#define WALK_DATA_FAR    (9 * NGX_MEDIA_DATA_TIMESCALE)


typedef struct {
    uint64_t               stream;
    uint64_t               seq;
    uint64_t               epoch;
    uint32_t               seed;
    uint32_t               size;
    int64_t                time;
    uint32_t               video;            /* places that will have it */
    uint32_t               seen[NGX_MEDIA_TRACKS];  /* by which there */
    ngx_uint_t             total;
} walk_datum_t;


typedef struct {
    uint64_t               id;
    uint64_t               parts[NGX_MEDIA_TRACKS];  /* the next one */
    uint32_t               uses[NGX_MEDIA_TRACKS];   /* and one more */
    unsigned               loose:1;          /* some parts were not seen */
} walk_data_stream_t;


static walk_datum_t        walk_data[WALK_DATA_MAX];
static ngx_uint_t          walk_ndata;
static walk_data_stream_t  walk_data_streams[WALK_STREAMS];
static ngx_uint_t          walk_data_boxes;
static ngx_uint_t          walk_data_lost;   /* there was no room */


static inline void
walk_data_init(void)
{
    walk_ndata = 0;
    memset(walk_data_streams, 0, sizeof(walk_data_streams));
}


static inline u_char
walk_data_byte(uint32_t seed, size_t i)
{
    return (u_char) ((seed + i) * 2654435761u >> 24);
}


/* places of video that its publisher has now */

static inline uint32_t
walk_data_video(const ngx_media_stream_shm_t *s)
{
    uint32_t                      video;
    ngx_uint_t                    i;
    const ngx_media_track_shm_t  *t;

    video = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t && t->type == NGX_MEDIA_VIDEO && !t->ended && !t->away
            && t->epoch == s->epoch)
        {
            video |= (uint32_t) 1 << i;
        }
    }

    return video;
}


static inline void
walk_data_send(walk_t *w, walk_pub_t *p, walk_track_t *t)
{
    size_t                   i;
    int64_t                  stamp;
    walk_datum_t            *d;
    ngx_media_publish_e      rc;
    ngx_media_stream_shm_t  *s;

    static u_char  bytes[NGX_MEDIA_DATA_MAX];

    if (walk_ndata == WALK_DATA_MAX) {
        return;
    }

    d = &walk_data[walk_ndata];
    memset(d, 0, sizeof(walk_datum_t));

    d->seed = walk_random(w, 65536);
    d->size = walk_chance(w, 4) ? walk_random(w, NGX_MEDIA_DATA_MAX + 1)
                                : walk_random(w, 64);

    for (i = 0; i < d->size; i++) {
        bytes[i] = walk_data_byte(d->seed, i);
    }

    stamp = (p->base + t->time + t->shift) / 1000;

    if (walk_chance(w, 4)) {
        stamp += (int64_t) walk_random(w, 5000) - 2000;
    }

    if (walk_chance(w, 64)) {
        stamp = walk_random(w, 4000000000u);
    }

    rc = ngx_media_publish_data(p->publisher, NGX_MEDIA_DATA_ID3,
                                (uint32_t) stamp, bytes, bytes + d->size);

    if (rc == NGX_MEDIA_PUBLISH_LOST) {
        p->closed = "lost";
    }

    walk_data_lost += rc == NGX_MEDIA_PUBLISH_FULL;

    if (rc != NGX_MEDIA_PUBLISH_OK) {
        return;
    }

    s = ngx_media_writer_claim(p->publisher->writer)->stream.sh;

    d->stream = s->id;
    d->seq = s->data->seq;
    d->epoch = s->epoch;
    d->video = walk_data_video(s);

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        if (s->data->records[i].seq == d->seq) {
            d->time = s->data->records[i].time;
            walk_ndata++;
            return;
        }
    }

    walk_wrong(w, "data: what was put is not there");
}


static inline void
walk_data_box(walk_t *w, ngx_media_stream_shm_t *s, ngx_uint_t place,
    const ngx_media_emsg_t *emsg, int64_t from, int64_t to)
{
    size_t                  i;
    ngx_uint_t              n;
    walk_datum_t           *d;
    ngx_media_track_shm_t  *t;

    t = s->tracks[place];

    for (n = walk_ndata; n; n--) {
        d = &walk_data[n - 1];

        if (d->stream == s->id && (uint32_t) d->seq == emsg->id) {
            break;
        }
    }

    if (n == 0) {
        walk_wrong(w, "data: nobody sent %u", (unsigned) emsg->id);
        return;
    }

    if (d->seen[place] == s->uses[place] + 1) {
        walk_wrong(w, "data: %u twice in a track", (unsigned) emsg->id);
    }

    d->seen[place] = s->uses[place] + 1;
    d->total++;
    walk_data_boxes++;

    if (emsg->timescale != t->timescale || emsg->version != 1
        || emsg->duration != NGX_MEDIA_EMSG_UNKNOWN)
    {
        walk_wrong(w, "data: fields of a box");
    }

    if ((int64_t) emsg->time < from - (int64_t) t->timescale
        || (int64_t) emsg->time >= to)
    {
        walk_wrong(w, "data: %lld in a part from %lld to %lld",
                   (long long) emsg->time, (long long) from, (long long) to);
    }

    if (d->total == 1) {
        d->time = ngx_max(d->time, ngx_media_rescale(emsg->time, t->timescale,
                                                  NGX_MEDIA_DATA_TIMESCALE));
    }

    if (ngx_media_span_len(&emsg->data) != d->size) {
        walk_wrong(w, "data: size");
        return;
    }

    for (i = 0; i < d->size; i++) {
        if (emsg->data.pos[i] != walk_data_byte(d->seed, i)) {
            walk_wrong(w, "data: bytes");
            return;
        }
    }
}


/* of what its publisher sent for this time nothing is missing */

static inline void
walk_data_whole(walk_t *w, ngx_media_stream_shm_t *s, ngx_uint_t place,
    int64_t from, int64_t to)
{
    int64_t                 far, told;
    ngx_uint_t              i;
    walk_datum_t           *d;
    ngx_media_track_shm_t  *t;

    far = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t) {
            told = t->told[t->part_head & 1] / t->timescale;
            far = ngx_max(far, told * NGX_MEDIA_DATA_TIMESCALE);
        }
    }

    t = s->tracks[place];

    for (i = 0; i < walk_ndata; i++) {
        d = &walk_data[i];

        if (d->stream == s->id && d->epoch == s->epoch
            && (d->video & (uint32_t) 1 << place)
            && ngx_media_time_reached(d->time, NGX_MEDIA_DATA_TIMESCALE,
                                      from, t->timescale)
            && !ngx_media_time_reached(d->time, NGX_MEDIA_DATA_TIMESCALE, to,
                                       t->timescale)
            && d->seen[place] != s->uses[place] + 1
            && far - d->time < WALK_DATA_FAR)
        {
            walk_wrong(w, "data: %u is not in %.*s", (unsigned) d->seq,
                       (int) t->name_len, t->name);
        }
    }
}


static inline void
walk_data_part(walk_t *w, ngx_media_stream_shm_t *s, ngx_uint_t place,
    const ngx_media_part_shm_t *part)
{
    int64_t                  from;
    uint32_t                 size;
    const char              *wrong;
    const u_char            *p, *last;
    ngx_media_emsg_t         emsg;
    ngx_media_range_t        range;
    ngx_media_mp4_reader_t   reader;

    range = part->range;
    wrong = NULL;

    if (ngx_media_pin(w->zone, &range, 1) != NGX_OK) {
        walk_data_streams[ngx_media_stream_index(w->zone, s)].loose = 1;
        return;
    }

    p = ngx_media_arena_bytes(w->zone, &range);
    last = p + range.size;

    if (ngx_media_mp4_chunk_open(&reader, p, last) != NGX_OK) {
        wrong = "data: no chunk";
    }

    from = reader.decode_time;

    if (walk_be32(p + 4) == ngx_media_fourcc('s', 't', 'y', 'p')) {
        p += walk_be32(p);
    }

    while (wrong == NULL
           && walk_be32(p + 4) != ngx_media_fourcc('m', 'o', 'o', 'f'))
    {
        size = walk_be32(p);

        if (walk_be32(p + 4) != NGX_MEDIA_MP4_EMSG
            || size > (size_t) (last - p)
            || ngx_media_emsg_read(&emsg, p + 8, p + size) != NGX_OK)
        {
            wrong = "data: another box before moof";
            break;
        }

        walk_data_box(w, s, place, &emsg, from, from + part->duration);

        p += size;
    }

    if (wrong) {
        walk_wrong(w, "%s", wrong);
    }

    walk_data_whole(w, s, place, from, from + part->duration);

    ngx_media_unpin(w->zone, &range, 1);
}


/* after each step: the parts that are new */

static inline void
walk_data_stream(walk_t *w, ngx_media_stream_shm_t *s, walk_data_stream_t *ds)
{
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    if (ds->id != s->id) {
        memset(ds, 0, sizeof(walk_data_stream_t));
        ds->id = s->id;
    }

    for (i = 0; ds->id && i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL) {
            continue;
        }

        if (ds->uses[i] != s->uses[i] + 1) {
            ds->uses[i] = s->uses[i] + 1;
            ds->parts[i] = 0;
        }

        ds->loose |= ds->parts[i] < t->part_tail;
        ds->parts[i] = ngx_max(ds->parts[i], t->part_tail);

        for ( /* void */ ; ds->parts[i] < t->part_head; ds->parts[i]++) {
            walk_data_part(w, s, i, ngx_media_part_record(t, ds->parts[i]));
        }
    }
}


static inline void
walk_data_step(walk_t *w)
{
    ngx_uint_t  i;

    for (i = 0; i < WALK_STREAMS; i++) {
        walk_data_stream(w, ngx_media_stream_record(w->zone, i),
                         &walk_data_streams[i]);
    }
}


/* what is not waiting is somewhere, unless it waited up to a stream's end */

static inline void
walk_data_check(walk_t *w)
{
    ngx_uint_t               i, k, n;
    walk_datum_t            *d;
    ngx_media_stream_shm_t  *s;

    for (i = 0; i < walk_ndata; i++) {
        d = &walk_data[i];

        for (k = 0; k < WALK_STREAMS && d->total == 0; k++) {
            s = ngx_media_stream_record(w->zone, k);

            if (s->id != d->stream || walk_data_streams[k].loose
                || s->state == NGX_MEDIA_STREAM_ENDED)
            {
                continue;
            }

            for (n = 0; n < NGX_MEDIA_DATA_RECORDS; n++) {
                if (s->data->records[n].seq == d->seq) {
                    break;
                }
            }

            if (n == NGX_MEDIA_DATA_RECORDS) {
                walk_wrong(w, "data: %u was lost", (unsigned) d->seq);
            }
        }
    }
}


#endif /* _MEDIA_DATA_H_INCLUDED_ */
