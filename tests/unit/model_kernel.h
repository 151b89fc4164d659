/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For tests of rooms of the kernel: what is below every room, where there is one
 * address space and no hardware.
 */
#ifndef TESTS_UNIT_MODEL_KERNEL_H
#define TESTS_UNIT_MODEL_KERNEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag/diag.h"
#include "mm/user.h"

void panic(const char *fmt, ...) {
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}
void assert_failed(const char *where, const char *what) {
    fprintf(stderr, "%s: %s\n", where, what);
    abort();
}
int user_read(void *dst, vaddr_t src, size_t size) {
    memcpy(dst, (const void *)src, size);
    return 0;
}
int user_write(vaddr_t dst, const void *src, size_t size) {
    memcpy((void *)dst, src, size);
    return 0;
}

#endif
