/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A just-in-time compiler's ways: write then mprotect to read+execute, again
 * and again in the same page; and a page that is all three at once, as Linux
 * allows.
 * isolate: test
 */
#include <stdint.h>
#include <sys/mman.h>

#include "check.h"

int main(void) {
    uint8_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_WRITE), 0);
        memcpy(p, "\xb8\x00\x00\x00\x00\xc3", 6); /* mov $0, %eax; ret */
        memcpy(p + 1, &i, 4);
        CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
        CHECK_EQ(((int (*)(void))(void *)p)(), i);
    }
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    for (int i = 0; i < 50; i++) {
        memcpy(p, "\xb8\x00\x00\x00\x00\xc3", 6);
        memcpy(p + 1, &i, 4);
        CHECK_EQ(((int (*)(void))(void *)p)(), i);
    }
    return check_done();
}
