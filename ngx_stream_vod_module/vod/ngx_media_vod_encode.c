
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "vod/ngx_media_vod_encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>


/* us of one step */
#define NGX_MEDIA_VOD_ENCODE_STEP       20000

/* of files, where nobody waits for the next picture */
#define NGX_MEDIA_VOD_ENCODE_LOOKAHEAD  10

/* samples of one segment that are decoded */
#define NGX_MEDIA_VOD_ENCODE_SAMPLES    NGX_MEDIA_VOD_MADE_SAMPLES


static ngx_int_t ngx_media_vod_encode_start(ngx_media_vod_encode_t *enc);
static ngx_int_t ngx_media_vod_encode_list(ngx_media_vod_encode_t *enc);
static ngx_int_t ngx_media_vod_encode_preroll(ngx_media_vod_encode_t *enc,
    ngx_media_index_reader_t *reader, uint32_t *first);
static void ngx_media_vod_encode_want(ngx_media_vod_encode_t *enc);
static int ngx_media_vod_encode_compare(const void *one, const void *two);
static ngx_int_t ngx_media_vod_encode_one(ngx_media_vod_encode_t *enc);
static ngx_int_t ngx_media_vod_encode_send(ngx_media_vod_encode_t *enc);
static ngx_int_t ngx_media_vod_encode_read(ngx_media_vod_encode_t *enc,
    const ngx_media_index_sample_t *sample);
static ngx_int_t ngx_media_vod_encode_picture(ngx_media_vod_encode_t *enc,
    ngx_media_av_frame_t *frame);
static ngx_int_t ngx_media_vod_encode_scaled(ngx_media_vod_encode_t *enc,
    ngx_media_av_frame_t *frame, const ngx_media_vod_encode_time_t *wanted);
static ngx_int_t ngx_media_vod_encode_open(ngx_media_vod_encode_t *enc,
    const ngx_media_av_frame_t *like);
static ngx_int_t ngx_media_vod_encode_packets(ngx_media_vod_encode_t *enc);
static ngx_int_t ngx_media_vod_encode_put(ngx_media_vod_encode_t *enc,
    const ngx_media_av_packet_t *packet);
static int64_t ngx_media_vod_encode_dts(const ngx_media_vod_encode_t *enc,
    uint32_t n);
static ngx_int_t ngx_media_vod_encode_end(ngx_media_vod_encode_t *enc);
static ngx_int_t ngx_media_vod_encode_same(ngx_media_vod_encode_t *enc);
static uint64_t ngx_media_vod_encode_now(void);
static ngx_int_t ngx_media_vod_encode_fail(ngx_media_vod_encode_t *enc,
    const char *what, const u_char *why);


#define ngx_media_vod_encode_pts(enc, sample)                                 \
    ((sample)->dts + (sample)->cto - (enc)->origin)


void
ngx_media_vod_encode_conf(ngx_media_av_encoder_conf_t *conf,
    const ngx_media_ladder_rung_t *rung, const ngx_media_params_t *own,
    ngx_uint_t bframes, const ngx_media_av_kind_t *kind)
{
    ngx_memzero(conf, sizeof(ngx_media_av_encoder_conf_t));

    conf->kind = kind;
    conf->width = own->width;
    conf->height = own->height;
    conf->fps_num = own->fps_num;
    conf->fps_den = own->fps_den;
    conf->bitrate = (uint32_t) ngx_min(rung->bitrate, UINT32_MAX);
    conf->crf = rung->crf;
    conf->preset = rung->preset;
    conf->options = rung->options;
    conf->bframes = bframes;
    conf->lookahead = rung->lookahead_set ? rung->lookahead
                                          : NGX_MEDIA_VOD_ENCODE_LOOKAHEAD;
    conf->threads = rung->threads;
    conf->bit_depth = own->bit_depth;
    conf->file = 1;
}


ngx_uint_t
ngx_media_vod_encode_reorder(const ngx_media_index_t *index)
{
    int64_t    delay;
    ngx_int_t  rc;

    ngx_media_index_sample_t  first, last;

    /* the composition offset of a key frame, in pictures */

    rc = ngx_media_index_sample(index, index->first, &first);

    if (rc != NGX_OK || index->end - index->first < 2
        || ngx_media_index_sample(index, index->end - 1, &last) != NGX_OK
        || last.dts <= first.dts)
    {
        return 0;
    }

    delay = (index->delay - index->min_cto) + first.cto;

    if (delay <= 0) {
        return 0;
    }

    delay = (int64_t) ((double) delay * (index->end - index->first - 1)
                       / (double) (last.dts - first.dts) + 0.9);

    return (ngx_uint_t) ngx_min(delay, NGX_MEDIA_AV_REORDER);
}


ngx_int_t
ngx_media_vod_encode_step(ngx_media_vod_encode_t *enc)
{
    uint64_t   begun;
    ngx_int_t  rc;

    begun = ngx_media_vod_encode_now();

    if (enc->samples == NULL) {
        rc = ngx_media_vod_encode_start(enc);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    do {
        rc = ngx_media_vod_encode_one(enc);

    } while (rc == NGX_AGAIN
             && ngx_media_vod_encode_now() - begun
                < NGX_MEDIA_VOD_ENCODE_STEP);

    return rc;
}


static ngx_int_t
ngx_media_vod_encode_start(ngx_media_vod_encode_t *enc)
{
    u_char  error[NGX_MEDIA_AV_ERROR];

    if (ngx_media_vod_encode_list(enc) != NGX_OK) {
        return NGX_ERROR;
    }

    enc->decoder = ngx_media_av_decoder_open(enc->source,
                                    ngx_media_vod_encode_reorder(enc->index),
                                    error);
    if (enc->decoder == NULL) {
        return ngx_media_vod_encode_fail(enc, "decoder", error);
    }

    enc->scaler = ngx_media_av_scaler_open(enc->own->width, enc->own->height,
                                           enc->own->bit_depth, error);
    if (enc->scaler == NULL) {
        return ngx_media_vod_encode_fail(enc, "scaler", error);
    }

    return NGX_OK;
}


/* what is read, and the pictures that are wanted of it */

static ngx_int_t
ngx_media_vod_encode_list(ngx_media_vod_encode_t *enc)
{
    uint32_t                  first, i, n;
    ngx_media_index_reader_t  reader;

    if (enc->segment.samples == 0
        || enc->segment.samples > NGX_MEDIA_VOD_ENCODE_SAMPLES)
    {
        return ngx_media_vod_encode_fail(enc, "too many pictures", NULL);
    }

    ngx_media_index_open(&reader, enc->index);

    first = enc->segment.sample;

    if (ngx_media_vod_encode_preroll(enc, &reader, &first) != NGX_OK
        || ngx_media_index_seek(&reader, first) != NGX_OK)
    {
        return ngx_media_vod_encode_fail(enc, "index is broken", NULL);
    }

    enc->preroll = enc->segment.sample - first;
    n = enc->preroll + enc->segment.samples;

    enc->samples = malloc(n * sizeof(ngx_media_index_sample_t));
    enc->wanted = malloc(enc->segment.samples
                         * sizeof(ngx_media_vod_encode_time_t));
    enc->times = malloc(enc->segment.samples
                        * sizeof(ngx_media_vod_encode_time_t));

    if (enc->samples == NULL || enc->wanted == NULL || enc->times == NULL) {
        return ngx_media_vod_encode_fail(enc, "no memory", NULL);
    }

    for (i = 0; i < n; i++) {
        if (ngx_media_index_next(&reader, &enc->samples[i]) != NGX_OK) {
            return ngx_media_vod_encode_fail(enc, "index is broken", NULL);
        }
    }

    enc->nsamples = n;

    ngx_media_vod_encode_want(enc);

    return NGX_OK;
}


/* where the GOP before begins, if any picture is shown before the key frame */

static ngx_int_t
ngx_media_vod_encode_preroll(ngx_media_vod_encode_t *enc,
    ngx_media_index_reader_t *reader, uint32_t *first)
{
    int64_t                   begin;
    uint32_t                  i;
    ngx_media_index_sample_t  sample;

    begin = 0;

    if (ngx_media_index_seek(reader, enc->segment.sample) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < enc->segment.samples; i++) {

        if (ngx_media_index_next(reader, &sample) != NGX_OK) {
            return NGX_ERROR;
        }

        if (i == 0) {
            begin = sample.dts + sample.cto;

        } else if (sample.dts + sample.cto < begin) {
            break;
        }
    }

    if (i == enc->segment.samples) {
        return NGX_OK;
    }

    if (ngx_media_index_seek_key(reader, begin - 1) == NGX_OK
        && reader->number < enc->segment.sample
        && enc->segment.sample - reader->number
           <= NGX_MEDIA_VOD_ENCODE_SAMPLES)
    {
        *first = reader->number;
    }

    return NGX_OK;
}


/*
 * In the order in which they are shown, the n-th with the decode time of the
 * n-th frame.  fps=half: the first one, and each that is 1.5 pictures behind
 * the last one that is taken.
 */

static void
ngx_media_vod_encode_want(ngx_media_vod_encode_t *enc)
{
    int64_t                       apart, from;
    uint32_t                      i, n;
    ngx_media_vod_encode_time_t  *wanted;

    const ngx_media_index_sample_t  *samples;

    samples = enc->samples + enc->preroll;
    wanted = enc->wanted;
    n = enc->segment.samples;

    for (i = 0; i < n; i++) {
        wanted[i].pts = ngx_media_vod_encode_pts(enc, &samples[i]);
    }

    from = enc->preroll ? INT64_MIN : wanted[0].pts;

    /* in ticks of 1 / n, since a picture may last one of the file's */

    apart = enc->rung->half ? (int64_t) enc->segment.duration * 3 / 2 : n;

    qsort(wanted, n, sizeof(ngx_media_vod_encode_time_t),
          ngx_media_vod_encode_compare);

    for (i = 0; i < n; i++) {
        wanted[i].dts = samples[i].dts - enc->origin - enc->segment.time;

        if (wanted[i].pts < from
            || (enc->nwanted
                && (wanted[i].pts - wanted[enc->nwanted - 1].pts) * n < apart))
        {
            continue;
        }

        wanted[enc->nwanted++] = wanted[i];
    }
}


static int
ngx_media_vod_encode_compare(const void *one, const void *two)
{
    const ngx_media_vod_encode_time_t  *a = one;
    const ngx_media_vod_encode_time_t  *b = two;

    return (a->pts < b->pts) ? -1 : (a->pts > b->pts);
}


/* about one picture */

static ngx_int_t
ngx_media_vod_encode_one(ngx_media_vod_encode_t *enc)
{
    ngx_media_av_frame_t  *frame;

    if (enc->ending) {
        return ngx_media_vod_encode_end(enc);
    }

    frame = ngx_media_av_decoder_picture(enc->decoder);

    if (frame) {
        return ngx_media_vod_encode_picture(enc, frame);
    }

    if (enc->sample < enc->nsamples) {
        return ngx_media_vod_encode_send(enc);
    }

    if (!enc->drained) {
        ngx_media_av_decoder_drain(enc->decoder);
        enc->drained = 1;
        return NGX_AGAIN;
    }

    if (enc->e == NULL) {
        return ngx_media_vod_encode_fail(enc, "no picture can be decoded",
                                         NULL);
    }

    /* what is kept is for ever, want of memory is not */

    if (ngx_media_av_decoder_stat(enc->decoder)->nomem) {
        return ngx_media_vod_encode_fail(enc, "decoder", (u_char *)
                                         "no memory");
    }

    enc->missing = enc->nwanted - enc->ntimes;
    enc->ending = 1;

    ngx_media_av_encoder_drain(enc->e);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_media_vod_encode_send(ngx_media_vod_encode_t *enc)
{
    ngx_int_t                        rc;
    const ngx_media_index_sample_t  *sample;

    sample = &enc->samples[enc->sample];

    if (ngx_media_vod_encode_read(enc, sample) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_media_av_decoder_send(enc->decoder, enc->buf, sample->size,
                                   ngx_media_vod_encode_pts(enc, sample),
                                   sample->key, 0);

    /* what is broken is missing in the end */

    if (rc != NGX_AGAIN) {
        enc->sample++;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_media_vod_encode_read(ngx_media_vod_encode_t *enc,
    const ngx_media_index_sample_t *sample)
{
    u_char   *buf;
    size_t    done, size;
    ssize_t   n;

    size = sample->size;

    if (size > NGX_MEDIA_AV_FRAME) {
        return ngx_media_vod_encode_fail(enc, "frame is too large", NULL);
    }

    if (enc->buf == NULL || size > enc->size) {
        buf = realloc(enc->buf, size + 1);
        if (buf == NULL) {
            return ngx_media_vod_encode_fail(enc, "no memory", NULL);
        }

        enc->buf = buf;
        enc->size = size;
    }

    for (done = 0; done < size; done += n) {
        n = pread(enc->fd, enc->buf + done, size - done,
                  (off_t) (sample->offset + done));

        if (n < 0 && errno == EINTR) {
            n = 0;

        } else if (n <= 0) {
            return ngx_media_vod_encode_fail(enc, "source cannot be read",
                                             NULL);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_vod_encode_picture(ngx_media_vod_encode_t *enc,
    ngx_media_av_frame_t *frame)
{
    int64_t    pts;
    ngx_int_t  rc;

    pts = ngx_media_av_frame_pts(frame);

    while (enc->want < enc->nwanted && enc->wanted[enc->want].pts < pts) {
        enc->want++;
    }

    if (enc->want == enc->nwanted || enc->wanted[enc->want].pts != pts) {
        ngx_media_av_frame_free(frame);
        return NGX_AGAIN;
    }

    rc = ngx_media_vod_encode_scaled(enc, frame, &enc->wanted[enc->want]);

    enc->want++;

    ngx_media_av_frame_free(frame);

    return rc;
}


static ngx_int_t
ngx_media_vod_encode_scaled(ngx_media_vod_encode_t *enc,
    ngx_media_av_frame_t *frame, const ngx_media_vod_encode_time_t *wanted)
{
    u_char                        error[NGX_MEDIA_AV_ERROR];
    ngx_int_t                     rc;
    ngx_media_av_frame_t         *scaled;
    ngx_media_vod_encode_time_t  *time;

    scaled = ngx_media_av_scaler_scale(enc->scaler, frame, error);
    if (scaled == NULL) {
        return ngx_media_vod_encode_fail(enc, "scaler", error);
    }

    if (enc->e == NULL
        && ngx_media_vod_encode_open(enc, scaled) != NGX_OK)
    {
        ngx_media_av_frame_free(scaled);
        return NGX_ERROR;
    }

    time = &enc->times[enc->ntimes++];

    *time = *wanted;
    time->sent = ngx_media_plan_rescale(wanted->pts - enc->wanted[0].pts,
                                        enc->index->timescale,
                                        NGX_MEDIA_VIDEO_TIMESCALE);

    if (enc->ntimes > 1 && time->sent <= time[-1].sent) {
        time->sent = time[-1].sent + 1;
    }

    ngx_media_av_frame_set_pts(scaled, time->sent);

    do {
        rc = ngx_media_av_encoder_send(enc->e, scaled, enc->ntimes == 1);

        if (rc != NGX_ERROR && ngx_media_vod_encode_packets(enc) == NGX_ERROR)
        {
            ngx_media_av_frame_free(scaled);
            return NGX_ERROR;
        }

    } while (rc == NGX_AGAIN);

    ngx_media_av_frame_free(scaled);

    if (rc == NGX_ERROR) {
        return ngx_media_vod_encode_fail(enc, "encoder",
                                         ngx_media_av_encoder_error(enc->e));
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_media_vod_encode_open(ngx_media_vod_encode_t *enc,
    const ngx_media_av_frame_t *like)
{
    u_char                       error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_encoder_conf_t  conf;
    const ngx_media_av_kind_t   *kind;

    kind = ngx_media_av_encoder_entry(enc->encoder);
    if (kind == NULL) {
        return ngx_media_vod_encode_fail(enc, "no such encoder", NULL);
    }

    ngx_media_vod_encode_conf(&conf, enc->rung, enc->own, enc->bframes,
                              kind);

    enc->e = ngx_media_av_encoder_open(&conf, like, error);

    return enc->e ? NGX_OK : ngx_media_vod_encode_fail(enc, "encoder", error);
}


/* NGX_AGAIN, NGX_DONE, NGX_ERROR: as of the encoder */

static ngx_int_t
ngx_media_vod_encode_packets(ngx_media_vod_encode_t *enc)
{
    ngx_int_t              rc;
    ngx_media_av_packet_t  packet;

    for ( ;; ) {
        rc = ngx_media_av_encoder_packet(enc->e, &packet);

        if (rc == NGX_ERROR) {
            return ngx_media_vod_encode_fail(enc, "encoder",
                                          ngx_media_av_encoder_error(enc->e));
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_media_vod_encode_put(enc, &packet) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


/* its times are set at the end, when all are known: cto is which picture it
   is of */

static ngx_int_t
ngx_media_vod_encode_put(ngx_media_vod_encode_t *enc,
    const ngx_media_av_packet_t *packet)
{
    uint32_t             i;
    ngx_media_sample_t   sample;

    for (i = 0; i < enc->ntimes && enc->times[i].sent != packet->pts; i++) {
        /* void */
    }

    if (i == enc->ntimes || (enc->nput == 0) != packet->key) {
        return ngx_media_vod_encode_fail(enc, packet->key
                                         ? "key frame that was not asked for"
                                         : "frame of no picture", NULL);
    }

    ngx_memzero(&sample, sizeof(ngx_media_sample_t));

    sample.cto = (int32_t) i;
    sample.key = packet->key;

    enc->nput++;

    if (ngx_media_vod_made_add(enc->writer, &sample, packet->pos, packet->last)
        != NGX_OK)
    {
        return ngx_media_vod_encode_fail(enc, "not written",
                                         (u_char *) strerror(errno));
    }

    return NGX_OK;
}


/* when the n-th frame is decoded, after the begin of the segment */

static int64_t
ngx_media_vod_encode_dts(const ngx_media_vod_encode_t *enc, uint32_t n)
{
    if (n == 0) {
        return 0;
    }

    return (n == enc->ntimes) ? (int64_t) enc->segment.duration
                              : enc->times[n].dts;
}


static ngx_int_t
ngx_media_vod_encode_end(ngx_media_vod_encode_t *enc)
{
    int64_t              cto, dts, next;
    uint32_t             i;
    ngx_int_t            rc;
    ngx_media_sample_t  *sample;

    rc = ngx_media_vod_encode_packets(enc);

    if (rc == NGX_ERROR || rc == NGX_AGAIN) {
        return rc;
    }

    if (enc->nput != enc->ntimes) {
        return ngx_media_vod_encode_fail(enc, "pictures were not encoded",
                                         NULL);
    }

    for (i = 0; i < enc->nput; i++) {
        sample = &enc->writer->samples[i];

        dts = ngx_media_vod_encode_dts(enc, i);
        next = ngx_media_vod_encode_dts(enc, i + 1);

        cto = enc->times[sample->cto].pts - enc->segment.time - dts;

        if (next <= dts || next - dts > UINT32_MAX
            || cto + (int64_t) enc->delay < 0 || cto > INT32_MAX / 2)
        {
            return ngx_media_vod_encode_fail(enc, "times are not those of the"
                                             " source", NULL);
        }

        sample->duration = (uint32_t) (next - dts);
        sample->cto = (int32_t) cto;
    }

    return ngx_media_vod_encode_same(enc);
}


/* an init segment is handed out already: it has to be that of this one, too */

static ngx_int_t
ngx_media_vod_encode_same(ngx_media_vod_encode_t *enc)
{
    const ngx_media_params_t  *params;

    params = ngx_media_av_encoder_params(enc->e);

    if (params == NULL || params->config_len != enc->own->config_len
        || ngx_memcmp(params->config, enc->own->config, params->config_len)
           != 0)
    {
        return ngx_media_vod_encode_fail(enc, "parameter sets are not those of"
                                         " the other segments", NULL);
    }

    return NGX_OK;
}


void
ngx_media_vod_encode_close(ngx_media_vod_encode_t *enc)
{
    ngx_media_av_decoder_close(enc->decoder);
    ngx_media_av_scaler_close(enc->scaler);
    ngx_media_av_encoder_close(enc->e);

    enc->decoder = NULL;
    enc->scaler = NULL;
    enc->e = NULL;

    free(enc->samples);
    free(enc->wanted);
    free(enc->times);
    free(enc->buf);

    enc->samples = NULL;
    enc->wanted = NULL;
    enc->times = NULL;
    enc->buf = NULL;
}


static uint64_t
ngx_media_vod_encode_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


static ngx_int_t
ngx_media_vod_encode_fail(ngx_media_vod_encode_t *enc, const char *what,
    const u_char *why)
{
    (void) snprintf((char *) enc->error, sizeof(enc->error), "%s%s%s", what,
                    why ? ": " : "", why ? (const char *) why : "");

    return NGX_ERROR;
}

#endif
