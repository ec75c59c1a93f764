
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * From a publisher's frames to parts and segments of a stream: time, cuts and
 * parts come together here.  The open part of each track is kept in this
 * process's memory; it is written to the zone as it closes.
 */


#ifndef _NGX_MEDIA_WRITER_H_INCLUDED_
#define _NGX_MEDIA_WRITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "core/ngx_media_claim.h"
#include "core/ngx_media_data.h"
#include "formats/ngx_media_frame.h"


typedef struct ngx_media_writer_s  ngx_media_writer_t;


/* what metadata says will come; zero where unknown */

typedef struct {
    unsigned                  video:1;
    unsigned                  audio:1;
    uint32_t                  video_rate;     /* bit/s */
    uint32_t                  audio_rate;     /* bit/s */
    uint32_t                  frame_rate;     /* 1/1000 Hz */
    uint32_t                  sample_rate;    /* Hz */
    uint32_t                  channels;
} ngx_media_announce_t;


typedef struct {
    uint64_t                  stamp;          /* dts, in timebase, wrapped */
    int32_t                   cts;            /* pts - dts, in timebase */
    uint32_t                  nsec;
    int64_t                   arrival;        /* ms since the epoch; 0: now */
    uint32_t                  samples;        /* of audio, at sample_rate; 0:
                                                 as many as in all frames */
    const u_char             *pos;            /* borrowed during the call */
    const u_char             *last;
    unsigned                  key:1;
    unsigned                  leading:1;      /* open GOP starts here */
    unsigned                  repeat:1;       /* key: it and what follows can
                                                 be decoded at any place */
    unsigned                  silent:1;       /* put in for what is missing */
    unsigned                  again:1;        /* so that a picture is held */
} ngx_media_writer_frame_t;


/*
 * Takes the claim over.  log is borrowed until end; its context names the
 * stream.  NULL: no memory.
 */
ngx_media_writer_t *ngx_media_writer_create(ngx_media_app_t *app,
    const ngx_media_claim_t *claim, uint32_t timebase, uint32_t wrap,
    ngx_log_t *log);

/*
 * Who is told when the claim is lost, the zone was replaced or the worker is
 * to leave (reason is static).  Called from a timer; the handler ends in
 * ngx_media_writer_end().
 */
void ngx_media_writer_watch(ngx_media_writer_t *w,
    void (*close)(void *data, const char *reason), void *data);

/* who publishes what, and from where: others are told from now on */
void ngx_media_writer_listen(ngx_media_writer_t *w, const ngx_str_t *name,
    const ngx_str_t *protocol, const ngx_str_t *address);

/* for the core, once a second: all writers of this process */
void ngx_media_writers_tick(ngx_media_zone_t *zone);

/* for the core: all writers of this process; reason NULL: those that must */
void ngx_media_writers_close(ngx_media_zone_t *zone, const char *reason);
void ngx_media_writers_exit(ngx_media_zone_t *zone);

/*
 * The publisher has gone, log with it.  What is open is closed and the stream
 * given up, at once or when what is derived (ngx_media_derive.h) has come; the
 * writer is no more its caller's.  reason: static.
 */
void ngx_media_writer_end(ngx_media_writer_t *w, const char *reason);

void ngx_media_writer_announce(ngx_media_writer_t *w,
    const ngx_media_announce_t *announce);

/*
 * What is said of the publisher's track id of this type, now or when it comes:
 * the whole of it.
 */
void ngx_media_writer_describe(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id, const ngx_media_attributes_t *attributes);

/*
 * The parameters of the publisher's track id of this type, now or from the
 * next possible frame on.  NGX_OK, NGX_DECLINED (the claim is lost),
 * NGX_ABORT (too many tracks, or they do not fit the zone), NGX_ERROR.
 */
ngx_int_t ngx_media_writer_track(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_uint_t *track);

/* NGX_OK (also if it was dropped), NGX_DECLINED (the claim is lost) */
ngx_int_t ngx_media_writer_frame(ngx_media_writer_t *w, ngx_uint_t track,
    const ngx_media_writer_frame_t *frame);

/*
 * Timed data, for who watches at the moment of this stamp.  NGX_OK,
 * NGX_DECLINED (the claim is lost), NGX_ABORT (no room for it: counted).
 */
ngx_int_t ngx_media_writer_data(ngx_media_writer_t *w,
    ngx_media_data_kind_e kind, uint64_t stamp, const u_char *pos,
    const u_char *last);

/*
 * This track comes in lumps of so many ms, which is not late; and: the clock
 * that all stamps are of begins anew here
 */
void ngx_media_writer_lump(ngx_media_writer_t *w, ngx_uint_t track,
    ngx_msec_t lump);
void ngx_media_writer_restart(ngx_media_writer_t *w);

/*
 * What comes of the publisher's track id of this type is refused: nothing waits
 * for it until a configuration, or a frame, of it is accepted.
 */
void ngx_media_writer_useless(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id);

/* a frame that could not be used at all, for the counters */
void ngx_media_writer_bad(ngx_media_writer_t *w, ngx_uint_t track);

/* frames that something was made of, silence not counted */
uint64_t ngx_media_writer_taken(const ngx_media_writer_t *w);

const ngx_media_claim_t *ngx_media_writer_claim(const ngx_media_writer_t *w);


#endif /* _NGX_MEDIA_WRITER_H_INCLUDED_ */
