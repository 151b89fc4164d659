#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# make deb: the package holds what it should, and works when its files are the
# only zuk there is, with another home and no source folder on the way.
# tier: full
# needs: dpkg-deb unshare
# timeout: 1800
set -eu
. tests/tool/expect.sh
run make -s -C "$TOP" deb
status 0
deb=$(ls "$TOP"/build/zuk_*.deb)
run dpkg-deb -f "$deb"
prints "Package: zuk"
prints "qemu-system-x86"
prints "libc6"
run dpkg-deb -x "$deb" "$TMP/root"
status 0
for file in bin/zuk lib/zuk/x86_64/kernel.ld lib/zuk/zig/build.zig lib/zuk/zig-toolchain/zig share/man/man1/zuk.1.gz \
    share/bash-completion/completions/zuk share/zsh/vendor-completions/_zuk share/fish/vendor_completions.d/zuk.fish share/doc/zuk/copyright; do
    check [ -s "$TMP/root/usr/$file" ]
done
check [ "$(grep -rlI "$TOP" "$TMP/root/usr/lib/zuk" "$TMP/root/usr/share" | wc -l)" = 0 ]
# a clean root: the system's /usr with the package over it, and no source folder
cat >"$TMP/inside" <<'I'
set -eu
mount -t overlay none -o "lowerdir=$1/root/usr:/usr" /usr
mount -t tmpfs none "$2"
unset ZUK_ZIG ZUK_LIB
cd "$1/work"
zuk new hello
zuk run --timeout 120 hello -- one
zuk doctor
I
mkdir "$TMP/work"
run unshare -m sh "$TMP/inside" "$TMP" "$TOP"
status 0
prints "Hello from hello, with 1 argument"
prints "/usr/lib/zuk/zig-toolchain/zig"
done_or_fail
