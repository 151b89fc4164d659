/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk export unikraft INPUT... -o FOLDER
 */
#include <string.h>

#include "zuk/cmd.h"
#include "zuk/diag.h"
#include "zuk/export.h"
#include "zuk/settings.h"

int cmd_export(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_EXPORT, &o);
    if (status >= 0) {
        return status;
    }
    if (strcmp(o.inputs[0], "unikraft") != 0) {
        diag_error("zuk exports to unikraft, not to '%s'", o.inputs[0]);
        diag_hint("zuk export unikraft INPUT... -o FOLDER");
        return EXIT_USAGE;
    }
    if (o.input_count < 2 || o.output == NULL) {
        diag_error(o.input_count < 2 ? "zuk export: no input" : "zuk export: no folder");
        diag_hint("zuk export unikraft INPUT... -o FOLDER");
        return EXIT_USAGE;
    }
    o.inputs++;
    o.input_count--;
    const char *work = settings_work(&o);
    struct app_request request = settings_app(&o, work);
    return work != NULL && export_unikraft(&request, o.output) ? EXIT_OK : EXIT_USER;
}
