
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_bytes.h"
#include "ingest/ngx_media_srt_cipher.h"

#include <openssl/err.h>
#include <openssl/evp.h>


#define NGX_MEDIA_SRT_ROUNDS     2048
#define NGX_MEDIA_SRT_SALT_USED  8            /* of the KEK: the last bytes */
#define NGX_MEDIA_SRT_IV         16
#define NGX_MEDIA_SRT_IV_SALT    14           /* the rest counts blocks */
#define NGX_MEDIA_SRT_IV_SEQ     10


typedef enum {
    NGX_MEDIA_SRT_CTR = 0,
    NGX_MEDIA_SRT_KW
} ngx_media_srt_mode_e;


static ngx_int_t ngx_media_srt_kw(const u_char *kek, size_t len,
    const u_char *in, size_t n, u_char *out, size_t size, int enc);
static const EVP_CIPHER *ngx_media_srt_cipher(ngx_media_srt_mode_e mode,
    size_t len);


/* draft-sharabayko-srt, 6.1.4: PBKDF2 of RFC 8018 with HMAC-SHA-1 */

ngx_int_t
ngx_media_srt_kek(u_char *kek, size_t len, const ngx_str_t *passphrase,
    const u_char *salt)
{
    if (PKCS5_PBKDF2_HMAC_SHA1((const char *) passphrase->data,
                               (int) passphrase->len,
                               salt + NGX_MEDIA_SRT_KM_SALT
                               - NGX_MEDIA_SRT_SALT_USED,
                               NGX_MEDIA_SRT_SALT_USED, NGX_MEDIA_SRT_ROUNDS,
                               (int) len, kek)
        != 1)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_media_srt_wrap(const u_char *kek, size_t len, const u_char *key, size_t n,
    u_char *wrapped)
{
    ngx_int_t  rc;

    rc = ngx_media_srt_kw(kek, len, key, n, wrapped,
                          n + NGX_MEDIA_SRT_KM_WRAP, 1);

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_media_srt_unwrap(const u_char *kek, size_t len, const u_char *wrapped,
    size_t n, u_char *key)
{
    return ngx_media_srt_kw(kek, len, wrapped, n + NGX_MEDIA_SRT_KM_WRAP, key,
                            n, 0);
}


/* NGX_DECLINED: libcrypto was ready, and found that it cannot be */

static ngx_int_t
ngx_media_srt_kw(const u_char *kek, size_t len, const u_char *in, size_t n,
    u_char *out, size_t size, int enc)
{
    int                rest, written;
    u_char             end[NGX_MEDIA_SRT_IV];
    ngx_int_t          rc;
    EVP_CIPHER_CTX    *ctx;
    const EVP_CIPHER  *cipher;

    cipher = ngx_media_srt_cipher(NGX_MEDIA_SRT_KW, len);

    if (cipher == NULL) {
        return NGX_ERROR;
    }

    ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL) {
        ERR_clear_error();
        return NGX_ERROR;
    }

    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);

    if (EVP_CipherInit_ex(ctx, cipher, NULL, kek, NULL, enc) != 1) {
        rc = NGX_ERROR;

    } else if (EVP_CipherUpdate(ctx, out, &written, in, (int) n) != 1
               || written != (int) size
               || EVP_CipherFinal_ex(ctx, end, &rest) != 1
               || rest != 0)
    {
        rc = NGX_DECLINED;

    } else {
        rc = NGX_OK;
    }

    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();

    return rc;
}


EVP_CIPHER_CTX *
ngx_media_srt_ctr_create(const u_char *key, size_t len)
{
    EVP_CIPHER_CTX    *ctx;
    const EVP_CIPHER  *cipher;

    cipher = ngx_media_srt_cipher(NGX_MEDIA_SRT_CTR, len);
    ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;

    /* what decrypts in this mode is the same as what encrypts */

    if (ctx == NULL
        || EVP_EncryptInit_ex(ctx, cipher, NULL, key, NULL) != 1)
    {
        EVP_CIPHER_CTX_free(ctx);
        ERR_clear_error();
        return NULL;
    }

    return ctx;
}


/*
 * The draft, 6.2.2, says that the sequence number is shifted by two bytes: it
 * is not, by anybody.  The first 14 bytes of salt, the number in the last four
 * of those, then 16 bits that count blocks.
 */

ngx_int_t
ngx_media_srt_ctr(EVP_CIPHER_CTX *ctr, const u_char *salt, uint32_t seq,
    const u_char *pos, const u_char *last, u_char *out)
{
    int     len;
    u_char  iv[NGX_MEDIA_SRT_IV], *p;

    ngx_memcpy(iv, salt, NGX_MEDIA_SRT_IV_SALT);
    ngx_memzero(iv + NGX_MEDIA_SRT_IV_SALT,
                NGX_MEDIA_SRT_IV - NGX_MEDIA_SRT_IV_SALT);

    p = iv + NGX_MEDIA_SRT_IV_SEQ;
    (void) ngx_media_put_be32(p, ngx_media_get_be32(p) ^ seq);

    if (EVP_EncryptInit_ex(ctr, NULL, NULL, NULL, iv) != 1
        || EVP_EncryptUpdate(ctr, out, &len, pos, (int) (last - pos)) != 1)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    return NGX_OK;
}


static const EVP_CIPHER *
ngx_media_srt_cipher(ngx_media_srt_mode_e mode, size_t len)
{
    switch (len) {

    case 16:
        return (mode == NGX_MEDIA_SRT_CTR) ? EVP_aes_128_ctr()
                                           : EVP_aes_128_wrap();

    case 24:
        return (mode == NGX_MEDIA_SRT_CTR) ? EVP_aes_192_ctr()
                                           : EVP_aes_192_wrap();

    case 32:
        return (mode == NGX_MEDIA_SRT_CTR) ? EVP_aes_256_ctr()
                                           : EVP_aes_256_wrap();

    default:
        return NULL;
    }
}
