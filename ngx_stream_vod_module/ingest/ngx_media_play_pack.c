
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_flv_write.h"
#include "formats/ngx_media_rtmp_chunk.h"
#include "formats/ngx_media_rtmp_msg.h"
#include "ingest/ngx_media_play_pack.h"


/* chunk streams: each message is sent as a whole, so any will do */
#define NGX_MEDIA_PLAY_CSID_DATA   5
#define NGX_MEDIA_PLAY_CSID_AUDIO  6
#define NGX_MEDIA_PLAY_CSID_VIDEO  7

/* ms that a track may begin before the first frame that was seen */
#define NGX_MEDIA_PLAY_MARGIN      1000

/*
 * Half of what a player has before the sign that FLV gives to time stamps,
 * E.4.1, changes: a viewer who comes later begins anew.
 */
#define NGX_MEDIA_PLAY_RENEW       0x40000000

#define NGX_MEDIA_PLAY_SPANS       2          /* head, frame */


static ngx_int_t ngx_media_play_own(const ngx_media_play_way_t *way,
    uint32_t type, uint32_t stamp, const u_char *body, size_t len,
    ngx_log_t *log, ngx_media_frame_form_t **form);
static size_t ngx_media_play_message(u_char *p,
    const ngx_media_play_way_t *way, uint32_t type, uint32_t stamp,
    const ngx_media_span_t *spans, ngx_uint_t n);
static int64_t ngx_media_play_offset(const ngx_media_params_t *params,
    const ngx_media_frame_t *frame);
static int64_t ngx_media_play_msec(int64_t time, uint32_t timescale);


static const ngx_str_t  ngx_media_play_encoder = ngx_string("nginx");

static ngx_queue_t  ngx_media_play_groups = {
    &ngx_media_play_groups, &ngx_media_play_groups
};

static uint32_t  ngx_media_play_number;


ngx_media_play_group_t *
ngx_media_play_group(const ngx_media_stream_t *stream,
    ngx_event_handler_pt timer, ngx_log_t *log)
{
    ngx_queue_t             *q;
    ngx_media_play_group_t  *group;

    for (q = ngx_queue_head(&ngx_media_play_groups);
         q != ngx_queue_sentinel(&ngx_media_play_groups);
         q = ngx_queue_next(q))
    {
        group = ngx_queue_data(q, ngx_media_play_group_t, queue);

        if (group->stream.sh == stream->sh && group->stream.id == stream->id
            && group->last < NGX_MEDIA_PLAY_RENEW)
        {
            group->refs++;
            return group;
        }
    }

    group = ngx_calloc(sizeof(ngx_media_play_group_t), log);
    if (group == NULL) {
        return NULL;
    }

    group->stream = *stream;
    group->refs = 1;
    group->number = ++ngx_media_play_number;

    ngx_queue_init(&group->params);
    ngx_queue_init(&group->waiting);

    group->timer.handler = timer;
    group->timer.data = group;
    group->timer.log = ngx_cycle->log;

    ngx_queue_insert_tail(&ngx_media_play_groups, &group->queue);

    return group;
}


void
ngx_media_play_group_free(ngx_media_play_group_t *group)
{
    if (--group->refs) {
        return;
    }

    if (group->timer.timer_set) {
        ngx_del_timer(&group->timer);
    }

    ngx_queue_remove(&group->queue);

    ngx_free(group);
}


ngx_media_play_params_t *
ngx_media_play_params(ngx_media_play_group_t *group, ngx_uint_t track,
    const ngx_media_params_t *params, ngx_log_t *log)
{
    ngx_queue_t              *q;
    ngx_media_play_params_t  *shared;

    for (q = ngx_queue_head(&group->params);
         q != ngx_queue_sentinel(&group->params);
         q = ngx_queue_next(q))
    {
        shared = ngx_queue_data(q, ngx_media_play_params_t, queue);

        if (shared->track == track
            && shared->params.config_len == params->config_len
            && ngx_memcmp(&shared->params, params,
                          ngx_media_params_size(params))
               == 0)
        {
            shared->refs++;
            return shared;
        }
    }

    shared = ngx_alloc(sizeof(ngx_media_play_params_t), log);
    if (shared == NULL) {
        return NULL;
    }

    shared->refs = 1;
    shared->track = track;
    ngx_media_params_copy(&shared->params, params);

    ngx_queue_insert_tail(&group->params, &shared->queue);

    return shared;
}


void
ngx_media_play_params_free(ngx_media_play_params_t *params)
{
    if (--params->refs == 0) {
        ngx_queue_remove(&params->queue);
        ngx_free(params);
    }
}


void
ngx_media_play_reorder(ngx_media_play_group_t *group,
    const ngx_media_params_t *params, const ngx_media_frame_t *frame)
{
    int64_t  offset;

    if (group->based || frame->type != NGX_MEDIA_VIDEO) {
        return;
    }

    offset = ngx_media_play_offset(params, frame);

    group->reorder = ngx_max(group->reorder, -offset);
}


uint32_t
ngx_media_play_stamp(ngx_media_play_group_t *group,
    const ngx_media_frame_t *frame)
{
    int64_t   time;
    uint32_t  stamp;

    time = ngx_media_play_msec(frame->dts, frame->timescale);

    if (frame->type == NGX_MEDIA_VIDEO) {
        time -= group->reorder;
    }

    if (!group->based) {
        group->based = 1;
        group->base = time - NGX_MEDIA_PLAY_MARGIN;
    }

    if (time <= group->base) {
        return 0;
    }

    stamp = (uint32_t) (time - group->base);

    if (stamp > group->last) {
        group->last = stamp;
    }

    return stamp;
}


ngx_media_frame_form_t *
ngx_media_play_pack(ngx_media_play_group_t *group,
    const ngx_media_play_way_t *way, const ngx_media_params_t *params,
    ngx_media_frame_t *frame)
{
    size_t                   len;
    u_char                   head[NGX_MEDIA_FLV_HEAD_MAX];
    int64_t                  cts;
    uint32_t                 stamp, type;
    uintptr_t                key;
    ngx_media_span_t         spans[NGX_MEDIA_PLAY_SPANS];
    ngx_media_frame_form_t  *form;

    /* streams are 7 bits, sizes of chunks 17 */

    key = (uintptr_t) 'P' << 56
          | (uintptr_t) (group->number & 0xffffff) << 32
          | (uintptr_t) way->stream << 17 | way->chunk_size;

    form = ngx_media_frame_form(frame, key);

    if (form) {
        return form;
    }

    stamp = ngx_media_play_stamp(group, frame);

    cts = ngx_media_play_offset(params, frame) + group->reorder;

    len = ngx_media_flv_write_head(head, params,
                                   frame->flags & NGX_MEDIA_FRAME_KEY,
                                   (int32_t) cts);

    if (len == 0 || frame->len > NGX_MEDIA_FLV_BODY_MAX - len) {
        return NULL;
    }

    spans[0].pos = head;
    spans[0].last = head + len;
    spans[1].pos = frame->data;
    spans[1].last = frame->data + frame->len;

    type = (frame->type == NGX_MEDIA_VIDEO) ? NGX_MEDIA_RTMP_VIDEO
                                            : NGX_MEDIA_RTMP_AUDIO;

    len = ngx_media_play_message(NULL, way, type, stamp, spans,
                                 NGX_MEDIA_PLAY_SPANS);

    form = ngx_media_frame_form_add(frame, key, len);
    if (form == NULL) {
        return NULL;
    }

    (void) ngx_media_play_message(form->data, way, type, stamp, spans,
                                  NGX_MEDIA_PLAY_SPANS);

    return form;
}


ngx_int_t
ngx_media_play_pack_config(const ngx_media_play_way_t *way,
    const ngx_media_params_t *params, uint32_t stamp, ngx_log_t *log,
    ngx_media_frame_form_t **form)
{
    size_t     len;
    u_char    *body;
    ngx_int_t  rc;

    *form = NULL;

    len = ngx_media_flv_write_config(NULL, params);

    if (len == 0) {
        return NGX_OK;
    }

    body = ngx_alloc(len, log);
    if (body == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_flv_write_config(body, params);

    rc = ngx_media_play_own(way, params->type == NGX_MEDIA_VIDEO
                                 ? NGX_MEDIA_RTMP_VIDEO : NGX_MEDIA_RTMP_AUDIO,
                            stamp, body, len, log, form);
    ngx_free(body);

    return rc;
}


/* of time stamp 0, always: see ngx_media_flv_write.h */

ngx_int_t
ngx_media_play_pack_metadata(const ngx_media_play_way_t *way,
    const ngx_media_params_t *video, const ngx_media_params_t *audio,
    ngx_log_t *log, ngx_media_frame_form_t **form)
{
    size_t     len;
    u_char    *body;
    ngx_int_t  rc;

    *form = NULL;

    len = ngx_media_flv_write_metadata(NULL, video, audio,
                                       &ngx_media_play_encoder);

    body = ngx_alloc(len, log);
    if (body == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_media_flv_write_metadata(body, video, audio,
                                        &ngx_media_play_encoder);

    rc = ngx_media_play_own(way, NGX_MEDIA_RTMP_DATA, 0, body, len, log, form);

    ngx_free(body);

    return rc;
}


ngx_int_t
ngx_media_play_pack_start(const ngx_media_play_way_t *way, ngx_uint_t video,
    ngx_uint_t audio, ngx_log_t *log, ngx_media_frame_form_t **form)
{
    *form = NULL;

    if (way->chunk_size) {
        return NGX_OK;
    }

    *form = ngx_alloc(sizeof(ngx_media_frame_form_t)
                      + NGX_MEDIA_FLV_START_SIZE, log);
    if (*form == NULL) {
        return NGX_ERROR;
    }

    (*form)->len = ngx_media_flv_write_start((*form)->data, video, audio);

    return NGX_OK;
}


static ngx_int_t
ngx_media_play_own(const ngx_media_play_way_t *way, uint32_t type,
    uint32_t stamp, const u_char *body, size_t len, ngx_log_t *log,
    ngx_media_frame_form_t **form)
{
    size_t            size;
    ngx_media_span_t  span;

    span.pos = body;
    span.last = body + len;

    size = ngx_media_play_message(NULL, way, type, stamp, &span, 1);

    *form = ngx_alloc(sizeof(ngx_media_frame_form_t) + size, log);
    if (*form == NULL) {
        return NGX_ERROR;
    }

    (*form)->len = ngx_media_play_message((*form)->data, way, type, stamp,
                                          &span, 1);
    return NGX_OK;
}


/* as a message of RTMP in chunks, or as a tag of FLV; p == NULL: its size */

static size_t
ngx_media_play_message(u_char *p, const ngx_media_play_way_t *way,
    uint32_t type, uint32_t stamp, const ngx_media_span_t *spans, ngx_uint_t n)
{
    size_t                         len;
    ngx_uint_t                     i;
    ngx_media_rtmp_chunk_header_t  header;

    if (way->chunk_size) {

        header.csid = (type == NGX_MEDIA_RTMP_VIDEO) ? NGX_MEDIA_PLAY_CSID_VIDEO
                      : (type == NGX_MEDIA_RTMP_AUDIO)
                        ? NGX_MEDIA_PLAY_CSID_AUDIO
                        : NGX_MEDIA_PLAY_CSID_DATA;
        header.timestamp = stamp;
        header.type = type;
        header.stream = way->stream;

        return ngx_media_rtmp_chunk_write_spans(p, &header, spans, n,
                                                way->chunk_size);
    }

    len = 0;

    for (i = 0; i < n; i++) {
        len += ngx_media_span_len(&spans[i]);
    }

    if (p != NULL) {
        p += ngx_media_flv_write_tag(p, type, len, stamp);

        for (i = 0; i < n; i++) {
            p = ngx_cpymem(p, spans[i].pos, ngx_media_span_len(&spans[i]));
        }

        (void) ngx_media_flv_write_tail(p, len);
    }

    return NGX_MEDIA_FLV_TAG_SIZE + len + NGX_MEDIA_FLV_TAIL_SIZE;
}


/* from decoding to showing, in ms as time stamps are rounded */

static int64_t
ngx_media_play_offset(const ngx_media_params_t *params,
    const ngx_media_frame_t *frame)
{
    return ngx_media_play_msec(frame->dts + frame->cto - params->delay,
                               frame->timescale)
           - ngx_media_play_msec(frame->dts, frame->timescale);
}


/* the nearest, so that what is between two of them never drifts */

static int64_t
ngx_media_play_msec(int64_t time, uint32_t timescale)
{
    int64_t  rest, second;

    second = time / timescale;
    rest = time % timescale;

    if (rest < 0) {
        second--;
        rest += timescale;
    }

    return second * 1000 + (rest * 1000 + timescale / 2) / timescale;
}
