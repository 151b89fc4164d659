/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The image: what zuk writes and the kernel reads.
 *
 * An image is one ELF64 file that a PVH loader boots.  It holds, in this order
 * in physical memory: the kernel's segments (linked at IMAGE_KERNEL_BASE +
 * physical address, from 1 MiB up, its .bss included), then, page-aligned, the
 * manifest, then, page-aligned, the app's ELF file, byte for byte, then, if
 * there is one, page-aligned, a tree of files (abi/rootfs.h).  In the file the
 * parts follow each other without padding to pages.
 *
 * Contract: the manifest stands at the first page boundary at or after the
 * kernel's end (symbol kernel_end in kernel.elf, a virtual address).  zuk MUST
 * zero reserved fields; the kernel MUST refuse another magic or version.
 * All offsets are bytes from the start of the manifest; all strings end in
 * NUL.  Little-endian.
 *
 * Per-run settings come on the kernel command line (and, when longer than
 * IMAGE_CMDLINE_MAX bytes, in the first PVH module, which is more of the same
 * text, or a tree of files that holds it): tokens separated by one space, in any order, unknown
 * ones ignored.  Values are percent-encoded: every byte outside 0x21..0x7e, and
 * '%' itself, is written %XX.
 *
 *     arg=VALUE       the next argument; the first is argv[0]; any arg= at all
 *                     replaces the manifest's arguments
 *     env=NAME=VALUE  one more environment variable, wins over the manifest's
 *     missing=NR:P    policy P (enosys, trap, ignore) for call number NR;
 *                     NR * sets the default of every absent call
 *     isolate         run the app without the CPU's privileges
 *     strace          send an REPORT_TRACE record for every system call
 *     timeline        send REPORT_TIMELINE records
 *     terminal=IOE:ROWSxCOLUMNS  which of stdin, stdout, stderr are terminals on
 *                     the host (three digits, 0 or 1) and their size; absent:
 *                     none is.  REPORT_TERMINAL brings later changes
 *     cpus=N          CPUs that the machine has; absent: the kernel asks it
 *     seed=HEX        up to 64 digits mixed into the random generator
 *     virtio_mmio.device=SIZE@ADDRESS:IRQ   as Linux has it, added by QEMU
 */
#ifndef ABI_IMAGE_H
#define ABI_IMAGE_H

#include <stdint.h>

#define IMAGE_MAGIC UINT64_C(0x31474d494b555a7f) /* "\x7fZUKIMG1" */
#define IMAGE_VERSION 4u
#define IMAGE_KERNEL_BASE UINT64_C(0xffffffff80000000)
#define IMAGE_KERNEL_PADDR UINT64_C(0x100000)
#define IMAGE_PAGE 4096u
/* Where a static-PIE app lies (rounded up to its alignment), as on Linux without
 * randomisation. */
#define IMAGE_PIE_BASE UINT64_C(0x555555554000)
#define IMAGE_STACK_TOP UINT64_C(0x7ffffffff000) /* of the app's first thread */
#define IMAGE_CMDLINE_MAX 1900u

/* An ELF note of the image (name "zuk", this type) holds one uint64_t: the
 * file offset of the manifest.  That is how the tool recognises an image. */
#define IMAGE_NOTE_NAME "zuk"
#define IMAGE_NOTE_MANIFEST 1u
#define IMAGE_NOTE_SBOM 2u /* SPDX, as text; only for people and their tools */

enum image_arch { IMAGE_X86_64 = 62, IMAGE_AARCH64 = 183 }; /* ELF e_machine */

enum image_policy {
    IMAGE_POLICY_DEFAULT = 0, /* as syscalls.def says */
    IMAGE_POLICY_TRAP = 1,    /* report and stop, exit status 3 */
    IMAGE_POLICY_ENOSYS = 2,  /* answer -ENOSYS */
    IMAGE_POLICY_IGNORE = 3,  /* answer 0 */
    IMAGE_POLICY_REFUSE = 4,  /* answer -ENOSYS, told the first time */
    IMAGE_POLICY_DENY = 5,    /* answer -EACCES, told the first time */
};

/* Addresses that stand for undefined data symbols: symbol number i of the
 * stub table has the address IMAGE_STUB_BASE + i * IMAGE_PAGE.  The kernel
 * never maps that range. */
#define IMAGE_STUB_BASE UINT64_C(0x70000000)
#define IMAGE_STUB_MAX 16384u

/* A trap stub in the app's text, for an undefined function:
 *     ud2; .ascii "ZUKS"; .long index
 * (x86_64; the index is the symbol's number in the stub table).  The stack
 * pointer at the trap points to the return address in the caller. */
#define IMAGE_STUB_MAGIC UINT32_C(0x534b555a) /* "ZUKS" */

struct image_manifest {
    uint64_t magic;
    uint32_t version;
    uint32_t size;           /* of this struct and all it points to, bytes */
    uint16_t arch;           /* enum image_arch */
    uint16_t default_policy; /* enum image_policy */
    uint16_t tables, pages;  /* of the pool: page tables; pages of the app's own */
    uint64_t app_paddr;      /* page-aligned; the app's ELF file */
    uint64_t app_size;       /* bytes */
    uint64_t end_paddr;      /* first byte after the image */
    uint32_t argc;
    uint32_t argv; /* offset of argc strings, one after the other, right behind the name */
    uint32_t envc;
    uint32_t envv; /* offset of envc strings NAME=VALUE, right behind them */
    uint32_t policy_count;
    uint32_t policies; /* offset of policy_count struct image_call_policy */
    uint32_t stub_count;
    uint32_t stubs;      /* offset of stub_count strings, right behind: names of symbols */
    uint32_t name;       /* offset of the app's name (a file name, no folder) */
    uint32_t options;    /* offset of the names of the linked options, space-separated */
    uint64_t entry;      /* the app's first instruction, bias included */
    uint64_t bias;       /* what was added to its addresses; 0: not position-independent */
    uint64_t brk;        /* where its heap begins */
    uint64_t stack_size; /* of the first thread, bytes, whole pages */
    uint32_t areas;      /* offset of struct image_area, by address, as many as there are before */
    uint32_t fills;      /* offset of struct image_fill, as many */
    uint32_t copies;     /* offset of struct image_copy, as many */
    uint32_t stack;      /* offset of what the app finds on its stack, see below */
    uint64_t kernel_id;  /* hash of the linked kernel, finds its symbols on the host */
    uint64_t root_paddr; /* page-aligned; a tree of files (abi/rootfs.h) behind the app */
    uint64_t root_size;  /* bytes, 0: there is none */
};

/* The first thread's stack as the System V ABI has it, ready to be copied below
 * a null word at IMAGE_STACK_TOP - 8; it ends where the names of symbols begin.
 * From below: argc, the pointers to argv, NULL, those to envp, NULL,
 * IMAGE_AUX_PAIRS pairs of the auxiliary vector, the kernel's first; 16 bytes
 * for AT_RANDOM; the platform's name in 8 bytes or more, padded with NULs; '/';
 * the app's name; the strings of argv; those of envp. */
enum image_aux {
    IMAGE_AUX_HWCAP,       /* the kernel fills this in */
    IMAGE_AUX_MINSIGSTKSZ, /* this */
    IMAGE_AUX_RANDOM,      /* and the bytes that this points to */
    IMAGE_AUX_PLATFORM,
    IMAGE_AUX_EXECFN,
    IMAGE_AUX_PAIRS = 21
};

/* What the app's half of the address space begins with.  zuk has checked: areas
 * are whole pages, do not overlap, and the bytes are in the file. */
enum image_area_kind {
    IMAGE_AREA_FILE,  /* the app's file, from a page on */
    IMAGE_AREA_ZERO,  /* what follows in memory */
    IMAGE_AREA_STACK, /* the first thread's */
    IMAGE_AREA_GUARD, /* below it */
};

struct image_area {
    uint64_t start, end; /* virtual addresses */
    uint32_t page;       /* IMAGE_AREA_FILE: the first, in pages of the file */
    uint16_t zeroes;     /* IMAGE_AREA_FILE: so many bytes at the end are not the file's but zero */
    uint8_t prot;        /* PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4 */
    uint8_t kind;        /* enum image_area_kind */
};
_Static_assert(sizeof(struct image_area) == 24, "image_area is an ABI");

/* The kernel's memory ends with its top-level page table and IMAGE_POOL_PAGES
 * cleared pages.  Of these zuk gives the first away: as tables, and as the app's own
 * pages, so that what the app touches soon is mapped before it starts. */
#define IMAGE_POOL_PAGES 24u
#define IMAGE_POOL_LINKED 16u /* at most */

/* `count` words from physical address `at` on: value, value + IMAGE_PAGE, ... */
struct image_fill {
    uint64_t value;
    uint32_t at, count;
};
_Static_assert(sizeof(struct image_fill) == 16, "image_fill is an ABI");

struct image_copy {
    uint32_t from, to, size; /* physical addresses, bytes */
};
_Static_assert(sizeof(struct image_copy) == 12, "image_copy is an ABI");

struct image_call_policy {
    uint16_t number; /* the architecture's system call number */
    uint16_t policy; /* enum image_policy */
};

_Static_assert(sizeof(struct image_manifest) == 160, "image_manifest is an ABI");
_Static_assert(sizeof(struct image_call_policy) == 4, "image_call_policy is an ABI");

#endif
