
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A small reader of transport streams, for tests: it knows nothing of the
 * code that writes them, and complains of all that is not as it should be.
 */


#ifndef _MEDIA_TS_H_INCLUDED_
#define _MEDIA_TS_H_INCLUDED_


#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define TS_PIDS   8192
#define TS_UNITS  4096


typedef struct {
    unsigned        pid;
    unsigned        id;                       /* stream_id */
    unsigned        packets;
    unsigned        random;                   /* random_access_indicator */
    size_t          end;                      /* behind its last packet */
    uint64_t        pts;
    uint64_t        dts;
    unsigned char  *data;
    size_t          len;
    size_t          announced;                /* PES_packet_length, or 0 */
} ts_unit_t;


typedef struct {
    int             cc[TS_PIDS];              /* last one, -1: none */
    unsigned        count[TS_PIDS];
    int             open[TS_PIDS];            /* index of unit, -1 */
    ts_unit_t       units[TS_UNITS];
    unsigned        nunits;
    unsigned        pmt_pid;
    unsigned        pcr_pid;
    unsigned        npcr;
    int64_t         pcr;                      /* the last one, -1: none */
    int64_t         pcr_step;                 /* largest distance */
    unsigned        breaks;                   /* of the clock, marked */
    unsigned        tables;                   /* PMTs */
    unsigned        version;                  /* of the last one */
    unsigned        types[TS_PIDS];           /* stream_type */
    unsigned char   pmt[188];
    size_t          pmt_len;
    size_t          first_pes;                /* offset of its packet */
    unsigned        stuffing;                 /* bytes */
    char            error[160];
} ts_reader_t;


#define ts_fail(ts, ...)                                                      \
    ((ts)->error[0]                                                           \
     ? 0 : snprintf((ts)->error, sizeof((ts)->error), __VA_ARGS__))


static inline uint32_t
ts_crc(const unsigned char *p, size_t len)
{
    int       i;
    uint32_t  crc = 0xffffffff;

    while (len--) {
        crc ^= (uint32_t) *p++ << 24;

        for (i = 0; i < 8; i++) {
            crc = (crc & 0x80000000) ? (crc << 1) ^ 0x04c11db7 : crc << 1;
        }
    }

    return crc;
}


static inline uint64_t
ts_time(ts_reader_t *ts, const unsigned char *p, unsigned prefix)
{
    if (p[0] >> 4 != prefix || !(p[0] & 1) || !(p[2] & 1) || !(p[4] & 1)) {
        ts_fail(ts, "time stamp without its markers");
    }

    return (uint64_t) (p[0] >> 1 & 7) << 30 | (uint64_t) p[1] << 22
           | (uint64_t) (p[2] >> 1) << 15 | (uint64_t) p[3] << 7 | p[4] >> 1;
}


static inline void
ts_init(ts_reader_t *ts)
{
    int  i;

    memset(ts, 0, sizeof(ts_reader_t));

    for (i = 0; i < TS_PIDS; i++) {
        ts->cc[i] = -1;
        ts->open[i] = -1;
    }

    ts->pcr = -1;
}


static inline void
ts_free(ts_reader_t *ts)
{
    unsigned  i;

    for (i = 0; i < ts->nunits; i++) {
        free(ts->units[i].data);
    }
}


/* the PES header: of a unit that is complete; leaves the elementary stream */

static inline void
ts_close(ts_reader_t *ts, unsigned pid)
{
    size_t      n;
    ts_unit_t  *unit;

    if (ts->open[pid] < 0) {
        return;
    }

    unit = &ts->units[ts->open[pid]];
    ts->open[pid] = -1;

    if (unit->len < 14 || memcmp(unit->data, "\0\0\1", 3) != 0) {
        ts_fail(ts, "no PES header");
        return;
    }

    unit->id = unit->data[3];
    unit->announced = unit->data[4] << 8 | unit->data[5];

    if (unit->announced && unit->announced + 6 != unit->len) {
        ts_fail(ts, "PES length %d, got %d", (int) unit->announced + 6,
                (int) unit->len);
    }

    if (unit->announced == 0 && (unit->id & 0xf0) != 0xe0) {
        ts_fail(ts, "open PES length outside of video");
    }

    if (unit->data[6] != 0x84) {
        ts_fail(ts, "no data_alignment_indicator");
    }

    n = 9 + unit->data[8];

    if (unit->data[7] == 0x80 && unit->data[8] == 5) {
        unit->pts = ts_time(ts, unit->data + 9, 2);
        unit->dts = unit->pts;

    } else if (unit->data[7] == 0xc0 && unit->data[8] == 10) {
        unit->pts = ts_time(ts, unit->data + 9, 3);
        unit->dts = ts_time(ts, unit->data + 14, 1);

        if (unit->pts == unit->dts) {
            ts_fail(ts, "DTS that says nothing");
        }

    } else {
        ts_fail(ts, "PES flags %x", unit->data[7]);
    }

    unit->len -= n;
    memmove(unit->data, unit->data + n, unit->len);
}


static inline void
ts_section(ts_reader_t *ts, unsigned pid, const unsigned char *p, size_t n)
{
    size_t                len;
    const unsigned char  *last;

    len = 3 + ((p[2 + 0] | p[1] << 8) & 0xfff);

    if (len > n || ts_crc(p, len) != 0) {
        ts_fail(ts, "section of PID %x", pid);
        return;
    }

    for (last = p + len; last < p + n; last++) {
        if (*last != 0xff) {
            ts_fail(ts, "bytes behind a section");
        }
    }

    if (pid == 0) {
        ts->pmt_pid = (p[10] << 8 | p[11]) & 0x1fff;

        if (p[0] != 0 || len != 16 || p[8] != 0 || p[9] != 1) {
            ts_fail(ts, "PAT");
        }

        return;
    }

    ts->tables++;
    ts->version = p[5] >> 1 & 0x1f;
    ts->pcr_pid = (p[8] << 8 | p[9]) & 0x1fff;
    memcpy(ts->pmt, p, len);
    ts->pmt_len = len;

    if (p[0] != 2) {
        ts_fail(ts, "PMT");
    }

    /* what it does not list is nothing any more */

    memset(ts->types, 0, sizeof(ts->types));

    last = p + len - 4;
    p += 12 + ((p[10] << 8 | p[11]) & 0xfff);

    while (p + 5 <= last) {
        ts->types[(p[1] << 8 | p[2]) & 0x1fff] = p[0];
        p += 5 + ((p[3] << 8 | p[4]) & 0xfff);
    }

    if (p != last) {
        ts_fail(ts, "PMT loop");
    }
}


static inline void
ts_pcr(ts_reader_t *ts, unsigned pid, const unsigned char *p)
{
    int64_t  pcr;

    pcr = (int64_t) p[0] << 25 | p[1] << 17 | p[2] << 9 | p[3] << 1
          | p[4] >> 7;

    if (pid != ts->pcr_pid || (p[4] & 0x7e) != 0x7e || (p[4] & 1) || p[5]) {
        ts_fail(ts, "PCR");
    }

    if (ts->pcr >= 0) {
        pcr = ts->pcr + ((pcr - ts->pcr) & 0x1ffffffffll);

        if (pcr - ts->pcr > 0x100000000ll || pcr == ts->pcr) {
            ts_fail(ts, "PCR does not grow");
        }

        if (pcr - ts->pcr > ts->pcr_step) {
            ts->pcr_step = pcr - ts->pcr;
        }
    }

    ts->npcr++;
    ts->pcr = pcr;
}


static inline void
ts_packet(ts_reader_t *ts, const unsigned char *p, size_t offset)
{
    int                   cc;
    size_t                field, i, n;
    unsigned              pid, random;
    ts_unit_t            *unit;
    const unsigned char  *data;

    pid = (p[1] << 8 | p[2]) & 0x1fff;
    cc = p[3] & 15;
    random = 0;

    if (p[0] != 0x47 || (p[1] & 0xa0) || (p[3] & 0xc0) || !(p[3] & 0x30)) {
        ts_fail(ts, "packet header at %d", (int) offset);
        return;
    }

    data = p + 4;

    if (p[3] & 0x20) {
        field = *data++;

        if (field > 183 || ((p[3] & 0x10) && field == 183)) {
            ts_fail(ts, "adaptation field of %d bytes", (int) field);
            return;
        }

        if (field) {
            random = data[0] & 0x40;
            n = 1;

            if ((data[0] & 0x2f) || (data[0] & 0x90) == 0x80) {
                ts_fail(ts, "adaptation flags %x", data[0]);
            }

            if (data[0] & 0x80) {
                ts->breaks++;
                ts->pcr = -1;
            }

            if (data[0] & 0x10) {
                ts_pcr(ts, pid, data + 1);
                n = 7;
            }

            for (i = n; i < field; i++) {
                if (data[i] != 0xff) {
                    ts_fail(ts, "stuffing");
                }
            }

            ts->stuffing += field - n;
        }

        data += field;
    }

    if (!(p[3] & 0x10)) {
        if (data != p + 188 || (ts->cc[pid] >= 0 && ts->cc[pid] != cc)) {
            ts_fail(ts, "packet without payload at %d", (int) offset);
        }

        return;
    }

    if (ts->cc[pid] >= 0 && cc != (ts->cc[pid] + 1) % 16) {
        ts_fail(ts, "counter of PID %x at %d: %d after %d", pid, (int) offset,
                cc, ts->cc[pid]);
    }

    ts->cc[pid] = cc;
    ts->count[pid]++;
    n = p + 188 - data;

    if (pid == 0 || pid == ts->pmt_pid) {

        if (!(p[1] & 0x40) || data[0] != 0) {
            ts_fail(ts, "section does not start in its packet");
            return;
        }

        ts_section(ts, pid, data + 1, n - 1);
        return;
    }

    if (ts->types[pid] == 0) {
        ts_fail(ts, "PID %x is not in the PMT", pid);
        return;
    }

    if (p[1] & 0x40) {
        ts_close(ts, pid);

        if (ts->first_pes == 0) {
            ts->first_pes = offset;
        }

        if (ts->nunits == TS_UNITS) {
            ts_fail(ts, "too many units");
            return;
        }

        ts->open[pid] = ts->nunits++;
        unit = &ts->units[ts->open[pid]];
        unit->pid = pid;
        unit->random = random;
        unit->data = malloc(188);

        if (n < 14) {
            ts_fail(ts, "PES header in pieces");
        }

    } else {
        if (ts->open[pid] < 0) {
            ts_fail(ts, "PES without a start");
            return;
        }

        unit = &ts->units[ts->open[pid]];
        unit->data = realloc(unit->data, unit->len + n);
    }

    memcpy(unit->data + unit->len, data, n);
    unit->len += n;
    unit->packets++;
    unit->end = offset + 188;
}


/* the units of this stream are complete only after its end */

static inline void
ts_read(ts_reader_t *ts, const unsigned char *p, size_t len)
{
    size_t    i;
    unsigned  pid;

    if (len % 188) {
        ts_fail(ts, "%d bytes", (int) len);
        return;
    }

    for (i = 0; i < len; i += 188) {
        ts_packet(ts, p + i, i);
    }

    for (pid = 0; pid < TS_PIDS; pid++) {
        ts_close(ts, pid);
    }
}


#endif /* _MEDIA_TS_H_INCLUDED_ */
