/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A file that was opened for neither reading nor writing cannot be locked, only
 * unlocked; what no path leads to has a mode that AT_EMPTY_PATH changes; rights of a
 * range beyond the address space are changed as far as there is one; no folder is cut.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static long fchmodat2(int fd, const char *path, unsigned mode, int flags) {
    return syscall(452, fd, path, mode, flags);
}

int main(void) {
    int p[2];
    scratch_enter();
    CHECK_ERRNO(open(".", O_RDONLY | O_TRUNC), EISDIR);
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0);
    int neither = open("f", 3);
    CHECK(neither >= 0);
    CHECK_ERRNO(flock(neither, LOCK_EX | LOCK_NB), EBADF);
    CHECK_ERRNO(flock(neither, LOCK_SH), EBADF);
    CHECK_EQ(flock(neither, LOCK_UN), 0);
    CHECK_EQ(flock(fd, LOCK_EX), 0);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(fchmodat2(p[0], "", 0600, AT_EMPTY_PATH), 0);
    CHECK_EQ(fchmodat2(p[0], "", 0600, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), 0);
    CHECK_ERRNO(fchmodat2(p[0], "", 0600, 0), ENOENT);
    CHECK_ERRNO(fchmodat2(p[0], "f", 0600, AT_EMPTY_PATH), ENOTDIR);
    CHECK_ERRNO(fchmodat2(999, "", 0600, AT_EMPTY_PATH), EBADF);

    int readable = open("f", O_RDONLY);
    CHECK_EQ(ftruncate(fd, 4096), 0);
    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, readable, 0);
    CHECK(shared != MAP_FAILED);
    size_t beyond = 0x800000000000ul;
    CHECK_ERRNO(mprotect(shared, beyond, PROT_READ | PROT_WRITE), EACCES);
    char *own = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(own != MAP_FAILED);
    CHECK_EQ(munmap(own + 4096, 4096), 0);
    CHECK_ERRNO(mprotect(own, beyond, PROT_READ | PROT_WRITE), ENOMEM);
    *own = 1; /* done as far as the hole */
    CHECK_ERRNO(mprotect(own, -4096ul, PROT_READ), ENOMEM);
    return check_done();
}
