/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The auxiliary vector: what C libraries and Zig read from it is real.
 */
#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

extern const Elf64_Ehdr __ehdr_start;

int main(void) {
    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK_EQ(getauxval(AT_PHNUM), __ehdr_start.e_phnum);
    CHECK_EQ(getauxval(AT_PHDR), (uintptr_t)&__ehdr_start + __ehdr_start.e_phoff);
    CHECK_EQ(getauxval(AT_ENTRY), __ehdr_start.e_entry);
    CHECK_EQ(getauxval(AT_BASE), 0);
    CHECK_EQ(getauxval(AT_FLAGS), 0);
    CHECK_EQ(getauxval(AT_CLKTCK), 100);
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_EUID), geteuid());
    CHECK_EQ(getauxval(AT_GID), getgid());
    CHECK_EQ(getauxval(AT_EGID), getegid());
    unsigned a, b, c, d;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
    CHECK_EQ(getauxval(AT_HWCAP), d);
    const char *execfn = (const char *)getauxval(AT_EXECFN);
    CHECK(execfn != NULL); /* Zig finds its debug information by this name */
    struct stat named, self;
    CHECK_EQ(stat(execfn, &named), 0);
    CHECK_EQ(stat("/proc/self/exe", &self), 0);
    CHECK(named.st_size == self.st_size && named.st_ino == self.st_ino);
    const char *platform = (const char *)getauxval(AT_PLATFORM);
    CHECK(platform != NULL && strcmp(platform, "x86_64") == 0);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    CHECK(random != NULL);
    unsigned zeros = 0;
    for (int i = 0; i < 16; i++) {
        zeros += random[i] == 0;
    }
    CHECK(zeros < 8);
    return check_done();
}
