
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What people are told of a track: its language and a label.
 */


#ifndef _NGX_MEDIA_LANG_H_INCLUDED_
#define _NGX_MEDIA_LANG_H_INCLUDED_


#include "formats/ngx_media_fmt.h"


#define NGX_MEDIA_LANG           36           /* bytes with a zero */
#define NGX_MEDIA_LABEL          64


/*
 * A language as RFC 5646 writes it, from ISO 639 codes of 2 or 3 letters (/T
 * and /B) or a language tag; "" for "und" and what is none.  dst is of
 * NGX_MEDIA_LANG bytes.
 */
void ngx_media_lang(u_char *dst, const u_char *p, size_t len);

/* whether these letters are one of these codes: names of files have others */
ngx_uint_t ngx_media_lang_known(const u_char *p, size_t len);

/* back: the three letters of ISO 639-2/T of a language tag, or "und" */
void ngx_media_lang_code(u_char *code, const u_char *lang);

/*
 * UTF-8 of any origin, without controls, whole characters, at most
 * NGX_MEDIA_LABEL - 1 bytes
 */
void ngx_media_label(u_char *dst, const u_char *p, size_t len);


#endif /* _NGX_MEDIA_LANG_H_INCLUDED_ */
