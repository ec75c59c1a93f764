
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Transport streams by hand: packets into one buffer, as odd as a test wants
 * them.
 */


#ifndef _MEDIA_TS_MAKE_H_INCLUDED_
#define _MEDIA_TS_MAKE_H_INCLUDED_


#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_ts.h"
#include "media_hex.h"


#define MAKE_MAX    (188 * 8192)
#define MAKE_NONE   (-1)                      /* no PTS, DTS, PCR */


static u_char    make_bytes[MAKE_MAX];
static size_t    make_len;
static unsigned  make_cc[8192];               /* of the next packet */
static size_t    make_size = 188;             /* of packets: 192: four bytes
                                                 before, 204: 16 behind */

/* of the next packet alone */
static int64_t   make_pcr = MAKE_NONE;
static unsigned  make_flags;                  /* of its adaptation field */
static unsigned  make_fill;                   /* bytes of stuffing, at least */


static inline void
make_start(void)
{
    make_len = 0;
    make_size = 188;
    memset(make_cc, 0, sizeof(make_cc));
}


/* one packet; bytes of data that are in it */

static inline size_t
make_packet(unsigned pid, unsigned start, const u_char *data, size_t len)
{
    size_t   n, room;
    u_char  *p;

    p = make_bytes + make_len;

    if (make_len + make_size > MAKE_MAX) {
        abort();
    }

    memset(p, 0xdb, make_size);

    if (make_size == 192) {
        p += 4;
    }

    make_len += make_size;

    n = 0;

    if (make_pcr != MAKE_NONE || make_flags || make_fill) {
        n = 2 + (make_pcr != MAKE_NONE ? 6 : 0) + make_fill;
    }

    if (len < 184 - n) {
        n = 184 - len;
    }

    room = 184 - n;

    p[0] = 0x47;
    p[1] = (u_char) ((start ? 0x40 : 0) | pid >> 8);
    p[2] = (u_char) pid;
    p[3] = (u_char) ((n ? 0x20 : 0) | (room ? 0x10 : 0) | (make_cc[pid] & 15));

    if (n) {
        memset(p + 4, 0xff, n);
        p[4] = (u_char) (n - 1);
    }

    if (n > 1) {
        p[5] = (u_char) (make_flags
                         | (make_pcr != MAKE_NONE ? NGX_MEDIA_TS_PCR : 0));
    }

    if (make_pcr != MAKE_NONE) {
        ngx_media_ts_put_pcr(p + 6, (uint64_t) make_pcr
                                    & NGX_MEDIA_TS_TIME_MASK);
    }

    memcpy(p + 4 + n, data, room);

    make_cc[pid] += (room != 0);

    make_pcr = MAKE_NONE;
    make_flags = 0;
    make_fill = 0;

    return room;
}


/* as many as it takes; the last one is stuffed */

static inline void
make_payload(unsigned pid, const u_char *data, size_t len)
{
    size_t    n;
    unsigned  start;

    start = 1;

    do {
        n = make_packet(pid, start, data, len);
        data += n;
        len -= n;
        start = 0;
    } while (len);
}


/* a PES packet, of how many bytes; bounded: with its length */

static inline size_t
make_pes_bytes(u_char *p, int64_t pts, int64_t dts, unsigned bounded,
    const void *data, size_t len)
{
    size_t    n;
    unsigned  header;

    header = (pts == MAKE_NONE ? 0 : 5) + (dts == MAKE_NONE ? 0 : 5);
    n = bounded ? 3 + header + len : 0;

    memcpy(p, "\0\0\1\xe0", 4);
    p[4] = (u_char) (n >> 8);
    p[5] = (u_char) n;
    p[6] = 0x84;
    p[7] = (u_char) ((pts == MAKE_NONE ? 0 : 0x80)
                     | (dts == MAKE_NONE ? 0 : 0x40));
    p[8] = (u_char) header;

    if (pts != MAKE_NONE) {
        ngx_media_ts_put_time(p + 9, dts == MAKE_NONE ? 2 : 3,
                              (uint64_t) pts & NGX_MEDIA_TS_TIME_MASK);
    }

    if (dts != MAKE_NONE) {
        ngx_media_ts_put_time(p + 14, 1,
                              (uint64_t) dts & NGX_MEDIA_TS_TIME_MASK);
    }

    memcpy(p + 9 + header, data, len);

    return 9 + header + len;
}


static inline void
make_pes(unsigned pid, int64_t pts, int64_t dts, unsigned bounded,
    const void *data, size_t len)
{
    size_t   n;
    u_char  *p;

    p = malloc(len + 32);
    n = make_pes_bytes(p, pts, dts, bounded, data, len);
    make_payload(pid, p, n);
    free(p);
}


/* a section from its table_id to before its CRC; its length is set here */

static inline size_t
make_section_bytes(u_char *p, const char *hex)
{
    size_t   len;
    u_char  *body;

    body = media_hex(hex, &len);

    memcpy(p, body, len);
    free(body);

    p[1] = (u_char) ((p[1] & 0xf0) | (len + 4 - 3) >> 8);
    p[2] = (u_char) (len + 4 - 3);

    ngx_media_put_be32(p + len, ngx_media_crc32_mpeg(p, p + len));

    return len + 4;
}


static inline void
make_section(unsigned pid, const char *hex)
{
    size_t  len;
    u_char  p[5000];

    p[0] = 0;
    len = make_section_bytes(p + 1, hex);
    make_payload(pid, p, 1 + len);
}


/* programs: "0001e100" is number 1, its PMT at 0x100 */

static inline void
make_pat(const char *programs)
{
    char  hex[512];

    (void) snprintf(hex, sizeof(hex), "00b0000001c10000%s", programs);
    make_section(0, hex);
}


/* streams: "1be101f000" is H.264 at PID 0x101 */

static inline void
make_pmt(unsigned pid, unsigned number, unsigned pcr, const char *streams)
{
    char  hex[4096];

    (void) snprintf(hex, sizeof(hex), "02b000%04xc10000%04xf000%s", number,
                    0xe000 | pcr, streams);
    make_section(pid, hex);
}


#endif /* _MEDIA_TS_MAKE_H_INCLUDED_ */
