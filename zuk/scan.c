/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which system calls can an executable make (scan.h)?  Until the search is
 * written the answer is: unknown, which is always safe.
 */
#include "zuk/scan.h"

#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/util.h"

bool scan_elf(const char *path, const uint8_t *data, size_t size, struct scan *out) {
    struct elf_file f;
    const char *why;
    *out = (struct scan){.unknown = true};
    if (!elf_file_open(data, size, &f, &why)) {
        diag_error("'%s' %s", path, why);
        return false;
    }
    return true;
}
