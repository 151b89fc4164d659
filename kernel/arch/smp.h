/* SPDX-License-Identifier: BSD-3-Clause
 *
 * More than one CPU: what arch/<a>/smp.c promises to sched/smp.c.  Both are
 * linked with SMP only.
 *
 * One lock, the kernel's, is taken by every way into the kernel and given back
 * by every way out: kernel code runs on one CPU at a time, the app on all of
 * them.  What a page table loses is gone on all CPUs at the latest when the
 * lock is given back (arch_pages_settle).
 */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "arch/arch.h"

#define CPU_MAX 64u

unsigned arch_cpu_count(void); /* that the machine has, at most CPU_MAX; at least 1 */
/* Brings CPUs 1 to count - 1 up; each becomes its thread of `idles` and calls
 * `idle` with the kernel's lock.  This CPU is number 0 and takes the lock; its
 * idle thread is made ready to be switched to.  How many run: 1 is failure. */
unsigned arch_cpus_start(struct thread *const *idles, unsigned count, void (*idle)(void));
void arch_cpu_call(unsigned cpu); /* an interrupt there, which does nothing by itself */
void arch_cpu_idle(void);         /* arch_idle(), without the lock */

#endif
