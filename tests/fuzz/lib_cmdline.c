/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any text as a kernel command line: tokens stay inside it and in order,
 * decoding never grows, cut or not.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data, *last = text;
    struct cmdline it;
    cmdline_start(&it, text, size);
    while (cmdline_next(&it)) {
        assert(it.key >= last && it.value >= it.key + it.key_len);
        last = it.value + it.value_len;
        assert(last <= text + size);
        assert(!memchr(it.key, ' ', (size_t)(last - it.key)));
        assert(!memchr(it.key, 0, (size_t)(last - it.key)));
        assert(it.has_value ? it.key[it.key_len] == '=' : it.value_len == 0);
        char *all = malloc(it.value_len + 1), cut[4];
        size_t len = cmdline_decode(all, it.value_len + 1, it.value, it.value_len);
        assert(len <= it.value_len && all[len] == 0);
        assert(cmdline_decode(cut, sizeof cut, it.value, it.value_len) == len);
        assert(!memcmp(cut, all, len < 3 ? len : 3));
        uint64_t number;
        size_t taken = cmdline_number(it.value, it.value_len, &number);
        assert(taken <= it.value_len);
        char *raw = strndup(it.value, it.value_len);
        if (taken && !strpbrk(raw, "kKmMgGxX"))
            assert(number == strtoull(raw, NULL, 10));
        free(raw);
        free(all);
    }
    return 0;
}
