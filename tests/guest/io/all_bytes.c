/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One megabyte of all byte values, in writes of odd sizes, arrives exactly.
 * machines: microvm q35 pc
 * timeout: 40
 */
#include <stdint.h>
#include <unistd.h>

int main(void) {
    static unsigned char b[1 << 20];
    uint32_t x = 12345;
    for (unsigned i = 0; i < sizeof b; i++) {
        x = x * 1664525 + 1013904223;
        b[i] = i < 65536 ? i & 255 : x >> 24;
    }
    unsigned size = 1;
    for (unsigned done = 0; done < sizeof b;) {
        unsigned n = size < sizeof b - done ? size : sizeof b - done;
        long r = write(1, b + done, n);
        if (r <= 0) {
            return 1;
        }
        done += r;
        size = size * 3 + 1;
        if (size > 300000) {
            size = 17;
        }
    }
    return 0;
}
