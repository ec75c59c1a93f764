
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A queue for each pool that has strands.  Its lock guards the heap and the
 * members of strands that ngx_media_strand.h says so of; it is held for some
 * comparisons, never over a step.
 *
 *     IDLE -> READY -> RUNNING -> DONE -> IDLE, or READY again
 *
 * A task is a token: a thread that begins one takes what is most urgent then,
 * so who became ready with which token does not matter, and a token whose
 * strand was stopped may find nothing.  Tasks are the queue's, and of no
 * strand, until the process exits.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "transcode/ngx_media_strand.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>


#define NGX_MEDIA_STRAND_HEAP    16

/* ms until tasks are posted again that nginx did not take */
#define NGX_MEDIA_STRAND_RETRY   20

/* ms between looks whether a worker that lost a thread may leave */
#define NGX_MEDIA_STRAND_LEAVE   1000


typedef enum {
    NGX_MEDIA_STRAND_IDLE = 0,
    NGX_MEDIA_STRAND_READY,
    NGX_MEDIA_STRAND_RUNNING,
    NGX_MEDIA_STRAND_DONE
} ngx_media_strand_state_e;


typedef struct ngx_media_strand_task_s  ngx_media_strand_task_t;

struct ngx_media_strand_task_s {
    ngx_thread_task_t         task;           /* the first member */
    ngx_media_strand_queue_t *queue;
    ngx_media_strand_t       *strand;         /* whose step was done */
    ngx_media_strand_task_t  *next;           /* of those that are free */
};


struct ngx_media_strand_queue_s {
    ngx_media_strand_queue_t *next;
    ngx_thread_pool_t        *pool;

    ngx_queue_t               strands;
    ngx_uint_t                nstrands;
    ngx_media_strand_task_t  *free;
    ngx_event_t               retry;
    unsigned                  gone:1;         /* there are no threads */

    pthread_mutex_t           lock;           /* of all below */
    ngx_media_strand_t      **heap;
    ngx_uint_t                nheap;
    ngx_uint_t                size;           /* entries of heap */
    ngx_uint_t                posted;         /* tasks not yet begun */
    ngx_uint_t                running;        /* steps, */
    ngx_uint_t                most;           /* of them at any time */
    uint64_t                  turn;
};


static ngx_media_strand_queue_t *ngx_media_strand_queue(
    ngx_thread_pool_t *pool);
static ngx_int_t ngx_media_strand_room(ngx_media_strand_queue_t *queue);
static ngx_uint_t ngx_media_strand_ends(void);
static void ngx_media_strand_post(ngx_media_strand_queue_t *queue);
static ngx_media_strand_task_t *ngx_media_strand_task(
    ngx_media_strand_queue_t *queue);
static void ngx_media_strand_retry(ngx_event_t *ev);
static void ngx_media_strand_run(void *data, ngx_log_t *log);
static void ngx_media_strand_lend(ngx_log_t *log);
static void ngx_media_strand_complete(ngx_event_t *ev);
static ngx_media_strand_t *ngx_media_strand_urgent(
    ngx_media_strand_queue_t *queue);
static void ngx_media_strand_push(ngx_media_strand_queue_t *queue,
    ngx_media_strand_t *strand);
static void ngx_media_strand_remove(ngx_media_strand_queue_t *queue,
    ngx_media_strand_t *strand);
static void ngx_media_strand_up(ngx_media_strand_queue_t *queue,
    ngx_uint_t i);
static void ngx_media_strand_down(ngx_media_strand_queue_t *queue,
    ngx_uint_t i);
static ngx_uint_t ngx_media_strand_before(const ngx_media_strand_t *one,
    const ngx_media_strand_t *two);
static void ngx_media_strand_forget(ngx_media_strand_t *strand);
static void ngx_media_strand_leave(ngx_event_t *ev);
static uint64_t ngx_media_strand_clock(clockid_t id);


static ngx_media_strand_queue_t  *ngx_media_strand_queues;

/* of the master: what it may run on */
static cpu_set_t                  ngx_media_strand_cpus;
static ngx_uint_t                 ngx_media_strand_ncpus;

/* cores; 0: none */
static ngx_uint_t                 ngx_media_strand_limit;

static ngx_uint_t                 ngx_media_strand_nhung;
static ngx_event_t                ngx_media_strand_leave_event;
static ngx_connection_t           ngx_media_strand_leave_connection;


ngx_int_t
ngx_media_strand_init(ngx_media_strand_t *strand, ngx_thread_pool_t *pool)
{
    ngx_media_strand_queue_t  *queue;

    queue = ngx_media_strand_queue(pool);

    if (queue == NULL || ngx_media_strand_room(queue) != NGX_OK) {
        return NGX_ERROR;
    }

    strand->queue = queue;
    queue->nstrands++;

    ngx_queue_insert_tail(&queue->strands, &strand->link);

    return NGX_OK;
}


/* there are a few at most */

static ngx_media_strand_queue_t *
ngx_media_strand_queue(ngx_thread_pool_t *pool)
{
    ngx_media_strand_queue_t  *queue;

    for (queue = ngx_media_strand_queues; queue; queue = queue->next) {
        if (queue->pool == pool) {
            return queue;
        }
    }

    queue = ngx_calloc(sizeof(ngx_media_strand_queue_t), ngx_cycle->log);
    if (queue == NULL) {
        return NULL;
    }

    if (pthread_mutex_init(&queue->lock, NULL) != 0) {
        ngx_free(queue);
        return NULL;
    }

    queue->pool = pool;
    queue->retry.handler = ngx_media_strand_retry;
    queue->retry.data = queue;
    queue->retry.log = ngx_cycle->log;

    ngx_queue_init(&queue->strands);

    queue->next = ngx_media_strand_queues;
    ngx_media_strand_queues = queue;

    return queue;
}


/* in the heap, for one strand more: to be ready never fails */

static ngx_int_t
ngx_media_strand_room(ngx_media_strand_queue_t *queue)
{
    ngx_uint_t            size;
    ngx_media_strand_t  **heap;

    if (queue->nstrands < queue->size) {
        return NGX_OK;
    }

    size = queue->size ? 2 * queue->size : NGX_MEDIA_STRAND_HEAP;

    heap = ngx_alloc(size * sizeof(ngx_media_strand_t *), ngx_cycle->log);
    if (heap == NULL) {
        return NGX_ERROR;
    }

    pthread_mutex_lock(&queue->lock);

    if (queue->heap) {
        ngx_memcpy(heap, queue->heap,
                   queue->nheap * sizeof(ngx_media_strand_t *));
        ngx_free(queue->heap);
    }

    queue->heap = heap;
    queue->size = size;

    pthread_mutex_unlock(&queue->lock);

    return NGX_OK;
}


void
ngx_media_strand_ready(ngx_media_strand_t *strand, int64_t deadline)
{
    ngx_media_strand_queue_t  *queue;

    queue = strand->queue;

    if (queue->gone || strand->stopped || ngx_media_strand_ends()) {
        return;
    }

    pthread_mutex_lock(&queue->lock);

    switch (strand->state) {

    case NGX_MEDIA_STRAND_IDLE:
        strand->deadline = deadline;
        ngx_media_strand_push(queue, strand);
        break;

    case NGX_MEDIA_STRAND_READY:

        if (deadline < strand->deadline) {
            strand->deadline = deadline;
            ngx_media_strand_up(queue, strand->place);
        }

        break;

    default: /* RUNNING, DONE */

        if (!strand->repeat || deadline < strand->again) {
            strand->again = deadline;
        }

        strand->repeat = 1;
        break;
    }

    pthread_mutex_unlock(&queue->lock);

    ngx_media_strand_post(queue);
}


/*
 * The process is about to exit, or does: nginx ends its pools before streams
 * end with their connections.  Workers that are told to quit wait for these,
 * but not a process that has no master.
 */

static ngx_uint_t
ngx_media_strand_ends(void)
{
    return __atomic_load_n(&ngx_terminate, __ATOMIC_RELAXED)
           || (ngx_process == NGX_PROCESS_SINGLE
               && __atomic_load_n(&ngx_quit, __ATOMIC_RELAXED));
}


/*
 * As many tasks as strands are ready, and no more than keep all threads busy,
 * whose number nginx does not tell: a worker that leaves does all that was
 * posted.
 */

static void
ngx_media_strand_post(ngx_media_strand_queue_t *queue)
{
    ngx_uint_t                missing;
    ngx_media_strand_task_t  *task;

    pthread_mutex_lock(&queue->lock);

    missing = ngx_min(queue->nheap, 2 * queue->most + 2);
    missing -= ngx_min(missing, queue->posted);

    queue->posted += missing;

    pthread_mutex_unlock(&queue->lock);

    while (missing) {
        task = ngx_media_strand_task(queue);

        if (task == NULL) {
            break;
        }

        if (ngx_thread_task_post(queue->pool, &task->task) != NGX_OK) {
            task->next = queue->free;
            queue->free = task;
            break;
        }

        missing--;
    }

    if (missing == 0) {
        return;
    }

    pthread_mutex_lock(&queue->lock);
    queue->posted -= missing;
    pthread_mutex_unlock(&queue->lock);

    /* the pool's queue is full, as nginx has logged, or there is no memory */

    if (!queue->retry.timer_set) {
        ngx_add_timer(&queue->retry, NGX_MEDIA_STRAND_RETRY);
    }
}


static ngx_media_strand_task_t *
ngx_media_strand_task(ngx_media_strand_queue_t *queue)
{
    ngx_media_strand_task_t  *task;

    task = queue->free;

    if (task) {
        queue->free = task->next;
        return task;
    }

    task = ngx_calloc(sizeof(ngx_media_strand_task_t), ngx_cycle->log);
    if (task == NULL) {
        return NULL;
    }

    task->queue = queue;

    task->task.ctx = task;
    task->task.handler = ngx_media_strand_run;
    task->task.event.handler = ngx_media_strand_complete;
    task->task.event.data = task;
    task->task.event.log = ngx_cycle->log;

    return task;
}


static void
ngx_media_strand_retry(ngx_event_t *ev)
{
    ngx_media_strand_post(ev->data);
}


/* in a thread; what was posted is run to its end also when nginx stops */

static void
ngx_media_strand_run(void *data, ngx_log_t *log)
{
    ngx_media_strand_task_t *task = data;

    uint64_t                   cpu, wall;
    ngx_media_strand_t        *strand;
    ngx_media_strand_queue_t  *queue;

    queue = task->queue;
    strand = NULL;

    ngx_media_strand_lend(log);

    wall = ngx_media_strand_clock(CLOCK_MONOTONIC);

    pthread_mutex_lock(&queue->lock);

    queue->posted--;

    if (!ngx_media_strand_ends()) {
        strand = ngx_media_strand_urgent(queue);
    }

    if (strand) {
        queue->running++;
        queue->most = ngx_max(queue->most, queue->running);

        strand->state = NGX_MEDIA_STRAND_RUNNING;
        strand->stat.waited += wall - strand->since;
        strand->since = wall;
    }

    pthread_mutex_unlock(&queue->lock);

    task->strand = strand;

    if (strand == NULL) {
        return;
    }

    cpu = ngx_media_strand_clock(CLOCK_THREAD_CPUTIME_ID);

    strand->step(strand->data);

    cpu = ngx_media_strand_clock(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall = ngx_media_strand_clock(CLOCK_MONOTONIC) - wall;

    pthread_mutex_lock(&queue->lock);

    queue->running--;

    strand->state = NGX_MEDIA_STRAND_DONE;
    strand->stat.steps++;
    strand->stat.cpu += cpu;
    strand->stat.last = wall;
    strand->stat.wall += wall;
    strand->stat.longest = ngx_max(strand->stat.longest, wall);

    pthread_mutex_unlock(&queue->lock);
}


/*
 * Threads of nginx's have the CPU mask and the priority of the worker that
 * made them: with worker_cpu_affinity all of them would share its core, and
 * compete with its event loop.
 */

static void
ngx_media_strand_lend(ngx_log_t *log)
{
    int                         nice;
    id_t                        id;
    static __thread ngx_uint_t  lent;

    if (lent) {
        return;
    }

    lent = 1;

    id = (id_t) syscall(SYS_gettid);

    if (ngx_media_strand_ncpus
        && sched_setaffinity((pid_t) id, sizeof(cpu_set_t),
                             &ngx_media_strand_cpus)
           == -1)
    {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "sched_setaffinity() of a thread of strands failed, "
                      "it stays on the CPUs of its worker");
    }

    ngx_set_errno(0);

    nice = getpriority(PRIO_PROCESS, id);

    if (ngx_errno == 0 && nice < NGX_MEDIA_STRAND_NICE
        && setpriority(PRIO_PROCESS, id, NGX_MEDIA_STRAND_NICE) == -1)
    {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "setpriority() of a thread of strands failed");
    }
}


static void
ngx_media_strand_complete(ngx_event_t *ev)
{
    ngx_uint_t                 repeat;
    ngx_media_strand_t        *strand;
    ngx_media_strand_task_t   *task;
    ngx_media_strand_queue_t  *queue;

    task = ev->data;
    queue = task->queue;
    strand = task->strand;

    task->strand = NULL;
    task->next = queue->free;
    queue->free = task;

    /* state is DONE, so that no step begins before done() has returned */

    if (strand && strand->stopped == NULL) {
        strand->done(strand->data);
    }

    if (strand && strand->stopped) {
        ngx_media_strand_forget(strand);

    } else if (strand) {
        pthread_mutex_lock(&queue->lock);

        repeat = strand->repeat;

        strand->repeat = 0;
        strand->state = NGX_MEDIA_STRAND_IDLE;

        if (repeat) {
            strand->deadline = strand->again;
            ngx_media_strand_push(queue, strand);
        }

        pthread_mutex_unlock(&queue->lock);
    }

    ngx_media_strand_post(queue);
}


void
ngx_media_strand_stop(ngx_media_strand_t *strand, ngx_media_strand_pt stopped,
    void *data)
{
    ngx_uint_t                 state;
    ngx_media_strand_queue_t  *queue;

    queue = strand->queue;

    strand->stopped = stopped;
    strand->stopped_data = data;

    pthread_mutex_lock(&queue->lock);

    if (strand->state == NGX_MEDIA_STRAND_READY) {
        ngx_media_strand_remove(queue, strand);
        strand->state = NGX_MEDIA_STRAND_IDLE;
    }

    state = strand->state;

    pthread_mutex_unlock(&queue->lock);

    if (state == NGX_MEDIA_STRAND_IDLE) {
        ngx_media_strand_forget(strand);
    }
}


/* stopped() may free it */

static void
ngx_media_strand_forget(ngx_media_strand_t *strand)
{
    if (strand->hung) {
        ngx_media_strand_nhung--;
    }

    ngx_queue_remove(&strand->link);
    strand->queue->nstrands--;

    strand->stopped(strand->stopped_data);
}


ngx_uint_t
ngx_media_strand_idle(ngx_media_strand_t *strand)
{
    ngx_uint_t                 state;
    ngx_media_strand_queue_t  *queue;

    queue = strand->queue;

    pthread_mutex_lock(&queue->lock);
    state = strand->state;
    pthread_mutex_unlock(&queue->lock);

    return state == NGX_MEDIA_STRAND_IDLE;
}


ngx_msec_t
ngx_media_strand_running(ngx_media_strand_t *strand)
{
    uint64_t                   since;
    ngx_media_strand_queue_t  *queue;

    queue = strand->queue;

    pthread_mutex_lock(&queue->lock);

    since = strand->state == NGX_MEDIA_STRAND_RUNNING ? strand->since : 0;

    pthread_mutex_unlock(&queue->lock);

    if (since == 0) {
        return 0;
    }

    return (ngx_media_strand_clock(CLOCK_MONOTONIC) - since) / 1000000;
}


void
ngx_media_strand_stat(ngx_media_strand_t *strand,
    ngx_media_strand_stat_t *stat)
{
    ngx_media_strand_queue_t  *queue;

    queue = strand->queue;

    pthread_mutex_lock(&queue->lock);
    *stat = strand->stat;
    pthread_mutex_unlock(&queue->lock);
}


/*
 * nginx waits for its threads when it leaves, for ever if one of them does not
 * return: so this process leaves by itself when nothing else keeps it.
 */

void
ngx_media_strand_hung(ngx_media_strand_t *strand, ngx_log_t *log)
{
    ngx_event_t  *ev;

    if (strand->hung) {
        return;
    }

    strand->hung = 1;
    ngx_media_strand_nhung++;

    ngx_log_error(NGX_LOG_CRIT, log, 0,
                  "a thread hangs in a codec since %M ms, this worker leaves "
                  "when its publishers have", ngx_media_strand_running(strand));

    ev = &ngx_media_strand_leave_event;

    if (ngx_process != NGX_PROCESS_WORKER || ev->timer_set) {
        return;
    }

    ngx_quit = 1;

    ngx_media_strand_leave_connection.fd = (ngx_socket_t) -1;

    ev->handler = ngx_media_strand_leave;
    ev->data = &ngx_media_strand_leave_connection;
    ev->log = ngx_cycle->log;

    ngx_add_timer(ev, NGX_MEDIA_STRAND_LEAVE);
}


static void
ngx_media_strand_leave(ngx_event_t *ev)
{
    if (ngx_media_strand_nhung == 0) {
        return;
    }

    if (ngx_exiting && ngx_event_no_timers_left() == NGX_OK) {
        ngx_log_error(NGX_LOG_CRIT, ev->log, 0,
                      "this worker exits, %ui of its threads hang",
                      ngx_media_strand_nhung);

        _exit(0);
    }

    ngx_add_timer(ev, NGX_MEDIA_STRAND_LEAVE);
}


void
ngx_media_strand_init_module(ngx_cycle_t *cycle)
{
    ngx_media_strand_limit = ngx_media_strand_quota("/proc/self/cgroup",
                                                    "/sys/fs/cgroup");

    if (sched_getaffinity(0, sizeof(cpu_set_t), &ngx_media_strand_cpus) == -1)
    {
        ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                      "sched_getaffinity() failed, threads that encode stay "
                      "on the CPUs of their workers");

        ngx_media_strand_ncpus = 0;
        return;
    }

    ngx_media_strand_ncpus = CPU_COUNT(&ngx_media_strand_cpus);
}


ngx_uint_t
ngx_media_strand_cores(void)
{
    ngx_uint_t  cores;

    cores = ngx_media_strand_ncpus;

    if (cores == 0) {
        cores = ngx_ncpu > 0 ? (ngx_uint_t) ngx_ncpu : 1;
    }

    return ngx_media_strand_limit ? ngx_min(cores, ngx_media_strand_limit)
                                  : cores;
}


/*
 * Contexts that have threads of their own have to go before exit() runs the
 * destructors of their libraries.  All strands are idle from now on: whoever
 * ends streams later stops them as ever.
 */

void
ngx_media_strand_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t               *q;
    ngx_media_strand_t        *strand;
    ngx_media_strand_queue_t  *queue;

    for (queue = ngx_media_strand_queues; queue; queue = queue->next) {

        queue->gone = 1;
        queue->nheap = 0;

        for (q = ngx_queue_head(&queue->strands);
             q != ngx_queue_sentinel(&queue->strands);
             q = ngx_queue_next(q))
        {
            strand = ngx_queue_data(q, ngx_media_strand_t, link);
            strand->state = NGX_MEDIA_STRAND_IDLE;
        }

        /* exit() may free it, and others; or they are stopped later */

        while (!ngx_queue_empty(&queue->strands)) {
            q = ngx_queue_head(&queue->strands);
            strand = ngx_queue_data(q, ngx_media_strand_t, link);

            ngx_queue_remove(q);
            ngx_queue_init(q);

            if (strand->exit) {
                strand->exit(strand->data);
            }
        }
    }
}


/* the heap; the lock is held */

static ngx_media_strand_t *
ngx_media_strand_urgent(ngx_media_strand_queue_t *queue)
{
    ngx_media_strand_t  *strand;

    if (queue->nheap == 0) {
        return NULL;
    }

    strand = queue->heap[0];

    ngx_media_strand_remove(queue, strand);

    return strand;
}


static void
ngx_media_strand_push(ngx_media_strand_queue_t *queue,
    ngx_media_strand_t *strand)
{
    strand->state = NGX_MEDIA_STRAND_READY;
    strand->since = ngx_media_strand_clock(CLOCK_MONOTONIC);
    strand->turn = queue->turn++;
    strand->place = queue->nheap;

    queue->heap[queue->nheap++] = strand;

    ngx_media_strand_up(queue, strand->place);
}


static void
ngx_media_strand_remove(ngx_media_strand_queue_t *queue,
    ngx_media_strand_t *strand)
{
    ngx_uint_t           i;
    ngx_media_strand_t  *last;

    i = strand->place;
    last = queue->heap[--queue->nheap];

    if (last == strand) {
        return;
    }

    queue->heap[i] = last;
    last->place = i;

    ngx_media_strand_up(queue, i);
    ngx_media_strand_down(queue, last->place);
}


static void
ngx_media_strand_up(ngx_media_strand_queue_t *queue, ngx_uint_t i)
{
    ngx_uint_t           parent;
    ngx_media_strand_t  *strand;

    strand = queue->heap[i];

    while (i) {
        parent = (i - 1) / 2;

        if (!ngx_media_strand_before(strand, queue->heap[parent])) {
            break;
        }

        queue->heap[i] = queue->heap[parent];
        queue->heap[i]->place = i;
        i = parent;
    }

    queue->heap[i] = strand;
    strand->place = i;
}


static void
ngx_media_strand_down(ngx_media_strand_queue_t *queue, ngx_uint_t i)
{
    ngx_uint_t           child;
    ngx_media_strand_t  *strand;

    strand = queue->heap[i];

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= queue->nheap) {
            break;
        }

        if (child + 1 < queue->nheap
            && ngx_media_strand_before(queue->heap[child + 1],
                                       queue->heap[child]))
        {
            child++;
        }

        if (!ngx_media_strand_before(queue->heap[child], strand)) {
            break;
        }

        queue->heap[i] = queue->heap[child];
        queue->heap[i]->place = i;
        i = child;
    }

    queue->heap[i] = strand;
    strand->place = i;
}


static ngx_uint_t
ngx_media_strand_before(const ngx_media_strand_t *one,
    const ngx_media_strand_t *two)
{
    if (one->deadline != two->deadline) {
        return one->deadline < two->deadline;
    }

    return one->turn < two->turn;
}


static uint64_t
ngx_media_strand_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}
