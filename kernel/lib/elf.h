/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ELF64 (System V gABI, chapters 4 and 5): what a loader of static programs
 * needs, and one function that checks a whole file before anything of it is
 * believed.  Constants are spelled as everywhere.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");
_Static_assert(sizeof(struct elf_phdr) == 56, "ELF64 program header");

#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define EM_AARCH64 183
#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_INTERP 3
#define PT_PHDR 6
#define PT_TLS 7
#define PT_GNU_STACK 0x6474e551
#define PT_GNU_RELRO 0x6474e552
#define PF_X (1 << 0)
#define PF_W (1 << 1)
#define PF_R (1 << 2)

#define ELF_PAGE 4096u
#define ELF_ADDRESS_MAX (UINT64_C(1) << 47) /* programs end below */

/* What elf_check found.  Addresses are as linked: with `dyn` a multiple of
 * `align` is to be added to each. */
struct elf_info {
    bool dyn; /* ET_DYN: goes anywhere; else exactly at its addresses */
    bool stack_exec;
    uint16_t phnum;
    const struct elf_phdr *phdr; /* phnum of them, in the file */
    uint64_t entry;
    uint64_t phdr_vaddr;          /* for AT_PHDR; 0 when no segment holds them */
    uint64_t low, high;           /* lowest byte, first byte after, of all PT_LOAD */
    uint64_t align;               /* largest of PT_LOAD, at least ELF_PAGE */
    uint64_t stack_size;          /* PT_GNU_STACK's, 0 when it does not say */
    const struct elf_phdr *tls;   /* or NULL */
    const struct elf_phdr *relro; /* or NULL */
};

/* Checks a static program of `size` bytes at `file` (aligned to 8, stays in
 * place as long as info is used).  On 0 every PT_LOAD with memsz > 0 has: its
 * bytes in the file, filesz <= memsz, addresses without wrap below
 * ELF_ADDRESS_MAX (and, unless dyn, not in page 0), offset and address equal
 * modulo the page; they rise, and no two share a page.  entry lies in an
 * executable one; tls and relro lie within one.  PT_LOAD with memsz 0 are to
 * be skipped.
 *
 *     -ENOEXEC        not an ELF file, or no whole header
 *     -EPROTO         not 64-bit, little-endian, version 1
 *     -EXDEV          for another machine
 *     -EBADR          neither ET_EXEC nor ET_DYN
 *     -ENODATA        program headers are not (all) in the file
 *     -ELIBEXEC       wants an interpreter: a dynamic executable
 *     -ENOENT         nothing to load
 *     -EFBIG          a segment's bytes are not (all) in the file
 *     -ERANGE         filesz > memsz, or an address wraps
 *     -EADDRNOTAVAIL  addresses that programs may not have
 *     -EINVAL         alignment
 *     -ENOTUNIQ       segments out of order, or two in one page
 *     -EFAULT         entry is not in executable bytes
 *     -ENOTBLK        TLS or RELRO outside the segments, or two of one kind
 *     -EOVERFLOW      a stack of 2^40 bytes or more
 */
int elf_check(const void *file, size_t size, unsigned machine, struct elf_info *info);

#endif
