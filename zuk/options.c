/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The command line of `build`, `run` and `exec` (options.h).  Each option is
 * one row: its name, the sets that have it, its value, a line of help, and the
 * function that takes it.
 */
#include "zuk/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/config.h"
#include "zuk/diag.h"
#include "zuk/features.h"
#include "zuk/progress.h"
#include "zuk/rootfs.h"
#include "zuk/util.h"
#include "zuk/vms.h"

struct parse {
    struct options *o;
    const char *name; /* of the option, for messages */
    VEC(const char *) inputs, args, env, missing, zig_args, rootfs, set;
    VEC(struct net_forward) forwards;
};

/* Each taker returns false after diag_error.  value is NULL without one. */
typedef bool taker(struct parse *p, const char *value);

static bool bad_value(const struct parse *p, const char *value, const char *wanted) {
    diag_error("option %s: '%s' is not %s", p->name, value, wanted);
    return false;
}

bool options_size(const char *text, uint64_t *bytes) {
    uint64_t n = 0;
    const char *s = text;
    for (; isdigit((unsigned char)*s); s++) {
        if (n > (UINT64_MAX >> 32)) {
            return false;
        }
        n = n * 10 + (uint64_t)(*s - '0');
    }
    if (s == text) {
        return false;
    }
    unsigned shift = 20;
    switch (toupper((unsigned char)*s)) {
    case 'K':
        shift = 10, s++;
        break;
    case 'M':
        shift = 20, s++;
        break;
    case 'G':
        shift = 30, s++;
        break;
    default:
        break;
    }
    if (shift != 20 || s[-1] == 'M' || s[-1] == 'm') {
        if (*s == 'i') {
            s++;
        }
        if (*s == 'B') {
            s++;
        }
    }
    if (*s != '\0' || n == 0 || n > (UINT64_C(1) << 46 >> shift)) {
        return false;
    }
    *bytes = n << shift;
    return true;
}

enum { WORD_MAX = 64 };

/* Letters to change, add or leave out, or neighbours to swap, from one word to the other. */
static unsigned edit_distance(const char *a, const char *b) {
    unsigned rows[3][WORD_MAX]; /* of this letter of a, of the one before, of the one before that */
    size_t n = strlen(b);
    if (n >= WORD_MAX) {
        return WORD_MAX;
    }
    for (size_t j = 0; j <= n; j++) {
        rows[0][j] = (unsigned)j;
    }
    size_t i = 0;
    for (; a[i] != '\0'; i++) {
        unsigned *row = rows[(i + 1) % 3], *last = rows[i % 3], *before = rows[(i + 2) % 3];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < n; j++) {
            unsigned best = last[j] + (a[i] != b[j]);
            best = last[j + 1] + 1 < best ? last[j + 1] + 1 : best;
            best = row[j] + 1 < best ? row[j] + 1 : best;
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] &&
                before[j - 1] + 1 < best) {
                best = before[j - 1] + 1;
            }
            row[j + 1] = best;
        }
    }
    return rows[i % 3][n];
}

const char *options_nearest(const char *word, const char *const *words) {
    const char *best = NULL;
    const size_t dashes = strncmp(word, "--", 2) == 0 ? 2 : 0; /* all have them: no likeness */
    const size_t n = strlen(word + dashes);
    unsigned least = 2 * (n < 3 ? 1 : (unsigned)n / 3);
    for (; *words != NULL; words++) {
        if (strncmp(word, *words, dashes) != 0) {
            continue;
        }
        const char *ours = word + dashes, *theirs = *words + dashes;
        bool starts = n >= 4 - dashes && strncmp(ours, theirs, n) == 0;
        unsigned d = starts ? 0 : 2 * edit_distance(ours, theirs);
        if (d > 0 && ours[0] == theirs[0]) {
            d--; /* of two as near, that with the same first letter */
        }
        if (d <= least && (best == NULL || d < least)) {
            best = *words;
            least = d;
        }
    }
    return best;
}

static bool take_word(const struct parse *p, const char *value, const char *const *words,
                      unsigned *index) {
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *index = i;
            return true;
        }
    }
    char *list = xstrdup("one of");
    for (unsigned i = 0; words[i] != NULL; i++) {
        list = xasprintf("%s%s %s", list, i == 0 ? "" : ",", words[i]);
    }
    return bad_value(p, value, list);
}

static bool take_output(struct parse *p, const char *value) {
    p->o->output = value;
    return *value != '\0' || bad_value(p, value, "a file name");
}

static bool take_artifact(struct parse *p, const char *value) {
    p->o->artifact = value;
    return true;
}

static bool take_zig(struct parse *p, const char *value) {
    p->o->zig = value;
    return true;
}

static bool take_define(struct parse *p, const char *value) {
    *vec_push(&p->zig_args) = xasprintf("-D%s", value);
    return true;
}

static bool take_strict(struct parse *p, const char *value) {
    (void)value;
    p->o->strict = true;
    return true;
}

static bool take_strip(struct parse *p, const char *value) {
    (void)value;
    p->o->strip = true;
    return true;
}

static bool take_env(struct parse *p, const char *value) {
    if (*value == '\0' || *value == '=') {
        return bad_value(p, value, "NAME=VALUE");
    }
    if (strchr(value, '=') == NULL) {
        const char *ours = getenv(value);
        if (ours == NULL) {
            return true; /* as `docker run -e NAME`: unset here, unset there */
        }
        value = xasprintf("%s=%s", value, ours);
    }
    *vec_push(&p->env) = value;
    return true;
}

static bool take_env_all(struct parse *p, const char *value) {
    (void)value;
    p->o->env_all = true;
    return true;
}

static bool take_rootfs(struct parse *p, const char *value) {
    *vec_push(&p->rootfs) = value;
    return *value != '\0' || bad_value(p, value, "a folder or an archive");
}

static bool take_certificates(struct parse *p, const char *value) {
    p->o->certificates = value == NULL ? ROOTFS_CERTIFICATES : value;
    return *p->o->certificates != '\0' || bad_value(p, value, "a file name");
}

static bool take_cwd_ro(struct parse *p, const char *value) {
    (void)value;
    p->o->cwd_ro = true;
    return true;
}

static bool take_missing(struct parse *p, const char *value) {
    struct features_policy policy;
    if (!features_policy(value, &policy)) {
        return false; /* has said why */
    }
    *vec_push(&p->missing) = value;
    return true;
}

static bool take_config(struct parse *p, const char *value) {
    p->o->config = value;
    return *value != '\0' || bad_value(p, value, "a file of options");
}

static bool take_set(struct parse *p, const char *value) {
    struct config checked = {0};
    *vec_push(&p->set) = value;
    return config_say_text(&checked, value, "option --set");
}

static bool take_memory(struct parse *p, const char *value) {
    return options_size(value, &p->o->memory) ||
           bad_value(p, value, "a size such as 64M or 1G (megabytes without a letter)");
}

static bool take_cpus(struct parse *p, const char *value) {
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end != '\0' || n < 1 || n > OPTIONS_CPUS) {
        return bad_value(p, value, xasprintf("a number from 1 to %d", OPTIONS_CPUS));
    }
    p->o->cpus = (unsigned)n;
    return true;
}

static bool take_timeout(struct parse *p, const char *value) {
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !isdigit((unsigned char)*value) || !isfinite(seconds) ||
        seconds * 1000 < 1 || seconds > 1e9) {
        return bad_value(p, value, "a number of seconds above 0");
    }
    p->o->timeout_ms = (uint64_t)(seconds * 1000);
    return true;
}

static bool take_accel(struct parse *p, const char *value) {
    static const char *const words[] = {"auto", "kvm", "tcg", NULL};
    unsigned i;
    if (!take_word(p, value, words, &i)) {
        return false;
    }
    p->o->accel = (enum options_accel)i;
    return true;
}

static bool take_machine(struct parse *p, const char *value) {
    static const char *const words[] = {"microvm", "q35", "pc", NULL};
    unsigned i;
    if (!take_word(p, value, words, &i)) {
        return false;
    }
    p->o->machine = words[i];
    p->o->machine_given = true;
    return true;
}

static bool take_fail(struct parse *p, const char *value) {
    char *end;
    p->o->fail = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end != '\0' || p->o->fail == 0) {
        return bad_value(p, value, "a number from 1");
    }
    return true;
}

static bool take_isolate(struct parse *p, const char *value) {
    (void)value;
    p->o->isolate = true;
    return true;
}

static bool take_publish(struct parse *p, const char *value) {
    const char *wanted = net_parse_forward(value, vec_push(&p->forwards));
    return wanted == NULL || bad_value(p, value, wanted);
}

static bool take_net(struct parse *p, const char *value) {
    const char *wanted = net_parse(value, &p->o->net);
    return wanted == NULL || bad_value(p, value, wanted);
}

static bool take_pcap(struct parse *p, const char *value) {
    p->o->net.pcap = value;
    return *value != '\0' || bad_value(p, value, "a file name");
}

static bool take_trace(struct parse *p, const char *value) {
    p->o->trace = value;
    return *value != '\0' || bad_value(p, value, "a file name");
}

static bool take_kernel(struct parse *p, const char *value) {
    static const char *const words[] = {"zuk", "unikraft", NULL};
    unsigned i;
    if (!take_word(p, value, words, &i)) {
        return false;
    }
    p->o->unikraft = i == 1;
    return true;
}

static bool take_profile(struct parse *p, const char *value) {
    p->o->profile = value == NULL ? "profile.svg" : value;
    return *p->o->profile != '\0' || bad_value(p, value, "a file name");
}

static bool take_html(struct parse *p, const char *value) {
    p->o->html = value;
    return *value != '\0' || bad_value(p, value, "a file name");
}

static bool take_diff(struct parse *p, const char *value) {
    p->o->diff = value;
    return *value != '\0' || bad_value(p, value, "an image");
}

static bool take_strace(struct parse *p, const char *value) {
    (void)value;
    p->o->strace = true;
    return true;
}

static bool take_timeline(struct parse *p, const char *value) {
    (void)value;
    p->o->timeline = true;
    return true;
}

static bool take_json(struct parse *p, const char *value) {
    (void)value;
    progress_forbid(); /* a program reads, and asks for the end */
    p->o->json = true;
    return true;
}

static bool take_reproducible(struct parse *p, const char *value) {
    (void)value;
    p->o->reproducible = true;
    return true;
}

static bool take_lock(struct parse *p, const char *value) {
    (void)value;
    p->o->lock = p->o->reproducible = true;
    return true;
}

static bool take_locked(struct parse *p, const char *value) {
    (void)value;
    p->o->locked = p->o->reproducible = true;
    return true;
}

static bool take_detach(struct parse *p, const char *value) {
    (void)value;
    p->o->detach = true;
    return true;
}

static bool take_name(struct parse *p, const char *value) {
    p->o->name = value;
    return vms_check_name(value);
}

static bool take_watch(struct parse *p, const char *value) {
    (void)value;
    p->o->watch = true;
    return true;
}

static bool take_follow(struct parse *p, const char *value) {
    (void)value;
    p->o->follow = true;
    return true;
}

static bool take_patience(struct parse *p, const char *value) {
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !isdigit((unsigned char)*value) ||
        seconds * 1000 > OPTIONS_PATIENCE_MS) {
        return bad_value(p, value, "a number of seconds, at most a day");
    }
    p->o->patience_ms = (unsigned)(seconds * 1000);
    return true;
}

static bool take_lang(struct parse *p, const char *value) {
    static const char *const words[] = {"zig", "c", NULL};
    unsigned i;
    if (!take_word(p, value, words, &i)) {
        return false;
    }
    p->o->lang = words[i];
    return true;
}

static bool take_dry_run(struct parse *p, const char *value) {
    (void)value;
    p->o->dry_run = true;
    return true;
}

static bool is_port(const char *s) {
    char *end;
    errno = 0;
    unsigned long n = strtoul(s, &end, 10);
    return isdigit((unsigned char)*s) && *end == '\0' && errno == 0 && n >= 1 && n <= 65535;
}

static bool take_gdb(struct parse *p, const char *value) {
    p->o->gdb = true;
    p->o->gdb_port = 1234;
    if (value == NULL) {
        return true;
    }
    if (!is_port(value)) {
        return bad_value(p, value, "a port from 1 to 65535");
    }
    p->o->gdb_port = (uint16_t)strtoul(value, NULL, 10);
    return true;
}

static bool take_color(struct parse *p, const char *value) {
    return diag_color_set(value == NULL ? "always" : value) ||
           bad_value(p, value, "one of auto, always, never");
}

static bool take_verbose(struct parse *p, const char *value) {
    (void)p, (void)value;
    diag_verbosity = diag_verbosity < 0 ? 1 : diag_verbosity + 1;
    return true;
}

static bool take_quiet(struct parse *p, const char *value) {
    (void)p, (void)value;
    diag_verbosity = -1;
    return true;
}

enum value {
    NO_VALUE,
    VALUE,        /* --name VALUE, --name=VALUE, -nVALUE */
    OPTIONAL,     /* --name, --name=VALUE */
    OPTIONAL_PORT /* as OPTIONAL, and --name NUMBER */
};

#define OPTIONS_ALL (OPTIONS_BUILD | OPTIONS_RUN)
#define OPTIONS_EVERY (~0u)

static const struct row {
    const char *name;
    char letter;
    unsigned sets;
    enum value value;
    const char *meta;
    taker *take;
    const char *help;
} rows[] = {
    {"--output", 'o', OPTIONS_EXPORT, VALUE, "FOLDER", take_output, "the folder"},
    {"--output", 'o', OPTIONS_BUILD, VALUE, "FILE", take_output,
     "the image (default: NAME-x86_64.elf here)"},
    {"--artifact", 0, OPTIONS_BUILD | OPTIONS_EXPORT, VALUE, "NAME", take_artifact,
     "which of the things that the project installs"},
    {"--zig", 0, OPTIONS_BUILD | OPTIONS_EXPORT, VALUE, "PATH", take_zig,
     "the Zig that builds a project"},
    {"--define", 'D', OPTIONS_BUILD | OPTIONS_EXPORT, VALUE, "OPTION[=VALUE]", take_define,
     "passed on to `zig build`"},
    {"--kernel", 0, OPTIONS_BUILD, VALUE, "zuk|unikraft", take_kernel,
     "whose kernel: zuk's, or Unikraft's by your kraft"},
    {"--strict", 0, OPTIONS_BUILD, NO_VALUE, NULL, take_strict, "an undefined symbol is an error"},
    {"--strip", 0, OPTIONS_BUILD, NO_VALUE, NULL, take_strip,
     "leave symbols and debug information out"},
    {"--reproducible", 0, OPTIONS_BUILD, NO_VALUE, NULL, take_reproducible,
     "build at a path that is the same everywhere"},
    {"--lock", 0, OPTIONS_BUILD, NO_VALUE, NULL, take_lock,
     "reproducible, and write down in zuk.lock what with"},
    {"--locked", 0, OPTIONS_BUILD, NO_VALUE, NULL, take_locked,
     "reproducible, and only with what zuk.lock says"},
    {"--env", 'e', OPTIONS_ALL, VALUE, "NAME[=VALUE]", take_env,
     "an environment variable; without a value, this host's"},
    {"--env-all", 0, OPTIONS_RUN, NO_VALUE, NULL, take_env_all,
     "the whole environment of the host"},
    {"--rootfs", 0, OPTIONS_ALL, VALUE, "DIR|TAR|CPIO", take_rootfs,
     "files for the guest: a folder or an archive"},
    {"--ca-certificates", 0, OPTIONS_ALL, OPTIONAL, "FILE", take_certificates,
     "a CA bundle for the guest (default: this host's)"},
    {"--cwd-ro", 0, OPTIONS_RUN, NO_VALUE, NULL, take_cwd_ro,
     "start in a read-only copy of this folder"},
    {"--missing", 0, OPTIONS_ALL, VALUE, "trap|enosys|CALL=POLICY", take_missing,
     "what a missing system call does (trap, enosys, ignore)"},
    {"--config", 0, OPTIONS_ALL, VALUE, "FILE", take_config,
     "a file of options (default: .config beside the input)"},
    {"--set", 0, OPTIONS_ALL, VALUE, "OPTION=VALUE", take_set,
     "one option ('zuk config show' lists them)"},
    {"--memory", 'm', OPTIONS_RUN, VALUE, "SIZE", take_memory, "memory of the machine"},
    {"--cpus", 0, OPTIONS_RUN, VALUE, "N", take_cpus, "CPUs of the machine, for threads"},
    {"--timeout", 0, OPTIONS_RUN, VALUE, "SECONDS", take_timeout,
     "end the run after that time, status 6"},
    {"--accel", 0, OPTIONS_RUN, VALUE, "auto|kvm|tcg", take_accel, "how QEMU runs the code"},
    {"--machine", 0, OPTIONS_RUN, VALUE, "microvm|q35|pc", take_machine, "QEMU's machine"},
    {"--isolate", 0, OPTIONS_RUN, NO_VALUE, NULL, take_isolate,
     "keep the app out of the kernel: it runs in user mode"},
    {"--publish", 'p', OPTIONS_RUN, VALUE, "[HOSTIP:]HOST:GUEST[/udp]", take_publish,
     "make a port of the guest a port of the host"},
    {"--net", 0, OPTIONS_RUN, VALUE, "none|user|tap=NAME,...", take_net,
     "the network (default: none; user with -p)"},
    {"--pcap", 0, OPTIONS_RUN, VALUE, "FILE", take_pcap, "write all network frames to a file"},
    {"--fail", 0, OPTIONS_RUN, VALUE, "N", take_fail,
     "refuse the N-th piece of memory that the kernel wants"},
    {"--strace", 0, OPTIONS_RUN, NO_VALUE, NULL, take_strace, "show every system call"},
    {"--trace", 0, OPTIONS_RUN, VALUE, "FILE", take_trace,
     "write every system call for a trace viewer (Perfetto, Chrome)"},
    {"--timeline", 0, OPTIONS_RUN, NO_VALUE, NULL, take_timeline, "show the phases of the boot"},
    {"--profile", 0, OPTIONS_RUN, OPTIONAL, "FILE", take_profile,
     "show where time goes, and draw it (profile.svg)"},
    {"--json", 0, OPTIONS_RUN, NO_VALUE, NULL, take_json,
     "tell how the run ended as one JSON object on stderr"},
    {"--detach", 'd', OPTIONS_RUN, NO_VALUE, NULL, take_detach,
     "run in the background: see zuk ps, logs, stop, rm"},
    {"--name", 0, OPTIONS_RUN, VALUE, "NAME", take_name, "what a machine of -d is called"},
    {"--watch", 0, OPTIONS_RUN, NO_VALUE, NULL, take_watch,
     "build and run again whenever the input changes"},
    {"--follow", 'f', OPTIONS_LOGS, NO_VALUE, NULL, take_follow, "go on until the machine ends"},
    {"--time", 't', OPTIONS_STOP, VALUE, "SECONDS", take_patience,
     "how long it may take to end (10)"},
    {"--html", 0, OPTIONS_SIZE, VALUE, "FILE", take_html, "write a page with a treemap"},
    {"--diff", 0, OPTIONS_SIZE, VALUE, "IMAGE", take_diff, "what is different from that one"},
    {"--json", 0, OPTIONS_JSON, NO_VALUE, NULL, take_json, "print JSON"},
    {"--lang", 0, OPTIONS_NEW, VALUE, "zig|c", take_lang, "the language (default: zig)"},
    {"--dry-run", 0, OPTIONS_RUN, NO_VALUE, NULL, take_dry_run,
     "print a QEMU command line that works alone"},
    {"--gdb", 0, OPTIONS_RUN, OPTIONAL_PORT, "PORT", take_gdb, "wait for gdb (port 1234)"},
    {"--color", 0, OPTIONS_EVERY, OPTIONAL, "auto|always|never", take_color, "colour of stderr"},
    {"--quiet", 'q', OPTIONS_EVERY, NO_VALUE, NULL, take_quiet,
     "say what is wrong only, not what is done"},
    {"--verbose", 'v', OPTIONS_EVERY, NO_VALUE, NULL, take_verbose,
     "say what is done and why (twice: more)"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* Commands whose words are neither inputs nor a program. */
static const struct synopsis {
    const char *command, *words;
} synopses[] = {
    {"new", "[OPTION...] NAME"},
    {"size", "[OPTION...] IMAGE"},
    {"inspect", "[OPTION...] IMAGE"},
    {"logs", "[OPTION...] NAME"},
    {"completion", "bash|zsh|fish"},
    {"verify", "[OPTION...] IMAGE [INPUT...]"},
    {"export", "[OPTION...] unikraft INPUT... -o FOLDER"},
    {"stop", "[OPTION...] NAME..."},
    {"rm", "[OPTION...] NAME..."},
};

const char *options_synopsis(const char *command, unsigned sets) {
    for (size_t i = 0; i < sizeof synopses / sizeof synopses[0]; i++) {
        if (strcmp(synopses[i].command, command) == 0) {
            return synopses[i].words;
        }
    }
    return (sets & OPTIONS_PROGRAM) != 0    ? "[OPTION...] PROGRAM [ARGUMENT...]"
           : (sets & OPTIONS_LOOK) != 0     ? "[OPTION...] [INPUT...]"
           : (sets & OPTIONS_NO_INPUT) != 0 ? "[OPTION...]"
                                            : "[OPTION...] [INPUT...] [-- ARGUMENT...]";
}

void (*options_tell)(const struct option_line *line);

enum { NAME_WIDTH = 30 }; /* of the names in a command's help */

static void help(const char *command, unsigned sets) {
    for (const struct row *r = rows; options_tell != NULL && r < rows + ROWS; r++) {
        if ((r->sets & sets) != 0) {
            options_tell(&(struct option_line){command, r->name, r->meta, r->help, r->letter,
                                               r->value == OPTIONAL || r->value == OPTIONAL_PORT});
        }
    }
    if (options_tell != NULL) {
        return;
    }
    printf("usage: zuk %s %s\n", command, options_synopsis(command, sets));
    for (const struct row *r = rows; r < rows + ROWS; r++) {
        if ((r->sets & sets) == 0) {
            continue;
        }
        char letter[5] = "    ";
        if (r->letter != 0) {
            memcpy(letter, (char[]){'-', r->letter, ',', ' '}, 4);
        }
        const char *meta = r->value == NO_VALUE ? ""
                           : r->value == VALUE  ? xasprintf(" %s", r->meta)
                                                : xasprintf("[=%s]", r->meta);
        const char *name = xasprintf("%s%s", r->name, meta);
        bool fits = strlen(name) <= NAME_WIDTH;
        printf("  %s%-*s%s %s\n", letter, NAME_WIDTH, name,
               fits ? "" : xasprintf("\n%*s", NAME_WIDTH + 6, ""), r->help);
    }
}

static const struct row *find_row(const char *name, size_t length, unsigned sets) {
    for (const struct row *r = rows; r < rows + ROWS; r++) {
        if ((r->sets & sets) != 0 && strlen(r->name) == length &&
            memcmp(r->name, name, length) == 0) {
            return r;
        }
    }
    return NULL;
}

static bool unknown_option(const char *name, unsigned sets) {
    VEC(const char *) words = {0};
    for (const struct row *r = rows; r < rows + ROWS; r++) {
        if ((r->sets & sets) != 0) {
            *vec_push(&words) = r->name;
        }
    }
    *vec_push(&words) = NULL;
    diag_error("unknown option %s", name);
    const char *nearest = name[1] == '-' ? options_nearest(name, words.data) : NULL;
    if (nearest != NULL) {
        diag_hint("did you mean %s?", nearest);
    } else {
        diag_hint("'zuk help' lists the options; the app's own arguments come after --");
    }
    return false;
}

/* Takes argv[*i], an option, and its value; moves *i to the last word used. */
static bool take_option(struct parse *p, char **argv, int *i, unsigned sets) {
    const char *word = argv[*i];
    const struct row *row = NULL;
    const char *value = NULL;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
        row = find_row(word, length, sets);
        value = equals == NULL ? NULL : equals + 1;
        p->name = xstrndup(word, length);
    } else {
        for (const struct row *r = rows; r < rows + ROWS; r++) {
            if ((r->sets & sets) != 0 && r->letter != 0 && r->letter == word[1]) {
                row = r;
            }
        }
        p->name = xstrndup(word, 2);
        if (row != NULL && row->value == NO_VALUE && word[2] != '\0') { /* -vv */
            for (const char *s = word + 2; *s != '\0'; s++) {
                if (*s != row->letter) {
                    return unknown_option(word, sets);
                }
                (void)row->take(p, NULL);
            }
        } else if (word[2] != '\0') {
            value = word + 2 + (word[2] == '=');
        }
    }
    if (row == NULL) {
        return unknown_option(p->name, sets);
    }
    if (row->value == NO_VALUE && value != NULL) {
        diag_error("option %s takes no value", p->name);
        return false;
    }
    if (row->value == VALUE && value == NULL) {
        if (argv[*i + 1] == NULL) {
            diag_error("option %s needs a value: %s", p->name, row->meta);
            return false;
        }
        value = argv[++*i];
    }
    if (row->value == OPTIONAL_PORT && value == NULL && argv[*i + 1] != NULL &&
        is_port(argv[*i + 1])) {
        value = argv[++*i];
    }
    return row->take(p, value);
}

int options_parse(int argc, char **argv, unsigned sets, struct options *o) {
    struct parse p = {.o = o};
    *o = (struct options){.machine = "microvm", .lang = "zig", .patience_ms = 10000};
    int i = 1;
    for (; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            o->args_given = true;
            i++;
            break;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            help(argv[0], sets);
            return EXIT_OK;
        }
        if (word[0] == '-' && word[1] != '\0') {
            if (!take_option(&p, argv, &i, sets)) {
                return EXIT_USAGE;
            }
            continue;
        }
        *vec_push(&p.inputs) = word;
        if ((sets & OPTIONS_PROGRAM) != 0) {
            o->args_given = true;
            i++;
            break;
        }
    }
    if ((sets & OPTIONS_PROGRAM) != 0 && p.inputs.len == 0 && i < argc) {
        *vec_push(&p.inputs) = argv[i++]; /* exec -- PROGRAM */
    }
    for (; i < argc; i++) {
        *vec_push(&p.args) = argv[i];
    }
    bool wanted = p.inputs.len == 0 && (sets & (OPTIONS_NO_INPUT | OPTIONS_LOOK)) == 0;
    bool builds = strcmp(options_synopsis(argv[0], sets), options_synopsis("run", 0)) == 0;
    if (wanted && builds && is_file("build.zig")) {
        *vec_push(&p.inputs) = "."; /* as `zig build` does */
    } else if (wanted && builds) {
        diag_error("zuk %s: no input, and no build.zig in this folder", argv[0]);
        diag_hint("name a project's folder, an archive, objects, an executable or an image");
        return EXIT_USAGE;
    } else if (wanted) {
        diag_error("zuk %s: no %s", argv[0], (sets & OPTIONS_PROGRAM) != 0 ? "program" : "name");
        diag_hint("usage: zuk %s %s", argv[0], options_synopsis(argv[0], sets));
        return EXIT_USAGE;
    }
    o->input_count = p.inputs.len;
    o->arg_count = p.args.len;
    o->env_count = p.env.len;
    o->missing_count = p.missing.len;
    o->rootfs_count = p.rootfs.len;
    o->net.forwards = p.forwards.data;
    o->net.forward_count = p.forwards.len;
    o->set_count = p.set.len;
    if (p.zig_args.len > 0) {
        *vec_push(&p.zig_args) = NULL;
    }
    *vec_push(&p.inputs) = NULL;
    *vec_push(&p.args) = NULL;
    *vec_push(&p.env) = NULL;
    *vec_push(&p.missing) = NULL;
    *vec_push(&p.rootfs) = NULL;
    *vec_push(&p.set) = NULL;
    o->inputs = p.inputs.data;
    o->args = p.args.data;
    o->env = p.env.data;
    o->missing = p.missing.data;
    o->rootfs = p.rootfs.data;
    o->set = p.set.data;
    o->zig_args = p.zig_args.data;
    return -1;
}
