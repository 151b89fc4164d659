/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See format.h.  One pass over the format; every conversion ends as a piece
 * of text and its padding.
 */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/align.h"
#include "lib/string.h"

struct out {
    char *buf;
    size_t size, len; /* len may exceed size */
};

static void put(struct out *o, char c, size_t count) {
    for (; count--; o->len++)
        if (o->len < o->size)
            o->buf[o->len] = c;
}

/* What stands between '%' and the letter. */
struct spec {
    bool zero;
    unsigned wide; /* number of l, or 1 for z */
    size_t width, precision;
};

static size_t number(const char **fmt, va_list *args) {
    size_t n = 0;
    if (**fmt == '*') {
        int value = va_arg(*args, int);
        (*fmt)++;
        return value < 0 ? 0 : (size_t)value;
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        n = n * 10 + (size_t)(**fmt - '0');
    return n;
}

static const char *read_spec(struct spec *spec, const char *fmt, va_list *args) {
    spec->zero = *fmt == '0';
    spec->width = number(&fmt, args);
    if (*fmt == '.') {
        fmt++;
        spec->precision = number(&fmt, args);
    }
    for (; *fmt == 'l' || *fmt == 'z'; fmt++)
        spec->wide++;
    return fmt;
}

size_t format_va(char *buf, size_t size, const char *fmt, va_list va) {
    struct out o = {buf, size, 0};
    va_list args ALIGNED_WORD; /* a va_list parameter may be a pointer, a copy never is */
    va_copy(args, va);
    while (*fmt) {
        struct spec spec = {.precision = SIZE_MAX};
        const char *start = fmt++, *text;
        char digits[21] ALIGNED_WORD, letter = 0;
        char *digit = digits + sizeof digits;
        size_t len;
        if (*start == '%') {
            fmt = read_spec(&spec, fmt, &args);
            letter = *fmt;
            fmt += letter != 0;
        }
        if (letter == 's') {
            text = va_arg(args, const char *);
            if (!text)
                text = "(null)";
            len = strnlen(text, spec.precision);
            spec.zero = false;
        } else if (letter == 'c') {
            digits[0] = (char)va_arg(args, int);
            text = digits;
            len = 1;
            spec.zero = false;
        } else if (letter == 'd' || letter == 'u' || letter == 'x') {
            unsigned base = letter == 'x' ? 16 : 10;
            uint64_t value = spec.wide ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            bool negative = letter == 'd' && (spec.wide ? (int64_t)value : (int32_t)value) < 0;
            if (negative)
                value = spec.wide ? -value : -(uint32_t)value;
            do {
                *--digit = "0123456789abcdef"[value % base];
                value /= base;
            } while (value);
            if (negative && spec.zero) { /* before the zeros */
                put(&o, '-', 1);
                spec.width -= spec.width != 0;
            } else if (negative) {
                *--digit = '-';
            }
            text = digit;
            len = (size_t)(digits + sizeof digits - digit);
        } else { /* itself; unknown: as it stands */
            text = start + (letter == '%' && fmt - start == 2);
            len = (size_t)(fmt - text);
            spec.width = 0;
        }
        if (spec.width > len)
            put(&o, spec.zero ? '0' : ' ', spec.width - len);
        while (len--)
            put(&o, *text++, 1);
    }
    va_end(args);
    if (size)
        buf[o.len < size ? o.len : size - 1] = 0;
    return o.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...) {
    va_list args ALIGNED_WORD;
    va_start(args, fmt);
    size_t len = format_va(buf, size, fmt, args);
    va_end(args);
    return len;
}
