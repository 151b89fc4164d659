/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Entries of page tables, which zuk prepares for the pages that an app touches
 * first and the kernel makes for all others.  x86_64: Intel SDM volume 3, chapter
 * 4; bits 9 to 11 are software's.
 */
#ifndef ABI_PTE_H
#define ABI_PTE_H

#include <stdint.h>

#define PTE_X86_PRESENT UINT64_C(1)
#define PTE_X86_WRITE UINT64_C(2)
#define PTE_X86_USER UINT64_C(4)
#define PTE_X86_OWNED UINT64_C(0x200) /* the frame belongs to the mapping */
#define PTE_X86_HELD UINT64_C(0x400)  /* PROT_NONE, the entry still has its frame */
#define PTE_X86_NOEXEC (UINT64_C(1) << 63)
/* An entry that leads to a table in the app's half. */
#define PTE_X86_TABLE (PTE_X86_PRESENT | PTE_X86_WRITE | PTE_X86_USER)

#endif
