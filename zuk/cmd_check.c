/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk check INPUT [--json]: every system call that the app can make and every
 * symbol that nobody defines, with what would happen and who asks for it; no
 * machine is started.  Status 3 when something would stop the app.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/json.h"
#include "zuk/settings.h"

enum state { PROVIDED, OPTION, PROBED, REFUSED, ANSWERED, OFF, MISSING, STATES };

static const char *const state_words[STATES] = {
    [PROVIDED] = "provided", [OPTION] = "option",    [PROBED] = "probed",   [REFUSED] = "refused",
    [ANSWERED] = "answered", [OFF] = "switched off", [MISSING] = "missing",
};

struct finding {
    unsigned number;
    const char *name;
    enum state state;
    const char *option; /* that provides it, or would */
    bool traps;
    enum image_policy policy;
};

static const struct feature *feature_of(const struct features *f, const char *name) {
    for (size_t i = 0; name != NULL && i < f->count; i++) {
        if (strcmp(f->list[i].name, name) == 0) {
            return &f->list[i];
        }
    }
    return NULL;
}

static struct finding judge(const struct look *l, unsigned number) {
    struct finding f = {.number = number,
                        .name = features_call_name(number),
                        .option = features_call_option(number),
                        .policy = settings_policy(l, number)};
    const struct feature *feature = feature_of(&l->features, f.option);
    if (feature != NULL && feature->on) {
        f.state = feature->always ? PROVIDED : OPTION;
        return f;
    }
    bool chosen = l->policy[number] != IMAGE_POLICY_DEFAULT || l->every != IMAGE_POLICY_DEFAULT;
    if (f.name == NULL) { /* no call of Linux has that number */
        f.name = xasprintf("%u", number);
        f.policy = IMAGE_POLICY_ENOSYS;
    }
    f.traps = f.policy == IMAGE_POLICY_TRAP;
    f.state = feature != NULL && f.traps        ? OFF
              : f.traps                         ? MISSING
              : chosen                          ? ANSWERED
              : f.policy == IMAGE_POLICY_ENOSYS ? PROBED
                                                : REFUSED;
    return f;
}

static const char *what_happens(const struct finding *f) {
    switch (f->state) {
    case PROVIDED:
        return "provided";
    case OPTION:
        return xasprintf("option %s", f->option);
    case OFF:
        return xasprintf("TRAPS: %s is off", f->option);
    case MISSING:
        return "TRAPS: missing";
    default:
        return xasprintf("%s: %s", state_words[f->state],
                         f->policy == IMAGE_POLICY_IGNORE ? "0"
                         : f->policy == IMAGE_POLICY_DENY ? "EACCES"
                                                          : "ENOSYS");
    }
}

/* --- for people --------------------------------------------------------- */

static void print_call(const struct look *l, const struct finding *f) {
    const struct scan_caller *c = &l->scan.callers[f->number];
    const char *who = l->scan.from[f->number] == NULL ? "?" : l->scan.from[f->number];
    if (c->function != NULL) {
        who = c->through == NULL || strcmp(c->through, f->name) == 0
                  ? c->function
                  : xasprintf("%s through %s", c->function, c->through);
        who = c->file == NULL ? who : xasprintf("%s (%s:%u)", who, c->file, c->line);
    }
    printf("%-20s %-22s %s\n", f->name, what_happens(f), who);
}

static void print_symbol(const struct look *l, size_t i) {
    const struct app *app = &l->app;
    const char *line = app->stub_lines == NULL ? NULL : app->stub_lines[i];
    printf("%-20s %-22s %s\n", app->stubs[i],
           app->stub_called != NULL && !app->stub_called[i] ? "TRAPS: undefined data"
                                                            : "TRAPS: undefined",
           line == NULL ? "" : line);
}

static void print(const struct look *l, const struct finding *list, size_t count, size_t traps) {
    size_t counts[STATES] = {0};
    for (int bad = 1; bad >= 0; bad--) { /* what stops the app comes first */
        for (size_t i = 0; bad && i < l->app.stub_count; i++) {
            print_symbol(l, i);
        }
        for (size_t i = 0; i < count; i++) {
            if (list[i].traps == (bad == 1)) {
                print_call(l, &list[i]);
                counts[list[i].state]++;
            }
        }
    }
    printf("\n%zu system call%s: %zu provided in every image, %zu by options, %zu probed, %zu "
           "refused, "
           "%zu answered, %zu switched off, %zu missing; %zu undefined symbol%s\n",
           count, count == 1 ? "" : "s", counts[PROVIDED], counts[OPTION], counts[PROBED],
           counts[REFUSED], counts[ANSWERED], counts[OFF], counts[MISSING], l->app.stub_count,
           l->app.stub_count == 1 ? "" : "s");
    for (size_t i = 0; i < l->scan.site_count; i++) {
        const struct scan_site *s = &l->scan.sites[i];
        printf("not known: a system call at 0x%llx in %s: %s\n", (unsigned long long)s->address,
               s->function, s->why);
    }
    if (l->scan.unknown) {
        printf("so the app may make other calls too, and every option is on\n");
    }
    fflush(stdout);
    if (traps > 0) {
        diag_note("%zu of these would stop the app with a report (status 3)", traps);
    }
}

/* --- for programs ------------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, json_text(text));
}

static json_t *json_call(const struct look *l, const struct finding *f) {
    const struct scan_caller *c = &l->scan.callers[f->number];
    json_t *o = json_object();
    set_text(o, "name", f->name);
    json_object_set_new(o, "number", json_integer(f->number));
    set_text(o, "state", state_words[f->state]);
    set_text(o, "option", f->option);
    json_object_set_new(o, "traps", json_boolean(f->traps));
    set_text(o, "from", l->scan.from[f->number]);
    set_text(o, "caller", c->function);
    set_text(o, "through", c->through);
    set_text(o, "file", c->file);
    json_object_set_new(o, "line", c->file == NULL ? json_null() : json_integer(c->line));
    return o;
}

static bool print_json(const struct look *l, const char *input, const struct finding *list,
                       size_t count, size_t traps) {
    json_t *top = json_object(), *calls = json_array(), *symbols = json_array(),
           *unknown = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(calls, json_call(l, &list[i]));
    }
    for (size_t i = 0; i < l->app.stub_count; i++) {
        json_t *o = json_object();
        bool called = l->app.stub_called == NULL || l->app.stub_called[i];
        set_text(o, "name", l->app.stubs[i]);
        set_text(o, "kind", called ? "function" : "data");
        set_text(o, "at", l->app.stub_lines == NULL ? NULL : l->app.stub_lines[i]);
        json_array_append_new(symbols, o);
    }
    for (size_t i = 0; i < l->scan.site_count; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "address", json_integer((json_int_t)l->scan.sites[i].address));
        set_text(o, "function", l->scan.sites[i].function);
        set_text(o, "why", l->scan.sites[i].why);
        json_array_append_new(unknown, o);
    }
    set_text(top, "input", input);
    json_object_set_new(top, "complete", json_boolean(!l->scan.unknown));
    json_object_set_new(top, "traps", json_integer((json_int_t)traps));
    json_object_set_new(top, "calls", calls);
    json_object_set_new(top, "symbols", symbols);
    json_object_set_new(top, "unknown", unknown);
    bool ok = json_dumpf(top, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    json_decref(top);
    return ok;
}

int cmd_check(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_BUILD | OPTIONS_LOOK | OPTIONS_JSON, &o);
    if (status >= 0) {
        return status;
    }
    struct look l;
    if (!settings_look(&o, &l)) {
        return EXIT_USER;
    }
    struct finding *list = xalloc(SCAN_CALLS * sizeof *list);
    size_t count = 0, traps = l.app.stub_count;
    for (unsigned i = 0; i < SCAN_CALLS; i++) {
        if (l.scan.calls[i]) {
            list[count] = judge(&l, i);
            traps += list[count++].traps;
        }
    }
    bool ok = true;
    if (o.json) {
        ok = print_json(&l, o.inputs[0], list, count, traps);
    } else {
        print(&l, list, count, traps);
    }
    if (!ok) {
        diag_error("cannot write the answer");
        return EXIT_USER;
    }
    return traps > 0 ? EXIT_MISSING : EXIT_OK;
}
