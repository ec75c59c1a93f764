
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_refuse.c ngx_stub.c */


/*
 * Refusals of SRT that are kept: for how long, and which of them are logged;
 * how many callers are looked at.
 */


#include "ingest/ngx_media_srt_session.h"
#include "ngx_stub.h"
#include "tap.h"


static uint32_t  crc32_table[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
    0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
};

uint32_t  *ngx_crc32_table_short = crc32_table;


static ngx_media_srt_addr_t *
from(ngx_uint_t n)
{
    static ngx_media_srt_addr_t  addr;

    memset(&addr, 0, sizeof(addr));

    /* ::ffff:0.0.x.y */

    addr.ip[10] = 0xff;
    addr.ip[11] = 0xff;
    addr.ip[14] = (u_char) (n >> 8);
    addr.ip[15] = (u_char) n;

    return &addr;
}


static void
test_kept(void)
{
    ngx_stub_clock(1000000);

    is(ngx_media_srt_refused(from(1), 7), 0, "nobody is refused");
    ok(ngx_media_srt_refused_keep(from(1), 7, 1010) == 1, "one is: news");
    is(ngx_media_srt_refused(from(1), 7), 1010, "it is known");
    is(ngx_media_srt_refused(from(2), 7), 0, "of its address");
    is(ngx_media_srt_refused(from(1), 8), 0, "and stream id");

    ngx_stub_clock(1000999);
    is(ngx_media_srt_refused(from(1), 7), 1010, "for a second");
    ngx_stub_clock(1001000);
    is(ngx_media_srt_refused(from(1), 7), 0, "not longer");

    ok(ngx_media_srt_refused_keep(from(1), 7, 1010) == 0, "again: no news");
    ok(ngx_media_srt_refused_keep(from(1), 7, 2401) == 1, "but why is");

    ngx_stub_clock(1060999);
    ok(ngx_media_srt_refused_keep(from(1), 7, 2401) == 0, "within a minute");
    ngx_stub_clock(1120999);
    ok(ngx_media_srt_refused_keep(from(1), 7, 2401) == 1, "and after it");

    ok(ngx_media_srt_refused_keep(from(1), 7, 2409) == 1
       && ngx_media_srt_refused(from(1), 7) == 2409, "a conflict");
    ngx_stub_clock(1121249);
    is(ngx_media_srt_refused(from(1), 7), 0, "may be over soon");

    ok(ngx_media_srt_refused_keep(from(1), 7, 2402) == 1
       && ngx_media_srt_refused(from(1), 7) == 0,
       "that there are too many is asked again");
}


static void
test_flood(void)
{
    ngx_uint_t  i, first, second;

    ngx_stub_clock(2000000);

    first = 0;
    second = 0;

    for (i = 0; i < 20000; i++) {
        first += ngx_media_srt_refused_keep(from(i), i * 31, 2400);
    }

    ok(first > 800 && first <= 1024, "of a flood a part is news: %u",
       (unsigned) first);

    for (i = 0; i < 20000; i++) {
        second += ngx_media_srt_refused_keep(from(i + 20000), i * 31, 2400);
    }

    is(second, 0, "and no more in the same second");

    ngx_stub_clock(2001000);

    ok(ngx_media_srt_refused_keep(from(7), 7, 2400) == 1, "after it one is");
}


/* how many of this address are looked at, of so many that ask */

static ngx_uint_t
looked_at(const ngx_media_srt_addr_t *addr, ngx_uint_t most)
{
    ngx_uint_t  i;

    for (i = 0; i < most && ngx_media_srt_hurries(addr) == NULL; i++) {
        /* void */
    }

    return i;
}


static void
test_hurry(void)
{
    ngx_uint_t  i, n;

    ngx_stub_clock(3000000);

    is(looked_at(from(1), 200), 50, "of one address half of them");
    is(looked_at(from(2), 200), 25, "of the next one half of the rest");
    is(looked_at(from(1), 200), 0, "no more of the first one");
    is(looked_at(from(3), 3), 3, "one who is not in a hurry");

    for (i = 4, n = 0; i < 200; i++) {
        n += looked_at(from(i), 1);
    }

    is(n, 22, "and others, up to a hundred");
    ok(strcmp(ngx_media_srt_hurries(from(1)), "too many callers at a time")
       == 0, "that is all");

    ngx_stub_clock(3000999);
    is(looked_at(from(300), 1), 0, "nobody for the rest of the second");

    ngx_stub_clock(3001000);
    is(looked_at(from(2), 200), 50, "in the next one it is as before");
    ok(strcmp(ngx_media_srt_hurries(from(2)),
              "too many callers of one address at a time")
       == 0, "why");

    ngx_stub_clock(3002000);

    for (i = 0, n = 0; i < 20000; i++) {
        n += looked_at(from(i), 1);
    }

    is(n, 100, "a flood of addresses");
}


static void
test_hurry_prefix(void)
{
    ngx_uint_t             i, n;
    ngx_media_srt_addr_t  *addr;

    ngx_stub_clock(4000000);

    for (i = 0, n = 0; i < 200; i++) {
        addr = from(i);
        addr->ip[0] = 0x20;
        memset(addr->ip + 10, 0, 2);

        n += looked_at(addr, 1);
    }

    is(n, 50, "IPv6: a /64 is one");

    addr = from(7);
    addr->ip[0] = 0x20;
    addr->ip[7] = 1;
    memset(addr->ip + 10, 0, 2);

    is(looked_at(addr, 200), 25, "and the next /64 another one");

    addr = from(7);
    memset(addr->ip + 10, 0, 2);
    is(looked_at(addr, 200), 13, "::7 is not");
    is(looked_at(from(7), 200), 6, "::ffff:0.0.0.7");
}


int
main(void)
{
    test_kept();
    test_flood();
    test_hurry();
    test_hurry_prefix();

    return done();
}
