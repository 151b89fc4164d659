//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A Zig executable, every mode, with libc.
//! tier: test
//! modes: Debug ReleaseSmall
//! machines: microvm
//! libc: yes
//! args: one two
//! expect-stdout: hello from Zig
//! expect-stderr-contains: to stderr: 42
const std = @import("std");

pub fn main() void {
    _ = std.os.linux.write(1, "hello from Zig\n", 15);
    std.debug.print("to stderr: {d}\n", .{42});
}
