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

SYSCALL_HANDLER(mmap) {
    unsigned prot = prot_from(c);
    unsigned type = d & 15;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (!b || f % PAGE_SIZE)
        return -EINVAL;
    if (b > APP_END)
        return -ENOMEM;
    unsigned flags = (type != MAP_PRIVATE ? AREA_SHARED : 0) | (d & MAP_FIXED ? AREA_FIXED : 0) |
                     (d & MAP_FIXED_NOREPLACE ? AREA_NOREPLACE : 0);
    if (flags & AREA_NOREPLACE)
        flags &= ~(unsigned)AREA_FIXED;
    struct area_source *source = NULL;
    if (!(d & MAP_ANONYMOUS)) {
        long error = -EBADF;
        bool shared = type != MAP_PRIVATE, may_write = false;
        source = file_area_source((int)e, shared && prot & PROT_WRITE, &may_write, &error);
        if (!source)
            return error;
        flags |= shared && !may_write ? AREA_READ_ONLY : 0;
    }
    long start = area_map(a, b, prot, flags, source, f);
    if (start > 0 && d & MAP_POPULATE) {
        for (vaddr_t at = (vaddr_t)start; at < (vaddr_t)start + b; at += PAGE_SIZE)
            area_fault(at, prot & PROT_WRITE ? PROT_WRITE : PROT_READ);
    }
    return start;
}

SYSCALL_HANDLER(munmap) {
    return area_unmap(a, b);
}

SYSCALL_HANDLER(mprotect) {
    if (a % PAGE_SIZE || c & ~0x0300000ful)
        return -EINVAL;
    return area_protect(a, b, prot_from(c));
}

SYSCALL_HANDLER(brk) {
    return area_brk(a);
}
