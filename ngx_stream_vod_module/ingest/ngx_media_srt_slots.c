
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_slots.h"


#define NGX_MEDIA_SRT_SLOTS_CHUNK   65536
#define NGX_MEDIA_SRT_SLOTS_HEAD    64
#define NGX_MEDIA_SRT_SLOTS_NUMBER                                            \
    ((NGX_MEDIA_SRT_SLOTS_CHUNK - NGX_MEDIA_SRT_SLOTS_HEAD)                   \
     / sizeof(ngx_media_srt_slot_t))

/* empty chunks that are kept, so that a frame that comes and goes costs none */
#define NGX_MEDIA_SRT_SLOTS_SPARE   1


typedef struct {
    ngx_queue_t               queue;          /* of those with free slots */
    ngx_media_srt_slot_t     *free;
    uint32_t                  index;          /* in the pool's table */
    uint32_t                  used;
} ngx_media_srt_chunk_t;


struct ngx_media_srt_slots_s {
    ngx_queue_t               free;           /* chunks, the fullest first */
    ngx_media_srt_chunk_t   **chunks;         /* NULL: given back */
    uint32_t                  nchunks;        /* of the table */
    uint32_t                  nalloc;         /* there are */
    uint32_t                  nempty;
    ngx_uint_t                used;
    ngx_uint_t                users;
    size_t                    limit;
    size_t                    kept;
    ngx_log_t                *log;
};


static ngx_media_srt_chunk_t *ngx_media_srt_slots_chunk(
    ngx_media_srt_slots_t *slots);
static ngx_int_t ngx_media_srt_slots_index(ngx_media_srt_slots_t *slots,
    uint32_t *index);


/* a free slot has the next one where the datagram would be */

static ngx_inline ngx_media_srt_slot_t **
ngx_media_srt_slots_next(ngx_media_srt_slot_t *slot)
{
    return (ngx_media_srt_slot_t **) (void *) slot->data;
}


ngx_media_srt_slots_t *
ngx_media_srt_slots_create(size_t limit, ngx_log_t *log)
{
    ngx_media_srt_slots_t  *slots;

    slots = ngx_calloc(sizeof(ngx_media_srt_slots_t), log);
    if (slots == NULL) {
        return NULL;
    }

    ngx_queue_init(&slots->free);

    slots->limit = limit;
    slots->log = log;

    return slots;
}


void
ngx_media_srt_slots_destroy(ngx_media_srt_slots_t *slots)
{
    uint32_t  i;

    if (slots->used) {
        ngx_log_error(NGX_LOG_ALERT, slots->log, 0,
                      "srt: pool is destroyed with slots out, number:%ui",
                      slots->used);
    }

    for (i = 0; i < slots->nchunks; i++) {
        if (slots->chunks[i]) {
            ngx_free(slots->chunks[i]);
        }
    }

    if (slots->chunks) {
        ngx_free(slots->chunks);
    }

    ngx_free(slots);
}


void
ngx_media_srt_slots_limit(ngx_media_srt_slots_t *slots, size_t limit)
{
    slots->limit = limit;
}


ngx_media_srt_slot_t *
ngx_media_srt_slots_get(ngx_media_srt_slots_t *slots)
{
    ngx_media_srt_slot_t   *slot;
    ngx_media_srt_chunk_t  *chunk;

    if (ngx_queue_empty(&slots->free)) {
        chunk = ngx_media_srt_slots_chunk(slots);
        if (chunk == NULL) {
            return NULL;
        }

    } else {
        chunk = ngx_queue_data(ngx_queue_head(&slots->free),
                               ngx_media_srt_chunk_t, queue);
    }

    slot = chunk->free;
    chunk->free = *ngx_media_srt_slots_next(slot);

    if (chunk->used == 0) {
        slots->nempty--;
    }

    chunk->used++;
    slots->used++;

    if (chunk->free == NULL) {
        ngx_queue_remove(&chunk->queue);
    }

    return slot;
}


void
ngx_media_srt_slots_put(ngx_media_srt_slots_t *slots,
    ngx_media_srt_slot_t *slot)
{
    ngx_media_srt_chunk_t  *chunk;

    chunk = slots->chunks[slot->number / NGX_MEDIA_SRT_SLOTS_NUMBER];

    if (chunk->free == NULL) {
        ngx_queue_insert_head(&slots->free, &chunk->queue);
    }

    *ngx_media_srt_slots_next(slot) = chunk->free;
    chunk->free = slot;

    chunk->used--;
    slots->used--;

    if (chunk->used) {
        return;
    }

    ngx_queue_remove(&chunk->queue);

    if (slots->nempty >= NGX_MEDIA_SRT_SLOTS_SPARE) {
        slots->chunks[chunk->index] = NULL;
        slots->nalloc--;
        ngx_free(chunk);
        return;
    }

    /* behind the others: it is to be the last that is taken of */

    slots->nempty++;
    ngx_queue_insert_tail(&slots->free, &chunk->queue);
}


ngx_media_srt_slot_t *
ngx_media_srt_slots_at(const ngx_media_srt_slots_t *slots, uint32_t number)
{
    u_char  *p;

    p = (u_char *) slots->chunks[number / NGX_MEDIA_SRT_SLOTS_NUMBER]
        + NGX_MEDIA_SRT_SLOTS_HEAD;

    return (ngx_media_srt_slot_t *) (void *) p
           + number % NGX_MEDIA_SRT_SLOTS_NUMBER;
}


void
ngx_media_srt_slots_join(ngx_media_srt_slots_t *slots)
{
    slots->users++;
}


void
ngx_media_srt_slots_leave(ngx_media_srt_slots_t *slots)
{
    slots->users--;
}


ngx_uint_t
ngx_media_srt_slots_tight(const ngx_media_srt_slots_t *slots, ngx_uint_t held)
{
    ngx_uint_t  n;

    n = (slots->limit - ngx_min(slots->kept, slots->limit))
        / sizeof(ngx_media_srt_slot_t);

    return slots->limit != 0
           && slots->used > n
           && held > n / ngx_max(slots->users, 1);
}


ngx_int_t
ngx_media_srt_slots_keep(ngx_media_srt_slots_t *slots, size_t n,
    ngx_uint_t needed)
{
    if (slots->limit && !needed && slots->kept + n > slots->limit / 2) {
        return NGX_DECLINED;
    }

    slots->kept += n;

    return NGX_OK;
}


void
ngx_media_srt_slots_forget(ngx_media_srt_slots_t *slots, size_t n)
{
    slots->kept -= n;
}


void
ngx_media_srt_slots_stat(const ngx_media_srt_slots_t *slots,
    ngx_media_srt_slots_stat_t *stat)
{
    stat->limit = slots->limit;
    stat->size = (size_t) slots->nalloc * NGX_MEDIA_SRT_SLOTS_CHUNK;
    stat->kept = slots->kept;
    stat->used = slots->used;
    stat->users = slots->users;
}


static ngx_media_srt_chunk_t *
ngx_media_srt_slots_chunk(ngx_media_srt_slots_t *slots)
{
    uint32_t                index, i;
    ngx_media_srt_slot_t   *slot;
    ngx_media_srt_chunk_t  *chunk;

    if (ngx_media_srt_slots_index(slots, &index) != NGX_OK) {
        return NULL;
    }

    chunk = ngx_alloc(NGX_MEDIA_SRT_SLOTS_CHUNK, slots->log);
    if (chunk == NULL) {
        return NULL;
    }

    chunk->index = index;
    chunk->used = 0;
    chunk->free = NULL;

    slots->chunks[index] = chunk;
    slots->nalloc++;
    slots->nempty++;

    for (i = NGX_MEDIA_SRT_SLOTS_NUMBER; i-- > 0; /* void */ ) {
        slot = ngx_media_srt_slots_at(slots,
                                      index * NGX_MEDIA_SRT_SLOTS_NUMBER + i);

        slot->number = index * NGX_MEDIA_SRT_SLOTS_NUMBER + i;
        *ngx_media_srt_slots_next(slot) = chunk->free;
        chunk->free = slot;
    }

    ngx_queue_insert_head(&slots->free, &chunk->queue);

    return chunk;
}


static ngx_int_t
ngx_media_srt_slots_index(ngx_media_srt_slots_t *slots, uint32_t *index)
{
    uint32_t                i, n;
    ngx_media_srt_chunk_t **chunks;

    if (slots->nalloc < slots->nchunks) {

        for (i = 0; slots->chunks[i]; i++) { /* void */ }

        *index = i;

        return NGX_OK;
    }

    n = slots->nchunks ? slots->nchunks * 2 : 64;

    chunks = ngx_calloc(n * sizeof(ngx_media_srt_chunk_t *), slots->log);
    if (chunks == NULL) {
        return NGX_ERROR;
    }

    if (slots->chunks) {
        ngx_memcpy(chunks, slots->chunks,
                   slots->nchunks * sizeof(ngx_media_srt_chunk_t *));
        ngx_free(slots->chunks);
    }

    *index = slots->nchunks;

    slots->chunks = chunks;
    slots->nchunks = n;

    return NGX_OK;
}
