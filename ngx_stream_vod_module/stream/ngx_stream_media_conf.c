
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What is asked of a server, and said against it, the same for each protocol
 * that publishers come by.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "stream/ngx_stream_media.h"


/* the least that does not need a privilege */
#define NGX_STREAM_MEDIA_PORT  1024


char *
ngx_stream_media_place(ngx_conf_t *cf, ngx_stream_media_place_t *place,
    const char *name, ngx_stream_content_handler_pt handler)
{
    ngx_stream_core_srv_conf_t  *cscf;

    place->name = name;
    place->file = cf->conf_file->file.name.data;
    place->line = cf->conf_file->line;

    cscf = ngx_stream_media_core_srv_conf(cf);

    if (cscf->handler != NULL) {
        return "is incompatible with another handler, such as "
               "\"proxy_pass\" or \"return\", in the same server: give it a "
               "server of its own";
    }

    cscf->handler = handler;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_stream_media_place_alone(ngx_conf_t *cf,
    const ngx_stream_media_place_t *place,
    ngx_stream_content_handler_pt handler)
{
    ngx_stream_core_srv_conf_t  *cscf;

    cscf = ngx_stream_media_core_srv_conf(cf);

    if (cscf->handler == handler) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"%s\" is incompatible with another handler, such as "
                  "\"proxy_pass\" or \"return\", in the same server: give it "
                  "a server of its own in %s:%ui",
                  place->name, place->file, place->line);

    return NGX_ERROR;
}


ngx_int_t
ngx_stream_media_place_udp(ngx_conf_t *cf,
    const ngx_stream_media_place_t *place,
    ngx_stream_content_handler_pt handler, ngx_uint_t port)
{
    ngx_uint_t  least;

    if (ngx_stream_media_place_alone(cf, place, handler) != NGX_OK) {
        return NGX_ERROR;
    }

    least = ngx_stream_media_port(cf, SOCK_DGRAM);

    if (least == 0 || ngx_stream_media_listens(cf, SOCK_STREAM)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" needs the \"udp\" parameter of each "
                      "\"listen\", and addresses of the internet: write "
                      "\"listen %ui udp reuseport\" in the server of %s:%ui",
                      place->name, port, place->file, place->line);
        return NGX_ERROR;
    }

    if (least < NGX_STREAM_MEDIA_PORT) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" needs a port from %d on, since workers bind "
                      "sockets to it, too: port %ui in the server of %s:%ui",
                      place->name, NGX_STREAM_MEDIA_PORT, least, place->file,
                      place->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_media_app_t *
ngx_stream_media_place_app(ngx_conf_t *cf,
    const ngx_stream_media_place_t *place, ngx_str_t *app)
{
    ngx_media_app_t  *found;

    found = ngx_media_app_find(cf->cycle, app);

    if (found == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown application in \"%s %V\": add "
                           "\"media %V { ... }\" outside of the http and "
                           "stream blocks", place->name, app, app);
    }

    return found;
}
