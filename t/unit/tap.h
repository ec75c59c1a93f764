
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * TAP from C, for the programs in t/unit/.  Their first lines name, in a
 * comment of its own, what they link, see t/unit.t:
 *
 *     link: formats/ngx_media_amf.c formats/ngx_media_text.c
 *
 *     #include "formats/ngx_media_amf.h"
 *     #include "tap.h"
 *
 *     int
 *     main(void)
 *     {
 *         ok(1 + 1 == 2, "sum of %d and %d", 1, 1);
 *         is(x, 5, "name");                       signed integers
 *         is_hex(x, 0xff, "name");                unsigned integers
 *         is_str(&str, "text", "name");           ngx_str_t
 *         is_text(p, len, "text", "name");        pointer and length
 *         is_mem(p, len, q, qlen, "name");        bytes
 *         diag("n: %d", n);
 *
 *         return done();
 *     }
 *
 * Copies of input and output belong into tap_dup() buffers: they are exactly
 * as long as asked, so that AddressSanitizer sees each byte too far.
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define ok(expr, ...)                                                         \
    tap_ok((expr) ? 1 : 0, __FILE__, __LINE__, __VA_ARGS__)

#define is(got, expected, ...)                                                \
    tap_is((int64_t) (got), (int64_t) (expected), __FILE__, __LINE__,         \
           __VA_ARGS__)

#define is_hex(got, expected, ...)                                            \
    tap_is_hex((uint64_t) (got), (uint64_t) (expected), __FILE__, __LINE__,   \
               __VA_ARGS__)

#define is_mem(got, len, expected, elen, ...)                                 \
    tap_is_mem((got), (len), (expected), (elen), __FILE__, __LINE__,          \
               __VA_ARGS__)

#define is_text(got, len, expected, ...)                                      \
    tap_is_mem((got), (len), (expected), strlen(expected), __FILE__,          \
               __LINE__, __VA_ARGS__)

#define is_str(str, expected, ...)                                            \
    tap_is_mem((str)->data, (str)->len, (expected), strlen(expected),         \
               __FILE__, __LINE__, __VA_ARGS__)

#define done()  tap_done()


#ifdef __SANITIZE_ADDRESS__

void __asan_poison_memory_region(void const volatile *p, size_t len);
#define tap_poison(p, len)  __asan_poison_memory_region(p, len)

#else

#define tap_poison(p, len)

#endif


static unsigned  tap_tests;
static unsigned  tap_failed;


static inline void
diag(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    printf("# ");
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
}


static inline int
tap_report(int pass, const char *file, int line, const char *fmt,
    va_list args)
{
    printf("%sok %u - ", pass ? "" : "not ", ++tap_tests);
    vprintf(fmt, args);
    printf("\n");

    if (!pass) {
        tap_failed++;
        printf("#   at %s line %d\n", file, line);
    }

    fflush(stdout);

    return pass;
}


static inline int
tap_ok(int pass, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    tap_report(pass, file, line, fmt, args);
    va_end(args);

    return pass;
}


static inline int
tap_is(int64_t got, int64_t expected, const char *file, int line,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);

    if (!tap_report(got == expected, file, line, fmt, args)) {
        printf("#   got: %lld\n#   expected: %lld\n", (long long) got,
               (long long) expected);
    }

    va_end(args);

    return got == expected;
}


static inline int
tap_is_hex(uint64_t got, uint64_t expected, const char *file, int line,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);

    if (!tap_report(got == expected, file, line, fmt, args)) {
        printf("#   got: 0x%llx\n#   expected: 0x%llx\n",
               (unsigned long long) got, (unsigned long long) expected);
    }

    va_end(args);

    return got == expected;
}


static inline void
tap_dump(const char *name, const unsigned char *p, size_t len)
{
    size_t  i;

    printf("#   %s (%lu bytes):", name, (unsigned long) len);

    for (i = 0; i < len && i < 2048; i++) {

        if (i % 32 == 0) {
            printf("\n#     ");
        }

        printf("%02x", p[i]);
    }

    printf("\n#     \"");

    for (i = 0; i < len && i < 2048; i++) {

        if (p[i] == '\n') {
            printf("\n#      ");

        } else {
            putchar(p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '.');
        }
    }

    printf("\"\n");
}


static inline int
tap_is_mem(const void *got, size_t len, const void *expected, size_t elen,
    const char *file, int line, const char *fmt, ...)
{
    int      pass;
    size_t   i;
    va_list  args;

    const unsigned char  *p = got, *q = expected;

    pass = len == elen && (len == 0 || memcmp(got, expected, len) == 0);

    va_start(args, fmt);

    if (!tap_report(pass, file, line, fmt, args)) {
        for (i = 0; i < len && i < elen && p[i] == q[i]; i++) { /* void */ }

        printf("#   first difference at byte %lu\n", (unsigned long) i);
        tap_dump("got", p, len);
        tap_dump("expected", q, elen);
    }

    va_end(args);

    return pass;
}


/*
 * A heap copy that is exactly len bytes long, and with len 0 a pointer from
 * which nothing may be read; the caller frees it.
 */

static inline void *
tap_dup(const void *p, size_t len)
{
    void  *q;

    q = calloc(1, len ? len : 16);
    if (q == NULL) {
        abort();
    }

    if (len) {
        memcpy(q, p, len);

    } else {
        tap_poison(q, 16);
    }

    return q;
}


static inline int
tap_done(void)
{
    printf("1..%u\n", tap_tests);
    fflush(stdout);

    return tap_failed ? 1 : 0;
}


#endif /* _TAP_H_INCLUDED_ */
