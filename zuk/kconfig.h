/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The options in the Kconfig language (Linux, Documentation/kbuild), for its
 * menu: what the app asks for is the default, the reason is the help text.
 */
#ifndef ZUK_KCONFIG_H
#define ZUK_KCONFIG_H

#include "zuk/config.h"
#include "zuk/features.h"

/* The Kconfig file. */
char *kconfig_text(const char *name, const struct features *deduced);
/* The .config that the menu starts with: every option as it is now. */
char *kconfig_start(const struct config *c, const struct features *f);
/* The fewest words that make of the deduced options what the menu's result
 * says; each of source CONFIG_FILE.  start: the options that the menu began
 * with; what came along there with an option that is gone goes with it. */
void kconfig_differences(const struct config *result, const struct features *deduced,
                         const struct features *start, struct config *out);

#endif
