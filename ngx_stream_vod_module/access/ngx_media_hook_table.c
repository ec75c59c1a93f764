
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_hook_table.h"
#include "core/ngx_media.h"


/* an id is a serial number and the index of its entry: 39 and 14 bits */
#define NGX_MEDIA_HOOK_INDEX     14
#define NGX_MEDIA_HOOK_SERIAL    39
#define NGX_MEDIA_HOOK_NONE      ((1 << NGX_MEDIA_HOOK_INDEX) - 1)

#define NGX_MEDIA_HOOK_LEAST     1024         /* entries */
#define NGX_MEDIA_HOOK_SHARE     8192         /* bytes of payload for one */

/* bytes that a reason of ours has at most */
#define NGX_MEDIA_HOOK_REASON    128


static void ngx_media_hook_table_lock(ngx_media_hook_table_shm_t *table);
static void ngx_media_hook_table_repair_locked(
    ngx_media_hook_table_shm_t *table);
static uint64_t ngx_media_hook_serial_locked(
    ngx_media_hook_table_shm_t *table, uint32_t index);
static ngx_media_hook_entry_shm_t *ngx_media_hook_find_locked(
    ngx_media_hook_table_shm_t *table, uint64_t id);
static void ngx_media_hook_fill_locked(ngx_media_hook_entry_shm_t *e,
    const ngx_str_t **texts);
static void ngx_media_hook_copy_locked(const ngx_media_hook_entry_shm_t *e,
    ngx_media_hook_copy_t *copy);
static void ngx_media_hook_rename_locked(ngx_media_hook_entry_shm_t *e,
    const ngx_str_t *stream);
static void ngx_media_hook_reason_locked(ngx_media_hook_entry_shm_t *e,
    const char *reason);
static void ngx_media_hook_free_locked(ngx_media_hook_table_shm_t *table,
    ngx_media_hook_entry_shm_t *e);
static void ngx_media_hook_due_locked(ngx_media_hook_table_shm_t *table,
    ngx_media_hook_entry_shm_t *e);


size_t
ngx_media_hook_table_size(const ngx_media_zone_conf_t *conf)
{
    size_t  n;

    n = conf->accounts + conf->size / NGX_MEDIA_HOOK_SHARE;
    n = ngx_max(n, NGX_MEDIA_HOOK_LEAST);
    n = ngx_min(n, NGX_MEDIA_HOOK_NONE);

    return sizeof(ngx_media_hook_table_shm_t)
           + n * sizeof(ngx_media_hook_entry_shm_t);
}


void
ngx_media_hook_table_init(ngx_media_hook_table_shm_t *table, size_t size,
    uint64_t serial)
{
    table->nentries = (size - sizeof(ngx_media_hook_table_shm_t))
                      / sizeof(ngx_media_hook_entry_shm_t);
    table->serial = serial;
}


static void
ngx_media_hook_table_lock(ngx_media_hook_table_shm_t *table)
{
    if (ngx_media_lock(&table->lock) == NGX_DONE) {
        ngx_media_hook_table_repair_locked(table);
    }
}


/* states are the truth: one is set when all the rest of its entry is, whose
   texts agree at any moment */

static void
ngx_media_hook_table_repair_locked(ngx_media_hook_table_shm_t *table)
{
    uint32_t                     i;
    ngx_media_hook_entry_shm_t  *e;

    table->free = 0;
    table->nfree = 0;
    table->due = 0;

    for (i = 0; i < table->used; i++) {
        e = &table->entries[i];

        if (e->state == NGX_MEDIA_HOOK_FREE) {
            e->next = table->free;
            table->free = i + 1;
            table->nfree++;

        } else if (e->state == NGX_MEDIA_HOOK_DUE) {
            ngx_media_hook_due_locked(table, e);
        }
    }
}


static void
ngx_media_hook_free_locked(ngx_media_hook_table_shm_t *table,
    ngx_media_hook_entry_shm_t *e)
{
    ngx_media_store(&e->state, NGX_MEDIA_HOOK_FREE);

    e->next = table->free;
    table->free = (e - table->entries) + 1;
    table->nfree++;
}


/* whose row it has says nothing then, and is not changed before it is due */

static void
ngx_media_hook_due_locked(ngx_media_hook_table_shm_t *table,
    ngx_media_hook_entry_shm_t *e)
{
    uint32_t  i;

    i = (e - table->entries) + 1;

    ngx_media_store(&e->state, NGX_MEDIA_HOOK_DUE);

    e->next = 0;

    if (table->due) {
        table->entries[table->last - 1].next = i;

    } else {
        ngx_media_store(&table->due, i);
    }

    table->last = i;
}


static uint64_t
ngx_media_hook_serial_locked(ngx_media_hook_table_shm_t *table,
    uint32_t index)
{
    table->serial = (table->serial + 1)
                    & (((uint64_t) 1 << NGX_MEDIA_HOOK_SERIAL) - 1);

    if (table->serial == 0) {
        table->serial = 1;
    }

    return table->serial << NGX_MEDIA_HOOK_INDEX | index;
}


uint64_t
ngx_media_hook_table_id(ngx_media_hook_table_shm_t *table)
{
    uint64_t  id;

    ngx_media_hook_table_lock(table);

    id = ngx_media_hook_serial_locked(table, NGX_MEDIA_HOOK_NONE);

    ngx_media_unlock(&table->lock);

    return id;
}


uint64_t
ngx_media_hook_table_add(ngx_media_hook_table_shm_t *table, ngx_uint_t row,
    const ngx_media_hook_t *hook)
{
    uint32_t                     i;
    uint64_t                     id;
    const ngx_str_t             *texts[NGX_MEDIA_HOOK_TS];
    ngx_media_hook_entry_shm_t  *e;

    ngx_memzero(texts, sizeof(texts));

    texts[NGX_MEDIA_HOOK_T_STREAM] = &hook->stream;
    texts[NGX_MEDIA_HOOK_T_PROTOCOL] = &hook->protocol;
    texts[NGX_MEDIA_HOOK_T_ADDRESS] = &hook->address;
    texts[NGX_MEDIA_HOOK_T_ARGS] = &hook->args;
    texts[NGX_MEDIA_HOOK_T_AGENT] = &hook->agent;
    texts[NGX_MEDIA_HOOK_T_URL] = &hook->url;
    texts[NGX_MEDIA_HOOK_T_PAGE] = &hook->page;
    texts[NGX_MEDIA_HOOK_T_SWF] = &hook->swf;

    ngx_media_hook_table_lock(table);

    /* an eighth is for publishers alone */

    if (table->nfree + table->nentries - table->used
        <= (hook->playing ? table->nentries / 8 : 0))
    {
        ngx_media_unlock(&table->lock);
        return 0;
    }

    if (table->free) {
        i = table->free - 1;
        table->free = table->entries[i].next;
        table->nfree--;

    } else {
        i = table->used++;
    }

    e = &table->entries[i];
    id = ngx_media_hook_serial_locked(table, i);

    e->id = id;
    e->row = row;
    e->playing = hook->playing;
    e->since = ngx_media_wall_msec();

    ngx_media_hook_fill_locked(e, texts);

    ngx_media_store(&e->state, NGX_MEDIA_HOOK_ASKED);

    ngx_media_unlock(&table->lock);

    return id;
}


/*
 * One behind the other; those that do not fit, with room for a reason and for
 * another name, are left out as a whole.  Who dies in it leaves an entry that
 * has lost texts, its last ones or all of them, and no other ones: lengths go
 * before anything is written, from the last on, and come when all of it is.
 */

static void
ngx_media_hook_fill_locked(ngx_media_hook_entry_shm_t *e,
    const ngx_str_t **texts)
{
    size_t      left;
    u_char     *p;
    uint16_t    len[NGX_MEDIA_HOOK_TS];
    ngx_uint_t  i;

    for (i = NGX_MEDIA_HOOK_TS; i; i--) {
        ngx_media_store(&e->len[i - 1], 0);
    }

    ngx_media_fence();

    p = e->text;
    left = NGX_MEDIA_HOOK_TEXT - NGX_MEDIA_HOOK_REASON;

    for (i = 0; i < NGX_MEDIA_HOOK_TS; i++) {
        len[i] = (texts[i] && texts[i]->len <= left) ? texts[i]->len : 0;

        if (len[i]) {
            p = ngx_cpymem(p, texts[i]->data, len[i]);
        }

        left -= len[i];
    }

    for (i = 0; i < NGX_MEDIA_HOOK_TS; i++) {
        ngx_media_store(&e->len[i], len[i]);
    }
}


static ngx_media_hook_entry_shm_t *
ngx_media_hook_find_locked(ngx_media_hook_table_shm_t *table, uint64_t id)
{
    uint32_t                     i;
    ngx_media_hook_entry_shm_t  *e;

    i = id & NGX_MEDIA_HOOK_NONE;

    if (i >= table->used) {
        return NULL;
    }

    e = &table->entries[i];

    return (e->state != NGX_MEDIA_HOOK_FREE && e->id == id) ? e : NULL;
}


ngx_int_t
ngx_media_hook_table_admit(ngx_media_hook_table_shm_t *table, uint64_t id,
    const ngx_str_t *stream)
{
    ngx_int_t                    rc;
    ngx_media_hook_entry_shm_t  *e;

    rc = NGX_DECLINED;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && (e->state == NGX_MEDIA_HOOK_ASKED
              || e->state == NGX_MEDIA_HOOK_HERE))
    {
        ngx_media_hook_rename_locked(e, stream);

        ngx_media_store(&e->state, NGX_MEDIA_HOOK_HERE);

        rc = NGX_OK;
    }

    ngx_media_unlock(&table->lock);

    return rc;
}


void
ngx_media_hook_table_unasked(ngx_media_hook_table_shm_t *table, uint64_t id)
{
    ngx_media_hook_entry_shm_t  *e;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && e->state == NGX_MEDIA_HOOK_ASKED) {
        ngx_media_store(&e->state, NGX_MEDIA_HOOK_COMING);
    }

    ngx_media_unlock(&table->lock);
}


void
ngx_media_hook_table_here(ngx_media_hook_table_shm_t *table, uint64_t id)
{
    ngx_media_hook_entry_shm_t  *e;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && e->state == NGX_MEDIA_HOOK_COMING) {
        ngx_media_store(&e->state, NGX_MEDIA_HOOK_HERE);
    }

    ngx_media_unlock(&table->lock);
}


void
ngx_media_hook_table_keep(ngx_media_hook_table_shm_t *table, uint64_t id)
{
    ngx_media_hook_entry_shm_t  *e;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && e->state == NGX_MEDIA_HOOK_HERE) {
        e->row = NGX_MEDIA_HOOK_NOBODY;
    }

    ngx_media_unlock(&table->lock);
}


/* the name is the first text; the others go behind it, as far as they fit */

static void
ngx_media_hook_rename_locked(ngx_media_hook_entry_shm_t *e,
    const ngx_str_t *stream)
{
    u_char           text[NGX_MEDIA_HOOK_TEXT];
    size_t           len;
    ngx_str_t        str[NGX_MEDIA_HOOK_TS];
    ngx_uint_t       i;
    const ngx_str_t *texts[NGX_MEDIA_HOOK_TS];

    len = e->len[NGX_MEDIA_HOOK_T_STREAM];

    if (len == stream->len && ngx_memcmp(e->text, stream->data, len) == 0) {
        return;
    }

    ngx_memcpy(text, e->text, NGX_MEDIA_HOOK_TEXT);

    len = 0;

    for (i = 0; i < NGX_MEDIA_HOOK_TS; i++) {
        str[i].data = text + len;
        str[i].len = e->len[i];
        texts[i] = &str[i];

        len += e->len[i];
    }

    texts[NGX_MEDIA_HOOK_T_STREAM] = stream;

    ngx_media_hook_fill_locked(e, texts);
}


ngx_int_t
ngx_media_hook_table_end(ngx_media_hook_table_shm_t *table, uint64_t id,
    ngx_uint_t row, const char *reason, ngx_media_hook_copy_t *copy)
{
    ngx_int_t                    rc;
    ngx_media_hook_entry_shm_t  *e;

    rc = NGX_DECLINED;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && (e->state == NGX_MEDIA_HOOK_ASKED
              || e->state == NGX_MEDIA_HOOK_HERE))
    {
        ngx_media_hook_reason_locked(e, reason);

        if (row == NGX_MEDIA_HOOK_NOBODY) {
            ngx_media_hook_due_locked(table, e);

        } else {
            ngx_media_hook_copy_locked(e, copy);

            e->row = row;
            ngx_media_store(&e->state, NGX_MEDIA_HOOK_SENDING);
            rc = NGX_OK;
        }

    } else if (e && e->state == NGX_MEDIA_HOOK_COMING) {
        ngx_media_hook_free_locked(table, e);
    }

    ngx_media_unlock(&table->lock);

    return rc;
}


static void
ngx_media_hook_reason_locked(ngx_media_hook_entry_shm_t *e,
    const char *reason)
{
    size_t      len, n;
    ngx_uint_t  i;

    len = 0;

    for (i = 0; i < NGX_MEDIA_HOOK_T_REASON; i++) {
        len += e->len[i];
    }

    n = ngx_min(ngx_strlen(reason), NGX_MEDIA_HOOK_REASON);

    ngx_memcpy(e->text + len, reason, n);
    ngx_media_store(&e->len[NGX_MEDIA_HOOK_T_REASON], (uint16_t) n);
}


ngx_int_t
ngx_media_hook_table_take(ngx_media_hook_table_shm_t *table, ngx_uint_t row,
    ngx_media_hook_copy_t *copy)
{
    ngx_int_t                    rc;
    ngx_media_hook_entry_shm_t  *e;

    rc = NGX_DECLINED;

    ngx_media_hook_table_lock(table);

    if (table->due) {
        e = &table->entries[table->due - 1];

        ngx_media_hook_copy_locked(e, copy);

        e->row = row;
        ngx_media_store(&e->state, NGX_MEDIA_HOOK_SENDING);
        ngx_media_store(&table->due, e->next);

        rc = NGX_OK;
    }

    ngx_media_unlock(&table->lock);

    return rc;
}


ngx_int_t
ngx_media_hook_table_get(ngx_media_hook_table_shm_t *table, uint64_t id,
    ngx_media_hook_copy_t *copy)
{
    ngx_int_t                    rc;
    ngx_media_hook_entry_shm_t  *e;

    rc = NGX_DECLINED;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && e->state == NGX_MEDIA_HOOK_HERE) {
        ngx_media_hook_copy_locked(e, copy);
        rc = NGX_OK;
    }

    ngx_media_unlock(&table->lock);

    return rc;
}


static void
ngx_media_hook_copy_locked(const ngx_media_hook_entry_shm_t *e,
    ngx_media_hook_copy_t *copy)
{
    u_char      *p;
    ngx_str_t   *texts[NGX_MEDIA_HOOK_TS];
    ngx_uint_t   i;

    ngx_memzero(&copy->hook, sizeof(ngx_media_hook_t));
    ngx_memcpy(copy->text, e->text, NGX_MEDIA_HOOK_TEXT);

    copy->hook.id = e->id;
    copy->hook.playing = e->playing;
    copy->since = e->since;

    texts[NGX_MEDIA_HOOK_T_STREAM] = &copy->hook.stream;
    texts[NGX_MEDIA_HOOK_T_PROTOCOL] = &copy->hook.protocol;
    texts[NGX_MEDIA_HOOK_T_ADDRESS] = &copy->hook.address;
    texts[NGX_MEDIA_HOOK_T_ARGS] = &copy->hook.args;
    texts[NGX_MEDIA_HOOK_T_AGENT] = &copy->hook.agent;
    texts[NGX_MEDIA_HOOK_T_URL] = &copy->hook.url;
    texts[NGX_MEDIA_HOOK_T_PAGE] = &copy->hook.page;
    texts[NGX_MEDIA_HOOK_T_SWF] = &copy->hook.swf;

    p = copy->text;

    for (i = 0; i < NGX_MEDIA_HOOK_T_REASON; i++) {
        texts[i]->data = p;
        texts[i]->len = e->len[i];
        p += e->len[i];
    }

    if (e->len[NGX_MEDIA_HOOK_T_REASON]) {
        p[e->len[NGX_MEDIA_HOOK_T_REASON]] = '\0';
        copy->hook.reason = (char *) p;
    }
}


void
ngx_media_hook_table_drop(ngx_media_hook_table_shm_t *table, uint64_t id)
{
    ngx_media_hook_entry_shm_t  *e;

    ngx_media_hook_table_lock(table);

    e = ngx_media_hook_find_locked(table, id);

    if (e && e->state != NGX_MEDIA_HOOK_DUE) {
        ngx_media_hook_free_locked(table, e);
    }

    ngx_media_unlock(&table->lock);
}


void
ngx_media_hook_table_swept(ngx_media_hook_table_shm_t *table, ngx_uint_t row)
{
    uint32_t                     i;
    ngx_media_hook_entry_shm_t  *e;

    ngx_media_hook_table_lock(table);

    for (i = 0; i < table->used; i++) {
        e = &table->entries[i];

        if (e->row != row || e->state == NGX_MEDIA_HOOK_FREE
            || e->state == NGX_MEDIA_HOOK_DUE)
        {
            continue;
        }

        if (e->state == NGX_MEDIA_HOOK_COMING) {
            ngx_media_hook_free_locked(table, e);
            continue;
        }

        if (e->state != NGX_MEDIA_HOOK_SENDING) {
            ngx_media_hook_reason_locked(e, "its worker process has gone");
        }

        ngx_media_hook_due_locked(table, e);
    }

    ngx_media_unlock(&table->lock);
}
