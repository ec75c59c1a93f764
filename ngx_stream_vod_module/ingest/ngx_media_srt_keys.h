
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The keys of one SRT session: AES-CTR by a key that the caller has made up and
 * sends wrapped by what both make of the passphrase (draft-sharabayko-srt, 6).
 * It is of 16, 24 or 32 bytes, changes while packets flow, and two at a time
 * are known, "even" and "odd"; each packet says by its KK which one it is of.
 *
 * A session without a passphrase has keys, too, and lets clear packets through.
 *
 * Nothing here looks at a clock; "now" is microseconds of a monotonic one.
 */


#ifndef _NGX_MEDIA_SRT_KEYS_H_INCLUDED_
#define _NGX_MEDIA_SRT_KEYS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MEDIA_SRT_PASSPHRASE_MIN  10
#define NGX_MEDIA_SRT_PASSPHRASE_MAX  79


/* each is what the caller is refused with */

typedef enum {
    NGX_MEDIA_SRT_KEYS_OK = 0,
    NGX_MEDIA_SRT_KEYS_ERROR = 1003,          /* we cannot: logged */
    NGX_MEDIA_SRT_KEYS_MALFORMED = 1004,
    NGX_MEDIA_SRT_KEYS_PASSPHRASE = 1010,     /* does not match */
    NGX_MEDIA_SRT_KEYS_ONE_CLEAR = 1011,      /* one side has a passphrase */
    NGX_MEDIA_SRT_KEYS_CIPHER = 1017          /* not AES-CTR */
} ngx_media_srt_keys_e;


typedef struct ngx_media_srt_keys_s  ngx_media_srt_keys_t;


typedef struct {
    ngx_uint_t                len;            /* bytes of a key; 0: clear */
    uint64_t                  undecrypted;    /* packets without their key */
    ngx_uint_t                received;       /* refreshes of the peer, */
    ngx_uint_t                sent;           /* and of ours, answered */
} ngx_media_srt_keys_stat_t;


/*
 * pos..last is the KMREQ of the conclusion, pos NULL: there was none; the
 * passphrase may be empty.  After OK *keys is the caller's of this function,
 * until close; the answer (KMRSP) is the bytes of KMREQ.  Takes 1 to 2 ms
 * where both have a passphrase: cookie, stream id and access come first.
 */
ngx_media_srt_keys_e ngx_media_srt_keys_open(ngx_media_srt_keys_t **keys,
    const u_char *pos, const u_char *last, const ngx_str_t *passphrase,
    ngx_log_t *log);
/* wiped and freed; NULL is allowed */
void ngx_media_srt_keys_close(ngx_media_srt_keys_t *keys);

/*
 * A KMREQ in session.  NGX_OK: it is answered by its own bytes, each time;
 * NGX_DECLINED: it is of no use and not answered, and what we have stays;
 * NGX_ERROR: the session cannot go on
 */
ngx_int_t ngx_media_srt_keys_update(ngx_media_srt_keys_t *keys,
    const u_char *pos, const u_char *last, int64_t now);

/*
 * The payload of a packet, in place.  NGX_OK, NGX_DECLINED: there is no key
 * for it, or it is clear where it must not be: drop it; it is counted
 */
ngx_int_t ngx_media_srt_keys_decrypt(ngx_media_srt_keys_t *keys, uint32_t seq,
    ngx_uint_t kk, u_char *pos, u_char *last);

/*
 * To be asked several times a second.  NGX_OK, NGX_DECLINED: data comes, and
 * for 2 s there was a key for none of it: the session has to end, by SHUTDOWN,
 * so that the peer returns with a new key
 */
ngx_int_t ngx_media_srt_keys_check(ngx_media_srt_keys_t *keys, int64_t now);

/*
 * What we send: out has room for last - pos and may be pos; *kk goes into the
 * packet's header.  A packet that is sent again may get another key than at
 * first.  NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_media_srt_keys_encrypt(ngx_media_srt_keys_t *keys, uint32_t seq,
    const u_char *pos, const u_char *last, u_char *out, ngx_uint_t *kk);

/*
 * To be asked after packets were sent, and by time: NGX_OK: send *km now as a
 * KMREQ, borrowed until the next call; NGX_AGAIN: nothing is to be done;
 * NGX_DECLINED: 8192 packets were sent and the peer has not answered, the
 * session has to end; NGX_ERROR.  rtt in microseconds.
 */
ngx_int_t ngx_media_srt_keys_refresh(ngx_media_srt_keys_t *keys, int64_t now,
    int64_t rtt, ngx_str_t *km);
/* the peer's KMRSP; what is no answer to our last KMREQ changes nothing */
void ngx_media_srt_keys_answered(ngx_media_srt_keys_t *keys,
    const u_char *pos, const u_char *last);

void ngx_media_srt_keys_stat(const ngx_media_srt_keys_t *keys,
    ngx_media_srt_keys_stat_t *stat);


#endif /* _NGX_MEDIA_SRT_KEYS_H_INCLUDED_ */
