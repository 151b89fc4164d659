/* SPDX-License-Identifier: BSD-3-Clause
 *
 * abi/syscalls.def as a table of addresses, by number; their upper half is all
 * ones, and what one number beyond the last leads to, all others do, too.  The
 * link leaves out what the app cannot call (abi/calls.h): call_<name> is a weak
 * label at the way to sys_absent until the link says that it is sys_<name>, and
 * every sys_<name> is such a label until an object defines it.
 * The rows of syscalls.def are sorted by this architecture's number.
 */
#include "abi/calls.h"

    .altmacro
.macro LABEL name, number
    .if \number >= 0
    .weak sys_\name, call_\name
sys_\name:
call_\name:
    .endif
.endm

.macro CHUNK n
    .section .rodata.syscall_table.\n, "a"
    .balign 4
    .globl syscall_chunk_\n, syscall_bound_\n
    .set syscall_bound_\n, \n * CALL_CHUNK + CALL_CHUNK
syscall_chunk_\n:
.endm

.macro ADD target
    .if next % CALL_CHUNK == 0
    CHUNK %(next / CALL_CHUNK)
    .endif
    .long \target - UPPER
    .set next, next + 1
.endm

.macro ENTRY name, number
    .if \number >= 0
    .rept \number - next
    ADD absent
    .endr
    ADD call_\name
    .endif
.endm

    .set UPPER, 0xffffffff00000000
    .text
#define SYSCALL(name, x86_64, aarch64, option, policy) LABEL name, x86_64;
#include "abi/syscalls.def"
#undef SYSCALL
absent:
    jmp sys_absent

    .globl SYSCALL_COUNT, syscall_table
    .set next, 0
#define SYSCALL(name, x86_64, aarch64, option, policy) ENTRY name, x86_64;
#include "abi/syscalls.def"
    .set SYSCALL_COUNT, next
    .set syscall_table, syscall_chunk_0
    .rept -SYSCALL_COUNT & (CALL_CHUNK - 1)
    .long absent - UPPER
    .endr

    .weak call_bound
    .set call_bound, 0

    .section .rodata.syscall_table_end, "a"
    .long absent - UPPER

    .section .note.GNU-stack, "", @progbits
