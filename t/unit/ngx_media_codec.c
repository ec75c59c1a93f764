
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_write.c formats/ngx_media_text.c
         formats/ngx_media_ts_es.c */


/*
 * All codecs through all that asks the table: one that was forgotten somewhere
 * is noticed here.
 */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv_fields.h"
#include "formats/ngx_media_flv_write.h"
#include "formats/ngx_media_ts_es.h"
#include "media_hex.h"


/* names of it in containers that others have, too */

static ngx_uint_t
shared(const ngx_media_codec_t *codec)
{
    ngx_uint_t                i, k, n, shared;
    const ngx_media_codec_t  *other;

    shared = 0;

    for (i = 0; (other = ngx_media_codec_entry(i)) != NULL; i++) {

        if (other == codec) {
            continue;
        }

        shared += (other->id == codec->id);
        shared += (other->name.len == codec->name.len
                   && memcmp(other->name.data, codec->name.data,
                             codec->name.len) == 0);

        for (k = 0; k < NGX_MEDIA_MP4_ENTRIES; k++) {
            for (n = 0; n < NGX_MEDIA_MP4_ENTRIES; n++) {
                shared += (codec->mp4.entries[k]
                           && codec->mp4.entries[k] == other->mp4.entries[n]);
                shared += (codec->mp4.objects[k]
                           && codec->mp4.objects[k] == other->mp4.objects[n]);
            }
        }

        if (other->type == codec->type && codec->flv.codec_id) {
            shared += (codec->flv.codec_id == other->flv.codec_id
                       || codec->flv.codec_id == other->flv.alias);
        }
    }

    return shared;
}


static void
test_entry(const ngx_media_codec_t *codec, const char *name)
{
    u_char              bytes[NGX_MEDIA_SILENCE_MAX];
    ngx_int_t           rc;
    ngx_uint_t          live, n;
    ngx_media_params_t  params;

    live = (codec->flags & NGX_MEDIA_IS_LIVE) != 0;

    ok(ngx_media_codec_find(codec->id) == codec, "%s is found", name);
    ok(ngx_media_codec_find_live(codec->id) == (live ? codec : NULL),
       "%s: of publishers, too, where they may send it", name);
    is(shared(codec), 0, "%s has names of its own", name);
    ok(codec->name.len != 0 && codec->type <= NGX_MEDIA_TEXT,
       "%s has a name and a type", name);
    ok(codec->config && codec->frame && codec->string && codec->entry,
       "%s does what all do", name);
    ok((codec->silence != NULL) == (codec->type == NGX_MEDIA_AUDIO),
       "%s: silence is of audio", name);
    ok(codec->type == NGX_MEDIA_VIDEO || codec->still == NULL,
       "%s: a still frame is of video", name);
    ok(codec->type == NGX_MEDIA_AUDIO
       || (codec->samples == NULL && codec->assume == NULL
           && codec->size == NULL
           && (codec->flags & ~NGX_MEDIA_IS_LIVE) == 0),
       "%s: what is of audio", name);

    memset(bytes, 0, sizeof(bytes));

    is(codec->config(&params, bytes, bytes), NGX_ERROR, "%s: no config", name);

    if (codec->learn) {
        ok(codec->learn(&params, bytes, bytes) != NGX_OK
           && codec->learn(&params, bytes, bytes + sizeof(bytes)) != NGX_OK,
           "%s: there is nothing to learn", name);
    }

    if (codec->size) {
        is(codec->size(bytes, bytes), 0, "%s: nothing has no size", name);
    }

    if (codec->samples) {
        is(codec->samples(bytes, bytes), 0, "%s: nor does it last", name);
    }

    if (codec->assume) {
        is(codec->assume(&params, 48000, 2), NGX_OK, "%s is assumed", name);
        is(params.codec, codec->id, "%s it is", name);
        is(codec->assume(&params, 1, 2), NGX_DECLINED, "%s of no rate", name);

        for (n = 1; n <= 9; n++) {
            rc = codec->assume(&params, 48000, n);
            ok(rc == NGX_DECLINED
               || (rc == NGX_OK && params.channels
                   && params.channels <= n),
               "%s of %d channels", name, (int) n);
        }
    }
}


static void
test_containers(const ngx_media_codec_t *codec, const char *name)
{
    ngx_int_t           rc;
    ngx_uint_t          framed, live;
    ngx_media_ts_es_t   es;
    ngx_media_params_t  params;

    framed = (codec->units == NGX_MEDIA_UNITS_AVC
              || codec->units == NGX_MEDIA_UNITS_HEVC
              || codec->units == NGX_MEDIA_UNITS_AAC);
    live = (codec->flags & NGX_MEDIA_IS_LIVE) != 0;

    memset(&params, 0, sizeof(params));
    params.codec = codec->id;
    params.type = codec->type;
    params.timescale = 48000;
    params.sample_rate = 48000;
    params.nal_length = 4;

    /* manifests */

    ok((codec->formats & ~NGX_MEDIA_IN_ALL) == 0,
       "%s is in a manifest, or in none", name);
    ok(codec->formats != 0 || (live && codec->ts.stream_type),
       "%s is carried to somebody", name);

    /* MP4: a name, and a way to parameters */

    ok(codec->mp4.entries[0] || codec->mp4.objects[0] || !codec->formats,
       "%s is in MP4", name);
    ok(codec->mp4.record || codec->mp4.objects[0] || !codec->formats,
       "%s has a record", name);
    ok(codec->mp4.objects[0] == 0 || codec->mp4.record == 0,
       "%s: but one", name);
    ok(codec->mp4.dovi == NULL || codec->type == NGX_MEDIA_VIDEO,
       "%s: Dolby Vision is of video", name);

    /* MPEG-TS: what is listed is carried, text is not */

    ok(codec->ts.stream_type != 0 || codec->type == NGX_MEDIA_TEXT
       || (codec->formats & NGX_MEDIA_IN_HLS_TS) == 0,
       "%s is in MPEG-TS, or not", name);
    is(codec->ts.form == NGX_MEDIA_TS_NAL,
       codec->ts.stream_type != 0
       && (codec->units == NGX_MEDIA_UNITS_AVC
           || codec->units == NGX_MEDIA_UNITS_HEVC), "%s: NAL units", name);

    if (codec->ts.config) {
        params.channels = 2;
        params.config_len = codec->ts.config(params.config, 2);
    }

    rc = ngx_media_ts_es_init(&es, &params);

    if (codec->ts.stream_type && codec->units != NGX_MEDIA_UNITS_AAC) {
        is(rc, NGX_OK, "%s: an elementary stream", name);
        is(es.stream_type, codec->ts.stream_type, "%s: its type", name);
        is(es.units, codec->units, "%s: its units", name);
        is(es.prefix_len != 0, framed, "%s: its prefix", name);
        is(ngx_media_ts_es_info(NULL, &es),
           (es.registration ? 6 : 0) + (es.code ? 4 : 0),
           "%s: its descriptor", name);

        params.sample_rate = 24000;
        (void) ngx_media_ts_es_init(&es, &params);

        is(es.stream_type, codec->ts.half_type ? codec->ts.half_type
                                               : codec->ts.stream_type,
           "%s: its type at half the rate", name);

    } else {
        is(rc, NGX_DECLINED, "%s: no elementary stream", name);
    }

    /* RTMP: what publishers may send is named, or is text */

    ok(codec->flv.fourcc == 0 || codec->flv.fourcc == codec->id,
       "%s is called that", name);
    ok(codec->flv.fourcc || !live || codec->type == NGX_MEDIA_TEXT
       || codec->ts.stream_type, "%s can be published", name);
    is(ngx_media_flv_carries(codec->id), codec->flv.fourcc != 0,
       "%s is carried, or not", name);
    ok(ngx_media_flv_find(codec->type, codec->id, 0)
       == (codec->flv.fourcc ? &codec->flv : NULL), "%s: by fourcc", name);

    if (codec->flv.codec_id) {
        ok(ngx_media_flv_find(codec->type, 0, codec->flv.codec_id)
           == &codec->flv, "%s: by number", name);
    }

    if (codec->flv.alias) {
        ok(ngx_media_flv_find(codec->type, 0, codec->flv.alias)
           == &codec->flv, "%s: by the other number", name);
    }

    ok(!live || codec->flv.fourcc == 0 || codec->flv.start || codec->learn,
       "%s: its parameters come", name);

    params.config_len = 0;
    is(ngx_media_flv_write_config(NULL, &params), 0,
       "%s: none are written where there are none", name);
}


/* how a codec is written in MPEG-TS whose descriptor says its channels */

static void
test_control(void)
{
    u_char                    bytes[NGX_MEDIA_TS_PREFIX_MAX + 1000], *p;
    size_t                    i, n, len;
    ngx_uint_t                code;
    ngx_media_span_t          data;
    ngx_media_ts_es_t         es;
    ngx_media_params_t        params;
    const ngx_media_codec_t  *codec;
    ngx_media_codec_piece_t   piece;

    static const size_t  sizes[] = { 1, 254, 255, 256, 700, 1000 };

    codec = ngx_media_codec_find(NGX_MEDIA_CODEC_OPUS);

    for (code = 0; code < 12; code++) {
        n = codec->ts.config(bytes, code);

        is(n, code == 0 || code > 8 ? 0 : code > 2 ? 13 + code : 11,
           "channels %d: a configuration", (int) code);

        if (n) {
            is(codec->config(&params, bytes, bytes + n), NGX_OK, "it is one");
            is(params.channels, code, "its channels");
            is(codec->ts.code(&params), code, "and its code again");
        }
    }

    n = codec->ts.config(bytes, 6);
    bytes[n - 1] = 4;
    (void) codec->config(&params, bytes, bytes + n);
    is(codec->ts.code(&params), 0, "another map has none");
    is(ngx_media_ts_es_init(&es, &params), NGX_DECLINED, "is not carried");

    n = codec->ts.config(bytes, 6);
    (void) codec->config(&params, bytes, bytes + n);
    is(ngx_media_ts_es_init(&es, &params), NGX_OK, "six channels");
    is(es.stream_type, 6, "private data");

    p = media_hex("05044f7075737f028006", &len);
    n = ngx_media_ts_es_info(NULL, &es);
    is(ngx_media_ts_es_info(bytes, &es), n, "descriptors");
    is_mem(bytes, n, p, len, "their bytes");
    free(p);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(bytes, 0xee, sizeof(bytes));
        n = ngx_media_ts_es_prefix(NULL, &es, sizes[i]);
        is(ngx_media_ts_es_prefix(bytes, &es, sizes[i]), n, "control header");

        data.pos = bytes;
        data.last = bytes + n + sizes[i];

        is(codec->ts.next(&data, &piece), NGX_OK, "is read");
        ok(piece.frame.pos == bytes + n
           && ngx_media_span_len(&piece.frame) == sizes[i]
           && data.pos == data.last, "with the frame behind it");
    }

    n = ngx_media_ts_es_max(&es);
    ok(ngx_media_ts_es_prefix(NULL, &es, n) <= NGX_MEDIA_TS_PREFIX_MAX,
       "the longest one has a place");
}


/* a control header of Opus in MPEG-TS before each packet */

static const struct {
    const char  *name;
    const char  *bytes;
    ngx_int_t    rc;
    const char  *frame;
    unsigned     left;
} pieces[] = {
    { "bare", "7fe003aabbcc7fe0", NGX_OK, "aabbcc", 2 },
    { "trims", "7ff8020138a03caabb", NGX_OK, "aabb", 0 },
    { "trimmed at its end", "7fe80163c0aa", NGX_OK, "aa", 0 },
    { "extension", "7fe40102ffffaa", NGX_OK, "aa", 0 },
    { "empty", "7fe000", NGX_OK, "", 0 },
    { "no header", "f8fffe", NGX_ERROR, NULL, 0 },
    { "half a header", "7f", NGX_AGAIN, NULL, 0 },
    { "no size", "7fe0ff", NGX_AGAIN, NULL, 0 },
    { "half a frame", "7fe003aabb", NGX_AGAIN, NULL, 0 }
};


static void
test_pieces(void)
{
    size_t                    i, len, n;
    u_char                   *bytes, *frame;
    ngx_int_t                 rc;
    ngx_media_span_t          data;
    ngx_media_codec_piece_t   piece;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(NGX_MEDIA_CODEC_OPUS);

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        bytes = media_hex(pieces[i].bytes, &len);

        data.pos = bytes;
        data.last = bytes + len;

        rc = codec->ts.next(&data, &piece);
        is(rc, pieces[i].rc, "opus in MPEG-TS, %s", pieces[i].name);

        if (rc == NGX_OK && pieces[i].frame != NULL) {
            frame = media_hex(pieces[i].frame, &n);

            is_mem(piece.frame.pos, ngx_media_span_len(&piece.frame), frame,
                   n, "%s: frame", pieces[i].name);
            is(ngx_media_span_len(&data), pieces[i].left, "%s: left",
               pieces[i].name);

            free(frame);
        }

        free(bytes);
    }
}


int
main(void)
{
    char                      name[32];
    uint32_t                  i;
    const ngx_media_codec_t  *codec;

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        (void) snprintf(name, sizeof(name), "%.*s", (int) codec->name.len,
                        codec->name.data);

        test_entry(codec, name);
        test_containers(codec, name);
    }

    test_pieces();
    test_control();

    ok(i >= 12, "all are there");
    ok(i <= 32, "and bits of 32 for them");

    ok(ngx_media_codec_entry(i + 1) == NULL, "beyond");
    ok(ngx_media_codec_entry((ngx_uint_t) -1) == NULL, "far beyond");
    ok(ngx_media_codec_find(0) == NULL, "unknown");
    ok(ngx_media_codec_find(NGX_MEDIA_CODEC_TX3G) == NULL
       && ngx_media_codec_find(NGX_MEDIA_CODEC_STPP) == NULL,
       "text of files that is made WebVTT, or left out");
    ok(ngx_media_flv_find(NGX_MEDIA_VIDEO, 0, 0) == NULL
       && ngx_media_flv_find(NGX_MEDIA_AUDIO, 0, 0) == NULL, "nor in FLV");

    return done();
}
