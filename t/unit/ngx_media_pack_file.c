
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs @packager formats/ngx_media_m3u8.c formats/ngx_media_mpd.c
         formats/ngx_media_text.c formats/ngx_media_ts_es.c */


/*
 * Playlists and manifests from views of files.  t/manifest.t runs this program
 * with the name of a case to hand its text to other people's parsers, and with
 * "--list" for the names.  A pool is a list of blocks here; it may be told to
 * fail at the n-th allocation.
 */


#include "media_pack_file.h"


static ngx_int_t
file_multi(ngx_str_t *text)
{
    return ngx_media_hls_multi(NULL, &file.view, text);
}


static ngx_int_t
file_ts(ngx_str_t *text)
{
    return ngx_media_hls_ts_multi(NULL, &file.view, text);
}


static ngx_int_t
file_mpd(ngx_str_t *text)
{
    ngx_str_t  url = ngx_string("time.txt");

    return ngx_media_dash_mpd(NULL, &file.view, &url, text);
}


static ngx_int_t
file_media(ngx_str_t *text)
{
    return ngx_media_hls_media(NULL, &file.view, 0, 0, text);
}


static ngx_int_t
file_text(ngx_str_t *text)
{
    return ngx_media_hls_media(NULL, &file.view, 6, 0, text);
}


static ngx_int_t
file_iframes(ngx_str_t *text)
{
    return ngx_media_hls_iframes(NULL, &file.view, 0, 0, text);
}


static ngx_int_t
file_ts_media(ngx_str_t *text)
{
    ngx_str_t  name = ngx_string("v1-a1");

    return ngx_media_hls_ts_media(NULL, &file.view, &name, 0, 1, 0, text);
}


static ngx_int_t
file_ts_text(ngx_str_t *text)
{
    ngx_str_t  name = ngx_string("t1");

    return ngx_media_hls_ts_media(NULL, &file.view, &name, 6,
                                  NGX_MEDIA_NO_TRACK, 0, text);
}


static ngx_int_t
file_ts_iframes(ngx_str_t *text)
{
    ngx_str_t  name = ngx_string("v1");

    return ngx_media_hls_ts_media(NULL, &file.view, &name, 0,
                                  NGX_MEDIA_NO_TRACK, 1, text);
}


static const char  plain_multi[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\",NAME=\"Audio 1\","
        "LANGUAGE=\"und\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\","
        "URI=\"a1.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=3130000,AVERAGE-BANDWIDTH=2628000,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "FRAME-RATE=23.976,AUDIO=\"mp4a.40.2-2\"\n"
    "v1.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=400000,CODECS=\"avc1.640028\","
        "RESOLUTION=1920x1080,URI=\"v1.iframes.m3u8\"\n";

static const char  plain_v1[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:6\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXT-X-MAP:URI=\"v1/init-1111111111111111.mp4\"\n"
    "#EXTINF:6.00000,\n"
    "v1/5f3a90c1-0.m4s\n"
    "#EXTINF:6.00000,\n"
    "v1/5f3a90c1-1.m4s\n"
    "#EXTINF:2.01400,\n"
    "v1/5f3a90c1-2.m4s\n"
    "#EXT-X-ENDLIST\n";

static const char  plain_iframes[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:5\n"
    "#EXT-X-I-FRAMES-ONLY\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXT-X-MAP:URI=\"v1/init-1111111111111111.mp4\"\n"
    "#EXTINF:6.00000,\n"
    "k1/5f3a90c1-0.m4s\n"
    "#EXTINF:6.00000,\n"
    "k1/5f3a90c1-1.m4s\n"
    "#EXTINF:2.01400,\n"
    "k1/5f3a90c1-2.m4s\n"
    "#EXT-X-ENDLIST\n";

static const char  plain_ts[] =
    "#EXTM3U\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=3342521,AVERAGE-BANDWIDTH=2815421,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "FRAME-RATE=23.976\n"
    "v1-a1.ts.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=420800,CODECS=\"avc1.640028\","
        "RESOLUTION=1920x1080,URI=\"v1.ts.iframes.m3u8\"\n";

static const char  plain_v1_a1[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXTINF:6.00000,\n"
    "v1-a1/5f3a90c1-0.ts\n"
    "#EXTINF:6.00000,\n"
    "v1-a1/5f3a90c1-1.ts\n"
    "#EXTINF:2.01400,\n"
    "v1-a1/5f3a90c1-2.ts\n"
    "#EXT-X-ENDLIST\n";

static const char  uneven_v1_a1[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXT-X-DISCONTINUITY\n"
    "#EXTINF:6.00600,\n"
    "v1-a1/5f3a90c1-0.ts\n"
    "#EXTINF:6.00000,\n"
    "v1-a1/5f3a90c1-1.ts\n"
    "#EXTINF:6.00400,\n"
    "v1-a1/5f3a90c1-2.ts\n"
    "#EXTINF:5.00000,\n"
    "v1-a1/5f3a90c1-3.ts\n"
    "#EXTINF:1.00300,\n"
    "v1-a1/5f3a90c1-4.ts\n"
    "#EXTINF:2.00000,\n"
    "v1-a1/5f3a90c1-5.ts\n"
    "#EXT-X-ENDLIST\n";

static const char  plain_ts_iframes[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-I-FRAMES-ONLY\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXTINF:6.00000,\n"
    "k1/5f3a90c1-0.ts\n"
    "#EXTINF:6.00000,\n"
    "k1/5f3a90c1-1.ts\n"
    "#EXTINF:2.01400,\n"
    "k1/5f3a90c1-2.ts\n"
    "#EXT-X-ENDLIST\n";

static const char  plain_mpd[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:"
        "dash:profile:isoff-live:2011\" type=\"static\" "
        "mediaPresentationDuration=\"PT14.014S\" "
        "maxSegmentDuration=\"PT6S\" minBufferTime=\"PT6S\">\n"
    "  <Period id=\"1\" start=\"PT0S\" duration=\"PT14.014S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\" "
        "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\" "
        "maxFrameRate=\"24000/1001\" par=\"16:9\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"main\"/>\n"
    "      <Representation id=\"v1\" bandwidth=\"3000000\" "
        "codecs=\"avc1.640028\" width=\"1920\" height=\"1080\" sar=\"1:1\" "
        "frameRate=\"24000/1001\">\n"
    "        <SegmentTemplate timescale=\"90000\" initialization=\"v1/"
        "init-1111111111111111.mp4\" media=\"v1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"2\" contentType=\"audio\" "
        "mimeType=\"audio/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"main\"/>\n"
    "      <Representation id=\"a1\" bandwidth=\"130000\" "
        "codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:"
        "cicp:ChannelConfiguration\" value=\"2\"/>\n"
    "        <SegmentTemplate timescale=\"48000\" initialization=\"a1/"
        "init-2222222222222222.mp4\" media=\"a1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"288000\" r=\"1\"/>\n"
    "            <S d=\"96672\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"3\" contentType=\"video\" "
        "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\" par=\"16:"
        "9\">\n"
    "      <EssentialProperty schemeIdUri=\"http://dashif.org/"
        "guidelines/trickmode\" value=\"1\"/>\n"
    "      <Representation id=\"k1\" bandwidth=\"400000\" "
        "codecs=\"avc1.640028\" width=\"1920\" height=\"1080\" sar=\"1:1\" "
        "maxPlayoutRate=\"138\" codingDependency=\"false\">\n"
    "        <SegmentTemplate timescale=\"90000\" initialization=\"v1/"
        "init-1111111111111111.mp4\" media=\"k1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";

static const char  film_multi[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\",NAME=\"English\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a1.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\","
        "NAME=\"Portugu\303\252s (BR)\",LANGUAGE=\"pt-BR\",DEFAULT=YES,"
        "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a2.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\","
        "NAME=\"English 3\",LANGUAGE=\"en\",AUTOSELECT=YES,"
        "CHARACTERISTICS=\"public.accessibility.describes-video\","
        "CHANNELS=\"2\",URI=\"a3.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ec-3-6\",NAME=\"English\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,CHANNELS=\"6\",URI=\"a4.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ec-3-6\","
        "NAME=\"Portugu\303\252s (BR)\",LANGUAGE=\"pt-BR\",DEFAULT=YES,"
        "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a2.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ec-3-6\",NAME=\"English 3\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,"
        "CHARACTERISTICS=\"public.accessibility.describes-video\","
        "CHANNELS=\"2\",URI=\"a3.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"Deutsch\","
        "LANGUAGE=\"de\",DEFAULT=YES,AUTOSELECT=YES,URI=\"t1.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\","
        "NAME=\"Signs & songs\",LANGUAGE=\"en\",AUTOSELECT=YES,FORCED=YES,"
        "URI=\"t2.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=3131000,AVERAGE-BANDWIDTH=2628000,"
        "CODECS=\"hvc1.2.4.L150.90,mp4a.40.2\","
        "SUPPLEMENTAL-CODECS=\"dvh1.08.07/db4h\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=HLG,FRAME-RATE=23.976,AUDIO=\"mp4a.40.2-2\","
        "SUBTITLES=\"subs\"\n"
    "v1.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=3641000,AVERAGE-BANDWIDTH=3140000,"
        "CODECS=\"hvc1.2.4.L150.90,ec-3,mp4a.40.2\","
        "SUPPLEMENTAL-CODECS=\"dvh1.08.07/db4h\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=HLG,FRAME-RATE=23.976,AUDIO=\"ec-3-6\","
        "SUBTITLES=\"subs\"\n"
    "v1.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1131000,AVERAGE-BANDWIDTH=1028000,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=SDR,FRAME-RATE=23.976,AUDIO=\"mp4a.40.2-2\","
        "SUBTITLES=\"subs\"\n"
    "v2.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1641000,AVERAGE-BANDWIDTH=1540000,"
        "CODECS=\"avc1.640028,ec-3,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=SDR,FRAME-RATE=23.976,AUDIO=\"ec-3-6\","
        "SUBTITLES=\"subs\"\n"
    "v2.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=400000,"
        "CODECS=\"hvc1.2.4.L150.90\",SUPPLEMENTAL-CODECS=\"dvh1.08.07/"
        "db4h\",RESOLUTION=1920x1080,VIDEO-RANGE=HLG,"
        "URI=\"v1.iframes.m3u8\"\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=400000,CODECS=\"avc1.640028\","
        "RESOLUTION=1920x1080,VIDEO-RANGE=SDR,URI=\"v2.iframes.m3u8\"\n";

static const char  film_t1[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXTINF:6.00000,\n"
    "t1/5f3a90c1-0.vtt\n"
    "#EXTINF:6.00000,\n"
    "t1/5f3a90c1-1.vtt\n"
    "#EXTINF:2.01400,\n"
    "t1/5f3a90c1-2.vtt\n"
    "#EXT-X-ENDLIST\n";

static const char  film_t1_ts[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:3\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n"
    "#EXTINF:6.00000,\n"
    "t1/5f3a90c1-0.ts.vtt\n"
    "#EXTINF:6.00000,\n"
    "t1/5f3a90c1-1.ts.vtt\n"
    "#EXTINF:2.01400,\n"
    "t1/5f3a90c1-2.ts.vtt\n"
    "#EXT-X-ENDLIST\n";

static const char  film_ts[] =
    "#EXTM3U\n"
    "#EXT-X-VERSION:4\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\",NAME=\"English\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a1.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\","
        "NAME=\"Portugu\303\252s (BR)\",LANGUAGE=\"pt-BR\",DEFAULT=YES,"
        "AUTOSELECT=YES,CHANNELS=\"2\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"mp4a.40.2-2\","
        "NAME=\"English 3\",LANGUAGE=\"en\",AUTOSELECT=YES,"
        "CHARACTERISTICS=\"public.accessibility.describes-video\","
        "CHANNELS=\"2\",URI=\"a3.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ec-3-6\",NAME=\"English\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,CHANNELS=\"6\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ec-3-6\","
        "NAME=\"Portugu\303\252s (BR)\",LANGUAGE=\"pt-BR\",DEFAULT=YES,"
        "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a2.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"ec-3-6\",NAME=\"English 3\","
        "LANGUAGE=\"en\",AUTOSELECT=YES,"
        "CHARACTERISTICS=\"public.accessibility.describes-video\","
        "CHANNELS=\"2\",URI=\"a3.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"Deutsch\","
        "LANGUAGE=\"de\",DEFAULT=YES,AUTOSELECT=YES,URI=\"t1.ts.m3u8\"\n"
    "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\","
        "NAME=\"Signs & songs\",LANGUAGE=\"en\",AUTOSELECT=YES,FORCED=YES,"
        "URI=\"t2.ts.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=3502981,AVERAGE-BANDWIDTH=2972781,"
        "CODECS=\"hvc1.2.4.L150.90,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=HLG,FRAME-RATE=23.976,AUDIO=\"mp4a.40.2-2\","
        "SUBTITLES=\"subs\"\n"
    "v1-a2.ts.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=4038481,AVERAGE-BANDWIDTH=3510381,"
        "CODECS=\"hvc1.2.4.L150.90,ec-3,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=HLG,FRAME-RATE=23.976,AUDIO=\"ec-3-6\","
        "SUBTITLES=\"subs\"\n"
    "v1-a4.ts.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1402981,AVERAGE-BANDWIDTH=1292781,"
        "CODECS=\"avc1.640028,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=SDR,FRAME-RATE=23.976,AUDIO=\"mp4a.40.2-2\","
        "SUBTITLES=\"subs\"\n"
    "v2-a2.ts.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=1938481,AVERAGE-BANDWIDTH=1830381,"
        "CODECS=\"avc1.640028,ec-3,mp4a.40.2\",RESOLUTION=1920x1080,"
        "VIDEO-RANGE=SDR,FRAME-RATE=23.976,AUDIO=\"ec-3-6\","
        "SUBTITLES=\"subs\"\n"
    "v2-a4.ts.m3u8\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=420800,"
        "CODECS=\"hvc1.2.4.L150.90\",RESOLUTION=1920x1080,VIDEO-RANGE=HLG,"
        "URI=\"v1.ts.iframes.m3u8\"\n"
    "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=420800,CODECS=\"avc1.640028\","
        "RESOLUTION=1920x1080,VIDEO-RANGE=SDR,URI=\"v2.ts.iframes.m3u8\"\n";

static const char  film_mpd[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" xmlns:scte214=\"urn:"
        "scte:dash:scte214-extensions\" profiles=\"urn:mpeg:dash:profile:"
        "isoff-live:2011\" type=\"static\" "
        "mediaPresentationDuration=\"PT14.014S\" "
        "maxSegmentDuration=\"PT6S\" minBufferTime=\"PT6S\">\n"
    "  <Period id=\"1\" start=\"PT0S\" duration=\"PT14.014S\">\n"
    "    <AdaptationSet id=\"1\" contentType=\"video\" "
        "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\" "
        "maxFrameRate=\"24000/1001\" par=\"16:9\">\n"
    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "ColourPrimaries\" value=\"9\"/>\n"
    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "TransferCharacteristics\" value=\"18\"/>\n"
    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "MatrixCoefficients\" value=\"9\"/>\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"main\"/>\n"
    "      <Representation id=\"v1\" bandwidth=\"3000000\" "
        "codecs=\"hvc1.2.4.L150.90\" "
        "scte214:supplementalCodecs=\"dvh1.08.07\" "
        "scte214:supplementalProfiles=\"db4h\" width=\"1920\" "
        "height=\"1080\" sar=\"1:1\" frameRate=\"24000/1001\">\n"
    "        <SegmentTemplate timescale=\"90000\" initialization=\"v1/"
        "init-1111111111111111.mp4\" media=\"v1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"2\" contentType=\"video\" "
        "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\" "
        "maxFrameRate=\"24000/1001\" par=\"16:9\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"main\"/>\n"
    "      <Representation id=\"v2\" bandwidth=\"1000000\" "
        "codecs=\"avc1.640028\" width=\"1920\" height=\"1080\" sar=\"1:1\" "
        "frameRate=\"24000/1001\">\n"
    "        <SegmentTemplate timescale=\"90000\" initialization=\"v2/"
        "init-2222222222222222.mp4\" media=\"v2/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"3\" contentType=\"audio\" "
        "mimeType=\"audio/mp4\" lang=\"en\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"alternate\"/>\n"
    "      <Representation id=\"a1\" bandwidth=\"130000\" "
        "codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:"
        "cicp:ChannelConfiguration\" value=\"2\"/>\n"
    "        <SegmentTemplate timescale=\"48000\" initialization=\"a1/"
        "init-3333333333333333.mp4\" media=\"a1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"288000\" r=\"1\"/>\n"
    "            <S d=\"96672\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"4\" contentType=\"audio\" "
        "mimeType=\"audio/mp4\" lang=\"pt-BR\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"main\"/>\n"
    "      <Representation id=\"a2\" bandwidth=\"130000\" "
        "codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:"
        "cicp:ChannelConfiguration\" value=\"2\"/>\n"
    "        <SegmentTemplate timescale=\"48000\" initialization=\"a2/"
        "init-4444444444444444.mp4\" media=\"a2/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"288000\" r=\"1\"/>\n"
    "            <S d=\"96672\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"5\" contentType=\"audio\" "
        "mimeType=\"audio/mp4\" lang=\"en\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"description\"/>\n"
    "      <Representation id=\"a3\" bandwidth=\"130000\" "
        "codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:"
        "cicp:ChannelConfiguration\" value=\"2\"/>\n"
    "        <SegmentTemplate timescale=\"48000\" initialization=\"a3/"
        "init-5555555555555555.mp4\" media=\"a3/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"288000\" r=\"1\"/>\n"
    "            <S d=\"96672\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"6\" contentType=\"audio\" "
        "mimeType=\"audio/mp4\" lang=\"en\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"alternate\"/>\n"
    "      <Representation id=\"a4\" bandwidth=\"640000\" "
        "codecs=\"ec-3\" audioSamplingRate=\"48000\">\n"
    "        <AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:"
        "cicp:ChannelConfiguration\" value=\"6\"/>\n"
    "        <SegmentTemplate timescale=\"48000\" initialization=\"a4/"
        "init-6666666666666666.mp4\" media=\"a4/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"288000\" r=\"1\"/>\n"
    "            <S d=\"96672\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"7\" contentType=\"text\" "
        "mimeType=\"application/mp4\" lang=\"de\" "
        "segmentAlignment=\"true\" startWithSAP=\"1\">\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"subtitle\"/>\n"
    "      <Representation id=\"t1\" bandwidth=\"1000\" "
        "codecs=\"wvtt\">\n"
    "        <SegmentTemplate timescale=\"1000\" initialization=\"t1/"
        "init-7777777777777777.mp4\" media=\"t1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"6000\" r=\"1\"/>\n"
    "            <S d=\"2014\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"8\" contentType=\"text\" "
        "mimeType=\"application/mp4\" lang=\"en\" "
        "segmentAlignment=\"true\" startWithSAP=\"1\">\n"
    "      <Label>Signs &amp; &quot;songs&quot;</Label>\n"
    "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
        "value=\"forced-subtitle\"/>\n"
    "      <Representation id=\"t2\" bandwidth=\"1000\" "
        "codecs=\"wvtt\">\n"
    "        <SegmentTemplate timescale=\"1000\" initialization=\"t2/"
        "init-8888888888888888.mp4\" media=\"t2/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"6000\" r=\"1\"/>\n"
    "            <S d=\"2014\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"9\" contentType=\"video\" "
        "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\" par=\"16:"
        "9\">\n"
    "      <EssentialProperty schemeIdUri=\"http://dashif.org/"
        "guidelines/trickmode\" value=\"1\"/>\n"
    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "ColourPrimaries\" value=\"9\"/>\n"
    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "TransferCharacteristics\" value=\"18\"/>\n"
    "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
        "MatrixCoefficients\" value=\"9\"/>\n"
    "      <Representation id=\"k1\" bandwidth=\"400000\" "
        "codecs=\"hvc1.2.4.L150.90\" "
        "scte214:supplementalCodecs=\"dvh1.08.07\" "
        "scte214:supplementalProfiles=\"db4h\" width=\"1920\" "
        "height=\"1080\" sar=\"1:1\" maxPlayoutRate=\"138\" "
        "codingDependency=\"false\">\n"
    "        <SegmentTemplate timescale=\"90000\" initialization=\"v1/"
        "init-1111111111111111.mp4\" media=\"k1/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"10\" contentType=\"video\" "
        "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
        "startWithSAP=\"1\" maxWidth=\"1920\" maxHeight=\"1080\" par=\"16:"
        "9\">\n"
    "      <EssentialProperty schemeIdUri=\"http://dashif.org/"
        "guidelines/trickmode\" value=\"2\"/>\n"
    "      <Representation id=\"k2\" bandwidth=\"400000\" "
        "codecs=\"avc1.640028\" width=\"1920\" height=\"1080\" sar=\"1:1\" "
        "maxPlayoutRate=\"138\" codingDependency=\"false\">\n"
    "        <SegmentTemplate timescale=\"90000\" initialization=\"v2/"
        "init-2222222222222222.mp4\" media=\"k2/5f3a90c1-$Number$.m4s\" "
        "startNumber=\"0\">\n"
    "          <SegmentTimeline>\n"
    "            <S t=\"0\" d=\"540000\" r=\"1\"/>\n"
    "            <S d=\"181260\"/>\n"
    "          </SegmentTimeline>\n"
    "        </SegmentTemplate>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "    <AdaptationSet id=\"17\" contentType=\"image\" "
        "mimeType=\"image/jpeg\">\n"
    "      <Representation id=\"i1\" bandwidth=\"12000\" "
        "width=\"1600\" height=\"900\">\n"
    "        <EssentialProperty schemeIdUri=\"http://dashif.org/"
        "guidelines/thumbnail_tile\" value=\"10x10\"/>\n"
    "        <SegmentTemplate timescale=\"1000\" duration=\"1000000\" "
        "media=\"i1/0badcafe-$Number$.jpg\" startNumber=\"0\"/>\n"
    "      </Representation>\n"
    "    </AdaptationSet>\n"
    "  </Period>\n"
    "</MPD>\n";

static int
file_has(file_render_pt render, const char *part)
{
    int        has;
    char      *copy;
    ngx_str_t  text;

    if (render(&text) != NGX_OK) {
        return 0;
    }

    copy = malloc(text.len + 1);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    has = strstr(copy, part) != NULL;

    free(copy);
    pool_free();

    return has;
}


/* labels, languages, none; the same name twice */

static void
file_names(void)
{
    ngx_uint_t               i;
    ngx_media_track_view_t  *track;

    const struct {
        const char  *lang;
        const char  *label;
        const char  *name;
    } rows[] = {
        { "", "", "NAME=\"Audio 1\",LANGUAGE=\"und\",DEFAULT=YES,"
                  "AUTOSELECT=YES," },
        { "", "", "NAME=\"Audio 2\",LANGUAGE=\"und\",CHANNELS" },
        { "FR", "", "NAME=\"Fran\303\247ais\",LANGUAGE=\"FR\",AUTOSELECT" },
        { "fr", "", "NAME=\"Fran\303\247ais 4\",LANGUAGE=\"fr\"" },
        { "tlh", "", "NAME=\"tlh\",LANGUAGE=\"tlh\"" },
        { "en", "English 7", "NAME=\"English 7\",LANGUAGE=\"en\","
                             "AUTOSELECT=YES," },
        { "en", "English 7", "NAME=\"English 7 7\",LANGUAGE=\"en\","
                             "CHANNELS" }
    };

    file_reset();
    file_track("v1", NGX_MEDIA_CODEC_H264, "avc1.640028");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        track = file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
        file_str(&track->lang, rows[i].lang);
        file_str(&track->label, rows[i].label);
    }

    file_segments();

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ok(file_has(file_multi, rows[i].name), "name %u", (unsigned) i + 1);
    }

    /* a default takes the place of the one before */

    file.tracks[2].is_default = 1;

    ok(file_has(file_multi, "NAME=\"Audio 1\",LANGUAGE=\"und\",CHANNELS"),
       "not the default");
    ok(file_has(file_multi, "NAME=\"Audio 2\",LANGUAGE=\"und\",DEFAULT=YES,"
                            "AUTOSELECT=YES"), "the default");
}


static void
file_audio(void)
{
    ngx_str_t                text;
    ngx_media_track_view_t  *track;

    /* audio and a sidecar */

    file_reset();
    file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    track = file_track("t1", NGX_MEDIA_CODEC_WVTT, "wvtt");
    file_segments();

    ok(file_has(file_multi, "AVERAGE-BANDWIDTH=128000,CODECS=\"mp4a.40.2\","
                            "SUBTITLES=\"subs\"\na1.m3u8\n"), "audio only");
    ok(file_has(file_multi, "NAME=\"Subtitles 1\",LANGUAGE=\"und\","
                            "AUTOSELECT=YES,URI=\"t1.m3u8\"\n"), "its text");
    ok(!file_has(file_multi, "TYPE=AUDIO"), "no audio group");
    ok(file_has(file_ts, "SUBTITLES=\"subs\"\na1.ts.m3u8\n"), "in MPEG-TS");

    track->sdh = 1;
    ok(file_has(file_multi, "CHARACTERISTICS=\"public.accessibility."
                            "transcribes-spoken-dialog,"), "captions");
    ok(file_has(file_mpd, "value=\"caption\""), "captions: DASH");

    /* two languages */

    file_reset();
    track = file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    file_str(&track->lang, "en");
    track = file_track("a2", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    file_str(&track->lang, "de");
    track->is_default = 1;
    track->sdh = 1;
    file_segments();

    ok(file_has(file_multi, "BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,"
                            "CODECS=\"mp4a.40.2\",AUDIO=\"mp4a.40.2-2\"\n"
                            "a2.m3u8\n"), "two languages");
    ok(file_has(file_multi, "enhances-speech-intelligibility\",CHANNELS=\"2\","
                            "URI=\"a2.m3u8\"\n"), "in a group");
    ok(file_has(file_ts, "CHANNELS=\"2\"\n"), "the default is muxed");
    ok(file_has(file_mpd, "value=\"enhanced-audio-intelligibility\""),
       "role of the one");
    ok(file_has(file_mpd, "value=\"alternate\""), "and of the other");

    /* only video */

    file_reset();
    file_track("v1", NGX_MEDIA_CODEC_H264, "avc1.640028");
    file_segments();

    ok(file_has(file_multi, "CODECS=\"avc1.640028\",RESOLUTION=1920x1080,"
                            "FRAME-RATE=23.976\nv1.m3u8\n"), "video only");
    ok(file_has(file_ts, "\nv1.ts.m3u8\n"), "in MPEG-TS");

    /* only text */

    file_reset();
    file_track("t1", NGX_MEDIA_CODEC_WVTT, "wvtt");
    file_segments();

    is(file_multi(&text), NGX_DECLINED, "text only: not in HLS");
    ok(file_has(file_mpd, "duration=\"PT14.014S\""), "but in DASH");
}


/* what may not be in a format is not in it */

static void
file_codecs(void)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    const struct {
        const char  *track;
        uint32_t     codec;
        unsigned     hls;
        unsigned     ts;
    } rows[] = {
        { "v1", NGX_MEDIA_CODEC_H264, 1, 1 },
        { "v1", NGX_MEDIA_CODEC_H265, 1, 1 },
        { "v1", NGX_MEDIA_CODEC_AV1, 1, 0 },
        { "v1", NGX_MEDIA_CODEC_VP8, 0, 0 },
        { "v1", NGX_MEDIA_CODEC_VP9, 1, 0 },
        { "a1", NGX_MEDIA_CODEC_AAC, 1, 1 },
        { "a1", NGX_MEDIA_CODEC_MP3, 1, 1 },
        { "a1", NGX_MEDIA_CODEC_AC3, 1, 1 },
        { "a1", NGX_MEDIA_CODEC_EAC3, 1, 1 },
        { "a1", NGX_MEDIA_CODEC_OPUS, 1, 0 },
        { "a1", NGX_MEDIA_CODEC_FLAC, 1, 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        file_reset();
        file_track(rows[i].track, rows[i].codec, "codec");
        file_segments();

        is(file_multi(&text), rows[i].hls ? NGX_OK : NGX_DECLINED,
           "codec %u in HLS", (unsigned) i);
        is(file_media(&text), rows[i].hls ? NGX_OK : NGX_DECLINED,
           "codec %u in a media playlist", (unsigned) i);
        is(file_ts(&text), rows[i].ts ? NGX_OK : NGX_DECLINED,
           "codec %u in MPEG-TS", (unsigned) i);
        is(file_ts_media(&text), rows[i].ts ? NGX_OK : NGX_DECLINED,
           "codec %u in a media playlist of MPEG-TS", (unsigned) i);
        is(file_mpd(&text), NGX_OK, "codec %u in DASH", (unsigned) i);
    }

    file.inits[0].params.codec = NGX_MEDIA_CODEC_STPP;
    is(file_media(&text), NGX_DECLINED, "TTML is no WebVTT");

    file.inits[0].params.codec = 0;
    is(file_multi(&text), NGX_DECLINED, "no codec: not in HLS");
    is(file_mpd(&text), NGX_DECLINED, "no codec: not in DASH");

    /* what is left */

    file_reset();
    file_track("v1", NGX_MEDIA_CODEC_VP8, "vp8");
    file_track("a1", NGX_MEDIA_CODEC_OPUS, "opus");
    file_segments();

    ok(file_has(file_multi, "CODECS=\"opus\"\na1.m3u8\n"), "audio is left");
    ok(file_has(file_mpd, "codecs=\"vp8\""), "DASH has both");

    file_reset();
    file_track("v1", NGX_MEDIA_CODEC_H264, "avc1.640028");
    file_track("a1", NGX_MEDIA_CODEC_OPUS, "opus");
    file_segments();

    ok(file_has(file_ts, "CODECS=\"avc1.640028\",RESOLUTION=1920x1080,"
                         "FRAME-RATE=23.976\nv1.ts.m3u8\n"),
       "video is left");
    is(file_iframes(&text), NGX_OK, "key frames of video");

    file_reset();
    file_track("a1", NGX_MEDIA_CODEC_AAC, "mp4a.40.2");
    file_segments();

    is(file_iframes(&text), NGX_DECLINED, "audio has none");

    file.tracks[0].nsegments = 0;
    is(file_media(&text), NGX_AGAIN, "nothing to list");
    is(file_mpd(&text), NGX_AGAIN, "nothing to list in DASH");
}


static void
file_growing(void)
{
    file_plain();

    file.view.state = NGX_MEDIA_STREAM_LIVE;
    file.view.event = 1;
    file.tracks[0].ended = 0;
    file.tracks[1].ended = 0;

    ok(file_has(file_media, "#EXT-X-PLAYLIST-TYPE:EVENT\n"), "it grows");
    ok(!file_has(file_media, "ENDLIST"), "it is not at its end");
    ok(!file_has(file_media, "SERVER-CONTROL"), "nothing waits");
    ok(!file_has(file_media, "PROGRAM-DATE-TIME"), "no date-time");
    ok(file_has(file_ts_media, "#EXT-X-PLAYLIST-TYPE:EVENT\n"),
       "it grows in MPEG-TS");
    ok(file_has(file_iframes, "#EXT-X-PLAYLIST-TYPE:EVENT\n"),
       "its key frames do");

    /* 2026-01-01 */

    file.view.born = 1767225600000ll;

    ok(file_has(file_mpd, "type=\"dynamic\" availabilityStartTime="
                          "\"2026-01-01T00:00:00.000Z\" publishTime="
                          "\"2026-01-01T00:00:14."), "in DASH, it goes on");
    ok(file_has(file_mpd, " minimumUpdatePeriod=\"PT6S\""
                          " suggestedPresentationDelay=\"PT28S\""),
       "is asked for again, all of it stays");
    ok(!file_has(file_mpd, "timeShiftBufferDepth"), "none of it leaves");
    ok(!file_has(file_mpd, "mediaPresentationDuration"), "nobody knows where");
    ok(file_has(file_mpd, "<Period id=\"1\" start=\"PT0S\">"),
       "it begins at its begin");
    ok(file_has(file_mpd, "value=\"time.txt\""), "by this clock");
}


/* a channel: its segments have a wall clock */

static void
file_channel(void)
{
    ngx_uint_t            i, k;
    ngx_media_segment_t  *segment;

    file_plain();

    file.view.state = NGX_MEDIA_STREAM_LIVE;
    file.view.walls = 1;
    file.view.window = 12000;

    for (i = 0; i < 2; i++) {
        file.tracks[i].ended = 0;

        for (k = 0; k < 3; k++) {
            segment = &file.segments[i][k];
            segment->number += 100;
            segment->period = 100;
            segment->period_wall = 1767225600000ll;
            segment->wall = 1767225600000ll + (int64_t) k * 6000;
        }
    }

    ok(file_has(file_media, "#EXT-X-PROGRAM-DATE-TIME:"
                            "2026-01-01T00:00:06.000Z\n#EXTINF:6.00000,\n"
                            "v1/5f3a90c1-101.m4s\n"), "a channel");
    ok(file_has(file_media, "#EXT-X-MEDIA-SEQUENCE:100\n"), "slides");
    ok(!file_has(file_media, "PLAYLIST-TYPE"), "has no type");
    ok(!file_has(file_media, "ENDLIST"), "has no end");
    ok(!file_has(file_media, "SERVER-CONTROL"), "nothing waits");
    ok(file_has(file_mpd, "type=\"dynamic\""), "in DASH");
    ok(file_has(file_mpd, "publishTime=\"2026-01-01T00:00:14.016Z\""),
       "the end of what is listed");
    ok(file_has(file_mpd, "minimumUpdatePeriod=\"PT6S\""
                          " timeShiftBufferDepth=\"PT12S\""), "its window");

    /* no time before zero: there is no room for a lead */

    ok(file_has(file_mpd, "<Period id=\"100\" start=\"PT1767225600S\">"),
       "its Period");
    ok(!file_has(file_mpd, "presentationTimeOffset=\"1844"), "its offset");

    for (i = 0; i < 2; i++) {
        for (k = 0; k < 3; k++) {
            file.segments[i][k].period_time = file.tracks[i].timescale;
        }
    }

    ok(file_has(file_mpd, "<Period id=\"100\" start=\"PT1767225599.999S\">"),
       "and where there is");

    for (i = 0; i < 2; i++) {
        for (k = 0; k < 3; k++) {
            file.segments[i][k].period_time = 0;
        }
    }

    ok(file_has(file_mpd, "media=\"v1/5f3a90c1-$Number$.m4s\""
                          " startNumber=\"100\""), "its names");
    ok(file_has(file_mpd, "value=\"time.txt\""), "its clock");

    file.view.state = NGX_MEDIA_STREAM_ENDED;

    ok(file_has(file_media, "#EXT-X-ENDLIST\n"), "its end");
    ok(file_has(file_mpd, "type=\"static\" mediaPresentationDuration="
                          "\"PT1767225614.014S\""), "its end in DASH");

    /* its first segment has left, which lasted 6 s */

    file.view.settled = 1;

    for (i = 0; i < 2; i++) {
        file.tracks[i].segments++;
        file.tracks[i].nsegments--;
    }

    ok(file_has(file_mpd, "type=\"static\" mediaPresentationDuration="
                          "\"PT8."), "it is as long as what is left");
    ok(file_has(file_mpd, "<Period id=\"100\" start=\"PT0S\""),
       "and begins at zero");
    ok(file_has(file_mpd, "presentationTimeOffset="), "with what is there");
}


/* two clips, of which the second has times that go on from 15 s */

static void
file_clips(void)
{
    ngx_uint_t            i;
    ngx_media_segment_t  *segment;

    file_plain();

    for (i = 0; i < 2; i++) {
        segment = file_segment(&file.tracks[i], 3, 15000, 4000);
        segment->discontinuity = 1;
        segment->period = 4;
        segment->period_time = 15 * (int64_t) file.tracks[i].timescale;
        segment->period_wall = 14014;
    }

    ok(file_has(file_media, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"v1/init-"
                            "1111111111111111.mp4\"\n#EXTINF:4.00000,\n"),
       "a discontinuity");
    ok(file_has(file_mpd, "<Period id=\"1\" start=\"PT0S\""
                          " duration=\"PT14.014S\">"), "the first Period");
    ok(file_has(file_mpd, "<Period id=\"4\" start=\"PT14.014S\""
                          " duration=\"PT4S\">"), "the second");
    ok(file_has(file_mpd, "presentationTimeOffset=\"1350000\""
                          " initialization=\"v1/init-1111111111111111.mp4\""
                          " media=\"v1/5f3a90c1-$Number$.m4s\""
                          " startNumber=\"3\">"), "its offset");
    ok(file_has(file_mpd, "mediaPresentationDuration=\"PT18.014S\""),
       "duration");
    ok(file_has(file_mpd, "period-connectivity:2015\" value=\"1\"/>"),
       "goes on");

    /* nothing says when the clips begin */

    for (i = 0; i < 2; i++) {
        file.segments[i][0].period_wall = -1;
        file.segments[i][3].period_wall = -1;
    }

    ok(file_has(file_mpd, "<Period id=\"4\" start=\"PT14.014S\""
                          " duration=\"PT4S\">"), "one after the other");

    /* sheets of thumbnails are numbered from the begin of the first */

    file.view.thumbs.interval = 1000;
    file.view.thumbs.tiles_x = 1;
    file.view.thumbs.tiles_y = 1;

    ok(!file_has(file_mpd, "image/jpeg"), "no thumbnails of several clips");

    /* a number that is no multiple of 1 ms is rounded up */

    file_plain();
    file.segments[1][2].duration++;

    ok(file_has(file_mpd, "mediaPresentationDuration=\"PT14.015S\""),
       "nothing is cut");
}


/* what its segment before goes on with, and gaps */

static void
file_holes(void)
{
    file_plain();

    file.segments[0][2].number = 3;

    ok(file_has(file_media, "v1/5f3a90c1-1.m4s\n#EXTINF:2.01400,\n"
                            "v1/5f3a90c1-3.m4s\n"), "a number is left out");
    ok(file_has(file_mpd, "<SegmentURL media=\"v1/5f3a90c1-3.m4s\"/>"),
       "in DASH, a list");
    ok(file_has(file_mpd, "<SegmentURL media=\"k1/5f3a90c1-3.m4s\"/>"),
       "the same for its key frames");
    ok(file_has(file_mpd, "profile:isoff-main:2011"), "another profile");
    ok(file_has(file_mpd, "media=\"a1/5f3a90c1-$Number$.m4s\""),
       "others have a template");

    /* audio begins later */

    file_plain();

    file.segments[1][0].gap = 1;

    ok(file_has(file_mpd, "media=\"a1/5f3a90c1-$Number$.m4s\""
                          " startNumber=\"1\""), "a gap before the first");
    ok(file_has(file_mpd, "<S t=\"288000\" d=\"288000\"/>"), "its time");

    /* it begins with what is no key frame */

    file_plain();

    file.segments[0][0].forced = 1;
    file.segments[0][0].key_size = 0;

    ok(!file_has(file_media, "INDEPENDENT"), "not independent");
    ok(!file_has(file_multi, "INDEPENDENT"), "nor is the whole");
    ok(file_has(file_iframes, "#EXT-X-GAP\n#EXTINF:6.00000,\n"
                              "k1/5f3a90c1-0.m4s\n"), "no key frame");
    ok(file_has(file_mpd, "segmentAlignment=\"true\" maxWidth"),
       "no startWithSAP");
}


static void
file_apart(void)
{
    file_plain();

    file.tracks[0].apart = 500;

    ok(file_has(file_mpd, "segmentAlignment=\"true\" startWithSAP=\"1\""
                          " maxWidth"), "one alone is aligned");

    file_reset();
    file_track("v1", NGX_MEDIA_CODEC_H264, "avc1.640028");
    file_track("v2", NGX_MEDIA_CODEC_H264, "avc1.64001f");
    file_segments();

    file.tracks[1].apart = 42;
    ok(!file_has(file_mpd, "segmentAlignment=\"false\""), "within a frame");

    file.tracks[1].apart = 43;
    ok(file_has(file_mpd, "segmentAlignment=\"false\" startWithSAP=\"1\""
                          " maxWidth"), "apart");
    ok(file_has(file_mpd, "<Representation id=\"k2\""), "its key frames");

    /* rates */

    file.tracks[0].fps = 25000;
    file.tracks[1].fps = 59940;
    ok(file_has(file_mpd, "frameRate=\"25\""), "25");
    ok(file_has(file_mpd, "frameRate=\"60000/1001\""), "59.94");

    file.tracks[1].fps = 12500;
    ok(file_has(file_mpd, "frameRate=\"25/2\""), "12.5");

    /* of an HDR track and another one, a player does not go to and fro */

    file.inits[0].params.transfer = 16;
    ok(!file_has(file_mpd, "switching"), "another range");

    file.inits[0].params.transfer = 0;
    file.inits[1].params.codec = NGX_MEDIA_CODEC_H265;
    ok(file_has(file_mpd, "adaptation-set-switching:2016\" value=\"1\""),
       "another codec");
}


/* live streams have MPEG-TS, too: what is complete, under the same numbers */

static void
file_live_ts(void)
{
    ngx_str_t   text;
    ngx_uint_t  i, k;

    file_plain();

    file.view.waits = 1;
    file.view.walls = 1;
    file.view.tricks = 0;
    file.view.sparse = 0;
    file.view.mixed = 0;
    file.view.renditions = 0;
    file.view.measured = 0;
    file.view.tag.len = 0;
    file.view.state = NGX_MEDIA_STREAM_LIVE;
    file.view.part_target = 2134;

    for (i = 0; i < 2; i++) {
        file.tracks[i].ended = 0;
        file.tracks[i].edge_any = 1;
        file.tracks[i].edge_msn = 1795000002;
        file.tracks[i].expect = 1;
        file.tracks[i].expect_msn = 1795000002;

        for (k = 0; k < 3; k++) {
            file.segments[i][k].number += 1795000000;
            file.segments[i][k].wall = 1795000000000ll + (int64_t) k * 6000;
        }

        file.segments[i][2].open = 1;
        file.segments[i][2].nparts = 1;
    }

    is(file_ts_media(&text), NGX_OK, "a live stream");
    is_text(text.data, text.len,
            "#EXTM3U\n"
            "#EXT-X-VERSION:3\n"
            "#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-TARGETDURATION:6\n"
            "#EXT-X-MEDIA-SEQUENCE:1795000000\n"
            "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:40.000Z\n"
            "#EXTINF:6.00000,\n"
            "v1-a1/1795000000.ts\n"
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:46.000Z\n"
            "#EXTINF:6.00000,\n"
            "v1-a1/1795000001.ts\n", "its playlist");
    is(file_ts_iframes(&text), NGX_DECLINED, "no key frames");
    ok(file_has(file_ts, "\nv1-a1.ts.m3u8\n"), "its variant");
    ok(!file_has(file_ts, "I-FRAME"), "and no other");
}


/* whole texts */

static const file_case_t  cases[] = {
    { "plain-multi.m3u8", file_plain, file_multi, plain_multi },
    { "plain-v1.m3u8", file_plain, file_media, plain_v1 },
    { "plain-iframes.m3u8", file_plain, file_iframes, plain_iframes },
    { "plain-ts.m3u8", file_plain, file_ts, plain_ts },
    { "plain-v1-a1.m3u8", file_plain, file_ts_media, plain_v1_a1 },
    { "uneven-v1-a1.m3u8", file_uneven, file_ts_media, uneven_v1_a1 },
    { "plain-ts-iframes.m3u8", file_plain, file_ts_iframes,
      plain_ts_iframes },
    { "plain.mpd", file_plain, file_mpd, plain_mpd },
    { "film-multi.m3u8", file_film, file_multi, film_multi },
    { "film-t1.m3u8", file_film, file_text, film_t1 },
    { "film-ts.m3u8", file_film, file_ts, film_ts },
    { "film-t1.ts.m3u8", file_film, file_ts_text, film_t1_ts },
    { "film.mpd", file_film, file_mpd, film_mpd }
};


static void
file_cases(void)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cases[i].make();

        is(cases[i].render(&text), NGX_OK, "%s", cases[i].name);
        is_text(text.data, text.len, cases[i].expected, "%s: text",
                cases[i].name);
        pool_free();
    }
}


/* every allocation may fail */

static void
file_nomem(void)
{
    int         bad;
    ngx_int_t   rc;
    ngx_str_t   text;
    ngx_uint_t  i, n;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bad = 0;

        for (n = 1; n < POOL_BLOCKS; n++) {
            cases[i].make();
            pool_fail = n;

            rc = cases[i].render(&text);
            pool_free();

            if (pool_fail) {
                /* it needs less */
                pool_fail = 0;
                break;
            }

            bad += (rc != NGX_ERROR);
        }

        ok(n > 1 && n < POOL_BLOCKS && bad == 0, "%s: allocations: %u",
           cases[i].name, (unsigned) n - 1);
    }
}


int
main(int argc, char **argv)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    if (argc < 2) {
        file_cases();
        file_names();
        file_audio();
        file_codecs();
        file_growing();
        file_channel();
        file_clips();
        file_holes();
        file_apart();
        file_live_ts();
        file_nomem();

        pool_free();

        return done();
    }

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (strcmp(argv[1], "--list") == 0) {
            printf("%s\n", cases[i].name);

        } else if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].make();

            if (cases[i].render(&text) == NGX_OK) {
                fwrite(text.data, 1, text.len, stdout);
            }
        }
    }

    pool_free();

    return 0;
}
