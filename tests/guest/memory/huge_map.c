/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reserving far more than there is works when it is not touched.
 * zuk: -m 64M
 */
#include <sys/mman.h>

#include "check.h"

int main(void) {
    char *p = mmap(NULL, 1UL << 40, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    for (unsigned long i = 0; i < 1UL << 40; i += 1UL << 36) {
        p[i] = 1;
    }
    CHECK_EQ(p[5UL << 36], 1);
    CHECK_EQ(p[(5UL << 36) + 4096], 0);
    CHECK_EQ(munmap(p, 1UL << 40), 0);
    /* and populating what may not be touched takes no time */
    p = mmap(NULL, 1UL << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE,
             -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(munmap(p, 1UL << 40), 0);
    return check_done();
}
