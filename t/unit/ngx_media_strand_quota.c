
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: transcode/ngx_media_strand_quota.c */


#include <ngx_config.h>
#include <ngx_core.h>
#include "transcode/ngx_media_strand.h"
#include "tap.h"


static char  dir[] = "/tmp/ngx-media-quota-XXXXXX";


static void
path(char *text, size_t size, const char *name)
{
    (void) snprintf(text, size, "%s/%s", dir, name);
}


static void
file(const char *name, const char *content)
{
    FILE  *f;
    char   text[256];

    path(text, sizeof(text), name);

    f = fopen(text, "w");

    if (f == NULL) {
        abort();
    }

    (void) fputs(content, f);
    (void) fclose(f);
}


static void
quota(const char *self, const char *top, const char *one, const char *two,
    ngx_uint_t cores, const char *name)
{
    char  text[256];

    file("self", self);
    file("cpu.max", top);
    file("one/cpu.max", one);
    file("one/two/cpu.max", two);

    path(text, sizeof(text), "self");

    is(ngx_media_strand_quota(text, dir), cores, "%s", name);
}


int
main(void)
{
    char         text[256];
    ngx_uint_t   i;

    static const char  *all[] = { "self", "cpu.max", "one/cpu.max",
                                  "one/two/cpu.max", "one/two", "one" };

    if (mkdtemp(dir) == NULL) {
        abort();
    }

    path(text, sizeof(text), "one");
    (void) mkdir(text, 0700);
    path(text, sizeof(text), "one/two");
    (void) mkdir(text, 0700);

    quota("0::/\n", "200000 100000\n", "", "", 2, "the group at the top");
    quota("0::/\n", "max 100000\n", "", "", 0, "no limit");
    quota("0::/one/two\n", "", "max 100000\n", "350000 100000\n", 3,
          "whole cores");
    quota("0::/one/two\n", "800000 100000\n", "400000 100000\n",
          "max 100000\n", 4, "of a group above");
    quota("0::/one\n", "800000 100000\n", "900000 100000\n",
          "100000 100000\n", 8, "the least of them, and none below");
    quota("0::/one\n", "", "50000 100000\n", "", 1, "at least one");
    quota("9:name=systemd:/one\n0::/one/two\n", "", "", "300000 100000\n", 3,
          "beside groups of version 1");
    quota("8:cpu:/one\n", "100000 100000\n", "", "", 0, "of version 1 only");
    quota("0::/none\n", "500000 100000\n", "", "", 5, "no such group");
    quota("0::/one", "100000 100000\n", "", "", 0, "half a line");
    quota("", "100000 100000\n", "", "", 0, "no line");
    quota("0::/\n", "nonsense\n", "", "", 0, "nonsense");
    quota("0::/\n", "100000 0\n", "", "", 0, "no period");
    quota("0::/\n", "200000\n", "", "", 0, "no second word");

    path(text, sizeof(text), "nobody");
    is(ngx_media_strand_quota(text, dir), 0, "no control groups");

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        path(text, sizeof(text), all[i]);
        (void) remove(text);
    }

    (void) remove(dir);

    return done();
}
