
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "access/ngx_media_key.h"
#include "formats/ngx_media_jwk.h"

#include <openssl/crypto.h>


ngx_int_t
ngx_media_keys_file(ngx_conf_t *cf, ngx_media_keys_t *keys,
    const ngx_str_t *id, ngx_str_t *path)
{
    u_char           *buf;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_uint_t        secret;
    const char       *error;
    ngx_file_info_t   fi;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    buf = ngx_alloc(NGX_MEDIA_JWK_MAX + 1, cf->log);
    error = NULL;
    secret = 0;
    rc = NGX_ERROR;

    n = buf ? ngx_read_fd(fd, buf, NGX_MEDIA_JWK_MAX + 1) : -1;

    if (n == -1 || ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reading \"%V\" failed", path);
        goto done;
    }

    if (n > NGX_MEDIA_JWK_MAX) {
        error = "it is too large";
        goto done;
    }

    rc = ngx_media_keys_text(keys, id, buf, buf + n, &secret, &error);

    if (rc == NGX_OK && secret && (fi.st_mode & (S_IROTH|S_IWOTH))) {
        error = "it holds a secret and everybody may read it, "
                "\"chmod o= FILE\"";
    }

done:

    if (error) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" cannot be used: %s", path, error);
        rc = NGX_ERROR;
    }

    if (buf) {
        OPENSSL_cleanse(buf, NGX_MEDIA_JWK_MAX + 1);
        ngx_free(buf);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    return rc;
}
