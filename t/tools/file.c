
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What the readers of files make of files, as text; the other half of
 * t/vod_index.t.
 *
 *     file FILE...
 *
 * Prints a line "file" and for each of its tracks "track", with fields
 * "|NAME=VALUE".  Files that are for libavformat are not read here.
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
         files/ngx_media_vod_index_mp4.c
         files/ngx_media_vod_index_mp4_track.c
         files/ngx_media_vod_index_text.c */


#include "files/ngx_media_vod_index.h"
#include "formats/ngx_media_codec.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    return ngx_media_vod_index_fail(index, 415, "not read here");
}


static void
print_index(const ngx_media_index_t *index)
{
    int64_t                    end, start;
    uint32_t                   i;
    ngx_media_index_reader_t   reader;
    ngx_media_index_sample_t   sample;

    ngx_media_index_open(&reader, index);

    (void) ngx_media_index_seek(&reader, index->first);

    start = INT64_MAX;
    end = INT64_MIN;

    for (i = index->first; i < index->end; i++) {

        if (ngx_media_index_next(&reader, &sample) != NGX_OK) {
            printf("|broken=1");
            break;
        }

        start = ngx_min(start, sample.dts + sample.cto);
        end = ngx_max(end, (int64_t) (sample.dts + sample.cto
                                      + sample.duration));
    }

    printf("|samples=%u|keys=%u|first=%u|end=%u|from=%.3f|to=%.3f",
           index->nsamples, index->nkeys, index->first, index->end,
           (double) start / index->timescale, (double) end / index->timescale);
}


static void
print_track(const ngx_media_vod_file_t *file,
    const ngx_media_vod_track_t *track)
{
    u_char                    string[NGX_MEDIA_CODEC_STRING_MAX + 1];
    uint32_t                  i;
    const ngx_media_codec_t  *codec;
    const ngx_media_index_t  *index;
    const ngx_media_params_t *params;

    static const char  *const types[] = { "video", "audio", "text" };

    printf("track|type=%s|timescale=%u|lang=%s|label=%s|flags=%s%s%s%s%s",
           types[track->type], track->timescale, track->lang, track->label,
           track->is_default ? " default" : "", track->forced ? " forced" : "",
           track->sdh ? " sdh" : "", track->described ? " described" : "",
           track->sidecar ? " sidecar" : "");

    if (track->sidecar) {
        printf("|bytes=%u\n", track->nparams);
        return;
    }

    index = ngx_media_vod_at(file, track->index);

    if (ngx_media_index_check(index, index->size) != NGX_OK) {
        printf("|broken=1\n");
        return;
    }

    print_index(index);

    for (i = 0; i < track->nparams; i++) {
        params = ngx_media_params_at(ngx_media_vod_at(file, track->params),
                                     track->params_size, i);
        codec = ngx_media_codec_find(params->codec);

        if (codec) {
            string[codec->string(string, params)] = '\0';
            printf("|codec=%s", string);

        } else {
            printf("|codec=%x", params->codec);
        }

        if (track->type == NGX_MEDIA_VIDEO) {
            printf(" %ux%u", params->width, params->height);

        } else if (track->type == NGX_MEDIA_AUDIO) {
            printf(" %u %u", params->sample_rate, params->channels);
        }
    }

    if (track->rotation) {
        printf("|rotation=%u", track->rotation);
    }

    if (track->supplemental[0]) {
        printf("|supplemental=%s/%s", track->supplemental, track->brands);
    }

    printf("%s\n", index->truncated ? "|truncated=1" : "");
}


static void
print_file(const char *path)
{
    uint32_t                     i;
    struct stat                  st;
    ngx_media_vod_index_t        index;
    const ngx_media_vod_file_t  *file;

    ngx_memzero(&index, sizeof(ngx_media_vod_index_t));

    index.fd = open(path, O_RDONLY);
    index.path = path;

    if (index.fd < 0 || fstat(index.fd, &st) < 0) {
        printf("file|status=404|path=%s\n", path);
        return;
    }

    index.id.dev = st.st_dev;
    index.id.ino = st.st_ino;
    index.id.size = st.st_size;

    ngx_media_vod_index(&index);

    close(index.fd);

    file = index.file;

    if (file == NULL) {
        printf("no memory\n");
        return;
    }

    printf("file|status=%u|path=%s|size=%u|tag=%016lx|tracks=%u|offset=%lu"
           "|fragmented=%u|error=%s\n", file->status, path, file->size,
           (unsigned long) file->tag, file->ntracks,
           (unsigned long) file->offset, file->fragmented, file->error);

    for (i = 0; i < file->ntracks; i++) {
        print_track(file, &file->tracks[i]);
    }

    free(index.file);
}


int
main(int argc, char **argv)
{
    int  i;

    for (i = 1; i < argc; i++) {
        print_file(argv[i]);
    }

    return 0;
}
