/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The stack is not executable: a fetch from it faults.
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: segmentation fault
 * expect-stderr-contains: enter
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static void enter(void *code) {
    __asm__ volatile("call *%0" : : "r"(code) : "memory");
}

int main(void) {
    uint8_t code[16];
    uint8_t *p = code;
    memcpy(p, "\xc3\xc3\xc3\xc3", 4); /* ret */
    enter(p);
    return 0;
}
