/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Is KVM real here?
 *
 * A /dev/kvm is no promise: a host without hardware virtualisation may offer
 * one that interprets ring 0 at thousands of cycles an instruction, slower than
 * QEMU's own translator and unable to run much of it.  So a small loop is run
 * and timed, once per boot of the host; the answer is kept in the cache.
 */
#ifndef ZUK_ACCEL_H
#define ZUK_ACCEL_H

#include <stdbool.h>

struct accel {
    bool kvm;           /* take it */
    const char *reason; /* one clause for people, with figures */
    bool interpreted;   /* it is there, but interprets kernel mode: only --isolate is worth it */
};

/* The answer for this host, from the cache when it was asked before. */
struct accel accel_choose(void);

/* Measures, no cache.  Takes at most about 50 ms. */
struct accel accel_probe(void);

#endif
