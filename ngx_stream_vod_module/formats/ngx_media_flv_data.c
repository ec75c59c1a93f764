
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_amf.h"
#include "formats/ngx_media_flv.h"
#include "formats/ngx_media_flv_data.h"
#include "formats/ngx_media_id3.h"


/* of dates that are printed as such: 1970 to 9999, in ms */
#define NGX_MEDIA_FLV_DATE_MAX  253402300799999.0


/* a container that is being written */

typedef struct {
    ngx_media_amf_iterator_t  it;
    ngx_uint_t                n;              /* elements so far */
} ngx_media_flv_level_t;


static ngx_media_flv_data_e ngx_media_flv_data_check(
    const ngx_media_span_t *name);
static ngx_media_flv_data_e ngx_media_flv_data_args(
    ngx_media_flv_data_t *data);
static void ngx_media_flv_data_json(ngx_media_text_t *text,
    const ngx_media_flv_data_t *data);
static void ngx_media_flv_data_value(ngx_media_text_t *text,
    ngx_media_amf_value_t *value);
static ngx_uint_t ngx_media_flv_data_scalar(ngx_media_text_t *text,
    const ngx_media_amf_value_t *value);
static void ngx_media_flv_data_string(ngx_media_text_t *text,
    const ngx_media_span_t *string);


/*
 * Not metadata of players: what describes the stream, what the server is told
 * by a publisher or says to a player, and captions, bytes of CEA-608 or 708
 */

static const ngx_str_t  ngx_media_flv_data_others[] = {
    ngx_string("onMetaData"),
    ngx_string("onStatus"),
    ngx_string("onPlayStatus"),
    ngx_string("onCaptionInfo"),
    ngx_string("onCaption"),
    ngx_null_string
};


ngx_media_flv_data_e
ngx_media_flv_data_open(ngx_media_flv_data_t *data, const u_char *pos,
    const u_char *last)
{
    ngx_int_t             rc;
    ngx_media_text_t      text;
    ngx_media_flv_data_e  why;

    ngx_memzero(data, sizeof(ngx_media_flv_data_t));

    rc = ngx_media_flv_data_name(&pos, last, &data->name);

    if (rc != NGX_OK || data->name.pos == NULL) {
        return NGX_MEDIA_FLV_DATA_MALFORMED;
    }

    data->args.pos = pos;
    data->args.last = last;

    why = ngx_media_flv_data_check(&data->name);

    if (why != NGX_MEDIA_FLV_DATA_OK) {
        return why;
    }

    if (ngx_media_span_len(&data->args) > NGX_MEDIA_FLV_DATA_BODY_MAX) {
        return NGX_MEDIA_FLV_DATA_LONG;
    }

    why = ngx_media_flv_data_args(data);

    if (why != NGX_MEDIA_FLV_DATA_OK) {
        return why;
    }

    ngx_media_text_init(&text, NULL, 0);
    ngx_media_flv_data_json(&text, data);

    data->size = text.total
                 + ngx_media_id3_write_head(NULL, NGX_MEDIA_ID3_TXXX,
                                            &data->name, text.total);

    return (data->size > NGX_MEDIA_FLV_DATA_MAX) ? NGX_MEDIA_FLV_DATA_LONG
                                                 : NGX_MEDIA_FLV_DATA_OK;
}


static ngx_media_flv_data_e
ngx_media_flv_data_check(const ngx_media_span_t *name)
{
    size_t            len;
    const u_char     *p;
    const ngx_str_t  *other;

    len = ngx_media_span_len(name);

    if (len == 0) {
        return NGX_MEDIA_FLV_DATA_NAME;
    }

    if (*name->pos == '@' || *name->pos == '|') {
        return NGX_MEDIA_FLV_DATA_OTHER;
    }

    for (other = ngx_media_flv_data_others; other->len; other++) {
        if (other->len == len
            && ngx_memcmp(other->data, name->pos, len) == 0)
        {
            return NGX_MEDIA_FLV_DATA_OTHER;
        }
    }

    if (len > NGX_MEDIA_FLV_DATA_NAME_MAX) {
        return NGX_MEDIA_FLV_DATA_NAME;
    }

    for (p = name->pos; p < name->last; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            return NGX_MEDIA_FLV_DATA_NAME;
        }
    }

    return NGX_MEDIA_FLV_DATA_OK;
}


/* all of them can be read, so nothing can fail when they are written */

static ngx_media_flv_data_e
ngx_media_flv_data_args(ngx_media_flv_data_t *data)
{
    ngx_int_t               rc;
    const u_char           *pos;
    ngx_media_amf_value_t   value;

    pos = data->args.pos;

    for ( ;; ) {
        rc = ngx_media_amf_read(&pos, data->args.last, &value);

        if (rc == NGX_DONE) {
            return NGX_MEDIA_FLV_DATA_OK;
        }

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_MEDIA_FLV_DATA_UNREADABLE
                                        : NGX_MEDIA_FLV_DATA_MALFORMED;
        }

        data->nargs++;
    }
}


void
ngx_media_flv_data_write(u_char *p, const ngx_media_flv_data_t *data)
{
    size_t            head;
    ngx_media_text_t  text;

    head = ngx_media_id3_write_head(NULL, NGX_MEDIA_ID3_TXXX, &data->name, 0);

    (void) ngx_media_id3_write_head(p, NGX_MEDIA_ID3_TXXX, &data->name,
                                    data->size - head);

    ngx_media_text_init(&text, p + head, data->size - head);
    ngx_media_flv_data_json(&text, data);
}


static void
ngx_media_flv_data_json(ngx_media_text_t *text,
    const ngx_media_flv_data_t *data)
{
    ngx_uint_t              n;
    const u_char           *pos;
    ngx_media_amf_value_t   value;

    if (data->nargs == 0) {
        ngx_media_text_cstr(text, "null");
        return;
    }

    if (data->nargs > 1) {
        ngx_media_text_cstr(text, "[");
    }

    pos = data->args.pos;

    for (n = 0; n < data->nargs; n++) {

        if (n) {
            ngx_media_text_cstr(text, ",");
        }

        (void) ngx_media_amf_read(&pos, data->args.last, &value);
        ngx_media_flv_data_value(text, &value);
    }

    if (data->nargs > 1) {
        ngx_media_text_cstr(text, "]");
    }
}


/*
 * One value with all that is in it, with a stack of its own, as it was read:
 * no deeper than NGX_MEDIA_AMF_DEPTH
 */

static void
ngx_media_flv_data_value(ngx_media_text_t *text, ngx_media_amf_value_t *value)
{
    ngx_uint_t              depth;
    ngx_media_span_t        key;
    ngx_media_flv_level_t  *level, levels[NGX_MEDIA_AMF_DEPTH];

    depth = 0;

    do {
        if (ngx_media_flv_data_scalar(text, value) == 0) {
            level = &levels[depth++];
            level->n = 0;

            ngx_media_amf_iterate(&level->it, value);
            ngx_media_text_data(text, level->it.named ? "{" : "[", 1);
        }

        while (depth) {
            level = &levels[depth - 1];

            if (ngx_media_amf_next(&level->it, &key, value) == NGX_OK) {

                if (level->n++) {
                    ngx_media_text_cstr(text, ",");
                }

                if (level->it.named) {
                    ngx_media_flv_data_string(text, &key);
                    ngx_media_text_cstr(text, ":");
                }

                break;
            }

            ngx_media_text_data(text, level->it.named ? "}" : "]", 1);
            depth--;
        }

    } while (depth);
}


/* 0: it is a container, nothing was written */

static ngx_uint_t
ngx_media_flv_data_scalar(ngx_media_text_t *text,
    const ngx_media_amf_value_t *value)
{
    switch (value->type) {

    case NGX_MEDIA_AMF_OBJECT:
    case NGX_MEDIA_AMF_ECMA_ARRAY:
    case NGX_MEDIA_AMF_TYPED_OBJECT:
    case NGX_MEDIA_AMF_ARRAY:
        return 0;

    case NGX_MEDIA_AMF_NUMBER:
        ngx_media_text_number(text, value->number);
        break;

    case NGX_MEDIA_AMF_BOOL:

        if (value->number != 0) {
            ngx_media_text_cstr(text, "true");

        } else {
            ngx_media_text_cstr(text, "false");
        }

        break;

    case NGX_MEDIA_AMF_STRING:
        ngx_media_flv_data_string(text, &value->data);
        break;

    case NGX_MEDIA_AMF_DATE:

        if (!(value->number >= 0 && value->number <= NGX_MEDIA_FLV_DATE_MAX)) {
            ngx_media_text_number(text, value->number);
            break;
        }

        ngx_media_text_cstr(text, "\"");
        ngx_media_text_date(text, (int64_t) value->number);
        ngx_media_text_cstr(text, "\"");
        break;

    default: /* null, undefined, references */
        ngx_media_text_cstr(text, "null");
    }

    return 1;
}


static void
ngx_media_flv_data_string(ngx_media_text_t *text,
    const ngx_media_span_t *string)
{
    ngx_str_t  str;

    str.len = ngx_media_span_len(string);
    str.data = (u_char *) string->pos;

    ngx_media_text_cstr(text, "\"");
    ngx_media_text_json(text, &str);
    ngx_media_text_cstr(text, "\"");
}
