
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What segments (ngx_media_ts_mux.h) and streams (ngx_media_ts_push.h) have in
 * common: how a unit is planned into mux->unit, and begun.  Who may see the
 * samples that come next decides otherwise than who may not, but for that there
 * is one of everything.
 */


#ifndef _NGX_MEDIA_TS_UNIT_H_INCLUDED_
#define _NGX_MEDIA_TS_UNIT_H_INCLUDED_


#include "formats/ngx_media_ts_mux.h"


#define NGX_MEDIA_TS_PID_ES        0x0100     /* the first, the others follow */

/* 90 kHz units; a clock is at most so far from the next (2.7.2) */
#define NGX_MEDIA_TS_PCR_INTERVAL  9000
#define NGX_MEDIA_TS_PCR_GAP       900000     /* longer ones stay */
#define NGX_MEDIA_TS_PCR_LEAD      45000      /* before decode times */


/* NGX_ERROR: one packet has no room for what the PMT says */
ngx_int_t ngx_media_ts_mux_fits(const ngx_media_ts_mux_t *mux);

/* which track has it: the first of video, or else the first */
void ngx_media_ts_mux_set_clock(ngx_media_ts_mux_t *mux);

/* PAT and PMT; of mux->number, which counts them */
void ngx_media_ts_mux_plan_psi(ngx_media_ts_mux_t *mux);

/*
 * A packet with nothing but the clock, if it has to stand somewhere before
 * next, 90 kHz, which will have one; the first one is next itself.
 * NGX_DECLINED: it has not, or what is between is a gap that stays.
 */
ngx_int_t ngx_media_ts_mux_plan_clock(ngx_media_ts_mux_t *mux, uint64_t next);

/*
 * Samples of track n from its cursor on, which goes behind them.  Then has_pcr
 * and pcr may be set, and end() says how many packets it takes.
 */
void ngx_media_ts_mux_plan_frames(ngx_media_ts_mux_t *mux, uint32_t n);
void ngx_media_ts_mux_plan_end(ngx_media_ts_mux_t *mux);

/* what was planned is written next */
void ngx_media_ts_mux_begin(ngx_media_ts_mux_t *mux);


#endif /* _NGX_MEDIA_TS_UNIT_H_INCLUDED_ */
