
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#ifndef _NGX_MEDIA_CRC_H_INCLUDED_
#define _NGX_MEDIA_CRC_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


/*
 * CRC_32 of ISO/IEC 13818-1, annex A: polynomial 0x04c11db7, all ones first,
 * most significant bit first, not inverted.  Over a section and its own CRC
 * it is zero.
 */
uint32_t ngx_media_crc32_mpeg(const u_char *pos, const u_char *last);

/*
 * Polynomials 0x8005 (AC-3, ETSI TS 102 366, 6.1.7; FLAC, RFC 9639, 9.3) and
 * 0x07 (FLAC, 9.1.8): zero first, most significant bit first, not inverted
 */
uint32_t ngx_media_crc16(const u_char *pos, const u_char *last);
uint32_t ngx_media_crc8(const u_char *pos, const u_char *last);


#endif /* _NGX_MEDIA_CRC_H_INCLUDED_ */
