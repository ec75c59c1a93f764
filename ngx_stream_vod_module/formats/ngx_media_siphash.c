
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_siphash.h"


#define ngx_media_siphash_rotl(x, n)  ((x) << (n) | (x) >> (64 - (n)))


static void ngx_media_siphash_word(ngx_media_siphash_t *hash, uint64_t word);


/* little endian, whatever this machine is; compilers make one load of it */

static ngx_inline uint64_t
ngx_media_siphash_load(const u_char *p)
{
    return (uint64_t) p[0] | (uint64_t) p[1] << 8 | (uint64_t) p[2] << 16
           | (uint64_t) p[3] << 24 | (uint64_t) p[4] << 32
           | (uint64_t) p[5] << 40 | (uint64_t) p[6] << 48
           | (uint64_t) p[7] << 56;
}


static ngx_inline void
ngx_media_siphash_round(uint64_t *v)
{
    v[0] += v[1];
    v[1] = ngx_media_siphash_rotl(v[1], 13) ^ v[0];
    v[0] = ngx_media_siphash_rotl(v[0], 32);

    v[2] += v[3];
    v[3] = ngx_media_siphash_rotl(v[3], 16) ^ v[2];

    v[0] += v[3];
    v[3] = ngx_media_siphash_rotl(v[3], 21) ^ v[0];

    v[2] += v[1];
    v[1] = ngx_media_siphash_rotl(v[1], 17) ^ v[2];
    v[2] = ngx_media_siphash_rotl(v[2], 32);
}


void
ngx_media_siphash_init(ngx_media_siphash_t *hash, const u_char *key)
{
    uint64_t  k0, k1;

    k0 = ngx_media_siphash_load(key);
    k1 = ngx_media_siphash_load(key + 8);

    hash->v[0] = k0 ^ 0x736f6d6570736575ull;
    hash->v[1] = k1 ^ 0x646f72616e646f6dull;
    hash->v[2] = k0 ^ 0x6c7967656e657261ull;
    hash->v[3] = k1 ^ 0x7465646279746573ull;

    hash->word = 0;
    hash->len = 0;
}


static void
ngx_media_siphash_word(ngx_media_siphash_t *hash, uint64_t word)
{
    hash->v[3] ^= word;

    ngx_media_siphash_round(hash->v);
    ngx_media_siphash_round(hash->v);

    hash->v[0] ^= word;
}


void
ngx_media_siphash_update(ngx_media_siphash_t *hash, const u_char *pos,
    size_t len)
{
    uint64_t       word;
    ngx_uint_t     shift;
    const u_char  *last;

    last = pos + len;
    shift = 8 * (hash->len % 8);

    hash->len += len;

    while (last - pos >= 8) {
        word = ngx_media_siphash_load(pos);
        pos += 8;

        ngx_media_siphash_word(hash, hash->word | word << shift);

        hash->word = shift ? word >> (64 - shift) : 0;
    }

    while (pos < last) {
        hash->word |= (uint64_t) *pos++ << shift;
        shift += 8;

        if (shift == 64) {
            ngx_media_siphash_word(hash, hash->word);

            hash->word = 0;
            shift = 0;
        }
    }
}


uint64_t
ngx_media_siphash_final(ngx_media_siphash_t *hash)
{
    ngx_uint_t  i;

    ngx_media_siphash_word(hash, hash->word | hash->len << 56);

    hash->v[2] ^= 0xff;

    for (i = 0; i < 4; i++) {
        ngx_media_siphash_round(hash->v);
    }

    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}
