/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes as an archive for --rootfs: it is refused, or becomes a tree that the
 * guest's reader takes, in which every entry leads to a node and every content
 * lies within.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/rootfs.h"
#include "zuk/diag.h"
#include "zuk/rootfs.h"
#include "zuk/util.h"

static volatile uint8_t sink;

static void check(int ok) {
    if (!ok) {
        abort();
    }
}

static void walk(const struct rootfs *r, const struct rootfs_node *n, unsigned depth) {
    check(depth < 200);
    if ((n->mode & 0170000) != 0040000) {
        const uint8_t *bytes = rootfs_content(r, n);
        check(bytes != NULL || n->size == 0);
        sink = n->size > 0 ? (uint8_t)(bytes[0] + bytes[n->size - 1]) : 0;
        return;
    }
    const struct rootfs_entry *e;
    for (uint64_t key = 0; (e = rootfs_next(r, n, key)) != NULL; key = e->key + 1) {
        const struct rootfs_node *below = rootfs_node(r, e->node);
        check(below != NULL && strlen(rootfs_name(r, e)) == e->length);
        check(rootfs_find(r, n, rootfs_name(r, e), e->length) != NULL);
        walk(r, below, depth + 1);
    }
}

/* A name in a header may be said to have 4 GiB: libarchive asks for them and, where
 * they can be had, finds that the file ends before; a shadow of them takes seconds. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1:max_allocation_size_mb=256";
}

/* A header may ask for gigabytes of nothing: not here. */
static void limit(void) {
    static int done;
    if (!done) {
        const struct rlimit few = {16 << 20, 16 << 20};
        done = signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &few) == 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    limit();
    diag_quiet = true;
    int in = memfd_create("fuzz", MFD_CLOEXEC);
    check(in >= 0 && write(in, data, size) == (ssize_t)size);
    const char *const sources[] = {xasprintf("/proc/self/fd/%d", in)};
    const struct rootfs_request request = {.sources = sources, .source_count = 1};
    uint64_t bytes;
    int out = rootfs_make(&request, &bytes);
    close(in);
    if (out >= 0) {
        void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, out, 0);
        struct rootfs r;
        check(map != MAP_FAILED && rootfs_open(&r, map, bytes));
        const struct rootfs_node *root = rootfs_node(&r, r.header->root);
        check(root != NULL);
        walk(&r, root, 0);
        munmap(map, bytes);
        close(out);
    }
    arena_release();
    return 0;
}
