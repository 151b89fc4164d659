/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checked access to the app's memory.
 */
#include "mm/user.h"

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/window.h"

static bool in_window(vaddr_t start, size_t size) {
    return user_window_holds && user_window_holds(start, size);
}

/* What is not the app's: a window's, or nobody's. */
static int copy_window(void *dst, const void *src, vaddr_t window, size_t size) {
    if (!in_window(window, size))
        return -EFAULT;
    memcpy(dst, src, size);
    return 0;
}

int user_read(void *dst, vaddr_t src, size_t size) {
    if (!user_range(src, size))
        return size ? copy_window(dst, (const void *)src, src, size) : 0;
    return arch_copy_user(dst, (const void *)src, size) ? -EFAULT : 0;
}

int user_write(vaddr_t dst, const void *src, size_t size) {
    if (!user_range(dst, size))
        return size ? copy_window((void *)dst, src, dst, size) : 0; /* nothing can be anywhere */
    return arch_copy_user((void *)dst, src, size) ? -EFAULT : 0;
}

size_t user_read_some(void *dst, vaddr_t src, size_t size) {
    if (!user_range(src, size))
        return copy_window(dst, (const void *)src, src, size) ? 0 : size;
    return size - arch_copy_user(dst, (const void *)src, size);
}

size_t user_write_some(vaddr_t dst, const void *src, size_t size) {
    if (!user_range(dst, size))
        return copy_window((void *)dst, src, dst, size) ? 0 : size;
    return size - arch_copy_user((void *)dst, src, size);
}

int user_clear(vaddr_t dst, size_t size) {
    static const char zeroes[64];
    while (size) {
        size_t n = size < sizeof zeroes ? size : sizeof zeroes;
        if (user_write(dst, zeroes, n))
            return -EFAULT;
        dst += n;
        size -= n;
    }
    return 0;
}

#define STRING_STEP 64u
long user_read_string(char *dst, vaddr_t src, size_t size) {
    size_t done = 0;
    while (done < size) {
        /* Most are short; and never over a page's end: the next may be absent. */
        size_t n = STRING_STEP - (src + done) % STRING_STEP;
        if (n > size - done)
            n = size - done;
        if (!user_range(src + done, n))
            return -EFAULT;
        n -= arch_copy_user(dst + done, (const void *)(src + done), n);
        if (!n)
            return -EFAULT;
        const char *end = memchr(dst + done, 0, n);
        if (end)
            return end - dst;
        done += n;
    }
    return -ENAMETOOLONG;
}

paddr_t user_page(vaddr_t va, unsigned prot) {
    if (!user_range(va, 1))
        return in_window(va, 1) ? virt_to_phys((void *)ALIGN_DOWN(va, PAGE_SIZE)) : 0;
    va = ALIGN_DOWN(va, PAGE_SIZE);
    struct page_entry e;
    for (unsigned tries = 0; tries < 2; tries++) {
        if (arch_page_lookup(va, &e) && !(prot & ~e.prot))
            return e.frame;
        if (area_fault(va, prot))
            return 0;
    }
    return 0;
}
