
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A segment is PAT, PMT, and then PES packets in the order of their decode
 * times; clauses below are of ISO/IEC 13818-1.
 *
 * Two passes make the same decisions with the same code: one that adds up,
 * for the length of the answer, and one that writes.  The first looks at
 * sample tables only, never at media: a NAL length of four bytes makes room
 * for a start code of four, and what is put in front of a frame is known from
 * the parameters.  A delimiter that a frame brings itself, and NAL units of
 * other layers, are overwritten with zeros: trailing_zero_8bits.
 *
 * Continuity counters must go on from segment to segment (RFC 8216, 3; some
 * players drop frames otherwise), on whichever worker or server and from
 * whichever rendition the next one comes.  So each elementary stream fills a
 * multiple of 16 packets: one of its PES packets, the last that is not too
 * small for it, is spread over up to 15 more, 1.4 KB on average; and every
 * segment begins with zero.  PAT and PMT are
 * there once, their counter is the segment's number.
 *
 * The clock reference is the decode time of a frame less a constant, on as
 * many frames as it takes to have it every 100 ms (2.7.2), with packets of
 * its own where frames are rarer.
 */


#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_ts_mux.h"
#include "formats/ngx_media_ts_unit.h"


#define NGX_MEDIA_TS_PID_PMT       0x1000

/* bytes of a PMT that are of no track: pointer_field, header, CRC */
#define NGX_MEDIA_TS_PMT_REST      (1 + 12 + 4)

#define NGX_MEDIA_TS_PES_PTS       14         /* header with PTS alone */

#define NGX_MEDIA_TS_CC            16

#define NGX_MEDIA_TS_NO_TRACK      0xffffffff


static ngx_int_t ngx_media_ts_mux_check(const ngx_media_ts_track_t *track);
static void ngx_media_ts_mux_rewind(ngx_media_ts_mux_t *mux);
static void ngx_media_ts_mux_skip(const ngx_media_ts_track_t *track,
    ngx_media_ts_cursor_t *cursor);
static uint32_t ngx_media_ts_mux_pick(const ngx_media_ts_mux_t *mux);
static ngx_int_t ngx_media_ts_mux_plan_pcr(ngx_media_ts_mux_t *mux,
    uint32_t n);
static void ngx_media_ts_mux_plan_pes(ngx_media_ts_mux_t *mux, uint32_t n);
static uint64_t ngx_media_ts_mux_payload(const ngx_media_ts_track_t *track,
    uint32_t i);
static uint32_t ngx_media_ts_mux_group(const ngx_media_ts_mux_t *mux,
    uint32_t n, uint64_t *size);
static void ngx_media_ts_mux_packets(ngx_media_ts_mux_t *mux,
    ngx_media_ts_cursor_t *cursor);
static void ngx_media_ts_mux_pad(ngx_media_ts_mux_t *mux, uint32_t key);
static ngx_int_t ngx_media_ts_mux_step(ngx_media_ts_mux_t *mux,
    ngx_media_span_t *in);
static void ngx_media_ts_mux_start(ngx_media_ts_mux_t *mux);
static void ngx_media_ts_mux_packet(ngx_media_ts_mux_t *mux);
static void ngx_media_ts_mux_header(ngx_media_ts_mux_t *mux);
static ngx_int_t ngx_media_ts_mux_copy(ngx_media_ts_mux_t *mux,
    ngx_media_span_t *in, u_char **out, u_char *last);
static size_t ngx_media_ts_mux_blank(ngx_media_ts_mux_t *mux,
    const u_char *pos, u_char *p, size_t n);
static void ngx_media_ts_mux_fast(ngx_media_ts_mux_t *mux,
    ngx_media_span_t *in, u_char **out, u_char *last);
static ngx_int_t ngx_media_ts_mux_fill(ngx_media_ts_mux_t *mux,
    ngx_media_span_t *in);
static void ngx_media_ts_mux_sample(ngx_media_ts_mux_t *mux);
static ngx_int_t ngx_media_ts_mux_nal(ngx_media_ts_mux_t *mux,
    ngx_media_span_t *in);
static ngx_int_t ngx_media_ts_nals_length(ngx_media_ts_nals_t *nals,
    ngx_media_span_t *in);
static void ngx_media_ts_mux_pat(ngx_media_ts_mux_t *mux);
static void ngx_media_ts_mux_pmt(ngx_media_ts_mux_t *mux);
static void ngx_media_ts_mux_section(ngx_media_ts_mux_t *mux, ngx_uint_t pid,
    u_char *last);
static void ngx_media_ts_mux_clock(ngx_media_ts_mux_t *mux);
static ngx_uint_t ngx_media_ts_mux_put(const u_char *data, uint8_t *pos,
    uint8_t len, u_char **out, size_t max);


#define ngx_media_ts_pid(mux, n)  ((mux)->pid + (mux)->shifts[n] + (n))


ngx_int_t
ngx_media_ts_mux_init(ngx_media_ts_mux_t *mux)
{
    uint32_t   i, key;
    ngx_int_t  rc;

    if (mux->ntracks == 0 || mux->ntracks > NGX_MEDIA_TS_TRACKS) {
        return NGX_ERROR;
    }

    for (i = 0; i < mux->ntracks; i++) {
        rc = ngx_media_ts_mux_check(&mux->tracks[i]);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_media_ts_mux_fits(mux) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_media_ts_mux_set_clock(mux);

    if (mux->audio_frames == 0) {
        mux->audio_frames = NGX_MEDIA_TS_AUDIO_FRAMES;
    }

    if (mux->audio_span == 0) {
        mux->audio_span = NGX_MEDIA_TS_AUDIO_SPAN;
    }

    /* a segment of a stream may lack its video: the others keep their PIDs */

    mux->pid = NGX_MEDIA_TS_PID_ES;
    mux->pid += (mux->tracks[0].es->type != NGX_MEDIA_VIDEO);

    mux->size = 0;
    mux->key_size = 0;
    mux->damaged = 0;
    mux->measured = 0;

    for (i = 0; i < mux->ntracks; i++) {
        mux->cursors[i].spare = 0;
        mux->cursors[i].pad_sample = 0;
    }

    key = 0;

    ngx_media_ts_mux_rewind(mux);

    while (ngx_media_ts_mux_next(mux) == NGX_OK) {

        /* the key frame is the first after the tables, if there is any */

        if (mux->size == NGX_MEDIA_TS_PSI_SIZE && mux->unit.key) {
            mux->key_size = (uint64_t) mux->unit.packets
                            * NGX_MEDIA_TS_PACKET;
            key = mux->unit.sample;
        }

        mux->size += (uint64_t) mux->unit.packets * NGX_MEDIA_TS_PACKET;
    }

    ngx_media_ts_mux_pad(mux, key);
    ngx_media_ts_mux_rewind(mux);

    mux->measured = 1;

    return NGX_OK;
}


ngx_int_t
ngx_media_ts_mux_fits(const ngx_media_ts_mux_t *mux)
{
    size_t    n;
    uint32_t  i;

    n = NGX_MEDIA_TS_PMT_REST;

    for (i = 0; i < mux->ntracks; i++) {
        n += 5 + ngx_media_ts_es_info(NULL, mux->tracks[i].es)
             + ngx_media_ts_program_info(NULL, mux->tracks[i].es);
    }

    return (n <= NGX_MEDIA_TS_PAYLOAD) ? NGX_OK : NGX_ERROR;
}


void
ngx_media_ts_mux_set_clock(ngx_media_ts_mux_t *mux)
{
    uint32_t  i;

    mux->pcr_track = 0;

    for (i = 0; i < mux->ntracks; i++) {
        if (mux->tracks[i].es->form == NGX_MEDIA_TS_NAL) {
            mux->pcr_track = i;
            break;
        }
    }
}


static ngx_int_t
ngx_media_ts_mux_check(const ngx_media_ts_track_t *track)
{
    size_t    max;
    uint32_t  i;

    if (track->es->timescale == 0
        || track->es->prefix_len > NGX_MEDIA_TS_PREFIX_MAX)
    {
        return NGX_ERROR;
    }

    if (track->es->form == NGX_MEDIA_TS_NAL) {
        return (track->es->nal_length != 4 && track->nals == NULL
                && track->nsamples) ? NGX_DECLINED : NGX_OK;
    }

    max = ngx_media_ts_es_max(track->es);

    for (i = 0; i < track->nsamples; i++) {
        if (track->samples[i].size > max) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_media_ts_mux_rewind(ngx_media_ts_mux_t *mux)
{
    uint32_t                     i;
    ngx_media_ts_cursor_t       *cursor;
    const ngx_media_ts_track_t  *track;

    for (i = 0; i < mux->ntracks; i++) {
        track = &mux->tracks[i];
        cursor = &mux->cursors[i];

        cursor->ticks = (uint64_t) track->decode_time;
        cursor->sample = 0;
        cursor->packets = 0;

        ngx_media_ts_mux_skip(track, cursor);

        mux->cc[i] = 0;
    }

    mux->psi = 0;
    mux->has_pcr = 0;
    mux->payload = 0;
    mux->packets = 0;
    mux->room = 0;
    mux->header_len = 0;
    mux->header_pos = 0;

    ngx_memzero(&mux->unit, sizeof(ngx_media_ts_unit_t));
}


/* the time of the next sample; those without a byte are none */

static void
ngx_media_ts_mux_skip(const ngx_media_ts_track_t *track,
    ngx_media_ts_cursor_t *cursor)
{
    while (cursor->sample < track->nsamples
           && track->samples[cursor->sample].size == 0)
    {
        cursor->ticks += track->samples[cursor->sample].duration;
        cursor->sample++;
    }

    cursor->time = ngx_media_ts_time((int64_t) (cursor->ticks - track->delay),
                                     track->es->timescale);
}


ngx_int_t
ngx_media_ts_mux_next(ngx_media_ts_mux_t *mux)
{
    uint32_t  n;

    if (!mux->psi) {
        ngx_media_ts_mux_plan_psi(mux);
        return NGX_OK;
    }

    n = ngx_media_ts_mux_pick(mux);

    if (n == NGX_MEDIA_TS_NO_TRACK) {
        return NGX_DONE;
    }

    if (ngx_media_ts_mux_plan_pcr(mux, n) != NGX_OK) {
        ngx_media_ts_mux_plan_pes(mux, n);
    }

    return NGX_OK;
}


/*
 * The track whose sample is to be decoded first.  A segment begins with the
 * video's, even if some audio comes before: players look for it there, and it
 * is the range of the I-frame playlist.
 */

static uint32_t
ngx_media_ts_mux_pick(const ngx_media_ts_mux_t *mux)
{
    uint32_t  i, n;

    n = NGX_MEDIA_TS_NO_TRACK;

    for (i = 0; i < mux->ntracks; i++) {

        if (mux->cursors[i].sample >= mux->tracks[i].nsamples) {
            continue;
        }

        if (i == mux->pcr_track && mux->cursors[i].packets == 0
            && mux->tracks[i].es->form == NGX_MEDIA_TS_NAL)
        {
            return i;
        }

        if (n == NGX_MEDIA_TS_NO_TRACK
            || (int64_t) (mux->cursors[i].time - mux->cursors[n].time) < 0)
        {
            n = i;
        }
    }

    return n;
}


/*
 * A packet that holds nothing but the clock, if one has to stand before the
 * next unit, of track n.  Behind the last frame of its own track the clock
 * stops: it must not run past the first one of the next segment.
 */

static ngx_int_t
ngx_media_ts_mux_plan_pcr(ngx_media_ts_mux_t *mux, uint32_t n)
{
    uint64_t                      pcr;
    const ngx_media_ts_track_t   *track;
    const ngx_media_ts_cursor_t  *cursor;

    track = &mux->tracks[mux->pcr_track];
    cursor = &mux->cursors[mux->pcr_track];

    if (mux->has_pcr) {
        pcr = mux->pcr + NGX_MEDIA_TS_PCR_INTERVAL;

        if (cursor->sample >= track->nsamples && track->nsamples
            && (int64_t) (pcr - cursor->time) >= 0)
        {
            return NGX_DECLINED;
        }

    } else if (n == mux->pcr_track) {
        return NGX_DECLINED;
    }

    return ngx_media_ts_mux_plan_clock(mux, mux->cursors[n].time);
}


void
ngx_media_ts_mux_plan_psi(ngx_media_ts_mux_t *mux)
{
    ngx_memzero(&mux->unit, sizeof(ngx_media_ts_unit_t));

    mux->unit.kind = NGX_MEDIA_TS_UNIT_PSI;
    mux->unit.packets = NGX_MEDIA_TS_PSI_SIZE / NGX_MEDIA_TS_PACKET;

    mux->psi = 1;
}


ngx_int_t
ngx_media_ts_mux_plan_clock(ngx_media_ts_mux_t *mux, uint64_t next)
{
    int64_t   gap;
    uint64_t  pcr;

    pcr = next;

    if (mux->has_pcr) {
        gap = (int64_t) (next - mux->pcr);
        pcr = mux->pcr + NGX_MEDIA_TS_PCR_INTERVAL;

        if (gap <= NGX_MEDIA_TS_PCR_INTERVAL || gap > NGX_MEDIA_TS_PCR_GAP) {
            return NGX_DECLINED;
        }
    }

    ngx_memzero(&mux->unit, sizeof(ngx_media_ts_unit_t));

    mux->unit.kind = NGX_MEDIA_TS_UNIT_PCR;
    mux->unit.packets = 1;
    mux->unit.track = mux->pcr_track;
    mux->unit.pcr = pcr;

    mux->pcr = pcr;
    mux->has_pcr = 1;

    return NGX_OK;
}


static void
ngx_media_ts_mux_plan_pes(ngx_media_ts_mux_t *mux, uint32_t n)
{
    ngx_media_ts_unit_t    *unit;
    ngx_media_ts_cursor_t  *cursor;

    unit = &mux->unit;
    cursor = &mux->cursors[n];

    ngx_media_ts_mux_plan_frames(mux, n);

    if (n == mux->pcr_track
        && (!mux->has_pcr
            || (unit->pcr != mux->pcr
                && (unit->key || (int64_t) (cursor->time - mux->pcr)
                                 > NGX_MEDIA_TS_PCR_INTERVAL))))
    {
        unit->has_pcr = 1;
    }

    ngx_media_ts_mux_plan_end(mux);
}


void
ngx_media_ts_mux_plan_frames(ngx_media_ts_mux_t *mux, uint32_t n)
{
    uint32_t                     i;
    uint64_t                     pts;
    ngx_media_ts_unit_t         *unit;
    ngx_media_ts_cursor_t       *cursor;
    const ngx_media_ts_track_t  *track;

    track = &mux->tracks[n];
    cursor = &mux->cursors[n];
    unit = &mux->unit;

    ngx_memzero(unit, sizeof(ngx_media_ts_unit_t));

    unit->kind = NGX_MEDIA_TS_UNIT_PES;
    unit->track = n;
    unit->sample = cursor->sample;
    unit->nsamples = ngx_media_ts_mux_group(mux, n, &unit->size);
    unit->key = track->es->form == NGX_MEDIA_TS_NAL
                && track->samples[cursor->sample].key;

    pts = ngx_media_ts_time((int64_t) (cursor->ticks - track->delay
                                    + (int64_t) track->samples[cursor->sample]
                                                .cto),
                            track->es->timescale);

    unit->dts = cursor->time;
    unit->pts = pts;
    unit->pcr = cursor->time;

    /* 2.4.3.7: PTS is not before DTS, and DTS is there if it differs */

    if ((int64_t) (unit->pts - unit->dts) < 0) {
        unit->dts = unit->pts;
    }

    unit->header = (unit->pts == unit->dts) ? NGX_MEDIA_TS_PES_PTS
                                            : NGX_MEDIA_TS_PES_DTS;
    unit->size += unit->header;

    for (i = 0; i < unit->nsamples; i++) {
        cursor->ticks += track->samples[cursor->sample++].duration;
    }

    ngx_media_ts_mux_skip(track, cursor);
}


void
ngx_media_ts_mux_plan_end(ngx_media_ts_mux_t *mux)
{
    ngx_media_ts_unit_t  *unit;

    unit = &mux->unit;

    if (unit->has_pcr) {
        mux->has_pcr = 1;
        mux->pcr = unit->pcr;
    }

    unit->adaptation = unit->has_pcr ? 8 : unit->key ? 2 : 0;

    ngx_media_ts_mux_packets(mux, &mux->cursors[unit->track]);
}


/* the samples of the next unit; *size: what is written of them, bytes */

static uint32_t
ngx_media_ts_mux_group(const ngx_media_ts_mux_t *mux, uint32_t n,
    uint64_t *size)
{
    uint32_t                     count, first, i;
    uint64_t                     more, span;
    const ngx_media_sample_t    *samples;
    const ngx_media_ts_track_t  *track;

    track = &mux->tracks[n];
    first = mux->cursors[n].sample;
    samples = track->samples;

    *size = ngx_media_ts_mux_payload(track, first);

    /* an access unit of E-AC-3 may be several frames: they are not counted */

    if (track->es->type != NGX_MEDIA_AUDIO || track->es->alone) {
        return 1;
    }

    span = (uint64_t) mux->audio_span * track->es->timescale;

    for (count = 1; count < mux->audio_frames; count++) {
        i = first + count;

        /*
         * players count the frames of a unit on from its time, by their
         * nominal duration
         */

        if (i == track->nsamples || samples[i].size == 0
            || samples[i].cto != samples[first].cto
            || samples[i - 1].duration != samples[first].duration
            || (uint64_t) samples[first].duration * (count + 1)
               * NGX_MEDIA_TS_TIMESCALE
               > span)
        {
            break;
        }

        more = ngx_media_ts_mux_payload(track, i);

        if (*size + more > NGX_MEDIA_TS_PES_MAX - NGX_MEDIA_TS_PES_DTS) {
            break;
        }

        *size += more;
    }

    return count;
}


static uint64_t
ngx_media_ts_mux_payload(const ngx_media_ts_track_t *track, uint32_t i)
{
    uint64_t                   size;
    const ngx_media_ts_es_t   *es;
    const ngx_media_sample_t  *sample;

    es = track->es;
    sample = &track->samples[i];

    size = sample->size;

    if (es->form != NGX_MEDIA_TS_NAL) {
        return size + ngx_media_ts_es_prefix(NULL, es, sample->size);
    }

    size += (sample->key && track->head_len) ? track->head_len
                                             : es->prefix_len;

    if (es->nal_length < 4) {
        size += (uint64_t) track->nals[i] * (4 - es->nal_length);
    }

    return size;
}


/*
 * How many packets the unit takes.  At the most it could take one for each of
 * its bytes, but for the PES header, which stays in one piece.
 */

static void
ngx_media_ts_mux_packets(ngx_media_ts_mux_t *mux,
    ngx_media_ts_cursor_t *cursor)
{
    uint64_t              spare;
    ngx_media_ts_unit_t  *unit;

    unit = &mux->unit;

    unit->packets = (uint32_t) ((unit->size + unit->adaptation
                                 + NGX_MEDIA_TS_PAYLOAD - 1)
                                / NGX_MEDIA_TS_PAYLOAD);

    spare = unit->size - unit->header - (unit->packets - 1);
    spare = ngx_min(spare, NGX_MEDIA_TS_CC - 1);

    if (!mux->measured) {

        if (spare >= cursor->spare) {
            cursor->spare = (uint32_t) spare;
            cursor->pad_sample = unit->sample;
        }

    } else if (unit->sample == cursor->pad_sample) {
        unit->packets += cursor->pad;
    }

    cursor->packets += unit->packets;
}


/*
 * After the first pass: what is missing to a multiple of 16, and where; key
 * is the sample that the clock's track begins with
 */

static void
ngx_media_ts_mux_pad(ngx_media_ts_mux_t *mux, uint32_t key)
{
    uint32_t                i;
    uint64_t                bytes;
    ngx_media_ts_cursor_t  *cursor;

    for (i = 0; i < mux->ntracks; i++) {
        cursor = &mux->cursors[i];

        cursor->pad = (NGX_MEDIA_TS_CC - cursor->packets % NGX_MEDIA_TS_CC)
                      % NGX_MEDIA_TS_CC;
        cursor->pad = ngx_min(cursor->pad, cursor->spare);

        bytes = (uint64_t) cursor->pad * NGX_MEDIA_TS_PACKET;

        mux->size += bytes;

        if (mux->key_size && i == mux->pcr_track
            && cursor->pad_sample == key)
        {
            mux->key_size += bytes;
        }
    }
}


uint64_t
ngx_media_ts_mux_seek(ngx_media_ts_mux_t *mux, uint64_t offset)
{
    uint32_t            i;
    uint64_t            at, size;
    ngx_media_ts_mux_t  before;

    ngx_media_ts_mux_rewind(mux);

    at = 0;

    for ( ;; ) {
        before = *mux;

        if (ngx_media_ts_mux_next(mux) != NGX_OK) {
            break;
        }

        size = (uint64_t) mux->unit.packets * NGX_MEDIA_TS_PACKET;

        if (offset < at + size) {
            *mux = before;
            break;
        }

        at += size;
    }

    for (i = 0; i < mux->ntracks; i++) {
        mux->cc[i] = mux->cursors[i].packets % NGX_MEDIA_TS_CC;
    }

    return at;
}


ngx_int_t
ngx_media_ts_mux_write(ngx_media_ts_mux_t *mux, ngx_media_span_t *in,
    u_char **p, u_char *last)
{
    ngx_int_t  rc;

    for ( ;; ) {

        if (ngx_media_ts_mux_put(mux->header, &mux->header_pos,
                                 mux->header_len, p, last - *p)
            != NGX_OK)
        {
            return NGX_OK;
        }

        if (mux->room == 0) {
            rc = ngx_media_ts_mux_step(mux, in);

            if (rc != NGX_OK) {
                return rc;
            }

            continue;
        }

        if (*p == last) {
            return NGX_OK;
        }

        if (ngx_media_ts_mux_copy(mux, in, p, last) == NGX_OK) {
            continue;
        }

        mux->track = mux->unit.track;
        mux->sample = mux->unit.sample + mux->nsamples - 1;
        mux->want = mux->nals.left;
        mux->sample_offset = mux->tracks[mux->track].samples[mux->sample].size
                             - mux->want;

        return NGX_AGAIN;
    }
}


/* what is pending, as far as there is room; NGX_AGAIN: there was not */

static ngx_uint_t
ngx_media_ts_mux_put(const u_char *data, uint8_t *pos, uint8_t len,
    u_char **out, size_t max)
{
    size_t  n;

    n = ngx_min((size_t) (len - *pos), max);

    if (n) {
        ngx_memcpy(*out, data + *pos, n);
        *out += n;
        *pos += (uint8_t) n;
    }

    return (*pos == len) ? NGX_OK : NGX_AGAIN;
}


/* the next packet, of the same unit or another */

static ngx_int_t
ngx_media_ts_mux_step(ngx_media_ts_mux_t *mux, ngx_media_span_t *in)
{
    if (mux->packets == 0) {

        if (mux->pushed) {
            return NGX_DONE;
        }

        /* input that nobody asked for is not that of the next unit */

        in->pos = in->last;

        if (ngx_media_ts_mux_next(mux) != NGX_OK) {
            return NGX_DONE;
        }

        ngx_media_ts_mux_begin(mux);
    }

    mux->header_pos = 0;

    switch (mux->unit.kind) {

    case NGX_MEDIA_TS_UNIT_PSI:

        if (mux->packets == mux->unit.packets) {
            ngx_media_ts_mux_pat(mux);

        } else {
            ngx_media_ts_mux_pmt(mux);
        }

        break;

    case NGX_MEDIA_TS_UNIT_PCR:
        ngx_media_ts_mux_clock(mux);
        break;

    default:
        ngx_media_ts_mux_packet(mux);
    }

    mux->packets--;

    return NGX_OK;
}


void
ngx_media_ts_mux_begin(ngx_media_ts_mux_t *mux)
{
    mux->packets = mux->unit.packets;

    ngx_media_ts_mux_start(mux);
}


/* the PES packet, from its header on, 2.4.3.6 */

static void
ngx_media_ts_mux_start(ngx_media_ts_mux_t *mux)
{
    u_char                      *p;
    uint64_t                     dts, len, pts;
    ngx_media_ts_unit_t         *unit;
    const ngx_media_ts_track_t  *track;

    unit = &mux->unit;

    if (unit->kind != NGX_MEDIA_TS_UNIT_PES) {
        return;
    }

    track = &mux->tracks[unit->track];

    mux->payload = unit->size;
    mux->nsamples = 0;
    mux->zeros = 0;
    mux->blob_len = 0;
    mux->nal_len = 0;
    mux->start = 0;
    mux->blank = 0;
    mux->whole = 0;
    mux->code = 0;

    ngx_memzero(&mux->nals, sizeof(ngx_media_ts_nals_t));

    /* the length of video is left open: it may not fit */

    len = (track->es->form == NGX_MEDIA_TS_NAL) ? 0 : unit->size - 6;
    pts = (unit->pts + mux->offset) & NGX_MEDIA_TS_TIME_MASK;
    dts = (unit->dts + mux->offset) & NGX_MEDIA_TS_TIME_MASK;

    p = ngx_media_put_be24(mux->piece, 1);
    p = ngx_media_put_8(p, track->es->stream_id);
    p = ngx_media_put_be16(p, (uint32_t) len);
    p = ngx_media_put_8(p, 0x84);             /* data_alignment_indicator */

    if (unit->header == NGX_MEDIA_TS_PES_PTS) {
        p = ngx_media_put_be16(p, 0x8005);
        p = ngx_media_ts_put_time(p, 2, pts);

    } else {
        p = ngx_media_put_be16(p, 0xc00a);
        p = ngx_media_ts_put_time(p, 3, pts);
        p = ngx_media_ts_put_time(p, 1, dts);
    }

    mux->piece_pos = 0;
    mux->piece_len = (uint8_t) (p - mux->piece);

    if (track->es->form != NGX_MEDIA_TS_NAL) {
        return;
    }

    if (unit->key && track->head_len) {
        mux->blob = track->head;
        mux->blob_len = track->head_len;

    } else {
        mux->blob = track->es->prefix;
        mux->blob_len = track->es->prefix_len;
    }
}


/* how many bytes the next packet has room for: at least one for each after */

static void
ngx_media_ts_mux_packet(ngx_media_ts_mux_t *mux)
{
    uint64_t  left;

    mux->room = NGX_MEDIA_TS_PAYLOAD;

    if (mux->packets == mux->unit.packets) {
        mux->room -= mux->unit.adaptation;
    }

    left = mux->payload - (mux->packets - 1);

    if (mux->room > left) {
        mux->room = (uint32_t) left;
    }

    ngx_media_ts_mux_header(mux);
}


/* 2.4.3.2; stuffing is part of the adaptation field, 2.4.3.4 */

static void
ngx_media_ts_mux_header(ngx_media_ts_mux_t *mux)
{
    u_char               *p, *flags;
    uint32_t              field, n, pid;
    ngx_uint_t            first;
    ngx_media_ts_unit_t  *unit;

    unit = &mux->unit;
    n = unit->track;
    pid = ngx_media_ts_pid(mux, n);
    first = (mux->packets == unit->packets);
    field = NGX_MEDIA_TS_PAYLOAD - mux->room;

    p = mux->header;

    *p++ = NGX_MEDIA_TS_SYNC;
    *p++ = (u_char) ((first ? NGX_MEDIA_TS_START : 0) | pid >> 8);
    *p++ = (u_char) pid;
    *p++ = (u_char) (NGX_MEDIA_TS_HAS_PAYLOAD
                     | (field ? NGX_MEDIA_TS_ADAPTATION : 0) | mux->cc[n]);

    mux->cc[n] = (mux->cc[n] + 1) % NGX_MEDIA_TS_CC;
    mux->header_len = (uint8_t) (4 + field);

    if (field == 0) {
        return;
    }

    *p++ = (u_char) (field - 1);

    if (field == 1) {
        return;
    }

    flags = p++;
    *flags = 0;

    if (first && unit->key) {
        *flags |= NGX_MEDIA_TS_RANDOM_ACCESS;
    }

    if (first && unit->has_pcr) {
        *flags |= NGX_MEDIA_TS_PCR
                  | (unit->broken ? NGX_MEDIA_TS_DISCONTINUITY : 0);
        p = ngx_media_ts_put_pcr(p, (unit->pcr + mux->offset
                                     - NGX_MEDIA_TS_PCR_LEAD)
                                    & NGX_MEDIA_TS_TIME_MASK);
    }

    ngx_memset(p, 0xff, mux->header + mux->header_len - p);
}


/* a run of payload into the packet; NGX_AGAIN: for want of input */

static ngx_int_t
ngx_media_ts_mux_copy(ngx_media_ts_mux_t *mux, ngx_media_span_t *in,
    u_char **out, u_char *last)
{
    size_t   n;
    u_char  *p;

    p = *out;
    n = ngx_min((size_t) (last - p), mux->room);

    if (mux->piece_pos < mux->piece_len) {
        (void) ngx_media_ts_mux_put(mux->piece, &mux->piece_pos,
                                    mux->piece_len, out, n);

    } else if (mux->blob_len) {
        n = ngx_min(n, mux->blob_len);
        ngx_memcpy(p, mux->blob, n);

        mux->blob += n;
        mux->blob_len -= n;
        *out += n;

    } else if (mux->zeros) {
        n = (size_t) ngx_min(n, mux->zeros);
        ngx_memzero(p, n);

        mux->zeros -= n;
        *out += n;

    } else if (mux->nals.run && !mux->start) {

        n = (size_t) ngx_min(n, mux->nals.run);
        n = ngx_min(n, ngx_media_span_len(in));

        if (n == 0) {
            return NGX_AGAIN;
        }

        if (mux->blank) {
            n = ngx_media_ts_mux_blank(mux, in->pos, p, n);

        } else {
            ngx_memcpy(p, in->pos, n);
        }

        in->pos += n;
        mux->nals.run -= n;
        mux->nals.left -= n;
        *out += n;

    } else {
        return ngx_media_ts_mux_fill(mux, in);
    }

    mux->room -= (uint32_t) (*out - p);
    mux->payload -= *out - p;

    if (mux->room == 0 && mux->nals.run && !mux->blank) {
        ngx_media_ts_mux_fast(mux, in, out, last);
    }

    return NGX_OK;
}


/*
 * No NAL unit has a start code in it (7.4.1 of ISO/IEC 14496-10): where one
 * is, that of a muxer which puts one length in front of several of them, the
 * rest is not what was to be left out.  In bytes that no length says to be a
 * NAL unit the same may be a length, of 256 to 511 bytes.  Returns how many
 * bytes were written.
 */

static size_t
ngx_media_ts_mux_blank(ngx_media_ts_mux_t *mux, const u_char *pos, u_char *p,
    size_t n)
{
    size_t  i;

    if (!mux->whole) {
        ngx_memzero(p, n);
        return n;
    }

    for (i = 0; i < n; i++) {
        p[i] = 0;

        if (pos[i] == 0) {
            mux->code = ngx_min(mux->code + 1, 2);
            continue;
        }

        if (pos[i] == 1 && mux->code == 2) {
            p[i++] = 1;
            mux->blank = 0;
            break;
        }

        mux->code = 0;
    }

    return i;
}


/* whole packets within a run: almost all bytes of a segment pass here */

static void
ngx_media_ts_mux_fast(ngx_media_ts_mux_t *mux, ngx_media_span_t *in,
    u_char **out, u_char *last)
{
    u_char        *p;
    uint32_t       cc, head;
    uint64_t       n, packets;
    const u_char  *pos;

    if (mux->piece_pos < mux->piece_len || mux->blob_len || mux->zeros
        || mux->start || mux->packets < 2)
    {
        return;
    }

    /* all but those that the end of the unit is spread over */

    n = (mux->payload - (mux->packets - 1)) / NGX_MEDIA_TS_PAYLOAD;
    n = ngx_min(n, mux->packets - 1);
    n = ngx_min(n, mux->nals.run / NGX_MEDIA_TS_PAYLOAD);
    n = ngx_min(n, ngx_media_span_len(in) / NGX_MEDIA_TS_PAYLOAD);
    n = ngx_min(n, (size_t) (last - *out) / NGX_MEDIA_TS_PACKET);

    p = *out;
    pos = in->pos;
    cc = mux->cc[mux->unit.track];
    head = (uint32_t) NGX_MEDIA_TS_SYNC << 24
           | ngx_media_ts_pid(mux, mux->unit.track) << 8
           | NGX_MEDIA_TS_HAS_PAYLOAD;

    for (packets = n; packets; packets--) {
        p = ngx_media_put_be32(p, head | cc);
        ngx_memcpy(p, pos, NGX_MEDIA_TS_PAYLOAD);

        p += NGX_MEDIA_TS_PAYLOAD;
        pos += NGX_MEDIA_TS_PAYLOAD;
        cc = (cc + 1) % NGX_MEDIA_TS_CC;
    }

    mux->cc[mux->unit.track] = (uint8_t) cc;
    mux->packets -= (uint32_t) n;

    n *= NGX_MEDIA_TS_PAYLOAD;

    mux->payload -= n;
    mux->nals.run -= n;
    mux->nals.left -= n;

    in->pos = pos;
    *out = p;
}


/* finds what comes next when nothing is pending; NGX_AGAIN: needs input */

static ngx_int_t
ngx_media_ts_mux_fill(ngx_media_ts_mux_t *mux, ngx_media_span_t *in)
{
    if (mux->nals.left || mux->start) {
        return ngx_media_ts_mux_nal(mux, in);
    }

    if (mux->nsamples < mux->unit.nsamples) {
        ngx_media_ts_mux_sample(mux);
        return NGX_OK;
    }

    /* fewer NAL units than were counted: the media has changed */

    mux->damaged++;
    mux->zeros = mux->payload;

    return NGX_OK;
}


static void
ngx_media_ts_mux_sample(ngx_media_ts_mux_t *mux)
{
    uint32_t                     i;
    const ngx_media_ts_es_t     *es;
    const ngx_media_ts_track_t  *track;

    track = &mux->tracks[mux->unit.track];
    es = track->es;
    i = mux->unit.sample + mux->nsamples;

    mux->nsamples++;

    ngx_media_ts_nals_init(&mux->nals, track->samples[i].size,
                           es->nal_length);

    if (es->form == NGX_MEDIA_TS_NAL) {
        return;
    }

    mux->nals.run = mux->nals.left;

    mux->piece_pos = 0;
    mux->piece_len = (uint8_t) ngx_media_ts_es_prefix(mux->piece, es,
                                                    track->samples[i].size);
}


/* a start code for a length */

static ngx_int_t
ngx_media_ts_mux_nal(ngx_media_ts_mux_t *mux, ngx_media_span_t *in)
{
    ngx_media_ts_nals_t         *nals;
    const ngx_media_ts_track_t  *track;

    track = &mux->tracks[mux->unit.track];
    nals = &mux->nals;

    if (!mux->start) {
        mux->blank = 0;
        mux->whole = 0;
        mux->code = 0;

        if (nals->nal_length < 4
            && nals->count == track->nals[mux->unit.sample])
        {
            /* more than were counted: there is no room for start codes */

            mux->damaged++;
            nals->run = nals->left;
            return NGX_OK;
        }

        switch (ngx_media_ts_nals_length(nals, in)) {

        case NGX_AGAIN:
            return NGX_AGAIN;

        case NGX_DONE:
            mux->damaged++;
            mux->blank = 1;
            return NGX_OK;

        case NGX_DECLINED:
            mux->damaged++;
            break;

        default: /* NGX_OK */
            mux->whole = 1;
        }

        mux->start = 1;
    }

    /* its header decides; it is kept, as input may come byte by byte */

    while (mux->nal_len < ngx_media_ts_es_header(track->es) && nals->run) {

        if (in->pos == in->last) {
            return NGX_AGAIN;
        }

        mux->piece[4 + mux->nal_len++] = *in->pos++;
        nals->run--;
        nals->left--;
    }

    mux->blank = ngx_media_ts_es_blank(track->es, mux->piece + 4,
                                       mux->nal_len, nals->count == 1);

    (void) ngx_media_put_be32(mux->piece, mux->blank ? 0 : 1);

    if (mux->blank) {
        ngx_memzero(mux->piece + 4, mux->nal_len);
    }

    mux->piece_pos = 0;
    mux->piece_len = 4 + mux->nal_len;
    mux->nal_len = 0;
    mux->start = 0;

    return NGX_OK;
}


void
ngx_media_ts_nals_init(ngx_media_ts_nals_t *nals, uint64_t size,
    ngx_uint_t nal_length)
{
    ngx_memzero(nals, sizeof(ngx_media_ts_nals_t));

    nals->left = size;
    nals->nal_length = (uint8_t) nal_length;
}


void
ngx_media_ts_nals_feed(ngx_media_ts_nals_t *nals, const u_char *pos,
    const u_char *last)
{
    uint64_t          n;
    ngx_media_span_t  in;

    in.pos = pos;
    in.last = last;

    while (nals->left) {

        if (nals->run) {
            n = ngx_min(nals->run, ngx_media_span_len(&in));

            if (n == 0) {
                return;
            }

            in.pos += n;
            nals->run -= n;
            nals->left -= n;
            continue;
        }

        if (ngx_media_ts_nals_length(nals, &in) == NGX_AGAIN) {
            return;
        }
    }
}


/*
 * Reads a length and counts the NAL unit, whose bytes are run.  NGX_DONE: too
 * little of the sample is left for one, run is that rest; NGX_DECLINED: the
 * length was zero, or went beyond the sample and was cut.
 */

static ngx_int_t
ngx_media_ts_nals_length(ngx_media_ts_nals_t *nals, ngx_media_span_t *in)
{
    if (nals->got == 0) {
        nals->len = 0;

        if (nals->left < nals->nal_length) {
            nals->run = nals->left;
            return NGX_DONE;
        }
    }

    while (nals->got < nals->nal_length) {

        if (in->pos == in->last) {
            return NGX_AGAIN;
        }

        nals->len = nals->len << 8 | *in->pos++;
        nals->got++;
        nals->left--;
    }

    nals->got = 0;
    nals->count++;
    nals->run = ngx_min(nals->len, nals->left);

    return (nals->len && nals->run == nals->len) ? NGX_OK : NGX_DECLINED;
}


/* 2.4.4.3: one program, number 1 */

static void
ngx_media_ts_mux_pat(ngx_media_ts_mux_t *mux)
{
    u_char  *p;

    p = mux->header + 5;

    p = ngx_media_put_8(p, NGX_MEDIA_TS_TABLE_PAT);
    p = ngx_media_put_be16(p, 0);             /* section_length */
    p = ngx_media_put_be16(p, 1);             /* transport_stream_id */
    p = ngx_media_put_be24(p, 0xc10000);      /* version 0, current; 0 of 0 */
    p = ngx_media_put_be16(p, 1);             /* program_number */
    p = ngx_media_put_be16(p, 0xe000 | NGX_MEDIA_TS_PID_PMT);

    ngx_media_ts_mux_section(mux, NGX_MEDIA_TS_PID_PAT, p);
}


/* 2.4.4.8 */

static void
ngx_media_ts_mux_pmt(ngx_media_ts_mux_t *mux)
{
    size_t                    n;
    u_char                   *info, *p;
    uint32_t                  i, version;
    const ngx_media_ts_es_t  *es;

    /* 2.4.4.9: another table is another version */

    version = mux->version;

    for (i = 0; i < mux->ntracks && !mux->pushed; i++) {
        version |= 1 << mux->tracks[i].es->type;
    }

    p = mux->header + 5;

    p = ngx_media_put_8(p, NGX_MEDIA_TS_TABLE_PMT);
    p = ngx_media_put_be16(p, 0);
    p = ngx_media_put_be16(p, 1);
    p = ngx_media_put_be24(p, 0xc10000 | version << 17);
    p = ngx_media_put_be16(p, 0xe000 | ngx_media_ts_pid(mux, mux->pcr_track));

    info = p;
    p += 2;

    for (i = 0; i < mux->ntracks; i++) {
        p += ngx_media_ts_program_info(p, mux->tracks[i].es);
    }

    (void) ngx_media_put_be16(info, 0xf000 | (uint32_t) (p - info - 2));

    for (i = 0; i < mux->ntracks; i++) {
        es = mux->tracks[i].es;

        p = ngx_media_put_8(p, es->stream_type);
        p = ngx_media_put_be16(p, 0xe000 | ngx_media_ts_pid(mux, i));

        n = ngx_media_ts_es_info(p + 2, es);

        p = ngx_media_put_be16(p, 0xf000 | (uint32_t) n);
        p += n;
    }

    ngx_media_ts_mux_section(mux, NGX_MEDIA_TS_PID_PMT, p);
}


/* the packet around a section that ends at p but for its CRC, 2.4.4 */

static void
ngx_media_ts_mux_section(ngx_media_ts_mux_t *mux, ngx_uint_t pid, u_char *p)
{
    u_char  *section;

    section = mux->header + 5;

    /* from behind section_length to the end of the CRC */

    (void) ngx_media_put_be16(section + 1,
                              0xb000 | (uint32_t) (p - section - 3 + 4));

    p = ngx_media_put_be32(p, ngx_media_crc32_mpeg(section, p));

    ngx_memset(p, 0xff, mux->header + NGX_MEDIA_TS_PACKET - p);

    mux->header[0] = NGX_MEDIA_TS_SYNC;
    (void) ngx_media_put_be16(mux->header + 1, NGX_MEDIA_TS_START << 8 | pid);
    mux->header[3] = NGX_MEDIA_TS_HAS_PAYLOAD | mux->number % NGX_MEDIA_TS_CC;
    mux->header[4] = 0;                       /* pointer_field */
    mux->header_len = NGX_MEDIA_TS_PACKET;
}


/* an adaptation field alone: the counter stays that of the packet before */

static void
ngx_media_ts_mux_clock(ngx_media_ts_mux_t *mux)
{
    u_char    *p;
    uint32_t   n;

    n = mux->unit.track;
    p = mux->header;

    *p++ = NGX_MEDIA_TS_SYNC;
    p = ngx_media_put_be16(p, ngx_media_ts_pid(mux, n));
    *p++ = NGX_MEDIA_TS_ADAPTATION
           | (mux->cc[n] + NGX_MEDIA_TS_CC - 1) % NGX_MEDIA_TS_CC;
    *p++ = NGX_MEDIA_TS_PAYLOAD - 1;
    *p++ = NGX_MEDIA_TS_PCR
           | (mux->unit.broken ? NGX_MEDIA_TS_DISCONTINUITY : 0);
    p = ngx_media_ts_put_pcr(p, (mux->unit.pcr + mux->offset
                                 - NGX_MEDIA_TS_PCR_LEAD)
                                & NGX_MEDIA_TS_TIME_MASK);

    ngx_memset(p, 0xff, mux->header + NGX_MEDIA_TS_PACKET - p);

    mux->header_len = NGX_MEDIA_TS_PACKET;
}
