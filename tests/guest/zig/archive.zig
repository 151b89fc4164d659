//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A Zig archive that defines main and logs through std.log: the main job.
//! tier: quick
//! input: archive
//! libc: yes
//! modes: Debug ReleaseSmall
//! machines: microvm q35 pc
//! args: five
//! expect-status: 2
//! expect-stdout: 2 arguments, last five
//! expect-stderr-contains: error(app): from std.log
//! expect-stderr-lacks: zuk: warning
const std = @import("std");

extern "c" fn printf(format: [*:0]const u8, ...) c_int;

pub export fn main(argc: c_int, argv: [*]const ?[*:0]const u8) c_int {
    _ = printf("%d arguments, last %s\n", argc, argv[@intCast(argc - 1)].?);
    std.log.scoped(.app).err("from std.log", .{});
    return argc;
}
