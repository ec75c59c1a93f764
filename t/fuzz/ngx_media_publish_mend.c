
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs ingest/ngx_media_publish.c ingest/ngx_media_publish_mend.c
         ingest/ngx_media_publish_ignore.c core/ngx_media_name.c
         ingest/ngx_media_publish_name.c formats/ngx_media_adts.c
         formats/ngx_media_nal.c formats/ngx_media_sets.c
         formats/ngx_media_text.c ../unit/ngx_stub.c */


/*
 * A publisher that sends anything: what the writer is given has to be what
 * CMAF carries, and all the rest has to be counted.
 *
 *     each message: a byte of flags, two of its length, the bytes
 *
 *     bits 0 to 2   what it is, see kinds
 *     bit 3         a second track, of the last two kinds AC-3 and E-AC-3
 *     bits 4 and 5  time before it: 0, 20 ms, 1 s, 5 s
 *     bit 6         the writer has no room for tracks, bit 7: it has lost
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"
#include "core/ngx_media_claim.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_codec.h"
#include "formats/ngx_media_nal.h"
#include "ingest/ngx_media_publish.h"
#include "../unit/ngx_stub.h"
#include "../unit/media_shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define check(x)                                                              \
    if (!(x)) {                                                               \
        fprintf(stderr, "line %d: not %s\n", __LINE__, #x);                   \
        abort();                                                              \
    }


struct ngx_media_writer_s {
    ngx_media_claim_t    claim;
    ngx_uint_t           ntracks;
    ngx_media_params_t   tracks[NGX_MEDIA_TRACKS];
    ngx_uint_t           ids[NGX_MEDIA_TRACKS];
    uint64_t             taken;
    uint64_t             ignored;
};


static const struct {
    uint32_t    codec;
    ngx_uint_t  type;
    ngx_uint_t  config;
} kinds[8] = {
    { NGX_MEDIA_CODEC_H264, NGX_MEDIA_VIDEO, 1 },
    { NGX_MEDIA_CODEC_H264, NGX_MEDIA_VIDEO, 0 },
    { NGX_MEDIA_CODEC_H265, NGX_MEDIA_VIDEO, 1 },
    { NGX_MEDIA_CODEC_H265, NGX_MEDIA_VIDEO, 0 },
    { NGX_MEDIA_CODEC_AAC, NGX_MEDIA_AUDIO, 1 },
    { NGX_MEDIA_CODEC_AAC, NGX_MEDIA_AUDIO, 0 },
    { NGX_MEDIA_CODEC_MP3, NGX_MEDIA_AUDIO, 0 },
    { NGX_MEDIA_CODEC_OPUS, NGX_MEDIA_AUDIO, 0 }
};

static ngx_media_writer_t     writer;
static ngx_media_zone_t       zone;
static ngx_media_app_t        app = { .zone = &zone };
static ngx_uint_t             no_room, lost;


ngx_int_t
ngx_media_access_ask(const ngx_media_access_conf_t *conf,
    ngx_media_access_t **access, const char **reason)
{
    return NGX_OK;
}


void
ngx_media_access_cancel(ngx_media_access_t *access)
{
    check(0);
}


ngx_int_t
ngx_media_stream_acquire(ngx_media_zone_t *z, ngx_str_t *name,
    ngx_str_t *protocol, ngx_str_t *address, ngx_uint_t who,
    ngx_media_claim_t *claim)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_stream_holder(ngx_media_zone_t *z, ngx_str_t *name,
    ngx_media_holder_t *holder)
{
    return NGX_DECLINED;
}


const char *
ngx_media_claim_lost(const ngx_media_claim_t *claim)
{
    return NULL;
}


ngx_uint_t
ngx_media_claim_closed(const ngx_media_zone_t *z)
{
    return 0;
}


void
ngx_media_claim_refused(ngx_media_zone_t *z, ngx_media_refused_e why)
{
}


void
ngx_media_stream_heard(const ngx_media_claim_t *claim)
{
    check(claim == &writer.claim);
}


void
ngx_media_stream_link(const ngx_media_claim_t *claim,
    const ngx_media_link_t *link)
{
    check(claim == &writer.claim);
}


void
ngx_media_writer_lump(ngx_media_writer_t *w, ngx_uint_t track,
    ngx_msec_t lump)
{
    check(w == &writer && track < w->ntracks);
}


void
ngx_media_writer_restart(ngx_media_writer_t *w)
{
    check(w == &writer);
}


void
ngx_media_stream_ignored(const ngx_media_claim_t *claim,
    ngx_media_ignored_e kind)
{
    check(claim == &writer.claim && kind < NGX_MEDIA_IGNORED_KINDS);

    writer.ignored++;
}


void
ngx_media_stream_release(const ngx_media_claim_t *claim, const char *reason)
{
}


ngx_media_writer_t *
ngx_media_writer_create(ngx_media_app_t *a, const ngx_media_claim_t *claim,
    uint32_t timebase, uint32_t wrap, ngx_log_t *log)
{
    memset(&writer, 0, sizeof(writer));

    return &writer;
}


void
ngx_media_writer_watch(ngx_media_writer_t *w,
    void (*close)(void *data, const char *reason), void *data)
{
}


void
ngx_media_writer_end(ngx_media_writer_t *w, const char *reason)
{
}


void
ngx_media_writer_listen(ngx_media_writer_t *w, const ngx_str_t *name,
    const ngx_str_t *protocol, const ngx_str_t *address)
{
}


void
ngx_media_writer_announce(ngx_media_writer_t *w,
    const ngx_media_announce_t *announce)
{
}


void
ngx_media_writer_describe(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id, const ngx_media_attributes_t *attributes)
{
}


ngx_int_t
ngx_media_writer_track(ngx_media_writer_t *w, ngx_uint_t id,
    const ngx_media_params_t *params, ngx_uint_t *track)
{
    ngx_uint_t  i;

    check(params->config_len && params->config_len <= NGX_MEDIA_CONFIG_MAX);

    if (lost) {
        return NGX_DECLINED;
    }

    for (i = 0; i < w->ntracks; i++) {
        if (w->ids[i] == id && w->tracks[i].type == params->type) {
            break;
        }
    }

    if (i == w->ntracks) {

        if (no_room) {
            return NGX_ABORT;
        }

        check(w->ntracks < NGX_MEDIA_TRACKS);
        w->ids[w->ntracks++] = id;
    }

    w->tracks[i] = *params;
    *track = i;

    return NGX_OK;
}


ngx_int_t
ngx_media_writer_frame(ngx_media_writer_t *w, ngx_uint_t track,
    const ngx_media_writer_frame_t *frame)
{
    ngx_int_t                  rc;
    ngx_media_span_t           rest, nal;
    const ngx_media_codec_t   *codec;
    const ngx_media_params_t  *params;

    check(track < w->ntracks);
    check(frame->pos < frame->last);
    check(frame->nsec < 1000000);

    params = &w->tracks[track];

    switch (params->codec) {

    case NGX_MEDIA_CODEC_H264:
    case NGX_MEDIA_CODEC_H265:
        rest.pos = frame->pos;
        rest.last = frame->last;

        do {
            rc = ngx_media_nal_next(&rest, params->nal_length, &nal);
            check(rc != NGX_ERROR);
            check(rc != NGX_OK || nal.last[-1] != 0);
        } while (rc == NGX_OK);

        break;

    case NGX_MEDIA_CODEC_AAC:
        check(params->object_type == 42 || frame->last - frame->pos < 2
              || frame->pos[0] != 0xff || (frame->pos[1] & 0xf6) != 0xf0);
        break;

    default:
        codec = ngx_media_codec_find(params->codec);
        check(codec->size == NULL
              || codec->size(frame->pos, frame->last)
                 == (size_t) (frame->last - frame->pos));
        check(frame->samples == codec->samples(frame->pos, frame->last));
        check(frame->samples != 0);
        break;

    case NGX_MEDIA_CODEC_AC3:
        check(frame->pos[0] == 0x0b && frame->samples == 1536);
    }

    w->taken++;

    return lost ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_media_writer_data(ngx_media_writer_t *w, ngx_media_data_kind_e kind,
    uint64_t stamp, const u_char *pos, const u_char *last)
{
    return NGX_ABORT;
}


void
ngx_media_writer_bad(ngx_media_writer_t *w, ngx_uint_t track)
{
    check(track < w->ntracks);
}


void
ngx_media_writer_useless(ngx_media_writer_t *w, ngx_media_type_e type,
    ngx_uint_t id)
{
    check(type < NGX_MEDIA_TEXT);
}


uint64_t
ngx_media_writer_taken(const ngx_media_writer_t *w)
{
    return w->taken;
}


const ngx_media_claim_t *
ngx_media_writer_claim(const ngx_media_writer_t *w)
{
    return &w->claim;
}


/* a message of the input, in a buffer that ends where it does */

static ngx_media_publish_e
message(ngx_media_publisher_t *p, ngx_uint_t flags, const uint8_t *data,
    size_t size)
{
    u_char                     *copy;
    uint64_t                    before;
    ngx_media_publish_e         rc;
    ngx_media_publish_frame_t   frame;

    copy = malloc(size + 1);
    check(copy != NULL);
    memcpy(copy, data, size);

    memset(&frame, 0, sizeof(frame));

    frame.type = kinds[flags & 7].type;
    frame.codec = kinds[flags & 7].codec;
    frame.id = flags >> 3 & 1;

    if ((flags & 0x0e) == 0x0e) {
        frame.codec = (flags & 1) ? NGX_MEDIA_CODEC_EAC3 : NGX_MEDIA_CODEC_AC3;
    }

    frame.stamp = ngx_current_msec & 0xffffffff;
    frame.pos = copy;
    frame.last = copy + size;

    no_room = flags >> 6 & 1;
    lost = flags >> 7 & 1;
    before = writer.ignored + writer.taken;

    if (kinds[flags & 7].config) {
        rc = ngx_media_publish_track(p, &frame);

    } else {
        rc = ngx_media_publish_frame(p, &frame);

        /* nothing goes without a trace, but for what holds sets alone */

        check(rc != NGX_MEDIA_PUBLISH_OK || frame.type == NGX_MEDIA_VIDEO
              || writer.ignored + writer.taken > before);
    }

    check(ngx_media_publish_goes_on(rc) || rc == NGX_MEDIA_PUBLISH_USELESS
          || (rc == NGX_MEDIA_PUBLISH_LOST && lost));
    check(strlen(ngx_media_publish_sentence(rc)) > 0);

    free(copy);

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  n;
    int64_t                 now;
    ngx_uint_t              flags;
    const char             *reason;
    ngx_media_publish_t     conf;
    ngx_media_publisher_t  *p;

    static const int64_t  steps[] = { 0, 20, 1000, 5000 };

    memset(&conf, 0, sizeof(conf));

    conf.app = &app;
    ngx_str_set(&conf.name, "x");
    ngx_str_set(&conf.protocol, "test");
    ngx_str_set(&conf.address, "::1");
    conf.timebase = 1000;
    conf.wrap = 32;
    conf.log = &ngx_stub_log;

    now = 1000000;
    ngx_stub_clock(now);

    check(ngx_media_publish_begin(&conf, &p, &reason)
          == NGX_MEDIA_PUBLISH_OK);

    while (size >= 3) {
        flags = data[0];
        n = (size_t) data[1] << 8 | data[2];
        data += 3;
        size -= 3;
        n = ngx_min(n, size);

        now += steps[flags >> 4 & 3];
        ngx_stub_clock(now);

        if (!ngx_media_publish_goes_on(message(p, flags, data, n))) {
            break;
        }

        data += n;
        size -= n;
    }

    ngx_media_publish_end(p, "the end");

    return 0;
}
