
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_ts_program.h"


/* packets are found where so many sync bytes stand one packet apart */
#define NGX_MEDIA_TS_SYNCS       5

/* and lost where so many are missing */
#define NGX_MEDIA_TS_MISSES      2

/* a continuity_counter has 4 bits: it does not see so many packets missing */
#define NGX_MEDIA_TS_CC_CYCLE    16

/* bytes of a PES header up to PES_packet_length, and to its own length */
#define NGX_MEDIA_TS_PES_SHORT   6
#define NGX_MEDIA_TS_PES_LONG    9

/* of which bytes up to PTS and DTS are looked at */
#define NGX_MEDIA_TS_PES_PTS     14

/* stream_id of padding, table 2-22 */
#define NGX_MEDIA_TS_ID_PADDING  0xbe

/* ES_info, CAT, and the tables of DVB and ATSC: nobody declares them */
#define NGX_MEDIA_TS_PID_TABLES  0x20
#define NGX_MEDIA_TS_PID_PSIP    0x1ffb

/* PIDs of which it is said that nobody declared them */
#define NGX_MEDIA_TS_NOTES       16

/* stamps that are farther apart belong to another time, 90 kHz; 33 bits */
#define NGX_MEDIA_TS_NEAR        (60 * 90000)
#define NGX_MEDIA_TS_HALF        ((int64_t) 1 << 32)

/* of the clock: what is no jump, and what is none if it is announced */
#define NGX_MEDIA_TS_JUMP        90000
#define NGX_MEDIA_TS_JUMP_SAID   9000

/* stamps are ahead of the clock by so much at most, 2.4.2.7 */
#define NGX_MEDIA_TS_AHEAD       (10 * 90000)


static ngx_int_t ngx_media_ts_fetch(ngx_media_ts_demux_t *d,
    ngx_media_span_t *in, const u_char **packet);
static ngx_uint_t ngx_media_ts_fill(ngx_media_ts_demux_t *d,
    ngx_media_span_t *in, size_t size);
static ngx_uint_t ngx_media_ts_skip(ngx_media_ts_demux_t *d,
    ngx_media_span_t *in);
static ngx_uint_t ngx_media_ts_search(ngx_media_ts_demux_t *d,
    ngx_media_span_t *in);
static size_t ngx_media_ts_size(const ngx_media_ts_demux_t *d,
    const u_char *p);
static void ngx_media_ts_lost(ngx_media_ts_demux_t *d, const u_char *p);
static ngx_int_t ngx_media_ts_packet(ngx_media_ts_demux_t *d,
    const u_char *p, ngx_media_ts_event_t *ev);
static const u_char *ngx_media_ts_adaptation(ngx_media_ts_demux_t *d,
    const u_char *p, ngx_uint_t *flags);
static ngx_uint_t ngx_media_ts_stuffed(const u_char *p, const u_char *last);
static ngx_int_t ngx_media_ts_unread(ngx_media_ts_demux_t *d, ngx_uint_t pid,
    ngx_media_ts_event_t *ev);
static ngx_int_t ngx_media_ts_scrambled(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, ngx_media_ts_event_t *ev);
static ngx_int_t ngx_media_ts_counter(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, ngx_uint_t cc);
static uint64_t ngx_media_ts_hash(const ngx_media_span_t *payload);
static ngx_int_t ngx_media_ts_pcr(ngx_media_ts_demux_t *d, const u_char *p,
    ngx_uint_t said, ngx_media_ts_event_t *ev);
static void ngx_media_ts_jump(ngx_media_ts_demux_t *d, int64_t pcr,
    ngx_media_ts_event_t *ev);
static ngx_uint_t ngx_media_ts_agrees(const ngx_media_ts_demux_t *d,
    int64_t stamp);
static int64_t ngx_media_ts_unroll(ngx_media_ts_clock_t *clock,
    uint64_t time);
static ngx_int_t ngx_media_ts_pes(ngx_media_ts_demux_t *d,
    ngx_media_ts_event_t *ev);
static void ngx_media_ts_pes_end(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, ngx_media_ts_event_t *ev);
static ngx_int_t ngx_media_ts_pes_body(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, ngx_media_ts_event_t *ev);
static ngx_int_t ngx_media_ts_pes_header(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot);
static size_t ngx_media_ts_pes_head_size(const ngx_media_ts_slot_t *slot);
static ngx_int_t ngx_media_ts_pes_head(ngx_media_ts_slot_t *slot);
static void ngx_media_ts_pes_start(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, ngx_media_ts_event_t *ev);
static void ngx_media_ts_pes_stamps(ngx_media_ts_demux_t *d,
    const ngx_media_ts_slot_t *slot, ngx_media_ts_event_t *ev);


void
ngx_media_ts_demux_init(ngx_media_ts_demux_t *d,
    const ngx_media_ts_demux_conf_t *conf)
{
    ngx_memzero(d, sizeof(ngx_media_ts_demux_t));

    d->conf = *conf;
    d->pcr_pid = NGX_MEDIA_TS_PID_NULL;
    d->pcr = NGX_MEDIA_TS_NO_TIME;

    (void) ngx_media_ts_slot_open(d, NGX_MEDIA_TS_PID_PAT,
                                  NGX_MEDIA_TS_SLOT_PAT);
}


ngx_int_t
ngx_media_ts_demux(ngx_media_ts_demux_t *d, ngx_media_span_t *in,
    ngx_media_ts_event_t *ev)
{
    ngx_int_t      rc;
    const u_char  *packet;

    for ( ;; ) {

        if (d->slot != NULL) {

            if (d->slot->kind == NGX_MEDIA_TS_SLOT_PES) {
                rc = ngx_media_ts_pes(d, ev);

            } else {
                rc = ngx_media_ts_sections(d, ev);
            }

            if (rc == NGX_OK) {
                return NGX_OK;
            }

            d->slot = NULL;
        }

        if (ngx_media_ts_fetch(d, in, &packet) != NGX_OK) {
            return NGX_AGAIN;
        }

        if (ngx_media_ts_packet(d, packet, ev) == NGX_OK) {
            return NGX_OK;
        }
    }
}


/*
 * The next packet, in the input where it is whole there; else its parts are
 * put together in carry.
 */

static ngx_int_t
ngx_media_ts_fetch(ngx_media_ts_demux_t *d, ngx_media_span_t *in,
    const u_char **packet)
{
    const u_char  *p;

    for ( ;; ) {

        if (d->size == 0 && !ngx_media_ts_search(d, in)) {
            return NGX_AGAIN;
        }

        if (d->skip != 0 && !ngx_media_ts_skip(d, in)) {
            return NGX_AGAIN;
        }

        if (d->ncarried == 0
            && ngx_media_span_len(in) >= NGX_MEDIA_TS_PACKET)
        {
            p = in->pos;
            in->pos += NGX_MEDIA_TS_PACKET;

        } else {

            if (!ngx_media_ts_fill(d, in, NGX_MEDIA_TS_PACKET)) {
                return NGX_AGAIN;
            }

            p = d->carry + d->carried;

            d->carried += NGX_MEDIA_TS_PACKET;
            d->ncarried -= NGX_MEDIA_TS_PACKET;
        }

        d->skip = d->size - NGX_MEDIA_TS_PACKET;

        if (p[0] == NGX_MEDIA_TS_SYNC) {
            d->misses = 0;
            d->stat.packets++;
            d->stat.bytes += NGX_MEDIA_TS_PACKET;

            *packet = p;
            return NGX_OK;
        }

        d->stat.skipped += NGX_MEDIA_TS_PACKET;

        if (++d->misses >= NGX_MEDIA_TS_MISSES) {
            ngx_media_ts_lost(d, p);
        }
    }
}


/* so many bytes, and more if they were there, are carried */

static ngx_uint_t
ngx_media_ts_fill(ngx_media_ts_demux_t *d, ngx_media_span_t *in, size_t size)
{
    size_t  n;

    if (d->ncarried >= size) {
        return 1;
    }

    if (d->carried != 0) {
        ngx_memmove(d->carry, d->carry + d->carried, d->ncarried);
        d->carried = 0;
    }

    n = ngx_min(size - d->ncarried, ngx_media_span_len(in));

    if (n != 0) {
        ngx_memcpy(d->carry + d->ncarried, in->pos, n);

        in->pos += n;
        d->ncarried += n;
    }

    return d->ncarried == size;
}


/* what stands between packets: time stamps of 192 bytes, parity of 204 */

static ngx_uint_t
ngx_media_ts_skip(ngx_media_ts_demux_t *d, ngx_media_span_t *in)
{
    size_t  n;

    n = ngx_min(d->skip, d->ncarried);

    d->carried += n;
    d->ncarried -= n;
    d->skip -= n;

    n = ngx_min(d->skip, ngx_media_span_len(in));

    in->pos += n;
    d->skip -= n;

    return d->skip == 0;
}


/* where packets begin, and how long they are */

static ngx_uint_t
ngx_media_ts_search(ngx_media_ts_demux_t *d, ngx_media_span_t *in)
{
    size_t   size;
    u_char  *p, *sync;

    while (ngx_media_ts_fill(d, in, NGX_MEDIA_TS_CARRY)) {

        p = d->carry + d->carried;
        size = ngx_media_ts_size(d, p);

        if (size != 0) {
            d->size = size;
            d->skip = 0;
            d->misses = 0;
            return 1;
        }

        sync = p + 1;

        while (sync < p + d->ncarried && *sync != NGX_MEDIA_TS_SYNC) {
            sync++;
        }

        d->stat.skipped += sync - p;
        d->carried += sync - p;
        d->ncarried -= sync - p;
    }

    return 0;
}


static size_t
ngx_media_ts_size(const ngx_media_ts_demux_t *d, const u_char *p)
{
    ngx_uint_t  i, n;

    static const size_t  sizes[] = { 188, 192, 204 };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {

        for (n = 0; n < NGX_MEDIA_TS_SYNCS; n++) {
            if (p[n * sizes[i]] != NGX_MEDIA_TS_SYNC) {
                break;
            }
        }

        if (n == NGX_MEDIA_TS_SYNCS) {
            return sizes[i];
        }
    }

    return 0;
}


/* the bytes of the last packet are searched, too, and what is behind them */

static void
ngx_media_ts_lost(ngx_media_ts_demux_t *d, const u_char *p)
{
    d->stat.resyncs++;
    d->stat.skipped -= NGX_MEDIA_TS_PACKET;

    if (p >= d->carry && p < d->carry + NGX_MEDIA_TS_CARRY) {
        d->carried -= NGX_MEDIA_TS_PACKET;
        d->ncarried += NGX_MEDIA_TS_PACKET;

    } else {
        ngx_memcpy(d->carry, p, NGX_MEDIA_TS_PACKET);
        d->carried = 0;
        d->ncarried = NGX_MEDIA_TS_PACKET;
    }

    d->size = 0;
    d->skip = 0;
}


/*
 * The header of a packet, 2.4.3.2; payload that is looked at waits in
 * d->payload.  NGX_OK: ev; NGX_DECLINED: there is none of the header.
 */

static ngx_int_t
ngx_media_ts_packet(ngx_media_ts_demux_t *d, const u_char *p,
    ngx_media_ts_event_t *ev)
{
    ngx_int_t             rc;
    ngx_uint_t            flags, pid;
    const u_char         *payload;
    ngx_media_ts_slot_t  *slot;

    pid = ngx_media_get_be16(p + 1) & 0x1fff;

    if (p[1] & 0x80) {
        d->stat.tei++;
        return NGX_DECLINED;
    }

    slot = ngx_media_ts_slot(d, pid);

    if (slot == NULL && pid != d->pcr_pid) {
        return ngx_media_ts_unread(d, pid, ev);
    }

    if (slot) {
        slot->packets++;
    }

    payload = ngx_media_ts_adaptation(d, p, &flags);

    if (payload == NULL) {
        d->stat.malformed++;
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if ((flags & NGX_MEDIA_TS_PCR) && pid == d->pcr_pid) {
        rc = ngx_media_ts_pcr(d, p + 6, flags & NGX_MEDIA_TS_DISCONTINUITY,
                              ev);
    }

    if (slot == NULL) {
        return rc;
    }

    if (flags & NGX_MEDIA_TS_DISCONTINUITY) {
        slot->broken = 1;
    }

    if (!(p[3] & NGX_MEDIA_TS_HAS_PAYLOAD)) {
        return rc;
    }

    if (p[3] & 0xc0) {
        slot->seen = 0;
        return rc == NGX_OK ? rc : ngx_media_ts_scrambled(d, slot, ev);
    }

    d->payload.pos = payload;
    d->payload.last = p + NGX_MEDIA_TS_PACKET;

    if (ngx_media_ts_counter(d, slot, p[3] & 0x0f) == NGX_OK) {
        d->slot = slot;
        d->start = (p[1] & NGX_MEDIA_TS_START) ? 1 : 0;
        d->aligned = 0;
        slot->stuffed = d->stuffed;
        slot->random |= (flags & NGX_MEDIA_TS_RANDOM_ACCESS) ? 1 : 0;
    }

    return rc;
}


/* adaptation_field, 2.4.3.4: where the payload begins, or NULL */

static const u_char *
ngx_media_ts_adaptation(ngx_media_ts_demux_t *d, const u_char *p,
    ngx_uint_t *flags)
{
    size_t  len;

    *flags = 0;
    d->stuffed = 0;

    if (!(p[3] & NGX_MEDIA_TS_ADAPTATION)) {

        /* neither: reserved */

        return (p[3] & NGX_MEDIA_TS_HAS_PAYLOAD) ? p + 4 : NULL;
    }

    len = p[4];

    if (len > NGX_MEDIA_TS_PAYLOAD - 1) {
        return NULL;
    }

    if (len == 0) {
        d->stuffed = 1;
        return p + 5;
    }

    *flags = p[5];

    if (len < 7) {
        *flags &= ~(ngx_uint_t) NGX_MEDIA_TS_PCR;
    }

    d->stuffed = ngx_media_ts_stuffed(p + 5, p + 5 + len);

    return p + 5 + len;
}


/* are there bytes behind all that its flags say? */

static ngx_uint_t
ngx_media_ts_stuffed(const u_char *p, const u_char *last)
{
    uint32_t            flags;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, p, last);

    flags = ngx_media_read_8(&r);

    if (flags & NGX_MEDIA_TS_PCR) {
        (void) ngx_media_read_bytes(&r, 6);
    }

    if (flags & 0x08) {
        (void) ngx_media_read_bytes(&r, 6);   /* OPCR */
    }

    if (flags & 0x04) {
        (void) ngx_media_read_8(&r);          /* splice_countdown */
    }

    if (flags & 0x02) {
        (void) ngx_media_read_bytes(&r, ngx_media_read_8(&r));
    }

    if (flags & 0x01) {
        (void) ngx_media_read_bytes(&r, ngx_media_read_8(&r));
    }

    return !r.err && r.pos < r.last;
}


/* a PID that nobody reads */

static ngx_int_t
ngx_media_ts_unread(ngx_media_ts_demux_t *d, ngx_uint_t pid,
    ngx_media_ts_event_t *ev)
{
    ngx_uint_t  i;

    if (pid == NGX_MEDIA_TS_PID_NULL) {
        return NGX_DECLINED;
    }

    d->stat.ignored++;

    /* before there is a PMT nobody knows */

    if (!d->mapped || d->map[pid] == NGX_MEDIA_TS_MAP_NOTED
        || pid < NGX_MEDIA_TS_PID_TABLES || pid == NGX_MEDIA_TS_PID_PSIP
        || d->notes == NGX_MEDIA_TS_NOTES)
    {
        return NGX_DECLINED;
    }

    d->map[pid] = NGX_MEDIA_TS_MAP_NOTED;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        if (d->streams[i].used && d->streams[i].pid == pid) {
            return NGX_DECLINED;
        }
    }

    for (i = 0; i < d->nprograms; i++) {
        if (d->programs[i].pid == pid) {
            return NGX_DECLINED;
        }
    }

    d->notes++;

    ngx_media_ts_event(d, ev);

    ev->type = NGX_MEDIA_TS_EVENT_NOTE;
    ev->pid = pid;
    ev->why = "not in the program map";

    return NGX_OK;
}


static ngx_int_t
ngx_media_ts_scrambled(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot,
    ngx_media_ts_event_t *ev)
{
    d->stat.scrambled++;
    slot->scrambled++;
    slot->damaged = 1;

    if (slot->noted) {
        return NGX_DECLINED;
    }

    slot->noted = 1;

    ngx_media_ts_event(d, ev);

    ev->type = NGX_MEDIA_TS_EVENT_NOTE;
    ev->pid = slot->pid;
    ev->stream = slot->stream;
    ev->why = "scrambled";

    return NGX_OK;
}


/*
 * continuity_counter, 2.4.3.3, of packets with payload: one may come twice;
 * NGX_DECLINED: this is the second one
 */

static ngx_int_t
ngx_media_ts_counter(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot,
    ngx_uint_t cc)
{
    uint64_t  hash;

    hash = ngx_media_ts_hash(&d->payload);

    if (slot->seen && !slot->broken && cc != ((slot->cc + 1) & 0x0fu)) {

        if (cc == slot->cc && hash == slot->hash) {
            d->stat.duplicates++;
            return NGX_DECLINED;
        }

        d->stat.cc_errors++;
        slot->cc_errors++;
        slot->damaged = 1;
    }

    slot->seen = 1;
    slot->broken = 0;
    slot->cc = (uint8_t) cc;
    slot->hash = hash;

    return NGX_OK;
}


/*
 * Of the ends of a payload and its length: with the same counter they differ
 * where it is another one, and it is done for each packet.
 */

static uint64_t
ngx_media_ts_hash(const ngx_media_span_t *payload)
{
    size_t    len;
    uint64_t  first[2], last[2];

    len = ngx_media_span_len(payload);

    if (len < sizeof(first)) {
        return ngx_media_hash(payload->pos, len);
    }

    ngx_memcpy(first, payload->pos, sizeof(first));
    ngx_memcpy(last, payload->last - sizeof(last), sizeof(last));

    first[0] ^= last[0] * 0x9e3779b97f4a7c15ull;
    first[1] ^= last[1] * 0xc2b2ae3d27d4eb4full;

    return (first[0] * 0xff51afd7ed558ccdull ^ first[1]) + len;
}


/*
 * program_clock_reference, 2.4.3.5.  A clock that lags behind is a sender that
 * stood still: that is no jump.  Where nothing announces one, a second stamp
 * has to agree with the first, of the clock or of a PES packet: it could be a
 * broken one.
 */

static ngx_int_t
ngx_media_ts_pcr(ngx_media_ts_demux_t *d, const u_char *p, ngx_uint_t said,
    ngx_media_ts_event_t *ev)
{
    int64_t     ahead, expected, pcr;
    ngx_uint_t  jump;

    pcr = ngx_media_ts_unroll(&d->clock, (uint64_t) ngx_media_get_be32(p) << 1
                                         | p[4] >> 7);

    if (d->pcr == NGX_MEDIA_TS_NO_TIME) {
        d->pcr = pcr;
        d->pcr_now = d->now;
        return NGX_DECLINED;
    }

    expected = d->pcr + (d->now - d->pcr_now) * 90;
    ahead = pcr - expected;

    jump = ahead > NGX_MEDIA_TS_JUMP || pcr - d->pcr < -NGX_MEDIA_TS_JUMP;

    if (said) {
        jump |= ahead > NGX_MEDIA_TS_JUMP_SAID
                || pcr - d->pcr < -NGX_MEDIA_TS_JUMP_SAID;

    } else if (jump && !(d->pcr_doubt
                         && pcr - d->pcr_other >= 0
                         && pcr - d->pcr_other <= NGX_MEDIA_TS_JUMP))
    {
        d->pcr_doubt = 1;
        d->pcr_other = pcr;
        return NGX_DECLINED;
    }

    if (jump) {
        ngx_media_ts_jump(d, pcr, ev);
        return NGX_OK;
    }

    d->pcr = pcr;
    d->pcr_now = d->now;
    d->pcr_doubt = 0;

    return NGX_DECLINED;
}


static void
ngx_media_ts_jump(ngx_media_ts_demux_t *d, int64_t pcr,
    ngx_media_ts_event_t *ev)
{
    int64_t  from;

    from = d->pcr + (d->now - d->pcr_now) * 90;

    d->pcr = pcr;
    d->pcr_now = d->now;
    d->pcr_doubt = 0;
    d->stat.jumps++;

    ngx_media_ts_event(d, ev);

    ev->type = NGX_MEDIA_TS_EVENT_CLOCK;
    ev->pid = d->pcr_pid;
    ev->from = from;
}


/*
 * Is this stamp of the time that a single PCR has said, and not of the one
 * before?  There are few PCRs: until the next one frames would be taken for
 * late ones.
 */

static ngx_uint_t
ngx_media_ts_agrees(const ngx_media_ts_demux_t *d, int64_t stamp)
{
    int64_t  expected;

    if (!d->pcr_doubt || stamp == NGX_MEDIA_TS_NO_TIME
        || stamp < d->pcr_other || stamp - d->pcr_other > NGX_MEDIA_TS_AHEAD)
    {
        return 0;
    }

    expected = d->pcr + (d->now - d->pcr_now) * 90;

    return stamp < expected || stamp - expected > NGX_MEDIA_TS_AHEAD;
}


/*
 * The time that is nearest to the last one of the connection.  One that is far
 * from it moves it only when another one agrees: a broken stamp is none to
 * count by.
 */

static int64_t
ngx_media_ts_unroll(ngx_media_ts_clock_t *clock, uint64_t time)
{
    int64_t  diff, t;

    if (!clock->known) {
        clock->known = 1;
        clock->last = (int64_t) time;
        return clock->last;
    }

    diff = (int64_t) ((time - (uint64_t) clock->last)
                      & NGX_MEDIA_TS_TIME_MASK);

    if (diff >= NGX_MEDIA_TS_HALF) {
        diff -= 2 * NGX_MEDIA_TS_HALF;
    }

    t = clock->last + diff;

    if ((diff > -NGX_MEDIA_TS_NEAR && diff < NGX_MEDIA_TS_NEAR)
        || (clock->doubt && t - clock->other > -NGX_MEDIA_TS_NEAR
            && t - clock->other < NGX_MEDIA_TS_NEAR))
    {
        clock->last = t;
        clock->doubt = 0;
        return t;
    }

    clock->other = t;
    clock->doubt = 1;

    return t;
}


/* one event of the payload; NGX_DONE: there are no more */

static ngx_int_t
ngx_media_ts_pes(ngx_media_ts_demux_t *d, ngx_media_ts_event_t *ev)
{
    ngx_int_t             rc;
    ngx_media_ts_slot_t  *slot;

    slot = d->slot;

    if (d->pcr_agreed) {
        d->pcr_agreed = 0;
        ngx_media_ts_jump(d, d->pcr_other, ev);
        return NGX_OK;
    }

    if (d->start) {

        if (slot->state == NGX_MEDIA_TS_PES_BODY) {
            ngx_media_ts_pes_end(d, slot, ev);
            return NGX_OK;
        }

        d->start = 0;

        slot->state = NGX_MEDIA_TS_PES_HEADER;
        slot->head_len = 0;
        slot->before = slot->damaged;
        slot->damaged = 0;

    } else if (slot->damaged && slot->state != NGX_MEDIA_TS_PES_BODY) {
        slot->state = NGX_MEDIA_TS_PES_IDLE;
    }

    switch (slot->state) {

    case NGX_MEDIA_TS_PES_BODY:
        return ngx_media_ts_pes_body(d, slot, ev);

    case NGX_MEDIA_TS_PES_HEADER:
    case NGX_MEDIA_TS_PES_REST:

        rc = ngx_media_ts_pes_header(d, slot);

        if (rc == NGX_ERROR) {
            d->stat.malformed++;
            slot->state = NGX_MEDIA_TS_PES_IDLE;
            slot->damaged = 1;
        }

        if (rc != NGX_OK) {
            return NGX_DONE;
        }

        break;

    case NGX_MEDIA_TS_PES_ENDED:

        /* what stands behind the end goes on without a stamp */

        if (d->payload.pos == d->payload.last) {
            return NGX_DONE;
        }

        d->stat.late++;

        slot->strict = 1;
        slot->bounded = 0;
        slot->before = 0;
        slot->head_len = 0;
        break;

    default:
        return NGX_DONE;
    }

    ngx_media_ts_pes_start(d, slot, ev);

    return NGX_OK;
}


/* the next one begins: one that says its length would have ended before */

static void
ngx_media_ts_pes_end(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot,
    ngx_media_ts_event_t *ev)
{
    ngx_media_ts_event(d, ev);

    ev->type = NGX_MEDIA_TS_EVENT_END;
    ev->pid = slot->pid;
    ev->stream = slot->stream;
    ev->damaged = slot->damaged || slot->bounded;

    slot->state = NGX_MEDIA_TS_PES_IDLE;
}


static ngx_int_t
ngx_media_ts_pes_body(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot,
    ngx_media_ts_event_t *ev)
{
    size_t  n;

    /* how much is missing nobody knows, so its end is where the next begins */

    if (slot->damaged) {
        slot->bounded = 0;
    }

    n = ngx_media_span_len(&d->payload);

    if (slot->bounded && n > slot->need) {
        n = slot->need;
    }

    if (n != 0) {
        ev->type = NGX_MEDIA_TS_EVENT_DATA;
        ev->pid = slot->pid;
        ev->stream = slot->stream;
        ev->data.pos = d->payload.pos;
        ev->data.last = d->payload.pos + n;
        ev->damaged = slot->damaged;

        slot->damaged = 0;
        slot->need -= slot->bounded ? n : 0;
        d->payload.pos += n;

        return NGX_OK;
    }

    if (slot->bounded ? slot->need != 0
                      : !d->conf.early || !d->stuffed || slot->strict)
    {
        return NGX_DONE;
    }

    slot->bounded = 0;

    ngx_media_ts_pes_end(d, slot, ev);

    slot->state = NGX_MEDIA_TS_PES_ENDED;

    return NGX_OK;
}


/* NGX_OK: the payload begins; NGX_AGAIN, NGX_ERROR */

static ngx_int_t
ngx_media_ts_pes_header(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot)
{
    size_t  n, size;

    if (slot->state == NGX_MEDIA_TS_PES_HEADER) {

        for ( ;; ) {
            size = ngx_media_ts_pes_head_size(slot);

            if (slot->head_len == size) {
                break;
            }

            n = ngx_min(size - slot->head_len,
                        ngx_media_span_len(&d->payload));

            if (n == 0) {
                return NGX_AGAIN;
            }

            ngx_memcpy(slot->head + slot->head_len, d->payload.pos, n);

            slot->head_len += n;
            d->payload.pos += n;
        }

        if (ngx_media_ts_pes_head(slot) != NGX_OK) {
            return NGX_ERROR;
        }

        slot->state = NGX_MEDIA_TS_PES_REST;
    }

    n = ngx_min(slot->left, ngx_media_span_len(&d->payload));

    slot->left -= n;
    d->payload.pos += n;

    return slot->left ? NGX_AGAIN : NGX_OK;
}


/* bytes of the header that are looked at, by what of it is known */

static size_t
ngx_media_ts_pes_head_size(const ngx_media_ts_slot_t *slot)
{
    size_t  n;

    if (slot->head_len < NGX_MEDIA_TS_PES_SHORT) {
        return NGX_MEDIA_TS_PES_SHORT;
    }

    switch (slot->head[3]) {

    case 0xbc:                                /* program_stream_map */
    case 0xbe:                                /* padding_stream */
    case 0xbf:                                /* private_stream_2 */
    case 0xf0:                                /* ECM */
    case 0xf1:                                /* EMM */
    case 0xf2:                                /* DSMCC */
    case 0xf8:                                /* H.222.1 type E */
    case 0xff:                                /* program_stream_directory */
        return NGX_MEDIA_TS_PES_SHORT;
    }

    if (slot->head_len < NGX_MEDIA_TS_PES_LONG) {
        return NGX_MEDIA_TS_PES_LONG;
    }

    n = NGX_MEDIA_TS_PES_LONG + slot->head[8];

    return ngx_min(n, NGX_MEDIA_TS_PES_HEAD);
}


/* 2.4.3.6; a length that its own header exceeds is as none */

static ngx_int_t
ngx_media_ts_pes_head(ngx_media_ts_slot_t *slot)
{
    size_t   header;
    u_char  *p;

    p = slot->head;

    if (ngx_media_get_be24(p) != 1 || p[3] == NGX_MEDIA_TS_ID_PADDING) {
        return NGX_ERROR;
    }

    header = NGX_MEDIA_TS_PES_SHORT;

    if (slot->head_len > NGX_MEDIA_TS_PES_SHORT) {

        /* "10" */

        if (p[6] >> 6 != 2) {
            return NGX_ERROR;
        }

        header = NGX_MEDIA_TS_PES_LONG + p[8];
    }

    slot->left = header - slot->head_len;
    slot->need = ngx_media_get_be16(p + 4);
    slot->bounded = 0;

    header -= NGX_MEDIA_TS_PES_SHORT;

    if (slot->need != 0 && slot->need >= header) {
        slot->need -= header;
        slot->bounded = 1;
    }

    return NGX_OK;
}


static void
ngx_media_ts_pes_start(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot,
    ngx_media_ts_event_t *ev)
{
    ngx_media_ts_event(d, ev);

    ev->type = NGX_MEDIA_TS_EVENT_START;
    ev->size = slot->bounded ? slot->need : 0;
    ev->random = slot->random;
    ev->damaged = slot->before;

    ngx_media_ts_pes_stamps(d, slot, ev);

    d->pcr_agreed = ngx_media_ts_agrees(d, ev->dts);

    slot->state = NGX_MEDIA_TS_PES_BODY;
    slot->random = 0;
}


/* stamps without their marker bits are none */

static void
ngx_media_ts_pes_stamps(ngx_media_ts_demux_t *d,
    const ngx_media_ts_slot_t *slot, ngx_media_ts_event_t *ev)
{
    const u_char  *p;

    p = slot->head;

    if (slot->head_len < NGX_MEDIA_TS_PES_LONG) {
        return;
    }

    ev->aligned = p[6] >> 2 & 1;

    if (!(p[7] & 0x80) || slot->head_len < NGX_MEDIA_TS_PES_PTS
        || !(p[9] & p[11] & p[13] & 1))
    {
        return;
    }

    ev->pts = ngx_media_ts_unroll(&d->clock, ngx_media_ts_get_time(p + 9));
    ev->dts = ev->pts;

    if (!(p[7] & 0x40) || slot->head_len < NGX_MEDIA_TS_PES_HEAD
        || !(p[14] & p[16] & p[18] & 1))
    {
        return;
    }

    ev->dts = ngx_media_ts_unroll(&d->clock, ngx_media_ts_get_time(p + 14));
    ev->has_dts = 1;
}


/*
 * The next packet may begin anywhere: if it does not where it should, it is
 * searched for.
 */

void
ngx_media_ts_demux_gap(ngx_media_ts_demux_t *d, size_t bytes)
{
    ngx_uint_t            i;
    ngx_media_ts_slot_t  *slot;

    d->stat.skipped += d->ncarried;

    d->ncarried = 0;
    d->carried = 0;
    d->skip = 0;
    d->misses = NGX_MEDIA_TS_MISSES - 1;

    if (bytes < NGX_MEDIA_TS_CC_CYCLE * NGX_MEDIA_TS_PACKET) {
        return;
    }

    for (i = 0; i < NGX_MEDIA_TS_SLOTS; i++) {
        slot = &d->slots[i];

        if (slot->kind != NGX_MEDIA_TS_SLOT_FREE && slot->seen) {
            slot->seen = 0;
            slot->damaged = 1;
        }
    }
}


/*
 * One that does not say its length is whole if its last packet had stuffing:
 * who has gone in the midst of it left a part of a frame.
 */

ngx_int_t
ngx_media_ts_demux_flush(ngx_media_ts_demux_t *d, ngx_media_ts_event_t *ev)
{
    ngx_uint_t            i;
    ngx_media_ts_slot_t  *slot;

    for (i = 0; i < NGX_MEDIA_TS_SLOTS; i++) {
        slot = &d->slots[i];

        if (slot->kind == NGX_MEDIA_TS_SLOT_PES
            && slot->state == NGX_MEDIA_TS_PES_BODY)
        {
            slot->damaged |= !slot->stuffed;
            ngx_media_ts_pes_end(d, slot, ev);
            return NGX_OK;
        }
    }

    return NGX_AGAIN;
}


const ngx_media_ts_slot_t *
ngx_media_ts_demux_pid(const ngx_media_ts_demux_t *d, ngx_uint_t i)
{
    ngx_uint_t  n;

    for (n = 0; n < NGX_MEDIA_TS_SLOTS; n++) {

        if (d->slots[n].kind != NGX_MEDIA_TS_SLOT_FREE && i-- == 0) {
            return &d->slots[n];
        }
    }

    return NULL;
}
