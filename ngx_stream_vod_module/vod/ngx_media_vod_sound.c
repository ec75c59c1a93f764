
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "vod/ngx_media_vod_sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


/* us of one step */
#define NGX_MEDIA_VOD_SOUND_STEP   20000

/* bytes of one packet of a source */
#define NGX_MEDIA_VOD_SOUND_BYTES  (4 * 1024 * 1024)


static ngx_int_t ngx_media_vod_sound_start(ngx_media_vod_sound_t *sound);
static ngx_int_t ngx_media_vod_sound_seek(ngx_media_vod_sound_t *sound,
    const ngx_media_av_audio_need_t *need);
static ngx_int_t ngx_media_vod_sound_one(ngx_media_vod_sound_t *sound);
static ngx_int_t ngx_media_vod_sound_put(ngx_media_vod_sound_t *sound,
    const ngx_media_av_audio_packet_t *packet);
static ngx_int_t ngx_media_vod_sound_send(ngx_media_vod_sound_t *sound);
static ngx_int_t ngx_media_vod_sound_read(ngx_media_vod_sound_t *sound,
    const ngx_media_index_sample_t *sample);
static uint64_t ngx_media_vod_sound_now(void);
static ngx_int_t ngx_media_vod_sound_fail(ngx_media_vod_sound_t *sound,
    const char *what, const u_char *why);


ngx_int_t
ngx_media_vod_sound_step(ngx_media_vod_sound_t *sound)
{
    uint64_t   begun;
    ngx_int_t  rc;

    begun = ngx_media_vod_sound_now();

    if (sound->a == NULL && ngx_media_vod_sound_start(sound) != NGX_OK) {
        return NGX_ERROR;
    }

    do {
        rc = ngx_media_vod_sound_one(sound);

    } while (rc == NGX_AGAIN
             && ngx_media_vod_sound_now() - begun < NGX_MEDIA_VOD_SOUND_STEP);

    return rc;
}


static ngx_int_t
ngx_media_vod_sound_start(ngx_media_vod_sound_t *sound)
{
    u_char                     error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_audio_conf_t  conf;
    ngx_media_av_audio_need_t  need;

    ngx_memzero(&conf, sizeof(ngx_media_av_audio_conf_t));

    conf.source = sound->source;
    conf.codec = sound->audio->codec;
    conf.bitrate = sound->audio->bitrate;
    conf.channels = sound->audio->channels;
    conf.rate = sound->audio->rate;
    conf.segment = 1;
    conf.origin = sound->origin;
    conf.first = sound->first;
    conf.last = (uint64_t) sound->first + sound->count - 1;

    sound->a = ngx_media_av_audio_open(&conf, error);

    if (sound->a == NULL) {
        return ngx_media_vod_sound_fail(sound, "audio", error);
    }

    ngx_media_av_audio_need(sound->a, &need);

    sound->until = need.to;

    if (ngx_media_vod_sound_seek(sound, &need) != NGX_OK) {
        return ngx_media_vod_sound_fail(sound, "index is broken", NULL);
    }

    return NGX_OK;
}


/* to the packet that goes on at the first time, and some before it */

static ngx_int_t
ngx_media_vod_sound_seek(ngx_media_vod_sound_t *sound,
    const ngx_media_av_audio_need_t *need)
{
    uint32_t   n;
    ngx_int_t  rc;

    ngx_media_index_open(&sound->reader, sound->index);

    rc = ngx_media_index_seek_time(&sound->reader, need->from + 1);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    n = (rc == NGX_DONE) ? sound->index->nsamples : sound->reader.number;
    n -= ngx_min(n, need->preroll + 1);

    return ngx_media_index_seek(&sound->reader, n);
}


/* about one frame */

static ngx_int_t
ngx_media_vod_sound_one(ngx_media_vod_sound_t *sound)
{
    ngx_int_t                    rc;
    ngx_media_av_audio_packet_t  packet;

    rc = ngx_media_av_audio_packet(sound->a, &packet);

    switch (rc) {

    case NGX_OK:
        return ngx_media_vod_sound_put(sound, &packet);

    case NGX_AGAIN:
        return ngx_media_vod_sound_send(sound);

    case NGX_DONE:
        sound->damaged = ngx_media_av_audio_stat(sound->a)->errors;

        return sound->put == sound->count ? NGX_OK
               : ngx_media_vod_sound_fail(sound, "frames are missing", NULL);

    default:
        return ngx_media_vod_sound_fail(sound, "audio",
                                        ngx_media_av_audio_error(sound->a));
    }
}


static ngx_int_t
ngx_media_vod_sound_put(ngx_media_vod_sound_t *sound,
    const ngx_media_av_audio_packet_t *packet)
{
    ngx_media_sample_t  sample;

    if (sound->put == sound->count
        || packet->number != (uint64_t) sound->first + sound->put)
    {
        return ngx_media_vod_sound_fail(sound, "frames are not those of the "
                                        "plan", NULL);
    }

    ngx_memzero(&sample, sizeof(ngx_media_sample_t));

    sample.duration = ngx_media_av_audio_params(sound->a)->frame_samples;
    sample.key = 1;

    sound->put++;

    if (ngx_media_vod_made_add(sound->writer, &sample, packet->pos,
                               packet->last)
        != NGX_OK)
    {
        return ngx_media_vod_sound_fail(sound, "not written",
                                        (u_char *) strerror(errno));
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_media_vod_sound_send(ngx_media_vod_sound_t *sound)
{
    ngx_int_t                 rc;
    ngx_media_index_sample_t  sample;

    if (sound->drained) {
        return ngx_media_vod_sound_fail(sound, "frames are missing", NULL);
    }

    rc = ngx_media_index_next(&sound->reader, &sample);

    if (rc == NGX_ERROR) {
        return ngx_media_vod_sound_fail(sound, "index is broken", NULL);
    }

    if (rc == NGX_DONE || sample.dts >= sound->until) {
        ngx_media_av_audio_drain(sound->a);
        sound->drained = 1;
        return NGX_AGAIN;
    }

    if (ngx_media_vod_sound_read(sound, &sample) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_av_audio_send(sound->a, sound->buf, sample.size,
                                 sample.dts + sample.cto,
                                 (uint32_t) ngx_min(sample.duration,
                                                    UINT32_MAX));

    /* what is damaged is silent, and counted */

    if (rc == NGX_ERROR || rc == NGX_AGAIN) {
        return ngx_media_vod_sound_fail(sound, "audio",
                                        ngx_media_av_audio_error(sound->a));
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_media_vod_sound_read(ngx_media_vod_sound_t *sound,
    const ngx_media_index_sample_t *sample)
{
    u_char   *buf;
    size_t    done, size;
    ssize_t   n;

    size = sample->size;

    if (size > NGX_MEDIA_VOD_SOUND_BYTES) {
        return ngx_media_vod_sound_fail(sound, "packet is too large", NULL);
    }

    if (sound->buf == NULL || size > sound->size) {
        buf = realloc(sound->buf, size + 1);
        if (buf == NULL) {
            return ngx_media_vod_sound_fail(sound, "no memory", NULL);
        }

        sound->buf = buf;
        sound->size = size;
    }

    for (done = 0; done < size; done += n) {
        n = pread(sound->fd, sound->buf + done, size - done,
                  (off_t) (sample->offset + done));

        if (n < 0 && errno == EINTR) {
            n = 0;

        } else if (n <= 0) {
            return ngx_media_vod_sound_fail(sound, "source cannot be read",
                                            NULL);
        }
    }

    return NGX_OK;
}


void
ngx_media_vod_sound_close(ngx_media_vod_sound_t *sound)
{
    if (sound->a) {
        ngx_media_av_audio_close(sound->a);
        sound->a = NULL;
    }

    free(sound->buf);
    sound->buf = NULL;
}


static uint64_t
ngx_media_vod_sound_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


static ngx_int_t
ngx_media_vod_sound_fail(ngx_media_vod_sound_t *sound, const char *what,
    const u_char *why)
{
    (void) snprintf((char *) sound->error, sizeof(sound->error), "%s%s%s",
                    what, why ? ": " : "", why ? (const char *) why : "");

    return NGX_ERROR;
}

#endif
