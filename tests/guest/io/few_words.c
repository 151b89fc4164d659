/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The first words go another way to the host than the rest: 1,024 bytes with
 * their headers of 8.  Writes that end just before, at and behind that, from
 * pieces, and with a page that is missing; then as many again.
 *
 * machines: microvm q35 pc
 * args: 1 2 3 4 5 6
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static char text[70000];
static char *edge; /* two pages, the second of which cannot be read */

static void put(size_t size) {
    CHECK_EQ(write(1, text, size), (ssize_t)size);
}

static void bad(void) {
    struct iovec v[] = {{text, 3}, {text + 9, 2}};
    CHECK_ERRNO(write(1, edge + 4096, 10), EFAULT);
    CHECK_EQ(writev(1, v, 2), 5);
}

int main(int argc, char **argv) {
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 61 == 60 ? '\n' : 'a' + i % 26);
    edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(edge != MAP_FAILED);
    memset(edge, 'E', 4096);
    CHECK_EQ(mprotect(edge + 4096, 4096, PROT_NONE), 0);
    bad();
    for (int i = 0; i < argc; i++)
        put(strlen(argv[i]) % 2 + 1);
    bad();
    for (size_t size = 800; size < 1030; size += 31)
        put(size);
    bad();
    put(1);
    put(sizeof text);
    put(1);
    bad();
    return check_done();
}
