/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where the CPU was when the timer came; linked on request (app/profile.c), for
 * machines of one CPU.
 */
#ifndef ARCH_PROFILE_H
#define ARCH_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

/* In a timer's function: the app's registers, in the order of
 * REPORT_REGS_<ARCH>, where the timer found it, or where it made the system call
 * that it was about to leave.  True for a system call.  Not while the CPU idles. */
bool arch_profile_regs(uint64_t *regs);

/* Upward, by name: the app was entered, and has trapped for the first time. */
void profile_entry(void);

#endif
