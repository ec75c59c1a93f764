
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer @packager ../unit/ngx_stub.c */


/*
 * The walk of t/unit/media_walk.h, whose random source is the input: byte 0
 * says what may happen.
 */


#include "media_walk.h"


#define STEPS  1500
#define CHECK  100


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static walk_t  w;

    if (size < 8) {
        return 0;
    }

    memset(&w, 0, sizeof(walk_t));

    w.fuzz = 1;
    w.data = data + 1;
    w.last = data + size;

    walk(&w, (data[0] & (WALK_CODECS|WALK_RATES|WALK_MANY|WALK_NOMEM
                         |WALK_BLOCKS|WALK_DERIVED))
             | (data[0] & 0x80 ? WALK_DATA : 0),
         STEPS, CHECK);

    if (w.wrong[0] || ngx_stub_pools) {
        printf("%s, pools: %d\n", w.wrong, (int) ngx_stub_pools);
        abort();
    }

    return 0;
}
