/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several CPUs: where the others start, and a system call's way in and out with
 * the kernel's lock (arch/smp.h).
 */
#include "arch/x86_64/entry.h"

/* Copied to a page below 1 MiB, where a CPU starts in real mode at its first
 * byte with %cs = address / 16.  smp.c fills in the words at its end. */
#define AT(x) ((x) - smp_start)
    .section .rodata.smp_start, "a"
    .balign 8
    .globl smp_start, smp_start_end, smp_start_words
smp_start:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movl AT(smp_start_words), %ebx /* the page's address */
    lgdtl AT(gdt_pointer)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl *AT(to_protected)
    .code32
protected:
    movl $SELECTOR_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl AT(smp_start_words + 4)(%ebx), %eax
    movl %eax, %cr4
    movl AT(smp_start_words + 8)(%ebx), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx /* EFER */
    movl AT(smp_start_words + 12)(%ebx), %eax
    xorl %edx, %edx
    wrmsr
    movl AT(smp_start_words + 16)(%ebx), %eax
    movl %eax, %cr0
    ljmpl *AT(to_long)(%ebx)
    .code64
long:
    movabsq $smp_arrive, %rax
    jmp *%rax
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* SELECTOR_CODE */
    .quad 0x00cf93000000ffff /* SELECTOR_DATA */
    .quad 0x00cf9b000000ffff /* 32 bits */
gdt_pointer:
    .word 31
    .long AT(gdt) /* + the page, as the three below */
to_protected:
    .long AT(protected)
    .word 0x18
to_long:
    .long AT(long)
    .word SELECTOR_CODE
    .balign 4
smp_start_words: /* page, CR4, CR3, EFER, CR0 */
    .long 0, 0, 0, 0, 0
smp_start_end:
    .globl smp_fix_1, smp_fix_2, smp_fix_3
    .set smp_fix_1, gdt_pointer + 2
    .set smp_fix_2, to_protected
    .set smp_fix_3, to_long

/* In the kernel's address space: take a number, and the stack that goes with it. */
    .text
smp_arrive:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl $1, %edi
    lock xaddl %edi, smp_number
    cmpl smp_wanted, %edi
    jae 1f
    movq smp_stacks(, %rdi, 8), %rsp
    xorl %ebp, %ebp
    call smp_arrived
1:  lock incl smp_surplus
2:  cli
    hlt
    jmp 2b

/* A new thread's first way out, and that of calls with a full frame. */
smp_return: /* weak, as entry.h says */
    call smp_unlock
    jmp trap_return

/* Between SYSCALL_SAVE and SYSCALL_CALL; all the app's registers stay. */
.macro LOCK
    movq %rax, %r11
    xorl %eax, %eax
    movl $1, %ecx
    lock cmpxchgl %ecx, smp_lock_word
    je 4f
    pushq %r11
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %r10
    pushq %r8
    pushq %r9
    call smp_lock_wait
    popq %r9
    popq %r8
    popq %r10
    popq %rdx
    popq %rsi
    popq %rdi
    popq %r11
4:  movq %r11, %rax
.endm

/* After SYSCALL_RESTORE. */
.macro UNLOCK
    cmpl $0, stale
    jne 5f
    lock decl smp_lock_word
    jne 7f
6:
.endm

/* Behind the jump to the app: pages that others must forget first, a CPU that
 * sleeps for the lock. */
.macro UNLOCK_BEYOND
    UNLOCK_SLOW 5, smp_unlock
    UNLOCK_SLOW 7, smp_wake
.endm
.macro UNLOCK_SLOW label, function
\label:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    call \function
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    jmp 6b
.endm

    .globl smp_syscall_entry, smp_syscall_entry_traced
smp_syscall_entry_traced:
    SYSCALL_TIME
smp_syscall_entry:
    SYSCALL_SAVE
    LOCK
    SYSCALL_CALL
    SYSCALL_RESTORE
    UNLOCK
    popfq
    movq %gs:THREAD_APP_SP, %rsp
    jmp *%rcx
    UNLOCK_BEYOND

/* For an app at CPL 3. */
    .globl smp_syscall_entry_isolated, smp_syscall_entry_isolated_traced
smp_syscall_entry_isolated_traced:
    swapgs
    SYSCALL_TIME
    jmp 3f
smp_syscall_entry_isolated:
    swapgs
3:  SYSCALL_SAVE
    LOCK
    SYSCALL_CALL
    SYSCALL_RESTORE
    UNLOCK
    popq %r11
    movq %gs:THREAD_APP_SP, %rsp
    swapgs
    sysretq
    UNLOCK_BEYOND

    .section .note.GNU-stack, "", @progbits
