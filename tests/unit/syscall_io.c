/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Transfers by system call: vectors of any length, short and failing files,
 * bad addresses, limits, and the order of errnos.  The app's memory is the
 * test's own; one page of it is not there.
 * links: kernel/vfs/fd.c kernel/syscall/descriptors.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "syscall/io.c"

#include "sched/thread.h"
#include "vfs/lock.h"

/* ---- what stands below, on the host ------------------------------------------ */

static _Alignas(4096) uint8_t memory[3 * PAGE_SIZE]; /* the middle page is not there */
#define HOLE (memory + PAGE_SIZE)

static bool is_bad(vaddr_t at, size_t size) {
    vaddr_t hole = (vaddr_t)HOLE;
    return at < PAGE_SIZE || (at < hole + PAGE_SIZE && at + size > hole);
}

int user_read(void *dst, vaddr_t src, size_t size) {
    if (is_bad(src, size))
        return -EFAULT;
    memcpy(dst, (const void *)src, size);
    return 0;
}

int user_write(vaddr_t dst, const void *src, size_t size) {
    if (is_bad(dst, size))
        return -EFAULT;
    memcpy((void *)dst, src, size);
    return 0;
}

static size_t copy_some(void *dst, const void *src, size_t size) {
    uint8_t *to = dst;
    vaddr_t from = (vaddr_t)src;
    for (; size && !user_read(to, from, 1); size--)
        to++, from++;
    return size;
}
size_t (*arch_copy_user)(void *dst, const void *src, size_t size) = copy_some;

size_t user_read_some(void *dst, vaddr_t src, size_t size) {
    return size - copy_some(dst, (const void *)src, size);
}

int user_clear(vaddr_t dst, size_t size) {
    if (is_bad(dst, size))
        return -EFAULT;
    memset((void *)dst, 0, size);
    return 0;
}

/* No file here has an inode to lock, and there is one thread. */
int lock_set(struct file *f, const struct lock_request *r, bool wait) {
    (void)f, (void)r, (void)wait;
    return 0;
}

bool lock_test(struct file *f, const struct lock_request *r, struct lock_request *who) {
    (void)f, (void)r, (void)who;
    return false;
}

static struct thread self = {.id = 1};
struct list thread_all = {&self.all, &self.all};
struct thread *arch_thread_current(void) {
    return &self;
}

void *heap_alloc(size_t size) {
    return calloc(1, size);
}

void heap_free(void *p, size_t size) {
    (void)size;
    free(p);
}

/* A file of bytes 0, 1, 2, ...: takes and gives at most `chunk` a call, fails at `fail`. */
static struct {
    size_t calls, chunk, total;
    uint64_t fail, limit; /* positions */
    bool nothing_ready;
} file;

static long step(size_t size, uint64_t *pos) {
    file.calls++;
    file.total += size;
    if (*pos >= file.fail)
        return -EIO;
    size = MIN(size, file.chunk);
    size = *pos < file.limit ? MIN(size, (size_t)(file.limit - *pos)) : 0;
    *pos += size;
    return (long)size;
}

static long fake_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f;
    uint64_t start = *pos;
    long n = step(size, pos);
    for (long i = 0; i < n && n <= 4096; i++) {
        uint8_t byte = (uint8_t)(start + (uint64_t)i);
        if (user_write(buf + (vaddr_t)i, &byte, 1) < 0) {
            *pos = start + (uint64_t)i;
            return i ? i : -EFAULT;
        }
    }
    return n;
}

static long fake_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)buf;
    return step(size, pos);
}

static unsigned fake_poll(struct file *f) {
    (void)f;
    return file.nothing_ready ? 0 : POLLIN;
}

static long fake_seek(struct file *f, int64_t offset, int whence) {
    (void)whence;
    return (long)(f->pos = (uint64_t)offset);
}

static const struct file_ops plain_ops = {
    .read = fake_read, .write = fake_write, .seek = fake_seek};
static const struct file_ops stream_ops = {
    .read = fake_read, .write = fake_write, .poll = fake_poll};
struct file file_standard[3] = {
    {.ops = &plain_ops, .refs = 2, .flags = O_RDWR},
    {.ops = &stream_ops, .refs = 2, .flags = O_RDWR},
    {.ops = &stream_ops, .refs = 2, .flags = O_WRONLY},
};
enum { PLAIN, STREAM, OUTPUT };

static void reset(void) {
    file.calls = file.total = 0;
    file.chunk = SIZE_MAX;
    file.fail = file.limit = UINT64_MAX;
    file.nothing_ready = false;
    file_standard[0].pos = file_standard[1].pos = 0;
    memset(memory, 0xee, sizeof(memory));
}

static struct linux_iovec vector[IOV_MAX + 1];

/* count pieces of `size` bytes, one after the other, from `start`. */
static long vector_call(bool write, int fd, const uint8_t *start, unsigned count, size_t size) {
    for (unsigned i = 0; i < count && i < ARRAY_LEN(vector); i++)
        vector[i] = (struct linux_iovec){(vaddr_t)start + i * size, size};
    return (write ? sys_writev : sys_readv)((unsigned long)fd, (unsigned long)vector, count, 0, 0,
                                            0);
}

/* ---- tests --------------------------------------------------------------------- */

static void test_counts(void **state) {
    (void)state;
    for (unsigned count = 0; count <= 100; count++) {
        for (size_t chunk = 1; chunk <= 40; chunk += 13) {
            reset();
            file.chunk = chunk;
            long done = vector_call(false, PLAIN, memory, count, 32);
            /* A short piece ends the call. */
            size_t expected = count == 0 ? 0 : chunk < 32 ? chunk : count * 32u;
            assert_int_equal(done, expected);
            for (size_t i = 0; i < expected; i++)
                assert_int_equal(memory[i], (uint8_t)i);
            assert_int_equal(memory[expected], 0xee);
            assert_int_equal(file_standard[PLAIN].pos, expected);
        }
    }
}

static void test_limits(void **state) {
    (void)state;
    reset();
    assert_int_equal(vector_call(true, PLAIN, memory, IOV_MAX, 1), IOV_MAX);
    assert_int_equal(vector_call(true, PLAIN, memory, IOV_MAX + 1, 1), -EINVAL);
    assert_int_equal(sys_writev(PLAIN, (unsigned long)vector, (unsigned long)-1, 0, 0, 0), -EINVAL);
    /* Together at most IO_MAX bytes, however many pieces say so. */
    reset();
    for (unsigned i = 0; i < 40; i++)
        vector[i] = (struct linux_iovec){1 << 20, 1 << 30};
    assert_int_equal(sys_writev(PLAIN, (unsigned long)vector, 40, 0, 0, 0), IO_MAX);
    assert_int_equal(file.total, IO_MAX);
    assert_int_equal(sys_write(PLAIN, 1 << 20, 1ul << 40, 0, 0, 0), IO_MAX);
    /* One bad length anywhere, and nothing is transferred. */
    for (unsigned bad = 0; bad < 40; bad++) {
        reset();
        for (unsigned i = 0; i < 40; i++)
            vector[i] = (struct linux_iovec){(vaddr_t)memory, i == bad ? UINT64_MAX : 4};
        assert_int_equal(sys_writev(PLAIN, (unsigned long)vector, 40, 0, 0, 0), -EINVAL);
        assert_int_equal(file.calls, 0);
        vector[bad] = (struct linux_iovec){APP_END, 4};
        assert_int_equal(sys_writev(PLAIN, (unsigned long)vector, 40, 0, 0, 0), -EFAULT);
        assert_int_equal(file.calls, 0);
    }
}

static void test_faults(void **state) {
    (void)state;
    reset();
    assert_int_equal(sys_read(PLAIN, (unsigned long)HOLE, 1, 0, 0, 0), -EFAULT);
    assert_int_equal(sys_read(PLAIN, (unsigned long)HOLE - 5, 10, 0, 0, 0), 5);
    assert_int_equal(file_standard[PLAIN].pos, 5);
    assert_int_equal(sys_read(PLAIN, APP_END, 1, 0, 0, 0), -EFAULT);
    assert_int_equal(sys_readv(PLAIN, (unsigned long)HOLE, 1, 0, 0, 0), -EFAULT);
    /* A vector that runs into the hole tells what came before. */
    reset();
    assert_int_equal(vector_call(false, PLAIN, HOLE - 100, 30, 10), 100);
    reset();
    assert_int_equal(vector_call(false, PLAIN, HOLE - 95, 30, 10), 95);
    reset();
    assert_int_equal(vector_call(false, PLAIN, HOLE, 30, 10), -EFAULT);
}

static void test_errors(void **state) {
    (void)state;
    reset();
    file.fail = 50;
    assert_int_equal(vector_call(true, PLAIN, memory, 20, 10), 50);
    assert_int_equal(vector_call(true, PLAIN, memory, 20, 10), -EIO);
    assert_int_equal(sys_pread64(PLAIN, (unsigned long)memory, 1, (unsigned long)-1, 0, 0),
                     -EINVAL);
    assert_int_equal(sys_pread64(99, (unsigned long)memory, 1, (unsigned long)-1, 0, 0), -EINVAL);
    assert_int_equal(sys_pread64(99, (unsigned long)memory, 1, 0, 0, 0), -EBADF);
    assert_int_equal(sys_pread64(STREAM, (unsigned long)memory, 1, 0, 0, 0), -ESPIPE);
    assert_int_equal(sys_read(OUTPUT, (unsigned long)memory, 1, 0, 0, 0), -EBADF);
    assert_int_equal(sys_read((unsigned long)-1, (unsigned long)memory, 1, 0, 0, 0), -EBADF);
    assert_int_equal(sys_read(FD_MAX, (unsigned long)memory, 1, 0, 0, 0), -EBADF);
    assert_int_equal(sys_pwritev2(PLAIN, (unsigned long)vector, 1, 0, 0, 0x80), -EOPNOTSUPP);
    assert_int_equal(sys_lseek(STREAM, 0, 0, 0, 0, 0), -ESPIPE);
    assert_int_equal(sys_lseek(PLAIN, 0, 5, 0, 0, 0), -EINVAL);
    /* pread leaves the position alone. */
    file_standard[PLAIN].pos = 7;
    assert_int_equal(sys_pread64(PLAIN, (unsigned long)memory, 4, 3, 0, 0), 4);
    assert_int_equal(memory[0], 3);
    assert_int_equal(file_standard[PLAIN].pos, 7);
}

/* A read that has something does not wait for the next piece's bytes. */
static void test_no_wait(void **state) {
    (void)state;
    reset();
    file.nothing_ready = true;
    assert_int_equal(vector_call(false, STREAM, memory, 20, 10), 10);
    assert_int_equal(file.calls, 1);
    reset();
    assert_int_equal(vector_call(false, STREAM, memory, 20, 10), 200);
    assert_int_equal(file.calls, 20);
}

/* The table grows, is limited, and frees what it held. */
static void test_descriptors(void **state) {
    (void)state;
    reset();
    for (int fd = 3; fd < FD_MAX; fd++)
        assert_int_equal(sys_dup(PLAIN, 0, 0, 0, 0, 0), fd);
    assert_int_equal(sys_dup(PLAIN, 0, 0, 0, 0, 0), -EMFILE);
    assert_int_equal(sys_fcntl(PLAIN, F_DUPFD, FD_MAX, 0, 0, 0), -EINVAL);
    assert_int_equal(sys_dup2(PLAIN, FD_MAX, 0, 0, 0, 0), -EBADF);
    assert_int_equal(sys_close(500, 0, 0, 0, 0, 0), 0);
    assert_int_equal(sys_close(500, 0, 0, 0, 0, 0), -EBADF);
    assert_int_equal(fd_next(500), 501);
    assert_int_equal(sys_fcntl(STREAM, F_DUPFD_CLOEXEC, 40, 0, 0, 0), 500);
    assert_int_equal(sys_fcntl(500, F_GETFD, 0, 0, 0, 0), FD_CLOEXEC);
    assert_int_equal(sys_fcntl(499, F_GETFD, 0, 0, 0, 0), 0);
    assert_int_equal(sys_dup2(PLAIN, 500, 0, 0, 0, 0), 500);
    assert_int_equal(sys_fcntl(500, F_GETFD, 0, 0, 0, 0), 0);
    for (int fd = 3; fd < FD_MAX; fd++)
        assert_int_equal(sys_close((unsigned long)fd, 0, 0, 0, 0, 0), 0);
    assert_int_equal(fd_next(3), -1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(file_standard[i].refs, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_wait), cmocka_unit_test(test_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
