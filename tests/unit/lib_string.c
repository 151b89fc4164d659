/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/lib/string.c against the host's libc, over sizes, alignments and
 * overlaps; what lies around a destination must stay untouched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *lib_memcpy(void *dst, const void *src, size_t n);
void *lib_memmove(void *dst, const void *src, size_t n);
void *lib_memset(void *dst, int c, size_t n);
int lib_memcmp(const void *a, const void *b, size_t n);
void *lib_memchr(const void *s, int c, size_t n);
size_t lib_strlen(const char *s);
size_t lib_strnlen(const char *s, size_t max);
int lib_strcmp(const char *a, const char *b);
int lib_strncmp(const char *a, const char *b, size_t n);
char *lib_strchr(const char *s, int c);

enum { SPACE = 160 };

static void fill(uint8_t *p, size_t n, unsigned seed) {
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 31 + seed);
}

static void test_memcpy(void **state) {
    (void)state;
    for (size_t from = 0; from < 9; from++)
        for (size_t to = 0; to < 9; to++)
            for (size_t n = 0; n < 100; n++) {
                uint8_t src[SPACE], dst[SPACE], want[SPACE];
                fill(src, SPACE, 1);
                fill(dst, SPACE, 77);
                fill(want, SPACE, 77);
                memcpy(want + to, src + from, n);
                assert_ptr_equal(lib_memcpy(dst + to, src + from, n), dst + to);
                assert_memory_equal(dst, want, SPACE);
            }
}

static void test_memmove_overlapping(void **state) {
    (void)state;
    for (size_t from = 0; from < 40; from++)
        for (size_t to = 0; to < 40; to++)
            for (size_t n = 0; n < 100; n += 1 + n / 20) {
                uint8_t got[SPACE], want[SPACE];
                fill(got, SPACE, 3);
                fill(want, SPACE, 3);
                memmove(want + to, want + from, n);
                assert_ptr_equal(lib_memmove(got + to, got + from, n), got + to);
                assert_memory_equal(got, want, SPACE);
            }
}

static void test_memset(void **state) {
    (void)state;
    for (size_t to = 0; to < 9; to++)
        for (size_t n = 0; n < 100; n++) {
            uint8_t got[SPACE], want[SPACE];
            fill(got, SPACE, 9);
            fill(want, SPACE, 9);
            memset(want + to, 0x1ab, n);
            assert_ptr_equal(lib_memset(got + to, 0x1ab, n), got + to);
            assert_memory_equal(got, want, SPACE);
        }
}

static int sign(int x) {
    return (x > 0) - (x < 0);
}

static void test_compare(void **state) {
    (void)state;
    static const char *const words[] = {"", "a", "b", "ab", "abc", "abd", "\xff", "a\xff", "a\x01"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            const char *a = words[i], *b = words[j];
            assert_int_equal(sign(lib_strcmp(a, b)), sign(strcmp(a, b)));
            for (size_t n = 0; n < 5; n++)
                assert_int_equal(sign(lib_strncmp(a, b, n)), sign(strncmp(a, b, n)));
            size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
            assert_int_equal(sign(lib_memcmp(a, b, n)), sign(memcmp(a, b, n)));
        }
    assert_int_equal(lib_memcmp("a\0b", "a\0b", 3), 0);
    assert_true(lib_memcmp("a\0b", "a\0c", 3) < 0);
}

static void test_search(void **state) {
    (void)state;
    const char *text = "path=/dev/null";
    for (int c = 0; c < 256; c++) {
        assert_ptr_equal(lib_strchr(text, c), strchr(text, c));
        for (size_t n = 0; n <= strlen(text); n++)
            assert_ptr_equal(lib_memchr(text, c, n), memchr(text, c, n));
    }
    assert_ptr_equal(lib_strchr(text, 0), text + strlen(text));
    assert_int_equal(lib_strlen(""), 0);
    assert_int_equal(lib_strlen(text), 14);
    /* the byte after `max` is not read: ASan sees the end of the block */
    char *block = malloc(4);
    memcpy(block, "abcd", 4);
    assert_int_equal(lib_strnlen(block, 4), 4);
    assert_int_equal(lib_strnlen("ab", 4), 2);
    assert_null(lib_memchr(block, 'x', 4));
    assert_int_equal(lib_strncmp(block, "abcd", 4), 0);
    free(block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memcpy), cmocka_unit_test(test_memmove_overlapping),
        cmocka_unit_test(test_memset), cmocka_unit_test(test_compare),
        cmocka_unit_test(test_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
