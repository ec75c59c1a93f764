
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_plan.h"


/* where a segment may begin */

typedef struct {
    int64_t                   pts;
    int64_t                   dts;
    uint32_t                  sample;
    uint32_t                  description;
    uint64_t                  bytes;          /* of all samples before */
} ngx_media_plan_point_t;


typedef struct {
    ngx_media_plan_t         *plan;           /* NULL: counting */
    size_t                    size;           /* that it was said to have */
    ngx_media_plan_t          total;
    ngx_media_plan_run_t      run;            /* not written yet */

    ngx_media_fill_reader_t   reader;
    uint32_t                  end;            /* of the samples */
    int64_t                   origin;
    ngx_uint_t                nearest;        /* video */
    ngx_uint_t                clock;          /* it decides for all */

    ngx_media_plan_point_t    cut;            /* the last one */
    uint32_t                  merged;         /* segments that the one from
                                                 there on includes */
    ngx_media_plan_point_t    before;         /* the last key frame, */
    ngx_media_plan_point_t    after;          /* and the one after it; at the
                                                 end of the track its end */
    uint64_t                  bytes;          /* of what was read */
    ngx_uint_t                done;           /* after is the end */
} ngx_media_plan_make_t;


static ngx_int_t ngx_media_plan_init(ngx_media_plan_make_t *make,
    ngx_media_plan_t *plan, size_t size, const ngx_media_index_t *index,
    const ngx_media_plan_range_t *range, const ngx_media_fill_t *fill,
    uint32_t type);
static ngx_int_t ngx_media_plan_first(ngx_media_plan_range_t *range,
    const ngx_media_index_t *index, ngx_media_index_reader_t *reader,
    uint32_t type, int64_t from);
static ngx_int_t ngx_media_plan_limit(ngx_media_plan_range_t *range,
    const ngx_media_index_t *index, ngx_media_index_reader_t *reader,
    int64_t to);
static ngx_int_t ngx_media_plan_clock(ngx_media_plan_make_t *make,
    ngx_msec_t target);
static ngx_int_t ngx_media_plan_tail(ngx_media_plan_make_t *make,
    ngx_msec_t target, int64_t until);
static ngx_int_t ngx_media_plan_times(ngx_media_plan_make_t *make,
    const ngx_media_plan_t *clock);
static ngx_int_t ngx_media_plan_reach(ngx_media_plan_make_t *make,
    int64_t time);
static ngx_int_t ngx_media_plan_next(ngx_media_plan_make_t *make);
static ngx_media_plan_point_t *ngx_media_plan_choose(
    ngx_media_plan_make_t *make, int64_t time);
static ngx_int_t ngx_media_plan_cut(ngx_media_plan_make_t *make,
    const ngx_media_plan_point_t *point);
static ngx_int_t ngx_media_plan_add(ngx_media_plan_make_t *make,
    const ngx_media_plan_segment_t *segment, uint64_t bytes);
static ngx_int_t ngx_media_plan_flush(ngx_media_plan_make_t *make);
static ngx_int_t ngx_media_plan_finish(ngx_media_plan_make_t *make,
    size_t *size);


/* hostile times wrap, as unsigned numbers do */

static ngx_inline int64_t
ngx_media_plan_difference(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a - (uint64_t) b);
}


ngx_int_t
ngx_media_plan_make(ngx_media_plan_t *plan, size_t *size,
    const ngx_media_index_t *index, const ngx_media_plan_range_t *range,
    const ngx_media_fill_t *fill, uint32_t type, ngx_msec_t target,
    int64_t until)
{
    ngx_int_t              rc;
    ngx_media_plan_make_t  make;

    rc = ngx_media_plan_init(&make, plan, *size, index, range, fill, type);

    make.clock = 1;

    if (rc == NGX_OK) {
        rc = ngx_media_plan_clock(&make, target);
    }

    if (rc == NGX_OK) {
        rc = ngx_media_plan_tail(&make, target, until);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_media_plan_finish(&make, size);
}


ngx_int_t
ngx_media_plan_follow(ngx_media_plan_t *plan, size_t *size,
    const ngx_media_index_t *index, const ngx_media_plan_range_t *range,
    const ngx_media_fill_t *fill, uint32_t type,
    const ngx_media_plan_t *clock)
{
    ngx_int_t              rc;
    ngx_media_plan_make_t  make;

    rc = ngx_media_plan_init(&make, plan, *size, index, range, fill, type);

    if (rc == NGX_OK) {
        rc = ngx_media_plan_times(&make, clock);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_media_plan_finish(&make, size);
}


static ngx_int_t
ngx_media_plan_init(ngx_media_plan_make_t *make, ngx_media_plan_t *plan,
    size_t size, const ngx_media_index_t *index,
    const ngx_media_plan_range_t *range, const ngx_media_fill_t *fill,
    uint32_t type)
{
    uint32_t   first;
    ngx_int_t  rc;

    ngx_memzero(make, sizeof(ngx_media_plan_make_t));

    make->plan = plan;
    make->size = size;
    make->end = (range ? range->end : index->end)
                + ngx_media_fill_silent(fill);
    make->origin = range ? range->origin : 0;
    make->nearest = (type == NGX_MEDIA_VIDEO);
    make->total.timescale = index->timescale;
    make->total.origin = make->origin;

    first = range ? range->first : index->first;

    ngx_media_fill_open(&make->reader, index, fill);

    rc = ngx_media_fill_seek(&make->reader, first);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    make->after.sample = first;

    /* what comes first is the first segment, whatever it is */

    rc = ngx_media_plan_next(make);

    make->cut = make->after;
    make->before = make->after;
    make->total.start = make->after.dts;

    return rc;
}


static ngx_int_t
ngx_media_plan_clock(ngx_media_plan_make_t *make, ngx_msec_t target)
{
    int64_t                  before, time;
    uint64_t                 k;
    ngx_int_t                rc;
    uint32_t                 timescale;
    ngx_media_plan_point_t  *point;

    timescale = make->total.timescale;

    /* multiples count from what comes first, if that is before the begin */

    before = (make->cut.pts < 0) ? ngx_media_plan_difference(0, make->cut.pts)
                                 : 0;

    for (k = 1; !make->done; k++) {

        time = ngx_media_plan_rescale((int64_t) (k * target), 1000, timescale);
        time = ngx_media_plan_difference(time, before);

        if (time <= make->cut.pts) {

            /* the first multiple after the last cut */

            time = (int64_t) ((uint64_t) make->cut.pts + (uint64_t) before);

            k = (uint64_t) (time / timescale * 1000
                            + time % timescale * 1000 / timescale)
                / target;
            continue;
        }

        rc = ngx_media_plan_reach(make, time);

        if (rc != NGX_OK) {
            return rc;
        }

        point = ngx_media_plan_choose(make, time);

        if (point->sample > make->cut.sample && point->sample < make->end) {
            rc = ngx_media_plan_cut(make, point);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    return NGX_OK;
}


/* the last segment of the clock, and then those that it has nothing in */

static ngx_int_t
ngx_media_plan_tail(ngx_media_plan_make_t *make, ngx_msec_t target,
    int64_t until)
{
    int64_t                    end, step;
    ngx_int_t                  rc;
    ngx_media_plan_segment_t   segment;

    rc = ngx_media_plan_cut(make, &make->after);

    if (rc != NGX_OK) {
        return rc;
    }

    step = ngx_media_plan_rescale((int64_t) target, 1000,
                                  make->total.timescale);
    end = make->total.end;

    /* less than a quarter goes with the last one */

    ngx_memzero(&segment, sizeof(ngx_media_plan_segment_t));

    segment.sample = make->end;
    segment.duration = step;

    while (until - end > step / 4) {
        segment.time = end;

        rc = ngx_media_plan_add(make, &segment, 0);

        if (rc != NGX_OK) {
            return rc;
        }

        end += step;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_plan_times(ngx_media_plan_make_t *make,
    const ngx_media_plan_t *clock)
{
    int64_t                      time;
    uint32_t                     n;
    uint64_t                     apart;
    ngx_int_t                    rc;
    ngx_media_plan_point_t      *point, there;
    ngx_media_plan_segment_t     segment;

    for (n = 1; n < clock->nsegments; n++) {

        (void) ngx_media_plan_segment(clock, n, &segment);

        time = ngx_media_plan_rescale(segment.time, clock->timescale,
                                      make->total.timescale);

        rc = ngx_media_plan_reach(make, time);

        if (rc != NGX_OK) {
            return rc;
        }

        point = ngx_media_plan_choose(make, time);

        if (point->sample <= make->cut.sample && time > make->cut.pts) {

            /* no key frame: the last segment goes on */

            make->merged++;
            continue;
        }

        if (make->nearest && point->sample > make->cut.sample
            && point->sample < make->end)
        {
            apart = (point->pts > time) ? (uint64_t) point->pts - time
                                        : (uint64_t) time - point->pts;
            make->total.apart = ngx_max(make->total.apart, apart);
        }

        there = (point->sample > make->cut.sample) ? *point : make->cut;

        rc = ngx_media_plan_cut(make, &there);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    while (!make->done) {
        rc = ngx_media_plan_next(make);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_media_plan_cut(make, &make->after);
}


/* reads until the next point is not before this time */

static ngx_int_t
ngx_media_plan_reach(ngx_media_plan_make_t *make, int64_t time)
{
    ngx_int_t  rc;

    while (make->after.pts < time && !make->done) {
        make->before = make->after;

        rc = ngx_media_plan_next(make);

        /* a segment has one init segment, so another one begins */

        if (rc == NGX_OK && make->clock && !make->done
            && make->after.description != make->before.description)
        {
            rc = ngx_media_plan_cut(make, &make->after);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* the next key frame, or the end */

static ngx_int_t
ngx_media_plan_next(ngx_media_plan_make_t *make)
{
    ngx_int_t                  rc;
    uint32_t                   number;
    ngx_media_index_sample_t   sample;

    for ( ;; ) {
        number = make->reader.number;

        if (number >= make->end) {
            break;
        }

        rc = ngx_media_fill_next(&make->reader, &sample);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        make->bytes += sample.size;
        sample.dts = ngx_media_plan_difference(sample.dts, make->origin);
        make->total.end = sample.dts + (int64_t) sample.duration;

        /* the first one need not be a key frame */

        if (sample.key || number == make->after.sample) {
            make->after.pts = sample.dts + sample.cto;
            make->after.dts = sample.dts;
            make->after.sample = number;
            make->after.description = sample.description;
            make->after.bytes = make->bytes - sample.size;

            return NGX_OK;
        }
    }

    make->done = 1;
    make->after.pts = make->total.end;
    make->after.dts = make->total.end;
    make->after.sample = make->end;
    make->after.bytes = make->bytes;

    return NGX_OK;
}


static ngx_media_plan_point_t *
ngx_media_plan_choose(ngx_media_plan_make_t *make, int64_t time)
{
    if (!make->nearest || make->after.pts - time <= time - make->before.pts) {
        return &make->after;
    }

    return &make->before;
}


/* ends the segment that began at the last cut */

static ngx_int_t
ngx_media_plan_cut(ngx_media_plan_make_t *make,
    const ngx_media_plan_point_t *point)
{
    ngx_int_t                  rc;
    ngx_media_plan_segment_t   segment;

    segment.time = make->cut.dts;
    segment.duration = (uint64_t) point->dts - (uint64_t) make->cut.dts;
    segment.sample = make->cut.sample;
    segment.samples = point->sample - make->cut.sample;

    rc = ngx_media_plan_add(make, &segment, point->bytes - make->cut.bytes);

    make->cut = *point;

    segment.time = point->dts;
    segment.duration = 0;
    segment.sample = point->sample;
    segment.samples = 0;

    while (make->merged && rc == NGX_OK) {
        make->merged--;
        rc = ngx_media_plan_add(make, &segment, 0);
    }

    return rc;
}


static ngx_int_t
ngx_media_plan_add(ngx_media_plan_make_t *make,
    const ngx_media_plan_segment_t *segment, uint64_t bytes)
{
    double                 rate;
    ngx_media_plan_t      *total;
    ngx_media_plan_run_t  *run;

    run = &make->run;
    total = &make->total;

    if (total->nsegments == NGX_MEDIA_PLAN_SEGMENTS_MAX) {
        return NGX_DECLINED;
    }

    if (run->count == 0
        || run->samples != segment->samples
        || run->duration != segment->duration
        || (uint64_t) run->time + run->count * run->duration
           != (uint64_t) segment->time)
    {
        if (ngx_media_plan_flush(make) != NGX_OK) {
            return NGX_ERROR;
        }

        run->time = segment->time;
        run->duration = segment->duration;
        run->segment = total->nsegments;
        run->sample = segment->sample;
        run->samples = segment->samples;
    }

    run->count++;
    total->nsegments++;
    total->bytes += bytes;

    if (segment->samples == 0) {
        total->nempty++;
        return NGX_OK;
    }

    total->last = total->nsegments;
    total->longest = ngx_max(total->longest, segment->duration);

    if (segment->duration) {
        rate = (double) bytes * 8 * total->timescale / segment->duration;

        if (rate > total->peak && rate < 1e18) {
            total->peak = (uint64_t) rate;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_plan_flush(ngx_media_plan_make_t *make)
{
    size_t                 size;
    ngx_media_plan_run_t  *runs;

    if (make->run.count == 0) {
        return NGX_OK;
    }

    if (make->plan != NULL) {
        size = sizeof(ngx_media_plan_t)
               + (make->total.nruns + 1) * sizeof(ngx_media_plan_run_t);

        if (size > make->size) {
            return NGX_ERROR;
        }

        runs = (ngx_media_plan_run_t *) (make->plan + 1);
        runs[make->total.nruns] = make->run;
    }

    make->total.nruns++;
    make->run.count = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_media_plan_finish(ngx_media_plan_make_t *make, size_t *size)
{
    if (ngx_media_plan_flush(make) != NGX_OK) {
        return NGX_ERROR;
    }

    *size = sizeof(ngx_media_plan_t)
            + make->total.nruns * sizeof(ngx_media_plan_run_t);

    make->total.size = (uint32_t) *size;

    if (make->plan != NULL) {
        *make->plan = make->total;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_plan_range(ngx_media_plan_range_t *range,
    const ngx_media_index_t *index, uint32_t type, int64_t from, int64_t to)
{
    ngx_media_index_reader_t  reader;

    ngx_media_index_open(&reader, index);

    range->first = index->first;
    range->end = index->end;
    range->origin = from;

    if (ngx_media_plan_first(range, index, &reader, type, from) != NGX_OK
        || ngx_media_plan_limit(range, index, &reader, to) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (range->end < range->first) {
        range->end = range->first;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_plan_first(ngx_media_plan_range_t *range,
    const ngx_media_index_t *index, ngx_media_index_reader_t *reader,
    uint32_t type, int64_t from)
{
    int64_t                    cto;
    uint32_t                   number;
    ngx_int_t                  rc;
    ngx_media_index_sample_t   sample;

    if (type == NGX_MEDIA_VIDEO) {
        rc = ngx_media_index_seek_key(reader, from);

        if (rc == NGX_OK && reader->number > range->first) {
            range->first = reader->number;
        }

        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
    }

    /* no sample before has a pts that is so late; the last one may go on */

    cto = ngx_media_plan_difference(index->max_cto, index->delay);
    rc = ngx_media_index_seek_time(reader,
                                   ngx_media_plan_difference(from, cto));

    if (rc != NGX_ERROR) {
        number = ngx_max(reader->number, 1) - 1;
        rc = ngx_media_index_seek(reader, ngx_max(number, range->first));
    }

    while (rc == NGX_OK) {
        number = reader->number;

        if (number >= range->end) {
            break;
        }

        rc = ngx_media_index_next(reader, &sample);

        if (rc == NGX_OK
            && (ngx_media_plan_difference(from, sample.cto) <= sample.dts
                || ngx_media_index_covers(index, &sample, from)))
        {
            range->first = number;
            return NGX_OK;
        }
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    range->first = range->end;

    return NGX_OK;
}


/* after the last sample, in decode order, that is shown before the limit */

static ngx_int_t
ngx_media_plan_limit(ngx_media_plan_range_t *range,
    const ngx_media_index_t *index, ngx_media_index_reader_t *reader,
    int64_t to)
{
    int64_t                    cto;
    uint32_t                   end;
    ngx_int_t                  rc;
    ngx_media_index_sample_t   sample;

    if (to == INT64_MAX) {
        return NGX_OK;
    }

    cto = ngx_media_plan_difference(index->max_cto, index->delay);
    rc = ngx_media_index_seek_time(reader, ngx_media_plan_difference(to, cto));

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    end = reader->number;
    cto = ngx_media_plan_difference(index->min_cto, index->delay);

    while (rc == NGX_OK && reader->number < range->end) {
        rc = ngx_media_index_next(reader, &sample);

        if (rc != NGX_OK
            || sample.dts >= ngx_media_plan_difference(to, cto))
        {
            break;
        }

        if (sample.dts < ngx_media_plan_difference(to, sample.cto)) {
            end = reader->number;
        }
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    range->end = ngx_min(range->end, end);

    return NGX_OK;
}


ngx_int_t
ngx_media_plan_end(const ngx_media_index_t *index,
    const ngx_media_plan_range_t *range, int64_t *end)
{
    uint32_t                  first, last;
    ngx_media_index_sample_t  sample;

    first = range ? range->first : index->first;
    last = range ? range->end : index->end;

    if (first >= last) {
        return NGX_DONE;
    }

    if (ngx_media_index_sample(index, last - 1, &sample) != NGX_OK) {
        return NGX_ERROR;
    }

    *end = ngx_media_plan_difference(sample.dts + (int64_t) sample.duration,
                                     range ? range->origin : 0);

    return NGX_OK;
}


ngx_int_t
ngx_media_plan_segment(const ngx_media_plan_t *plan, uint32_t n,
    ngx_media_plan_segment_t *segment)
{
    uint32_t                     high, low, middle;
    const ngx_media_plan_run_t  *runs;

    if (n >= plan->nsegments) {
        return NGX_DONE;
    }

    runs = (const ngx_media_plan_run_t *) (plan + 1);

    low = 0;
    high = plan->nruns;

    while (high - low > 1) {
        middle = low + (high - low) / 2;

        if (runs[middle].segment <= n) {
            low = middle;

        } else {
            high = middle;
        }
    }

    n -= runs[low].segment;

    segment->time = (int64_t) ((uint64_t) runs[low].time
                               + n * runs[low].duration);
    segment->duration = runs[low].duration;
    segment->sample = runs[low].sample + n * runs[low].samples;
    segment->samples = runs[low].samples;

    return NGX_OK;
}


int64_t
ngx_media_plan_rescale(int64_t value, uint32_t from, uint32_t to)
{
    int64_t   rest;
    uint64_t  product, up;

    /* the remainder has the sign of the value; its product has 64 bits */

    rest = value % from;

    if (rest < 0) {
        product = (uint64_t) -rest * to;
        up = -(product / from);

    } else {
        product = (uint64_t) rest * to;
        up = product / from + (product % from > 0);
    }

    return (int64_t) ((uint64_t) (value / from) * to + up);
}
