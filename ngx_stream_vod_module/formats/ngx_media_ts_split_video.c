
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Access units of H.264 (ISO/IEC 14496-10, 7.4.1.2.3) and HEVC (23008-2,
 * 7.4.2.4.4): a new one begins with a delimiter, or with the first slice of
 * another picture and what stands before that: parameter sets, SEI.
 *
 * Whether a unit is whole is known when the next one begins.  That would be a
 * frame late, so where PES packets have begun with units before, it is taken
 * as whole when its PES packet is; if the next one goes on with it after all,
 * units wait from then on.
 */


#include "formats/ngx_media_h264.h"
#include "formats/ngx_media_h265.h"
#include "formats/ngx_media_nal.h"
#include "formats/ngx_media_ts_split_state.h"


/* PES packets that begin with units, in a row, before they are relied on: at
   first, and where that was wrong */
#define NGX_MEDIA_TS_ALIGNED    2
#define NGX_MEDIA_TS_REALIGNED  250

/* bytes of a slice in which its header is, and of a start code */
#define NGX_MEDIA_TS_SLICE      32
#define NGX_MEDIA_TS_CODE       3

/* what a unit lasts if nothing says it, and at most, 90 kHz */
#define NGX_MEDIA_TS_SPAN       3600
#define NGX_MEDIA_TS_SPAN_MAX   (10 * 90000)

/* pictures that may be shown behind one that is decoded later: as many as
   decoders keep; stamps that go back farther, and by so much, are of another
   time */
#define NGX_MEDIA_TS_REORDER    16
#define NGX_MEDIA_TS_BACK       90000

/* NAL units of H.264 that begin an access unit, beside those of its header;
   SEI of HEVC and those that are reserved alike, table 7-1 */
#define NGX_MEDIA_TS_H264_PREFIX    14
#define NGX_MEDIA_TS_H264_RESERVED  18
#define NGX_MEDIA_TS_H265_RSV       41
#define NGX_MEDIA_TS_H265_RSV_LAST  44
#define NGX_MEDIA_TS_H265_UNSPEC    48
#define NGX_MEDIA_TS_H265_UNSPEC_LAST  55
#define NGX_MEDIA_TS_H265_AUD       35


/* what a NAL unit is to access units */

typedef enum {
    NGX_MEDIA_TS_NAL_OTHER = 0,               /* a part of the one before */
    NGX_MEDIA_TS_NAL_AUD,
    NGX_MEDIA_TS_NAL_HEAD,                    /* of one to come */
    NGX_MEDIA_TS_NAL_FIRST,                   /* first slice of a picture */
    NGX_MEDIA_TS_NAL_FIELD,                   /* of the second field */
    NGX_MEDIA_TS_NAL_SLICE                    /* another slice */
} ngx_media_ts_nal_e;


static ngx_int_t ngx_media_ts_video_scan(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, size_t *end);
static ngx_int_t ngx_media_ts_video_nal(ngx_media_ts_split_t *s,
    ngx_media_ts_nal_e nal, size_t at, size_t *end);
static size_t ngx_media_ts_video_place(ngx_media_ts_split_t *s,
    const ngx_media_span_t *in, const u_char *code);
static void ngx_media_ts_video_align(ngx_media_ts_split_t *s, size_t at,
    ngx_media_ts_nal_e nal);
static ngx_uint_t ngx_media_ts_video_whole(const ngx_media_ts_split_t *s);
static ngx_int_t ngx_media_ts_video_end(ngx_media_ts_split_t *s,
    ngx_media_span_t *in, size_t end, ngx_media_ts_split_frame_t *frame);
static ngx_media_ts_nal_e ngx_media_ts_video_h264(ngx_media_ts_split_t *s,
    const u_char *pos, const u_char *last);
static void ngx_media_ts_video_sps(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last);
static void ngx_media_ts_video_pps(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last);
static ngx_media_ts_nal_e ngx_media_ts_video_slice(ngx_media_ts_split_t *s,
    const u_char *pos, const u_char *last);
static void ngx_media_ts_video_picture(const ngx_media_ts_video_t *v,
    ngx_media_ts_picture_t *pic, const u_char *pos, const u_char *last);
static ngx_uint_t ngx_media_ts_video_another(const ngx_media_ts_picture_t *a,
    const ngx_media_ts_picture_t *b);
static ngx_media_ts_nal_e ngx_media_ts_video_h265(ngx_media_ts_split_t *s,
    const u_char *pos, const u_char *last);
static void ngx_media_ts_video_rate(ngx_media_ts_split_t *s,
    const ngx_media_video_t *video);
static void ngx_media_ts_video_stamp(ngx_media_ts_split_t *s, size_t at);
static void ngx_media_ts_video_count(ngx_media_ts_split_t *s,
    const ngx_media_ts_mark_t *mark);
static void ngx_media_ts_video_decode(ngx_media_ts_split_t *s, int64_t pts);
static int64_t ngx_media_ts_video_span(const ngx_media_ts_split_t *s);
static ngx_uint_t ngx_media_ts_video_back(const ngx_media_ts_split_t *s,
    int64_t pts);


ngx_int_t
ngx_media_ts_split_video(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    ngx_media_ts_split_frame_t *frame)
{
    size_t     end;
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ngx_media_ts_video_scan(s, in, &end);

        if (rc != NGX_OK) {

            if (!ngx_media_ts_video_whole(s)) {

                if (s->flushed) {
                    s->video.begun = 0;
                    s->video.next = 0;
                }

                return NGX_AGAIN;
            }

            end = ngx_media_span_len(in);
        }

        if (ngx_media_ts_video_end(s, in, end, frame) == NGX_OK) {
            return NGX_OK;
        }
    }
}


/* NGX_OK: the unit ends at end, where another one begins; NGX_AGAIN */

static ngx_int_t
ngx_media_ts_video_scan(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    size_t *end)
{
    size_t                 at;
    const u_char          *code, *nal, *next;
    ngx_media_ts_nal_e     kind;
    ngx_media_ts_video_t  *v;

    v = &s->video;

    for ( ;; ) {

        code = ngx_media_nal_code(in->pos + v->scan, in->last);

        if (code == NULL) {

            /* the beginning of one may be there */

            at = ngx_media_span_len(in);
            v->scan = ngx_max(v->scan, at - ngx_min(at, 2));

            return NGX_AGAIN;
        }

        nal = code + NGX_MEDIA_TS_CODE;

        /* its head may come with the next PES packet */

        if (in->last - nal < NGX_MEDIA_TS_CODE && !s->flushed) {
            v->scan = code - in->pos;
            return NGX_AGAIN;
        }

        next = in->last;

        if (s->codec->units == NGX_MEDIA_UNITS_AVC) {
            kind = ngx_media_ts_video_h264(s, nal, next);

        } else {
            kind = ngx_media_ts_video_h265(s, nal, next);
        }

        at = ngx_media_ts_video_place(s, in, code);

        ngx_media_ts_video_align(s, code - in->pos, kind);

        v->scan = nal - in->pos;

        if (!v->begun) {

            if (kind == NGX_MEDIA_TS_NAL_OTHER
                || kind == NGX_MEDIA_TS_NAL_SLICE
                || kind == NGX_MEDIA_TS_NAL_FIELD)
            {
                continue;
            }

            ngx_media_ts_video_stamp(s, at);

            s->stat.skipped += at;
            ngx_media_ts_split_pass(s, in, at);

            v->begun = 1;
            at = 0;
        }

        if (ngx_media_ts_video_nal(s, kind, at, end) == NGX_OK) {
            return NGX_OK;
        }
    }
}


/*
 * Where it begins: a zero byte before three belongs to it, annex B.1.2; in
 * another PES packet it is the end of that, unless a stamp is there and none
 * is here
 */

static size_t
ngx_media_ts_video_place(ngx_media_ts_split_t *s, const ngx_media_span_t *in,
    const u_char *code)
{
    size_t                      at;
    const ngx_media_ts_mark_t  *mark;

    at = code - in->pos;
    mark = ngx_media_ts_split_mark(s, at);

    if (at > 0 && code[-1] == 0
        && !(mark != NULL && mark->at == at
             && mark->pts != NGX_MEDIA_TS_NO_TIME))
    {
        at--;
    }

    return at;
}


/* the unit that is there ends, or goes on */

static ngx_int_t
ngx_media_ts_video_nal(ngx_media_ts_split_t *s, ngx_media_ts_nal_e kind,
    size_t at, size_t *end)
{
    ngx_media_ts_video_t  *v;

    v = &s->video;

    switch (kind) {

    case NGX_MEDIA_TS_NAL_AUD:

        /* the second field may have one of its own */

        if (v->vcl && !(v->picture.field && !v->paired)) {
            *end = at;
            return NGX_OK;
        }

        /* fall through */

    case NGX_MEDIA_TS_NAL_HEAD:

        if (v->vcl && v->next == 0) {
            v->next = at;
        }

        return NGX_DECLINED;

    case NGX_MEDIA_TS_NAL_FIRST:

        if (v->vcl) {
            *end = v->next ? v->next : at;
            return NGX_OK;
        }

        v->vcl = 1;
        v->paired = 0;
        return NGX_DECLINED;

    case NGX_MEDIA_TS_NAL_FIELD:

        v->paired = 1;

        /* fall through */

    case NGX_MEDIA_TS_NAL_SLICE:

        v->vcl = 1;
        v->next = 0;
        return NGX_DECLINED;

    default:
        return NGX_DECLINED;
    }
}


/*
 * Do PES packets begin with units?  It is said by the first NAL unit of each,
 * or there is none in it.
 */

static void
ngx_media_ts_video_align(ngx_media_ts_split_t *s, size_t at,
    ngx_media_ts_nal_e kind)
{
    ngx_uint_t             i;
    ngx_media_ts_mark_t   *mark;
    ngx_media_ts_video_t  *v;

    v = &s->video;

    for (i = 0; i < s->nmarks && s->marks[i].at <= at; i++) {
        mark = &s->marks[i];

        if (mark->seen) {
            continue;
        }

        mark->seen = 1;

        if (at <= mark->at + 1 && kind != NGX_MEDIA_TS_NAL_SLICE) {
            v->aligned += (kind != NGX_MEDIA_TS_NAL_OTHER
                           && kind != NGX_MEDIA_TS_NAL_FIELD);
            continue;
        }

        /* it goes on with one that is gone */

        if (!v->begun && v->aligned && !s->holed) {
            s->stat.torn++;
            v->torn = 1;
        }

        v->aligned = 0;
    }
}


/*
 * May what waits be taken as whole, though nothing has begun behind it?  Where
 * PES packets say their length frames that are too large for one are in
 * several, of which those before the last are as large as they get.
 */

static ngx_uint_t
ngx_media_ts_video_whole(const ngx_media_ts_split_t *s)
{
    const ngx_media_ts_mark_t   *mark;
    const ngx_media_ts_video_t  *v;

    v = &s->video;

    if (!v->begun || !v->vcl) {
        return 0;
    }

    if (s->flushed) {
        return 1;
    }

    if (v->next != 0 || (v->picture.field && !v->paired)
        || v->aligned < (v->torn ? NGX_MEDIA_TS_REALIGNED
                                 : NGX_MEDIA_TS_ALIGNED)
        || s->nmarks == 0)
    {
        return 0;
    }

    mark = &s->marks[s->nmarks - 1];

    return mark->size == 0 || mark->size < v->largest;
}


/* NGX_DECLINED: it is dropped */

static ngx_int_t
ngx_media_ts_video_end(ngx_media_ts_split_t *s, ngx_media_span_t *in,
    size_t end, ngx_media_ts_split_frame_t *frame)
{
    ngx_uint_t             drop;
    ngx_media_ts_video_t  *v;

    v = &s->video;

    frame->pos = in->pos;
    frame->last = in->pos + end;
    frame->pts = v->pts;
    frame->dts = v->dts;
    frame->counted = v->counted;

    /* bytes that are missing at its end were the end of it, or others */

    frame->damaged = ngx_media_ts_split_holed(s, 0, end + 1) ? 1 : 0;

    drop = frame->damaged && !(v->key && v->sets);

    ngx_media_ts_split_pass(s, in, end);

    v->scan = 0;
    v->next = 0;
    v->begun = 0;
    v->vcl = 0;
    v->key = 0;
    v->sets = 0;

    s->stat.damaged += drop;

    return drop ? NGX_DECLINED : NGX_OK;
}


static ngx_media_ts_nal_e
ngx_media_ts_video_h264(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    ngx_uint_t             type;
    ngx_media_ts_video_t  *v;

    v = &s->video;

    if (pos == last || (pos[0] & 0x80)) {
        return NGX_MEDIA_TS_NAL_OTHER;
    }

    type = pos[0] & 0x1f;

    switch (type) {

    case NGX_MEDIA_H264_SLICE:
    case NGX_MEDIA_H264_PARTITION_A:
    case NGX_MEDIA_H264_IDR:
        return ngx_media_ts_video_slice(s, pos, last);

    case NGX_MEDIA_H264_AUD:
        return NGX_MEDIA_TS_NAL_AUD;

    case NGX_MEDIA_H264_SPS:
        v->sets |= !v->vcl;
        ngx_media_ts_video_sps(s, pos, last);
        return NGX_MEDIA_TS_NAL_HEAD;

    case NGX_MEDIA_H264_PPS:
        ngx_media_ts_video_pps(s, pos, last);
        return NGX_MEDIA_TS_NAL_HEAD;

    case NGX_MEDIA_H264_SEI:
        return NGX_MEDIA_TS_NAL_HEAD;

    default:
        return (type >= NGX_MEDIA_TS_H264_PREFIX
                && type <= NGX_MEDIA_TS_H264_RESERVED)
               ? NGX_MEDIA_TS_NAL_HEAD : NGX_MEDIA_TS_NAL_OTHER;
    }
}


static void
ngx_media_ts_video_sps(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    const u_char          *end;
    ngx_media_ts_sps_t    *known;
    ngx_media_h264_sps_t   sps;

    end = ngx_media_nal_code(pos, last);

    if (ngx_media_h264_parse_sps(&sps, pos, end ? end : last) != NGX_OK) {
        return;
    }

    known = &s->video.sps[sps.id];

    known->frame_num_bits = sps.frame_num_bits;
    known->poc_bits = sps.poc_type == 0 ? sps.poc_bits : 0;
    known->planes = sps.separate;
    known->fields = sps.interlaced;

    ngx_media_ts_video_rate(s, &sps.video);
}


static void
ngx_media_ts_video_pps(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    uint32_t          pps, sps;
    ngx_media_bits_t  br;

    ngx_media_bits_init_nal(&br, pos + 1, last);

    pps = ngx_media_bits_ue(&br);
    sps = ngx_media_bits_ue(&br);

    if (!br.err && pps < NGX_MEDIA_TS_PPS && sps < NGX_MEDIA_TS_SPS) {
        s->video.pps[pps] = (uint8_t) (sps + 1);
    }
}


/* a picture has one first macroblock; a frame may have two fields */

static ngx_media_ts_nal_e
ngx_media_ts_video_slice(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    ngx_uint_t               another, pair;
    ngx_media_ts_video_t    *v;
    ngx_media_ts_picture_t   old, *pic;

    v = &s->video;
    pic = &v->picture;
    old = *pic;

    ngx_media_ts_video_picture(v, pic, pos, last);

    if (pic->known && old.known) {
        another = ngx_media_ts_video_another(&old, pic)
                  || (pic->first_mb == 0 && !pic->planes);

    } else {
        another = (pic->first_mb == 0);
    }

    if (!another) {
        return NGX_MEDIA_TS_NAL_SLICE;
    }

    pair = v->begun && v->vcl && !v->paired && pic->known && old.known
           && pic->field && old.field && pic->bottom != old.bottom
           && pic->frame_num == old.frame_num
           && !(pic->idr && !old.idr);

    if (pair) {
        return NGX_MEDIA_TS_NAL_FIELD;
    }

    if (v->vcl) {

        /* it will be looked at again as the first of its own unit */

        *pic = old;

    } else {
        v->key = pic->idr;
    }

    return NGX_MEDIA_TS_NAL_FIRST;
}


/* slice_header(), 7.3.3, as far as it is needed */

static void
ngx_media_ts_video_picture(const ngx_media_ts_video_t *v,
    ngx_media_ts_picture_t *pic, const u_char *pos, const u_char *last)
{
    ngx_media_bits_t           br;
    const ngx_media_ts_sps_t  *sps;

    ngx_memzero(pic, sizeof(ngx_media_ts_picture_t));

    last = pos + ngx_min(last - pos, NGX_MEDIA_TS_SLICE);

    ngx_media_bits_init_nal(&br, pos + 1, last);

    pic->idr = (pos[0] & 0x1f) == NGX_MEDIA_H264_IDR;
    pic->ref = (pos[0] & 0x60) != 0;
    pic->first_mb = ngx_media_bits_ue(&br);
    (void) ngx_media_bits_ue(&br);            /* slice_type */
    pic->pps = ngx_media_bits_ue(&br);

    if (br.err || pic->pps >= NGX_MEDIA_TS_PPS || v->pps[pic->pps] == 0) {
        return;
    }

    sps = &v->sps[v->pps[pic->pps] - 1];

    if (sps->frame_num_bits == 0) {
        return;
    }

    if (sps->planes) {
        pic->planes = 1;
        ngx_media_bits_skip(&br, 2);          /* colour_plane_id */
    }

    pic->frame_num = ngx_media_bits_get(&br, sps->frame_num_bits);

    if (sps->fields && ngx_media_bits_get(&br, 1)) {
        pic->field = 1;
        pic->bottom = ngx_media_bits_get(&br, 1) & 1;
    }

    if (pic->idr) {
        pic->idr_id = ngx_media_bits_ue(&br);
    }

    if (sps->poc_bits) {
        pic->poc = ngx_media_bits_get(&br, sps->poc_bits);
    }

    pic->known = !br.err;
}


/* ISO/IEC 14496-10, 7.4.1.2.4 */

static ngx_uint_t
ngx_media_ts_video_another(const ngx_media_ts_picture_t *a,
    const ngx_media_ts_picture_t *b)
{
    return a->frame_num != b->frame_num || a->pps != b->pps
           || a->field != b->field || a->bottom != b->bottom
           || a->ref != b->ref || a->idr != b->idr
           || a->idr_id != b->idr_id || a->poc != b->poc;
}


static ngx_media_ts_nal_e
ngx_media_ts_video_h265(ngx_media_ts_split_t *s, const u_char *pos,
    const u_char *last)
{
    ngx_uint_t             layer, type;
    const u_char          *end;
    ngx_media_h265_sps_t   sps;
    ngx_media_ts_video_t  *v;

    v = &s->video;

    if (last - pos < 3 || (pos[0] & 0x80)) {
        return NGX_MEDIA_TS_NAL_OTHER;
    }

    type = pos[0] >> 1 & 0x3f;
    layer = (pos[0] & 1) << 5 | pos[1] >> 3;

    if (type <= NGX_MEDIA_H265_VCL_LAST) {

        if (layer != 0) {
            return NGX_MEDIA_TS_NAL_OTHER;
        }

        /* first_slice_segment_in_pic_flag */

        if (!(pos[2] & 0x80)) {
            return NGX_MEDIA_TS_NAL_SLICE;
        }

        if (!v->vcl) {
            v->key = type >= NGX_MEDIA_H265_BLA_W_LP
                     && type <= NGX_MEDIA_H265_IRAP_LAST;
        }

        return NGX_MEDIA_TS_NAL_FIRST;
    }

    if (type == NGX_MEDIA_TS_H265_AUD) {
        return NGX_MEDIA_TS_NAL_AUD;
    }

    if (type == NGX_MEDIA_H265_SPS && layer == 0) {
        v->sets |= !v->vcl;

        end = ngx_media_nal_code(pos, last);

        if (ngx_media_h265_parse_sps(&sps, pos, end ? end : last) == NGX_OK) {
            ngx_media_ts_video_rate(s, &sps.video);
        }
    }

    if (type == NGX_MEDIA_H265_VPS || type == NGX_MEDIA_H265_SPS
        || type == NGX_MEDIA_H265_PPS || type == NGX_MEDIA_H265_SEI_PREFIX
        || (type >= NGX_MEDIA_TS_H265_RSV
            && type <= NGX_MEDIA_TS_H265_RSV_LAST)
        || (type >= NGX_MEDIA_TS_H265_UNSPEC
            && type <= NGX_MEDIA_TS_H265_UNSPEC_LAST))
    {
        return NGX_MEDIA_TS_NAL_HEAD;
    }

    return NGX_MEDIA_TS_NAL_OTHER;
}


static void
ngx_media_ts_video_rate(ngx_media_ts_split_t *s,
    const ngx_media_video_t *video)
{
    if (video->fps_num != 0) {
        s->video.rate = (int64_t) NGX_MEDIA_TS_TIMESCALE * video->fps_den
                        / video->fps_num;
    }
}


/* of the unit that begins here */

static void
ngx_media_ts_video_stamp(ngx_media_ts_split_t *s, size_t at)
{
    int64_t                span;
    ngx_media_ts_mark_t   *mark;
    ngx_media_ts_video_t  *v;

    v = &s->video;
    mark = ngx_media_ts_split_mark(s, at);

    v->units++;

    if (mark == NULL || mark->used || mark->pts == NGX_MEDIA_TS_NO_TIME) {
        ngx_media_ts_video_count(s, mark);
        return;
    }

    mark->used = 1;

    if (mark->has_dts) {
        v->told = 1;
    }

    /* how long units are: of decode times, or of what is shown last */

    span = (v->told && v->stamped != NGX_MEDIA_TS_NO_TIME)
           ? mark->dts - v->stamped
           : v->most != NGX_MEDIA_TS_NO_TIME ? mark->pts - v->most : 0;

    v->counted = 0;
    v->pts = mark->pts;
    v->stamped = mark->dts;

    if (v->told) {
        v->dts = mark->dts;

    } else {
        ngx_media_ts_video_decode(s, mark->pts);
    }

    if (span > 0 && span < NGX_MEDIA_TS_SPAN_MAX) {
        v->span = span / v->units;
    }

    if (v->most == NGX_MEDIA_TS_NO_TIME || mark->pts > v->most
        || ngx_media_ts_video_back(s, mark->pts))
    {
        v->most = mark->pts;
        v->units = 0;

    } else if (v->told) {
        v->units = 0;
    }
}


/* it has none: behind the last one, or as far behind the clock as usual */

static void
ngx_media_ts_video_count(ngx_media_ts_split_t *s,
    const ngx_media_ts_mark_t *mark)
{
    int64_t                delay, span;
    ngx_media_ts_video_t  *v;

    v = &s->video;
    v->counted = 1;

    if (v->dts == NGX_MEDIA_TS_NO_TIME) {

        if (mark != NULL && mark->pcr != NGX_MEDIA_TS_NO_TIME) {
            v->pts = mark->pcr + NGX_MEDIA_TS_SPLIT_DELAY;
            v->dts = v->pts;
        }

        return;
    }

    span = ngx_media_ts_video_span(s);
    delay = v->pts - v->dts;

    v->dts += span;
    v->pts = v->dts + delay;
}


/*
 * Pictures in the order of decoding of which only the presentation is said:
 * decode times go on with them, and are never behind what is shown last.
 */

static void
ngx_media_ts_video_decode(ngx_media_ts_split_t *s, int64_t pts)
{
    int64_t                most, next;
    ngx_media_ts_video_t  *v;

    v = &s->video;

    if (v->dts == NGX_MEDIA_TS_NO_TIME || ngx_media_ts_video_back(s, pts)
        || pts > v->dts + NGX_MEDIA_TS_SPAN_MAX)
    {
        v->dts = pts;
        return;
    }

    if (pts <= v->dts) {
        v->turned = 1;
    }

    if (!v->turned) {
        v->dts = pts;
        return;
    }

    most = ngx_max(pts, v->most);
    next = v->dts + ngx_media_ts_video_span(s);

    v->dts = ngx_max(ngx_min(next, most), v->dts + 1);
}


static int64_t
ngx_media_ts_video_span(const ngx_media_ts_split_t *s)
{
    return s->video.span ? s->video.span
           : s->video.rate ? s->video.rate : NGX_MEDIA_TS_SPAN;
}


/* has the clock gone back, more than the order of pictures does? */

static ngx_uint_t
ngx_media_ts_video_back(const ngx_media_ts_split_t *s, int64_t pts)
{
    int64_t  most;

    most = NGX_MEDIA_TS_REORDER * ngx_media_ts_video_span(s);

    return s->video.most != NGX_MEDIA_TS_NO_TIME
           && pts < s->video.most - ngx_max(most, NGX_MEDIA_TS_BACK);
}
