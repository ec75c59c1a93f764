
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: ingest/ngx_media_srt_keys.c ingest/ngx_media_srt_cipher.c
         formats/ngx_media_srt_km.c ngx_stub.c -lcrypto
         -Wl,--wrap=PKCS5_PBKDF2_HMAC_SHA1 -Wl,--wrap=free */


/* keys of an SRT session: by what libsrt has sent, and by a peer that is
   scripted here, who loses, repeats and reorders what a peer can */


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_srt_km.h"
#include "ingest/ngx_media_srt_cipher.h"
#include "ingest/ngx_media_srt_keys.h"
#include "media_hex.h"
#include "media_srt_capture.h"
#include "ngx_stub.h"
#include "tap.h"

#include <malloc.h>


#define N(list)  (sizeof(list) / sizeof(list[0]))

#define S  1000000                            /* us */


int __real_PKCS5_PBKDF2_HMAC_SHA1(const char *pass, int passlen,
    const unsigned char *salt, int saltlen, int iter, int keylen,
    unsigned char *out);
int __wrap_PKCS5_PBKDF2_HMAC_SHA1(const char *pass, int passlen,
    const unsigned char *salt, int saltlen, int iter, int keylen,
    unsigned char *out);
void __real_free(void *p);
void __wrap_free(void *p);


static ngx_uint_t   derived;
static void        *watched;
static ngx_uint_t   left;                     /* bytes that were not wiped */
static ngx_log_t    test_log;


/* the peer: its messages and packets */

typedef struct {
    ngx_str_t   passphrase;
    size_t      len;
    u_char      salt[16];
    u_char      kek[32];
    u_char      sek[8][32];                   /* each one it ever has */
} peer_t;

typedef struct {
    size_t  len;
    u_char  data[NGX_MEDIA_SRT_KM_SIZE];
} msg_t;


int
__wrap_PKCS5_PBKDF2_HMAC_SHA1(const char *pass, int passlen,
    const unsigned char *salt, int saltlen, int iter, int keylen,
    unsigned char *out)
{
    derived++;

    return __real_PKCS5_PBKDF2_HMAC_SHA1(pass, passlen, salt, saltlen, iter,
                                         keylen, out);
}


void
__wrap_free(void *p)
{
    size_t  i;

    if (p && p == watched) {
        watched = NULL;

        for (i = 0; i < malloc_usable_size(p); i++) {
            left += ((u_char *) p)[i] != 0;
        }
    }

    __real_free(p);
}


static ngx_media_srt_keys_e
open_keys(ngx_media_srt_keys_t **keys, const u_char *data, size_t len,
    const char *passphrase)
{
    u_char                *p;
    ngx_str_t              s;
    ngx_media_srt_keys_e   rc;

    s.data = (u_char *) passphrase;
    s.len = strlen(passphrase);

    p = data ? tap_dup(data, len) : NULL;
    *keys = NULL;

    rc = ngx_media_srt_keys_open(keys, p, data ? p + len : NULL, &s,
                                 &test_log);

    free(p);

    return rc;
}


static void
close_keys(ngx_media_srt_keys_t *keys)
{
    left = 0;
    watched = keys;
    ngx_media_srt_keys_close(keys);
    ok(watched == NULL && left == 0, "wiped, and freed");
}


static ngx_int_t
update(ngx_media_srt_keys_t *keys, const u_char *data, size_t len, int64_t now)
{
    u_char     *p;
    ngx_int_t   rc;

    p = tap_dup(data, len);
    rc = ngx_media_srt_keys_update(keys, p, p + len, now);
    free(p);

    return rc;
}


/* each session has a salt of its own */

static void
peer_init(peer_t *peer, size_t len)
{
    ngx_uint_t         i, j;
    static ngx_uint_t  n;

    ngx_str_set(&peer->passphrase, "correct horse");
    peer->len = len;
    n++;

    for (i = 0; i < 16; i++) {
        peer->salt[i] = n * 16 + i;
    }

    for (i = 0; i < 8; i++) {
        for (j = 0; j < 32; j++) {
            peer->sek[i][j] = n * 64 + i * 37 + j;
        }
    }

    if (ngx_media_srt_kek(peer->kek, len, &peer->passphrase, peer->salt)
        != NGX_OK)
    {
        abort();
    }
}


/* even and odd: indexes of keys, -1: none */

static void
peer_says(peer_t *peer, int even, int odd, msg_t *msg)
{
    size_t              n;
    u_char              seks[64], wrapped[72];
    ngx_media_srt_km_t  km;

    n = 0;
    km.kk = 0;

    if (even >= 0) {
        ngx_memcpy(seks, peer->sek[even], peer->len);
        n += peer->len;
        km.kk |= NGX_MEDIA_SRT_KK_EVEN;
    }

    if (odd >= 0) {
        ngx_memcpy(seks + n, peer->sek[odd], peer->len);
        n += peer->len;
        km.kk |= NGX_MEDIA_SRT_KK_ODD;
    }

    if (ngx_media_srt_wrap(peer->kek, peer->len, seks, n, wrapped) != NGX_OK) {
        abort();
    }

    km.key = peer->len;
    km.salt.pos = peer->salt;
    km.salt.last = peer->salt + 16;
    km.wrapped.pos = wrapped;
    km.wrapped.last = wrapped + n + 8;

    msg->len = ngx_media_srt_km_write(msg->data, &km);
}


/* a packet of key i, which is even or odd as i is: 1 if it was understood, 0 if
   there was no key, -1 if noise has come of it */

static int
peer_sends(peer_t *peer, ngx_media_srt_keys_t *keys, uint32_t seq, int i)
{
    int              rc;
    u_char           text[24], *p;
    EVP_CIPHER_CTX  *ctr;

    ngx_memset(text, (u_char) seq, sizeof(text));

    p = tap_dup(text, sizeof(text));
    ctr = ngx_media_srt_ctr_create(peer->sek[i], peer->len);

    if (ctr == NULL
        || ngx_media_srt_ctr(ctr, peer->salt, seq, p, p + sizeof(text), p)
           != NGX_OK)
    {
        abort();
    }

    EVP_CIPHER_CTX_free(ctr);

    if (ngx_media_srt_keys_decrypt(keys, seq, 1 + i % 2, p, p + sizeof(text))
        != NGX_OK)
    {
        rc = 0;

    } else {
        rc = (ngx_memcmp(p, text, sizeof(text)) == 0) ? 1 : -1;
    }

    free(p);

    return rc;
}


static void
test_open(void)
{
    msg_t                  msg;
    peer_t                 peer;
    u_char                 text[4];
    ngx_uint_t             i, wrong, kk;
    ngx_media_srt_keys_t  *keys;

    ngx_memzero(&peer, sizeof(peer_t));

    derived = 0;

    is(open_keys(&keys, NULL, 0, ""), NGX_MEDIA_SRT_KEYS_OK, "both clear");
    is(ngx_media_srt_keys_decrypt(keys, 1, 0, text, text + 4), NGX_OK,
       "a clear packet");
    is(ngx_media_srt_keys_decrypt(keys, 2, 1, text, text + 4), NGX_DECLINED,
       "an encrypted one, which is nobody's");
    is(ngx_media_srt_keys_encrypt(keys, 1, (u_char *) "abcd",
                                  (u_char *) "abcd" + 4, text, &kk),
       NGX_OK, "sends");
    is(kk, 0, "clear");
    is_text(text, 4, "abcd", "as it is");

    peer_init(&peer, 16);
    peer_says(&peer, 0, -1, &msg);
    derived = 0;

    is(update(keys, msg.data, msg.len, S), NGX_DECLINED, "keys in session");
    close_keys(keys);

    is(open_keys(&keys, NULL, 0, "correct horse"),
       NGX_MEDIA_SRT_KEYS_ONE_CLEAR, "the caller is clear");
    is(open_keys(&keys, msg.data, msg.len, ""),
       NGX_MEDIA_SRT_KEYS_ONE_CLEAR, "we are clear");

    wrong = 0;

    for (i = 0; i < msg.len; i++) {
        wrong += open_keys(&keys, msg.data, i, "correct horse")
                 != NGX_MEDIA_SRT_KEYS_MALFORMED;
    }

    is(wrong, 0, "messages that are too short");
    is(derived, 0, "all of that costs nothing");

    is(open_keys(&keys, msg.data, msg.len, "correct horsE"),
       NGX_MEDIA_SRT_KEYS_PASSPHRASE, "another passphrase");
    is(open_keys(&keys, msg.data, msg.len,
                 "0123456789012345678901234567890123456789"
                 "0123456789012345678901234567890123456789"),
       NGX_MEDIA_SRT_KEYS_PASSPHRASE, "one that nobody can have");

    msg.data[8] = 4;
    is(open_keys(&keys, msg.data, msg.len, "correct horse"),
       NGX_MEDIA_SRT_KEYS_CIPHER, "AES-GCM");

    ngx_media_srt_keys_close(NULL);
}


/* what libsrt has sent; skip: one message is lost, the first is 0 */

static void
replay(const media_srt_capture_t *list, ngx_uint_t n, ngx_uint_t skip,
    ngx_uint_t *noise, ngx_uint_t *unknown)
{
    size_t                      len;
    u_char                     *p;
    ngx_uint_t                  i, j, bad, km;
    ngx_media_srt_keys_t       *keys;
    const media_srt_capture_t  *c;

    *noise = 0;
    *unknown = 0;
    keys = NULL;
    km = 0;

    for (i = 0; i < n; i++) {
        c = &list[i];
        p = media_hex(c->hex, &len);

        if (c->kk == NGX_MEDIA_SRT_KK_BOTH) {

            if (keys == NULL) {
                is(open_keys(&keys, p, len, "correct%20horse"),
                   NGX_MEDIA_SRT_KEYS_OK, "keys of the conclusion");

            } else if (km != skip) {
                is(ngx_media_srt_keys_update(keys, p, p + len, S), NGX_OK,
                   "new keys");
                is(ngx_media_srt_keys_update(keys, p, p + len, S), NGX_OK,
                   "once more");
            }

            km++;

        } else if (ngx_media_srt_keys_decrypt(keys, c->seq, c->kk, p, p + len)
                   != NGX_OK)
        {
            (*unknown)++;

        } else {
            bad = 0;

            for (j = 0; j < len; j++) {
                bad |= p[j] != (u_char) (c->i * 3 + j);
            }

            *noise += bad;
        }

        free(p);
    }

    close_keys(keys);
}


static void
test_capture(void)
{
    ngx_uint_t  i, noise, unknown;

    static const struct {
        ngx_uint_t                  key;
        const media_srt_capture_t  *list;
        ngx_uint_t                  n;
    } captures[] = {
        { 16, media_srt_capture_16, N(media_srt_capture_16) },
        { 24, media_srt_capture_24, N(media_srt_capture_24) },
        { 32, media_srt_capture_32, N(media_srt_capture_32) }
    };

    for (i = 0; i < N(captures); i++) {
        derived = 0;
        replay(captures[i].list, captures[i].n, 100, &noise, &unknown);

        diag("libsrt, keys of %lu bytes", (unsigned long) captures[i].key);
        is(unknown, 0, "there was a key for all");
        is(noise, 0, "all were understood");
        is(derived, 1, "of one passphrase");
    }

    /* the second change is lost, the third one has its key, too */

    replay(media_srt_capture_16, N(media_srt_capture_16), 1, &noise, &unknown);
    ok(unknown > 0, "%lu packets have no key", (unsigned long) unknown);
    is(noise, 0, "none is noise");

    replay(media_srt_capture_16, N(media_srt_capture_16), 2, &noise, &unknown);
    ok(unknown > 0, "%lu packets have no key, though there is one of that "
       "parity", (unsigned long) unknown);
    is(noise, 0, "none is noise");
}


/* around a change packets are late, and sent once more */

static void
test_order(uint32_t seq)
{
    msg_t                       first, second, third;
    peer_t                      peer;
    ngx_media_srt_keys_t       *keys;
    ngx_media_srt_keys_stat_t   stat;

    diag("from %08x on", (unsigned) seq);

#define AT(n)  ngx_media_srt_seq_add(seq, n)

    peer_init(&peer, 32);
    peer_says(&peer, 0, -1, &first);
    peer_says(&peer, 0, 1, &second);
    peer_says(&peer, 2, 1, &third);

    is(open_keys(&keys, first.data, first.len, "correct horse"), 0, "open");

    is(peer_sends(&peer, keys, AT(0), 0), 1, "even");
    is(peer_sends(&peer, keys, AT(1), 1), 0, "odd has no key");
    is(update(keys, second.data, second.len, S), NGX_OK, "late");
    is(peer_sends(&peer, keys, AT(2), 1), 1, "odd");
    is(peer_sends(&peer, keys, AT(1), 1), 1, "odd, once more");
    is(peer_sends(&peer, keys, AT(-1), 0), 1, "even, from before");
    is(peer_sends(&peer, keys, AT(3), 0), 0, "even, from behind: it is none");

    is(update(keys, third.data, third.len, S), NGX_OK, "next");
    is(update(keys, second.data, second.len, S), NGX_OK, "before, repeated");
    is(update(keys, first.data, first.len, S), NGX_OK,
       "one that is older is answered");
    is(peer_sends(&peer, keys, AT(-2), 0), 1, "the even one from before");
    is(peer_sends(&peer, keys, AT(100), 1), 1, "odd");
    is(peer_sends(&peer, keys, AT(101), 2), 1, "even, the new one");
    is(peer_sends(&peer, keys, AT(102), 2), 1, "likewise");
    is(peer_sends(&peer, keys, AT(99), 1), 1, "odd, from before");

    ngx_media_srt_keys_stat(keys, &stat);
    is(stat.len, 32, "bytes");
    is(stat.undecrypted, 2, "two had no key");
    is(stat.received, 2, "two changes");

    close_keys(keys);

#undef AT
}


static void
test_missed(void)
{
    msg_t                  msg, late;
    peer_t                 peer;
    int32_t                i;
    ngx_media_srt_keys_t  *keys;

    peer_init(&peer, 24);

    /*
     * a change is there without its message: the next one has both.  That
     * which was lost comes after all, at several times
     */

    peer_says(&peer, 0, 1, &late);

    for (i = 0; i < 3; i++) {
        peer_says(&peer, 0, -1, &msg);
        (void) open_keys(&keys, msg.data, msg.len, "correct horse");
        is(peer_sends(&peer, keys, 10, 0), 1, "even");
        is(peer_sends(&peer, keys, 11, 1), 0, "odd has no key");

        peer_says(&peer, 2, 1, &msg);
        is(update(keys, msg.data, msg.len, S), NGX_OK, "both are new");

        if (i == 0) {
            is(update(keys, late.data, late.len, S), NGX_OK, "at once");
        }

        is(peer_sends(&peer, keys, 12, 1), 1, "odd");

        if (i == 1) {
            is(update(keys, late.data, late.len, S), NGX_OK, "with the odd");
        }

        is(peer_sends(&peer, keys, 13, 2), 1, "even");

        if (i == 2) {
            is(update(keys, late.data, late.len, S), NGX_OK, "with the even");
        }

        is(peer_sends(&peer, keys, 12, 1), 1, "odd, from before");
        is(peer_sends(&peer, keys, 14, 2), 1, "even");
        close_keys(keys);
    }

    /* it begins with both, with the odd one, and has one per message */

    peer_says(&peer, 0, 1, &msg);
    (void) open_keys(&keys, msg.data, msg.len, "correct horse");
    is(peer_sends(&peer, keys, 10, 1), 1, "begins with the odd one of both");
    peer_says(&peer, 2, -1, &msg);
    is(update(keys, msg.data, msg.len, S), NGX_OK, "even alone");
    is(peer_sends(&peer, keys, 11, 2), 1, "even");
    close_keys(keys);

    peer_says(&peer, -1, 1, &msg);
    (void) open_keys(&keys, msg.data, msg.len, "correct horse");
    is(peer_sends(&peer, keys, 10, 1), 1, "odd alone");

    /* a key that lasts for half of all numbers: nothing is "before" then */

    peer_says(&peer, 2, 1, &msg);
    is(update(keys, msg.data, msg.len, S), NGX_OK, "the next");

    for (i = 0; i < 5; i++) {
        is(peer_sends(&peer, keys, ngx_media_srt_seq_add(10, i * 0x10000000),
                      1), 1, "odd, still");
    }

    is(peer_sends(&peer, keys, ngx_media_srt_seq_add(10, 0x50000000), 2), 1,
       "even");
    close_keys(keys);
}


/*
 * A peer that changes every 150 to 250 packets, and packets that are up to 100
 * late; half of its messages are lost, or come up to 150 packets later.  What
 * had a key is never noise; all have one if no message is lost or late.
 */

static void
test_walk(unsigned seed, ngx_uint_t lose, ngx_uint_t delay)
{
    int                    rc;
    msg_t                  msg[64];
    peer_t                 peer;
    ngx_uint_t             i, j, n, at[64], noise, unknown, changes, key[6000];
    ngx_media_srt_keys_t  *keys;

    srand(seed);
    peer_init(&peer, 16);
    peer_says(&peer, 0, -1, &msg[0]);
    (void) open_keys(&keys, msg[0].data, msg[0].len, "correct horse");

    noise = 0;
    unknown = 0;
    changes = 0;

    for (i = 0; i < 6000; i += n) {
        n = 150 + rand() % 100;
        n = ngx_min(n, 6000 - i);

        for (j = i; j < i + n; j++) {
            key[j] = changes;
        }

        changes++;
        at[changes] = i + n - 1 - rand() % 50;

        if (lose && rand() % 2) {
            at[changes] = (ngx_uint_t) -1;
        }

        if (delay && rand() % 2) {
            at[changes] += rand() % 150;
        }
    }

    for (j = 1; j < changes; j++) {

        /* there are but 8 keys */

        n = j % 2;
        peer_says(&peer, n ? (int) (j - 1) % 8 : (int) j % 8,
                  n ? (int) j % 8 : (int) (j - 1) % 8, &msg[j]);
    }

    for (i = 0; i < 6000; i++) {

        for (j = 1; j < changes; j++) {
            if (at[j] == i) {
                (void) update(keys, msg[j].data, msg[j].len, S);
            }
        }

        j = (rand() % 4 || i < 100) ? i : i - rand() % 100;
        rc = peer_sends(&peer, keys, j, key[j] % 8);

        noise += rc < 0;
        unknown += rc == 0;
    }

    is(noise, 0, "seed %u, %lu changes: no noise", seed,
       (unsigned long) changes - 1);
    ok((lose || delay) ? unknown < 4000 : unknown == 0,
       "%lu packets without a key", (unsigned long) unknown);

    close_keys(keys);
}


static void
test_update(void)
{
    msg_t                  msg, other;
    peer_t                 peer, stranger;
    u_char                 bit;
    ngx_uint_t             i, wrong;
    ngx_media_srt_keys_t  *keys;

    peer_init(&peer, 16);
    peer_says(&peer, 0, -1, &msg);
    (void) open_keys(&keys, msg.data, msg.len, "correct horse");

    /* each bit of what is wrapped, and all lengths */

    peer_says(&peer, 0, 1, &msg);
    derived = 0;
    wrong = 0;

    for (i = 0; i < msg.len; i++) {
        wrong += update(keys, msg.data, i, S) != NGX_DECLINED;
    }

    for (i = 32; i < msg.len; i++) {
        for (bit = 1; bit; bit <<= 1) {
            msg.data[i] ^= bit;
            wrong += update(keys, msg.data, msg.len, S) != NGX_DECLINED;
            msg.data[i] ^= bit;
        }
    }

    is(wrong, 0, "what is damaged changes nothing");
    is(derived, 0, "and costs little");
    is(peer_sends(&peer, keys, 10, 0), 1, "the key is still there");
    is(peer_sends(&peer, keys, 11, 1), 0, "there is no other");
    is(update(keys, msg.data, msg.len, S), NGX_OK, "undamaged");
    is(peer_sends(&peer, keys, 12, 1), 1, "there it is");
    is(derived, 0, "the salt is the same");

    /* another salt, another length: once a second */

    stranger = peer;
    ngx_str_set(&stranger.passphrase, "correct horsE");
    stranger.salt[9] ^= 1;
    (void) ngx_media_srt_kek(stranger.kek, 16, &stranger.passphrase,
                             stranger.salt);
    peer_says(&stranger, 4, 3, &other);

    derived = 0;
    is(update(keys, other.data, other.len, 2 * S), NGX_DECLINED,
       "another salt, and passphrase");
    is(derived, 1, "was tried");

    peer_init(&peer, 32);
    peer_says(&peer, 4, 3, &msg);

    derived = 0;
    is(update(keys, msg.data, msg.len, 3 * S - 1), NGX_DECLINED, "too soon");
    is(derived, 0, "nothing is tried");
    is(update(keys, msg.data, msg.len, 3 * S), NGX_OK, "a second later");
    is(derived, 1, "once");
    is(peer_sends(&peer, keys, 20, 4), 1, "the new salt and length");
    is(peer_sends(&peer, keys, 21, 3), 1, "odd, too");

    close_keys(keys);
}


static void
test_check(void)
{
    msg_t                  msg;
    peer_t                 peer;
    u_char                 text[4];
    int64_t                now;
    ngx_media_srt_keys_t  *keys;

    peer_init(&peer, 16);
    peer_says(&peer, 0, -1, &msg);
    (void) open_keys(&keys, msg.data, msg.len, "correct horse");

    ngx_memzero(text, sizeof(text));

    now = 5 * S;
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "nothing has come");
    now += 10 * S;
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "for long");

    is(ngx_media_srt_keys_decrypt(keys, 1, 0, text, text + 4), NGX_DECLINED,
       "a clear packet is dropped");
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "it begins");
    now += 2 * S - 1;
    (void) peer_sends(&peer, keys, 2, 1);
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "just less than 2 s");
    now++;
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "2 s, but no data since");
    (void) ngx_media_srt_keys_decrypt(keys, 1, 3, text, text + 4);
    is(ngx_media_srt_keys_check(keys, now), NGX_DECLINED, "there it is");

    (void) peer_sends(&peer, keys, 3, 0);
    (void) peer_sends(&peer, keys, 4, 1);
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "one was understood");
    now += 3 * S;
    (void) peer_sends(&peer, keys, 5, 1);
    is(ngx_media_srt_keys_check(keys, now), NGX_OK, "it begins anew");
    now += 2 * S;
    (void) peer_sends(&peer, keys, 6, 1);
    is(ngx_media_srt_keys_check(keys, now), NGX_DECLINED, "and ends");

    close_keys(keys);
}


/* what we send, to a peer that is a receiver of the same kind */

static ngx_int_t
pass(ngx_media_srt_keys_t *from, ngx_media_srt_keys_t *to, uint32_t seq,
    ngx_uint_t *kk)
{
    u_char      text[32], *p, *q;
    ngx_int_t   rc;

    ngx_memset(text, (u_char) (seq + 1), sizeof(text));
    p = tap_dup(text, sizeof(text));
    q = tap_dup(text, sizeof(text));

    rc = NGX_ERROR;

    if (ngx_media_srt_keys_encrypt(from, seq, p, p + sizeof(text), q, kk)
        == NGX_OK
        && ngx_memcmp(p, q, sizeof(text)) != 0)
    {
        rc = ngx_media_srt_keys_decrypt(to, seq, *kk, q, q + sizeof(text));

        if (rc == NGX_OK && ngx_memcmp(p, q, sizeof(text)) != 0) {
            rc = NGX_ABORT;
        }
    }

    free(p);
    free(q);

    return rc;
}


static void
test_refresh(size_t len, int first)
{
    msg_t                       msg, before;
    peer_t                      peer;
    int64_t                     now;
    ngx_str_t                   km;
    ngx_uint_t                  kk, was, i;
    uint32_t                    seq;
    ngx_media_srt_keys_t       *us, *them;
    ngx_media_srt_keys_stat_t   stat;

    peer_init(&peer, len);
    peer_says(&peer, first ? -1 : 0, first ? 1 : -1, &msg);

    (void) open_keys(&us, msg.data, msg.len, "correct horse");
    (void) open_keys(&them, msg.data, msg.len, "correct horse");

    diag("we send, keys of %lu bytes", (unsigned long) len);
    derived = 0;
    now = 7 * S;
    seq = 0x7ffffff0;
    before.len = 0;

    is(ngx_media_srt_keys_refresh(us, now, 100000, &km), NGX_AGAIN,
       "nothing was sent");

    for (i = 0; i < 3; i++) {
        is(pass(us, them, seq, &kk), NGX_OK, "a packet");
        is(kk, first ? 2 - i % 2 : 1 + i % 2, "of the key that is in use");

        seq = ngx_media_srt_seq_add(seq, (1 << 24) - 1);
        is(pass(us, them, seq, &kk), NGX_OK, "2^24 - 1 later");
        is(ngx_media_srt_keys_refresh(us, now, 100000, &km), NGX_AGAIN,
           "it is in use");

        seq = ngx_media_srt_seq_add(seq, 1);
        is(pass(us, them, seq, &kk), NGX_OK, "2^24");
        is(ngx_media_srt_keys_refresh(us, now, 100000, &km), NGX_OK,
           "a new one is sent");
        is(km.len, 16 + 16 + 8 + 2 * len, "both");

        is(ngx_media_srt_keys_refresh(us, now + 149999, 100000, &km),
           NGX_AGAIN, "not at once");
        is(ngx_media_srt_keys_refresh(us, now + 150000, 100000, &km), NGX_OK,
           "again after 1.5 times the RTT");
        is(ngx_media_srt_keys_refresh(us, now + 150000 + 19999, 10, &km),
           NGX_AGAIN, "at least 20 ms");

        is(ngx_media_srt_keys_update(them, km.data, km.data + km.len, now),
           NGX_OK, "they take it");
        ngx_memcpy(msg.data, km.data, km.len);
        msg.len = km.len;

        was = kk;
        seq = ngx_media_srt_seq_add(seq, 8191);
        is(pass(us, them, seq, &kk), NGX_OK, "before the answer");
        is(kk, was, "with the old one");
        is(ngx_media_srt_keys_refresh(us, now, 100000, &km), NGX_AGAIN,
           "8191 packets later");

        if (before.len) {
            ngx_media_srt_keys_answered(us, before.data,
                                        before.data + before.len);
        }

        ngx_media_srt_keys_answered(us, (u_char *) "\0\0\0\4",
                                    (u_char *) "\0\0\0\4" + 4);
        msg.data[50] ^= 1;
        ngx_media_srt_keys_answered(us, msg.data, msg.data + msg.len);
        msg.data[50] ^= 1;
        seq = ngx_media_srt_seq_add(seq, 0);
        is(pass(us, them, seq, &kk), NGX_OK, "none of these is an answer");
        is(kk, was, "still the old one");

        ngx_media_srt_keys_answered(us, msg.data, msg.data + msg.len);
        ngx_media_srt_keys_answered(us, msg.data, msg.data + msg.len);
        before = msg;
        seq = ngx_media_srt_seq_add(seq, 1);
        is(pass(us, them, seq, &kk), NGX_OK, "after the answer");
        is(kk, 3 - was, "with the new one");
        now += S;
    }

    ngx_media_srt_keys_stat(us, &stat);
    is(stat.sent, 3, "three times");
    is(derived, 0, "of the same salt");

    seq = ngx_media_srt_seq_add(seq, 1 << 24);
    (void) pass(us, them, seq, &kk);
    is(ngx_media_srt_keys_refresh(us, now, 100000, &km), NGX_OK, "once more");
    seq = ngx_media_srt_seq_add(seq, 8192);
    (void) pass(us, them, seq, &kk);
    is(ngx_media_srt_keys_refresh(us, now, 100000, &km), NGX_DECLINED,
       "8192 packets without an answer");

    close_keys(us);
    close_keys(them);
}


int
main(void)
{
    unsigned  i;

    test_open();
    test_capture();
    test_order(1000);
    test_order(0x7fffffff);
    test_missed();

    for (i = 1; i < 6; i++) {
        test_walk(i, 0, 0);
        test_walk(i, 1, 0);
        test_walk(i, 0, 1);
    }

    test_update();
    test_check();
    test_refresh(16, 0);
    test_refresh(32, 1);

    return done();
}
