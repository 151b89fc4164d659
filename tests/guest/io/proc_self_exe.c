/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /proc/self/exe is this program's own file: ELF magic, size, readlink.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int main(int argc, char **argv) {
    (void)argc;
    int fd = open("/proc/self/exe", O_RDONLY);
    CHECK_EQ(fd, 3);
    unsigned char b[64];
    CHECK_EQ(read(fd, b, 64), 64);
    CHECK(memcmp(b, "\177ELF", 4) == 0);
    struct stat st;
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(lseek(fd, 0, SEEK_END), st.st_size);
    /* the section header table ends the file */
    unsigned long shoff = *(unsigned long *)(b + 40);
    unsigned shentsize = *(unsigned short *)(b + 58), shnum = *(unsigned short *)(b + 60);
    CHECK(shoff + shentsize * shnum <= (unsigned long)st.st_size);
    unsigned char c[4];
    CHECK_EQ(pread(fd, c, 4, 0), 4);
    CHECK(memcmp(c, b, 4) == 0);
    CHECK_EQ(pread(fd, c, 4, st.st_size), 0);
    CHECK_EQ(pread(fd, c, 4, st.st_size - 2), 2);
    CHECK_ERRNO(pread(fd, c, 4, -1), EINVAL);
    unsigned char *p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK(memcmp(p, b, 64) == 0);
    CHECK_EQ(munmap(p, st.st_size), 0);
    /* a private writable map changes neither the file nor the program */
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    p[0] = 'x';
    CHECK_EQ(pread(fd, c, 4, 0), 4);
    CHECK_EQ(c[0], 127);
    CHECK_ERRNO(write(fd, c, 4), EBADF);
    CHECK_ERRNO(open("/proc/self/exe", O_WRONLY), ETXTBSY);
    char path[4096];
    long n = readlink("/proc/self/exe", path, sizeof path);
    CHECK(n > 0 && path[0] == '/');
    const char *base = strrchr(argv[0], '/');
    base = base == NULL ? argv[0] : base + 1;
    CHECK(n >= (long)strlen(base) && memcmp(path + n - strlen(base), base, strlen(base)) == 0);
    return check_done();
}
