
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_flv.c
         formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_record.c
         formats/ngx_media_sets.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c files/ngx_media_vod_av.c
         files/ngx_media_vod_av_frame.c files/ngx_media_vod_av_text.c
         files/ngx_media_vod_av_times.c files/ngx_media_vod_blob.c
         formats/ngx_media_lang.c files/ngx_media_vod_flv.c */


/* FLV files: whatever they are, what is indexed lies within them */


#define _GNU_SOURCE

#include "files/ngx_media_vod_av.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
ngx_media_vod_index_fail(ngx_media_vod_index_t *index, ngx_uint_t status,
    const char *fmt, ...)
{
    ngx_media_vod_file_t  *file;

    file = calloc(1, sizeof(ngx_media_vod_file_t));
    check(file != NULL);

    file->status = (uint32_t) status;

    return file;
}


static void
samples(const ngx_media_vod_file_t *file, const ngx_media_vod_track_t *track)
{
    int64_t                    dts;
    uint32_t                   i;
    const ngx_media_index_t   *index;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    index = ngx_media_vod_at(file, track->index);
    dts = INT64_MIN;

    check(ngx_media_index_check(index, index->size) == NGX_OK);

    ngx_media_index_open(&reader, index);

    for (i = 0; i < index->nsamples; i++) {
        check(ngx_media_index_next(&reader, &sample) == NGX_OK);
        check(sample.size != 0 && sample.offset <= file->id.size
              && sample.size <= file->id.size - sample.offset);
        check(sample.description && sample.description <= track->nparams);
        check(sample.dts >= dts);

        dts = sample.dts;
    }

    check(ngx_media_index_next(&reader, &sample) == NGX_DONE);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t                n;
    ngx_media_vod_file_t   *file;
    ngx_media_vod_index_t   index;

    ngx_memzero(&index, sizeof(ngx_media_vod_index_t));

    index.fd = memfd_create("fuzz", 0);
    check(index.fd >= 0);
    check(write(index.fd, data, size) == (ssize_t) size);

    index.id.size = size;

    file = ngx_media_vod_index_flv(&index);

    check(file != NULL);
    check(file->status == 200 || file->ntracks == 0);

    for (n = 0; n < file->ntracks; n++) {
        samples(file, &file->tracks[n]);
    }

    free(file);
    close(index.fd);

    return 0;
}
