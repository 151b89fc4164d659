/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See elf.h.  Check all, then act: nothing here depends on a field that was
 * not checked before.
 */
#include "lib/elf.h"

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Does [start, start + size) lie in [from, to)?  Without wrapping. */
static bool within(uint64_t start, uint64_t size, uint64_t from, uint64_t to) {
    return start >= from && start <= to && size <= to - start;
}

/* The first PT_LOAD that holds those addresses with these flags, or NULL. */
static const struct elf_phdr *find_load(const struct elf_info *info, uint64_t start, uint64_t size,
                                        uint32_t flags) {
    for (unsigned i = 0; i < info->phnum; i++) {
        const struct elf_phdr *p = &info->phdr[i];
        if (p->type == PT_LOAD && (p->flags & flags) == flags &&
            within(start, size, p->vaddr, p->vaddr + p->memsz))
            return p;
    }
    return NULL;
}

static int check_load(const struct elf_phdr *p, size_t size, struct elf_info *info) {
    if (p->memsz == 0 && p->filesz == 0)
        return 0;
    if (p->filesz > p->memsz || p->vaddr + p->memsz < p->vaddr)
        return -ERANGE;
    if (!within(p->offset, p->filesz, 0, size))
        return -EFBIG;
    if (!within(p->vaddr, p->memsz, info->dyn ? 0 : ELF_PAGE, ELF_ADDRESS_MAX))
        return -EADDRNOTAVAIL;
    if (p->align & (p->align - 1) || p->align > ELF_ADDRESS_MAX ||
        (p->filesz && (p->vaddr ^ p->offset) % ELF_PAGE))
        return -EINVAL;
    if (info->high == 0)
        info->low = p->vaddr;
    else if (p->vaddr < ALIGN_UP(info->high, ELF_PAGE))
        return -ENOTUNIQ;
    info->high = p->vaddr + p->memsz;
    info->align = MAX(info->align, p->align);
    return 0;
}

static int check_header(const struct elf_header *h, size_t size, unsigned machine) {
    static const uint8_t kind[] = {2, 1, 1}; /* 64-bit, little-endian, version 1 */
    if (size < sizeof *h || memcmp(h->ident,
                                   "\x7f"
                                   "ELF",
                                   4))
        return -ENOEXEC;
    if (memcmp(h->ident + 4, kind, sizeof kind) || h->version != 1)
        return -EPROTO;
    if (h->machine != machine)
        return -EXDEV;
    if (h->type != ET_EXEC && h->type != ET_DYN)
        return -EBADR;
    if (h->phentsize != sizeof(struct elf_phdr) || h->phoff % 8 ||
        !within(h->phoff, (uint64_t)h->phnum * sizeof(struct elf_phdr), 0, size))
        return -ENODATA;
    return 0;
}

/* Takes a part that may exist once. */
static int take(const struct elf_phdr **slot, const struct elf_phdr *p) {
    if (*slot)
        return -ENOTBLK;
    *slot = p;
    return 0;
}

static int check_segment(const struct elf_phdr *p, size_t size, struct elf_info *info) {
    switch (p->type) {
    case PT_LOAD:
        return check_load(p, size, info);
    case PT_INTERP:
        return -ELIBEXEC;
    case PT_TLS:
        return take(&info->tls, p);
    case PT_GNU_RELRO:
        return take(&info->relro, p);
    case PT_GNU_STACK:
        info->stack_exec = p->flags & PF_X;
        info->stack_size = p->memsz;
        return p->memsz >> 40 ? -EOVERFLOW : 0;
    default:
        return 0;
    }
}

int elf_check(const void *file, size_t size, unsigned machine, struct elf_info *info) {
    const struct elf_header *h = file;
    int error = check_header(h, size, machine);
    if (error)
        return error;
    memset(info, 0, sizeof *info);
    info->dyn = h->type == ET_DYN;
    info->phdr = (const void *)((const char *)file + h->phoff);
    info->phnum = h->phnum;
    info->entry = h->entry;
    info->align = ELF_PAGE;
    for (unsigned i = 0; i < h->phnum; i++) {
        error = check_segment(&info->phdr[i], size, info);
        if (error)
            return error;
    }
    if (info->high == 0)
        return -ENOENT;
    if (!find_load(info, h->entry, 1, PF_X))
        return -EFAULT;
    const struct elf_phdr *tls = info->tls;
    if (tls && (tls->filesz > tls->memsz || tls->align & (tls->align - 1) ||
                (tls->filesz && !find_load(info, tls->vaddr, tls->filesz, 0))))
        return -ENOTBLK;
    if (info->relro && !find_load(info, info->relro->vaddr, info->relro->memsz, 0))
        return -ENOTBLK;
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_phdr *p = &info->phdr[i];
        if (p->type == PT_LOAD &&
            within(h->phoff, (uint64_t)h->phnum * sizeof *p, p->offset, p->offset + p->filesz))
            info->phdr_vaddr = p->vaddr + (h->phoff - p->offset);
    }
    return 0;
}
