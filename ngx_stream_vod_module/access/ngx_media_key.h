
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Keys that signatures of tokens are verified with.  What a key is for is said
 * by the key, never by the token: a public key verifies its own algorithm, a
 * secret HMAC-SHA256, in signed tokens and as HS256.
 *
 * A file holds one of: a JSON Web Key set, a public key in PEM, or a secret of
 * at least 32 bytes, which is all of it but the line's end.
 */


#ifndef _NGX_MEDIA_KEY_H_INCLUDED_
#define _NGX_MEDIA_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "formats/ngx_media_jwt.h"
#include "formats/ngx_media_token.h"


typedef struct ngx_media_keys_s  ngx_media_keys_t;


/* a set without keys, which goes with the pool; NULL: no memory */
ngx_media_keys_t *ngx_media_keys_create(ngx_pool_t *pool);

/* which set it is: of this process, never 0, also where memory is used again */
ngx_uint_t ngx_media_keys_serial_of(const ngx_media_keys_t *keys);

/* how many there are */
ngx_uint_t ngx_media_keys_count(const ngx_media_keys_t *keys);

/*
 * A directive "... [ID] FILE | jwks=URL;": adds the keys of the file or the URL
 * to *keys, which is made if it is NULL or unset.  ID is what tokens call those
 * that have no name of their own.  Says itself what is wrong.
 */
char *ngx_media_keys_conf(ngx_conf_t *cf, ngx_media_keys_t **keys);

/*
 * A file that may hold secrets, of max bytes; text.len is more where it has
 * more.  *shared: everybody may read it, or write.  NGX_OK: text is to be
 * freed; NGX_ERROR: it has been said why.
 */
ngx_int_t ngx_media_secret_read(ngx_conf_t *cf, ngx_str_t *path, size_t max,
    ngx_str_t *text, ngx_uint_t *shared);
void ngx_media_secret_free(ngx_str_t *text);

/*
 * Adds those of a text that may be any of the above.  NGX_OK, NGX_DECLINED:
 * *error is static and names nothing of it, NGX_ERROR: no memory.  *secret: it
 * must not be read by everybody.
 */
ngx_int_t ngx_media_keys_text(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, ngx_uint_t *secret,
    const char **error);

/* the same, of a JSON Web Key set only: nothing else is taken for a key */
ngx_int_t ngx_media_keys_set(ngx_media_keys_t *keys, const ngx_str_t *id,
    const u_char *pos, const u_char *last, ngx_uint_t *secret,
    const char **error);

/*
 * *set, which may be NULL for a while, and another one later, is asked, too:
 * whoever changes it says so, since then it is another set as a whole
 */
ngx_int_t ngx_media_keys_remote(ngx_media_keys_t *keys,
    ngx_media_keys_t **set);
void ngx_media_keys_changed(ngx_media_keys_t *keys);

/*
 * May one have signed it that we do not have?  There is such a set, and it is
 * not there yet, or no key has the name that a token says, empty: none
 */
ngx_uint_t ngx_media_keys_lacks(const ngx_media_keys_t *keys,
    const ngx_media_span_t *name);

/*
 * Is it signed by one of these, for an action "play" or "publish"?  A token
 * that names a key is for that one only.  NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_media_keys_token(const ngx_media_keys_t *keys,
    const char *action, const ngx_media_token_t *token);
ngx_int_t ngx_media_keys_jwt(const ngx_media_keys_t *keys,
    const ngx_media_jwt_t *jwt);


#endif /* _NGX_MEDIA_KEY_H_INCLUDED_ */
