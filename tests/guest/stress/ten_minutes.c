/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything at once on four CPUs (stress.h), for ten minutes.
 * tier: full
 * cpus: 4
 * args: 600 2
 * timeout: 1200
 * native: skip it tells Linux nothing
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include "stress.h"
