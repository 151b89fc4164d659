/* SPDX-License-Identifier: BSD-3-Clause
 *
 * rt_sigreturn, which puts all the app's registers back.
 */
#include "arch/x86_64/entry.h"

    .text
    FRAME_HANDLER rt_sigreturn

    .section .note.GNU-stack, "", @progbits
