
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_srt.c */


#include "formats/ngx_media_srt.h"
#include "media_hex.h"
#include "tap.h"


static void
test_data(void)
{
    size_t                  len;
    u_char                 *p, out[NGX_MEDIA_SRT_HEADER];
    ngx_media_srt_data_t   *data;
    ngx_media_srt_packet_t  packet;

    /* as libsrt sends it: solo, even key, message 11, 3 bytes */

    p = media_hex("12345678" "c800000b" "0001e240" "2a3b4c5d" "471fff", &len);

    is(ngx_media_srt_parse(&packet, p, p + len), NGX_OK, "data");

    data = &packet.u.data;

    is(packet.control, 0, "data: no control packet");
    is_hex(data->seq, 0x12345678, "data: sequence number");
    is(data->pp, NGX_MEDIA_SRT_PP_SOLO, "data: PP");
    is(data->order, 0, "data: O");
    is(data->kk, NGX_MEDIA_SRT_KK_EVEN, "data: KK");
    is(data->rexmit, 0, "data: R");
    is(data->msg, 11, "data: message number");
    is(data->ts, 123456, "data: time stamp");
    is_hex(data->dst, 0x2a3b4c5d, "data: destination");
    ok(data->pos == p + 16 && data->last == p + len, "data: payload");
    is_hex(ngx_media_srt_dst(p, p + len), 0x2a3b4c5d, "data: whom it is for");

    ok(ngx_media_srt_put_data_header(out, data) == out + sizeof(out),
       "data: written");
    is_mem(out, sizeof(out), p, sizeof(out), "data: the same bytes");

    free(p);

    /* all the others */

    p = media_hex("7fffffff" "b7ffffff" "ffffffff" "ffffffff", &len);

    is(ngx_media_srt_parse(&packet, p, p + len), NGX_OK, "data of ones");
    is_hex(data->seq, 0x7fffffff, "data of ones: sequence number");
    is(data->pp, 2, "data of ones: PP");
    is(data->order, 1, "data of ones: O");
    is(data->kk, NGX_MEDIA_SRT_KK_ODD, "data of ones: KK");
    is(data->rexmit, 1, "data of ones: R");
    is_hex(data->msg, 0x3ffffff, "data of ones: message number");
    ok(data->pos == data->last, "data of ones: no payload");

    (void) ngx_media_srt_put_data_header(out, data);
    is_mem(out, sizeof(out), p, sizeof(out), "data of ones: the same bytes");

    free(p);
}


static void
test_control(void)
{
    size_t                    len;
    u_char                   *p, out[NGX_MEDIA_SRT_HEADER];
    ngx_media_srt_packet_t    packet;
    ngx_media_srt_control_t  *control;

    p = media_hex("ffff0003" "00000007" "80000000" "12345678" "00000000",
                  &len);

    is(ngx_media_srt_parse(&packet, p, p + len), NGX_OK, "control");

    control = &packet.u.control;

    is(packet.control, 1, "control: is one");
    is_hex(control->type, NGX_MEDIA_SRT_EXT, "control: type");
    is(control->subtype, NGX_MEDIA_SRT_KMREQ, "control: subtype");
    is(control->info, 7, "control: information");
    is_hex(control->ts, 0x80000000, "control: time stamp");
    is_hex(control->dst, 0x12345678, "control: destination");
    ok(control->pos == p + 16 && control->last == p + 20, "control: body");

    ok(ngx_media_srt_put_header(out, control->type, control->subtype,
                                control->info, control->ts, control->dst)
       == out + sizeof(out), "control: written");
    is_mem(out, sizeof(out), p, sizeof(out), "control: the same bytes");

    (void) ngx_media_srt_put_header(out, NGX_MEDIA_SRT_ACK, 0, 1, 2, 3);
    free(p);

    p = media_hex("80020000" "00000001" "00000002" "00000003", &len);
    is_mem(out, sizeof(out), p, len, "control: ACK 1");
    free(p);
}


static void
test_short(void)
{
    size_t                  n;
    u_char                 *p;
    ngx_uint_t              wrong;
    ngx_media_srt_packet_t  packet;

    wrong = 0;

    for (n = 0; n < NGX_MEDIA_SRT_HEADER; n++) {
        p = tap_dup("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", n);

        wrong += ngx_media_srt_parse(&packet, p, p + n) != NGX_ERROR;
        wrong += ngx_media_srt_dst(p, p + n) != 0;

        free(p);
    }

    is(wrong, 0, "shorter than a header");
}


static void
test_numbers(void)
{
    ngx_uint_t  i;

    static struct {
        uint32_t     a;
        uint32_t     b;
        int32_t      diff;
    } seqs[] = {
        { 0, 0, 0 },
        { 1, 0, 1 },
        { 0, 1, -1 },
        { 0, 0x7fffffff, 1 },
        { 0x7fffffff, 0, -1 },
        { 8191, 0x7ffffff0, 8207 },
        { 0x3fffffff, 0, 0x3fffffff },
        { 0, 0x3fffffff, -0x3fffffff },
        { 0x40000000, 0, -0x40000000 },
        { 0, 0x40000000, -0x40000000 },
        { 0x20000000, 0x60000001, 0x3fffffff },
    };

    for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
        is(ngx_media_srt_seq_diff(seqs[i].a, seqs[i].b), seqs[i].diff,
           "0x%08x is %d behind 0x%08x", seqs[i].a, seqs[i].diff, seqs[i].b);
        is_hex(ngx_media_srt_seq_add(seqs[i].b, seqs[i].diff), seqs[i].a,
               "0x%08x and %d", seqs[i].b, seqs[i].diff);
    }

    is(ngx_media_srt_msg_next(1), 2, "message 2 is behind 1");
    is(ngx_media_srt_msg_next(0x3fffffe), 0x3ffffff, "the last message");
    is(ngx_media_srt_msg_next(0x3ffffff), 1, "the last message, then 1");
}


int
main(void)
{
    test_data();
    test_control();
    test_short();
    test_numbers();

    return done();
}
