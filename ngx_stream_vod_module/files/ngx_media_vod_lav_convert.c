
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What does not lie in one piece in its file, or not as ISO BMFF has it, is
 * copied once into an MP4 file, nothing is encoded anew.  That one is indexed
 * and sent like any other.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_MEDIA_HAVE_AV)

#include "files/ngx_media_vod_av_times.h"
#include "files/ngx_media_vod_lav.h"
#include "files/ngx_media_vod_temp.h"
#include "formats/ngx_media_bytes.h"

#include <libavutil/dict.h>
#include <libavutil/mem.h>

#include <sys/stat.h>
#include <unistd.h>


#define NGX_MEDIA_VOD_LAV_BUFFER    (256 * 1024)

/* a header of ADTS without a CRC */
#define NGX_MEDIA_VOD_LAV_ADTS      7

/* one frame in so many may be without its time of presentation: a damaged
   file, not one of a container that has none */
#define NGX_MEDIA_VOD_LAV_UNTIMED   16

/* more than the source may be written: tables, and headers of frames */
#define NGX_MEDIA_VOD_LAV_TABLES    (64 * 1024 * 1024)

/* samples of a track lie together for so long, microseconds */
#define NGX_MEDIA_VOD_LAV_CHUNK     500000

/* stamps that go back or forth more than that begin anew, ns */
#define NGX_MEDIA_VOD_LAV_BACK      ((int64_t) 1000000000)
#define NGX_MEDIA_VOD_LAV_FORTH     ((int64_t) 10 * 1000000000)


typedef struct {
    AVStream                 *out;            /* NULL: it is left out */
    int64_t                   dts;            /* of the last packet, in the
                                                 time base of out */
    int64_t                   next;           /* after it, ns */
    int64_t                   last;           /* the same packet, ns */
    int64_t                   step;           /* between the last two, ns */
    ngx_media_vod_av_clock_t  clock;          /* of audio */
    unsigned                  started:1;
} ngx_media_vod_lav_output_t;


typedef struct {
    ngx_media_vod_lav_t       lav;
    ngx_media_vod_index_t    *index;
    AVFormatContext          *ctx;
    AVIOContext              *io;
    ngx_fd_t                  fd;
    off_t                     offset;
    off_t                     max;            /* size of what is written */
    int                       err;            /* errno of writing */
    int64_t                   shift;          /* added to all stamps, ns */
    uint64_t                  rest;           /* bytes that are no frames */
    ngx_uint_t                nstreams;
    ngx_uint_t                npackets;
    ngx_uint_t                nframes;        /* of video with B-frames */
    ngx_uint_t                nuntimed;       /* of these: not known when they
                                                 are shown */
    ngx_media_vod_temp_t      temp;
    u_char                    name[NGX_MEDIA_VOD_PATH];
    ngx_media_vod_lav_output_t
                              outputs[NGX_MEDIA_VOD_LAV_STREAMS];
} ngx_media_vod_lav_converter_t;


static ngx_media_vod_file_t *ngx_media_vod_lav_converted(
    ngx_media_vod_index_t *index, ngx_fd_t fd,
    const ngx_media_vod_temp_t *temp);
static ngx_int_t ngx_media_vod_lav_make(ngx_media_vod_lav_converter_t *c);
static ngx_media_vod_file_t *ngx_media_vod_lav_failed(
    ngx_media_vod_lav_converter_t *c, ngx_int_t rc);
static ngx_int_t ngx_media_vod_lav_output(ngx_media_vod_lav_converter_t *c);
static ngx_int_t ngx_media_vod_lav_streams(ngx_media_vod_lav_converter_t *c);
static ngx_int_t ngx_media_vod_lav_parameters(AVCodecParameters *par,
    const AVStream *st);
static ngx_uint_t ngx_media_vod_lav_wanted(const AVStream *st);
static void ngx_media_vod_lav_leave(ngx_media_vod_lav_converter_t *c,
    const AVStream *st);
static ngx_int_t ngx_media_vod_lav_copy(ngx_media_vod_lav_converter_t *c);
static ngx_int_t ngx_media_vod_lav_write(ngx_media_vod_lav_converter_t *c,
    AVPacket *packet);
static ngx_int_t ngx_media_vod_lav_trim(ngx_media_vod_lav_converter_t *c,
    const AVStream *st, AVPacket *packet);
static ngx_int_t ngx_media_vod_lav_stamp(ngx_media_vod_lav_converter_t *c,
    ngx_media_vod_lav_output_t *o, const AVStream *st, AVPacket *packet);
#if (LIBAVFORMAT_VERSION_MAJOR >= 61)
static int ngx_media_vod_lav_io_write(void *data, const uint8_t *p, int size);
#else
static int ngx_media_vod_lav_io_write(void *data, uint8_t *p, int size);
#endif
static int64_t ngx_media_vod_lav_io_move(void *data, int64_t offset,
    int whence);


static const AVRational  ngx_media_vod_lav_ns = { 1, 1000000000 };


ngx_media_vod_file_t *
ngx_media_vod_lav_convert(ngx_media_vod_index_t *index)
{
    ngx_fd_t                        fd;
    ngx_int_t                       rc;
    ngx_media_vod_file_t           *file;
    ngx_media_vod_temp_t            temp;
    ngx_media_vod_lav_converter_t  *c;

    if (index->temp == NULL) {
        return ngx_media_vod_index_fail(index, 415,
                                        "has to be converted, which needs "
                                        "media_vod_temp_path");
    }

    fd = ngx_media_vod_converted_open(index->temp, &index->id, &temp);

    if (fd != NGX_INVALID_FILE) {
        file = ngx_media_vod_lav_converted(index, fd, &temp);
        close(fd);
        return file;
    }

    c = calloc(1, sizeof(ngx_media_vod_lav_converter_t));

    if (c == NULL) {
        return NULL;
    }

    c->index = index;
    c->fd = NGX_INVALID_FILE;

    rc = ngx_media_vod_lav_make(c);

    if (c->ctx != NULL) {
        avformat_free_context(c->ctx);
    }

    if (c->io != NULL) {
        av_freep(&c->io->buffer);
        avio_context_free(&c->io);
    }

    ngx_media_vod_lav_close(&c->lav);

    if (rc == NGX_OK
        && ngx_media_vod_temp_commit(c->fd, c->name, index->temp, &c->temp)
           != NGX_OK)
    {
        c->err = errno;
        rc = NGX_ERROR;
    }

    if (rc == NGX_OK) {
        file = ngx_media_vod_lav_converted(index, c->fd, &c->temp);

    } else {
        file = ngx_media_vod_lav_failed(c, rc);
    }

    if (c->fd != NGX_INVALID_FILE) {

        if (rc != NGX_OK) {
            (void) unlink((char *) c->name);
        }

        close(c->fd);
    }

    free(c);

    if (index->temp_max) {
        ngx_media_vod_temp_trim(index->temp, index->temp_max, index->now);
    }

    return file;
}


/*
 * Names depend on what made the file, too: other versions write other bytes.
 */

static ngx_media_vod_file_t *
ngx_media_vod_lav_converted(ngx_media_vod_index_t *index, ngx_fd_t fd,
    const ngx_media_vod_temp_t *temp)
{
    struct stat             st;
    ngx_media_vod_file_t   *file;
    ngx_media_vod_index_t   mp4;

    if (fstat(fd, &st) < 0) {
        return ngx_media_vod_index_fail(index, 500,
                                        "converted: fstat() failed, errno:%d",
                                        errno);
    }

    mp4 = *index;
    mp4.fd = fd;
    mp4.id.size = (uint64_t) st.st_size;
    mp4.file = NULL;

    file = ngx_media_vod_index_mp4(&mp4);

    if (file == NULL) {
        return NULL;
    }

    file->id = index->id;
    file->tag = ngx_media_hash((const u_char *) temp,
                               offsetof(ngx_media_vod_temp_t, note));
    file->converted = 1;

    if (file->error[0] == '\0') {
        ngx_memcpy(file->error, temp->note, NGX_MEDIA_VOD_ERROR);
    }

    return file;
}


/* NGX_DECLINED: there is nothing to convert; NGX_ERROR: it failed */

static ngx_int_t
ngx_media_vod_lav_make(ngx_media_vod_lav_converter_t *c)
{
    ngx_int_t  rc;

    c->temp.id = c->index->id;
    c->temp.converter = (uint64_t) avformat_version() << 32
                        | avcodec_version();

    rc = ngx_media_vod_lav_open(&c->lav, c->index, 1);

    if (rc != NGX_OK) {
        return rc;
    }

    c->max = (off_t) (c->index->id.size + c->index->id.size / 4
                      + NGX_MEDIA_VOD_LAV_TABLES);

    if (c->index->temp_max
        && c->index->id.size > (uint64_t) c->index->temp_max)
    {
        c->err = EFBIG;
        return NGX_ERROR;
    }

    rc = ngx_media_vod_lav_output(c);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_media_vod_lav_copy(c);

    if (rc != NGX_OK) {
        return rc;
    }

    if (av_write_trailer(c->ctx) < 0) {
        return NGX_ERROR;
    }

    avio_flush(c->io);

    return c->err ? NGX_ERROR : NGX_OK;
}


static ngx_media_vod_file_t *
ngx_media_vod_lav_failed(ngx_media_vod_lav_converter_t *c, ngx_int_t rc)
{
    if (c->err == EFBIG) {
        return ngx_media_vod_index_fail(c->index, 415,
                                        "has to be converted, but is larger "
                                        "than media_vod_temp_path may be");
    }

    if (c->err) {
        return ngx_media_vod_index_fail(c->index, 500,
                                        "converting failed, errno:%d",
                                        c->err);
    }

    if (c->lav.err) {
        return ngx_media_vod_index_fail(c->index, 500,
                                        "reading failed, errno:%d",
                                        c->lav.err);
    }

    if (c->lav.demuxer == NULL) {
        return ngx_media_vod_index_fail(c->index, 415, "unknown format");
    }

    return ngx_media_vod_index_fail(c->index, 415, "%s: %s%s%s",
                                    c->lav.demuxer->name,
                                    c->lav.bound ? "reading it does not end"
                                    : rc == NGX_DECLINED
                                    ? "nothing to be served"
                                    : "cannot be converted",
                                    c->temp.note[0] ? ", " : "",
                                    c->temp.note);
}


static ngx_int_t
ngx_media_vod_lav_output(ngx_media_vod_lav_converter_t *c)
{
    int            rc;
    u_char        *buffer;
    ngx_int_t      rv;
    AVDictionary  *options;

    if (avformat_alloc_output_context2(&c->ctx, NULL, "mp4", NULL) < 0) {
        return NGX_ERROR;
    }

    rv = ngx_media_vod_lav_streams(c);

    if (rv != NGX_OK) {
        return rv;
    }

    c->fd = ngx_media_vod_temp_create(c->name, sizeof(c->name),
                                      c->index->temp, &c->index->id);

    if (c->fd == NGX_INVALID_FILE) {
        c->err = errno;
        return NGX_ERROR;
    }

    buffer = av_malloc(NGX_MEDIA_VOD_LAV_BUFFER);

    if (buffer == NULL) {
        return NGX_ERROR;
    }

    c->io = avio_alloc_context(buffer, NGX_MEDIA_VOD_LAV_BUFFER, 1, c, NULL,
                               ngx_media_vod_lav_io_write,
                               ngx_media_vod_lav_io_move);

    if (c->io == NULL) {
        av_free(buffer);
        return NGX_ERROR;
    }

    c->ctx->pb = c->io;
    c->ctx->flags |= AVFMT_FLAG_CUSTOM_IO|AVFMT_FLAG_BITEXACT;
    c->ctx->max_chunk_duration = NGX_MEDIA_VOD_LAV_CHUNK;

    options = NULL;

    /* edits are in ticks of the movie */

    av_dict_set(&options, "movie_timescale", "90000", 0);
    av_dict_set(&options, "video_track_timescale", "90000", 0);
    av_dict_set(&options, "use_editlist", "1", 0);

    rc = avformat_write_header(c->ctx, &options);

    av_dict_free(&options);

    return (rc < 0) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_media_vod_lav_streams(ngx_media_vod_lav_converter_t *c)
{
    AVStream    *st, *out;
    ngx_uint_t   i;

    for (i = 0; i < c->lav.ctx->nb_streams
                && i < NGX_MEDIA_VOD_LAV_STREAMS; i++)
    {
        st = c->lav.ctx->streams[i];

        if (!ngx_media_vod_lav_wanted(st)
            || c->nstreams == NGX_MEDIA_VOD_TRACKS)
        {
            ngx_media_vod_lav_leave(c, st);
            st->discard = AVDISCARD_ALL;
            continue;
        }

        out = avformat_new_stream(c->ctx, NULL);

        if (out == NULL
            || ngx_media_vod_lav_parameters(out->codecpar, st) != NGX_OK
            || av_dict_copy(&out->metadata, st->metadata, 0) < 0)
        {
            return NGX_ERROR;
        }

        out->disposition = st->disposition;
        out->sample_aspect_ratio = st->sample_aspect_ratio;
        out->time_base = st->time_base;

        if (st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            out->time_base.num = 1;
            out->time_base.den = st->codecpar->sample_rate;

            c->outputs[i].clock.num = (uint32_t) st->codecpar->sample_rate;
            c->outputs[i].clock.den = 1;
        }

        c->outputs[i].out = out;
        c->nstreams++;
    }

    /* what begins later begins later: it begins at zero, all of it */

    if (c->lav.ctx->start_time != AV_NOPTS_VALUE) {
        c->shift = -av_rescale(c->lav.ctx->start_time, 1000000000,
                               AV_TIME_BASE);
    }

    return c->nstreams ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_media_vod_lav_parameters(AVCodecParameters *par, const AVStream *st)
{
    if (ngx_media_vod_lav_is_text(st)) {
        return ngx_media_vod_lav_tx3g_params(par);
    }

    if (avcodec_parameters_copy(par, st->codecpar) < 0) {
        return NGX_ERROR;
    }

    /* a tag of another container means nothing in this one */

    par->codec_tag = 0;

    return NGX_OK;
}


/* codecs of ours that the muxer takes, and of which enough is known */

static ngx_uint_t
ngx_media_vod_lav_wanted(const AVStream *st)
{
    uint32_t                  codec;
    const AVCodecParameters  *par;

    if (ngx_media_vod_lav_is_text(st)) {
        return 1;
    }

    par = st->codecpar;
    codec = ngx_media_av_codec(par->codec_id);

    if (codec == 0 || par->codec_id == AV_CODEC_ID_VP8
        || (st->disposition & AV_DISPOSITION_ATTACHED_PIC))
    {
        return 0;
    }

    if (par->codec_type == AVMEDIA_TYPE_VIDEO) {
        return par->width > 0 && par->height > 0;
    }

    return par->codec_type == AVMEDIA_TYPE_AUDIO && par->sample_rate > 0
           && par->ch_layout.nb_channels > 0;
}


static void
ngx_media_vod_lav_leave(ngx_media_vod_lav_converter_t *c, const AVStream *st)
{
    u_char  *p;
    size_t   len;

    if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO
        && st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO
        && st->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE)
    {
        return;
    }

    p = c->temp.note;
    len = ngx_strlen(p);

    (void) snprintf((char *) p + len, NGX_MEDIA_VOD_ERROR - len,
                    "%sstream[%d]: unsupported %s", len ? ", " : "",
                    st->index, avcodec_get_name(st->codecpar->codec_id));
}


static ngx_int_t
ngx_media_vod_lav_copy(ngx_media_vod_lav_converter_t *c)
{
    size_t      len;
    AVPacket   *packet;
    ngx_int_t   rc;

    packet = av_packet_alloc();

    if (packet == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    while (rc == NGX_OK && av_read_frame(c->lav.ctx, packet) >= 0) {
        rc = ngx_media_vod_lav_write(c, packet);
        av_packet_unref(packet);
    }

    av_packet_free(&packet);

    if (rc == NGX_OK && (c->lav.err || c->lav.bound)) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK && c->npackets == 0) {
        return NGX_DECLINED;
    }

    if (rc == NGX_OK
        && c->nuntimed > c->nframes / NGX_MEDIA_VOD_LAV_UNTIMED)
    {
        (void) snprintf((char *) c->temp.note, NGX_MEDIA_VOD_ERROR,
                        "B-frames without times of presentation");
        return NGX_ERROR;
    }

    if (rc == NGX_OK && c->rest) {
        len = ngx_strlen(c->temp.note);

        (void) snprintf((char *) c->temp.note + len,
                        NGX_MEDIA_VOD_ERROR - len,
                        "%s%llu bytes are left out, they are no whole frames",
                        len ? ", " : "", (unsigned long long) c->rest);
    }

    return rc;
}


static ngx_int_t
ngx_media_vod_lav_write(ngx_media_vod_lav_converter_t *c, AVPacket *packet)
{
    int                          rc;
    AVStream                    *st;
    ngx_int_t                    rv;
    ngx_media_vod_lav_output_t  *o;

    if (packet->stream_index < 0
        || packet->stream_index >= NGX_MEDIA_VOD_LAV_STREAMS)
    {
        return NGX_OK;
    }

    st = c->lav.ctx->streams[packet->stream_index];
    o = &c->outputs[packet->stream_index];

    if (o->out == NULL || packet->size <= 0) {
        return NGX_OK;
    }

    /* nothing can be shown before the first key frame */

    if (!o->started && st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO
        && !(packet->flags & AV_PKT_FLAG_KEY))
    {
        return NGX_OK;
    }

    if (ngx_media_vod_lav_trim(c, st, packet) != NGX_OK) {
        return NGX_OK;
    }

    if (o->out->codecpar->codec_id == AV_CODEC_ID_MOV_TEXT) {
        rv = ngx_media_vod_lav_tx3g(st, packet);

        if (rv != NGX_OK) {
            return (rv == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
        }
    }

    if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO
        && st->codecpar->video_delay > 0)
    {
        c->nframes++;
        c->nuntimed += (packet->pts == AV_NOPTS_VALUE);
    }

    if (ngx_media_vod_lav_stamp(c, o, st, packet) != NGX_OK) {
        return NGX_OK;
    }

    packet->stream_index = o->out->index;
    packet->pos = -1;

    c->npackets++;

    rc = av_interleaved_write_frame(c->ctx, packet);

    /* a frame that is malformed is left out, as it would be by a player */

    if (rc == AVERROR(ENOMEM) || c->err || c->io->error < 0) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* what is behind the frames of a packet; NGX_DECLINED: it holds none */

static ngx_int_t
ngx_media_vod_lav_trim(ngx_media_vod_lav_converter_t *c, const AVStream *st,
    AVPacket *packet)
{
    size_t         frame, len, size;
    const u_char  *p;

    size = (size_t) packet->size;
    p = packet->data;

    if (st->codecpar->codec_id == AV_CODEC_ID_AAC
        && st->codecpar->extradata_size == 0)
    {
        /* ADTS, ISO/IEC 14496-3, 1.A.2.2 */

        for (len = 0; size - len >= NGX_MEDIA_VOD_LAV_ADTS; len += frame) {

            if (p[len] != 0xff || (p[len + 1] & 0xf6) != 0xf0) {
                break;
            }

            frame = ngx_media_get_be24(p + len + 3) >> 5 & 0x1fff;

            if (frame < NGX_MEDIA_VOD_LAV_ADTS || frame > size - len) {
                break;
            }
        }

    } else {
        len = ngx_media_vod_av_frame_size(
                            ngx_media_av_codec(st->codecpar->codec_id),
                            p, p + size);
    }

    c->rest += size - len;

    if (len == 0) {
        return NGX_DECLINED;
    }

    av_shrink_packet(packet, (int) len);

    return NGX_OK;
}


/*
 * Times in the time base of the output: decode times that grow, audio frame
 * after frame, and no jumps.  NGX_DECLINED: no time is known.
 */

static ngx_int_t
ngx_media_vod_lav_stamp(ngx_media_vod_lav_converter_t *c,
    ngx_media_vod_lav_output_t *o, const AVStream *st, AVPacket *packet)
{
    int64_t  cto, dts, duration, off;

    dts = (packet->dts != AV_NOPTS_VALUE) ? packet->dts : packet->pts;

    if (dts == AV_NOPTS_VALUE && !o->started) {
        return NGX_DECLINED;
    }

    cto = 0;

    if (packet->pts != AV_NOPTS_VALUE && packet->dts != AV_NOPTS_VALUE) {
        cto = av_rescale_q(packet->pts - packet->dts, st->time_base,
                           ngx_media_vod_lav_ns);
    }

    duration = (packet->duration > 0)
               ? av_rescale_q(packet->duration, st->time_base,
                              ngx_media_vod_lav_ns)
               : 0;

    if (dts == AV_NOPTS_VALUE) {
        dts = o->next;

    } else {
        dts = av_rescale_q(dts, st->time_base, ngx_media_vod_lav_ns)
              + c->shift;
    }

    if (o->started) {
        off = dts - o->next;

        if (st->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE
            && (off < -NGX_MEDIA_VOD_LAV_BACK
                || off > NGX_MEDIA_VOD_LAV_FORTH))
        {
            c->shift -= off;
            dts = o->next;
        }
    }

    if (o->clock.num && st->codecpar->frame_size > 0) {
        dts = ngx_media_vod_av_clock(&o->clock, dts);
        o->clock.ticks += (uint64_t) st->codecpar->frame_size;
    }

    /*
     * Not known, as of video without a rate: as long as the one before.  The
     * edit list that is written ends with the last packet, not before it.
     */

    if (o->started && dts > o->last) {
        o->step = dts - o->last;
    }

    if (duration == 0 && st->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE) {
        duration = o->step;
    }

    o->last = dts;
    o->next = dts + duration;

    packet->dts = av_rescale_q(dts, ngx_media_vod_lav_ns, o->out->time_base);
    packet->pts = av_rescale_q(dts + cto, ngx_media_vod_lav_ns,
                               o->out->time_base);
    packet->duration = av_rescale_q(duration, ngx_media_vod_lav_ns,
                                    o->out->time_base);

    if (o->started && packet->dts <= o->dts) {
        packet->dts = o->dts + 1;
    }

    packet->pts = ngx_max(packet->pts, packet->dts);

    o->dts = packet->dts;
    o->started = 1;

    return NGX_OK;
}


#if (LIBAVFORMAT_VERSION_MAJOR >= 61)
static int
ngx_media_vod_lav_io_write(void *data, const uint8_t *p, int size)
#else
static int
ngx_media_vod_lav_io_write(void *data, uint8_t *p, int size)
#endif
{
    ngx_media_vod_lav_converter_t *c = data;

    int      left;
    ssize_t  n;

    if (c->offset > c->max - size) {
        c->err = EFBIG;
        return AVERROR(EFBIG);
    }

    for (left = size; left; left -= (int) n) {
        n = pwrite(c->fd, p, (size_t) left, c->offset);

        if (n < 0 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            c->err = (n < 0) ? errno : ENOSPC;
            return AVERROR(EIO);
        }

        p += n;
        c->offset += n;
    }

    return size;
}


static int64_t
ngx_media_vod_lav_io_move(void *data, int64_t offset, int whence)
{
    ngx_media_vod_lav_converter_t *c = data;

    if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0) {
        return AVERROR(EINVAL);
    }

    c->offset = offset;

    return offset;
}

#endif
