/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any file as a program: loadable_check reads nothing outside, and what it accepts
 * can be mapped without another check.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/loadable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct loadable info;
    uint8_t *file = malloc(size); /* aligned */
    memcpy(file, data, size);
    if (loadable_check(file, size, EM_X86_64, &info) == 0) {
        uint64_t end = 0, low = UINT64_MAX;
        volatile uint8_t sum = 0;
        for (unsigned i = 0; i < info.phnum; i++) {
            const Elf64_Phdr *p = &info.phdr[i];
            if (p->p_type != PT_LOAD || p->p_memsz == 0)
                continue;
            assert(p->p_filesz <= p->p_memsz && p->p_vaddr / LOADABLE_PAGE >= end);
            assert(info.dyn || p->p_vaddr >= LOADABLE_PAGE);
            if (p->p_filesz) /* ASan looks */
                sum = (uint8_t)(sum + file[p->p_offset] + file[p->p_offset + p->p_filesz - 1]);
            end = (p->p_vaddr + p->p_memsz + LOADABLE_PAGE - 1) / LOADABLE_PAGE;
            low = p->p_vaddr < low ? p->p_vaddr : low;
        }
        assert(end && end <= LOADABLE_END / LOADABLE_PAGE);
        assert(info.low == low && (info.high + LOADABLE_PAGE - 1) / LOADABLE_PAGE == end);
        assert(info.entry >= low && info.entry < info.high);
        assert((info.align & (info.align - 1)) == 0 && info.align >= LOADABLE_PAGE);
    }
    free(file);
    return 0;
}
