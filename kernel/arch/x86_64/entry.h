/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Assembly macros: the pieces of a system call entry, and of handlers that need
 * all the app's registers.
 */
#include "arch/x86_64/offsets.h"

/* The pieces of a system call's way in and out, which differ only in what comes
 * between them.  SAVE: on the thread's kernel stack; %rcx, %rbp and %r11 are
 * free then. */
.macro SYSCALL_SAVE
    movq %rsp, %gs:THREAD_APP_SP
    movq %gs:THREAD_KSTACK_TOP, %rsp
    pushq %r11
    pushq %rcx
    pushq %rbp
.endm

/* When it was, for --strace. */
.macro SYSCALL_TIME
    movq %rax, %gs:THREAD_SCRATCH
    movq %rdx, %gs:THREAD_SCRATCH + 8
    rdtsc
    movl %eax, %gs:THREAD_ENTERED
    movl %edx, %gs:THREAD_ENTERED + 4
    movq %gs:THREAD_SCRATCH, %rax
    movq %gs:THREAD_SCRATCH + 8, %rdx
.endm

/* Calls the handler; goes to syscall_work when there is something to do before
 * the app goes on.  %rcx is the slot then. */
.macro SYSCALL_CALL
    movq %gs:THREAD_CALL, %rcx
    addq $CALL_SIZE, %rcx
    andq $~CALLS_SIZE, %rcx
    movq %rcx, %gs:THREAD_CALL
    movq %rax, CALL_NUMBER(%rcx)
    movq %rdi, CALL_ARGS(%rcx)
    movq %rsi, CALL_ARGS + 8(%rcx)
    movq %rdx, CALL_ARGS + 16(%rcx)
    movq %r10, CALL_ARGS + 24(%rcx)
    movq %r8, CALL_ARGS + 32(%rcx)
    movq %r9, CALL_ARGS + 40(%rcx)
    movl $call_bound, %ecx /* the row of every number beyond the table */
    cmpq %rcx, %rax
    cmovaeq %rcx, %rax
    movslq syscall_table(, %rax, 4), %rax
    movq %r10, %rcx
    call *%rax
    movq %gs:THREAD_CALL, %rcx
    movq %rax, CALL_RESULT(%rcx)
    cmpl $0, %gs:THREAD_WORK
    jne syscall_work
.endm

/* The app's registers as they were (rbx and rbp are as the handler found them);
 * %rsp then points to the flags' slot less 16. */
.macro SYSCALL_RESTORE
    movq CALL_ARGS(%rcx), %rdi
    movq CALL_ARGS + 8(%rcx), %rsi
    movq CALL_ARGS + 16(%rcx), %rdx
    movq CALL_ARGS + 24(%rcx), %r10
    movq CALL_ARGS + 32(%rcx), %r8
    movq CALL_ARGS + 40(%rcx), %r9
    movq 8(%rsp), %rcx
    leaq 16(%rsp), %rsp /* sets no flags: less for TCG to keep */
.endm

/* The lower end of every struct trap_frame. */
.macro PUSH_REST
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

/* Turns what a system call saved into a struct trap_frame at %rsp; needs the
 * stack as the entry left it; %rax is the frame's rax.  rbx and r12 to r15 are
 * still the app's.  %rdi is the frame then, %rsi the slot. */
.macro FULL_FRAME
    movq %gs:THREAD_CALL, %rsi
    popq %rbp
    popq %rcx
    popq %r11
    pushq app_ss
    pushq %gs:THREAD_APP_SP
    pushq %r11
    pushq app_cs
    pushq %rcx
    pushq $0
    pushq $FRAME_VECTOR_SYSCALL
    pushq CALL_ARGS(%rsi)
    pushq CALL_ARGS + 8(%rsi)
    pushq CALL_ARGS + 16(%rsi)
    pushq %rcx
    pushq %rax
    pushq CALL_ARGS + 32(%rsi)
    pushq CALL_ARGS + 40(%rsi)
    pushq CALL_ARGS + 24(%rsi)
    PUSH_REST
    movq %rsp, %rdi
.endm

/* Back to the app with the struct trap_frame at %rsp. */
.macro FRAME_RETURN
    cmpb $0, smp_on
    je trap_return
    jmp smp_return /* weak: smp_entry.S */
.endm
    .weak smp_return

/* Handlers that see or change all the app's registers:
 * long name_frame(struct trap_frame *frame, struct report_call *call), whose
 * result becomes the app's rax unless it sent the app elsewhere. */
.macro FRAME_HANDLER name
    .globl sys_\name
sys_\name:
    movq $\name\()_frame, (%rsp) /* instead of where to return to */
    jmp frame_handler
.endm
