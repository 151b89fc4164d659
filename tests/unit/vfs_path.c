/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The walk along paths, over files in memory: names, "..", links, slashes,
 * mounts; creating, renaming, removing; sparse files.  Everything is also run
 * with the N-th allocation failing, N = 1, 2, ..., and must leave nothing
 * behind.
 * links: kernel/vfs/path.c kernel/vfs/inode.c kernel/vfs/fd.c kernel/fs/pages.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/ramfs.c"

#include "tests/unit/model_kernel.h"

/* ---- what stands below, on the host ------------------------------------------ */

static long allocated;    /* objects and frames in use */
static long frames_used;  /* frames alone */
static long fail_at = -1; /* this allocation fails */
static long allocations;

static bool fails(void) {
    return fail_at >= 0 && ++allocations == fail_at;
}

void *heap_alloc(size_t size) {
    if (fails())
        return NULL;
    allocated++;
    return calloc(1, size);
}

void heap_free(void *p, size_t size) {
    if (!p)
        return;
    memset(p, 0xa5, size); /* ASan tells when the size was larger */
    free(p);
    allocated--;
}

paddr_t arch_mapped_phys(const void *v) {
    (void)v;
    abort(); /* of kernel stacks only, and there are none here */
}

paddr_t frame_alloc_zero(void) {
    if (fails())
        return 0;
    void *p = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(p, 0, PAGE_SIZE);
    allocated++;
    frames_used++;
    return virt_to_phys(p);
}

void frame_free(paddr_t frame) {
    free(phys_to_virt(frame));
    allocated--;
    frames_used--;
}

void frame_reserve_open(void) {}

void frame_reserve_close(void) {}

/* No area shows a file's pages here. */
void area_forget(struct area_source *source, uint64_t from, uint64_t to, bool copies) {
    (void)source, (void)from, (void)to, (void)copies;
}

struct area *area_find_after(vaddr_t va) {
    (void)va;
    return NULL;
}

size_t user_read_some(void *dst, vaddr_t src, size_t size) {
    return user_read(dst, src, size) ? 0 : size;
}

size_t user_write_some(vaddr_t dst, const void *src, size_t size) {
    return user_write(dst, src, size) ? 0 : size;
}

int user_clear(vaddr_t dst, size_t size) {
    memset((void *)dst, 0, size);
    return 0;
}

uint64_t clock_realtime(void) {
    return 1000;
}

uint64_t clock_monotonic(void) {
    return 10;
}

void notice(const char *fmt, ...) {
    (void)fmt;
}

struct file file_standard[3];
struct bootinfo bootinfo;

/* A second file system, to have a mount: two directories that are always there. */
static int fake_lookup(struct inode *dir, struct name name, struct inode **out);
static const struct inode_ops fake_ops = {.lookup = fake_lookup};
static struct inode fake_top = {.ops = &fake_ops, .refs = 1, .mode = S_IFDIR | 0755, .device = 9};
static struct inode fake_sub = {.ops = &fake_ops,
                                .refs = 1,
                                .mode = S_IFDIR | 0755,
                                .device = 9,
                                .parent = &fake_top,
                                .name = "sub"};

static int fake_lookup(struct inode *dir, struct name name, struct inode **out) {
    if (dir != &fake_top || name.length != 3 || memcmp(name.text, "sub", 3) != 0)
        return -ENOENT;
    *out = inode_get(&fake_sub);
    return 0;
}

static struct inode *fake_mount(void) {
    return &fake_top;
}

static const struct filesystem fake = {"fake", "/mnt", fake_mount};

const struct filesystem *const filesystems_start[2] = {&ramfs, &fake};
__asm__(".globl filesystems_end\n.set filesystems_end, filesystems_start + 16");

/* ---- helpers ------------------------------------------------------------------- */

static int walk_to(const char *text, unsigned flags, struct path *p) {
    return path_walk(vfs_cwd(), text, flags, p);
}

/* The absolute path of the directory that a path leads to, or the error's name. */
static const char *where(const char *text, unsigned flags) {
    static char buf[FS_PATH_MAX];
    struct path p;
    int error = walk_to(text, flags, &p);
    if (error) {
        snprintf(buf, sizeof(buf), "%d", error);
        return buf;
    }
    if (inode_is(p.inode, S_IFDIR))
        assert_true(path_text(p.inode, NULL, buf, sizeof(buf)) > 0);
    else
        assert_true(path_text(p.dir, p.name, buf, sizeof(buf)) > 0);
    path_put(&p);
    return buf;
}

static int make(const char *text, uint32_t mode, const char *target) {
    struct path p;
    struct inode *made = NULL;
    int error = walk_to(text, WALK_NEW, &p);
    if (error)
        return error;
    error = p.inode ? -EEXIST
                    : p.dir->ops->create(p.dir, (struct name){p.name, p.length}, mode, target, 0,
                                         &made);
    inode_put(made);
    path_put(&p);
    return error;
}

static int drop(const char *text) {
    struct path p;
    int error = walk_to(text, 0, &p);
    if (error)
        return error;
    error = p.dir->ops->unlink(p.dir, (struct name){p.name, p.length}, p.inode);
    path_put(&p);
    return error;
}

static int move(const char *from, const char *to, bool exchange) {
    struct path a, b;
    int error = walk_to(from, 0, &a);
    if (error)
        return error;
    error = walk_to(to, WALK_NEW, &b);
    if (!error) {
        error = a.dir->ops->rename(a.dir, (struct name){a.name, a.length}, a.inode, b.dir,
                                   (struct name){b.name, b.length}, b.inode, exchange);
        path_put(&b);
    }
    path_put(&a);
    return error;
}

static void expect(const char *text, unsigned flags, const char *result) {
    const char *got = where(text, flags);
    if (strcmp(got, result) != 0)
        fail_msg("'%s' leads to %s, not %s", text, got, result);
}

static void expect_error(const char *text, unsigned flags, int error) {
    char number[16];
    snprintf(number, sizeof(number), "%d", -error);
    expect(text, flags, number);
}

static void make_tree(void) {
    assert_int_equal(make("/a", S_IFDIR | 0755, NULL), 0);
    assert_int_equal(make("/a/b", S_IFDIR | 0755, NULL), 0);
    assert_int_equal(make("/a/f", S_IFREG | 0644, NULL), 0);
    assert_int_equal(make("/a/up", S_IFLNK | 0777, ".."), 0);
    assert_int_equal(make("/a/abs", S_IFLNK | 0777, "/a/b/"), 0);
    assert_int_equal(make("/a/tofile", S_IFLNK | 0777, "f"), 0);
    assert_int_equal(make("/a/x", S_IFLNK | 0777, "y"), 0);
    assert_int_equal(make("/a/y", S_IFLNK | 0777, "x"), 0);
    assert_int_equal(make("/a/gone", S_IFLNK | 0777, "b/nothing"), 0);
}

static void drop_tree(void) {
    static const char *const names[] = {"/a/gone", "/a/y", "/a/x", "/a/tofile", "/a/abs",
                                        "/a/up",   "/a/f", "/a/b", "/a"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(drop(names[i]), 0);
}

/* ---- tests --------------------------------------------------------------------- */

static void test_names(void **state) {
    (void)state;
    make_tree();
    expect("/", 0, "/");
    expect("////", 0, "/");
    expect("/..", 0, "/");
    expect("/../../a/./b/..", 0, "/a");
    expect("a//b/", 0, "/a/b");
    expect("a/b/.", 0, "/a/b");
    expect("/a/f", 0, "/a/f");
    expect_error("", 0, ENOENT);
    expect_error("/a/f/", 0, ENOTDIR);
    expect_error("/a/f/x", 0, ENOTDIR);
    expect_error("/a/f/..", 0, ENOTDIR);
    expect_error("/a/f/.", 0, ENOTDIR);
    expect_error("/none/x", WALK_NEW, ENOENT);
    expect_error("/none", 0, ENOENT);
    drop_tree();
}

static void test_links(void **state) {
    (void)state;
    make_tree();
    expect("/a/up", WALK_FOLLOW, "/");
    expect("/a/up", 0, "/a/up");
    expect("/a/up/", 0, "/");
    expect("/a/up/a/up/a/b", 0, "/a/b");
    expect("/a/abs/..", 0, "/a");
    expect("/a/abs", WALK_FOLLOW, "/a/b");
    expect("/a/tofile", WALK_FOLLOW, "/a/f");
    expect_error("/a/tofile/", 0, ENOTDIR);
    expect_error("/a/x", WALK_FOLLOW, ELOOP);
    expect_error("/a/x/z", 0, ELOOP);
    expect("/a/x", 0, "/a/x");
    expect_error("/a/gone", WALK_FOLLOW, ENOENT);
    expect_error("/a/up/a", WALK_NO_LINKS, ELOOP);
    expect_error("/a", WALK_BENEATH, EXDEV);
    expect_error("a/up/..", WALK_BENEATH, EXDEV);
    expect("a/b/..", WALK_BENEATH, "/a");
    /* A new file through a link that leads nowhere yet. */
    struct path p;
    assert_int_equal(walk_to("/a/gone", WALK_FOLLOW | WALK_NEW, &p), 0);
    assert_null(p.inode);
    assert_string_equal(p.name, "nothing");
    assert_int_equal(p.last, LAST_NAME);
    path_put(&p);
    drop_tree();
}

/* 40 links in a row are followed, 41 are not. */
static void test_chain(void **state) {
    (void)state;
    char name[32], target[32];
    for (int i = 0; i <= 41; i++) {
        snprintf(name, sizeof(name), "/l%d", i);
        snprintf(target, sizeof(target), "l%d", i - 1);
        assert_int_equal(i ? make(name, S_IFLNK | 0777, target) : make(name, S_IFDIR | 0755, NULL),
                         0);
    }
    expect("/l40", WALK_FOLLOW, "/l0");
    expect_error("/l41", WALK_FOLLOW, ELOOP);
    for (int i = 0; i <= 41; i++) {
        snprintf(name, sizeof(name), "/l%d", i);
        assert_int_equal(drop(name), 0);
    }
}

static void test_long(void **state) {
    (void)state;
    char text[FS_PATH_MAX];
    memset(text, 'n', sizeof(text));
    text[0] = '/';
    text[FS_NAME_MAX + 1] = 0;
    assert_int_equal(make(text, S_IFREG | 0644, NULL), 0);
    expect(text, 0, text);
    assert_int_equal(drop(text), 0);
    text[FS_NAME_MAX + 1] = 'n';
    text[FS_NAME_MAX + 2] = 0;
    expect_error(text, WALK_NEW, ENAMETOOLONG);
    /* A link's text and what follows it must fit together. */
    memset(text, '/', sizeof(text));
    text[3000] = 0;
    assert_int_equal(make("/long", S_IFLNK | 0777, text), 0);
    memcpy(text, "/long", 5);
    memset(text + 5, '/', 2000);
    strcpy(text + 1090, "a");
    assert_int_equal(path_walk(vfs_root(), text, WALK_NEW, &(struct path){0}) < 0, 0);
    memset(text + 5, '/', 2000);
    strcpy(text + 1100, "a");
    assert_int_equal(path_walk(vfs_root(), text, WALK_NEW, &(struct path){0}), -ENAMETOOLONG);
    assert_int_equal(drop("/long"), 0);
    inode_put(vfs_root()); /* of the walk that succeeded */
}

static void test_mounts(void **state) {
    (void)state;
    expect("/mnt", 0, "/mnt");
    expect("/mnt/sub", 0, "/mnt/sub");
    expect("/mnt/sub/..", 0, "/mnt");
    expect("/mnt/..", 0, "/");
    expect("/mnt/sub/../..", 0, "/");
    expect_error("/mnt/none", 0, ENOENT);
    expect_error("/mnt", WALK_NO_MOUNTS, EXDEV);
    struct path p;
    assert_int_equal(walk_to("/mnt", 0, &p), 0);
    assert_ptr_equal(p.inode, &fake_top);
    path_put(&p);
}

static void test_rename(void **state) {
    (void)state;
    make_tree();
    assert_int_equal(make("/d", S_IFDIR | 0755, NULL), 0);
    assert_int_equal(move("/a/b", "/d/c", false), 0);
    expect("/d/c/..", 0, "/d");
    expect_error("/a/b", 0, ENOENT);
    assert_int_equal(move("/d/c", "/a/f", true), 0); /* a directory and a file change places */
    expect("/a/f/..", 0, "/a");
    expect("/d/c", 0, "/d/c");
    assert_int_equal(move("/d/c", "/a/f", true), 0);
    assert_int_equal(make("/d/c/z", S_IFREG | 0644, NULL), 0);
    assert_int_equal(make("/e", S_IFDIR | 0755, NULL), 0);
    assert_int_equal(move("/e", "/d/c", false), -ENOTEMPTY);
    assert_int_equal(drop("/d"), -ENOTEMPTY);
    assert_int_equal(drop("/d/c/z"), 0);
    assert_int_equal(move("/e", "/d/c", false), 0);
    expect("/d/c/..", 0, "/d");
    assert_int_equal(move("/d/c", "/a/b", false), 0);
    assert_int_equal(drop("/d"), 0);
    drop_tree();
}

struct counter {
    struct dir_sink sink;
    unsigned count, room;
};

static bool count_entry(struct dir_sink *sink, struct name name, uint64_t inode, uint32_t mode,
                        uint64_t next) {
    struct counter *c = container_of(sink, struct counter, sink);
    (void)name, (void)inode, (void)mode;
    assert_true(next > 0 && next < UINT64_MAX >> 1);
    if (c->count == c->room)
        return false;
    c->count++;
    return true;
}

/* Any size of buffer gives every entry once; removal in between is harmless. */
static void test_list(void **state) {
    (void)state;
    char name[32];
    assert_int_equal(make("/dir", S_IFDIR | 0755, NULL), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "/dir/file%d", i);
        assert_int_equal(make(name, S_IFREG | 0644, NULL), 0);
    }
    struct path p;
    assert_int_equal(walk_to("/dir", 0, &p), 0);
    for (unsigned room = 1; room < 120; room += 7) {
        uint64_t pos = 0;
        unsigned total = 0, got;
        do {
            struct counter c = {{count_entry}, 0, room};
            assert_int_equal(p.inode->ops->list(p.inode, &pos, &c.sink), 0);
            total += got = c.count;
        } while (got);
        assert_int_equal(total, 100);
    }
    uint64_t pos = 0;
    struct counter c = {{count_entry}, 0, 50};
    assert_int_equal(p.inode->ops->list(p.inode, &pos, &c.sink), 0);
    path_put(&p);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "/dir/file%d", i);
        assert_int_equal(drop(name), 0);
    }
    assert_int_equal(drop("/dir"), 0);
}

static void test_sparse(void **state) {
    (void)state;
    long before = allocated;
    struct file *f = vfs_open(vfs_root(), "/sparse", O_CREAT | O_RDWR, 0644, 0);
    assert_false(IS_ERR(f));
    static const uint64_t places[] = {
        0, 4095, 511 * PAGE_SIZE, 512 * PAGE_SIZE + 7, 600 * 512 * PAGE_SIZE, PAGES_MAX_SIZE - 3};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        uint64_t pos = places[i];
        assert_int_equal(f->ops->write(f, (vaddr_t) "ab", 2, &pos), 2);
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char got[2];
        uint64_t pos = places[i];
        assert_int_equal(f->ops->read(f, (vaddr_t)got, 2, &pos), 2);
        assert_memory_equal(got, "ab", 2);
    }
    uint64_t pos = PAGES_MAX_SIZE - 1;
    assert_int_equal(f->ops->write(f, (vaddr_t) "xyz", 3, &pos), 1);
    assert_int_equal(f->ops->write(f, (vaddr_t) "xyz", 3, &pos), -EFBIG);
    assert_int_equal(f->ops->seek(f, 2 * PAGE_SIZE, SEEK_DATA), 511 * PAGE_SIZE);
    assert_int_equal(f->ops->seek(f, 0, SEEK_HOLE), 2 * PAGE_SIZE);
    assert_int_equal(f->ops->truncate(f, 4096), 0);
    char got[4097];
    pos = 0;
    assert_int_equal(f->ops->truncate(f, 4097), 0);
    assert_int_equal(f->ops->read(f, (vaddr_t)got, sizeof(got), &pos), 4097);
    assert_memory_equal(got, "ab", 2);
    assert_int_equal(got[4095], 'a');
    assert_int_equal(got[4096], 0);       /* cut off, and it does not come back */
    assert_int_equal(frames_used, 1 + 6); /* the page, and the tree's levels above it */
    file_put(f);
    assert_int_equal(drop("/sparse"), 0);
    assert_int_equal(frames_used, 0);
    assert_int_equal(allocated, before);
}

/* A removed directory: still the working directory, but nowhere. */
static void test_removed(void **state) {
    (void)state;
    struct path p;
    char text[64];
    assert_int_equal(make("/r", S_IFDIR | 0755, NULL), 0);
    assert_int_equal(walk_to("/r", 0, &p), 0);
    vfs_set_cwd(inode_get(p.inode));
    path_put(&p);
    assert_int_equal(drop("/r"), 0);
    assert_int_equal(path_text(vfs_cwd(), NULL, text, sizeof(text)), -ENOENT);
    assert_int_equal(make("x", S_IFREG | 0644, NULL), -ENOENT);
    vfs_set_cwd(inode_get(vfs_root()));
    assert_int_equal(path_text(vfs_root(), "name", text, 6), 5);
    assert_int_equal(path_text(vfs_root(), "name", text, 5), -ERANGE);
}

/* Everything that takes memory, with one allocation failing. */
static int scenario(void) {
    int error = make("/s", S_IFDIR | 0755, NULL);
    if (!error)
        error = make("/s/l", S_IFLNK | 0777, "t");
    if (!error)
        error = make("/s/t", S_IFDIR | 0755, NULL);
    struct file *f =
        error ? ERR_PTR(error) : vfs_open(vfs_root(), "/s/l/file", O_CREAT | O_RDWR, 0644, 0);
    if (!IS_ERR(f)) {
        uint64_t pos = 5000 * PAGE_SIZE;
        long n = f->ops->write(f, (vaddr_t) "data", 4, &pos);
        error = n < 0 ? (int)n : 0;
        file_put(f);
    } else {
        error = (int)PTR_ERR(f);
    }
    if (!error)
        error = move("/s/t/file", "/s/l", false);
    if (!error)
        error = move("/s/t", "/s/l", true);
    return error;
}

static void clean(void) {
    drop("/s/l/file");
    drop("/s/t/file");
    drop("/s/l");
    drop("/s/t");
    drop("/s");
}

static void test_memory(void **state) {
    (void)state;
    long before = allocated;
    for (long n = 1;; n++) {
        fail_at = n;
        allocations = 0;
        int error = scenario();
        bool reached = allocations >= n;
        fail_at = -1;
        clean();
        if (allocated != before)
            fail_msg("allocation %ld failing leaves %ld objects", n, allocated - before);
        if (!reached) {
            assert_int_equal(error, 0);
            assert_true(n > 10);
            break;
        }
        /* Only a path for /proc/self/fd may be done without. */
        assert_true(error == -ENOMEM || error == -ENOSPC || error == 0);
    }
    expect_error("/s", 0, ENOENT);
}

int main(void) {
    static _Alignas(4096) uint8_t program_bytes[PAGE_SIZE];
    static struct image_manifest manifest;
    manifest.app_paddr = virt_to_phys(program_bytes);
    manifest.app_size = sizeof(program_bytes);
    bootinfo.manifest = &manifest;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_links),
        cmocka_unit_test(test_chain),   cmocka_unit_test(test_long),
        cmocka_unit_test(test_mounts),  cmocka_unit_test(test_rename),
        cmocka_unit_test(test_list),    cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_removed), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
