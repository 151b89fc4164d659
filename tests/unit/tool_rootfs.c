/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/rootfs.c writes, kernel/lib/rootfs.c reads: a folder with all that it can
 * hold, twice the same bytes, and every byte of the tables damaged in turn.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/rootfs.h"
#include "zuk/diag.h"
#include "zuk/rootfs.h"
#include "zuk/util.h"

static char folder[] = "/tmp/tool_rootfs.XXXXXX";

static void make_file(const char *name, const char *text, size_t size) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

static int setup(void **state) {
    (void)state;
    static char big[9000];
    memset(big, 'b', sizeof big);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("top", 0755), 0);
    assert_int_equal(mkdir("top/sub", 0700), 0);
    make_file("top/big", big, sizeof big);
    make_file("top/none", "", 0);
    make_file("top/sub/\xff\n ", "odd", 3);
    assert_int_equal(link("top/big", "top/sub/hard"), 0);
    assert_int_equal(symlink("sub/hard", "top/link"), 0);
    for (unsigned i = 0; i < 300; i++) {
        make_file(xasprintf("top/sub/%u", i), "x", 1);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    assert_int_equal(chdir("/"), 0);
    return remove_tree(folder) ? 0 : -1;
}

static uint8_t *make(uint64_t *size, bool cwd) {
    const char *const sources[] = {"top"};
    const struct rootfs_request request = {
        .sources = sources, .source_count = 1, .cwd = cwd, .text = "env=A=B"};
    int fd = rootfs_make(&request, size);
    assert_true(fd > 3);
    assert_int_equal(*size % ROOTFS_PAGE, 0);
    uint8_t *bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    assert_true(bytes != MAP_FAILED);
    close(fd);
    return bytes;
}

static const struct rootfs_node *look(const struct rootfs *r, const struct rootfs_node *dir,
                                      const char *name) {
    const struct rootfs_entry *e = rootfs_find(r, dir, name, strlen(name));
    return e == NULL ? NULL : rootfs_node(r, e->node);
}

static void reads_what_was_written(void **state) {
    (void)state;
    struct rootfs r;
    uint64_t size, text_size;
    uint8_t *bytes = make(&size, true);
    assert_true(rootfs_open(&r, bytes, size));
    assert_false(rootfs_open(&r, bytes, size - 1));
    assert_memory_equal(rootfs_text(&r, &text_size), "env=A=B", 7);
    assert_int_equal(text_size, 7);
    const struct rootfs_node *root = rootfs_node(&r, r.header->root);
    assert_int_equal(root->size, 4);
    assert_int_equal(root->links, 3);
    const struct rootfs_node *big = look(&r, root, "big");
    assert_int_equal(big->mode, S_IFREG | 0640);
    assert_int_equal(big->size, 9000);
    assert_int_equal(big->links, 2);
    assert_int_equal(big->start % ROOTFS_PAGE, 0);
    assert_int_equal(rootfs_content(&r, big)[8999], 'b');
    assert_int_equal(rootfs_content(&r, big)[9000], 0);
    const struct rootfs_node *sub = look(&r, root, "sub");
    assert_int_equal(sub->size, 302);
    assert_ptr_equal(look(&r, sub, "hard"), big);
    assert_int_equal(look(&r, sub, "\xff\n ")->size, 3);
    assert_null(look(&r, sub, "nothing"));
    assert_string_equal((const char *)rootfs_content(&r, look(&r, root, "link")), "sub/hard");
    unsigned count = 0;
    const struct rootfs_entry *e;
    for (uint64_t key = 0; (e = rootfs_next(&r, sub, key)) != NULL; key = e->key + 1) {
        count++;
    }
    assert_int_equal(count, 302);
    assert_string_equal(rootfs_cwd(&r), folder);
    const struct rootfs_node *cwd = rootfs_node(&r, r.header->cwd);
    assert_ptr_not_equal(look(&r, look(&r, cwd, "top"), "big"), big); /* the trees share none */
    munmap(bytes, size);
}

static void same_bytes(void **state) {
    (void)state;
    uint64_t one, two;
    uint8_t *a = make(&one, false), *b = make(&two, false);
    assert_int_equal(one, two);
    assert_memory_equal(a, b, one);
    munmap(a, one);
    munmap(b, two);
}

/* Each byte of header and tables, wrong: the reader answers all the same. */
static void damaged(void **state) {
    (void)state;
    uint64_t size;
    uint8_t *bytes = make(&size, false);
    uint64_t tables = ((const struct rootfs_header *)bytes)->nodes;
    uint8_t *exact = malloc(size);
    volatile uint8_t last;
    for (uint64_t at = 0; at < size;
         at = at + 1 == sizeof(struct rootfs_header) ? tables : at + 1) {
        struct rootfs r;
        memcpy(exact, bytes, size);
        exact[at] ^= 0x80;
        if (!rootfs_open(&r, exact, size)) {
            continue;
        }
        for (uint32_t i = 0; i < 4; i++) {
            const struct rootfs_node *n = rootfs_node(&r, i);
            if (n != NULL && S_ISDIR(n->mode)) {
                look(&r, n, "big");
                look(&r, n, "17");
            } else if (n != NULL && n->size > 0) {
                last = rootfs_content(&r, n)[n->size - 1];
            }
        }
    }
    (void)last;
    free(exact);
    munmap(bytes, size);
}

static void errors(void **state) {
    (void)state;
    uint64_t size;
    const char *const nowhere[] = {"nowhere"}, *const no_archive[] = {"top/big"};
    diag_quiet = true;
    assert_int_equal(
        rootfs_make(&(struct rootfs_request){.sources = nowhere, .source_count = 1}, &size), -1);
    assert_int_equal(
        rootfs_make(&(struct rootfs_request){.sources = no_archive, .source_count = 1}, &size), -1);
    diag_quiet = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(damaged),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
