
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs vod/ngx_media_vod_set.c vod/ngx_media_vod_set_tracks.c
         vod/ngx_media_vod_set_video.c vod/ngx_media_vod_set_fill.c
         vod/ngx_media_vod_set_period.c vod/ngx_media_vod_rate.c
         files/ngx_media_vod_params.c vod/ngx_media_vod_place.c
         files/ngx_media_vod_blob.c formats/ngx_media_lang.c
         files/ngx_media_vod_index.c vod/ngx_media_vod_text.c
         formats/ngx_media_mp4_chunk.c formats/ngx_media_mp4_write.c
         formats/ngx_media_ts_es.c formats/ngx_media_ts_mux.c
         formats/ngx_media_text.c formats/ngx_media_tx3g.c
         formats/ngx_media_webvtt.c formats/ngx_media_webvtt_write.c
         formats/ngx_media_wvtt_sample.c formats/ngx_media_index.c
         formats/ngx_media_index_build.c formats/ngx_media_plan.c
         formats/ngx_media_fill.c ngx_stub.c ngx_stub_ladder.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_chunk.h"
#include "formats/ngx_media_wvtt.h"
#include "files/ngx_media_vod_blob.h"
#include "vod/ngx_media_vod_text.h"
#include "tap.h"


#define FPS      25
#define FRAMES   250                          /* 10 s */
#define TARGET   2000
#define CLIPS    2
#define CUES     64


static const char  vtt[] =
    "WEBVTT\n"
    "\n"
    "STYLE\n"
    "::cue { color: red }\n"
    "\n"
    "one\n"
    "00:00.500 --> 00:01.500 line:0\n"
    "A & <b>B</b>\n"
    "\n"
    "00:01.500 --> 00:04.500\n"
    "long\n"
    "\n"
    "00:06.000 --> 00:08.000\n"
    "whole\n"
    "\n"
    "00:09.500 --> 00:12.000\n"
    "late\n"
    "\n"
    "00:11.000 --> 00:12.000\n"
    "too late\n";


static int                        fd;
static off_t                      offset;     /* of what is written to it */
static ngx_media_vod_open_t       files[CLIPS * 2];
static ngx_media_vod_map_t        map;
static ngx_media_vod_sequence_t   sequences[2];
static ngx_media_vod_clip_t       clips[CLIPS * 2];
static ngx_media_vod_source_t     source;


ngx_media_vod_file_t *
ngx_media_vod_index_mp4(ngx_media_vod_index_t *index)
{
    return NULL;
}


ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    return NULL;
}


ngx_media_vod_file_t *
ngx_media_vod_index_text(ngx_media_vod_index_t *index)
{
    return NULL;
}


static void
begin(ngx_media_vod_blob_t *blob, ngx_media_vod_index_t *index)
{
    static unsigned  n;

    memset(index, 0, sizeof(*index));

    index->fd = fd;
    index->id.size = (uint64_t) 1 << 40;
    index->id.ino = ++n;
    index->now = 1800000000;
    index->path = "a.mp4";

    ngx_media_vod_blob_init(blob, index);
}


static void
video(ngx_media_vod_blob_t *blob, int64_t start)
{
    unsigned                      i;
    ngx_media_params_t           *params;
    ngx_media_index_sample_t      s;
    ngx_media_vod_blob_track_t   *t;

    static const u_char  avcc[] = {
        1, 100, 0, 31, 0xff, 0xe1, 0, 4, 0x67, 100, 0, 31, 1, 0, 2, 0x68, 1
    };

    t = ngx_media_vod_blob_track(blob, NGX_MEDIA_VIDEO, FPS * 512);
    params = ngx_media_vod_blob_params(t);

    params->codec = NGX_MEDIA_CODEC_H264;
    params->type = NGX_MEDIA_VIDEO;
    params->timescale = FPS * 512;
    params->width = 640;
    params->height = 360;
    params->nal_length = 4;
    params->config_len = sizeof(avcc);
    memcpy(params->config, avcc, sizeof(avcc));

    memset(&s, 0, sizeof(s));

    for (i = 0; i < FRAMES; i++) {
        s.offset = 1000000 + i * 1000;
        s.size = 900;
        s.dts = i * 512;
        s.duration = 512;
        s.description = 1;
        s.key = i % (FPS * 2) == 0;

        (void) ngx_media_vod_blob_add(t, &s);
    }

    if (start) {
        t->start = start;
        t->edit = 1;
    }
}


static void
sidecar(ngx_media_vod_blob_t *blob, const char *text)
{
    u_char                      *p;
    ngx_media_vod_blob_track_t  *t;

    t = ngx_media_vod_blob_track(blob, NGX_MEDIA_TEXT, 1000);

    p = malloc(strlen(text));
    memcpy(p, text, strlen(text));

    ngx_media_vod_blob_text(t, p, strlen(text));
}


static ngx_media_vod_blob_track_t *
samples(ngx_media_vod_blob_t *blob, uint32_t codec)
{
    ngx_media_params_t          *params;
    ngx_media_vod_blob_track_t  *t;

    t = ngx_media_vod_blob_track(blob, NGX_MEDIA_TEXT, 90000);
    params = ngx_media_vod_blob_params(t);

    params->codec = codec;
    params->type = NGX_MEDIA_TEXT;
    params->timescale = 90000;

    if (codec == NGX_MEDIA_CODEC_WVTT) {
        (void) ngx_media_wvtt_codec.config(params, (u_char *) "WEBVTT",
                                           (u_char *) "WEBVTT" + 6);
    }

    return t;
}


static void
sample(ngx_media_vod_blob_track_t *t, int64_t start, int64_t end,
    const void *data, size_t size, unsigned gap)
{
    ngx_media_index_sample_t  s;

    memset(&s, 0, sizeof(s));

    offset += gap;

    s.offset = offset;
    s.size = size;
    s.dts = start * 90;
    s.duration = (end - start) * 90;
    s.description = 1;
    s.key = 1;

    if (pwrite(fd, data, size, offset) != (ssize_t) size) {
        ok(0, "pwrite()");
    }

    offset += size;

    (void) ngx_media_vod_blob_add(t, &s);
}


static void
tx3g(ngx_media_vod_blob_t *blob)
{
    ngx_media_vod_blob_track_t  *t;

    t = samples(blob, NGX_MEDIA_CODEC_TX3G);

    sample(t, 0, 1500, "\0\0", 2, 0);
    sample(t, 1500, 4500, "\0\5Hello", 7, 5);
    sample(t, 4500, 5000, "\0\2<&", 4, 0);
    sample(t, 5000, 9000, "\0\0", 2, 1000);
    sample(t, 9000, 10000, "\0\3end", 5, 0);
}


/* the same cues, and two that overlap, as the samples of a file */

static void
wvtt(ngx_media_vod_blob_t *blob)
{
    size_t                       size;
    u_char                       data[1024];
    int64_t                      time, next;
    unsigned                     i;
    ngx_media_cue_t              cues[4];
    ngx_media_vod_blob_track_t  *t;

    static const struct {
        int64_t      start, end;
        const char  *text;
    } list[] = {
        { 500, 7000, "under" },
        { 1000, 3000, "first" },
        { 3000, 5000, "second" },
        { 9500, 9900, "<i>last</i>" },
    };

    memset(cues, 0, sizeof(cues));

    for (i = 0; i < 4; i++) {
        cues[i].start = list[i].start;
        cues[i].end = list[i].end;
        cues[i].text.pos = (u_char *) list[i].text;
        cues[i].text.last = cues[i].text.pos + strlen(list[i].text);
    }

    t = samples(blob, NGX_MEDIA_CODEC_WVTT);

    for (time = 0; time < 10000; time = next) {
        next = ngx_media_wvtt_next(cues, 4, time, 10000);
        size = ngx_media_wvtt_write(data, cues, 4, time, next);
        sample(t, time, next, data, size, time / 1000);
    }
}


static void
open_file(unsigned n, ngx_media_vod_blob_t *blob)
{
    files[n].file = ngx_media_vod_blob_finish(blob);
    files[n].fd = fd;
    files[n].id = files[n].file->id;

    is(files[n].file->status, 200, "a file: %s", files[n].file->error);
}


static void
make_set(unsigned nsequences, unsigned nclips)
{
    unsigned                  i;
    ngx_media_vod_set_make_t  make;

    map.sequences = sequences;
    map.nsequences = nsequences;
    map.nclips = nclips;
    map.first_time = -1;
    map.discontinuity = 1;

    for (i = 0; i < nsequences; i++) {
        sequences[i].clips = clips + i * nclips;
        sequences[i].tracks = UINT64_MAX;
    }

    make.map = &map;
    make.files = files;
    make.target = TARGET;
    make.now = 1800000000;

    ngx_media_vod_set_make(&make);

    is(make.set->status, 200, "a set: %s", make.set->error);

    source.set = make.set;
    source.files = files;
    source.map = &map;
    source.now = 1800000000000;
}


static void
finish(void)
{
    unsigned  i;

    for (i = 0; i < CLIPS * 2; i++) {
        free((void *) files[i].file);
        files[i].file = NULL;
    }

    free((void *) source.set);

    memset(sequences, 0, sizeof(sequences));
    memset(clips, 0, sizeof(clips));
    memset(&map, 0, sizeof(map));

    for (i = 0; i < CLIPS * 2; i++) {
        clips[i].to = -1;
    }
}


static ngx_uint_t
text(ngx_uint_t track, uint64_t number, ngx_uint_t as_wvtt,
    ngx_media_vod_text_make_t *make)
{
    memset(make, 0xa5, sizeof(*make));

    make->source = &source;
    make->track = track;
    make->number = number;
    make->wvtt = as_wvtt;
    make->sequence = (uint32_t) number + 1;

    ngx_media_vod_text_make(make);

    if (make->status != 200 && (make->data || make->error[0] == '\0')) {
        ok(0, "an error has no data");
    }

    return make->status;
}


static void
is_vtt(ngx_uint_t track, uint64_t number, const char *expected)
{
    ngx_media_vod_text_make_t  make;

    if (expected == NULL) {
        is(text(track, number, 0, &make), 404, "no track %d, segment %d",
           (int) track, (int) number);
        return;
    }

    is(text(track, number, 0, &make), 200, "track %d, segment %d: %s",
       (int) track, (int) number, make.error);
    is_text(make.data, make.len, expected, "its text");

    free(make.data);
}


/* the samples of a chunk are without a gap, and say what shows when */

static void
is_wvtt(ngx_uint_t track, uint64_t number, const char *expected)
{
    char                        out[4096];
    size_t                      len;
    ngx_int_t                   rc;
    ngx_media_cue_t             cue;
    ngx_media_span_t            in;
    ngx_media_mp4_frame_t       frame;
    ngx_media_mp4_reader_t      reader;
    ngx_media_vod_text_make_t   make;

    is(text(track, number, 1, &make), 200, "track %d, samples %d: %s",
       (int) track, (int) number, make.error);

    out[0] = '\0';

    rc = ngx_media_mp4_chunk_open(&reader, make.data, make.data + make.len);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_chunk_next(&reader, &frame);

        if (rc != NGX_OK) {
            break;
        }

        len = strlen(out);
        snprintf(out + len, sizeof(out) - len, "%d+%d:",
                 (int) frame.decode_time, (int) frame.sample.duration);

        in.pos = frame.data;
        in.last = frame.data + frame.sample.size;

        while (ngx_media_wvtt_read(&in, &cue) == NGX_OK) {
            len = strlen(out);
            snprintf(out + len, sizeof(out) - len, "[%.*s]",
                     (int) ngx_media_span_len(&cue.text), cue.text.pos);
        }

        strcat(out, " ");
    }

    is(rc, NGX_DONE, "its chunk");
    ok(reader.last == make.data + make.len, "nothing is after it");
    is(reader.sequence, number + 1, "its sequence");
    is_text(out, strlen(out), expected, "its samples");

    free(make.data);
}


#define HEAD(map, local)                                                      \
    "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:" map ",LOCAL:" local "\n\n"
#define BEGIN  HEAD("0", "00:00:00.000")
#define STYLE  "STYLE\n::cue { color: red }\n\n"


static void
test_sidecar(void)
{
    ngx_media_vod_blob_t        blob;
    ngx_media_vod_index_t       index;
    ngx_media_vod_text_make_t   make;

    begin(&blob, &index);
    video(&blob, 0);
    sidecar(&blob, vtt);
    open_file(0, &blob);
    make_set(1, 1);

    is_vtt(1, 0, BEGIN STYLE
           "one\n00:00:00.500 --> 00:00:01.500 line:0\nA & <b>B</b>\n\n"
           "00:00:01.500 --> 00:00:04.500\nlong\n\n");
    is_vtt(1, 1, BEGIN STYLE "00:00:01.500 --> 00:00:04.500\nlong\n\n");
    is_vtt(1, 2, BEGIN STYLE "00:00:01.500 --> 00:00:04.500\nlong\n\n");
    is_vtt(1, 3, BEGIN STYLE "00:00:06.000 --> 00:00:08.000\nwhole\n\n");
    is_vtt(1, 4, BEGIN STYLE "00:00:09.500 --> 00:00:10.000\nlate\n\n");
    is_vtt(1, 5, NULL);
    is_vtt(1, UINT64_MAX, NULL);
    is_vtt(0, 0, NULL);
    is_vtt(2, 0, NULL);
    is_vtt(NGX_MEDIA_VOD_NONE, 0, NULL);

    is_wvtt(1, 0, "0+500: 500+1000:[A & <b>B</b>] 1500+500:[long] ");
    is_wvtt(1, 1, "2000+2000:[long] ");
    is_wvtt(1, 2, "4000+500:[long] 4500+1500: ");
    is_wvtt(1, 3, "6000+2000:[whole] ");
    is_wvtt(1, 4, "8000+1500: 9500+500:[late] ");

    memset(&make, 0, sizeof(make));
    make.source = &source;
    make.track = 1;
    is(ngx_media_vod_text_blocks(&make), 0, "a small one needs no thread");
    make.wvtt = 1;
    is(ngx_media_vod_text_blocks(&make), 1, "its samples do");
    make.number = 5;
    is(ngx_media_vod_text_blocks(&make), 0, "what is not there, neither");

    finish();
}


static void
test_large(void)
{
    char                       *p, *text_;
    unsigned                    i;
    ngx_media_vod_blob_t        blob;
    ngx_media_vod_index_t       index;
    ngx_media_vod_text_make_t   make;

    /* all cues are in one segment */

    text_ = malloc(1024 * 1024);
    p = text_ + sprintf(text_, "WEBVTT\n\n");

    for (i = 0; i < 3000; i++) {
        p += sprintf(p, "00:01.%03d --> 00:01.%03d\ncue number %d of many\n\n",
                     i % 500, i % 500 + 1 + i % 300, i);
    }

    begin(&blob, &index);
    video(&blob, 0);
    sidecar(&blob, text_);
    open_file(0, &blob);
    make_set(1, 1);

    is(text(1, 0, 0, &make), 200, "many cues");
    ok(make.len > 50000 && make.len < 100000, "not all of them");
    free(make.data);

    is(text(1, 0, 1, &make), 200, "many cues, samples");
    free(make.data);

    is(ngx_media_vod_text_blocks(&make), 1, "it needs a thread");

    is_vtt(1, 1, BEGIN);
    is_wvtt(1, 1, "2000+2000: ");

    free(text_);
    finish();
}


static void
test_samples(void)
{
    ngx_media_vod_blob_t        blob;
    ngx_media_vod_index_t       index;
    ngx_media_vod_text_make_t   make;

    begin(&blob, &index);
    video(&blob, 0);
    tx3g(&blob);
    wvtt(&blob);
    open_file(0, &blob);
    make_set(1, 1);

    is_vtt(1, 0, BEGIN "00:00:01.500 --> 00:00:04.500\nHello\n\n");
    is_vtt(1, 1, BEGIN "00:00:01.500 --> 00:00:04.500\nHello\n\n");
    is_vtt(1, 2, BEGIN "00:00:01.500 --> 00:00:04.500\nHello\n\n"
           "00:00:04.500 --> 00:00:05.000\n&lt;&amp;\n\n");
    is_vtt(1, 3, BEGIN);
    is_vtt(1, 4, BEGIN "00:00:09.000 --> 00:00:10.000\nend\n\n");

    is_wvtt(1, 0, "0+1500: 1500+500:[Hello] ");
    is_wvtt(1, 2, "4000+500:[Hello] 4500+500:[&lt;&amp;] 5000+1000: ");
    is_wvtt(1, 3, "6000+2000: ");

    is_vtt(2, 0, BEGIN "00:00:00.500 --> 00:00:07.000\nunder\n\n"
           "00:00:01.000 --> 00:00:03.000\nfirst\n\n");
    is_vtt(2, 1, BEGIN "00:00:00.500 --> 00:00:07.000\nunder\n\n"
           "00:00:01.000 --> 00:00:03.000\nfirst\n\n"
           "00:00:03.000 --> 00:00:05.000\nsecond\n\n");
    is_vtt(2, 3, BEGIN "00:00:00.500 --> 00:00:07.000\nunder\n\n");
    is_vtt(2, 4, BEGIN "00:00:09.500 --> 00:00:09.900\n<i>last</i>\n\n");

    is_wvtt(2, 1, "2000+1000:[under][first] 3000+1000:[under][second] ");
    is_wvtt(2, 4, "8000+1500: 9500+400:[<i>last</i>] 9900+100: ");

    memset(&make, 0, sizeof(make));
    make.source = &source;
    make.track = 1;
    is(ngx_media_vod_text_blocks(&make), 1, "samples have to be read");

    /* the file has become shorter, and cannot be read */

    files[0].fd = -1;
    is(text(1, 0, 0, &make), 500, "no file");
    files[0].fd = fd;

    if (ftruncate(fd, 3) == 0) {
        is(text(1, 0, 0, &make), 500, "a shorter file: %s", make.error);
        is(text(2, 4, 1, &make), 500, "a shorter file: %s", make.error);
    }

    finish();
}


/* a cut, a second clip, and video that needs a key frame from before */

static void
test_clips(void)
{
    ngx_media_vod_blob_t    blob;
    ngx_media_vod_index_t   index;

    begin(&blob, &index);
    video(&blob, 0);
    sidecar(&blob, vtt);
    open_file(0, &blob);

    begin(&blob, &index);
    video(&blob, 512);
    sidecar(&blob, "1\n00:00:00,000 --> 00:00:03,000\n<b>srt\n");
    open_file(1, &blob);

    clips[0].from = 4000;
    clips[0].to = 8000;

    make_set(1, 2);

    is_vtt(1, 0, BEGIN STYLE
           "00:00:00.000 --> 00:00:00.500\nlong\n\n");
    is_vtt(1, 1, BEGIN STYLE
           "00:00:02.000 --> 00:00:04.000\nwhole\n\n");

    /* media times go on, and leave room for what is before its begin */

    is_vtt(1, 2, HEAD("450000", "00:00:00.000")
           "00:00:00.000 --> 00:00:03.000\n<b>srt\n\n");
    is_wvtt(1, 2, "5000+1960:[<b>srt] ");
    is_wvtt(1, 3, "6960+1040:[<b>srt] 8000+960: ");

    finish();
}


/* a part of a file, on the other side of 33 bits */

static void
test_cycle(void)
{
    ngx_media_vod_set_t     *set;
    ngx_media_vod_blob_t     blob;
    ngx_media_vod_index_t    index;
    ngx_media_vod_period_t  *period;

    begin(&blob, &index);
    video(&blob, 0);
    sidecar(&blob, vtt);
    open_file(0, &blob);
    make_set(1, 1);

    /* as if it came after 95440 s of others */

    set = (ngx_media_vod_set_t *) source.set;
    period = ngx_media_vod_at(set, set->periods);
    period->base = 95440000;
    ((ngx_media_vod_set_clip_t *) ngx_media_vod_at(set, set->clips))->base
        = (int64_t) 95440000 / 1000 * FPS * 512;

    is_vtt(1, 1, HEAD("8589600000", "00:00:00.000") STYLE
           "00:00:01.500 --> 00:00:04.500\nlong\n\n");
    is_vtt(1, 2, HEAD("25408", "00:00:04.000") STYLE
           "00:00:01.500 --> 00:00:04.500\nlong\n\n");
    is_wvtt(1, 1, "95442000+2000:[long] ");

    finish();
}


int
main(void)
{
    FILE  *file;

    file = tmpfile();
    if (file == NULL) {
        ok(0, "a file");
        return done();
    }

    fd = fileno(file);
    memset(clips, 0, sizeof(clips));
    clips[0].to = clips[1].to = clips[2].to = clips[3].to = -1;

    test_sidecar();
    test_large();
    test_samples();
    test_clips();
    test_cycle();

    fclose(file);

    return done();
}
