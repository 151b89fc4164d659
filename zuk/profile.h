/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --profile: samples of the guest (abi/report.h) -> a picture with the time line of
 * the boot, that of the run and a flame graph, and a table of the hottest
 * functions and system calls.
 *
 * Samples are kept as they come and unwound when the run is over.  When they get
 * many, every second one goes, also of those to come: a long run costs no more.
 */
#ifndef ZUK_PROFILE_H
#define ZUK_PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct profile;
struct symbolize_request;

enum { PROFILE_PERIOD_US = 1000 };

/* The file appears when it is closed, whole.  NULL after diag_error. */
struct profile *profile_open(const char *path, const char *app);
/* Records of REPORT_SAMPLE and REPORT_TIMELINE; damaged ones are left out. */
void profile_sample(struct profile *profile, const uint8_t *record, size_t size);
void profile_phase(struct profile *profile, const uint8_t *record, size_t size);
/* Unwinds it all; of the request the files count.  Before the next two. */
void profile_finish(struct profile *profile, const struct symbolize_request *request);
void profile_print(const struct profile *profile, FILE *out);
json_t *profile_json(const struct profile *profile);
/* False after diag_error. */
bool profile_close(struct profile *profile);

#endif
