
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * A ban is there with the store of its id, which is last, and gone with that of
 * 0.  So who dies in between leaves nothing to repair: what is behind "used",
 * which goes up before that, and down by the clock of whoever looks, is room,
 * whatever it holds.  Ends are of the clock that all processes have and nobody
 * sets, but each of them reads it at moments of its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_ban.h"
#include "memory/ngx_media_sync.h"


typedef struct {
    uint64_t                  id;             /* 0: it is free */
    uint64_t                  until;          /* ngx_current_msec then */
    int64_t                   since;          /* ms since the unix epoch */
    uint32_t                  actions;
    uint32_t                  bits;
    u_char                    address[16];
    uint32_t                  name_len;
    u_char                    name[NGX_MEDIA_NAME_MAX];
} ngx_media_ban_shm_t;


/* all of it is guarded by the lock */

struct ngx_media_bans_shm_s {
    ngx_media_lock_t          lock;
    uint32_t                  used;           /* [atomic] all behind are free */
    uint64_t                  number;         /* of bans so far */
    int64_t                   wall;           /* ms since the unix epoch, when
                                                 ngx_current_msec was 0 */
    ngx_media_ban_shm_t       bans[NGX_MEDIA_BANS];
};


static ngx_uint_t ngx_media_ban_over(const ngx_media_ban_shm_t *ban);
static ngx_media_ban_shm_t *ngx_media_ban_find_locked(
    ngx_media_bans_shm_t *bans, const ngx_media_ban_t *ban,
    ngx_media_ban_shm_t **room);
static void ngx_media_ban_fill_locked(ngx_media_bans_shm_t *bans,
    ngx_media_ban_shm_t *b, const ngx_media_ban_t *ban, ngx_msec_t time);
static ngx_uint_t ngx_media_ban_same(const ngx_media_ban_shm_t *b,
    const ngx_media_ban_t *ban);
static int64_t ngx_media_ban_until_locked(ngx_media_bans_shm_t *bans,
    const ngx_media_ban_shm_t *b);
static ngx_uint_t ngx_media_ban_meets(const ngx_media_ban_shm_t *ban,
    ngx_uint_t action, const ngx_str_t *name,
    const ngx_media_network_t *network);
static uint64_t ngx_media_ban_id(ngx_media_bans_shm_t *bans);


size_t
ngx_media_bans_size(void)
{
    return sizeof(ngx_media_bans_shm_t);
}


ngx_int_t
ngx_media_bans_add(ngx_media_bans_shm_t *bans, ngx_media_ban_t *ban,
    ngx_msec_t time)
{
    ngx_int_t             rc;
    ngx_media_ban_shm_t  *b, *room;

    rc = NGX_OK;

    (void) ngx_media_lock(&bans->lock);

    b = ngx_media_ban_find_locked(bans, ban, &room);

    ban->since = ngx_media_wall_msec();
    ban->until = ban->since + (int64_t) time;

    if (b) {
        ban->id = b->id;
        ban->since = b->since;

        ngx_media_store(&b->until, ngx_current_msec + time);

    } else if (room) {
        ban->id = ngx_media_ban_id(bans);

        ngx_media_ban_fill_locked(bans, room, ban, time);

    } else {
        rc = NGX_BUSY;
    }

    ngx_media_unlock(&bans->lock);

    return rc;
}


static void
ngx_media_ban_fill_locked(ngx_media_bans_shm_t *bans, ngx_media_ban_shm_t *b,
    const ngx_media_ban_t *ban, ngx_msec_t time)
{
    /* nothing of what follows is done before */

    (void) ngx_media_exchange(&b->id, 0);

    if (b - bans->bans >= (ssize_t) bans->used) {
        ngx_media_store(&bans->used, (uint32_t) (b - bans->bans) + 1);
    }

    b->until = ngx_current_msec + time;
    b->since = ban->since;
    b->actions = ban->actions;
    b->bits = ban->network.bits;
    ngx_memcpy(b->address, ban->network.address, sizeof(b->address));
    b->name_len = ban->name.len;
    ngx_memcpy(b->name, ban->name.data, ban->name.len);

    ngx_media_store(&b->id, ban->id);
}


static ngx_uint_t
ngx_media_ban_over(const ngx_media_ban_shm_t *ban)
{
    return (ngx_msec_int_t) ((ngx_msec_t) ban->until - ngx_current_msec) <= 0;
}


/* one that says the same, or NULL: where it may be; room NULL: nowhere */

static ngx_media_ban_shm_t *
ngx_media_ban_find_locked(ngx_media_bans_shm_t *bans,
    const ngx_media_ban_t *ban, ngx_media_ban_shm_t **room)
{
    ngx_uint_t            i;
    ngx_media_ban_shm_t  *b;

    *room = NULL;

    for (i = 0; i < bans->used; i++) {
        b = &bans->bans[i];

        if (b->id == 0 || ngx_media_ban_over(b)) {
            *room = *room ? *room : b;
            continue;
        }

        if (ngx_media_ban_same(b, ban)) {
            return b;
        }
    }

    if (*room == NULL && i < NGX_MEDIA_BANS) {
        *room = &bans->bans[i];
    }

    return NULL;
}


static ngx_uint_t
ngx_media_ban_same(const ngx_media_ban_shm_t *b, const ngx_media_ban_t *ban)
{
    return b->actions == ban->actions
           && b->bits == ban->network.bits
           && ngx_memcmp(b->address, ban->network.address, sizeof(b->address))
              == 0
           && b->name_len == ban->name.len
           && ngx_memcmp(b->name, ban->name.data, ban->name.len) == 0;
}


/* the number keeps those of a table apart, the rest those of several */

static uint64_t
ngx_media_ban_id(ngx_media_bans_shm_t *bans)
{
    uint64_t  id;

    do {
        id = (uint64_t) ngx_random() << 33 ^ (uint64_t) ngx_random() << 16;
        id = (id & ~(uint64_t) 0xffff) | (++bans->number & 0xffff);
    } while (id == 0);

    return id;
}


ngx_int_t
ngx_media_bans_remove(ngx_media_bans_shm_t *bans, uint64_t id)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_media_ban_shm_t  *b;

    if (id == 0) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    (void) ngx_media_lock(&bans->lock);

    for (i = 0; i < bans->used; i++) {
        b = &bans->bans[i];

        if (b->id == id) {
            rc = ngx_media_ban_over(b) ? NGX_DECLINED : NGX_OK;
            ngx_media_store(&b->id, 0);
            break;
        }
    }

    ngx_media_unlock(&bans->lock);

    return rc;
}


ngx_int_t
ngx_media_bans_walk(ngx_media_bans_shm_t *bans, ngx_uint_t *cursor,
    ngx_media_ban_t *ban)
{
    ngx_int_t             rc;
    ngx_media_ban_shm_t  *b;

    rc = NGX_DONE;

    (void) ngx_media_lock(&bans->lock);

    while (rc == NGX_DONE && *cursor < bans->used) {
        b = &bans->bans[(*cursor)++];

        if (b->id == 0 || ngx_media_ban_over(b)) {
            continue;
        }

        ban->id = b->id;
        ban->actions = b->actions;
        ban->since = b->since;
        ban->until = ngx_media_ban_until_locked(bans, b);
        ban->network.bits = b->bits;
        ngx_memcpy(ban->network.address, b->address, sizeof(b->address));
        ban->name.data = ban->text;
        ban->name.len = ngx_min(b->name_len, NGX_MEDIA_NAME_MAX);
        ngx_memcpy(ban->text, b->name, ban->name.len);

        rc = NGX_OK;
    }

    ngx_media_unlock(&bans->lock);

    return rc;
}


/*
 * The same whenever it is asked for: the clocks are read at two moments, so
 * what is between them is kept until somebody has set one of them.
 */

static int64_t
ngx_media_ban_until_locked(ngx_media_bans_shm_t *bans,
    const ngx_media_ban_shm_t *b)
{
    int64_t     wall;
    ngx_msec_t  left;

    wall = ngx_media_wall_msec() - (int64_t) ngx_current_msec;

    if (ngx_abs(wall - bans->wall) > 1000) {
        bans->wall = wall;
    }

    left = (ngx_msec_t) b->until - ngx_current_msec;

    return bans->wall + (int64_t) ngx_current_msec + (int64_t) left;
}


ngx_int_t
ngx_media_bans_look(ngx_media_bans_shm_t *bans, ngx_uint_t action,
    const ngx_str_t *name, const ngx_media_network_t *network,
    const char **reason)
{
    ngx_int_t             rc;
    ngx_uint_t            i, used;
    ngx_media_ban_shm_t  *b;

    if (ngx_media_load(&bans->used) == 0) {
        return NGX_OK;
    }

    rc = NGX_OK;
    used = 0;

    (void) ngx_media_lock(&bans->lock);

    for (i = 0; i < bans->used; i++) {
        b = &bans->bans[i];

        if (b->id == 0 || ngx_media_ban_over(b)) {
            continue;
        }

        used = i + 1;

        if (!ngx_media_ban_meets(b, action, name, network)) {
            continue;
        }

        *reason = b->name_len ? "the stream's name is banned for a while"
                              : "the address is banned for a while";
        rc = NGX_DECLINED;
        break;
    }

    /* once they are over they cost nothing */

    if (rc == NGX_OK && used < bans->used) {
        ngx_media_store(&bans->used, (uint32_t) used);
    }

    ngx_media_unlock(&bans->lock);

    return rc;
}


static ngx_uint_t
ngx_media_ban_meets(const ngx_media_ban_shm_t *ban, ngx_uint_t action,
    const ngx_str_t *name, const ngx_media_network_t *network)
{
    u_char    mask;
    uint32_t  bytes, rest;

    if (!(ban->actions & action)) {
        return 0;
    }

    if (ban->name_len
        && (ban->name_len != name->len
            || ngx_memcmp(ban->name, name->data, name->len) != 0))
    {
        return 0;
    }

    if (ban->bits == 0) {
        return ban->name_len != 0;
    }

    if (network == NULL) {
        return 0;
    }

    bytes = ban->bits / 8;
    rest = ban->bits % 8;
    mask = (u_char) (0xff00 >> rest);

    return ngx_memcmp(ban->address, network->address, bytes) == 0
           && (rest == 0
               || ((ban->address[bytes] ^ network->address[bytes]) & mask)
                  == 0);
}


ngx_uint_t
ngx_media_ban_hits(const ngx_media_ban_t *ban, ngx_uint_t action,
    const ngx_str_t *name, const ngx_media_network_t *network)
{
    ngx_media_ban_shm_t  b;

    b.actions = ban->actions;
    b.bits = ban->network.bits;
    ngx_memcpy(b.address, ban->network.address, sizeof(b.address));
    b.name_len = ban->name.len;

    if (ban->name.len) {
        ngx_memcpy(b.name, ban->name.data, ban->name.len);
    }

    return ngx_media_ban_meets(&b, action, name, network);
}
