#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# --isolate: what goes astray into the kernel is told with its place; the word
# is on the stand-alone command line; calls are traced; the CPU is at CPL 3 with
# SMEP and SMAP on; a KVM that interprets kernel mode runs it.
# timeout: 300
set -eu
. tests/tool/expect.sh
c stray <<'C'
#include <stdio.h>
#include <string.h>
static volatile char *const kernel = (char *)0xffffffff80101000;
static void halt(void) {
    __asm__ volatile("hlt"); /* line 5 */
}
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    puts("begins");
    fflush(stdout);
    if (!strcmp(what, "hlt"))
        halt();
    if (!strcmp(what, "read"))
        return *kernel; /* line 14 */
    if (!strcmp(what, "write"))
        *kernel = 1; /* line 16 */
    if (!strcmp(what, "jump"))
        ((void (*)(void))kernel)(); /* line 18 */
    if (!strcmp(what, "vsyscall"))
        ((void (*)(void))0xffffffffff600000)(); /* line 20 */
    puts("ends");
    return 7;
}
C
cd "$TMP"
run "$ZUK" build stray.o -o stray.elf
status 0
astray() {
    run "$ZUK" run --accel tcg --isolate stray.elf -- "$1"
    status 139
    prints begins
    says "segmentation fault"
    says "$2"
    says "stray.c:$3"
    lacks "kernel/" # a place in it would be no help
}
astray hlt "an instruction that an app may" 5
astray read "read of address 0xffffffff80101000 (the kernel's)" 14
astray write "write to address 0xffffffff80101000 (the kernel's)" 16
astray jump "execution of address 0xffffffff80101000 (the kernel's), called from main" 18
astray vsyscall "execution of address 0xffffffffff600000 (the kernel's), called from main" 20

# the same image, without it
run "$ZUK" run --accel tcg stray.elf -- none
status 7
prints ends

run "$ZUK" run --accel tcg --isolate --strace stray.elf -- none
status 7
says "writev(1, "
says "= 7 <"
says "exit_group(7) = ?"

run "$ZUK" run --accel tcg --isolate --dry-run stray.elf -- hlt
status 0
check grep -qw isolate out
run sh -c "$(cat out)"
prints begins
check grep -q "fault.*signal 11" out # COM1 has the report too

# CPUs without SMEP, SMAP, XSAVE
for model in qemu64 max,-smap max,-xsave; do
    run "$ZUK" run --accel tcg --isolate --dry-run stray.elf -- read
    sed "s/-cpu max/-cpu $model/" "$TMP/out" >model.cmd
    check grep -q -e "-cpu $model" model.cmd
    run sh model.cmd
    prints begins
    check grep -q "fault.*signal 11, address ffffffff80101000" out
done

# what the CPU says of itself
if command -v gdb >/dev/null; then
    port=$((20000 + $$ % 20000))
    timeout 60 "$ZUK" run --accel tcg --isolate --gdb=$port stray.elf -- none >gdb.out 2>gdb.err </dev/null &
    zuk=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        grep -q 'gdb ' gdb.err && break
        sleep 0.5
    done
    line=$(sed -n 's/^.*\(gdb .*\)$/\1/p' gdb.err | head -n 1)
    command="$line"
    cat >gdb.script <<'G'
set pagination off
set confirm off
hbreak main
continue
printf "cs %x ss %x smep %d smap %d fsgsbase %d\n", $cs, $ss, ($cr4 >> 20) & 1, ($cr4 >> 21) & 1, ($cr4 >> 16) & 1
delete
hbreak syscall_entry_isolated
continue
printf "entry cs %x ac %d\n", $cs, ($eflags >> 18) & 1
delete
continue
G
    run sh -c "timeout 50 $line -batch -x gdb.script"
    prints "cs 33 ss 2b smep 1 smap 1 fsgsbase 0"
    prints "entry cs 8 ac 0"
    wait $zuk || true
    check grep -q ends gdb.out
fi

# kernel mode is interpreted there, and user mode is not
run "$ZUK" run --accel kvm stray.elf -- none
if grep -q "user mode needs no interpreter" err; then
    run "$ZUK" run --timeout 60 --accel kvm --isolate stray.elf -- none
    status 7
    prints ends
    lacks warning
    run "$ZUK" run --timeout 60 --accel kvm --isolate stray.elf -- hlt
    status 139
    says "stray.c:5"
fi
done_or_fail
