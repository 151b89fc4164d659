//! SPDX-License-Identifier: BSD-3-Clause
//!
//! The executable of the matrix, for every Zig from 0.12 on: stdout, std.log,
//! formatting, threadlocal data, the allocator, arguments, an exit status.
const std = @import("std");
const linux = std.os.linux;

threadlocal var counter: u32 = 40;
var zeros: [70000]u8 = undefined;

pub fn main() u8 {
    var buffer: [200]u8 = undefined;
    counter += 2;
    const list = std.heap.page_allocator.alloc(u32, 100000) catch return 1;
    for (list, 0..) |*e, i| e.* = @truncate(i);
    var sum: u64 = 0;
    for (list) |e| sum += e;
    std.heap.page_allocator.free(list);
    const text = std.fmt.bufPrint(&buffer, "program: {d} {x} {d:.2} {s}\n", .{
        counter, sum, 2.5, if (zeros.len == 70000) "ok" else "no",
    }) catch return 2;
    _ = linux.write(1, text.ptr, text.len);
    std.log.err("from std.log: {d}", .{counter});
    return 17;
}
