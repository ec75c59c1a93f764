
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_index.c formats/ngx_media_index_build.c
         formats/ngx_media_mp4_box.c formats/ngx_media_mp4_entry.c
         formats/ngx_media_mp4_file.c formats/ngx_media_mp4_moof.c
         formats/ngx_media_mp4_moov.c formats/ngx_media_mp4_stbl.c
         formats/ngx_media_record.c formats/ngx_media_sets.c
         formats/ngx_media_plan.c formats/ngx_media_fill.c
         formats/ngx_media_text.c */


/* a whole file: boxes, tables, fragments, indexes, plans, descriptions */


#include "formats/ngx_media_mp4_entry.h"
#include "media_mp4.h"


static media_mp4_read_t  file;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
entries(media_mp4_read_t *r, ngx_media_mp4_track_t *track)
{
    ngx_int_t               rc;
    ngx_uint_t              n;
    ngx_media_params_t      params;
    ngx_media_mp4_entry_t   entry;

    for (n = 1; n < 100; n++) {
        rc = ngx_media_mp4_entry(&r->moov, track, n, &entry);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_ERROR) {
            (void) media_mp4_error(r, &r->error);
            return;
        }

        if (rc == NGX_OK
            && ngx_media_mp4_params(&r->moov, track, &entry, NULL, &params)
               == NGX_ERROR)
        {
            (void) media_mp4_error(r, &r->error);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t  n;

    (void) media_mp4_read(&file, data, size);

    for (n = 0; n < file.moov.ntracks; n++) {
        entries(&file, &file.tracks[n]);
    }

    media_mp4_read_free(&file);

    return 0;
}
