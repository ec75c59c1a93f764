
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* What waits to be sent to a viewer, message by message, and what has left. */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ingest/ngx_media_play_state.h"


static void ngx_media_play_release(ngx_media_play_t *play,
    ngx_media_play_node_t *node);


ngx_uint_t
ngx_media_play_peek(ngx_media_play_t *play, ngx_uint_t skip,
    ngx_media_span_t *spans, ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_media_frame_form_t  *form;

    if (!play->begun) {
        return 0;
    }

    for (i = 0; i < n && skip + i < play->count; i++) {
        form = ngx_media_play_node(play, skip + i)->form;

        spans[i].pos = form->data + (skip + i == 0 ? play->offset : 0);
        spans[i].last = form->data + form->len;
    }

    return i;
}


void
ngx_media_play_hold(ngx_media_play_t *play, ngx_uint_t n)
{
    play->held = ngx_min(n, play->count);
}


ngx_uint_t
ngx_media_play_sent(ngx_media_play_t *play, size_t bytes)
{
    size_t                  left;
    ngx_media_play_node_t  *node;

    if (!play->begun) {

        /* what waits has no forms yet, so nothing of it was handed over */

        return play->held;
    }

    if (bytes) {
        play->progress = ngx_current_msec;
        play->conf.viewer.bytes += bytes;
    }

    while (play->count) {
        node = ngx_media_play_node(play, 0);
        left = node->form->len - play->offset;

        if (bytes < left) {
            play->offset += bytes;

            if (play->offset && play->held == 0) {
                play->held = 1;
            }

            break;
        }

        bytes -= left;

        ngx_media_play_release(play, node);

        play->offset = 0;
        play->head = (play->head + 1) & (play->size - 1);
        play->count--;

        if (play->held) {
            play->held--;
        }
    }

    if (play->count == 0) {
        play->urgent = 0;
        ngx_media_play_wait_done(play);
    }

    return play->held;
}


ngx_msec_t
ngx_media_play_stalled(const ngx_media_play_t *play)
{
    if (play->count == 0 || !play->begun) {
        return 0;
    }

    return ngx_current_msec - play->progress;
}


const char *
ngx_media_play_over(const ngx_media_play_t *play)
{
    return (play->count == 0) ? play->over : NULL;
}


const ngx_media_play_stat_t *
ngx_media_play_stat(const ngx_media_play_t *play)
{
    return &play->stat;
}


ngx_int_t
ngx_media_play_own(ngx_media_play_t *play, ngx_uint_t front, ngx_uint_t whose,
    ngx_int_t rc, ngx_media_frame_form_t *form)
{
    ngx_media_play_node_t  *node;

    if (rc != NGX_OK || form == NULL) {
        return rc;
    }

    node = ngx_media_play_push(play, front);

    if (node == NULL) {
        ngx_free(form);
        return NGX_ERROR;
    }

    form->key = whose;

    node->frame = NULL;
    node->form = form;

    return NGX_OK;
}


ngx_media_play_node_t *
ngx_media_play_push(ngx_media_play_t *play, ngx_uint_t front)
{
    ngx_uint_t              i;
    ngx_media_play_node_t  *node, *nodes;

    if (play->count == play->size) {

        nodes = ngx_alloc(2 * play->size * sizeof(ngx_media_play_node_t),
                          play->conf.log);
        if (nodes == NULL) {
            return NULL;
        }

        for (i = 0; i < play->count; i++) {
            nodes[i] = *ngx_media_play_node(play, i);
        }

        ngx_free(play->nodes);

        play->nodes = nodes;
        play->head = 0;
        play->size *= 2;
    }

    if (play->count++ == 0) {
        play->progress = ngx_current_msec;
    }

    if (front) {
        play->head = (play->head - 1) & (play->size - 1);
        node = ngx_media_play_node(play, 0);

    } else {
        node = ngx_media_play_node(play, play->count - 1);
    }

    node->queued = ngx_current_msec;

    return node;
}


void
ngx_media_play_drop(ngx_media_play_t *play, ngx_uint_t from)
{
    ngx_media_play_node_t  *node;

    while (play->count > from) {
        node = ngx_media_play_node(play, play->count - 1);

        if (node->frame) {
            play->stat.dropped++;
            play->stat.frames--;

        } else if (node->form->key < NGX_MEDIA_PLAY_TYPES) {
            play->tracks[node->form->key].due = 1;

        } else if (node->form->key == NGX_MEDIA_PLAY_METADATA) {
            play->metadata = 1;

        } else {
            play->begun = 0;
        }

        ngx_media_play_release(play, node);

        play->count--;
    }

    if (play->count == 0) {
        play->offset = 0;
        play->urgent = 0;
    }
}


/*
 * Another track takes the place of one of which nothing was sent: what waits of
 * it goes.  Before the beginning there are but frames.
 */

void
ngx_media_play_forget(ngx_media_play_t *play, ngx_uint_t type)
{
    ngx_uint_t              i, n;
    ngx_media_play_node_t  *node;

    n = 0;

    for (i = 0; i < play->count; i++) {
        node = ngx_media_play_node(play, i);

        if (node->frame->type != type) {
            *ngx_media_play_node(play, n++) = *node;
            continue;
        }

        ngx_media_play_release(play, node);
        play->stat.frames--;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, play->conf.log, 0,
                   "media play forgets:%ui of type:%ui, waiting:%ui",
                   play->count - n, type, n);

    play->count = n;
}


static void
ngx_media_play_release(ngx_media_play_t *play, ngx_media_play_node_t *node)
{
    if (node->frame) {
        play->bytes -= node->frame->len;
        ngx_media_frame_unref(node->frame);
        return;
    }

    ngx_free(node->form);
}
