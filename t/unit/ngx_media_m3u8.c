
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: formats/ngx_media_m3u8.c formats/ngx_media_text.c */


/*
 * Whole playlists, line by line.  t/manifest.t runs this program with the
 * name of a case to hand its text to other people's parsers, and with
 * "--list" for the names.
 */


#include "formats/ngx_media_m3u8.h"
#include "tap.h"


/* tables say what is not zero */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"


#define TABLE(a)  a, sizeof(a) / sizeof(a[0])

#define INIT_A    0x0123456789abcdefull
#define INIT_B    0xfedcba9876543210ull

/* 2026-01-01T00:00:00Z, in ms */
#define Y2026     1767225600000ll


typedef struct {
    const char                    *name;
    const ngx_media_m3u8_media_t  *media;
    const ngx_media_m3u8_multi_t  *multi;
    const char                    *expected;
} test_case_t;


/* 25 fps, timescale 360000: 14400 a frame, five of them a part */

static const ngx_media_m3u8_part_t  parts_ten[] = {
    { 72000, 1, 0 }, { 72000, 0, 0 }, { 72000, 0, 0 }, { 72000, 0, 0 },
    { 72000, 0, 0 }, { 72000, 1, 0 }, { 72000, 0, 0 }, { 72000, 0, 0 },
    { 72000, 0, 0 }, { 72000, 0, 0 }
};


static const ngx_media_m3u8_report_t  reports_audio[] = {
    { ngx_string("a1"), 1767225604, 1, 1 },
    { ngx_string("t1"), 1767225603, 0, 0 }
};


static const ngx_media_m3u8_segment_t  segments_live[] = {
    { 1767225600, 720000, INIT_A, Y2026, NULL, 0, 0, 0, 0 },
    { 1767225601, 720000, INIT_A, Y2026 + 2000, NULL, 0, 0, 0, 0 },
    { 1767225602, 720000, INIT_A, Y2026 + 4000, NULL, 0, 0, 0, 0 },
    { 1767225603, 720000, INIT_A, Y2026 + 6000, parts_ten, 10, 0, 0, 0 },
    { 1767225604, 0, INIT_A, Y2026 + 8000, parts_ten, 2, 0, 0, 1 }
};


static const ngx_media_m3u8_media_t  media_start = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .hold_back = 9000,
    .segments = segments_live,
    .nsegments = 1,
    .start = 1234,
    .starts = 1,
    .block = 1
};


static const char  text_start[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=9.000\n"
    "#EXT-X-START:TIME-OFFSET=1.234,PRECISE=YES\n"
    "#EXT-X-MEDIA-SEQUENCE:1767225600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225600.m4s\n";


static const ngx_media_m3u8_media_t  media_live = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .hold_back = 9000,
    .can_skip = 18000,
    .discontinuity = 1234,
    .segments = segments_live,
    .nsegments = 5,
    .hint_msn = 1767225604,
    .hint_part = 2,
    .reports = reports_audio,
    .nreports = 2,
    .hint = 1,
    .independent = 1,
    .block = 1
};

static const char  text_live[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.000,"
        "HOLD-BACK=9.000,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:1767225600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:1234\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225600.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225601.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225602.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:06.000Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.0.m4s\","
        "INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.1.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.2.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.3.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.4.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.5.m4s\","
        "INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.6.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.7.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.8.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.9.m4s\"\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225603.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225604.0.m4s\","
        "INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225604.1.m4s\"\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/1767225604.2.m4s\"\n"
    "#EXT-X-RENDITION-REPORT:URI=\"a1.m3u8\",LAST-MSN=1767225604,"
        "LAST-PART=1\n"
    "#EXT-X-RENDITION-REPORT:URI=\"t1.m3u8\",LAST-MSN=1767225603\n";


/* version 9, numbers of the full list, MAP again for what is listed */

static const ngx_media_m3u8_media_t  media_delta = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .hold_back = 9000,
    .can_skip = 18000,
    .discontinuity = 1234,
    .segments = segments_live,
    .nsegments = 5,
    .skip = 2,
    .hint_msn = 1767225604,
    .hint_part = 2,
    .hint = 1,
    .independent = 1,
    .block = 1
};

static const char  text_delta[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:9\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.000,"
        "HOLD-BACK=9.000,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:1767225600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:1234\n"
    "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225602.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:06.000Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.0.m4s\","
        "INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.1.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.2.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.3.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.4.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.5.m4s\","
        "INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.6.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.7.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.8.m4s\"\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225603.9.m4s\"\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225603.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225604.0.m4s\","
        "INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1767225604.1.m4s\"\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/1767225604.2.m4s\"\n";


/* a skip that would leave nothing, or that nobody offered, is no skip */

static const ngx_media_m3u8_media_t  media_delta_all = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .can_skip = 18000,
    .segments = segments_live,
    .nsegments = 1,
    .skip = 1,
    .block = 1
};

static const char  text_delta_all[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.000\n"
    "#EXT-X-MEDIA-SEQUENCE:1767225600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225600.m4s\n";


static const ngx_media_m3u8_media_t  media_delta_none = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .segments = segments_live,
    .nsegments = 2,
    .skip = 1
};

static const char  text_delta_none[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-MEDIA-SEQUENCE:1767225600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225600.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225601.m4s\n";


/*
 * A publisher that returned with other parameters, an init that changes
 * without a discontinuity, and a discontinuity in the segment in progress.
 */

static const ngx_media_m3u8_part_t  parts_two[] = {
    { 72000, 1, 0 }, { 14400, 0, 0 }
};


static const ngx_media_m3u8_segment_t  segments_change[] = {
    { 20, 720000, INIT_A, Y2026, NULL, 0, 1, 0, 0 },
    { 21, 86400, INIT_A, Y2026 + 2000, NULL, 0, 0, 0, 0 },
    { 22, 86400, INIT_B, Y2026 + 5123, parts_two, 2, 1, 0, 0 },
    { 23, 86400, INIT_A, Y2026 + 5363, parts_two, 2, 0, 0, 0 },
    { 24, 0, INIT_A, Y2026 + 9000, parts_two, 1, 1, 0, 1 }
};


static const ngx_media_m3u8_media_t  media_change = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .segments = segments_change,
    .nsegments = 5,
    .hint_msn = 24,
    .hint_part = 1,
    .hint = 1,
    .block = 1
};

static const char  text_change[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:20\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/20.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z\n"
    "#EXTINF:0.24000,\n"
    "v1/21.m4s\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-MAP:URI=\"v1/init-fedcba9876543210.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:05.123Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/22.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/22.1.m4s\"\n"
    "#EXTINF:0.24000,\n"
    "v1/22.m4s\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:05.363Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/23.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/23.1.m4s\"\n"
    "#EXTINF:0.24000,\n"
    "v1/23.m4s\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:09.000Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/24.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/24.1.m4s\"\n";


/* nothing of the open segment is there yet: only its first part is hinted */

static const ngx_media_m3u8_segment_t  segments_cut[] = {
    { 23, 86400, INIT_A, Y2026, parts_two, 2, 0, 0, 0 },
    { 24, 0, INIT_B, Y2026 + 240, NULL, 0, 1, 0, 1 }
};


static const ngx_media_m3u8_media_t  media_cut = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .segments = segments_cut,
    .nsegments = 2,
    .hint_msn = 24,
    .hint = 1,
    .block = 1
};

static const char  text_cut[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:23\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/23.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/23.1.m4s\"\n"
    "#EXTINF:0.24000,\n"
    "v1/23.m4s\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/24.0.m4s\"\n";


/* the first part of a stream: no complete segment yet */

static const ngx_media_m3u8_part_t  parts_one[] = {
    { 345600, 1, 0 }
};


static const ngx_media_m3u8_segment_t  segments_first[] = {
    { 7, 0, INIT_A, 0, parts_one, 1, 0, 0, 1 }
};


static const ngx_media_m3u8_media_t  media_first = {
    .track = ngx_string("a12"),
    .timescale = 360000,
    .target = 3,
    .part_target = 10000,
    .part_hold_back = 3040,
    .segments = segments_first,
    .nsegments = 1,
    .hint_msn = 7,
    .hint_part = 1,
    .hint = 1,
    .block = 1
};

static const char  text_first[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.040\n"
    "#EXT-X-PART-INF:PART-TARGET=1.0000\n"
    "#EXT-X-MEDIA-SEQUENCE:7\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"a12/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.000Z\n"
    "#EXT-X-PART:DURATION=0.96000,URI=\"a12/7.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a12/7.1.m4s\"\n";


static const ngx_media_m3u8_media_t  media_empty = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .hint_msn = 9,
    .hint = 1,
    .block = 1
};

static const char  text_empty[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:9\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/9.0.m4s\"\n";


/* the end: no hint, no skip, no report, nothing that is still open */

static const ngx_media_m3u8_media_t  media_end = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .hold_back = 9000,
    .can_skip = 18000,
    .segments = segments_change,
    .nsegments = 5,
    .skip = 1,
    .hint_msn = 24,
    .hint_part = 1,
    .reports = reports_audio,
    .nreports = 2,
    .hint = 1,
    .block = 1,
    .end = 1
};

static const char  text_end[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.000,"
        "HOLD-BACK=9.000,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:20\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/20.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z\n"
    "#EXTINF:0.24000,\n"
    "v1/21.m4s\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXT-X-MAP:URI=\"v1/init-fedcba9876543210.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:05.123Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/22.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/22.1.m4s\"\n"
    "#EXTINF:0.24000,\n"
    "v1/22.m4s\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:05.363Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/23.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/23.1.m4s\"\n"
    "#EXTINF:0.24000,\n"
    "v1/23.m4s\n"
    "#EXT-X-ENDLIST\n";


/* no parts by configuration: those in the view, and the hint, stay away */

static const ngx_media_m3u8_media_t  media_plain = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_hold_back = 680,
    .hold_back = 9000,
    .segments = segments_change + 3,
    .nsegments = 2,
    .hint_msn = 24,
    .hint = 1
};

static const char  text_plain[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:HOLD-BACK=9.000\n"
    "#EXT-X-MEDIA-SEQUENCE:23\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:05.363Z\n"
    "#EXTINF:0.24000,\n"
    "v1/23.m4s\n";


/* what was evicted for lack of memory */

static const ngx_media_m3u8_part_t  parts_gap[] = {
    { 72000, 1, 0 }, { 72000, 1, 1 }, { 14400, 0, 0 }
};


static const ngx_media_m3u8_segment_t  segments_gap[] = {
    { 1, 86400, INIT_A, Y2026, parts_two, 2, 0, 1, 0 },
    { 2, 158400, INIT_A, Y2026 + 240, parts_gap, 3, 0, 0, 0 },
    { 3, 0, INIT_A, Y2026 + 680, parts_two, 1, 0, 0, 1 }
};


static const ngx_media_m3u8_media_t  media_gap = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .segments = segments_gap,
    .nsegments = 3,
    .hint_msn = 3,
    .hint_part = 1,
    .hint = 1,
    .block = 1
};

static const char  text_gap[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:8\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:1\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXT-X-GAP\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/1.0.m4s\",GAP=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/1.1.m4s\",GAP=YES\n"
    "#EXTINF:0.24000,\n"
    "v1/1.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.240Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/2.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/2.1.m4s\",GAP=YES\n"
    "#EXT-X-PART:DURATION=0.04000,URI=\"v1/2.2.m4s\"\n"
    "#EXTINF:0.44000,\n"
    "v1/2.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.680Z\n"
    "#EXT-X-PART:DURATION=0.20000,URI=\"v1/3.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v1/3.1.m4s\"\n";


/*
 * Rounding: ten AAC frames at 48 kHz are 0.213333.. s, which must not become
 * more than it is; a segment of 95 frames is 2.026666.. s, printed nearest.
 */

static const ngx_media_m3u8_part_t  parts_aac[] = {
    { 10240, 1, 0 }, { 10243, 1, 0 }, { 1, 1, 0 }, { 0, 1, 0 }
};


static const ngx_media_m3u8_segment_t  segments_aac[] = {
    { 0, 96256, INIT_A, 1, parts_aac, 4, 0, 0, 0 },
    { 1, 97280, INIT_A, 951782400999ll, NULL, 0, 0, 0, 0 },
    { 2, 143999, INIT_A, 4102444799999ll, NULL, 0, 0, 0, 0 },
    { 18446744073709551615ull, 18446744073709551615ull, 0, Y2026, NULL, 0, 0,
      0, 0 }
};


static const ngx_media_m3u8_media_t  media_rounding = {
    .track = ngx_string("a1"),
    .timescale = 48000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .discontinuity = 18446744073709551615ull,
    .segments = segments_aac,
    .nsegments = 4
};

static const char  text_rounding[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=0.680\n"
    "#EXT-X-PART-INF:PART-TARGET=0.2134\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:18446744073709551615\n"
    "#EXT-X-MAP:URI=\"a1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.001Z\n"
    "#EXT-X-PART:DURATION=0.21333,URI=\"a1/0.0.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.21339,URI=\"a1/0.1.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.00002,URI=\"a1/0.2.m4s\",INDEPENDENT=YES\n"
    "#EXT-X-PART:DURATION=0.00000,URI=\"a1/0.3.m4s\",INDEPENDENT=YES\n"
    "#EXTINF:2.00533,\n"
    "a1/0.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2000-02-29T00:00:00.999Z\n"
    "#EXTINF:2.02667,\n"
    "a1/1.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2099-12-31T23:59:59.999Z\n"
    "#EXTINF:2.99998,\n"
    "a1/2.m4s\n"
    "#EXT-X-MAP:URI=\"a1/init-0000000000000000.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:384307168202282.32531,\n"
    "a1/18446744073709551615.m4s\n";


static const ngx_media_m3u8_segment_t  segments_carry[] = {
    { 5, 17999999, INIT_A, Y2026, NULL, 0, 0, 0, 0 },
    { 6, 17999954, INIT_A, Y2026 + 2000, NULL, 0, 0, 0, 0 }
};


static const ngx_media_m3u8_media_t  media_vod = {
    .track = ngx_string("v1"),
    .timescale = 9000000,
    .target = 2,
    .segments = segments_carry,
    .nsegments = 2,
    .independent = 1,
    .end = 1,
    .vod = 1
};

static const char  text_vod[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:2\n"
    "#EXT-X-MEDIA-SEQUENCE:5\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "v1/5.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z\n"
    "#EXTINF:1.99999,\n"
    "v1/6.m4s\n"
    "#EXT-X-ENDLIST\n";


/* multivariant playlists */

/* 4.4.3.6: of each segment the key frame; one without is a gap */

static const ngx_media_m3u8_segment_t  segments_iframes[] = {
    { 1767225600, 720000, INIT_A, Y2026, NULL, 0, 0, 0, 0, 13755 },
    { 1767225601, 720000, INIT_A, Y2026 + 2000, NULL, 0, 0, 0, 0, 0 },
    { 1767225602, 720000, INIT_A, Y2026 + 4000, parts_ten, 10, 0, 0, 0,
      11040 }
};

static const ngx_media_m3u8_media_t  media_iframes = {
    .track = ngx_string("v1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .hold_back = 9000,
    .can_skip = 18000,
    .discontinuity = 1234,
    .segments = segments_iframes,
    .nsegments = 3,
    .hint_msn = 1767225603,
    .hint = 1,
    .independent = 1,
    .block = 1,
    .iframes = 1
};

static const char  text_iframes[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:5\n"
    "#EXT-X-I-FRAMES-ONLY\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18.000,"
        "HOLD-BACK=9.000,PART-HOLD-BACK=0.680\n"
    "#EXT-X-MEDIA-SEQUENCE:1767225600\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:1234\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "#EXT-X-BYTERANGE:13755@0\n"
    "v1/1767225600.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000Z\n"
    "#EXT-X-GAP\n"
    "#EXTINF:2.00000,\n"
    "v1/1767225601.m4s\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z\n"
    "#EXTINF:2.00000,\n"
    "#EXT-X-BYTERANGE:11040@0\n"
    "v1/1767225602.m4s\n";


static const ngx_media_m3u8_rendition_t  renditions[] = {
    { ngx_string("a1"), ngx_string("aac-2"), ngx_string("English"),
      ngx_string("en"), 2, 1 },
    { ngx_string("a2"), ngx_string("aac-2"), ngx_string("Deutsch"),
      ngx_string("de"), 2, 0 },
    { ngx_string("a3"), ngx_string("aac-6"), ngx_string("English"),
      ngx_string("en"), 6, 1 }
};


static const ngx_media_m3u8_variant_t  variants[] = {
    { ngx_string("v1"), ngx_string("avc1.640028,mp4a.40.2"),
      ngx_string("aac-2"), 5300000, 4100000, 1920, 1080, 29970,
      ngx_string("SDR") },
    { ngx_string("v2"), ngx_string("avc1.4d401f,mp4a.40.2"),
      ngx_string("aac-2"), 1500000, 0, 1280, 720, 25000, ngx_null_string },
    { ngx_string("v1"), ngx_string("avc1.640028,mp4a.40.2"),
      ngx_string("aac-6"), 5700000, 4400000, 1920, 1080, 29970,
      ngx_string("SDR") }
};


static const ngx_media_m3u8_variant_t  variants_iframes[] = {
    { ngx_string("v1"), ngx_string("avc1.640028"), ngx_null_string, 310000,
      0, 1920, 1080, 0, ngx_string("SDR") },
    { ngx_string("v2"), ngx_string("avc1.4d401f"), ngx_null_string, 90000,
      0, 1280, 720, 0, ngx_null_string }
};

static const ngx_media_m3u8_multi_t  multi_ladder = {
    TABLE(renditions), TABLE(variants), TABLE(variants_iframes), 1
};

static const char  text_ladder[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac-2\",NAME=\"English\","
        "LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\","
        "URI=\"a1.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac-2\",NAME=\"Deutsch\","
        "LANGUAGE=\"de\",AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a2.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac-6\",NAME=\"English\","
        "LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"6\","
        "URI=\"a3.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=5300000,AVERAGE-BANDWIDTH=4100000,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=SDR,FRAME-RATE=29.970,AUDIO=\"aac-2\"\n"
    "v1.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1500000,"
        "CODECS=\"avc1.4d401f,mp4a.40.2\",RESOLUTION=1280x720,"
        "FRAME-RATE=25.000,AUDIO=\"aac-2\"\n"
    "v2.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=5700000,AVERAGE-BANDWIDTH=4400000,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=SDR,FRAME-RATE=29.970,AUDIO=\"aac-6\"\n"
    "v1.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=310000,CODECS=\"avc1.640028\","
        "RESOLUTION=1920x1080,VIDEO-RANGE=SDR,URI=\"v1.iframes.m3u8\"\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,CODECS=\"avc1.4d401f\","
        "RESOLUTION=1280x720,URI=\"v2.iframes.m3u8\"\n";


static const ngx_media_m3u8_variant_t  variants_audio[] = {
    { ngx_string("a1"), ngx_string("mp4a.40.2"), ngx_null_string, 141000,
      128000, 0, 0, 0, ngx_null_string }
};


static const ngx_media_m3u8_multi_t  multi_audio = {
    NULL, 0, TABLE(variants_audio), NULL, 0, 0
};

static const char  text_audio[] =
    "#EXTM3U\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=141000,AVERAGE-BANDWIDTH=128000,"
        "CODECS=\"mp4a.40.2\"\n"
    "a1.m3u8\n";


/* a name cannot leave its quotes or its line */

static const ngx_media_m3u8_rendition_t  renditions_hostile[] = {
    { ngx_string("a1"), ngx_string("g\"\n"),
      ngx_string("a\"b\r\n#EXT-X-ENDLIST\x01,X=1"), ngx_null_string, 0, 0 },
    { ngx_string("a2"), ngx_string("g"), ngx_null_string,
      ngx_string("d\"e"), 1, 0 }
};


static const ngx_media_m3u8_variant_t  variants_hostile[] = {
    { ngx_string("v1"), ngx_string("av\"c1"), ngx_string("g\"\n"), 1, 0, 640,
      0, 0, ngx_null_string }
};


static const ngx_media_m3u8_multi_t  multi_hostile = {
    TABLE(renditions_hostile), TABLE(variants_hostile), NULL, 0, 0
};

static const char  text_hostile[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\","
        "NAME=\"ab#EXT-X-ENDLIST,X=1\",LANGUAGE=\"und\",AUTOSELECT=YES,"
        "URI=\"a1.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"a2\",LANGUAGE=\"de\","
        "AUTOSELECT=YES,CHANNELS=\"1\",URI=\"a2.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1\",AUDIO=\"g\"\n"
    "v1.m3u8\n";


static const ngx_media_m3u8_multi_t  multi_empty;

static const char  text_multi_empty[] =
    "#EXTM3U\n";


/* files, of which the names have a tag; segments of one file, no date-time */

static const ngx_media_m3u8_segment_t  segments_file[] = {
    { 0, 540000, 0, -1, NULL, 0, 0, 0, 0, 61100, 376 },
    { 1, 540540, 0, -1, NULL, 0, 0, 0, 0, 70000, 376 },
    { 2, 181260, 0, -1, NULL, 0, 1, 0, 0, 4512, 376 }
};


static const ngx_media_m3u8_media_t  media_ts = {
    .track = ngx_string("v1-a1"),
    .timescale = 90000,
    .target = 7,
    .segments = segments_file,
    .nsegments = 3,
    .independent = 1,
    .end = 1,
    .vod = 1,
    .container = NGX_MEDIA_M3U8_TS,
    .tag = ngx_string("5f3a90c1")
};

static const char  text_ts[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:7\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXTINF:6.00000,\n"
    "v1-a1/5f3a90c1-0.ts\n"
    "#EXTINF:6.00600,\n"
    "v1-a1/5f3a90c1-1.ts\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXTINF:2.01400,\n"
    "v1-a1/5f3a90c1-2.ts\n"
    "#EXT-X-ENDLIST\n";


/* 4.4.3.6: the tables, which are before the range, are not in it */

static const ngx_media_m3u8_media_t  media_ts_iframes = {
    .track = ngx_string("v1-a1"),
    .timescale = 90000,
    .target = 7,
    .segments = segments_file,
    .nsegments = 3,
    .end = 1,
    .vod = 1,
    .iframes = 1,
    .container = NGX_MEDIA_M3U8_TS
};

static const char  text_ts_iframes[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-I-FRAMES-ONLY\n"
    "#EXT-X-TARGETDURATION:7\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXTINF:6.00000,\n"
    "#EXT-X-BYTERANGE:61100@376\n"
    "v1-a1/0.ts\n"
    "#EXTINF:6.00600,\n"
    "#EXT-X-BYTERANGE:70000@376\n"
    "v1-a1/1.ts\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXTINF:2.01400,\n"
    "#EXT-X-BYTERANGE:4512@376\n"
    "v1-a1/2.ts\n"
    "#EXT-X-ENDLIST\n";


/* key frames of a file are resources of their own; the last is none */

static const ngx_media_m3u8_segment_t  segments_whole[] = {
    { 0, 540000, INIT_A, -1, NULL, 0, 0, 0, 0, 1, 0 },
    { 1, 540540, INIT_A, -1, NULL, 0, 0, 0, 0, 0, 0 }
};


static const ngx_media_m3u8_media_t  media_whole = {
    .track = ngx_string("k1"),
    .init_track = ngx_string("v1"),
    .timescale = 90000,
    .target = 7,
    .segments = segments_whole,
    .nsegments = 2,
    .end = 1,
    .vod = 1,
    .iframes = 1,
    .whole = 1,
    .tag = ngx_string("5f3a90c1")
};

static const char  text_whole[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:5\n"
    "#EXT-X-I-FRAMES-ONLY\n"
    "#EXT-X-TARGETDURATION:7\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXT-X-MAP:URI=\"v1/init-0123456789abcdef.mp4\"\n"
    "#EXTINF:6.00000,\n"
    "k1/5f3a90c1-0.m4s\n"
    "#EXT-X-GAP\n"
    "#EXTINF:6.00600,\n"
    "k1/5f3a90c1-1.m4s\n"
    "#EXT-X-ENDLIST\n";


/* text of a live stream, which has parts only where the store writes them */

static const ngx_media_m3u8_segment_t  segments_text[] = {
    { 20, 720000, INIT_A, Y2026, parts_ten, 10, 0, 0, 0 },
    { 21, 0, INIT_A, Y2026 + 2000, parts_two, 1, 0, 0, 1 }
};


static const ngx_media_m3u8_media_t  media_text = {
    .track = ngx_string("t1"),
    .timescale = 360000,
    .target = 3,
    .part_target = 2134,
    .part_hold_back = 680,
    .hold_back = 9000,
    .segments = segments_text,
    .nsegments = 2,
    .hint_msn = 21,
    .hint_part = 1,
    .hint = 1,
    .block = 1,
    .container = NGX_MEDIA_M3U8_VTT
};

static const char  text_text[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-TARGETDURATION:3\n"
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=9.000,"
        "PART-HOLD-BACK=0.680\n"
    "#EXT-X-MEDIA-SEQUENCE:20\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
    "#EXTINF:2.00000,\n"
    "t1/20.vtt\n";


/* a file that still grows */

static const ngx_media_m3u8_media_t  media_event = {
    .track = ngx_string("a1"),
    .timescale = 90000,
    .target = 7,
    .segments = segments_file,
    .nsegments = 2,
    .event = 1,
    .tag = ngx_string("5f3a90c1")
};

static const char  text_event[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-TARGETDURATION:7\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:EVENT\n"
    "#EXT-X-MAP:URI=\"a1/init-0000000000000000.mp4\"\n"
    "#EXTINF:6.00000,\n"
    "a1/5f3a90c1-0.m4s\n"
    "#EXTINF:6.00600,\n"
    "a1/5f3a90c1-1.m4s\n";


/* MPEG-TS: the default audio is in the variants */

static const ngx_media_m3u8_rendition_t  renditions_ts[] = {
    {
        .track = ngx_string("a1"),
        .group = ngx_string("aac-2"),
        .name = ngx_string("English"),
        .lang = ngx_string("en"),
        .channels = 2,
        .is_default = 1,
        .muxed = 1
    },
    {
        .track = ngx_string("a2"),
        .group = ngx_string("aac-2"),
        .name = ngx_string("Deutsch"),
        .lang = ngx_string("de"),
        .channels = 2,
        .manual = 1
    },
    {
        .track = ngx_string("t1"),
        .group = ngx_string("text"),
        .name = ngx_string("English"),
        .lang = ngx_string("en"),
        .is_default = 1,
        .type = NGX_MEDIA_M3U8_SUBTITLES
    },
    {
        .track = ngx_string("t2"),
        .group = ngx_string("text"),
        .name = ngx_string("English (forced)"),
        .lang = ngx_string("en"),
        .forced = 1,
        .type = NGX_MEDIA_M3U8_SUBTITLES,
        .characteristics = ngx_string("public.accessibility.describes-music")
    },
    {
        .group = ngx_string("cc"),
        .name = ngx_string("CC1"),
        .lang = ngx_string("en"),
        .type = NGX_MEDIA_M3U8_CAPTIONS,
        .instream = ngx_string("CC1")
    }
};


static const ngx_media_m3u8_variant_t  variants_ts[] = {
    {
        .track = ngx_string("v1-a1"),
        .codecs = ngx_string("avc1.640028,mp4a.40.2"),
        .audio = ngx_string("aac-2"),
        .bandwidth = 5300000,
        .average = 4100000,
        .width = 1920,
        .height = 1080,
        .fps = 25000,
        .subtitles = ngx_string("text"),
        .captions = ngx_string("cc")
    }
};


static const ngx_media_m3u8_variant_t  variants_ts_iframes[] = {
    {
        .track = ngx_string("v1-a1"),
        .codecs = ngx_string("avc1.640028"),
        .bandwidth = 310000,
        .width = 1920,
        .height = 1080
    }
};


static const ngx_media_m3u8_multi_t  multi_ts = {
    TABLE(renditions_ts), TABLE(variants_ts), TABLE(variants_ts_iframes), 1, 1
};

static const char  text_multi_ts[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac-2\",NAME=\"English\","
        "LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac-2\",NAME=\"Deutsch\","
        "LANGUAGE=\"de\",CHANNELS=\"2\","
        "URI=\"a2.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"English\","
        "LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,URI=\"t1.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\","
        "NAME=\"English (forced)\",LANGUAGE=\"en\",AUTOSELECT=YES,"
        "FORCED=YES,"
        "CHARACTERISTICS=\"public.accessibility.describes-music\","
        "URI=\"t2.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"CC1\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,INSTREAM-ID=\"CC1\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=5300000,AVERAGE-BANDWIDTH=4100000,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "FRAME-RATE=25.000,AUDIO=\"aac-2\",SUBTITLES=\"text\","
        "CLOSED-CAPTIONS=\"cc\"\n"
    "v1-a1.ts.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=310000,CODECS=\"avc1.640028\","
        "RESOLUTION=1920x1080,URI=\"v1-a1.ts.iframes.m3u8\"\n";


/* HDR; captions of the newer kind, and none at all */

static const ngx_media_m3u8_rendition_t  renditions_service[] = {
    {
        .group = ngx_string("cc"),
        .name = ngx_string("English"),
        .lang = ngx_string("en"),
        .type = NGX_MEDIA_M3U8_CAPTIONS,
        .instream = ngx_string("SERVICE1")
    }
};


static const ngx_media_m3u8_variant_t  variants_hdr[] = {
    {
        .track = ngx_string("v1"),
        .codecs = ngx_string("hvc1.2.4.L150.90"),
        .bandwidth = 9000000,
        .width = 3840,
        .height = 2160,
        .range = ngx_string("PQ"),
        .supplemental = ngx_string("dvh1.08.07/db4h"),
        .captions = ngx_string("cc")
    },
    {
        .track = ngx_string("v2"),
        .codecs = ngx_string("avc1.640028"),
        .bandwidth = 900000,
        .range = ngx_string("SDR"),
        .captions = ngx_string("cc")
    }
};


static const ngx_media_m3u8_multi_t  multi_hdr = {
    TABLE(renditions_service), TABLE(variants_hdr), NULL, 0, 1
};

static const char  text_hdr[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:7\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"cc\",NAME=\"English\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,INSTREAM-ID=\"SERVICE1\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=9000000,CODECS=\"hvc1.2.4.L150.90\","
        "SUPPLEMENTAL-CODECS=\"dvh1.08.07/db4h\",RESOLUTION=3840x2160,"
        "VIDEO-RANGE=PQ,CLOSED-CAPTIONS=\"cc\"\n"
    "v1.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"avc1.640028\","
        "VIDEO-RANGE=SDR,CLOSED-CAPTIONS=\"cc\"\n"
    "v2.m3u8\n";


static const ngx_media_m3u8_variant_t  variants_none[] = {
    {
        .track = ngx_string("v1"),
        .codecs = ngx_string("avc1.640028"),
        .bandwidth = 900000,
        .captions = ngx_string("NONE")
    }
};


static const ngx_media_m3u8_multi_t  multi_none = {
    NULL, 0, TABLE(variants_none), NULL, 0, 0
};

static const char  text_none[] =
    "#EXTM3U\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"avc1.640028\","
        "CLOSED-CAPTIONS=NONE\n"
    "v1.m3u8\n";


static const test_case_t  cases[] = {
    { "live", &media_live, NULL, text_live },
    { "start", &media_start, NULL, text_start },
    { "delta", &media_delta, NULL, text_delta },
    { "delta-all", &media_delta_all, NULL, text_delta_all },
    { "delta-none", &media_delta_none, NULL, text_delta_none },
    { "change", &media_change, NULL, text_change },
    { "cut", &media_cut, NULL, text_cut },
    { "first", &media_first, NULL, text_first },
    { "iframes", &media_iframes, NULL, text_iframes },
    { "empty", &media_empty, NULL, text_empty },
    { "end", &media_end, NULL, text_end },
    { "plain", &media_plain, NULL, text_plain },
    { "gap", &media_gap, NULL, text_gap },
    { "rounding", &media_rounding, NULL, text_rounding },
    { "vod", &media_vod, NULL, text_vod },
    { "ts", &media_ts, NULL, text_ts },
    { "whole", &media_whole, NULL, text_whole },
    { "ts-iframes", &media_ts_iframes, NULL, text_ts_iframes },
    { "text", &media_text, NULL, text_text },
    { "event", &media_event, NULL, text_event },
    { "multi-ladder", NULL, &multi_ladder, text_ladder },
    { "multi-audio", NULL, &multi_audio, text_audio },
    { "multi-hostile", NULL, &multi_hostile, text_hostile },
    { "multi-ts", NULL, &multi_ts, text_multi_ts },
    { "multi-hdr", NULL, &multi_hdr, text_hdr },
    { "multi-none", NULL, &multi_none, text_none },
    { "multi-empty", NULL, &multi_empty, text_multi_empty }
};


static size_t
write_case(const test_case_t *test, u_char *p, size_t size)
{
    if (test->media) {
        return ngx_media_m3u8_write_media(p, size, test->media);
    }

    return ngx_media_m3u8_write_multi(p, size, test->multi);
}


/* the same length for every room there is, and no byte outside of it */

static void
check_case(const test_case_t *test)
{
    size_t   i, len;
    u_char  *p;

    len = write_case(test, NULL, 0);
    is(len, strlen(test->expected), "%s: size pass", test->name);

    p = malloc(len);
    is(write_case(test, p, len), len, "%s: write pass", test->name);
    is_text(p, len, test->expected, "%s: text", test->name);
    free(p);

    for (i = 0; i < len; i++) {
        p = malloc(i ? i : 1);

        if (write_case(test, p, i) != len) {
            free(p);
            break;
        }

        free(p);
    }

    is(i, len, "%s: bounded", test->name);
}


int
main(int argc, char **argv)
{
    size_t   i, len;
    u_char  *p;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (argc < 2) {
            check_case(&cases[i]);
            continue;
        }

        if (strcmp(argv[1], "--list") == 0) {
            printf("%s\n", cases[i].name);
            continue;
        }

        if (strcmp(argv[1], cases[i].name) == 0) {
            len = write_case(&cases[i], NULL, 0);
            p = malloc(len);
            write_case(&cases[i], p, len);
            fwrite(p, 1, len, stdout);
            free(p);
        }
    }

    return argc < 2 ? done() : 0;
}
