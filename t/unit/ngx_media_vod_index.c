
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @codecs formats/ngx_media_charset.c formats/ngx_media_index.c
         formats/ngx_media_index_build.c formats/ngx_media_mp4_box.c
         formats/ngx_media_mp4_entry.c formats/ngx_media_mp4_file.c
         formats/ngx_media_mp4_moof.c formats/ngx_media_mp4_moov.c
         formats/ngx_media_mp4_stbl.c formats/ngx_media_record.c
         formats/ngx_media_sets.c formats/ngx_media_plan.c
         formats/ngx_media_fill.c formats/ngx_media_text.c
         formats/ngx_media_tx3g.c formats/ngx_media_webvtt.c
         formats/ngx_media_webvtt_write.c files/ngx_media_vod_blob.c
         formats/ngx_media_lang.c files/ngx_media_vod_index.c
         files/ngx_media_vod_index_mp4.c files/ngx_media_vod_index_mp4_track.c
         files/ngx_media_vod_index_text.c
         -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */


#define _GNU_SOURCE

#include "formats/ngx_media_codec.h"
#include "files/ngx_media_vod_blob.h"
#include "media_hex.h"
#include "media_mp4.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>


#define SAMPLES  5
#define BYTES    10                           /* of each */
#define FRAGMENT (84 + 8 + SAMPLES * BYTES)

#define HEAD    "0000000000000001"
#define ZEROS   "00000000000000000000000000000000"
#define VISUAL  HEAD ZEROS "02800168" "0048000000480000" "00000000" "0001"    \
                ZEROS ZEROS "0018" "ffff"
#define AUDIO   HEAD "0000" "0000" "00000000" "0002" "0010" "0000" "0000"     \
                "bb800000"
#define AVCC    "0000003061766343"                                            \
                "0142c028ffe100196742c028da01e0089f970110000003001000000303c0" \
                "f1832a01000468ce0fc8"
#define DOPS    "00000013644f7073" "000201380000bb80000000"

/* dvvC: version 1.0, profile and level, compatibility */
#define DVVC(numbers, compatible)                                             \
    "0000002064767643" "0100" numbers compatible                              \
    "00000000000000000000000000000000000000"


typedef struct {
    const char  *name;
    const char  *handler;
    const char  *type;
    const char  *entry;
    const char  *lang;            /* of mdhd */
    const char  *elng;
    const char  *title;           /* hdlr */
    const char  *udta;            /* name */
    const char  *kind;            /* of DASH's scheme */
    unsigned     enabled;
    const char  *expected;        /* a track, or the error */
} track_t;


static const track_t  tests[] = {

    { "video", "vide", "avc1", VISUAL AVCC, "und", NULL, "VideoHandler", NULL,
      NULL, 1, "video avc1.42c028 [] [] default" },
    { "not enabled", "vide", "avc1", VISUAL AVCC, "und", NULL, "VideoHandler",
      NULL, NULL, 0, "video avc1.42c028 [] []" },
    { "audio in English", "soun", "Opus", AUDIO DOPS, "eng", NULL,
      "SoundHandler", NULL, "main", 1, "audio opus [en] [] default" },
    { "a name", "soun", "Opus", AUDIO DOPS, "fre", NULL, "Director's cut",
      NULL, NULL, 1, "audio opus [fr] [Director's cut] default" },
    { "a better name", "soun", "Opus", AUDIO DOPS, "ger", NULL, "Stereo",
      "Kommentar", NULL, 1, "audio opus [de] [Kommentar] default" },
    { "a program", "soun", "Opus", AUDIO DOPS, "gsw", NULL,
      "Core Media Audio", NULL, NULL, 1, "audio opus [gsw] [] default" },
    { "elng", "soun", "Opus", AUDIO DOPS, "por", "pt-br", "", NULL, NULL, 1,
      "audio opus [pt-BR] [] default" },
    { "elng, wrong", "soun", "Opus", AUDIO DOPS, "por", "?", "", NULL, NULL,
      1, "audio opus [pt] [] default" },
    { "described", "soun", "Opus", AUDIO DOPS, "eng", NULL, "", NULL,
      "description", 1, "audio opus [en] [] default described" },
    { "intelligible", "soun", "Opus", AUDIO DOPS, "eng", NULL, "", NULL,
      "enhanced-audio-intelligibility", 1,
      "audio opus [en] [] default sdh" },
    { "tx3g", "sbtl", "tx3g", HEAD "00000000" "0000", "spa", NULL, "", NULL,
      NULL, 1, "text tx3g [es] [] default" },
    { "tx3g, forced", "sbtl", "tx3g", HEAD "80000000" "0000", "spa", NULL, "",
      NULL, NULL, 1, "text tx3g [es] [] default forced" },
    { "wvtt", "text", "wvtt", HEAD "0000000e76747443574542565454", "spa",
      NULL, "", NULL, "caption", 1, "text wvtt [es] [] default sdh" },
    { "wvtt, forced", "text", "wvtt", HEAD "0000000e76747443574542565454",
      "spa", NULL, "", NULL, "forced-subtitle", 1,
      "text wvtt [es] [] default forced" },
    { "a role of another type", "vide", "avc1", VISUAL AVCC, "und", NULL, "",
      NULL, "caption", 1, "video avc1.42c028 [] [] default" },

    { "Dolby Vision 9.2", "vide", "avc1", VISUAL AVCC DVVC("120d", "20"),
      "und", NULL, "", NULL, NULL, 1,
      "video avc1.42c028 [] [] default dva1.09.01/db2g" },
    { "Dolby Vision x.1", "vide", "avc1", VISUAL AVCC DVVC("103d", "10"),
      "und", NULL, "", NULL, NULL, 1,
      "video avc1.42c028 [] [] default dva1.08.07/db1p" },
    { "Dolby Vision x.4", "vide", "avc1", VISUAL AVCC DVVC("103d", "40"),
      "und", NULL, "", NULL, NULL, 1,
      "video avc1.42c028 [] [] default dva1.08.07/db4h" },
    { "Dolby Vision of disks", "vide", "avc1", VISUAL AVCC DVVC("0e3d", "60"),
      "und", NULL, "", NULL, NULL, 1, "video avc1.42c028 [] [] default" },
    { "Dolby Vision, no base", "vide", "avc1", VISUAL AVCC DVVC("0a3d", "00"),
      "und", NULL, "", NULL, NULL, 1, "video avc1.42c028 [] [] default" },

    { "encrypted", "vide", "encv", VISUAL AVCC "0000000873696e66", "und",
      NULL, "", NULL, NULL, 1,
      "moov/trak[1]: codec \"encv\" is encrypted" },
    { "unknown", "vide", "mjpa", VISUAL, "und", NULL, "", NULL, NULL, 1,
      "moov/trak[1]: codec \"mjpa\" is not supported" },
    { "captions", "text", "c608", HEAD, "und", NULL, "", NULL, NULL, 1,
      "moov/trak[1]: codec \"c608\" is not supported" },
    { "broken configuration", "vide", "avc1", VISUAL "0000000c6176634301020304",
      "und", NULL, "", NULL, NULL, 1, "moov/trak[1]/mdia/minf/stbl/avc1: has a"
      " wrong decoder configuration, offset:489" },
    { "no entry", "vide", "", "", "und", NULL, "", NULL, NULL, 1,
      "moov/trak[1]/mdia/minf/stbl/stsd: is missing, offset:82" },
    { "another handler", "tmcd", "tmcd", HEAD, "und", NULL, "", NULL, NULL, 1,
      "no track of video, audio or text in it" },
};


static long  left = -1;                       /* allocations; -1: all */

static uint64_t  inode;


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);


static int
denied(void)
{
    return left >= 0 && left-- == 0;
}


void *
__wrap_malloc(size_t size)
{
    return denied() ? NULL : __real_malloc(size);
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return denied() ? NULL : __real_calloc(n, size);
}


void *
__wrap_realloc(void *p, size_t size)
{
    return denied() ? NULL : __real_realloc(p, size);
}


ngx_media_vod_file_t *
ngx_media_vod_index_av(ngx_media_vod_index_t *index)
{
    return ngx_media_vod_index_fail(index, 415, "av");
}


/* the blob is what it says that it is */

static int
valid(const ngx_media_vod_file_t *file)
{
    uint32_t                      i;
    const ngx_media_index_t      *index;
    const ngx_media_vod_track_t  *track;

    if (file->version != NGX_MEDIA_VOD_VERSION
        || (file->ntracks == 0) != (file->status != 200)
        || strnlen((char *) file->error, NGX_MEDIA_VOD_ERROR)
           == NGX_MEDIA_VOD_ERROR
        || (file->status != 200 && file->error[0] == '\0'))
    {
        return 0;
    }

    for (i = 0; i < file->ntracks; i++) {
        track = &file->tracks[i];

        if (track->nparams == 0 || track->params % 16) {
            return 0;
        }

        if (track->sidecar) {
            if (track->params > file->size
                || track->nparams > file->size - track->params)
            {
                return 0;
            }

            continue;
        }

        if (track->index % 16 || track->index > file->size
            || track->params_size < offsetof(ngx_media_params_t, config)
            || (file->size - track->params) / track->params_size
               < track->nparams)
        {
            return 0;
        }

        index = ngx_media_vod_at(file, track->index);

        if (index->size > file->size - track->index
            || ngx_media_index_check(index, index->size) != NGX_OK
            || index->first >= index->end
            || index->timescale != track->timescale)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_media_vod_file_t *
index_fd(int fd, const char *path, size_t size, size_t max_moov,
    uint32_t max_samples)
{
    ngx_media_vod_index_t  index;

    memset(&index, 0, sizeof(ngx_media_vod_index_t));

    index.fd = fd;
    index.path = path;
    index.id.ino = inode;
    index.id.size = size;
    index.max_moov = max_moov;
    index.max_samples = max_samples;

    ngx_media_vod_index(&index);

    if (index.file) {
        media_mp4_check(valid(index.file));
    }

    return index.file;
}


static ngx_media_vod_file_t *
index_bytes(const void *p, size_t len, const char *path)
{
    int                    fd;
    ngx_media_vod_file_t  *file;

    fd = memfd_create("file", 0);
    media_mp4_check(fd >= 0);
    media_mp4_check(write(fd, p, len) == (ssize_t) len);

    file = index_fd(fd, path, len, 0, 0);

    close(fd);

    return file;
}


static const ngx_media_index_t *
track_index(const ngx_media_vod_file_t *file, uint32_t n)
{
    return ngx_media_vod_at(file, file->tracks[n].index);
}


static void
describe(char *dst, size_t size, const ngx_media_vod_file_t *file, uint32_t n)
{
    u_char                       string[NGX_MEDIA_CODEC_STRING_MAX + 1];
    const ngx_media_codec_t     *codec;
    const ngx_media_params_t    *params;
    const ngx_media_vod_track_t *t;

    static const char  *const types[] = { "video", "audio", "text" };

    t = &file->tracks[n];
    params = ngx_media_vod_at(file, t->params);
    codec = ngx_media_codec_find(params->codec);

    media_mp4_check(params->timescale == t->timescale);

    if (codec) {
        string[codec->string(string, params)] = '\0';

    } else {
        *ngx_media_put_be32(string, params->codec) = '\0';
    }

    snprintf(dst, size, "%s %s [%s] [%s]%s%s%s%s%s%s%s%s", types[t->type],
             string, t->lang, t->label, t->is_default ? " default" : "",
             t->forced ? " forced" : "", t->sdh ? " sdh" : "",
             t->described ? " described" : "",
             t->supplemental[0] ? " " : "", t->supplemental,
             t->brands[0] ? "/" : "", t->brands);
}


/* the writer: files of samples of the same size, moov first */

static void
put_hex(media_mp4_t *m, const char *text)
{
    size_t   len;
    u_char  *p;

    p = media_hex(text, &len);
    media_mp4_data(m, p, len);
    free(p);
}


static void
put_stsd(media_mp4_t *m, const track_t *t)
{
    if (t->type[0] == '\0') {
        return;
    }

    media_mp4_full(m, "stsd", 0);
    media_mp4_u32(m, 1);
    media_mp4_open(m, t->type);
    put_hex(m, t->entry);
    media_mp4_close(m);
    media_mp4_close(m);
}


/* chunk: where its samples are; 0: there are none */

static void
put_track(media_mp4_t *m, const track_t *t, uint32_t id, uint32_t chunk)
{
    size_t    at;
    uint32_t  delta[] = { SAMPLES, 100 };
    uint32_t  stsc[] = { 1, SAMPLES, 1 };

    media_mp4_open(m, "trak");

    at = m->len;
    media_mp4_tkhd(m, id);
    m->p[at + 11] = t->enabled;

    media_mp4_open(m, "mdia");
    media_mp4_mdhd(m, 1000, (t->lang[0] - 0x60) << 10
                            | (t->lang[1] - 0x60) << 5 | (t->lang[2] - 0x60));

    media_mp4_full(m, "hdlr", 0);
    media_mp4_u32(m, 0);
    media_mp4_data(m, t->handler, 4);
    media_mp4_zeros(m, 12);
    media_mp4_data(m, t->title, strlen(t->title) + 1);
    media_mp4_close(m);

    if (t->elng) {
        media_mp4_full(m, "elng", 0);
        media_mp4_data(m, t->elng, strlen(t->elng) + 1);
        media_mp4_close(m);
    }

    media_mp4_open(m, "minf");
    media_mp4_open(m, "stbl");
    put_stsd(m, t);

    if (chunk) {
        media_mp4_list(m, "stts", 0, delta, 2);
        media_mp4_list(m, "stsc", 0, stsc, 3);
        media_mp4_stsz(m, BYTES, NULL, SAMPLES);
        media_mp4_table(m, "stco", 0, &chunk, 1, 1);
    }

    media_mp4_close(m);
    media_mp4_close(m);
    media_mp4_close(m);

    if (t->udta || t->kind) {
        media_mp4_open(m, "udta");

        if (t->udta) {
            media_mp4_open(m, "name");
            media_mp4_data(m, t->udta, strlen(t->udta));
            media_mp4_close(m);
        }

        if (t->kind) {
            media_mp4_full(m, "kind", 0);
            media_mp4_data(m, "urn:mpeg:dash:role:2011", 24);
            media_mp4_data(m, t->kind, strlen(t->kind) + 1);
            media_mp4_close(m);
        }

        media_mp4_close(m);
    }

    media_mp4_close(m);
}


static void
put_ftyp(media_mp4_t *m)
{
    media_mp4_open(m, "ftyp");
    media_mp4_data(m, "iso6", 4);
    media_mp4_u32(m, 0);
    media_mp4_close(m);
}


/* data are in front: then their place does not depend on moov */

static void
put_file(media_mp4_t *m, const track_t *const *list, unsigned n)
{
    unsigned  i;

    memset(m, 0, sizeof(media_mp4_t));

    put_ftyp(m);

    media_mp4_open(m, "mdat");
    media_mp4_zeros(m, SAMPLES * BYTES);
    media_mp4_close(m);

    media_mp4_open(m, "moov");
    media_mp4_mvhd(m, 1000);

    for (i = 0; i < n; i++) {
        put_track(m, list[i], i + 1, 24);
    }

    media_mp4_close(m);
}


static void
put_fragment(media_mp4_t *m, uint32_t n)
{
    media_mp4_open(m, "moof");

    media_mp4_open(m, "traf");
    media_mp4_full(m, "tfhd", 0x020038);
    media_mp4_u32(m, 1);
    media_mp4_u32(m, 100);
    media_mp4_u32(m, BYTES);
    media_mp4_u32(m, 0x01010000);
    media_mp4_close(m);
    media_mp4_full(m, "tfdt", 0);
    media_mp4_u32(m, n * SAMPLES * 100);
    media_mp4_close(m);
    media_mp4_full(m, "trun", 0x05);
    media_mp4_u32(m, SAMPLES);
    media_mp4_u32(m, FRAGMENT - SAMPLES * BYTES);
    media_mp4_u32(m, 0x02000000);
    media_mp4_close(m);
    media_mp4_close(m);

    media_mp4_close(m);

    media_mp4_open(m, "mdat");
    media_mp4_zeros(m, SAMPLES * BYTES);
    media_mp4_close(m);
}


static size_t
put_fragmented(media_mp4_t *m, const track_t *track)
{
    memset(m, 0, sizeof(media_mp4_t));

    put_ftyp(m);

    media_mp4_open(m, "moov");
    media_mp4_mvhd(m, 1000);
    put_track(m, track, 1, 0);
    media_mp4_open(m, "mvex");
    media_mp4_full(m, "trex", 0);
    media_mp4_u32(m, 1);
    media_mp4_u32(m, 1);
    media_mp4_zeros(m, 12);
    media_mp4_close(m);
    media_mp4_close(m);
    media_mp4_close(m);

    return m->len;
}


static void
test_tracks(void)
{
    char                   got[512];
    unsigned               i;
    media_mp4_t            m;
    const track_t         *list[1];
    ngx_media_vod_file_t  *file;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        list[0] = &tests[i];
        put_file(&m, list, 1);

        file = index_bytes(m.p, m.len, NULL);

        if (file->ntracks) {
            describe(got, sizeof(got), file, 0);
            media_mp4_check(track_index(file, 0)->end == SAMPLES);

        } else {
            snprintf(got, sizeof(got), "%s", file->error);
            is(file->status, 415, "%s: status", tests[i].name);
        }

        is_text(got, strlen(got), tests[i].expected, "%s", tests[i].name);

        free(file);
        free(m.p);
    }
}


static void
test_several(void)
{
    char                   got[512];
    u_char                *p;
    media_mp4_t            m;
    const track_t         *list[40];
    ngx_media_vod_file_t  *file;
    unsigned               i;

    for (i = 0; i < 40; i++) {
        list[i] = &tests[2];
    }

    list[1] = &tests[0];

    put_file(&m, list, 3);

    file = index_bytes(m.p, m.len, NULL);

    is(file->status, 200, "three tracks");
    is(file->ntracks, 3, "are there");
    is(file->tracks[0].is_default, 1, "one audio track is default");
    is(file->tracks[1].is_default, 1, "so is that of video");
    is(file->tracks[2].is_default, 0, "the other is not");

    free(file);

    /* the second one has no mdhd */

    p = memmem(m.p, m.len, "mdhd", 4);
    p = memmem(p + 4, m.p + m.len - p - 4, "mdhd", 4);
    memcpy(p, "xxxx", 4);

    file = index_bytes(m.p, m.len, NULL);

    is(file->ntracks, 2, "a broken track");
    describe(got, sizeof(got), file, 1);
    is_text(got, strlen(got), "audio opus [en] []", "the third is served");
    ok(strstr((char *) file->error, "moov/trak[2]: has no mdhd, offset:"),
       "the second is named: %s", file->error);

    free(file);

    /* all are broken */

    while ((p = memmem(m.p, m.len, "mdhd", 4)) != NULL) {
        memcpy(p, "xxxx", 4);
    }

    file = index_bytes(m.p, m.len, NULL);

    is(file->status, 415, "no track left");
    ok(strstr((char *) file->error, "has no mdhd") != NULL, "why: %s",
       file->error);

    free(file);
    free(m.p);

    /* a table that is wrong */

    put_file(&m, list, 2);
    p = memmem(m.p, m.len, "stsc", 4);
    p[15] = 2;

    file = index_bytes(m.p, m.len, NULL);

    is(file->ntracks, 1, "a broken table");
    is(file->tracks[0].type, NGX_MEDIA_VIDEO, "the other is served");
    ok(strstr((char *) file->error, "moov/trak[1]/mdia/minf/stbl/stsc: "),
       "it is named: %s", file->error);

    free(file);

    /* a description that is not there */

    p[15] = 1;
    p[23] = 2;

    file = index_bytes(m.p, m.len, NULL);

    is(file->ntracks, 1, "no such description");
    ok(strstr((char *) file->error,
              "moov/trak[1]: a sample has no description") != NULL,
       "it is told: %s", file->error);

    free(file);
    free(m.p);

    put_file(&m, list, 40);

    file = index_bytes(m.p, m.len, NULL);

    is(file->ntracks, NGX_MEDIA_VOD_TRACKS, "tracks up to the limit");
    is_text(file->error, strlen((char *) file->error),
            "moov: 8 tracks too many", "others are told of");

    free(file);
    free(m.p);
}


/* cut at each length: what is there is served, and nothing else happens */

static void
test_cut(void)
{
    int                    fd;
    size_t                 begin, complete, n, served;
    uint32_t               samples;
    uint64_t               tag;
    unsigned               bad, i;
    media_mp4_t            m;
    const track_t         *list[1];
    ngx_media_vod_file_t  *file;

    list[0] = &tests[0];
    put_file(&m, list, 1);

    bad = 0;

    for (n = 0; n < m.len; n++) {
        file = index_bytes(m.p, n, NULL);
        bad += file->status != 415;
        free(file);
    }

    is(bad, 0, "moov at the end, cut: never served");

    free(m.p);

    begin = put_fragmented(&m, list[0]);

    for (i = 0; i < 4; i++) {
        put_fragment(&m, i);
    }

    fd = memfd_create("file", 0);
    media_mp4_check(write(fd, m.p, m.len) == (ssize_t) m.len);

    tag = 0;
    served = 0;
    bad = 0;

    for (n = 0; n <= m.len; n++) {
        media_mp4_check(ftruncate(fd, n) == 0);
        media_mp4_check(pwrite(fd, m.p, n, 0) == (ssize_t) n);

        file = index_fd(fd, NULL, n, 0, 0);

        complete = n < begin ? 0 : (n - begin) / FRAGMENT;
        samples = file->ntracks ? track_index(file, 0)->nsamples : 0;

        if (samples != complete * SAMPLES) {
            diag("at %u: %u samples", (unsigned) n, (unsigned) samples);
            bad++;
        }

        if (samples) {
            served++;
            bad += !file->fragmented;
            bad += (tag && tag != file->tag);
            bad += file->offset != begin + complete * FRAGMENT
                   && n != m.len;
            tag = file->tag;

        } else {
            bad += file->status != 415;
        }

        free(file);
    }

    is(bad, 0, "fragments, cut: what is complete");
    ok(served > 3 * FRAGMENT, "was served");

    /* mfra: it is complete */

    media_mp4_open(&m, "mfra");
    media_mp4_close(&m);

    file = index_bytes(m.p, m.len, NULL);
    is(file->fragmented, 0, "mfra: nothing will come");
    ok(file->tag == tag, "its name stays");
    free(file);

    inode = 1;
    file = index_bytes(m.p, m.len, NULL);
    ok(file->tag != tag, "another file has another name");
    free(file);
    inode = 0;

    /* the third one is broken */

    (void) ngx_media_put_be32(m.p + begin + 2 * FRAGMENT + 8, 7);

    file = index_bytes(m.p, m.len, NULL);
    is(file->status, 200, "a broken fragment");
    is(track_index(file, 0)->nsamples, 2 * SAMPLES, "those before are served");
    is(file->offset, begin + 2 * FRAGMENT, "up to it");
    ok(strncmp((char *) file->error, "moof: ", 6) == 0, "it is told: %s",
       file->error);
    free(file);

    close(fd);
    free(m.p);
}


static void
test_limits(void)
{
    int                    fd;
    size_t                 begin;
    u_char                *p;
    unsigned               i;
    media_mp4_t            m;
    const track_t         *list[3];
    ngx_media_vod_file_t  *file;

    list[0] = &tests[0];
    list[1] = &tests[2];
    list[2] = &tests[2];
    put_file(&m, list, 3);

    fd = memfd_create("file", 0);
    media_mp4_check(write(fd, m.p, m.len) == (ssize_t) m.len);

    file = index_fd(fd, NULL, m.len, 0, SAMPLES);
    is(file->ntracks, 2, "samples of all tracks");
    is_text(file->error, strlen((char *) file->error),
            "moov/trak[3]: too many samples in all", "too many");
    free(file);

    file = index_fd(fd, NULL, m.len, 0, SAMPLES - 1);
    is(file->status, 415, "samples of a track");
    ok(strstr((char *) file->error, "moov/trak[1]: too many samples") != NULL,
       "too many: %s", file->error);
    free(file);

    file = index_fd(fd, NULL, m.len, 500, 0);
    is(file->status, 415, "moov");
    is_text(file->error, strlen((char *) file->error),
            "moov: is too large, offset:74", "too large");
    free(file);

    file = index_fd(fd, NULL, m.len + 1000, 0, 0);
    is(file->status, 500, "a file that became shorter");
    free(file);

    close(fd);

    /* a run of 2^32 samples of no bytes, of a track that is served or not */

    for (i = 0; i < 2; i++) {
        free(m.p);
        begin = put_fragmented(&m, i ? &tests[0] : &tests[20]);
        put_fragment(&m, 0);
        put_fragment(&m, 1);

        p = m.p + begin + FRAGMENT + 8 + 8;
        (void) ngx_media_put_be32(p + 20, 0);
        (void) ngx_media_put_be32(p + 28 + 16 + 12, 0xffffffff);

        fd = memfd_create("file", 0);
        media_mp4_check(write(fd, m.p, m.len) == (ssize_t) m.len);

        file = index_fd(fd, NULL, m.len, 0, 10000);
        is(file->status, 415, "a run of 2^32 samples");
        ok(strstr((char *) file->error, "moof: too many samples in all")
           != NULL, "too many: %s", file->error);
        free(file);
        close(fd);
    }

    fd = open("/", O_RDONLY);
    file = index_fd(fd, NULL, 4096, 0, 0);
    is(file->status, 500, "it cannot be read");
    free(file);
    close(fd);

    file = index_bytes("", 0, "a.mp4");
    is(file->status, 415, "nothing");
    is_text(file->error, strlen((char *) file->error), "file is empty",
            "is empty");
    free(file);

    free(m.p);
}


/* each allocation fails once: no blob, and no leak */

static void
test_memory(void)
{
    long                   n;
    unsigned               i;
    media_mp4_t            m;
    const track_t         *list[3];
    ngx_media_vod_file_t  *file;

    static const char  vtt[] = "WEBVTT\n\n00:01.000 --> 00:02.000\nx\n";

    list[0] = &tests[0];
    list[1] = &tests[2];
    list[2] = &tests[10];

    for (i = 0; i < 3; i++) {

        if (i == 0) {
            put_file(&m, list, 3);

        } else if (i == 1) {
            (void) put_fragmented(&m, list[0]);
            put_fragment(&m, 0);

        } else {
            memset(&m, 0, sizeof(media_mp4_t));
            media_mp4_data(&m, vtt, sizeof(vtt) - 1);
        }

        for (n = 0; n < 100; n++) {
            left = n;
            file = index_bytes(m.p, m.len, NULL);

            if (left >= 0) {
                left = -1;
                free(file);
                break;
            }

            if (file) {
                break;
            }
        }

        ok(left == -1 && n > 2 && n < 100, "%ld allocations, form %u", n, i);

        free(m.p);
    }
}


static const struct {
    const char  *path;
    const char  *text;
    const char  *expected;        /* language and flags; NULL: refused */
} texts[] = {
    { "/m/movie.en.srt", "1\n00:00:01,000 --> 00:00:02,000\nx\n", "en" },
    { "/m/movie.de-DE.vtt", "WEBVTT\n", "de-DE" },
    { "/m/movie.ger.forced.vtt", "WEBVTT\n", "de forced" },
    { "/m/movie.SDH.pt_br.vtt", "WEBVTT\n", "pt-BR sdh" },
    { "/m/a.b/movie.cc.default.zh-hant-tw.VTT", "WEBVTT\n",
      "zh-Hant-TW sdh default" },
    { "/m/movie.2020.1080p.vtt", "WEBVTT\n", "" },
    { "/m/fr.vtt", "WEBVTT\n", "" },
    { "/m/.en.vtt", "WEBVTT\n", "" },
    { "movie.xyzzy.vtt", "WEBVTT\n", "" },
    { "", "\xef\xbb\xbfWEBVTT\n", "" },
    { NULL, "WEBVTT\n", "" },
    { "/m/movie.vtt", "\xff\xfe" "W\0" "E\0" "B\0" "V\0" "T\0" "T\0" "\n", "" },
    { "/m/movie.srt", "text\n", NULL },
    { "/m/movie.txt", "1\n00:00:01,000 --> 00:00:02,000\nx\n", NULL },
};


static void
test_texts(void)
{
    char                          got[128];
    unsigned                      i;
    ngx_media_vod_file_t         *file;
    const ngx_media_vod_track_t  *t;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        file = index_bytes(texts[i].text, texts[i].text[0] == '\xff'
                           ? 16 : strlen(texts[i].text), texts[i].path);

        if (texts[i].expected == NULL) {
            is(file->status, 415, "text, %s: refused", texts[i].path);
            free(file);
            continue;
        }

        t = &file->tracks[0];

        is(file->ntracks, 1, "text, %s: a track", texts[i].path);
        is(t->type, NGX_MEDIA_TEXT, "of text");
        is(t->sidecar, 1, "alone");

        snprintf(got, sizeof(got), "%s%s%s%s", t->lang,
                 t->forced ? " forced" : "", t->sdh ? " sdh" : "",
                 t->is_default ? " default" : "");
        is_text(got, strlen(got), texts[i].expected, "what it is");

        if (t->nparams < strlen(texts[i].text)) {
            is_text((u_char *) ngx_media_vod_at(file, t->params), t->nparams,
                    "WEBVTT\n", "UTF-8, without a mark");
        }

        free(file);
    }
}


static const struct {
    const char  *in;
    const char  *out;
} langs[] = {
    { "eng", "en" }, { "ENG", "en" }, { "en", "en" }, { "ger", "de" },
    { "deu", "de" }, { "und", "" }, { "", "" }, { "mul", "mul" },
    { "gsw", "gsw" }, { "pt-br", "pt-BR" }, { "por_BR", "pt-BR" },
    { "zh-hANT-tw", "zh-Hant-TW" }, { "sr-latn", "sr-Latn" },
    { "es-419", "es-419" }, { "de-1996", "de-1996" }, { "e", "" },
    { "engl", "" }, { "e1", "" }, { "en-", "en" }, { "en--us", "en" },
    { "en-us\"", "en" }, { "en us", "" }, { "und-US", "" },
    { "ca-valencia", "ca-valencia" }, { "en-x-twain", "en-x-twain" },
    { "en-abcdefghi", "en" },
    { "en-a1-b2-c3-d4-e5-f6-g7-h8-i9-j1-k2-l3",
      "en-A1-B2-C3-D4-E5-F6-G7-H8-I9-J1-K2" },
};


static const struct {
    const char  *in;
    const char  *out;
} labels[] = {
    { "Stereo", "Stereo" }, { "  a b ", "a b" }, { "a\tb\n", "ab" },
    { "\xc2\x85x", "x" }, { "Fran\xc3\xa7" "ais", "Fran\xc3\xa7" "ais" },
    { "\xff", "\xef\xbf\xbd" }, { "", "" }, { "   ", "" },
    { "0123456789012345678901234567890123456789012345678901234567890123",
      "012345678901234567890123456789012345678901234567890123456789012" },
    { "01234567890123456789012345678901234567890123456789012345678901\xc3\xa4",
      "01234567890123456789012345678901234567890123456789012345678901" },
};


static void
test_names(void)
{
    u_char        *p;
    u_char         lang[NGX_MEDIA_LANG], label[NGX_MEDIA_LABEL];
    size_t         len;
    unsigned       i;

    for (i = 0; i < sizeof(langs) / sizeof(langs[0]); i++) {
        len = strlen(langs[i].in);
        p = tap_dup(langs[i].in, len);

        ngx_media_lang(lang, p, len);
        is_text(lang, strlen((char *) lang), langs[i].out, "language \"%s\"",
                langs[i].in);

        free(p);
    }

    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        len = strlen(labels[i].in);
        p = tap_dup(labels[i].in, len);

        ngx_media_label(label, p, len);
        is_text(label, strlen((char *) label), labels[i].out, "label %u", i);

        free(p);
    }
}


int
main(void)
{
    test_tracks();
    test_several();
    test_cut();
    test_limits();
    test_memory();
    test_texts();
    test_names();

    return done();
}
