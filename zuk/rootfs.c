/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Folders and archives -> a tree of files.  See rootfs.h, abi/rootfs.h.
 *
 * Content goes to the output while the sources are read; the tables, which
 * need the whole tree, follow at the end.  What a later source replaces stays
 * in the output, unreachable.
 */
#include "zuk/rootfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/rootfs.h"
#include "zuk/canonical.h"
#include "zuk/diag.h"
#include "zuk/util.h"

enum {
    CHUNK = 256 << 10,
    DEPTH_MAX = 200,
    WARNINGS_MAX = 5,
};
#define SIZE_MAX_BYTES (UINT64_C(2) << 30) /* all lies below 2 GiB */

struct node {
    struct rootfs_node data; /* start and size of folders, and of links, come at the end */
    char *target;            /* of a link */
    uint32_t number;         /* 0: not numbered yet */
};

/* A name in a folder. */
struct item {
    struct node *dir, *node;
    char *name;
    size_t length;
    uint64_t key;
};

struct tree {
    int fd;
    uint64_t end; /* of what is written, a multiple of the page */
    VEC(struct item *) entries;
    struct item **index; /* by folder and name; a power of two, at most half full */
    size_t index_size;
    void *links; /* of struct link, for tsearch */
    uint8_t *chunk;
    unsigned skipped;
};

/* A file with several names in a folder on the host. */
struct link {
    dev_t dev;
    ino_t ino;
    struct node *node;
};

/* ---- the tree -------------------------------------------------------------- */

static struct node *node_new(uint32_t type, uint32_t mode) {
    struct node *n = xalloc(sizeof *n);
    n->data.mode = type | (mode & 07777);
    return n;
}

static bool is_folder(const struct node *n) {
    return S_ISDIR(n->data.mode);
}

static size_t slot_of(const struct tree *t, const struct node *dir, const char *name,
                      size_t length) {
    uint64_t h = hash64((uint64_t)(uintptr_t)dir, name, length);
    size_t i = (size_t)h & (t->index_size - 1);
    while (t->index[i] != NULL && (t->index[i]->dir != dir || t->index[i]->length != length ||
                                   memcmp(t->index[i]->name, name, length) != 0)) {
        i = (i + 1) & (t->index_size - 1);
    }
    return i;
}

static struct item *find(const struct tree *t, const struct node *dir, const char *name,
                         size_t length) {
    return t->index_size == 0 ? NULL : t->index[slot_of(t, dir, name, length)];
}

static void index_grow(struct tree *t) {
    t->index_size = t->index_size == 0 ? 256 : t->index_size * 2;
    t->index = xalloc(t->index_size * sizeof *t->index);
    for (size_t i = 0; i < t->entries.len; i++) {
        struct item *e = t->entries.data[i];
        t->index[slot_of(t, e->dir, e->name, e->length)] = e;
    }
}

/* Gives a folder's name to a node.  A folder over a folder: the old one stays,
 * with the new one's mode and times.  Returns the node that has the name now. */
static struct node *enter(struct tree *t, struct node *dir, const char *name, size_t length,
                          struct node *n) {
    struct item *e = find(t, dir, name, length);
    if (e != NULL && is_folder(e->node) && is_folder(n)) {
        uint32_t links = e->node->data.links;
        e->node->data = n->data;
        e->node->data.links = links;
        return e->node;
    }
    if (e == NULL) {
        if (2 * (t->entries.len + 1) > t->index_size) {
            index_grow(t);
        }
        e = xalloc(sizeof *e);
        *e = (struct item){dir, NULL, xstrndup(name, length), length, rootfs_key(name, length)};
        t->index[slot_of(t, dir, name, length)] = e;
        *vec_push(&t->entries) = e;
    } else {
        e->node->data.links--;
        dir->data.links -= is_folder(e->node);
    }
    e->node = n;
    n->data.links += is_folder(n) ? 2 : 1;
    dir->data.links += is_folder(n);
    return n;
}

static struct node *root_new(void) {
    struct node *n = node_new(S_IFDIR, 0755);
    n->data.links = 2;
    return n;
}

/* ---- the output ------------------------------------------------------------- */

static bool put(struct tree *t, uint64_t at, const void *data, uint64_t size) {
    for (uint64_t done = 0; done < size;) {
        ssize_t n = pwrite(t->fd, (const uint8_t *)data + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            diag_error("cannot keep the files for the guest: %s", strerror(n < 0 ? errno : ENOSPC));
            return false;
        }
        done += (uint64_t)n;
    }
    return true;
}

/* Makes room for content; false after diag_error. */
static bool reserve(struct tree *t, struct node *n, uint64_t size, const char *path) {
    if (size > SIZE_MAX_BYTES || t->end + size > SIZE_MAX_BYTES) {
        diag_error("%s: the files for the guest are too large: %llu MiB with this one, 2048 at "
                   "most",
                   path, (unsigned long long)((t->end + size) >> 20));
        return false;
    }
    n->data.size = size;
    n->data.start = size == 0 ? 0 : t->end;
    t->end += (size + ROOTFS_PAGE - 1) / ROOTFS_PAGE * ROOTFS_PAGE;
    return true;
}

/* ---- folders ----------------------------------------------------------------- */

static void skip(struct tree *t, const char *path, const char *what) {
    if (++t->skipped <= WARNINGS_MAX) {
        diag_warning("%s: %s is left out", path, what);
    }
}

static const char *kind_of(mode_t mode) {
    return S_ISFIFO(mode)                   ? "a named pipe"
           : S_ISSOCK(mode)                 ? "a socket"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device node"
                                            : "a thing of an unknown kind";
}

static bool copy_file(struct tree *t, int dir, const char *name, const char *path,
                      const struct stat *st, struct node *n) {
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        diag_error("cannot read '%s': %s", path, strerror(errno));
        return false;
    }
    uint64_t size = (uint64_t)st->st_size;
    bool ok = reserve(t, n, size, path);
    for (uint64_t done = 0; ok && done < size;) {
        uint64_t part = size - done < CHUNK ? size - done : CHUNK;
        ssize_t got = pread(fd, t->chunk, part, (off_t)done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            diag_error("cannot read '%s': %s", path,
                       got < 0 ? strerror(errno) : "it became shorter meanwhile");
            ok = false;
            break;
        }
        ok = put(t, n->data.start + done, t->chunk, (uint64_t)got);
        done += (uint64_t)got;
    }
    close(fd);
    return ok;
}

static int by_inode(const void *a, const void *b) {
    const struct link *x = a, *y = b;
    if (x->ino != y->ino) {
        return x->ino < y->ino ? -1 : 1;
    }
    return (x->dev > y->dev) - (x->dev < y->dev);
}

/* The other names' place, or a new one without a node; NULL: no memory. */
static struct link *link_of(struct tree *t, const struct stat *st) {
    struct link *l = xalloc(sizeof *l);
    *l = (struct link){st->st_dev, st->st_ino, NULL};
    struct link **found = tsearch(l, &t->links, by_inode);
    return found == NULL ? l : *found;
}

/* SOURCE_DATE_EPOCH (reproducible-builds.org) is the newest time that an image
 * may hold. */
static uint64_t no_later(uint64_t mtime_ns) {
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end;
    unsigned long long seconds = text == NULL ? 0 : strtoull(text, &end, 10);
    if (text == NULL || end == text || *end != '\0' || seconds > UINT64_MAX / 1000000000u) {
        return mtime_ns;
    }
    uint64_t newest = seconds * 1000000000u;
    return mtime_ns < newest ? mtime_ns : newest;
}

/* A folder's permissions follow the umask of whoever made it: where the image
 * shall be the same everywhere, only the owner's execute bit counts. */
static mode_t mode_of(const struct stat *st) {
    if (!canonical_is() || S_ISLNK(st->st_mode)) {
        return st->st_mode;
    }
    return (st->st_mode & S_IFMT) | ((st->st_mode & 0100) != 0 ? 0755 : 0644);
}

static struct node *node_of_stat(const struct stat *st) {
    struct node *n = node_new(st->st_mode & S_IFMT, mode_of(st));
    n->data.mtime_ns = st->st_mtim.tv_sec < 0 ? 0
                                              : (uint64_t)st->st_mtim.tv_sec * 1000000000u +
                                                    (uint64_t)st->st_mtim.tv_nsec;
    n->data.mtime_ns = no_later(n->data.mtime_ns);
    return n;
}

static char *read_target(int dir, const char *name, const char *path) {
    char target[ROOTFS_TARGET_MAX + 2];
    ssize_t n = readlinkat(dir, name, target, sizeof target);
    if (n <= 0 || n > (ssize_t)ROOTFS_TARGET_MAX) {
        diag_error("cannot read the link '%s': %s", path,
                   n < 0 ? strerror(errno) : "its target is too long");
        return NULL;
    }
    return xstrndup(target, (size_t)n);
}

static bool add_folder(struct tree *t, int parent, const char *name, const char *path,
                       struct node *into, unsigned depth);

static bool add_item(struct tree *t, int dir, const char *name, const char *path, struct node *into,
                     unsigned depth) {
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        diag_error("cannot look at '%s': %s", path, strerror(errno));
        return false;
    }
    size_t length = strlen(name);
    if (S_ISDIR(st.st_mode)) {
        struct node *n = enter(t, into, name, length, node_of_stat(&st));
        return add_folder(t, dir, name, path, n, depth + 1);
    }
    if (S_ISLNK(st.st_mode)) {
        struct node *n = node_of_stat(&st);
        n->target = read_target(dir, name, path);
        return n->target != NULL && enter(t, into, name, length, n) != NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        skip(t, path, kind_of(st.st_mode));
        return true;
    }
    struct link once = {0}, *l = st.st_nlink > 1 ? link_of(t, &st) : &once;
    if (l->node == NULL) {
        struct node *n = node_of_stat(&st);
        if (!copy_file(t, dir, name, path, &st, n)) {
            return false;
        }
        l->node = n;
    }
    enter(t, into, name, length, l->node);
    return true;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool add_folder(struct tree *t, int parent, const char *name, const char *path,
                       struct node *into, unsigned depth) {
    int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **list = NULL;
    int count = dir < 0 ? -1 : scandirat(dir, ".", &list, NULL, by_bytes);
    bool ok = count >= 0;
    if (!ok) {
        diag_error("cannot read the folder '%s': %s", path, strerror(errno));
    } else if (depth > DEPTH_MAX) {
        diag_error("'%s' lies too deep: %d folders at most", path, DEPTH_MAX);
        ok = false;
    }
    for (int i = 0; i < count; i++) {
        const char *entry = list[i]->d_name;
        if (ok && strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0) {
            ok = add_item(t, dir, entry, xasprintf("%s/%s", path, entry), into, depth);
        }
        free(list[i]);
    }
    free(list);
    if (dir >= 0) {
        close(dir);
    }
    return ok;
}

static bool add_top_folder(struct tree *t, const char *path, struct node *root) {
    struct stat st;
    if (stat(path, &st) != 0) {
        diag_error("cannot look at '%s': %s", path, strerror(errno));
        return false;
    }
    uint32_t links = root->data.links;
    root->data = node_of_stat(&st)->data;
    root->data.links = links;
    return add_folder(t, AT_FDCWD, path, path, root, 0);
}

/* ---- archives ---------------------------------------------------------------- */

/* The next component of an archive's path; false: there is none. */
static bool component(const char **at, const char **name, size_t *length) {
    const char *s = *at;
    for (;;) {
        while (*s == '/') {
            s++;
        }
        *name = s;
        *length = strcspn(s, "/");
        s += *length;
        if (*length != 1 || **name != '.') {
            break;
        }
    }
    *at = s;
    return *length > 0;
}

/* The folder that the last component of a path stands in; missing ones are
 * made.  NULL after diag_error; *length is 0 for the root itself. */
static struct node *walk(struct tree *t, struct node *root, const char *archive, const char *path,
                         const char **name, size_t *length) {
    struct node *at = root;
    const char *next, *whole = path;
    size_t next_length;
    if (!component(&path, name, length)) {
        return root;
    }
    for (;; *name = next, *length = next_length) {
        if ((*length == 2 && memcmp(*name, "..", 2) == 0) || *length > ROOTFS_NAME_MAX) {
            diag_error("'%s': the path '%s' leads outside or is too long", archive, whole);
            return NULL;
        }
        if (!component(&path, &next, &next_length)) {
            return at;
        }
        struct item *e = find(t, at, *name, *length);
        at = e != NULL && is_folder(e->node)
                 ? e->node
                 : enter(t, at, *name, *length, node_new(S_IFDIR, 0755));
    }
}

static bool damaged(const char *path, struct archive *a) {
    const char *why = archive_error_string(a);
    diag_error("'%s' is no archive that can be read: %s", path,
               why == NULL ? "it is damaged" : why);
    return false;
}

static bool copy_data(struct tree *t, struct archive *a, struct node *n, const char *archive,
                      const char *path, uint64_t size) {
    if (!reserve(t, n, size, path)) {
        return false;
    }
    for (;;) {
        const void *data;
        size_t part;
        la_int64_t at;
        int result = archive_read_data_block(a, &data, &part, &at);
        if (result == ARCHIVE_EOF) {
            return true;
        }
        if (result == ARCHIVE_RETRY) {
            continue;
        }
        if (result < ARCHIVE_WARN || at < 0 || (uint64_t)at > size || part > size - (uint64_t)at) {
            return damaged(archive, a);
        }
        if (!put(t, n->data.start + (uint64_t)at, data, part)) {
            return false;
        }
    }
}

static bool add_hard_link(struct tree *t, struct archive *a, struct archive_entry *e,
                          const char *archive, struct node *root, const char *path) {
    const char *name, *target = archive_entry_hardlink(e);
    size_t length;
    struct node *dir = walk(t, root, archive, target, &name, &length);
    struct item *found = dir == NULL ? NULL : find(t, dir, name, length);
    if (found == NULL || is_folder(found->node)) {
        diag_error("'%s' is damaged: '%s' is a link to '%s', which is not there", archive, path,
                   target);
        return false;
    }
    struct node *n = found->node;
    dir = walk(t, root, archive, path, &name, &length);
    if (dir == NULL) {
        return false;
    }
    if (length == 0) {
        diag_error("'%s' is damaged: a link to '%s' has no name", archive, target);
        return false;
    }
    /* cpio keeps the content with the last of the names. */
    if (S_ISREG(n->data.mode) && archive_entry_size_is_set(e) && archive_entry_size(e) > 0 &&
        !copy_data(t, a, n, archive, path, (uint64_t)archive_entry_size(e))) {
        return false;
    }
    enter(t, dir, name, length, n);
    return true;
}

static bool add_member(struct tree *t, struct archive *a, struct archive_entry *e,
                       const char *archive, struct node *root) {
    const char *path = archive_entry_pathname(e);
    if (path == NULL) {
        path = archive_entry_pathname_utf8(e);
    }
    if (path == NULL) {
        diag_error("'%s': a member's name cannot be read", archive);
        return false;
    }
    if (archive_entry_hardlink(e) != NULL) {
        return add_hard_link(t, a, e, archive, root, path);
    }
    mode_t type = archive_entry_filetype(e);
    if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK) {
        skip(t, xasprintf("%s: %s", archive, path), kind_of(type));
        return true;
    }
    const char *name;
    size_t length;
    struct node *dir = walk(t, root, archive, path, &name, &length);
    if (dir == NULL) {
        return false;
    }
    struct node *n = node_new(type, archive_entry_perm(e));
    n->data.uid = (uint32_t)archive_entry_uid(e);
    n->data.gid = (uint32_t)archive_entry_gid(e);
    if (archive_entry_mtime(e) > 0) {
        n->data.mtime_ns =
            (uint64_t)archive_entry_mtime(e) * 1000000000u + (uint64_t)archive_entry_mtime_nsec(e);
        n->data.mtime_ns = no_later(n->data.mtime_ns);
    }
    if (length == 0) {
        if (type == AE_IFDIR) { /* "./": the root itself */
            n->data.links = root->data.links;
            root->data = n->data;
        }
        return true;
    }
    if (type == AE_IFREG && !copy_data(t, a, n, archive, path, (uint64_t)archive_entry_size(e))) {
        return false;
    }
    if (type == AE_IFLNK) {
        const char *target = archive_entry_symlink(e);
        if (target == NULL || *target == '\0' || strlen(target) > ROOTFS_TARGET_MAX) {
            diag_error("'%s': the link '%s' has no target, or too long a one", archive, path);
            return false;
        }
        n->target = xstrdup(target);
    }
    enter(t, dir, name, length, n);
    return true;
}

static bool add_archive(struct tree *t, const char *path, struct node *root) {
    struct archive *a = archive_read_new();
    if (a == NULL) {
        diag_error("no memory to read '%s'", path);
        return false;
    }
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_cpio(a);
    /* Names are bytes; in this locale libarchive does not convert them. */
    const char *before = xstrdup(setlocale(LC_CTYPE, NULL));
    setlocale(LC_CTYPE, "C.UTF-8");
    bool ok = archive_read_open_filename(a, path, CHUNK) == ARCHIVE_OK || damaged(path, a);
    struct archive_entry *e;
    while (ok) {
        int result = archive_read_next_header(a, &e);
        if (result == ARCHIVE_EOF) {
            break;
        }
        if (result != ARCHIVE_RETRY) {
            ok = result >= ARCHIVE_WARN ? add_member(t, a, e, path, root) : damaged(path, a);
        }
    }
    setlocale(LC_CTYPE, before);
    archive_read_free(a);
    return ok;
}

/* ---- the tables --------------------------------------------------------------- */

static int by_folder(const void *a, const void *b) {
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
    if (x->dir->number != y->dir->number) {
        return x->dir->number < y->dir->number ? -1 : 1;
    }
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

struct tables {
    VEC(struct node *) nodes; /* by number; the first is none */
    VEC(char) names;
    struct rootfs_entry *entries;
};

static void number(struct tables *out, struct node *n) {
    if (n->number == 0) {
        n->number = (uint32_t)out->nodes.len;
        *vec_push(&out->nodes) = n;
    }
}

static uint64_t put_name(struct tables *out, const char *s, size_t length) {
    uint64_t at = out->names.len;
    for (size_t i = 0; i <= length; i++) {
        *vec_push(&out->names) = s[i];
    }
    return at;
}

/* Numbers are given in the order in which the sources named things. */
static void make_tables(struct tree *t, struct node *root, struct node *cwd, struct tables *out) {
    *vec_push(&out->nodes) = NULL;
    if (root != NULL) {
        number(out, root);
    }
    if (cwd != NULL) {
        number(out, cwd);
    }
    for (size_t i = 0; i < t->entries.len; i++) {
        number(out, t->entries.data[i]->node);
    }
    size_t count = t->entries.len;
    /* What was replaced by something else than a folder may have left entries
     * without a folder: they have no number. */
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (t->entries.data[i]->dir->number != 0) {
            t->entries.data[kept++] = t->entries.data[i];
        }
    }
    t->entries.len = count = kept;
    if (count > 0) {
        qsort(t->entries.data, count, sizeof *t->entries.data, by_folder);
    }
    out->entries = xalloc((count + 1) * sizeof *out->entries);
    for (size_t i = 0; i < count; i++) {
        const struct item *e = t->entries.data[i];
        if (e->dir->data.size++ == 0) {
            e->dir->data.start = i;
        }
        out->entries[i] = (struct rootfs_entry){e->key, put_name(out, e->name, e->length),
                                                (uint32_t)e->length, e->node->number};
    }
    for (size_t i = 1; i < out->nodes.len; i++) {
        struct node *n = out->nodes.data[i];
        if (n->target != NULL) {
            n->data.size = strlen(n->target);
            n->data.start = put_name(out, n->target, n->data.size);
        }
    }
}

static bool write_tables(struct tree *t, struct node *root, struct node *cwd, const char *cwd_path,
                         const char *text, uint64_t *size) {
    struct tables tables = {0};
    make_tables(t, root, cwd, &tables);
    size_t count = t->entries.len;
    struct rootfs_header h = {
        .magic = ROOTFS_MAGIC,
        .nodes = t->end,
        .node_count = tables.nodes.len,
        .entry_count = count,
        .root = root == NULL ? 0 : root->number,
        .cwd = cwd == NULL ? 0 : cwd->number,
        .cwd_path = cwd == NULL ? 0 : put_name(&tables, cwd_path, strlen(cwd_path)),
        .text_size = text == NULL ? 0 : strlen(text),
    };
    h.names_size = tables.names.len;
    h.entries = h.nodes + h.node_count * sizeof(struct rootfs_node);
    h.names = h.entries + h.entry_count * sizeof(struct rootfs_entry);
    h.text = h.names + h.names_size;
    h.size = (h.text + h.text_size + ROOTFS_PAGE - 1) / ROOTFS_PAGE * ROOTFS_PAGE;
    struct rootfs_node *nodes = xalloc(tables.nodes.len * sizeof *nodes);
    for (size_t i = 1; i < tables.nodes.len; i++) {
        nodes[i] = tables.nodes.data[i]->data;
    }
    *size = h.size;
    if (t->skipped > WARNINGS_MAX) {
        diag_warning("%u more are left out", t->skipped - WARNINGS_MAX);
    }
    if (h.size > SIZE_MAX_BYTES) {
        diag_error("the files for the guest are too large: %llu MiB, 2048 at most",
                   (unsigned long long)(h.size >> 20));
        return false;
    }
    return put(t, 0, &h, sizeof h) && put(t, h.nodes, nodes, h.node_count * sizeof *nodes) &&
           put(t, h.entries, tables.entries, count * sizeof *tables.entries) &&
           put(t, h.names, tables.names.data, h.names_size) && put(t, h.text, text, h.text_size) &&
           ftruncate(t->fd, (off_t)h.size) == 0;
}

/* ---- all of it ----------------------------------------------------------------- */

static int open_output(void) {
    int fd = memfd_create("zuk-files", 0);
    if (fd >= 0 && fd < 4) {
        int moved = fcntl(fd, F_DUPFD, 4); /* QEMU's 0 to 3 are taken */
        close(fd);
        fd = moved;
    }
    if (fd < 0) {
        diag_error("cannot keep the files for the guest: %s", strerror(errno));
    }
    return fd;
}

static bool add_sources(struct tree *t, const struct rootfs_request *request, struct node *root) {
    for (size_t i = 0; i < request->source_count; i++) {
        const char *path = request->sources[i];
        struct stat st;
        if (stat(path, &st) != 0) {
            diag_error("--rootfs: cannot open '%s': %s", path, strerror(errno));
            return false;
        }
        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
            diag_error("--rootfs: '%s' is neither a folder nor an archive", path);
            return false;
        }
        if (!(S_ISDIR(st.st_mode) ? add_top_folder(t, path, root) : add_archive(t, path, root))) {
            return false;
        }
    }
    return true;
}

static bool add_certificates(struct tree *t, const char *path, struct node *root) {
    char *real = realpath(path, NULL);
    struct stat st;
    const char *name;
    size_t length;
    if (real == NULL || stat(real, &st) != 0 || !S_ISREG(st.st_mode)) {
        diag_error("--ca-certificates: '%s': %s", path,
                   real == NULL ? strerror(errno) : "not a file");
        diag_hint("--ca-certificates=FILE names a bundle in PEM form; Debian's comes with the "
                  "package ca-certificates");
        free(real);
        return false;
    }
    struct node *dir = walk(t, root, "", ROOTFS_CERTIFICATES, &name, &length);
    struct node *n = node_of_stat(&st);
    n->data.mode = S_IFREG | 0644;
    bool ok = dir != NULL && copy_file(t, AT_FDCWD, real, path, &st, n);
    free(real);
    if (ok) {
        enter(t, dir, name, length, n);
    }
    return ok;
}

static void keep(void *link) {
    (void)link; /* the arena's */
}

int rootfs_make(const struct rootfs_request *request, uint64_t *size) {
    struct tree t = {.fd = open_output(), .end = ROOTFS_PAGE, .chunk = xalloc(CHUNK)};
    struct node *root =
        request->source_count > 0 || request->certificates != NULL ? root_new() : NULL;
    struct node *cwd = request->cwd ? root_new() : NULL;
    char *cwd_path = request->cwd ? realpath(".", NULL) : NULL;
    bool ok = t.fd >= 0;
    if (ok && request->cwd && cwd_path == NULL) {
        diag_error("--cwd-ro: where is the working directory? %s", strerror(errno));
        ok = false;
    }
    ok = ok && add_sources(&t, request, root);
    ok = ok && (request->certificates == NULL || add_certificates(&t, request->certificates, root));
    tdestroy(t.links, keep); /* the two trees share no file */
    t.links = NULL;
    ok = ok && (cwd == NULL || add_top_folder(&t, cwd_path, cwd));
    tdestroy(t.links, keep);
    ok = ok && write_tables(&t, root, cwd, cwd_path, request->text, size);
    free(cwd_path);
    if (!ok && t.fd >= 0) {
        close(t.fd);
    }
    return ok ? t.fd : -1;
}
