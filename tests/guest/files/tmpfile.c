/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files without a name (O_TMPFILE): written, read, mapped, given a name or not,
 * and large holes: no time is spent on what is not there.
 */
#define _GNU_SOURCE
#include "check.h"
#include "scratch.h"

#include <sys/mman.h>

int main(void) {
    struct stat s;
    char text[8] = "";
    scratch_enter();
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);
    CHECK(fd >= 0);
    CHECK(fstat(fd, &s) == 0 && s.st_nlink == 0 && s.st_mode == (S_IFREG | 0640));
    CHECK(write(fd, "unnamed", 8) == 8 && pread(fd, text, 8, 0) == 8);
    CHECK(strcmp(text, "unnamed") == 0);
    const char *map = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED && strcmp(map, "unnamed") == 0);
    CHECK(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH) == 0);
    CHECK(scratch_links("named") == 1 && scratch_size("named") == 8);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH), EEXIST);
    CHECK(unlink("named") == 0 && fstat(fd, &s) == 0 && s.st_nlink == 0);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH), ENOENT);
    close(fd);

    fd = open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, "never", AT_EMPTY_PATH), ENOENT);
    close(fd);
    CHECK_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    CHECK_ERRNO(open("absent", O_TMPFILE | O_RDWR, 0600), ENOENT);
    scratch_file("file", "x");
    CHECK_ERRNO(open("file", O_TMPFILE | O_RDWR, 0600), ENOTDIR);

    fd = open("file", O_RDWR);
    CHECK(ftruncate(fd, 1ll << 40) == 0);
    CHECK(pwrite(fd, "far", 3, (1ll << 39) + 5) == 3);
    CHECK_EQ(lseek(fd, 4096, SEEK_DATA), 1ll << 39);
    CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 4096);
    CHECK_ERRNO(lseek(fd, (1ll << 39) + 4096, SEEK_DATA), ENXIO);
    CHECK_EQ(lseek(fd, (1ll << 39) + 1, SEEK_HOLE), (1ll << 39) + 4096);
    CHECK(ftruncate(fd, 1) == 0);
    close(fd);
    scratch_leave();
    return check_done();
}
