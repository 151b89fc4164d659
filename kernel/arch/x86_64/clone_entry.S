/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clone and clone3, whose child has all the app's registers.
 */
#include "arch/x86_64/entry.h"

    .text
    FRAME_HANDLER clone
    FRAME_HANDLER clone3

/* A new thread's first way out. */
    .globl clone_return
clone_return:
    movq %rsp, %rdi
    call clone_begins
    FRAME_RETURN

    .section .note.GNU-stack, "", @progbits
