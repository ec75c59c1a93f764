
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_once.c memory/ngx_media_process.c ngx_stub.c
         -lcrypto */


/* tokens that are for one publisher: who may use one, until when, and how many
   are remembered */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_once.h"
#include "ngx_stub.h"
#include "tap.h"


#define N  8


static ngx_media_once_shm_t  *sh;


static void
start(void)
{
    if (sh) {
        free(sh);
    }

    sh = calloc(1, ngx_media_once_size(N));
    ngx_media_once_init(sh, N);
}


static ngx_int_t
use(const char *issuer, const char *jti, const char *address,
    const char *name, time_t expires)
{
    uint64_t          full;
    ngx_int_t         rc;
    ngx_media_once_t  once;

    once.issuer.data = (u_char *) issuer;
    once.issuer.len = strlen(issuer);
    once.jti.data = (u_char *) jti;
    once.jti.len = strlen(jti);
    once.address.data = (u_char *) address;
    once.address.len = strlen(address);
    once.name.data = (u_char *) name;
    once.name.len = strlen(name);
    once.expires = expires;

    rc = ngx_media_once_use(sh, &once, &full);

    return rc == NGX_BUSY ? (ngx_int_t) full : rc;
}


static void
test_who(void)
{
    start();
    ngx_stub_clock(1000 * 1000);

    is(use("i", "a", "10.0.0.1", "s", 2000), NGX_OK, "the first");
    is(use("i", "a", "10.0.0.1", "s", 2000), NGX_OK, "he once more");
    is(use("i", "a", "10.0.0.2", "s", 2000), NGX_DECLINED, "somebody else");
    is(use("i", "a", "10.0.0.1", "t", 2000), NGX_DECLINED,
       "he for something else");
    is(use("i", "b", "10.0.0.2", "s", 2000), NGX_OK, "another one");
    is(use("j", "a", "10.0.0.2", "s", 2000), NGX_OK, "of another issuer");
    is(use("", "ia", "10.0.0.2", "s", 2000), NGX_OK,
       "who and what are not one word");

    ngx_stub_clock(1999 * 1000);
    is(use("i", "a", "10.0.0.2", "s", 2000), NGX_DECLINED, "to its end");
    is(use("i", "a", "10.0.0.1", "s", 3000), NGX_OK, "which may be later");

    ngx_stub_clock(2999 * 1000);
    is(use("i", "a", "10.0.0.2", "s", 2000), NGX_DECLINED, "then");

    ngx_stub_clock(3000 * 1000);
    is(use("i", "a", "10.0.0.2", "s", 4000), NGX_OK, "and not longer");
}


static void
test_room(void)
{
    char        text[16];
    ngx_uint_t  i, n;

    start();
    ngx_stub_clock(1000 * 1000);

    /* half of them live for longer */

    for (i = 0; i < N; i++) {
        (void) snprintf(text, sizeof(text), "t%lu", (unsigned long) i);
        is(use("", text, "a", "s", i & 1 ? 3000 : 2000), NGX_OK, "%s", text);
    }

    is(use("", "more", "a", "s", 2000), 1, "one more has no room");
    is(use("", "more", "a", "s", 2000), 2, "which is counted");
    is(use("", "t3", "a", "s", 2000), NGX_OK, "who is known stays so");
    is(use("", "t3", "b", "s", 2000), NGX_DECLINED, "and so are others");

    ngx_stub_clock(2000 * 1000);

    is(use("", "more", "a", "s", 4000), NGX_OK, "where one has expired");

    for (i = 0, n = 0; i < N; i++) {
        (void) snprintf(text, sizeof(text), "t%lu", (unsigned long) i);
        n += (use("", text, "b", "s", 2001) == NGX_DECLINED);
    }

    is(n, N / 2, "those that have not are still found");
    is(use("", "more", "b", "s", 4000), NGX_DECLINED, "and the new one");
}


int
main(void)
{
    test_who();
    test_room();

    free(sh);

    return done();
}
