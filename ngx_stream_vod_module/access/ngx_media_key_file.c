
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_jwks.h"
#include "access/ngx_media_key.h"
#include "formats/ngx_media_jwk.h"

#include <openssl/crypto.h>


static ngx_int_t ngx_media_keys_file(ngx_conf_t *cf, ngx_media_keys_t *keys,
    const ngx_str_t *id, ngx_str_t *path);


ngx_int_t
ngx_media_secret_read(ngx_conf_t *cf, ngx_str_t *path, size_t max,
    ngx_str_t *text, ngx_uint_t *shared)
{
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    /* which may hold a password */

    if (ngx_strstr(path->data, "://")) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a URL is no file; keys of tokens may come from "
                           "\"jwks=URL\"");
        return NGX_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    text->data = ngx_alloc(max + 1, cf->log);
    n = text->data ? ngx_read_fd(fd, text->data, max + 1) : -1;

    if (n == -1 || ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reading \"%V\" failed", path);

        if (text->data) {
            text->len = max + 1;
            ngx_media_secret_free(text);
        }

        n = -1;

    } else {
        text->len = n;
        *shared = (fi.st_mode & (S_IROTH|S_IWOTH)) != 0;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    return n == -1 ? NGX_ERROR : NGX_OK;
}


void
ngx_media_secret_free(ngx_str_t *text)
{
    OPENSSL_cleanse(text->data, text->len);
    ngx_free(text->data);
}


char *
ngx_media_keys_conf(ngx_conf_t *cf, ngx_media_keys_t **keys)
{
    ngx_int_t   rc;
    ngx_str_t  *value, *last, id, url;

    if (*keys == NULL || *keys == NGX_CONF_UNSET_PTR) {
        *keys = ngx_media_keys_create(cf->pool);

        if (*keys == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;
    ngx_str_null(&id);

    if (cf->args->nelts == 3) {
        id = value[1];
    }

    last = &value[cf->args->nelts - 1];

    if (ngx_strncmp(last->data, "jwks=", 5) == 0) {
        url.data = last->data + 5;
        url.len = last->len - 5;

        rc = ngx_media_jwks_add(cf, *keys, &id, &url);

    } else {
        rc = ngx_media_keys_file(cf, *keys, &id, last);
    }

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_media_keys_file(ngx_conf_t *cf, ngx_media_keys_t *keys,
    const ngx_str_t *id, ngx_str_t *path)
{
    ngx_int_t    rc;
    ngx_str_t    text;
    ngx_uint_t   secret, shared;
    const char  *error;

    if (ngx_media_secret_read(cf, path, NGX_MEDIA_JWK_MAX, &text, &shared)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    error = NULL;
    rc = NGX_ERROR;

    if (text.len > NGX_MEDIA_JWK_MAX) {
        error = "it is too large";

    } else {
        rc = ngx_media_keys_text(keys, id, text.data, text.data + text.len,
                                 &secret, &error);

        if (rc == NGX_OK && secret && shared) {
            error = "it holds a secret and everybody may read it, "
                    "\"chmod o= FILE\"";
        }
    }

    ngx_media_secret_free(&text);

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" cannot be used: %s", path, error);
        return NGX_ERROR;
    }

    return rc;
}
