/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Access to the app's memory from the kernel.  Addresses come from the app
 * and may be anything; 0 or -EFAULT.  May fault pages in; may not be called
 * with a spin lock held.
 */
#ifndef MM_USER_H
#define MM_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/arch.h"

int user_read(void *dst, vaddr_t src, size_t size);
int user_write(vaddr_t dst, const void *src, size_t size);
/* As far as the memory goes: the bytes before the first bad page. */
size_t user_read_some(void *dst, vaddr_t src, size_t size);
size_t user_write_some(vaddr_t dst, const void *src, size_t size);
int user_clear(vaddr_t dst, size_t size);
/* Copies a string with its NUL; its length, -EFAULT, or -ENAMETOOLONG when
 * there is no NUL in `size` bytes. */
long user_read_string(char *dst, vaddr_t src, size_t size);
/* Is [start, start+size) inside the app's half?  Says nothing of mappings. */
static inline bool user_range(vaddr_t start, size_t size) {
    vaddr_t end;
    return !__builtin_add_overflow(start, size, &end) && end <= APP_END;
}
/* Makes one page present with that access and returns its frame (for drivers
 * that give app memory to a device); 0 with -EFAULT's meaning. */
paddr_t user_page(vaddr_t va, unsigned prot);

#endif
