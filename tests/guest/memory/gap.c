/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many areas: 20,000 pages with alternating protections, found again in any
 * order, in reasonable time.
 * timeout: 60
 */
#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

int main(void) {
    enum { N = 20000 };
    char *p = mmap(NULL, N * 4096UL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < N; i += 2) {
        CHECK_EQ(mprotect(p + i * 4096UL, 4096, PROT_READ | PROT_WRITE), 0);
    }
    uint32_t x = 7;
    for (int i = 0; i < 3000; i++) {
        x = x * 1664525 + 1013904223;
        unsigned long k = (x >> 8) % (N / 2) * 2;
        p[k * 4096] = (char)k;
        CHECK_EQ(p[k * 4096], (char)k);
    }
    CHECK_EQ(munmap(p, N * 4096UL), 0);
    return check_done();
}
