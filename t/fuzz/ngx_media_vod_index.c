
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_charset.c formats/ngx_media_index.c
         formats/ngx_media_index_build.c formats/ngx_media_mp4_box.c
         formats/ngx_media_mp4_entry.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_record.c
         formats/ngx_media_sets.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c files/ngx_media_vod_blob.c
         formats/ngx_media_lang.c files/ngx_media_vod_index.c
         files/ngx_media_vod_index_mp4.c files/ngx_media_vod_index_mp4_track.c
         files/ngx_media_vod_index_text.c */


/* files, as their readers in threads see them */


#define _GNU_SOURCE

#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define check(expr)                                                           \
    do {                                                                      \
        if (!(expr)) {                                                        \
            printf("failed: %s, line %d\n", #expr, __LINE__);                 \
            fflush(stdout);                                                   \
            abort();                                                          \
        }                                                                     \
    } while (0)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    return ngx_media_vod_index_fail(index, 415, "not read here");
}


static void
samples(const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *track)
{
    uint32_t                   i;
    const ngx_media_index_t   *index;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    index = ngx_media_vod_at(file, track->index);

    check(index->size <= file->size - track->index);
    check(ngx_media_index_check(index, index->size) == NGX_OK);
    check(index->first < index->end && index->end <= index->nsamples);
    check(index->timescale == track->timescale);

    ngx_media_index_open(&reader, index);

    for (i = 0; i < index->nsamples; i++) {
        check(ngx_media_index_next(&reader, &sample) == NGX_OK);
        check(sample.size == 0
              || (sample.offset <= file->id.size
                  && sample.size <= file->id.size - sample.offset));
        check(sample.description && sample.description <= track->nparams);
    }

    check(ngx_media_index_next(&reader, &sample) == NGX_DONE);
}


static void
params(const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *track)
{
    size_t                     size;
    u_char                     string[NGX_MEDIA_CODEC_STRING_MAX];
    u_char                    *entry;
    uint32_t                   i, served;
    const ngx_media_codec_t   *codec;
    const ngx_media_params_t  *p;

    served = 0;

    check(track->params_size >= offsetof(ngx_media_params_t, config));
    check((file->size - track->params) / track->params_size
          >= track->nparams);

    for (i = 0; i < track->nparams; i++) {
        p = ngx_media_params_at(ngx_media_vod_at(file, track->params),
                                track->params_size, i);

        check(ngx_media_params_size(p) <= track->params_size);

        if (p->codec == 0) {
            continue;
        }

        served++;

        check(p->type == track->type && p->timescale == track->timescale);
        check(p->config_len <= NGX_MEDIA_CONFIG_MAX);

        codec = ngx_media_codec_find(p->codec);

        if (codec == NULL) {
            check(p->codec == NGX_MEDIA_CODEC_TX3G);
            continue;
        }

        check(codec->string(string, p) <= sizeof(string));

        size = codec->entry(NULL, p);
        entry = malloc(size);
        check(entry != NULL);
        check(codec->entry(entry, p) == size);
        free(entry);
    }

    check(served != 0);
}


static void
index_file(int fd, const char *path, size_t size)
{
    uint32_t                      i;
    ngx_media_vod_file_t         *file;
    ngx_media_vod_index_t         index;
    const ngx_media_vod_track_t  *track;

    memset(&index, 0, sizeof(ngx_media_vod_index_t));

    index.fd = fd;
    index.path = path;
    index.id.size = size;
    index.max_moov = 1024 * 1024;
    index.max_samples = 20000;

    ngx_media_vod_index(&index);

    file = index.file;

    check(file != NULL);
    check(file->status == 200 || file->status == 415);
    check((file->ntracks != 0) == (file->status == 200));
    check(strnlen((char *) file->error, NGX_MEDIA_VOD_ERROR)
          < NGX_MEDIA_VOD_ERROR);
    check(file->status == 200 || file->error[0]);

    for (i = 0; i < file->ntracks; i++) {
        track = &file->tracks[i];

        check(strlen((char *) track->lang) < NGX_MEDIA_LANG);
        check(strlen((char *) track->label) < NGX_MEDIA_LABEL);

        if (track->sidecar) {
            check(track->nparams <= file->size - track->params);
            continue;
        }

        params(file, track);
        samples(file, track);
    }

    free(file);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int  fd = -1;

    if (fd == -1) {
        fd = memfd_create("file", 0);
        check(fd >= 0);
    }

    check(ftruncate(fd, size) == 0);
    check(pwrite(fd, data, size, 0) == (ssize_t) size);

    index_file(fd, NULL, size);
    index_file(fd, "movie.en.forced.srt", size);

    return 0;
}
