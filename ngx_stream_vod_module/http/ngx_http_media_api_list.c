
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The items of a page are a heap, the last of them on top, which gives way to
 * whatever comes before it: n streams cost n log(limit) comparisons and room
 * for a page.  A cursor is the place of the page's last item: its value and its
 * names.  So a stream that comes or goes moves no other one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "http/ngx_http_media_api_list.h"


#define NGX_HTTP_MEDIA_API_PLACE  (8 + 2 * NGX_MEDIA_NAME_MAX + 1)


static ngx_int_t ngx_http_media_api_list_app(ngx_pool_t *pool,
    ngx_http_media_api_list_t *list, ngx_media_app_t *app,
    const ngx_http_media_api_item_t *after);
static void ngx_http_media_api_list_viewers(
    const ngx_http_media_api_list_t *list, ngx_http_media_api_item_t *item);
static ngx_uint_t ngx_http_media_api_list_wants(
    const ngx_http_media_api_list_t *list,
    const ngx_media_stream_brief_t *brief);
static ngx_int_t ngx_http_media_api_list_put(ngx_pool_t *pool,
    ngx_http_media_api_list_t *list, const ngx_http_media_api_item_t *item);
static ngx_int_t ngx_http_media_api_compare(
    const ngx_http_media_api_item_t *one,
    const ngx_http_media_api_item_t *two);
static void ngx_http_media_api_heap_up(ngx_http_media_api_item_t **items,
    ngx_uint_t i);
static void ngx_http_media_api_heap_down(ngx_http_media_api_item_t **items,
    ngx_uint_t n);
static void ngx_http_media_api_heap_sort(ngx_http_media_api_item_t **items,
    ngx_uint_t n);
static ngx_int_t ngx_http_media_api_place_read(ngx_pool_t *pool,
    const ngx_str_t *cursor, ngx_http_media_api_item_t *item);
static ngx_int_t ngx_http_media_api_place_write(ngx_pool_t *pool,
    const ngx_http_media_api_item_t *item, ngx_str_t *cursor);


ngx_int_t
ngx_http_media_api_list(ngx_pool_t *pool, ngx_http_media_api_list_t *list)
{
    ngx_uint_t                  i;
    ngx_media_app_t            *app;
    ngx_http_media_api_item_t  *after;

    after = NULL;

    if (list->after.data) {
        after = ngx_palloc(pool, sizeof(ngx_http_media_api_item_t));
        if (after == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_media_api_place_read(pool, &list->after, after)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    list->total = 0;
    list->n = 0;
    list->more = 0;
    list->items = ngx_palloc(pool, list->limit
                                   * sizeof(ngx_http_media_api_item_t *));
    if (list->items == NULL) {
        return NGX_ERROR;
    }

    ngx_str_null(&list->cursor);

    for (i = 0; /* void */ ; i++) {
        app = ngx_media_app_entry((ngx_cycle_t *) ngx_cycle, i);

        if (app == NULL) {
            break;
        }

        if (list->app.data
            && (list->app.len != app->name.len
                || ngx_memcmp(list->app.data, app->name.data, app->name.len)
                   != 0))
        {
            continue;
        }

        if (ngx_http_media_api_list_app(pool, list, app, after) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_media_api_heap_sort(list->items, list->n);

    for (i = 0; i < list->n; i++) {
        ngx_http_media_api_list_viewers(list, list->items[i]);
    }

    if (!list->more) {
        return NGX_OK;
    }

    return ngx_http_media_api_place_write(pool, list->items[list->n - 1],
                                          &list->cursor);
}


static ngx_int_t
ngx_http_media_api_list_app(ngx_pool_t *pool, ngx_http_media_api_list_t *list,
    ngx_media_app_t *app, const ngx_http_media_api_item_t *after)
{
    ngx_uint_t                 i, n;
    ngx_media_stream_t        *streams;
    ngx_http_media_api_item_t  item;

    if (ngx_media_zone_streams(app->zone, pool, &streams, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    item.app = &app->name;

    for (i = 0; i < n; i++) {

        if (ngx_media_stream_brief(&streams[i], &item.brief) != NGX_OK
            || !ngx_http_media_api_list_wants(list, &item.brief))
        {
            continue;
        }

        list->total++;

        if (list->watched) {
            ngx_http_media_api_list_viewers(list, &item);
        }

        item.value = list->value ? list->value(&item) : 0;

        if (after && ngx_http_media_api_compare(&item, after) <= 0) {
            continue;
        }

        if (ngx_http_media_api_list_put(pool, list, &item) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_media_api_list_viewers(const ngx_http_media_api_list_t *list,
    ngx_http_media_api_item_t *item)
{
    ngx_str_t                  name;
    ngx_media_session_count_t  count;

    item->viewers = 0;

    if (list->sessions == NULL) {
        return;
    }

    name.data = item->brief.name;
    name.len = item->brief.name_len;

    ngx_media_session_count(list->sessions,
                            ngx_media_session_stream(list->sessions, item->app,
                                                     &name),
                            &count);

    item->viewers = count.viewers;
}


static ngx_uint_t
ngx_http_media_api_list_wants(const ngx_http_media_api_list_t *list,
    const ngx_media_stream_brief_t *brief)
{
    size_t  i;

    if (list->publishers && brief->pid == 0) {
        return 0;
    }

    if (list->state && brief->state != list->state) {
        return 0;
    }

    if (list->q.data == NULL) {
        return 1;
    }

    for (i = 0; i + list->q.len <= brief->name_len; i++) {
        if (ngx_strncasecmp((u_char *) brief->name + i, list->q.data,
                            list->q.len)
            == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_media_api_list_put(ngx_pool_t *pool, ngx_http_media_api_list_t *list,
    const ngx_http_media_api_item_t *item)
{
    ngx_http_media_api_item_t  *last;

    if (list->n < list->limit) {
        last = ngx_palloc(pool, sizeof(ngx_http_media_api_item_t));
        if (last == NULL) {
            return NGX_ERROR;
        }

        *last = *item;
        list->items[list->n] = last;

        ngx_http_media_api_heap_up(list->items, list->n++);

        return NGX_OK;
    }

    /* there is one behind this page */

    last = list->items[0];
    list->more = 1;

    if (ngx_http_media_api_compare(item, last) < 0) {
        *last = *item;
        ngx_http_media_api_heap_down(list->items, list->n);
    }

    return NGX_OK;
}


/* <0: one comes first */

static ngx_int_t
ngx_http_media_api_compare(const ngx_http_media_api_item_t *one,
    const ngx_http_media_api_item_t *two)
{
    ngx_int_t  rc;

    if (one->value != two->value) {
        return one->value < two->value ? -1 : 1;
    }

    rc = ngx_memn2cmp(one->app->data, two->app->data, one->app->len,
                      two->app->len);

    if (rc != 0) {
        return rc;
    }

    return ngx_memn2cmp((u_char *) one->brief.name, (u_char *) two->brief.name,
                        one->brief.name_len, two->brief.name_len);
}


static void
ngx_http_media_api_heap_up(ngx_http_media_api_item_t **items, ngx_uint_t i)
{
    ngx_uint_t                  parent;
    ngx_http_media_api_item_t  *item;

    item = items[i];

    while (i) {
        parent = (i - 1) / 2;

        if (ngx_http_media_api_compare(item, items[parent]) <= 0) {
            break;
        }

        items[i] = items[parent];
        i = parent;
    }

    items[i] = item;
}


static void
ngx_http_media_api_heap_down(ngx_http_media_api_item_t **items, ngx_uint_t n)
{
    ngx_uint_t                  i, child;
    ngx_http_media_api_item_t  *item;

    item = items[0];
    i = 0;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= n) {
            break;
        }

        if (child + 1 < n
            && ngx_http_media_api_compare(items[child], items[child + 1]) < 0)
        {
            child++;
        }

        if (ngx_http_media_api_compare(item, items[child]) >= 0) {
            break;
        }

        items[i] = items[child];
        i = child;
    }

    items[i] = item;
}


static void
ngx_http_media_api_heap_sort(ngx_http_media_api_item_t **items, ngx_uint_t n)
{
    ngx_http_media_api_item_t  *item;

    while (n > 1) {
        item = items[--n];
        items[n] = items[0];
        items[0] = item;

        ngx_http_media_api_heap_down(items, n);
    }
}


/* base64url of the value, 8 bytes, big endian, and "APP/NAME" */

static ngx_int_t
ngx_http_media_api_place_write(ngx_pool_t *pool,
    const ngx_http_media_api_item_t *item, ngx_str_t *cursor)
{
    u_char      *p;
    u_char       place[NGX_HTTP_MEDIA_API_PLACE];
    ngx_str_t    src;
    ngx_uint_t   i;

    for (i = 0; i < 8; i++) {
        place[i] = (u_char) (item->value >> (56 - 8 * i));
    }

    p = ngx_slprintf(place + 8, place + sizeof(place), "%V/%*s", item->app,
                     item->brief.name_len, item->brief.name);

    src.data = place;
    src.len = p - place;

    cursor->data = ngx_pnalloc(pool, ngx_base64_encoded_length(src.len));
    if (cursor->data == NULL) {
        return NGX_ERROR;
    }

    ngx_encode_base64url(cursor, &src);

    return NGX_OK;
}


static ngx_int_t
ngx_http_media_api_place_read(ngx_pool_t *pool, const ngx_str_t *cursor,
    ngx_http_media_api_item_t *item)
{
    u_char      *slash, *last;
    ngx_str_t    dst, *app;
    ngx_uint_t   i;

    dst.data = ngx_pnalloc(pool, ngx_base64_decoded_length(cursor->len));
    app = ngx_palloc(pool, sizeof(ngx_str_t));

    if (dst.data == NULL || app == NULL
        || ngx_decode_base64url(&dst, (ngx_str_t *) cursor) != NGX_OK
        || dst.len < 8)
    {
        return NGX_DECLINED;
    }

    last = dst.data + dst.len;
    slash = ngx_strlchr(dst.data + 8, last, '/');

    if (slash == NULL || last - slash - 1 > NGX_MEDIA_NAME_MAX) {
        return NGX_DECLINED;
    }

    item->value = 0;

    for (i = 0; i < 8; i++) {
        item->value = item->value << 8 | dst.data[i];
    }

    app->data = dst.data + 8;
    app->len = slash - app->data;

    item->app = app;
    item->brief.name_len = last - slash - 1;
    ngx_memcpy(item->brief.name, slash + 1, item->brief.name_len);

    return NGX_OK;
}
