/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers that assembly shares with C; trap.c asserts that they hold.
 */
#ifndef ARCH_X86_64_OFFSETS_H
#define ARCH_X86_64_OFFSETS_H

/* struct thread, which the GS base points to. */
#define THREAD_SELF 1024
#define THREAD_KSTACK_TOP 1032
#define THREAD_APP_SP 1040
#define THREAD_CALL 1048
#define THREAD_WORK 1056
#define THREAD_WORK_FRAME 16
#define THREAD_SCRATCH 1064
#define THREAD_ENTERED 1080

/* struct report_call. */
#define CALL_NUMBER 0
#define CALL_ARGS 8
#define CALL_RESULT 56
#define CALL_SIZE 64
#define CALLS_SIZE (16 * CALL_SIZE)

/* struct trap_frame. */
#define FRAME_RAX 80
#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SIZE 176
#define FRAME_VECTOR_SYSCALL 256

/* struct image_manifest: end_paddr. */
#define MANIFEST_END 40
#define POOL_PAGES 24
#define KERNEL_PT_END 0x200000 /* what one page table maps, from address 0 */

/* struct vdso_clock. */
#define VDSO_VERSION 0
#define VDSO_PARAVIRTUAL 4
#define VDSO_MULT 8
#define VDSO_SHIFT 16
#define VDSO_OFFSET 24

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18
/* An isolated app's, as Linux's; sysretq wants them in this order. */
#define SELECTOR_APP_DATA 0x2b
#define SELECTOR_APP_CODE 0x33
#define SELECTOR_SYSRET 0x23

#define RFLAGS_ALWAYS 2
#define RFLAGS_IF 0x200
#define RFLAGS_NT 0x4000
#define RFLAGS_AC 0x40000
#define RFLAGS_APP 0x250dd5 /* what sigreturn may set: arithmetic, DF, TF, RF, AC, ID */
#define RFLAGS_KERNEL RFLAGS_ALWAYS
#define MSR_GS_BASE 0xc0000101

/* Interrupt vectors.  Device lines follow the CPU's exceptions. */
#define VECTORS 64
#define VECTOR_SHIFT 3 /* bytes of code of each */
#define VECTOR_SIZE (1 << VECTOR_SHIFT)
#define VECTOR_LINE 32 /* + line number, 0..23 */
#define VECTOR_TIMER 60
#define VECTOR_CALL 61  /* another CPU: look at what there is to do */
#define VECTOR_STALE 62 /* another CPU: forget pages, or stop */
#define VECTOR_SPURIOUS 63
#define VECTORS_ADDRESS 0xffffffff80100000

#endif
