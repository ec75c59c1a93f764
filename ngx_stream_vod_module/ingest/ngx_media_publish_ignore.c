
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What comes and is of no use.  Content never ends a connection: what cannot
 * be read is left out, counted by kind, and said once with its first bytes.
 * Only if media comes for a while and none of it is of use, its publisher has
 * to go: it would be listed as one that is live.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_publish_state.h"


#define NGX_MEDIA_PUBLISH_USELESS  10000      /* ms */
#define NGX_MEDIA_PUBLISH_PAUSE    2000       /* ms: it comes no more */
#define NGX_MEDIA_PUBLISH_BYTES    16         /* that are logged */


/* by ngx_media_ignored_e */

typedef struct {
    ngx_uint_t                level;
    ngx_uint_t                useless;        /* media that should be of use */
    ngx_media_publish_e       answer;
    const char               *what;
    const char               *hint;
} ngx_media_publish_kind_t;


static ngx_int_t ngx_media_publish_leave_out(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored);
static ngx_uint_t ngx_media_publish_says(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored);
static void ngx_media_publish_say(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored);
static ngx_int_t ngx_media_publish_useless(ngx_media_publisher_t *p);


static const char  *ngx_media_publish_types[] = { "video", "audio", "data" };


static const ngx_media_publish_kind_t  ngx_media_publish_kinds[] = {

    { NGX_LOG_WARN, 1, NGX_MEDIA_PUBLISH_MALFORMED,
      "a message that cannot be read",
      "messages like it are left out" },

    { NGX_LOG_WARN, 1, NGX_MEDIA_PUBLISH_MALFORMED,
      "a frame that is malformed",
      "frames like it are left out" },

    { NGX_LOG_INFO, 0, NGX_MEDIA_PUBLISH_OK,
      "empty, padded or broken NAL units in a frame",
      "the rest of the frame is used" },

    { NGX_LOG_WARN, 0, NGX_MEDIA_PUBLISH_MALFORMED,
      "a decoder configuration that cannot be read",
      "the one before it stays" },

    { NGX_LOG_WARN, 1, NGX_MEDIA_PUBLISH_UNCONFIGURED,
      "frames without a decoder configuration",
      "let the encoder send its sequence header (AudioSpecificConfig, avcC, "
      "hvcC) or SPS and PPS" },

    { NGX_LOG_WARN, 1, NGX_MEDIA_PUBLISH_UNSUPPORTED,
      "a codec or profile that is not supported",
      "use H.264 or HEVC, AAC, AC-3, E-AC-3, Opus or MP3" },

    { NGX_LOG_WARN, 1, NGX_MEDIA_PUBLISH_TOO_MANY,
      "a track that there is no room for",
      "let the encoder send fewer tracks" },

    { NGX_LOG_INFO, 0, NGX_MEDIA_PUBLISH_EMPTY,
      "an empty message", "messages like it are harmless" },

    { NGX_LOG_INFO, 0, NGX_MEDIA_PUBLISH_DATA,
      "data that is not audio or video", "it is not passed on" }
};


/* instead of a codec, where it is nothing else that is wrong */

static const ngx_media_publish_kind_t  ngx_media_publish_large = {
    NGX_LOG_WARN, 1, NGX_MEDIA_PUBLISH_UNSUPPORTED,
    "a decoder configuration that is too large",
    "let the encoder send fewer parameter sets, 16 KB at most"
};


ngx_media_publish_e
ngx_media_publish_ignore(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored)
{
    return ngx_media_publish_answer(p,
                                    ngx_media_publish_leave_out(p, ignored));
}


static ngx_int_t
ngx_media_publish_leave_out(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored)
{
    p->left = ngx_media_publish_kinds[ignored->kind].answer;

    if (ignored->kind == NGX_MEDIA_IGNORED_CODEC
        && ngx_media_codec_find(ignored->codec) == NULL)
    {
        p->left = NGX_MEDIA_PUBLISH_UNKNOWN;
    }

    ngx_media_stream_ignored(ngx_media_writer_claim(p->writer),
                             ignored->kind);

    if ((ignored->kind == NGX_MEDIA_IGNORED_CODEC
         || ignored->kind == NGX_MEDIA_IGNORED_TRACK)
        && ignored->type < NGX_MEDIA_TEXT)
    {
        ngx_media_writer_useless(p->writer, ignored->type, ignored->id);
    }

    if (ngx_media_publish_says(p, ignored)) {
        ngx_media_publish_say(p, ignored);
    }

    if (!ngx_media_publish_kinds[ignored->kind].useless) {
        return NGX_OK;
    }

    return ngx_media_publish_useless(p);
}


ngx_int_t
ngx_media_publish_ignore_frame(ngx_media_publisher_t *p,
    ngx_media_ignored_e kind, const ngx_media_publish_frame_t *frame)
{
    ngx_media_publish_ignored_t  ignored;

    ignored.kind = kind;
    ignored.type = frame->type;
    ignored.id = frame->id;
    ignored.codec = frame->codec;
    ignored.name = NULL;
    ignored.pos = frame->pos;
    ignored.last = frame->last;

    return ngx_media_publish_leave_out(p, &ignored);
}


/* once for each kind and track, and for some codecs that are not supported */

static ngx_uint_t
ngx_media_publish_says(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored)
{
    ngx_uint_t                  i;
    ngx_media_publish_said_t   *said;
    ngx_media_publish_track_t  *t;

    t = ngx_media_publish_track_get(p, ignored->type, ignored->id);

    if (ignored->kind == NGX_MEDIA_IGNORED_TRACK && t) {

        /* the writer has said why there is no room for it */
        return 0;
    }

    said = t ? &t->said : &p->said[ngx_min(ignored->type, NGX_MEDIA_TEXT)];

    if (ignored->kind != NGX_MEDIA_IGNORED_CODEC) {

        if (said->kinds & 1u << ignored->kind) {
            return 0;
        }

        said->kinds |= 1u << ignored->kind;

        return 1;
    }

    for (i = 0; i < said->ncodecs; i++) {
        if (said->codecs[i] == ignored->codec
            && said->names[i] == ignored->name)
        {
            return 0;
        }
    }

    if (said->ncodecs == NGX_MEDIA_PUBLISH_CODECS) {
        return 0;
    }

    said->codecs[said->ncodecs] = ignored->codec;
    said->names[said->ncodecs++] = ignored->name;

    return 1;
}


static void
ngx_media_publish_say(ngx_media_publisher_t *p,
    const ngx_media_publish_ignored_t *ignored)
{
    u_char                           bytes[NGX_MEDIA_PUBLISH_BYTES * 2];
    u_char                           fourcc[4];
    size_t                           len, n;
    ngx_str_t                        name;
    const ngx_media_codec_t         *codec;
    const ngx_media_publish_kind_t  *kind;

    kind = &ngx_media_publish_kinds[ignored->kind];
    codec = ngx_media_codec_find(ignored->codec);

    if (ignored->name) {
        name.data = (u_char *) ignored->name;
        name.len = ngx_strlen(ignored->name);

    } else if (codec) {
        name = codec->name;

    } else {
        fourcc[0] = (u_char) (ignored->codec >> 24);
        fourcc[1] = (u_char) (ignored->codec >> 16);
        fourcc[2] = (u_char) (ignored->codec >> 8);
        fourcc[3] = (u_char) ignored->codec;

        for (n = 0; n < 4; n++) {
            if (fourcc[n] < 0x20 || fourcc[n] > 0x7e) {
                fourcc[n] = '.';
            }
        }

        name.data = fourcc;
        name.len = ignored->codec ? 4 : 0;
    }

    len = ignored->last - ignored->pos;

    if (ignored->kind == NGX_MEDIA_IGNORED_CODEC && codec
        && len > NGX_MEDIA_CONFIG_MAX)
    {
        kind = &ngx_media_publish_large;
    }

    n = ngx_min(len, NGX_MEDIA_PUBLISH_BYTES);

    (void) ngx_hex_dump(bytes, (u_char *) ignored->pos, n);

    ngx_log_error(kind->level, p->log, 0,
                  "media ignored: %s, track:%s %ui codec:\"%V\" len:%uz "
                  "bytes:%*s: %s",
                  kind->what,
                  ngx_media_publish_types[ngx_min(ignored->type,
                                                  NGX_MEDIA_TEXT)],
                  ignored->id, &name, len, n * 2, bytes, kind->hint);
}


/* a stretch of time in which all that came was so; pauses do not count */

static ngx_int_t
ngx_media_publish_useless(ngx_media_publisher_t *p)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if (!p->is_useless || now - p->useless_last >= NGX_MEDIA_PUBLISH_PAUSE) {
        p->is_useless = 1;
        p->useless = now;
    }

    p->useless_last = now;

    if (now - p->useless < NGX_MEDIA_PUBLISH_USELESS) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_WARN, p->log, 0,
                  "media of no use has come for %ui s and nothing else, its "
                  "publisher is disconnected",
                  (ngx_uint_t) NGX_MEDIA_PUBLISH_USELESS / 1000);

    return NGX_ABORT;
}


/*
 * A frame was good.  Whether anything is made of it is another matter: it may
 * wait for a key frame, or be too late, for ever.
 */

void
ngx_media_publish_useful(ngx_media_publisher_t *p)
{
    uint64_t    taken;
    ngx_msec_t  now;

    now = ngx_current_msec;
    taken = ngx_media_writer_taken(p->writer);

    p->is_useless = 0;

    if (taken != p->taken || now - p->frame_msec >= NGX_MEDIA_PUBLISH_PAUSE) {
        p->barren &= (taken == p->taken);
        p->taken = taken;
        p->taken_msec = now;
    }

    p->frame_msec = now;

    if (p->barren || now - p->taken_msec < NGX_MEDIA_PUBLISH_USELESS) {
        return;
    }

    p->barren = 1;

    ngx_log_error(NGX_LOG_WARN, p->log, 0,
                  "media has come for %ui s and nothing is made of it: %s",
                  (ngx_uint_t) NGX_MEDIA_PUBLISH_USELESS / 1000,
                  taken ? "its time stamps are behind what was published"
                        : "there is no key frame in it");
}
