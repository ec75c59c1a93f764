
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Media messages of a stream that is being published.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_data.h"
#include "formats/ngx_media_flv_tracks.h"
#include "ingest/ngx_media_rtmp_session.h"


/* bit rates above are nonsense, and would not fit into bit/s; in kbit/s */
#define NGX_MEDIA_RTMP_RATE_MAX  4000000


static ngx_int_t ngx_media_rtmp_packets(ngx_media_rtmp_stream_t *stream,
    uint32_t type, uint32_t timestamp, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_rtmp_packet(ngx_media_rtmp_stream_t *stream,
    uint32_t timestamp, const ngx_media_flv_packet_t *packet);
static ngx_int_t ngx_media_rtmp_ignore_packet(
    ngx_media_rtmp_stream_t *stream, ngx_media_ignored_e kind,
    const ngx_media_flv_packet_t *packet, const u_char *pos,
    const u_char *last);
static ngx_int_t ngx_media_rtmp_ignore_media(ngx_media_rtmp_stream_t *stream,
    ngx_media_ignored_e kind, ngx_uint_t type, const u_char *pos,
    const u_char *last);
static ngx_int_t ngx_media_rtmp_done(ngx_media_rtmp_stream_t *stream,
    ngx_media_publish_e rc);
static ngx_int_t ngx_media_rtmp_metadata(ngx_media_rtmp_stream_t *stream,
    uint32_t timestamp, const u_char *pos, const u_char *last);
static ngx_int_t ngx_media_rtmp_data(ngx_media_rtmp_stream_t *stream,
    uint32_t timestamp, const u_char *pos, const u_char *last);
static void ngx_media_rtmp_describe_all(ngx_media_rtmp_stream_t *stream,
    ngx_uint_t type, const ngx_media_amf_value_t *map,
    const ngx_media_span_t *language);
static void ngx_media_rtmp_describe(ngx_media_rtmp_stream_t *stream,
    ngx_uint_t type, const ngx_media_flv_track_t *track);
static ngx_int_t ngx_media_rtmp_aggregate(ngx_media_rtmp_stream_t *stream,
    uint32_t timestamp, const u_char *pos, const u_char *last);


ngx_int_t
ngx_media_rtmp_media(ngx_media_rtmp_stream_t *stream, uint32_t type,
    uint32_t timestamp, const u_char *pos, const u_char *last)
{
    switch (type) {

    case NGX_MEDIA_RTMP_AUDIO:
    case NGX_MEDIA_RTMP_VIDEO:
        return ngx_media_rtmp_packets(stream, type, timestamp, pos, last);

    case NGX_MEDIA_RTMP_DATA:
    case NGX_MEDIA_RTMP_DATA3:
        return ngx_media_rtmp_metadata(stream, timestamp, pos, last);

    case NGX_MEDIA_RTMP_AGGREGATE:
        return ngx_media_rtmp_aggregate(stream, timestamp, pos, last);

    default: /* shared objects and what is not known */
        return ngx_media_rtmp_ignore_media(stream, NGX_MEDIA_IGNORED_DATA,
                                           NGX_MEDIA_TEXT, pos, last);
    }
}


/* what cannot be read is left out: only broken chunks end a session */

static ngx_int_t
ngx_media_rtmp_packets(ngx_media_rtmp_stream_t *stream, uint32_t type,
    uint32_t timestamp, const u_char *pos, const u_char *last)
{
    ngx_int_t                 rc;
    ngx_uint_t                media;
    ngx_media_flv_packet_t    packet;
    ngx_media_flv_iterator_t  it;

    if (type == NGX_MEDIA_RTMP_VIDEO) {
        media = NGX_MEDIA_VIDEO;
        rc = ngx_media_flv_video(&it, pos, last);

    } else {
        media = NGX_MEDIA_AUDIO;
        rc = ngx_media_flv_audio(&it, pos, last);
    }

    while (rc == NGX_OK) {

        rc = ngx_media_flv_next(&it, &packet);

        if (rc == NGX_DECLINED) {

            /* a codec, or a kind of packet, that is not known */

            rc = ngx_media_rtmp_ignore_packet(stream,
                                              ngx_media_flv_known(&packet)
                                              ? NGX_MEDIA_IGNORED_MESSAGE
                                              : NGX_MEDIA_IGNORED_CODEC,
                                              &packet, pos, last);

        } else if (rc == NGX_OK) {
            rc = ngx_media_rtmp_packet(stream, timestamp, &packet);

        } else {
            break;
        }

        if (rc != NGX_OK || stream->publisher == NULL) {
            return rc;
        }
    }

    if (rc == NGX_ERROR) {
        return ngx_media_rtmp_ignore_media(stream, NGX_MEDIA_IGNORED_MESSAGE,
                                           media, pos, last);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_packet(ngx_media_rtmp_stream_t *stream, uint32_t timestamp,
    const ngx_media_flv_packet_t *packet)
{
    ngx_media_publish_e        rc;
    ngx_media_publish_frame_t  frame;

    ngx_log_debug8(NGX_LOG_DEBUG_STREAM, &stream->log, 0,
                   "rtmp packet stream:%d type:%uD track:%uD kind:%d "
                   "time:%uD cts:%D nano:%uD len:%uz",
                   (int) (stream - stream->session->streams + 1),
                   packet->type, packet->track, (int) packet->kind, timestamp,
                   packet->cts, packet->nano,
                   ngx_media_span_len(&packet->body));

    frame.type = packet->type;
    frame.id = packet->track;
    frame.codec = packet->codec;
    frame.stamp = timestamp;
    frame.cts = packet->cts;
    frame.nsec = packet->nano;
    frame.arrival = 0;
    frame.pos = packet->body.pos;
    frame.last = packet->body.last;

    switch (packet->kind) {

    case NGX_MEDIA_FLV_CONFIG:
        rc = ngx_media_publish_track(stream->publisher, &frame);
        break;

    case NGX_MEDIA_FLV_FRAME:
        rc = ngx_media_publish_frame(stream->publisher, &frame);
        break;

    case NGX_MEDIA_FLV_EMPTY:
        return ngx_media_rtmp_ignore_packet(stream, NGX_MEDIA_IGNORED_EMPTY,
                                            packet, frame.pos, frame.last);

    case NGX_MEDIA_FLV_METADATA:
        return ngx_media_rtmp_ignore_packet(stream, NGX_MEDIA_IGNORED_DATA,
                                            packet, frame.pos, frame.last);

    default: /* the end of a sequence, a seek: nothing is in it */
        return NGX_OK;
    }

    return ngx_media_rtmp_done(stream, rc);
}


static ngx_int_t
ngx_media_rtmp_ignore_packet(ngx_media_rtmp_stream_t *stream,
    ngx_media_ignored_e kind, const ngx_media_flv_packet_t *packet,
    const u_char *pos, const u_char *last)
{
    ngx_media_publish_ignored_t  ignored;

    ignored.kind = kind;
    ignored.type = packet->type;
    ignored.id = packet->track;
    ignored.codec = packet->codec ? packet->codec : packet->codec_id;
    ignored.name = ngx_media_flv_codec_name(packet);
    ignored.pos = pos;
    ignored.last = last;

    return ngx_media_rtmp_done(stream,
                               ngx_media_publish_ignore(stream->publisher,
                                                        &ignored));
}


static ngx_int_t
ngx_media_rtmp_ignore_media(ngx_media_rtmp_stream_t *stream,
    ngx_media_ignored_e kind, ngx_uint_t type, const u_char *pos,
    const u_char *last)
{
    ngx_media_publish_ignored_t  ignored;

    ngx_memzero(&ignored, sizeof(ngx_media_publish_ignored_t));

    ignored.kind = kind;
    ignored.type = type;
    ignored.pos = pos;
    ignored.last = last;

    return ngx_media_rtmp_done(stream,
                               ngx_media_publish_ignore(stream->publisher,
                                                        &ignored));
}


/* what publish has said of it; NGX_ERROR: no memory */

static ngx_int_t
ngx_media_rtmp_done(ngx_media_rtmp_stream_t *stream, ngx_media_publish_e rc)
{
    if (rc == NGX_MEDIA_PUBLISH_OK) {
        return NGX_OK;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_STREAM, &stream->log, 0,
                   "rtmp message answer:%d: %s", (int) rc,
                   ngx_media_publish_sentence(rc));

    if (ngx_media_publish_goes_on(rc)) {
        return NGX_OK;
    }

    if (rc == NGX_MEDIA_PUBLISH_NOMEM) {
        return NGX_ERROR;
    }

    if (rc == NGX_MEDIA_PUBLISH_USELESS && stream->session->publishers == 1) {
        stream->session->status = 400;
    }

    ngx_media_rtmp_lost(stream, ngx_media_publish_why(stream->publisher, rc));

    return NGX_OK;
}


static ngx_int_t
ngx_media_rtmp_metadata(ngx_media_rtmp_stream_t *stream, uint32_t timestamp,
    const u_char *pos, const u_char *last)
{
    ngx_int_t                 rc;
    ngx_media_announce_t      announce;
    ngx_media_flv_track_t     first;
    ngx_media_flv_metadata_t  meta;

    rc = ngx_media_flv_metadata(pos, last, &meta);

    ngx_log_debug5(NGX_LOG_DEBUG_STREAM, &stream->log, 0,
                   "rtmp metadata rc:%i video:%d audio:%d %uDx%uD",
                   rc, (int) meta.has_video, (int) meta.has_audio,
                   meta.width, meta.height);

    if (rc == NGX_DECLINED || (rc == NGX_ERROR && meta.name.pos == NULL)) {
        return ngx_media_rtmp_data(stream, timestamp, pos, last);
    }

    /* the title is that of the programme, not of a track */

    ngx_memzero(&first, sizeof(ngx_media_flv_track_t));
    first.language = meta.language;

    ngx_media_rtmp_describe(stream, NGX_MEDIA_AUDIO, &first);
    ngx_media_rtmp_describe_all(stream, NGX_MEDIA_AUDIO, &meta.audio_tracks,
                                &meta.language);
    ngx_media_rtmp_describe_all(stream, NGX_MEDIA_VIDEO, &meta.video_tracks,
                                NULL);

    if (!meta.has_video && !meta.has_audio) {
        return NGX_OK;
    }

    ngx_memzero(&announce, sizeof(ngx_media_announce_t));

    announce.video = meta.has_video;
    announce.audio = meta.has_audio;
    announce.frame_rate = meta.fps;
    announce.sample_rate = meta.sample_rate;
    announce.channels = meta.channels;

    if (meta.video_rate <= NGX_MEDIA_RTMP_RATE_MAX) {
        announce.video_rate = meta.video_rate * 1000;
    }

    if (meta.audio_rate <= NGX_MEDIA_RTMP_RATE_MAX) {
        announce.audio_rate = meta.audio_rate * 1000;
    }

    ngx_media_publish_announce(stream->publisher, &announce);

    return NGX_OK;
}


/* other data messages, text and cue points, are for those who watch */

static ngx_int_t
ngx_media_rtmp_data(ngx_media_rtmp_stream_t *stream, uint32_t timestamp,
    const u_char *pos, const u_char *last)
{
    u_char                 tag[NGX_MEDIA_FLV_DATA_MAX];
    ngx_media_flv_data_e   why;
    ngx_media_flv_data_t   data;

    why = ngx_media_flv_data_open(&data, pos, last);

    ngx_log_debug4(NGX_LOG_DEBUG_STREAM, &stream->log, 0,
                   "rtmp data \"%*s\" time:%uD answer:%d",
                   ngx_media_span_len(&data.name), data.name.pos, timestamp,
                   (int) why);

    if (why != NGX_MEDIA_FLV_DATA_OK) {
        return ngx_media_rtmp_ignore_media(stream, NGX_MEDIA_IGNORED_DATA,
                                           NGX_MEDIA_TEXT, pos, last);
    }

    ngx_media_flv_data_write(tag, &data);

    return ngx_media_rtmp_done(stream,
                               ngx_media_publish_data(stream->publisher,
                                                      NGX_MEDIA_DATA_ID3,
                                                      timestamp, tag,
                                                      tag + data.size));
}


/*
 * Enhanced RTMP v2, "Enhancing onMetaData": tracks may say only what is not as
 * at the top.  What is malformed is no loss: it was for people only.
 */

static void
ngx_media_rtmp_describe_all(ngx_media_rtmp_stream_t *stream, ngx_uint_t type,
    const ngx_media_amf_value_t *map, const ngx_media_span_t *language)
{
    ngx_media_flv_track_t     track;
    ngx_media_amf_iterator_t  it;

    ngx_media_amf_iterate(&it, map);

    while (ngx_media_flv_track_next(&it, &track) == NGX_OK) {

        if (track.language.pos == NULL && language) {
            track.language = *language;
        }

        ngx_media_rtmp_describe(stream, type, &track);
    }
}


static void
ngx_media_rtmp_describe(ngx_media_rtmp_stream_t *stream, ngx_uint_t type,
    const ngx_media_flv_track_t *track)
{
    ngx_media_attributes_t  attributes;

    ngx_memzero(&attributes, sizeof(ngx_media_attributes_t));

    if (track->language.pos) {
        ngx_media_lang(attributes.lang, track->language.pos,
                       ngx_media_span_len(&track->language));
    }

    if (track->title.pos) {
        ngx_media_label(attributes.label, track->title.pos,
                        ngx_media_span_len(&track->title));
    }

    ngx_media_publish_describe(stream->publisher, type, track->id,
                               &attributes);
}


static ngx_int_t
ngx_media_rtmp_aggregate(ngx_media_rtmp_stream_t *stream, uint32_t timestamp,
    const u_char *pos, const u_char *last)
{
    ngx_int_t             rc;
    ngx_media_flv_tag_t   tag;
    ngx_media_flv_tags_t  tags;

    ngx_media_flv_tags(&tags, pos, last, timestamp);

    for ( ;; ) {
        rc = ngx_media_flv_tag(&tags, &tag);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return ngx_media_rtmp_ignore_media(stream,
                                               NGX_MEDIA_IGNORED_MESSAGE,
                                               NGX_MEDIA_TEXT, pos, last);
        }

        if (tag.type == NGX_MEDIA_RTMP_AGGREGATE) {
            continue;
        }

        rc = ngx_media_rtmp_media(stream, tag.type, tag.timestamp,
                                  tag.body.pos, tag.body.last);

        if (rc != NGX_OK || stream->publisher == NULL) {
            return rc;
        }
    }
}
