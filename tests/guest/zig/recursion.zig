//! SPDX-License-Identifier: BSD-3-Clause
//!
//! Endless recursion in Debug: Zig's handler runs on its alternate stack and
//! prints a trace; the status is abort's.
//! timeout: 60
//! zuk: -m 128M
//! expect-status: 134
//! expect-stdout: before
//! expect-stderr-contains: Segmentation fault
//! expect-stderr-contains: recursion.zig
const std = @import("std");

noinline fn descend(depth: *volatile usize) usize {
    depth.* += 1;
    var frame: [100]u8 = undefined;
    const p: *volatile [100]u8 = &frame;
    p[0] = @truncate(depth.*);
    return descend(depth) + p[0];
}

pub fn main() void {
    _ = std.os.linux.write(1, "before\n", 7);
    var depth: usize = 0;
    std.mem.doNotOptimizeAway(descend(&depth));
}
