
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * MPEG-TS (ISO/IEC 13818-1), read as it comes: bytes in, events out.  It is a
 * byte stream with hints: where a call begins and ends means nothing, packets
 * of 188, 192 and 204 bytes are found by their sync bytes, and found again.
 * Nothing is an error: what cannot be read is left out and counted.
 *
 *     ngx_media_ts_demux_init(&demux, &conf);
 *
 *     in.pos = bytes; in.last = bytes + n;
 *
 *     while (ngx_media_ts_demux(&demux, &in, &ev) == NGX_OK) { ... }
 *
 * All of in has been read when it does not say NGX_OK any more.  The events of
 * a PES packet are START, DATA..., END, those of PIDs among one another:
 *
 *     PROGRAM   demux.streams is another list
 *     START     a PES packet begins: stamps; damaged: some bytes, or all of
 *               others, are missing before it
 *     DATA      bytes of it; damaged: some are missing before these
 *     END       it is whole, or no more of it comes; damaged: some are missing
 *               at its end
 *     SECTION   a whole one, its CRC is right; stamps: the program's clock
 *     CLOCK     the program's clock has jumped: pcr is the new time, from what
 *               was expected
 *     NOTE      pid is left out; once for each
 *
 * Spans are borrowed until the next call; they are in the input or in demux.
 * A demux is flat, its owner allocates it (48 KB); it must not be moved.
 *
 * style: long header, it is mostly the state, which its owner embeds.
 */


#ifndef _NGX_MEDIA_TS_DEMUX_H_INCLUDED_
#define _NGX_MEDIA_TS_DEMUX_H_INCLUDED_


#include "formats/ngx_media_ts_psi.h"


#define NGX_MEDIA_TS_PIDS          8192
#define NGX_MEDIA_TS_SLOTS         64         /* PIDs that are looked at */
#define NGX_MEDIA_TS_SECTIONS      8          /* of them with sections */
#define NGX_MEDIA_TS_PROGRAMS      16         /* of a PAT, looked at */
#define NGX_MEDIA_TS_CARRY         (204 * 4 + 1)
                                              /* bytes that show where packets
                                                 begin: five sync bytes */

/* a PES header up to DTS, 2.4.3.6; what follows it is passed over */
#define NGX_MEDIA_TS_PES_HEAD      19

/* no stamp: of PTS, DTS, PCR */
#define NGX_MEDIA_TS_NO_TIME       INT64_MIN


typedef enum {
    NGX_MEDIA_TS_EVENT_PROGRAM = 0,
    NGX_MEDIA_TS_EVENT_START,
    NGX_MEDIA_TS_EVENT_DATA,
    NGX_MEDIA_TS_EVENT_END,
    NGX_MEDIA_TS_EVENT_SECTION,
    NGX_MEDIA_TS_EVENT_CLOCK,
    NGX_MEDIA_TS_EVENT_NOTE
} ngx_media_ts_event_e;


typedef struct {
    ngx_media_ts_event_e      type;
    ngx_uint_t                pid;
    ngx_uint_t                stream;         /* index in demux.streams: of all
                                                 but PROGRAM, CLOCK; of NOTE
                                                 NGX_MEDIA_TS_STREAMS where the
                                                 PMT does not list it */
    ngx_media_span_t          data;           /* DATA, SECTION */

    /* 90 kHz, unrolled: 64 bits that do not wrap; NGX_MEDIA_TS_NO_TIME */
    int64_t                   pts;            /* START */
    int64_t                   dts;            /* START: pts where only that is
                                                 said */
    int64_t                   pcr;            /* the last one of the program;
                                                 CLOCK: after the jump */
    int64_t                   from;           /* CLOCK */

    uint32_t                  size;           /* START: bytes of the PES packet
                                                 behind its header; 0: it does
                                                 not say */
    unsigned                  has_dts:1;      /* START: DTS is its own */
    unsigned                  random:1;       /* START: random_access */
    unsigned                  aligned:1;      /* START: data_alignment */
    unsigned                  damaged:1;
    const char               *why;            /* NOTE: static */
} ngx_media_ts_event_t;


typedef struct {
    ngx_uint_t                program;        /* program_number; 0: the first */
    unsigned                  early:1;        /* a PES packet of no length ends
                                                 at the packet with stuffing */
} ngx_media_ts_demux_conf_t;


/* counters, all of packets if not said otherwise */

typedef struct {
    uint64_t                  bytes;
    uint64_t                  packets;
    uint64_t                  skipped;        /* bytes that are no packets */
    uint64_t                  resyncs;        /* the sync byte was lost */
    uint64_t                  tei;            /* transport_error_indicator */
    uint64_t                  scrambled;
    uint64_t                  malformed;      /* adaptation field, PES header */
    uint64_t                  duplicates;
    uint64_t                  cc_errors;      /* jumps of continuity_counter */
    uint64_t                  sections;       /* sections, malformed */
    uint64_t                  ignored;        /* of PIDs of no use */
    uint64_t                  jumps;          /* of the clock, events */
    uint64_t                  late;           /* PES packets that went on behind
                                                 their length, or early end */
} ngx_media_ts_demux_stat_t;


/* what packets of a PID are */

typedef enum {
    NGX_MEDIA_TS_SLOT_FREE = 0,
    NGX_MEDIA_TS_SLOT_PAT,
    NGX_MEDIA_TS_SLOT_PMT,
    NGX_MEDIA_TS_SLOT_PES,
    NGX_MEDIA_TS_SLOT_SECTION
} ngx_media_ts_slot_e;


/* one PID that is looked at */

typedef struct {
    uint64_t                  packets;        /* all but those with an error
                                                 that they say, */
    uint64_t                  cc_errors;      /* and of these: */
    uint64_t                  scrambled;
    uint64_t                  hash;           /* of its last payload */
    ngx_media_ts_slot_e       kind;
    uint16_t                  pid;
    uint8_t                   stream;         /* in streams */
    uint8_t                   section;        /* place of its bytes */
    uint8_t                   state;
    uint8_t                   cc;
    uint8_t                   head_len;
    uint32_t                  have;           /* bytes of a section */
    uint32_t                  left;           /* to come: of the PES header; */
    uint32_t                  need;           /* of the PES packet */
    unsigned                  seen:1;         /* cc and hash are known */
    unsigned                  broken:1;       /* cc may be any */
    unsigned                  damaged:1;      /* bytes are missing here, */
    unsigned                  before:1;       /* before the PES packet */
    unsigned                  bounded:1;      /* need is known */
    unsigned                  random:1;
    unsigned                  stuffed:1;      /* its last packet had stuffing */
    unsigned                  strict:1;       /* no early ends any more */
    unsigned                  noted:1;
    u_char                    head[NGX_MEDIA_TS_PES_HEAD];
} ngx_media_ts_slot_t;


/* 33 bits against what the connection has had */

typedef struct {
    int64_t                   last;
    int64_t                   other;          /* far from it: that takes two */
    unsigned                  known:1;
    unsigned                  doubt:1;        /* other is set */
} ngx_media_ts_clock_t;


/* of the PAT */

typedef struct {
    uint16_t                  number;
    uint16_t                  pid;
    uint8_t                   section;        /* of it; by that they are sorted,
                                                 then as they are there */
    uint8_t                   maps;           /* PMTs that have come */
} ngx_media_ts_listed_t;


typedef struct {
    /* to be read by the owner */

    ngx_media_ts_stream_t     streams[NGX_MEDIA_TS_STREAMS];
                                              /* places are kept: a stream has
                                                 the same index all its life */
    ngx_uint_t                program;        /* program_number, 0: none yet */
    ngx_media_ts_demux_stat_t stat;

    /* to be set before each call, ms of any clock that goes forward */
    int64_t                   now;

    /* private */

    ngx_media_ts_demux_conf_t conf;
    ngx_media_ts_clock_t      clock;
    ngx_media_ts_listed_t     programs[NGX_MEDIA_TS_PROGRAMS];
    ngx_uint_t                nprograms;
    uint32_t                  serial;
    uint32_t                  notes;          /* of PIDs that nobody declared */
    uint32_t                  pcr_pid;
    int64_t                   pcr;            /* NGX_MEDIA_TS_NO_TIME */
    int64_t                   pcr_now;        /* when that came */
    int64_t                   pcr_other;      /* far from it, it takes two */
    int64_t                   missing[NGX_MEDIA_TS_STREAMS];
                                              /* since when not in a PMT */
    unsigned                  mapped:1;       /* a PMT has come */
    unsigned                  pcr_doubt:1;    /* pcr_other is set; */
    unsigned                  pcr_agreed:1;   /* a stamp says the same */
    unsigned                  start:1;        /* of the packet: payload_unit_-
                                                 start, not yet seen to; */
    unsigned                  stuffed:1;      /* it has stuffing bytes; */
    unsigned                  aligned:1;      /* payload is at a section */

    size_t                    size;           /* of packets; 0: not found */
    size_t                    skip;           /* bytes between them, to come */
    ngx_uint_t                misses;         /* of sync bytes, in a row */
    ngx_media_ts_slot_t      *slot;           /* of payload; NULL: another
                                                 packet is to be read */
    ngx_media_span_t          payload;        /* what is left of it */

    size_t                    carried;        /* of carry, what is not read: */
    size_t                    ncarried;       /* so many bytes */
    u_char                    carry[NGX_MEDIA_TS_CARRY];

    uint8_t                   map[NGX_MEDIA_TS_PIDS];
                                              /* slot + 1; 0: none */
    ngx_media_ts_slot_t       slots[NGX_MEDIA_TS_SLOTS];
    u_char                    sections[NGX_MEDIA_TS_SECTIONS]
                                      [NGX_MEDIA_TS_SECTION_MAX];
    uint8_t                   taken[NGX_MEDIA_TS_SECTIONS];
} ngx_media_ts_demux_t;


void ngx_media_ts_demux_init(ngx_media_ts_demux_t *d,
    const ngx_media_ts_demux_conf_t *conf);

/* NGX_OK: ev; NGX_AGAIN: all of in was read */
ngx_int_t ngx_media_ts_demux(ngx_media_ts_demux_t *d, ngx_media_span_t *in,
    ngx_media_ts_event_t *ev);

/*
 * So many bytes, at most, are missing before what comes next; 0: nobody knows.
 * Continuity counters see what is less than 16 packets of a PID.
 */
void ngx_media_ts_demux_gap(ngx_media_ts_demux_t *d, size_t bytes);

/* no more comes: the ends of what is open, as ngx_media_ts_demux() does */
ngx_int_t ngx_media_ts_demux_flush(ngx_media_ts_demux_t *d,
    ngx_media_ts_event_t *ev);

/* the i-th PID that is looked at, or NULL: there are no more */
const ngx_media_ts_slot_t *ngx_media_ts_demux_pid(
    const ngx_media_ts_demux_t *d, ngx_uint_t i);


#endif /* _NGX_MEDIA_TS_DEMUX_H_INCLUDED_ */
