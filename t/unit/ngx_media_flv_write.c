
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_write.c formats/ngx_media_rtmp_chunk.c
         formats/ngx_media_text.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_write.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"
#include "media_hex.h"


#define FRAME  "the frame"

#define DOPS_6  "0006013800005dc0fff4" "01" "0402" "000401020305"
#define HEAD_6  "4f70757348656164" "0106" "3801" "c05d0000" "f4ff" "01"       \
                "0402" "000401020305"

#define INFO    "1000100000000e0010f80ac442f0000000000000"                    \
                "0000000000000000000000000000"


/* what is written of a codec; NULL: nothing */

static const struct {
    const char  *name;
    uint32_t     codec;
    uint32_t     type;
    uint32_t     rate;
    uint32_t     channels;
    const char  *config;                      /* of params */
    int          enhanced;
    const char  *start;                       /* what is written of it */
    const char  *key;                         /* a key frame, cts 0 */
    const char  *inter;                       /* another one, cts 67 */
    const char  *end;
} codecs[] = {
    { "H.264", NGX_MEDIA_CODEC_H264, NGX_MEDIA_VIDEO, 0, 0, "0164001f", 0,
      "1700000000" "0164001f", "1701000000", "2701000043", "1702000000" },
    { "H.265", NGX_MEDIA_CODEC_H265, NGX_MEDIA_VIDEO, 0, 0, "01016000", 1,
      "9068766331" "01016000", "9368766331", "a168766331000043",
      "9268766331" },
    { "AV1", NGX_MEDIA_CODEC_AV1, NGX_MEDIA_VIDEO, 0, 0, "81050c00", 1,
      "9061763031" "81050c00", "9161763031", "a161763031", "9261763031" },
    { "VP9", NGX_MEDIA_CODEC_VP9, NGX_MEDIA_VIDEO, 0, 0,
      "01000000001e800202020000", 1,
      "9076703039" "01000000001e800202020000", "9176703039", "a176703039",
      "9276703039" },
    { "VP8", NGX_MEDIA_CODEC_VP8, NGX_MEDIA_VIDEO, 0, 0,
      "01000000000a800202020000", 1,
      "9076703038" "01000000000a800202020000", "9176703038", "a176703038",
      "9276703038" },
    { "AAC", NGX_MEDIA_CODEC_AAC, NGX_MEDIA_AUDIO, 48000, 2, "1190", 0,
      "af00" "1190", "af01", "af01", NULL },
    { "AAC, mono, 22 kHz", NGX_MEDIA_CODEC_AAC, NGX_MEDIA_AUDIO, 22050, 1,
      "1388", 0, "af00" "1388", "af01", "af01", NULL },
    { "MP3", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 44100, 2, "fffa0000", 0,
      NULL, "2f", "2f", NULL },
    { "MP3, mono, 48 kHz", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 48000, 1,
      "fffa04c0", 0, NULL, "2e", "2e", NULL },
    { "MP3, 32 kHz", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 32000, 2,
      "fffa0800", 0, NULL, "2f", "2f", NULL },
    { "MP3, 24 kHz", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 24000, 2,
      "fff20400", 0, NULL, "2b", "2b", NULL },
    { "MP3, 16 kHz", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 16000, 2,
      "fff20800", 0, NULL, "2b", "2b", NULL },
    { "MP3, 11 kHz", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 11025, 2,
      "ffe20000", 0, NULL, "27", "27", NULL },
    { "MP3, mono, 8 kHz", NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 8000, 1,
      "ffe208c0", 0, NULL, "26", "26", NULL },
    { "Opus", NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_AUDIO, 48000, 2,
      "000201380000bb80000000", 1,
      "904f707573" "4f70757348656164" "0102380180bb0000000000",
      "914f707573", "914f707573", "924f707573" },
    { "Opus, 5.1", NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_AUDIO, 48000, 6, DOPS_6, 1,
      "904f707573" HEAD_6, "914f707573", "914f707573", "924f707573" },
    { "Opus without a record", NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_AUDIO, 48000,
      2, "000201380000bb800000", 1, NULL, "914f707573", "914f707573",
      "924f707573" },
    { "FLAC", NGX_MEDIA_CODEC_FLAC, NGX_MEDIA_AUDIO, 44100, 2,
      "0000000080000022" INFO, 1,
      "90664c6143" "664c6143" "80000022" INFO, "91664c6143", "91664c6143",
      "92664c6143" },
    { "FLAC without a record", NGX_MEDIA_CODEC_FLAC, NGX_MEDIA_AUDIO, 44100,
      2, "00000000", 1, NULL, "91664c6143", "91664c6143", "92664c6143" },
    { "AC-3", NGX_MEDIA_CODEC_AC3, NGX_MEDIA_AUDIO, 48000, 6, "0c3dc0", 1,
      NULL, "9161632d33", "9161632d33", "9261632d33" },
    { "E-AC-3", NGX_MEDIA_CODEC_EAC3, NGX_MEDIA_AUDIO, 48000, 6,
      "1f40200f00", 1, NULL, "9165632d33", "9165632d33", "9265632d33" },
    { "H.264 without a record", NGX_MEDIA_CODEC_H264, NGX_MEDIA_VIDEO, 0, 0,
      "", 0, NULL, "1701000000", "2701000043", "1702000000" }
};


static void
params_of(ngx_media_params_t *params, uint32_t codec, uint32_t type,
    const char *config)
{
    u_char  *p;
    size_t   len;

    memset(params, 0, sizeof(ngx_media_params_t));

    p = media_hex(config, &len);

    params->codec = codec;
    params->type = type;
    params->config_len = len;
    memcpy(params->config, p, len);
    free(p);
}


/* one packet of a body, by the reader */

static int
packet_of(ngx_media_flv_packet_t *packet, uint32_t type, const u_char *pos,
    const u_char *last)
{
    ngx_media_flv_packet_t    more;
    ngx_media_flv_iterator_t  it;

    return (type == NGX_MEDIA_VIDEO ? ngx_media_flv_video(&it, pos, last)
                                    : ngx_media_flv_audio(&it, pos, last))
           == NGX_OK
           && ngx_media_flv_next(&it, packet) == NGX_OK
           && ngx_media_flv_next(&it, &more) == NGX_DONE;
}


/* both passes of a writer, call of p_, which leave p of n bytes */

#define passes(p, n, name, call)                                              \
    do {                                                                      \
        size_t   n_;                                                          \
        u_char  *p_ = NULL;                                                   \
        n_ = call;                                                            \
        p = p_ = malloc(n_ + 1);                                              \
        p_[n_] = 0xa5;                                                        \
        n = call;                                                             \
        ok(n == n_ && p_[n_] == 0xa5, "%s: size pass, write pass", name);     \
    } while (0)


static void
is_bytes(const u_char *p, size_t n, const char *hex, const char *name)
{
    u_char  *q;
    size_t   len;

    q = media_hex(hex ? hex : "", &len);
    is_mem(p, n, q, len, "%s", name);
    free(q);
}


static void
test_frame(const ngx_media_params_t *params, const char *hex, int key,
    int cts, int wanted, const char *name)
{
    size_t                   n;
    u_char                  *p, *q;
    ngx_media_flv_packet_t   packet;

    passes(p, n, name, ngx_media_flv_write_head(p_, params, key, cts));

    if (hex) {
        is_bytes(p, n, hex, name);
    }

    ok(n <= NGX_MEDIA_FLV_HEAD_MAX, "%s: a short head", name);

    q = malloc(n + sizeof(FRAME) - 1);
    memcpy(q, p, n);
    memcpy(q + n, FRAME, sizeof(FRAME) - 1);

    ok(packet_of(&packet, params->type, q, q + n + sizeof(FRAME) - 1)
       && packet.kind == NGX_MEDIA_FLV_FRAME && packet.codec == params->codec
       && packet.track == 0 && packet.cts == wanted
       && packet.key == (unsigned) (params->type == NGX_MEDIA_AUDIO || key)
       && packet.enhanced
          == (unsigned) ngx_media_flv_enhances(params->codec),
       "%s: read again", name);
    is_text(packet.body.pos, ngx_media_span_len(&packet.body), FRAME,
            "%s: the frame", name);

    /* nothing of a frame is a message, too */

    ok(packet_of(&packet, params->type, q, q + n)
       && packet.kind == NGX_MEDIA_FLV_EMPTY, "%s: empty", name);

    free(p);
    free(q);
}


static void
test_codecs(void)
{
    int                      cts;
    size_t                   i, n;
    u_char                  *p;
    const char              *name;
    ngx_media_params_t       params;
    ngx_media_flv_packet_t   packet;

    for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        name = codecs[i].name;

        params_of(&params, codecs[i].codec, codecs[i].type, codecs[i].config);
        params.sample_rate = codecs[i].rate;
        params.channels = codecs[i].channels;

        ok(ngx_media_flv_carries(params.codec), "%s: carried", name);
        is(ngx_media_flv_enhances(params.codec), codecs[i].enhanced,
           "%s: enhanced", name);

        passes(p, n, name, ngx_media_flv_write_config(p_, &params));
        is_bytes(p, n, codecs[i].start, name);

        if (n) {
            ok(packet_of(&packet, params.type, p, p + n)
               && packet.kind == NGX_MEDIA_FLV_CONFIG
               && packet.codec == params.codec && packet.key,
               "%s: configuration, read again", name);
        }

        free(p);

        cts = (params.codec == NGX_MEDIA_CODEC_H264
               || params.codec == NGX_MEDIA_CODEC_H265) ? 67 : 0;

        test_frame(&params, codecs[i].key, 1, 0, 0, name);
        test_frame(&params, codecs[i].inter, 0, 67, cts, name);

        passes(p, n, name, ngx_media_flv_write_end(p_, &params));
        is_bytes(p, n, codecs[i].end, name);

        if (n) {
            ok(packet_of(&packet, params.type, p, p + n)
               && packet.kind == NGX_MEDIA_FLV_END, "%s: end, read again",
               name);
        }

        free(p);
    }
}


/* NGX_MEDIA_CODEC_* that have no place in FLV, and what is none */

static void
test_others(void)
{
    size_t              i;
    ngx_media_params_t  params;

    static const uint32_t  others[] = {
        NGX_MEDIA_CODEC_WVTT, NGX_MEDIA_CODEC_TX3G, NGX_MEDIA_CODEC_STPP,
        ngx_media_fourcc('x', 'x', 'x', 'x'), 7, 10, 0
    };

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        params_of(&params, others[i], NGX_MEDIA_VIDEO, "00");

        ok(!ngx_media_flv_carries(others[i])
           && !ngx_media_flv_enhances(others[i])
           && ngx_media_flv_write_config(NULL, &params) == 0
           && ngx_media_flv_write_head(NULL, &params, 1, 0) == 0
           && ngx_media_flv_write_end(NULL, &params) == 0,
           "%08x is not carried", others[i]);
    }
}


/* composition times have 24 bits and a sign */

static void
test_cts(void)
{
    size_t              i, j;
    ngx_media_params_t  params;

    static const struct {
        int32_t      cts;
        int32_t      wanted;
        const char  *hex[2];                  /* H.264, H.265 */
    } times[] = {
        { 1, 1, { "1701000001", "9168766331000001" } },
        { -1, -1, { "1701ffffff", "9168766331ffffff" } },
        { -40, -40, { "1701ffffd8", "9168766331ffffd8" } },
        { 8388607, 8388607, { "17017fffff", "91687663317fffff" } },
        { 8388608, 8388607, { "17017fffff", "91687663317fffff" } },
        { 2147483647, 8388607, { "17017fffff", "91687663317fffff" } },
        { -8388608, -8388608, { "1701800000", "9168766331800000" } },
        { -8388609, -8388608, { "1701800000", "9168766331800000" } },
        { -2147483647 - 1, -8388608, { "1701800000", "9168766331800000" } }
    };

    static const uint32_t  both[] = { NGX_MEDIA_CODEC_H264,
                                      NGX_MEDIA_CODEC_H265 };

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        for (j = 0; j < 2; j++) {
            params_of(&params, both[j], NGX_MEDIA_VIDEO, "");
            test_frame(&params, times[i].hex[j], 1, times[i].cts,
                       times[i].wanted, "composition time");
        }
    }
}


static void
test_metadata(void)
{
    size_t                     n;
    u_char                    *p;
    ngx_str_t                  encoder;
    ngx_media_params_t         audio, video;
    ngx_media_flv_metadata_t   meta;

    static ngx_str_t  none = ngx_null_string;

    params_of(&video, NGX_MEDIA_CODEC_H264, NGX_MEDIA_VIDEO, "");
    video.width = 1280;
    video.height = 720;
    video.fps_num = 30000;
    video.fps_den = 1001;

    params_of(&audio, NGX_MEDIA_CODEC_AAC, NGX_MEDIA_AUDIO, "");
    audio.sample_rate = 44100;
    audio.channels = 2;

    encoder.data = (u_char *) "nginx";
    encoder.len = 5;

    passes(p, n, "metadata",
           ngx_media_flv_write_metadata(p_, &video, &audio, &encoder));

    is(ngx_media_flv_metadata(p, p + n, &meta), NGX_OK, "metadata");
    ok(meta.width == 1280 && meta.height == 720 && meta.fps == 29970
       && meta.video_codec == NGX_MEDIA_CODEC_H264
       && meta.audio_codec == NGX_MEDIA_CODEC_AAC
       && meta.sample_rate == 44100 && meta.channels == 2
       && meta.has_video && meta.has_audio, "metadata, read again");
    is_text(meta.encoder.pos, ngx_media_span_len(&meta.encoder), "nginx",
            "metadata, encoder");
    free(p);

    /* a fourcc is a number; unknown values are left out */

    params_of(&video, NGX_MEDIA_CODEC_H265, NGX_MEDIA_VIDEO, "");
    params_of(&audio, NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_AUDIO, "");
    audio.channels = 1;

    passes(p, n, "enhanced metadata",
           ngx_media_flv_write_metadata(p_, &video, &audio, &none));
    is_mem(p, n, "\2\0\x0aonMetaData\x08\0\0\0\4"
           "\0\x0cvideocodecid\0\x41\xda\x1d\x98\xcc\x40\0\0"
           "\0\x0d" "audiochannels\0\x3f\xf0\0\0\0\0\0\0"
           "\0\6stereo\1\0"
           "\0\x0c" "audiocodecid\0\x41\xd3\xdc\x1d\x5c\xc0\0\0"
           "\0\0\x09", 101, "enhanced metadata, bytes");
    is(ngx_media_flv_metadata(p, p + n, &meta), NGX_OK, "enhanced metadata");
    ok(meta.video_codec == NGX_MEDIA_CODEC_H265
       && meta.audio_codec == NGX_MEDIA_CODEC_OPUS && meta.width == 0
       && meta.channels == 1, "enhanced metadata, read again");
    free(p);

    /* nothing is known; what is not carried is not announced */

    passes(p, n, "no metadata",
           ngx_media_flv_write_metadata(p_, NULL, NULL, NULL));
    is_mem(p, n, "\2\0\x0aonMetaData\x08\0\0\0\0\0\0\x09", 21,
           "no metadata, bytes");
    free(p);

    params_of(&video, NGX_MEDIA_CODEC_STPP, NGX_MEDIA_VIDEO, "");
    video.width = 1;
    video.height = 1;
    is(ngx_media_flv_write_metadata(NULL, &video, &video, NULL), 21,
       "metadata of what is not carried");
}


/* a file, and the same bodies as messages in chunks */

static void
test_file(void)
{
    size_t                 i, len, n;
    u_char                *p, *q;
    ngx_media_flv_tag_t    tag;
    ngx_media_flv_tags_t   tags;

    static const struct {
        uint32_t    type;
        uint32_t    timestamp;
        const char *body;
        const char *hex;                      /* of the tag's header */
    } bodies[] = {
        { NGX_MEDIA_RTMP_DATA, 0, "script", "12000006" "00000000" "000000" },
        { NGX_MEDIA_RTMP_VIDEO, 0, "", "09000000" "00000000" "000000" },
        { NGX_MEDIA_RTMP_AUDIO, 0xffffff, "a", "08000001" "ffffff00"
          "000000" },
        { NGX_MEDIA_RTMP_VIDEO, 0x1000000, "bc", "09000002" "00000001"
          "000000" },
        { NGX_MEDIA_RTMP_VIDEO, 0xfedcba98, "def", "09000003" "dcba98fe"
          "000000" }
    };

    p = q = malloc(1000);

    is(ngx_media_flv_write_start(NULL, 1, 1), NGX_MEDIA_FLV_START_SIZE,
       "start, size");
    is(ngx_media_flv_write_tag(NULL, 8, 5, 0), NGX_MEDIA_FLV_TAG_SIZE,
       "tag, size");
    is(ngx_media_flv_write_tail(NULL, 5), NGX_MEDIA_FLV_TAIL_SIZE,
       "tail, size");

    n = ngx_media_flv_write_start(p, 0, 0);
    is_mem(p, n, "FLV\1\0\0\0\0\x09\0\0\0\0", 13, "neither");
    n = ngx_media_flv_write_start(p, 1, 0);
    is_mem(p, n, "FLV\1\1\0\0\0\x09\0\0\0\0", 13, "video");
    n = ngx_media_flv_write_start(p, 0, 1);
    is_mem(p, n, "FLV\1\4\0\0\0\x09\0\0\0\0", 13, "audio");
    n = ngx_media_flv_write_start(p, 1, 1);
    is_mem(p, n, "FLV\1\5\0\0\0\x09\0\0\0\0", 13, "both");

    q += n;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        len = strlen(bodies[i].body);

        n = ngx_media_flv_write_tag(q, bodies[i].type, len,
                                    bodies[i].timestamp);
        is_bytes(q, n, bodies[i].hex, "tag");
        q = ngx_cpymem(q + n, bodies[i].body, len);

        n = ngx_media_flv_write_tail(q, len);
        ok(n == 4 && ngx_media_get_be32(q) == 11 + len, "tail");
        q += n;
    }

    ngx_media_flv_tags(&tags, p + NGX_MEDIA_FLV_START_SIZE, q, 0);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        is(ngx_media_flv_tag(&tags, &tag), NGX_OK, "tag, read again");
        ok(tag.type == bodies[i].type && tag.timestamp == bodies[i].timestamp,
           "its type and time");
        is_text(tag.body.pos, ngx_media_span_len(&tag.body), bodies[i].body,
                "its body");
    }

    is(ngx_media_flv_tag(&tags, &tag), NGX_DONE, "no more");

    /* the longest one there may be */

    (void) ngx_media_flv_write_tag(p, 9, NGX_MEDIA_FLV_BODY_MAX, 1);
    (void) ngx_media_flv_write_tail(p + 11, NGX_MEDIA_FLV_BODY_MAX);
    is_mem(p, 15, "\x09\xff\xff\xff\0\0\1\0\0\0\0\1\0\0\x0a", 15,
           "the longest body");
    free(p);
}


/* head and frame from two places, as a session sends them */

static void
test_message(void)
{
    size_t                          n;
    u_char                          head[NGX_MEDIA_FLV_HEAD_MAX], *p;
    ngx_int_t                       rc;
    const u_char                   *pos;
    ngx_media_span_t                spans[2];
    ngx_media_params_t              params;
    ngx_media_flv_packet_t          packet;
    ngx_media_rtmp_piece_t          piece;
    ngx_media_rtmp_reader_t         reader;
    ngx_media_rtmp_chunk_header_t   header;

    params_of(&params, NGX_MEDIA_CODEC_H265, NGX_MEDIA_VIDEO, "");

    spans[0].pos = head;
    spans[0].last = head + ngx_media_flv_write_head(head, &params, 0, -40);
    spans[1].pos = (u_char *) FRAME;
    spans[1].last = spans[1].pos + sizeof(FRAME) - 1;

    header.csid = 6;
    header.timestamp = 0x1234567;
    header.type = NGX_MEDIA_RTMP_VIDEO;
    header.stream = 1;

    passes(p, n, "message",
           ngx_media_rtmp_chunk_write_spans(p_, &header, spans, 2, 4096));

    ngx_media_rtmp_chunk_init(&reader, 1000);
    (void) ngx_media_rtmp_chunk_set_size(&reader, 4096);

    pos = p;
    rc = ngx_media_rtmp_chunk_read(&reader, &pos, p + n, &piece);

    ok(rc == NGX_OK && piece.first && piece.complete && pos == p + n
       && piece.cs->timestamp == 0x1234567, "message, read again");
    ok(packet_of(&packet, NGX_MEDIA_VIDEO, piece.payload.pos,
                 piece.payload.last)
       && packet.kind == NGX_MEDIA_FLV_FRAME && !packet.key
       && packet.cts == -40, "message, its packet");
    is_text(packet.body.pos, ngx_media_span_len(&packet.body), FRAME,
            "message, its frame");
    free(p);
}


int
main(void)
{
    test_codecs();
    test_others();
    test_cts();
    test_metadata();
    test_file();
    test_message();

    return done();
}
