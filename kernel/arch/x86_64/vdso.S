/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vDSO (vdso(7)): an ELF file in memory whose functions tell the time without
 * a system call.  This is the file, byte for byte: app/vdso.c copies it to a page
 * of the app's.  The page before that holds struct vdso_clock, the one before that
 * KVM's clock (struct pvclock, kvmclock.c), where there is one.
 *
 * What it cannot answer it asks the kernel, by clock_gettime alone: other calls may
 * not be linked.
 */
#include "arch/x86_64/offsets.h"

#define CLOCK arch_vdso - 4096
#define PVCLOCK arch_vdso - 8192
#define SYS_clock_gettime 228
#define CLOCKS 12
#define CLOCKS_REAL 0x821      /* a bit each: REALTIME, REALTIME_COARSE, TAI */
#define CLOCKS_MONOTONIC 0xd2  /* MONOTONIC, its RAW and COARSE, BOOTTIME */
#define NS_PER_S 1000000000

    .section .rodata.vdso, "a"
    .balign 16
    .globl arch_vdso, arch_vdso_end
arch_vdso:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0
    .quad 0
    .value 3, 62 /* ET_DYN, x86_64 */
    .long 1
    .quad 0, programs - arch_vdso, 0
    .long 0
    .value 64, 56, 2, 64, 0, 0

programs:
    .long 1, 5 /* PT_LOAD, R X */
    .quad 0, 0, 0, arch_vdso_end - arch_vdso, arch_vdso_end - arch_vdso, 4096
    .long 2, 4 /* PT_DYNAMIC, R */
    .quad dynamic - arch_vdso, dynamic - arch_vdso, dynamic - arch_vdso
    .quad dynamic_end - dynamic, dynamic_end - dynamic, 8

dynamic:
    .quad 14, soname - names            /* DT_SONAME */
    .quad 4, hash - arch_vdso           /* DT_HASH */
    .quad 5, names - arch_vdso          /* DT_STRTAB */
    .quad 6, symbols - arch_vdso        /* DT_SYMTAB */
    .quad 10, names_end - names         /* DT_STRSZ */
    .quad 11, 24                        /* DT_SYMENT */
    .quad 0x6ffffff0, versym - arch_vdso
    .quad 0x6ffffffc, verdef - arch_vdso
    .quad 0x6ffffffd, 2                 /* DT_VERDEFNUM */
    .quad 0, 0
dynamic_end:

.macro SYMBOL name
    .long name_\name - names
    .byte 0x12, 0 /* STB_GLOBAL, STT_FUNC */
    .value 1
    .quad \name - arch_vdso, \name\()_end - \name
.endm
symbols:
    .fill 24, 1, 0
    SYMBOL clock_gettime
    SYMBOL gettimeofday
    SYMBOL time
symbols_end:

hash: /* one bucket, a chain of all */
    .long 1, 4, 1, 0, 2, 3, 0

verdef: /* version, flags, index, auxiliaries, hash, where they are, next */
    .value 1, 1, 1, 1
    .long 0x0deebfa1, 20, 28
    .long soname - names, 0
    .value 1, 0, 2, 1
    .long 0x03ae75f6, 20, 0
    .long version - names, 0

versym:
    .value 0, 2, 2, 2

names:
    .byte 0
soname: .asciz "linux-vdso.so.1"
version: .asciz "LINUX_2.6"
name_clock_gettime: .asciz "__vdso_clock_gettime"
name_gettimeofday: .asciz "__vdso_gettimeofday"
name_time: .asciz "__vdso_time"
names_end:

    .balign 16
/* %r10 -1: nanoseconds since 1970, 0: since boot; to %rax.  Keeps %rdi and %rsi. */
now:
    movl VDSO_VERSION + CLOCK(%rip), %r8d
    testb $1, %r8b
    jnz 3f
    cmpl $0, VDSO_PARAVIRTUAL + CLOCK(%rip)
    jne 4f
    lfence
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    mulq VDSO_MULT + CLOCK(%rip)
    movl VDSO_SHIFT + CLOCK(%rip), %ecx
    shrdq %cl, %rdx, %rax
1:  movq VDSO_OFFSET + CLOCK(%rip), %r9
    cmpl VDSO_VERSION + CLOCK(%rip), %r8d
    jne now
    andq %r10, %r9
    addq %r9, %rax
    ret
3:  pause
    jmp now

/* KVM's: mult and shift as struct pvclock has them. */
4:  movl PVCLOCK(%rip), %r11d
    testb $1, %r11b
    jnz 3b
    testb $1, 29 + PVCLOCK(%rip)
    jz 6f /* each CPU has a clock of its own */
    lfence
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    subq 8 + PVCLOCK(%rip), %rax
    movsbl 28 + PVCLOCK(%rip), %ecx
    testl %ecx, %ecx
    js 5f
    shlq %cl, %rax
    jmp 7f
5:  negl %ecx
    shrq %cl, %rax
7:  movl 24 + PVCLOCK(%rip), %edx
    mulq %rdx
    shrdq $32, %rdx, %rax
    addq 16 + PVCLOCK(%rip), %rax
    cmpl %r11d, PVCLOCK(%rip)
    jne 4b
    jmp 1b

6:  pushq %rdi
    pushq %rsi
    subq $24, %rsp
    leaq 1(%r10), %rdi /* CLOCK_REALTIME is 0, CLOCK_MONOTONIC 1 */
    movq %rsp, %rsi
    movl $SYS_clock_gettime, %eax
    syscall
    imulq $NS_PER_S, (%rsp), %rax
    addq 8(%rsp), %rax
    addq $24, %rsp
    popq %rsi
    popq %rdi
    ret

/* Nanoseconds in %rax to seconds in %rdx and the rest in %rax. */
.macro SPLIT
    movq %rax, %rcx
    shrq $9, %rax
    movabsq $0x44b82fa09b5a53, %rdx /* 2^75 / (10^9 / 2^9), rounded up */
    mulq %rdx
    shrq $11, %rdx
    imulq $NS_PER_S, %rdx, %rax
    subq %rax, %rcx
    movq %rcx, %rax
.endm

/* int clock_gettime(clockid_t clock, struct timespec *at) */
clock_gettime:
    cmpl $CLOCKS, %edi
    jae 1f
    movl $CLOCKS_REAL, %eax
    btl %edi, %eax
    sbbq %r10, %r10
    jnz 2f
    movl $CLOCKS_MONOTONIC, %eax
    btl %edi, %eax
    jnc 1f
2:  call now
    SPLIT
    movq %rdx, (%rsi)
    movq %rax, 8(%rsi)
    xorl %eax, %eax
    ret
1:  movl $SYS_clock_gettime, %eax
    syscall
    ret
clock_gettime_end:

/* int gettimeofday(struct timeval *at, struct timezone *zone) */
gettimeofday:
    orq $-1, %r10
    testq %rdi, %rdi
    jz 1f
    call now
    SPLIT
    movq %rdx, (%rdi)
    imulq $274877907, %rax, %rax /* 2^38 / 1000, rounded up */
    shrq $38, %rax
    movq %rax, 8(%rdi)
1:  xorl %eax, %eax
    testq %rsi, %rsi
    jz 2f
    movq %rax, (%rsi) /* UTC */
2:  ret
gettimeofday_end:

/* time_t time(time_t *at) */
time:
    orq $-1, %r10
    call now
    SPLIT
    movq %rdx, %rax
    testq %rdi, %rdi
    jz 1f
    movq %rax, (%rdi)
1:  ret
time_end:
arch_vdso_end:

    .section .note.GNU-stack, "", @progbits
