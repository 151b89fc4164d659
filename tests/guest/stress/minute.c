/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything at once on four CPUs (stress.h), as long as there is time for.
 * cpus: 4
 * args: 20 1
 * timeout: 120
 * native: skip it tells Linux nothing
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include "stress.h"
