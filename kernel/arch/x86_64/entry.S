/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every way into the kernel: exceptions, interrupts, system calls.
 *
 * Exceptions and interrupts arrive on a small stack of their own (IST 1),
 * because Linux code has a red zone; the frame moves on to the thread's kernel
 * stack (or further down the stack of interrupted kernel code) before anything
 * that may fault or sleep happens.  A kernel address with an app stack pointer
 * is the last instruction of a return to the app: its kernel stack is empty.
 *
 * GS points to the current struct thread: for good while the app runs at CPL 0;
 * an isolated app (isolate.c) at CPL 3 has a GS of its own, exchanged on the way
 * in and out.
 */
#include "arch/x86_64/entry.h"

/* The vectors, VECTOR_SIZE bytes each: what the call leaves on the stack tells
 * which one it was. */
    .section .vectors, "ax"
    .globl vectors
vectors:
    .set i, 0
    .rept VECTORS
    .if i == 2
    iretq /* an NMI means nothing here, and GS may be anybody's */
    .else
    .if !(i == 8 || (i >= 10 && i <= 14) || i == 17 || i == 21 || i == 29 || i == 30)
    pushq $0
    .endif
    .if i == 8 || i == 18
    call fatal_entry
    .else
    call trap
    .endif
    .endif
    .set i, i + 1
    .org i * VECTOR_SIZE, 0x90
    .endr

/* The vector's number in place of the address that its call left. */
.macro NUMBER_VECTOR
    movzwl FRAME_VECTOR(%rsp), %eax
    shrl $VECTOR_SHIFT, %eax
    movq %rax, FRAME_VECTOR(%rsp)
.endm

    .text
.macro PUSH_ALL
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    PUSH_REST
.endm

/* Down to the vector. */
.macro POP_ALL
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
.endm

trap:
    PUSH_ALL
    NUMBER_VECTOR
    cld
    movq %rsp, %rsi
    testb $3, FRAME_CS(%rsp)
    jnz trap_isolated
    movq %gs:THREAD_KSTACK_TOP, %rdi
    cmpq $0, FRAME_RIP(%rsp)
    jge 1f
    cmpq $0, FRAME_RSP(%rsp)
    jge 1f
    movq FRAME_RSP(%rsp), %rdi
    cmpq $trap_leave, FRAME_RIP(%rsp)
    je trap_not_left
2:  andq $-16, %rdi
    pushq $RFLAGS_KERNEL
    popfq
1:  subq $FRAME_SIZE, %rdi
    movl $FRAME_SIZE / 8, %ecx
    rep movsq
    leaq -FRAME_SIZE(%rdi), %rdi
    movq %rdi, %rsp
    call trap_entry

/* Leaves the kernel with the struct trap_frame at %rsp. */
    .globl trap_return
trap_return:
    POP_ALL
    addq $16, %rsp
leave:
    testb $3, 8(%rsp)
    jnz leave_isolated
    .globl trap_leave
trap_leave:
    iretq

leave_isolated:
    swapgs
    jmp trap_leave

/* What a CPU promises of flags at CPL 3 an emulator may not (TCG's are made of
 * anything when a rotate by carry faults). */
trap_isolated:
    swapgs
    pushq $RFLAGS_KERNEL
    popfq
    andq $RFLAGS_APP + RFLAGS_NT, FRAME_RFLAGS(%rsi)
    orq $RFLAGS_ALWAYS + RFLAGS_IF, FRAME_RFLAGS(%rsi)
    movq %gs:THREAD_KSTACK_TOP, %rdi
    jmp 1b

/* The iretq at trap_leave refused what it was to load, which lies at %rdi. */
trap_not_left:
    testb $3, 8(%rdi)
    jz 2b
    swapgs
    jmp 2b

/* Double fault, machine check: no way back, stay on this stack. */
fatal_entry:
    PUSH_ALL
    NUMBER_VECTOR
    cld
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    js 1f
    swapgs /* it was the app's */
1:  movq %rsp, %rdi
    andq $-16, %rsp
    call trap_fatal
    ud2

/* A system call: number in %rax, arguments in %rdi %rsi %rdx %r10 %r8 %r9,
 * return address in %rcx, flags in %r11; interrupts are closed (SFMASK).
 * The thread's ring of calls holds the arguments, for reports and to restore
 * the registers. */
    .section .vectors
    .globl syscall_entry, syscall_entry_traced
syscall_entry:
    SYSCALL_SAVE
    SYSCALL_CALL
    SYSCALL_RESTORE
    popfq
    movq %gs:THREAD_APP_SP, %rsp
    jmp *%rcx
syscall_entry_traced:
    SYSCALL_TIME
    jmp syscall_entry

    .text
/* The same for an app at CPL 3. */
    .globl syscall_entry_isolated, syscall_entry_isolated_traced
syscall_entry_isolated_traced:
    swapgs
2:  SYSCALL_TIME
    jmp 3f
syscall_entry_isolated:
    swapgs
3:  SYSCALL_SAVE
    SYSCALL_CALL
    SYSCALL_RESTORE
    popq %r11
    movq %gs:THREAD_APP_SP, %rsp
    swapgs
    sysretq /* %rcx follows a system call instruction: it is canonical */

/* void syscall_emulated(struct trap_frame *frame), which does not return: a
 * system call that arrived as a fault at its entry (trap.c) leaves by iretq. */
    .globl syscall_emulated
syscall_emulated:
    movq %rdi, %rsp
    POP_ALL
    pushq FRAME_RSP - FRAME_VECTOR(%rsp)
    popq %rsp
    orb $THREAD_WORK_FRAME, %gs:THREAD_WORK
    jmp 2b

/* What a FRAME_HANDLER is the first part of. */
    .globl frame_handler
frame_handler:
    popq %r10
    xorl %eax, %eax
    jmp 1f
    .globl syscall_work
syscall_work:
    xorl %r10d, %r10d
1:  FULL_FRAME
    testq %r10, %r10
    jz 2f
    pushq %rdi
    pushq %rsi
    call *%r10
    popq %rsi
    popq %rdi
    movq %rax, FRAME_RAX(%rdi)
    movq %rax, CALL_RESULT(%rsi)
    cmpl $0, %gs:THREAD_WORK
    je 3f
2:  call app_work
3:  FRAME_RETURN

    .section .text.absent, "ax"
    FRAME_HANDLER absent

/* size_t copy_user(void *dst, const void *src, size_t size): bytes not
 * copied.  A fault that cannot be resolved at copy_user_words or
 * copy_user_bytes goes on at the fixup of the same name. */
    .text
    .globl copy_user, copy_user_words, copy_user_bytes
    .globl copy_user_words_fixup, copy_user_bytes_fixup
copy_user:
    movq %rdx, %rcx
    movq %rdx, %rax
    shrq $3, %rcx
    andl $7, %eax
copy_user_words:
    rep movsq
    movl %eax, %ecx
copy_user_bytes:
    rep movsb
copy_user_bytes_fixup:
    movq %rcx, %rax
    ret
copy_user_words_fixup:
    /* The word that failed may begin on a good page: go on byte by byte. */
    leaq (%rax, %rcx, 8), %rcx
    jmp copy_user_bytes

/* The same where SMAP shuts the app's pages to the kernel. */
    .globl copy_user_smap
copy_user_smap:
    stac
    call copy_user
    clac
    ret

/* The same for an interpreter that does not know those instructions. */
    .globl copy_user_flags
copy_user_flags:
    pushq $RFLAGS_KERNEL + RFLAGS_AC
    popfq
    call copy_user
    pushq $RFLAGS_KERNEL
    popfq
    ret

/* void switch_stacks(uint64_t *save, uint64_t load) */
    .section .text.switch_stacks, "ax"
    .globl switch_stacks
switch_stacks:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

    .text
/* void arch_app_enter(vaddr_t ip, vaddr_t sp): out of the kernel for the first
 * time, all registers zero, interrupts open. */
    .globl arch_app_enter
arch_app_enter:
    pushq app_ss
    pushq %rsi
    pushq $0x202
    pushq app_cs
    pushq %rdi
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    jmp leave

/* The app's selectors, as iretq wants them. */
    .data
    .balign 8
    .globl app_cs, app_ss
app_cs: .quad SELECTOR_CODE
app_ss: .quad SELECTOR_DATA

    .section .note.GNU-stack, "", @progbits
