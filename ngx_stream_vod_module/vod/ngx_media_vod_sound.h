
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A segment of audio that is made: its frames are those of one encoder, which
 * has begun some frames before them and goes on behind them, so that they fit
 * to the neighbours that others make (av/ngx_media_av_audio.h).
 *
 * In a thread, step by step; memory is by malloc().
 */


#ifndef _NGX_MEDIA_VOD_SOUND_H_INCLUDED_
#define _NGX_MEDIA_VOD_SOUND_H_INCLUDED_


#include "av/ngx_media_av_audio.h"
#include "files/ngx_media_vod_file.h"
#include "formats/ngx_media_index.h"
#include "transcode/ngx_media_ladder.h"
#include "vod/ngx_media_vod_made.h"


#if (NGX_MEDIA_HAVE_AV)

typedef struct {
    /* set by the caller, who keeps it */
    const ngx_media_ladder_audio_t *audio;
    const ngx_media_params_t *source;
    const ngx_media_index_t  *index;          /* of the source */
    ngx_fd_t                  fd;
    int64_t                   origin;         /* as of the clip */
    uint32_t                  first;          /* frames that are made */
    uint32_t                  count;
    ngx_media_vod_made_writer_t *writer;      /* open; where they go */

    /* the result */
    uint64_t                  damaged;        /* packets: silent */
    u_char                    error[NGX_MEDIA_VOD_ERROR];

    /* its own */
    ngx_media_av_audio_t     *a;
    ngx_media_index_reader_t  reader;
    int64_t                   until;
    uint32_t                  put;
    u_char                   *buf;
    size_t                    size;
    unsigned                  drained:1;
} ngx_media_vod_sound_t;


/*
 * Some ms of it.  NGX_AGAIN: there is more to be done; NGX_OK: all frames are
 * with the writer; NGX_ERROR: error says why
 */
ngx_int_t ngx_media_vod_sound_step(ngx_media_vod_sound_t *sound);

/* what it has of its own; as often as one likes */
void ngx_media_vod_sound_close(ngx_media_vod_sound_t *sound);

#endif /* NGX_MEDIA_HAVE_AV */


#endif /* _NGX_MEDIA_VOD_SOUND_H_INCLUDED_ */
