
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * How fast MPEG-TS is read to frames, in CPU time of this process:
 *
 *     ts_demux FILE SECONDS
 *
 * by our demultiplexer, in datagrams of 1316 bytes, each elementary stream
 * copied into a buffer of its own; and by libavformat out of the same memory,
 * by turns.  Says "name value": MB/s of both, medians, and frames, which have
 * to be as many.
 */

/* link: @codecs formats/ngx_media_adts.c formats/ngx_media_latm.c
         formats/ngx_media_nal.c formats/ngx_media_ts_demux.c
         formats/ngx_media_ts_program.c
         formats/ngx_media_ts_psi.c formats/ngx_media_ts_split.c
         formats/ngx_media_ts_split_audio.c
         formats/ngx_media_ts_split_video.c -lavformat -lavcodec -lavutil */


#include "../../../t/unit/media_ts_walk.h"

#include <libavformat/avformat.h>

#include <stdio.h>
#include <time.h>


#define DATAGRAM  1316
#define ROUNDS    1000


typedef struct {
    const u_char  *pos;
    size_t         len;
    size_t         at;
} tool_memory_t;


static walk_t    walk;
static uint64_t  count;


static void
die(const char *message)
{
    fprintf(stderr, "%s\n", message);
    exit(1);
}


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
frame(walk_t *w, ngx_uint_t stream, const ngx_media_ts_split_frame_t *f)
{
    count++;
}


static uint64_t
ours(const tool_memory_t *m)
{
    size_t                      at, n;
    ngx_media_ts_demux_conf_t   conf;

    memset(&conf, 0, sizeof(conf));
    walk_init(&walk, &conf);

    walk.frame = frame;
    count = 0;

    for (at = 0; at < m->len; at += n) {
        n = ngx_min(DATAGRAM, m->len - at);
        walk_bytes(&walk, m->pos + at, m->pos + at + n);
    }

    walk_end(&walk);

    return count;
}


static int
memory_read(void *data, uint8_t *buf, int size)
{
    size_t          n;
    tool_memory_t  *m;

    m = data;
    n = ngx_min((size_t) size, m->len - m->at);

    if (n == 0) {
        return AVERROR_EOF;
    }

    memcpy(buf, m->pos + m->at, n);
    m->at += n;

    return n;
}


static uint64_t
theirs(tool_memory_t *m)
{
    AVPacket         *packet;
    uint64_t          n;
    AVIOContext      *io;
    AVFormatContext  *ctx;

    m->at = 0;
    n = 0;

    io = avio_alloc_context(av_malloc(32768), 32768, 0, m, memory_read, NULL,
                            NULL);
    ctx = avformat_alloc_context();
    packet = av_packet_alloc();

    if (io == NULL || ctx == NULL || packet == NULL) {
        die("no memory");
    }

    ctx->pb = io;

    if (avformat_open_input(&ctx, NULL, av_find_input_format("mpegts"), NULL)
        < 0)
    {
        die("libavformat does not open it");
    }

    while (av_read_frame(ctx, packet) >= 0) {
        n++;
        av_packet_unref(packet);
    }

    av_packet_free(&packet);
    avformat_close_input(&ctx);
    av_freep(&io->buffer);
    avio_context_free(&io);

    return n;
}


static int
compare(const void *a, const void *b)
{
    return (*(const double *) a > *(const double *) b)
           - (*(const double *) a < *(const double *) b);
}


int
main(int argc, char **argv)
{
    long           len;
    FILE          *in;
    double         end, start, our[ROUNDS], their[ROUNDS];
    u_char        *bytes;
    uint64_t       frames, other;
    ngx_uint_t     n;
    tool_memory_t  m;

    in = (argc == 3) ? fopen(argv[1], "rb") : NULL;

    if (in == NULL || fseek(in, 0, SEEK_END) != 0) {
        die("usage: ts_demux FILE SECONDS");
    }

    len = ftell(in);
    rewind(in);

    bytes = malloc(len + 1);

    if (len < 1 || bytes == NULL
        || fread(bytes, 1, len, in) != (size_t) len)
    {
        die("read");
    }

    fclose(in);
    av_log_set_level(AV_LOG_QUIET);

    m.pos = bytes;
    m.len = len;

    end = now() + strtod(argv[2], NULL);
    frames = other = 0;

    for (n = 0; n < ROUNDS && (n < 3 || now() < end); n++) {
        start = now();
        frames = ours(&m);
        our[n] = len / (now() - start) / 1e6;

        start = now();
        other = theirs(&m);
        their[n] = len / (now() - start) / 1e6;
    }

    qsort(our, n, sizeof(double), compare);
    qsort(their, n, sizeof(double), compare);

    printf("ours %.1f\nlibavformat %.1f\nframes %llu\nother %llu\n",
           our[n / 2], their[n / 2], (unsigned long long) frames,
           (unsigned long long) other);

    free(bytes);

    return 0;
}
