/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clone and clone3, whose child has all the app's registers.
 */
#include "arch/x86_64/entry.h"

    .text
    FRAME_HANDLER clone
    FRAME_HANDLER clone3

    .section .note.GNU-stack, "", @progbits
