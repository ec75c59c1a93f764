
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @writer @packager ngx_stub.c */


/* what publish promises to protocols, over the whole way behind it */


#define _GNU_SOURCE

#include "media_walk.h"
#include "tap.h"
#include "media_hand.h"


/* access checks are asked, and may take their time */

static void
test_access(void)
{
    walk_pub_t              *p;
    const char              *reason;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    walk_access = NGX_DECLINED;

    is(begin(&w, p, &reason), NGX_MEDIA_PUBLISH_DENIED, "access: refused");
    is(strcmp(reason, "the walk says no"), 0, "access: why");
    is_text(walk_asked.args.data, walk_asked.args.len, "key=1",
            "access: arguments");
    is(w.zone->store->refused[NGX_MEDIA_REFUSED_DENIED], 1,
       "access: counted");
    is(s->state, NGX_MEDIA_STREAM_FREE, "access: the name is not claimed");

    walk_access = NGX_ERROR;

    is(begin(&w, p, &reason), NGX_MEDIA_PUBLISH_NOMEM, "access: no memory");

    /* later: yes, no, and it leaves meanwhile */

    walk_access = NGX_AGAIN;

    is(begin(&w, p, &reason), NGX_MEDIA_PUBLISH_WAIT, "access: it waits");
    is(s->state, NGX_MEDIA_STREAM_FREE, "access: nothing is claimed yet");

    walk_asked.ready(walk_asked.data, NGX_OK, NULL);

    is(told, NGX_MEDIA_PUBLISH_OK, "access: it may");
    is(s->state, NGX_MEDIA_STREAM_LIVE, "access: now it is live");

    (void) track(p, WALK_AVC, 0);
    seconds(&w, p, 4);

    ok(s->tracks[0]->count.frames > 80, "access: with its frames");

    is(begin(&w, &w.pubs[1], &reason), NGX_MEDIA_PUBLISH_WAIT,
       "access: another one waits");

    walk_asked.ready(walk_asked.data, NGX_DECLINED, "no");
    w.pubs[1].publisher = NULL;

    is(told, NGX_MEDIA_PUBLISH_DENIED, "access: it may not");
    is(strcmp(told_reason, "no"), 0, "access: why");
    is(w.zone->store->refused[NGX_MEDIA_REFUSED_DENIED], 2,
       "access: counted, too");

    is(begin(&w, &w.pubs[1], &reason), NGX_MEDIA_PUBLISH_WAIT,
       "access: and waits");

    walk_asked.ready(walk_asked.data, NGX_OK, NULL);
    w.pubs[1].publisher = NULL;

    is(told, NGX_MEDIA_PUBLISH_CONFLICT, "access: it may, but the name is "
       "another's");
    is(strcmp(told_reason, ngx_media_publish_sentence(told)), 0,
       "access: and that is why");

    is(begin(&w, &w.pubs[1], &reason), NGX_MEDIA_PUBLISH_WAIT,
       "access: and waits");

    walk_end(&w.pubs[1]);

    is(walk_cancelled, 1, "access: it leaves, the checks hear of it");

    /* the worker is to leave meanwhile */

    is(begin(&w, &w.pubs[1], &reason), NGX_MEDIA_PUBLISH_WAIT,
       "access: and waits");

    ngx_exiting = 1;
    walk_asked.ready(walk_asked.data, NGX_OK, NULL);
    ngx_exiting = 0;
    w.pubs[1].publisher = NULL;

    is(told, NGX_MEDIA_PUBLISH_CLOSING, "access: the worker leaves");

    walk_access = NGX_OK;
    walk_end(p);
    walk_finish(&w);

    is(w.wrong[0], 0, "access: all is free: %s", w.wrong);
}


/* what publish says of a message */

static ngx_media_publish_e
said(walk_pub_t *p, ngx_uint_t type, ngx_uint_t id, uint32_t codec,
    ngx_uint_t config, const void *data, size_t len)
{
    ngx_media_publish_frame_t  frame;

    memset(&frame, 0, sizeof(ngx_media_publish_frame_t));

    frame.type = type;
    frame.id = id;
    frame.codec = codec;
    frame.pos = data;
    frame.last = frame.pos + len;

    return config ? ngx_media_publish_track(p->publisher, &frame)
                  : ngx_media_publish_frame(p->publisher, &frame);
}


static void
test_answers(void)
{
    ngx_uint_t           i;
    walk_pub_t          *p;
    ngx_media_publish_e  rc;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    p = &w.pubs[0];
    publisher(&w, p);

    is(said(p, NGX_MEDIA_AUDIO, 0, NGX_MEDIA_CODEC_AAC, 0, "", 0),
       NGX_MEDIA_PUBLISH_EMPTY, "answers: nothing in it");
    is(said(p, NGX_MEDIA_AUDIO, 0, NGX_MEDIA_CODEC_AAC, 0, "abcd", 4),
       NGX_MEDIA_PUBLISH_UNCONFIGURED, "answers: no configuration");
    is(said(p, NGX_MEDIA_VIDEO, 0, NGX_MEDIA_CODEC_H264, 1, "\1\2\3", 3),
       NGX_MEDIA_PUBLISH_MALFORMED, "answers: no avcC");
    is(said(p, NGX_MEDIA_VIDEO, 0, 0x41424344, 0, "abcd", 4),
       NGX_MEDIA_PUBLISH_UNKNOWN, "answers: ABCD is no codec");
    is(said(p, NGX_MEDIA_VIDEO, 0, NGX_MEDIA_CODEC_AAC, 0, "abcd", 4),
       NGX_MEDIA_PUBLISH_UNSUPPORTED, "answers: AAC is no video");

    ngx_stub_fail = 1;

    is(said(p, NGX_MEDIA_VIDEO, 0, NGX_MEDIA_CODEC_H264, 0,
            "\0\0\0\1\x67", 5),
       NGX_MEDIA_PUBLISH_NOMEM, "answers: no memory");

    ngx_stub_fail = 0;

    is(said(p, NGX_MEDIA_AUDIO, 0, NGX_MEDIA_CODEC_AAC, 1, "\x11\x90", 2),
       NGX_MEDIA_PUBLISH_OK, "answers: AAC of 48 kHz");
    is(said(p, NGX_MEDIA_AUDIO, 0, NGX_MEDIA_CODEC_AAC, 0, "abcd", 4),
       NGX_MEDIA_PUBLISH_OK, "answers: a frame of it");

    rc = NGX_MEDIA_PUBLISH_OK;

    for (i = 1; i <= NGX_MEDIA_TRACKS && rc == NGX_MEDIA_PUBLISH_OK; i++) {
        rc = said(p, NGX_MEDIA_AUDIO, i, NGX_MEDIA_CODEC_AAC, 1, "\x11\x90",
                  2);
    }

    is(rc, NGX_MEDIA_PUBLISH_TOO_MANY, "answers: more tracks than places");

    for (rc = 0; rc < NGX_MEDIA_PUBLISH_ANSWERS; rc++) {
        ok(ngx_media_publish_sentence(rc) != NULL, "answers: %s",
           ngx_media_publish_sentence(rc));
    }

    walk_end(p);
    walk_finish(&w);
}


/* the attributes of the stream's i-th track */

static const ngx_media_attributes_t *
attributes(walk_t *w, ngx_uint_t i)
{
    return &ngx_media_stream_record(w->zone, 0)->tracks[i]->attributes;
}


static void
describe(walk_pub_t *p, ngx_uint_t id, const char *lang)
{
    ngx_media_attributes_t  a;

    memset(&a, 0xff, sizeof(a));

    strcpy((char *) a.lang, lang);
    strcpy((char *) a.label, "label");
    a.role = NGX_MEDIA_ROLE_MAIN;
    a.group = 7;

    ngx_media_publish_describe(p->publisher, NGX_MEDIA_AUDIO, id, &a);
}


/* what is said of tracks, before they come, after, and of what they become */

static void
test_describe(void)
{
    uint64_t      version;
    ngx_uint_t    i;
    walk_pub_t   *p;
    walk_track_t *t;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    p = &w.pubs[0];

    publisher(&w, p);
    describe(p, 1, "de");

    (void) track(p, WALK_AAC, 0);
    t = track(p, WALK_AAC, 1);
    seconds(&w, p, 2);

    is(strcmp((char *) attributes(&w, 1)->lang, "de"), 0, "describe: before");
    is(strcmp((char *) attributes(&w, 1)->label, "label"), 0,
       "describe: label");
    is(attributes(&w, 1)->role, NGX_MEDIA_ROLE_MAIN, "describe: role");
    is(attributes(&w, 1)->group, 7, "describe: group");
    is(attributes(&w, 0)->lang[0], 0, "describe: the other one is not");

    version = ngx_media_stream_record(w.zone, 0)->notify.version;
    describe(p, 1, "de");

    is(ngx_media_stream_record(w.zone, 0)->notify.version, version,
       "describe: the same changes nothing");

    describe(p, 0, "en");

    is(strcmp((char *) attributes(&w, 0)->lang, "en"), 0, "describe: after");
    ok(ngx_media_stream_record(w.zone, 0)->notify.version != version,
       "describe: texts are made anew");

    /* another codec is another track, and the same thing */

    t->next_codec = WALK_MP3;
    t->due = 1;
    seconds(&w, p, 3);

    is(ngx_media_stream_record(w.zone, 0)->ntracks, 3,
       "describe: another codec");
    is(strcmp((char *) attributes(&w, 2)->lang, "de"), 0,
       "describe: goes with it");

    /* of more than there may be */

    for (i = 2; i < 100; i++) {
        describe(p, i, "fr");
    }

    walk_end(p);

    /* who says nothing does not inherit what another has said */

    publisher(&w, p);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 1);

    is(attributes(&w, 0)->lang[0], 0, "describe: another publisher");

    walk_end(p);
    walk_finish(&w);

    is(w.wrong[0], 0, "describe: %s", w.wrong);
}


/* frames that waited, for others or in a queue: their time is that of then */

static void
test_arrival(void)
{
    int64_t                  times[2];
    ngx_uint_t               i;
    walk_pub_t              *p;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    for (i = 0; i < 2; i++) {
        memset(&w, 0, sizeof(walk_t));
        walk_init(&w, 0);

        s = ngx_media_stream_record(w.zone, 0);
        p = &w.pubs[0];
        w.late = i * 5000;

        publisher(&w, p);
        (void) track(p, WALK_AVC, 0);
        seconds(&w, p, 4);

        times[i] = ngx_media_segment_record(s->tracks[0],
                                        s->tracks[0]->segment_tail)->wall;

        walk_end(p);
        walk_finish(&w);
    }

    is(times[0] - times[1], 5000, "arrival: it is what the wall clock said");
}


/* kicked while it sends, and while it is silent */

static void
test_kick(void)
{
    ngx_str_t             name = ngx_string("a");
    ngx_uint_t            i;
    walk_pub_t           *p;
    ngx_media_holder_t    holder;
    ngx_media_publish_e   rc;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    p = &w.pubs[0];
    publisher(&w, p);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 4);

    is(ngx_media_stream_holder(w.zone, &name, &holder), NGX_OK,
       "kick: who it is");
    is(ngx_media_stream_kick(&holder.stream, holder.epoch,
                             NGX_MEDIA_KICK_ASKED), NGX_OK,
       "kick: it is there");

    rc = NGX_MEDIA_PUBLISH_OK;

    for (i = 0; i < 100 && rc == NGX_MEDIA_PUBLISH_OK; i++) {
        w.now += 20;
        ngx_stub_clock(w.now);

        rc = said(p, NGX_MEDIA_AUDIO, 0, NGX_MEDIA_CODEC_AAC, 0, "abcd", 4);
    }

    is(rc, NGX_MEDIA_PUBLISH_LOST, "kick: a frame is declined");
    is(strcmp(ngx_media_publish_why(p->publisher, rc),
              "it was disconnected by an administrator"), 0, "kick: and why");
    is(strcmp(ngx_media_publish_why(p->publisher, NGX_MEDIA_PUBLISH_EMPTY),
              ngx_media_publish_sentence(NGX_MEDIA_PUBLISH_EMPTY)), 0,
       "kick: other answers are what they are");

    walk_end(p);

    publisher(&w, p);
    (void) track(p, WALK_AAC, 0);
    seconds(&w, p, 4);

    is(ngx_media_stream_holder(w.zone, &name, &holder), NGX_OK,
       "kick: who it is");
    is(ngx_media_stream_kick(&holder.stream, holder.epoch,
                             NGX_MEDIA_KICK_BANNED), NGX_OK,
       "kick: it is back");

    ngx_media_writers_close(w.zone, NULL);

    ok(p->closed && strcmp(p->closed, "it is banned") == 0,
       "kick: a silent one is told by the tick");

    walk_end(p);
    walk_finish(&w);

    is(w.wrong[0], 0, "kick: all is free: %s", w.wrong);
}


/* banned, before the name is claimed or in the same moment */

static void
test_ban(void)
{
    ngx_uint_t               i;
    walk_pub_t              *p;
    const char              *reason;
    ngx_media_stream_shm_t  *s;

    static walk_t  w;

    memset(&w, 0, sizeof(walk_t));
    walk_init(&w, 0);

    s = ngx_media_stream_record(w.zone, 0);
    p = &w.pubs[0];

    for (i = 0; i < 2; i++) {
        media_banned = "it is banned here";
        media_ban_after = i;

        is(begin(&w, p, &reason), NGX_MEDIA_PUBLISH_DENIED, "ban: refused");
        is(strcmp(reason, media_banned), 0, "ban: why");
        is(s->state, 0, "ban: it has no stream");
        is(s->epoch != 0, i, "ban: %s", i ? "it had one" : "nor had one");
        is(w.zone->store->refused[NGX_MEDIA_REFUSED_DENIED], i + 1,
           "ban: counted");
    }

    media_banned = NULL;

    publisher(&w, p);
    walk_end(p);
    walk_finish(&w);

    is(w.wrong[0], 0, "ban: all is free: %s", w.wrong);
}


int
main(void)
{
    test_access();
    test_answers();
    test_describe();
    test_arrival();
    test_kick();
    test_ban();

    return done();
}
