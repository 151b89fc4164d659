/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk exec PROGRAM [ARGUMENT...]: as if PROGRAM ran here, but on its own kernel.
 */
#include "zuk/cmd.h"
#include "zuk/cmd_run.h"

int cmd_exec(int argc, char **argv) {
    struct options o;
    int status = options_parse(argc, argv, OPTIONS_BUILD | OPTIONS_RUN | OPTIONS_PROGRAM, &o);
    return status >= 0 ? status : run_inputs(&o, o.inputs[0]);
}
