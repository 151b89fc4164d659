/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes as a Kraftfile: what is taken is bounded and well formed.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "zuk/diag.h"
#include "zuk/kraftfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    diag_quiet = true;
    struct kraftfile k;
    struct config c = {0};
    if (kraftfile_parse("Kraftfile", (const char *)data, size, &k, &c)) {
        for (size_t i = 0; i < k.env.len; i++) {
            assert(strchr(k.env.data[i], '=') > k.env.data[i]);
        }
        assert(k.name == NULL || (*k.name != '\0' && strchr(k.name, '/') == NULL));
        size_t total = 0;
        for (size_t i = 0; i < k.args.len; i++) {
            total += strlen(k.args.data[i]) + 1;
        }
        /* aliases written out, as far as they may be */
        assert(total <= (256 << 10) + 10000 && k.ports.len <= 10000 && k.idle.len <= 10000);
        assert(k.args.len + k.env.len <= size + 10000);
        for (size_t i = 0; i < c.words.len; i++) {
            assert(c.words.data[i].source == CONFIG_KRAFTFILE);
        }
    }
    arena_release();
    return 0;
}
