
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @srt */


/*
 * The input is a datagram.  Its body is read as what it says it is, and what
 * was found is written, and read again.
 */


#include "formats/ngx_media_srt_control.h"
#include "formats/ngx_media_srt_handshake.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int expr)
{
    if (!expr) {
        abort();
    }
}


static void
inside(const ngx_media_span_t *span, const u_char *pos, const u_char *last)
{
    check(span->pos <= span->last);
    check(span->pos == NULL || (span->pos >= pos && span->last <= last));
}


static void
test_km(const u_char *pos, const u_char *last)
{
    size_t              size;
    u_char              buf[NGX_MEDIA_SRT_KM_SIZE];
    ngx_media_srt_km_t  km, again;

    if (ngx_media_srt_km_parse(&km, pos, last) != NGX_OK) {
        return;
    }

    inside(&km.salt, pos, last);
    inside(&km.wrapped, pos, last);

    size = ngx_media_srt_km_write(NULL, &km);

    check(size == (size_t) (last - pos) && size <= sizeof(buf));
    check(ngx_media_srt_km_write(buf, &km) == size);
    check(ngx_media_srt_km_parse(&again, buf, buf + size) == NGX_OK);
    check(again.kk == km.kk && again.key == km.key);
    check(memcmp(again.wrapped.pos, km.wrapped.pos,
                 km.wrapped.last - km.wrapped.pos) == 0);
}


static void
test_answers(const ngx_media_srt_handshake_t *hs)
{
    size_t                      size;
    u_char                      buf[NGX_MEDIA_SRT_ACCEPT_SIZE], *end;
    ngx_media_srt_accept_t      accept;
    ngx_media_srt_handshake_t   again;
    ngx_media_srt_refuse_e      refuse;

    end = ngx_media_srt_induction_write(buf, hs, 7, 0);

    check(end == buf + NGX_MEDIA_SRT_HANDSHAKE_SIZE);
    check(ngx_media_srt_handshake_parse(&again, buf + 16, end) == NGX_OK);
    check(again.id == hs->id && again.cookie == 7 && again.isn == hs->isn);

    refuse = ngx_media_srt_handshake_check(hs);
    check(ngx_media_srt_refuse_text(refuse) != NULL);

    end = ngx_media_srt_refuse_write(buf, hs, refuse, 0);
    check(end == buf + NGX_MEDIA_SRT_HANDSHAKE_SIZE);

    memset(&accept, 0, sizeof(accept));
    accept.id = 1;
    accept.km = hs->km;

    size = ngx_media_srt_accept_write(NULL, hs, &accept, 0);

    check(size <= sizeof(buf));
    check(ngx_media_srt_accept_write(buf, hs, &accept, 0) == size);
    check(ngx_media_srt_handshake_parse(&again, buf + 16, buf + size)
          == NGX_OK);
    check(again.km.last - again.km.pos == hs->km.last - hs->km.pos);
}


static void
test_handshake(const u_char *pos, const u_char *last)
{
    ngx_media_srt_handshake_t  hs;

    if (ngx_media_srt_handshake_parse(&hs, pos, last) != NGX_OK) {
        return;
    }

    check(hs.sid_len <= NGX_MEDIA_SRT_SID_MAX);
    check(hs.sid_len == 0 || hs.sid[hs.sid_len - 1] != '\0');
    inside(&hs.km, pos, last);

    test_answers(&hs);

    if (hs.km.pos) {
        test_km(hs.km.pos, hs.km.last);
    }
}


static void
test_ack(const u_char *pos, const u_char *last)
{
    u_char               buf[NGX_MEDIA_SRT_ACK_SIZE], *end;
    ngx_media_srt_ack_t  ack, again;

    if (ngx_media_srt_ack_parse(&ack, pos, last) != NGX_OK) {
        return;
    }

    check(ack.words >= 1 && ack.words <= 7);

    end = ngx_media_srt_ack_write(buf, &ack);
    check(end == buf + sizeof(buf));

    check(ngx_media_srt_ack_parse(&again, buf, end) == NGX_OK);
    check(again.seq == ack.seq && again.buffer == ack.buffer);
}


static void
test_nak(const u_char *pos, const u_char *last)
{
    u_char            *buf, *p;
    uint32_t           from, to;
    ngx_int_t          rc;
    ngx_media_span_t   list;

    /* never longer than it was */

    buf = malloc(last - pos + 1);
    p = buf;

    list.pos = pos;
    list.last = last;

    for ( ;; ) {
        rc = ngx_media_srt_nak_next(&list, &from, &to);
        if (rc != NGX_OK) {
            break;
        }

        check(from <= NGX_MEDIA_SRT_SEQ_MAX && to <= NGX_MEDIA_SRT_SEQ_MAX);
        check(ngx_media_srt_seq_diff(to, from) >= 0);
        check(ngx_media_srt_nak_add(&p, buf + (last - pos), from, to)
              == NGX_OK);
    }

    check(rc == NGX_ERROR || list.pos == last);

    free(buf);
}


static void
test_dropreq(const u_char *pos, const u_char *last)
{
    u_char    buf[NGX_MEDIA_SRT_DROPREQ_SIZE];
    uint32_t  from, to;

    if (ngx_media_srt_dropreq_parse(pos, last, &from, &to) == NGX_OK) {
        (void) ngx_media_srt_dropreq_write(buf, from, to);
        check(memcmp(buf, pos, sizeof(buf)) == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                    buf[NGX_MEDIA_SRT_HEADER];
    ngx_media_srt_packet_t    packet;
    ngx_media_srt_control_t  *control;

    if (ngx_media_srt_parse(&packet, data, data + size) != NGX_OK) {
        return 0;
    }

    check(ngx_media_srt_dst(data, data + size)
          == (packet.control ? packet.u.control.dst : packet.u.data.dst));

    if (!packet.control) {
        (void) ngx_media_srt_put_data_header(buf, &packet.u.data);
        check(memcmp(buf, data, sizeof(buf)) == 0);
        return 0;
    }

    control = &packet.u.control;

    (void) ngx_media_srt_put_header(buf, control->type, control->subtype,
                                    control->info, control->ts, control->dst);
    check(memcmp(buf, data, sizeof(buf)) == 0);

    switch (control->type) {

    case NGX_MEDIA_SRT_HANDSHAKE:
        test_handshake(control->pos, control->last);
        break;

    case NGX_MEDIA_SRT_ACK:
        test_ack(control->pos, control->last);
        break;

    case NGX_MEDIA_SRT_NAK:
        test_nak(control->pos, control->last);
        break;

    case NGX_MEDIA_SRT_DROPREQ:
        test_dropreq(control->pos, control->last);
        break;

    case NGX_MEDIA_SRT_EXT:
        test_km(control->pos, control->last);
        break;
    }

    return 0;
}
