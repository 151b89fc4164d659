/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Areas: what the app's half of the address space is made of.
 *
 * An area is a page-aligned range with one set of rights and one source of
 * pages: zeroes, or a file.  Pages come at first touch (area_fault).
 */
#ifndef MM_AREA_H
#define MM_AREA_H

#include <stdbool.h>

#include "arch/arch.h"
#include "lib/tree.h"

struct area;

enum area_use {
    AREA_LOOK,  /* the page is never written through this mapping */
    AREA_SHARE, /* the file's own page, written through it or not */
    AREA_COPY,  /* a copy, which is going to be written */
};

/* Where a file-backed area's pages come from.  An upper room fills this in.
 * `get` returns a frame that holds file page `index` (zero past the end of
 * the file), 0 when memory is out; *owned says whether the area owns it. */
struct area_source {
    paddr_t (*get)(struct area_source *s, uint64_t index, enum area_use use, bool *owned);
    void (*ref)(struct area_source *s);      /* the area was split or copied */
    void (*unref)(struct area_source *s);    /* the area is gone */
    uint64_t (*size)(struct area_source *s); /* bytes; touches past the last page are SIGBUS */
};

enum area_flag {
    AREA_SHARED = 1,
    AREA_STACK = 2,       /* the page below is a guard */
    AREA_GUARD = 4,       /* part of a stack's guard: touching it is a stack overflow */
    AREA_HEAP = 8,        /* brk */
    AREA_IMAGE = 16,      /* part of the executable */
    AREA_FIXED = 32,      /* place exactly there, replacing what is there */
    AREA_NOREPLACE = 64,  /* exactly there, -EEXIST when taken */
    AREA_READ_ONLY = 128, /* shared, of a file not open for writing: never writable */
};

struct area {
    struct tree_node node; /* by start */
    vaddr_t start, end;
    unsigned prot;
    unsigned flags;
    struct area_source *source; /* NULL: zeroes */
    uint64_t offset;            /* of start in the source, bytes, page-aligned */
    vaddr_t
        zero_from; /* private file pages: bytes from here on are zero (executable's last page) */
};

/* Maps [hint, hint+size); without AREA_FIXED a free range is found.  The
 * address, or -ENOMEM, -EEXIST, -EINVAL.  Takes over one reference of source. */
long area_map(vaddr_t hint, size_t size, unsigned prot, unsigned flags, struct area_source *source,
              uint64_t offset);
/* In the order of addresses, before all others: an area that the program begins
 * with, which zuk has checked; zeroes, unless the caller names a source. */
struct area *area_begin(vaddr_t start, vaddr_t end, unsigned prot, unsigned flags);
int area_unmap(vaddr_t start, size_t size);
int area_protect(vaddr_t start, size_t size, unsigned prot);
long area_remap(vaddr_t old, size_t old_size, size_t new_size, bool may_move, bool fixed,
                vaddr_t target);
/* Drops private pages and what is shown of files: MADV_DONTNEED. */
void area_discard(vaddr_t start, size_t size);
/* Pages [from, to) of the source are others now, or gone: the next touch asks
 * again; with `copies` private copies go too.  mm/forget.c. */
void area_forget(struct area_source *source, uint64_t from, uint64_t to, bool copies);
struct area *area_find(vaddr_t va);           /* the one that holds va, or NULL */
struct area *area_find_after(vaddr_t va);     /* the one that holds va or the next above, or NULL */
bool area_covers(vaddr_t start, size_t size); /* every page is in some area */
long area_brk(vaddr_t brk);
uint64_t area_pages(void); /* frames owned by the app */

/* The app's own executable file, as it lies in the image: pages that are not
 * written to are mapped in place.  Not counted. */
extern struct area_source area_image;
void image_areas(void); /* makes the areas that it begins with, once; mm/image.c */
/* Functions that tell the time, and their data; app/vdso.c, where it is linked. */
extern struct area_source area_vdso __attribute__((weak));

/* Resolves a fault at va: 0, -EFAULT (no area, or no right), -ENOMEM, -EIO
 * (past the end of a file). */
int area_fault(vaddr_t va, unsigned access);
/* The same, faster, where there is likely no page yet. */
int area_fault_absent(vaddr_t va, unsigned access);

#endif
