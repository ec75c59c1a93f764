
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Ladders: media_ladder NAME { } of the main configuration, for live streams
 * and for files.  What is in one is checked when nginx reads it; nothing is
 * opened then.
 *
 * style: long header, all that a ladder is.
 */


#ifndef _NGX_MEDIA_LADDER_H_INCLUDED_
#define _NGX_MEDIA_LADDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_thread_pool.h>
#include "formats/ngx_media_frame.h"


#define NGX_MEDIA_LADDER_RUNGS     8
#define NGX_MEDIA_LADDER_AUDIOS    2
#define NGX_MEDIA_LADDER_ENCODERS  8          /* of a rung */


/* of av/ngx_media_av_encoder.h, if there is libav */
struct ngx_media_av_kind_s;


/* when= of audio */
typedef enum {
    NGX_MEDIA_LADDER_MISSING = 0,             /* the source has another codec */
    NGX_MEDIA_LADDER_ALWAYS,
    NGX_MEDIA_LADDER_ASKED                    /* as long as somebody asks */
} ngx_media_ladder_when_e;


/* a "video" of a ladder, or what "video auto" stands for; strings end in 0 */

typedef struct {
    ngx_str_t                 name;           /* "720p" */
    uint32_t                  side;           /* pixels, the shorter one */
    uint32_t                  codec;          /* NGX_MEDIA_CODEC_* */
    uint64_t                  bitrate;        /* bit/s; of crf: the cap */
    uint32_t                  crf;            /* in tenths; 0: by bitrate */
    const struct ngx_media_av_kind_s
                             *kinds[NGX_MEDIA_LADDER_ENCODERS];
    ngx_uint_t                nkinds;         /* encoders, as they are tried */
    const char               *preset;
    const char               *options;        /* "a=b:c=d"; NULL: none */
    ngx_uint_t                bframes;
    ngx_uint_t                lookahead;      /* pictures */
    ngx_uint_t                threads;
    unsigned                  half:1;         /* every other picture */
    unsigned                  bframes_set:1;  /* the two were written: files
                                                 have others by default */
    unsigned                  lookahead_set:1;
} ngx_media_ladder_rung_t;


typedef struct {
    ngx_str_t                 name;           /* "aac" */
    uint32_t                  codec;
    uint32_t                  bitrate;        /* bit/s */
    uint32_t                  channels;
    uint32_t                  rate;           /* Hz */
    ngx_media_ladder_when_e   when;
} ngx_media_ladder_audio_t;


typedef struct {
    ngx_str_t                 name;

    /* video, by falling size */
    ngx_media_ladder_rung_t   rungs[NGX_MEDIA_LADDER_RUNGS];
    ngx_uint_t                nrungs;
    ngx_media_ladder_audio_t  audios[NGX_MEDIA_LADDER_AUDIOS];
    ngx_uint_t                naudios;

    ngx_msec_t                latency;        /* L of overload, live */
    ngx_uint_t                fields;         /* ngx_media_av_fields_e; UNSET:
                                                 not written, what is interlaced
                                                 has no rungs */
    ngx_str_t                 filter;         /* ends in 0; empty: none */
    ngx_flag_t                tonemap;
    ngx_flag_t                source;         /* it is a variant, too */
    unsigned                  automatic:1;    /* rungs are those of "auto" */

    u_char                   *file;           /* where it is written */
    ngx_uint_t                line;
} ngx_media_ladder_t;


/* what a rung makes of a source: square pixels, even sides */

typedef struct {
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  fps_num;        /* of the rung; 0: unknown */
    uint32_t                  fps_den;
    unsigned                  capped:1;       /* the source is smaller than the
                                                 rung: it has its size.  A job
                                                 does not begin such rungs; one
                                                 that there is goes on so */
} ngx_media_ladder_shape_t;


/* NULL: none has this name; when all of the file was read */
const ngx_media_ladder_t *ngx_media_ladder_find(ngx_cycle_t *cycle,
    const ngx_str_t *name);

/*
 * "threads=POOL", while a directive is read: NULL, logged.  nginx itself looks
 * whether there is such a thread_pool.
 */
ngx_thread_pool_t *ngx_media_ladder_pool(ngx_conf_t *cf, ngx_str_t *value);

/*
 * The ladder that a directive names, when all was read, for segments of so
 * many ms, 0: files.  NULL, logged with cf's file and line: there is none, or
 * it does not fit.
 */
const ngx_media_ladder_t *ngx_media_ladder_use(ngx_conf_t *cf,
    const ngx_str_t *name, ngx_msec_t segment);

/* while a directive is read: the same for files, *ladder is set when all was
   read, or nginx says where the directive is; NGX_ERROR: no memory */
ngx_int_t ngx_media_ladder_later(ngx_conf_t *cf, const ngx_str_t *name,
    const ngx_media_ladder_t **ladder);

/*
 * The shape of a rung for a source; bandwidth: of it, as announced, bit/s; 0:
 * unknown.  NGX_OK; NGX_DECLINED: the rung is none of this source's ("auto"),
 * or the source has no size.
 */
ngx_int_t ngx_media_ladder_shape(const ngx_media_ladder_t *ladder,
    ngx_uint_t rung, const ngx_media_params_t *source, uint64_t bandwidth,
    ngx_media_ladder_shape_t *shape);

/* for names of what a rung or an audio makes of a file: a hash of all that
   decides on its bytes, but for libraries */
uint64_t ngx_media_ladder_tag(const ngx_media_ladder_t *ladder,
    ngx_uint_t rung);
uint64_t ngx_media_ladder_audio_tag(const ngx_media_ladder_t *ladder,
    ngx_uint_t audio);


extern ngx_module_t  ngx_media_ladder_module;


#endif /* _NGX_MEDIA_LADDER_H_INCLUDED_ */
