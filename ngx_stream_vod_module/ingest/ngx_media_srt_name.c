
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The stream id of a caller: which stream, what for, and what access checks are
 * to look at.  One that names an application names ours.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "formats/ngx_media_srt_sid.h"
#include "ingest/ngx_media_srt_session.h"


static ngx_int_t ngx_media_srt_name_copy(ngx_media_srt_session_t *session,
    const ngx_media_srt_sid_t *sid);
static ngx_int_t ngx_media_srt_name_role(ngx_media_srt_session_t *session,
    const ngx_media_srt_sid_t *sid);


/* by ngx_media_srt_mode_e; NULL: there are none */

static const ngx_media_srt_role_t  *ngx_media_srt_roles[] = {
    NULL,
    &ngx_media_srt_publish_role,
    &ngx_media_srt_play_role
};


ngx_int_t
ngx_media_srt_name(ngx_media_srt_session_t *session)
{
    ngx_int_t             rc;
    const char           *reason;
    const u_char         *pos;
    ngx_media_srt_sid_t  *sid;

    /* it is too large for the stack, and for a session */

    sid = ngx_alloc(sizeof(ngx_media_srt_sid_t), session->connection->log);
    if (sid == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    pos = session->hs->sid;

    rc = ngx_media_srt_sid_parse(sid, pos, pos + session->hs->sid_len,
                                 &reason);
    if (rc != NGX_OK) {
        rc = ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_SID, reason);

    } else {
        ngx_media_srt_sid_trim(&sid->name, &session->conf->app->name);

        rc = ngx_media_srt_name_copy(session, sid);
    }

    if (rc == NGX_OK) {
        rc = ngx_media_srt_name_role(session, sid);
    }

    ngx_free(sid);

    return rc;
}


static ngx_int_t
ngx_media_srt_name_copy(ngx_media_srt_session_t *session,
    const ngx_media_srt_sid_t *sid)
{
    size_t   len;
    u_char  *p;

    if (sid->name.pos == sid->name.last) {

        if (session->user.value(session->user.data, NGX_MEDIA_SRT_VALUE_NAME,
                                &session->asked_for)
            != NGX_OK)
        {
            return ngx_media_srt_decline(session,
                                         NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                         "no memory");
        }

        if (session->asked_for.len == 0) {
            return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_SID,
                                         "the stream id names no stream");
        }
    }

    len = sid->name.last - sid->name.pos;

    p = ngx_pnalloc(session->connection->pool, len + sid->args_len);
    if (p == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_RESOURCE,
                                     "no memory");
    }

    if (len) {
        session->asked_for.data = p;
        session->asked_for.len = len;
        p = ngx_cpymem(p, sid->name.pos, len);
    }

    session->args.data = p;
    session->args.len = sid->args_len;
    ngx_memcpy(p, sid->args, sid->args_len);

    return NGX_OK;
}


static ngx_int_t
ngx_media_srt_name_role(ngx_media_srt_session_t *session,
    const ngx_media_srt_sid_t *sid)
{
    ngx_uint_t  mode;

    mode = sid->mode;

    if (mode == NGX_MEDIA_SRT_MODE_UNSET) {
        mode = session->conf->reads ? NGX_MEDIA_SRT_MODE_READ
                                    : NGX_MEDIA_SRT_MODE_PUBLISH;
    }

    if (mode == NGX_MEDIA_SRT_MODE_READ && !session->conf->play) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_FORBIDDEN,
                                     "media_srt_play is off");
    }

    session->role = ngx_media_srt_roles[mode];

    if (session->role == NULL) {
        return ngx_media_srt_decline(session, NGX_MEDIA_SRT_REFUSE_NOT_FOUND,
                                     "there is nothing to play here");
    }

    return NGX_OK;
}
