/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/lib/cmdline.c and scale.h: tokens, decoding, numbers; the ends of
 * texts (each lies in a block of its exact size, so that ASan sees a step
 * beyond).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cmdline.h"
#include "lib/scale.h"

/* "[key]" or "[key=value]" for each token of the text. */
static const char *tokens(const char *text, size_t size) {
    static char out[256];
    char *block = malloc(size);
    memcpy(block, text, size);
    struct cmdline it;
    size_t n = 0;
    cmdline_start(&it, block, size);
    out[0] = 0;
    while (cmdline_next(&it))
        n += (size_t)snprintf(out + n, sizeof out - n, it.has_value ? "[%.*s=%.*s]" : "[%.*s]",
                              (int)it.key_len, it.key, (int)it.value_len, it.value);
    assert_false(cmdline_next(&it)); /* stays at the end */
    free(block);
    return out;
}

static const char *all_tokens(const char *text) {
    return tokens(text, strlen(text));
}

static void test_tokens(void **state) {
    (void)state;
    assert_string_equal(all_tokens(""), "");
    assert_string_equal(all_tokens("   "), "");
    assert_string_equal(all_tokens("strace"), "[strace]");
    assert_string_equal(all_tokens(" strace  timeline "), "[strace][timeline]");
    assert_string_equal(all_tokens("arg=a arg= env=X=1 =v ="), "[arg=a][arg=][env=X=1][=v][=]");
    assert_string_equal(all_tokens("virtio_mmio.device=512@0xfeb00000:5"),
                        "[virtio_mmio.device=512@0xfeb00000:5]");
    assert_string_equal(tokens("ab\0cd", 5), "[ab]");
    assert_string_equal(tokens("arg=xyz", 5), "[arg=x]");
    struct cmdline it;
    cmdline_start(&it, "arg=1", SIZE_MAX);
    assert_true(cmdline_next(&it));
    assert_true(cmdline_is(&it, "arg"));
    assert_false(cmdline_is(&it, "ar"));
    assert_false(cmdline_is(&it, "args"));
    assert_false(cmdline_is(&it, ""));
}

static void check_decode(const char *value, const char *want, size_t want_len) {
    size_t len = strlen(value);
    char *in = malloc(len);
    memcpy(in, value, len);
    for (size_t size = 0; size < want_len + 3; size++) {
        char *out = malloc(size);
        assert_int_equal(cmdline_decode(size ? out : NULL, size, in, len), want_len);
        if (size) {
            size_t kept = want_len < size ? want_len : size - 1;
            assert_memory_equal(out, want, kept);
            assert_int_equal(out[kept], 0);
        }
        free(out);
    }
    free(in);
}

static void test_decode(void **state) {
    (void)state;
    check_decode("", "", 0);
    check_decode("plain", "plain", 5);
    check_decode("a%20b", "a b", 3);
    check_decode("%25", "%", 1);
    check_decode("%41%4a%4A%ff", "AJJ\xff", 4);
    check_decode("a%00b", "a\0b", 3);
    check_decode("%", "%", 1);
    check_decode("%4", "%4", 2);
    check_decode("%4g%zz%%41", "%4g%zz%A", 8);
    for (int c = 0; c < 256; c++) { /* every byte, as abi/image.h encodes it */
        char value[4], want[1] = {(char)c};
        snprintf(value, sizeof value, "%%%02X", c);
        check_decode(value, want, 1);
    }
}

static void check_number(const char *text, size_t want_taken, uint64_t want) {
    size_t len = strlen(text);
    char *in = malloc(len);
    memcpy(in, text, len);
    uint64_t n = 4711;
    assert_int_equal(cmdline_number(in, len, &n), want_taken);
    assert_int_equal(n, want_taken ? want : 4711);
    free(in);
}

static void test_number(void **state) {
    (void)state;
    check_number("", 0, 0);
    check_number("x", 0, 0);
    check_number("-1", 0, 0);
    check_number("0", 1, 0);
    check_number("007", 3, 7);
    check_number("42:T", 2, 42);
    check_number("0x", 1, 0);
    check_number("0xg", 1, 0);
    check_number("0xfeb00e00:5", 10, 0xfeb00e00);
    check_number("0XAbC", 5, 0xabc);
    check_number("512@0xfeb", 3, 512);
    check_number("4K@0", 2, 4096);
    check_number("4k", 2, 4096);
    check_number("64M", 3, 64u << 20);
    check_number("2G", 2, UINT64_C(2) << 30);
    check_number("0x10K", 5, 0x4000);
    check_number("7T", 1, 7);
    check_number("18446744073709551615", 20, UINT64_MAX);
    check_number("18446744073709551616", 0, 0);
    check_number("99999999999999999999999", 0, 0);
    check_number("0xffffffffffffffff", 18, UINT64_MAX);
    check_number("0x10000000000000000", 0, 0);
    check_number("18014398509481983K", 18, UINT64_C(18014398509481983) << 10);
    check_number("18014398509481984K", 0, 0);
    check_number("0xffffffffffffffffG", 0, 0);
}

static void test_scale(void **state) {
    (void)state;
    assert_int_equal(mul_shift(3, 1u << 31, 31), 3);
    assert_int_equal(mul_shift(UINT64_MAX, UINT32_MAX, 32), UINT64_MAX - (UINT64_C(1) << 32));
    static const uint64_t rates[] = {1,          1000,       32768,         1193182,
                                     24000000,   62500000,   999999999,     1000000000,
                                     2099998765, 3600000000, 5000000000ull, UINT64_C(1) << 40};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        static const uint64_t amounts[] = {0, 1, 999, 123456789, 86400000000000ull};
        unsigned shift;
        if (1000000000 / rates[i] >> 32)
            continue;
        uint32_t mult = mul_shift_factor(rates[i], 1000000000, &shift);
        assert_true(mult >> 31 || shift == 63);
        for (size_t j = 0; j < sizeof amounts / sizeof *amounts; j++) {
            unsigned __int128 exact = (unsigned __int128)amounts[j] * 1000000000 / rates[i];
            if (exact >> 63)
                continue;
            uint64_t want = (uint64_t)exact, got = mul_shift(amounts[j], mult, shift);
            assert_true(got <= want);
            assert_true(want - got <= 1 + (want >> 30)); /* 32 bits of factor */
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
