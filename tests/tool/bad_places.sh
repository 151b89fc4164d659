#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Places that are not as one would wish: folders that may only be read, disks that
# are full, no HOME, odd XDG variables, paths with spaces and letters of other
# alphabets, two file systems.  Each command works, or says what is wrong and
# leaves nothing behind that looks like a result.  The file systems are mounted in
# a mount namespace of the test's own.
# needs: unshare mount script
# timeout: 400
set -eu
if [ -z "${INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] && user= || user=-r
    unshare $user -m true 2>/dev/null || { echo "mount namespaces are not permitted here" && exit 77; }
    INSIDE=1 exec unshare $user -m "$0"
fi
. tests/tool/expect.sh
kept="$HOME/.cache/zuk/canonical"
mkdir -p "$kept" "$TMP/cache/zuk"
ln -s "$kept" "$TMP/cache/zuk/canonical"
cd "$TMP"
c app <<'C'
#include <stdio.h>
int main(int argc, char **argv) { printf("%s %d\n", argv[argc > 1], argc); return 0; }
C
run "$ZUK" build app.o -o app.elf
status 0
"$ZUK" new project >/dev/null 2>&1
cat >project/src/main.zig <<'Z'
extern "c" fn puts(text: [*:0]const u8) c_int;
export fn main() c_int {
    _ = puts("a project");
    return 0;
}
Z

run "$ZUK" build --reproducible app.o -o same.elf
status 0
mkdir bin # a menu in which one option is switched on
cat >bin/kconfig-mconf <<'S'
#!/bin/sh
sed -i 's/.*CONFIG_POLL[ =].*/CONFIG_POLL=y/' "$KCONFIG_CONFIG"
S
chmod +x bin/kconfig-mconf
menu() { run env NO_COLOR=1 PATH="$TMP/bin:$PATH" script -qec "'$ZUK' menu $1" /dev/null; }

ls_is() { # NAMES: what is in this folder now
    command="ls $(pwd)"
    [ "$(ls -A | tr '\n' ' ')" = "$1" ] || fail "in $(pwd): $(ls -A | tr '\n' ' '), not $1"
}

# --- only to be read: what writes there says so, the rest works ---------------
mkdir ro
mount -t tmpfs -o size=4m none ro
cp app.o ro/
cp -r project ro/
mount -o remount,ro ro
cd ro
EROFS="Read-only file system"
run "$ZUK" build app.o
status 1
says "zuk: error: cannot make the folder 'app-x86_64.elf.zuk': $EROFS"
run "$ZUK" size --html page.html "$TMP/app.elf"
status 1
says "zuk: error: cannot write 'page.html': $EROFS"
run "$ZUK" config set POLL=y app.o
status 1
says "zuk: error: cannot write '.config': $EROFS"
run "$ZUK" export unikraft app.o -o out
status 1
says "zuk: error: cannot make the folder 'out': $EROFS"
run "$ZUK" new other
status 1
says "zuk: error: cannot make the folder 'other': $EROFS"
run "$ZUK" build --lock app.o -o "$TMP/locked.elf"
status 1
says "zuk.lock': $EROFS"
run "$ZUK" run --trace calls.json "$TMP/app.elf"
status 1
says "zuk: error: cannot write 'calls.json': $EROFS"
run "$ZUK" run app.o -- works
status 0
prints "works 2"
run "$ZUK" check app.o
status 0
run "$ZUK" config why IO app.o
status 0
run "$ZUK" config diff --set POLL=y app.o
status 0
prints "CONFIG_POLL: n -> y"
menu app.o
status 1
prints "zuk: error: cannot write '.config': $EROFS"
check [ "$(grep -c keeps "$TMP/out")" = 0 ]
run "$ZUK" verify "$TMP/same.elf" app.o
status 0
prints "the same, bit for bit"
run "$ZUK" build app.o -o "$TMP/from-ro.elf"
status 0
# a project: Zig's cache goes elsewhere
run "$ZUK" run --zig "$ZIG" project
status 0
prints "a project"
ls_is "app.o project "
cd ..

# --- full: the disk of the output, of the cache, of the state, of stdout ------
mkdir full
mount -t tmpfs -o size=64k none full
cp app.o full/
dd if=/dev/zero of=full/fill bs=4k 2>/dev/null || :
cd full
ENOSPC="No space left on device"
run "$ZUK" build app.o
status 1
says "$ENOSPC"
run "$ZUK" build app.o -o app.elf
status 1
says "$ENOSPC"
run "$ZUK" size --html page.html "$TMP/app.elf"
status 1
says "zuk: error: cannot write 'page.html': $ENOSPC"
run "$ZUK" config set POLL=y app.o
status 1
says "zuk: error: cannot write '.config': $ENOSPC"
menu app.o
status 1
prints "zuk: error: cannot write '.config': $ENOSPC"
run "$ZUK" export unikraft app.o -o out
status 1
says "$ENOSPC"
run "$ZUK" new other
status 1
says "$ENOSPC"
run "$ZUK" build --lock app.o -o "$TMP/locked.elf"
status 1
says "zuk: error: cannot write './zuk.lock': $ENOSPC"
run "$ZUK" run --trace calls.json "$TMP/app.elf"
status 1
says "zuk: error: cannot write 'calls.json': $ENOSPC"
rm -rf app-x86_64.elf.zuk app.elf.zuk # what passes decided, never a result
ls_is "app.o fill "
# an image that is there already stays as it was
rm fill
run "$ZUK" size --html page.html "$TMP/app.elf"
rm -f page.html
printf 'precious' >app.elf
dd if=/dev/zero of=fill bs=4k 2>/dev/null || :
run "$ZUK" build app.o -o app.elf
status 1
check [ "$(cat app.elf)" = precious ]
cd ..
run env XDG_CACHE_HOME="$TMP/full" "$ZUK" build app.o -o c.elf
status 1
says "$ENOSPC"
check [ ! -e c.elf ]
for words in "run app.o" "check app.o" "config diff app.o" "verify same.elf app.o" "menu app.o"; do
    run env PATH="$TMP/bin:$PATH" XDG_CACHE_HOME="$TMP/full" script -qec "'$ZUK' $words" /dev/null
    status 1
    prints "$ENOSPC"
    check [ ! -e .config ]
done
run env XDG_STATE_HOME="$TMP/full" "$ZUK" run -d app.elf
status 1
says "$ENOSPC"
run env XDG_STATE_HOME="$TMP/full" "$ZUK" ps
status 0
check [ "$(wc -l <out)" = 1 ]
umount full

for words in "check app.o" "size app.elf" "inspect app.elf" "config show app.o" "ps" "help" "help run" "--version" \
    "completion bash" "run --dry-run app.elf" "size --json app.elf" "check --json app.o" "doctor"; do
    run sh -c "XDG_STATE_HOME='$TMP/state' '$ZUK' $words >/dev/full"
    status 1
    says "zuk: error: cannot write the answer"
done
run sh -c "'$ZUK' run app.elf >/dev/full"
status 1
says "zuk: error: cannot write the app's output: $ENOSPC"
run "$ZUK" run --trace /dev/full app.elf
status 1
says "zuk: error: cannot write '/dev/full': $ENOSPC"

# --- a limit on the size of files: as a full disk -----------------------------
run sh -c "ulimit -f 8; '$ZUK' build app.o -o limited.elf"
status 1
says "File too large"
check [ ! -e limited.elf ]
check [ ! -e limited.elf.zuk ]

# --- a host that lost power: what the cache holds has its name alone -----------
find cache/zuk/kernel cache/zuk/work -type f -exec truncate -s 0 {} +
run "$ZUK" run app.o -- again
status 0
prints "again 2"

# --- no HOME, odd variables ----------------------------------------------------
mkdir tmp home
bare() { run env -u HOME -u XDG_CACHE_HOME -u XDG_STATE_HOME -u XDG_RUNTIME_DIR TMPDIR="$TMP/tmp" "$@"; }
bare "$ZUK" run app.o -- homeless
status 0
prints "homeless 2"
check [ "$(stat -c %a "tmp/zuk-cache-$(id -u)")" = 700 ]
bare "$ZUK" check app.o
status 0
lacks "asking Zig" # that cache is kept
bare "$ZUK" config show app.o
status 0
bare "$ZUK" build app.o -o h.elf
status 0
bare "$ZUK" size h.elf
status 0
bare "$ZUK" run --zig "$ZIG" project
status 0
prints "a project"
for place in relative "" /dev/null/none /proc/none; do
    bare XDG_CACHE_HOME="$place" XDG_STATE_HOME="$place" HOME="$TMP/home" "$ZUK" run app.o -- odd
    status 0
    prints "odd 2"
    bare XDG_STATE_HOME="$place" HOME="$TMP/home" "$ZUK" ps
    status 0
done
bare HOME=relative "$ZUK" check app.o
status 0
ls_is "app.c app.elf app.elf.config app.elf.zuk app.o bin cache err from-ro.elf from-ro.elf.config from-ro.elf.zuk full h.elf h.elf.config h.elf.zuk home locked.elf.zuk out project ro same.elf same.elf.config same.elf.zuk state tmp "
# another's folder in the shared place is not taken
rm -rf tmp && mkdir tmp "tmp/zuk-cache-$(id -u)" && chmod 777 "tmp/zuk-cache-$(id -u)"
bare "$ZUK" check app.o
status 0
check [ -z "$(ls -A "tmp/zuk-cache-$(id -u)")" ]
ls tmp >left
check [ "$(cat left)" = "zuk-cache-$(id -u)" ] # its own went with it

# --- spaces, quotes, other alphabets; another file system ----------------------
odd="$TMP/другой диск/a 'b' \"c\" \$d — 日本語"
mkdir -p "$TMP/другой диск"
mount -t tmpfs -o size=64m none "$TMP/другой диск"
mkdir "$odd"
cp app.o "$odd/ä ö.o"
cp -r project "$odd/my project"
cd "$odd"
run "$ZUK" build "ä ö.o" -o "bild €.elf" -- 'ü b'
status 0
run "$ZUK" run "bild €.elf"
status 0
prints "ü b 2"
run "$ZUK" run "ä ö.o" -- x
status 0
prints "x 2"
run "$ZUK" check "ä ö.o"
status 0
run "$ZUK" size --html "größe 1.html" "bild €.elf"
status 0
check [ -s "größe 1.html" ]
run "$ZUK" config set POLL=y "ä ö.o"
status 0
run "$ZUK" config why POLL "ä ö.o"
prints "CONFIG_POLL=y"
rm .config
cp "ä ö.o" "menü 1.o"
menu "'menü 1.o'"
status 0
check grep -qx CONFIG_POLL=y .config
rm .config
run "$ZUK" config diff --set POLL=y "ä ö.o"
status 0
run "$ZUK" export unikraft "ä ö.o" -o "aus fuhr"
status 0
check [ -s "aus fuhr/Makefile.uk" ]
run "$ZUK" export unikraft "ä ö.o" -o "aus fuhr/" # again, into the same
status 0
run "$ZUK" new "neu/projekt"
status 0
run "$ZUK" build --lock "ä ö.o" -o "l 1.elf"
status 0
run "$ZUK" build --locked "ä ö.o" -o "l 1.elf"
status 0
run "$ZUK" verify "l 1.elf"
status 0
prints "the same, bit for bit"
run "$ZUK" run --zig "$ZIG" "my project"
status 0
prints "a project"
# the input here, the output there, the cache on a third
run "$ZUK" build "$odd/ä ö.o" -o "$TMP/there.elf"
status 0
mkdir "$TMP/dritte ö"
mount -t tmpfs -o size=64m none "$TMP/dritte ö"
run env XDG_CACHE_HOME="$TMP/dritte ö" "$ZUK" build "$TMP/app.o" -o "fourth.elf"
status 0
run "$ZUK" run fourth.elf -- y
prints "y 2"
done_or_fail
