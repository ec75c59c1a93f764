
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Streams of text: SubRip and WebVTT as they are, of SSA and ASS the text
 * alone.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "files/ngx_media_vod_lav.h"
#include "formats/ngx_media_bytes.h"

#include <libavutil/mem.h>


/* the fields before the text of an event, as Matroska and libav have it:
   ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect */
#define NGX_MEDIA_VOD_LAV_FIELDS  8

/* of one cue */
#define NGX_MEDIA_VOD_LAV_CUE     8192

/* of a cue that does not say how long it shows, ns */
#define NGX_MEDIA_VOD_LAV_SHOWN   ((int64_t) 5 * 1000000000)


static size_t ngx_media_vod_lav_ass(u_char *p, const u_char *pos,
    const u_char *last);
static size_t ngx_media_vod_lav_plain(u_char *p, const u_char *pos,
    const u_char *last);


/*
 * 3GPP TS 26.245, 5.16, without the box: bottom, centered, white, and a font
 * table of one entry
 */

static const u_char  ngx_media_vod_lav_entry[] = {
    0, 0, 0, 0,  1,  0xff,  0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 1, 0, 18, 0xff, 0xff, 0xff, 0xff,
    0, 0, 0, 18, 'f', 't', 'a', 'b', 0, 1, 0, 1, 5, 'S', 'e', 'r', 'i', 'f'
};


ngx_uint_t
ngx_media_vod_lav_is_text(const AVStream *st)
{
    const AVCodecParameters  *par;

    static const u_char  magic[] = { 'W', 'E', 'B', 'V', 'T', 'T' };

    par = st->codecpar;

    if (par->codec_type != AVMEDIA_TYPE_SUBTITLE) {
        return 0;
    }

    switch (par->codec_id) {

    case AV_CODEC_ID_SUBRIP:
    case AV_CODEC_ID_TEXT:
    case AV_CODEC_ID_WEBVTT:
    case AV_CODEC_ID_ASS:
        return 1;

    case AV_CODEC_ID_NONE:

        /* S_TEXT/WEBVTT of Matroska, which old versions do not know */

        return par->extradata_size >= (int) sizeof(magic)
               && ngx_memcmp(par->extradata, magic, sizeof(magic)) == 0;

    default:
        return 0;
    }
}


ngx_int_t
ngx_media_vod_lav_cue(ngx_media_vod_av_t *av, ngx_media_vod_av_track_t *t,
    const AVStream *st, const AVPacket *packet)
{
    size_t           size;
    u_char           buffer[NGX_MEDIA_VOD_LAV_CUE];
    int64_t          pts;
    AVRational       ns;
    const uint8_t   *settings;
    ngx_media_cue_t  cue;

    pts = (packet->pts != AV_NOPTS_VALUE) ? packet->pts : packet->dts;

    if (pts == AV_NOPTS_VALUE || packet->size > NGX_MEDIA_VOD_LAV_CUE) {
        return NGX_OK;
    }

    ns.num = 1;
    ns.den = 1000000000;

    ngx_memzero(&cue, sizeof(ngx_media_cue_t));

    cue.start = av_rescale_q(pts, st->time_base, ns);
    cue.end = cue.start + ((packet->duration > 0)
                           ? av_rescale_q(packet->duration, st->time_base, ns)
                           : NGX_MEDIA_VOD_LAV_SHOWN);

    cue.text.pos = packet->data;
    cue.text.last = packet->data + packet->size;
    cue.form = NGX_MEDIA_CUE_SRT;

    if (st->codecpar->codec_id == AV_CODEC_ID_ASS) {
        cue.text.pos = buffer;
        cue.text.last = buffer
                        + ngx_media_vod_lav_ass(buffer, packet->data,
                                                packet->data + packet->size);

    } else if (st->codecpar->codec_id == AV_CODEC_ID_WEBVTT
               || st->codecpar->codec_id == AV_CODEC_ID_NONE)
    {
        cue.form = NGX_MEDIA_CUE_VTT;

        settings = av_packet_get_side_data(packet,
                                           AV_PKT_DATA_WEBVTT_SETTINGS,
                                           &size);

        if (settings != NULL && size <= NGX_MEDIA_VOD_LAV_CUE) {
            cue.settings.pos = settings;
            cue.settings.last = settings + size;
        }
    }

    if (cue.text.pos == cue.text.last || cue.end <= cue.start) {
        return NGX_OK;
    }

    return ngx_media_vod_av_cue(av, t, &cue);
}


ngx_int_t
ngx_media_vod_lav_tx3g_params(AVCodecParameters *par)
{
    par->codec_type = AVMEDIA_TYPE_SUBTITLE;
    par->codec_id = AV_CODEC_ID_MOV_TEXT;

    par->extradata = av_mallocz(sizeof(ngx_media_vod_lav_entry)
                                + AV_INPUT_BUFFER_PADDING_SIZE);

    if (par->extradata == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(par->extradata, ngx_media_vod_lav_entry,
               sizeof(ngx_media_vod_lav_entry));
    par->extradata_size = sizeof(ngx_media_vod_lav_entry);

    return NGX_OK;
}


/* 5.17: the length, and the text; what else is in the packet stays */

ngx_int_t
ngx_media_vod_lav_tx3g(const AVStream *st, AVPacket *packet)
{
    size_t   len;
    u_char   buffer[NGX_MEDIA_VOD_LAV_CUE], *last;

    if (packet->size > NGX_MEDIA_VOD_LAV_CUE) {
        return NGX_DECLINED;
    }

    last = packet->data + packet->size;

    len = (st->codecpar->codec_id == AV_CODEC_ID_ASS)
          ? ngx_media_vod_lav_ass(buffer, packet->data, last)
          : ngx_media_vod_lav_plain(buffer, packet->data, last);

    if (len == 0) {
        return NGX_DECLINED;
    }

    if (av_packet_make_writable(packet) < 0
        || av_grow_packet(packet, 2) < 0)
    {
        return NGX_ERROR;
    }

    av_shrink_packet(packet, (int) len + 2);

    ngx_memcpy(ngx_media_put_be16(packet->data, (uint32_t) len), buffer, len);

    return NGX_OK;
}


/* without tags: never longer than it was */

static size_t
ngx_media_vod_lav_plain(u_char *p, const u_char *pos, const u_char *last)
{
    u_char      *start;
    ngx_uint_t   hidden;

    start = p;
    hidden = 0;

    for ( /* void */ ; pos < last; pos++) {

        if (hidden) {
            hidden = (*pos != '>');

        } else if (*pos == '<' && last - pos > 1
                   && (pos[1] == '/' || (pos[1] | 0x20) >= 'a'))
        {
            hidden = 1;

        } else {
            *p++ = *pos;
        }
    }

    return (size_t) (p - start);
}


/* the text of an event, without overrides: never longer than it was */

static size_t
ngx_media_vod_lav_ass(u_char *p, const u_char *pos, const u_char *last)
{
    u_char      *start;
    ngx_uint_t   fields, hidden;

    for (fields = 0; pos < last && fields < NGX_MEDIA_VOD_LAV_FIELDS; pos++) {
        fields += (*pos == ',');
    }

    start = p;
    hidden = 0;

    for ( /* void */ ; pos < last; pos++) {

        if (hidden) {
            hidden = (*pos != '}');
            continue;
        }

        if (*pos == '{') {
            hidden = 1;
            continue;
        }

        if (*pos == '\\' && last - pos > 1
            && (pos[1] == 'N' || pos[1] == 'n' || pos[1] == 'h'))
        {
            *p++ = (pos[1] == 'N') ? '\n' : ' ';
            pos++;
            continue;
        }

        *p++ = *pos;
    }

    return (size_t) (p - start);
}

#endif
