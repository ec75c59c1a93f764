
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_flv.c formats/ngx_media_flv_tracks.c
         formats/ngx_media_amf.c formats/ngx_media_text.c */


#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_tracks.h"

#include <stdint.h>
#include <stdlib.h>


static void
tracks(const ngx_media_amf_value_t *map, const u_char *pos,
    const u_char *last)
{
    ngx_media_flv_track_t     track;
    ngx_media_amf_iterator_t  it;

    ngx_media_amf_iterate(&it, map);

    while (ngx_media_flv_track_next(&it, &track) == NGX_OK) {

        if (track.id > 255
            || (track.title.pos != NULL
                && (track.title.pos < pos || track.title.last > last)))
        {
            abort();
        }
    }
}


static void
message(uint32_t type, const u_char *pos, const u_char *last)
{
    int                       rc;
    size_t                    n;
    ngx_media_flv_packet_t    packet;
    ngx_media_flv_metadata_t  meta;
    ngx_media_flv_iterator_t  it;

    switch (type) {

    case 8:
        rc = ngx_media_flv_audio(&it, pos, last);
        break;

    case 9:
        rc = ngx_media_flv_video(&it, pos, last);
        break;

    default:
        (void) ngx_media_flv_metadata(pos, last, &meta);

        if (meta.name.pos != NULL
            && (meta.name.pos < pos || meta.name.last > last))
        {
            abort();
        }

        tracks(&meta.audio_tracks, pos, last);
        tracks(&meta.video_tracks, pos, last);

        return;
    }

    if (rc == NGX_ERROR) {
        return;
    }

    for (n = 0; n <= (size_t) (last - pos) + 1; n++) {

        rc = ngx_media_flv_next(&it, &packet);

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            if (ngx_media_flv_next(&it, &packet) != NGX_DONE) {
                abort();
            }

            return;
        }

        if (packet.body.pos < pos || packet.body.last > last
            || packet.body.pos > packet.body.last || packet.nano > 999999
            || packet.track > 255 || packet.cts < -0x800000
            || packet.cts > 0x7fffff)
        {
            abort();
        }
    }

    /* more packets than bytes */
    abort();
}


/* the first byte: a message type, or a run of tags */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const u_char          *last;
    ngx_media_flv_tag_t    tag;
    ngx_media_flv_tags_t   tags;

    if (size == 0) {
        return 0;
    }

    last = data + size;

    if (data[0] != 22) {
        message(data[0], data + 1, last);
        return 0;
    }

    ngx_media_flv_tags(&tags, data + 1, last, 0);

    while (ngx_media_flv_tag(&tags, &tag) == NGX_OK) {

        if (tag.body.pos < data || tag.body.last > last) {
            abort();
        }

        message(tag.type, tag.body.pos, tag.body.last);
    }

    return 0;
}
