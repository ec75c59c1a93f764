
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: transcode/ngx_media_transcode_input.c */


#include "transcode/ngx_media_transcode_job.h"
#include "tap.h"


volatile ngx_msec_t  ngx_current_msec;


static ngx_media_job_input_t  input;
static u_char                 data[1024 * 1024];
static char                   text[8192];


/* "K": a key frame, "k": one that begins a segment, "f": another frame that
   does, "-": one that does not; "P": a period */

static void
put(char what, size_t len)
{
    ngx_media_params_t        params;
    ngx_media_job_coded_t    *coded;
    ngx_media_source_frame_t  f;

    memset(&f, 0, sizeof(f));
    memset(&params, 0, sizeof(params));

    f.frame.pos = data;
    f.frame.last = data + len;
    f.frame.key = (what == 'K' || what == 'k');
    f.first = (what == 'k' || what == 'f');

    coded = (what == 'P')
            ? ngx_media_job_coded(NULL, NGX_MEDIA_JOB_PERIOD, &params)
            : ngx_media_job_coded(&f, NGX_MEDIA_JOB_FRAME, NULL);

    ngx_media_job_coded_put(&input, coded);
}


static void
puts_all(const char *what, size_t len)
{
    for ( /* void */ ; *what; what++) {
        put(*what, len);
    }
}


/* what it has, which is taken: "*" is lost, "!" behind what misses some before
   it; and is what it says of its size true? */

static void
left(void)
{
    char                   *p;
    ngx_media_job_coded_t  *coded;

    p = text;

    while ((coded = ngx_media_job_coded_take(&input)) != NULL) {

        *p++ = coded->kind == NGX_MEDIA_JOB_PERIOD ? 'P'
               : coded->lost ? '*'
               : coded->key ? (coded->first ? 'k' : 'K')
               : coded->first ? 'f' : '-';

        if (coded->reset) {
            *p++ = '!';
        }

        ngx_media_job_coded_free(coded);
    }

    *p = '\0';

    if (input.bytes || input.n) {
        strcpy(text, "sizes");
    }
}


#define is_left(rest, ...)                                                    \
    (left(), is_text((u_char *) text, strlen(text), rest, __VA_ARGS__))


static void
dropped(const char *what, const char *rest, ngx_uint_t n, ngx_uint_t before,
    ngx_uint_t behind)
{
    ngx_uint_t  got, missing;

    missing = before;

    puts_all(what, 100);

    got = ngx_media_job_input_drop(&input, &missing);

    is(got, n, "%s: dropped", what);
    is(missing, behind, "%s: missing behind it", what);
    is_left(rest, "%s: left", what);
}


/* a source of one kind, which is dropped before each, as where it is late */

static void
bounded(const char *what, size_t len, size_t limit)
{
    size_t      most;
    ngx_uint_t  i, missing;

    most = 0;
    missing = 0;

    for (i = 0; i < 2000; i++) {
        (void) ngx_media_job_input_drop(&input, &missing);

        puts_all(what, len);
        most = ngx_max(most, input.bytes);
    }

    ok(most <= limit, "%s of %zu bytes: has %zu at most", what, len, most);

    left();
}


int
main(void)
{
    ngx_media_job_input_init(&input);

    dropped("Pk---k---", "Pkk!", 6, 0, 1);
    dropped("Pk---k", "Pkk!", 3, 0, 0);
    dropped("---k--", "k!", 5, 1, 1);
    dropped("k-f-f-k", "k**k!", 5, 0, 0);
    dropped("-f-", "*", 3, 0, 1);
    dropped("PkPk", "PkPk", 0, 0, 0);

    /* of key frames that begin nothing the newest is enough */

    dropped("kKKK", "kK!", 2, 0, 0);
    dropped("K-K-K-", "K!", 5, 0, 1);

    /* more than it may have: the newest key frame, of the last period */

    puts_all("kkkkPk", sizeof(data));
    is(ngx_media_job_input_drop(&input, &(ngx_uint_t) { 0 }), 2,
       "too many segments: dropped");
    is_left("k!kPk", "too many segments");

    puts_all("PkPkPkPkPkPk", sizeof(data));
    is(ngx_media_job_input_drop(&input, &(ngx_uint_t) { 0 }), 3,
       "too many periods: dropped");
    is_left("PPk!PkPk", "too many periods");

    /* what a source may be */

    bounded("K", 100000, 200000 + 1024);
    bounded("k", 100000, NGX_MEDIA_STEP_BYTES + 101024);
    bounded("f", 100000, NGX_MEDIA_STEP_BYTES + 101024);
    bounded("Pk", 10, NGX_MEDIA_STEP_BYTES + 20480);
    bounded("Pf", 10, NGX_MEDIA_STEP_BYTES + 20480);
    bounded("k-", 100000, NGX_MEDIA_STEP_BYTES + 201024);

    return done();
}
