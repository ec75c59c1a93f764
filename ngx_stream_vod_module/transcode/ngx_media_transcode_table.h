
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What all processes know of the live ladders of a zone: a record of each job,
 * which its owner alone writes; where threads are (breadcrumbs); and streams
 * that got workers killed, which have no ladder for a while (quarantine).
 *
 * A word of a row says of whose job a thread is within libav: a plain store
 * before and after each step.  Who sweeps the row of a process that has gone
 * finds there what it was at.
 *
 * style: long header, it is one table.
 */


#ifndef _NGX_MEDIA_TRANSCODE_TABLE_H_INCLUDED_
#define _NGX_MEDIA_TRANSCODE_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media.h"
#include "memory/ngx_media_sync.h"
#include "transcode/ngx_media_ladder.h"
#include "transcode/ngx_media_transcode_load.h"


#define NGX_MEDIA_TABLE_JOBS     64           /* others have no record */
#define NGX_MEDIA_TABLE_CRUMBS   16           /* threads of a process; others
                                                 share these */
#define NGX_MEDIA_TABLE_MARKS    32           /* streams, the oldest goes */

/* two marks within so many s, and a stream has no ladder for so many */
#define NGX_MEDIA_TABLE_TWICE    600
#define NGX_MEDIA_TABLE_BANNED   3600


/* of a rung, as its owner last said; zeroed: there is none */

typedef struct {
    uint64_t                  pictures;       /* encoded */
    uint64_t                  skipped;        /* left out: steps, queue */
    uint64_t                  restarts;
    uint64_t                  cpu;            /* ms */
    uint32_t                  lag;            /* ms, of the last one */
    uint32_t                  lag_max;        /* ms */
    uint32_t                  step_max;       /* ms of one step */
    uint32_t                  step;           /* ngx_media_step_e */
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  used;           /* this source has it */
    uint32_t                  dead;
    uint32_t                  needs_threads;
    u_char                    name[12];       /* "720p", ends in 0 */
    u_char                    encoder[20];    /* of libavcodec, likewise */
} ngx_media_table_rung_t;


typedef struct {
    uint64_t                  frames;         /* of the source, decoded */
    uint64_t                  errors;         /* that could not be */
    uint64_t                  dropped;        /* too far behind */
    uint64_t                  decode;         /* ms of CPU */
    uint32_t                  queue;          /* ms that the oldest frame has
                                                 waited */
    uint32_t                  audios;         /* tracks that are made */
    uint64_t                  audio_errors;
    uint64_t                  cost;           /* 1/1000 of a core, estimated */
    uint64_t                  used;           /* likewise, measured */
    u_char                    ladder[32];     /* ends in 0, may be cut */
    ngx_media_table_rung_t    rungs[NGX_MEDIA_LADDER_RUNGS];
} ngx_media_table_stat_t;


typedef struct {
    uint32_t                  row;            /* of its owner, + 1; 0: free */
    uint32_t                  threads;        /* codecs have some of their own:
                                                 whatever kills the process may
                                                 be these */
    uint32_t                  name_len;
    u_char                    name[NGX_MEDIA_NAME_MAX];
    ngx_media_table_stat_t    stat;
} ngx_media_table_job_t;


typedef struct {
    int64_t                   marked;         /* s since the epoch, the last
                                                 time; 0: free */
    int64_t                   banned;         /* until then; 0: it is not */
    uint32_t                  said;
    uint32_t                  name_len;
    u_char                    name[NGX_MEDIA_NAME_MAX];
} ngx_media_table_mark_t;


typedef struct {
    ngx_media_transcode_load_shm_t  load;
    uint64_t                  refused;        /* jobs, for want of cores */
    uint64_t                  quarantined;    /* since the zone was made */
    uint32_t                  crumbs[NGX_MEDIA_ROWS][NGX_MEDIA_TABLE_CRUMBS];
                                              /* job + 1; 0: not in libav */
    ngx_media_table_job_t     jobs[NGX_MEDIA_TABLE_JOBS];
    ngx_media_table_mark_t    marks[NGX_MEDIA_TABLE_MARKS];
} ngx_media_table_shm_t;


/* a job of this process begins, and ends; NULL: there is no room */
ngx_media_table_job_t *ngx_media_table_add(ngx_media_table_shm_t *table,
    ngx_uint_t row, const ngx_str_t *name);
void ngx_media_table_remove(ngx_media_table_job_t *job);

/* a thread is within libav for this job, and is no more; job: NULL is fine */
void ngx_media_table_enter(ngx_media_table_shm_t *table,
    ngx_media_table_job_t *job);
void ngx_media_table_leave(ngx_media_table_shm_t *table,
    ngx_media_table_job_t *job);

/* the process of this row has gone; may be called again for it */
void ngx_media_table_swept(ngx_media_table_shm_t *table, ngx_uint_t row);

/* s until this stream may have a ladder; 0: now.  *first: nobody asked yet */
ngx_uint_t ngx_media_table_banned(ngx_media_table_shm_t *table,
    const ngx_str_t *name, ngx_uint_t *first);

/* a copy of what is known of the stream's job; NGX_OK, NGX_DECLINED: none */
ngx_int_t ngx_media_table_stat(const ngx_media_table_shm_t *table,
    const ngx_str_t *name, ngx_media_table_stat_t *stat);

/* of an application; NULL: there is none */
ngx_media_table_shm_t *ngx_media_transcode_table(const ngx_media_app_t *app);

/* jobs of all processes, and streams that are in quarantine now */
void ngx_media_table_count(const ngx_media_table_shm_t *table,
    ngx_uint_t *jobs, ngx_uint_t *banned);


#endif /* _NGX_MEDIA_TRANSCODE_TABLE_H_INCLUDED_ */
