
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: transcode/ngx_media_strand.c
         transcode/ngx_media_strand_quota.c ../unit/ngx_stub.c -pthread */


/*
 * Strands of fake codecs, which are slow, fail, or hang, over pools of threads
 * that are like nginx's.  What a codec has is touched by its steps and by
 * done() without a lock: ThreadSanitizer sees whether that is right.
 *
 *     strand [seconds=3] [seed=N]
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "transcode/ngx_media_strand.h"
#include "../unit/ngx_stub.h"
#include "../unit/tap.h"


#define CODECS   48
#define RACERS   64


/* what of nginx's a pool is */

struct ngx_thread_pool_s {
    pthread_mutex_t            lock;
    pthread_cond_t             cond;
    ngx_thread_task_t         *first;
    ngx_thread_task_t        **last;
    ngx_int_t                  waiting;
    ngx_int_t                  max;
    ngx_uint_t                 refused;
    ngx_uint_t                 threads;
};


typedef enum {
    FAST = 0,
    SLOW,
    FAILS,
    HANGS,
    KINDS
} kind_e;


typedef struct {
    ngx_media_strand_t         strand;
    kind_e                     kind;
    uint64_t                   steps;        /* step() and done() */
    uint64_t                   dones;
    unsigned                   failed:1;
    ngx_uint_t                 inside;       /* atomic */
    ngx_uint_t                 asked;        /* atomic */
    ngx_uint_t                 seen;         /* atomic */
    ngx_uint_t                 stopping;     /* the event loop's */
    int64_t                    deadline;
} codec_t;


volatile ngx_uint_t            wrongs;       /* atomic */
sig_atomic_t                   ngx_quit;
ngx_int_t                      ngx_ncpu = 1;

static pthread_mutex_t         done_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t          done_cond = PTHREAD_COND_INITIALIZER;
static ngx_thread_task_t      *done_first;
static ngx_thread_task_t     **done_last = &done_first;

static codec_t                *codecs[CODECS];
static ngx_uint_t              made, stops, exits, begun;
static ngx_uint_t              gate;         /* atomic: who hangs may go on */
static ngx_uint_t              cpus, alike, unlike, nices;
static codec_t                *order[RACERS];
static ngx_uint_t              norder;
static uint64_t                seed = 1;


static uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed;
}


static void
wrong(const char *what)
{
    if (__atomic_fetch_add(&wrongs, 1, __ATOMIC_RELAXED) < 5) {
        diag("wrong: %s", what);
    }
}


static void
nap(unsigned us)
{
    struct timespec  ts;

    ts.tv_sec = us / 1000000;
    ts.tv_nsec = us % 1000000 * 1000;

    (void) nanosleep(&ts, NULL);
}


ngx_int_t
ngx_event_no_timers_left(void)
{
    return NGX_AGAIN;
}


ngx_int_t
ngx_thread_task_post(ngx_thread_pool_t *pool, ngx_thread_task_t *task)
{
    if (task->event.active) {
        wrong("a task was posted that is active");
        return NGX_ERROR;
    }

    pthread_mutex_lock(&pool->lock);

    if (pool->waiting >= pool->max) {
        pool->refused++;
        pthread_mutex_unlock(&pool->lock);
        return NGX_ERROR;
    }

    task->event.active = 1;
    task->next = NULL;

    *pool->last = task;
    pool->last = &task->next;
    pool->waiting++;

    pthread_cond_signal(&pool->cond);
    pthread_mutex_unlock(&pool->lock);

    return NGX_OK;
}


static void *
thread(void *data)
{
    ngx_thread_pool_t *pool = data;

    ngx_thread_task_t  *task;

    for ( ;; ) {
        pthread_mutex_lock(&pool->lock);

        pool->waiting--;

        while (pool->first == NULL) {
            pthread_cond_wait(&pool->cond, &pool->lock);
        }

        task = pool->first;
        pool->first = task->next;

        if (pool->first == NULL) {
            pool->last = &pool->first;
        }

        pthread_mutex_unlock(&pool->lock);

        if (task->handler == NULL) {
            free(task);
            return NULL;
        }

        task->handler(task->ctx, &ngx_stub_log);

        pthread_mutex_lock(&done_lock);

        task->next = NULL;
        *done_last = task;
        done_last = &task->next;

        pthread_cond_signal(&done_cond);
        pthread_mutex_unlock(&done_lock);
    }
}


static void
start(ngx_thread_pool_t *pool, ngx_uint_t threads, ngx_int_t max,
    pthread_t *ids)
{
    ngx_uint_t  i;

    memset(pool, 0, sizeof(ngx_thread_pool_t));

    (void) pthread_mutex_init(&pool->lock, NULL);
    (void) pthread_cond_init(&pool->cond, NULL);

    pool->last = &pool->first;
    pool->max = max;
    pool->threads = threads;

    for (i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, thread, pool) != 0) {
            abort();
        }
    }
}


/* as ngx_thread_pool_exit_worker(): all that was posted runs before */

static void
finish(ngx_thread_pool_t *pool, pthread_t *ids)
{
    ngx_uint_t  i;

    pthread_mutex_lock(&pool->lock);
    pool->max = NGX_MAX_INT32_VALUE;
    pthread_mutex_unlock(&pool->lock);

    for (i = 0; i < pool->threads; i++) {
        (void) ngx_thread_task_post(pool, calloc(1, sizeof(ngx_thread_task_t)));
    }

    for (i = 0; i < pool->threads; i++) {
        (void) pthread_join(ids[i], NULL);
    }
}


/* one turn of the event loop */

static void
loop(void)
{
    struct timespec     ts;
    ngx_thread_task_t  *task, *next;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    ts.tv_nsec += 1000000;

    if (ts.tv_nsec >= 1000000000) {
        ts.tv_nsec -= 1000000000;
        ts.tv_sec++;
    }

    pthread_mutex_lock(&done_lock);

    if (done_first == NULL) {
        (void) pthread_cond_timedwait(&done_cond, &done_lock, &ts);
    }

    task = done_first;
    done_first = NULL;
    done_last = &done_first;

    pthread_mutex_unlock(&done_lock);

    while (task) {
        next = task->next;

        task->event.active = 0;
        task->event.complete = 1;
        task->event.handler(&task->event);

        task = next;
    }

    ngx_stub_clock_now();
    ngx_stub_timers();
}


static void
look(void)
{
    int        nice;
    id_t       id;
    cpu_set_t  set;

    static __thread ngx_uint_t  looked;

    if (looked) {
        return;
    }

    looked = 1;

    id = (id_t) syscall(SYS_gettid);
    nice = getpriority(PRIO_PROCESS, id);

    if (nice >= NGX_MEDIA_STRAND_NICE) {
        (void) __atomic_fetch_add(&nices, 1, __ATOMIC_RELAXED);
    }

    (void) sched_getaffinity(0, sizeof(cpu_set_t), &set);

    (void) __atomic_fetch_add((ngx_uint_t) CPU_COUNT(&set) == cpus ? &alike
                                                                  : &unlike,
                              1, __ATOMIC_RELAXED);
}


static void
step(void *data)
{
    codec_t *codec = data;

    ngx_uint_t  asked;

    look();

    asked = __atomic_load_n(&codec->asked, __ATOMIC_ACQUIRE);

    if (__atomic_fetch_add(&codec->inside, 1, __ATOMIC_RELAXED) != 0) {
        wrong("two steps of one at a time, or done() beside");
    }

    (void) __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);

    codec->steps++;

    switch (codec->kind) {

    case SLOW:
        nap(500 + codec->steps % 5 * 500);
        break;

    case FAILS:
        codec->failed = codec->steps % 7 == 0;
        break;

    case HANGS:
        while (!__atomic_load_n(&gate, __ATOMIC_ACQUIRE)) {
            nap(500);
        }

        break;

    default:
        break;
    }

    __atomic_store_n(&codec->seen, asked, __ATOMIC_RELEASE);

    (void) __atomic_fetch_sub(&codec->inside, 1, __ATOMIC_RELAXED);
}


static void
ready(codec_t *codec, int64_t deadline)
{
    (void) __atomic_fetch_add(&codec->asked, 1, __ATOMIC_RELEASE);

    ngx_media_strand_ready(&codec->strand, deadline);
}


static void
stopped(void *data)
{
    codec_t *codec = data;

    ngx_uint_t  i;

    if (__atomic_load_n(&codec->inside, __ATOMIC_RELAXED)) {
        wrong("stopped while a step runs");
    }

    for (i = 0; i < CODECS; i++) {
        if (codecs[i] == codec) {
            codecs[i] = NULL;
        }
    }

    stops++;

    free(codec);
}


static void
stop(codec_t *codec)
{
    codec->stopping = 1;

    ngx_media_strand_stop(&codec->strand, stopped, codec);
}


static void
done_step(void *data)
{
    codec_t *codec = data;

    if (codec->stopping) {
        wrong("done() of one that was stopped");
    }

    if (__atomic_fetch_add(&codec->inside, 1, __ATOMIC_RELAXED) != 0) {
        wrong("done() beside a step");
    }

    if (++codec->dones != codec->steps) {
        wrong("done() is not called after each step");
    }

    (void) __atomic_fetch_sub(&codec->inside, 1, __ATOMIC_RELAXED);

    if (codec->failed) {
        stop(codec);
        return;
    }

    switch (rnd() % 4) {

    case 0:
        ready(codec, NGX_MEDIA_STRAND_LAST);
        break;

    case 1:
        ready(codec, ngx_current_msec + rnd() % 100);

        if (rnd() % 16 == 0) {
            stop(codec);
        }

        break;

    default:
        break;
    }
}


static void
last_exit(void *data)
{
    exits++;
}


static codec_t *
create(ngx_thread_pool_t *pool, kind_e kind)
{
    codec_t  *codec;

    codec = calloc(1, sizeof(codec_t));
    if (codec == NULL) {
        abort();
    }

    codec->kind = kind;
    codec->strand.step = step;
    codec->strand.done = done_step;
    codec->strand.exit = last_exit;
    codec->strand.data = codec;

    if (ngx_media_strand_init(&codec->strand, pool) != NGX_OK) {
        abort();
    }

    made++;

    return codec;
}


/* what waits has to come, however long that takes here */

static void
settle(codec_t **list, ngx_uint_t n)
{
    ngx_uint_t  i, turn, busy;

    for (turn = 0; turn < 60000; turn++) {
        loop();

        busy = 0;

        for (i = 0; i < n; i++) {
            busy += list[i] && !ngx_media_strand_idle(&list[i]->strand);
        }

        if (busy == 0) {
            return;
        }
    }

    wrong("stuck");
}


static void
walk(ngx_thread_pool_t **pools, ngx_uint_t seconds)
{
    codec_t     *codec;
    uint64_t     sum;
    ngx_uint_t   i;
    ngx_msec_t   until;

    ngx_media_strand_stat_t  stat;

    sum = 0;
    until = ngx_current_msec + seconds * 1000;

    while (ngx_current_msec < until) {
        loop();

        __atomic_store_n(&gate, rnd() % 8 == 0, __ATOMIC_RELEASE);

        i = rnd() % CODECS;
        codec = codecs[i];

        if (codec == NULL) {
            codecs[i] = create(pools[rnd() % 3], rnd() % 64 == 0 ? HANGS
                                                               : rnd() % HANGS);
            ready(codecs[i], ngx_current_msec + rnd() % 50);
            continue;
        }

        if (codec->stopping) {
            continue;
        }

        sum += ngx_media_strand_running(&codec->strand);
        ngx_media_strand_stat(&codec->strand, &stat);

        if (rnd() % 20 == 0) {
            stop(codec);
            continue;
        }

        ready(codec, ngx_current_msec + rnd() % 50);
    }

    diag("%lu strands, %lu stopped, %lu steps, %lu ms seen",
         (unsigned long) made, (unsigned long) stops,
         (unsigned long) __atomic_load_n(&begun, __ATOMIC_RELAXED),
         (unsigned long) sum);
}


static void
nothing(void *data)
{
    codec_t *codec = data;

    codec->dones++;
}


static void
race_step(void *data)
{
    codec_t *codec = data;

    codec->steps++;
    order[norder++] = codec;
}


/* one thread, which is held until all are ready: the most urgent first */

static void
race(ngx_thread_pool_t *pool)
{
    codec_t     *held, *racers[RACERS];
    ngx_uint_t   i, n, bad;

    __atomic_store_n(&gate, 0, __ATOMIC_RELEASE);

    held = create(pool, HANGS);
    held->strand.done = nothing;
    ready(held, 0);

    while (ngx_media_strand_running(&held->strand) == 0) {
        loop();
    }

    ok(!ngx_media_strand_idle(&held->strand), "its step is seen to run");

    for (i = 0; i < RACERS; i++) {
        racers[i] = create(pool, FAST);
        racers[i]->strand.step = race_step;
        racers[i]->strand.done = nothing;
        racers[i]->deadline = rnd() % 32;
        ready(racers[i], racers[i]->deadline);
    }

    for (i = 0; i < RACERS; i += 3) {
        racers[i]->deadline -= 16;
        ready(racers[i], racers[i]->deadline);
        ready(racers[i], racers[i]->deadline + 1000);
    }

    for (i = 1, n = RACERS; i < RACERS; i += 5, n--) {
        stop(racers[i]);
        racers[i] = NULL;
    }

    __atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
    settle(racers, RACERS);

    bad = 0;

    for (i = 1; i < norder; i++) {
        bad += order[i]->deadline < order[i - 1]->deadline;
    }

    is(norder, n, "who was stopped has no step, all others one");
    is(bad, 0, "the most urgent first");

    for (i = 0; i < RACERS; i++) {
        if (racers[i]) {
            stop(racers[i]);
        }
    }

    stop(held);
}


/* who is stopped in its step is told when that has been done */

static void
hang(ngx_thread_pool_t *pool)
{
    codec_t     *codec;
    ngx_uint_t   i, was;

    __atomic_store_n(&gate, 0, __ATOMIC_RELEASE);

    codec = create(pool, HANGS);
    ready(codec, 0);
    ready(codec, 0);

    while (ngx_media_strand_running(&codec->strand) == 0) {
        loop();
    }

    ngx_media_strand_hung(&codec->strand, &ngx_stub_log);
    ngx_media_strand_hung(&codec->strand, &ngx_stub_log);

    is(ngx_stub_logged[NGX_LOG_CRIT], 1, "one that hangs is logged once");

    was = stops;

    stop(codec);

    for (i = 0; i < 20; i++) {
        loop();
    }

    is(stops, was, "one that hangs is not yet stopped");

    __atomic_store_n(&gate, 1, __ATOMIC_RELEASE);

    for (i = 0; i < 60000 && stops == was; i++) {
        loop();
    }

    is(stops, was + 1, "and is when it returns");
}


static void
slow_step(void *data)
{
    codec_t *codec = data;

    codec->steps++;

    (void) __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);

    nap(20000);
}


/* nginx stops: what waits is not begun, and then threads have gone */

static void
terminate(ngx_thread_pool_t **pools, pthread_t (*ids)[4])
{
    ngx_uint_t   i, was, left, n, refused;
    codec_t     *list[RACERS];

    for (i = 0; i < RACERS; i++) {
        list[i] = create(pools[i % 3], FAST);
        list[i]->strand.step = slow_step;
        list[i]->strand.done = nothing;
        ready(list[i], i);
    }

    left = made - stops;
    was = __atomic_load_n(&begun, __ATOMIC_RELAXED);

    while (__atomic_load_n(&begun, __ATOMIC_RELAXED) == was) {
        nap(500);
    }

    __atomic_store_n(&ngx_terminate, 1, __ATOMIC_RELAXED);

    /* each thread may have been about to begin one */

    nap(30000);

    n = __atomic_load_n(&begun, __ATOMIC_RELAXED);

    refused = 0;

    for (i = 0; i < 3; i++) {
        finish(pools[i], ids[i]);
        refused += pools[i]->refused;
    }

    is(__atomic_load_n(&begun, __ATOMIC_RELAXED), n,
       "no step is begun when nginx stops");
    ok(n - was < RACERS / 2, "most were not");

    /* streams end after pools, and make strands ready that were idle */

    for (i = 0; i < 3; i++) {
        pools[i]->max = -1;
    }

    for (i = 0; i < RACERS; i++) {
        ready(list[i], 0);
    }

    is(pools[0]->refused + pools[1]->refused + pools[2]->refused, refused,
       "nothing is posted to pools that have gone");

    ngx_media_strand_exit_process(NULL);

    is(exits, left, "all are told that threads have gone");

    for (i = 0; i < RACERS; i++) {
        ready(list[i], 0);
        stop(list[i]);
    }

    is(made - stops, left - RACERS, "and may be stopped after that");
}


int
main(int argc, char **argv)
{
    int                  i;
    cpu_set_t            set;
    pthread_t            ids[3][4];
    ngx_uint_t           n, lost, seconds, threads;
    ngx_thread_pool_t    one, three, small;
    ngx_thread_pool_t   *pools[3];

    seconds = 3;

    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], "seconds=", 8) == 0) {
            seconds = atoi(argv[i] + 8);

        } else if (strncmp(argv[i], "seed=", 5) == 0) {
            seed = atoi(argv[i] + 5) + 1;
        }
    }

    ngx_process = NGX_PROCESS_SINGLE;

    ngx_stub_clock_now();
    ngx_stub_timers_init();

    ngx_media_strand_init_module((ngx_cycle_t *) ngx_cycle);

    cpus = ngx_media_strand_cores();

    /* as worker_cpu_affinity does; the threads below have it, too */

    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);

    (void) sched_setaffinity(0, sizeof(cpu_set_t), &set);

    pools[0] = &one;
    pools[1] = &three;
    pools[2] = &small;

    start(&one, 1, 65536, ids[0]);
    start(&three, 3, 65536, ids[1]);
    start(&small, 2, 3, ids[2]);

    threads = 6;

    race(&one);
    hang(&three);
    walk(pools, seconds);

    __atomic_store_n(&gate, 1, __ATOMIC_RELEASE);

    for (n = 0; n < CODECS; n++) {
        if (codecs[n]) {
            codecs[n]->strand.done = nothing;
        }
    }

    settle(codecs, CODECS);

    lost = 0;

    for (n = 0; n < CODECS; n++) {
        if (codecs[n]) {
            lost += __atomic_load_n(&codecs[n]->seen, __ATOMIC_ACQUIRE)
                    != codecs[n]->asked;
        }
    }

    is(lost, 0, "who was ready had a step after that");
    ok(small.refused > 0, "a pool was full %lu times, and all went on",
       (unsigned long) small.refused);
    is(wrongs, 0, "nothing was wrong");
    is(nices, threads, "threads let event loops go before");
    is(unlike, 0, "and run on all CPUs that the master may use, %lu",
       (unsigned long) cpus);
    is(alike, threads, "each of them");

    terminate(pools, ids);

    return done();
}
