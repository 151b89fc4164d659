/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See loadable.h.  Check all, then act: nothing here depends on a field that was
 * not checked before.
 */
#include "zuk/loadable.h"

#include <errno.h>
#include <string.h>

/* Does [start, start + size) lie in [from, to)?  Without wrapping. */
static bool within(uint64_t start, uint64_t size, uint64_t from, uint64_t to) {
    return start >= from && start <= to && size <= to - start;
}

/* The first PT_LOAD that holds those addresses with these flags, or NULL. */
static const Elf64_Phdr *find_load(const struct loadable *info, uint64_t start, uint64_t size,
                                   uint32_t flags) {
    for (unsigned i = 0; i < info->phnum; i++) {
        const Elf64_Phdr *p = &info->phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & flags) == flags &&
            within(start, size, p->p_vaddr, p->p_vaddr + p->p_memsz))
            return p;
    }
    return NULL;
}

static int check_load(const Elf64_Phdr *p, size_t size, struct loadable *info) {
    if (p->p_memsz == 0 && p->p_filesz == 0)
        return 0;
    if (p->p_filesz > p->p_memsz || p->p_vaddr + p->p_memsz < p->p_vaddr)
        return -ERANGE;
    if (!within(p->p_offset, p->p_filesz, 0, size))
        return -EFBIG;
    if (!within(p->p_vaddr, p->p_memsz, info->dyn ? 0 : LOADABLE_PAGE, LOADABLE_END))
        return -EADDRNOTAVAIL;
    if (p->p_align & (p->p_align - 1) || p->p_align > LOADABLE_END ||
        (p->p_filesz && (p->p_vaddr ^ p->p_offset) % LOADABLE_PAGE))
        return -EINVAL;
    if (info->high == 0)
        info->low = p->p_vaddr;
    else if (p->p_vaddr < (info->high + LOADABLE_PAGE - 1) / LOADABLE_PAGE * LOADABLE_PAGE)
        return -ENOTUNIQ;
    info->high = p->p_vaddr + p->p_memsz;
    if (p->p_align > info->align)
        info->align = p->p_align;
    return 0;
}

static int check_header(const Elf64_Ehdr *h, size_t size, unsigned machine) {
    static const uint8_t kind[] = {2, 1, 1}; /* 64-bit, little-endian, version 1 */
    if (size < sizeof *h || memcmp(h->e_ident,
                                   "\x7f"
                                   "ELF",
                                   4))
        return -ENOEXEC;
    if (memcmp(h->e_ident + 4, kind, sizeof kind) || h->e_version != 1)
        return -EPROTO;
    if (h->e_machine != machine)
        return -EXDEV;
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return -EBADR;
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phoff % 8 ||
        !within(h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr), 0, size))
        return -ENODATA;
    return 0;
}

/* Takes a part that may exist once. */
static int take(const Elf64_Phdr **slot, const Elf64_Phdr *p) {
    if (*slot)
        return -ENOTBLK;
    *slot = p;
    return 0;
}

static int check_segment(const Elf64_Phdr *p, size_t size, struct loadable *info) {
    switch (p->p_type) {
    case PT_LOAD:
        return check_load(p, size, info);
    case PT_INTERP:
        return -ELIBEXEC;
    case PT_TLS:
        return take(&info->tls, p);
    case PT_GNU_STACK:
        info->stack_exec = p->p_flags & PF_X;
        info->stack_size = p->p_memsz;
        return p->p_memsz >> 40 ? -EOVERFLOW : 0;
    default:
        return 0;
    }
}

int loadable_check(const void *file, size_t size, unsigned machine, struct loadable *info) {
    const Elf64_Ehdr *h = file;
    int error = check_header(h, size, machine);
    if (error)
        return error;
    memset(info, 0, sizeof *info);
    info->dyn = h->e_type == ET_DYN;
    info->phdr = (const void *)((const char *)file + h->e_phoff);
    info->phnum = h->e_phnum;
    info->entry = h->e_entry;
    info->align = LOADABLE_PAGE;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        error = check_segment(&info->phdr[i], size, info);
        if (error)
            return error;
    }
    if (info->high == 0)
        return -ENOENT;
    if (!find_load(info, h->e_entry, 1, PF_X))
        return -EFAULT;
    const Elf64_Phdr *tls = info->tls;
    if (tls && (tls->p_filesz > tls->p_memsz || tls->p_align & (tls->p_align - 1) ||
                (tls->p_filesz && !find_load(info, tls->p_vaddr, tls->p_filesz, 0))))
        return -ENOTBLK;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        const Elf64_Phdr *p = &info->phdr[i];
        if (p->p_type == PT_LOAD && within(h->e_phoff, (uint64_t)h->e_phnum * sizeof *p,
                                           p->p_offset, p->p_offset + p->p_filesz))
            info->phdr_vaddr = p->p_vaddr + (h->e_phoff - p->p_offset);
    }
    return 0;
}

const char *loadable_why(int error) {
    switch (-error) {
    case ENOEXEC:
        return "is not an ELF file";
    case EPROTO:
        return "is not a 64-bit little-endian ELF file";
    case EXDEV:
        return "is for another processor";
    case EBADR:
        return "is not an executable";
    case ENODATA:
        return "has its program headers beyond its end";
    case ELIBEXEC:
        return "is dynamically linked";
    case ENOENT:
        return "has nothing to load";
    case EFBIG:
        return "is cut short: a segment lies beyond its end";
    case ERANGE:
        return "has a segment with impossible sizes";
    case EADDRNOTAVAIL:
        return "has a segment at an address that programs may not have";
    case EINVAL:
        return "has a segment with an impossible alignment";
    case ENOTUNIQ:
        return "has segments out of order, or two in one page";
    case EFAULT:
        return "begins at an address that is not executable";
    case ENOTBLK:
        return "has thread-local data outside of its segments, or twice";
    case EOVERFLOW:
        return "asks for an impossible stack";
    default:
        return "cannot be loaded";
    }
}
