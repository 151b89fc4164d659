/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any format string with arguments that fit every letter (a short text):
 * format_va stays in its buffer, ends the text, and cuts without changing
 * what it keeps.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t call(char *buf, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    size_t n = format_va(buf, size, fmt, args);
    va_end(args);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] = "text";
    if (size < 1 || size > 64)
        return 0;
    char *fmt = malloc(size), *buf;
    size_t room = data[0], percents = 0, run = 0;
    memcpy(fmt, data + 1, size - 1);
    fmt[size - 1] = 0;
    for (size_t i = 0; i < size; i++) {
        percents += fmt[i] == '%';
        run = fmt[i] >= '0' && fmt[i] <= '9' ? run + 1 : 0;
        /* one argument each; '*' takes an int, which a pointer is not; a width
         * of millions is only slow */
        if (percents > 6 || fmt[i] == '*' || run > 4)
            goto out;
    }
    buf = malloc(room);
    char *all = malloc(1 << 17);
    size_t len = call(all, 1 << 17, fmt, text, text, text, text, text, text);
    assert(len == strlen(all) || memchr(all, 0, len));
    assert(call(buf, room, fmt, text, text, text, text, text, text) == len);
    if (room) {
        size_t kept = len < room ? len : room - 1;
        assert(buf[kept] == 0 && !memcmp(buf, all, kept));
    }
    free(all);
    free(buf);
out:
    free(fmt);
    return 0;
}
