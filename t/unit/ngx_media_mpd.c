
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/* link: formats/ngx_media_mpd.c formats/ngx_media_text.c */


/*
 * Whole manifests, line by line.  t/manifest.t runs this program with the
 * name of a case to hand its text to other people's parsers, and with
 * "--list" for the names.
 */


#include "formats/ngx_media_frame.h"
#include "formats/ngx_media_mpd.h"
#include "tap.h"


/* tables say what is not zero */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"


#define TABLE(a)  a, sizeof(a) / sizeof(a[0])

#define INIT_A    0x0123456789abcdefull
#define INIT_B    0xfedcba9876543210ull

/* 2026-01-01T00:00:00Z in s, and on the lines of video and of audio */
#define EPOCH     1767225600ull
#define VIDEO(s)  (EPOCH * 360000 + (s))
#define AUDIO(s)  (EPOCH * 48000 + (s))


typedef struct {
    const char                     *name;
    const ngx_media_mpd_t          *mpd;
    const char                     *expected;
} test_case_t;


/* video of one GOP each 2 s; audio near it, 93 or 94 frames each */

static const ngx_media_mpd_segment_t  segments_video[] = {
    { VIDEO(0), 720000 },
    { VIDEO(720000), 720000 },
    { VIDEO(1440000), 720000 }
};


static const ngx_media_mpd_segment_t  segments_audio[] = {
    { AUDIO(512), 95232 },
    { AUDIO(95744), 96256 },
    { AUDIO(192000), 96256 }
};


static const ngx_media_mpd_representation_t  video_live[] = {
    {
        .track = ngx_string("v1"),
        .codecs = ngx_string("avc1.640028"),
        .bandwidth = 5300000,
        .init = INIT_A,
        .timescale = 360000,
        .offset = VIDEO(0),
        .width = 1920,
        .height = 1080,
        .sar_num = 1,
        .sar_den = 1,
        .fps_num = 25,
        .fps_den = 1,
        .number = 1767225600,
        .segments = segments_video,
        .nsegments = 3
    }
};


static const ngx_media_mpd_representation_t  audio_live[] = {
    {
        .track = ngx_string("a1"),
        .codecs = ngx_string("mp4a.40.2"),
        .bandwidth = 140000,
        .init = INIT_B,
        .timescale = 48000,
        .offset = AUDIO(0),
        .sample_rate = 48000,
        .channels = 2,
        .channel_config = 2,
        .number = 1767225600,
        .segments = segments_audio,
        .nsegments = 3
    }
};


static const ngx_media_mpd_set_t  sets_live[] = {
    {
        .id = 1,
        .type = NGX_MEDIA_VIDEO,
        .role = ngx_string("main"),
        .representations = video_live,
        .nrepresentations = 1,
        .sap = 1
    },
    {
        .id = 2,
        .type = NGX_MEDIA_AUDIO,
        .lang = ngx_string("de"),
        .label = ngx_string("Deutsch & <mehr>"),
        .role = ngx_string("main"),
        .representations = audio_live,
        .nrepresentations = 1,
        .sap = 1
    }
};


static const ngx_media_mpd_period_t  periods_live[] = {
    { EPOCH, EPOCH * 1000, -1, TABLE(sets_live), 0 }
};


static const ngx_media_mpd_t  mpd_live = {
    .publish_time = EPOCH * 1000 + 6000,
    .update = 2000,
    .min_buffer = 2000,
    .depth = 60000,
    .delay = 6000,
    .max_segment = 3000,
    .duration = -1,
    .now = EPOCH * 1000 + 6123,
    .time_url = ngx_string("/live/time?a=1&b=\"2\""),
    .periods = periods_live,
    .nperiods = 1,
    .dynamic = 1
};

static const char  text_live[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
        " profiles=\"urn:mpeg:dash:profile:isoff-live:2011\""
        " type=\"dynamic\""
        " availabilityStartTime=\"1970-01-01T00:00:00Z\""
        " publishTime=\"2026-01-01T00:00:06.000Z\""
        " minimumUpdatePeriod=\"PT2S\""
        " timeShiftBufferDepth=\"PT60S\""
        " suggestedPresentationDelay=\"PT6S\""
        " maxSegmentDuration=\"PT3S\""
        " minBufferTime=\"PT2S\">\n"
    "  <Period id=\"1767225600\" start=\"PT1767225600S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\""
        " maxFrameRate=\"25\" par=\"16:9\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n"
    "      <Representation id=\"v1\" bandwidth=\"5300000\""
        " codecs=\"avc1.640028\" width=\"1920\" height=\"1080\" sar=\"1:1\""
        " frameRate=\"25\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " presentationTimeOffset=\"636201216000000\""
        " initialization=\"v1/init-0123456789abcdef.mp4\""
        " media=\"v1/$Number$.m4s\" startNumber=\"1767225600\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"636201216000000\" d=\"720000\" r=\"2\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"2\" contentType=\"audio\""
        " mimeType=\"audio/mp4\" lang=\"de\" segmentAlignment=\"true\""
        " startWithSAP=\"1\">\n"
    "      <Label>Deutsch &amp; &lt;mehr&gt;</Label>\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n"
    "      <Representation id=\"a1\" bandwidth=\"140000\""
        " codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration"
        " schemeIdUri=\"urn:mpeg:mpegB:cicp:ChannelConfiguration\""
        " value=\"2\"/>\n"
    "        <SegmentTemplate timescale=\"48000\""
        " presentationTimeOffset=\"84826828800000\""
        " initialization=\"a1/init-fedcba9876543210.mp4\""
        " media=\"a1/$Number$.m4s\" startNumber=\"1767225600\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"84826828800512\" d=\"95232\"/>\n"
    "            <S d=\"96256\" r=\"1\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\""
        " value=\"/live/time?a=1&amp;b=&quot;2&quot;\"/>\n"
    "  <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\""
        " value=\"2026-01-01T00:00:06.123Z\"/>\n"
    "</MPD>\n";


/*
 * Two periods: the second continues the sets of the first on another line,
 * and its key frames are too far apart for numbers.  A ladder of anamorphic
 * and square pixels, of one picture shape.
 */

static const ngx_media_mpd_segment_t  segments_run[] = {
    { VIDEO(2160000), 3600000 },
    { VIDEO(5760000), 3600000 },
    { VIDEO(9720000), 3600000 },
    { VIDEO(13320000), 3600001 }
};


static const ngx_media_mpd_representation_t  video_run[] = {
    {
        .track = ngx_string("v1"),
        .codecs = ngx_string("avc1.640028"),
        .bandwidth = 5300000,
        .init = INIT_A,
        .timescale = 360000,
        .offset = VIDEO(2160000),
        .width = 1440,
        .height = 1080,
        .sar_num = 8,
        .sar_den = 6,
        .fps_num = 60000,
        .fps_den = 2002,
        .segments = segments_run,
        .nsegments = 4,
        .by_time = 1
    },
    {
        .track = ngx_string("v2"),
        .codecs = ngx_string("avc1.4d401f"),
        .bandwidth = 1500000,
        .init = INIT_B,
        .timescale = 360000,
        .offset = VIDEO(2160000),
        .width = 1280,
        .height = 720,
        .fps_num = 120000,
        .fps_den = 4004,
        .segments = segments_run,
        .nsegments = 2,
        .by_time = 1
    }
};


static const ngx_media_mpd_representation_t  audio_pce[] = {
    {
        .track = ngx_string("a1"),
        .codecs = ngx_string("mp4a.40.2"),
        .bandwidth = 140000,
        .init = INIT_B,
        .timescale = 48000,
        .offset = AUDIO(288000),
        .sample_rate = 48000,
        .channels = 6,
        .number = 1767225603,
        .segments = segments_audio,
        .nsegments = 1
    }
};


static const ngx_media_mpd_set_t  sets_second[] = {
    {
        .id = 1,
        .type = NGX_MEDIA_VIDEO,
        .representations = video_run,
        .nrepresentations = 2,
        .sap = 2,
        .connectivity = 1
    },
    {
        .id = 2,
        .type = NGX_MEDIA_AUDIO,
        .representations = audio_pce,
        .nrepresentations = 1,
        .connectivity = 1,
        .unaligned = 1
    }
};


static const ngx_media_mpd_period_t  periods_two[] = {
    { EPOCH, EPOCH * 1000, 6000, sets_live, 1, 0 },
    { EPOCH + 3, EPOCH * 1000 + 6480, 40250, TABLE(sets_second), EPOCH }
};


/* final: no update any more, the last period has its duration */

static const ngx_media_mpd_t  mpd_periods = {
    .publish_time = EPOCH * 1000 + 46730,
    .min_buffer = 2500,
    .depth = 60000,
    .max_segment = 10010,
    .duration = -1,
    .now = -1,
    .periods = periods_two,
    .nperiods = 2,
    .dynamic = 1
};

static const char  text_periods[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
        " profiles=\"urn:mpeg:dash:profile:isoff-live:2011\""
        " type=\"dynamic\""
        " availabilityStartTime=\"1970-01-01T00:00:00Z\""
        " publishTime=\"2026-01-01T00:00:46.730Z\""
        " timeShiftBufferDepth=\"PT60S\""
        " maxSegmentDuration=\"PT10.01S\""
        " minBufferTime=\"PT2.5S\">\n"
    "  <Period id=\"1767225600\" start=\"PT1767225600S\""
        " duration=\"PT6S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\""
        " maxFrameRate=\"25\" par=\"16:9\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n"
    "      <Representation id=\"v1\" bandwidth=\"5300000\""
        " codecs=\"avc1.640028\" width=\"1920\" height=\"1080\" sar=\"1:1\""
        " frameRate=\"25\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " presentationTimeOffset=\"636201216000000\""
        " initialization=\"v1/init-0123456789abcdef.mp4\""
        " media=\"v1/$Number$.m4s\" startNumber=\"1767225600\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"636201216000000\" d=\"720000\" r=\"2\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "  <Period id=\"1767225603\" start=\"PT1767225606.48S\""
        " duration=\"PT40.25S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " startWithSAP=\"2\" maxWidth=\"1440\" maxHeight=\"1080\""
        " maxFrameRate=\"30000/1001\" par=\"16:9\">\n"
    "      <SupplementalProperty"
        " schemeIdUri=\"urn:mpeg:dash:period-connectivity:2015\""
        " value=\"1767225600\"/>\n"
    "      <Representation id=\"v1\" bandwidth=\"5300000\""
        " codecs=\"avc1.640028\" width=\"1440\" height=\"1080\" sar=\"4:3\""
        " frameRate=\"30000/1001\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " presentationTimeOffset=\"636201218160000\""
        " initialization=\"v1/init-0123456789abcdef.mp4\""
        " media=\"v1/t$Time$.m4s\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"636201218160000\" d=\"3600000\" r=\"1\"/>\n"
    "            <S t=\"636201225720000\" d=\"3600000\"/>\n"
    "            <S d=\"3600001\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "      <Representation id=\"v2\" bandwidth=\"1500000\""
        " codecs=\"avc1.4d401f\" width=\"1280\" height=\"720\" sar=\"1:1\""
        " frameRate=\"30000/1001\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " presentationTimeOffset=\"636201218160000\""
        " initialization=\"v2/init-fedcba9876543210.mp4\""
        " media=\"v2/t$Time$.m4s\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"636201218160000\" d=\"3600000\" r=\"1\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"2\" contentType=\"audio\""
        " mimeType=\"audio/mp4\" segmentAlignment=\"false\">\n"
    "      <SupplementalProperty"
        " schemeIdUri=\"urn:mpeg:dash:period-connectivity:2015\""
        " value=\"1767225600\"/>\n"
    "      <Representation id=\"a1\" bandwidth=\"140000\""
        " codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration schemeIdUri=\""
        "urn:mpeg:dash:23003:3:audio_channel_configuration:2011\""
        " value=\"6\"/>\n"
    "        <SegmentTemplate timescale=\"48000\""
        " presentationTimeOffset=\"84826829088000\""
        " initialization=\"a1/init-fedcba9876543210.mp4\""
        " media=\"a1/$Number$.m4s\" startNumber=\"1767225603\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"84826828800512\" d=\"95232\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";


/*
 * Static: no clock, time from zero.  What is unknown is left out: frame rate,
 * channels, one of two sizes; shapes that differ have no par.
 */

static const ngx_media_mpd_segment_t  segments_static[] = {
    { 0, 720000 }, { 720000, 720000 }, { 1440000, 360000 }
};


static const ngx_media_mpd_representation_t  video_static[] = {
    {
        .track = ngx_string("v1"),
        .codecs = ngx_string("hvc1.1.6.L93.B0"),
        .bandwidth = 3000000,
        .init = INIT_A,
        .timescale = 360000,
        .width = 640,
        .height = 480,
        .fps_num = 24000,
        .fps_den = 1001,
        .number = 0,
        .segments = segments_static,
        .nsegments = 3
    },
    {
        .track = ngx_string("v2"),
        .codecs = ngx_string("hvc1.1.6.L90.B0"),
        .bandwidth = 1000000,
        .init = INIT_A,
        .timescale = 360000,
        .width = 640,
        .height = 360,
        .fps_num = 12,
        .segments = segments_static,
        .nsegments = 1
    },
    {
        .track = ngx_string("v3"),
        .bandwidth = 500000,
        .init = INIT_A,
        .timescale = 360000,
        .width = 640,
        .segments = segments_static,
        .nsegments = 1
    }
};


static const ngx_media_mpd_representation_t  audio_static[] = {
    {
        .track = ngx_string("a1"),
        .codecs = ngx_string("mp4a.40.2"),
        .bandwidth = 300000,
        .init = INIT_B,
        .timescale = 44100,
        .channels = 8,
        .segments = segments_static,
        .nsegments = 0
    }
};


static const ngx_media_mpd_set_t  sets_static[] = {
    {
        .id = 1,
        .type = NGX_MEDIA_VIDEO,
        .representations = video_static,
        .nrepresentations = 3,
        .sap = 1
    },
    {
        .id = 2,
        .type = NGX_MEDIA_AUDIO,
        .representations = audio_static,
        .nrepresentations = 1
    },
    {
        .id = 3,
        .type = 99,
        .lang = ngx_string("zh-Hant-TW")
    }
};


static const ngx_media_mpd_period_t  periods_static[] = {
    { 0, 0, -1, TABLE(sets_static), 0 }
};


static const ngx_media_mpd_t  mpd_static = {
    .publish_time = 1,
    .update = 2000,
    .min_buffer = 2000,
    .depth = 60000,
    .delay = 6000,
    .duration = 5001,
    .now = 1,
    .time_url = ngx_string("/time"),
    .periods = periods_static,
    .nperiods = 1
};

static const char  text_static[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
        " profiles=\"urn:mpeg:dash:profile:isoff-live:2011\""
        " type=\"static\""
        " mediaPresentationDuration=\"PT5.001S\""
        " minBufferTime=\"PT2S\">\n"
    "  <Period id=\"0\" start=\"PT0S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " startWithSAP=\"1\" maxWidth=\"640\" maxHeight=\"480\""
        " maxFrameRate=\"24000/1001\">\n"
    "      <Representation id=\"v1\" bandwidth=\"3000000\""
        " codecs=\"hvc1.1.6.L93.B0\" width=\"640\" height=\"480\""
        " sar=\"1:1\" frameRate=\"24000/1001\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " initialization=\"v1/init-0123456789abcdef.mp4\""
        " media=\"v1/$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"720000\" r=\"1\"/>\n"
    "            <S d=\"360000\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "      <Representation id=\"v2\" bandwidth=\"1000000\""
        " codecs=\"hvc1.1.6.L90.B0\" width=\"640\" height=\"360\""
        " sar=\"1:1\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " initialization=\"v2/init-0123456789abcdef.mp4\""
        " media=\"v2/$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"720000\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "      <Representation id=\"v3\" bandwidth=\"500000\">\n"
    "        <SegmentTemplate timescale=\"360000\""
        " initialization=\"v3/init-0123456789abcdef.mp4\""
        " media=\"v3/$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"720000\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"2\" contentType=\"audio\""
        " mimeType=\"audio/mp4\" segmentAlignment=\"true\">\n"
    "      <Representation id=\"a1\" bandwidth=\"300000\""
        " codecs=\"mp4a.40.2\">\n"
    "        <SegmentTemplate timescale=\"44100\""
        " initialization=\"a1/init-fedcba9876543210.mp4\""
        " media=\"a1/$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"3\" contentType=\"text\""
        " mimeType=\"application/mp4\" lang=\"zh-Hant-TW\""
        " segmentAlignment=\"true\">\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";


/* the largest of everything */

static const ngx_media_mpd_segment_t  segments_max[] = {
    { 18446744073709551615ull, 18446744073709551615ull },
    { 18446744073709551614ull, 18446744073709551615ull },
    { 0, 1 }, { 1, 0 }, { 1, 0 }
};


static const ngx_media_mpd_representation_t  video_max[] = {
    {
        .track = ngx_string("v4294967295"),
        .bandwidth = 18446744073709551615ull,
        .init = 18446744073709551615ull,
        .timescale = 4294967295u,
        .offset = 18446744073709551615ull,
        .width = 4294967295u,
        .height = 4294967295u,
        .sar_num = 4294967295u,
        .sar_den = 4294967294u,
        .fps_num = 4294967295u,
        .fps_den = 4294967294u,
        .number = 18446744073709551615ull,
        .segments = segments_max,
        .nsegments = 5
    }
};


static const ngx_media_mpd_set_t  sets_max[] = {
    {
        .id = 4294967295u,
        .type = NGX_MEDIA_VIDEO,
        .representations = video_max,
        .nrepresentations = 1
    }
};


static const ngx_media_mpd_period_t  periods_max[] = {
    { 18446744073709551615ull, 9223372036854775807ll, 9223372036854775807ll,
      TABLE(sets_max), 18446744073709551615ull }
};


static const ngx_media_mpd_t  mpd_max = {
    .publish_time = 253402300799999ll,
    .update = 4294967295u,
    .min_buffer = 4294967295u,
    .duration = -1,
    .now = -1,
    .periods = periods_max,
    .nperiods = 1,
    .dynamic = 1
};

static const char  text_max[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
        " profiles=\"urn:mpeg:dash:profile:isoff-live:2011\""
        " type=\"dynamic\""
        " availabilityStartTime=\"1970-01-01T00:00:00Z\""
        " publishTime=\"9999-12-31T23:59:59.999Z\""
        " minimumUpdatePeriod=\"PT4294967.295S\""
        " minBufferTime=\"PT4294967.295S\">\n"
    "  <Period id=\"18446744073709551615\""
        " start=\"PT9223372036854775.807S\""
        " duration=\"PT9223372036854775.807S\">\n"
    "    <AdaptationSet id=\"4294967295\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " maxWidth=\"4294967295\" maxHeight=\"4294967295\""
        " maxFrameRate=\"4294967295/4294967294\""
        " par=\"4294967295:4294967294\">\n"
    "      <Representation id=\"v4294967295\""
        " bandwidth=\"18446744073709551615\" width=\"4294967295\""
        " height=\"4294967295\" sar=\"4294967295:4294967294\""
        " frameRate=\"4294967295/4294967294\">\n"
    "        <SegmentTemplate timescale=\"4294967295\""
        " presentationTimeOffset=\"18446744073709551615\""
        " initialization=\"v4294967295/init-ffffffffffffffff.mp4\""
        " media=\"v4294967295/$Number$.m4s\""
        " startNumber=\"18446744073709551615\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"18446744073709551615\" d=\"18446744073709551615\""
        " r=\"1\"/>\n"
    "            <S t=\"0\" d=\"1\"/>\n"
    "            <S d=\"0\" r=\"1\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";


/*
 * A file: HDR with Dolby Vision below it, its trick mode, captions in the
 * video, text in segments and as a whole, thumbnails.
 */

static const ngx_media_mpd_segment_t  segments_file[] = {
    { 0, 540000 }, { 540000, 540000 }, { 1080000, 181260 }
};


static const ngx_media_mpd_segment_t  segments_text[] = {
    { 0, 6000 }, { 6000, 6000 }, { 12000, 2014 }
};


static const ngx_media_mpd_representation_t  video_file[] = {
    {
        .track = ngx_string("v1"),
        .codecs = ngx_string("hvc1.2.4.L150.90"),
        .bandwidth = 9000000,
        .init = INIT_A,
        .timescale = 90000,
        .width = 3840,
        .height = 2160,
        .fps_num = 24000,
        .fps_den = 1001,
        .segments = segments_file,
        .nsegments = 3,
        .tag = ngx_string("5f3a90c1"),
        .supplemental = ngx_string("dvh1.08.07"),
        .profiles = ngx_string("db4h")
    }
};


static const ngx_media_mpd_representation_t  trick_file[] = {
    {
        .track = ngx_string("k1"),
        .init_track = ngx_string("v1"),
        .codecs = ngx_string("hvc1.2.4.L150.90"),
        .bandwidth = 400000,
        .init = INIT_A,
        .timescale = 90000,
        .width = 3840,
        .height = 2160,
        .segments = segments_file,
        .nsegments = 3,
        .tag = ngx_string("5f3a90c1"),
        .play_rate = 48
    }
};


static const ngx_media_mpd_representation_t  text_segments_file[] = {
    {
        .track = ngx_string("t1"),
        .codecs = ngx_string("wvtt"),
        .bandwidth = 1000,
        .init = INIT_B,
        .timescale = 1000,
        .segments = segments_text,
        .nsegments = 3,
        .tag = ngx_string("5f3a90c1")
    }
};


static const ngx_media_mpd_representation_t  text_whole_file[] = {
    {
        .track = ngx_string("t2"),
        .bandwidth = 1000,
        .timescale = 1000,
        .file = ngx_string("t2/5f3a90c1.vtt?a=1&b=2")
    }
};


static const ngx_media_mpd_representation_t  image_file[] = {
    {
        .track = ngx_string("i1"),
        .bandwidth = 12000,
        .timescale = 1000,
        .width = 3200,
        .height = 900,
        .number = 0,
        .tag = ngx_string("5f3a90c1"),
        .tiles_x = 10,
        .tiles_y = 5,
        .duration = 500000
    }
};


static const ngx_media_mpd_set_t  sets_file[] = {
    {
        .id = 1,
        .type = NGX_MEDIA_VIDEO,
        .role = ngx_string("main"),
        .representations = video_file,
        .nrepresentations = 1,
        .sap = 1,
        .switching = ngx_string("6"),
        .inband = ngx_string("https://aomedia.org/emsg/ID3"),
        .captions = ngx_string("CC1=eng"),
        .captions_708 = ngx_string("1=lang:eng"),
        .primaries = 9,
        .transfer = 16,
        .matrix = 9
    },
    {
        .id = 2,
        .type = NGX_MEDIA_VIDEO,
        .representations = trick_file,
        .nrepresentations = 1,
        .sap = 1,
        .trick = 1,
        .main = 1
    },
    {
        .id = 3,
        .type = NGX_MEDIA_TEXT,
        .lang = ngx_string("en"),
        .role = ngx_string("subtitle"),
        .representations = text_segments_file,
        .nrepresentations = 1
    },
    {
        .id = 4,
        .type = NGX_MEDIA_TEXT,
        .lang = ngx_string("de"),
        .role = ngx_string("forced-subtitle"),
        .representations = text_whole_file,
        .nrepresentations = 1,
        .mime = ngx_string("text/vtt")
    },
    {
        .id = 5,
        .type = NGX_MEDIA_MPD_IMAGE,
        .representations = image_file,
        .nrepresentations = 1
    }
};


static const ngx_media_mpd_period_t  periods_file[] = {
    { 0, 0, -1, TABLE(sets_file), 0 }
};


static const ngx_media_mpd_t  mpd_file = {
    .min_buffer = 2000,
    .duration = 14014,
    .now = -1,
    .periods = periods_file,
    .nperiods = 1
};

static const char  text_file[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
        " xmlns:scte214=\"urn:scte:dash:scte214-extensions\""
        " profiles=\"urn:mpeg:dash:profile:isoff-live:2011\""
        " type=\"static\" mediaPresentationDuration=\"PT14.014S\""
        " minBufferTime=\"PT2S\">\n"
    "  <Period id=\"0\" start=\"PT0S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " startWithSAP=\"1\" maxWidth=\"3840\" maxHeight=\"2160\""
        " maxFrameRate=\"24000/1001\" par=\"16:9\">\n"
    "      <SupplementalProperty"
        " schemeIdUri=\"urn:mpeg:mpegB:cicp:ColourPrimaries\""
        " value=\"9\"/>\n"
    "      <SupplementalProperty"
        " schemeIdUri=\"urn:mpeg:mpegB:cicp:TransferCharacteristics\""
        " value=\"16\"/>\n"
    "      <SupplementalProperty"
        " schemeIdUri=\"urn:mpeg:mpegB:cicp:MatrixCoefficients\""
        " value=\"9\"/>\n"
    "      <SupplementalProperty"
        " schemeIdUri=\"urn:mpeg:dash:adaptation-set-switching:2016\""
        " value=\"6\"/>\n"
    "      <InbandEventStream"
        " schemeIdUri=\"https://aomedia.org/emsg/ID3\"/>\n"
    "      <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-608:2015\""
        " value=\"CC1=eng\"/>\n"
    "      <Accessibility schemeIdUri=\"urn:scte:dash:cc:cea-708:2015\""
        " value=\"1=lang:eng\"/>\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>\n"
    "      <Representation id=\"v1\" bandwidth=\"9000000\""
        " codecs=\"hvc1.2.4.L150.90\""
        " scte214:supplementalCodecs=\"dvh1.08.07\""
        " scte214:supplementalProfiles=\"db4h\""
        " width=\"3840\" height=\"2160\" sar=\"1:1\""
        " frameRate=\"24000/1001\">\n"
    "        <SegmentTemplate timescale=\"90000\""
        " initialization=\"v1/init-0123456789abcdef.mp4\""
        " media=\"v1/5f3a90c1-$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"2\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\""
        " startWithSAP=\"1\" maxWidth=\"3840\" maxHeight=\"2160\""
        " par=\"16:9\">\n"
    "      <EssentialProperty"
        " schemeIdUri=\"http://dashif.org/guidelines/trickmode\""
        " value=\"1\"/>\n"
    "      <Representation id=\"k1\" bandwidth=\"400000\""
        " codecs=\"hvc1.2.4.L150.90\" width=\"3840\" height=\"2160\""
        " sar=\"1:1\" maxPlayoutRate=\"48\" codingDependency=\"false\">\n"
    "        <SegmentTemplate timescale=\"90000\""
        " initialization=\"v1/init-0123456789abcdef.mp4\""
        " media=\"k1/5f3a90c1-$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"3\" contentType=\"text\""
        " mimeType=\"application/mp4\" lang=\"en\""
        " segmentAlignment=\"true\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\""
        " value=\"subtitle\"/>\n"
    "      <Representation id=\"t1\" bandwidth=\"1000\" codecs=\"wvtt\">\n"
    "        <SegmentTemplate timescale=\"1000\""
        " initialization=\"t1/init-fedcba9876543210.mp4\""
        " media=\"t1/5f3a90c1-$Number$.m4s\" startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"6000\" r=\"1\"/>\n"
    "            <S d=\"2014\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"4\" contentType=\"text\""
        " mimeType=\"text/vtt\" lang=\"de\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\""
        " value=\"forced-subtitle\"/>\n"
    "      <Representation id=\"t2\" bandwidth=\"1000\">\n"
    "        <BaseURL>t2/5f3a90c1.vtt?a=1&amp;b=2</BaseURL>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"5\" contentType=\"image\""
        " mimeType=\"image/jpeg\">\n"
    "      <Representation id=\"i1\" bandwidth=\"12000\" width=\"3200\""
        " height=\"900\">\n"
    "        <EssentialProperty"
        " schemeIdUri=\"http://dashif.org/guidelines/thumbnail_tile\""
        " value=\"10x5\"/>\n"
    "        <SegmentTemplate timescale=\"1000\" duration=\"500000\""
        " media=\"i1/5f3a90c1-$Number$.jpg\" startNumber=\"0\"/>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";


/* a file whose third segment goes on: numbers are not in a row */

static const ngx_media_mpd_segment_t  segments_list[] = {
    { 5400, 540000, 0 }, { 545400, 540000, 1 }, { 1085400, 1080000, 3 }
};


static const ngx_media_mpd_representation_t  video_list[] = {
    {
        .track = ngx_string("v2"),
        .codecs = ngx_string("vp8"),
        .bandwidth = 900000,
        .init = INIT_A,
        .timescale = 90000,
        .offset = 5400,
        .segments = segments_list,
        .nsegments = 3,
        .list = 1,
        .tag = ngx_string("5f3a90c1")
    }
};


static const ngx_media_mpd_set_t  sets_list[] = {
    {
        .id = 1,
        .type = NGX_MEDIA_VIDEO,
        .representations = video_list,
        .nrepresentations = 1
    }
};


static const ngx_media_mpd_period_t  periods_list[] = {
    { 0, 0, 24000, TABLE(sets_list), 0 }
};


static const ngx_media_mpd_t  mpd_list = {
    .min_buffer = 2000,
    .duration = 24000,
    .now = -1,
    .periods = periods_list,
    .nperiods = 1
};

static const char  text_list[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\""
        " profiles=\"urn:mpeg:dash:profile:isoff-main:2011\""
        " type=\"static\" mediaPresentationDuration=\"PT24S\""
        " minBufferTime=\"PT2S\">\n"
    "  <Period id=\"0\" start=\"PT0S\" duration=\"PT24S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\""
        " mimeType=\"video/mp4\" segmentAlignment=\"true\">\n"
    "      <Representation id=\"v2\" bandwidth=\"900000\""
        " codecs=\"vp8\">\n"
    "        <SegmentList timescale=\"90000\""
        " presentationTimeOffset=\"5400\">\n"
    "          <Initialization"
        " sourceURL=\"v2/init-0123456789abcdef.mp4\"/>\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"5400\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"1080000\"/>\n"
    "          </SegmentTimeline>\n"
    "          <SegmentURL media=\"v2/5f3a90c1-0.m4s\"/>\n"
    "          <SegmentURL media=\"v2/5f3a90c1-1.m4s\"/>\n"
    "          <SegmentURL media=\"v2/5f3a90c1-3.m4s\"/>\n"
    "        </SegmentList>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";


static const test_case_t  cases[] = {
    { "live", &mpd_live, text_live },
    { "periods", &mpd_periods, text_periods },
    { "static", &mpd_static, text_static },
    { "file", &mpd_file, text_file },
    { "list", &mpd_list, text_list },
    { "max", &mpd_max, text_max }
};


/* the same length for every room there is, and no byte outside of it */

static void
check_case(const test_case_t *test)
{
    size_t   i, len;
    u_char  *p;

    len = ngx_media_mpd_write(NULL, 0, test->mpd);
    is(len, strlen(test->expected), "%s: size pass", test->name);

    p = malloc(len);
    is(ngx_media_mpd_write(p, len, test->mpd), len, "%s: write pass",
       test->name);
    is_text(p, len, test->expected, "%s: text", test->name);
    free(p);

    for (i = 0; i < len; i++) {
        p = malloc(i ? i : 1);

        if (ngx_media_mpd_write(p, i, test->mpd) != len) {
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
            len = ngx_media_mpd_write(NULL, 0, cases[i].mpd);
            p = malloc(len);
            ngx_media_mpd_write(p, len, cases[i].mpd);
            fwrite(p, 1, len, stdout);
            free(p);
        }
    }

    return argc < 2 ? done() : 0;
}
