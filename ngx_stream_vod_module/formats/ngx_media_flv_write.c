
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv_fields.h"
#include "formats/ngx_media_flv_write.h"


/* SoundRate, SoundSize and SoundType, E.4.2.1 */

#define NGX_MEDIA_FLV_44K        0x0c
#define NGX_MEDIA_FLV_22K        0x08
#define NGX_MEDIA_FLV_11K        0x04
#define NGX_MEDIA_FLV_16BIT      0x02
#define NGX_MEDIA_FLV_STEREO     0x01

/* TypeFlags of the file header, E.2 */

#define NGX_MEDIA_FLV_HAS_AUDIO  0x04
#define NGX_MEDIA_FLV_HAS_VIDEO  0x01

/* of onMetaData: those of video and those of audio */
#define NGX_MEDIA_FLV_VALUES     8


typedef struct {
    ngx_str_t                 name;
    double                    number;
    ngx_uint_t                flag;           /* it is a boolean */
} ngx_media_flv_value_t;


typedef struct {
    ngx_media_flv_value_t     elts[NGX_MEDIA_FLV_VALUES];
    uint32_t                  n;
} ngx_media_flv_values_t;


static size_t ngx_media_flv_record(u_char *p,
    const ngx_media_codec_t *codec, const ngx_media_params_t *params);
static const ngx_media_codec_t *ngx_media_flv_entry(uint32_t codec);
static ngx_uint_t ngx_media_flv_legacy(const ngx_media_codec_t *codec);
static size_t ngx_media_flv_header(u_char *p,
    const ngx_media_codec_t *codec, const ngx_media_params_t *params,
    ngx_uint_t frame_type, ngx_uint_t packet_type, int32_t cts);
static uint32_t ngx_media_flv_sound(const ngx_media_codec_t *codec,
    const ngx_media_params_t *params);
static void ngx_media_flv_video_values(ngx_media_flv_values_t *values,
    const ngx_media_params_t *params);
static void ngx_media_flv_audio_values(ngx_media_flv_values_t *values,
    const ngx_media_params_t *params);
static double ngx_media_flv_codec_number(const ngx_media_codec_t *codec);


#define ngx_media_flv_value(values, literal, value, boolean)                  \
    do {                                                                      \
        ngx_str_set(&(values)->elts[(values)->n].name, literal);              \
        (values)->elts[(values)->n].number = value;                           \
        (values)->elts[(values)->n++].flag = boolean;                         \
    } while (0)


ngx_uint_t
ngx_media_flv_carries(uint32_t codec)
{
    return ngx_media_flv_entry(codec) != NULL;
}


ngx_uint_t
ngx_media_flv_enhances(uint32_t codec)
{
    const ngx_media_codec_t  *entry;

    entry = ngx_media_flv_entry(codec);

    return entry != NULL && !ngx_media_flv_legacy(entry);
}


size_t
ngx_media_flv_write_config(u_char *p, const ngx_media_params_t *params)
{
    size_t                        n;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_flv_entry(params->codec);

    if (codec == NULL || ngx_media_flv_record(NULL, codec, params) == 0) {
        return 0;
    }

    n = ngx_media_flv_header(p, codec, params, NGX_MEDIA_FLV_KEY,
                             NGX_MEDIA_FLV_EX_START, 0);

    return n + ngx_media_flv_record((p == NULL) ? NULL : p + n, codec, params);
}


/*
 * The decoder configuration as FLV has it, 0 bytes: it has none.  That of VP8
 * and VP9 is the whole of vpcC, with its version and flags, as ffmpeg writes
 * it and the player of the authors of Enhanced RTMP wants it.
 */

static size_t
ngx_media_flv_record(u_char *p, const ngx_media_codec_t *codec,
    const ngx_media_params_t *params)
{
    if (!codec->flv.start) {
        return 0;
    }

    if (codec->flv.record) {
        return codec->flv.record(p, params);
    }

    if (p != NULL) {
        ngx_memcpy(p, params->config, params->config_len);
    }

    return params->config_len;
}


size_t
ngx_media_flv_write_head(u_char *p, const ngx_media_params_t *params,
    ngx_uint_t key, int32_t cts)
{
    ngx_uint_t                    packet_type;
    const ngx_media_codec_t  *codec;

    codec = ngx_media_flv_entry(params->codec);

    if (codec == NULL) {
        return 0;
    }

    packet_type = NGX_MEDIA_FLV_EX_CODED;

    if (codec->flv.cts && cts == 0 && !ngx_media_flv_legacy(codec)) {
        packet_type = NGX_MEDIA_FLV_EX_CODED_X;
    }

    cts = ngx_max(cts, NGX_MEDIA_FLV_CTS_MIN);
    cts = ngx_min(cts, NGX_MEDIA_FLV_CTS_MAX);

    return ngx_media_flv_header(p, codec, params,
                                key ? NGX_MEDIA_FLV_KEY : NGX_MEDIA_FLV_INTER,
                                packet_type, cts);
}


size_t
ngx_media_flv_write_end(u_char *p, const ngx_media_params_t *params)
{
    const ngx_media_codec_t  *codec;

    codec = ngx_media_flv_entry(params->codec);

    if (codec == NULL
        || (codec->type == NGX_MEDIA_AUDIO && ngx_media_flv_legacy(codec)))
    {
        return 0;
    }

    return ngx_media_flv_header(p, codec, params, NGX_MEDIA_FLV_KEY,
                                NGX_MEDIA_FLV_EX_END, 0);
}


static const ngx_media_codec_t *
ngx_media_flv_entry(uint32_t codec)
{
    const ngx_media_codec_t  *entry;

    entry = ngx_media_codec_find(codec);

    return (entry != NULL && entry->flv.fourcc) ? entry : NULL;
}


static ngx_uint_t
ngx_media_flv_legacy(const ngx_media_codec_t *codec)
{
    return codec->flv.codec_id != 0 && !codec->flv.unofficial;
}


/*
 * The headers of E.4.2.1, E.4.2.2, E.4.3.1 and E.4.3.2, ExAudioTagHeader and
 * ExVideoTagHeader: old packet types are those of Enhanced RTMP.
 */

static size_t
ngx_media_flv_header(u_char *p, const ngx_media_codec_t *codec,
    const ngx_media_params_t *params, ngx_uint_t frame_type,
    ngx_uint_t packet_type, int32_t cts)
{
    u_char      buf[NGX_MEDIA_FLV_HEAD_MAX], *last;
    ngx_uint_t  legacy;

    legacy = ngx_media_flv_legacy(codec);

    if (codec->type == NGX_MEDIA_VIDEO) {

        if (legacy) {
            last = ngx_media_put_8(buf, frame_type << 4 | codec->flv.codec_id);
            last = ngx_media_put_8(last, packet_type);

        } else {
            last = ngx_media_put_8(buf, NGX_MEDIA_FLV_EX_VIDEO
                                        | frame_type << 4 | packet_type);
            last = ngx_media_put_be32(last, codec->flv.fourcc);
        }

        /* AVC has it even where it means nothing */

        if (legacy
            || (codec->flv.cts && packet_type == NGX_MEDIA_FLV_EX_CODED))
        {
            last = ngx_media_put_be24(last, (uint32_t) cts);
        }

    } else if (legacy) {
        last = ngx_media_put_8(buf, codec->flv.codec_id << 4
                                    | ngx_media_flv_sound(codec, params));

        if (codec->flv.codec_id == NGX_MEDIA_FLV_AAC) {
            last = ngx_media_put_8(last, packet_type);
        }

    } else {
        last = ngx_media_put_8(buf, NGX_MEDIA_FLV_EX_AUDIO << 4 | packet_type);
        last = ngx_media_put_be32(last, codec->flv.fourcc);
    }

    if (p != NULL) {
        ngx_memcpy(p, buf, last - buf);
    }

    return last - buf;
}


/*
 * AAC has always the same, E.4.2.1.  Of MP3, whose rates are more than there
 * are names, the nearest: players read the frames.  So they do of 8 kHz, for
 * which there is a format of its own, which few of them know.
 */

static uint32_t
ngx_media_flv_sound(const ngx_media_codec_t *codec,
    const ngx_media_params_t *params)
{
    uint32_t  sound;

    if (codec->flv.codec_id == NGX_MEDIA_FLV_AAC) {
        return NGX_MEDIA_FLV_44K | NGX_MEDIA_FLV_16BIT | NGX_MEDIA_FLV_STEREO;
    }

    sound = NGX_MEDIA_FLV_16BIT;

    if (params->sample_rate >= 32000) {
        sound |= NGX_MEDIA_FLV_44K;

    } else if (params->sample_rate >= 16000) {
        sound |= NGX_MEDIA_FLV_22K;

    } else {
        sound |= NGX_MEDIA_FLV_11K;
    }

    if (params->channels > 1) {
        sound |= NGX_MEDIA_FLV_STEREO;
    }

    return sound;
}


size_t
ngx_media_flv_write_metadata(u_char *p, const ngx_media_params_t *video,
    const ngx_media_params_t *audio, const ngx_str_t *encoder)
{
    uint32_t                i, n;
    ngx_media_text_t        text;
    ngx_media_flv_value_t  *value;
    ngx_media_flv_values_t  values;

    values.n = 0;

    if (video != NULL) {
        ngx_media_flv_video_values(&values, video);
    }

    if (audio != NULL) {
        ngx_media_flv_audio_values(&values, audio);
    }

    n = values.n + (encoder != NULL && encoder->len != 0);

    ngx_media_text_init(&text, p, p ? NGX_MEDIA_TEXT_MEASURED : 0);

    ngx_media_amf_write_cstr(&text, "onMetaData");
    ngx_media_amf_write_array(&text, n);

    for (i = 0; i < values.n; i++) {
        value = &values.elts[i];

        ngx_media_amf_write_key(&text, value->name.data, value->name.len);

        if (value->flag) {
            ngx_media_amf_write_bool(&text, value->number != 0);

        } else {
            ngx_media_amf_write_number(&text, value->number);
        }
    }

    if (n != values.n) {
        ngx_media_amf_write_name(&text, "encoder");
        ngx_media_amf_write_string(&text, encoder->data, encoder->len);
    }

    ngx_media_amf_write_end(&text);

    return text.total;
}


static void
ngx_media_flv_video_values(ngx_media_flv_values_t *values,
    const ngx_media_params_t *params)
{
    const ngx_media_codec_t  *codec;

    codec = ngx_media_flv_entry(params->codec);

    if (codec == NULL) {
        return;
    }

    if (params->width != 0 && params->height != 0) {
        ngx_media_flv_value(values, "width", params->width, 0);
        ngx_media_flv_value(values, "height", params->height, 0);
    }

    if (params->fps_num != 0 && params->fps_den != 0) {
        ngx_media_flv_value(values, "framerate",
                            (double) params->fps_num / params->fps_den, 0);
    }

    ngx_media_flv_value(values, "videocodecid",
                        ngx_media_flv_codec_number(codec), 0);
}


static void
ngx_media_flv_audio_values(ngx_media_flv_values_t *values,
    const ngx_media_params_t *params)
{
    const ngx_media_codec_t  *codec;

    codec = ngx_media_flv_entry(params->codec);

    if (codec == NULL) {
        return;
    }

    if (params->sample_rate != 0) {
        ngx_media_flv_value(values, "audiosamplerate", params->sample_rate,
                            0);
    }

    /* the number is not in E.5; encoders send it, as there is no other */

    if (params->channels != 0) {
        ngx_media_flv_value(values, "audiochannels", params->channels, 0);
        ngx_media_flv_value(values, "stereo", params->channels == 2, 1);
    }

    ngx_media_flv_value(values, "audiocodecid",
                        ngx_media_flv_codec_number(codec), 0);
}


/* Enhanced RTMP, "Enhancing onMetaData": a fourcc is a number, too */

static double
ngx_media_flv_codec_number(const ngx_media_codec_t *codec)
{
    return ngx_media_flv_legacy(codec) ? codec->flv.codec_id
                                       : codec->flv.fourcc;
}


size_t
ngx_media_flv_write_start(u_char *p, ngx_uint_t video, ngx_uint_t audio)
{
    if (p != NULL) {
        p = ngx_cpymem(p, "FLV\x01", 4);
        p = ngx_media_put_8(p, (video ? NGX_MEDIA_FLV_HAS_VIDEO : 0)
                               | (audio ? NGX_MEDIA_FLV_HAS_AUDIO : 0));
        p = ngx_media_put_be32(p, 9);         /* where the tags begin */
        (void) ngx_media_put_be32(p, 0);      /* PreviousTagSize0 */
    }

    return NGX_MEDIA_FLV_START_SIZE;
}


size_t
ngx_media_flv_write_tag(u_char *p, uint32_t type, size_t len,
    uint32_t timestamp)
{
    if (p != NULL) {
        p = ngx_media_put_8(p, type);
        p = ngx_media_put_be24(p, (uint32_t) len);
        p = ngx_media_put_be24(p, timestamp);
        p = ngx_media_put_8(p, timestamp >> 24);
        (void) ngx_media_put_be24(p, 0);      /* StreamID */
    }

    return NGX_MEDIA_FLV_TAG_SIZE;
}


size_t
ngx_media_flv_write_tail(u_char *p, size_t len)
{
    if (p != NULL) {
        (void) ngx_media_put_be32(p, (uint32_t) (NGX_MEDIA_FLV_TAG_SIZE
                                                 + len));
    }

    return NGX_MEDIA_FLV_TAIL_SIZE;
}
