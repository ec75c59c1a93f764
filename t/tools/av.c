
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What ngx_media_vod_index() knows of a file, as text; the other half of
 * t/vod_av.t.
 *
 *     av FILE [DIRECTORY]
 *
 * Converted files are kept in the directory.  Prints "status N ERROR", "track
 * N ..." for each track and "sample N PTS DTS SIZE POS FLAGS DURATION" for
 * each sample that is presented; "text N", and the text, of a sidecar.
 */

/* link: @codecs formats/ngx_media_amf.c formats/ngx_media_charset.c
         formats/ngx_media_flv.c formats/ngx_media_index.c
         formats/ngx_media_index_build.c formats/ngx_media_mp4_box.c
         formats/ngx_media_mp4_entry.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_record.c
         formats/ngx_media_sets.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c formats/ngx_media_wvtt_sample.c
         files/ngx_media_vod_av.c files/ngx_media_vod_av_frame.c
         files/ngx_media_vod_av_text.c files/ngx_media_vod_av_times.c
         files/ngx_media_vod_blob.c formats/ngx_media_lang.c
         files/ngx_media_vod_flv.c files/ngx_media_vod_index.c
         files/ngx_media_vod_index_av.c files/ngx_media_vod_index_mp4.c
         files/ngx_media_vod_index_mp4_track.c
         files/ngx_media_vod_index_text.c files/ngx_media_vod_lav.c
         files/ngx_media_vod_lav_params.c files/ngx_media_vod_lav_convert.c
         files/ngx_media_vod_lav_read.c files/ngx_media_vod_lav_text.c
         files/ngx_media_vod_temp.c av/ngx_media_av.c -lavformat -lavcodec
         -lswscale -lswresample -lavutil */


#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_codec.h"
#include "vod/ngx_media_vod.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


static void
print_params(ngx_uint_t n, const ngx_media_params_t *params)
{
    u_char                    string[NGX_MEDIA_CODEC_STRING_MAX + 1];
    const ngx_media_codec_t  *codec;

    codec = ngx_media_codec_find(params->codec);

    if (codec == NULL) {
        printf("params %lu none\n", (unsigned long) n);
        return;
    }

    string[codec->string(string, params)] = 0;

    printf("params %lu %s %ux%u sar %u:%u rate %u channels %u frame %u"
           " transfer %u\n", (unsigned long) n, string, params->width,
           params->height, params->sar_num, params->sar_den,
           params->sample_rate, params->channels, params->frame_samples,
           params->transfer);
}


static void
print_samples(ngx_uint_t n, const ngx_media_index_t *index)
{
    uint32_t                   i;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    ngx_media_index_open(&reader, index);
    (void) ngx_media_index_seek(&reader, index->first);

    for (i = index->first; i < index->end; i++) {

        if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
            printf("error index\n");
            return;
        }

        printf("sample %lu %ld %ld %u %lu %s %lu\n", (unsigned long) n,
               (long) (sample.dts + sample.cto), (long) sample.dts,
               sample.size, (unsigned long) sample.offset,
               sample.key ? "K" : "_", (unsigned long) sample.duration);
    }
}


static void
print_track(const ngx_media_vod_file_t *file, ngx_uint_t n)
{
    ngx_uint_t                    i;
    const ngx_media_params_t     *params;
    ngx_media_index_t            *index;
    const ngx_media_vod_track_t  *track;

    track = &file->tracks[n];

    printf("track %lu type %u timescale %u lang %s label %s flags %u%u%u%u"
           " rotation %u\n", (unsigned long) n, track->type, track->timescale,
           track->lang, track->label, track->is_default, track->forced,
           track->sdh, track->described, track->rotation);

    if (track->sidecar) {
        printf("text %lu %.*s", (unsigned long) n, (int) track->nparams,
               (char *) ngx_media_vod_at(file, track->params));
        return;
    }

    for (i = 0; i < track->nparams; i++) {
        params = ngx_media_params_at(ngx_media_vod_at(file, track->params),
                                     track->params_size, i);
        print_params(n, params);
    }

    index = ngx_media_vod_at(file, track->index);

    printf("index %lu samples %u keys %u first %u size %u delay %ld\n",
           (unsigned long) n, index->nsamples, index->nkeys, index->first,
           index->size, (long) index->delay);

    print_samples(n, index);
}


int
main(int argc, char **argv)
{
    struct stat            st;
    ngx_uint_t             n;
    ngx_media_vod_file_t  *file;
    ngx_media_vod_index_t  index;

    ngx_memzero(&index, sizeof(ngx_media_vod_index_t));

    index.fd = (argc > 1) ? open(argv[1], O_RDONLY) : -1;

    if (index.fd < 0 || fstat(index.fd, &st) < 0) {
        printf("status 404 no such file\n");
        return 1;
    }

    index.id.dev = st.st_dev;
    index.id.ino = st.st_ino;
    index.id.size = st.st_size;
    index.id.mtime = st.st_mtime;
    index.path = argv[1];
    index.temp = (argc > 2) ? argv[2] : NULL;

    ngx_media_vod_index(&index);

    file = index.file;

    if (file == NULL) {
        printf("status 0 no memory\n");
        return 1;
    }

    printf("status %u %s\n", file->status, file->error);

    for (n = 0; n < file->ntracks; n++) {
        print_track(file, n);
    }

    free(file);
    close(index.fd);

    return 0;
}
