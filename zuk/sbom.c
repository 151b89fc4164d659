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
        text = package(text, "musl", "musl", "1.2.5", "MIT");
        text = package(text, "compiler_rt", "compiler-rt", NULL, "MIT");
    }
    return has(features->names, "INET") ? package(text, "lwIP", "lwip", "2.1.3", "BSD-3-Clause")
                                        : text;
}
