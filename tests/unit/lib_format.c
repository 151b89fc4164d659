/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/lib/format.c against snprintf, for all that both know, cut at every
 * length; and what it says of formats that it does not know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/format.h"

/* Same text, same return value, nothing written beyond, at every size. */
static void check(const char *fmt, ...) {
    char want[256];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(want, sizeof want, fmt, args);
    va_end(args);
    for (size_t size = 0; size <= (size_t)len + 2; size++) {
        char *got = malloc(size + 1); /* ASan guards what follows */
        got[size] = '#';
        va_start(args, fmt);
        size_t n = format_va(got, size, fmt, args);
        va_end(args);
        assert_int_equal(n, len);
        assert_int_equal(got[size], '#');
        if (size) {
            assert_int_equal(strlen(got), n < size ? n : size - 1);
            assert_memory_equal(got, want, strlen(got));
        }
        free(got);
    }
}

static void test_numbers(void **state) {
    (void)state;
    static const long values[] = {0,         1,         -1,         9,         10,        -10,
                                  INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, 0xabcdef};
    static const char *const formats[] = {"%d",   "%u",  "%x",   "%5d",  "%05d", "%8x",
                                          "%08x", "%1d", "%02x", "%15u", "%012d"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (size_t j = 0; j < sizeof formats / sizeof *formats; j++) {
            check(formats[j], (int)values[i]);
            char wide[16];
            static const char *const lengths[] = {"l", "ll", "z"};
            for (size_t k = 0; k < 3; k++) { /* same letter, before it a length */
                size_t at = strcspn(formats[j], "duxi");
                snprintf(wide, sizeof wide, "%.*s%s%s", (int)at, formats[j], lengths[k],
                         formats[j] + at);
                check(wide, values[i]);
            }
        }
    }
    check("%d %lu %x", 1, 2ul, 3);
}

static void test_text(void **state) {
    (void)state;
    check("");
    check("plain");
    check("100%%");
    check("%s|%s", "a", "");
    check("%5s|%1s", "abc", "abc");
    check("%.2s|%.0s|%.9s", "abc", "abc", "abc");
    check("%.*s|%*s|", 2, "abc", 5, "abc");
    check("%c%c%3c|", 'a', 'b', 'c');
    char *block = malloc(3); /* not terminated */
    memcpy(block, "xyz", 3);
    check("%.*s", 3, block);
    free(block);
}

static const char *plain(const char *fmt, ...) {
    static char buf[64];
    va_list args;
    va_start(args, fmt);
    format_va(buf, sizeof buf, fmt, args);
    va_end(args);
    return buf;
}

static void test_unknown(void **state) {
    (void)state;
    assert_string_equal(plain("a%qb"), "a%qb");
    assert_string_equal(plain("%"), "%");
    assert_string_equal(plain("%05l"), "%05l");
    assert_string_equal(plain("%-5d", 1), "%-5d");
    assert_string_equal(plain("%s", (char *)NULL), "(null)");
    assert_string_equal(plain("%5q%d", 7), "%5q7");
    char buf[8];
    assert_int_equal(format(buf, sizeof buf, "%s=%d", "key", 12345), 9);
    assert_string_equal(buf, "key=123");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
