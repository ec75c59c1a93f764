
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_stat.h"
#include "core/ngx_media_stream_lock.h"


static ngx_uint_t ngx_media_tracks_count(const ngx_media_stream_shm_t *s);
static void ngx_media_stream_stat_locked(const ngx_media_stream_t *stream,
    ngx_media_stream_stat_t *stat);
static void ngx_media_track_stat(const ngx_media_stream_t *stream,
    ngx_uint_t index, ngx_media_track_stat_t *stat);
static void ngx_media_track_stat_params(const ngx_media_stream_t *stream,
    const ngx_media_track_shm_t *t, uint64_t name,
    ngx_media_track_stat_t *stat);
static void ngx_media_extents_stat(ngx_media_zone_t *zone,
    ngx_media_zone_stat_t *stat);


void
ngx_media_zone_stat(ngx_media_zone_t *zone, ngx_media_zone_stat_t *stat)
{
    struct stat                    st;
    ngx_uint_t                     i;
    ngx_media_zone_shm_t          *sh;
    const ngx_media_stream_shm_t  *s;

    sh = zone->sh;

    ngx_memzero(stat, sizeof(ngx_media_zone_stat_t));

    stat->size = sh->limit * NGX_MEDIA_PAGE;
    stat->used = ngx_media_peek(&sh->pages) * NGX_MEDIA_PAGE;

    if (fstat(zone->arena->fd, &st) == 0) {
        stat->blocks = (uint64_t) st.st_blocks * 512;
    }

    stat->records_size = (uint64_t) sh->nblocks * NGX_MEDIA_PAGE;
    stat->retired = ngx_media_peek(&zone->store->retired) != 0;
    stat->evictions = ngx_media_peek(&zone->store->evicted);
    stat->nomem = ngx_media_peek(&zone->store->nomem);
    stat->published = ngx_media_peek(&zone->store->published);
    stat->expired = ngx_media_peek(&zone->store->expired);
    stat->swept = ngx_media_peek(&sh->swept);

    for (i = 0; i < NGX_MEDIA_REFUSED_KINDS; i++) {
        stat->refusals[i] = ngx_media_peek(&zone->store->refused[i]);
        stat->refused += stat->refusals[i];
    }

    ngx_media_extents_stat(zone, stat);

    for (i = 0; i < sh->nblocks; i++) {
        stat->records_used += sh->owners[i] ? NGX_MEDIA_PAGE : 0;
    }

    for (i = 0; i < zone->store->used_streams; i++) {
        s = &zone->store->streams[i];

        if (ngx_media_load(&s->id)) {
            stat->streams++;
            stat->publishers += s->pid != 0 && !s->trailing;
            stat->waiters += __builtin_popcountll(
                                         ngx_media_peek(&s->notify.waiters));
        }
    }
}


static void
ngx_media_extents_stat(ngx_media_zone_t *zone, ngx_media_zone_stat_t *stat)
{
    uint32_t              *row;
    ngx_uint_t             i, k;
    ngx_media_zone_shm_t  *sh;

    sh = zone->sh;

    for (i = 0; i < sh->used_extents; i++) {

        if (ngx_media_load(&sh->extents[i].id)) {
            stat->extents++;

        } else if (sh->extents[i].state != NGX_MEDIA_EXTENT_FREE) {
            stat->limbo++;
        }
    }

    for (i = 0; i < NGX_MEDIA_ROWS; i++) {

        if (sh->rows[i].pid == 0) {
            continue;
        }

        stat->rows++;
        row = sh->pins + i * sh->nextents;

        for (k = 0; k < sh->used_extents; k++) {
            stat->pins += ngx_media_peek(&row[k]);
        }
    }
}


ngx_int_t
ngx_media_zone_streams(ngx_media_zone_t *zone, ngx_pool_t *pool,
    ngx_media_stream_t **streams, ngx_uint_t *n)
{
    uint64_t                id;
    ngx_uint_t              i, used;
    ngx_media_stream_t     *stream;

    used = ngx_media_load(&zone->store->used_streams);

    stream = ngx_palloc(pool, (used + 1) * sizeof(ngx_media_stream_t));
    if (stream == NULL) {
        return NGX_ERROR;
    }

    *streams = stream;

    for (i = 0; i < used; i++) {
        id = ngx_media_load(&zone->store->streams[i].id);

        if (id) {
            stream->zone = zone;
            stream->sh = &zone->store->streams[i];
            stream->id = id;
            stream++;
        }
    }

    *n = stream - *streams;

    return NGX_OK;
}


int64_t
ngx_media_stream_since(const ngx_media_stream_t *stream)
{
    return ngx_media_peek(&stream->sh->born);
}


/*
 * The stream's lock is held: this is for people who look at a page, and the
 * copy takes microseconds.
 */

ngx_int_t
ngx_media_stream_stat(const ngx_media_stream_t *stream, ngx_pool_t *pool,
    ngx_media_stream_stat_t *stat)
{
    u_char                  *name;
    ngx_uint_t               n;
    ngx_media_zone_t        *zone;
    ngx_media_stream_shm_t  *s;

    zone = stream->zone;
    s = stream->sh;

    ngx_memzero(stat, sizeof(ngx_media_stream_stat_t));

    name = ngx_pnalloc(pool, NGX_MEDIA_NAME_MAX);
    if (name == NULL) {
        return NGX_ERROR;
    }

    stat->name.data = name;

    for (n = 0; /* void */ ; /* void */ ) {
        ngx_media_stream_lock(zone, s);

        if (s->id != stream->id) {
            ngx_media_stream_unlock(s);
            return NGX_DONE;
        }

        if (ngx_media_tracks_count(s) <= n) {
            break;
        }

        /* room for those that there are, made without the lock */

        n = ngx_media_tracks_count(s);

        ngx_media_stream_unlock(s);

        stat->tracks = ngx_pcalloc(pool, n * sizeof(ngx_media_track_stat_t));
        if (stat->tracks == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_media_stream_stat_locked(stream, stat);

    ngx_media_stream_unlock(s);

    return NGX_OK;
}


ngx_int_t
ngx_media_stream_brief(const ngx_media_stream_t *stream,
    ngx_media_stream_brief_t *brief)
{
    ngx_uint_t                    i;
    ngx_media_stream_shm_t       *s;
    const ngx_media_track_shm_t  *t;

    s = stream->sh;

    ngx_media_stream_lock(stream->zone, s);

    if (s->id != stream->id) {
        ngx_media_stream_unlock(s);
        return NGX_DONE;
    }

    brief->name_len = s->name_len;
    ngx_memcpy(brief->name, s->name, s->name_len);

    brief->state = s->state;
    brief->born = s->born;
    brief->since = s->since;
    brief->pid = s->trailing ? 0 : s->pid;
    brief->epoch = s->epoch;
    brief->bitrate = 0;
    brief->fps = 0;

    brief->protocol_len = ngx_min(s->protocol_len, sizeof(brief->protocol));
    ngx_memcpy(brief->protocol, s->protocol, brief->protocol_len);

    brief->address_len = ngx_min(s->address_len, sizeof(brief->address));
    ngx_memcpy(brief->address, s->address, brief->address_len);

    for (i = 0; i < s->ntracks; i++) {
        t = s->tracks[i];

        if (t == NULL || t->ended) {
            continue;
        }

        brief->bitrate += t->rate;

        if (brief->fps == 0 && t->type == NGX_MEDIA_VIDEO) {
            brief->fps = t->fps;
        }
    }

    ngx_media_stream_unlock(s);

    return NGX_OK;
}


static ngx_uint_t
ngx_media_tracks_count(const ngx_media_stream_shm_t *s)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < s->ntracks; i++) {
        n += (s->tracks[i] != NULL);
    }

    return n;
}


static void
ngx_media_stream_stat_locked(const ngx_media_stream_t *stream,
    ngx_media_stream_stat_t *stat)
{
    ngx_uint_t               i;
    ngx_media_stream_shm_t  *s;
    ngx_media_track_stat_t  *track;

    s = stream->sh;

    ngx_memcpy(stat->name.data, s->name, s->name_len);

    stat->name.len = s->name_len;
    stat->state = s->state;
    stat->up = (s->state == NGX_MEDIA_STREAM_LIVE);
    stat->connected = (s->pid != 0);
    stat->born = s->born;
    stat->part_target = s->part_target;
    stat->target = s->target;
    stat->waiters = __builtin_popcountll(ngx_media_peek(&s->notify.waiters));
    stat->publishes = s->publishers;
    stat->periods = s->periods;
    stat->anchors = s->anchors;
    stat->jumps = s->jumps;
    stat->data = s->data_put;
    stat->data_late = s->data_late;
    stat->data_dropped = s->data_dropped;
    stat->evictions = s->evicted;
    stat->drift = s->drift;
    stat->used = ngx_media_stream_pages(stream->zone, s) * NGX_MEDIA_PAGE;

    for (i = 0; i < NGX_MEDIA_IGNORED_KINDS; i++) {
        stat->ignored[i] = ngx_media_peek(&s->ignored[i]);
    }

    stat->link = s->link;
    stat->linked = (s->link.kind != NGX_MEDIA_LINK_NONE);

    stat->since = s->since;
    stat->pid = s->trailing ? 0 : s->pid;

    stat->protocol_len = ngx_min(s->protocol_len, sizeof(stat->protocol));
    ngx_memcpy(stat->protocol, s->protocol, stat->protocol_len);

    stat->address_len = ngx_min(s->address_len, sizeof(stat->address));
    ngx_memcpy(stat->address, s->address, stat->address_len);

    stat->reason_len = ngx_min(s->reason_len, sizeof(stat->reason));
    ngx_memcpy(stat->reason, s->reason, stat->reason_len);

    for (i = 0; i < s->ntracks; i++) {

        if (s->tracks[i] == NULL) {
            continue;
        }

        track = &stat->tracks[stat->ntracks++];

        ngx_media_track_stat(stream, i, track);
        track->clock = s->ready && s->clock == i;
    }
}


static void
ngx_media_track_stat(const ngx_media_stream_t *stream, ngx_uint_t index,
    ngx_media_track_stat_t *stat)
{
    uint64_t                        n, name;
    const ngx_media_track_shm_t    *t;
    const ngx_media_track_count_t  *count;

    t = stream->sh->tracks[index];
    count = &t->count;

    stat->index = index;
    stat->name_len = t->name_len;
    ngx_memcpy(stat->name, t->name, sizeof(t->name));
    stat->type = t->type;
    stat->timescale = t->timescale;
    stat->attributes = t->attributes;
    stat->ended = t->ended;
    stat->parts_off = t->parts_off || t->parts_held;
    stat->fps = t->fps;
    stat->bitrate = t->rate;
    stat->bandwidth = t->bandwidth;
    stat->average = ngx_media_track_average(t->bits, t->ticks, t->timescale);
    stat->key_interval = count->key_msec;
    stat->key_interval_max = count->key_msec_max;
    stat->frames = count->frames;
    stat->bytes = count->bytes;
    stat->keys = count->keys;
    stat->segments = t->nsegments;
    stat->parts = t->nparts;
    stat->parts_late = count->parts_late;
    stat->parts_over = count->parts_over;
    stat->forced_cuts = count->forced_cuts;
    stat->silent_frames = count->silent;
    stat->repeated_frames = count->again;
    stat->dropped_late = count->dropped_late;
    stat->dropped_key = count->dropped_key;
    stat->dropped_nomem = count->dropped_nomem;
    stat->dropped_bad = count->dropped_bad;
    stat->kept_segments = t->segment_head - t->segment_tail;
    stat->first = t->segment_tail;
    stat->last = t->segment_head ? t->segment_head - 1 : 0;

    name = 0;

    for (n = t->segment_tail; n < t->segment_head; n++) {
        stat->kept_bytes += ngx_media_segment_record(t, n)->bytes;
        name = ngx_media_segment_record(t, n)->init;
    }

    ngx_media_track_stat_params(stream, t, name, stat);
}


/* those of this name, or any */

static void
ngx_media_track_stat_params(const ngx_media_stream_t *stream,
    const ngx_media_track_shm_t *t, uint64_t name,
    ngx_media_track_stat_t *stat)
{
    ngx_uint_t             i;
    ngx_media_init_t       copy;
    ngx_media_init_shm_t  *init;

    init = NULL;

    for (i = 0; i < NGX_MEDIA_INITS; i++) {
        if (t->inits[i] && (t->inits[i]->name == name || init == NULL)) {
            init = t->inits[i];
        }
    }

    if (init == NULL
        || ngx_media_init_read_head(stream->zone, init, &copy) != NGX_OK)
    {
        return;
    }

    stat->codec = ngx_media_codec_find(copy.params.codec);
    stat->width = copy.params.width;
    stat->height = copy.params.height;
    stat->sample_rate = copy.params.sample_rate;
    stat->channels = copy.params.channels;

    stat->codec_len = ngx_min(copy.codec_len, sizeof(stat->codec_string));
    ngx_memcpy(stat->codec_string, copy.codec, stat->codec_len);
}
