
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* views of files as vod/ makes them, for the tests of packager/ */


#ifndef _MEDIA_PACK_FILE_H_INCLUDED_
#define _MEDIA_PACK_FILE_H_INCLUDED_


#include "media_pack.h"


#define FILE_TRACKS    8
#define FILE_SEGMENTS  8


typedef struct {
    ngx_media_stream_view_t   view;
    ngx_media_track_view_t    tracks[FILE_TRACKS];
    ngx_media_segment_t       segments[FILE_TRACKS][FILE_SEGMENTS];
    ngx_media_init_t          inits[FILE_TRACKS];
} file_t;


typedef ngx_int_t (*file_render_pt)(ngx_str_t *text);


typedef struct {
    const char               *name;
    void                    (*make)(void);
    file_render_pt            render;
    const char               *expected;
} file_case_t;


static file_t      file;


static void
file_str(ngx_str_t *str, const char *text)
{
    str->data = (u_char *) text;
    str->len = strlen(text);
}


static ngx_media_track_view_t *
file_track(const char *name, uint32_t codec, const char *string)
{
    ngx_uint_t               index, type;
    ngx_media_init_t        *init;
    ngx_media_track_view_t  *track;

    index = file.view.ntracks++;
    track = &file.tracks[index];
    init = &file.inits[index];

    type = name[0] == 'v' ? NGX_MEDIA_VIDEO
           : name[0] == 'a' ? NGX_MEDIA_AUDIO : NGX_MEDIA_TEXT;

    file_str(&track->name, name);
    track->index = index;
    track->type = type;
    track->timescale = type == NGX_MEDIA_VIDEO ? 90000
                       : type == NGX_MEDIA_AUDIO ? 48000 : 1000;
    track->bandwidth = type == NGX_MEDIA_VIDEO ? 3000000
                       : type == NGX_MEDIA_AUDIO ? 130000 : 1000;
    track->average = type == NGX_MEDIA_VIDEO ? 2500000
                     : type == NGX_MEDIA_AUDIO ? 128000 : 500;
    track->segments = file.segments[index];
    track->inits = init;
    track->ninits = 1;
    track->ended = 1;

    init->name = 0x1111111111111111ull * (index + 1);
    init->params.type = type;
    init->params.codec = codec;
    init->params.timescale = track->timescale;
    init->params.nal_length = 4;
    init->codec_len = strlen(string);
    memcpy(init->codec, string, init->codec_len);

    if (type == NGX_MEDIA_VIDEO) {
        track->fps = 23976;
        track->key_bandwidth = 400000;
        init->params.width = 1920;
        init->params.height = 1080;

    } else if (type == NGX_MEDIA_AUDIO) {
        init->params.channels = 2;
        init->params.channel_config = 2;
        init->params.sample_rate = 48000;
        init->params.config_len = 2;
        memcpy(init->params.config, "\x11\x90", 2);
    }

    return track;
}


/* in ms */

static ngx_media_segment_t *
file_segment(ngx_media_track_view_t *track, uint64_t number, int64_t time,
    uint64_t duration)
{
    ngx_media_segment_t  *segment;

    segment = &track->segments[track->nsegments++];

    memset(segment, 0, sizeof(ngx_media_segment_t));

    segment->number = number;
    segment->time = time * track->timescale / 1000;
    segment->duration = duration * track->timescale / 1000;
    segment->wall = -1;
    segment->init = track->inits[0].name;
    segment->key_size = (track->type == NGX_MEDIA_VIDEO);
    segment->bandwidth = track->bandwidth;
    segment->period = 1;
    segment->period_wall = 0;

    return segment;
}


/* three segments each, 6 6 2.014 s */

static void
file_segments(void)
{
    ngx_uint_t  i;

    for (i = 0; i < file.view.ntracks; i++) {
        file_segment(&file.tracks[i], 0, 0, 6000);
        file_segment(&file.tracks[i], 1, 6000, 6000);
        file_segment(&file.tracks[i], 2, 12000, 2014);
    }
}


static void
file_reset(void)
{
    memset(&file, 0, sizeof(file_t));

    file.view.version = 1;
    file.view.state = NGX_MEDIA_STREAM_ENDED;
    file.view.target = 6;
    file.view.segment = 6000;
    file.view.window = 14014;
    file.view.ready = 1;
    file.view.tricks = 1;
    file.view.sparse = 1;
    file.view.mixed = 1;
    file.view.renditions = 1;
    file.view.measured = 1;
    file.view.duration = 14014;
    file.view.tracks = file.tracks;
    file_str(&file.view.tag, "5f3a90c1");
}


static void
file_plain(void)
{
    file_reset();

    file_track("v1", NGX_MEDIA_CODEC_H264, "avc1.640028");
    file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");

    file_segments();
}


/*
 * The numbers of two tracks are not the same: the sound begins sooner and ends
 * later, and the second segment of video goes on beneath the next
 */

static void
file_uneven(void)
{
    ngx_media_track_view_t  *video, *audio;

    file_reset();

    video = file_track("v1", NGX_MEDIA_CODEC_H264, "avc1.640028");
    audio = file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");

    file_segment(video, 1, 6000, 6000)->discontinuity = 1;
    file_segment(video, 2, 12000, 11000);
    file_segment(video, 4, 23000, 1000);

    file_segment(audio, 0, 0, 6006)->discontinuity = 1;
    file_segment(audio, 1, 6006, 6002);
    file_segment(audio, 2, 12008, 6004);
    file_segment(audio, 3, 18012, 5000);
    file_segment(audio, 4, 23012, 1003);
    file_segment(audio, 5, 24015, 2000);
}


/* a film with all that there is */

static void
file_film(void)
{
    ngx_media_track_view_t  *track;

    file_reset();

    track = file_track("v1", NGX_MEDIA_CODEC_H265, "hvc1.2.4.L150.90");
    file_str(&track->supplemental, "dvh1.08.07");
    file_str(&track->brands, "db4h");
    file.inits[0].params.primaries = 9;
    file.inits[0].params.transfer = 18;
    file.inits[0].params.matrix = 9;

    track = file_track("v2", NGX_MEDIA_CODEC_H264, "avc1.640028");
    track->bandwidth = 1000000;
    track->average = 900000;

    track = file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    file_str(&track->lang, "en");

    track = file_track("a2", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    file_str(&track->lang, "pt-BR");
    track->is_default = 1;

    track = file_track("a3", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    file_str(&track->lang, "en");
    track->described = 1;

    track = file_track("a4", NGX_MEDIA_CODEC_EAC3, "ec-3");
    file_str(&track->lang, "en");
    track->bandwidth = 640000;
    track->average = 640000;
    file.inits[5].params.channels = 6;
    file.inits[5].params.channel_config = 6;

    track = file_track("t1", NGX_MEDIA_CODEC_WVTT, "wvtt");
    file_str(&track->lang, "de");
    track->is_default = 1;

    track = file_track("t2", NGX_MEDIA_CODEC_WVTT, "wvtt");
    file_str(&track->lang, "en");
    file_str(&track->label, "Signs & \"songs\"");
    track->forced = 1;

    file_segments();

    file.view.thumbs.interval = 10000;
    file.view.thumbs.width = 160;
    file.view.thumbs.height = 90;
    file.view.thumbs.tiles_x = 10;
    file.view.thumbs.tiles_y = 10;
    file.view.thumbs.bandwidth = 12000;
    file_str(&file.view.thumbs.tag, "0badcafe");
}


#endif /* _MEDIA_PACK_FILE_H_INCLUDED_ */
