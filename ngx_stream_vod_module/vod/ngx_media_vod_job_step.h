
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the files of the job share: vod/ngx_media_vod_job*.c only.
 */


#ifndef _NGX_MEDIA_VOD_JOB_STEP_H_INCLUDED_
#define _NGX_MEDIA_VOD_JOB_STEP_H_INCLUDED_


#include "files/ngx_media_vod_index.h"
#include "vod/ngx_media_vod_job.h"


/* ms until it is asked again whether another process is done, at first */
#define NGX_MEDIA_VOD_JOB_DELAY  5


/* a file that is being indexed, or only what was made of it opened */

struct ngx_media_vod_slot_s {
    ngx_media_vod_job_t      *job;
    ngx_media_vod_index_t     index;
    ngx_media_vod_item_t     *item;
    ngx_thread_task_t        *task;
    u_char                    key[NGX_MEDIA_CACHE_KEY];  /* of what is
                                                 being made */
    ngx_fd_t                  fd;             /* of the converted file */
    uint64_t                  tag;            /* the converted file that is
                                                 wanted; 0: an index is */
    unsigned                  busy:1;
};


/*
 * The steps.  NGX_OK: the next one; NGX_AGAIN: threads are at work, or the
 * timer is set; NGX_ERROR: the result has its status.
 */
ngx_int_t ngx_media_vod_job_map(ngx_media_vod_job_t *job);
ngx_int_t ngx_media_vod_job_open(ngx_media_vod_job_t *job);
ngx_int_t ngx_media_vod_job_index(ngx_media_vod_job_t *job);
ngx_int_t ngx_media_vod_job_set(ngx_media_vod_job_t *job);

/* the last thing that a completion handler does: the job may be gone then */
void ngx_media_vod_job_wake(ngx_media_vod_job_t *job);
/* asks again a moment later */
void ngx_media_vod_job_wait(ngx_media_vod_job_t *job);

/* its ctx of so many bytes is zeroed and goes to both; NULL: no memory */
ngx_thread_task_t *ngx_media_vod_job_task(ngx_media_vod_job_t *job,
    size_t size, void (*handler)(void *data, ngx_log_t *log),
    ngx_event_handler_pt done);
/* NGX_AGAIN, or NGX_ERROR: it failed */
ngx_int_t ngx_media_vod_job_post(ngx_media_vod_job_t *job,
    ngx_thread_task_t *task);

/* what a completion handler begins with; 0: the thread is still at work */
ngx_uint_t ngx_media_vod_job_is_done(ngx_event_t *ev);

/* closes what was opened for nobody */
void ngx_media_vod_job_probes_free(ngx_media_vod_job_t *job);

/* the log of who has waited longest */
ngx_log_t *ngx_media_vod_job_log(ngx_media_vod_job_t *job);

/* NGX_ERROR.  The first failure counts; path: NULL is the name itself */
ngx_int_t ngx_media_vod_job_fail(ngx_media_vod_job_t *job,
    ngx_uint_t status, const ngx_str_t *path, const u_char *error);
ngx_int_t ngx_media_vod_job_nomem(ngx_media_vod_job_t *job);

/* an error of a file for the log; both have room for NGX_MEDIA_VOD_ERROR */
void ngx_media_vod_job_text(u_char *text, const u_char *error);


#endif /* _NGX_MEDIA_VOD_JOB_STEP_H_INCLUDED_ */
