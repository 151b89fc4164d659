//! SPDX-License-Identifier: BSD-3-Clause
//!
//! Zig's checking allocator in Debug: many blocks with a stack trace each, a
//! leak reported with file and line.
//! timeout: 60
//! expect-stdout: leak
//! expect-stderr-contains: leaked
//! expect-stderr-contains: debug_allocator.zig:@LINE:here@
const std = @import("std");

pub fn main() !void {
    var state: std.heap.DebugAllocator(.{}) = .init;
    const gpa = state.allocator();
    var blocks: [300][]u8 = undefined;
    for (&blocks, 0..) |*b, i| {
        b.* = try gpa.alloc(u8, 1 + i * 37 % 5000);
        @memset(b.*, @truncate(i));
    }
    for (&blocks, 0..) |*b, i| {
        b.* = try gpa.realloc(b.*, 1 + i * 91 % 9000);
        if (b.*[0] != @as(u8, @truncate(i))) return error.Changed;
    }
    for (blocks) |b| gpa.free(b);
    _ = try gpa.alloc(u8, 100); // here
    if (state.detectLeaks() == 0) return error.NoLeakFound;
    _ = std.os.linux.write(1, "leak\n", 5);
}
