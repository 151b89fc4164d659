/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any file as a program: elf_check reads nothing outside, and what it accepts
 * can be mapped without another check.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elf_info info;
    uint8_t *file = malloc(size); /* aligned */
    memcpy(file, data, size);
    if (elf_check(file, size, EM_X86_64, &info) == 0) {
        uint64_t end = 0, low = UINT64_MAX;
        volatile uint8_t sum = 0;
        for (unsigned i = 0; i < info.phnum; i++) {
            const struct elf_phdr *p = &info.phdr[i];
            if (p->type != PT_LOAD || p->memsz == 0)
                continue;
            assert(p->filesz <= p->memsz && p->vaddr / ELF_PAGE >= end);
            assert(info.dyn || p->vaddr >= ELF_PAGE);
            if (p->filesz) /* ASan looks */
                sum = (uint8_t)(sum + file[p->offset] + file[p->offset + p->filesz - 1]);
            end = (p->vaddr + p->memsz + ELF_PAGE - 1) / ELF_PAGE;
            low = p->vaddr < low ? p->vaddr : low;
        }
        assert(end && end <= ELF_ADDRESS_MAX / ELF_PAGE);
        assert(info.low == low && (info.high + ELF_PAGE - 1) / ELF_PAGE == end);
        assert(info.entry >= low && info.entry < info.high);
        assert((info.align & (info.align - 1)) == 0 && info.align >= ELF_PAGE);
    }
    free(file);
    return 0;
}
