
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_av_times.h"


/* packets of a file, 32 bytes each */
#define NGX_MEDIA_VOD_AV_PACKETS  (16 * 1024 * 1024)

#define NGX_MEDIA_VOD_AV_FIRST    1024


static int ngx_media_vod_av_order(const void *one, const void *two);
static void ngx_media_vod_av_default(ngx_media_vod_av_t *av);
static int64_t ngx_media_vod_av_origin(const ngx_media_vod_av_t *av);
static ngx_int_t ngx_media_vod_av_add(ngx_media_vod_av_t *av,
    ngx_media_vod_av_track_t *t, int64_t origin);
static ngx_int_t ngx_media_vod_av_samples(ngx_media_vod_av_track_t *t,
    ngx_media_vod_blob_track_t *to, const ngx_media_vod_av_time_t *times,
    uint64_t last);


void
ngx_media_vod_av_init(ngx_media_vod_av_t *av, ngx_media_vod_index_t *index)
{
    ngx_memzero(av, sizeof(ngx_media_vod_av_t));

    av->index = index;

    ngx_media_vod_blob_init(&av->blob, index);
}


ngx_media_vod_av_track_t *
ngx_media_vod_av_track(ngx_media_vod_av_t *av, ngx_media_type_e type,
    uint32_t codec)
{
    ngx_media_vod_av_track_t  *t;

    if (av->ntracks == NGX_MEDIA_VOD_TRACKS) {
        ngx_media_vod_blob_note(&av->blob, "too many tracks");
        return NULL;
    }

    t = calloc(1, sizeof(ngx_media_vod_av_track_t));

    if (t == NULL) {
        av->nomem = 1;
        return NULL;
    }

    t->track.type = type;
    t->codec = codec;

    av->tracks[av->ntracks++] = t;

    return t;
}


ngx_int_t
ngx_media_vod_av_describe(ngx_media_vod_av_t *av, ngx_media_vod_av_track_t *t,
    const ngx_media_params_t *params)
{
    ngx_media_params_t  *p;

    if (t->nparams == NGX_MEDIA_VOD_PARAMS) {
        return NGX_ERROR;
    }

    p = realloc(t->params, (t->nparams + 1) * sizeof(ngx_media_params_t));

    if (p == NULL) {
        av->nomem = 1;
        return NGX_ERROR;
    }

    t->params = p;
    p[t->nparams++] = *params;

    return NGX_OK;
}


ngx_int_t
ngx_media_vod_av_packet(ngx_media_vod_av_t *av, ngx_media_vod_av_track_t *t,
    const ngx_media_vod_av_packet_t *packet)
{
    ngx_uint_t                  room;
    ngx_media_vod_av_packet_t  *p;

    if (av->npackets == NGX_MEDIA_VOD_AV_PACKETS) {
        ngx_media_vod_blob_note(&av->blob, "too many packets");
        return NGX_ERROR;
    }

    if (t->npackets == t->room) {
        room = t->room ? t->room * 2 : NGX_MEDIA_VOD_AV_FIRST;

        p = realloc(t->packets, room * sizeof(ngx_media_vod_av_packet_t));

        if (p == NULL) {
            av->nomem = 1;
            return NGX_ERROR;
        }

        t->packets = p;
        t->room = room;
    }

    t->packets[t->npackets++] = *packet;
    av->npackets++;

    return NGX_OK;
}


ngx_media_vod_file_t *
ngx_media_vod_av_finish(ngx_media_vod_av_t *av)
{
    int64_t                origin;
    ngx_uint_t             i;
    ngx_media_vod_file_t  *file;

    origin = ngx_media_vod_av_origin(av);

    qsort(av->tracks, av->ntracks, sizeof(ngx_media_vod_av_track_t *),
          ngx_media_vod_av_order);

    ngx_media_vod_av_default(av);

    for (i = 0; i < av->ntracks && !av->nomem; i++) {

        if (ngx_media_vod_av_add(av, av->tracks[i], origin) != NGX_OK) {
            av->nomem = 1;
        }
    }

    file = av->nomem ? NULL : ngx_media_vod_blob_finish(&av->blob);

    if (file != NULL) {
        ngx_memzero(&av->blob, sizeof(ngx_media_vod_blob_t));
    }

    ngx_media_vod_av_free(av);

    return file;
}


void
ngx_media_vod_av_free(ngx_media_vod_av_t *av)
{
    ngx_uint_t                 i;
    ngx_media_vod_av_track_t  *t;

    for (i = 0; i < av->ntracks; i++) {
        t = av->tracks[i];

        free(t->params);
        free(t->packets);
        free(t->cues);
        free(t->bytes);
        free(t);
    }

    av->ntracks = 0;

    if (av->blob.index != NULL) {
        ngx_media_vod_blob_free(&av->blob);
        av->blob.index = NULL;
    }
}


static int
ngx_media_vod_av_order(const void *one, const void *two)
{
    const ngx_media_vod_av_track_t  *const *a = one;
    const ngx_media_vod_av_track_t  *const *b = two;

    return ((*a)->order < (*b)->order) ? -1 : ((*a)->order > (*b)->order);
}


/* one of each type; of video and audio the first, if nothing is said */

static void
ngx_media_vod_av_default(ngx_media_vod_av_t *av)
{
    ngx_uint_t                 i, type;
    ngx_media_vod_av_track_t  *first, *t;

    for (type = NGX_MEDIA_VIDEO; type <= NGX_MEDIA_TEXT; type++) {
        first = NULL;

        for (i = 0; i < av->ntracks; i++) {
            t = av->tracks[i];

            if (t->track.type != type
                || (t->npackets == 0 && t->ncues == 0))
            {
                continue;
            }

            if (first == NULL
                || (t->track.is_default && !first->track.is_default))
            {
                first = t;
            }
        }

        for (i = 0; i < av->ntracks; i++) {
            t = av->tracks[i];

            if (t->track.type == type) {
                t->track.is_default = (t == first)
                                      && (type != NGX_MEDIA_TEXT
                                          || t->track.is_default);
            }
        }
    }
}


/*
 * A file begins with what is shown first.  Audio before zero is what its
 * decoder needs before it can start: not shown.
 */

static int64_t
ngx_media_vod_av_origin(const ngx_media_vod_av_t *av)
{
    int64_t                          first, origin;
    ngx_uint_t                       i, n;
    const ngx_media_vod_av_track_t  *t;

    origin = INT64_MAX;

    for (i = 0; i < av->ntracks; i++) {
        t = av->tracks[i];

        if (t->npackets == 0 || t->nparams == 0) {
            continue;
        }

        first = INT64_MAX;

        for (n = 0; n < t->npackets; n++) {
            first = ngx_min(first, t->packets[n].pts);
        }

        if (t->track.type != NGX_MEDIA_VIDEO) {
            first = ngx_max(first, 0);
        }

        origin = ngx_min(origin, first);
    }

    return (origin == INT64_MAX) ? 0 : origin;
}


/* one track becomes one of the blob; NGX_ERROR: no memory */

static ngx_int_t
ngx_media_vod_av_add(ngx_media_vod_av_t *av, ngx_media_vod_av_track_t *t,
    int64_t origin)
{
    size_t                       len;
    u_char                      *text;
    uint64_t                     last;
    uint32_t                     timescale;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_media_params_t          *params;
    ngx_media_vod_av_time_t     *times;
    ngx_media_vod_blob_track_t  *to;

    if (t->ncues == 0 && (t->nparams == 0 || t->npackets == 0)) {
        return NGX_OK;
    }

    timescale = t->nparams ? t->params[0].timescale : 1000;

    to = ngx_media_vod_blob_track(&av->blob, t->track.type, timescale);

    if (to == NULL) {
        return NGX_OK;
    }

    t->track.timescale = timescale;
    to->track = t->track;

    if (t->ncues) {
        text = ngx_media_vod_av_text(t, origin, &len);

        if (text == NULL) {
            return NGX_ERROR;
        }

        ngx_media_vod_blob_text(to, text, len);
        return NGX_OK;
    }

    for (i = 0; i < t->nparams; i++) {
        params = ngx_media_vod_blob_params(to);

        if (params == NULL) {
            return NGX_OK;
        }

        *params = t->params[i];
        params->timescale = timescale;
    }

    to->edit = 1;

    times = malloc(t->npackets * sizeof(ngx_media_vod_av_time_t));

    if (times == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_media_vod_av_times(t, origin, timescale, times, &last);

    if (rc == NGX_OK) {
        rc = ngx_media_vod_av_samples(t, to, times, last);

    } else if (rc == NGX_DECLINED) {
        ngx_media_vod_blob_note(&av->blob, "impossible time stamps");
        to->drop = 1;
        rc = NGX_OK;
    }

    free(times);

    return rc;
}


/* what cannot be added is noted by the blob */

static ngx_int_t
ngx_media_vod_av_samples(ngx_media_vod_av_track_t *t,
    ngx_media_vod_blob_track_t *to, const ngx_media_vod_av_time_t *times,
    uint64_t last)
{
    ngx_uint_t                  i;
    ngx_media_index_sample_t    sample;
    ngx_media_vod_av_packet_t  *packet;

    for (i = 0; i < t->npackets; i++) {
        packet = &t->packets[i];

        sample.offset = packet->offset;
        sample.dts = times[i].dts;
        sample.cto = times[i].pts - times[i].dts;
        sample.duration = last;
        sample.size = packet->size;
        sample.description = packet->description;
        sample.key = packet->key;

        if (ngx_media_vod_blob_add(to, &sample) != NGX_OK) {
            break;
        }
    }

    return NGX_OK;
}
