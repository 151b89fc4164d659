/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From one thread to another.
 */
#include "arch/x86_64/cpu.h"
#include "diag/diag.h"
#include "mm/frame.h"
#include "sched/thread.h"

void arch_thread_switch(struct thread *from, struct thread *to) {
    if (from == to)
        return;
    if (!from->arch.fpu && !from->arch.idle) {
        frame_reserve_open();
        paddr_t frame = frame_alloc(); /* fpu_size is less than a page */
        frame_reserve_close();
        if (!frame)
            panic("out of memory for a thread's FPU state");
        from->arch.fpu = phys_to_virt(frame);
    }
    from->arch.tls = rdmsr(MSR_FS_BASE);
    if (isolated) {
        from->arch.gs = rdmsr(MSR_KERNEL_GS_BASE);
        wrmsr(MSR_KERNEL_GS_BASE, to->arch.gs);
    }
    if (!from->arch.idle)
        fpu_save(from->arch.fpu);
    wrmsr(MSR_GS_BASE, (uint64_t)to);
    wrmsr(MSR_FS_BASE, to->arch.tls);
    if (to->arch.fpu && !to->arch.idle)
        fpu_load(to->arch.fpu);
    switch_stacks(&from->arch.sp, to->arch.sp);
}
