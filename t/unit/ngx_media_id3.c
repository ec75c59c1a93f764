
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_id3.c */


#include "formats/ngx_media_id3.h"
#include "media_hex.h"


/* what is seen in a tag: "id[len]u!" for each frame, then how it ended */

static void
see(const u_char *pos, const u_char *last, char *text)
{
    ngx_int_t              rc;
    ngx_media_id3_t        id3;
    ngx_media_id3_frame_t  frame;

    *text = '\0';

    rc = ngx_media_id3_open(&id3, pos, last);

    while (rc == NGX_OK) {
        rc = ngx_media_id3_next(&id3, &frame);

        if (rc != NGX_OK) {
            break;
        }

        if (frame.data.pos < pos || frame.data.last > last
            || frame.data.pos > frame.data.last)
        {
            abort();
        }

        text += sprintf(text, "%c%c%c%c[%u]%s%s ", frame.id >> 24,
                        frame.id >> 16 & 0xff, frame.id >> 8 & 0xff,
                        (frame.id & 0xff) ? (int) (frame.id & 0xff) : '-',
                        (unsigned) ngx_media_span_len(&frame.data),
                        frame.unsync ? "u" : "", frame.opaque ? "!" : "");
    }

    sprintf(text, "%s", rc == NGX_DONE ? "done" : rc == NGX_ERROR ? "error"
                        : "declined");
}


static void
test_read(void)
{
    char      text[256], full[256];
    size_t    i, len, n;
    u_char   *p, *q;
    unsigned  bad;

    static const struct {
        const char  *name;
        const char  *tag;
        const char  *seen;
    } tests[] = {
        { "2.4", "49443304000000000017" "54585858000000070000" "03007461672030"
          "000000000000", "TXXX[7] done" },
        { "2.4, footer", "4944330400100000000b" "54585858000000010000" "03"
          "3344490400100000000b", "TXXX[1] done" },
        { "2.4, extended header", "49443304004000000011" "000000060100"
          "54585858000000010000" "03", "TXXX[1] done" },
        { "2.4, flags", "4944330400800000002c"
          "5052495600000006004f" "420000000161"
          "54585858000000040002" "03ff0041"
          "54585858000000040044" "00000061",
          "PRIV[0]u! TXXX[4]u TXXX[2]! done" },
        { "2.4, plain size", "4944330400000000011e"
          "41504943000000800000" "00" , "error" },
        { "2.3", "49443303008000000017" "54585858000000070000" "03007461672030"
          "000000000000", "TXXX[7]u done" },
        { "2.3, flags", "49443303000000000012" "545858580000000800e0"
          "0000000000000041", "TXXX[2]! done" },
        { "2.3, extended header", "49443303004000000015"
          "00000006000000000000" "54585858000000010000" "03",
          "TXXX[1] done" },
        { "2.2", "4944330200000000000e" "545454000001" "41"
          "434f4d000001" "42", "TTT-[1] COM-[1] done" },
        { "2.2, compressed", "4944330200400000000e" "545454000001" "41"
          "434f4d000001" "42", "declined" },
        { "nothing in it", "49443304000000000000", "done" },
        { "2.5", "49443305000000000000", "declined" },
        { "2.1", "49443301000000000000", "declined" },
        { "not safe", "49443304000000000080", "declined" },
        { "frame too long", "4944330400000000000b" "54585858000000020000" "03",
          "error" },
        { "extended header too long", "49443304004000000006"
          "000000070100", "error" },
        { "extended header too short", "49443304004000000006"
          "000000050100", "error" },
        { "flags too long", "4944330400000000000b" "54585858000000010001"
          "03", "error" },
        { "no tag", "49443404000000000000", "declined" },
        { "empty", "", "declined" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].tag, &len);
        see(p, p + len, full);
        is_text(full, strlen(full), tests[i].seen, "%s", tests[i].name);

        /* cut short, it is none */

        bad = 0;

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            see(q, q + n, text);
            free(q);

            bad += strcmp(text, n < 10 ? "declined" : "error") != 0
                   && strcmp(text, full) != 0;
        }

        is(bad, 0, "%s: cut short", tests[i].name);

        /* all values of all bytes */

        for (n = 0; n < len * 256; n++) {
            q = tap_dup(p, len);
            q[n / 256] = (u_char) n;
            see(q, q + len, text);
            free(q);
        }

        free(p);
    }
}


static void
test_size(void)
{
    size_t    size;
    u_char   *p;
    unsigned  n;

    static const u_char  tag[] = "ID3\4\0\x10\0\0\1\2";

    for (n = 0; n < 10; n++) {
        p = tap_dup(tag, n);
        is(ngx_media_id3_size(p, p + n, &size), NGX_AGAIN, "%u bytes", n);
        free(p);
    }

    is(ngx_media_id3_size(tag, tag + 10, &size), NGX_OK, "header");
    is(size, 20 + 130, "size, with footer");

    is(ngx_media_id3_size((u_char *) "IX", (u_char *) "IX" + 2, &size),
       NGX_DECLINED, "no tag, two bytes");

    is(ngx_media_id3_size((u_char *) "ID3\4\0\0\x7f\x7f\x7f\x7f",
                          (u_char *) "ID3\4\0\0\x7f\x7f\x7f\x7f" + 10, &size),
       NGX_OK, "the largest");
    is(size, 10 + 0xfffffff, "its size");
}


static void
test_timestamp(void)
{
    size_t    i, len;
    u_char   *p, *q;
    uint64_t  time;

    static const uint64_t  times[] = {
        0, 1, 900000, 0x1ffffffff, 1767225600ull * 90000
    };

    len = ngx_media_id3_write_timestamp(NULL, 0);
    is(len, NGX_MEDIA_ID3_TIMESTAMP_SIZE, "size");

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        p = malloc(len);
        is(ngx_media_id3_write_timestamp(p, times[i]), len, "written");
        is(ngx_media_id3_timestamp(p, p + len, &time), NGX_OK, "read");
        is_hex(time, times[i] & 0x1ffffffff, "time");
        free(p);
    }

    p = malloc(len);
    (void) ngx_media_id3_write_timestamp(p, 0x123456789);

    q = media_hex("4944330400000000003f" "50524956000000350000"
                  "636f6d2e6170706c652e73747265616d696e672e7472616e73706f7274"
                  "53747265616d54696d657374616d7000" "0000000123456789", &i);
    i--;
    free(q);

    q = media_hex("4944330400000000003f" "50524956000000350000"
                  "636f6d2e6170706c652e73747265616d696e672e7472616e73706f7274"
                  "53747265616d54696d657374616d7000" "0000000123456789", &i);
    is_mem(p, len, q, i, "bytes");
    free(q);

    p[30] ^= 1;
    is(ngx_media_id3_timestamp(p, p + len, &time), NGX_DECLINED,
       "another owner");
    free(p);

    p = media_hex("49443304000000000010" "50524956000000060000" "616263646566",
                  &len);
    is(ngx_media_id3_timestamp(p, p + len, &time), NGX_DECLINED, "no owner");
    free(p);
}


int
main(void)
{
    test_read();
    test_size();
    test_timestamp();

    return done();
}
