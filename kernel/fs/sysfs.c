/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /sys, as far as programs count processors with it.
 */
#include "fs/table.h"
#include "sched/thread.h"

static void cpu_list(struct text *t, uint64_t arg) {
    (void)arg;
    text_set(t, sched_cpu_set());
}

#define TEXT_MODE (S_IFREG | 0444)
#define DIR_MODE (S_IFDIR | 0555)

static const struct table_entry cpus[] = {
    {.name = "online", .mode = TEXT_MODE, .text = cpu_list},
    {.name = "possible", .mode = TEXT_MODE, .text = cpu_list},
    {.name = "present", .mode = TEXT_MODE, .text = cpu_list},
    {.mode = 0},
};
static const struct table_entry systems[] = {
    {.name = "cpu", .mode = DIR_MODE, .children = cpus},
    {.mode = 0},
};
static const struct table_entry devices[] = {
    {.name = "system", .mode = DIR_MODE, .children = systems},
    {.mode = 0},
};
static const struct table_entry sys[] = {
    {.name = "devices", .mode = DIR_MODE, .children = devices},
    {.mode = 0},
};
static const struct table_entry top = {.mode = DIR_MODE, .children = sys};

static struct inode *mount_sys(void) {
    return table_mount(&top, 6);
}

static const struct filesystem sysfs = {"sysfs", "/sys", mount_sys};
FILESYSTEM(sysfs);
