
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: vod/ngx_media_vod_load.c vod/ngx_media_vod_job.c
         vod/ngx_media_vod_job_open.c vod/ngx_media_vod_job_blob.c
         vod/ngx_media_vod_open.c files/ngx_media_vod_temp.c ngx_stub.c
         ngx_stub_ladder.c */


/* loads: of one, of many at once, that are given up, that fail */


#include "media_load.h"


static void
test_plain(void)
{
    int  fd;
    char  c;

    begin();

    is(ask(0, "one.mp4"), NGX_AGAIN, "a file that is not known");
    is(ask(1, "one.mp4"), NGX_AGAIN, "the same at once");
    work_all();

    is(loads[0].called + loads[1].called, 2, "both are called");
    is(loads[0].load.status, 200, "status");
    is(nposted, 3, "tasks: map, index, set");
    is(nindexed, 1, "it is indexed once");
    is(loads[0].load.source.files[0].id.size, 3, "its size");

    is(ask(2, "one.mp4"), NGX_OK, "known");
    is(nposted, 3, "no task");
    is(pins(), 2, "two pins for all of them");

    /* replaced */

    spell("one.mp4", "other");
    is(ask(3, "one.mp4"), NGX_OK, "not seen at once");

    pass(1000);
    is(ask(3, "one.mp4"), NGX_AGAIN, "but after a while");
    work_all();

    is(loads[3].load.source.files[0].id.size, 5, "the new size");
    is(loads[2].load.source.files[0].id.size, 3, "who had the old one has it");

    fd = loads[2].load.source.files[0].fd;
    ok(fd != loads[3].load.source.files[0].fd, "different files");
    ok(pread(fd, &c, 1, 2) == 1 && c == 'e', "the old one can be read");

    /* not replaced */

    nposted = 0;
    fd = loads[3].load.source.files[0].fd;
    pass(1000);
    is(ask(4, "one.mp4"), NGX_AGAIN, "looked at again");
    work_all();
    is(nposted, 1, "one task");
    is(loads[4].load.source.files[0].fd, fd, "the file is kept open");

    /* idle: unpinned, but known */

    drop(0);
    drop(1);
    drop(2);
    drop(3);
    drop(4);
    pass(1000);

    conf.valid = 100000;
    is(ask(4, "one.mp4"), NGX_OK, "it is believed for longer");
    drop(4);
    pass(5000);
    is(pins(), 0, "an idle name is unpinned");
    is(ask(0, "one.mp4"), NGX_OK, "and pinned without a task");
    is(loads[0].load.status, 200, "status");

    end("plain");
}


static void
test_cancel(void)
{
    begin();

    /* one of two */

    ask(0, "one.mp4");
    ask(1, "one.mp4");
    work();
    drop(0);
    work_all();
    is(loads[0].called, 0, "it is not called");
    is(loads[1].load.status, 200, "the second is served");

    /* all, at each point of a thread's work */

    cache_empty();
    drop(1);
    pass(5000);
    cache_empty();
    nindexed = 0;

    ask(0, "one.mp4");
    drop(0);
    work_all();
    is(nindexed, 0, "nobody waits: no index");
    pass(1000);

    ask(0, "one.mp4");
    work();
    report();
    is(nqueued, 1, "indexing");
    work();
    drop(0);
    report();
    is(nindexed, 1, "indexed");
    is(nqueued, 0, "for nobody");

    is(ask(0, "one.mp4"), NGX_AGAIN, "asked again");
    work_all();
    is(nindexed, 1, "the index was not in vain");

    /* gone, another comes while the thread works */

    pass(5000);
    drop(0);
    ask(0, "two.mp4");
    work();
    drop(0);
    ask(1, "two.mp4");
    work_all();
    is(loads[1].load.status, 200, "who comes late is served");

    /* handlers that destroy themselves and others */

    pass(5000);
    ask(0, "one.mp4");
    ask(1, "one.mp4");
    ask(2, "one.mp4");
    loads[0].kill = 2;
    loads[2].kill = 3;
    work_all();
    is(loads[1].called, 0, "killed by the first");
    is(loads[2].called, 1, "the last one kills itself");

    end("cancel");
}


static void
test_orphans(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 4; i++) {
        begin();
        ask(0, i == 3 ? "x.urlset" : "one.mp4");

        if (i == 1) {
            work();
            report();
        }

        if (i == 2) {
            work();
            report();
            work();
            report();
        }

        is(nqueued, 1, "a thread is at work");
        work();

        if (i == 2) {
            /* what it reads stays pinned as long as the process lives */
            ngx_destroy_pool(cf.pool);
            is(pins(), 1, "pinned for the thread");
            unpin_all();
            cf.pool = ngx_create_pool(1024, &ngx_stub_log);
        }

        end("orphan");
    }
}


static void
test_errors(void)
{
    ngx_uint_t  n;

    begin();

    n = ngx_stub_logged[NGX_LOG_ERR];

    is(ask(0, "none.mp4"), NGX_AGAIN, "no such file");
    work_all();
    is(loads[0].load.status, 404, "404");
    is(ask(1, "none.mp4"), NGX_OK, "known not to be");
    is(loads[1].load.status, 404, "404");
    is(ngx_stub_logged[NGX_LOG_ERR], n + 2, "a line for each");

    spell("none.mp4", "now");
    pass(1000);
    is(ask(0, "none.mp4"), NGX_AGAIN, "it comes");
    work_all();
    is(loads[0].load.status, 200, "200");

    forget("none.mp4");
    pass(1000);
    is(ask(0, "none.mp4"), NGX_AGAIN, "it goes");
    work_all();
    is(loads[0].load.status, 404, "404");
    drop(0);
    is(conf.table->paths.n, 0, "and is not kept open");

    spell("bad.mp4", "bad");
    nindexed = 0;
    ask(0, "bad.mp4");
    work_all();
    is(loads[0].load.status, 415, "415");
    pass(5000);
    ask(0, "bad.mp4");
    work_all();
    is(loads[0].load.status, 415, "415 again");
    is(nindexed, 1, "indexed once");
    forget("bad.mp4");

    spell("mem.mp4", "mem");
    ask(0, "mem.mp4");
    work_all();
    is(loads[0].load.status, 500, "no memory in a thread");
    spell("mem.mp4", "fine");
    is(ask(0, "mem.mp4"), NGX_AGAIN, "that is not remembered");
    pass(1000);
    work_all();
    forget("mem.mp4");

    max_queue = 0;
    is(ask(0, "two.mp4"), NGX_OK, "no thread");
    is(loads[0].load.status, 503, "503");
    max_queue = TASKS;
    is(ask(0, "two.mp4"), NGX_AGAIN, "not remembered");
    work();
    report();
    max_queue = 0;
    work();
    report();
    is(loads[0].load.status, 503, "503 for the set");
    max_queue = TASKS;
    ask(0, "two.mp4");
    work_all();
    is(loads[0].load.status, 200, "nothing is stuck");

    end("errors");
}


static void
test_special(void)
{
    char  path[128];

    begin();

    snprintf(path, sizeof(path), "%s/fifo", dir);
    (void) !mkfifo(path, 0600);
    ask(0, "fifo");
    work_all();
    is(loads[0].load.status, 404, "a FIFO");
    unlink(path);

    snprintf(path, sizeof(path), "%s/d", dir);
    (void) !mkdir(path, 0700);
    ask(0, "d");
    work_all();
    is(loads[0].load.status, 200, "a directory");
    is(loads[0].load.source.set->nfiles, 2, "two files");
    rmdir(path);

    nposted = 0;
    is(ask(1, "x.urlset"), NGX_OK, "files that are known, a set that is");
    is(nposted, 0, "no task");

    conf.mapping = 1;
    spell("map", "9");
    ask(2, "map");
    work_all();
    is(loads[2].load.status, 200, "a mapping");
    is(loads[2].load.source.set->nfiles, 9, "of nine clips");
    is(loads[2].load.source.files[8].fd, loads[2].load.source.files[0].fd,
       "and one file");

    spell("map2", "0");
    ask(3, "map2");
    work_all();
    is(loads[3].load.status, 500, "a bad mapping");

    conf.max_files = 1;
    conf.mapping = 0;
    pass(1000);
    ask(3, "y.urlset");
    work_all();
    is(loads[3].load.status, 500, "too many files");

    forget("map");
    forget("map2");

    end("special");
}


static void
test_evict(void)
{
    begin();

    conf.max_files = 1;

    ask(0, "one.mp4");
    work();
    report();
    ask(1, "two.mp4");
    work_all();
    is(loads[0].load.status, 200, "evicted while it was indexed");
    is(loads[1].load.status, 200, "the other one");
    is(conf.table->paths.n, 1, "one file in the table");

    /* known goes while a thread looks */

    pass(1000);
    ask(1, "two.mp4");
    work();
    ask(2, "one.mp4");
    work();
    report();
    work_all();
    is(loads[1].load.status, 200, "evicted while it was looked at");

    is(ask(3, "none1.mp4"), NGX_AGAIN, "names");
    is(ask(4, "none2.mp4"), NGX_AGAIN, "names");
    work_all();
    ask(5, "none3.mp4");
    work_all();
    ok(conf.table->names.n <= 3, "are bounded");

    pass(61000);
    is(conf.table->names.n, 0, "no names");
    is(conf.table->paths.n, 0, "no files");

    end("evict");
}


static void
test_full(void)
{
    ngx_uint_t  n;

    begin();

    cache_full = 1;
    n = ngx_stub_logged[NGX_LOG_WARN];

    ask(0, "one.mp4");
    work_all();
    is(loads[0].load.status, 200, "no room");
    is(ask(1, "one.mp4"), NGX_OK, "kept by the process");
    is(ngx_stub_logged[NGX_LOG_WARN], n + 2, "said for the file and the set");

    drop(0);
    pass(500);
    pass(600);
    ask(2, "one.mp4");
    work_all();
    is(loads[2].load.status, 200, "no room");
    is(nindexed, 2, "indexed again");
    ok(ngx_stub_logged[NGX_LOG_WARN] <= n + 3, "not said again for the file");

    end("full");
}


/* another process makes it */

static void
test_again(void)
{
    blob_t      *b;
    ngx_uint_t   i;

    begin();

    ask(0, "one.mp4");
    work_all();
    drop(0);
    pass(5000);

    for (b = blobs; b->state != 2 || memcmp(b->key, "FILE", 4) != 0; b++) {
        /* void */
    }

    b->state = 1;
    ask(0, "one.mp4");
    work_all();
    is(loads[0].called, 0, "the index is made elsewhere");
    is(ask(1, "one.mp4"), NGX_AGAIN, "another one waits");

    for (i = 0; i < 20; i++) {
        pass(50);
    }

    is(loads[0].called, 0, "still");
    b->state = 2;
    pass(50);
    is(loads[0].called + loads[1].called, 2, "now it is there");

    /* who waits for the timer goes */

    drop(0);
    drop(1);
    pass(5000);
    b->state = 1;
    ask(0, "one.mp4");
    work_all();
    drop(0);
    is(conf.table->names.n, 0, "nothing is left of it");
    b->state = 2;

    /* the table goes */

    b->state = 1;
    ask(0, "one.mp4");
    work_all();
    drop(0);
    ask(1, "one.mp4");
    work_all();
    b->state = 2;

    end("again");
}


/* another process may know more of a name than this one remembers */

static void
test_behind(void)
{
    int64_t     was;
    ngx_uint_t  i;

    begin();
    conf.valid = 100000;

    ask(0, "one.mp4");
    ask(1, "one.mp4");
    work_all();
    is(ngx_media_vod_load_again(&loads[0].load), NGX_DECLINED,
       "looked at since it was asked for");

    spell("one.mp4", "longer");
    pass(10);
    is(ask(0, "one.mp4"), NGX_OK, "remembered");
    is(ask(2, "one.mp4"), NGX_OK, "by another one");
    is(ask(4, "one.mp4"), NGX_OK, "and one more");
    is(loads[0].load.source.files[0].id.size, 3, "as it was");

    nposted = 0;
    is(ngx_media_vod_load_again(&loads[0].load), NGX_AGAIN, "it is not there");
    is(ngx_media_vod_load_again(&loads[2].load), NGX_AGAIN, "nor for another");
    drop(4);
    is(nposted, 1, "one looks");
    work_all();
    is(nposted, 3, "an index and a set");
    is(loads[0].called + loads[2].called, 2, "called");
    is(loads[0].load.source.files[0].id.size, 6, "the file of now");
    is(loads[2].load.source.files[0].id.size, 6, "for both");
    is(loads[1].load.source.files[0].id.size, 3, "who has the old one has it");
    is(ngx_media_vod_load_again(&loads[0].load), NGX_DECLINED,
       "it is not there indeed");

    /* whoever asks for nonsense */

    nposted = 0;
    was = now;

    while (now < was + 10000) {
        is(ask(0, "one.mp4"), NGX_OK, "still remembered");
        (void) ngx_media_vod_load_again(&loads[0].load);
        work_all();
        pass(100);
    }

    ok(nposted >= 9 && nposted <= 11, "looked at once a second: %u",
       (unsigned) nposted);

    /* who goes while it is looked at */

    pass(1000);
    is(ask(0, "one.mp4"), NGX_OK, "remembered");
    is(ngx_media_vod_load_again(&loads[0].load), NGX_AGAIN, "not enough");
    drop(0);
    work_all();

    /* failures */

    ask(3, "none.mp4");
    work_all();
    is(loads[3].load.status, 404, "there is none");
    spell("none.mp4", "none");

    for (i = 0; i < 2; i++) {
        is(ask(3, "none.mp4"), NGX_OK, "remembered");
        is(loads[3].load.status, 404, "as it was");
    }

    load_listed = 1;
    pass(1000);
    is(ask(3, "none.mp4"), NGX_AGAIN, "another one has listed it");
    work_all();
    is(loads[3].load.status, 200, "now it is there");
    forget("none.mp4");
    load_listed = 0;

    end("behind");
}


/* names are forgotten earlier than files, and files are of several names */

static void
test_shared(void)
{
    begin();
    conf.valid = 5000;

    ask(0, "one.mp4");
    work_all();
    is(loads[0].load.status, 200, "a file");
    drop(0);

    spell("one.mp4", "longer");
    pass(2500);
    is(conf.table->names.n, 0, "its name is forgotten");

    is(ask(0, "one.mp4"), NGX_OK, "the file is not");
    is(loads[0].load.source.files[0].id.size, 3, "it is as it was");
    is(ngx_media_vod_load_again(&loads[0].load), NGX_AGAIN,
       "that is older than what was asked for");
    work_all();
    is(loads[0].load.source.files[0].id.size, 6, "the file of now");
    is(ngx_media_vod_load_again(&loads[0].load), NGX_DECLINED,
       "it was looked at");

    /* another name of the file, whose own job looks at the other one only */

    spell("one.mp4", "longest");
    pass(1000);
    is(ask(1, "x.urlset"), NGX_AGAIN, "a second file");
    is(ask(2, "x.urlset"), NGX_AGAIN, "who joins");
    work_all();
    is(loads[1].load.source.files[0].id.size, 6, "the first is believed");
    is(ngx_media_vod_load_again(&loads[1].load), NGX_AGAIN, "not enough");
    is(ngx_media_vod_load_again(&loads[2].load), NGX_AGAIN, "for both");
    work_all();
    is(loads[1].load.source.files[0].id.size, 7, "all are looked at");
    is(loads[2].load.source.files[0].id.size, 7, "once");

    /* who joins a job that was begun before */

    spell("three.mp4", "three");
    ask(3, "three.mp4");
    work();
    report();
    spell("three.mp4", "longer");
    pass(1000);
    is(ask(4, "three.mp4"), NGX_AGAIN, "it is indexed");
    work_all();
    is(loads[4].load.source.files[0].id.size, 5, "as it was");
    is(ngx_media_vod_load_again(&loads[3].load), NGX_DECLINED,
       "that is young enough for the first");
    is(ngx_media_vod_load_again(&loads[4].load), NGX_AGAIN,
       "it is not for the second");
    work_all();
    is(loads[4].load.source.files[0].id.size, 6, "the file of now");
    forget("three.mp4");

    /* a file that is bad, of a name that is listed */

    load_listed = 1;
    spell("one.mp4", "bad");
    pass(5000);
    ask(0, "one.mp4");
    work_all();
    is(loads[0].load.status, 415, "it is bad");
    spell("one.mp4", "good");
    pass(1000);
    ask(5, "x.urlset");
    work_all();
    is(loads[5].load.status, 200, "no longer");
    is(loads[5].called, 1, "said once");
    load_listed = 0;

    end("shared");
}


/* what is known stays if another look at it comes to nothing */

static void
test_kept(void)
{
    int64_t     was;
    ngx_int_t   rc;
    ngx_uint_t  n;

    begin();
    conf.valid = 100000;

    ask(0, "one.mp4");
    ask(1, "none.mp4");
    work_all();
    spell("one.mp4", "longer");
    pass(1500);

    /* whoever asks for nonsense, and goes */

    nposted = 0;
    was = now;

    while (now < was + 10000) {
        rc = ask(2, "one.mp4");
        is(rc, NGX_OK, "remembered");

        if (rc == NGX_OK) {
            (void) ngx_media_vod_load_again(&loads[2].load);
        }

        drop(2);
        work_all();

        load_listed = 1;
        (void) ask(3, "none.mp4");
        drop(3);
        load_listed = 0;
        work_all();

        pass(100);
    }

    ok(nposted >= 18 && nposted <= 22, "looked at once a second, both: %u",
       (unsigned) nposted);

    is(ask(1, "none.mp4"), NGX_OK, "what is not there, too");
    is(loads[1].load.status, 404, "404");

    /* who goes while it is indexed */

    pass(1000);
    ask(2, "one.mp4");
    is(ngx_media_vod_load_again(&loads[2].load), NGX_AGAIN, "not enough");
    work();
    report();
    work();
    drop(2);
    report();
    is(ask(2, "one.mp4"), NGX_OK, "remembered");
    is(loads[2].load.source.files[0].id.size, 3, "as it was");

    /* no thread, at once and later */

    pass(1000);
    n = ngx_stub_logged[NGX_LOG_ERR];
    ask(2, "one.mp4");
    ask(4, "one.mp4");
    max_queue = 0;
    is(ngx_media_vod_load_again(&loads[2].load), NGX_OK, "no thread");
    is(loads[2].load.status, 200, "what is known");
    is(loads[2].load.source.files[0].id.size, 3, "as it was");
    is(ngx_stub_logged[NGX_LOG_ERR], n + 1, "that is said");

    max_queue = TASKS;
    pass(1000);
    is(ngx_media_vod_load_again(&loads[2].load), NGX_DECLINED,
       "not tried again by the same");
    is(ngx_media_vod_load_again(&loads[4].load), NGX_AGAIN, "by another");
    work();
    max_queue = 0;
    report();
    is(loads[4].load.status, 200, "no thread for the index");
    is(loads[4].load.source.files[0].id.size, 3, "as it was");
    max_queue = TASKS;

    /* what is known is not young */

    conf.valid = 1000;
    max_queue = 0;
    is(ask(5, "one.mp4"), NGX_OK, "no thread");
    is(loads[5].load.status, 503, "not to be believed any more");
    max_queue = TASKS;

    end("kept");
}


/* what the fd of the first file reads from */

static ngx_uint_t
is_converted(ngx_uint_t n)
{
    char  path[64], name[256];

    if (loads[n].load.status != 200) {
        return 0;
    }

    snprintf(path, sizeof(path), "/proc/self/fd/%d",
             (int) loads[n].load.source.files[0].fd);

    memset(name, 0, sizeof(name));
    (void) !readlink(path, name, sizeof(name) - 1);

    return strstr(name, "/converted/") != NULL;
}


static void
empty_converted(void)
{
    char            path[512];
    DIR            *d;
    struct dirent  *e;

    d = opendir(converted);

    for (e = readdir(d); e; e = readdir(d)) {
        snprintf(path, sizeof(path), "%s/%s", converted, e->d_name);
        (void) unlink(path);
    }

    closedir(d);
}


/* seconds since the file was used */

static int64_t
unused(ngx_uint_t n)
{
    struct stat      st;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    fstat(loads[n].load.source.files[0].fd, &st);

    return ts.tv_sec - st.st_mtim.tv_sec;
}


static void
test_converted(void)
{
    uint64_t         tag;
    ngx_fd_t         fd;
    ngx_uint_t       i;
    struct timespec  times[2];

    begin();
    spell("ts.ts", "mts");

    ask(0, "ts.ts");
    work_all();
    is(loads[0].load.status, 415, "there is no directory");
    drop(0);
    pass(5000);

    snprintf(converted, sizeof(converted), "%s/converted", dir);
    (void) !mkdir(converted, 0700);
    conf.temp = converted;

    nconverted = 0;

    ask(0, "ts.ts");
    ask(1, "ts.ts");
    work_all();
    ok(is_converted(0) && is_converted(1), "now there is, for both");
    is(nconverted, 1, "once");
    ok(loads[0].load.source.files[0].id.size == 3, "the id is the source's");

    fd = loads[0].load.source.files[0].fd;

    /* used, so it is touched */

    memset(times, 0, sizeof(times));
    futimens(fd, times);
    pass(1000);
    ask(3, "ts.ts");
    work_all();
    ok(unused(3) > 1000, "not each time");
    pass(20000);
    ask(3, "ts.ts");
    work_all();
    ok(unused(3) < 1000, "but now and then");
    is(loads[3].load.source.files[0].fd, fd, "it is still open");

    /* deleted: who has it open goes on */

    empty_converted();
    pass(1000);
    ask(4, "ts.ts");
    work_all();
    ok(is_converted(4), "deleted, but open");
    is(nconverted, 1, "not made again");

    /* closed, and the blob is in the cache */

    for (i = 0; i < LOADS; i++) {
        drop(i);
    }

    pass(1000);
    pass(61000);
    pass(1000);
    is(conf.table->paths.n, 0, "nobody uses it");

    nindexed = 0;
    ask(0, "ts.ts");
    work_all();
    ok(is_converted(0), "closed and gone");
    is(nconverted, 2, "made again");
    drop(0);
    pass(1000);
    pass(61000);

    ask(0, "ts.ts");
    work_all();
    ok(is_converted(0), "closed, but there");
    is(nindexed, 1, "not made again");

    tag = loads[0].load.source.files[0].file->tag;
    drop(0);
    pass(1000);
    pass(61000);
    empty_converted();
    converter++;

    ask(0, "ts.ts");
    work_all();
    ok(is_converted(0), "made again by another version");
    ok(loads[0].load.source.files[0].file->tag != tag, "has its own blob");

    pass(1000);
    ask(1, "ts.ts");
    work_all();
    ok(is_converted(1), "again");
    is(nconverted, 3, "not made again");
    is(loads[1].load.source.files[0].file->tag,
       loads[0].load.source.files[0].file->tag, "the same tag");

    end("converted");
    empty_converted();
}


static void
test_converted_fails(void)
{
    blob_t      *b;
    ngx_uint_t   i;

    begin();
    conf.temp = converted;
    nconverted = 0;

    no_space = 1;
    ask(0, "ts.ts");
    work_all();
    is(loads[0].load.status, 500, "no space");
    drop(0);

    no_space = 0;
    pass(5000);
    ask(0, "ts.ts");
    work_all();
    ok(is_converted(0), "there is space again");

    /* it is gone, and the disk is full */

    drop(0);
    pass(1000);
    pass(61000);
    empty_converted();
    no_space = 1;

    ask(0, "ts.ts");
    work_all();
    is(loads[0].load.status, 500, "gone, and no space");
    drop(0);
    no_space = 0;
    pass(5000);

    /* another process makes it again */

    for (i = 0; blobs[i].state; i++) { /* void */ }

    b = &blobs[i];

    for (i = 0; memcmp(blobs[i].key, "FILT", 4) != 0; i++) { /* void */ }

    memcpy(b->key, blobs[i].key, NGX_MEDIA_CACHE_KEY);
    memcpy(b->key, "OPEN", 4);
    b->state = 1;

    ask(0, "ts.ts");
    work_all();
    pass(50);
    is(loads[0].called, 0, "waits for it");
    is(pins(), 0, "nothing is pinned meanwhile");

    b->state = 0;
    pass(50);
    work_all();
    ok(is_converted(0), "its turn");
    is(nconverted, 2, "nobody else had done it");

    /* who goes while a thread is at it */

    drop(0);
    pass(1000);
    pass(61000);
    empty_converted();
    ask(0, "ts.ts");
    work();
    report();
    work();
    drop(0);
    work_all();
    is(conf.table->names.n, 0, "nobody waits for it");
    is(nconverted, 3, "but it was made");

    end("fails");
    empty_converted();
    forget("ts.ts");
    (void) rmdir(converted);
}


int
main(void)
{
    ngx_rbtree_init(&ngx_event_timer_rbtree, &timer_sentinel, insert_value);

    ngx_stub_clock(now);

    snprintf(dir, sizeof(dir), "/tmp/vod_load.%d", (int) getpid());
    (void) !mkdir(dir, 0700);

    test_plain();
    test_cancel();
    test_orphans();
    test_errors();
    test_special();
    test_evict();
    test_full();
    test_again();
    test_behind();
    test_shared();
    test_kept();
    test_converted();
    test_converted_fails();

    forget("one.mp4");
    forget("two.mp4");
    rmdir(dir);

    done();
}
