/* SPDX-License-Identifier: BSD-3-Clause
 *
 * abi/syscalls.def as a table of addresses, by number; their upper half is all
 * ones, and what one number beyond the last leads to, all others do, too.  Every sys_<name>
 * is a weak label at the way to sys_absent until an object defines it.
 * The rows of syscalls.def are sorted by this architecture's number.
 */
.macro LABEL name, number
    .if \number >= 0
    .weak \name
\name:
    .endif
.endm

.macro ENTRY name, number
    .if \number >= 0
    .rept \number - next
    .long absent - UPPER
    .endr
    .long \name - UPPER
    .set next, \number + 1
    .endif
.endm

    .set UPPER, 0xffffffff00000000
    .text
#define SYSCALL(name, x86_64, aarch64, option, policy) LABEL sys_##name, x86_64;
#include "abi/syscalls.def"
#undef SYSCALL
absent:
    jmp sys_absent

    .section .rodata.syscall_table, "a"
    .balign 4
    .globl syscall_table, SYSCALL_COUNT
    .set next, 0
syscall_table:
#define SYSCALL(name, x86_64, aarch64, option, policy) ENTRY sys_##name, x86_64;
#include "abi/syscalls.def"
    .set SYSCALL_COUNT, next
    .long absent - UPPER

    .section .note.GNU-stack, "", @progbits
