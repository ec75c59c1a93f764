
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What of nginx core/ needs, for programs outside of it: link ngx_stub.c.
 * Memory comes from malloc() piece by piece, so that AddressSanitizer sees
 * each byte too far; the clock stands until it is set; log lines are counted
 * by level and kept quiet unless they are alerts.
 */


#ifndef _NGX_STUB_H_INCLUDED_
#define _NGX_STUB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* lines since the start of the process, by level */
extern ngx_uint_t  ngx_stub_logged[NGX_LOG_DEBUG + 1];

/* formats of lines up to this level are printed; NGX_LOG_ALERT */
extern ngx_uint_t  ngx_stub_log_level;

/* a log to hand over */
extern ngx_log_t   ngx_stub_log;

/* pools that were created and not yet destroyed */
extern ngx_uint_t  ngx_stub_pools;

/* one allocation in so many fails, also in pools; 0: none */
extern ngx_uint_t  ngx_stub_fail;

/* the unix time of the clock in ms; ngx_current_msec goes with it */
void ngx_stub_clock(int64_t msec);

/* calls what was posted, until nothing is */
void ngx_stub_events(void);

/* from init on timers are kept, and called when they are due */
void ngx_stub_timers_init(void);
void ngx_stub_timers(void);

/* sets it to the system's monotonic clock, the wall clock with it */
void ngx_stub_clock_now(void);


#endif /* _NGX_STUB_H_INCLUDED_ */
