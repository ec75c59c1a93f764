
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_srt.c formats/ngx_media_srt_control.c */


#include "formats/ngx_media_srt_control.h"
#include "media_hex.h"
#include "tap.h"


static void
test_ack(void)
{
    size_t               len, n;
    u_char              *p, *q, out[NGX_MEDIA_SRT_ACK_SIZE];
    ngx_int_t            rc;
    ngx_uint_t           wrong;
    ngx_media_srt_ack_t  ack;

    p = media_hex("12345678" "000186a0" "0000c350" "00001ffe" "000001db"
                  "000003e8" "000a1b2c", &len);

    is(ngx_media_srt_ack_parse(&ack, p, p + len), NGX_OK, "ACK");
    is_hex(ack.seq, 0x12345678, "ACK: sequence number");
    is(ack.rtt, 100000, "ACK: RTT");
    is(ack.rttvar, 50000, "ACK: its variance");
    is(ack.buffer, 8190, "ACK: buffer");
    is(ack.rate, 475, "ACK: packets a second");
    is(ack.capacity, 1000, "ACK: of the link");
    is(ack.bytes, 0xa1b2c, "ACK: bytes a second");
    is(ack.words, 7, "ACK: words");

    ok(ngx_media_srt_ack_write(out, &ack) == out + sizeof(out),
       "ACK: written");
    is_mem(out, sizeof(out), p, len, "ACK: the same bytes");

    wrong = 0;

    for (n = 0; n < len; n++) {
        q = tap_dup(p, n);
        rc = ngx_media_srt_ack_parse(&ack, q, q + n);

        if (n < 4) {
            wrong += rc != NGX_ERROR;

        } else {
            wrong += rc != NGX_OK;
            wrong += ack.seq != 0x12345678;
            wrong += ack.words != (n < 16 ? 1 : n / 4);
            wrong += ack.rtt != (n < 16 ? 0 : 100000);
            wrong += ack.buffer != (n < 16 ? 0 : 8190);
            wrong += ack.rate != (n < 20 ? 0 : 475);
            wrong += ack.capacity != (n < 24 ? 0 : 1000);
            wrong += ack.bytes != 0;
        }

        free(q);
    }

    is(wrong, 0, "ACK of each length");

    p[0] = 0x92;
    is(ngx_media_srt_ack_parse(&ack, p, p + len), NGX_ERROR,
       "ACK of what is no sequence number");

    free(p);

    p = media_hex("12345678" "000186a0" "0000c350" "00001ffe" "000001db"
                  "000003e8" "000a1b2c" "ffffffff", &len);
    is(ngx_media_srt_ack_parse(&ack, p, p + len), NGX_OK, "long ACK");
    is(ack.words, 7, "long ACK: what is known of it");
    free(p);
}


static void
test_nak(void)
{
    size_t            len;
    u_char           *p, *buf, *last;
    uint32_t          from, to;
    ngx_int_t         rc;
    ngx_uint_t        i, n, wrong;
    ngx_media_span_t  list;

    static struct {
        uint32_t      from;
        uint32_t      to;
    } ranges[] = {
        { 5, 5 }, { 7, 9 }, { 0x7fffffff, 0x7fffffff }, { 0x7ffffffe, 3 },
        { 0, 0x3fffffff }, { 11, 12 },
    };

    static struct {
        const char   *hex;
        ngx_uint_t    good;                   /* entries before rc */
        ngx_int_t     rc;
        const char   *name;
    } lists[] = {
        { "", 0, NGX_DONE, "nothing" },
        { "00000005", 1, NGX_DONE, "one" },
        { "00000005" "80000007" "00000009", 2, NGX_DONE, "one and a range" },
        { "80000007" "00000007", 1, NGX_DONE, "a range of one" },
        { "ffffffff" "00000000", 1, NGX_DONE, "a range that wraps" },
        { "80000007" "00000006", 0, NGX_ERROR, "a range backwards" },
        { "80000000" "40000000", 0, NGX_ERROR, "a range of a half" },
        { "80000007" "80000009", 0, NGX_ERROR, "two beginnings" },
        { "00000001" "80000007", 1, NGX_ERROR, "a beginning without end" },
        { "00000001" "00", 1, NGX_ERROR, "a part of a word" },
        { "80000001" "000000", 0, NGX_ERROR, "a part of an end" },
    };

    /* into buffers that are too short for the last of them, each time */

    for (n = 1; n <= 10; n++) {
        buf = malloc(n * 4);
        last = buf + n * 4;
        p = buf;

        wrong = 0;

        for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
            rc = ngx_media_srt_nak_add(&p, last, ranges[i].from,
                                       ranges[i].to);
            if (rc != NGX_OK) {
                wrong += rc != NGX_DECLINED;
                wrong += (size_t) (last - p)
                         >= (ranges[i].from == ranges[i].to ? 4 : 8);
                break;
            }
        }

        list.pos = buf;
        list.last = p;

        for (i = 0;
             (rc = ngx_media_srt_nak_next(&list, &from, &to)) == NGX_OK;
             i++)
        {
            wrong += from != ranges[i].from || to != ranges[i].to;
        }

        wrong += rc != NGX_DONE;
        wrong += n == 10 && i != 6;

        is(wrong, 0, "NAK of %d words", (int) n);

        free(buf);
    }

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        p = media_hex(lists[i].hex, &len);

        list.pos = p;
        list.last = p + len;
        n = 0;

        while ((rc = ngx_media_srt_nak_next(&list, &from, &to)) == NGX_OK) {
            n++;
        }

        ok(rc == lists[i].rc && n == lists[i].good, "NAK: %s", lists[i].name);

        free(p);
    }
}


static void
test_dropreq(void)
{
    size_t      len, n;
    u_char     *p, *q, out[NGX_MEDIA_SRT_DROPREQ_SIZE];
    uint32_t    from, to;
    ngx_uint_t  i, wrong;

    static struct {
        const char   *hex;
        ngx_int_t     rc;
    } bodies[] = {
        { "0000000700000009", NGX_OK },
        { "0000000700000007", NGX_OK },
        { "7fffffff00000001", NGX_OK },
        { "0000000700000006", NGX_ERROR },
        { "8000000700000009", NGX_ERROR },
        { "0000000780000009", NGX_ERROR },
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        p = media_hex(bodies[i].hex, &len);

        is(ngx_media_srt_dropreq_parse(p, p + len, &from, &to), bodies[i].rc,
           "DROPREQ %s", bodies[i].hex);

        if (bodies[i].rc == NGX_OK) {
            (void) ngx_media_srt_dropreq_write(out, from, to);
            is_mem(out, sizeof(out), p, len, "DROPREQ: the same bytes");
        }

        wrong = 0;

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            wrong += ngx_media_srt_dropreq_parse(q, q + n, &from, &to)
                     != NGX_ERROR;
            free(q);
        }

        is(wrong, 0, "shorter ones");

        free(p);
    }

    memset(out, 0xff, sizeof(out));
    ok(ngx_media_srt_empty_write(out) == out + NGX_MEDIA_SRT_EMPTY_SIZE,
       "nothing is four bytes");
    is_mem(out, 5, "\0\0\0\0\xff", 5, "zeros");
}


int
main(void)
{
    test_ack();
    test_nak();
    test_dropreq();

    return done();
}
