//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A panic prints Zig's own stack trace, with file and line, then aborts.
//! modes: Debug ReleaseSafe
//! expect-status: 134
//! expect-stdout: before
//! expect-stderr-contains: index out of bounds: index 9, len 4
//! expect-stderr-contains: panic.zig:@LINE:here@
//! expect-stderr-contains: panic.zig:@LINE:caller@
const std = @import("std");

noinline fn pick(list: []const u8, index: usize) u8 {
    return list[index]; // here
}

pub fn main() void {
    _ = std.os.linux.write(1, "before\n", 7);
    const list = [_]u8{ 1, 2, 3, 4 };
    var index: usize = 9;
    _ = &index;
    std.mem.doNotOptimizeAway(pick(&list, index)); // caller
}
