#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk export unikraft: golden files; the C is clean; library, compiler_rt and
# undefined.c leave nothing undefined in a freestanding program, whose call of
# a stub names the function, and whose own definitions win.
# needs: gcc clang
# timeout: 300
set -eu
. tests/tool/expect.sh
cd "$TMP"
golden() { # FILE: as it shall be, on stdin
    diff -u - "$1" >difference 2>&1 || { cat difference && fail "$1 is not as it shall be"; }
}

c lib <<'C'
extern long write(int fd, const void *data, unsigned long size);
extern int open_database(const char *path);
extern char **environ;
extern void *memcpy(void *to, const void *from, unsigned long size);
extern int puts(const char *s);
extern int isatty(int fd);
extern int *__errno_location(void);
char copy[16];
int main(int argc, char **argv) {
    (void)argv;
    memcpy(copy, "hello\n", 6);
    write(1, copy, 6);
    write(2, "red\n", 4);
    if (environ) return 4;
    if (argc == 7) puts("libc");
    if (isatty(2) || *__errno_location() != 25) return 5;
    __int128 big = argc;
    big = big * big / (argc + 2);
    return open_database("x") + (int)big;
}
C
"$ZIG" ar rcs libdb.a lib.o
run "$ZUK" export unikraft libdb.a -o "my-App é"
status 0
cd "my-App é"
check cmp libmyapp.a ../libdb.a
check [ -s libcompiler_rt.a ]
check [ "$(ls | tr '\n' ' ')" = "Config.uk Kraftfile Makefile.uk defconfig libcompiler_rt.a libmyapp.a undefined.c " ]
golden Makefile.uk <<'G'
# Made by zuk export.
$(eval $(call addlib,appmyapp))
APPMYAPP_SRCS-y += $(APPMYAPP_BASE)/undefined.c
UK_ALIBS-y += $(APPMYAPP_BASE)/libmyapp.a
UK_ALIBS-y += $(APPMYAPP_BASE)/libcompiler_rt.a
G
golden Config.uk <<'G'
# What the app's calls need.  Made by zuk export.
config APPMYAPP_NEEDS
	bool
	default y
	select LIBUKBOOT_DISABLE_WEAK_MAIN
	select LIBMUSL
G
golden Kraftfile <<'G'
# Made by zuk export.  The library is for x86_64: for arm64 export one that is built for it.
spec: v0.6
name: myapp
unikraft:
  version: 0.17.0
  kconfig:
    CONFIG_LIBUKDEBUG_PRINTK: 'y'
    # Its boot ends on a CPU without RDSEED, such as that of QEMU 7 without KVM;
    # 'y' when the app needs getrandom.
    CONFIG_LIBUKRANDOM: 'n'
libraries:
  musl:
    version: 0.17.0
targets:
  - qemu/x86_64
  - qemu/arm64
G
golden defconfig <<'G'
CONFIG_UK_NAME="myapp"
CONFIG_ARCH_X86_64=y
CONFIG_PLAT_KVM=y
CONFIG_KVM_VMM_QEMU=y
CONFIG_LIBUKDEBUG_PRINTK=y
CONFIG_OPTIMIZE_DEADELIM=y
# CONFIG_LIBUKRANDOM is not set
CONFIG_LIBMUSL=y
G
grep '^ZUK_[FD]' undefined.c | sed 's/[0-9]*, //' >names
golden names <<'G'
ZUK_DATA("environ")
ZUK_FUNCTION("open_database")
ZUK_FUNCTION("puts")
G
check [ "$(grep -c '#include' undefined.c)" = 0 ]
for cc in gcc clang; do
    run $cc -std=gnu11 -Wall -Wextra -Werror -O2 -c undefined.c -o "../$cc.o"
    status 0
    check [ ! -s ../err ]
    run $cc -std=gnu11 -Wall -Wextra -Werror -O2 -ffreestanding -fno-builtin -c undefined.c -o "../$cc.o"
    status 0
done
cd ..

# a stand-in for Unikraft: it enters, has a console and ends, no more; its reference
# to main is a weak one, as Unikraft's
cat >kernel.c <<'C'
static long call(long n, long a, const void *b, unsigned long c) {
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}
long uk_console_out(const char *text, unsigned long size) { return call(1, 1, text, size); }
extern int main(int argc, char **argv) __attribute__((weak));
__attribute__((force_align_arg_pointer)) void _start(void) {
    call(231, main(1, 0), 0, 0);
    __builtin_unreachable();
}
C
for cc in gcc clang; do
    gcc -O1 -ffreestanding -fno-stack-protector -c kernel.c -o kernel.o
    run ld -static -o bare kernel.o $cc.o "my-App é/libmyapp.a" "my-App é/libcompiler_rt.a" --no-undefined
    status 0
    check [ -z "$(nm -u bare | grep -v ukplat_coutk)" ]
    run ./bare
    check [ "$status" = 132 ]
    check [ "$(cat out)" = "$(printf 'hello\n\033[31mred\n\033[0m\033[31mundefined function \033[0m\033[31mopen_database\033[0m\033[31m was called\n\033[0m')" ]
done

# what the configuration provides wins
echo 'int open_database(const char *p) { return p[0] == 120 ? 33 : 1; }' >db.c
gcc -O1 -ffreestanding -c db.c -o db.o
run ld -static -o bare kernel.o db.o gcc.o "my-App é/libmyapp.a" "my-App é/libcompiler_rt.a"
status 0
run ./bare
status 33

# objects; a project whose std makes system calls itself; again into the same folder
run "$ZUK" export unikraft lib.o -o objects
status 0
check [ "$("$ZIG" ar t objects/libobjects-objects.a)" = lib.o ]
run "$ZUK" export unikraft --zig "$ZIG" "$TOP/examples/hello-zig" -o hello
status 0
check grep -q 'select LIBSYSCALL_SHIM_HANDLER' hello/Config.uk
check grep -q 'select LIBPOSIX_PROCESS' hello/Config.uk
check [ "$(grep -c LIBPOSIX_TTY hello/Config.uk)" = 0 ] # libc's write is undefined.c's
for cc in gcc clang; do
    run $cc -std=gnu11 -Wall -Wextra -Werror -c hello/undefined.c -o hello.o
    status 0
    run ld -static -o bare kernel.o hello.o hello/libhello.a hello/libcompiler_rt.a
    status 0
    check [ -z "$(nm -u bare | grep -v ukplat_coutk)" ]
done
run "$ZUK" export unikraft lib.o -o objects
status 0

# what writes by a raw call needs Unikraft's own output
cat >raw.c <<'C'
int main(void) {
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(1L), "D"(2L), "S"("raw\n"), "d"(4L) : "rcx", "r11", "memory");
    return (int)r;
}
C
gcc -O1 -c raw.c -o raw.o
run "$ZUK" export unikraft raw.o -o raw
status 0
golden raw/Config.uk <<'G'
# What the app's calls need.  Made by zuk export.
config APPRAW_NEEDS
	bool
	default y
	select LIBUKBOOT_DISABLE_WEAK_MAIN
	select LIBSYSCALL_SHIM
	select LIBSYSCALL_SHIM_HANDLER
	select LIBPOSIX_PROCESS
	select LIBPOSIX_TTY
G
check grep -qx "    CONFIG_LIBPOSIX_TTY: 'y'" raw/Kraftfile
check grep -qx "CONFIG_LIBPOSIX_TTY=y" raw/defconfig

# refusals
run "$ZUK" export unikraft bare -o x
status 1
says "is an executable"
run "$ZUK" export unikraft db.o -o x
status 1
says "no main"
check [ ! -e x ]
mkdir taken
run "$ZUK" export unikraft lib.o -o taken
status 1
says "is there already"
run "$ZUK" export docker lib.o -o x
status 2
run "$ZUK" export unikraft lib.o
status 2
run "$ZUK" export unikraft
status 2
echo '_Thread_local extern int t; int main(void) { return t; }' | c tls
run "$ZUK" export unikraft tls.o -o x
status 1
says "undefined TLS symbol 't'"
done_or_fail
