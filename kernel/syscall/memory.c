/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mmap(2), munmap(2), mprotect(2), brk(2).
 */
#include "lib/align.h"
#include "mm/area.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "vfs/file.h"

static unsigned prot_from(unsigned long prot) {
    return (prot & 1 ? PROT_READ : 0) | (prot & 2 ? PROT_WRITE : 0) | (prot & 4 ? PROT_EXEC : 0);
}

/* Descriptors are IO's; without it there are no files to map. */
__attribute__((weak)) struct area_source *file_area_source(int fd, bool write_shared,
                                                           bool *may_write, long *error);
struct area_source *file_area_source(int fd, bool write_shared, bool *may_write, long *error) {
    (void)fd;
    (void)write_shared;
    (void)may_write;
    *error = -EBADF;
    return NULL;
}

/* S_IFMT of an open file, 0 for what no path leads to, or -EBADF; IO's too. */
__attribute__((weak)) int file_kind(int fd);

SYSCALL_HANDLER(mmap) {
    unsigned prot = prot_from(c);
    unsigned type = d & 15;
    bool file = !(d & MAP_ANONYMOUS);
    if (f % PAGE_SIZE)
        return -EINVAL;
    int kind = !file ? 0 : file_kind ? file_kind((int)e) : -EBADF;
    if (kind < 0)
        return kind;
    if (!b)
        return -EINVAL;
    if (b > APP_END || (d & (MAP_FIXED | MAP_FIXED_NOREPLACE) && a > APP_END - b))
        return -ENOMEM;
    if (d & (MAP_FIXED | MAP_FIXED_NOREPLACE) && a % PAGE_SIZE)
        return -EINVAL;
    if (kind == S_IFREG && f > INT64_MAX - ALIGN_UP(b, PAGE_SIZE))
        return -EOVERFLOW;
    if (type != MAP_SHARED && type != MAP_PRIVATE && (type != MAP_SHARED_VALIDATE || !file))
        return -EINVAL;
    unsigned flags = (type != MAP_PRIVATE ? AREA_SHARED : 0) | (d & MAP_FIXED ? AREA_FIXED : 0) |
                     (d & MAP_FIXED_NOREPLACE ? AREA_NOREPLACE : 0);
    struct area_source *source = NULL;
    if (file) {
        long error = -EBADF;
        bool shared = type != MAP_PRIVATE, may_write = false;
        source = file_area_source((int)e, shared && prot & PROT_WRITE, &may_write, &error);
        if (!source)
            return error;
        flags |= shared && !may_write ? AREA_READ_ONLY : 0;
    }
    long start = area_map(a, b, prot, flags, source, f);
    if (d & MAP_POPULATE) {
        vaddr_t at = (vaddr_t)start; /* an error is nobody's address */
        while (at < (vaddr_t)start + b &&
               !area_fault(at, prot & PROT_WRITE ? PROT_WRITE : PROT_READ))
            at += PAGE_SIZE;
    }
    return start;
}

SYSCALL_HANDLER(munmap) {
    return area_unmap(a, b);
}

#define PROT_GROWS 0x03000000ul /* up or down to the border of a growing stack */
#define PROT_ALL 0xful

SYSCALL_HANDLER(mprotect) {
    size_t size = ALIGN_UP(b, PAGE_SIZE);
    if (a % PAGE_SIZE || (c & PROT_GROWS) == PROT_GROWS)
        return -EINVAL;
    if (b && a + size <= a)
        return -ENOMEM;
    if (b && c & ~(PROT_GROWS | PROT_ALL))
        return -EINVAL;
    struct area *grows = b && c & PROT_GROWS ? area_find_after(a) : NULL;
    if (grows && grows->start < a + size && !(grows->flags & AREA_STACK))
        return -EINVAL;
    return area_protect(a, b, prot_from(c));
}

SYSCALL_HANDLER(brk) {
    return area_brk(a);
}
