
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the parts of vod/ngx_media_vod_set*.c share; nobody else includes it.
 *
 * style: long header, of one thing in many files.
 */


#ifndef _NGX_MEDIA_VOD_SET_MAKE_H_INCLUDED_
#define _NGX_MEDIA_VOD_SET_MAKE_H_INCLUDED_


#include "files/ngx_media_vod_params.h"
#include "vod/ngx_media_vod_rate.h"
#include "vod/ngx_media_vod_set.h"


/* tracks of a set, and its bytes */
#define NGX_MEDIA_VOD_SET_TRACKS  256
#define NGX_MEDIA_VOD_SET_MAX     (256 * 1024 * 1024)

/* sequence->tracks: the map names none */
#define NGX_MEDIA_VOD_SET_ALL     ((uint64_t) -1)


/* what a rung is in a clip */

typedef struct {
    ngx_media_params_t       *params;         /* by malloc(); NULL: it has
                                                 nothing there */
    uint32_t                  encoder;        /* see ngx_media_vod_set_clip_t */
    uint32_t                  bframes;
    uint32_t                  delay;          /* in timescale, at least */
    uint64_t                  made;
    int64_t                   origin;         /* of audio, and */
    ngx_media_index_t        *index;          /* its frames, all as long; by
                                                 malloc(), NULL: not yet */
} ngx_media_vod_set_own_t;


/* a set under construction: it may move, so all is known by offsets */

typedef struct {
    const ngx_media_vod_set_make_t
                             *make;
    ngx_media_vod_set_t      *set;
    size_t                    allocated;
    ngx_uint_t                ntracks;
    ngx_media_vod_set_track_t tracks[NGX_MEDIA_VOD_SET_TRACKS];
    uint32_t                  ordinal[NGX_MEDIA_VOD_SET_TRACKS];
                                              /* of its type in the file, */
    uint8_t                   foreign[NGX_MEDIA_VOD_SET_TRACKS];
                                              /* among those that can only be
                                                 decoded */
    uint32_t                  delays[NGX_MEDIA_VOD_SET_TRACKS][2];
                                              /* and timescale; 0: not yet */
    ngx_media_vod_rate_t      rates[NGX_MEDIA_VOD_SET_TRACKS];
    uint32_t                 *left_out;       /* by file: bits of its tracks */
    uint64_t                  longest;        /* ms, of segments */
    ngx_media_vod_set_own_t  *own[NGX_MEDIA_VOD_SET_TRACKS];
                                              /* [clip], of those that are made;
                                                 NULL: the others */
    unsigned                  no_memory:1;
    unsigned                  apart:1;        /* noted */
} ngx_media_vod_set_ctx_t;


/* its result is that: printf() format; returns NGX_ERROR */
ngx_int_t ngx_media_vod_set_fail(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t status, const char *fmt, ...);

/* one more thing that the log is to say of it, once: printf() format */
void ngx_media_vod_set_note(ngx_media_vod_set_ctx_t *ctx, const char *fmt,
    ...);

/* size bytes, zeroed, at *offset of the set; NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_vod_set_reserve(ngx_media_vod_set_ctx_t *ctx, size_t size,
    uint32_t *offset);

/* ngx_media_vod_set_video.c: fills ctx->left_out with the video that is no
   rendition, notes it; NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_vod_set_videos(ngx_media_vod_set_ctx_t *ctx);

/* fills ctx->tracks; NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_vod_set_tracks(ngx_media_vod_set_ctx_t *ctx);

/*
 * ngx_media_vod_set_ladder.c: adds rungs of the video that ctx->tracks has,
 * or notes why there are none; what they are in a clip goes into the set; and
 * how much they may send.  NGX_OK or NGX_ERROR
 */
ngx_int_t ngx_media_vod_set_ladder(ngx_media_vod_set_ctx_t *ctx);
ngx_int_t ngx_media_vod_set_rung(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track);
void ngx_media_vod_set_rung_rate(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t track);
/* names are of how it is made, too */
void ngx_media_vod_set_mark(ngx_media_vod_set_ctx_t *ctx, uint64_t made);

ngx_media_vod_set_own_t *ngx_media_vod_set_own(ngx_media_vod_set_ctx_t *ctx);
void ngx_media_vod_set_disown(ngx_media_vod_set_ctx_t *ctx, ngx_uint_t track);
void ngx_media_vod_set_ladder_free(ngx_media_vod_set_ctx_t *ctx);

/*
 * ngx_media_vod_set_sound.c: adds audio that is made of the audio that
 * ctx->tracks has; begin and end: of a clip, in NGX_MEDIA_VIDEO_TIMESCALE from
 * its begin: its frames are known; range: those that are in it; one more is
 * there.  NGX_OK or NGX_ERROR
 */
ngx_int_t ngx_media_vod_set_sounds(ngx_media_vod_set_ctx_t *ctx);
ngx_int_t ngx_media_vod_set_sound_frames(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip, ngx_uint_t track, int64_t begin, int64_t end,
    ngx_media_plan_range_t *range);

/* the track of a file that is this one's in a clip; NONE */
uint32_t ngx_media_vod_set_find(const ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t track, ngx_uint_t clip);

/* the next track, which is not one yet, is one that can only be decoded;
   whether there is one */
ngx_uint_t ngx_media_vod_set_foreign(ngx_media_vod_set_ctx_t *ctx,
    uint32_t type, ngx_uint_t sequence, uint32_t ordinal);

/* plans one clip; NGX_OK or NGX_ERROR */
ngx_int_t ngx_media_vod_set_period(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip);

/* whether anything of a track, which is no text, is in any clip */
ngx_uint_t ngx_media_vod_set_shown(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t track);

/* a clip is empty: says why, returns NGX_ERROR */
ngx_int_t ngx_media_vod_set_nothing(ngx_media_vod_set_ctx_t *ctx,
    ngx_uint_t clip);


/* ngx_media_vod_place.c */

/*
 * A clip in its turn.  In a channel the same one has many, and what is added
 * to its times makes them wall clock times.
 */

typedef struct {
    uint32_t                  period;
    uint64_t                  number;         /* of its first segment */
    uint64_t                  ordinal;        /* of the turn, from 0 */
    int64_t                   shift;          /* ms, added to media times */
    int64_t                   wall;           /* of its begin, ms since the
                                                 epoch; -1: no channel */
} ngx_media_vod_turn_t;

#define ngx_media_vod_is_channel(source)                                      \
    ((source)->map->live && (source)->map->first_time >= 0)

/* where segment "number" is; *segment: of its plans; NGX_OK, NGX_DECLINED */
ngx_int_t ngx_media_vod_place(const ngx_media_vod_source_t *source,
    uint64_t number, ngx_media_vod_turn_t *turn, uint32_t *segment);

/* its segments [first, end) may be listed */

typedef struct {
    ngx_media_vod_turn_t      turn;
    uint32_t                  first;
    uint32_t                  end;
} ngx_media_vod_listed_t;

/* the turns that are listed: all of a set, those in the window of a channel;
   NGX_OK, NGX_ERROR */
ngx_int_t ngx_media_vod_listed(const ngx_media_vod_source_t *source,
    ngx_pool_t *pool, ngx_media_vod_listed_t **listed, ngx_uint_t *n);

/* ms, of a channel: what ended so long ago is listed */
int64_t ngx_media_vod_window_size(const ngx_media_vod_source_t *source);

/*
 * When segment n of a period, which may be one too many, begins for those
 * that have nothing of their own there: by the clock, as its media times are
 */
int64_t ngx_media_vod_common(const ngx_media_vod_set_t *set, uint32_t period,
    uint32_t n, uint32_t timescale);


/* parts of a set */

#define ngx_media_vod_set_track(set, n)                                       \
    ((ngx_media_vod_set_track_t *) ngx_media_vod_at(set, (set)->tracks) + (n))

#define ngx_media_vod_set_period_at(set, n)                                   \
    ((ngx_media_vod_period_t *) ngx_media_vod_at(set, (set)->periods) + (n))

#define ngx_media_vod_set_clip(set, period, track)                            \
    ((ngx_media_vod_set_clip_t *) ngx_media_vod_at(set, (set)->clips)         \
     + (size_t) (period) * (set)->ntracks + (track))

#define ngx_media_vod_set_plan(set, clip)                                     \
    ((ngx_media_plan_t *) ngx_media_vod_at(set, (clip)->plan))


/* of a track in a clip: those of a rung, or as of ngx_media_vod_params() */

static ngx_inline const ngx_media_params_t *
ngx_media_vod_clip_params(const ngx_media_vod_set_t *set,
    const ngx_media_vod_open_t *files, const ngx_media_vod_set_clip_t *clip,
    uint32_t description)
{
    const ngx_media_vod_file_t  *file;

    if (clip->own) {
        return ngx_media_vod_at(set, clip->own);
    }

    file = files[clip->file].file;

    return ngx_media_vod_params(file, &file->tracks[clip->track], description);
}


#endif /* _NGX_MEDIA_VOD_SET_MAKE_H_INCLUDED_ */
