
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_mp4_moov.h"


#define ngx_media_mp4_slot(type, field)                                       \
    { type, 0, NULL, NULL, offsetof(ngx_media_mp4_track_t, field) }

#define ngx_media_mp4_call(type, handler)                                     \
    { type, 0, handler, NULL, 0 }

#define ngx_media_mp4_tree(type, table)                                       \
    { type, 0, NULL, table, 0 }

#define ngx_media_mp4_end                                                     \
    { 0, 0, NULL, NULL, 0 }


/* seconds */
#define NGX_MEDIA_MP4_EDIT_MAX  (366 * 86400)


static ngx_int_t ngx_media_mp4_moov_cmov(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_mvhd(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_mvex(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_trak(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_tkhd(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_mdhd(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_hdlr(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_elng(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_name(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_kind(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_sbgp(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_trex(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst);
static ngx_int_t ngx_media_mp4_moov_trim(ngx_media_span_t *span);
static ngx_int_t ngx_media_mp4_moov_check(ngx_media_mp4_moov_t *moov,
    ngx_media_mp4_walk_t *walk, const ngx_media_mp4_box_t *box);
static void ngx_media_mp4_moov_chapters(ngx_media_mp4_moov_t *moov);
static ngx_int_t ngx_media_mp4_edit_fail(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, const u_char *pos, const char *text);


static const ngx_media_mp4_table_t  ngx_media_mp4_stbl[] = {
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 's', 'd'), stsd),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 't', 's'), stts),
    ngx_media_mp4_slot(ngx_media_fourcc('c', 't', 't', 's'), ctts),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 's', 'c'), stsc),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 's', 'z'), stsz),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 'z', '2'), stz2),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 'c', 'o'), stco),
    ngx_media_mp4_slot(ngx_media_fourcc('c', 'o', '6', '4'), co64),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 's', 's'), stss),
    ngx_media_mp4_slot(ngx_media_fourcc('s', 't', 'p', 's'), stps),
    ngx_media_mp4_call(ngx_media_fourcc('s', 'b', 'g', 'p'),
                       ngx_media_mp4_moov_sbgp),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_dinf[] = {
    ngx_media_mp4_slot(ngx_media_fourcc('d', 'r', 'e', 'f'), dref),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_minf[] = {
    ngx_media_mp4_tree(ngx_media_fourcc('s', 't', 'b', 'l'),
                       ngx_media_mp4_stbl),
    ngx_media_mp4_tree(ngx_media_fourcc('d', 'i', 'n', 'f'),
                       ngx_media_mp4_dinf),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_mdia[] = {
    ngx_media_mp4_call(ngx_media_fourcc('m', 'd', 'h', 'd'),
                       ngx_media_mp4_moov_mdhd),
    ngx_media_mp4_call(ngx_media_fourcc('h', 'd', 'l', 'r'),
                       ngx_media_mp4_moov_hdlr),
    ngx_media_mp4_call(ngx_media_fourcc('e', 'l', 'n', 'g'),
                       ngx_media_mp4_moov_elng),
    ngx_media_mp4_tree(ngx_media_fourcc('m', 'i', 'n', 'f'),
                       ngx_media_mp4_minf),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_edts[] = {
    ngx_media_mp4_slot(ngx_media_fourcc('e', 'l', 's', 't'), elst),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_tref[] = {
    ngx_media_mp4_slot(ngx_media_fourcc('c', 'h', 'a', 'p'), chap),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_udta[] = {
    ngx_media_mp4_call(ngx_media_fourcc('n', 'a', 'm', 'e'),
                       ngx_media_mp4_moov_name),
    ngx_media_mp4_call(ngx_media_fourcc('k', 'i', 'n', 'd'),
                       ngx_media_mp4_moov_kind),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_trak[] = {
    ngx_media_mp4_call(ngx_media_fourcc('t', 'k', 'h', 'd'),
                       ngx_media_mp4_moov_tkhd),
    ngx_media_mp4_tree(ngx_media_fourcc('m', 'd', 'i', 'a'),
                       ngx_media_mp4_mdia),
    ngx_media_mp4_tree(ngx_media_fourcc('e', 'd', 't', 's'),
                       ngx_media_mp4_edts),
    { ngx_media_fourcc('t', 'r', 'e', 'f'), NGX_MEDIA_MP4_OPTIONAL, NULL,
      ngx_media_mp4_tref, 0 },
    { ngx_media_fourcc('u', 'd', 't', 'a'), NGX_MEDIA_MP4_OPTIONAL, NULL,
      ngx_media_mp4_udta, 0 },
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_mvex[] = {
    ngx_media_mp4_call(ngx_media_fourcc('t', 'r', 'e', 'x'),
                       ngx_media_mp4_moov_trex),
    ngx_media_mp4_end
};


static const ngx_media_mp4_table_t  ngx_media_mp4_moov[] = {
    ngx_media_mp4_call(ngx_media_fourcc('m', 'v', 'h', 'd'),
                       ngx_media_mp4_moov_mvhd),
    ngx_media_mp4_call(ngx_media_fourcc('t', 'r', 'a', 'k'),
                       ngx_media_mp4_moov_trak),
    ngx_media_mp4_call(ngx_media_fourcc('c', 'm', 'o', 'v'),
                       ngx_media_mp4_moov_cmov),
    ngx_media_mp4_end
};


/* after the tracks are known, wherever it stands */

static const ngx_media_mp4_table_t  ngx_media_mp4_fragments[] = {
    ngx_media_mp4_call(ngx_media_fourcc('m', 'v', 'e', 'x'),
                       ngx_media_mp4_moov_mvex),
    ngx_media_mp4_end
};


ngx_int_t
ngx_media_mp4_moov_parse(ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_box_t *box)
{
    ngx_int_t             rc;
    ngx_media_mp4_walk_t  walk;

    ngx_memzero(&walk, sizeof(ngx_media_mp4_walk_t));

    walk.start = box->body.pos;
    walk.offset = box->offset + box->header;
    walk.error = moov->error;
    walk.data = moov;
    walk.path[0].type = box->type;
    walk.depth = 1;

    moov->error->text = NULL;
    moov->timescale = 0;
    moov->duration = 0;
    moov->ntracks = 0;
    moov->skipped = 0;
    moov->fragmented = 0;
    moov->start = walk.start;
    moov->offset = walk.offset;

    rc = ngx_media_mp4_walk(&walk, &box->body, ngx_media_mp4_moov, moov);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_media_mp4_walk(&walk, &box->body, ngx_media_mp4_fragments, moov);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_media_mp4_moov_check(moov, &walk, box);
}


/* QuickTime: a compressed movie */

static ngx_int_t
ngx_media_mp4_moov_cmov(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    (void) ngx_media_mp4_fail(walk, box->body.pos, "is not supported");

    return NGX_DECLINED;
}


/* 8.2.2 */

static ngx_int_t
ngx_media_mp4_moov_mvhd(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_moov_t *moov = dst;

    uint32_t            version;
    ngx_media_reader_t  r;

    if (moov->timescale) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is duplicate");
    }

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    version = ngx_media_read_be32(&r) >> 24;

    (void) ngx_media_read_bytes(&r, version == 1 ? 16 : 8);

    moov->timescale = ngx_media_read_be32(&r);

    if (version == 1) {
        moov->duration = ngx_media_read_be64(&r);

    } else {
        moov->duration = ngx_media_read_be32(&r);

        if (moov->duration == 0xffffffff) {
            moov->duration = 0;
        }
    }

    if (moov->duration >> 63) {
        moov->duration = 0;
    }

    if (r.err) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    if (moov->timescale == 0) {
        return ngx_media_mp4_fail(walk, box->body.pos, "timescale is zero");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_moov_mvex(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_moov_t *moov = dst;

    moov->fragmented = 1;

    return ngx_media_mp4_walk(walk, &box->body, ngx_media_mp4_mvex, dst);
}


static ngx_int_t
ngx_media_mp4_moov_trak(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_moov_t *moov = dst;

    ngx_uint_t              i;
    ngx_media_mp4_track_t  *track;

    if (moov->ntracks == moov->max) {
        moov->skipped++;
        return NGX_OK;
    }

    track = &moov->tracks[moov->ntracks];

    ngx_memzero(track, sizeof(ngx_media_mp4_track_t));
    ngx_memcpy(track->language, "und", 4);

    track->number = moov->ntracks + 1;
    walk->path[walk->depth - 1].number = track->number;

    if (ngx_media_mp4_walk(walk, &box->body, ngx_media_mp4_trak, track)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (track->id == 0) {
        return ngx_media_mp4_fail(walk, box->body.pos, "has no tkhd");
    }

    if (track->timescale == 0) {
        return ngx_media_mp4_fail(walk, box->body.pos, "has no mdhd");
    }

    for (i = 0; i < moov->ntracks; i++) {
        if (moov->tracks[i].id == track->id) {
            return ngx_media_mp4_fail(walk, box->body.pos,
                                      "has the track_ID of another");
        }
    }

    moov->ntracks++;

    return NGX_OK;
}


/* 8.3.2 */

static ngx_int_t
ngx_media_mp4_moov_tkhd(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    int32_t              a, b, c, d;
    uint32_t             flags, width, version;
    const u_char        *matrix;
    ngx_media_reader_t   r;

    if (track->id) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is duplicate");
    }

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    flags = ngx_media_read_be32(&r);
    version = flags >> 24;
    track->enabled = flags & 1;

    (void) ngx_media_read_bytes(&r, version == 1 ? 16 : 8);

    track->id = ngx_media_read_be32(&r);

    (void) ngx_media_read_bytes(&r, version == 1 ? 12 : 8);
    (void) ngx_media_read_bytes(&r, 10);      /* up to layer */

    track->group = ngx_media_read_be16(&r);

    (void) ngx_media_read_bytes(&r, 4);       /* volume */

    matrix = ngx_media_read_bytes(&r, 36);
    track->width = ngx_media_read_be32(&r) >> 16;
    track->height = ngx_media_read_be32(&r) >> 16;

    if (r.err) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    if (track->id == 0) {
        return ngx_media_mp4_fail(walk, box->body.pos, "track_ID is zero");
    }

    a = (int32_t) ngx_media_get_be32(matrix);
    b = (int32_t) ngx_media_get_be32(matrix + 4);
    c = (int32_t) ngx_media_get_be32(matrix + 12);
    d = (int32_t) ngx_media_get_be32(matrix + 16);

    if (a == 0 && d == 0 && b && c) {
        track->rotation = (b > 0) ? 90 : 270;

        width = track->width;
        track->width = track->height;
        track->height = width;

    } else if (a < 0 && d < 0 && b == 0 && c == 0) {
        track->rotation = 180;
    }

    return NGX_OK;
}


/* 8.4.2 */

static ngx_int_t
ngx_media_mp4_moov_mdhd(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    uint32_t            code, version;
    ngx_uint_t          i;
    ngx_media_reader_t  r;

    /* QuickTime File Format, "Language Code Values", from 1 */

    static const char  languages[] =
        "fra deu ita nld swe spa dan por nor heb jpn ara fin ell isl mlt "
        "tur hrv zho urd hin tha kor lit pol hun est lav sme fao fas rus "
        "zho nld gle sqi ron ces slk slv yid srp mkd bul ukr bel";

    if (track->timescale) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is duplicate");
    }

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    version = ngx_media_read_be32(&r) >> 24;

    (void) ngx_media_read_bytes(&r, version == 1 ? 16 : 8);

    track->timescale = ngx_media_read_be32(&r);

    if (version == 1) {
        track->duration = ngx_media_read_be64(&r);

    } else {
        track->duration = ngx_media_read_be32(&r);

        if (track->duration == 0xffffffff) {
            track->duration = 0;
        }
    }

    if (track->duration >> 63) {
        track->duration = 0;
    }

    code = ngx_media_read_be16(&r);

    if (r.err) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    if (track->timescale == 0 || track->timescale > 0x7fffffff) {
        track->timescale = 0;
        return ngx_media_mp4_fail(walk, box->body.pos, "timescale is wrong");
    }

    /* codes below 0x400 are QuickTime's own: 0 is English, often by chance */

    if (code && code <= sizeof(languages) / 4) {
        ngx_memcpy(track->language, languages + (code - 1) * 4, 3);
    }

    if (code >= 0x400 && code < 0x7fff) {

        for (i = 0; i < 3; i++) {
            track->language[i] = 0x60 + (code >> (10 - 5 * i) & 0x1f);

            if (track->language[i] < 'a' || track->language[i] > 'z') {
                ngx_memcpy(track->language, "und", 4);
                break;
            }
        }
    }

    return NGX_OK;
}


/* 8.4.3; QuickTime counts the length of the name in front of it */

static ngx_int_t
ngx_media_mp4_moov_hdlr(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    ngx_media_span_t    name;
    ngx_media_reader_t  r;

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    (void) ngx_media_read_be64(&r);

    track->handler = ngx_media_read_be32(&r);

    (void) ngx_media_read_bytes(&r, 12);

    if (r.err) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    name.pos = r.pos;
    name.last = r.last;

    if (name.pos < name.last
        && *name.pos == ngx_media_span_len(&name) - 1)
    {
        name.pos++;
    }

    if (ngx_media_mp4_moov_trim(&name) == NGX_OK) {
        track->handler_name = name;
    }

    return NGX_OK;
}


/* 8.4.6 */

static ngx_int_t
ngx_media_mp4_moov_elng(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    ngx_media_span_t  text;

    text = box->body;

    if (ngx_media_span_len(&text) < 4) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    text.pos += 4;

    if (ngx_media_mp4_moov_trim(&text) == NGX_OK) {
        track->elng = text;
    }

    return NGX_OK;
}


/* QuickTime: the name of a track; bytes of text and nothing else */

static ngx_int_t
ngx_media_mp4_moov_name(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    ngx_media_span_t  text;

    text = box->body;

    if (ngx_media_mp4_moov_trim(&text) == NGX_OK) {
        track->name = text;
    }

    return NGX_OK;
}


/* 8.10.4 */

static ngx_int_t
ngx_media_mp4_moov_kind(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    if (track->kind.pos == NULL && ngx_media_span_len(&box->body) > 4) {
        track->kind = box->body;
        track->kind.pos += 4;
    }

    return NGX_OK;
}


/* 8.9.2: of the groups, random access points (10.4) are of use */

static ngx_int_t
ngx_media_mp4_moov_sbgp(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_track_t *track = dst;

    if (ngx_media_span_len(&box->body) < 8) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    if (ngx_media_get_be32(box->body.pos + 4)
        != ngx_media_fourcc('r', 'a', 'p', ' '))
    {
        return NGX_OK;
    }

    if (track->rap.pos != NULL) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is duplicate");
    }

    track->rap = box->body;

    return NGX_OK;
}


/* 8.8.3 */

static ngx_int_t
ngx_media_mp4_moov_trex(ngx_media_mp4_walk_t *walk,
    const ngx_media_mp4_box_t *box, void *dst)
{
    ngx_media_mp4_moov_t *moov = dst;

    uint32_t                id;
    ngx_uint_t              i;
    ngx_media_reader_t      r;
    ngx_media_mp4_trex_t    trex;
    ngx_media_mp4_track_t  *track;

    ngx_media_reader_init(&r, box->body.pos, box->body.last);

    (void) ngx_media_read_be32(&r);

    id = ngx_media_read_be32(&r);
    trex.description = ngx_media_read_be32(&r);
    trex.duration = ngx_media_read_be32(&r);
    trex.size = ngx_media_read_be32(&r);
    trex.flags = ngx_media_read_be32(&r);

    if (r.err) {
        return ngx_media_mp4_fail(walk, box->body.pos, "is too short");
    }

    for (i = 0; i < moov->ntracks; i++) {
        track = &moov->tracks[i];

        if (track->id != id) {
            continue;
        }

        if (track->fragments) {
            return ngx_media_mp4_fail(walk, box->body.pos, "is duplicate");
        }

        track->fragments = 1;
        track->trex = trex;
    }

    return NGX_OK;
}


/* up to its zero; NGX_DECLINED: nothing there */

static ngx_int_t
ngx_media_mp4_moov_trim(ngx_media_span_t *span)
{
    const u_char  *p;

    for (p = span->pos; p < span->last; p++) {
        if (*p == '\0') {
            break;
        }
    }

    span->last = p;

    return (span->pos == span->last) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_media_mp4_moov_check(ngx_media_mp4_moov_t *moov,
    ngx_media_mp4_walk_t *walk, const ngx_media_mp4_box_t *box)
{
    if (moov->timescale == 0) {
        return ngx_media_mp4_fail(walk, box->body.pos, "has no mvhd");
    }

    if (moov->ntracks == 0) {
        return ngx_media_mp4_fail(walk, box->body.pos, "has no track");
    }

    ngx_media_mp4_moov_chapters(moov);

    return NGX_OK;
}


static void
ngx_media_mp4_moov_chapters(ngx_media_mp4_moov_t *moov)
{
    ngx_uint_t         i, j;
    ngx_media_span_t   chap;

    for (i = 0; i < moov->ntracks; i++) {
        chap = moov->tracks[i].chap;

        while (ngx_media_span_len(&chap) >= 4) {

            for (j = 0; j < moov->ntracks; j++) {
                if (moov->tracks[j].id == ngx_media_get_be32(chap.pos)) {
                    moov->tracks[j].chapters = 1;
                }
            }

            chap.pos += 4;
        }
    }
}


ngx_int_t
ngx_media_mp4_moov_fail(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, uint32_t type, const u_char *pos,
    const char *text)
{
    ngx_media_mp4_error_t  *error;

    static const ngx_media_mp4_step_t  path[] = {
        { ngx_media_fourcc('m', 'o', 'o', 'v'), 0 },
        { ngx_media_fourcc('t', 'r', 'a', 'k'), 0 },
        { ngx_media_fourcc('m', 'd', 'i', 'a'), 0 },
        { ngx_media_fourcc('m', 'i', 'n', 'f'), 0 },
        { ngx_media_fourcc('s', 't', 'b', 'l'), 0 }
    };

    error = moov->error;

    ngx_memcpy(error->path, path, sizeof(path));

    error->path[1].number = track->number;
    error->path[5].type = type;
    error->path[5].number = 0;
    error->depth = 6;

    /* a box that is missing has no place */

    error->offset = moov->offset + (pos ? pos - moov->start : 0);
    error->text = text;

    return NGX_ERROR;
}


/* 8.6.6; media_time -1 is an empty edit */

ngx_int_t
ngx_media_mp4_edit(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, ngx_media_mp4_edit_t *edit)
{
    int64_t             start;
    uint32_t            i, n, rate, version;
    uint64_t            duration;
    ngx_uint_t          found;
    ngx_media_reader_t  r;

    ngx_memzero(edit, sizeof(ngx_media_mp4_edit_t));

    if (track->elst.pos == NULL) {
        return NGX_OK;
    }

    ngx_media_reader_init(&r, track->elst.pos, track->elst.last);

    version = ngx_media_read_be32(&r) >> 24;
    n = ngx_media_read_be32(&r);
    found = 0;

    if (r.err || ngx_media_reader_left(&r) / (version == 1 ? 20 : 12) < n) {
        return ngx_media_mp4_edit_fail(moov, track, track->elst.pos,
                                       "has fewer entries than it says");
    }

    for (i = 0; i < n; i++) {

        if (version == 1) {
            duration = ngx_media_read_be64(&r);
            start = (int64_t) ngx_media_read_be64(&r);

        } else {
            duration = ngx_media_read_be32(&r);
            start = (int32_t) ngx_media_read_be32(&r);
        }

        rate = ngx_media_read_be32(&r);

        if (duration == (version == 1 ? (uint64_t) -1 : 0xffffffff)) {
            duration = 0;                     /* unknown: of a live file */
        }

        /* within a year nothing that follows can overflow */

        if (duration / moov->timescale > NGX_MEDIA_MP4_EDIT_MAX
            || start / track->timescale > NGX_MEDIA_MP4_EDIT_MAX
            || start < -1 || edit->empty >> 60)
        {
            return ngx_media_mp4_edit_fail(moov, track, r.pos - 4,
                                           "has an impossible entry");
        }

        duration = duration / moov->timescale * track->timescale
                   + duration % moov->timescale * track->timescale
                     / moov->timescale;

        if (start == -1) {

            if (found) {
                edit->more = 1;

            } else {
                edit->empty += duration;
            }

            continue;
        }

        if (found || rate != 0x00010000) {
            edit->more = 1;
        }

        if (!found) {
            found = 1;
            edit->start = start;
            edit->duration = duration;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_media_mp4_edit_fail(const ngx_media_mp4_moov_t *moov,
    const ngx_media_mp4_track_t *track, const u_char *pos, const char *text)
{
    (void) ngx_media_mp4_moov_fail(moov, track,
                                   ngx_media_fourcc('e', 'l', 's', 't'), pos,
                                   text);

    moov->error->path[2].type = ngx_media_fourcc('e', 'd', 't', 's');
    moov->error->path[3] = moov->error->path[5];
    moov->error->depth = 4;

    return NGX_ERROR;
}
