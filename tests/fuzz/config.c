/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes as a file of options: what is read can be written, and reads the
 * same; a changed line changes nothing else.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "zuk/config.h"
#include "zuk/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    diag_quiet = true;
    struct config c = {0};
    const char *text = (const char *)data;
    if (config_parse(&c, "f", text, size, size > 0 && data[0] == '#')) {
        for (size_t i = 0; i < c.words.len; i++) {
            const struct config_word *w = &c.words.data[i];
            struct config again = {0};
            char *line = config_line(w->option, w->value);
            assert(config_parse(&again, "g", line, strlen(line), true));
            assert(again.words.len == 1 && again.words.data[0].option == w->option);
            assert(strcmp(again.words.data[0].value, w->value) == 0);
        }
        const struct config_option *o = config_option("FILES");
        char *edited = config_edit(text, size, o, NULL);
        struct config less = {0};
        assert(config_parse(&less, "h", edited, strlen(edited), false));
        assert(config_word(&less, "FILES") == NULL);
    }
    arena_release();
    return 0;
}
