
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs @packager formats/ngx_media_m3u8.c formats/ngx_media_mpd.c
         formats/ngx_media_text.c formats/ngx_media_ts_es.c */


/*
 * Playlists and manifests from views of streams.  A pool is a list of blocks
 * here; it may be told to fail at the n-th allocation.
 */


#include "media_pack.h"


#define PACK_TRACKS    4
#define PACK_SEGMENTS  64
#define PACK_PARTS     256

#define PACK_BIRTH     1795000000ll           /* s since the epoch */
#define PACK_NUMBER    1795000000ull


typedef struct {
    ngx_media_stream_view_t   view;
    ngx_media_track_view_t    tracks[PACK_TRACKS];
    ngx_media_segment_t       segments[PACK_TRACKS][PACK_SEGMENTS];
    ngx_media_part_t          parts[PACK_TRACKS][PACK_PARTS];
    ngx_media_init_t          inits[PACK_TRACKS][2];
} pack_stream_t;


static pack_stream_t  pack;
static ngx_str_t      pack_text;
static char          *pack_copy;


static void
pack_free(void)
{
    pool_free();

    free(pack_copy);
    pack_copy = NULL;
}


/* a stream of segments of 2 s, 10 parts each: video at 25 fps, audio */

static void
pack_track(ngx_uint_t index, const char *name, ngx_uint_t type)
{
    ngx_media_init_t        *init;
    ngx_media_track_view_t  *track;

    track = &pack.tracks[index];

    track->index = index;
    track->name.data = (u_char *) name;
    track->name.len = strlen(name);
    track->type = type;
    track->timescale = type == NGX_MEDIA_VIDEO ? 360000 : 48000;
    track->bandwidth = type == NGX_MEDIA_VIDEO ? 2000000 : 130000;
    track->average = type == NGX_MEDIA_VIDEO ? 1800000 : 128000;
    track->segments = pack.segments[index];
    track->parts = pack.parts[index];
    track->inits = pack.inits[index];
    track->ninits = 1;

    init = &track->inits[0];

    init->name = 0x1111111111111111ull * (index + 1);
    init->params.type = type;
    init->params.timescale = track->timescale;
    init->params.nal_length = 4;

    if (type == NGX_MEDIA_VIDEO) {
        track->fps = 25000;
        init->params.codec = NGX_MEDIA_CODEC_H264;
        init->params.width = 1280;
        init->params.height = 720;
        memcpy(init->codec, "avc1.64001f", 11);
        init->codec_len = 11;

    } else {
        init->params.codec = NGX_MEDIA_CODEC_AAC;
        init->params.channels = 2;
        init->params.sample_rate = 48000;
        init->params.config_len = 2;
        memcpy(init->params.config, "\x11\x90", 2);
        memcpy(init->codec, "mp4a.40.2", 9);
        init->codec_len = 9;
    }

    pack.view.ntracks = ngx_max(pack.view.ntracks, index + 1);
}


static ngx_media_segment_t *
pack_segment(ngx_uint_t index, uint64_t number, ngx_uint_t nparts)
{
    ngx_uint_t               i;
    ngx_media_part_t        *part;
    ngx_media_segment_t     *segment;
    ngx_media_track_view_t  *track;

    track = &pack.tracks[index];
    segment = &track->segments[track->nsegments++];

    memset(segment, 0, sizeof(ngx_media_segment_t));

    segment->number = number;
    segment->wall = (PACK_BIRTH + (int64_t) (number - PACK_NUMBER) * 2)
                    * 1000;
    segment->time = segment->wall / 1000 * track->timescale;
    segment->duration = track->timescale / 5 * nparts;
    segment->init = track->inits[0].name;
    segment->bytes = 100000;
    segment->bandwidth = track->bandwidth;
    segment->period = PACK_NUMBER;
    segment->period_time = PACK_BIRTH * track->timescale;
    segment->period_wall = PACK_BIRTH * 1000;
    segment->nparts = nparts;
    segment->open = (nparts < 10);

    for (i = 0; i < nparts; i++) {
        part = &track->parts[track->nparts++];

        memset(part, 0, sizeof(ngx_media_part_t));

        part->number = number;
        part->part = i;
        part->duration = track->timescale / 5;
        part->independent = (i == 0);
    }

    track->edge_any = 1;
    track->edge_msn = number;
    track->edge_part = nparts - 1;
    track->expect = 1;
    track->expect_msn = nparts < 10 ? number : number + 1;
    track->expect_part = nparts < 10 ? nparts : 0;

    return segment;
}


static void
pack_segments(ngx_uint_t index, ngx_uint_t nsegments, ngx_uint_t nparts)
{
    ngx_uint_t  n;

    for (n = 0; n < nsegments; n++) {
        pack_segment(index, PACK_NUMBER + n, 10);
    }

    if (nparts) {
        pack_segment(index, PACK_NUMBER + nsegments, nparts);
    }
}


static void
pack_init(ngx_uint_t nsegments, ngx_uint_t nparts)
{
    ngx_uint_t  i;

    pack_free();

    memset(&pack, 0, sizeof(pack_stream_t));

    pack.view.version = 1;
    pack.view.state = NGX_MEDIA_STREAM_LIVE;
    pack.view.target = 3;
    pack.view.part_target = 2134;
    pack.view.segment = 2000;
    pack.view.window = 60000;
    pack.view.discontinuity = 7000;
    pack.view.ready = 1;
    pack.view.waits = 1;
    pack.view.walls = 1;
    pack.view.tracks = pack.tracks;

    pack_track(0, "v1", NGX_MEDIA_VIDEO);
    pack_track(1, "a1", NGX_MEDIA_AUDIO);

    for (i = 0; i < 2; i++) {
        pack_segments(i, nsegments, nparts);
    }
}


/* key frames in each fourth segment of n, addressed by time */

static void
pack_runs(ngx_uint_t n)
{
    ngx_uint_t  i, k;

    for (k = 0; k < 2; k++) {
        for (i = 0; i < n; i++) {
            pack.segments[k][i].runs = 1;
            pack.segments[k][i].forced = (k == 0 && i % 4 != 0);
        }
    }
}


static void
pack_string(ngx_str_t *str, const char *text)
{
    str->data = (u_char *) text;
    str->len = strlen(text);
}


static void
pack_done(ngx_int_t rc)
{
    free(pack_copy);
    pack_copy = NULL;

    if (rc == NGX_OK) {
        pack_copy = malloc(pack_text.len + 1);
        memcpy(pack_copy, pack_text.data, pack_text.len);
        pack_copy[pack_text.len] = '\0';
    }
}


static ngx_int_t
pack_media(ngx_uint_t track, ngx_uint_t skip)
{
    ngx_int_t  rc;

    rc = ngx_media_hls_media(NULL, &pack.view, track, skip, &pack_text);
    pack_done(rc);

    return rc;
}


static ngx_int_t
pack_multi(void)
{
    ngx_int_t  rc;

    rc = ngx_media_hls_multi(NULL, &pack.view, &pack_text);
    pack_done(rc);

    return rc;
}


static ngx_int_t
pack_mpd(void)
{
    ngx_int_t  rc;
    ngx_str_t  url = ngx_string("time.txt");

    rc = ngx_media_dash_mpd(NULL, &pack.view, &url, &pack_text);
    pack_done(rc);

    return rc;
}


static int
pack_has(const char *text)
{
    return pack_copy && strstr(pack_copy, text) != NULL;
}


static int
pack_count(const char *text)
{
    int          n;
    const char  *p;

    if (pack_copy == NULL) {
        return -1;
    }

    n = 0;

    for (p = strstr(pack_copy, text); p; p = strstr(p + 1, text)) {
        n++;
    }

    return n;
}


static void
pack_test_media(void)
{
    ngx_uint_t  i;

    pack_init(20, 4);

    is(pack_media(0, 0), NGX_OK, "a media playlist");
    ok(pack_has("#EXT-X-TARGETDURATION:3\n"), "target");
    ok(pack_has("CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.000,"
                "HOLD-BACK=9.000,PART-HOLD-BACK=0.681\n"), "control");
    ok(pack_has("#EXT-X-MEDIA-SEQUENCE:1795000000\n"), "number");
    ok(pack_has("#EXT-X-DISCONTINUITY-SEQUENCE:7000\n"), "discontinuities");
    is(pack_count("#EXTINF:2.00000,\n"), 20, "segments");

    /* 0.8 s of the open one, and four more within 9 s of the end */
    is(pack_count("#EXT-X-PART:"), 4 + 5 * 10, "recent parts");
    ok(pack_has("PRELOAD-HINT:TYPE=PART,URI=\"v1/1795000020.4.m4s\""),
       "hint");
    ok(pack_has("RENDITION-REPORT:URI=\"a1.m3u8\",LAST-MSN=1795000020,"
                "LAST-PART=3\n"), "report");
    is(pack_count("RENDITION-REPORT"), 1, "of the others only");
    ok(pack_has("INDEPENDENT-SEGMENTS"), "independent segments");

    /* what is derived is behind */

    pack.view.latency = 300;
    is(pack_media(1, 0), NGX_OK, "of an application with a ladder");
    ok(pack_has("HOLD-BACK=9.000,PART-HOLD-BACK=0.981\n"), "farther back");
    pack.view.latency = 0;

    pack.view.forced = 1;
    is(pack_media(0, 0), NGX_OK, "after a forced cut");
    ok(!pack_has("INDEPENDENT-SEGMENTS"), "not independent");
    ok(!pack_has("EXT-X-START"), "with parts players begin at the end");

    /* key frames 8 s apart, and no parts: where HOLD-BACK has one */

    pack_init(20, 4);
    pack.view.forced = 1;
    pack.view.part_target = 0;

    for (i = 0; i < 20; i++) {
        pack.segments[0][i].forced = (i % 4 != 0);
    }

    is(pack_media(0, 0), NGX_OK, "key frames are far apart");
    ok(pack_has("#EXT-X-START:TIME-OFFSET=24.000,PRECISE=YES\n"),
       "players begin with one");
    is(pack_media(1, 0), NGX_OK, "its audio");
    ok(pack_has("#EXT-X-START:TIME-OFFSET=24.0"), "begins there, too");

    for (i = 0; i < 20; i++) {
        pack.segments[0][i].forced = (i != 17);
    }

    is(pack_media(0, 0), NGX_OK, "a single one, nearer");
    ok(pack_has("#EXT-X-START:TIME-OFFSET=34.000,"), "players begin there");

    for (i = 0; i < 20; i++) {
        pack.segments[0][i].forced = 0;
    }

    is(pack_media(0, 0), NGX_OK, "none is forced any more");
    ok(!pack_has("EXT-X-START"), "players begin anywhere");

    /* a segment whose parts are not all kept lists none */

    pack_init(20, 4);
    memmove(pack.parts[0], pack.parts[0] + 175,
            29 * sizeof(ngx_media_part_t));
    pack.tracks[0].nparts = 29;
    is(pack_media(0, 0), NGX_OK, "parts are kept for a while");
    is(pack_count("#EXT-X-PART:"), 24, "those of whole segments");

    /* no parts at all */

    pack_init(20, 4);
    pack.view.part_target = 0;
    is(pack_media(0, 0), NGX_OK, "without parts");
    ok(!pack_has("PART"), "nothing of them");
    ok(!pack_has("RENDITION-REPORT"), "no reports");
    is(pack_count(".m4s"), 20, "and no open segment");

    /* nothing yet */

    pack_init(0, 0);
    is(pack_media(0, 0), NGX_AGAIN, "no segment");
    is(pack_media(5, 0), NGX_AGAIN, "no track");

    pack_init(0, 4);
    is(pack_media(0, 0), NGX_AGAIN, "parts, and no segment");

    pack_init(1, 1);
    is(pack_media(0, 0), NGX_OK, "a segment and a part");
    ok(pack_has("#EXT-X-MEDIA-SEQUENCE:1795000000\n"), "its number");
    is(pack_count("#EXTINF"), 1, "one is whole");

    /* no segment in progress before three are complete */

    pack_init(2, 4);
    is(pack_media(0, 0), NGX_OK, "two segments and parts");
    is(pack_count("#EXT-X-PART:"), 0, "are not listed");
    ok(!pack_has("PRELOAD-HINT") && !pack_has("REPORT"), "nor is a hint");
    ok(pack_has("PART-HOLD-BACK=0.681\n#EXT-X-PART-INF:"),
       "what is the same for ever is there");

    pack_init(3, 4);
    is(pack_media(0, 0), NGX_OK, "three segments and parts");
    ok(pack_has("#EXT-X-PART:") && pack_has("PRELOAD-HINT"), "are listed");

    /* grace, end */

    pack_init(20, 0);
    pack.view.state = NGX_MEDIA_STREAM_GRACE;
    is(pack_media(0, 0), NGX_OK, "grace");
    ok(!pack_has("PRELOAD-HINT") && !pack_has("ENDLIST"),
       "no hint and no end");

    pack.view.state = NGX_MEDIA_STREAM_ENDED;
    is(pack_media(0, 1), NGX_OK, "the end");
    ok(pack_has("#EXT-X-ENDLIST\n"), "ENDLIST");
    ok(!pack_has("#EXT-X-PART:") && !pack_has("SKIP:") && !pack_has("REPORT"),
       "no parts, no skip, no reports");
}


static void
pack_test_skip(void)
{
    ngx_uint_t  n;

    struct {
        ngx_uint_t  segments;
        int         skipped;
    } cases[] = { { 1, 0 }, { 8, 0 }, { 9, 0 }, { 10, 1 }, { 30, 21 } };

    char  text[64];

    for (n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        pack_init(cases[n].segments, 3);
        is(pack_media(0, 1), NGX_OK, "delta of %u",
           (unsigned) cases[n].segments);

        snprintf(text, sizeof(text), "#EXT-X-SKIP:SKIPPED-SEGMENTS=%d\n",
                 cases[n].skipped);

        is(pack_has("#EXT-X-SKIP"), cases[n].skipped != 0, "skips or not");
        is(pack_has(text), cases[n].skipped != 0, "so many");
        is(pack_count("#EXTINF"), cases[n].segments - cases[n].skipped,
           "the rest is there");
    }
}


static void
pack_test_discontinuity(void)
{
    ngx_uint_t  i;

    /* audio came with the segment after the discontinuity */

    pack_init(0, 0);

    for (i = 0; i < 10; i++) {
        pack_segment(0, PACK_NUMBER + i, 10)->discontinuity = (i == 3);

        if (i >= 5) {
            pack_segment(1, PACK_NUMBER + i, 10);
        }
    }

    is(pack_media(0, 0), NGX_OK, "a discontinuity");
    ok(pack_has("DISCONTINUITY-SEQUENCE:7000\n"), "is not counted yet");
    is(pack_count("#EXT-X-DISCONTINUITY\n"), 1, "is told");

    is(pack_media(1, 0), NGX_OK, "a track that came later");
    ok(pack_has("DISCONTINUITY-SEQUENCE:7001\n"), "has it in its past");
    is(pack_count("#EXT-X-DISCONTINUITY\n"), 0, "and does not tell it");
    ok(pack_has("MEDIA-SEQUENCE:1795000005\n"), "starts where it started");

    /* at the very segment with which it starts */

    pack_init(0, 0);

    for (i = 0; i < 10; i++) {
        pack_segment(0, PACK_NUMBER + i, 10)->discontinuity = (i == 5);

        if (i >= 5) {
            pack_segment(1, PACK_NUMBER + i, 10)->discontinuity = (i == 5);
        }
    }

    is(pack_media(1, 0), NGX_OK, "starts with it");
    ok(pack_has("DISCONTINUITY-SEQUENCE:7000\n"), "counts up from there");
    is(pack_count("#EXT-X-DISCONTINUITY\n"), 1, "tells it");
}


static void
pack_test_multi(void)
{
    pack_init(5, 0);

    is(pack_multi(), NGX_OK, "a multivariant playlist");
    ok(pack_has("BANDWIDTH=2130000,AVERAGE-BANDWIDTH=1928000,"
                "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,"
                "FRAME-RATE=25.000,AUDIO=\"mp4a.40.2-2\"\nv1.m3u8\n"),
       "a variant");
    ok(!pack_has("VIDEO-RANGE"), "SDR is not told");
    is(pack_count("#EXT-X-MEDIA:"), 1, "a rendition");

    pack.view.ready = 0;
    is(pack_multi(), NGX_AGAIN, "not ready");

    /* languages are members of a group, other layouts another group */

    pack_init(5, 0);
    pack_track(2, "a2", NGX_MEDIA_AUDIO);
    pack_segment(2, PACK_NUMBER + 4, 10);
    pack_track(3, "a3", NGX_MEDIA_AUDIO);
    pack_segment(3, PACK_NUMBER + 4, 10);
    pack.inits[3][0].params.channels = 6;
    pack.tracks[3].bandwidth = 400000;
    pack.inits[0][0].params.transfer = 16;

    is(pack_multi(), NGX_OK, "three audio tracks");
    is(pack_count("#EXT-X-MEDIA:"), 3, "renditions");
    is(pack_count("GROUP-ID=\"mp4a.40.2-2\""), 2, "two in one group");
    is(pack_count("GROUP-ID=\"mp4a.40.2-6\""), 1, "one in another");
    is(pack_count("NAME=\"Audio 1\""), 2, "names are those of other groups");
    is(pack_count("DEFAULT=YES"), 2, "one default each");
    is(pack_count("#EXT-X-STREAM-INF:"), 2, "a variant for each group");
    ok(pack_has("BANDWIDTH=2400000"), "with its audio");
    ok(pack_has("VIDEO-RANGE=PQ"), "HDR is told");

    /* a track that ended is not listed, those of an ended stream are */

    pack.tracks[2].ended = 1;
    is(pack_multi(), NGX_OK, "a track ended");
    is(pack_count("#EXT-X-MEDIA:"), 2, "it is not listed");

    pack.tracks[0].ended = 1;
    pack.tracks[1].ended = 1;
    pack.tracks[3].ended = 1;
    pack.tracks[2].edge_msn -= 4;
    pack.view.state = NGX_MEDIA_STREAM_ENDED;
    is(pack_multi(), NGX_OK, "all have ended");
    is(pack_count("#EXT-X-MEDIA:"), 2, "those at the end are listed");
    is(pack_count("#EXT-X-STREAM-INF:"), 2, "and the video");

    /* audio only */

    pack_init(5, 0);
    pack.tracks[0].ended = 1;
    is(pack_multi(), NGX_OK, "audio only");
    ok(pack_has("CODECS=\"mp4a.40.2\"\na1.m3u8\n"), "as a variant");
    ok(!pack_has("#EXT-X-MEDIA:") && !pack_has("AUDIO="), "no group");

    /* no bandwidth is known: something is said */

    pack_init(5, 0);
    pack.tracks[0].bandwidth = 0;
    pack.tracks[1].bandwidth = 0;
    is(pack_multi(), NGX_OK, "unknown bandwidth");
    ok(pack_has("BANDWIDTH=1000000,"), "a quarter more than measured");
}


static void
pack_periods(ngx_uint_t track, ngx_uint_t from)
{
    ngx_uint_t               i;
    ngx_media_segment_t     *first;
    ngx_media_track_view_t  *t;

    t = &pack.tracks[track];
    first = &t->segments[from];
    first->discontinuity = 1;

    for (i = from; i < t->nsegments; i++) {
        t->segments[i].period = first->number;
        t->segments[i].period_time = first->time;
        t->segments[i].period_wall = first->wall;
    }
}


static void
pack_test_dash(void)
{
    ngx_uint_t  i;

    pack_init(10, 4);

    is(pack_mpd(), NGX_OK, "an MPD");
    ok(pack_has("<Period id=\"1795000000\" start=\"PT1794999999.999S\">"),
       "a Period, 1 ms before its first sample");
    is(pack_count("presentationTimeOffset=\"646199999999640\""), 1,
       "of video");
    is(pack_count("presentationTimeOffset=\"86159999999952\""), 1,
       "and audio");
    is(pack_count("<AdaptationSet id=\"1\""), 1, "video");
    is(pack_count("<AdaptationSet id=\"2\""), 1, "audio");
    is(pack_count("startNumber=\"1795000000\""), 2, "the first number");
    ok(pack_has("t=\"646200000000000\" d=\"720000\" r=\"9\""), "segments");
    ok(pack_has("publishTime=\"2026-11-18T11:07:00.002Z\""),
       "publishTime");
    ok(pack_has("minimumUpdatePeriod=\"PT2S\""), "updates");

    /* the window has moved: the Period stays as it was */

    for (i = 0; i < 2; i++) {
        memmove(pack.segments[i], pack.segments[i] + 3,
                8 * sizeof(ngx_media_segment_t));
        pack.tracks[i].nsegments = 8;
    }

    is(pack_mpd(), NGX_OK, "later");
    ok(pack_has("<Period id=\"1795000000\" start=\"PT1794999999.999S\">"),
       "the same Period");
    is(pack_count("presentationTimeOffset=\"646199999999640\""), 1,
       "the same offset");
    is(pack_count("startNumber=\"1795000003\""), 2, "startNumber moves");

    /* two Periods */

    pack_init(10, 4);
    pack_periods(0, 6);
    pack_periods(1, 6);

    is(pack_mpd(), NGX_OK, "two Periods");
    ok(pack_has("<Period id=\"1795000006\" start=\"PT1795000011.999S\">"),
       "the second");
    is(pack_count("<AdaptationSet id=\"1\""), 2, "the same sets");
    is(pack_count("period-connectivity"), 2, "that continue");

    for (i = 6; i < 11; i++) {
        pack.segments[0][i].init = pack.inits[0][1].name = 0x77;
    }

    pack.inits[0][1] = pack.inits[0][0];
    pack.inits[0][1].name = 0x77;
    pack.tracks[0].ninits = 2;

    is(pack_mpd(), NGX_OK, "another init segment");
    is(pack_count("period-connectivity"), 1, "does not continue");

    /* a Period is listed when all of its tracks have something in it */

    pack_init(10, 0);
    pack_segment(0, PACK_NUMBER + 10, 10);
    pack_segment(1, PACK_NUMBER + 10, 4);
    pack_periods(0, 10);
    pack_periods(1, 10);

    is(pack_mpd(), NGX_OK, "audio is late");
    is(pack_count("<Period "), 1, "its Period waits");

    /* a stream that has just begun */

    pack_init(2, 4);
    is(pack_mpd(), NGX_OK, "less than the delay");
    ok(pack_has("minimumUpdatePeriod=\"PT0.5S\""), "updates come soon");

    pack_init(0, 4);
    is(pack_mpd(), NGX_AGAIN, "nothing is complete");

    pack_init(10, 4);
    pack.view.ready = 0;
    is(pack_mpd(), NGX_AGAIN, "not ready");

    /* the end */

    pack_init(10, 0);
    pack.view.state = NGX_MEDIA_STREAM_ENDED;
    pack.segments[1][9].duration += 1024;

    is(pack_mpd(), NGX_OK, "the end");
    ok(pack_has("type=\"static\""), "static");
    ok(pack_has("mediaPresentationDuration=\"PT1795000020S\""),
       "until the first track ends");
    ok(!pack_has("minimumUpdatePeriod"), "no update");
    ok(pack_has("start=\"PT1794999999.999S\" duration=\"PT20.001S\""),
       "its Period");
}


/* segments of each Representation of video that the MPD lists: "4 4" */

static const char *
pack_lists(void)
{
    int          n;
    char        *p;
    const char  *pos, *end, *last, *s;

    static char  text[64];

    text[0] = '\0';
    p = text;

    if (pack_mpd() != NGX_OK) {
        return "no MPD";
    }

    for (pos = strstr(pack_copy, "<Representation id=\"v");
         pos;
         pos = strstr(end, "<Representation id=\"v"))
    {
        end = strstr(pos, "</Representation>");
        last = pos;
        n = 0;

        /* all of a track are equally long */

        for (s = strstr(pos, "<S "); s && s < end; s = strstr(last, "<S ")) {
            last = strstr(s, "/>");
            n++;

            if (strstr(s, " r=\"") && strstr(s, " r=\"") < last) {
                n += atoi(strstr(s, " r=\"") + 4);
            }
        }

        p += sprintf(p, "%s%d", p == text ? "" : " ", n);
    }

    return text;
}


static void
pack_is_listed(const char *expected, const char *name)
{
    const char  *got;

    got = pack_lists();

    ok(strcmp(got, expected) == 0, "%s: %s are listed", name, got);
}


/* a source and two rungs: a number is listed when all have it */

static void
pack_test_joint(void)
{
    char        time[36];
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   n[3];                    /* whole segments */
        const char  *listed;
    } cases[] = {
        { { 4, 4, 4 }, "4 4 4" },
        { { 5, 4, 4 }, "4 4 4" },
        { { 5, 5, 4 }, "4 4 4" },
        { { 4, 5, 5 }, "4 4 4" },
        { { 5, 3, 4 }, "4 3 4" },             /* not for that one */
        { { 5, 2, 5 }, "5 2 5" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pack_init(0, 0);
        pack_track(2, "v2", NGX_MEDIA_VIDEO);
        pack_track(3, "v3", NGX_MEDIA_VIDEO);

        pack_segments(0, cases[i].n[0], 4);
        pack_segments(1, 5, 4);
        pack_segments(2, cases[i].n[1], 4);
        pack_segments(3, cases[i].n[2], 4);

        pack_is_listed(cases[i].listed, cases[i].listed);
    }

    pack_init(0, 0);
    pack_track(2, "v2", NGX_MEDIA_VIDEO);
    pack_segments(0, 5, 4);
    pack_segments(2, 4, 4);

    pack_is_listed("4 4", "one behind");

    pack.tracks[2].away = 1;
    pack_is_listed("5 4", "nothing comes of it");

    pack.tracks[2].away = 0;
    pack.tracks[2].ended = 1;
    pack_is_listed("5 4", "it has ended");

    pack.tracks[2].ended = 0;
    pack.inits[2][0].params.codec = NGX_MEDIA_CODEC_H265;
    pack_is_listed("5 4", "it is in another set");

    pack.inits[2][0].params.codec = NGX_MEDIA_CODEC_H264;
    pack.view.state = NGX_MEDIA_STREAM_GRACE;
    pack_is_listed("5 4", "the publisher has gone");

    pack.view.state = NGX_MEDIA_STREAM_LIVE;
    pack.segments[2][3].gap = 1;
    pack_is_listed("4 3", "a gap is what it has");

    /* the source has gone on to a period, its rung has not */

    pack.segments[2][3].gap = 0;
    pack.segments[0][5].period = PACK_NUMBER + 5;
    pack_is_listed("5 4", "it is in another period");

    /* publishTime grows with what is listed, not with what is there */

    pack_init(0, 0);
    pack_track(2, "v2", NGX_MEDIA_VIDEO);
    pack_segments(0, 5, 4);
    pack_segments(2, 4, 4);
    pack_lists();

    memcpy(time, strstr(pack_copy, "publishTime=\""), sizeof(time));

    pack.tracks[0].nsegments = 5;
    pack_lists();

    ok(memcmp(strstr(pack_copy, "publishTime=\""), time, sizeof(time)) == 0,
       "publishTime is of what is listed");
}


/* tracks of one format alone; and one that began late, in a pair of TS */

static void
pack_test_only(void)
{
    ngx_str_t   name = ngx_string("v1-a2");
    ngx_uint_t  i;

    pack_init(6, 4);
    pack_track(2, "a2", NGX_MEDIA_AUDIO);

    for (i = 4; i < 6; i++) {
        pack_segment(2, PACK_NUMBER + i, 10);
    }

    pack.segments[0][1].discontinuity = 1;
    pack.tracks[2].only = NGX_MEDIA_IN_HLS_TS;
    pack.view.clock = 1;

    pack_done(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 2, 0,
                                     &pack_text));
    is(pack_count("#EXTINF"), 2, "from where both are");
    ok(pack_has("#EXT-X-MEDIA-SEQUENCE:1795000004\n")
       && pack_has("#EXT-X-DISCONTINUITY-SEQUENCE:7001\n"), "its numbers");

    pack_done(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 1, 0,
                                     &pack_text));
    is(pack_count("#EXTINF"), 6, "of tracks that began together");

    /* the second one has nothing whole yet */

    pack.tracks[2].nsegments = 0;
    pack_segment(2, PACK_NUMBER + 6, 4);
    is(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 2, 0, &pack_text),
       NGX_AGAIN, "it has just begun");

    /* it was there before, and is again */

    pack.tracks[2].nsegments = 0;

    for (i = 0; i < 6; i++) {
        pack_segment(2, PACK_NUMBER + i, 10)->gap = (i == 2 || i == 3);
    }

    pack_done(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 2, 0,
                                     &pack_text));
    is(pack_count("#EXTINF"), 2, "from where it is again");

    pack.tracks[2].only = 0;
    pack_done(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 2, 0,
                                     &pack_text));
    is(pack_count("#EXTINF"), 6, "gaps of others are gaps");

    /* it was there before, and is not yet again */

    pack.tracks[2].only = NGX_MEDIA_IN_HLS_TS;
    pack.tracks[2].nsegments = 2;
    is(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 2, 0, &pack_text),
       NGX_AGAIN, "not yet again");

    ngx_media_pack_only(&pack.view, NGX_MEDIA_IN_HLS_TS);
    is(pack.view.ntracks, 3, "all are in TS");
    is(pack.view.clock, 1, "the clock is the one that it was");

    ngx_media_pack_only(&pack.view, NGX_MEDIA_IN_CMAF);
    is(pack.view.ntracks, 2, "one is not in CMAF");

    pack.tracks[0].only = NGX_MEDIA_IN_HLS_TS;
    ngx_media_pack_only(&pack.view, NGX_MEDIA_IN_CMAF);
    ok(pack.view.ntracks == 1 && pack.view.clock == 0
       && memcmp(pack.view.tracks[0].name.data, "a1", 2) == 0,
       "those behind it move up");

    pack.view.clock = 1;
    ngx_media_pack_only(&pack.view, NGX_MEDIA_IN_CMAF);
    is(pack.view.clock, 1, "no clock stays none");
}


static void
pack_test_runs(void)
{
    ngx_uint_t  k;

    /* key frames at 0, 4 and 8 */

    pack_init(10, 4);
    pack_runs(11);

    is(pack_mpd(), NGX_OK, "runs");
    ok(pack_has("media=\"v1/t$Time$.m4s\""), "by time");
    ok(pack_has("t=\"646200000000000\" d=\"2880000\" r=\"1\""),
       "two are complete");
    ok(pack_has("maxSegmentDuration=\"PT8S\""), "the longest");
    ok(pack_has("suggestedPresentationDelay=\"PT10S\""), "longer delay");
    is(pack_count("startNumber"), 0, "no numbers");

    /* the key segment has left the window */

    for (k = 0; k < 2; k++) {
        memmove(pack.segments[k], pack.segments[k] + 1,
                10 * sizeof(ngx_media_segment_t));
        pack.tracks[k].nsegments = 10;
    }

    is(pack_mpd(), NGX_OK, "a run that is cut off");
    ok(pack_has("t=\"646200002880000\" d=\"2880000\"/>"), "is not listed");

    /* no run is complete: not one set without the other */

    pack_init(3, 4);
    pack_runs(4);

    is(pack_mpd(), NGX_AGAIN, "no run is complete");

    /* at the end the last one is */

    pack.view.state = NGX_MEDIA_STREAM_ENDED;
    pack.tracks[0].nsegments = 3;
    pack.tracks[1].nsegments = 3;

    is(pack_mpd(), NGX_OK, "at the end it is");
    ok(pack_has("d=\"2160000\""), "all of it");
}


/* parts go with tags, and need nobody who waits */

static void
pack_test_parts_tagged(void)
{
    pack_init(20, 4);
    pack_string(&pack.view.tag, "5f3a90c1");

    is(pack_media(0, 0), NGX_OK, "parts, and tags");
    ok(pack_has("URI=\"v1/5f3a90c1-1795000020.3.m4s\""), "names of parts");
    ok(pack_has("PRELOAD-HINT:TYPE=PART,URI=\"v1/5f3a90c1-1795000020.4.m4s"),
       "and of the next one");
    ok(pack_has("\nv1/5f3a90c1-1795000019.m4s\n"), "of segments");
    ok(pack_has("MAP:URI=\"v1/init-1111111111111111.mp4\""),
       "inits have their own");
    is(pack_mpd(), NGX_OK, "the same in DASH");
    ok(pack_has("media=\"v1/5f3a90c1-$Number$.m4s\""), "its names");
    ok(pack_has("type=\"dynamic\""), "which goes on");

    pack.view.waits = 0;

    is(pack_media(0, 0), NGX_OK, "parts that nobody waits for");
    ok(pack_has("#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=0.681\n"
                "#EXT-X-PART-INF:PART-TARGET=0.2134\n"), "are announced");
    is(pack_count("#EXT-X-PART:"), 4 + 5 * 10, "are listed");
    ok(!pack_has("PRELOAD-HINT") && !pack_has("REPORT"), "without a hint");
    is(pack_mpd(), NGX_OK, "the same in DASH");
    ok(pack_has("minimumUpdatePeriod=\"PT2S\""), "which is asked again");
}


/* a track that ended stays, one leaves numbers out, and more comes */

static void
pack_test_sparse_waits(void)
{
    ngx_str_t  name;

    pack_init(20, 4);
    pack.tracks[1].nsegments = 12;
    pack.tracks[1].ended = 1;
    pack.tracks[1].edge_msn = PACK_NUMBER + 11;

    is(pack_multi(), NGX_OK, "a track that has ended");
    ok(!pack_has("a1.m3u8"), "is listed no more");

    pack.view.sparse = 1;

    is(pack_multi(), NGX_OK, "it is sparse");
    ok(pack_has("URI=\"a1.m3u8\""), "and stays");
    is(pack_media(1, 0), NGX_OK, "it has a playlist");
    ok(pack_has("CAN-BLOCK-RELOAD=YES") && pack_has("ENDLIST"), "that ends");

    pack_string(&name, "v1-a1");
    memmove(&pack.tracks[0].segments[5], &pack.tracks[0].segments[6],
            15 * sizeof(ngx_media_segment_t));
    pack.tracks[0].nsegments--;

    pack_done(ngx_media_hls_ts_media(NULL, &pack.view, &name, 0, 1, 0,
                                     &pack_text));
    is(pack_count("#EXTINF"), 20, "together they have all numbers");
    ok(pack_has("\nv1-a1/1795000005.ts\n"), "also this one");
    ok(!pack_has("SERVER-CONTROL"), "nobody waits for them");

    is(pack_mpd(), NGX_OK, "in DASH");
    is(pack_count("<SegmentList "), 1, "the one with a hole has a list");
    ok(pack_has("media=\"v1/1795000004.m4s\"/>\n"
                "          <SegmentURL media=\"v1/1795000006.m4s"),
       "without that");
    ok(pack_has("type=\"dynamic\""), "which goes on");

    /* names by time have no numbers to leave out */

    pack_init(10, 4);
    pack.view.sparse = 1;
    pack_runs(11);

    is(pack_mpd(), NGX_OK, "runs of what is sparse");
    ok(pack_has("media=\"v1/t$Time$.m4s\""), "are named by time");
    is(pack_count("<SegmentList "), 0, "and need no list");
}


/* what a publisher writes and is kept: key frames apart, and it grows */

static void
pack_test_recording(void)
{
    ngx_int_t  rc;

    pack_init(20, 4);
    pack_string(&pack.view.tag, "5f3a90c1");
    pack.view.tricks = 1;
    pack.view.event = 1;
    pack.tracks[0].key_bandwidth = 300000;

    rc = ngx_media_hls_iframes(NULL, &pack.view, 0, 0, &pack_text);
    pack_done(rc);
    is(rc, NGX_OK, "key frames of a recording");
    ok(pack_has("\nk1/5f3a90c1-1795000019.m4s\n"), "are resources");
    ok(pack_has("MAP:URI=\"v1/init-1111111111111111.mp4\""),
       "with the init of the video");
    ok(pack_has("PLAYLIST-TYPE:EVENT") && pack_has("CAN-BLOCK-RELOAD"),
       "and more come");
    is(pack_count("BYTERANGE"), 0, "none is a range");
    is(ngx_media_hls_iframes(NULL, &pack.view, 1, 0, &pack_text),
       NGX_DECLINED, "sound has none");

    is(pack_mpd(), NGX_OK, "in DASH");
    ok(pack_has("media=\"k1/5f3a90c1-$Number$.m4s\""), "the same");
    ok(pack_has("type=\"dynamic\""), "it goes on");
    is(pack_count("switching"), 0, "of sets nobody measured");
    is(pack_count("frameRate"), 0, "nor rates");

    pack.view.measured = 1;

    is(pack_mpd(), NGX_OK, "now it is");
    ok(pack_has("frameRate=\"25\""), "the rate");

    pack_init(20, 4);
    pack.view.tricks = 1;

    rc = ngx_media_hls_ts_media(NULL, &pack.view, &pack.tracks[0].name, 0,
                                NGX_MEDIA_NO_TRACK, 1, &pack_text);
    pack_done(rc);
    is(rc, NGX_OK, "key frames in MPEG-TS");
    ok(pack_has("\nk1/1795000019.ts\n"), "are resources, too");
}


/* codecs that not all formats may have are asked for in live streams, too */

static void
pack_test_live_codecs(void)
{
    ngx_int_t           rc;
    ngx_media_params_t  *params;

    pack_init(20, 4);
    params = &pack.inits[0][0].params;

    params->codec = NGX_MEDIA_CODEC_AV1;
    is(pack_media(0, 0), NGX_OK, "live AV1");
    rc = ngx_media_hls_ts_media(NULL, &pack.view, &pack.tracks[0].name, 0, 1,
                                0, &pack_text);
    is(rc, NGX_DECLINED, "not in MPEG-TS");

    params->codec = NGX_MEDIA_CODEC_VP8;
    is(pack_media(0, 0), NGX_DECLINED, "live VP8 is not for HLS");
    is(pack_mpd(), NGX_OK, "but for DASH");
    is(pack_count("<AdaptationSet"), 2, "all of it");

    pack.tracks[0].ninits = 0;
    is(pack_media(0, 0), NGX_OK, "nobody knows yet what it is");

    pack.view.ntracks = 1;
    pack.tracks[0].ninits = 1;
    is(pack_multi(), NGX_AGAIN, "another track may come");
    pack.view.waits = 0;
    is(pack_multi(), NGX_DECLINED, "or not");
}


/* what publishers need not tell: text is text, renditions may be said to be */

static void
pack_test_live_text(void)
{
    ngx_media_init_t  *init;

    pack_init(20, 4);
    pack_track(2, "t1", NGX_MEDIA_TEXT);

    init = &pack.inits[2][0];
    init->params.codec = NGX_MEDIA_CODEC_WVTT;
    memcpy(init->codec, "wvtt", 4);
    init->codec_len = 4;

    pack_segments(2, 20, 4);

    is(pack_multi(), NGX_OK, "live text");
    ok(pack_has("TYPE=SUBTITLES,GROUP-ID=\"subs\""), "is subtitles");
    is(pack_media(2, 0), NGX_OK, "its playlist");
    ok(pack_has("\nt1/1795000019.vtt\n"), "is of WebVTT");
    is(pack_mpd(), NGX_OK, "in DASH");
    ok(pack_has("role:2011\" value=\"subtitle\""), "it says what it is");
    is(pack_count("role:2011\" value=\"main\""), 2, "others are main");

    /* sound alone, twice */

    pack_init(0, 0);
    pack_track(0, "a1", NGX_MEDIA_AUDIO);
    pack_track(1, "a2", NGX_MEDIA_AUDIO);
    pack_segments(0, 20, 4);
    pack_segments(1, 20, 4);

    is(pack_multi(), NGX_OK, "two of audio");
    is(pack_count("#EXT-X-STREAM-INF"), 2, "are variants");
    is(pack_mpd(), NGX_OK, "in DASH");
    is(pack_count("<AdaptationSet"), 1, "of one set");

    pack.view.renditions = 1;

    is(pack_multi(), NGX_OK, "or renditions");
    is(pack_count("#EXT-X-STREAM-INF"), 1, "of one variant");
    is(pack_count("#EXT-X-MEDIA:TYPE=AUDIO"), 2, "to choose from");
    is(pack_mpd(), NGX_OK, "in DASH");
    is(pack_count("<AdaptationSet"), 2, "in sets of their own");
}


/* of what is mixed players come by all inits, else by the newest */

static void
pack_test_mixed(void)
{
    ngx_uint_t         i;
    ngx_media_init_t  *init;

    pack_init(20, 4);

    init = &pack.inits[0][1];
    *init = pack.inits[0][0];
    init->name = 0x77;
    init->params.width = 640;
    init->params.height = 360;
    memcpy(init->codec, "avc1.42c01e", 11);
    pack.tracks[0].ninits = 2;

    for (i = 10; i < 21; i++) {
        pack.segments[0][i].init = 0x77;
    }

    is(pack_multi(), NGX_OK, "other parameters");
    ok(pack_has("CODECS=\"avc1.42c01e,mp4a.40.2\""), "the newest");
    ok(pack_has("RESOLUTION=640x360"), "and their size");

    pack.view.mixed = 1;

    is(pack_multi(), NGX_OK, "mixed");
    ok(pack_has("CODECS=\"avc1.42c01e,avc1.64001f,mp4a.40.2\""), "both");
    ok(pack_has("RESOLUTION=1280x720"), "and the larger");
}


/* every allocation may fail */

static void
pack_test_nomem(void)
{
    int         bad;
    ngx_int_t   rc;
    ngx_uint_t  i, k, n;

    ngx_int_t (*calls[])(void) = { pack_multi, pack_mpd };

    bad = 0;

    for (k = 0; k < 3; k++) {

        for (i = 1; i < 100; i++) {
            pack_init(20, 4);
            n = i;
            pool_fail = n;

            rc = (k < 2) ? calls[k]() : pack_media(0, 0);

            if (pool_fail) {
                /* it needs less */
                pool_fail = 0;
                break;
            }

            bad += (rc != NGX_ERROR);
        }

        ok(i > 2 && i < 100, "allocations that failed: %u",
           (unsigned) i - 1);
    }

    is(bad, 0, "are all told");
}


static void
pack_test_rescale(void)
{
    is(ngx_media_pack_rescale(646200000000000ll, 360000, 48000),
       86160000000000ll, "video to audio");
    is(ngx_media_pack_rescale(1001, 24000, 1000), 41, "rounds down");
    is(ngx_media_pack_rescale(1, 0, 1000), 0, "no timescale");
    is(ngx_media_pack_rescale(86160000000001ll, 48000, 360000),
       646200000000007ll, "audio to video");
}


int
main(void)
{
    pack_test_media();
    pack_test_skip();
    pack_test_discontinuity();
    pack_test_multi();
    pack_test_dash();
    pack_test_joint();
    pack_test_only();
    pack_test_runs();
    pack_test_parts_tagged();
    pack_test_sparse_waits();
    pack_test_recording();
    pack_test_live_codecs();
    pack_test_live_text();
    pack_test_mixed();
    pack_test_nomem();
    pack_test_rescale();

    pack_free();

    return done();
}
