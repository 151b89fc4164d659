/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mapped files: shared and private, with reads and writes beside them, growth,
 * the page behind the end, the rights asked for.
 * isolate: test
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "check.h"
#include "scratch.h"

enum { RW = PROT_READ | PROT_WRITE, SIZE = 10000 };

static sigjmp_buf escape;

static void jump(int sig) {
    siglongjmp(escape, sig);
}

/* The signal that reading a byte raises; 0: none. */
static int signal_at(volatile char *p) {
    int sig = sigsetjmp(escape, 1);
    if (sig == 0) {
        (void)*p;
    }
    return sig;
}

static void shared_and_private(int fd) {
    char text[8];
    char *shared = mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, SIZE, RW, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    shared[5] = 'S';
    private[6] = 'P';
    shared[4100] = 'T';
    CHECK_EQ(pread(fd, text, 8, 0), 8);
    CHECK_EQ(text[5], 'S'); /* what is shared reaches the file */
    CHECK_EQ(text[6], 0);   /* what is private does not */
    CHECK_EQ(private[4100], 'T');
    CHECK_EQ(private[6], 'P');
    CHECK_EQ(pwrite(fd, "abc", 3, 4200), 3); /* a write reaches the mappings */
    CHECK_EQ(shared[4201], 'b');
    private[4200] = 'X';
    CHECK_EQ(shared[4200], 'a');
    CHECK_EQ(msync(shared, SIZE, MS_SYNC), 0);
    CHECK_EQ(munmap(shared, SIZE), 0);
    CHECK_EQ(munmap(private, SIZE), 0);
    CHECK_EQ(pread(fd, text, 1, 4100), 1);
    CHECK_EQ(text[0], 'T');
}

/* A private page is the file's until it is written, however. */
static void copied_at_the_write(int fd) {
    char text[8];
    char *private = mmap(NULL, SIZE, RW, MAP_PRIVATE, fd, 0);
    char *later = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK_EQ(private[100], 0);
    CHECK_EQ(later[100], 0);
    CHECK_EQ(pwrite(fd, "new", 3, 100), 3);
    CHECK_EQ(private[101], 'e'); /* read before, not yet written */
    private[101] = 'E';
    CHECK_EQ(pwrite(fd, "old", 3, 100), 3);
    CHECK_EQ(private[100], 'n');
    CHECK_EQ(private[101], 'E');
    CHECK_EQ(mprotect(later, SIZE, RW), 0);
    CHECK_EQ(later[100], 'o');
    CHECK_EQ(pwrite(fd, "O", 1, 100), 1);
    CHECK_EQ(later[100], 'O');
    CHECK_EQ(pread(fd, later, 3, 102), 3); /* the kernel writes to it */
    CHECK_EQ(later[0], 'd');
    CHECK_EQ(pread(fd, text, 1, 0), 1);
    CHECK_EQ(text[0], 0);
    CHECK_EQ(mprotect(private, SIZE, PROT_READ), 0);
    CHECK_EQ(private[101], 'E');
    CHECK_EQ(madvise(private, SIZE, MADV_DONTNEED), 0);
    CHECK_EQ(private[101], 'l');
    CHECK_EQ(munmap(private, SIZE), 0);
    CHECK_EQ(munmap(later, SIZE), 0);
}

static void around_the_end(int fd) {
    char *p = mmap(NULL, 5 * 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK_EQ(p[SIZE], 0); /* zeros up to the page's end */
    CHECK_EQ(p[3 * 4096 - 1], 0);
    CHECK_EQ(signal_at(p + 3 * 4096), SIGBUS);
    CHECK_EQ(ftruncate(fd, 4 * 4096), 0); /* the file grows under the mapping */
    CHECK_EQ(signal_at(p + 3 * 4096), 0);
    CHECK_EQ(signal_at(p + 4 * 4096), SIGBUS);
    CHECK_EQ(ftruncate(fd, 4096), 0); /* and shrinks */
    CHECK_EQ(signal_at(p), 0);
    CHECK_EQ(signal_at(p + 4096), SIGBUS);
    CHECK_EQ(munmap(p, 5 * 4096), 0);
}

static void offsets(int fd) {
    CHECK_EQ(ftruncate(fd, 3 * 4096), 0);
    CHECK_EQ(pwrite(fd, "2", 1, 2 * 4096), 1);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 2 * 4096);
    CHECK_EQ(p[0], '2');
    CHECK_EQ(munmap(p, 4096), 0);
}

static void outlives_descriptor_and_name(void) {
    scratch_file("short-lived", "still here");
    int fd = open("short-lived", O_RDONLY);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("short-lived"), 0);
    CHECK(strcmp(p, "still here") == 0);
    CHECK_EQ(munmap(p, 4096), 0);
}

/* A mapping of the program itself: what is shared must not be written to. */
static void the_program(void) {
    int fd = open("/proc/self/exe", O_RDONLY);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_ERRNO(mprotect(p, 4096, RW), EACCES);
    CHECK_EQ(munmap(p, 4096), 0);
    p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK_EQ(mprotect(p, 4096, RW), 0); /* a copy */
    p[1] = 'x';
    char start[4];
    CHECK_EQ(pread(fd, start, 4, 0), 4);
    CHECK_EQ(start[1], 'E');
    CHECK_EQ(munmap(p, 4096), 0);
    CHECK_EQ(close(fd), 0);
}

static void rights(void) {
    int only_read = open("file", O_RDONLY), only_write = open("file", O_WRONLY);
    int dir = open(".", O_RDONLY), path = open("file", O_PATH);
    CHECK_ERRNO(mmap(NULL, 4096, RW, MAP_SHARED, only_read, 0), EACCES);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_SHARED, only_write, 0), EACCES);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, only_write, 0), EACCES);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, path, 0), EBADF);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
    CHECK_ERRNO(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, only_read, 0), EINVAL);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, 0, only_read, 0), EINVAL);
    char *p = mmap(NULL, 4096, RW, MAP_PRIVATE, only_read, 0); /* a copy may be written */
    CHECK(p != MAP_FAILED);
    p[0] = 'x';
    CHECK_EQ(munmap(p, 4096), 0);
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, only_read, 0);
    CHECK_ERRNO(mprotect(p, 4096, RW), EACCES); /* not through the back door */
    CHECK_EQ(mprotect(p, 4096, PROT_NONE), 0);
    CHECK_EQ(mprotect(p, 4096, PROT_READ), 0);
    CHECK_EQ(munmap(p, 4096), 0);
    CHECK_EQ(close(only_read), 0);
    CHECK_EQ(close(only_write), 0);
    CHECK_EQ(close(dir), 0);
    CHECK_EQ(close(path), 0);
}

int main(void) {
    scratch_enter();
    signal(SIGBUS, jump);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(ftruncate(fd, SIZE), 0);
    shared_and_private(fd);
    copied_at_the_write(fd);
    around_the_end(fd);
    offsets(fd);
    outlives_descriptor_and_name();
    rights();
    the_program();
    scratch_leave();
    return check_done();
}
