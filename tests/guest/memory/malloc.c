/* SPDX-License-Identifier: BSD-3-Clause
 *
 * malloc of many sizes, realloc, a lot of churn: contents stay.
 * timeout: 60
 * machines: microvm pc
 */
#include <stdint.h>
#include <stdlib.h>

#include "check.h"

int main(void) {
    enum { N = 400 };
    static unsigned char *p[N];
    static size_t size[N];
    uint32_t x = 1;
    for (int i = 0; i < 40000; i++) {
        x = x * 1664525 + 1013904223;
        int k = (int)(x >> 8) % N;
        if (p[k] != NULL) {
            CHECK(p[k][0] == (unsigned char)k && p[k][size[k] - 1] == (unsigned char)k);
        }
        size_t n = 1 + (x >> 16) % (i % 50 == 0 ? 60000 : 500);
        if (x & 1) {
            free(p[k]);
            p[k] = malloc(n);
        } else {
            p[k] = realloc(p[k], n);
        }
        CHECK(p[k] != NULL);
        size[k] = n;
        memset(p[k], k, n);
    }
    void *a;
    CHECK_EQ(posix_memalign(&a, 65536, 100), 0);
    CHECK_EQ((uintptr_t)a % 65536, 0);
    volatile size_t too_much = SIZE_MAX / 2;
    void *volatile none = malloc(too_much);
    CHECK(none == NULL);
    return check_done();
}
