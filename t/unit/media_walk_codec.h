
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Codecs of a walk, see media_walk.h: their configurations, frames that say by
 * their bytes of which one they are, and how long these last.
 */


#ifndef _MEDIA_WALK_CODEC_H_INCLUDED_
#define _MEDIA_WALK_CODEC_H_INCLUDED_


/* decoder configurations; returns their size */

static inline size_t
walk_hex(u_char *p, const char *text)
{
    size_t    i;
    unsigned  n;

    for (i = 0; text[i * 2]; i++) {

        if (sscanf(text + i * 2, "%2x", &n) != 1) {
            abort();
        }

        p[i] = (u_char) n;
    }

    return i;
}


static inline size_t
walk_config(const walk_track_t *t, u_char *p)
{
    size_t      n;
    ngx_uint_t  i;

    static const char  *avc =
        "0142c028ffe100196742c028da01e0089f970110000003001000000303c0f1832a";

    static const char  *hevc =
        "01016000000090000000000078f000fcfdf8f800000f03200001001840010c01ffff"
        "016000000300900000030000030078959409210001002e42010101600000030090"
        "0000030000030078a003c0801107cb965654a4c2f024a020202080000003008000"
        "000c8422000100064401c073c189";

    static const char  *aac[] = { "1190", "1210", "1188", "1208" };

    static const char  *mp3[] = { "fffb9464", "fffb9064" };

    static const char  *ac3[] = { "101140", "501140" };

    switch (t->codec) {

    case WALK_AVC:
        /* parameter sets of any size: PPS may be padded */

        n = walk_hex(p, avc);
        p[n++] = 1 + t->kind % 3;

        for (i = 0; i <= t->kind % 3; i++) {
            (void) walk_hex(p + n, "000468ce0fc8");
            p[n + 5] = 0xc8 + i;
            n += 6;
        }

        return n;

    case WALK_HEVC:
        return walk_hex(p, hevc);

    case WALK_AAC:
        return walk_hex(p, aac[t->kind % 4]);

    case WALK_AC3:
        return walk_hex(p, ac3[t->kind % 2]);

    case WALK_OPUS:
        return walk_hex(p, "000201380000bb80000000");

    default:
        n = t->kind % 2 ? 417 : 384;
        memset(p, 0, n);
        (void) walk_hex(p, mp3[t->kind % 2]);
        return n;
    }
}


/* packets are as long as each of them says, RFC 6716, 3.1: their us */

static const struct {
    u_char   toc;
    int64_t  step;
} walk_opus[] = {
    { 0xf8, 20000 }, { 0xf9, 40000 }, { 0xf0, 10000 }, { 0xe0, 2500 }
};


/* frames say by their bytes what codec they are of; returns their size */

static inline size_t
walk_payload(walk_t *w, walk_track_t *t, ngx_uint_t key)
{
    u_char  *p;
    size_t   n;

    p = walk_frame;

    switch (t->codec) {

    case WALK_MP3:
        return walk_config(t, p);

    case WALK_AAC:
        n = 16 + walk_random(w, 256);
        memset(p, 'a', n);
        p[0] = 0x21;
        return n;

    case WALK_AC3:
        n = t->kind % 2 ? 834 : 768;
        memset(p, 0, n);
        (void) walk_hex(p, t->kind % 2 ? "0b770000544040" : "0b770000144040");
        return n;

    case WALK_OPUS:
        n = 16 + walk_random(w, 256);
        memset(p, 'o', n);
        p[0] = walk_opus[t->kind % 3 + t->n % 2].toc;
        return n;

    default:
        n = t->size / (key ? 1 : 8) + walk_random(w, 256);

        if (walk_chance(w, 500)) {
            n = walk_random(w, WALK_FRAME);
        }

        n = ngx_max(n, 32);

        p[0] = (n - 4) >> 24;
        p[1] = (n - 4) >> 16;
        p[2] = (n - 4) >> 8;
        p[3] = n - 4;

        if (t->codec == WALK_AVC) {
            p[4] = key ? 0x65 : 0x41;
            p[5] = 'A';

        } else {
            p[4] = key ? 0x26 : 0x02;
            p[5] = 0x01;
        }

        memset(p + 6, t->codec == WALK_AVC ? 'A' : 'H', 26);

        return n;
    }
}


/* a sample of a track whose init says this codec; NULL or what is wrong */

static inline const char *
walk_sample(uint32_t codec, const u_char *p, size_t size)
{
    if (size == 0) {
        return "of no bytes";
    }

    switch (codec) {

    case NGX_MEDIA_CODEC_H264:
        return size > 10 && p[5] == 'A' ? NULL : "not of avc1";

    case NGX_MEDIA_CODEC_H265:
        return size > 10 && p[5] == 0x01 && p[6] == 'H' ? NULL
                                                        : "not of hvc1";

    case NGX_MEDIA_CODEC_AAC:
        return p[0] != 0xff ? NULL : "not of mp4a";

    case NGX_MEDIA_CODEC_WVTT:
        return memcmp(p + 4, "vtt", 3) == 0 ? NULL : "not of wvtt";

    case NGX_MEDIA_CODEC_AC3:
        return size > 3 && p[0] == 0x0b ? NULL : "not of ac-3";

    case NGX_MEDIA_CODEC_OPUS:
        return p[0] >= 0xe0 && p[0] < 0xff ? NULL : "not of Opus";

    default:
        return size > 3 && p[0] == 0xff ? NULL : "not of .mp3";
    }
}


/* us from one frame of audio to the next */

static inline int64_t
walk_step(const walk_track_t *t)
{
    switch (t->codec) {

    case WALK_AAC:
        return t->kind % 2 ? 23220 : 21333;

    case WALK_MP3:
        return t->kind % 2 ? 26122 : 24000;

    case WALK_AC3:
        return t->kind % 2 ? 34830 : 32000;

    case WALK_OPUS:
        return walk_opus[t->kind % 3 + t->n % 2].step;

    default:
        return t->step;
    }
}


#endif /* _MEDIA_WALK_CODEC_H_INCLUDED_ */
