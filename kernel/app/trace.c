/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --strace: a record for every system call on its way out, with what its
 * pointers point to.
 *
 * Which arguments are worth reading is the host's knowledge (zuk/strace.def);
 * here every argument that points to readable memory that is present gives
 * its first bytes: no page is brought in for a trace.
 */
#include "app/app.h"

#include "clock/clock.h"
#include "console/console.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/user.h"
#include "vfs/file.h"

#define DATA_SIZE 96u /* of each argument */
#define ARGS 6
#define VECTOR 1        /* the argument that is a struct iovec [] where there is one */
#define VECTOR_PIECES 3 /* of which the bytes are told */

/* Bytes at `at` that can be read without a fault, up to DATA_SIZE. */
static uint16_t readable(vaddr_t at) {
    struct page_entry e;
    uint16_t size = 0;
    while (size < DATA_SIZE && at + size < APP_END && area_find(at + size) &&
           arch_page_lookup(at + size, &e) && e.prot & PROT_READ) {
        size_t left = PAGE_SIZE - (at + size) % PAGE_SIZE;
        size = (uint16_t)(left < DATA_SIZE - size ? size + left : DATA_SIZE);
    }
    return size;
}

void trace_call(bool returned) {
    struct thread *t = thread_current();
    const struct report_call *call = t->call;
    uint64_t now = clock_monotonic();
    uint64_t spent = (arch_cycles() - t->entered) * 1000 / (arch_cycles_hz() / 1000000);
    if (!returned)
        t->call->result = INT64_MIN;
    struct report_trace r = {
        .time = now - spent, .duration = returned ? spent : 0, .thread = t->id, .call = *call};
    struct io_piece at[ARGS + VECTOR_PIECES] ALIGNED_WORD = {{0, 0}};
    struct report_data data[ARGS + VECTOR_PIECES] ALIGNED_WORD;
    struct io_piece pieces[1 + 2 * (ARGS + VECTOR_PIECES)] ALIGNED_WORD = {io_piece(&r, sizeof r)};
    unsigned count = 1;
    for (unsigned i = 0; i < ARGS; i++)
        at[i].base = call->args[i];
    if (readable(call->args[VECTOR]) == DATA_SIZE)
        user_read(at + ARGS, call->args[VECTOR], VECTOR_PIECES * sizeof at[0]);
    for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
        uint16_t size = readable(at[i].base);
        if (!size)
            continue;
        data[i] = (struct report_data){(uint16_t)i, size};
        pieces[count++] = io_piece(&data[i], sizeof data[i]);
        pieces[count++] = (struct io_piece){at[i].base, size};
        r.data_count++;
    }
    console_record(REPORT_TRACE, pieces, count, false);
}

bool trace_on;

void trace_start(void) {
    trace_on = true;
    clock_monotonic(); /* calibrated now, not in the middle of a call */
    thread_current()->work |= THREAD_WORK_TRACE;
    arch_trace();
}
