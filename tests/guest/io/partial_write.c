/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A write whose buffer ends in an unmapped page: to a pipe or terminal Linux
 * writes whole pages or nothing; to /dev/null it does not look.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    int null = open("/dev/null", O_WRONLY);
    CHECK_EQ(write(null, page + 4090, 12), 12);
    CHECK_EQ(write(1, page + 4096, 0), 0);
    CHECK_EQ(write(null, NULL, 0), 0);
    CHECK_EQ(read(0, NULL, 0), 0);
    return check_done();
}
