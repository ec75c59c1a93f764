
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What sessions there are, for whoever asks: nothing here changes them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session_shm.h"


static ngx_int_t ngx_media_session_copy(ngx_media_sessions_t *sessions,
    uint32_t slot, ngx_media_session_info_t *info);


static const ngx_str_t  ngx_media_session_bys[] = {
    ngx_string("address"), ngx_string("key"), ngx_string("token"),
    ngx_string("sid")
};

static const ngx_str_t  ngx_media_session_protocols[] = {
    ngx_string("unknown"), ngx_string("hls"), ngx_string("dash"),
    ngx_string("file"), ngx_string("flv"), ngx_string("rtmp"),
    ngx_string("srt")
};


void
ngx_media_session_info(const ngx_media_sessions_t *sessions,
    const ngx_media_session_shm_t *s, ngx_media_session_info_t *info)
{
    size_t                               len;
    u_char                              *p;
    uint32_t                             now, seen;
    const ngx_media_session_name_shm_t  *app;

    now = ngx_media_session_now();

    info->id = s->id;
    info->viewer = s->shown_viewer;
    info->address = 0;

    /* it was made before a reload, perhaps, that has made this less */

    if (sessions->address != NGX_MEDIA_SESSION_ADDRESS_OFF) {
        info->address = s->shown_address;
    }

    app = &sessions->sh->apps[s->app % NGX_MEDIA_SESSION_APPS];
    info->app.data = (u_char *) app->name;
    info->app.len = app->len;

    len = ngx_min(s->name_len, NGX_MEDIA_SESSION_NAME);
    p = ngx_cpymem(info->text, s->name, len);

    info->name.data = info->text;
    info->name.len = len;
    info->cut = (s->name_len > len);

    info->plain.data = p;
    info->plain.len = 0;

    if (s->plain_len && sessions->address == NGX_MEDIA_SESSION_ADDRESS_PLAIN
        && inet_ntop(s->plain_len == 4 ? AF_INET : AF_INET6, s->plain,
                     (char *) p, NGX_SOCKADDR_STRLEN))
    {
        info->plain.len = ngx_strlen(p);
    }

    info->by = s->by;
    info->protocol = s->protocol;
    info->agent = s->agent;

    info->started = ngx_media_session_wall(sessions->sh, s->started);

    /* of one that may be silent for longer than others it is later than now */

    seen = ngx_media_peek(&s->seen);
    info->seen = ngx_media_session_wall(sessions->sh,
                                        ngx_media_session_age(seen, now)
                                        ? now : seen);
    info->banned = ngx_media_session_age(s->banned, now)
                   ? ngx_media_session_wall(sessions->sh, s->banned) : 0;

    info->bytes = s->bytes;
    info->watch = s->watch;
    info->requests = s->requests;
    info->hook = s->hook;

    info->confirmed = (s->flags & NGX_MEDIA_SESSION_CONFIRMED) != 0;
    info->native = (s->flags & NGX_MEDIA_SESSION_NATIVE) != 0;
    info->kicked = (s->flags & NGX_MEDIA_SESSION_KICKED) != 0;
}


/*
 * The clocks are read at two moments, and ours in larger steps: what is between
 * them is kept until somebody has set one of them.
 */

int64_t
ngx_media_session_wall(ngx_media_sessions_shm_t *sh, uint32_t then)
{
    int64_t      wall, kept, now;
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    wall = (int64_t) tp->sec * 1000 + tp->msec - (int64_t) ngx_current_msec;
    kept = ngx_media_load(&sh->wall);

    if (ngx_abs(wall - kept) > 1000) {
        ngx_media_store(&sh->wall, wall);
        kept = wall;
    }

    now = ngx_current_msec / NGX_MEDIA_SESSION_UNIT;

    return kept + (now + (int32_t) (then - ngx_media_session_now()))
                  * NGX_MEDIA_SESSION_UNIT;
}


/* all of it at one moment, or NGX_DECLINED: it has gone */

static ngx_int_t
ngx_media_session_copy(ngx_media_sessions_t *sessions, uint32_t slot,
    ngx_media_session_info_t *info)
{
    uint64_t                   tag;
    ngx_media_session_shm_t    copy;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    tag = ngx_media_load(&sh->tags[slot]);

    if (tag == 0
        || ngx_media_session_over(sessions, ngx_media_session_now(), slot))
    {
        return NGX_DECLINED;
    }

    copy = sh->slots[slot];

    ngx_media_fence_acquire();

    if (ngx_media_peek(&sh->tags[slot]) != tag) {
        return NGX_DECLINED;
    }

    ngx_media_session_info(sessions, &copy, info);

    return NGX_OK;
}


ngx_int_t
ngx_media_session_walk(ngx_media_sessions_t *sessions, uint64_t stream,
    ngx_uint_t *cursor, ngx_media_session_info_t *info)
{
    ngx_uint_t                 slot;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    for (slot = *cursor; slot < sh->nslots; slot++) {

        if (ngx_media_peek(&sh->tags[slot]) == 0
            || (stream && sh->slots[slot].stream != stream))
        {
            continue;
        }

        if (ngx_media_session_copy(sessions, slot, info) == NGX_OK) {
            *cursor = slot + 1;
            return NGX_OK;
        }
    }

    *cursor = slot;

    return NGX_DONE;
}


ngx_int_t
ngx_media_session_find(ngx_media_sessions_t *sessions, uint64_t id,
    ngx_media_session_info_t *info)
{
    uint32_t                   slot;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;

    for (slot = 0; id && slot < sh->nslots; slot++) {

        if (ngx_media_peek(&sh->slots[slot].id) == id
            && ngx_media_session_copy(sessions, slot, info) == NGX_OK
            && info->id == id)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_media_session_count(ngx_media_sessions_t *sessions, uint64_t stream,
    ngx_media_session_count_t *count)
{
    ngx_media_sessions_lock(sessions);
    ngx_media_session_count_locked(sessions->sh, stream, count);
    ngx_media_sessions_unlock(sessions);
}


ngx_int_t
ngx_media_session_app(ngx_media_sessions_t *sessions, ngx_uint_t i,
    ngx_media_session_app_t *app)
{
    ngx_uint_t                     n;
    ngx_media_sessions_shm_t      *sh;
    ngx_media_session_lane_shm_t  *lane;

    sh = sessions->sh;

    if (i >= ngx_media_load(&sh->napps)) {
        return NGX_DONE;
    }

    ngx_memzero(app, sizeof(ngx_media_session_app_t));

    app->name.data = sh->apps[i].name;
    app->name.len = sh->apps[i].len;

    lane = &sh->lanes[i * NGX_MEDIA_SESSION_LANES];

    for (n = 0; n < NGX_MEDIA_SESSION_LANES; n++) {
        app->made += ngx_media_peek(&lane[n].made);
        app->refused += ngx_media_peek(&lane[n].refused);
        app->limited += ngx_media_peek(&lane[n].limited);
        app->banned += ngx_media_peek(&lane[n].banned);
        app->watch += ngx_media_peek(&lane[n].watch);
    }

    ngx_media_sessions_lock(sessions);

    for (n = 0; n < NGX_MEDIA_SESSION_PROTOCOLS; n++) {
        app->viewers[n] = sh->viewers[i][n];
    }

    ngx_media_sessions_unlock(sessions);

    return NGX_OK;
}


void
ngx_media_session_stat(ngx_media_sessions_t *sessions,
    ngx_media_session_stat_t *stat)
{
    uint32_t                   now;
    ngx_uint_t                 i, n;
    ngx_media_session_app_t    app;
    ngx_media_sessions_shm_t  *sh;

    sh = sessions->sh;
    now = ngx_media_session_now();

    ngx_memzero(stat, sizeof(ngx_media_session_stat_t));

    for (i = 0; ngx_media_session_app(sessions, i, &app) == NGX_OK; i++) {

        stat->made += app.made;
        stat->refused += app.refused;

        for (n = 0; n < NGX_MEDIA_SESSION_PROTOCOLS; n++) {
            stat->viewers += app.viewers[n];
        }
    }

    ngx_media_sessions_lock(sessions);

    stat->slots = sh->nslots;
    stat->used = sh->used;

    /* those that are over may not have been swept yet */

    for (i = 0; sh->nbans && i < NGX_MEDIA_SESSION_BANS; i++) {
        stat->bans += sh->ban_keys[i]
                      && ngx_media_session_age(sh->bans[i].until, now);
    }

    ngx_media_sessions_unlock(sessions);
}


const ngx_str_t *
ngx_media_session_by_name(ngx_uint_t by)
{
    return &ngx_media_session_bys[by < NGX_MEDIA_SESSION_BYS ? by : 0];
}


const ngx_str_t *
ngx_media_session_protocol_name(ngx_uint_t protocol)
{
    return &ngx_media_session_protocols[protocol < NGX_MEDIA_SESSION_PROTOCOLS
                                        ? protocol : 0];
}
