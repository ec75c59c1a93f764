
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is told about applications, streams and tracks, as tables over the
 * snapshots of ngx_media_stat.h.  A row is one number; status (JSON) and
 * metrics (Prometheus, OpenMetrics) walk over the same rows, named in docs/.
 * Rows of one metric follow one another, each with a label of its own.
 *
 * style: long header, it is one vocabulary and all tables of it.
 */


#ifndef _NGX_MEDIA_METRIC_H_INCLUDED_
#define _NGX_MEDIA_METRIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_stat.h"
#include "formats/ngx_media_text.h"


typedef enum {
    NGX_MEDIA_METRIC_NONE = 0,                /* of the status only */
    NGX_MEDIA_METRIC_GAUGE,
    NGX_MEDIA_METRIC_SUM,                     /* a gauge that may be summed */
    NGX_MEDIA_METRIC_COUNTER,
    NGX_MEDIA_METRIC_HISTOGRAM                /* its fields have suffixes */
} ngx_media_metric_type_e;


typedef struct {
    ngx_str_t                 name;           /* in the status; empty: not */
    ngx_media_metric_type_e   type;
    ngx_str_t                 metric;         /* less "ngx_media_", "_total" */
    const char               *label;          /* reason="late"; or NULL */
    const char               *help;           /* of its first row */
    uint32_t                  unit;           /* 1000: the field counts
                                                 thousandths; millionths */
    ngx_uint_t                negative;       /* the field has a sign */
    size_t                    offset;
    size_t                    size;           /* of the field: 4 or 8 bytes */
    const char               *suffix;         /* NULL: that of the type */
} ngx_media_metric_t;


/* the status' own row, and rows of both */

#define ngx_media_metric_status(object, name, field)                          \
    { ngx_string(name), NGX_MEDIA_METRIC_NONE, ngx_null_string, NULL, NULL,   \
      1, 0, offsetof(object, field), sizeof(((object *) NULL)->field), NULL }

#define ngx_media_metric_field(object, name, type, metric, label, unit, field, \
    help)                                                                     \
    { ngx_string(name), NGX_MEDIA_METRIC_##type, ngx_string(metric), label,   \
      help, unit, 0, offsetof(object, field),                                 \
      sizeof(((object *) NULL)->field), NULL }

#define ngx_media_metric_signed(object, name, type, metric, unit, field,      \
    help)                                                                     \
    { ngx_string(name), NGX_MEDIA_METRIC_##type, ngx_string(metric), NULL,    \
      help, unit, 1, offsetof(object, field),                                 \
      sizeof(((object *) NULL)->field), NULL }

#define ngx_media_metric_histogram(object, metric, suffix, label, unit,       \
    field, help)                                                              \
    { ngx_null_string, NGX_MEDIA_METRIC_HISTOGRAM, ngx_string(metric), label, \
      help, unit, 0, offsetof(object, field),                                 \
      sizeof(((object *) NULL)->field), suffix }

#define ngx_media_metric_end                                                  \
    { ngx_null_string, NGX_MEDIA_METRIC_NONE, ngx_null_string, NULL, NULL,    \
      0, 0, 0, 0, NULL }


/* how many streams of an application there are, by state */

typedef struct {
    uint64_t                  live;
    uint64_t                  grace;
    uint64_t                  ended;
    uint64_t                  omitted;        /* not listed one by one */
} ngx_media_streams_stat_t;


extern const ngx_media_metric_t  ngx_media_metric_apps[];
extern const ngx_media_metric_t  ngx_media_metric_zones[];
extern const ngx_media_metric_t  ngx_media_metric_states[];
extern const ngx_media_metric_t  ngx_media_metric_caches[];
extern const ngx_media_metric_t  ngx_media_metric_ladders[];
extern const ngx_media_metric_t  ngx_media_metric_streams[];
extern const ngx_media_metric_t  ngx_media_metric_ignored[];
extern const ngx_media_metric_t  ngx_media_metric_viewers[];
extern const ngx_media_metric_t  ngx_media_metric_links[];
extern const ngx_media_metric_t  ngx_media_metric_links_srt[];
extern const ngx_media_metric_t  ngx_media_metric_links_ts[];
extern const ngx_media_metric_t  ngx_media_metric_tracks[];
extern const ngx_media_metric_t  ngx_media_metric_videos[];


/* ngx_media_metric.c: the field, thousandths and signs as they are */
uint64_t ngx_media_metric_value(const ngx_media_metric_t *row,
    const void *data);

/* sum += data, of all rows that may be summed */
void ngx_media_metric_add(const ngx_media_metric_t *rows, void *sum,
    const void *data);

/* the status: ,"name":value of each row that has a name there */
void ngx_media_metric_json(ngx_media_text_t *text,
    const ngx_media_metric_t *rows, const void *data);


/* ngx_media_metric_text.c */

typedef struct {
    ngx_str_t                 labels;         /* app="live", or empty */
    const void               *data;
    unsigned                  rest:1;         /* a sum: of what may be summed */
} ngx_media_metric_object_t;


typedef struct {
    ngx_media_text_t          text;
    unsigned                  open:1;         /* OpenMetrics */
} ngx_media_metric_text_t;


/* name="value" with what comes before: ",", or nothing.  Of any bytes: what
   is not UTF-8 becomes U+FFFD, since one such byte ends a whole scrape */
void ngx_media_metric_label(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value);

/* TYPE and HELP of the metric of a row */
void ngx_media_metric_head(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *row);

/* the name with its suffix, and the labels: "ngx_media_x{app="a"} " */
void ngx_media_metric_sample(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *row, const ngx_str_t *labels,
    const char *label);

/* all rows of all objects: nothing of a metric that none has */
void ngx_media_metric_walk(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *rows, const ngx_media_metric_object_t *objects,
    ngx_uint_t n);


#endif /* _NGX_MEDIA_METRIC_H_INCLUDED_ */
