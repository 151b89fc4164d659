/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What CPUID offers works: XGETBV agrees with AVX, rdtsc goes on, rdrand gives
 * numbers where it is offered.
 */
#include <stdint.h>

#include "check.h"

int main(void) {
    unsigned a, b, c, d;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
    CHECK((d & (1u << 25)) != 0 && (d & (1u << 26)) != 0); /* SSE, SSE2 */
    if ((c & (1u << 27)) != 0) {                           /* OSXSAVE */
        unsigned low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        CHECK_EQ(low & 3, 3);
        if ((c & (1u << 28)) != 0) {
            CHECK_EQ(low & 7, 7);
        }
    } else {
        CHECK_EQ(c & (1u << 28), 0); /* no AVX without it */
    }
    uint64_t t = __builtin_ia32_rdtsc();
    CHECK(__builtin_ia32_rdtsc() >= t);
    if ((c & (1u << 30)) != 0) {
        uint64_t r;
        unsigned char ok = 0;
        for (int i = 0; i < 100 && !ok; i++) {
            __asm__ volatile("rdrand %0; setc %1" : "=r"(r), "=q"(ok));
        }
        CHECK_EQ(ok, 1);
    }
    return check_done();
}
