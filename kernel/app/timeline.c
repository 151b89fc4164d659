/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --timeline: when each phase of the boot was over, in CPU cycles.  The marks
 * are taken before anything could be told, and told before the app starts.
 */
#include "app/app.h"

#include "console/console.h"
#include "lib/string.h"

#define MARKS 8

static struct {
    const char *name;
    uint64_t cycles;
} marks[MARKS];
static unsigned count;

void timeline_mark(const char *name) {
    if (count < MARKS) {
        marks[count].name = name;
        marks[count++].cycles = arch_cycles();
    }
}

void timeline_tell(void) {
    for (unsigned i = 0; i < count; i++) {
        const struct report_timeline t = {.cycles = marks[i].cycles,
                                          .name_size = (uint32_t)strlen(marks[i].name)};
        const struct io_piece pieces[] = {{&t, sizeof t, false},
                                          {marks[i].name, t.name_size, false}};
        console_record(REPORT_TIMELINE, pieces, 2, false);
    }
}
