/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Code is not writable, at any ring.
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: write_code.c:@LINE:here@
 */
#include <stdint.h>

int main(void) {
    volatile uint8_t *p = (uint8_t *)(uintptr_t)main;
    p[0] = 0x90; // here
    return 0;
}
