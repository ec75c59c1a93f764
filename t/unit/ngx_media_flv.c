
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: @codecs formats/ngx_media_flv.c formats/ngx_media_flv_tracks.c
         formats/ngx_media_amf.c formats/ngx_media_text.c */

/*
 * Files are written here, and those of other people in ../shared/media, beside
 * the project, are read where they are.
 */


#include <math.h>

#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_tracks.h"
#include "tap.h"


#define PACKETS  16

#define AV1   ngx_media_fourcc('a', 'v', '0', '1')
#define OPUS  ngx_media_fourcc('O', 'p', 'u', 's')


typedef struct {
    int                     rcs[PACKETS];
    ngx_media_flv_packet_t  packets[PACKETS];
    size_t                  lens[PACKETS];
    u_char                  bodies[PACKETS][64];
    int                     n;
    int                     rc;               /* the one that ended it */
    int                     outside;          /* a body is not in the input */
} result_t;


static result_t
collect(int audio, const u_char *data, size_t len)
{
    int                        i, rc;
    u_char                    *copy;
    result_t                   result;
    ngx_media_flv_packet_t    *p;
    ngx_media_flv_iterator_t   it;

    memset(&result, 0, sizeof(result));
    copy = tap_dup(data, len);

    rc = audio ? ngx_media_flv_audio(&it, copy, copy + len)
               : ngx_media_flv_video(&it, copy, copy + len);

    if (rc != NGX_OK) {
        result.rc = rc;
        free(copy);
        return result;
    }

    for (i = 0; i < 100; i++) {

        p = &result.packets[ngx_min(result.n, PACKETS - 1)];
        rc = ngx_media_flv_next(&it, p);

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            break;
        }

        if (p->body.pos < copy || p->body.last > copy + len
            || p->body.pos > p->body.last)
        {
            result.outside = 1;
            break;
        }

        if (result.n < PACKETS) {
            result.rcs[result.n] = rc;
            result.lens[result.n] = ngx_media_span_len(&p->body);
            memcpy(result.bodies[result.n], p->body.pos,
                   ngx_min(result.lens[result.n], 64));
            result.n++;
        }
    }

    result.rc = rc;
    free(copy);

    return result;
}


#define bytes(s)  (const u_char *) s, sizeof(s) - 1

static const struct {
    const char    *name;
    int            audio;
    const u_char  *data;
    size_t         len;

    int            rc;                        /* of the only packet */
    int            kind;
    uint32_t       codec;
    uint32_t       codec_id;
    int            key;
    int            cts;
    const char    *body;
} singles[] = {

    /* legacy video */

    { "empty video message", 0, bytes(""),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, 0, 0, 0, 0, "" },
    { "AVC config", 0, bytes("\x17\0\0\0\0avcC"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H264, 7, 1, 0, "avcC" },
    { "AVC config with a composition time", 0, bytes("\x17\0\1\2\3avcC"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H264, 7, 1, 0, "avcC" },
    { "AVC config without one", 0, bytes("\x17\0\0\0\0"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_H264, 7, 1, 0, "" },
    { "AVC key frame", 0, bytes("\x17\1\0\0\x43nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 7, 1, 67, "nal" },
    { "AVC inter frame, negative", 0, bytes("\x27\1\xff\xff\xfenal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 7, 0, -2, "nal" },
    { "AVC smallest composition time", 0, bytes("\x27\1\x80\0\0nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 7, 0, -8388608,
      "nal" },
    { "AVC disposable frame", 0, bytes("\x37\1\0\0\0nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 7, 0, 0, "nal" },
    { "AVC generated key frame", 0, bytes("\x47\1\0\0\0nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 7, 1, 0, "nal" },
    { "AVC frame without anything", 0, bytes("\x27\1\0\0\0"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_H264, 7, 0, 0, "" },
    { "AVC frame without a composition time", 0, bytes("\x27\1"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_H264, 7, 0, 0, "" },
    { "AVC end of sequence", 0, bytes("\x17\2\0\0\0"),
      NGX_OK, NGX_MEDIA_FLV_END, NGX_MEDIA_CODEC_H264, 7, 1, 0, NULL },
    { "AVC end of sequence, short", 0, bytes("\x17\2"),
      NGX_OK, NGX_MEDIA_FLV_END, NGX_MEDIA_CODEC_H264, 7, 1, 0, "" },
    { "AVC packet type 3", 0, bytes("\x17\3\0\0\0x"),
      NGX_DECLINED, 0, NGX_MEDIA_CODEC_H264, 7, 1, 0, NULL },
    { "AVC command", 0, bytes("\x57\1"),
      NGX_OK, NGX_MEDIA_FLV_COMMAND, 0, 7, 0, 0, "" },
    { "HEVC config, codec id 12", 0, bytes("\x1c\0\0\0\0hvcC"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H265, 12, 1, 0, "hvcC" },
    { "HEVC frame, codec id 12", 0, bytes("\x2c\1\0\0\x28nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H265, 12, 0, 40, "nal" },
    { "Sorenson H.263", 0, bytes("\x12\0\0\x84"),
      NGX_DECLINED, 0, 0, 2, 1, 0, NULL },
    { "VP6", 0, bytes("\x24xyz"), NGX_DECLINED, 0, 0, 4, 0, 0, "xyz" },
    { "codec id 0", 0, bytes("\x10"), NGX_DECLINED, 0, 0, 0, 1, 0, "" },

    /* legacy audio */

    { "empty audio message", 1, bytes(""),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, 0, 0, 1, 0, "" },
    { "AAC config", 1, bytes("\xaf\0\x12\x10"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_AAC, 10, 1, 0,
      "\x12\x10" },
    { "AAC frame", 1, bytes("\xaf\1raw"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_AAC, 10, 1, 0, "raw" },
    { "AAC silence", 1, bytes("\xaf\1"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_AAC, 10, 1, 0, "" },
    { "AAC header only", 1, bytes("\xaf"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_AAC, 10, 1, 0, "" },
    { "AAC empty config", 1, bytes("\xaf\0"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_AAC, 10, 1, 0, "" },
    { "AAC packet type 2", 1, bytes("\xaf\2x"),
      NGX_DECLINED, 0, NGX_MEDIA_CODEC_AAC, 10, 1, 0, "x" },
    { "MP3", 1, bytes("\x2f\xff\xfb\x90"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_MP3, 2, 1, 0,
      "\xff\xfb\x90" },
    { "MP3 8 kHz", 1, bytes("\xe2\xff\xe3"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_MP3, 14, 1, 0,
      "\xff\xe3" },
    { "MP3 without anything", 1, bytes("\x2f"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_MP3, 2, 1, 0, "" },
    { "PCM", 1, bytes("\x0exy"), NGX_DECLINED, 0, 0, 0, 1, 0, "xy" },
    { "Speex", 1, bytes("\xb2xy"), NGX_DECLINED, 0, 0, 11, 1, 0, "xy" },

    /* enhanced video */

    { "avc1 config", 0, bytes("\x90" "avc1avcC"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H264, 0, 1, 0, "avcC" },
    { "avc1 frame", 0, bytes("\xa1" "avc1\0\0\x43nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 0, 0, 67, "nal" },
    { "hvc1 config", 0, bytes("\x90hvc1hvcC"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H265, 0, 1, 0, "hvcC" },
    { "hvc1 frame, negative", 0, bytes("\x91hvc1\xff\xff\xffnal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H265, 0, 1, -1, "nal" },
    { "hvc1 CodedFramesX", 0, bytes("\xa3hvc1nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H265, 0, 0, 0, "nal" },
    { "hvc1 end", 0, bytes("\x92hvc1"),
      NGX_OK, NGX_MEDIA_FLV_END, NGX_MEDIA_CODEC_H265, 0, 1, 0, "" },
    { "vvc1 frame", 0, bytes("\x91vvc1\0\0\1nal"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, ngx_media_fourcc('v', 'v', 'c', '1'), 0,
      1, 1, "nal" },
    { "av01 frame has no composition time", 0, bytes("\x91" "av01\0\0\1obu"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, AV1, 0, 1, 0, NULL },
    { "vp09 config", 0, bytes("\x90vp09vpcC"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, ngx_media_fourcc('v', 'p', '0', '9'), 0,
      1, 0, "vpcC" },
    { "av01 MPEG2TSSequenceStart", 0, bytes("\x95" "av01desc"),
      NGX_DECLINED, 0, AV1, 0, 1, 0, "desc" },
    { "hvc1 metadata", 0, bytes("\xd4hvc1\2\0\1x"),
      NGX_OK, NGX_MEDIA_FLV_METADATA, NGX_MEDIA_CODEC_H265, 0, 0, 0, NULL },
    { "unknown fourcc", 0, bytes("\x90xxxxbody"),
      NGX_DECLINED, 0, ngx_media_fourcc('x', 'x', 'x', 'x'), 0, 1, 0,
      "body" },
    { "audio fourcc in a video message", 0, bytes("\x90mp4abody"),
      NGX_DECLINED, 0, NGX_MEDIA_CODEC_AAC, 0, 1, 0, "body" },
    { "reserved packet type", 0, bytes("\x9f" "avc1body"),
      NGX_DECLINED, 0, NGX_MEDIA_CODEC_H264, 0, 1, 0, "body" },
    { "enhanced command", 0, bytes("\xd1\0"),
      NGX_OK, NGX_MEDIA_FLV_COMMAND, 0, 0, 0, 0, "" },
    { "avc1 frame without anything", 0, bytes("\xa1" "avc1"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_H264, 0, 0, 0, "" },
    { "avc1 empty CodedFramesX", 0, bytes("\xa3" "avc1"),
      NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_H264, 0, 0, 0, "" },

    /* enhanced audio */

    { "mp4a config", 1, bytes("\x90mp4a\x12\x10"),
      NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_AAC, 0, 1, 0,
      "\x12\x10" },
    { "mp4a frame", 1, bytes("\x91mp4araw"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_AAC, 0, 1, 0, "raw" },
    { "mp4a end", 1, bytes("\x92mp4a"),
      NGX_OK, NGX_MEDIA_FLV_END, NGX_MEDIA_CODEC_AAC, 0, 1, 0, "" },
    { ".mp3 frame", 1, bytes("\x91.mp3raw"),
      NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_MP3, 0, 1, 0, "raw" },
    { "Opus multichannel", 1, bytes("\x94Opus\1\2"),
      NGX_OK, NGX_MEDIA_FLV_METADATA, OPUS, 0, 1, 0, "\1\2" },
    { "audio packet type 3", 1, bytes("\x93mp4araw"),
      NGX_DECLINED, 0, NGX_MEDIA_CODEC_AAC, 0, 1, 0, "raw" },
    { "audio packet type 6", 1, bytes("\x96mp4araw"),
      NGX_DECLINED, 0, NGX_MEDIA_CODEC_AAC, 0, 1, 0, "raw" },
    { "unknown audio fourcc", 1, bytes("\x91xxxxraw"),
      NGX_DECLINED, 0, ngx_media_fourcc('x', 'x', 'x', 'x'), 0, 1, 0,
      "raw" }
};


/* what is said of packets that nothing can be made of */

static void
test_names(void)
{
    size_t       i;
    result_t     r;
    const char  *name;

    static const struct {
        int            audio;
        const u_char  *data;
        size_t         len;
        int            known;
        const char    *name;
    } names[] = {
        { 1, bytes("\x82xy"), 0, "G.711 mu-law" },
        { 1, bytes("\x72xy"), 0, "G.711 A-law" },
        { 1, bytes("\xb2xy"), 0, "Speex" },
        { 1, bytes("\x62xy"), 0, "Nellymoser" },
        { 1, bytes("\xc2xy"), 0, NULL },
        { 1, bytes("\xaf\2x"), 1, NULL },
        { 1, bytes("\x91xxxxraw"), 0, NULL },
        { 1, bytes("\x93mp4araw"), 1, NULL },
        { 0, bytes("\x12\0\0\x84"), 0, "Sorenson H.263" },
        { 0, bytes("\x10"), 0, NULL },
        { 0, bytes("\x1dx"), 0, "AV1" },
        { 0, bytes("\x17\3\0\0\0x"), 1, NULL },
        { 0, bytes("\x90xxxxbody"), 0, NULL }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        r = collect(names[i].audio, names[i].data, names[i].len);

        is(r.rcs[0], NGX_DECLINED, "name %u: declined", (unsigned) i);
        is(ngx_media_flv_known(&r.packets[0]), names[i].known,
           "name %u: known", (unsigned) i);

        name = ngx_media_flv_codec_name(&r.packets[0]);
        ok(names[i].name ? name && strcmp(name, names[i].name) == 0
                         : name == NULL,
           "name %u: %s", (unsigned) i, name ? name : "none");
    }
}


static void
test_singles(void)
{
    int                      good;
    size_t                   i, j;
    result_t                 r;
    ngx_media_flv_packet_t  *p;

    for (i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {

        r = collect(singles[i].audio, singles[i].data, singles[i].len);
        p = &r.packets[0];

        ok(r.n == 1 && r.rc == NGX_DONE && !r.outside
           && r.rcs[0] == singles[i].rc, "%s", singles[i].name);

        ok(p->codec == singles[i].codec && p->codec_id == singles[i].codec_id
           && p->key == (unsigned) singles[i].key && p->cts == singles[i].cts
           && p->type == (singles[i].audio ? NGX_MEDIA_AUDIO
                                           : NGX_MEDIA_VIDEO)
           && p->track == 0 && p->nano == 0
           && (r.rcs[0] != NGX_OK || (int) p->kind == singles[i].kind),
           "%s, fields", singles[i].name);

        if (singles[i].body) {
            is_text(r.bodies[0], r.lens[0], singles[i].body, "%s, body",
                    singles[i].name);
        }

        good = 1;

        for (j = 0; j < singles[i].len; j++) {
            r = collect(singles[i].audio, singles[i].data, j);
            good = good && !r.outside && r.n <= 1;
        }

        ok(good, "%s, truncated", singles[i].name);
    }

    r = collect(0, bytes("\x57\1"));
    is(r.packets[0].command, 1, "command, its value");

    r = collect(1, bytes("\x2e\xff"));
    ok(r.packets[0].sound_rate == 3 && r.packets[0].sound_16bit
       && !r.packets[0].sound_stereo, "header bits of MP3");
    r = collect(1, bytes("\x25\xff"));
    ok(r.packets[0].sound_rate == 1 && !r.packets[0].sound_16bit
       && r.packets[0].sound_stereo, "other header bits of MP3");
}


static const struct {
    const char    *name;
    int            audio;
    const u_char  *data;
    size_t         len;
} malformed[] = {
    { "AVC header of one byte", 0, bytes("\x17") },
    { "AVC config of three bytes", 0, bytes("\x17\0\0") },
    { "AVC half a composition time", 0, bytes("\x17\1\0\0") },
    { "command without a value", 0, bytes("\x57") },
    { "no fourcc", 0, bytes("\x90") },
    { "half a fourcc", 0, bytes("\x90" "avc") },
    { "half a composition time", 0, bytes("\x91" "avc1\0\0") },
    { "enhanced command without a value", 0, bytes("\xd1") },
    { "no fourcc of audio", 1, bytes("\x90mp4") },
    { "ModEx without anything", 0, bytes("\x97") },
    { "ModEx without data", 0, bytes("\x97\2\0\0") },
    { "ModEx without a type", 0, bytes("\x97\2\0\0\1") },
    { "ModEx, long", 0, bytes("\x97\xff\xff\xff" "abc") },
    { "ModEx after ModEx", 0, bytes("\x97\0x\x07\0x\x07") },
    { "multitrack without anything", 0, bytes("\x96") },
    { "multitrack of type 3", 0, bytes("\x96\x31" "avc1\1\0\0\0") },
    { "multitrack in multitrack", 0, bytes("\x96\x06" "avc1\1x") },
    { "ModEx in multitrack", 0, bytes("\x96\x07" "avc1\1x") },
    { "audio multitrack in multitrack", 1, bytes("\x95\x05mp4a\1x") },
    { "multitrack without a track", 0, bytes("\x96\x01" "avc1") },
    { "many tracks without one", 0, bytes("\x96\x11" "avc1") },
    { "many tracks, no size", 0, bytes("\x96\x11" "avc1\1\0\0") },
    { "many tracks, large size", 0, bytes("\x96\x11" "avc1\1\0\0\2x") },
    { "many tracks, largest size", 0, bytes("\x96\x11" "avc1\1\xff\xff\xffx") },
    { "many codecs, half a fourcc", 0, bytes("\x96\x21" "avc") },
    { "many codecs, no track", 0, bytes("\x96\x21" "avc1") }
};


static void
test_malformed(void)
{
    size_t    i;
    result_t  r;

    for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        r = collect(malformed[i].audio, malformed[i].data, malformed[i].len);
        ok(r.n == 0 && r.rc == NGX_ERROR && !r.outside, "%s",
           malformed[i].name);
    }
}


static void
check_packet(result_t *r, int i, int rc, int kind, uint32_t codec,
    uint32_t track, int cts, const char *body, const char *name)
{
    ngx_media_flv_packet_t  *p = &r->packets[i];

    ok(i < r->n && r->rcs[i] == rc && (rc != NGX_OK || (int) p->kind == kind)
       && p->codec == codec && p->track == track && p->cts == cts
       && p->multitrack && p->enhanced, "%s", name);
    is_text(r->bodies[i], r->lens[i], body, "%s, body", name);
}


static void
test_tracks(void)
{
    result_t  r;

    r = collect(0, bytes("\x96\x01" "avc1\3\0\0\x28nal"));
    is(r.n, 1, "one track");
    check_packet(&r, 0, NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 3,
                 40, "nal", "one track");

    r = collect(0, bytes("\x96\x10hvc1" "\0\0\0\2h0" "\1\0\0\2h1"));
    is(r.n, 2, "many tracks");
    is(r.rc, NGX_DONE, "many tracks, end");
    check_packet(&r, 0, NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H265, 0,
                 0, "h0", "many tracks, first");
    check_packet(&r, 1, NGX_OK, NGX_MEDIA_FLV_CONFIG, NGX_MEDIA_CODEC_H265, 1,
                 0, "h1", "many tracks, second");
    ok(r.packets[0].key && r.packets[1].key, "many tracks, key frames");

    r = collect(0, bytes("\xa6\x21" "avc1\0\0\0\4\0\0\1a" "xxxx\1\0\0\1b"
                         "av01\2\0\0\1c" "hvc1\3\0\0\0"));
    is(r.n, 4, "many codecs");
    is(r.rc, NGX_DONE, "many codecs, end");
    check_packet(&r, 0, NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_H264, 0,
                 1, "a", "many codecs, first");
    check_packet(&r, 1, NGX_DECLINED, 0,
                 ngx_media_fourcc('x', 'x', 'x', 'x'), 1, 0, "b",
                 "many codecs, an unknown one");
    check_packet(&r, 2, NGX_OK, NGX_MEDIA_FLV_FRAME, AV1, 2, 0, "c",
                 "many codecs, third");
    check_packet(&r, 3, NGX_OK, NGX_MEDIA_FLV_EMPTY, NGX_MEDIA_CODEC_H265, 3,
                 0, "", "many codecs, an empty one");

    r = collect(1, bytes("\x95\x11mp4a" "\1\0\0\1a" "\2\0\0\1b"));
    is(r.n, 2, "audio tracks");
    check_packet(&r, 1, NGX_OK, NGX_MEDIA_FLV_FRAME, NGX_MEDIA_CODEC_AAC, 2,
                 0, "b", "audio tracks, second");

    /* malformed after a good one */

    r = collect(1, bytes("\x95\x11mp4a" "\1\0\0\1a" "\2\0\0\2b"));
    ok(r.n == 1 && r.rc == NGX_ERROR, "the good ones before a bad one");

    /* ModEx */

    r = collect(0, bytes("\x97\2\x0f\x42\x3f\x01" "avc1\0\0\1nal"));
    ok(r.n == 1 && r.packets[0].nano == 999999 && r.packets[0].cts == 1
       && r.packets[0].kind == NGX_MEDIA_FLV_FRAME, "nanoseconds");

    r = collect(0, bytes("\x97\2\x0f\x42\x40\x01" "avc1\0\0\1nal"));
    ok(r.n == 1 && r.packets[0].nano == 0, "too many nanoseconds");

    r = collect(0, bytes("\x97\1\x0f\x42\x01" "avc1\0\0\1nal"));
    ok(r.n == 1 && r.packets[0].nano == 0, "short ModEx");

    r = collect(0, bytes("\xa7\0x\x57\2\0\0\5\x03hvc1nal"));
    ok(r.n == 1 && r.packets[0].nano == 5
       && r.packets[0].kind == NGX_MEDIA_FLV_FRAME && r.lens[0] == 3,
       "unknown ModEx, then nanoseconds");

    r = collect(0, bytes("\xa7\xff\0\2\0\0\7\x06\x01" "avc1\2\0\0\1nal"));
    ok(r.n == 1 && r.packets[0].nano == 7 && r.packets[0].track == 2,
       "long ModEx, multitrack");

    r = collect(1, bytes("\x97\2\0\0\x09\x01mp4araw"));
    ok(r.n == 1 && r.packets[0].nano == 9
       && r.packets[0].kind == NGX_MEDIA_FLV_FRAME, "nanoseconds of audio");

    r = collect(0, bytes("\xd7\2\0\0\x09\x01\1"));
    ok(r.n == 1 && r.packets[0].kind == NGX_MEDIA_FLV_COMMAND
       && r.packets[0].command == 1, "command after ModEx");
}


/* every single byte of a few headers, with bodies of some lengths */

static void
test_all(void)
{
    int       audio, good;
    size_t    len;
    u_char    data[16];
    result_t  r;
    uint32_t  a, b;

    good = 1;

    for (audio = 0; audio < 2; audio++) {
        for (a = 0; a < 256; a++) {
            for (b = 0; b < 256; b++) {
                memcpy(data, "\0\0avc1mp4a\0\0\0\1xx", 16);
                data[0] = a;
                data[1] = b;

                for (len = 0; len <= 16; len += 4) {
                    r = collect(audio, data, len);
                    good = good && !r.outside
                           && (r.rc == NGX_DONE || r.rc == NGX_ERROR);
                }
            }
        }
    }

    ok(good, "all first two bytes");
}


#define META_OBS                                                              \
    "\x02\0\x0d@setDataFrame" "\x02\0\x0aonMetaData" "\x08\0\0\0\x0c"         \
    "\0\5width" "\x00\x40\x94\0\0\0\0\0\0"                                    \
    "\0\6height" "\x00\x40\x86\x80\0\0\0\0\0"                                 \
    "\0\x0cvideocodecid" "\x00\x40\x1c\0\0\0\0\0\0"                           \
    "\0\x0dvideodatarate" "\x00\x40\xa3\x88\0\0\0\0\0"                        \
    "\0\x09" "framerate" "\x00\x40\x3d\xf8\x53\xe2\x55\x6b\x28"               \
    "\0\x0c" "audiocodecid" "\x00\x40\x24\0\0\0\0\0\0"                        \
    "\0\x0d" "audiodatarate" "\x00\x40\x64\0\0\0\0\0\0"                       \
    "\0\x0f" "audiosamplerate" "\x00\x40\xe7\x70\0\0\0\0\0"                   \
    "\0\x0d" "audiochannels" "\x00\x40\0\0\0\0\0\0\0"                         \
    "\0\6stereo" "\x01\1"                                                     \
    "\0\7encoder" "\x02\0\3obs"


static void
test_metadata(void)
{
    int                        good, rc;
    size_t                     i;
    u_char                    *p;
    ngx_media_flv_metadata_t   meta;

    static const u_char  obs[] = META_OBS "\0\0\x09";
    static const u_char  open[] = META_OBS;

    static const u_char  fourcc[] =
        "\0" "\x02\0\x0aonMetaData" "\x03"
        "\0\x0cvideocodecid" "\x00\x41\xda\x1d\x98\xcc\x40\0\0"
        "\0\x0c" "audiocodecid" "\x02\0\4mp4a"
        "\0\6stereo" "\x01\0" "\0\0\x09";

    static const u_char  flags[] =
        "\x02\0\x0aonMetaData" "\x08\0\0\0\0"
        "\0\x08hasVideo" "\x01\1" "\0\x08hasAudio" "\x01\0"
        "\0\5width" "\x00\x7f\xf8\0\0\0\0\0\0"
        "\0\6height" "\x00\x7f\xf0\0\0\0\0\0\0"
        "\0\x09" "framerate" "\x00\xc0\x39\0\0\0\0\0\0"
        "\0\x0d" "audiochannels" "\x00\x41\xf0\0\0\0\0\0\0" "\0\0\x09";

    static const u_char  other[] =
        "\x02\0\x0aonMetaData" "\x08\0\0\0\0"
        "\0\x0cvideocodecid" "\x00\x40\x10\0\0\0\0\0\0"
        "\0\x0c" "audiocodecid" "\x02\0\4xxxx" "\0\0\x09";

    static const u_char  text[] =
        "\x02\0\x0aonTextData" "\x08\0\0\0\0" "\0\0\x09";

    p = tap_dup(obs, sizeof(obs) - 1);
    is(ngx_media_flv_metadata(p, p + sizeof(obs) - 1, &meta), NGX_OK, "OBS");
    is_text(meta.name.pos, ngx_media_span_len(&meta.name), "onMetaData",
            "OBS, name");
    is_text(meta.encoder.pos, ngx_media_span_len(&meta.encoder), "obs",
            "OBS, encoder");
    is(meta.width, 1280, "OBS, width");
    is(meta.height, 720, "OBS, height");
    is(meta.fps, 29970, "OBS, fps");
    is(meta.video_rate, 2500, "OBS, video rate");
    is(meta.audio_rate, 160, "OBS, audio rate");
    is(meta.sample_rate, 48000, "OBS, sample rate");
    is(meta.channels, 2, "OBS, channels");
    is_hex(meta.video_codec, NGX_MEDIA_CODEC_H264, "OBS, video codec");
    is_hex(meta.audio_codec, NGX_MEDIA_CODEC_AAC, "OBS, audio codec");
    ok(meta.has_video && meta.has_audio, "OBS, both are announced");
    free(p);

    is(ngx_media_flv_metadata(open, open + sizeof(open) - 1, &meta), NGX_OK,
       "no end marker");
    is(meta.width, 1280, "no end marker, width");

    is(ngx_media_flv_metadata(fourcc, fourcc + sizeof(fourcc) - 1, &meta),
       NGX_OK, "fourccs, AMF3 message");
    is_hex(meta.video_codec, NGX_MEDIA_CODEC_H265, "video fourcc, a number");
    is_hex(meta.audio_codec, NGX_MEDIA_CODEC_AAC, "audio fourcc, a string");
    is(meta.channels, 1, "not stereo");
    ok(meta.has_video && meta.has_audio, "fourccs, both are announced");

    is(ngx_media_flv_metadata(flags, flags + sizeof(flags) - 1, &meta),
       NGX_OK, "flags and nonsense");
    ok(meta.has_video && !meta.has_audio, "only video is announced");
    ok(meta.width == 0 && meta.height == 0 && meta.fps == 0
       && meta.channels == 0, "NaN, infinity, negative, too large");

    is(ngx_media_flv_metadata(other, other + sizeof(other) - 1, &meta),
       NGX_OK, "unknown codecs");
    ok(meta.has_video && meta.has_audio && meta.video_codec == 0
       && meta.audio_codec == 0, "announced, but unknown");

    is(ngx_media_flv_metadata(text, text + sizeof(text) - 1, &meta),
       NGX_DECLINED, "onTextData");
    is_text(meta.name.pos, ngx_media_span_len(&meta.name), "onTextData",
            "onTextData, name");

    is(ngx_media_flv_metadata(text, text, &meta), NGX_DECLINED, "nothing");
    is(ngx_media_flv_metadata(text, text + 13, &meta), NGX_DECLINED,
       "only a name");

    good = 1;

    for (i = 0; i < sizeof(obs) - 1; i++) {
        p = tap_dup(obs, i);
        rc = ngx_media_flv_metadata(p, p + i, &meta);
        good = good && (rc == NGX_OK || rc == NGX_ERROR || i < 30);
        free(p);
    }

    ok(good, "truncated");
}


static void
test_tags(void)
{
    int                   good, n, rc;
    size_t                i;
    u_char               *p;
    ngx_media_flv_tag_t   tag;
    ngx_media_flv_tags_t  tags;

    static const u_char  data[] =
        "\x08\0\0\3\0\x03\xe8\0\0\0\1abc\0\0\0\x0e"
        "\x09\0\0\0\0\x03\xfc\0\0\0\1\0\0\0\x0b"
        "\x09\0\0\2\0\x03\xd4\0\0\0\1xy\0\0\0\x0d"
        "\x08\0\0\1\0\0\0\1\0\0\1z\0\0\0\x0c";

    ngx_media_flv_tags(&tags, data, data + sizeof(data) - 1, 50000);

    is(ngx_media_flv_tag(&tags, &tag), NGX_OK, "first tag");
    ok(tag.type == 8 && tag.timestamp == 50000, "first tag, timestamp");
    is_text(tag.body.pos, ngx_media_span_len(&tag.body), "abc",
            "first tag, body");
    is(ngx_media_flv_tag(&tags, &tag), NGX_OK, "second tag");
    ok(tag.type == 9 && tag.timestamp == 50020
       && ngx_media_span_len(&tag.body) == 0, "second tag, moved");
    is(ngx_media_flv_tag(&tags, &tag), NGX_OK, "third tag");
    is(tag.timestamp, 49980, "third tag, before the first");
    is(ngx_media_flv_tag(&tags, &tag), NGX_OK, "fourth tag");
    is(tag.timestamp, 50000 + (1 << 24) - 1000,
       "fourth tag, extended timestamp");
    is(ngx_media_flv_tag(&tags, &tag), NGX_DONE, "no more");

    ngx_media_flv_tags(&tags, data, data + sizeof(data) - 1, 0xfffffff0);
    (void) ngx_media_flv_tag(&tags, &tag);
    (void) ngx_media_flv_tag(&tags, &tag);
    is(tag.timestamp, 4, "wraps");

    good = 1;

    for (i = 0; i < sizeof(data) - 1; i++) {
        p = tap_dup(data, i);
        ngx_media_flv_tags(&tags, p, p + i, 0);

        for (n = 0; n < 10; n++) {
            rc = ngx_media_flv_tag(&tags, &tag);

            if (rc != NGX_OK) {
                break;
            }

            good = good && tag.body.pos >= p && tag.body.last <= p + i;
        }

        good = good && n < 5 && (rc == NGX_DONE || rc == NGX_ERROR)
               && ngx_media_flv_tag(&tags, &tag) == NGX_DONE;

        free(p);
    }

    ok(good, "truncated tags");

    memset(&tag, 0, sizeof(tag));
    ngx_media_flv_tags(&tags, (u_char *) "\x08\xff\xff\xff\0\0\0\0\0\0\0x",
                       (u_char *) "", 0);
    tags.last = tags.pos + 12;
    is(ngx_media_flv_tag(&tags, &tag), NGX_ERROR, "largest size");
}


#define SHARED  "../../../shared/media/flv/"


static size_t
slurp(const char *name, u_char **p)
{
    FILE    *f;
    size_t   n;

    *p = malloc(1 << 20);
    f = fopen(name, "rb");

    if (f == NULL) {
        return 0;
    }

    n = fread(*p, 1, 1 << 20, f);
    fclose(f);

    return n;
}


static u_char *
put_tag(u_char *p, int type, uint32_t timestamp, const void *body, size_t len)
{
    size_t  size;

    *p++ = type;
    *p++ = len >> 16;
    *p++ = len >> 8;
    *p++ = len;
    *p++ = timestamp >> 16;
    *p++ = timestamp >> 8;
    *p++ = timestamp;
    *p++ = timestamp >> 24;
    memset(p, 0, 3);
    p += 3;

    memcpy(p, body, len);
    p += len;

    size = 11 + len;
    *p++ = size >> 24;
    *p++ = size >> 16;
    *p++ = size >> 8;
    *p++ = size;

    return p;
}


static u_char *
put_number(u_char *p, const char *name, double value)
{
    int       shift;
    size_t    len;
    uint64_t  n;

    len = strlen(name);
    *p++ = 0;
    *p++ = len;
    memcpy(p, name, len);
    p += len;

    *p++ = 0;
    memcpy(&n, &value, 8);

    for (shift = 56; shift >= 0; shift -= 8) {
        *p++ = n >> shift;
    }

    return p;
}


/* what is said of tracks, at every length of it */

static void
test_track_maps(void)
{
    size_t                     n;
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_media_flv_track_t      track;
    ngx_media_amf_iterator_t   it;
    ngx_media_flv_metadata_t   meta;

    static const u_char  maps[] =
        "\x02\0\x0aonMetaData" "\x03"
        "\0\x08language" "\x02\0\x03" "eng"
        "\0\x13" "audioTrackIdInfoMap" "\x03"
            "\0\x01" "1" "\x03"
                "\0\x0d" "audiodatarate" "\0\x40\x60\0\0\0\0\0\0"
                "\0\x08" "language" "\x02\0\x03" "deu"
                "\0\x05" "title" "\x02\0\x03" "Ton"
            "\0\0\x09"
            "\0\x03" "256" "\x03" "\0\0\x09"
            "\0\x01" "x" "\x03" "\0\0\x09"
            "\0\x03" "255" "\x03" "\0\0\x09"
            "\0\x01" "3" "\x02\0\x01" "3"
        "\0\0\x09"
        "\0\0\x09";

    is(ngx_media_flv_metadata(maps, maps + sizeof(maps) - 1, &meta), NGX_OK,
       "maps of tracks");
    is_text(meta.language.pos, ngx_media_span_len(&meta.language), "eng",
            "maps, language");
    is(meta.video_tracks.type, NGX_MEDIA_AMF_UNDEFINED, "maps, no video");

    ngx_media_amf_iterate(&it, &meta.video_tracks);
    is(ngx_media_flv_track_next(&it, &track), NGX_DONE, "maps, nothing of it");

    ngx_media_amf_iterate(&it, &meta.audio_tracks);

    is(ngx_media_flv_track_next(&it, &track), NGX_OK, "maps, first");
    is(track.id, 1, "maps, its id");
    is_text(track.language.pos, ngx_media_span_len(&track.language), "deu",
            "maps, its language");
    is_text(track.title.pos, ngx_media_span_len(&track.title), "Ton",
            "maps, its title");

    is(ngx_media_flv_track_next(&it, &track), NGX_OK, "maps, second");
    is(track.id, 255, "maps, ids that none has are skipped");
    ok(track.language.pos == NULL, "maps, of which nothing is said");

    is(ngx_media_flv_track_next(&it, &track), NGX_OK, "maps, third");
    is(track.id, 3, "maps, which is no object");
    ok(track.title.pos == NULL, "maps, so nothing is said of it");

    is(ngx_media_flv_track_next(&it, &track), NGX_DONE, "maps, no more");

    for (n = 0; n < sizeof(maps) - 1; n++) {
        p = tap_dup(maps, n);

        (void) ngx_media_flv_metadata(p, p + n, &meta);
        ngx_media_amf_iterate(&it, &meta.audio_tracks);

        do {
            rc = ngx_media_flv_track_next(&it, &track);
        } while (rc == NGX_OK);

        free(p);
    }

    ok(rc != NGX_OK, "maps, of any length");
}


/* the header of a file, and onMetaData */

static u_char *
put_head(u_char *p, double video, double audio)
{
    u_char  body[512], *q;

    memcpy(p, "FLV\1\5\0\0\0\11\0\0\0", 13);

    memcpy(body, "\2\0\12onMetaData\10\0\0\0\7", 18);
    q = put_number(body + 18, "width", 640);
    q = put_number(q, "height", 360);
    q = put_number(q, "framerate", 30);
    q = put_number(q, "videocodecid", video);
    q = put_number(q, "audiocodecid", audio);
    q = put_number(q, "audiosamplerate", 44100);
    q = put_number(q, "audiochannels", 2);
    memcpy(q, "\0\0\11", 3);

    return put_tag(p + 13, 18, 0, body, q + 3 - body);
}


static const struct {
    int          type;
    uint32_t     timestamp;
    int          kind;
    uint32_t     codec;
    int          key;
    int          cts;
} enhanced_tags[] = {
    { NGX_MEDIA_VIDEO, 0, NGX_MEDIA_FLV_EMPTY, AV1, 1, 0 },
    { NGX_MEDIA_AUDIO, 0, NGX_MEDIA_FLV_CONFIG, OPUS, 1, 0 },
    { NGX_MEDIA_AUDIO, 0, NGX_MEDIA_FLV_METADATA, OPUS, 1, 0 },
    { NGX_MEDIA_AUDIO, 0, NGX_MEDIA_FLV_FRAME, OPUS, 1, 0 },
    { NGX_MEDIA_VIDEO, 7, NGX_MEDIA_FLV_CONFIG, AV1, 1, 0 },
    { NGX_MEDIA_VIDEO, 7, NGX_MEDIA_FLV_METADATA, AV1, 0, 0 },
    { NGX_MEDIA_VIDEO, 7, NGX_MEDIA_FLV_FRAME, AV1, 1, 0 },
    { NGX_MEDIA_AUDIO, 21, NGX_MEDIA_FLV_FRAME, OPUS, 1, 0 },
    { NGX_MEDIA_VIDEO, 40, NGX_MEDIA_FLV_FRAME, AV1, 1, 0 },
    { NGX_MEDIA_AUDIO, 41, NGX_MEDIA_FLV_FRAME, OPUS, 1, 0 },
    { NGX_MEDIA_AUDIO, 61, NGX_MEDIA_FLV_FRAME, OPUS, 1, 0 },
    { NGX_MEDIA_VIDEO, 74, NGX_MEDIA_FLV_FRAME, AV1, 0, 0 },
    { NGX_MEDIA_AUDIO, 81, NGX_MEDIA_FLV_FRAME, OPUS, 1, 0 }
};


static u_char *
put_enhanced(u_char *p)
{
    u_char      body[64];
    size_t      i, n;

    static const struct {
        int          type;
        uint32_t     timestamp;
        const char  *head;
        size_t       payload;
    } tags[] = {
        { 9, 0, "\x90" "av01", 0 },
        { 8, 0, "\x90" "OpusOpusHead\1\2\x38\1\x80\xbb", 5 },
        { 8, 0, "\x94" "Opus\1\2", 4 },
        { 8, 0, "\x91" "Opus\xfc", 30 },
        { 9, 7, "\x90" "av01\x81\1\x0c", 15 },
        { 9, 7, "\xd4" "av01\2", 9 },
        { 9, 7, "\x91" "av01\x12", 40 },
        { 8, 21, "\x91" "Opus\xfc", 41 },
        { 9, 40, "\x91" "av01\x12", 42 },
        { 8, 41, "\x91" "Opus\xfc", 43 },
        { 8, 61, "\x91" "Opus\xfc", 44 },
        { 9, 74, "\xa1" "av01\x12", 45 },
        { 8, 81, "\x91" "Opus\xfc", 46 },
    };

    p = put_head(p, AV1, OPUS);

    for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        n = strlen(tags[i].head);
        memcpy(body, tags[i].head, n);
        memset(body + n, 0, tags[i].payload);

        p = put_tag(p, tags[i].type, tags[i].timestamp, body,
                    n + tags[i].payload);
    }

    return p;
}


static void
check_enhanced(const char *name, u_char *p, size_t len)
{
    int                        audio, n, rc;
    ngx_media_flv_tag_t        tag;
    ngx_media_flv_tags_t       tags;
    ngx_media_flv_packet_t     packet;
    ngx_media_flv_iterator_t   it;
    ngx_media_flv_metadata_t   meta;

    ngx_media_flv_tags(&tags, p + 13, p + len, 0);

    is(ngx_media_flv_tag(&tags, &tag), NGX_OK, "%s, metadata", name);
    is(ngx_media_flv_metadata(tag.body.pos, tag.body.last, &meta), NGX_OK,
       "%s, onMetaData", name);
    is_hex(meta.video_codec, AV1, "%s, video codec", name);
    is_hex(meta.audio_codec, OPUS, "%s, audio codec", name);
    ok(meta.width && meta.height && meta.fps, "%s, %u x %u, %u", name,
       meta.width, meta.height, meta.fps);

    for (n = 0; n < 13; n++) {
        rc = ngx_media_flv_tag(&tags, &tag);

        if (rc != NGX_OK) {
            break;
        }

        audio = (tag.type == 8);
        rc = audio ? ngx_media_flv_audio(&it, tag.body.pos, tag.body.last)
                   : ngx_media_flv_video(&it, tag.body.pos, tag.body.last);

        if (rc == NGX_OK) {
            rc = ngx_media_flv_next(&it, &packet);
        }

        ok(rc == NGX_OK && tag.timestamp == enhanced_tags[n].timestamp
           && (int) packet.type == enhanced_tags[n].type
           && (int) packet.kind == enhanced_tags[n].kind
           && packet.codec == enhanced_tags[n].codec
           && packet.key == (unsigned) enhanced_tags[n].key
           && packet.cts == enhanced_tags[n].cts, "%s, tag %d", name, n);
    }

    is(n, 13, "%s, tags", name);
}


static u_char *
put_legacy(u_char *p)
{
    int  i;

    p = put_head(p, 7, 10);
    p = put_tag(p, 9, 0, "\x17\0\0\0\0\1\x64\0\x34\xff\xe1\0\4gabc\1\0\2hx",
                20);
    p = put_tag(p, 8, 0, "\xaf\0\x12\x10", 4);
    p = put_tag(p, 9, 0, "\x17\1\0\0\x43\0\0\0\2ex", 11);

    for (i = 1; i < 7; i++) {
        p = put_tag(p, 8, i * 23, "\xaf\1\x21\x10\5", 5);
        p = put_tag(p, 9, i * 33, "\x27\1\0\0\x22\0\0\0\2ax", 11);
    }

    return put_tag(p, 9, 200, "\x17\2\0\0\0", 5);
}


static void
check_legacy(const char *name, u_char *p, size_t len, int all)
{
    int                        frames, config, rc;
    ngx_media_flv_tag_t        tag;
    ngx_media_flv_tags_t       tags;
    ngx_media_flv_packet_t     packet;
    ngx_media_flv_iterator_t   it;
    ngx_media_flv_metadata_t   meta;

    ngx_media_flv_tags(&tags, p + 13, p + len, 0);

    frames = 0;
    config = 0;

    for ( ;; ) {
        rc = ngx_media_flv_tag(&tags, &tag);

        if (rc != NGX_OK) {
            break;
        }

        if (tag.type == 18) {
            is(ngx_media_flv_metadata(tag.body.pos, tag.body.last, &meta),
               NGX_OK, "%s, onMetaData", name);
            ok(meta.video_codec == NGX_MEDIA_CODEC_H264
               && meta.audio_codec == NGX_MEDIA_CODEC_AAC
               && meta.has_video && meta.has_audio && meta.width
               && meta.sample_rate && meta.channels,
               "%s, %u x %u, %u, %u Hz, %u channels", name, meta.width,
               meta.height, meta.fps, meta.sample_rate, meta.channels);
            continue;
        }

        rc = (tag.type == 8)
             ? ngx_media_flv_audio(&it, tag.body.pos, tag.body.last)
             : ngx_media_flv_video(&it, tag.body.pos, tag.body.last);

        if (rc != NGX_OK || ngx_media_flv_next(&it, &packet) != NGX_OK) {
            break;
        }

        config += (packet.kind == NGX_MEDIA_FLV_CONFIG);
        frames += (packet.kind == NGX_MEDIA_FLV_FRAME);
    }

    is(rc, NGX_DONE, "%s, to its end", name);
    is(config, 2, "%s, configurations", name);
    is(frames, all, "%s, frames", name);
}


static void
test_files(void)
{
    size_t   len;
    u_char  *p, *q;

    p = malloc(65536);
    q = put_enhanced(p);
    check_enhanced("enhanced file", p, q - p);

    q = put_legacy(p);
    check_legacy("legacy file", p, q - p, 13);
    free(p);

    len = slurp(SHARED "enhanced-mptestsrc.flv", &p);

    if (len > 13) {
        check_enhanced("enhanced-mptestsrc.flv", p, len);
    }

    free(p);
    len = slurp(SHARED "sample.flv", &p);

    if (len > 13) {
        check_legacy("sample.flv", p, len, 75);
    }

    free(p);

    printf("# files in " SHARED ": %s\n", len ? "read" : "not there");
}


int
main(void)
{
    test_singles();
    test_names();
    test_malformed();
    test_tracks();
    test_all();
    test_metadata();
    test_track_maps();
    test_tags();
    test_files();

    return done();
}
