
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * The ground of formats/: the only header of this layer that includes
 * nginx, and that for types and macros alone.
 *
 * Conventions of the layer:
 *
 *   - complete input is (const u_char *pos, const u_char *last); what is
 *     returned as a span points into it and lives as long as it does;
 *   - parsers return NGX_OK, NGX_AGAIN (resumable parsers: all input was
 *     consumed, more is needed), NGX_DECLINED (well-formed, but nothing we
 *     know), NGX_ERROR (violates the format);
 *   - writers return the number of bytes; with p == NULL they write nothing
 *     and return the size, so size pass and write pass are the same code;
 *   - nothing here allocates, logs, reads a clock or keeps state of its own.
 */


#ifndef _NGX_MEDIA_FMT_H_INCLUDED_
#define _NGX_MEDIA_FMT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_media_fourcc(a, b, c, d)                                          \
    ((uint32_t) (a) << 24 | (uint32_t) (b) << 16                              \
     | (uint32_t) (c) << 8 | (uint32_t) (d))


/* a slice of somebody else's bytes; borrowed */

typedef struct {
    const u_char             *pos;
    const u_char             *last;
} ngx_media_span_t;


#define ngx_media_span_len(s)  ((size_t) ((s)->last - (s)->pos))


/* FNV-1a, 64 bit: names of init segments, never security */

static ngx_inline uint64_t
ngx_media_hash(const u_char *pos, size_t len)
{
    size_t    i;
    uint64_t  h;

    h = 0xcbf29ce484222325ull;

    for (i = 0; i < len; i++) {
        h ^= pos[i];
        h *= 0x100000001b3ull;
    }

    return h;
}


#endif /* _NGX_MEDIA_FMT_H_INCLUDED_ */
