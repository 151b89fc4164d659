/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For lwIP, which asks for the C library's header of this name.
 */
#include "lib/string.h"
