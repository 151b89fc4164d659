/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory that is refused on purpose: fail=N on the command line makes the N-th
 * allocation of a frame, a run of frames or a heap object fail, counted from the
 * app's first system call, and says so.  What may take the last frames is not
 * refused any.
 *
 * Linked on request only (--fail); then the linker puts these functions in the
 * place of the others (--wrap, zuk/kernel.c), so that no other kernel is slower.
 */
#include "app/app.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "lib/cmdline.h"
#include "mm/frame.h"
#include "mm/heap.h"

paddr_t __real_frame_alloc(void);
paddr_t __real_frame_alloc_zero(void);
paddr_t __real_frame_alloc_run(size_t count);
void *__real_heap_alloc(size_t size);
paddr_t __wrap_frame_alloc(void);
paddr_t __wrap_frame_alloc_zero(void);
paddr_t __wrap_frame_alloc_run(size_t count);
void *__wrap_heap_alloc(size_t size);

static uint64_t left; /* allocations until the one that fails; 0: none does */
static bool read;

static void read_option(void) {
    struct cmdline it;
    read = true;
    cmdline_start(&it, bootinfo.cmdline, SIZE_MAX);
    while (cmdline_next(&it)) {
        if (cmdline_is(&it, "fail"))
            cmdline_number(it.value, it.value_len, &left);
    }
}

static bool fails(const char *what) {
    static bool begun; /* the app has made its first call */
    begun = begun || thread_first.call != &thread_first.calls[THREAD_CALLS - 1];
    if (!begun || frame_reserve_is_open())
        return false;
    if (!read)
        read_option();
    if (!left || --left)
        return false;
    notice("fail: %s is refused", what);
    return true;
}

paddr_t __wrap_frame_alloc(void) {
    return fails("a frame") ? 0 : __real_frame_alloc();
}

paddr_t __wrap_frame_alloc_zero(void) {
    return fails("a cleared frame") ? 0 : __real_frame_alloc_zero();
}

paddr_t __wrap_frame_alloc_run(size_t count) {
    return fails("a run of frames") ? 0 : __real_frame_alloc_run(count);
}

void *__wrap_heap_alloc(size_t size) {
    return fails("an object") ? NULL : __real_heap_alloc(size);
}
