
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: formats/ngx_media_amf.c formats/ngx_media_text.c */


#include "formats/ngx_media_amf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    ngx_media_span_t       name;
    double                 number;
    ngx_uint_t             flag;
    ngx_media_span_t       string;
    ngx_media_amf_value_t  value;
} args_t;


#define at(field)  offsetof(args_t, field)


static const ngx_media_amf_elt_t  inner[] = {
    { NGX_MEDIA_AMF_STRING, ngx_string("s"), at(string), NULL },
    { NGX_MEDIA_AMF_BOOL, ngx_string("b"), at(flag), NULL },
    ngx_media_amf_null_elt
};

static const ngx_media_amf_elt_t  props[] = {
    { NGX_MEDIA_AMF_OBJECT, ngx_string("o"), 0, inner },
    { NGX_MEDIA_AMF_NUMBER, ngx_string("n"), at(number), NULL },
    { NGX_MEDIA_AMF_VALUE, ngx_string("v"), at(value), NULL },
    ngx_media_amf_null_elt
};

static const ngx_media_amf_elt_t  elts[] = {
    { NGX_MEDIA_AMF_STRING, ngx_null_string, at(name), NULL },
    { NGX_MEDIA_AMF_NUMBER, ngx_null_string, at(number), NULL },
    { NGX_MEDIA_AMF_OBJECT, ngx_null_string, 0, props },
    { NGX_MEDIA_AMF_SKIP, ngx_null_string, 0, NULL },
    { NGX_MEDIA_AMF_VALUE, ngx_null_string, at(value), NULL },
    ngx_media_amf_null_elt
};


static void
inside(const ngx_media_span_t *span, const u_char *pos, const u_char *last)
{
    if (span->pos != NULL
        && (span->pos < pos || span->last > last || span->pos > span->last))
    {
        abort();
    }
}


/* what is inside of a value that was read can be read, to any depth */

static size_t
walk(const ngx_media_amf_value_t *value, size_t depth)
{
    int                       rc;
    size_t                    n;
    ngx_media_span_t          key;
    ngx_media_amf_value_t     nested;
    ngx_media_amf_iterator_t  it;

    if (depth > NGX_MEDIA_AMF_DEPTH) {
        abort();
    }

    ngx_media_amf_iterate(&it, value);

    for (n = 0; /* void */ ; n++) {
        rc = ngx_media_amf_next(&it, &key, &nested);

        if (rc == NGX_DONE) {
            return n;
        }

        if (rc != NGX_OK) {
            abort();
        }

        inside(&key, value->data.pos, value->data.last);
        inside(&nested.data, value->data.pos, value->data.last);

        walk(&nested, depth + 1);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                    rc;
    args_t                 args;
    const u_char          *p, *before, *last;
    ngx_media_amf_value_t  value;

    p = data;
    last = data + size;

    memset(&args, 0, sizeof(args));
    args.value.type = NGX_MEDIA_AMF_NULL;

    (void) ngx_media_amf_parse(&p, last, elts, &args);

    inside(&args.name, data, last);
    inside(&args.string, data, last);

    if (args.flag > 1) {
        abort();
    }

    p = data;

    for ( ;; ) {
        before = p;
        rc = ngx_media_amf_read(&p, last, &value);

        if (rc == NGX_DONE) {
            if (p != last) {
                abort();
            }

            break;
        }

        if (rc != NGX_OK) {
            break;
        }

        if (p <= before || p > last) {
            abort();
        }

        inside(&value.data, data, last);
        walk(&value, 0);
    }

    return 0;
}
