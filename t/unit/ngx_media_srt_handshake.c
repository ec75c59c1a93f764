
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: @srt */


#include "formats/ngx_media_srt_handshake.h"
#include "media_hex.h"
#include "tap.h"

#include <arpa/inet.h>


/* behind the header, as libsrt 1.5 sends them */

#define WINDOW       "00002000"
#define IP           "0100007f" "00000000" "00000000" "00000000"
#define BODY(version, field, isn, mtu, window, type, id, cookie)              \
    version field isn mtu window type id cookie IP

#define INDUCTION                                                             \
    BODY("00000004", "00000002", "3785ac19", "000005dc", WINDOW, "00000001",  \
         "2734d4ea", "00000000")
#define CONCLUSION(field)                                                     \
    BODY("00000005", field, "400fbfa8", "000005dc", WINDOW, "ffffffff",       \
         "3452897e", "1234abcd")

#define HSREQ  "00010003" "00010501" "000000bf" "014d02bc"
#define SID    "00050005" "6c627570" "3a687369" "6576696c" "6d65642f"         \
               "0000006f"
#define KM     "12202901" "00000000" "02000200" "00000404"                    \
               "4635ad19" "aec51c9a" "303fcb4e" "04aeff74"                    \
               "e60542a3" "47f6ccb5" "b5e185a2" "7107a17f"                    \
               "d208d6a6" "eeb4db12"
#define KMREQ  "0003000e" KM
#define FILTER "00070005" "2c636566" "736c6f63" "2c30313a" "73776f72"         \
               "0000353a"
#define FILE_  "00060001" "656c6966"
#define LIVE   "00060001" "6576696c"
#define GROUP  "00080002" "75fa9829" "01000007"


static void
test_induction(void)
{
    size_t                      len, n;
    u_char                     *p, *q, *end;
    ngx_uint_t                  wrong;
    ngx_media_srt_packet_t      packet;
    ngx_media_srt_handshake_t   hs, again;

    p = media_hex(INDUCTION, &len);

    is(ngx_media_srt_handshake_parse(&hs, p, p + len), NGX_OK, "induction");
    is(hs.version, 4, "induction: version");
    is(hs.encryption, 0, "induction: encryption");
    is(hs.field, 2, "induction: field");
    is_hex(hs.isn, 0x3785ac19, "induction: ISN");
    is(hs.mtu, 1500, "induction: MTU");
    is(hs.window, 8192, "induction: window");
    is(hs.type, NGX_MEDIA_SRT_INDUCTION, "induction: type");
    is_hex(hs.id, 0x2734d4ea, "induction: id");
    is(hs.cookie, 0, "induction: cookie");
    is_mem(hs.peer, 16, p + 32, 16, "induction: address");
    is(hs.seen, 0, "induction: no blocks");

    wrong = 0;

    for (n = 0; n < len; n++) {
        q = tap_dup(p, n);
        wrong += ngx_media_srt_handshake_parse(&again, q, q + n)
                 != NGX_DECLINED;
        free(q);
    }

    is(wrong, 0, "induction: each shorter one");

    q = malloc(NGX_MEDIA_SRT_HANDSHAKE_SIZE);
    end = ngx_media_srt_induction_write(q, &hs, 0xdeadbeef, 77);

    is(end - q, 16 + len, "answer: as long as what was asked");
    is(ngx_media_srt_parse(&packet, q, end), NGX_OK, "answer: a packet");
    is(packet.control, 1, "answer: of control");
    is(packet.u.control.type, NGX_MEDIA_SRT_HANDSHAKE, "answer: a handshake");
    is(packet.u.control.ts, 77, "answer: its time");
    is_hex(packet.u.control.dst, 0x2734d4ea, "answer: whom it is for");
    is(ngx_media_srt_handshake_parse(&again, q + 16, end), NGX_OK, "answer");
    is(again.version, 5, "answer: version");
    is_hex(again.field, 0x4a17, "answer: the magic");
    is_hex(again.isn, hs.isn, "answer: ISN");
    is(again.mtu, 1500, "answer: MTU");
    is(again.window, 8192, "answer: window");
    is(again.type, NGX_MEDIA_SRT_INDUCTION, "answer: type");
    is_hex(again.id, hs.id, "answer: id");
    is_hex(again.cookie, 0xdeadbeef, "answer: cookie");
    is_mem(again.peer, 16, hs.peer, 16, "answer: address");

    free(q);
    free(p);
}


static void
test_conclusion(void)
{
    size_t                      len, n;
    u_char                     *p, *q;
    ngx_int_t                   rc;
    ngx_uint_t                  wrong;
    ngx_media_srt_handshake_t   hs;

    p = media_hex(CONCLUSION("00020007") HSREQ SID KMREQ GROUP LIVE, &len);

    is(ngx_media_srt_handshake_parse(&hs, p, p + len), NGX_OK, "conclusion");
    is(hs.version, 5, "conclusion: version");
    is(hs.encryption, 2, "conclusion: keys of 16 bytes");
    is(hs.field, 7, "conclusion: field");
    is(hs.type, NGX_MEDIA_SRT_CONCLUSION, "conclusion: type");
    is_hex(hs.cookie, 0x1234abcd, "conclusion: cookie");
    is_hex(hs.srt, 0x010501, "conclusion: SRT 1.5.1");
    is_hex(hs.flags, 0xbf, "conclusion: flags");
    is(hs.rcv_latency, 333, "conclusion: latency as a receiver");
    is(hs.snd_latency, 700, "conclusion: latency as a sender");
    is_text(hs.sid, hs.sid_len, "publish:live/demo", "conclusion: stream id");
    ok(hs.km.last - hs.km.pos == 56 && hs.km.pos[0] == 0x12,
       "conclusion: keys");
    is_hex(hs.group, 0x75fa9829, "conclusion: group");
    is(hs.group_type, 1, "conclusion: its type");
    is(hs.group_flags, 0, "conclusion: its flags");
    is(hs.group_weight, 7, "conclusion: its weight");
    is(hs.live, 1, "conclusion: live");
    is_hex(hs.seen, 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 8,
           "conclusion: blocks");

    wrong = 0;

    for (n = 0; n < len; n++) {
        q = tap_dup(p, n);
        rc = ngx_media_srt_handshake_parse(&hs, q, q + n);

        if (n < 48) {
            wrong += rc != NGX_DECLINED;

        } else if (n == 48 || n == 64 || n == 88 || n == 148 || n == 160) {
            wrong += rc != NGX_OK;                        /* between blocks */

        } else {
            wrong += rc != NGX_ERROR;
            wrong += hs.id != 0x3452897e;
        }

        free(q);
    }

    is(wrong, 0, "conclusion: each shorter one");

    free(p);
}


static void
test_refused(void)
{
    size_t                      len;
    u_char                     *p, *q, *end;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_media_srt_handshake_t   hs, again;
    ngx_media_srt_refuse_e      refuse;

    static struct {
        const char             *hex;
        ngx_media_srt_refuse_e  refuse;
        const char             *name;
    } conclusions[] = {
        { CONCLUSION("00000001") HSREQ, 0, "HSREQ" },
        { CONCLUSION("00000000") HSREQ SID, 0, "field 0: blocks are trusted" },
        { CONCLUSION("00000007") HSREQ, 0, "a field that says too much" },
        { CONCLUSION("00000005") SID HSREQ, 0, "another order" },
        { CONCLUSION("00000005") HSREQ LIVE, 0, "congestion control \"live\"" },
        { CONCLUSION("00000001") "00010004" "00010300" "000000bf" "00780078"
          "ffffffff", 0, "a longer HSREQ, of SRT 1.3.0" },
        { CONCLUSION("00000001") HSREQ "00630000", 0,
          "a block that nobody knows" },
        { CONCLUSION("00000001") "ffff0001" "00000000" HSREQ
          "ffff0001" "00000000", 0, "two of them" },

        { BODY("00000004", "00000002", "400fbfa8", "000005dc", WINDOW,
               "ffffffff", "3452897e", "1234abcd"), 1008, "version 4" },
        { CONCLUSION("00000001") "00010003" "000102ff" "000000bf" "00780078",
          1008, "SRT 1.2.255" },
        { CONCLUSION("00000001") "00010003" "00010501" "000000e4" "00000000",
          1012, "a stream of bytes" },
        { CONCLUSION("00000005") "00010003" "00010501" "000000e4" "00000000"
          FILE_, 1013, "file mode" },
        { CONCLUSION("00000005") "00010003" "00010507" "000000a4" "00000000"
          FILE_, 1013, "file mode, of messages" },
        { CONCLUSION("00000005") HSREQ FILTER, 1014, "FEC" },
        { CONCLUSION("00000005") HSREQ GROUP, 1015, "a group" },

        { CONCLUSION("00000000"), 1004, "no blocks" },
        { CONCLUSION("00000004") SID, 1004, "no HSREQ" },
        { CONCLUSION("00000001") HSREQ HSREQ, 1004, "HSREQ twice" },
        { CONCLUSION("00000005") HSREQ SID SID, 1004, "a stream id twice" },
        { CONCLUSION("00000003") HSREQ KMREQ KMREQ, 1004, "keys twice" },
        { CONCLUSION("00000005") HSREQ FILTER FILTER, 1004, "FEC twice" },
        { CONCLUSION("00000005") HSREQ GROUP GROUP, 1004, "groups twice" },
        { CONCLUSION("00000001") "00010002" "00010501" "000000bf", 1004,
          "a short HSREQ" },
        { CONCLUSION("00000001") "0001ffff" "00010501" "000000bf" "00780078",
          1004, "a HSREQ of 262140 bytes" },
        { CONCLUSION("00000005") HSREQ "00050000", 1004,
          "a stream id without bytes" },
        { CONCLUSION("00000005") HSREQ "00060000", 1004,
          "congestion control without bytes" },
        { CONCLUSION("00000003") HSREQ "00030000", 1004,
          "keys without bytes" },
        { CONCLUSION("00000005") HSREQ "00080001" "75fa9829", 1004,
          "a short group" },
        { CONCLUSION("00000001") HSREQ "0005", 1004, "half a block" },
        { CONCLUSION("00000001") HSREQ "00", 1004, "a byte too many" },

        { BODY("00000005", "00000001", "c00fbfa8", "000005dc", WINDOW,
               "ffffffff", "3452897e", "1234abcd") HSREQ, 1004,
          "an ISN of 32 bits" },
        { BODY("00000005", "00000001", "400fbfa8", "0000001f", WINDOW,
               "ffffffff", "3452897e", "1234abcd") HSREQ, 1004,
          "an MTU of 31" },
        { BODY("00000005", "00000001", "400fbfa8", "000005dc", "00000001",
               "ffffffff", "3452897e", "1234abcd") HSREQ, 1004,
          "a window of 1" },
    };

    for (i = 0; i < sizeof(conclusions) / sizeof(conclusions[0]); i++) {
        p = media_hex(conclusions[i].hex, &len);

        rc = ngx_media_srt_handshake_parse(&hs, p, p + len);
        refuse = (rc == NGX_OK) ? ngx_media_srt_handshake_check(&hs)
                                : NGX_MEDIA_SRT_REFUSE_MALFORMED;

        ok(rc != NGX_DECLINED && refuse == conclusions[i].refuse,
           "%s: %d", conclusions[i].name, (int) refuse);

        free(p);

        if (refuse == NGX_MEDIA_SRT_ACCEPTED) {
            continue;
        }

        q = malloc(NGX_MEDIA_SRT_HANDSHAKE_SIZE);
        end = ngx_media_srt_refuse_write(q, &hs, refuse, 5);

        is(end - q, NGX_MEDIA_SRT_HANDSHAKE_SIZE, "refusal: its size");
        (void) ngx_media_srt_handshake_parse(&again, q + 16, end);
        ok(again.type == refuse && again.id == 0x3452897e
           && again.isn == hs.isn && ngx_media_srt_dst(q, end) == 0x3452897e,
           "refusal: type and id");

        free(q);
    }

    is(strcmp(ngx_media_srt_refuse_text(NGX_MEDIA_SRT_REFUSE_PASSPHRASE),
              "passphrase does not match"), 0, "1010 in words");
    ok(ngx_media_srt_refuse_text(4711) != NULL, "and what has none");
}


/* text of each length, as libsrt packs it */

static void
test_sid(void)
{
    size_t                      n, words, i;
    u_char                     *p;
    ngx_int_t                   rc;
    ngx_uint_t                  wrong;
    ngx_media_srt_handshake_t   hs;

    wrong = 0;

    for (n = 1; n <= NGX_MEDIA_SRT_SID_MAX + 1; n++) {
        words = (n + 3) / 4;

        p = calloc(1, 48 + 4 + words * 4);

        p[3] = 5;
        p[15] = p[14] = 0xff;
        p[19] = 0xff;
        memset(p + 20, 0xff, 4);

        p[49] = NGX_MEDIA_SRT_SID;
        p[50] = words >> 8;
        p[51] = words & 0xff;

        for (i = 0; i < n; i++) {
            p[52 + i / 4 * 4 + 3 - i % 4] = 'a' + i % 26;
        }

        rc = ngx_media_srt_handshake_parse(&hs, p, p + 52 + words * 4);

        if (n > NGX_MEDIA_SRT_SID_MAX) {
            wrong += rc != NGX_ERROR;

        } else {
            wrong += rc != NGX_OK || hs.sid_len != n;

            for (i = 0; i < n; i++) {
                wrong += hs.sid[i] != 'a' + i % 26;
            }
        }

        free(p);
    }

    is(wrong, 0, "stream ids of 1 to 512 bytes, and not 513");

    p = media_hex(CONCLUSION("00000004") "00050002" "00000000" "00000000", &n);
    is(ngx_media_srt_handshake_parse(&hs, p, p + n), NGX_OK, "zeros");
    is(hs.sid_len, 0, "are no stream id");
    free(p);
}


static void
test_accept(void)
{
    size_t                      len, size, klen;
    u_char                     *p, *q, *km;
    ngx_uint_t                  i;
    ngx_media_srt_accept_t      accept;
    ngx_media_srt_handshake_t   hs, again;

    static const char  *mtus[] = { "000005dc", "00000590", "0000ffff" };
    static uint32_t     mtu[] = { 1500, 1424, 1500 };

    km = media_hex(KM, &klen);

    for (i = 0; i < 6; i++) {
        char  hex[1024];

        (void) snprintf(hex, sizeof(hex), "%s%s%s" WINDOW "%s" IP "%s",
                        "00000005" "00000003", "400fbfa8", mtus[i % 3],
                        "ffffffff" "3452897e" "1234abcd", HSREQ KMREQ);

        p = media_hex(hex, &len);
        is(ngx_media_srt_handshake_parse(&hs, p, p + len), NGX_OK, "accepted");

        memset(&accept, 0, sizeof(accept));
        accept.id = 0x12345678;
        accept.latency = 120;
        accept.peer_latency = 333;

        if (i >= 3) {
            accept.km.pos = km;
            accept.km.last = km + klen;
        }

        size = ngx_media_srt_accept_write(NULL, &hs, &accept, 9);
        is(size, i < 3 ? 80 : 140, "accepted: size");
        ok(size <= NGX_MEDIA_SRT_ACCEPT_SIZE && size <= 16 + len,
           "accepted: no more than was asked");

        q = malloc(size);
        is(ngx_media_srt_accept_write(q, &hs, &accept, 9), size,
           "accepted: written");

        is(ngx_media_srt_handshake_parse(&again, q + 16, q + size), NGX_OK,
           "accepted: read");
        is(again.version, 5, "accepted: version");
        is(again.encryption, 0, "accepted: encryption");
        is(again.field, i < 3 ? 1 : 3, "accepted: field");
        is_hex(again.isn, hs.isn, "accepted: the caller's ISN");
        is(again.mtu, mtu[i % 3], "accepted: MTU");
        is(again.window, 8192, "accepted: window");
        is(again.type, NGX_MEDIA_SRT_CONCLUSION, "accepted: type");
        is_hex(again.id, 0x12345678, "accepted: our id");
        is_hex(ngx_media_srt_dst(q, q + size), 0x3452897e,
               "accepted: whom it is for");
        is_mem(again.peer, 16, hs.peer, 16, "accepted: address");
        is_hex(again.srt, 0x010500, "accepted: SRT 1.5.0");
        is_hex(again.flags, 0x3f, "accepted: flags");
        is(again.rcv_latency, 120, "accepted: our latency");
        is(again.snd_latency, 333, "accepted: the peer's");
        is_hex(again.seen, i < 3 ? 1 << 2 : 1 << 2 | 1 << 4,
               "accepted: HSRSP, and KMRSP if there was KMREQ");

        if (i >= 3) {
            is_mem(again.km.pos, again.km.last - again.km.pos, km, klen,
                   "accepted: the same keys");
        }

        free(q);
        free(p);
    }

    free(km);
}


static void
test_cookie(void)
{
    u_char               secret[NGX_MEDIA_SIPHASH_KEY], other[16];
    uint32_t             cookie;
    struct sockaddr     *peer, *local;
    struct sockaddr_in   sin[2];
    struct sockaddr_in6  sin6[2];

    memset(secret, 7, sizeof(secret));
    memset(other, 8, sizeof(other));
    memset(sin, 0, sizeof(sin));
    memset(sin6, 0, sizeof(sin6));

    sin[0].sin_family = AF_INET;
    sin[0].sin_port = htons(1234);
    (void) inet_pton(AF_INET, "192.0.2.1", &sin[0].sin_addr);
    sin[1] = sin[0];
    sin[1].sin_port = htons(9000);

    peer = (struct sockaddr *) &sin[0];
    local = (struct sockaddr *) &sin[1];

    cookie = ngx_media_srt_cookie(secret, peer, local, 100);

    ok(cookie != 0, "a cookie");
    ok(ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie),
       "valid in its minute");
    ok(ngx_media_srt_cookie_valid(secret, peer, local, 101, cookie),
       "valid in the next one");
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 102, cookie),
       "not in the one after");
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 99, cookie),
       "nor before");
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 100, 0), "0 is none");
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie ^ 1),
       "nor is one of another bit");
    ok(!ngx_media_srt_cookie_valid(other, peer, local, 100, cookie),
       "nor of another secret");

    memset(sin[0].sin_zero, 0xff, sizeof(sin[0].sin_zero));
    is_hex(ngx_media_srt_cookie(secret, peer, local, 100), cookie,
           "what is between fields does not matter");

    sin[0].sin_port = htons(1235);
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie),
       "the peer's port does");
    sin[0].sin_port = htons(1234);

    (void) inet_pton(AF_INET, "192.0.2.2", &sin[0].sin_addr);
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie),
       "and its address");
    (void) inet_pton(AF_INET, "192.0.2.1", &sin[0].sin_addr);

    sin[1].sin_port = htons(9001);
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie),
       "and our port");
    sin[1].sin_port = htons(9000);

    ok(ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie),
       "all as it was");

    sin6[0].sin6_family = AF_INET6;
    sin6[0].sin6_port = htons(1234);
    (void) inet_pton(AF_INET6, "2001:db8::1", &sin6[0].sin6_addr);
    sin6[1] = sin6[0];
    sin6[1].sin6_port = htons(9000);

    peer = (struct sockaddr *) &sin6[0];
    local = (struct sockaddr *) &sin6[1];

    cookie = ngx_media_srt_cookie(secret, peer, local, 100);

    sin6[0].sin6_flowinfo = 5;
    is_hex(ngx_media_srt_cookie(secret, peer, local, 100), cookie,
           "IPv6: nor does the flow");

    (void) inet_pton(AF_INET6, "2001:db8::2", &sin6[0].sin6_addr);
    ok(!ngx_media_srt_cookie_valid(secret, peer, local, 100, cookie),
       "IPv6: another address");
}


int
main(void)
{
    test_induction();
    test_conclusion();
    test_refused();
    test_sid();
    test_accept();
    test_cookie();

    return done();
}
