#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A kernel panic, with and without the channel: an image whose manifest was
# changed behind zuk's back asks for an area where nothing may lie; areas are made
# when the app asks for another.
set -eu
. tests/tool/expect.sh
cd "$TMP"
cat >app.c <<'EOF'
#include <sys/mman.h>
int main(void) {
    return mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
EOF
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
areas, = struct.unpack_from("<I", image, manifest + 120)
assert 160 <= areas < 4096
struct.pack_into("<Q", image, manifest + areas + 8, 1 << 60)  # the first one's end
open("app.img", "wb").write(image)
PY
run "$ZUK" run --timeout 20 app.img
status 4
says "kernel panic"
says "kernel/mm/area.c"
says "image_areas"
says "kernel/mm/image.c"

# alone: the kernel says it on COM1 itself, and QEMU ends
"$ZUK" run --dry-run app.img >line
run timeout 20 sh line
check [ "$status" -ne 124 ]
prints "kernel panic"
done_or_fail
