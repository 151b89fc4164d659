/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What `run` and `exec` share.
 */
#ifndef ZUK_CMD_RUN_H
#define ZUK_CMD_RUN_H

#include "zuk/options.h"

/* Builds what is not an image yet, boots it, relays, reports.  argv0: the
 * app's name for itself, or NULL for the image's.  zuk's exit status. */
int run_inputs(struct options *o, const char *argv0);

#endif
