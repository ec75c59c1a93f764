
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_nal.c */


#include "formats/ngx_media_nal.h"
#include "media_hex.h"


/* what came, and what of it goes into a file, by lengths of four bytes */

static const struct {
    const char  *name;
    const char  *frame;
    unsigned     nal_length;
    unsigned     codes;                      /* seen before */
    ngx_int_t    rc;                         /* of the last next() */
    unsigned     is_codes;
    unsigned     left_out;
    const char  *out;
} frames[] = {
    { "as it should be", "000000026588" "00000003419a02", 4, 0, NGX_DONE, 0,
      0, "000000026588" "00000003419a02" },
    { "nothing", "", 4, 0, NGX_DONE, 0, 0, "" },
    { "lengths of two bytes", "00026588" "0003419a02", 2, 0, NGX_DONE, 0, 0,
      "000000026588" "00000003419a02" },
    { "lengths of one byte", "026588" "03419a02", 1, 0, NGX_DONE, 0, 0,
      "000000026588" "00000003419a02" },

    { "an empty unit before", "00000000" "000000026588", 4, 0, NGX_DONE, 0, 1,
      "000000026588" },
    { "an empty unit behind", "000000026588" "00000000", 4, 0, NGX_DONE, 0, 1,
      "000000026588" },
    { "empty units alone", "0000000000000000", 4, 0, NGX_DONE, 0, 2, "" },
    { "an empty unit, two bytes", "0000" "00026588", 2, 0, NGX_DONE, 0, 1,
      "000000026588" },
    { "a rest of zeros", "000000026588" "000000", 4, 0, NGX_DONE, 0, 1,
      "000000026588" },
    { "a rest that is no length", "000000026588" "ff", 4, 0, NGX_DONE, 0, 1,
      "000000026588" },
    { "a unit padded with zeros", "0000000565880000" "00" "00000002419a", 4,
      0, NGX_DONE, 0, 1, "000000026588" "00000002419a" },
    { "a unit of zeros", "00000003000000" "00000002419a", 4, 0, NGX_DONE, 0,
      1, "00000002419a" },
    { "the forbidden bit", "00000002e588" "00000002419a", 4, 0, NGX_DONE, 0,
      1, "00000002419a" },
    { "a length beyond the end", "000000026588" "00000009419a", 4, 0,
      NGX_ERROR, 0, 0, NULL },
    { "the largest length", "ffffffff6588", 4, 0, NGX_ERROR, 0, 0, NULL },

    { "start codes of four bytes", "000000016588" "00000001419a02", 4, 0,
      NGX_DONE, 1, 0, "000000026588" "00000003419a02" },
    { "four, then three", "000000016764" "00000168ee" "0000016588", 4, 0,
      NGX_DONE, 1, 0, "000000026764" "0000000268ee" "000000026588" },
    { "more zeros", "0000000000016588" "0000000000" "00000001419a0000", 4, 0,
      NGX_DONE, 1, 0, "000000026588" "00000002419a" },
    { "three bytes, more codes", "0000016588" "000001419a", 4, 0, NGX_DONE, 1,
      0, "000000026588" "00000002419a" },
    { "three bytes, one unit", "0000016588", 4, 0, NGX_ERROR, 0, 0, NULL },
    { "three bytes, one unit, known", "0000016588", 4, 1, NGX_DONE, 1, 0,
      "000000026588" },
    { "where lengths have two bytes", "000000016588", 2, 0, NGX_DONE, 1, 0,
      "000000026588" },
    { "where lengths have one byte", "000000016588", 1, 0, NGX_DONE, 1, 0,
      "000000026588" },
    { "a code and nothing", "00000001", 4, 1, NGX_DONE, 1, 1, "" },
    { "two codes and one unit", "00000001" "000000016588", 4, 1, NGX_DONE, 1,
      1, "000000026588" },
    { "lengths, though codes were seen", "000000026588", 4, 1, NGX_DONE, 0, 0,
      "000000026588" },
    { "a length of one at the end", "000000026588" "000000010a", 4, 0,
      NGX_DONE, 0, 0, "000000026588" "000000010a" },
    { "a length of one alone", "000000010a", 4, 0, NGX_DONE, 0, 0,
      "000000010a" }
};


static void
check(ngx_uint_t i)
{
    size_t            len, elen, size;
    u_char           *frame, *expected, *out;
    ngx_int_t         rc;
    ngx_media_nals_t  nals;
    ngx_media_span_t  nal;

    frame = media_hex(frames[i].frame, &len);

    ngx_media_nals_init(&nals, frame, frame + len, frames[i].nal_length,
                        frames[i].codes);
    is(nals.codes, frames[i].is_codes, "%s: start codes", frames[i].name);

    size = ngx_media_nals_write(NULL, &nals, 4);

    if (frames[i].out && frames[i].out[0]) {
        expected = media_hex(frames[i].out, &elen);
        out = tap_dup(expected, elen);

        is(ngx_media_nals_write(out, &nals, 4), size, "%s: writes its size",
           frames[i].name);
        is_mem(out, size, expected, elen, "%s: bytes", frames[i].name);

        free(expected);
        free(out);

    } else {
        is(size, 0, "%s: nothing to write", frames[i].name);
    }

    do {
        rc = ngx_media_nals_next(&nals, &nal);
        ok(rc != NGX_OK || (nal.pos >= frame && nal.pos < nal.last
                            && nal.last <= frame + len),
           "%s: a unit within the frame", frames[i].name);
    } while (rc == NGX_OK);

    is(rc, frames[i].rc, "%s: end", frames[i].name);

    if (rc == NGX_DONE) {
        is(nals.left_out, frames[i].left_out, "%s: left out", frames[i].name);
    }

    free(frame);
}


/* all prefixes: nothing is read beyond them, and none of them hangs */

static void
truncated(ngx_uint_t i)
{
    size_t            len, n;
    u_char           *frame, *part;
    ngx_int_t         rc;
    ngx_uint_t        codes, nal_length, count;
    ngx_media_nals_t  nals;
    ngx_media_span_t  nal;

    frame = media_hex(frames[i].frame, &len);

    for (n = 0; n <= len; n++) {
        part = tap_dup(frame, n);

        for (nal_length = 1; nal_length <= 4; nal_length++) {
            for (codes = 0; codes < 2; codes++) {
                ngx_media_nals_init(&nals, part, part + n, nal_length, codes);
                (void) ngx_media_nals_write(NULL, &nals, nal_length);

                count = 0;

                do {
                    rc = ngx_media_nals_next(&nals, &nal);
                    count++;
                } while (rc == NGX_OK && count <= n);

                if (count > n + 1) {
                    ok(0, "%s: prefix %u ends", frames[i].name, (unsigned) n);
                }
            }
        }

        free(part);
    }

    free(frame);
}


static void
test_long(void)
{
    u_char            *frame, *out;
    ngx_media_nals_t   nals;

    frame = malloc(4 + 70000);
    memset(frame, 0x65, 4 + 70000);
    frame[0] = 0;
    frame[1] = 1;
    frame[2] = 0x11;
    frame[3] = 0x70;

    ngx_media_nals_init(&nals, frame, frame + 4 + 70000, 4, 0);
    is(ngx_media_nals_write(NULL, &nals, 4), 70004, "long: four bytes");
    is(ngx_media_nals_write(NULL, &nals, 2), 0, "long: not in two bytes");
    is(ngx_media_nals_write(NULL, &nals, 1), 0, "long: nor in one");

    out = malloc(70004);
    (void) ngx_media_nals_write(out, &nals, 4);
    is_mem(out, 70004, frame, 70004, "long: the same");

    /* 00 00 01 2c is a length that fits, whatever was seen before */

    frame[1] = 0;
    frame[2] = 1;
    frame[3] = 0x2c;

    ngx_media_nals_init(&nals, frame, frame + 304, 4, 0);
    is(nals.codes, 0, "long: a length like a code");
    ngx_media_nals_init(&nals, frame, frame + 304, 4, 1);
    is(nals.codes, 0, "long: though codes were seen");
    ngx_media_nals_init(&nals, frame, frame + 303, 4, 1);
    is(nals.codes, 1, "long: unless it does not fit");
    ngx_media_nals_init(&nals, frame, frame + 304, 4, NGX_MEDIA_NALS_CODES);
    is(nals.codes, 1, "long: or where all have codes");

    free(frame);
    free(out);
}


/* more start codes than are remembered, with what is like them in between */

static void
test_many(void)
{
    u_char            *frame, *p;
    ngx_uint_t         n, i, units, bad;
    ngx_media_nals_t   nals, it;
    ngx_media_span_t   nal;

    static const u_char  head[] = { 0, 0, 0, 1 };
    static const u_char  body[] = { 0x41, 1, 0, 2, 1, 0, 1, 1, 0, 0, 3, 1 };

    for (units = 1; units < 3 * NGX_MEDIA_NALS_KNOWN; units++) {
        frame = malloc(units * 16);

        for (p = frame, n = 0; n < units; n++) {
            memcpy(p, head, 4);
            memcpy(p + 4, body, 12);
            p += 16;
        }

        ngx_media_nals_init(&nals, frame, p, 4, 0);

        bad = (ngx_media_nals_write(NULL, &nals, 4) != units * 16);

        for (i = 0; i < 2; i++) {
            it = nals;
            n = 0;

            while (ngx_media_nals_next(&it, &nal) == NGX_OK) {
                bad += (nal.pos != frame + 16 * n + 4
                        || nal.last != nal.pos + 12);
                n++;
            }

            bad += (n != units || it.rest.pos != it.rest.last);
        }

        ok(!bad, "many: %u units", (unsigned) units);

        free(frame);
    }
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        check(i);
        truncated(i);
    }

    test_long();
    test_many();

    return done();
}
