/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See cmdline.h.  The text is the boot loader's: it is believed nowhere.
 */
#include "lib/cmdline.h"

#include "lib/string.h"

void cmdline_start(struct cmdline *it, const char *text, size_t size) {
    it->pos = text;
    it->end = size > UINTPTR_MAX - (uintptr_t)text ? (const char *)UINTPTR_MAX : text + size;
}

/* Spaces and whatever else cannot be part of a token. */
static bool inside(const char *p, const char *end) {
    return p < end && (uint8_t)*p > ' ';
}

bool cmdline_next(struct cmdline *it) {
    const char *p = it->pos, *end = it->end;
    while (p < end && *p && !inside(p, end))
        p++;
    it->key = p;
    while (inside(p, end) && *p != '=')
        p++;
    it->key_len = (size_t)(p - it->key);
    it->has_value = inside(p, end);
    p += it->has_value;
    it->value = p;
    while (inside(p, end))
        p++;
    it->value_len = (size_t)(p - it->value);
    it->pos = p;
    return p > it->key;
}

bool cmdline_is(const struct cmdline *it, const char *name) {
    size_t i = 0;
    while (i < it->key_len && name[i] == it->key[i])
        i++;
    return i == it->key_len && !name[i];
}

/* The digit's value, or 16 and more. */
static unsigned digit_value(char c) {
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

size_t cmdline_decode(char *dst, size_t dst_size, const char *value, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++, n++) {
        char c = value[i];
        if (c == '%' && len - i > 2 && digit_value(value[i + 1]) < 16 &&
            digit_value(value[i + 2]) < 16) {
            c = (char)(digit_value(value[i + 1]) << 4 | digit_value(value[i + 2]));
            i += 2;
        }
        if (n + 1 < dst_size)
            dst[n] = c;
    }
    if (dst_size)
        dst[n < dst_size ? n : dst_size - 1] = 0;
    return n;
}

size_t cmdline_number(const char *value, size_t len, uint64_t *number) {
    unsigned base = 10;
    size_t i = 0, start;
    uint64_t n = 0;
    if (len > 2 && value[0] == '0' && (value[1] | 0x20) == 'x' && digit_value(value[2]) < 16) {
        base = 16;
        i = 2;
    }
    for (start = i; i < len && digit_value(value[i]) < base; i++) {
        unsigned digit = digit_value(value[i]);
        if (n > (UINT64_MAX - digit) / base)
            return 0;
        n = n * base + digit;
    }
    if (i == start)
        return 0;
    for (unsigned j = 0; i < len && j < 3; j++) {
        if ((value[i] | 0x20) != "kmg"[j])
            continue;
        unsigned shift = 10 * (j + 1);
        if (n >> (64 - shift))
            return 0;
        n <<= shift;
        i++;
        break;
    }
    *number = n;
    return i;
}
