/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses of the guest -> functions, source lines; registers and a piece of
 * stack -> a list of callers (libdw).
 *
 * Debug information may be broken or hostile, so the work is done in a forked
 * child with a limit on time and memory; what it found until then is used.
 * Unwinding takes call frame information, then frame pointers, then whatever
 * in the stack looks like a return address.
 */
#ifndef ZUK_SYMBOLIZE_H
#define ZUK_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/report.h"

struct symbol_frame {
    uint64_t address;      /* of the instruction; callers: of the call (return address - 1) */
    bool kernel;           /* in the kernel's text */
    bool inlined;          /* the function is inlined into the next frame's */
    bool guessed;          /* found by scanning: may be stale */
    const char *function;  /* NULL: unknown */
    const char *file;      /* NULL: unknown */
    unsigned line, column; /* 0: unknown */
};

struct symbolize_request {
    const char *app_path;   /* an ELF file with symbols, or NULL */
    const char *image_path; /* else the app's ELF lies in this file */
    uint64_t app_offset, app_size;
    const char *kernel_path; /* kernel.elf with symbols, or NULL */
    uint64_t app_base;       /* load bias of the app */
    uint64_t regs[REPORT_REGS_X86_64];
    bool skip_first;      /* regs' rip is no place of interest: start at the caller, */
                          /* whose address is on top of the stack */
    const uint8_t *stack; /* the app's */
    size_t stack_size;
    uint64_t stack_base;
    const uint8_t *kstack; /* the kernel's */
    size_t kstack_size;
    uint64_t kstack_base;
    unsigned limit_ms;     /* 0: 5 seconds */
    unsigned limit_frames; /* 0: 64 */
};

/* The stack, innermost first; frames and strings are the arena's.  count may
 * be 0.  Returns false when the child did not finish. */
bool symbolize_stack(const struct symbolize_request *request, struct symbol_frame **frames,
                     size_t *count);

/* Where the app was at a moment of many. */
struct symbol_sample {
    uint64_t regs[REPORT_REGS_X86_64];
    const uint8_t *stack; /* from the stack pointer up */
    size_t stack_size;
    const uint64_t *addresses; /* filled in: the stack, innermost first */
    size_t address_count;
};

/* The stacks of all of them, and for each address in one the frames that are
 * there, once, innermost first (one after the other, of the same address).  Of
 * the request the files and app_base count.  False when not all was done. */
bool symbolize_samples(const struct symbolize_request *request, struct symbol_sample *samples,
                       size_t count, struct symbol_frame **frames, size_t *frame_count);

/* One address; false when nothing is known about it. */
bool symbolize_address(const struct symbolize_request *request, uint64_t address,
                       struct symbol_frame *frame);

/* Is that ELF file the same program as the one in the image, with more debug
 * information perhaps?  Compares what is loaded. */
bool symbolize_same_program(const char *path, const char *image_path, uint64_t app_offset,
                            uint64_t app_size);

#endif
