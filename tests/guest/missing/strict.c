/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --strict: every undefined symbol is a build error, all of them listed.
 * input: archive
 * native: skip it does not link
 * zuk: --strict
 * expect-status: 1
 * expect-stderr-contains: first_missing
 * expect-stderr-contains: second_missing
 */
void first_missing(void);
extern int second_missing;

int main(void) {
    first_missing();
    return second_missing;
}
