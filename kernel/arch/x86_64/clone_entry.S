/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clone, whose child has all the app's registers.
 */
#include "arch/x86_64/entry.h"

    .text
    FRAME_HANDLER clone

    .section .note.GNU-stack, "", @progbits
