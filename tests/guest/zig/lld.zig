//! SPDX-License-Identifier: BSD-3-Clause
//!
//! LLVM and lld, whatever the mode's default is.
//! cflags: -fllvm -flld
//! expect-status: 5
//! expect-stdout: LLVM and lld
const std = @import("std");

threadlocal var five: u8 = 5;

pub fn main() u8 {
    _ = std.os.linux.write(1, "LLVM and lld\n", 13);
    return five;
}
