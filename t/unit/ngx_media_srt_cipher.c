
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_cipher.c ngx_stub.c -lcrypto */


/* what SRT encrypts with, by the vectors of RFC 3394, and by what "openssl kdf"
   and "openssl enc" make of the same input */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_cipher.h"
#include "media_hex.h"
#include "ngx_stub.h"
#include "tap.h"


/* RFC 3394, 4.1 to 4.6: KEK, key, what it is wrapped */

static const struct {
    const char  *kek;
    const char  *key;
    const char  *wrapped;
} wraps[] = {

    { "000102030405060708090A0B0C0D0E0F",
      "00112233445566778899AABBCCDDEEFF",
      "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5" },

    { "000102030405060708090A0B0C0D0E0F1011121314151617",
      "00112233445566778899AABBCCDDEEFF",
      "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D" },

    { "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
      "00112233445566778899AABBCCDDEEFF",
      "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7" },

    { "000102030405060708090A0B0C0D0E0F1011121314151617",
      "00112233445566778899AABBCCDDEEFF0001020304050607",
      "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2" },

    { "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
      "00112233445566778899AABBCCDDEEFF0001020304050607",
      "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1" },

    { "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
      "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
      "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43B"
      "FB988B9B7A02DD21" }
};


static void
test_wrap(void)
{
    size_t      len, n, size;
    u_char     *kek, *key, *wrapped, *out;
    ngx_uint_t  i, j, wrong;

    for (i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
        kek = media_hex(wraps[i].kek, &len);
        key = media_hex(wraps[i].key, &n);
        wrapped = media_hex(wraps[i].wrapped, &size);
        out = malloc(size);

        is(ngx_media_srt_wrap(kek, len, key, n, out), NGX_OK,
           "RFC 3394, 4.%lu", (unsigned long) i + 1);
        is_mem(out, size, wrapped, size, "wrapped");

        free(out);
        out = malloc(n);

        is(ngx_media_srt_unwrap(kek, len, wrapped, n, out), NGX_OK, "back");
        is_mem(out, n, key, n, "unwrapped");

        wrong = 0;

        for (j = 0; j < size * 8; j++) {
            wrapped[j / 8] ^= 1 << j % 8;
            wrong += ngx_media_srt_unwrap(kek, len, wrapped, n, out)
                     != NGX_DECLINED;
            wrapped[j / 8] ^= 1 << j % 8;
        }

        for (j = 0; j < len * 8; j++) {
            kek[j / 8] ^= 1 << j % 8;
            wrong += ngx_media_srt_unwrap(kek, len, wrapped, n, out)
                     != NGX_DECLINED;
            kek[j / 8] ^= 1 << j % 8;
        }

        is(wrong, 0, "each bit is seen, of what is wrapped and of the key");
        is(ngx_media_srt_unwrap(kek, len, wrapped, n, out), NGX_OK, "again");

        free(kek);
        free(key);
        free(wrapped);
        free(out);
    }
}


static const struct {
    size_t       len;
    const char  *kek;
    const char  *text;
} ciphers[] = {

    { 16, "43FCFD0604BAE887D5880A354DAFC66C",
      "f55b4b61ba522f289f82ef859d51992b9a8fb42b0aeb5fa528f325a53bc85207"
      "10c3a0f3f09cf1424a1f3b21dbdbbd8bae0f" },

    { 24, "43FCFD0604BAE887D5880A354DAFC66C5768E19769B5BBA7",
      "122894831ed65fc4bf2f5007d8fcaa4db2ab32774ecbe3a082e247aca602575b"
      "2188290e5106cc4a18fa7a54cf0c8f174ae6" },

    { 32, "43FCFD0604BAE887D5880A354DAFC66C5768E19769B5BBA7C0316899AB55B1C4",
      "2399687e0949a1f11457517513bb0d0ef10b057d8c48295bb8d0143f6d75c05f"
      "ef92bb501dff0384821112fe4a1236bb4ec8" }
};


static void
test_cipher(void)
{
    size_t           n, size;
    u_char          *expected, salt[16], key[32], *out, *text, kek[32];
    ngx_str_t        passphrase;
    ngx_uint_t       i, j;
    EVP_CIPHER_CTX  *ctr;

    ngx_str_set(&passphrase, "correct horse");

    for (i = 0; i < 16; i++) {
        salt[i] = i;
    }

    for (i = 0; i < 32; i++) {
        key[i] = 0x40 + i;
    }

    for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
        n = ciphers[i].len;

        expected = media_hex(ciphers[i].kek, &size);
        is(ngx_media_srt_kek(kek, n, &passphrase, salt), NGX_OK,
           "key of %lu bytes from a passphrase", (unsigned long) n);
        is_mem(kek, n, expected, size, "as openssl kdf");
        free(expected);

        expected = media_hex(ciphers[i].text, &size);
        text = malloc(size);
        out = malloc(size);

        for (j = 0; j < size; j++) {
            text[j] = (u_char) (j * 7);
        }

        ctr = ngx_media_srt_ctr_create(key, n);
        ok(ctr != NULL, "cipher");

        if (ctr == NULL) {
            return;
        }

        /* one that was used for another packet before */

        is(ngx_media_srt_ctr(ctr, salt, 1, text, text + size - 1, out),
           NGX_OK, "another packet");
        is(ngx_media_srt_ctr(ctr, salt, 0x12345678, text, text + size, out),
           NGX_OK, "encrypts");
        is_mem(out, size, expected, size, "as openssl enc");

        is(ngx_media_srt_ctr(ctr, salt, 0x12345678, out, out + size, out),
           NGX_OK, "in place");
        is_mem(out, size, text, size, "decrypts");

        is(ngx_media_srt_ctr(ctr, salt, 2, out, out, out), NGX_OK, "nothing");

        EVP_CIPHER_CTX_free(ctr);
        free(expected);
        free(text);
        free(out);
    }

    ok(ngx_media_srt_ctr_create(key, 20) == NULL, "20 bytes are no key");
    is(ngx_media_srt_wrap(key, 20, key, 16, salt), NGX_ERROR, "nor do they "
       "wrap one");
}


int
main(void)
{
    test_wrap();
    test_cipher();

    return done();
}
