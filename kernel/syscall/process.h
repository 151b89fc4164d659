/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What several families need to know of the one process.
 */
#ifndef SYSCALL_PROCESS_H
#define SYSCALL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sched/thread.h"

#define PROCESS_ID 1

/* May it set clocks and names?  Weak: without PROCESS it is root for good. */
bool process_is_root(void) __attribute__((weak));
uint32_t process_user(void) __attribute__((weak)); /* the real user id */
uint32_t process_group(void) __attribute__((weak));

#endif
