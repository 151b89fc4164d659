/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kernel memory in the app's place: as long as a window is open, user_read(),
 * user_write() and user_page() of the thread that opened it take addresses in
 * it.  So a file's ops, which speak of the app's memory, also serve transfers
 * between files.
 */
#ifndef MM_WINDOW_H
#define MM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/arch.h"

struct user_window {
    struct user_window *next;
    struct thread *owner;
    vaddr_t start;
    size_t size;
};
void user_window_open(struct user_window *w, void *base, size_t size);
void user_window_close(struct user_window *w);
/* For mm/user.c; NULL where nothing opens windows. */
bool user_window_holds(vaddr_t start, size_t size) __attribute__((weak));

#endif
