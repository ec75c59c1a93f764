
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Strands: the work of a codec's context, cut into steps.  nginx's pool lends
 * its threads, whose queue is first come first served; who comes first is
 * decided here.  Strands that have something to do stand in a heap by deadline,
 * one for each pool and process.  As many tasks are posted as strands are
 * ready, some more than there are threads at most; each takes the most urgent
 * one, does ONE step of it in whatever thread, and completes.
 *
 *     init, ready -> (thread) step -> (event loop) done -> ready ... stop
 *
 * Never two steps of one strand at a time, nor a step while its done() runs:
 * what is in the owner's context needs no lock, as long as the event loop
 * touches it in done(), or knows that no step runs, and otherwise only what the
 * owner locks itself.
 *
 * All but step() is called, and calls back, in the event loop.  A strand that
 * is ready does not keep a worker that is leaving: its owner has a timer for
 * that, or it is not worth it.  Steps are short, at most some 50 ms: a worker
 * that is stopped waits for those that run, and begins no others.
 */


#ifndef _NGX_MEDIA_STRAND_H_INCLUDED_
#define _NGX_MEDIA_STRAND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_thread_pool.h>


/* a deadline of what has none: behind all others */
#define NGX_MEDIA_STRAND_LAST   INT64_MAX

/* of threads that lent themselves */
#define NGX_MEDIA_STRAND_NICE   10


typedef struct ngx_media_strand_s        ngx_media_strand_t;
typedef struct ngx_media_strand_queue_s  ngx_media_strand_queue_t;

typedef void (*ngx_media_strand_pt)(void *data);


/* of its steps; ns */

typedef struct {
    uint64_t                  steps;
    uint64_t                  cpu;            /* of the threads that did them */
    uint64_t                  last;           /* wall, of the last one */
    uint64_t                  longest;        /* wall */
    uint64_t                  wall;           /* of all */
    uint64_t                  waited;         /* from ready to its step, sum */
} ngx_media_strand_stat_t;


/* within its owner's struct; only conf's members are the owner's */

struct ngx_media_strand_s {
    ngx_media_strand_pt       step;           /* in a thread: no ngx_pool_t, no
                                                 log, no timer, no zone */
    ngx_media_strand_pt       done;           /* a step has been done */
    ngx_media_strand_pt       exit;           /* the process exits and threads
                                                 have gone: contexts that have
                                                 own threads are closed, nothing
                                                 else of ours is called any
                                                 more.  NULL: nothing */
    void                     *data;           /* of these three */

    /* from here on: not the owner's */

    ngx_media_strand_queue_t *queue;
    ngx_queue_t               link;           /* all of the queue */
    ngx_media_strand_pt       stopped;
    void                     *stopped_data;

    /* the queue's lock */
    int64_t                   deadline;       /* ms, as ngx_current_msec */
    uint64_t                  turn;           /* equal ones: first come */
    uint64_t                  since;          /* ns: ready, or its step runs */
    ngx_uint_t                place;          /* in the heap */
    ngx_uint_t                state;
    int64_t                   again;          /* deadline of the next one */
    unsigned                  repeat:1;       /* became ready while not idle */
    unsigned                  hung:1;
    ngx_media_strand_stat_t   stat;
};


/* step, done, exit and data are set, all else is zero; NGX_OK, NGX_ERROR */
ngx_int_t ngx_media_strand_init(ngx_media_strand_t *strand,
    ngx_thread_pool_t *pool);

/*
 * It has something to do, until deadline: ms of ngx_current_msec, or
 * NGX_MEDIA_STRAND_LAST.  May be said at any time, done() included, and of one
 * that is ready again: the earlier deadline counts.  While a step runs: another
 * one follows, after done().
 */
void ngx_media_strand_ready(ngx_media_strand_t *strand, int64_t deadline);

/*
 * No step of it begins any more, done() is not called any more; stopped() is
 * called, once, when none runs: before this returns, or later, when the step
 * that runs has been done; within done(): after that.  Then the strand is
 * nobody's, and its memory the owner's again.  stopped: not NULL.
 */
void ngx_media_strand_stop(ngx_media_strand_t *strand,
    ngx_media_strand_pt stopped, void *data);

/* 1: no step waits or runs, the event loop may touch all of its context */
ngx_uint_t ngx_media_strand_idle(ngx_media_strand_t *strand);

/* ms since when its step runs; 0: none does */
ngx_msec_t ngx_media_strand_running(ngx_media_strand_t *strand);

void ngx_media_strand_stat(ngx_media_strand_t *strand,
    ngx_media_strand_stat_t *stat);

/*
 * Its step runs for so long that it is not believed to return: the thread is
 * lost, and the worker leaves (as after "nginx -s quit") when its publishers
 * have, without waiting for it.  Logged.  The owner stops the strand, and keeps
 * its memory until stopped(), if that ever comes.
 */
void ngx_media_strand_hung(ngx_media_strand_t *strand, ngx_log_t *log);


/* of the process: the master's CPU mask is taken; threads have gone */

void ngx_media_strand_init_module(ngx_cycle_t *cycle);
void ngx_media_strand_exit_process(ngx_cycle_t *cycle);

/* CPUs that the master may use, as control groups limit them, at least 1 */
ngx_uint_t ngx_media_strand_cores(void);

/* the limit: by /proc/self/cgroup, below /sys/fs/cgroup; 0: there is none */
ngx_uint_t ngx_media_strand_quota(const char *self, const char *groups);


#endif /* _NGX_MEDIA_STRAND_H_INCLUDED_ */
