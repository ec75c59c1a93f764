
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Tables are known by what they hold, not by their version numbers: there are
 * encoders that never raise them.
 */


#include "formats/ngx_media_crc.h"
#include "formats/ngx_media_ts_program.h"


/* a stream that PMTs have not any more is gone after so long, ms */
#define NGX_MEDIA_TS_GONE          2000

/* programs of which PMTs are looked for, and how many of another one's show
   that there are none of the first: of streams that were cut out */
#define NGX_MEDIA_TS_CANDIDATES    4
#define NGX_MEDIA_TS_MAPS          3

/* lower ones are of tables */
#define NGX_MEDIA_TS_PID_FIRST     0x10

/* of a slot of sections: it was given out */
#define NGX_MEDIA_TS_SECTION_TOLD  1


static void ngx_media_ts_slot_close(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot);
static ngx_int_t ngx_media_ts_section_begin(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot);
static ngx_uint_t ngx_media_ts_section_append(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, const u_char *last);
static ngx_int_t ngx_media_ts_section_tell(ngx_media_ts_demux_t *d,
    const u_char *pos, const u_char *last, ngx_media_ts_event_t *ev);
static ngx_int_t ngx_media_ts_pat(ngx_media_ts_demux_t *d, const u_char *pos,
    const u_char *last);
static void ngx_media_ts_pat_put(ngx_media_ts_demux_t *d, ngx_uint_t section,
    ngx_uint_t number, ngx_uint_t pid);
static void ngx_media_ts_choose(ngx_media_ts_demux_t *d);
static ngx_media_ts_listed_t *ngx_media_ts_listed(ngx_media_ts_demux_t *d,
    ngx_uint_t number);
static ngx_int_t ngx_media_ts_pmt(ngx_media_ts_demux_t *d, const u_char *pos,
    const u_char *last, ngx_media_ts_event_t *ev);
static ngx_int_t ngx_media_ts_pmt_chosen(ngx_media_ts_demux_t *d,
    const ngx_media_ts_pmt_t *pmt);
static ngx_uint_t ngx_media_ts_pmt_list(ngx_media_ts_demux_t *d,
    ngx_media_ts_pmt_t *pmt, ngx_media_ts_stream_t *list);
static ngx_media_ts_stream_t *ngx_media_ts_find(ngx_media_ts_stream_t *list,
    ngx_uint_t n, ngx_uint_t pid);
static ngx_uint_t ngx_media_ts_same(const ngx_media_ts_stream_t *a,
    const ngx_media_ts_stream_t *b);
static ngx_int_t ngx_media_ts_leave(ngx_media_ts_demux_t *d,
    ngx_media_ts_stream_t *list, ngx_uint_t n, ngx_media_ts_event_t *ev);
static ngx_uint_t ngx_media_ts_drop(ngx_media_ts_demux_t *d,
    ngx_media_ts_stream_t *list, ngx_uint_t n);
static ngx_uint_t ngx_media_ts_expired(const ngx_media_ts_demux_t *d,
    ngx_uint_t i);
static ngx_uint_t ngx_media_ts_update(ngx_media_ts_demux_t *d,
    const ngx_media_ts_stream_t *stream);
static void ngx_media_ts_add(ngx_media_ts_demux_t *d, ngx_uint_t i,
    const ngx_media_ts_stream_t *stream);
static ngx_int_t ngx_media_ts_note(ngx_media_ts_demux_t *d,
    ngx_media_ts_event_t *ev);


ngx_media_ts_slot_t *
ngx_media_ts_slot_open(ngx_media_ts_demux_t *d, ngx_uint_t pid,
    ngx_media_ts_slot_e kind)
{
    ngx_uint_t            i, section;
    ngx_media_ts_slot_t  *slot;

    slot = ngx_media_ts_slot(d, pid);

    if (slot != NULL) {
        return slot->kind == kind ? slot : NULL;
    }

    section = 0;

    if (kind != NGX_MEDIA_TS_SLOT_PES) {

        while (d->taken[section]) {
            if (++section == NGX_MEDIA_TS_SECTIONS) {
                return NULL;
            }
        }
    }

    for (i = 0; i < NGX_MEDIA_TS_SLOTS; i++) {
        slot = &d->slots[i];

        if (slot->kind != NGX_MEDIA_TS_SLOT_FREE) {
            continue;
        }

        ngx_memzero(slot, sizeof(ngx_media_ts_slot_t));

        slot->kind = kind;
        slot->pid = (uint16_t) pid;
        slot->stream = NGX_MEDIA_TS_STREAMS;
        slot->section = (uint8_t) section;

        if (kind != NGX_MEDIA_TS_SLOT_PES) {
            d->taken[section] = 1;
        }

        d->map[pid] = (uint8_t) (i + 1);

        return slot;
    }

    return NULL;
}


static void
ngx_media_ts_slot_close(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot)
{
    if (slot->kind != NGX_MEDIA_TS_SLOT_PES) {
        d->taken[slot->section] = 0;
    }

    slot->kind = NGX_MEDIA_TS_SLOT_FREE;
    d->map[slot->pid] = 0;
}


/*
 * Sections stand one behind the other, 2.4.4.1, and go on in the next packet;
 * one that is whole in the payload is not copied.  One that has to be told
 * several times stays where it is until then.
 */

ngx_int_t
ngx_media_ts_sections(ngx_media_ts_demux_t *d, ngx_media_ts_event_t *ev)
{
    size_t                size;
    u_char               *buf;
    ngx_media_ts_slot_t  *slot;

    slot = d->slot;
    buf = d->sections[slot->section];

    ngx_media_ts_event(d, ev);

    if (slot->damaged) {
        slot->damaged = 0;
        slot->have = 0;
    }

    if (d->start) {
        d->start = 0;
        d->aligned = 0;

        if (ngx_media_ts_section_begin(d, slot) != NGX_OK) {
            d->stat.malformed++;
            return NGX_DONE;
        }
    }

    for ( ;; ) {

        if (slot->have >= 3 && slot->have == ngx_media_ts_section_size(buf)) {

            if (ngx_media_ts_section_tell(d, buf, buf + slot->have, ev)
                == NGX_OK)
            {
                return NGX_OK;
            }

            slot->have = 0;
        }

        if (slot->have != 0) {

            if (ngx_media_ts_section_append(d, slot, d->payload.last)) {
                continue;
            }

            return NGX_DONE;
        }

        if (!d->aligned || d->payload.pos == d->payload.last
            || d->payload.pos[0] == 0xff)
        {
            return NGX_DONE;
        }

        if (ngx_media_span_len(&d->payload) < 3) {
            (void) ngx_media_ts_section_append(d, slot, d->payload.last);
            return NGX_DONE;
        }

        size = ngx_media_ts_section_size(d->payload.pos);

        if (size == 0) {
            d->stat.sections++;
            return NGX_DONE;
        }

        if (ngx_media_span_len(&d->payload) < size) {
            (void) ngx_media_ts_section_append(d, slot, d->payload.last);
            return NGX_DONE;
        }

        if (ngx_media_ts_section_tell(d, d->payload.pos,
                                      d->payload.pos + size, ev)
            == NGX_OK)
        {
            return NGX_OK;
        }

        d->payload.pos += size;
    }
}


/* pointer_field, 2.4.4.2: the end of the last one stands before the next */

static ngx_int_t
ngx_media_ts_section_begin(ngx_media_ts_demux_t *d, ngx_media_ts_slot_t *slot)
{
    size_t         pointer;
    const u_char  *next;

    if (d->payload.pos == d->payload.last) {
        return NGX_ERROR;
    }

    pointer = *d->payload.pos++;

    if (pointer >= ngx_media_span_len(&d->payload)) {
        slot->have = 0;
        return NGX_ERROR;
    }

    next = d->payload.pos + pointer;

    if (slot->have != 0
        && !ngx_media_ts_section_append(d, slot, next))
    {
        slot->have = 0;
        d->stat.sections++;
    }

    d->payload.pos = next;
    d->aligned = 1;

    return NGX_OK;
}


/* up to last; is it whole? */

static ngx_uint_t
ngx_media_ts_section_append(ngx_media_ts_demux_t *d,
    ngx_media_ts_slot_t *slot, const u_char *last)
{
    size_t   n, size;
    u_char  *buf;

    buf = d->sections[slot->section];

    for ( ;; ) {
        size = slot->have < 3 ? 3 : ngx_media_ts_section_size(buf);

        if (size == 0) {
            slot->have = 0;
            d->aligned = 0;
            d->stat.sections++;
            return 0;
        }

        if (slot->have == size && size > 3) {
            return 1;
        }

        n = ngx_min(size - slot->have, (size_t) (last - d->payload.pos));

        if (n == 0) {
            return slot->have == size;
        }

        ngx_memcpy(buf + slot->have, d->payload.pos, n);

        slot->have += n;
        d->payload.pos += n;
    }
}


/* NGX_OK: ev, to be called again; NGX_DONE */

static ngx_int_t
ngx_media_ts_section_tell(ngx_media_ts_demux_t *d, const u_char *pos,
    const u_char *last, ngx_media_ts_event_t *ev)
{
    ngx_media_ts_slot_t  *slot;

    slot = d->slot;

    switch (slot->kind) {

    case NGX_MEDIA_TS_SLOT_PAT:
        return ngx_media_ts_pat(d, pos, last);

    case NGX_MEDIA_TS_SLOT_PMT:
        return ngx_media_ts_pmt(d, pos, last, ev);

    default:
        break;
    }

    if (slot->state == NGX_MEDIA_TS_SECTION_TOLD) {
        slot->state = 0;
        return NGX_DONE;
    }

    if (ngx_media_crc32_mpeg(pos, last) != 0) {
        d->stat.sections++;
        return NGX_DONE;
    }

    slot->state = NGX_MEDIA_TS_SECTION_TOLD;

    ev->type = NGX_MEDIA_TS_EVENT_SECTION;
    ev->stream = slot->stream;
    ev->data.pos = pos;
    ev->data.last = last;

    return NGX_OK;
}


/* a PAT may have several sections: each is the whole of what it lists */

static ngx_int_t
ngx_media_ts_pat(ngx_media_ts_demux_t *d, const u_char *pos,
    const u_char *last)
{
    ngx_int_t                rc;
    ngx_uint_t               i, n, number, pid, section;
    ngx_media_span_t         list, programs;
    ngx_media_ts_listed_t   *listed;

    rc = ngx_media_ts_pat_parse(&programs, pos, last);

    if (rc != NGX_OK) {
        d->stat.sections += (rc == NGX_ERROR);
        return NGX_DONE;
    }

    section = pos[6];
    n = 0;

    for (i = 0; i < d->nprograms; i++) {
        listed = &d->programs[i];

        if (listed->section > pos[7]) {
            continue;
        }

        if (listed->section == section) {
            list = programs;

            do {
                rc = ngx_media_ts_pat_next(&list, &number, &pid);
            } while (rc == NGX_OK && number != listed->number);

            if (rc != NGX_OK) {
                continue;
            }
        }

        d->programs[n++] = *listed;
    }

    d->nprograms = n;

    while (ngx_media_ts_pat_next(&programs, &number, &pid) == NGX_OK) {
        ngx_media_ts_pat_put(d, section, number, pid);
    }

    ngx_media_ts_choose(d);

    return NGX_DONE;
}


static void
ngx_media_ts_pat_put(ngx_media_ts_demux_t *d, ngx_uint_t section,
    ngx_uint_t number, ngx_uint_t pid)
{
    ngx_uint_t              i;
    ngx_media_ts_listed_t  *listed;

    listed = ngx_media_ts_listed(d, number);

    if (listed != NULL) {
        listed->pid = (uint16_t) pid;
        listed->section = (uint8_t) section;
        return;
    }

    if (d->nprograms == NGX_MEDIA_TS_PROGRAMS) {

        /* one that is asked for has its place */

        if (number != d->conf.program) {
            return;
        }

        d->nprograms--;
    }

    for (i = d->nprograms; i > 0; i--) {

        if (d->programs[i - 1].section <= section) {
            break;
        }

        d->programs[i] = d->programs[i - 1];
    }

    listed = &d->programs[i];

    listed->number = (uint16_t) number;
    listed->pid = (uint16_t) pid;
    listed->section = (uint8_t) section;
    listed->maps = 0;

    d->nprograms++;
}


/* the program, and the PIDs of PMTs that may be its */

static void
ngx_media_ts_choose(ngx_media_ts_demux_t *d)
{
    ngx_uint_t              i, k, number;
    ngx_media_ts_slot_t    *slot;
    ngx_media_ts_listed_t  *listed;

    number = d->conf.program ? d->conf.program : d->program;

    if (ngx_media_ts_listed(d, number) == NULL) {
        number = (d->conf.program == 0 && d->nprograms != 0)
                 ? d->programs[0].number : 0;
    }

    if (number != d->program) {
        d->program = number;
        d->mapped = 0;
    }

    for (i = 0; i < NGX_MEDIA_TS_SLOTS; i++) {
        slot = &d->slots[i];

        if (slot->kind != NGX_MEDIA_TS_SLOT_PMT) {
            continue;
        }

        for (k = 0; k < d->nprograms; k++) {
            listed = &d->programs[k];

            if (listed->pid == slot->pid
                && (listed->number == number
                    || (!d->mapped && k < NGX_MEDIA_TS_CANDIDATES)))
            {
                break;
            }
        }

        if (k == d->nprograms) {
            ngx_media_ts_slot_close(d, slot);
        }
    }

    for (k = 0; k < d->nprograms; k++) {
        listed = &d->programs[k];

        if (listed->number == number
            || (number != 0 && d->conf.program == 0 && !d->mapped
                && k < NGX_MEDIA_TS_CANDIDATES))
        {
            (void) ngx_media_ts_slot_open(d, listed->pid,
                                          NGX_MEDIA_TS_SLOT_PMT);
        }
    }
}


static ngx_media_ts_listed_t *
ngx_media_ts_listed(ngx_media_ts_demux_t *d, ngx_uint_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < d->nprograms; i++) {
        if (d->programs[i].number == number) {
            return &d->programs[i];
        }
    }

    return NULL;
}


/*
 * It is told in turns: what is open of streams that leave ends, then the list
 * is another one, then what is of no use in it.
 */

static ngx_int_t
ngx_media_ts_pmt(ngx_media_ts_demux_t *d, const u_char *pos,
    const u_char *last, ngx_media_ts_event_t *ev)
{
    ngx_int_t              rc;
    ngx_uint_t             changed, i, n;
    ngx_media_ts_pmt_t     pmt;
    ngx_media_ts_stream_t  list[NGX_MEDIA_TS_STREAMS];

    rc = ngx_media_ts_pmt_parse(&pmt, pos, last);

    if (rc != NGX_OK) {
        d->stat.sections += (rc == NGX_ERROR);
        return NGX_DONE;
    }

    if (ngx_media_ts_pmt_chosen(d, &pmt) != NGX_OK) {
        return NGX_DONE;
    }

    n = ngx_media_ts_pmt_list(d, &pmt, list);

    if (ngx_media_ts_leave(d, list, n, ev) == NGX_OK) {
        return NGX_OK;
    }

    d->pcr_pid = pmt.pcr_pid;

    changed = !d->mapped;
    changed |= ngx_media_ts_drop(d, list, n);

    for (i = 0; i < n; i++) {
        changed |= ngx_media_ts_update(d, &list[i]);
    }

    if (changed) {
        d->mapped = 1;
        ngx_media_ts_choose(d);

        ev->type = NGX_MEDIA_TS_EVENT_PROGRAM;
        return NGX_OK;
    }

    return ngx_media_ts_note(d, ev);
}


/* is it of the program that is read? */

static ngx_int_t
ngx_media_ts_pmt_chosen(ngx_media_ts_demux_t *d, const ngx_media_ts_pmt_t *pmt)
{
    ngx_media_ts_listed_t  *listed;

    listed = ngx_media_ts_listed(d, pmt->number);

    if (listed == NULL || listed->pid != d->slot->pid) {
        return NGX_DECLINED;
    }

    if (pmt->number == d->program) {
        return NGX_OK;
    }

    if (d->mapped || d->conf.program != 0) {
        return NGX_DECLINED;
    }

    if (++listed->maps < NGX_MEDIA_TS_MAPS) {
        return NGX_DECLINED;
    }

    d->program = pmt->number;

    return NGX_OK;
}


static ngx_uint_t
ngx_media_ts_pmt_list(ngx_media_ts_demux_t *d, ngx_media_ts_pmt_t *pmt,
    ngx_media_ts_stream_t *list)
{
    ngx_int_t              rc;
    ngx_uint_t             n;
    ngx_media_ts_stream_t  stream;

    n = 0;

    for ( ;; ) {
        rc = ngx_media_ts_pmt_next(pmt, &stream);

        if (rc != NGX_OK) {
            d->stat.sections += (rc == NGX_ERROR);
            return n;
        }

        if (n == NGX_MEDIA_TS_STREAMS) {
            d->stat.sections++;
            return n;
        }

        if (stream.pid < NGX_MEDIA_TS_PID_FIRST
            || stream.pid == NGX_MEDIA_TS_PID_NULL
            || ngx_media_ts_find(list, n, stream.pid) != NULL)
        {
            continue;
        }

        stream.order = (uint8_t) n;
        list[n++] = stream;
    }
}


static ngx_media_ts_stream_t *
ngx_media_ts_find(ngx_media_ts_stream_t *list, ngx_uint_t n, ngx_uint_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (list[i].pid == pid) {
            return &list[i];
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_media_ts_same(const ngx_media_ts_stream_t *a,
    const ngx_media_ts_stream_t *b)
{
    return a->as == b->as && a->codec == b->codec
           && (a->as != NGX_MEDIA_TS_AS_NONE
               || a->stream_type == b->stream_type);
}


/* streams that are not any more: what is open of them ends before */

static ngx_int_t
ngx_media_ts_leave(ngx_media_ts_demux_t *d, ngx_media_ts_stream_t *list,
    ngx_uint_t n, ngx_media_ts_event_t *ev)
{
    ngx_uint_t              i;
    ngx_media_ts_slot_t    *slot;
    ngx_media_ts_stream_t  *found, *stream;

    for (i = 0; i < NGX_MEDIA_TS_SLOTS; i++) {
        slot = &d->slots[i];

        if (slot->kind != NGX_MEDIA_TS_SLOT_PES
            || slot->state != NGX_MEDIA_TS_PES_BODY)
        {
            continue;
        }

        stream = &d->streams[slot->stream];
        found = ngx_media_ts_find(list, n, slot->pid);

        if (found ? ngx_media_ts_same(stream, found)
                  : !ngx_media_ts_expired(d, slot->stream))
        {
            continue;
        }

        slot->state = NGX_MEDIA_TS_PES_IDLE;

        ev->type = NGX_MEDIA_TS_EVENT_END;
        ev->pid = slot->pid;
        ev->stream = slot->stream;
        ev->damaged = slot->damaged || slot->bounded;

        return NGX_OK;
    }

    return NGX_DONE;
}


/* those of before that are not in the list; has anything changed? */

static ngx_uint_t
ngx_media_ts_drop(ngx_media_ts_demux_t *d, ngx_media_ts_stream_t *list,
    ngx_uint_t n)
{
    ngx_uint_t              changed, i;
    ngx_media_ts_slot_t    *slot;
    ngx_media_ts_stream_t  *found, *stream;

    changed = 0;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        stream = &d->streams[i];

        if (!stream->used) {
            continue;
        }

        found = ngx_media_ts_find(list, n, stream->pid);

        if (found != NULL && ngx_media_ts_same(stream, found)) {
            changed |= stream->gone;
            stream->gone = 0;
            continue;
        }

        changed |= !stream->gone;

        if (!stream->gone) {
            stream->gone = 1;
            d->missing[i] = d->now;
        }

        if (found == NULL && !ngx_media_ts_expired(d, i)) {
            continue;
        }

        slot = ngx_media_ts_slot(d, stream->pid);

        if (slot != NULL && slot->stream == i) {
            ngx_media_ts_slot_close(d, slot);
        }

        stream->used = 0;
        changed = 1;
    }

    return changed;
}


static ngx_uint_t
ngx_media_ts_expired(const ngx_media_ts_demux_t *d, ngx_uint_t i)
{
    return d->streams[i].gone && d->now - d->missing[i] >= NGX_MEDIA_TS_GONE;
}


/* one that is in the list; is it new, or said otherwise? */

static ngx_uint_t
ngx_media_ts_update(ngx_media_ts_demux_t *d,
    const ngx_media_ts_stream_t *stream)
{
    ngx_uint_t              changed, i, place;
    ngx_media_ts_stream_t  *old;

    place = NGX_MEDIA_TS_STREAMS;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        old = &d->streams[i];

        if (!old->used) {
            if (place == NGX_MEDIA_TS_STREAMS) {
                place = i;
            }

            continue;
        }

        if (old->pid != stream->pid) {
            continue;
        }

        changed = old->audio_type != stream->audio_type
                  || old->channels != stream->channels
                  || ngx_memcmp(old->language, stream->language,
                                sizeof(old->language)) != 0;

        old->audio_type = stream->audio_type;
        old->channels = stream->channels;
        old->order = stream->order;
        old->registration = stream->registration;
        old->stream_type = stream->stream_type;
        ngx_memcpy(old->language, stream->language, sizeof(old->language));

        return changed;
    }

    if (place == NGX_MEDIA_TS_STREAMS) {
        return 0;
    }

    ngx_media_ts_add(d, place, stream);

    return 1;
}


static void
ngx_media_ts_add(ngx_media_ts_demux_t *d, ngx_uint_t i,
    const ngx_media_ts_stream_t *stream)
{
    ngx_media_ts_slot_t    *slot;
    ngx_media_ts_slot_e     kind;
    ngx_media_ts_stream_t  *new;

    new = &d->streams[i];

    *new = *stream;
    new->serial = ++d->serial;
    new->used = 1;

    if (new->as == NGX_MEDIA_TS_AS_NONE) {
        return;
    }

    kind = (new->as == NGX_MEDIA_TS_AS_SCTE35) ? NGX_MEDIA_TS_SLOT_SECTION
                                               : NGX_MEDIA_TS_SLOT_PES;
    slot = ngx_media_ts_slot_open(d, new->pid, kind);

    if (slot != NULL) {
        slot->stream = (uint8_t) i;
    }
}


static ngx_int_t
ngx_media_ts_note(ngx_media_ts_demux_t *d, ngx_media_ts_event_t *ev)
{
    ngx_uint_t              i;
    ngx_media_ts_slot_t    *slot;
    ngx_media_ts_stream_t  *stream;

    for (i = 0; i < NGX_MEDIA_TS_STREAMS; i++) {
        stream = &d->streams[i];

        if (!stream->used || stream->noted) {
            continue;
        }

        slot = ngx_media_ts_slot(d, stream->pid);

        if (slot != NULL && slot->stream == i) {
            continue;
        }

        stream->noted = 1;

        ev->type = NGX_MEDIA_TS_EVENT_NOTE;
        ev->pid = stream->pid;
        ev->stream = i;
        ev->why = (stream->as == NGX_MEDIA_TS_AS_NONE)
                  ? "unknown stream type" : "too many of its kind";

        return NGX_OK;
    }

    return NGX_DONE;
}
