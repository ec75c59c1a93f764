
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs vod/ngx_media_vod_set.c vod/ngx_media_vod_set_tracks.c
         vod/ngx_media_vod_set_period.c vod/ngx_media_vod_set_video.c
         vod/ngx_media_vod_rate.c vod/ngx_media_vod_set_fill.c
         files/ngx_media_vod_params.c vod/ngx_media_vod_place.c
         vod/ngx_media_vod_frames.c vod/ngx_media_vod_view.c
         formats/ngx_media_mp4_write.c formats/ngx_media_ts_es.c
         formats/ngx_media_ts_mux.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c formats/ngx_media_wvtt_sample.c
         formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_plan.c
         formats/ngx_media_fill.c ngx_stub.c ngx_stub_ladder.c */


#include "core/ngx_media_read.h"
#include "formats/ngx_media_aac.h"
#include "formats/ngx_media_mp4_write.h"
#include "media_mp4.h"
#include "ngx_stub.h"
#include "tap.h"
#include "vod/ngx_media_vod_set_make.h"

#include <time.h>


#define TRACKS  6
#define FILES   12
#define NOW     1795000000ll


/* a track of a generated file; text: sidecar */

typedef struct {
    uint32_t     type;
    uint32_t     timescale;
    uint32_t     duration;                    /* of a sample */
    unsigned     n;
    unsigned     gop;
    int64_t      empty;
    int64_t      start;                       /* of the edit */
    unsigned     size;                        /* of a sample */
    const char  *lang;
    unsigned     bad;                         /* its codec is unknown */
    unsigned     loud;                        /* it has no silence: USAC */
    unsigned     bframes;
    unsigned     second;                      /* sample with description 2 */
    unsigned     height;                      /* of 640 pixels */
    unsigned     enabled;
} track_t;


static ngx_media_index_build_t   build;
static ngx_media_vod_open_t      files[FILES];
static ngx_uint_t                nfiles;
static ngx_media_vod_map_t       map;
static ngx_media_vod_sequence_t  sequences[FILES];
static ngx_media_vod_clip_t      clips[FILES];
static ngx_pool_t               *pool;


static ngx_media_index_t *
make_index(const track_t *t)
{
    unsigned                   i;
    ngx_media_index_t         *index;
    ngx_media_index_sample_t   s;

    ngx_media_index_build_init(&build, t->timescale, (uint64_t) 1 << 40,
                               2000000);

    memset(&s, 0, sizeof(s));

    for (i = 0; i < t->n; i++) {
        s.offset = (uint64_t) i * 4000 + t->type * 2000;
        s.size = t->size ? t->size : 1000;
        s.dts = (int64_t) i * t->duration;
        s.duration = t->duration;
        s.description = (t->second && i >= t->second) ? 2 : 1;
        s.key = i % t->gop == 0;

        if (t->bframes) {

            /* I P B P B: 2 1 0 ... frames */

            s.cto = (i % t->gop == 0) ? t->duration
                    : (i % t->gop % 2) ? (int64_t) t->duration * 2 : 0;

            if (i % t->gop == t->gop - 1) {
                s.cto = t->duration;
            }
        }

        media_mp4_check(media_mp4_add(&build, &s) == NGX_OK);
    }

    index = media_mp4_pack(&build);
    media_mp4_check(ngx_media_index_edit(index, t->empty,
                                         t->start + (t->bframes ? t->duration
                                                                : 0), 0)
                    == NGX_OK);

    return index;
}


static void
make_params(ngx_media_params_t *params, const track_t *t, unsigned n)
{
    static const u_char  usac[] = { 0xf9, 0x4c, 0x43, 0x62, 0, 0, 0 };
    static const u_char  avcc[] = {
        1, 100, 0, 31, 0xff, 0xe1, 0, 4, 0x67, 100, 0, 31, 1, 0, 2, 0x68, 1
    };

    memset(params, 0, sizeof(*params));

    if (t->type == NGX_MEDIA_AUDIO) {
        if (t->loud) {
            (void) ngx_media_aac_codec.config(params, usac,
                                              usac + sizeof(usac));
        } else {
            (void) ngx_media_aac_params(params, t->timescale, 2);
        }

    } else {
        params->codec = NGX_MEDIA_CODEC_H264;
        params->width = 640 + n * 2;
        params->height = t->height ? t->height : 360;
        params->nal_length = 4;
        params->config_len = sizeof(avcc);
        memcpy(params->config, avcc, sizeof(avcc));
    }

    params->type = t->type;
    params->timescale = t->timescale;

    if (t->bad) {
        params->codec = 0;
    }
}


static uint32_t
append(ngx_media_vod_file_t **file, const void *p, size_t size)
{
    uint32_t  offset;

    offset = (*file)->size;
    *file = realloc(*file, offset + ngx_align(size, 8));
    media_mp4_check(*file != NULL);
    memset((u_char *) *file + offset, 0, ngx_align(size, 8));
    memcpy((u_char *) *file + offset, p, size);
    (*file)->size += ngx_align(size, 8);

    return offset;
}


/* one more file, up to a track without a timescale */

static ngx_media_vod_file_t *
add_file(const track_t *tracks)
{
    size_t                 size;
    unsigned               i, n;
    uint32_t               offset;
    ngx_media_index_t     *index;
    ngx_media_params_t     params[2];
    ngx_media_vod_file_t  *file;

    static const char  text[] = "WEBVTT\n\n00:01.000 --> 00:02.000\nx\n";

    for (n = 0; n < TRACKS && tracks[n].timescale; n++) { /* void */ }

    size = ngx_align(sizeof(*file) + n * sizeof(ngx_media_vod_track_t), 8);
    file = calloc(1, size);
    media_mp4_check(file != NULL);

    file->version = NGX_MEDIA_VOD_VERSION;
    file->size = size;
    file->status = 200;
    file->ntracks = n;
    file->id.ino = nfiles + 1;
    file->id.mtime = (NOW - 10) * 1000000000;
    file->tag = 77 + nfiles;

    for (i = 0; i < n; i++) {
        file->tracks[i].type = tracks[i].type;
        file->tracks[i].timescale = tracks[i].timescale;
        file->tracks[i].is_default = tracks[i].enabled;

        if (tracks[i].lang) {
            strcpy((char *) file->tracks[i].lang, tracks[i].lang);
        }

        if (tracks[i].type == NGX_MEDIA_TEXT) {
            offset = append(&file, text, sizeof(text) - 1);
            file->tracks[i].params = offset;
            file->tracks[i].nparams = sizeof(text) - 1;
            file->tracks[i].sidecar = 1;
            continue;
        }

        make_params(&params[0], &tracks[i], 0);
        make_params(&params[1], &tracks[i], 1);

        offset = append(&file, params, sizeof(params));
        file->tracks[i].params = offset;
        file->tracks[i].params_size = sizeof(ngx_media_params_t);
        file->tracks[i].nparams = tracks[i].second ? 2 : 1;

        index = make_index(&tracks[i]);
        offset = append(&file, index, index->size);
        file->tracks[i].index = offset;
        free(index);
    }

    files[nfiles].file = file;
    files[nfiles].fd = 100 + nfiles;
    files[nfiles].id = file->id;
    nfiles++;

    return file;
}


static void
reset(void)
{
    unsigned  i;

    for (i = 0; i < nfiles; i++) {
        free((void *) files[i].file);
    }

    nfiles = 0;

    memset(&map, 0, sizeof(map));
    memset(sequences, 0, sizeof(sequences));
    memset(clips, 0, sizeof(clips));

    for (i = 0; i < FILES; i++) {
        sequences[i].tracks = (uint64_t) -1;
        clips[i].to = -1;
    }

    map.sequences = sequences;
    map.discontinuity = 1;
    map.first_time = -1;
    map.hash = 5;
}


static ngx_media_vod_set_t *
make_set(ngx_uint_t nsequences, ngx_uint_t nclips, ngx_msec_t target)
{
    unsigned                  i;
    ngx_media_vod_set_t      *copy;
    ngx_media_vod_set_make_t  make;

    map.nsequences = nsequences;
    map.nclips = nclips;

    for (i = 0; i < nsequences; i++) {
        sequences[i].clips = &clips[i * nclips];
    }

    memset(&make, 0, sizeof(make));

    make.map = &map;
    make.files = files;
    make.target = target;
    make.now = NOW;

    ngx_media_vod_set_make(&make);
    media_mp4_check(make.set != NULL);

    copy = tap_dup(make.set, make.set->size);
    free(make.set);

    if (copy->status != 200) {
        diag("status %u: %s", copy->status, copy->error);
    }

    return copy;
}


static void
make_source(ngx_media_vod_source_t *source, ngx_media_vod_set_t *set)
{
    memset(source, 0, sizeof(*source));

    source->set = set;
    source->files = files;
    source->map = &map;
    source->now = NOW * 1000;
}


/*
 * What must hold of any set: the segments that are listed can be had, their
 * times are those of the view, and each sample of the clips is in one of them
 */

static void
check_track(const ngx_media_vod_source_t *source,
    const ngx_media_stream_view_t *view, ngx_uint_t n, uint64_t *samples)
{
    int64_t                        end;
    uint32_t                       i, k;
    uint64_t                       bytes;
    ngx_int_t                      rc;
    ngx_str_t                      init;
    ngx_uint_t                     j;
    ngx_media_frames_t             f;
    const ngx_media_segment_t     *s;
    const ngx_media_track_view_t  *t;

    t = &view->tracks[n];
    end = 0;
    *samples = 0;

    for (i = 0; i < t->nsegments; i++) {
        s = &t->segments[i];

        media_mp4_check(s->time >= 0 && s->duration);
        media_mp4_check(i == 0 || s->number > s[-1].number);
        media_mp4_check(i || !s->discontinuity);

        /* a tick, where another clip has another timescale */

        media_mp4_check(i == 0 || s->discontinuity || s->gap || s[-1].gap
                        || (s->time >= end - 1 && s->time <= end + 1));
        media_mp4_check(s->time >= end - 1);

        end = s->time + (int64_t) s->duration;

        media_mp4_check(s->duration <= (uint64_t) view->target
                                       * t->timescale);

        if (t->type == NGX_MEDIA_TEXT) {
            continue;
        }

        rc = ngx_media_vod_frames(source, n, s->number, 0, pool, &f);

        media_mp4_check(rc == (s->gap ? NGX_DECLINED : NGX_OK));

        if (s->gap) {
            continue;
        }

        media_mp4_check(ngx_media_vod_init(source, n, s->init, pool, &init)
                        == NGX_OK);
        media_mp4_check(f.nsamples && f.nranges);

        if (f.params->timescale == t->timescale) {
            media_mp4_check((int64_t) f.decode_time == s->time);
        }

        bytes = 0;

        for (j = 0; j < f.nranges; j++) {
            bytes += f.ranges[j].size;
        }

        media_mp4_check(bytes == f.bytes);

        for (k = 0; k < f.nsamples; k++) {
            bytes -= f.samples[k].size;
            media_mp4_check(f.samples[k].cto + (int64_t) f.delay >= 0);
        }

        media_mp4_check(bytes == 0);

        *samples += f.nsamples;

        rc = ngx_media_vod_frames(source, n, s->number, 1, pool, &f);

        if (t->type == NGX_MEDIA_VIDEO) {
            media_mp4_check(rc == (s->key_size ? NGX_OK : NGX_DECLINED));
            media_mp4_check(rc != NGX_OK || f.nsamples == 1);
        }
    }
}


static void
check(const ngx_media_vod_source_t *source)
{
    uint32_t                       p;
    uint64_t                       samples, sum;
    ngx_uint_t                     i, n;
    ngx_media_stream_view_t        view;
    ngx_media_plan_segment_t       segment;
    const ngx_media_plan_t        *plan;
    const ngx_media_vod_set_t     *set;
    const ngx_media_vod_period_t  *period;
    ngx_media_vod_set_clip_t      *clip;

    set = source->set;

    media_mp4_check(ngx_media_vod_view(source, pool, NGX_MEDIA_ALL_TRACKS,
                                       &view)
                    == NGX_OK);

    for (n = 0; n < view.ntracks; n++) {
        check_track(source, &view, n, &samples);

        media_mp4_check(view.tracks[n].ninits >= 1);

        if (view.tracks[n].type == NGX_MEDIA_TEXT || set->growing) {
            continue;
        }

        sum = 0;

        for (p = 0; p < set->nperiods; p++) {
            clip = ngx_media_vod_set_clip(set, p, n);
            period = ngx_media_vod_set_period_at(set, p);

            if (clip->track == NGX_MEDIA_VOD_NONE) {
                continue;
            }

            plan = ngx_media_vod_set_plan(set, clip);

            media_mp4_check(media_plan_is_whole(plan, plan->size));
            media_mp4_check(plan->nsegments == period->nsegments);

            for (i = 0; i < plan->nsegments; i++) {
                (void) ngx_media_plan_segment(plan, i, &segment);
                sum += segment.samples;
            }
        }

        ok(sum == samples && sum, "%s: %u samples, each in a segment",
           view.tracks[n].name.data, (unsigned) samples);
        ok(view.tracks[n].bandwidth >= view.tracks[n].average
           && view.tracks[n].average, "%s: bandwidths %u, %u",
           view.tracks[n].name.data, (unsigned) view.tracks[n].bandwidth,
           (unsigned) view.tracks[n].average);
    }
}


static void
finish(ngx_media_vod_set_t *set)
{
    free(set);
    ngx_destroy_pool(pool);
    pool = ngx_create_pool(4096, &ngx_stub_log);
}


/* subtracted from times */
static int64_t  text_from;


/* segments as text: number:time+duration in ms, "|" before a discontinuity,
   "x" after a gap */

static const char *
text(const ngx_media_vod_source_t *source, ngx_uint_t track)
{
    size_t                         len;
    ngx_uint_t                     i;
    ngx_media_stream_view_t        view;
    const ngx_media_segment_t     *s;
    const ngx_media_track_view_t  *t;

    static char  line[4096];

    media_mp4_check(ngx_media_vod_view(source, pool, track, &view) == NGX_OK);

    t = &view.tracks[track];
    len = 0;
    line[0] = '\0';

    for (i = 0; i < t->nsegments; i++) {
        s = &t->segments[i];

        len += snprintf(line + len, sizeof(line) - len,
                        "%s%s%u:%u+%u%s", i ? " " : "",
                        s->discontinuity ? "| " : "", (unsigned) s->number,
                        (unsigned) (s->time * 1000 / t->timescale - text_from),
                        (unsigned) (s->duration * 1000 / t->timescale),
                        s->gap ? "x" : "");
    }

    return line;
}


#define is_track(source, track, expected, ...)                                \
    do {                                                                      \
        const char  *got = text(source, track);                               \
        is_text(got, strlen(got), expected, __VA_ARGS__);                     \
    } while (0)


static const track_t  movie[TRACKS] = {
    { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512, .n = 250,
      .gop = 50 },
    { .type = NGX_MEDIA_AUDIO, .timescale = 48000, .duration = 1024,
      .n = 469, .gop = 1, .size = 300, .lang = "en" },
};


static void
test_one(void)
{
    ngx_str_t                 name = ngx_string("a1");
    ngx_str_t                 init, other = ngx_string("a2");
    ngx_uint_t                n;
    ngx_media_frames_t        f;
    ngx_media_vod_set_t      *set, *again;
    ngx_media_vod_source_t    source;
    ngx_media_stream_view_t   view;

    reset();
    (void) add_file(movie);
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    is(set->status, 200, "one file");
    is(set->ntracks, 2, "tracks");
    is(set->target, 3, "target");
    is(set->duration, 10006, "duration");
    is(set->nperiods, 1, "periods");

    is_track(&source, 0, "0:0+2000 1:2000+2000 2:4000+2000 3:6000+2000"
             " 4:8000+2000", "video");
    is_track(&source, 1, "0:0+2005 1:2005+2005 2:4010+2005 3:6016+1984"
             " 4:8000+2005", "audio");

    check(&source);

    (void) ngx_media_vod_view(&source, pool, NGX_MEDIA_NO_TRACK, &view);

    is_str(&view.tracks[0].name, "v1", "v1");
    is_str(&view.tracks[1].lang, "en", "language");
    is(view.tracks[0].fps, 25000, "frame rate");
    is(view.tracks[0].nsegments, 0, "no segments asked for");
    is(view.tracks[0].ninits, 1, "but parameters");
    is(view.state, NGX_MEDIA_STREAM_ENDED, "ended");
    is(view.tag.len, 8, "tag");
    is(view.tracks[1].is_default, 1, "default audio");

    /* a little more, for what a client rounds */

    ok(view.tracks[0].key_bandwidth > (1000 + 136) * 8 / 2
       && view.tracks[0].key_bandwidth < (1000 + 138) * 8 / 2, "key frames");
    ok(view.tracks[0].bandwidth > (50 * 1000 + 140) * 8 / 2
       && view.tracks[0].bandwidth < (50 * 1000 + 150) * 8 / 2, "bandwidth");

    /*
     * MPEG-TS of 50 frames of 1000 bytes: six packets each, tables, a packet
     * more for the parameter sets at most, and up to 15 of padding
     */

    ok(view.tracks[0].ts_bandwidth >= (50 * 6 + 2) * 188 * 8 / 2
       && view.tracks[0].ts_bandwidth < (50 * 6 + 2 + 18) * 188 * 8 / 2,
       "bandwidth in MPEG-TS, %u", (unsigned) view.tracks[0].ts_bandwidth);
    ok(view.tracks[0].ts_average <= view.tracks[0].ts_bandwidth
       && view.tracks[0].ts_average > view.tracks[0].average, "average");
    ok(view.tracks[0].ts_key_bandwidth >= 8 * 188 * 8 / 2
       && view.tracks[0].ts_key_bandwidth < (18 + 1) * 188 * 8 / 2,
       "key frames in MPEG-TS, %u",
       (unsigned) view.tracks[0].ts_key_bandwidth);
    ok(view.tracks[1].ts_bandwidth > view.tracks[1].bandwidth
       && view.tracks[1].ts_bandwidth < view.tracks[1].bandwidth * 2,
       "audio in MPEG-TS, %u, %u", (unsigned) view.tracks[1].ts_bandwidth,
       (unsigned) view.tracks[1].bandwidth);

    is(ngx_media_vod_track_find(set, &name, &n), NGX_OK, "a1");
    is(n, 1, "is the second");
    is(ngx_media_vod_track_find(set, &other, &n), NGX_DECLINED, "a2");

    is(ngx_media_vod_frames(&source, 0, 2, 0, pool, &f), NGX_OK, "segment 2");
    is(f.decode_time, 51200, "its time");
    is(f.nsamples, 50, "its samples");
    is(f.nranges, 50, "each a range");
    is(f.ranges[0].offset, 100 * 4000, "where it is");
    is(f.fd, 100, "the file");
    is(ngx_media_vod_frames(&source, 0, 2, 1, pool, &f), NGX_OK, "key frame");
    is(f.samples[0].duration, 25600, "lasts as long as the segment");
    is(ngx_media_vod_frames(&source, 0, 5, 0, pool, &f), NGX_DECLINED,
       "there is no segment 5");
    is(ngx_media_vod_frames(&source, 2, 0, 0, pool, &f), NGX_DECLINED,
       "nor a third track");
    is(ngx_media_vod_frames(&source, 0, (uint64_t) -1, 0, pool, &f),
       NGX_DECLINED, "the largest number");
    is(ngx_media_vod_init(&source, 0, 1, pool, &init), NGX_DECLINED,
       "unknown init");

    again = make_set(1, 1, 2000);
    ok(again->size == set->size && memcmp(again, set, set->size) == 0,
       "the same again");
    free(again);

    again = make_set(1, 1, 4000);
    ok(again->tag != set->tag, "another target, another tag");
    free(again);

    finish(set);
}


static void
test_ladder(void)
{
    ngx_media_vod_set_t      *set;
    ngx_media_vod_source_t    source;

    static const track_t  other[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 90000, .duration = 3003,
          .n = 300, .gop = 60, .bframes = 1 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 44100, .duration = 1024,
          .n = 431, .gop = 1, .size = 300, .lang = "en" },
        { .type = NGX_MEDIA_AUDIO, .timescale = 44100, .duration = 1024,
          .n = 431, .gop = 1, .size = 300, .lang = "de" },
        { .type = NGX_MEDIA_VIDEO, .timescale = 1000, .duration = 40, .n = 1,
          .gop = 1, .bad = 1 },
    };

    static const track_t  sparse[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 250, .gop = 100 },
    };

    static const track_t  subtitles[TRACKS] = {
        { .type = NGX_MEDIA_TEXT, .timescale = 1000, .lang = "fr" },
    };

    reset();
    (void) add_file(movie);
    (void) add_file(other);
    (void) add_file(sparse);
    (void) add_file(subtitles);

    ngx_str_set(&sequences[3].label, "Fran\303\247ais");

    set = make_set(4, 1, 2000);
    make_source(&source, set);

    is(set->ntracks, 6, "v1 v2 v3 a1 a2 t1");
    is_track(&source, 1, "0:0+2002 1:2002+2002 2:4004+2002 3:6006+2002"
             " 4:8008+2002", "v2");
    is_track(&source, 2, "0:0+4000 2:4000+4000 4:8000+2000",
             "v3 has half as many");
    is_track(&source, 5, "0:0+2000 1:2000+2000 2:4000+2000 3:6000+2000"
             " 4:8000+2000", "text by the clock");
    is(ngx_media_vod_set_track(set, 4)->sequence, 1, "a2 is of the second");
    is_text(ngx_media_vod_set_track(set, 5)->label, 9, "Fran\303\247ais",
            "label");
    ok(set->note[0], "%s", set->note);
    is(ngx_media_vod_set_track(set, 2)->apart, 2000, "apart");

    check(&source);
    finish(set);

    /* some tracks only */

    sequences[0].tracks = 1;
    sequences[1].tracks = (uint64_t) 2 << 32;
    sequences[2].tracks = 0;
    sequences[3].tracks = 0;

    set = make_set(4, 1, 2000);
    make_source(&source, set);

    is(set->ntracks, 2, "v1 of one, a2 of the other");
    is_text(ngx_media_vod_set_track(set, 1)->lang, 2, "de", "language");
    check(&source);
    finish(set);
}


static void
test_ragged(void)
{
    ngx_media_vod_set_t      *set;
    ngx_media_vod_source_t    source;

    static const track_t  tracks[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 100, .gop = 50 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 48000, .duration = 1024,
          .n = 469, .gop = 1, .size = 300, .lang = "en" },
        { .type = NGX_MEDIA_AUDIO, .timescale = 44100, .duration = 1024,
          .n = 86, .gop = 1, .size = 300, .lang = "de", .empty = 5 * 44100 },
    };

    static const track_t  cut[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 250, .gop = 50, .start = 13 * 512, .bframes = 1 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 48000, .duration = 1024,
          .n = 469, .gop = 1, .size = 300, .start = 24960 },
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 0, .gop = 50 },
    };

    reset();
    (void) add_file(tracks);
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    is_track(&source, 0, "0:0+2000 1:2000+2000", "video ends");
    is_track(&source, 1, "0:0+2005 1:2005+2005 2:4010+2005 3:6016+1984"
             " 4:8000+2005", "audio goes on");
    is_track(&source, 2, "0:7+1996 1:2004+1996 2:4001+2020 3:6021+1996"
             " 4:8018+1973", "what begins later begins with silence");
    is_text((char *) set->note, strlen((char *) set->note), "a2 in clip 1"
            " begins 4992 ms after the others and ends 2995 ms before them:"
            " silence", "which is noted");
    check(&source);
    finish(set);

    /* a file that grows: who knows what comes */

    reset();
    add_file(tracks)->fragmented = 1;
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    is(ngx_media_vod_set_clip(set, 0, 2)->fill.head.count, 215, "silence");
    is(ngx_media_vod_set_clip(set, 0, 2)->fill.tail.count, 0,
       "but not at the end of what grows");
    finish(set);

    /* an edit in the middle of a GOP */

    reset();
    (void) add_file(cut);
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    is_track(&source, 0, "0:480+2000 1:2480+2000 2:4480+2000 3:6480+2000"
             " 4:8480+2000", "preroll");
    is(ngx_media_vod_set_period_at(set, 0)->base, 1000, "base");
    is(set->ntracks, 2, "no empty video");
    is(ngx_media_vod_set_clip(set, 0, 1)->base, 48000, "audio");
    ok(set->note[0] == '\0', "nothing is apart");
    finish(set);
}


static void
test_clips(void)
{
    int64_t                         durations[] = { 5000, 3000, 4000 };
    ngx_media_frames_t              f;
    ngx_media_vod_set_t            *set;
    ngx_media_vod_source_t          source;
    ngx_media_stream_view_t         view;
    const ngx_media_vod_period_t   *p;

    static const track_t  silent[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 90000, .duration = 3600,
          .n = 75, .gop = 25, .second = 1000 },
    };

    reset();
    (void) add_file(movie);
    (void) add_file(silent);
    (void) add_file(movie);

    clips[0].from = 3000;
    clips[0].to = 8000;
    clips[2].from = 2000;
    map.durations = durations;

    set = make_set(1, 3, 2000);
    make_source(&source, set);

    is(set->nperiods, 3, "three clips");

    p = ngx_media_vod_set_period_at(set, 0);

    is(p[0].base, 2000, "room for what is before");
    is(p[1].base, 7000, "then the next");
    is(p[2].base, 11000, "and the next, with room for sound");
    is(p[1].start, 5000, "start");

    is_track(&source, 0, "0:1000+2000 1:3000+2000 2:5000+2000"
             " | 3:7000+2000 4:9000+1000 | 5:11000+2000 6:13000+2000",
             "video of clips");
    is_track(&source, 1, "0:1005+2005 1:3010+2005 2:5016+1984"
             " | 3:7000+2005 4:9005+981 | 5:10984+2026 6:13010+2005",
             "audio of clips, silence in the second");
    is_text((char *) set->note, strlen((char *) set->note),
            "a1 has nothing in clip 2: silence", "which is noted");

    check(&source);

    (void) ngx_media_vod_view(&source, pool, NGX_MEDIA_ALL_TRACKS, &view);

    is(view.tracks[0].segments[0].period, 0, "period");
    is(view.tracks[0].segments[4].period, 3, "next period");
    is(view.tracks[0].segments[4].period_time, 7 * 12800, "its time");
    is(view.tracks[1].segments[4].period_time, 7 * 48000, "of audio");
    is(view.tracks[0].ninits, 2, "two kinds of video");

    is(ngx_media_vod_frames(&source, 0, 3, 0, pool, &f), NGX_OK, "clip 2");
    is(f.decode_time, 7 * 90000, "in its own timescale");
    is(f.fd, 101, "of its own file");
    is(ngx_media_vod_frames(&source, 0, 0, 0, pool, &f), NGX_OK, "clip 1");
    is(f.ranges[0].offset, 50 * 4000, "begins with a key frame");
    is(ngx_media_vod_frames(&source, 1, 0, 0, pool, &f), NGX_OK, "audio");
    is(f.decode_time, 2 * 48000 + (141 - 47) * 1024 - 3 * 48000,
       "begins where video does");
    is(f.samples[45].size, 9, "silence");
    is(f.samples[46].size, 300, "up to the first frame");
    is(f.nranges, 1 + f.nsamples - 46, "in one piece");
    is_mem(f.ranges[0].memory + 9, 9, "\x21\x00\x49\x90\x02\x19\x00\x23\x80",
           9, "of AAC");
    is(f.ranges[1].memory == NULL && f.ranges[1].offset == 140 * 4000 + 2000,
       1, "then the file");

    is(ngx_media_vod_frames(&source, 1, 3, 0, pool, &f), NGX_OK,
       "nothing but silence");
    is(f.decode_time, 7 * 48000, "where the clip begins");
    is(f.nranges, 1, "in one piece");
    is(f.bytes, 9 * f.nsamples, "of nine bytes a frame");
    is(ngx_media_vod_set_clip(set, 1, 1)->init,
       ngx_media_vod_set_clip(set, 0, 1)->init, "with the same parameters");

    finish(set);

    map.discontinuity = 0;
    set = make_set(1, 3, 2000);
    make_source(&source, set);

    is_track(&source, 0, "0:1000+2000 1:3000+2000 2:5000+2000"
             " | 3:7000+2000 4:9000+1000 | 5:10000+2000 6:12000+2000",
             "where parameters change it is told anyway");
    finish(set);
}


/* where there is no silence of a codec there are gaps */

static void
test_gaps(void)
{
    ngx_media_vod_set_t     *set;
    ngx_media_vod_source_t   source;

    static const track_t  late[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 200, .gop = 50 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 44100, .duration = 1024,
          .n = 86, .gop = 1, .size = 300, .empty = 5 * 44100, .loud = 1 },
    };

    static const track_t  silent[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 90000, .duration = 3600,
          .n = 75, .gop = 25 },
    };

    reset();
    (void) add_file(late);
    (void) add_file(silent);
    (void) add_file(late);

    set = make_set(1, 3, 2000);
    make_source(&source, set);

    is_track(&source, 1, "0:0+2000x 1:2000+2000x 2:5000+1021 3:6021+975"
             " | 4:8000+2000x 5:10000+1000x"
             " | 6:11000+2000x 7:13000+2000x 8:16000+1021 9:17021+975",
             "gaps");
    is_text((char *) set->note, strlen((char *) set->note),
            "a1 in clip 1 has nothing for 6003 ms, and no silence is known of"
            " its codec; a1 in clip 2 has nothing for 3000 ms, and no silence"
            " is known of its codec; a1 in clip 3 has nothing for 6003 ms, and"
            " no silence is known of its codec", "which is noted");
    check(&source);
    finish(set);
}


/*
 * The last segment of the clock is shorter than a frame of audio: it has one
 * all the same, and the next clip begins after that
 */

static void
test_last(void)
{
    ngx_media_vod_set_t     *set;
    ngx_media_vod_source_t   source;

    static const track_t  tracks[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 51, .gop = 50 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 44100, .duration = 1024,
          .n = 87, .gop = 1, .size = 300 },
    };

    reset();
    (void) add_file(tracks);
    (void) add_file(tracks);

    set = make_set(1, 2, 1000);
    make_source(&source, set);

    is_track(&source, 0, "0:0+2000 1:2000+40 | 2:3000+2000 3:5000+40",
             "video");
    is_track(&source, 1, "0:0+2020 1:2020+23 | 2:3000+2020 3:5020+23",
             "audio");
    is(ngx_media_vod_set_period_at(set, 0)->duration, 2044, "how long it is");
    check(&source);
    finish(set);
}


static void
test_more(void)
{
    ngx_media_vod_set_t      *set;
    ngx_media_vod_file_t     *file;
    ngx_media_vod_source_t    source;
    ngx_media_stream_view_t   view;

    static const track_t  text_only[TRACKS] = {
        { .type = NGX_MEDIA_TEXT, .timescale = 1000 },
    };

    static const track_t  changing[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 250, .gop = 25, .second = 125 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 48000, .duration = 1024,
          .n = 469, .gop = 1, .size = 300 },
    };

    static const track_t  keyless[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 50, .gop = 51 },
    };

    /* growing */

    reset();
    file = add_file(movie);
    file->fragmented = 1;
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    is(set->growing, 1, "growing");
    (void) ngx_media_vod_view(&source, pool, NGX_MEDIA_ALL_TRACKS, &view);
    is(view.state, NGX_MEDIA_STREAM_LIVE, "live");
    is(view.event, 1, "event");
    is_track(&source, 0, "0:0+2000 1:2000+2000 2:4000+2000 3:6000+2000",
             "not the last");
    check(&source);
    finish(set);

    files[0].id.mtime -= 100 * 1000000000ll;
    set = make_set(1, 1, 2000);
    is(set->growing, 0, "not any more");
    finish(set);

    /* another description in the middle of a file */

    reset();
    (void) add_file(changing);
    sequences[0].bitrate_video = 400000;
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    is_track(&source, 0, "0:0+2000 1:2000+2000 2:4000+1000 | 3:5000+1000"
             " 4:6000+2000 5:8000+2000", "cut where the description changes");
    is_track(&source, 1, "0:0+2005 1:2005+2005 2:4010+1002 | 3:5013+1002"
             " 4:6016+1984 5:8000+2005", "for audio, too");
    (void) ngx_media_vod_view(&source, pool, NGX_MEDIA_ALL_TRACKS, &view);
    is(view.tracks[0].ninits, 2, "two init segments");
    ok(view.tracks[0].segments[2].init != view.tracks[0].segments[3].init,
       "not the same");
    is(view.tracks[0].bandwidth, 400000, "bit rate of the map");
    is(view.tracks[0].ts_bandwidth, 0, "nothing else said of it");
    is(view.tracks[1].segments[3].period, 3, "period");
    check(&source);
    finish(set);

    /* failures */

    reset();
    file = add_file(movie);

    file->status = 404;
    strcpy((char *) file->error, "no such file");
    set = make_set(1, 1, 2000);
    is(set->status, 404, "file is not there");
    is(set->ntracks, 0, "no tracks");
    is_text(set->error, strlen((char *) set->error), "no such file", "why");
    finish(set);

    reset();
    (void) add_file(text_only);
    set = make_set(1, 1, 2000);
    is(set->status, 415, "only text");
    finish(set);

    reset();
    (void) add_file(keyless);
    ((ngx_media_index_t *) ngx_media_vod_at(files[0].file,
                              files[0].file->tracks[0].index))->version++;
    set = make_set(1, 1, 2000);
    is(set->status, 500, "broken index");
    finish(set);
}


/* clips that begin after their end, and tracks that have ended before */

static void
test_empty(void)
{
    size_t                i;
    ngx_media_vod_set_t  *set;

    /* of 10 s; with B-frames a picture shows until 10.04 s */

    static const struct {
        int64_t      from;
        int64_t      to;
        uint32_t     status;
        uint32_t     ntracks;
        const char  *what;
    } tests[] = {
        { 9990, -1, 200, 2, "the last picture" },
        { 10000, -1, 200, 1, "the last of audio" },
        { 11000, -1, 404, 0, "after all of it" },
        { 11000, 12000, 404, 0, "and to a place still later" },
        { 420000, -1, 404, 0, "far away" },
    };

    static const track_t  film[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 250, .gop = 25, .bframes = 1 },
        { .type = NGX_MEDIA_AUDIO, .timescale = 48000, .duration = 1024,
          .n = 480, .gop = 1 },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        reset();
        (void) add_file(film);

        clips[0].from = tests[i].from;
        clips[0].to = tests[i].to;

        set = make_set(1, 1, 2000);

        is(set->status, tests[i].status, "%s: status", tests[i].what);
        is(set->ntracks, tests[i].ntracks, "%s: tracks", tests[i].what);

        finish(set);
    }

    /* one of two */

    reset();
    (void) add_file(film);
    (void) add_file(film);

    clips[1].from = 11000;

    set = make_set(1, 2, 2000);

    is(set->status, 404, "the second clip is empty");
    ok(strstr((char *) set->error, "clip 2") != NULL, "which is said");

    finish(set);
}


/* two clips of 4 s and 6 s, again and again */

static void
test_channel(void)
{
    size_t                     i;
    int64_t                    durations[] = { 4000, 6000 };
    ngx_media_frames_t         f;
    ngx_media_vod_set_t       *set;
    ngx_media_vod_source_t     source;
    ngx_media_stream_view_t    view;
    const ngx_media_segment_t *s;

    static const struct {
        const char  *name;
        int64_t      now;                     /* ms after the first clip */
        int64_t      window;
        unsigned     loop;
        unsigned     discontinuity;
        unsigned     count;                   /* that went */
        const char  *expected;
    } tests[] = {
        { "not begun", -1, 12000, 1, 1, 0, "" },
        { "first segment is shown", 1999, 12000, 1, 1, 0, "" },
        { "the first one", 2000, 12000, 1, 1, 0, "7:0+2000" },
        { "two clips", 8100, 12000, 1, 1, 0,
          "7:0+2000 8:2000+2000 | 9:4000+2000 10:6000+2000" },
        { "one has gone", 15000, 12000, 1, 1, 0,
          "8:2000+2000 | 9:4000+2000 10:6000+2000 11:8000+2000"
          " | 12:10000+2000 13:12000+2000" },
        { "at the begin of a clip", 16000, 12000, 1, 1, 0,
          "| 9:4000+2000 10:6000+2000 11:8000+2000"
          " | 12:10000+2000 13:12000+2000 | 14:14000+2000" },
        { "in the middle of it", 19000, 12000, 1, 1, 1,
          "10:6000+2000 11:8000+2000 | 12:10000+2000 13:12000+2000"
          " | 14:14000+2000 15:16000+2000" },
        { "the ninth turn", 93000, 12000, 1, 1, 15,
          "| 47:80000+2000 48:82000+2000 | 49:84000+2000 50:86000+2000"
          " 51:88000+2000 | 52:90000+2000" },
        { "longer than a turn", 24000, 16000, 1, 1, 1,
          "11:8000+2000 | 12:10000+2000 13:12000+2000 | 14:14000+2000"
          " 15:16000+2000 16:18000+2000 | 17:20000+2000 18:22000+2000" },
        { "less than four target durations", 93000, 1000, 1, 1, 15,
          "| 47:80000+2000 48:82000+2000 | 49:84000+2000 50:86000+2000"
          " 51:88000+2000 | 52:90000+2000" },
        { "no loop", 24000, 12000, 0, 1, 0,
          "7:0+2000 8:2000+2000 | 9:4000+2000 10:6000+2000 11:8000+2000" },
        { "continuous", 15000, 12000, 1, 0, 0,
          "8:2000+2000 9:4000+2000 10:6000+2000 11:8000+2000 12:10000+2000"
          " 13:12000+2000" },
    };

    reset();
    (void) add_file(movie);
    (void) add_file(movie);

    map.live = 1;
    map.first_time = NOW * 1000;
    map.first_number = 7;
    map.durations = durations;

    clips[1].from = 2000;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        map.loop = tests[i].loop;
        map.discontinuity = tests[i].discontinuity;
        map.window = tests[i].window;

        set = make_set(1, 2, 2000);
        make_source(&source, set);
        source.now = NOW * 1000 + tests[i].now;

        text_from = NOW * 1000;
        is_track(&source, 0, tests[i].expected, "%s", tests[i].name);
        text_from = 0;

        (void) ngx_media_vod_view(&source, pool, NGX_MEDIA_ALL_TRACKS, &view);

        is(view.state, NGX_MEDIA_STREAM_LIVE, "live");
        is(view.discontinuity, tests[i].count, "discontinuities");

        s = view.tracks[0].segments;

        if (view.tracks[0].nsegments) {
            is(s->wall, s->time * 1000 / 12800, "wall clock");
            is(s->period_wall, s->period_time * 1000 / 12800, "of period");
            is(ngx_media_vod_frames(&source, 0, s->number, 0, pool, &f),
               NGX_OK, "frames");
            is(f.decode_time, s->time, "their time");
            is(ngx_media_vod_frames(&source, 0, s->number + 100, 0, pool, &f),
               NGX_DECLINED, "nothing of the future");
            is(ngx_media_vod_frames(&source, 0, 6, 0, pool, &f),
               NGX_DECLINED, "nor before the first");
        }

        finish(set);
    }

    map.first_number = -1;
    map.segment_time = NOW * 1000 - 100000;
    map.end = 1;
    map.end_time = NOW * 1000 + 5000;

    set = make_set(1, 2, 2000);
    make_source(&source, set);
    source.now = NOW * 1000 + 5000;
    (void) ngx_media_vod_view(&source, pool, NGX_MEDIA_ALL_TRACKS, &view);

    is(view.tracks[0].segments[0].number, 50, "number by time");
    is(view.state, NGX_MEDIA_STREAM_ENDED, "presentationEndTime");
    is(view.tracks[0].segments[0].period, 0, "one period");
    finish(set);
}


/* video of a file that is no rendition of its film */

static void
test_videos(void)
{
    unsigned              i;
    ngx_media_vod_set_t  *set;

    static const struct {
        track_t      tracks[TRACKS];
        unsigned     n;                       /* variants */
        uint32_t     first;                   /* track of the first */
        const char  *note;
    } cases[] = {
        /* a motion photo: the same time, a single picture */
        { { { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 50, .gop = 25 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 50,
              .n = 1, .gop = 1 } },
          1, 0, "video 2 of file 1 is left out, it is no rendition of the"
                " first: too few pictures, 1 pictures in 2.000 s" },
        /* another time */
        { { { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 200, .gop = 25 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 100, .gop = 25 } },
          1, 0, "video 2 of file 1 is left out, it is no rendition of the"
                " first: another time, 100 pictures in 4.000 s" },
        /* one segment shorter */
        { { { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 200, .gop = 25 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 150, .gop = 25 } },
          2, 0, "" },
        /* another shape; 352 is 2 % less */
        { { { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 200, .gop = 25 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 200, .gop = 25, .height = 480 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 200, .gop = 25, .height = 354 } },
          2, 0, "video 2 of file 1 is left out, it is no rendition of the"
                " first: another aspect ratio, 200 pictures in 8.000 s" },
        /* slides, all of them */
        { { { .type = NGX_MEDIA_VIDEO, .timescale = 1, .duration = 1,
              .n = 10, .gop = 1 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 1, .duration = 1,
              .n = 10, .gop = 1 } },
          2, 0, "" },
        /* the one that is enabled is the film */
        { { { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 50,
              .n = 1, .gop = 1 },
            { .type = NGX_MEDIA_VIDEO, .timescale = 25, .duration = 1,
              .n = 50, .gop = 25, .enabled = 1 } },
          1, 1, "video 1 of file 1 is left out, it is no rendition of the"
                " first: too few pictures, 1 pictures in 2.000 s" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset();
        (void) add_file(cases[i].tracks);

        set = make_set(1, 1, 2000);

        is(set->ntracks, cases[i].n, "videos %u: variants", i);
        is(ngx_media_vod_set_clip(set, 0, 0)->track, cases[i].first,
           "videos %u: the film", i);
        ok(strcmp((char *) set->note, cases[i].note) == 0,
           "videos %u: \"%s\"", i, set->note);
        finish(set);

        /* a map may name them */

        sequences[0].tracks = 0x3;
        set = make_set(1, 1, 2000);

        is(set->ntracks, 2, "videos %u: named", i);
        finish(set);
    }
}


static void
test_long(void)
{
    double                     ms;
    struct timespec            a, b;
    ngx_media_vod_set_t       *set;
    ngx_media_vod_source_t     source;
    ngx_media_stream_view_t    view;

    /* 12 h, segments of 2 s */

    static const track_t  tracks[TRACKS] = {
        { .type = NGX_MEDIA_VIDEO, .timescale = 12800, .duration = 512,
          .n = 1080000, .gop = 50 },
    };

    reset();
    (void) add_file(tracks);
    set = make_set(1, 1, 2000);
    make_source(&source, set);

    clock_gettime(CLOCK_MONOTONIC, &a);
    (void) ngx_media_vod_view(&source, pool, 0, &view);
    clock_gettime(CLOCK_MONOTONIC, &b);

    ms = (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;

    is(view.tracks[0].nsegments, 21600, "12 hours");
    diag("%.1f ms, set of %u bytes", ms, set->size);

    finish(set);
}


int
main(void)
{
    pool = ngx_create_pool(4096, &ngx_stub_log);

    test_one();
    test_ladder();
    test_ragged();
    test_clips();
    test_gaps();
    test_last();
    test_more();
    test_empty();
    test_channel();
    test_videos();
    test_long();

    reset();
    ngx_destroy_pool(pool);

    return done();
}
