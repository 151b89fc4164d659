/* SPDX-License-Identifier: BSD-3-Clause
 *
 * More memory touched than there is: status 137 and who holds what.
 * native: skip the host would give it
 * machines: microvm q35
 * zuk: -m 64M
 * expect-status: 137
 * expect-stdout: before
 * expect-stderr-contains: out of memory
 */
#include <stdio.h>
#include <sys/mman.h>

int main(void) {
    puts("before");
    fflush(stdout);
    char *p = mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        return 1;
    }
    for (unsigned long i = 0; i < 1UL << 30; i += 4096) {
        p[i] = 1;
    }
    puts("after");
    return 0;
}
