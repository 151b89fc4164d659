/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Of two mistakes in one call, which is told; copies of nothing and of too much;
 * descriptors that are opened for neither reading nor writing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static int file, to, folder, writable, neither, event, p[2];
static char bytes[100];

static void splices(void) {
    loff_t at = -1;
    CHECK_ERRNO(splice(file, NULL, to, (void *)8, 1, 0), EFAULT); /* before: no pipe */
    CHECK_ERRNO(splice(writable, NULL, p[1], NULL, 1, 0), EBADF); /* before all below */
    CHECK_ERRNO(splice(writable, (void *)8, p[1], NULL, 1, 0), EFAULT);
    CHECK_ERRNO(splice(writable, NULL, to, NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(neither, NULL, p[1], NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(file, &at, p[1], NULL, 1, 0), EINVAL);
    CHECK_ERRNO(splice(file, NULL, p[1], NULL, (size_t)1 << 63, 0), EINVAL);
    CHECK_ERRNO(splice(folder, NULL, p[1], NULL, 1, 0), EINVAL);
    CHECK_ERRNO(vmsplice(event, NULL, 1, 0), EFAULT);
    CHECK_EQ(vmsplice(event, NULL, 0, 0), 0); /* no pieces, no pipe */
    struct iovec pieces[2] = {{(void *)-8, 1}, {bytes, (size_t)1 << 63}};
    CHECK_ERRNO(vmsplice(p[1], pieces, 2, 0), EINVAL);
    CHECK_ERRNO(vmsplice(p[1], pieces, 1, 0), EFAULT);
}

static void sends(void) {
    off_t at = 0, behind = 1000;
    CHECK_ERRNO(sendfile(-1, -1, (void *)8, 1), EFAULT);
    CHECK_ERRNO(sendfile(-1, event, &at, 1), ESPIPE);
    CHECK_ERRNO(sendfile(-1, writable, &at, 1), EBADF);
    CHECK_ERRNO(sendfile(-1, file, &at, (size_t)-1), EINVAL);
    CHECK_ERRNO(sendfile(to, file, NULL, (size_t)1 << 63), EINVAL);
    CHECK_ERRNO(sendfile(to, folder, NULL, 1), EINVAL);
    CHECK_EQ(sendfile(event, file, &behind, 1), 0); /* there was nothing to write */
    CHECK_ERRNO(sendfile(event, file, &at, 1), EINVAL);
    CHECK_EQ(sendfile(to, event, NULL, 0), 0);
    CHECK_EQ(sendfile(to, folder, NULL, 0), 0);
}

static void copies(void) {
    loff_t at = 0, last = INT64_MAX, before = -1;
    int other = memfd_create("m", 0);
    CHECK_ERRNO(copy_file_range(file, (void *)8, to, NULL, 1, 99), EFAULT);
    CHECK_ERRNO(copy_file_range(folder, NULL, to, NULL, 1, 99), EINVAL);
    CHECK_ERRNO(copy_file_range(folder, NULL, file, NULL, 1, 0), EISDIR);
    CHECK_ERRNO(copy_file_range(writable, NULL, event, NULL, 1, 0), EINVAL);
    CHECK_ERRNO(copy_file_range(writable, NULL, to, NULL, 1, 0), EBADF);
    CHECK_ERRNO(copy_file_range(other, NULL, to, NULL, 0, 0), EXDEV);
    CHECK_EQ(copy_file_range(file, &at, to, NULL, 0, 0), 0);
    CHECK_EQ(copy_file_range(file, &at, file, NULL, 0, 0), 0);
    CHECK_ERRNO(copy_file_range(file, &at, to, &before, 1, 0), EOVERFLOW);
    CHECK_ERRNO(copy_file_range(file, &at, to, &last, 1, 0), EFBIG);
    /* Too much ends with the file; what lies behind its end overlaps nothing. */
    CHECK_EQ(copy_file_range(file, &at, to, NULL, (size_t)1 << 63, 0), 10);
    CHECK_EQ(at, 10);
    CHECK_EQ(copy_file_range(file, &at, file, NULL, 100, 0), 0);
    at = 5;
    CHECK_EQ(copy_file_range(file, &at, file, &(loff_t){10}, 100, 0), 5);
    at = 5;
    CHECK_ERRNO(copy_file_range(file, &at, file, &(loff_t){7}, 100, 0), EINVAL);
    close(other);
}

static void neither_way(void) {
    struct flock lock = {.l_type = F_WRLCK};
    int left = -1;
    CHECK_ERRNO(read(neither, bytes, 1), EBADF);
    CHECK_ERRNO(write(neither, bytes, 1), EBADF);
    CHECK_ERRNO(ftruncate(neither, 1), EINVAL);
    CHECK_ERRNO(fallocate(neither, 0, 0, 1), EBADF);
    CHECK_ERRNO(fcntl(neither, F_SETLK, &lock), EBADF);
    CHECK_ERRNO(write(event, "123456789", 9), EINVAL); /* eight bytes and no other number */
    int large = memfd_create("m", 0);
    CHECK_EQ(ftruncate(large, INT64_MAX), 0);
    CHECK_EQ(ioctl(large, FIONREAD, &left), 0);
    CHECK_EQ(left, -1); /* its low half */
    CHECK_ERRNO(syscall(SYS_readlinkat, event, "", bytes, sizeof bytes), ENOENT);
}

int main(void) {
    scratch_enter();
    file = open("f", O_RDWR | O_CREAT, 0644);
    to = open("t", O_RDWR | O_CREAT, 0644);
    writable = open("t", O_WRONLY);
    neither = open("t", 3);
    folder = open(".", O_RDONLY | O_DIRECTORY);
    event = eventfd(0, EFD_NONBLOCK);
    CHECK(file >= 0 && to >= 0 && writable >= 0 && neither >= 0 && folder >= 0 && event >= 0);
    CHECK_EQ(write(file, "0123456789", 10), 10);
    CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
    CHECK(pipe(p) == 0);
    splices();
    sends();
    CHECK_EQ(ftruncate(to, 0), 0);
    CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
    copies();
    neither_way();
    return check_done();
}
