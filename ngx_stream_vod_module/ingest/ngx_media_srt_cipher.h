
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What SRT encrypts with, draft-sharabayko-srt, 6: a key (SEK) of 16, 24 or 32
 * bytes, which is wrapped by another of that length (KEK), which is made of
 * passphrase and salt.  The functions return NGX_OK or NGX_ERROR, which is
 * logged by who has a log, and leave nothing in libcrypto's list of errors.
 */


#ifndef _NGX_MEDIA_SRT_CIPHER_H_INCLUDED_
#define _NGX_MEDIA_SRT_CIPHER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt_km.h"

#include <openssl/evp.h>


/* 6.1.4; 1 to 2 ms */
ngx_int_t ngx_media_srt_kek(u_char *kek, size_t len,
    const ngx_str_t *passphrase, const u_char *salt);

/*
 * RFC 3394: n is the length of what is wrapped, a multiple of 8, without the
 * NGX_MEDIA_SRT_KM_WRAP bytes; NGX_DECLINED: it was wrapped by another key
 */
ngx_int_t ngx_media_srt_wrap(const u_char *kek, size_t len, const u_char *key,
    size_t n, u_char *wrapped);
ngx_int_t ngx_media_srt_unwrap(const u_char *kek, size_t len,
    const u_char *wrapped, size_t n, u_char *key);

/* to be freed by EVP_CIPHER_CTX_free(); NULL: error */
EVP_CIPHER_CTX *ngx_media_srt_ctr_create(const u_char *key, size_t len);

/* both ways; salt as in the message; out has room for last - pos, may be pos */
ngx_int_t ngx_media_srt_ctr(EVP_CIPHER_CTX *ctr, const u_char *salt,
    uint32_t seq, const u_char *pos, const u_char *last, u_char *out);


#endif /* _NGX_MEDIA_SRT_CIPHER_H_INCLUDED_ */
