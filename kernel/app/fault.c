/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a CPU exception means to the app: a page to bring in, a missing symbol,
 * a signal, or the end.
 */
#include "app/app.h"

#include "abi/image.h"
#include "boot/bootinfo.h"
#include "lib/errno.h"
#include "mm/area.h"
#include "syscall/linux.h"

enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRERR = 2 };

__attribute__((weak)) const struct signal_ops *const signal_ops = NULL;

/* A touch just below a stack is that stack's overflow: a guard area, or within
 * reach of the stack pointer and below the lowest page of its own area. */
static bool stack_overflow(const struct fault *fault, const struct trap_frame *frame) {
    struct area *a = area_find(fault->address);
    if (a && a->flags & AREA_GUARD)
        return true;
    vaddr_t sp = arch_frame_sp(frame);
    if (fault->address > sp + PAGE_SIZE || fault->address + (64ul << 10) < sp)
        return false;
    /* A thread's stack from mmap: the guard below it may not be touched. */
    struct area *above = area_find_after(fault->address);
    return a && a->prot == PROT_NONE && above == a && fault->access;
}

static void end_by_fault(const struct fault *fault, const struct trap_frame *frame)
    __attribute__((noreturn));
static void end_by_fault(const struct fault *fault, const struct trap_frame *frame) {
    const struct crash c = {.kind = fault->access && stack_overflow(fault, frame) ? CRASH_STACK
                                                                                  : CRASH_FAULT,
                            .signal = (uint8_t)fault->signal,
                            .fault = fault,
                            .frame = frame};
    crash(&c, REASON_SIGNAL);
}

static void missing(uint16_t kind, uint32_t number, const struct fault *fault,
                    const struct trap_frame *frame) {
    const struct crash c = {.kind = kind, .number = number, .fault = fault, .frame = frame};
    crash(&c, REASON_MISSING);
}

bool page_entry(vaddr_t address, unsigned access) {
    return address < APP_END && !area_fault_absent(address, access);
}

bool fault_entry(const struct fault *f, struct trap_frame *frame) {
    int error = -EINVAL;
    if (f->access && f->address < APP_END) {
        error = area_fault(f->address, f->access);
        if (!error)
            return true;
    }
    struct fault fault = *f;
    if (error != -EINVAL) {
        if (error == -ENOMEM) {
            const struct crash c = {
                .kind = CRASH_MEMORY, .signal = SIGKILL, .fault = f, .frame = frame, .poll = true};
            crash(&c, REASON_MEMORY);
        }
        if (error == -EIO) {
            fault.signal = SIGBUS;
            fault.code = BUS_ADRERR;
        } else {
            fault.code = area_find(fault.address) ? SEGV_ACCERR : SEGV_MAPERR;
        }
    }
    if (fault.in_kernel)
        return false;
    uint64_t stubs = bootinfo.manifest->stub_count;
    if (fault.stub >= 0 && (uint64_t)fault.stub < stubs)
        missing(CRASH_FUNCTION, (uint32_t)fault.stub, &fault, frame);
    uint64_t stub = (fault.address - IMAGE_STUB_BASE) / PAGE_SIZE;
    if (fault.access && fault.address >= IMAGE_STUB_BASE && stub < stubs)
        missing(fault.access == PROT_EXEC ? CRASH_FUNCTION : CRASH_DATA, (uint32_t)stub, &fault,
                frame);
    if (!signal_ops || !signal_ops->force(&fault, frame))
        end_by_fault(&fault, frame);
    return true;
}
