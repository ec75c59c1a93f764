
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_temp.h"
#include "vod/ngx_media_vod_making.h"
#include "vod/ngx_media_vod_set_make.h"

#include <stdio.h>
#include <string.h>


/* s between looks at how much there is in a directory, */
#define NGX_MEDIA_VOD_MAKING_TRIM  10

/* and directories, about, that do not wait for each other: a power of two */
#define NGX_MEDIA_VOD_MAKING_DIRS  16


ngx_int_t
ngx_media_vod_spot(const ngx_media_vod_source_t *source, ngx_uint_t track,
    uint64_t number, ngx_media_vod_spot_t *spot)
{
    int64_t                          place[5];
    uint32_t                         n;
    const ngx_media_plan_t          *plan;
    const ngx_media_vod_set_t       *set;
    ngx_media_vod_turn_t             turn;
    const ngx_media_vod_file_t      *file;
    const ngx_media_vod_set_clip_t  *clip;

    set = source->set;

    if (track >= set->ntracks
        || ngx_media_vod_place(source, number, &turn, &n) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    clip = ngx_media_vod_set_clip(set, turn.period, track);
    plan = ngx_media_vod_set_plan(set, clip);

    if (clip->track == NGX_MEDIA_VOD_NONE || clip->own == 0
        || ngx_media_plan_segment(plan, n, &spot->segment) != NGX_OK
        || spot->segment.samples == 0)
    {
        return NGX_DECLINED;
    }

    file = source->files[clip->file].file;

    spot->track = track;
    spot->number = number;
    spot->period = turn.period;
    spot->duration = (ngx_msec_t) (spot->segment.duration * 1000
                                   / plan->timescale) + 1;
    spot->time = spot->segment.time + clip->base
                 + ngx_media_plan_rescale(turn.shift, 1000, plan->timescale);

    place[0] = clip->track;
    place[1] = plan->origin;
    place[2] = spot->segment.time;
    place[3] = (int64_t) spot->segment.duration;
    place[4] = spot->segment.sample;

    /* the clip may begin at another time, or be one of many */

    spot->id.dev = clip->made;
    spot->id.ino = file->tag;
    spot->id.size = ngx_media_hash((u_char *) place, sizeof(place));
    spot->id.mtime = spot->segment.samples;

    return spot->time < 0 ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_media_vod_want_frames(ngx_media_vod_want_t *want, ngx_uint_t key,
    ngx_pool_t *pool, ngx_media_frames_t *frames)
{
    uint32_t                         i;
    ngx_media_piece_t               *range;
    ngx_media_sample_t              *samples;
    ngx_media_vod_made_t            *made;
    ngx_media_vod_spot_t             spot;
    const ngx_media_vod_set_t       *set;
    const ngx_media_vod_set_clip_t  *clip;

    made = want->made;
    set = want->load->source.set;

    if (ngx_media_vod_spot(&want->load->source, want->track, want->number,
                           &spot)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    clip = ngx_media_vod_set_clip(set, spot.period, want->track);

    ngx_memzero(frames, sizeof(ngx_media_frames_t));

    frames->nsamples = key ? 1 : made->nsamples;

    samples = ngx_palloc(pool, frames->nsamples * sizeof(ngx_media_sample_t));
    range = ngx_palloc(pool, sizeof(ngx_media_piece_t));

    if (samples == NULL || range == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < frames->nsamples; i++) {
        samples[i] = made->samples[i];
        samples[i].cto += (int32_t) clip->delay;
    }

    if (key) {
        samples[0].duration = (uint32_t) ngx_min(spot.segment.duration,
                                                 UINT32_MAX);
    }

    frames->bytes = key ? samples[0].size : made->bytes;

    range->offset = 0;
    range->size = (size_t) frames->bytes;
    range->memory = NULL;

    frames->params = ngx_media_vod_at(set, clip->own);
    frames->samples = samples;
    frames->ranges = range;
    frames->nranges = 1;
    frames->decode_time = (uint64_t) spot.time;
    frames->delay = clip->delay;
    frames->edit = clip->edit;
    frames->fd = made->fd;
    frames->name = made->path;

    return NGX_OK;
}


#if (NGX_MEDIA_HAVE_AV)

static ngx_int_t ngx_media_vod_making_sound(ngx_media_vod_making_t *m,
    const ngx_media_vod_set_t *set, ngx_uint_t audio);
static ngx_int_t ngx_media_vod_making_video(ngx_media_vod_making_t *m,
    const ngx_media_vod_set_t *set, ngx_uint_t rung);
static void ngx_media_vod_making_begin(ngx_media_vod_making_t *m);
static ngx_int_t ngx_media_vod_making_commit(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_trim(ngx_media_vod_making_t *m);
static void ngx_media_vod_making_fail(ngx_media_vod_making_t *m,
    const char *what, const char *why);


/* what it points to stays as long as the result is referred to */

ngx_int_t
ngx_media_vod_making_init(ngx_media_vod_making_t *m)
{
    const ngx_media_vod_set_t        *set;
    const ngx_media_vod_set_track_t  *track;

    set = m->result->set.data;
    track = ngx_media_vod_set_track(set, m->spot.track);

    m->is_sound = (track->type == NGX_MEDIA_AUDIO);

    return m->is_sound ? ngx_media_vod_making_sound(m, set, track->rung - 1)
                       : ngx_media_vod_making_video(m, set, track->rung - 1);
}


static ngx_int_t
ngx_media_vod_making_sound(ngx_media_vod_making_t *m,
    const ngx_media_vod_set_t *set, ngx_uint_t audio)
{
    ngx_media_vod_sound_t           *sound;
    const ngx_media_vod_open_t      *open;
    const ngx_media_vod_track_t     *t;
    const ngx_media_vod_set_clip_t  *clip;

    clip = ngx_media_vod_set_clip(set, m->spot.period, m->spot.track);
    open = &m->result->files[clip->file];
    t = &open->file->tracks[clip->track];
    sound = &m->sound;

    if (audio >= m->conf->ladder->ladder->naudios) {
        return NGX_ERROR;
    }

    ngx_memzero(sound, sizeof(ngx_media_vod_sound_t));

    sound->audio = &m->conf->ladder->ladder->audios[audio];
    sound->source = ngx_media_vod_params_any(open->file, t, 0);
    sound->index = ngx_media_vod_at(open->file, t->index);
    sound->fd = open->fd;
    sound->origin = clip->origin;
    sound->first = m->spot.segment.sample;
    sound->count = m->spot.segment.samples;
    sound->writer = &m->writer;

    return sound->source ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_media_vod_making_video(ngx_media_vod_making_t *m,
    const ngx_media_vod_set_t *set, ngx_uint_t rung)
{
    ngx_media_vod_encode_t          *enc;
    const ngx_media_vod_open_t      *open;
    ngx_media_index_sample_t         sample;
    const ngx_media_vod_track_t     *t;
    const ngx_media_vod_set_clip_t  *clip;

    clip = ngx_media_vod_set_clip(set, m->spot.period, m->spot.track);
    open = &m->result->files[clip->file];
    t = &open->file->tracks[clip->track];

    if (rung >= m->conf->ladder->ladder->nrungs) {
        return NGX_ERROR;
    }

    enc = &m->enc;

    ngx_memzero(enc, sizeof(ngx_media_vod_encode_t));

    enc->rung = &m->conf->ladder->ladder->rungs[rung];
    enc->own = ngx_media_vod_at(set, clip->own);
    enc->index = ngx_media_vod_at(open->file, t->index);
    enc->encoder = clip->encoder;
    enc->bframes = clip->bframes;
    enc->delay = clip->delay;
    enc->fd = open->fd;
    enc->origin = ngx_media_vod_set_plan(set, clip)->origin;
    enc->segment = m->spot.segment;
    enc->writer = &m->writer;

    if (ngx_media_index_sample(enc->index, enc->segment.sample, &sample)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    enc->source = ngx_media_vod_params_any(open->file, t, sample.description);

    return enc->source ? NGX_OK : NGX_ERROR;
}


void
ngx_media_vod_making_step(void *data)
{
    ngx_media_vod_making_t *m = data;

    ngx_int_t  rc;

    /* another worker may have made it, between our look and our right */

    if (m->writer.buf == NULL) {
        ngx_media_vod_making_begin(m);

        if (m->rc != NGX_AGAIN) {
            return;
        }
    }

    ngx_media_vod_crumb_enter(&m->crumb);

    rc = m->is_sound ? ngx_media_vod_sound_step(&m->sound)
                     : ngx_media_vod_encode_step(&m->enc);

    ngx_media_vod_crumb_leave(&m->crumb);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc == NGX_OK) {
        m->missing = m->is_sound ? (uint32_t) m->sound.damaged
                                 : m->enc.missing;
        rc = ngx_media_vod_making_commit(m);

    } else {
        ngx_media_vod_making_fail(m, (char *) (m->is_sound ? m->sound.error
                                                           : m->enc.error),
                                  NULL);
    }

    m->rc = rc;

    ngx_media_vod_making_close(m);
}


static void
ngx_media_vod_making_begin(ngx_media_vod_making_t *m)
{
    m->made = ngx_media_vod_made_open(m->temp, &m->spot.id);

    if (m->made) {
        m->found = 1;
        m->rc = NGX_OK;
        return;
    }

    if (ngx_media_vod_crumb_open(&m->crumb, m->temp, &m->spot.id,
                                 m->spot.id.ino, time(NULL))
        != NGX_OK)
    {
        ngx_media_vod_making_fail(m, "file ended workers twice while it was "
                                  "decoded, it is left alone for an hour",
                                  NULL);
        m->rc = NGX_ERROR;
        return;
    }

    if (ngx_media_vod_made_create(&m->writer, m->temp, &m->spot.id) != NGX_OK)
    {
        ngx_media_vod_making_fail(m, "file cannot be created",
                                  strerror(errno));
        m->rc = NGX_ERROR;
    }
}


/* what is read then is what others will read */

static ngx_int_t
ngx_media_vod_making_commit(ngx_media_vod_making_t *m)
{
    if (ngx_media_vod_made_commit(&m->writer) != NGX_OK) {
        ngx_media_vod_making_fail(m, "not written", strerror(errno));
        return NGX_ERROR;
    }

    m->made = ngx_media_vod_made_open(m->temp, &m->spot.id);

    if (m->made == NULL) {
        ngx_media_vod_making_fail(m, "what was written cannot be read", NULL);
        return NGX_ERROR;
    }

    ngx_media_vod_making_trim(m);

    return NGX_OK;
}


/* that takes as long as there are files */

static void
ngx_media_vod_making_trim(ngx_media_vod_making_t *m)
{
    time_t              now;
    uint64_t            hash;
    ngx_atomic_t       *trimmed;
    ngx_atomic_uint_t   last;

    static ngx_atomic_t  dirs[NGX_MEDIA_VOD_MAKING_DIRS];

    hash = ngx_media_hash((const u_char *) m->temp, ngx_strlen(m->temp));
    trimmed = &dirs[hash & (NGX_MEDIA_VOD_MAKING_DIRS - 1)];

    now = time(NULL);
    last = *trimmed;

    if ((ngx_atomic_uint_t) now - last >= NGX_MEDIA_VOD_MAKING_TRIM
        && ngx_atomic_cmp_set(trimmed, last, (ngx_atomic_uint_t) now))
    {
        ngx_media_vod_temp_trim(m->temp, m->temp_max, now);
    }
}


void
ngx_media_vod_making_close(ngx_media_vod_making_t *m)
{
    ngx_media_vod_encode_close(&m->enc);
    ngx_media_vod_sound_close(&m->sound);
    ngx_media_vod_made_close(&m->writer);
    ngx_media_vod_crumb_close(&m->crumb);
}


static void
ngx_media_vod_making_fail(ngx_media_vod_making_t *m, const char *what,
    const char *why)
{
    (void) snprintf((char *) m->error, sizeof(m->error), "%s%s%s", what,
                    why ? ": " : "", why ? why : "");
}

#else

ngx_int_t
ngx_media_vod_making_init(ngx_media_vod_making_t *m)
{
    return NGX_ERROR;
}


void
ngx_media_vod_making_step(void *data)
{
}


void
ngx_media_vod_making_close(ngx_media_vod_making_t *m)
{
}

#endif
