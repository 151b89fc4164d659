/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Can this file be loaded?  One function checks a static program (System V
 * gABI, chapters 4 and 5) before anything of it goes into a manifest: the
 * kernel maps what the manifest says and looks no further.
 */
#ifndef ZUK_LOADABLE_H
#define ZUK_LOADABLE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOADABLE_PAGE 4096u
#define LOADABLE_END (UINT64_C(1) << 47) /* programs end below */

/* What loadable_check found.  Addresses are as linked: with `dyn` a multiple of
 * `align` is to be added to each. */
struct loadable {
    bool dyn; /* ET_DYN: goes anywhere; else exactly at its addresses */
    bool stack_exec;
    uint16_t phnum;
    const Elf64_Phdr *phdr; /* phnum of them, in the file */
    uint64_t entry;
    uint64_t phdr_vaddr;   /* for AT_PHDR; 0 when no segment holds them */
    uint64_t low, high;    /* lowest byte, first byte after, of all PT_LOAD */
    uint64_t align;        /* largest of PT_LOAD, at least LOADABLE_PAGE */
    uint64_t stack_size;   /* PT_GNU_STACK's, 0 when it does not say */
    const Elf64_Phdr *tls; /* or NULL */
};

/* Checks a static program of `size` bytes at `file` (aligned to 8, stays in
 * place as long as info is used).  On 0 every PT_LOAD with memsz > 0 has: its
 * bytes in the file, filesz <= memsz, addresses without wrap below
 * LOADABLE_END (and, unless dyn, not in page 0), offset and address equal
 * modulo the page; they rise, and no two share a page.  entry lies in an
 * executable one; the bytes of tls lie within one.  PT_LOAD with memsz 0 are to
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
 *     -ENOTBLK        TLS data outside the segments, or two of them
 *     -EOVERFLOW      a stack of 2^40 bytes or more
 */
int loadable_check(const void *file, size_t size, unsigned machine, struct loadable *info);

/* Half a sentence for that error: "is not an ELF file". */
const char *loadable_why(int error);

#endif
