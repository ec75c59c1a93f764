
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What an encoder is asked to do and what it does are two things: drivers hold
 * back pictures, put key frames where the scene changes, or none where they
 * are asked for, send no parameter sets, or have no session left.  So each has
 * to show it, with 12 pictures of the size that is wanted: a key frame is
 * asked for at 6, and the scene is another one at 3 and 9.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_encode.h"
#include "av/ngx_media_av_kind.h"


#define NGX_MEDIA_AV_PICTURES  12
#define NGX_MEDIA_AV_KEY       6
#define NGX_MEDIA_AV_SCENE     3

/* pictures that may be held back where none should be */
#define NGX_MEDIA_AV_DELAY     1


typedef struct {
    ngx_media_av_encoder_t   *e;
    int64_t                   duration;       /* of a picture */
    ngx_uint_t                sent;
    ngx_uint_t                came;
    ngx_uint_t                most;           /* that may be held back */
    u_char                   *error;
} ngx_media_av_proof_t;


static ngx_int_t ngx_media_av_prove_picture(ngx_media_av_proof_t *proof,
    const ngx_media_av_encoder_conf_t *conf);
static AVFrame *ngx_media_av_prove_frame(
    const ngx_media_av_encoder_conf_t *conf, ngx_uint_t n);
static void ngx_media_av_prove_draw(AVFrame *frame, ngx_uint_t plane,
    ngx_uint_t n);
static ngx_int_t ngx_media_av_prove_packets(ngx_media_av_proof_t *proof);
static ngx_int_t ngx_media_av_prove_packet(ngx_media_av_proof_t *proof,
    const ngx_media_av_packet_t *packet);
static ngx_int_t ngx_media_av_prove_end(ngx_media_av_proof_t *proof);
static ngx_int_t ngx_media_av_prove_failed(ngx_media_av_proof_t *proof,
    const char *fmt, ...);


ngx_int_t
ngx_media_av_encoder_choose(ngx_media_av_encoder_conf_t *conf,
    const ngx_media_av_kind_t *const *kinds, ngx_uint_t n,
    ngx_media_av_known_t *known, u_char *error, u_char *errors)
{
    u_char              text[NGX_MEDIA_AV_ERROR], *why;
    ngx_int_t           rc;
    ngx_uint_t          bit, i;
    ngx_atomic_uint_t   proved;

    (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                    "no encoder is listed");

    if (errors != NULL) {
        ngx_memzero(errors, n * NGX_MEDIA_AV_ERROR);
    }

    for (i = 0; i < n; i++) {
        conf->kind = kinds[i];

        why = errors ? errors + i * NGX_MEDIA_AV_ERROR : text;
        bit = ngx_media_av_encoder_bit(kinds[i]);

        if (known->off & bit) {
            (void) snprintf((char *) why, NGX_MEDIA_AV_ERROR,
                            "encoder \"%s\" is off, it has hung",
                            kinds[i]->name);
            rc = NGX_ERROR;

        } else {
            rc = ngx_media_av_encoder_check(conf, why);
        }

        if (rc == NGX_OK && !(known->proved & bit)) {
            rc = ngx_media_av_prove(conf, why);
        }

        if (rc == NGX_OK) {

            do {
                proved = known->proved;
            } while (!ngx_atomic_cmp_set(&known->proved, proved,
                                         proved | bit));

            return NGX_OK;
        }

        ngx_memcpy(error, why, NGX_MEDIA_AV_ERROR);
    }

    conf->kind = NULL;

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_av_prove(const ngx_media_av_encoder_conf_t *conf, u_char *error)
{
    u_char                 text[NGX_MEDIA_AV_ERROR];
    AVFrame               *like;
    ngx_int_t              rc;
    ngx_media_av_proof_t   proof;

    ngx_memzero(&proof, sizeof(ngx_media_av_proof_t));

    proof.error = text;

    /* who looks ahead, or has B-frames, holds back what it needs */

    proof.most = (conf->file || conf->bframes || conf->lookahead)
                 ? NGX_MEDIA_AV_PICTURES
                 : NGX_MEDIA_AV_DELAY + ngx_max(conf->threads, 1) - 1;

    proof.duration = (int64_t) NGX_MEDIA_VIDEO_TIMESCALE * conf->fps_den
                     / ngx_max(conf->fps_num, 1);
    proof.duration = ngx_max(proof.duration, 1);

    rc = NGX_ERROR;

    like = ngx_media_av_prove_frame(conf, 0);

    if (like != NULL) {
        proof.e = ngx_media_av_encoder_open(conf, like, text);
        av_frame_free(&like);

    } else {
        ngx_media_av_error(text, "picture", AVERROR(ENOMEM));
    }

    if (proof.e != NULL) {

        do {
            rc = ngx_media_av_prove_picture(&proof, conf);
        } while (rc == NGX_OK && proof.sent < NGX_MEDIA_AV_PICTURES);

        if (rc == NGX_OK) {
            rc = ngx_media_av_prove_end(&proof);
        }
    }

    ngx_media_av_encoder_close(proof.e);

    if (rc != NGX_OK) {
        (void) snprintf((char *) error, NGX_MEDIA_AV_ERROR,
                        "encoder \"%s\": %.*s", conf->kind->name,
                        NGX_MEDIA_AV_ERROR - 40, text);
    }

    return rc;
}


static ngx_int_t
ngx_media_av_prove_picture(ngx_media_av_proof_t *proof,
    const ngx_media_av_encoder_conf_t *conf)
{
    AVFrame    *frame;
    ngx_int_t   rc;

    frame = ngx_media_av_prove_frame(conf, proof->sent);

    if (frame == NULL) {
        return ngx_media_av_prove_failed(proof, "no memory");
    }

    frame->pts = (int64_t) proof->sent * proof->duration;

    rc = ngx_media_av_encoder_send(proof->e, frame,
                                   proof->sent == NGX_MEDIA_AV_KEY);
    av_frame_free(&frame);

    if (rc != NGX_OK) {
        return ngx_media_av_prove_failed(proof, "%s", rc == NGX_AGAIN
                             ? "takes no picture"
                             : (char *) ngx_media_av_encoder_error(proof->e));
    }

    proof->sent++;

    rc = ngx_media_av_prove_packets(proof);

    if (rc != NGX_AGAIN) {
        return NGX_ERROR;
    }

    if (proof->sent - proof->came > proof->most) {
        return ngx_media_av_prove_failed(proof,
                                         "holds back %u pictures and more",
                                         (unsigned) (proof->sent
                                                     - proof->came));
    }

    return NGX_OK;
}


static AVFrame *
ngx_media_av_prove_frame(const ngx_media_av_encoder_conf_t *conf,
    ngx_uint_t n)
{
    AVFrame     *frame;
    ngx_uint_t   i;

    frame = av_frame_alloc();
    if (frame == NULL) {
        return NULL;
    }

    frame->format = (conf->bit_depth > 8) ? AV_PIX_FMT_YUV420P10
                                          : AV_PIX_FMT_YUV420P;
    frame->width = (int) conf->width;
    frame->height = (int) conf->height;
    frame->color_range = AVCOL_RANGE_MPEG;

    if (av_frame_get_buffer(frame, 0) < 0) {
        av_frame_free(&frame);
        return NULL;
    }

    for (i = 0; i < 3; i++) {
        ngx_media_av_prove_draw(frame, i, n);
    }

    return frame;
}


/* stripes that move, in another direction and light in each scene */

static void
ngx_media_av_prove_draw(AVFrame *frame, ngx_uint_t plane, ngx_uint_t n)
{
    int         x, y, height, width;
    uint8_t    *row;
    uint16_t   *deep;
    ngx_uint_t  light, scene, value;

    scene = (n + NGX_MEDIA_AV_SCENE) / NGX_MEDIA_AV_KEY;
    width = frame->width >> (plane != 0);
    height = frame->height >> (plane != 0);
    light = 64 + 48 * (scene % 3);

    for (y = 0; y < height; y++) {
        row = frame->data[plane] + (ptrdiff_t) y * frame->linesize[plane];
        deep = (uint16_t *) row;

        for (x = 0; x < width; x++) {
            value = (scene & 1) ? (ngx_uint_t) y : (ngx_uint_t) (x + y / 2);
            value = light + ((value + 2 * n) & 31);

            if (frame->format == AV_PIX_FMT_YUV420P) {
                row[x] = (uint8_t) value;

            } else {
                deep[x] = (uint16_t) (value << 2);
            }
        }
    }
}


/* NGX_AGAIN: no more of them now; NGX_DONE: ever */

static ngx_int_t
ngx_media_av_prove_packets(ngx_media_av_proof_t *proof)
{
    ngx_int_t              rc;
    ngx_media_av_packet_t  packet;

    for ( ;; ) {
        rc = ngx_media_av_encoder_packet(proof->e, &packet);

        if (rc == NGX_ERROR) {
            return ngx_media_av_prove_failed(proof, "%s",
                                  ngx_media_av_encoder_error(proof->e));
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_media_av_prove_packet(proof, &packet) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_media_av_prove_packet(ngx_media_av_proof_t *proof,
    const ngx_media_av_packet_t *packet)
{
    ngx_uint_t  key, n;

    n = (ngx_uint_t) (packet->pts / proof->duration);
    key = (n == 0 || n == NGX_MEDIA_AV_KEY);

    if (key && !packet->key) {
        return ngx_media_av_prove_failed(proof,
                                 "picture %u is not the key frame that was "
                                 "asked for", (unsigned) n);
    }

    if (!key && packet->key) {
        return ngx_media_av_prove_failed(proof,
                                 "picture %u is a key frame that was not "
                                 "asked for", (unsigned) n);
    }

    proof->came++;

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_prove_end(ngx_media_av_proof_t *proof)
{
    ngx_int_t  rc;

    ngx_media_av_encoder_drain(proof->e);

    rc = ngx_media_av_prove_packets(proof);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc != NGX_DONE || proof->came != NGX_MEDIA_AV_PICTURES) {
        return ngx_media_av_prove_failed(proof, "%u of %u pictures came out",
                                         (unsigned) proof->came,
                                         (unsigned) NGX_MEDIA_AV_PICTURES);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_av_prove_failed(ngx_media_av_proof_t *proof, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf((char *) proof->error, NGX_MEDIA_AV_ERROR, fmt, args);
    va_end(args);

    return NGX_ERROR;
}

#endif
