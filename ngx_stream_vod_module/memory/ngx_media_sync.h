
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Fences, and a lock that knows its owner.
 *
 * The lock's word is the pid of its holder.  A process that is killed inside
 * leaves it behind; whoever waits finds out by kill(pid, 0) and takes it over,
 * and is told so, since then the guarded data must be repaired first.
 */


#ifndef _NGX_MEDIA_SYNC_H_INCLUDED_
#define _NGX_MEDIA_SYNC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#ifndef NGX_MEDIA_LOCK_SPIN
#define NGX_MEDIA_LOCK_SPIN  1024
#endif


/*
 * Pins and wake-ups are "I write mine, then read yours" on both sides: only a
 * full fence orders that, also on x86.
 */
#define ngx_media_fence()          __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define ngx_media_fence_acquire()  __atomic_thread_fence(__ATOMIC_ACQUIRE)

#define ngx_media_load(p)          __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define ngx_media_store(p, v)      __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define ngx_media_peek(p)          __atomic_load_n(p, __ATOMIC_RELAXED)
#define ngx_media_exchange(p, v)   __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define ngx_media_set_bits(p, v)   __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define ngx_media_count(p, n)      __atomic_fetch_add(p, n, __ATOMIC_RELAXED)


typedef uint32_t  ngx_media_lock_t;


/*
 * Holders are inside for microseconds, others spin meanwhile: what may take
 * longer is not done by who holds one.  In debug builds this is looked at.
 */

#if (NGX_DEBUG)

extern ngx_uint_t  ngx_media_locks_held;      /* by this process */

#define ngx_media_locks_count(n)  ngx_media_locks_held += (n)

#define ngx_media_must_be_free(log, what)                                     \
    do {                                                                      \
        if (ngx_media_locks_held) {                                           \
            ngx_log_error(NGX_LOG_ALERT, log, 0,                              \
                          what " while %ui locks are held",                   \
                          ngx_media_locks_held);                              \
            ngx_debug_point();                                                \
        }                                                                     \
    } while (0)

#else

#define ngx_media_locks_count(n)
#define ngx_media_must_be_free(log, what)

#endif


static ngx_inline ngx_uint_t
ngx_media_process_dead(ngx_pid_t pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}


static ngx_inline ngx_uint_t
ngx_media_lock_cas(ngx_media_lock_t *lock, uint32_t old, uint32_t new)
{
    return __atomic_compare_exchange_n(lock, &old, new, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}


/*
 * NGX_OK: the lock is held.  NGX_DONE: it is held, and was taken from a dead
 * process: repair what it guards.  NGX_BUSY: somebody alive holds it.  My own
 * pid in it was left by a process that had this pid before: nobody takes a
 * lock that it holds.
 */

static ngx_inline ngx_int_t
ngx_media_trylock(ngx_media_lock_t *lock)
{
    uint32_t  owner;

    owner = ngx_media_peek(lock);

    if (owner == 0) {
        if (ngx_media_lock_cas(lock, 0, (uint32_t) ngx_pid)) {
            ngx_media_locks_count(1);
            return NGX_OK;
        }

        return NGX_BUSY;
    }

    if ((owner == (uint32_t) ngx_pid
         || ngx_media_process_dead((ngx_pid_t) owner))
        && ngx_media_lock_cas(lock, owner, (uint32_t) ngx_pid))
    {
        ngx_media_locks_count(1);
        return NGX_DONE;
    }

    return NGX_BUSY;
}


/* NGX_OK or NGX_DONE as above; holders are inside for microseconds */

static ngx_inline ngx_int_t
ngx_media_lock(ngx_media_lock_t *lock)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for ( ;; ) {

        for (i = 0; i < NGX_MEDIA_LOCK_SPIN; i++) {

            if (ngx_media_peek(lock) == 0
                && ngx_media_lock_cas(lock, 0, (uint32_t) ngx_pid))
            {
                ngx_media_locks_count(1);
                return NGX_OK;
            }

            ngx_cpu_pause();
        }

        /* it may have become free just now: then it is taken */

        rc = ngx_media_trylock(lock);

        if (rc != NGX_BUSY) {
            return rc;
        }

        ngx_sched_yield();
    }
}


static ngx_inline void
ngx_media_unlock(ngx_media_lock_t *lock)
{
    ngx_media_locks_count(-1);
    ngx_media_store(lock, 0);
}


#endif /* _NGX_MEDIA_SYNC_H_INCLUDED_ */
