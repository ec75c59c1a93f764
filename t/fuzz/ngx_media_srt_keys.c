
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_keys.c ingest/ngx_media_srt_cipher.c
         formats/ngx_media_srt_km.c ../unit/ngx_stub.c -lcrypto
         -Wl,--wrap=PKCS5_PBKDF2_HMAC_SHA1 */


/*
 * A session of SRT that is encrypted: the input is what the peer does, a byte
 * that says what, and its bytes.  Messages are whatever comes, or are right,
 * so that what is behind the unwrapping is reached, too.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_srt_km.h"
#include "ingest/ngx_media_srt_cipher.h"
#include "ingest/ngx_media_srt_keys.h"
#include "../unit/ngx_stub.h"


#define KEY  16


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_PKCS5_PBKDF2_HMAC_SHA1(const char *pass, int passlen,
    const unsigned char *salt, int saltlen, int iter, int keylen,
    unsigned char *out);


/* what takes a millisecond says nothing new */

int
__wrap_PKCS5_PBKDF2_HMAC_SHA1(const char *pass, int passlen,
    const unsigned char *salt, int saltlen, int iter, int keylen,
    unsigned char *out)
{
    memset(out, salt[0], keylen);

    return 1;
}


static void
check(int expr)
{
    if (!expr) {
        abort();
    }
}


static size_t
message(u_char *p, ngx_media_reader_t *r)
{
    size_t              n;
    u_char              kek[KEY], salt[16], seks[2 * KEY], wrapped[72];
    ngx_media_srt_km_t  km;

    km.kk = 1 + ngx_media_read_8(r) % 3;
    n = (km.kk == NGX_MEDIA_SRT_KK_BOTH) ? 2 * KEY : KEY;

    memset(seks, ngx_media_read_8(r) % 4, KEY);
    memset(seks + KEY, ngx_media_read_8(r) % 4, KEY);
    memset(salt, ngx_media_read_8(r) % 2, sizeof(salt));
    memset(kek, salt[0], sizeof(kek));

    check(ngx_media_srt_wrap(kek, KEY, seks, n, wrapped) == NGX_OK);

    km.key = KEY;
    km.salt.pos = salt;
    km.salt.last = salt + 16;
    km.wrapped.pos = wrapped;
    km.wrapped.last = wrapped + n + 8;

    return ngx_media_srt_km_write(p, &km);
}


static void
step(ngx_media_srt_keys_t *keys, ngx_media_reader_t *r)
{
    size_t                 n;
    u_char                 msg[NGX_MEDIA_SRT_KM_SIZE], text[64];
    ngx_str_t              sent;
    uint32_t               seq;
    ngx_uint_t             kk, op;
    ngx_media_span_t       span;

    static int64_t         now;
    static u_char          last[NGX_MEDIA_SRT_KM_SIZE];
    static size_t          last_len;

    op = ngx_media_read_8(r);
    now += 1000;

    switch (op % 8) {

    case 0:
        n = ngx_media_read_8(r);
        n = ngx_min(n, (size_t) (r->last - r->pos));
        ngx_media_read_span(r, n, &span);
        (void) ngx_media_srt_keys_update(keys, span.pos, span.last, now);
        break;

    case 1:
        n = message(msg, r);
        (void) ngx_media_srt_keys_update(keys, msg, msg + n, now);
        break;

    case 2:
    case 3:
        seq = ngx_media_read_be32(r) & NGX_MEDIA_SRT_SEQ_MAX;
        memset(text, 0, sizeof(text));
        (void) ngx_media_srt_keys_decrypt(keys, seq, op >> 6, text,
                                          text + (op & 0x30));
        break;

    case 4:
        seq = ngx_media_read_be32(r) & NGX_MEDIA_SRT_SEQ_MAX;
        check(ngx_media_srt_keys_encrypt(keys, seq, (u_char *) "abc",
                                         (u_char *) "abc" + 3, text, &kk)
              == NGX_OK);
        check(kk < NGX_MEDIA_SRT_KK_BOTH);
        break;

    case 5:
        if (ngx_media_srt_keys_refresh(keys, now, op * 1000, &sent) == NGX_OK)
        {
            check(sent.len <= sizeof(last));
            memcpy(last, sent.data, sent.len);
            last_len = sent.len;
        }
        break;

    case 6:
        last[op >> 2] ^= op & 0x80;
        ngx_media_srt_keys_answered(keys, last, last + last_len);
        break;

    default:
        now += op * 10000;
        (void) ngx_media_srt_keys_check(keys, now);
        break;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                      n;
    u_char                      msg[NGX_MEDIA_SRT_KM_SIZE];
    ngx_str_t                   passphrase;
    ngx_uint_t                  how;
    ngx_media_reader_t          r;
    ngx_media_srt_keys_t       *keys;
    ngx_media_srt_keys_stat_t   stat;

    static ngx_log_t            log;

    ngx_str_set(&passphrase, "0123456789");

    ngx_media_reader_init(&r, data, data + size);
    how = ngx_media_read_8(&r);

    if (how == 0) {
        if (ngx_media_srt_keys_open(&keys, r.pos, r.last, &passphrase, &log)
            == NGX_MEDIA_SRT_KEYS_OK)
        {
            ngx_media_srt_keys_close(keys);
        }

        return 0;
    }

    n = message(msg, &r);

    check(ngx_media_srt_keys_open(&keys, msg, msg + n, &passphrase, &log)
          == NGX_MEDIA_SRT_KEYS_OK);

    while (r.pos < r.last && !r.err) {
        step(keys, &r);
    }

    ngx_media_srt_keys_stat(keys, &stat);
    check(stat.len == 16 || stat.len == 24 || stat.len == 32);

    ngx_media_srt_keys_close(keys);

    return 0;
}
