/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes as the files `about` and `end` of a machine that `run -d` left.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "zuk/diag.h"
#include "zuk/util.h"
#include "zuk/vms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    diag_quiet = true;
    struct vms_entry entry = {.status = -1};
    if (vms_read_about((const char *)data, size, &entry)) {
        assert(entry.image != NULL && strlen(entry.image) <= size);
    } else {
        assert(entry.image == NULL);
    }
    vms_read_end((const char *)data, size, &entry);
    assert(entry.status >= -1 && entry.status <= 255);
    arena_release();
    return 0;
}
