#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# build --reproducible: two copies at different paths, with other times,
# permissions, time zone, locale, umask, user, home and clock, give one image
# bit for bit; also a folder of files in it.  Without namespaces it strips, and
# says so.
# needs: unshare setpriv gcc
# timeout: 1500
set -eu
. tests/tool/expect.sh
cd "$TMP"
unshare -Um true 2>/dev/null || unshare -m true 2>/dev/null || { echo "no namespaces here" && exit 77; }

# musl takes minutes to compile: that cache is kept from run to run
kept="$HOME/.cache/zuk/canonical"
mkdir -p "$kept" "$TMP/cache/zuk" "$TMP/home/.cache/zuk"
ln -s "$kept" "$TMP/cache/zuk/canonical"
ln -s "$kept" "$TMP/home/.cache/zuk/canonical"
fresh() { rm -rf "$kept/local"; } # what was compiled of the app

mkdir -p one 'other ü/deeper'
cp -r "$TOP/examples/hello-zig" one/hello
mkdir one/hello/undefined
echo 'int unused_here(void) { return 1; }' >one/hello/undefined/extra.c
cp -r one/hello 'other ü/deeper/hello'
find one -exec touch -d '2001-02-03 04:05:06' {} +
chmod -R go-rwx one
mkdir files && echo text >files/text && ln -s text files/link && mkdir files/empty
cp -rP files others
touch -d 1999-01-01 others/text
chmod 664 others/text
chmod 775 others/empty

# scripts, because run wants programs.  build FOLDER COMMAND...
mkdir bin
PATH="$TMP/bin:$PATH"
printf '#!/bin/sh\ncd "$1" && shift && exec "$@"\n' >bin/build
chmod +x bin/build
fresh
run build one sh -c 'umask 077; TZ=Asia/Tokyo exec "$0" "$@"' "$ZUK" build --reproducible --zig "$ZIG" --rootfs "$TMP/files" hello -o "$TMP/one.elf"
status 0
fresh
# user 1000, who owns the same files, on a day in 400 days
another='unshare -U --map-user=1000 --map-group=1000'
$another true 2>/dev/null || another=
later_clock "$TMP/later.so"
run build 'other ü/deeper' sh -c 'umask 000; exec "$0" "$@"' env -u XDG_CACHE_HOME HOME="$TMP/home" USER=else LC_ALL=C.UTF-8 LD_PRELOAD="$TMP/later.so" $another "$ZUK" build --reproducible --zig "$ZIG" --rootfs "$TMP/others" hello -o two.elf
status 0
check cmp one.elf 'other ü/deeper/two.elf'
check [ "$(grep -ac "$TMP" one.elf)" = 0 ]
check [ "$(grep -ac "$HOME/" one.elf)" = 0 ]
run "$ZUK" run --timeout 60 one.elf
status 0
prints "mode debug"

# a changed source is another image, and back again
sed -i 's/Hello from/Greetings from/' one/hello/src/main.zig
run build one "$ZUK" build --reproducible --zig "$ZIG" --rootfs "$TMP/files" hello -o "$TMP/three.elf"
status 0
check [ "$(cmp one.elf three.elf >/dev/null 2>&1 && echo same)" = "" ]

# where namespaces are not permitted
cat >bin/without <<'W'
#!/bin/sh
exec unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set -all --inh-caps -all "$@"' sh "$@"
W
chmod +x bin/without
if without true 2>/dev/null; then
    for where in one 'other ü/deeper'; do
        (cd "$where" && cp "$TOP/examples/hello-zig/src/main.zig" hello/src/ && rm -rf hello/.zig-cache)
        run build "$where" without "$ZUK" build --reproducible --zig "$ZIG" hello -o without.elf
        status 0
        says "no namespaces are permitted here"
        says "ReleaseSafe"
    done
    check cmp one/without.elf 'other ü/deeper/without.elf'
    run build one without "$ZUK" build --reproducible -Doptimize=Debug --zig "$ZIG" hello -o no.elf
    status 1
    says "Debug"
    check [ ! -e one/no.elf ]
fi
done_or_fail
