/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An undefined thread-local symbol cannot be trapped: a build error.
 * input: archive
 * native: skip it does not link
 * expect-status: 1
 * expect-stderr-contains: connection_state
 * expect-stderr-contains: tls.c
 * expect-stderr-contains: error
 */
extern _Thread_local int connection_state;

int main(void) {
    return connection_state;
}
