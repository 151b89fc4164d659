/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Picks this architecture's column of abi/syscalls.def.
 */
#ifndef ARCH_NUMBER_H
#define ARCH_NUMBER_H

#ifdef __aarch64__
#define ARCH_NUMBER(x86_64, aarch64) aarch64
#else
#define ARCH_NUMBER(x86_64, aarch64) x86_64
#endif

#endif
