#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A kernel panic, with and without the channel: an image whose manifest was
# changed behind zuk's back asks for a segment where nothing may lie.
set -eu
. tests/tool/expect.sh
cd "$TMP"
echo 'int main(void) { return 0; }' >app.c
"$ZIG" cc -target x86_64-linux-musl -O1 app.c -o app
"$ZUK" build app -o app.img
python3 - <<'PY'
import struct
image = bytearray(open("app.img", "rb").read())
phoff, = struct.unpack_from("<Q", image, 32)
phnum, = struct.unpack_from("<H", image, 56)
manifest = None
for i in range(phnum):
    kind, = struct.unpack_from("<I", image, phoff + 56 * i)
    offset, = struct.unpack_from("<Q", image, phoff + 56 * i + 8)
    size, = struct.unpack_from("<Q", image, phoff + 56 * i + 32)
    while kind == 4 and size >= 12:
        names, length, what = struct.unpack_from("<III", image, offset)
        step = 12 + (names + 3) // 4 * 4 + (length + 3) // 4 * 4
        if image[offset + 12:offset + 15] == b"zuk" and what == 1:  # IMAGE_NOTE_MANIFEST
            manifest, = struct.unpack_from("<Q", image, offset + 12 + 4)
        offset, size = offset + step, size - step
assert manifest and image[manifest:manifest + 8] == b"\x7fZUKIMG1"
segments, = struct.unpack_from("<I", image, manifest + 128)
assert 144 <= segments < 4096
struct.pack_into("<Q", image, manifest + segments, 1 << 60)
open("app.img", "wb").write(image)
PY
run "$ZUK" run --timeout 20 app.img
status 4
says "kernel panic"
says "kernel/mm/area.c"
says "app_start"
says "kernel/app/load.c"

# alone: the kernel says it on COM1 itself, and QEMU ends
"$ZUK" run --dry-run app.img >line
run timeout 20 sh line
check [ "$status" -ne 124 ]
prints "kernel panic"
done_or_fail
