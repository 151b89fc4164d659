/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A file mapping touched past the file's last page: SIGBUS.
 * cflags: -fno-omit-frame-pointer
 * expect-status: 135
 * expect-stderr-contains: bus error
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(void) {
    int fd = open("/proc/self/exe", O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        return 1;
    }
    long pages = (st.st_size + 4095) / 4096;
    volatile char *p = mmap(0, (pages + 2) * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED || p[0] != 127 || p[pages * 4096 - 1] != 0) {
        return 2; /* the tail of the last page reads as zeros */
    }
    return p[pages * 4096];
}
