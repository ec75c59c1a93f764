
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A record is there from the store of its seq on, and free when that is 0: who
 * dies in between has put nothing, or all.  In which parts it is follows from
 * times alone.  "told" of a track is a time: what is before it is in the
 * track's parts.  There are two of them, and the index of the next part says
 * which one counts: so it changes with the store that makes a part valid.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_cut.h"
#include "core/ngx_media_data.h"
#include "core/ngx_media_stream_lock.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_emsg.h"


/*
 * Players are so far behind what is published, in parts or u: what is late by
 * less is in time for them
 */
#define NGX_MEDIA_DATA_PARTS  2
#define NGX_MEDIA_DATA_BACK   NGX_MEDIA_DATA_TIMESCALE

/* of ids: a stream's begin where time has come to, in 1/256 s */
#define NGX_MEDIA_DATA_RATE   256

/* a track that is so far behind others, u, has no more to come */
#define NGX_MEDIA_DATA_STUCK  (10 * NGX_MEDIA_DATA_TIMESCALE)

/* one that is new so much after what others have told, u, leaves it out */
#define NGX_MEDIA_DATA_JOINS  NGX_MEDIA_DATA_TIMESCALE


typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 scheme;         /* of emsg; empty: no part
                                                 carries it, */
    ngx_uint_t                most;           /* and so many are kept; 0: all */
    ngx_uint_t                far;            /* s: stamps that are farther
                                                 from the others are none */
} ngx_media_data_kind_t;


static ngx_media_data_shm_t *ngx_media_data_make_locked(
    ngx_media_zone_t *zone, ngx_media_stream_shm_t *s);
static ngx_media_data_record_shm_t *ngx_media_data_find_locked(
    ngx_media_data_shm_t *data, ngx_media_data_kind_e kind, size_t size,
    uint64_t *offset);
static ngx_media_data_record_shm_t *ngx_media_data_oldest_locked(
    ngx_media_data_shm_t *data, uint32_t kinds, ngx_uint_t *n);
static ngx_media_data_record_shm_t *ngx_media_data_place_locked(
    ngx_media_data_shm_t *data, size_t size, uint64_t *offset);
static void ngx_media_data_copy(const ngx_media_data_shm_t *data,
    uint64_t offset, const u_char *pos, size_t size);
static int64_t ngx_media_data_open_locked(ngx_media_stream_shm_t *s,
    int64_t time);
static uint32_t ngx_media_data_back(const ngx_media_stream_shm_t *s,
    int64_t late);
static uint32_t ngx_media_data_carriers_locked(ngx_media_stream_shm_t *s,
    ngx_uint_t place);
static ngx_uint_t ngx_media_data_others_locked(ngx_media_stream_shm_t *s,
    uint32_t carriers, ngx_uint_t place, int64_t time);
static void ngx_media_data_emsg(const ngx_media_data_record_shm_t *record,
    uint32_t timescale, int64_t time, ngx_media_emsg_t *emsg);
static u_char *ngx_media_data_bytes(const ngx_media_data_shm_t *data,
    const ngx_media_data_record_shm_t *record, u_char *p);


static const ngx_media_data_kind_t
    ngx_media_data_kinds[NGX_MEDIA_DATA_KINDS] =
{
    { ngx_string("id3"), ngx_string(NGX_MEDIA_EMSG_ID3), 0, 10 },
    { ngx_string("scte35"), ngx_null_string, 16, 300 },
    { ngx_string("klv"), ngx_null_string, 16, 10 }
};


/* rounded up, so that it is not before that */

static ngx_inline int64_t
ngx_media_data_ticks(int64_t time, uint32_t timescale)
{
    return time / (int64_t) timescale * NGX_MEDIA_DATA_TIMESCALE
           + (time % (int64_t) timescale * NGX_MEDIA_DATA_TIMESCALE
              + timescale - 1) / timescale;
}


static ngx_inline int64_t
ngx_media_data_told(const ngx_media_track_shm_t *t)
{
    return t->told[t->part_head & 1];
}


const ngx_str_t *
ngx_media_data_name(ngx_media_data_kind_e kind)
{
    return &ngx_media_data_kinds[kind].name;
}


int64_t
ngx_media_data_far(ngx_media_data_kind_e kind)
{
    return (int64_t) ngx_media_data_kinds[kind].far
           * NGX_MEDIA_DATA_TIMESCALE;
}


ngx_uint_t
ngx_media_data_carried(ngx_media_data_kind_e kind)
{
    return ngx_media_data_kinds[kind].scheme.len != 0;
}


ngx_int_t
ngx_media_data_put(const ngx_media_claim_t *claim, ngx_media_data_t *data)
{
    size_t                        size;
    int64_t                       open, time;
    uint64_t                      offset;
    ngx_media_data_shm_t         *d;
    ngx_media_stream_shm_t       *s;
    ngx_media_data_record_shm_t  *record;

    s = claim->stream.sh;
    size = data->last - data->pos;
    record = NULL;

    if (ngx_media_claim_lock(claim) != NGX_OK) {
        return NGX_DECLINED;
    }

    d = s->data ? s->data : ngx_media_data_make_locked(claim->stream.zone, s);

    if (d && size <= NGX_MEDIA_DATA_MAX) {
        record = ngx_media_data_find_locked(d, data->kind, size, &offset);
    }

    if (record == NULL) {
        s->data_dropped++;
        ngx_media_stream_unlock(s);
        return NGX_ABORT;
    }

    open = ngx_media_data_open_locked(s, data->time);
    time = ngx_media_data_carried(data->kind) ? open : data->time;

    ngx_media_data_copy(d, offset, data->pos, size);

    record->time = time;
    record->back = ngx_media_data_back(s, time - data->time);
    record->late = open - ngx_media_data_back(s, open - data->time)
                   != data->time;
    record->offset = offset;
    record->size = size;
    record->kind = data->kind;

    ngx_media_store(&d->seq, d->seq + 1);
    ngx_media_store(&record->seq, d->seq);

    time -= record->back;

    s->data_put++;
    s->data_late += record->late;

    data->time = time;
    data->id = d->seq;

    ngx_media_stream_unlock(s);

    return NGX_OK;
}


/* who dies in here leaves blocks to the stream's end */

static ngx_media_data_shm_t *
ngx_media_data_make_locked(ngx_media_zone_t *zone, ngx_media_stream_shm_t *s)
{
    uint32_t               index;
    ngx_uint_t             i;
    ngx_media_data_shm_t  *data;

    index = ngx_media_stream_index(zone, s);

    data = ngx_media_block_alloc(zone, index);
    if (data == NULL) {
        return NULL;
    }

    for (i = 0; i < NGX_MEDIA_DATA_PAGES; i++) {
        data->bytes[i] = ngx_media_block_alloc(zone, index);

        if (data->bytes[i] == NULL) {
            break;
        }
    }

    if (i == NGX_MEDIA_DATA_PAGES) {
        data->seq = (uint64_t) ngx_media_wall_msec() * NGX_MEDIA_DATA_RATE
                    / 1000;
        ngx_media_store(&s->data, data);

        return data;
    }

    while (i) {
        ngx_media_block_free(zone, data->bytes[--i]);
    }

    ngx_media_block_free(zone, data);

    return NULL;
}


/*
 * What no part carries has been told to who wanted it: the oldest of it gives
 * way to what is newer, and to what waits for parts
 */

static ngx_media_data_record_shm_t *
ngx_media_data_find_locked(ngx_media_data_shm_t *data,
    ngx_media_data_kind_e kind, size_t size, uint64_t *offset)
{
    uint32_t                      kinds;
    ngx_uint_t                    i, n;
    ngx_media_data_record_shm_t  *oldest, *record;

    kinds = 0;

    for (i = 0; i < NGX_MEDIA_DATA_KINDS; i++) {
        if (!ngx_media_data_carried(i)) {
            kinds |= (uint32_t) 1 << i;
        }
    }

    oldest = ngx_media_data_oldest_locked(data, (uint32_t) 1 << kind, &n);

    if (oldest && ngx_media_data_kinds[kind].most
        && n >= ngx_media_data_kinds[kind].most)
    {
        ngx_media_store(&oldest->seq, 0);
    }

    for ( ;; ) {
        record = ngx_media_data_place_locked(data, size, offset);

        if (record) {
            return record;
        }

        oldest = ngx_media_data_oldest_locked(data, kinds, &n);

        if (oldest == NULL) {
            return NULL;
        }

        ngx_media_store(&oldest->seq, 0);
    }
}


/* of n of these kinds, which are bits; NULL: there are none */

static ngx_media_data_record_shm_t *
ngx_media_data_oldest_locked(ngx_media_data_shm_t *data, uint32_t kinds,
    ngx_uint_t *n)
{
    ngx_uint_t                    i;
    ngx_media_data_record_shm_t  *oldest, *record;

    oldest = NULL;
    *n = 0;

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &data->records[i];

        if (record->seq && (kinds & (uint32_t) 1 << record->kind)) {
            (*n)++;
            oldest = (oldest && oldest->seq < record->seq) ? oldest : record;
        }
    }

    return oldest;
}


/* NULL: all records are taken, or too many bytes are */

static ngx_media_data_record_shm_t *
ngx_media_data_place_locked(ngx_media_data_shm_t *data, size_t size,
    uint64_t *offset)
{
    uint64_t                      head, tail;
    ngx_uint_t                    i;
    ngx_media_data_record_shm_t  *free, *record;

    free = NULL;
    head = 0;
    tail = UINT64_MAX;

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &data->records[i];

        if (record->seq == 0) {
            free = free ? free : record;
            continue;
        }

        head = ngx_max(head, record->offset + record->size);
        tail = ngx_min(tail, record->offset);
    }

    tail = ngx_min(tail, head);

    if (head + size - tail > NGX_MEDIA_DATA_BYTES) {
        return NULL;
    }

    *offset = head;

    return free;
}


static void
ngx_media_data_copy(const ngx_media_data_shm_t *data, uint64_t offset,
    const u_char *pos, size_t size)
{
    size_t  n, place;

    while (size) {
        place = offset % NGX_MEDIA_DATA_BYTES;
        n = ngx_min(size, NGX_MEDIA_PAGE - place % NGX_MEDIA_PAGE);

        ngx_memcpy(data->bytes[place / NGX_MEDIA_PAGE]
                   + place % NGX_MEDIA_PAGE, pos, n);

        offset += n;
        pos += n;
        size -= n;
    }
}


/*
 * Not before what any track has open that may carry it, now or when its
 * publisher has come back to it: nobody would ever tell what is before that.
 */

static int64_t
ngx_media_data_open_locked(ngx_media_stream_shm_t *s, int64_t time)
{
    int64_t                 told;
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t && !t->ended) {
            told = ngx_media_data_ticks(ngx_media_data_told(t), t->timescale);
            time = ngx_max(time, told);
        }
    }

    return time;
}


/*
 * A part is out as its last frame arrives, and what is meant for the time that
 * this lasts comes later: it keeps its time.
 */

static uint32_t
ngx_media_data_back(const ngx_media_stream_shm_t *s, int64_t late)
{
    int64_t  most;

    most = NGX_MEDIA_DATA_BACK;

    if (s->part_target) {
        most = (int64_t) s->part_target * NGX_MEDIA_DATA_PARTS
               * NGX_MEDIA_DATA_TIMESCALE / 10000;
    }

    return late <= most ? (uint32_t) late : 0;
}


/*
 * Bits of places.  What the publisher of now has not got, or of what nothing
 * comes while others go on, carries nothing and keeps nothing waiting; that of
 * place has come.
 */

static uint32_t
ngx_media_data_carriers_locked(ngx_media_stream_shm_t *s, ngx_uint_t place)
{
    uint32_t                audio, bit, video;
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    audio = 0;
    video = 0;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL || t->ended || (t->away && i != place)
            || t->epoch != s->epoch)
        {
            continue;
        }

        bit = (uint32_t) 1 << i;

        if (t->type == NGX_MEDIA_VIDEO) {
            video |= bit;

        } else if (t->type == NGX_MEDIA_AUDIO && audio == 0) {
            audio = bit;
        }
    }

    return video ? video : audio;
}


void
ngx_media_data_pick_locked(ngx_media_stream_shm_t *s, ngx_uint_t place,
    int64_t from, int64_t to, ngx_media_data_part_t *part)
{
    int64_t                       start, time;
    uint32_t                      carriers;
    ngx_uint_t                    i;
    ngx_media_emsg_t              emsg;
    ngx_media_track_shm_t        *t;
    ngx_media_data_record_shm_t  *record;

    part->place = place;
    part->from = from;
    part->to = to;
    part->records = 0;
    part->size = 0;

    if (s->data == NULL) {
        return;
    }

    carriers = ngx_media_data_carriers_locked(s, place);

    if (!(carriers & (uint32_t) 1 << place)) {
        return;
    }

    t = s->tracks[place];
    start = ngx_media_data_ticks(from, t->timescale);

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &s->data->records[i];
        time = record->time;

        if (record->seq == 0 || !ngx_media_data_carried(record->kind)
            || !ngx_media_time_reached(time, NGX_MEDIA_DATA_TIMESCALE,
                                       ngx_media_data_told(t), t->timescale)
            || ngx_media_time_reached(time, NGX_MEDIA_DATA_TIMESCALE, to,
                                      t->timescale))
        {
            continue;
        }

        if (ngx_media_data_told(t) == 0 && start - time > NGX_MEDIA_DATA_JOINS
            && ngx_media_data_others_locked(s, carriers, place, time))
        {
            continue;
        }

        ngx_media_data_emsg(record, t->timescale, time, &emsg);

        part->records |= (uint64_t) 1 << i;
        part->size += ngx_media_emsg_write(NULL, &emsg) + record->size;
    }
}


/* has one of the others told it? */

static ngx_uint_t
ngx_media_data_others_locked(ngx_media_stream_shm_t *s, uint32_t carriers,
    ngx_uint_t place, int64_t time)
{
    ngx_uint_t              i;
    ngx_media_track_shm_t  *t;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (i != place && (carriers & (uint32_t) 1 << i)
            && !ngx_media_time_reached(time, NGX_MEDIA_DATA_TIMESCALE,
                                       ngx_media_data_told(t), t->timescale))
        {
            return 1;
        }
    }

    return 0;
}


/* but its data, which comes behind it */

static void
ngx_media_data_emsg(const ngx_media_data_record_shm_t *record,
    uint32_t timescale, int64_t time, ngx_media_emsg_t *emsg)
{
    const ngx_str_t  *scheme;

    ngx_memzero(emsg, sizeof(ngx_media_emsg_t));

    scheme = &ngx_media_data_kinds[record->kind].scheme;

    emsg->version = 1;
    emsg->timescale = timescale;
    emsg->time = ngx_media_rescale(time, NGX_MEDIA_DATA_TIMESCALE, timescale);
    emsg->duration = NGX_MEDIA_EMSG_UNKNOWN;
    emsg->id = (uint32_t) record->seq;
    emsg->scheme.pos = scheme->data;
    emsg->scheme.last = scheme->data + scheme->len;
}


/*
 * In the order in which they came.  A time that is printed already stays, but
 * where a track begins after that: of what is past players make nothing.
 */

u_char *
ngx_media_data_write_locked(ngx_media_stream_shm_t *s,
    const ngx_media_data_part_t *part, u_char *p)
{
    size_t                        size;
    int64_t                       start, time;
    uint32_t                      carriers, timescale;
    uint64_t                      left;
    ngx_uint_t                    i;
    ngx_media_emsg_t              emsg;
    ngx_media_data_record_shm_t  *record, *records;

    if (part->records == 0) {
        return p;
    }

    timescale = s->tracks[part->place]->timescale;
    start = ngx_media_data_ticks(part->from, timescale);
    records = s->data->records;
    carriers = ngx_media_data_carriers_locked(s, part->place);

    for (left = part->records; left; left &= ~((uint64_t) 1
                                               << (record - records)))
    {
        record = NULL;

        for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
            if ((left & (uint64_t) 1 << i)
                && (record == NULL || records[i].seq < record->seq))
            {
                record = &records[i];
            }
        }

        if (record->time < start
            && !ngx_media_data_others_locked(s, carriers, part->place,
                                             record->time))
        {
            record->time = start;
            record->back = 0;
            s->data_late += !record->late;
            record->late = 1;
        }

        time = record->time < start ? start : record->time - record->back;

        ngx_media_data_emsg(record, timescale, time, &emsg);

        size = ngx_media_emsg_write(p, &emsg);
        (void) ngx_media_put_be32(p, (uint32_t) (size + record->size));

        p = ngx_media_data_bytes(s->data, record, p + size);
    }

    return p;
}


static u_char *
ngx_media_data_bytes(const ngx_media_data_shm_t *data,
    const ngx_media_data_record_shm_t *record, u_char *p)
{
    size_t    n, place, size;
    uint64_t  offset;

    offset = record->offset;

    for (size = record->size; size; size -= n) {
        place = offset % NGX_MEDIA_DATA_BYTES;
        n = ngx_min(size, NGX_MEDIA_PAGE - place % NGX_MEDIA_PAGE);

        p = ngx_cpymem(p, data->bytes[place / NGX_MEDIA_PAGE]
                          + place % NGX_MEDIA_PAGE, n);
        offset += n;
    }

    return p;
}


void
ngx_media_data_told_locked(ngx_media_stream_shm_t *s,
    const ngx_media_data_part_t *part)
{
    int64_t                 told;
    ngx_media_track_shm_t  *t;

    t = s->tracks[part->place];
    told = ngx_media_data_told(t);

    if (ngx_media_data_carriers_locked(s, part->place)
        & (uint32_t) 1 << part->place)
    {
        told = ngx_max(told, part->to);
    }

    t->told[(t->part_head + 1) & 1] = told;
}


void
ngx_media_data_forget_locked(ngx_media_stream_shm_t *s)
{
    int64_t                       far, least, told;
    uint32_t                      carriers;
    ngx_uint_t                    i;
    ngx_media_track_shm_t        *t;
    ngx_media_data_record_shm_t  *record;

    if (s->data == NULL) {
        return;
    }

    carriers = ngx_media_data_carriers_locked(s, NGX_MEDIA_TRACKS);

    far = 0;
    least = INT64_MAX;

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (carriers & (uint32_t) 1 << i) {
            told = ngx_media_data_ticks(ngx_media_data_told(t), t->timescale);
            far = ngx_max(far, told);
            least = ngx_min(least, told);
        }
    }

    if (far == 0) {
        return;
    }

    least = ngx_max(least, far - NGX_MEDIA_DATA_STUCK);

    for (i = 0; i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &s->data->records[i];

        if (record->seq && record->time < least) {
            ngx_media_store(&record->seq, 0);
        }
    }
}


void
ngx_media_data_end_locked(ngx_media_stream_shm_t *s)
{
    ngx_uint_t                    i;
    ngx_media_data_record_shm_t  *record;

    for (i = 0; s->data && i < NGX_MEDIA_DATA_RECORDS; i++) {
        record = &s->data->records[i];

        if (record->seq) {
            ngx_media_store(&record->seq, 0);
            s->data_dropped += ngx_media_data_carried(record->kind);
        }
    }
}
