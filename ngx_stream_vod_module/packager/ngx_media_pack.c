
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_ts_es.h"
#include "packager/ngx_media_pack.h"


static ngx_uint_t ngx_media_pack_in_ts(const ngx_media_track_view_t *track);


typedef struct {
    u_char                    tag[2];
    ngx_str_t                 name;
} ngx_media_pack_language_t;


/* ISO 639-1, sorted */

static const ngx_media_pack_language_t  ngx_media_pack_languages[] = {
    { { 'a', 'r' },
      ngx_string("\330\247\331\204\330\271\330\261\330\250\331\212\330\251") },
    { { 'b', 'g' },
      ngx_string("\320\221\321\212\320\273\320\263\320\260\321\200\321\201"
                 "\320\272\320\270") },
    { { 'b', 'n' },
      ngx_string("\340\246\254\340\246\276\340\246\202\340\246\262\340\246"
                 "\276") },
    { { 'c', 'a' }, ngx_string("Catal\303\240") },
    { { 'c', 's' }, ngx_string("\304\214e\305\241tina") },
    { { 'd', 'a' }, ngx_string("Dansk") },
    { { 'd', 'e' }, ngx_string("Deutsch") },
    { { 'e', 'l' },
      ngx_string("\316\225\316\273\316\273\316\267\316\275\316\271\316\272"
                 "\316\254") },
    { { 'e', 'n' }, ngx_string("English") },
    { { 'e', 's' }, ngx_string("Espa\303\261ol") },
    { { 'e', 't' }, ngx_string("Eesti") },
    { { 'e', 'u' }, ngx_string("Euskara") },
    { { 'f', 'a' }, ngx_string("\331\201\330\247\330\261\330\263\333\214") },
    { { 'f', 'i' }, ngx_string("Suomi") },
    { { 'f', 'r' }, ngx_string("Fran\303\247ais") },
    { { 'g', 'a' }, ngx_string("Gaeilge") },
    { { 'g', 'l' }, ngx_string("Galego") },
    { { 'h', 'e' }, ngx_string("\327\242\327\221\327\250\327\231\327\252") },
    { { 'h', 'i' },
      ngx_string("\340\244\271\340\244\277\340\244\250\340\245\215\340\244"
                 "\246\340\245\200") },
    { { 'h', 'r' }, ngx_string("Hrvatski") },
    { { 'h', 'u' }, ngx_string("Magyar") },
    { { 'i', 'd' }, ngx_string("Bahasa Indonesia") },
    { { 'i', 's' }, ngx_string("\303\215slenska") },
    { { 'i', 't' }, ngx_string("Italiano") },
    { { 'j', 'a' }, ngx_string("\346\227\245\346\234\254\350\252\236") },
    { { 'k', 'o' }, ngx_string("\355\225\234\352\265\255\354\226\264") },
    { { 'l', 't' }, ngx_string("Lietuvi\305\263") },
    { { 'l', 'v' }, ngx_string("Latvie\305\241u") },
    { { 'm', 's' }, ngx_string("Bahasa Melayu") },
    { { 'n', 'b' }, ngx_string("Norsk bokm\303\245l") },
    { { 'n', 'l' }, ngx_string("Nederlands") },
    { { 'n', 'n' }, ngx_string("Norsk nynorsk") },
    { { 'n', 'o' }, ngx_string("Norsk") },
    { { 'p', 'l' }, ngx_string("Polski") },
    { { 'p', 't' }, ngx_string("Portugu\303\252s") },
    { { 'r', 'o' }, ngx_string("Rom\303\242n\304\203") },
    { { 'r', 'u' },
      ngx_string("\320\240\321\203\321\201\321\201\320\272\320\270\320\271") },
    { { 's', 'k' }, ngx_string("Sloven\304\215ina") },
    { { 's', 'l' }, ngx_string("Sloven\305\241\304\215ina") },
    { { 's', 'r' },
      ngx_string("\320\241\321\200\320\277\321\201\320\272\320\270") },
    { { 's', 'v' }, ngx_string("Svenska") },
    { { 't', 'a' },
      ngx_string("\340\256\244\340\256\256\340\256\277\340\256\264\340\257"
                 "\215") },
    { { 't', 'e' },
      ngx_string("\340\260\244\340\261\206\340\260\262\340\261\201\340\260"
                 "\227\340\261\201") },
    { { 't', 'h' }, ngx_string("\340\271\204\340\270\227\340\270\242") },
    { { 't', 'r' }, ngx_string("T\303\274rk\303\247e") },
    { { 'u', 'k' },
      ngx_string("\320\243\320\272\321\200\320\260\321\227\320\275\321\201"
                 "\321\214\320\272\320\260") },
    { { 'v', 'i' }, ngx_string("Ti\341\272\277ng Vi\341\273\207t") },
    { { 'z', 'h' }, ngx_string("\344\270\255\346\226\207") }
};


const ngx_media_init_t *
ngx_media_pack_init(const ngx_media_track_view_t *track)
{
    ngx_uint_t  n;

    n = track->nsegments;

    if (n == 0) {
        return track->ninits ? &track->inits[track->ninits - 1] : NULL;
    }

    return ngx_media_pack_init_find(track, track->segments[n - 1].init);
}


const ngx_media_init_t *
ngx_media_pack_init_find(const ngx_media_track_view_t *track, uint64_t name)
{
    ngx_uint_t  i;

    for (i = track->ninits; i > 0; i--) {
        if (track->inits[i - 1].name == name) {
            return &track->inits[i - 1];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_media_pack_allowed(const ngx_media_track_view_t *track, ngx_uint_t format)
{
    const ngx_media_init_t   *init;
    const ngx_media_codec_t  *codec;

    init = ngx_media_pack_init(track);
    if (init == NULL
        || (format == NGX_MEDIA_PACK_HLS_TS
            && track->type != NGX_MEDIA_TEXT
            && !ngx_media_pack_in_ts(track)))
    {
        return 0;
    }

    codec = ngx_media_codec_find(init->params.codec);

    return codec && (codec->formats & format);
}


/*
 * MPEG-TS cannot have all that its codecs may be: ADTS has no object types of
 * more than two bits.  What is listed has to be served, whatever part of it.
 */

static ngx_uint_t
ngx_media_pack_in_ts(const ngx_media_track_view_t *track)
{
    ngx_uint_t         i;
    ngx_media_ts_es_t  es;

    if (track->ts_off) {
        return 0;
    }

    for (i = 0; i < track->ninits; i++) {
        if (ngx_media_ts_es_init(&es, &track->inits[i].params) != NGX_OK) {
            return 0;
        }
    }

    return 1;
}


void
ngx_media_pack_only(ngx_media_stream_view_t *view, ngx_uint_t formats)
{
    ngx_uint_t  clock, i, n;

    clock = view->clock;
    n = 0;

    for (i = 0; i < view->ntracks; i++) {

        if (view->tracks[i].only && !(view->tracks[i].only & formats)) {
            continue;
        }

        if (i == clock) {
            view->clock = n;
        }

        view->tracks[n++] = view->tracks[i];
    }

    /* the clock is a track that its publisher sends */

    if (clock >= view->ntracks) {
        view->clock = n;
    }

    view->ntracks = n;
}


ngx_uint_t
ngx_media_pack_independent(const ngx_media_stream_view_t *view,
    const ngx_media_track_view_t *track)
{
    ngx_uint_t  i;

    /* nothing is known of what comes, and what was said stays said */

    if (view->waits) {
        return !view->forced;
    }

    for (i = 0; i < track->nsegments; i++) {
        if (track->segments[i].forced) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_media_pack_trick(ngx_pool_t *pool, const ngx_media_track_view_t *track,
    ngx_str_t *name)
{
    name->data = ngx_pnalloc(pool, track->name.len + 1);
    if (name->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name->data, track->name.data, track->name.len);

    name->data[0] = 'k';
    name->len = track->name.len;

    return NGX_OK;
}


const ngx_str_t *
ngx_media_pack_language(const ngx_str_t *tag)
{
    u_char                            first, second;
    ngx_uint_t                        i, n;
    const ngx_media_pack_language_t  *language;

    /* RFC 5646, 2.1: the primary subtag, which knows no case */

    if (tag->len < 2 || (tag->len > 2 && tag->data[2] != '-')) {
        return NULL;
    }

    first = ngx_tolower(tag->data[0]);
    second = ngx_tolower(tag->data[1]);

    n = sizeof(ngx_media_pack_languages) / sizeof(ngx_media_pack_languages[0]);

    for (i = 0; i < n; i++) {
        language = &ngx_media_pack_languages[i];

        if (language->tag[0] == first && language->tag[1] == second) {
            return &language->name;
        }
    }

    return NULL;
}


int64_t
ngx_media_pack_rescale(int64_t value, uint32_t from, uint32_t to)
{
    if (from == 0) {
        return 0;
    }

    /* in two steps: the product of unix time and both scales has 72 bits */

    return value / from * to + value % from * to / from;
}
