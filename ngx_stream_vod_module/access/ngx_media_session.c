
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_session.h"


ngx_media_sessions_t *
ngx_media_sessions_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    ngx_msec_t timeout, ngx_uint_t address)
{
    return NULL;
}


ngx_int_t
ngx_media_session_ended_add(ngx_conf_t *cf, ngx_media_session_ended_pt handler)
{
    return NGX_OK;
}


ngx_media_sessions_t *
ngx_media_sessions_get(ngx_cycle_t *cycle)
{
    return NULL;
}


ngx_int_t
ngx_media_session_look(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who, ngx_media_session_state_t *state)
{
    ngx_memzero(state, sizeof(ngx_media_session_state_t));

    return NGX_DECLINED;
}


ngx_int_t
ngx_media_session_make(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, ngx_media_session_state_t *state,
    const char **reason)
{
    ngx_memzero(state, sizeof(ngx_media_session_state_t));

    return NGX_BUSY;
}


ngx_int_t
ngx_media_session_ask(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who,
    const ngx_media_session_limit_t *limit, const char **reason)
{
    return NGX_OK;
}


ngx_int_t
ngx_media_session_touch(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, const ngx_media_session_sent_t *sent)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_media_session_admit(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref, time_t valid)
{
    return NGX_DECLINED;
}


void
ngx_media_session_close(ngx_media_sessions_t *sessions,
    const ngx_media_session_ref_t *ref)
{
    /* void */
}


void
ngx_media_session_refused(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who)
{
    /* void */
}


uint64_t
ngx_media_session_viewer(ngx_media_sessions_t *sessions,
    const ngx_media_session_who_t *who)
{
    return 0;
}


uint64_t
ngx_media_session_stream(ngx_media_sessions_t *sessions, const ngx_str_t *app,
    const ngx_str_t *name)
{
    return 0;
}


ngx_int_t
ngx_media_session_walk(ngx_media_sessions_t *sessions, uint64_t stream,
    ngx_uint_t *cursor, ngx_media_session_info_t *info)
{
    return NGX_DONE;
}


ngx_int_t
ngx_media_session_find(ngx_media_sessions_t *sessions, uint64_t id,
    ngx_media_session_info_t *info)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_media_session_end(ngx_media_sessions_t *sessions, uint64_t id, time_t ban)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_media_session_bans(ngx_media_sessions_t *sessions, ngx_uint_t *cursor,
    ngx_media_session_ban_t *ban)
{
    return NGX_DONE;
}


ngx_int_t
ngx_media_session_unban(ngx_media_sessions_t *sessions, uint64_t id)
{
    return NGX_DECLINED;
}


void
ngx_media_session_count(ngx_media_sessions_t *sessions, uint64_t stream,
    ngx_media_session_count_t *count)
{
    ngx_memzero(count, sizeof(ngx_media_session_count_t));
}


ngx_int_t
ngx_media_session_app(ngx_media_sessions_t *sessions, ngx_uint_t i,
    ngx_media_session_app_t *app)
{
    return NGX_DONE;
}


void
ngx_media_session_stat(ngx_media_sessions_t *sessions,
    ngx_media_session_stat_t *stat)
{
    ngx_memzero(stat, sizeof(ngx_media_session_stat_t));
}


const ngx_str_t *
ngx_media_session_by_name(ngx_uint_t by)
{
    static const ngx_str_t  names[] = {
        ngx_string("address"), ngx_string("key"), ngx_string("token"),
        ngx_string("sid")
    };

    return &names[by < NGX_MEDIA_SESSION_BYS ? by : 0];
}


const ngx_str_t *
ngx_media_session_protocol_name(ngx_uint_t protocol)
{
    static const ngx_str_t  names[] = {
        ngx_string("unknown"), ngx_string("hls"), ngx_string("dash"),
        ngx_string("file"), ngx_string("flv"), ngx_string("rtmp")
    };

    return &names[protocol < NGX_MEDIA_SESSION_PROTOCOLS ? protocol : 0];
}
