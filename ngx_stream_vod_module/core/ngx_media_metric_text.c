
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_metric.h"


static void ngx_media_metric_family(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *rows, ngx_uint_t nrows,
    const ngx_media_metric_object_t *objects, ngx_uint_t n);
static void ngx_media_metric_number(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *row, const void *data);


/* Prometheus, exposition formats; OpenMetrics 1.0, escaped-string */

void
ngx_media_metric_label(ngx_media_text_t *text, const char *name,
    const ngx_str_t *value)
{
    uint32_t       ch;
    const u_char  *p, *last;

    ngx_media_text_data(text, name, ngx_strlen(name));
    ngx_media_text_cstr(text, "=\"");

    p = value->data;
    last = p + value->len;

    while (p < last) {
        ch = ngx_media_text_utf8(&p, last);

        switch (ch) {

        case '"':
            ngx_media_text_cstr(text, "\\\"");
            break;

        case '\\':
            ngx_media_text_cstr(text, "\\\\");
            break;

        case '\n':
            ngx_media_text_cstr(text, "\\n");
            break;

        default:
            ngx_media_text_char(text, ch);
        }
    }

    ngx_media_text_cstr(text, "\"");
}


/*
 * Help is our own text: nothing in it has to be escaped.  A counter's name is
 * without "_total" in OpenMetrics, and with it in the older format.
 */

void
ngx_media_metric_head(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *row)
{
    ngx_uint_t         i, counter;
    ngx_media_text_t  *text;

    text = &mt->text;
    counter = (row->type == NGX_MEDIA_METRIC_COUNTER);

    for (i = 0; i < 2; i++) {

        if (i == 0) {
            ngx_media_text_cstr(text, "# HELP ngx_media_");

        } else {
            ngx_media_text_cstr(text, "# TYPE ngx_media_");
        }

        ngx_media_text_str(text, &row->metric);

        if (counter && !mt->open) {
            ngx_media_text_cstr(text, "_total");
        }

        ngx_media_text_cstr(text, " ");

        if (i == 0) {
            ngx_media_text_data(text, row->help, ngx_strlen(row->help));

        } else if (counter) {
            ngx_media_text_cstr(text, "counter");

        } else if (row->type == NGX_MEDIA_METRIC_HISTOGRAM) {
            ngx_media_text_cstr(text, "histogram");

        } else {
            ngx_media_text_cstr(text, "gauge");
        }

        ngx_media_text_cstr(text, "\n");
    }
}


void
ngx_media_metric_sample(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *row, const ngx_str_t *labels,
    const char *label)
{
    ngx_media_text_t  *text;

    text = &mt->text;

    ngx_media_text_cstr(text, "ngx_media_");
    ngx_media_text_str(text, &row->metric);

    if (row->suffix) {
        ngx_media_text_data(text, row->suffix, ngx_strlen(row->suffix));

    } else if (row->type == NGX_MEDIA_METRIC_COUNTER) {
        ngx_media_text_cstr(text, "_total");
    }

    if (labels->len || label) {
        ngx_media_text_cstr(text, "{");
        ngx_media_text_str(text, labels);

        if (labels->len && label) {
            ngx_media_text_cstr(text, ",");
        }

        if (label) {
            ngx_media_text_data(text, label, ngx_strlen(label));
        }

        ngx_media_text_cstr(text, "}");
    }

    ngx_media_text_cstr(text, " ");
}


void
ngx_media_metric_walk(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *rows, const ngx_media_metric_object_t *objects,
    ngx_uint_t n)
{
    ngx_uint_t  k;

    for ( /* void */ ; rows->size; rows += k) {

        /* the metric's rows, which follow one another */

        for (k = 1; rows[k].size; k++) {
            if (rows[k].metric.len != rows->metric.len
                || ngx_memcmp(rows[k].metric.data, rows->metric.data,
                              rows->metric.len)
                   != 0)
            {
                break;
            }
        }

        if (rows->type != NGX_MEDIA_METRIC_NONE) {
            ngx_media_metric_family(mt, rows, k, objects, n);
        }
    }
}


static void
ngx_media_metric_family(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *rows, ngx_uint_t nrows,
    const ngx_media_metric_object_t *objects, ngx_uint_t n)
{
    ngx_uint_t  i, k, said;

    said = 0;

    for (i = 0; i < n; i++) {

        if (objects[i].rest && rows->type < NGX_MEDIA_METRIC_SUM) {
            continue;
        }

        if (!said) {
            ngx_media_metric_head(mt, rows);
            said = 1;
        }

        for (k = 0; k < nrows; k++) {
            ngx_media_metric_sample(mt, &rows[k], &objects[i].labels,
                                    rows[k].label);
            ngx_media_metric_number(mt, &rows[k], objects[i].data);
        }
    }
}


static void
ngx_media_metric_number(ngx_media_metric_text_t *mt,
    const ngx_media_metric_t *row, const void *data)
{
    uint64_t           value;
    ngx_media_text_t  *text;

    text = &mt->text;
    value = ngx_media_metric_value(row, data);

    if (row->negative && (int64_t) value < 0) {
        ngx_media_text_cstr(text, "-");
        value = 0 - value;
    }

    if (row->unit == 1) {
        ngx_media_text_u64(text, value);

    } else {
        ngx_media_text_decimal(text, value, row->unit,
                               row->unit > 1000 ? 6 : 3, NGX_MEDIA_TEXT_DOWN);
    }

    ngx_media_text_cstr(text, "\n");
}
