/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls and options: the names of calls, the policy of a missing one,
 * and which options of the kernel an executable's calls ask for
 * (abi/syscalls.def, abi/features.def).
 */
#ifndef ZUK_FEATURES_H
#define ZUK_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/image.h"
#include "zuk/scan.h"

/* The number of a system call on x86_64, or -1; the name, or NULL. */
int features_call_number(const char *name);
const char *features_call_name(uint64_t number);
/* What a call does where nobody provides it, if nobody says otherwise. */
enum image_policy features_call_policy(uint64_t number);

/* One --missing value. */
struct features_policy {
    bool every; /* of every missing call; number is meaningless then */
    uint16_t number;
    enum image_policy policy;
};
/* "trap", "enosys" or "CALL=trap|enosys|ignore".  False after diag_error. */
bool features_policy(const char *text, struct features_policy *out);

/* An option of the kernel and why it is (not) in the image. */
struct feature {
    const char *name;
    const char *what; /* for people */
    bool on;
    const char *reason; /* "write, from std.posix.write", "in every image", ... */
    const char *needs;  /* the option that comes along, "NONE" */
    bool always;        /* in every image */
    bool root;          /* on by itself, not for another's need */
    int call;           /* the reachable call that asks for it, or -1 */
};

struct features {
    struct feature *list; /* every row of features.def, in order */
    size_t count;
    const char *names; /* of those that are on, space-separated */
    /* By number: calls whose handlers are linked when their option is on.  An
     * option that is on for another reason than its calls has them all. */
    bool calls[SCAN_CALLS];
};

/* What the calls of that scan ask for. */
void features_choose(const struct scan *scan, struct features *out);
/* One more option, for that reason, and what it needs. */
void features_add(struct features *f, const char *name, const char *reason);
/* What a user says of an option.  A word of a higher rank wins over one that
 * contradicts it; at the same rank y wins over n.  Any word wins over what was
 * deduced.  overruled: NULL, or why it did not stick. */
struct features_word {
    const char *name;
    bool on;
    unsigned rank;
    const char *where; /* for people: ".config:3" */
    const char *overruled;
};
/* Applies them, one word an option; an option that needs one that is turned
 * off goes too. */
void features_overrule(struct features *f, struct features_word *words, size_t count);
/* "write() is called by main.run (src/main.zig:14)", or what is known of it. */
char *features_reason(const struct scan *scan, unsigned number);
/* The option that provides a call, or NULL when nobody does. */
const char *features_call_option(uint64_t number);
/* Is that option in a list of names as an image holds it? */
bool features_listed(const char *names, const char *option);
/* Everything on, for one reason. */
void features_all(const char *reason, struct features *out);
/* features.txt: a line an option with its reason, then a line a call. */
char *features_text(const struct features *f, const struct scan *scan);

/* One object of the kernel: kernel/<path> without suffix, "@" replaced. */
struct feature_object {
    const char *option;
    const char *path; /* "mm/frame", "arch/x86_64/boot" */
};
/* The names of the calls whose handlers are linked, by number. */
size_t features_handlers(const struct features *f, const char ***out);
/* The objects of the options that are on, in link order. */
size_t features_objects(const struct features *f, const char *arch, struct feature_object **out);

#endif
