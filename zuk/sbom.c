/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packages: the app, zuk's kernel, and what was linked from elsewhere: musl and
 * compiler_rt when zuk linked the app, lwIP when the kernel has the network.
 */
#include "zuk/sbom.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "zuk/cmd.h"
#include "zuk/program.h"
#include "zuk/util.h"

static char *package(char *text, const char *name, const char *id, const char *version,
                     const char *license) {
    return xasprintf("%s\nPackageName: %s\nSPDXID: SPDXRef-%s\n%s%s%s"
                     "PackageDownloadLocation: NOASSERTION\nFilesAnalyzed: false\n"
                     "PackageLicenseDeclared: %s\n",
                     text, name, id,
                     version == NULL ? "" : "PackageVersion: ", version == NULL ? "" : version,
                     version == NULL ? "" : "\n", license);
}

/* The text behind a word at the start of a line, up to `end`; NULL when the file
 * or the line is not there. */
static char *text_behind(const char *path, const char *word, char end) {
    struct file_map map;
    if (path == NULL || !is_file(path) || !file_map(path, &map)) {
        return NULL;
    }
    char *rest = xstrndup((const char *)map.data, map.size);
    file_unmap(&map);
    size_t n = strlen(word);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *last = strncmp(line, word, n) == 0 ? strchr(line + n, end) : NULL;
        if (last != NULL && last > line + n) {
            *last = '\0';
            return line + n;
        }
    }
    return NULL;
}

/* Versions, NULL when not known: lwIP's and the pinned Zig's as set-up found them
 * (lib/zuk/sources), musl's as it stands beside the Zig that links. */
static const char *lwip_version(void) {
    const char *lib = lib_dir();
    return lib == NULL ? NULL : text_behind(path_join(lib, "sources"), "lwip ", ';');
}

static const char *zig_version(void) {
    const char *zig = getenv("ZUK_ZIG"), *lib = lib_dir();
    if (zig == NULL || *zig == '\0') {
        return lib == NULL ? NULL : text_behind(path_join(lib, "sources"), "zig ", ';');
    }
    char *out = NULL, *err = NULL;
    const char *argv[] = {pinned_zig(), "version", NULL};
    const struct run run = {.argv = argv, .out = &out, .err = &err, .timeout_ms = 10000};
    if (argv[0] == NULL || run_program(&run) != 0 || out == NULL) {
        return NULL;
    }
    out[strcspn(out, "\n")] = '\0';
    return out;
}

static const char *musl_version(void) {
    const char *zig = pinned_zig();
    char *real = zig == NULL ? NULL : realpath(zig, NULL);
    const char *slash = real == NULL ? NULL : strrchr(real, '/');
    const char *path = slash == NULL ? NULL
                                     : xasprintf("%.*s/lib/libc/musl/src/internal/version.h",
                                                 (int)(slash - real), real);
    free(real);
    return text_behind(path, "#define VERSION \"", '"');
}

/* A name of one line. */
static char *one_line(const char *name) {
    char *line = xstrdup(name);
    for (char *s = line; *s != '\0'; s++) {
        *s = (unsigned char)*s < ' ' ? '?' : *s;
    }
    return line;
}

static bool has(const char *options, const char *word) {
    size_t n = strlen(word);
    for (const char *at = options; (at = strstr(at, word)) != NULL; at += n) {
        if ((at == options || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

char *sbom_text(const struct app *app, const struct features *features) {
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t when = epoch == NULL ? 0 : (time_t)strtoll(epoch, NULL, 10);
    struct tm tm;
    char created[32] = "1970-01-01T00:00:00Z";
    if (gmtime_r(&when, &tm) != NULL) {
        strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    const char *name = one_line(app->name);
    char *text = xasprintf("SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n"
                           "SPDXID: SPDXRef-DOCUMENT\nDocumentName: %s\n"
                           "DocumentNamespace: urn:zuk:%016llx\nCreator: Tool: zuk-" ZUK_VERSION
                           "\nCreated: %s\n",
                           name,
                           (unsigned long long)hash64(hash64(1, name, strlen(name)),
                                                      features->names, strlen(features->names)),
                           created);
    text = package(text, name, "app", NULL, "NOASSERTION");
    text = package(text, "zuk-kernel", "kernel", ZUK_VERSION, "BSD-3-Clause");
    if (app->linked) {
        text = package(text, "musl", "musl", musl_version(), "MIT");
        text = package(text, "compiler_rt", "compiler-rt", zig_version(), "MIT");
    }
    return has(features->names, "INET")
               ? package(text, "lwIP", "lwip", lwip_version(), "BSD-3-Clause")
               : text;
}
