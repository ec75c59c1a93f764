
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Callers who are refused come back at once, up to 40 times a second, and some
 * of them for ever.  So what was said to one is said again for a moment,
 * without asking anybody, and the log is told once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ingest/ngx_media_srt_session.h"


#define NGX_MEDIA_SRT_REFUSALS   1024         /* of a worker, a power of 2 */
#define NGX_MEDIA_SRT_PROBES     8

#define NGX_MEDIA_SRT_KEEP       1000         /* ms */
#define NGX_MEDIA_SRT_KEEP_BUSY  250          /* ms, what may be over soon */
#define NGX_MEDIA_SRT_SILENCE    60000        /* ms until it is logged again */

#define NGX_MEDIA_SRT_ASKS       100          /* a second */


typedef struct {
    u_char                    ip[16];
    uint64_t                  sid;
    ngx_uint_t                code;           /* 0: it is free */
    ngx_msec_t                until;
    ngx_msec_t                last;           /* when it was refused */
} ngx_media_srt_refusal_t;


/* an address whose callers were looked at in this second */

typedef struct {
    u_char                    ip[16];
    size_t                    len;            /* of it that counts */
    ngx_uint_t                asks;
} ngx_media_srt_share_t;


static ngx_media_srt_refusal_t *ngx_media_srt_refusal(
    const ngx_media_srt_addr_t *remote, uint64_t sid,
    ngx_media_srt_refusal_t **room);
static ngx_media_srt_share_t *ngx_media_srt_share(
    const ngx_media_srt_addr_t *remote, ngx_uint_t *n);


/* each of them has been counted once, so there is room */
static ngx_media_srt_share_t    ngx_media_srt_shares[NGX_MEDIA_SRT_ASKS];

static ngx_media_srt_refusal_t  ngx_media_srt_refusals[NGX_MEDIA_SRT_REFUSALS];


ngx_uint_t
ngx_media_srt_refused(const ngx_media_srt_addr_t *remote, uint64_t sid)
{
    ngx_media_srt_refusal_t  *r, *room;

    r = ngx_media_srt_refusal(remote, sid, &room);

    if (r == NULL || (ngx_msec_int_t) (r->until - ngx_current_msec) <= 0) {
        return 0;
    }

    return r->code;
}


ngx_uint_t
ngx_media_srt_refused_keep(const ngx_media_srt_addr_t *remote, uint64_t sid,
    ngx_uint_t code)
{
    ngx_uint_t                first;
    ngx_media_srt_refusal_t  *r, *room;

    r = ngx_media_srt_refusal(remote, sid, &room);

    if (r) {
        first = r->code != code
                || ngx_current_msec - r->last >= NGX_MEDIA_SRT_SILENCE;

    } else {
        r = room;

        /* where there is no room for all of a second they are no news */

        first = r->code == 0
                || ngx_current_msec - r->last >= NGX_MEDIA_SRT_KEEP;

        ngx_memcpy(r->ip, remote->ip, sizeof(r->ip));
        r->sid = sid;
    }

    r->code = code;
    r->last = ngx_current_msec;

    switch (code) {

    case NGX_MEDIA_SRT_REFUSE_CONFLICT:

        /* its publisher may be one that is not there any more */

        r->until = ngx_current_msec + NGX_MEDIA_SRT_KEEP_BUSY;
        break;

    case NGX_MEDIA_SRT_REFUSE_OVERLOAD:
    case NGX_MEDIA_SRT_REFUSE_UNAVAILABLE:
    case NGX_MEDIA_SRT_REFUSE_RESOURCE:

        /* no fault of its own */

        r->until = ngx_current_msec;
        break;

    default:
        r->until = ngx_current_msec + NGX_MEDIA_SRT_KEEP;
    }

    return first;
}


/* that one, or NULL: where it may be, which is where the oldest is */

static ngx_media_srt_refusal_t *
ngx_media_srt_refusal(const ngx_media_srt_addr_t *remote, uint64_t sid,
    ngx_media_srt_refusal_t **room)
{
    uint32_t                  home;
    ngx_uint_t                i;
    ngx_media_srt_refusal_t  *r;

    *room = NULL;

    home = (uint32_t) sid ^ ngx_crc32_short((u_char *) remote->ip, 16);

    for (i = 0; i < NGX_MEDIA_SRT_PROBES; i++) {
        r = &ngx_media_srt_refusals[(home + i) & (NGX_MEDIA_SRT_REFUSALS - 1)];

        if (r->code && r->sid == sid
            && ngx_memcmp(r->ip, remote->ip, sizeof(r->ip)) == 0)
        {
            return r;
        }

        if (*room == NULL
            || ((*room)->code
                && (r->code == 0
                    || (ngx_msec_int_t) (r->last - (*room)->last) < 0)))
        {
            *room = r;
        }
    }

    return NULL;
}


/*
 * Access checks, and the key that is made of a passphrase, cost something.  One
 * address, with ever new stream ids, must not use up what there is: it may have
 * half of what others leave, so the first one 50, the next one 25 ...
 */

const char *
ngx_media_srt_hurries(const ngx_media_srt_addr_t *remote)
{
    ngx_media_srt_share_t  *share;

    static ngx_uint_t       asks, n;
    static ngx_msec_t       since;

    if (ngx_current_msec - since >= 1000) {
        since = ngx_current_msec;
        asks = 0;
        n = 0;
    }

    if (asks == NGX_MEDIA_SRT_ASKS) {
        return "too many callers at a time";
    }

    share = ngx_media_srt_share(remote, &n);

    if (share->asks >= NGX_MEDIA_SRT_ASKS - asks) {
        return "too many callers of one address at a time";
    }

    share->asks++;
    asks++;

    return NULL;
}


/* of the first n, or the next one; who has IPv6 has all of a /64 */

static ngx_media_srt_share_t *
ngx_media_srt_share(const ngx_media_srt_addr_t *remote, ngx_uint_t *n)
{
    size_t                  len;
    ngx_uint_t              i;
    ngx_media_srt_share_t  *share;

    static const u_char     mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                           0xff, 0xff };

    len = (ngx_memcmp(remote->ip, mapped, sizeof(mapped)) == 0) ? 16 : 8;

    for (i = 0; i < *n; i++) {
        share = &ngx_media_srt_shares[i];

        if (share->len == len && ngx_memcmp(share->ip, remote->ip, len) == 0) {
            return share;
        }
    }

    share = &ngx_media_srt_shares[(*n)++];

    ngx_memzero(share, sizeof(ngx_media_srt_share_t));
    ngx_memcpy(share->ip, remote->ip, len);
    share->len = len;

    return share;
}
