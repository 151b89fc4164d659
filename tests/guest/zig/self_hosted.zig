//! SPDX-License-Identifier: BSD-3-Clause
//!
//! The self-hosted back end and linker, whatever the mode's default is.
//! cflags: -fno-llvm -fno-lld
//! expect-status: 5
//! expect-stdout: self-hosted
const std = @import("std");

threadlocal var five: u8 = 5;

pub fn main() u8 {
    _ = std.os.linux.write(1, "self-hosted\n", 12);
    return five;
}
