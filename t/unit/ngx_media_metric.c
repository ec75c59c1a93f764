
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: core/ngx_media_metric.c core/ngx_media_metric_text.c
         formats/ngx_media_text.c */


#include "core/ngx_media_metric.h"
#include "memory/ngx_media_cache.h"
#include "tap.h"


typedef struct {
    uint64_t                  frames;
    uint32_t                  rate;
    uint64_t                  held;
    int64_t                   drift;
    uint64_t                  late;
    uint64_t                  key;
} thing_t;


static const ngx_media_metric_t  rows[] = {

    ngx_media_metric_field(thing_t, "frames", COUNTER, "thing_frames", NULL, 1,
                         frames, "Frames"),
    ngx_media_metric_status(thing_t, "rate", rate),
    ngx_media_metric_field(thing_t, "", GAUGE, "thing_rate", NULL, 1000, rate,
                         "Rate"),
    ngx_media_metric_field(thing_t, "held", SUM, "thing_held_bytes", NULL, 1,
                         held, "Held"),
    ngx_media_metric_signed(thing_t, "", GAUGE, "thing_drift_seconds", 1000,
                            drift, "Drift"),
    ngx_media_metric_field(thing_t, "dropped_late", COUNTER, "thing_dropped",
                         "reason=\"late\"", 1, late, "Dropped"),
    ngx_media_metric_field(thing_t, "dropped_key", COUNTER, "thing_dropped",
                         "reason=\"key\"", 1, key, "Dropped"),

    ngx_media_metric_histogram(thing_t, "thing_seconds", "_bucket",
                               "le=\"+Inf\"", 1, late, "Seconds"),
    ngx_media_metric_histogram(thing_t, "thing_seconds", "_sum", NULL, 1000,
                               key, NULL),

    ngx_media_metric_end
};


static thing_t  one = { 1, 25500, 3, -4, 5, 6 };
static thing_t  two = { 0xffffffffffffffffull, 7, 30, 1234567, 50, 60 };


/* size pass, write pass into just that size, and into each shorter one */

static void
check(ngx_uint_t open, const ngx_media_metric_object_t *objects, ngx_uint_t n,
    const char *expected, const char *name)
{
    int                      good;
    size_t                   i, len;
    u_char                  *p;
    ngx_media_metric_text_t  mt;

    mt.open = open;

    ngx_media_text_init(&mt.text, NULL, 0);
    ngx_media_metric_walk(&mt, rows, objects, n);

    len = mt.text.total;
    p = malloc(len + 1);

    ngx_media_text_init(&mt.text, p, len);
    ngx_media_metric_walk(&mt, rows, objects, n);

    is_text(p, mt.text.pos - p, expected, "%s", name);

    good = (mt.text.total == len && !mt.text.overflow);
    free(p);

    for (i = 0; i < len; i++) {
        p = malloc(i ? i : 1);

        ngx_media_text_init(&mt.text, p, i);
        ngx_media_metric_walk(&mt, rows, objects, n);

        good = good && mt.text.overflow && mt.text.total == len;
        free(p);
    }

    ok(good, "%s, passes agree", name);
}


static void
walks(void)
{
    ngx_media_metric_object_t  objects[2];

    memset(objects, 0, sizeof(objects));

    ngx_str_set(&objects[0].labels, "app=\"a\"");
    objects[0].data = &one;
    objects[1].data = &two;

    check(0, objects, 2,
        "# HELP ngx_media_thing_frames_total Frames\n"
        "# TYPE ngx_media_thing_frames_total counter\n"
        "ngx_media_thing_frames_total{app=\"a\"} 1\n"
        "ngx_media_thing_frames_total 18446744073709551615\n"
        "# HELP ngx_media_thing_rate Rate\n"
        "# TYPE ngx_media_thing_rate gauge\n"
        "ngx_media_thing_rate{app=\"a\"} 25.500\n"
        "ngx_media_thing_rate 0.007\n"
        "# HELP ngx_media_thing_held_bytes Held\n"
        "# TYPE ngx_media_thing_held_bytes gauge\n"
        "ngx_media_thing_held_bytes{app=\"a\"} 3\n"
        "ngx_media_thing_held_bytes 30\n"
        "# HELP ngx_media_thing_drift_seconds Drift\n"
        "# TYPE ngx_media_thing_drift_seconds gauge\n"
        "ngx_media_thing_drift_seconds{app=\"a\"} -0.004\n"
        "ngx_media_thing_drift_seconds 1234.567\n"
        "# HELP ngx_media_thing_dropped_total Dropped\n"
        "# TYPE ngx_media_thing_dropped_total counter\n"
        "ngx_media_thing_dropped_total{app=\"a\",reason=\"late\"} 5\n"
        "ngx_media_thing_dropped_total{app=\"a\",reason=\"key\"} 6\n"
        "ngx_media_thing_dropped_total{reason=\"late\"} 50\n"
        "ngx_media_thing_dropped_total{reason=\"key\"} 60\n"
        "# HELP ngx_media_thing_seconds Seconds\n"
        "# TYPE ngx_media_thing_seconds histogram\n"
        "ngx_media_thing_seconds_bucket{app=\"a\",le=\"+Inf\"} 5\n"
        "ngx_media_thing_seconds_sum{app=\"a\"} 0.006\n"
        "ngx_media_thing_seconds_bucket{le=\"+Inf\"} 50\n"
        "ngx_media_thing_seconds_sum 0.060\n",
        "two objects");

    /* a sum: what cannot be summed is not there, not even its head */

    objects[0].rest = 1;

    check(1, objects, 1,
        "# HELP ngx_media_thing_frames Frames\n"
        "# TYPE ngx_media_thing_frames counter\n"
        "ngx_media_thing_frames_total{app=\"a\"} 1\n"
        "# HELP ngx_media_thing_held_bytes Held\n"
        "# TYPE ngx_media_thing_held_bytes gauge\n"
        "ngx_media_thing_held_bytes{app=\"a\"} 3\n"
        "# HELP ngx_media_thing_dropped Dropped\n"
        "# TYPE ngx_media_thing_dropped counter\n"
        "ngx_media_thing_dropped_total{app=\"a\",reason=\"late\"} 5\n"
        "ngx_media_thing_dropped_total{app=\"a\",reason=\"key\"} 6\n"
        "# HELP ngx_media_thing_seconds Seconds\n"
        "# TYPE ngx_media_thing_seconds histogram\n"
        "ngx_media_thing_seconds_bucket{app=\"a\",le=\"+Inf\"} 5\n"
        "ngx_media_thing_seconds_sum{app=\"a\"} 0.006\n",
        "a sum, OpenMetrics");

    check(0, objects, 0, "", "no object");
}


static void
sums(void)
{
    thing_t  sum;

    memset(&sum, 0, sizeof(thing_t));

    ngx_media_metric_add(rows, &sum, &one);
    ngx_media_metric_add(rows, &sum, &one);

    is(sum.frames, 2, "a counter is summed");
    is(sum.held, 6, "and such a gauge");
    is(sum.key, 24, "each row, here of two metrics");
    is(sum.rate, 0, "others are not");
    is(sum.drift, 0, "nor these");
}


static void
json(void)
{
    u_char            buf[256];
    ngx_media_text_t  text;

    ngx_media_text_init(&text, buf, sizeof(buf));
    ngx_media_metric_json(&text, rows, &one);

    is_text(buf, text.total, ",\"frames\":1,\"rate\":25500,\"held\":3,"
            "\"dropped_late\":5,\"dropped_key\":6", "the status");
}


static void
label(const char *value, size_t len, const char *expected, const char *name)
{
    u_char            *p;
    ngx_str_t          str;
    ngx_media_text_t   text;
    u_char             buf[256];

    p = tap_dup(value, len);

    str.data = p;
    str.len = len;

    ngx_media_text_init(&text, buf, sizeof(buf));
    ngx_media_metric_label(&text, "l", &str);

    is_text(buf, text.total, expected, "%s", name);

    free(p);
}


static void
labels(void)
{
    label("", 0, "l=\"\"", "an empty label");
    label("a b,{}=", 7, "l=\"a b,{}=\"", "what needs no escape");
    label("\"\\\n", 3, "l=\"\\\"\\\\\\n\"", "what does");
    label("\xc3\xbc\xf0\x9f\x8e\xa5", 6, "l=\"\xc3\xbc\xf0\x9f\x8e\xa5\"",
          "UTF-8");
    label("\xff", 1, "l=\"\xef\xbf\xbd\"", "a byte that is none");
    label("a\xe2\x82", 3, "l=\"a\xef\xbf\xbd\"", "a sequence that ends early");
    label("\xed\xa0\x80", 3, "l=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
          "a surrogate");
}


/* rows of one metric stand together, and have help and distinct labels */

static void
table(const ngx_media_metric_t *t, const char *name)
{
    int         good;
    ngx_uint_t  i, k;

    good = 1;

    for (i = 0; t[i].size; i++) {

        good = good && (t[i].size == 4 || t[i].size == 8);

        if (t[i].type == NGX_MEDIA_METRIC_NONE) {
            good = good && t[i].name.len && t[i].metric.len == 0;
            continue;
        }

        good = good && t[i].metric.len && t[i].help && t[i].unit
               && strchr(t[i].help, '\\') == NULL;

        for (k = 0; k < i; k++) {

            if (t[k].metric.len == t[i].metric.len
                && memcmp(t[k].metric.data, t[i].metric.data,
                          t[i].metric.len)
                   == 0)
            {
                good = good && t[k].label && t[i].label
                       && strcmp(t[k].label, t[i].label) != 0
                       && t[i - 1].metric.len == t[i].metric.len;
            }
        }
    }

    ok(good && i, "%s: %d rows", name, (int) i);
}


int
main(void)
{
    walks();
    sums();
    json();
    labels();

    table(ngx_media_metric_apps, "apps");
    table(ngx_media_metric_zones, "zones");
    table(ngx_media_metric_states, "states");
    table(ngx_media_metric_caches, "caches");
    table(ngx_media_metric_streams, "streams");
    table(ngx_media_metric_ignored, "ignored");
    table(ngx_media_metric_links, "links");
    table(ngx_media_metric_tracks, "tracks");
    table(ngx_media_metric_videos, "videos");

    return done();
}
