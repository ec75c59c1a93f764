
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What a peer encrypts has no check sum: a wrong key gives noise.  So which
 * key a packet is of has to be exact, even where a message with new keys was
 * lost and the peer has gone on without it, as libsrt does:
 *
 *     packets:  e0 e0 e0 e0 e0 o1 o1 o1 o1 o1 o1 e2 e2 ...
 *     messages:       (e0 o1)          (e2 o1)
 *
 * A key is fresh until the peer changes to it.  The first packet of the other
 * parity is the change; if the key of that parity is not fresh, then the new
 * one has not come, and there is no key for it.  Packets before the change are
 * of the key that was there then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt.h"
#include "formats/ngx_media_srt_km.h"
#include "ingest/ngx_media_srt_cipher.h"
#include "ingest/ngx_media_srt_keys.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>


#define NGX_MEDIA_SRT_KEYS_DERIVE   1000000   /* us between two new salts */
#define NGX_MEDIA_SRT_KEYS_PATIENCE 2000000   /* us of data without a key */
#define NGX_MEDIA_SRT_KEYS_BEHIND   16384     /* packets: nobody repeats one
                                                 that is so far behind */
#define NGX_MEDIA_SRT_KEYS_PACKETS  (1 << 24) /* of ours with one key */
#define NGX_MEDIA_SRT_KEYS_UNANSWERED  8192
#define NGX_MEDIA_SRT_KEYS_STRAYS   16        /* packets: it is a change */
#define NGX_MEDIA_SRT_KEYS_SEEN     4         /* messages that are known */
#define NGX_MEDIA_SRT_KEYS_REPEAT   20000     /* us, at least */


typedef struct {
    size_t                    len;            /* 0: there is no key */
    u_char                    salt[NGX_MEDIA_SRT_KM_SALT];
    u_char                    sek[NGX_MEDIA_SRT_KM_KEY];
    EVP_CIPHER_CTX           *ctr;            /* made when it is used first */
} ngx_media_srt_key_t;


typedef struct {
    u_char                    salt[NGX_MEDIA_SRT_KM_SALT];
    u_char                    kek[NGX_MEDIA_SRT_KM_KEY];
    size_t                    len;            /* of the keys, too */
} ngx_media_srt_kek_t;


typedef struct {
    size_t                    len;
    u_char                    data[NGX_MEDIA_SRT_KM_SIZE];
} ngx_media_srt_keys_msg_t;


/* what the peer sends */

typedef struct {
    ngx_media_srt_kek_t       kek;
    ngx_media_srt_key_t       key[2];         /* even, odd: the newest */
    ngx_media_srt_key_t       old;            /* before that which is fresh */
    unsigned                  fresh:2;        /* bits: KK of keys not used */
    unsigned                  settled:1;      /* first is too long ago */
    ngx_uint_t                kk;             /* in use; 0: not known yet */
    uint32_t                  first;          /* packet that was of kk */
    uint32_t                  stray;          /* first one behind it that is */
    ngx_uint_t                strays;         /* of the other, without a key */
    ngx_media_srt_keys_msg_t  seen[NGX_MEDIA_SRT_KEYS_SEEN];
    ngx_uint_t                nseen;
    int64_t                   derived;        /* when the salt changed */
    ngx_uint_t                refreshes;
} ngx_media_srt_keys_rx_t;


/* what we send */

typedef struct {
    ngx_media_srt_kek_t       kek;
    ngx_media_srt_key_t       key;
    ngx_media_srt_key_t       next;
    ngx_uint_t                kk;             /* of key */
    unsigned                  started:1;
    unsigned                  asked:1;        /* next waits for an answer */
    uint32_t                  from;           /* first packet of key */
    uint32_t                  seq;            /* the last one that was sent */
    uint32_t                  asked_seq;      /* when we asked first */
    int64_t                   asked_last;     /* when we asked last, us */
    ngx_media_srt_keys_msg_t  msg;
    ngx_uint_t                refreshes;
} ngx_media_srt_keys_tx_t;


struct ngx_media_srt_keys_s {
    ngx_log_t                *log;
    size_t                    passphrase_len; /* 0: it is a clear session */
    u_char                    passphrase[NGX_MEDIA_SRT_PASSPHRASE_MAX];
    ngx_media_srt_keys_rx_t   rx;
    ngx_media_srt_keys_tx_t   tx;
    uint64_t                  decrypted;
    uint64_t                  undecrypted;
    uint64_t                  checked;        /* decrypted, at the last check */
    uint64_t                  lost;           /* undecrypted, likewise */
    int64_t                   since;          /* when nothing could be */
    unsigned                  lacking:1;      /* since is set */
};


static ngx_media_srt_keys_e ngx_media_srt_keys_first(
    ngx_media_srt_keys_t *keys, const u_char *pos, const u_char *last,
    const ngx_str_t *passphrase);
static ngx_int_t ngx_media_srt_keys_take(ngx_media_srt_keys_t *keys,
    const ngx_media_srt_km_t *km, const ngx_media_srt_kek_t *kek);
static ngx_int_t ngx_media_srt_keys_compare(ngx_media_srt_keys_rx_t *rx,
    const ngx_media_srt_kek_t *kek, u_char **sek);
static void ngx_media_srt_keys_set(ngx_media_srt_keys_rx_t *rx,
    ngx_uint_t i, const ngx_media_srt_kek_t *kek, const u_char *sek);
static ngx_uint_t ngx_media_srt_keys_known(ngx_media_srt_keys_rx_t *rx,
    const u_char *pos, const u_char *last);
static void ngx_media_srt_keys_keep(ngx_media_srt_keys_rx_t *rx,
    const u_char *pos, const u_char *last);
static ngx_media_srt_key_t *ngx_media_srt_keys_find(
    ngx_media_srt_keys_rx_t *rx, uint32_t seq, ngx_uint_t kk);
static void ngx_media_srt_keys_change(ngx_media_srt_keys_rx_t *rx,
    ngx_uint_t kk, uint32_t seq);
static ngx_int_t ngx_media_srt_keys_ask(ngx_media_srt_keys_t *keys);
static ngx_int_t ngx_media_srt_key_crypt(ngx_media_srt_key_t *key,
    uint32_t seq, const u_char *pos, const u_char *last, u_char *out);
static void ngx_media_srt_key_set(ngx_media_srt_key_t *key,
    const ngx_media_srt_kek_t *kek, const u_char *sek);
static ngx_uint_t ngx_media_srt_key_equal(const ngx_media_srt_key_t *key,
    const ngx_media_srt_kek_t *kek, const u_char *sek);
static void ngx_media_srt_key_move(ngx_media_srt_key_t *to,
    ngx_media_srt_key_t *from);
static void ngx_media_srt_key_wipe(ngx_media_srt_key_t *key);


ngx_media_srt_keys_e
ngx_media_srt_keys_open(ngx_media_srt_keys_t **keys, const u_char *pos,
    const u_char *last, const ngx_str_t *passphrase, ngx_log_t *log)
{
    ngx_media_srt_keys_e   rc;
    ngx_media_srt_keys_t  *k;

    if ((pos == NULL) != (passphrase->len == 0)) {
        return NGX_MEDIA_SRT_KEYS_ONE_CLEAR;
    }

    k = ngx_calloc(sizeof(ngx_media_srt_keys_t), log);

    if (k == NULL) {
        return NGX_MEDIA_SRT_KEYS_ERROR;
    }

    k->log = log;

    if (pos) {
        rc = ngx_media_srt_keys_first(k, pos, last, passphrase);

        if (rc != NGX_MEDIA_SRT_KEYS_OK) {
            ngx_media_srt_keys_close(k);
            return rc;
        }
    }

    *keys = k;

    return NGX_MEDIA_SRT_KEYS_OK;
}


static ngx_media_srt_keys_e
ngx_media_srt_keys_first(ngx_media_srt_keys_t *keys, const u_char *pos,
    const u_char *last, const ngx_str_t *passphrase)
{
    ngx_uint_t            i;
    ngx_media_srt_km_t    km;
    ngx_media_srt_kek_t  *kek;

    switch (ngx_media_srt_km_parse(&km, pos, last)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return NGX_MEDIA_SRT_KEYS_CIPHER;

    default:
        return NGX_MEDIA_SRT_KEYS_MALFORMED;
    }

    if (passphrase->len > NGX_MEDIA_SRT_PASSPHRASE_MAX) {
        return NGX_MEDIA_SRT_KEYS_PASSPHRASE;
    }

    ngx_memcpy(keys->passphrase, passphrase->data, passphrase->len);
    keys->passphrase_len = passphrase->len;

    kek = &keys->rx.kek;
    kek->len = km.key;
    ngx_memcpy(kek->salt, km.salt.pos, NGX_MEDIA_SRT_KM_SALT);

    if (ngx_media_srt_kek(kek->kek, kek->len, passphrase, kek->salt) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, keys->log, 0,
                      "srt: libcrypto makes no key of a passphrase");
        return NGX_MEDIA_SRT_KEYS_ERROR;
    }

    switch (ngx_media_srt_keys_take(keys, &km, kek)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return NGX_MEDIA_SRT_KEYS_PASSPHRASE;

    default:
        return NGX_MEDIA_SRT_KEYS_ERROR;
    }

    ngx_media_srt_keys_keep(&keys->rx, pos, last);

    /* what we send begins with the caller's key */

    i = keys->rx.key[0].len ? 0 : 1;

    keys->tx.kek = *kek;
    keys->tx.kk = NGX_MEDIA_SRT_KK_EVEN + i;

    ngx_media_srt_key_set(&keys->tx.key, kek, keys->rx.key[i].sek);

    return NGX_MEDIA_SRT_KEYS_OK;
}


ngx_int_t
ngx_media_srt_keys_update(ngx_media_srt_keys_t *keys, const u_char *pos,
    const u_char *last, int64_t now)
{
    ngx_int_t                 rc;
    ngx_str_t                 passphrase;
    ngx_media_srt_km_t        km;
    ngx_media_srt_kek_t       kek;
    ngx_media_srt_keys_rx_t  *rx;

    rx = &keys->rx;

    if (keys->passphrase_len == 0) {
        return NGX_DECLINED;
    }

    /* it is repeated until our answer has arrived */

    if (ngx_media_srt_keys_known(rx, pos, last)) {
        return NGX_OK;
    }

    if (ngx_media_srt_km_parse(&km, pos, last) != NGX_OK) {
        return NGX_DECLINED;
    }

    kek = rx->kek;

    if (km.key != kek.len
        || ngx_memcmp(km.salt.pos, kek.salt, NGX_MEDIA_SRT_KM_SALT) != 0)
    {
        /* no peer is known that changes it; nobody may do so all the time */

        if (now - rx->derived < NGX_MEDIA_SRT_KEYS_DERIVE) {
            return NGX_DECLINED;
        }

        rx->derived = now;

        passphrase.data = keys->passphrase;
        passphrase.len = keys->passphrase_len;

        kek.len = km.key;
        ngx_memcpy(kek.salt, km.salt.pos, NGX_MEDIA_SRT_KM_SALT);

        if (ngx_media_srt_kek(kek.kek, kek.len, &passphrase, kek.salt)
            != NGX_OK)
        {
            OPENSSL_cleanse(&kek, sizeof(ngx_media_srt_kek_t));
            return NGX_ERROR;
        }
    }

    rc = ngx_media_srt_keys_take(keys, &km, &kek);

    if (rc == NGX_OK || rc == NGX_DONE) {
        ngx_media_srt_keys_keep(rx, pos, last);
    }

    if (rc == NGX_OK) {
        rx->kek = kek;
        rx->refreshes++;
    }

    OPENSSL_cleanse(&kek, sizeof(ngx_media_srt_kek_t));

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, keys->log, 0,
                   "media srt keys of %ui come, kk:%ui uses:%ui rc:%i",
                   (ngx_uint_t) km.key, km.kk, rx->kk, rc);

    return (rc == NGX_DONE) ? NGX_OK : rc;
}


/*
 * NGX_DONE: they are older than what we have, NGX_DECLINED: they are wrapped by
 * another key; both change nothing
 */

static ngx_int_t
ngx_media_srt_keys_take(ngx_media_srt_keys_t *keys,
    const ngx_media_srt_km_t *km, const ngx_media_srt_kek_t *kek)
{
    size_t                    n;
    u_char                    seks[2 * NGX_MEDIA_SRT_KM_KEY], *sek[2];
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_media_srt_keys_rx_t  *rx;

    rx = &keys->rx;

    n = (km->kk == NGX_MEDIA_SRT_KK_BOTH) ? 2 * kek->len : kek->len;
    rc = ngx_media_srt_unwrap(kek->kek, kek->len, km->wrapped.pos, n, seks);

    if (rc != NGX_OK) {
        return rc;
    }

    sek[0] = (km->kk & NGX_MEDIA_SRT_KK_EVEN) ? seks : NULL;
    sek[1] = (km->kk & NGX_MEDIA_SRT_KK_ODD) ? seks + n - kek->len : NULL;

    rc = ngx_media_srt_keys_compare(rx, kek, sek);

    if (rc == NGX_DECLINED) {
        i = (rx->kk == NGX_MEDIA_SRT_KK_ODD);
        ngx_media_srt_key_move(&rx->old, &rx->key[i]);
        ngx_media_srt_key_wipe(&rx->key[!i]);
        rx->kk = NGX_MEDIA_SRT_KK_CLEAR;
    }

    if (rc != NGX_DONE) {
        rx->strays = 0;

        for (i = 0; i < 2; i++) {
            if (sek[i]) {
                ngx_media_srt_keys_set(rx, i, kek, sek[i]);
            }
        }

        rc = NGX_OK;
    }

    OPENSSL_cleanse(seks, sizeof(seks));

    return rc;
}


/*
 * NGX_OK: what comes is what we have, or its next one.  NGX_DONE: it is what we
 * had before, a message that was repeated, and late.  NGX_DECLINED: the key
 * that is in use, as we think, is another one: the peer has changed twice, and
 * its message between was lost; the next packet tells which of these it uses.
 */

static ngx_int_t
ngx_media_srt_keys_compare(ngx_media_srt_keys_rx_t *rx,
    const ngx_media_srt_kek_t *kek, u_char **sek)
{
    ngx_uint_t  i, use, other;

    for (i = 0; i < 2; i++) {
        if (sek[i] && ngx_media_srt_key_equal(&rx->old, kek, sek[i])) {
            return NGX_DONE;
        }
    }

    use = (rx->kk == NGX_MEDIA_SRT_KK_ODD);
    other = !use;

    if (rx->kk == NGX_MEDIA_SRT_KK_CLEAR || sek[use] == NULL
        || rx->key[use].len == 0
        || ngx_media_srt_key_equal(&rx->key[use], kek, sek[use]))
    {
        return NGX_OK;
    }

    return (sek[other]
            && (rx->fresh & (NGX_MEDIA_SRT_KK_EVEN << other)) == 0
            && ngx_media_srt_key_equal(&rx->key[other], kek, sek[other]))
           ? NGX_DONE : NGX_DECLINED;
}


static void
ngx_media_srt_keys_set(ngx_media_srt_keys_rx_t *rx, ngx_uint_t i,
    const ngx_media_srt_kek_t *kek, const u_char *sek)
{
    ngx_uint_t            kk;
    ngx_media_srt_key_t  *key;

    kk = NGX_MEDIA_SRT_KK_EVEN << i;
    key = &rx->key[i];

    if (ngx_media_srt_key_equal(key, kek, sek)) {
        return;
    }

    /* packets of that which was before may be on their way, repeated ones */

    if (key->len && (rx->fresh & kk) == 0) {
        ngx_media_srt_key_move(&rx->old, key);
    }

    ngx_media_srt_key_set(key, kek, sek);

    if (kk != rx->kk) {
        rx->fresh |= kk;
    }
}


static ngx_uint_t
ngx_media_srt_keys_known(ngx_media_srt_keys_rx_t *rx, const u_char *pos,
    const u_char *last)
{
    size_t      len;
    ngx_uint_t  i;

    len = last - pos;

    for (i = 0; i < NGX_MEDIA_SRT_KEYS_SEEN; i++) {
        if (rx->seen[i].len && rx->seen[i].len == len
            && ngx_memcmp(rx->seen[i].data, pos, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_media_srt_keys_keep(ngx_media_srt_keys_rx_t *rx, const u_char *pos,
    const u_char *last)
{
    ngx_media_srt_keys_msg_t  *msg;

    msg = &rx->seen[rx->nseen++ % NGX_MEDIA_SRT_KEYS_SEEN];

    /* what has been parsed is not longer */

    msg->len = ngx_min((size_t) (last - pos), NGX_MEDIA_SRT_KM_SIZE);
    ngx_memcpy(msg->data, pos, msg->len);
}


ngx_int_t
ngx_media_srt_keys_decrypt(ngx_media_srt_keys_t *keys, uint32_t seq,
    ngx_uint_t kk, u_char *pos, u_char *last)
{
    ngx_media_srt_key_t  *key;

    if (keys->passphrase_len == 0) {

        if (kk != NGX_MEDIA_SRT_KK_CLEAR) {
            keys->undecrypted++;
            return NGX_DECLINED;
        }

        keys->decrypted++;

        return NGX_OK;
    }

    key = ngx_media_srt_keys_find(&keys->rx, seq, kk);

    if (key == NULL
        || ngx_media_srt_key_crypt(key, seq, pos, last, pos) != NGX_OK)
    {
        keys->undecrypted++;

        ngx_log_debug4(NGX_LOG_DEBUG_CORE, keys->log, 0,
                       "media srt packet %uD has no key, kk:%ui uses:%ui "
                       "fresh:%d", seq, kk, keys->rx.kk, keys->rx.fresh);

        return NGX_DECLINED;
    }

    keys->decrypted++;

    return NGX_OK;
}


/* NULL: there is none */

static ngx_media_srt_key_t *
ngx_media_srt_keys_find(ngx_media_srt_keys_rx_t *rx, uint32_t seq,
    ngx_uint_t kk)
{
    ngx_uint_t            before;
    ngx_media_srt_key_t  *key;

    if (kk != NGX_MEDIA_SRT_KK_EVEN && kk != NGX_MEDIA_SRT_KK_ODD) {
        return NULL;
    }

    key = &rx->key[kk == NGX_MEDIA_SRT_KK_ODD];

    if (kk == rx->kk) {

        if (!rx->settled
            && ngx_media_srt_seq_diff(seq, rx->first)
               > NGX_MEDIA_SRT_KEYS_BEHIND)
        {
            rx->settled = 1;
            ngx_media_srt_key_wipe(&rx->old);
        }

        if (rx->strays && ngx_media_srt_seq_diff(seq, rx->stray) > 0) {
            rx->strays = 0;
        }

        return key->len ? key : NULL;
    }

    before = rx->kk && !rx->settled
             && ngx_media_srt_seq_diff(seq, rx->first) < 0;

    if (before) {
        key = rx->old.len ? &rx->old : key;
        return key->len ? key : NULL;
    }

    if (rx->fresh & kk) {
        ngx_media_srt_keys_change(rx, kk, seq);
        return key;
    }

    /* one such packet is damaged, many of them are a change */

    if (rx->strays++ == 0) {
        rx->stray = seq;
    }

    if (rx->strays == NGX_MEDIA_SRT_KEYS_STRAYS) {
        ngx_media_srt_key_wipe(key);
        ngx_media_srt_keys_change(rx, kk, rx->stray);
    }

    return NULL;
}


static void
ngx_media_srt_keys_change(ngx_media_srt_keys_rx_t *rx, ngx_uint_t kk,
    uint32_t seq)
{
    /* where none was in use, the old one is the one before this */

    if (rx->kk) {
        ngx_media_srt_key_wipe(&rx->old);
    }

    rx->kk = kk;
    rx->fresh &= ~kk;
    rx->first = seq;
    rx->settled = 0;
    rx->strays = 0;
}


ngx_int_t
ngx_media_srt_keys_check(ngx_media_srt_keys_t *keys, int64_t now)
{
    ngx_uint_t  came;

    came = (keys->undecrypted != keys->lost);
    keys->lost = keys->undecrypted;

    if (keys->decrypted != keys->checked) {
        keys->checked = keys->decrypted;
        keys->lacking = 0;
        return NGX_OK;
    }

    if (!came) {
        return NGX_OK;
    }

    if (!keys->lacking) {
        keys->lacking = 1;
        keys->since = now;
        return NGX_OK;
    }

    return (now - keys->since < NGX_MEDIA_SRT_KEYS_PATIENCE) ? NGX_OK
                                                             : NGX_DECLINED;
}


ngx_int_t
ngx_media_srt_keys_encrypt(ngx_media_srt_keys_t *keys, uint32_t seq,
    const u_char *pos, const u_char *last, u_char *out, ngx_uint_t *kk)
{
    ngx_media_srt_keys_tx_t  *tx;

    tx = &keys->tx;

    if (keys->passphrase_len == 0) {
        *kk = NGX_MEDIA_SRT_KK_CLEAR;

        if (out != pos) {
            ngx_memcpy(out, pos, last - pos);
        }

        return NGX_OK;
    }

    if (!tx->started) {
        tx->started = 1;
        tx->from = seq;
        tx->seq = seq;
    }

    if (ngx_media_srt_seq_diff(seq, tx->seq) > 0) {
        tx->seq = seq;
    }

    *kk = tx->kk;

    return ngx_media_srt_key_crypt(&tx->key, seq, pos, last, out);
}


ngx_int_t
ngx_media_srt_keys_refresh(ngx_media_srt_keys_t *keys, int64_t now,
    int64_t rtt, ngx_str_t *km)
{
    ngx_media_srt_keys_tx_t  *tx;

    tx = &keys->tx;

    if (!tx->started) {
        return NGX_AGAIN;
    }

    if (!tx->asked) {

        if (ngx_media_srt_seq_diff(tx->seq, tx->from)
            < NGX_MEDIA_SRT_KEYS_PACKETS)
        {
            return NGX_AGAIN;
        }

        if (ngx_media_srt_keys_ask(keys) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (ngx_media_srt_seq_diff(tx->seq, tx->asked_seq)
               >= NGX_MEDIA_SRT_KEYS_UNANSWERED)
    {
        return NGX_DECLINED;

    } else if (now - tx->asked_last
               < ngx_max(rtt + rtt / 2, NGX_MEDIA_SRT_KEYS_REPEAT))
    {
        return NGX_AGAIN;
    }

    tx->asked_last = now;

    km->data = tx->msg.data;
    km->len = tx->msg.len;

    return NGX_OK;
}


/* a new key, in a message with that which is in use, the even one first */

static ngx_int_t
ngx_media_srt_keys_ask(ngx_media_srt_keys_t *keys)
{
    size_t                    len;
    u_char                    sek[NGX_MEDIA_SRT_KM_KEY];
    u_char                    seks[2 * NGX_MEDIA_SRT_KM_KEY];
    u_char                    wrapped[2 * NGX_MEDIA_SRT_KM_KEY
                                      + NGX_MEDIA_SRT_KM_WRAP];
    ngx_int_t                 rc;
    ngx_uint_t                odd;
    ngx_media_srt_km_t        km;
    ngx_media_srt_keys_tx_t  *tx;

    tx = &keys->tx;
    len = tx->kek.len;
    odd = (tx->kk == NGX_MEDIA_SRT_KK_ODD);

    if (RAND_bytes(sek, (int) len) != 1) {
        ERR_clear_error();
        return NGX_ERROR;
    }

    ngx_memcpy(seks + (odd ? len : 0), tx->key.sek, len);
    ngx_memcpy(seks + (odd ? 0 : len), sek, len);

    km.kk = NGX_MEDIA_SRT_KK_BOTH;
    km.key = len;
    km.salt.pos = tx->kek.salt;
    km.salt.last = tx->kek.salt + NGX_MEDIA_SRT_KM_SALT;
    km.wrapped.pos = wrapped;
    km.wrapped.last = wrapped + 2 * len + NGX_MEDIA_SRT_KM_WRAP;

    rc = ngx_media_srt_wrap(tx->kek.kek, len, seks, 2 * len, wrapped);

    if (rc == NGX_OK) {
        ngx_media_srt_key_set(&tx->next, &tx->kek, sek);
        tx->msg.len = ngx_media_srt_km_write(tx->msg.data, &km);
        tx->asked = 1;
        tx->asked_seq = tx->seq;
    }

    OPENSSL_cleanse(sek, sizeof(sek));
    OPENSSL_cleanse(seks, sizeof(seks));

    return rc;
}


void
ngx_media_srt_keys_answered(ngx_media_srt_keys_t *keys, const u_char *pos,
    const u_char *last)
{
    ngx_media_srt_keys_tx_t  *tx;

    tx = &keys->tx;

    if (!tx->asked || (size_t) (last - pos) != tx->msg.len
        || ngx_memcmp(tx->msg.data, pos, tx->msg.len) != 0)
    {
        return;
    }

    ngx_media_srt_key_move(&tx->key, &tx->next);

    tx->kk ^= NGX_MEDIA_SRT_KK_BOTH;
    tx->from = ngx_media_srt_seq_add(tx->seq, 1);
    tx->asked = 0;
    tx->refreshes++;
}


void
ngx_media_srt_keys_stat(const ngx_media_srt_keys_t *keys,
    ngx_media_srt_keys_stat_t *stat)
{
    stat->len = keys->passphrase_len ? keys->rx.kek.len : 0;
    stat->undecrypted = keys->undecrypted;
    stat->received = keys->rx.refreshes;
    stat->sent = keys->tx.refreshes;
}


void
ngx_media_srt_keys_close(ngx_media_srt_keys_t *keys)
{
    if (keys == NULL) {
        return;
    }

    ngx_media_srt_key_wipe(&keys->rx.key[0]);
    ngx_media_srt_key_wipe(&keys->rx.key[1]);
    ngx_media_srt_key_wipe(&keys->rx.old);
    ngx_media_srt_key_wipe(&keys->tx.key);
    ngx_media_srt_key_wipe(&keys->tx.next);

    OPENSSL_cleanse(keys, sizeof(ngx_media_srt_keys_t));

    ngx_free(keys);
}


static ngx_int_t
ngx_media_srt_key_crypt(ngx_media_srt_key_t *key, uint32_t seq,
    const u_char *pos, const u_char *last, u_char *out)
{
    if (key->ctr == NULL) {
        key->ctr = ngx_media_srt_ctr_create(key->sek, key->len);

        if (key->ctr == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_media_srt_ctr(key->ctr, key->salt, seq, pos, last, out);
}


static void
ngx_media_srt_key_set(ngx_media_srt_key_t *key,
    const ngx_media_srt_kek_t *kek, const u_char *sek)
{
    ngx_media_srt_key_wipe(key);

    ngx_memcpy(key->salt, kek->salt, NGX_MEDIA_SRT_KM_SALT);
    ngx_memcpy(key->sek, sek, kek->len);
    key->len = kek->len;
}


static ngx_uint_t
ngx_media_srt_key_equal(const ngx_media_srt_key_t *key,
    const ngx_media_srt_kek_t *kek, const u_char *sek)
{
    return key->len == kek->len
           && ngx_memcmp(key->salt, kek->salt, NGX_MEDIA_SRT_KM_SALT) == 0
           && CRYPTO_memcmp(key->sek, sek, key->len) == 0;
}


static void
ngx_media_srt_key_move(ngx_media_srt_key_t *to, ngx_media_srt_key_t *from)
{
    ngx_media_srt_key_wipe(to);

    *to = *from;

    /* not wiped: the context has moved, too; zeros are no key */

    OPENSSL_cleanse(from, sizeof(ngx_media_srt_key_t));
}


static void
ngx_media_srt_key_wipe(ngx_media_srt_key_t *key)
{
    EVP_CIPHER_CTX_free(key->ctr);
    OPENSSL_cleanse(key, sizeof(ngx_media_srt_key_t));
}
