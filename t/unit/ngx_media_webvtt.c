
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_text.c formats/ngx_media_tx3g.c
         formats/ngx_media_webvtt.c formats/ngx_media_webvtt_write.c */


#include "formats/ngx_media_tx3g.h"
#include "formats/ngx_media_webvtt.h"
#include "media_hex.h"


#define CUES  64


typedef struct {
    const char  *name;
    const char  *in;
    const char  *out;
} test_case_t;


/* files in, the same cues as WebVTT out */

static const test_case_t  files[] = {

    { "webvtt",
      "WEBVTT - a film\n"
      "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
      "\n"
      "NOTE\nnothing --\n\n"
      "STYLE\n::cue { color: red }\n\n"
      "REGION\nid:fred\nwidth:40%\n\n"
      "00:01.000 --> 00:02.500 align:start line:0\n<v Ann>Hi &amp; hello\n"
      "two\n"
      "\n\n\n"
      "second\n"
      "100:00:00.000-->100:00:01.000\nno spaces\n"
      "\n"
      "STYLE\n::cue { color: blue }\n",
      "WEBVTT\n\n"
      "STYLE\n::cue { color: red }\n\n"
      "REGION\nid:fred\nwidth:40%\n\n"
      "00:00:01.000 --> 00:00:02.500 align:start line:0\n"
      "<v Ann>Hi &amp; hello\ntwo\n\n"
      "second\n"
      "100:00:00.000 --> 100:00:01.000\nno spaces\n\n" },

    { "webvtt, CR LF",
      "WEBVTT\r\n\r\n1\r\n00:00:00.000 --> 00:00:01.000\r\na\r\nb\r\n\r\n"
      "00:00:01.000 --> 00:00:02.000\r\nc",
      "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\na\nb\n\n"
      "00:00:01.000 --> 00:00:02.000\nc\n\n" },

    { "webvtt, CR",
      "WEBVTT\r\r00:00:00.000 --> 00:00:01.000\ra\r",
      "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\n\n" },

    { "webvtt, cues without a blank line",
      "WEBVTT\n00:00:00.000 --> 00:00:01.000\na\n"
      "00:00:01.000 --> 00:00:02.000\nb\n",
      "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\n\n"
      "00:00:01.000 --> 00:00:02.000\nb\n\n" },

    { "webvtt, cues that are none",
      "WEBVTT\n\n"
      "00:00:02.000 --> 00:00:01.000\nends before it begins\n\n"
      "00:00:61.000 --> 00:02:00.000\n61 seconds\n\n"
      "00:00:01.000 -> 00:00:02.000\nno arrow\n\n"
      "1.000 --> 2.000\nno minutes\n\n"
      "00:00:01.000 --> 00:00:02.000\n\nno text\n\n"
      "1234567890:00:00.000 --> 1234567890:00:01.000\ntoo long\n\n"
      "00:00:03.000 --> 00:00:04.000\nthe only one\n",
      "WEBVTT\n\n00:00:03.000 --> 00:00:04.000\nthe only one\n\n" },

    { "webvtt, a line of spaces is none that is blank",
      "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\n  \n b\n",
      "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\nb\n\n" },

    { "webvtt, nothing", "WEBVTT", "WEBVTT\n\n" },
    { "webvtt, no signature", "WEBVTTX\n\nSTYLE\n", "WEBVTT\n\n" },
    { "nothing at all", "", "WEBVTT\n\n" },

    { "subrip",
      "1\n00:00:01,000 --> 00:00:02,500\nHi <b>there</b>\n<I>you</I>\n\n"
      "2\n00:00:03,000 --> 00:00:04,000  X1:10 X2:20 Y1:1 Y2:2\nbye\n",
      "WEBVTT\n\n"
      "00:00:01.000 --> 00:00:02.500\nHi <b>there</b>\n<i>you</i>\n\n"
      "00:00:03.000 --> 00:00:04.000\nbye\n\n" },

    { "subrip, blank lines in a cue, none between two, no text",
      "1\r\n00:00:01,000 --> 00:00:02,000\r\na\r\n \r\nb\r\n2\r\n"
      "00:00:03,000 --> 00:00:04,000\r\n3\r\n"
      "00:00:05,000 --> 00:00:06,000\r\n\r\n\r\nc\r\n\r\n\r\n"
      "00:00:07,000 --> 00:00:08,000\r\n42\r\n\r\n"
      "00:00:09,000 --> 00:00:10,000\r\nd",
      "WEBVTT\n\n"
      "00:00:01.000 --> 00:00:02.000\na\nb\n\n"
      "00:00:05.000 --> 00:00:06.000\nc\n\n"
      "00:00:07.000 --> 00:00:08.000\n42\n\n"
      "00:00:09.000 --> 00:00:10.000\nd\n\n" },

    { "subrip, what is to be escaped",
      "1\n0:0:1,0 --> 0:0:2,25\n<font color=\"red\">a</font> < b & c > d\n"
      "&lt; &amp;c &#8212; &nbsp;&; & amp; --> <br> <b >\n",
      "WEBVTT\n\n"
      "00:00:01.000 --> 00:00:02.250\na &lt; b &amp; c > d\n"
      "&lt; &amp;c &#8212; &nbsp;&amp;; &amp; amp; --&gt; &lt;br>"
      " &lt;b >\n\n" },

    { "subrip, positions",
      "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}top\n\n"
      "2\n00:00:01,000 --> 00:00:02,000\n{\\an4}left\n\n"
      "3\n00:00:01,000 --> 00:00:02,000\n{\\an9}corner {\\i1}x{\\i0}\n\n"
      "4\n00:00:01,000 --> 00:00:02,000\n{\\an2}{b}bottom{\\no end\n\n"
      "5\n00:00:01,000 --> 00:00:02,000\n{\\an0}none\n",
      "WEBVTT\n\n"
      "00:00:01.000 --> 00:00:02.000 line:0\ntop\n\n"
      "00:00:01.000 --> 00:00:02.000 line:50% align:start\nleft\n\n"
      "00:00:01.000 --> 00:00:02.000 line:0 align:end\ncorner x\n\n"
      "00:00:01.000 --> 00:00:02.000\n{b}bottom{\\no end\n\n"
      "00:00:01.000 --> 00:00:02.000\nnone\n\n" },

    { "subrip, hours and fractions",
      "99:59:59,9999 --> 100:00:00\nx\n\n59:59.5 --> 1:00:00.001\ny\n",
      "WEBVTT\n\n99:59:59.999 --> 100:00:00.000\nx\n\n"
      "00:59:59.500 --> 01:00:00.001\ny\n\n" },

    { "characters that no text has",
      "1\n00:00:01,000 --> 00:00:02,000\na\x01" "b\x7f\xc2\x85 \xff c\xed\xa0"
      "\x80\n",
      "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nab \xef\xbf\xbd c\xef\xbf\xbd"
      "\xef\xbf\xbd\xef\xbf\xbd\n\n" },
};


static size_t
convert(const u_char *pos, size_t len, u_char **out)
{
    u_char                     *in;
    size_t                      size;
    ngx_uint_t                  n;
    ngx_media_cue_t             cues[CUES];
    ngx_media_webvtt_t          view;
    ngx_media_webvtt_reader_t   reader;

    in = tap_dup(pos, len);

    ngx_media_webvtt_open(&reader, in, in + len);
    n = ngx_media_webvtt_collect(&reader, 0, INT64_MAX, cues, CUES);

    if (n > CUES) {
        n = CUES;
    }

    memset(&view, 0, sizeof(view));
    view.cues = cues;
    view.ncues = n;
    view.end = INT64_MAX;

    size = ngx_media_webvtt_write(NULL, 0, &view);
    *out = malloc(size);

    if (ngx_media_webvtt_write(*out, size, &view) != size) {
        abort();
    }

    free(in);

    return size;
}


static void
test_files(void)
{
    size_t               i, len, n, size;
    u_char              *again, *out;
    const test_case_t   *test;

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        test = &files[i];
        len = strlen(test->in);

        size = convert((u_char *) test->in, len, &out);
        is_text(out, size, test->out, "%s", test->name);

        /* what we write we read, and write the same */

        n = convert(out, size, &again);
        is_mem(again, n, out, size, "%s: again", test->name);
        free(again);
        free(out);

        for (n = 0; n < len; n++) {
            (void) convert((u_char *) test->in, n, &out);
            free(out);
        }
    }
}


static void
test_segment(void)
{
    size_t                      i, size;
    u_char                     *p;
    ngx_uint_t                  n;
    ngx_media_cue_t             cues[CUES];
    ngx_media_webvtt_t          view;
    ngx_media_webvtt_reader_t   reader;

    static const char  in[] =
        "WEBVTT\n\nSTYLE\nx\n\n"
        "00:00:00.000 --> 00:00:06.000\nends as it begins\n\n"
        "00:00:05.000 --> 00:00:07.000\nfrom before\n\n"
        "00:00:06.000 --> 00:00:07.000\nat the start\n\n"
        "00:00:11.999 --> 00:02:00.000\nfar beyond\n\n"
        "00:00:12.000 --> 00:02:00.000\nthe next one's\n";

    static const char  text[] =
        "WEBVTT\n"
        "X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:01.500\n\n"
        "STYLE\nx\n\n"
        "00:00:06.500 --> 00:00:08.500\nfrom before\n\n"
        "00:00:07.500 --> 00:00:08.500\nat the start\n\n"
        "00:00:13.499 --> 00:02:01.500\nfar beyond\n\n";

    ngx_media_webvtt_open(&reader, (u_char *) in,
                          (u_char *) in + sizeof(in) - 1);
    is(ngx_media_webvtt_collect(&reader, 6000, 12000, cues, 2), 4,
       "four, of which two are stored");

    ngx_media_webvtt_open(&reader, (u_char *) in,
                          (u_char *) in + sizeof(in) - 1);
    n = ngx_media_webvtt_collect(&reader, 0, INT64_MAX, cues, CUES);
    is(n, 6, "all");

    memset(&view, 0, sizeof(view));
    view.cues = cues;
    view.ncues = n;
    view.start = 6000;
    view.end = 12000;
    view.shift = 1500;
    view.mpegts = 900000 + 0x200000000;
    view.local = 1500;
    view.map = 1;

    size = ngx_media_webvtt_write(NULL, 0, &view);
    is(size, strlen(text), "size pass");

    for (i = 0; i <= size; i++) {
        p = malloc(i ? i : 1);

        if (ngx_media_webvtt_write(p, i, &view) != size) {
            ok(0, "room for %u", (unsigned) i);
        }

        if (i == size) {
            is_text(p, i, text, "segment");
        }

        free(p);
    }

    view.start = 200000;
    view.end = 206000;
    view.map = 0;
    p = malloc(100);
    size = ngx_media_webvtt_write(p, 100, &view);
    is_text(p, size, "WEBVTT\n\nSTYLE\nx\n\n", "nothing shows");

    view.shift = -100000;
    view.start = 0;
    view.end = 1;
    size = ngx_media_webvtt_write(p, 100, &view);
    is_text(p, size, "WEBVTT\n\nSTYLE\nx\n\n"
            "00:00:00.000 --> 00:00:00.000\nends as it begins\n\n",
            "before zero");
    free(p);
}


/* cues of a container: their text is anybody's */

static void
test_hostile(void)
{
    u_char              buf[1024];
    size_t              i, size;
    ngx_media_cue_t     cue;
    ngx_media_webvtt_t  view;

    static const test_case_t  tests[] = {
        { "a cue in a cue", "a\n\n00:00:00.000 --> 00:00:01.000\nb",
          "a\n00:00:00.000 --&gt; 00:00:01.000\nb" },
        { "arrows", "--> -->--> ---> -- >",
          "--&gt; --&gt;--&gt; ---&gt; -- >" },
        { "blank lines", "\r\n\n\na\r\r \r\n\t\nb\n\n", "a\nb" },
        { "a broken arrow", "--\x01>", "--&gt;" },
    };

    memset(&cue, 0, sizeof(cue));
    memset(&view, 0, sizeof(view));

    cue.start = 0;
    cue.end = 1000;
    view.cues = &cue;
    view.ncues = 1;
    view.end = 1;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        char  expected[512];

        cue.text.pos = (u_char *) tests[i].in;
        cue.text.last = cue.text.pos + strlen(tests[i].in);
        cue.id.pos = (u_char *) "x\n\n-->\ny";
        cue.id.last = cue.id.pos + 8;
        cue.settings.pos = (u_char *) "line:0\n\n-->\nb";
        cue.settings.last = cue.settings.pos + 13;

        sprintf(expected, "WEBVTT\n\nx  --&gt; y\n"
                "00:00:00.000 --> 00:00:01.000 line:0  --&gt; b\n%s\n\n",
                tests[i].out);

        size = ngx_media_webvtt_write(buf, sizeof(buf), &view);
        is_text(buf, size, expected, "%s", tests[i].name);
    }
}


static void
test_tx3g(void)
{
    u_char             buf[1024], *p, *q;
    size_t             i, len, n, size;
    ngx_media_text_t   text;

    /* text, boxes; text */

    static const test_case_t  tests[] = {
        { "plain", "00036126623c", "a&amp;b" },
        { "empty", "0000", "" },
        { "nothing", "", "" },
        { "lines", "000a200a610d0a0a20620a0a", "a\nb" },
        { "arrow", "00052d2d3e3c41", "--&gt;&lt;A" },
        { "utf-16", "000cfeff006100e42028d83dde00",
          "a\xc3\xa4\n\xf0\x9f\x98\x80" },
        { "utf-16, odd", "0005feff006162", "a\xef\xbf\xbd" },
        { "text too long", "00ff6162", "ab" },
        { "styles", "0008616263640a656667"
          "0000002e" "7374796c" "0003"
          "000100020001011200000000" "000200040001031200000000"
          "000500080001071200000000",
          "a<b>b</b><b><i>cd\n</i></b><b><i><u>efg</u></i></b>" },
        { "styles, past the text", "00026162" "00000016" "7374796c" "0001"
          "0001ffff0001021200000000", "a<i>b</i>" },
        { "styles behind another box", "00026162" "0000000c" "686c6974"
          "00000001" "00000016" "7374796c" "0001" "000000010001041200000000",
          "<u>a</u>b" },
        { "more styles said than there are", "00026162" "00000016" "7374796c"
          "ffff" "000000010001041200000000", "<u>a</u>b" },
        { "box too long", "00026162" "00000017" "7374796c" "0001"
          "000000010001041200000000", "ab" },
        { "box too short", "00026162" "00000007" "7374796c" "0001"
          "000000010001041200000000", "ab" },
        { "empty styles", "00026162" "00000009" "7374796c" "00", "ab" },
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        p = media_hex(tests[i].in, &len);

        ngx_media_text_init(&text, buf, sizeof(buf));
        ngx_media_tx3g_text(&text, p, p + len);
        size = text.total;
        is_text(buf, size, tests[i].out, "tx3g, %s", tests[i].name);

        ngx_media_text_init(&text, NULL, 0);
        ngx_media_tx3g_text(&text, p, p + len);
        is(text.total, size, "tx3g, %s: size", tests[i].name);

        for (n = 0; n < len * 256; n++) {
            q = tap_dup(p, len);
            q[n / 256] = (u_char) n;
            ngx_media_text_init(&text, buf, sizeof(buf));
            ngx_media_tx3g_text(&text, q, q + len);
            free(q);
        }

        for (n = 0; n < len; n++) {
            q = tap_dup(p, n);
            ngx_media_text_init(&text, buf, sizeof(buf));
            ngx_media_tx3g_text(&text, q, q + n);
            free(q);
        }

        free(p);
    }
}


static void
test_add(void)
{
    unsigned         i;
    ngx_uint_t       n;
    ngx_media_cue_t  cues[3], cue;

    static const char  *texts[] = { "a", "b", "a", "a", "c", "d" };

    static const int64_t  times[][2] = {
        { 0, 1000 }, { 0, 2000 }, { 1000, 1500 }, { 1600, 2000 },
        { 2000, 3000 }, { 2000, 3000 }
    };

    n = 0;

    for (i = 0; i < 6; i++) {
        memset(&cue, 0, sizeof(cue));
        cue.start = times[i][0];
        cue.end = times[i][1];
        cue.text.pos = (u_char *) texts[i];
        cue.text.last = cue.text.pos + 1;

        is(ngx_media_webvtt_add(cues, &n, 3, &cue),
           i < 4 ? NGX_OK : NGX_DECLINED, "add %s", texts[i]);
    }

    is(n, 3, "three");
    is(cues[0].end, 1500, "the first went on");
    is(cues[2].start, 1600, "not over a gap");
}


int
main(void)
{
    test_files();
    test_segment();
    test_hostile();
    test_tx3g();
    test_add();

    return done();
}
