/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/sha256.c: the examples of FIPS 180-4, and every length around a block
 * against `sha256sum`.
 */
#include "tests/unit/tool_scratch.h"

#include "zuk/program.h"
#include "zuk/sha256.h"

static void known_answers(void **state) {
    (void)state;
    assert_string_equal(sha256("", 0),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(sha256("abc", 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_string_equal(sha256(two, sizeof two - 1),
                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = xalloc(1000000);
    memset(million, 'a', 1000000);
    assert_string_equal(sha256(million, 1000000),
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void every_length_around_a_block(void **state) {
    (void)state;
    char text[130];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 7 + 1);
    }
    for (size_t n = 50; n <= 130; n += n == 66 ? 50 : 1) {
        const char *path = put_file("message", text, n);
        char *out;
        const char *argv[] = {"sha256sum", path, NULL};
        struct run run = {.argv = argv, .out = &out};
        assert_int_equal(run_program(&run), 0);
        assert_memory_equal(out, sha256(text, n), 64);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(every_length_around_a_block),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
