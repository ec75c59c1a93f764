
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_scte35.c */


#include "formats/ngx_media_scte35.h"
#include "media_hex.h"
#include "tap.h"


static ngx_int_t
time_of(const char *hex, uint64_t *time)
{
    size_t     len;
    u_char    *copy, *p;
    ngx_int_t  rc;

    p = media_hex(hex, &len);
    copy = tap_dup(p, len);
    free(p);

    rc = ngx_media_scte35_time(time, copy, copy + len);
    free(copy);

    return rc;
}


static ngx_uint_t
idle(const char *hex)
{
    size_t      len;
    u_char     *copy, *p;
    ngx_uint_t  rc;

    p = media_hex(hex, &len);
    copy = tap_dup(p, len);
    free(p);

    rc = ngx_media_scte35_idle(copy, copy + len);
    free(copy);

    return rc;
}


int
main(void)
{
    size_t     i, len;
    u_char    *copy, *p;
    uint64_t   time;
    ngx_int_t  rc;

    /* id 100, out, 30 s, at 0x12bd00000 */

    static const char  insert[] =
        "fc302500000000000000fff01405000000647fefff"
        "2bd00000fe002932e000010000000040d22c68";

    is(time_of(insert, &time), NGX_OK, "splice_insert()");
    is(time, 0x12bd00000ull, "its time");

    is(time_of("fc302500000001000000fff01405000000647fefff"
               "2bd00000fe002932e000010000000040d22c68", &time), NGX_OK,
       "with pts_adjustment");
    is(time, 0x12bd00000ull + 0x10000, "is the sum");

    is(time_of("fc302500" "01ffffffff" "00fff01405000000647fefff"
               "2bd00000fe002932e000010000000040d22c68", &time), NGX_OK,
       "with one that goes round");
    is(time, 0x12bd00000ull - 1, "is the sum of 33 bits");

    is(time_of("fc301600000000000000fff00506fe00000010"
               "0000aabbccdd", &time), NGX_OK, "time_signal()");
    is(time, 16, "its time");

    is(time_of("fc301100000000000000fff00106" "7f" "0000aabbccdd", &time),
       NGX_DECLINED, "time_signal() without a time");
    is(time_of("fc302000000000000000fff00f05000000647fdf00010000"
               "0000aabbccdd", &time), NGX_DECLINED, "at once");
    is(time_of("fc301b00000000000000fff005050000006" "4ff" "0000aabbccdd",
               &time), NGX_DECLINED, "cancelled");
    is(time_of("fc301100000000000000fff00000" "0000aabbccdd", &time),
       NGX_DECLINED, "splice_null()");

    is(idle("fc301100000000000000fff00000" "0000aabbccdd"), 1,
       "splice_null() says nothing");
    is(idle("fc301100000000000000fff00007" "0000aabbccdd"), 1,
       "bandwidth_reservation() does not");
    is(idle("fc3011008000000000" "00fff00000" "0000aabbccdd"), 0,
       "nobody knows of one that is encrypted");
    is(idle("fc301100000000000000fff00106" "7f" "0000aabbccdd"), 0,
       "time_signal() does");
    is(idle("fc301100000000000000"), 0, "what is cut off");
    is(time_of("fc302500800000000000fff01405000000647fefff"
               "2bd00000fe002932e000010000000040d22c68", &time),
       NGX_DECLINED, "encrypted");
    is(time_of("fd302500000000000000fff01405000000647fefff"
               "2bd00000fe002932e000010000000040d22c68", &time), NGX_ERROR,
       "another table");

    /* cut anywhere */

    p = media_hex(insert, &len);

    for (i = 0; i < len; i++) {
        copy = tap_dup(p, i);
        rc = ngx_media_scte35_time(&time, copy, copy + i);
        free(copy);

        ok(rc == NGX_ERROR || i >= 31, "cut to %d", (int) i);
    }

    free(p);

    return done();
}
