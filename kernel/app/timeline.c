/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --timeline: the phases of the boot.  They are marked before anything could be
 * told, and told before the app starts.
 */
#include "app/app.h"

#include "console/console.h"
#include "lib/align.h"
#include "lib/string.h"

uint64_t timeline[TIMELINE_PHASES];

static const char names[TIMELINE_PHASES][12] = {
    [TIMELINE_LOADER] = "loader",
    [TIMELINE_MEMORY] = "memory",
    [TIMELINE_LOADED] = "app loaded",
};

void timeline_tell(void) {
    for (unsigned i = 0; i < TIMELINE_PHASES; i++) {
        const struct report_timeline t = {.cycles = timeline[i],
                                          .name_size = (uint32_t)strlen(names[i])};
        const struct io_piece pieces[] ALIGNED_WORD = {io_piece(&t, sizeof t),
                                                       io_piece(names[i], t.name_size)};
        console_record(REPORT_TIMELINE, pieces, 2, false);
    }
}
