/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See format.h.  One pass over the format; every conversion ends as a piece
 * of text, a prefix and a padding.
 */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

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

static void put_text(struct out *o, const char *s, size_t len) {
    while (len--)
        put(o, *s++, 1);
}

/* What stands between '%' and the letter. */
struct spec {
    bool left, zero, dot;
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
    for (;; fmt++) {
        if (*fmt == '-')
            spec->left = true;
        else if (*fmt == '0')
            spec->zero = true;
        else
            break;
    }
    spec->width = number(&fmt, args);
    if (*fmt == '.') {
        fmt++;
        spec->dot = true;
        spec->precision = number(&fmt, args);
    }
    for (; *fmt == 'l' || *fmt == 'z'; fmt++)
        spec->wide++;
    return fmt;
}

static void put_padded(struct out *o, const struct spec *spec, const char *prefix, const char *s,
                       size_t len) {
    size_t all = strlen(prefix) + len;
    size_t pad = spec->width > all ? spec->width - all : 0;
    bool zero = spec->zero && !spec->left;
    if (!zero && !spec->left)
        put(o, ' ', pad);
    put_text(o, prefix, strlen(prefix));
    if (zero)
        put(o, '0', pad);
    put_text(o, s, len);
    if (spec->left)
        put(o, ' ', pad);
}

size_t format_va(char *buf, size_t size, const char *fmt, va_list va) {
    struct out o = {buf, size, 0};
    va_list args; /* a va_list parameter may be a pointer, a copy never is */
    va_copy(args, va);
    while (*fmt) {
        if (*fmt != '%') {
            put(&o, *fmt++, 1);
            continue;
        }
        struct spec spec = {0};
        const char *start = fmt;
        fmt = read_spec(&spec, fmt + 1, &args);
        char digits[20];
        const char *prefix = "", *text = digits + sizeof digits;
        size_t len;
        char letter = *fmt;
        if (letter)
            fmt++;
        if (letter == 's') {
            text = va_arg(args, const char *);
            if (!text)
                text = "(null)";
            len = strnlen(text, spec.dot ? spec.precision : SIZE_MAX);
            spec.zero = false;
        } else if (letter == 'c') {
            digits[0] = (char)va_arg(args, int);
            text = digits;
            len = 1;
            spec.zero = false;
        } else if (letter == 'd' || letter == 'i' || letter == 'u' || letter == 'x' ||
                   letter == 'p') {
            uint64_t value;
            unsigned base = letter == 'x' || letter == 'p' ? 16 : 10;
            if (letter == 'p' || spec.wide)
                value = va_arg(args, unsigned long);
            else
                value = va_arg(args, unsigned);
            if (letter == 'p')
                prefix = "0x";
            if (letter == 'd' || letter == 'i') {
                int64_t number = spec.wide ? (int64_t)value : (int32_t)value;
                value = (uint64_t)number;
                if (number < 0) {
                    prefix = "-";
                    value = -value;
                }
            }
            char *digit = digits + sizeof digits;
            do {
                *--digit = "0123456789abcdef"[value % base];
                value /= base;
            } while (value);
            text = digit;
            len = (size_t)(digits + sizeof digits - digit);
        } else if (letter == '%') {
            text = "%";
            len = 1;
        } else { /* unknown: as it stands */
            text = start;
            len = (size_t)(fmt - start);
            spec.width = 0;
        }
        put_padded(&o, &spec, prefix, text, len);
    }
    va_end(args);
    if (size)
        buf[o.len < size ? o.len : size - 1] = 0;
    return o.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    size_t len = format_va(buf, size, fmt, args);
    va_end(args);
    return len;
}
