
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_scte35.h"
#include "formats/ngx_media_ts.h"


#define NGX_MEDIA_SCTE35_TABLE        0xfc

/* bytes before the command, 9.6, and behind it: descriptor_loop_length, CRC */
#define NGX_MEDIA_SCTE35_HEADER       14
#define NGX_MEDIA_SCTE35_TRAILER      6

/* splice_command_type, table 6 */
#define NGX_MEDIA_SCTE35_INSERT       0x05
#define NGX_MEDIA_SCTE35_NULL         0x00
#define NGX_MEDIA_SCTE35_TIME_SIGNAL  0x06
#define NGX_MEDIA_SCTE35_BANDWIDTH    0x07

/* splice_insert(), 9.7.3: bytes up to its flags, and up to splice_time() */
#define NGX_MEDIA_SCTE35_EVENT        5
#define NGX_MEDIA_SCTE35_FLAGS        6


static uint64_t ngx_media_scte35_33(const u_char *p);
static ngx_int_t ngx_media_scte35_splice_time(uint64_t *time,
    const u_char *pos, const u_char *last);


ngx_int_t
ngx_media_scte35_time(uint64_t *time, const u_char *pos, const u_char *last)
{
    ngx_int_t      rc;
    ngx_uint_t     type;
    const u_char  *p;

    if (last - pos < NGX_MEDIA_SCTE35_HEADER + NGX_MEDIA_SCTE35_TRAILER
        || pos[0] != NGX_MEDIA_SCTE35_TABLE)
    {
        return NGX_ERROR;
    }

    /* protocol_version; encrypted_packet */

    if (pos[3] != 0 || (pos[4] & 0x80)) {
        return NGX_DECLINED;
    }

    type = pos[13];
    p = pos + NGX_MEDIA_SCTE35_HEADER;
    last -= NGX_MEDIA_SCTE35_TRAILER;

    switch (type) {

    case NGX_MEDIA_SCTE35_INSERT:

        if (last - p < NGX_MEDIA_SCTE35_EVENT) {
            return NGX_ERROR;
        }

        /* splice_event_cancel_indicator */

        if (p[4] & 0x80) {
            return NGX_DECLINED;
        }

        if (last - p < NGX_MEDIA_SCTE35_FLAGS) {
            return NGX_ERROR;
        }

        /* program_splice_flag, splice_immediate_flag */

        if ((p[5] & 0x50) != 0x40) {
            return NGX_DECLINED;
        }

        p += NGX_MEDIA_SCTE35_FLAGS;
        break;

    case NGX_MEDIA_SCTE35_TIME_SIGNAL:
        break;

    default:
        return NGX_DECLINED;
    }

    rc = ngx_media_scte35_splice_time(time, p, last);

    if (rc == NGX_OK) {
        *time = (*time + ngx_media_scte35_33(pos + 4))
                & NGX_MEDIA_TS_TIME_MASK;
    }

    return rc;
}


ngx_uint_t
ngx_media_scte35_idle(const u_char *pos, const u_char *last)
{
    if (last - pos < NGX_MEDIA_SCTE35_HEADER + NGX_MEDIA_SCTE35_TRAILER
        || pos[0] != NGX_MEDIA_SCTE35_TABLE || pos[3] != 0 || (pos[4] & 0x80))
    {
        return 0;
    }

    return pos[13] == NGX_MEDIA_SCTE35_NULL
           || pos[13] == NGX_MEDIA_SCTE35_BANDWIDTH;
}


/* 33 bits behind 7 others */

static uint64_t
ngx_media_scte35_33(const u_char *p)
{
    return (uint64_t) (p[0] & 1) << 32 | ngx_media_get_be32(p + 1);
}


/* 9.8.1 */

static ngx_int_t
ngx_media_scte35_splice_time(uint64_t *time, const u_char *pos,
    const u_char *last)
{
    if (pos == last) {
        return NGX_ERROR;
    }

    /* time_specified_flag */

    if (!(pos[0] & 0x80)) {
        return NGX_DECLINED;
    }

    if (last - pos < 5) {
        return NGX_ERROR;
    }

    *time = ngx_media_scte35_33(pos);

    return NGX_OK;
}
