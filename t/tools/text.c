
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Text of a set as it is served; the other half of t/vod_text.t.
 *
 *     text DIR MSEC FILE ...
 *
 * The files, MP4 and sidecars, are a set of segments of so many ms.  Of each
 * text track DIR/tN.mp4 is written, its init segment and all .m4s, and
 * DIR/tN-M.vtt for segment M.  Prints "segment N M START END" for all of them,
 * and sees to it that the samples of a .m4s last from the one to the other.
 */

/* link: @codecs formats/ngx_media_charset.c formats/ngx_media_index.c
         formats/ngx_media_index_build.c formats/ngx_media_mp4_box.c
         formats/ngx_media_mp4_chunk.c formats/ngx_media_mp4_entry.c
         formats/ngx_media_mp4_file.c formats/ngx_media_mp4_moof.c
         formats/ngx_media_mp4_moov.c formats/ngx_media_mp4_stbl.c
         formats/ngx_media_mp4_write.c formats/ngx_media_record.c
         formats/ngx_media_sets.c formats/ngx_media_plan.c
         formats/ngx_media_fill.c formats/ngx_media_ts_es.c
         formats/ngx_media_ts_mux.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c formats/ngx_media_wvtt_sample.c
         files/ngx_media_vod_blob.c formats/ngx_media_lang.c
         files/ngx_media_vod_index.c files/ngx_media_vod_index_mp4.c
         files/ngx_media_vod_index_mp4_track.c
         files/ngx_media_vod_index_text.c files/ngx_media_vod_params.c
         vod/ngx_media_vod_place.c vod/ngx_media_vod_rate.c
         vod/ngx_media_vod_set.c vod/ngx_media_vod_set_fill.c
         vod/ngx_media_vod_set_period.c vod/ngx_media_vod_set_tracks.c
         vod/ngx_media_vod_set_video.c vod/ngx_media_vod_text.c
         ../unit/ngx_stub.c ../unit/ngx_stub_ladder.c */


#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_mp4_chunk.h"
#include "formats/ngx_media_mp4_write.h"
#include "vod/ngx_media_vod_set_make.h"
#include "vod/ngx_media_vod_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define FILES  8


static ngx_media_vod_open_t      files[FILES];
static ngx_media_vod_sequence_t  sequences[FILES];
static ngx_media_vod_clip_t      clips[FILES];
static ngx_media_vod_map_t       map;


static void
die(const char *text, const char *more)
{
    printf("error %s: %s\n", text, more);
    exit(1);
}


/* of others nothing is read here */

ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    return ngx_media_vod_index_fail(index, 415, "not for this test");
}


static void
open_file(ngx_uint_t n, const char *path)
{
    struct stat            st;
    ngx_media_vod_index_t  index;

    memset(&index, 0, sizeof(index));

    index.fd = open(path, O_RDONLY);
    index.path = path;

    if (index.fd == -1 || fstat(index.fd, &st) == -1) {
        die("open", path);
    }

    index.id.ino = n + 1;
    index.id.size = st.st_size;
    index.now = 1800000000;

    ngx_media_vod_index(&index);

    if (index.file == NULL || index.file->status != 200) {
        die(path, index.file ? (char *) index.file->error : "no memory");
    }

    files[n].fd = index.fd;
    files[n].id = index.id;
    files[n].file = index.file;

    clips[n].to = -1;
    sequences[n].clips = &clips[n];
    sequences[n].tracks = (uint64_t) -1;
}


static void
check(const ngx_media_vod_text_make_t *make, int64_t start, int64_t end)
{
    ngx_int_t                rc;
    ngx_media_mp4_frame_t    frame;
    ngx_media_mp4_reader_t   reader;

    rc = ngx_media_mp4_chunk_open(&reader, make->data,
                                  make->data + make->len);

    while (rc == NGX_OK) {
        rc = ngx_media_mp4_chunk_next(&reader, &frame);

        if (rc == NGX_OK) {

            if ((int64_t) frame.decode_time != start) {
                die("segment", "a sample is not where one ended");
            }

            start += frame.sample.duration;
        }
    }

    if (rc != NGX_DONE || start != end) {
        die("segment", "samples are not as long as it is");
    }
}


static void
write_file(FILE *file, ngx_media_vod_text_make_t *make, int64_t start,
    int64_t end)
{
    ngx_media_vod_text_make(make);

    if (make->status != 200) {
        die("segment", (char *) make->error);
    }

    if (make->wvtt) {
        check(make, start, end);
    }

    fwrite(make->data, 1, make->len, file);
    free(make->data);
}


static void
write_track(const ngx_media_vod_source_t *source, ngx_uint_t track,
    const char *dir)
{
    char                              path[512];
    FILE                             *file, *vtt;
    u_char                            init[1024];
    int64_t                           start, end;
    uint32_t                          i;
    ngx_media_params_t                params;
    const ngx_media_vod_period_t     *period;
    const ngx_media_vod_set_track_t  *t;
    ngx_media_vod_text_make_t         make;

    t = ngx_media_vod_set_track(source->set, track);
    period = ngx_media_vod_set_period_at(source->set, 0);

    snprintf(path, sizeof(path), "%s/%s.mp4", dir, t->name);

    file = fopen(path, "wb");
    if (file == NULL) {
        die("open", path);
    }

    ngx_media_vod_text_params(&params);
    fwrite(init, 1, ngx_media_mp4_write_init(init, &params), file);

    memset(&make, 0, sizeof(make));
    make.source = source;
    make.track = track;

    for (i = 0; i < period->nsegments; i++) {
        make.number = i;
        make.sequence = i + 1;

        start = ngx_media_vod_common(source->set, 0, i, 1000);
        end = ngx_media_vod_common(source->set, 0, i + 1, 1000);

        make.wvtt = 1;
        write_file(file, &make, start, end);

        snprintf(path, sizeof(path), "%s/%s-%u.vtt", dir, t->name, i);

        vtt = fopen(path, "wb");
        if (vtt == NULL) {
            die("open", path);
        }

        make.wvtt = 0;
        write_file(vtt, &make, start, end);
        fclose(vtt);

        printf("segment %s %u %ld %ld\n", t->name, i, (long) start,
               (long) end);
    }

    fclose(file);
}


int
main(int argc, char **argv)
{
    int                        i;
    ngx_uint_t                 n;
    ngx_media_vod_source_t     source;
    ngx_media_vod_set_make_t   make;

    if (argc < 4 || argc > 3 + FILES) {
        die("usage", "text DIR MSEC FILE ...");
    }

    for (i = 3; i < argc; i++) {
        open_file(i - 3, argv[i]);
    }

    map.sequences = sequences;
    map.nsequences = argc - 3;
    map.nclips = 1;
    map.first_time = -1;
    map.segment_time = -1;
    map.first_number = -1;
    map.first_clip = -1;
    map.discontinuity = 1;

    memset(&make, 0, sizeof(make));
    make.map = &map;
    make.files = files;
    make.target = strtoul(argv[2], NULL, 10);
    make.now = 1800000000;

    ngx_media_vod_set_make(&make);

    if (make.set == NULL || make.set->status != 200) {
        die("set", make.set ? (char *) make.set->error : "no memory");
    }

    memset(&source, 0, sizeof(source));
    source.set = make.set;
    source.files = files;
    source.map = &map;

    for (n = 0; n < make.set->ntracks; n++) {
        if (ngx_media_vod_set_track(make.set, n)->text) {
            write_track(&source, n, argv[1]);
        }
    }

    for (i = 3; i < argc; i++) {
        close(files[i - 3].fd);
        free((void *) files[i - 3].file);
    }

    free(make.set);

    return 0;
}
