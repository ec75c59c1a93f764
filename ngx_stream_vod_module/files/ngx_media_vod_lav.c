
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "files/ngx_media_vod_lav.h"

#include <libavutil/avstring.h>
#include <libavutil/dict.h>
#include <libavutil/mem.h>


/* what is looked at to know the format */
#define NGX_MEDIA_VOD_LAV_PROBE   (128 * 1024)
#define NGX_MEDIA_VOD_LAV_BUFFER  (64 * 1024)

/* what finds streams and their parameters: bytes, and microseconds */
#define NGX_MEDIA_VOD_LAV_HEAD    (5 * 1024 * 1024)
#define NGX_MEDIA_VOD_LAV_TIME    5000000

/* times the size of the file may be read, and more */
#define NGX_MEDIA_VOD_LAV_TIMES   2
#define NGX_MEDIA_VOD_LAV_MORE    (64 * 1024 * 1024)

/* decoders that are asked for parameters */
#define NGX_MEDIA_VOD_LAV_CODECS                                              \
    "h264,hevc,aac,aac_latm,mp3,mp3float,ac3,eac3,opus,flac,vp8,vp9,av1"


static ngx_int_t ngx_media_vod_lav_probe(ngx_media_vod_lav_t *lav,
    const AVInputFormat **format);
static int ngx_media_vod_lav_io_read(void *data, uint8_t *p, int size);
static int64_t ngx_media_vod_lav_io_seek(void *data, int64_t offset,
    int whence);
static int ngx_media_vod_lav_io_open(AVFormatContext *ctx, AVIOContext **io,
    const char *url, int flags, AVDictionary **options);
static int ngx_media_vod_lav_interrupt(void *data);


static const ngx_media_vod_lav_demuxer_t  ngx_media_vod_lav_demuxers[] = {
    { "matroska", NGX_MEDIA_VOD_LAV_WHOLE },
    { "ogg", 0 },
    { "ivf", 0 },
    { "mp3", NGX_MEDIA_VOD_LAV_RAW },
    { "ac3", NGX_MEDIA_VOD_LAV_RAW },
    { "eac3", NGX_MEDIA_VOD_LAV_RAW },
    { "flac", NGX_MEDIA_VOD_LAV_RAW },
    { "aac", NGX_MEDIA_VOD_LAV_CONVERT },
    { "mpegts", NGX_MEDIA_VOD_LAV_CONVERT },
    { "mpeg", NGX_MEDIA_VOD_LAV_CONVERT },
    { "avi", NGX_MEDIA_VOD_LAV_CONVERT },
    { NULL, 0 }
};


ngx_int_t
ngx_media_vod_lav_open(ngx_media_vod_lav_t *lav, ngx_media_vod_index_t *index,
    ngx_uint_t convert)
{
    int                   rc;
    u_char               *buffer;
    ngx_int_t             rv;
    AVDictionary         *options;
    AVFormatContext      *ctx;
    const AVInputFormat  *format;

    ngx_memzero(lav, sizeof(ngx_media_vod_lav_t));

    lav->index = index;
    lav->left = index->id.size * NGX_MEDIA_VOD_LAV_TIMES
                + NGX_MEDIA_VOD_LAV_MORE;

    ngx_media_av_init();

    rv = ngx_media_vod_lav_probe(lav, &format);

    if (rv != NGX_OK) {
        return rv;
    }

    ctx = avformat_alloc_context();
    buffer = av_malloc(NGX_MEDIA_VOD_LAV_BUFFER);

    if (ctx == NULL || buffer == NULL) {
        avformat_free_context(ctx);
        av_free(buffer);
        return NGX_ERROR;
    }

    lav->io = avio_alloc_context(buffer, NGX_MEDIA_VOD_LAV_BUFFER, 0, lav,
                                 ngx_media_vod_lav_io_read, NULL,
                                 ngx_media_vod_lav_io_seek);

    if (lav->io == NULL) {
        avformat_free_context(ctx);
        av_free(buffer);
        return NGX_ERROR;
    }

    ctx->pb = lav->io;
    ctx->io_open = ngx_media_vod_lav_io_open;
    ctx->interrupt_callback.callback = ngx_media_vod_lav_interrupt;
    ctx->interrupt_callback.opaque = lav;
    ctx->flags |= AVFMT_FLAG_CUSTOM_IO;
    ctx->probesize = NGX_MEDIA_VOD_LAV_HEAD;
    ctx->max_analyze_duration = NGX_MEDIA_VOD_LAV_TIME;
    ctx->max_streams = NGX_MEDIA_VOD_LAV_STREAMS;

    if (!convert && (lav->demuxer->flags & NGX_MEDIA_VOD_LAV_WHOLE)) {
        ctx->flags |= AVFMT_FLAG_NOPARSE|AVFMT_FLAG_NOFILLIN;
    }

    options = NULL;

    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set(&options, "format_whitelist", format->name, 0);
    av_dict_set(&options, "codec_whitelist", NGX_MEDIA_VOD_LAV_CODECS, 0);

    /* it frees the context if it fails */

    rc = avformat_open_input(&ctx, NULL, format, &options);

    av_dict_free(&options);

    if (rc < 0) {
        return (rc == AVERROR(ENOMEM) || lav->err) ? NGX_ERROR : NGX_DECLINED;
    }

    lav->ctx = ctx;

    if (convert && avformat_find_stream_info(ctx, NULL) < 0) {
        return lav->err ? NGX_ERROR : NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_media_vod_lav_close(ngx_media_vod_lav_t *lav)
{
    avformat_close_input(&lav->ctx);

    if (lav->io != NULL) {
        av_freep(&lav->io->buffer);
        avio_context_free(&lav->io);
    }
}


static ngx_int_t
ngx_media_vod_lav_probe(ngx_media_vod_lav_t *lav,
    const AVInputFormat **format)
{
    int                                 score;
    char                               *name, *path;
    ssize_t                             n;
    AVProbeData                         probe;
    const ngx_media_vod_lav_demuxer_t  *demuxer;

    ngx_memzero(&probe, sizeof(AVProbeData));

    probe.buf = av_mallocz(NGX_MEDIA_VOD_LAV_PROBE + AVPROBE_PADDING_SIZE);

    if (probe.buf == NULL) {
        return NGX_ERROR;
    }

    n = pread(lav->index->fd, probe.buf, NGX_MEDIA_VOD_LAV_PROBE, 0);

    if (n < 0) {
        lav->err = errno;
        av_free(probe.buf);
        return NGX_ERROR;
    }

    path = (char *) (lav->index->path ? lav->index->path : "");
    name = strrchr(path, '/');

    probe.filename = name ? name + 1 : path;
    probe.buf_size = (int) n;

    *format = av_probe_input_format3(&probe, 1, &score);

    av_free(probe.buf);

    if (*format == NULL) {
        return NGX_DECLINED;
    }

    for (demuxer = ngx_media_vod_lav_demuxers; demuxer->name; demuxer++) {

        if (av_match_name(demuxer->name, (*format)->name)) {
            lav->demuxer = demuxer;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static int
ngx_media_vod_lav_io_read(void *data, uint8_t *p, int size)
{
    ngx_media_vod_lav_t *lav = data;

    ssize_t  n;

    /* the file is what it was when it was opened */

    if (lav->offset >= lav->index->id.size || size <= 0) {
        return AVERROR_EOF;
    }

    size = (int) ngx_min((uint64_t) size,
                         lav->index->id.size - lav->offset);

    if ((uint64_t) size > lav->left) {
        lav->bound = 1;
        return AVERROR_EXIT;
    }

    do {
        n = pread(lav->index->fd, p, (size_t) size, (off_t) lav->offset);
    } while (n < 0 && errno == EINTR);

    if (n < 0) {
        lav->err = errno;
        return AVERROR(EIO);
    }

    if (n == 0) {
        return AVERROR_EOF;
    }

    lav->offset += (uint64_t) n;
    lav->left -= (uint64_t) n;

    return (int) n;
}


static int64_t
ngx_media_vod_lav_io_seek(void *data, int64_t offset, int whence)
{
    ngx_media_vod_lav_t *lav = data;

    int64_t  size;

    size = (int64_t) lav->index->id.size;

    switch (whence & ~AVSEEK_FORCE) {

    case AVSEEK_SIZE:
        return size;

    case SEEK_SET:
        break;

    case SEEK_CUR:
        offset += (int64_t) lav->offset;
        break;

    case SEEK_END:
        offset += size;
        break;

    default:
        return AVERROR(EINVAL);
    }

    if (offset < 0) {
        return AVERROR(EINVAL);
    }

    lav->offset = (uint64_t) offset;

    return offset;
}


/* whatever a file names is not opened */

static int
ngx_media_vod_lav_io_open(AVFormatContext *ctx, AVIOContext **io,
    const char *url, int flags, AVDictionary **options)
{
    *io = NULL;

    return AVERROR(EACCES);
}


static int
ngx_media_vod_lav_interrupt(void *data)
{
    ngx_media_vod_lav_t *lav = data;

    return lav->bound || lav->err;
}


void
ngx_media_vod_lav_describe(ngx_media_vod_track_t *track, const AVStream *st)
{
    const AVDictionaryEntry  *entry;

    entry = av_dict_get(st->metadata, "language", NULL, 0);

    if (entry != NULL) {
        ngx_media_lang(track->lang, (u_char *) entry->value,
                                ngx_strlen(entry->value));
    }

    entry = av_dict_get(st->metadata, "title", NULL, 0);

    if (entry != NULL) {
        ngx_media_label(track->label, (u_char *) entry->value,
                                 ngx_strlen(entry->value));
    }

    track->is_default = (st->disposition & AV_DISPOSITION_DEFAULT) != 0;
    track->forced = (st->disposition & AV_DISPOSITION_FORCED) != 0;
    track->sdh = (st->disposition & AV_DISPOSITION_HEARING_IMPAIRED) != 0;
    track->described = (st->disposition & AV_DISPOSITION_VISUAL_IMPAIRED)
                       != 0;
}

#endif
