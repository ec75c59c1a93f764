
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_sets.c formats/ngx_media_h264.c
         formats/ngx_media_h264_still.c formats/ngx_media_h265.c
         formats/ngx_media_bits.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_video.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_sets.h"
#include "media_hex.h"


/*
 * Records of encoders: taken to pieces and put together again.  Those of
 * libx265 leave array_completeness unset.
 */

static const struct {
    const char  *name;
    const char  *record;
} records[] = {
    { "avc, baseline",
      "0142c028ffe100196742c028da01e0089f970110000003001000000303c0f1832a0100"
      "0468ce0fc8" },
    { "avc, high",
      "0164001effe100206764001eacd940a02ff97ff0025001d6a020202800001f480005dc"
      "0078b16cb001000668ebe3cb22c0fdf8f800" },
    { "avc, high 10",
      "016e000dffe1001b676e000da6cd941519e226c05b20000003002000000641e28532c0"
      "01000668ebe3cb22c0fdfafa00" },
    { "avc, high 4:4:4",
      "01f4000cffe1001967f4000c919b282833f1b808800000030080000019078a14cb0100"
      "0668ebe3c44844fff8f800" },
    { "hevc, main",
      "01016000000090000000000078f000fcfdf8f800000f03200001001840010c01ffff01"
      "6000000300900000030000030078959409210001002e42010101600000030090000003"
      "0000030078a003c0801107cb965654a4c2f024a020202080000003008000000c842200"
      "0100064401c073c189" },
    { "hevc, main 10",
      "01022000000090000000000099f000fcfdfafa00000f03200001001840010c01ffff02"
      "2000000300900000030000030099959409210001002d42010102200000030090000003"
      "0000030099a001e020021c4d965654a4c2f016a1220120800001f48000753004220001"
      "00064401c073c189" },
    { "hevc, 4:4:4, 12 bits",
      "0104080000009808000000003cf000fcfffcfc00000f03200001001740010c01ffff04"
      "0800000300980800000300003c959409210001002c4201010408000003009808000003"
      "00003c9001410183e34a52caca94985e02d01000000300100000030190802200010008"
      "4401c07318301890" }
};


static ngx_int_t
add(ngx_media_sets_t *sets, const u_char *pos, const u_char *last)
{
    u_char            *copy;
    ngx_int_t          rc;
    ngx_media_span_t   nal;

    copy = tap_dup(pos, last - pos);
    nal.pos = copy;
    nal.last = copy + (last - pos);
    rc = ngx_media_sets_add(sets, &nal);
    free(copy);

    return rc;
}


static void
check(ngx_uint_t i)
{
    size_t                    len, size;
    u_char                   *record, *out;
    ngx_uint_t                hevc;
    ngx_media_params_t        params;
    ngx_media_sets_t          sets;
    const ngx_media_codec_t  *codec;
    ngx_media_h264_record_t   avc;
    ngx_media_h265_record_t   hvc;

    record = media_hex(records[i].record, &len);
    hevc = records[i].name[0] == 'h';
    codec = hevc ? &ngx_media_h265_codec : &ngx_media_h264_codec;

    ngx_media_sets_init(&sets, codec->units);
    is(ngx_media_sets_record(NULL, &sets), 0, "%s: no sets", records[i].name);

    if (hevc) {
        is(ngx_media_h265_parse_record(&hvc, record, record + len), NGX_OK,
           "%s: parsed", records[i].name);
        is(add(&sets, hvc.vps.pos, hvc.vps.last), NGX_OK, "%s: VPS",
           records[i].name);
        is(ngx_media_sets_record(NULL, &sets), 0, "%s: VPS alone",
           records[i].name);
        is(add(&sets, hvc.sps.pos, hvc.sps.last), NGX_OK, "%s: SPS",
           records[i].name);
        is(ngx_media_sets_record(NULL, &sets), 0, "%s: no PPS",
           records[i].name);
        is(add(&sets, hvc.pps.pos, hvc.pps.last), NGX_OK, "%s: PPS",
           records[i].name);
        is(add(&sets, hvc.sps.pos, hvc.sps.last), NGX_DECLINED,
           "%s: known already", records[i].name);

        /* the three arrays are complete */
        record[23] |= 0x80;
        record[23 + 5 + ngx_media_span_len(&hvc.vps)] |= 0x80;
        record[23 + 10 + ngx_media_span_len(&hvc.vps)
               + ngx_media_span_len(&hvc.sps)] |= 0x80;

    } else {
        is(ngx_media_h264_parse_record(&avc, record, record + len), NGX_OK,
           "%s: parsed", records[i].name);
        is(add(&sets, avc.sps.pos, avc.sps.last), NGX_OK, "%s: SPS",
           records[i].name);
        is(ngx_media_sets_record(NULL, &sets), 0, "%s: no PPS",
           records[i].name);
        is(add(&sets, avc.pps.pos, avc.pps.last), NGX_OK, "%s: PPS",
           records[i].name);
        is(add(&sets, avc.sps.pos, avc.sps.last), NGX_DECLINED,
           "%s: known already", records[i].name);
    }

    size = ngx_media_sets_record(NULL, &sets);
    is(size, len, "%s: size", records[i].name);

    out = tap_dup(record, len);
    memset(out, 0xaa, len);
    is(ngx_media_sets_record(out, &sets), len, "%s: written",
       records[i].name);
    is_mem(out, len, record, len, "%s: the same record", records[i].name);
    is(codec->config(&params, out, out + len), NGX_OK, "%s: a configuration",
       records[i].name);

    free(out);
    free(record);
}


/* sets of one id follow one another, others are kept */

static void
test_replace(void)
{
    u_char            out[128];
    size_t            len, n;
    u_char           *sps;
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_media_sets_t  sets;

    static u_char  pps0[] = { 0x68, 0xce, 0x38, 0x80 };
    static u_char  pps0_other[] = { 0x68, 0xce, 0x3c, 0x80, 0x01 };
    static u_char  pps1[] = { 0x68, 0x4e, 0x38, 0x80 };
    static u_char  slice[] = { 0x65, 0x88, 0x80 };
    static u_char  broken[] = { 0x67, 0x64 };

    sps = media_hex("6742c028da01e0089f970110000003001000000303c0f1832a",
                    &len);

    ngx_media_sets_init(&sets, NGX_MEDIA_UNITS_AVC);

    is(add(&sets, sps, sps + len), NGX_OK, "replace: SPS");
    is(add(&sets, pps0, pps0 + sizeof(pps0)), NGX_OK, "replace: PPS 0");
    is(add(&sets, pps1, pps1 + sizeof(pps1)), NGX_OK, "replace: PPS 1");
    n = ngx_media_sets_record(NULL, &sets);
    is(sets.n, 3, "replace: three");

    is(add(&sets, pps0_other, pps0_other + sizeof(pps0_other)), NGX_OK,
       "replace: another PPS 0");
    is(sets.n, 3, "replace: takes its place");
    is(ngx_media_sets_record(NULL, &sets), n + 1, "replace: by one byte");
    is(ngx_media_sets_record(out, &sets), n + 1, "replace: written");
    is(out[5] & 0x1f, 1, "replace: one SPS");
    is(out[8 + len], 2, "replace: two PPS");
    is_mem(out + 11 + len, 4, pps1, 4, "replace: the other one first");

    is(add(&sets, slice, slice + sizeof(slice)), NGX_DECLINED,
       "replace: a slice is none");
    is(add(&sets, slice, slice), NGX_DECLINED, "replace: nor is nothing");
    is(add(&sets, broken, broken + sizeof(broken)), NGX_ERROR,
       "replace: a broken one");

    /* as many as there is room for */

    for (i = 0, rc = NGX_OK; i < 40 && rc == NGX_OK; i++) {
        u_char  pps[] = { 0x68, 0x00, 0x80, 0x80 };

        pps[1] = 0x04 + (i >> 3);
        pps[2] = 0x87 | (i & 7) << 4;
        rc = add(&sets, pps, pps + sizeof(pps));
        rc = rc == NGX_DECLINED ? NGX_OK : rc;
    }

    ok(sets.n <= NGX_MEDIA_SETS_MAX && sets.size <= sizeof(sets.data),
       "replace: no more than fit");

    free(sps);
}


static void
test_room(void)
{
    u_char            pps[NGX_MEDIA_CONFIG_MAX / 10 * 3];
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_media_sets_t  sets;

    static const u_char  ids[] = { 0xce, 0x4e, 0x6e, 0x26, 0x2e };

    memset(pps, 0x55, sizeof(pps));
    pps[0] = 0x68;

    ngx_media_sets_init(&sets, NGX_MEDIA_UNITS_AVC);

    for (i = 0, rc = NGX_OK; i < 5 && rc == NGX_OK; i++) {
        pps[1] = ids[i];
        rc = add(&sets, pps, pps + sizeof(pps));
    }

    is(rc, NGX_ERROR, "room: a set too many");
    is(sets.n, 3, "room: those before stay");

    pps[1] = ids[0];
    pps[3] = 0x56;
    is(add(&sets, pps, pps + sizeof(pps)), NGX_OK,
       "room: one may take the place of another");
    is(sets.size, 3 * sizeof(pps), "room: and takes no more");
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        check(i);
    }

    test_replace();
    test_room();

    return done();
}
