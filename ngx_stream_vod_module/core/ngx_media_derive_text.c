
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Derived tracks of text.  Their segments begin and end with the source's, at
 * once: text that comes later than that is put where it still can be.  Where
 * nothing was said there is an empty sample (ISO/IEC 14496-30, 7.5), so samples
 * follow one another from one cut to the next: what is a gap is lost.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_derive_state.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_wvtt.h"


static int64_t ngx_media_derived_text_end(const ngx_media_derived_t *d);
static void ngx_media_derived_text_put(ngx_media_derived_t *d, int64_t time,
    int64_t end, const u_char *pos, size_t len);
static void ngx_media_derived_text_empty(ngx_media_derived_t *d,
    int64_t end);
static void ngx_media_derived_text_keep(ngx_media_derived_t *d);


void
ngx_media_derived_text_begin(ngx_media_derived_t *d,
    const ngx_media_start_t *start)
{
    int64_t                    time;
    ngx_media_packer_frame_t   first;

    ngx_memzero(&first, sizeof(ngx_media_packer_frame_t));

    time = ngx_media_rescale(start->time, start->timescale,
                             d->packer.timescale);

    first.dts = time;
    first.pts = time;
    first.key = 1;

    if (ngx_media_derived_begin(d, start->number, &first) == NGX_OK
        && d->rest && d->rest_until > d->packer.segment.time)
    {
        ngx_media_derived_text_put(d, d->packer.segment.time, d->rest_until,
                                   d->rest, d->rest_len);
    }

    if (d->rest) {
        ngx_free(d->rest);
        d->rest = NULL;
    }
}


void
ngx_media_derived_text_close(ngx_media_derived_t *d, int64_t end)
{
    ngx_media_packer_t  *p;

    p = &d->packer;

    if (!p->open) {
        return;
    }

    if (p->nsamples && ngx_media_derived_text_end(d) > end) {
        ngx_media_derived_text_keep(d);
        ngx_media_packer_settle(p, ngx_max(end, p->dts + 1));

    } else {
        ngx_media_derived_text_empty(d, end);
    }

    ngx_media_derived_flush(d, "cut", 1);
    ngx_media_derived_close_segment(d);
}


ngx_int_t
ngx_media_derived_text_frame(ngx_media_derived_t *d,
    const ngx_media_packer_frame_t *frame)
{
    size_t               len;
    int64_t              end, head, time;
    ngx_media_packer_t  *p, *source;

    p = &d->packer;
    source = &d->source->packer;
    len = frame->last - frame->pos;

    if (!p->open) {
        p->count.dropped_key++;
        return NGX_OK;
    }

    /* text is not ahead of what it is about */

    head = ngx_media_rescale(source->dts, source->timescale, p->timescale);
    end = frame->dts + (int64_t) frame->duration;

    time = ngx_max(ngx_min(frame->dts, head), ngx_media_derived_text_end(d));

    if (end <= time) {
        p->count.dropped_late++;
        return NGX_OK;
    }

    if (len > NGX_MEDIA_PART_BYTES - p->size
        || p->nsamples + 2 >= NGX_MEDIA_PART_SAMPLES)
    {
        ngx_media_derived_flush(d, "full", 0);
    }

    if (len > NGX_MEDIA_PART_BYTES - p->size
        || p->nsamples + 2 >= NGX_MEDIA_PART_SAMPLES)
    {
        p->count.dropped_nomem++;
        return NGX_OK;
    }

    ngx_media_derived_text_empty(d, time);
    ngx_media_derived_text_put(d, time, end, frame->pos, len);

    return d->writer->lost ? NGX_DECLINED : NGX_OK;
}


/* up to where there is something in the segment that is open */

static int64_t
ngx_media_derived_text_end(const ngx_media_derived_t *d)
{
    const ngx_media_packer_t  *p;

    p = &d->packer;

    if (p->nsamples) {
        return p->dts + (int64_t) p->samples[p->nsamples - 1].duration;
    }

    return p->nparts ? d->end : p->segment.time;
}


static void
ngx_media_derived_text_put(ngx_media_derived_t *d, int64_t time, int64_t end,
    const u_char *pos, size_t len)
{
    ngx_media_packer_t        *p;
    ngx_media_packer_frame_t   out;

    p = &d->packer;

    ngx_media_packer_settle(p, time);

    ngx_memzero(&out, sizeof(ngx_media_packer_frame_t));

    out.dts = time;
    out.pts = time;
    out.duration = end - time;
    out.pos = pos;
    out.last = pos + len;
    out.key = 1;

    if (ngx_media_packer_frame(p, &out) != NGX_OK) {
        p->count.dropped_nomem++;
    }
}


static void
ngx_media_derived_text_empty(ngx_media_derived_t *d, int64_t end)
{
    u_char   *last;
    u_char    empty[NGX_MEDIA_WVTT_EMPTY_SIZE];
    int64_t   time;

    time = ngx_media_derived_text_end(d);

    if (time >= end) {
        return;
    }

    last = ngx_media_put_be32(empty, NGX_MEDIA_WVTT_EMPTY_SIZE);
    (void) ngx_media_put_be32(last, NGX_MEDIA_WVTT_VTTE);

    ngx_media_derived_text_put(d, time, end, empty, sizeof(empty));
}


/* the last sample goes on showing behind the cut */

static void
ngx_media_derived_text_keep(ngx_media_derived_t *d)
{
    u_char              *p;
    ngx_media_packer_t  *packer;
    ngx_media_sample_t  *sample;

    packer = &d->packer;
    sample = &packer->samples[packer->nsamples - 1];

    p = ngx_alloc(sample->size, packer->log);
    if (p == NULL) {
        return;
    }

    ngx_memcpy(p, packer->payload + packer->size - sample->size,
               sample->size);

    d->rest = p;
    d->rest_len = sample->size;
    d->rest_until = ngx_media_derived_text_end(d);
}
