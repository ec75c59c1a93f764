
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @av -lm -Wl,--wrap=dlopen -Wl,--wrap=dlsym
   av/ngx_media_av_filter.c */


#include <ngx_config.h>
#include <ngx_core.h>
#include "tap.h"

#if (NGX_MEDIA_HAVE_AVFILTER)

#include "av/ngx_media_av_compat.h"
#include "av/ngx_media_av_filter.h"
#include "media_picture.h"


/* libraries that libavfilter needs keep what they have */

const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:liblapack\n";
}


#define WIDTH     160
#define HEIGHT    120
#define PICTURES  8
#define TICKS     14400                       /* 25 a second */
#define ORIGIN    ((int64_t) 3600 * 360000 + 7)


static unsigned     opened;                   /* libraries, by us */
static const char  *hidden;                   /* a library or symbol that is
                                                 not there */

void *__real_dlopen(const char *name, int flags);
void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *handle, const char *name);


void *
__wrap_dlopen(const char *name, int flags)
{
    opened++;

    if (hidden && strncmp(name, hidden, strlen(hidden)) == 0) {
        return NULL;
    }

    return __real_dlopen(name, flags);
}


void *
__wrap_dlsym(void *handle, const char *name)
{
    return (hidden && strcmp(name, hidden) == 0)
           ? NULL : __real_dlsym(handle, name);
}


static void
interlace(AVFrame *frame)
{
#if (NGX_MEDIA_AV_FRAME_FLAGS)
    frame->flags |= AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
    frame->interlaced_frame = 1;
    frame->top_field_first = 1;
#endif
}


static void
progressive(AVFrame *frame)
{
#if (NGX_MEDIA_AV_FRAME_FLAGS)
    frame->flags &= ~(AV_FRAME_FLAG_INTERLACED|AV_FRAME_FLAG_TOP_FIELD_FIRST);
#else
    frame->interlaced_frame = 0;
    frame->top_field_first = 0;
#endif
}


/* the second field is of a moment later */

static AVFrame *
fields(int n, int64_t pts)
{
    int       y;
    AVFrame  *frame, *later;

    frame = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, 4 * n, pts);
    later = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, 4 * n + 2, 0);

    for (y = 1; y < HEIGHT; y += 2) {
        memcpy(frame->data[0] + y * frame->linesize[0],
               later->data[0] + y * later->linesize[0], WIDTH);
    }

    interlace(frame);
    av_frame_free(&later);

    return frame;
}


static double
combed(const AVFrame *frame)
{
    int            x, y;
    double         d, sum;
    const uint8_t *row;

    sum = 0;

    for (y = 1; y < frame->height - 1; y++) {
        row = frame->data[0] + y * frame->linesize[0];

        for (x = 0; x < frame->width; x++) {
            d = row[x] - (row[x - frame->linesize[0]]
                          + row[x + frame->linesize[0]]) / 2.0;
            sum += d * d;
        }
    }

    return sum / frame->width / frame->height;
}


static void
conf_init(ngx_media_av_filter_conf_t *conf)
{
    memset(conf, 0, sizeof(ngx_media_av_filter_conf_t));

    conf->timescale = 360000;
    conf->fps_num = 25;
    conf->fps_den = 1;
}


static void
test_missing(void)
{
    u_char                      error[NGX_MEDIA_AV_ERROR];
    AVFrame                    *frame;
    ngx_media_av_filter_conf_t  conf;

    hidden = "libavfilter.so.";
    error[0] = 0;

    conf_init(&conf);
    frame = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, 0, ORIGIN);

    ok(ngx_media_av_filter_check(&conf, error) == NGX_DECLINED
       && ngx_media_av_filter_open(&conf, frame, error) == NULL,
       "before that: %s", error);

    av_frame_free(&frame);

    ok(ngx_media_av_filter_load(error) == NGX_DECLINED
       && strstr((char *) error, "install libavfilter") != NULL
       && strstr((char *) error, "libavfilter.so.") != NULL,
       "without the library: %s", error);

    hidden = "avfilter_graph_config";

    ok(ngx_media_av_filter_load(error) == NGX_DECLINED
       && strstr((char *) error, "avfilter_graph_config") != NULL,
       "without a function: %s", error);

    hidden = NULL;

    ok(ngx_media_av_filter_load(error) == NGX_OK && opened == 3, "loaded");
    ok(ngx_media_av_filter_load(error) == NGX_OK && opened == 3, "once");
}


static void
test_check(void)
{
    size_t                      i;
    u_char                      error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_filter_conf_t  conf;

    static const struct {
        const char  *text;
        ngx_int_t    rc;
    } texts[] = {
        { "hflip", NGX_OK },
        { "eq=contrast=1.1,hqdn3d", NGX_OK },
        { "[in]hflip[a];[a]vflip[out]", NGX_OK },
        { "crop=3000:2000", NGX_OK },         /* it depends on the picture */
        { "nosuchfilter", NGX_DECLINED },
        { "hflip=nosuchoption=1", NGX_DECLINED },
        { "split", NGX_DECLINED },
        { "overlay", NGX_DECLINED },
        { "[in]split[out]", NGX_DECLINED },
        { "volume=2", NGX_DECLINED },         /* of audio */
    };

    conf_init(&conf);
    error[0] = 0;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        conf.text = texts[i].text;
        is(ngx_media_av_filter_check(&conf, error), texts[i].rc, "\"%s\" %s",
           texts[i].text, texts[i].rc == NGX_OK ? "" : (char *) error);
    }
}


static const struct {
    const char              *name;
    ngx_media_av_fields_e    fields;
    int                      interlaced;
    int                      flagged;
    ngx_uint_t               times;           /* pictures of one */
    int                      changed;
} interlaced[] = {
    { "auto", NGX_MEDIA_AV_FIELDS_AUTO, 1, 1, 1, 1 },
    { "auto, progressive", NGX_MEDIA_AV_FIELDS_AUTO, 0, 0, 1, 0 },
    { "all, not flagged", NGX_MEDIA_AV_FIELDS_FRAME, 1, 0, 1, 1 },
    { "two", NGX_MEDIA_AV_FIELDS_TWO, 1, 1, 2, 1 },
    { "two, progressive", NGX_MEDIA_AV_FIELDS_TWO, 0, 0, 1, 0 },
    { "none", NGX_MEDIA_AV_FIELDS_NONE, 1, 1, 1, 0 },
};


static AVFrame *
interlaced_frame(size_t i, int n)
{
    AVFrame          *frame;
    AVFrameSideData  *side;

    if (!interlaced[i].interlaced) {
        frame = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, 4 * n,
                              ORIGIN + n * TICKS);

    } else {
        frame = fields(n, ORIGIN + n * TICKS);

        if (!interlaced[i].flagged) {
            progressive(frame);
        }
    }

    side = av_frame_new_side_data(frame, AV_FRAME_DATA_A53_CC, 3);
    side->data[0] = (uint8_t) n;

    return frame;
}


static void
test_fields(size_t i)
{
    int                          late, n, passed, side, stamps, flags;
    u_char                       error[NGX_MEDIA_AV_ERROR];
    double                       before, after;
    AVFrame                     *frame, *out;
    ngx_uint_t                   count;
    ngx_media_av_filter_t       *f;
    ngx_media_av_filter_conf_t   conf;

    conf_init(&conf);
    conf.fields = interlaced[i].fields;

    is(ngx_media_av_filter_check(&conf, error), NGX_OK, "%s is there",
       interlaced[i].name);

    frame = interlaced_frame(i, 0);
    f = ngx_media_av_filter_open(&conf, frame, error);
    av_frame_free(&frame);

    if (f == NULL) {
        ok(0, "%s: %s", interlaced[i].name, error);
        return;
    }

    before = 0;
    after = 0;
    count = 0;
    side = 0;
    stamps = 1;
    flags = 0;
    late = 0;
    passed = 1;

    for (n = 0; n <= PICTURES; n++) {
        frame = (n < PICTURES) ? interlaced_frame(i, n) : NULL;

        if (frame) {
            before += combed(frame);
        }

        passed &= (ngx_media_av_filter_send(f, frame) == NGX_OK);
        passed &= (frame == NULL || frame->data[0] != NULL);
        av_frame_free(&frame);

        for ( ;; ) {
            out = ngx_media_av_filter_picture(f);
            if (out == NULL) {
                break;
            }

            stamps &= (out->pts == ORIGIN + (int64_t) count * TICKS
                                            / (int) interlaced[i].times);
            side += (av_frame_get_side_data(out, AV_FRAME_DATA_A53_CC)
                     != NULL);
            flags += ngx_media_av_frame_interlaced(out);
            after += combed(out);
            count++;

            ngx_media_av_frame_free(out);
        }

        if (n == PICTURES) {
            break;
        }

        late = ngx_max(late, n + 1 - (int) ((count + interlaced[i].times - 1)
                                            / interlaced[i].times));
    }

    is(count, PICTURES * interlaced[i].times, "%s: pictures",
       interlaced[i].name);
    ok(passed && stamps && side == PICTURES
       && ngx_media_av_filter_error(f)[0] == 0,
       "%s: pts are those of the source, captions are there once",
       interlaced[i].name);
    ok(flags == (interlaced[i].changed || !interlaced[i].interlaced
                 ? 0 : PICTURES),
       "%s: %d are still interlaced", interlaced[i].name, flags);
    ok(interlaced[i].changed ? after / count < before / PICTURES / 4
                             : after / count > before / PICTURES * 0.99,
       "%s: combs were %.1f and are %.1f", interlaced[i].name,
       before / PICTURES, after / count);
    is(late, interlaced[i].fields != NGX_MEDIA_AV_FIELDS_NONE,
       "%s: held back", interlaced[i].name);

    ngx_media_av_filter_close(f);
}


/* luma of one picture, of gray that is the same all over */

static int
gray(AVFrame *frame, const ngx_media_av_filter_conf_t *conf, AVFrame **out)
{
    int                     luma;
    u_char                  error[NGX_MEDIA_AV_ERROR];
    ngx_media_av_filter_t  *f;

    luma = -1;
    *out = NULL;

    f = ngx_media_av_filter_open(conf, frame, error);

    if (f == NULL) {
        diag("%s", error);
        return -1;
    }

    if (ngx_media_av_filter_send(f, frame) == NGX_OK
        && ngx_media_av_filter_send(f, NULL) == NGX_OK)
    {
        *out = ngx_media_av_filter_picture(f);
    }

    if (*out != NULL) {
        luma = (*out)->data[0][5 * (*out)->linesize[0] + 5];

    } else {
        diag("%s", ngx_media_av_filter_error(f));
    }

    ngx_media_av_filter_close(f);

    return luma;
}


static void
test_tonemap(void)
{
    int                          i, last, luma, x, y;
    u_char                       error[NGX_MEDIA_AV_ERROR];
    AVFrame                     *frame, *out;
    ngx_media_av_filter_conf_t   conf;

    static const int  levels[] = { 256, 400, 520, 700 };

    conf_init(&conf);
    conf.tonemap = 1;

    if (ngx_media_av_filter_check(&conf, error) != NGX_OK) {
        ok(strstr((char *) error, "libzimg") != NULL, "tonemap: %s", error);
        return;
    }

    last = 0;

    for (i = 0; i < 4; i++) {
        frame = media_picture(AV_PIX_FMT_YUV420P10, WIDTH, HEIGHT, 0, ORIGIN);
        frame->color_trc = AVCOL_TRC_SMPTE2084;
        frame->color_primaries = (i & 1) ? AVCOL_PRI_BT2020
                                         : AVCOL_PRI_UNSPECIFIED;
        frame->colorspace = (i & 1) ? AVCOL_SPC_BT2020_NCL
                                    : AVCOL_SPC_UNSPECIFIED;

        for (y = 0; y < HEIGHT; y++) {
            for (x = 0; x < WIDTH; x++) {
                ((uint16_t *) (frame->data[0] + y * frame->linesize[0]))[x]
                    = (uint16_t) levels[i];
            }
        }

        for (y = 0; y < HEIGHT / 2; y++) {
            for (x = 0; x < WIDTH / 2; x++) {
                ((uint16_t *) (frame->data[1] + y * frame->linesize[1]))[x]
                    = 512;
                ((uint16_t *) (frame->data[2] + y * frame->linesize[2]))[x]
                    = 512;
            }
        }

        (void) av_frame_new_side_data(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL,
                                      8);

        luma = gray(frame, &conf, &out);

        ok(out && out->format == AV_PIX_FMT_YUV420P
           && out->color_trc == AVCOL_TRC_BT709
           && out->color_primaries == AVCOL_PRI_BT709
           && out->colorspace == AVCOL_SPC_BT709
           && out->color_range == AVCOL_RANGE_MPEG
           && out->pts == ORIGIN && luma > last && luma <= 236
           && abs(out->data[1][0] - 128) <= 1
           && av_frame_get_side_data(out, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)
              == NULL,
           "PQ of %d is BT.709 of %d", levels[i], luma);

        last = luma;
        av_frame_free(&frame);
        av_frame_free(&out);
    }

    frame = media_picture(AV_PIX_FMT_YUV420P10, WIDTH, HEIGHT, 0, ORIGIN);
    (void) gray(frame, &conf, &out);

    ok(out && out->format == AV_PIX_FMT_YUV420P10
       && media_picture_psnr(frame, out) > 90, "SDR is left as it is");

    av_frame_free(&frame);
    av_frame_free(&out);
}


static void
test_text(void)
{
    int                          n;
    u_char                       error[NGX_MEDIA_AV_ERROR];
    AVFrame                     *frame, *other, *out;
    ngx_media_av_filter_t       *f;
    ngx_media_av_filter_conf_t   conf;

    conf_init(&conf);
    conf.text = "hflip,scale=80:60";

    frame = media_picture(AV_PIX_FMT_YUV420P, WIDTH, HEIGHT, 0, ORIGIN);
    f = ngx_media_av_filter_open(&conf, frame, error);

    for (n = 0; n < 40; n++) {
        frame->pts = ORIGIN + n * TICKS;

        if (ngx_media_av_filter_send(f, frame) != NGX_OK) {
            break;
        }

        out = ngx_media_av_filter_picture(f);

        if (out == NULL || out->width != 80 || out->height != 60
            || out->pts != ORIGIN + n * TICKS)
        {
            break;
        }

        ngx_media_av_frame_free(out);
    }

    is(n, 40, "text: each picture at once, of another size");
    ok(ngx_media_av_filter_is(f, frame), "a picture of its kind");

    other = media_picture(AV_PIX_FMT_YUV420P, WIDTH + 2, HEIGHT, 0, ORIGIN);

    ok(!ngx_media_av_filter_is(f, other)
       && ngx_media_av_filter_send(f, other) == NGX_ERROR
       && ngx_media_av_filter_error(f)[0],
       "another size: %s", ngx_media_av_filter_error(f));

    ngx_media_av_filter_close(f);

    conf.text = "crop=3000:2000";
    f = ngx_media_av_filter_open(&conf, frame, error);
    ok(f == NULL, "what the picture is too small for: %s", error);

    ngx_media_av_filter_close(NULL);

    av_frame_free(&frame);
    av_frame_free(&other);
}


int
main(void)
{
    size_t  i;

    test_missing();
    test_check();

    for (i = 0; i < sizeof(interlaced) / sizeof(interlaced[0]); i++) {
        test_fields(i);
    }

    test_tonemap();
    test_text();

    return done();
}

#elif (NGX_MEDIA_HAVE_AV)

#include "av/ngx_media_av_filter.h"


int
main(void)
{
    u_char  error[NGX_MEDIA_AV_ERROR];

    ok(ngx_media_av_filter_load(error) == NGX_DECLINED
       && strstr((char *) error, "built without libavfilter") != NULL,
       "%s", error);

    return done();
}

#else

int
main(void)
{
    ok(1, "without libav");

    return done();
}

#endif
