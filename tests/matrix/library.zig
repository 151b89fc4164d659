//! SPDX-License-Identifier: BSD-3-Clause
//!
//! The static library of the matrix, for every Zig from 0.12 on: defines main
//! with the C ABI; std.log, formatting, threadlocal data, arguments.
const std = @import("std");
const linux = std.os.linux;

threadlocal var counter: u32 = 40;

export fn main(argc: c_int, argv: [*]const ?[*:0]const u8) c_int {
    var buffer: [200]u8 = undefined;
    counter += 2;
    const text = std.fmt.bufPrint(&buffer, "library: {d} {s} {d:.2} {d}\n", .{
        argc, std.mem.span(argv[1].?), 2.5, counter,
    }) catch return 2;
    _ = linux.write(1, text.ptr, text.len);
    std.log.err("from std.log: {d}", .{counter});
    return 17;
}
