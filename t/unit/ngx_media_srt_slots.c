
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_slots.c ngx_stub.c */


#include "ingest/ngx_media_srt_slots.h"
#include "ngx_stub.h"
#include "tap.h"


#define CHUNK  65536
#define MANY   1000


static ngx_media_srt_slot_t  *slot[MANY];


static size_t
size_of(ngx_media_srt_slots_t *slots)
{
    ngx_media_srt_slots_stat_t  stat;

    ngx_media_srt_slots_stat(slots, &stat);

    return stat.size;
}


static void
test_slots(void)
{
    ngx_uint_t              i, n, wrong;
    ngx_media_srt_slots_t  *slots;

    slots = ngx_media_srt_slots_create(0, &ngx_stub_log);

    is(size_of(slots), 0, "a pool that nobody uses has no memory");

    for (n = 0; n < 3; n++) {
        wrong = 0;

        for (i = 0; i < MANY; i++) {
            slot[i] = ngx_media_srt_slots_get(slots);
            memset(slot[i]->data, i, sizeof(slot[i]->data));
        }

        for (i = 0; i < MANY; i++) {
            wrong += ngx_media_srt_slots_at(slots, slot[i]->number) != slot[i];
            wrong += slot[i]->data[0] != (u_char) i;
            wrong += slot[i]->data[sizeof(slot[i]->data) - 1] != (u_char) i;
        }

        is(wrong, 0, "slots are apart, and found by their numbers");
        is(size_of(slots), (MANY + 43) / 44 * CHUNK, "44 slots a chunk");

        for (i = 0; i < MANY; i++) {
            ngx_media_srt_slots_put(slots, slot[(i * 7 + n) % MANY]);
        }

        is(size_of(slots), CHUNK, "one chunk is kept");
    }

    ngx_media_srt_slots_destroy(slots);
}


static void
test_tight(void)
{
    ngx_uint_t              i;
    ngx_media_srt_slots_t  *slots;

    slots = ngx_media_srt_slots_create(0, &ngx_stub_log);

    for (i = 0; i < 101; i++) {
        slot[i] = ngx_media_srt_slots_get(slots);
    }

    ngx_media_srt_slots_join(slots);
    ngx_media_srt_slots_join(slots);

    is(ngx_media_srt_slots_tight(slots, 101), 0, "no limit");

    ngx_media_srt_slots_limit(slots, 101 * sizeof(ngx_media_srt_slot_t));
    is(ngx_media_srt_slots_tight(slots, 101), 0, "all, and not one more");

    ngx_media_srt_slots_limit(slots, 100 * sizeof(ngx_media_srt_slot_t));
    is(ngx_media_srt_slots_tight(slots, 51), 1, "one has more than its half");
    is(ngx_media_srt_slots_tight(slots, 50), 0, "the other has not");

    ngx_media_srt_slots_leave(slots);
    is(ngx_media_srt_slots_tight(slots, 51), 0, "nor has who is alone");
    is(ngx_media_srt_slots_tight(slots, 101), 1, "unless it is all of it");
    ngx_media_srt_slots_leave(slots);

    while (i) {
        ngx_media_srt_slots_put(slots, slot[--i]);
    }

    ngx_media_srt_slots_destroy(slots);
}


/* what is kept for viewers: half of the limit, and what is needed anyway */

static void
test_keep(void)
{
    ngx_uint_t                   i;
    ngx_media_srt_slots_t       *slots;
    ngx_media_srt_slots_stat_t   stat;

    slots = ngx_media_srt_slots_create(0, &ngx_stub_log);

    is(ngx_media_srt_slots_keep(slots, 1 << 30, 0), NGX_OK, "no limit");
    ngx_media_srt_slots_forget(slots, 1 << 30);

    for (i = 0; i < 100; i++) {
        slot[i] = ngx_media_srt_slots_get(slots);
    }

    ngx_media_srt_slots_join(slots);
    ngx_media_srt_slots_limit(slots, 100 * sizeof(ngx_media_srt_slot_t));

    is(ngx_media_srt_slots_tight(slots, 100), 0, "there is room");
    is(ngx_media_srt_slots_keep(slots, 50 * sizeof(ngx_media_srt_slot_t), 0),
       NGX_OK, "half of it is kept");
    is(ngx_media_srt_slots_tight(slots, 51), 1, "there is room for 50");
    is(ngx_media_srt_slots_tight(slots, 50), 0, "not for less");
    is(ngx_media_srt_slots_keep(slots, 1, 0), NGX_DECLINED, "no more is");
    is(ngx_media_srt_slots_keep(slots, sizeof(ngx_media_srt_slot_t) * 100, 1),
       NGX_OK, "unless it has to be");
    is(ngx_media_srt_slots_tight(slots, 1), 1, "then nothing is left");

    ngx_media_srt_slots_stat(slots, &stat);
    is(stat.kept, 150 * sizeof(ngx_media_srt_slot_t), "bytes are told");

    ngx_media_srt_slots_forget(slots, 150 * sizeof(ngx_media_srt_slot_t));
    is(ngx_media_srt_slots_tight(slots, 100), 0, "it is given back");

    ngx_media_srt_slots_leave(slots);

    while (i) {
        ngx_media_srt_slots_put(slots, slot[--i]);
    }

    ngx_media_srt_slots_destroy(slots);
}


static void
test_nomem(void)
{
    ngx_uint_t              i;
    ngx_media_srt_slots_t  *slots;

    slots = ngx_media_srt_slots_create(0, &ngx_stub_log);

    ngx_stub_fail = 1;
    ok(ngx_media_srt_slots_get(slots) == NULL, "no memory for the table");

    ngx_stub_fail = 2;

    for (i = 0; i < MANY; /* void */ ) {
        slot[i] = ngx_media_srt_slots_get(slots);

        if (slot[i]) {
            i++;
        }
    }

    ngx_stub_fail = 0;

    is(size_of(slots), (MANY + 43) / 44 * CHUNK,
       "what failed has left nothing");

    while (i) {
        ngx_media_srt_slots_put(slots, slot[--i]);
    }

    ngx_media_srt_slots_destroy(slots);
}


int
main(void)
{
    test_slots();
    test_tight();
    test_keep();
    test_nomem();

    return done();
}
