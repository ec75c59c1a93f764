
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Open files, and what a process knows by path.
 *
 * A *handle* is an open file with its identity; it is closed when the last
 * one who holds a reference lets it go, so whoever reads from it may go on
 * after the path has come to mean another file.  One of a file that had to be
 * converted has the handle of what was made of it, once that was needed.
 *
 * A *tree* finds nodes by a path and what else makes a difference (the
 * scope), and knows which of them was used longest ago.  There is one of
 * paths, whose nodes hold handles, and one of names of sets.
 *
 * All but ngx_media_vod_probe() is for the event loop.
 */


#ifndef _NGX_MEDIA_VOD_OPEN_H_INCLUDED_
#define _NGX_MEDIA_VOD_OPEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "vod/ngx_media_vod.h"


typedef struct ngx_media_vod_handle_s  ngx_media_vod_handle_t;


struct ngx_media_vod_handle_s {
    ngx_fd_t                  fd;
    ngx_media_vod_id_t        id;             /* converted: of the source */
    ngx_uint_t                refs;
    ngx_media_vod_handle_t   *converted;      /* a reference; NULL */
    uint64_t                  tag;            /* converted: of its blob */
    ngx_msec_t                touched;        /* converted: when */
    unsigned                  warned:1;       /* no room for its blob */
};


typedef struct {
    ngx_str_t                 path;
    uintptr_t                 scope[3];
} ngx_media_vod_key_t;


typedef struct {
    ngx_rbtree_node_t         node;           /* key: a hash of the path */
    ngx_queue_t               queue;          /* least recently used last */
    ngx_media_vod_key_t       key;            /* its own copy */
    ngx_msec_t                checked;
    ngx_msec_t                again;          /* names: looked at although it
                                                 was young */
    ngx_msec_t                used;
    ngx_media_vod_handle_t   *handle;         /* paths: a reference */
    void                     *result;         /* names: as of the loader */
    void                     *job;
    ngx_msec_t                valid;
    unsigned                  warned:1;
} ngx_media_vod_node_t;


typedef struct {
    ngx_rbtree_t              rbtree;
    ngx_rbtree_node_t         sentinel;
    ngx_queue_t               queue;
    ngx_uint_t                n;
} ngx_media_vod_tree_t;


/* what a path is; a thread finds it out */

typedef struct {
    ngx_str_t                 path;
    ngx_uint_t                symlinks;       /* NGX_DISABLE_SYMLINKS_* */
    size_t                    symlinks_from;
    ngx_msec_t                asked;          /* when */
    ngx_media_vod_handle_t   *known;          /* NULL: none; a reference of
                                                 the caller, only its id is
                                                 read */
    ngx_media_vod_handle_t   *touch;          /* the same, a converted file
                                                 that is in use, its fd */

    /* the result */
    unsigned                  same:1;         /* as known, not opened again */
    unsigned                  directory:1;    /* nothing is opened */
    unsigned                  special:1;      /* a device: neither */
    ngx_fd_t                  fd;             /* moved to the caller */
    ngx_media_vod_id_t        id;
    ngx_err_t                 err;
    const char               *failed;         /* "open()"; NULL: it was not */
} ngx_media_vod_probe_t;


void ngx_media_vod_tree_init(ngx_media_vod_tree_t *tree);

/* NULL: there is none */
ngx_media_vod_node_t *ngx_media_vod_node_find(ngx_media_vod_tree_t *tree,
    const ngx_media_vod_key_t *key);
/* NULL: no memory */
ngx_media_vod_node_t *ngx_media_vod_node_add(ngx_media_vod_tree_t *tree,
    const ngx_media_vod_key_t *key);
/* what it refers to must have been let go */
void ngx_media_vod_node_delete(ngx_media_vod_tree_t *tree,
    ngx_media_vod_node_t *node);

/* in a thread: nothing but *probe is touched; no FIFO or device is opened
   for long, nor waited for */
void ngx_media_vod_probe(ngx_media_vod_probe_t *probe, ngx_log_t *log);

/* what was not moved */
void ngx_media_vod_probe_close(ngx_media_vod_probe_t *probe);

void ngx_media_vod_path_key(ngx_media_vod_key_t *key, const ngx_str_t *path,
    ngx_uint_t symlinks, size_t symlinks_from);
/* a regular file was probed: the handle to use, a reference; NULL: no memory.
   There are no more than max handles in the tree then */
ngx_media_vod_handle_t *ngx_media_vod_path_set(ngx_media_vod_tree_t *tree,
    ngx_media_vod_probe_t *probe, ngx_uint_t max);
/* handle and node go */
void ngx_media_vod_path_drop(ngx_media_vod_tree_t *tree,
    ngx_media_vod_node_t *node);

/* fd is moved: a converted file; a reference; NULL: no memory */
ngx_media_vod_handle_t *ngx_media_vod_handle_convert(
    ngx_media_vod_handle_t *handle, ngx_fd_t fd, uint64_t tag);

/* NULL is fine */
void ngx_media_vod_handle_unref(ngx_media_vod_handle_t *handle);


#endif /* _NGX_MEDIA_VOD_OPEN_H_INCLUDED_ */
