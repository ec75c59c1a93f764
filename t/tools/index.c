
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The index of an MP4 file as text; the other half of t/formats_index.t.
 *
 *     index FILE [raw | plan MSEC]
 *
 * Prints "track N ..." for each track and "sample N PTS DTS SIZE POS FLAGS"
 * for each of its samples.  With raw the times are those of the tables,
 * without the edit list, and all samples are printed, not only those that are
 * presented.  With plan there are no samples, but segments of that duration.
 *
 * It does what a reader of files in a server would do, with files that fit
 * into memory; whatever is printed comes from packed indexes.
 */

/* link: @codecs formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_entry.c
         formats/ngx_media_mp4_file.c formats/ngx_media_mp4_moof.c
         formats/ngx_media_mp4_moov.c formats/ngx_media_mp4_stbl.c
         formats/ngx_media_record.c formats/ngx_media_sets.c
         formats/ngx_media_plan.c formats/ngx_media_fill.c
         formats/ngx_media_text.c */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_index_build.h"
#include "formats/ngx_media_mp4_entry.h"
#include "formats/ngx_media_mp4_file.h"
#include "formats/ngx_media_mp4_moof.h"
#include "formats/ngx_media_mp4_stbl.h"
#include "../unit/media_plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


#define INDEX_TRACKS   64
#define INDEX_SAMPLES  (32 * 1024 * 1024)
#define INDEX_PIECE    65536


static int                       fd;
static u_char                   *buffer;
static size_t                    room;
static u_char                   *head;        /* moov, kept */

static ngx_media_mp4_file_t      file;
static ngx_media_mp4_error_t     error;
static ngx_media_mp4_track_t     tracks[INDEX_TRACKS];
static ngx_media_mp4_moov_t      moov = { tracks, INDEX_TRACKS, &error,
                                          0, 0, 0, 0, 0, NULL, 0 };
static ngx_media_index_build_t   builds[INDEX_TRACKS];
static ngx_uint_t                notes[INDEX_TRACKS];


static void
die(const char *text)
{
    printf("error %s\n", text);
    exit(1);
}


static void
fail(const ngx_media_mp4_error_t *e)
{
    u_char            line[256];
    ngx_media_text_t  text;

    ngx_media_text_init(&text, line, sizeof(line) - 1);
    ngx_media_mp4_error_text(&text, e);
    *text.pos = '\0';

    die((char *) line);
}


static void
piece(ngx_media_index_build_t *build)
{
    void  *p;

    p = malloc(INDEX_PIECE);

    if (p == NULL) {
        die("memory");
    }

    ngx_media_index_piece(build, p, INDEX_PIECE);
}


static void
add(ngx_uint_t n, const ngx_media_index_sample_t *sample)
{
    ngx_int_t  rc;

    do {
        rc = ngx_media_index_add(&builds[n], sample);

        if (rc == NGX_AGAIN) {
            piece(&builds[n]);
        }

    } while (rc == NGX_AGAIN);

    if (rc == NGX_ERROR) {
        die(builds[n].error);
    }
}


/* the samples of moov */

static void
movie(void)
{
    ngx_int_t                  rc;
    ngx_uint_t                 n;
    ngx_media_mp4_samples_t    it;
    ngx_media_index_sample_t   sample;

    /* what is kept has to stay where it is */

    head = buffer;
    buffer = NULL;
    room = 0;

    moov.error = &error;

    if (ngx_media_mp4_moov_parse(&moov, &file.box) != NGX_OK) {
        fail(&error);
    }

    for (n = 0; n < moov.ntracks; n++) {
        ngx_media_index_build_init(&builds[n], tracks[n].timescale,
                                   file.size, INDEX_SAMPLES);

        if (ngx_media_mp4_samples_init(&it, &moov, &tracks[n]) != NGX_OK) {
            fail(&error);
        }

        while ((rc = ngx_media_mp4_samples_next(&it, &sample)) == NGX_OK) {
            add(n, &sample);
        }

        if (rc != NGX_DONE) {
            fail(&error);
        }

        notes[n] = it.notes;
    }
}


/* NGX_DONE: it is not complete */

static ngx_int_t
fragment(void)
{
    uint64_t                   end;
    ngx_int_t                  rc;
    ngx_media_mp4_moof_t       it;
    ngx_media_mp4_track_t     *track;
    ngx_media_index_sample_t   sample;

    if (ngx_media_mp4_moof_end(&moov, &file.box, &end) != NGX_OK) {
        fail(&error);
    }

    if (end > file.size) {
        return NGX_DONE;
    }

    rc = ngx_media_mp4_moof_open(&it, &moov, &file.box);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_moof_next(&it, &sample, &track);

        if (rc == NGX_OK) {
            add(track - tracks, &sample);
        }
    }

    if (rc != NGX_DONE) {
        fail(&error);
    }

    return NGX_OK;
}


static void
read_file(void)
{
    size_t     n;
    ssize_t    got;
    ngx_int_t  rc;

    n = 0;

    for ( ;; ) {
        rc = ngx_media_mp4_file_next(&file, buffer, n ? buffer + n : buffer);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_ERROR) {
            fail(&file.error);
        }

        if (rc == NGX_AGAIN) {

            if (room < file.want) {
                free(buffer);
                buffer = malloc(file.want);
                room = file.want;
            }

            got = pread(fd, buffer, file.want, (off_t) file.offset);
            n = (got > 0) ? got : 0;
            continue;
        }

        n = 0;

        if (file.box.type == ngx_media_fourcc('m', 'o', 'o', 'v')) {
            movie();

            if (!moov.fragmented) {
                return;
            }

        } else if (file.box.type == ngx_media_fourcc('m', 'o', 'o', 'f')
                   && fragment() != NGX_OK)
        {
            return;
        }
    }
}


static ngx_media_index_t *
pack(ngx_uint_t n)
{
    void                     *p;
    ngx_int_t                 rc;
    ngx_media_index_build_t  *build;
    ngx_media_index_piece_t  *next;

    build = &builds[n];

    while ((rc = ngx_media_index_finish(build)) == NGX_AGAIN) {
        piece(build);
    }

    if (rc != NGX_OK) {
        die(build->error);
    }

    p = malloc(build->size);

    if (p == NULL) {
        die("memory");
    }

    ngx_media_index_pack(build, p);

    while (build->first) {
        next = build->first->next;
        free(build->first);
        build->first = next;
    }

    if (ngx_media_index_check(p, build->size) != NGX_OK) {
        die("index is not valid");
    }

    return p;
}


static void
print_track(ngx_uint_t n, const ngx_media_index_t *index)
{
    u_char                   string[NGX_MEDIA_CODEC_STRING_MAX + 1];
    ngx_int_t                rc;
    ngx_media_params_t       params;
    ngx_media_mp4_entry_t    entry;

    printf("track %lu id %u handler %c%c%c%c timescale %u samples %u keys %u"
           " first %u end %u bytes %u notes %lu%s%s%s language %s\n",
           (unsigned long) n, tracks[n].id, tracks[n].handler >> 24,
           tracks[n].handler >> 16 & 0xff, tracks[n].handler >> 8 & 0xff,
           tracks[n].handler & 0xff, tracks[n].timescale, index->nsamples,
           index->nkeys, index->first, index->end, index->size,
           (unsigned long) notes[n], index->truncated ? " truncated" : "",
           index->overlap ? " overlap" : "", index->leading ? " leading" : "",
           tracks[n].language);

    rc = ngx_media_mp4_entry(&moov, &tracks[n], 1, &entry);

    if (rc != NGX_OK) {
        printf("entry %lu %s\n", (unsigned long) n,
               rc == NGX_ERROR ? error.text
               : entry.encrypted ? "encrypted"
               : entry.external ? "external" : "none");
        return;
    }

    printf("entry %lu %c%c%c%c %ux%u channels %u rate %u config %ld\n",
           (unsigned long) n, entry.format >> 24, entry.format >> 16 & 0xff,
           entry.format >> 8 & 0xff, entry.format & 0xff, entry.width,
           entry.height, entry.channels, entry.sample_rate,
           (long) ngx_media_span_len(&entry.config));

    rc = ngx_media_mp4_params(&moov, &tracks[n], &entry, NULL, &params);

    if (rc != NGX_OK) {
        printf("codecs %lu %s\n", (unsigned long) n,
               rc == NGX_ERROR ? error.text : "unknown");
        return;
    }

    string[ngx_media_codec_find(params.codec)->string(string, &params)] = 0;

    printf("codecs %lu %s\n", (unsigned long) n, string);
}


static void
print_samples(ngx_uint_t n, const ngx_media_index_t *index, int raw)
{
    uint32_t                   i, end;
    ngx_int_t                  rc;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    ngx_media_index_open(&reader, index);

    i = raw ? 0 : index->first;
    end = raw ? index->nsamples : index->end;

    rc = ngx_media_index_seek(&reader, i);

    for ( /* void */ ; i < end && rc == NGX_OK; i++) {
        rc = ngx_media_index_next(&reader, &sample);

        if (raw) {
            sample.dts -= index->shift + index->delay;
            sample.cto += index->delay;
        }

        printf("sample %lu %ld %ld %u %lu %s\n", (unsigned long) n,
               (long) (sample.dts + sample.cto), (long) sample.dts,
               sample.size, (unsigned long) sample.offset,
               sample.key ? "K" : "_");
    }

    if (i != end) {
        die("index is broken");
    }
}


/* the clock: the first track of video, else of audio, that has samples */

static ngx_uint_t
clock_track(ngx_media_index_t **indexes)
{
    ngx_uint_t  i, n;

    static const uint32_t  handlers[] = {
        ngx_media_fourcc('v', 'i', 'd', 'e'),
        ngx_media_fourcc('s', 'o', 'u', 'n')
    };

    for (i = 0; i < 2; i++) {
        for (n = 0; n < moov.ntracks; n++) {
            if (tracks[n].handler == handlers[i]
                && indexes[n]->first < indexes[n]->end)
            {
                return n;
            }
        }
    }

    return 0;
}


static uint32_t
track_type(ngx_uint_t n)
{
    return tracks[n].handler == ngx_media_fourcc('v', 'i', 'd', 'e')
           ? NGX_MEDIA_VIDEO : NGX_MEDIA_AUDIO;
}


static ngx_media_plan_t *
make_plan(ngx_uint_t n, ngx_media_index_t **indexes, ngx_msec_t target,
    int64_t until, const ngx_media_plan_t *clock)
{
    size_t             size;
    ngx_int_t          rc;
    ngx_uint_t         pass;
    ngx_media_plan_t  *plan;

    plan = NULL;
    size = 0;

    for (pass = 0; pass < 2; pass++) {

        if (clock == NULL) {
            rc = ngx_media_plan_make(plan, &size, indexes[n], NULL, NULL,
                                     track_type(n), target, until);
        } else {
            rc = ngx_media_plan_follow(plan, &size, indexes[n], NULL, NULL,
                                       track_type(n), clock);
        }

        if (rc != NGX_OK) {
            die("no plan");
        }

        if (plan == NULL) {
            plan = malloc(size);
        }
    }

    if (!media_plan_is_whole(plan, size)) {
        die("plan is not valid");
    }

    return plan;
}


static void
print_plans(ngx_media_index_t **indexes, ngx_msec_t target)
{
    int64_t                    end, until;
    uint32_t                   i;
    ngx_uint_t                 n, first;
    ngx_media_plan_t          *clock, *plan;
    ngx_media_plan_segment_t   segment;

    first = clock_track(indexes);
    until = 0;

    for (n = 0; n < moov.ntracks; n++) {

        if (ngx_media_plan_end(indexes[n], NULL, &end) == NGX_OK) {
            end = ngx_media_plan_rescale(end, tracks[n].timescale,
                                         tracks[first].timescale);
            until = ngx_max(until, end);
        }
    }

    clock = make_plan(first, indexes, target, until, NULL);

    for (n = 0; n < moov.ntracks; n++) {
        plan = make_plan(n, indexes, target, until, n == first ? NULL : clock);

        printf("plan %lu segments %u runs %u empty %u last %u longest %lu"
               " peak %lu apart %lu bytes %lu size %u\n", (unsigned long) n,
               plan->nsegments, plan->nruns, plan->nempty, plan->last,
               (unsigned long) plan->longest, (unsigned long) plan->peak,
               (unsigned long) plan->apart, (unsigned long) plan->bytes,
               plan->size);

        for (i = 0; i < plan->nsegments; i++) {
            (void) ngx_media_plan_segment(plan, i, &segment);

            printf("segment %lu %u time %ld duration %lu sample %u"
                   " samples %u\n", (unsigned long) n, i,
                   (long) segment.time, (unsigned long) segment.duration,
                   segment.sample, segment.samples);
        }

        free(plan);
    }

    free(clock);
}


int
main(int argc, char **argv)
{
    int                     raw;
    struct stat             st;
    ngx_uint_t              n;
    ngx_media_index_t      *indexes[INDEX_TRACKS];
    ngx_media_mp4_edit_t    edit;

    if (argc < 2) {
        die("usage");
    }

    fd = open(argv[1], O_RDONLY);

    if (fd < 0 || fstat(fd, &st) < 0) {
        die("no such file");
    }

    raw = (argc == 3);

    ngx_media_mp4_file_init(&file, st.st_size);

    read_file();

    for (n = 0; n < moov.ntracks; n++) {
        indexes[n] = pack(n);

        if (ngx_media_mp4_edit(&moov, &tracks[n], &edit) != NGX_OK) {
            fail(&error);
        }

        if (ngx_media_index_edit(indexes[n], edit.empty, edit.start,
                                 edit.duration)
            != NGX_OK)
        {
            die("index is broken");
        }

        print_track(n, indexes[n]);

        if (argc < 4) {
            print_samples(n, indexes[n], raw);
        }
    }

    if (argc == 4) {
        print_plans(indexes, atoi(argv[3]));
    }

    for (n = 0; n < moov.ntracks; n++) {
        free(indexes[n]);
    }

    free(head);
    free(buffer);

    return 0;
}
