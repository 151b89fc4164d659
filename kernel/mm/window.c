/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The windows that are open: few, and for the time of one transfer.
 */
#include "mm/window.h"

static struct user_window *windows;

void user_window_open(struct user_window *w, void *base, size_t size) {
    *w = (struct user_window){windows, arch_thread_current(), (vaddr_t)base, size};
    windows = w;
}

void user_window_close(struct user_window *w) {
    struct user_window **at = &windows;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

bool user_window_holds(vaddr_t start, size_t size) {
    for (const struct user_window *w = windows; w; w = w->next) {
        if (w->owner == arch_thread_current() && start >= w->start && start <= w->start + w->size &&
            size <= w->start + w->size - start)
            return true;
    }
    return false;
}
