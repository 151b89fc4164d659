/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See cmdline.h.  The text is the boot loader's: it is believed nowhere.
 */
#include "lib/cmdline.h"

#include "lib/string.h"

void cmdline_start(struct cmdline *it, const char *text, size_t size) {
    it->pos = text;
    it->end = text + strnlen(text, size);
}

bool cmdline_next(struct cmdline *it) {
    const char *p = it->pos;
    while (p < it->end && *p == ' ')
        p++;
    if (p == it->end) {
        it->pos = p;
        return false;
    }
    const char *equals = NULL;
    it->key = p;
    for (; p < it->end && *p != ' '; p++)
        if (*p == '=' && !equals)
            equals = p;
    it->pos = p;
    it->has_value = equals != NULL;
    it->value = equals ? equals + 1 : p;
    it->value_len = (size_t)(p - it->value);
    it->key_len = (size_t)((equals ? equals : p) - it->key);
    return true;
}

bool cmdline_is(const struct cmdline *it, const char *name) {
    return strlen(name) == it->key_len && memcmp(name, it->key, it->key_len) == 0;
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
