
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_ts_demux.c formats/ngx_media_ts_program.c
         formats/ngx_media_ts_psi.c */


#include "formats/ngx_media_ts_demux.h"
#include "media_ts_make.h"


#define PAT     "0001e100"
#define VIDEO   "1be101f000"
#define AUDIO   "0fe102f000"

/* what is said of events, one a line; data of a PES packet: its length, sum */
#define LOG     65536


static ngx_media_ts_demux_t       demux;
static ngx_media_ts_demux_conf_t  conf;

static char      said[LOG];
static size_t    nsaid;
static size_t    lens[NGX_MEDIA_TS_STREAMS];
static unsigned  sums[NGX_MEDIA_TS_STREAMS];
static unsigned  holes[NGX_MEDIA_TS_STREAMS];


#define say(...)                                                              \
    (nsaid += snprintf(said + nsaid, sizeof(said) - nsaid, __VA_ARGS__))


static void
say_program(void)
{
    ngx_uint_t                    i;
    const ngx_media_ts_stream_t  *s;

    say("program %u:", (unsigned) demux.program);

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        s = &demux.streams[i];

        if (!s->used) {
            continue;
        }

        say(" %x/%x", s->pid, s->stream_type);

        if (s->codec) {
            say("=%.*s", (int) s->codec->name.len, s->codec->name.data);
        }

        if (s->as > NGX_MEDIA_TS_AS_FRAMES) {
            say("+%s", s->as == NGX_MEDIA_TS_AS_LATM ? "latm"
                       : s->as == NGX_MEDIA_TS_AS_ID3 ? "id3"
                       : s->as == NGX_MEDIA_TS_AS_KLV ? "klv" : "scte35");
        }

        if (s->language[0]) {
            say("(%s%u)", s->language, s->audio_type);
        }

        if (s->channels != NGX_MEDIA_TS_NO_CHANNELS) {
            say("(%uch)", s->channels);
        }

        if (s->gone) {
            say("-");
        }

        say("#%u", s->serial);
    }

    say("\n");
}


static void
say_event(const ngx_media_ts_event_t *ev)
{
    size_t  i, len;

    if (ev->type == NGX_MEDIA_TS_EVENT_DATA) {
        holes[ev->stream] += ev->damaged;
        len = ngx_media_span_len(&ev->data);
        lens[ev->stream] += len;

        for (i = 0; i < len; i++) {
            sums[ev->stream] = sums[ev->stream] * 31 + ev->data.pos[i];
        }

        return;
    }

    switch (ev->type) {

    case NGX_MEDIA_TS_EVENT_PROGRAM:
        say_program();
        return;

    case NGX_MEDIA_TS_EVENT_START:
        lens[ev->stream] = 0;
        sums[ev->stream] = 0;
        holes[ev->stream] = 0;

        say("%x start", (unsigned) ev->pid);

        if (ev->pts != NGX_MEDIA_TS_NO_TIME) {
            say(" %lld", (long long) ev->pts);
        }

        if (ev->has_dts) {
            say("/%lld", (long long) ev->dts);
        }

        if (ev->size) {
            say(" size %u", ev->size);
        }

        say("%s%s\n", ev->random ? " random" : "",
            ev->damaged ? " damaged" : "");
        return;

    case NGX_MEDIA_TS_EVENT_END:
        say("%x end %lu %08x", (unsigned) ev->pid,
            (unsigned long) lens[ev->stream], sums[ev->stream]);

        if (holes[ev->stream]) {
            say(" holes %u", holes[ev->stream]);
        }

        say("%s\n", ev->damaged ? " damaged" : "");
        return;

    case NGX_MEDIA_TS_EVENT_SECTION:
        say("%x section %lu\n", (unsigned) ev->pid,
            (unsigned long) ngx_media_span_len(&ev->data));
        return;

    case NGX_MEDIA_TS_EVENT_CLOCK:
        say("clock %lld from %lld\n", (long long) ev->pcr,
            (long long) ev->from);
        return;

    default:
        say("%x note %s\n", (unsigned) ev->pid, ev->why);
    }
}


static void
begin(void)
{
    ngx_media_ts_demux_init(&demux, &conf);
    nsaid = 0;
    said[0] = '\0';
}


/* all that was made, in pieces of so many bytes, each exactly as long */

static void
feed(size_t step)
{
    size_t                 at, n;
    u_char                *copy;
    ngx_media_span_t       in;
    ngx_media_ts_event_t   ev;

    for (at = 0; at < make_len; at += n) {
        n = ngx_min(step, make_len - at);
        copy = tap_dup(make_bytes + at, n);

        in.pos = copy;
        in.last = copy + n;

        memset(&ev, 0xa5, sizeof(ev));

        while (ngx_media_ts_demux(&demux, &in, &ev) == NGX_OK) {
            say_event(&ev);
            memset(&ev, 0xa5, sizeof(ev));
        }

        if (in.pos != in.last) {
            ok(0, "all was read");
        }

        free(copy);
    }
}


static void
flush(void)
{
    ngx_media_ts_event_t  ev;

    while (ngx_media_ts_demux_flush(&demux, &ev) == NGX_OK) {
        say_event(&ev);
    }
}


/* at once, and byte by byte */

static void
check(const char *expected, const char *name)
{
    /* five sync bytes are wanted */

    while (make_len < 5 * make_size) {
        (void) make_packet(0x1fff, 0, (u_char *) "", 0);
    }

    begin();
    feed(make_len);
    flush();
    is_text(said, nsaid, expected, "%s", name);

    begin();
    feed(1);
    flush();
    is_text(said, nsaid, expected, "%s, byte by byte", name);

    begin();
    feed(1316);
    flush();
    is_text(said, nsaid, expected, "%s, as datagrams", name);
}


/* bytes that are no start codes */

static u_char  media[70000];


static void
fill(void)
{
    size_t  i;

    for (i = 0; i < sizeof(media); i++) {
        media[i] = (u_char) (1 + (i * 7919 >> 3) % 253);
    }
}


static unsigned
sum(const u_char *p, size_t len)
{
    unsigned  n;

    for (n = 0; len; len--) {
        n = n * 31 + *p++;
    }

    return n;
}


/* of a PES packet with a PTS, without its packets from one on */

static unsigned
rest(size_t len, unsigned from, unsigned n)
{
    size_t  at;
    u_char  p[2000];

    at = 184 * from - 14;
    n *= 184;

    memcpy(p, media, at);

    if (at + n < len) {
        memcpy(p + at, media + at + n, len - at - n);

    } else {
        n = len - at;
    }

    return sum(p, len - n);
}


static char *
text(const char *fmt, ...)
{
    va_list      args;
    static char  buf[LOG];

    va_start(args, fmt);
    (void) vsnprintf(buf, sizeof(buf), fmt, args);
    va_end(args);

    return buf;
}


#define NAMED  "program 1: 101/1b=h264#1 102/f=aac#2\n"

static void
tables(void)
{
    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x101, VIDEO AUDIO);
}


static void
test_sizes(void)
{
    char         name[32];
    ngx_uint_t   i;

    static const size_t  sizes[] = { 188, 192, 204 };

    for (i = 0; i < 3; i++) {
        make_start();
        make_size = sizes[i];

        make_pat(PAT);
        make_pmt(0x100, 1, 0x101, VIDEO AUDIO);
        make_pes(0x101, 9000, 6000, 0, media, 1000);
        make_pes(0x102, 9000, MAKE_NONE, 1, media, 100);
        make_pes(0x101, 12000, 9000, 0, media, 500);
        make_pes(0x101, 15600, MAKE_NONE, 0, media, 1);

        (void) snprintf(name, sizeof(name), "packets of %u",
                        (unsigned) sizes[i]);

        check(text(NAMED "101 start 9000/6000\n"
                   "102 start 9000 size 100\n102 end 100 %08x\n"
                   "101 end 1000 %08x\n101 start 12000/9000\n"
                   "101 end 500 %08x\n101 start 15600\n101 end 1 %08x\n",
                   sum(media, 100), sum(media, 1000), sum(media, 500),
                   sum(media, 1)), name);
        is(demux.stat.packets, make_len / sizes[i], "%s: all", name);
        is(demux.stat.skipped, sizes[i] == 192 ? 4 : 0,
           "%s: no more than that", name);
    }
}


/* bytes put in or taken out of what was made */

static void
insert(size_t at, const void *p, size_t len)
{
    memmove(make_bytes + at + len, make_bytes + at, make_len - at);
    memcpy(make_bytes + at, p, len);
    make_len += len;
}


static void
cut(size_t at, size_t len)
{
    memmove(make_bytes + at, make_bytes + at + len, make_len - at - len);
    make_len -= len;
}


static void
test_sync(void)
{
    size_t      at;
    u_char      garbage[1000];
    ngx_uint_t  i;

    /* sync bytes in the garbage, too */

    for (at = 0; at < sizeof(garbage); at++) {
        garbage[at] = (u_char) (at % 7 ? at : 0x47);
    }

    for (i = 0; i < 4; i++) {
        tables();
        make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 9 - 14);
        make_pes(0x101, 12600, MAKE_NONE, 0, media, 184 * 9 - 14);
        make_pes(0x101, 16200, MAKE_NONE, 0, media, 184 * 9 - 14);

        switch (i) {

        case 0:
            insert(0, garbage + 3, 77);
            break;

        case 1:
            insert(0, garbage, 1000);
            break;

        case 2:
            insert(188 * 6, garbage, 1000);
            break;

        default:
            insert(188 * 6, garbage + 1, 1);
        }

        begin();
        feed(i & 1 ? 1316 : make_len);
        flush();

        ok(strstr(said, text("101 start 16200\n101 end 1642 %08x damaged\n",
                             sum(media, 1642))) != NULL,
           "found again, %u", (unsigned) i)
            || (diag("%s", said), 0);
        ok(strncmp(said, NAMED, strlen(NAMED)) == 0, "with its tables");
        is(demux.stat.resyncs, i > 1, "lost, %u", (unsigned) i);
        ok(demux.stat.skipped <= 1000 + 188 * 2, "no more than needed");
    }

    /* one packet without its sync byte is one that is missing */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 9 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 1600);
    make_bytes[188 * 5] = 0x46;

    check(text(NAMED "101 start 9000\n101 end %u %08x holes 1\n"
               "101 start 12600\n101 end 1600 %08x\n", 1642 - 184,
               rest(1642, 3, 1), sum(media, 1600)),
          "a sync byte is missing");

    /* at the end of all a PES packet of no length that ends in the midst of
       one of MPEG-TS was not whole */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 500);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 1600);
    make_len -= 188;

    check(text(NAMED "101 start 9000\n101 end 500 %08x\n"
               "101 start 12600\n101 end %u %08x damaged\n",
               sum(media, 500), 184 * 8 - 14, sum(media, 184 * 8 - 14)),
          "cut off");
    is(demux.stat.resyncs, 0, "that is not lost");
}


/* the first bytes, then so many are missing */

static void
feed_gap(size_t at, size_t gap)
{
    size_t                len;
    ngx_media_span_t      in;
    ngx_media_ts_event_t  ev;

    begin();

    len = make_len;
    make_len = at;
    feed(1316);

    ngx_media_ts_demux_gap(&demux, gap);

    in.pos = make_bytes + at + gap;
    in.last = make_bytes + len;

    while (ngx_media_ts_demux(&demux, &in, &ev) == NGX_OK) {
        say_event(&ev);
    }

    flush();
}


static void
test_gap(void)
{
    /* where packets begin is to be found, too */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 29 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 184 * 19 - 14);

    feed_gap(188 * 8 + 50, 1000);
    ok(strstr(said, " holes 1\n101 start 12600\n") != NULL, "a gap")
        || (diag("%s", said), 0);
    is(demux.stat.cc_errors, 1, "its counter says so");
    is(demux.stat.skipped, 50 + 188 * 14 - 188 * 8 - 50 - 1000,
       "nothing is lost but what is not whole");

    /* 16 packets are nothing to a counter */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 29 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 184 * 19 - 14);

    feed_gap(188 * 8, 188 * 16);
    ok(strstr(said, " holes 1\n101 start 12600\n") != NULL,
       "a gap of 16 packets")
        || (diag("%s", said), 0);
    is(demux.stat.cc_errors, 0, "that no counter sees");
    is(demux.stat.skipped, 0, "between packets");
}


static void
test_counters(void)
{
    u_char  one[188];

    /* twice the same: once */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 1000);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 1000);
    memcpy(one, make_bytes + 188 * 4, 188);
    insert(188 * 5, one, 188);

    check(text(NAMED "101 start 9000\n101 end 1000 %08x\n"
               "101 start 12600\n101 end 1000 %08x\n", sum(media, 1000),
               sum(media, 1000)), "a duplicate");
    is(demux.stat.duplicates, 1, "is counted");
    is(demux.stat.cc_errors, 0, "and no error");

    /* the same counter, other bytes */

    make_bytes[188 * 5 + 10] ^= 1;
    begin();
    feed(make_len);
    ok(strstr(said, " holes 1") != NULL, "another packet of the same number");
    is(demux.stat.cc_errors, 1, "that is an error");

    /* one is missing in the middle */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 5 - 14);
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 184 * 3 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 10);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 10);
    cut(188 * 8, 188);
    cut(188 * 4, 188);

    check(text(NAMED "101 start 9000\n102 start 9000 size 538\n"
               "101 end 722 %08x holes 1\n101 start 12600\n"
               "102 end 354 %08x holes 1\n102 start 12600 size 10\n"
               "102 end 10 %08x\n101 end 10 %08x\n", rest(906, 2, 1),
               rest(538, 1, 1), sum(media, 10), sum(media, 10)),
          "missing in the middle");
    is(demux.stat.cc_errors, 2, "twice");

    /* at the end, and where one begins */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 3 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 184 * 3 - 14);
    make_pes(0x101, 16200, MAKE_NONE, 0, media, 10);
    cut(188 * 4, 188);

    check(text(NAMED "101 start 9000\n101 end 354 %08x damaged\n"
               "101 start 12600 damaged\n101 end 538 %08x\n"
               "101 start 16200\n101 end 10 %08x\n", rest(538, 2, 1),
               sum(media, 538), sum(media, 10)), "missing at the end");

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 3 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 184 * 3 - 14);
    make_pes(0x101, 16200, MAKE_NONE, 0, media, 10);
    cut(188 * 5, 188);
    begin();
    feed(make_len);
    flush();
    ok(strstr(said, "start 12600") == NULL
       && strstr(said, " holes 1\n101 start 16200\n") != NULL,
       "missing where one begins")
        || (diag("%s", said), 0);

    /* announced; packets without payload do not count */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 1000);
    make_cc[0x101] += 5;
    make_flags = NGX_MEDIA_TS_DISCONTINUITY;
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 1000);
    make_cc[0x101] += 7;
    make_pcr = 9000;
    make_flags = NGX_MEDIA_TS_DISCONTINUITY;
    make_fill = 176;
    (void) make_packet(0x101, 0, media, 0);
    make_pes(0x101, 16200, MAKE_NONE, 0, media, 1000);

    begin();
    feed(188);
    flush();
    ok(strstr(said, "damaged") == NULL && strstr(said, "holes") == NULL,
       "a jump that is announced");
    is(demux.stat.cc_errors, 0, "is none");
}


static void
test_pes(void)
{
    size_t  len;
    u_char  pes[1000];

    /* a header over packets: 200 bytes of it are stuffing */

    tables();
    len = make_pes_bytes(pes, 9000, 6000, 0, media, 400);
    memmove(pes + 219, pes + 19, 400);
    memset(pes + 19, 0xff, 200);
    pes[8] = 210;
    make_payload(0x101, pes, len + 200);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 10);

    check(text(NAMED "101 start 9000/6000\n101 end 400 %08x\n"
               "101 start 12600\n101 end 10 %08x\n", sum(media, 400),
               sum(media, 10)), "a long header");

    /* a header in pieces of 4 bytes */

    tables();
    len = make_pes_bytes(pes, 9000, 6000, 0, media, 24);
    make_packet(0x101, 1, pes, 4);
    make_packet(0x101, 0, pes + 4, 4);
    make_packet(0x101, 0, pes + 8, 8);
    make_packet(0x101, 0, pes + 16, len - 16);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 10);

    check(text(NAMED "101 start 9000/6000\n101 end 24 %08x\n"
               "101 start 12600\n101 end 10 %08x\n", sum(media, 24),
               sum(media, 10)), "a header in pieces");

    /* without a stamp; empty; no start code; padding; no marker bits */

    tables();
    make_pes(0x102, MAKE_NONE, MAKE_NONE, 1, media, 200);
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 0);
    len = make_pes_bytes(pes, 9000, MAKE_NONE, 0, media, 100);
    pes[1] = 1;
    make_payload(0x102, pes, len);
    pes[1] = 0;
    pes[3] = 0xbe;
    make_payload(0x102, pes, len);
    pes[3] = 0xc0;
    pes[9] = 0x20;
    make_payload(0x102, pes, len);

    check(text(NAMED "102 start size 200\n102 end 200 %08x\n"
               "102 start 9000\n102 end 0 00000000\n"
               "102 start damaged\n102 end 100 %08x\n",
               sum(media, 200), sum(media, 100)), "odd ones");
    is(demux.stat.malformed, 2, "two are malformed");

    /* longer than it says: what is behind goes on without a stamp */

    tables();
    len = make_pes_bytes(pes, 9000, MAKE_NONE, 1, media, 300);
    memcpy(pes + len, media + 300, 400);
    make_payload(0x102, pes, len + 400);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 10);

    check(text(NAMED "102 start 9000 size 300\n102 end 300 %08x\n"
               "102 start\n102 end 400 %08x\n"
               "102 start 12600 size 10\n102 end 10 %08x\n",
               sum(media, 300), sum(media + 300, 400), sum(media, 10)),
          "longer than it says");
    is(demux.stat.late, 1, "once");

    /* shorter than it says */

    tables();
    len = make_pes_bytes(pes, 9000, MAKE_NONE, 1, media, 300);
    make_payload(0x102, pes, len - 100);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 10);

    check(text(NAMED "102 start 9000 size 300\n102 end 200 %08x damaged\n"
               "102 start 12600 size 10\n102 end 10 %08x\n",
               sum(media, 200), sum(media, 10)), "shorter than it says");

    /* a length that its header exceeds */

    tables();
    len = make_pes_bytes(pes, 9000, MAKE_NONE, 1, media, 300);
    pes[4] = 0;
    pes[5] = 5;
    make_payload(0x102, pes, len);

    check(text(NAMED "102 start 9000\n102 end 300 %08x\n", sum(media, 300)),
          "a length that cannot be");

    /* a start with random access */

    tables();
    make_flags = NGX_MEDIA_TS_RANDOM_ACCESS;
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 300);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 300);

    check(text(NAMED "101 start 9000 random\n101 end 300 %08x\n"
               "101 start 12600\n101 end 300 %08x\n", sum(media, 300),
               sum(media, 300)), "random access");
}


static void
test_early(void)
{
    conf.early = 1;

    /* it ends at the packet with stuffing */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 1000);
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 100);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 10);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 100);

    check(text(NAMED "101 start 9000\n101 end 1000 %08x\n"
               "102 start 9000 size 100\n102 end 100 %08x\n"
               "101 start 12600\n101 end 10 %08x\n"
               "102 start 12600 size 100\n102 end 100 %08x\n",
               sum(media, 1000), sum(media, 100), sum(media, 10),
               sum(media, 100)), "early");
    is(demux.stat.late, 0, "no end was wrong");

    /* a PCR is no stuffing */

    tables();
    make_pcr = 9000;
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 1000);

    begin();
    feed(188 * 6);
    ok(strstr(said, "end 1000 ") != NULL && strstr(said, "late") == NULL,
       "a clock");
    is(demux.stat.late, 0, "ends nothing");

    /* one that goes on behind: never again */

    tables();
    make_fill = 50;
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 1000);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 1000);
    make_pes(0x101, 16200, MAKE_NONE, 0, media, 10);

    check(text(NAMED "101 start 9000\n101 end 118 %08x\n"
               "101 start\n101 end 882 %08x\n"
               "101 start 12600\n101 end 1000 %08x\n"
               "101 start 16200\n101 end 10 %08x\n",
               sum(media, 118), sum(media + 118, 882), sum(media, 1000),
               sum(media, 10)), "stuffing inside");
    is(demux.stat.late, 1, "once");

    conf.early = 0;
}


static void
test_dropped(void)
{
    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 184 * 5 - 14);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 184 * 5 - 14);
    make_pes(0x101, 16200, MAKE_NONE, 0, media, 10);

    make_bytes[188 * 4 + 1] |= 0x80;
    make_bytes[188 * 9 + 3] |= 0xc0;

    begin();
    feed(188);
    flush();

    ok(strstr(said, text("101 end 722 %08x holes 1\n101 start 12600\n"
                         "101 note scrambled\n101 end 722 ",
                         rest(906, 2, 1))) != NULL,
       "broken and scrambled packets")
        || (diag("%s", said), 0);
    is(demux.stat.tei, 1, "one with an error");
    is(demux.stat.scrambled, 1, "one scrambled");

    /* adaptation fields that cannot be */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 10);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 10);
    make_pes(0x101, 16200, MAKE_NONE, 0, media, 10);
    make_bytes[188 * 2 + 4] = 184;
    make_bytes[188 * 3 + 3] &= 0xcf;

    check(text(NAMED "101 start 16200\n101 end 10 %08x\n",
               sum(media, 10)), "adaptation fields");
    is(demux.stat.malformed, 2, "are malformed");
}


#define KLV   "06e103f006" "05044b4c5641"
#define SCTE  "86e1f0f006" "050443554549"

static void
test_streams(void)
{
    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x101,
             "24e101f000"
             "03e102f006" "0a04676572" "03"
             "04e103f006" "0a04464c5f" "00"
             "11e104f006" "0a04454e47" "00"
             "81e105f006" "050441432d33"
             "87e106f000"
             "06e107f006" "050441432d33"
             "06e108f006" "050445414333"
             "06e109f00a" "05044f707573" "7f028002"
             "06e10af006" "050448455643"
             "06e10bf006" "050441563031"
             "06e10cf006" "05044b4c5641"
             "06e10df003" "6a0100"
             "06e10ef003" "7a0100"
             "06e10ff000"
             "06e110f005" "5603646575"
             "15e111f00f" "260d" "ffff49443320" "ff" "49443320" "000f"
             "15e112f00b" "2609" "0100" "ff" "4b4c5641" "000f"
             "86e113f000"
             "02e114f000"
             "1be114f000"
             "1bffff" "f000"
             "1be000" "f000");

    check("program 1: 101/24=hevc#1 102/3=mp3(ger3)#2 103/4=mp3#3"
          " 104/11=aac+latm(eng0)#4 105/81=ac3#5 106/87=eac3#6"
          " 107/6=ac3#7 108/6=eac3#8 109/6=opus(2ch)#9 10a/6=hevc#10"
          " 10b/6=av1#11 10c/6+klv#12 10d/6=ac3#13 10e/6=eac3#14"
          " 10f/6#15 110/6#16 111/15+id3#17 112/15+klv#18 113/86+scte35#19"
          " 114/2#20\n"
          "10f note unknown stream type\n110 note unknown stream type\n"
          "114 note unknown stream type\n", "streams");
}


static void
test_program(void)
{
    size_t    len;
    char      hex[1200];
    u_char    p[3000];
    unsigned  i;

    /* the same again says nothing, whatever its version is */

    tables();
    make_section(0x100, "02b0000001" "c30000" "e101f000" VIDEO AUDIO);
    make_pmt(0x100, 1, 0x101, VIDEO AUDIO);

    check(NAMED, "a version alone");

    /* another content of the same version: a language, a late PID */

    tables();
    make_pes(0x103, 9000, MAKE_NONE, 1, media, 10);
    make_pmt(0x100, 1, 0x101, VIDEO "0fe102f006" "0a04667261" "00");
    make_pmt(0x100, 1, 0x101, VIDEO "0fe102f006" "0a04667261" "00"
             "0fe103f000");
    make_pes(0x103, 12600, MAKE_NONE, 1, media, 10);

    check(text(NAMED "103 note not in the program map\n"
               "program 1: 101/1b=h264#1 102/f=aac(fra0)#2\n"
               "program 1: 101/1b=h264#1 102/f=aac(fra0)#2 103/f=aac#3\n"
               "103 start 12600 size 10\n103 end 10 %08x\n",
               sum(media, 10)), "a late PID");

    /* another codec at a PID: what was open ends */

    tables();
    make_pes(0x101, 9000, MAKE_NONE, 0, media, 300);
    make_pmt(0x100, 1, 0x101, "24e101f000" AUDIO);
    make_pes(0x101, 12600, MAKE_NONE, 0, media, 10);

    check(text(NAMED "101 start 9000\n101 end 300 %08x\n"
               "program 1: 101/24=hevc#3 102/f=aac#2\n"
               "101 start 12600\n101 end 10 %08x\n", sum(media, 300),
               sum(media, 10)), "another codec");

    /* not yet in force; a wrong CRC */

    tables();
    make_section(0x100, "02b0000001" "c00000" "e101f000" VIDEO);
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_bytes[make_len - 1] ^= 1;

    check(NAMED, "sections of no worth");
    is(demux.stat.sections, 1, "one was malformed");

    /* over packets, and several of them in one */

    make_start();
    make_pat("0000e010" "0001e100" "0002e100");

    len = 0;
    p[len++] = 0;
    len += make_section_bytes(p + len, "02b0000002" "c10000" "ffff" "f000");

    (void) snprintf(hex, sizeof(hex), "02b0000001c10000e101f190");

    for (i = 0; i < 400; i++) {
        (void) strcat(hex, "00");
    }

    (void) strcat(hex, VIDEO AUDIO);

    len += make_section_bytes(p + len, hex);
    p[len++] = 0xff;
    make_payload(0x100, p, len);
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 10);

    check(text(NAMED "102 start 9000 size 10\n102 end 10 %08x\n",
               sum(media, 10)), "a section of 427 bytes");

    /* PIDs that cannot be, a list that ends too soon */

    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x101, "1be100f000" VIDEO VIDEO AUDIO "0fe103f0ff");

    check("program 1: 100/1b=h264#1 101/1b=h264#2 102/f=aac#3\n"
          "100 note too many of its kind\n", "PIDs of others");
}


/* sections of any length, one behind the other in packets of these sizes */

static void
test_sections(void)
{
    size_t       i, k, len, lens[3], n, start;
    char         hex[9000];
    u_char       all[13000], p[184];
    ngx_uint_t   pusi;

    static const unsigned  sizes[][3] = {
        { 20, 15, 30 }, { 200, 300, 20 }, { 183, 183, 183 }, { 182, 184, 2 },
        { 4081, 4081, 1 }
    };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_start();
        make_pat(PAT);
        make_pmt(0x100, 1, 0x1fff, SCTE);

        len = 0;

        for (k = 0; k < 3; k++) {
            strcpy(hex, "fc0000");

            for (n = 0; n < sizes[i][k]; n++) {
                strcat(hex, "1f");
            }

            lens[k] = make_section_bytes(all + len, hex);
            len += lens[k];
        }

        /* in each packet the first that begins there is pointed at */

        for (n = 0; n < len; n += k - pusi) {

            for (start = 0, k = 0; k < 3 && start < n; k++) {
                start += lens[k];
            }

            pusi = (start < len && start - n < 183);

            p[0] = (u_char) (start - n);
            k = ngx_min(len - n, 184 - pusi);
            memcpy(p + pusi, all + n, k);
            k += pusi;

            /* stuffing that is no adaptation field */

            memset(p + k, 0xff, 184 - k);
            (void) make_packet(0x1f0, pusi, p, 184);
        }

        check(text("program 1: 1f0/86+scte35#1\n1f0 section %u\n"
                   "1f0 section %u\n1f0 section %u\n",
                   (unsigned) lens[0], (unsigned) lens[1],
                   (unsigned) lens[2]), "sections one behind the other");
        is(demux.stat.sections, 0, "none of them is wrong");
    }

    /* a packet of the second one is missing */

    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x1fff, SCTE);

    strcpy(hex, "fc0000");

    for (n = 0; n < 300; n++) {
        strcat(hex, "1f");
    }

    make_section(0x1f0, hex);
    make_section(0x1f0, hex);
    make_section(0x1f0, hex);
    cut(188 * 5, 188);

    check("program 1: 1f0/86+scte35#1\n1f0 section 307\n1f0 section 307\n",
          "a part is missing");

    /* a wrong CRC, a length that cannot be, a pointer beyond the packet */

    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x1fff, SCTE);
    make_section(0x1f0, "fc00001f");
    make_bytes[make_len - 1] ^= 1;
    (void) make_packet(0x1f0, 1, (u_char *) "\0\xfc\x0f\xff", 4);
    (void) make_packet(0x1f0, 1, (u_char *) "\x09\xfc\0\1\0", 5);
    make_section(0x1f0, "fc00001f");

    check("program 1: 1f0/86+scte35#1\n1f0 section 8\n",
          "malformed sections");
    is(demux.stat.sections, 2, "two are malformed");
    is(demux.stat.malformed, 1, "and a pointer");
}


#define PROGRAM_1  "program 1: 101/1b=h264#1\n"
#define PROGRAM_2  "program 2: 201/1b=h264#1\n"

static void
test_programs(void)
{
    ngx_uint_t  i;

    /* the first that is no network, whichever PMT comes first */

    for (i = 0; i < 2; i++) {
        make_start();
        make_pat(i ? "0000e0100001e1000002e120" : "0002e1200001e1000000e010");
        make_pmt(0x100, 1, 0x101, VIDEO);
        make_pmt(0x120, 2, 0x201, "1be201f000");
        make_pmt(0x100, 1, 0x101, VIDEO);
        make_pes(i ? 0x201 : 0x101, 9000, MAKE_NONE, 1, media, 10);
        make_pes(i ? 0x101 : 0x201, 9000, MAKE_NONE, 1, media, 10);

        check(text("%s%x note not in the program map\n"
                   "%x start 9000 size 10\n%x end 10 %08x\n",
                   i ? PROGRAM_1 : PROGRAM_2, i ? 0x201 : 0x101,
                   i ? 0x101 : 0x201, i ? 0x101 : 0x201, sum(media, 10)),
              "the first program");
    }

    /* the one that is asked for, or none */

    conf.program = 2;
    make_start();
    make_pat("0001e100");
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pat("0001e1000002e100");
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pmt(0x100, 2, 0x201, "1be201f000");
    check(PROGRAM_2, "the second program");
    conf.program = 0;

    /* others than the first alone have a PMT: of a stream that was cut out */

    make_start();
    make_pat("0001e1000002e120");
    make_pmt(0x120, 2, 0x201, "1be201f000");
    make_pmt(0x120, 2, 0x201, "1be201f000");
    make_pmt(0x120, 2, 0x201, "1be201f000");
    make_pmt(0x100, 1, 0x101, VIDEO);
    check(PROGRAM_2, "the one that is there");

    /* a PAT of two sections, the first of which comes later, and again */

    make_start();
    make_section(0, "00b0000001c10101" "0002e120");
    make_section(0, "00b0000001c10001" "0001e100");
    make_section(0, "00b0000001c10101" "0002e120");
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pmt(0x120, 2, 0x201, "1be201f000");
    check("program 2: 201/1b=h264#1\n", "a PAT in two sections");

    /* another number, another PID of the PMT, the same streams */

    tables();
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 10);
    make_pat("0007e110");
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pmt(0x110, 7, 0x101, VIDEO AUDIO);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 10);

    check(text(NAMED "102 start 9000 size 10\n102 end 10 %08x\n"
               "program 7: 101/1b=h264#1 102/f=aac#2\n"
               "102 start 12600 size 10\n102 end 10 %08x\n",
               sum(media, 10), sum(media, 10)), "another number");

    /* more than are looked at */

    make_start();
    make_section(0, "00b0000001c10000"
                 "0001e1000002e1000003e1000004e1000005e1000006e1000007e100"
                 "0008e1000009e100000ae100000be100000ce100000de100000ee100"
                 "000fe1000010e1000011e1000012e120");
    conf.program = 18;
    make_pmt(0x120, 18, 0x201, "1be201f000");
    check("program 18: 201/1b=h264#1\n", "the last of many");
    conf.program = 0;
}


/* a stream that is not in PMTs any more goes after 2 s of them */

static void
test_gone(void)
{
    tables();
    make_pes(0x102, 9000, MAKE_NONE, 0, media, 10);
    begin();
    demux.now = 1000;
    feed(make_len);

    make_len = 0;
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pes(0x102, 12600, MAKE_NONE, 0, media, 10);
    demux.now = 1100;
    feed(make_len);

    make_len = 0;
    make_pmt(0x100, 1, 0x101, VIDEO);
    demux.now = 3099;
    feed(make_len);

    make_len = 0;
    make_pmt(0x100, 1, 0x101, VIDEO);
    make_pes(0x102, 16200, MAKE_NONE, 0, media, 10);
    demux.now = 3100;
    feed(make_len);

    is_text(said, nsaid,
            text(NAMED "102 start 9000\n"
                 "program 1: 101/1b=h264#1 102/f=aac-#2\n"
                 "102 end 10 %08x\n102 start 12600\n102 end 10 %08x\n"
                 "program 1: 101/1b=h264#1\n"
                 "102 note not in the program map\n",
                 sum(media, 10), sum(media, 10)), "a stream goes");

    /* it is there again before */

    tables();
    make_pmt(0x100, 1, 0x101, AUDIO);
    make_pmt(0x100, 1, 0x101, AUDIO VIDEO);
    check(NAMED "program 1: 101/1b=h264-#1 102/f=aac#2\n" NAMED,
          "a stream is back");
}


static void
pcr(int64_t time, unsigned flags, int64_t now)
{
    make_len = 0;
    make_pcr = time;
    make_flags = flags;
    (void) make_packet(0x1e0, 0, (u_char *) "", 0);
    demux.now = now;
    feed(make_len);
}


static void
test_clock(void)
{
    int64_t  t;

    /* on a PID of its own */

    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    make_pmt(0x100, 1, 0x1e0, VIDEO);

    begin();
    feed(make_len);
    nsaid = 0;

    pcr(900000, NGX_MEDIA_TS_DISCONTINUITY, 1000);
    pcr(903600, 0, 1040);
    is(demux.pcr, 903600, "a clock on its own PID");

    /* a sender that stood still; one that catches up */

    pcr(907200, 0, 5000);

    for (t = 943200; t < 1263600; t += 36000) {
        pcr(t, 0, 5010);
    }

    pcr(1263600, 0, 5020);
    is(nsaid, 0, "no jump");

    /* one that is announced; one that is too small for that */

    pcr(1267200 + 18000, NGX_MEDIA_TS_DISCONTINUITY, 9000);
    pcr(1288800, NGX_MEDIA_TS_DISCONTINUITY, 9040);
    is(nsaid, 0, "no jump that is said to be one");

    pcr(90000, NGX_MEDIA_TS_DISCONTINUITY, 9080);
    is_text(said, nsaid, "clock 90000 from 1292400\n", "back, announced");
    nsaid = 0;

    /* not announced: two that agree */

    pcr(93600, 0, 9120);
    pcr(900000, 0, 9160);
    pcr(100800, 0, 9200);
    is(nsaid, 0, "one alone is a broken one");
    pcr(900000, 0, 9240);
    pcr(903600, 0, 9280);
    is_text(said, nsaid, "clock 903600 from 108000\n", "two agree");
    nsaid = 0;

    /* so do a PCR and a stamp; one of the time before does not */

    pcr(90000, 0, 9320);
    make_len = 0;
    make_pes(0x101, 903600 + 63000, MAKE_NONE, 0, media, 10);
    feed(make_len);
    is_text(said, nsaid, "101 start 966600\n", "a stamp of before");
    pcr(907200, 0, 9360);
    pcr(90000, 0, 9400);
    nsaid = 0;
    make_len = 0;
    make_pes(0x101, 90000 + 63000, MAKE_NONE, 0, media, 10);
    feed(make_len);
    is_text(said, nsaid, text("101 end 10 %08x\n101 start 153000\n"
                              "clock 90000 from 910800\n", sum(media, 10)),
            "a stamp agrees");
    pcr(93600, 0, 9440);
    is(demux.pcr, 93600, "it goes on from there");
    nsaid = 0;

    /* over the end of 33 bits, again and again */

    begin();
    make_start();
    make_pat(PAT);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    make_pmt(0x100, 1, 0x1e0, VIDEO);
    feed(make_len);
    nsaid = 0;

    for (t = 0; t < ((int64_t) 1 << 33) * 3; t += 50 * 90000) {
        pcr(t, 0, t / 90);
    }

    is(demux.pcr, t - 50 * 90000, "three times around");
    is(nsaid, 0, "no jump");
}


static void
test_stamps(void)
{
    int64_t  end;

    end = (int64_t) 1 << 33;

    /* over the end, DTS before it and PTS behind */

    tables();
    make_pes(0x101, end - 100, end - 7300, 1, media, 10);
    make_pes(0x101, end + 3500, end - 3700, 1, media, 10);
    make_pes(0x102, end + 100, MAKE_NONE, 1, media, 10);
    make_pes(0x101, end + 7100, end - 100, 1, media, 10);

    check(text(NAMED "101 start %lld/%lld size 10\n101 end 10 %08x\n"
               "101 start %lld/%lld size 10\n101 end 10 %08x\n"
               "102 start %lld size 10\n102 end 10 %08x\n"
               "101 start %lld/%lld size 10\n101 end 10 %08x\n",
               end - 100, end - 7300, sum(media, 10), end + 3500, end - 3700,
               sum(media, 10), end + 100, sum(media, 10), end + 7100,
               end - 100, sum(media, 10)), "over the end of 33 bits");

    /* a DTS before the first of all */

    tables();
    make_pes(0x101, 3600, -3600, 1, media, 10);
    check(text(NAMED "101 start 3600/-3600 size 10\n101 end 10 %08x\n",
               sum(media, 10)), "before the first");

    /* a broken one, half a cycle away, moves nothing */

    tables();
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 10);
    make_pes(0x102, 9000 + end / 2, MAKE_NONE, 1, media, 10);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 10);
    begin();
    feed(make_len);
    ok(strstr(said, "102 start 12600 size") != NULL, "a broken stamp")
        || (diag("%s", said), 0);

    /* a jump does */

    tables();
    make_pes(0x102, end - 9000, MAKE_NONE, 1, media, 10);
    make_pes(0x102, end / 2 + 9000, MAKE_NONE, 1, media, 10);
    make_pes(0x102, end / 2 + 12600, MAKE_NONE, 1, media, 10);
    make_pes(0x102, 9000, MAKE_NONE, 1, media, 10);
    make_pes(0x102, 12600, MAKE_NONE, 1, media, 10);
    begin();
    feed(make_len);
    ok(strstr(said, text("102 start %lld size", end / 2 + 12600)) != NULL
       && strstr(said, "102 start 12600 size") != NULL, "jumps")
        || (diag("%s", said), 0);
}


int
main(void)
{
    fill();

    test_sizes();
    test_sync();
    test_gap();
    test_counters();
    test_pes();
    test_early();
    test_dropped();
    test_streams();
    test_program();
    test_sections();
    test_programs();
    test_gone();
    test_clock();
    test_stamps();

    return done();
}
