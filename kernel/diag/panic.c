/* SPDX-License-Identifier: BSD-3-Clause
 *
 * panic, assert, notice.  The words go where an upper room said; a panic
 * inside a panic, or before that room is there, stops the machine.
 */
#include "diag/diag.h"

#include <stdarg.h>
#include <stdbool.h>

#include "arch/arch.h"
#include "lib/align.h"
#include "lib/format.h"

const struct diag_output *diag_output;

static void say_and_stop(const struct trap_frame *frame, const char *fmt, va_list args)
    __attribute__((noreturn));
static void say_and_stop(const struct trap_frame *frame, const char *fmt, va_list args) {
    static bool again;
    char text[200] ALIGNED_WORD;
    size_t size = format_va(text, sizeof text, fmt, args);
    if (size >= sizeof text)
        size = sizeof text - 1;
    if (!again && diag_output) {
        again = true;
        diag_output->panic(frame, text, size);
    }
    arch_halt();
}

void panic_frame(const struct trap_frame *frame, const char *fmt, ...) {
    va_list args ALIGNED_WORD;
    va_start(args, fmt);
    say_and_stop(frame, fmt, args);
}

void panic(const char *fmt, ...) {
    va_list args ALIGNED_WORD;
    va_start(args, fmt);
    say_and_stop(NULL, fmt, args);
}

void assert_failed(const char *where, const char *what) {
    panic("assertion failed at %s: %s", where, what);
}

void notice(const char *fmt, ...) {
    char text[160] ALIGNED_WORD;
    va_list args ALIGNED_WORD;
    va_start(args, fmt);
    size_t size = format_va(text, sizeof text, fmt, args);
    va_end(args);
    if (diag_output)
        diag_output->notice(text, size < sizeof text ? size : sizeof text - 1);
}
