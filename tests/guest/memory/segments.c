/* SPDX-License-Identifier: BSD-3-Clause
 *
 * .data, .bss, .rodata, relro as the ELF file says; the tail of .data's last
 * page is zero; writing .data does not change the program's own file.
 * modes: O0 O2
 */
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"

static char data[10000] = "start";
static char end_of_data[3] = {1, 2, 3};
static char bss[20000];
static const char constant[] = "constant";
static int *volatile pointer = (int *)(uintptr_t)&bss[100];

int main(void) {
    CHECK(strcmp(data, "start") == 0);
    for (unsigned i = 6; i < sizeof data; i++) {
        CHECK_EQ(data[i], 0);
    }
    CHECK_EQ(end_of_data[2], 3);
    for (unsigned i = 0; i < sizeof bss; i++) {
        CHECK_EQ(bss[i], 0);
    }
    CHECK(pointer == (void *)(bss + 100));
    data[0] = 'S'; /* the file still says start */
    bss[19999] = 1;
    CHECK_EQ(constant[0], 'c');
    int fd = open("/proc/self/exe", O_RDONLY);
    static char file[8192];
    long n;
    int found = 0;
    while ((n = read(fd, file, sizeof file)) > 5) {
        for (long i = 0; i + 5 <= n; i++) {
            found += file[i] == 'S' && memcmp(file + i + 1, "tart", 5) == 0;
        }
    }
    CHECK_EQ(found, 0);
    return check_done();
}
