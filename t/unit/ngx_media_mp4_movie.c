
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_mp4_movie.c formats/ngx_media_mp4_stbl.c
         formats/ngx_media_mp4_write.c formats/ngx_media_plan.c
         formats/ngx_media_fill.c formats/ngx_media_text.c */


#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_mp4_movie.h"
#include "media_hex.h"
#include "media_mp4.h"
#include "tap.h"


#define MAX  3000


/* what the samples of a track are like */

typedef struct {
    uint32_t     n;
    uint32_t     timescale;
    uint32_t     duration;        /* every 7th is one longer, if odd */
    uint32_t     size;            /* 0: all differ */
    uint32_t     gop;             /* 1: all are keys, 0: none is */
    uint32_t     cto;             /* B-frames, times the duration */
    uint32_t     descriptions;
} track_t;

typedef struct {
    const char  *name;
    track_t      tracks[2];
    uint32_t     run;             /* samples of a track side by side */
    uint64_t     gap;             /* bytes between them */
    int64_t      from;            /* ms of what is shown */
    int64_t      to;
    uint32_t     rotation;
    unsigned     wide;
} test_t;


static const test_t  tests[] = {
    { "one track", { { 100, 25000, 1000, 0, 25, 2, 1 } }, 1, 0, 0, 100000,
      0, 0 },
    { "one size, all keys", { { 100, 48000, 1024, 100, 1, 0, 1 } }, 1, 0, 0,
      100000, 0, 0 },
    { "no keys", { { 10, 25000, 1001, 0, 0, 0, 1 } }, 1, 0, 0, 100000, 0, 0 },
    { "two tracks", { { 300, 25000, 1000, 0, 25, 2, 1 },
                      { 500, 48000, 1024, 0, 1, 0, 1 } }, 3, 0, 0, 100000,
      90, 0 },
    { "a part", { { 300, 25000, 1000, 0, 25, 2, 1 },
                  { 500, 48000, 1024, 0, 1, 0, 1 } }, 3, 7, 3333, 7777,
      180, 0 },
    { "one frame", { { 300, 25000, 1000, 0, 25, 2, 1 },
                     { 500, 48000, 1024, 0, 1, 0, 1 } }, 3, 7, 3333, 3334,
      270, 0 },
    { "descriptions", { { 300, 25000, 999, 0, 10, 1, 3 },
                        { 500, 48000, 1024, 0, 1, 0, 2 } }, 5, 0, 0, 100000,
      0, 0 },
    { "many in a chunk", { { 2000, 25000, 1000, 10, 25, 0, 1 } }, 2000, 0,
      1000, 70000, 0, 0 },
    { "large chunks", { { 200, 25000, 1000, 100000, 25, 0, 1 } }, 200, 0,
      0, 70000, 0, 0 },
    { "beyond 4 GB", { { 50, 25000, 1000, 100000000, 25, 0, 1 },
                       { 50, 48000, 1024, 1, 1, 0, 1 } }, 1, 0, 0, 100000,
      0, 1 },
    { "far in the file", { { 50, 25000, 1000, 1000, 25, 0, 1 } }, 1,
      (uint64_t) 1 << 33, 0, 100000, 0, 0 }
};


static ngx_media_params_t           params[2][3];
static ngx_media_index_build_t      build;
static ngx_media_index_sample_t     samples[2][MAX];
static ngx_media_mp4_movie_track_t  tracks[2];


static void
make_params(void)
{
    size_t     len;
    u_char    *config;
    unsigned   i;

    config = media_hex("014d401effe1001c674d401eeca05a126c11a828282a0000030002"
                       "00000300643e28532c01000568fba3cb20", &len);

    for (i = 0; i < 3; i++) {
        ok(ngx_media_codec_find(NGX_MEDIA_CODEC_H264)->config(&params[0][i],
                                            config, config + len)
           == NGX_OK, "parameters of video");
        params[0][i].codec = NGX_MEDIA_CODEC_H264;

        ok(ngx_media_aac_params(&params[1][i], 48000, 2) == NGX_OK,
           "parameters of audio");
    }

    free(config);
}


/* samples of both tracks, side by side in runs */

static void
make_samples(const test_t *test)
{
    int64_t                    dts;
    uint32_t                   b, i, k, n[2];
    uint64_t                   offset;
    const track_t             *t;
    ngx_media_index_sample_t  *s;

    n[0] = 0;
    n[1] = 0;
    offset = 1000;

    while (n[0] < test->tracks[0].n || n[1] < test->tracks[1].n) {
        for (i = 0; i < 2; i++) {
            t = &test->tracks[i];

            for (k = 0; k < test->run && n[i] < t->n; k++, n[i]++) {
                s = &samples[i][n[i]];
                b = t->cto;

                s->offset = offset;
                s->size = t->size ? t->size : 100 + n[i] * 13 % 57;
                s->duration = t->duration
                              + (t->duration & 1 && n[i] % 7 == 0);
                dts = n[i] ? s[-1].dts + (int64_t) s[-1].duration : 0;
                s->dts = dts;
                s->cto = b ? (int64_t) t->duration
                             * (n[i] % (b + 1) == 1 ? 2 * b : b - 1 + !n[i])
                           : 0;
                s->description = 1 + n[i] * t->descriptions / t->n;
                s->key = t->gop && n[i] % t->gop == 0;

                offset += s->size;
            }

            offset += test->gap;
        }
    }
}


static ngx_media_index_t *
make_index(const track_t *t, const ngx_media_index_sample_t *s)
{
    uint32_t            i;
    ngx_media_index_t  *index;

    ngx_media_index_build_init(&build, t->timescale, (uint64_t) 1 << 50, MAX);

    for (i = 0; i < t->n; i++) {
        media_mp4_check(media_mp4_add(&build, &s[i]) == NGX_OK);
    }

    index = media_mp4_pack(&build);
    media_mp4_check(ngx_media_index_edit(index, 0, 0, 0) == NGX_OK);

    return index;
}


/* all samples of the movie are those of the file, in their places */

static unsigned
same(const ngx_media_mp4_movie_t *movie, const ngx_media_mp4_moov_t *moov,
    ngx_uint_t n, const uint64_t *places)
{
    uint32_t                   i;
    ngx_int_t                  rc;
    ngx_media_mp4_samples_t    it;
    ngx_media_index_sample_t   got, want;
    ngx_media_index_reader_t   reader;

    const ngx_media_mp4_movie_track_t  *t;

    t = &movie->tracks[n];

    if (ngx_media_mp4_samples_init(&it, moov, &moov->tracks[n]) != NGX_OK) {
        return 0;
    }

    ngx_media_index_open(&reader, t->index);
    media_mp4_check(ngx_media_index_seek(&reader, t->first) == NGX_OK);

    for (i = t->first; i < t->end; i++) {
        media_mp4_check(ngx_media_index_next(&reader, &want) == NGX_OK);

        rc = ngx_media_mp4_samples_next(&it, &got);

        if (rc != NGX_OK
            || got.size != want.size
            || got.offset != places[i] + movie->head
            || got.dts != want.dts - t->dts
            || got.cto != want.cto + t->delay
            || got.key != (t->stss.entries || !t->all_keys ? want.key : 1)
            || got.duration != want.duration)
        {
            diag("track %u sample %u: rc %d", (unsigned) n, i, (int) rc);
            diag("%llu %lld %lld %u", (unsigned long long) got.offset,
                 (long long) got.dts, (long long) got.cto, got.key);
            return 0;
        }
    }

    return ngx_media_mp4_samples_next(&it, &got) == NGX_DONE;
}


static void
run(const test_t *test)
{
    u_char                    *p;
    int64_t                    scale;
    uint64_t                   offset;
    ngx_int_t                  rc;
    ngx_uint_t                 i, n;
    ngx_media_mp4_box_t        box;
    ngx_media_index_t         *indexes[2];
    ngx_media_mp4_edit_t       edit;
    ngx_media_mp4_moov_t       moov;
    ngx_media_mp4_iter_t       iter;
    ngx_media_mp4_error_t      error;
    ngx_media_mp4_track_t      parsed[2];
    ngx_media_mp4_movie_t      movie;
    ngx_media_plan_range_t     range;
    ngx_media_index_sample_t   sample;
    static uint64_t            places[2][MAX];

    memset(&movie, 0, sizeof(movie));
    memset(tracks, 0, sizeof(tracks));

    make_samples(test);

    movie.tracks = tracks;
    movie.ntracks = test->tracks[1].n ? 2 : 1;

    for (i = 0; i < movie.ntracks; i++) {
        indexes[i] = make_index(&test->tracks[i], samples[i]);
        scale = test->tracks[i].timescale;

        tracks[i].index = indexes[i];
        tracks[i].params = params[i];
        tracks[i].params_size = sizeof(ngx_media_params_t);
        tracks[i].nparams = 3;
        tracks[i].start = test->from * scale / 1000;
        tracks[i].finish = test->to * scale / 1000;
        params[i][0].rotation = i ? 0 : test->rotation;
        memcpy(tracks[i].code, "deu", 3);
        ngx_str_set(&tracks[i].lang, "de");
        ngx_str_set(&tracks[i].label, "Ton");

        media_mp4_check(ngx_media_plan_range(&range, indexes[i], i,
                                             tracks[i].start,
                                             tracks[i].finish)
                        == NGX_OK);

        /* frames of audio that are cut, or that a decoder begins with */

        tracks[i].first = range.first - (i ? ngx_min(range.first, 2) : 0);
        tracks[i].end = range.end;
    }

    ok(ngx_media_mp4_movie_scan(&movie) == NGX_OK, "%s: scan", test->name);
    is(movie.wide, test->wide, "%s: offsets", test->name);

    p = calloc(1, movie.head);
    media_mp4_check(p != NULL);

    ok(ngx_media_mp4_movie_write(&movie, p) == NGX_OK, "%s: written",
       test->name);

    /* where each is */

    offset = 0;
    ok(ngx_media_mp4_movie_rewind(&movie) == NGX_OK, "%s: again", test->name);

    for ( ;; ) {
        rc = ngx_media_mp4_movie_next(&movie, &n, &sample);

        if (rc != NGX_OK) {
            break;
        }

        i = tracks[n].more ? tracks[n].reader.number - 2
                           : tracks[n].reader.number - 1;
        places[n][i] = offset;
        offset += sample.size;
    }

    ok(rc == NGX_DONE && offset == movie.bytes, "%s: all bytes", test->name);

    /* read as any file is */

    memset(&moov, 0, sizeof(moov));
    memset(&error, 0, sizeof(error));

    moov.tracks = parsed;
    moov.max = 2;
    moov.error = &error;

    iter.pos = p;
    iter.last = p + movie.head - (movie.bytes + 8 > UINT32_MAX ? 16 : 8);
    iter.offset = 0;

    ok(ngx_media_mp4_box_next(&iter, &box) == NGX_OK
       && box.type == ngx_media_fourcc('f', 't', 'y', 'p'), "%s: ftyp",
       test->name);
    ok(ngx_media_mp4_box_next(&iter, &box) == NGX_OK
       && box.type == ngx_media_fourcc('m', 'o', 'o', 'v'), "%s: moov",
       test->name);
    is(iter.last - iter.pos, 0, "%s: nothing else", test->name);
    ok(ngx_media_mp4_box_header(&box, iter.pos, p + movie.head,
                                iter.pos - p, movie.head + movie.bytes)
       == NGX_OK && box.size == movie.bytes + box.header, "%s: mdat",
       test->name);

    iter.pos = p;
    (void) ngx_media_mp4_box_next(&iter, &box);
    (void) ngx_media_mp4_box_next(&iter, &box);

    ok(ngx_media_mp4_moov_parse(&moov, &box) == NGX_OK, "%s: parsed",
       test->name);
    is(moov.ntracks, movie.ntracks, "%s: tracks", test->name);

    for (i = 0; i < moov.ntracks; i++) {
        ok(same(&movie, &moov, i, places[i]), "%s: track %u", test->name,
           (unsigned) i);

        is(parsed[i].rotation, i ? 0 : test->rotation, "%s: rotation",
           test->name);
        is_text(parsed[i].language, 3, "deu", "%s: language", test->name);
        is_text(parsed[i].elng.pos, ngx_media_span_len(&parsed[i].elng), "de",
                "%s: elng", test->name);

        ok(ngx_media_mp4_edit(&moov, &parsed[i], &edit) == NGX_OK
           && !edit.more, "%s: edit", test->name);
        is(edit.start, tracks[i].begin - tracks[i].dts + tracks[i].delay,
           "%s: begins", test->name);
        ok(edit.duration + 2
           >= (uint64_t) (tracks[i].over - tracks[i].begin)
           && edit.duration <= 3
              + (uint64_t) (tracks[i].over - tracks[i].begin),
           "%s: and ends, %llu of %lld", test->name,
           (unsigned long long) edit.duration,
           (long long) (tracks[i].over - tracks[i].begin));

        free(indexes[i]);
    }

    free(p);
}


static void
refused(void)
{
    ngx_media_index_t      *index;
    ngx_media_mp4_movie_t   movie;

    memset(&movie, 0, sizeof(movie));
    memset(tracks, 0, sizeof(tracks));

    make_samples(&tests[6]);
    index = make_index(&tests[6].tracks[0], samples[0]);

    movie.tracks = tracks;
    movie.ntracks = 1;

    tracks[0].index = index;
    tracks[0].params = params[0];
    tracks[0].params_size = sizeof(ngx_media_params_t);
    tracks[0].nparams = 2;
    tracks[0].finish = INT64_MAX;
    tracks[0].end = index->end;

    is(ngx_media_mp4_movie_scan(&movie), NGX_DECLINED,
       "a description that is not there");

    tracks[0].nparams = 3;
    params[0][1].codec = 0;

    is(ngx_media_mp4_movie_scan(&movie), NGX_DECLINED,
       "a description that is not served");

    tracks[0].end = 0;

    is(ngx_media_mp4_movie_scan(&movie), NGX_DECLINED, "no samples");

    tracks[0].first = index->nsamples;
    tracks[0].end = index->nsamples + 1;

    is(ngx_media_mp4_movie_scan(&movie), NGX_ERROR, "samples after the end");

    free(index);
}


int
main(void)
{
    unsigned  i;

    make_params();

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        run(&tests[i]);
    }

    refused();

    return done();
}
