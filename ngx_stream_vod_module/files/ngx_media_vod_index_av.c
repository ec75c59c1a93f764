
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Files that are neither MP4 nor text.  FLV is read by ourselves: old versions
 * of libavformat know nothing of its newer codecs.
 */


#include "files/ngx_media_vod_av.h"

#if (NGX_MEDIA_HAVE_AV)
#include "files/ngx_media_vod_lav.h"
#endif


#if (NGX_MEDIA_HAVE_AV)
static ngx_media_vod_file_t *ngx_media_vod_index_lav(
    ngx_media_vod_index_t *index);
#endif


ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    u_char                 head[4];
    ngx_media_vod_file_t  *file;

    if (index->id.size > sizeof(head)) {

        if (ngx_media_vod_index_read(index, head, sizeof(head), 0, &file)
            != NGX_OK)
        {
            return file;
        }

        /* and the version, E.2 */

        if (ngx_memcmp(head, "FLV\x01", sizeof(head)) == 0) {
            return ngx_media_vod_index_flv(index);
        }
    }

#if (NGX_MEDIA_HAVE_AV)

    return ngx_media_vod_index_lav(index);

#else

    return ngx_media_vod_index_fail(index, 415,
                                    "neither MP4 nor FLV, and built without "
                                    "libavformat");

#endif
}


#if (NGX_MEDIA_HAVE_AV)

static ngx_media_vod_file_t *
ngx_media_vod_index_lav(ngx_media_vod_index_t *index)
{
    ngx_int_t            rc;
    ngx_uint_t           nomem;
    ngx_media_vod_av_t   av;
    ngx_media_vod_lav_t  lav;

    nomem = 0;

    rc = ngx_media_vod_lav_open(&lav, index, 0);

    if (rc == NGX_OK) {
        rc = NGX_AGAIN;

        if (!(lav.demuxer->flags & NGX_MEDIA_VOD_LAV_CONVERT)) {
            ngx_media_vod_av_init(&av, index);

            rc = ngx_media_vod_lav_read(&lav, &av);

            if (rc == NGX_OK) {
                ngx_media_vod_lav_close(&lav);
                return ngx_media_vod_av_finish(&av);
            }

            nomem = av.nomem;

            ngx_media_vod_av_free(&av);
        }
    }

    ngx_media_vod_lav_close(&lav);

    if (rc == NGX_DECLINED) {
        return ngx_media_vod_index_fail(index, 415, "unknown format");
    }

    if (rc == NGX_AGAIN) {
        return ngx_media_vod_lav_convert(index);
    }

    if (lav.err) {
        return ngx_media_vod_index_fail(index, 500,
                                        "reading failed, errno:%d", lav.err);
    }

    if (lav.demuxer == NULL || nomem) {
        return NULL;
    }

    return ngx_media_vod_index_fail(index, 415, "%s: %s", lav.demuxer->name,
                                    lav.bound ? "reading it does not end"
                                              : "too many packets");
}

#endif
