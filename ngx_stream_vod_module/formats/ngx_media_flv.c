
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_fields.h"


/* how many tracks */

#define NGX_MEDIA_FLV_ONE            0
#define NGX_MEDIA_FLV_MANY           1
#define NGX_MEDIA_FLV_MANY_CODECS    2
#define NGX_MEDIA_FLV_NO_TRACKS      3        /* not multitrack: ours */


/* what is looked for in onMetaData */

typedef struct {
    ngx_media_span_t          encoder;
    double                    width;
    double                    height;
    double                    fps;
    double                    video_rate;
    double                    audio_rate;
    double                    sample_rate;
    double                    channels;
    ngx_media_amf_value_t     stereo;
    ngx_media_amf_value_t     video_codec;
    ngx_media_amf_value_t     audio_codec;
    ngx_media_span_t          language;
    ngx_media_amf_value_t     video_tracks;
    ngx_media_amf_value_t     audio_tracks;
    ngx_uint_t                has_video;
    ngx_uint_t                has_audio;
} ngx_media_flv_properties_t;


static ngx_int_t ngx_media_flv_enhanced(ngx_media_flv_iterator_t *it,
    ngx_media_reader_t *r, ngx_uint_t multi);
static void ngx_media_flv_modex(ngx_media_flv_iterator_t *it,
    ngx_media_reader_t *r);
static ngx_int_t ngx_media_flv_start(ngx_media_flv_iterator_t *it,
    ngx_media_reader_t *r);
static ngx_int_t ngx_media_flv_track(ngx_media_flv_iterator_t *it,
    ngx_media_reader_t *r, ngx_media_reader_t *body);
static ngx_int_t ngx_media_flv_body(ngx_media_flv_iterator_t *it,
    ngx_media_flv_packet_t *packet, ngx_media_reader_t *r);
static ngx_uint_t ngx_media_flv_named(const ngx_media_span_t *span,
    const char *name);
static uint32_t ngx_media_flv_codec(uint32_t type,
    const ngx_media_amf_value_t *value);
static ngx_uint_t ngx_media_flv_announced(const ngx_media_amf_value_t *value);
static uint32_t ngx_media_flv_number(double number, double scale);


/* known by its name, and no codec of ours: VVC */

static const ngx_media_codec_flv_t  ngx_media_flv_vvc = {
    ngx_media_fourcc('v', 'v', 'c', '1'), 0, 0, 1, 0, 1, NULL
};


/* what users know them as; of those above, a fourcc says enough */

static const char *const  ngx_media_flv_audio_names[16] = {
    "linear PCM", "ADPCM", "MP3", "linear PCM", "Nellymoser", "Nellymoser",
    "Nellymoser", "G.711 A-law", "G.711 mu-law", NULL, "AAC", "Speex", NULL,
    NULL, "MP3", "device-specific sound"
};

static const char *const  ngx_media_flv_video_names[16] = {
    NULL, "JPEG", "Sorenson H.263", "Screen video", "VP6", "VP6 with alpha",
    "Screen video 2", "H.264", "H.263", "MPEG-4 part 2", NULL, NULL, "HEVC",
    "AV1", "VP8", "VP9"
};


#define ngx_media_flv_property(type, name, field)                             \
    { type, ngx_string(name), offsetof(ngx_media_flv_properties_t, field),    \
      NULL }


static const ngx_media_amf_elt_t  ngx_media_flv_property_elts[] = {
    ngx_media_flv_property(NGX_MEDIA_AMF_STRING, "encoder", encoder),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "width", width),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "height", height),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "framerate", fps),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "videodatarate", video_rate),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "audiodatarate", audio_rate),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "audiosamplerate",
                           sample_rate),
    ngx_media_flv_property(NGX_MEDIA_AMF_NUMBER, "audiochannels", channels),
    ngx_media_flv_property(NGX_MEDIA_AMF_VALUE, "stereo", stereo),
    ngx_media_flv_property(NGX_MEDIA_AMF_VALUE, "videocodecid", video_codec),
    ngx_media_flv_property(NGX_MEDIA_AMF_VALUE, "audiocodecid", audio_codec),
    ngx_media_flv_property(NGX_MEDIA_AMF_STRING, "language", language),
    ngx_media_flv_property(NGX_MEDIA_AMF_VALUE, "videoTrackIdInfoMap",
                           video_tracks),
    ngx_media_flv_property(NGX_MEDIA_AMF_VALUE, "audioTrackIdInfoMap",
                           audio_tracks),
    ngx_media_flv_property(NGX_MEDIA_AMF_BOOL, "hasVideo", has_video),
    ngx_media_flv_property(NGX_MEDIA_AMF_BOOL, "hasAudio", has_audio),
    ngx_media_amf_null_elt
};

static const ngx_media_amf_elt_t  ngx_media_flv_name_elts[] = {
    { NGX_MEDIA_AMF_STRING, ngx_null_string, 0, NULL },
    ngx_media_amf_null_elt
};

static const ngx_media_amf_elt_t  ngx_media_flv_data_elts[] = {
    { NGX_MEDIA_AMF_OBJECT, ngx_null_string, 0, ngx_media_flv_property_elts },
    ngx_media_amf_null_elt
};


ngx_int_t
ngx_media_flv_video(ngx_media_flv_iterator_t *it, const u_char *pos,
    const u_char *last)
{
    uint32_t                      ch;
    ngx_media_reader_t            r;
    ngx_media_flv_packet_t       *packet;
    const ngx_media_codec_flv_t  *codec;

    ngx_memzero(it, sizeof(ngx_media_flv_iterator_t));
    ngx_media_reader_init(&r, pos, last);

    packet = &it->packet;
    packet->type = NGX_MEDIA_VIDEO;
    it->multitrack = NGX_MEDIA_FLV_NO_TRACKS;

    if (pos == last) {
        return ngx_media_flv_start(it, &r);
    }

    ch = ngx_media_read_8(&r);

    packet->frame_type = ch >> 4 & 0x07;
    packet->key = (packet->frame_type == NGX_MEDIA_FLV_KEY
                   || packet->frame_type == NGX_MEDIA_FLV_GENERATED_KEY);

    it->packet_type = ch & 0x0f;

    if (ch & NGX_MEDIA_FLV_EX_VIDEO) {
        return ngx_media_flv_enhanced(it, &r, NGX_MEDIA_FLV_EX_VIDEO_MULTI);
    }

    packet->codec_id = ch & 0x0f;

    if (packet->frame_type == NGX_MEDIA_FLV_FRAME_COMMAND) {
        packet->kind = NGX_MEDIA_FLV_COMMAND;
        packet->command = ngx_media_read_8(&r);

        return ngx_media_flv_start(it, &r);
    }

    codec = ngx_media_flv_find(NGX_MEDIA_VIDEO, 0, packet->codec_id);

    if (codec == NULL) {
        it->declined = 1;
        return ngx_media_flv_start(it, &r);
    }

    packet->codec = codec->fourcc;
    it->packet_type = ngx_media_read_8(&r);

    if (it->packet_type != NGX_MEDIA_FLV_EX_CODED) {

        /* a composition time is there, but has no meaning */

        if (it->packet_type != NGX_MEDIA_FLV_EX_END) {
            (void) ngx_media_read_be24(&r);
        }

        if (it->packet_type > NGX_MEDIA_FLV_EX_END) {
            it->declined = 1;
        }
    }

    return ngx_media_flv_start(it, &r);
}


ngx_int_t
ngx_media_flv_audio(ngx_media_flv_iterator_t *it, const u_char *pos,
    const u_char *last)
{
    uint32_t                      ch;
    ngx_media_reader_t            r;
    ngx_media_flv_packet_t       *packet;
    const ngx_media_codec_flv_t  *codec;

    ngx_memzero(it, sizeof(ngx_media_flv_iterator_t));
    ngx_media_reader_init(&r, pos, last);

    packet = &it->packet;
    packet->type = NGX_MEDIA_AUDIO;
    packet->key = 1;
    it->multitrack = NGX_MEDIA_FLV_NO_TRACKS;

    if (pos == last) {
        return ngx_media_flv_start(it, &r);
    }

    ch = ngx_media_read_8(&r);

    packet->codec_id = ch >> 4;
    it->packet_type = ch & 0x0f;

    if (packet->codec_id == NGX_MEDIA_FLV_EX_AUDIO) {
        packet->codec_id = 0;
        return ngx_media_flv_enhanced(it, &r, NGX_MEDIA_FLV_EX_AUDIO_MULTI);
    }

    packet->sound_rate = ch >> 2 & 0x03;
    packet->sound_16bit = ch >> 1 & 0x01;
    packet->sound_stereo = ch & 0x01;

    it->packet_type = NGX_MEDIA_FLV_EX_CODED;

    codec = ngx_media_flv_find(NGX_MEDIA_AUDIO, 0, packet->codec_id);

    if (codec == NULL) {
        it->declined = 1;
        return ngx_media_flv_start(it, &r);
    }

    packet->codec = codec->fourcc;

    /* a message with nothing but this byte is silence */

    if (packet->codec_id == NGX_MEDIA_FLV_AAC && r.pos < r.last) {
        it->packet_type = ngx_media_read_8(&r);

        if (it->packet_type > NGX_MEDIA_FLV_EX_CODED) {
            it->declined = 1;
        }
    }

    return ngx_media_flv_start(it, &r);
}


/*
 * What follows the first byte of an enhanced header, which has left a packet
 * type; multi is the packet type that introduces tracks.
 */

static ngx_int_t
ngx_media_flv_enhanced(ngx_media_flv_iterator_t *it, ngx_media_reader_t *r,
    ngx_uint_t multi)
{
    uint32_t                 ch;
    ngx_media_flv_packet_t  *packet;

    packet = &it->packet;
    packet->enhanced = 1;

    while (it->packet_type == NGX_MEDIA_FLV_EX_MODEX && !r->err) {
        ngx_media_flv_modex(it, r);
    }

    if (packet->frame_type == NGX_MEDIA_FLV_FRAME_COMMAND
        && it->packet_type != NGX_MEDIA_FLV_EX_METADATA)
    {
        packet->kind = NGX_MEDIA_FLV_COMMAND;
        packet->command = ngx_media_read_8(r);

        return ngx_media_flv_start(it, r);
    }

    if (it->packet_type == multi) {
        ch = ngx_media_read_8(r);

        packet->multitrack = 1;
        it->multitrack = ch >> 4;
        it->packet_type = ch & 0x0f;

        if (it->multitrack > NGX_MEDIA_FLV_MANY_CODECS
            || it->packet_type == multi
            || it->packet_type == NGX_MEDIA_FLV_EX_MODEX)
        {
            return NGX_ERROR;
        }
    }

    if (it->multitrack != NGX_MEDIA_FLV_MANY_CODECS) {
        packet->codec = ngx_media_read_be32(r);
    }

    return ngx_media_flv_start(it, r);
}


static void
ngx_media_flv_modex(ngx_media_flv_iterator_t *it, ngx_media_reader_t *r)
{
    size_t            size;
    uint32_t          ch, nano;
    ngx_media_span_t  data;

    size = (size_t) ngx_media_read_8(r) + 1;

    if (size == 256) {
        size = (size_t) ngx_media_read_be16(r) + 1;
    }

    ngx_media_read_span(r, size, &data);

    ch = ngx_media_read_8(r);
    it->packet_type = ch & 0x0f;

    if (ch >> 4 == NGX_MEDIA_FLV_EX_NANO && ngx_media_span_len(&data) >= 3) {
        nano = ngx_media_get_be24(data.pos);

        if (nano <= NGX_MEDIA_FLV_EX_NANO_MAX) {
            it->packet.nano = nano;
        }
    }
}


/* the header is read */

static ngx_int_t
ngx_media_flv_start(ngx_media_flv_iterator_t *it, ngx_media_reader_t *r)
{
    if (r->err) {
        it->done = 1;
        return NGX_ERROR;
    }

    it->pos = r->pos;
    it->last = r->last;

    return NGX_OK;
}


ngx_int_t
ngx_media_flv_next(ngx_media_flv_iterator_t *it,
    ngx_media_flv_packet_t *packet)
{
    ngx_int_t           rc;
    ngx_media_reader_t  body, r;

    if (it->done) {
        return NGX_DONE;
    }

    ngx_media_reader_init(&r, it->pos, it->last);

    rc = ngx_media_flv_track(it, &r, &body);

    if (rc == NGX_OK) {
        *packet = it->packet;
        it->pos = r.pos;

        rc = ngx_media_flv_body(it, packet, &body);
    }

    if (rc == NGX_ERROR || it->pos == it->last) {
        it->done = 1;
    }

    return rc;
}


/* the header of one track, and what belongs to it */

static ngx_int_t
ngx_media_flv_track(ngx_media_flv_iterator_t *it, ngx_media_reader_t *r,
    ngx_media_reader_t *body)
{
    size_t            size;
    ngx_media_span_t  span;

    if (it->multitrack == NGX_MEDIA_FLV_MANY_CODECS) {
        it->packet.codec = ngx_media_read_be32(r);
    }

    if (it->multitrack != NGX_MEDIA_FLV_NO_TRACKS) {
        it->packet.track = ngx_media_read_8(r);
    }

    size = ngx_media_reader_left(r);

    if (it->multitrack == NGX_MEDIA_FLV_MANY
        || it->multitrack == NGX_MEDIA_FLV_MANY_CODECS)
    {
        size = ngx_media_read_be24(r);
    }

    ngx_media_read_span(r, size, &span);
    ngx_media_reader_init(body, span.pos, span.last);

    return r->err ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_media_flv_body(ngx_media_flv_iterator_t *it,
    ngx_media_flv_packet_t *packet, ngx_media_reader_t *r)
{
    const ngx_media_codec_flv_t  *codec;

    packet->body.pos = r->pos;
    packet->body.last = r->last;

    if (packet->kind == NGX_MEDIA_FLV_COMMAND) {
        return NGX_OK;
    }

    if (it->declined) {
        return NGX_DECLINED;
    }

    if (packet->codec == 0 && !packet->enhanced) {
        return NGX_OK;                        /* an empty message */
    }

    codec = ngx_media_flv_find(packet->type, packet->codec, 0);

    if (codec == NULL) {
        return NGX_DECLINED;
    }

    switch (it->packet_type) {

    case NGX_MEDIA_FLV_EX_START:
        packet->kind = NGX_MEDIA_FLV_CONFIG;
        break;

    case NGX_MEDIA_FLV_EX_CODED:
        packet->kind = NGX_MEDIA_FLV_FRAME;

        if (codec->cts && r->pos < r->last) {

            if (ngx_media_reader_left(r) < 3) {
                return NGX_ERROR;
            }

            packet->cts = ngx_media_get_be24s(r->pos);
            packet->body.pos += 3;
        }

        break;

    case NGX_MEDIA_FLV_EX_END:
        packet->kind = NGX_MEDIA_FLV_END;
        return NGX_OK;

    case NGX_MEDIA_FLV_EX_METADATA:
        packet->kind = NGX_MEDIA_FLV_METADATA;
        break;

    case NGX_MEDIA_FLV_EX_CODED_X:

        if (packet->type == NGX_MEDIA_VIDEO) {
            packet->kind = NGX_MEDIA_FLV_FRAME;
            break;
        }

        /* fall through */

    default:
        return NGX_DECLINED;
    }

    if (packet->body.pos == packet->body.last) {
        packet->kind = NGX_MEDIA_FLV_EMPTY;
    }

    return NGX_OK;
}


const ngx_media_codec_flv_t *
ngx_media_flv_find(uint32_t type, uint32_t fourcc, uint32_t codec_id)
{
    ngx_uint_t                    i;
    const ngx_media_codec_t      *codec;
    const ngx_media_codec_flv_t  *flv;

    if (fourcc == 0 && codec_id == 0) {
        return NULL;
    }

    for (i = 0; (codec = ngx_media_codec_entry(i)) != NULL; i++) {
        flv = &codec->flv;

        if (codec->type != type || flv->fourcc == 0) {
            continue;
        }

        if (fourcc ? flv->fourcc == fourcc
                   : (flv->codec_id == codec_id || flv->alias == codec_id))
        {
            return flv;
        }
    }

    return (type == NGX_MEDIA_VIDEO && fourcc == ngx_media_flv_vvc.fourcc)
           ? &ngx_media_flv_vvc : NULL;
}


ngx_uint_t
ngx_media_flv_known(const ngx_media_flv_packet_t *packet)
{
    return packet->codec
           && ngx_media_flv_find(packet->type, packet->codec, 0) != NULL;
}


const char *
ngx_media_flv_codec_name(const ngx_media_flv_packet_t *packet)
{
    if (packet->enhanced || packet->codec) {
        return NULL;
    }

    return packet->type == NGX_MEDIA_VIDEO
           ? ngx_media_flv_video_names[packet->codec_id & 0x0f]
           : ngx_media_flv_audio_names[packet->codec_id & 0x0f];
}


ngx_int_t
ngx_media_flv_data_name(const u_char **pos, const u_char *last,
    ngx_media_span_t *name)
{
    ngx_int_t  rc;

    /* AMF3 messages; an AMF0 one begins with the marker of a string */

    if (*pos < last && **pos == 0) {
        (*pos)++;
    }

    rc = ngx_media_amf_parse(pos, last, ngx_media_flv_name_elts, name);

    if (rc == NGX_OK && ngx_media_flv_named(name, "@setDataFrame")) {
        rc = ngx_media_amf_parse(pos, last, ngx_media_flv_name_elts, name);
    }

    return rc;
}


ngx_int_t
ngx_media_flv_metadata(const u_char *pos, const u_char *last,
    ngx_media_flv_metadata_t *meta)
{
    ngx_int_t                   rc;
    ngx_media_span_t            name;
    ngx_media_flv_properties_t  props;

    ngx_memzero(meta, sizeof(ngx_media_flv_metadata_t));
    ngx_memzero(&name, sizeof(ngx_media_span_t));
    ngx_memzero(&props, sizeof(ngx_media_flv_properties_t));

    props.stereo.type = NGX_MEDIA_AMF_UNDEFINED;
    props.video_codec.type = NGX_MEDIA_AMF_UNDEFINED;
    props.audio_codec.type = NGX_MEDIA_AMF_UNDEFINED;
    props.video_tracks.type = NGX_MEDIA_AMF_UNDEFINED;
    props.audio_tracks.type = NGX_MEDIA_AMF_UNDEFINED;
    meta->video_tracks.type = NGX_MEDIA_AMF_UNDEFINED;
    meta->audio_tracks.type = NGX_MEDIA_AMF_UNDEFINED;

    rc = ngx_media_flv_data_name(&pos, last, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    meta->name = name;

    if (!ngx_media_flv_named(&name, "onMetaData")) {
        return NGX_DECLINED;
    }

    rc = ngx_media_amf_parse(&pos, last, ngx_media_flv_data_elts, &props);

    meta->encoder = props.encoder;
    meta->language = props.language;
    meta->video_tracks = props.video_tracks;
    meta->audio_tracks = props.audio_tracks;
    meta->width = ngx_media_flv_number(props.width, 1);
    meta->height = ngx_media_flv_number(props.height, 1);
    meta->fps = ngx_media_flv_number(props.fps, 1000);
    meta->video_rate = ngx_media_flv_number(props.video_rate, 1);
    meta->audio_rate = ngx_media_flv_number(props.audio_rate, 1);
    meta->sample_rate = ngx_media_flv_number(props.sample_rate, 1);
    meta->channels = ngx_media_flv_number(props.channels, 1);

    if (meta->channels == 0 && props.stereo.type == NGX_MEDIA_AMF_BOOL) {
        meta->channels = (props.stereo.number != 0) ? 2 : 1;
    }

    meta->video_codec = ngx_media_flv_codec(NGX_MEDIA_VIDEO,
                                            &props.video_codec);
    meta->audio_codec = ngx_media_flv_codec(NGX_MEDIA_AUDIO,
                                            &props.audio_codec);

    meta->has_video = props.has_video
                      || ngx_media_flv_announced(&props.video_codec);
    meta->has_audio = props.has_audio
                      || ngx_media_flv_announced(&props.audio_codec);

    /* an unreadable rest of a readable object is no loss */

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


static ngx_uint_t
ngx_media_flv_named(const ngx_media_span_t *span, const char *name)
{
    size_t  len;

    len = ngx_strlen(name);

    return ngx_media_span_len(span) == len
           && ngx_memcmp(span->pos, name, len) == 0;
}


/* a legacy id, a fourcc as a number, or a fourcc as a string */

static uint32_t
ngx_media_flv_codec(uint32_t type, const ngx_media_amf_value_t *value)
{
    uint32_t                      n;
    const ngx_media_codec_flv_t  *codec;

    n = 0;

    if (value->type == NGX_MEDIA_AMF_NUMBER) {
        n = ngx_media_flv_number(value->number, 1);

    } else if (value->type == NGX_MEDIA_AMF_STRING
               && ngx_media_span_len(&value->data) == 4)
    {
        n = ngx_media_get_be32(value->data.pos);
    }

    codec = (n < 16) ? ngx_media_flv_find(type, 0, n)
                     : ngx_media_flv_find(type, n, 0);

    return (codec == NULL) ? 0 : codec->fourcc;
}


static ngx_uint_t
ngx_media_flv_announced(const ngx_media_amf_value_t *value)
{
    if (value->type == NGX_MEDIA_AMF_NUMBER) {
        return value->number != 0;
    }

    return value->type == NGX_MEDIA_AMF_STRING
           && ngx_media_span_len(&value->data) != 0;
}


/* rounded; what is not positive or does not fit is zero, NaN included */

static uint32_t
ngx_media_flv_number(double number, double scale)
{
    number = number * scale + 0.5;

    if (number >= 1 && number < 4294967296.0) {
        return (uint32_t) number;
    }

    return 0;
}


void
ngx_media_flv_tags(ngx_media_flv_tags_t *tags, const u_char *pos,
    const u_char *last, uint32_t timestamp)
{
    tags->pos = pos;
    tags->last = last;
    tags->timestamp = timestamp;
    tags->base = 0;
    tags->started = 0;
}


/* E.4.1: a tag header of 11 bytes, the body, the size of both in 4 bytes */

ngx_int_t
ngx_media_flv_tag(ngx_media_flv_tags_t *tags, ngx_media_flv_tag_t *tag)
{
    uint32_t            size, timestamp;
    ngx_media_reader_t  r;

    if (tags->pos == tags->last) {
        return NGX_DONE;
    }

    ngx_media_reader_init(&r, tags->pos, tags->last);

    tag->type = ngx_media_read_8(&r);
    size = ngx_media_read_be24(&r);
    timestamp = ngx_media_read_be24(&r);
    timestamp |= ngx_media_read_8(&r) << 24;
    (void) ngx_media_read_be24(&r);           /* message stream: overridden */
    ngx_media_read_span(&r, size, &tag->body);

    if (r.err) {
        tags->pos = tags->last;
        return NGX_ERROR;
    }

    /* some leave out the last one */
    (void) ngx_media_read_be32(&r);

    tags->pos = r.pos;

    if (!tags->started) {
        tags->base = timestamp;
        tags->started = 1;
    }

    tag->timestamp = tags->timestamp + (timestamp - tags->base);

    return NGX_OK;
}
