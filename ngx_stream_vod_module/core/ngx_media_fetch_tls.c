
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Whom the client trusts: a server whose certificate leads to one of the
 * authorities, and is for the host of the URL, RFC 9110, 4.3.4.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_fetch_state.h"


#if (NGX_SSL)

#define NGX_MEDIA_FETCH_PROTOCOLS  (NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3)


static ngx_int_t ngx_media_fetch_bundle(ngx_cycle_t *cycle,
    ngx_str_t *trusted);
static void ngx_media_fetch_handshaken(ngx_connection_t *c);
static const char *ngx_media_fetch_verify(ngx_media_fetch_peer_t *peer);
static ngx_int_t ngx_media_fetch_matches(ngx_media_fetch_peer_t *peer);


/* where systems have it */

static const char  *ngx_media_fetch_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    NULL
};


ngx_int_t
ngx_media_fetch_tls_init(ngx_cycle_t *cycle, ngx_media_fetch_main_conf_t *mfcf,
    const ngx_media_fetch_server_t *server)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    if (mfcf->trusted.data == NULL) {

        if (ngx_media_fetch_bundle(cycle, &mfcf->trusted) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "no file with certificates of authorities is found, "
                          "give one by \"media_trusted_certificate FILE;\" "
                          "for the \"https://\" URL in %V:%ui",
                          &server->file, server->line);
            return NGX_ERROR;
        }

    } else if (ngx_conf_full_name(cycle, &mfcf->trusted, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ssl = ngx_pcalloc(cycle->pool, sizeof(ngx_ssl_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);

    if (ssl == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    ssl->log = cycle->log;

    if (ngx_ssl_create(ssl, NGX_MEDIA_FETCH_PROTOCOLS, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    if (SSL_CTX_load_verify_locations(ssl->ctx, (char *) mfcf->trusted.data,
                                      NULL)
        != 1)
    {
        ngx_ssl_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"media_trusted_certificate\" file \"%V\" cannot be "
                      "used", &mfcf->trusted);
        return NGX_ERROR;
    }

    mfcf->ssl = ssl;

    return NGX_OK;
}


static ngx_int_t
ngx_media_fetch_bundle(ngx_cycle_t *cycle, ngx_str_t *trusted)
{
    const char       **name;
    ngx_file_info_t    fi;

    for (name = ngx_media_fetch_bundles; *name; name++) {

        if (ngx_file_info((u_char *) *name, &fi) != NGX_FILE_ERROR
            && ngx_is_file(&fi) && ngx_file_size(&fi) > 0)
        {
            trusted->data = (u_char *) *name;
            trusted->len = ngx_strlen(*name);

            ngx_log_debug1(NGX_LOG_DEBUG_CORE, cycle->log, 0,
                           "media fetch trusts \"%V\"", trusted);

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_media_fetch_tls(ngx_media_fetch_peer_t *peer)
{
    ngx_connection_t          *c;
    ngx_media_fetch_server_t  *server;

    c = peer->c;
    server = peer->server;

    if (ngx_ssl_create_connection(server->main->ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        ngx_media_fetch_secured(peer, "there is no memory for TLS");
        return;
    }

    /* RFC 6066, 3: addresses are no names */

    if (!server->literal
        && SSL_set_tlsext_host_name(c->ssl->connection,
                                    (char *) server->host.data)
           == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%V\") failed",
                      &server->host);
        ngx_media_fetch_secured(peer, "there is no memory for TLS");
        return;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = ngx_media_fetch_handshaken;
        return;
    }

    ngx_media_fetch_handshaken(c);
}


static void
ngx_media_fetch_handshaken(ngx_connection_t *c)
{
    ngx_media_fetch_peer_t  *peer;

    peer = c->data;

    if (!c->ssl->handshaked) {
        ngx_media_fetch_secured(peer, "the server does not speak TLS with us");
        return;
    }

    ngx_media_fetch_secured(peer, ngx_media_fetch_verify(peer));
}


/* NULL: it is the one that it says it is */

static const char *
ngx_media_fetch_verify(ngx_media_fetch_peer_t *peer)
{
    long               rc;
    ngx_connection_t  *c;

    c = peer->c;

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "certificate of \"%V\" cannot be trusted: (%l:%s)",
                      &peer->server->host, rc,
                      X509_verify_cert_error_string(rc));

        return "the server's certificate cannot be trusted";
    }

    if (ngx_media_fetch_matches(peer) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "certificate is not for \"%V\"", &peer->server->host);

        return "the server's certificate is for another host";
    }

    return NULL;
}


static ngx_int_t
ngx_media_fetch_matches(ngx_media_fetch_peer_t *peer)
{
    X509                      *cert;
    ngx_int_t                  rc;
    ngx_media_fetch_server_t  *server;

    server = peer->server;

    if (!server->literal) {
        return ngx_ssl_check_host(peer->c, &server->host);
    }

    /* RFC 9110, 4.3.5 */

    cert = SSL_get_peer_certificate(peer->c->ssl->connection);
    if (cert == NULL) {
        return NGX_ERROR;
    }

    rc = X509_check_ip_asc(cert, (char *) server->host.data, 0) == 1
         ? NGX_OK : NGX_DECLINED;

    X509_free(cert);

    return rc;
}

#endif
