
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_flv_write.c formats/ngx_media_rtmp_chunk.c
         formats/ngx_media_text.c */

/*
 * What is written of any frame is read again as that frame: as a message in
 * chunks of any size, and as a tag.
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_write.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define INPUT  18                             /* bytes before the frame */


static const uint32_t  codecs[] = {
    NGX_MEDIA_CODEC_H264, NGX_MEDIA_CODEC_H265, NGX_MEDIA_CODEC_AV1,
    NGX_MEDIA_CODEC_VP8, NGX_MEDIA_CODEC_VP9, NGX_MEDIA_CODEC_AAC,
    NGX_MEDIA_CODEC_MP3, NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_CODEC_FLAC,
    NGX_MEDIA_CODEC_AC3, NGX_MEDIA_CODEC_EAC3, NGX_MEDIA_CODEC_WVTT
};


#define must(expr)                                                            \
    do {                                                                      \
        if (!(expr)) {                                                        \
            abort();                                                          \
        }                                                                     \
    } while (0)


static void
packet_of(ngx_media_flv_packet_t *packet, uint32_t type, const u_char *pos,
    const u_char *last)
{
    ngx_media_flv_iterator_t  it;

    must((type == NGX_MEDIA_RTMP_VIDEO ? ngx_media_flv_video(&it, pos, last)
                                       : ngx_media_flv_audio(&it, pos, last))
         == NGX_OK);
    must(ngx_media_flv_next(&it, packet) == NGX_OK);
}


/* the payload of a message, of which chunks have at most size bytes */

static u_char *
message(const ngx_media_rtmp_chunk_header_t *header,
    const ngx_media_span_t *spans, uint32_t size, size_t *len)
{
    size_t                   n;
    u_char                  *p, *payload;
    const u_char            *pos;
    ngx_media_rtmp_piece_t   piece;
    ngx_media_rtmp_reader_t  reader;

    n = ngx_media_rtmp_chunk_write_spans(NULL, header, spans, 2, size);
    p = malloc(n);
    must(ngx_media_rtmp_chunk_write_spans(p, header, spans, 2, size) == n);

    ngx_media_rtmp_chunk_init(&reader, NGX_MEDIA_RTMP_MESSAGE_MAX);
    must(ngx_media_rtmp_chunk_set_size(&reader, size) == NGX_OK);

    *len = ngx_media_span_len(&spans[0]) + ngx_media_span_len(&spans[1]);
    payload = malloc(*len + 1);
    pos = p;

    do {
        must(ngx_media_rtmp_chunk_read(&reader, &pos, p + n, &piece)
             == NGX_OK);
        must(piece.cs->timestamp == header->timestamp
             && piece.cs->length == *len);
        memcpy(payload + piece.offset, piece.payload.pos,
               ngx_media_span_len(&piece.payload));
    } while (!piece.complete);

    must(pos == p + n);
    free(p);

    return payload;
}


static void
file(const ngx_media_rtmp_chunk_header_t *header, const u_char *body,
    size_t len)
{
    u_char                *p, *last;
    ngx_media_flv_tag_t    tag;
    ngx_media_flv_tags_t   tags;

    p = malloc(NGX_MEDIA_FLV_TAG_SIZE + len + NGX_MEDIA_FLV_TAIL_SIZE);
    last = p + ngx_media_flv_write_tag(p, header->type, len,
                                       header->timestamp);
    last = ngx_cpymem(last, body, len);
    last += ngx_media_flv_write_tail(last, len);

    ngx_media_flv_tags(&tags, p, last, header->timestamp);
    must(ngx_media_flv_tag(&tags, &tag) == NGX_OK);
    must(tag.type == header->type && tag.timestamp == header->timestamp
         && ngx_media_span_len(&tag.body) == len
         && memcmp(tag.body.pos, body, len) == 0);
    must(ngx_media_flv_tag(&tags, &tag) == NGX_DONE);
    free(p);
}


static void
config(ngx_media_params_t *params, uint32_t type, const u_char *pos,
    size_t len)
{
    size_t                   n;
    u_char                  *p;
    ngx_str_t                encoder;
    ngx_media_flv_packet_t   packet;
    ngx_media_flv_metadata_t meta;

    params->config_len = ngx_min(len, NGX_MEDIA_CONFIG_MAX);
    memcpy(params->config, pos, params->config_len);

    n = ngx_media_flv_write_config(NULL, params);
    p = malloc(n + 1);
    must(ngx_media_flv_write_config(p, params) == n);

    if (n) {
        packet_of(&packet, type, p, p + n);
        must(packet.kind == NGX_MEDIA_FLV_CONFIG
             && packet.codec == params->codec);
    }

    free(p);

    encoder.data = (u_char *) pos;
    encoder.len = len;

    n = ngx_media_flv_write_metadata(NULL, params, params, &encoder);
    p = malloc(n);
    must(ngx_media_flv_write_metadata(p, params, params, &encoder) == n);
    must(ngx_media_flv_metadata(p, p + n, &meta) == NGX_OK
         && ngx_media_span_len(&meta.encoder) == len);
    free(p);
}


/* codec, key, cts, time stamp, chunk size, rate and channels; then a frame */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                         len;
    u_char                         head[NGX_MEDIA_FLV_HEAD_MAX], *body;
    int32_t                        cts;
    ngx_uint_t                     has, key;
    ngx_media_span_t               spans[2];
    ngx_media_params_t             params;
    ngx_media_flv_packet_t         packet;
    ngx_media_rtmp_chunk_header_t  header;

    if (size < INPUT) {
        return 0;
    }

    memset(&params, 0, sizeof(ngx_media_params_t));

    params.codec = codecs[data[0] % (sizeof(codecs) / sizeof(codecs[0]))];
    params.sample_rate = ngx_media_get_be24(data + 14);
    params.channels = data[17];
    params.width = params.sample_rate;
    params.height = params.channels;
    params.fps_num = params.channels;
    params.fps_den = params.sample_rate;

    key = data[1] & 1;
    cts = (int32_t) ngx_media_get_be32(data + 2);

    has = (params.codec == NGX_MEDIA_CODEC_H264
           || params.codec == NGX_MEDIA_CODEC_H265);

    header.csid = 2 + data[12];
    header.timestamp = ngx_media_get_be32(data + 6);
    header.stream = 1;
    header.type = (has || params.codec == NGX_MEDIA_CODEC_AV1
                   || params.codec == NGX_MEDIA_CODEC_VP8
                   || params.codec == NGX_MEDIA_CODEC_VP9)
                  ? NGX_MEDIA_RTMP_VIDEO : NGX_MEDIA_RTMP_AUDIO;

    config(&params, header.type, data + INPUT, size - INPUT);

    len = ngx_media_flv_write_head(NULL, &params, key, cts);
    must(ngx_media_flv_write_head(head, &params, key, cts) == len);
    must((len != 0) == (params.codec != NGX_MEDIA_CODEC_WVTT));

    if (len == 0) {
        return 0;
    }

    spans[0].pos = head;
    spans[0].last = head + len;
    spans[1].pos = data + INPUT;
    spans[1].last = data + size;

    body = message(&header, spans, 1 + ngx_media_get_be16(data + 10), &len);

    file(&header, body, len);
    packet_of(&packet, header.type, body, body + len);

    cts = ngx_max(cts, NGX_MEDIA_FLV_CTS_MIN);
    cts = ngx_min(cts, NGX_MEDIA_FLV_CTS_MAX);

    must(packet.codec == params.codec && packet.cts == (has ? cts : 0));
    must(packet.kind == (size == INPUT ? NGX_MEDIA_FLV_EMPTY
                                       : NGX_MEDIA_FLV_FRAME));
    must(packet.key == (header.type == NGX_MEDIA_RTMP_AUDIO || key));
    must(ngx_media_span_len(&packet.body) == size - INPUT
         && memcmp(packet.body.pos, data + INPUT, size - INPUT) == 0);

    free(body);

    return 0;
}
