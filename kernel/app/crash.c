/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reports of what went wrong, and the end of the app.
 *
 * The host makes sentences of the records (zuk/report.c).  Without a channel
 * the same facts go to COM1 as one line.
 */
#include "app/app.h"

#include "abi/image.h"
#include "boot/bootinfo.h"
#include "console/console.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "netdev/netdev.h"

#define STACK_SNAPSHOT (16u * PAGE_SIZE)
#define KSTACK_SNAPSHOT (2u * PAGE_SIZE)

uint32_t app_mapped_bytes(vaddr_t at, size_t most) {
    struct area *a = at < APP_END ? area_find(at) : NULL;
    if (!a)
        return 0;
    vaddr_t end = at;
    struct page_entry e;
    while (end < a->end && end - at < most && arch_page_lookup(end, &e) && e.prot & PROT_READ)
        end = ALIGN_DOWN(end, PAGE_SIZE) + PAGE_SIZE;
    return (uint32_t)((end < a->end ? end : a->end) - at);
}

static const char *const kind_names[] = {
    [CRASH_FAULT] = "fault",
    [CRASH_STACK] = "stack overflow",
    [CRASH_CALL] = "missing system call",
    [CRASH_FUNCTION] = "missing function called",
    [CRASH_DATA] = "missing data touched",
    [CRASH_MEMORY] = "out of memory",
    [CRASH_PANIC] = "kernel panic",
    [CRASH_DEADLOCK] = "deadlock: a thread sleeps for ever",
    [CRASH_NOTICE] = "missing system call",
    [CRASH_SIGNAL] = "ended by a signal",
};

static const char *stub_name(uint32_t index) {
    const struct image_manifest *m = bootinfo.manifest;
    const char *name = (const char *)m + m->stubs;
    if (index >= m->stub_count)
        return "?";
    while (index--)
        name += strlen(name) + 1;
    return name;
}

static void say(const struct crash *c, const struct report_crash *r, uint64_t caller) {
    char text[256] ALIGNED_WORD;
    bool stub = c->kind == CRASH_FUNCTION || c->kind == CRASH_DATA;
    size_t n =
        format(text, sizeof text,
               "zuk: %s %s%u %s%.*s, signal %u, address %lx, ip %lx, sp %lx, caller %lx\n",
               kind_names[c->kind], c->kind == CRASH_CALL || stub ? "" : "#", c->number,
               stub ? stub_name(c->number) : "", (int)c->message_size, c->message ? c->message : "",
               c->signal, r->address, r->regs[16], r->regs[7], caller);
    console_text(text, n < sizeof text ? n : sizeof text - 1);
}

void crash_report(const struct crash *c) {
    const struct thread *t = c->thread ? c->thread : thread_current();
    /* Static: a report may come from a stack with no room.  One at a time. */
    static struct report_crash r;
    static struct report_call calls[REPORT_CALLS];
    memset(&r, 0, sizeof r);
    r.kind = c->kind;
    r.arch = (uint16_t)arch_image;
    r.signal = c->signal;
    r.thread = t->id;
    r.number = c->number;
    if (c->frame)
        arch_frame_regs(c->frame, r.regs);
    else if (c->kind != CRASH_PANIC)
        arch_thread_regs(t, r.regs);
    if (c->fault) {
        r.address = c->fault->address;
        r.error = c->fault->error;
        r.vector = c->fault->vector;
        r.access = c->fault->access == PROT_WRITE ? 1 : c->fault->access == PROT_EXEC ? 2 : 0;
        r.in_kernel = c->fault->in_kernel;
        struct area *a = area_find(r.address);
        if (a) {
            r.area_start = a->start;
            r.area_end = a->end;
        }
    }
    r.app_base = bootinfo.manifest->bias;
    r.memory_total = frame_total() * PAGE_SIZE;
    r.memory_free = frame_free_count() * PAGE_SIZE;
    r.memory_app = (uint32_t)area_pages();
    r.memory_tables = (uint32_t)arch_table_pages();
    r.memory_image = (uint32_t)((ALIGN_UP(bootinfo.manifest->end_paddr, PAGE_SIZE) -
                                 IMAGE_KERNEL_PADDR - IMAGE_POOL_PAGES * PAGE_SIZE) /
                                PAGE_SIZE);
    uint32_t used = (uint32_t)(frame_total() - frame_free_count());
    uint32_t named = r.memory_app + r.memory_tables + r.memory_image;
    r.memory_kernel = used > named ? used - named : 0;
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    if (c->kind == CRASH_PANIC) {
        r.in_kernel = 1;
        if (!c->frame) {
            /* The caller's: above the frame pointer that was saved, and where one returns to. */
            r.regs[6] = *(const uint64_t *)here;
            r.regs[7] = here + 2 * sizeof(uint64_t);
            r.regs[16] = (uint64_t)__builtin_return_address(0);
        }
        r.kstack_base = c->frame ? arch_frame_sp(c->frame) : here;
        if (r.kstack_base <= t->kstack_top && t->kstack_top - r.kstack_base <= KSTACK_SNAPSHOT)
            r.kstack_size = (uint32_t)(t->kstack_top - r.kstack_base);
        r.stack_base = t->app_sp;
    } else {
        r.stack_base = r.regs[7];
    }
    r.stack_size = app_mapped_bytes(r.stack_base, STACK_SNAPSHOT);
    /* The pointer of an overflowed stack is below its lowest page. */
    for (unsigned i = 0; c->kind == CRASH_STACK && !r.stack_size && i < 64; i++) {
        r.stack_base = ALIGN_DOWN(r.stack_base, PAGE_SIZE) + PAGE_SIZE;
        r.stack_size = app_mapped_bytes(r.stack_base, STACK_SNAPSHOT);
    }
    /* Unused slots are zero. */
    unsigned slots = sizeof t->calls / sizeof t->calls[0];
    unsigned next = (unsigned)(t->call + 1 - t->calls);
    for (unsigned i = REPORT_CALLS; i > 0; i--) {
        const struct report_call *call = &t->calls[(next + slots - i) % slots];
        if (call->number || call->args[0] || call->result)
            calls[r.call_count++] = *call;
    }
    /* Whoever is not stopped in app code is inside its newest call. */
    if (r.call_count && (!c->frame || arch_frame_is_call(c->frame) || r.in_kernel))
        calls[r.call_count - 1].result = INT64_MIN;
    r.message_size = (uint32_t)c->message_size;
    if (!console_framed()) {
        uint64_t caller = 0;
        if (r.stack_size >= 8)
            user_read(&caller, r.stack_base, sizeof caller);
        say(c, &r, caller);
        return;
    }
    const struct io_piece pieces[] = {
        io_piece(&r, sizeof r),
        io_piece(calls, r.call_count * sizeof calls[0]),
        {r.stack_base, r.stack_size},
        {r.kstack_base, r.kstack_size},
        io_piece(c->message, c->message_size),
    };
    console_record(REPORT_CRASH, pieces, sizeof pieces / sizeof pieces[0], c->poll);
}

static __attribute__((noinline)) void end_network(unsigned reason) {
    if (reason == REASON_EXIT || reason == REASON_SIGNAL)
        netdev_end();
}

void app_end(struct report_exit e, bool poll) {
    if (netdev_end)
        end_network(e.reason);
    console_end(&e, poll);
    arch_poweroff(e.reason == REASON_EXIT ? e.status : 128u + e.reason);
}

void app_die(unsigned reason, unsigned signal) {
    app_end((struct report_exit){.reason = (uint8_t)reason, .signal = (uint8_t)signal},
            reason == REASON_DEADLOCK);
}

void crash(const struct crash *c, unsigned reason) {
    struct crash alone = *c;
    frame_reserve_open(); /* for good: the report is the last that is done */
    if (arch_cpus_stop) {
        /* What is told holds still; and nobody else would run while this sleeps. */
        arch_cpus_stop();
        alone.poll = true;
    }
    crash_report(&alone);
    app_end((struct report_exit){.reason = (uint8_t)reason, .signal = c->signal}, alone.poll);
}

/* ---- the kernel's own trouble ---- */

static void on_panic(const struct trap_frame *frame, const char *message, size_t size) {
    const struct crash c = {.kind = CRASH_PANIC,
                            .frame = frame,
                            .message = message,
                            .message_size = size,
                            .poll = true};
    crash(&c, REASON_PANIC);
}

static void on_notice(const char *text, size_t size) {
    const struct io_piece piece = io_piece(text, size);
    console_record(REPORT_LOG, &piece, 1, true);
}

void crash_deadlock(void) {
    for (struct list *node = thread_all.next; node != &thread_all; node = node->next) {
        const struct crash c = {
            .kind = CRASH_DEADLOCK, .thread = list_entry(node, struct thread, all), .poll = true};
        crash_report(&c);
    }
    app_die(REASON_DEADLOCK, 0);
}

const struct diag_output crash_output = {on_panic, on_notice};
