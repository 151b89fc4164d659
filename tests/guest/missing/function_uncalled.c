/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A missing function that is never called costs a warning and nothing else.
 * input: object
 * native: skip it does not link
 * expect-status: 0
 * expect-stdout: not called
 * expect-stderr-contains: rarely_needed
 */
#include <stdio.h>

int rarely_needed(void);

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        return rarely_needed();
    }
    puts("not called");
    return 0;
}
