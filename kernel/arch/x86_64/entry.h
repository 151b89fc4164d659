/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Assembly macros for system call handlers that need all the app's registers.
 */
#include "arch/x86_64/offsets.h"

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
 * slot's offset in %rbx and the stack as the entry left it; %rax is the frame's
 * rax.  r12 to r15 are still the app's. */
.macro FULL_FRAME
    movq %rbx, %rsi
    popq %rbp
    popq %rbx
    popq %rcx
    popq %r11
    pushq $SELECTOR_DATA
    pushq %gs:THREAD_APP_SP
    pushq %r11
    pushq $SELECTOR_CODE
    pushq %rcx
    pushq $0
    pushq $FRAME_VECTOR_SYSCALL
    pushq THREAD_CALLS + CALL_ARGS(%rsi)
    pushq THREAD_CALLS + CALL_ARGS + 8(%rsi)
    pushq THREAD_CALLS + CALL_ARGS + 16(%rsi)
    pushq %rcx
    pushq %rax
    pushq THREAD_CALLS + CALL_ARGS + 32(%rsi)
    pushq THREAD_CALLS + CALL_ARGS + 40(%rsi)
    pushq THREAD_CALLS + CALL_ARGS + 24(%rsi)
    PUSH_REST
    addq $THREAD_CALLS, %rsi
    movq %rsp, %rdi
.endm

/* Handlers that see or change all the app's registers:
 * long name_frame(struct trap_frame *frame, struct report_call *call), whose
 * result becomes the app's rax unless it sent the app elsewhere. */
.macro FRAME_HANDLER name
    .globl sys_\name
sys_\name:
    addq $8, %rsp
    xorl %eax, %eax
    FULL_FRAME
    pushq %rdi
    pushq %rsi
    call \name\()_frame
    popq %rsi
    popq %rdi
    movq %rax, FRAME_RAX(%rdi)
    movq %rax, CALL_RESULT(%rsi)
    cmpl $0, %gs:THREAD_WORK
    je trap_return
    call app_work
    jmp trap_return
.endm
