
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The one entrance for publishers, whatever they speak:
 *
 *     begin [...ready], [announce], track (a codec configuration), frame...,
 *     data..., end
 *
 * Everything behind it (time, cuts, parts, the zone) is the core's affair.
 *
 * style: long header, it is one entrance.
 */


#ifndef _NGX_MEDIA_PUBLISH_H_INCLUDED_
#define _NGX_MEDIA_PUBLISH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_access.h"
#include "core/ngx_media.h"
#include "core/ngx_media_link.h"
#include "core/ngx_media_writer.h"
#include "formats/ngx_media_frame.h"
#include "ingest/ngx_media_publish_answer.h"


typedef struct ngx_media_publisher_s  ngx_media_publisher_t;


typedef struct {
    ngx_media_app_t          *app;
    ngx_str_t                 name;           /* borrowed until begin */
    ngx_str_t                 address;        /* answers, or ready is called; */
    ngx_str_t                 args;           /* as they came: "key=1&b=2" */
    ngx_str_t                 protocol;       /* "rtmp", static */
    const ngx_media_access_client_t
                             *client;         /* borrowed likewise; NULL */
    ngx_connection_t         *connection;
    uint32_t                  timebase;       /* stamps a second */
    uint32_t                  wrap;           /* bits of a stamp */
    ngx_uint_t                bare;           /* start codes, ADTS headers and
                                                 parameter sets in frames are
                                                 its usual form */
    ngx_log_t                *log;            /* borrowed until end */
    unsigned                  returns:1;      /* it has no connection of which
                                                 one would hear that it has
                                                 broken */

    /*
     * What begin has come to, after NGX_MEDIA_PUBLISH_WAIT:
     * NGX_MEDIA_PUBLISH_OK, or else why not, and the publisher has gone.
     * Called once, from the event loop, never from inside a publish function;
     * until then end is the one function to be called, and takes it back.
     */
    void                    (*ready)(void *data, ngx_media_publish_e rc,
                                const char *reason);

    /*
     * The core wants this publisher to go: another one took the name over,
     * the zone was replaced, the drain time is over.  reason is static.
     * Called from the event loop, never from inside a publish function; the
     * handler closes its connection and calls ngx_media_publish_end().
     */
    void                    (*close)(void *data, const char *reason);
    void                     *data;
} ngx_media_publish_t;


typedef struct {
    ngx_uint_t                type;           /* ngx_media_type_e */
    ngx_uint_t                id;             /* publisher's number of the
                                                 track within its type, 0.. */
    uint32_t                  codec;          /* NGX_MEDIA_CODEC_* */
    uint64_t                  stamp;          /* dts, in timebase, wrapped */
    int32_t                   cts;            /* in timebase */
    uint32_t                  nsec;
    int64_t                   arrival;        /* ms since the epoch, where that
                                                 is not now; 0: now */
    const u_char             *pos;            /* borrowed during the call */
    const u_char             *last;
} ngx_media_publish_frame_t;


typedef struct {
    ngx_media_ignored_e       kind;
    ngx_uint_t                type;           /* NGX_MEDIA_TEXT: data */
    ngx_uint_t                id;             /* of the track */
    uint32_t                  codec;          /* 0: unknown */
    const char               *name;           /* of the codec; NULL: by codec */
    const u_char             *pos;            /* what came */
    const u_char             *last;
} ngx_media_publish_ignored_t;


/*
 * Access checks are asked before the name is claimed.  A refusal is logged,
 * with who is in the way, and counted; reason is its sentence, static.  It is
 * OK or WAIT that sets publisher.
 */
ngx_media_publish_e ngx_media_publish_begin(const ngx_media_publish_t *conf,
    ngx_media_publisher_t **publisher, const char **reason);

/*
 * What the stream is called, after OK: access may have given it another name
 * than it was asked for.  Borrowed, until end where it did, else as conf.name.
 */
void ngx_media_publish_name(const ngx_media_publisher_t *publisher,
    ngx_str_t *name);

/*
 * For protocols that turn one away without asking begin: counted; with a name
 * that is none, or is too long with what stands before it, logged, too
 */
void ngx_media_publish_refused(ngx_media_app_t *app, ngx_media_refused_e why);
void ngx_media_publish_refuse_name(ngx_media_app_t *app,
    const ngx_str_t *protocol, const ngx_str_t *name, ngx_log_t *log);

/* of begin */
ngx_uint_t ngx_media_publish_name_valid(const ngx_str_t *name);
void ngx_media_publish_log_refusal(const ngx_media_publish_t *conf,
    ngx_media_publish_e rc, const char *reason);

/*
 * What a client, or a person, is to be told of an answer: its sentence, and
 * where that is NGX_MEDIA_PUBLISH_LOST why; static
 */
const char *ngx_media_publish_why(const ngx_media_publisher_t *publisher,
    ngx_media_publish_e rc);

void ngx_media_publish_announce(ngx_media_publisher_t *publisher,
    const ngx_media_announce_t *announce);

/*
 * What is known of the publisher's track id of this type beside its
 * configuration, before that or after; copied.  The whole of it: what is empty
 * is not known any more.
 */
void ngx_media_publish_describe(ngx_media_publisher_t *publisher,
    ngx_uint_t type, ngx_uint_t id, const ngx_media_attributes_t *attributes);

/*
 * A decoder configuration of a track (avcC, hvcC, AudioSpecificConfig), or
 * parameter sets in a byte stream, or an ADTS header; equal ones may come
 * again and change nothing.
 *
 * One message of frames: length-prefixed NAL units or a byte stream of them,
 * with their parameter sets or without; AAC, raw or with ADTS headers; whole
 * MP3 frames.
 *
 * Content is never an error: what is of no use is left out, see ignore.  OK is
 * also what is dropped because of its time.
 */
ngx_media_publish_e ngx_media_publish_track(ngx_media_publisher_t *publisher,
    const ngx_media_publish_frame_t *config);
ngx_media_publish_e ngx_media_publish_frame(ngx_media_publisher_t *publisher,
    const ngx_media_publish_frame_t *frame);

/*
 * Timed data: at the moment of this stamp, in timebase, players are handed
 * these bytes, at most NGX_MEDIA_DATA_MAX.
 */
ngx_media_publish_e ngx_media_publish_data(ngx_media_publisher_t *publisher,
    ngx_media_data_kind_e kind, uint64_t stamp, const u_char *pos,
    const u_char *last);

/*
 * The publisher's track id of this type comes in lumps of so many ms, the
 * longest so far: it is not late for that.  And: the clock that all stamps are
 * of begins anew here, so does what is published.
 */
void ngx_media_publish_lump(ngx_media_publisher_t *publisher, ngx_uint_t type,
    ngx_uint_t id, ngx_msec_t lump);
void ngx_media_publish_restart(ngx_media_publisher_t *publisher);

/*
 * Something the protocol itself could make nothing of: counted by kind, and
 * said once.
 */
ngx_media_publish_e ngx_media_publish_ignore(ngx_media_publisher_t *publisher,
    const ngx_media_publish_ignored_t *ignored);

/* what its transport has seen since the last time, and how it is now: once a
   second, and at the end */
void ngx_media_publish_link(ngx_media_publisher_t *publisher,
    const ngx_media_link_t *link);

/* the stream stays for grace; reason is static, for the log and status */
void ngx_media_publish_end(ngx_media_publisher_t *publisher,
    const char *reason);


#endif /* _NGX_MEDIA_PUBLISH_H_INCLUDED_ */
