
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "vod/ngx_media_vod_open.h"


static void ngx_media_vod_tree_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_int_t ngx_media_vod_key_compare(const ngx_media_vod_key_t *one,
    const ngx_media_vod_key_t *two);
static ngx_int_t ngx_media_vod_probe_known(ngx_media_vod_probe_t *probe,
    u_char *name);
static void ngx_media_vod_probe_open(ngx_media_vod_probe_t *probe,
    ngx_str_t *name, ngx_pool_t *pool);
static void ngx_media_vod_file_id(ngx_media_vod_id_t *id,
    ngx_file_info_t *fi);
static ngx_media_vod_handle_t *ngx_media_vod_handle_create(ngx_fd_t fd,
    const ngx_media_vod_id_t *id);
static void ngx_media_vod_close(ngx_fd_t fd);


void
ngx_media_vod_tree_init(ngx_media_vod_tree_t *tree)
{
    ngx_rbtree_init(&tree->rbtree, &tree->sentinel,
                    ngx_media_vod_tree_insert);
    ngx_queue_init(&tree->queue);
    tree->n = 0;
}


ngx_media_vod_node_t *
ngx_media_vod_node_find(ngx_media_vod_tree_t *tree,
    const ngx_media_vod_key_t *key)
{
    uint32_t               hash;
    ngx_int_t              rc;
    ngx_rbtree_node_t     *rbnode, *sentinel;
    ngx_media_vod_node_t  *node;

    hash = ngx_crc32_long(key->path.data, key->path.len);

    rbnode = tree->rbtree.root;
    sentinel = tree->rbtree.sentinel;

    while (rbnode != sentinel) {

        if (hash != rbnode->key) {
            rbnode = (hash < rbnode->key) ? rbnode->left : rbnode->right;
            continue;
        }

        node = (ngx_media_vod_node_t *) rbnode;

        rc = ngx_media_vod_key_compare(key, &node->key);

        if (rc == 0) {
            node->used = ngx_current_msec;

            ngx_queue_remove(&node->queue);
            ngx_queue_insert_head(&tree->queue, &node->queue);

            return node;
        }

        rbnode = (rc < 0) ? rbnode->left : rbnode->right;
    }

    return NULL;
}


ngx_media_vod_node_t *
ngx_media_vod_node_add(ngx_media_vod_tree_t *tree,
    const ngx_media_vod_key_t *key)
{
    ngx_media_vod_node_t  *node;

    node = ngx_calloc(sizeof(ngx_media_vod_node_t) + key->path.len,
                      ngx_cycle->log);
    if (node == NULL) {
        return NULL;
    }

    node->key = *key;
    node->key.path.data = (u_char *) (node + 1);
    ngx_memcpy(node->key.path.data, key->path.data, key->path.len);

    node->used = ngx_current_msec;
    node->checked = ngx_current_msec;

    node->node.key = ngx_crc32_long(key->path.data, key->path.len);

    ngx_rbtree_insert(&tree->rbtree, &node->node);
    ngx_queue_insert_head(&tree->queue, &node->queue);
    tree->n++;

    return node;
}


void
ngx_media_vod_node_delete(ngx_media_vod_tree_t *tree,
    ngx_media_vod_node_t *node)
{
    ngx_rbtree_delete(&tree->rbtree, &node->node);
    ngx_queue_remove(&node->queue);
    tree->n--;

    ngx_free(node);
}


static void
ngx_media_vod_tree_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t     **p;
    ngx_media_vod_node_t   *one, *two;

    for ( ;; ) {

        if (node->key < temp->key) {
            p = &temp->left;

        } else if (node->key > temp->key) {
            p = &temp->right;

        } else {
            one = (ngx_media_vod_node_t *) node;
            two = (ngx_media_vod_node_t *) temp;

            p = (ngx_media_vod_key_compare(&one->key, &two->key) < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static ngx_int_t
ngx_media_vod_key_compare(const ngx_media_vod_key_t *one,
    const ngx_media_vod_key_t *two)
{
    ngx_uint_t  i;

    if (one->path.len != two->path.len) {
        return (one->path.len < two->path.len) ? -1 : 1;
    }

    for (i = 0; i < 3; i++) {
        if (one->scope[i] != two->scope[i]) {
            return (one->scope[i] < two->scope[i]) ? -1 : 1;
        }
    }

    return ngx_memcmp(one->path.data, two->path.data, one->path.len);
}


/*
 * ngx_open_cached_file() without a cache works on its arguments alone, so it
 * may be called in a thread with a pool of its own; it writes zeroes into the
 * name for a while, therefore the name is copied.  It opens with O_NONBLOCK:
 * a FIFO does not hang.
 */

void
ngx_media_vod_probe(ngx_media_vod_probe_t *probe, ngx_log_t *log)
{
    u_char       buf[NGX_MEDIA_VOD_PATH];
    ngx_str_t    name;
    ngx_pool_t  *pool;

    probe->same = 0;
    probe->directory = 0;
    probe->special = 0;
    probe->fd = NGX_INVALID_FILE;
    probe->err = 0;
    probe->failed = NULL;

    /* those that were not used for longest are deleted first */

    if (probe->touch) {
        (void) futimens(probe->touch->fd, NULL);
    }

    if (probe->path.len >= sizeof(buf)) {
        probe->err = NGX_ENAMETOOLONG;
        probe->failed = ngx_open_file_n;
        return;
    }

    name.data = buf;
    name.len = probe->path.len;

    ngx_memcpy(buf, probe->path.data, name.len);
    buf[name.len] = '\0';

    if (ngx_media_vod_probe_known(probe, buf) == NGX_OK) {
        probe->same = 1;
        probe->id = probe->known->id;
        return;
    }

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE + 256, log);
    if (pool == NULL) {
        probe->err = NGX_ENOMEM;
        probe->failed = ngx_open_file_n;
        return;
    }

    ngx_media_vod_probe_open(probe, &name, pool);

    ngx_destroy_pool(pool);
}


/* NGX_OK: it is what it was.  Where links matter, each one is looked at */

static ngx_int_t
ngx_media_vod_probe_known(ngx_media_vod_probe_t *probe, u_char *name)
{
    ngx_file_info_t     fi;
    ngx_media_vod_id_t  id;

    if (probe->known == NULL) {
        return NGX_DECLINED;
    }

#if (NGX_HAVE_OPENAT)
    if (probe->symlinks != NGX_DISABLE_SYMLINKS_OFF) {
        return NGX_DECLINED;
    }
#endif

    if (ngx_file_info(name, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return NGX_DECLINED;
    }

    ngx_media_vod_file_id(&id, &fi);

    if (ngx_memcmp(&id, &probe->known->id, sizeof(ngx_media_vod_id_t)) != 0) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_media_vod_probe_open(ngx_media_vod_probe_t *probe, ngx_str_t *name,
    ngx_pool_t *pool)
{
    ngx_file_info_t       fi;
    ngx_open_file_info_t  of;

    ngx_memzero(&of, sizeof(ngx_open_file_info_t));

    of.directio = NGX_OPEN_FILE_DIRECTIO_OFF;

#if (NGX_HAVE_OPENAT)
    of.disable_symlinks = probe->symlinks;
    of.disable_symlinks_from = probe->symlinks_from;
#endif

    if (ngx_open_cached_file(NULL, name, &of, pool) != NGX_OK) {
        probe->err = of.err ? of.err : NGX_ENOMEM;
        probe->failed = of.failed ? of.failed : ngx_open_file_n;
        return;
    }

    if (of.is_dir) {
        probe->directory = 1;
        return;
    }

    /* the file is closed with the pool, unless it is moved */

    if (!of.is_file) {
        probe->special = 1;
        return;
    }

    if (ngx_fd_info(of.fd, &fi) == NGX_FILE_ERROR) {
        probe->err = ngx_errno;
        probe->failed = ngx_fd_info_n;
        return;
    }

    ngx_media_vod_file_id(&probe->id, &fi);

    /* the only cleanup of this pool */
    pool->cleanup->handler = NULL;
    probe->fd = of.fd;
}


static void
ngx_media_vod_file_id(ngx_media_vod_id_t *id, ngx_file_info_t *fi)
{
    uint64_t  sec, nsec;

    sec = (uint64_t) fi->st_mtime;

#if (NGX_DARWIN)
    nsec = (uint64_t) fi->st_mtimespec.tv_nsec;
#else
    nsec = (uint64_t) fi->st_mtim.tv_nsec;
#endif

    ngx_memzero(id, sizeof(ngx_media_vod_id_t));

    id->dev = (uint64_t) fi->st_dev;
    id->ino = (uint64_t) fi->st_ino;
    id->size = (uint64_t) fi->st_size;
    id->mtime = (int64_t) (sec * 1000000000 + nsec);
}


void
ngx_media_vod_path_key(ngx_media_vod_key_t *key, const ngx_str_t *path,
    ngx_uint_t symlinks, size_t symlinks_from)
{
    key->path = *path;
    key->scope[0] = symlinks;
    key->scope[1] = symlinks ? symlinks_from : 0;
    key->scope[2] = 0;
}


ngx_media_vod_handle_t *
ngx_media_vod_path_set(ngx_media_vod_tree_t *tree,
    ngx_media_vod_probe_t *probe, ngx_uint_t max)
{
    ngx_queue_t             *q;
    ngx_media_vod_key_t      key;
    ngx_media_vod_node_t    *node;
    ngx_media_vod_handle_t  *handle;

    ngx_media_vod_path_key(&key, &probe->path, probe->symlinks,
                           probe->symlinks_from);

    node = ngx_media_vod_node_find(tree, &key);

    if (node
        && ngx_memcmp(&node->handle->id, &probe->id,
                      sizeof(ngx_media_vod_id_t))
           == 0)
    {
        ngx_media_vod_probe_close(probe);

        node->checked = probe->asked;
        node->handle->refs++;

        return node->handle;
    }

    if (probe->same) {
        handle = probe->known;
        handle->refs++;

    } else {
        handle = ngx_media_vod_handle_create(probe->fd, &probe->id);
        probe->fd = NGX_INVALID_FILE;

        if (handle == NULL) {
            return NULL;
        }
    }

    if (node == NULL) {
        node = ngx_media_vod_node_add(tree, &key);

        if (node == NULL) {
            return handle;
        }

    } else {
        ngx_media_vod_handle_unref(node->handle);
    }

    handle->refs++;
    node->handle = handle;
    node->checked = probe->asked;

    while (tree->n > max && tree->n > 1) {
        q = ngx_queue_last(&tree->queue);
        ngx_media_vod_path_drop(tree, ngx_queue_data(q, ngx_media_vod_node_t,
                                                     queue));
    }

    return handle;
}


void
ngx_media_vod_path_drop(ngx_media_vod_tree_t *tree,
    ngx_media_vod_node_t *node)
{
    ngx_media_vod_handle_unref(node->handle);
    ngx_media_vod_node_delete(tree, node);
}


/* fd is moved */

static ngx_media_vod_handle_t *
ngx_media_vod_handle_create(ngx_fd_t fd, const ngx_media_vod_id_t *id)
{
    ngx_media_vod_handle_t  *handle;

    handle = ngx_calloc(sizeof(ngx_media_vod_handle_t), ngx_cycle->log);
    if (handle == NULL) {
        ngx_media_vod_close(fd);
        return NULL;
    }

    handle->fd = fd;
    handle->id = *id;
    handle->refs = 1;

    return handle;
}


/* whoever uses another one goes on with that */

ngx_media_vod_handle_t *
ngx_media_vod_handle_convert(ngx_media_vod_handle_t *handle, ngx_fd_t fd,
    uint64_t tag)
{
    ngx_media_vod_handle_t  *converted;

    converted = handle->converted;

    if (converted && converted->tag == tag) {
        ngx_media_vod_close(fd);

    } else {
        converted = ngx_media_vod_handle_create(fd, &handle->id);
        if (converted == NULL) {
            return NULL;
        }

        ngx_media_vod_handle_unref(handle->converted);
        handle->converted = converted;

        converted->tag = tag;
        converted->touched = ngx_current_msec;
    }

    converted->refs++;

    return converted;
}


void
ngx_media_vod_probe_close(ngx_media_vod_probe_t *probe)
{
    if (probe->fd != NGX_INVALID_FILE) {
        ngx_media_vod_close(probe->fd);
        probe->fd = NGX_INVALID_FILE;
    }
}


void
ngx_media_vod_handle_unref(ngx_media_vod_handle_t *handle)
{
    if (handle == NULL || --handle->refs) {
        return;
    }

    ngx_media_vod_handle_unref(handle->converted);
    ngx_media_vod_close(handle->fd);
    ngx_free(handle);
}


static void
ngx_media_vod_close(ngx_fd_t fd)
{
    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      ngx_close_file_n " of a media file failed");
    }
}
