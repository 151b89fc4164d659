#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Two clones of zuk: the second is built at another path by another user, with another
# umask, time zone, locale, home and clock.  Its kernel is the same file by file, and
# what the two build of one project, its lock and its bill of materials are the same.
# tier: full
# needs: unshare gcc git
# timeout: 2400
set -eu
. tests/tool/expect.sh
unshare -Um true 2>/dev/null || { echo "no namespaces here" && exit 77; }
# musl takes minutes to compile: that cache is kept from run to run
kept="$HOME/.cache/zuk/canonical"
mkdir -p "$kept" "$TMP/cache/zuk" "$TMP/home/.cache/zuk" "$TMP/deeper/than/the first"
ln -s "$kept" "$TMP/cache/zuk/canonical"
ln -s "$kept" "$TMP/home/.cache/zuk/canonical"
later_clock "$TMP/later.so"
clone="$TMP/deeper/than/clone"
git -C "$TOP" ls-files -z >"$TMP/files"
mkdir -p "$clone/build"
tar -C "$TOP" --null -T "$TMP/files" -c | tar -C "$clone" -x
cp -a "$TOP/build/source" "$clone/build/" # what set-up fetched, the Zig as well
# its own Zig, as each clone has: where that lies is in the objects' debug information
cp -al "$(realpath "$TOP/build/toolchain")" "$clone/build/toolchain" 2>/dev/null ||
    cp -a "$(realpath "$TOP/build/toolchain")" "$clone/build/toolchain"
ln -s "$(readlink "$TOP/build/zig")" "$clone/build/zig"
cat >"$TMP/elsewhere" <<'W'
#!/bin/sh
# elsewhere COMMAND...: as user 1000, in 400 days
umask 077
exec env -u XDG_CACHE_HOME HOME="$TMP/home" USER=else TZ=Asia/Tokyo LC_ALL=C.UTF-8 LD_PRELOAD="$TMP/later.so" \
    unshare -U --map-user=1000 --map-group=1000 "$@"
W
chmod +x "$TMP/elsewhere"

if ! timeout 1500 "$TMP/elsewhere" make -C "$clone" -O -j2 all >"$TMP/log" 2>&1; then
    tail -n 20 "$TMP/log"
    fail "the clone is not built"
fi
command="diff of what was built"
check diff -r "$TOP/build/lib" "$clone/build/lib"

cp -r "$TOP/examples/hello-zig" "$TMP/deeper/than/the first/hello"
rm -rf "$TMP/deeper/than/the first/hello/.zig-cache"
cp -r "$TMP/deeper/than/the first/hello" "$TMP/hello"
cd "$TMP/deeper/than/the first"
run "$ZUK" build --lock hello -o one.elf
status 0
rm -rf "$kept/local"
cd "$TMP"
run "$TMP/elsewhere" "$clone/build/zuk" build --lock hello -o two.elf
status 0
check cmp "deeper/than/the first/one.elf" two.elf
check cmp "deeper/than/the first/hello/zuk.lock" hello/zuk.lock
"$ZUK" inspect "deeper/than/the first/one.elf" >"$TMP/first"
"$clone/build/zuk" inspect two.elf >"$TMP/second"
check grep -q SPDXVersion "$TMP/first"
check cmp "$TMP/first" "$TMP/second"

# each finds what the other made to be what its sources give
run "$TMP/elsewhere" "$clone/build/zuk" verify "deeper/than/the first/one.elf" hello
status 0
prints "the same, bit for bit"
done_or_fail
