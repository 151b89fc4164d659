/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options -> objects -> kernel.elf.
 *
 * The kernel's objects lie compiled in lib_dir()/<arch>/; an option decides
 * which are linked.  A linked kernel is kept in the cache under the hash of its
 * objects and its options, so a second image with the same options costs no
 * link.  Entries are written beside and renamed: safe with two zuks at once.
 */
#ifndef ZUK_KERNEL_H
#define ZUK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct features;

/* Identity of the installed kernel objects (a stamp that make writes, or the
 * sizes and times of the files). 0 after diag_error: there are none. */
uint64_t kernel_stamp(const char *arch);

/* Are the objects in that folder (LIB/<arch>) of the same abi/ as this program? */
bool kernel_fits(const char *dir);

/* Links (or finds) the kernel for those options.  Writes work/link.cmd.  The
 * path is the kernel's ELF with symbols.  False after diag_error. */
bool kernel_link(const struct features *features, const char *arch, const char *work,
                 const char **path, uint64_t *id);

#endif
