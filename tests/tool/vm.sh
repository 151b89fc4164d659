#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Around the machine: QEMU absent, too old, dying, too little memory; a full
# disk; the stand-alone command line; --timeout; the exit statuses.
# timeout: 600
set -eu
. tests/tool/expect.sh
c hello <<'C'
#include <stdio.h>
int main(void) { puts("hello out"); fflush(stdout); fputs("hello err\n", stderr); return 7; }
C
c big <<'C'
#include <stdio.h>
char data[20 << 20] = {1};
int main(int argc, char **argv) { (void)argv; printf("%d\n", data[argc]); return 0; }
C
cd "$TMP"
run "$ZUK" build hello.o -o hello.elf
status 0
run "$ZUK" run hello.elf
status 7
prints "hello out"
says "hello err"
lacks "zuk:"

# QEMU
mkdir -p bin
for tool in sh cat rm ls mkdir; do ln -sf "$(command -v $tool)" bin/; done
run env PATH="$TMP/bin" "$ZUK" run hello.elf
status 5
says qemu-system-x86_64
says "6.2"
cat >bin/qemu-system-x86_64 <<'Q'
#!/bin/sh
case "$*" in *-version*) echo "QEMU emulator version 4.2.1 (Debian 1:4.2-3ubuntu6)"; exit 0 ;; esac
echo "qemu-system-x86_64: Property 'microvm-machine.acpi' not found" >&2
exit 1
Q
chmod +x bin/qemu-system-x86_64
run env PATH="$TMP/bin" "$ZUK" run hello.elf
status 5
says 4.2
says 6.2
cat >bin/qemu-system-x86_64 <<'Q'
#!/bin/sh
case "$*" in *-version*) echo "QEMU emulator version 7.2.0"; exit 0 ;; esac
echo "qemu-system-x86_64: cannot set up guest memory: Cannot allocate memory" >&2
exit 1
Q
run env PATH="$TMP/bin" "$ZUK" run hello.elf
status 5
says "cannot set up guest memory"
cat >bin/qemu-system-x86_64 <<'Q'
#!/bin/sh
case "$*" in *-version*) echo "QEMU emulator version 7.2.0"; exit 0 ;; esac
exit 0
Q
run env PATH="$TMP/bin" "$ZUK" run hello.elf
check [ "$status" = 4 -o "$status" = 5 ]
says "zuk: error"

# too little memory is known before the start, with the amount needed
run "$ZUK" build big.o -o big.elf
status 0
run "$ZUK" run -m 8M big.elf
status 5
says "-m"
run "$ZUK" run big.elf
status 0
prints 0

# --timeout
c spin <<'C'
int main(void) { for (;;) { __asm__ volatile(""); } }
C
start=$(date +%s)
run "$ZUK" run --timeout 2 spin.o
status 6
check [ $(($(date +%s) - start)) -lt 60 ]
says "2 s"

# --dry-run: pasted into a shell it boots, both streams on the serial line
for machine in microvm q35 pc; do
    run "$ZUK" run --machine $machine --dry-run hello.elf
    status 0
    check [ "$(wc -l <out)" = 1 ]
    cp out line.sh
    run timeout 60 sh line.sh
    prints "hello out"
    prints "hello err"
done

# the same image by hand
run timeout 60 qemu-system-x86_64 -M microvm -nodefaults -display none -no-reboot -m 64M -kernel hello.elf -serial stdio
prints "hello out"

# there, too, bytes before a page that is gone go out, and once
c torn <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
int main(void) {
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memset(page, '.', 4096);
    memcpy(page + 4060, "<the last words>", 16);
    struct iovec v[] = {{"first ", 6}, {page + 4060, 100}, {"never", 5}};
    long n = writev(1, v, 3), none = writev(1, &(struct iovec){page + 4096, 1}, 1);
    printf("\n%ld %ld\n", n, none);
    return 0;
}
C
run "$ZUK" build torn.o -o torn.elf
status 0
run timeout 60 qemu-system-x86_64 -M microvm -nodefaults -display none -no-reboot -m 64M -kernel torn.elf -serial stdio
prints "first <the last words>...................."
prints "42 -1"
check [ "$(grep -c never out)" = 0 ]
check [ "$(grep -o "the last words" out | wc -l)" = 1 ]
run "$ZUK" run torn.elf
status 0
prints "first <the last words>...................."
prints "42 -1"
check [ "$(grep -o "the last words" out | wc -l)" = 1 ]

# a full disk: no image, no rest of one
if [ "$(id -u)" = 0 ] && mkdir full && mount -t tmpfs -o size=200k none full 2>/dev/null; then
    run "$ZUK" build big.o -o full/image.elf
    left=$(ls -A full | grep -v '\.zuk$' || true)
    umount full
    status 1
    says "No space left"
    check [ -z "$left" ]
fi
run "$ZUK" build hello.o -o hello.c/image.elf
status 1
says "hello.c"
mkdir sub
run "$ZUK" build hello.o -o sub
status 1

# a truncated or altered image
head -c 30000 hello.elf >cut.elf
run "$ZUK" run cut.elf
status 1
says cut.elf

# a build with nothing to do writes nothing
cp hello.elf before.elf
touch -d '2001-01-01' hello.elf
run "$ZUK" build hello.o -o hello.elf
status 0
check cmp -s hello.elf before.elf

# the same inputs, the same image, wherever it lies
run "$ZUK" build hello.o -o elsewhere.elf
status 0
check cmp -s hello.elf elsewhere.elf

# the report as JSON tells numbers apart
run "$ZUK" run --json hello.elf
status 7
check python3 -c 'import json, sys
text = open("err").read()
d = json.loads(text[text.index("{"):])
assert d["status"] == 7, d'
# stdout that nobody reads any more ends the run
c yes <<'C'
#include <stdio.h>
int main(void) { for (;;) { puts("y"); } }
C
run sh -c "'$ZUK' run --timeout 60 yes.o | head -n 2"
check [ "$(head -n 1 out)" = y ]
check [ "$(wc -l <out)" = 2 ]
done_or_fail
