/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes as an image and as an executable: image_parse() and scan_elf() must
 * answer, and what image_parse() accepts must lie within the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/build.h"
#include "zuk/diag.h"
#include "zuk/image.h"
#include "zuk/scan.h"
#include "zuk/util.h"

static void check(int ok) {
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    diag_quiet = true;
    struct image_info info = {0};
    const char *why = NULL;
    if (image_parse(data, size, &info, &why)) {
        check(info.manifest_offset < size);
        check(info.app_offset <= size && info.app_size <= size - info.app_offset);
        for (size_t i = 0; i < info.stub_count; i++) {
            check(strlen(info.stubs[i]) < size);
        }
        check(strlen(info.name) < size && strlen(info.options) < size);
    } else {
        check(why != NULL);
    }
    struct scan scan;
    if (scan_elf("fuzz", data, size, &scan)) {
        check(!scan.unknown == (scan.site_count == 0));
    }
    arena_release();
    return 0;
}
