
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_hook_table.c memory/ngx_media_process.c ngx_stub.c */


/*
 * The table of whom hooks were told of: each end is told once, and those of
 * processes that have gone by others.
 */


#include "access/ngx_media_hook_table.h"
#include "core/ngx_media.h"
#include "media_step.h"
#include "ngx_stub.h"
#include "tap.h"


static ngx_media_hook_table_shm_t  *table;
static ngx_media_hook_copy_t        copy;
static ngx_media_hook_t             hook;


static void
set(ngx_str_t *str, const char *text)
{
    str->data = (u_char *) text;
    str->len = strlen(text);
}


static void
start(size_t accounts)
{
    size_t                 size;
    ngx_media_zone_conf_t  conf;

    memset(&conf, 0, sizeof(conf));
    memset(&hook, 0, sizeof(hook));

    conf.accounts = accounts;
    conf.size = 1024 * 1024;

    size = ngx_media_hook_table_size(&conf);

    free(table);
    table = calloc(1, size);

    ngx_media_hook_table_init(table, size, 0xffffffffffffffffull);

    set(&hook.stream, "demo");
    set(&hook.protocol, "rtmp");
    set(&hook.address, "192.0.2.7");
    set(&hook.args, "a=1");
    set(&hook.agent, "obs");
}


static uint64_t
add(ngx_uint_t row)
{
    return ngx_media_hook_table_add(table, row, &hook);
}


static void
test_one(void)
{
    uint64_t   id, other;
    ngx_str_t  news;

    start(0);
    set(&news, "news/of/the/day");

    id = add(3);
    ok(id && id >> 53 == 0, "an id");

    other = ngx_media_hook_table_id(table);
    ok(other > id, "another one");

    is(ngx_media_hook_table_get(table, id, &copy), NGX_DECLINED,
       "who is asked about is not here");
    is(ngx_media_hook_table_admit(table, other, &news), NGX_DECLINED,
       "nor is one who has no entry");
    is(ngx_media_hook_table_admit(table, id, &news), NGX_OK, "he is");
    is(ngx_media_hook_table_get(table, id, &copy), NGX_OK, "and found");

    ok(copy.hook.id == id, "by his id");
    is_str(&copy.hook.stream, "news/of/the/day", "his stream");
    is_str(&copy.hook.protocol, "rtmp", "his protocol");
    is_str(&copy.hook.address, "192.0.2.7", "his address");
    is_str(&copy.hook.args, "a=1", "his arguments");
    is_str(&copy.hook.agent, "obs", "his agent");
    is(copy.hook.url.len + copy.hook.page.len + copy.hook.swf.len, 0,
       "and nothing else");
    ok(copy.hook.reason == NULL, "he has not gone");

    is(ngx_media_hook_table_end(table, other, 3, "x", &copy), NGX_DECLINED,
       "nobody has gone");
    is(ngx_media_hook_table_end(table, id, 4, "it left", &copy), NGX_OK,
       "he has");
    is(strcmp(copy.hook.reason, "it left"), 0, "why");
    is_str(&copy.hook.agent, "obs", "the rest is as it was");
    is(ngx_media_hook_table_end(table, id, 3, "x", &copy), NGX_DECLINED,
       "only once");
    is(ngx_media_hook_table_get(table, id, &copy), NGX_DECLINED, "not here");
    ok(ngx_media_hook_table_idle(table), "nothing is due");

    ngx_media_hook_table_drop(table, id);
    ngx_media_hook_table_drop(table, id);

    other = add(1);
    ok(other != id && (other & 0x3fff) == (id & 0x3fff),
       "another one in his place");
    is(ngx_media_hook_table_end(table, id, 3, "x", &copy), NGX_DECLINED,
       "whose end is not his");
    ok(table->entries[1].state == NGX_MEDIA_HOOK_FREE, "one place is used");
}


/* texts that do not fit are left out, a name and a reason always do */

static void
test_room(void)
{
    char       text[1024], name[256];
    uint64_t   id;
    ngx_str_t  stream;

    start(0);

    memset(text, 'x', sizeof(text));
    memset(name, 'n', sizeof(name));

    hook.args.data = (u_char *) text;
    hook.args.len = 770;
    set(&hook.page, "page");

    id = add(0);

    stream.data = (u_char *) name;
    stream.len = 255;

    is(ngx_media_hook_table_admit(table, id, &stream), NGX_OK, "renamed");
    is(ngx_media_hook_table_end(table, id, 0, "because of an end", &copy),
       NGX_OK, "ended");

    ok(copy.hook.stream.len == 255
       && memcmp(copy.hook.stream.data, name, 255) == 0, "a long name");
    is(copy.hook.args.len, 0, "and no room for arguments any more");
    is_str(&copy.hook.page, "page", "but for others");
    is(strcmp(copy.hook.reason, "because of an end"), 0, "and why");
}


static ngx_uint_t
due(ngx_uint_t row)
{
    ngx_uint_t  n;

    n = 0;

    while (ngx_media_hook_table_take(table, row, &copy) == NGX_OK) {
        n++;
    }

    return n;
}


static void
test_swept(void)
{
    uint64_t  asked, here, sending, theirs, nobodys;

    start(0);

    asked = add(1);
    here = add(1);
    sending = add(1);
    theirs = add(2);
    nobodys = add(1);

    ngx_media_hook_table_admit(table, here, &hook.stream);
    ngx_media_hook_table_admit(table, theirs, &hook.stream);
    ngx_media_hook_table_keep(table, nobodys);
    ngx_media_hook_table_admit(table, nobodys, &hook.stream);
    ngx_media_hook_table_keep(table, nobodys);
    ngx_media_hook_table_keep(table, nobodys + 1);
    ngx_media_hook_table_end(table, sending, 1, "left", &copy);

    ngx_media_hook_table_swept(table, 1);
    ngx_media_hook_table_swept(table, 1);

    ok(!ngx_media_hook_table_idle(table), "something is due");
    is(ngx_media_hook_table_end(table, here, 2, "x", &copy), NGX_DECLINED,
       "which nobody else may end");
    ngx_media_hook_table_drop(table, asked);

    is(ngx_media_hook_table_take(table, 2, &copy), NGX_OK, "taken");
    ok(copy.hook.id == asked, "who was asked about");
    is(strcmp(copy.hook.reason, "its worker process has gone"), 0, "why");

    is(ngx_media_hook_table_take(table, 2, &copy), NGX_OK, "taken");
    ok(copy.hook.id == here, "who was here");

    is(ngx_media_hook_table_take(table, 2, &copy), NGX_OK, "taken");
    ok(copy.hook.id == sending, "and who was being told of");
    is(strcmp(copy.hook.reason, "left"), 0, "for its own reason");

    is(due(2), 0, "and no other");

    ngx_media_hook_table_drop(table, asked);
    ngx_media_hook_table_drop(table, here);

    /* the one who tells it dies, too */

    ngx_media_hook_table_swept(table, 2);
    is(due(3), 2, "what was being sent, and the other's");

    is(ngx_media_hook_table_end(table, nobodys, 3, "x", &copy), NGX_OK,
       "a session belongs to no process");

    /* no row, or no memory: somebody else has it */

    ngx_media_hook_table_end(table, add(3), NGX_MEDIA_HOOK_NOBODY, "y", NULL);
    is(due(3), 1, "left to others");
}


/* who was not asked about, and has not come in, is of no interest */

static void
test_unasked(void)
{
    uint64_t    here;
    ngx_uint_t  i;

    start(0);

    for (i = 0; i < 3; i++) {
        here = add(1);
        ngx_media_hook_table_unasked(table, here);
        ngx_media_hook_table_unasked(table, here);

        if (i == 0) {
            is(ngx_media_hook_table_end(table, here, 1, "x", &copy),
               NGX_DECLINED, "not told");
        }
    }

    ngx_media_hook_table_here(table, here);
    is(ngx_media_hook_table_get(table, here, &copy), NGX_OK, "one is here");

    ngx_media_hook_table_swept(table, 1);
    is(due(2), 1, "the end of who is here");
    ok(copy.hook.id == here, "it is his");
    is(table->used - table->nfree, 1, "others have no place");
}


/* it dies before the state is set: he is the dead one's still */

static void
test_window(void)
{
    uint64_t    id;
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        start(0);

        id = add(1);

        if (i == 0) {
            ngx_media_hook_table_swept(table, 1);

        } else {
            ngx_media_hook_table_end(table, id, NGX_MEDIA_HOOK_NOBODY, "x",
                                     NULL);
        }

        table->entries[0].state = NGX_MEDIA_HOOK_ASKED;
        table->lock = 0x7ffffffe;

        ngx_media_hook_table_swept(table, 1);
        is(due(2), 1, i ? "dies as he ends" : "dies as it sweeps");
    }
}


/* the first that is due is the first that is told */

static void
test_order(void)
{
    uint64_t    id[4];
    ngx_uint_t  i;

    start(0);

    for (i = 0; i < 4; i++) {
        id[i] = add(1);
    }

    for (i = 4; i; i--) {
        ngx_media_hook_table_end(table, id[i - 1], NGX_MEDIA_HOOK_NOBODY, "x",
                                 NULL);
    }

    for (i = 4; i > 1; i--) {
        is(ngx_media_hook_table_take(table, 1, &copy), NGX_OK, "due, %u",
           (unsigned) i);
        ok(copy.hook.id == id[i - 1], "in its turn");
    }

    ngx_media_hook_table_end(table, add(1), NGX_MEDIA_HOOK_NOBODY, "x", NULL);

    is(due(1), 2, "one more behind the last");
    ok(ngx_media_hook_table_idle(table), "no more");
}


static void
test_full(void)
{
    uint64_t    id, last;
    ngx_uint_t  n, m;

    start(0);

    is(table->nentries, 1024, "as many as a small zone has");

    hook.playing = 1;
    last = 0;

    for (n = 0; (id = add(1)) != 0; n++) {
        last = id;
    }

    is(n, 896, "viewers");

    hook.playing = 0;

    for (m = 0; add(1); m++) { /* void */ }

    is(m, 128, "and some for publishers alone");

    ngx_media_hook_table_drop(table, last);
    hook.playing = 1;
    is(add(1), 0, "also of those that were used");
    hook.playing = 0;
    ok(add(1) != 0, "one has gone");
    is(add(1), 0, "no second");

    ngx_media_hook_table_swept(table, 1);
    is(due(1), 1024, "all of them are due");

    start(100000);
    is(table->nentries, 16383, "never more than there are numbers");
}


/* it dies with the lock: what is linked is made anew */

static void
test_repair(void)
{
    uint64_t  id;

    start(0);

    id = add(1);
    (void) add(1);
    ngx_media_hook_table_drop(table, id);
    ngx_media_hook_table_swept(table, 1);

    table->free = 17;
    table->due = 99;
    table->lock = 0x7ffffffe;

    (void) ngx_media_hook_table_id(table);

    is(table->due, 2, "what is due is found");
    ok((add(1) & 0x3fff) == 0, "what is free is found");
    is(table->free + table->nfree, 0, "and nothing else");
    is(due(1), 1, "the other is there");
}


/* the process that is followed: somebody comes, is renamed twice, and goes */

#define STEP_ARGS  770

static char        step_args[STEP_ARGS];
static char        step_name[255];
static ngx_uint_t  step_wrong;


static void
step_work(void)
{
    uint64_t   id;
    ngx_str_t  name;

    id = add(1);

    name.data = (u_char *) step_name;
    name.len = sizeof(step_name);
    (void) ngx_media_hook_table_admit(table, id, &name);

    set(&name, "x");
    (void) ngx_media_hook_table_admit(table, id, &name);
    (void) ngx_media_hook_table_end(table, id, 1, "it left", &copy);
    ngx_media_hook_table_drop(table, id);
}


/* nothing, or this */

static ngx_uint_t
step_differs(const ngx_str_t *str, const void *data, size_t len)
{
    return str->len && (str->len != len || memcmp(str->data, data, len) != 0);
}


static void
step_look(void)
{
    uint64_t    id;
    ngx_uint_t  n;

    id = table->used ? table->entries[0].id : 0;
    n = 0;

    ngx_media_hook_table_swept(table, 1);

    while (ngx_media_hook_table_take(table, 2, &copy) == NGX_OK) {
        n++;

        step_wrong += copy.hook.id != id;
        step_wrong += step_differs(&copy.hook.stream, "demo", 4)
                      && step_differs(&copy.hook.stream, "x", 1)
                      && step_differs(&copy.hook.stream, step_name, 255);
        step_wrong += step_differs(&copy.hook.protocol, "rtmp", 4);
        step_wrong += step_differs(&copy.hook.address, "192.0.2.7", 9);
        step_wrong += step_differs(&copy.hook.args, step_args, STEP_ARGS);
        step_wrong += step_differs(&copy.hook.agent, "obs", 3);
        step_wrong += copy.hook.url.len + copy.hook.page.len
                      + copy.hook.swf.len != 0;
        step_wrong += strcmp(copy.hook.reason, "it left") != 0
                      && strcmp(copy.hook.reason,
                                "its worker process has gone") != 0;

        ngx_media_hook_table_drop(table, copy.hook.id);
    }

    step_wrong += n > 1;

    hook.args.len = 0;
    step_wrong += add(3) == 0 || (add(3) & 0x3fff) != 1;
    hook.args.len = STEP_ARGS;
}


static void
test_step(void)
{
    size_t                       size;
    ngx_uint_t                   n;
    ngx_media_zone_conf_t        conf;
    ngx_media_hook_table_shm_t  *own;

    start(0);

    memset(&conf, 0, sizeof(conf));
    memset(step_args, 'a', sizeof(step_args));
    memset(step_name, 'n', sizeof(step_name));

    hook.args.data = (u_char *) step_args;
    hook.args.len = STEP_ARGS;

    size = ngx_media_hook_table_size(&conf);
    own = table;
    table = step_memory(size);

    ngx_media_hook_table_init(table, size, 7);

    n = step_each(table, 4096, &table->lock, step_work, step_look);

    ok(n == 0 || n > 50, "moments, %u", (unsigned) n);
    is(step_wrong, 0, "wherever one dies, what is told is true");

    (void) munmap(table, size);
    table = own;
}


int
main(void)
{
    ngx_pid = getpid();

    test_one();
    test_room();
    test_swept();
    test_unasked();
    test_window();
    test_order();
    test_full();
    test_repair();
    test_step();

    free(table);

    return done();
}
