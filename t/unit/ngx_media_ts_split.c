
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_adts.c formats/ngx_media_latm.c
         formats/ngx_media_ts_split.c formats/ngx_media_ts_split_audio.c
         formats/ngx_media_ts_split_video.c formats/ngx_media_nal.c */


/*
 * Frames out of PES packets that no muxer of ours would make; those of ffmpeg
 * are read in t/ts_demux.t.
 */


#include "formats/ngx_media_ts_split.h"
#include "media_hex.h"


#define NONE  NGX_MEDIA_TS_NO_TIME


static ngx_media_ts_split_t  split;
static u_char                buf[65536];
static size_t                used;
static char                  said[8192];
static size_t                nsaid;
static int64_t               pcr;
static uint32_t              length;          /* of the next PES packet */


#define say(...)                                                              \
    (nsaid += snprintf(said + nsaid, sizeof(said) - nsaid, __VA_ARGS__))


static void
begin(ngx_media_ts_as_e as, uint32_t codec, ngx_uint_t type)
{
    ngx_media_ts_stream_t  stream;

    memset(&stream, 0, sizeof(stream));

    stream.as = as;
    stream.codec = codec ? ngx_media_codec_find(codec) : NULL;
    stream.stream_type = type;

    ngx_media_ts_split_init(&split, &stream);

    used = 0;
    nsaid = 0;
    said[0] = '\0';
    pcr = NONE;
}


/* bytes of a frame, how it begins, its stamps */

static void
frames(void)
{
    u_char                      *copy;
    ngx_media_span_t             in;
    ngx_media_ts_split_frame_t   f;

    copy = tap_dup(buf, used);

    in.pos = copy;
    in.last = copy + used;

    while (ngx_media_ts_split(&split, &in, &f) == NGX_OK) {

        say("%u", (unsigned) (f.last - f.pos));

        if (f.pts != NONE) {
            say(" %lld", (long long) f.pts);
        }

        if (f.dts != f.pts) {
            say("/%lld", (long long) f.dts);
        }

        say("%s%s", f.counted ? " counted" : "", f.damaged ? " damaged" : "");

        say("\n");
    }

    used = ngx_media_span_len(&in);
    memcpy(buf, in.pos, used);
    free(copy);
}


/* a PES packet; hole: bytes are missing before its last so many, 0: none */

static void
pes(int64_t pts, int64_t dts, const void *data, size_t len, size_t hole)
{
    ngx_media_ts_event_t  ev;

    memset(&ev, 0, sizeof(ev));

    ev.type = NGX_MEDIA_TS_EVENT_START;
    ev.pts = pts;
    ev.dts = (dts == NONE) ? pts : dts;
    ev.has_dts = (dts != NONE);
    ev.pcr = pcr;
    ev.size = length;

    length = 0;

    ngx_media_ts_split_start(&split, used, &ev);

    memcpy(buf + used, data, len);
    used += len;

    if (hole) {
        ngx_media_ts_split_hole(&split, used - hole);
    }

    frames();
}


static void
flush(void)
{
    ngx_media_ts_split_flush(&split);
    frames();
}


/* bits of NAL units */

static u_char  nal[512];
static size_t  bits;
static u_char  unit[65536];
static size_t  nunit;


static void
put(unsigned n, uint32_t value)
{
    while (n--) {
        if (value >> n & 1) {
            nal[bits / 8] |= 0x80 >> bits % 8;
        }

        bits++;
    }
}


static void
ue(uint32_t value)
{
    unsigned  n;

    for (n = 0; (value + 1) >> (n + 1); n++) { /* void */ }

    put(n, 0);
    put(n + 1, value + 1);
}


static void
nal_begin(unsigned header)
{
    memset(nal, 0, sizeof(nal));
    bits = 0;
    put(8, header);
}


/* with its start code, and stuffed to so many bytes */

static void
nal_end(size_t len)
{
    put(1, 1);

    len = ngx_max(len, (bits + 7) / 8);

    while (bits < len * 8) {
        put(8 - bits % 8, 0xaa);
    }

    memcpy(unit + nunit, "\0\0\0\1", 4);
    memcpy(unit + nunit + 4, nal, len);
    nunit += 4 + len;
}


static void
aud(void)
{
    memcpy(unit + nunit, "\0\0\0\1\x09\xf0", 6);
    nunit += 6;
}


/* fields: not frame_mbs_only */

static void
sets(unsigned fields)
{
    nal_begin(0x67);
    put(24, 0x4d001e);
    ue(0);                                    /* id */
    ue(0);                                    /* log2_max_frame_num - 4 */
    ue(0);                                    /* pic_order_cnt_type */
    ue(0);                                    /* 4 bits of it */
    ue(1);
    put(1, 0);
    ue(9);
    ue(4);
    put(1, !fields);

    if (fields) {
        put(1, 0);
    }

    put(1, 1);
    put(1, 0);                                /* cropping */
    put(1, 0);                                /* VUI */
    nal_end(0);

    nal_begin(0x68);
    ue(0);
    ue(0);
    put(2, 0);
    nal_end(0);
}


/* field: 0: a frame, 1: top, 2: bottom */

static void
slice(unsigned header, unsigned mb, unsigned num, unsigned fields,
    unsigned field, unsigned poc, size_t len)
{
    nal_begin(header);
    ue(mb);
    ue(7);
    ue(0);
    put(4, num);

    if (fields) {
        put(1, field != 0);

        if (field) {
            put(1, field == 2);
        }
    }

    if ((header & 0x1f) == 5) {
        ue(0);
    }

    put(4, poc);
    nal_end(len);
}


static void
video(void)
{
    begin(NGX_MEDIA_TS_AS_FRAMES, NGX_MEDIA_CODEC_H264, NGX_MEDIA_TS_H264);
}


#define send(pts, dts)  (pes(pts, dts, unit, nunit, 0), nunit = 0)

static void
test_fields(void)
{
    ngx_uint_t  i, delimiters;

    for (delimiters = 0; delimiters < 2; delimiters++) {

        /* both in one PES packet, then each in its own */

        video();
        nunit = 0;

        for (i = 0; i < 4; i++) {

            if (delimiters) {
                aud();
            }

            if (i == 0) {
                sets(1);
            }

            slice(i ? 0x61 : 0x65, 0, i, 1, 1, i * 2, 100);
            slice(i ? 0x61 : 0x65, 5, i, 1, 1, i * 2, 100);

            if (i >= 2) {
                send(9000 + i * 3600, NONE);
            }

            if (delimiters) {
                aud();
            }

            slice(0x61, 0, i, 1, 2, i * 2 + 1, 100);
            slice(0x61, 5, i, 1, 2, i * 2 + 1, 100);

            send(9000 + i * 3600 + (i >= 2 ? 1800 : 0), NONE);
        }

        flush();

        is_text(said, nsaid,
                delimiters ? "446 9000\n428 12600\n428 16200\n428 19800\n"
                           : "434 9000\n416 12600\n416 16200\n416 19800\n",
                "both fields are a frame, delimiters: %u",
                (unsigned) delimiters)
            || (diag("%s", said), 0);
    }

    /* two of the same parity are two */

    video();
    sets(1);

    for (i = 0; i < 3; i++) {
        slice(i ? 0x61 : 0x65, 0, i, 1, 1, i * 2, 100);
        send(9000 + i * 3600, NONE);
    }

    flush();
    is_text(said, nsaid, "122 9000\n104 12600\n104 16200\n", "single fields");
}


static void
test_units(void)
{
    ngx_uint_t  i;

    /* slices of a picture are told by what they say, not by where they begin */

    video();
    nunit = 0;
    sets(0);

    for (i = 0; i < 6; i++) {
        slice(i ? 0x41 : 0x65, 0, i, 0, 0, i * 2, 50);
        slice(i ? 0x41 : 0x65, 20, i, 0, 0, i * 2, 50);
    }

    send(9000, NONE);
    flush();

    is_text(said, nsaid, "126 9000\n108 12600 counted\n108 16200 counted\n"
            "108 19800 counted\n108 23400 counted\n108 27000 counted\n",
            "pictures in slices, one stamp")
        || (diag("%s", said), 0);

    /* what is before the first unit, SEI, filler, the end of a sequence */

    video();
    nunit = 0;
    slice(0x41, 20, 9, 0, 0, 5, 50);
    sets(0);
    slice(0x65, 0, 0, 0, 0, 0, 50);
    nal_begin(0x0c);
    nal_end(30);
    nal_begin(0x06);
    put(16, 0x0501);
    put(8, 0);
    nal_end(0);
    slice(0x41, 0, 1, 0, 0, 2, 50);
    nal_begin(0x0a);
    nal_end(0);
    send(9000, 5400);
    flush();

    is_text(said, nsaid, "106 9000/5400\n69 12600/9000 counted\n",
            "what belongs where")
        || (diag("%s", said), 0);
    is(split.stat.skipped, 54, "a slice of before");

    /* as the PES packet ends, once they have begun with units */

    video();
    nunit = 0;
    sets(0);

    for (i = 0; i < 5; i++) {
        slice(i ? 0x41 : 0x65, 0, i, 0, 0, i * 2, 50);
        send(9000 + i * 3600, NONE);
        say("-\n");
    }

    is_text(said, nsaid, "-\n72 9000\n54 12600\n-\n54 16200\n-\n54 19800\n-\n"
            "54 23400\n-\n", "not later than their end");

    /* one that goes on after all */

    slice(0x41, 0, 5, 0, 0, 10, 50);
    send(27000, NONE);
    slice(0x41, 20, 5, 0, 0, 10, 50);
    send(NONE, NONE);
    slice(0x41, 0, 6, 0, 0, 12, 50);
    slice(0x41, 20, 6, 0, 0, 12, 50);
    nunit -= 54;
    send(30600, NONE);
    slice(0x41, 20, 6, 0, 0, 12, 50);
    send(NONE, NONE);
    nsaid = 0;
    slice(0x41, 0, 7, 0, 0, 14, 50);
    send(34200, NONE);
    is_text(said, nsaid, "108 30600\n", "from then on when the next begins");
    is(split.stat.torn, 1, "it went on once");

    /* no stamp at all: the clock, then counted; nothing without that */

    video();
    pcr = 90000;
    nunit = 0;
    sets(0);

    for (i = 0; i < 3; i++) {
        slice(i ? 0x41 : 0x65, 0, i, 0, 0, i * 2, 50);
        send(NONE, NONE);
    }

    flush();
    is_text(said, nsaid, "72 108000 counted\n54 111600 counted\n"
            "54 115200 counted\n", "by the clock");

    video();
    sets(0);
    slice(0x65, 0, 0, 0, 0, 0, 50);
    send(NONE, NONE);
    flush();
    is_text(said, nsaid, "72 counted\n", "by nothing");

    /* a clock that goes back is no order of pictures: of those without DTS */

    video();
    nunit = 0;

    for (i = 0; i < 6; i++) {

        if (i % 3 == 0) {
            sets(0);
        }

        slice(i % 3 ? 0x41 : 0x65, 0, i % 3, 0, 0, i % 3 * 2, 50);
        send((i < 3 ? 900000 : 720000) + i * 3600, NONE);
    }

    flush();
    is_text(said, nsaid, "72 900000\n54 903600\n54 907200\n72 730800\n"
            "54 734400\n54 738000\n", "the clock goes back by 2 s");
}


static void
test_damage(void)
{
    ngx_uint_t  i;

    video();
    nunit = 0;

    for (i = 0; i < 6; i++) {

        if (i % 3 == 0) {
            sets(0);
        }

        slice(i % 3 ? 0x41 : 0x65, 0, i % 3, 0, 0, i % 3 * 2, 50);
        pes(9000 + i * 3600, NONE, unit, nunit, i == 3 || i == 4 ? 20 : 0);
        nunit = 0;
    }

    flush();
    is_text(said, nsaid, "72 9000\n54 12600\n54 16200\n72 19800 damaged\n"
            "54 27000\n", "a key frame stays, others do not");
    is(split.stat.damaged, 1, "one was dropped");

    /* between two frames the first one may be it */

    video();
    sets(0);
    slice(0x65, 0, 0, 0, 0, 0, 50);
    send(9000, NONE);
    slice(0x41, 0, 1, 0, 0, 2, 50);
    send(12600, NONE);
    ngx_media_ts_split_hole(&split, used);
    slice(0x41, 0, 2, 0, 0, 4, 50);
    send(16200, NONE);
    slice(0x41, 0, 3, 0, 0, 6, 50);
    send(19800, NONE);
    flush();
    is_text(said, nsaid, "72 9000\n54 12600\n54 16200\n54 19800\n",
            "one that was given out is");
}


/* ADTS frames of 48 kHz stereo, so many bytes */

static size_t
adts(u_char *p, size_t len, unsigned rate)
{
    memset(p, 0x55, len);

    p[0] = 0xff;
    p[1] = 0xf1;
    p[2] = 0x40 | rate << 2;
    p[3] = 0x80 | len >> 11;
    p[4] = len >> 3;
    p[5] = len << 5 | 0x1f;
    p[6] = 0xfc;

    return len;
}


static void
test_adts(void)
{
    size_t      n;
    u_char      p[4096];
    ngx_uint_t  i;

    /* three headers have to agree; what is between is garbage */

    begin(NGX_MEDIA_TS_AS_FRAMES, NGX_MEDIA_CODEC_AAC, NGX_MEDIA_TS_ADTS);

    memset(p, 0xff, 10);
    n = 10;

    for (i = 0; i < 2; i++) {
        n += adts(p + n, 100, 3);
    }

    pes(9000, NONE, p, n, 0);
    is(nsaid, 0, "two headers are none");
    n = adts(p, 120, 3);
    pes(12840, NONE, p, n, 0);
    is_text(said, nsaid, "100 9000\n100 10920 counted\n120 12840\n",
            "three are");
    is(split.stat.skipped, 10, "without what is before");

    /* frames over PES packets; the stamp is that of the first that begins */

    nsaid = 0;
    n = 0;

    for (i = 0; i < 4; i++) {
        n += adts(p + n, 200, 3);
    }

    pes(14760, NONE, p, 300, 0);
    pes(18600, NONE, p + 300, 350, 0);
    pes(20520, NONE, p + 650, 150, 0);
    n = adts(p, 100, 3);
    pes(22440, NONE, p, n, 0);

    is_text(said, nsaid, "200 14760\n200 16680 counted\n200 18600\n"
            "200 20520 counted\n100 22440\n", "frames over PES packets")
        || (diag("%s", said), 0);

    /* one header of another rate is a broken frame, three are another rate */

    nsaid = 0;

    for (n = 0, i = 0; i < 6; i++) {
        n += adts(p + n, 100, i == 2 ? 4 : 3);
    }

    pes(90000, NONE, p, n, 0);
    is_text(said, nsaid, "100 90000\n100 91920 counted\n100 95760 counted\n"
            "100 97680 counted\n100 99600 counted\n", "a broken header");

    nsaid = 0;

    for (n = 0, i = 0; i < 4; i++) {
        n += adts(p + n, 100, 5);
    }

    pes(180000, NONE, p, n, 0);
    is_text(said, nsaid, "100 180000\n100 182880 counted\n"
            "100 185760 counted\n100 188640 counted\n", "another rate");

    /* bytes are missing of one frame, others stay */

    nsaid = 0;

    for (n = 0, i = 0; i < 6; i++) {
        n += adts(p + n, 100, 5);
    }

    memmove(p + 250, p + 290, n - 290);
    pes(360000, NONE, p, n - 40, n - 290);
    is_text(said, nsaid, "100 360000\n100 362880 counted\n"
            "100 368640 counted\n100 371520 counted\n100 374400 counted\n",
            "a frame that was hit");
    is(split.stat.damaged, 1, "is one");

    /* whole frames are, as PES_packet_length says; from then on it is as it
       was */

    nsaid = 0;
    length = 600;
    pes(540000, NONE, p, 200, 0);
    is_text(said, nsaid, "100 540000\n100 542880 counted\n", "before");

    nsaid = 0;

    for (n = 0, i = 0; i < 3; i++) {
        n += adts(p + n, 100, 5);
    }

    length = 600;
    pes(600000, NONE, p, n, 100);
    is_text(said, nsaid, "100 600000\n100 602880 counted\n"
            "100 614400 counted\n", "three frames are missing");
    flush();

    /* at the end of all one is enough that is whole */

    begin(NGX_MEDIA_TS_AS_FRAMES, NGX_MEDIA_CODEC_AAC, NGX_MEDIA_TS_ADTS);
    n = adts(p, 100, 3);
    pes(9000, NONE, p, n, 0);
    flush();
    is_text(said, nsaid, "100 9000\n", "the only one");
}


static void
bytes(int64_t pts, const char *hex, size_t hole)
{
    size_t   len;
    u_char  *p;

    p = media_hex(hex, &len);
    pes(pts, NONE, p, len, hole);
    free(p);
}


static void
test_others(void)
{
    /* Opus: several packets, trims; one that is cut off */

    begin(NGX_MEDIA_TS_AS_FRAMES, NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_TS_PRIVATE);
    bytes(9000, "7ff0030138f8fffe" "7fe003f8fffe", 0);
    bytes(12600, "7fe004f8ff", 0);
    bytes(14400, "7fe003f8fffe", 0);
    bytes(16200, "7fe003f8fffe", 2);
    bytes(18000, "7fe803" "03c0" "f8fffe", 0);
    is_text(said, nsaid, "3 9000\n3 10800 counted\n3 14400\n3 18000\n", "opus")
        || (diag("%s", said), 0);
    is(split.stat.damaged, 2, "two are cut off");

    /* ID3: as it is, or in cells; KLV in cells, two of them */

    begin(NGX_MEDIA_TS_AS_ID3, 0, NGX_MEDIA_TS_METADATA);
    bytes(9000, "4944330400000000000a00000000000000000000", 0);
    bytes(9000, "", 0);
    bytes(12600, "0000df000a4944330400000000000a", 0);
    bytes(16200, "4944330400000000000a0000", 3);
    is_text(said, nsaid, "20 9000\n10 12600\n", "ID3");
    is(split.stat.damaged, 1, "one that was hit");

    begin(NGX_MEDIA_TS_AS_KLV, 0, NGX_MEDIA_TS_METADATA);
    bytes(9000, "0000df0003060e2b" "0001df0002060e", 0);
    is_text(said, nsaid, "3 9000\n2 9000 counted\n", "KLV in cells");

    begin(NGX_MEDIA_TS_AS_KLV, 0, NGX_MEDIA_TS_PRIVATE);
    pcr = 7200;
    bytes(NONE, "060e2b3401", 0);
    is_text(said, nsaid, "5 7200 counted\n", "KLV without a stamp: now");
}


/* frames of AC-3, 48 kHz, 32 kbit/s, begin with a CRC of their own */

static void
test_ac3(void)
{
    u_char      p[6 * 128];
    ngx_uint_t  i;

    begin(NGX_MEDIA_TS_AS_FRAMES, NGX_MEDIA_CODEC_AC3, NGX_MEDIA_TS_AC3);
    memset(p, 0, sizeof(p));

    for (i = 0; i < 6; i++) {
        memcpy(p + i * 128, "\x0b\x77\0\0\0\x40\x43\xe1", 8);
        p[i * 128 + 2] = (u_char) (i * 77);
        p[i * 128 + 3] = (u_char) (i * 31);
    }

    pes(9000, NONE, p, 4 * 128, 0);
    pes(20520, NONE, p + 4 * 128, 2 * 128, 0);
    flush();

    is_text(said, nsaid, "128 9000\n128 11880 counted\n128 14760 counted\n"
            "128 17640 counted\n128 20520\n128 23400 counted\n", "AC-3")
        || (diag("%s", said), 0);
    is(split.stat.skipped, 0, "all of it");
}


static void
test_many(void)
{
    ngx_uint_t  i;

    /* more PES packets than marks: nothing is lost but stamps */

    begin(NGX_MEDIA_TS_AS_FRAMES, NGX_MEDIA_CODEC_H264, NGX_MEDIA_TS_H264);
    nunit = 0;
    sets(0);
    slice(0x65, 0, 0, 0, 0, 0, 200);

    for (i = 0; i < nunit; i++) {
        pes(i == 0 ? 9000 : NONE, NONE, unit + i, 1, 0);
    }

    is(nsaid, 0, "it waits");
    flush();
    is_text(said, nsaid, "222 9000\n", "a byte in each PES packet");

    /* a flush in the middle: it begins anew */

    nsaid = 0;
    nunit = 0;
    slice(0x41, 20, 0, 0, 0, 0, 200);
    sets(0);
    slice(0x65, 0, 0, 0, 0, 0, 200);
    send(12600, NONE);
    flush();
    is_text(said, nsaid, "222 12600\n", "and goes on behind");
}


int
main(void)
{
    test_fields();
    test_units();
    test_damage();
    test_adts();
    test_others();
    test_ac3();
    test_many();

    return done();
}
