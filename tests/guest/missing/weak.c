/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A weak reference that nobody defines stays null, without a warning.
 * input: archive
 * expect-stdout: null null
 * expect-stderr-lacks: optional_
 */
#include <stdio.h>

__attribute__((weak)) void optional_hook(void);
__attribute__((weak)) extern int optional_data;

int main(void) {
    int *volatile p = &optional_data;
    void (*volatile f)(void) = optional_hook;
    printf("%s %s\n", f == NULL ? "null" : "there", p == NULL ? "null" : "there");
    return 0;
}
