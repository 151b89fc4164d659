/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an image is made of, for those who must know: SPDX 2.3, tag-value.
 */
#ifndef ZUK_SBOM_H
#define ZUK_SBOM_H

#include "zuk/app.h"
#include "zuk/features.h"

/* The same for the same inputs; the time is SOURCE_DATE_EPOCH's, or 0. */
char *sbom_text(const struct app *app, const struct features *features);

#endif
