/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Settings of this run: the manifest's, then the command line's.
 */
#include "app/app.h"

#include "abi/image.h"
#include "boot/bootinfo.h"
#include "console/console.h"
#include "lib/align.h"
#include "lib/cmdline.h"
#include "lib/string.h"

struct app_settings app_settings;

static struct image_call_policy policies[APP_POLICIES]; /* from the command line */
static unsigned policy_count;

/* missing=NR:POLICY; NR may be '*', and POLICY's first letter says it. */
static void policy_option(const struct cmdline *it) {
    static const char letters[] = {
        [IMAGE_POLICY_TRAP] = 't', [IMAGE_POLICY_ENOSYS] = 'e', [IMAGE_POLICY_IGNORE] = 'i'};
    uint64_t number = 0;
    size_t at = it->value_len && it->value[0] == '*' ? 1 : 0;
    bool all = at;
    if (!all)
        at = cmdline_number(it->value, it->value_len, &number);
    if (!at || at + 1 >= it->value_len || it->value[at] != ':')
        return;
    for (unsigned p = IMAGE_POLICY_TRAP; p <= IMAGE_POLICY_IGNORE; p++) {
        if (it->value[at + 1] != letters[p])
            continue;
        if (all)
            app_settings.policy_default = (uint8_t)p;
        else if (policy_count < APP_POLICIES)
            policies[policy_count++] = (struct image_call_policy){(uint16_t)number, (uint16_t)p};
    }
}

static void cpus_option(const struct cmdline *it) {
    uint64_t count;
    if (cmdline_number(it->value, it->value_len, &count) == it->value_len)
        sched_cpus_told = (unsigned)MIN(count, 4096u);
}

void app_option(const struct cmdline *it) {
    if (cmdline_is(it, "strace"))
        app_settings.trace = true;
    else if (cmdline_is(it, "timeline"))
        app_settings.timeline = true;
    else if (cmdline_is(it, "cpus"))
        cpus_option(it);
    else if (cmdline_is(it, "missing"))
        policy_option(it);
    else if (cmdline_is(it, "terminal"))
        console_set_terminal(it->value, it->value_len);
    else if (cmdline_is(it, "isolate"))
        app_settings.isolate = true;
}

unsigned app_policy(unsigned call) {
    const struct image_manifest *m = bootinfo.manifest;
    for (unsigned i = policy_count; i-- > 0;) {
        if (policies[i].number == call)
            return policies[i].policy;
    }
    const struct image_call_policy *p = (const void *)((const char *)m + m->policies);
    for (unsigned i = m->policy_count; i-- > 0;) {
        if (p[i].number == call)
            return p[i].policy;
    }
    return app_settings.policy_default ? app_settings.policy_default : m->default_policy;
}
