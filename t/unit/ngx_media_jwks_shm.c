
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_process.c ngx_stub.c */


/* the answer of a server of keys that workers share: who dies in it */


#include "access/ngx_media_jwks_shm.h"
#include "media_step.h"
#include "ngx_stub.h"


#define LEN  200


static ngx_media_jwks_shm_t  *shm;
static u_char                 olds[LEN];
static u_char                 news[LEN];
static ngx_uint_t             step_none;
static ngx_uint_t             step_wrong;


static void
step_work(void)
{
    ngx_media_jwks_put_locked(shm, news, LEN);
    ngx_media_jwks_put_locked(shm, olds, LEN / 2);
}


static void
step_look(void)
{
    if (shm->len == 0) {
        step_none++;
        return;
    }

    step_wrong += (shm->len != LEN || memcmp(shm->text, olds, LEN) != 0)
                  && (shm->len != LEN || memcmp(shm->text, news, LEN) != 0)
                  && (shm->len != LEN / 2
                      || memcmp(shm->text, olds, LEN / 2) != 0);
}


int
main(void)
{
    ngx_uint_t  n;

    ngx_pid = getpid();

    memset(olds, 'o', LEN);
    memset(news, 'n', LEN);

    shm = step_memory(sizeof(ngx_media_jwks_shm_t));

    ngx_media_jwks_put_locked(shm, olds, LEN);
    is(shm->len, LEN, "there is one");

    n = step_each(shm, 512, NULL, step_work, step_look);

    ok(n == 0 || n > 4, "moments, %u", (unsigned) n);
    ok(n == 0 || step_none > 0, "none while it is written");
    is(step_wrong, 0, "and never a mixture");

    return done();
}
