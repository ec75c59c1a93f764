
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "files/ngx_media_vod_blob.h"
#include "formats/ngx_media_charset.h"
#include "formats/ngx_media_webvtt.h"

#include <stdlib.h>
#include <strings.h>


#define NGX_MEDIA_VOD_TEXT_MAX   (16 * 1024 * 1024)


static u_char *ngx_media_vod_text_read(ngx_media_vod_index_t *index,
    ngx_media_vod_file_t **file);
static ngx_uint_t ngx_media_vod_text_valid(const u_char *text, size_t len);
static void ngx_media_vod_text_name(ngx_media_vod_track_t *track,
    const char *path);
static void ngx_media_vod_text_word(ngx_media_vod_track_t *track,
    const u_char *p, size_t len);


ngx_media_vod_file_t *
ngx_media_vod_index_text(ngx_media_vod_index_t *index)
{
    size_t                       len;
    u_char                      *p, *text;
    ngx_media_vod_blob_t         blob;
    ngx_media_vod_file_t        *file;
    ngx_media_vod_blob_track_t  *t;

    if (index->id.size > NGX_MEDIA_VOD_TEXT_MAX) {
        return ngx_media_vod_index_fail(index, 415,
                                        "text of more than %d bytes",
                                        NGX_MEDIA_VOD_TEXT_MAX);
    }

    p = ngx_media_vod_text_read(index, &file);

    if (p == NULL) {
        return file;
    }

    len = ngx_media_charset_utf8(NULL, p, p + (size_t) index->id.size);

    text = malloc(len ? len : 1);

    if (text == NULL) {
        free(p);
        return NULL;
    }

    (void) ngx_media_charset_utf8(text, p, p + (size_t) index->id.size);

    free(p);

    if (!ngx_media_vod_text_valid(text, len)) {
        free(text);
        return ngx_media_vod_index_fail(index, 415,
                                        "neither WebVTT nor SubRip");
    }

    ngx_media_vod_blob_init(&blob, index);

    t = ngx_media_vod_blob_track(&blob, NGX_MEDIA_TEXT, 1000);

    if (t == NULL) {
        free(text);

    } else {
        ngx_media_vod_blob_text(t, text, len);

        if (index->path) {
            ngx_media_vod_text_name(&t->track, index->path);
        }
    }

    return ngx_media_vod_blob_finish(&blob);
}


/* NULL: see *file */

static u_char *
ngx_media_vod_text_read(ngx_media_vod_index_t *index,
    ngx_media_vod_file_t **file)
{
    size_t   size;
    u_char  *p;

    size = (size_t) index->id.size;
    *file = NULL;

    p = malloc(size);

    if (p == NULL) {
        return NULL;
    }

    if (ngx_media_vod_index_read(index, p, size, 0, file) != NGX_OK) {
        free(p);
        return NULL;
    }

    return p;
}


/* a WebVTT file may be one without cues, it says that it is one */

static ngx_uint_t
ngx_media_vod_text_valid(const u_char *text, size_t len)
{
    ngx_int_t                  rc;
    ngx_media_cue_t            cue;
    ngx_media_webvtt_reader_t  reader;

    ngx_media_webvtt_open(&reader, text, text + len);

    if (!reader.srt) {
        return 1;
    }

    do {
        rc = ngx_media_webvtt_next(&reader, &cue);

        if (rc == NGX_OK && cue.kind == NGX_MEDIA_CUE) {
            return 1;
        }

    } while (rc == NGX_OK);

    return 0;
}


/* "movie.de-DE.forced.srt", "movie.sdh.en.vtt": from the end on */

static void
ngx_media_vod_text_name(ngx_media_vod_track_t *track, const char *path)
{
    const u_char  *base, *last, *p;

    base = (const u_char *) path;

    for (p = base; *p; p++) {
        if (*p == '/') {
            base = p + 1;
        }
    }

    /* the extension */

    while (p > base && *p != '.') {
        p--;
    }

    while (p > base) {
        last = p;

        do {
            p--;
        } while (p > base && *p != '.');

        if (p > base) {
            ngx_media_vod_text_word(track, p + 1, last - p - 1);
        }
    }
}


static void
ngx_media_vod_text_word(ngx_media_vod_track_t *track, const u_char *p,
    size_t len)
{
    size_t  n;
    u_char  lang[NGX_MEDIA_LANG];

    if (len == 6 && strncasecmp((char *) p, "forced", 6) == 0) {
        track->forced = 1;
        return;
    }

    if ((len == 3 && strncasecmp((char *) p, "sdh", 3) == 0)
        || (len == 2 && strncasecmp((char *) p, "cc", 2) == 0))
    {
        track->sdh = 1;
        return;
    }

    if (len == 7 && strncasecmp((char *) p, "default", 7) == 0) {
        track->is_default = 1;
        return;
    }

    if (track->lang[0]) {
        return;
    }

    /* not "1080p" or "final"; what follows it is looked at there */

    for (n = 0; n < len && p[n] != '-' && p[n] != '_'; n++) { /* void */ }

    if (!ngx_media_lang_known(p, n)) {
        return;
    }

    ngx_media_lang(lang, p, len);

    if (ngx_strlen(lang)) {
        ngx_memcpy(track->lang, lang, sizeof(lang));
    }
}
