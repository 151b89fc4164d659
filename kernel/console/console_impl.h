/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What console.c and input.c share.
 */
#ifndef CONSOLE_CONSOLE_IMPL_H
#define CONSOLE_CONSOLE_IMPL_H

struct transport;

/* The one in use, found at the first call; where there is none, one that drops
 * what it is given. */
const struct transport *console_transport(void);
/* The same, but one that listens. */
const struct transport *console_listener(void);

#endif
